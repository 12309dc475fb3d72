"""Remote diagnostics: jobs that restart the host and test its devices in the Automated Task stage.

A test that fails is a finding, not a failure of the job: the job was to test, and it ends Completed (SYS018). What was
found is kept until it is erased, and can be sent to a share. A job that is interrupted leaves the results of the run
before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.core.course import Course
from emulator.core.host import HOST
from emulator.core.job import Event, Job, Kind, Lane, Outcome, Step
from emulator.core.message import Message, Rejected
from emulator.core.transfer import Transfer
from emulator.core.update import FIRMWARE

if TYPE_CHECKING:
    from emulator.core.machine import Machine

EXPRESS, EXTENDED = "Express", "Extended"
MODES: Mapping[str, tuple[str, ...]] = {
    EXPRESS: (EXPRESS,),
    EXTENDED: (EXTENDED,),
    "ExpressAndExtended": (EXPRESS, EXTENDED),
}
"""RunMode, and the rounds of tests that it means, in order."""
DIAGNOSE = "diagnose"
_INTERRUPTED = "DiagnosticsInterrupted"


class Finding(NamedTuple):
    """How one test ended."""

    test: str
    """EXPRESS or EXTENDED."""
    device: str
    """What was tested: a device's id, or HOST."""
    passed: bool
    code: str
    """The message id of a fault that was planned with one; else ""."""


@dataclass(frozen=True, slots=True)
class DiagnosticsResult:
    """What the last whole run has found. Times are texts: the controller's local time when it was written."""

    job_id: str
    mode: str
    """A key of MODES."""
    started: str
    ended: str
    findings: tuple[Finding, ...]

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {
            "job_id": self.job_id,
            "mode": self.mode,
            "started": self.started,
            "ended": self.ended,
            "findings": [list(finding) for finding in self.findings],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> DiagnosticsResult:
        """The reverse of `to_plain`."""
        findings = tuple(Finding(*finding) for finding in plain["findings"])
        return cls(plain["job_id"], plain["mode"], plain["started"], plain["ended"], findings)


# -- making jobs ------------------------------------------------------------------------------------------------------


def run_diagnostics(
    machine: Machine,
    by: str,
    mode: str,
    reboot_type: str,
    start: float | None = None,
    until: float | None = None,
) -> Job:
    """A job that tests all devices at the restart which it brings along; both wait for `start` if one is given.

    `mode` is a key of MODES, `reboot_type` one of `engine.REBOOT_EVENTS`.

    Raises:
        Rejected: DiagnosticsExist while there is such a job, JobStoreFull, an impossible window.
    """
    if machine.queue.open_jobs(Kind.DIAGNOSTICS):
        raise Rejected(Message("DiagnosticsExist"))
    steps = tuple(_tests(machine, mode))
    return machine.create_with_restart(
        Kind.DIAGNOSTICS, "", steps, by, reboot_type, start=start, until=until, details={"mode": mode}
    )


def _tests(machine: Machine, mode: str) -> Iterator[Step]:
    """One for each device in each round; the devices of a round share its time."""
    tested = [HOST, *(device for device in machine.devices if device != FIRMWARE)]
    lengths = {
        EXPRESS: machine.timings.diagnostics_express_seconds,
        EXTENDED: machine.timings.diagnostics_extended_seconds,
    }
    for test in MODES[mode]:
        each = math.floor(lengths[test] / len(tested) * 1000) / 1000  # together they never take longer than the round
        for device in tested:
            yield Step(device, DIAGNOSE, f"{test} {device}", test, each)


def result_of(machine: Machine) -> DiagnosticsResult:
    """What the last run has found.

    Raises:
        Rejected: NoDiagnosticsResult.
    """
    if machine.diagnostics is None:
        raise Rejected(Message("NoDiagnosticsResult"))
    return machine.diagnostics


def export_result(machine: Machine, by: str, uri: str, credentials: tuple[str, str] | None = None) -> Job:
    """A job that sends to `uri` what the last run has found, as it is now.

    Raises:
        Rejected: NoDiagnosticsResult, JobStoreFull.
    """
    content = result_of(machine).to_plain()
    step = Step("", "write", "result", None, machine.timings.profile_step_seconds)
    details = {"uri": uri, "content": content}
    job = machine.create_job(Kind.DIAGNOSTICS_EXPORT, "", (step,), by, lane=Lane.LIVE, details=details)
    if credentials is not None:
        machine.secrets[job.id] = credentials
    machine.schedule(job)
    machine.work()
    return job


# -- the course of the jobs -------------------------------------------------------------------------------------------


class DiagnosticsCourse(Course):
    """Tests the devices."""

    endings = {
        Event.COMPLETE: "DiagnosticsCompleted",
        Event.COMPLETE_WITH_ERRORS: "DiagnosticsCompleted",
        Event.FAIL: _INTERRUPTED,
    }
    parts = 8

    def verdict(self, machine: Machine, job: Job, event: Event) -> Event:
        """It has done what it was for when every test was made, whatever the tests have found."""
        return Event.FAIL if _was_interrupted(job) else Event.COMPLETE

    def do(self, machine: Machine, job: Job, step: Step) -> Outcome:
        """What lives here is well, unless somebody has planned otherwise."""
        return Outcome(True, machine.moment, {})

    def struck(self, step: Step, outcome: Outcome) -> Outcome:
        """The device has failed its test."""
        native = outcome.message.native if outcome.message else None
        message = Message("DiagnosticsTestFailed", (step.device, str(step.value)), native=native)
        return outcome._replace(message=message)

    def interrupted(self, step: Step) -> Message:
        """The test was not made."""
        return Message(_INTERRUPTED)

    def ended(self, machine: Machine, job: Job) -> None:
        """Keep what was found by a run that came to its end."""
        if job.started_at is None or len(job.outcomes) < len(job.steps) or _was_interrupted(job):
            return
        machine.keep_diagnostics(
            DiagnosticsResult(
                job.id,
                job.details["mode"],
                machine.show_time(job.started_at),
                machine.show_time(machine.moment),
                tuple(_finding(step, outcome) for step, outcome in zip(job.steps, job.outcomes, strict=True)),
            )
        )


class DiagnosticsExportCourse(Course):
    """Sends what was found."""

    endings = {
        Event.COMPLETE: "DiagnosticsExported",
        Event.COMPLETE_WITH_ERRORS: "DiagnosticsExported",
        Event.FAIL: "JobFailed",
    }

    def step_done(self, machine: Machine, job: Job) -> bool:
        """It is written: send it, unless the writing failed."""
        if not job.outcomes[-1].ok:
            return False
        machine.add_transfer(
            Transfer(job.id, job.details["uri"], "export", credentials=machine.secrets.pop(job.id, None))
        )
        return True

    def transfer_done(self, machine: Machine, job: Job, content: Mapping[str, Any]) -> None:
        """It has been sent."""
        machine.finish_job(job)

    def transfer_failed(self, machine: Machine, job: Job, reason: str) -> None:
        """It could not be sent."""
        machine.end_job(job, Event.FAIL, Message("DiagnosticsNotExported", (job.id, reason)))


def _was_interrupted(job: Job) -> bool:
    return any(outcome.message is not None and outcome.message.key == _INTERRUPTED for outcome in job.outcomes)


def _finding(step: Step, outcome: Outcome) -> Finding:
    code = outcome.message.native if outcome.message else None
    return Finding(str(step.value), step.device, outcome.ok, code or "")
