"""AccountService, ManagerAccount, Role, SessionService and Session, as clients meet them."""

from __future__ import annotations

import base64
import logging
import re
import threading
from hashlib import blake2b

import pytest
from conftest import Bmc, capture

from emulator.core import access
from emulator.core.access import PRIVILEGES
from emulator.runtime import authentication

SERVICE = "/redfish/v1/AccountService"
ACCOUNTS, ROLES = f"{SERVICE}/Accounts", f"{SERVICE}/Roles"
SESSION_SERVICE = "/redfish/v1/SessionService"
SESSIONS = f"{SESSION_SERVICE}/Sessions"
EVE = {"UserName": "eve", "Password": "Paradise-1", "RoleId": "Operator"}


@pytest.fixture(autouse=True)
def hashes(monkeypatch):
    """The passwords that were hashed, by a hash that costs nothing. `test_access.py` and the clients have the real one."""
    found = []

    def hashed(password, salt):
        found.append(password)
        return f"scrypt${salt}${blake2b(password.encode(), key=salt.encode()).hexdigest()}"

    monkeypatch.setattr(access, "hash_password", hashed)
    for kept in (authentication.delivered_secret, authentication._nobodys):
        kept.cache_clear()
    yield found
    for kept in (authentication.delivered_secret, authentication._nobodys):
        kept.cache_clear()


@pytest.fixture(params=["lifecycle-server", "rack-server"])
def both(request, make_bmc):
    return make_bmc(mockup=request.param)


def place_of(bmc, name):
    """Where the account of this name stands."""
    members = bmc.get(f"{ACCOUNTS}?$expand=*").body["Members"]
    return next(member["@odata.id"] for member in members if member.get("UserName") == name)


def create(bmc, **more):
    answer = bmc.post(ACCOUNTS, {**EVE, **more})
    assert answer.status == 201, answer.body
    return answer.headers["Location"]


def log_in(bmc, user="root", password="calvin"):
    answer = bmc.post(SESSIONS, {"UserName": user, "Password": password})
    assert answer.status == 201, answer.body
    return {"X-Auth-Token": answer.headers["X-Auth-Token"]}, answer.headers["Location"]


def may(bmc, user, password):
    """The status of a read with these Basic credentials."""
    header = base64.b64encode(f"{user}:{password}".encode()).decode()
    return bmc.get(bmc.system, headers={"Authorization": f"Basic {header}"}).status


# -- accounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("collection", [ACCOUNTS, f"{ACCOUNTS}/Members"])
def test_an_account_is_created_used_changed_and_deleted(both, collection):
    made = both.post(collection, EVE)
    place = made.headers["Location"]
    assert (made.status, made.body["@odata.id"], made.body["Password"]) == (201, place, None)
    shown = both.get(place)
    assert {name: shown.body[name] for name in ("UserName", "RoleId", "Enabled", "Locked", "PasswordChangeRequired")} == {
        "UserName": "eve", "RoleId": "Operator", "Enabled": True, "Locked": False, "PasswordChangeRequired": False,
    }  # fmt: skip
    assert shown.body["Links"]["Role"] == {"@odata.id": f"{ROLES}/Operator"}
    assert shown.headers["ETag"] == shown.body["@odata.etag"]
    assert may(both, "eve", "Paradise-1") == 200
    changed = both.patch(place, {"RoleId": "ReadOnly", "UserName": "adam", "Enabled": False})
    assert (changed.status, changed.body["RoleId"], changed.body["Enabled"]) == (200, "ReadOnly", False)
    assert [may(both, name, "Paradise-1") for name in ("eve", "adam")] == [401, 401]
    assert both.delete(place).status in (200, 204)
    assert both.get(place).status == both.patch(place, {"Enabled": True}).status == both.delete(place).status == 404


