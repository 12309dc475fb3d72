"""Documents of jobs, kept while the job stays as it is: lists of thousands show them whole."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

from emulator.core.machine import Machine
from emulator.redfish.rendering import ReadyDocument
from emulator.redfish.view import Document

PIECES_MAX = 8_192
"""Documents kept for each machine."""


class _Piece(NamedTuple):
    """The document of a job, as it was at a version of that job."""

    job_id: str
    version: int
    document: ReadyDocument

    def is_true_of(self, machine: Machine) -> bool:
        """Whether the job is still there and as it was."""
        return machine.job_version(self.job_id) == self.version and self.job_id in machine.queue.jobs


class Pieces:
    """Of all machines."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Machine, dict[str, _Piece]] = WeakKeyDictionary()

    def get(self, machine: Machine, place: str) -> Document | None:
        """The document at a place, if it is at hand and still true."""
        pieces = self._kept.get(machine)
        kept = pieces.get(place) if pieces is not None else None
        return kept.document if kept is not None and kept.is_true_of(machine) else None

    def keep(self, machine: Machine, place: str, job_id: str, document: Document) -> Document:
        """Keep the document of a job, and give it with its bytes."""
        pieces = self._kept.setdefault(machine, {})
        if len(pieces) >= PIECES_MAX:
            pieces.clear()
        pieces[place] = _Piece(job_id, machine.job_version(job_id), ReadyDocument(document))
        return pieces[place].document
