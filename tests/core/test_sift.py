"""Sifting a change: what of it could be staged, and why the rest could not."""

from __future__ import annotations

from typing import Any

import pytest
from core_world import BIOS, SECOND, new_machine, picture, queued_job, refused_whole, until
from hypothesis import given
from hypothesis import strategies as st

SIFTED: dict[str, tuple[dict[str, Any], dict[str, Any], list[str], list[str]]] = {
    # what is pending, the change, what of it is good, what is said of the rest
    "nothing": ({}, {}, [], []),
    "all good": ({}, {"BootMode": "Uefi", "NumCores": 4}, ["BootMode", "NumCores"], []),
    "all bad": ({}, {"Nope": 1, "Firmware": "2"}, [], ["PropertyUnknown", "PropertyNotWritable"]),
    "one of each": (
        {},
        {"BootMode": "Both", "NumLock": False, "NumCores": 99},
        ["NumLock"],
        ["PropertyValueNotInList", "PropertyValueOutOfRange"],
    ),
    "one that another forbids": ({}, {"ProcPwrPerf": "OsDbpm", "NumLock": False}, ["NumLock"], ["PropertyDependency"]),
    "one that another allows": (
        {},
        {"ProcPwrPerf": "OsDbpm", "SysProfile": "Custom"},
        ["ProcPwrPerf", "SysProfile"],
        [],
    ),
    "one that what is pending allows": ({"SysProfile": "Custom"}, {"ProcPwrPerf": "OsDbpm"}, ["ProcPwrPerf"], []),
    "one that would forbid what is pending": (
        {"SysProfile": "Custom", "ProcPwrPerf": "OsDbpm"},
        {"SysProfile": "Perf", "NumLock": False},
        ["NumLock"],
        ["PropertyDependency"],
    ),
    "one whose companion is bad": (
        {},
        {"ProcPwrPerf": "OsDbpm", "SysProfile": "Nope", "NumLock": False},
        ["NumLock"],
        ["PropertyDependency", "PropertyValueNotInList"],
    ),
    "a password": ({}, {"SetupPassword": "Swordfish"}, ["SetupPassword"], []),
}


@pytest.mark.parametrize("what", SIFTED)
def test_what_could_be_staged_and_what_not(what: str) -> None:
    machine = new_machine()
    pending, change, good, bad = SIFTED[what]
    machine.stage(BIOS, pending)
    before = picture(machine)
    sifted = machine.sift(BIOS, change)
    assert picture(machine) == before
    assert dict(sifted.good) == {name: change[name] for name in good}  # as it was given: a password not yet sealed
    assert [message.key for message in sifted.bad] == bad
    assert [message.related for message in sifted.bad] == [
        (f"Attributes/{name}",) for name in change if name not in good
    ]
    assert {message.device for message in sifted.bad} <= {"bios"}


def test_while_a_job_holds_the_device_nothing_could_be_staged() -> None:
    machine = new_machine()
    queued_job(machine)
    assert refused_whole(machine, lambda: machine.sift(BIOS, {"NumLock": False})) == ["PendingCommitted"]
    assert machine.sift(SECOND, {"NumLock": False}).bad == ()


VALUES: dict[str, list[Any]] = {
    "BootMode": ["Uefi", "Both", 1],
    "SysProfile": ["Custom", "Perf", "Nope"],
    "ProcPwrPerf": ["OsDbpm", "MaxPerf"],
    "Turbo": ["On", "Off"],
    "NumCores": [4, 3, True],
    "NumLock": [False, "False"],
    "SetupPassword": ["Swordfish", "abc"],
    "Firmware": ["2.0"],
    "Nope": [None],
}
CHANGES = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})


@given(CHANGES, CHANGES, CHANGES)
def test_what_is_left_can_be_staged_and_every_other_attribute_has_a_message(
    in_force: dict[str, Any], pending: dict[str, Any], change: dict[str, Any]
) -> None:
    machine = new_machine()
    applied = machine.sift(BIOS, in_force).good
    if applied:
        queued_job(machine, BIOS, **applied)
        machine.reset("ForceRestart")
        until(machine, 1000)
    machine.stage(BIOS, machine.sift(BIOS, pending).good)
    good, bad = machine.sift(BIOS, change)
    named = [message.related[0].removeprefix("Attributes/") for message in bad]
    assert named == [name for name in change if name not in good]
    assert list(good) == [name for name in change if name in good]
    machine.stage(BIOS, good)
    if not bad:
        assert dict(good) == change
