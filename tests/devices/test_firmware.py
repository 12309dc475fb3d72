"""The firmware: versions that are installed, rolled back and taken back, images that wait, and which is newer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from firmware_examples import (
    BIOS,
    IDRAC,
    INVENTORY,
    LOCKED,
    NIC_1,
    NIC_2,
    PLAIN,
    SMALL,
    component,
    components_of,
    firmware_of,
    image,
    small,
)
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.device import check
from emulator.core.job import Outcome, Step
from emulator.core.message import Message, Rejected
from emulator.devices.firmware import Firmware, compare_versions, entry_key

AT = 1_700_000_000.0
R750 = "poweredge-r750.tar.xz"


def install(device: Firmware, name: str, version: str, at: float = AT) -> tuple[Step, Outcome]:
    """As a job does it."""
    (step,) = device.plan(check(device, {name: version}))
    return step, device.apply(step, at)


def state(device: Firmware) -> Any:
    return device.snapshot(), dict(device.read())


def refused(device: Firmware, change: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """The messages with which a change is refused, each with the properties it is about; nothing has changed."""
    before = state(device)
    with pytest.raises(Rejected) as caught:
        device.plan(check(device, change))
    assert state(device) == before
    return [(message.key, message.related) for message in caught.value.messages]


# -- versions are what is read and planned ----------------------------------------------------------------------------


def test_it_shows_what_was_delivered() -> None:
    device = small()
    assert device.read() == {one.id: one.version for one in SMALL}
    assert (device.installed(BIOS), device.previous(BIOS), device.installed_at(BIOS)) == ("1.8.2", "1.2.4", None)
    assert (device.installed(IDRAC), device.previous(IDRAC), device.installed_at(IDRAC)) == ("6.00.30.00", None, None)
    assert device.snapshot() == {"own": {}, "available": {}}
    for ask in (device.installed, device.previous, device.installed_at):
        with pytest.raises(KeyError):
            ask("Nope")


def test_a_plan_has_a_step_for_each_component_and_the_controllers_own_is_the_last() -> None:
    device = small()
    assert device.plan({IDRAC: "7.0", NIC_1: "22.0", BIOS: "1.9.0"}) == (
        Step("Firmware", "install", NIC_1, "22.0", 120.0),
        Step("Firmware", "install", BIOS, "1.9.0", 120.0),
        Step("Firmware", "install", IDRAC, "7.0", 120.0),
    )
    assert Firmware(device.components, step_seconds=7.5).plan({BIOS: "1"})[0].seconds == 7.5


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({LOCKED: "8"}, [("PropertyNotWritable", (f"Attributes/{LOCKED}",))]),
        ({"Nope": "8"}, [("PropertyUnknown", ("Attributes/Nope",))]),
        ({BIOS: 8}, [("PropertyValueTypeError", (f"Attributes/{BIOS}",))]),
        (
            {BIOS: "", NIC_1: "1", NIC_2: ""},
            [("PropertyValueFormatError", (f"Attributes/{n}",)) for n in (BIOS, NIC_2)],
        ),
    ],
)
def test_what_cannot_be_installed_is_refused_whole(change: dict[str, Any], messages: list[Any]) -> None:
    assert refused(small(), change) == messages


# -- installing, rolling back, taking back ----------------------------------------------------------------------------


def test_what_is_replaced_can_be_rolled_back_to() -> None:
    device = small()
    assert install(device, BIOS, "1.9.0")[1].ok
    assert (device.installed(BIOS), device.previous(BIOS), device.installed_at(BIOS)) == ("1.9.0", "1.8.2", AT)
    install(device, BIOS, "1.8.2", AT + 60)
    assert (device.installed(BIOS), device.previous(BIOS), device.installed_at(BIOS)) == ("1.8.2", "1.9.0", AT + 60)


def test_the_same_version_once_more_replaces_nothing() -> None:
    device = small()
    install(device, BIOS, "1.8.2")
    assert (device.installed(BIOS), device.previous(BIOS), device.installed_at(BIOS)) == ("1.8.2", "1.2.4", AT)


def test_components_that_share_software_are_updated_one_by_one() -> None:
    device = small()
    install(device, NIC_1, "22.0")
    assert [device.installed(name) for name in (NIC_1, NIC_2, f"{NIC_2}#777")] == ["22.0", "21.80.9", "3.1"]


def test_only_what_differs_is_kept() -> None:
    device = small()
    step, outcome = install(device, BIOS, "1.9.0")
    assert device.snapshot()["own"] == {BIOS: ["1.9.0", "1.8.2", AT]}
    device.undo(step, outcome.before)
    assert device.snapshot()["own"] == {}


def test_a_step_for_a_component_that_is_gone_fails_and_is_not_undone() -> None:
    device = small()
    before = state(device)
    step = Step("Firmware", "install", "Gone", "1", 1.0)
    message = Message("PropertyUnknown", ("Gone",), ("Attributes/Gone",))
    assert device.apply(step, AT) == Outcome(False, AT, {}, message)
    device.undo(step, {"version": "0", "previous": None, "at": None, "available": {}})
    assert state(device) == before


def test_a_step_that_changed_nothing_has_nothing_to_undo() -> None:
    device = small()
    install(device, BIOS, "1.9.0")
    before = state(device)
    device.undo(Step("Firmware", "install", BIOS, "2.0", 1.0), {})
    assert state(device) == before


def test_what_the_mockup_no_longer_has_is_left_out() -> None:
    device = small()
    for name in (BIOS, NIC_1):
        install(device, name, "9")
        device.offer(image(name, "10"))
    later = Firmware({one.id: one for one in SMALL if one.id != NIC_1})
    later.restore(orjson.loads(orjson.dumps(device.snapshot())))
    assert list(later.own) == [BIOS]
    assert [offer.component for offer in later.available.values()] == [BIOS]


NAMES = st.sampled_from([BIOS, IDRAC, NIC_1, NIC_2, f"{NIC_2}#777", PLAIN])
VERSIONS = st.sampled_from(["1.8.2", "1.9", "21.80.9", "2 beta"])
ACTS = st.lists(st.tuples(st.sampled_from(["install", "offer"]), NAMES, VERSIONS), max_size=8)


def act(device: Firmware, acts: list[tuple[str, str, str]]) -> list[tuple[Step, Outcome]]:
    """Do these one after the other, a second apart; gives what was installed."""
    done = []
    for number, (what, name, version) in enumerate(acts):
        if what == "install":
            done.append(install(device, name, version, AT + number))
        else:
            device.offer(image(name, version, at=AT + number))
    return done


@given(first=ACTS, then=st.lists(st.tuples(st.just("install"), NAMES, VERSIONS), max_size=8))
def test_undoing_in_reverse_order_restores_everything(first: Any, then: Any) -> None:
    device = small()
    act(device, first)
    before = state(device)
    for step, outcome in reversed(act(device, then)):
        device.undo(step, orjson.loads(orjson.dumps(outcome.before)))
    assert state(device) == before


@given(acts=ACTS)
def test_a_kept_device_goes_on_as_it_was(acts: Any) -> None:
    device, again = small(), small()
    act(device, acts)
    again.restore(orjson.loads(orjson.dumps(device.snapshot())))
    assert again == device


# -- images that wait -------------------------------------------------------------------------------------------------


def test_an_image_waits_under_its_key_until_it_is_withdrawn() -> None:
    device = small()
    pushed = image(BIOS, "1.9.0")
    assert device.offer(pushed) == f"159-1.9.0__{BIOS}"
    assert device.available == {f"159-1.9.0__{BIOS}": pushed}
    assert device.installed(BIOS) == "1.8.2", "it only waits"
    device.withdraw(f"159-1.9.0__{BIOS}")
    device.withdraw(f"159-1.9.0__{BIOS}")
    assert device.available == {}


def test_the_same_version_for_the_same_component_replaces_the_image() -> None:
    device = small()
    keys = [device.offer(image(*which)) for which in ((NIC_1, "22"), (NIC_2, "22"), (NIC_1, "23"))]
    again = image(NIC_1, "22", name="newer.exe")
    assert device.offer(again) == keys[0]
    assert len(device.available) == len(set(keys)) == 3
    assert device.available[keys[0]] is again


@pytest.mark.parametrize(
    ("component_id", "version", "key"),
    [
        (f"{NIC_2}#777", "3.2", f"777-3.2__{NIC_2}"),
        (PLAIN, "1.0", "1.0__fpga"),  # the tree gives no software id
        (PLAIN, "P79 v1/45?", "P79_v1_45___fpga"),  # a key may stand in a URI
    ],
)
def test_keys_tell_software_version_and_fqdd(component_id: str, version: str, key: str) -> None:
    assert small().offer(image(component_id, version)) == key


def test_keys_that_would_be_alike_are_told_apart() -> None:
    device = small()
    keys = [device.offer(image(PLAIN, version)) for version in ("1 0", "1/0", "1_0")]
    assert keys == ["1_0__fpga", "1_0__fpga.2", "1_0__fpga.3"]
    assert [device.available[key].version for key in keys] == ["1 0", "1/0", "1_0"]


PACKAGES = [
    # package -> name, size, needs_reboot
    ({"header": {"needs_reboot": False, "name": "A BIOS"}, "size": 7, "source": "b.img"}, ("A BIOS", 7, False)),
    ({"header": {"needs_reboot": False}, "size": 7, "source": "b.img"}, ("b.img", 7, False)),
    ({"header": None, "size": 7, "source": "b.img"}, ("b.img", 7, True)),  # as usual for the component
    ({}, ("", 0, True)),
]


@pytest.mark.parametrize(("package", "kept"), PACKAGES)
def test_a_pushed_package_becomes_an_image_and_a_package_again(
    package: dict[str, Any], kept: tuple[str, int, bool]
) -> None:
    device = small()
    key = device.offer_package(package, BIOS, "1.9.0", AT)
    name, size, needs_reboot = kept
    assert device.available[key] == image(BIOS, "1.9.0", name=name, size=size, needs_reboot=needs_reboot, at=AT)
    header = {"component": BIOS, "version": "1.9.0", "needs_reboot": needs_reboot, "name": name}
    assert device.offered(key) == {"header": header, "size": size, "source": name}
    before = state(device)
    assert device.offer_package(device.offered(key) or {}, BIOS, "1.9.0", AT) == key
    assert state(device) == before
    assert device.offered("Nope") is None


def test_an_image_for_nothing_is_refused() -> None:
    device = small()
    with pytest.raises(KeyError):
        device.offer(image("Nope", "1"))
    with pytest.raises(KeyError):
        device.offer_package({}, "Nope", "1", AT)
    assert device.available == {}


def test_an_image_that_was_installed_waits_no_longer_until_that_is_undone() -> None:
    device = small()
    first, second = device.offer(image(BIOS, "1.9.0")), device.offer(image(BIOS, "2.0.0"))
    before = state(device)
    step, outcome = install(device, BIOS, "1.9.0")
    assert list(device.available) == [second]
    device.undo(step, outcome.before)
    assert state(device) == before
    step, outcome = install(device, BIOS, "1.9.0")
    pushed_meanwhile = image(BIOS, "1.9.0", name="newer.exe")
    device.offer(pushed_meanwhile)
    device.undo(step, outcome.before)
    assert device.available[first] is pushed_meanwhile


# -- what a client means ----------------------------------------------------------------------------------------------

MEANT = [
    (BIOS, BIOS),
    (BIOS.lower(), BIOS),
    (NIC_2, NIC_2),  # the first of those with this FQDD
    (f"{NIC_2}#777", f"{NIC_2}#777"),
    (f"{INVENTORY}/Installed-159-1.8.2__{BIOS}", BIOS),
    (f"{INVENTORY}/Installed-159-1.8.2__{BIOS}/", BIOS),
    (f"{INVENTORY}/INSTALLED-159-1.8.2__bios.setup.1-1", BIOS),
    (f"{INVENTORY}/Current-159-1.8.2__{BIOS}", BIOS),
    (f"{INVENTORY}/Previous-159-1.2.4__{BIOS}", BIOS),
    (f"Previous-159-1.2.4__{BIOS}", BIOS),
    (f"{INVENTORY}/Installed-777-3.1__{NIC_2}", f"{NIC_2}#777"),
    (f"{INVENTORY}/fpga", PLAIN),
    ("159", BIOS),
    ("777", f"{NIC_2}#777"),
    ("108255", None),  # two have it
    ("bios", BIOS),
    ("Option ROM", f"{NIC_2}#777"),
    ("Two-port adapter", None),  # two are called so
    (f"{INVENTORY}/Installed-159-1.9.0__{BIOS}", None),  # not installed, not waiting
    (f"/redfish/v1/Elsewhere/Installed-159-1.8.2__{BIOS}", None),
    (f"/redfish/v1/Elsewhere/{BIOS}", None),
    ("Nope", None),
    ("", None),
    ("/", None),
]


@pytest.mark.parametrize(("text", "component_id"), MEANT)
def test_a_component_is_found_by_what_clients_call_it(text: str, component_id: str | None) -> None:
    found = small().find(text)
    assert (found and found.id) == component_id


@pytest.mark.parametrize(
    ("text", "component_ids"),
    [
        ("108255", [NIC_1, NIC_2]),
        ("Two-port Adapter", [NIC_1, NIC_2]),
        *((text, [component_id] if component_id else []) for text, component_id in MEANT if "108255" not in text if "Two" not in text),
    ],
)  # fmt: skip
def test_what_several_share_is_for_all_of_them(text: str, component_ids: list[str]) -> None:
    assert [one.id for one in small().find_all(text)] == component_ids


def test_entries_are_found_by_what_they_are_called_now() -> None:
    device = small()
    device.offer(image(BIOS, "2.0.0"))
    install(device, BIOS, "1.9.0")
    for entry in ("Installed-159-1.9.0", "Previous-159-1.8.2", "Available-159-2.0.0", "Installed-159-1.8.2"):
        found = device.find(f"{INVENTORY}/{entry}__{BIOS}")
        assert found is not None, entry
        assert found.id == BIOS
    assert device.find(f"{INVENTORY}/Previous-159-1.2.4__{BIOS}") is None, "it can be rolled back to no longer"


def test_devices_do_not_find_each_others_images() -> None:
    first, second = small(), small()
    first.offer(image(BIOS, "2.0.0"))
    assert second.find(f"{INVENTORY}/Available-159-2.0.0__{BIOS}") is None


def test_the_keys_of_an_r750_are_the_ids_it_was_captured_with() -> None:
    for one in components_of(R750):
        assert one.uri.rpartition("/")[2] == f"Installed-{entry_key(one, one.version)}"


def test_every_entry_of_an_r750_is_found() -> None:
    device = firmware_of(R750)
    entries = {uri: one.id for one in device.components.values() for uri in one.entries}
    assert len(entries) == 29
    for uri, component_id in entries.items():
        found = device.find(uri)
        assert (found and found.id) == component_id


# -- which version is newer -------------------------------------------------------------------------------------------

SAME = [
    ("1.2.3", "1.2.3"),
    ("7.10.50.00", "7.10.50.0"),
    ("7.10.50.00", "7.10.50"),
    ("007.1", "7.01"),
    ("1-2_3 4", "1.2.3.4"),
    ("4301A56", "4301a56"),
    ("", "0.0"),
    ("", "..."),
]
OLDER_TO_NEWER = [
    ("2.9.1", "2.10.0"),
    ("1.2", "1.2.1"),
    ("1.2", "1.2a", "1.2b", "1.3"),
    ("00.1D.7D", "00.2A.2B", "00.10.1A"),
    ("4301A56", "4301A57", "4301B01", "4302"),
    ("8.4.0.0.18-24", "8.4.0.0.18-25", "8.4.0.1"),
    ("1.45.455b66-rev4", "1.45.455b66-rev10"),
    ("P79 v1.45", "P79 v1.46", "P80 v1.00"),
    ("", "0.0.1"),
    ("1." + "9" * 5000, "1.1" + "0" * 5000),  # more digits than Python turns into a number
    ("²", "½"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_versions_that_are_the_same(a: str, b: str) -> None:
    assert (compare_versions(a, b), compare_versions(b, a)) == (0, 0)


@pytest.mark.parametrize(("older", "newer"), [pair for row in OLDER_TO_NEWER for pair in pairwise(row)])
def test_versions_of_which_one_is_newer(older: str, newer: str) -> None:
    assert (compare_versions(older, newer), compare_versions(newer, older)) == (-1, 1)


def test_a_version_is_compared_with_the_one_installed() -> None:
    device = small()
    assert [device.compare(BIOS, version) for version in ("1.8.1", "1.8.2.0", "1.8.10")] == [-1, 0, 1]
    install(device, BIOS, "1.8.10")
    assert device.compare(BIOS, "1.8.2") == -1


TEXTS = st.one_of(st.text(max_size=12), st.text("0129ab.-_ ", max_size=8))


@given(a=TEXTS, b=TEXTS, c=TEXTS)
def test_any_texts_have_an_order(a: str, b: str, c: str) -> None:
    assert compare_versions(a, a) == compare_versions(a, f"{a}.0") == 0
    assert compare_versions(a, b) == -compare_versions(b, a)
    if compare_versions(a, b) <= 0 and compare_versions(b, c) <= 0:
        assert compare_versions(a, c) <= 0


def test_components_are_told_by_their_fqdd() -> None:
    assert (component(BIOS).fqdd, component(f"{NIC_2}#777").fqdd) == (BIOS, NIC_2)
