"""A11: an update job goes Downloading, Downloaded, Scheduled, Running, and ends Completed or Failed. Some components need no
reboot. Versions change.

From the Job Control Profile (its update workflow), the Lifecycle Controller User's Guide (which components are updated
without a restart) and captures: an update that the controller does by itself says RED001 at its end, one that the host
does says PR19; a BIOS update waits Scheduled while others complete. Here is the course of the job alone; the ways in which
packages come are tested with the update service.
"""

from __future__ import annotations

import pytest
from images import eventually, serving
from rows_world import (
    BIOS,
    DAY,
    HOUR,
    INSTALL,
    MINUTE,
    NIC,
    OFF,
    OTHER_SUPPLY,
    POST,
    POWER_SUPPLY,
    RAID,
    REBOOT,
    SHUTDOWN,
    UPDATE,
    Desk,
    controller,
    image,
    refused,
)

INVENTORY = "/redfish/v1/UpdateService/FirmwareInventory"
CONTROLLER = "iDRAC.Embedded.1-1"
DOWNLOADING, DOWNLOADED = ("Downloading", "RED003", 0), ("Downloaded", "RED002", 0)
SCHEDULED = ("Scheduled", "JCP001", 0)
RUNNING, HALF_DONE, NEARLY = ("Running", "PR20", 1), ("Running", "PR20", 50), ("Running", "PR20", 87)
BY_THE_HOST, BY_ITSELF = ("Completed", "PR19", 100), ("Completed", "RED001", 100)
WARM = "warm reset"

# -- the course, from the moment at which the package is there ---------------------------------------------------------

COURSES = [
    # component, apply time, (seconds, state, message id and percent); an hour later somebody restarts the host
    (BIOS, "", [
        (0, DOWNLOADED), (14 * DAY, DOWNLOADED), (WARM, SCHEDULED), (POST - 1, SCHEDULED), (POST, RUNNING),
        (POST + INSTALL / 2, HALF_DONE),
        (POST + INSTALL - 1, NEARLY), (POST + INSTALL, BY_THE_HOST),
    ]),
    (RAID, "OnReset", [
        (0, SCHEDULED), (14 * DAY, SCHEDULED), (WARM, SCHEDULED), (POST, RUNNING), (POST + INSTALL, BY_THE_HOST),
    ]),
    (NIC, "Immediate", [
        (0, SCHEDULED), (SHUTDOWN + OFF + POST - 1, SCHEDULED), (SHUTDOWN + OFF + POST, RUNNING),
        (SHUTDOWN + OFF + POST + INSTALL, BY_THE_HOST),
    ]),
    (BIOS, "OnStartUpdateRequest", [(0, DOWNLOADED), (DAY, DOWNLOADED), (WARM, DOWNLOADED), (HOUR, DOWNLOADED)]),
    (POWER_SUPPLY, "", [(0, RUNNING), (INSTALL / 2, HALF_DONE), (INSTALL - 1, NEARLY), (INSTALL, BY_ITSELF)]),
    (POWER_SUPPLY, "Immediate", [(0, RUNNING), (INSTALL, BY_ITSELF)]),
    (OTHER_SUPPLY, "OnReset", [(0, RUNNING), (INSTALL, BY_ITSELF)]),
    (POWER_SUPPLY, "OnStartUpdateRequest", [(0, DOWNLOADED), (DAY, DOWNLOADED), (WARM, DOWNLOADED), (HOUR, DOWNLOADED)]),
]  # fmt: skip


def at(desk, name=UPDATE):
    found = desk.job(name)
    return found["JobState"], found["MessageId"], found["PercentComplete"]


@pytest.mark.parametrize(("component", "apply", "course"), COURSES, ids=[f"{row[0]} {row[1]}" for row in COURSES])
def test_the_course_of_an_update(bmc, component, apply, course):
    desk = Desk(bmc)
    version, began = desk.version(component), 0.0
    answer = desk.push(component, "99.9", name=UPDATE, **({"apply": apply} if apply else {}))
    assert (answer.status, answer.body) == (202, "")
    assert answer.headers["Location"] == f"/redfish/v1/TaskService/TaskMonitors/{desk.jobs[UPDATE]}"
    for seconds, expected in course:
        if seconds == WARM:
            desk.restart()
            began = desk.now
        else:
            desk.until(began + seconds)
        assert (seconds, at(desk)) == (seconds, expected)
        installed = "99.9" if expected[0] == "Completed" else version
        assert (seconds, desk.version(component)) == (seconds, installed)
    found = desk.job(UPDATE)
    assert (found["JobType"], found["Name"][:17]) == ("FirmwareUpdate", "Firmware Update: ")
    assert (REBOOT in desk.jobs) is (apply == "Immediate" and component == NIC)


