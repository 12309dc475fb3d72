"""A7: JID_CLEARALL removes every job, finished ones too, and all pending values; JID_CLEARALL_FORCE also restarts the data
services, and for a while the controller is not ready.

From the Job Control Profile, 6.5 (JID_CLEARALL), the schema of DellJobService (pending values too), the messages JCP045,
JCP046 and SWC0700, and clients that meet the state after JID_CLEARALL_FORCE: LCStatus is not Ready for one to two minutes,
and requests are answered SWC0700. How long is `[timings] data_services_seconds`.
"""

from __future__ import annotations

import pytest
from rows_world import (
    BIOS,
    CONFIG,
    DAY,
    DELETED,
    HOUR,
    INSTALL,
    POST,
    POWER_CYCLE,
    POWER_SUPPLY,
    RAID,
    REBOOT,
    STEP,
    SUPPLY,
    UPDATE,
    VIEWS,
    Desk,
    controller,
    refused,
)

CLEAR, FORCE = "JID_CLEARALL", "JID_CLEARALL_FORCE"
BOTH = (CLEAR, FORCE)
SERVICES = 90
"""Seconds until the data services are back."""
THREE = {"NumLock": "Off", "ProcVirtualization": "Disabled", "AcPwrRcvryUserDelay": 240}


def clear(desk, what):
    return desk.bmc.act("DeleteJobQueue", JobID=what)


# -- what goes --------------------------------------------------------------------------------------------------------


def nothing(desk):
    pass


def values(desk):
    desk.stage(**THREE)


def defaults(desk):
    desk.reset_bios()


def password(desk):
    desk.change_password()


def new(desk):
    desk.config(values=THREE)


def queue_of_all_kinds(desk):
    new(desk)
    desk.push(BIOS)
    desk.push(POWER_SUPPLY, apply="OnStartUpdateRequest")
    desk.reboot_job()
    desk.queue(UPDATE, SUPPLY, CONFIG, REBOOT, start=HOUR, until=2 * HOUR)


def window(desk):
    times = {"MaintenanceWindowStartTime": desk.with_offset(HOUR), "MaintenanceWindowDurationInSeconds": 600}
    desk.apply("AtMaintenanceWindowStart", values=THREE, **times)


def rebooting(desk):
    new(desk)
    desk.reboot_job(POWER_CYCLE)
    desk.queue(CONFIG, REBOOT)


def running(desk):
    new(desk)
    desk.restart()
    desk.until(POST + 2 * STEP)


def installing(desk):
    desk.push(POWER_SUPPLY)
    desk.until(INSTALL / 2)


def completed(desk):
    running(desk)
    desk.until(HOUR)


def failed(desk):
    desk.bmc.fail("*", count=3)
    completed(desk)


def of_everything(desk):
    completed(desk)
    desk.config("next")
    desk.push(RAID)
    desk.push(POWER_SUPPLY)
    desk.reboot_job()
    desk.queue("next", REBOOT, start=DAY)


DELIVERED = ["On", "Enabled", 120]
SITUATIONS = [
    # situation, number of jobs in it; values in force when all is cleared
    (nothing, 0, DELIVERED),
    (values, 0, DELIVERED),
    (defaults, 0, DELIVERED),
    (password, 0, DELIVERED),
    (new, 1, DELIVERED),
    (queue_of_all_kinds, 4, DELIVERED),
    (window, 2, DELIVERED),
    (rebooting, 2, DELIVERED),
    (running, 1, DELIVERED),
    (installing, 1, DELIVERED),
    (completed, 1, list(THREE.values())),
    (failed, 1, DELIVERED),
    (of_everything, 5, list(THREE.values())),
]


@pytest.mark.parametrize("what", BOTH)
@pytest.mark.parametrize(("situation", "jobs", "in_force"), SITUATIONS, ids=[row[0].__name__ for row in SITUATIONS])
def test_every_job_goes_and_everything_that_is_pending(bmc, situation, jobs, in_force, what):
    desk = Desk(bmc)
    situation(desk)
    assert desk.numbers()["CurrentNumberOfJobs"] == jobs
    answer = clear(desk, what)
    assert (answer.status, answer.message_ids) == (200, DELETED)
    desk.until(desk.now + SERVICES)
    for view in VIEWS:
        assert desk.listed(view) == []
    assert desk.numbers()["CurrentNumberOfJobs"] == 0
    assert bmc.pending() == {}
    assert "ResetBiosToDefaultsPending" not in bmc.get(bmc.bios).body
    desk.restart()
    desk.until(3 * DAY)
    assert desk.values(*THREE) == in_force, "nothing of it happens later"
    assert desk.version(POWER_SUPPLY) == "00.1D.7D"
    assert (desk.power(), desk.listed()) == ("On", [])


