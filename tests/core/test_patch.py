"""An array as a PATCH leaves it (DSP0266)."""

from __future__ import annotations

import pytest

from emulator.core.patch import patched


@pytest.mark.parametrize(
    ("now", "given", "after"),
    [
        (["a", "b"], ["c"], ["c"]),
        (["a", "b"], ["a", "b", "c"], ["a", "b", "c"]),
        (["a", "b"], [None, "b"], ["b"]),
        (["a", "b"], [{}, "c"], ["a", "c"]),
        (["a", "b"], [{}, {}, "c"], ["a", "b", "c"]),
        (["a", "b"], [{}, None], ["a"]),
        (["a", "b"], [], []),
        (["a"], [{}, {}], ["a"]),
        (None, ["a", None], ["a"]),
        ([{"x": 1, "y": 2}], [{"y": 3}], [{"x": 1, "y": 3}]),
        ([{"x": 1}], [{}, {"x": 2}], [{"x": 1}, {"x": 2}]),
        ([{"x": 1}, {"x": 2}], [None, {"y": 3}], [{"x": 2, "y": 3}]),
    ],
    ids=str,
)
def test_an_array_after_a_patch(now, given, after):
    assert patched(now, given) == after
