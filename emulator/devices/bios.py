"""The BIOS: several hundred attributes."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.devices.attribute_device import AttributeDevice


@dataclass(slots=True)
class Bios(AttributeDevice):
    """The BIOS of one machine."""

    step_seconds: float = 15.0
    kind: str = "bios"
