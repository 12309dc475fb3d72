"""A transfer: where it may go, what it brings, and the sentence when it does not work. Real servers on 127.0.0.1."""

from __future__ import annotations

import gzip
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from itertools import chain, repeat

import pytest
from requests import Session

from emulator.runtime import transfer
from emulator.runtime.certificate import ensure_certificate
from emulator.runtime.networks import LOOPBACK, Networks
from emulator.runtime.transfer import TransferError, fetch, put

IMAGE = bytes(range(256)) * 1000
BOMB = gzip.compress(bytes(20_000_000))
ROOM = 1_000_000
FOREIGN = "192.0.2.1"  # TEST-NET-1: nobody's
LOCAL = Networks.of(LOOPBACK)
CALVIN = ("root", "cälvin")
BASIC = "Basic " + b64encode("root:cälvin".encode()).decode()


# What the server can answer


def answer(content=b"", status=200, **headers):
    return lambda http: http.answer(status, content, headers)


def redirect(to, status=302):
    """`to` may hold the server's own {url}."""
    return lambda http: http.answer(status, b"over there", {"Location": to.format(url=http.server.url)})


def raw(*pieces):
    return lambda http: http.raw(pieces)


def silence_after(piece):
    """Says this, and nothing more until the client or the test is over."""

    def say(http):
        http.raw([piece])
        http.server.over.wait(20)

    return say


def sips(http):
    """Takes what it is sent, a few bytes at a time."""
    while http.connection.recv(16):
        pass


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "/image": answer(IMAGE),
    "/empty": answer(),
    "/nothing": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/chunked": raw(CHUNKED, b"5\r\nhello\r\n", b"6; why=not\r\n world\r\n", b"0\r\n\r\n"),
    "/until-closed": raw(HEAD, b"\r\n", b"as long as it lasts"),
    "/bomb": answer(BOMB, **{"Content-Encoding": "gzip"}),
    "/missing": answer(b"no such thing", 404),
    "/broken": answer(b"oh dear", 500),
    "/unheard-of": answer(b"", 799),
    "/large-announced": silence_after(HEAD + b"Content-Length: 1000001\r\n\r\n"),
    "/large-chunked": raw(CHUNKED, *repeat(b"10000\r\n" + bytes(0x10000) + b"\r\n", 100)),
    "/large-unannounced": raw(HEAD, b"\r\n", *repeat(bytes(0x10000), 100)),
    "/endless": lambda http: http.raw(chain([HEAD, b"\r\n"], repeat(bytes(0x10000)))),
    "/cut-short": raw(HEAD, b"Content-Length: 100\r\n\r\n", b"half of it"),
    "/cut-chunk": raw(CHUNKED, b"64\r\nhalf of it"),
    "/cut-between-chunks": raw(CHUNKED, b"5\r\nhello\r\n"),
    "/two-lengths": raw(HEAD, b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", b"hello!"),
    "/long-line": raw(CHUNKED, b"1" * 100_000),
    "/no-http": raw(b"220 smtp.example ESMTP\r\n"),
    "/no-answer": raw(),
    "/silent": silence_after(b""),
    "/stalls": silence_after(HEAD + b"Content-Length: 100\r\n\r\nhalf of it"),
    "/continues": lambda http: http.raw(repeat(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "/sips": sips,
    "/moved": redirect("/image"),
    "/moved-and-talking": silence_after(b"HTTP/1.1 302 Found\r\nLocation: /image\r\n\r\nand that is because"),
    "/moved-three-times": redirect("/moved-twice", 301),
    "/moved-twice": redirect("{url}/moved", 307),
    "/moved-four-times": redirect("/moved-three-times"),
    "/loop": redirect("/loop"),
    "/moved-nowhere": raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"),
    "/to-foreign": redirect(f"http://{FOREIGN}/"),
    "/to-ftp": redirect("ftp://127.0.0.1/image"),
    "/to-user": redirect("http://root:calvin@127.0.0.1/image"),
    "/to-bad-uri": redirect("http://[::1/"),
    "/to-bad-port": redirect("http://127.0.0.1:99999/"),
    "/see-other": redirect("/image", 303),
    "/put-elsewhere": redirect("/image", 307),
}


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = 0 if self.path == "/sips" else int(self.headers.get("Content-Length", 0))
        content = self.rfile.read(length)
        self.server.asked.append((self.command, self.path, self.headers, content))
        ANSWERS.get(self.path, answer(status=404))(self)

    do_PUT = do_GET  # noqa: N815 - the name is the base class's

    def answer(self, status, content, headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def raw(self, pieces):
        self.close_connection = True
        for piece in pieces:
            self.wfile.write(piece)

    def handle(self):
        try:
            super().handle()
        except OSError:  # the client has had enough
            pass
        finally:
            self.server.hung_up.set()

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingTCPServer):
    """Keeps what it was asked, and the names that TLS clients said."""

    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Http)
        self.port = self.server_address[1]
        self.asked, self.names = [], []
        self.over, self.hung_up = threading.Event(), threading.Event()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self):
        self.over.set()
        self.shutdown()
        self.server_close()

    @property
    def requests(self):
        return [f"{method} {path}" for method, path, _headers, _content in self.asked]

    @property
    def headers(self):
        return self.asked[-1][2]

    @property
    def content(self):
        return self.asked[-1][3]


