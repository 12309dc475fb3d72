"""durable: job creations a second that are on disk before they are answered, against the same without a disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.support.hardware import as_client, where
from benchmarks.support.load import AUTHORIZATION, Request, connect, load
from benchmarks.support.options import Options
from benchmarks.support.servers import Server, emulator
from benchmarks.support.table import ratio, show, spread
from emulator.data import data_folder

SERVICE = "/redfish/v1/Managers/iDRAC.Embedded.1/Oem/Dell/DellJobService"
CREATE = f"{SERVICE}/Actions/DellJobService.CreateRebootJob"
BODY = '{"RebootJobType": "PowerCycle"}'
CONTROLLERS = 64
HOSTS = {
    "one controller": ("127.0.0.1",),
    f"{CONTROLLERS} controllers": tuple(f"127.0.0.{number}" for number in range(1, CONTROLLERS + 1)),
}
CONNECTIONS = (1, 16)
SECONDS = 1
BLOCK = 4096
COLUMNS = ("POST CreateRebootJob", "connections", "202s/s, disk", "202s/s, memory", "disk / memory", "/ fdatasync")

Found = dict[tuple[str, int, str], list[float]]


def run(options: Options) -> None:
    """Measure and print."""
    found: Found = {}
    syncs: list[float] = []
    folder = options.folder / "durable"
    with ExitStack() as stack:
        stack.enter_context(as_client())
        common = ("--http", "--controllers", str(CONTROLLERS), "--mockup", str(_roomy_mockup(folder)))
        servers = {
            "disk": stack.enter_context(emulator(*common, "--state", str(folder / "state"))),
            "memory": stack.enter_context(emulator(*common, "--state", "memory")),
        }
        for _ in range(options.rounds):
            _round(servers, found, syncs, folder / "block")
    raw = f"fdatasync of {BLOCK // 1024} KiB in the same folder, one after the other: {spread(syncs)}/s"
    show(COLUMNS, _rows(found, syncs), [raw, f"plain HTTP, keep-alive; {where()}"])


def _roomy_mockup(folder: Path) -> Path:
    """The bundled mockup with room for as many jobs as a controller can be given."""
    place = folder / "mockup"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", place)
    manifest = place / "machine.toml"
    manifest.write_text(re.sub(r"max_jobs = \d+", "max_jobs = 1000000", manifest.read_text()))
    return place


def _fdatasyncs(path: Path) -> float:
    """How often a second a block in a file can be written over and made durable."""
    sync = getattr(os, "fdatasync", os.fsync)
    count = 0
    with path.open("wb", buffering=0) as file:
        began = time.perf_counter()
        while (took := time.perf_counter() - began) < SECONDS / 4:
            file.seek(0)
            file.write(os.urandom(BLOCK))
            sync(file.fileno())
            count += 1
    return count / took


def _round(servers: Mapping[str, Server], found: Found, syncs: list[float], block: Path) -> None:
    for fleet, hosts in HOSTS.items():
        for connections in CONNECTIONS:
            syncs.append(_fdatasyncs(block))
            for kind, server in servers.items():
                rate = _creations(server, Request(CREATE, "POST", BODY, hosts), connections)
                found.setdefault((fleet, connections, kind), []).append(rate)


def _creations(server: Server, request: Request, connections: int) -> float:
    """Jobs made a second; what the clients counted must be there."""
    before = _jobs(server, request.hosts)
    measured = load(server, request, connections, SECONDS)
    made = _jobs(server, request.hosts) - before
    if not 0 <= made - measured.answers <= connections:
        raise RuntimeError(f"{measured.answers} times 202, but {made} jobs")
    return measured.rate


def _jobs(server: Server, hosts: Sequence[str]) -> int:
    connection = connect(server)
    total = 0
    for host in hosts:
        connection.request("GET", SERVICE, headers={"Authorization": AUTHORIZATION, "Host": f"{host}:{server.port}"})
        total += json.loads(connection.getresponse().read())["CurrentNumberOfJobs"]
    connection.close()
    return total


def _rows(found: Found, syncs: Sequence[float]) -> list[Sequence[str]]:
    rows = []
    for fleet in HOSTS:
        for connections in CONNECTIONS:
            disk, memory = (found[fleet, connections, kind] for kind in ("disk", "memory"))
            ratios = ratio(disk, memory), ratio(disk, syncs)
            rows.append((fleet, str(connections), spread(disk), spread(memory), *ratios))
    return rows
