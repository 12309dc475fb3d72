"""Whatever is done to a storage controller, whatever befalls it, in whatever order: its laws hold."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any

import orjson
import pytest
from bios_examples import AT
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from raid_examples import GIB, Operation, create, do, drive, op, operations, raid

from emulator.core.device import OPERATIONS, check
from emulator.core.job import Outcome, Step
from emulator.core.message import Rejected
from emulator.devices.raid import Raid
from emulator.devices.raid.layout import NO_LEVEL, Condition, Volume, Work
from emulator.devices.raid.undo import undone

SEARCH = "JOBFISH_TEST_SEARCH" in os.environ
EXAMPLES, STEPS = (3000, 50) if SEARCH else (150, 40)
"""Each run tries the same sequences; with JOBFISH_TEST_SEARCH set, each run tries others, and more."""
PHASES = (
    Phase.explicit,
    Phase.reuse,
    Phase.generate,
    *(() if "JOBFISH_TEST_SEARCH" in os.environ else (Phase.shrink,)),
)

DRIVES = (
    *(drive(name) for name in "abcdefgh"),
    *(drive(name, 150) for name in "ij"),
    drive("k", 60),
    drive("l", media="HDD"),
    drive("m", securable=False, erasures=("Overwrite",)),
)
SETUPS: tuple[tuple[Operation, ...], ...] = (
    (),
    (create("RAID1", "ab"), create("RAID5", "cde"), op("AssignSpare", "f"), op("AssignSpare", "i")),
    (create("RAID6", "abcde", CapacityBytes=90 * GIB), create("RAID6", "abcde"), op("AssignSpare", "f", Volumes=["1"])),
    (create("RAID10", "abcd", CapacityBytes=90 * GIB), create("RAID10", "badc"), op("AssignSpare", "e")),
    (create("RAID50", "abcdef"), create("RAID0", "g"), op("AssignSpare", "h"), op("AssignSpare", "j")),
    (
        op("SetControllerKey", Key="Swordfish-1", Keyid="k"),
        create("RAID5", "abc", Encrypted=True),
        op("AssignSpare", "m"),
    ),
    (create("RAID1", "ab", CapacityBytes=10 * GIB, WriteCachePolicy="WriteThrough"), create("RAID1", "ba")),
)
EVENT_NAMES = ("DriveFailure", "DriveRemoved", "DriveRemoved", "DriveInserted", "DriveInserted", "DriveReplaced")
FAULT_TOLERANCE = {"RAID0": 0, "RAID1": 1, "RAID5": 1, "RAID6": 2, "RAID10": 1, "RAID50": 1, "RAID60": 2, NO_LEVEL: 0}


def expected_status(device: Raid, volume: Volume) -> str:
    """By itself: which drives are lost, and whether each group bears that."""
    lost = set(volume.stale)
    for name in volume.drives:
        disk = device.layout.disks[name]
        if disk.condition is not Condition.PRESENT or disk.is_offline or disk.carries:
            lost.add(name)
    length = 2 if volume.level in ("RAID1", "RAID10") else max(1, len(volume.drives) // volume.spans)
    groups = [volume.drives[at : at + length] for at in range(0, len(volume.drives), length)]
    if any(len(lost & set(group)) > FAULT_TOLERANCE[volume.level] for group in groups):
        return "Failed"
    return "Degraded" if lost else "OK"


def expected_capacity(volume: Volume) -> int:
    """By itself: all of the drives, without what holds the same twice or parity."""
    number = len(volume.drives)
    data = {
        "RAID0": number,
        "RAID1": 1,
        "RAID5": number - 1,
        "RAID6": number - 2,
        "RAID10": number // 2,
        "RAID50": number - volume.spans,
        "RAID60": number - 2 * volume.spans,
    }
    return data[volume.level] * volume.extent


class Story(RuleBasedStateMachine):
    """One controller, and a job that is doing steps on it."""

    @initialize(setup=st.sampled_from(SETUPS))
    def begin(self, setup: Sequence[Operation]) -> None:
        self.device = raid(*DRIVES)
        do(self.device, *setup)
        self.now = AT
        self.done: list[tuple[Step, Outcome, Any]] = []
        """The steps of the job, each with all that was there before."""
        self.quiet = 0
        """Since so many of them, the last ones, nothing has happened."""
        self.is_torn = False
        """Whether a step was taken back after something had happened to what it changed."""

    # -- what is done -------------------------------------------------------------------------------------------------

    @rule(data=st.data(), number=st.sampled_from([1, 1, 2]))
    def operate(self, data: st.DataObject, number: int) -> None:
        """A job plans its steps one on top of the other, and what is planned can be done."""
        change = data.draw(st.lists(operations(self.device), min_size=number, max_size=number))
        before = self.kept()
        steps: tuple[Step, ...] = ()
        with suppress(Rejected):
            steps = self.device.plan(check(self.device, {OPERATIONS: change}))
        assert self.kept() == before
        assert "Swordfish" not in str(steps)
        for step in steps:
            self.apply(step)

    @rule(data=st.data())
    def operate_as_planned_before(self, data: st.DataObject) -> None:
        """A step comes to its turn when things are no longer as they were: it is done, or fails and changes nothing."""
        change = data.draw(operations(self.device))
        ((name, subject, given),) = check(self.device, {OPERATIONS: [change]})[OPERATIONS]  # type: ignore[misc]
        before = self.kept()
        step = Step(self.device.id, name, subject or "9", given, 30.0)
        outcome = self.device.apply(step, self.now)
        if not outcome.ok:
            assert outcome.message is not None
            assert (self.kept(), outcome.before) == (before, {})
        else:
            self.remember(step, outcome, before)

    @precondition(lambda self: self.done)
    @rule()
    def take_a_step_back(self) -> None:
        step, outcome, before = self.done.pop()
        self.device.undo(step, orjson.loads(orjson.dumps(outcome.before)))
        if self.quiet:
            assert self.kept() == before
            self.quiet -= 1
        else:
            self.is_torn = True

    @precondition(lambda self: self.done)
    @rule()
    def take_all_back(self) -> None:
        while self.done:
            self.take_a_step_back()

    @rule()
    def begin_another_job(self) -> None:
        self.done, self.quiet = [], 0

    @rule(event=st.sampled_from(EVENT_NAMES), number=st.integers(0, 12), used=st.booleans())
    def befall(self, event: str, number: int, used: bool) -> None:
        parts = self.device.events()[event]
        if used:
            parts = [part for part in parts if self.device.layout.volumes_on(part)] or parts
        if parts:
            self.quiet = 0
            assert self.device.befall(event, parts[number % len(parts)], self.now)

    @rule(component=st.sampled_from(["CryptographicErasePD", "OverwritePD", "PERCNVCache"]), really=st.integers(0, 3))
    def erase_the_system(self, component: str, really: int) -> None:
        if not really:
            self.quiet, self.is_torn = 0, True
            assert self.device.erase(component, self.now) in (True, False)

    @rule(seconds=st.sampled_from([0.0, 5.0, 60.0, 200.0, 100_000.0]))
    def let_pass(self, seconds: float) -> None:
        self.now += seconds
        while (due := self.device.next_due()) is not None and due <= self.now:
            self.quiet = 0
            before = len(self.device.layout.works)
            assert self.device.happen(due)
            assert len(self.device.layout.works) < before

    @rule()
    def stop_and_go_on(self) -> None:
        saved = orjson.dumps(self.device.snapshot())
        again = raid(*DRIVES)
        again.restore(orjson.loads(saved))
        assert again.layout == self.device.layout
        assert list(again.layout.volumes) == list(self.device.layout.volumes)
        self.device = again

    # -- how ----------------------------------------------------------------------------------------------------------

    def apply(self, step: Step) -> None:
        before = self.kept()
        outcome = self.device.apply(step, self.now)
        assert outcome.ok, (step, outcome)
        self.remember(step, outcome, before)

    def remember(self, step: Step, outcome: Outcome, before: Any) -> None:
        assert outcome.at == self.now
        self.done.append((step, outcome, before))
        self.quiet += 1

    def kept(self) -> Any:
        return orjson.loads(orjson.dumps(self.device.snapshot()))

    # -- what holds ---------------------------------------------------------------------------------------------------

    @invariant()
    def no_extent_is_used_twice_and_none_goes_beyond_its_drive(self) -> None:
        layout, model = self.device.layout, self.device.model
        for name in model.drives:
            extents = [(volume.start, volume.end, volume.id) for volume in layout.volumes_on(name)]
            for work in layout.works:
                if work.becomes is not None and name in work.becomes.drives:
                    extents = [extent for extent in extents if extent[2] != work.subject]
                    extents.append((work.becomes.start, work.becomes.end, work.subject))
            assert all(0 <= start < end <= model.drives[name].usable for start, end, _ in extents), name
            for (start, end, _), (other, other_end, _) in combinations(extents, 2):
                assert end <= other or other_end <= start, name
            free = layout.gaps([model.drives[name]])
            used = sum(end - start for start, end, _ in extents)
            assert sum(end - start for start, end in free) == model.drives[name].usable - used

    @invariant()
    def volumes_are_what_the_arithmetic_says(self) -> None:
        layout, model = self.device.layout, self.device.model
        for volume_id, volume in layout.volumes.items():
            assert volume.id == volume_id
            assert set(volume.drives) <= set(model.drives)
            assert len(set(volume.drives)) == len(volume.drives)
            assert set(volume.stale) <= set(volume.drives)
            assert volume.capacity == expected_capacity(volume)
            assert layout.status(volume) == expected_status(self.device, volume)
            assert not volume.is_encrypted or layout.has_key()
            assert not volume.is_encrypted or all(model.drives[name].securable for name in volume.drives)
            kinds = {(model.drives[name].media, model.drives[name].protocol) for name in volume.drives}
            assert len(kinds) == 1
        assert max(Counter(volume.serial for volume in layout.volumes.values()).values(), default=0) <= 1

    @invariant()
    def a_drive_is_one_thing_at_a_time(self) -> None:
        layout = self.device.layout
        for name, disk in layout.disks.items():
            volumes = layout.volumes_on(name)
            uses = [bool(volumes), disk.is_spare, not disk.is_raid]
            assert sum(uses) <= 1, (name, disk)
            assert not disk.is_spare or disk.works
            assert set(disk.spare_for) <= set(layout.volumes)
            assert len({volume.level for volume in volumes}) <= 1
            together = [set(volume.drives) for volume in volumes]
            assert self.is_torn or all(one == other for one, other in combinations(together, 2))
        assert set(layout.preserved) <= set(layout.volumes)
        assert layout.boot_volume in ("", *layout.volumes)

    @invariant()
    def no_work_outlives_what_it_is_about(self) -> None:
        layout = self.device.layout
        assert (self.device.next_due() is None) is (not layout.works)
        assert max(Counter((work.operation, work.subject) for work in layout.works).values(), default=0) <= 1
        for work in layout.works:
            assert self.is_about_something(work), work
            assert 0 <= work.percent(self.now) <= 99
        wanted = [name for work in layout.works for name in self.claims(work)]
        assert len(wanted) == len(set(wanted))
        assert not any(layout.volumes_on(name) for name in wanted)

    def claims(self, work: Work) -> list[str]:
        """The drives that a work will give to a volume."""
        members = self.device.layout.volumes[work.subject].drives if work.becomes else ()
        added = [name for name in work.becomes.drives if name not in members] if work.becomes else []
        return [*added, *([work.drive] if work.drive else [])]

    def is_about_something(self, work: Work) -> bool:
        layout = self.device.layout
        if work.operation == "PatrolRead":
            return True
        claimed_work = all(layout.disks[name].works for name in self.claims(work))
        if work.operation in ("Initialize", "CheckConsistency", "Resize", "ChangeRAIDType"):
            return claimed_work and expected_status(self.device, layout.volumes[work.subject]) != "Failed"
        volumes = layout.volumes_on(work.subject)
        if work.operation == "Sanitize":
            return layout.disks[work.subject].works and all(work.subject in volume.stale for volume in volumes)
        waits = any(work.subject in volume.stale for volume in volumes)
        return (
            layout.disks[work.subject].works
            and bool(volumes)
            and claimed_work
            and waits is (work.operation == "Rebuild")
        )

    @invariant()
    def nothing_is_undone_by_undoing_nothing(self) -> None:
        """There is nothing in a layout that undoing would have to put in order."""
        nothing = {"volumes": {}, "disks": {}, "begun": [], "ended": [], "works": [], "rest": {}, "generations": {}}
        assert (
            undone(self.device.model, self.device.layout, {**nothing, "order": list(self.device.layout.volumes)})
            == self.device.layout
        )


@pytest.mark.timeout(1800 if SEARCH else 180)
def test_no_sequence_of_operations_and_events_breaks_the_laws() -> None:
    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, phases=PHASES, derandomize=not SEARCH
        ),
    )