POLICIES = [
    # what becomes of an update that nobody schedules, by policy; after a restart
    ("next_restart", "Downloaded", "Completed"),
    ("hold", "Downloaded", "Downloaded"),
    ("schedule", "Scheduled", "Completed"),
]


@pytest.mark.parametrize(("policy", "state", "restarted"), POLICIES)
def test_who_is_not_scheduled_waits(make_bmc, tmp_path, policy, state, restarted):
    desk = controller(make_bmc, tmp_path, policy={"unqueued_jobs": policy})
    desk.push(BIOS)
    desk.until(DAY)
    assert desk.states() == {UPDATE: state}
    desk.restart()
    desk.until(DAY + HOUR)
    assert desk.states() == {UPDATE: restarted}


def test_start_update_schedules_what_waits_for_it(bmc):
    desk = Desk(bmc)
    desk.push(BIOS, apply="OnStartUpdateRequest")
    desk.push(POWER_SUPPLY, name="by itself", apply="OnStartUpdateRequest")
    start = "/redfish/v1/UpdateService/Actions/UpdateService.StartUpdate"
    assert bmc.post(start, {}).status == 202
    assert desk.states() == {UPDATE: "Scheduled", "by itself": "Running"}


def test_a_queue_gives_it_a_time(bmc):
    desk = Desk(bmc)
    desk.push(BIOS)
    desk.reboot_job()
    desk.queue(UPDATE, REBOOT, start=HOUR)
    desk.until(HOUR + OFF + POST)
    assert at(desk) == RUNNING
    desk.until(2 * HOUR)
    assert at(desk) == BY_THE_HOST
    assert bmc.get(bmc.system).body["BiosVersion"] == "99.9"


def test_the_controllers_own_firmware_ends_with_its_restart(bmc):
    desk = Desk(bmc)
    desk.push(CONTROLLER, "99.9", file=image(CONTROLLER, "99.9", needs_reboot=False))
    desk.until(INSTALL - 1)
    assert at(desk) == NEARLY
    bmc.advance(1)
    away = bmc.get(bmc.manager)
    assert (away.status, away.message_ids[0]) == (503, "Base.ServiceTemporarilyUnavailable")
    bmc.advance(2 * MINUTE)
    assert at(desk) == BY_ITSELF
    assert bmc.get(bmc.manager).body["FirmwareVersion"] == "99.9"


def test_a_rollback_brings_the_version_before_back(bmc):
    desk = Desk(bmc)
    before = desk.version(POWER_SUPPLY)
    desk.push(POWER_SUPPLY, "99.9")
    desk.until(INSTALL)
    (previous,) = (uri for uri in desk.listed(INVENTORY) if "Previous-" in uri and uri.endswith(POWER_SUPPLY))
    assert desk.simple_update(previous, "rollback").status == 202
    assert desk.job("rollback")["Name"].startswith("Firmware Rollback: ")
    desk.until(2 * INSTALL)
    assert (at(desk, "rollback"), desk.version(POWER_SUPPLY)) == (BY_ITSELF, before)


# -- other ends -------------------------------------------------------------------------------------------------------


def interrupted(desk):
    desk.push(BIOS, apply="OnReset")
    desk.restart()
    desk.until(POST + MINUTE)
    desk.restart("ForceOff")


def fails(desk):
    desk.bmc.post("/jobfish/v1/faults", {"target": POWER_SUPPLY, "step": "*"})
    desk.push(POWER_SUPPLY, name=UPDATE)
    desk.until(INSTALL)


def damaged(desk):
    desk.push(BIOS, file=image(BIOS, "99.9")[:-1] + b"!")


def cut_short(desk):
    desk.push(BIOS, file=image(BIOS, "99.9")[:-1])


def opaque_for_nobody(desk):
    desk.push(BIOS, file=b"MZ")


def unknown_component(desk):
    desk.push("FPGA.Slot.9")


def for_another(desk):
    target = f"{INVENTORY}/Installed-112450-00.1D.7D__{POWER_SUPPLY}"
    desk.push(BIOS, Targets=[target])


def older(desk):
    desk.push(BIOS, "1.0.0")


def the_same(desk):
    desk.push(BIOS, desk.version(BIOS))


def second_for_it(desk):
    desk.push(BIOS, "99.8", name="first")
    desk.push(BIOS, "99.9")


FAILED = [
    # what happens; message id; nothing is installed
    (interrupted, "PR21"),
    (fails, "PR21"),
    (damaged, "RED007"),
    (cut_short, "RED007"),
    (opaque_for_nobody, "ImageForUnknownComponent"),
    (unknown_component, "ImageForUnknownComponent"),
    (for_another, "ImageForOtherComponent"),
    (older, "UpdateNotNewer"),
    (the_same, "UpdateNotNewer"),
    (second_for_it, "RED014"),
]