REFUSED = [
    # situation, method, place, body, status, messages among the answer's
    ("no password", "POST", ACCOUNTS, {"UserName": "eve", "RoleId": "Operator"}, 400, {"Base.PropertyMissing"}),
    ("no such role", "POST", ACCOUNTS, {**EVE, "RoleId": "King"}, 400, {"Base.PropertyValueNotInList"}),
    ("a short password", "POST", ACCOUNTS, {**EVE, "Password": "x"}, 400, {"Base.PasswordIncorrectLength"}),
    ("a name twice", "POST", ACCOUNTS, {**EVE, "UserName": "ROOT"}, 400, {"Base.ResourceAlreadyExists"}),
    ("what accounts do not have", "POST", ACCOUNTS, {**EVE, "Bogus": 1}, 400, {"Base.PropertyUnknown"}),
    ("nothing to do", "PATCH", "{operator}", {"@odata.id": "/x"}, 400, {"Base.NoOperation"}),
    ("good and unknown", "PATCH", "{operator}", {"Enabled": False, "Bogus": 1}, 400, {"Base.PropertyUnknown"}),
    ("good and read-only", "PATCH", "{operator}", {"Enabled": False, "Id": "7"}, 400, {"Base.PropertyNotWritable"}),
    ("locked on purpose", "PATCH", "{operator}", {"Locked": True}, 400, {"Base.PropertyValueNotInList"}),
    ("the last administrator", "DELETE", "{root}", None, 409, {"Jobfish.LastAdministrator"}),
    ("he is demoted", "PATCH", "{root}", {"RoleId": "ReadOnly"}, 409, {"Jobfish.LastAdministrator"}),
    ("he is disabled", "PATCH", "{root}", {"Enabled": False}, 409, {"Jobfish.LastAdministrator"}),
    ("an old version", "PATCH", "{operator}", {"Enabled": False}, 412, {"Base.PreconditionFailed"}),
    ("his own password wrong", "POST", "{operator}/Actions/ManagerAccount.ChangePassword",
     {"NewPassword": "Paradise-1", "SessionAccountPassword": "wrong"}, 400, {"Base.ActionParameterValueError"}),
    ("a short new password", "POST", "{operator}/Actions/ManagerAccount.ChangePassword",
     {"NewPassword": "x", "SessionAccountPassword": "calvin"}, 400, {"Base.PasswordIncorrectLength"}),
    ("a predefined role", "PATCH", f"{ROLES}/ReadOnly", {"AssignedPrivileges": list(PRIVILEGES)}, 400,
     {"Base.PropertyNotWritable", "Jobfish.RoleIsPredefined"}),
    ("a predefined role goes", "DELETE", f"{ROLES}/ReadOnly", None, 405, {"Base.ResourceCannotBeDeleted"}),
    ("an unknown privilege", "POST", ROLES, {"RoleId": "x", "AssignedPrivileges": ["King"]}, 400,
     {"Base.PropertyValueNotInList"}),
    ("a role's name", "POST", ROLES, {"RoleId": "../x", "AssignedPrivileges": []}, 400, {"Base.PropertyValueFormatError"}),
    ("a length out of bounds", "PATCH", SERVICE, {"MinPasswordLength": -1}, 400, {"Base.PropertyValueOutOfRange"}),
    ("lengths that cross", "PATCH", SERVICE, {"MinPasswordLength": 41}, 400, {"Base.PropertyValueConflict"}),
    ("not the service's", "PATCH", SERVICE, {"Bogus": 1}, 400, {"Base.PropertyUnknown"}),
    ("29 seconds", "PATCH", SESSION_SERVICE, {"SessionTimeout": 29}, 400, {"Base.PropertyValueOutOfRange"}),
    ("86,401 seconds", "PATCH", SESSION_SERVICE, {"SessionTimeout": 86_401}, 400, {"Base.PropertyValueOutOfRange"}),
]  # fmt: skip


def test_what_cannot_be_is_refused_and_changes_nothing(both):
    places = {name: place_of(both, name) for name in ("root", "operator")}
    before = both.state()
    for situation, method, place, body, status, messages in REFUSED:
        headers = {"If-Match": '"old"'} if status == 412 else {}
        answer = both.call(method, place.format(**places), body, headers=headers)
        assert answer.status == status, (situation, answer.body)
        assert messages <= set(answer.message_ids), (situation, answer.message_ids)
        assert both.state() == before, situation


def test_of_several_writers_with_the_same_version_one_is_heard(rack):
    place = place_of(rack, "operator")
    seen = rack.get(place).headers["ETag"]
    statuses = []

    def write(number):
        body = {"Password": f"Paradise-{number}"}
        statuses.append(rack.patch(place, body, headers={"If-Match": seen}).status)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(statuses) == [200, 412, 412, 412]
    assert rack.get(place).headers["ETag"] != seen, "a password changes the version, too"


