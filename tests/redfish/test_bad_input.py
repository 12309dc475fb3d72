"""What is refused: situation -> request -> status, messages, properties; and nothing changed.

Each table is in order of precedence: where a request is wrong in two ways, the row further up decides.
"""

from __future__ import annotations

import pytest

ON_RESET = {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}

LIFECYCLE_PATCHES = [
    # situation, body, messages, related properties
    ("malformed JSON", b"{", ["IDRAC.SYS405", "Base.MalformedJSON"], set()),
    ("invalid UTF-8", b'{"Attributes": {"AssetTag": "\xff"}}', ["IDRAC.SYS405", "Base.MalformedJSON"], set()),
    ("nested a thousand deep", b'{"Attributes":' * 2000, ["IDRAC.SYS405", "Base.MalformedJSON"], set()),
    ("a list", b"[]", ["Base.UnrecognizedRequestBody"], set()),
    ("nothing in it", {}, ["Base.NoOperation"], set()),
    ("no attributes in it", {"Attributes": {}}, ["Base.NoOperation"], set()),
    ("only annotations", {"@odata.id": "/x"}, ["Base.NoOperation"], set()),
    ("an unknown property", {"Attribute": {}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Attribute"}),
    ("attributes of the wrong type", {"Attributes": []}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Attributes"}),
    ("an apply time that is not offered", {"@Redfish.SettingsApplyTime": {"ApplyTime": "Immediate"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/@Redfish.SettingsApplyTime/ApplyTime"}),
    ("an apply time without a time", {"@Redfish.SettingsApplyTime": {}}, ["IDRAC.SYS428", "Base.PropertyMissing"], {"#/@Redfish.SettingsApplyTime/ApplyTime"}),
    ("an apply time and nothing staged", ON_RESET, ["IDRAC.BIOS008"], set()),
    ("an unknown attribute", {"Attributes": {"NumLok": "On"}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Attributes/NumLok"}),
    ("a read-only attribute", {"Attributes": {"SystemModelName": "x"}}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], {"#/Attributes/SystemModelName"}),
    ("text for an integer", {"Attributes": {"AcPwrRcvryUserDelay": "240"}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Attributes/AcPwrRcvryUserDelay"}),
    ("a boolean for an integer", {"Attributes": {"AcPwrRcvryUserDelay": True}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Attributes/AcPwrRcvryUserDelay"}),
    ("null", {"Attributes": {"NumLock": None}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Attributes/NumLock"}),
    ("an integer for an enumeration", {"Attributes": {"NumLock": 1}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Attributes/NumLock"}),
    ("a value outside the enumeration", {"Attributes": {"NumLock": "Maybe"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/Attributes/NumLock"}),
    ("the right value in the wrong case", {"Attributes": {"NumLock": "off"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/Attributes/NumLock"}),
    ("an integer below its bounds", {"Attributes": {"AcPwrRcvryUserDelay": 119}}, ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], {"#/Attributes/AcPwrRcvryUserDelay"}),
    ("an integer above its bounds", {"Attributes": {"AcPwrRcvryUserDelay": 601}}, ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], {"#/Attributes/AcPwrRcvryUserDelay"}),
    ("a huge integer", b'{"Attributes": {"AcPwrRcvryUserDelay": 18446744073709551615}}', ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], {"#/Attributes/AcPwrRcvryUserDelay"}),
    ("too long a text", {"Attributes": {"AssetTag": "x" * 200}}, ["Base.StringValueTooLong"], {"#/Attributes/AssetTag"}),
    ("read-only by dependency", {"Attributes": {"HttpDev1VlanId": 7}}, ["IDRAC.SYS410", "Base.PropertyNotWritable"], {"#/Attributes/HttpDev1VlanId"}),
    ("hidden by dependency", {"Attributes": {"IscsiDev1Con1Lun": "1"}}, ["IDRAC.SYS410", "Base.PropertyNotWritable"], {"#/Attributes/IscsiDev1Con1Lun"}),
    ("one good and one bad: refused whole", {"Attributes": {"NumLock": "Off", "Nope": 1}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Attributes/Nope"}),
]  # fmt: skip


@pytest.mark.parametrize("row", LIFECYCLE_PATCHES, ids=[row[0] for row in LIFECYCLE_PATCHES])
def test_a_patch_that_cannot_be_is_refused(bmc, row):
    _, body, messages, related = row
    before = bmc.state()
    answer = bmc.patch(bmc.settings, body)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert answer.body["error"]["code"] == "Base.1.22.GeneralError"
    assert bmc.state() == before


def test_every_bad_attribute_is_named(bmc):
    answer = bmc.patch_bios(NumLok="On", NumLock="Maybe", AcPwrRcvryUserDelay=1)
    assert answer.related == {f"#/Attributes/{name}" for name in ("NumLok", "NumLock", "AcPwrRcvryUserDelay")}
    assert answer.info[0]["MessageArgs"] == ["NumLok"]


PLAIN_PATCHES = [
    ("an unknown attribute", {"Attributes": {"NumLok": True}}, ["Base.PropertyUnknown"], {"/Attributes/NumLok"}),
    ("text for a boolean", {"Attributes": {"NumLock": "On"}}, ["Base.PropertyValueTypeError"], {"/Attributes/NumLock"}),
    ("a value outside the enumeration", {"Attributes": {"BootMode": "Bios2"}}, ["Base.PropertyValueNotInList"], {"/Attributes/BootMode"}),
    ("not a multiple of the increment", {"Attributes": {"FanFloorPercent": 22}}, ["Base.PropertyValueOutOfRange"], {"/Attributes/FanFloorPercent"}),
    ("read-only by dependency", {"Attributes": {"PowerCapWatts": 500}}, ["Base.PropertyValueConflict", "Base.PropertyNotWritable"], {"/Attributes/PowerCapWatts"}),
]  # fmt: skip


@pytest.mark.parametrize("row", PLAIN_PATCHES, ids=[row[0] for row in PLAIN_PATCHES])
def test_a_plain_service_refuses_in_dmtfs_words(rack, row):
    _, body, messages, related = row
    before = rack.state()
    answer = rack.patch(rack.settings, body)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert rack.state() == before


def test_a_content_type_that_is_not_json_is_refused(bmc):
    before = bmc.state()
    body = b'{"Attributes": {"NumLock": "Off"}}'
    answer = bmc.patch(bmc.settings, body, headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.message_ids) == (415, ["IDRAC.SYS401"])
    assert bmc.state() == before


def staged(bmc):
    bmc.patch_bios(NumLock="Off")


def with_job(bmc):
    staged(bmc)
    bmc.create_job()


def with_running_job(bmc):
    with_job(bmc)
    bmc.reset()
    bmc.advance(91)


def nothing(_):
    pass


JOB = {"TargetSettingsURI": "{settings}"}
CREATES = [
    # situation, set up by, body, messages, related properties
    ("no target", nothing, {}, ["IDRAC.SYS428", "Base.PropertyMissing"], {"#/TargetSettingsURI"}),
    ("an unknown property", nothing, {**JOB, "Target": 1}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Target"}),
    ("a target that is no text", nothing, {"TargetSettingsURI": 7}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/TargetSettingsURI"}),
    ("a target that is no settings resource", nothing, {"TargetSettingsURI": "/redfish/v1/Systems"}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/TargetSettingsURI"}),
    ("a reboot type of another action", staged, {**JOB, "RebootJobType": "GracefulRebootWithForcedShutdown"}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/RebootJobType"}),
    ("a malformed start time", staged, {**JOB, "StartTime": "tomorrow"}, ["IDRAC.SYS409", "Base.PropertyValueFormatError"], {"#/StartTime"}),
    ("a start time in the past", staged, {**JOB, "StartTime": "2020-01-01T00:00:00"}, ["IDRAC.SUP017"], set()),
    ("a start time after the end of the calendar", staged, {**JOB, "StartTime": "9999-12-31T23:59:59"}, ["IDRAC.SUP017"], set()),
    ("an end time after the end of the calendar", staged, {**JOB, "EndTime": "9999-12-31T23:59:59"}, ["IDRAC.SUP018"], set()),
    ("nothing pending", nothing, JOB, ["IDRAC.BIOS008"], set()),
    ("a second job on the same target", with_job, JOB, ["IDRAC.SYS011"], set()),
    ("a second job beside a running one", with_running_job, JOB, ["IDRAC.SYS011"], set()),
]  # fmt: skip


@pytest.mark.parametrize("row", CREATES, ids=[row[0] for row in CREATES])
def test_a_job_that_cannot_be_is_refused(bmc, row):
    _, situation, body, messages, related = row
    situation(bmc)
    before = bmc.state()
    body = {
        name: value.format(settings=bmc.settings) if isinstance(value, str) else value for name, value in body.items()
    }
    answer = bmc.post(bmc.jobs, body)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert bmc.state() == before


def test_nothing_pending_is_said_in_the_words_that_clients_know(bmc):
    answer = bmc.post(bmc.jobs, {"TargetSettingsURI": bmc.settings})
    assert answer.info[0]["Message"] == "No pending data present to create a Configuration job."


@pytest.mark.parametrize("situation", [with_job, with_running_job], ids=["scheduled", "running"])
@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (lambda bmc: bmc.patch_bios(ProcVirtualization="Disabled"), ["IDRAC.SYS011"]),
        (lambda bmc: bmc.patch(bmc.settings, {"Attributes": {"NumLock": "Off"}, **ON_RESET}), ["IDRAC.SYS011"]),
        (lambda bmc: bmc.post(f"{bmc.bios}/Actions/Bios.ResetBios", {}), ["IDRAC.SYS011"]),
        (lambda bmc: bmc.post(f"{bmc.settings}/Actions/Oem/DellManager.ClearPending", {}), ["IDRAC.BIOS011"]),
        (
            lambda bmc: bmc.post(
                f"{bmc.bios}/Actions/Bios.ChangePassword",
                {"PasswordName": "SetupPassword", "OldPassword": "", "NewPassword": "x"},
            ),
            ["IDRAC.SYS011"],
        ),
    ],
    ids=["PATCH", "PATCH with apply time", "ResetBios", "ClearPending", "ChangePassword"],
)
def test_a_target_with_an_open_job_refuses_changes(bmc, situation, change, messages):
    situation(bmc)
    before = bmc.state()
    answer = change(bmc)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bmc.state() == before


def test_a_plain_service_calls_that_a_conflict(rack):
    rack.patch(rack.settings, {"Attributes": {"ProcTurboMode": "Disabled"}, **ON_RESET})
    before = rack.state()
    answer = rack.patch_bios(ProcTurboMode="Enabled")
    assert (answer.status, answer.message_ids) == (409, ["Base.ResourceInUse"])
    assert rack.state() == before


def new_job(bmc):
    staged(bmc)
    return [bmc.create_job()]


def scheduled_by_queue(bmc):
    job = new_job(bmc)
    bmc.act("SetupJobQueue", JobArray=job, StartTimeInterval="TIME_NOW")
    return job


def running(bmc):
    job = new_job(bmc)
    bmc.reset()
    bmc.advance(91)
    return job


def finished(bmc):
    job = running(bmc)
    bmc.advance(500)
    return job


QUEUES = [
    # situation, set up by (gives job ids), parameters, messages
    ("no array", new_job, {"JobArray": None}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ("an empty array", new_job, {"JobArray": []}, ["IDRAC.JCP013"]),
    ("an unknown id", new_job, {"JobArray": ["JID_000000000000"]}, ["IDRAC.JCP022", "IDRAC.SUP011"]),
    ("an id that is no text", new_job, {"JobArray": [1]}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ("the same id twice", new_job, {"JobArray": ["{0}", "{0}"]}, ["IDRAC.JCP023", "IDRAC.SUP023"]),
    ("a finished job", finished, {}, ["IDRAC.SUP016"]),
    ("a running job", running, {}, ["IDRAC.SUP031", "IDRAC.SUP016"]),
    ("a job in a queue already", scheduled_by_queue, {}, ["IDRAC.SUP031", "IDRAC.SUP016"]),
    ("a malformed start", new_job, {"StartTimeInterval": "soon"}, ["IDRAC.SUP017", "IDRAC.JCP011"]),
    ("a start of 13 digits", new_job, {"StartTimeInterval": "2026010112000"}, ["IDRAC.SUP017", "IDRAC.JCP011"]),
    ("a start in month 13", new_job, {"StartTimeInterval": "20261301120000"}, ["IDRAC.SUP017", "IDRAC.JCP011"]),
    ("a start in the past", new_job, {"StartTimeInterval": "20200101120000"}, ["IDRAC.SUP017"]),
    ("a malformed end", new_job, {"UntilTime": "later"}, ["IDRAC.SUP018", "IDRAC.JCP011"]),
    ("an end without a start", new_job, {"UntilTime": "20991231235959", "StartTimeInterval": None}, ["IDRAC.JCP013"]),
    ("a window under five minutes", new_job, {"StartTimeInterval": "20991231000000", "UntilTime": "20991231000459"}, ["IDRAC.JCP016"]),
    ("an end before the start", new_job, {"StartTimeInterval": "20991231000000", "UntilTime": "20981231000000"}, ["IDRAC.JCP016"]),
    ("an unknown parameter", new_job, {"Until": "x"}, ["IDRAC.SYS429", "Base.ActionParameterUnknown"]),
]  # fmt: skip


@pytest.mark.parametrize("row", QUEUES, ids=[row[0] for row in QUEUES])
def test_a_queue_that_cannot_be_is_refused(bmc, row):
    _, situation, changes, messages = row
    ids = situation(bmc)
    before = bmc.state()
    parameters = {"JobArray": ids, "StartTimeInterval": "TIME_NOW", **changes}
    if changes.get("StartTimeInterval", "") is None:
        del parameters["StartTimeInterval"]
    if parameters["JobArray"]:
        parameters["JobArray"] = [
            name.format(*ids) if isinstance(name, str) else name for name in parameters["JobArray"]
        ]
    answer = bmc.act("SetupJobQueue", **parameters)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bmc.state() == before


ACTIONS = [
    # action, parameters, status, messages
    ("CreateRebootJob", {}, ["IDRAC.SYS428", "Base.ActionParameterMissing"]),
    ("CreateRebootJob", {"RebootJobType": "ForceReboot"}, ["IDRAC.SYS426", "IDRAC.SUP005", "Base.ActionParameterValueNotInList"]),
    ("SetupJobQueue", {}, ["IDRAC.SYS428", "Base.ActionParameterMissing"]),
    ("DeleteJobQueue", {}, ["IDRAC.SYS428", "Base.ActionParameterMissing"]),
    ("DeleteJobQueue", {"JobID": "JID_000000000000"}, ["IDRAC.SUP011", "IDRAC.JCP022"]),
    ("DeleteJobQueue", {"JobID": 7}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ("SetDeleteOnCompletionTimeout", {"DeleteOnCompletionTimeout": 14}, ["IDRAC.SYS409", "Base.ActionParameterValueOutOfRange"]),
    ("SetDeleteOnCompletionTimeout", {"DeleteOnCompletionTimeout": 10081}, ["IDRAC.SYS409", "Base.ActionParameterValueOutOfRange"]),
    ("SetDeleteOnCompletionTimeout", {"DeleteOnCompletionTimeout": "60"}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ("SetDeleteOnCompletionTimeout", {"DeleteOnCompletionTimeoutMinutes": 60}, ["IDRAC.SYS428", "Base.ActionParameterMissing", "IDRAC.SYS429", "Base.ActionParameterUnknown"]),
]  # fmt: skip


@pytest.mark.parametrize("row", ACTIONS, ids=[f"{row[0]} {row[1]}" for row in ACTIONS])
def test_an_action_of_the_job_service_that_cannot_be_is_refused(bmc, row):
    action, parameters, messages = row
    new_job(bmc)
    before = bmc.state()
    answer = bmc.act(action, **parameters)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bmc.state() == before


ELSEWHERE = [
    # situation, method, place, body, status, messages
    ("an unknown job", "GET", "{jobs}/JID_000000000000", None, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("deleting an unknown job", "DELETE", "{jobs}/JID_000000000000", None, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("an unknown job in DMTF's view", "GET", "/redfish/v1/JobService/Jobs/7", None, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("an unknown task", "GET", "/redfish/v1/TaskService/Tasks/7", None, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("an unknown monitor", "GET", "/redfish/v1/TaskService/TaskMonitors/7", None, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("a number of 5,000 digits", "GET", "/redfish/v1/AccountService/Accounts/" + "1" * 5000, None, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("an unknown resource", "GET", "/redfish/v1/Nothing", None, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("writing to an unknown resource", "PATCH", "/redfish/v1/Nothing", {}, 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("a method that is not offered", "DELETE", "{system}", None, 405, ["IDRAC.SYS402", "Base.OperationNotAllowed"]),
    ("writing to what the mockup merely shows", "PATCH", "/redfish/v1/Chassis", {}, 405, ["IDRAC.SYS402", "Base.OperationNotAllowed"]),
    ("reading an action", "GET", "{system}/Actions/ComputerSystem.Reset", None, 405, ["IDRAC.SYS402", "Base.OperationNotAllowed"]),
    ("a method nobody knows", "PUT", "{settings}", {}, 405, ["IDRAC.SYS402", "Base.OperationNotAllowed"]),
    ("a reset type that is not offered", "POST", "{system}/Actions/ComputerSystem.Reset", {"ResetType": "Explode"}, 400, ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"]),
    ("a reset type that is no text", "POST", "{system}/Actions/ComputerSystem.Reset", {"ResetType": 1}, 400, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ("an unknown reset parameter", "POST", "{system}/Actions/ComputerSystem.Reset", {"Reset": 1}, 400, ["IDRAC.SYS429", "Base.ActionParameterUnknown"]),
    ("an unknown password", "POST", "{bios}/Actions/Bios.ChangePassword", {"PasswordName": "X", "OldPassword": "", "NewPassword": "y"}, 400, ["IDRAC.SYS426", "Base.ActionParameterValueNotInList"]),
    ("a wrong old password", "POST", "{bios}/Actions/Bios.ChangePassword", {"PasswordName": "SetupPassword", "OldPassword": "z", "NewPassword": "y"}, 400, ["Base.ActionParameterValueError"]),
    ("nothing to clear", "POST", "{settings}/Actions/Oem/DellManager.ClearPending", {}, 400, ["IDRAC.BIOS012"]),
    ("an unknown $parameter", "GET", "/redfish/v1/Systems?$nope=1", None, 501, ["Base.QueryParameterUnsupported"]),
    ("a bad $expand", "GET", "/redfish/v1/Systems?$expand=x", None, 400, ["Base.QueryParameterValueFormatError"]),
    ("a bad $top", "GET", "/redfish/v1/Systems?$top=-1", None, 400, ["Base.QueryParameterValueTypeError"]),
]  # fmt: skip


@pytest.mark.parametrize("row", ELSEWHERE, ids=[row[0] for row in ELSEWHERE])
def test_other_requests_that_cannot_be_are_refused(bmc, row):
    _, method, place, body, status, messages = row
    before = bmc.state()
    uri = place.format(jobs=bmc.jobs, system=bmc.system, bios=bmc.bios, settings=bmc.settings)
    answer = bmc.call(method, uri, body)
    assert (answer.status, answer.message_ids) == (status, messages)
    assert bmc.state() == before


PASSWORD_PARAMETERS = ("PasswordName", "OldPassword", "NewPassword")


@pytest.mark.parametrize("number", range(3))
def test_each_parameter_that_is_missing_is_told_once(bmc, number):
    given, missing = PASSWORD_PARAMETERS[:number], PASSWORD_PARAMETERS[number:]
    before = bmc.state()
    answer = bmc.post(f"{bmc.bios}/Actions/Bios.ChangePassword", dict.fromkeys(given, "x"))
    told = [entry["RelatedProperties"] for entry in answer.info if "SYS428" in entry["MessageId"]]
    assert (answer.status, told) == (400, [[f"#/{name}"] for name in missing])
    assert bmc.state() == before


def test_a_body_beyond_the_bound_is_refused(bmc):
    before = bmc.state()
    answer = bmc.patch(bmc.settings, b'{"Attributes": {"AssetTag": "' + b"x" * 2_000_000 + b'"}}')
    assert answer.status == 413
    assert answer.message_ids == ["Base.PayloadTooLarge"]
    assert bmc.state() == before


def test_if_match_with_another_tag_writes_nothing(bmc):
    tag = bmc.get(bmc.settings).headers["ETag"]
    assert bmc.patch(bmc.settings, {"Attributes": {"NumLock": "Off"}}, headers={"If-Match": tag}).status == 200
    before = bmc.state()
    answer = bmc.patch(bmc.settings, {"Attributes": {"NumLock": "On"}}, headers={"If-Match": tag})
    assert (answer.status, answer.message_ids) == (412, ["Base.PreconditionFailed"])
    assert bmc.state() == before
