"""Dell's own scripts, unmodified, each in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any


class DellScripts:
    """Runs scripts against a controller; what they write is in `folder`."""

    def __init__(self, process: Any, folder: Path) -> None:
        self.url, self.folder = process.url, folder
        self._who = ("-ip", f"127.0.0.1:{process.port}", "-u", "root", "-p", "calvin")

    def run(self, script: str, *arguments: str) -> str:
        """What a script prints."""
        command = [script, *self._who, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr
