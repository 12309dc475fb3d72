"""Who may do what: credentials, sessions, privileges, peers."""

from __future__ import annotations

import base64

import pytest
from werkzeug.test import Client

from emulator.core.access import hash_password

OPEN = ("/redfish", "/redfish/v1", "/redfish/v1/", "/redfish/v1/odata", "/redfish/v1/$metadata")


@pytest.mark.parametrize("uri", OPEN)
def test_the_service_root_family_is_open_to_anybody(bmc, uri):
    bmc.user = None
    assert bmc.get(uri).status == 200


def test_everything_else_wants_credentials(bmc):
    """Every route that is declared, every method: nothing but the family above and the log-in lets a stranger in."""
    face_resources = _all_resources(bmc)
    bmc.user = None
    doors = set()
    for resource in face_resources:
        uri = resource.uri.replace("{id}", "1").replace("{step}", "1")
        for method in ("GET", *resource.verbs):
            answer = bmc.call(method, uri, {} if method != "GET" else None)
            if answer.status != 401:
                doors.add((method, resource.uri))
    assert doors == {
        ("GET", "/redfish"),
        ("GET", "/redfish/v1"),
        ("GET", "/redfish/v1/odata"),
        ("POST", "/redfish/v1/SessionService/Sessions"),
    }
    for uri in list(bmc.service.site.tree.documents)[1:]:
        if uri not in OPEN:
            assert bmc.get(uri).status == 401, uri


def _all_resources(bmc):
    from emulator.app import DIALECTS
    from emulator.redfish.views import resources

    _, oem = DIALECTS[bmc.service.site.dialect]
    return [*resources(bmc.service.site), *oem.resources(bmc.service.site)]


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Basic cm9vdA==", "Bearer x", "Basic " + base64.b64encode(b"root:wrong").decode(), "Basic " + base64.b64encode(b"\xff:\xff").decode()],
)  # fmt: skip
def test_wrong_credentials_are_refused_and_not_repeated(bmc, header):
    answer = bmc.get(bmc.system, headers={"Authorization": header})
    assert (answer.status, answer.message_ids[0]) == (401, "IDRAC.SYS415")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert "wrong" not in str(answer.body["error"]["@Message.ExtendedInfo"][1]["MessageArgs"])


def test_no_credentials_is_another_refusal(bmc):
    bmc.user = None
    answer = bmc.get(bmc.system)
    assert (answer.status, answer.message_ids[0]) == (401, "IDRAC.SYS416")


ROLES = {"root": "calvin", "operator": "operator", "readonly": "readonly"}
WRITES = [
    # method, place, body, roles that may
    ("PATCH", "{settings}", {"Attributes": {"NumLock": "Off"}}, {"root", "operator"}),
    ("POST", "{system}/Actions/ComputerSystem.Reset", {"ResetType": "On"}, {"root", "operator"}),
    ("POST", "{job_service}/Actions/DellJobService.CreateRebootJob", {"RebootJobType": "PowerCycle"}, {"root", "operator"}),
    ("POST", "/jobfish/v1/clock", {"advance": 1}, {"root"}),
    ("POST", "/jobfish/v1/faults", {"target": "x", "step": "y"}, {"root"}),
    ("DELETE", "/jobfish/v1/faults", None, {"root"}),
]  # fmt: skip


@pytest.mark.parametrize("user", ROLES)
@pytest.mark.parametrize("row", WRITES, ids=[f"{row[0]} {row[1]}" for row in WRITES])
def test_writing_needs_the_privilege(bmc, row, user):
    method, place, body, may = row
    bmc.user = (user, ROLES[user])
    uri = place.format(settings=bmc.settings, system=bmc.system, job_service=bmc.job_service)
    before = bmc.state()
    answer = bmc.call(method, uri, body)
    if user in may:
        assert answer.status < 300
    else:
        assert answer.status == 403
        assert bmc.state() == before
    assert bmc.get(bmc.system).status == 200, "everybody may look"


def log_in(bmc, user="root", password="calvin"):
    return bmc.post("/redfish/v1/SessionService/Sessions", {"UserName": user, "Password": password})


def test_a_session_lasts_until_it_is_deleted(bmc):
    made = log_in(bmc)
    assert made.status == 201
    token = {"X-Auth-Token": made.headers["X-Auth-Token"]}
    place = made.headers["Location"]
    assert made.body["UserName"] == "root"
    assert bmc.get(bmc.system, headers=token).status == 200
    assert bmc.get(place, headers=token).body["Id"] == place.rpartition("/")[2]
    assert bmc.delete(place, headers=token).status == 200
    assert bmc.get(bmc.system, headers=token).status == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"UserName": "root", "Password": "wrong"}, 401),
        ({"UserName": "nobody", "Password": "calvin"}, 401),
        ({"UserName": "root"}, 400),
        ({"UserName": 1, "Password": "x"}, 400),
    ],
)
def test_a_wrong_log_in_makes_no_session(bmc, body, status):
    before = bmc.state()
    assert bmc.post("/redfish/v1/SessionService/Sessions", body).status == status
    assert bmc.state() == before


def test_nobody_ends_anothers_session_without_the_privilege(bmc):
    place = log_in(bmc).headers["Location"]
    token = {"X-Auth-Token": log_in(bmc, "operator", "operator").headers["X-Auth-Token"]}
    assert bmc.delete(place, headers=token).status == 403
    assert bmc.get(place).status == 200


def test_no_token_and_no_password_is_kept_or_shown(bmc):
    token = log_in(bmc).headers["X-Auth-Token"]
    kept = b" ".join(bmc.state().values())
    assert token.encode() not in kept
    assert b"calvin" not in kept
    accounts = bmc.get("/redfish/v1/AccountService/Accounts?$expand=*").body["Members"]
    assert [account["Password"] for account in accounts] == [None, None, None]
    assert [account["RoleId"] for account in accounts] == ["Administrator", "Operator", "ReadOnly"]


def test_a_hashed_password_of_a_manifest_works(make_bmc, tmp_path):
    import shutil

    from emulator.data import data_folder

    folder = tmp_path / "hashed"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", folder)
    manifest = folder / "machine.toml"
    manifest.write_text(
        manifest.read_text().replace('password = "calvin"', f'password_hash = "{hash_password("calvin", "salt")}"')
    )
    bmc = make_bmc(mockup=str(folder))
    assert bmc.get(bmc.system).status == 200
    bmc.user = ("root", "calvi")
    assert bmc.get(bmc.system).status == 401


@pytest.mark.parametrize(
    ("peer", "status"),
    [("127.0.0.1", 200), ("127.8.9.1", 200), ("::1", 200), ("::ffff:127.0.0.1", 200), ("192.0.2.7", 403), ("2001:db8::1", 403), ("", 403), ("nonsense", 403)],
)  # fmt: skip
def test_peers_elsewhere_are_turned_away(bmc, peer, status):
    answer = Client(bmc.service.wsgi).get("/redfish/v1/", environ_overrides={"REMOTE_ADDR": peer})
    assert answer.status_code == status


def test_peers_elsewhere_are_answered_when_that_was_asked_for(make_bmc):
    bmc = make_bmc(allow_remote=True)
    assert (
        Client(bmc.service.wsgi).get("/redfish/v1/", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code == 200
    )
