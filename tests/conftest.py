"""What all tests share: a controller to talk to, in process or over a TLS socket, and the verbs to do it with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from storage_world import PLACES, Storage, storage_of
from web_share import Share, shared
from werkzeug.test import Client

from emulator import app
from emulator.app import DEVICE_KINDS, Service, build_service
from emulator.core import keeping
from emulator.core.ring import CHUNK
from emulator.data import mockup_names
from emulator.redfish.device_kind import DeviceKinds
from emulator.settings import Settings

REPOSITORY = Path(__file__).resolve().parent.parent
TLS_CONTROLLERS = 100
CONTROLLERS = 1000

# requests lets these override what a client asks of a certificate
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
    os.environ.pop(name, None)


def capture(name: str) -> Path:
    """A mockup captured elsewhere, which is not part of this project; skips the test where it is not at hand."""
    folder = Path(os.environ.get("JOBFISH_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    found = folder / "mockups" / name
    if not found.exists():
        pytest.skip(f"{name} is not at hand: set JOBFISH_TEST_DATA to the folder that holds mockups/{name}")
    return found


@pytest.fixture(scope="session", autouse=True)
def sites_are_read_once() -> Iterator[None]:
    """What is bundled or captured does not change while tests run, and a site is the same for all that serve it."""
    read, kept = app.read_site, {}

    def read_once(mockup: str, kinds: DeviceKinds = DEVICE_KINDS) -> Any:
        if kinds is not DEVICE_KINDS or not (mockup in mockup_names() or mockup.endswith(".tar.xz")):
            return read(mockup, kinds)
        if mockup not in kept:
            kept[mockup] = read(mockup)
        return kept[mockup]

    app.read_site = read_once
    yield
    app.read_site = read


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def info(self) -> list[dict[str, Any]]:
        """The messages, of an error or of a success."""
        holder = self.body.get("error", self.body) if isinstance(self.body, dict) else {}
        return list(holder.get("@Message.ExtendedInfo", ()))

    @property
    def message_ids(self) -> list[str]:
        """Their ids without the versions: "IDRAC.SYS011"."""
        return [re.sub(r"\.\d+\.\d+\.", ".", entry["MessageId"]) for entry in self.info]

    @property
    def untagged(self) -> dict[str, Any]:
        """The body without its ETag."""
        return {name: value for name, value in self.body.items() if name != "@odata.etag"}

    @property
    def related(self) -> set[str]:
        """All RelatedProperties."""
        return {path for entry in self.info for path in entry.get("RelatedProperties", ())}


class Bmc:
    """A controller in this process, with a clock that stands still until it is told to move."""

    def __init__(self, service: Service, user: tuple[str, str] = ("root", "calvin"), host: str = "127.0.0.1") -> None:
        self.service = service
        self.user: tuple[str, str] | None = user
        self.host = host
        self._client = Client(service.wsgi)
        bios = service.site.bioses[0]
        self.system = service.site.systems[0]
        self.manager = service.site.managers[0]
        self.bios, self.settings, self.target = bios.uri, bios.settings_uri, bios.device_id
        self.jobs = f"{self.manager}/Oem/Dell/Jobs"
        self.job_service = f"{self.manager}/Oem/Dell/DellJobService"

    def call(self, method: str, uri: str, body: Any = None, **options: Any) -> Answer:
        """One request. `body` is JSON, or bytes as they are."""
        headers = dict(options.pop("headers", {}))
        if isinstance(body, bytes):
            options["data"] = body
            headers.setdefault("Content-Type", "application/json")
        elif body is not None:
            options["json"] = body
        if self.user and "Authorization" not in headers and "X-Auth-Token" not in headers:
            options["auth"] = self.user
        got = self._client.open(
            uri,
            method=method,
            headers={"Host": self.host, **headers},
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
            **options,
        )
        is_json = "json" in (got.content_type or "") and got.data
        return Answer(got.status_code, got.headers, orjson.loads(got.data) if is_json else got.text)

    def get(self, uri: str, **options: Any) -> Answer:
        return self.call("GET", uri, **options)

    def post(self, uri: str, body: Any = None, **options: Any) -> Answer:
        return self.call("POST", uri, body, **options)

    def patch(self, uri: str, body: Any, **options: Any) -> Answer:
        return self.call("PATCH", uri, body, **options)

    def delete(self, uri: str, **options: Any) -> Answer:
        return self.call("DELETE", uri, **options)

    # domain verbs

    def patch_bios(self, **attributes: Any) -> Answer:
        return self.patch(self.settings, {"Attributes": attributes})

    def create_job(self, **more: Any) -> str:
        """Make a configuration job for what is staged; gives its id."""
        answer = self.post(self.jobs, {"TargetSettingsURI": self.settings, **more})
        assert answer.status == 200, answer.body
        return answer.headers["Location"].rpartition("/")[2]

    def create_reboot_job(self, kind: str = "PowerCycle") -> str:
        answer = self.act("CreateRebootJob", RebootJobType=kind)
        assert answer.status == 202, answer.body
        return answer.headers["Location"].rpartition("/")[2]

    def act(self, action: str, **parameters: Any) -> Answer:
        """An action of DellJobService."""
        return self.post(f"{self.job_service}/Actions/DellJobService.{action}", parameters)

    def reset(self, kind: str = "ForceRestart") -> Answer:
        return self.post(f"{self.system}/Actions/ComputerSystem.Reset", {"ResetType": kind})

    def advance(self, seconds: float) -> None:
        assert self.post("/jobfish/v1/clock", {"advance": seconds}).status == 200

    def fail(self, step: str, **more: Any) -> None:
        assert self.post("/jobfish/v1/faults", {"target": self.target, "step": step, **more}).status == 201

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as a DellJob."""
        return dict(self.get(f"{self.jobs}/{job_id}").body)

    def attributes(self) -> dict[str, Any]:
        return dict(self.get(self.bios).body["Attributes"])

    def pending(self) -> dict[str, Any]:
        return dict(self.get(self.settings).body["Attributes"])

    def state(self) -> dict[str, Any]:
        """Everything that a refused request must leave alone, as a store would keep it."""
        with self.service.fleet.seat_for(self.host).turn() as machine:
            kinds = {
                "host": ["host"],
                "power": ["power"],
                "controller": ["controller"],
                "system": ["system"],
                "interface": list(machine.set_up.interfaces),
                "overlay": list(machine.set_up.overlay.uris),
                "network_services": ["manager"],
                "chassis": list(machine.set_up.chassis),
                "power_limit": list(machine.set_up.power_limits),
                "media": list(machine.set_up.media),
                "counters": ["queue", "faults", "log", "events", "subscriptions"],
                "subscription": [found.id for found in machine.subscriptions],
                "log": sorted({entry.number // CHUNK for entry in machine.log}),
                "job": list(machine.queue.jobs),
                "transfer": list(machine.transfers),
                "options": ["update"],
                "repository": ["repository"],
                "wall": ["clock"],
                "diagnostics": ["result"],
                "cleared": list(machine.cleared_logs),
                "pending": list(machine.pending),
                "device": list(machine.devices),
                "result": list(machine.results),
                "fault": [rule.id for rule in machine.faults],
                "session": list(machine.sessions),
                "account": list(machine.accounts),
                "role": list(machine.accounts.roles),
                "rules": ["accounts", "sessions"],
                "due": [f"{entry.what}:{entry.about}" for entry in machine.timeline],
            }
            return {
                f"{kind}/{key}": orjson.dumps(keeping.plain_of(machine, kind, str(key)))
                for kind, keys in kinds.items()
                for key in keys
            }


@pytest.fixture
def make_bmc() -> Iterator[Callable[..., Bmc]]:
    """Makes controllers in this process: make_bmc(mockup=..., state=..., kinds=..., fail=(...))."""
    services: list[Service] = []

    def make(*, state: Path | None = None, kinds: DeviceKinds = DEVICE_KINDS, **settings: Any) -> Bmc:
        service = build_service(Settings(**{"clock": "manual", **settings}), state_folder=state, kinds=kinds)
        service.start()
        services.append(service)
        return Bmc(service)

    yield make
    for service in services:
        service.stop()


@pytest.fixture(scope="session")
def fresh_bmc() -> Iterator[Callable[..., Bmc]]:
    """fresh_bmc(mockup) is a controller that nobody has touched; all of a mockup share one service.

    For tests that make no demands on the service itself: a new one costs more than most tests do.
    """
    services: dict[str, Service] = {}
    numbers: dict[str, Iterator[int]] = {}

    def next_one(mockup: str = "lifecycle-server") -> Bmc:
        if mockup not in services:
            path = str(capture(mockup)) if "." in mockup else mockup
            services[mockup] = build_service(Settings(clock="manual", mockup=path, controllers=CONTROLLERS))
            services[mockup].start()
            numbers[mockup] = count(1)
        high, low = divmod(next(numbers[mockup]), 256)
        return Bmc(services[mockup], host=f"127.0.{high}.{low}")

    yield next_one
    for service in services.values():
        service.stop()


@pytest.fixture
def bmc(make_bmc: Callable[..., Bmc]) -> Bmc:
    """A lifecycle controller in this process."""
    return make_bmc()


@pytest.fixture
def rack(make_bmc: Callable[..., Bmc]) -> Bmc:
    """A plain DMTF service in this process."""
    return make_bmc(mockup="rack-server")


@pytest.fixture(params=["bundled", "captured"])
def any_bmc(request: pytest.FixtureRequest, make_bmc: Callable[..., Bmc]) -> Bmc:
    """A lifecycle controller in this process, bundled or captured."""
    return make_bmc() if request.param == "bundled" else make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))


