"""docs/adding-a-device.md: its example is a device kind that works, in the service and over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, Bmc
from outlet_example import A1, A2, FILE, KINDS, tree_with_outlets

from emulator.app import build_service, find_site
from emulator.mockup.living import living
from emulator.mockup.reader import MockupError, read_tree
from emulator.settings import Settings

PAGE = REPOSITORY / "docs" / "adding-a-device.md"
POLICY, DELAY = "PowerRestorePolicy", "PowerRestoreDelaySeconds"
SETTINGS = f"{A1}/Settings"
EVENTS = "/jobfish/v1/devices/Outlet.1/events"
LOST = {"event": "MainsLost", "part": "Outlet.1"}
BACK = {"event": "MainsRestored", "part": "Outlet.1"}


@pytest.fixture
def rack(make_bmc: Callable[..., Bmc], tmp_path: Path) -> Bmc:
    """A lifecycle controller that looks after a power distribution unit."""
    return make_bmc(mockup=tree_with_outlets(tmp_path, "lifecycle-server"), kinds=KINDS)


def values(bmc: Bmc, uri: str = A1) -> tuple[Any, Any, Any]:
    body = bmc.get(uri).body
    return body[POLICY], body[DELAY], body["PowerState"]


def job_for(bmc: Bmc, change: dict[str, Any]) -> str:
    assert bmc.patch(SETTINGS, change).status == 200
    answer = bmc.post(bmc.jobs, {"TargetSettingsURI": SETTINGS})
    assert answer.status == 200, answer.body
    return str(answer.headers["Location"].rpartition("/")[2])


def until(bmc: Bmc, job: str, state: str) -> None:
    """Second by second until a job is in this state."""
    for _ in range(600):
        if bmc.job(job)["JobState"] == state:
            return
        bmc.advance(1)
    raise AssertionError(bmc.job(job))


# -- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_very_file_that_is_tested_here() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert FILE.read_text() in blocks
    assert len(FILE.read_text().splitlines()) < 100


def test_its_line_for_app_is_the_one_with_which_it_is_tested() -> None:
    (line,) = re.findall(r'^    "outlet": (.*),$', PAGE.read_text(), re.MULTILINE)
    assert line == "OUTLET"
    assert list(KINDS)[-1] == "outlet"


# -- the tree ---------------------------------------------------------------------------------------------------------


def test_outlets_are_found_and_told_of(tmp_path: Path) -> None:
    _, site = find_site(read_tree(Path(tree_with_outlets(tmp_path, "rack-server"))), KINDS)
    assert [(entry.id, entry.uri) for entry in living(site)["outlet"]] == [("Outlet.1", A1), ("Outlet.2", A2)]
    assert not site.tree.findings


@pytest.mark.parametrize(
    ("kind", "path", "says"),
    [
        ("outlet", f"{A1}0", f"devices: {A1}0: there is no such resource"),
        ("inlet", A1, "devices: inlet: the kinds of device are bios, nic, adapter, raid, firmware, outlet"),
    ],
)
def test_a_manifest_that_lists_nonsense_is_refused(tmp_path: Path, kind: str, path: str, says: str) -> None:
    entry = f'\n[[devices]]\nkind = "{kind}"\nid = "Mine"\npath = "{path}"\n'
    with pytest.raises(MockupError, match=says):
        find_site(read_tree(Path(tree_with_outlets(tmp_path, "rack-server", entry))), KINDS)


def test_a_manifest_names_the_outlets_that_live(make_bmc: Callable[..., Bmc], tmp_path: Path) -> None:
    entry = f'\n[[devices]]\nkind = "outlet"\nid = "Mine"\npath = "{A2}"\n'
    bmc = make_bmc(mockup=tree_with_outlets(tmp_path, "lifecycle-server", entry), kinds=KINDS)
    devices = bmc.get("/jobfish/v1/devices").body["devices"]
    assert [device["id"] for device in devices if device["kind"] == "outlet"] == ["Mine"]
    assert bmc.patch(SETTINGS, {DELAY: 1}).status == 404


# -- over HTTP --------------------------------------------------------------------------------------------------------


def test_what_is_staged_is_in_force_after_a_job(rack: Bmc) -> None:
    job = job_for(rack, {DELAY: 30})
    assert rack.get(SETTINGS).body[DELAY] == 30
    assert rack.job(job)["Name"] == "Configure: Outlet.1"
    assert rack.job(job)["JobType"] == "Unknown"
    assert values(rack) == ("AlwaysOn", 0, "On")
    rack.reset()
    until(rack, job, "Completed")
    assert values(rack) == ("AlwaysOn", 30, "On")
    assert values(rack, A2) == ("AlwaysOn", 0, "On")
    assert DELAY not in rack.get(SETTINGS).body
    assert rack.get(A1).body["@Redfish.Settings"]["SettingsObject"] == {"@odata.id": SETTINGS}


def test_a_plain_service_applies_it_at_the_next_reset(make_bmc: Callable[..., Bmc], tmp_path: Path) -> None:
    bmc = make_bmc(mockup=tree_with_outlets(tmp_path, "rack-server"), kinds=KINDS)
    assert bmc.patch(SETTINGS, {POLICY: "AlwaysOff"}).status == 200
    bmc.reset()
    bmc.advance(600)
    assert values(bmc) == ("AlwaysOff", 0, "On")
    assert bmc.patch(SETTINGS, {DELAY: 7}).related == {f"/{DELAY}"}


REFUSALS = [
    ({DELAY: 301}, "IDRAC.SYS409", DELAY),
    ({DELAY: "7"}, "IDRAC.SYS409", DELAY),
    ({POLICY: "LastState"}, "IDRAC.SYS426", POLICY),
    ({"PowerState": "Off"}, "IDRAC.SYS427", "PowerState"),
    ({"Colour": "red"}, "IDRAC.SYS429", "Colour"),
    ({DELAY: 7, POLICY: "AlwaysOff"}, "IDRAC.SYS410", DELAY),  # its own rule
    ({}, "Base.NoOperation", None),
]


@pytest.mark.parametrize(("change", "message", "about"), REFUSALS)
def test_what_cannot_be_is_refused_and_changes_nothing(rack: Bmc, change: Any, message: str, about: str | None) -> None:
    before = rack.state()
    answer = rack.patch(SETTINGS, change)
    assert (answer.status, answer.message_ids[0]) == (400, message)
    assert answer.related == ({f"#/{about}"} if about else set())
    assert rack.state() == before


def test_the_mains_fail_and_come_back_and_it_waits_its_delay(rack: Bmc) -> None:
    job = job_for(rack, {DELAY: 30})
    rack.reset()
    until(rack, job, "Completed")
    assert rack.post(EVENTS, BACK).status == 400  # they have not failed
    assert rack.post(EVENTS, LOST).body["events"] == {"MainsRestored": ["Outlet.1"]}
    rack.advance(1000)
    assert values(rack)[2] == "Off"
    rack.post(EVENTS, BACK)
    rack.advance(29)
    assert values(rack)[2] == "PoweringOn"
    refused = rack.patch(SETTINGS, {DELAY: 7})  # it is busy
    assert (refused.status, refused.related) == (400, {f"#/{DELAY}"})
    rack.advance(1)
    assert values(rack)[2] == "On"
    assert rack.patch(SETTINGS, {DELAY: 7}).status == 200


def test_an_outlet_that_is_always_off_stays_off(rack: Bmc) -> None:
    job = job_for(rack, {POLICY: "AlwaysOff"})
    rack.reset()
    until(rack, job, "Completed")
    for event in (LOST, BACK):
        assert rack.post(EVENTS, event).status == 200
    rack.advance(1000)
    assert values(rack)[2] == "Off"


def test_a_step_fails_while_the_outlet_goes_on(rack: Bmc) -> None:
    slow = job_for(rack, {DELAY: 300})
    rack.reset()
    until(rack, slow, "Completed")
    job = job_for(rack, {POLICY: "AlwaysOff"})
    for event in (LOST, BACK):
        rack.post(EVENTS, event)
    rack.reset()
    until(rack, job, "Failed")
    assert values(rack)[0] == "AlwaysOn"


def test_deleting_a_running_job_takes_its_steps_back(rack: Bmc) -> None:
    job = job_for(rack, {POLICY: "AlwaysOn", DELAY: 30})
    rack.reset()
    until(rack, job, "Running")
    rack.advance(6)
    assert rack.job(job)["JobState"] == "Running"
    assert rack.delete(f"{rack.jobs}/{job}").status == 200
    rack.advance(600)
    assert values(rack) == ("AlwaysOn", 0, "On")


def test_it_goes_on_after_a_restart_of_the_emulator(make_bmc: Callable[..., Bmc], tmp_path: Path) -> None:
    mockup = tree_with_outlets(tmp_path, "lifecycle-server")
    service = build_service(Settings(mockup=mockup, clock="manual"), state_folder=tmp_path, kinds=KINDS)
    service.start()
    bmc = Bmc(service)
    job = job_for(bmc, {DELAY: 30})
    bmc.reset()
    until(bmc, job, "Completed")
    for event in (LOST, BACK):
        bmc.post(EVENTS, event)
    bmc.advance(20)
    service.stop()
    again = make_bmc(mockup=mockup, kinds=KINDS, state=tmp_path)
    assert values(again) == ("AlwaysOn", 30, "PoweringOn")
    again.advance(10)
    assert values(again) == ("AlwaysOn", 30, "On")
