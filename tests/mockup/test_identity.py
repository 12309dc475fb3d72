"""Every controller its own identity, and number 1 the captured one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from emulator.data import data_folder, mockup_names
from emulator.mockup.identity import Identities
from emulator.mockup.reader import Tree, read_tree

NUMBERS = range(2, 202)
SYSTEM: dict[str, Any] = {
    "@odata.id": "/redfish/v1/Systems/JF7K2M3",
    "@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem",
    "Id": "JF7K2M3",
    "SerialNumber": "CNIVC00263029A",
    "SKU": "JF7K2M3",
    "UUID": "4c4c4544-0046-3710-804b-cac04f324d33",
    "HostName": "db-7.example.com",
    "Description": "The server JF7K2M3 in rack 5",
    "Model": "PowerEdge",
    "PowerState": "On",
    "Links": {"Chassis": [{"@odata.id": "/redfish/v1/Chassis/JF7K2M3"}]},
    "Oem": {"Tags": ["JF7K2M3", "blue"], "Macs": ["02:AB:00:5e:10:01"], "Node": {"NodeID": "JF7K2M3", "Height": 2}},
    "Ports": [{"MACAddress": "B0-7B-25-C2-10-FE", "AssociatedNetworkAddresses": ["00:00:00:00:00:00"]}],
}
VALUES = {
    "serial": "CNIVC00263029A",
    "tag": "JF7K2M3",
    "uuid": "4c4c4544-0046-3710-804b-cac04f324d33",
    "mac": "B0-7B-25-C2-10-FE",
    "host": "db-7.example.com",
}


def tree(**documents: dict[str, Any]) -> Tree:
    return Tree("server", {"/redfish/v1/Systems/1": SYSTEM, **documents})


@pytest.fixture
def identities() -> Identities:
    return Identities(tree())


def test_number_one_is_the_captured_machine(identities: Identities) -> None:
    assert identities.document_for(1, SYSTEM) == SYSTEM


@pytest.mark.parametrize("what", VALUES)
def test_all_others_differ_from_it_and_from_each_other(identities: Identities, what: str) -> None:
    derived = {identities.text_for(number, VALUES[what]) for number in NUMBERS}
    assert len(derived) == len(NUMBERS)
    assert VALUES[what] not in derived


def test_a_number_has_the_same_identity_every_time(identities: Identities) -> None:
    again = Identities(Tree("copy", {"/x": orjson.loads(orjson.dumps(SYSTEM))}))
    for number in (2, 17, 9999):
        assert identities.document_for(number, SYSTEM) == again.document_for(number, SYSTEM)


@pytest.mark.parametrize("text", ["CNIVC00263029A", "JF7K2M3", "ab-12/x"[:5], "1234"])
def test_a_serial_number_keeps_its_length_and_its_kinds_of_letters(text: str) -> None:
    identities = Identities(tree(**{"/x": {"SerialNumber": text}}))
    for number in NUMBERS:
        derived = identities.text_for(number, text)
        assert [_kind(letter) for letter in derived] == [_kind(letter) for letter in text]


def _kind(letter: str) -> str:
    if letter.isdigit():
        return "digit"
    if letter.isalpha():
        return "upper" if letter.isupper() else "lower"
    return letter


@pytest.mark.parametrize(
    "text", ["4c4c4544-0046-3710-804b-cac04f324d33", "4C4C4544-0046-3710-804B-CAC04F324D33"], ids=["lower", "upper"]
)
def test_a_uuid_is_a_uuid_spelled_like_the_captured_one(text: str) -> None:
    identities = Identities(tree(**{"/x": {"UUID": text}}))
    for number in NUMBERS:
        derived = identities.text_for(number, text)
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", derived.lower())
        assert derived == (derived.upper() if text == text.upper() else derived.lower())


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("B0-7B-25-C2-10-FE", r"02(-[0-9A-F]{2}){5}"),
        ("b0:7b:25:c2:10:fe", r"02(:[0-9a-f]{2}){5}"),
        ("B0:7B:25:C2:10:FE", r"02(:[0-9A-F]{2}){5}"),
    ],
)
def test_a_mac_address_is_local_and_unicast_and_spelled_like_the_captured_one(text: str, shape: str) -> None:
    identities = Identities(tree(**{"/x": {"MACAddress": text}}))
    for number in NUMBERS:
        assert re.fullmatch(shape, identities.text_for(number, text))


@pytest.mark.parametrize(
    ("text", "derived"), [("db-7.example.com", "db-7-12.example.com"), ("idrac-JF7K2M3", "idrac-JF7K2M3-12")]
)
def test_a_host_name_gets_the_number(text: str, derived: str) -> None:
    assert Identities(tree(**{"/x": {"FQDN": text}})).text_for(12, text) == derived


def test_links_ids_and_everything_else_stay(identities: Identities) -> None:
    document = identities.document_for(2, SYSTEM)
    assert [document[name] for name in ("@odata.id", "@odata.type", "Model", "PowerState", "Links")] == [
        SYSTEM[name] for name in ("@odata.id", "@odata.type", "Model", "PowerState", "Links")
    ]
    assert document["Description"] == SYSTEM["Description"]  # a sentence that holds a serial number is a sentence
    assert document["Ports"][0]["AssociatedNetworkAddresses"] == ["00:00:00:00:00:00"]  # no address at all
    assert document["Oem"]["Tags"][1] == "blue"
    assert document["Oem"]["Node"]["Height"] == 2


def test_one_text_is_replaced_by_one_text_wherever_it_stands(identities: Identities) -> None:
    document = identities.document_for(2, SYSTEM)
    assert document["SKU"] == document["Oem"]["Node"]["NodeID"] == document["Oem"]["Tags"][0] != "JF7K2M3"


def test_the_shared_document_is_not_changed(identities: Identities) -> None:
    before = orjson.dumps(SYSTEM)
    document = identities.document_for(2, SYSTEM)
    document["Oem"]["Node"]["NodeID"] = "x"
    assert orjson.dumps(SYSTEM) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SerialNumber", "N/A"),
        ("SerialNumber", "abc"),
        ("SerialNumber", "NONE"),
        ("SerialNumber", "a/b1234"),
        ("Model", "R750-1234"),
        ("HostName", ""),
        ("MACAddress", "00:00:00:00:00:00"),
        ("MACAddress", "no address"),
        ("@odata.etag", "4c4c4544-0046-3710-804b-cac04f324d00"),
    ],
)
def test_what_identifies_nobody_stays(name: str, text: str) -> None:
    identities = Identities(Tree("x", {"/x": {name: text}}))
    assert identities.document_for(2, {name: text}) == {name: text}
    assert identities.uris == frozenset()


@pytest.mark.parametrize(
    "kind", ["AttributeRegistry.v1_3_8.AttributeRegistry", "MessageRegistry.v1_6_2.MessageRegistry"]
)
def test_a_registry_names_no_machine(kind: str) -> None:
    identities = Identities(Tree("x", {"/x": {"@odata.type": f"#{kind}", "SerialNumber": "ABCD1234"}}))
    assert identities.text_for(2, "ABCD1234") == "ABCD1234"


def test_the_uris_are_those_of_the_documents_that_differ() -> None:
    identities = Identities(tree(**{"/a": {"Name": "nothing"}, "/b": {"Note": ["JF7K2M3"]}}))
    assert identities.uris == {"/redfish/v1/Systems/1", "/b"}


@pytest.mark.parametrize("name", mockup_names())
def test_a_bundled_mockup_keeps_its_shape(name: str) -> None:
    found = read_tree(Path(data_folder("mockups")) / name)
    identities = Identities(found)
    assert identities.uris
    for uri, document in found.documents.items():
        derived = identities.document_for(7, document)
        assert _links(derived) == _links(document), uri
        assert (derived != document) <= (uri in identities.uris), uri
        assert identities.document_for(1, document) == document
    system = next(uri for uri in identities.uris if "/Systems/" in uri)
    assert identities.document_for(7, found.documents[system]) != found.documents[system]


def _links(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [str(value["@odata.id"])] if "@odata.id" in value else []
        return own + [link for entry in value.values() for link in _links(entry)]
    return [link for entry in value for link in _links(entry)] if isinstance(value, list) else []
