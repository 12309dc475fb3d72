"""The BIOS: what an attribute may hold, how attributes depend on each other, and a real registry of 682 of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from bios_examples import AT, BIOS, bios, bios_of, flags_of, place_of, site_of
from registry_entries import Condition, attribute, choice, registry, rule

from emulator.core.device import check
from emulator.core.message import Message, Rejected
from emulator.devices.attribute_registry import build_model
from emulator.devices.bios import Bios

R750 = "poweredge-r750.tar.xz"
RACKMOUNT = "dmtf-public-rackmount1.tar.xz"


def refused(device: Bios, change: Mapping[str, Any]) -> list[Message]:
    """The messages with which a change is refused; [] when it is not. Nothing has changed either way."""
    before = (device.snapshot(), dict(device.read()))
    try:
        device.plan(check(device, change))
        messages = []
    except Rejected as rejected:
        messages = list(rejected.messages)
    assert (device.snapshot(), dict(device.read())) == before
    return messages


def refused_keys(device: Bios, change: Mapping[str, Any]) -> list[str]:
    return [message.key for message in refused(device, change)]


def set_now(device: Bios, **change: Any) -> None:
    """As a job would, without its time."""
    for step in device.plan(check(device, change)):
        assert device.apply(step, AT).ok, step


# -- what an attribute may hold ---------------------------------------------------------------------------------------

MODE = choice("A", "On", "Off")
NUMBER = attribute("A", "Integer", LowerBound=10, UpperBound=20, ScalarIncrement=5)
FREE_NUMBER = attribute("A", "Integer")
TEXT = attribute("A", "String", MinLength=2, MaxLength=4, ValueExpression="^[a-z]+$")
ODD_TEXT = attribute("A", "String", ValueExpression="^(?<name>[")
FLAG = attribute("A", "Boolean")
PASSWORD = attribute("A", "Password", MinLength=2, MaxLength=4, ValueExpression="^[a-z]+$")
TYPE, LIST, RANGE = "PropertyValueTypeError", "PropertyValueNotInList", "PropertyValueOutOfRange"
LONG, SHORT, FORMAT = "StringValueTooLong", "StringValueTooShort", "PropertyValueFormatError"


@pytest.mark.parametrize(
    ("entry", "value", "key"),
    [
        (MODE, "On", None),
        (MODE, "Off", None),
        (MODE, "on", LIST),
        (MODE, "", LIST),
        (MODE, "On ", LIST),
        (MODE, True, TYPE),
        (MODE, 1, TYPE),
        (MODE, None, TYPE),
        (MODE, ["On"], TYPE),
        (NUMBER, 10, None),
        (NUMBER, 15, None),
        (NUMBER, 20, None),
        (NUMBER, 9, RANGE),
        (NUMBER, 21, RANGE),
        (NUMBER, 25, RANGE),
        (NUMBER, 12, RANGE),  # increments count from the lower bound
        (NUMBER, "15", TYPE),
        (NUMBER, 15.0, TYPE),
        (NUMBER, True, TYPE),
        (NUMBER, None, TYPE),
        (FREE_NUMBER, -(2**53), None),
        (FREE_NUMBER, 0, None),
        (TEXT, "ab", None),
        (TEXT, "abcd", None),
        (TEXT, "", None),  # empty is how a text is taken away
        (TEXT, "a", SHORT),
        (TEXT, "abcde", LONG),
        (TEXT, "AB", FORMAT),
        (TEXT, "ab\n1", FORMAT),
        (TEXT, 12, TYPE),
        (TEXT, None, TYPE),
        (TEXT, {}, TYPE),
        (ODD_TEXT, "anything", None),  # an expression that Python does not understand checks nothing
        (FLAG, True, None),
        (FLAG, False, None),
        (FLAG, 0, TYPE),
        (FLAG, 1, TYPE),
        (FLAG, "true", TYPE),
        (FLAG, None, TYPE),
        (PASSWORD, "abc", None),
        (PASSWORD, "", None),
        (PASSWORD, "a", SHORT),
        (PASSWORD, "abcde", LONG),
        (PASSWORD, "AB", FORMAT),
        (PASSWORD, None, TYPE),
    ],
)
def test_what_a_value_must_be(entry: dict[str, Any], value: Any, key: str | None) -> None:
    messages = refused(bios([entry]), {"A": value})
    assert [message.key for message in messages] == ([] if key is None else [key])
    assert all(message.related == ("Attributes/A",) for message in messages)


@pytest.mark.parametrize(
    ("entry", "value", "args"),
    [
        (MODE, "Both", ("Both", "A")),
        (MODE, None, ("null", "A")),
        (MODE, True, ("true", "A")),
        (NUMBER, 99, ("99", "A")),
        (TEXT, "abcde", ("abcde", "4", "A")),
        (TEXT, "a", ("a", "2", "A")),
        (TEXT, "AB", ("AB", "A")),
        (PASSWORD, "abcde", ("", "4", "A")),  # a password is not repeated
        (PASSWORD, "AB", ("", "A")),
    ],
)
def test_a_refusal_says_what_was_given_and_where(entry: dict[str, Any], value: Any, args: tuple[str, ...]) -> None:
    (message,) = refused(bios([entry]), {"A": value})
    assert message.args == args


def test_a_value_is_repeated_at_a_bearable_length() -> None:
    (message,) = refused(bios([FLAG]), {"A": "x" * 10_000})
    assert len(message.args[0]) <= 200


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({"ReadOnly": True}, ["PropertyNotWritable"]),
        ({"Immutable": True}, ["PropertyNotWritable"]),
        ({"Hidden": True}, ["PropertyNotWritable"]),
        ({}, []),
        ({"ReadOnly": False, "Hidden": False, "Immutable": False}, []),
    ],
)
def test_what_is_read_only_or_hidden_cannot_be_set(more: dict[str, Any], keys: list[str]) -> None:
    assert refused_keys(bios([choice("A", "On", "Off", **more)]), {"A": "Off"}) == keys


def test_what_is_hidden_is_not_shown() -> None:
    device = bios([choice("A", "On", "Off", Hidden=True), choice("B", "On", "Off")], values={"A": "On", "B": "On"})
    assert device.read() == {"B": "On"}


def test_all_that_is_wrong_is_said_in_the_order_of_the_request() -> None:
    device = bios([choice("A", "On", "Off"), attribute("B", "Boolean"), choice("C", "On", "Off", ReadOnly=True)])
    change = {"C": "Off", "X": 1, "B": "no", "A": "Maybe"}
    assert refused_keys(device, change) == ["PropertyNotWritable", "PropertyUnknown", TYPE, LIST]


@pytest.mark.parametrize(
    ("values", "entry", "starts_with"),
    [
        ({"A": "Off"}, MODE, "Off"),
        ({}, MODE, "On"),
        ({"A": None}, MODE, "On"),
        ({}, attribute("A", "Enumeration", Value=[{"ValueName": "First"}]), "First"),
        ({}, NUMBER, 10),
        ({}, attribute("A", "Integer", LowerBound=1, DefaultValue=7), 7),
        ({}, FLAG, False),
        ({}, TEXT, ""),
        ({}, attribute("A", "Enumeration"), None),
    ],
)
def test_an_attribute_starts_as_captured_else_with_its_default_else_with_the_first_it_may_hold(
    values: dict[str, Any], entry: dict[str, Any], starts_with: Any
) -> None:
    assert bios([entry], values=values).read()["A"] == starts_with


# -- dependencies -----------------------------------------------------------------------------------------------------

SOURCES = [choice("S", "a", "b", "c"), choice("T", "x", "y"), attribute("N", "Integer")]


@pytest.mark.parametrize(
    ("compare", "wanted", "have", "holds"),
    [
        ("EQU", 5, 5, True),
        ("EQU", 5, 6, False),
        ("NEQ", 5, 6, True),
        ("NEQ", 5, 5, False),
        ("GTR", 5, 6, True),
        ("GTR", 5, 5, False),
        ("GEQ", 5, 5, True),
        ("GEQ", 5, 4, False),
        ("LSS", 5, 4, True),
        ("LSS", 5, 5, False),
        ("LEQ", 5, 5, True),
        ("LEQ", 5, 6, False),
        ("GTR", "5", 6, False),  # a number is neither more nor less than a text
        ("LSS", None, 6, False),
    ],
)
def test_comparisons(compare: str, wanted: Any, have: int, holds: bool) -> None:
    device = bios([*SOURCES, choice("A", "1", "2")], [rule("A", "ReadOnly", True, ("N", compare, wanted))], {"N": have})
    assert flags_of(device, "A") == (holds, False)


@pytest.mark.parametrize(
    ("conditions", "values", "holds"),
    [
        # without MapTerms the conditions are alternatives
        ([("S", "EQU", "a"), ("S", "EQU", "b")], {"S": "a"}, True),
        ([("S", "EQU", "a"), ("S", "EQU", "b")], {"S": "b"}, True),
        ([("S", "EQU", "a"), ("S", "EQU", "b")], {"S": "c"}, False),
        ([("S", "EQU", "a"), ("T", "EQU", "x", "OR")], {"S": "b", "T": "x"}, True),
        ([("S", "EQU", "a"), ("T", "EQU", "x", "OR")], {"S": "b", "T": "y"}, False),
        ([("S", "EQU", "a"), ("T", "EQU", "x", "AND")], {"S": "a", "T": "x"}, True),
        ([("S", "EQU", "a"), ("T", "EQU", "x", "AND")], {"S": "a", "T": "y"}, False),
        ([("S", "EQU", "a"), ("T", "EQU", "x", "AND")], {"S": "b", "T": "x"}, False),
        # MapTerms of the first condition joins it to nothing
        ([("S", "EQU", "a", "AND")], {"S": "a"}, True),
        ([("S", "EQU", "a", "AND"), ("T", "EQU", "x")], {"S": "b", "T": "x"}, True),
        # from left to right: (a OR x) AND n, then (a AND x) OR n
        ([("S", "EQU", "a"), ("T", "EQU", "x", "OR"), ("N", "EQU", 1, "AND")], {"S": "a", "T": "y", "N": 1}, True),
        ([("S", "EQU", "a"), ("T", "EQU", "x", "OR"), ("N", "EQU", 1, "AND")], {"S": "a", "T": "y", "N": 2}, False),
        ([("S", "EQU", "a"), ("T", "EQU", "x", "AND"), ("N", "EQU", 1, "OR")], {"S": "b", "T": "y", "N": 1}, True),
    ],
)
def test_and_or_and_nothing_between_conditions(
    conditions: list[Condition], values: dict[str, Any], holds: bool
) -> None:
    # captured in another state, so that no flag of the registry itself plays a part
    device = bios([*SOURCES, choice("A", "1", "2")], [rule("A", "Hidden", True, *conditions)], {"N": 9})
    device.restore({"own": values})
    assert flags_of(device, "A") == (False, holds)
    assert ("A" in device.read()) is not holds
    assert refused_keys(device, {"A": "2"}) == (["PropertyDependency"] if holds else [])


@pytest.mark.parametrize(
    ("prop", "flags"),
    [
        ("ReadOnly", (True, False)),
        ("GrayOut", (True, False)),
        ("Hidden", (False, True)),
        ("WarningText", (False, False)),
    ],
)
def test_which_properties_a_dependency_may_set(prop: str, flags: tuple[bool, bool]) -> None:
    device = bios([*SOURCES, choice("A", "1", "2")], [rule("A", prop, True, ("S", "EQU", "a"))])
    assert flags_of(device, "A") == flags


@pytest.mark.parametrize(
    "odd",
    [
        rule("Nobody", "ReadOnly", True, ("S", "EQU", "a")),
        rule("A", "ReadOnly", True, ("S", "LIKE", "a")),
        {**rule("A", "ReadOnly", True, ("S", "EQU", "a")), "Type": "Script"},
        rule("A", "ReadOnly", True),
        rule("A", "ReadOnly", True, ("Nobody", "EQU", "a")),
    ],
)
def test_a_dependency_that_makes_no_sense_is_none(odd: dict[str, Any]) -> None:
    device = bios([*SOURCES, choice("A", "1", "2")], [odd])
    assert flags_of(device, "A") == (False, False)
    assert refused_keys(device, {"A": "2"}) == []


@pytest.mark.parametrize("flag", ["ReadOnly", "Hidden"])
def test_a_captured_flag_that_a_dependency_explains_goes_with_its_reason(flag: str) -> None:
    device = bios(
        [*SOURCES, choice("A", "1", "2", **{flag: True})], [rule("A", flag, True, ("S", "EQU", "a"))], {"S": "a"}
    )
    (message,) = refused(device, {"A": "2"})
    assert (message.key, message.args) == ("PropertyDependency", ("A", "S"))
    set_now(device, S="b")
    assert refused(device, {"A": "2"}) == []
    set_now(device, A="2")
    set_now(device, S="a")
    assert refused_keys(device, {"A": "1"}) == ["PropertyDependency"]


@pytest.mark.parametrize("flag", ["ReadOnly", "Hidden"])
def test_a_captured_flag_that_no_dependency_explains_is_the_attributes_own(flag: str) -> None:
    device = bios(
        [*SOURCES, choice("A", "1", "2", **{flag: True})], [rule("A", flag, True, ("S", "EQU", "b"))], {"S": "a"}
    )
    assert refused_keys(device, {"A": "2"}) == ["PropertyNotWritable"]
    set_now(device, S="c")
    assert refused_keys(device, {"A": "2"}) == ["PropertyNotWritable"]


PROFILE = [
    choice("SysProfile", "Perf", "Dense", "Custom"),
    choice("ProcPwrPerf", "MaxPerf", "SysDbpm", "OsDbpm", ReadOnly=True),
    choice("Turbo", "Enabled", "Disabled"),
    choice("Bins", "0", "1"),
]
PROFILE_RULES = [
    rule("ProcPwrPerf", "ReadOnly", True, ("SysProfile", "NEQ", "Custom")),
    rule("ProcPwrPerf", "CurrentValue", "MaxPerf", ("SysProfile", "EQU", "Perf")),
    rule("ProcPwrPerf", "CurrentValue", "SysDbpm", ("SysProfile", "EQU", "Dense")),
    rule("Turbo", "CurrentValue", "Disabled", ("ProcPwrPerf", "EQU", "SysDbpm")),
    rule("Bins", "ReadOnly", True, ("Turbo", "EQU", "Disabled")),
    rule("Bins", "CurrentValue", "0", ("Turbo", "EQU", "Disabled")),
]


@pytest.fixture
def profile() -> Bios:
    return bios(PROFILE, PROFILE_RULES)


@pytest.mark.parametrize("order", [["SysProfile", "ProcPwrPerf"], ["ProcPwrPerf", "SysProfile"]])
def test_what_is_free_only_after_another_change_is_accepted_together_with_it(profile: Bios, order: list[str]) -> None:
    change = {"SysProfile": "Custom", "ProcPwrPerf": "OsDbpm"}
    steps = profile.plan({name: change[name] for name in order})
    assert [step.name for step in steps] == ["SysProfile", "ProcPwrPerf"]  # what others depend on comes first
    assert all(profile.apply(step, AT).ok for step in steps)
    assert profile.read()["ProcPwrPerf"] == "OsDbpm"


def test_alone_it_is_refused_and_the_refusal_names_what_to_change_first(profile: Bios) -> None:
    assert refused(profile, {"ProcPwrPerf": "OsDbpm"}) == [
        Message("PropertyDependency", ("ProcPwrPerf", "SysProfile"), ("Attributes/ProcPwrPerf",), device="bios")
    ]


def test_it_is_refused_too_when_the_other_change_does_not_free_it(profile: Bios) -> None:
    assert refused_keys(profile, {"SysProfile": "Dense", "ProcPwrPerf": "OsDbpm"}) == ["PropertyDependency"]


def test_what_the_same_request_would_lock_is_refused() -> None:
    """Set first it would go through, but nobody could tell what the result ought to be: the request contradicts itself."""
    device = bios(
        [choice("S", "free", "locked"), choice("A", "1", "2")], [rule("A", "ReadOnly", True, ("S", "EQU", "locked"))]
    )
    assert refused_keys(device, {"A": "2"}) == []
    for change in ({"S": "locked", "A": "2"}, {"A": "2", "S": "locked"}):
        assert refused(device, change) == [Message("PropertyDependency", ("A", "S"), ("Attributes/A",), device="bios")]


def test_consequences_of_consequences_follow(profile: Bios) -> None:
    set_now(profile, Bins="1")
    (step,) = profile.plan({"SysProfile": "Dense"})
    outcome = profile.apply(step, AT)
    assert dict(profile.read()) == {
        "SysProfile": "Dense",
        "ProcPwrPerf": "SysDbpm",
        "Turbo": "Disabled",
        "Bins": "0",
    }
    profile.undo(step, outcome.before)
    assert dict(profile.read()) == {"SysProfile": "Perf", "ProcPwrPerf": "MaxPerf", "Turbo": "Enabled", "Bins": "1"}


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"Turbo": "Disabled", "Bins": "1"}, ["PropertyDependency"]),
        ({"SysProfile": "Dense", "Bins": "1"}, ["PropertyDependency"]),  # Dense sets what disables Turbo
        ({"SysProfile": "Custom", "ProcPwrPerf": "SysDbpm", "Bins": "1"}, ["PropertyDependency"]),
        ({"SysProfile": "Custom", "ProcPwrPerf": "SysDbpm", "Turbo": "Enabled", "Bins": "1"}, []),
    ],
)
def test_the_consequences_of_a_request_count_in_it(profile: Bios, change: dict[str, Any], keys: list[str]) -> None:
    assert refused_keys(profile, change) == keys


def test_a_step_whose_turn_finds_it_locked_fails_with_the_reason_and_changes_nothing(profile: Bios) -> None:
    steps = profile.plan({"SysProfile": "Custom", "ProcPwrPerf": "OsDbpm"})
    before = profile.snapshot()
    outcome = profile.apply(steps[1], AT)  # the first one was not done
    assert (outcome.ok, outcome.before) == (False, {})
    assert outcome.message == Message(
        "PropertyDependency", ("ProcPwrPerf", "SysProfile"), ("Attributes/ProcPwrPerf",), device="bios"
    )
    assert profile.snapshot() == before


@pytest.mark.parametrize(
    "rules",
    [
        [rule("B", "CurrentValue", "2", ("A", "EQU", "2")), rule("A", "CurrentValue", "1", ("B", "EQU", "2"))],
        [
            rule("B", "CurrentValue", "2", ("A", "EQU", "2")),
            rule("A", "CurrentValue", "1", ("B", "EQU", "2")),
            rule("B", "CurrentValue", "1", ("A", "EQU", "1")),
            rule("A", "CurrentValue", "2", ("B", "EQU", "1")),
        ],
        [rule("A", "CurrentValue", "1", ("A", "EQU", "2")), rule("A", "CurrentValue", "2", ("A", "EQU", "1"))],
        [rule("A", "ReadOnly", True, ("B", "EQU", "1")), rule("B", "ReadOnly", True, ("A", "EQU", "1"))],
    ],
)
def test_dependencies_that_go_round_in_circles_come_to_an_end(rules: list[dict[str, Any]]) -> None:
    device = bios([choice("A", "1", "2"), choice("B", "1", "2")], rules)
    before = device.snapshot()
    for change in ({"A": "2"}, {"A": "2", "B": "2"}, {"B": "2", "A": "2"}):
        try:
            steps = device.plan(change)
        except Rejected:
            continue
        done = [(step, device.apply(step, AT)) for step in steps]
        assert all(outcome.ok for _, outcome in done)
        for step, outcome in reversed(done):
            device.undo(step, outcome.before)
        assert device.snapshot() == before


# -- defaults ---------------------------------------------------------------------------------------------------------


def test_a_reset_goes_to_the_defaults_where_there_are_some_and_else_to_what_was_delivered() -> None:
    device = bios(
        [
            choice("A", "1", "2"),
            attribute("B", "Integer"),
            choice("C", "1", "2", ReadOnly=True),
            choice("D", "1", "2", Immutable=True),
            choice("E", "1", "2", Hidden=True),
        ],
        values={"A": "2", "B": 7, "C": "2", "D": "2", "E": "2"},
    )
    set_now(device, B=9)
    device.reset()
    assert dict(device.read()) == {"A": "1", "B": 7, "C": "2", "D": "2"}
    assert device.snapshot() == {"own": {"A": "1", "E": "1"}}


def test_a_snapshot_holds_only_what_differs_and_a_restored_one_leaves_out_what_is_not_known() -> None:
    device = bios([choice("A", "1", "2"), choice("B", "1", "2")])
    assert device.snapshot() == {"own": {}}
    set_now(device, A="2")
    assert device.snapshot() == {"own": {"A": "2"}}
    set_now(device, A="1")
    assert device.snapshot() == {"own": {}}
    device.restore({"own": {"B": "2", "Gone": 1}})
    assert device.snapshot() == {"own": {"B": "2"}}
    assert dict(device.read()) == {"A": "1", "B": "2"}


# -- reading registries -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        {"RegistryEntries": {"Attributes": {}}, "x": 1} | {"RegistryEntries": {"Attributes": {"A": 1}}},
        {"RegistryEntries": {"Attributes": ["A"]}},
        {"RegistryEntries": {"Attributes": [{"Type": "Integer"}]}},
        {"RegistryEntries": {"Attributes": [{"AttributeName": "A"}]}},
        {"RegistryEntries": {"Attributes": [{"AttributeName": "A", "Type": "Colour"}]}},
        {"RegistryEntries": {"Attributes": [], "Dependencies": "none"}},
    ],
)
def test_what_is_no_registry_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="RegistryEntries"):
        build_model({}, document)


@pytest.mark.parametrize("document", [None, {}, {"RegistryEntries": None}, registry([])])
def test_without_a_registry_the_values_tell_the_types(document: dict[str, Any] | None) -> None:
    model = build_model({"B": True, "I": 3, "S": "x", "N": None, "L": [1]}, document)
    device = Bios(BIOS, model)
    assert {name: entry.type for name, entry in model.attributes.items()} == {
        "B": "Boolean",
        "I": "Integer",
        "S": "String",
        "N": "String",
    }
    assert refused_keys(device, {"B": 1, "I": "3", "S": 4}) == [TYPE, TYPE, TYPE]
    assert refused(device, {"B": False, "I": 4, "S": "y"}) == []


def test_a_value_with_a_fraction_is_shown_even_where_no_registry_describes_it() -> None:
    """Bios.Attributes may hold any number; what was captured must not disappear."""
    assert Bios(BIOS, build_model({"Volts": 1.25, "A": "x"}, None)).read() == {"Volts": 1.25, "A": "x"}


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("lifecycle-server", 141), ("rack-server", 100)],
)
def test_every_shown_attribute_of_a_bundled_mockup_is_read_back(name: str, attributes: int) -> None:
    device, place = bios_of(name), place_of(name)
    captured = site_of(name).tree.documents[place.uri]["Attributes"]
    assert dict(device.read()) == captured
    assert len(device.describe()) == attributes


# -- a captured server: 682 attributes, 588 dependencies --------------------------------------------------------------


def captured_registry() -> dict[str, Any]:
    place = place_of(R750)
    document = site_of(R750).tree.documents[f"{place.uri}/BiosRegistry"]
    entries: dict[str, Any] = document["RegistryEntries"]
    return entries


def test_all_attributes_and_dependencies_of_the_captured_server_are_read() -> None:
    model, entries = place_of(R750).model, captured_registry()
    assert len(model.attributes) == len(entries["Attributes"]) == 682
    by_flag = [found for rules in model.flags.values() for found in rules]
    setting = {id(found) for rules in model.sets.values() for found in rules}
    assert (len(by_flag), len(setting)) == (364, 224)
    assert len(by_flag) + len(setting) == len(entries["Dependencies"]) == 588


def test_every_shown_attribute_of_the_captured_server_is_read_back() -> None:
    captured = site_of(R750).tree.documents[place_of(R750).uri]["Attributes"]
    assert len(captured) == 455
    assert dict(bios_of(R750).read()) == captured


def test_the_flags_of_the_captured_server_follow_from_its_values_but_for_four() -> None:
    """All four are read-only by a dependency that holds, and were captured without the flag; three are hidden anyway."""
    device = bios_of(R750)
    differing = {
        entry["AttributeName"]
        for entry in captured_registry()["Attributes"]
        if flags_of(device, entry["AttributeName"]) != (entry["ReadOnly"], entry["Hidden"])
    }
    assert differing == {"AvxIccpPreGrantLevel", "DrtmSkinit", "OneTimeUefiBootSeqDev", "OsAcpiCx"}
    assert {name for name in differing if flags_of(device, name)[1]} == differing - {"OneTimeUefiBootSeqDev"}


def forced(device: Bios, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Values that make the first condition of a dependency hold."""
    condition = entry["MapFrom"][0]
    name, wanted = condition["MapFromAttribute"], condition["MapFromValue"]
    if condition["MapFromCondition"] == "EQU":
        return {name: wanted}
    described = device.describe()[name]
    others: list[Any] = [value for value in described.choices if value != wanted] or [
        value for value in (0, 1) if value != wanted
    ]
    return {name: others[0]}