@pytest.fixture
def start():
    servers = []

    def start(*args):
        servers.append(Server(*args))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def server(start):
    return start()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return ensure_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(start, certificate):
    return start(certificate)


@pytest.fixture
def deaf():
    """The address of a listener that takes connections and never reads."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def refusing():
    """The address of a port that nobody listens on."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture(autouse=True)
def connected(monkeypatch):
    """The addresses that connections were attempted to: only ever loopback."""
    addresses = []
    connect = socket.socket.connect

    def guarded(self, address):
        addresses.append(address[0])
        assert address[0].startswith("127."), f"the tests stay on this machine, not {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    return addresses


class Names:
    """A name service: `names[name] = [addresses], [addresses at the second question], ...`. Other names are unknown."""

    def __init__(self):
        self.answers, self.asked = {}, []
        self._real = socket.getaddrinfo

    def __setitem__(self, name, answers):
        self.answers[name] = iter(answers)

    def getaddrinfo(self, host, port, *args, **options):
        if host[0].isdigit():
            return self._real(host, port, *args, **options)
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port or 0))
            for address in next(self.answers[host])
        ]


@pytest.fixture(autouse=True)
def names(monkeypatch):
    names = Names()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names


class Sink:
    """Keeps what it is given."""

    def __init__(self):
        self.chunks, self.totals = [], set()

    def __call__(self, chunk, total):
        self.chunks.append(chunk)
        self.totals.add(total)

    @property
    def content(self):
        return b"".join(self.chunks)


@pytest.fixture
def sink():
    return Sink()


def get(uri, sink, **options):
    return fetch(uri, sink, **{"networks": LOCAL, "bytes_max": ROOM, **options})


