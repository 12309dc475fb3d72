"""The machine that is measured on, and which of its cores does what."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("granian", "Flask", "SQLAlchemy", "orjson")


def describe() -> str:
    """CPU, cores, memory, Python and the packages that matter, in three lines."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        f"machine   {cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB",
        f"system    {platform.system()} {platform.release()}, {platform.python_implementation()} "
        f"{platform.python_version()}",
        f"packages  {packages}",
    ]
    return "\n".join(lines)


def cpu_model() -> str:
    """What the CPU calls itself."""
    if sys.platform == "darwin":
        return subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        ).stdout.strip()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def pair_of_cores() -> tuple[int, int] | None:
    """One core for the server and one for the client; None where they cannot be had."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else None


@contextmanager
def as_client() -> Iterator[None]:
    """Keep this process, and the clients it starts, on the core for clients."""
    pair = pair_of_cores()
    if pair is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {pair[1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def where() -> str:
    """Where server and client run, for the reader."""
    pair = pair_of_cores()
    return f"server on core {pair[0]}, client on core {pair[1]}" if pair else "server and client on any core"
