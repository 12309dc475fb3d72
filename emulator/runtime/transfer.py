"""One HTTP(S) transfer: only to where it may go, only as much as it may bring, only as long as it may take.

A client names the URI and a stranger's server answers, so neither is trusted. All that a name resolves to is checked,
and the connection goes to an address that was checked. The environment has no say: no proxies, no .netrc. TLS
certificates are not verified, as a controller takes self-signed image servers.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, InsecureRequestWarning, MaxRetryError

from emulator.runtime.networks import Networks

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
DELIVERY_SECONDS = 20.0
"""For a POST, from the beginning to the end."""
TRANSFER_SECONDS = 15 * 60.0
REDIRECTS_MAX = 3

DEFAULT_PORTS = {"http": 80, "https": 443}
# A 303 to a PUT says that the answer is elsewhere, not that the content should go there
REDIRECTS: Mapping[str, tuple[int, ...]] = {
    "GET": (301, 302, 303, 307, 308),
    "PUT": (301, 302, 307, 308),
    "POST": (),
}

urllib3.disable_warnings(InsecureRequestWarning)


class TransferError(Exception):
    """One line for a person: why it did not work. No credentials in it."""


class ForbiddenError(TransferError):
    """It would have gone where transfers may not go; nothing was sent."""


def fetch(
    uri: str,
    sink: Callable[[bytes, int | None], None],
    *,
    networks: Networks,
    bytes_max: int,
    credentials: tuple[str, str] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """GET this URI; the number of bytes of its body.

    The body goes to sink(chunk, total) in chunks of at most 64 KiB. They are what the server sent, never decoded: a
    small body stays small. `total` is the announced number of bytes, or None. What the sink raises is passed on.

    `credentials` are (user, password), said as Basic to the URI's own origin only. `stop` is looked at before each
    read, so a silent server delays it by at most the 10 seconds that a read may take.

    TransferError if it does not work, is not allowed, brings more than `bytes_max`, ends early, takes longer than
    15 minutes, or is stopped; the sink may have had a part of the body by then.
    """
    limits = _Limits(time.monotonic() + TRANSFER_SECONDS, stop)
    with _answer(_Ask("GET", _canonical(uri), credentials), networks, limits) as response:
        return _deliver(response, sink, bytes_max, limits)


def put(
    uri: str,
    content: bytes,
    *,
    networks: Networks,
    credentials: tuple[str, str] | None = None,
    content_type: str = "application/octet-stream",
) -> None:
    """PUT this content to this URI; any 2xx is good. `credentials` and TransferError as for `fetch`."""
    limits = _Limits(time.monotonic() + TRANSFER_SECONDS)
    with _answer(_Ask("PUT", _canonical(uri), credentials, content, content_type), networks, limits):
        pass


def post(
    uri: str, content: bytes, *, networks: Networks, headers: Iterable[tuple[str, str]] = (), verify: bool = False
) -> None:
    """POST this JSON to this URI, with these headers besides the usual ones; any 2xx is good.

    It is not sent on: a redirect is an error. With `verify` an https server's certificate has to be valid.

    TransferError if it does not work, or takes longer than 20 seconds; ForbiddenError if it is not allowed.
    """
    limits = _Limits(time.monotonic() + DELIVERY_SECONDS)
    ask = _Ask("POST", _canonical(uri), None, content, "application/json", tuple(headers), verify)
    with _answer(ask, networks, limits):
        pass


@dataclass(frozen=True, slots=True)
class _Limits:
    """What ends a transfer that does not end by itself: a moment in monotonic seconds, and somebody's `stop`."""

    ends: float
    stop: threading.Event | None = None

    def grant(self, seconds: float) -> float:
        """So many seconds, or what is left of the transfer. TransferError if nothing is, or if it was stopped."""
        if self.stop is not None and self.stop.is_set():
            raise TransferError("stopped")
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TransferError(f"the transfer took longer than {TRANSFER_SECONDS / 60:g} minutes")
        return min(seconds, left)


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is asked of a server. The URI is canonical."""

    method: str
    uri: str
    credentials: tuple[str, str] | None
    content: bytes | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    verify: bool = False

    def again_at(self, uri: str) -> _Ask:
        """The same asked elsewhere. Credentials stay with the origin that they are for."""
        return replace(self, uri=uri, credentials=self.credentials if _origin(uri) == _origin(self.uri) else None)


@contextmanager
def _answer(ask: _Ask, networks: Networks, limits: _Limits) -> Iterator[requests.Response]:
    """The 2xx answer at the end of the redirects, its body unread. Everything is closed when the caller is done."""
    for _ in range(REDIRECTS_MAX + 1):
        addresses = _resolve(urlsplit(ask.uri).hostname or "", networks)
        with ExitStack() as open_things:
            response = _send(ask, addresses, limits, open_things)
            location = response.headers.get("Location")
            if location is None or response.status_code not in REDIRECTS[ask.method]:
                _require_success(response)
                yield response
                return
        ask = ask.again_at(_canonical(location, base=ask.uri))
    raise TransferError(f"there were more than {REDIRECTS_MAX} redirects")


def _canonical(uri: str, base: str = "") -> str:
    """The URI as it goes over the wire, the only spelling that decisions are based on: parsers differ on odd ones.

    TransferError if it is not valid, neither http nor https, or holds a user name.
    """
    try:
        canonical = requests.Request("GET", urljoin(base, uri)).prepare().url or ""
        parts = urlsplit(canonical)
        _origin(canonical)
    except (requests.RequestException, ValueError) as error:
        raise TransferError("the URI is not valid") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise TransferError(f"only http and https can be used, not {parts.scheme}")
    if "@" in parts.netloc:
        raise TransferError("the URI must not hold a user name or password")
    return canonical


def _origin(uri: str) -> tuple[str, str | None, int | None]:
    """Who credentials are for (RFC 6454): scheme, host, port. ValueError if the port is none."""
    parts = urlsplit(uri)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _prepare(ask: _Ask, limits: _Limits) -> requests.PreparedRequest:
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Host": _who(ask.uri),
        "User-Agent": "jobfish",
    }
    if ask.content_type is not None:
        headers["Content-Type"] = ask.content_type
    headers.update(ask.headers)
    if ask.credentials is not None:
        headers["Authorization"] = _basic(*ask.credentials)
    # urllib3 sends a file in pieces, each with its own time-out; an empty one would go out as chunked
    content = _Upload(ask.content, limits) if ask.content else None
    return requests.Request(ask.method, ask.uri, headers, data=content).prepare()


def _basic(user: str, password: str) -> str:
    """As an Authorization header, in UTF-8 (RFC 7617); `requests` would fail on what Latin-1 has no letter for."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _resolve(host: str, networks: Networks) -> list[str]:
    """All addresses of this host. TransferError if it has none, or if a single one may not be connected to."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise TransferError(f"the name {host} is unknown") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not networks.allow(address):
            which = host if host == address else f"{host} ({address})"
            raise ForbiddenError(f"{which} is not in a network that transfers may go to")
    return addresses


def _send(ask: _Ask, addresses: list[str], limits: _Limits, open_things: ExitStack) -> requests.Response:
    """The answer of the first address that takes a connection: "localhost" is often two, one without the server."""
    with _in_words(ask.uri):
        *others, last = addresses
        for address in others:
            try:
                return _send_to(address, ask, limits, open_things)
            except requests.ConnectionError as error:
                if not _never_connected(error):
                    raise
        return _send_to(last, ask, limits, open_things)


def _send_to(address: str, ask: _Ask, limits: _Limits, open_things: ExitStack) -> requests.Response:
    # The adapter alone, as a Session would read and unpack the whole body of a redirect, and ask the environment
    adapter = HTTPAdapter()
    adapter.poolmanager = _PinnedPools(address, limits)
    open_things.callback(adapter.close)
    timeouts = limits.grant(CONNECT_SECONDS), limits.grant(READ_SECONDS)
    response = adapter.send(_prepare(ask, limits), stream=True, timeout=timeouts, verify=ask.verify)
    open_things.callback(response.close)
    return response


def _never_connected(error: requests.ConnectionError) -> bool:
    """Whether the server cannot have seen anything of the request."""
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, ConnectTimeoutError)


def _require_success(response: requests.Response) -> None:
    status = response.status_code
    if not 200 <= status <= 299:
        phrase = http.client.responses.get(status, "")
        raise TransferError(f"{_who(response.url)} answered {status} {phrase}".rstrip())


def _deliver(
    response: requests.Response, sink: Callable[[bytes, int | None], None], bytes_max: int, limits: _Limits
) -> int:
    total: int | None = response.raw.length_remaining
    _require_room(total or 0, bytes_max)
    received = 0
    for chunk in _chunks(response):
        limits.grant(READ_SECONDS)
        received += len(chunk)
        _require_room(received, bytes_max)
        sink(chunk, total)
    return received


def _require_room(size: int, bytes_max: int) -> None:
    if size > bytes_max:
        raise TransferError(f"the content is larger than {bytes_max} bytes")


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it was sent, without the chunked framing. `stream` of urllib3 would read lines of any length."""
    while True:
        with _in_words(response.url):
            chunk: bytes = response.raw.read(CHUNK_BYTES, decode_content=False)
        if not chunk:
            return
        yield chunk


