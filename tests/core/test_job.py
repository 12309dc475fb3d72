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
        State.NEW: {Event.SCHEDULE: State.SCHEDULED, Event.FAIL: State.FAILED, Event.CANCEL: State.CANCELLED},
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


@pytest.mark.parametrize("state", [State.NEW, State.SCHEDULED, State.RUNNING])
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
