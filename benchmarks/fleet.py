"""fleet: memory and time for each further controller, and GETs a second over all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from typing import NamedTuple

from benchmarks.get import SYSTEM
from benchmarks.support.hardware import as_client, where
from benchmarks.support.load import Request, load, touch
from benchmarks.support.options import Options
from benchmarks.support.servers import emulator
from benchmarks.support.table import ratio, show, spread

SIZES, QUICK_SIZES = (1, 1_000, 10_000), (1, 1_000)
CONNECTIONS = 16
SECONDS = 1
COLUMNS = (
    "controllers",
    "start, s",
    "MiB, all idle",
    "KiB/further one",
    "first GET of each, us",
    "GETs/s over all",
    "/ one",
)
AIM = "aim: at most 50 KiB for each further idle controller"
ROUNDS_MAX = 3
"""Sizes of memory hardly differ from one round to the next, and ten thousand first GETs take their time."""


class Fleet(NamedTuple):
    """What one fleet costs."""

    start_seconds: float
    kib: int
    kib_each: float | None
    first_get_us: float
    rate: float


def run(options: Options) -> None:
    """Measure and print."""
    found: dict[int, list[Fleet]] = {}
    with as_client():
        for _ in range(min(options.rounds, ROUNDS_MAX)):
            for size in QUICK_SIZES if options.quick else SIZES:
                found.setdefault(size, []).append(_measure(size))
    idle = "idle: the machine made and its ComputerSystem rendered once; memory is the proportional set size"
    show(COLUMNS, _rows(found), [AIM, idle, f"plain HTTP, {CONNECTIONS} connections; {where()}"])


def _measure(size: int) -> Fleet:
    hosts = [str(IPv4Address((127 << 24) + number)) for number in range(1, size + 1)]
    began = time.perf_counter()
    with emulator("--state", "memory", "--http", "--controllers", str(size)) as server:
        touch(server, Request(SYSTEM.path, hosts=hosts[:1]), connections=1)
        started = time.perf_counter() - began
        before = server.memory_kib()
        took = touch(server, Request(SYSTEM.path, hosts=hosts))
        after = server.memory_kib()
        rate = load(server, Request(SYSTEM.path, hosts=hosts), CONNECTIONS, SECONDS).rate
    each = (after - before) / (size - 1) if size > 1 else None
    return Fleet(started, after, each, took / size * 1e6, rate)


def _rows(found: Mapping[int, Sequence[Fleet]]) -> list[Sequence[str]]:
    rows = []
    for size, fleets in found.items():
        rates = [fleet.rate for fleet in fleets]
        rows.append(
            (
                f"{size:,}",
                spread([fleet.start_seconds for fleet in fleets], 2),
                spread([fleet.kib / 1024 for fleet in fleets]),
                spread([fleet.kib_each for fleet in fleets if fleet.kib_each is not None], 1),
                spread([fleet.first_get_us for fleet in fleets]),
                spread(rates),
                ratio(rates, [fleet.rate for fleet in found[1]]),
            )
        )
    return rows
