"""One function of a network adapter: some thirty to a hundred attributes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emulator.devices.attribute_device import AttributeDevice

SECRET = re.compile(r"ChapPwd$")
"""Attributes that a network attribute registry calls texts, and that are passwords all the same."""


@dataclass(slots=True)
class Nic(AttributeDevice):
    """A network device function of one machine."""

    step_seconds: float = 10.0
    kind: str = "nic"
