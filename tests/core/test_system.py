"""The boot override: what a change makes of it, and what a boot makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.message import Rejected
from emulator.core.system import ENABLED, TARGET, UEFI_TARGET, System

DELIVERED: dict[str, str | None] = {ENABLED: "Disabled", TARGET: "None", UEFI_TARGET: None}

CHANGES = [
    # as it was, the change, (enabled, target), the same where a target alone is for once
    ({}, {TARGET: "Pxe"}, ("Disabled", "Pxe"), ("Once", "Pxe")),
    ({ENABLED: "Continuous", TARGET: "Hdd"}, {TARGET: "Pxe"}, ("Continuous", "Pxe"), ("Continuous", "Pxe")),
    ({ENABLED: "Once", TARGET: "Hdd"}, {TARGET: "None"}, ("Disabled", "None"), ("Disabled", "None")),
    ({ENABLED: "Once", TARGET: "Hdd"}, {ENABLED: "Disabled"}, ("Disabled", "None"), ("Disabled", "None")),
    ({}, {ENABLED: "Disabled", TARGET: "Pxe"}, ("Disabled", "Pxe"), ("Disabled", "Pxe")),
    ({}, {ENABLED: "Once", TARGET: "UefiTarget", UEFI_TARGET: "x"}, ("Once", "UefiTarget"), ("Once", "UefiTarget")),
    ({UEFI_TARGET: "x"}, {ENABLED: "Once", TARGET: "UefiTarget"}, ("Once", "UefiTarget"), ("Once", "UefiTarget")),
]


@pytest.mark.parametrize("row", CHANGES, ids=str)
def test_a_change(row: Any) -> None:
    before, change, plain, once = row
    system = System({**DELIVERED, **before})
    for alone_is_once, expected in ((False, plain), (True, once)):
        made = system.overridden(change, alone_is_once=alone_is_once)
        assert (made[ENABLED], made[TARGET]) == expected
    assert system.override == {**DELIVERED, **before}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({TARGET: "UefiTarget"}, "PropertyMissing"),
        ({TARGET: "UefiTarget", UEFI_TARGET: ""}, "PropertyMissing"),
        ({TARGET: "UefiTarget", UEFI_TARGET: "x", ENABLED: "Continuous"}, "PropertyValueConflict"),
    ],
)
def test_a_change_that_cannot_be(change: Any, key: str) -> None:
    with pytest.raises(Rejected) as refused:
        System(dict(DELIVERED)).overridden(change, alone_is_once=True)
    assert [message.key for message in refused.value.messages] == [key]


BOOTS = [
    # the override, what the host boots from, what is left
    ({}, None, {}),
    ({ENABLED: "Disabled", TARGET: "Pxe"}, None, {ENABLED: "Disabled", TARGET: "Pxe"}),
    ({ENABLED: "Once", TARGET: "None"}, None, {ENABLED: "Disabled", TARGET: "None"}),
    ({ENABLED: "Once", TARGET: "Pxe"}, "Pxe", {ENABLED: "Disabled", TARGET: "None"}),
    ({ENABLED: "Continuous", TARGET: "Pxe"}, "Pxe", {ENABLED: "Continuous", TARGET: "Pxe"}),
]


@pytest.mark.parametrize("row", BOOTS, ids=str)
def test_a_boot(row: Any) -> None:
    override, target, left = row
    system = System(dict(override))
    assert system.boot() == target
    assert system.override == left


def test_it_is_kept_as_plain_data() -> None:
    system = System(dict(DELIVERED), {"AssetTag": "x"})
    again = System()
    again.restore(system.to_plain())
    assert again == system
