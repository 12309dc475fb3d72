"""What is remembered of the host's power: enough for temperatures and energy, and no more however long it gets."""

from __future__ import annotations

import math

import pytest
from core_world import START
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.host import Phase
from emulator.core.power_history import ALWAYS_RUNNING, DRAW, EPOCH, SECONDS, SPANS_MAX, Pace, PowerHistory

QUICK, SLOW = SECONDS[Pace.QUICK], SECONDS[Pace.SLOW]
HALF = math.exp(-0.5)
CHANGES = st.lists(st.tuples(st.sampled_from(list(Phase)), st.floats(0, 2_000)), max_size=60)

STORIES = [
    # [(phase, seconds in it), ...] -> how warm what is quick and what is slow are at its end
    ("always running", [], 1.0, 1.0),
    ("just off", [(Phase.OFF, 0)], 1.0, 1.0),
    ("off for the quick one's time", [(Phase.OFF, QUICK)], math.exp(-1), math.exp(-QUICK / SLOW)),
    ("long off", [(Phase.OFF, 86_400)], 0.0, 0.0),
    ("long off, just on", [(Phase.OFF, 86_400), (Phase.POST, 0)], 0.0, 0.0),
    ("on again", [(Phase.OFF, 86_400), (Phase.POST, QUICK)], 1 - math.exp(-1), 1 - math.exp(-QUICK / SLOW)),
    ("long on again", [(Phase.OFF, 86_400), (Phase.POST, 90), (Phase.RUNNING, 86_400)], 1.0, 1.0),
    ("a short gap", [(Phase.GAP, QUICK / 2), (Phase.POST, QUICK / 2)], 1 - HALF + HALF * HALF, None),
    ("phases with power do not differ", [(Phase.STOPPING, 20), (Phase.POST, 90), (Phase.TASKS, 300)], 1.0, 1.0),
]


def told(changes) -> tuple[PowerHistory, float]:
    """The history of these phases, and the moment at which the last one ends."""
    history, moment = ALWAYS_RUNNING, START
    for phase, seconds in changes:
        history = history.entered(phase, moment)
        moment += seconds
    return history, moment


@pytest.mark.parametrize("story", STORIES, ids=[story[0] for story in STORIES])
def test_warmth_follows_power(story):
    _, changes, quick, slow = story
    history, moment = told(changes)
    span = history.at(moment)
    assert span.warmth_at(moment, Pace.QUICK) == pytest.approx(quick, abs=1e-6)
    assert slow is None or span.warmth_at(moment, Pace.SLOW) == pytest.approx(slow, abs=1e-6)


def test_what_was_drawn_adds_up():
    history, moment = told([(Phase.OFF, 1_000), (Phase.POST, 100)])
    expected = START - EPOCH + 1_000 * DRAW[Phase.OFF] + 100 * DRAW[Phase.POST]
    assert history.at(moment).drawn_at(moment) == pytest.approx(expected)


@given(CHANGES)
def test_it_stays_small_and_survives_being_stored(changes):
    history, moment = told(changes)
    assert len(history.spans) == min(len(changes) + 1, SPANS_MAX)
    assert PowerHistory.from_plain(history.to_plain()) == history
    assert all(0 <= history.at(moment).warmth_at(moment, pace) <= 1 for pace in Pace)


@given(CHANGES, st.floats(0, 2_000), st.floats(0, 2_000))
def test_a_phase_that_is_told_in_two_parts_is_the_same_phase(changes, first, second):
    history, moment = told(changes)
    phase = history.at(moment).phase
    end = moment + first + second
    whole = history.entered(phase, moment).at(end)
    parts = history.entered(phase, moment).entered(phase, moment + first).at(end)
    assert parts.drawn_at(end) == pytest.approx(whole.drawn_at(end))
    for pace in Pace:
        assert parts.warmth_at(end, pace) == pytest.approx(whole.warmth_at(end, pace), abs=1e-9)
