"""The host over Redfish: every reset type the mockup lists, power states and boot progress."""

from __future__ import annotations

import pytest

STORIES = [
    # reset type, from (On/Off), then (seconds, PowerState, BootProgress) ...
    ("ForceRestart", "On", [(0, "On", "SystemHardwareInitializationComplete"), (90, "On", "OSBootStarted"), (45, "On", "OSRunning")]),
    ("GracefulRestart", "On", [(0, "PoweringOff", "OSRunning"), (20, "Off", "None"), (5, "On", "SystemHardwareInitializationComplete"), (135, "On", "OSRunning")]),
    ("GracefulShutdown", "On", [(0, "PoweringOff", "OSRunning"), (20, "Off", "None"), (3600, "Off", "None")]),
    ("ForceOff", "On", [(0, "Off", "None"), (3600, "Off", "None")]),
    ("PowerCycle", "On", [(0, "Off", "None"), (5, "On", "SystemHardwareInitializationComplete"), (135, "On", "OSRunning")]),
    ("PushPowerButton", "On", [(0, "PoweringOff", "OSRunning"), (20, "Off", "None")]),
    ("Nmi", "On", [(0, "On", "OSRunning")]),
    ("On", "On", [(0, "On", "OSRunning")]),
    ("On", "Off", [(0, "On", "SystemHardwareInitializationComplete"), (135, "On", "OSRunning")]),
    ("PushPowerButton", "Off", [(0, "On", "SystemHardwareInitializationComplete")]),
    ("PowerCycle", "Off", [(0, "On", "SystemHardwareInitializationComplete")]),
    ("ForceOff", "Off", [(0, "Off", "None")]),
    ("GracefulShutdown", "Off", [(0, "Off", "None")]),
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=[f"{story[0]} from {story[1]}" for story in STORIES])
def test_a_reset_takes_its_virtual_time(bmc, story):
    kind, start, moments = story
    if start == "Off":
        bmc.reset("ForceOff")
    assert bmc.reset(kind).status == 204
    for seconds, power, progress in moments:
        bmc.advance(seconds)
        found = bmc.get(bmc.system).body
        assert (found["PowerState"], found["BootProgress"]["LastState"]) == (power, progress), seconds


@pytest.mark.parametrize("kind", ["GracefulRestart", "Nmi"])
def test_a_host_that_is_off_has_nobody_to_ask(bmc, kind):
    bmc.reset("ForceOff")
    before = bmc.state()
    answer = bmc.reset(kind)
    assert (answer.status, answer.message_ids) == (409, ["Base.ActionParameterValueConflict"])
    assert bmc.state() == before


def test_a_forced_restart_starts_a_host_that_is_off(bmc):
    bmc.reset("ForceOff")
    assert bmc.reset("ForceRestart").status == 204
    assert bmc.get(bmc.system).body["PowerState"] == "On"


def test_every_reset_type_the_mockup_lists_is_offered_and_works(bmc, rack):
    for machine in (bmc, rack):
        action = machine.get(machine.system).body["Actions"]["#ComputerSystem.Reset"]
        offered = action["ResetType@Redfish.AllowableValues"]
        listed = machine.service.site.tree.documents[machine.system]["Actions"]["#ComputerSystem.Reset"]
        assert offered == listed["ResetType@Redfish.AllowableValues"]
        for kind in offered:
            machine.advance(500)
            machine.reset("On")
            machine.advance(500)
            assert machine.reset(kind).status == 204, kind


def test_jobs_run_between_post_and_boot(bmc):
    bmc.patch_bios(NumLock="Off")
    bmc.create_job()
    bmc.reset()
    bmc.advance(90)
    progress = bmc.get(bmc.system).body["BootProgress"]
    assert progress == {"LastState": "OEM", "OemLastState": "Automated Task Execution"}
    bmc.advance(15)
    assert bmc.get(bmc.system).body["BootProgress"]["LastState"] == "OSBootStarted"


def test_power_that_goes_away_under_a_running_job_fails_what_was_still_to_come(bmc):
    bmc.patch_bios(NumLock="Off", ProcVirtualization="Disabled")
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(90 + 16)
    bmc.reset("ForceOff")
    assert bmc.job(job)["JobState"] == "CompletedWithErrors"
    assert bmc.attributes()["NumLock"] == "Off"
    assert bmc.attributes()["ProcVirtualization"] == "Enabled"
