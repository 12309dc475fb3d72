"""What of a machine's changes is an event, while somebody listens.

Every change of a machine marks the entity that changed (`Machine.touch`). Here the entity is compared with what was
last told of it. So a job's course is told in full whatever moved it, and whoever changes something need not think of
events. While nobody listens, nothing is compared and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.core.event import NOTHING, ORIGIN, About
from emulator.core.host import HOST, Phase
from emulator.core.job import FINISHED, Job, Kind, State
from emulator.core.message import Message

if TYPE_CHECKING:
    from emulator.core.machine import Machine

LINGER_SECONDS = 600.0
"""How long events are still kept when the last subscription is gone: a stream that broke off can be taken up again."""
LINGER = "listening"
"""The timeline's word for the end of that."""
ENDINGS: Mapping[State, str] = {
    State.COMPLETED: "JobEndedWell",
    State.COMPLETED_WITH_ERRORS: "JobEndedBadly",
    State.FAILED: "JobEndedBadly",
    State.CANCELLED: "JobWasCancelled",
}
POWER: Mapping[Phase, str] = {
    Phase.OFF: "HostIsOff",
    Phase.GAP: "HostIsOff",
    Phase.POST: "HostIsOn",
    Phase.STOPPING: "HostGoesOff",
}
"""What is said when the host comes to a phase."""
_WITH_POWER = frozenset(Phase) - {Phase.OFF, Phase.GAP}
HEALTH: Mapping[str, str] = {"OK": "BecameOK", "Warning": "BecameWarning", "Critical": "BecameCritical"}


class _Told(NamedTuple):
    """What was last told of a job."""

    state: State
    percent: int


