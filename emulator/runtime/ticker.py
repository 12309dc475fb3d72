"""Waking up for what is due: APScheduler fires once for the next thing due on any machine.

Nothing depends on it being in time: whoever comes first, the ticker or a request, settles a machine, and everything
gets the moment at which it was due. Without a ticker, things would merely happen when somebody looks.
"""

from __future__ import annotations

import heapq
import logging
import time
from datetime import UTC, datetime
from threading import Lock

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger

from emulator.runtime.fleet import Fleet, Seat

log = logging.getLogger(__name__)

JOB = "next-due"
AHEAD_SECONDS_MAX = 86_400.0 * 365
"""Things due later than this are looked at again then: a date has to fit into the calendar."""
TRY_AGAIN_SECONDS = 5.0
"""After a turn that failed."""


class Ticker:
    """Gives each machine of a fleet a turn when something is due there."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._lock = Lock()
        self._due: dict[int, float] = {}
        """Controller number -> the real moment of its next thing."""
        self._heap: list[tuple[float, int]] = []
        self._planned: float | None = None
        self._firing = False
        """While it fires it does not plan: the scheduler drops what comes due for a job that is still running."""
        # max_instances: a wake-up may come before the scheduler has noticed that the last one has ended
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 3}
        )

    def start(self) -> None:
        """Begin to listen to the fleet's turns and to fire."""
        self._scheduler.start()
        self._fleet.on_turn = self._noted

    def stop(self) -> None:
        """Fire no more."""
        self._fleet.on_turn = None
        self._scheduler.shutdown(wait=True)

    def _noted(self, seat: Seat, due: float | None) -> None:
        known = self._due.get(seat.number)
        if due == known:
            return
        with self._lock:
            if due is None:
                self._due.pop(seat.number, None)
                return
            self._due[seat.number] = due
            heapq.heappush(self._heap, (due, seat.number))
            if not self._firing:
                self._plan()

    def _plan(self) -> None:
        """Have the scheduler fire for the first entry that is still true. The lock is held."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        first = self._heap[0][0] if self._heap else None
        if first is None or (self._planned is not None and self._planned <= first):
            return
        self._planned = first
        moment = min(max(first, time.time()), time.time() + AHEAD_SECONDS_MAX)
        self._scheduler.add_job(
            self._fire, DateTrigger(datetime.fromtimestamp(moment, UTC)), id=JOB, replace_existing=True
        )

    def _fire(self) -> None:
        now = time.time()
        with self._lock:
            self._firing = True
            numbers = []
            while self._heap and self._heap[0][0] <= now:
                due, number = heapq.heappop(self._heap)
                if self._due.get(number) == due:
                    del self._due[number]
                    numbers.append(number)
        for number in numbers:
            self._give_turn(number)
        with self._lock:
            self._firing = False
            self._planned = None
            self._plan()

    def _give_turn(self, number: int) -> None:
        seat = self._fleet.seat(number)
        try:
            with seat.turn():
                pass
        except Exception:
            log.exception("controller %d could not be moved on; trying again in %g s", number, TRY_AGAIN_SECONDS)
            self._noted(seat, time.time() + TRY_AGAIN_SECONDS)
