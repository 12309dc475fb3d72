"""An update catalogue: which firmware packages a repository has, for which components of which systems.

The format is that of Dell's public Catalog.xml, of which this reads what an update needs:

    <Manifest baseLocation="downloads.dell.com" baseLocationAccessProtocols="HTTPS" version="25.04.28">
      <SoftwareComponent path="FOLDER1/1/BIOS_1.10.2.EXE" vendorVersion="1.10.2" packageType="LW64" size="1000"
                         hashMD5="..." rebootRequired="true">
        <Name><Display lang="en">BIOS</Display></Name>
        <ComponentType value="BIOS"/>
        <Cryptography><Hash algorithm="SHA256">...</Hash></Cryptography>
        <SupportedDevices><Device componentID="159"/></SupportedDevices>
        <Criticality value="2"/>
        <SupportedSystems><Brand><Model systemID="0A2C" systemIDType="BIOS"/></Brand></SupportedSystems>
      </SoftwareComponent>
    </Manifest>

Such a file has tens of megabytes, of which little is of interest, so it is read in pieces and never kept. What is
written is read back: the catalogue of `Reader.finish` is the one that was given to `render`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from emulator.formats.xml_text import UNWRITABLE

BYTES_MAX = 128 * 1024 * 1024
"""How large a catalogue may be, as it is sent and unpacked."""
PACKAGES_MAX = 50_000
TAG_BYTES_MAX = 64 * 1024
"""How much of a catalogue may be a single tag: the parser has to keep it."""
TEXT_MAX = 1024
"""How long a text of interest may be, in characters."""
LISTED_MAX = 4096
"""How many components, and how many systems, a package may be for."""
PIECE_BYTES = 32 * 1024
GZIP_MAGIC = b"\x1f\x8b"
PROTOCOLS = ("https", "http")
"""In which packages can be fetched; what a catalogue prefers comes first in `Catalog.protocols`."""
DIGESTS = ("sha256", "md5")
"""What a catalogue may tell of a package's content, the one to rely on first."""
_HEX = re.compile("[0-9a-f]+")


class CatalogError(Exception):
    """A catalogue that cannot be used. Its text is one line: where and what is wrong."""


@dataclass(frozen=True, slots=True)
class Package:
    """One firmware package."""

    path: str
    """Below the catalogue's base location, or beside the catalogue."""
    version: str
    components: tuple[str, ...]
    """Software ids of what it is for ("159"), as the firmware inventory has them."""
    name: str = ""
    type: str = ""
    """BIOS, FRMW (firmware), APAC (an application); DRVR is for an operating system."""
    package_type: str = ""
    """LW64, LWXP: the ones that a lifecycle controller can install; LLXP is for an operating system."""
    criticality: str = ""
    """1 recommended, 2 urgent, 3 optional."""
    needs_reboot: bool | None = None
    """Whether it needs a restart; None where the catalogue does not say."""
    size: int | None = None
    """Bytes."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Algorithm (one of DIGESTS) -> lower-case hex."""
    systems: tuple[str, ...] = ()
    """Ids of the systems it is for ("0A2C"); none: for all."""

    def to_plain(self) -> dict[str, Any]:
        """JSON types only."""
        digests = {algorithm: self.digests[algorithm] for algorithm in DIGESTS if algorithm in self.digests}
        lists = {"components": list(self.components), "systems": list(self.systems)}
        return {**asdict(self), **lists, "digests": digests}


@dataclass(frozen=True, slots=True)
class Catalog:
    """A whole catalogue."""

    packages: tuple[Package, ...]
    base_location: str = ""
    """The host, and maybe a folder there, that has the packages; empty: they are beside the catalogue."""
    protocols: tuple[str, ...] = ()
    """How the base location can be reached: some of PROTOCOLS; none where the catalogue does not say."""
    version: str = ""


