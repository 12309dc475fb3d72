"""Queries on collections: $filter, $skip, $top, $expand and $select, one after the other, and the way to the next page."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from conftest import Bmc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import emulator.app
from emulator.redfish.view import LazyMembers, Resource, link
from emulator.settings import Settings

MEMORY = "/redfish/v1/Systems/System.Embedded.1/Memory"
SENSORS = "/redfish/v1/Chassis/System.Embedded.1/Sensors"
LOG = "/redfish/v1/Managers/iDRAC.Embedded.1/LogServices/Lclog/Entries"
COLLECTIONS = [MEMORY, SENSORS, LOG]
SYSTEMS, SYSTEM = "/redfish/v1/Systems", "/redfish/v1/Systems/System.Embedded.1"

BANKS = {bank: [f"DIMM.Socket.{bank}{number}" for number in range(1, 9)] for bank in "AB"}
TEMPERATURES = [
    "SystemBoardInletTemp",
    "SystemBoardExhaustTemp",
    "SystemBoardTemp",
    "CPU1Temp",
    "CPU2Temp",
    "CPU1DIMMTemp",
    "CPU2DIMMTemp",
]


@pytest.fixture(scope="module")
def still():
    """One controller for all that changes nothing."""
    service = emulator.app.build_service(Settings(clock="manual"))
    service.start()
    yield Bmc(service)
    service.stop()


def ids(collection):
    """The last segments of the members' URIs."""
    return [member["@odata.id"].rpartition("/")[2] for member in collection["Members"]]


def query(uri, **parameters):
    """A URI with these $parameters, encoded."""
    return f"{uri}?" + "&".join(f"${name}={quote(str(value), safe='')}" for name, value in parameters.items())


def pages(bmc, uri):
    """Every page, from this one on: the answers' bodies. No page comes twice."""
    seen = set()
    while uri:
        assert uri not in seen
        seen.add(uri)
        answer = bmc.get(uri)
        assert answer.status == 200, answer.body
        yield answer.body
        uri = answer.body.get("Members@odata.nextLink")


def walk(bmc, uri):
    """Everybody's last segment, page by page."""
    return [member for page in pages(bmc, uri) for member in ids(page)]


# -- $filter ----------------------------------------------------------------------------------------------------------

FILTERED = [
    # collection, $filter, members
    (MEMORY, "MemoryLocation/Socket eq 2", BANKS["B"]),
    (MEMORY, "MemoryLocation/Socket ne 2", BANKS["A"]),
    (MEMORY, "not (MemoryLocation/Socket eq 2)", BANKS["A"]),
    (MEMORY, "Id eq 'DIMM.Socket.A5'", ["DIMM.Socket.A5"]),
    (MEMORY, f"@odata.id eq '{MEMORY}/DIMM.Socket.A5'", ["DIMM.Socket.A5"]),
    (MEMORY, "SerialNumber eq '52A1CBAC'", ["DIMM.Socket.A5"]),
    (MEMORY, "AllowedSpeedsMHz eq 4800 and Id le 'DIMM.Socket.A2'", ["DIMM.Socket.A1", "DIMM.Socket.A2"]),
    (MEMORY, "Id eq 'DIMM.Socket.B8' or Id eq 'DIMM.Socket.A1'", ["DIMM.Socket.A1", "DIMM.Socket.B8"]),
    (
        MEMORY,
        "Id eq 'DIMM.Socket.A1' or MemoryLocation/Socket eq 2 and MemoryLocation/Channel eq 1 and RankCount lt 2",
        ["DIMM.Socket.A1"],
    ),
    (
        MEMORY,
        "(Id eq 'DIMM.Socket.A1' or MemoryLocation/Socket eq 2) and MemoryLocation/MemoryController eq 0",
        ["DIMM.Socket.A1", "DIMM.Socket.B1", "DIMM.Socket.B2"],
    ),
    (MEMORY, "CapacityMiB ge 32768 and Enabled eq true", BANKS["A"] + BANKS["B"]),
    (MEMORY, "CapacityMiB gt 32768", []),
    (MEMORY, "VolatileSizeMiB eq null and Status/Health ne 'OK'", []),
    (SENSORS, "ReadingType eq 'Temperature'", TEMPERATURES),
    (SENSORS, "ReadingUnits eq 'Cel' and Thresholds/UpperCritical/Reading lt 50", ["SystemBoardInletTemp"]),
    (SENSORS, "ReadingUnits eq '%' or ReadingUnits eq 'V'", [f"Fan.Embedded.{n}A" for n in range(1, 7)] + ["PS1Voltage", "PS2Voltage", "CPU1VCOREVR", "CPU2VCOREVR"]),
]  # fmt: skip


