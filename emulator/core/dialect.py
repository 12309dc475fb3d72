"""Dialects: how one vendor says what the core means.

What is stored is neutral; what a client reads is spelled here, from tables. A dialect gives each message key the
registry entries that say it, each job state a word in each view, and the few habits in which controllers differ on the
wire. Faces are handed a dialect and never import one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from emulator.core.job import Job, Kind, State
from emulator.core.message import Message
from emulator.core.policy import Policy


class Entry(NamedTuple):
    """One message of a registry."""

    text: str
    severity: str
    """OK, Warning or Critical."""
    resolution: str
    arguments: int


@dataclass(frozen=True, slots=True)
class Registry:
    """A message registry: texts and severities are data."""

    prefix: str
    version: str
    """Major and minor, as in message ids: "1.22"."""
    entries: Mapping[str, Entry]
    _constants: dict[str, Said] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Registry:
        """From a MessageRegistry resource."""
        major, minor, *_ = document["RegistryVersion"].split(".")
        entries = {
            key: Entry(entry["Message"], entry["MessageSeverity"], entry["Resolution"], entry["NumberOfArgs"])
            for key, entry in document["Messages"].items()
        }
        return cls(document["RegistryPrefix"], f"{major}.{minor}", entries)

    def constant(self, key: str) -> Said:
        """An entry without arguments, always the same."""
        found = self._constants.get(key)
        if found is None:
            entry = self.entries[key]
            message_id = f"{self.prefix}.{self.version}.{key}"
            found = Said(self.prefix, key, message_id, entry.text, (), entry.severity, entry.resolution)
            self._constants[key] = found
        return found


class Said(NamedTuple):
    """A message in a registry's words."""

    registry: str
    key: str
    """Without prefix and version: "PR19"."""
    id: str
    """With them: "IDRAC.2.7.PR19"."""
    text: str
    args: tuple[str, ...]
    severity: str
    resolution: str

    @property
    def name(self) -> str:
        """Registry and key without the version: the name by which tables know it."""
        return f"{self.registry}.{self.key}"


Words = Mapping[tuple[Kind | None, State], str]
"""A view's word for a state; the kind None stands for every kind that has no word of its own."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One vendor's way of saying things."""

    name: str
    registries: Mapping[str, Registry]
    messages: Mapping[str, tuple[str, ...]]
    """Message key -> names of the registry entries that say it, the one that decides first. A name may end with the
    arguments it takes ("IDRAC.SYS428:1": the second only). A key that is not here is a key of the Base registry."""
    words: Mapping[str, Words]
    """View (a schema name: Job, Task, DellJob) -> its words."""
    job_names: Mapping[tuple[str, Kind], str]
    """(view, kind) -> a job's name, with {target}, {device}, {reboot}, {part}: what an update is for, and {request}:
    what a recurring job does."""
    rollback_name: str = "Firmware Rollback: {part}"
    """The name of an update that brings an earlier version back."""
    messages_in: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """View -> keys that this view says otherwise."""
    messages_about: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Kind of device -> keys that are said otherwise of such a device."""
    related_prefix: str = "/"
    """What stands before a property's path in RelatedProperties."""
    tells_task: bool = False
    """True: a task monitor's last answer carries the task besides its own, and a 202 has no body but what an action
    puts there: so do the clients of a lifecycle controller read them."""
    names_success: bool = False
    """True: a success without a resource to show is a body with messages, not 204."""
    completes_boot_requests: bool = False
    """True: the rest of a boot order may be left out and follows as it was, and a boot target alone is for once."""
    policy: Policy = Policy()
    """The preset that a manifest's [policy] changes."""

    def say(self, message: Message, view: str = "") -> tuple[Said, ...]:
        """The registry entries that say this message, the one that decides first; none where a view has no word."""
        if message.native is not None:
            return (self._native(message.native, message.args),)
        names = self.messages_in.get(view, {}).get(message.key)
        if names is None and message.device is not None:
            names = self.messages_about.get(message.device, {}).get(message.key)
        if names is None:
            names = self.messages.get(message.key, (f"Base.{message.key}",))
        return tuple(self._named(name, message.args) for name in names)

    def word(self, view: str, job: Job) -> str:
        """The view's word for the job's state."""
        words = self.words[view]
        return words[job.kind, job.state] if (job.kind, job.state) in words else words[None, job.state]

    def job_name(self, view: str, job: Job, device_kind: str) -> str:
        """The job's name in a view: the one that its maker gave it, or one that tells what it is for."""
        if job.details.get("name"):
            return str(job.details["name"])
        form = self.rollback_name if job.details.get("rollback") else self.job_names[view, job.kind]
        return form.format(
            target=job.target,
            device=device_kind.upper(),
            reboot=job.steps[0].name if job.steps else "",
            request=job.steps[0].name if job.steps else "",
            part=", ".join(job.details.get("names", ())) or "new",
        )

    def _named(self, name: str, args: tuple[str, ...]) -> Said:
        name, _, chosen = name.partition(":")
        prefix, key = name.split(".", 1)
        return self._said(prefix, key, tuple(args[int(index)] for index in chosen.split(",")) if chosen else args)

    def _native(self, key: str, args: tuple[str, ...]) -> Said:
        prefix, _, last = key.rpartition(".")
        for registry in self.registries.values():
            if last in registry.entries:
                return self._said(registry.prefix, last, args)
        return Said(prefix or "Unknown", last, key, f"Failed on purpose, as {key}.", args, "Critical", "None.")

    def _said(self, prefix: str, key: str, args: tuple[str, ...]) -> Said:
        registry = self.registries[prefix]
        entry = registry.entries[key]
        if entry.arguments == 0:
            return registry.constant(key)
        shown = (args + ("",) * entry.arguments)[: entry.arguments]
        text = _PLACEHOLDER.sub(_filler(shown), entry.text)
        return Said(prefix, key, f"{prefix}.{registry.version}.{key}", text, shown, entry.severity, entry.resolution)


_PLACEHOLDER = re.compile(r"%(\d)")


def _filler(args: tuple[str, ...]) -> Callable[[re.Match[str]], str]:
    return lambda found: args[int(found[1]) - 1]