def location(catalog: Catalog, package: Package, catalog_uri: str) -> str:
    """The URI of a package of the catalogue that was fetched from this URI."""
    return f"{_base(catalog, catalog_uri)}/{quote(_slashed(package.path).strip('/'))}"


def _base(catalog: Catalog, catalog_uri: str) -> str:
    place = _slashed(catalog.base_location).strip("/")
    if not place:
        return catalog_uri.rpartition("/")[0]
    if "://" in place:
        return place
    own = urlsplit(catalog_uri).scheme
    scheme = own if own in catalog.protocols or not catalog.protocols else catalog.protocols[0]
    return f"{scheme}://{place}"


def _slashed(path: str) -> str:
    """Catalogues made for Windows shares have backslashes."""
    return path.replace("\\", "/")


# -- reading ----------------------------------------------------------------------------------------------------------


class Reader:
    """Reads a catalogue that comes in pieces, plain or gzipped, and gives it at the end.

    XML in the encodings that the parser knows: Dell's are in UTF-16, others in UTF-8. Elements and attributes that are
    not known here are passed over.
    """

    def __init__(self) -> None:
        self._head = b""
        """The first byte, while it is alone: two tell what it is."""
        self._unpacker: Any = None
        self._unpacked = 0
        self._fed = 0
        self._problem = ""
        self._events = _Events()
        self._parser: Any = XMLParser(target=self._events, forbid_dtd=True)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, however many. What is wrong with them, `finish` says."""
        if self._problem:
            return
        try:
            self._take(chunk)
        except CatalogError as error:
            self._problem = str(error)

    def finish(self) -> Catalog:
        """The catalogue.

        Raises:
            CatalogError: when it is no XML, no catalogue, cut short or damaged, exceeds a bound, or has a document type
                definition, and thus entities of its own.
        """
        if self._problem:
            raise CatalogError(self._problem)
        if self._unpacker is not None and not self._unpacker.eof:
            raise CatalogError("The catalog is cut short: its compressed data has no end")
        self._parse(self._head)
        with _SaidAsCatalogError(self._parser):
            self._parser.close()
        return self._events.catalog()

    def _take(self, chunk: bytes) -> None:
        if self._fed == 0:
            chunk = self._head + chunk
            if len(chunk) < len(GZIP_MAGIC):
                self._head = chunk
                return
            self._head = b""
            if chunk.startswith(GZIP_MAGIC):
                self._unpacker = zlib.decompressobj(wbits=31)
        self._fed += len(chunk)
        for start in range(0, len(chunk), PIECE_BYTES):
            piece = chunk[start : start + PIECE_BYTES]
            if self._unpacker is None:
                self._parse(piece)
            else:
                self._unpack(piece)

    def _unpack(self, piece: bytes) -> None:
        """At most PIECE_BYTES are there unpacked at a time, whatever they come from."""
        try:
            while piece and not self._unpacker.eof:
                self._parse(self._unpacker.decompress(piece, PIECE_BYTES))
                piece = self._unpacker.unconsumed_tail
        except zlib.error as error:
            raise CatalogError("The catalog's compressed data is damaged") from error

    def _parse(self, piece: bytes) -> None:
        self._unpacked += len(piece)
        if self._unpacked > BYTES_MAX:
            raise CatalogError(f"The catalog is larger than {BYTES_MAX} bytes")
        with _SaidAsCatalogError(self._parser):
            self._parser.feed(piece)
        if self._unpacked - self._parser.parser.CurrentByteIndex > TAG_BYTES_MAX + PIECE_BYTES:
            raise CatalogError(f"A tag of the catalog is larger than {TAG_BYTES_MAX} bytes")


class _SaidAsCatalogError:
    """What the parser refuses, in words."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ParseError):
            line, column = error.position
            reason, *_ = str(error).split(": line ")
            raise CatalogError(f"line {line}, column {column + 1}: {reason}") from error
        if isinstance(error, DefusedXmlException):
            raise CatalogError("The catalog has a document type definition, which is not accepted") from error
        if isinstance(error, LookupError | ValueError):
            raise CatalogError("The catalog's encoding is unknown") from error


