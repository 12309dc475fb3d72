"""Limits: each is a setting, is written down, and answers in the words of DSP0266 or closes the connection."""

from __future__ import annotations

import re
import threading

import pytest
from abuse_world import Request, World, send
from conftest import REPOSITORY, capture

from emulator.runtime.body import Bodies, BodiesBusyError
from emulator.runtime.limits import LIMITS, Limits

SMALL = ("body-bytes=2000", "image-bytes=1048576", "uri-bytes=300", "expand-levels=2", "expand-resources=15")


@pytest.fixture(scope="module")
def small() -> World:
    """A controller whose limits are small."""
    return World("lifecycle-server", {"limit": SMALL})


def test_every_limit_is_written_down() -> None:
    text = (REPOSITORY / "docs/limits.md").read_text().partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| (\d+) \| ([\w ]+) \| (.+) \|$", text, re.MULTILINE)
    assert rows == [(limit.name, str(limit.default), limit.answer, limit.help) for limit in LIMITS]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nope=1", "--limit nope=1: there are body-bytes, "),
        ("body-bytes", "--limit body-bytes: a whole number, at least 1024"),
        ("body-bytes=x", "--limit body-bytes=x: a whole number, at least 1024"),
        ("body-bytes=1", "--limit body-bytes=1: a whole number, at least 1024"),
        ("body-bytes=-5", "--limit body-bytes=-5: a whole number, at least 1024"),
        ("body-bytes=" + "9" * 5000, "a whole number, at least 1024"),
        ("bodies=64", "--limit bodies=64: has to be less than threads, which is 64"),
    ],
)
def test_a_limit_that_is_none_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        Limits.of([text])


def test_what_is_not_said_has_its_default() -> None:
    assert Limits.of(["body-bytes=65536"]) == Limits(body_bytes=65536)


SETTINGS = "/redfish/v1/Systems/System.Embedded.1/Bios/Settings"
PUSH = "/redfish/v1/UpdateService/MultipartUpload"
ROOT = "/redfish/v1"
BEYOND = [
    # situation, request, status, message
    ("a body", Request("PATCH", SETTINGS, b'{"Attributes": {"AssetTag": "' + b"x" * 2000 + b'"}}'), 413, "Base.PayloadTooLarge"),
    ("a body that is announced", Request("PATCH", SETTINGS, b"{}", (("Content-Length", "99999999999"),)), 413, "Base.PayloadTooLarge"),
    ("a body of a log-in", Request("POST", f"{ROOT}/SessionService/Sessions", b"{" + b" " * 2000 + b"}"), 413, "Base.PayloadTooLarge"),
    ("a package", Request("POST", PUSH, b"x" * 1_100_000, (("Content-Type", "multipart/form-data; boundary=x"),)), 413, "Base.PayloadTooLarge"),
    ("a path", Request("GET", ROOT + "/x" * 200), 414, "Jobfish.UriTooLong"),
    ("a query", Request("GET", f"{ROOT}/Systems?$select=" + "a," * 200), 414, "Jobfish.UriTooLong"),
    ("a query of a request that writes", Request("PATCH", f"{SETTINGS}?" + "a=1&" * 200, b'{"Attributes": {"NumLock": "Off"}}'), 414, "Jobfish.UriTooLong"),
    ("a path, of a stranger", Request("GET", ROOT + "/x" * 200, None, (("Authorization", ""),)), 414, "Jobfish.UriTooLong"),
    ("headers", Request("GET", f"{ROOT}?only", None, (("X-Long", "x" * 70_000),)), 431, "Jobfish.HeadersTooLarge"),
    ("headers of a request that writes", Request("PATCH", SETTINGS, b'{"Attributes": {"NumLock": "Off"}}', (("X-Long", "x" * 70_000),)), 431, "Jobfish.HeadersTooLarge"),
    ("an expansion", Request("GET", f"{ROOT}?$expand=*($levels=2)"), 400, "Jobfish.ExpansionTooLarge"),
    ("JSON nested 101 deep", Request("PATCH", SETTINGS, b'{"a":' * 101 + b"1" + b"}" * 101), 400, "Base.MalformedJSON"),
]  # fmt: skip


@pytest.mark.parametrize("row", BEYOND, ids=[row[0] for row in BEYOND])
def test_what_is_beyond_a_limit_is_refused(small: World, row: tuple[str, Request, int, str]) -> None:
    _, request, status, message = row
    small.fresh()
    got = small.ask(request)
    assert (got.status, got.message_ids[-1]) == (status, message)


WITHIN = [
    ("a body", Request("PATCH", SETTINGS, b'{"Attributes": {"AssetTag": "x"}}' + b" " * 1900), 200),
    ("a query", Request("GET", f"{ROOT}/Systems?$select=a" + ",a" * 119), 200),
    ("an expansion", Request("GET", f"{ROOT}?$expand=*($levels=1)"), 200),
    (
        "JSON nested 100 deep",
        Request("PATCH", SETTINGS, b'{"Attributes":{"AssetTag":' + b"[" * 98 + b"]" * 98 + b"}}"),
        400,
    ),
]


@pytest.mark.parametrize("row", WITHIN, ids=[row[0] for row in WITHIN])
def test_what_is_within_is_not(small: World, row: tuple[str, Request, int]) -> None:
    _, request, status = row
    small.fresh()
    got = small.ask(request)
    assert got.status == status
    assert status == 200 or got.message_ids[-1] == "Base.PropertyValueTypeError"


