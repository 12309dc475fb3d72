"""What comes over the socket and is no decent request: answered, or cut off, and everybody else is served meanwhile.

The controllers here give headers and bodies one second. Where a connection has to be closed by the server, the test
waits for just that: the end of the connection.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import pytest
from conftest import Process

SECONDS = 10
LIMITS = ("--limit", "body-seconds=1", "--limit", "header-seconds=1")
SETTINGS = b"/redfish/v1/Systems/System.Embedded.1/Bios/Settings"
HOST = b"Host: 127.0.0.1\r\n"
ROOT = b"Authorization: Basic " + b64encode(b"root:calvin") + b"\r\n"
JSON = b"Content-Type: application/json\r\n"
READ = b"GET /redfish HTTP/1.1\r\n" + HOST + b"\r\n"
STAGE = b'{"Attributes": {"AssetTag": "staged"}}'
MEMORY_MIB_MAX = 48
"""By how much everything in this file together may let a process grow."""


class Served:
    """A controller in another process, spoken to byte by byte."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.port = process.port
        self.is_tls = process.scheme == "https"

    @contextmanager
    def connected(self, *, tls: bool | None = None) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as raw:
            if not (self.is_tls if tls is None else tls):
                yield raw
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(raw) as secure:
                yield secure

    def sends(self, *parts: bytes, half_closes: bool = False) -> bytes:
        """Everything that comes back until the connection ends, or until it is quiet after a whole answer."""
        with self.connected() as connection:
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:
                    break  # it has been cut off already
            if half_closes:
                connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    def status(self, *parts: bytes, **options: bool) -> int | None:
        return status_of(self.sends(*parts, **options))

    def is_well(self) -> bool:
        """Whether somebody else is served at once."""
        began = time.monotonic()
        with self.connected() as connection:
            connection.sendall(READ.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            return status_of(read_all(connection)) == 200 and time.monotonic() - began < 3

    def memory_mib(self) -> int:
        status = Path(f"/proc/{self.process.process.pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def read_all(connection: socket.socket) -> bytes:
    found = b""
    try:
        while chunk := connection.recv(65536):
            found += chunk
    except ConnectionError:
        pass
    return found


def status_of(answer: bytes) -> int | None:
    """The status of the last answer; None where there is none."""
    found = [status for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer) if status != b"100"]
    return int(found[-1]) if found else None


def request(method: bytes, target: bytes, *headers: bytes, body: bytes | None = None, auth: bytes = ROOT) -> bytes:
    """A request after which the connection is closed."""
    length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
    lines = b"".join((HOST, auth, JSON, b"Connection: close\r\n", length, *headers))
    return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (method, target, lines, body or b"")


@pytest.fixture(scope="module")
def plain() -> Iterator[Served]:
    yield from served("--http")


@pytest.fixture(scope="module")
def secure() -> Iterator[Served]:
    yield from served()


def served(*more: str) -> Iterator[Served]:
    process = Process("--state", "memory", "--clock", "manual", *LIMITS, *more)
    found = Served(process)
    try:
        assert found.is_well()
        before = found.memory_mib() if sys.platform == "linux" else 0
        yield found
        assert found.is_well()
        if sys.platform == "linux":
            assert found.memory_mib() - before < MEMORY_MIB_MAX
    finally:
        process.stop()


@pytest.fixture(params=["plain", "secure"])
def either(request: pytest.FixtureRequest) -> Served:
    found: Served = request.getfixturevalue(request.param)
    return found


def staged(served: Served) -> bytes:
    """What is pending, as it stands in an answer."""
    return served.sends(request(b"GET", SETTINGS)).partition(b"\r\n\r\n")[2]


# -- what is sent is out of bounds or nonsense ------------------------------------------------------------------------

CHUNKED = b"Transfer-Encoding: chunked\r\n"
MANY_CHUNKS = (b"10000\r\n" + b" " * 65536 + b"\r\n") * 160
REFUSED = [
    # situation, the request, statuses; None: cut off without one
    ("10 MB", request(b"PATCH", SETTINGS, body=b" " * 10_000_000), {413}),
    ("10 MB of a stranger", request(b"PATCH", SETTINGS, body=b" " * 10_000_000, auth=b""), {401}),
    ("10 MB to log in", request(b"POST", b"/redfish/v1/SessionService/Sessions", body=b" " * 10_000_000, auth=b""), {413}),
    ("10 MB in chunks", request(b"PATCH", SETTINGS, CHUNKED) + MANY_CHUNKS + b"0\r\n\r\n", {413}),
    ("10 MB to where nothing is", request(b"PATCH", b"/redfish/v1/Nope", body=b" " * 10_000_000), {404}),
    ("JSON nested 10,000 deep", request(b"PATCH", SETTINGS, body=b'{"a":' * 10_000 + b"1" + b"}" * 10_000), {400}),
    ("arrays nested 100,000 deep", request(b"PATCH", SETTINGS, body=b"[" * 100_000), {400}),
    ("200 headers", request(b"GET", b"/redfish/v1", *(b"X-%d: 1\r\n" % number for number in range(200))), {431}),
    ("a header of 100 KB", request(b"GET", b"/redfish/v1?only", b"X: " + b"a" * 100_000 + b"\r\n"), {431}),
    ("a header of 1 MB", request(b"GET", b"/redfish/v1", b"X: " + b"a" * 1_000_000 + b"\r\n"), {431}),
    ("80 headers of 1 KB", request(b"GET", b"/redfish/v1?only", *(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(80))), {431}),
    ("a path of 60 KB", request(b"GET", b"/redfish/v1/" + b"a" * 60_000), {414}),
    ("a path of 70 KB", request(b"GET", b"/redfish/v1/" + b"a" * 70_000), {414, 431}),
    ("a query of 60 KB", request(b"GET", b"/redfish/v1?" + b"a=1&" * 15_000), {414}),
    ("chunks that are none", request(b"PATCH", SETTINGS, CHUNKED) + b"zz\r\nabc\r\n", {400}),
    ("a chunk of no size on earth", request(b"PATCH", SETTINGS, CHUNKED) + b"FFFFFFFFFFFFFFFFFF\r\nabc", {400}),
    ("an unknown coding", request(b"PATCH", SETTINGS, b"Transfer-Encoding: xyz\r\n") + STAGE, {400}),
    ("two lengths", request(b"PATCH", SETTINGS, b"Content-Length: 3\r\n", body=STAGE), {400}),
    ("a negative length", request(b"PATCH", SETTINGS, b"Content-Length: -1\r\n") + STAGE, {400}),
    ("a length that is none", request(b"PATCH", SETTINGS, b"Content-Length: 1e3\r\n") + STAGE, {400}),
    ("a folded header", request(b"GET", b"/redfish", b"X: a\r\n b\r\n"), {400}),
    ("NUL in a header", request(b"GET", b"/redfish", b"X: a\0b\r\n"), {400}),
    ("a space before a colon", request(b"GET", b"/redfish", b"X : a\r\n"), {400}),
    ("no header at all", b"\r\n" * 4 + b"nonsense\r\n\r\n", {400}),
    ("bytes that mean nothing", bytes(range(256)) * 4, {400}),
    ("TRACE", request(b"TRACE", b"/redfish/v1"), {405}),
    ("CONNECT", request(b"CONNECT", b"evil.test:80"), {400, 404, 405}),
    ("OPTIONS of everything", request(b"OPTIONS", b"*"), {404, 405}),
    ("a method that nobody knows", request(b"BREW", b"/redfish/v1"), {405}),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_out_of_bounds_or_nonsense_is_refused(plain: Served, row: tuple[str, bytes, set[int]]) -> None:
    _, sent, statuses = row
    before = staged(plain)
    answer = plain.sends(sent)
    assert status_of(answer) in statuses
    head, _, body = answer.rpartition(b"\r\n\r\n")
    if b"odata-version" in head:
        assert orjson.loads(body)["error"]["@Message.ExtendedInfo"]
    assert b"Traceback" not in body
    assert staged(plain) == before


ANSWERED = [
    ("HEAD", request(b"HEAD", b"/redfish/v1"), 200),
    ("a URI with scheme and host", request(b"GET", b"http://evil.test/redfish/v1"), 200),
    ("HTTP/1.0", b"GET /redfish HTTP/1.0\r\n\r\n", 200),
    ("headers of 60 KB", request(b"GET", b"/redfish/v1", b"X: " + b"a" * 60_000 + b"\r\n"), 200),
    ("a good body in chunks", request(b"PATCH", SETTINGS, CHUNKED) + b"26\r\n" + STAGE + b"\r\n0\r\n\r\n", 200),
]


@pytest.mark.parametrize("row", ANSWERED, ids=[row[0] for row in ANSWERED])
def test_what_is_odd_and_allowed_is_answered(plain: Served, row: tuple[str, bytes, int]) -> None:
    assert plain.status(row[1]) == row[2]


SMUGGLED = [
    # of what stands in the same bytes after it, nothing may be taken for a request of its own
    ("a length and chunks", b"Content-Length: 4\r\n" + CHUNKED, b"0\r\n\r\n"),
    ("chunks and a length", CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n"),
    ("chunks, spelled twice", CHUNKED + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    ("chunks after a tab", b"Transfer-Encoding:\tchunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
]


@pytest.mark.parametrize("row", SMUGGLED, ids=[row[0] for row in SMUGGLED])
def test_nothing_is_smuggled_behind_a_body_of_two_lengths(plain: Served, row: tuple[str, bytes, bytes]) -> None:
    before = staged(plain)
    head = b"PATCH " + SETTINGS + b" HTTP/1.1\r\n" + HOST + ROOT + JSON + row[1] + b"\r\n"
    answer = plain.sends(head + row[2] + request(b"PATCH", SETTINGS, body=b'{"Attributes": {"AssetTag": "smuggled"}}'))
    assert answer.count(b"HTTP/1.1 ") == 1
    assert status_of(answer) == 400
    assert staged(plain) == before


def test_requests_in_a_row_are_answered_in_a_row(either: Served) -> None:
    answer = either.sends(READ * 20, request(b"GET", b"/redfish/v1"))
    assert answer.count(b"HTTP/1.1 200 OK") == 21


def test_a_body_left_unread_is_not_taken_for_the_next_request(plain: Served) -> None:
    inner = request(b"PATCH", SETTINGS, body=b'{"Attributes": {"AssetTag": "inner"}}')
    before = staged(plain)
    head = b"POST /nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(inner)
    answer = plain.sends(head + inner + request(b"GET", b"/redfish"))
    assert answer.count(b"HTTP/1.1 ") <= 2
    assert staged(plain) == before


ECHOES = [
    b"/redfish/v1/%0d%0aX-Evil:%201",
    b"/redfish/v1/Systems?$filter=%0d%0aX-Evil:%201",
    b"/redfish/v1/Systems?$%0d%0aX-Evil:%201",
    b"/redfish/v1/Systems?$top=%0d%0aX-Evil:%201",
    b"/redfish/v1/%0aX-Evil:1/%0d",
    b"/nowhere/%0d%0aX-Evil:%201",
    b"/jobfish/v1/faults/%0d%0aX-Evil:%201",
]


@pytest.mark.parametrize("target", ECHOES, ids=lambda target: target.decode())
@pytest.mark.parametrize("method", [b"GET", b"DELETE"])
def test_no_header_is_made_of_what_is_repeated(plain: Served, method: bytes, target: bytes) -> None:
    answer = plain.sends(request(method, target))
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert status_of(answer) in (400, 404, 405, 501)
    assert b"\nx-evil" not in head
    assert answer.count(b"HTTP/1.1 ") == 1


# -- what takes its time ----------------------------------------------------------------------------------------------

PATCH = b"PATCH " + SETTINGS + b" HTTP/1.1\r\n" + HOST + ROOT + JSON
STALLED = [
    ("not a byte", b""),
    ("half a request line", b"GET /redf"),
    ("half the headers", b"GET /redfish HTTP/1.1\r\nHost: 127"),
    ("half a body", PATCH + b"Content-Length: %d\r\n\r\n" % len(STAGE) + STAGE[:20]),
    ("half a chunk", PATCH + CHUNKED + b"\r\n26\r\n" + STAGE[:20]),
    ("chunks and no last one", PATCH + CHUNKED + b"\r\n26\r\n" + STAGE + b"\r\n"),
    ("half the body of a stranger", b"POST /redfish/v1/Systems HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\nabc"),
    ("half a log-in", b"POST /redfish/v1/SessionService/Sessions HTTP/1.1\r\n" + HOST + JSON + b"Content-Length: 9\r\n\r\n{"),
    ("half a package", b"POST /redfish/v1/UpdateService/MultipartUpload HTTP/1.1\r\n" + HOST + ROOT + b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 999\r\n\r\n--x\r\n"),
    ("nothing after 100 Continue", PATCH + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n"),
]  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a connection has been silent")
def test_whoever_stalls_is_cut_off_and_holds_nobody_up(plain: Served) -> None:
    """All at once, and of each more than there are threads for bodies."""
    before = staged(plain)
    with ExitStack() as stack:
        waiting = []
        for situation, sent in STALLED * 8:
            connection = stack.enter_context(plain.connected())
            connection.sendall(sent)
            waiting.append((situation, connection))
        assert plain.is_well()
        for situation, connection in waiting:
            assert status_of(read_all(connection)) in (None, 400, 401, 503), situation
    assert staged(plain) == before


def dripped(served: Served, sent: bytes, rest: bytes) -> bytes:
    """Sends the rest byte by byte, until the server has enough of it."""
    with served.connected() as connection:
        connection.sendall(sent)
        connection.settimeout(0.1)
        deadline = time.monotonic() + SECONDS
        for number in range(10_000):
            assert time.monotonic() < deadline, "it goes on"
            try:
                connection.sendall(rest[number % len(rest) :][:1])
                found = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                return b""
            return found
    return b""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a connection has been silent")
@pytest.mark.parametrize(
    "sent", [PATCH + b"Content-Length: 9000\r\n\r\n", b"GET /redfish HTTP/1.1\r\nX: "], ids=["body", "headers"]
)
def test_whoever_drips_is_cut_off_too(plain: Served, sent: bytes) -> None:
    assert status_of(dripped(plain, sent, b"a")) in (None, 408)


def test_300_idle_connections_are_in_nobodys_way(either: Served) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(either.connected(tls=False))
        assert either.is_well()
        assert status_of(either.sends(request(b"PATCH", SETTINGS, body=STAGE))) == 200


def test_half_closed_connections(plain: Served) -> None:
    """A client that has said all it will say, and one that has not."""
    cut = PATCH + b"Content-Length: %d\r\n\r\n" % len(STAGE)
    before = staged(plain)
    assert plain.status(cut + STAGE[:20], half_closes=True) in (None, 400)
    assert plain.status(cut, half_closes=True) in (None, 400)
    assert staged(plain) == before


TLS = [
    ("nothing", b""),
    ("plain HTTP", READ),
    ("nonsense", b"\xff" * 600),
    ("half a hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("a record of 64 KB", b"\x16\x03\x01\xff\xff" + b"\x01" * 65535),
    ("an alert", b"\x15\x03\x01\x00\x02\x02\x28"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a connection has been silent")
def test_what_is_no_tls_is_cut_off(secure: Served) -> None:
    with ExitStack() as stack:
        waiting = []
        for situation, sent in TLS:
            connection = stack.enter_context(secure.connected(tls=False))
            connection.sendall(sent)
            waiting.append((situation, connection))
        assert secure.is_well()
        for situation, connection in waiting:
            assert b"200 OK" not in read_all(connection), situation


@pytest.mark.slow
def test_a_long_siege(either: Served) -> None:
    """Everything above again and again, at once: memory and service stay as they are."""
    shapes: list[Callable[[], object]] = [lambda sent=sent: either.sends(sent) for _, sent, _ in REFUSED]
    for _ in range(20):
        for attack in shapes:
            attack()
        assert either.is_well()


@pytest.mark.parametrize(("version", "status"), [(b"1.1", 400), (b"1.0", 200)])
def test_who_does_not_say_whom_he_means_is_refused(plain: Served, version: bytes, status: int) -> None:
    """RFC 9112, 3.2: a request of HTTP/1.1 has a Host."""
    answer = plain.sends(b"GET /redfish/v1 HTTP/%s\r\nConnection: close\r\n\r\n" % version)
    assert status_of(answer) == status
    assert (b"Base.1.22.HeaderMissing" in answer) is (status == 400)
