"""Server-sent events: a GET that goes on, and its subscription, which lives as long."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from conftest import Bmc

SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS, STREAM = f"{SERVICE}/Subscriptions", f"{SERVICE}/SSE"
TEST_EVENT = f"{SERVICE}/Actions/EventService.SubmitTestEvent"


class Reader:
    """An open stream in this process."""

    def __init__(self, bmc: Bmc, query: str = "", **headers: str) -> None:
        self._answer = bmc._client.open(
            f"{STREAM}{query}",
            headers={"Host": bmc.host, "Accept": "text/event-stream", **headers},
            auth=bmc.user,
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
            buffered=False,
        )
        assert self._answer.status_code == 200, self._answer.text
        self.type = self._answer.content_type
        self._pieces: Iterator[bytes] = iter(self._answer.response)

    def __next__(self) -> tuple[str, dict[str, Any]]:
        """The next event: its id and its data. Comments are passed over, as clients do."""
        for piece in self._pieces:
            fields = dict(line.split(": ", 1) for line in piece.decode().splitlines() if line and line[0] != ":")
            if fields:
                return fields["id"], json.loads(fields["data"])
        raise StopIteration

    def texts(self, count: int) -> list[str]:
        """The texts of so many test events."""
        found: list[str] = []
        while len(found) < count:
            records = next(self)[1]["Events"]
            found += [record["Message"] for record in records if record["MessageId"].endswith("TestMessage")]
        return found

    def close(self) -> None:
        self._answer.close()


@pytest.fixture
def read(bmc: Bmc) -> Iterator[Callable[..., Reader]]:
    """Opens streams of `bmc`, and closes them after the test."""
    readers: list[Reader] = []

    def open_(query: str = "", **headers: str) -> Reader:
        readers.append(Reader(bmc, query, **headers))
        return readers[-1]

    yield open_
    for reader in readers:
        reader.close()


def send(bmc: Bmc, *texts: str, **more: Any) -> None:
    for text in texts:
        body = {"MessageId": "ResourceEvent.1.4.TestMessage", "Message": text, **more}
        assert bmc.post(TEST_EVENT, body).status == 204


def members(bmc: Bmc) -> list[str]:
    return [member["@odata.id"] for member in bmc.get(SUBSCRIPTIONS).body["Members"]]


def test_a_stream_is_one_subscription_and_begins_with_it(bmc, read):
    stream = read()
    assert stream.type == "text/event-stream"
    (place,) = members(bmc)
    found = bmc.get(place).body
    assert found["SubscriptionType"] == "SSE"
    assert found["Destination"].startswith("redfish-sse://127.0.0.1:")
    assert isinstance(found["Context"], str)
    number, event = next(stream)
    assert event["Id"] == number
    assert event["Context"] == found["Context"]
    assert event["@odata.type"].startswith("#Event.")
    assert event["Events"][0]["OriginOfCondition"] == {"@odata.id": place}
    send(bmc, "one", "two")
    assert stream.texts(2) == ["one", "two"]


def test_closing_a_stream_ends_its_subscription(bmc, read):
    stream = read()
    stream.close()
    assert members(bmc) == []


def test_deleting_the_subscription_ends_its_stream(bmc, read):
    stream = read()
    (place,) = members(bmc)
    assert bmc.delete(place).status == 200
    with pytest.raises(StopIteration):
        next(stream)


@pytest.mark.parametrize("ends", ["the service is turned off", "the controller restarts"])
def test_what_else_ends_a_stream(bmc, read, ends):
    stream = read()
    if ends == "the service is turned off":
        assert bmc.patch(SERVICE, {"ServiceEnabled": False}).status == 200
    else:
        assert bmc.post(f"{bmc.manager}/Actions/Manager.Reset", {"ResetType": "GracefulRestart"}).status < 300
    while True:
        try:
            next(stream)
        except StopIteration:
            break


def test_a_stream_outlives_the_session_that_opened_it(bmc, read):
    log_in = bmc.post("/redfish/v1/SessionService/Sessions", {"UserName": "root", "Password": "calvin"})
    user, bmc.user = bmc.user, None
    stream = read(**{"X-Auth-Token": log_in.headers["X-Auth-Token"]})
    bmc.user = user
    assert bmc.delete(log_in.headers["Location"]).status == 200
    send(bmc, "still here")
    assert stream.texts(1) == ["still here"]


FILTERS = {
    "RegistryPrefix eq 'ResourceEvent'": ["OK", "Critical", "other"],
    "Severity eq 'Critical'": ["Critical"],
    "Severity eq 'OK' or Severity eq 'Critical'": ["OK", "Critical", "other"],
    "not (Severity eq 'Critical') and MessageId eq 'ResourceEvent.TestMessage'": ["OK", "other"],
    "MessageId eq 'ResourceEvent.1.4.TestMessage'": ["OK", "Critical", "other"],
    "OriginResource eq '/redfish/v1/Chassis'": ["other"],
    "ResourceType eq 'ChassisCollection'": ["other"],
    "EventFormatType eq 'Event' and OriginResource ne '/redfish/v1/Chassis'": ["OK", "Critical"],
}


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_says_which_events(bmc, read, text):
    stream = read(f"?$filter={text}")
    send(bmc, "OK")
    send(bmc, "Critical", MessageSeverity="Critical")
    send(bmc, "other", OriginOfCondition="/redfish/v1/Chassis")
    assert stream.texts(len(FILTERS[text])) == FILTERS[text]


REFUSED = {
    "no such media type": ("", {"Accept": "application/json"}, 406, "Jobfish.NotAcceptable"),
    "a filter that is none": ("?$filter=what", {}, 400, "Base.QueryParameterValueFormatError"),
    "a filter on something else": ("?$filter=Color eq 'red'", {}, 400, "Base.QueryParameterValueFormatError"),
    "another query": ("?$top=1", {}, 501, "Base.QueryParameterUnsupported"),
    "nobody": ("", {"Authorization": "Basic bm9ib2R5Og=="}, 401, "IDRAC.SYS415"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_opens_no_stream_leaves_no_subscription(bmc, what):
    query, headers, status, message = REFUSED[what]
    answer = bmc.get(f"{STREAM}{query}", headers={"Accept": "text/event-stream", **headers})
    assert (answer.status, answer.message_ids[0]) == (status, message)
    assert members(bmc) == []


def test_a_stream_can_only_be_read(bmc):
    for method in ("POST", "PATCH", "DELETE", "HEAD"):
        answer = bmc.call(method, STREAM, {} if method != "HEAD" else None)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET")


def test_there_are_no_more_streams_than_the_setting_allows(make_bmc):
    bmc = make_bmc(limit=("streams=2",))
    one, other = Reader(bmc), Reader(bmc)
    answer = bmc.get(STREAM, headers={"Accept": "text/event-stream"})
    assert (answer.status, answer.message_ids) == (503, ["Base.CreateLimitReachedForResource"])
    one.close()
    Reader(bmc).close()
    other.close()
    assert members(bmc) == []


def test_a_stream_is_taken_up_again_after_the_last_event_that_came(bmc, read):
    stream = read()
    send(bmc, "one", "two")
    numbers = []
    for _ in range(3):
        numbers.append(next(stream)[0])
    stream.close()
    send(bmc, "three")
    again = read(**{"Last-Event-ID": numbers[1]})
    assert again.texts(2) == ["two", "three"]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("last", ["nonsense", "-1", "99999999999999999999", "²"])
def test_a_last_event_that_nobody_was_told_of_begins_anew(bmc, read, last):
    send(bmc, "before")
    stream = read(**{"Last-Event-ID": last.encode().decode("latin-1")})
    send(bmc, "after")
    assert stream.texts(1) == ["after"]


def connect(process: Any) -> ssl.SSLSocket:
    """A stream over TLS, by a raw client."""
    context = ssl._create_unverified_context()
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", process.port)))
    connection.settimeout(20)
    login = base64.b64encode(b"root:calvin").decode()
    lines = (f"GET {STREAM} HTTP/1.1", "Host: 127.0.0.1", "Accept: text/event-stream", f"Authorization: Basic {login}")
    connection.sendall("\r\n".join((*lines, "", "")).encode())
    read = b""
    while b"ResourceCreated" not in read:
        read += connection.recv(65_536)
    assert read.startswith(b"HTTP/1.1 200 OK\r\n")
    return connection


def test_streams_do_not_hold_up_others_nor_the_end(serve):
    process = serve("--state", "memory", "--limit", "streams=80")
    streams = [connect(process) for _ in range(80)]  # more than there are threads for everything else
    answer = requests.get(f"{process.url}{SUBSCRIPTIONS}", auth=("root", "calvin"), verify=False, timeout=20)
    assert answer.json()["Members@odata.count"] == len(streams)
    began = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - began < 10
    for stream in streams:
        while stream.recv(65_536):
            pass
        stream.close()
