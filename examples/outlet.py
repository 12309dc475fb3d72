"""An outlet of a power distribution unit: whether it comes back when the mains do, and how long it waits then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.core.device import Attribute, Device, Value
from emulator.core.job import Outcome, Step
from emulator.core.message import Message, reject_if_any
from emulator.mockup.manifest import DevicePlace
from emulator.mockup.place import Listed, PropertyPlace
from emulator.mockup.site import Site
from emulator.redfish.device_kind import DeviceKind
from emulator.redfish.property_resource import property_resources
from emulator.redfish.view import Resource

KIND, STEP_SECONDS = "outlet", 5.0
POLICY, DELAY, STATE = "PowerRestorePolicy", "PowerRestoreDelaySeconds", "PowerState"
ATTRIBUTES: Mapping[str, Attribute] = {
    POLICY: Attribute(POLICY, "Enumeration", choices=("AlwaysOn", "AlwaysOff")),
    DELAY: Attribute(DELAY, "Integer", lower=0, upper=300),
    STATE: Attribute(STATE, "Enumeration", choices=("On", "PoweringOn", "Off"), read_only=True),
}
DELIVERED: Mapping[str, Any] = {POLICY: "AlwaysOn", DELAY: 0, STATE: "On", "has_mains": True, "due": None}


@dataclass(slots=True)
class Outlet(Device):
    """The outlet of one machine. `now["due"]` is the moment at which it goes on, where it waits for that."""

    id: str
    kind: str = KIND
    now: dict[str, Any] = field(default_factory=lambda: dict(DELIVERED))

    def describe(self) -> Mapping[str, Attribute]:
        return ATTRIBUTES

    def read(self) -> Mapping[str, Value]:
        return {name: self.now[name] for name in ATTRIBUTES}

    def plan(self, change: Mapping[str, Value]) -> tuple[Step, ...]:
        reject_if_any(obstacle for name in change for obstacle in self._obstacles(name, {**self.now, **change}))
        return tuple(Step(self.id, "set", name, change[name], STEP_SECONDS) for name in ATTRIBUTES if name in change)

    def _obstacles(self, name: str, values: Mapping[str, Any]) -> Iterator[Message]:
        if values["due"] is not None:  # it is busy
            yield Message("PropertyDependency", (name, STATE), (f"Attributes/{name}",), device=KIND)
        elif name == DELAY and values[POLICY] == "AlwaysOff":  # there is nothing to wait for
            yield Message("PropertyDependency", (name, POLICY), (f"Attributes/{name}",), device=KIND)

    def apply(self, step: Step, at: float) -> Outcome:
        for obstacle in self._obstacles(step.name, self.now):  # the mains may have come back since it was planned
            return Outcome(False, at, {}, obstacle)
        before = {step.name: self.now[step.name]}
        self.now[step.name] = step.value
        return Outcome(True, at, before)

    def undo(self, step: Step, before: Mapping[str, Any]) -> None:
        self.now |= before

    def snapshot(self) -> dict[str, Any]:
        return dict(self.now)

    def restore(self, saved: Mapping[str, Any]) -> None:
        self.now = {**DELIVERED, **saved}

    def next_due(self) -> float | None:
        due: float | None = self.now["due"]
        return due

    def happen(self, at: float) -> tuple[Message, ...]:
        self.now |= {STATE: "On", "due": None}
        return ()

    def events(self) -> Mapping[str, Sequence[str]]:
        return {"MainsLost" if self.now["has_mains"] else "MainsRestored": [self.id]}

    def befall(self, event: str, part: str, at: float) -> tuple[Message, ...]:
        self.now |= {"has_mains": event == "MainsRestored", STATE: "Off", "due": None}
        if self.now["has_mains"] and self.now[POLICY] == "AlwaysOn":
            self.now |= {STATE: "PoweringOn", "due": at + self.now[DELAY]}
        return ()


def find(site: Site, listed: Listed) -> list[PropertyPlace]:
    """Each Outlet resource of the tree; or those that machine.toml lists."""
    found = (DevicePlace(KIND, f"Outlet.{number}", uri) for number, uri in enumerate(site.tree.of_type("Outlet"), 1))
    return [PropertyPlace(place.id, place.path) for place in (found if listed is None else listed)]


def resources(site: Site) -> list[Resource]:
    """Each outlet as it is now, and its settings resource."""
    return property_resources(site, KIND)


OUTLET = DeviceKind(find, lambda place, *_: Outlet(place.device_id), (resources,))
