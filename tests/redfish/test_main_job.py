"""The main job, in every view: stage, create, reset, watch, and the values are in force."""

from __future__ import annotations

import pytest

CHANGE = {"ProcVirtualization": "Disabled", "NumLock": "Off", "AcPwrRcvryUserDelay": 240}


def test_a_job_moves_through_its_states_as_the_clock_does(bmc):
    before = bmc.attributes()
    assert bmc.patch_bios(**CHANGE).status == 200
    assert bmc.pending() == CHANGE
    job = bmc.create_job()
    seen = [bmc.job(job)["JobState"]]
    for seconds in (3, 3600):
        bmc.advance(seconds)
        assert bmc.job(job)["JobState"] == "ReadyForExecution", "nothing but a queue or a restart makes it run"
    assert bmc.job(job)["Message"] == "Task successfully scheduled."
    assert bmc.reset().status == 204
    for seconds, state, percent in ((89, "Scheduled", 0), (1, "Running", 1), (15, "Running", 33), (15, "Running", 66)):
        bmc.advance(seconds)
        found = bmc.job(job)
        seen.append(found["JobState"])
        assert (found["JobState"], found["PercentComplete"]) == (state, percent)
    assert bmc.job(job)["Message"] == "Job in progress."
    bmc.advance(15)
    found = bmc.job(job)
    assert (found["JobState"], found["PercentComplete"], found["MessageId"]) == ("Completed", 100, "PR19")
    assert found["Message"] == "Job completed successfully."
    assert seen[0] == "New"
    assert bmc.attributes() == {**before, **CHANGE}
    assert bmc.pending() == {}


def test_one_job_is_the_same_in_all_views(bmc):
    bmc.patch_bios(**CHANGE)
    bmc.fail("NumLock", message_id="BIOS014")
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    dell = bmc.job(job)
    older = bmc.get(f"{bmc.manager}/Jobs/{job}").untagged
    dmtf = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body
    task = bmc.get(f"/redfish/v1/TaskService/Tasks/{job}").body
    tag = dell.pop("@odata.etag")
    assert {**older, "@odata.id": dell["@odata.id"]} == dell
    assert tag
    assert (dell["JobState"], dell["MessageId"]) == ("CompletedWithErrors", "PR31")
    assert (dmtf["JobState"], dmtf["JobStatus"]) == ("Exception", "Warning")
    assert (task["TaskState"], task["TaskStatus"]) == ("Exception", "Warning")
    assert task["Oem"]["Dell"] == {**dell, "MessageId": "IDRAC.2.7.PR31"}
    assert [entry["MessageId"] for entry in dmtf["Messages"]] == ["IDRAC.2.7.PR31", "IDRAC.2.7.BIOS014"]
    assert dell["Name"] == "Configure: BIOS.Setup.1-1"
    assert dmtf["Name"] == "ConfigBIOS:BIOS.Setup.1-1"
    assert dell["JobType"] == "BIOSConfiguration"


@pytest.mark.parametrize(
    ("failing", "state", "dmtf", "health"),
    [
        ((), "Completed", "Completed", "OK"),
        (("NumLock",), "CompletedWithErrors", "Exception", "Warning"),
        (("ProcVirtualization", "NumLock"), "CompletedWithErrors", "Exception", "Warning"),
        (("*",), "Failed", "Exception", "Critical"),
    ],
    ids=["all good", "one bad", "two bad", "all bad"],
)
def test_the_verdict_is_spelled_in_each_view(bmc, failing, state, dmtf, health):
    before = bmc.attributes()
    bmc.patch_bios(**CHANGE)
    for step in failing:
        bmc.fail(step)
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    assert bmc.job(job)["JobState"] == state
    seen = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body
    assert (seen["JobState"], seen["JobStatus"]) == (dmtf, health)
    assert bmc.get(f"/redfish/v1/TaskService/Tasks/{job}").body["TaskStatus"] == health
    applied = {name: value for name, value in CHANGE.items() if name not in failing and "*" not in failing}
    assert bmc.attributes() == {**before, **applied}


def test_steps_show_what_went_well_and_what_did_not(bmc):
    bmc.patch_bios(**CHANGE)
    bmc.fail("NumLock")
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(90 + 15)
    steps = f"/redfish/v1/JobService/Jobs/{job}/Steps"
    assert bmc.get(steps).body["Members@odata.count"] == 3
    assert [bmc.get(f"{steps}/{n}").body["JobState"] for n in (1, 2, 3)] == ["Completed", "Running", "Pending"]
    bmc.advance(500)
    second = bmc.get(f"{steps}/2").body
    assert (second["Name"], second["JobState"]) == ("NumLock", "Exception")
    assert second["Messages"][0]["Message"] == "The change to NumLock was not applied."
    for number in ("0", "4", "x", "-1", "1" * 5000):
        assert bmc.get(f"{steps}/{number}").status == 404


def test_a_patch_with_an_apply_time_makes_the_job(bmc):
    change = {"Attributes": CHANGE, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    answer = bmc.patch(bmc.settings, change)
    assert (answer.status, answer.body) == (202, "")
    place = answer.headers["Location"]
    assert place.startswith("/redfish/v1/TaskService/TaskMonitors/JID_")
    assert bmc.get(place).status == 202, "it is while the task is unfinished"
    bmc.reset()
    bmc.advance(500)
    assert bmc.get(place).status == 200
    assert bmc.attributes()["NumLock"] == "Off"


def test_an_apply_time_alone_makes_the_job_of_what_is_staged(bmc):
    bmc.patch_bios(**CHANGE)
    answer = bmc.patch(bmc.settings, {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}})
    assert answer.status == 202
    assert bmc.pending() == CHANGE


