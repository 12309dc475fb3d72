"""machine.toml: what it may say, and where it says something wrong."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.core.access import hash_password
from emulator.core.host import Timings
from emulator.core.policy import Policy
from emulator.data import data_folder, mockup_names, schema
from emulator.mockup.manifest import DEFAULT_ACCOUNTS, Manifest, merged_policy, read_manifest
from emulator.mockup.reader import MockupError
from emulator.runtime.authentication import delivered_secret


def read(text: str | bytes | None) -> Manifest:
    content = text.encode() if isinstance(text, str) else text
    return read_manifest(content, model="server", source="/lab/server", schema=schema("machine.schema"))


def test_without_one_everything_is_found_or_has_its_default() -> None:
    manifest = read(None)
    assert manifest == Manifest("server")
    assert (manifest.dialect, manifest.utc_offset_minutes, manifest.policy, manifest.devices) == (None,) * 4
    assert (manifest.timings, manifest.accounts) == (Timings(), DEFAULT_ACCOUNTS)


def test_an_empty_one_says_nothing() -> None:
    assert read("") == read(None)


def test_what_it_says_is_read() -> None:
    manifest = read(
        """
        model = "mine"
        dialect = "dell"
        utc_offset_minutes = -300
        [[accounts]]
        name = "admin"
        password = "secret"
        role = "Administrator"
        [timings]
        post_seconds = 7
        [policy]
        max_jobs = 10
        apply_staged_on_reset = true
        [[devices]]
        kind = "bios"
        id = "BIOS.Setup.1-1"
        path = "/redfish/v1/Systems/1/Bios"
        """
    )
    assert (manifest.model, manifest.dialect, manifest.utc_offset_minutes) == ("mine", "dell", -300)
    (account,) = manifest.accounts
    secret = delivered_secret(account)
    assert (account.name, account.role, secret.accepts("secret"), secret.accepts("")) == (
        "admin",
        "Administrator",
        True,
        False,
    )
    assert manifest.timings == Timings(post_seconds=7.0)
    assert merged_policy(Policy(max_jobs=3, auto_delete_at_percent=7), manifest.policy) == Policy(
        max_jobs=10, auto_delete_at_percent=7, apply_staged_on_reset=True
    )
    assert manifest.devices is not None
    assert [(device.kind, device.id, device.path) for device in manifest.devices] == [
        ("bios", "BIOS.Setup.1-1", "/redfish/v1/Systems/1/Bios")
    ]


def test_no_devices_is_another_thing_than_not_saying_which() -> None:
    assert read("devices = []").devices == ()
    assert read("").devices is None


def test_a_password_may_be_given_as_a_hash() -> None:
    secret = hash_password("Swordfish", "salt")
    (account,) = read(f'[[accounts]]\nname = "admin"\npassword_hash = "{secret}"\nrole = "Administrator"').accounts
    assert delivered_secret(account).accepts("Swordfish")
    assert not delivered_secret(account).accepts(secret)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model = \n", "line 1"),
        ('model = "a"\nmodel = "b"\n', "line 2"),
        ("[timings\n", "line 1"),
        (b'model = "\xff"', "utf-8"),
        ('colour = "red"', "top level: "),
        ("model = 5", "model: "),
        ('model = ""', "model: "),
        ('dialect = "klingon"', "dialect: "),
        ("utc_offset_minutes = 900", "utc_offset_minutes: "),
        ("utc_offset_minutes = 1.5", "utc_offset_minutes: "),
        ("accounts = []", "accounts: "),
        ('[[accounts]]\nname = "a"\npassword = "b"', "accounts[0]: 'role'"),
        ('[[accounts]]\nname = "a"\nrole = "ReadOnly"', "accounts[0]: "),
        ('[[accounts]]\nname = "a:b"\npassword = "b"\nrole = "ReadOnly"', "accounts[0].name: "),
        ('[[accounts]]\nname = "a"\npassword = "b"\nrole = "King"', "accounts[0].role: "),
        ('[[accounts]]\nname = "a"\npassword_hash = "b"\nrole = "ReadOnly"', "accounts[0].password_hash: "),
        ('[[accounts]]\nname = "a"\npassword = "b"\nrole = "ReadOnly"\nshell = "sh"', "accounts[0]: "),
        (2 * '[[accounts]]\nname = "a"\npassword = "b"\nrole = "ReadOnly"\n', "accounts: the same name twice"),
        ("[timings]\npost_seconds = -1", "timings.post_seconds: "),
        ('[timings]\npost_seconds = "90"', "timings.post_seconds: "),
        ("[timings]\npost_seconds = 1e9", "timings.post_seconds: "),
        ("[timings]\npost_minutes = 1", "timings: "),
        ("[policy]\nmax_jobs = 0", "policy.max_jobs: "),
        ("[policy]\nauto_delete_at_percent = 101", "policy.auto_delete_at_percent: "),
        ("[policy]\ndelete_on_completion_minutes = 14", "policy.delete_on_completion_minutes: "),
        ("[policy]\napply_staged_on_reset = 1", "policy.apply_staged_on_reset: "),
        ("[policy]\nspeed = 1", "policy: "),
        ('[[devices]]\nkind = "bios"\nid = "a b"\npath = "/redfish/v1/T"', "devices[0].id: "),
        ('[[devices]]\nkind = "bios"\nid = "a"\npath = "/redfish/v1/T/"', "devices[0].path: "),
        ('[[devices]]\nkind = "bios"\nid = "a"\npath = "Systems/1"', "devices[0].path: "),
        ('[[devices]]\nkind = "bios"\nid = "a"', "devices[0]: 'path'"),
        (
            '[[devices]]\nkind = "bios"\nid = "a"\npath = "/redfish/v1/A"\n'
            '[[devices]]\nkind = "bios"\nid = "a"\npath = "/redfish/v1/B"',
            "devices: ",
        ),
    ],
)
def test_a_mistake_is_told_with_the_file_and_the_place(text: str | bytes, says: str) -> None:
    with pytest.raises(MockupError) as refused:
        read(text)
    told = str(refused.value)
    assert told.startswith("/lab/server: machine.toml: ")
    assert says in told
    assert "\n" not in told


@pytest.mark.parametrize("secret", ["Sword" + "fish7"])
def test_a_mistake_beside_a_password_does_not_tell_the_password(secret: str) -> None:
    with pytest.raises(MockupError) as refused:
        read(f'[[accounts]]\nname = "a"\npassword = "{secret}"\nrole = "ReadOnly"\nshell = "sh"')
    assert secret not in str(refused.value)
    with pytest.raises(MockupError) as refused:
        read(f'[[accounts]]\nname = "a"\npassword = "{secret}"')
    assert secret not in str(refused.value)
    with pytest.raises(MockupError) as refused:
        read(f'[[accounts]]\nname = "a"\npassword = "{secret}"\npassword_hash = "x"\nrole = "ReadOnly"')
    assert secret not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "policy"),
    [
        (None, Policy(max_jobs=9)),
        ({}, Policy(max_jobs=9)),
        ({"max_jobs": 4}, Policy(max_jobs=4)),
        ({"apply_staged_on_reset": True}, Policy(max_jobs=9, apply_staged_on_reset=True)),
    ],
)
def test_a_policy_is_the_dialects_but_for_what_the_manifest_says(
    changes: dict[str, Any] | None, policy: Policy
) -> None:
    assert merged_policy(Policy(max_jobs=9), changes) == policy


@pytest.mark.parametrize("name", mockup_names())
def test_the_manifests_of_the_bundled_mockups_are_right(name: str) -> None:
    manifest = read((data_folder("mockups") / name / "machine.toml").read_bytes())
    assert manifest.model == name
    assert manifest.devices
