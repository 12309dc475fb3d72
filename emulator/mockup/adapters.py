"""Finding the network adapters of a tree and their ports: as Port, as NetworkPort of older services, or as both.

A port is one thing however many resources tell of it: those of the same last part of the URI below one adapter. Which
functions stand behind it is told by their links, and by their names where links lead nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.devices.adapter import PortModel, mbps, speed_attributes, switches_of
from emulator.devices.attribute_registry import Model
from emulator.mockup.network import ADAPTERS, Ids, NicPlace, functions_of, interfaces_of, links_of
from emulator.mockup.place import Place
from emulator.mockup.reader import Document, Tree, links

_PORT = re.compile(rf"(.+{ADAPTERS}/[^/]+)/(?:Ports|NetworkPorts)/([^/]+)")
_TYPES = ("#Port.", "#NetworkPort.")
SWITCHES = ("InterfaceEnabled", "LinkState")
"""The properties of a Port that switch it."""
_UP = frozenset({"LinkUp", "Up"})
_NO_CABLE = "NoLink"
_SPEEDS = (("CurrentSpeedGbps", 1000), ("CurrentLinkSpeedMbps", 1))
"""The properties that tell a speed, and how many megabits per second their unit is."""
_GIGABIT = 1000
_FASTEST_FIXED_ON_COPPER = 100
"""Twisted pair runs at a gigabit only where both ends agree on it (IEEE 802.3, clause 40): no attribute lists it."""


@dataclass(frozen=True, slots=True)
class PortPlace:
    """A port that lives."""

    adapter_id: str
    """The device."""
    id: str
    """Its name there."""
    uris: tuple[str, ...]
    functions: tuple[str, ...]
    """The URIs of the functions behind it."""
    interfaces: tuple[str, ...]
    """The host's EthernetInterfaces that it carries."""


@dataclass(frozen=True, slots=True)
class AdapterPlace(Place):
    """A network adapter that has ports."""

    device_id: str
    uri: str
    model: Model
    port_models: Mapping[str, PortModel]
    ports: tuple[PortPlace, ...]
    nics: tuple[NicPlace, ...]
    """Its functions that live."""

    def is_settings_uri(self, uri: str) -> bool:
        """None is: its ports are switched at once."""
        return False


def find_adapters(
    tree: Tree, systems: Sequence[str], nics: Iterable[NicPlace], taken: Iterable[str]
) -> tuple[AdapterPlace, ...]:
    """All adapters of the tree, in the order of their URIs. `taken` are the ids of other devices."""
    living = {nic.uri: nic for nic in nics}
    functions = functions_of(tree)
    ids = Ids(taken)
    found = []
    for uri, port_uris in _ports_by_adapter(tree).items():
        own = [function for function in functions if function.startswith(f"{uri}/")]
        behind = _functions_by_port(tree, own, port_uris)
        device_id = ids.unique(uri, None)
        models, delivered = {}, {}
        for port, uris in port_uris.items():
            documents = [tree.documents[each] for each in uris]
            nics_behind = [living[function] for function in behind[port] if function in living]
            models[port] = _model(port, documents, nics_behind)
            delivered[port] = all(_is_switched_on(document) for document in documents)
        found.append(
            AdapterPlace(
                device_id=device_id,
                uri=uri,
                model=switches_of(list(models.values()), delivered),
                port_models=models,
                ports=tuple(
                    PortPlace(
                        adapter_id=device_id,
                        id=port,
                        uris=tuple(uris),
                        functions=tuple(behind[port]),
                        interfaces=_interfaces(tree, systems, uris, behind[port]),
                    )
                    for port, uris in port_uris.items()
                ),
                nics=tuple(living[function] for function in own if function in living),
            )
        )
    return tuple(found)


def _ports_by_adapter(tree: Tree) -> dict[str, dict[str, list[str]]]:
    """Adapter -> port -> the URIs that tell of it."""
    result: dict[str, dict[str, list[str]]] = {}
    for uri in sorted(tree.documents):
        place = _PORT.fullmatch(uri)
        if place is not None and str(tree.documents[uri].get("@odata.type", "")).startswith(_TYPES):
            result.setdefault(place[1], {}).setdefault(place[2], []).append(uri)
    return result


