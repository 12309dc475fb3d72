"""The BIOS: several hundred attributes."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.devices.attribute_device import AttributeDevice


@dataclass(slots=True)
class Bios(AttributeDevice):
    """The BIOS of one machine."""

    step_seconds: float = 15.0
    kind: str = "bios"

    def erase(self, component: str, at: float) -> bool:
        """The BIOS, boot order and all, goes to its defaults."""
        if component != "BIOS":
            return False
        self.reset()
        return True