def test_numbered_slots_are_filled_and_emptied(make_bmc):
    """As the captured controller shows them: sixteen, of which the first is left alone."""
    bmc = make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))
    slots = bmc.get(f"{ACCOUNTS}?$expand=*").body["Members"]
    assert [slot["UserName"] for slot in slots] == ["", "root", "operator", "readonly", *[""] * 12]
    assert (slots[0]["Enabled"], slots[0]["RoleId"]) == (False, "None")
    assert bmc.get(f"{ROLES}/None").body["AssignedPrivileges"] == []
    assert bmc.patch(f"{ACCOUNTS}/9", {"Enabled": True}).message_ids[-2:] == ["IDRAC.SYS428", "Base.PropertyMissing"]
    filled = bmc.patch(
        f"{ACCOUNTS}/9", {**EVE, "Enabled": True}, headers={"If-Match": bmc.get(f"{ACCOUNTS}/9").headers["ETag"]}
    )
    assert (filled.status, may(bmc, "eve", "Paradise-1")) == (200, 200)
    assert bmc.patch(f"{ACCOUNTS}/9", {"UserName": "", "Enabled": False}).body["UserName"] == ""
    assert may(bmc, "eve", "Paradise-1") == 401
    assert create(bmc) == f"{ACCOUNTS}/5"
    assert bmc.delete(f"{ACCOUNTS}/5").status == 200
    assert bmc.get(f"{ACCOUNTS}/5").body["UserName"] == ""


def test_a_tree_without_these_services_gets_them(make_bmc):
    bmc = make_bmc(mockup=str(capture("dmtf-public-smartnic.tar.xz")))
    root = bmc.get("/redfish/v1/").body
    assert root["AccountService"] == {"@odata.id": SERVICE}
    for uri in (SERVICE, ACCOUNTS, ROLES, f"{ROLES}/Operator", SESSION_SERVICE, SESSIONS, place_of(bmc, "root")):
        assert bmc.get(uri).status == 200


# -- who may ----------------------------------------------------------------------------------------------------------

NOBODY_RISES = [
    # who, method, place, body, status
    ("readonly", "PATCH", "{readonly}", {"RoleId": "Administrator"}, 403),
    ("readonly", "PATCH", "{readonly}", {"Password": "Paradise-1", "RoleId": "Administrator"}, 403),
    ("readonly", "PATCH", "{readonly}", {"Enabled": True}, 403),
    ("readonly", "PATCH", "{readonly}", {"Bogus": True}, 403),
    ("readonly", "PATCH", "{operator}", {"Password": "Paradise-1"}, 403),
    ("readonly", "GET", "{operator}", None, 403),
    ("readonly", "GET", "{readonly}", None, 200),
    ("readonly", "GET", ACCOUNTS, None, 200),
    ("readonly", "DELETE", "{readonly}", None, 403),
    ("readonly", "POST", ACCOUNTS, EVE, 403),
    ("readonly", "POST", f"{ACCOUNTS}/Members", EVE, 403),
    ("readonly", "PATCH", SERVICE, {"AccountLockoutThreshold": 0}, 403),
    ("readonly", "PATCH", SESSION_SERVICE, {"SessionTimeout": 60}, 403),
    ("operator", "PATCH", "{operator}", {"RoleId": "Administrator"}, 403),
    ("operator", "PATCH", "{readonly}", {"Enabled": False}, 403),
    ("operator", "POST", ROLES, {"RoleId": "x", "AssignedPrivileges": list(PRIVILEGES)}, 403),
    ("operator", "PATCH", f"{ROLES}/Operator", {"AssignedPrivileges": list(PRIVILEGES)}, 403),
    ("operator", "POST", "{root}/Actions/ManagerAccount.ChangePassword",
     {"NewPassword": "Paradise-1", "SessionAccountPassword": "operator"}, 403),
    ("operator", "GET", "{session}", None, 403),
    ("operator", "DELETE", "{session}", None, 403),
]  # fmt: skip


def test_nobody_raises_himself_or_touches_others(both):
    places = {name: place_of(both, name) for name in ("root", "operator", "readonly")}
    _, places["session"] = log_in(both)
    before = both.state()
    for user, method, place, body, status in NOBODY_RISES:
        both.user = (user, user)
        answer = both.call(method, place.format(**places), body)
        assert answer.status == status, (user, method, place, answer.body)
        assert both.state() == before


