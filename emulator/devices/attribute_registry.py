"""Attribute registries: what each attribute may hold, and how attributes depend on one another.

An attribute registry (AttributeRegistry 1.4) says what each attribute may hold and, as *Map* dependencies, how one
depends on others: "while SysProfile is not Custom, ProcTurboMode is read-only and Enabled". A dependency holds when its
conditions do. Conditions joined by no MapTerms are alternatives: in the registry of a PowerEdge R750 they name several
values of one attribute, and with OR all but four of its dependencies agree with the flags captured beside them.

The registry's own ReadOnly and Hidden flags are a snapshot taken with the captured values. Where a dependency explains
a flag, the dependency decides from then on; where none does, the flag is the attribute's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, cast

from emulator.core.device import Attribute, Value

CASCADE_ROUNDS_MAX = 16
"""Dependencies that set values may set off others; a registry in which they go round in circles ends here."""

READ_ONLY = "ReadOnly"
HIDDEN = "Hidden"
_SAME_AS = {"GrayOut": READ_ONLY}

Lookup = Callable[[str], Value]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "EQU": lambda have, want: bool(have == want),
    "NEQ": lambda have, want: bool(have != want),
    "GTR": lambda have, want: _are_numbers(have, want) and have > want,
    "GEQ": lambda have, want: _are_numbers(have, want) and have >= want,
    "LSS": lambda have, want: _are_numbers(have, want) and have < want,
    "LEQ": lambda have, want: _are_numbers(have, want) and have <= want,
}


class Condition(NamedTuple):
    """One MapFrom: an attribute's value compared with one given. `also` joins it to the one before by AND."""

    attribute: str
    compare: str
    value: Any
    also: bool

    def holds(self, lookup: Lookup) -> bool:
        """Whether the comparison is true for the value that `lookup` gives."""
        return _COMPARE[self.compare](lookup(self.attribute), self.value)


@dataclass(frozen=True, slots=True)
class Dependency:
    """One Map: while its conditions hold, a property of an attribute has this value."""

    conditions: tuple[Condition, ...]
    attribute: str
    property: str
    value: Any

    def holds(self, lookup: Lookup) -> bool:
        """Whether the conditions hold for the values that `lookup` gives, AND and OR taken from left to right."""
        result = False
        for index, condition in enumerate(self.conditions):
            one = condition.holds(lookup)
            result = (result and one) if condition.also and index else (result or one)
        return result

    def reasons(self, lookup: Lookup) -> set[str]:
        """The attributes whose values make it hold."""
        return {condition.attribute for condition in self.conditions if condition.holds(lookup)}


@dataclass(frozen=True, slots=True)
class Model:
    """What all machines of a mockup share: attributes, dependencies, and the values delivered."""

    attributes: Mapping[str, Attribute]
    values: Mapping[str, Value]
    shown: frozenset[str]
    """Names that the captured resource lists."""
    flags: Mapping[tuple[str, str], tuple[Dependency, ...]]
    """The dependencies that decide (attribute, ReadOnly or Hidden)."""
    sets: Mapping[str, tuple[Dependency, ...]]
    """The dependencies that set values, by the attribute they look at."""
    sources: Mapping[str, frozenset[str]]
    """The attributes on which an attribute's flags and value depend."""
    own_flags: frozenset[tuple[str, str]]
    """Flags that no dependency explains."""

    def flag(self, name: str, flag: str, lookup: Lookup) -> bool:
        """Whether an attribute is read-only, or hidden, under these values."""
        result = (name, flag) in self.own_flags
        for dependency in self.flags.get((name, flag), ()):
            if dependency.holds(lookup):
                result = bool(dependency.value)
        return result

    def follow(self, name: str, values: dict[str, Value], lookup: Lookup) -> None:
        """Set in `values` what follows from the new value of `name`; `lookup` must see `values`."""
        if name not in self.sets:
            return
        changed = [name]
        for _ in range(CASCADE_ROUNDS_MAX):
            following: list[str] = []
            for dependency in (dependency for source in changed for dependency in self.sets.get(source, ())):
                if dependency.holds(lookup) and lookup(dependency.attribute) != dependency.value:
                    values[dependency.attribute] = dependency.value
                    following.append(dependency.attribute)
            if not following:
                return
            changed = following