_ROOT = ("Manifest",)
_PACKAGE = ("Manifest", "SoftwareComponent")
_DEVICE = (*_PACKAGE, "SupportedDevices", "Device")
_MODEL = (*_PACKAGE, "SupportedSystems", "Brand", "Model")
_NAME = (*_PACKAGE, "Name", "Display")
_HASH = (*_PACKAGE, "Cryptography", "Hash")
_VALUES: Mapping[tuple[str, ...], str] = {
    (*_PACKAGE, "ComponentType"): "type",
    (*_PACKAGE, "Criticality"): "criticality",
}
"""Elements whose `value` is a field of the package."""
_DEPTH = max(len(path) for path in (_DEVICE, _MODEL, _NAME, _HASH))


class _Events:
    """Makes a catalogue of what the XML parser meets."""

    def __init__(self) -> None:
        self._root: Mapping[str, str] = {}
        self._packages: list[Package] = []
        self._depth = 0
        self._path: tuple[str, ...] = ()
        """The names of the open elements, of the outermost _DEPTH."""
        self._facts: dict[str, Any] = {}
        """Of the package that is being read."""
        self._components: dict[str, None] = {}
        self._systems: dict[str, None] = {}
        self._digests: dict[str, str] = {}
        self._hash = ""
        """The algorithm of the digest that is being read."""
        self._text: list[str] = []
        self._text_size = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        self._depth += 1
        if self._depth > _DEPTH:
            return
        self._path = (*self._path, tag.rpartition("}")[2])
        if self._depth == 1:
            if self._path != _ROOT:
                raise CatalogError(f"It is no catalog: it begins with <{self._path[0][:60]}>, not <Manifest>")
            self._root = attributes
        elif self._path == _PACKAGE:
            self._begin_package(attributes)
        elif self._path == _DEVICE:
            self._list(self._components, attributes.get("componentID", ""))
        elif self._path == _MODEL:
            self._list(self._systems, attributes.get("systemID", "").upper())
        elif self._path in _VALUES:
            self._facts[_VALUES[self._path]] = self._checked("value", attributes.get("value", ""))
        elif self._path in (_NAME, _HASH):
            self._text.clear()
            self._text_size = 0
            self._hash = attributes.get("algorithm", "").lower().replace("-", "")

    def data(self, text: str) -> None:
        """Text, in one or several pieces."""
        if self._depth > _DEPTH or self._path not in (_NAME, _HASH):
            return
        self._text_size += len(text)
        if self._text_size > TEXT_MAX:
            raise CatalogError(f"<{self._path[-1]}> of a package has more than {TEXT_MAX} characters")
        self._text.append(text)

    def end(self, tag: str) -> None:
        """An element ends; it is the innermost one."""
        self._depth -= 1
        if self._depth >= _DEPTH:
            return
        if self._path == _NAME:
            self._facts.setdefault("name", "".join(self._text).strip())
        elif self._path == _HASH:
            self._note_digest(self._hash, "".join(self._text))
        elif self._path == _PACKAGE:
            self._end_package()
        self._path = self._path[:-1]

    def close(self) -> None:
        """The document ends; the parser has seen to it that it is complete."""

    def catalog(self) -> Catalog:
        """What was read."""
        protocols = self._checked("baseLocationAccessProtocols", self._root.get("baseLocationAccessProtocols", ""))
        named = [name.strip().lower() for name in protocols.split(",")]
        return Catalog(
            packages=tuple(self._packages),
            base_location=self._checked("baseLocation", self._root.get("baseLocation", "")),
            protocols=tuple(dict.fromkeys(name for name in named if name in PROTOCOLS)),
            version=self._checked("version", self._root.get("version", "")),
        )

    def _begin_package(self, attributes: Mapping[str, str]) -> None:
        if len(self._packages) == PACKAGES_MAX:
            raise CatalogError(f"The catalog has more than {PACKAGES_MAX} packages")
        given = {name: self._checked(name, attributes.get(name, "")) for name in _ATTRIBUTES}
        self._facts = {
            "path": given["path"],
            "version": given["vendorVersion"] or given["dellVersion"],
            "package_type": given["packageType"],
            "needs_reboot": {"true": True, "false": False}.get(given["rebootRequired"].lower()),
            "size": int(given["size"]) if re.fullmatch("[0-9]{1,15}", given["size"]) else None,
        }
        self._components, self._systems, self._digests = {}, {}, {}
        self._note_digest("md5", given["hashMD5"])

    def _end_package(self) -> None:
        """One that does not say where it is, or which version, could not be installed."""
        if self._facts["path"] and self._facts["version"]:
            lists: dict[str, Any] = {"components": tuple(self._components), "systems": tuple(self._systems)}
            self._packages.append(Package(**self._facts, **lists, digests=self._digests))

    def _list(self, found: dict[str, None], value: str) -> None:
        if value:
            found[self._checked("id", value)] = None
        if len(found) > LISTED_MAX:
            raise CatalogError(f"A package is for more than {LISTED_MAX} components or systems")

    def _note_digest(self, algorithm: str, value: str) -> None:
        found = value.strip().lower()
        if algorithm in DIGESTS and _HEX.fullmatch(found):
            self._digests[algorithm] = found

    def _checked(self, name: str, value: str) -> str:
        if len(value) > TEXT_MAX:
            raise CatalogError(f"{name} has more than {TEXT_MAX} characters")
        return value


