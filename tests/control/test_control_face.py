"""The test author's face: the clock and the planned faults."""

from __future__ import annotations

import pytest

CLOCK, FAULTS = "/jobfish/v1/clock", "/jobfish/v1/faults"


def test_the_clock_is_read_advanced_and_rated(bmc):
    first = bmc.get(CLOCK).body
    assert (first["rate"], first["next_due"]) == (0, None)
    second = bmc.post(CLOCK, {"advance": 90.5}).body
    assert second["epoch"] == pytest.approx(first["epoch"] + 90.5)
    assert bmc.post(CLOCK, {"rate": 60}).body["rate"] == 60
    third = bmc.post(CLOCK, {"rate": 0, "advance": 1}).body
    assert third["rate"] == 0
    assert third["epoch"] >= second["epoch"] + 1


def test_the_clock_tells_when_the_next_thing_is_due(bmc):
    bmc.reset("ForceRestart")
    clock = bmc.get(CLOCK).body
    assert clock["next_due"] > clock["now"]


def test_everything_due_has_happened_when_an_advance_is_answered(bmc):
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job()
    bmc.reset()
    bmc.post(CLOCK, {"advance": 10_000})
    found = bmc.job(job)
    assert found["JobState"] == "Completed"
    assert found["CompletionTime"] < bmc.get(bmc.manager).body["DateTime"], "each thing at its own moment"


def test_faults_are_planned_listed_and_removed(bmc):
    made = bmc.post(FAULTS, {"target": bmc.target, "step": "NumLock", "message_id": "BIOS014", "count": 2})
    assert made.status == 201
    rule = {"id": "1", "target": bmc.target, "step": "NumLock", "message_id": "BIOS014", "remaining": 2}
    assert (made.body, made.headers["Location"]) == (rule, f"{FAULTS}/1")
    bmc.fail("*")
    assert [entry["id"] for entry in bmc.get(FAULTS).body["faults"]] == ["1", "2"]
    assert bmc.delete(f"{FAULTS}/1").status == 204
    assert bmc.delete(f"{FAULTS}/1").status == 404
    assert bmc.delete(FAULTS).status == 204
    assert bmc.get(FAULTS).body == {"faults": []}


def test_a_fault_with_a_count_strikes_that_often(bmc):
    bmc.fail("NumLock", count=1)
    for expected in ("Failed", "Completed"):
        bmc.patch_bios(NumLock="Off")
        job = bmc.create_job()
        bmc.reset()
        bmc.advance(500)
        assert bmc.job(job)["JobState"] == expected
    assert bmc.get(FAULTS).body == {"faults": []}


def test_faults_of_the_command_line_are_there_from_the_start(make_bmc):
    bmc = make_bmc(fail=("BIOS.Setup.1-1/NumLock=BIOS014",))
    assert [entry["id"] for entry in bmc.get(FAULTS).body["faults"]] == ["cli-1"]
    bmc.patch_bios(NumLock="Off", ProcVirtualization="Disabled")
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    assert bmc.job(job)["JobState"] == "CompletedWithErrors"


def test_a_reboot_can_be_made_to_fail(bmc):
    bmc.post(FAULTS, {"target": "host", "step": "PowerCycle"})
    job = bmc.create_reboot_job()
    bmc.act("SetupJobQueue", JobArray=[job], StartTimeInterval="TIME_NOW")
    assert bmc.job(job)["JobState"] == "RebootFailed"
    assert bmc.get(bmc.system).body["PowerState"] == "On"


@pytest.mark.parametrize(
    ("method", "uri", "body", "status"),
    [
        ("POST", CLOCK, {}, 400),
        ("POST", CLOCK, {"advance": -1}, 400),
        ("POST", CLOCK, {"advance": "1"}, 400),
        ("POST", CLOCK, {"advance": 1e300}, 400),
        ("POST", CLOCK, {"rate": -1}, 400),
        ("POST", CLOCK, {"speed": 1}, 400),
        ("POST", CLOCK, b"{", 400),
        ("POST", CLOCK, b"[]", 400),
        ("POST", FAULTS, {"target": "x"}, 400),
        ("POST", FAULTS, {"target": "x", "step": "y", "count": 0}, 400),
        ("POST", FAULTS, {"target": "x", "step": "y", "message_id": "no spaces please"}, 400),
        ("POST", FAULTS, b'{"target": "' + b"x" * 2_000_000 + b'", "step": "y"}', 413),
        ("DELETE", f"{FAULTS}/7", None, 404),
        ("DELETE", CLOCK, None, 405),
        ("GET", "/jobfish/v1/nothing", None, 404),
    ],
)
def test_what_cannot_be_is_refused(bmc, method, uri, body, status):
    before = bmc.state()
    assert bmc.call(method, uri, body).status == status
    assert bmc.state() == before


def test_nobody_gets_in_without_credentials(bmc):
    bmc.user = None
    for method, uri in (("GET", CLOCK), ("POST", CLOCK), ("GET", FAULTS), ("POST", FAULTS), ("DELETE", FAULTS)):
        assert bmc.call(method, uri, {}).status == 401


def test_time_ends_with_the_calendar(bmc):
    while bmc.post(CLOCK, {"advance": 3.2e9}).status == 200:
        pass
    before = bmc.get(CLOCK).body
    assert before["now"] < "9999-12-30"
    assert bmc.post(CLOCK, {"advance": 3.2e9}).status == 400
    assert bmc.get(CLOCK).body == before
    assert bmc.get(bmc.manager).status == 200
    assert bmc.post(CLOCK, {"rate": 1_000_000}).status == 200
    assert bmc.get(CLOCK).body["now"] >= before["now"]
