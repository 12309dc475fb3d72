"""What is particular about the jobs of one kind; everything that all jobs have in common is the engine's.

A kind of job is a subclass and one line in `engine.COURSES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.core.job import Event, Job, Outcome, Step
from emulator.core.message import Message

if TYPE_CHECKING:
    from emulator.core.machine import Machine


class Course:
    """The course of most jobs: nothing is particular."""

    endings: Mapping[Event, str] = {
        Event.COMPLETE: "JobCompleted",
        Event.COMPLETE_WITH_ERRORS: "JobCompletedWithErrors",
        Event.FAIL: "JobFailed",
    }
    """What a job says at its end."""
    parts: int = 1
    """In how many equal parts a step's progress shows; a power of two, so that they add up to a whole."""

    changes_inventory: bool = True
    """Whether the controller reads its inventory again when such a job has run."""

    def its_time_came(self, machine: Machine, job: Job) -> bool:
        """The moment has come that the job was to wait for; True: what follows has been seen to."""
        return False

    def verdict(self, machine: Machine, job: Job, event: Event) -> Event:
        """The event that ends the job, where its outcomes alone would make it `event`."""
        return event

    def ending(self, job: Job, event: Event) -> Message:
        """What the job says at its end."""
        return job.says(self.endings[event])

    def ended(self, machine: Machine, job: Job) -> None:
        """The job is finished."""

    def do(self, machine: Machine, job: Job, step: Step) -> Outcome:
        """Do one step; its time is over."""
        device = machine.devices.get(step.device)
        if device is None:
            return Outcome(True, machine.moment, {})
        outcome = device.apply(step, machine.moment)
        if outcome.ok:
            machine.device_changed(step.device)
        return outcome

    def struck(self, step: Step, outcome: Outcome) -> Outcome:
        """How a step ended that a planned fault has struck, where the plan alone would end it with `outcome`."""
        return outcome

    def interrupted(self, step: Step) -> Message:
        """What is said of a step that was still to come when the host left its Automated Task stage."""
        return Message("StepInterrupted", (step.name,), (f"Attributes/{step.name}",))

    def step_done(self, machine: Machine, job: Job) -> bool:
        """A step has its outcome; True: what follows has been seen to."""
        return False

    def goes_along(self, job: Job) -> bool:
        """Whether a restart of the host takes the job along, although nobody has scheduled it."""
        return False

    def needs_host(self, job: Job) -> bool:
        """Whether the host is at work for the running job: then it must not leave its Automated Task stage."""
        return True

    def host_is_ready(self, machine: Machine, job: Job) -> bool:
        """The host has come to its Automated Task stage under the running job; True: its next step is to be planned."""
        return False

    def host_is_off(self, machine: Machine, job: Job) -> None:
        """The host has been turned off under the running job."""

    def may_force(self, job: Job) -> bool:
        """Whether a host that has not shut down in time is forced to."""
        return False

    def shutdown_timed_out(self, machine: Machine, job: Job) -> None:
        """The host has not shut down in time, and may not be forced to."""

    def transfer_begins_again(self, machine: Machine, job: Job) -> None:
        """The job's transfer is begun anew."""

    def transfer_moves(self, machine: Machine, job: Job, received: int, total: int | None) -> None:
        """So many bytes of the job's file are there, of so many if that is known."""

    def transfer_done(self, machine: Machine, job: Job, content: Mapping[str, Any]) -> None:
        """The job's file has arrived, or been sent. `content` is what was found in it, in JSON types."""

    def transfer_failed(self, machine: Machine, job: Job, reason: str) -> None:
        """The job's file could not be fetched or sent."""


class DownloadCourse(Course):
    """The course of a job that is Downloading while its file is on its way."""

    def transfer_begins_again(self, machine: Machine, job: Job) -> None:
        """None of it is there."""
        self._received(machine, job, {**job.details, "received": 0, "total": None})

    def transfer_moves(self, machine: Machine, job: Job, received: int, total: int | None) -> None:
        """Show it where a reader would see a difference: a large file comes in very many pieces."""
        before, shown = job.details, job.percent
        job.details = {**before, "received": received, "total": total}
        if job.percent == shown:
            job.details = before
        else:
            self._received(machine, job, job.details)

    def _received(self, machine: Machine, job: Job, details: dict[str, Any]) -> None:
        job.details = details
        job.fire(Event.RECEIVE, machine.moment)
        machine.touch("job", job.id)
