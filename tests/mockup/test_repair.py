"""What is broken in a tree: the finding, and what is served instead."""

from __future__ import annotations

import codecs
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from conftest import capture
from mockup_examples import FILES, folder, write

from emulator.app import find_site
from emulator.data import data_folder, mockup_names
from emulator.mockup.dangling import follow
from emulator.mockup.documents import is_collection, is_ours, is_resource, parts
from emulator.mockup.finding import KINDS, Finding
from emulator.mockup.reader import MockupError, Tree, normal, read_tree
from emulator.mockup.site import Site
from emulator.redfish.views import is_filled

ROOT = "/redfish/v1"
Doc = dict[str, Any]


def link(uri: str) -> Doc:
    return {"@odata.id": f"{ROOT}{uri}"}


def resource(uri: str, schema: str, **more: Any) -> Doc:
    own_id = uri.rpartition("/")[2]
    return {**link(uri), "@odata.type": f"#{schema}.v1_0_0.{schema}", "Id": own_id, "Name": own_id, **more}


def collection(uri: str, schema: str, *members: str, **more: Any) -> Doc:
    kind = f"#{schema}Collection.{schema}Collection"
    listed = [link(f"{uri}/{member}") for member in members]
    return {
        **link(uri),
        "@odata.type": kind,
        "Name": "All",
        "Members@odata.count": len(listed),
        "Members": listed,
        **more,
    }


SENSORS, FANS, SENSOR = "/Chassis/1/Sensors", "/Chassis/1/Thermal", "/Chassis/1/Sensors/a"
SOUND: dict[str, Doc] = {
    "": {
        "@odata.id": "/redfish/v1/",
        "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot",
        "Id": "RootService",
        "Name": "Root",
        "Systems": link("/Systems"),
        "Chassis": link("/Chassis/"),
        "JobService": link("/JobService"),
        "Links": {"Sessions": link("/SessionService/Sessions")},
    },
    "/Systems": collection("/Systems", "ComputerSystem", "1"),
    "/Systems/1": resource("/Systems/1", "ComputerSystem", Links={"Chassis": [link("/Chassis/1")]}),
    "/Chassis": collection("/Chassis", "Chassis", "1"),
    "/Chassis/1": resource("/Chassis/1", "Chassis", Sensors=link(SENSORS), Thermal=link(FANS)),
    SENSORS: collection(SENSORS, "Sensor", "a", "b"),
    SENSOR: resource(SENSOR, "Sensor", RelatedItem=[link(f"{FANS}#/Fans/0")], **{"RelatedItem@odata.count": 1}),
    f"{SENSORS}/b": resource(f"{SENSORS}/b", "Sensor"),
    FANS: resource(FANS, "Thermal", Fans=[{**link(f"{FANS}#/Fans/0"), "MemberId": "0"}], **{"Fans@odata.count": 1}),
}


def tree(changes: dict[str, Doc | None]) -> Tree:
    """The sound tree with these documents in place of its own; None takes one away."""
    documents = {**SOUND, **changes}
    return Tree("server", {f"{ROOT}{uri}": deepcopy(doc) for uri, doc in documents.items() if doc is not None})


def mended(changes: dict[str, Doc | None]) -> Site:
    return find_site(tree(changes))[1]


def without(document: Doc, *names: str) -> Doc:
    return {name: value for name, value in document.items() if name not in names}


def test_a_sound_tree_is_served_as_it_is() -> None:
    sound = tree({})
    served = find_site(sound)[1].tree
    assert served.findings == ()
    for uri, document in sound.documents.items():
        assert served.documents[uri] is document, "not even copied"


A, B = SOUND[SENSOR], SOUND[f"{SENSORS}/b"]
FOREIGN = "https://pdu.example/redfish/v1/Outlets/1"
VOLUME = "/Systems/1/Volumes/1"
INITIALIZE = "#Volume.Initialize"


def volume(target: Any, **more: Any) -> Doc:
    action = {"@Redfish.ActionInfo": f"{ROOT}/Systems/1"} | ({} if target is None else {"target": target})
    return resource(VOLUME, "Volume", Actions={INITIALIZE: action}, **more)