class _PinnedPools(urllib3.PoolManager):
    """Connections to one address, whatever the URI's host is: the name is only said in TLS (SNI)."""

    def __init__(self, address: str, limits: _Limits) -> None:
        super().__init__(num_pools=1)
        self._address = address
        self._limits = limits

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> urllib3.HTTPConnectionPool:
        """The pool that urllib3 would make for this host, with our address and our way to read."""
        context = {**(request_context or self.connection_pool_kw), "server_hostname": host}
        pool = super()._new_pool(scheme, self._address, port, context)
        make: Any = partial(_limited_connection, pool.ConnectionCls, self._limits)
        pool.ConnectionCls = make
        return pool


def _limited_connection(make: Callable[..., Any], limits: _Limits, **options: Any) -> Any:
    connection = make(**options)
    connection.response_class = partial(_LimitedResponse, limits)
    return connection


class _LimitedResponse(http.client.HTTPResponse):
    """Asks the limits before each read: with time-outs alone a server may drip, or say 100 Continue, forever."""

    def __init__(self, limits: _Limits, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_LimitedReader(limits, sock, self.fp.detach()), CHUNK_BYTES)


class _LimitedReader(io.RawIOBase):
    def __init__(self, limits: _Limits, sock: socket.socket, source: io.RawIOBase) -> None:
        self._limits = limits
        self._socket = sock
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._limits.grant(READ_SECONDS))
        count: int | None = self._source.readinto(buffer)
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _Upload(io.BytesIO):
    """Content that asks the limits before each piece is sent."""

    def __init__(self, content: bytes, limits: _Limits) -> None:
        super().__init__(content)
        self._limits = limits

    def read(self, size: int | None = -1, /) -> bytes:
        self._limits.grant(READ_SECONDS)
        return super().read(size)


