"""Where the schemas and mockups are: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """The folder `schemas` or `mockups`."""
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


@cache
def schema(name: str) -> Any:
    """A JSON document below `schemas/`, such as "payloads/Bios.Settings.patch"."""
    return orjson.loads((data_folder("schemas") / f"{name}.json").read_bytes())


@cache
def payload_validator(name: str) -> Any:
    """The compiled validator of a request body, by its schema's name in `schemas/payloads`.

    A `$ref` in it is the name of another schema there: what many bodies have in common is written down once.
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - 60 ms that reading clients are spared
    from referencing import Registry, Resource  # noqa: PLC0415

    def payload(other: str) -> Any:
        return Resource.from_contents(schema(f"payloads/{other}"))

    registry: Any = Registry(retrieve=payload)  # type: ignore[call-arg]
    return Draft202012Validator(schema(f"payloads/{name}"), registry=registry)


def mockup_names() -> list[str]:
    """The bundled mockups."""
    return sorted(path.name for path in data_folder("mockups").iterdir() if path.is_dir())
