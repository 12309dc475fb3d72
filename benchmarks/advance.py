"""advance: how long it takes until thousands of jobs have run after one jump of the clock, on disk."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.support.options import Options
from benchmarks.support.table import ratio, show, spread
from emulator.core.clock import Clock
from emulator.core.host import Timings
from emulator.core.job import State
from emulator.core.machine import Machine
from emulator.core.policy import Policy
from emulator.core.store import Store
from emulator.devices.attribute_registry import build_model
from emulator.devices.bios import Bios
from emulator.stores.memory import MemoryStore
from emulator.stores.sql import SqlStore

SIZES, QUICK_SIZES = (1_000, 10_000), (1_000,)
STEPS = 4
STEP_SECONDS = 0.01
START = 1_700_000_000.0
JUMP_SECONDS = 86_400.0
ATTRIBUTES = [f"Attribute{number}" for number in range(STEPS)]
COLUMNS = (
    "jobs, one jump",
    "seconds",
    "transitions/s",
    "engine, s",
    "saving, s",
    "store's share",
    "disk / memory",
)
AIM = "aim: 10,000 jobs in at most 2 s, on disk"


class Jump(NamedTuple):
    """One jump: where its time went."""

    engine: float
    saving: float
    transitions: int

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.engine + self.saving


def run(options: Options) -> None:
    """Measure and print."""
    found: dict[tuple[int, str], list[Jump]] = {}
    for number in range(options.rounds):
        for size in QUICK_SIZES if options.quick else SIZES:
            for kind, open_store in _stores(options.folder / f"advance-{number}-{size}").items():
                store = open_store()
                try:
                    found.setdefault((size, kind), []).append(jump(size, store))
                finally:
                    store.close()
    note = f"each job sets {STEPS} attributes of its own device; a transition is a line of a job's history"
    show(COLUMNS, _rows(found), [AIM, note])


def _stores(folder: Path) -> Mapping[str, Callable[[], Store]]:
    return {"disk": lambda: SqlStore(folder / "state.sqlite", made_for="benchmark"), "memory": MemoryStore}


def jump(size: int, store: Store) -> Jump:
    """Let so many jobs run in one jump, and save what became of them."""
    machine = machine_with_jobs(size)
    store.save(machine.id, machine.take_changes())
    before = _transitions(machine)
    gc.collect()
    moments = [time.perf_counter()]
    machine.advance(JUMP_SECONDS)
    moments.append(time.perf_counter())
    store.save(machine.id, machine.take_changes())
    moments.append(time.perf_counter())
    if any(job.state is not State.COMPLETED for job in machine.queue.jobs.values()):
        raise RuntimeError("not all jobs have completed")
    parts = [later - earlier for earlier, later in pairwise(moments)]
    return Jump(*parts, _transitions(machine) - before)


def machine_with_jobs(size: int) -> Machine:
    """A machine on a manual clock with so many devices, a job on each, and its host in a restart."""
    model = build_model(dict.fromkeys(ATTRIBUTES, "before"), None)
    devices = [Bios(f"Device.{number}", model, STEP_SECONDS) for number in range(size)]
    policy = Policy(max_jobs=4 * size)  # finished jobs stay: deleting them is not what is measured
    machine = Machine("1", Clock(lambda: START, rate=0.0), devices, timings=Timings(), policy=policy)
    for device in devices:
        machine.stage_and_create_job(device.id, dict.fromkeys(ATTRIBUTES, "after"), "root")
    machine.reset("ForceRestart")
    return machine


def _transitions(machine: Machine) -> int:
    return sum(len(job.history) for job in machine.queue.jobs.values())


def _rows(found: Mapping[tuple[int, str], Sequence[Jump]]) -> list[Sequence[str]]:
    rows = []
    for (size, kind), jumps in found.items():
        seconds = [jump.seconds for jump in jumps]
        memory = [jump.seconds for jump in found[size, "memory"]]
        rows.append(
            (
                f"{size:,}, {kind}",
                spread(seconds, 3),
                spread([jump.transitions / jump.seconds for jump in jumps]),
                *(spread([jump[part] for jump in jumps], 3) for part in range(2)),
                spread([100 * jump.saving / jump.seconds for jump in jumps]) + " %",
                ratio(seconds, memory),
            )
        )
    return rows
