"""A5: staged values show as pending. They can be cleared; a job consumes them; deleting an unstarted job discards them.

From the Job Control Profile (SetAttributes, DeletePendingConfiguration) and the captured settings resource, which holds
the pending attributes alone and is empty when there are none.
"""

from __future__ import annotations

import pytest
from rows_world import CONFIG, DAY, DONE, HOUR, JOB_TIME, POST, Desk, refused

DELIVERED = {"NumLock": "On", "ProcVirtualization": "Enabled", "AcPwrRcvryUserDelay": 120}
OFF, DISABLED, DELAY = {"NumLock": "Off"}, {"ProcVirtualization": "Disabled"}, {"AcPwrRcvryUserDelay": 240}


def in_force(desk):
    return {name: value for name, value in desk.bmc.attributes().items() if name in DELIVERED}


# -- staged and cleared -----------------------------------------------------------------------------------------------

STAGED = [
    # the calls, one after the other; what is pending then
    ([lambda desk: desk.stage(**OFF)], OFF),
    ([lambda desk: desk.stage(**OFF), lambda desk: desk.stage(**DISABLED)], {**OFF, **DISABLED}),
    ([lambda desk: desk.stage(NumLock="Off"), lambda desk: desk.stage(NumLock="On")], {"NumLock": "On"}),
    ([lambda desk: desk.stage(**OFF, **DISABLED), lambda desk: desk.stage(**DELAY)], {**OFF, **DISABLED, **DELAY}),
    ([Desk.change_password], {"SetupPassword": None}),
    ([lambda desk: desk.stage(**OFF), Desk.change_password], {**OFF, "SetupPassword": None}),
    ([Desk.reset_bios], {}),
    ([Desk.reset_bios, lambda desk: desk.stage(**OFF)], OFF),
]


@pytest.mark.parametrize("row", STAGED, ids=lambda row: str(row[1]))
def test_what_is_staged_is_pending_until_it_is_cleared(bmc, row):
    calls, pending = row
    desk = Desk(bmc)
    defaults = Desk.reset_bios in calls
    for call in calls:
        answer = call(desk)
        assert (answer.status, answer.message_ids) == (200, DONE)
    assert bmc.pending() == pending
    assert bmc.get(bmc.bios).body.get("ResetBiosToDefaultsPending", False) is defaults
    assert in_force(desk) == DELIVERED
    assert desk.listed() == []
    answer = desk.clear_pending()
    assert (answer.status, answer.message_ids) == (200, DONE)
    assert bmc.pending() == {}
    assert "ResetBiosToDefaultsPending" not in bmc.get(bmc.bios).body
    assert in_force(desk) == DELIVERED


def test_without_a_job_it_stays_pending_whatever_happens_to_the_host(bmc):
    desk = Desk(bmc)
    desk.stage(**OFF, **DISABLED)
    for number, reset in enumerate(("ForceRestart", "PowerCycle", "GracefulRestart", "ForceOff", "On"), 1):
        desk.restart(reset)
        desk.until(number * DAY)
        assert bmc.pending() == {**OFF, **DISABLED}
    assert in_force(desk) == DELIVERED


# -- consumed ---------------------------------------------------------------------------------------------------------

TWO = {**OFF, **DISABLED}
CONSUMED = [
    # which steps fail; state of the job, what is in force then; nothing is pending any more
    ([], "Completed", {**DELIVERED, **TWO}),
    (["NumLock"], "CompletedWithErrors", {**DELIVERED, **DISABLED}),
    (["*"], "Failed", DELIVERED),
]


@pytest.mark.parametrize("row", CONSUMED, ids=[row[1] for row in CONSUMED])
def test_a_job_consumes_what_is_pending_however_it_ends(bmc, row):
    failing, state, afterwards = row
    desk = Desk(bmc)
    for step in failing:
        bmc.fail(step)
    desk.config(values=TWO)
    for seconds, pending, values in ((0, TWO, DELIVERED), (HOUR, TWO, DELIVERED)):
        desk.until(seconds)
        assert (bmc.pending(), in_force(desk)) == (pending, values)
    desk.restart()
    desk.until(HOUR + POST)
    assert (desk.state(CONFIG), bmc.pending()) == ("Running", TWO)
    desk.until(2 * HOUR)
    assert (desk.state(CONFIG), bmc.pending(), in_force(desk)) == (state, {}, afterwards)
    answer = refused(desk, Desk.clear_pending)
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.BIOS012"])


