"""DellJobService: reboot jobs, queues, deletion, retention."""

from __future__ import annotations

import re

import pytest


def test_the_service_tells_its_numbers(bmc):
    found = bmc.get(bmc.job_service).body
    numbers = {name: value for name, value in found.items() if isinstance(value, int)}
    assert numbers == {
        "CurrentNumberOfJobs": 0,
        "MaximumNumberOfJobs": 256,
        "StartAutoDeleteAtThreshold": 128,
        "DeleteOnCompletionTimeoutMinutes": 2880,
    }
    create = found["Actions"]["#DellJobService.CreateRebootJob"]
    assert create["RebootJobType@Redfish.AllowableValues"] == [
        "GracefulRebootWithForcedShutdown",
        "GracefulRebootWithoutForcedShutdown",
        "PowerCycle",
    ]
    bmc.create_reboot_job()
    assert bmc.get(bmc.job_service).body["CurrentNumberOfJobs"] == 1


@pytest.mark.parametrize(
    ("kind", "job_type", "seconds_off"),
    [
        ("PowerCycle", "RebootPowerCycle", (0, 5)),
        ("GracefulRebootWithForcedShutdown", "RebootForce", (20, 25)),
        ("GracefulRebootWithoutForcedShutdown", "RebootNoForce", (20, 25)),
    ],
)
def test_a_reboot_job_restarts_the_host_when_it_is_queued(bmc, kind, job_type, seconds_off):
    job = bmc.create_reboot_job(kind)
    assert re.fullmatch(r"RID_\d{12}", job)
    bmc.advance(3600)
    assert (bmc.job(job)["JobState"], bmc.job(job)["JobType"]) == ("New", job_type), "it waits to be queued"
    assert bmc.act("SetupJobQueue", JobArray=[job], StartTimeInterval="TIME_NOW").status == 200
    assert bmc.job(job)["JobState"] == "RebootPending"
    down, up = seconds_off
    bmc.advance(down)
    assert bmc.get(bmc.system).body["PowerState"] == "Off"
    bmc.advance(up - down)
    assert bmc.get(bmc.system).body["PowerState"] == "On"
    bmc.advance(90)
    found = bmc.job(job)
    assert (found["JobState"], found["Message"], found["PercentComplete"]) == (
        "RebootCompleted",
        "Reboot is complete.",
        100,
    )


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("PowerCycle", "RebootPending"),
        ("GracefulRebootWithForcedShutdown", "RebootFailed"),
        ("GracefulRebootWithoutForcedShutdown", "RebootFailed"),
    ],
)
def test_only_a_power_cycle_starts_a_host_that_is_off(bmc, kind, state):
    bmc.reset("ForceOff")
    job = bmc.create_reboot_job(kind)
    bmc.act("SetupJobQueue", JobArray=[job], StartTimeInterval="TIME_NOW")
    assert bmc.job(job)["JobState"] == state
    assert bmc.get(bmc.system).body["PowerState"] == ("On" if state == "RebootPending" else "Off")


def test_a_queue_runs_its_jobs_in_one_reboot(bmc):
    bmc.patch_bios(NumLock="Off")
    job, reboot = bmc.create_job(), bmc.create_reboot_job()
    assert bmc.act("SetupJobQueue", JobArray=[job, reboot], StartTimeInterval="TIME_NOW").status == 200
    assert bmc.job(job)["JobState"] == "Scheduled"
    bmc.advance(500)
    assert bmc.job(job)["JobState"] == "Completed"
    assert bmc.job(reboot)["JobState"] == "RebootCompleted"
    assert bmc.attributes()["NumLock"] == "Off"


def test_a_job_created_with_a_reboot_is_scheduled_at_once(bmc):
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job(RebootJobType="PowerCycle")
    assert bmc.job(job)["JobState"] == "Scheduled"
    assert bmc.get(bmc.system).body["PowerState"] == "Off"
    bmc.advance(500)
    assert bmc.job(job)["JobState"] == "Completed"


def local(bmc, seconds, form="%Y%m%d%H%M%S"):
    from datetime import datetime, timedelta

    now = datetime.fromisoformat(bmc.get(bmc.manager).body["DateTime"])
    return (now + timedelta(seconds=seconds)).strftime(form)


