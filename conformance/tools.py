"""DMTF's validators: how each is run without the net, and what it found."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_SECONDS = 1_500
USER, PASSWORD = "root", "calvin"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TABLE = re.compile(r"^\|\s*(\d+)\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|", re.MULTILINE)
_SUMMARY = re.compile(r"Summary - PASS: (\d+), WARN: (\d+), FAIL: (\d+), NOT_TESTED: (\d+)")
_ROW, _CELL, _TAG = (
    re.compile(r"<tr[^>]*>(.*?)</tr>", re.S),
    re.compile(r"<td[^>]*>(.*?)</td>", re.S),
    re.compile("<[^>]+>"),
)
_CELL_CHARACTERS_MAX = 160


@dataclass(frozen=True, slots=True)
class Finding:
    """What one run of a tool came to."""

    tool: str
    passed: int
    warned: int
    failed: int
    not_tested: int
    seconds: float
    faults: tuple[str, ...]
    """A line for each FAIL, as the tool's report tells it."""


class ToolError(Exception):
    """A tool ended without a result."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One validator, or one validator with one profile."""

    name: str
    arguments: Callable[[str, Path], Sequence[str | Path]]
    """(the service's URL, the folder for its reports) -> its command line, after the program's name."""
    program: str


def tools(data: Path | None, folder: Path) -> list[Tool]:
    """The tools that can be run here. `data` holds DMTF's CSDL and the profiles; None: only those that need neither.

    CSDL is unpacked into `folder`.
    """
    found = [
        Tool("protocol", _protocol, "rf_protocol_validator"),
        Tool("use cases", _use_cases, "rf_use_case_checkers"),
    ]
    if data is None:
        return found
    csdl = _unpacked(data / "dmtf" / "csdl.tar.xz", folder)
    service = Tool("service", lambda url, reports: _service(csdl, url, reports), "rf_service_validator")
    profiles = sorted((data / "profiles").glob("*.json"))
    return [service, *(_interop(profile) for profile in profiles), *found]


def run(tool: Tool, url: str, folder: Path) -> Finding:
    """Run it; its reports and its output stay in `folder`.

    Raises:
        ToolError: it said nothing, or took too long.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = [Path(sys.executable).with_name(tool.program), *tool.arguments(url, folder)]
    began = time.perf_counter()
    with (folder / "output.txt").open("w+", encoding="utf-8") as output:
        try:
            environment, bound = _environment(), TIMEOUT_SECONDS
            subprocess.run(
                command, check=False, stdout=output, stderr=subprocess.STDOUT, env=environment, timeout=bound
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolError(f"{tool.program}: {error}") from error
        output.seek(0)
        said = _COLOUR.sub("", output.read())
    figures = [*_TABLE.findall(said), *_SUMMARY.findall(said)]
    if not figures:
        raise ToolError(f"{tool.program} gave no result: see {folder / 'output.txt'}")
    passed, warned, failed, not_tested = map(int, figures[-1])
    faults = tuple(_faults(folder)) if failed else ()
    return Finding(tool.name, passed, warned, failed, not_tested, time.perf_counter() - began, faults)


def _service(csdl: Path, url: str, folder: Path) -> Sequence[str | Path]:
    return [*_who(url), "--skipschema", "--schema_directory", csdl, "--logdir", folder]


def _protocol(url: str, folder: Path) -> Sequence[str | Path]:
    return [*_who(url), "--no-cert-check", "--report-type", "tsv", "--report-dir", folder]


def _use_cases(url: str, folder: Path) -> Sequence[str | Path]:
    return [*_who(url), "--report-dir", folder]


def _interop(profile: Path) -> Tool:
    return Tool(profile.stem, lambda url, folder: [*_who(url), "--logdir", folder, profile], "rf_interop_validator")


def _who(url: str) -> list[str]:
    return ["-r", url, "-u", USER, "-p", PASSWORD]


def _unpacked(archive: Path, folder: Path) -> Path:
    """A flat folder of its XML files, as the service validator wants them."""
    place = folder / "csdl"
    place.mkdir()
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member) if member.name.endswith(".xml") else None
            if content is not None:
                (place / Path(member.name).name).write_bytes(content.read())
    return place


def _environment() -> Mapping[str, str]:
    """Without what makes `requests` overrule a tool's own choice of certificates, or go through a proxy."""
    unwanted = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}
    return {
        key: value for key, value in os.environ.items() if key not in unwanted and not key.lower().endswith("_proxy")
    }


def _faults(folder: Path) -> Iterator[str]:
    for report in sorted([*folder.rglob("*.tsv"), *folder.rglob("*.html")]):
        text = report.read_text(encoding="utf-8", errors="replace")
        for cells in _cells(text) if report.suffix == ".html" else (line.split("\t") for line in text.splitlines()):
            if "FAIL" in (cell.strip() for cell in cells):
                yield " | ".join(cell.strip()[:_CELL_CHARACTERS_MAX] for cell in cells if cell.strip())


def _cells(page: str) -> Iterator[list[str]]:
    """The rows of the tables of an HTML report."""
    for row in _ROW.findall(page):
        yield [" ".join(html.unescape(_TAG.sub(" ", cell)).split()) for cell in _CELL.findall(row)]
