"""DellLCService's actions for the whole system: remote diagnostics and system erase, as clients do them."""

from __future__ import annotations

import pytest
import requests
from web_share import let_it_transfer

from emulator.core.update import offer

MANAGER = "Managers/iDRAC.Embedded.1"
SERVICES = [f"/redfish/v1/{MANAGER}/Oem/Dell/DellLCService", f"/redfish/v1/Dell/{MANAGER}/DellLCService"]
RUN, EXPORT, ERASE = "RunePSADiagnostics", "ExportePSADiagnosticsResult", "SystemErase"
RESULT = "/redfish/v1/Dell/diags.txt"
REBOOTS = ["GracefulRebootWithForcedShutdown", "GracefulRebootWithoutForcedShutdown", "PowerCycle"]
COMPONENTS = [
    *("AllApps", "BIOS", "CryptographicErasePD", "DIAG", "DrvPack", "IDRAC", "LCData", "NonVolatileMemory"),
    *("OverwritePD", "PERCNVCache", "vFlash"),
]
EXPRESS = {"RebootJobType": "PowerCycle", "RunMode": "Express"}
READY, EXPRESS_SECONDS = 95, 600
"""Seconds: a power cycle, and all express tests."""
UP, COMPONENT = 115, 60
"""Seconds: a graceful restart, and erasing a component."""


def act(bmc, action, body, service=SERVICES[0], **options):
    return bmc.post(f"{service}/Actions/DellLCService.{action}", body, **options)


def begun(bmc, action, body, **options):
    """The id of the job that an action has begun."""
    answer = act(bmc, action, body, **options)
    assert (answer.status, answer.message_ids) == (202, ["Base.Success", "IDRAC.SYS413"]), answer.body
    return answer.headers["Location"].rpartition("/")[2]


def diagnosed(bmc):
    """The id of a diagnostics job that has ended."""
    job = begun(bmc, RUN, EXPRESS)
    bmc.advance(READY + EXPRESS_SECONDS + 1)
    return job


def erased(bmc, *components):
    job = begun(bmc, ERASE, {"Component": list(components)})
    bmc.advance(UP + COMPONENT * len(components))
    return job


def ended(bmc, job):
    found = bmc.job(job)
    return found["JobState"], found["MessageId"], found["Message"]


# -- the service ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_the_actions_are_offered_with_what_they_take(any_bmc, service):
    actions = any_bmc.get(service).body["Actions"]
    offered = {
        name: {key: value for key, value in action.items() if key != "target"} for name, action in actions.items()
    }
    assert offered[f"#DellLCService.{RUN}"] == {
        "RebootJobType@Redfish.AllowableValues": REBOOTS,
        "RunMode@Redfish.AllowableValues": ["Express", "ExpressAndExtended", "Extended"],
    }
    assert offered[f"#DellLCService.{EXPORT}"] == {"ShareType@Redfish.AllowableValues": ["HTTP", "HTTPS", "Local"]}
    assert offered[f"#DellLCService.{ERASE}"] == {"Component@Redfish.AllowableValues": COMPONENTS}
    for name, action in actions.items():
        assert action["target"] == f"{service}/Actions/{name[1:]}"
        assert any_bmc.get(action["target"]).status == 405


def test_a_plain_service_has_none_of_it(rack):
    before = rack.state()
    for uri in (RESULT, f"{rack.manager}/Oem/Dell/DellLCService"):
        assert rack.get(uri).status == 404
    for action in (RUN, EXPORT, ERASE):
        assert rack.post(f"{rack.manager}/Oem/Dell/DellLCService/Actions/DellLCService.{action}", {}).status == 404
    assert rack.state() == before


# -- diagnostics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_diagnostics_run_to_their_end_in_every_view(any_bmc, service):
    job = begun(any_bmc, RUN, EXPRESS, service=service)
    found = any_bmc.job(job)
    assert (found["JobState"], found["JobType"], found["Name"], found["MessageId"]) == (
        *("Scheduled", "RemoteDiagnostics", "Remote Diagnostics", "JCP001"),
    )
    any_bmc.advance(READY + 1)
    assert any_bmc.job(job)["JobState"] == "Running"
    assert any_bmc.get(f"/redfish/v1/TaskService/TaskMonitors/{job}").status == 202
    any_bmc.advance(EXPRESS_SECONDS)
    assert ended(any_bmc, job) == ("Completed", "SYS018", "Job completed successfully.")
    task = any_bmc.get(f"/redfish/v1/TaskService/Tasks/{job}")
    assert (task.status, task.body["TaskState"]) == (200, "Completed")
    assert any_bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body["JobState"] == "Completed"


