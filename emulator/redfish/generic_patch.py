"""PATCH of a resource that nobody models: checked against its schema, kept in the machine, shown to every reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.overlay import Settings, after_patch
from emulator.data import schema
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
    call.machine.set_up.lay_over(call.uri, checked_values(call, call.body))
    if call.dialect.names_success:
        return succeeded(call, "OperationDone")
    return Reply(200, _shown(call))


def sharing(handler: Callable[[Call], Reply], payload: str) -> Callable[[Call], Reply]:
    """The handler of a PATCH that models what its payload's schema names; the rest is set as if nobody modelled it.

    It is all done or nothing: the rest is checked first, and set last.
    """

    def patch(call: Call) -> Reply:
        named = schema(f"payloads/{payload}")["properties"]
        rest = {name: value for name, value in call.body.items() if "@" not in name and name not in named}
        if not rest:
            return handler(call)
        own = {name: value for name, value in call.body.items() if name not in rest}
        if all("@" in name for name in own):
            return patch_resource(replace(call, body=rest))
        settings = checked_values(call, rest)
        reply = handler(replace(call, body=own))
        call.machine.set_up.lay_over(call.uri, settings)
        return reply

    return patch


def checked_values(call: Call, given: Mapping[str, Any]) -> Settings:
    """What is set of the resource called once these values are; changes nothing.

    Raises:
        Rejected: as `patch_resource`. What a view shows otherwise all the same, nobody can write.
    """
    if all("@" in name for name in given):
        raise Rejected(Message("NoOperation"))
    before, kept = _shown(call), call.machine.set_up.overlay.get(call.uri)
    reject_if_any(patch_faults(before, given))
    settings = after_patch(kept, before, given)
    call.machine.set_up.overlay.put(call.uri, settings)
    hidden = list(_hidden(_shown(call), settings, given, ""))
    call.machine.set_up.overlay.put(call.uri, kept)
    reject_if_any(Message("PropertyNotWritable", (path,), (path,)) for path in hidden)
    return settings


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
