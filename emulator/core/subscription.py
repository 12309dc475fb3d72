"""Subscriptions to events: who is told what, how far he has been told, and what becomes of deliveries that fail.

A subscription is a cursor into the machine's event log: the number of the last event that it is done with. So nothing
is queued twice, the order is that of the log, and what a process was doing when it ended is simply done again (at least
once, in order, under the same Id). What is sent at once is one **batch**: all events of one cause, in pieces of at most
`BATCH_MAX`, named by the number of the last of them; that is the same for whoever asks, and however often.

Delivering is the runtime's work (`runtime/outbox.py`, and `runtime/streams.py` for server-sent events): it asks here
for what is next and tells here how it went. A retry is an entry of the timeline: it happens by the virtual clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.core.event import About, EventRecord
from emulator.core.message import Message, Rejected

if TYPE_CHECKING:
    from emulator.core.machine import Machine

BATCH_MAX = 64
"""Events in a batch. Rendered they stay far below the mebibyte that a delivery may be (DSP0266, "Event message")."""
SECONDS_PER_MINUTE = 60
BACKOFF_SECONDS_MAX = 3600.0
"""RetryForeverWithBackoff: each interval is twice the one before, up to an hour."""
RETRY, HEARTBEAT = "delivery", "heartbeat"
"""The timeline's words."""
HEARTBEATS_MAX = 100
"""In one jump of the clock."""
KEEP_EVERY = 256
"""A cursor that only moved over events that nobody wanted is kept now and then: that costs more than it saves."""


class Retrying(StrEnum):
    """DeliveryRetryPolicy: what is done when as many retries have failed as are made."""

    TERMINATE = "TerminateAfterRetries"
    SUSPEND = "SuspendRetries"
    FOREVER = "RetryForever"
    BACKOFF = "RetryForeverWithBackoff"


