"""The reset types of a Reset action: those that are offered, and the one that a request asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.mockup.documents import objects, texts
from emulator.mockup.site import Site

ALLOWABLE = "ResetType@Redfish.AllowableValues"


def offered_resets(site: Site, action: Mapping[str, Any], possible: Collection[str]) -> list[str]:
    """The reset types that a mockup's action lists, in itself or in its ActionInfo, as far as they are possible; all
    that are where it lists none of them.
    """
    listed = texts(action.get(ALLOWABLE)) or _from_action_info(site, action.get("@Redfish.ActionInfo"))
    return [kind for kind in listed if kind in possible] or list(possible)


def wanted_reset(action: str, parameters: Mapping[str, Any], offered: Sequence[str], otherwise: str = "") -> str:
    """The ResetType that is asked for; where none is, `otherwise` or else the first one offered (DSP0268, Reset).

    Raises:
        Rejected: ActionParameterValueNotInList for one that is not offered.
    """
    wanted: str = parameters.get("ResetType", otherwise if otherwise in offered else offered[0])
    if wanted not in offered:
        raise Rejected(Message("ActionParameterValueNotInList", (wanted, "ResetType", action), ("ResetType",)))
    return wanted


def _from_action_info(site: Site, uri: Any) -> list[str]:
    parameters = objects(((site.tree.get(uri) if isinstance(uri, str) else None) or {}).get("Parameters"))
    return next((texts(entry.get("AllowableValues")) for entry in parameters if entry.get("Name") == "ResetType"), [])
