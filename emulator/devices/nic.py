"""One function of a network adapter: some thirty to a hundred attributes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from emulator.core.device import Value
from emulator.devices.attribute_device import AttributeDevice

SECRET = re.compile(r"ChapPwd$")
"""Attributes that a network attribute registry calls texts, and that are passwords all the same."""
LINK_STATUS = "LinkStatus"
"""The attribute that tells of the port's link, which is its adapter's to know."""
CONNECTED, DISCONNECTED = "Connected", "Disconnected"
VIRTUALIZATION_MODE = "VirtualizationMode"
PARTITIONED = frozenset({"NPAR", "NPARSRIOV"})
"""The modes in which a port is partitioned."""


class Condition(StrEnum):
    """What there is to say of a port's link."""

    UP = "Up"
    DOWN = "Down"
    """A cable, and nobody at its other end."""
    NO_CABLE = "NoCable"
    DISABLED = "Disabled"


class Link(NamedTuple):
    """A port's link at one moment."""

    condition: Condition
    mbps: int | None = None
    """Megabits per second; None while there is no link, and where nothing tells."""

    @property
    def is_up(self) -> bool:
        """Whether frames can pass."""
        return self.condition is Condition.UP


@dataclass(slots=True)
class Nic(AttributeDevice):
    """A network device function of one machine."""

    step_seconds: float = 10.0
    kind: str = "nic"
    link: Callable[[], Link | None] = lambda: None
    """Tells of its port's link; None while that is as delivered, and where no port is known."""

    def value(self, name: str) -> Value:
        """An attribute as it is, hidden or not; None for one that it has not."""
        return self._get(name)

    def _get(self, name: str) -> Value:
        if name == LINK_STATUS and name in self.model.attributes and (link := self.link()) is not None:
            return CONNECTED if link.is_up else DISCONNECTED
        return AttributeDevice._get(self, name)