def test_a_query_shows_no_more_than_a_look(both):
    """Whoever looked before: what one may not read is not shown where a list is expanded, or filtered."""
    expanded = f"{ACCOUNTS}?$expand=*"
    assert all("UserName" in member for member in both.get(expanded).body["Members"])
    both.user = ("readonly", "readonly")
    members = both.get(expanded).body["Members"]
    assert [member.get("UserName") for member in members] == [None, None, "readonly"]
    assert both.get(f"{ACCOUNTS}?$filter=UserName%20eq%20'root'").body["Members"] == []
    both.user = None
    for query in ("$expand=*", "$expand=*($levels=3)"):
        assert '"UserName"' not in str(both.get(f"/redfish/v1?{query}").body).replace("'", '"')
    assert both.get("/redfish/v1?$expand=*").body["Systems"] == {"@odata.id": "/redfish/v1/Systems"}
    both.user = ("root", "calvin")
    assert "Members" in both.get("/redfish/v1?$expand=*").body["Systems"]


def test_everybody_may_change_his_own_password(both):
    place = place_of(both, "readonly")
    mine, _ = log_in(both, "readonly", "readonly")
    other, _ = log_in(both, "readonly", "readonly")
    assert both.patch(place, {"Password": "Paradise-1"}, headers=mine).status == 200
    assert both.get(both.system, headers=mine).status == 200, "who asks stays"
    assert both.get(both.system, headers=other).status == 401, "all others log in again"
    assert [may(both, "readonly", password) for password in ("readonly", "Paradise-1")] == [401, 200]
    action = f"{place}/Actions/ManagerAccount.ChangePassword"
    body = {"NewPassword": "Paradise-2", "SessionAccountPassword": "Paradise-1"}
    assert both.post(action, body, headers=mine).status in (200, 204)
    assert may(both, "readonly", "Paradise-1") == 401


def test_a_role_of_ones_own_allows_what_it_says(rack):
    made = rack.post(ROLES, {"RoleId": "Auditor", "AssignedPrivileges": ["Login", "ConfigureUsers"]})
    assert (made.status, made.body["IsPredefined"], made.headers["Location"]) == (201, False, f"{ROLES}/Auditor")
    readonly = place_of(rack, "readonly")
    assert rack.patch(readonly, {"RoleId": "Auditor"}).status == 200
    assert rack.delete(f"{ROLES}/Auditor").status == 409
    rack.user = ("readonly", "readonly")
    assert rack.post(ACCOUNTS, {**EVE, "RoleId": "Auditor"}).status == 201
    assert rack.patch(readonly, {"RoleId": "Administrator"}).status == 403, "nobody gives what he does not have"
    rack.user = ("root", "calvin")
    assert rack.patch(f"{ROLES}/Auditor", {"AssignedPrivileges": ["Login"]}).body["AssignedPrivileges"] == ["Login"]
    rack.user = ("readonly", "readonly")
    assert rack.get(readonly).status == 403
    assert rack.get(rack.system).status == 200


# -- what is remembered, and locked -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [{"Password": "Paradise-2"}, {"Enabled": False}, None], ids=["password", "off", "gone"]
)
def test_what_was_right_a_moment_ago_dies_at_once(rack, body):
    place = create(rack)
    token, _ = log_in(rack, "eve", "Paradise-1")
    assert may(rack, "eve", "Paradise-1") == rack.get(rack.system, headers=token).status == 200
    assert (rack.delete(place) if body is None else rack.patch(place, body)).status < 300
    assert may(rack, "eve", "Paradise-1") == rack.get(rack.system, headers=token).status == 401


def test_each_controller_of_a_fleet_has_its_own_accounts(make_bmc):
    first = make_bmc(mockup="rack-server", controllers=2)
    second = Bmc(first.service, host="127.0.0.2")
    assert first.patch(place_of(first, "operator"), {"Password": "Paradise-1"}).status == 200
    first.user = second.user = ("operator", "operator")
    assert (first.get(first.system).status, second.get(second.system).status) == (401, 200)


def test_right_credentials_cost_one_hash_for_all_controllers(make_bmc, hashes):
    bmc = make_bmc(mockup="rack-server", controllers=3)
    assert hashes == [], "the start waits for none"
    for number in (1, 2, 3, 1, 2, 3):
        assert Bmc(bmc.service, host=f"127.0.0.{number}").get(bmc.system).status == 200
    assert hashes == ["calvin", "calvin"], "one that is kept, and one to compare it with"
    assert [may(bmc, user, "wrong") for user in ("root", "nobody")] == [401, 401]
    assert hashes.count("wrong") == 2, "a name that nobody has takes as long"


