"""Server configuration profiles: what is read, what is refused and how it is said, and that nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.formats.profile import (
    BYTES_MAX,
    NESTING_MAX,
    SETTINGS_MAX,
    Component,
    Profile,
    ProfileError,
    Setting,
    flat,
    parse,
    render,
)

BIOS = "BIOS.Setup.1-1"
RAID = "RAID.Slot.1-1"
Kind = Literal["JSON", "XML"]
KINDS: tuple[Kind, ...] = get_args(Kind)

PROFILE = Profile(
    model="PowerEdge R750",
    service_tag="ABC1234",
    time_stamp="Sat Nov 21 10:00:00 2026",
    comments=("Export type is Normal,Selective", "Some attributes are shown only"),
    components=(
        Component(
            BIOS,
            (
                Setting("ProcVirtualization", "Enabled", set_on_import=True, comment="Read and Write"),
                Setting("SysPassword", "******", set_on_import=False),
                Setting("SystemServiceTag", "ABC1234", set_on_import=False, comment="Read Only"),
                Setting("AssetTag", "", set_on_import=True),
            ),
        ),
        Component(
            RAID,
            (Setting("RAIDresetConfig", "False", set_on_import=True),),
            (
                Component(
                    f"Enclosure.Internal.0-1:{RAID}",
                    (),
                    (Component(f"Disk.Bay.0:{RAID}", (Setting("RAIDPDState", "Ready", set_on_import=False),)),),
                ),
            ),
        ),
    ),
)

AS_JSON: dict[str, Any] = {
    "SystemConfiguration": {
        "Model": "PowerEdge R750",
        "ServiceTag": "ABC1234",
        "TimeStamp": "Sat Nov 21 10:00:00 2026",
        "Comments": [{"Comment": "Export type is Normal,Selective"}, {"Comment": "Some attributes are shown only"}],
        "Components": [
            {
                "FQDD": BIOS,
                "Attributes": [
                    {
                        "Name": "ProcVirtualization",
                        "Value": "Enabled",
                        "Set On Import": "True",
                        "Comment": "Read and Write",
                    },
                    {"Name": "SysPassword", "Value": "******", "Set On Import": "False"},
                    {
                        "Name": "SystemServiceTag",
                        "Value": "ABC1234",
                        "Set On Import": "False",
                        "Comment": "Read Only",
                    },
                    {"Name": "AssetTag", "Value": "", "Set On Import": "True"},
                ],
            },
            {
                "FQDD": RAID,
                "Attributes": [{"Name": "RAIDresetConfig", "Value": "False", "Set On Import": "True"}],
                "Components": [
                    {
                        "FQDD": f"Enclosure.Internal.0-1:{RAID}",
                        "Attributes": [],
                        "Components": [
                            {
                                "FQDD": f"Disk.Bay.0:{RAID}",
                                "Attributes": [{"Name": "RAIDPDState", "Value": "Ready", "Set On Import": "False"}],
                            }
                        ],
                    }
                ],
            },
        ],
    }
}

AS_XML = f"""\
<SystemConfiguration Model="PowerEdge R750" ServiceTag="ABC1234" TimeStamp="Sat Nov 21 10:00:00 2026">
  <!--Export type is Normal,Selective-->
  <!--Some attributes are shown only-->
  <Component FQDD="{BIOS}">
    <Attribute Name="ProcVirtualization">Enabled</Attribute> <!-- Read and Write -->
    <!-- <Attribute Name="SysPassword">******</Attribute> -->
    <!-- <Attribute Name="SystemServiceTag">ABC1234</Attribute> --> <!-- Read Only -->
    <Attribute Name="AssetTag"></Attribute>
  </Component>
  <Component FQDD="{RAID}">
    <Attribute Name="RAIDresetConfig">False</Attribute>
    <Component FQDD="Enclosure.Internal.0-1:{RAID}">
      <Component FQDD="Disk.Bay.0:{RAID}">
        <!-- <Attribute Name="RAIDPDState">Ready</Attribute> -->
      </Component>
    </Component>
  </Component>
