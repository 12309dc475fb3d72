"""The lifecycle log: what is written into it and when, how it is read page by page, and how it is cleared."""

from __future__ import annotations

import re
from contextlib import contextmanager
from urllib.parse import quote

import orjson
import pytest
from conftest import Bmc, capture

from emulator.app import build_service
from emulator.settings import Settings

DELIVERED = {"lifecycle-server": range(1006, 1000, -1), "rack-server": range(5, 0, -1)}
"""The numbers of the entries that a mockup delivers, the newest first."""
CHANGES = {"lifecycle-server": {"NumLock": "Off"}, "rack-server": {"NumLock": False}}
ROLES = {"operator": "operator", "readonly": "readonly"}


@pytest.fixture(params=DELIVERED)
def both(make_bmc, request):
    """Both bundled mockups, one after the other."""
    return make_bmc(mockup=request.param)


def place(bmc):
    return bmc.service.site.lifecycle_log


def pages(bmc, uri=None):
    """Every page, by its links."""
    uri = uri or place(bmc).entries_uri
    while uri:
        page = bmc.get(uri)
        assert page.status == 200, page.body
        yield page.body
        uri = page.body.get("Members@odata.nextLink")


def entries(bmc, **query):
    uri = f"{place(bmc).entries_uri}?{'&'.join(f'${name}={quote(str(value))}' for name, value in query.items())}"
    return [entry for page in pages(bmc, uri) for entry in page["Members"]]


def numbers(found):
    return [int(entry["Id"]) for entry in found]


def written(bmc):
    """What this machine has written, the oldest first; the mockup's own entries are left out."""
    delivered = set(DELIVERED[bmc.service.site.tree.name])
    return [entry for entry in reversed(entries(bmc)) if int(entry["Id"]) not in delivered]


def name(entry):
    """A MessageId without its version."""
    return re.sub(r"\.\d+\.\d+\.", ".", entry["MessageId"])


