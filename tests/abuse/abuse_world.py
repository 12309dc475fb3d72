"""A controller to be abused: what can be asked of it, how it is asked byte by byte, and the laws that every answer keeps.

Nothing here runs by itself: no ticker, no transfers, a clock that stands still. So whatever changes was changed by a
request, and a machine as it was delivered is made in no time.
"""

from __future__ import annotations

import io
import re
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

import orjson
from conftest import Bmc

from emulator.app import build_service, live_resources, passive_uris
from emulator.data import schema
from emulator.redfish.view import Resource
from emulator.settings import Settings

BASIC = {user: "Basic " + b64encode(f"{user}:{word}".encode()).decode() for user, word in (("root", "calvin"), ("operator", "operator"), ("readonly", "readonly"))}  # fmt: skip
ANSWER_SECONDS_MAX = 5.0
"""Of work, which does not depend on what else the machine does. What waits for ever is ended by the test run."""
ANSWER_BYTES_MAX = 16 * 2**20
REFUSED = {400, 401, 403, 404, 405, 406, 409, 411, 412, 413, 414, 415, 428, 431, 501, 503}
"""What a request may be refused with. 500 is none of them."""
_PARAMETER = re.compile(r"\{(\w+)\}")


class Request(NamedTuple):
    """One request, as its bytes go over the wire."""

    method: str
    target: str
    """Path and query, percent-encoded; what is not ASCII goes as UTF-8."""
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        body = self.body if self.body is None or len(self.body) < 500 else self.body[:500] + b"..."
        return f"{self.method} {self.target[:500]} {body!r} {[(name, value[:100]) for name, value in self.headers]}"


class Got(NamedTuple):
    """One answer, its headers by lower-case names."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)

    @property
    def message_ids(self) -> list[str]:
        info = self.body["error"].get("@Message.ExtendedInfo", ())
        return [re.sub(r"\.\d+\.\d+\.", ".", entry["MessageId"]) for entry in info]


class Route(NamedTuple):
    """A verb of a resource: where, how, and the name of its body's schema."""

    method: str
    uri: str
    """With `{id}` in it where it has parameters."""
    payload: str | None


@dataclass
class World:
    """A controller of one mockup, and what there is to ask."""

    mockup: str
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = Settings(clock="manual", mockup=self.mockup, **self.more)
        self.service = build_service(settings, real=lambda: 1_700_000_000.0)
        self.bmc = Bmc(self.service)
        self.resources: list[Resource] = live_resources(self.service.site)
        self.passive = passive_uris(self.service.site)
        self.routes = [
            Route(method, resource.uri, verb.payload)
            for resource in self.resources
            for method, verb in resource.verbs.items()
        ]
        self.readable = [resource.uri for resource in self.resources if resource.get is not None]
        self.fresh()

    def fresh(self) -> None:
        """A machine as it was delivered, but that it logs no failed log-ins; nothing is stored."""
        seat = self.service.fleet.seat(1)
        seat.machine, seat.rendered, seat.next_due = None, {}, None
        with seat.turn() as machine:
            machine.accounts.set_rules({"failure_logging_threshold": 0})
        self.service.fleet.store._machines.clear()

    def state(self) -> Any:
        """Everything that a refused request must leave alone: what is in memory and what is in the store.

        That a log-in has failed is counted, and with what is counted goes the time.
        """
        stored = self.service.fleet.store._machines.get("1", {})
        return self.bmc.state(), {key: plain for key, plain in stored.items() if key[0] not in ("login", "clock")}

    def words(self) -> list[str]:
        """What a valid request may say: places, devices, attributes, values."""
        with self.service.fleet.seat(1).turn() as machine:
            described = [(name, found) for device in machine.devices.values() for name, found in device.describe().items()]  # fmt: skip
            names = [name for name, _ in described][::7]
            values = [str(value) for _, found in described for value in getattr(found, "values", ()) or ()][::11]
            return sorted({*machine.devices, *names, *values, *self.readable[::3], *self.passive[::9]})

    def attributes(self) -> dict[str, Any]:
        """Some attributes of some devices, with the values in force."""
        with self.service.fleet.seat(1).turn() as machine:
            found = {name: value for device in machine.devices.values() for name, value in device.read().items()}
        return dict(sorted(found.items(), key=str)[::5])

    def ids(self, uri: str) -> list[str]:
        """What may stand for the last parameter of a URI: the members that its collection has now."""
        folder = uri.rpartition("/{")[0]
        if "{" in folder:
            return []
        members = self.bmc.get(folder).body
        members = members.get("Members", ()) if isinstance(members, dict) else ()
        return [entry["@odata.id"].rpartition("/")[2] for entry in members if isinstance(entry, dict)]

    def ask(self, request: Request) -> Got:
        """Send it, and hold the answer against the laws."""
        before = self.state()
        began = time.thread_time()
        got = send(self.service.wsgi, request)
        took = time.thread_time() - began
        assert took < ANSWER_SECONDS_MAX, (took, request)
        check_answer(request, got)
        if request.method in ("GET", "HEAD", "OPTIONS") or got.status >= 400:
            assert self.state() == before, f"{request} was answered {got.status} and has changed something"
        return got


