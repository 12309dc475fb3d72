"""NetworkAdapter: whether its ports are partitioned now."""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.devices.nic import PARTITIONED, VIRTUALIZATION_MODE, Nic
from emulator.mockup.adapters import AdapterPlace
from emulator.mockup.network import links_of
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource

CAPABILITIES, NPAR, NPAR_ENABLED = "ControllerCapabilities", "NPAR", "NparEnabled"


def resources(site: Site) -> list[Resource]:
    """Each adapter one of whose functions has a mode of virtualization."""
    return [
        Resource(place.uri, get=partial(network_adapter, place))
        for place in site.adapters
        if any(VIRTUALIZATION_MODE in nic.model.attributes for nic in place.nics) and place.uri in site.tree.documents
    ]


def network_adapter(place: AdapterPlace, call: Call) -> Document:
    """As delivered but for its controllers' partitioning."""
    document = call.base()
    controllers = document.get("Controllers")
    if not isinstance(controllers, list):
        return document
    return {**document, "Controllers": [_controller(place, call, one) for one in controllers]}


def _controller(place: AdapterPlace, call: Call, controller: Any) -> Any:
    capabilities = controller.get(CAPABILITIES) if isinstance(controller, dict) else None
    npar = capabilities.get(NPAR) if isinstance(capabilities, dict) else None
    if not isinstance(capabilities, dict) or not isinstance(npar, dict) or NPAR_ENABLED not in npar:
        return controller
    shown = {**npar, NPAR_ENABLED: _is_partitioned(place, call, controller)}
    return {**controller, CAPABILITIES: {**capabilities, NPAR: shown}}


def _is_partitioned(place: AdapterPlace, call: Call, controller: Document) -> bool:
    """Whether one of the controller's functions is in such a mode; a controller that lists none has all."""
    listed = links_of(controller, "NetworkDeviceFunctions")
    devices = [call.machine.devices[nic.device_id] for nic in place.nics if not listed or nic.uri in listed]
    return any(isinstance(one, Nic) and one.value(VIRTUALIZATION_MODE) in PARTITIONED for one in devices)