def test_the_result_is_a_text_that_needs_credentials_and_tells_what_was_diagnosed(bmc):
    assert bmc.get(RESULT).status == 404
    bmc.post("/jobfish/v1/faults", {"target": "NIC.Embedded.1-1-1", "step": "diagnose", "message_id": "NIC100"})
    job = diagnosed(bmc)
    answer = act(bmc, EXPORT, {"ShareType": "Local"})
    assert (answer.status, answer.headers["Location"]) == (202, RESULT)
    assert answer.message_ids == ["Base.Success", "IDRAC.SYS413"]
    got = bmc.get(RESULT)
    assert (got.status, got.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    lines = got.body.splitlines()
    system = bmc.get(bmc.system).body
    assert f"Service tag  {system['SKU']}" in lines
    assert f"Job          {job}" in lines
    assert "  BIOS.Setup.1-1        Passed" in lines
    assert "  NIC.Embedded.1-1-1    FAILED  NIC100" in lines
    assert lines[-1] == "9 tests, 1 failed."
    assert bmc.job(job)["JobState"] == "Completed"
    assert bmc.get(RESULT, headers={"If-None-Match": got.headers["ETag"]}).status == 304
    bmc.user = None
    assert bmc.get(RESULT).status == 401


def test_each_of_many_controllers_has_a_result_of_its_own(make_bmc):
    first = make_bmc(controllers=2)
    second = type(first)(first.service, host="127.0.0.2")
    diagnosed(second)
    assert first.get(RESULT).status == 404
    tag = second.get(second.system).body["SKU"]
    assert tag != first.get(first.system).body["SKU"]
    assert f"Service tag  {tag}" in second.get(RESULT).body


@pytest.mark.parametrize(
    ("body", "waits"),
    [
        ({}, False),
        ({"ScheduledStartTime": "TIME_NOW"}, False),
        ({"ScheduledStartTime": "20990101000000"}, True),
        ({"ScheduledStartTime": "20990101000000", "UntilTime": "20990101010000"}, True),
        ({"UntilTime": "20990101010000"}, False),
    ],
)
def test_a_start_and_an_end_are_local_times(bmc, body, waits):
    job = begun(bmc, RUN, {"RebootJobType": "PowerCycle", **body})
    found = bmc.job(job)
    if "UntilTime" in body:
        assert found["EndTime"] == "2099-01-01T01:00:00"
    if waits:
        assert found["StartTime"] == "2099-01-01T00:00:00"
    bmc.advance(READY + EXPRESS_SECONDS)
    assert bmc.job(job)["JobState"] == ("Scheduled" if waits else "Completed")


HTTP = {"ShareType": "HTTP", "IPAddress": "127.0.0.1", "FileName": "diags.txt"}
MISSING = ["IDRAC.SYS428", "Base.ActionParameterMissing"]
NOT_IN_LIST = ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"]
FORMAT = ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"]
TYPE = ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]
UNKNOWN = ["IDRAC.SYS429", "Base.ActionParameterUnknown"]
REFUSED = [
    ("no kind of reboot", RUN, {"RunMode": "Express"}, MISSING),
    ("an unknown kind of reboot", RUN, {"RebootJobType": "Maybe"}, ["IDRAC.SYS426", "IDRAC.SUP005", "Base.ActionParameterValueNotInList"]),
    ("an unknown mode", RUN, {**EXPRESS, "RunMode": "Thorough"}, NOT_IN_LIST),
    ("a mode that is no text", RUN, {**EXPRESS, "RunMode": 1}, TYPE),
    ("an unknown parameter", RUN, {**EXPRESS, "Mode": "x"}, UNKNOWN),
    ("a malformed start", RUN, {**EXPRESS, "ScheduledStartTime": "tomorrow"}, ["IDRAC.SUP017", "IDRAC.JCP011"]),
    ("a malformed end", RUN, {**EXPRESS, "UntilTime": "2099"}, ["IDRAC.SUP018", "IDRAC.JCP011"]),
    ("a start that has passed", RUN, {**EXPRESS, "ScheduledStartTime": "20200101000000"}, ["IDRAC.SUP017"]),
    ("too short a window", RUN, {**EXPRESS, "ScheduledStartTime": "20990101000000", "UntilTime": "20990101000459"}, ["IDRAC.JCP016"]),
    ("nothing to export", EXPORT, {"ShareType": "Local"}, ["IDRAC.SYS099"]),
    ("nothing to send", EXPORT, HTTP, ["IDRAC.SYS099"]),
    ("no type of share", EXPORT, {}, MISSING),
    ("an NFS share", EXPORT, {**HTTP, "ShareType": "NFS"}, ["Jobfish.ShareTypeNotPossible"]),
    ("a CIFS share", EXPORT, {**HTTP, "ShareType": "CIFS"}, ["Jobfish.ShareTypeNotPossible"]),
    ("a share without an address", EXPORT, {"ShareType": "HTTP", "FileName": "a"}, MISSING),
    ("a share without a file", EXPORT, {"ShareType": "HTTPS", "IPAddress": "127.0.0.1"}, MISSING),
    ("an address that is none", EXPORT, {**HTTP, "IPAddress": "u:p@host"}, FORMAT),
    ("an unknown component", ERASE, {"Component": ["BIOS", "Nope"]}, NOT_IN_LIST),
    ("a component in the wrong case", ERASE, {"Component": ["bios"]}, NOT_IN_LIST),
    ("no component", ERASE, {"Component": []}, FORMAT),
    ("no list of components", ERASE, {"Component": "BIOS"}, TYPE),
    ("nothing at all", ERASE, {}, MISSING),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_is_refused(bmc, row):
    _, action, body, messages = row
    before = bmc.state()
    answer = act(bmc, action, body)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bmc.state() == before


def test_a_share_that_cannot_be_is_refused_with_those_that_can(bmc):
    diagnosed(bmc)
    (info,) = act(bmc, EXPORT, {**HTTP, "ShareType": "NFS"}).info
    assert info["MessageArgs"] == ["NFS", "LOCAL, HTTP, HTTPS"]


def test_there_is_one_at_a_time(bmc):
    begun(bmc, RUN, EXPRESS)
    before = bmc.state()
    answer = act(bmc, RUN, EXPRESS)
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.SYS098"])
    assert bmc.state() == before


RIGHTS = [
    ("operator", RUN, EXPRESS, 202),
    ("readonly", RUN, EXPRESS, 403),
    ("operator", ERASE, {"Component": ["DIAG"]}, 403),
    ("readonly", EXPORT, {"ShareType": "Local"}, 403),
]


@pytest.mark.parametrize(("user", "action", "body", "status"), RIGHTS)
def test_who_may_do_it(bmc, user, action, body, status):
    bmc.user = (user, user)
    assert act(bmc, action, body).status == status


def test_data_services_that_start_again_are_waited_for(bmc):
    assert bmc.act("DeleteJobQueue", JobID="JID_CLEARALL_FORCE").status == 200
    assert act(bmc, RUN, EXPRESS).message_ids == ["IDRAC.SWC0700"]


@pytest.mark.parametrize("name", ["Username", "UserName"])
def test_the_result_goes_to_a_share(bmc, web, name, caplog):
    diagnosed(bmc)
    share = {
        **{"ShareType": "HTTP", "IPAddress": f"127.0.0.1:{web.server_port}", "ShareName": "/diags/"},
        **{"FileName": "one.txt", name: "u", "Password": "Swordfish", "IgnoreCertWarning": "On"},
    }
    job = begun(bmc, EXPORT, share)
    assert (bmc.job(job)["Name"], bmc.job(job)["JobType"]) == ("Export: ePSA Diagnostics", "RemoteDiagnostics")
    bmc.advance(5)
    let_it_transfer(bmc)
    assert ended(bmc, job) == ("Completed", "SYS085", "Successfully exported the ePSA Diagnostics results.")
    assert web.files["/diags/one.txt"].decode() == bmc.get(RESULT).body
    assert web.asked[-1][2].startswith("Basic ")
    assert b"Swordfish" not in b"".join(bmc.state().values())
    assert "Swordfish" not in caplog.text


def test_a_share_that_is_not_there_fails_the_job_and_says_so(bmc, web):
    diagnosed(bmc)
    port = web.server_port
    web.server_close()
    job = begun(bmc, EXPORT, {**HTTP, "IPAddress": f"127.0.0.1:{port}"})
    bmc.advance(5)
    let_it_transfer(bmc)
    state, message_id, text = ended(bmc, job)
    assert (state, message_id) == ("Failed", "SYS086")
    assert text.startswith("Unable to copy the results")


# -- system erase -----------------------------------------------------------------------------------------------------


def test_an_erase_leaves_the_host_off_and_the_controller_restarts(any_bmc):
    session = any_bmc.post("/redfish/v1/SessionService/Sessions", {"UserName": "root", "Password": "calvin"})
    job = begun(any_bmc, ERASE, {"Component": ["DIAG", "DrvPack"]})
    found = any_bmc.job(job)
    assert (found["JobState"], found["JobType"], found["Name"]) == ("Scheduled", "SystemErase", "System_Erase")
    any_bmc.advance(UP + 2 * COMPONENT)
    assert ended(any_bmc, job) == ("Completed", "SYS018", "Job completed successfully.")
    assert any_bmc.get(any_bmc.system).body["PowerState"] == "Off"
    any_bmc.advance(30)
    assert any_bmc.get(any_bmc.system).status == 503
    any_bmc.advance(120)
    assert any_bmc.get(any_bmc.system).body["PowerState"] == "Off"
    assert any_bmc.job(job)["JobState"] == "Completed"
    assert any_bmc.get(session.headers["Location"]).status == 404
    assert any_bmc.reset("On").status == 204


def test_the_bios_has_its_defaults_and_its_boot_order_again(bmc):
    def order():
        return bmc.get(bmc.system).body["Boot"]["BootOrder"]

    assert bmc.post(f"{bmc.bios}/Actions/Bios.ResetBios", {}).status == 200
    bmc.reset()
    bmc.advance(3600)
    defaults, first_order = bmc.attributes(), order()
    assert bmc.patch(bmc.system, {"Boot": {"BootOrder": first_order[::-1]}}).status == 200
    bmc.reset()
    bmc.advance(3600)
    assert bmc.patch_bios(NumLock="Off", AssetTag="mine").status == 200
    bmc.create_job()
    bmc.reset()
    bmc.advance(3600)
    assert (bmc.attributes()["NumLock"], bmc.attributes()["AssetTag"], order()) == ("Off", "mine", first_order[::-1])
    erased(bmc, "BIOS")
    assert (bmc.attributes(), order()) == (defaults, first_order)


def test_lifecycle_data_are_gone_from_every_view(any_bmc):
    diagnosed(any_bmc)
    any_bmc.patch_bios(NumLock="Off")
    inventory = "/redfish/v1/UpdateService/FirmwareInventory"

    def kept():
        names = [member["@odata.id"].rpartition("/")[2] for member in any_bmc.get(inventory).body["Members"]]
        return [name for name in names if name.startswith(("Previous-", "Available-"))]

    with any_bmc.service.fleet.seat_for(any_bmc.host).turn() as machine:
        offer(machine, {"header": {"component": "BIOS.Setup.1-1", "version": "99.0"}})
    assert kept()
    installed = len(any_bmc.get(inventory).body["Members"]) - len(kept())
    job = erased(any_bmc, "LCData")
    assert ended(any_bmc, job)[:2] == ("Completed", "SYS018")
    assert [member["@odata.id"] for member in any_bmc.get(any_bmc.jobs).body["Members"]] == [f"{any_bmc.jobs}/{job}"]
    assert any_bmc.pending() == {}
    assert kept() == []
    assert len(any_bmc.get(inventory).body["Members"]) == installed
    entries = any_bmc.get(f"{any_bmc.manager}/LogServices/Lclog/Entries").body["Members"]
    assert [entry["MessageId"].rpartition(".")[2] for entry in entries] == ["SYS1001", "SYS018", "StepDone", "SYS141"]


def test_what_somebody_told_the_controller_is_forgotten(bmc):
    assert bmc.act("SetDeleteOnCompletionTimeout", DeleteOnCompletionTimeout=60).status == 200
    assert bmc.patch(bmc.manager, {"DateTimeLocalOffset": "+02:00"}).status == 200
    erased(bmc, "IDRAC")
    assert bmc.get(bmc.job_service).body["DeleteOnCompletionTimeoutMinutes"] == 2880
    assert bmc.get(bmc.manager).body["DateTimeLocalOffset"] == "-05:00"


def test_the_result_of_the_diagnostics_is_gone(bmc):
    diagnosed(bmc)
    assert bmc.get(RESULT).status == 200
    erased(bmc, "DIAG")
    assert bmc.get(RESULT).status == 404


def test_each_component_is_a_step_with_an_outcome_of_its_own(bmc):
    job = erased(bmc, "DIAG", "OverwritePD", "NonVolatileMemory", "vFlash")
    assert ended(bmc, job)[:2] == ("Failed", "SYS157"), "by the preset of the policy a mixture is a failure"
    steps = f"/redfish/v1/JobService/Jobs/{job}/Steps"
    found = [bmc.get(member["@odata.id"]).body for member in bmc.get(steps).body["Members"]]
    told = [
        (step["Name"], step["JobState"], [entry["MessageId"].rpartition(".")[2] for entry in step["Messages"]])
        for step in found
    ]
    assert told == [
        ("DIAG", "Completed", []),
        ("OverwritePD", "Exception", ["SYS204"]),
        ("NonVolatileMemory", "Exception", ["SYS307"]),
        ("vFlash", "Exception", ["SYS159"]),
    ]


def test_an_erase_waits_for_nobody(bmc):
    begun(bmc, RUN, EXPRESS)
    before = bmc.state()
    answer = act(bmc, ERASE, {"Component": ["DIAG"]})
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.SYS168"])
    assert bmc.state() == before


# -- texts that clients look into -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "body", "bad"),
    [
        (RUN, EXPRESS, ("fail", "unable")),
        (ERASE, {"Component": ["BIOS", "DIAG", "IDRAC", "LCData"]}, ("fail", "unable", "invalid", "cannot")),
    ],
)
def test_texts_of_what_goes_well_cannot_be_mistaken(bmc, action, body, bad):
    """Clients take a job for failed by these words in its message, whatever its state."""
    job, said = begun(bmc, action, body), []
    for _ in range(80):
        answer = bmc.get(f"{bmc.jobs}/{job}")
        said += [(answer.body["JobState"], answer.body["Message"])] if answer.status == 200 else []
        bmc.advance(10)
    assert said[-1] == ("Completed", "Job completed successfully.")
    assert not [text for _, text in said for word in bad if word in text.lower()]


