"""What of a site lives, kind by kind: one table, for whoever tells people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from emulator.mockup.place import Place
from emulator.mockup.site import Site


@dataclass(frozen=True, slots=True)
class Living:
    """Something that the emulator brings to life."""

    id: str
    """Of the device, where it is one; else of the resource."""
    uri: str
    detail: str = ""
    """What there is of it: "141 attributes"."""


def _bioses(site: Site) -> Iterator[Living]:
    for place in site.bioses:
        yield Living(place.device_id, place.uri, _counted(len(place.model.attributes), "attribute"))


def _boot_orders(site: Site) -> Iterator[Living]:
    for place in site.bioses:
        for sequence in place.boot.sequences if place.boot else ():
            yield Living(sequence.attribute, place.uri, _counted(len(sequence.sources), "source"))


def _nics(site: Site) -> Iterator[Living]:
    for place in site.nics:
        attributes = _counted(len(place.model.attributes), "attribute")
        yield Living(place.device_id, place.attributes_uri or place.uri, attributes)


def _adapters(site: Site) -> Iterator[Living]:
    for place in site.adapters:
        yield Living(place.device_id, place.uri, _counted(len(place.ports), "port"))


def _storages(site: Site) -> Iterator[Living]:
    for place in site.storages:
        drives, volumes = len(place.model.drives), len(place.model.delivered.volumes)
        yield Living(place.device_id, place.uri, f"{_counted(drives, 'drive')}, {_counted(volumes, 'volume')}")


def _readings(site: Site) -> Iterator[Living]:
    for uri, shown in site.readings.items():
        yield Living(uri.rpartition("/")[2], uri, _counted(len(shown), "reading"))


def _components(site: Site) -> Iterator[Living]:
    for component in site.components:
        version = component.version or "of no version"
        yield Living(component.id, component.uri, version if component.updateable else f"{version}, not updateable")


def _power_limits(site: Site) -> Iterator[Living]:
    for place in site.power_limits:
        bounds = f"{place.lower:g} to {place.upper:g} W" if place.upper is not None else f"from {place.lower:g} W"
        yield Living(place.chassis.rpartition("/")[2], place.control or place.power or place.environment, bounds)


def _logs(site: Site) -> Iterator[Living]:
    log = site.lifecycle_log
    if log is not None:
        yield Living(log.id, log.uri, f"{_counted(len(log.delivered), 'entry', 'entries')} as delivered")


def _named(uris: Iterable[str]) -> Iterator[Living]:
    for uri in uris:
        yield Living(uri.rpartition("/")[2], uri)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


KINDS: Mapping[str, Callable[[Site], Iterable[Living]]] = {
    "System": lambda site: _named(site.systems[:1]),
    "Manager": lambda site: _named(site.managers[:1]),
    "BIOS": _bioses,
    "Boot order": _boot_orders,
    "Network adapter": _adapters,
    "Network device function": _nics,
    "Storage controller": _storages,
    "Resource with readings": _readings,
    "Power limit": _power_limits,
    "Virtual drive": lambda site: _named(place.uri for place in site.media),
    "Firmware component": _components,
    "Update service": lambda site: _named([site.update_service] if site.update_service else []),
    "Lifecycle log": _logs,
}
"""Kind -> all of it in a site. Of several systems and managers the first one lives."""
TOLD = frozenset({"bios", "nic", "adapter", "raid", "firmware"})
"""The kinds of device that are told of in KINDS; others are told of by their name, without details."""


def living(site: Site) -> dict[str, list[Living]]:
    """What lives, by kind; kinds of which there is nothing are left out."""
    found = {kind: list(all_of(site)) for kind, all_of in KINDS.items()}
    found |= {kind: [Living(place.device_id, place.uri) for place in places] for kind, places in added_kinds(site)}
    return {kind: entries for kind, entries in found.items() if entries}


def added_kinds(site: Site) -> Iterator[tuple[str, tuple[Place, ...]]]:
    """The kinds of device that have no line of their own in KINDS, and where they stand."""
    yield from ((kind, places) for kind, places in site.places.items() if kind not in TOLD)
