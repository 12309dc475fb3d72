"""How a reading behaves: what a sensor reads at a moment, given what the host's power has been.

A reading is a pure function of the machine's seed, the sensor, its delivered reading, the power history and virtual
time. Nothing is kept for it, and looking changes nothing.

While the host runs a reading wanders slowly around the delivered one. POST draws more. When power goes, consumption
falls to standby at once, fans stop, what was warm cools down to the air that comes in, and rails that the host's power
feeds have no reading. Time is taken in steps of `TICK` seconds, and from the moment at which the host's power changed.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum

from emulator.core.host import Phase
from emulator.core.power_history import ALWAYS_RUNNING, DRAW, Pace, PowerHistory, Span

TICK = 10.0
"""Virtual seconds for which a reading stays as it is."""
ROOM = 22.0
"""Degrees Celsius of the air that comes in, where no sensor tells."""
KWH = 3_600_000.0
"""Watt-seconds."""
FAN_SPEED: Mapping[Phase, float] = {Phase.POST: 1.25, Phase.TASKS: 1.1, Phase.BOOTING: 1.1}
"""As a share of the speed while the operating system is up, which is that of all other phases with power."""
IDLE_SHARE = 0.3
"""What is left of a power supply's own fan, and of its warmth, while the host is off."""
SAMPLES_MAX = 60
"""Of a time that is looked back on."""
SLOW_WAVE, FAST_WAVE = 240.0, 30.0
"""Virtual seconds between the points through which a wandering reading goes."""


class WhenOff(Enum):
    """What becomes of a reading when the host has no power."""

    STAYS = "as it was"
    FALLS = "standby consumption"
    STOPS = "0"
    IDLES = "a low value"
    COOLS = "down to the air that comes in"
    COOLS_A_LITTLE = "most of the way down"
    ABSENT = "no reading"