class Candidate(NamedTuple):
    """What a subscription decides by: an event as it would be delivered."""

    registry: str
    key: str
    severity: str
    event_type: str
    origin: str
    """A URI; "" where the event is about none."""
    resource_type: str
    """Of the origin: "Job"; "" where it is not known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a subscription is for (EventDestination 1.16). What is empty is no condition."""

    registry_prefixes: tuple[str, ...] = ()
    exclude_registry_prefixes: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    """As the client gave them: "Registry.Key", with a version between them, or a vendor's bare key."""
    exclude_message_ids: tuple[str, ...] = ()
    resource_types: tuple[str, ...] = ()
    origin_resources: tuple[str, ...] = ()
    """URIs without a trailing slash."""
    subordinate_resources: bool = False
    severities: tuple[str, ...] = ()
    event_types: tuple[str, ...] = ()
    """The deprecated EventTypes. "Other" among them lets everything pass."""

    def takes(self, candidate: Candidate) -> bool:
        """Whether this event is wanted."""
        return (
            _in(candidate.registry, self.registry_prefixes)
            and candidate.registry not in self.exclude_registry_prefixes
            and (not self.message_ids or _names(self.message_ids, candidate))
            and not _names(self.exclude_message_ids, candidate)
            and _in(candidate.resource_type, self.resource_types)
            and _in(candidate.severity, self.severities)
            and (_in(candidate.event_type, self.event_types) or "Other" in self.event_types)
            and self._takes_origin(candidate.origin)
        )

    def _takes_origin(self, origin: str) -> bool:
        if not self.origin_resources or origin in self.origin_resources:
            return True
        return self.subordinate_resources and any(origin.startswith(f"{uri}/") for uri in self.origin_resources)

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {item.name: _plain(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Wanted:
        """The reverse of `to_plain`."""
        values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in plain.items()}
        return cls(**values)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _in(value: str, allowed: tuple[str, ...]) -> bool:
    return not allowed or value in allowed


def _names(message_ids: Iterable[str], candidate: Candidate) -> bool:
    """Whether one of these ids is the candidate's, whatever version it names."""
    for message_id in message_ids:
        prefix, _, key = message_id.rpartition(".")
        if key == candidate.key and (not prefix or prefix.partition(".")[0] == candidate.registry):
            return True
    return False


@dataclass(slots=True)
class Subscription:
    """One subscription: an EventDestination. Moments are virtual."""

    id: str
    cursor: int
    """The number of the last event that it is done with."""
    created_at: float
    created_by: str = ""
    destination: str = ""
    context: str | None = None
    wanted: Wanted = field(default_factory=Wanted)
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with every delivery. Secret: never shown."""
    verify: bool = False
    """Whether a destination's certificate is checked."""
    retrying: Retrying = Retrying.SUSPEND
    heartbeat_minutes: int | None = None
    """None: no heartbeat is sent."""
    filter: str = ""
    """The $filter of a stream."""
    is_stream: bool = False
    """Whether it is the subscription of an open server-sent-event stream, which it lives as long as."""
    is_enabled: bool = True
    """False while it is suspended."""
    failures: int = 0
    """How often in a row the batch that is next could not be delivered."""
    is_waiting: bool = False
    """Whether the next attempt has to wait for its time."""
    problem: str = ""
    """What was wrong with the last attempt, a sentence for people; "" where it went well."""
    problem_at: float = 0.0
    is_withheld: bool = False
    """Whether deliveries are not even tried, because they would go where nothing may go."""

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain["wanted"] = self.wanted.to_plain()
        plain["headers"] = [list(header) for header in self.headers]
        plain["retrying"] = self.retrying.value
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Subscription:
        """The reverse of `to_plain`."""
        values = dict(plain)
        values["wanted"] = Wanted.from_plain(plain["wanted"])
        values["headers"] = tuple((name, value) for name, value in plain["headers"])
        values["retrying"] = Retrying(plain["retrying"])
        return cls(**values)


class Batch(NamedTuple):
    """Events that go out together."""

    events: tuple[EventRecord, ...]
    last: int
    """The number of the last event of it: its Id."""


class Subscriptions:
    """All subscriptions of one machine, and the settings of its event service."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._next = 1
        self._known: dict[str, Subscription] = {}
        self.is_enabled = True
        """ServiceEnabled: while it is not, nothing is published."""
        self.retry_attempts = machine.policy.delivery_retry_attempts
        self.retry_seconds = machine.policy.delivery_retry_seconds

    def __iter__(self) -> Any:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def get(self, subscription_id: str) -> Subscription | None:
        """The subscription with this id."""
        return self._known.get(subscription_id)

    # -- the service --------------------------------------------------------------------------------------------------

    def set_up(
        self, *, enabled: bool | None = None, retry_attempts: int | None = None, retry_seconds: int | None = None
    ) -> None:
        """Change the service's settings; None leaves one as it is. Turning it off ends all streams."""
        self.retry_attempts = self.retry_attempts if retry_attempts is None else retry_attempts
        self.retry_seconds = self.retry_seconds if retry_seconds is None else retry_seconds
        if enabled is not None and enabled != self.is_enabled:
            self.is_enabled = enabled
            if enabled:
                self._listen()
            else:
                self.drop_streams()
                self._machine.teller.cease()
        self._machine.touch("counters", "subscriptions")

    # -- their life ---------------------------------------------------------------------------------------------------

    def create(self, subscription: Subscription, *, after: int | None = None) -> Subscription:
        """Take in a new subscription, and give it its id.

        It is told what happens from now on; `after`: what has happened since the event of that number, as far as it is
        still kept. A stream is told of its own beginning too.

        Raises:
            Rejected: CreateLimitReachedForResource; ServiceDisabled for a stream while the service is.
        """
        machine = self._machine
        if subscription.is_stream and not self.is_enabled:
            raise Rejected(Message("ServiceDisabled", ("EventService",)))
        others = sum(not known.is_stream for known in self)
        if not subscription.is_stream and others >= machine.policy.max_subscriptions:
            raise Rejected(Message("CreateLimitReachedForResource"))
        subscription.id = str(self._next)
        self._next += 1
        self._known[subscription.id] = subscription
        self._listen()
        began = machine.events.last_number
        machine.teller.tell(Message("ResourceAppeared"), About("subscription", subscription.id))
        subscription.cursor = began if subscription.is_stream else machine.events.last_number
        if after is not None:
            subscription.cursor = min(after, subscription.cursor)
        self._plan_heartbeat(subscription, machine.moment)
        self._changed(subscription)
        machine.touch("counters", "subscriptions")
        return subscription

    def change(self, subscription: Subscription, **changes: Any) -> None:
        """Set some of its fields."""
        for name, value in changes.items():
            setattr(subscription, name, value)
        self._changed(subscription)
        self._machine.teller.tell(Message("ResourceWasChanged"), About("subscription", subscription.id))

    def remove(self, subscription_id: str) -> bool:
        """Forget it, and what it has not been told; True if there was one."""
        subscription = self._known.pop(subscription_id, None)
        if subscription is None:
            return False
        machine = self._machine
        for what in (RETRY, HEARTBEAT):
            machine.unplan(what, subscription_id)
        machine.teller.tell(Message("ResourceWentAway"), About("subscription", subscription_id))
        machine.touch("subscription", subscription_id)
        if not self._known:
            machine.teller.linger()
        return True

    def drop_streams(self) -> None:
        """The connections of all streams have ended."""
        for subscription in [found for found in self if found.is_stream]:
            self.remove(subscription.id)

    def suspend(self, subscription: Subscription, reason: str = "") -> None:
        """Send it nothing until it is resumed. What happens meanwhile is kept as long as there is room."""
        self._machine.unplan(RETRY, subscription.id)
        changes: dict[str, Any] = {"is_enabled": False, "is_waiting": False, "failures": 0}
        if reason:
            changes |= {"problem": reason, "problem_at": self._machine.moment}
        self.change(subscription, **changes)

    def resume(self, subscription: Subscription, seconds: float | None = None) -> None:
        """Send it what happens, and what has happened since it was suspended.

        `seconds`: of the latter only what is not older than this; None: all that is kept.
        """
        if seconds is not None:
            subscription.cursor = self._newest_before(self._machine.moment - seconds, subscription.cursor)
        self.change(subscription, is_enabled=True, is_waiting=False, failures=0, problem="", is_withheld=False)

    def _newest_before(self, moment: float, cursor: int) -> int:
        for event in self._machine.events.since(cursor):
            if event.at >= moment:
                break
            cursor = event.number
        return cursor

    def _listen(self) -> None:
        if self.is_enabled and self._known:
            self._machine.teller.listen()

    def _changed(self, subscription: Subscription) -> None:
        self._machine.touch("subscription", subscription.id)

    # -- what is sent -------------------------------------------------------------------------------------------------

    def has_work(self, subscription: Subscription) -> bool:
        """Whether there is something to send it now."""
        machine = self._machine
        may = self.is_enabled and subscription.is_enabled and not subscription.is_waiting
        return may and subscription.cursor < machine.events.last_number and not machine.controller.is_away

    def next_batch(self, subscription: Subscription) -> Batch | None:
        """What it is to be sent next, whether it wants any of it or not; None: it has all there is."""
        if not self.has_work(subscription):
            return None
        events: list[EventRecord] = []
        for event in self._machine.events.since(subscription.cursor):
            if events and (event.group != events[0].group or _piece(event) != _piece(events[0])):
                break
            events.append(event)
        return Batch(tuple(events), events[-1].number)

    def has_lost(self, subscription: Subscription) -> bool:
        """Whether events that it was not sent are gone, because newer ones needed their room."""
        return subscription.cursor + 1 < self._machine.events.first_kept

    def passed(self, subscription: Subscription, last: int) -> None:
        """It wants nothing up to this event."""
        kept = subscription.cursor // KEEP_EVERY == last // KEEP_EVERY
        subscription.cursor = last
        if not kept:
            self._machine.keep("subscription", subscription.id)

    def delivered(self, subscription: Subscription, last: int) -> None:
        """Everything up to this event has arrived."""
        recovered = bool(subscription.problem)
        subscription.cursor = max(last, subscription.cursor)
        subscription.failures, subscription.problem, subscription.is_withheld = 0, "", False
        if recovered:
            self._changed(subscription)
        elif not subscription.is_stream:  # whose cursor ends with it
            self._machine.keep("subscription", subscription.id)  # what is shown of it is as it was

    def failed(self, subscription: Subscription, reason: str) -> None:
        """An attempt to deliver has failed; `reason` is a sentence for people."""
        machine = self._machine
        subscription.failures += 1
        forever = subscription.retrying in (Retrying.FOREVER, Retrying.BACKOFF)
        if not forever and subscription.failures > self.retry_attempts:
            if subscription.retrying is Retrying.TERMINATE:
                self.remove(subscription.id)
            else:
                self.suspend(subscription, reason)
            return
        subscription.problem, subscription.problem_at = reason, machine.moment
        subscription.is_waiting, subscription.is_withheld = True, False
        machine.plan(machine.moment + self._interval(subscription), RETRY, subscription.id)
        self._changed(subscription)

    def withheld(self, subscription: Subscription, reason: str) -> bool:
        """Deliveries are not made, because they would go where nothing may go; True: that was not known.

        What has happened so far will not be delivered later either.
        """
        is_new = subscription.problem != reason or not subscription.is_withheld
        subscription.cursor = self._machine.events.last_number
        if is_new:
            subscription.problem, subscription.problem_at = reason, self._machine.moment
            subscription.is_withheld, subscription.failures = True, 0
            self._changed(subscription)
        return is_new

    def _interval(self, subscription: Subscription) -> float:
        if subscription.retrying is not Retrying.BACKOFF:
            return float(self.retry_seconds)
        doubled = self.retry_seconds * 2.0 ** min(subscription.failures - 1, 32)
        return max(float(self.retry_seconds), min(doubled, BACKOFF_SECONDS_MAX))

    # -- what becomes due ---------------------------------------------------------------------------------------------

    def retry(self, subscription_id: str) -> None:
        """The time of the next attempt has come."""
        subscription = self.get(subscription_id)
        if subscription is not None:
            subscription.is_waiting = False
            self._changed(subscription)

    def heartbeat(self, subscription_id: str) -> None:
        """The time of the next heartbeat has come."""
        subscription = self.get(subscription_id)
        if subscription is None:
            return
        if subscription.is_enabled:
            self._machine.teller.tell(Message("ServiceIsFunctional"), only=subscription_id)
        self._plan_heartbeat(subscription, self._machine.moment)

    def _plan_heartbeat(self, subscription: Subscription, now: float) -> None:
        """The next one; after a long jump of the clock, the next of those that anybody will still be sent."""
        if subscription.heartbeat_minutes is None:
            return
        interval = float(subscription.heartbeat_minutes * SECONDS_PER_MINUTE)
        behind = (self._machine.clock.now() - now) // interval
        self._machine.plan(now + interval * max(1.0, behind - HEARTBEATS_MAX), HEARTBEAT, subscription.id)

    # -- keeping ------------------------------------------------------------------------------------------------------

    def to_plain(self) -> dict[str, Any]:
        """The service's settings and counter, for a store; subscriptions are entities of their own."""
        return {
            "next": self._next,
            "enabled": self.is_enabled,
            "retry_attempts": self.retry_attempts,
            "retry_seconds": self.retry_seconds,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Go on from stored settings."""
        self._next = saved["next"]
        self.is_enabled = saved["enabled"]
        self.retry_attempts = saved["retry_attempts"]
        self.retry_seconds = saved["retry_seconds"]

    def keep(self, saved: Subscription) -> None:
        """Take in a stored subscription."""
        self._known[saved.id] = replace(saved)


def _piece(event: EventRecord) -> int:
    """Which piece of its cause's events it belongs to."""
    return (event.number - event.group) // BATCH_MAX
