"""What is due, and when: ordered plain data.

An entry says *at this moment, this kind of thing is due about that subject*; it holds no callable, so it can be
stored, and a machine that is loaded again goes on exactly where it was.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Due(NamedTuple):
    """One entry. Entries due at the same moment come in the order in which they were added."""

    at: float
    """The virtual moment, in seconds since 1970 UTC."""
    seq: int
    what: str
    """The kind of thing: a word that the machine has a handler for."""
    about: str
    """The subject's id, for example a job's."""


class Timeline:
    """The entries of one machine. At most one per (what, about): adding it again moves it."""

    __slots__ = ("_heap", "_live", "_next_seq")

    def __init__(self) -> None:
        self._heap: list[Due] = []
        self._live: dict[tuple[str, str], Due] = {}
        self._next_seq = 1

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Due]:
        return iter(sorted(self._live.values()))

    def add(self, at: float, what: str, about: str) -> Due:
        """Put something on the timeline, in place of an entry with the same kind and subject."""
        entry = Due(at, self._next_seq, what, about)
        self._next_seq += 1
        self._live[what, about] = entry
        heapq.heappush(self._heap, entry)
        return entry

    def drop(self, what: str, about: str) -> bool:
        """Take an entry off; True if there was one."""
        return self._live.pop((what, about), None) is not None

    def get(self, what: str, about: str) -> Due | None:
        """The entry of this kind and subject, if it is still to come."""
        return self._live.get((what, about))

    def next_at(self) -> float | None:
        """When the next thing is due; None when nothing is."""
        entry = self._first()
        return entry.at if entry else None

    def pop(self, now: float) -> Due | None:
        """Take off and return the first entry that is due by `now`; None when there is none."""
        entry = self._first()
        if entry is None or entry.at > now:
            return None
        heapq.heappop(self._heap)
        del self._live[entry.what, entry.about]
        return entry

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Put back one stored entry: the fields of a `Due`."""
        entry = Due(float(saved["at"]), int(saved["seq"]), str(saved["what"]), str(saved["about"]))
        self._live[entry.what, entry.about] = entry
        self._next_seq = max(self._next_seq, entry.seq + 1)
        heapq.heappush(self._heap, entry)

    def _first(self) -> Due | None:
        heap, live = self._heap, self._live
        while heap and live.get((heap[0].what, heap[0].about)) is not heap[0]:
            heapq.heappop(heap)
        return heap[0] if heap else None
