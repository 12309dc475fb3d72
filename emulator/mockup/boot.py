"""Finding from what a host can boot, and in which order it tries.

An order is an attribute of the BIOS (`device.SEQUENCE`), so it is staged, applied by jobs and undone like the others.
A lifecycle controller's tree may tell of it (`DellBootSources`); from any other tree the order is that of its boot
options. Both name the same things: the captured sources stand in the order of the captured `Boot.BootOrder`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from emulator.core.device import SEQUENCE, Attribute, Value
from emulator.devices.attribute_registry import Model
from emulator.mockup.documents import object_at, objects
from emulator.mockup.reader import SETTINGS, Document, Tree, links, normal

UEFI, LEGACY = "UefiBootSeq", "BootSeq"
OEM_SOURCES, OLDER_SOURCES = "Oem/Dell/DellBootSources", "BootSources"
OVERRIDE = (
    "BootSourceOverrideEnabled",
    "BootSourceOverrideTarget",
    "BootSourceOverrideMode",
    "UefiTargetBootSourceOverride",
    "HttpBootUri",
)
"""What of a ComputerSystem's Boot belongs to the boot source override."""


@dataclass(frozen=True, slots=True)
class BootSource:
    """Something to boot from."""

    id: str
    """As the device knows it."""
    name: str
    enabled: bool
    """As delivered."""
    option: str = ""
    """The BootOptionReference that means the same; "" where none does."""


@dataclass(frozen=True, slots=True)
class BootSequence:
    """An order as delivered, and the BIOS attribute that holds it."""

    attribute: str
    sources: tuple[BootSource, ...]


@dataclass(frozen=True, slots=True)
class BootPlace:
    """Where the boot order of a host is shown, and changed."""

    sequences: tuple[BootSequence, ...]
    """All of them; the first is the order of the boot options, where there are any."""
    options: Mapping[str, str]
    """URI of a BootOption -> its reference, for those that have a place in the order."""
    collection: str
    """URI of the boot options; "" where the tree has none."""
    sources: Mapping[str, str]
    """URI of a vendor's BootSources -> that of its settings."""
    model: Model
    """The BIOS, with the attributes that hold the orders."""

    @property
    def order(self) -> BootSequence | None:
        """The one that is `Boot.BootOrder`."""
        first = next(iter(self.sequences), None)
        return first if first and all(source.option for source in first.sources) else None


def find_boot(tree: Tree, system: str, dialect: str, model: Model) -> BootPlace | None:
    """The boot order of a system whose BIOS is this; None where the tree does not tell of one."""
    document = tree.documents[system]
    boot = document.get("Boot")
    boot = boot if isinstance(boot, dict) else {}
    collection = next(iter(links(boot.get("BootOptions"))), f"{system}/BootOptions")
    options = {uri: _reference(tree.documents[uri], uri) for uri in tree.members(collection)}
    listed = boot.get("BootOrder")
    named = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    order = list(dict.fromkeys(named or options.values()))
    documents = {reference: tree.documents[uri] for uri, reference in options.items()}
    vendor = dialect == "dell"
    sequences = _captured(tree, system, order) if vendor else []
    if order and not (sequences and sequences[0].sources[0].option):
        derived = _derived(order, documents, vendor=vendor)
        sequences = [derived, *(one for one in sequences if one.attribute != derived.attribute)]
    sequences = [replace(one, attribute=_free(one.attribute, model)) for one in sequences]
    if not sequences:
        return None
    return BootPlace(
        sequences=tuple(sequences),
        options={uri: reference for uri, reference in options.items() if reference in order},
        collection=collection if collection in tree.documents else "",
        sources=_source_uris(tree, system) if vendor else {},
        model=_with_sequences(model, sequences),
    )


def override_of(document: Mapping[str, Any]) -> dict[str, str | None]:
    """The boot source override that a ComputerSystem has as delivered; empty where it has none."""
    boot = document.get("Boot")
    return {name: boot[name] for name in OVERRIDE if name in boot} if isinstance(boot, dict) else {}


def delivered(sequence: BootSequence) -> Value:
    """The value of the attribute before anybody changes it."""
    return [[source.id, source.enabled] for source in sequence.sources]