def stage(bmc):
    """Values, and the job that will apply them; gives its id."""
    body = {"Attributes": CHANGES[bmc.service.site.tree.name], "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    answer = bmc.patch(bmc.settings, body)
    assert answer.status == 202, answer.body
    return answer.headers["Location"].rpartition("/")[2]


def run_a_job(bmc):
    job = stage(bmc)
    bmc.advance(60)
    bmc.reset()
    bmc.advance(600)
    return job


def fill(bmc, at_least):
    """Many entries: a job that is made and taken back writes three."""
    while len(written(bmc)) < at_least:
        for _ in range(10):
            assert bmc.delete(f"/redfish/v1/JobService/Jobs/{stage(bmc)}").status in (200, 204)


def clear(bmc, body=None):
    return bmc.post(bmc.get(place(bmc).uri).body["Actions"]["#LogService.ClearLog"]["target"], body)


def everything(bmc):
    """All that a refused request must leave alone, the log too."""
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        log = [orjson.dumps([entry.number, entry.at, entry.message.to_plain(), entry.origin]) for entry in machine.log]
        kept = {"log": (log, machine.log.to_plain()), "controller": machine.controller.to_plain()}
    return {**bmc.state(), **kept}


# -- what is in it ----------------------------------------------------------------------------------------------------


def test_the_service_tells_what_it_is(both):
    found = both.get(place(both).uri).body
    manager = both.get(both.manager).body
    assert {key: found[key] for key in ("MaxNumberOfRecords", "OverWritePolicy", "ServiceEnabled", "Entries")} == {
        "MaxNumberOfRecords": 10_000,
        "OverWritePolicy": "WrapsWhenFull",
        "ServiceEnabled": True,
        "Entries": {"@odata.id": place(both).entries_uri},
    }
    assert (found["DateTime"], found["DateTimeLocalOffset"]) == (manager["DateTime"], manager["DateTimeLocalOffset"])
    both.advance(3600)
    assert both.get(place(both).uri).body["DateTime"] == both.get(both.manager).body["DateTime"]


def test_the_job_service_and_the_manager_lead_to_it(both):
    assert both.get("/redfish/v1/JobService").body["Log"] == {"@odata.id": place(both).uri}
    services = both.get(both.get(both.manager).body["LogServices"]["@odata.id"]).body
    assert {"@odata.id": place(both).uri} in services["Members"]


STORY = [
    # what is done, seconds that go by, and what each controller then says (lifecycle controller, plain service)
    ("stage", "", [("IDRAC.JCP027", "Jobfish.JobCreated")]),
    ("", "validate", [("IDRAC.JCP051", "Jobfish.JobScheduled")]),
    ("reset", "", [("IDRAC.SYS1003", "Jobfish.HostStarting")]),
    ("", "post", [("IDRAC.PR20", "JobEvent.JobStarted")]),
    ("", "bios_step", [("Jobfish.StepDone", "Jobfish.StepDone"), ("IDRAC.JCP037", "JobEvent.JobCompletedOK")]),
    ("", "boot", []),
    ("power off", "", [("IDRAC.SYS1001", "Jobfish.HostPoweredOff")]),
    ("delete the job", "", [("IDRAC.JCP036", "JobEvent.JobRemoved")]),
]


def test_a_job_writes_its_story_as_it_happens(both):
    timings, which = both.service.manifest.timings, ["dell", "standard"].index(both.service.site.dialect)
    before, job = [], ""
    for deed, phase, expected in STORY:
        if deed == "stage":
            job = stage(both)
        elif deed == "delete the job":
            both.delete(f"/redfish/v1/JobService/Jobs/{job}")
        elif deed:
            both.reset({"reset": "ForceRestart", "power off": "ForceOff"}[deed])
        both.advance(getattr(timings, f"{phase}_seconds") if phase else 0)
        after = written(both)
        new = after[len(before) :]
        assert [name(entry) for entry in new] == [names[which] for names in expected], (deed, phase)
        now = both.get(both.manager).body["DateTime"]
        assert {entry["Created"] for entry in new} <= {now}, "each at its own moment, in local time"
        before = after


def test_an_entry_says_everything_about_itself(both):
    job = run_a_job(both)
    found = entries(both)[0]
    dell = both.service.site.dialect == "dell"
    assert {key: value for key, value in found.items() if key not in ("Created", "Message", "MessageId")} == {
        "@odata.id": f"{place(both).entries_uri}/{found['Id']}",
        "@odata.type": "#LogEntry.v1_21_0.LogEntry",
        "Id": found["Id"],
        "Name": f"Log Entry {found['Id']}",
        "EntryType": "Oem" if dell else "Event",
        "Severity": "OK",
        "MessageArgs": [job],
        "Resolution": found["Resolution"],
        "Originator": job,
        "OriginatorType": "Internal",
        "Links": {"OriginOfCondition": {"@odata.id": f"/redfish/v1/JobService/Jobs/{job}"}},
        **({"OemRecordFormat": "Dell"} if dell else {}),
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(-05:00|\+00:00)", found["Created"])
    assert job in found["Message"]
    assert all(entry["Message"] and entry["Severity"] in ("OK", "Warning", "Critical") for entry in entries(both))


def test_the_newest_comes_first_and_numbers_go_on_after_the_delivered_ones(both):
    delivered = list(DELIVERED[both.service.site.tree.name])
    assert numbers(entries(both)) == delivered
    run_a_job(both)
    found = numbers(entries(both))
    assert found == list(range(found[0], delivered[-1] - 1, -1))
    assert found[0] > delivered[0]
    assert both.get(place(both).entries_uri).body["Members@odata.count"] == len(found)


def test_an_entry_is_the_same_wherever_it_is_read(both):
    run_a_job(both)
    found = entries(both)
    for entry in found:
        assert both.get(entry["@odata.id"]).untagged == entry
    uri, entries_uri = place(both).uri, place(both).entries_uri
    assert both.get(f"{entries_uri}?$expand=.").body["Members"] == found
    assert both.get(f"{uri}?$expand=.").body["Entries"]["Members"] == found


def test_what_is_no_entry_is_not_found(both):
    last = entries(both)[0]["Id"]
    for wrong in (f"0{last}", int(last) + 1, -1, 0, "x", "9" * 30, f"{last}.0", "%30"):
        assert both.get(f"{place(both).entries_uri}/{wrong}").status == 404, wrong


def test_what_was_kept_of_the_log_is_never_served_after_something_was_written(both):
    uri = place(both).entries_uri
    assert both.get(uri).body == both.get(uri).body
    assert both.get(f"{uri}?$top=1").body == both.get(f"{uri}?$top=1").body
    first = both.get(uri).headers["ETag"]
    stage(both)
    assert both.get(uri).body["Members"][0] == both.get(f"{uri}?$top=1").body["Members"][0] == written(both)[-1]
    assert both.get(uri, headers={"If-None-Match": first}).status == 200


# -- what an entry is about -------------------------------------------------------------------------------------------


def test_every_entry_of_a_job_names_it(both):
    """Whether its text does or not ("Job in progress."), and also when the job itself is gone."""
    job = run_a_job(both)
    both.delete(f"/redfish/v1/JobService/Jobs/{job}")
    found = entries(both, filter=f"Originator eq '{job}'")
    assert len(found) == 6, "created, scheduled, started, a step, completed, deleted"
    others = [entry for entry in written(both) if entry not in found]
    assert not any(job in str(entry) for entry in others)
    assert [name(entry).rpartition(".")[2] for entry in others] in (["SYS1003"], ["HostStarting"])


def test_a_link_leads_somewhere_or_is_not_there(both):
    job = run_a_job(both)
    about = {entry["Links"]["OriginOfCondition"]["@odata.id"] for entry in written(both)}
    assert about == {f"/redfish/v1/JobService/Jobs/{job}", both.system}
    both.delete(f"/redfish/v1/JobService/Jobs/{job}")
    about = [entry["Links"]["OriginOfCondition"]["@odata.id"] for entry in entries(both) if entry.get("Links")]
    assert [both.get(uri).status for uri in about] == [200] * len(about)
    assert {both.system, both.manager} <= set(about)


def test_what_happened_to_a_device_leads_to_it(both):
    both.post(both.get(both.bios).body["Actions"]["#Bios.ResetBios"]["target"])
    both.reset()
    both.advance(600)
    (found,) = [entry for entry in written(both) if entry["Links"]["OriginOfCondition"]["@odata.id"] == both.bios]
    assert name(found) in ("IDRAC.UEFI0157", "Jobfish.DefaultsRestored")
    assert "Originator" not in found


def test_a_reboot_job_is_followed_from_its_making_to_its_end(bmc):
    job = bmc.create_reboot_job()
    bmc.act("SetupJobQueue", JobArray=[job], StartTimeInterval="TIME_NOW")
    bmc.advance(600)
    story = [name(entry) for entry in written(bmc) if entry.get("Originator") == job]
    assert story == ["IDRAC.JCP027", "IDRAC.JCP050", "IDRAC.RED029", "IDRAC.RED030"]


@pytest.mark.parametrize(("job_id", "says"), [("JID_CLEARALL", "JCP045"), ("JID_CLEARALL_FORCE", "JCP046")])
def test_clearing_the_queue_is_written_down(bmc, job_id, says):
    job = bmc.create_reboot_job()
    bmc.act("DeleteJobQueue", JobID=job_id)
    bmc.advance(300)
    story = [entry["MessageId"].rpartition(".")[2] for entry in written(bmc)]
    assert story == ["JCP027", "JCP009", "JCP036", says]
    assert {entry["Originator"] for entry in written(bmc)[:3]} == {job}


# -- finding ----------------------------------------------------------------------------------------------------------

FILTERS = [
    # $filter, the last parts of the message ids found
    ("MessageId eq 'JCP027'", {"JCP027"}),
    ("MessageId eq 'IDRAC.2.7.JCP027'", {"JCP027"}),
    ("MessageId eq 'IDRAC.2.9.JCP027'", set()),
    ("MessageId eq 'SYS1003' or MessageId eq 'UEFI0157'", {"SYS1003"}),
    ("Created ge '{start}' and MessageId eq 'SYS1003'", {"SYS1003"}),
    ("Created ge '{start}'", {"JCP027", "JCP051", "SYS1003", "PR20", "StepDone", "JCP037"}),
    ("Created gt '{restart}'", {"PR20", "StepDone", "JCP037"}),
    ("Created le '{restart}' and Created ge '{start}'", {"JCP027", "JCP051", "SYS1003"}),
    ("Created ge '2999-01-01T00:00:00Z'", set()),
    ("Links/OriginOfCondition/@odata.id eq '{system}' and Created ge '{start}'", {"SYS1003"}),
    ("MessageArgs eq '{job}' and Created ge '{start}'", {"JCP027", "JCP051", "StepDone", "JCP037"}),
]


@pytest.mark.parametrize("row", FILTERS, ids=[row[0] for row in FILTERS])
def test_entries_are_found_by_what_they_say_and_when(bmc, row):
    start = bmc.get(bmc.manager).body["DateTime"]
    job = stage(bmc)
    bmc.advance(60)
    restart = bmc.get(bmc.manager).body["DateTime"]
    bmc.reset()
    bmc.advance(600)
    wanted = row[0].format(start=start, restart=restart, system=bmc.system, job=job)
    found = entries(bmc, filter=wanted)
    assert {entry["MessageId"].rpartition(".")[2] for entry in found} == row[1]
    uri = f"{place(bmc).entries_uri}?$filter={quote(wanted)}&$top=1"
    assert bmc.get(uri).body["Members@odata.count"] == len(found), "a page of a selection still tells how many"


def test_messages_of_a_plain_service_are_found_too(rack):
    run_a_job(rack)
    for wanted in ("JobCompletedOK", "JobEvent.1.1.JobCompletedOK"):
        (found,) = entries(rack, filter=f"MessageId eq '{wanted}'")
        assert name(found) == "JobEvent.JobCompletedOK"


# -- page by page -----------------------------------------------------------------------------------------------------


def test_the_log_is_read_page_by_page(both):
    fill(both, 120)
    read = list(pages(both))
    sizes = [len(page["Members"]) for page in read]
    assert sizes[:-1] == [50] * (len(sizes) - 1)
    assert 0 < sizes[-1] <= 50
    assert {page["Members@odata.count"] for page in read} == {sum(sizes)}
    found = numbers(entry for page in read for entry in page["Members"])
    assert found == list(range(found[0], found[-1] - 1, -1)), "each once, down to the delivered ones"
    assert found[-1] == DELIVERED[both.service.site.tree.name][-1]
    assert "Members@odata.nextLink" not in read[-1]


def test_pages_are_as_long_as_the_client_says(both):
    fill(both, 60)
    whole = entries(both)
    assert entries(both, top=7) == whole
    assert both.get(f"{place(both).entries_uri}?$top=1000").body["Members"] == whole
    assert entries(both, skip=3, top=5) == whole[3:]
    assert both.get(f"{place(both).entries_uri}?$top=0").body["Members"] == []


def test_nothing_is_missed_where_entries_are_written_between_two_pages(both):
    fill(both, 60)
    before = set(numbers(entries(both)))
    seen = set()
    for page in pages(both):
        seen |= set(numbers(page["Members"]))
        both.delete(f"/redfish/v1/JobService/Jobs/{stage(both)}")
    assert before <= seen


def test_a_full_log_forgets_the_oldest_first(make_bmc, tmp_path):
    bmc = make_bmc(mockup=str(small_log(tmp_path, 32)))
    for _ in range(20):
        bmc.delete(f"{bmc.jobs}/{bmc.create_reboot_job()}")  # three entries
    assert bmc.get(place(bmc).uri).body["MaxNumberOfRecords"] == 32
    own = numbers(written(bmc))
    assert own == list(range(own[0], 1006 + 60 + 1))
    assert 16 < len(own) <= 32, "they are forgotten in chunks"
    assert bmc.get(f"{place(bmc).entries_uri}/{own[0]}").status == 200
    assert bmc.get(f"{place(bmc).entries_uri}/{own[0] - 1}").status == 404


def small_log(tmp_path, entries_max):
    import shutil

    from emulator.data import data_folder

    folder = tmp_path / "lifecycle-server"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", folder)
    manifest = folder / "machine.toml"
    manifest.write_text(manifest.read_text().replace("[policy]", f"[policy]\nmax_log_entries = {entries_max}"))
    return folder


# -- clearing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [None, {}, {"@odata.context": "x"}], ids=["no body", "{}", "an annotation"])
def test_clearing_forgets_everything_and_numbers_go_on(both, body):
    run_a_job(both)
    before = entries(both)
    answer = clear(both, body)
    if both.service.site.dialect == "dell":
        assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    else:
        assert (answer.status, answer.body) == (204, "")
    collection = both.get(place(both).entries_uri).body
    assert (collection["Members"], collection["Members@odata.count"]) == ([], 0)
    assert {both.get(entry["@odata.id"]).status for entry in before} == {404}, "delivered ones too"
    stage(both)
    assert numbers(entries(both)) == [int(before[0]["Id"]) + 1]


@contextmanager
def process(state):
    """A controller that is there for a while, and leaves its state behind."""
    service = build_service(Settings(clock="manual"), state_folder=state)
    service.start()
    try:
        yield Bmc(service)
    finally:
        service.stop()


def test_the_log_survives_the_process_and_what_was_cleared_stays_so(tmp_path):
    with process(tmp_path) as bmc:
        run_a_job(bmc)
        before = entries(bmc)
    with process(tmp_path) as bmc:
        assert entries(bmc) == before
        clear(bmc)
    with process(tmp_path) as bmc:
        assert entries(bmc) == []
        bmc.create_reboot_job()
        assert numbers(entries(bmc)) == [int(before[0]["Id"]) + 1]


CLEARED_IF = [
    # what was seen last, how its tag is sent, whether something was written since: status
    ("the log as it is", "{tag}", False, "done"),
    ("the log as it is, as a weak tag", "W/{tag}", False, "done"),
    ("the log as it was", "{tag}", True, 412),
    ("something else", '"0123456789"', False, 412),
    ("nothing", "", False, 412),
    ("any version", "*", False, 412),
]


@pytest.mark.parametrize("row", CLEARED_IF, ids=[row[0] for row in CLEARED_IF])
@pytest.mark.parametrize("many", [False, True], ids=["one page", "many pages"])
def test_with_an_etag_only_what_was_seen_is_cleared(both, row, many):
    _, sent, written_since, expected = row
    if many:
        fill(both, 60)
    tag = both.get(place(both).entries_uri).headers["ETag"]
    if written_since:
        stage(both)
    before = everything(both)
    answer = clear(both, {"LogEntriesETag": sent.format(tag=tag)})
    if expected == "done":
        assert answer.status in (200, 204)
        assert entries(both) == []
    else:
        assert (answer.status, answer.message_ids) == (expected, ["Base.PreconditionFailed"])
        assert {path.removeprefix("#") for path in answer.related} == {"/LogEntriesETag"}
        assert everything(both) == before


REFUSED = [
    # situation, body, what the messages end with
    ("malformed JSON", b"{", "MalformedJSON"),
    ("a list", b"[]", "UnrecognizedRequestBody"),
    ("an unknown parameter", {"LogType": "x"}, "ActionParameterUnknown"),
    ("a number for the tag", {"LogEntriesETag": 1}, "ActionParameterValueTypeError"),
    ("null for the tag", {"LogEntriesETag": None}, "ActionParameterValueTypeError"),
]


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_a_clear_log_that_cannot_be_is_refused_and_nothing_changes(both, row):
    _, body, ending = row
    run_a_job(both)
    before = everything(both)
    answer = clear(both, body)
    assert answer.status == 400
    assert answer.message_ids[-1].endswith(ending)
    assert everything(both) == before


@pytest.mark.parametrize("user", [*ROLES, None], ids=str)
def test_who_may_not_clear_the_log_changes_nothing(both, user):
    run_a_job(both)
    before, target = everything(both), both.get(place(both).uri).body["Actions"]["#LogService.ClearLog"]["target"]
    both.user = (user, ROLES[user]) if user else None
    answer = both.post(target, {})
    assert answer.status == (403 if user else 401)
    assert everything(both) == before
    assert both.get(place(both).entries_uri).status == (200 if user else 401), "everybody who logs in may read it"


def test_entries_cannot_be_written_or_deleted(both):
    before = everything(both)
    entry = entries(both)[0]["@odata.id"]
    for method, uri in (
        ("DELETE", entry),
        ("PATCH", entry),
        ("POST", place(both).entries_uri),
        ("PATCH", place(both).uri),
    ):
        assert both.call(method, uri, {}).status == 405, (method, uri)
    assert everything(both) == before


# -- beside it --------------------------------------------------------------------------------------------------------


def test_other_logs_stay_as_they_were_delivered(bmc):
    sel = f"{bmc.manager}/LogServices/Sel"
    run_a_job(bmc)
    for uri in (sel, f"{sel}/Entries", f"{sel}/Entries/1"):
        assert bmc.get(uri).untagged == bmc.service.site.tree.documents[uri]


def test_another_log_that_offers_it_can_be_cleared(make_bmc, tmp_path):
    bmc = make_bmc(state=tmp_path)
    sel = f"{bmc.manager}/LogServices/Sel"
    target = bmc.get(sel).body["Actions"]["#LogService.ClearLog"]["target"]
    before = written(bmc)
    assert bmc.post(target, {"Everything": True}).status == 400
    assert bmc.get(f"{sel}/Entries").body["Members@odata.count"] == 4
    assert bmc.post(target, {}).status == 200
    bmc.service.fleet.store.close()
    again = make_bmc(state=tmp_path)
    for uri, status in ((f"{sel}/Entries", 200), (f"{sel}/Entries/1", 404)):
        assert (bmc.get(uri).status, again.get(uri).status) == (status, status)
    assert again.get(f"{sel}/Entries").body == bmc.get(f"{sel}/Entries").body
    assert (again.get(f"{sel}/Entries").body["Members"], again.get(f"{sel}/Entries").body["Members@odata.count"]) == (
        [],
        0,
    )
    assert written(again) == before, "the lifecycle log is another one"


def test_the_older_uri_of_the_log_is_its_entries(bmc):
    fill(bmc, 60)
    old = f"{bmc.manager}/Logs/Lclog"
    assert [entry for page in pages(bmc, old) for entry in page["Members"]] == entries(bmc)
    assert bmc.get(old).body["@odata.id"] == place(bmc).entries_uri
    (found,) = bmc.get(f"{old}?$filter=MessageId eq 'USR0030'").body["Members"]
    assert found["Id"] == "1005"


def test_each_controller_has_a_log_of_its_own(make_bmc):
    bmc = make_bmc(controllers=3)
    run_a_job(bmc)
    first = entries(bmc)
    bmc.host = "127.0.0.2"
    assert numbers(entries(bmc)) == list(DELIVERED["lifecycle-server"])
    tag = bmc.get(place(bmc).entries_uri).headers["ETag"]
    assert clear(bmc, {"LogEntriesETag": tag}).status == 200
    assert entries(bmc) == []
    bmc.host = "127.0.0.1"
    assert entries(bmc) == first


# -- a captured machine -----------------------------------------------------------------------------------------------


def test_the_r750_goes_on_with_the_log_it_was_captured_with(make_bmc):
    r750 = make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))
    assert numbers(entries(r750)) == list(range(83434, 83429, -1))
    assert {entry["@odata.type"] for entry in entries(r750)} == {"#LogEntry.v1_9_0.LogEntry"}, "as they were captured"
    assert r750.patch_bios(NumLock="Off").status == 200
    job = r750.create_job()
    r750.reset()
    r750.advance(3600)
    found = entries(r750)
    assert numbers(found) == list(range(83440, 83429, -1))
    assert (found[0]["MessageId"], found[0]["MessageArgs"]) == ("IDRAC.2.7.JCP037", [job])
    assert {(entry["EntryType"], entry["OemRecordFormat"]) for entry in found} == {("Oem", "Dell")}
    assert r750.get("/redfish/v1/JobService").body["Log"] == {"@odata.id": place(r750).uri}
    assert len(entries(r750, filter="MessageId eq 'USR0030'")) == 2
    assert clear(r750).status == 200
    assert entries(r750) == []


def test_a_captured_plain_service_writes_into_its_managers_log(make_bmc):
    rackmount = make_bmc(mockup=str(capture("dmtf-public-rackmount1.tar.xz")))
    assert place(rackmount).uri == "/redfish/v1/Managers/BMC/LogServices/Log"
    assert rackmount.patch_bios(ProcTurboMode="Disabled").status == 200
    rackmount.reset()
    rackmount.advance(3600)
    found = entries(rackmount)
    assert numbers(found) == list(range(len(found), 0, -1))
    captured_override, job_before = name(found[0]), name(found[1])
    assert (captured_override, job_before) == ("Jobfish.HostBootsFrom", "JobEvent.JobCompletedOK")