@pytest.mark.parametrize(("what", "says"), [(CLEAR, "IDRAC.JCP045"), (FORCE, "IDRAC.JCP046")])
def test_the_log_tells_of_it(bmc, what, says):
    desk = Desk(bmc)
    running(desk)
    clear(desk, what)
    desk.until(HOUR)
    job = desk.jobs[CONFIG]
    told = [entry for entry in desk.logged() if entry[0] in ("Jobfish.StepUndone", "IDRAC.JCP036", says)]
    assert told == [
        ("Jobfish.StepUndone", [job, "ProcVirtualization"]),
        ("Jobfish.StepUndone", [job, "NumLock"]),
        ("IDRAC.JCP036", [job]),
        (says, []),
    ]


def test_what_was_made_before_is_not_in_the_way_of_what_comes_after(bmc):
    desk = Desk(bmc)
    of_everything(desk)
    clear(desk, CLEAR)
    desk.config("after", {"NumLock": "On"}, RebootJobType="PowerCycle")
    desk.push(POWER_SUPPLY, name="update after")
    desk.until(desk.now + HOUR)
    assert (desk.state("after"), desk.state("update after")) == ("Completed", "Completed")


REFUSING = [
    # situation; what JID_CLEARALL is told under the policy that refuses to delete what is at work, None: it is done
    (running, ["IDRAC.JCP015"]),
    (rebooting, ["IDRAC.JCP015"]),
    (installing, ["IDRAC.SUP013"]),
    (of_everything, ["IDRAC.SUP013"]),
    (queue_of_all_kinds, None),
    (completed, None),
]


@pytest.mark.parametrize(("situation", "messages"), REFUSING, ids=[row[0].__name__ for row in REFUSING])
def test_by_the_other_policy_only_force_takes_what_is_at_work(make_bmc, tmp_path, situation, messages):
    desk = controller(make_bmc, tmp_path, policy={"cancel_running": "refuse"})
    situation(desk)
    if messages is not None:
        answer = refused(desk, lambda desk: clear(desk, CLEAR))
        assert (answer.status, answer.message_ids) == (400, messages)
    answer = clear(desk, CLEAR if messages is None else FORCE)
    assert (answer.status, answer.message_ids) == (200, DELETED)
    desk.until(3 * DAY)
    assert desk.listed() == []


# -- not ready --------------------------------------------------------------------------------------------------------

READY = {
    "LCStatus": "Ready",
    "RTStatus": "Ready",
    "ServerStatus": "OutOfPOST",
    "Status": "Ready",
    "TelemetryServiceStatus": "Ready",
}
NOT_READY = {
    **READY,
    "LCStatus": "NotInitialized",
    "RTStatus": "NotReady",
    "Status": "NotReady",
    "TelemetryServiceStatus": "NotReady",
}
MOMENTS = [
    # seconds from the call; readiness after JID_CLEARALL, and after JID_CLEARALL_FORCE
    (0, READY, NOT_READY),
    (SERVICES - 1, READY, NOT_READY),
    (SERVICES, READY, READY),
    (HOUR, READY, READY),
]


def readiness(desk):
    service = f"{desk.bmc.manager}/Oem/Dell/DellLCService/Actions/DellLCService.GetRemoteServicesAPIStatus"
    answer = desk.bmc.post(service, {})
    assert answer.status == 200
    body = dict(answer.body)
    del body["@Message.ExtendedInfo"]
    return body, answer.message_ids


@pytest.mark.parametrize("what", BOTH)
def test_how_long_the_controller_is_not_ready(bmc, what):
    desk = Desk(bmc)
    assert readiness(desk) == (READY, ["Base.Success", "IDRAC.LC061"])
    clear(desk, what)
    for seconds, cleared, forced in MOMENTS:
        desk.until(seconds)
        expected = cleared if what == CLEAR else forced
        message = "IDRAC.LC061" if expected is READY else "IDRAC.LC060"
        assert (seconds, *readiness(desk)) == (seconds, expected, ["Base.Success", message])


