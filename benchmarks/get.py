"""get: GETs a second and server CPU time for each GET, against a bare Flask application and a bare WSGI function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from benchmarks.support.hardware import as_client, where
from benchmarks.support.load import Measured, Request, has_wrk, load
from benchmarks.support.options import Options
from benchmarks.support.servers import Server, emulator, reference
from benchmarks.support.table import ratio, show, spread

ROOT = Request("/redfish/v1/")
SYSTEM = Request("/redfish/v1/Systems/System.Embedded.1")
SYSTEM_BY_FLASK = Request(SYSTEM.path, extra=(("If-None-Match", '"of another day"'),))
"""A conditional read is not answered in front of Flask; the whole document comes, for the tag is not its own."""
LOADS = (
    ("raw WSGI", "raw", SYSTEM, (1, 16)),
    ("bare Flask", "flask", SYSTEM, (1, 16)),
    ("ServiceRoot", "http", ROOT, (1, 16)),
    ("ComputerSystem", "http", SYSTEM, (1, 16)),
    ("ComputerSystem, by Flask", "http", SYSTEM_BY_FLASK, (1, 16)),
    ("ServiceRoot, HTTPS", "https", ROOT, (16,)),
    ("ComputerSystem, HTTPS", "https", SYSTEM, (16,)),
)
COLUMNS = ("GET", "connections", "GETs/s", "CPU us/GET", "CPU / bare Flask", "CPU / raw WSGI")
AIM = "aim: 12,000 GETs/s through Flask on one core"
SECONDS = 1

Found = dict[tuple[str, int], list[Measured]]


def run(options: Options) -> None:
    """Measure and print."""
    found: Found = {}
    with ExitStack() as stack:
        stack.enter_context(as_client())
        servers = {
            "raw": stack.enter_context(reference("raw")),
            "flask": stack.enter_context(reference("flask")),
            "http": stack.enter_context(emulator("--state", "memory", "--http")),
            "https": stack.enter_context(emulator("--state", "memory")),
        }
        for _ in range(options.rounds):
            _round(servers, found)
    client = "wrk" if has_wrk() else "http.client, which limits the rate: mind the CPU time"
    show(COLUMNS, _rows(found), [AIM, f"keep-alive, Basic authentication; {where()}; client: {client}"])


def _round(servers: Mapping[str, Server], found: Found) -> None:
    for name, server, request, all_connections in LOADS:
        for connections in all_connections:
            measured = load(servers[server], request, connections, SECONDS)
            found.setdefault((name, connections), []).append(measured)


def _rows(found: Found) -> list[Sequence[str]]:
    rows = []
    for (name, connections), measured in found.items():
        cpu = _cpu(measured)
        flask, raw = (_cpu(found[other, connections]) for other in ("bare Flask", "raw WSGI"))
        rates = [one.rate for one in measured]
        rows.append((name, str(connections), spread(rates), spread(cpu, 1), ratio(cpu, flask), ratio(cpu, raw)))
    return rows


def _cpu(measured: Sequence[Measured]) -> list[float]:
    return [one.cpu_microseconds for one in measured if one.cpu_microseconds is not None]