# -- another process --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "body", "seconds"),
    [
        (RUN, EXPRESS, READY + 200),
        (ERASE, {"Component": ["BIOS", "LCData", "DIAG"]}, UP + 70),
    ],
)
def test_a_job_goes_on_where_it_was_when_the_process_was_killed(serve, tmp_path, action, body, seconds):
    arguments = ("--state", str(tmp_path), "--clock", "manual", "--http")

    def ask(process, method, path, content=None):
        answer = requests.request(method, process.url + path, json=content, auth=("root", "calvin"), timeout=20)
        assert answer.ok, answer.text
        return answer

    first = serve(*arguments)
    made = ask(first, "POST", f"{SERVICES[0]}/Actions/DellLCService.{action}", body)
    job = f"/redfish/v1/{MANAGER}/Oem/Dell/Jobs/{made.headers['Location'].rpartition('/')[2]}"
    ask(first, "POST", "/jobfish/v1/clock", {"advance": seconds})
    seen = ask(first, "GET", job).json()
    assert seen["JobState"] == "Running"
    first.kill()
    again = serve(*arguments)
    assert ask(again, "GET", job).json() == seen
    ask(again, "POST", "/jobfish/v1/clock", {"advance": 3600})
    assert ask(again, "GET", job).json()["JobState"] == "Completed"
    if action == RUN:
        again.kill()
        assert "0 failed" in ask(serve(*arguments), "GET", RESULT).text
