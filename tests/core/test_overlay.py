"""What a PATCH makes of a value, and what is shown of it."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.overlay import Overlay, after_patch, patched

PATCHES = [
    # situation, now, given, then
    ("a value", 1, 2, 2),
    ("null", 1, None, None),
    ("an object keeps what is not given", {"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
    ("an object where there was none", None, {"b": 3}, {"b": 3}),
    ("annotations are nobody's property", {"a": 1}, {"a@odata.x": 2}, {"a": 1}),
    ("null removes", ["a", "b"], [None, "b"], ["b"]),
    ("{} keeps", ["a", "b"], [{}, "c"], ["a", "c"]),
    ("a shorter array truncates", ["a", "b", "c"], [{}], ["a"]),
    ("an empty one empties", ["a"], [], []),
    ("a longer one adds", ["a"], [{}, "b", None, {}, "c"], ["a", "b", "c"]),
    ("all at once", ["a", "b", "c"], ["x", None, {}, "d"], ["x", "c", "d"]),
    ("an object in an array", [{"a": 1, "b": 2}], [{"b": 3}], [{"a": 1, "b": 3}]),
    ("an array where there was none", None, ["a"], ["a"]),
]


@pytest.mark.parametrize(("now", "wanted", "then"), [row[1:] for row in PATCHES], ids=[row[0] for row in PATCHES])
def test_a_patch(now, wanted, then):
    before = copy.deepcopy(now)
    assert patched(now, wanted) == then
    assert now == before


DELIVERED = {"Name": "x", "NTP": {"Port": 123, "Servers": ["a"], "Servers@odata.count": 1}}


def test_only_what_was_set_is_laid_over_what_is_delivered():
    overlay = Overlay()
    settings = after_patch(None, DELIVERED, {"NTP": {"Servers": [{}, "b"]}, "@odata.id": "/x"})
    assert settings == {"NTP": {"Servers": ["a", "b"]}}
    overlay.put("/x", settings)
    assert overlay.shown("/x", DELIVERED) == {
        "Name": "x",
        "NTP": {"Port": 123, "Servers": ["a", "b"], "Servers@odata.count": 2},
    }
    assert overlay.shown("/y", DELIVERED) == DELIVERED
    assert ("/x" in overlay, "/y" in overlay) == (True, False)
    overlay.put("/x", None)
    assert overlay.shown("/x", DELIVERED) == DELIVERED


SCALARS = st.none() | st.integers(0, 3)
ELEMENTS = st.lists(SCALARS | st.fixed_dictionaries({}, optional={"x": SCALARS, "y": SCALARS}), max_size=3)
INSIDE = st.fixed_dictionaries({}, optional={"value": SCALARS, "array": ELEMENTS})
OBJECTS = st.fixed_dictionaries({}, optional={"value": SCALARS, "array": ELEMENTS, "object": INSIDE})


@given(OBJECTS, st.lists(OBJECTS, max_size=4))
def test_one_patch_after_the_other_is_shown_as_if_the_document_itself_were_patched(document, patches):
    before = copy.deepcopy(document)
    overlay, wanted = Overlay(), document
    for patch in patches:
        shown = overlay.shown("/x", document)
        overlay.put("/x", after_patch(overlay.get("/x"), shown, patch))
        wanted = patched(wanted, patch)
        assert overlay.shown("/x", document) == wanted
    assert document == before
