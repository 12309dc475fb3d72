"""DSP0266's protocol: which headers a request may carry, and which ones each answer has."""

from __future__ import annotations

import re

import pytest
from conftest import Bmc

from emulator.app import build_service
from emulator.data import schema
from emulator.redfish.capability import permitted
from emulator.settings import Settings

ROOT = "/redfish/v1"
MOCKUPS = {
    "lifecycle-server": ("Systems/System.Embedded.1", "Managers/iDRAC.Embedded.1", "Chassis/System.Embedded.1"),
    "rack-server": ("Systems/rack-1", "Managers/bmc", "Chassis/rack-1"),
}
FACTS = schema("resources/capabilities")


@pytest.fixture(scope="module", params=list(MOCKUPS))
def server(request):
    """One controller of each kind, for tests that change nothing."""
    service = build_service(Settings(mockup=request.param, clock="manual"))
    service.start()
    yield Bmc(service)
    service.stop()


@pytest.fixture
def stranger(server):
    user, server.user = server.user, None
    yield server
    server.user = user


def everything(bmc):
    """Every resource that can be found by following links from the root, and its answer."""
    waiting, seen = [ROOT], {}
    while waiting:
        uri = waiting.pop()
        if uri in seen or "#" in uri:
            continue
        seen[uri] = bmc.get(uri)
        if isinstance(seen[uri].body, dict):
            waiting.extend(links(seen[uri].body))
    return {uri: answer for uri, answer in seen.items() if answer.status == 200}


