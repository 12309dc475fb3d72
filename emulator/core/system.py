"""What the host is told from outside, besides its BIOS: where to boot from next, and what it is called.

It is in force as soon as it is said, without a job. Names are those of DMTF's ComputerSystem.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.core.message import Message, Rejected

ENABLED, TARGET, UEFI_TARGET = (
    "BootSourceOverrideEnabled",
    "BootSourceOverrideTarget",
    "UefiTargetBootSourceOverride",
)
ONCE, CONTINUOUS, DISABLED = "Once", "Continuous", "Disabled"
NO_TARGET, FROM_UEFI_TARGET = "None", "UefiTarget"
BOOT = "Boot/"


@dataclass(slots=True)
class System:
    """The host as others set it up."""

    override: dict[str, str | None] = field(default_factory=dict)
    """The boot source override, by property; at first what was delivered. Empty: this host has none."""
    properties: dict[str, Any] = field(default_factory=dict)
    """Properties that somebody has set, such as AssetTag, in JSON types."""

    def overridden(self, change: Mapping[str, str | None], *, alone_is_once: bool) -> dict[str, str | None]:
        """The override as it would be after a change; changes nothing.

        No target and no override are the same thing: where only one of them is given, the other follows. A target given
        alone leaves a disabled override disabled, unless `alone_is_once`.

        Raises:
            Rejected: UefiTarget without a path, or for every boot (DSP0268: UEFI has such a boot for once only).
        """
        result = {**self.override, **change}
        if TARGET in change and ENABLED not in change:
            if change[TARGET] == NO_TARGET:
                result[ENABLED] = DISABLED
            elif alone_is_once and result.get(ENABLED) == DISABLED:
                result[ENABLED] = ONCE
        elif change.get(ENABLED) == DISABLED and TARGET not in change:
            result[TARGET] = NO_TARGET
        if result.get(TARGET) == FROM_UEFI_TARGET and not change.keys().isdisjoint((ENABLED, TARGET, UEFI_TARGET)):
            if not result.get(UEFI_TARGET):
                raise Rejected(Message("PropertyMissing", (BOOT + UEFI_TARGET,), (BOOT + UEFI_TARGET,)))
            if result.get(ENABLED) == CONTINUOUS:
                names = BOOT + ENABLED, BOOT + TARGET
                raise Rejected(Message("PropertyValueConflict", names, names))
        return result

    def boot(self) -> str | None:
        """The host boots: what the override makes it boot from, if anything. One that was for once is used up."""
        target = self.override.get(TARGET)
        if target in (None, NO_TARGET) or self.override.get(ENABLED, DISABLED) == DISABLED:
            target = None
        if self.override.get(ENABLED) == ONCE:
            self.override[ENABLED], self.override[TARGET] = DISABLED, NO_TARGET
        return target

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"override": dict(self.override), "properties": dict(self.properties)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `to_plain`."""
        self.override = dict(saved["override"])
        self.properties = dict(saved["properties"])
