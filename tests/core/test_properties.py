"""Three promises about time: looking is harmless, stopping is harmless, and no sequence of commands leaves the law."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from core_world import BIOS, MODEL, SECOND, THIRD, manual_clock, picture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from emulator.core.clock import Clock
from emulator.core.engine import REBOOT_EVENTS
from emulator.core.host import RESETS, Timings
from emulator.core.job import FINISHED, TRANSITIONS, Event, Kind, State
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.core.queue import CLEAR_ALL, Policy
from emulator.core.store import Entity
from emulator.devices.bios import Bios
from emulator.stores.memory import MemoryStore

TARGETS = (BIOS, SECOND, THIRD)
EXAMPLES = 150
TIMINGS = Timings()
POLICIES = (
    Policy(max_jobs=8, delete_on_completion_minutes=15),
    Policy(max_jobs=8, delete_on_completion_minutes=15, apply_staged_on_reset=True),
)

Command = Callable[[Machine], object]


def build(clock: Clock, policy: Policy, timings: Timings = TIMINGS) -> Machine:
    devices = [Bios(target, MODEL, timings.bios_step_seconds) for target in TARGETS]
    return Machine("1", clock, devices, timings=timings, policy=policy)


def refused_with(command: Command, machine: Machine) -> Sequence[Message] | None:
    """The messages with which a command is refused; None when it is done."""
    try:
        command(machine)
    except Rejected as refused:
        return refused.messages
    return None


def nth_job(machine: Machine, number: int) -> str:
    ids = list(machine.queue.jobs)
    return ids[number % len(ids)] if ids else "JID_X"


def delete_nth(number: int) -> Command:
    return lambda machine: machine.delete_job(nth_job(machine, number))


def queue_nths(numbers: Sequence[int], start: float | None, length: float | None) -> Command:
    def command(machine: Machine) -> None:
        begin = None if start is None else machine.moment + start
        until = None if length is None else (begin or machine.moment) + length
        machine.setup_queue([nth_job(machine, number) for number in numbers], begin, until)

    return command


def create(target: str, start: float | None, length: float | None, reboot_type: str | None) -> Command:
    def command(machine: Machine) -> None:
        begin = None if start is None else machine.moment + start
        until = None if length is None else (begin or machine.moment) + length
        machine.create_configuration_job(target, "root", start=begin, until=until, reboot_type=reboot_type)

    return command


# -- commands, as data ------------------------------------------------------------------------------------------------

CHANGES: tuple[dict[str, Any], ...] = (
    {"BootMode": "Uefi"},
    {"BootMode": "Bios", "NumLock": False},
    {"SysProfile": "Custom", "ProcPwrPerf": "OsDbpm", "NumCores": 4},
    {"SysProfile": "Perf"},
    {"SysProfile": "Custom", "Turbo": "Off"},
    {"SetupPassword": "Swordfish"},
    {"ProcPwrPerf": "OsDbpm"},
    {"Nope": 1},
)
TARGET = st.sampled_from(TARGETS)
STARTS = st.sampled_from([None, None, -30.0, 0.0, 40.0, 500.0])
LENGTHS = st.sampled_from([None, None, 300.0, 1000.0])
REBOOTS = st.sampled_from(sorted(REBOOT_EVENTS))
RESET_TYPES = st.sampled_from(sorted(RESETS))
NUMBERS = st.integers(0, 7)

COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(lambda target, change: lambda m: m.stage(target, change), TARGET, st.sampled_from(CHANGES)),
    st.builds(
        lambda target, change: lambda m: m.stage_and_create_job(target, change, "root"),
        TARGET,
        st.sampled_from(CHANGES),
    ),
    st.builds(create, TARGET, STARTS, LENGTHS, st.none() | REBOOTS),
    st.builds(lambda kind: lambda m: m.create_reboot_job(kind, "root"), REBOOTS),
    st.builds(queue_nths, st.lists(NUMBERS, min_size=1, max_size=3), STARTS, LENGTHS),
    st.builds(lambda name: lambda m: m.reset(name), RESET_TYPES),
    st.builds(lambda name: lambda m: m.reset(name), st.sampled_from(["ForceRestart", "PowerCycle", "On"])),
    st.builds(delete_nth, NUMBERS),
    st.just(lambda machine: machine.delete_job(CLEAR_ALL)),
    st.builds(lambda target: lambda m: m.clear_pending(target), TARGET),
    st.builds(lambda target: lambda m: m.stage_reset(target), TARGET),
    st.builds(
        lambda target, step, count: lambda m: m.add_fault(target, step, None, count),
        st.sampled_from([BIOS, "*", "host"]),
        st.sampled_from(["BootMode", "SysProfile", "*"]),
        st.sampled_from([1, 2, None]),
    ),
    st.builds(lambda minutes: lambda m: m.set_delete_on_completion_timeout(minutes), st.sampled_from([15, 20, 14])),
)
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
        with suppress(Rejected):
            command(machine)
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
    """Two devices, a window, a fault, an interruption, a retention: something of everything."""
    script: list[tuple[float, Command]] = [
        (0, lambda m: m.stage(BIOS, {"SysProfile": "Custom", "ProcPwrPerf": "OsDbpm", "NumCores": 4})),
        (1, lambda m: m.add_fault(SECOND, "NumLock", None, 1)),
        (1, create(BIOS, 100.0, None, "GracefulRebootWithForcedShutdown")),
        (5, lambda m: m.stage(SECOND, {"BootMode": "Uefi", "NumLock": False})),
        (5, create(SECOND, None, None, None)),
        (400, lambda m: m.stage(THIRD, {"BootMode": "Uefi"})),
        (0, create(THIRD, None, 300.0, None)),
        (400, lambda m: m.stage(BIOS, {"NumCores": 8, "NumLock": False})),
        (1, create(BIOS, None, None, "PowerCycle")),
        (115, lambda m: m.reset("ForceOff")),
        (100, lambda m: m.reset("On")),
        (300, lambda m: m.stage_reset(SECOND)),
        (10, lambda m: m.reset("GracefulRestart")),
        (500, lambda m: m.create_reboot_job("PowerCycle", "root")),
    ]
    return run_script(machine, script, poll)


@pytest.mark.parametrize("policy", POLICIES)
def test_three_hundred_ways_of_polling_give_one_history(policy: Policy) -> None:
    expected = seen(long_story(build(manual_clock(), policy), never_look))
    assert len(expected["devices"][BIOS]["own"]) > 0
    dice = random.Random(20_231_114)  # always the same three hundred
    for attempt in range(300):
        times = dice.choice([0, 1, 2, 5, 20])
        found = seen(long_story(build(manual_clock(), policy), looking(dice, times)))
        assert found == expected, f"attempt {attempt}, polled {times} times between commands"


@settings(max_examples=EXAMPLES, deadline=None)
@given(SCRIPTS, st.sampled_from(POLICIES), st.randoms(use_true_random=False), st.integers(1, 6))
def test_looking_changes_nothing_whatever_was_done(
    script: list[tuple[float, Command]], policy: Policy, dice: random.Random, times: int
) -> None:
    unseen = run_script(build(manual_clock(), policy), script, never_look)
    looked_at = run_script(build(manual_clock(), policy), script, looking(dice, times))
    assert seen(looked_at) == seen(unseen)


# -- stopping ---------------------------------------------------------------------------------------------------------


class Restarting:
    """Stops on the way, and goes on with a new machine from what was saved."""

    def __init__(self, policy: Policy, dice: random.Random, times: int) -> None:
        self.policy = policy
        self.dice = dice
        self.times = times
        self.store = MemoryStore()

    def __call__(self, machine: Machine, seconds: float) -> Machine:
        passed = 0.0
        for at in moments_within(self.dice, seconds, self.times):
            machine.clock.advance(at - passed)
            passed = at
            machine = self.restart(machine, settled=self.dice.random() < 0.5)
        machine.clock.advance(seconds - passed)
        return machine

    def restart(self, machine: Machine, *, settled: bool) -> Machine:
        """With `settled` the stop is at the end of a turn at this very moment, else some time after the last one."""
        if settled:
            machine.settle()
        self.store.save("1", machine.take_changes())
        clock = manual_clock(machine.clock.now())  # as at rate 1, where the world's time goes on by itself
        entities = {entity: plain for entity, plain in self.store.load("1").items() if entity[0] != "clock"}
        again = build(clock, self.policy)
        again.restore(self._shuffled(entities))
        return again

    def _shuffled(self, entities: dict[Entity, Any]) -> dict[Entity, Any]:
        items = sorted(entities.items(), key=lambda item: item[0])  # a database has an order of its own
        if self.dice.random() < 0.5:
            items.reverse()
        return dict(items)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("times", [1, 3])
def test_stopping_at_any_point_and_going_on_from_the_store_gives_the_same_history(policy: Policy, times: int) -> None:
    expected = seen(long_story(build(manual_clock(), policy), never_look))
    dice = random.Random(42 + times)
    for attempt in range(40):
        found = seen(long_story(build(manual_clock(), policy), Restarting(policy, dice, times)))
        assert found == expected, f"attempt {attempt}"


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS, st.sampled_from(POLICIES), st.randoms(use_true_random=False), st.integers(1, 3))
def test_stopping_changes_nothing_whatever_was_done(
    script: list[tuple[float, Command]], policy: Policy, dice: random.Random, times: int
) -> None:
    straight = run_script(build(manual_clock(), policy), script, never_look)
    restarted = run_script(build(manual_clock(), policy), script, Restarting(policy, dice, times))
    assert seen(restarted) == seen(straight)


# -- the law ----------------------------------------------------------------------------------------------------------


class Controller(RuleBasedStateMachine):
    """Any command at any moment; after each one the law holds, and what is stored is what is there."""

    @initialize(policy=st.sampled_from(POLICIES), quick=st.booleans())
    def begin(self, policy: Policy, quick: bool) -> None:
        # things that take no time happen at one moment: that is where orders get mixed up
        self.timings = Timings(0, 0, 0, 0, 0, 0) if quick else TIMINGS
        self.policy = policy
        self.machine = build(manual_clock(), policy, self.timings)
        self.store = MemoryStore()

    @rule(command=COMMANDS)
    def do(self, command: Command) -> None:
        self.machine.settle()
        before = picture(self.machine)
        if (messages := refused_with(command, self.machine)) is not None:
            assert messages
            assert picture(self.machine) == before

    @rule(seconds=st.sampled_from([0.5, 3.0, 15.0, 90.0, 300.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        self.machine.advance(seconds)

    @invariant()
    def the_queue_agrees_with_its_jobs(self) -> None:
        queue = self.machine.queue
        jobs = list(queue.jobs.values())
        for kind in Kind:
            assert [job for job in jobs if job.kind is kind and job.state is State.RUNNING] == [
                job for job in [queue.running(kind)] if job
            ]
        holders = [job for job in jobs if job.kind is Kind.CONFIGURATION and job.is_open]
        assert len({job.target for job in holders}) == len(holders)
        assert all(queue.open_job_on(job.target) is job for job in holders)
        assert len(queue._open) == sum(job.is_open for job in jobs)
        ended = sorted(job_id for _, _, job_id in queue._ended if job_id in queue.jobs)
        assert ended == sorted(job.id for job in jobs if not job.is_open)
        assert len(jobs) <= self.policy.max_jobs

    @invariant()
    def every_history_keeps_the_law_and_goes_forward(self) -> None:
        for job in self.machine.queue.jobs.values():
            state, latest = State.NEW, job.created_at
            for moment in job.history:
                state = TRANSITIONS[state, Event(moment.event)]
                assert (state.value, moment.at >= latest) == (moment.state, True)
                latest = moment.at
            assert state is job.state
            assert latest <= self.machine.moment
            assert (len(job.outcomes) == len(job.steps)) or job.state not in FINISHED or job.started_at is None

    @invariant()
    def what_is_planned_has_a_subject_and_is_still_to_come(self) -> None:
        for entry in self.machine.timeline:
            if entry.what in ("step", "until", "start", "validated"):
                assert self.machine.queue.jobs[entry.about].is_open
        if self.machine.queue.running(Kind.CONFIGURATION):
            assert self.machine.next_due() is not None

    @invariant()
    def what_is_pending_belongs_to_somebody(self) -> None:
        for target, pending in self.machine.pending.items():
            assert pending.values or pending.reset, target

    @invariant()
    def a_machine_from_the_store_is_this_machine(self) -> None:
        self.store.save("1", self.machine.take_changes())
        items = list(self.store.load("1").items())
        for entities in (items, items[::-1], sorted(items, key=lambda item: item[0])):
            again = build(manual_clock(), self.policy, self.timings)
            again.restore(dict(entities))
            assert picture(again) == picture(self.machine)
            assert list(again.take_changes()) == []


def test_no_sequence_of_commands_leaves_the_law() -> None:
    run_state_machine_as_test(
        Controller,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=40, deadline=None, print_blob=False),
    )
