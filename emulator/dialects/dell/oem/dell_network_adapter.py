"""NetworkAdapters below the system: where older firmware has what newer has below the chassis, and scripts still look.

A resource there is the chassis' own, and says so in its @odata.id. What are Ports now were NetworkPorts then.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from emulator.mockup.network import below_system
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource

PORTS, NETWORK_PORTS = "/Ports", "/NetworkPorts"


def resources(site: Site) -> list[Resource]:
    """One for each of the chassis' that stands nowhere below the system yet."""
    return [
        Resource(place, get=partial(as_below_chassis, uri))
        for uri in sorted(site.tree.documents)
        for place in _places(site, uri)
        if place not in site.tree.documents
    ]


def as_below_chassis(uri: str, call: Call) -> Document | None:
    """What the chassis has, as it is now."""
    found = call.documents.document(call, uri)
    return None if found is None else dict(found)


def _places(site: Site, uri: str) -> Iterator[str]:
    place = below_system(uri, site.systems)
    if place is None:
        return
    yield place
    adapter, folder, port = uri.partition(PORTS)
    if folder and port[:1] in ("", "/") and site.tree.get(adapter + NETWORK_PORTS) is None:
        yield place.replace(PORTS, NETWORK_PORTS, 1)