def build_model(
    values: Mapping[str, Any], registry: Mapping[str, Any] | None, secret: re.Pattern[str] | None = None
) -> Model:
    """The shared part of a device, from the Attributes of its resource and its AttributeRegistry resource.

    Without a registry (None), the values tell the types: text, whole numbers and booleans, all writable.
    A text whose name matches `secret` is a password, whatever the registry calls it.

    Raises:
        ValueError: when the registry is not one; the text says what and where.
    """
    entries = (registry or {}).get("RegistryEntries") or {}
    described = [_attribute(entry, secret) for entry in _list(entries, "Attributes")]
    attributes = {attribute.name: _on_its_grid(attribute, values) for attribute in described}
    for name, value in values.items():
        if name not in attributes and (inferred := _infer(name, value)) is not None:
            attributes[name] = inferred
    dependencies = _dependencies(_list(entries, "Dependencies"), attributes)
    full = {name: _delivered(attribute, values) for name, attribute in attributes.items()}
    flags = _by_flag(dependencies)
    explained = _explained_flags(attributes, flags, full)
    return Model(
        attributes={
            name: attribute if (name, READ_ONLY) not in explained else replace(attribute, read_only=False)
            for name, attribute in attributes.items()
        },
        values=full,
        shown=frozenset(values),
        flags=flags,
        sets=_by_source(dependency for dependency in dependencies if dependency.property == "CurrentValue"),
        sources=_sources(dependencies),
        own_flags=frozenset(
            (name, flag)
            for name, attribute in attributes.items()
            for flag, given in ((READ_ONLY, attribute.read_only), (HIDDEN, attribute.hidden))
            if given and (name, flag) not in explained
        ),
    )