def failure(call, *args, **options):
    """The sentence of the TransferError that this call ends with."""
    with pytest.raises(TransferError) as caught:
        call(*args, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "calvin" not in sentence
    return sentence


# What works


@pytest.mark.parametrize(
    ("path", "content", "total"),
    [
        ("/image", IMAGE, len(IMAGE)),
        ("/empty", b"", None),
        ("/nothing", b"", None),
        ("/chunked", b"hello world", None),
        ("/until-closed", b"as long as it lasts", None),
        ("/bomb", BOMB, len(BOMB)),
        ("/moved", IMAGE, len(IMAGE)),
        ("/moved-and-talking", IMAGE, len(IMAGE)),
        ("/moved-three-times", IMAGE, len(IMAGE)),
        ("/see-other", IMAGE, len(IMAGE)),
    ],
)
def test_the_sink_gets_what_the_server_sent(server, secure, path, content, total):
    for url in (server.url, secure.url):
        sink = Sink()
        assert get(url + path, sink) == len(content)
        assert sink.content == content
        assert all(0 < len(chunk) <= 0x10000 for chunk in sink.chunks)
        assert sink.totals == ({total} if content else set())


def test_as_much_as_there_is_room_for(server, sink):
    assert get(f"{server.url}/image", sink, bytes_max=len(IMAGE)) == len(IMAGE)


def test_the_request_is_plain(server, sink):
    get(f"{server.url}/image", sink)
    assert {name: value for name, value in server.headers.items() if name != "Connection"} == {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": "jobfish",
    }


def test_the_connection_is_closed_in_the_end(server, sink):
    get(f"{server.url}/image", sink)
    assert server.hung_up.wait(10)


def test_a_certificate_that_nobody_signed_is_taken_without_a_word(secure):
    code = (
        "import sys\nfrom emulator.runtime.networks import LOOPBACK, Networks\n"
        "from emulator.runtime.transfer import fetch\n"
        "fetch(sys.argv[1], lambda *_: None, networks=Networks.of(LOOPBACK), bytes_max=10**6)"
    )
    done = subprocess.run([sys.executable, "-c", code, f"{secure.url}/image"], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_what_the_sink_raises_is_the_callers(server):
    def full(_chunk, _total):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        get(f"{server.url}/image", full)


def test_the_environment_has_no_say(server, sink, refusing, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login root password calvin\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{refusing}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(OSError), Session() as session:  # whereas this one listens to it
        session.get(f"{server.url}/image")

    assert get(f"{server.url}/image", sink) == len(IMAGE)
    assert "Authorization" not in server.headers


# What does not


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/missing", "{who} answered 404 Not Found"),
        ("/broken", "{who} answered 500 Internal Server Error"),
        ("/unheard-of", "{who} answered 799"),
        ("/moved-nowhere", "{who} answered 302 Found"),
        ("/large-announced", "the content is larger than 1000000 bytes"),
        ("/large-chunked", "the content is larger than 1000000 bytes"),
        ("/large-unannounced", "the content is larger than 1000000 bytes"),
        ("/cut-short", "{who} sent less than it announced"),
        ("/cut-chunk", "{who} sent less than it announced"),
        ("/cut-between-chunks", "{who} sent less than it announced"),
        ("/two-lengths", "the transfer with {who} failed"),
        ("/long-line", "{who} did not answer in HTTP"),
        ("/no-http", "{who} did not answer in HTTP"),
        ("/no-answer", "{who} cut the connection"),
        ("/moved-four-times", "there were more than 3 redirects"),
        ("/loop", "there were more than 3 redirects"),
        ("/to-foreign", "192.0.2.1 is not in a network that transfers may go to"),
        ("/to-ftp", "only http and https can be used, not ftp"),
        ("/to-user", "the URI must not hold a user name or password"),
        ("/to-bad-uri", "the URI is not valid"),
        ("/to-bad-port", "the URI is not valid"),
    ],
)
def test_a_person_is_told_why_it_did_not_work(server, sink, path, sentence):
    assert failure(get, server.url + path, sink) == sentence.format(who=f"127.0.0.1:{server.port}")
    assert len(sink.content) <= ROOM


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("ftp://127.0.0.1/image", "only http and https can be used, not ftp"),
        ("file:///etc/passwd", "only http and https can be used, not file"),
        ("httpx://127.0.0.1/", "only http and https can be used, not httpx"),
        ("/image", "the URI is not valid"),
        ("", "the URI is not valid"),
        ("http://", "the URI is not valid"),
        ("http://[::1/", "the URI is not valid"),
        ("http://127.0.0.1:99999/", "the URI is not valid"),
        ("http://root:calvin@127.0.0.1/image", "the URI must not hold a user name or password"),
        ("http://root@127.0.0.1/image", "the URI must not hold a user name or password"),
        (f"http://{FOREIGN}/", "192.0.2.1 is not in a network that transfers may go to"),
        ("http://0.0.0.0/", "0.0.0.0 is not in a network that transfers may go to"),
        ("http://3221225985/", "3221225985 (192.0.2.1) is not in a network that transfers may go to"),
        ("http://nowhere.test/", "the name nowhere.test is unknown"),
        (f"http://{'a' * 64}.test/", f"the name {'a' * 64}.test is unknown"),
    ],
)
def test_a_uri_that_is_not_for_us_is_refused_without_a_connection(sink, connected, uri, sentence):
    assert failure(get, uri, sink) == sentence
    assert failure(put, uri, b"content", networks=LOCAL) == sentence
    assert not connected


def test_a_redirect_to_a_forbidden_network_is_not_followed(server, sink, connected):
    failure(get, f"{server.url}/to-foreign", sink)
    assert connected == ["127.0.0.1"]


def test_a_refused_connection(sink, refusing):
    assert failure(get, f"http://{refusing}/", sink) == f"{refusing} refused the connection"


