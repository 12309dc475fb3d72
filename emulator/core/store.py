"""The store protocol: how a machine's state outlives the process.

A machine is a set of entities, (kind, id) -> plain data in JSON types. A turn saves exactly the entities it changed,
and all of them or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

Entity = tuple[str, str]
"""(kind, id), for example ("job", "JID_746727125416")."""
Changes = Iterable[tuple[Entity, Mapping[str, Any] | None]]
"""What a turn changed: an entity's whole new data, or None where it is gone. Made as it is read, so read it once."""


class StoreError(Exception):
    """The state cannot be used. The text is one line that says why and what to do."""


class Store(Protocol):
    """Where machines are kept. Data is copied at this border: neither side sees later changes of the other."""

    def machines(self) -> Iterable[str]:
        """The ids of the machines that have anything stored."""

    def load(self, machine: str) -> Mapping[Entity, Mapping[str, Any]]:
        """All entities of a machine; empty for one that was never saved."""

    def save(self, machine: str, changes: Changes) -> None:
        """Make the changes durable, in one piece. Returns when they would survive the process's end."""

    def close(self) -> None:
        """Finish what was begun and let go of files."""
