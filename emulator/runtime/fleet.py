"""The machines of this process: which one a request is for, and one turn at a time for each.

A turn is: take the machine's lock, let everything happen that is due, do what is asked, project the answer, save what
changed, publish. What a client was told has been saved before; if anything breaks in between, the machine in memory is
thrown away and the next turn begins with the one in the store.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import AddressValueError, IPv4Address
from threading import Lock
from typing import Any, NamedTuple

from emulator.core.machine import Machine
from emulator.core.message import Rejected
from emulator.core.store import Store

LOOPBACK_FIRST = int(IPv4Address("127.0.0.0"))
LOOPBACK_LAST = int(IPv4Address("127.255.255.255"))
HOSTS_MAX = 64
"""Spellings of Host remembered beyond one for each controller; a stranger can think of any number of them."""
_NUMBERED_NAME = re.compile(r"[a-z]+-(\d{1,8})(?:\.|$)", re.IGNORECASE)


class Kept(NamedTuple):
    """What a face made of a machine, and how long it is true."""

    version: int
    """The machine's."""
    until: float
    """A virtual moment; infinity where only a change of the machine can end it."""
    rendered: Any


class Seat:
    """One machine's place in the process: its lock, and what was rendered of it."""

    __slots__ = ("_fleet", "lock", "machine", "next_due", "number", "rendered")

    def __init__(self, fleet: Fleet, number: int) -> None:
        self.number = number
        self.lock = Lock()
        self.machine: Machine | None = None
        self.next_due: float | None = None
        """The virtual moment of the next thing due, as the last turn left it: readers without the lock must not ask the
        timeline, which drops dead entries when it is asked."""
        self.rendered: dict[str, Kept] = {}
        """A face's cache."""
        self._fleet = fleet

    @contextmanager
    def turn(self) -> Iterator[Machine]:
        """A turn of this machine. A refusal inside it still saves what became due before."""
        with self.lock:
            machine = self.machine or self._fleet.load(self)
            try:
                machine.settle()
                try:
                    yield machine
                except Rejected:
                    self._save(machine)
                    raise
                self._save(machine)
            except Rejected:
                raise
            except BaseException:
                self.machine = None
                self.rendered = {}
                raise

    def loaded(self) -> Machine:
        """The machine, for a look at what needs no turn, such as its sessions."""
        machine = self.machine
        if machine is None:
            with self.turn() as machine:
                pass
        return machine

    def is_current(self, kept: Kept) -> bool:
        """Whether what was rendered is still true: nothing has changed, nothing is due, its own time is not over."""
        machine = self.machine
        if machine is None or machine.version != kept.version or not self.is_settled():
            return False
        return kept.until == math.inf or machine.clock.now() < kept.until

    def is_settled(self) -> bool:
        """Whether nothing is due that has not happened yet."""
        machine, due = self.machine, self.next_due
        return machine is None or due is None or due > machine.clock.now()

    def _save(self, machine: Machine) -> None:
        changes = machine.take_changes()
        if changes:
            self._fleet.store.save(machine.id, changes)
        self.next_due = machine.next_due()
        if machine.transfers and self._fleet.on_transfers is not None:
            self._fleet.on_transfers(self)
        for noted in self._fleet.on_events:
            noted(self, machine)
        self._fleet.wake_at(self)  # with the lock held: what a later turn says must not be overtaken


class Fleet:
    """Controllers 1 to `size`. A machine is made, or loaded, when it is first asked for."""

    def __init__(self, size: int, build: Callable[[int], Machine], store: Store) -> None:
        self.size = size
        self.store = store
        self.on_turn: Callable[[Seat, float | None], None] | None = None
        """Told after each turn when the machine's next thing is due, in real time; None: nothing is."""
        self.on_transfers: Callable[[Seat], None] | None = None
        """Told after each turn of a machine that has transfers."""
        self.on_events: list[Callable[[Seat, Machine], None]] = []
        """Told after each turn, with the machine, for whom there may be events."""
        self._build = build
        self._seats: dict[int, Seat] = {}
        self._by_host: dict[str, Seat] = {}
        self._lock = Lock()

    def seat(self, number: int) -> Seat:
        """The seat of controller `number`, 1 to `size`."""
        found = self._seats.get(number)
        if found is None:
            with self._lock:
                found = self._seats.setdefault(number, Seat(self, number))
        return found

    def seat_for(self, host: str) -> Seat | None:
        """The seat that a Host header names; None for a controller that is not served.

        With one controller every name leads to it. With more, 127.0.0.N, and a name such as bmc-N.lab, is number N;
        localhost is number 1.
        """
        found = self._by_host.get(host)
        if found is None:
            number = 1 if self.size == 1 else _number_of(host)
            if number is None or not 1 <= number <= self.size:
                return None
            found = self.seat(number)
            if len(self._by_host) < HOSTS_MAX + self.size:
                self._by_host[host] = found
        return found

    def load(self, seat: Seat) -> Machine:
        """Make the seat's machine, as it was last saved. The seat's lock is held."""
        machine = self._build(seat.number)
        entities = self.store.load(machine.id)
        if entities:
            machine.restore(entities)
        seat.machine = machine
        return machine

    def wake_stored(self) -> None:
        """Give every machine that was saved a turn: what became due while the process was away happens now."""
        for machine_id in self.store.machines():
            if machine_id.isdigit() and 1 <= int(machine_id) <= self.size:
                with self.seat(int(machine_id)).turn():
                    pass

    def wake_at(self, seat: Seat) -> None:
        """Tell the ticker when the machine wants its next turn."""
        machine = seat.machine
        if self.on_turn is None or machine is None:
            return
        due = machine.next_due()
        self.on_turn(seat, None if due is None else machine.clock.real_moment_of(due))


def _number_of(host: str) -> int | None:
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    if name in ("localhost", ""):
        return 1
    try:
        address = int(IPv4Address(name))
    except AddressValueError:
        found = _NUMBERED_NAME.match(name)
        return int(found[1]) if found else None
    return address - LOOPBACK_FIRST if LOOPBACK_FIRST <= address <= LOOPBACK_LAST else None