def test_what_is_staged_after_a_job_is_not_the_earlier_jobs(bmc):
    desk = Desk(bmc)
    desk.config(values=OFF)
    desk.restart()
    desk.until(HOUR)
    desk.stage(**DISABLED)
    desk.restart()
    desk.until(2 * HOUR)
    assert (bmc.pending(), in_force(desk)) == (DISABLED, {**DELIVERED, **OFF})


# -- discarded --------------------------------------------------------------------------------------------------------


def new(desk):
    desk.config(values=TWO)


def ready(desk):
    new(desk)
    desk.until(HOUR)


def scheduled(desk):
    desk.config(values=TWO, StartTime=desk.local(HOUR, JOB_TIME))


def waits_for_its_window(desk):
    window = {"MaintenanceWindowStartTime": desk.with_offset(HOUR), "MaintenanceWindowDurationInSeconds": 600}
    desk.apply("InMaintenanceWindowOnReset", values=TWO, **window)


UNSTARTED = [(new, "New"), (ready, "ReadyForExecution"), (scheduled, "Scheduled"), (waits_for_its_window, "New")]


@pytest.mark.parametrize(("situation", "state"), UNSTARTED, ids=[row[0].__name__ for row in UNSTARTED])
def test_deleting_an_unstarted_job_discards_what_was_pending_for_it(bmc, situation, state):
    desk = Desk(bmc)
    situation(desk)
    assert (desk.state(CONFIG), bmc.pending()) == (state, TWO)
    assert desk.delete(CONFIG).status == 200
    assert bmc.pending() == {}
    desk.restart()
    desk.until(DAY)
    assert in_force(desk) == DELIVERED


def test_a_window_that_closes_discards_it_too(bmc):
    desk = Desk(bmc)
    waits_for_its_window(desk)
    desk.until(HOUR + 600)
    assert desk.says(CONFIG) == ("Failed", "JCP004")
    assert (bmc.pending(), in_force(desk)) == ({}, DELIVERED)


# -- refused ----------------------------------------------------------------------------------------------------------


def nothing(desk):
    pass


def staged(desk):
    desk.stage(**OFF)


def held(desk):
    desk.config(values=OFF)


UNKNOWN = ["IDRAC.SYS429", "Base.PropertyUnknown"]
REFUSED = [
    # situation, set up by, call, message ids
    ("nothing to clear", nothing, Desk.clear_pending, ["IDRAC.BIOS012"]),
    ("clearing what a job holds", held, Desk.clear_pending, ["IDRAC.BIOS011"]),
    ("a job of nothing", nothing, Desk.create, ["IDRAC.BIOS008"]),
    ("an apply time for nothing", nothing, lambda desk: desk.apply("OnReset", values={}), ["IDRAC.BIOS008"]),
    ("an unknown attribute", staged, lambda desk: desk.stage(NumLok="On"), UNKNOWN),
    ("a good value and a bad one", staged, lambda desk: desk.stage(ProcVirtualization="Disabled", NumLok="On"), UNKNOWN),
    ("a bad value with an apply time", staged, lambda desk: desk.apply("OnReset", values={"NumLok": "On"}), UNKNOWN),
    ("a parameter of ClearPending", staged, lambda desk: desk.bmc.post(f"{desk.bmc.settings}/Actions/Oem/DellManager.ClearPending", {"All": True}), ["IDRAC.SYS429", "Base.ActionParameterUnknown"]),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_leaves_what_is_pending_as_it_is(bmc, row):
    _, situation, call, messages = row
    desk = Desk(bmc)
    situation(desk)
    answer = refused(desk, call)
    assert (answer.status, answer.message_ids) == (400, messages)
