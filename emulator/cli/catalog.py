"""`jobfish image catalog`: a folder of firmware packages as a repository for InstallFromRepository."""

from __future__ import annotations

import gzip
import hashlib
import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from emulator.cli.image import DAMAGED, check_output, curl, shown, written
from emulator.cli.refusal import refuse
from emulator.formats.catalog import Catalog, CatalogError, Package, render
from emulator.formats.image import CHUNK_BYTES, ImageError, Inspector

ACTION = (
    "/redfish/v1/Systems/System.Embedded.1/Oem/Dell/DellSoftwareInstallationService"
    "/Actions/DellSoftwareInstallationService.InstallFromRepository"
)
NAME = "Catalog.xml"
SERVED_AT = "127.0.0.1:8000"
BIOS_SOFTWARE = "159"
"""The software id of every BIOS; others have an FQDD that says so."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--output", metavar="NAME", default=NAME, show_default=True, help="Its name there; .gz is compressed.")
@click.option("--base-location", metavar="HOST/PATH", default="", help="Where the packages are, if not beside it.")
@click.option("--system", "systems", metavar="ID", multiple=True, help="For this system only: 0AB1. Repeatable.")
@click.option("--force", is_flag=True, help="Replace it if it is there.")
def catalog(folder: Path, output: str, base_location: str, systems: tuple[str, ...], force: bool) -> None:
    """Write the catalog of the firmware packages in FOLDER and below it.

    For example: jobfish image catalog repository
    """
    place = folder / output
    try:
        if not folder.is_dir():
            refuse(f"{shown(folder)}: not a folder")
        check_output(place, force)
        files = [file for file in _files(folder) if file != place]
        found = {file: _package(folder, file, tuple(name.upper() for name in systems)) for file in files}
        content = render(Catalog(tuple(one for one in found.values() if one is not None), base_location, version="1"))
        with written(place) as target:
            target.write(gzip.compress(content, mtime=0) if output.endswith(".gz") else content)
    except CatalogError as error:
        refuse(f"{shown(place)}: {error}")
    except OSError as error:
        refuse(f"{shown(Path(error.filename or place))}: {error.strerror}")
    for line in _told(place, found):
        click.echo(line)


def _files(folder: Path) -> Iterator[Path]:
    """In an order that is always the same; without hidden ones."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _package(folder: Path, file: Path, systems: tuple[str, ...]) -> Package | None:
    """What a catalogue says of a file; None for one that does not say what it is for."""
    inspector, sha256, md5 = Inspector(), hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with file.open("rb") as content:
        while chunk := content.read(CHUNK_BYTES):
            for taker in (inspector.feed, sha256.update, md5.update):
                taker(chunk)
    try:
        header = inspector.finish()
    except ImageError as error:
        refuse(f"{shown(file)}: {error}", DAMAGED)
    if header is None:
        return None
    return Package(
        path=file.relative_to(folder).as_posix(),
        version=header.version,
        components=(header.component,),
        name=(header.name or header.component).strip(),
        type=_type(header.component),
        package_type="LW64",
        criticality="1",
        needs_reboot=header.needs_reboot,
        size=inspector.received,
        digests={"sha256": sha256.hexdigest(), "md5": md5.hexdigest()},
        systems=systems,
    )


def _type(component: str) -> str:
    return "BIOS" if component == BIOS_SOFTWARE or component.upper().startswith("BIOS") else "FRMW"


def _told(place: Path, found: dict[Path, Package | None]) -> Iterator[str]:
    number = sum(package is not None for package in found.values())
    yield f"{shown(place)}  {number} {'package' if number == 1 else 'packages'}"
    yield ""
    for file, package in found.items():
        what = f"{package.components[0]}, version {package.version}" if package else "left out: not a jobfish package"
        yield f"  {shown(file)}  {what}"
    body = json.dumps({"ShareType": "HTTP", "IPAddress": SERVED_AT, "CatalogFile": place.name, "RebootNeeded": True})
    host, port = SERVED_AT.split(":")
    yield ""
    yield f"  serve    python3 -m http.server --bind {host} --directory {shlex.quote(shown(place.parent))} {port}"
    options = f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
    yield f"  install  {curl(options, ACTION)}"
