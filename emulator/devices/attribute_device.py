"""A device that is nothing but attributes, set one by one when the host passes POST: a BIOS, a network device function.

What an attribute may hold, and how it depends on others, is its registry's matter (`attribute_registry.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.core.device import SEALED, Attribute, Device, Value, seal
from emulator.core.job import Outcome, Step
from emulator.core.message import Message, reject_if_any
from emulator.devices.attribute_registry import HIDDEN, READ_ONLY, Lookup, Model


@dataclass(slots=True)
class AttributeDevice(Device):
    """Such a device of one machine. It keeps only the values that differ from the ones delivered."""

    id: str
    model: Model
    step_seconds: float
    """Virtual seconds for each attribute."""
    kind: str
    own: dict[str, Value] = field(default_factory=dict)

    def describe(self) -> Mapping[str, Attribute]:
        """The attributes, by name: shared by all machines of the mockup."""
        return self.model.attributes

    def read(self) -> Mapping[str, Value]:
        """What its resource shows: no hidden attribute, and no password unless the capture showed it as null."""
        model = self.model
        return {
            name: None if attribute.type == "Password" else self._get(name)
            for name, attribute in model.attributes.items()
            if (name in model.shown or attribute.type != "Password") and not model.flag(name, HIDDEN, self._get)
        }

    def plan(self, change: Mapping[str, Value]) -> tuple[Step, ...]:
        """One step per attribute, in an order in which each can be set when its turn comes.

        An attribute on which others depend comes before them; where that leaves none that can be set, any that can goes
        first. So a value that another staged value forbids is refused, although the other order would let it pass.

        Raises:
            Rejected: PropertyDependency for each attribute that is read-only or hidden when its turn comes.
        """
        values: dict[str, Value] = {}
        lookup = self._over(values)
        steps: list[Step] = []
        left = self._sources_first(change)
        while left:
            name = next((name for name in left if self._obstacle(name, lookup) is None), None)
            if name is None:
                break
            left.remove(name)
            values[name] = change[name]
            self.model.follow(name, values, lookup)
            steps.append(Step(self.id, "set", name, change[name], self.step_seconds))
        reject_if_any(self._dependency_message(name, lookup) for name in left)
        return tuple(steps)

    def apply(self, step: Step, at: float) -> Outcome:
        """Set one attribute, and whatever follows from it."""
        if self._obstacle(step.name, self._get) is not None:
            return Outcome(False, at, {}, self._dependency_message(step.name, self._get))
        values = {step.name: step.value}
        self.model.follow(step.name, values, self._over(values))
        before = {name: self._get(name) for name in values}
        self._set_all(values)
        return Outcome(True, at, before)

    def undo(self, step: Step, before: Mapping[str, Any]) -> None:
        """Set back what the step and its consequences changed."""
        self._set_all(before)

    def reset(self) -> None:
        """Every attribute to its DefaultValue; to the value delivered where the registry gives none.

        Passwords stay: resetting a BIOS must not open it. Read-only attributes describe the hardware and stay too.
        """
        for name, attribute in self.model.attributes.items():
            if attribute.type == "Password" or attribute.read_only or attribute.immutable:
                continue
            default = attribute.default if attribute.default is not None else self.model.values.get(name)
            self._set_all({name: default})

    def check_password(self, name: str, sealed: str) -> bool:
        """Whether `sealed` is the password in force; none is set at first."""
        current = self._get(name)
        if not (isinstance(current, str) and current.startswith(SEALED)):
            current = seal(self.id, name, "")
        return current == sealed

    def part_renewed(self, part: str) -> None:
        """Another device of this kind is as delivered."""
        if part == self.id:
            self.own.clear()

    def snapshot(self) -> dict[str, Any]:
        """The values that differ from the ones delivered."""
        return {"own": dict(self.own)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `snapshot`; values of attributes that the mockup no longer has are left out."""
        self.own = {name: value for name, value in saved["own"].items() if name in self.model.attributes}

    def _get(self, name: str) -> Value:
        return self.own[name] if name in self.own else self.model.values.get(name)

    def _over(self, values: Mapping[str, Value]) -> Lookup:
        """Looks values up as they would be with these laid over the ones in force."""
        return lambda name: values[name] if name in values else self._get(name)

    def _set_all(self, values: Mapping[str, Value]) -> None:
        for name, value in values.items():
            if self.model.values.get(name) == value:
                self.own.pop(name, None)
            else:
                self.own[name] = value

    def _obstacle(self, name: str, lookup: Lookup) -> str | None:
        for flag in (READ_ONLY, HIDDEN):
            if self.model.flag(name, flag, lookup):
                return flag
        return None

    def _dependency_message(self, name: str, lookup: Lookup) -> Message:
        """Says which attributes stand in the way, so that the reader knows what to change first."""
        flag = self._obstacle(name, lookup) or READ_ONLY
        held = [rule for rule in self.model.flags.get((name, flag), ()) if rule.value and rule.holds(lookup)]
        because = sorted({name for rule in held for name in rule.reasons(lookup)})
        key = "PropertyDependency" if because else "PropertyNotWritable"
        args = (name, ", ".join(because)) if because else (name,)
        return Message(key, args, (f"Attributes/{name}",), device=self.kind)

    def _sources_first(self, change: Mapping[str, Value]) -> list[str]:
        ordered: dict[str, None] = {}
        visiting: set[str] = set()

        def visit(name: str) -> None:
            if name in ordered or name in visiting:
                return
            visiting.add(name)
            for source in change:
                if source in self.model.sources.get(name, ()):
                    visit(source)
            ordered[name] = None

        for name in change:
            visit(name)
        return list(ordered)