@pytest.mark.parametrize(("situation", "message"), FAILED, ids=[row[0].__name__ for row in FAILED])
def test_a_failed_update_installs_nothing(bmc, situation, message):
    desk = Desk(bmc)
    versions = {component: desk.version(component) for component in (BIOS, POWER_SUPPLY)}
    situation(desk)
    assert at(desk) == ("Failed", message, 100)
    assert {component: desk.version(component) for component in versions} == versions
    task = bmc.get(f"/redfish/v1/TaskService/Tasks/{desk.jobs[UPDATE]}")
    assert (task.status, task.body["TaskState"], task.body["TaskStatus"]) == (200, "Exception", "Critical")


@pytest.mark.parametrize("version", ["1.0.0", "2.1.5"])
def test_force_installs_the_same_or_an_older_version(bmc, version):
    desk = Desk(bmc)
    desk.push(BIOS, version, ForceUpdate=True, apply="OnReset")
    desk.restart()
    desk.until(HOUR)
    assert (desk.state(UPDATE), desk.version(BIOS)) == ("Completed", version)


REFUSED = [
    # call, status, message ids: no job is made
    ("an unknown apply time", lambda desk: desk.push(BIOS, apply="OnStart"), 400, ["IDRAC.SYS426", "Base.PropertyValueNotInList"]),
    ("an unknown parameter", lambda desk: desk.push(BIOS, Force=True), 400, ["IDRAC.SYS429", "Base.PropertyUnknown"]),
    ("an unknown target", lambda desk: desk.push(BIOS, Targets=["/redfish/v1/Chassis/9"]), 400, ["IDRAC.SYS426", "Base.PropertyValueNotInList"]),
    ("a scheme that nobody fetches", lambda desk: desk.simple_update("ftp://127.0.0.1/a"), 400, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"]),
    ("no image at all", lambda desk: desk.simple_update(""), 400, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"]),
    ("a rollback to nothing", lambda desk: desk.simple_update(f"{INVENTORY}/Previous-159-1.0__{BIOS}"), 400, ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"]),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_a_call_that_is_refused_makes_no_job(bmc, row):
    _, call, status, messages = row
    desk = Desk(bmc)
    answer = refused(desk, call)
    assert (answer.status, answer.message_ids) == (status, messages)
    assert desk.listed() == []


# -- fetched ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def images():
    with serving() as server:
        yield server


def arrived(desk):
    """What it is, once it is not Downloading any more: what is fetched comes in real time."""
    return eventually(lambda: desk.state(UPDATE), lambda state: state != "Downloading")


def test_a_package_is_fetched_and_then_waits(bmc, images):
    desk = Desk(bmc)
    uri, tap = images.tap("bios.img", image(BIOS, "99.9"))
    assert desk.simple_update(uri).status == 202
    assert at(desk) == DOWNLOADING
    desk.until(DAY)
    assert at(desk) == DOWNLOADING
    tap.wait_for_someone()
    tap.send()
    assert (arrived(desk), at(desk)) == ("Downloaded", DOWNLOADED)
    desk.restart()
    desk.until(2 * DAY)
    assert (at(desk), desk.version(BIOS)) == (BY_THE_HOST, "99.9")


def test_while_it_is_on_its_way_it_may_be_queued_and_the_reboot_waits_for_it(bmc, images):
    desk = Desk(bmc)
    uri, tap = images.tap("bios.img", image(BIOS, "99.9"))
    desk.simple_update(uri)
    desk.reboot_job()
    assert desk.queue(REBOOT, UPDATE).status == 200
    desk.until(HOUR)
    assert desk.states() == {UPDATE: "Downloading", REBOOT: "Scheduled"}
    tap.wait_for_someone()
    tap.send()
    assert arrived(desk) == "Scheduled"
    assert desk.states() == {UPDATE: "Scheduled", REBOOT: "RebootPending"}
    desk.until(2 * HOUR)
    assert desk.states() == {UPDATE: "Completed", REBOOT: "RebootCompleted"}


NOT_FETCHED = [
    # what the server does; message id
    ("has no such file", lambda server: f"{server.url}/nothing.img", "RED006"),
    ("has something else", lambda server: server.add("image.img", b"<html>"), "ImageForUnknownComponent"),
    ("has a damaged package", lambda server: server.add("image.img", image(BIOS, "99.9")[:-1] + b"!"), "RED007"),
]


@pytest.mark.parametrize(("_", "serve", "message"), NOT_FETCHED, ids=[row[0] for row in NOT_FETCHED])
def test_a_package_that_cannot_be_fetched_or_used_fails_and_says_why(bmc, images, _, serve, message):
    desk = Desk(bmc)
    desk.simple_update(serve(images))
    assert (arrived(desk), at(desk)) == ("Failed", ("Failed", message, 100))
    assert desk.version(BIOS) == "2.1.5"