class Kind(StrEnum):
    """What is read, as far as it matters for how it behaves."""

    INLET = "temperature of the air that comes in"
    PROCESSOR = "temperature of a processor"
    BOARD = "temperature of memory, a board, the air that leaves"
    DRIVE = "temperature of a drive"
    SUPPLY = "temperature of a power supply or battery"
    FAN = "speed of a fan of the host"
    SUPPLY_FAN = "speed of a fan in a power supply"
    CONSUMPTION = "power or current of the whole machine or a power supply"
    SHARE = "power or current of a part that the host's power feeds"
    ENERGY = "energy drawn so far"
    MAINS = "voltage that is there while the machine is plugged in"
    RAIL = "voltage that the host's power feeds"
    FREQUENCY = "frequency of the mains"
    USAGE = "how busy a part of the host is"
    HUMIDITY = "humidity of the air"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the readings of a kind behave."""

    when_off: WhenOff
    swing: float = 0.0
    """How far a reading wanders at most, as a share of the delivered one ..."""
    swing_least: float = 0.0
    """... or so far in its units, where that is more."""
    by_load: float = 0.0
    """How much of its wandering is the load, which all of a machine has in common: 0 to 1."""
    pace: Pace = Pace.MEDIUM


BEHAVIOURS: Mapping[Kind, Behaviour] = {
    Kind.INLET: Behaviour(WhenOff.STAYS, swing_least=0.7),
    Kind.PROCESSOR: Behaviour(WhenOff.COOLS, 0.04, 1.6, 0.7, Pace.QUICK),
    Kind.BOARD: Behaviour(WhenOff.COOLS, 0.02, 1.1, 0.5, Pace.MEDIUM),
    Kind.DRIVE: Behaviour(WhenOff.COOLS, 0.02, 0.8, 0.3, Pace.SLOW),
    Kind.SUPPLY: Behaviour(WhenOff.COOLS_A_LITTLE, 0.02, 0.9, 0.5, Pace.SLOW),
    Kind.FAN: Behaviour(WhenOff.STOPS, 0.04, by_load=0.7),
    Kind.SUPPLY_FAN: Behaviour(WhenOff.IDLES, 0.04, by_load=0.7),
    Kind.CONSUMPTION: Behaviour(WhenOff.FALLS, 0.04, by_load=1.0),
    Kind.SHARE: Behaviour(WhenOff.STOPS, 0.06, by_load=1.0),
    Kind.ENERGY: Behaviour(WhenOff.FALLS),
    Kind.MAINS: Behaviour(WhenOff.STAYS, 0.005),
    Kind.RAIL: Behaviour(WhenOff.ABSENT, 0.005),
    Kind.FREQUENCY: Behaviour(WhenOff.STAYS, 0.0015),
    Kind.USAGE: Behaviour(WhenOff.STOPS, 0.1, 2.0, 0.6),
    Kind.HUMIDITY: Behaviour(WhenOff.STAYS, swing_least=1.2),
}
_NOT_WORKING = frozenset({WhenOff.STOPS, WhenOff.ABSENT})
_CONSUMING = frozenset({Kind.CONSUMPTION, Kind.SHARE})


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor as it was delivered, and what bounds its reading."""

    key: str
    """Tells it from all others of its machine: its URI."""
    kind: Kind
    delivered: float
    """In the units of its document; a whole number's readings are whole where its step is."""
    step: float = 1.0
    """What its readings are rounded to a multiple of."""
    lowest: float = -math.inf
    highest: float = math.inf
    """What a reading stays within while the host has power."""
    ambient: Sensor | None = None
    """Of a temperature: that of the air that comes in."""
    watts: float = 0.0
    """Of energy: what is drawn while the host runs."""
    of_host: bool = True
    """False: its chassis has power of its own, whatever the host does."""

    def read(self, seed: str, history: PowerHistory, moment: float) -> float | None:
        """What it reads at a virtual moment. `seed` tells machines apart. None: it has no reading now."""
        own = self._history(history)
        value = self._value(seed, own, sampled_at(own, moment))
        return None if value is None else self._rounded(value)

    def lately(self, seed: str, history: PowerHistory, moment: float, seconds: float) -> tuple[float, float, float]:
        """The least, the greatest and the average of what it read in the last so many seconds, by samples of it.

        What had no reading counts as 0.
        """
        step = max(TICK, math.ceil(seconds / SAMPLES_MAX / TICK) * TICK)
        last = math.floor(moment / step)
        before = (number * step for number in range(last, last - SAMPLES_MAX, -1))
        moments = [moment, *(at for at in before if moment - seconds <= at < moment)]
        read = [self.read(seed, history, at) or 0.0 for at in moments]
        return min(read), max(read), self._rounded(sum(read) / len(read))

    def is_working(self, history: PowerHistory, moment: float) -> bool:
        """False while it stands still, or has nothing to read, because the host has no power."""
        span = self._history(history).at(moment)
        return span.is_on or BEHAVIOURS[self.kind].when_off not in _NOT_WORKING

    def beside(self, delivered: float, reading: float | None) -> float | None:
        """What another property of the sensor shows, such as SpeedRPM, where it was `delivered` with the reading.

        It moves in proportion; that of an energy counter counts on as the reading does.
        """
        if reading is None:
            return None
        if self.kind is Kind.ENERGY:
            return rounded(delivered + reading - self.delivered, self.step, whole=False)
        share = reading / self.delivered if self.delivered else 0.0
        return rounded(delivered * share, step_of(delivered), whole=isinstance(delivered, int))

    def _history(self, history: PowerHistory) -> PowerHistory:
        return history if self.of_host else ALWAYS_RUNNING

    def _value(self, seed: str, history: PowerHistory, moment: float) -> float | None:
        span = history.at(moment)
        if self.kind is Kind.ENERGY:
            return self.delivered + self.watts * span.drawn_at(moment) / KWH
        when_off = BEHAVIOURS[self.kind].when_off
        if when_off in (WhenOff.COOLS, WhenOff.COOLS_A_LITTLE):
            return self._temperature(seed, history, span, moment)
        if span.is_on or when_off is WhenOff.STAYS:
            return self._with_power(seed, span.phase, moment)
        if when_off is WhenOff.ABSENT:
            return None
        left = {WhenOff.FALLS: DRAW[span.phase], WhenOff.IDLES: IDLE_SHARE}.get(when_off, 0.0)
        return self.delivered * left

    def _temperature(self, seed: str, history: PowerHistory, span: Span, moment: float) -> float:
        behaviour = BEHAVIOURS[self.kind]
        air = ROOM if self.ambient is None else self.ambient._value(seed, history, moment)
        assert air is not None, "air always has a temperature"
        warmth = span.warmth_at(moment, behaviour.pace)
        if behaviour.when_off is WhenOff.COOLS_A_LITTLE:
            warmth = IDLE_SHARE + (1 - IDLE_SHARE) * warmth
        warm = self._with_power(seed, span.phase, moment)
        cold = min(air, warm)
        return cold + (warm - cold) * warmth

    def _with_power(self, seed: str, phase: Phase, moment: float) -> float:
        """What it reads with the host on and as warm as it gets: around the delivered reading, and within bounds."""
        behaviour = BEHAVIOURS[self.kind]
        swing = max(abs(self.delivered) * behaviour.swing, behaviour.swing_least)
        value = self.delivered * self._effort(phase) + swing * self._wander(seed, behaviour.by_load, moment)
        return min(max(value, self.lowest), self.highest)

    def _effort(self, phase: Phase) -> float:
        if self.kind in _CONSUMING:
            return DRAW[phase]
        return FAN_SPEED.get(phase, 1.0) if self.kind in (Kind.FAN, Kind.SUPPLY_FAN) else 1.0

    def _wander(self, seed: str, by_load: float, moment: float) -> float:
        load = wander(f"{seed}\0load", moment) if by_load else 0.0
        own = wander(f"{seed}\0{self.key}", moment) if by_load < 1 else 0.0
        return by_load * load + (1 - by_load) * own

    def _rounded(self, value: float) -> float:
        return rounded(value, self.step, whole=isinstance(self.delivered, int))


