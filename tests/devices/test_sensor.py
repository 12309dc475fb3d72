"""How readings behave: by table, and as laws over any power history."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from emulator.core.host import Phase
from emulator.core.power_history import ALWAYS_RUNNING, DRAW, EPOCH, PowerHistory
from emulator.devices.sensor import BEHAVIOURS, IDLE_SHARE, ROOM, TICK, Kind, Sensor, holds_until, sampled_at, step_of

START = 1_700_000_000.0
DAY = 86_400.0
INLET = Sensor("/inlet", Kind.INLET, 24.0, 0.1)


def sensor(kind: Kind, delivered: float, step: float = 1.0, **more) -> Sensor:
    return Sensor(f"/{kind.name}", kind, delivered, step, ambient=None if kind is Kind.INLET else INLET, **more)


def after(*changes: tuple[Phase, float]) -> tuple[PowerHistory, float]:
    """The history of these phases from START on, each with its seconds, and the moment at which the last one ends."""
    history, moment = ALWAYS_RUNNING, START
    for phase, seconds in changes:
        history = history.entered(phase, moment)
        moment += seconds
    return history, moment


# kind, delivered, step; then what it reads: as low and as high as while the host runs, just off, off for a day
TABLE = [
    (Kind.INLET, 24, 1.0, (23, 25), (23, 25), (23, 25)),
    (Kind.PROCESSOR, 51, 1.0, (49, 53), (49, 53), (23, 25)),
    (Kind.BOARD, 39, 1.0, (37, 41), (37, 41), (23, 25)),
    (Kind.DRIVE, 33, 1.0, (32, 34), (32, 34), (23, 25)),
    (Kind.SUPPLY, 44, 1.0, (43, 45), (43, 45), (29, 31)),
    (Kind.FAN, 31, 1.0, (29, 33), (0, 0), (0, 0)),
    (Kind.FAN, 18_600, 120.0, (17_760, 19_440), (0, 0), (0, 0)),
    (Kind.SUPPLY_FAN, 60, 1.0, (57, 63), (18, 18), (18, 18)),
    (Kind.CONSUMPTION, 400, 1.0, (384, 416), (20, 20), (20, 20)),
    (Kind.SHARE, 90, 1.0, (84, 96), (0, 0), (0, 0)),
    (Kind.MAINS, 230, 1.0, (228, 232), (228, 232), (228, 232)),
    (Kind.RAIL, 1.8, 0.01, (1.79, 1.81), None, None),
    (Kind.FREQUENCY, 50.0, 0.1, (49.9, 50.1), (49.9, 50.1), (49.9, 50.1)),
    (Kind.USAGE, 10, 1.0, (8, 12), (0, 0), (0, 0)),
    (Kind.HUMIDITY, 45, 1.0, (43, 47), (43, 47), (43, 47)),
]


@pytest.mark.parametrize("row", TABLE, ids=[f"{row[0].name} {row[1]}" for row in TABLE])
def test_what_each_kind_reads(row):
    kind, delivered, step, *expected = row
    found = sensor(kind, delivered, step)
    running = [found.read("1", ALWAYS_RUNNING, START + 10 * n) for n in range(500)]
    assert expected[0][0] <= min(running) <= max(running) <= expected[0][1]
    assert len(set(running)) > 1, "it lives"
    for seconds, bounds in zip((0, DAY), expected[1:], strict=True):
        history, moment = after((Phase.OFF, seconds))
        reading = found.read("1", history, moment)
        assert reading is None if bounds is None else bounds[0] <= reading <= bounds[1]
        assert type(reading) in (type(None), type(delivered))


def test_every_kind_is_in_the_tables():
    assert set(BEHAVIOURS) == set(Kind)
    assert {row[0] for row in TABLE} == set(Kind) - {Kind.ENERGY}


@pytest.mark.parametrize("kind", [Kind.FAN, Kind.RAIL, Kind.SHARE, Kind.USAGE])
def test_what_the_host_feeds_does_not_work_without_it(kind):
    found = sensor(kind, 10)
    history, moment = after((Phase.OFF, 60), (Phase.POST, 60))
    assert [found.is_working(history, at) for at in (START - 1, START + 1, moment)] == [True, False, True]
    assert all(sensor(other, 10).is_working(history, START + 1) for other in (Kind.INLET, Kind.MAINS, Kind.CONSUMPTION))


def test_post_draws_more_and_fans_run_faster():
    history, moment = after((Phase.OFF, DAY), (Phase.POST, 30))
    watts, fan = sensor(Kind.CONSUMPTION, 400), sensor(Kind.FAN, 40)
    assert watts.read("1", history, moment) > 1.2 * 400
    assert fan.read("1", history, moment) > 1.15 * 40
    assert DRAW[Phase.POST] == max(DRAW.values())


def test_what_cools_down_gets_warm_again():
    cpu = sensor(Kind.PROCESSOR, 60)
    history, off_at = after((Phase.OFF, 600), (Phase.POST, 90), (Phase.RUNNING, 600))
    cooling = [cpu.read("1", history, START + seconds) for seconds in range(0, 600, 30)]
    warming = [cpu.read("1", history, START + 600 + seconds) for seconds in range(0, 690, 30)]
    assert cooling[0] >= 57
    assert 36 <= cooling[2] <= 40, "63 % of the way after a minute"
    assert cooling[-1] <= 25
    assert warming[0] <= 25
    assert 44 <= warming[2] <= 49
    assert warming[-1] >= 57
    assert all(later <= earlier + 1 for earlier, later in pairwise(cooling))
    assert off_at == START + 1290


def test_a_power_supply_keeps_some_warmth():
    history, moment = after((Phase.OFF, 10 * DAY))
    reading = sensor(Kind.SUPPLY, 44, 0.1).read("1", history, moment)
    assert reading == pytest.approx(24 + IDLE_SHARE * 20, abs=1.5)


def test_without_a_sensor_of_the_air_it_is_a_room():
    history, moment = after((Phase.OFF, 10 * DAY))
    assert Sensor("/cpu", Kind.PROCESSOR, 51).read("1", history, moment) == ROOM


def test_a_chassis_with_power_of_its_own_goes_on():
    history, moment = after((Phase.OFF, DAY))
    found = sensor(Kind.CONSUMPTION, 400, of_host=False)
    assert found.read("1", history, moment) == found.read("1", ALWAYS_RUNNING, moment) > 380
    assert found.is_working(history, moment)


def test_parts_add_up_to_the_whole_at_any_time():
    """All that consumes follows the same load."""
    parts = [Sensor(f"/psu{n}", Kind.CONSUMPTION, watts) for n, watts in ((1, 202), (2, 196))]
    whole = Sensor("/total", Kind.CONSUMPTION, 398)
    for number in range(500):
        moment = START + number * TICK
        assert sum(part.read("1", ALWAYS_RUNNING, moment) for part in parts) == pytest.approx(
            whole.read("1", ALWAYS_RUNNING, moment), abs=1
        )


def test_energy_is_what_consumption_adds_up_to():
    energy = Sensor("/energy", Kind.ENERGY, 100.0, 0.001, watts=400.0)
    history, moment = after((Phase.OFF, 7_200))
    before, then = energy.read("1", history, START), energy.read("1", history, moment)
    assert before == pytest.approx(100 + 0.4 * (START - EPOCH) / 3600, abs=0.002)
    assert then - before == pytest.approx(0.4 * DRAW[Phase.OFF] * 2, abs=0.002)


BESIDE = [
    # kind, delivered reading, what stands beside it, reading -> what is shown beside it
    ("turns of a fan in percent", Kind.FAN, 31, 5_280, 32, 5_400),
    ("turns of one that stands still", Kind.FAN, 31, 5_280, 0, 0),
    ("turns of one that counts turns", Kind.FAN, 18_600.0, 18_600, 18_720.0, 18_720),
    ("apparent power", Kind.CONSUMPTION, 374, 2_749.2, 187, 1_374.6),
    ("a reading that was 0", Kind.CONSUMPTION, 0, 5, 0, 0),
    ("no reading", Kind.RAIL, 1.8, 2, None, None),
    ("energy of a lifetime", Kind.ENERGY, 10.0, 1_000.0, 12.5, 1_002.5),
]


@pytest.mark.parametrize("row", BESIDE, ids=[row[0] for row in BESIDE])
def test_what_stands_beside_a_reading_moves_with_it(row):
    _, kind, delivered, beside, reading, expected = row
    assert (
        sensor(kind, delivered, step_of(delivered) if kind is not Kind.ENERGY else 0.1).beside(beside, reading)
        == expected
    )


@pytest.mark.parametrize(
    ("delivered", "step"),
    [(23, 1), (23.0, 1), (44.9, 0.1), (119.27, 0.01), (5_280, 120), (18_660, 60), (2_050, 10), (0, 1)],
)
def test_a_reading_is_as_fine_as_the_delivered_one(delivered, step):
    assert step_of(delivered) == pytest.approx(step)


def test_a_reading_is_measured_at_every_tick_and_when_power_changes():
    history, _ = after((Phase.OFF, 100))
    tick = START - START % TICK
    assert sampled_at(ALWAYS_RUNNING, START + 3) == tick
    assert holds_until(START + 3) == tick + TICK
    late = ALWAYS_RUNNING.entered(Phase.OFF, tick + 7)
    assert sampled_at(late, tick + 8) == tick + 7
    assert sampled_at(late, tick + 6) == tick, "what was before is as it was"
    assert sampled_at(late, tick + 12) == tick + TICK
    assert history.at(START + 50).phase is Phase.OFF


def test_what_it_was_lately():
    watts = sensor(Kind.CONSUMPTION, 400)
    history, moment = after((Phase.OFF, 60))
    least, most, average = watts.lately("1", history, moment, 120)
    assert least == 20
    assert 384 <= most <= 416
    assert 150 <= average <= 270
    assert watts.lately("1", history, moment, 30) == (20, 20, 20)


# -- laws -------------------------------------------------------------------------------------------------------------

CHANGES = st.lists(st.tuples(st.sampled_from(list(Phase)), st.floats(1, 5_000)), max_size=8)
KINDS = st.sampled_from([kind for kind in Kind if kind is not Kind.ENERGY])
MOMENTS = st.floats(START, START + 20_000)


@given(KINDS, CHANGES, MOMENTS, st.integers(1, 3))
def test_a_reading_is_the_same_whoever_looks_and_however_often(kind, changes, moment, number):
    history, _ = after(*changes)
    found = sensor(kind, 40)
    reading = found.read(str(number), history, moment)
    again = sensor(kind, 40).read(str(number), PowerHistory.from_plain(history.to_plain()), moment)
    assert reading == again
    same_tick = min(
        holds_until(moment) - 0.001, next((s.since for s in history.spans if s.since > moment), moment + TICK)
    )
    assume(history.at(same_tick) == history.at(moment))
    assert found.read(str(number), history, same_tick) == reading


@given(KINDS, CHANGES, MOMENTS, st.floats(0, 10), st.floats(0, 10))
def test_with_power_a_reading_stays_within_its_bounds(kind, changes, moment, below, above):
    history, _ = after(*changes)
    assume(history.at(moment).is_on)
    found = sensor(kind, 60.0, 0.01, lowest=60.0 - below, highest=60.0 + above)
    reading = found.read("1", history, moment)
    assert reading <= found.highest + 0.005
    cools = found.read("1", history, moment) < found.lowest - 0.005
    assert not cools or any(not span.is_on for span in history.spans), "only what has not warmed up again is below"


@given(CHANGES, st.lists(MOMENTS, min_size=2, max_size=20))
def test_energy_never_goes_back(changes, moments):
    history, _ = after(*changes)
    energy = Sensor("/energy", Kind.ENERGY, 100.0, 0.001, watts=400.0)
    readings = [energy.read("1", history, moment) for moment in sorted(moments)]
    assert readings == sorted(readings)
    assert readings[0] > 100


@given(CHANGES, MOMENTS)
def test_nothing_gets_colder_than_the_air_that_comes_in(changes, moment):
    history, _ = after(*changes)
    for kind in (Kind.PROCESSOR, Kind.BOARD, Kind.DRIVE, Kind.SUPPLY):
        assert sensor(kind, 50, 0.1).read("1", history, moment) >= INLET.read("1", history, moment) - 0.11


@given(KINDS, MOMENTS)
def test_machines_differ(kind, moment):
    found = sensor(kind, 1_000.0, 0.001)
    one, other = ([found.read(seed, ALWAYS_RUNNING, moment + 100 * n) for n in range(5)] for seed in "12")
    assert one != other