@pytest.mark.parametrize(("uri", "expression", "members"), FILTERED, ids=[row[1][:60] for row in FILTERED])
def test_a_filter_leaves_links_to_the_members_that_pass(bmc, uri, expression, members):
    body = bmc.get(query(uri, filter=expression)).body
    assert body["Members"] == [{"@odata.id": f"{uri}/{member}"} for member in members]
    assert body["Members@odata.count"] == len(members)


LOG_FILTERS = [
    # $filter, whether an entry is wanted
    ("MessageId eq 'SYS1000'", lambda entry: entry["MessageId"].endswith(".SYS1000")),
    ("MessageId eq 'IDRAC.2.7.SYS1000'", lambda entry: entry["MessageId"] == "IDRAC.2.7.SYS1000"),
    ("MessageId ne 'SYS1000'", lambda entry: not entry["MessageId"].endswith(".SYS1000")),
    ("MessageArgs eq 'root'", lambda entry: "root" in entry.get("MessageArgs", ())),
    ("Links/OriginOfCondition eq null", lambda entry: "OriginOfCondition" not in entry.get("Links", {})),
    ("Created ge '2026-05-28T07:42:18-05:00' and Created lt 2026-05-31T02:40:27Z", lambda entry: "2026-05-28T07:42:18" <= entry["Created"] < "2026-05-30T21:40:27"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "wanted"), LOG_FILTERS, ids=[row[0][:60] for row in LOG_FILTERS])
def test_log_entries_are_filtered_and_stay_whole(bmc, expression, wanted):
    entries = [entry for page in pages(bmc, LOG) for entry in page["Members"]]
    found = [entry for page in pages(bmc, query(LOG, filter=expression)) for entry in page["Members"]]
    assert found == [entry for entry in entries if wanted(entry)]
    assert 0 < len(found) < len(entries)


@pytest.mark.parametrize(
    "spelling", ["Id+eq+'DIMM.Socket.A5'", "Id%20eq%20%27DIMM.Socket.A5%27", "Id eq 'DIMM.Socket.A5'"]
)
def test_a_filter_may_be_encoded_in_any_way(bmc, spelling):
    assert ids(bmc.get(f"{MEMORY}?$filter={spelling}").body) == ["DIMM.Socket.A5"]
    assert ids(bmc.get(f"{MEMORY}?%24filter={spelling}").body) == ["DIMM.Socket.A5"]


def test_a_filter_sees_jobs_as_they_are_now(bmc):
    first, second = bmc.create_reboot_job(), bmc.create_reboot_job()
    assert bmc.delete(f"{bmc.jobs}/{first}").status == 200
    third = bmc.create_reboot_job()
    assert ids(bmc.get(query(bmc.jobs, filter="JobType ne null")).body) == [second, third]
    assert ids(bmc.get(query(bmc.jobs, filter=f"Id eq '{third}'")).body) == [third]
    assert ids(bmc.get(query(bmc.jobs, filter=f"Id eq '{first}'")).body) == []


def test_a_filter_sees_what_the_client_reads_on_every_controller(make_bmc):
    bmc = make_bmc(controllers=2)
    bmc.host = "127.0.0.2"
    serial = bmc.get(f"{MEMORY}/DIMM.Socket.A5").body["SerialNumber"]
    assert serial != "52A1CBAC", "the captured one belongs to the first controller"
    assert ids(bmc.get(query(MEMORY, filter=f"SerialNumber eq '{serial}'")).body) == ["DIMM.Socket.A5"]
    assert ids(bmc.get(query(MEMORY, filter="SerialNumber eq '52A1CBAC'")).body) == []