@pytest.fixture(params=list(PLACES))
def raid(request: pytest.FixtureRequest, make_bmc: Callable[..., Bmc]) -> Storage:
    """The storage controller of both bundled mockups, one after the other."""
    return storage_of(make_bmc(mockup=request.param), request.param)


@pytest.fixture
def perc(make_bmc: Callable[..., Bmc]) -> Storage:
    """The storage controller of the lifecycle server."""
    return storage_of(make_bmc(), "lifecycle-server")


@pytest.fixture
def plain(make_bmc: Callable[..., Bmc]) -> Storage:
    """The storage controller of the rack server."""
    return storage_of(make_bmc(mockup="rack-server"), "rack-server")


@pytest.fixture
def web() -> Iterator[Share]:
    """A share on 127.0.0.1."""
    with shared() as share:
        yield share


class Process:
    """A running `jobfish serve`."""

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.banner = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.banner += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"serving +(https?)://([^:/]+):(\d+)", self.banner)
        assert found, f"no banner: {self.banner}"
        self.scheme, self.port = found[1], int(found[3])
        self.url = f"{found[1]}://127.0.0.1:{found[3]}"

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=20)

    def kill(self) -> None:
        """As the power cable would."""
        self.process.kill()
        self.process.wait(timeout=20)


@pytest.fixture
def serve() -> Iterator[Callable[..., Process]]:
    """Starts `jobfish serve` with these arguments, and stops it after the test."""
    running: list[Process] = []

    def start(*arguments: str, **options: Any) -> Process:
        running.append(Process(*arguments, **options))
        return running[-1]

    yield start
    for process in running:
        if process.process.poll() is None:
            process.stop()


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[[str], str]]:
    """served(mockup) is the https URL of a controller of its own, whose clock stands still.

    One process for each mockup serves many controllers; every test gets the next one. Where only 127.0.0.1 is
    loopback (macOS), every test gets a process.
    """
    processes: dict[str, Process] = {}
    numbers: dict[str, Iterator[int]] = {}
    extra: list[Process] = []

    def url(mockup: str = "lifecycle-server") -> str:
        arguments = ("--mockup", mockup, "--state", "memory", "--clock", "manual")
        if sys.platform != "linux":
            extra.append(Process(*arguments))
            return extra[-1].url
        if mockup not in processes:
            processes[mockup] = Process(*arguments, "--controllers", str(TLS_CONTROLLERS))
            numbers[mockup] = count(2)
        return f"https://127.0.0.{next(numbers[mockup])}:{processes[mockup].port}"

    yield url
    for process in (*processes.values(), *extra):
        process.stop()
