"""How a machine is kept: each kind of entity as plain data, and back.

What is in an entity is its owner's business (`to_plain`); here stands which kinds there are and where they belong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from emulator.core.diagnostics import DiagnosticsResult
from emulator.core.job import Job
from emulator.core.power_history import PowerHistory
from emulator.core.power_limit import PowerLimit
from emulator.core.sessions import Session
from emulator.core.staging import Pending, Result
from emulator.core.store import Entity
from emulator.core.subscription import Subscription
from emulator.core.transfer import Transfer
from emulator.core.virtual_media import Media

if TYPE_CHECKING:
    from emulator.core.machine import Machine

Plain = Mapping[str, Any]


def plain_of(machine: Machine, kind: str, key: str) -> Plain | None:
    """An entity as plain data in JSON types; None for one that is gone."""
    return _PLAIN[kind](machine, key)


def restore(machine: Machine, entities: Mapping[Entity, Plain]) -> None:
    """Put everything back that a store has kept of a machine, into a new one."""
    jobs: list[Job] = []
    counters: Mapping[str, int] = {}
    for (kind, key), plain in sorted(entities.items(), key=_by_age):
        if kind == "job":
            jobs.append(Job.from_plain(plain))
        elif (kind, key) == ("counters", "queue"):
            counters = plain
        else:
            _RESTORE[kind](machine, key, plain)
    machine.queue.restore(counters, jobs)


def _by_age(item: tuple[Entity, Plain]) -> tuple[str, float, int, str]:
    """Stores give entities in any order; those of a kind are taken in again as they were made."""
    (kind, key), plain = item
    return kind, plain.get("created_at", 0.0), int(key) if key.isdecimal() else -1, key


def _plain_due(machine: Machine, key: str) -> Plain | None:
    what, _, about = key.partition(":")
    entry = machine.timeline.get(what, about)
    return entry._asdict() if entry else None


def _plain(found: Any) -> Plain | None:
    return found.to_plain() if found is not None else None


def _restore_device(machine: Machine, key: str, plain: Plain) -> None:
    """A device that the mockup no longer has is left out."""
    if key in machine.devices:
        machine.devices[key].restore(plain)


def _restore_counters(machine: Machine, key: str, plain: Plain) -> None:
    if key == "log":
        machine.log.restore(plain)
    elif key == "events":
        machine.events.restore(plain)
        machine.teller.is_listening = plain["listening"]
    elif key == "subscriptions":
        machine.subscriptions.restore(plain)
    else:
        machine.faults.restore_counter(plain)


_COUNTED: Mapping[str, Callable[[Machine], Plain]] = {
    "queue": lambda machine: machine.queue.to_plain(),
    "faults": lambda machine: machine.faults.to_plain(),
    "log": lambda machine: machine.log.to_plain(),
    "events": lambda machine: {**machine.events.to_plain(), "listening": machine.teller.is_listening},
    "subscriptions": lambda machine: machine.subscriptions.to_plain(),
}

_RULED: Mapping[str, Callable[[Machine], Any]] = {
    "accounts": lambda machine: machine.accounts,
    "sessions": lambda machine: machine.sessions,
}

_PLAIN: Mapping[str, Callable[[Machine, str], Plain | None]] = {
    "job": lambda machine, key: _plain(machine.queue.jobs.get(key)),
    "due": _plain_due,
    "host": lambda machine, _: machine.host.to_plain(),
    "power": lambda machine, _: machine.power_history.to_plain(),
    "controller": lambda machine, _: machine.controller.to_plain(),
    "system": lambda machine, _: machine.system.to_plain(),
    "interface": lambda machine, key: machine.set_up.interfaces.get(key),
    "overlay": lambda machine, key: machine.set_up.overlay.get(key),
    "network_services": lambda machine, _: machine.set_up.network_services.to_plain(),
    "chassis": lambda machine, key: machine.set_up.chassis.get(key),
    "power_limit": lambda machine, key: _plain(machine.set_up.power_limits.get(key)),
    "media": lambda machine, key: _plain(machine.set_up.media.get(key)),
    "counters": lambda machine, key: _COUNTED[key](machine),
    "log": lambda machine, key: machine.log.chunk_to_plain(int(key)),
    "event": lambda machine, key: machine.events.chunk_to_plain(int(key)),
    "subscription": lambda machine, key: _plain(machine.subscriptions.get(key)),
    "options": lambda machine, _: machine.update_options,
    "repository": lambda machine, _: machine.repository,
    "wall": lambda machine, _: machine.wall.to_plain(),
    "diagnostics": lambda machine, _: _plain(machine.diagnostics),
    "cleared": lambda machine, key: {"at": machine.cleared_logs[key]} if key in machine.cleared_logs else None,
    "transfer": lambda machine, key: _plain(machine.transfers.get(key)),
    "device": lambda machine, key: machine.devices[key].snapshot(),
    "pending": lambda machine, key: _plain(machine.pending.get(key)),
    "result": lambda machine, key: _plain(machine.results.get(key)),
    "fault": lambda machine, key: _plain(machine.faults.get(key)),
    "session": lambda machine, key: _plain(machine.sessions.get(key)),
    "account": lambda machine, key: machine.accounts.account_to_plain(key),
    "role": lambda machine, key: machine.accounts.role_to_plain(key),
    "login": lambda machine, key: machine.accounts.failures_to_plain(key),
    "rules": lambda machine, key: _RULED[key](machine).rules.to_plain(),
    "clock": lambda machine, _: machine.clock.snapshot(),
}

_RESTORE: Mapping[str, Callable[[Machine, str, Plain], None]] = {
    "due": lambda machine, _, plain: machine.timeline.restore(plain),
    "host": lambda machine, _, plain: machine.host.restore(plain),
    "power": lambda machine, _, plain: setattr(machine, "power_history", PowerHistory.from_plain(plain)),
    "controller": lambda machine, _, plain: machine.controller.restore(plain),
    "system": lambda machine, _, plain: machine.system.restore(plain),
    "interface": lambda machine, key, plain: machine.set_up.interfaces.update({key: dict(plain)}),
    "overlay": lambda machine, key, plain: machine.set_up.overlay.put(key, plain),
    "network_services": lambda machine, _, plain: machine.set_up.network_services.restore(plain),
    "chassis": lambda machine, key, plain: machine.set_up.chassis.update({key: dict(plain)}),
    "power_limit": lambda machine, key, plain: machine.set_up.power_limits.update({key: PowerLimit.from_plain(plain)}),
    "media": lambda machine, key, plain: machine.set_up.media.update({key: Media.from_plain(plain)}),
    "counters": _restore_counters,
    "log": lambda machine, key, plain: machine.log.restore_chunk(int(key), plain),
    "event": lambda machine, key, plain: machine.events.restore_chunk(int(key), plain),
    "subscription": lambda machine, _, plain: machine.subscriptions.keep(Subscription.from_plain(plain)),
    "options": lambda machine, _, plain: setattr(machine, "update_options", dict(plain)),
    "repository": lambda machine, _, plain: setattr(machine, "repository", dict(plain)),
    "wall": lambda machine, _, plain: machine.wall.restore(plain),
    "diagnostics": lambda machine, _, plain: setattr(machine, "diagnostics", DiagnosticsResult.from_plain(plain)),
    "cleared": lambda machine, key, plain: machine.cleared_logs.update({key: plain["at"]}),
    "transfer": lambda machine, key, plain: machine.transfers.update({key: Transfer.from_plain(plain)}),
    "device": _restore_device,
    "pending": lambda machine, key, plain: machine.pending.update({key: Pending.from_plain(plain)}),
    "result": lambda machine, key, plain: machine.results.update({key: Result.from_plain(plain)}),
    "fault": lambda machine, _, plain: machine.faults.restore(plain),
    "session": lambda machine, _, plain: machine.sessions.keep(Session(**plain)),
    "account": lambda machine, key, plain: machine.accounts.restore_account(key, plain),
    "role": lambda machine, key, plain: machine.accounts.restore_role(key, plain),
    "login": lambda machine, key, plain: machine.accounts.restore_failures(key, plain),
    "rules": lambda machine, key, plain: _RULED[key](machine).restore_rules(plain),
    "clock": lambda machine, _, plain: machine.clock.restore(plain),
}