ROWS: list[tuple[str, dict[str, Doc | None], list[tuple[str, str, str | None]], dict[str, Any]]] = [
    # what is broken, changed documents, [(kind, uri, part of the fix or None)], pointer of what is served -> its value
    (
        "@odata.id is that of another one",
        {SENSOR: {**A, **link("/Chassis/9/Sensors/a")}},
        [("own-uri", SENSOR, "its place")],
        {f"{SENSOR}#/@odata.id": f"{ROOT}{SENSOR}"},
    ),
    (
        "@odata.id differs in nothing but a slash and what is percent-encoded",
        {SENSOR: {**A, **link("/Chassis/1/Sensors/%61/")}},
        [],
        {f"{SENSOR}#/@odata.id": f"{ROOT}/Chassis/1/Sensors/%61/"},
    ),
    (
        "what is an object holds something else",
        {
            SENSOR: {
                **A,
                "Links": None,
                "Oem": {"Dell": 7, "@odata.type": "x"},
                "Actions": {"#Sensor.X": [], "Oem": "y"},
            }
        },
        [("wrong-type", SENSOR, "left out")] * 4,
        {f"{SENSOR}#/Oem": {"@odata.type": "x"}, f"{SENSOR}#/Actions": {}},
    ),
    (
        "what is an object elsewhere need not be one everywhere",
        {SENSOR: {**A, "ProtocolFeatures": {"Links": True, "Boot": 1}}},
        [],
        {f"{SENSOR}#/ProtocolFeatures": {"Links": True, "Boot": 1}},
    ),
    (
        "@odata.id is no text",
        {SENSOR: {**A, "@odata.id": None}},
        [("own-uri", SENSOR, "its place")],
        {f"{SENSOR}#/@odata.id": f"{ROOT}{SENSOR}"},
    ),
    (
        "a copy of another one: its links below that lead below itself",
        {
            "/Chassis": collection("/Chassis", "Chassis", "1", "2"),
            "/Chassis/2": {**SOUND["/Chassis/1"], "Id": "2"},
            "/Chassis/2/Sensors": collection("/Chassis/2/Sensors", "Sensor"),
        },
        [("own-uri", "/Chassis/2", "its place, and 1 links below it")],
        {"/Chassis/2#/Sensors": link("/Chassis/2/Sensors"), "/Chassis/2#/Thermal": link(FANS)},
    ),
    (
        "no @odata.id, Id and Name",
        {SENSOR: without(A, "@odata.id", "Id", "Name")},
        [("missing-property", SENSOR, "follows from its place")] * 3,
        {f"{SENSOR}#/@odata.id": f"{ROOT}{SENSOR}", f"{SENSOR}#/Id": "a", f"{SENSOR}#/Name": "a"},
    ),
    (
        "no type: that of the other members",
        {SENSOR: without(A, "@odata.type")},
        [("missing-property", SENSOR, "#Sensor.v1_0_0.Sensor")],
        {f"{SENSOR}#/@odata.type": "#Sensor.v1_0_0.Sensor"},
    ),
    (
        "no type: that of what the settings are for",
        {f"{FANS}/Settings": without(resource(f"{FANS}/Settings", "Thermal"), "@odata.type")},
        [("missing-property", f"{FANS}/Settings", "#Thermal.v1_0_0.Thermal")],
        {f"{FANS}/Settings#/@odata.type": "#Thermal.v1_0_0.Thermal"},
    ),
    (
        "a collection without a type",
        {SENSORS: without(SOUND[SENSORS], "@odata.type")},
        [("missing-property", SENSORS, "#SensorCollection.SensorCollection")],
        {f"{SENSORS}#/@odata.type": "#SensorCollection.SensorCollection", f"{SENSORS}#/Id": None},
    ),
    (
        "no type, and nothing tells it",
        {"/Chassis/1/Odd": without(resource("/Chassis/1/Odd", "Odd"), "@odata.type")},
        [("missing-property", "/Chassis/1/Odd", None)],
        {"/Chassis/1/Odd#/@odata.type": None},
    ),
    (
        "a member's Id is not the last part of its URI",
        {SENSOR: {**A, "Id": "Sensor A"}},
        [("member-id", SENSOR, "a")],
        {f"{SENSOR}#/Id": "a"},
    ),
    (
        "Ids that two members have changed for each other",
        {SENSOR: {**A, "Id": "b"}, f"{SENSORS}/b": {**B, "Id": "a"}},
        [("member-id", SENSOR, None), ("member-id", f"{SENSORS}/b", None)],
        {f"{SENSOR}#/Id": "b"},
    ),
    (
        "an Id of its own, of what is no member",
        {FANS: {**SOUND[FANS], "Id": "Cooling"}},
        [],
        {f"{FANS}#/Id": "Cooling"},
    ),
    (
        "a count that is not the number of entries",
        {SENSORS: {**SOUND[SENSORS], "Members@odata.count": 7}},
        [("count", SENSORS, "2")],
        {f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "a count that is a text",
        {SENSOR: {**A, "RelatedItem@odata.count": "1"}},
        [("count", SENSOR, "1")],
        {f"{SENSOR}#/RelatedItem@odata.count": 1},
    ),
    (
        "a collection that does not count",
        {SENSORS: without(SOUND[SENSORS], "Members@odata.count")},
        [("count", SENSORS, "2")],
        {f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "a collection that does not list",
        {SENSORS: without(SOUND[SENSORS], "Members"), SENSOR: None, f"{SENSORS}/b": None},
        [("missing-property", SENSORS, "a list"), ("count", SENSORS, "0")],
        {f"{SENSORS}#/Members": [], f"{SENSORS}#/Members@odata.count": 0},
    ),
    (
        "a collection whose members are no list: those below it",
        {SENSORS: {**SOUND[SENSORS], "Members": True}},
        [
            ("missing-property", SENSORS, "a list"),
            ("unlisted-resource", SENSOR, "added"),
            ("unlisted-resource", f"{SENSORS}/b", "added"),
        ],
        {f"{SENSORS}#/Members": [link(SENSOR), link(f"{SENSORS}/b")], f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "a count of a list that is not there",
        {SENSOR: {**A, "Items@odata.count": 3}},
        [("count", SENSOR, "left out")],
        {f"{SENSOR}#/Items@odata.count": None},
    ),
    (
        "a member that is not there; the count was that of the list",
        {f"{SENSORS}/b": None},
        [("dangling-member", SENSORS, "left out")],
        {f"{SENSORS}#/Members": [link(SENSOR)], f"{SENSORS}#/Members@odata.count": 1},
    ),
    (
        "a member spelled in other letters",
        {SENSORS: {**SOUND[SENSORS], "Members": [link(SENSOR), link("/chassis/1/sensors/B/")]}},
        [("dangling-member", SENSORS, "leads to")],
        {f"{SENSORS}#/Members@odata.count": 2, f"{SENSORS}#/Members": [link(SENSOR), link(f"{SENSORS}/b")]},
    ),
    (
        "a member that is listed twice",
        {SENSORS: collection(SENSORS, "Sensor", "a", "b", "b")},
        [("dangling-member", SENSORS, "left out: it is there already")],
        {f"{SENSORS}#/Members": [link(SENSOR), link(f"{SENSORS}/b")], f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "members that are no links",
        {SENSORS: {**SOUND[SENSORS], "Members": [link(SENSOR), None, "b", {"@odata.id": 5}, link(f"{SENSORS}/b")]}},
        [("dangling-member", SENSORS, "left out")] * 3,
        {f"{SENSORS}#/Members": [link(SENSOR), link(f"{SENSORS}/b")], f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "a resource that its collection does not list",
        {SENSORS: collection(SENSORS, "Sensor", "a")},
        [("unlisted-resource", f"{SENSORS}/b", "added to its members")],
        {f"{SENSORS}#/Members": [link(SENSOR), link(f"{SENSORS}/b")], f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "one of another schema below a collection can be read, and is no member",
        {f"{SENSORS}/fan": resource(f"{SENSORS}/fan", "Fan")},
        [("unlisted-resource", f"{SENSORS}/fan", None)],
        {f"{SENSORS}#/Members@odata.count": 2, f"{SENSORS}/fan#/Id": "fan"},
    ),
    (
        "one that was captured as another one is no member",
        {f"{SENSORS}/c": {**A, "Id": "c"}},
        [("own-uri", f"{SENSORS}/c", "its place"), ("unlisted-resource", f"{SENSORS}/c", None)],
        {f"{SENSORS}#/Members@odata.count": 2, f"{SENSORS}/c#/@odata.id": f"{ROOT}{SENSORS}/c"},
    ),
    (
        "one with another Id is no member",
        {f"{SENSORS}/c": {**B, **link(f"{SENSORS}/c")}},
        [("unlisted-resource", f"{SENSORS}/c", None)],
        {f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "what a collection can do, and settings, are no members",
        {
            SENSORS: {
                **SOUND[SENSORS],
                "@Redfish.CollectionCapabilities": {"Capabilities": [{"CapabilitiesObject": link(f"{SENSORS}/Can")}]},
            },
            f"{SENSORS}/Can": resource(f"{SENSORS}/Can", "Sensor"),
            f"{SENSORS}/Settings": resource(f"{SENSORS}/Settings", "Sensor"),
        },
        [],
        {f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "what the emulator fills itself is nobody's to mend",
        {
            "/TaskService/Tasks": collection("/TaskService/Tasks", "Task", "1", "2", **{"Members@odata.count": 9}),
            "/TaskService/Tasks/7": resource("/TaskService/Tasks/7", "Task", Gone=link("/Nowhere")),
        },
        [],
        {},
    ),
    (
        "a link to such a task leads nowhere",
        {
            "/TaskService/Tasks/7": resource("/TaskService/Tasks/7", "Task"),
            SENSOR: {**A, "T": link("/TaskService/Tasks/7")},
        },
        [("dangling-link", SENSOR, "left out")],
        {f"{SENSOR}#/T": None},
    ),
    (
        "links to what is not there, single and in lists, also of a vendor's",
        {
            SENSOR: {
                **A,
                "Oem": {"X": {"Gone": link("/Nowhere")}},
                "RelatedItem": [link("/Nowhere"), link(FANS), link("/Nowhere/2/")],
                "RelatedItem@odata.count": 3,
            }
        },
        [("dangling-link", SENSOR, "left out")] * 3,
        {f"{SENSOR}#/Oem/X": {}, f"{SENSOR}#/RelatedItem": [link(FANS)], f"{SENSOR}#/RelatedItem@odata.count": 1},
    ),
    (
        "links to other services are theirs to keep",
        {SENSOR: {**A, "Outlet": {"@odata.id": FOREIGN}, "Old": {"@odata.id": "/rest/v1/x"}}},
        [],
        {f"{SENSOR}#/Outlet": {"@odata.id": FOREIGN}},
    ),
    (
        "a link that is empty",
        {SENSOR: {**A, "Outlet": {"@odata.id": ""}, "Other": {"@odata.id": None}}},
        [("dangling-link", SENSOR, "left out")] * 2,
        {f"{SENSOR}#/Outlet": None, f"{SENSOR}#/Other": None},
    ),
    (
        "a link without which its resource breaks its schema",
        {"/Chassis/1/C": resource("/Chassis/1/C", "ComponentIntegrity", SPDM={"Requester": link("/Nowhere")})},
        [("dangling-link", "/Chassis/1/C", None)],
        {"/Chassis/1/C#/SPDM/Requester": link("/Nowhere")},
    ),
    (
        "a fragment that its document does not have",
        {
            SENSOR: {
                **A,
                "RelatedItem": [link(f"{FANS}#/Fans/1"), link(f"{FANS}#/Fans/0/MemberId")],
                "RelatedItem@odata.count": 2,
            }
        },
        [("dangling-link", SENSOR, "left out")],
        {f"{SENSOR}#/RelatedItem": [link(f"{FANS}#/Fans/0/MemberId")], f"{SENSOR}#/RelatedItem@odata.count": 1},
    ),
    (
        "a part that calls itself another part",
        {
            FANS: {
                **SOUND[FANS],
                "Fans": [{**link(f"{FANS}#/Fans/0"), "MemberId": "0"}, {**link(f"{FANS}#/Fans/0"), "MemberId": "1"}],
                "Fans@odata.count": 2,
            }
        },
        [("own-uri", FANS, "#/Fans/1")],
        {f"{FANS}#/Fans/1/@odata.id": f"{ROOT}{FANS}#/Fans/1", f"{FANS}#/Fans/0/@odata.id": f"{ROOT}{FANS}#/Fans/0"},
    ),
    (
        "texts that lead to a resource",
        {SENSOR: {**A, "Reading": {"Value": 1, "DataSourceUri": f"{ROOT}/Nowhere"}, "Href": f"{ROOT}/Nowhere"}},
        [("dangling-link", SENSOR, "left out")],
        {f"{SENSOR}#/Reading": {"Value": 1}, f"{SENSOR}#/Href": f"{ROOT}/Nowhere"},
    ),
    (
        "an action of another resource",
        {
            "/Systems/1/Volumes": collection("/Systems/1/Volumes", "Volume", "1"),
            VOLUME: volume(f"{ROOT}/Systems/3/V/1/Actions/V.I"),
        },
        [("action-target", VOLUME, f"{VOLUME}/Actions/V.I")],
        {f"{VOLUME}#/Actions/{INITIALIZE}/target": f"{ROOT}{VOLUME}/Actions/V.I"},
    ),
    (
        "an action without a target",
        {"/Systems/1/Volumes": collection("/Systems/1/Volumes", "Volume", "1"), VOLUME: volume(None)},
        [("action-target", VOLUME, f"{VOLUME}/Actions/Volume.Initialize")],
        {f"{VOLUME}#/Actions/{INITIALIZE}/target": f"{ROOT}{VOLUME}/Actions/Volume.Initialize"},
    ),
    (
        "actions of its own, of a part, of a vendor's, of settings",
        {
            "/Systems/1/Volumes": collection("/Systems/1/Volumes", "Volume", "1"),
            VOLUME: volume(
                f"{ROOT}{VOLUME}/Actions/I",
                Parts=[{"Actions": {"#X.Y": {"target": f"{ROOT}{VOLUME}/Actions/X.Y"}}}],
                Oem={"Actions": {"Oem": {"Z": {"#Z.Z": {"target": f"{ROOT}{VOLUME}/Z"}}}}},
            ),
            f"{VOLUME}/Settings": {**volume(f"{ROOT}{VOLUME}/Actions/I"), **link(f"{VOLUME}/Settings")},
        },
        [],
        {},
    ),
    (
        "an action that tells its parameters in a resource that is not there",
        {
            "/Systems/1/Volumes": collection("/Systems/1/Volumes", "Volume", "1"),
            VOLUME: resource(
                VOLUME,
                "Volume",
                Actions={INITIALIZE: {"target": f"{ROOT}{VOLUME}/Actions/I", "@Redfish.ActionInfo": f"{ROOT}/Nowhere"}},
            ),
        },
        [("dangling-link", VOLUME, "left out")],
        {f"{VOLUME}#/Actions/{INITIALIZE}": {"target": f"{ROOT}{VOLUME}/Actions/I"}},
    ),
    (
        "members that are nowhere but in their collection, whole",
        {SENSORS: {**SOUND[SENSORS], "Members": [A, B]}, SENSOR: None, f"{SENSORS}/b": None},
        [("embedded-resource", SENSOR, "served by itself"), ("embedded-resource", f"{SENSORS}/b", "served by itself")],
        {f"{SENSOR}#/Id": "a", f"{SENSORS}#/Members/1/Id": "b"},
    ),
    (
        "a part with the URI of what is not there",
        {SENSOR: {**A, "Place": {**link("/Nowhere"), "Row": 1}}},
        [("dangling-link", SENSOR, "left out")],
        {f"{SENSOR}#/Place": {"Row": 1}},
    ),
    (
        "pages of a collection",
        {
            SENSORS: {
                **collection(SENSORS, "Sensor", "a"),
                "Members@odata.count": 3,
                "Members@odata.nextLink": f"{ROOT}{SENSORS}?$skip=1",
            },
            f"{SENSORS}?$skip=1": {**collection(SENSORS, "Sensor", "b"), "Members@odata.nextLink": "?$skip=2"},
            f"{SENSORS}?$skip=2": collection(
                SENSORS, "Sensor", "c", **{"Members@odata.nextLink": f"{ROOT}{SENSORS}?$skip=1"}
            ),
            f"{SENSORS}/c": resource(f"{SENSORS}/c", "Sensor"),
        },
        [("page", f"{SENSORS}?$skip=1", "joined"), ("page", f"{SENSORS}?$skip=2", "joined")],
        {
            f"{SENSORS}#/Members": [link(f"{SENSORS}/{name}") for name in "abc"],
            f"{SENSORS}#/Members@odata.count": 3,
            f"{SENSORS}#/Members@odata.nextLink": None,
        },
    ),
    (
        "a next page that is not there",
        {SENSORS: {**SOUND[SENSORS], "Members@odata.nextLink": f"{ROOT}{SENSORS}?$skip=2", "Members@odata.count": 9}},
        [("dangling-link", SENSORS, "left out"), ("count", SENSORS, "2")],
        {f"{SENSORS}#/Members@odata.nextLink": None, f"{SENSORS}#/Members@odata.count": 2},
    ),
    (
        "an answer to a query",
        {f"{SENSORS}?$expand=*": SOUND[SENSORS]},
        [("page", f"{SENSORS}?$expand=*", "left out")],
        {},
    ),
    (
        "an error in place of a resource: it is not there, and what links to it is told",
        {FANS: {"error": {"@Message.ExtendedInfo": [{"MessageId": "Base.1.8.GeneralError"}]}}},
        [
            ("error-document", FANS, "left out"),
            ("dangling-link", "/Chassis/1", "left out"),
            ("dangling-link", SENSOR, "left out"),
        ],
        {"/Chassis/1#/Thermal": None, f"{SENSOR}#/RelatedItem": []},
    ),
    (
        "registries and files are not resources",
        {
            "/Registries/X": {"@odata.type": "#AttributeRegistry.v1_3_0.AttributeRegistry", "Menu": link("/Nowhere")},
            "/Registries/Y.json": {"@odata.id": "/nowhere", "X": link("/Nowhere")},
            "/odata": {"value": [{"url": "/redfish/v1/Nowhere"}]},
        },
        [],
        {"/Registries/X#/Menu": link("/Nowhere")},
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_is_broken_is_told_and_served_mended(row: Any) -> None:
    _, changes, expected, served = row
    site = mended(changes)
    found = [(finding.kind, finding.uri.removeprefix(ROOT), finding.fix) for finding in site.tree.findings]
    assert sorted((kind, uri) for kind, uri, _ in found) == sorted((kind, uri) for kind, uri, _ in expected)
    for kind, uri, fix in expected:
        matching = [said for known, where, said in found if (known, where) == (kind, uri)]
        assert any(said is None if fix is None else fix in (said or "") for said in matching), (fix, matching)
    for place, value in served.items():
        uri, _, pointer = place.partition("#")
        assert follow(site.tree.documents[f"{ROOT}{uri}"], pointer) == value, place


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_mending_is_the_same_every_time_and_leaves_what_it_reads_alone(row: Any) -> None:
    broken = tree(row[1])
    before = orjson.dumps(dict(broken.documents))
    first, second = find_site(broken)[1].tree, find_site(broken)[1].tree
    assert (first.documents, first.findings) == (second.documents, second.findings)
    assert orjson.dumps(dict(broken.documents)) == before
    # what is served is sound: read once more, nothing is found that was mended
    again = find_site(Tree("server", {uri: doc for uri, doc in first.documents.items() if "$" not in uri}))[1].tree
    left = {(finding.kind, finding.uri) for finding in first.findings if finding.fix is None}
    assert {(finding.kind, finding.uri) for finding in again.findings} <= left


def test_every_kind_has_a_row() -> None:
    in_text = {"byte-order-mark", "duplicate-key"}
    assert {kind for _, _, expected, _ in ROWS for kind, _, _ in expected} | in_text == set(KINDS)


def test_a_deeply_nested_document_is_mended_or_refused_and_never_a_traceback(tmp_path: Path) -> None:
    for depth in (50, 240, 2000):
        deep = b'{"A": [' * depth + b'{"@odata.id": "/redfish/v1/Nowhere"}' + b"]}" * depth
        path = folder(tmp_path / str(depth), {**FILES, "x/index.json": deep})
        try:
            findings = find_site(read_tree(path))[1].tree.findings
            assert any(finding.kind == "dangling-link" for finding in findings)
        except MockupError as error:
            assert "x/index.json" in str(error)  # noqa: PT017 - either is right


# -- what is wrong with a file ----------------------------------------------------------------------------------------

SYSTEM = "Systems/1/index.json"
TWICE = b"""{
  "Id": "1",
  "Links": {"Id": "x", "A": {"Id": "not the same object"}},
  "Note": "a \\"quoted\\": {\\"Id\\": 1} text",
  "I\\u0064"
    : "2",
  "Id": "3"
}"""
MARKS = [
    ("UTF-8", codecs.BOM_UTF8, "utf-8"),
    ("UTF-16", codecs.BOM_UTF16_LE, "utf-16-le"),
    ("UTF-16", codecs.BOM_UTF16_BE, "utf-16-be"),
]


@pytest.mark.parametrize("mark", MARKS, ids=["UTF-8", "UTF-16 LE", "UTF-16 BE"])
def test_a_byte_order_mark_is_read_over(mark: tuple[str, bytes, str], tmp_path: Path) -> None:
    title, first, codec = mark
    text = first + FILES[SYSTEM].decode().encode(codec)
    found = read_tree(folder(tmp_path, {**FILES, SYSTEM: text}))
    assert found.documents["/redfish/v1/Systems/1"]["Id"] == "1"
    (finding,) = found.findings
    assert (finding.kind, finding.uri, finding.what) == (
        "byte-order-mark",
        SYSTEM,
        f"line 1: a byte order mark of {title}",
    )


@pytest.mark.parametrize("form", ["folder", "tar.xz", "zip"])
def test_a_property_given_twice_is_told_with_file_and_line_and_the_last_one_counts(form: str, tmp_path: Path) -> None:
    found = read_tree(write(form, tmp_path, {**FILES, SYSTEM: TWICE}))
    assert found.documents["/redfish/v1/Systems/1"]["Id"] == "3"
    assert found.findings == (
        Finding("duplicate-key", SYSTEM, "line 5: Id for the second time", "the last one counts"),
        Finding("duplicate-key", SYSTEM, "line 7: Id for the second time", "the last one counts"),
    )


@pytest.mark.parametrize(
    "content",
    [
        b'{"Id": "1", "A": {"Id": "2"}, "B": [{"Id": "3"}, {"Id": "3"}]}',
        b'{"Id": "1", "Q": "\\u0022", "R": "\\\\\\"", "S": "\\"Id\\": "}',
        b"{}",
    ],
)
def test_a_property_given_once_in_each_object_is_right(content: bytes, tmp_path: Path) -> None:
    assert read_tree(folder(tmp_path, {**FILES, SYSTEM: content})).findings == ()


def test_what_is_wrong_with_a_file_is_told_with_the_rest(tmp_path: Path) -> None:
    site = find_site(read_tree(folder(tmp_path, {**FILES, SYSTEM: TWICE})))[1]
    assert {"duplicate-key", "missing-property"} <= {finding.kind for finding in site.tree.findings}


# -- whole mockups ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", mockup_names())
def test_the_bundled_mockups_have_nothing_to_mend(name: str) -> None:
    original = read_tree(data_folder("mockups") / name)
    served = find_site(original)[1].tree
    assert served.findings == ()
    assert all(served.documents[uri] is document for uri, document in original.documents.items())


CAPTURES = {
    # findings at least, by kind; the numbers are those of the captures, loosely; then who lives
    "poweredge-r750.tar.xz": (
        {"own-uri": 25, "dangling-link": 10, "error-document": 8, "missing-property": 8, "page": 2},
        {"BIOS.Setup.1-1": 1, "nics": 7, "components": 21},
    ),
    "dmtf-public-rackmount1.tar.xz": (
        {"dangling-link": 14, "count": 4, "unlisted-resource": 4, "missing-property": 1},
        {"Bios": 1, "nics": 0, "components": 4},
    ),
    "dmtf-public-localstorage.tar.xz": (
        {"action-target": 3, "member-id": 2, "dangling-link": 1},
        {"Bios": 1, "nics": 0, "components": 0},
    ),
    "dmtf-public-smartnic.tar.xz": (
        {"dangling-link": 14, "missing-property": 10, "member-id": 7, "own-uri": 3, "unlisted-resource": 2, "count": 2},
        {"Bios": 1, "nics": 4, "components": 0},
    ),
}
SLACK = 6
"""How many findings more than those there may be of a kind."""


@pytest.fixture(scope="module", params=CAPTURES)
def captured(request: pytest.FixtureRequest) -> tuple[str, Tree, Site]:
    name: str = request.param
    original = read_tree(capture(name))
    return name, original, find_site(original)[1]


def test_what_is_broken_in_a_capture(captured: tuple[str, Tree, Site]) -> None:
    name, _, site = captured
    expected = CAPTURES[name][0]
    found = Counter(finding.kind for finding in site.tree.findings)
    for kind in KINDS:
        least = expected.get(kind, 0)
        assert least <= found[kind] <= least + SLACK, (kind, found[kind])
    assert all(finding.fix for finding in site.tree.findings), "each of them can be mended"


def test_who_lives_in_a_capture(captured: tuple[str, Tree, Site]) -> None:
    name, _, site = captured
    living = {place.device_id: 1 for place in site.bioses} | {
        "nics": len(site.nics),
        "components": len(site.components),
    }
    assert living == CAPTURES[name][1]


def test_a_repaired_capture_is_sound(captured: tuple[str, Tree, Site]) -> None:
    """Each resource is where it says it is, each count is right, each member is there, and has its Id."""
    _, _, site = captured
    for uri, document in site.tree.documents.items():
        if not is_resource(uri, document):
            continue
        assert normal(document["@odata.id"]) == uri
        for part in parts(document):
            for name in part:
                if name.endswith("@odata.count"):
                    assert part[name] == len(part[name.removesuffix("@odata.count")]), (uri, name)
        if is_collection(document) and "/Oem/" not in uri and not is_filled(uri):
            for member in document["Members"]:
                assert site.tree.documents[normal(member["@odata.id"])]["Id"] == member["@odata.id"].rpartition("/")[2]


def test_what_was_right_in_a_capture_is_left_alone(captured: tuple[str, Tree, Site]) -> None:
    _, original, site = captured
    told = {finding.uri for finding in site.tree.findings}
    for uri, document in original.documents.items():
        changed = site.tree.documents.get(uri) is not document
        has_new = any(finding.startswith((f"{uri}/", f"{uri}?")) for finding in told)  # members, a page
        assert not changed or uri in told or has_new or is_filled(uri), uri


def test_every_link_of_a_served_capture_leads_somewhere(captured: tuple[str, Tree, Site], make_bmc: Any) -> None:
    """Asked like any client would: over the whole service, live resources and all."""
    name, _, site = captured
    bmc = make_bmc(mockup=str(capture(name)))
    answers: dict[str, Any] = {}

    def at(uri: str) -> Any:
        if uri not in answers:
            answers[uri] = bmc.get(uri)
        return answers[uri]

    waiting, seen, dangling = [ROOT], {ROOT}, []
    while waiting:
        uri = waiting.pop()
        if at(uri).status != 200 or not is_resource(uri, at(uri).body):
            continue
        for part in parts(at(uri).body):
            said = part.get("@odata.id")
            if not isinstance(said, str) or not is_ours(said.partition("#")[0]):
                continue
            place, _, fragment = said.partition("#")
            if at(place).status != 200 or (fragment and follow(at(place).body, fragment) is None):
                dangling.append((uri, said))
            if normal(place) not in seen:
                seen.add(normal(place))
                waiting.append(normal(place))
    assert dangling == []
    assert len(seen) > len(site.tree.documents) / 2