@contextmanager
def _in_words(uri: str) -> Iterator[None]:
    """Whatever goes wrong on the way to the server and back, as a TransferError."""
    try:
        yield
    except (OSError, http.client.HTTPException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise TransferError(_sentence(_who(uri), list(_causes(error)))) from error


def _who(uri: str) -> str:
    """Host and port as the URI has them."""
    return urlsplit(uri).netloc


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps. `__context__` is no guide: it goes on to what the caller was handling."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        wrapped = (inner.__cause__, getattr(inner, "reason", None), *inner.args)
        inner = next((part for part in wrapped if isinstance(part, BaseException)), None)


# The first that fits any of the causes is said
SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, "did not answer in time"),
    (ConnectionRefusedError, "refused the connection"),
    (ConnectionError, "cut the connection"),
    (http.client.IncompleteRead, "sent less than it announced"),
    (http.client.HTTPException, "did not answer in HTTP"),
)


def _sentence(who: str, causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            return f"{who} could not agree on TLS: {(cause.reason or 'unknown reason').replace('_', ' ').lower()}"
    for kind, sentence in SENTENCES:
        if any(isinstance(cause, kind) for cause in causes):
            return f"{who} {sentence}"
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{who} cannot be reached: {cause.strerror.lower()}"
    return f"the transfer with {who} failed"