def test_how_long_is_the_machines_own_timing(bmc):
    desk = Desk(bmc)
    clear(desk, FORCE)
    desk.until(SERVICES - 10)
    assert bmc.get(bmc.jobs).status == 400
    desk.until(SERVICES)
    assert clear(desk, FORCE).status == 200
    desk.until(2 * SERVICES - 1)
    assert bmc.get(bmc.jobs).status == 400
    desk.until(2 * SERVICES)
    assert bmc.get(bmc.jobs).status == 200


ANSWERS = [
    "/redfish",
    "/redfish/v1",
    "/redfish/v1/odata",
    "/redfish/v1/$metadata",
    "/redfish/v1/Chassis",
    "/redfish/v1/SessionService",
    "/redfish/v1/SessionService/Sessions",
    "/redfish/v1/AccountService/Accounts",
    "{manager}",
    "{manager}/Oem/Dell/DellLCService",
    "/jobfish/v1/clock",
]
KEEPS_SILENT = [
    ("GET", "{system}", None),
    ("GET", "{bios}", None),
    ("GET", "{settings}", None),
    ("GET", "{jobs}", None),
    ("GET", "{manager}/Jobs", None),
    ("GET", "{job_service}", None),
    ("GET", "/redfish/v1/JobService", None),
    ("GET", "/redfish/v1/JobService/Jobs", None),
    ("GET", "/redfish/v1/TaskService", None),
    ("GET", "/redfish/v1/TaskService/Tasks", None),
    ("GET", "/redfish/v1/UpdateService", None),
    ("GET", "/redfish/v1/UpdateService/FirmwareInventory", None),
    ("GET", "{manager}/LogServices/Lclog/Entries", None),
    ("PATCH", "{settings}", {"Attributes": {"NumLock": "Off"}}),
    ("POST", "{jobs}", {"TargetSettingsURI": "{settings}"}),
    ("POST", "{job_service}/Actions/DellJobService.CreateRebootJob", {"RebootJobType": POWER_CYCLE}),
    ("POST", "{job_service}/Actions/DellJobService.DeleteJobQueue", {"JobID": FORCE}),
    ("POST", "{system}/Actions/ComputerSystem.Reset", {"ResetType": "ForceRestart"}),
    ("DELETE", "{jobs}/JID_000000000000", None),
]


def places(bmc):
    names = ("manager", "system", "bios", "settings", "jobs", "job_service")
    return {name: getattr(bmc, name) for name in names}


@pytest.mark.parametrize("uri", ANSWERS)
def test_what_does_not_need_the_data_services_answers_all_the_while(bmc, uri):
    desk = Desk(bmc)
    uri = uri.format(**places(bmc))
    clear(desk, FORCE)
    assert bmc.get(uri).status == 200


@pytest.mark.parametrize(("method", "uri", "body"), KEEPS_SILENT, ids=[f"{row[0]} {row[1]}" for row in KEEPS_SILENT])
def test_what_needs_them_is_refused_until_they_are_back(bmc, method, uri, body):
    desk = Desk(bmc)
    uri = uri.format(**places(bmc))
    desk.bmc.get(uri)  # so that there is an answer that was kept
    clear(desk, FORCE)
    for seconds in (0, SERVICES - 1):
        desk.until(seconds)
        answer = refused(desk, lambda desk: bmc.call(method, uri, body))
        assert (answer.status, answer.message_ids) == (400, ["IDRAC.SWC0700"])
    desk.until(SERVICES)
    assert "IDRAC.SWC0700" not in bmc.call(method, uri, body).message_ids


def test_the_host_goes_its_way_meanwhile(bmc):
    desk = Desk(bmc)
    desk.restart()
    desk.until(10)
    clear(desk, FORCE)
    for seconds, status in ((10, "InPOST"), (POST, "OutOfPOST")):
        desk.until(seconds)
        assert readiness(desk)[0]["ServerStatus"] == status


def test_one_can_log_in_meanwhile_and_restart_the_controller(bmc):
    desk = Desk(bmc)
    clear(desk, FORCE)
    account = {"UserName": "root", "Password": "calvin"}
    assert bmc.post("/redfish/v1/SessionService/Sessions", account).status == 201
    assert bmc.post(f"{bmc.manager}/Actions/Manager.Reset", {"ResetType": "GracefulRestart"}).status == 204
    desk.until(SERVICES)
    assert bmc.get("/redfish/v1").status == 503
    desk.until(120)
    assert readiness(desk)[0] == READY
