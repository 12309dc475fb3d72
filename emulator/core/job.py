"""The law of jobs.

A job is work that the controller does later, on its own: apply staged BIOS values when the host next passes POST,
restart the host at midnight. It is a list of **steps**. The engine moves a cursor over them; every step ends with an
**outcome**, good or bad; and when the last step has its outcome, the **verdict** over all of them is the job's end:
all good is Completed, none good is Failed, a mixture is Completed with Errors (Job Control Profile, 6.8.1).

Where a job stands is one **state**, and what can happen to it is one **event**. The table `TRANSITIONS` says which
state follows: a pair that is not in the table cannot happen, and asking for it raises `IllegalTransition`. So the whole
law can be read, tested cell by cell, and drawn (docs/architecture.md draws it from the table).

    NEW          made, its values still being validated or its maintenance window still to open
    DOWNLOADING  an update job whose package is on its way
    DOWNLOADED   the package is there; nobody has said yet when it is to be installed
    READY        validated; nobody has put it into a queue yet
    SCHEDULED    waiting: for its start time, for the next pass of the host through POST, for its turn in the queue
    RUNNING      its steps are being done, one after the other
    COMPLETED, COMPLETED_WITH_ERRORS, FAILED   finished; the record stays until it is deleted
    CANCELLED  taken back before it was finished; its record is removed at once

The states are neutral. A finished *reboot* job is "RebootCompleted" to some clients; that is a word, and words are
spelled by dialects from (kind, state).

A job keeps its **history** as well as its state: what happened, what state followed, when on the virtual clock, and
what was said about it. The moment is the one at which the thing was due, never the one at which somebody looked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from emulator.core.message import Message


class State(StrEnum):
    """Where a job stands."""

    NEW = "New"
    DOWNLOADING = "Downloading"
    DOWNLOADED = "Downloaded"
    READY = "ReadyForExecution"
    SCHEDULED = "Scheduled"
    RUNNING = "Running"
    COMPLETED = "Completed"
    COMPLETED_WITH_ERRORS = "CompletedWithErrors"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class Event(StrEnum):
    """What can happen to a job."""

    VALIDATE = "validate"
    """Its values have been looked at again, and nobody has asked for a time yet."""
    DOWNLOAD = "download"
    """Its package is being fetched."""
    RECEIVE = "receive"
    """More of its package has arrived, or the fetching begins again."""
    ARRIVE = "arrive"
    """All of its package is there and is as it should be."""
    SCHEDULE = "schedule"
    """It has its place among those that will run: by a queue, a start time, or because the service gave it one."""
    START = "start"
    """Its turn has come."""
    PROGRESS = "progress"
    """One more step has its outcome."""
    COMPLETE = "complete"
    """All steps went well."""
    COMPLETE_WITH_ERRORS = "complete with errors"
    """Some steps went well."""
    FAIL = "fail"
    """No step went well, its values were refused when they were validated, or its package did not arrive."""
    EXPIRE = "expire"
    """Its window closed before its turn came."""
    CANCEL = "cancel"
    """Somebody took it back."""


_OPEN = (
    State.NEW,
    State.DOWNLOADING,
    State.DOWNLOADED,
    State.READY,
    State.SCHEDULED,
    State.RUNNING,
)
_UNSTARTED = tuple(state for state in _OPEN if state is not State.RUNNING)

TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.NEW, Event.VALIDATE): State.READY,
    (State.NEW, Event.DOWNLOAD): State.DOWNLOADING,
    (State.DOWNLOADING, Event.RECEIVE): State.DOWNLOADING,
    (State.DOWNLOADING, Event.ARRIVE): State.DOWNLOADED,
    (State.NEW, Event.SCHEDULE): State.SCHEDULED,
    (State.READY, Event.SCHEDULE): State.SCHEDULED,
    (State.DOWNLOADED, Event.SCHEDULE): State.SCHEDULED,
    (State.SCHEDULED, Event.SCHEDULE): State.SCHEDULED,
    (State.NEW, Event.START): State.RUNNING,
    (State.DOWNLOADED, Event.START): State.RUNNING,
    (State.SCHEDULED, Event.START): State.RUNNING,
    (State.RUNNING, Event.PROGRESS): State.RUNNING,
    (State.RUNNING, Event.COMPLETE): State.COMPLETED,
    (State.RUNNING, Event.COMPLETE_WITH_ERRORS): State.COMPLETED_WITH_ERRORS,
    (State.RUNNING, Event.FAIL): State.FAILED,
    (State.NEW, Event.FAIL): State.FAILED,
    (State.DOWNLOADING, Event.FAIL): State.FAILED,
    (State.DOWNLOADED, Event.FAIL): State.FAILED,
    **{(state, Event.EXPIRE): State.FAILED for state in _UNSTARTED},
    **{(state, Event.CANCEL): State.CANCELLED for state in _OPEN},
}

FINISHED = frozenset({State.COMPLETED, State.COMPLETED_WITH_ERRORS, State.FAILED, State.CANCELLED})


class IllegalTransition(Exception):  # noqa: N818 - reads as a sentence at the raise
    """The law has no cell for this (state, event)."""


class Kind(StrEnum):
    """What a job is for; it decides the prefix of its id."""

    CONFIGURATION = "configuration"
    REBOOT = "reboot"
    UPDATE = "update"
    """Installs firmware, from a package or from what is kept for rollback."""
    EXPORT = "export"
    """Writes a server configuration profile."""
    IMPORT = "import"
    """Applies a server configuration profile."""
    PREVIEW = "preview"
    """Says what importing a profile would do."""
    REPOSITORY = "repository"
    """Compares the firmware with a repository's catalogue, and makes the update jobs for what differs."""
    DIAGNOSTICS = "diagnostics"
    """Tests the devices of the host."""
    DIAGNOSTICS_EXPORT = "diagnostics export"
    """Sends to a share what the last diagnostics have found."""
    ERASE = "erase"
    """Erases components of the system."""
    RECURRING = "recurring"
    """Carries out a request that somebody has specified, once or again and again, by a schedule."""


