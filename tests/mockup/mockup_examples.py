"""Small resource trees, as dictionaries, folders and archives."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

Files = Mapping[str, bytes]
ROOT_DOCUMENT = {
    "@odata.id": "/redfish/v1",
    "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot",
    "Id": "RootService",
    "Systems": {"@odata.id": "/redfish/v1/Systems"},
    "Managers": {"@odata.id": "/redfish/v1/Managers"},
}


def json(document: Any) -> bytes:
    return orjson.dumps(document)


def collection(uri: str, *members: str) -> dict[str, Any]:
    return {
        "@odata.id": uri,
        "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
        "Members": [{"@odata.id": f"{uri}/{member}"} for member in members],
    }


FILES: dict[str, bytes] = {
    "index.json": json(ROOT_DOCUMENT),
    "Systems/index.json": json(collection("/redfish/v1/Systems", "1")),
    "Systems/1/index.json": json(
        {"@odata.id": "/redfish/v1/Systems/1", "Id": "1", "Bios": {"@odata.id": "/redfish/v1/Systems/1/Bios"}}
    ),
    "Systems/1/Bios/index.json": json({"@odata.id": "/redfish/v1/Systems/1/Bios", "Attributes": {"A": "x"}}),
    "$metadata/index.xml": b"<Edmx/>",
    "openapi.yaml": b"openapi: 3.0.1",
    "README.txt": b"not for us",
}
URIS = ["/redfish/v1", "/redfish/v1/Systems", "/redfish/v1/Systems/1", "/redfish/v1/Systems/1/Bios"]


def below(prefix: str, files: Files = FILES) -> dict[str, bytes]:
    """The same files in a folder."""
    return {f"{prefix}{name}": content for name, content in files.items()}


def folder(path: Path, files: Files) -> Path:
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Files, *extra: tarfile.TarInfo) -> Path:
    mode = {".gz": "w:gz", ".xz": "w:xz", ".bz2": "w:bz2", ".tgz": "w:gz"}.get(path.suffix, "w")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in extra:
            archive.addfile(entry)
    return path


FORMS = {"folder": ("tree", folder), "zip": ("tree.zip", zipped)} | {
    ending: (f"tree.{ending}", tarred) for ending in ("tar", "tar.gz", "tar.xz", "tgz")
}


def write(form: str, directory: Path, files: Files) -> Path:
    name, make = FORMS[form]
    return make(directory / name, files)