def links(value):
    if isinstance(value, dict):
        if isinstance(value.get("@odata.id"), str):
            yield value["@odata.id"].rstrip("/")
        for entry in value.values():
            yield from links(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from links(entry)


# -- what each answer has ---------------------------------------------------------------------------------------------


def test_every_resource_has_the_headers_and_an_etag_that_is_in_its_body(server):
    found = everything(server)
    assert len(found) > 100
    for uri, answer in found.items():
        assert answer.headers["OData-Version"] == "4.0", uri
        assert answer.headers["Cache-Control"] == "no-cache", uri
        assert answer.headers["Content-Type"] == "application/json", uri
        assert re.fullmatch(r'"[0-9a-f]{18}"', answer.headers["ETag"]), uri
        assert answer.body.get("@odata.etag", answer.headers["ETag"]) == answer.headers["ETag"], uri
        assert ("@odata.etag" in answer.body) == ("@odata.id" in answer.body), uri
        kind = answer.body["@odata.type"][1:].rpartition(".")[0]
        assert answer.headers["Link"] == f"<http://redfish.dmtf.org/schemas/v1/{kind}.json>; rel=describedby", uri


def test_allow_never_names_what_the_schema_does_not_permit(server):
    methods = {"POST": "insertable", "PATCH": "updatable", "PUT": "updatable", "DELETE": "deletable"}
    named = set()
    for uri, answer in everything(server).items():
        facts = FACTS.get(answer.body["@odata.type"][1:].partition(".")[0])
        allowed = answer.headers["Allow"].split(", ")
        assert allowed[:2] == ["GET", "HEAD"]
        named |= set(allowed)
        for method in allowed[2:]:
            assert facts is None or facts[methods[method]], f"{method} {uri}"
    assert {"POST", "PATCH"} <= named


PERMITTED = [
    # schema, methods: spot checks of what docs/schema_facts.py has read
    ("SoftwareInventoryCollection", ""),
    ("SessionCollection", "POST"),
    ("Session", "DELETE"),
    ("Task", "DELETE"),
    ("VolumeCollection", "POST"),
    ("Volume", "PATCH DELETE"),
    ("Bios", "PATCH"),
    ("ServiceRoot", ""),
    ("ActionInfo", ""),
    ("DellJob", "POST PATCH DELETE"),
]


@pytest.mark.parametrize(("name", "methods"), PERMITTED)
def test_what_a_schema_permits(name, methods):
    found = permitted(f"#{name}.v1_0_0.{name}", ("POST", "PATCH", "DELETE"))
    assert list(found) == methods.split()


def test_a_head_has_the_headers_of_a_get_and_no_body(server):
    for uri in (ROOT, server.system, f"{ROOT}/Systems", f"{ROOT}/$metadata", f"{ROOT}/SessionService/Sessions"):
        got, head = server.get(uri), server.call("HEAD", uri)
        assert head.status == 200
        assert not head.body
        assert dict(head.headers) == dict(got.headers)


def test_options_tells_what_may_be_done(server):
    for uri in (ROOT, server.system, f"{server.system}/Actions/ComputerSystem.Reset", f"{ROOT}/$metadata"):
        answer = server.call("OPTIONS", uri)
        assert (answer.status, answer.body) == (204, "")
        if "Actions" not in uri:
            assert answer.headers["Allow"] == server.get(uri).headers["Allow"]
    assert server.call("OPTIONS", f"{server.system}/Actions/ComputerSystem.Reset").headers["Allow"] == "POST"
    assert server.call("OPTIONS", f"{ROOT}/Nothing").status == 404


def test_the_version_document_is_exactly_this(stranger):
    answer = stranger.get("/redfish/")
    assert answer.body == {"v1": "/redfish/v1/"}
    assert stranger.get("/redfish").body == answer.body
    assert stranger.get(f"{ROOT}/odata/").body["@odata.context"] == f"{ROOT}/$metadata"
    assert stranger.get(f"{ROOT}/$metadata?anything=1").headers["Content-Type"].startswith("application/xml")


# -- what a request may carry -----------------------------------------------------------------------------------------

JSON, XML = ROOT, f"{ROOT}/$metadata"
ACCEPTED = [
    # URI, Accept, status
    *((JSON, f"{kind}{more}", 200) for kind in ("application/json", "application/*", "*/*") for more in ("", ";charset=utf-8")),
    *((XML, f"{kind}{more}", 200) for kind in ("application/xml", "application/*", "*/*") for more in ("", ";charset=utf-8")),
    (JSON, "", 200),
    (JSON, "text/html, application/xhtml+xml, */*;q=0.1", 200),
    (JSON, "Application/JSON", 200),
    (JSON, "text/html", 406),
    (JSON, "application/xml", 406),
    (JSON, "text/*", 406),
    (JSON, "application/json;q=0, */*", 406),
    (JSON, "rubbish", 406),
    (XML, "application/json", 406),
]  # fmt: skip


@pytest.mark.parametrize(("uri", "accept", "status"), ACCEPTED)
def test_what_the_client_does_not_take_is_not_sent(server, uri, accept, status):
    for more in ("", "?unknown=1"):  # in front of Flask, and behind it
        answer = server.get(uri + more, headers={"Accept": accept})
        assert answer.status == status
        assert status == 200 or answer.message_ids == ["Jobfish.NotAcceptable"]


PRECEDENCE = [
    # situation, method, URI, headers, body, status, last message
    ("no credentials go before everything", "GET", "{root}/Nothing", {"Authorization": "", "Accept": "text/html", "OData-Version": "4.1"}, None, 401, None),
    ("nor is a tag looked at", "GET", "{system}", {"Authorization": "", "If-None-Match": "*"}, None, 401, None),
    ("wrong ones do as well", "PATCH", "{root}/Nothing", {"X-Auth-Token": "x"}, {}, 401, None),
    ("another OData version", "GET", "{system}", {"OData-Version": "4.1"}, None, 412, "Base.PreconditionFailed"),
    ("the version is read before the URI", "GET", "{root}/Nothing", {"OData-Version": "4.1"}, None, 412, "Base.PreconditionFailed"),
    ("nothing there", "GET", "{root}/Nothing", {"Accept": "text/html"}, None, 404, "Base.ResourceMissingAtURI"),
    ("nothing there to write", "PATCH", "{root}/Nothing", {}, {}, 404, "Base.ResourceMissingAtURI"),
    ("Accept goes before the method", "PATCH", "{root}", {"Accept": "text/html"}, {}, 406, "Jobfish.NotAcceptable"),
    ("DELETE of the root", "DELETE", "{root}", {}, None, 405, "Base.OperationNotAllowed"),
    ("PATCH of the root", "PATCH", "{root}/", {}, {}, 405, "Base.OperationNotAllowed"),
    ("POST to the root", "POST", "{root}", {}, {}, 405, "Base.OperationNotAllowed"),
    ("PATCH of a collection", "PATCH", "{root}/Systems", {}, {}, 405, "Base.OperationNotAllowed"),
    ("PATCH of a registry", "PATCH", "{root}/Registries", {}, {}, 405, "Base.OperationNotAllowed"),
    ("a method that nobody knows", "FAKEMETHODFORTEST", "{root}/", {}, None, 405, "Base.OperationNotAllowed"),
    ("PUT", "PUT", "{system}", {}, {}, 405, "Base.OperationNotAllowed"),
    ("the method goes before the body", "PATCH", "{root}", {"Content-Type": "text/plain"}, b"{", 405, "Base.OperationNotAllowed"),
    ("a query with PATCH", "PATCH", "{system}?$expand=.", {}, b"{", 400, "Base.QueryNotSupportedOnOperation"),
    ("a query with POST", "POST", "{system}/Actions/ComputerSystem.Reset?only", {}, b"{", 400, "Base.QueryNotSupportedOnOperation"),
    ("another media type", "PATCH", "{system}", {"Content-Type": "text/plain"}, b"{}", 415, None),
    ("no JSON", "PATCH", "{system}", {"Content-Type": "application/json;charset=utf-8"}, b"{", 400, "Base.MalformedJSON"),
    ("a tag that is not the resource's", "PATCH", "{system}", {"If-Match": '"0"'}, {"AssetTag": "x"}, 412, "Base.PreconditionFailed"),
    ("nor of the resource that an action is of", "POST", "{system}/Actions/ComputerSystem.Reset", {"If-Match": 'W/"0", "1"'}, {"ResetType": "On"}, 412, "Base.PreconditionFailed"),
]  # fmt: skip


@pytest.mark.parametrize("row", PRECEDENCE, ids=[row[0] for row in PRECEDENCE])
def test_what_is_wrong_with_a_request_is_told_in_order(server, row):
    _, method, uri, headers, body, status, message = row
    before = server.state()
    answer = server.call(method, uri.format(root=ROOT, system=server.system), body, headers=headers)
    assert answer.status == status
    assert message in (None, answer.message_ids[-1])
    assert answer.headers["OData-Version"] == "4.0"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert ("Allow" in answer.headers) == (status == 405)
    assert server.state() == before


def test_a_reader_who_has_it_already_gets_304(server):
    for uri in (ROOT, server.system, f"{ROOT}/Systems", f"{server.system}?$select=Name"):
        tag = server.get(uri).headers["ETag"]
        for wanted in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = server.get(uri, headers={"If-None-Match": wanted})
            assert (answer.status, answer.body, answer.headers["ETag"]) == (304, "", tag)
        assert server.get(uri, headers={"If-None-Match": '"x"'}).status == 200


def test_a_part_of_a_resource_has_the_tag_of_the_whole(server):
    tag = server.get(server.system).headers["ETag"]
    part = server.get(f"{server.system}?$select=Name")
    assert (part.headers["ETag"], part.body["@odata.etag"]) == (tag, tag)


def test_the_time_of_day_makes_no_other_document(make_bmc):
    bmc = make_bmc()
    managers = f"{ROOT}/Managers"
    first, among = bmc.get(bmc.manager), bmc.get(f"{managers}?$expand=*")
    bmc.advance(5)
    second = bmc.get(bmc.manager)
    assert second.body["DateTime"] > first.body["DateTime"]
    assert second.headers["ETag"] == first.headers["ETag"]
    assert bmc.get(f"{managers}?$expand=*").headers["ETag"] == among.headers["ETag"]


def test_what_is_expanded_has_the_tag_that_it_has_by_itself(make_bmc):
    bmc = make_bmc(controllers=2)
    bmc.create_reboot_job()
    for bmc.host in ("127.0.0.1", "127.0.0.2"):
        for uri in (f"{ROOT}/Systems", f"{ROOT}/Managers", f"{bmc.system}/Memory", bmc.jobs):
            for member in bmc.get(f"{uri}?$expand=*($levels=2)").body["Members"]:
                assert member["@odata.etag"] == bmc.get(member["@odata.id"]).headers["ETag"]


def test_an_expanded_answer_changes_with_what_it_shows(make_bmc):
    bmc = make_bmc(mockup="rack-server")
    expanded = f"{ROOT}/Systems?$expand=*($levels=2)"
    before = bmc.get(expanded).headers["ETag"]
    secure_boot = f"{bmc.system}/SecureBoot"
    wanted = not bmc.get(secure_boot).body["SecureBootEnable"]
    assert bmc.patch(secure_boot, {"SecureBootEnable": wanted}).status == 200
    assert bmc.get(expanded).headers["ETag"] != before


def test_members_of_a_collection_are_the_collection_for_a_post(make_bmc):
    bmc = make_bmc()
    sessions = f"{ROOT}/SessionService/Sessions"
    made = bmc.post(f"{sessions}/Members", {"UserName": "root", "Password": "calvin"})
    assert made.status == 201
    assert made.headers["Location"].startswith(f"{sessions}/")
    job = bmc.post(f"{bmc.jobs}/Members", {"TargetSettingsURI": bmc.settings})
    assert job.message_ids == bmc.post(bmc.jobs, {"TargetSettingsURI": bmc.settings}).message_ids
    assert bmc.post(f"{ROOT}/Systems/Members", {}).status == 404
    assert bmc.post(f"{ROOT}/Members", {}).status == 404


def test_a_tag_holds_until_somebody_writes(make_bmc):
    bmc = make_bmc(mockup="rack-server")
    uri = f"{ROOT}/Chassis/rack-1"
    first = bmc.get(uri).headers["ETag"]
    changed = bmc.patch(uri, {"AssetTag": "one"}, headers={"If-Match": first})
    assert (changed.status, changed.body["AssetTag"]) == (200, "one")
    assert changed.headers["ETag"] == changed.body["@odata.etag"] == bmc.get(uri).headers["ETag"] != first
    for stale in (first, f"W/{first}"):
        assert bmc.patch(uri, {"AssetTag": "two"}, headers={"If-Match": stale}).status == 412
    assert bmc.get(uri).body["AssetTag"] == "one"
    assert (
        bmc.patch(uri, {"AssetTag": "two"}, headers={"If-Match": f'"x", {bmc.get(uri).headers["ETag"]}'}).status == 200
    )


def test_an_action_without_required_parameters_takes_an_empty_object(make_bmc):
    bmc = make_bmc(mockup="rack-server")
    for body in ({}, b""):
        assert bmc.post(f"{bmc.bios}/Actions/Bios.ResetBios", body).status in (200, 202, 204)
