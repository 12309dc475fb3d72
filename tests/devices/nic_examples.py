"""Small network device functions written down in a line or two, and the ones of whole mockups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bios_examples import site_of
from registry_entries import attribute, choice, registry, rule

from emulator.devices.adapter import NetworkAdapter
from emulator.devices.attribute_registry import build_model
from emulator.devices.nic import SECRET, Nic
from emulator.mockup.network import NicPlace

FQDD = "NIC.Integrated.1-1-1"
MAC, OTHER_MAC = "02:4A:46:26:11:00", "02:4A:46:26:11:77"


def nic(
    attributes: list[dict[str, Any]],
    dependencies: list[dict[str, Any]] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Nic:
    return Nic(FQDD, build_model(values or {}, registry(attributes, dependencies), SECRET))


@cache
def _small() -> Nic:
    return nic(
        [
            attribute("MacAddr", "String", ReadOnly=True, Immutable=True),
            attribute(
                *("VirtMacAddr", "String"), MinLength=17, MaxLength=17, ValueExpression="^([0-9A-F]{2}:){5}[0-9A-F]{2}$"
            ),
            choice("VLanMode", "Disabled", "Enabled"),
            attribute("VLanId", "Integer", LowerBound=1, UpperBound=4094, DefaultValue=1, ReadOnly=True),
            choice("VirtualizationMode", "NONE", "NPAR", "SRIOV"),
            attribute("NumberVFAdvertised", "Integer", LowerBound=1, UpperBound=64, ScalarIncrement=8),
            choice("RdmaMode", "Disabled", "Enabled"),
            attribute("IscsiInitiatorName", "String", MaxLength=223),
            attribute("IscsiInitiatorChapPwd", "String", MaxLength=16, ValueExpression="^$|^.{12,16}$"),
        ],
        [
            rule("VLanId", "ReadOnly", True, ("VLanMode", "EQU", "Disabled")),
            rule("NumberVFAdvertised", "ReadOnly", True, ("VirtualizationMode", "EQU", "NPAR")),
            rule("RdmaMode", "Hidden", True, ("VirtualizationMode", "EQU", "NPAR")),
        ],
        {
            "MacAddr": MAC,
            "VirtMacAddr": MAC,
            "VLanMode": "Disabled",
            "VLanId": 1,
            "VirtualizationMode": "NONE",
            "NumberVFAdvertised": 8,
            "RdmaMode": "Disabled",
            "IscsiInitiatorName": None,
            "IscsiInitiatorChapPwd": None,
        },
    )


def small() -> Nic:
    """A tag that needs its mode, functions that partitions take away, an address, a secret. A new device."""
    return Nic(FQDD, _small().model)


def place_of(mockup: str, device_id: str) -> NicPlace:
    return next(place for place in site_of(mockup).nics if place.device_id == device_id)


def nic_of(mockup: str, device_id: str) -> Nic:
    """A new device, made as for one machine of a mockup."""
    place = place_of(mockup, device_id)
    return Nic(place.device_id, place.model)


def adapter_of(mockup: str, device_id: str) -> NetworkAdapter:
    """A new adapter with its functions, made as for one machine of a mockup."""
    place = next(place for place in site_of(mockup).adapters if place.device_id == device_id)
    functions = {nic.device_id: Nic(nic.device_id, nic.model) for nic in place.nics}
    return NetworkAdapter(place.device_id, place.model, port_models=place.port_models, functions=functions)