def test_a_plain_service_sends_the_client_to_a_monitor(rack):
    change = {"Attributes": {"ProcTurboMode": "Disabled"}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    answer = rack.patch(rack.settings, change)
    monitor = answer.headers["Location"]
    assert (answer.status, monitor.rpartition("/")[0]) == (202, "/redfish/v1/TaskService/TaskMonitors")
    assert rack.get(monitor).status == 202
    task = monitor.replace("TaskMonitors", "Tasks")
    assert (rack.get(task).status, rack.get(task).body["TaskState"]) == (200, "New")
    rack.advance(3)
    assert rack.get(task).body["TaskState"] == "Pending"
    rack.reset()
    rack.advance(500)
    assert rack.get(monitor).status == 200
    assert rack.get(task).body["TaskState"] == "Completed"
    assert rack.attributes()["ProcTurboMode"] == "Disabled"


def test_a_plain_service_says_through_the_monitor_what_went_wrong(rack):
    rack.fail("ProcTurboMode")
    change = {"Attributes": {"ProcTurboMode": "Disabled"}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    monitor = rack.patch(rack.settings, change).headers["Location"]
    rack.reset()
    rack.advance(500)
    answer = rack.get(monitor)
    assert answer.status == 400
    assert answer.message_ids == ["Base.PropertyNotUpdated", "JobEvent.JobCompletedException"]
    assert rack.attributes()["ProcTurboMode"] == "Enabled"


def test_a_plain_service_applies_what_was_staged_without_a_job(rack):
    """DSP0266: what is in a settings resource is applied; OnReset is the time this one offers."""
    answer = rack.patch_bios(ProcTurboMode="Disabled")
    assert (answer.status, answer.body["Attributes"]) == (200, {"ProcTurboMode": "Disabled"})
    rack.reset()
    rack.advance(500)
    assert rack.attributes()["ProcTurboMode"] == "Disabled"
    assert rack.pending() == {}
    jobs = rack.get("/redfish/v1/JobService/Jobs").body["Members"]
    assert len(jobs) == 1, "a job of the service's own did it"


def test_a_lifecycle_controller_applies_nothing_without_a_job(bmc):
    bmc.patch_bios(**CHANGE)
    bmc.reset()
    bmc.advance(500)
    assert bmc.pending() == CHANGE
    assert bmc.attributes()["NumLock"] == "On"


def test_the_bios_resource_tells_how_the_last_application_went(bmc):
    bmc.patch_bios(**CHANGE)
    bmc.fail("NumLock")
    bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    annotation = bmc.get(bmc.bios).body["@Redfish.Settings"]
    assert annotation["SupportedApplyTimes"] == [
        "OnReset",
        "AtMaintenanceWindowStart",
        "InMaintenanceWindowOnReset",
    ]
    assert annotation["Messages"][0]["RelatedProperties"] == ["#/Attributes/NumLock"]
    assert annotation["Time"].endswith("-05:00")


def test_reset_bios_restores_defaults_at_the_next_start(bmc):
    bmc.patch_bios(NumLock="Off")
    bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    assert bmc.post(f"{bmc.bios}/Actions/Bios.ResetBios/").status == 200, "no body, and a trailing slash"
    assert bmc.get(bmc.bios).body["ResetBiosToDefaultsPending"] is True
    assert bmc.attributes()["NumLock"] == "Off"
    bmc.reset()
    bmc.advance(90)
    assert bmc.attributes()["NumLock"] == "On"
    assert "ResetBiosToDefaultsPending" not in bmc.get(bmc.bios).body


def test_a_password_is_staged_applied_and_never_shown(bmc):
    change = f"{bmc.bios}/Actions/Bios.ChangePassword"
    names = {"PasswordName": "SetupPassword", "OldPassword": "", "NewPassword": "Fish-4711"}
    assert bmc.post(change, names).status == 200
    assert bmc.pending() == {"SetupPassword": None}
    bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    assert "SetupPassword" not in bmc.attributes()
    wrong = bmc.post(change, {**names, "NewPassword": "other"})
    assert (wrong.status, wrong.related) == (400, {"#/OldPassword"})
    assert bmc.post(change, {**names, "OldPassword": "Fish-4711", "NewPassword": "other"}).status == 200
    assert not any(b"Fish-4711" in value for value in bmc.state().values())


def test_clear_pending_discards_what_no_job_holds(bmc):
    clear = f"{bmc.settings}/Actions/Oem/DellManager.ClearPending"
    bmc.patch_bios(**CHANGE)
    assert bmc.post(clear, {}).status == 200
    assert bmc.pending() == {}


def test_later_patches_add_to_what_is_staged(bmc):
    bmc.patch_bios(NumLock="Off")
    bmc.patch_bios(ProcVirtualization="Disabled", NumLock="On")
    assert bmc.pending() == {"NumLock": "On", "ProcVirtualization": "Disabled"}


def test_a_staged_value_that_allows_another_is_applied_before_it(bmc):
    bmc.patch_bios(SysProfile="PerfPerWattOptimizedDapc")
    bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    refused = bmc.patch_bios(ProcTurboMode="Disabled")
    assert (refused.status, refused.message_ids[0]) == (400, "IDRAC.SYS410")
    assert bmc.patch_bios(ProcTurboMode="Disabled", SysProfile="Custom").status == 200
    bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    assert bmc.attributes()["ProcTurboMode"] == "Disabled"