def test_each_dependency_of_the_captured_server_locks_what_it_says() -> None:
    device = bios_of(R750)
    locking = [
        entry["Dependency"]
        for entry in captured_registry()["Dependencies"]
        if entry["Dependency"]["MapToProperty"] in ("ReadOnly", "Hidden")
    ]
    assert len(locking) == 364
    assert all(entry["MapToValue"] is True for entry in locking)
    for entry in locking:
        name = entry["MapToAttribute"]
        device.restore({"own": forced(device, entry)})
        value = next(iter(device.describe()[name].choices), device.describe()[name].lower or 0)
        with pytest.raises(Rejected) as refusal:
            device.plan({name: value})
        (message,) = refusal.value.messages
        assert message.key in ("PropertyDependency", "PropertyNotWritable"), entry
        if message.key == "PropertyDependency":
            sources = {
                condition["MapFromAttribute"]
                for other in locking
                if other["MapToAttribute"] == name
                for condition in other["MapFrom"]
            }
            assert set(message.args[1].split(", ")) <= sources
        if entry["MapToProperty"] == "Hidden":
            assert name not in device.read()


def test_the_captured_server_frees_its_profile_settings_only_with_a_custom_profile() -> None:
    device = bios_of(R750)
    assert refused_keys(device, {"ProcPwrPerf": "OsDbpm"}) == ["PropertyDependency"]
    assert refused(device, {"ProcPwrPerf": "OsDbpm"})[0].args == ("ProcPwrPerf", "SysProfile")
    set_now(device, ProcPwrPerf="OsDbpm", SysProfile="Custom")
    assert device.read()["ProcPwrPerf"] == "OsDbpm"
    set_now(device, SysProfile="PerfOptimized")
    assert device.read()["ProcPwrPerf"] == "MaxPerf"


def test_a_captured_tree_without_a_registry_has_ten_writable_attributes() -> None:
    device, place = bios_of(RACKMOUNT), place_of(RACKMOUNT)
    captured = site_of(RACKMOUNT).tree.documents[place.uri]["Attributes"]
    assert dict(device.read()) == captured
    assert len(captured) == 10
    types = {str: "String", bool: "Boolean", int: "Integer"}
    for name, value in captured.items():
        assert device.describe()[name].type == types[type(value)]
        assert flags_of(device, name) == (False, False)
