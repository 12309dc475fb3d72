"""Entries of an attribute registry, written down in a line or two."""

from __future__ import annotations

from typing import Any


def choice(name: str, *choices: str, **more: Any) -> dict[str, Any]:
    return {
        "AttributeName": name,
        "Type": "Enumeration",
        "Value": [{"ValueName": value} for value in choices],
        "DefaultValue": choices[0],
        **more,
    }


def attribute(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"AttributeName": name, "Type": kind, **more}


Condition = tuple[str, str, Any] | tuple[str, str, Any, str]
"""Attribute, comparison, value, and MapTerms where there is one."""


def rule(target: str, prop: str, value: Any, *conditions: Condition) -> dict[str, Any]:
    """A Map dependency."""
    return {
        "Type": "Map",
        "DependencyFor": target,
        "Dependency": {
            "MapFrom": [
                {
                    "MapFromAttribute": name,
                    "MapFromProperty": "CurrentValue",
                    "MapFromCondition": compare,
                    "MapFromValue": wanted,
                    **({"MapTerms": terms[0]} if terms else {}),
                }
                for name, compare, wanted, *terms in conditions
            ],
            "MapToAttribute": target,
            "MapToProperty": prop,
            "MapToValue": value,
        },
    }


def registry(attributes: list[dict[str, Any]], dependencies: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"RegistryEntries": {"Attributes": attributes, "Dependencies": dependencies or []}}