def test_a_filter_changes_nothing_that_is_served_later(bmc):
    for uri in COLLECTIONS:
        plain = bmc.get(uri).body
        bmc.get(query(uri, filter="Id eq 'nobody'"))
        bmc.get(query(uri, top=1))
        assert bmc.get(uri).body == plain


# -- one after the other ----------------------------------------------------------------------------------------------

ORDER = [
    # parameters, count, members
    ({"filter": "MemoryLocation/Socket eq 2", "skip": 6}, 8, BANKS["B"][6:]),
    ({"filter": "MemoryLocation/Socket eq 2", "top": 3}, 8, BANKS["B"][:3]),
    ({"top": 3, "skip": 2, "filter": "MemoryLocation/Socket eq 2"}, 8, BANKS["B"][2:5]),
    ({"filter": "MemoryLocation/Socket eq 2", "skip": 8}, 8, []),
    ({"filter": "MemoryLocation/Socket eq 3", "top": 3}, 0, []),
    ({"skip": 14}, 16, BANKS["B"][6:]),
    ({"skip": 999999999}, 16, []),
    ({"top": 999999999}, 16, BANKS["A"] + BANKS["B"]),
    ({"top": 16}, 16, BANKS["A"] + BANKS["B"]),
    ({"top": 0}, 16, []),
    ({"skip": 0}, 16, BANKS["A"] + BANKS["B"]),
]


@pytest.mark.parametrize(("parameters", "count", "members"), ORDER, ids=[str(row[0]) for row in ORDER])
def test_the_filter_comes_first_then_skip_then_top(bmc, parameters, count, members):
    body = bmc.get(query(MEMORY, **parameters)).body
    assert (body["Members@odata.count"], ids(body)) == (count, members)


@pytest.mark.parametrize("which", ["*", ".", ".($levels=1)"])
def test_what_is_left_is_expanded_and_of_that_is_selected(bmc, which):
    wanted = {"filter": "ReadingType eq 'Temperature'", "skip": 1, "top": 2}
    expanded = bmc.get(query(SENSORS, **wanted, expand=which)).body
    assert expanded["Members@odata.count"] == len(TEMPERATURES)
    assert [member["Id"] for member in expanded["Members"]] == TEMPERATURES[1:3]
    assert all(member["ReadingUnits"] == "Cel" for member in expanded["Members"])
    selected = bmc.get(query(SENSORS, **wanted, expand=which, select="Reading")).body
    assert [set(member) for member in selected["Members"]] == [
        {"@odata.id", "@odata.type", "@odata.etag", "Reading"}
    ] * 2


def test_what_is_not_selected_can_be_filtered_by(bmc):
    body = bmc.get(query(LOG, filter="MessageId eq 'SYS1000'", select="Created")).body
    assert body["Members"]
    assert all("MessageId" not in member and "Created" in member for member in body["Members"])


