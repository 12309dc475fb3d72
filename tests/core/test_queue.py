"""The job service's rules: ids, order, capacity, windows, retention."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.job import TRANSITIONS, Event, Job, Kind, Lane, State, Step
from emulator.core.message import Message, Rejected
from emulator.core.policy import Policy
from emulator.core.queue import NUMBER_SPACE, Queue

NOW = 1_674_672_712.5416
STEPS = (Step("BIOS", "set", "A", 1, 15.0),)
MINUTE = 60.0
SPACE_SECONDS = NUMBER_SPACE / 10_000
"""After so long the twelve digits begin again: a little over three years."""


LANES = {Kind.CONFIGURATION: Lane.HOST, Kind.REBOOT: Lane.REBOOT, Kind.UPDATE: Lane.LIVE}


def make(queue: Queue, target: str = "BIOS", now: float = NOW, kind: Kind = Kind.CONFIGURATION) -> Job:
    locks = () if kind is Kind.REBOOT else (target,)
    return queue.create(kind, target, STEPS, now, "root", lane=LANES[kind], locks=locks)


def scheduled(queue: Queue, target: str, now: float = NOW, **window: float) -> Job:
    job = make(queue, target, now)
    queue.schedule(job, now, **window)
    return job


def finished(queue: Queue, target: str, at: float) -> Job:
    job = scheduled(queue, target, at)
    queue.start(job, at)
    job.fire(Event.COMPLETE, at)
    queue.ended(job)
    return job


# -- ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "epoch", "job_id"),
    [
        (Kind.CONFIGURATION, 1_674_672_712.5416, "JID_746727125416"),  # observed
        (Kind.REBOOT, 1_674_672_712.5416, "RID_746727125416"),
        (Kind.CONFIGURATION, 1_700_000_000.0, "JID_000000000000"),
        (Kind.CONFIGURATION, 1_700_000_000.5, "JID_000000005000"),
        (Kind.CONFIGURATION, 1_699_999_999.9999, "JID_999999999999"),
        (Kind.CONFIGURATION, 0.0, "JID_000000000000"),
    ],
)
def test_an_id_tells_the_ten_thousandth_of_a_second_of_its_creation(kind: Kind, epoch: float, job_id: str) -> None:
    assert make(Queue(Policy()), now=epoch, kind=kind).id == job_id


@given(st.integers(16 * NUMBER_SPACE, 20 * NUMBER_SPACE))
def test_every_ten_thousandth_has_the_id_that_is_written_for_it(tick: int) -> None:
    """Floating point must not turn ...5416 into ...5415."""
    number = int(make(Queue(Policy()), now=tick / 10_000).id[4:])
    assert number == tick % NUMBER_SPACE


def test_ids_differ_while_the_clock_stands_still_whatever_the_kind() -> None:
    queue = Queue(Policy())
    kinds = [Kind.CONFIGURATION, Kind.REBOOT] * 10
    numbers = [int(make(queue, str(index), kind=kind).id[4:]) for index, kind in enumerate(kinds)]
    assert numbers == [numbers[0] + index for index in range(20)]


@pytest.mark.parametrize("now", [NOW, 1_700_000_000.0, 1_730_000_000.0, 1_770_000_000.0])
def test_an_id_is_not_given_again_after_its_job_was_deleted(now: float) -> None:
    queue = Queue(Policy())
    first = make(queue, now=now)
    queue.remove(first)
    assert int(make(queue, now=now).id[4:]) == int(first.id[4:]) + 1


def test_an_id_is_not_given_again_after_its_job_was_deleted_and_the_queue_restored() -> None:
    queue = Queue(Policy())
    first = make(queue)
    queue.remove(first)
    restored = Queue(Policy())
    restored.restore(queue.to_plain(), [])
    assert make(restored).id != first.id


def test_after_the_last_number_comes_the_first() -> None:
    queue = Queue(Policy())
    numbers = [make(queue, str(index), 1_699_999_999.9999).id for index in range(3)]
    assert numbers == ["JID_999999999999", "JID_000000000000", "JID_000000000001"]


@pytest.mark.parametrize("hop", [SPACE_SECONDS / 5, SPACE_SECONDS / 4, SPACE_SECONDS / 2, SPACE_SECONDS])
def test_a_job_kept_until_the_numbers_begin_again_keeps_its_id_for_itself(hop: float) -> None:
    """Below the threshold no job is ever deleted: one may still be there when the digits come round."""
    queue = Queue(Policy())
    made = [make(queue, str(index), 1_600_000_000.0 + index * hop) for index in range(12)]
    assert len({job.id for job in made}) == 12
    assert list(queue.jobs.values()) == made


@given(st.lists(st.floats(-1e8, 1e8), max_size=12))
def test_no_two_jobs_have_the_same_id_however_the_clock_jumps(jumps: list[float]) -> None:
    queue, now = Queue(Policy()), 2_000_000_000.0
    for index, jump in enumerate(jumps):
        now = max(0.0, now + jump)
        make(queue, str(index), now)
    assert len(queue.jobs) == len(jumps)
    assert all(len(job_id) == 16 and job_id[4:].isdecimal() for job_id in queue.jobs)


# -- order ------------------------------------------------------------------------------------------------------------


def run_order(queue: Queue, now: float = NOW, lane: Lane = Lane.HOST) -> list[str]:
    found = []
    while (job := queue.runnable(now, lane)) is not None:
        queue.start(job, now)
        found.append(job.target)
        job.fire(Event.COMPLETE, now)
        queue.ended(job)
    return found


@pytest.mark.parametrize("order", ["ABC", "CBA", "BCA"])
def test_jobs_run_in_the_order_in_which_they_were_scheduled(order: str) -> None:
    queue = Queue(Policy())
    made = {target: make(queue, target) for target in "ABC"}
    for target in order:
        queue.schedule(made[target], NOW)
    assert run_order(queue) == list(order)


def test_a_job_scheduled_again_goes_behind_the_others() -> None:
    queue = Queue(Policy())
    first = scheduled(queue, "A")
    scheduled(queue, "B")
    queue.schedule(first, NOW, queued=True)
    assert run_order(queue) == ["B", "A"]


def test_a_job_whose_start_has_not_come_lets_the_others_pass() -> None:
    queue = Queue(Policy())
    scheduled(queue, "later", not_before=NOW + 100)
    scheduled(queue, "now")
    scheduled(queue, "later still", not_before=NOW + 200)
    assert run_order(queue, NOW) == ["now"]
    assert run_order(queue, NOW + 99.9) == []
    assert run_order(queue, NOW + 100) == ["later"]
    assert run_order(queue, NOW + 1000) == ["later still"]


@pytest.mark.parametrize("state", [State.NEW, State.RUNNING, State.COMPLETED])
def test_only_a_scheduled_job_is_runnable(state: State) -> None:
    queue = Queue(Policy())
    job = make(queue)
    if state is not State.NEW:
        queue.schedule(job, NOW)
        queue.start(job, NOW)
    if state is State.COMPLETED:
        job.fire(Event.COMPLETE, NOW)
        queue.ended(job)
    assert queue.runnable(NOW, Lane.HOST) is None


def test_each_lane_has_a_line_of_its_own() -> None:
    queue = Queue(Policy())
    made = {LANES[kind]: make(queue, kind.value, kind=kind) for kind in LANES}
    assert set(made) == set(Lane) - {Lane.CALENDAR}, "what waits for its moment waits for nobody else"
    for lane, job in made.items():
        assert queue.runnable(NOW, lane) is None
        queue.schedule(job, NOW)
        assert queue.runnable(NOW, lane) is job
        queue.start(job, NOW)
        assert (queue.runnable(NOW, lane), queue.running(lane)) == (None, job)


def test_what_is_to_come_last_lets_all_others_that_may_start_go_first() -> None:
    queue = Queue(Policy())
    scheduled(queue, "last")
    scheduled(queue, "later", not_before=NOW + 100)
    scheduled(queue, "now")

    def first(now: float) -> str:
        job = queue.runnable(now, Lane.HOST, last=lambda job: job.target == "last")
        assert job is not None
        queue.start(job, now)
        job.fire(Event.COMPLETE, now)
        queue.ended(job)
        return job.target

    assert first(NOW) == "now"
    assert first(NOW) == "last"  # what cannot start yet is not waited for
    assert first(NOW + 100) == "later"


@pytest.mark.parametrize(("at", "may_start"), [(-0.001, False), (0, True), (299.999, True), (300, False)])
def test_a_job_may_start_from_the_beginning_of_its_window_and_before_its_end(at: float, may_start: bool) -> None:
    queue, start = Queue(Policy()), 1_700_000_000.0
    job = scheduled(queue, "A", not_before=start, until=start + 300)
    assert (queue.runnable(start + at, Lane.HOST) is job) is may_start


def test_a_deleted_job_is_not_runnable() -> None:
    queue = Queue(Policy())
    queue.remove(scheduled(queue, "A"))
    scheduled(queue, "B")
    assert run_order(queue) == ["B"]


def test_a_restored_queue_is_the_queue_that_was() -> None:
    queue = Queue(Policy())
    ended, running = finished(queue, "ended", NOW), scheduled(queue, "running")
    queue.start(running, NOW)
    b, a, new = make(queue, "B"), make(queue, "A"), make(queue, "new")
    queue.schedule(a, NOW)
    queue.schedule(b, NOW)
    queue.set_timeout(15)
    restored = Queue(Policy())
    restored.restore(queue.to_plain(), reversed([Job.from_plain(job.to_plain()) for job in queue.jobs.values()]))
    assert list(restored.jobs) == [ended.id, running.id, b.id, a.id, new.id]
    assert restored.to_plain() == queue.to_plain()
    assert restored.running(Lane.HOST) == running
    assert restored.next_auto_delete() == queue.next_auto_delete()
    assert all(restored.open_job_on(job.target) == job for job in (running, b, a, new))
    assert restored.open_job_on("ended") is None
    assert run_order(restored) == ["A", "B"]


def test_jobs_of_one_moment_come_back_in_the_order_in_which_they_were_created_whatever_their_kind() -> None:
    queue = Queue(Policy())
    made = [
        make(queue, str(index), kind=kind).id
        for index, kind in enumerate([Kind.REBOOT, Kind.CONFIGURATION, Kind.REBOOT, Kind.CONFIGURATION])
    ]
    restored = Queue(Policy())
    restored.restore(queue.to_plain(), queue.jobs.values())
    assert list(restored.jobs) == made


# -- capacity ---------------------------------------------------------------------------------------------------------


def full(policy: Policy, *states: State) -> Queue:
    """A store with a job in each of these states, named by their numbers; each ended a second after the one before."""
    queue = Queue(policy)
    for number, state in enumerate(states):
        job = scheduled(queue, str(number))
        if state is State.SCHEDULED:
            continue
        queue.start(job, NOW)
        ending = {after: event for (before, event), after in TRANSITIONS.items() if before is State.RUNNING}
        if state is not State.RUNNING:
            job.fire(ending[state], NOW + number)
            queue.ended(job)
        else:
            del queue._running[job.lane]  # several may be at work, in several lanes
    return queue


DONE, MIXED, BAD, WAITS, WORKS = (
    State.COMPLETED,
    State.COMPLETED_WITH_ERRORS,
    State.FAILED,
    State.SCHEDULED,
    State.RUNNING,
)


@pytest.mark.parametrize(
    ("states", "wanted", "go"),
    [
        ([], 3, []),
        ([DONE], 2, []),  # there is room: nothing goes
        ([DONE, DONE, DONE], 1, ["0"]),  # the one that ended first, and no more than needed
        ([WAITS, DONE, DONE], 1, ["1"]),
        ([BAD, MIXED, DONE], 1, ["1"]),  # what failed stays
        ([BAD, MIXED, DONE], 2, ["1", "2"]),
        ([DONE, WORKS, DONE], 2, ["0", "2"]),
        ([BAD, BAD, BAD], 1, None),
        ([WAITS, WORKS, BAD], 1, None),
        ([WAITS, WAITS, DONE], 2, None),  # two are wanted and one would go: then none goes
        ([], 4, None),
    ],
)
def test_a_full_store_lets_go_what_completed_first_and_refuses_where_too_few_did(
    states: list[State], wanted: int, go: list[str] | None
) -> None:
    queue = full(Policy(max_jobs=3), *states)
    before = (queue.to_plain(), list(queue.jobs))
    if go is None:
        with pytest.raises(Rejected) as refused:
            queue.check_room(wanted)
        assert refused.value.messages == (Message("JobStoreFull"),)
    else:
        queue.check_room(wanted)
        assert [job.target for job in queue.in_the_way(wanted)] == go
    assert (queue.to_plain(), list(queue.jobs)) == before


@pytest.mark.parametrize(("states", "wanted", "fits"), [([DONE, DONE], 1, True), ([DONE, DONE], 2, False)])
def test_by_the_other_policy_a_full_store_lets_nothing_go(states: list[State], wanted: int, fits: bool) -> None:
    queue = full(Policy(max_jobs=3, full_store="refuse"), *states)
    assert queue.in_the_way(wanted) == []
    if fits:
        queue.check_room(wanted)
    else:
        with pytest.raises(Rejected):
            queue.check_room(wanted)


def test_a_job_holds_its_locks_until_it_has_ended_or_is_gone() -> None:
    queue = Queue(Policy())
    ended, gone = make(queue, "A"), make(queue, "B")
    queue.hold(ended, "C", "D")
    assert ended.locks == ("A", "C", "D")
    assert [queue.open_job_on(lock) for lock in "ACDBE"] == [ended, ended, ended, gone, None]
    queue.schedule(ended, NOW)
    queue.start(ended, NOW)
    ended.fire(Event.COMPLETE, NOW)
    queue.ended(ended)
    assert [queue.open_job_on(lock) for lock in "ACDB"] == [None, None, None, gone]
    holder = make(queue, "C")
    queue.remove(ended)  # its record must not take somebody else's lock with it
    assert queue.open_job_on("C") is holder
    queue.remove(gone)
    assert queue.open_job_on("B") is None


# -- what may be put into a queue -------------------------------------------------------------------------------------


@pytest.fixture
def states() -> tuple[Queue, dict[str, str]]:
    """A queue with a job in each situation, and their ids."""
    queue = Queue(Policy())
    jobs = {"new": make(queue, "new"), "reboot": make(queue, "host", kind=Kind.REBOOT)}
    jobs["ready"] = scheduled(queue, "ready")
    jobs["queued"] = make(queue, "queued")
    queue.schedule(jobs["queued"], NOW, queued=True)
    jobs["running"] = scheduled(queue, "running")
    queue.start(jobs["running"], NOW)
    jobs["finished"] = finished(Queue(Policy()), "finished", NOW)
    queue.jobs[jobs["finished"].id + "9"] = jobs["finished"]
    return queue, {name: job.id for name, job in jobs.items()} | {
        "finished": jobs["finished"].id + "9",
        "unknown": "JID_X",
    }


@pytest.mark.parametrize(
    ("names", "refused_with"),
    [
        (["new"], []),
        (["ready"], []),
        (["reboot"], []),
        (["reboot", "ready", "new"], []),
        ([], ["QueueParameterMissing"]),
        (["unknown"], ["QueueUnknownJob"]),
        (["queued"], ["QueueScheduledJob"]),
        (["running"], ["QueueScheduledJob"]),
        (["finished"], ["QueueFinishedJob"]),
        (["new", "new"], ["QueueDuplicateJob"]),
        (["unknown", "unknown"], ["QueueUnknownJob", "QueueDuplicateJob"]),
        (["new", "running", "unknown"], ["QueueScheduledJob", "QueueUnknownJob"]),
    ],
)
def test_what_may_be_put_into_a_queue(
    states: tuple[Queue, dict[str, str]], names: list[str], refused_with: list[str]
) -> None:
    queue, ids = states
    before = {key: job.to_plain() for key, job in queue.jobs.items()}
    wanted = [ids[name] for name in names]
    if refused_with:
        with pytest.raises(Rejected) as refused:
            queue.check_queue(wanted, None, None, NOW)
        assert [message.key for message in refused.value.messages] == refused_with
        assert all(message.args for message in refused.value.messages)  # each says which
    else:
        assert [job.id for job in queue.check_queue(wanted, None, None, NOW)] == wanted
    assert {key: job.to_plain() for key, job in queue.jobs.items()} == before


def test_the_jobs_are_looked_at_before_the_window() -> None:
    queue = Queue(Policy())
    with pytest.raises(Rejected) as refused:
        queue.check_queue(["JID_X"], NOW - 1e6, NOW, NOW)
    assert refused.value.messages == (Message("QueueUnknownJob", ("JID_X",), ("JobArray",)),)


@pytest.mark.parametrize(
    ("start", "until", "refused_with"),
    [
        (None, None, None),
        (0, None, None),
        (-60, None, None),  # a minute's difference between two clocks is none
        (-60.1, None, "StartTimeInvalid"),
        (-86_400, None, "StartTimeInvalid"),
        (86_400, None, None),
        (None, 300, None),
        (None, 299.9, "WindowTooShort"),
        (None, -1, "WindowTooShort"),
        (100, 400, None),
        (100, 399.9, "WindowTooShort"),
        (100, 50, "WindowTooShort"),
        (-100, 50, "StartTimeInvalid"),  # the start is looked at first
    ],
)
def test_windows(start: float | None, until: float | None, refused_with: str | None) -> None:
    queue, now = Queue(Policy()), 1_700_000_000.0  # whole seconds, so that the bounds are exact
    window = tuple(None if part is None else now + part for part in (start, until))
    if refused_with is None:
        queue.check_window(*window, now)
        return
    with pytest.raises(Rejected) as refused:
        queue.check_window(*window, now)
    assert [message.key for message in refused.value.messages] == [refused_with]


# -- retention --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("max_jobs", "percent", "threshold"), [(256, 50, 128), (10, 50, 5), (3, 50, 1), (1, 1, 1), (256, 100, 256)]
)
def test_the_threshold_is_a_share_of_the_maximum(max_jobs: int, percent: int, threshold: int) -> None:
    assert Policy(max_jobs=max_jobs, auto_delete_at_percent=percent).auto_delete_threshold == threshold


def test_below_the_threshold_nothing_goes_however_old() -> None:
    queue = Queue(Policy(max_jobs=8))
    for index in range(3):
        finished(queue, str(index), NOW)
    assert queue.next_auto_delete() is None
    assert queue.due_for_deletion(math.inf) is None


def test_from_the_threshold_on_the_one_that_ended_first_goes_when_its_time_is_out() -> None:
    queue = Queue(Policy(max_jobs=8, delete_on_completion_minutes=15))
    slow = scheduled(queue, "slow", NOW)
    queue.start(slow, NOW)
    quick = finished(queue, "quick", NOW + 10)
    slow.fire(Event.COMPLETE, NOW + 20)
    queue.ended(slow)
    finished(queue, "third", NOW + 30)
    assert queue.next_auto_delete() is None
    make(queue, "fourth", NOW + 40)  # an open job counts towards the threshold, and never goes
    due = NOW + 10 + 15 * MINUTE
    assert queue.next_auto_delete() == due
    assert queue.due_for_deletion(due - 0.001) is None
    assert queue.due_for_deletion(due) is quick
    queue.remove(quick)
    assert queue.due_for_deletion(math.inf) is None  # three are left: below the threshold


def test_open_jobs_are_never_due_for_deletion() -> None:
    queue = Queue(Policy(max_jobs=2))
    make(queue, "A")
    scheduled(queue, "B")
    assert queue.next_auto_delete() is None


@pytest.mark.parametrize("minutes", [15, 16, 2880, 10_079, 10_080])
def test_the_time_out_is_set(minutes: int) -> None:
    queue = Queue(Policy(max_jobs=1))
    job = finished(queue, "A", NOW)
    queue.set_timeout(minutes)
    assert queue.timeout_minutes == minutes
    assert job.ended_at is not None
    assert queue.next_auto_delete() == job.ended_at + minutes * MINUTE


@pytest.mark.parametrize("minutes", [-1, 0, 14, 10_081, 10**9])
def test_a_time_out_out_of_range_is_refused_and_nothing_changes(minutes: int) -> None:
    queue = Queue(Policy())
    with pytest.raises(Rejected) as refused:
        queue.set_timeout(minutes)
    (message,) = refused.value.messages
    assert message.key == "ActionParameterValueOutOfRange"
    assert message.args[:2] == (str(minutes), "DeleteOnCompletionTimeout")
    assert queue.timeout_minutes == 2880
