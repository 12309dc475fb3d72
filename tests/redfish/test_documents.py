"""Documents: what is served of a mockup, headers, conditional reading, queries."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest

from emulator import app
from emulator.mockup.reader import normal, read_tree
from emulator.runtime.fleet import Seat


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_every_link_of_a_bundled_mockup_leads_somewhere(make_bmc, mockup):
    bmc = make_bmc(mockup=mockup)
    bmc.patch_bios(**({"NumLock": "Off"} if mockup == "lifecycle-server" else {"NumLock": False}))
    bmc.patch(bmc.settings, {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}})
    seen, queue = set(), ["/redfish/v1"]
    while queue:
        uri = queue.pop()
        if uri in seen:
            continue
        seen.add(uri)
        answer = bmc.get(uri)
        assert answer.status in (200, 202), uri
        queue += [normal(link.partition("#")[0]) for link in _links(answer.body)]
    lonely = {uri for uri in set(bmc.service.site.tree.documents) - seen if not uri.startswith(KNOWN_BY_NAME)}
    assert lonely == set(), "what nobody links to cannot be found"


KNOWN_BY_NAME = ("/redfish/v1/AccountService/Accounts/", "/redfish/v1/UpdateService/Oem/Dell/DellSoftwareInventory")
"""The accounts are the manifest's; the software inventory is asked for by its name (clients do)."""


