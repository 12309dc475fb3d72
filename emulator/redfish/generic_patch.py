"""PATCH of a resource that nobody models: checked against its schema, kept in the machine, shown to every reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.overlay import after_patch
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import Site
from emulator.redfish.capability import has_writable, patch_faults, patch_privilege
from emulator.redfish.view import Call, Document, Reply, Verb, succeeded


def generic_patch(site: Site, uri: str) -> Verb | None:
    """The PATCH of what the mockup has at this URI; None for what is not to be written.

    What is staged in a settings resource is written there, and a settings resource wants somebody who applies it.
    """
    document = site.tree.get(uri)
    if document is None or SETTINGS in document or uri.endswith(("/Settings", "/SD")):
        return None
    kind = document.get("@odata.type")
    if not has_writable(kind):
        return None
    above = (parent.get("@odata.type") for parent in _above(site, uri))
    return Verb(patch_resource, patch_privilege(kind, above), "Resource.patch")


def _above(site: Site, uri: str) -> Iterator[Document]:
    """The resources above a URI, the closest one first."""
    while uri := uri.rpartition("/")[0]:
        document = site.tree.get(uri)
        if document is not None:
            yield document


def patch_resource(call: Call) -> Reply:
    """Set values of the resource called, all or none.

    Raises:
        Rejected: NoOperation where nothing is given; a message for each property that cannot be set so.
    """
    set_values(call, call.body)
    if call.dialect.names_success:
        return succeeded(call, "OperationDone")
    return Reply(200, _shown(call))


def set_values(call: Call, given: Mapping[str, Any]) -> None:
    """Lay values over the resource called. What a view shows otherwise all the same, nobody can write.

    Raises:
        Rejected: as `patch_resource`.
    """
    if not any("@" not in name for name in given):
        raise Rejected(Message("NoOperation"))
    before, kept = _shown(call), call.machine.overlay.get(call.uri)
    reject_if_any(patch_faults(before, given))
    settings = after_patch(kept, before, given)
    call.machine.overlay.put(call.uri, settings)
    hidden = list(_hidden(_shown(call), settings, given, ""))
    call.machine.overlay.put(call.uri, kept)
    reject_if_any(Message("PropertyNotWritable", (path,), (path,)) for path in hidden)
    call.machine.lay_over(call.uri, settings)


def _shown(call: Call) -> Document:
    document = call.documents.document(call, call.uri)
    if document is None:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    return document


def _hidden(document: Any, settings: Mapping[str, Any], given: Mapping[str, Any], folder: str) -> Iterator[str]:
    """The paths of what is given and is not what the document shows."""
    for name, value in given.items():
        if "@" in name:
            continue
        now = document.get(name) if isinstance(document, Mapping) else None
        if isinstance(value, Mapping):
            yield from _hidden(now, settings[name], value, f"{folder}{name}/")
        elif now != settings[name]:
            yield f"{folder}{name}"
