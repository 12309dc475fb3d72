"""`jobfish image`: build firmware packages to push at the emulator, and look into them."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from emulator.cli.refusal import refuse
from emulator.formats.image import CHUNK_BYTES, Facts, Filler, Header, ImageError, Inspector, Payload, write_image
from emulator.settings import Settings

DEFAULT_SIZE = "64K"
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
MULTIPART_PUSH = "/redfish/v1/UpdateService/MultipartUpload"
DAMAGED = 1
"""The exit status of `show` for an image that the emulator would refuse."""


@click.group()
def image() -> None:
    """Build firmware packages, and look into them."""


@image.command()
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--component", metavar="ID", required=True, help="What it is for: BIOS.Setup.1-1, 159, or a name.")
@click.option("--version", metavar="TEXT", required=True, help="The version in force once it is installed.")
@click.option("--reboot/--no-reboot", default=True, show_default=True, help="Whether it needs a restart of the host.")
@click.option("--name", metavar="TEXT", default="", help="What people call it.")
@click.option("--release-date", metavar="YYYY-MM-DD", default="", help="When it was released.")
@click.option("--payload", metavar="FILE", type=click.Path(path_type=Path), help="Pack the content of this file.")
@click.option("--size", metavar="SIZE", help=f"Or so much filler: bytes, or 64K, 20M, 1G.  [default: {DEFAULT_SIZE}]")
@click.option("--damage", is_flag=True, help="Spoil the payload, to see the package refused.")
@click.option("--force", is_flag=True, help="Replace OUTPUT if it is there.")
def build(
    output: Path,
    component: str,
    version: str,
    reboot: bool,
    name: str,
    release_date: str,
    payload: Path | None,
    size: str | None,
    damage: bool,
    force: bool,
) -> None:
    """Build the firmware package OUTPUT.

    For example: jobfish image build bios.img --component BIOS.Setup.1-1 --version 2.3.0
    """
    try:
        content = _payload(payload, size)
        header = Header(component, version, reboot, name, release_date)
        check_output(output, force)
        facts = _write(output, header, content, damage)
    except ImageError as error:
        refuse(str(error))
    except OSError as error:
        culprit = payload if payload and str(error.filename) == str(payload) else output
        refuse(f"{shown(culprit)}: {error.strerror}")
    click.echo(_made(output, header, facts, damage))
    click.echo(f"\n  push  {_push(output)}")


@image.command()
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Say what the image FILE is. The exit status is 1 if the emulator would refuse it."""
    inspector = Inspector()
    try:
        with file.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                inspector.feed(chunk)
        header = inspector.finish()
    except ImageError as error:
        refuse(f"{shown(file)}: {error}", DAMAGED)
    except OSError as error:
        refuse(f"{shown(file)}: {error.strerror}")
    if header is None:
        click.echo(f"{shown(file)}  {measured(inspector.received)}, opaque: not a jobfish package")
    else:
        click.echo(_described(file, header, inspector.payload))


def _payload(file: Path | None, size: str | None) -> Payload:
    if file is None:
        return Filler(_bytes(DEFAULT_SIZE if size is None else size))
    if size is not None:
        refuse("--payload and --size: give one of them")
    if file.exists() and not file.is_file():
        refuse(f"{shown(file)}: not a regular file; copy it into one first")
    return file


def _bytes(size: str) -> int:
    found = re.fullmatch("([0-9]{1,15})([KMG]?)", size.upper())
    if not found:
        refuse(f"--size {shlex.quote(size)}: a number of bytes, or of KiB, MiB or GiB as in 64K, 20M, 1G")
    return int(found[1]) * UNITS[found[2]]


def check_output(output: Path, force: bool) -> None:
    """Refuse to replace what is there, unless that is wanted."""
    if output.exists() and not output.is_file():
        refuse(f"{shown(output)}: not a file that could be replaced")
    if not force and (output.exists() or output.is_symlink()):
        refuse(f"{shown(output)}: there already; --force replaces it")


@contextmanager
def written(output: Path) -> Iterator[BinaryIO]:
    """A file beside `output` that is put there when all is written: nobody sees half of it."""
    part = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with part.open("x+b") as target:
            yield target
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _write(output: Path, header: Header, payload: Payload, damage: bool) -> Facts:
    """A payload may be replaced by the image that it is packed into."""
    with written(output) as target:
        facts = write_image(target, header, payload)
        if damage:
            _damage(target, facts)
    return facts


def _damage(target: BinaryIO, facts: Facts) -> None:
    """Flip the lowest bit of the payload's last byte, after its digest was taken."""
    if not facts.size:
        refuse("--damage: there is no payload to damage; give it a --size")
    target.seek(-1, os.SEEK_END)
    last = target.read(1)[0]
    target.seek(-1, os.SEEK_END)
    target.write(bytes([last ^ 1]))


def _made(output: Path, header: Header, facts: Facts, damage: bool) -> str:
    reboot = "needs a reboot" if header.needs_reboot else "needs no reboot"
    damaged = ", damaged on purpose" if damage else ""
    what = f"{header.component}, version {header.version}, payload {measured(facts.size)}"
    return f"{shown(output)}  {what}, {reboot}{damaged}"


def _push(output: Path) -> str:
    """The curl command that pushes an image at an emulator started with `jobfish serve`."""
    parameters = "-F 'UpdateParameters={};type=application/json'"
    file = f"-F {shlex.quote(f'UpdateFile=@{_for_curl(output)};type=application/octet-stream')}"
    return curl(f"{parameters} {file}", MULTIPART_PUSH)


def curl(options: str, path: str) -> str:
    """The curl command that asks an emulator started with `jobfish serve`."""
    from emulator.mockup.manifest import DEFAULT_ACCOUNTS  # noqa: PLC0415 - keeps --help quick

    account, settings = DEFAULT_ACCOUNTS[0], Settings()
    who = shlex.quote(f"{account.name}:{account.secret}")
    return f"curl -sik -u {who} {options} https://{settings.host}:{settings.port}{path}"


def _for_curl(path: Path) -> str:
    """A path as the value of curl's -F: in quotes where it would be taken for more than a path."""
    text = shown(path)
    if not re.search(r'[;,"\\]', text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _described(file: Path, header: Header, facts: Facts) -> str:
    rows = {
        "component": header.component,
        "version": header.version,
        "reboot": "needed" if header.needs_reboot else "not needed",
        "name": header.name,
        "released": header.release_date,
        "payload": measured(facts.size),
        "SHA-256": facts.sha256,
    }
    lines = [f"  {title:<10} {text}" for title, text in rows.items() if text]
    return "\n".join((f"{shown(file)}  a jobfish package, whole", "", *lines))


def measured(size: int) -> str:
    """A number of bytes: in the largest unit that leaves no rest."""
    for unit in "GMK":
        if size and size % UNITS[unit] == 0:
            return f"{size // UNITS[unit]:,} {unit}iB"
    return f"{size:,} {'byte' if size == 1 else 'bytes'}"


def shown(path: Path) -> str:
    """A path for people."""
    return click.format_filename(path)
