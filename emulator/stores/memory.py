"""A store that forgets everything at the end of the process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

import orjson

from emulator.core.store import Changes, Entity


class MemoryStore:
    """Keeps entities as bytes, so that data is copied on its way in and out."""

    def __init__(self) -> None:
        self._machines: dict[str, dict[Entity, bytes]] = {}
        self._lock = Lock()

    def machines(self) -> Iterable[str]:
        """The ids of the machines that have anything stored."""
        with self._lock:
            return [machine for machine, entities in self._machines.items() if entities]

    def load(self, machine: str) -> Mapping[Entity, Mapping[str, Any]]:
        """All entities of a machine."""
        with self._lock:
            return {entity: orjson.loads(body) for entity, body in self._machines.get(machine, {}).items()}

    def save(self, machine: str, changes: Changes) -> None:
        """Keep the changes."""
        # all of it is spelled out before anything is kept: a save is done whole or not at all
        bodies = [(entity, None if plain is None else orjson.dumps(plain)) for entity, plain in changes]
        with self._lock:
            entities = self._machines.setdefault(machine, {})
            for entity, body in bodies:
                if body is None:
                    entities.pop(entity, None)
                else:
                    entities[entity] = body

    def close(self) -> None:
        """Nothing to let go of."""
