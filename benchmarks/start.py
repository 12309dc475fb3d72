"""start: seconds from the start of the process to the first 200 on the service root."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.support.load import connect
from benchmarks.support.options import Options
from benchmarks.support.servers import Server, emulator
from benchmarks.support.table import ratio, show, spread

AIM = "aim: the first 200 within 0.5 s"
GIVE_UP_SECONDS = 30.0
COLUMNS = ("start", "seconds", "/ import flask")


def run(options: Options) -> None:
    """Measure and print."""
    _first_ok("--state", "memory", "--http")  # compiles what was never compiled
    found: dict[str, list[float]] = {}
    for number in range(options.rounds):
        for name, seconds in _round(options.folder / f"start-{number}").items():
            found.setdefault(name, []).append(seconds)
    reference = found["python -c 'import flask'"]
    show(COLUMNS, [(name, spread(seconds, 3), ratio(seconds, reference)) for name, seconds in found.items()], [AIM])


def _round(folder: Path) -> Mapping[str, float]:
    on_disk = ("--state", str(folder))
    found = {
        "python -c 'import flask'": _import_flask(),
        "HTTP, state in memory": _first_ok("--state", "memory", "--http"),
        "HTTPS, state in memory": _first_ok("--state", "memory"),
        "HTTPS, cold state folder": _first_ok(*on_disk),
        "HTTPS, warm state folder": _first_ok(*on_disk),
        "HTTP, warm state folder": _first_ok(*on_disk, "--http"),
    }
    shutil.rmtree(folder)
    return found


def _import_flask() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import flask"], check=True)
    return time.perf_counter() - began


def _first_ok(*options: str) -> float:
    began = time.perf_counter()
    with emulator(*options, pinned=False) as server:
        while not _is_ok(server):
            if time.perf_counter() - began > GIVE_UP_SECONDS:
                raise RuntimeError("no 200 on the service root")
            time.sleep(0.001)
        return time.perf_counter() - began


def _is_ok(server: Server) -> bool:
    connection = connect(server)
    try:
        connection.request("GET", "/redfish/v1/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
