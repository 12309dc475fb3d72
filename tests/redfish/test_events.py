"""What is told of storage, updates, settings and power, in each dialect's words, and what it is about."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from conftest import Bmc
from images import package

from emulator.core.subscription import Subscription


def told(bmc: Bmc) -> list[tuple[str, str, str]]:
    """Message id without its version, EventType and origin of all events so far, as they would be delivered."""
    found: list[tuple[str, str, str]] = []
    anybody = Subscription("anybody", 0, 0.0)
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        while (payload := bmc.service.outbox.next_payload(1, machine, anybody)) is not None:
            anybody.cursor = payload.last
            for record in orjson.loads(payload.body or b'{"Events": []}')["Events"]:
                name = re.sub(r"\.\d+\.\d+\.", ".", record["MessageId"])
                found.append((name, record["EventType"], record.get("OriginOfCondition", {}).get("@odata.id", "")))
    return found


def listen(bmc: Bmc) -> None:
    """Let events be noted; suspended, so that nobody is sent any."""
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        made = machine.subscriptions.create(Subscription("", 0, machine.moment, destination="http://127.0.0.1:9/"))
        machine.subscriptions.suspend(made)


def test_a_failing_drive_is_told_with_its_volume(raid: Any) -> None:
    listen(raid.bmc)
    volumes = [member["@odata.id"] for member in raid.bmc.get(raid.volumes).body["Members"]]
    raid.befall("DriveFailure", 2)
    events = told(raid.bmc)
    assert ("ResourceEvent.ResourceStatusChangedCritical", "StatusChange", raid.drives[2]) in events
    assert ("ResourceEvent.ResourceStatusChangedWarning", "StatusChange", volumes[1]) in events
    alerts = {name for name, kind, _ in events if kind == "Alert"}
    assert ("IDRAC.PDR3" in alerts) if raid.is_dell else ("StorageDevice.DriveFailure" in alerts), alerts


def test_a_volume_comes_and_goes(plain: Any) -> None:
    listen(plain.bmc)
    first = plain.bmc.get(plain.volumes).body["Members"][0]["@odata.id"]
    assert plain.bmc.delete(first).status == 202
    plain.bmc.advance(3600)
    assert ("ResourceEvent.ResourceRemoved", "ResourceRemoved", first) in told(plain.bmc)
    body = {"RAIDType": "RAID1", "Links": {"Drives": plain.links(0, 1)}}
    assert plain.bmc.post(plain.volumes, body).status == 202
    plain.bmc.advance(3600)
    made = [origin for name, _, origin in told(plain.bmc) if name.endswith("ResourceCreated") and "/Volumes/" in origin]
    assert made == [plain.bmc.get(plain.volumes).body["Members"][-1]["@odata.id"]]


def test_what_is_staged_and_comes_into_force(bmc: Bmc) -> None:
    listen(bmc)
    bmc.patch_bios(NumLock="Off")
    assert told(bmc)[-1] == ("ResourceEvent.ResourceChanged", "ResourceUpdated", bmc.settings)
    bmc.create_job()
    bmc.reset("PowerCycle")
    bmc.advance(600)
    events = told(bmc)
    assert ("ResourceEvent.ResourceChanged", "ResourceUpdated", bmc.bios) in events
    power = [(name, origin) for name, _, origin in events if name.startswith("ResourceEvent.ResourcePowered")]
    assert power == [
        ("ResourceEvent.ResourcePoweredOff", bmc.system),
        ("ResourceEvent.ResourcePoweredOn", bmc.system),
    ]


def test_a_session_comes_and_goes(rack: Bmc) -> None:
    listen(rack)
    made = rack.post("/redfish/v1/SessionService/Sessions", {"UserName": "root", "Password": "calvin"})
    place = made.headers["Location"]
    assert ("ResourceEvent.ResourceCreated", "ResourceAdded", place) in told(rack)
    rack.delete(place)
    assert ("ResourceEvent.ResourceRemoved", "ResourceRemoved", place) in told(rack)


@pytest.mark.parametrize("goes", ["well", "wrong"])
def test_an_update_is_told_step_by_step(rack: Bmc, goes: str) -> None:
    listen(rack)
    component = rack.service.site.components[-1]
    image = package(component.id, "9.9.9", needs_reboot=False)
    if goes == "wrong":
        rack.post("/jobfish/v1/faults", {"target": "*", "step": "*"})
    push = rack.get("/redfish/v1/UpdateService").body["HttpPushUri"]
    answer = rack.post(push, image, headers={"Content-Type": "application/octet-stream"})
    assert answer.status == 202, answer.body
    rack.advance(3600)
    job = rack.get("/redfish/v1/JobService/Jobs").body["Members"][0]["@odata.id"]
    said = [name for name, _, origin in told(rack) if name.startswith("Update.") and origin == job]
    assert said[0] == "Update.OperationTransitionedToJob"
    assert "Update.InstallingOnComponent" in said
    assert said[-1] == ("Update.UpdateSuccessful" if goes == "well" else "Update.ApplyFailed")


def test_what_a_plain_service_says_of_jobs_in_its_log_is_not_told_twice(rack: Bmc) -> None:
    listen(rack)
    assert rack.patch_bios(NumLock=False).status == 200
    rack.reset("PowerCycle")
    rack.advance(600)
    events = [event for event in told(rack) if event[0].startswith(("JobEvent.Job", "TaskEvent.Task"))]
    assert [name for name, _, _ in events if "Started" in name or "Completed" in name] == [
        "JobEvent.JobStarted",
        "TaskEvent.TaskStarted",
        "JobEvent.JobCompletedOK",
        "TaskEvent.TaskCompletedOK",
    ]
    assert all(kind == "StatusChange" for _, kind, _ in events)