def sampled_at(history: PowerHistory, moment: float) -> float:
    """When what is read at `moment` was measured: at the last tick, or the last change of power if that came later."""
    return max(math.floor(moment / TICK) * TICK, min(history.at(moment).since, moment))


def holds_until(moment: float) -> float:
    """When readings may be others than at `moment`, if power does not change before."""
    return (math.floor(moment / TICK) + 1) * TICK


def wander(key: str, moment: float) -> float:
    """A smooth line through time, from -1 to 1: the same for the same key, and unlike that of any other key."""
    return 0.6 * _wave(key, moment, SLOW_WAVE) + 0.4 * _wave(key, moment, FAST_WAVE)


def _wave(key: str, moment: float, length: float) -> float:
    number, way = divmod(moment / length, 1.0)
    way = way * way * (3 - 2 * way)
    return _point(key, length, number) * (1 - way) + _point(key, length, number + 1) * way


def _point(key: str, length: float, number: float) -> float:
    digest = hashlib.blake2b(f"{key}\0{length}\0{number}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**31 - 1


def rounded(value: float, step: float, *, whole: bool) -> float:
    """The nearest multiple of `step`; with `whole` an int, if the step allows."""
    found = round(value / step) * step
    return int(found) if whole and step.is_integer() else round(found, decimals_of(step))


def step_of(delivered: float) -> float:
    """How finely something was measured that reads so: to the last decimal it shows, or to some turns a minute."""
    if delivered == int(delivered):
        return next((step for step in (120.0, 60.0, 10.0) if delivered >= 1000 and delivered % step == 0), 1.0)
    return 10.0 ** -decimals_of(delivered)


def decimals_of(value: float) -> int:
    """How many decimals a number shows, three at most."""
    return next((digits for digits in range(3) if round(value, digits) == value), 3)
