"""A server configuration profile as data: which settings the components of a server have, in JSON and in XML.

Both kinds say the same. A profile holds components, a component holds settings and further components (a controller's
enclosures, an enclosure's drives), and a setting is shown only or is set on import. JSON says that with a member,
"Set On Import". XML has no such member: a setting that is shown only stands inside an XML comment. What JSON says of a
setting in "Comment" follows it in XML, as a comment on the same line:

    <Attribute Name="ProcVirtualization">Enabled</Attribute> <!-- Read and Write -->
    <!-- <Attribute Name="SysPassword">******</Attribute> --> <!-- Read Only -->

So nothing is lost either way: `parse(render(profile, kind)) == profile`, for every profile within the bounds below.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import orjson
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from emulator.formats.xml_text import UNWRITABLE

BYTES_MAX = 4 * 1024 * 1024
"""How large a document may be."""

NESTING_MAX = 8
"""How deep components may be nested; the ones of the profile itself are at 1."""

SETTINGS_MAX = 50_000
"""How many settings a document may hold, those that are shown only included."""

TAG_SHOWN_MAX = 60
"""How many characters of an element's unknown name a message shows."""

_BLANKS = " \t\n"
"""What may surround a text in XML; the parser makes line feeds of carriage returns."""


class ProfileError(Exception):
    """A profile that cannot be read or written. Its text is one line: where and what is wrong, without any value."""


@dataclass(frozen=True, slots=True)
class Setting:
    """An attribute of a component and the value it has, or is to have."""

    name: str
    value: str
    """Always text: "3", "True", "Enabled"."""
    set_on_import: bool
    """False: it is shown, but an import leaves it alone."""
    comment: str = ""
    """What is said of it, such as "Read and Write" or "Read Only"; empty if nothing is."""


@dataclass(frozen=True, slots=True)
class Component:
    """A device, or a part of the controller's own configuration."""

    fqdd: str
    """Dell's name of it: BIOS.Setup.1-1."""
    settings: tuple[Setting, ...]
    components: tuple[Component, ...] = ()
    """What is below it: the enclosures of a storage controller, the drives of an enclosure."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole document. What it says of its server is empty if it does not say it."""

    model: str
    service_tag: str
    time_stamp: str
    """When it was exported, in the controller's local time: "Sat Nov 21 10:00:00 2026". Not checked."""
    comments: tuple[str, ...]
    """Remarks on the whole, such as "Export type is Normal,JSON,Selective"."""
    components: tuple[Component, ...]


def parse(content: bytes) -> Profile:
    """Read a profile, which is XML if it begins with `<` and JSON if it begins with `{`, after a BOM and blanks.

    Both are UTF-8, whatever XML may declare.
    JSON objects may have members that are not known here; everything except FQDD, Name and Value may be missing, and a
    setting that does not say otherwise is set on import. A Value may be a number or a boolean: it becomes the number as
    it is written, or "True" or "False". XML elements may have attributes that are not known here, but no unknown
    elements: a misspelled one would silently set nothing. Blanks in a value belong to the value.

    Raises:
        ProfileError: when the content is neither, is broken, is not a profile or exceeds a bound; also when it is XML
            with a document type definition, and thus with any entities of its own.
    """
    if len(content) > BYTES_MAX:
        raise ProfileError(f"The profile is larger than {BYTES_MAX} bytes")
    text = content.removeprefix(codecs.BOM_UTF8)
    reader = _READERS.get(text.lstrip()[:1])
    if reader is None:
        raise ProfileError("line 1, column 1: The profile is neither JSON nor XML: it begins with neither { nor <")
    profile = reader(text)
    if sum(1 for _ in flat(profile)) > SETTINGS_MAX:
        raise ProfileError(f"The profile holds more than {SETTINGS_MAX} settings")
    return profile


def render(profile: Profile, kind: Literal["JSON", "XML"]) -> bytes:
    """A profile as a document in UTF-8, indented for people to read.

    Controllers export XML without comments on settings. A profile that is to look like theirs has none either.

    Raises:
        ProfileError: when a text has a character that this kind cannot hold: half a surrogate pair, and in XML any
            control character other than tab, line feed and carriage return.
    """
    for place, text in _texts(profile):
        if found := _UNWRITABLE[kind].search(text):
            raise ProfileError(f"{place} has a character that {kind} cannot hold: U+{ord(found[0]):04X}")
    return _as_json(profile) if kind == "JSON" else _as_xml(profile)


def flat(profile: Profile) -> Iterator[tuple[str, Setting]]:
    """Every setting with the FQDD of its component, a component's own before those of the components below it."""
    for component in _all_components(profile.components):
        for setting in component.settings:
            yield component.fqdd, setting


