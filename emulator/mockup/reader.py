"""Reading a DMTF-format resource tree: a folder, or a .zip, .tar.gz or .tar.xz of one.

In such a tree the resource at `/redfish/v1/Systems/1` lies in `Systems/1/index.json`; the leading `redfish/v1` may be
there or not, and so may folders around it. Archives are read in memory, entry by entry and within bounds: nothing is
unpacked to disk, so no entry can end up outside its folder.
"""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from emulator.mockup.finding import Finding
from emulator.mockup.text import parse_json

ROOT = "/redfish/v1"
SETTINGS = "@Redfish.Settings"
"""What a resource says of its settings resource."""
MANIFEST = "machine.toml"
ENTRIES_MAX = 50_000
ENTRY_BYTES_MAX = 32 * 2**20
TOTAL_BYTES_MAX = 512 * 2**20
LISTED_MAX = 100_000
"""Entries of an archive, with those that are no part of a mockup."""
HEADER_BYTES_MAX = 64 * 2**10
"""What a tar archive says of one entry beside its name: it is read as a whole."""
DIRECTORY_BYTES_MAX = 16 * 2**20
"""The directory of a zip archive: it is read as a whole, and takes many times its size."""

Document = dict[str, Any]


class MockupError(Exception):
    """A tree or manifest cannot be used. The text is one line: which file, where in it, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The resources of a mockup, by URI without a trailing slash. Shared by all machines; nobody changes it."""

    name: str
    documents: Mapping[str, Document]
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What is not JSON, such as `$metadata`."""
    manifest: bytes | None = None
    """The machine.toml that came with it."""
    source: str = ""
    findings: tuple[Finding, ...] = ()
    """What was wrong in it, in the order in which it was found."""

    def get(self, uri: str) -> Document | None:
        """The resource at this URI; it is shared: copy it before changing anything."""
        return self.documents.get(uri)

    def members(self, uri: str) -> list[str]:
        """The URIs of a collection's members that are in the tree."""
        return [member for member in links((self.documents.get(uri) or {}).get("Members")) if member in self.documents]

    def of_type(self, schema: str) -> list[str]:
        """The URIs of the resources of this schema, whatever its version, in the order of the tree."""
        kinds = ((uri, document.get("@odata.type")) for uri, document in self.documents.items())
        return [uri for uri, kind in kinds if isinstance(kind, str) and kind.startswith(f"#{schema}.")]


def normal(uri: str) -> str:
    """A URI as a key of the tree: no trailing slash."""
    return uri.rstrip("/") or "/"


def links(value: Any) -> list[str]:
    """The URIs, without a trailing slash, of a link or of a list of links. What is neither is passed over."""
    found = value if isinstance(value, list) else [value]
    uris = [entry.get("@odata.id") for entry in found if isinstance(entry, dict)]
    return [normal(uri) for uri in uris if isinstance(uri, str)]


def read_tree(path: Path) -> Tree:
    """Read a mockup.

    Raises:
        MockupError: it is not there, not readable, out of bounds, not JSON, or has no service root.
    """
    if not path.exists():
        raise MockupError(f"{path}: there is no such file or folder")
    entries = dict(_entries(path))
    root = _find_root(path, entries)
    documents: dict[str, Document] = {}
    files: dict[str, bytes] = {}
    findings: list[Finding] = []
    for name, content in entries.items():
        uri = _uri(root, name)
        if uri is None:
            continue
        if name.endswith(".json"):
            documents[uri], wrong = _parse(path, name, content)
            findings += wrong
        elif name.endswith((".xml", ".yaml")):
            files[uri] = content
    manifest = next((entries[place] for place in _manifest_places(root) if place in entries), None)
    return Tree(_name_of(path), documents, files, manifest, str(path), tuple(findings))


