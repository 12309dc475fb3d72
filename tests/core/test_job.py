"""The law of jobs, cell by cell."""

from __future__ import annotations

from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.job import (
    FINISHED,
    TRANSITIONS,
    Event,
    IllegalTransition,
    Job,
    Kind,
    Lane,
    Moment,
    Outcome,
    State,
    Step,
    verdict,
)
from emulator.core.message import Message

GOOD = Outcome(True, 1.0, {})
BAD = Outcome(False, 1.0, {}, Message("StepFailed", ("A",)))

CELLS = list(product(State, Event))


def job_in(state: State, outcomes: int = 0, steps: int = 3) -> Job:
    made = [Step("BIOS", "set", f"A{number}", number, 15.0) for number in range(steps)]
    return Job("JID_1", Kind.CONFIGURATION, "BIOS", made, 5.0, state, Message("Before"), outcomes=[GOOD] * outcomes)


def test_the_law_is_this_one() -> None:
    """Written down a second time, so that a change of the law is a change of two files."""
    law = {
        State.NEW: {
            Event.VALIDATE: State.READY,
            Event.DOWNLOAD: State.DOWNLOADING,
            Event.SCHEDULE: State.SCHEDULED,
            Event.START: State.RUNNING,
            Event.FAIL: State.FAILED,
            Event.EXPIRE: State.FAILED,
            Event.CANCEL: State.CANCELLED,
        },
        State.DOWNLOADING: {
            Event.RECEIVE: State.DOWNLOADING,
            Event.ARRIVE: State.DOWNLOADED,
            Event.FAIL: State.FAILED,
            Event.EXPIRE: State.FAILED,
            Event.CANCEL: State.CANCELLED,
        },
        State.DOWNLOADED: {
            Event.SCHEDULE: State.SCHEDULED,
            Event.START: State.RUNNING,
            Event.FAIL: State.FAILED,
            Event.EXPIRE: State.FAILED,
            Event.CANCEL: State.CANCELLED,
        },
        State.READY: {
            Event.SCHEDULE: State.SCHEDULED,
            Event.EXPIRE: State.FAILED,
            Event.CANCEL: State.CANCELLED,
        },
        State.SCHEDULED: {
            Event.SCHEDULE: State.SCHEDULED,
            Event.START: State.RUNNING,
            Event.EXPIRE: State.FAILED,
            Event.CANCEL: State.CANCELLED,
        },
        State.RUNNING: {
            Event.PROGRESS: State.RUNNING,
            Event.COMPLETE: State.COMPLETED,
            Event.COMPLETE_WITH_ERRORS: State.COMPLETED_WITH_ERRORS,
            Event.FAIL: State.FAILED,
            Event.CANCEL: State.CANCELLED,
        },
    }
    assert {(state, event): to for state, row in law.items() for event, to in row.items()} == dict(TRANSITIONS)


@pytest.mark.parametrize(("state", "event"), [cell for cell in CELLS if cell in TRANSITIONS])
def test_an_event_in_the_table_leads_where_it_says_and_is_written_into_the_history(state: State, event: Event) -> None:
    job = job_in(state)
    said, following = Message("Said"), TRANSITIONS[state, event]
    job.fire(event, 42.0, said)
    assert (job.state, job.message) == (following, said)
    assert job.history == [Moment(42.0, event.value, following.value, said)]
    assert job.started_at == (42.0 if event is Event.START else None)
    assert job.ended_at == (42.0 if following in FINISHED else None)


@pytest.mark.parametrize(("state", "event"), [cell for cell in CELLS if cell not in TRANSITIONS])
def test_any_other_event_cannot_happen_and_the_job_is_as_it_was(state: State, event: Event) -> None:
    job = job_in(state)
    before = job.to_plain()
    with pytest.raises(IllegalTransition, match=state.name):
        job.fire(event, 42.0, Message("Said"), Message("Noted"))
    assert job.to_plain() == before


@pytest.mark.parametrize("state", sorted(FINISHED))
def test_nothing_happens_to_a_finished_job_any_more(state: State) -> None:
    assert not [event for event in Event if (state, event) in TRANSITIONS]
    assert not job_in(state).is_open


@pytest.mark.parametrize("state", [state for state in State if state not in FINISHED])
def test_every_unfinished_job_is_open_and_can_be_cancelled(state: State) -> None:
    assert job_in(state).is_open
    assert TRANSITIONS[state, Event.CANCEL] is State.CANCELLED


def test_without_a_message_the_job_goes_on_saying_what_it_said() -> None:
    job = job_in(State.RUNNING)
    job.fire(Event.PROGRESS, 7.0, note=Message("Noted"))
    assert (job.message, job.history[-1].message) == (Message("Before"), Message("Noted"))


