"""What a job was for, where that is a file for its reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emulator.core.job import Job, Kind, State
from emulator.redfish.view import Call, Own


def exported_file(call: Call, found: Job) -> Callable[[Own], tuple[bytes, str]] | None:
    """A profile that was not to be sent elsewhere, as long as the job's monitor is there; None elsewhere.

    Who is given it has read the monitor's answer.
    """
    export = call.oem.export
    good = found.state in (State.COMPLETED, State.COMPLETED_WITH_ERRORS)
    if export is None or found.kind is not Kind.EXPORT or not good or found.details["uri"] is not None:
        return None
    if not call.machine.queue.has_monitor(found, call.machine.moment):
        return None
    system, ended = call.base(call.site.systems[0]), call.time(found.ended_at or found.created_at)

    def give(own: Own) -> tuple[bytes, str]:
        call.machine.answer_was_read(found)
        return export(own(system), ended, replace(found, details=own(found.details)))

    return give
