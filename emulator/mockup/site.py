"""Finding what in a tree can be brought to life, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.devices.attribute_registry import Model, build_model
from emulator.mockup.manifest import DevicePlace, Manifest
from emulator.mockup.reader import ROOT, Document, MockupError, Tree, normal

SETTINGS = "@Redfish.Settings"


@dataclass(frozen=True, slots=True)
class BiosPlace:
    """A BIOS that lives."""

    device_id: str
    uri: str
    settings_uri: str
    model: Model


@dataclass(frozen=True, slots=True)
class Site:
    """Where in a tree the living things stand. URIs have no trailing slash."""

    tree: Tree
    dialect: str
    utc_offset_minutes: int
    systems: tuple[str, ...]
    managers: tuple[str, ...]
    bioses: tuple[BiosPlace, ...]

    def bios_at(self, settings_uri: str) -> BiosPlace | None:
        """The BIOS whose settings resource this is; a trailing slash does not matter."""
        wanted = normal(settings_uri)
        return next((bios for bios in self.bioses if bios.settings_uri == wanted), None)


def survey(tree: Tree, manifest: Manifest) -> Site:
    """Find systems, managers and devices.

    Raises:
        MockupError: what the manifest names is not in the tree, or what is there contradicts itself.
    """
    root = tree.documents[ROOT]
    systems = tuple(tree.members(_link(root, "Systems", f"{ROOT}/Systems")))
    managers = tuple(tree.members(_link(root, "Managers", f"{ROOT}/Managers")))
    if not systems:
        raise MockupError(f"{tree.source}: {ROOT}/Systems: the tree has no computer system")
    dialect = manifest.dialect or _dialect_of(root)
    places = manifest.devices if manifest.devices is not None else _find_devices(tree, systems, dialect)
    return Site(
        tree=tree,
        dialect=dialect,
        utc_offset_minutes=_utc_offset(tree, managers, manifest),
        systems=systems,
        managers=managers,
        bioses=tuple(_bios(tree, place) for place in places if place.kind == "bios"),
    )


def _dialect_of(root: Document) -> str:
    vendor, oem = root.get("Vendor"), root.get("Oem") or {}
    return "dell" if vendor == "Dell" or "Dell" in oem else "standard"


def _link(document: Mapping[str, Any], name: str, otherwise: str) -> str:
    found = document.get(name)
    return normal(found["@odata.id"]) if isinstance(found, dict) and "@odata.id" in found else otherwise


def _find_devices(tree: Tree, systems: tuple[str, ...], dialect: str) -> tuple[DevicePlace, ...]:
    places: list[DevicePlace] = []
    for system in systems:
        uri = _link(tree.documents[system], "Bios", "")
        if uri and isinstance((tree.get(uri) or {}).get("Attributes"), dict):
            first = "BIOS.Setup.1-1" if dialect == "dell" else "Bios"
            places.append(DevicePlace("bios", first if not places else f"{first}.{len(places) + 1}", uri))
    return tuple(places)


def _bios(tree: Tree, place: DevicePlace) -> BiosPlace:
    document = tree.get(place.path)
    if document is None:
        raise MockupError(f"{tree.source}: machine.toml: devices: {place.path}: there is no such resource")
    attributes = document.get("Attributes")
    if not isinstance(attributes, dict):
        raise MockupError(f"{tree.source}: {place.path}: Attributes is not an object")
    registry_uri, registry = _attribute_registry(tree, document)
    try:
        model = build_model(attributes, registry)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MockupError(f"{tree.source}: {registry_uri}: not an attribute registry: {error}") from error
    settings = _link(document.get(SETTINGS) or {}, "SettingsObject", f"{place.path}/Settings")
    return BiosPlace(place.id, place.path, settings, model)


def _attribute_registry(tree: Tree, bios: Document) -> tuple[str, Document | None]:
    """The registry that a Bios names: by its Id, by the file entry for it, else by its name without the version."""
    name = bios.get("AttributeRegistry")
    if not isinstance(name, str):
        return "", None
    found = {
        uri: document
        for uri, document in tree.documents.items()
        if str(document.get("@odata.type", "")).startswith("#AttributeRegistry.")
    }
    for uri, document in found.items():
        if document.get("Id") == name:
            return uri, document
    for uri in _registered_uris(tree, name):
        if uri in found:
            return uri, found[uri]
    stem = _without_version(name)
    for uri, document in found.items():
        if _without_version(str(document.get("Id"))) == stem:
            return uri, document
    return "", None


def _registered_uris(tree: Tree, name: str) -> list[str]:
    return [
        normal(location["Uri"])
        for document in tree.documents.values()
        if str(document.get("@odata.type", "")).startswith("#MessageRegistryFile.")
        and _without_version(str(document.get("Registry"))) == _without_version(name)
        for location in document.get("Location") or ()
        if "Uri" in location
    ]


def _without_version(name: str) -> str:
    return re.sub(r"\.v?\d+([._]\d+)*$", "", name)


def _utc_offset(tree: Tree, managers: tuple[str, ...], manifest: Manifest) -> int:
    if manifest.utc_offset_minutes is not None:
        return manifest.utc_offset_minutes
    for manager in managers:
        text = str(tree.documents[manager].get("DateTimeLocalOffset", ""))
        if found := re.fullmatch(r"([+-])(\d\d):(\d\d)", text):
            minutes = int(found[2]) * 60 + int(found[3])
            return -minutes if found[1] == "-" else minutes
    return 0