def payload_schema(name: str) -> Mapping[str, Any]:
    """A body's schema by its name, or by what a `$ref` says; what lies within a file is left to chance."""
    found: Mapping[str, Any] = {} if "#" in name else schema(f"payloads/{name}")
    return found


def filled(uri: str, value: str) -> str:
    """The URI with this value for each of its parameters."""
    return _PARAMETER.sub(lambda _: value, uri)


def send(wsgi: Any, request: Request, peer: str = "127.0.0.1") -> Got:
    """One request as a server hands it over: the path decoded once, header values as Latin-1."""
    path, _, query = request.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.encode().decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": peer,
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(request.body or b""),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers = {"Authorization": BASIC["root"], "Content-Type": "application/json", **dict(request.headers)}
    if request.body is not None:
        headers.setdefault("Content-Length", str(len(request.body)))
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    answered: list[Any] = []
    parts = wsgi(environ, lambda status, headers, _=None: answered.extend((status, headers)))
    content = b"".join(parts)
    return Got(int(answered[0].split()[0]), {name.lower(): value for name, value in answered[1]}, content)


def check_answer(request: Request, got: Got) -> None:
    """The laws of every answer: no 5xx but what is documented, no line breaks in headers, errors as DSP0266 has them."""
    assert got.status < 400 or got.status in REFUSED, f"{request}: {got.status} {got.content[:500]!r}"
    assert len(got.content) <= ANSWER_BYTES_MAX, (len(got.content), request)
    for name, value in got.headers.items():
        assert not re.search(r"[\r\n\0]", name + value), f"{request}: {name}: {value!r}"
    if got.status < 400:
        return
    if got.status == 401:
        assert "www-authenticate" in got.headers, request
    if got.status == 405:
        assert "allow" in got.headers, request
    if request.method != "HEAD":
        assert got.headers["content-type"] == "application/json", request
        check_error(request, got.body)


def check_error(request: Request, body: Any) -> None:
    """DSP0266, "Error responses": `error` with a code, a sentence, and messages that are complete."""
    error = body["error"]
    assert isinstance(error["message"], str), request
    if not re.match(r"/redfish(/|$)", unquote(request.target.partition("?")[0])):
        return
    assert isinstance(error["code"], str), request
    assert error["@Message.ExtendedInfo"], request
    for entry in error["@Message.ExtendedInfo"]:
        assert re.fullmatch(r"\w+\.\d+\.\d+\.\w+", entry["MessageId"]), (request, entry)
        assert all(isinstance(argument, str) for argument in entry["MessageArgs"]), (request, entry)
        assert all(isinstance(path, str) for path in entry.get("RelatedProperties", ())), (request, entry)
        assert len(entry["Message"]) < 10_000, (request, len(entry["Message"]))


def all_targets(world: World) -> Iterator[str]:
    """Every place that can be read without parameters."""
    yield from (uri for uri in world.readable if "{" not in uri)
    yield from world.passive
