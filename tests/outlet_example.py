"""The worked example of docs/adding-a-device.md, and a tree that has such devices in it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import orjson

from emulator.app import DEVICE_KINDS
from emulator.data import data_folder

FILE = Path(__file__).resolve().parent.parent / "examples" / "outlet.py"
PDU = "/redfish/v1/PowerEquipment/RackPDUs/1"
A1, A2 = f"{PDU}/Outlets/A1", f"{PDU}/Outlets/A2"


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[FILE.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


outlet: Any = _loaded()
KINDS = {**DEVICE_KINDS, "outlet": outlet.OUTLET}
"""With the line that the document adds to app.py."""


def _document(uri: str, kind: str, **more: Any) -> dict[str, Any]:
    own_id = uri.rpartition("/")[2]
    return {
        "@odata.id": uri,
        "@odata.type": kind,
        "Id": own_id,
        "Name": f"{kind[1:].partition('.')[0]} {own_id}",
        **more,
    }


def _collection(uri: str, kind: str, *members: str) -> dict[str, Any]:
    links = [{"@odata.id": member} for member in members]
    return _document(uri, kind, **{"Members": links, "Members@odata.count": len(links)})


def _outlet(uri: str) -> dict[str, Any]:
    values = {"PowerRestorePolicy": "AlwaysOn", "PowerRestoreDelaySeconds": 0, "PowerState": "On"}
    return _document(
        uri, "#Outlet.v1_4_3.Outlet", OutletType="IEC_60320_C13", PhaseWiringType="OnePhase3Wire", **values
    )


def tree_with_outlets(folder: Path, mockup: str, manifest: str = "") -> str:
    """A copy of a bundled mockup in a folder, with a power distribution unit of two outlets; its path.

    `manifest` is added to the mockup's machine.toml.
    """
    copy = folder / mockup
    shutil.copytree(data_folder("mockups") / mockup, copy)
    above, units, outlets = PDU.rpartition("/RackPDUs/")[0], PDU.rpartition("/")[0], f"{PDU}/Outlets"
    added = [
        _document(above, "#PowerEquipment.v1_2_2.PowerEquipment", RackPDUs={"@odata.id": units}),
        _collection(units, "#PowerDistributionCollection.PowerDistributionCollection", PDU),
        _document(
            PDU, "#PowerDistribution.v1_4_0.PowerDistribution", EquipmentType="RackPDU", Outlets={"@odata.id": outlets}
        ),
        _collection(outlets, "#OutletCollection.OutletCollection", A1, A2),
        _outlet(A1),
        _outlet(A2),
    ]
    for document in added:
        place = copy / document["@odata.id"].removeprefix("/") / "index.json"
        place.parent.mkdir(parents=True)
        place.write_bytes(orjson.dumps(document))
    root = copy / "redfish" / "v1" / "index.json"
    root.write_bytes(orjson.dumps({**orjson.loads(root.read_bytes()), "PowerEquipment": {"@odata.id": above}}))
    with (copy / "machine.toml").open("a") as toml:
        toml.write(manifest)
    return str(copy)
