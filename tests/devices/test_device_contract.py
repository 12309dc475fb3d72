"""What every device promises. A new kind of device is one more line in WITH_DEFAULTS, or in WITHOUT_DEFAULTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import orjson
import pytest
from bios_examples import AT, bios, place_of
from firmware_examples import firmware_of, small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nic_examples import adapter_of, nic_of
from nic_examples import small as small_nic
from outlet_example import outlet
from raid_examples import create, do, op, operations, raid, raid_of
from registry_entries import attribute, choice, rule

from emulator.core.device import OPERATIONS, SEALED, SEQUENCE, Attribute, Device, check, seal
from emulator.core.message import Rejected
from emulator.devices.attribute_registry import Model
from emulator.devices.bios import Bios
from emulator.devices.raid import Raid


@cache
def small_model() -> Model:
    """One of each type, with a dependency, a consequence, and something read-only and hidden."""
    return bios(
        [
            choice("Profile", "Perf", "Custom"),
            choice("Power", "Max", "Min", ReadOnly=True),
            attribute("Cores", "Integer", LowerBound=0, UpperBound=8, ScalarIncrement=2, DefaultValue=2),
            attribute("Tag", "String", MaxLength=4, DefaultValue=""),
            attribute("NumLock", "Boolean", DefaultValue=True),
            attribute("Password", "Password"),
            attribute("Version", "String", ReadOnly=True),
            attribute("Secret", "Boolean", Hidden=True),
        ],
        [
            rule("Power", "ReadOnly", True, ("Profile", "NEQ", "Custom")),
            rule("Power", "CurrentValue", "Max", ("Profile", "EQU", "Perf")),
        ],
        {"Profile": "Perf", "Power": "Max", "Cores": 4, "Tag": "", "NumLock": True, "Version": "1.0"},
    ).model


def whole_bios_of(name: str) -> Bios:
    """The BIOS of a mockup, with its boot order where it has one."""
    place = place_of(name)
    return Bios(place.device_id, place.device_model)


def small_raid() -> Raid:
    """With volumes, a spare, and something going on."""
    device = raid("abcdefgh")
    do(device, create("RAID5", "abc"), create("RAID1", "de"), op("AssignSpare", "f"), op("CheckConsistency", "1"))
    return device


WITH_DEFAULTS: Mapping[str, Callable[[], Device]] = {
    "a small BIOS": lambda: Bios("BIOS.Setup.1-1", small_model()),
    "the BIOS of lifecycle-server": lambda: whole_bios_of("lifecycle-server"),
    "the BIOS of rack-server": lambda: whole_bios_of("rack-server"),
    "the BIOS of a captured lifecycle server": lambda: whole_bios_of("poweredge-r750.tar.xz"),
    "the BIOS of a captured tree without a registry": lambda: whole_bios_of("dmtf-public-rackmount1.tar.xz"),
    "a small network function": small_nic,
    "a network function of lifecycle-server": lambda: nic_of("lifecycle-server", "NIC.Integrated.1-1-1"),
    "a network function of rack-server": lambda: nic_of("rack-server", "ocp-1-1"),
    "a network function of a captured lifecycle server": lambda: nic_of("poweredge-r750.tar.xz", "NIC.Slot.5-1"),
    "one with dependencies": lambda: nic_of("poweredge-r750.tar.xz", "NIC.Integrated.1-1-1"),
    "the switches of a network adapter": lambda: adapter_of("lifecycle-server", "NIC.Integrated.1"),
    "the switches of an adapter of a captured plain tree": lambda: adapter_of("dmtf-public-smartnic.tar.xz", "Slot1"),
    "a network function of a captured plain tree": lambda: nic_of("dmtf-public-smartnic.tar.xz", "Slot2.SC2KP1F0"),
}
WITHOUT_DEFAULTS: Mapping[str, Callable[[], Device]] = {
    "the outlet of docs/adding-a-device.md": lambda: outlet.Outlet("Outlet.1"),
    "a small firmware": small,
    "a storage controller without volumes": lambda: raid("abcdefgh"),
    "a storage controller with volumes": small_raid,
    "the storage controller of lifecycle-server": lambda: raid_of("lifecycle-server"),
    "the storage controller of rack-server": lambda: raid_of("rack-server"),
    "the storage controller of a captured lifecycle server": lambda: raid_of("poweredge-r750.tar.xz"),
    "the storage controller of a captured plain tree": lambda: raid_of("dmtf-public-localstorage.tar.xz"),
    "the firmware of lifecycle-server": lambda: firmware_of("lifecycle-server"),
    "the firmware of rack-server": lambda: firmware_of("rack-server"),
    "the firmware of a captured lifecycle server": lambda: firmware_of("poweredge-r750.tar.xz"),
    "the firmware of a captured plain tree": lambda: firmware_of("dmtf-public-rackmount1.tar.xz"),
}
DEVICES = {**WITH_DEFAULTS, **WITHOUT_DEFAULTS}


@pytest.fixture(params=DEVICES)
def make(request: pytest.FixtureRequest) -> Callable[[], Device]:
    """Makes new devices of one kind."""
    return DEVICES[request.param]


def other_values(entry: Attribute) -> list[Any]:
    """Some values of the right type and within bounds."""
    if entry.type == "Enumeration":
        return list(entry.choices)
    if entry.type == "Boolean":
        return [True, False]
    if entry.type == SEQUENCE:
        order = [[name, number % 2 == 0] for number, name in enumerate(entry.choices)]
        return [order, order[::-1], [*order[1:], *order[:1]]]
    if entry.type == "Integer":
        step = entry.increment or 1
        low = entry.lower if entry.lower is not None else 0
        high = entry.upper if entry.upper is not None else low + 10 * step
        return sorted({low, low + step if low + step <= high else low, high - (high - low) % step})
    texts = [
        text
        for text in ("", "A", "7", "AB12", "Swordfish-4711")
        if (entry.max_length is None or len(text) <= entry.max_length)
    ]
    return [
        text
        for text in texts
        if not text or not entry.pattern or entry.pattern.search(text)
        if not text or entry.min_length is None or len(text) >= entry.min_length
    ] or [""]


def changes(device: Device) -> st.SearchStrategy[dict[str, Any]]:
    """Sets of values that pass the checks made before a device is asked."""
    writable = sorted(name for name, entry in device.describe().items() if not (entry.read_only or entry.immutable))
    return st.lists(st.sampled_from(writable), min_size=1, max_size=6, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: _values(device, name) for name in names})
    )


def _values(device: Device, name: str) -> st.SearchStrategy[Any]:
    if isinstance(device, Raid) and name == OPERATIONS:
        return st.lists(operations(device), min_size=1, max_size=3)
    return st.sampled_from(other_values(device.describe()[name]))


def everything(device: Device) -> Any:
    return device.snapshot(), dict(device.read())


def apply_all(device: Device, change: Mapping[str, Any]) -> list[Any]:
    """(step, outcome) of each step, as a job does it; empty where the change is refused."""
    try:
        steps = device.plan(check(device, change))
    except Rejected:
        return []
    return [(step, device.apply(step, AT)) for step in steps]


RELAXED = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def test_attributes_are_described_once_for_all_machines(make: Callable[[], Device]) -> None:
    first, second = make(), make()
    assert first.describe() is first.describe()
    assert first.describe() is second.describe()
    assert all(name == entry.name for name, entry in first.describe().items())
    assert set(first.read()) <= set(first.describe())
    assert first.read() == second.read()


def test_what_is_delivered_is_what_may_be_held(make: Callable[[], Device]) -> None:
    device = make()
    types = {"Enumeration": str, "String": str, "Integer": int, "Boolean": bool, SEQUENCE: list}
    for name, value in device.read().items():
        entry = device.describe()[name]
        assert value is None or type(value) is types[entry.type], name
        assert entry.type != "Password" or value is None, name


@given(data=st.data())
@RELAXED
def test_planning_changes_nothing(make: Callable[[], Device], data: st.DataObject) -> None:
    device = make()
    apply_all(device, data.draw(changes(device)))
    change = check(device, data.draw(changes(device)))
    before = everything(device)
    first, second = _planned(device, change), _planned(device, change)
    assert everything(device) == before
    assert first == second
    if first is not None:
        staged = change.get(OPERATIONS) or []
        done = (
            [step.operation for step in first if step.operation in device.describe()[OPERATIONS].choices]
            if staged
            else []
        )
        assert [operation for operation, _, _ in staged] == done
        assert sorted(step.name for step in first[: len(first) - len(done)]) == sorted(change.keys() - {OPERATIONS})
        assert all(step.device == device.id and step.seconds >= 0 for step in first)
        assert orjson.loads(orjson.dumps([list(step) for step in first])) == [list(step) for step in first]


def _planned(device: Device, change: Mapping[str, Any]) -> Any:
    """The steps of a change; None when it is refused."""
    try:
        return device.plan(change)
    except Rejected as refused:
        messages = refused.messages
    assert messages
    assert all(message.related for message in messages) or OPERATIONS in change  # each says which property it is about
    return None


@given(data=st.data())
@RELAXED
def test_what_a_plan_promises_its_steps_keep(make: Callable[[], Device], data: st.DataObject) -> None:
    device = make()
    apply_all(device, data.draw(changes(device)))
    change = data.draw(changes(device))
    done = apply_all(device, change)
    assert all(outcome.ok and outcome.at == AT for _, outcome in done)
    shown = device.read()
    if done:
        assert {name: shown[name] for name, value in change.items() if shown.get(name) is not None} == {
            name: value for name, value in change.items() if shown.get(name) is not None
        }


@given(data=st.data())
@RELAXED
def test_steps_taken_back_in_reverse_order_leave_nothing(make: Callable[[], Device], data: st.DataObject) -> None:
    device = make()
    apply_all(device, data.draw(changes(device)))
    before = everything(device)
    done = apply_all(device, data.draw(changes(device)))
    for step, outcome in reversed(done):
        assert orjson.loads(orjson.dumps(outcome.before)) == dict(outcome.before)
        device.undo(step, orjson.loads(orjson.dumps(outcome.before)))
    assert everything(device) == before


@given(data=st.data())
@RELAXED
def test_a_snapshot_is_json_and_a_new_device_goes_on_from_it(make: Callable[[], Device], data: st.DataObject) -> None:
    device, again = make(), make()
    apply_all(device, data.draw(changes(device)))
    kept = orjson.dumps(device.snapshot())
    again.restore(orjson.loads(kept))
    assert everything(again) == everything(device)
    change = data.draw(changes(device))
    assert apply_all(again, change) == apply_all(device, change)
    assert everything(again) == everything(device)


@given(data=st.data())
@RELAXED
def test_a_snapshot_does_not_change_afterwards(make: Callable[[], Device], data: st.DataObject) -> None:
    device = make()
    saved = device.snapshot()
    before = orjson.dumps(saved)
    apply_all(device, data.draw(changes(device)))
    assert orjson.dumps(saved) == before


@given(data=st.data())
@RELAXED
def test_devices_of_one_kind_do_not_share_values(make: Callable[[], Device], data: st.DataObject) -> None:
    first, second = make(), make()
    before = everything(second)
    apply_all(first, data.draw(changes(first)))
    first.reset()
    assert everything(second) == before


@pytest.mark.parametrize("make", WITH_DEFAULTS, indirect=True)
@given(data=st.data())
@RELAXED
def test_a_reset_leads_to_one_state_from_wherever(make: Callable[[], Device], data: st.DataObject) -> None:
    device, untouched = make(), make()
    passwords = {name for name, entry in device.describe().items() if entry.type == "Password"}
    change = {name: value for name, value in data.draw(changes(device)).items() if name not in passwords}
    apply_all(device, change)
    device.reset()
    untouched.reset()
    assert everything(device) == everything(untouched)
    device.reset()
    assert everything(device) == everything(untouched)
    shown = device.read()
    for name, entry in device.describe().items():
        if name in shown and entry.default is not None and not (entry.read_only or entry.immutable):
            assert shown[name] == entry.default, name


@pytest.mark.parametrize("make", WITHOUT_DEFAULTS, indirect=True)
@given(data=st.data())
@RELAXED
def test_a_reset_leaves_alone_what_has_no_default(make: Callable[[], Device], data: st.DataObject) -> None:
    device = make()
    apply_all(device, data.draw(changes(device)))
    before = everything(device)
    device.reset()
    assert everything(device) == before
    assert all(entry.default is None for entry in device.describe().values())


def test_a_password_is_checked_kept_sealed_and_survives_a_reset(make: Callable[[], Device]) -> None:
    device = make()
    names = [
        name
        for name, entry in device.describe().items()
        if entry.type == "Password" and _planned(device, {name: SEALED}) is not None
    ]
    if not names:
        pytest.skip("it has no password that can be set")
    for name in names:
        text = other_values(device.describe()[name])[-1] or "none"
        assert device.check_password(name, seal(device.id, name, ""))  # none is set
        assert not device.check_password(name, seal(device.id, name, text))
        (step,) = device.plan(check(device, {name: text}))
        assert device.apply(step, AT).ok
        device.reset()
        assert device.check_password(name, seal(device.id, name, text))
        assert not device.check_password(name, seal(device.id, name, ""))
        assert device.read().get(name) is None


def test_one_password_has_another_seal_on_another_device_and_for_another_name() -> None:
    seals = {seal(device, name, "Swordfish") for device in ("A", "B") for name in ("Sys", "Setup")}
    assert len(seals) == 4
    assert not any("Swordfish" in text for text in seals)


@pytest.mark.parametrize("name", ["Nope", "", "attributes", "__class__", "Ä"])
def test_unknown_names_are_refused_before_the_device_is_asked(make: Callable[[], Device], name: str) -> None:
    device = make()
    before = everything(device)
    with pytest.raises(Rejected) as refused:
        check(device, {name: "x"})
    (message,) = refused.value.messages
    assert (message.key, message.args, message.related) == ("PropertyUnknown", (name,), (f"Attributes/{name}",))
    assert everything(device) == before
