"""Server configuration profiles: written down, compared and applied over Redfish, as a lifecycle controller does it."""

from __future__ import annotations

import json
import time

import orjson
import pytest
from web_share import let_it_transfer

from emulator.core.job import Job, Kind
from emulator.dialects.dell.oem.oem_manager import export
from emulator.formats.profile import flat, parse

EXPORT, IMPORT, PREVIEW = "ExportSystemConfiguration", "ImportSystemConfiguration", "ImportSystemConfigurationPreview"
TASKS = "/redfish/v1/TaskService/Tasks"
ALL, OF_BIOS = ({"ShareParameters": {"Target": target}} for target in ("ALL", "BIOS"))
BIOS = "BIOS.Setup.1-1"
CHANGE = {"ProcVirtualization": "Disabled", "NumLock": "Off"}
TO_COMPARE, TO_SHUT_DOWN, TO_START, FOR_EACH = 5, 20 + 5, 90, 15
"""Seconds: reading or comparing a component, shutting down and staying off, POST, each attribute."""


def act(bmc, action, body, place="EID_674_Manager"):
    return bmc.post(f"{bmc.manager}/Actions/Oem/{place}.{action}", body)


def begun(bmc, action, body):
    """The id of the job that an action has begun."""
    answer = act(bmc, action, body)
    assert (answer.status, answer.body) == (202, ""), answer.body
    return answer.headers["Location"].rpartition("/")[2]


def exported(bmc, layout="JSON", **more):
    """The profile as its file's text."""
    job = begun(bmc, EXPORT, {**ALL, "ExportFormat": layout, **more})
    bmc.advance(3600)
    body = bmc.get(f"{TASKS}/{job}").body
    return body if layout == "XML" else json.dumps(body)


def profile(values, device=BIOS):
    """A profile that sets these."""
    attributes = [{"Name": name, "Value": value} for name, value in values.items()]
    return json.dumps({"SystemConfiguration": {"Components": [{"FQDD": device, "Attributes": attributes}]}})


def with_buffer(values, **more):
    return {**ALL, "ImportBuffer": profile(values), **more}


def finished_import(bmc, body, action=IMPORT):
    """The finished job: its id and its task."""
    job = begun(bmc, action, body)
    bmc.advance(3600)
    answer = bmc.get(f"{TASKS}/{job}")
    assert answer.status == 200
    return job, answer.body


def results(task):
    """What became of each attribute."""
    told = [entry["Oem"]["Dell"] for entry in task["Messages"] if "Oem" in entry]
    return {entry["Name"]: (entry["Status"], entry["OldValue"], entry["NewValue"], entry["ErrCode"]) for entry in told}


def ended(task):
    return task["Oem"]["Dell"]["JobState"], task["Messages"][0]["MessageId"].rpartition(".")[2]


# -- where the actions are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [EXPORT, IMPORT, PREVIEW])
def test_the_manager_offers_the_actions_in_both_places(bmc, action):
    offered = bmc.get(bmc.manager).body["Actions"]["Oem"]
    older = offered[f"#OemManager.v1_4_0.OemManager#OemManager.{action}"]
    newer = offered[f"#OemManager.{action}"]
    assert older["target"] == f"{bmc.manager}/Actions/Oem/EID_674_Manager.{action}"
    assert newer["target"] == f"{bmc.manager}/Actions/Oem/OemManager.{action}"
    for found in (older, newer):
        share = found["ShareParameters"]
        assert share["ShareType@Redfish.AllowableValues"] == ["LOCAL", "HTTP", "HTTPS"]
        assert {"ALL", "BIOS", "NIC", "RAID"} <= set(share["Target@Redfish.AllowableValues"])
        assert bmc.post(found["target"], {}).message_ids == ["IDRAC.SYS428", "Base.ActionParameterMissing"]


def test_what_may_be_sent_is_told(bmc):
    offered = bmc.get(bmc.manager).body["Actions"]["Oem"]
    told = {name: value for found in offered.values() if isinstance(found, dict) for name, value in found.items()}
    assert told["ExportFormat@Redfish.AllowableValues"] == ["XML", "JSON"]
    assert told["ExportUse@Redfish.AllowableValues"] == ["Default", "Clone", "Replace"]
    assert told["ShutdownType@Redfish.AllowableValues"] == ["Graceful", "Forced", "NoReboot"]
    assert told["HostPowerState@Redfish.AllowableValues"] == ["On", "Off"]


def test_a_plain_service_has_none(rack):
    assert act(rack, EXPORT, ALL).status == 404


@pytest.mark.parametrize("user", [("operator", "operator"), ("readonly", "readonly")])
@pytest.mark.parametrize("action", [EXPORT, IMPORT, PREVIEW])
def test_it_takes_who_may_configure_the_manager(bmc, user, action):
    before, bmc.user = bmc.state(), user
    assert act(bmc, action, with_buffer(CHANGE) if action != EXPORT else ALL).status in (401, 403)
    assert bmc.state() == before