@pytest.mark.parametrize(
    ("outcomes", "event"),
    [
        ([GOOD], Event.COMPLETE),
        ([GOOD, GOOD, GOOD], Event.COMPLETE),
        ([BAD], Event.FAIL),
        ([BAD, BAD], Event.FAIL),
        ([GOOD, BAD], Event.COMPLETE_WITH_ERRORS),
        ([BAD, GOOD], Event.COMPLETE_WITH_ERRORS),
        ([BAD, BAD, BAD, GOOD], Event.COMPLETE_WITH_ERRORS),
    ],
)
def test_the_verdict_over_the_outcomes(outcomes: list[Outcome], event: Event) -> None:
    assert verdict(outcomes) is event


@pytest.mark.parametrize(
    ("state", "outcomes", "steps", "percent"),
    [
        (State.NEW, 0, 3, 0),
        (State.DOWNLOADING, 0, 0, 0),
        (State.DOWNLOADED, 0, 3, 0),
        (State.READY, 0, 3, 0),
        (State.SCHEDULED, 0, 3, 0),
        (State.RUNNING, 0, 3, 1),  # it runs, and people see that
        (State.RUNNING, 1, 3, 33),
        (State.RUNNING, 2, 3, 66),
        (State.RUNNING, 3, 3, 99),  # 100 is the end, and nothing else
        (State.RUNNING, 1, 1000, 1),
        (State.COMPLETED, 3, 3, 100),
        (State.COMPLETED_WITH_ERRORS, 3, 3, 100),
        (State.FAILED, 0, 3, 100),
        (State.CANCELLED, 1, 3, 100),
    ],
)
def test_percent_complete(state: State, outcomes: int, steps: int, percent: int) -> None:
    assert job_in(state, outcomes, steps).percent == percent


@pytest.mark.parametrize(
    ("received", "total", "percent"),
    [
        (0, 1000, 0),
        (9, 1000, 0),
        (10, 1000, 1),
        (500, 1000, 50),
        (999, 1000, 99),
        (1000, 1000, 99),  # it has arrived when it has been looked at
        (2000, 1000, 99),
        (500, None, 0),  # nobody knows how much is to come
        (500, 0, 0),
    ],
)
def test_while_a_package_is_on_its_way_the_percentage_is_the_share_that_is_there(
    received: int, total: int | None, percent: int
) -> None:
    job = job_in(State.DOWNLOADING)
    job.details.update(received=received, total=total)
    assert job.percent == percent


def test_a_verdict_over_nothing_is_that_all_went_well() -> None:
    assert verdict([]) is Event.COMPLETE


# -- keeping ----------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)  # JSON has no lone surrogates
MOMENTS = st.floats(0, 4e9)
VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS
MESSAGES = st.builds(
    Message,
    TEXTS,
    st.lists(TEXTS, max_size=3).map(tuple),
    st.lists(TEXTS, max_size=2).map(tuple),
    st.none() | TEXTS.filter(bool),
)
JOBS = st.builds(
    Job,
    id=TEXTS,
    kind=st.sampled_from(Kind),
    target=TEXTS,
    steps=st.lists(st.builds(Step, TEXTS, TEXTS, TEXTS, VALUES, MOMENTS), max_size=3).map(tuple),
    created_at=MOMENTS,
    state=st.sampled_from(State),
    message=st.none() | MESSAGES,
    created_by=TEXTS,
    lane=st.sampled_from(Lane),
    locks=st.lists(TEXTS, max_size=2).map(tuple),
    details=st.dictionaries(TEXTS, VALUES | st.lists(VALUES, max_size=2), max_size=3),
    batch=st.integers(0, 1000),
    serial=st.integers(0, 1000),
    order=st.integers(0, 1000),
    queued=st.booleans(),
    not_before=st.none() | MOMENTS,
    until=st.none() | MOMENTS,
    started_at=st.none() | MOMENTS,
    ended_at=st.none() | MOMENTS,
    outcomes=st.lists(
        st.builds(Outcome, st.booleans(), MOMENTS, st.dictionaries(TEXTS, VALUES, max_size=3), st.none() | MESSAGES),
        max_size=3,
    ),
    history=st.lists(
        st.builds(
            Moment,
            MOMENTS,
            st.sampled_from([event.value for event in Event]),
            st.sampled_from([state.value for state in State]),
            st.none() | MESSAGES,
        ),
        max_size=3,
    ),
)


@given(JOBS)
def test_a_job_comes_back_from_json_as_it_was(job: Job) -> None:
    plain: dict[str, Any] = orjson.loads(orjson.dumps(job.to_plain()))
    restored = Job.from_plain(plain)
    assert restored == job
    assert restored.to_plain() == job.to_plain()