class Lane(StrEnum):
    """Who does a job's work, and when. In each lane one job runs at a time."""

    HOST = "host"
    """The host, in its Automated Task stage after POST."""
    LIVE = "live"
    """The controller itself, at any time."""
    REBOOT = "reboot"
    """The host's power: a reboot job."""
    CALENDAR = "calendar"
    """The controller's clock: a recurring job waits for its moments and for nobody else."""


class Step(NamedTuple):
    """One piece of a job's work: plain data, so that a job can be stored in the middle of its run."""

    device: str
    operation: str
    name: str
    """What people call it: an attribute's name, a kind of reboot."""
    value: Any
    seconds: float
    """How long it takes, in virtual seconds."""


class Outcome(NamedTuple):
    """How a step ended."""

    ok: bool
    at: float
    before: Mapping[str, Any]
    """What the device needs to undo the step; empty when nothing was changed."""
    message: Message | None = None


class Moment(NamedTuple):
    """One line of a job's history."""

    at: float
    event: str
    state: str
    message: Message | None


@dataclass(slots=True)
class Job:
    """One job. Moments are virtual, in seconds since 1970 UTC."""

    id: str
    kind: Kind
    target: str
    """The device it configures, or the host it restarts."""
    steps: Sequence[Step]
    created_at: float
    state: State = State.NEW
    message: Message | None = None
    created_by: str = ""
    lane: Lane = Lane.HOST
    locks: tuple[str, ...] = ()
    """What it holds while it is open: nobody else may change these."""
    details: dict[str, Any] = field(default_factory=dict)
    """What only jobs of its kind have, in JSON types: an update's component and version, a profile's share."""
    batch: int = 0
    """The queue it was put into where jobs of several lanes are in one and wait for each other; 0: it need not."""
    order: int = 0
    """Its place among the scheduled jobs: lower runs first."""
    queued: bool = False
    """True when somebody scheduled it, by a queue or with a start time; False when it merely became ready."""
    not_before: float | None = None
    until: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    step_began: float | None = None
    """When the step began that is being done, or was done last."""
    share: float = 0.0
    """How much of that step is done, from 0 to 1, as far as it shows."""
    history: list[Moment] = field(default_factory=list)
    request: Mapping[str, Any] | None = None
    """The request that made it, in JSON types and without secrets; None where the service made it by itself."""
    answer_until: float | None = None
    """Until when its task monitor can be read; None: nobody has read there yet what became of it."""
    serial: int = 0
    """Jobs are numbered as they are created: what tells the older of two made at the same moment."""

    @property
    def is_open(self) -> bool:
        """True until it is finished: an open job locks its target."""
        return self.state not in FINISHED

    @property
    def percent(self) -> int:
        """0 until it runs, then 1 to 99 as its steps are done, 100 at any end.

        While a package is on its way: the share of it that has arrived, where its size is known. Of a recurring job:
        the share of its occurrences that are done, where it is known how many there are.
        """
        if self.state in FINISHED:
            return 100
        if self.state is State.DOWNLOADING:
            received, total = self.details.get("received", 0), self.details.get("total")
            return min(99, received * 100 // total) if total else 0
        if self.state is not State.RUNNING:
            return int(self.details.get("percent", 0))
        return min(99, max(1, int((len(self.outcomes) + self.share) * 100 / max(1, len(self.steps)))))

    def fire(self, event: Event, at: float, message: Message | None = None, note: Message | None = None) -> None:
        """Let `event` happen at `at`. `message` becomes the job's; `note` is only written into its history.

        Raises:
            IllegalTransition: when the law has no such cell; the job is as it was.
        """
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            raise IllegalTransition(f"{self.id} is {self.state.name}: it cannot {event.value}")
        self.state = following
        if message is not None:
            self.message = message
        if event is Event.START:
            self.started_at = at
        if following in FINISHED:
            self.ended_at = at
        self.history.append(Moment(at, event, following, message or note))

    def says(self, key: str) -> Message:
        """A message of this job's: its first argument is the job's id."""
        return Message(key, (self.id,))

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "target": self.target,
            "steps": [list(step) for step in self.steps],
            "created_at": self.created_at,
            "serial": self.serial,
            "state": self.state.value,
            "message": _plain(self.message),
            "created_by": self.created_by,
            "lane": self.lane.value,
            "locks": list(self.locks),
            "details": dict(self.details),
            "batch": self.batch,
            "order": self.order,
            "queued": self.queued,
            "not_before": self.not_before,
            "until": self.until,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "request": self.request,
            "answer_until": self.answer_until,
            "step_began": self.step_began,
            "share": self.share,
            "outcomes": [[o.ok, o.at, o.before, _plain(o.message)] for o in self.outcomes],
            "history": [[m.at, m.event, m.state, _plain(m.message)] for m in self.history],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Job:
        """The reverse of `to_plain`."""
        fields = dict(plain)
        fields["kind"] = Kind(plain["kind"])
        fields["state"] = State(plain["state"])
        fields["lane"] = Lane(plain["lane"])
        fields["locks"] = tuple(plain["locks"])
        fields["details"] = dict(plain["details"])
        fields["message"] = _message(plain["message"])
        fields["steps"] = tuple(Step(*step) for step in plain["steps"])
        fields["outcomes"] = [Outcome(ok, at, before, _message(m)) for ok, at, before, m in plain["outcomes"]]
        fields["history"] = [Moment(at, event, state, _message(m)) for at, event, state, m in plain["history"]]
        return cls(**fields)


def verdict(outcomes: Sequence[Outcome]) -> Event:
    """The event that ends a job whose steps ended like this; one that had nothing to do has done it."""
    good = sum(outcome.ok for outcome in outcomes)
    if good == len(outcomes):
        return Event.COMPLETE
    return Event.COMPLETE_WITH_ERRORS if good else Event.FAIL


def _plain(message: Message | None) -> dict[str, Any] | None:
    return message.to_plain() if message else None


def _message(plain: Mapping[str, Any] | None) -> Message | None:
    return Message.from_plain(plain) if plain else None