def _functions_by_port(
    tree: Tree, functions: Sequence[str], ports: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """The functions behind each port."""
    by_uri = {uri: port for port, uris in ports.items() for uri in uris}
    result: dict[str, list[str]] = {port: [] for port in ports}
    for function in functions:
        told = (by_uri[uri] for uri in _port_links(tree.get(function) or {}) if uri in by_uri)
        port = next(told, None) or _port_by_name(function.rpartition("/")[2], ports)
        if port is not None:
            result[port].append(function)
    return result


def _port_links(function: Document) -> Iterator[str]:
    """The ports that a function names: the one it has, then those that it can have."""
    for name in ("PhysicalNetworkPortAssignment", "PhysicalPortAssignment"):
        yield from links_of(function, name)
    for name in ("AssignablePhysicalNetworkPorts", "AssignablePhysicalPorts"):
        yield from links(function.get(name))


def _port_by_name(function: str, ports: Iterable[str]) -> str | None:
    """Function NIC.Integrated.1-2-1 is the first of port NIC.Integrated.1-2."""
    fitting = [port for port in ports if function == port or function.startswith(f"{port}-")]
    return max(fitting, key=len, default=None)


def _interfaces(tree: Tree, systems: Sequence[str], ports: Sequence[str], functions: Sequence[str]) -> tuple[str, ...]:
    """Those of its functions, and those that name the port itself."""
    found = [one for function in functions for one in interfaces_of(tree, systems, function)]
    for system in systems:
        for interface in tree.members(f"{system}/EthernetInterfaces"):
            if not set(links_of(tree.documents[interface], "Ports")).isdisjoint(ports):
                found.append(interface)
    return tuple(dict.fromkeys(found))


# -- what the documents tell of a port --------------------------------------------------------------------------------


def _model(port: str, documents: Sequence[Document], nics: Sequence[NicPlace]) -> PortModel:
    told = (document.get("LinkStatus") for document in documents)
    status = next((word for word in told if isinstance(word, str)), None)
    is_up = status in _UP
    fastest = _fastest(documents, nics)
    is_fixed = any(mbps(nic.model.values.get(name)) for nic in nics for name in speed_attributes(nic.model.attributes))
    agreed = fastest if is_fixed or not is_up else _speed(documents)
    return PortModel(
        id=port,
        number=_number(port, documents),
        is_cabled=status != _NO_CABLE,
        is_connected=is_up,
        negotiated_mbps=agreed,
        max_mbps=fastest,
        functions=tuple(nic.device_id for nic in nics),
        is_switchable=any(name in document for document in documents for name in SWITCHES),
    )


def _is_switched_on(document: Document) -> bool:
    return document.get("InterfaceEnabled") is not False and document.get("LinkState") != "Disabled"


def _number(port: str, documents: Sequence[Document]) -> str:
    told = (document.get(name) for document in documents for name in ("PortId", "PhysicalPortNumber"))
    digits = re.search(r"([0-9]+)$", port)
    return str(next((text for text in told if text), digits[1] if digits else port))


def _speed(documents: Sequence[Document]) -> int | None:
    for document in documents:
        for name, factor in _SPEEDS:
            if found := _megabits(document.get(name), factor):
                return found
    return None


def _fastest(documents: Sequence[Document], nics: Sequence[NicPlace]) -> int | None:
    """The most that the port can do: what it says of itself, else the fastest that its functions can be set to."""
    told = [speed for document in documents for speed in _capable(document)]
    if told:
        return max(told)
    choices = [
        speed
        for nic in nics
        for name in speed_attributes(nic.model.attributes)
        if not (one := nic.model.attributes[name]).read_only and not one.immutable
        for choice in one.choices
        if (speed := mbps(choice))
    ]
    fastest = max(choices, default=None)
    return _GIGABIT if fastest == _FASTEST_FIXED_ON_COPPER else fastest


def _capable(document: Document) -> Iterator[int]:
    values: list[tuple[Any, int]] = [(document.get("MaxSpeedGbps"), 1000)]
    values += [(document.get(name), factor) for name, factor in _SPEEDS]
    for each in _objects(document.get("LinkConfiguration")):
        values += [(speed, 1000) for speed in _list(each.get("CapableLinkSpeedGbps"))]
    for each in _objects(document.get("SupportedLinkCapabilities")):
        values += [(each.get("LinkSpeedMbps"), 1), *((speed, 1) for speed in _list(each.get("CapableLinkSpeedMbps")))]
    yield from (found for value, factor in values if (found := _megabits(value, factor)))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _megabits(value: Any, factor: int) -> int:
    """A speed in megabits per second; 0 for what is none."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value * factor) if is_number else 0
