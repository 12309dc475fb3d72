"""Resources of a port's partitions: there while it is partitioned, and else gone with all links to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.devices.nic import PARTITIONED, VIRTUALIZATION_MODE, Nic
from emulator.mockup.partitions import PartitionPlace
from emulator.mockup.reader import normal
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Reply, Resource

Handler = Callable[[Call], Reply]


def with_partitions(site: Site, resources: list[Resource]) -> list[Resource]:
    """The resources of a site with regard to its partitions; the same ones where it has none."""
    if not site.partitions:
        return resources
    known = {resource.uri for resource in resources}
    passive = [Resource(uri, get=_as_delivered) for uri in sorted(_concerned(site)) if uri not in known]
    return [_regarding(site, resource) for resource in (*resources, *passive)]


def _concerned(site: Site) -> Iterator[str]:
    """The documents of partitions, and those with a link to one."""
    uris = {uri for place in site.partitions for uri in place.uris}
    for uri, document in site.tree.documents.items():
        if _is_below(uri, uris) or any(normal(link) in uris for link in _links(document)):
            yield uri


def _regarding(site: Site, resource: Resource) -> Resource:
    place = next((place for place in site.partitions if _is_below(resource.uri, place.uris)), None)
    if place is None:
        get = resource.get
        return resource if get is None else replace(resource, get=partial(_without_links, get))
    get = partial(_if_present, place, resource.get) if resource.get is not None else None
    verbs = {
        name: replace(verb, handler=partial(_do_if_present, place, verb.handler))
        for name, verb in resource.verbs.items()
    }
    return replace(resource, get=get, verbs=verbs)


def _as_delivered(call: Call) -> Document:
    return call.base()


def _if_present(
    place: PartitionPlace, get: Callable[[Call], Document | Reply | None], call: Call
) -> Document | Reply | None:
    return get(call) if _is_present(place, call) else None


def _do_if_present(place: PartitionPlace, handler: Handler, call: Call) -> Reply:
    if not _is_present(place, call):
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    return handler(call)


def _without_links(get: Callable[[Call], Document | Reply | None], call: Call) -> Document | Reply | None:
    """What it gives, without links to partitions that are not there now."""
    found = get(call)
    gone = {uri for place in call.site.partitions if not _is_present(place, call) for uri in place.uris}
    if not gone or not isinstance(found, dict):
        return found
    kept: Document = _kept(found, gone)
    return kept


def _is_present(place: PartitionPlace, call: Call) -> bool:
    owner = call.machine.devices[place.owner]
    return isinstance(owner, Nic) and owner.value(VIRTUALIZATION_MODE) in PARTITIONED


def _is_below(uri: str, places: Collection[str]) -> bool:
    return any(uri == place or uri.startswith(f"{place}/") for place in places)


def _links(value: Any) -> Iterator[str]:
    """The URIs of all links in a list, at any depth."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _links(inner)
    elif isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict) and isinstance(uri := entry.get("@odata.id"), str):
                yield uri
            else:
                yield from _links(entry)


def _kept(value: Any, gone: Collection[str]) -> Any:
    """A value without list entries that link to what is gone; counts follow."""
    if isinstance(value, list):
        return [_kept(entry, gone) for entry in value if not _is_link_to(entry, gone)]
    if not isinstance(value, dict):
        return value
    result = {name: _kept(inner, gone) for name, inner in value.items()}
    return result | {
        name: len(result[counted])
        for name in value
        if (counted := name.removesuffix("@odata.count")) != name and isinstance(result.get(counted), list)
    }


def _is_link_to(entry: Any, gone: Collection[str]) -> bool:
    uri = entry.get("@odata.id") if isinstance(entry, Mapping) else None
    return isinstance(uri, str) and normal(uri) in gone