# -- export -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "kind", "begins"),
    [
        ("JSON", "application/json", '{\n  "SystemConfiguration": {'),
        ("XML", "application/xml", '<SystemConfiguration Model="PowerEdge R760"'),
    ],
)
def test_the_task_of_a_local_export_is_a_task_until_it_is_the_profile(bmc, layout, kind, begins):
    job = begun(bmc, EXPORT, {**OF_BIOS, "ExportFormat": layout})
    for seconds in (0, TO_COMPARE - 1):
        bmc.advance(seconds)
        answer = bmc.get(f"{TASKS}/{job}")
        assert (answer.status, answer.body["TaskState"]) == (200, "Running")
        told = json.dumps([answer.body, *answer.headers.items()]) + str(bmc.job(job))
        assert "SystemConfiguration" not in told, "clients take that for the profile"
    bmc.advance(1)
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        assert not machine.queue.jobs[job].is_open
    answer = bmc.call("GET", f"{TASKS}/{job}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    text = answer.body if layout == "XML" else orjson.dumps(answer.body, option=orjson.OPT_INDENT_2).decode()
    assert text.startswith(begins)
    again = bmc.get(f"{TASKS}/{job}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, "")
    assert bmc.call("HEAD", f"{TASKS}/{job}").headers["Content-Length"] == answer.headers["Content-Length"]


@pytest.mark.parametrize("layout", ["JSON", "XML"])
def test_an_export_holds_what_can_be_set(bmc, layout):
    found = parse(exported(bmc, layout, **OF_BIOS).encode())
    values = {name: "" if value is None else str(value) for name, value in bmc.attributes().items()}
    told = {setting.name: setting.value for _, setting in flat(found)}
    assert told.items() <= values.items()
    assert "SystemModelName" not in told, "it is read-only"
    assert {device for device, _ in flat(found)} == {BIOS}
    assert all(setting.set_on_import for _, setting in flat(found))
    assert (found.model, found.service_tag) == ("PowerEdge R760", "JF7K2M3")
    assert found.comments == (f"Export type is Normal,{layout},Selective",)


@pytest.mark.parametrize(
    "included", ["IncludeReadOnly", "IncludeReadOnly,IncludePasswordHashValues", ["IncludeReadOnly"]]
)
@pytest.mark.parametrize("layout", ["JSON", "XML"])
def test_read_only_settings_are_shown_on_request_and_never_imported(bmc, layout, included):
    text = exported(bmc, layout, IncludeInExport=included, **OF_BIOS)
    shown = {setting.name: setting for _, setting in flat(parse(text.encode()))}
    assert set(bmc.attributes()) >= set(shown)
    assert not shown["SystemModelName"].set_on_import
    assert shown["NumLock"].set_on_import
    if layout == "XML":
        assert '<!-- <Attribute Name="SystemModelName">' in text
    _, task = finished_import(bmc, {**ALL, "ImportBuffer": text.replace("PowerEdge R760", "Other")})
    assert ended(task) == ("Completed", "SYS069")


@pytest.mark.parametrize(
    ("body", "comment"),
    [
        (ALL, "Export type is Normal,XML"),
        ({"ShareParameters": {}}, "Export type is Normal,XML"),
        (
            {"ShareParameters": {"ShareType": "local", "ShareName": "/tmp", "FileName": "x"}},
            "Export type is Normal,XML",
        ),
        ({"ShareParameters": {"Target": ["ALL"]}, "ExportFormat": "XML"}, "Export type is Normal,XML"),
        ({"ShareParameters": {"Target": "BIOS"}}, "Export type is Normal,XML,Selective"),
        ({"ShareParameters": {"Target": "IDRAC,BIOS"}}, "Export type is Normal,XML,Selective"),
        ({"ShareParameters": {"Target": ["NIC", "BIOS"]}}, "Export type is Normal,XML,Selective"),
        ({"ShareParameters": {"Target": BIOS}}, "Export type is Normal,XML,Selective"),
        ({**ALL, "ExportUse": "Clone"}, "Export type is Clone,XML"),
        ({**ALL, "ExportUse": "Replace", "ExportFormat": "JSON"}, "Export type is Replace,JSON"),
    ],
)
def test_a_profile_says_what_kind_it_is(bmc, body, comment):
    job = begun(bmc, EXPORT, body)
    bmc.advance(3600)
    assert comment in str(bmc.get(f"{TASKS}/{job}").body)


def test_the_time_stamp_is_the_jobs_end_in_local_time(bmc):
    job = begun(bmc, EXPORT, {**ALL, "ExportFormat": "JSON"})
    bmc.advance(3600)
    stamp = bmc.get(f"{TASKS}/{job}").body["SystemConfiguration"]["TimeStamp"]
    end = time.strptime(bmc.job(job)["CompletionTime"], "%Y-%m-%dT%H:%M:%S")
    assert stamp == time.asctime(end)


def test_an_export_is_a_job_in_every_other_view(bmc):
    job = begun(bmc, EXPORT, ALL)
    bmc.advance(3600)
    found = bmc.job(job)
    assert (found["Name"], found["JobType"]) == ("Export: Server Configuration Profile", "ExportConfiguration")
    assert (found["JobState"], found["MessageId"], found["EndTime"]) == ("Completed", "SYS043", None)
    dmtf = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body
    assert (dmtf["JobState"], dmtf["Messages"][0]["MessageId"]) == ("Completed", "IDRAC.2.7.SYS043")
    (task,) = bmc.get(f"{TASKS}?$expand=*").body["Members"]
    assert (task["@odata.id"], task["TaskState"]) == (f"{TASKS}/{job}", "Completed")
    assert bmc.get(f"/redfish/v1/TaskService/TaskMonitors/{job}").body.startswith("<SystemConfiguration ")


@pytest.mark.parametrize("layout", ["JSON", "XML"])
def test_every_controllers_profile_is_its_own(make_bmc, layout):
    bmc = make_bmc(controllers=2)
    tags = set()
    for host in ("127.0.0.1", "127.0.0.2"):
        bmc.host = host
        found = parse(exported(bmc, layout, IncludeInExport="IncludeReadOnly").encode())
        shown = {setting.name: setting.value for _, setting in flat(found)}
        assert found.service_tag == bmc.get(bmc.system).body["SKU"] == shown["SystemServiceTag"]
        tags.add(found.service_tag)
    assert len(tags) == 2


@pytest.mark.parametrize(
    ("layout", "told"),
    [("XML", b'<!-- <Attribute Name="Label">a?b</Attribute> -->'), ("JSON", rb'"Value": "a\u0001b"')],
)
def test_what_a_layout_cannot_hold_is_shown_and_not_imported(layout, told):
    """No attribute of the bundled mockups takes such a value, but a captured one may."""
    details = {"targets": ["ALL"], "use": "Default", "read_only_too": False, "layout": layout}
    job = Job(
        "JID_1", Kind.EXPORT, "", (), 0.0, details={**details, "content": [["X.1", [["Label", "a\x01b", True]], []]]}
    )
    content, _ = export({}, "2026-11-01T10:00:00-05:00", job)
    assert told in content
    assert b"Sun Nov  1 10:00:00 2026" in content


# -- import -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["EID_674_Manager", "OemManager"])
@pytest.mark.parametrize(
    ("layout", "old", "new"),
    [
        ("JSON", '"ProcVirtualization", "Value": "Enabled"', '"ProcVirtualization", "Value": "Disabled"'),
        ("XML", '"ProcVirtualization">Enabled<', '"ProcVirtualization">Disabled<'),
    ],
)
def test_an_edited_export_is_applied(bmc, layout, old, new, place):
    before = bmc.attributes()
    text = exported(bmc, layout)
    assert text.count(old) == 1
    answer = act(bmc, IMPORT, {**ALL, "ImportBuffer": text.replace(old, new)}, place)
    job = answer.headers["Location"].rpartition("/")[2]
    seen = []
    for seconds in (0, TO_COMPARE, TO_SHUT_DOWN + TO_START, FOR_EACH):
        bmc.advance(seconds)
        task = bmc.get(f"{TASKS}/{job}")
        power = bmc.get(bmc.system).body["PowerState"]
        seen.append((task.status, ended(task.body), task.body["PercentComplete"], power))
    assert seen == [
        (200, ("Running", "SYS052"), 1, "On"),
        (200, ("Running", "SYS056"), 50, "PoweringOff"),
        (200, ("Running", "SYS058"), 50, "On"),
        (200, ("Completed", "SYS053"), 100, "On"),
    ]
    assert bmc.attributes() == {**before, "ProcVirtualization": "Disabled"}
    assert results(task.body) == {"ProcVirtualization": ("Success", "Enabled", "Disabled", "0")}
    found = bmc.job(job)
    assert (found["Name"], found["JobType"], found["EndTime"]) == ("Import Configuration", "ImportConfiguration", None)
    entries = bmc.get(f"{bmc.manager}/LogServices/Lclog/Entries?$top=1000").body["Members"]
    told = [entry for entry in entries if job in json.dumps(entry)]
    assert len(told) >= 3, "its creation, its step and its end, each with the job's id"


@pytest.mark.parametrize(
    ("values", "end", "health", "expected"),
    [
        (CHANGE, ("Completed", "SYS053"), "OK", {"ProcVirtualization": "Success", "NumLock": "Success"}),
        (
            {**CHANGE, "NumLock": "Maybe"},
            ("CompletedWithErrors", "SYS055"),
            "Warning",
            {"ProcVirtualization": "Success", "NumLock": "Failure"},
        ),
        (
            {"NumLock": "Off", "NoSuchName": "1", "SystemModelName": "x", "AcPwrRcvryUserDelay": "1"},
            ("CompletedWithErrors", "SYS055"),
            "Warning",
            {
                "NumLock": "Success",
                "NoSuchName": "Failure",
                "SystemModelName": "Failure",
                "AcPwrRcvryUserDelay": "Failure",
            },
        ),
        ({"NumLock": "Maybe", "X": "1"}, ("Failed", "SYS067"), "Critical", {"NumLock": "Failure", "X": "Failure"}),
        ({"HttpDev1VlanId": "7"}, ("Failed", "SYS067"), "Critical", {"HttpDev1VlanId": "Failure"}),
        ({"NumLock": "On"}, ("Completed", "SYS069"), "OK", {}),
        ({}, ("Completed", "SYS069"), "OK", {}),
    ],
    ids=["all good", "one wrong", "wrong in every way", "all wrong", "dependent", "nothing to change", "empty"],
)
def test_how_an_import_ends(bmc, values, end, health, expected):
    before = bmc.attributes()
    job, task = finished_import(bmc, with_buffer(values))
    assert (ended(task), task["TaskStatus"]) == (end, health)
    assert {name: result[0] for name, result in results(task).items()} == expected
    applied = {name: value for name, value in values.items() if expected.get(name) == "Success"}
    assert bmc.attributes() == {**before, **applied}
    dmtf = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body
    assert (dmtf["JobStatus"], dmtf["Messages"]) == (health, task["Messages"])
    assert bmc.job(job)["MessageId"] == end[1]


def test_a_result_says_what_was_wrong(bmc):
    _, task = finished_import(bmc, with_buffer({**CHANGE, "NumLock": "Maybe"}))
    own, wrong, good = task["Messages"]
    assert own["MessageId"] == task["Oem"]["Dell"]["MessageId"] == "IDRAC.2.7.SYS055"
    assert wrong["MessageId"] == "IDRAC.2.7.SYS426"
    assert wrong["Oem"]["Dell"] == {
        "@odata.type": "#DellManager.v1_0_0.ServerConfigurationProfileResults",
        "Name": "NumLock",
        "DisplayValue": "BIOS.Setup.1-1: NumLock",
        "OldValue": "On",
        "NewValue": "Maybe",
        "Status": "Failure",
        "ErrCode": "SYS426",
    }
    assert (good["MessageId"], good["Oem"]["Dell"]["Name"]) == ("Base.1.22.Success", "ProcVirtualization")


def test_a_step_that_fails_on_purpose_is_a_bad_result(bmc):
    assert bmc.post("/jobfish/v1/faults", {"target": "*", "step": "NumLock", "message_id": "BIOS014"}).status == 201
    job, task = finished_import(bmc, with_buffer(CHANGE))
    assert ended(task) == ("CompletedWithErrors", "SYS055")
    assert results(task)["NumLock"][0::3] == ("Failure", "BIOS014")
    steps = bmc.get(f"/redfish/v1/JobService/Jobs/{job}/Steps?$expand=*").body["Members"]
    assert {step["Name"]: step["JobState"] for step in steps} == {
        "compare": "Completed",
        "ProcVirtualization": "Completed",
        "NumLock": "Exception",
    }


def test_components_that_the_system_does_not_have(bmc):
    body = {**ALL, "ImportBuffer": profile({"Users.3#Password": "secret", "SSH.1#Port": "22"}, "iDRAC.Embedded.1")}
    _, task = finished_import(bmc, body)
    assert ended(task) == ("Failed", "SYS067")
    assert results(task) == {
        "Users.3#Password": ("Failure", "", "******", "ProfileNoSuchDevice"),
        "SSH.1#Port": ("Failure", "", "22", "ProfileNoSuchDevice"),
    }
    _, task = finished_import(bmc, {**body, "ShareParameters": {"Target": "BIOS"}})
    assert ended(task) == ("Completed", "SYS069"), "it was not asked for"


def test_only_the_targets_are_imported(bmc):
    before = bmc.attributes()
    for target in ("IDRAC", ["NIC", "RAID"]):
        _, task = finished_import(bmc, with_buffer(CHANGE, ShareParameters={"Target": target}))
        assert ended(task) == ("Completed", "SYS069")
        assert bmc.attributes() == before
    _, task = finished_import(bmc, with_buffer(CHANGE, ShareParameters={"Target": ["IDRAC", "BIOS"]}))
    assert ended(task) == ("Completed", "SYS053")


def test_passwords_are_set_and_not_told(bmc):
    job, task = finished_import(bmc, with_buffer({"SetupPassword": "first-secret"}))
    assert ended(task) == ("Completed", "SYS053")
    assert results(task)["SetupPassword"][2] == "******"
    _, second = finished_import(bmc, with_buffer({"SetupPassword": "x" * 500}))
    assert results(second)["SetupPassword"][0] == "Failure"
    told = json.dumps([task, second, bmc.job(job)]) + exported(bmc, "XML", IncludeInExport="IncludeReadOnly")
    for secret in ("first-secret", "x" * 20, "sealed:"):
        assert secret not in told
    stored = b"".join(bmc.state().values())
    assert b"first-secret" not in stored


def test_results_are_told_up_to_a_bound_the_bad_ones_first(bmc):
    values = {**CHANGE, **{f"No{number}": "1" for number in range(300)}}
    _, task = finished_import(bmc, with_buffer(values))
    assert len(task["Messages"]) == 1 + 256
    assert {entry["Oem"]["Dell"]["Status"] for entry in task["Messages"][1:]} == {"Failure"}


# -- the host ---------------------------------------------------------------------------------------------------------


def ignoring(bmc):
    assert bmc.post("/jobfish/v1/faults", {"target": "host", "step": "shutdown"}).status == 201


@pytest.mark.parametrize(("wait", "body"), [(300, {}), (900, {"TimeToWait": 900})])
def test_a_host_that_does_not_shut_down_in_time(bmc, wait, body):
    ignoring(bmc)
    before = bmc.attributes()
    job = begun(bmc, IMPORT, with_buffer(CHANGE, ShutdownType="Graceful", **body))
    bmc.advance(TO_COMPARE + wait - 1)
    assert ended(bmc.get(f"{TASKS}/{job}").body) == ("Running", "SYS056")
    bmc.advance(1)
    task = bmc.get(f"{TASKS}/{job}").body
    assert (ended(task), task["TaskStatus"]) == (("Failed", "SYS051"), "Critical")
    bmc.reset()
    bmc.advance(3600)
    assert bmc.attributes() == before
    assert bmc.patch_bios(NumLock="Off").status == 200, "the BIOS is free again"


def test_a_forced_import_asks_nobody(bmc):
    ignoring(bmc)
    job = begun(bmc, IMPORT, with_buffer(CHANGE, ShutdownType="Forced"))
    bmc.advance(TO_COMPARE)
    assert bmc.get(bmc.system).body["PowerState"] == "Off"
    bmc.advance(5 + TO_START + len(CHANGE) * FOR_EACH)
    assert bmc.job(job)["JobState"] == "Completed"
    assert CHANGE.items() <= bmc.attributes().items()


@pytest.mark.parametrize("spelling", ["NoReboot", "Noreboot"])
def test_without_a_restart_what_needs_one_is_left_out(bmc, spelling):
    before = bmc.attributes()
    _, task = finished_import(bmc, with_buffer(CHANGE, ShutdownType=spelling))
    assert ended(task) == ("Completed", "SYS068")
    assert results(task) == {
        "ProcVirtualization": ("Failure", "Enabled", "Disabled", "SYS068"),
        "NumLock": ("Failure", "On", "Off", "SYS068"),
    }
    assert "No reboot Server" in task["Messages"][0]["Message"]
    assert (bmc.attributes(), bmc.get(bmc.system).body["PowerState"]) == (before, "On")


@pytest.mark.parametrize("name", ["HostPowerState", "EndHostPowerState"])
@pytest.mark.parametrize("power", ["On", "Off"])
def test_the_host_is_left_as_it_was_wanted(bmc, name, power):
    finished_import(bmc, with_buffer(CHANGE, **{name: power}))
    assert bmc.get(bmc.system).body["PowerState"] == power
    assert CHANGE.items() <= bmc.attributes().items()


def test_a_host_that_is_off_is_started(bmc):
    bmc.reset("ForceOff")
    _, task = finished_import(bmc, with_buffer(CHANGE))
    assert ended(task) == ("Completed", "SYS053")


# -- preview ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message", "expected"),
    [
        (CHANGE, "SYS081", {"ProcVirtualization": "Success", "NumLock": "Success"}),
        ({**CHANGE, "NumLock": "Maybe"}, "SYS081", {"ProcVirtualization": "Success", "NumLock": "Failure"}),
        ({"NumLock": "On"}, "SYS069", {}),
    ],
    ids=["changes", "a wrong value", "nothing to change"],
)
def test_a_preview_says_what_would_become_of_it_and_changes_nothing(bmc, values, message, expected):
    before = bmc.attributes()
    job = begun(bmc, PREVIEW, with_buffer(values))
    assert bmc.job(job)["JobType"] == "PreviewConfiguration"
    bmc.advance(TO_COMPARE)
    task = bmc.get(f"{TASKS}/{job}").body
    assert ended(task) == ("Completed", message)
    assert {name: result[0] for name, result in results(task).items()} == expected
    bmc.reset()
    bmc.advance(3600)
    assert (bmc.attributes(), bmc.pending()) == (before, {})


# -- refusals ---------------------------------------------------------------------------------------------------------


def running(action):
    return lambda bmc: begun(bmc, action, with_buffer(CHANGE) if action != EXPORT else ALL)


def staged(bmc):
    bmc.patch_bios(NumLock="Off")


def with_job(bmc):
    staged(bmc)
    bmc.create_job()


@pytest.mark.parametrize("action", [IMPORT, PREVIEW])
@pytest.mark.parametrize(
    ("set_up", "message"),
    [
        (running(IMPORT), "RAC0679"),
        (running(EXPORT), "RAC0679"),
        (running(PREVIEW), "RAC0679"),
        (staged, "LC068"),
        (with_job, "LC068"),
    ],
)
def test_one_at_a_time_and_none_while_values_are_pending(bmc, action, set_up, message):
    set_up(bmc)
    before = bmc.state()
    answer = act(bmc, action, with_buffer(CHANGE))
    assert (answer.status, answer.message_ids) == (400, [f"IDRAC.{message}"])
    assert answer.body["error"]["code"] == f"IDRAC.2.7.{message}"
    assert bmc.state() == before


@pytest.mark.parametrize(
    ("set_up", "message"),
    [
        (running(IMPORT), "RAC0679"),
        (running(EXPORT), "RAC0679"),
        (running(PREVIEW), "RAC0679"),
        (staged, "LC068"),
        (with_job, "LC068"),
    ],
)
def test_an_export_waits_its_turn_too(bmc, set_up, message):
    set_up(bmc)
    before = bmc.state()
    assert act(bmc, EXPORT, ALL).message_ids == [f"IDRAC.{message}"]
    assert bmc.state() == before


def test_nobody_else_changes_what_an_import_is_about_to(bmc):
    begun(bmc, IMPORT, with_buffer(CHANGE))
    before = bmc.state()
    assert bmc.patch_bios(MemTest="Enabled").message_ids == ["IDRAC.SYS011"]
    assert bmc.state() == before


HTTP = {"Target": "ALL", "ShareType": "HTTP", "IPAddress": "127.0.0.1", "FileName": "a.xml"}
MISSING, NOT_IN_LIST = (
    ["IDRAC.SYS428", "Base.ActionParameterMissing"],
    ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"],
)
FORMAT, TYPE = (
    ["IDRAC.SYS409", "Base.ActionParameterValueFormatError"],
    ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"],
)
RANGE, UNKNOWN = (
    ["IDRAC.SYS409", "Base.ActionParameterValueOutOfRange"],
    ["IDRAC.SYS429", "Base.ActionParameterUnknown"],
)
NO_SHARE, INVALID = ["Jobfish.ShareTypeNotPossible"], ["Jobfish.ProfileInvalid"]


def share(**parameters):
    return {"ShareParameters": {"Target": "ALL", **parameters}}


REFUSED = [
    # situation, action, body, messages, related properties
    ("no share parameters", EXPORT, {"ExportFormat": "XML"}, MISSING, {"#/ShareParameters"}),
    ("an unknown format", EXPORT, {**ALL, "ExportFormat": "YAML"}, NOT_IN_LIST, {"#/ExportFormat"}),
    ("an unknown use", EXPORT, {**ALL, "ExportUse": "Backup"}, NOT_IN_LIST, {"#/ExportUse"}),
    ("an unknown inclusion", EXPORT, {**ALL, "IncludeInExport": "Everything"}, FORMAT, {"#/IncludeInExport"}),
    ("an unknown inclusion in a list", EXPORT, {**ALL, "IncludeInExport": ["Everything"]}, NOT_IN_LIST, {"#/IncludeInExport/0"}),
    ("an unknown parameter", EXPORT, {**ALL, "ShutdownType": "Forced"}, UNKNOWN, {"#/ShutdownType"}),
    ("an unknown share parameter", EXPORT, share(Mount="x"), UNKNOWN, {"#/ShareParameters/Mount"}),
    ("an NFS share", EXPORT, share(ShareType="NFS", IPAddress="10.0.0.1", ShareName="/nfs", FileName="a"), NO_SHARE, {"#/ShareParameters/ShareType"}),
    ("a CIFS share", EXPORT, share(ShareType="cifs", IPAddress="10.0.0.1"), NO_SHARE, {"#/ShareParameters/ShareType"}),
    ("an unknown target", EXPORT, share(Target="TOASTER"), NOT_IN_LIST, {"#/ShareParameters/Target"}),
    ("one unknown target among others", EXPORT, share(Target="BIOS,TOASTER"), NOT_IN_LIST, {"#/ShareParameters/Target"}),
    ("a target in the wrong case", EXPORT, share(Target=["bios"]), NOT_IN_LIST, {"#/ShareParameters/Target"}),
    ("no target at all", EXPORT, share(Target=""), NOT_IN_LIST, {"#/ShareParameters/Target"}),
    ("an empty list of targets", EXPORT, share(Target=[]), FORMAT, {"#/ShareParameters/Target"}),
    ("a target that is no text", EXPORT, share(Target=7), TYPE, {"#/ShareParameters/Target"}),
    ("targets that the system does not have", EXPORT, share(Target="FC,AHCI"), ["Jobfish.ProfileNothingChosen"], {"#/ShareParameters/Target"}),
    ("a share without an address", EXPORT, share(ShareType="HTTP", FileName="a"), MISSING, {"#/ShareParameters/IPAddress"}),
    ("a share without a file", EXPORT, share(ShareType="HTTPS", IPAddress="127.0.0.1"), MISSING, {"#/ShareParameters/FileName"}),
    ("an address without a type", EXPORT, share(IPAddress="127.0.0.1", FileName="a"), MISSING, {"#/ShareParameters/ShareType"}),
    ("an address that is none", EXPORT, share(**{**HTTP, "IPAddress": "u:p@host"}), FORMAT, {"#/ShareParameters/IPAddress"}),
    ("two ports", EXPORT, share(**{**HTTP, "IPAddress": "127.0.0.1:80", "PortNumber": 81}), FORMAT, {"#/ShareParameters/IPAddress"}),
    ("a port that is none", EXPORT, share(**HTTP, PortNumber="http"), FORMAT, {"#/ShareParameters/PortNumber"}),
    ("a port beyond all", EXPORT, share(**HTTP, PortNumber=70000), RANGE, {"#/ShareParameters/PortNumber"}),
    ("nothing to import", IMPORT, ALL, MISSING, {"#/ImportBuffer"}),
    ("an empty buffer", IMPORT, {**ALL, "ImportBuffer": ""}, MISSING, {"#/ImportBuffer"}),
    ("nothing to preview", PREVIEW, ALL, MISSING, {"#/ImportBuffer"}),
    ("a buffer and a share", IMPORT, {"ShareParameters": HTTP, "ImportBuffer": "{}"}, ["Base.ActionParameterValueConflict"], {"#/ImportBuffer", "#/ShareParameters/ShareType"}),
    ("a buffer that is no text", IMPORT, {**ALL, "ImportBuffer": {}}, TYPE, {"#/ImportBuffer"}),
    ("a buffer that is neither JSON nor XML", IMPORT, {**ALL, "ImportBuffer": "hello"}, INVALID, {"#/ImportBuffer"}),
    ("broken JSON", IMPORT, {**ALL, "ImportBuffer": '{"SystemConfiguration": '}, INVALID, {"#/ImportBuffer"}),
    ("JSON of something else", IMPORT, {**ALL, "ImportBuffer": "{}"}, INVALID, {"#/ImportBuffer"}),
    ("broken XML", IMPORT, {**ALL, "ImportBuffer": "<SystemConfiguration>"}, INVALID, {"#/ImportBuffer"}),
    ("XML of something else", PREVIEW, {**ALL, "ImportBuffer": "<html/>"}, INVALID, {"#/ImportBuffer"}),
    ("XML with entities", PREVIEW, {**ALL, "ImportBuffer": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}, INVALID, {"#/ImportBuffer"}),
    ("an unknown way to shut down", IMPORT, with_buffer(CHANGE, ShutdownType="Kill"), NOT_IN_LIST, {"#/ShutdownType"}),
    ("an unknown power state", IMPORT, with_buffer(CHANGE, HostPowerState="Standby"), NOT_IN_LIST, {"#/HostPowerState"}),
    ("too short a wait", IMPORT, with_buffer(CHANGE, TimeToWait=299), RANGE, {"#/TimeToWait"}),
    ("too long a wait", IMPORT, with_buffer(CHANGE, TimeToWait=3601), RANGE, {"#/TimeToWait"}),
    ("a wait that is no number", IMPORT, with_buffer(CHANGE, TimeToWait="300"), TYPE, {"#/TimeToWait"}),
    ("another way of execution", IMPORT, with_buffer(CHANGE, ExecutionMode="InstantDeploy"), NOT_IN_LIST, {"#/ExecutionMode"}),
    ("a wait for a preview", PREVIEW, with_buffer(CHANGE, TimeToWait=300), UNKNOWN, {"#/TimeToWait"}),
    ("an import from NFS", IMPORT, share(ShareType="NFS", IPAddress="10.0.0.1", FileName="a"), NO_SHARE, {"#/ShareParameters/ShareType"}),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_is_refused(bmc, row):
    _, action, body, messages, related = row
    before = bmc.state()
    answer = act(bmc, action, body)
    status = 409 if messages == ["Base.ActionParameterValueConflict"] else 400
    assert (answer.status, answer.message_ids, answer.related) == (status, messages, related)
    assert bmc.state() == before


def test_a_refused_share_says_which_there_are(bmc):
    (info,) = act(bmc, EXPORT, share(ShareType="NFS")).info
    assert info["MessageArgs"] == ["NFS", "LOCAL, HTTP, HTTPS"]
    assert "LOCAL, HTTP, HTTPS" in info["Message"]


def test_a_broken_profile_is_told_where(bmc):
    (info,) = act(
        bmc, IMPORT, {**ALL, "ImportBuffer": "<SystemConfiguration>\n<Component/>\n</SystemConfiguration>"}
    ).info
    assert "line 2, column 1: <Component> has no FQDD" in info["Message"]


@pytest.mark.parametrize(
    "ignored",
    [
        {"Workgroup": "W", "IgnoreCertificateWarning": "Enabled"},
        {"ProxySupport": "Enabled", "ProxyType": "HTTP", "ProxyServer": "10.0.0.1", "ProxyPort": "8080"},
        {"ProxyUserName": "u", "ProxyPassword": "p", "UserName": "u", "Password": "p"},
    ],
)
def test_what_other_shares_need_is_accepted(bmc, ignored):
    begun(bmc, EXPORT, share(**ignored))


# -- texts that clients look into -------------------------------------------------------------------------------------


def messages_of(bmc, action, body):
    """Everything that a job says of itself, from its start to its end: (state, text)."""
    job, said = begun(bmc, action, body), []
    for _ in range(40):
        found = bmc.job(job)
        said.append((found["JobState"], found["Message"]))
        bmc.advance(20)
    return said


@pytest.mark.parametrize(
    ("action", "body"),
    [
        (EXPORT, ALL),
        (IMPORT, with_buffer(CHANGE)),
        (IMPORT, with_buffer(CHANGE, ShutdownType="Forced", HostPowerState="Off")),
        (IMPORT, with_buffer({"NumLock": "On"})),
        (PREVIEW, with_buffer(CHANGE)),
        (PREVIEW, with_buffer({"NumLock": "On"})),
    ],
    ids=["export", "import", "forced", "no changes", "preview", "preview of no changes"],
)
def test_texts_of_what_goes_well_cannot_be_mistaken(bmc, action, body):
    """Clients look for these words, without looking at the state (reference/clients.md, 5)."""
    said = messages_of(bmc, action, body)
    assert said[-1][0] == "Completed"
    for state, text in said:
        assert not [word for word in ("fail", "error", "unable", "not") if word in text.lower()], text
        if state == "Completed":
            assert "success" in text.lower()
            assert "time" not in text.lower()


# -- shares -----------------------------------------------------------------------------------------------------------


def on_share(web, **more):
    return {
        **{"Target": "ALL", "ShareType": "http", "IPAddress": "127.0.0.1", "PortNumber": str(web.server_port)},
        **{"ShareName": "/profiles/", "FileName": "my server.xml", "Username": "u", "Password": "p", **more},
    }


@pytest.mark.parametrize("layout", ["JSON", "XML"])
def test_a_profile_goes_to_a_share_and_comes_back(bmc, web, layout):
    job = begun(bmc, EXPORT, {"ExportFormat": layout, "ShareParameters": on_share(web)})
    bmc.advance(3600)
    let_it_transfer(bmc)
    task = bmc.get(f"{TASKS}/{job}").body
    assert ended(task) == ("Completed", "SYS043"), "the profile is on the share and not here"
    path = "/profiles/my%20server.xml"
    found = parse(web.files[path])
    assert (found.service_tag, found.comments) == ("JF7K2M3", (f"Export type is Normal,{layout}",))
    web.files[path] = profile(CHANGE).encode()
    for action, end in ((PREVIEW, "SYS081"), (IMPORT, "SYS053")):
        job = begun(bmc, action, {"ShareParameters": on_share(web)})
        let_it_transfer(bmc)
        bmc.advance(3600)
        assert ended(bmc.get(f"{TASKS}/{job}").body) == ("Completed", end)
    assert CHANGE.items() <= bmc.attributes().items()
    assert web.asked == [(verb, path, "Basic dTpw") for verb in ("PUT", "GET", "GET")]


def test_the_devices_are_held_before_the_file_is_there(bmc, web):
    with web.paused:
        begun(bmc, IMPORT, {"ShareParameters": on_share(web)})
        before = bmc.state()
        assert bmc.patch_bios(NumLock="Off").message_ids == ["IDRAC.SYS011"]
        assert bmc.state() == before
    let_it_transfer(bmc)


@pytest.mark.parametrize("content", [None, b"neither", b"<a/>"], ids=["not there", "no profile", "something else"])
def test_a_share_without_a_profile_fails_the_import(bmc, web, content):
    before = bmc.attributes()
    if content is not None:
        web.files["/profiles/my%20server.xml"] = content
    job = begun(bmc, IMPORT, {"ShareParameters": on_share(web)})
    let_it_transfer(bmc)
    assert ended(bmc.get(f"{TASKS}/{job}").body) == ("Failed", "ProfileTransferFailed")
    bmc.reset()
    bmc.advance(3600)
    assert bmc.attributes() == before
    assert bmc.patch_bios(NumLock="Off").status == 200, "the BIOS is free again"
