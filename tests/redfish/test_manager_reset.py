"""Manager.Reset: the controller restarts, answers nothing for a while, and goes on where it was."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime

import pytest
from conftest import Bmc, capture

from emulator.app import build_service
from emulator.settings import Settings

SECONDS = 120
CLOCK = "/jobfish/v1/clock"
SESSIONS = "/redfish/v1/SessionService/Sessions"
CHANGES = {"lifecycle-server": {"NumLock": "Off"}, "rack-server": {"NumLock": False}}


@pytest.fixture(params=CHANGES)
def both(make_bmc, request):
    """Both bundled mockups, one after the other."""
    return make_bmc(mockup=request.param)


def action(bmc):
    return bmc.get(bmc.manager).body["Actions"]["#Manager.Reset"]


def restart(bmc, body=None):
    return bmc.post(f"{bmc.manager}/Actions/Manager.Reset", body)


def stage(bmc):
    """Values, and the job that will apply them; gives its id."""
    body = {"Attributes": CHANGES[bmc.service.site.tree.name], "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    answer = bmc.patch(bmc.settings, body)
    assert answer.status == 202, answer.body
    bmc.advance(10)
    return answer.headers["Location"].rpartition("/")[2]


def job(bmc, job_id):
    return bmc.get(f"/redfish/v1/JobService/Jobs/{job_id}").body


def now(bmc):
    """The controller's clock, which also tells the time while the controller itself does not."""
    return datetime.fromisoformat(bmc.get(CLOCK).body["now"]).timestamp()


def everything(bmc):
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        return {**bmc_state(machine), "log": len(machine.log), "controller": machine.controller.to_plain()}


def bmc_state(machine):
    kinds = {"job": machine.queue.jobs, "session": machine.sessions, "pending": machine.pending}
    return {kind: list(found) for kind, found in kinds.items()} | {"due": list(machine.timeline)}


# -- what is offered --------------------------------------------------------------------------------------------------


def test_the_action_is_offered_where_the_mockup_has_none(both):
    assert "Actions" not in both.service.site.tree.documents[both.manager]
    assert action(both) == {
        "target": f"{both.manager}/Actions/Manager.Reset",
        "ResetType@Redfish.AllowableValues": ["GracefulRestart", "ForceRestart"],
    }


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("poweredge-r750.tar.xz", ["GracefulRestart"]),
        ("dmtf-public-rackmount1.tar.xz", ["ForceRestart", "GracefulRestart"]),
    ],
)
def test_a_captured_machine_offers_what_it_did(make_bmc, name, offered):
    bmc = make_bmc(mockup=str(capture(name)))
    assert action(bmc)["ResetType@Redfish.AllowableValues"] == offered
    assert restart(bmc, {"ResetType": "On"}).status == 400
    assert restart(bmc, {"ResetType": offered[-1]}).status == 204
    assert bmc.get(bmc.manager).status == 503
    bmc.advance(SECONDS)
    assert bmc.get(bmc.manager).status == 200


ACCEPTED = [
    # body of the request; without a ResetType it is the first one offered
    {"ResetType": "GracefulRestart"},
    {"ResetType": "ForceRestart"},
    {},
    None,
]


@pytest.mark.parametrize("body", ACCEPTED, ids=str)
def test_the_controller_restarts(both, body):
    answer = restart(both, body)
    assert (answer.status, answer.body) == (204, "")
    assert both.get(both.system).status == 503
    both.advance(SECONDS)
    assert both.get(both.system).status == 200


REFUSED = [
    # situation, body, status, last message
    ("a type for hosts", {"ResetType": "PowerCycle"}, 400, "Base.ActionParameterValueNotInList"),
    ("no type at all", {"ResetType": ""}, 400, "Base.ActionParameterValueNotInList"),
    ("the right type in the wrong case", {"ResetType": "gracefulrestart"}, 400, "Base.ActionParameterValueNotInList"),
    ("null", {"ResetType": None}, 400, "Base.ActionParameterValueTypeError"),
    ("a list", {"ResetType": ["ForceRestart"]}, 400, "Base.ActionParameterValueTypeError"),
    ("an unknown parameter", {"ResetTyp": "ForceRestart"}, 400, "Base.ActionParameterUnknown"),
    ("malformed JSON", b"{", 400, "Base.MalformedJSON"),
]


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_a_reset_that_cannot_be_is_refused_and_nothing_changes(both, row):
    _, body, status, message = row
    before = everything(both)
    answer = restart(both, body)
    assert (answer.status, answer.message_ids[-1]) == (status, message)
    assert everything(both) == before


