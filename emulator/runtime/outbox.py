"""Deliveries at work: sends the machines' events to their subscribers, and tells the machines how it went.

What is to be sent is not queued anywhere: a subscription is a cursor into its machine's event log, see
`core/subscription.py`. After each turn this looks for subscriptions that are behind; a few daemon threads take one
batch after the other, each out of a turn of its own, and send it outside of any turn. One subscription is served by one
thread at a time, so its events keep their order. An event counts as delivered when the turn that says so was saved:
whatever a sudden end cut short is sent again, under the same Id.
"""

from __future__ import annotations

import logging
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import NamedTuple

from emulator.core.machine import Machine
from emulator.core.subscription import Subscription
from emulator.runtime.fleet import Fleet, Seat
from emulator.runtime.networks import Networks
from emulator.runtime.payload import NextPayload, Payload

log = logging.getLogger(__name__)

WORKERS_MAX = 16
"""Subscriptions served at the same time."""


class Round(NamedTuple):
    """One subscription of one machine, to be served."""

    seat: Seat
    subscription_id: str

    @property
    def key(self) -> tuple[int, str]:
        """Tells one subscription from all others of the fleet."""
        return self.seat.number, self.subscription_id


class Errand(NamedTuple):
    """One delivery."""

    payload: Payload
    destination: str
    headers: tuple[tuple[str, str], ...]
    verify: bool


class Outbox:
    """Delivers the events of a fleet."""

    def __init__(self, fleet: Fleet, networks: Networks, next_payload: NextPayload) -> None:
        self._fleet = fleet
        self._networks = networks
        self.next_payload = next_payload
        self._lock = Lock()
        self._served: set[tuple[int, str]] = set()
        self._queue: SimpleQueue[Round | None] = SimpleQueue()
        self._workers: list[Thread] = []
        self._stop = Event()

    def start(self) -> None:
        """Begin to listen to the fleet's turns."""
        self._fleet.on_events.append(self._noted)

    def stop(self) -> None:
        """Begin no more, and let go of what is under way."""
        if self._noted in self._fleet.on_events:
            self._fleet.on_events.remove(self._noted)
        self._stop.set()
        for _ in self._workers:
            self._queue.put(None)

    def _noted(self, seat: Seat, machine: Machine) -> None:
        """A turn is over, and its machine has subscriptions; the seat's lock is held."""
        for subscription in machine.subscriptions:
            if not subscription.is_stream and machine.subscriptions.has_work(subscription):
                self._serve(Round(seat, subscription.id))

    def _serve(self, one: Round) -> None:
        with self._lock:
            if one.key in self._served:
                return
            self._served.add(one.key)
            if len(self._workers) < WORKERS_MAX and len(self._served) > len(self._workers):
                # a daemon: a destination that is silent must not keep the process from ending
                self._workers.append(Thread(target=self._work, name="outbox", daemon=True))
                self._workers[-1].start()
        self._queue.put(one)

    def _work(self) -> None:
        while (one := self._queue.get()) is not None and not self._stop.is_set():
            try:
                self._deliver_next(one)
            except Exception:
                log.exception("events of controller %d could not be delivered", one.seat.number)
                with self._lock:
                    self._served.discard(one.key)

    def _deliver_next(self, one: Round) -> None:
        """One batch, and then others have their turn before the next one of this subscription."""
        with one.seat.turn() as machine:
            errand = self._next_errand(one, machine)
            if errand is None:
                # inside the turn: what a later turn brings must find it free
                with self._lock:
                    self._served.discard(one.key)
        if errand is None:
            return
        if errand.payload.body:
            self._deliver(one, errand)
        self._queue.put(one)

    def _next_errand(self, one: Round, machine: Machine) -> Errand | None:
        subscription = machine.subscriptions.get(one.subscription_id)
        payload = self.next_payload(one.seat.number, machine, subscription) if subscription else None
        if subscription is None or payload is None:
            return None
        return Errand(payload, subscription.destination, subscription.headers, subscription.verify)

    def _deliver(self, one: Round, errand: Errand) -> None:
        from emulator.runtime.transfer import ForbiddenError, TransferError, post  # noqa: PLC0415 - as in transfers.py

        forbidden, reason = False, ""
        try:
            post(
                errand.destination,
                errand.payload.body,
                networks=self._networks,
                headers=errand.headers,
                verify=errand.verify,
            )
        except ForbiddenError as error:
            forbidden, reason = True, str(error)
        except TransferError as error:
            reason = str(error)
        if self._stop.is_set():
            return  # whether it arrived or not, the next process sends it
        with one.seat.turn() as machine:
            subscription = machine.subscriptions.get(one.subscription_id)
            if subscription is not None:
                self._tell(one, machine, subscription, errand.payload.last, reason, forbidden=forbidden)

    def _tell(
        self, one: Round, machine: Machine, subscription: Subscription, last: int, reason: str, *, forbidden: bool
    ) -> None:
        """How a delivery went; `reason` is empty where it went well."""
        if not reason:
            machine.subscriptions.delivered(subscription, last)
        elif not forbidden:
            machine.subscriptions.failed(subscription, reason)
            if machine.subscriptions.get(subscription.id) is None or not subscription.is_enabled:
                log.warning("controller %d, subscription %s: given up: %s", *(one.seat.number, subscription.id, reason))
        elif machine.subscriptions.withheld(subscription, reason):
            log.warning(
                "controller %d, subscription %s: deliveries are withheld: %s",
                *(one.seat.number, subscription.id, reason),
            )
