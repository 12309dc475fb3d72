"""Nobody gets in, and nobody gets further than his role: every route there is, tried as everybody."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from abuse_world import BASIC, Got, Request, Route, World, filled, send

from emulator.core import access, sessions

OPEN = {"/redfish", "/redfish/v1", "/redfish/v1/odata", "/redfish/v1/$metadata", "/redfish/v1/openapi.yaml"}
LOG_INS = {"/redfish/v1/SessionService/Sessions", "/redfish/v1/SessionService/Sessions/Members"}
SESSIONS = "/redfish/v1/SessionService/Sessions"
NOBODY = (("Authorization", ""),)
READ_ONLY = (("Authorization", BASIC["readonly"]),)


@pytest.fixture(scope="module", params=["lifecycle-server", "rack-server"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


@pytest.fixture
def victim(world: World) -> Iterator[World]:
    world.fresh()
    yield world
    world.fresh()


def test_without_credentials_only_the_four_can_be_read(victim: World) -> None:
    for uri in (*victim.readable, *victim.passive):
        got = victim.ask(Request("GET", filled(uri, "1"), None, NOBODY))
        assert got.status == (200 if uri in OPEN else 401), uri


@pytest.mark.parametrize("header", ["Basic cm9vdDp3cm9uZw==", "Basic Og==", "Basic", "Bearer x", "basic cm9vdA=="])
def test_with_wrong_credentials_nothing_else_can_be_read(victim: World, header: str) -> None:
    for uri in (*victim.readable[::7], *victim.passive[::7]):
        if uri not in OPEN:
            assert victim.ask(Request("GET", filled(uri, "1"), None, (("Authorization", header),))).status == 401, uri


def test_without_credentials_nothing_can_be_written(victim: World) -> None:
    """A stranger is refused before his body is looked at, whatever else is wrong with his request."""
    for route in victim.routes:
        if route.uri not in LOG_INS:
            for headers in (NOBODY, (*NOBODY, ("If-Match", '"x"')), (*NOBODY, ("If-None-Match", "*"))):
                got = victim.ask(Request(route.method, filled(route.uri, "1"), b"{", headers))
                assert got.status == 401, route


def is_for_all(victim: World, route: Route) -> bool:
    """Whether this verb says of itself that whoever may log in may do it: an action that only tells something."""
    resource = next(found for found in victim.resources if found.uri == route.uri)
    verb = resource.verbs.get(route.method)
    return verb is not None and verb.privilege == "Login"


def test_a_role_that_only_reads_writes_nothing_but_its_own(victim: World) -> None:
    own = {("DELETE", f"{SESSIONS}/{{id}}"), *(("POST", uri) for uri in LOG_INS)}
    for route in victim.routes:
        for body in (b"{}", b'{"Nope": 1}'):
            before = victim.state()
            got = victim.ask(Request(route.method, filled(route.uri, "1"), body, READ_ONLY))
            assert victim.state() == before, route
            if (
                (route.method, route.uri) in own
                or "/AccountService/Accounts/" in route.uri
                or is_for_all(victim, route)
            ):
                assert got.status in (200, 400, 401, 403, 404, 405), route
            else:
                assert got.status in (401, 403), route


def test_an_operator_configures_no_manager_and_no_users(victim: World) -> None:
    for resource in victim.resources:
        for method, verb in resource.verbs.items():
            if verb.privilege in ("ConfigureManager", "ConfigureUsers"):
                got = victim.ask(
                    Request(method, filled(resource.uri, "1"), b"{}", (("Authorization", BASIC["operator"]),))
                )
                assert got.status == 403, (method, resource.uri)


def test_nobody_raises_his_own_role(victim: World) -> None:
    """By whatever a service may take for it: none of it makes an Operator or a reader an Administrator."""
    accounts = victim.bmc.get("/redfish/v1/AccountService/Accounts").body.get("Members", [])
    bodies = (b'{"RoleId": "Administrator"}', b'{"Links": {"Role": {"@odata.id": "/redfish/v1/AccountService/Roles/Administrator"}}}', b'{"AssignedPrivileges": ["ConfigureUsers"]}', b'{"Oem": {"Dell": {"Privilege": 511}}}', b'{"Password": "Hijacked-1"}', b'{"UserName": "root"}')  # fmt: skip
    places = [entry["@odata.id"] for entry in accounts] + [f"/redfish/v1/AccountService/Roles/{role}" for role in access.ROLES]  # fmt: skip
    for user in ("operator", "readonly"):
        for place in places:
            for method in ("PATCH", "PUT", "POST", "DELETE"):
                for body in bodies if method != "DELETE" else (b"",):
                    if victim.bmc.get(place).body.get("UserName") == user and b"Password" in body:
                        continue  # his own he may change
                    got = victim.ask(Request(method, place, body, (("Authorization", BASIC[user]),)))
                    assert got.status >= 400, (user, method, place, body)
    assert victim.ask(Request("GET", "/redfish/v1/Systems", None, (("Authorization", BASIC["root"]),))).status == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP", "True-Client-IP", "Host"])
def test_no_header_makes_a_stranger_a_neighbour(victim: World, name: str) -> None:
    for said in ("127.0.0.1", "for=127.0.0.1", "::1", "localhost"):
        request = Request("GET", "/redfish/v1/Systems", None, ((name, said), ("X-Remote-Addr", said)))
        assert send(victim.service.wsgi, request, peer="192.0.2.7").status == 403


# -- sessions and tokens ----------------------------------------------------------------------------------------------


def log_in(victim: World, user: str, password: str) -> Got:
    return victim.ask(Request("POST", SESSIONS, b'{"UserName": "%s", "Password": "%s"}' % (user.encode(), password.encode()), NOBODY))  # fmt: skip


def with_token(token: str) -> tuple[tuple[str, str], ...]:
    return (*NOBODY, ("X-Auth-Token", token))


def test_anothers_session_can_neither_be_ended_nor_used(victim: World) -> None:
    mine, others = log_in(victim, "readonly", "readonly"), log_in(victim, "root", "calvin")
    token, place = mine.headers["x-auth-token"], others.headers["location"]
    assert victim.ask(Request("DELETE", place, None, with_token(token))).status == 403
    session_id = place.rpartition("/")[2]
    for guess in (session_id, place, others.headers["x-auth-token"][:-1], others.headers["x-auth-token"].upper() + " "):
        assert victim.ask(Request("GET", "/redfish/v1/Systems", None, with_token(guess))).status == 401, guess
    assert victim.ask(Request("GET", place, None, with_token(others.headers["x-auth-token"]))).status == 200


def test_a_token_is_nothing_that_could_be_guessed(victim: World) -> None:
    tokens = [log_in(victim, "root", "calvin").headers["x-auth-token"] for _ in range(4)]
    assert len(set(tokens)) == 4
    assert min(len(token) for token in tokens) >= 32, "128 bits at least"
    for token in tokens:
        for guess in (token[:-1], token + "0", token[::-1], "", "%", token.replace(token[0], "g")):
            if guess:
                assert victim.ask(Request("GET", "/redfish/v1/Systems", None, with_token(guess))).status == 401


def test_tokens_come_from_the_systems_randomness(victim: World, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int | None] = []
    token_bytes = secrets.token_bytes

    def noted(count: int | None = None) -> bytes:
        drawn.append(count)
        return token_bytes(count)

    monkeypatch.setattr(secrets, "token_bytes", noted)
    token_hex = secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", lambda count=None: (drawn.append(count), token_hex(count))[1])
    assert log_in(victim, "root", "calvin").status == 201
    assert any(count is None or count >= 16 for count in drawn)


def test_what_is_compared_tells_nothing_by_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens are looked up by their digests, passwords compared in constant time."""
    compared: list[tuple[Any, Any]] = []
    compare = access.hmac.compare_digest

    def noted(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(access.hmac, "compare_digest", noted)
    secret = access.Secret(access.hash_password("calvin", "salt"))
    assert secret.accepts("calvin")
    assert not secret.accepts("calvinx")
    assert len(compared) == 2
    assert sessions.digest_token("a" * 40) != sessions.digest_token("a" * 39 + "b")


def test_a_session_that_has_ended_lets_nobody_in(victim: World) -> None:
    made = log_in(victim, "operator", "operator")
    token, place = made.headers["x-auth-token"], made.headers["location"]
    assert victim.ask(Request("GET", "/redfish/v1/Systems", None, with_token(token))).status == 200
    assert victim.ask(Request("DELETE", place, None, with_token(token))).status in (200, 204)
    assert victim.ask(Request("GET", "/redfish/v1/Systems", None, with_token(token))).status == 401
    assert victim.ask(Request("GET", place)).status == 404


def test_a_right_token_does_not_help_wrong_credentials_nor_the_other_way_round(victim: World) -> None:
    token = log_in(victim, "readonly", "readonly").headers["x-auth-token"]
    both = (("Authorization", BASIC["root"]), ("X-Auth-Token", "0" * 40))
    assert victim.ask(Request("GET", "/redfish/v1/Systems", None, both)).status == 401
    mixed = (("Authorization", BASIC["root"]), ("X-Auth-Token", token))
    reset = filled(next(route.uri for route in victim.routes if route.uri.endswith("ComputerSystem.Reset")), "1")
    assert victim.ask(Request("POST", reset, b'{"ResetType": "On"}', mixed)).status in (401, 403)


# -- races ------------------------------------------------------------------------------------------------------------


def raced(victim: World, request: Request) -> list[int]:
    """The statuses of four who send the same at the same time."""
    start, statuses = threading.Barrier(4), list[int]()

    def send_it() -> None:
        start.wait()
        statuses.append(send(victim.service.wsgi, request).status)

    threads = [threading.Thread(target=send_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_of_four_writes_with_one_tag_exactly_one_wins(victim: World) -> None:
    """What If-Match is checked against, and the write, are one turn."""
    bmc = victim.bmc
    values = (b"true", b"false") if isinstance(bmc.attributes()["NumLock"], bool) else (b'"On"', b'"Off"')
    for number in range(6):
        tag = bmc.get(bmc.settings).headers["ETag"]
        body = b'{"Attributes": {"NumLock": %s}}' % values[number % 2]
        statuses = raced(victim, Request("PATCH", bmc.settings, body, (("If-Match", tag),)))
        assert statuses.count(412) == 3, statuses
        assert sum(status < 300 for status in statuses) == 1, statuses