def test_the_limits_are_told_where_redfish_has_a_place_for_them(small: World) -> None:
    assert small.ask(Request("GET", ROOT)).body["ProtocolFeaturesSupported"]["ExpandQuery"]["MaxLevels"] == 2
    assert small.ask(Request("GET", f"{ROOT}/UpdateService")).body["MaxImageSizeBytes"] == 1_048_576


def test_the_control_face_has_the_same_limit(small: World) -> None:
    got = small.ask(Request("POST", "/jobfish/v1/clock", b'{"advance":' + b" " * 2000 + b"0}"))
    assert got.status == 413


def test_answers_that_are_kept_stay_within_a_bound(small: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same can be asked in any number of spellings."""
    monkeypatch.setattr("emulator.redfish.face.KEPT_BYTES_MAX", 50_000)
    monkeypatch.setattr("emulator.redfish.face.LARGE_BYTES", 1_000)
    seat = small.service.fleet.seat(1)
    for number in range(100):
        small.ask(Request("GET", f"{ROOT}/Managers?$expand=*&n={number}"))
        kept = sum(len(entry.rendered.body) for entry in seat.rendered.values())
        assert kept < 100_000
    assert seat.rendered


@pytest.mark.parametrize("length", ["40", "99"])
def test_a_body_that_breaks_off_is_none(small: World, length: str) -> None:
    """An action with optional parameters takes no body for {}: what is cut off must not be taken for no body."""
    small.fresh()
    action = "/redfish/v1/Managers/iDRAC.Embedded.1/Actions/Manager.Reset"
    for body in (b"", b'{"ResetType": "GracefulRestart"}'):
        got = small.ask(Request("POST", action, body, (("Content-Length", length),)))
        assert (got.status, got.message_ids) == (400, ["Base.UnrecognizedRequestBody"])
    got = small.ask(Request("POST", action, b"", (("Transfer-Encoding", "chunked"), ("Content-Length", ""))))
    assert (got.status, got.message_ids) == (400, ["Base.UnrecognizedRequestBody"])


class Slow:
    """The body of a client that sends nothing until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = threading.Semaphore(0)

    def read(self, size: int = -1) -> bytes:
        self.asked.release()
        assert self.let_go.wait(20)
        return b""


def test_only_so_many_bodies_are_waited_for() -> None:
    """The threads that are left work on what needs no waiting."""
    slow, refused = Slow(), []

    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except BodiesBusyError as error:
            refused.append(error)
        except Exception:  # noqa: BLE001 - cut short
            pass
        return []

    bodies = Bodies(application, Limits(bodies=3))
    environ = {"CONTENT_LENGTH": "5", "REMOTE_ADDR": "127.0.0.1", "wsgi.input": slow}
    threads = [threading.Thread(target=bodies, args=(dict(environ), None)) for _ in range(3)]
    for thread in threads:
        thread.start()
        assert slow.asked.acquire(timeout=20)
    assert not refused
    bodies(dict(environ), None)
    assert len(refused) == 1
    slow.let_go.set()
    for thread in threads:
        thread.join()
    bodies(dict(environ), None)
    assert len(refused) == 1


def test_whoever_comes_when_too_many_are_waited_for_is_told_to_come_again(small: World) -> None:
    class Busy:
        def read(self, size: int = -1) -> bytes:
            raise BodiesBusyError

    request = Request("PATCH", SETTINGS, b"{}")
    wsgi = small.service.bodies

    def with_busy_body(environ, start_response):
        return wsgi({**environ, "wsgi.input": Busy()}, start_response)

    before = small.state()
    got = send(with_busy_body, request)
    assert (got.status, got.headers["retry-after"]) == (503, "5")
    assert got.message_ids == ["Base.ServiceTemporarilyUnavailable"]
    assert small.state() == before


def test_the_watch_closes_the_connections_of_whoever_takes_too_long() -> None:
    slow, closed = Slow(), []

    def close(port: int, peer: str, seconds: float) -> None:
        closed.append((port, peer, seconds))
        slow.let_go.set()

    def application(environ, start_response):
        with pytest.raises(Exception, match=r"^$"):
            environ["wsgi.input"].read()
        return []

    bodies = Bodies(application, Limits(body_seconds=0), close)
    bodies._seconds = 0.05
    bodies.start()
    bodies({"CONTENT_LENGTH": "5", "REMOTE_ADDR": "127.0.0.9", "SERVER_PORT": "8443", "wsgi.input": slow}, None)
    bodies.stop()
    assert set(closed) == {(8443, "127.0.0.9", 0.05)}


@pytest.mark.slow
@pytest.mark.parametrize(("limits", "levels", "status"), [((), 3, 200), (("expand-levels=99",), 99, 400)])
def test_no_expansion_of_a_large_tree_is_without_bound(limits: tuple[str, ...], levels: int, status: int) -> None:
    """In time and bytes: what an answer may have of both is a law of World.ask."""
    world = World(str(capture("poweredge-r750.tar.xz")), {"limit": limits})
    for which in ("*", ".", "~"):
        for target in (ROOT, f"{ROOT}/Chassis", f"{ROOT}/Systems", f"{ROOT}/Registries"):
            got = world.ask(Request("GET", f"{target}?$expand={which}($levels={levels})"))
            assert got.status in {status, 200}
    assert world.ask(Request("GET", f"{ROOT}?$expand=*($levels={levels})")).status == status