def test_failed_log_ins_lock_an_account_for_a_time(both):
    rules = {"AccountLockoutThreshold": 3, "AccountLockoutDuration": 60, "AccountLockoutCounterResetAfter": 30}
    assert both.patch(SERVICE, rules).status == 200
    place = place_of(both, "operator")
    assert both.post(SESSIONS, {"UserName": "operator", "Password": "wrong"}).status == 401
    assert [may(both, "operator", "wrong") for _ in range(2)] == [401, 401]
    answer = both.post(SESSIONS, {"UserName": "operator", "Password": "operator"})
    assert (answer.status, "lock" in str(answer.body).lower()) == (401, False), "as any other refusal"
    assert may(both, "operator", "operator") == 401
    assert both.get(place).body["Locked"] is True
    both.advance(60)
    assert both.get(place).body["Locked"] is False, "though nothing else has happened"
    assert may(both, "operator", "operator") == 200
    for _ in range(3):
        may(both, "operator", "wrong")
    assert both.patch(place, {"Locked": False}).body["Locked"] is False
    assert may(both, "operator", "operator") == 200


def test_basic_authentication_can_be_switched_off(both):
    token, _ = log_in(both)
    both.user = None
    for value, header in (("Enabled", True), ("Unadvertised", False), ("Disabled", False)):
        assert both.patch(SERVICE, {"HTTPBasicAuth": value}, headers=token).body["HTTPBasicAuth"] == value
        for uri in (both.system, "/jobfish/v1/clock"):
            assert ("WWW-Authenticate" in both.get(uri).headers) is header
        assert may(both, "root", "calvin") == (401 if value == "Disabled" else 200)
        assert both.get(both.system, headers=token).status == 200
        assert both.get("/jobfish/v1/clock", headers=token).status == 200


def test_a_service_that_is_switched_off_changes_nobody_and_lets_nobody_in(rack):
    token, place = log_in(rack)
    body = {"UserName": "root", "Password": "calvin"}
    assert rack.patch(SESSION_SERVICE, {"ServiceEnabled": False}).status == 200
    assert rack.post(SESSIONS, body).message_ids == rack.delete(place).message_ids == ["Base.ServiceDisabled"]
    assert rack.get(rack.system, headers=token).status == 200
    assert rack.patch(SESSION_SERVICE, {"ServiceEnabled": True}).status == 200
    assert rack.patch(SERVICE, {"ServiceEnabled": False}).status == 200
    for answer in (rack.post(SESSIONS, body), rack.post(ACCOUNTS, EVE), rack.delete(place_of(rack, "readonly"))):
        assert (answer.status, answer.message_ids) == (503, ["Base.ServiceDisabled"])


def test_who_has_to_change_his_password_can_do_nothing_else(both):
    place = create(both, RoleId="Administrator", PasswordChangeRequired=True)
    made = both.post(SESSIONS, {"UserName": "eve", "Password": "Paradise-1"})
    assert (made.status, made.message_ids, made.info[0]["MessageArgs"]) == (
        201,
        ["Base.PasswordChangeRequired"],
        [place],
    )
    token, session = {"X-Auth-Token": made.headers["X-Auth-Token"]}, made.headers["Location"]
    before = both.state()
    for method, uri, body in (
        ("GET", both.system, None),
        ("GET", ACCOUNTS, None),
        ("GET", place_of(both, "root"), None),
        ("GET", "/redfish/v1/Chassis?$top=1", None),
        ("PATCH", place, {"Enabled": True}),
        ("PATCH", place, {"Password": "Paradise-2", "PasswordChangeRequired": False}),
        ("PATCH", place_of(both, "root"), {"Password": "Paradise-2"}),
        ("DELETE", place, None),
        ("POST", ACCOUNTS, EVE),
    ):
        answer = both.call(method, uri, body, headers=token)
        assert (answer.status, answer.message_ids) == (403, ["Base.PasswordChangeRequired"]), (method, uri)
    assert both.get("/jobfish/v1/clock", headers=token).status == 403
    assert both.state() == before
    assert both.get(place, headers=token).status == both.get(session, headers=token).status == 200
    assert both.get("/redfish/v1/", headers=token).status == 200
    changed = both.patch(place, {"Password": "Paradise-2"}, headers=token)
    assert (changed.status, changed.body["PasswordChangeRequired"]) == (200, False)
    assert both.get(both.system, headers=token).status == 200


