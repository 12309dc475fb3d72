"""Draws the state diagrams of docs/architecture.md from the tables in the code.

    python docs/diagrams.py     writes them into the document, between their markers

A test compares: a document that does not match the code fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from emulator.core.host import PHASES, Phase
from emulator.core.job import FINISHED, TRANSITIONS, State

DOCUMENT = Path(__file__).with_name("architecture.md")


def job_diagram() -> str:
    """The law of jobs."""
    lines = [f"    [*] --> {State.NEW.name}", *_edges(TRANSITIONS.items())]
    return _mermaid([*lines, *(f"    {state.name} --> [*]" for state in State if state in FINISHED)])


def host_diagram() -> str:
    """The law of the host."""
    return _mermaid([f"    [*] --> {Phase.RUNNING.name}", *_edges(PHASES.items())])


def _edges(cells: Iterable[tuple[tuple[State | Phase, str], State | Phase]]) -> list[str]:
    """One arrow for each pair of states, with all events that lead from the one to the other."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (before, event), after in cells:
        arrows.setdefault((before.name, after.name), []).append(str(event))
    return [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in arrows.items()]


def _mermaid(lines: list[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


DIAGRAMS: Mapping[str, str] = {"job": job_diagram(), "host": host_diagram()}


def drawn(text: str) -> str:
    """The document with the diagrams of today's tables."""
    for name, diagram in DIAGRAMS.items():
        pattern = re.compile(rf"(<!-- {name} diagram -->\n)(?:(?!<!-- end).)*(<!-- end -->)", re.DOTALL)
        text = pattern.sub(lambda found, diagram=diagram: found[1] + diagram + "\n" + found[2], text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(drawn(DOCUMENT.read_text()))