def _all_components(components: Iterable[Component]) -> Iterator[Component]:
    for component in components:
        yield component
        yield from _all_components(component.components)


# -- reading JSON -----------------------------------------------------------------------------------------------------


class _Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


_KINDS: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    _Number: "a number",
    bool: "a boolean",
    type(None): "null",
}

_SET_ON_IMPORT = {"True": True, "False": False}


class _Object(NamedTuple):
    """A JSON object and where it is."""

    members: Mapping[str, Any]
    path: str

    def text(self, name: str, default: str | None = None) -> str:
        """A member that is a text; without a default it must be there."""
        return str(self._member(name, (str,), default))

    def value(self, name: str) -> str:
        """A member that is a text, a number or a boolean, as text."""
        return str(self._member(name, (str, _Number, bool), None))

    def object(self, name: str) -> _Object:
        """A member that is an object."""
        return _Object(self._member(name, (dict,), None), self._path_of(name))

    def objects(self, name: str) -> Iterator[_Object]:
        """The entries of a member that is a list of objects; none if it is missing."""
        for index, entry in enumerate(self._member(name, (list,), [])):
            path = f"{self._path_of(name)}[{index}]"
            yield _Object(_of_kind(entry, (dict,), path), path)

    def _member(self, name: str, kinds: tuple[type, ...], default: Any) -> Any:
        if name in self.members:
            return _of_kind(self.members[name], kinds, self._path_of(name))
        if default is None:
            raise ProfileError(f"{self._path_of(name)} is missing")
        return default

    def _path_of(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def _of_kind(value: Any, kinds: tuple[type, ...], path: str) -> Any:
    if type(value) not in kinds:
        raise ProfileError(f"{path} is {_KINDS[type(value)]}, not {_KINDS[kinds[0]]}")
    return value


def _read_json(content: bytes) -> Profile:
    root = _Object(_load(content), "").object("SystemConfiguration")
    return Profile(
        model=root.text("Model", ""),
        service_tag=root.text("ServiceTag", ""),
        time_stamp=root.text("TimeStamp", ""),
        comments=tuple(entry.text("Comment") for entry in root.objects("Comments")),
        components=tuple(_json_component(entry, 1) for entry in root.objects("Components")),
    )


def _load(content: bytes) -> dict[str, Any]:
    """The members of the document, which begins with a brace.

    orjson judges, and the standard library reads: orjson makes 1.5 of 1.50, and a fraction of a very long integer.
    """
    try:
        orjson.loads(content)
        loaded: dict[str, Any] = json.loads(content, parse_int=_Number, parse_float=_Number)
    except json.JSONDecodeError as error:
        raise ProfileError(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ProfileError("The profile is nested too deeply") from error
    return loaded


def _json_component(entry: _Object, depth: int) -> Component:
    if depth > NESTING_MAX:
        raise ProfileError(f"{entry.path} is nested more than {NESTING_MAX} deep")
    return Component(
        fqdd=entry.text("FQDD"),
        settings=tuple(_json_setting(setting) for setting in entry.objects("Attributes")),
        components=tuple(_json_component(component, depth + 1) for component in entry.objects("Components")),
    )


def _json_setting(entry: _Object) -> Setting:
    set_on_import = entry.text("Set On Import", "True")
    if set_on_import not in _SET_ON_IMPORT:
        raise ProfileError(f"{entry.path}.Set On Import is neither True nor False")
    return Setting(entry.text("Name"), entry.value("Value"), _SET_ON_IMPORT[set_on_import], entry.text("Comment", ""))


# -- reading XML ------------------------------------------------------------------------------------------------------


def _read_xml(content: bytes) -> Profile:
    events = _Events()
    parser: Any = XMLParser(target=events, encoding="UTF-8", forbid_dtd=True)
    parser.parser.buffer_text = False  # buffered text comes when the parser is past it
    events.position = lambda: (parser.parser.CurrentLineNumber, parser.parser.CurrentColumnNumber)
    try:
        parser.feed(content)
        parser.close()
    except ParseError as error:
        reason, *_ = str(error).split(": line ")
        raise ProfileError(f"{_line(*error.position)}: {reason}") from error
    except DefusedXmlException as error:
        raise ProfileError("The profile has a document type definition, which is not accepted") from error
    return events.profile()


def _line(line: int, column: int) -> str:
    """Where something is, from a line that counts from 1 and a column that counts from 0."""
    return f"line {line}, column {column + 1}"


def _quoted(tag: str) -> str:
    """A tag for a message: it may be long, and its namespace may even have line feeds."""
    return f"<{ascii(tag)[1:-1]:.{TAG_SHOWN_MAX}}>"


@dataclass(slots=True)
class _Open:
    """An element whose end is yet to come: a component, or the whole."""

    fqdd: str = ""
    settings: list[Setting] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)


class _Events:
    """Makes a profile of what the XML parser meets, and refuses at once what is none."""

    def __init__(self) -> None:
        self.position: Callable[[], tuple[int, int]] = lambda: (1, 0)
        """Where the parser is."""
        self.heading: Mapping[str, str] = {}
        self.comments: list[str] = []
        self.open: list[_Open] = []
        """From the whole, which stays, to the innermost component."""
        self.name: str | None = None
        """Of the setting whose value is being read."""
        self.value: list[str] = []
        self.beside = False
        """The last thing on this line is a setting: a comment here is about it."""
        self.marked_up = 0
        """How many comments had markup. Looking into one takes a parser, which is dear, so they are bounded too."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self.beside = False
        if self.name is not None:
            raise self._wrong(f"{_quoted(tag)} is inside an <Attribute>")
        match tag, len(self.open):
            case "SystemConfiguration", 0:
                self.heading = attributes
                self.open.append(_Open())
            case "Component", depth if depth > NESTING_MAX:
                raise self._wrong(f"Components are nested more than {NESTING_MAX} deep")
            case "Component", depth if depth:
                self.open.append(_Open(self._required(tag, attributes, "FQDD")))
            case "Attribute", depth if depth > 1:
                self.name = self._required(tag, attributes, "Name")
            case _:
                raise self._wrong(f"{_quoted(tag)} has no place here")

    def data(self, text: str) -> None:
        """Text, in one or several pieces."""
        if self.name is not None:
            self.value.append(text)
        elif not text.isspace():
            raise self._wrong("Text is outside an <Attribute>")
        elif "\n" in text:
            self.beside = False

    def end(self, tag: str) -> None:
        """An element ends; it is the innermost one."""
        if tag == "Attribute":
            self._add(Setting(self.name or "", "".join(self.value), set_on_import=True))
            self.name = None
            self.value.clear()
        elif tag == "Component":
            self.beside = False
            done = self.open.pop()
            self.open[-1].components.append(Component(done.fqdd, tuple(done.settings), tuple(done.components)))

    def comment(self, text: str) -> None:
        """A comment: about the whole, with settings that are shown only, about the setting before it, or idle."""
        if self.name is not None:
            return
        if len(self.open) <= 1:
            self.comments.append(_comment_text(text))
        elif "<" in text:
            self._add_shown_only(text)
        elif self.beside:
            self.beside = False
            settings = self.open[-1].settings
            settings[-1] = replace(settings[-1], comment=_comment_text(text))

    def close(self) -> None:
        """The document ends; the parser has seen to it that it is complete."""

    def profile(self) -> Profile:
        """What was read."""
        return Profile(
            model=self.heading.get("Model", ""),
            service_tag=self.heading.get("ServiceTag", ""),
            time_stamp=self.heading.get("TimeStamp", ""),
            comments=tuple(self.comments),
            components=tuple(self.open[0].components),
        )

    def _add(self, setting: Setting) -> None:
        self.open[-1].settings.append(setting)
        self.beside = True

    def _add_shown_only(self, comment: str) -> None:
        self.beside = False
        self.marked_up += 1
        if self.marked_up > SETTINGS_MAX:
            raise self._wrong(f"More than {SETTINGS_MAX} comments have markup")
        for setting in _shown_only(comment):
            self._add(setting)

    def _required(self, tag: str, attributes: Mapping[str, str], name: str) -> str:
        if name not in attributes:
            raise self._wrong(f"<{tag}> has no {name}")
        return attributes[name]

    def _wrong(self, what: str) -> ProfileError:
        return ProfileError(f"{_line(*self.position())}: {what}")


def _shown_only(comment: str) -> list[Setting]:
    """The settings in an XML comment that holds settings and nothing else; [] where it holds anything else."""
    document = f'<SystemConfiguration><Component FQDD="">{comment}</Component></SystemConfiguration>'
    try:
        components = _read_xml(document.encode()).components
    except ProfileError:
        return []
    match components:
        case (Component(settings=settings, components=()),):
            return [replace(setting, set_on_import=False) for setting in settings]
    return []  # the comment holds components, or ends ours and begins one of its own


_READERS: Mapping[bytes, Callable[[bytes], Profile]] = {b"{": _read_json, b"<": _read_xml}

# -- writing ----------------------------------------------------------------------------------------------------------

_UNWRITABLE = {
    "JSON": re.compile(r"[\ud800-\udfff]"),
    "XML": UNWRITABLE,
}


def _texts(profile: Profile) -> Iterator[tuple[str, str]]:
    """Every text of a profile, after where it is; that is plain ASCII whatever the profile holds."""
    yield from (("Model", profile.model), ("ServiceTag", profile.service_tag), ("TimeStamp", profile.time_stamp))
    for index, comment in enumerate(profile.comments):
        yield f"Comments[{index}]", comment
    for component in _all_components(profile.components):
        yield f"Component {component.fqdd!a}", component.fqdd
        for setting in component.settings:
            place = f"Component {component.fqdd!a}, Attribute {setting.name!a}"
            yield from ((place, setting.name), (place, setting.value), (place, setting.comment))


def _as_json(profile: Profile) -> bytes:
    document = {
        "SystemConfiguration": {
            "Model": profile.model,
            "ServiceTag": profile.service_tag,
            "TimeStamp": profile.time_stamp,
            "Comments": [{"Comment": comment} for comment in profile.comments],
            "Components": [_component_as_json(component) for component in profile.components],
        }
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _component_as_json(component: Component) -> dict[str, Any]:
    nested = [_component_as_json(below) for below in component.components]
    return {
        "FQDD": component.fqdd,
        "Attributes": [_setting_as_json(setting) for setting in component.settings],
        **({"Components": nested} if nested else {}),
    }


def _setting_as_json(setting: Setting) -> dict[str, str]:
    return {
        "Name": setting.name,
        "Value": setting.value,
        "Set On Import": str(setting.set_on_import),
        **({"Comment": setting.comment} if setting.comment else {}),
    }


_REFERENCES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
    " ": "&#32;",
    "-": "&#45;",
}
"""How XML writes a character where it would mean something, or would not come back as it was."""
_CHARACTERS = {reference: character for character, reference in _REFERENCES.items()}


def _escapes(characters: str) -> dict[int, str]:
    return str.maketrans({character: _REFERENCES[character] for character in characters})


_IN_TEXT = _escapes("&<>\r")
_IN_ATTRIBUTE = _escapes('&<>"\t\n\r')
_BLANK = _escapes(_BLANKS)
_DASH = _escapes("-")


def _as_xml(profile: Profile) -> bytes:
    return "".join(f"{line}\n" for line in _xml_lines(profile)).encode()


def _xml_lines(profile: Profile) -> Iterator[str]:
    heading = {"Model": profile.model, "ServiceTag": profile.service_tag, "TimeStamp": profile.time_stamp}
    yield f"<SystemConfiguration{_xml_attributes(heading)}>"
    for comment in profile.comments:
        yield f"  <!--{_in_comment(comment)}-->"
    for component in profile.components:
        yield from _component_lines(component, "  ")
    yield "</SystemConfiguration>"


def _component_lines(component: Component, indent: str) -> Iterator[str]:
    yield f"{indent}<Component{_xml_attributes({'FQDD': component.fqdd})}>"
    for setting in component.settings:
        yield f"{indent}  {_setting_as_xml(setting)}"
    for below in component.components:
        yield from _component_lines(below, f"{indent}  ")
    yield f"{indent}</Component>"


def _setting_as_xml(setting: Setting) -> str:
    name = _xml_attributes({"Name": setting.name})
    element = f"<Attribute{name}>{setting.value.translate(_IN_TEXT)}</Attribute>"
    shown = element if setting.set_on_import else f"<!-- {_without_dashes(element)} -->"
    return f"{shown} <!-- {_in_comment(setting.comment)} -->" if setting.comment else shown


def _xml_attributes(attributes: Mapping[str, str]) -> str:
    return "".join(f' {name}="{value.translate(_IN_ATTRIBUTE)}"' for name, value in attributes.items())


def _in_comment(text: str) -> str:
    """A text as the whole of an XML comment; `_comment_text` gives it back. It is unchanged unless it is unusual."""
    escaped = _without_dashes(text.translate(_IN_TEXT))
    begun = escaped.lstrip(_BLANKS)
    core = begun.rstrip(_BLANKS)
    before, after = escaped[: len(escaped) - len(begun)], begun[len(core) :]
    return before.translate(_BLANK) + core + after.translate(_BLANK)


def _without_dashes(text: str) -> str:
    """The same without what ends a comment, two dashes, and without a dash at its end, where another would follow."""
    return re.sub(r"(?<=-)-|-\Z", lambda dash: dash[0].translate(_DASH), text)


def _comment_text(comment: str) -> str:
    """What a comment says, without the blanks around it."""
    return re.sub(r"&#?\w+;", lambda reference: _CHARACTERS.get(reference[0], reference[0]), comment.strip(_BLANKS))
