"""Servers as child processes: started, looked at from outside, and ended whatever happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks.support.hardware import pair_of_cores

ROOT = Path(__file__).parents[2]
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
_SERVING = re.compile(r"serving\s+(https?)://127\.0\.0\.1:(\d+)/")


class Server:
    """A server that has said where it listens."""

    def __init__(self, process: subprocess.Popen[str], scheme: str, port: int) -> None:
        self.process = process
        self.scheme = scheme
        self.port = port

    def cpu_seconds(self) -> float | None:
        """User and system time of all its threads so far; None where /proc does not tell."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self) -> int:
        """Its proportional set size, or its resident one where there is no /proc."""
        try:
            lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            command = ["/bin/ps", "-o", "rss=", "-p", str(self.process.pid)]
            return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@contextmanager
def emulator(*options: str, pinned: bool = True) -> Iterator[Server]:
    """`jobfish serve` on a free port, until the end of the block."""
    with _server(["-m", "emulator", "serve", "--port", "0", *options], pinned=pinned) as server:
        yield server


@contextmanager
def reference(name: str) -> Iterator[Server]:
    """A reference server under the emulator's own HTTP server: `flask` or `raw`."""
    with _server(["-m", "benchmarks.support.reference", name], pinned=True) as server:
        yield server


@contextmanager
def _server(arguments: Sequence[str], *, pinned: bool) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=_plain(),
    )
    try:
        pair = pair_of_cores() if pinned else None
        if pair is not None:
            os.sched_setaffinity(process.pid, {pair[0]})
        assert process.stdout is not None
        yield Server(process, *_place(process, process.stdout))
    finally:
        _stop(process)


def _place(process: subprocess.Popen[str], output: IO[str]) -> tuple[str, int]:
    """(scheme, port), as the server says on its standard output."""
    late = threading.Timer(START_SECONDS_MAX, process.kill)
    late.start()
    try:
        for line in output:
            if found := _SERVING.search(line):
                return found[1], int(found[2])
    finally:
        late.cancel()
    raise RuntimeError(f"the server did not start: exit status {process.wait()}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _plain() -> dict[str, str]:
    """The environment without settings of the emulator."""
    return {name: value for name, value in os.environ.items() if not name.startswith("JOBFISH_")}
