"""No secret appears where it could be read: in an answer, in a log line, in what is stored.

Every property that a payload's schema marks writeOnly is filled with a secret of its own and sent, rightly and wrongly,
to every route that takes it. Then everything there is to read is read.
"""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from abuse_world import Got, Request, World, all_targets, filled, payload_schema, send

MARK = "Sw0rdf1sh!"
"""Part of each secret, and nowhere else in the world."""
WRONG = ({"Nope": 1}, {"TransferProtocol": "GOPHER"}, {"UserName": 7})
"""What makes a good body a refused one."""


def example(found: Mapping[str, Any], name: str = "") -> Any:
    """Some value that the schema allows, with a secret wherever it is marked as one."""
    if "$ref" in found:
        return example(payload_schema(found["$ref"]), name)
    if found.get("writeOnly"):
        return f"{MARK}{name}"[: found.get("maxLength", 64)]
    if "enum" in found:
        return found["enum"][0]
    kind = found.get("type", "string")
    return EXAMPLES[kind if isinstance(kind, str) else kind[0]](found, name)


EXAMPLES: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "object": lambda found, _: {key: example(inner, key) for key, inner in found.get("properties", {}).items()},
    "array": lambda found, name: [example(found.get("items", {}), name)] * max(1, found.get("minItems", 0)),
    "integer": lambda found, _: max(found.get("minimum", 1), 1),
    "number": lambda found, _: max(found.get("minimum", 1), 1),
    "boolean": lambda *_: True,
    "null": lambda *_: None,
    "string": lambda found, _: "x" * max(1, found.get("minLength", 1)),
}


def holds_secret(found: Any) -> bool:
    if isinstance(found, dict):
        if found.get("writeOnly"):
            return True
        if "$ref" in found:
            return holds_secret(payload_schema(found["$ref"]))
        return any(holds_secret(inner) for inner in found.values())
    return isinstance(found, list) and any(holds_secret(inner) for inner in found)


def bodies(payload: str) -> Iterator[bytes]:
    """A good body, one with only what is required, and spoilt ones."""
    found = payload_schema(payload)
    good = example(found)
    required = {name: value for name, value in good.items() if name in found.get("required", ())}
    for body in (good, required, *({**good, **wrong} for wrong in WRONG)):
        yield orjson.dumps(body)
    for name, inner in good.items():
        if MARK in str(inner):
            # the secret where none belongs, of a wrong type, too long, and in JSON that is none
            yield orjson.dumps({**good, name: [inner]})
            yield orjson.dumps({**good, name: {"a": inner}})
            yield orjson.dumps({**good, name: str(inner) * 2000})
    yield orjson.dumps(good)[:-1]


class Witness(logging.Handler):
    """Everything that is logged, by anybody."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def witness() -> Iterator[Witness]:
    found, root = Witness(), logging.getLogger()
    level = root.level
    root.addHandler(found)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(found)
    root.setLevel(level)


def shown(got: Got) -> str:
    """What somebody sees who reads over the client's shoulder: all but the token, which is the client's."""
    headers = {name: value for name, value in got.headers.items() if name != "x-auth-token"}
    return f"{headers} {got.content.decode(errors='replace')}"


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_no_secret_appears_in_an_answer_a_log_or_the_store(mockup: str, witness: Witness) -> None:
    world = World(mockup)
    told = 0
    for route in world.routes:
        if route.payload is None or not holds_secret(payload_schema(route.payload)):
            continue
        for body in bodies(route.payload):
            assert MARK.encode() in body or b"Password" not in body
            got = world.ask(Request(route.method, filled(route.uri, "1"), body))
            assert MARK not in shown(got), (route, got.status)
            told += 1
    assert told > 10
    for target in all_targets(world):
        assert MARK not in shown(world.ask(Request("GET", target))), target
    for entry in ("JobService/Jobs", "TaskService/Tasks"):
        assert MARK not in shown(world.ask(Request("GET", f"/redfish/v1/{entry}?$expand=*($levels=2)")))
    assert not [line for line in witness.lines if MARK in line]
    assert MARK not in str(world.state())


def test_neither_passwords_nor_tokens_of_those_who_log_in_appear(witness: Witness) -> None:
    world = World("lifecycle-server")
    sessions = "/redfish/v1/SessionService/Sessions"
    nobody = ("Authorization", "")
    tried = [("root", "calvin"), ("root", MARK), (MARK, "calvin"), ("operator", "operator")]
    tokens = []
    for user, password in tried:
        body = orjson.dumps({"UserName": user, "Password": password})
        got = world.ask(Request("POST", sessions, body, (nobody,)))
        tokens += [got.headers["x-auth-token"]] if got.status == 201 else []
        basic = "Basic " + b64encode(f"{user}:{password}".encode()).decode()
        for header in (("Authorization", basic), ("X-Auth-Token", password)):
            assert (password if password == MARK else "calvin") not in shown(
                world.ask(Request("GET", "/redfish/v1/Systems/Nope", None, (header,)))
            )
    assert len(tokens) == 2
    everything = "".join(shown(world.ask(Request("GET", target))) for target in all_targets(world))
    everything += shown(world.ask(Request("GET", f"{sessions}?$expand=*")))
    for secret in ("calvin", *tokens):
        assert secret not in everything, secret
        assert secret not in str(world.state())
        assert not [line for line in witness.lines if secret in line]


def test_what_is_stored_on_disk_holds_no_secret(tmp_path: Path, make_bmc) -> None:
    bmc = make_bmc(state=tmp_path)
    made = bmc.post("/redfish/v1/SessionService/Sessions", {"UserName": "root", "Password": "calvin"})
    token = made.headers["X-Auth-Token"]
    bmc.post("/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate", {"ImageURI": "http://127.0.0.1:9/x", "Username": "u", "Password": MARK})  # fmt: skip
    bmc.post(f"{bmc.bios}/Actions/Bios.ChangePassword", {"PasswordName": "SetupPassword", "OldPassword": "", "NewPassword": MARK})  # fmt: skip
    bmc.patch_bios(NumLock="Off")
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.stat().st_size > 1000 for file in files)
    for file in files:
        content = file.read_bytes()
        for secret in (MARK, token, "calvin"):
            assert secret.encode() not in content, (file, secret)


def test_a_fault_of_the_program_tells_nothing_of_the_request(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where something breaks: the answer says no more than that, and the log has no body and no header."""
    world = World("lifecycle-server")

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("emulator.redfish.face.check_payload", broken)
    request = Request("POST", "/redfish/v1/SessionService/Sessions", b'{"UserName": "root", "Password": "%s"}' % MARK.encode())  # fmt: skip
    got = send(world.service.wsgi, request)
    assert got.status == 500
    assert got.message_ids[-1] == "Base.InternalError"
    assert "broken" not in shown(got)
    assert witness.lines
    assert not [line for line in witness.lines if MARK in line or "cm9vdDpjYWx2aW4=" in line]
