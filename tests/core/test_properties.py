"""Two promises about time: looking is harmless, and stopping is harmless. The third, that no sequence of commands leaves
the law, is in `test_stateful.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from core_commands import (
    COMMANDS,
    TARGETS,
    Command,
    create,
    create_with_values,
    do,
    from_repository,
    transfer,
    update,
)
from core_world import BIOS, CARD, RAID, SECOND, THIRD, Shelf, backwards, by_name, new_machine, opaque, package, picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.core.clock import Clock
from emulator.core.machine import Machine
from emulator.core.policy import Policy
from emulator.core.profile import Import, Setting, export_profile, import_profile

EXAMPLES = 120
SMALL = Policy(max_jobs=8, delete_on_completion_minutes=15, max_log_entries=48, unqueued_jobs="schedule")
POLICIES = (
    SMALL,
    Policy(max_jobs=12, delete_on_completion_minutes=15, apply_staged_on_reset=True, reset_makes_reboot_job=True),
)


def build(policy: Policy, clock: Clock | None = None) -> Machine:
    return new_machine(clock, targets=TARGETS, firmware=True, policy=policy)


SCRIPTS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 10.0, 20.0, 95.0, 110.0, 400.0, 1000.0]), COMMANDS), max_size=14
)
"""Seconds to wait, then what to do."""


def run_script(
    machine: Machine, script: Sequence[tuple[float, Command]], poll: Callable[[Machine, float], Machine]
) -> Machine:
    """Each command in a turn of its own at its moment; `poll` brings time there, looking as it likes."""
    for seconds, command in [*script, (2000.0, lambda _: None)]:
        machine = poll(machine, seconds)
        machine.settle()
        do(machine, command)
    return machine


def never_look(machine: Machine, seconds: float) -> Machine:
    machine.clock.advance(seconds)
    return machine


def moments_within(dice: random.Random, seconds: float, times: int) -> list[float]:
    """In order, in eighths of a second: these add up exactly, so that moments can be compared exactly."""
    return sorted(dice.randrange(0, int(seconds * 8) + 1) / 8 for _ in range(times))


def looking(dice: random.Random, times: int) -> Callable[[Machine, float], Machine]:
    """Poll `times` times on the way, at random moments."""

    def poll(machine: Machine, seconds: float) -> Machine:
        passed = 0.0
        for at in moments_within(dice, seconds, times):
            machine.clock.advance(at - passed)
            passed = at
            machine.settle()
            machine.devices[BIOS].read()
        machine.clock.advance(seconds - passed)
        return machine

    return poll


def seen(machine: Machine) -> Any:
    """What the past and the future of a machine look like.

    The ids of planned faults are no part of that: `test_machine.py` asks for them.
    """
    shown = picture(machine, numbered=False)
    shown["faults"] = [{**rule, "id": None} for rule in shown["faults"]]
    return shown


# -- looking ----------------------------------------------------------------------------------------------------------


def long_story(machine: Machine, poll: Callable[[Machine, float], Machine]) -> Machine:
    """Several devices, windows, a fault, an interruption, a retention: something of everything."""
    profile = [Setting(SECOND, "NumCores", "8"), Setting(SECOND, "Nope", "1")]
    script: list[tuple[float, Command]] = [
        (0, lambda m: m.stage(BIOS, {"SysProfile": "Custom", "ProcPwrPerf": "OsDbpm", "NumCores": 4})),
        (1, lambda m: m.add_fault(SECOND, "NumLock", None, 1)),
        (1, create(BIOS, 100.0, None, "GracefulRebootWithForcedShutdown")),
        (5, lambda m: m.stage(SECOND, {"BootMode": "Uefi", "NumLock": False})),
        (5, create(SECOND, None, None, None)),
        (30, lambda m: m.restart_controller()),
        (400, lambda m: m.stage(THIRD, {"BootMode": "Uefi"})),
        (0, create(THIRD, None, 300.0, None)),
        (400, lambda m: m.stage(BIOS, {"NumCores": 8, "NumLock": False})),
        (1, create(BIOS, None, None, "PowerCycle")),
        (115, lambda m: m.reset("ForceOff")),
        (100, lambda m: m.reset("On")),
        (300, lambda m: m.stage_reset(SECOND)),
        (10, lambda m: m.reset("GracefulRestart")),
        (500, lambda m: m.create_reboot_job("PowerCycle", "root")),
        (5, create_with_values(BIOS, {"BootMode": "Uefi"}, (100.0, 600.0, True))),
        (5, update("", 0.0, False, (), None)),
        (10, transfer(3, "moves", 0, {}, ())),
        (1, lambda m: m.restart_controller()),
        (300, transfer(0, "arrives", 0, package(CARD, "22.0"), ())),
        (300, lambda m: export_profile(m, "root", ("ALL",), "JSON", uri="http://server/profile.json")),
        (100, transfer(0, "arrives", 0, {}, ())),
        (200, lambda m: import_profile(m, Import("root"), profile)),
        (400, update("Immediate", 0.0, False, (), package(BIOS, "2.0"))),
        (600, from_repository(True, True, False, False)),
        (5, transfer(0, "arrives", 0, {}, (), ((RAID, "99.0"), (BIOS, "1.0")))),
        (40, transfer(0, "arrives", 0, opaque(), ())),
    ]
    return run_script(machine, script, poll)


@pytest.mark.parametrize("policy", POLICIES)
def test_three_hundred_ways_of_polling_give_one_history(policy: Policy) -> None:
    expected = seen(long_story(build(policy), never_look))
    assert {name for name in TARGETS if expected["devices"][name]["own"]} >= {BIOS, SECOND}
    assert set(expected["devices"]["Firmware"]["own"]) == {BIOS, CARD, RAID}
    kept = {job["kind"] for job in expected["jobs"]}
    assert {"update", "reboot", "repository"} <= kept or policy.max_jobs < 10
    dice = random.Random(20_231_114)  # always the same three hundred
    for attempt in range(300):
        times = dice.choice([0, 1, 2, 5, 20])
        found = seen(long_story(build(policy), looking(dice, times)))
        assert found == expected, f"attempt {attempt}, polled {times} times between commands"


@settings(max_examples=EXAMPLES, deadline=None)
@given(SCRIPTS, st.sampled_from(POLICIES), st.randoms(use_true_random=False), st.integers(1, 6))
def test_looking_changes_nothing_whatever_was_done(
    script: list[tuple[float, Command]], policy: Policy, dice: random.Random, times: int
) -> None:
    unseen = run_script(build(policy), script, never_look)
    looked_at = run_script(build(policy), script, looking(dice, times))
    assert seen(looked_at) == seen(unseen)


# -- stopping ---------------------------------------------------------------------------------------------------------


class Restarting:
    """Stops on the way, and goes on with a new machine from what was saved."""

    def __init__(self, policy: Policy, dice: random.Random, times: int) -> None:
        self.dice = dice
        self.times = times
        self.shelf = Shelf(partial(build, policy))

    def __call__(self, machine: Machine, seconds: float) -> Machine:
        passed = 0.0
        for at in moments_within(self.dice, seconds, self.times):
            machine.clock.advance(at - passed)
            passed = at
            if self.dice.random() < 0.5:
                machine.settle()  # the stop is at the end of a turn at this very moment, else some time after the last
            machine = self.shelf.restart(machine, self.dice.choice([list, backwards, by_name]))
        machine.clock.advance(seconds - passed)
        return machine


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("times", [1, 3])
def test_stopping_at_any_point_and_going_on_from_the_store_gives_the_same_history(policy: Policy, times: int) -> None:
    expected = seen(long_story(build(policy), never_look))
    dice = random.Random(42 + times)
    for attempt in range(40):
        found = seen(long_story(build(policy), Restarting(policy, dice, times)))
        assert found == expected, f"attempt {attempt}"


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS, st.sampled_from(POLICIES), st.randoms(use_true_random=False), st.integers(1, 3))
def test_stopping_changes_nothing_whatever_was_done(
    script: list[tuple[float, Command]], policy: Policy, dice: random.Random, times: int
) -> None:
    straight = run_script(build(policy), script, never_look)
    restarted = run_script(build(policy), script, Restarting(policy, dice, times))
    assert seen(restarted) == seen(straight)
