"""Virtual time, by a real clock that the test turns by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.clock import Clock

NOON = 1_700_000_000.0
WRONG = [-1, -0.001, math.inf, -math.inf, math.nan]


class RealClock:
    """The operating system's clock, in the test's hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("rate", "real_seconds", "virtual_seconds"),
    [(0, 3600, 0), (1, 90, 90), (2, 90, 180), (0.5, 90, 45), (60, 1.5, 90)],
)
def test_virtual_time_runs_at_its_rate(rate: float, real_seconds: float, virtual_seconds: float) -> None:
    real = RealClock()
    clock = Clock(real, rate=rate)
    real.now += real_seconds
    assert clock.now() == NOON + virtual_seconds


@pytest.mark.parametrize("rate", [0, 0.5, 1, 60])
def test_it_starts_at_the_moment_given_else_at_the_real_one(rate: float) -> None:
    assert Clock(RealClock(), rate=rate).now() == NOON
    assert Clock(RealClock(), rate=rate, start=5.0).now() == 5.0


@pytest.mark.parametrize("rate", [0, 0.5, 1, 60])
def test_advance_moves_it_at_once_and_returns_the_new_moment(rate: float) -> None:
    real = RealClock()
    clock = Clock(real, rate=rate)
    real.now += 10
    assert clock.advance(90) == NOON + 10 * rate + 90
    assert clock.now() == NOON + 10 * rate + 90
    real.now += 4  # and it goes on from there at its rate
    assert clock.now() == NOON + 14 * rate + 90


@pytest.mark.parametrize("seconds", WRONG)
def test_advance_refuses_to_go_back_and_nothing_changes(seconds: float) -> None:
    clock = Clock(RealClock(), rate=0)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(seconds)
    assert clock.now() == NOON


@pytest.mark.parametrize("rate", WRONG)
def test_a_wrong_rate_is_refused_and_nothing_changes(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        Clock(RealClock(), rate=rate)
    real = RealClock()
    clock = Clock(real, rate=2)
    with pytest.raises(ValueError, match="rate"):
        clock.set_rate(rate)
    real.now += 10
    assert (clock.rate, clock.now()) == (2.0, NOON + 20)


def test_another_rate_holds_from_that_moment_on() -> None:
    real = RealClock()
    clock = Clock(real, rate=60)
    real.now += 1
    clock.set_rate(0)
    real.now += 100
    assert clock.now() == NOON + 60
    clock.set_rate(1)
    real.now += 5
    assert clock.now() == NOON + 65


def test_it_stands_while_the_real_clock_is_behind_and_goes_on_when_it_has_caught_up() -> None:
    real = RealClock()
    clock = Clock(real)
    real.now = NOON + 100
    assert clock.now() == NOON + 100
    real.now = NOON + 40
    assert clock.now() == NOON + 100
    real.now = NOON + 101
    assert clock.now() == NOON + 101


@pytest.mark.parametrize("move", [lambda c: c.advance(5), lambda c: c.set_rate(2), lambda c: c.set_rate(0)])
def test_it_does_not_go_back_when_it_is_moved_while_the_real_clock_is_behind(move: Callable[[Clock], object]) -> None:
    real = RealClock()
    clock = Clock(real)
    real.now = NOON + 100
    seen = clock.now()
    real.now = NOON - 1000
    move(clock)
    assert clock.now() >= seen


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["real", "advance", "rate", "look"]),
            st.floats(min_value=-1e4, max_value=1e4, allow_nan=False),
        ),
        max_size=30,
    )
)
def test_whatever_happens_it_never_goes_back(events: list[tuple[str, float]]) -> None:
    real = RealClock()
    clock = Clock(real)
    latest = clock.now()
    for what, amount in events:
        if what == "real":
            real.now += amount
        elif what == "advance":
            clock.advance(abs(amount))
        elif what == "rate":
            clock.set_rate(abs(amount) % 100)
        now = clock.now()
        assert now >= latest
        latest = now


# -- keeping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (1, NOON + 90 + 10 + 3600),  # the world went on while the process was away, and so did this clock
        (60, NOON + 90 + 600),  # the others stood still
        (0.5, NOON + 90 + 5),
        (0, NOON + 90),
    ],
)
def test_a_clock_at_rate_one_has_gone_on_with_the_world_and_others_stood_still(rate: float, expected: float) -> None:
    real = RealClock()
    clock = Clock(real, rate=rate)
    clock.advance(90)
    real.now += 10
    saved = clock.snapshot()
    real.now += 3600
    restored = Clock(real, rate=rate)
    restored.restore(saved)
    assert restored.now() == expected
    real.now += 2
    assert restored.now() == expected + 2 * rate


def test_a_clock_at_rate_one_does_not_go_back_when_the_real_one_was_set_back_meanwhile() -> None:
    real = RealClock()
    clock = Clock(real)
    saved = clock.snapshot()
    real.now -= 86_400
    restored = Clock(real)
    restored.restore(saved)
    assert restored.now() == NOON


@pytest.mark.parametrize(
    ("change", "is_wall_time"),
    [
        (lambda clock: None, True),
        (lambda clock: clock.advance(1), False),
        (lambda clock: clock.set_rate(2), False),
        (lambda clock: clock.restore({"now": NOON, "ahead": 5.0}), False),
    ],
)
def test_only_an_untouched_real_clock_has_nothing_to_remember(
    change: Callable[[Clock], object], is_wall_time: bool
) -> None:
    clock = Clock(RealClock())
    change(clock)
    assert clock.is_wall_time is is_wall_time


@pytest.mark.parametrize(("rate", "start"), [(0, None), (2, None), (1, NOON)])
def test_a_clock_of_its_own_has_something_to_remember_from_the_start(rate: float, start: float | None) -> None:
    assert not Clock(RealClock(), rate=rate, start=start).is_wall_time


# -- waking up --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "virtual_ahead", "real_ahead"), [(1, 90, 90), (60, 90, 1.5), (0.5, 90, 180), (0, 90, None)]
)
def test_the_real_moment_of_a_virtual_one(rate: float, virtual_ahead: float, real_ahead: float | None) -> None:
    clock = Clock(RealClock(), rate=rate)
    expected = None if real_ahead is None else NOON + real_ahead
    assert clock.real_moment_of(NOON + virtual_ahead) == expected


def test_at_the_real_moment_told_the_virtual_moment_is_there() -> None:
    real = RealClock()
    clock = Clock(real, rate=8)
    real.now += 3
    clock.advance(100)
    clock.set_rate(4)
    wanted = clock.now() + 64
    moment = clock.real_moment_of(wanted)
    assert moment is not None
    real.now = moment
    assert clock.now() == wanted
