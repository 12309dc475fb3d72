"""Small BIOSes written down in a line or two, and the ones of whole mockups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from conftest import capture
from registry_entries import registry

from emulator.app import surveyed
from emulator.data import data_folder, schema
from emulator.devices.attribute_registry import HIDDEN, READ_ONLY, build_model
from emulator.devices.bios import Bios
from emulator.mockup.manifest import read_manifest
from emulator.mockup.reader import read_tree
from emulator.mockup.site import BiosPlace, Site

BIOS = "BIOS.Setup.1-1"
AT = 1_700_000_000.0


def bios(
    attributes: list[dict[str, Any]],
    dependencies: list[dict[str, Any]] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Bios:
    return Bios(BIOS, build_model(values or {}, registry(attributes, dependencies)))


@cache
def site_of(name: str) -> Site:
    """A bundled mockup by its name, or a captured one by that of its archive; skips where that is not at hand."""
    path = capture(name) if name.endswith(".tar.xz") else data_folder("mockups") / name
    tree = read_tree(path)
    return surveyed(tree, read_manifest(tree.manifest, model=name, source=name, schema=schema("machine.schema")))


def place_of(name: str) -> BiosPlace:
    return site_of(name).bioses[0]


def bios_of(name: str) -> Bios:
    """A new device."""
    place = place_of(name)
    return Bios(place.device_id, place.model)


def flags_of(device: Bios, name: str) -> tuple[bool, bool]:
    """(read-only, hidden) of an attribute as things are now."""
    attribute, values = device.describe()[name], {**device.model.values, **device.own}
    read_only = attribute.read_only or attribute.immutable or device.model.flag(name, READ_ONLY, values.get)
    return read_only, device.model.flag(name, HIDDEN, values.get)
