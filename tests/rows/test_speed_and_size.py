"""How many: a full queue is run through in one jump of the clock, and a thousand jobs are listed and counted right."""

from __future__ import annotations

import pytest
from rows_world import (
    BIOS,
    CONFIG,
    DAY,
    GRACEFUL,
    HOUR,
    NIC,
    OFF,
    POST,
    POWER_CYCLE,
    RAID,
    STEP,
    UPDATE,
    VIEWS,
    Desk,
    controller,
)

from emulator.core.clock import Clock
from emulator.core.job import State
from emulator.core.machine import Machine
from emulator.devices.bios import Bios


def test_255_configuration_jobs_and_their_reboot_run_in_one_jump(bmc):
    """The BIOS of the mockup, 255 times over, in the reverse order of their making."""
    model = bmc.service.site.bioses[0].model
    targets = [f"BIOS.Setup.1-{number}" for number in range(255)]
    start = 1_700_000_000.0
    machine = Machine("1", Clock(lambda: 0.0, rate=0, start=start), [Bios(target, model, STEP) for target in targets])
    jobs = []
    for target in targets:
        machine.stage(target, {"NumLock": "Off"})
        jobs.append(machine.create_configuration_job(target, "root"))
    reboot = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id for job in reversed(jobs)] + [reboot.id], start + HOUR)
    machine.advance(DAY)
    assert {job.state for job in machine.queue.jobs.values()} == {State.COMPLETED}
    began = [job.started_at for job in reversed(jobs)]
    assert began == [start + HOUR + OFF + POST + number * STEP for number in range(255)]
    assert all(machine.devices[target].read()["NumLock"] == "Off" for target in targets)
    assert (machine.pending, machine.host.is_on) == ({}, True)


def test_a_queue_of_256_jobs_of_all_kinds_is_run_through_in_one_jump(bmc):
    desk = Desk(bmc)
    desk.config()
    for component in (BIOS, RAID, NIC):
        desk.push(component, name=component)
    restarts = [str(number) for number in range(252)]
    for name in restarts:
        desk.reboot_job(name=name)
    array = [RAID, *restarts[:100], CONFIG, *restarts[100:], NIC, BIOS]
    assert desk.queue(*array, start=HOUR).status == 200
    assert desk.numbers()["CurrentNumberOfJobs"] == 256
    desk.until(2 * DAY)
    states = desk.states()
    assert {states[name] for name in (RAID, CONFIG, NIC, BIOS)} == {"Completed"}
    assert {states[name] for name in restarts} == {"RebootCompleted"}
    order = desk.order()
    assert [name for name in order if name not in restarts] == [RAID, CONFIG, NIC, BIOS]
    assert [name for name in order if name in restarts] == restarts


JOBS = 1000


@pytest.fixture
def thousand(make_bmc, tmp_path):
    """A controller with room for a thousand jobs, and as many there: 900 have failed, 98 wait, one is scheduled, one is
    running.
    """
    desk = controller(make_bmc, tmp_path, policy={"max_jobs": JOBS, "auto_delete_at_percent": 100})
    desk.restart("ForceOff")
    for number in range(900):
        desk.reboot_job(GRACEFUL, f"failed {number}")
    desk.queue(*(f"failed {number}" for number in range(900)))
    for number in range(98):
        desk.reboot_job(name=f"waits {number}")
    desk.push(BIOS, apply="OnReset")
    desk.config()
    desk.queue(CONFIG)
    desk.restart("On")
    desk.until(POST)
    return desk


def counted(words):
    return {word: words.count(word) for word in set(words)}


def test_a_thousand_jobs_are_counted(thousand):
    assert thousand.numbers() == {
        "CurrentNumberOfJobs": JOBS,
        "MaximumNumberOfJobs": JOBS,
        "StartAutoDeleteAtThreshold": JOBS,
        "DeleteOnCompletionTimeoutMinutes": 2880,
    }
    answer = thousand.reboot_job(name="one more")
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.JCP017"])


DELL_WORDS = {"RebootFailed": 900, "New": 98, "Scheduled": 1, "Running": 1}
DMTF_WORDS = {"Exception": 900, "New": 98, "Starting": 1, "Running": 1}
LISTS = [
    # view, the property of the state, how many there are in each
    (VIEWS[0], "JobState", DELL_WORDS),
    (VIEWS[1], "JobState", DELL_WORDS),
    (VIEWS[2], "JobState", DMTF_WORDS),
    (VIEWS[3], "TaskState", DMTF_WORDS),
]


@pytest.mark.parametrize(("view", "word", "words"), LISTS, ids=VIEWS)
def test_a_thousand_jobs_are_listed_whole(thousand, view, word, words):
    found = thousand.bmc.get(f"{thousand.place(view)}?$expand=*($levels=1)").body
    members = found["Members"]
    assert (found["Members@odata.count"], len(members)) == (JOBS, JOBS)
    assert [member["Id"] for member in members] == list(thousand.jobs.values()), "as they were made"
    assert counted([member[word] for member in members]) == words
    for member in (members[0], members[500], members[950], members[998], members[999]):
        assert member == thousand.bmc.get(member["@odata.id"]).body


@pytest.mark.parametrize(("view", "word", "words"), LISTS, ids=VIEWS)
def test_a_thousand_jobs_are_found_and_paged(thousand, view, word, words):
    place = thousand.place(view)
    for state, number in words.items():
        found = thousand.bmc.get(f"{place}?$filter={word} eq '{state}'").body
        assert (found["Members@odata.count"], len(found["Members"])) == (number, number)
    page = thousand.bmc.get(f"{place}?$skip=990&$top=20").body
    assert (page["Members@odata.count"], len(page["Members"])) == (JOBS, 10)
    assert [member["@odata.id"] for member in page["Members"]] == thousand.listed(view)[990:]


def test_what_happens_to_one_of_them_shows_in_the_list_at_once(thousand):
    desk = thousand
    desk.bmc.get(f"{desk.bmc.jobs}?$expand=.")
    desk.until(POST + HOUR)
    members = desk.bmc.get(f"{desk.bmc.jobs}?$expand=.").body["Members"]
    assert [member["JobState"] for member in members[-2:]] == ["Completed", "Completed"]
    assert (desk.state(UPDATE), desk.state(CONFIG)) == ("Completed", "Completed")
    desk.bmc.act("DeleteJobQueue", JobID="JID_CLEARALL")
    assert [desk.listed(view) for view in VIEWS] == [[]] * 4
    assert desk.numbers()["CurrentNumberOfJobs"] == 0
