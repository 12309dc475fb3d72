"""The machine manifest, `machine.toml`: which devices of a tree live, in which dialect, with which timings.

Its schema is `schemas/machine.schema.json`. Every table may be left out; a tree without a manifest gets one that is
all defaults, with the devices found in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from emulator.core.access import Account
from emulator.core.host import Timings
from emulator.core.policy import Policy
from emulator.mockup.reader import MockupError

BYTES_MAX = 256 * 1024
DOTS_MAX = 200
"""Time and memory to read a dotted key grow with the square of its parts."""
DEFAULT_ACCOUNTS = (
    Account("root", "calvin", "Administrator"),
    Account("operator", "operator", "Operator"),
    Account("readonly", "readonly", "ReadOnly"),
)
"""Who may log in where a manifest names nobody."""


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """A device of the manifest: `[[devices]]`."""

    kind: str
    id: str
    path: str
    """The URI of its resource."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A checked machine.toml."""

    model: str
    dialect: str | None = None
    """None: tell it from the tree."""
    utc_offset_minutes: int | None = None
    """The controller's local time; None: as its Manager resource says."""
    accounts: tuple[Account, ...] = DEFAULT_ACCOUNTS
    timings: Timings = Timings()
    policy: Mapping[str, Any] | None = None
    """Only what the manifest sets; the rest is the dialect's preset."""
    devices: tuple[DevicePlace, ...] | None = None
    """None: find them. Kinds of which none is listed are found too, but where the list is empty."""
    host_ignores_shutdown: bool = False
    """`[host] ignores_graceful_shutdown`."""


def read_manifest(content: bytes | None, *, model: str, source: str, schema: Mapping[str, Any]) -> Manifest:
    """Check and read a machine.toml; defaults where `content` is None.

    Raises:
        MockupError: with the file, the place in it and what is wrong there.
    """
    if content is None:
        return Manifest(model)
    place = f"{source}: machine.toml"
    if len(content) > BYTES_MAX or any(line.count(b".") > DOTS_MAX for line in content.splitlines()):
        raise MockupError(f"{place}: more than {BYTES_MAX // 1024} KiB, or more than {DOTS_MAX} dots in a line")
    try:
        found = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MockupError(f"{place}: {error}") from error
    except RecursionError as error:
        raise MockupError(f"{place}: nested too deeply") from error
    _check(found, schema, place)
    accounts = tuple(_account(entry) for entry in found.get("accounts", ()))
    names = [account.name for account in accounts]
    if len(set(names)) != len(names):
        raise MockupError(f"{place}: accounts: the same name twice")
    ids = [entry["id"] for entry in found.get("devices", ())]
    if len(set(ids)) != len(ids):
        raise MockupError(f"{place}: devices: the same id twice")
    return Manifest(
        model=found.get("model", model),
        dialect=found.get("dialect"),
        utc_offset_minutes=found.get("utc_offset_minutes"),
        accounts=accounts or DEFAULT_ACCOUNTS,
        timings=Timings(**{name: float(value) for name, value in found.get("timings", {}).items()}),
        policy=found.get("policy"),
        devices=tuple(DevicePlace(**entry) for entry in found["devices"]) if "devices" in found else None,
        host_ignores_shutdown=found.get("host", {}).get("ignores_graceful_shutdown", False),
    )


def merged_policy(preset: Policy, changes: Mapping[str, Any] | None) -> Policy:
    """A dialect's preset with what a manifest sets in its place."""
    values = {item.name: getattr(preset, item.name) for item in fields(preset)}
    return Policy(**{**values, **(changes or {})})


def _check(found: Mapping[str, Any], schema: Mapping[str, Any], place: str) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 60 ms that a start without a manifest is spared

    errors = Draft202012Validator(schema).iter_errors(found)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        # what jsonschema says of "oneOf" quotes the whole account, password and all
        wrong = "give either password or password_hash" if error.validator == "oneOf" else error.message
        raise MockupError(f"{place}: {path.lstrip('.') or 'top level'}: {wrong}")


def _account(entry: Mapping[str, str]) -> Account:
    return Account(entry["name"], entry.get("password") or entry["password_hash"], entry["role"])
