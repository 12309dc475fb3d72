"""$filter by itself: an expression and a document give a yes or a no, or the expression is refused."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.message import Message, Rejected
from emulator.redfish.filter import LENGTH_MAX, TERMS_MAX, parse_filter

DIMM = {
    "@odata.id": "/redfish/v1/Systems/1/Memory/A5",
    "Id": "A5",
    "Name": "the 'fast' one",
    "CapacityMiB": 32768,
    "OperatingVoltage": 1.1,
    "Enabled": True,
    "Spare": None,
    "Attributes": {"Dimm.Slot00": "In"},
    "AllowedSpeedsMHz": [4400, 4800],
    "MemoryMedia": [],
    "Regions": [{"RegionId": "1", "SizeMiB": 1024}, {"RegionId": "2"}],
    "Status": {"State": "Enabled", "Health": "OK"},
    "Links": {"Chassis": {"@odata.id": "/redfish/v1/Chassis/1"}, "Processors": [{"@odata.id": "/redfish/v1/P/1"}]},
}
ENTRY = {
    "Id": "1003",
    "Severity": "Warning",
    "Created": "2026-05-28T07:42:18-05:00",
    "MessageId": "IDRAC.2.9.UEFI0157",
    "Oem": {"Dell": {"Category": "Configuration"}},
    "Local": "2026-05-28T07:42:18",
}

WANTED = [
    # expression, document, wanted
    # texts
    ("Id eq 'A5'", DIMM, True),
    ('Id eq "A5"', DIMM, True),
    ("Id eq 'a5'", DIMM, False),
    ("Id ne 'A5'", DIMM, False),
    ("Id gt 'A4'", DIMM, True),
    ("Id lt 'A4'", DIMM, False),
    ("Name eq 'the ''fast'' one'", DIMM, True),
    ("Name eq \"the 'fast' one\"", DIMM, True),
    ("Name eq ''", DIMM, False),
    ("Name eq ' the'", DIMM, False),
    ("@odata.id eq '/redfish/v1/Systems/1/Memory/A5'", DIMM, True),
    # paths
    ("Status/Health eq 'OK'", DIMM, True),
    ("Links/Chassis/@odata.id eq '/redfish/v1/Chassis/1'", DIMM, True),
    ("Oem/Dell/Category eq 'Configuration'", ENTRY, True),
    ("Attributes/Dimm.Slot00 eq 'In'", DIMM, True),
    ("Status eq 'OK'", DIMM, False),
    ("Id/Health eq 'OK'", DIMM, False),
    # numbers
    ("CapacityMiB eq 32768", DIMM, True),
    ("CapacityMiB eq 32768.0", DIMM, True),
    ("CapacityMiB gt 32767", DIMM, True),
    ("CapacityMiB gt 32768", DIMM, False),
    ("CapacityMiB ge 32768", DIMM, True),
    ("CapacityMiB lt 3.3e4", DIMM, True),
    ("CapacityMiB le 32767", DIMM, False),
    ("CapacityMiB gt -1", DIMM, True),
    ("OperatingVoltage eq 1.1", DIMM, True),
    (f"CapacityMiB lt 1{'0' * 400}", DIMM, True),
    # true, false and null
    ("Enabled eq true", DIMM, True),
    ("Enabled eq false", DIMM, False),
    ("Enabled ne false", DIMM, True),
    ("Enabled gt false", DIMM, False),
    ("Spare eq null", DIMM, True),
    ("Spare ne null", DIMM, False),
    ("Enabled eq null", DIMM, False),
    ("Spare lt 1", DIMM, False),
    ("Spare ge null", DIMM, False),
    # what is missing is null
    ("Nothing eq null", DIMM, True),
    ("Status/Nothing eq null", DIMM, True),
    ("Nothing/Below eq null", DIMM, True),
    ("Nothing ne null", DIMM, False),
    ("Nothing eq 'A5'", DIMM, False),
    ("Nothing ne 'A5'", DIMM, True),
    ("Nothing lt 'A5'", DIMM, False),
    # types that do not go together
    ("CapacityMiB eq '32768'", DIMM, False),
    ("CapacityMiB ne '32768'", DIMM, True),
    ("CapacityMiB gt '1'", DIMM, False),
    ("CapacityMiB lt 'x'", DIMM, False),
    ("Id eq 5", DIMM, False),
    ("Id ne 5", DIMM, True),
    ("Enabled eq 1", DIMM, False),
    ("Enabled eq 'true'", DIMM, False),
    ("CapacityMiB eq true", DIMM, False),
    ("Status eq null", DIMM, False),
    # lists: any element
    ("AllowedSpeedsMHz eq 4400", DIMM, True),
    ("AllowedSpeedsMHz eq 4800", DIMM, True),
    ("AllowedSpeedsMHz eq 4000", DIMM, False),
    ("AllowedSpeedsMHz ne 4400", DIMM, False),
    ("AllowedSpeedsMHz ne 4000", DIMM, True),
    ("AllowedSpeedsMHz gt 4500", DIMM, True),
    ("MemoryMedia eq 'DRAM'", DIMM, False),
    ("MemoryMedia ne 'DRAM'", DIMM, True),
    ("Regions/RegionId eq '2'", DIMM, True),
    ("Regions/SizeMiB gt 1000", DIMM, True),
    ("Regions/RegionId eq '3'", DIMM, False),
    ("Links/Processors/@odata.id eq '/redfish/v1/P/1'", DIMM, True),
    # moments
    ("Created eq '2026-05-28T12:42:18Z'", ENTRY, True),
    ("Created eq 2026-05-28T12:42:18Z", ENTRY, True),
    ("Created ne 2026-05-28T14:42:18+02:00", ENTRY, False),
    ("Created ge '2026-05-28T07:42:18-05:00'", ENTRY, True),
    ("Created gt '2026-05-28T07:42:18-05:00'", ENTRY, False),
    ("Created lt '2026-05-28T08:00:00-06:00'", ENTRY, True),
    ("Created gt '2026-05-28T09:00:00+02:00'", ENTRY, True),
    ("Created eq '2026-05-28T14:42:18 02:00'", ENTRY, True),  # a plus sign that was not encoded
    ("Created eq 2026-05-28T14:42:18 02:00 and Id eq '1003'", ENTRY, True),
    ("Created eq '2026-05-28T07:42:18'", ENTRY, True),  # no offset: the other's
    ("Created lt 2026-05-28T07:42", ENTRY, False),
    ("Created lt '2026-05-28T07:42:18.5'", ENTRY, True),
    ("Local eq '2026-05-28T07:42:18+09:00'", ENTRY, True),
    ("Local lt '2026-05-28T07:42:19'", ENTRY, True),
    ("Created lt '9999-12-31T23:59:59-14:00'", ENTRY, True),
    ("Created gt '0001-01-01T00:00:00+14:00'", ENTRY, True),
    ("Created gt '2026-05-28'", ENTRY, True),  # a date is a text
    ("Created eq '2026-13-28T07:42:18Z'", ENTRY, False),
    ("Id lt '2026-05-28T07:42:18Z'", ENTRY, True),
    # bare message ids
    ("MessageId eq 'UEFI0157'", ENTRY, True),
    ("MessageId ne 'UEFI0157'", ENTRY, False),
    ("MessageId eq 'IDRAC.2.9.UEFI0157'", ENTRY, True),
    ("MessageId eq '9.UEFI0157'", ENTRY, False),
    ("MessageId eq 'UEFI0158'", ENTRY, False),
    ("MessageId ne 'UEFI0158'", ENTRY, True),
    ("MessageId ge 'UEFI0157'", ENTRY, False),
    ("Messages/MessageId eq 'PR19'", {"Messages": [{"MessageId": "IDRAC.2.7.PR20"}, {"MessageId": "IDRAC.2.7.PR19"}]}, True),
    ("MessageId eq '7e012790'", {"MessageId": "7e012790"}, True),
    ("MessageId eq null", {}, True),
    ("FirmwareId eq 'UEFI0157'", {"FirmwareId": "IDRAC.2.9.UEFI0157"}, False),
    # and, or, not, parentheses
    ("Id eq 'A5' and Enabled eq true", DIMM, True),
    ("Id eq 'A5' and Enabled eq false", DIMM, False),
    ("Id eq 'A6' or Enabled eq true", DIMM, True),
    ("Id eq 'A6' or Enabled eq false", DIMM, False),
    ("not Id eq 'A6'", DIMM, True),
    ("not (Id eq 'A5')", DIMM, False),
    ("not(Id eq 'A5')", DIMM, False),
    ("not not Id eq 'A5'", DIMM, True),
    ("Id eq 'A5' or Id eq 'A6' and Enabled eq false", DIMM, True),
    ("Enabled eq false and Id eq 'A6' or Id eq 'A5'", DIMM, True),
    ("(Id eq 'A5' or Id eq 'A6') and Enabled eq false", DIMM, False),
    ("not Id eq 'A6' and Enabled eq false", DIMM, False),
    ("not (Id eq 'A6' and Enabled eq false)", DIMM, True),
    ("not Id eq 'A5' or Enabled eq true", DIMM, True),
    ("  (  Id   eq 'A5'  )  ", DIMM, True),
    ("Id eq 'and' or Name eq ') or ('", DIMM, False),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "document", "wanted"), WANTED, ids=[row[0][:60] for row in WANTED])
def test_an_expression_says_whether_a_document_is_wanted(expression, document, wanted):
    assert parse_filter(expression)(document) is wanted


def many(count: int) -> str:
    return " or ".join(["A eq 1"] * count)


def deep(count: int) -> str:
    return "(" * count + "A eq 1" + ")" * count


MALFORMED = [
    # situation, expression
    ("nothing", ""),
    ("blanks", "  "),
    ("a property alone", "Enabled"),
    ("no literal", "Id eq"),
    ("no property", "eq 'A5'"),
    ("the literal first", "'A5' eq Id"),
    ("two properties", "Id eq Name"),
    ("text without quotes", "Id eq A5"),
    ("text that does not end", "Id eq 'A5"),
    ("a quote too many", "Id eq 'A5''"),
    ("other quotes at the end", "Id eq 'A5\""),
    ("nothing between", "Id 'A5'"),
    ("an unknown relation", "Id like 'A5'"),
    ("a relation in capitals", "Id EQ 'A5'"),
    ("a function", "startswith(Id,'A')"),
    ("a relation as a property", "eq eq 1"),
    ("a word of the grammar as a property", "not eq 1"),
    ("true as a property", "true eq true"),
    ("a number as a property", "1 eq 1"),
    ("text as a relation", "Id 'eq' 1"),
    ("and without a right side", "Id eq 'A5' and"),
    ("and without a left side", "and Id eq 'A5'"),
    ("or twice", "Id eq 'A5' or or Id eq 'A6'"),
    ("two comparisons side by side", "Id eq 'A5' Id eq 'A6'"),
    ("not alone", "not"),
    ("a parenthesis that does not close", "(Id eq 'A5'"),
    ("a parenthesis that does not open", "Id eq 'A5')"),
    ("empty parentheses", "()"),
    ("a literal in parentheses", "Id eq ('A5')"),
    ("literals that touch the next word", "A eq 1and B eq 2"),
    ("texts that touch", "A eq 'x''y'z"),
    ("a path that ends in a slash", "Status/ eq 'OK'"),
    ("a path that begins with one", "/Status eq 'OK'"),
    ("a path with an empty name", "Status//Health eq 'OK'"),
    ("half a number", "A eq 1."),
    ("half an exponent", "A eq 1e"),
    ("a number in hexadecimal", "A eq 0x10"),
    ("a sign alone", "A eq -"),
    ("infinity", "A eq inf"),
    ("a day that does not exist", "A eq 2026-02-30T00:00:00Z"),
    ("an offset that does not exist", "A eq 2026-02-20T00:00:00+25:00"),
    ("a date without its time", "A eq 2026-02-20"),
    ("digits that are not ASCII", "A eq \u0661"),
    ("other brackets", "[A eq 1]"),
    ("a statement", "A eq 1; B eq 2"),
    ("Python", "__import__('os')"),
    ("a NUL", "A eq 1\0"),
    ("too many comparisons", many(TERMS_MAX + 1)),
    ("too many parentheses", deep(TERMS_MAX + 1)),
    ("too many parentheses, not closed", "(" * LENGTH_MAX),
    ("too many negations", "not " * (TERMS_MAX + 1) + "A eq 1"),
    ("too long", f"A eq '{'x' * LENGTH_MAX}'"),
    ("too many blanks", " " * LENGTH_MAX + "A eq 1"),
]  # fmt: skip


@pytest.mark.parametrize(("situation", "expression"), MALFORMED, ids=[row[0] for row in MALFORMED])
def test_what_is_no_expression_is_refused(situation, expression):
    with pytest.raises(Rejected) as refused:
        parse_filter(expression)
    assert refused.value.messages == (Message("QueryParameterValueFormatError", (expression[:50], "$filter")),)


BOUNDARIES = [
    # situation, expression, wanted of {"A": 1}
    ("as many comparisons as may be", many(TERMS_MAX), True),
    ("as many parentheses as may be", deep(TERMS_MAX), True),
    ("as many negations as may be", "not " * TERMS_MAX + "A eq 1", True),
    ("as deep as may be, with a choice at every depth", "(A eq 2 or " * (TERMS_MAX - 1) + "A eq 1" + ")" * (TERMS_MAX - 1), True),
    ("as long as may be", f"A eq '{'x' * (LENGTH_MAX - 7)}'", False),
]  # fmt: skip


@pytest.mark.parametrize(("situation", "expression", "wanted"), BOUNDARIES, ids=[row[0] for row in BOUNDARIES])
def test_up_to_its_bounds_a_filter_works(situation, expression, wanted):
    assert parse_filter(expression)({"A": 1}) is wanted


PIECES = [
    "A", "Status/Health", "@odata.id", "MessageId", "eq", "ne", "gt", "le", "and", "or", "not", "(", ")", "'x'", "''", "'",
    '"', "1", "-1.5e3", "true", "null", "2026-05-28T07:42:18Z", "2026-05-28T07:42:18", "/", ".", " ", "  ", "\n", "é",
]  # fmt: skip
DOCUMENTS = [{}, DIMM, ENTRY, {"A": [[1], {"A": 1}, None]}, {"Status": [{"Health": "x"}, 1], "MessageId": ["x.y"]}]


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join), st.lists(st.sampled_from(PIECES)).map("".join)))  # fmt: skip
def test_any_text_is_a_test_or_refused(text):
    with suppress(Rejected):
        test = parse_filter(text)
        assert {test(document) for document in DOCUMENTS} <= {True, False}


@pytest.mark.parametrize(
    "piece", ["'", "''", '"', "(", "not ", "A/", "A.", "1", "1.", "1e", "-", " ", "A eq 'x' and ", "é"]
)
@pytest.mark.parametrize("end", ["", "!", "'"])
def test_no_text_takes_long(piece, end):
    text = (piece * LENGTH_MAX)[: LENGTH_MAX - 10]
    started = time.perf_counter()
    for expression in (text + end, f"A eq {text}{end}"):
        with suppress(Rejected):
            parse_filter(expression)
    assert time.perf_counter() - started < 0.5