def _entries(path: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    for count, (raw_name, content) in enumerate(_raw_entries(path), 1):
        # archives made of "." spell every name "./..."; one that is no UTF-8 could never be written out again
        name = PurePosixPath(raw_name).as_posix().encode(errors="surrogateescape").decode(errors="replace")
        total += len(content)
        if count > ENTRIES_MAX or total > TOTAL_BYTES_MAX:
            raise MockupError(f"{path}: more than {ENTRIES_MAX} entries or {TOTAL_BYTES_MAX // 2**20} MiB")
        yield name, content


def _raw_entries(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        yield from _folder_entries(path)
    elif zipfile.is_zipfile(path):
        yield from _zip_entries(path)
    else:
        yield from _tar_entries(path)


def _wanted(name: str) -> bool:
    return name.endswith((".json", ".xml", ".yaml")) or PurePosixPath(name).name == MANIFEST


def _bounded(path: Path, name: str, size: int) -> None:
    if size > ENTRY_BYTES_MAX:
        raise MockupError(f"{path}: {name}: larger than {ENTRY_BYTES_MAX // 2**20} MiB")


def _folder_entries(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        for file in sorted(path.rglob("*")):
            name = file.relative_to(path).as_posix()
            if file.is_symlink() and not file.resolve().is_relative_to(path.resolve()):
                raise MockupError(f"{path}: {name}: a link that leads out of the folder")
            if _wanted(name) and file.is_file():
                _bounded(path, name, file.stat().st_size)
                yield name, file.read_bytes()
    except OSError as error:
        raise MockupError(f"{path}: cannot be read: {error}") from error


def _zip_entries(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.is_dir() and _wanted(entry.filename):
                    _bounded(path, entry.filename, entry.file_size)
                    with archive.open(entry) as stream:
                        yield entry.filename, stream.read(ENTRY_BYTES_MAX)
    except (
        *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
        *(NotImplementedError, RuntimeError, ValueError, IndexError),
    ) as error:
        raise MockupError(f"{path}: not a readable zip archive: {error}") from error


def _check_directory(path: Path) -> None:
    """Refuse a zip archive whose directory, by its own word, is too large (APPNOTE 4.3.16)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END.size - 0xFFFF))
        tail = file.read()
    at = tail.rfind(_END_MARK)
    if 0 <= at <= len(tail) - _END.size and _END.unpack_from(tail, at)[1] > DIRECTORY_BYTES_MAX:
        raise MockupError(f"{path}: more than {DIRECTORY_BYTES_MAX // 2**20} MiB of names")


_END_MARK = b"PK\x05\x06"
_END = struct.Struct("<4s8xL4xH")
"""Mark, size of the directory, length of the comment after it."""


class _Entry(tarfile.TarInfo):
    """An entry of a tar archive whose headers are bounded: tarfile reads what it is told, whatever size that has."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if not self.isfile() and self.type not in _NO_HEADERS and self.size > HEADER_BYTES_MAX:
            raise tarfile.ReadError(f"{self.size} bytes about an entry")
        found: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return found


_NO_HEADERS = (tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)


def _tar_entries(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path, "r:*", tarinfo=_Entry) as archive:
            passed_over = 0
            for count, entry in enumerate(archive, 1):
                if count > LISTED_MAX:
                    raise MockupError(f"{path}: more than {LISTED_MAX} entries")
                passed_over += 0 if _wanted(entry.name) else entry.size
                if passed_over > TOTAL_BYTES_MAX:
                    raise MockupError(f"{path}: more than {TOTAL_BYTES_MAX // 2**20} MiB that is no part of a mockup")
                if entry.isfile() and _wanted(entry.name):
                    _bounded(path, entry.name, entry.size)
                    stream = archive.extractfile(entry)
                    if stream is not None:
                        yield entry.name, stream.read(ENTRY_BYTES_MAX)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError, RecursionError) as error:
        why = " ".join(str(error).split())  # tarfile lists on lines of its own what it tried
        raise MockupError(f"{path}: not a folder, .zip, .tar.gz or .tar.xz that can be read: {why}") from error


def _find_root(path: Path, entries: Mapping[str, bytes]) -> PurePosixPath:
    """The folder of the service root: the outermost index.json that is one."""
    candidates = [PurePosixPath(name) for name in entries if PurePosixPath(name).name == "index.json"]
    for name in sorted(candidates, key=lambda place: (len(place.parts), str(place))):
        kind = _parse(path, str(name), entries[str(name)])[0].get("@odata.type", "")
        if isinstance(kind, str) and kind.startswith("#ServiceRoot."):
            return name.parent
    raise MockupError(f"{path}: no index.json in it is a service root (@odata.type #ServiceRoot...)")


def _uri(root: PurePosixPath, name: str) -> str | None:
    place = PurePosixPath(name)
    if not place.is_relative_to(root):
        return None
    inside = place.relative_to(root)
    if inside.stem == "index":
        inside = inside.parent
    return normal(f"{ROOT}/{inside}") if inside.parts else ROOT


def _parse(path: Path, name: str, content: bytes) -> tuple[Document, list[Finding]]:
    try:
        found, findings = parse_json(name, content)
    except orjson.JSONDecodeError as error:
        raise MockupError(f"{path}: {name}: line {error.lineno} column {error.colno}: {error.msg}") from error
    except orjson.JSONEncodeError as error:
        raise MockupError(f"{path}: {name}: nested too deeply to be served") from error
    if not isinstance(found, dict):
        raise MockupError(f"{path}: {name}: not a JSON object")
    found.pop("@Redfish.Copyright", None)
    return found, findings


def _manifest_places(root: PurePosixPath) -> Iterator[str]:
    """Where machine.toml may lie: with the service root, or in a folder around it."""
    for folder in (root, *root.parents):
        yield (folder / MANIFEST).as_posix().removeprefix("./")


def _name_of(path: Path) -> str:
    name = path.resolve().name
    for ending in (".tar.gz", ".tar.xz", ".tgz", ".txz", ".tar", ".zip"):
        name = name.removesuffix(ending)
    return name
