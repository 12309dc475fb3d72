"""ManagerNetworkProtocol: the controller's network services, and its names. What is set is in force at once.

It is what a client reads and sets, and what parts of this program read; the socket on which it listens does not move.
"""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, patched

NAMES = ("HostName", "FQDN")
"""What the controller's EthernetInterface shows as well, and where it is set (DSP0268: here it is read-only)."""


def resources(site: Site) -> list[Resource]:
    """That of the first manager, which can be set, and those that show the names of an interface that can."""
    named = {place.network_protocol for place in site.interfaces if place.network_protocol}
    patch = {"PATCH": Verb(patch_network_protocol, "ConfigureManager", "ManagerNetworkProtocol.patch")}
    return [
        Resource(uri, get=network_protocol, verbs=patch if uri == site.network_protocol else {})
        for uri in sorted({*named, *([site.network_protocol] if site.network_protocol else [])})
    ]


def network_protocol(call: Call) -> Document:
    """As delivered but for the controller's names, and for the services that somebody has set up."""
    document = call.base()
    if call.uri == call.site.network_protocol:
        services = call.machine.set_up.network_services
        document |= {name: _with_counts(document.get(name, {}), services.service(name)) for name in services.names}
    for place in call.site.interfaces:
        if place.network_protocol == call.uri:
            settings = call.machine.set_up.interfaces.get(place.uri, {})
            document |= {name: settings[name] for name in NAMES if name in settings and name in document}
    return document


def _with_counts(delivered: Document, now: Document) -> Document:
    counted = {f"{name}@odata.count": len(value) for name, value in now.items() if isinstance(value, list)}
    return {**now, **{name: count for name, count in counted.items() if name in delivered}}


def patch_network_protocol(call: Call) -> Reply:
    """Set what is given of the services, all or nothing.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, and as `NetworkServices.changed`.
    """
    services = call.machine.set_up.network_services
    refuse_others(call.base(), call.body, frozenset(services.names), "")
    call.machine.set_up.change_network_services({name: call.body[name] for name in services.names if name in call.body})
    return patched(call, network_protocol)
