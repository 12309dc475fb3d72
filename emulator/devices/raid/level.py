"""The arithmetic of RAID levels: how drives are grouped, how much of them holds data, how many may be lost.

A volume takes the same extent of each of its drives. Its drives form groups of one size, side by side in the order of
the drives; data is striped over the groups, and each group bears the loss of so many of its drives. What that comes to:

    level   groups        lost in each   extents that hold data
    RAID0   1             0              n
    RAID1   1             n - 1          1
    RAID5   1             1              n - 1
    RAID6   1             2              n - 2
    RAID10  n / 2         1              n / 2
    RAID50  spans         1              n - spans
    RAID60  spans         2              n - 2 spans

`spans` is what Redfish calls MediaSpanCount. The two halves of a mirror are a group of RAID10, however many such pairs
are in a span.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

MIB = 1024 * 1024
GIB = 1024 * MIB
METADATA_BYTES = 512 * MIB
"""What a controller keeps of each drive for itself (SNIA DDF)."""
COERCION_BYTES = 128 * MIB
"""The rest is cut to a multiple of this, so that drives of nearly the same size can replace each other [C]: of
1,920,383,410,176 bytes 1,919,716,163,584 can be used."""


class Level(NamedTuple):
    """A RAID level (Volume.RAIDType)."""

    drives_min: int
    drives_max: int | None
    """None: as many as there are."""
    spanned: bool = False
    span_min: int = 1
    """How many drives a span has at least."""
    tolerance: int = 0
    """How many drives each group may lose."""
    mirrored: bool = False
    """Its groups are pairs of drives that hold the same."""


LEVELS: Mapping[str, Level] = {
    "RAID0": Level(1, None),
    "RAID1": Level(2, 2, tolerance=1, mirrored=True),
    "RAID5": Level(3, None, tolerance=1),
    "RAID6": Level(4, None, tolerance=2),
    "RAID10": Level(4, None, spanned=True, span_min=2, tolerance=1, mirrored=True),
    "RAID50": Level(6, None, spanned=True, span_min=3, tolerance=1),
    "RAID60": Level(8, None, spanned=True, span_min=4, tolerance=2),
}
"""The levels that can be configured, and what each needs."""
SPANS_MIN = 2


def usable_bytes(size: int) -> int:
    """How much of a drive of so many bytes volumes can have."""
    return max(0, (size - METADATA_BYTES) // COERCION_BYTES * COERCION_BYTES)


def default_spans(level: str, drives: int) -> int:
    """MediaSpanCount where nobody gives one: pairs for RAID10, else as few spans as there can be; 1 without spans.

    0 where so many drives cannot be spread evenly.
    """
    wanted = LEVELS[level]
    if not wanted.spanned:
        return 1
    if wanted.mirrored:
        return drives // 2 if drives % 2 == 0 else 0
    possible = (spans for spans in range(SPANS_MIN, drives // wanted.span_min + 1) if drives % spans == 0)
    return next(possible, 0)


def spans_fit(level: str, drives: int, spans: int) -> bool:
    """Whether so many drives can be spread evenly over so many spans of this level."""
    wanted = LEVELS[level]
    if not wanted.spanned:
        return spans == 1
    if spans < SPANS_MIN or drives % spans:
        return False
    length = drives // spans
    return length >= wanted.span_min and not (wanted.mirrored and length % 2)


def number_fits(level: str, drives: int) -> bool:
    """Whether a volume of this level can have so many drives, however they are spread."""
    wanted = LEVELS[level]
    return wanted.drives_min <= drives <= (wanted.drives_max or drives)


def groups_of(level: str, drives: Sequence[str], spans: int) -> list[Sequence[str]]:
    """The drives in the groups that bear losses each by itself."""
    size = 2 if LEVELS[level].mirrored else len(drives) // spans
    return [drives[start : start + size] for start in range(0, len(drives), size)]


def data_extents(level: str, drives: int, spans: int) -> int:
    """How many of the drives' extents hold data."""
    wanted = LEVELS[level]
    groups = drives // 2 if wanted.mirrored else spans
    return drives - groups * wanted.tolerance


def capacity_bytes(level: str, drives: int, spans: int, extent: int) -> int:
    """What a volume holds that has an extent of so many bytes on each of its drives."""
    return data_extents(level, drives, spans) * extent


def extent_bytes(level: str, drives: int, spans: int, capacity: int, strip: int) -> int:
    """How much of each drive a volume of this capacity needs: whole strips."""
    each = -(-capacity // data_extents(level, drives, spans))
    return -(-each // strip) * strip
