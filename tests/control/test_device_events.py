"""What befalls hardware, told to the control face."""

from __future__ import annotations

import pytest

DEVICES = "/jobfish/v1/devices"
RAID = "RAID.Integrated.1-1"
EVENTS = f"{DEVICES}/{RAID}/events"
BAY, FREE = (f"Disk.Bay.{number}:Enclosure.Internal.0-1:{RAID}" for number in (0, 6))


def raid(bmc):
    (found,) = [device for device in bmc.get(DEVICES).body["devices"] if device["id"] == RAID]
    return found


def event(bmc, name, part=BAY, device=RAID):
    return bmc.post(f"{DEVICES}/{device}/events", {"event": name, "part": part})


def logged(bmc):
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        return [entry.message.key for entry in machine.log if entry.origin == RAID][::-1]


def test_the_living_devices_and_what_can_befall_them(bmc):
    answer = bmc.get(DEVICES)
    assert answer.status == 200
    kinds = {device["id"]: device["kind"] for device in answer.body["devices"]}
    assert (kinds[bmc.target], kinds[RAID]) == ("bios", "raid")
    assert next(each for each in answer.body["devices"] if each["id"] == bmc.target)["events"] == {}
    events = raid(bmc)["events"]
    assert set(events) == {"DriveFailure", "DrivePredictiveFailure", "DriveRemoved"}
    assert {len(parts) for parts in events.values()} == {8}


def test_an_event_changes_what_can_befall_next_and_is_logged(bmc):
    answer = event(bmc, "DriveFailure")
    assert (answer.status, answer.body) == (200, raid(bmc))
    assert BAY not in answer.body["events"]["DriveFailure"]
    assert answer.body["events"]["DriveReplaced"] == [BAY]
    assert logged(bmc) == ["DriveFailure", "VolumeDegraded"]
    assert event(bmc, "DriveReplaced").status == 200
    bmc.advance(100_000)
    assert logged(bmc)[2:] == ["DriveInserted", "RebuildStarted", "RebuildCompleted", "VolumeOK"]


def test_the_clock_tells_when_a_rebuild_is_due(bmc):
    event(bmc, "DriveRemoved")
    assert bmc.get("/jobfish/v1/clock").body["next_due"] is None
    event(bmc, "DriveInserted")
    assert bmc.get("/jobfish/v1/clock").body["next_due"] is not None


def test_a_plain_service_has_them_too(rack):
    answer = rack.post(f"{DEVICES}/raid-1/events", {"event": "DriveFailure", "part": "bay-0"})
    assert answer.status == 200
    rack.advance(100_000)
    with rack.service.fleet.seat_for(rack.host).turn() as machine:
        told = [entry.message.key for entry in machine.log if entry.origin == "raid-1"]
    assert told == ["VolumeOK", "RebuildCompleted", "RebuildStarted", "VolumeDegraded", "DriveFailure"]


REFUSED = [
    # method, URI, body, status, something of the sentence, what it offers instead
    ("POST", EVENTS, {"event": "Flood", "part": BAY}, 400, f"Flood cannot befall {RAID} now", "DriveFailure"),
    ("POST", EVENTS, {"event": "DriveFailure", "part": "nobody"}, 400, "DriveFailure cannot befall nobody now", BAY),
    ("POST", EVENTS, {"event": "DriveInserted", "part": BAY}, 400, f"DriveInserted cannot befall {BAY} now", None),
    ("POST", f"{DEVICES}/nobody/events", {"event": "DriveFailure", "part": BAY}, 404, "no device nobody", RAID),
    ("POST", f"{DEVICES}/BIOS.Setup.1-1/events", {"event": "DriveFailure", "part": "x"}, 400, "cannot befall", None),
    ("POST", EVENTS, {"event": "DriveFailure"}, 400, "body is not as it should be", None),
    ("POST", EVENTS, {"part": BAY}, 400, "body is not as it should be", None),
    ("POST", EVENTS, {"event": 1, "part": BAY}, 400, "body is not as it should be", None),
    ("POST", EVENTS, {"event": "", "part": ""}, 400, "body is not as it should be", None),
    ("POST", EVENTS, {"event": "DriveFailure", "part": "x" * 201}, 400, "body is not as it should be", None),
    ("POST", EVENTS, {"event": "DriveFailure", "part": BAY, "at": 1}, 400, "body is not as it should be", None),
    ("POST", EVENTS, b"{", 400, "not JSON", None),
    ("POST", EVENTS, b'"DriveFailure"', 400, "body is not as it should be", None),
    ("POST", EVENTS, b'{"event": "' + b"x" * 2_000_000 + b'", "part": "y"}', 413, "too large", None),
]


@pytest.mark.parametrize(("method", "uri", "body", "status", "says", "instead"), REFUSED)
def test_what_cannot_befall_is_refused_and_changes_nothing(bmc, method, uri, body, status, says, instead):
    before = bmc.state()
    answer = bmc.call(method, uri, body)
    assert answer.status == status
    assert says in answer.body["error"]["message"]
    assert instead is None or instead in answer.body["error"]["details"]
    assert bmc.state() == before


@pytest.mark.parametrize(("method", "uri"), [("POST", DEVICES), ("GET", EVENTS), ("DELETE", EVENTS)])
def test_other_verbs_are_not_allowed(bmc, method, uri):
    assert bmc.call(method, uri).status == 405


ACCOUNTS = [
    # who, whether they may look, whether they may let something happen
    (None, 401, 401),
    (("root", "wrong"), 401, 401),
    (("readonly", "readonly"), 200, 403),
    (("operator", "operator"), 200, 403),
    (("root", "calvin"), 200, 200),
]


@pytest.mark.parametrize(("user", "look", "act"), ACCOUNTS)
def test_who_may_look_and_who_may_break_things(bmc, user, look, act):
    before = bmc.state()
    bmc.user = user
    assert bmc.get(DEVICES).status == look
    assert event(bmc, "DriveFailure", FREE).status == act
    assert (bmc.state() == before) is (act != 200)
