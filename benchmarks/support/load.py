"""Load on a server: wrk where it is installed, else threads with http.client."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from benchmarks.support.servers import Server

AUTHORIZATION = "Basic " + base64.b64encode(b"root:calvin").decode()
"""The administrator of the bundled mockups."""
TIMEOUT_SECONDS = 30.0
_LUA = """
local hosts = { %s }
local method, path, body = %s, %s, %s
local headers = { %s }
local made, turn = {}, 0
function init(args)
  for number, host in ipairs(hosts) do
    headers["Host"] = host
    made[number] = wrk.format(method, path, headers, body)
  end
end
function request()
  turn = turn %% #made + 1
  return made[turn]
end
function done(summary, latency, requests)
  local errors = summary.errors
  local bad = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("RESULT %%d %%d %%d\\n", summary.requests, summary.duration, bad))
end
"""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent again and again, to one controller after the other."""

    path: str
    method: str = "GET"
    body: str = ""
    hosts: Sequence[str] = ("127.0.0.1",)
    """The controllers' addresses: all connections go to 127.0.0.1, and the Host header tells which one is meant."""
    extra: tuple[tuple[str, str], ...] = ()
    """Further headers."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers, but for Host."""
        return {"Authorization": AUTHORIZATION, "Content-Type": "application/json", **dict(self.extra)}


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of one load."""

    answers: int
    seconds: float
    cpu_seconds: float | None

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    @property
    def cpu_microseconds(self) -> float | None:
        """The server's CPU time for each answer."""
        return None if self.cpu_seconds is None else self.cpu_seconds / self.answers * 1e6


def has_wrk() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def load(server: Server, request: Request, connections: int, seconds: int) -> Measured:
    """Send a request over so many keep-alive connections for so long.

    Raises:
        RuntimeError: an answer was not a good one.
    """
    before = server.cpu_seconds()
    run = _wrk if has_wrk() else _threads
    answers, took, bad = run(server, request, connections, seconds)
    after = server.cpu_seconds()
    if bad or not answers:
        raise RuntimeError(f"{request.method} {request.path}: {bad} of {answers} answers were no good ones")
    return Measured(answers, took, None if before is None or after is None else after - before)


def touch(server: Server, request: Request, connections: int = 4) -> float:
    """Send a request once to each of its hosts; returns the seconds it took.

    Raises:
        RuntimeError: an answer was not a good one.
    """
    left = iter(request.hosts)
    lock = threading.Lock()

    def work(_: int) -> None:
        client = Client(server, request)
        while batch := _next(left, lock):
            for host in batch:
                if not client.send(host):
                    raise RuntimeError(f"{request.method} {request.path} at {host} did not go well")

    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(work, range(connections)))
    return time.perf_counter() - began


def _next(left: Iterator[str], lock: threading.Lock) -> list[str]:
    with lock:
        return list(islice(left, 32))


class Client:
    """One keep-alive connection."""

    def __init__(self, server: Server, request: Request) -> None:
        self._connection = connect(server)
        self._request = request
        self._port = server.port

    def send(self, host: str) -> bool:
        """Send the request to one controller; True if the answer is a good one."""
        headers = {**self._request.headers, "Host": f"{host}:{self._port}"}
        self._connection.request(self._request.method, self._request.path, self._request.body or None, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status < 400


def connect(server: Server) -> http.client.HTTPConnection:
    """A connection to a server of ours, whose certificate nobody needs to know."""
    if server.scheme == "http":
        return http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
    context = ssl._create_unverified_context()
    return http.client.HTTPSConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS, context=context)


def _wrk(server: Server, request: Request, connections: int, seconds: int) -> tuple[int, float, int]:
    """(answers, seconds, bad ones), by wrk."""
    with tempfile.TemporaryDirectory(prefix="jobfish-wrk-") as folder:
        script = Path(folder, "load.lua")
        hosts = ", ".join(json.dumps(f"{host}:{server.port}") for host in request.hosts)
        headers = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items())
        body = json.dumps(request.body) if request.body else "nil"
        script.write_text(_LUA % (hosts, json.dumps(request.method), json.dumps(request.path), body, headers))
        address = f"{server.scheme}://127.0.0.1:{server.port}/"
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script), address]
        output = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + TIMEOUT_SECONDS
        ).stdout
    result = next((line.split()[1:] for line in output.splitlines() if line.startswith("RESULT")), None)
    if result is None:
        raise RuntimeError(f"wrk did not report: {output}")
    return int(result[0]), int(result[1]) / 1e6, int(result[2])


def _threads(server: Server, request: Request, connections: int, seconds: int) -> tuple[int, float, int]:
    """(answers, seconds, bad ones), by threads of this process."""
    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        clients = [Client(server, request) for _ in range(connections)]
        counts = list(pool.map(lambda client: _repeat(client, request.hosts, began + seconds), clients))
    took = time.perf_counter() - began
    return sum(good + bad for good, bad in counts), took, sum(bad for _, bad in counts)


def _repeat(client: Client, hosts: Sequence[str], until: float) -> tuple[int, int]:
    good = bad = 0
    for host in cycle(hosts):
        if time.perf_counter() >= until:
            break
        if client.send(host):
            good += 1
        else:
            bad += 1
    return good, bad