class Teller:
    """Turns the changes of one machine into events."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.is_listening = False
        """Whether anybody is told: then every change is looked at."""
        self._jobs: dict[str, _Told] = {}
        self._phase = Phase.RUNNING
        self._there: dict[str, set[str]] = {}
        """Kind of entity -> the ids of those that are there, of the kinds that come and go."""
        self._parts: dict[str, dict[tuple[str, str], str]] = {}
        """By device: its parts' health."""
        self._said: set[tuple[str, About]] = set()
        """Of the present cause: what changes several times is told once."""

    # -- who listens --------------------------------------------------------------------------------------------------

    def listen(self) -> None:
        """Somebody wants to be told, from now on."""
        self._machine.unplan(LINGER, LINGER)
        if not self.is_listening:
            self._begin()
            self._machine.touch("counters", "events")

    def linger(self) -> None:
        """Nobody does any more."""
        if self.is_listening:
            self._machine.plan(self._machine.moment + LINGER_SECONDS, LINGER, LINGER)

    def cease(self) -> None:
        """Nobody has come back."""
        self.is_listening = False
        self._jobs, self._there, self._parts = {}, {}, {}
        self._machine.touch("counters", "events")

    def restore(self) -> None:
        """Go on where somebody listens: what the machine is now has been told."""
        if self.is_listening:
            self._begin()

    def _begin(self) -> None:
        machine = self._machine
        self.is_listening = True
        self._jobs = {job.id: _Told(job.state, job.percent) for job in machine.queue.jobs.values()}
        self._phase = machine.host.phase
        self._there = {kind: set(found(machine)) for kind, found in _COMING_AND_GOING.items()}
        self._parts = {device.id: dict(device.parts()) for device in machine.devices.values()}
        self.new_cause()

    # -- what is told -------------------------------------------------------------------------------------------------

    def new_cause(self) -> None:
        """What happens from now on has another cause."""
        if not self.is_listening:
            return
        self._machine.events.new_cause()
        self._said.clear()

    def tell(self, message: Message, about: About = NOTHING, **more: Any) -> None:
        """Note an event, where somebody listens; `more` as for `EventLog.add`."""
        if not self.is_listening:
            return
        machine = self._machine
        for chunk in machine.events.add(machine.moment, message, about, **more):
            machine.keep("event", str(chunk))
        machine.keep("counters", "events")

    def noted(self, message: Message, origin: str, number: int) -> None:
        """An entry was written into the lifecycle log."""
        self.tell(message, About("entry", origin), entry=number)

    def touched(self, kind: str, entity_id: str) -> None:
        """An entity has changed; somebody listens."""
        look = _LOOKS.get(kind)
        if look is not None:
            look(self, kind, entity_id)

    def tell_once(self, key: str, about: About) -> None:
        """As `tell`, but once for the present cause."""
        if (key, about) not in self._said:
            self._said.add((key, about))
            self.tell(Message(key), about)

    # -- the kinds of change ------------------------------------------------------------------------------------------

    def _job(self, _: str, job_id: str) -> None:
        job, told = self._machine.queue.jobs.get(job_id), self._jobs.get(job_id)
        about = About("job", job_id)
        if job is None:
            if self._jobs.pop(job_id, None) is not None:
                self.tell(Message("JobWasRemoved", (job_id,)), about)
                self.tell_once("ResourceWentAway", about)
            return
        now = _Told(job.state, job.percent)
        if told == now:
            return
        self._jobs[job_id] = now
        if told is None:
            self.tell_once("ResourceAppeared", about)
            if job.kind is Kind.UPDATE:
                self.tell(Message("UpdateBecameJob", (ORIGIN,)), about)
        if told is None or told.state is not now.state:
            self._job_moved(job, told.state if told else None, about)
        elif now.percent != told.percent:
            self.tell(Message("JobProgressed", (job_id, str(now.percent))), about)

    def _job_moved(self, job: Job, before: State | None, about: About) -> None:
        """A job has come to another state."""
        if job.state is State.RUNNING:
            self.tell(Message("JobBegan", (job.id,)), about)
        elif job.state in FINISHED:
            self.tell(Message(ENDINGS[job.state], (job.id,)), about)
        elif before is not None:
            self.tell_once("ResourceWasChanged", about)
        if job.kind is Kind.UPDATE:
            self._update_moved(job, before, about)

    def _update_moved(self, job: Job, before: State | None, about: About) -> None:
        image = str(job.details.get("source") or job.details.get("version") or job.id)
        target = ", ".join(job.details.get("names", ())) or "firmware"
        said: Mapping[State, Message] = {
            State.DOWNLOADING: Message("UpdateTransfers", (image, target)),
            State.DOWNLOADED: Message("UpdateWaits", (image, target)),
            State.RUNNING: Message("UpdateInstalls", (image, target)),
            State.COMPLETED: Message("UpdateSucceeded", (target, image)),
            State.COMPLETED_WITH_ERRORS: Message("UpdateNotApplied", (image, target)),
            State.FAILED: Message(
                "UpdateNotTransferred" if before is State.DOWNLOADING else "UpdateNotApplied", (image, target)
            ),
        }
        if job.state in said:
            self.tell(said[job.state], about)

    def _host(self, *_: str) -> None:
        before, now = self._phase, self._machine.host.phase
        self._phase = now
        stays_on = now is Phase.POST and before in _WITH_POWER
        if now is not before and now in POWER and not stays_on and not (now is Phase.OFF and before is Phase.GAP):
            self.tell(Message(POWER[now], (ORIGIN,)), About("host", HOST))

    def _coming_and_going(self, kind: str, entity_id: str) -> None:
        there = self._there[kind]
        is_there, was_there = entity_id in _COMING_AND_GOING[kind](self._machine), entity_id in there
        about = About(kind, entity_id)
        if is_there and not was_there:
            there.add(entity_id)
            self.tell_once("ResourceAppeared", about)
        elif is_there and kind not in _SELF_MOVING:
            self.tell_once("ResourceWasChanged", about)
        elif was_there and not is_there:
            there.discard(entity_id)
            self.tell_once("ResourceWentAway", about)

    def _changed(self, kind: str, entity_id: str) -> None:
        self.tell_once("ResourceWasChanged", About(_RESOURCES.get(kind, kind), entity_id))

    def _device(self, _: str, device_id: str) -> None:
        before, now = self._parts.get(device_id, {}), dict(self._machine.devices[device_id].parts())
        self._parts[device_id] = now
        for part, health in now.items():
            about = About(part[0], f"{device_id}/{part[1]}")
            if part not in before:
                self.tell_once("ResourceAppeared", about)
            elif before[part] != health:
                self.tell(Message(HEALTH[health], (ORIGIN, health)), about)
        for part in before.keys() - now.keys():
            self.tell_once("ResourceWentAway", About(part[0], f"{device_id}/{part[1]}"))
        self.tell_once("ResourceWasChanged", About("device", device_id))


_COMING_AND_GOING: Mapping[str, Callable[[Machine], Mapping[str, Any]]] = {
    "account": lambda machine: machine.accounts,
    "role": lambda machine: machine.accounts.roles,
    "session": lambda machine: machine.sessions,
}
"""The kinds of entity that come and go, each with what there is of it."""
_SELF_MOVING = frozenset({"session"})
"""Those that change by being used, which nobody wants to be told."""
_BY_URI = ("interface", "chassis", "power_limit", "media", "overlay")
"""The kinds of entity whose ids are the URIs of their resources."""
_RESOURCES: Mapping[str, str] = {"pending": "settings", **dict.fromkeys(_BY_URI, "uri")}
"""Of which kind of thing (`About`) a kind of entity is, where the word is another one."""
_LOOKS: Mapping[str, Callable[[Teller, str, str], None]] = {
    "job": Teller._job,
    HOST: Teller._host,
    "device": Teller._device,
    "pending": Teller._changed,
    **dict.fromkeys(_BY_URI, Teller._changed),
    "system": Teller._changed,
    **dict.fromkeys(_COMING_AND_GOING, Teller._coming_and_going),
}
"""What is looked at when an entity of a kind has changed."""