# -- the next page ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", COLLECTIONS)
@pytest.mark.parametrize("top", [1, 2, 5, 16, 17, 1000])
def test_page_by_page_everybody_comes_once(bmc, uri, top):
    everybody = walk(bmc, uri)
    bodies = list(pages(bmc, query(uri, top=top)))
    assert [member for body in bodies for member in ids(body)] == everybody
    assert len(bodies) == -(-len(everybody) // top)
    assert {body["Members@odata.count"] for body in bodies} == {len(everybody)}


@pytest.mark.parametrize("top", [1, 3, 4, 8])
def test_page_by_page_a_filter_holds(bmc, top):
    parameters = {"filter": "MemoryLocation/Socket eq 2", "expand": ".($levels=1)", "select": "Id,Status"}
    bodies = list(pages(bmc, query(MEMORY, **parameters, top=top)))
    members = [member for body in bodies for member in body["Members"]]
    assert [member["Id"] for member in members] == BANKS["B"]
    assert all(set(member) == {"@odata.id", "@odata.type", "@odata.etag", "Id", "Status"} for member in members)


def test_the_next_link_asks_for_the_same_encoded(bmc):
    parameters = {
        "filter": "Name ne 'a&b=c+d#e?f %27 ä' and not (Id eq \"\")",
        "expand": "*($levels=1)",
        "select": "Id,Name",
        "skip": "3",
        "top": "2",
    }
    following = bmc.get(query(MEMORY, **parameters) + "&unknown=1").body["Members@odata.nextLink"]
    place, asked = urlsplit(following).path, urlsplit(following).query
    assert place == MEMORY
    assert dict(parse_qsl(asked)) == {f"${name}": value for name, value in {**parameters, "skip": "5"}.items()}
    assert asked.isascii()
    assert not set(asked) & set(" '\"#+<>")


@pytest.mark.parametrize("parameters", [{"top": 0}, {"skip": 16, "top": 1}, {"skip": 12, "top": 4}, {"skip": 20}])
def test_where_no_more_can_come_there_is_no_next_link(bmc, parameters):
    assert "Members@odata.nextLink" not in bmc.get(query(MEMORY, **parameters)).body


# -- pages that the service makes -------------------------------------------------------------------------------------

LONG = "/redfish/v1/Chassis/Long"
LENGTH, PAGE = 1003, 50


@pytest.fixture
def made():
    """The indices of the members of LONG that were made, in order."""
    return []


@pytest.fixture
def long_bmc(make_bmc, monkeypatch, made):
    """A controller with a long collection: LONG, whose members are made when they are asked for."""

    def member(index):
        made.append(index)
        return {"@odata.id": f"{LONG}/{index}", "Id": str(index), "Number": index, "Even": index % 2 == 0}

    def document(call):
        return {"@odata.id": LONG, "Members@odata.count": LENGTH, "Members": LazyMembers(LENGTH, member)}

    extra = [
        Resource(LONG, get=document, page=PAGE),
        Resource(f"{LONG}/{{number}}", get=lambda call: member(call.number("number"))),
        Resource("/redfish/v1/Chassis/Whole", get=document),
        Resource("/redfish/v1/Chassis/Around", get=lambda _: {"@odata.id": "/redfish/v1/Chassis/Around", "Long": link(LONG)}),
    ]  # fmt: skip
    resources = emulator.app.resources
    monkeypatch.setattr(emulator.app, "resources", lambda site: [*resources(site), *extra])
    return make_bmc(controllers=2)


def numbers(body):
    return [int(member) for member in ids(body)]


PAGES = [
    # query, members, those made
    ("", range(50), range(50)),
    ("?$skip=1000", range(1000, 1003), range(1000, 1003)),
    ("?$skip=20", range(20, 70), range(20, 70)),
    ("?$top=2", range(2), range(2)),
    ("?$top=60", range(60), range(60)),
    ("?$top=0", range(0), range(0)),
    ("?$skip=2000", range(0), range(0)),
    ("?$select=Id", range(50), range(50)),
    ("?$expand=.", range(50), range(50)),
    ("?$filter=Number%20ge%20900", range(900, 950), range(LENGTH)),
    ("?$filter=Number%20ge%20900&$top=3&$skip=2", range(902, 905), range(LENGTH)),
]


@pytest.mark.parametrize(("asked", "members", "these"), PAGES, ids=[row[0] for row in PAGES])
def test_a_page_makes_its_own_members_only(long_bmc, made, asked, members, these):
    body = long_bmc.get(LONG + asked).body
    assert (numbers(body), made) == (list(members), list(these))
    assert body["Members@odata.count"] == (103 if "filter" in asked else LENGTH)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("asked", ["", "?$top=400", "?$top=2000", "?$select=Id", "?$expand=*"])
def test_the_services_pages_lead_to_everybody_once(long_bmc, host, asked):
    long_bmc.host = host
    assert [int(member) for member in walk(long_bmc, LONG + asked)] == list(range(LENGTH))


def test_the_services_pages_of_a_filter_lead_to_all_that_pass(long_bmc):
    bodies = list(pages(long_bmc, query(LONG, filter="Even eq true")))
    assert [number for body in bodies for number in numbers(body)] == list(range(0, LENGTH, 2))
    assert [len(body["Members"]) for body in bodies] == [50] * 10 + [2]
    assert {body["Members@odata.count"] for body in bodies} == {502}


def test_the_first_page_is_kept_like_any_document(long_bmc, made):
    first = long_bmc.get(LONG)
    assert long_bmc.get(LONG).body == first.body
    assert len(made) == PAGE
    assert long_bmc.get(LONG, headers={"If-None-Match": first.headers["ETag"]}).status == 304
    assert long_bmc.get(f"{LONG}?$skip=50").headers["ETag"] != first.headers["ETag"]


def test_a_collection_without_pages_comes_whole(long_bmc):
    body = long_bmc.get("/redfish/v1/Chassis/Whole").body
    assert numbers(body) == list(range(LENGTH))
    assert "Members@odata.nextLink" not in body


def test_a_long_collection_that_is_expanded_within_another_resource_brings_its_first_page(long_bmc):
    found = long_bmc.get("/redfish/v1/Chassis/Around?$expand=*").body["Long"]
    assert numbers(found) == list(range(PAGE))
    assert found["Members@odata.count"] == LENGTH
    assert numbers(long_bmc.get(found["Members@odata.nextLink"]).body)[0] == PAGE


def test_a_captured_link_to_more_does_not_outlive_a_page(make_bmc, monkeypatch):
    """A capture may hold the first page only, and a link to a second one that nobody captured."""
    captured = {
        "Members@odata.count": 9,
        "Members@odata.nextLink": f"{LONG}?$skip=2",
        "Members": [link("/a"), link("/b")],
    }
    resources = emulator.app.resources
    monkeypatch.setattr(
        emulator.app, "resources", lambda site: [*resources(site), Resource(LONG, get=lambda _: captured)]
    )
    bmc = make_bmc()
    assert walk(bmc, LONG) == ["a", "b"]
    assert walk(bmc, f"{LONG}?$top=1") == ["a", "b"]
    assert captured["Members@odata.count"] == 9, "the document itself is not changed"


def test_lazy_members_are_a_sequence(made):
    members = LazyMembers(5, lambda index: made.append(index) or {"Id": index})
    assert (len(members), made) == (5, [])
    assert (members[1], members[-1], made) == ({"Id": 1}, {"Id": 4}, [1, 4])
    assert members[1:3] == [{"Id": 1}, {"Id": 2}]
    assert members[3:99] == [{"Id": 3}, {"Id": 4}]
    assert members[::-2] == [{"Id": 4}, {"Id": 2}, {"Id": 0}]
    assert list(members) == [{"Id": number} for number in range(5)]
    for index in (5, -6):
        with pytest.raises(IndexError):
            members[index]


# -- refusals ---------------------------------------------------------------------------------------------------------

REFUSED = [
    # situation, request, status, messages
    ("a filter that is none", f"{MEMORY}?$filter=Id", 400, ["Base.QueryParameterValueFormatError"]),
    ("an empty filter", f"{MEMORY}?$filter=", 400, ["Base.QueryParameterValueFormatError"]),
    ("a filter with a function", f"{MEMORY}?$filter=contains(Id,'A')", 400, ["Base.QueryParameterValueFormatError"]),
    ("a filter that is too long", f"{MEMORY}?$filter=Id eq '{'x' * 1000}'", 400, ["Base.QueryParameterValueFormatError"]),
    ("a filter on one resource", f"{MEMORY}/DIMM.Socket.A5?$filter=Id eq 'x'", 400, ["Base.QueryNotSupportedOnResource"]),
    ("a filter on a live resource", "/redfish/v1/Systems/System.Embedded.1?$filter=Id eq 'x'", 400, ["Base.QueryNotSupportedOnResource"]),
    ("a filter that is none on one resource", f"{MEMORY}/DIMM.Socket.A5?$filter=Id", 400, ["Base.QueryParameterValueFormatError"]),
    ("a filter on nothing", "/redfish/v1/Nothing?$filter=Id eq 'x'", 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"]),
    ("a negative $skip", f"{MEMORY}?$skip=-1", 400, ["Base.QueryParameterValueTypeError"]),
    ("a $top that is a word", f"{MEMORY}?$top=all", 400, ["Base.QueryParameterValueTypeError"]),
    ("a good filter beside an unknown parameter", f"{MEMORY}?$filter=Id eq 'x'&$orderby=Id", 501, ["Base.QueryParameterUnsupported"]),
    ("only on one resource", f"{SYSTEM}?only", 400, ["Base.QueryNotSupportedOnResource"]),
    ("$top on one resource", f"{SYSTEM}?$top=1", 400, ["Base.QueryNotSupportedOnResource"]),
    ("$skip on one resource", f"{SYSTEM}?$skip=0", 400, ["Base.QueryNotSupportedOnResource"]),
    ("an excerpt of what has none", f"{SYSTEM}?excerpt", 400, ["Base.QueryNotSupportedOnResource"]),
    ("an excerpt of a collection that is not expanded", f"{SENSORS}?excerpt", 400, ["Base.QueryNotSupportedOnResource"]),
    ("only with a value", f"{SYSTEMS}?only=foo", 400, ["Base.QueryParameterValueFormatError"]),
    ("excerpt with a value", "/redfish/v1/?excerpt=foo", 400, ["Base.QueryParameterValueFormatError"]),
    ("only with what chooses members", f"{SYSTEMS}?only&$top=1", 400, ["Base.QueryCombinationInvalid"]),
    ("the name of a property to expand", f"{SYSTEMS}?$expand=Members", 400, ["Base.QueryParameterValueFormatError"]),
    ("no level", f"{SYSTEMS}?$expand=.($levels=0)", 400, ["Base.QueryParameterOutOfRange"]),
    ("more levels than there are", f"{SYSTEMS}?$expand=.($levels=99)", 400, ["Base.QueryParameterOutOfRange"]),
    ("nothing selected", f"{SYSTEMS}?$select=", 400, ["Base.QueryParameterValueFormatError"]),
    ("a path that is none", f"{SYSTEMS}?$select=a//b", 400, ["Base.QueryParameterValueFormatError"]),
    ("a parameter that nobody knows", f"{SYSTEMS}?$rpvunknown", 501, ["Base.QueryParameterUnsupported"]),
]  # fmt: skip


@pytest.mark.parametrize(("situation", "request_uri", "status", "messages"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_query_that_cannot_be_is_refused(still, situation, request_uri, status, messages):
    before = still.state()
    answer = still.get(request_uri)
    assert (answer.status, answer.message_ids) == (status, messages)
    assert still.state() == before


def test_a_refused_filter_is_named_up_to_a_bound(still):
    info = still.get(f"{MEMORY}?$filter={'x' * 80}").info
    assert info[0]["MessageArgs"] == ["x" * 50, "$filter"]


# -- only, excerpt, $select -------------------------------------------------------------------------------------------

SENSOR = f"{SENSORS}/CPU1Temp"
IDENTITY = {"@odata.id", "@odata.type", "@odata.etag"}


def test_only_gives_the_one_member_as_its_own_get_does(still):
    alone = still.get(SYSTEM)
    for spelling in ("only", "only="):
        answer = still.get(f"{SYSTEMS}?{spelling}")
        assert (answer.body, dict(answer.headers)) == (alone.body, dict(alone.headers))
    assert still.get(f"{SYSTEMS}?only&$select=Name").body == still.get(f"{SYSTEM}?$select=Name").body
    expanded = still.get(f"{SYSTEMS}?only&$expand=.($levels=1)").body
    assert expanded["Bios"]["Id"]


@pytest.mark.parametrize("uri", [MEMORY, "/redfish/v1/TaskService/Tasks"])
def test_only_of_more_or_none_is_the_collection(still, uri):
    assert still.get(f"{uri}?only").body == still.get(uri).body


def test_an_excerpt_shows_what_the_schema_says(still):
    whole, excerpt = still.get(SENSOR), still.get(f"{SENSOR}?excerpt")
    assert excerpt.body["Reading"] == whole.body["Reading"]
    assert set(excerpt.body) <= IDENTITY | {"Reading", "PhysicalContext", "PhysicalSubContext"}
    assert excerpt.headers["ETag"] == whole.headers["ETag"]
    members = still.get(f"{SENSORS}?$expand=.&excerpt").body["Members"]
    assert members[ids({"Members": members}).index("CPU1Temp")] == excerpt.body
    following = still.get(f"{SENSORS}?$expand=.&excerpt&$top=1").body["Members@odata.nextLink"]
    assert set(still.get(following).body["Members"][0]) <= IDENTITY | {
        "Reading",
        "PhysicalContext",
        "PhysicalSubContext",
    }


SELECTED = [
    # URI, $select, what is left
    (SYSTEM, "Name", {"Name"}),
    (SYSTEM, "Status/Health", {"Status": {"Health"}}),
    (SYSTEM, "Status/Health,Status/State", {"Status": {"Health", "State"}}),
    (SYSTEM, "Status/Health,Status", {"Status": {"Health", "State", "HealthRollup"}}),
    (SYSTEM, " Boot/BootSourceOverrideEnabled , Id", {"Id", "Boot"}),
    (SYSTEM, "Bios/@odata.id", {"Bios": {"@odata.id"}}),
    (SYSTEM, "Nothing,Status/Nothing", {"Status": set()}),
]


@pytest.mark.parametrize(("uri", "select", "left"), SELECTED, ids=[row[1] for row in SELECTED])
def test_select_takes_paths(still, uri, select, left):
    whole, body = still.get(uri).body, still.get(query(uri, select=select)).body
    chosen = {name: value for name, value in body.items() if name not in IDENTITY | {"@odata.context"}}
    assert set(chosen) == set(left)
    for name, names in left.items() if isinstance(left, dict) else ():
        assert set(chosen[name]) == names
        assert all(chosen[name][inner] == whole[name][inner] for inner in names)


def test_the_root_tells_what_queries_there_are(still):
    features = still.get("/redfish/v1").body["ProtocolFeaturesSupported"]
    assert features["ExpandQuery"] == {
        "ExpandAll": True,
        "Levels": True,
        "Links": True,
        "MaxLevels": 3,
        "NoLinks": True,
    }
    assert all(features[name] for name in ("SelectQuery", "FilterQuery", "FilterQueryComparisonOperations", "FilterQueryCompoundOperations", "TopSkipQuery", "OnlyMemberQuery", "ExcerptQuery", "MultipleHTTPRequests"))  # fmt: skip


PARAMETERS = {
    "$expand": ["*", ".", "~", "*($levels=2)", "bad"],
    "$select": ["Name", "Status/Health,Members", "Links/Chassis"],
    "$filter": ["Id ne 'x'", "bad"],
    "$top": ["0", "1", "7", "-1"],
    "$skip": ["0", "2", "99"],
    "only": [""],
    "excerpt": [""],
    "unknown": ["1"],
}
QUERIES = st.dictionaries(st.sampled_from(sorted(PARAMETERS)), st.integers(0, 4), max_size=4)
PLACES = [SYSTEMS, SYSTEM, MEMORY, SENSORS, SENSOR, LOG, "/redfish/v1", "/redfish/v1/Managers"]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(asked=st.lists(st.tuples(st.sampled_from(PLACES), QUERIES), min_size=1, max_size=5))
def test_no_query_changes_what_is_served_later(still, asked):
    before = {uri: (answer.body, answer.headers["ETag"]) for uri, answer in ((uri, still.get(uri)) for uri in PLACES)}
    for uri, parameters in asked:
        pairs = [
            f"{name}={quote(PARAMETERS[name][number % len(PARAMETERS[name])])}" for name, number in parameters.items()
        ]
        assert still.get(f"{uri}?{'&'.join(pairs)}").status in (200, 400)
    assert {
        uri: (answer.body, answer.headers["ETag"]) for uri, answer in ((uri, still.get(uri)) for uri in PLACES)
    } == before