def test_tls_where_there_is_none(server, sink):
    assert f"127.0.0.1:{server.port} could not agree on TLS: " in failure(
        get, f"https://127.0.0.1:{server.port}/", sink
    )


# Names and addresses


def test_the_server_hears_the_name_that_the_uri_has(start, certificate, names, sink):
    for server in (start(), start(certificate)):
        names["images.test"] = [["127.0.0.1"]]
        scheme = server.url.partition(":")[0]
        get(f"{scheme}://images.test:{server.port}/image", sink)
        assert server.headers["Host"] == f"images.test:{server.port}"
    assert server.names == ["images.test"]


def test_every_address_of_a_name_must_be_allowed(server, names, sink, connected):
    names["images.test"] = [["127.0.0.1", FOREIGN]]
    sentence = "images.test (192.0.2.1) is not in a network that transfers may go to"
    assert failure(get, f"http://images.test:{server.port}/image", sink) == sentence
    assert not connected


def test_a_name_is_asked_for_once_so_a_second_answer_changes_nothing(server, names, sink, connected):
    names["images.test"] = [["127.0.0.1"], [FOREIGN]]
    assert get(f"http://images.test:{server.port}/image", sink) == len(IMAGE)
    assert names.asked == ["images.test"]
    assert connected == ["127.0.0.1"]


def test_a_redirect_is_resolved_and_checked_anew(server, names, sink, connected):
    names["images.test"] = [["127.0.0.1"], [FOREIGN]]
    sentence = "images.test (192.0.2.1) is not in a network that transfers may go to"
    assert failure(get, f"http://images.test:{server.port}/moved", sink) == sentence
    assert connected == ["127.0.0.1"]


def test_the_next_address_is_tried_where_one_takes_no_connection(server, names, sink, connected):
    names["images.test"] = [["127.0.0.2", "127.0.0.1"]]
    assert get(f"http://images.test:{server.port}/image", sink) == len(IMAGE)
    assert connected == ["127.0.0.2", "127.0.0.1"]


def test_the_next_address_is_not_tried_once_something_was_sent(server, names, sink, connected):
    names["images.test"] = [["127.0.0.1", "127.0.0.2"]]
    sentence = f"images.test:{server.port} cut the connection"
    assert failure(get, f"http://images.test:{server.port}/no-answer", sink) == sentence
    assert connected == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        (LOOPBACK, "127.0.0.1", True),
        (LOOPBACK, "127.255.255.254", True),
        (LOOPBACK, "::1", True),
        (LOOPBACK, "::ffff:127.0.0.1", True),
        (LOOPBACK, "::ffff:192.0.2.1", False),
        (LOOPBACK, "192.0.2.1", False),
        (LOOPBACK, "0.0.0.0", False),
        (LOOPBACK, "::", False),
        (LOOPBACK, "localhost", False),
        (["10.0.0.0/24", "192.0.2.7"], "10.0.0.255", True),
        (["10.0.0.0/24", "192.0.2.7"], "192.0.2.7", True),
        (["10.0.0.0/24", "192.0.2.7"], "10.0.1.0", False),
        (["10.0.0.0/24", "192.0.2.7"], "127.0.0.1", False),
        ([], "127.0.0.1", False),
    ],
)
def test_networks(networks, address, allowed):
    assert Networks.of(networks).allow(address) is allowed


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.5/8", "10.0.0.0/33", "10.0.0"])
def test_a_network_that_is_none(text):
    with pytest.raises(ValueError, match=r"write a network as 10\.0\.0\.0/24"):
        Networks.of([text])


# Credentials


def test_credentials_arrive_as_basic(server, sink):
    get(f"{server.url}/moved", sink, credentials=CALVIN)
    assert [headers["Authorization"] for _, _, headers, _ in server.asked] == [BASIC, BASIC]
    put(f"{server.url}/image", b"content", networks=LOCAL, credentials=CALVIN)
    assert server.headers["Authorization"] == BASIC


def test_credentials_are_for_the_origin_they_were_given_for(start, sink, monkeypatch):
    first, other = start(), start()
    monkeypatch.setitem(ANSWERS, "/away", redirect(f"{other.url}/image"))
    get(f"{first.url}/away", sink, credentials=CALVIN)
    assert first.headers["Authorization"] == BASIC
    assert other.requests == ["GET /image"]
    assert "Authorization" not in other.headers


