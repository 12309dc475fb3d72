"""Plain-text tables of medians with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median and, in brackets, the least and the most: `12,345 (11,900-12,400)`."""
    if not values:
        return "-"
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} ({low}-{high})"


def ratio(values: Sequence[float], reference: Sequence[float]) -> str:
    """The ratio of two medians, or a dash where one is missing."""
    if not values or not reference or not median(reference):
        return "-"
    return f"{median(values) / median(reference):.2f}"


def show(columns: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print an aligned table: the first column to the left, the others to the right, and notes below it."""
    lines = [columns, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        cells = [
            line[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
        ]
        print("  " + "  ".join(cells).rstrip())
    for note in notes:
        print(f"  {note}")
    print(flush=True)
