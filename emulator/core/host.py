"""The host: its power and how far it is through starting up.

Like a job, it has a law: `PHASES`, the table (phase, event) -> phase. A phase that ends by itself has a duration among
the machine's timings, and the event that ends it.

    OFF          no power
    POST         the firmware is testing and initialising; when it is done, scheduled jobs get their turn
    TASKS        Automated Task stage: the scheduled jobs are run, in the order of the queue
    BOOTING      the operating system is starting
    RUNNING      it is up
    STOPPING     it was asked to shut down and is doing so; `then` says what follows
    GAP          power is off for a moment in the middle of a power cycle or restart
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

HOST = "host"
"""What stands for the host where a device or a target is named."""


class Phase(StrEnum):
    """Where the host is."""

    OFF = "Off"
    POST = "Post"
    TASKS = "Tasks"
    BOOTING = "Booting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    GAP = "Gap"


class Power(StrEnum):
    """What can happen to the host."""

    POWER_ON = "power on"
    POST_DONE = "POST done"
    TASKS_DONE = "tasks done"
    OS_UP = "operating system up"
    SHUT_DOWN = "shut down"
    DOWN = "operating system down"
    DOWN_FOR_RESTART = "operating system down, to restart"
    FORCE_OFF = "force off"
    CUT = "cut power and restore it"
    WARM_RESET = "warm reset"


_UP = (Phase.POST, Phase.TASKS, Phase.BOOTING, Phase.RUNNING)

PHASES: Mapping[tuple[Phase, Power], Phase] = {
    (Phase.OFF, Power.POWER_ON): Phase.POST,
    (Phase.OFF, Power.CUT): Phase.POST,
    (Phase.OFF, Power.WARM_RESET): Phase.POST,
    (Phase.GAP, Power.POWER_ON): Phase.POST,
    (Phase.GAP, Power.FORCE_OFF): Phase.OFF,
    (Phase.POST, Power.POST_DONE): Phase.TASKS,
    (Phase.TASKS, Power.TASKS_DONE): Phase.BOOTING,
    (Phase.BOOTING, Power.OS_UP): Phase.RUNNING,
    (Phase.STOPPING, Power.DOWN): Phase.OFF,
    (Phase.STOPPING, Power.DOWN_FOR_RESTART): Phase.GAP,
    **{(phase, Power.SHUT_DOWN): Phase.STOPPING for phase in (*_UP, Phase.STOPPING)},
    **{(phase, Power.FORCE_OFF): Phase.OFF for phase in (*_UP, Phase.STOPPING)},
    **{(phase, Power.CUT): Phase.GAP for phase in (*_UP, Phase.STOPPING)},
    **{(phase, Power.WARM_RESET): Phase.POST for phase in (*_UP, Phase.STOPPING)},
}


@dataclass(frozen=True, slots=True)
class Timings:
    """How long things take, in virtual seconds. The manifest's `[timings]`."""

    validate_seconds: float = 3.0
    """From a job's creation until its values have been validated and it is scheduled."""
    shutdown_seconds: float = 20.0
    """From asking the operating system to shut down until it has."""
    off_seconds: float = 5.0
    """How long power stays off in a power cycle."""
    post_seconds: float = 90.0
    """From power-on, or a warm reset, until POST is done."""
    boot_seconds: float = 45.0
    """From the end of POST and of the automated tasks until the operating system is up."""
    bios_step_seconds: float = 15.0
    """For each BIOS attribute."""
    nic_step_seconds: float = 10.0
    """For each attribute of a network device function."""
    raid_step_seconds: float = 30.0
    """For each operation on a storage controller, and for each of its attributes."""
    firmware_step_seconds: float = 120.0
    """For installing firmware on one component."""
    profile_step_seconds: float = 5.0
    """For reading or comparing one component of a server configuration profile."""
    catalog_step_seconds: float = 10.0
    """For comparing the firmware with the catalogue of a repository."""
    diagnostics_express_seconds: float = 600.0
    """For all express tests of a diagnostics job together."""
    diagnostics_extended_seconds: float = 10_800.0
    """For all extended tests of a diagnostics job together."""
    erase_step_seconds: float = 60.0
    """For each component of a system erase."""
    erase_restart_seconds: float = 30.0
    """From the end of a system erase until the controller restarts for it."""
    inventory_seconds: float = 30.0
    """How long the controller reads its inventory again after a job."""
    data_services_seconds: float = 90.0
    """How long its data services take to start again (JID_CLEARALL_FORCE)."""
    controller_restart_seconds: float = 120.0
    """How long a restart of the controller takes."""

    def of(self, phase: Phase) -> float | None:
        """How long the phase lasts; None for one that does not end by itself."""
        return {
            Phase.POST: self.post_seconds,
            Phase.BOOTING: self.boot_seconds,
            Phase.STOPPING: self.shutdown_seconds,
            Phase.GAP: self.off_seconds,
        }.get(phase)


@dataclass(slots=True)
class Host:
    """The host of one machine."""

    phase: Phase = Phase.RUNNING
    restart: bool = False
    """Whether it comes up again after STOPPING."""
    last_reset_at: float | None = None

    @property
    def is_on(self) -> bool:
        """True unless its power is off."""
        return self.phase not in (Phase.OFF, Phase.GAP)

    @property
    def is_starting(self) -> bool:
        """True from the moment at which a start or restart was asked for until POST is done."""
        return self.phase in (Phase.GAP, Phase.POST) or (self.phase is Phase.STOPPING and self.restart)

    def fire(self, event: Power) -> bool:
        """Let `event` happen; False, and nothing changes, where the law has no such cell."""
        following = PHASES.get((self.phase, event))
        if following is None:
            return False
        self.phase = following
        return True

    def ends_with(self) -> Power | None:
        """The event with which the present phase ends by itself."""
        if self.phase is Phase.STOPPING:
            return Power.DOWN_FOR_RESTART if self.restart else Power.DOWN
        return _ENDS_WITH.get(self.phase)

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {"phase": self.phase.value, "restart": self.restart, "last_reset_at": self.last_reset_at}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """The reverse of `to_plain`."""
        self.phase = Phase(saved["phase"])
        self.restart = bool(saved["restart"])
        self.last_reset_at = saved["last_reset_at"]


_ENDS_WITH: Mapping[Phase, Power] = {
    Phase.POST: Power.POST_DONE,
    Phase.BOOTING: Power.OS_UP,
    Phase.GAP: Power.POWER_ON,
}

RESETS: Mapping[str, tuple[Power | None, bool]] = {
    "On": (Power.POWER_ON, False),
    "ForceOn": (Power.POWER_ON, False),
    "ForceOff": (Power.FORCE_OFF, False),
    "GracefulShutdown": (Power.SHUT_DOWN, False),
    "GracefulRestart": (Power.SHUT_DOWN, True),
    "ForceRestart": (Power.WARM_RESET, False),
    "Nmi": (None, False),
    "PowerCycle": (Power.CUT, False),
    "FullPowerCycle": (Power.CUT, False),
    "PushPowerButton": (Power.SHUT_DOWN, False),
}
"""What each Redfish ResetType does to a host, and whether it comes up again after shutting down.

An Nmi interrupts the operating system and leaves the power alone. The power button shuts a running host down; what it
does to one that is off is in `Machine.reset`."""

IDEMPOTENT_RESETS = frozenset({"On", "ForceOn", "ForceOff", "GracefulShutdown"})
"""Asking for the state the host is in already is no fault."""