@pytest.mark.parametrize("user", ["operator", "readonly", None], ids=str)
def test_who_may_not_restart_the_controller_changes_nothing(both, user):
    before = everything(both)
    both.user = (user, user) if user else None
    assert restart(both, {}).status == (403 if user else 401)
    assert everything(both) == before
    assert both.get("/redfish/v1/").status == 200


# -- while it is away -------------------------------------------------------------------------------------------------

REQUESTS = [
    # what kind of thing, method, where
    ("the root", "GET", "/redfish/v1/"),
    ("the version document", "GET", "/redfish"),
    ("a file", "GET", "/redfish/v1/$metadata"),
    ("what lives", "GET", "{system}"),
    ("what needs no data services", "GET", "{manager}"),
    ("what is only delivered", "GET", "/redfish/v1/Chassis"),
    ("what is not there", "GET", "/redfish/v1/Nothing"),
    ("a query", "GET", "/redfish/v1/Chassis?$expand=."),
    ("a question for the headers", "HEAD", "{system}"),
    ("a log-in", "POST", SESSIONS),
    ("a change", "PATCH", "{settings}"),
    ("an action", "POST", "{system}/Actions/ComputerSystem.Reset"),
    ("another restart", "POST", "{manager}/Actions/Manager.Reset"),
    ("a method that is not there", "DELETE", "{system}"),
]


CALLERS = {"root": ("root", "calvin"), "a stranger": None, "somebody with a wrong password": ("root", "wrong")}


@pytest.mark.parametrize("row", REQUESTS, ids=[row[0] for row in REQUESTS])
@pytest.mark.parametrize("caller", CALLERS)
def test_nothing_is_answered_while_it_is_away(both, row, caller):
    _, method, where = row
    uri = where.format(system=both.system, manager=both.manager, settings=both.settings)
    for _ in range(2):
        both.get(uri)  # where an answer can be kept, it is kept now
    assert restart(both).status == 204
    before = everything(both)
    for seconds, left in ((0, "120"), (50, "70"), (69, "1")):
        both.user = CALLERS["root"]
        both.advance(seconds)
        both.user = CALLERS[caller]
        answer = both.call(method, uri, None if method in ("GET", "HEAD") else {})
        assert (answer.status, answer.headers["Retry-After"]) == (503, left)
        if method != "HEAD":
            assert answer.message_ids[0] == "Base.ServiceTemporarilyUnavailable"
            assert answer.info[0]["MessageArgs"] == [left]
    assert everything(both) == before


def test_a_reader_who_has_it_already_is_told_nothing_either(both):
    tag = both.get(both.system).headers["ETag"]
    restart(both)
    assert both.get(both.system, headers={"If-None-Match": tag}).status == 503


def test_the_emulators_own_face_still_answers(both):
    restart(both)
    start = now(both)
    both.advance(30)
    assert now(both) == start + 30
    assert both.get("/jobfish/v1/faults").status == 200
    assert both.get(both.system).status == 503


def test_the_other_controllers_do_not_notice(make_bmc):
    bmc = make_bmc(controllers=3)
    bmc.host = "127.0.0.2"
    restart(bmc)
    assert bmc.get(bmc.system).status == 503
    bmc.host = "127.0.0.3"
    assert bmc.get(bmc.system).status == 200


# -- what becomes of things -------------------------------------------------------------------------------------------


def test_all_log_ins_end(both):
    made = both.post(SESSIONS, {"UserName": "root", "Password": "calvin"})
    token = {"X-Auth-Token": made.headers["X-Auth-Token"]}
    assert both.post(f"{both.manager}/Actions/Manager.Reset", {}, headers=token).status == 204, "even the caller's own"
    both.advance(SECONDS)
    assert both.get(both.system, headers=token).status == 401
    assert both.get(SESSIONS).body["Members"] == []