def _with_sequences(model: Model, sequences: list[BootSequence]) -> Model:
    attributes = {
        one.attribute: Attribute(one.attribute, SEQUENCE, choices=tuple(source.id for source in one.sources))
        for one in sequences
    }
    values = {one.attribute: delivered(one) for one in sequences}
    return replace(model, attributes={**model.attributes, **attributes}, values={**model.values, **values})


def _reference(option: Document, uri: str) -> str:
    return str(option.get("BootOptionReference") or option.get("Id") or uri.rpartition("/")[2])


def _free(name: str, model: Model) -> str:
    """A registry may call something else by that name."""
    while name in model.attributes:
        name = f"Boot.{name}"
    return name


# -- a lifecycle controller's own -------------------------------------------------------------------------------------


def _source_uris(tree: Tree, system: str) -> dict[str, str]:
    found = {}
    for path in (OEM_SOURCES, OLDER_SOURCES):
        uri = f"{system}/{path}"
        annotation = object_at(tree.get(uri), SETTINGS)
        found[uri] = normal(next(iter(links(annotation.get("SettingsObject"))), f"{uri}/Settings"))
    return found


def _captured(tree: Tree, system: str, order: list[str]) -> list[BootSequence]:
    """What the tree tells of, UEFI's order first; it is that of the boot options where it is as long."""
    documents = (tree.get(f"{system}/{path}") for path in (OEM_SOURCES, OLDER_SOURCES))
    attributes: dict[str, Any] = next(filter(None, (object_at(found, "Attributes") for found in documents)), {})
    found = [name for name in attributes if _entries(attributes[name])]
    names = sorted(found, key=lambda name: {UEFI: 0, LEGACY: 1}.get(name, 2))
    sequences: list[BootSequence] = []
    for name in names:
        entries = _entries(attributes[name])
        refers = not sequences and len(entries) == len(order)
        sources = (
            BootSource(entry["Id"], str(entry.get("Name", "")), bool(entry.get("Enabled", True)), reference)
            for entry, reference in zip(entries, order if refers else [""] * len(entries), strict=True)
        )
        sequences.append(BootSequence(name, tuple(sources)))
    return sequences


def _entries(listed: Any) -> list[Document]:
    """The sources of an attribute, in their order; none where it is something else."""
    entries = objects(listed)
    if not isinstance(listed, list) or len(entries) < len(listed):
        return []
    ids = [entry.get("Id") for entry in entries]
    if not all(isinstance(own_id, str) for own_id in ids) or len(set(ids)) < len(ids):
        return []
    return sorted(entries, key=lambda entry: entry["Index"] if isinstance(entry.get("Index"), int) else 0)


# -- from boot options ------------------------------------------------------------------------------------------------


def _derived(order: list[str], options: Mapping[str, Document], *, vendor: bool) -> BootSequence:
    if not vendor:
        sources = [BootSource(name, name, _is_enabled(options.get(name)), name) for name in order]
        return BootSequence("BootOrder", tuple(sources))
    names = _names(options.get(name, {}) for name in order)
    return BootSequence(
        UEFI,
        tuple(
            BootSource(_id(name, reference), name, _is_enabled(options.get(reference)), reference)
            for name, reference in zip(names, order, strict=True)
        ),
    )


def _is_enabled(option: Document | None) -> bool:
    return (option or {}).get("BootOptionEnabled") is not False


def _id(name: str, reference: str) -> str:
    """As long as the captured ones, and the same every time."""
    return f"BIOS.Setup.1-1#{UEFI}#{name}#{hashlib.blake2b(reference.encode(), digest_size=16).hexdigest()}"


def _names(options: Iterable[Document]) -> Iterator[str]:
    """As the captured sources are called: by the way that leads there, else unknown; numbered where they are alike."""
    counted: dict[str, int] = {}
    for option in options:
        stem = {"Pxe": "NIC.PxeDevice", "UefiHttp": "NIC.HttpDevice"}.get(str(option.get("Alias")), "Unknown.Unknown")
        counted[stem] = counted.get(stem, 0) + 1
        yield f"{stem}.{counted[stem]}-1"