# -- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_that_nobody_uses_ends(both):
    assert both.patch(SESSION_SERVICE, {"SessionTimeout": 60}).body["SessionTimeout"] == 60
    token, place = log_in(both)
    other, there = log_in(both)
    for _ in range(3):
        both.advance(59)
        assert both.get(both.system, headers=token).status == 200
    assert both.get(both.system, headers=other).status == 401
    assert both.get(there).status == 404
    assert both.get(SESSIONS).body["Members"] == [{"@odata.id": place}]
    both.advance(60)
    assert both.get(SESSIONS).body["Members"] == []


def test_a_session_tells_whose_it_is(both):
    _, place = log_in(both, "operator", "operator")
    shown = both.get(place).body
    assert (shown["UserName"], shown["Roles"], shown["SessionType"]) == ("operator", ["Operator"], "Redfish")
    assert shown["ClientOriginIPAddress"] == "127.0.0.1"
    assert "ExpirationTime" not in shown
    changes = {"AbsoluteSessionTimeout": 90, "AbsoluteSessionTimeoutEnabled": True}
    assert both.patch(SESSION_SERVICE, changes).status == 200
    assert "ExpirationTime" in both.get(place).body


def test_who_advances_the_clock_by_a_session_is_using_it(rack):
    mine, _ = log_in(rack)
    other, _ = log_in(rack)
    assert rack.post("/jobfish/v1/clock", {"advance": 86_400}, headers=mine).status == 200
    assert [rack.get(rack.system, headers=token).status for token in (mine, other)] == [200, 401]


def test_tokens_are_long_and_nobody_guesses_them(rack):
    tokens = [log_in(rack)[0]["X-Auth-Token"] for _ in range(50)]
    assert len(set(tokens)) == 50
    assert all(re.fullmatch("[0-9a-f]{40}", token) for token in tokens)
    bits = "".join(f"{int(token, 16):0160b}" for token in tokens)
    assert 0.45 < bits.count("1") / len(bits) < 0.55
    near = f"{int(tokens[0], 16) ^ 1:040x}"
    for wrong in (near, tokens[0].upper() + "0", "", tokens[0][:-1], "\udcff", "é"):
        assert rack.get(rack.system, headers={"X-Auth-Token": wrong, "Authorization": "Basic x"}).status == 401


def test_no_secret_is_kept_logged_or_said(make_bmc, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    bmc = make_bmc(mockup="rack-server", state=tmp_path)
    secret = "Paradise-Lost-1667"
    place = create(bmc, Password=secret)
    answers = [
        bmc.get(place),
        bmc.patch(place, {"Password": secret + "\0"}),
        bmc.patch(place, {"Password": [secret]}),
        bmc.patch(place, {"Password": secret * 9}),
        bmc.post(SESSIONS, {"UserName": "eve", "Password": secret + "?"}),
        bmc.post(
            f"{place}/Actions/ManagerAccount.ChangePassword", {"NewPassword": 1, "SessionAccountPassword": secret}
        ),
    ]
    token, _ = log_in(bmc, "eve", secret)
    bmc.service.fleet.store.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    said = f"{[(answer.body, dict(answer.headers)) for answer in answers]}{caplog.text}"
    for text in (secret, token["X-Auth-Token"]):
        assert text not in said
        assert text.encode() not in kept


def test_accounts_roles_and_lock_outs_survive_a_restart(make_bmc, tmp_path):
    bmc = make_bmc(mockup="rack-server", state=tmp_path)
    bmc.patch(SERVICE, {"AccountLockoutThreshold": 1, "AccountLockoutDuration": 600})
    bmc.post(ROLES, {"RoleId": "Auditor", "AssignedPrivileges": ["Login"]})
    place = create(bmc, RoleId="Auditor")
    gone = place_of(bmc, "readonly")
    bmc.delete(gone)
    may(bmc, "operator", "wrong")
    token, _ = log_in(bmc)
    before = {uri: bmc.get(uri).body for uri in (SERVICE, ACCOUNTS, place, place_of(bmc, "operator"), ROLES)}
    bmc.service.fleet.store.close()
    again = make_bmc(mockup="rack-server", state=tmp_path)
    assert {uri: again.get(uri).body for uri in before} == before
    assert again.get(place_of(again, "operator")).body["Locked"] is True
    assert again.get(gone).status == 404
    assert may(again, "eve", "Paradise-1") == again.get(again.system, headers=token).status == 200
