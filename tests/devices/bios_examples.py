"""Small BIOSes written down in a line or two, and the ones of whole mockups."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from emulator.data import data_folder, schema
from emulator.devices.attribute_registry import build_model
from emulator.devices.bios import Bios
from emulator.mockup.manifest import read_manifest
from emulator.mockup.reader import read_tree
from emulator.mockup.site import BiosPlace, Site, survey

BIOS = "BIOS.Setup.1-1"
AT = 1_700_000_000.0
MOCKUPS = Path(os.environ.get("JOBFISH_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "mockups"


def choice(name: str, *choices: str, **more: Any) -> dict[str, Any]:
    return {
        "AttributeName": name,
        "Type": "Enumeration",
        "Value": [{"ValueName": value} for value in choices],
        "DefaultValue": choices[0],
        **more,
    }


def attribute(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"AttributeName": name, "Type": kind, **more}


Condition = tuple[str, str, Any] | tuple[str, str, Any, str]
"""Attribute, comparison, value, and MapTerms where there is one."""


def rule(target: str, prop: str, value: Any, *conditions: Condition) -> dict[str, Any]:
    """A Map dependency."""
    return {
        "Type": "Map",
        "DependencyFor": target,
        "Dependency": {
            "MapFrom": [
                {
                    "MapFromAttribute": name,
                    "MapFromProperty": "CurrentValue",
                    "MapFromCondition": compare,
                    "MapFromValue": wanted,
                    **({"MapTerms": terms[0]} if terms else {}),
                }
                for name, compare, wanted, *terms in conditions
            ],
            "MapToAttribute": target,
            "MapToProperty": prop,
            "MapToValue": value,
        },
    }


def registry(attributes: list[dict[str, Any]], dependencies: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"RegistryEntries": {"Attributes": attributes, "Dependencies": dependencies or []}}


def bios(
    attributes: list[dict[str, Any]],
    dependencies: list[dict[str, Any]] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Bios:
    return Bios(BIOS, build_model(values or {}, registry(attributes, dependencies)))


@cache
def site_of(name: str) -> Site:
    """A bundled mockup by its name, or a captured one by that of its archive; skips where that is not at hand."""
    path = MOCKUPS / name if name.endswith(".tar.xz") else data_folder("mockups") / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand: set JOBFISH_TEST_DATA to the folder that holds mockups/{name}")
    tree = read_tree(path)
    return survey(tree, read_manifest(tree.manifest, model=name, source=name, schema=schema("machine.schema")))


def place_of(name: str) -> BiosPlace:
    return site_of(name).bioses[0]


def bios_of(name: str) -> Bios:
    """A new device."""
    place = place_of(name)
    return Bios(place.device_id, place.model)
