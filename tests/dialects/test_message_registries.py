"""The message registries: of the form that DMTF gives them, and true to DMTF's where they bear DMTF's names."""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from emulator.app import DIALECTS, REGISTRIES
from emulator.core.dialect import Registry
from emulator.data import data_folder, schema

FOLDER = data_folder("schemas") / "registries"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
FACTS = ("MessageSeverity", "NumberOfArgs", "ParamTypes")
DATA = Path(os.environ.get("JOBFISH_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def registry(name: str) -> Mapping[str, Any]:
    return dict(schema(f"registries/{name}"))


def messages() -> list[Any]:
    return [
        pytest.param(entry, id=f"{name}.{key}")
        for name in NAMES
        for key, entry in sorted(registry(name)["Messages"].items())
    ]


@cache
def published() -> Mapping[str, Mapping[str, Any]]:
    """DMTF's registries by their Id."""
    bundle = DATA / "dmtf" / "registries-newest.tar.xz"
    if not bundle.exists():
        pytest.skip("DMTF's registries are not at hand: set JOBFISH_TEST_DATA to the folder that holds dmtf/")
    found = {}
    with tarfile.open(bundle) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is not None and entry.name.endswith(".json"):
                document = orjson.loads(content.read())
                found[document["Id"]] = document
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_registry_is_named_by_its_file(name: str) -> None:
    found = registry(name)
    assert found["@odata.type"] == "#MessageRegistry.v1_7_0.MessageRegistry"
    assert found["Id"] == name
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["RegistryVersion"])
    assert name.split(".", maxsplit=1)[0] == found["RegistryPrefix"]
    assert f"{found['RegistryPrefix']}.{found['RegistryVersion']}".startswith(name)
    assert {"Name", "Description", "Language", "OwningEntity"} <= set(found)


@pytest.mark.parametrize("entry", messages())
def test_a_message_says_what_its_arguments_are(entry: Mapping[str, Any]) -> None:
    assert entry["MessageSeverity"] in ("OK", "Warning", "Critical")
    placeholders = {int(number) for number in re.findall(r"%(\d)", entry["Message"])}
    assert placeholders <= set(range(1, entry["NumberOfArgs"] + 1))
    types = entry.get("ParamTypes", [])
    assert len(types) == entry["NumberOfArgs"]
    assert set(types) <= {"string", "number"}
    assert entry["Description"]
    assert entry["Resolution"]


@pytest.mark.parametrize("name", [name for name in NAMES if registry(name)["OwningEntity"] == "DMTF"])
def test_what_bears_dmtfs_name_has_dmtfs_facts_and_none_of_its_prose(name: str) -> None:
    """Keys, arguments and severities are DMTF's; the descriptions are this project's own."""
    ours, theirs = registry(name)["Messages"], published()[name]["Messages"]
    assert set(ours) <= set(theirs)
    for key, entry in ours.items():
        said, expected = {"ParamTypes": [], **entry}, {"ParamTypes": [], **theirs[key]}
        assert {fact: said[fact] for fact in FACTS} == {fact: expected[fact] for fact in FACTS}, key
        assert entry["Description"] != theirs[key]["Description"], key
        if "ClearingLogic" in entry:
            assert entry["ClearingLogic"] == theirs[key].get("ClearingLogic"), key


def test_every_registry_is_everybodys_or_a_vendors() -> None:
    of_vendors = [name for _, oem in DIALECTS.values() for name in oem.registries]
    assert sorted([*REGISTRIES, *of_vendors]) == NAMES


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_speaks_with_everybodys_registries_and_its_own(name: str) -> None:
    make, oem = DIALECTS[name]
    known = [Registry.from_document(registry(each)) for each in (*REGISTRIES, *oem.registries)]
    dialect = make({found.prefix: found for found in known})
    for table in (dialect.messages, *dialect.messages_in.values(), *dialect.messages_about.values()):
        for names in table.values():
            assert {full.partition(".")[0] for full in names} <= set(dialect.registries)
