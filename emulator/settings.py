"""The settings of `jobfish serve`: one table. The command line, the environment and the README are made from it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple


class Setting(NamedTuple):
    """One setting: `--name` on the command line, `JOBFISH_NAME` in the environment."""

    name: str
    default: Any
    shown_as: str
    """What the value looks like: PATH, PORT; empty for a switch."""
    help: str
    many: bool = False

    @property
    def environment(self) -> str:
        """The environment variable."""
        return "JOBFISH_" + self.name.upper().replace("-", "_")


SETTINGS = (
    Setting("mockup", "lifecycle-server", "PATH|NAME", "What to serve: a bundled mockup, or a folder, .zip or .tar.*."),
    Setting("host", "127.0.0.1", "ADDRESS", "The address to listen on."),
    Setting("port", 8443, "PORT", "The port to listen on; 0 takes a free one."),
    Setting("http", False, "", "Plain HTTP instead of HTTPS."),
    Setting("controllers", 1, "N", "How many controllers to serve, as 127.0.0.1, 127.0.0.2, ..."),
    Setting("state", "", "DIR|memory", "Where state is kept; 'memory' forgets.  [default: ~/.local/state/jobfish]"),
    Setting("fresh", False, "", "Begin with new machines: forget the state kept for this mockup."),
    Setting("rate", 1.0, "X", "Virtual seconds per real second: 60 runs a minute in a second."),
    Setting("clock", "real", "real|manual", "'manual' freezes time until POST /jobfish/v1/clock advances it."),
    Setting(
        "fail", (), "TARGET/STEP[=ID]", "Let a step fail: BIOS.Setup.1-1/ProcVirtualization. Repeatable.", many=True
    ),
    Setting(
        "allow-network",
        (),
        "CIDR",
        "Let downloads and deliveries go there too, not only to loopback: 10.0.0.0/24. Repeatable.",
        many=True,
    ),
    Setting("streams", 256, "N", "How many streams of server-sent events may be open at once."),
    Setting("allow-remote", False, "", "Answer peers that are not on loopback."),
)
"""In the order in which help and README show them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Checked settings."""

    mockup: str = "lifecycle-server"
    host: str = "127.0.0.1"
    port: int = 8443
    http: bool = False
    controllers: int = 1
    state: str = ""
    fresh: bool = False
    rate: float = 1.0
    clock: str = "real"
    fail: tuple[str, ...] = ()
    allow_network: tuple[str, ...] = ()
    streams: int = 256
    allow_remote: bool = False

    @property
    def clock_rate(self) -> float:
        """The rate of the machines' clocks."""
        return 0.0 if self.clock == "manual" else self.rate


def default_state_folder(environment: dict[str, str], home: Path) -> Path:
    """Where state is kept when nobody says (XDG Base Directory)."""
    base = environment.get("XDG_STATE_HOME")
    return (Path(base) if base else home / ".local" / "state") / "jobfish"


assert [setting.name.replace("-", "_") for setting in SETTINGS] == [item.name for item in fields(Settings)]
