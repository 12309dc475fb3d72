"""DellLCService: whether the lifecycle controller is ready for work, and who answers while it is not."""

from __future__ import annotations

import pytest
from conftest import capture

SERVICES = ["{manager}/Oem/Dell/DellLCService", "/redfish/v1/Dell/Managers/iDRAC.Embedded.1/DellLCService"]
ACTIONS = ["GetRemoteServicesAPIStatus", "GetRSStatus"]
ENUMERATIONS = {
    "LCStatus": {"Disabled", "InRecovery", "InUse", "NotInitialized", "Ready", "ReloadingData"},
    "RTStatus": {"NotReady", "Ready"},
    "ServerStatus": {"AutomatedTaskExecution", "InPOST", "OutOfPOST", "PoweredOff"},
    "Status": {"Disabled", "InRecovery", "InUse", "NotReady", "Ready", "ReloadingData"},
    "TelemetryServiceStatus": {"NotReady", "Ready"},
}
"""What the schema allows; of ServerStatus, what this host can be."""


def ask(bmc, action="GetRemoteServicesAPIStatus", service=SERVICES[0], body=None):
    uri = service.format(manager=bmc.manager)
    return bmc.post(f"{uri}/Actions/DellLCService.{action}", {} if body is None else body)


def stage_a_job(bmc):
    assert bmc.patch_bios(NumLock="Off").status == 200
    return bmc.create_job()


def force_clear(bmc):
    assert bmc.act("DeleteJobQueue", JobID="JID_CLEARALL_FORCE").status == 200


