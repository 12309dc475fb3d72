"""A network adapter: the links of its ports, whatever functions stand behind them.

Whether a port has a link is one fact, kept here once: a cable is in it or not, and somebody answers at the other end or
not. What comes of it depends on configuration besides: a port is down while it is switched off, or while every function
behind it is disabled; and it runs at the speed that one of them sets, else at what both ends agree on. The other end
does whatever this one is set to. A host that is off takes no link away: adapters live on standby power.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from emulator.core.device import Attribute, Value
from emulator.core.message import Message
from emulator.devices.attribute_device import AttributeDevice
from emulator.devices.attribute_registry import Model
from emulator.devices.nic import Condition, Link, Nic

KIND = "adapter"
ENABLED = "{port}.InterfaceEnabled"
"""The attribute of an adapter that switches one of its ports."""
DEVICE_ENABLED, WAKE_ON_LAN = "DeviceEnabled", "WakeOnLan"
SPEED = re.compile(r"(Lnk|Link)Speed$")
"""Attributes that set a port's speed: LnkSpeed, and the same with a maker's name before it."""
_SPEED_WORD = re.compile(r"^([0-9]+(?:\.[0-9]+)?)([MG])bps")


@dataclass(frozen=True, slots=True)
class PortModel:
    """A port as delivered: shared by all machines of a mockup."""

    id: str
    number: str
    """By which people know it: "1"."""
    is_cabled: bool
    is_connected: bool
    negotiated_mbps: int | None
    """What both ends agree on; None where nothing tells."""
    max_mbps: int | None
    functions: tuple[str, ...]
    """The devices behind it."""
    is_switchable: bool
    """Whether the tree has a property that switches it."""


@dataclass(slots=True)
class Port:
    """What has befallen a port."""

    is_cabled: bool
    is_connected: bool


REPLACED = "AdapterReplaced"
"""The event that another adapter of the same model has taken the place of this one."""


@dataclass(slots=True)
class NetworkAdapter(AttributeDevice):
    """A network adapter of one machine. Its attributes switch its ports."""

    step_seconds: float = 10.0
    kind: str = KIND
    port_models: Mapping[str, PortModel] = field(default_factory=dict)
    functions: Mapping[str, Nic] = field(default_factory=dict)
    """The functions of this machine, by device id."""
    ports: dict[str, Port] = field(init=False)
    first_links: dict[str, Link] = field(init=False)
    """The links of a new machine: the ones that the mockup's documents tell of."""

    def __post_init__(self) -> None:
        self.ports = {port: Port(one.is_cabled, one.is_connected) for port, one in self.port_models.items()}
        self.first_links = {port: self.link_of(port) for port in self.ports}
        for port, one in self.port_models.items():
            for name in one.functions:
                if name in self.functions:
                    self.functions[name].link = partial(self.changed_link, port)

    def link_of(self, port: str) -> Link:
        """The link of one of its ports, now."""
        state, model = self.ports[port], self.port_models[port]
        if not self._is_enabled(port):
            return Link(Condition.DISABLED)
        if not state.is_cabled:
            return Link(Condition.NO_CABLE)
        return Link(Condition.UP, self._speed(model)) if state.is_connected else Link(Condition.DOWN)

    def changed_link(self, port: str) -> Link | None:
        """The same; None while it is as delivered, when the mockup's own documents tell of it."""
        link = self.link_of(port)
        return None if link == self.first_links[port] else link

    def changed_wake_on_lan(self, port: str) -> bool | None:
        """Whether a function behind the port lets it wake the host; None while that is as delivered."""
        for name in self.port_models[port].functions:
            delivered = self.functions[name].model.values if name in self.functions else {}
            if WAKE_ON_LAN in delivered and (now := self.functions[name].value(WAKE_ON_LAN)) != delivered[WAKE_ON_LAN]:
                return now == "Enabled"
        return None

    def changed_switch(self, port: str) -> bool | None:
        """Whether the port's own switch is on; None while it is as delivered, and where it has none."""
        is_on = self.own.get(ENABLED.format(port=port))
        return is_on if isinstance(is_on, bool) else None

    def _is_enabled(self, port: str) -> bool:
        behind = [self.functions[name] for name in self.port_models[port].functions if name in self.functions]
        wanted = [function.value(DEVICE_ENABLED) is not False for function in behind]
        is_switched_off = self._get(ENABLED.format(port=port)) is False
        return not is_switched_off and (not wanted or any(wanted))

    def _speed(self, model: PortModel) -> int | None:
        for name in model.functions:
            fixed = fixed_mbps(self.functions[name]) if name in self.functions else None
            if fixed is not None:
                return fixed if model.max_mbps is None else min(fixed, model.max_mbps)
        return model.negotiated_mbps

    # -- the device protocol

    def snapshot(self) -> dict[str, Any]:
        """Which ports are switched otherwise than delivered, and what has befallen them."""
        ports = {
            name: {"is_cabled": port.is_cabled, "is_connected": port.is_connected}
            for name, port in self.ports.items()
            if (port.is_cabled, port.is_connected) != self._delivered(name)
        }
        return {"own": dict(self.own), "ports": ports}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `snapshot`; a port that the mockup no longer has is left out."""
        AttributeDevice.restore(self, saved)
        for name, port in self.ports.items():
            found = saved["ports"].get(name)
            port.is_cabled, port.is_connected = (
                (found["is_cabled"], found["is_connected"]) if found is not None else self._delivered(name)
            )

    def events(self) -> Mapping[str, Sequence[str]]:
        """What can befall which ports now, by the names of DMTF's NetworkDevice registry."""
        ports = self.ports.items()
        return {
            "ConnectionDropped": [name for name, port in ports if port.is_cabled and port.is_connected],
            "ConnectionEstablished": [name for name, port in ports if port.is_cabled and not port.is_connected],
            "CableRemoved": [name for name, port in ports if port.is_cabled],
            "CableInserted": [name for name, port in ports if not port.is_cabled],
            REPLACED: [self.id],
        }

    def renewed(self, event: str, part: str) -> Sequence[str]:
        """Another adapter brings its own firmware and settings, and those of its functions."""
        if event != REPLACED:
            return ()
        return (self.id, *(name for model in self.port_models.values() for name in model.functions))

    def befall(self, event: str, part: str, at: float) -> tuple[Message, ...]:
        """Let one of `events` befall a port, or all of the adapter: another one of the model is put in its place, with
        the same cables. What is said of a cable comes before what is said of its link.
        """
        if event == REPLACED:
            return (Message("AdapterReplaced", (self.id,)),)
        port, was_up = self.ports[part], self.link_of(part).is_up
        if event in ("ConnectionDropped", "ConnectionEstablished"):
            port.is_connected = event == "ConnectionEstablished"
        else:
            port.is_cabled = event == "CableInserted"
        return self._said(event, part, was_up)

    # -- helpers

    def _delivered(self, port: str) -> tuple[bool, bool]:
        model = self.port_models[port]
        return model.is_cabled, model.is_connected

    def _said(self, event: str, part: str, was_up: bool) -> tuple[Message, ...]:
        """A link that configuration keeps down is neither lost nor found."""
        model = self.port_models[part]
        about = (self.id, part, ", ".join(model.functions), model.number)
        said = []
        if event == "CableRemoved":
            said.append(Message("CableRemoved", about))
        elif event == "CableInserted":
            said.append(Message("CableInserted", about))
        if (is_up := self.link_of(part).is_up) != was_up:
            said.append(Message("ConnectionEstablished" if is_up else "ConnectionDropped", about))
        return tuple(said)


def switches_of(ports: Sequence[PortModel], values: Mapping[str, bool]) -> Model:
    """The attributes of an adapter with these ports; `values` is how they are delivered, by port."""
    names = {ENABLED.format(port=port.id): values[port.id] for port in ports if port.is_switchable}
    attributes = {name: Attribute(name, "Boolean") for name in names}
    return Model(attributes, dict(names), frozenset(names), {}, {}, {}, frozenset())


def fixed_mbps(function: Nic) -> int | None:
    """The speed that a function sets for its port; None where it leaves that to the two ends."""
    for name in speed_attributes(function.describe()):
        if (found := mbps(function.value(name))) is not None:
            return found
    return None


def speed_attributes(attributes: Mapping[str, Attribute]) -> list[str]:
    """Those that set the speed of a port."""
    return [name for name, one in attributes.items() if one.type == "Enumeration" and SPEED.search(name)]


def mbps(word: Value) -> int | None:
    """A speed as registries spell it ("25Gbps", "100MbpsFull") in megabits per second; None for any other word."""
    found = _SPEED_WORD.match(word) if isinstance(word, str) else None
    return int(float(found[1]) * (1000 if found[2] == "G" else 1)) if found else None
