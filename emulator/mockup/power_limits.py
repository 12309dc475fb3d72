"""Finding the power limits of a tree, and every place that shows one.

A limit is told of in Power (`PowerControl[0].PowerLimit`), in EnvironmentMetrics (`PowerLimitWatts`) and in the Control
that this excerpt names. All of a chassis's places show one limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emulator.core.power_limit import PowerLimit
from emulator.mockup.documents import object_at
from emulator.mockup.reader import Document, Tree, links, normal
from emulator.mockup.sensors import is_number

DISABLED = "Disabled"
"""The ControlMode of a limit that is not in force."""


@dataclass(frozen=True, slots=True)
class LimitPlace:
    """The limit of what a chassis may draw. A URI is empty where the tree does not show it in such a place."""

    chassis: str
    power: str
    environment: str
    control: str
    delivered: PowerLimit
    lower: float
    upper: float | None
    """What may be set, in watts; None: nobody says."""


def find_power_limits(tree: Tree, chassis: Sequence[str]) -> tuple[LimitPlace, ...]:
    """Those of all chassis that tell of one."""
    return tuple(place for uri in chassis if uri in tree.documents for place in _limits(tree, uri))


def _limits(tree: Tree, chassis: str) -> Iterator[LimitPlace]:
    document = tree.documents[chassis]
    power, environment = _linked(tree, document, "Power"), _linked(tree, document, "EnvironmentMetrics")
    old = _first_control(tree, power)
    excerpt = object_at(tree.get(environment) or {}, "PowerLimitWatts")
    source = excerpt.get("DataSourceUri")
    control = normal(source) if isinstance(source, str) and normal(source) in tree.documents else ""
    told = tree.documents.get(control) or excerpt
    in_old = "LimitInWatts" in object_at(old, "PowerLimit")
    if not told and not in_old:
        return
    delivered = _delivered(told) if told else _delivered_in_power(old)
    bounds = [told.get("AllowableMin"), told.get("AllowableMax", old.get("PowerCapacityWatts"))]
    lower, upper = (bound if is_number(bound) else None for bound in bounds)
    yield LimitPlace(
        chassis, power if in_old else "", environment if excerpt else "", control, delivered, lower or 0, upper
    )


def _delivered(told: Document) -> PowerLimit:
    watts = told.get("SetPoint")
    return PowerLimit(watts if is_number(watts) else None, is_number(watts) and told.get("ControlMode") != DISABLED)


def _delivered_in_power(control: Document) -> PowerLimit:
    watts = object_at(control, "PowerLimit").get("LimitInWatts")
    return PowerLimit(watts if is_number(watts) else None, is_number(watts))


def _first_control(tree: Tree, power: str) -> Document:
    found = (tree.get(power) or {}).get("PowerControl")
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


def _linked(tree: Tree, document: Document, name: str) -> str:
    found = links(document.get(name))
    return found[0] if found and found[0] in tree.documents else ""