SITUATIONS = [
    # situation, [what is done or how long is waited], LCStatus, RTStatus, ServerStatus, Status, GetRSStatus
    ("nothing is going on", [], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
    ("a job is scheduled", ["job", 10], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
    ("the host is off", ["ForceOff"], "Ready", "Ready", "PoweredOff", "Ready", "Ready"),
    ("the host is off for a moment", ["PowerCycle"], "Ready", "Ready", "PoweredOff", "Ready", "Ready"),
    ("the host is shutting down", ["GracefulShutdown"], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
    ("the host is in POST", ["ForceRestart", 89], "Ready", "Ready", "InPOST", "NotReady", "Ready"),
    ("the host boots", ["ForceRestart", 91], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
    ("a job is running", ["job", "ForceRestart", 91], "InUse", "Ready", "AutomatedTaskExecution", "InUse", "Ready"),
    ("a job has just ended", ["job", "ForceRestart", 105], "ReloadingData", "Ready", "OutOfPOST", "ReloadingData", "Reloading"),
    ("the inventory is about to be read", ["job", "ForceRestart", 134], "ReloadingData", "Ready", "OutOfPOST", "ReloadingData", "Reloading"),
    ("the inventory has been read", ["job", "ForceRestart", 135], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
    ("off while the inventory is read", ["job", "ForceRestart", 105, "ForceOff"], "ReloadingData", "Ready", "PoweredOff", "ReloadingData", "Reloading"),
    ("a reboot job has ended", ["reboot job", 96], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
    ("the data services start again", ["clear by force"], "NotInitialized", "NotReady", "OutOfPOST", "NotReady", "Not Ready"),
    ("they are about to be there", ["clear by force", 89], "NotInitialized", "NotReady", "OutOfPOST", "NotReady", "Not Ready"),
    ("they are there", ["clear by force", 90], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
    ("they start again in POST", ["ForceRestart", "clear by force"], "NotInitialized", "NotReady", "InPOST", "NotReady", "Not Ready"),
    ("they start again after a job", ["job", "ForceRestart", 105, "clear by force"], "NotInitialized", "NotReady", "OutOfPOST", "NotReady", "Not Ready"),
    ("the controller has restarted", ["restart", 120], "Ready", "Ready", "OutOfPOST", "Ready", "Ready"),
]  # fmt: skip


def arrange(bmc, deeds):
    for deed in deeds:
        if isinstance(deed, int):
            bmc.advance(deed)
        elif deed == "job":
            stage_a_job(bmc)
        elif deed == "reboot job":
            assert (
                bmc.act("SetupJobQueue", JobArray=[bmc.create_reboot_job()], StartTimeInterval="TIME_NOW").status == 200
            )
        elif deed == "clear by force":
            force_clear(bmc)
        elif deed == "restart":
            assert bmc.post(f"{bmc.manager}/Actions/Manager.Reset", {}).status == 204
        else:
            assert bmc.reset(deed).status == 204


@pytest.mark.parametrize("row", SITUATIONS, ids=[row[0] for row in SITUATIONS])
def test_the_status_is_true(bmc, row):
    _, deeds, lc_status, rt_status, server_status, status, rs_status = row
    arrange(bmc, deeds)
    answer = ask(bmc)
    assert answer.status == 200
    assert {key: value for key, value in answer.body.items() if not key.startswith("@")} == {
        "LCStatus": lc_status,
        "RTStatus": rt_status,
        "ServerStatus": server_status,
        "Status": status,
        "TelemetryServiceStatus": rt_status,
    }
    says = "IDRAC.LC061" if status == "Ready" else "IDRAC.LC060"
    assert answer.message_ids == ["Base.Success", says], "the message says what Status says"
    assert ask(bmc, "GetRSStatus").body["Status"] == rs_status


def test_every_word_is_one_of_the_schemas(bmc):
    from emulator.core.controller import Condition
    from emulator.core.host import Phase

    seat = bmc.service.fleet.seat_for(bmc.host)
    for condition in set(Condition) - {Condition.AWAY}:
        for phase in Phase:
            with seat.turn() as machine:
                machine.controller.condition, machine.host.phase = condition, phase
            found = ask(bmc).body
            assert {key for key, allowed in ENUMERATIONS.items() if found[key] not in allowed} == set()
            assert (found["Status"] == "Ready") <= (found["LCStatus"] == "Ready"), "clients wait for both"


def test_asking_changes_nothing(bmc):
    stage_a_job(bmc)
    before = bmc.state()
    for action in ACTIONS:
        assert ask(bmc, action).status == 200
    assert bmc.state() == before


# -- where it is ------------------------------------------------------------------------------------------------------


def test_the_manager_leads_to_it(bmc):
    uri = bmc.get(bmc.manager).body["Links"]["Oem"]["Dell"]["DellLCService"]["@odata.id"]
    found = bmc.get(uri).body
    assert (uri, found["@odata.id"], found["Id"]) == (f"{bmc.manager}/Oem/Dell/DellLCService", uri, "DellLCService")
    assert {name: bmc.post(action["target"], {}).status for name, action in found["Actions"].items()} == {
        "#DellLCService.ExportePSADiagnosticsResult": 400,
        "#DellLCService.GetRSStatus": 200,
        "#DellLCService.GetRemoteServicesAPIStatus": 200,
        "#DellLCService.RunePSADiagnostics": 400,
        "#DellLCService.SystemErase": 400,
    }, "what is offered works, or wants parameters, and there is nothing else"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("action", ACTIONS)
def test_both_places_and_every_empty_body_will_do(bmc, service, action):
    uri = service.format(manager=bmc.manager)
    assert bmc.get(uri).body["@odata.id"] == uri
    target = f"{uri}/Actions/DellLCService.{action}"
    answers = [bmc.post(target, {}), bmc.post(target), bmc.post(f"{target}/", {}), bmc.post(target, b"")]
    assert [answer.status for answer in answers] == [200] * 4
    assert {str(answer.body) for answer in answers} == {str(answers[0].body)}


REFUSED = [
    # method, where, body, status, last message
    ("POST", "{service}/Actions/DellLCService.GetRSStatus", {"Wait": 1}, 400, "Base.ActionParameterUnknown"),
    ("POST", "{service}/Actions/DellLCService.GetRSStatus", b"{", 400, "Base.MalformedJSON"),
    ("POST", "{service}/Actions/DellLCService.GetRSStatus", b"[]", 400, "Base.UnrecognizedRequestBody"),
    ("GET", "{service}/Actions/DellLCService.GetRSStatus", None, 405, "Base.OperationNotAllowed"),
    ("POST", "{service}/Actions/DellLCService.LCWipe", {}, 404, "Base.ResourceMissingAtURI"),
    ("PATCH", "{service}", {}, 405, "Base.OperationNotAllowed"),
    ("DELETE", "{service}", None, 405, "Base.OperationNotAllowed"),
]


@pytest.mark.parametrize("row", REFUSED, ids=[f"{row[0]} {row[1]} {row[2]}" for row in REFUSED])
def test_what_it_cannot_do_is_refused_and_changes_nothing(bmc, row):
    method, where, body, status, message = row
    before = bmc.state()
    answer = bmc.call(method, where.format(service=SERVICES[0].format(manager=bmc.manager)), body)
    assert (answer.status, answer.message_ids[-1]) == (status, message)
    assert bmc.state() == before


@pytest.mark.parametrize("user", ["operator", "readonly", None], ids=str)
def test_whoever_logs_in_may_ask(bmc, user):
    bmc.user = (user, user) if user else None
    assert ask(bmc).status == (200 if user else 401)


def test_a_plain_service_has_none(rack):
    assert rack.post(f"{rack.manager}/Oem/Dell/DellLCService/Actions/DellLCService.GetRSStatus", {}).status == 404
    assert "DellLCService" not in str(rack.get(rack.manager).body)


# -- while the data services start again ------------------------------------------------------------------------------

NEEDS_THEM = [
    "{system}",
    "{bios}",
    "{settings}",
    "{jobs}",
    "{manager}/Jobs",
    "{job_service}",
    "/redfish/v1/JobService/Jobs",
    "/redfish/v1/TaskService/Tasks",
    "{manager}/LogServices/Lclog/Entries",
]
NEEDS_NOTHING = [
    "/redfish",
    "/redfish/v1/",
    "/redfish/v1/odata",
    "/redfish/v1/$metadata",
    "/redfish/v1/SessionService",
    "/redfish/v1/SessionService/Sessions",
    "/redfish/v1/AccountService/Accounts",
    "{manager}",
    "{manager}/Oem/Dell/DellLCService",
    "{manager}/EthernetInterfaces",
]


def at(bmc, uri):
    places = {key: getattr(bmc, key) for key in ("system", "manager", "bios", "settings", "jobs", "job_service")}
    return uri.format(**places)


def test_only_what_the_controller_itself_knows_is_told(bmc):
    expected = {**dict.fromkeys(NEEDS_THEM, 400), **dict.fromkeys(NEEDS_NOTHING, 200)}
    for _ in range(2):
        assert {uri: bmc.get(at(bmc, uri)).status for uri in expected} == dict.fromkeys(expected, 200)  # and is kept
    force_clear(bmc)
    for method in ("GET", "HEAD"):
        assert {uri: bmc.call(method, at(bmc, uri)).status for uri in expected} == expected
    assert bmc.get(bmc.system).message_ids == ["IDRAC.SWC0700"]
    bmc.advance(90)
    assert {uri: bmc.get(at(bmc, uri)).status for uri in expected} == dict.fromkeys(expected, 200)


def test_nothing_is_done_that_needs_them(bmc):
    force_clear(bmc)
    before = bmc.state()
    answers = [
        bmc.patch_bios(NumLock="Off"),
        bmc.post(bmc.jobs, {"TargetSettingsURI": bmc.settings}),
        bmc.act("CreateRebootJob", RebootJobType="PowerCycle"),
        bmc.reset(),
    ]
    assert [(answer.status, answer.message_ids) for answer in answers] == [(400, ["IDRAC.SWC0700"])] * len(answers)
    assert bmc.state() == before


def test_logging_in_and_restarting_the_controller_work_all_the_same(bmc):
    force_clear(bmc)
    made = bmc.post("/redfish/v1/SessionService/Sessions", {"UserName": "root", "Password": "calvin"})
    assert made.status == 201
    assert bmc.delete(made.headers["Location"]).status == 200
    assert bmc.post(f"{bmc.manager}/Actions/Manager.Reset", {}).status == 204
    assert ask(bmc).status == 503, "it is away now, which is more than not being ready"
    bmc.advance(120)
    assert ask(bmc).body["Status"] == "Ready"


# -- a captured machine -----------------------------------------------------------------------------------------------


def test_the_r750_tells_whether_it_is_ready(make_bmc):
    r750 = make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))
    uri = r750.get(r750.manager).body["Links"]["Oem"]["Dell"]["DellLCService"]["@odata.id"]
    actions = r750.get(uri).body["Actions"]
    captured = r750.service.site.tree.documents[uri]["Actions"]
    offered = {name: action for name, action in actions.items() if "Diagnostics" not in name or "Run" in name}
    assert offered == {name: captured[name] for name in offered}, "exports go to fewer kinds of share than captured"
    for name in ACTIONS:
        assert r750.post(actions[f"#DellLCService.{name}"]["target"], {}).body["Status"] == "Ready"
    force_clear(r750)
    assert ask(r750).body["LCStatus"] == "NotInitialized"
    r750.advance(90)
    assert ask(r750).body["LCStatus"] == "Ready"