def _list(entries: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = entries.get(name) or []
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError(f"RegistryEntries/{name} is not a list of objects")
    return found


def shared(model: Model, others: Iterable[Model]) -> Model:
    """The same model, in which every part that one of the others has too is that one's: functions of one adapter differ
    in little but their addresses.
    """
    parts = {item.name: getattr(model, item.name) for item in fields(Model)}
    for other in others:
        parts |= {name: mine for name in parts if (mine := getattr(other, name)) == parts[name]}
    return Model(**parts)


def _on_its_grid(attribute: Attribute, values: Mapping[str, Any]) -> Attribute:
    """Where the captured value is not so many increments above the lower bound, it is the bound that is off: the
    registry of a PowerEdge R750 counts virtual functions in steps of 8 from 1 on, and its adapter has 8 of them.
    """
    value, lower, step = values.get(attribute.name), attribute.lower or 0, attribute.increment
    if step and isinstance(value, int) and value >= lower and (value - lower) % step:
        return replace(attribute, lower=lower + (value - lower) % step)
    return attribute


def _attribute(entry: Mapping[str, Any], secret: re.Pattern[str] | None) -> Attribute:
    name, kind = entry.get("AttributeName"), entry.get("Type")
    if not isinstance(name, str) or kind not in ("Enumeration", "String", "Integer", "Boolean", "Password"):
        raise ValueError(f"RegistryEntries/Attributes has an entry without a name or of unknown type: {name} {kind}")
    if kind == "String" and secret is not None and secret.search(name):
        kind = "Password"
    return Attribute(
        name=name,
        type=kind,
        choices=tuple(choice["ValueName"] for choice in entry.get("Value") or () if "ValueName" in choice),
        lower=entry.get("LowerBound"),
        upper=entry.get("UpperBound"),
        increment=entry.get("ScalarIncrement") or 0,
        min_length=entry.get("MinLength"),
        max_length=entry.get("MaxLength"),
        pattern=_pattern(entry.get("ValueExpression")),
        read_only=bool(entry.get("ReadOnly")),
        hidden=bool(entry.get("Hidden")),
        immutable=bool(entry.get("Immutable")),
        default=entry.get("DefaultValue"),
    )


def _pattern(expression: str | None) -> re.Pattern[str] | None:
    """The expression, where Python understands it; one in another dialect of regular expressions checks nothing."""
    try:
        return re.compile(expression) if expression else None
    except re.error:
        return None


def _infer(name: str, value: Any) -> Attribute | None:
    """What a value alone tells. No attribute has fractions, so a captured one can only be read; a list is none."""
    kinds = {float: "Number", bool: "Boolean", int: "Integer", str: "String", type(None): "String"}
    kind = kinds.get(type(value))
    return Attribute(name, kind, read_only=kind == "Number") if kind else None


def _delivered(attribute: Attribute, values: Mapping[str, Any]) -> Value:
    """The value an attribute starts with: the captured one, else its default, else the first that it may hold; a text
    captured as null stays null. No attribute has lists or objects, so a captured one is none.
    """
    found = values.get(attribute.name)
    if isinstance(found, str | int | float):
        return cast("Value", found)
    if attribute.type == "Password":
        return None
    if attribute.default is not None:
        return attribute.default
    if attribute.name in values and attribute.type == "String":
        return None
    firsts: Mapping[str, Value] = {
        "Enumeration": attribute.choices[0] if attribute.choices else None,
        "Integer": attribute.lower,
        "Boolean": False,
        "String": "",
        "Number": None,
    }
    return firsts[attribute.type]


def _dependencies(entries: Iterable[Mapping[str, Any]], attributes: Mapping[str, Attribute]) -> list[Dependency]:
    found = []
    for entry in entries:
        rule = entry.get("Dependency") or {}
        conditions = tuple(
            Condition(
                source.get("MapFromAttribute", ""),
                source.get("MapFromCondition", "EQU"),
                source.get("MapFromValue"),
                source.get("MapTerms") == "AND",
            )
            for source in rule.get("MapFrom") or ()
            if source.get("MapFromProperty", "CurrentValue") == "CurrentValue"
            and source.get("MapFromCondition", "EQU") in _COMPARE
        )
        target, wanted = str(rule.get("MapToAttribute")), str(rule.get("MapToProperty"))
        understood = wanted in (READ_ONLY, HIDDEN, "GrayOut", "CurrentValue") and target in attributes
        if entry.get("Type") == "Map" and understood and len(conditions) == len(rule.get("MapFrom") or ()):
            found.append(Dependency(conditions, target, _SAME_AS.get(wanted, wanted), rule.get("MapToValue")))
    return found


def _by_flag(dependencies: Sequence[Dependency]) -> dict[tuple[str, str], tuple[Dependency, ...]]:
    found: dict[tuple[str, str], tuple[Dependency, ...]] = {}
    for rule in dependencies:
        if rule.property in (READ_ONLY, HIDDEN):
            place = rule.attribute, rule.property
            found[place] = (*found.get(place, ()), rule)
    return found


def _by_source(dependencies: Iterable[Dependency]) -> dict[str, tuple[Dependency, ...]]:
    found: dict[str, tuple[Dependency, ...]] = {}
    for rule in dependencies:
        for source in {condition.attribute for condition in rule.conditions}:
            found[source] = (*found.get(source, ()), rule)
    return found


def _sources(dependencies: Iterable[Dependency]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for rule in dependencies:
        named = {condition.attribute for condition in rule.conditions} - {rule.attribute}
        found[rule.attribute] = found.get(rule.attribute, frozenset()) | named
    return found


def _explained_flags(
    attributes: Mapping[str, Attribute],
    flags: Mapping[tuple[str, str], Sequence[Dependency]],
    values: Mapping[str, Value],
) -> frozenset[tuple[str, str]]:
    """Flags that a dependency sets for the delivered values: the attribute itself is without them."""
    return frozenset(
        (name, flag)
        for (name, flag), rules in flags.items()
        if not attributes[name].immutable and any(rule.value and rule.holds(values.get) for rule in rules)
    )


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