</SystemConfiguration>
"""


def in_json(*attributes: Any) -> bytes:
    """A profile with these entries in the Attributes of its BIOS."""
    return orjson.dumps({"SystemConfiguration": {"Components": [{"FQDD": BIOS, "Attributes": attributes}]}})


def in_xml(inside: str) -> bytes:
    """A profile with this inside the component of its BIOS, beginning in line 2."""
    return f'<SystemConfiguration><Component FQDD="{BIOS}">\n{inside}\n</Component></SystemConfiguration>'.encode()


def settings_of(content: bytes) -> list[Setting]:
    return [setting for _, setting in flat(parse(content))]


def refusal(content: bytes) -> str:
    """The sentence with which a content is refused, which is always one line."""
    with pytest.raises(ProfileError) as refused:
        parse(content)
    assert re.fullmatch(r"[ -~]+", str(refused.value))
    return str(refused.value)


# -- both kinds -------------------------------------------------------------------------------------------------------


def test_a_profile_in_json() -> None:
    assert orjson.loads(render(PROFILE, "JSON")) == AS_JSON
    assert parse(orjson.dumps(AS_JSON)) == PROFILE


def test_a_profile_in_xml() -> None:
    assert render(PROFILE, "XML").decode() == AS_XML
    assert parse(AS_XML.encode()) == PROFILE


def test_both_kinds_of_a_profile_are_equal() -> None:
    assert parse(render(PROFILE, "JSON")) == parse(render(PROFILE, "XML"))


def test_settings_come_in_the_order_of_the_document() -> None:
    assert [(fqdd, setting.name) for fqdd, setting in flat(PROFILE)] == [
        (BIOS, "ProcVirtualization"),
        (BIOS, "SysPassword"),
        (BIOS, "SystemServiceTag"),
        (BIOS, "AssetTag"),
        (RAID, "RAIDresetConfig"),
        (f"Disk.Bay.0:{RAID}", "RAIDPDState"),
    ]


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b" \r\n\t", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_order_mark_and_blanks_may_come_first(kind: Kind, before: bytes) -> None:
    assert parse(before + render(PROFILE, kind)) == PROFILE


@pytest.mark.parametrize(
    "content",
    [
        b'{"SystemConfiguration": {}}',
        b'{"SystemConfiguration": {"Comments": [], "Components": []}}',
        b"<SystemConfiguration/>",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<SystemConfiguration></SystemConfiguration>',
    ],
)
def test_a_profile_may_hold_nothing(content: bytes) -> None:
    assert parse(content) == Profile("", "", "", (), ())


# -- what may differ from an export -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "setting"),
    [
        ('{"Name": "A", "Value": "x"}', Setting("A", "x", set_on_import=True)),
        ('{"Name": "A", "Value": "x", "Set On Import": "False"}', Setting("A", "x", set_on_import=False)),
        ('{"Name": "A", "Value": "x", "Extra": {"of": [1.5, null]}}', Setting("A", "x", set_on_import=True)),
        ('{"Name": "A", "Value": " x "}', Setting("A", " x ", set_on_import=True)),
        ('{"Name": "A", "Value": 12}', Setting("A", "12", set_on_import=True)),
        ('{"Name": "A", "Value": -1.50}', Setting("A", "-1.50", set_on_import=True)),
        ('{"Name": "A", "Value": 1E3}', Setting("A", "1E3", set_on_import=True)),
        (f'{{"Name": "A", "Value": {"1" * 50}}}', Setting("A", "1" * 50, set_on_import=True)),
        ('{"Name": "A", "Value": true}', Setting("A", "True", set_on_import=True)),
        ('{"Name": "A", "Value": false}', Setting("A", "False", set_on_import=True)),
    ],
)
def test_a_setting_in_json(entry: str, setting: Setting) -> None:
    content = f'{{"Extra": 1, "SystemConfiguration": {{"Components": [{{"FQDD": "", "Attributes": [{entry}]}}]}}}}'
    assert settings_of(content.encode()) == [setting]
    assert {type(text) for text in (setting.name, settings_of(content.encode())[0].value)} == {str}


SHOWN = Setting("A", "x", set_on_import=False)
SET = Setting("A", "x", set_on_import=True)
ELEMENT = '<Attribute Name="A">x</Attribute>'


@pytest.mark.parametrize(
    ("inside", "settings"),
    [
        (ELEMENT, [SET]),
        ("<Attribute Name='A' Extra='1'><![CDATA[x]]></Attribute>", [SET]),
        ('<Attribute Name="A"> x&#13;\n</Attribute>', [Setting("A", " x\r\n", set_on_import=True)]),
        ('<Attribute Name="A"/>', [Setting("A", "", set_on_import=True)]),
        ('<Attribute Name="A">&lt;&amp;&gt;</Attribute>', [Setting("A", "<&>", set_on_import=True)]),
        ('<Attribute Name="A">x<!-- no --></Attribute>', [SET]),
        (f"<?what ever?>{ELEMENT}", [SET]),
        # shown only
        (f"<!-- {ELEMENT} -->", [SHOWN]),
        (f"<!--{ELEMENT}-->", [SHOWN]),
        (f"<!-- {ELEMENT}\n  {ELEMENT} -->{ELEMENT}", [SHOWN, SHOWN, SET]),
        ('<!-- <Attribute Name="A">-&#45;&amp;</Attribute> -->', [Setting("A", "--&", set_on_import=False)]),
        # markup that is no setting is nobody's
        ("<!-- <Attribute>x</Attribute> -->", []),
        ('<!-- <Attribute Name="A">x -->', []),
        ('<!-- <Attribute Name="A">x</Attribut> -->', []),
        ('<!-- <Attribute Name="A">&huh;</Attribute> -->', []),
        (f"<!-- see {ELEMENT} -->", []),
        (f'<!-- <Component FQDD="B">{ELEMENT}</Component> -->', []),
        (f'<!-- {ELEMENT}</Component><Component FQDD="B"> -->', []),
        (f"<!-- {ELEMENT}</Component></SystemConfiguration> -->", []),
        (f"{ELEMENT} <!-- <Attribute> -->", [SET]),
        # a comment on the line of a setting is about it
        (f"{ELEMENT} <!-- Read Only -->", [Setting("A", "x", set_on_import=True, comment="Read Only")]),
        (f"{ELEMENT}<!--1--><!--2-->", [Setting("A", "x", set_on_import=True, comment="1")]),
        (f"<!-- {ELEMENT} --> <!--&#32;a &amp; b-->", [Setting("A", "x", set_on_import=False, comment=" a & b")]),
        (f"{ELEMENT}\n<!-- idle -->", [SET]),
        (f"<!-- idle --> {ELEMENT}", [SET]),
        (f'{ELEMENT}<Component FQDD=""><!-- idle --></Component><!-- idle -->', [SET]),
    ],
)
def test_settings_in_xml(inside: str, settings: list[Setting]) -> None:
    assert settings_of(in_xml(inside)) == settings


IDLE_COMPONENT = '<Component FQDD="X"><!-- idle --></Component>'


def test_comments_outside_all_components_are_about_the_whole() -> None:
    content = f"<!-- 1 --><SystemConfiguration><!--2-->{IDLE_COMPONENT}<!--<3&amp;--></SystemConfiguration><!---->"
    assert parse(content.encode()).comments == ("1", "2", "<3&", "")


# -- what is refused --------------------------------------------------------------------------------------------------

NEITHER = "line 1, column 1: The profile is neither JSON nor XML: it begins with neither { nor <"
ROOT = "SystemConfiguration"
FIRST = f"{ROOT}.Components[0]"


@pytest.mark.parametrize("content", [b"", b" \n", b"[]", b"BIOS", b"\xff\xfe<\x00", b"\x00"])
def test_neither_kind(content: bytes) -> None:
    assert refusal(content) == NEITHER


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"{", 1),
        (b'{\n"A": }', 2),
        (b'{\n"A": NaN}', 2),
        (b'{\n"A": 1e999}', 2),
        (b'{\n\n"A": "\x01"}', 3),
        (b'{\n\n"A": "\\ud800"}', 3),
        (b'{"A": "\xff"}', 1),
        (b"{}\n{}", 2),
        (b'{"A": ' + b"[" * 100_000, 1),
    ],
)
def test_broken_json(content: bytes, line: int) -> None:
    """What is wrong with it is said in the words of orjson."""
    assert re.fullmatch(rf"line {line}, column \d+: \w.+", refusal(content))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{}", f"{ROOT} is missing"),
        (b'{"SystemConfiguration": []}', f"{ROOT} is a list, not an object"),
        (b'{"SystemConfiguration": {"Model": 1}}', f"{ROOT}.Model is a number, not a text"),
        (b'{"SystemConfiguration": {"ServiceTag": null}}', f"{ROOT}.ServiceTag is null, not a text"),
        (b'{"SystemConfiguration": {"TimeStamp": true}}', f"{ROOT}.TimeStamp is a boolean, not a text"),
        (b'{"SystemConfiguration": {"Comments": "x"}}', f"{ROOT}.Comments is a text, not a list"),
        (b'{"SystemConfiguration": {"Comments": ["x"]}}', f"{ROOT}.Comments[0] is a text, not an object"),
        (b'{"SystemConfiguration": {"Comments": [{}]}}', f"{ROOT}.Comments[0].Comment is missing"),
        (b'{"SystemConfiguration": {"Components": {}}}', f"{ROOT}.Components is an object, not a list"),
        (b'{"SystemConfiguration": {"Components": [{}]}}', f"{FIRST}.FQDD is missing"),
        (
            b'{"SystemConfiguration": {"Components": [{"FQDD": "A", "Components": [{"FQDD": 1}]}]}}',
            f"{FIRST}.Components[0].FQDD is a number, not a text",
        ),
        (in_json({"Name": "A", "Value": "x"}, "x"), f"{FIRST}.Attributes[1] is a text, not an object"),
        (in_json({"Value": "x"}), f"{FIRST}.Attributes[0].Name is missing"),
        (in_json({"Name": "A"}), f"{FIRST}.Attributes[0].Value is missing"),
        (in_json({"Name": True, "Value": "x"}), f"{FIRST}.Attributes[0].Name is a boolean, not a text"),
        (in_json({"Name": "A", "Value": None}), f"{FIRST}.Attributes[0].Value is null, not a text"),
        (in_json({"Name": "A", "Value": ["x"]}), f"{FIRST}.Attributes[0].Value is a list, not a text"),
        (in_json({"Name": "A", "Value": {}}), f"{FIRST}.Attributes[0].Value is an object, not a text"),
        (
            in_json({"Name": "A", "Value": "", "Set On Import": "yes"}),
            f"{FIRST}.Attributes[0].Set On Import is neither True nor False",
        ),
        (
            in_json({"Name": "A", "Value": "", "Set On Import": True}),
            f"{FIRST}.Attributes[0].Set On Import is a boolean, not a text",
        ),
        (in_json({"Name": "A", "Value": "", "Comment": 1}), f"{FIRST}.Attributes[0].Comment is a number, not a text"),
    ],
)
def test_json_that_is_no_profile(content: bytes, sentence: str) -> None:
    assert refusal(content) == sentence


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<", "line 1, column 1: unclosed token"),
        (b"<SystemConfiguration>", "line 1, column 22: no element found"),
        (b"<SystemConfiguration/><A/>", "line 1, column 23: junk after document element"),
        (b"<!-- nothing -->", "line 1, column 17: no element found"),
        (b'\n<?xml version="1.0"?><A/>', "line 2, column 1: XML or text declaration not at start of entity"),
        (b"<A/>", "line 1, column 1: <A> has no place here"),
        (b'<Component FQDD="A"/>', "line 1, column 1: <Component> has no place here"),
        (b'<A:SystemConfiguration xmlns:A="B"/>', "line 1, column 1: <{B}SystemConfiguration> has no place here"),
        (b'<A xmlns="&#10;B"/>', "line 1, column 1: <{\\nB}A> has no place here"),
        (b"<" + b"A" * 1000 + b"/>", f"line 1, column 1: <{'A' * 60}> has no place here"),
        (b"<SystemConfiguration>\n x</SystemConfiguration>", "line 2, column 1: Text is outside an <Attribute>"),
        (
            b"<SystemConfiguration>\n<Attribute/></SystemConfiguration>",
            "line 2, column 1: <Attribute> has no place here",
        ),
        (b"<SystemConfiguration>\n<Component/></SystemConfiguration>", "line 2, column 1: <Component> has no FQDD"),
        (in_xml("<Attribute/>"), "line 2, column 1: <Attribute> has no Name"),
        (in_xml("<SystemConfiguration/>"), "line 2, column 1: <SystemConfiguration> has no place here"),
        (in_xml("  <Atribute/>"), "line 2, column 3: <Atribute> has no place here"),
        (in_xml('<Attribute Name="A"><b/></Attribute>'), "line 2, column 21: <b> is inside an <Attribute>"),
        (in_xml('<Attribute Name="A">x</Component>'), "line 2, column 24: mismatched tag"),
        (in_xml('<Attribute Name="A" Name="B"/>'), "line 2, column 21: duplicate attribute"),
        (in_xml('<Attribute Name="A">&huh;</Attribute>'), "line 2, column 21: undefined entity"),
        (in_xml('<Attribute Name="A">\x01</Attribute>'), "line 2, column 21: not well-formed (invalid token)"),
        (in_xml("<!-- -- -->"), "line 2, column 8: not well-formed (invalid token)"),
        (in_xml("<!--é-->").decode().encode("latin-1"), "line 2, column 5: not well-formed (invalid token)"),
    ],
)
def test_xml_that_is_no_profile(content: bytes, sentence: str) -> None:
    assert refusal(content) == sentence


DTD = "The profile has a document type definition, which is not accepted"
LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))


@pytest.mark.parametrize(
    "definition",
    [
        "<!DOCTYPE SystemConfiguration>",
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>',
        '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE x [<!ENTITY % l9 SYSTEM "http://127.0.0.1/x.dtd"> %l9;]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
        '<?xml version="1.0" encoding="UTF-16"?>\n<!DOCTYPE x>',
    ],
)
def test_xml_with_definitions_is_refused(definition: str) -> None:
    """Among them a billion laughs, and entities from outside: nothing is expanded, nothing is fetched."""
    assert refusal(definition.encode() + in_xml('<Attribute Name="A">&l9;</Attribute>')) == DTD


# -- bounds -----------------------------------------------------------------------------------------------------------


def nested(depth: int) -> Profile:
    """A profile of components inside one another."""
    component = Component("innermost", (Setting("A", "x", set_on_import=True),))
    for level in range(depth - 1, 0, -1):
        component = Component(str(level), (), (component,))
    return Profile("", "", "", (), (component,))


@pytest.mark.parametrize("kind", KINDS)
def test_nesting_has_a_bound(kind: Kind) -> None:
    assert parse(render(nested(NESTING_MAX), kind)) == nested(NESTING_MAX)
    assert "nested more than 8 deep" in refusal(render(nested(NESTING_MAX + 1), kind))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"<SystemConfiguration>" + b'<Component FQDD="">' * 100_000,
            "line 1, column 174: Components are nested more than 8 deep",
        ),
        (in_xml('<Attribute Name="A">' * 100_000), "line 2, column 21: <Attribute> is inside an <Attribute>"),
    ],
)
def test_xml_nested_without_end(content: bytes, sentence: str) -> None:
    assert refusal(content) == sentence


def test_json_nested_deeply_in_what_is_not_known() -> None:
    """Whether Python itself reads it depends on its version and its stack."""
    sentence = refusal(b'{"A": ' + b"[" * 1000 + b"]" * 1000 + b"}")
    assert sentence in ("The profile is nested too deeply", "SystemConfiguration is missing")


@pytest.mark.parametrize(
    "profile_of",
    [
        lambda number: in_json(*[{"Name": "A", "Value": "x"}] * number),
        lambda number: in_xml(ELEMENT * number),
        lambda number: in_xml(f"<!--{ELEMENT * (number // 2)}-->{ELEMENT * (number - number // 2)}"),
    ],
)
def test_settings_have_a_bound(profile_of: Callable[[int], bytes]) -> None:
    assert len(settings_of(profile_of(SETTINGS_MAX))) == SETTINGS_MAX
    assert refusal(profile_of(SETTINGS_MAX + 1)) == "The profile holds more than 50000 settings"


def test_comments_to_look_into_have_a_bound() -> None:
    assert refusal(in_xml("<!--<-->" * (SETTINGS_MAX + 1))) == (
        "line 2, column 400001: More than 50000 comments have markup"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_has_a_bound(kind: Kind) -> None:
    content = render(PROFILE, kind)
    assert parse(content + b"\n" * (BYTES_MAX - len(content))) == PROFILE
    assert refusal(content + b"\n" * (BYTES_MAX + 1 - len(content))) == "The profile is larger than 4194304 bytes"


# -- writing ----------------------------------------------------------------------------------------------------------


def with_setting(name: str = "A", value: str = "", comment: str = "", fqdd: str = BIOS) -> Profile:
    return Profile("", "", "", (), (Component(fqdd, (Setting(name, value, set_on_import=True, comment=comment),)),))


@pytest.mark.parametrize(
    ("profile", "kind", "sentence"),
    [
        (with_setting(value="\x00"), "XML", f"Component '{BIOS}', Attribute 'A' has a character that XML cannot hold: U+0000"),
        (with_setting(name="\x1f"), "XML", f"Component '{BIOS}', Attribute '\\x1f' has a character that XML cannot hold: U+001F"),
        (with_setting(comment="\ufffe"), "XML", f"Component '{BIOS}', Attribute 'A' has a character that XML cannot hold: U+FFFE"),
        (with_setting(fqdd="\n\v"), "XML", "Component '\\n\\x0b' has a character that XML cannot hold: U+000B"),
        (with_setting(value="\ud800"), "XML", f"Component '{BIOS}', Attribute 'A' has a character that XML cannot hold: U+D800"),
        (with_setting(value="\ud800"), "JSON", f"Component '{BIOS}', Attribute 'A' has a character that JSON cannot hold: U+D800"),
        (Profile("\b", "", "", (), ()), "XML", "Model has a character that XML cannot hold: U+0008"),
        (Profile("", "\b", "", (), ()), "XML", "ServiceTag has a character that XML cannot hold: U+0008"),
        (Profile("", "", "\b", (), ()), "XML", "TimeStamp has a character that XML cannot hold: U+0008"),
        (Profile("", "", "", ("", "\b"), ()), "XML", "Comments[1] has a character that XML cannot hold: U+0008"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(profile: Profile, kind: Kind, sentence: str) -> None:
    with pytest.raises(ProfileError) as refused:
        render(profile, kind)
    assert str(refused.value) == sentence


def test_json_holds_control_characters() -> None:
    assert parse(render(with_setting(value="\x00\x1f"), "JSON")) == with_setting(value="\x00\x1f")


# what XML or a comment could stumble over comes up often; beside it, whatever XML can hold
TEXT = st.one_of(
    st.text(alphabet=" \t\r\n-<>&\"';!]a", max_size=12),
    st.sampled_from(["&amp;", "&#45;", "-->", "<!--", "]]>", "--", "-", ELEMENT, f"<!-- {ELEMENT} -->"]),
    st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=8),
    st.text(alphabet="\t\n\r\x7f\x85\u2028\ufeff\U0010ffff", max_size=3),
)
SETTINGS = st.lists(st.builds(Setting, TEXT, TEXT, st.booleans(), TEXT), max_size=4).map(tuple)
COMPONENTS = st.recursive(
    st.builds(Component, TEXT, SETTINGS),
    lambda below: st.builds(Component, TEXT, SETTINGS, st.lists(below, max_size=2).map(tuple)),
    max_leaves=4,
)
PROFILES = st.builds(
    Profile, TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3).map(tuple), st.lists(COMPONENTS, max_size=2).map(tuple)
)


@pytest.mark.parametrize("kind", KINDS)
@given(profile=PROFILES)
def test_nothing_is_lost(kind: Kind, profile: Profile) -> None:
    assert parse(render(profile, kind)) == profile


def outcome(content: bytes) -> Profile | str:
    try:
        return parse(content)
    except ProfileError as refused:
        return str(refused)


@given(content=st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)), start=st.sampled_from("{<"))
def test_whatever_comes_is_read_or_refused_in_one_line(content: bytes, start: str) -> None:
    result = outcome(start.encode() + content)
    assert isinstance(result, Profile) or "\n" not in result
