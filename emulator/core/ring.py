"""Numbered entries of which only the newest are kept, in chunks.

Each chunk is an entity of its own for the store, so that one more entry costs it a few hundred bytes and not all that
is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

CHUNK = 16
"""Entries in a chunk."""


class Numbered(Protocol):
    """An entry. Numbers go up by one."""

    @property
    def number(self) -> int:
        """Which it is."""


E = TypeVar("E", bound=Numbered)


class Ring(Generic[E]):
    """The newest entries; the oldest are forgotten first, a chunk at a time."""

    __slots__ = ("_chunks", "_count", "_next", "_room")

    def __init__(self, room: int, first_number: int = 1) -> None:
        """`room`: how many entries are kept at most, rounded up to whole chunks."""
        self._room = -(-room // CHUNK) * CHUNK
        self._next = first_number
        self._count = 0
        self._chunks: dict[int, list[E]] = {}

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[E]:
        """The newest first."""
        for chunk in reversed(self._chunks.values()):
            yield from reversed(chunk)

    @property
    def last_number(self) -> int:
        """Of the newest entry there has been."""
        return self._next - 1

    @property
    def first_kept(self) -> int:
        """The number of the oldest entry that is kept; where none is, the one that comes next."""
        return next((chunk[0].number for chunk in self._chunks.values()), self._next)

    def get(self, number: int) -> E | None:
        """The entry of this number, if it is still there."""
        return next((entry for entry in self._chunks.get(number // CHUNK, ()) if entry.number == number), None)

    def since(self, number: int) -> Iterator[E]:
        """The entries after this number that are kept, the oldest first."""
        for wanted in range(max(number + 1, self.first_kept), self._next):
            entry = self.get(wanted)
            if entry is not None:
                yield entry

    def append(self, entry: E) -> list[int]:
        """Take in the entry of the next number; gives the chunks that changed, the forgotten ones among them."""
        number = self._next
        self._next += 1
        self._count += 1
        self._chunks.setdefault(number // CHUNK, []).append(entry)
        changed = [number // CHUNK]
        while self._count > self._room:
            oldest = next(iter(self._chunks))
            self._count -= len(self._chunks.pop(oldest))
            changed.append(oldest)
        return changed

    def put_back(self, number: int, entries: list[E]) -> None:
        """Take in a chunk that was stored; they come in the order of their numbers."""
        self._chunks[number] = entries
        self._count += len(entries)
