"""The arithmetic of RAID levels: worked examples, and what holds for all of them."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.devices.raid.level import (
    GIB,
    LEVELS,
    MIB,
    capacity_bytes,
    data_extents,
    default_spans,
    extent_bytes,
    groups_of,
    number_fits,
    spans_fit,
    usable_bytes,
)

USABLE = [
    # what a drive says of its size, what volumes can have of it
    (1_920_383_410_176, 1_919_716_163_584),
    (960_197_124_096, 959_656_755_200),
    (640 * MIB, 128 * MIB),
    (640 * MIB - 1, 0),
    (512 * MIB, 0),
    (0, 0),
]


@pytest.mark.parametrize(("size", "usable"), USABLE)
def test_what_can_be_used_of_a_drive(size: int, usable: int) -> None:
    assert usable_bytes(size) == usable


EXAMPLES = [
    # level, drives, spans (None: nobody said), groups, extents that hold data, losses always borne, losses at best
    ("RAID0", "a", None, ["a"], 1, 0, 0),
    ("RAID0", "abc", None, ["abc"], 3, 0, 0),
    ("RAID1", "ab", None, ["ab"], 1, 1, 1),
    ("RAID5", "abc", None, ["abc"], 2, 1, 1),
    ("RAID5", "abcdefgh", None, ["abcdefgh"], 7, 1, 1),
    ("RAID6", "abcd", None, ["abcd"], 2, 2, 2),
    ("RAID6", "abcdef", None, ["abcdef"], 4, 2, 2),
    ("RAID10", "abcd", None, ["ab", "cd"], 2, 1, 2),
    ("RAID10", "abcdef", None, ["ab", "cd", "ef"], 3, 1, 3),
    ("RAID10", "abcdefgh", 2, ["ab", "cd", "ef", "gh"], 4, 1, 4),
    ("RAID10", "abcdefgh", 4, ["ab", "cd", "ef", "gh"], 4, 1, 4),
    ("RAID50", "abcdef", None, ["abc", "def"], 4, 1, 2),
    ("RAID50", "abcdefghi", None, ["abc", "def", "ghi"], 6, 1, 3),
    ("RAID50", "abcdefghijkl", None, ["abcdef", "ghijkl"], 10, 1, 2),
    ("RAID50", "abcdefghijkl", 4, ["abc", "def", "ghi", "jkl"], 8, 1, 4),
    ("RAID60", "abcdefgh", None, ["abcd", "efgh"], 4, 2, 4),
    ("RAID60", "abcdefghijkl", 3, ["abcd", "efgh", "ijkl"], 6, 2, 6),
]


@pytest.mark.parametrize(("level", "drives", "spans", "groups", "data", "always", "at_best"), EXAMPLES)
def test_worked_examples(
    level: str, drives: str, spans: int | None, groups: list[str], data: int, always: int, at_best: int
) -> None:
    spread, number = spans or default_spans(level, len(drives)), len(drives)
    assert spans_fit(level, number, spread)
    found = groups_of(level, drives, spread)
    assert ["".join(group) for group in found] == groups
    assert data_extents(level, number, spread) == data
    assert capacity_bytes(level, number, spread, 100 * GIB) == data * 100 * GIB
    tolerance = LEVELS[level].tolerance

    def survives(lost: tuple[str, ...]) -> bool:
        return all(sum(drive in lost for drive in group) <= tolerance for group in found)

    assert all(survives(lost) for lost in combinations(drives, always))
    assert not all(survives(lost) for lost in combinations(drives, always + 1))
    assert any(survives(lost) for lost in combinations(drives, at_best))
    assert not any(survives(lost) for lost in combinations(drives, at_best + 1))


NUMBERS = [
    # level, how many drives, whether a volume can have so many, spans where nobody says (0: they cannot be spread)
    ("RAID0", 0, False, 1),
    ("RAID0", 1, True, 1),
    ("RAID1", 1, False, 1),
    ("RAID1", 3, False, 1),
    ("RAID5", 2, False, 1),
    ("RAID6", 3, False, 1),
    ("RAID10", 3, False, 0),
    ("RAID10", 4, True, 2),
    ("RAID10", 5, True, 0),
    ("RAID50", 5, False, 0),
    ("RAID50", 7, True, 0),
    ("RAID50", 8, True, 2),
    ("RAID50", 9, True, 3),
    ("RAID60", 7, False, 0),
    ("RAID60", 10, True, 2),
    ("RAID60", 11, True, 0),
    ("RAID60", 15, True, 3),
]


@pytest.mark.parametrize(("level", "number", "fits", "spans"), NUMBERS)
def test_how_many_drives_and_how_they_are_spread(level: str, number: int, fits: bool, spans: int) -> None:
    assert number_fits(level, number) is fits
    assert default_spans(level, number) == spans
    if fits:
        assert spans_fit(level, number, spans) is (spans > 0)


SPANS = [
    ("RAID5", 6, 2, False),
    ("RAID10", 8, 1, False),
    ("RAID10", 8, 2, True),
    ("RAID10", 8, 3, False),
    ("RAID10", 6, 2, False),  # spans of three are no pairs
    ("RAID50", 12, 4, True),
    ("RAID50", 12, 6, False),  # spans of two
    ("RAID60", 12, 4, False),  # spans of three
    ("RAID60", 12, -3, False),
]


@pytest.mark.parametrize(("level", "number", "spans", "fits"), SPANS)
def test_spans_are_even_and_long_enough(level: str, number: int, spans: int, fits: bool) -> None:
    assert spans_fit(level, number, spans) is fits


SIZES = [
    # level, drives, spans, capacity wanted, strip -> how much of each drive
    ("RAID0", 3, 1, 300 * GIB, 65536, 100 * GIB),
    ("RAID0", 3, 1, 1, 65536, 65536),
    ("RAID5", 3, 1, 2 * GIB + 1, 65536, GIB + 65536),
    ("RAID5", 4, 1, 100 * MIB, 1 << 20, 34 * MIB),
    ("RAID6", 4, 1, 2 * GIB, 65536, GIB),
    ("RAID10", 4, 2, 2 * GIB, 65536, GIB),
    ("RAID50", 6, 2, 4 * GIB, 65536, GIB),
    ("RAID60", 8, 2, 4 * GIB, 65536, GIB),
]


@pytest.mark.parametrize(("level", "drives", "spans", "capacity", "strip", "extent"), SIZES)
def test_a_capacity_takes_whole_strips_of_each_drive(
    level: str, drives: int, spans: int, capacity: int, strip: int, extent: int
) -> None:
    assert extent_bytes(level, drives, spans, capacity, strip) == extent


SHAPES = st.sampled_from(
    [
        (level, number, spans)
        for level in LEVELS
        for number in range(1, 33)
        for spans in range(1, 9)
        if number_fits(level, number) and spans_fit(level, number, spans)
    ]
)
QUICK = settings(max_examples=150, deadline=None, derandomize=True)


@given(SHAPES, st.integers(1, 10**14), st.sampled_from([65536, 131072, 1 << 20]))
@QUICK
def test_what_is_asked_for_fits_into_its_extent_and_hardly_less_would_do(
    shape: tuple[str, int, int], capacity: int, strip: int
) -> None:
    level, number, spans = shape
    extent = extent_bytes(level, number, spans, capacity, strip)
    assert extent % strip == 0
    assert capacity_bytes(level, number, spans, extent) >= capacity
    assert capacity_bytes(level, number, spans, extent - strip) < capacity


@given(SHAPES, st.integers(0, 10**13))
@QUICK
def test_a_capacity_never_exceeds_the_drives_and_what_is_lacking_is_redundancy(
    shape: tuple[str, int, int], extent: int
) -> None:
    level, number, spans = shape
    capacity = capacity_bytes(level, number, spans, extent)
    groups = groups_of(level, range(number), spans)  # type: ignore[arg-type]
    assert 0 <= capacity <= number * extent
    assert number * extent - capacity == len(groups) * LEVELS[level].tolerance * extent
    assert [drive for group in groups for drive in group] == list(range(number))
    assert len({len(group) for group in groups}) == 1


@given(st.integers(0, 10**14), st.integers(0, 10**9))
@QUICK
def test_drives_of_nearly_the_same_size_can_replace_each_other(size: int, more: int) -> None:
    assert 0 <= usable_bytes(size) <= size
    assert usable_bytes(size) % (128 * MIB) == 0
    assert usable_bytes(size + more) >= usable_bytes(size)
    assert size < 640 * MIB or size - usable_bytes(size) < 640 * MIB