def _links(value):
    if isinstance(value, dict):
        for name, entry in value.items():
            if (name == "@odata.id" and isinstance(entry, str)) or (
                name in ("Uri", "TaskMonitor") and isinstance(entry, str)
            ):
                yield entry
            else:
                yield from _links(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _links(entry)


def test_the_headers_of_an_answer(bmc):
    headers = bmc.get(bmc.settings).headers
    assert headers["OData-Version"] == "4.0"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Content-Type"] == "application/json"
    assert headers["Allow"] == "GET, HEAD, PATCH"
    assert headers["Link"] == "<http://redfish.dmtf.org/schemas/v1/Bios.v1_2_3.json>; rel=describedby"
    assert bmc.call("PUT", bmc.settings, {}).headers["Allow"] == "GET, HEAD, PATCH"


def test_an_etag_changes_with_the_document_and_not_with_the_time(bmc):
    first = bmc.get(bmc.system).headers["ETag"]
    manager = bmc.get(bmc.manager).headers["ETag"]
    bmc.advance(10)
    assert bmc.get(bmc.system).headers["ETag"] == first
    assert bmc.get(bmc.manager).headers["ETag"] == manager
    assert bmc.get(bmc.system, headers={"If-None-Match": first}).status == 304
    bmc.reset()
    assert bmc.get(bmc.system).headers["ETag"] != first
    assert bmc.get(bmc.system, headers={"If-None-Match": first}).status == 200


def test_head_is_get_without_the_body(bmc):
    answer = bmc.call("HEAD", bmc.system)
    assert (answer.status, answer.body) == (200, "")
    assert answer.headers["ETag"] == bmc.get(bmc.system).headers["ETag"]


@pytest.mark.parametrize("spelling", ["{0}/", "{1}//{2}", "{1}/./{2}"])
def test_slashes_do_not_matter_and_dots_are_no_way_out(bmc, spelling):
    parent, _, last = bmc.system.rpartition("/")
    for headers in ({}, {"If-None-Match": '"another"'}):
        answer = bmc.get(spelling.format(bmc.system, parent, last), headers=headers)
        assert answer.status == (404 if "." in spelling else 200)


def test_the_managers_clock_is_the_machines(bmc):
    first = bmc.get(bmc.manager).body
    bmc.advance(3600)
    second = bmc.get(bmc.manager).body
    from datetime import datetime, timedelta

    moved = datetime.fromisoformat(second["DateTime"]) - datetime.fromisoformat(first["DateTime"])
    assert moved == timedelta(hours=1)
    assert second["DateTime"].endswith(second["DateTimeLocalOffset"])
    assert second["DateTimeLocalOffset"] == "-05:00"


@pytest.mark.parametrize("form", ["*", ".", "*($levels=1)", ".($levels=1)"])
def test_expanding_a_job_collection_gives_whole_jobs(bmc, form):
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job()
    for place in (bmc.jobs, f"{bmc.manager}/Jobs", "/redfish/v1/JobService/Jobs"):
        plain = bmc.get(place).body["Members"]
        assert plain == [{"@odata.id": f"{place}/{job}"}]
        assert bmc.get(f"{place}?$expand={form}").body["Members"][0]["Id"] == job


def test_paging_and_selecting(bmc):
    ids = [bmc.create_reboot_job() for _ in range(5)]
    page = bmc.get(f"{bmc.jobs}?$skip=1&$top=2").body
    assert [member["@odata.id"].rpartition("/")[2] for member in page["Members"]] == ids[1:3]
    assert page["Members@odata.count"] == 5
    following = bmc.get(page["Members@odata.nextLink"]).body
    assert [member["@odata.id"].rpartition("/")[2] for member in following["Members"]] == ids[3:5]
    assert "Members@odata.nextLink" not in following
    chosen = bmc.get(f"{bmc.jobs}/{ids[0]}?$select=JobState,Id").body
    assert set(chosen) == {"@odata.id", "@odata.type", "@odata.context", "@odata.etag", "JobState", "Id"}


def test_a_query_changes_nothing_that_is_served_later(bmc):
    plain = bmc.get("/redfish/v1/Systems").body
    bmc.get("/redfish/v1/Systems?$expand=*($levels=3)")
    bmc.get("/redfish/v1/Systems?$select=Name")
    assert bmc.get("/redfish/v1/Systems").body == plain


def test_the_cached_answer_is_the_fresh_one(bmc):
    """What is kept of an answer is never served after something changed or became due."""
    for uri in (bmc.system, bmc.bios, bmc.settings, bmc.jobs, bmc.job_service):
        assert bmc.get(uri).body == bmc.get(uri).body
    bmc.patch_bios(NumLock="Off")
    assert bmc.pending() == {"NumLock": "Off"}
    job = bmc.create_job()
    assert bmc.get(bmc.job_service).body["CurrentNumberOfJobs"] == 1
    assert bmc.job(job)["JobState"] == "New"
    bmc.reset("PowerCycle")
    assert bmc.get(bmc.system).body["PowerState"] == "Off"


def test_metadata_names_every_schema_that_is_used(bmc):
    metadata = bmc.get("/redfish/v1/$metadata")
    assert metadata.headers["Content-Type"].startswith("application/xml")
    kinds = {
        document["@odata.type"] for document in bmc.service.site.tree.documents.values() if "@odata.type" in document
    }
    for kind in kinds:
        assert f'Namespace="{kind[1:].rpartition(".")[0]}"' in metadata.body


def test_the_fast_path_says_what_flask_says_to_the_byte(make_bmc):
    """A header that only Flask reads sends the same question the long way round."""
    bmc = make_bmc(controllers=3)
    bmc.patch_bios(NumLock="Off")
    bmc.create_job()
    live = [bmc.bios, bmc.settings, bmc.jobs, bmc.job_service, "/redfish", "/redfish/v1/$metadata", "/redfish/v1/odata"]
    for host in ("127.0.0.1", "127.0.0.2"):
        bmc.host = host
        for uri in [*live, *bmc.service.site.tree.documents]:
            first, second = bmc.get(uri), bmc.get(uri)
            through_flask = bmc.get(uri, headers={"If-None-Match": '"another"'})
            for answer in (second, through_flask):
                assert (answer.status, answer.body, dict(answer.headers)) == (
                    first.status,
                    first.body,
                    dict(first.headers),
                ), uri


def test_the_fast_path_lets_nobody_in(bmc):
    assert bmc.get(bmc.system).status == 200
    assert bmc.get(bmc.system, headers={"Authorization": "Basic cm9vdDp3cm9uZw=="}).status == 401
    bmc.user = None
    assert bmc.get(bmc.system).status == 401
    assert bmc.get("/redfish/v1/Chassis").status == 401


@pytest.mark.parametrize("uri", ["/", "/nothing", "/jobfish/v1/nothing", "/redfishes"])
def test_what_is_served_nowhere_is_refused_in_json(bmc, uri):
    answer = bmc.get(uri)
    assert answer.status == 404
    assert "/redfish/v1/" in answer.body["error"]["message"]


@pytest.mark.parametrize(("version", "status"), [("4.0", 200), ("4.1", 412), ("5", 412)])
def test_another_version_of_odata_is_not_spoken(bmc, version, status):
    for _ in range(2):
        assert bmc.get("/redfish/v1/", headers={"OData-Version": version}).status == status


def test_a_write_between_a_readers_turn_and_what_is_kept_of_it_is_seen(bmc, monkeypatch):
    """The reader's bytes are those of its own turn; whoever reads next sees what was written since."""
    assert bmc.get(bmc.manager).status == 200  # who calls is known, which takes no turn from now on
    turn, writes = Seat.turn, iter(["ForceOff"])

    @contextmanager
    def turn_then_write(seat):
        with turn(seat) as machine:
            yield machine
        for kind in writes:
            assert bmc.reset(kind).status == 204

    monkeypatch.setattr(Seat, "turn", turn_then_write)
    assert bmc.get(bmc.system).body["PowerState"] == "On"
    monkeypatch.undo()
    assert bmc.get(bmc.system).body["PowerState"] == "Off"


def test_the_settings_of_a_bios_may_stand_anywhere(monkeypatch, make_bmc):
    whole = read_tree(app.find_mockup("rack-server"))
    bios, elsewhere = "/redfish/v1/Systems/rack-1/Bios", "/redfish/v1/Systems/rack-1/BiosSettings"
    moved = {**whole.documents[bios], "@Redfish.Settings": {"SettingsObject": {"@odata.id": elsewhere}}}
    documents = {**whole.documents, bios: moved, elsewhere: whole.documents[f"{bios}/Settings"]}
    del documents[f"{bios}/Settings"]
    tree = replace(whole, documents=documents)
    monkeypatch.setattr(app, "read_site", lambda _, kinds: (tree, *app.find_site(tree, kinds)))
    rack = make_bmc(mockup="rack-server")
    assert rack.settings == elsewhere
    assert rack.patch_bios(NumLock=False).status == 200
    assert rack.get(elsewhere).body["Attributes"] == {"NumLock": False}
