"""Where the schemas and mockups are: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of a JSON Schema, which is one of ECMA-262: its `$` is the end of the text alone, not also what stands
    before a last line break, and its digits are the ten of ASCII.
    """
    parts, in_class, escaped = [], False, False
    for character in pattern:
        parts.append(r"\Z" if character == "$" and not (in_class or escaped) else character)
        if escaped or character == "\\":
            escaped = not escaped
        elif character in "[]":
            in_class = character == "["
    return re.compile("".join(parts), re.ASCII)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - as below

    if isinstance(instance, str) and compiled(pattern).search(instance) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - 60 ms that reading clients are spared

    extend: Any = validators.extend
    return extend(Draft202012Validator, {"pattern": _pattern})


@cache
def payload_validator(name: str) -> Any:
    """The compiled validator of a request body, by its schema's name in `schemas/payloads`.

    A `$ref` in it is the name of another schema there: what many bodies have in common is written down once.
    """
    from referencing import Registry, Resource  # noqa: PLC0415 - as above

    def payload(other: str) -> Any:
        return Resource.from_contents(schema(f"payloads/{other}"))

    registry: Any = Registry(retrieve=payload)  # type: ignore[call-arg]
    return _validator()(schema(f"payloads/{name}"), registry=registry)


def mockup_names() -> list[str]:
    """The bundled mockups."""
    return sorted(path.name for path in data_folder("mockups").iterdir() if path.is_dir())
