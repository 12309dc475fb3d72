"""What is due, and when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.timeline import Due, Timeline


def popped(timeline: Timeline, now: float = 1e12) -> list[tuple[float, str, str]]:
    found = []
    while (entry := timeline.pop(now)) is not None:
        found.append((entry.at, entry.what, entry.about))
    return found


def test_entries_come_in_the_order_of_their_moments() -> None:
    timeline = Timeline()
    for at in (30.0, 10.0, 20.0):
        timeline.add(at, "step", str(at))
    assert popped(timeline) == [(10.0, "step", "10.0"), (20.0, "step", "20.0"), (30.0, "step", "30.0")]


def test_entries_of_one_moment_come_in_the_order_in_which_they_were_added() -> None:
    timeline = Timeline()
    for about in ("zebra", "ant", "mole"):
        timeline.add(5.0, "step", about)
    assert [about for _, _, about in popped(timeline)] == ["zebra", "ant", "mole"]


@pytest.mark.parametrize(("now", "there"), [(9.999, False), (10.0, True), (10.001, True)])
def test_an_entry_is_due_from_its_moment_on(now: float, there: bool) -> None:
    timeline = Timeline()
    timeline.add(10.0, "step", "a")
    assert (timeline.pop(now) is not None) is there
    assert len(timeline) == (0 if there else 1)


@pytest.mark.parametrize("moved_to", [1.0, 10.0, 99.0])
def test_adding_the_same_thing_again_moves_it(moved_to: float) -> None:
    timeline = Timeline()
    timeline.add(10.0, "step", "a")
    timeline.add(10.0, "step", "b")
    timeline.add(moved_to, "step", "a")
    assert len(timeline) == 2
    # at the same moment it stands behind what was added meanwhile
    expected = sorted([(moved_to, "step", "a"), (10.0, "step", "b")], key=lambda entry: entry[0])
    if moved_to == 10.0:
        expected = [(10.0, "step", "b"), (10.0, "step", "a")]
    assert popped(timeline) == expected


def test_the_same_subject_may_have_things_of_several_kinds() -> None:
    timeline = Timeline()
    timeline.add(2.0, "until", "a")
    timeline.add(1.0, "start", "a")
    assert popped(timeline) == [(1.0, "start", "a"), (2.0, "until", "a")]


def test_what_is_dropped_does_not_come() -> None:
    timeline = Timeline()
    timeline.add(1.0, "step", "a")
    timeline.add(2.0, "step", "b")
    assert timeline.drop("step", "a") is True
    assert timeline.drop("step", "a") is False
    assert timeline.get("step", "a") is None
    assert timeline.next_at() == 2.0
    assert popped(timeline) == [(2.0, "step", "b")]


def test_an_empty_timeline_has_nothing_due() -> None:
    timeline = Timeline()
    assert (timeline.next_at(), timeline.pop(1e12), len(timeline), list(timeline)) == (None, None, 0, [])


def test_a_restored_timeline_keeps_the_order_and_numbers_on() -> None:
    timeline = Timeline()
    for about in ("zebra", "ant", "mole"):
        timeline.add(5.0, "step", about)
    restored = Timeline()
    for entry in sorted(timeline, key=lambda entry: entry.about):  # a store gives them back in any order
        restored.restore(entry._asdict())
    restored.add(5.0, "step", "newest")
    assert [about for _, _, about in popped(restored)] == ["zebra", "ant", "mole", "newest"]


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "drop", "pop", "store"]),
        st.sampled_from(["host", "step"]),
        st.sampled_from("abc"),
        st.integers(0, 6).map(float),
    ),
    max_size=40,
)


@given(COMMANDS)
def test_it_does_what_a_sorted_list_would_do(commands: list[tuple[str, str, str, float]]) -> None:
    timeline = Timeline()
    model: list[tuple[float, int, str, str]] = []
    count = 0
    for command, what, about, at in commands:
        if command == "add":
            count += 1
            model = [entry for entry in model if entry[2:] != (what, about)] + [(at, count, what, about)]
            timeline.add(at, what, about)
        elif command == "drop":
            there = any(entry[2:] == (what, about) for entry in model)
            model = [entry for entry in model if entry[2:] != (what, about)]
            assert timeline.drop(what, about) is there
        elif command == "pop":
            expected = next((entry for entry in sorted(model) if entry[0] <= at), None)
            found = timeline.pop(at)
            assert _shown(found) == (expected and (expected[0], *expected[2:]))
            model = [entry for entry in model if entry != expected]
        else:
            stored, timeline = list(timeline), Timeline()
            for entry in reversed(stored):
                timeline.restore(entry._asdict())
        assert timeline.next_at() == (min(model)[0] if model else None)
        assert [_shown(entry) for entry in timeline] == [(at_, *rest) for at_, _, *rest in sorted(model)]
        assert len(timeline) == len(model)


def _shown(entry: Due | None) -> Any:
    return entry and (entry.at, entry.what, entry.about)