def test_jobs_and_staged_values_survive(both):
    made = stage(both)
    before = (job(both, made), both.pending(), both.attributes())
    restart(both)
    both.advance(SECONDS)
    assert (job(both, made), both.pending(), both.attributes()) == before
    both.reset()
    both.advance(600)
    assert job(both, made)["JobState"] == "Completed"
    assert both.attributes()["NumLock"] == CHANGES[both.service.site.tree.name]["NumLock"]


def test_what_the_host_does_goes_on_and_what_the_controller_does_waits(both):
    post = both.service.manifest.timings.post_seconds
    made = stage(both)
    both.reset()
    both.advance(post - 1)
    restart(both)
    back = now(both) + SECONDS
    both.advance(SECONDS)
    found = job(both, made)
    assert found["JobState"] == "Running", "POST was done long ago, and the job has begun only now"
    assert datetime.fromisoformat(found["StartTime"]).timestamp() == pytest.approx(back, abs=1)
    both.advance(600)
    assert job(both, made)["JobState"] == "Completed"
    assert both.get(both.system).body["BootProgress"]["LastState"] == "OSRunning"


def test_it_tells_when_it_restarted_and_writes_it_down(both):
    delivered = both.get(both.manager).body["LastResetTime"]
    assert delivered == both.service.site.tree.documents[both.manager]["LastResetTime"]
    both.advance(1000)
    moment = both.get(both.manager).body["DateTime"]
    restart(both)
    both.advance(SECONDS)
    assert both.get(both.manager).body["LastResetTime"] == moment
    newest = both.get(both.service.site.lifecycle_log.entries_uri).body["Members"][:2]
    says = [entry["MessageId"].rpartition(".")[2] for entry in newest]
    assert says[1] == "ControllerRestarting"
    assert says[0] == ("RAC0182" if both.service.site.dialect == "dell" else "ControllerRestarted")
    assert newest[1]["Created"] == moment


@contextmanager
def process(state):
    """A controller that is there for a while, and leaves its state behind."""
    service = build_service(Settings(clock="manual"), state_folder=state)
    service.start()
    try:
        yield Bmc(service)
    finally:
        service.stop()


def test_it_is_still_away_when_the_process_has_started_again(tmp_path):
    with process(tmp_path) as bmc:
        bmc.create_reboot_job()
        restart(bmc)
        bmc.advance(100)
    with process(tmp_path) as bmc:
        for uri in ("/redfish/v1/", bmc.system, "/redfish/v1/Chassis"):
            answer = bmc.get(uri)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "20")
        bmc.advance(20)
        assert bmc.get(bmc.jobs).body["Members@odata.count"] == 1


# -- versions ---------------------------------------------------------------------------------------------------------


def install(bmc, is_meant, version):
    """Put a version onto a component, as an update does; gives the version it replaces."""
    component = next(component for component in bmc.service.site.components if is_meant(component))
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        firmware = machine.devices["Firmware"]
        (step,) = firmware.plan({component.id: version})
        assert firmware.apply(step, machine.moment).ok
        machine.touch("device", "Firmware")
    return component.version


VERSIONS = [
    # which component, where its version is shown
    ("the controller", lambda component: component.is_controller, "manager", "FirmwareVersion"),
    ("the BIOS", lambda component: component.id.lower().startswith("bios"), "system", "BiosVersion"),
]


@pytest.mark.parametrize("row", VERSIONS, ids=[row[0] for row in VERSIONS])
@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server", "poweredge-r750.tar.xz"])
def test_the_versions_shown_are_those_installed(make_bmc, row, mockup):
    _, is_meant, where, name = row
    bmc = make_bmc(mockup=str(capture(mockup)) if mockup.endswith(".xz") else mockup)
    uri = getattr(bmc, where)
    delivered = bmc.service.site.tree.documents[uri][name]
    assert bmc.get(uri).body[name] == delivered
    assert install(bmc, is_meant, "99.1.2") == delivered
    assert bmc.get(uri).body[name] == "99.1.2"
    assert install(bmc, is_meant, delivered) == delivered
    assert bmc.get(uri).body[name] == delivered


def test_the_manager_still_leads_to_its_image_when_that_is_another_one(both):
    install(both, lambda component: component.is_controller, "99.1.2")
    links = both.get(both.manager).body["Links"]
    for link in (links["ActiveSoftwareImage"], *links["SoftwareImages"]):
        assert both.get(link["@odata.id"]).body["Version"] == "99.1.2"
