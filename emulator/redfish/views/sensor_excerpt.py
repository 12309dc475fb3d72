"""Excerpts of sensors, in whatever shows them: EnvironmentMetrics, ThermalMetrics, PowerSupplyMetrics, Fan, Control."""

from __future__ import annotations

from emulator.mockup.site import Site
from emulator.redfish.readings import resources_of, with_readings
from emulator.redfish.view import Resource

OF_OTHERS = frozenset({"Sensor", "Thermal", "Power"})


def resources(site: Site) -> list[Resource]:
    """Each document with an excerpt of a sensor that lives. A schema with a view of its own has that one."""
    return resources_of(site, lambda schema: schema not in OF_OTHERS, with_readings)
