"""What a tree tells of a boot order: options, a vendor's sources, both, neither."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from emulator.core.device import SEQUENCE
from emulator.devices.attribute_registry import build_model
from emulator.mockup.boot import BootPlace, find_boot, override_of
from emulator.mockup.reader import Tree

SYSTEM = "/redfish/v1/Systems/1"
OPTIONS = f"{SYSTEM}/BootOptions"


def option(number: int, **more: Any) -> dict[str, Any]:
    return {"Id": f"Boot{number}", "BootOptionReference": f"Boot{number}", "BootOptionEnabled": True, **more}


def tree(
    order: Any = None, options: Mapping[str, Any] | None = None, sources: Any = None, place: str = "Oem/Dell/DellBootSources"
) -> Tree:  # fmt: skip
    documents: dict[str, Any] = {SYSTEM: {"Boot": {} if order is None else {"BootOrder": order}}}
    if options is not None:
        documents[OPTIONS] = {"Members": [{"@odata.id": f"{OPTIONS}/{name}"} for name in options]}
        documents |= {f"{OPTIONS}/{name}": document for name, document in options.items()}
    if sources is not None:
        documents[f"{SYSTEM}/{place}"] = {"Attributes": sources}
    return Tree("t", documents)


def found(made: Tree, dialect: str = "dell", **attributes: Any) -> BootPlace | None:
    return find_boot(made, SYSTEM, dialect, build_model(attributes, None))


def shape(place: BootPlace | None) -> list[tuple[str, list[str], list[str]]]:
    """(attribute, names, options) of each sequence."""
    sequences = place.sequences if place else ()
    return [(one.attribute, [s.name for s in one.sources], [s.option for s in one.sources]) for one in sequences]


def entry(name: str, index: int) -> dict[str, Any]:
    return {"Id": f"#{name}", "Name": name, "Index": index, "Enabled": True}


TWO = {"a": option(1), "b": option(2)}
PAIR = [entry("y", 1), entry("x", 0)]
TREES = [
    ("nothing", tree(), "dell", []),
    ("no options in the collection", tree([], {}), "standard", []),
    ("an order that is none", tree("Boot1", TWO), "standard", [("BootOrder", ["Boot1", "Boot2"], ["Boot1", "Boot2"])]),
    ("options without an order", tree(None, TWO), "standard", [("BootOrder", ["Boot1", "Boot2"], ["Boot1", "Boot2"])]),
    ("an order without options", tree(["Pxe", "Hdd"]), "standard", [("BootOrder", ["Pxe", "Hdd"], ["Pxe", "Hdd"])]),
    ("an option that has no place", tree(["Boot2"], TWO), "standard", [("BootOrder", ["Boot2"], ["Boot2"])]),
    ("sources in the order of the options", tree(["Boot2", "Boot1"], TWO, {"UefiBootSeq": PAIR}), "dell", [("UefiBootSeq", ["x", "y"], ["Boot2", "Boot1"])]),
    ("the older place", tree(["Boot2", "Boot1"], TWO, {"UefiBootSeq": PAIR}, "BootSources"), "dell", [("UefiBootSeq", ["x", "y"], ["Boot2", "Boot1"])]),
    ("a plain tree has no such sources", tree(["Boot1"], TWO, {"UefiBootSeq": PAIR}), "standard", [("BootOrder", ["Boot1"], ["Boot1"])]),
    ("sources that are not the options", tree(["Boot1"], TWO, {"UefiBootSeq": PAIR}), "dell", [("UefiBootSeq", ["Unknown.Unknown.1-1"], ["Boot1"])]),
    ("sources only", tree(None, None, {"BootSeq": PAIR, "Other": 3}), "dell", [("BootSeq", ["x", "y"], ["", ""])]),
    ("legacy sources beside UEFI's", tree(["Boot1", "Boot2"], TWO, {"BootSeq": PAIR[:1], "UefiBootSeq": PAIR}), "dell", [("UefiBootSeq", ["x", "y"], ["Boot1", "Boot2"]), ("BootSeq", ["y"], [""])]),
]  # fmt: skip


@pytest.mark.parametrize("row", TREES, ids=[row[0] for row in TREES])
def test_what_is_found(row: Any) -> None:
    _, made, dialect, expected = row
    assert shape(found(made, dialect)) == expected


def test_sources_are_called_by_the_way_that_leads_there() -> None:
    options = {
        "a": option(1, Alias="Pxe"),
        "b": option(2, Alias="UefiHttp"),
        "c": option(3, Alias="Pxe"),
        "d": option(4),
    }
    place = found(tree(None, options))
    names = ["NIC.PxeDevice.1-1", "NIC.HttpDevice.1-1", "NIC.PxeDevice.2-1", "Unknown.Unknown.1-1"]
    assert shape(place)[0][1] == names
    assert shape(found(tree(None, options))) == shape(place), "and the same every time"


def test_the_model_of_the_bios_gets_the_attribute() -> None:
    place = found(
        tree(["Boot1", "Boot2"], {"a": option(1), "b": option(2, BootOptionEnabled=False)}), "standard", A="x"
    )
    assert place is not None
    assert place.model.attributes["BootOrder"].type == SEQUENCE
    assert place.model.values == {"A": "x", "BootOrder": [["Boot1", True], ["Boot2", False]]}
    assert place.order is not None


def test_an_attribute_of_that_name_keeps_it() -> None:
    place = found(tree(["Boot1"], TWO), "standard", BootOrder="CdFirst")
    assert place is not None
    assert place.sequences[0].attribute == "Boot.BootOrder"
    assert place.model.values["BootOrder"] == "CdFirst"


@pytest.mark.parametrize("document", [{}, {"Boot": None}, {"Boot": {"BootOrder": []}}])
def test_a_system_without_an_override_has_none(document: dict[str, Any]) -> None:
    assert override_of(document) == {}
