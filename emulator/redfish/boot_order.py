"""The boot order, as DMTF's resources speak of it: BootOptionReferences instead of the device's ids.

ComputerSystem and BootOption show it and change it; what they stage is an attribute of the BIOS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from emulator.core.device import Value
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.mockup.boot import BootSequence
from emulator.mockup.site import Site
from emulator.redfish.view import TASK_MONITORS, Call, Reply, succeeded, success_messages

Order = dict[str, bool]
"""Reference -> whether it is enabled, in boot order."""


@dataclass(frozen=True, slots=True)
class BootOrder:
    """The order in which the host tries its boot options."""

    device_id: str
    sequence: BootSequence

    def in_force(self, call: Call) -> Order:
        """What the host tries now."""
        return self._order(call.machine.devices[self.device_id].read()[self.sequence.attribute])

    def wanted(self, call: Call) -> Order:
        """What it will try once everything staged is in force: that is what a further change changes."""
        staged = call.machine.values_pending(self.device_id).get(self.sequence.attribute)
        return self.in_force(call) if staged is None else self._order(staged)

    def change(self, call: Call, order: Iterator[tuple[str, bool]], path: str) -> Reply:
        """Stage an order. A service whose staged values wait for a job makes the job, too.

        Then the answer is 200 with the job's place: clients of this want a body, and a 202 has none here.

        Raises:
            Rejected: what the device says, about `path`: where in the body the order stands.
        """
        machine, ids = call.machine, {source.option: source.id for source in self.sequence.sources}
        change = {self.sequence.attribute: [[ids.get(name, name), enabled] for name, enabled in order]}
        try:
            if machine.policy.apply_staged_on_reset:
                machine.stage(self.device_id, change)
                return succeeded(call, "OperationDone")
            job = machine.stage_and_create_job(self.device_id, change, call.user)
        except Rejected as refused:
            raise Rejected(*(self._spelled(message, path) for message in refused.messages)) from refused
        location = (("Location", f"{TASK_MONITORS}/{job.id}"),)
        return Reply(200, {"@Message.ExtendedInfo": success_messages(call, "OperationDone")}, location)

    def _order(self, value: Value) -> Order:
        references = {source.id: source.option for source in self.sequence.sources}
        return {references[name]: enabled for name, enabled in value} if isinstance(value, list) else {}

    def _spelled(self, message: Message, path: str) -> Message:
        """The message with everything called as in the body."""
        if message.related != (f"Attributes/{self.sequence.attribute}",):
            return message
        names = {source.id: source.option for source in self.sequence.sources} | {self.sequence.attribute: path}
        args = (", ".join(names.get(name, name) for name in arg.split(", ")) for arg in message.args)
        return replace(message, args=tuple(args), related=(path,))


def boot_order(site: Site) -> BootOrder | None:
    """The order of the host's boot options; None where the tree does not tell of one."""
    place = site.boot
    sequence = place.boot.order if place is not None and place.boot is not None else None
    return BootOrder(place.device_id, sequence) if place is not None and sequence is not None else None


def refuse_others(document: Mapping[str, Any], body: Mapping[str, Any], settable: frozenset[str], folder: str) -> None:
    """Refuse what a body names and cannot set; `folder` is where in the whole body it stands ("Boot/").

    Raises:
        Rejected: PropertyNotWritable for each property that the resource has, PropertyUnknown for any other.
    """
    others = [name for name in body if name not in settable and not (name.startswith("@odata.") or "@Message." in name)]
    paths = {name: f"{folder}{name}"[:200] for name in others}
    reject_if_any(
        Message("PropertyNotWritable" if name in document else "PropertyUnknown", (path,), (path,))
        for name, path in paths.items()
    )