def test_a_queue_waits_for_its_start_time(bmc):
    bmc.patch_bios(NumLock="Off")
    job, reboot = bmc.create_job(), bmc.create_reboot_job()
    assert bmc.act("SetupJobQueue", JobArray=[job, reboot], StartTimeInterval=local(bmc, 3600)).status == 200
    bmc.reset()
    bmc.advance(3500)
    assert bmc.job(job)["JobState"] == "Scheduled", "a reboot before the start time is not its reboot"
    bmc.advance(600)
    assert (bmc.job(job)["JobState"], bmc.job(reboot)["JobState"]) == ("Completed", "RebootCompleted")


def test_a_job_that_does_not_start_in_its_window_fails(bmc):
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job()
    window = {"StartTimeInterval": local(bmc, 60), "UntilTime": local(bmc, 60 + 300)}
    assert bmc.act("SetupJobQueue", JobArray=[job], **window).status == 200
    bmc.advance(359)
    assert bmc.job(job)["JobState"] == "Scheduled"
    bmc.advance(2)
    found = bmc.job(job)
    assert (found["JobState"], found["MessageId"]) == ("Failed", "JCP004")
    assert bmc.pending() == {}


def test_deleting_a_waiting_job_frees_its_target(bmc):
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job()
    answer = bmc.delete(f"{bmc.jobs}/{job}")
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    assert bmc.get(f"{bmc.jobs}/{job}").status == 404
    assert bmc.pending() == {}
    assert bmc.patch_bios(NumLock="Off").status == 200


def test_deleting_a_running_job_undoes_what_it_did(bmc):
    before = bmc.attributes()
    bmc.patch_bios(SysProfile="PerfPerWattOptimizedDapc", NumLock="Off", ProcVirtualization="Disabled")
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(90 + 30)
    assert bmc.attributes() != before
    answer = bmc.act("DeleteJobQueue", JobID=job)
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SUP020"])
    assert bmc.attributes() == before
    bmc.advance(500)
    assert bmc.get(bmc.system).body["BootProgress"]["LastState"] == "OSRunning"


@pytest.mark.parametrize(
    "view", ["{jobs}", "{manager}/Jobs", "/redfish/v1/JobService/Jobs", "/redfish/v1/TaskService/Tasks"]
)
def test_a_finished_job_is_forgotten_from_any_view_and_nothing_is_undone(bmc, view):
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    place = view.format(jobs=bmc.jobs, manager=bmc.manager)
    assert bmc.delete(f"{place}/{job}").status == 200
    assert bmc.get(f"{bmc.jobs}/{job}").status == 404
    assert bmc.attributes()["NumLock"] == "Off"


def test_clear_all_takes_every_job_and_every_pending_value(bmc):
    bmc.patch_bios(NumLock="Off")
    bmc.create_job()
    bmc.reset()
    bmc.advance(500)
    bmc.patch_bios(ProcVirtualization="Disabled")
    bmc.create_job()
    bmc.create_reboot_job()
    assert bmc.act("DeleteJobQueue", JobID="JID_CLEARALL").status == 200
    assert bmc.get(bmc.jobs).body["Members@odata.count"] == 0
    assert bmc.pending() == {}


def test_finished_jobs_are_kept_for_the_timeout_once_there_are_many(make_bmc, tmp_path):
    bmc = make_bmc(mockup=str(small_store(tmp_path, max_jobs=4)))
    assert bmc.act("SetDeleteOnCompletionTimeout", DeleteOnCompletionTimeout=15).status == 200
    first = bmc.create_reboot_job()
    bmc.act("SetupJobQueue", JobArray=[first], StartTimeInterval="TIME_NOW")
    bmc.advance(500)
    bmc.advance(3600)
    assert bmc.job(first)["JobState"] == "RebootCompleted", "below the threshold of two nothing goes"
    bmc.create_reboot_job()
    bmc.advance(0)
    assert bmc.get(f"{bmc.jobs}/{first}").status == 404


def test_a_full_store_refuses_new_jobs(make_bmc, tmp_path):
    bmc = make_bmc(mockup=str(small_store(tmp_path, max_jobs=2)))
    for _ in range(2):
        bmc.create_reboot_job()
    bmc.patch_bios(NumLock="Off")
    before = bmc.state()
    answer = bmc.post(bmc.jobs, {"TargetSettingsURI": bmc.settings})
    assert (answer.status, answer.message_ids[0]) == (400, "IDRAC.JCP017")
    assert bmc.state() == before


def small_store(tmp_path, **policy):
    import shutil

    from emulator.data import data_folder

    folder = tmp_path / "small"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", folder)
    manifest = folder / "machine.toml"
    text = re.sub(
        r"max_jobs = \d+", "\n".join(f"{name} = {value}" for name, value in policy.items()), manifest.read_text()
    )
    manifest.write_text(text)
    return folder
