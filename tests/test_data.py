"""Patterns of JSON Schemas are those of ECMA-262."""

from __future__ import annotations

import pytest

from emulator.data import compiled

PATTERNS = [
    # pattern, text, whether it fits
    ("^[a-z]{1,3}$", "abc", True),
    ("^[a-z]{1,3}$", "abc\n", False),
    ("(^a$)|(^$)", "", True),
    ("(^a$)|(^$)", "\n", False),
    (r"^\$[$]$", "$$", True),
    (r"^\\$", "\\", True),
    (r"^\d+$", "17", True),
    (r"^\d+$", "\u0661\u0667", False),
]


@pytest.mark.parametrize(("pattern", "text", "fits"), PATTERNS)
def test_a_pattern_ends_where_the_text_ends(pattern: str, text: str, fits: bool) -> None:
    assert (compiled(pattern).search(text) is not None) is fits