def test_credentials_are_not_for_what_only_looks_like_their_origin(start, sink, monkeypatch):
    first, other = start(), start()
    # urllib.parse takes what is behind the @ for the host, and what the request is made with does not
    monkeypatch.setitem(ANSWERS, "/away", redirect(f"{other.url}\\@127.0.0.1:{first.port}/image"))
    failure(get, f"{first.url}/away", sink, credentials=CALVIN)
    assert first.requests == ["GET /away"]
    assert other.requests == [f"GET /%5C@127.0.0.1:{first.port}/image"]
    assert "Authorization" not in other.headers


def test_credentials_do_not_come_back_with_the_redirect(start, sink, monkeypatch):
    first, other = start(), start()
    monkeypatch.setitem(ANSWERS, "/away", redirect(f"{other.url}/back"))
    monkeypatch.setitem(ANSWERS, "/back", redirect(f"{first.url}/image"))
    get(f"{first.url}/away", sink, credentials=CALVIN)
    assert first.requests == ["GET /away", "GET /image"]
    assert "Authorization" not in first.headers


# PUT


@pytest.mark.parametrize("content", [b"", b"<SystemConfiguration/>", IMAGE])
def test_put(server, secure, content):
    for reached in (server, secure):
        put(f"{reached.url}/nothing", content, networks=LOCAL, content_type="application/xml")
        assert reached.requests == ["PUT /nothing"]
        assert reached.content == content
        assert reached.headers["Content-Type"] == "application/xml"
        assert reached.headers["Content-Length"] == str(len(content))
        assert "Transfer-Encoding" not in reached.headers


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/broken", "{who} answered 500 Internal Server Error"),
        ("/see-other", "{who} answered 303 See Other"),
        ("/to-foreign", "192.0.2.1 is not in a network that transfers may go to"),
        ("/no-answer", "{who} cut the connection"),
    ],
)
def test_a_put_that_does_not_work(server, path, sentence):
    who = f"127.0.0.1:{server.port}"
    assert failure(put, server.url + path, IMAGE, networks=LOCAL) == sentence.format(who=who)


def test_a_redirected_put_takes_its_content_along(server):
    put(f"{server.url}/put-elsewhere", IMAGE, networks=LOCAL)
    assert server.requests == ["PUT /put-elsewhere", "PUT /image"]
    assert server.content == IMAGE


# Time, and stopping


@pytest.mark.parametrize("path", ["/silent", "/stalls"])
def test_a_server_that_says_nothing(server, sink, monkeypatch, path):
    monkeypatch.setattr(transfer, "READ_SECONDS", 0.1)
    assert failure(get, server.url + path, sink) == f"127.0.0.1:{server.port} did not answer in time"


def test_a_server_that_takes_nothing(deaf, sink, monkeypatch):
    monkeypatch.setattr(transfer, "CONNECT_SECONDS", 0.1)
    sentence = f"{deaf} did not answer in time"
    assert failure(get, f"https://{deaf}/", sink) == sentence
    assert failure(put, f"http://{deaf}/", bytes(50_000_000), networks=LOCAL) == sentence


@pytest.mark.parametrize("path", ["/endless", "/continues"])
def test_a_server_that_never_ends(server, sink, monkeypatch, path):
    monkeypatch.setattr(transfer, "TRANSFER_SECONDS", 0.6)
    sentence = failure(get, server.url + path, lambda *_: None, bytes_max=10**12)
    assert sentence == "the transfer took longer than 0.01 minutes"


def test_a_server_that_takes_forever(server, monkeypatch):
    monkeypatch.setattr(transfer, "TRANSFER_SECONDS", 0.6)
    sentence = failure(put, f"{server.url}/sips", bytes(100_000_000), networks=LOCAL)
    assert sentence == "the transfer took longer than 0.01 minutes"


def test_stopped_before_it_began(server, sink, connected):
    stop = threading.Event()
    stop.set()
    assert failure(get, f"{server.url}/image", sink, stop=stop) == "stopped"
    assert not connected


def test_stopped_on_the_way(server, sink):
    stop = threading.Event()

    def enough(chunk, total):
        sink(chunk, total)
        stop.set()

    assert failure(get, f"{server.url}/endless", enough, stop=stop) == "stopped"
    assert len(sink.chunks) == 1
    assert server.hung_up.wait(10)
