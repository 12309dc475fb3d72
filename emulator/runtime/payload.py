"""What is delivered, and who writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from emulator.core.machine import Machine
from emulator.core.subscription import Subscription


class Payload(NamedTuple):
    """Events for one subscription, written."""

    last: int
    """The number of the last event in it: its Id, and the cursor once it has arrived."""
    body: bytes
    """JSON; empty where nothing was wanted of what was looked at, and there may be more."""


NextPayload = Callable[[int, Machine, Subscription], Payload | None]
"""(a controller's number, its machine in a turn, a subscription) -> what it is to be sent next; None: nothing now."""