_ATTRIBUTES = ("path", "vendorVersion", "dellVersion", "packageType", "rebootRequired", "size", "hashMD5")

# -- writing ----------------------------------------------------------------------------------------------------------


def render(catalog: Catalog) -> bytes:
    """A catalogue as XML in UTF-8, indented for people to read.

    Raises:
        CatalogError: when a text has a character that XML cannot hold.
    """
    root = {
        "baseLocation": catalog.base_location,
        "baseLocationAccessProtocols": ",".join(name.upper() for name in catalog.protocols),
        "version": catalog.version,
    }
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<Manifest{_attributes(root)}>"]
    for package in catalog.packages:
        lines += _package_lines(package)
    text = "\n".join([*lines, "</Manifest>", ""])
    if found := UNWRITABLE.search(text):
        raise CatalogError(f"a text has a character that XML cannot hold: U+{ord(found[0]):04X}")
    return text.encode()


def _package_lines(package: Package) -> list[str]:
    reboot = None if package.needs_reboot is None else str(package.needs_reboot).lower()
    attributes = {
        "path": package.path,
        "vendorVersion": package.version,
        "packageType": package.package_type,
        "rebootRequired": reboot,
        "size": None if package.size is None else str(package.size),
        "hashMD5": package.digests.get("md5"),
    }
    others = {algorithm: value for algorithm, value in package.digests.items() if algorithm != "md5"}
    return [
        f"  <SoftwareComponent{_attributes(attributes)}>",
        f'    <Name><Display lang="en">{escape(package.name)}</Display></Name>',
        f"    <ComponentType{_attributes({'value': package.type})}/>",
        "    <Cryptography>",
        *(f'      <Hash algorithm="{algorithm.upper()}">{value}</Hash>' for algorithm, value in others.items()),
        "    </Cryptography>",
        "    <SupportedDevices>",
        *(f"      <Device{_attributes({'componentID': component})}/>" for component in package.components),
        "    </SupportedDevices>",
        f"    <Criticality{_attributes({'value': package.criticality})}/>",
        "    <SupportedSystems><Brand>",
        *(f"      <Model{_attributes({'systemID': system})}/>" for system in package.systems),
        "    </Brand></SupportedSystems>",
        "  </SoftwareComponent>",
    ]


def _attributes(values: Mapping[str, str | None]) -> str:
    """As they stand in a tag: those that say something."""
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value)
