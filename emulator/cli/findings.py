"""What `jobfish mockup check` shows to people: no wider than their terminal, and no longer than it has to be."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from emulator.mockup.finding import KINDS
from emulator.mockup.reader import ROOT

WIDTH_MIN, WIDTH_MAX = 60, 140
SHOWN = {"lives": 6, "schemas": 24, "findings": 3}
"""How many of a kind are shown where not all of them are asked for."""
ID_CHARS_MAX = 36
TEXT_CHARS_MAX = 400
UNBROKEN = "\N{NO-BREAK SPACE}"

Facts = Mapping[str, Any]


class Report:
    """Lines of text; `everything` leaves nothing out."""

    def __init__(self, *, everything: bool, width: int | None = None) -> None:
        self._everything = everything
        columns = width or shutil.get_terminal_size().columns
        self._width = min(max(columns, WIDTH_MIN), WIDTH_MAX)

    def of(self, facts: Facts) -> str:
        """What `emulator.cli.mockup` found out about a mockup, as text."""
        sections = (self._head(facts), self._lives(facts), self._passive(facts), self._broken(facts["findings"]))
        return "\n\n".join("\n".join(lines) for lines in sections)

    def _head(self, facts: Facts) -> Iterator[str]:
        yield _clean(f"{facts['mockup']}  dialect {facts['dialect']}, {facts['resources']:,} resources")

    # -- what lives ---------------------------------------------------------------------------------------------------

    def _lives(self, facts: Facts) -> Iterator[str]:
        yield "Lives"
        for kind, entries in facts["lives"].items():
            yield f"  {kind}{f' ({len(entries)})' if len(entries) > 1 else ''}"
            shown = self._some(entries, "lives")
            names = max(min(len(entry["id"]), ID_CHARS_MAX) for entry in shown)
            details = max(len(entry["detail"]) for entry in shown)
            for entry in shown:
                row = f"    {_clean(entry['id']):<{names}}  "
                row += f"{_clean(entry['detail']):<{details}}  " if details else ""
                yield row + self._fitted(_place(entry["uri"]), self._width - len(row))
            yield from self._rest(len(entries) - len(shown))

    # -- what does not ------------------------------------------------------------------------------------------------

    def _passive(self, facts: Facts) -> Iterator[str]:
        found = facts["passive"]
        yield f"Passive: {sum(found.values()):,} documents are served as they are"
        collections = sum(count for schema, count in found.items() if schema.endswith("Collection"))
        single = [(schema, count) for schema, count in found.items() if not schema.endswith("Collection")]
        shown = self._some(single, "schemas")
        words = [f"{count:,}{UNBROKEN}{_clean(schema) or 'untyped'}" for schema, count in shown]
        others = single[len(shown) :]
        if others:
            words.append(f"{sum(count for _, count in others):,} of {len(others)} other schemas")
        if collections:
            words.append(f"{collections:,} {'collections' if collections > 1 else 'collection'}")
        wrapped = textwrap.wrap(", ".join(words), self._width, initial_indent="  ", subsequent_indent="  ")
        yield from (line.replace(UNBROKEN, " ") for line in wrapped)

    # -- what is broken -----------------------------------------------------------------------------------------------

    def _broken(self, findings: list[Facts]) -> Iterator[str]:
        if not findings:
            yield "Broken: nothing"
            return
        mended = sum(finding["fix"] is not None for finding in findings)
        left = len(findings) - mended
        yield f"Broken: {mended:,} repaired when served{f', {left:,} served as they are' if left else ''}"
        for kind, of_kind in groupby(findings, key=lambda finding: finding["kind"]):
            entries = list(of_kind)
            yield f"{len(entries):>5,}  {KINDS[kind]}"
            for finding in self._some(entries, "findings"):
                yield f"         {self._fitted(_place(finding['uri']), self._width - 9)}"
                yield from self._told(finding)
            yield from self._rest(len(entries) - len(self._some(entries, "findings")), " " * 9)

    # -- pieces -------------------------------------------------------------------------------------------------------

    def _some(self, entries: list[Any], what: str) -> list[Any]:
        """All of them, or the first; one more than these is no reason for a line that says so."""
        most = SHOWN[what]
        return entries if self._everything or len(entries) <= most + 1 else entries[:most]

    def _rest(self, count: int, indent: str = "    ") -> Iterable[str]:
        return [f"{indent}and {count:,} more: --all lists them"] if count else []

    def _fitted(self, text: str, room: int) -> str:
        """A URI in so much room: its end tells more than its beginning."""
        text = _clean(text)
        if self._everything or len(text) <= room:
            return text
        return f"...{text[-max(room - 3, 8) :]}"

    def _told(self, finding: Facts) -> Iterator[str]:
        """What is wrong, and what was done about it: on one line where there is room."""
        what, fix = (self._shortened(finding["uri"], finding[name] or "served as it is") for name in ("what", "fix"))
        indent = " " * 11
        if len(f"{indent}{what} -> {fix}") <= self._width:
            yield f"{indent}{what} -> {fix}"
            return
        for text, hanging in ((what, indent), (f"-> {fix}", f"{indent}   ")):
            yield from textwrap.wrap(
                text,
                self._width,
                initial_indent=indent,
                subsequent_indent=hanging,
                break_long_words=not self._everything,
                break_on_hyphens=False,
            )

    def _shortened(self, uri: str, text: str) -> str:
        """Without what the line above says already; whole where everything was asked for."""
        shown = _clean(text)
        if self._everything:
            return shown
        shown = (shown.replace(f"{uri}/", ".../") if uri != ROOT else shown).replace(f"{ROOT}/", "")
        return shown if len(shown) <= TEXT_CHARS_MAX else f"{shown[:TEXT_CHARS_MAX]}..."


def _place(uri: str) -> str:
    """A URI without what they all begin with."""
    return uri.removeprefix(f"{ROOT}/")


def _clean(text: str) -> str:
    """What a stranger's tree says, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
