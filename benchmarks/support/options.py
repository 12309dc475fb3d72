"""What was asked for on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """How much to measure, and where files may be put meanwhile."""

    rounds: int
    quick: bool
    folder: Path
    """An empty folder on disk; whoever made it removes it."""
