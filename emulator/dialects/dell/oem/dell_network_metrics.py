"""DellNICPortMetrics: the link of the function's port."""

from __future__ import annotations

from functools import partial

from emulator.mockup.adapters import PortPlace
from emulator.mockup.site import Site
from emulator.redfish.link import changed_link
from emulator.redfish.view import Call, Document, Resource

FOLDER = "/Oem/Dell/DellNICPortMetrics/"
LINK = "PartitionLinkStatus"


def resources(site: Site) -> list[Resource]:
    """Those of the functions of each port."""
    places = {function: place for place in site.ports for function in place.functions}
    return [
        Resource(uri, get=partial(metrics, places[function]))
        for uri in sorted(site.tree.documents)
        if (function := uri.partition(FOLDER)[0]) in places and function != uri and LINK in site.tree.documents[uri]
    ]


def metrics(place: PortPlace, call: Call) -> Document:
    """As delivered but for the link."""
    link = changed_link(call, place)
    return call.base() if link is None else {**call.base(), LINK: "Up" if link.is_up else "Down"}
