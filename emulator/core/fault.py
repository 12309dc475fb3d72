"""What goes wrong on purpose: a plan of which steps fail, and with which message.

A rule names a target and a step; either may hold `*` and `?`. The target is the one of the step's job. The step is
meant by its name (`BIOS.Setup.1-1/ProcVirtualization`) or by its operation (`BIOS.Setup.1-1/install`). A step that a
rule means is not applied: it ends with a bad outcome, and what that means for its job is the law's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from emulator.core.job import Outcome, Step
from emulator.core.message import Message


@dataclass(frozen=True, slots=True)
class Rule:
    """One planned fault. `remaining` counts the times it will still strike; None is every time."""

    id: str
    target: str
    step: str
    message_id: str | None = None
    remaining: int | None = None

    def to_plain(self) -> dict[str, Any]:
        """JSON types only."""
        return {
            "id": self.id,
            "target": self.target,
            "step": self.step,
            "message_id": self.message_id,
            "remaining": self.remaining,
        }


def parse_rule(text: str, rule_id: str) -> Rule:
    """A rule from `TARGET/STEP[=MESSAGE_ID]`, for example `BIOS.Setup.1-1/ProcVirtualization=BIOS014`.

    Raises:
        ValueError: when the text has not that form.
    """
    place, _, message_id = text.partition("=")
    target, slash, step = place.partition("/")
    if not (target and slash and step):
        raise ValueError(f"'{text}' is not of the form TARGET/STEP[=MESSAGE_ID]")
    return Rule(rule_id, target, step, message_id or None)


class FaultPlan:
    """The rules of one machine, asked in the order in which they were added."""

    __slots__ = ("_next_id", "_rules")

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._next_id = 1

    def __iter__(self) -> Any:
        return iter(self._rules.values())

    def get(self, rule_id: str) -> Rule | None:
        """The rule of this id, if it is still there."""
        return self._rules.get(rule_id)

    def add(self, target: str, step: str, message_id: str | None = None, remaining: int | None = None) -> Rule:
        """Plan a fault."""
        rule = Rule(str(self._next_id), target, step, message_id, remaining)
        self.put(rule)
        return rule

    def put(self, rule: Rule) -> None:
        """Take in a rule that has an id already: from a store or a command line."""
        self._rules[rule.id] = rule
        if rule.id.isdigit():
            self._next_id = max(self._next_id, int(rule.id) + 1)

    def remove(self, rule_id: str) -> bool:
        """Forget a rule; True if there was one."""
        return self._rules.pop(rule_id, None) is not None

    def strike(self, target: str, step: Step, at: float) -> tuple[Outcome, Rule] | None:
        """The bad outcome planned for this step and the rule behind it, if there is one; counts the rule down."""
        for rule in self._rules.values():
            if fnmatchcase(target, rule.target) and _means(rule, step):
                self._count_down(rule)
                message = Message(
                    "StepFailed", (step.name,), related=(f"Attributes/{step.name}",), native=rule.message_id
                )
                return Outcome(False, at, {}, message), rule
        return None

    def to_plain(self) -> dict[str, int]:
        """The counter, for a store; rules are entities of their own. An id is never given twice."""
        return {"next_id": self._next_id}

    def restore_counter(self, saved: Mapping[str, Any]) -> None:
        """Go on from a stored counter."""
        self._next_id = max(self._next_id, saved["next_id"])

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Put back one stored rule."""
        self.put(Rule(**saved))

    def _count_down(self, rule: Rule) -> None:
        if rule.remaining is None:
            return
        if rule.remaining <= 1:
            del self._rules[rule.id]
        else:
            self._rules[rule.id] = replace(rule, remaining=rule.remaining - 1)


def _means(rule: Rule, step: Step) -> bool:
    return fnmatchcase(step.name, rule.step) or fnmatchcase(step.operation, rule.step)
