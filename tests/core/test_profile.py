"""Server configuration profiles: exported, previewed and imported by jobs, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from core_world import (
    BIOS,
    BOOT,
    CARD,
    DELIVERED,
    GRACEFUL,
    NIC,
    OFF,
    POST,
    POWER_CYCLE,
    RAID,
    SECOND,
    SHUTDOWN,
    START,
    STEP,
    VALIDATE,
    ends,
    moments,
    new_machine,
    package,
    picture,
    queued_job,
    queued_reboot,
    refused_whole,
    staged_job,
    until,
)

from emulator.core.device import LIST, Attribute, Device, Value
from emulator.core.host import Phase, Timings
from emulator.core.job import Job, Kind, Lane, Outcome, State, Step
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.part import Part, Planned, Told, Wanted
from emulator.core.policy import Policy
from emulator.core.profile import (
    Import,
    Setting,
    components_of,
    export_profile,
    fetch_and_import,
    import_profile,
)
from emulator.core.update import Request, update_from_package

COMPARE = 5.0
"""How long it takes to read or compare one device."""
UP = COMPARE + SHUTDOWN + OFF + POST
"""When an import applies its values, if the host shuts down as it is asked to."""
WAIT = 300.0
"""How long an import waits for the host to shut down, where nobody says otherwise."""
URI = "http://server/profile.json"
SECRET = "Sword" + "fish"


@pytest.fixture
def machine() -> Machine:
    return new_machine(targets=(BIOS, NIC, RAID), firmware=True)


def settings(device: str = BIOS, **values: str) -> list[Setting]:
    return [Setting(device, name, value) for name, value in values.items()]


CHANGES = settings(BootMode="Uefi", NumLock="False", NumCores="4")
SAME = settings(BootMode="Bios", NumLock="True", NumCores="0", AssetTag="")
BAD = settings(BootMode="Both", Nope="1", Firmware="2.0")


def start_import(machine: Machine, what: list[Setting], **wanted: Any) -> Job:
    return import_profile(machine, Import("root", **wanted), what)


def results(job: Job) -> list[tuple[str, str, str, str | None]]:
    """Attribute, old value, new value, and the message of one that was not applied."""
    return [(name, old, new, message and message["key"]) for _, name, old, new, message in job.details["results"]]


def own(machine: Machine) -> dict[str, Any]:
    """What differs from what was delivered, by device."""
    return {key: device.snapshot()["own"] for key, device in machine.devices.items() if device.snapshot()["own"]}


# -- export -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("targets", "devices"),
    [
        (("ALL",), [BIOS, NIC, RAID]),
        (("BIOS",), [BIOS]),
        (("NIC", "RAID"), [NIC, RAID]),
        ((RAID,), [RAID]),
        (("BIOS", "Nope"), [BIOS]),
    ],
)
def test_an_export_reads_one_device_after_the_other_and_keeps_what_it_found(
    machine: Machine, targets: tuple[str, ...], devices: list[str]
) -> None:
    job = export_profile(machine, "root", targets, "JSON")
    assert (job.kind, job.lane, job.state) == (Kind.EXPORT, Lane.LIVE, State.RUNNING)
    assert job.message == job.says("ProfileExporting")
    before = {key: device.snapshot() for key, device in machine.devices.items()}
    until(machine, COMPARE * len(devices) - 0.001)
    assert (job.state, "content" in job.details) == (State.RUNNING, False)
    until(machine, COMPARE * len(devices))
    assert ends(job) == (State.COMPLETED, "ProfileExported", COMPARE * len(devices))
    assert [device for device, *_ in job.details["content"]] == devices
    assert {key: device.snapshot() for key, device in machine.devices.items()} == before
    assert machine.host.phase is Phase.RUNNING


def test_a_profile_has_every_value_as_text_says_what_can_be_imported_and_tells_no_password(machine: Machine) -> None:
    job = export_profile(machine, "root", ("BIOS",), "JSON")
    until(machine, COMPARE)
    ((_, content, _),) = job.details["content"]
    shown = {name: (value, writable) for name, value, writable in content}
    assert set(shown) == set(DELIVERED) - {"SetupPassword"}
    assert shown["NumLock"] == ("True", True)
    assert shown["NumCores"] == ("0", True)
    assert shown["BootMode"] == ("Bios", True)
    assert shown["Firmware"] == ("1.0", False)


def test_it_shows_what_was_there_when_the_export_ended(machine: Machine) -> None:
    """Not what was there when somebody fetches it."""
    exported = export_profile(machine, "root", ("BIOS",), "JSON")
    until(machine, COMPARE)
    queued_job(machine, BIOS, BootMode="Uefi")
    machine.reset("ForceRestart")
    until(machine, 1000)
    assert ["BootMode", "Bios", True] in exported.details["content"][0][1]
    assert ("BootMode", "Uefi", True) in components_of(machine, ("BIOS",))[0][1]


def test_an_exported_profile_changes_nothing_when_it_is_imported(machine: Machine) -> None:
    queued_job(machine, BIOS, SysProfile="Custom", ProcPwrPerf="OsDbpm", NumCores=4)
    machine.reset("ForceRestart")
    until(machine, 1000)
    exported = components_of(machine, ("ALL",))
    again = [
        Setting(device, name, value) for device, found, _ in exported for name, value, writable in found if writable
    ]
    job = start_import(machine, again)
    until(machine, 2000)
    assert (job.state, job.message, results(job)) == (State.COMPLETED, job.says("ProfileChangesNothing"), [])


@pytest.mark.parametrize("works", [True, False])
def test_an_export_to_a_share_ends_when_it_has_been_sent(machine: Machine, works: bool) -> None:
    credentials = ("anonymous", SECRET)
    job = export_profile(machine, "root", ("BIOS",), "XML", uri=URI, credentials=credentials)
    assert (machine.transfers, machine.secrets) == ({}, {job.id: credentials})
    until(machine, COMPARE)
    transfer = machine.transfers[job.id]
    assert (transfer.uri, transfer.purpose, transfer.credentials) == (URI, "export", credentials)
    assert machine.secrets == {}
    until(machine, 100)
    assert (job.state, job.details["layout"]) == (State.RUNNING, "XML")
    if works:
        machine.transfer_done(job.id, 1, {})
        assert ends(job) == (State.COMPLETED, "ProfileExported", 100)
    else:
        machine.transfer_failed(job.id, 1, "nobody answers")
        assert job.state is State.FAILED
        assert job.message == Message("ProfileTransferFailed", (job.id, "nobody answers"))
    assert machine.transfers == {}
    assert SECRET not in repr([plain for _, plain in machine.take_changes()])


@pytest.mark.parametrize("how", ["sent", "not sent", "taken back"])
def test_what_waited_for_an_export_to_be_sent_has_its_turn_then(machine: Machine, how: str) -> None:
    job = export_profile(machine, "root", ("BIOS",), "JSON", uri=URI)
    waiting = update_from_package(machine, Request("root"), package(CARD, "22.0"))
    until(machine, 100)
    assert waiting.state is State.SCHEDULED
    if how == "sent":
        machine.transfer_done(job.id, 1, {})
    elif how == "not sent":
        machine.transfer_failed(job.id, 1, "nobody answers")
    else:
        machine.delete_job(job.id)
    assert (waiting.state, waiting.started_at) == (State.RUNNING, START + 100)


def test_an_export_without_credentials_keeps_none(machine: Machine) -> None:
    job = export_profile(machine, "root", ("BIOS",), "XML", uri=URI)
    assert (machine.secrets, "has_credentials" in job.details) == ({}, False)
    until(machine, COMPARE)
    assert machine.transfers[job.id].credentials is None


def test_the_credentials_of_an_export_that_is_taken_back_are_forgotten(machine: Machine) -> None:
    job = export_profile(machine, "root", ("BIOS",), "XML", uri=URI, credentials=("anonymous", SECRET))
    machine.delete_job(job.id)
    assert (machine.secrets, machine.transfers, list(machine.timeline)) == ({}, {}, [])


# -- import: how it ends ----------------------------------------------------------------------------------------------

MADE = {"BootMode": "Uefi", "NumLock": False, "NumCores": 4}
LATER = UP + 3 * STEP
DONE = [("BootMode", "Bios", "Uefi", None), ("NumLock", "True", "False", None), ("NumCores", "0", "4", None)]
REFUSED = [
    ("BootMode", "Bios", "Both", "PropertyValueNotInList"),
    ("Nope", "", "1", "PropertyUnknown"),
    ("Firmware", "1.0", "2.0", "PropertyNotWritable"),
]
OTHERS = settings(NIC, NumLock="False")
ENDS: dict[str, tuple[list[Setting], dict[str, Any], tuple[State, str, float], dict[str, Any], list[Any]]] = {
    # what, what is wanted, the job's end, what has changed, what became of each attribute
    "some changes": (CHANGES, {}, (State.COMPLETED, "ProfileImported", LATER), {BIOS: MADE}, DONE),
    "nothing": ([], {}, (State.COMPLETED, "ProfileChangesNothing", COMPARE), {}, []),
    "what is so already": (SAME, {}, (State.COMPLETED, "ProfileChangesNothing", COMPARE), {}, []),
    "some changes and some that cannot be made": (
        CHANGES[1:] + BAD,
        {},
        (State.COMPLETED_WITH_ERRORS, "ProfileImportedWithErrors", UP + 2 * STEP),
        {BIOS: {"NumLock": False, "NumCores": 4}},
        REFUSED + DONE[1:],
    ),
    "only what cannot be made": (BAD, {}, (State.FAILED, "ProfileImportFailed", COMPARE), {}, REFUSED),
    "a change that another attribute forbids": (
        settings(ProcPwrPerf="OsDbpm", NumLock="False"),
        {},
        (State.COMPLETED_WITH_ERRORS, "ProfileImportedWithErrors", UP + STEP),
        {BIOS: {"NumLock": False}},
        [("ProcPwrPerf", "MaxPerf", "OsDbpm", "PropertyDependency"), DONE[1]],
    ),
    "a change that another change allows": (
        settings(ProcPwrPerf="OsDbpm", SysProfile="Custom"),
        {},
        (State.COMPLETED, "ProfileImported", UP + 2 * STEP),
        {BIOS: {"SysProfile": "Custom", "Turbo": "On", "ProcPwrPerf": "OsDbpm"}},
        [("SysProfile", "Perf", "Custom", None), ("ProcPwrPerf", "MaxPerf", "OsDbpm", None)],
    ),
    "changes of several devices": (
        CHANGES[:1] + OTHERS,
        {},
        (State.COMPLETED, "ProfileImported", UP + 2 * STEP),
        {BIOS: {"BootMode": "Uefi"}, NIC: {"NumLock": False}},
        [DONE[0], DONE[1]],
    ),
    "changes of devices of which only one is wanted": (
        CHANGES[:1] + OTHERS,
        {"targets": ("NIC",)},
        (State.COMPLETED, "ProfileImported", UP + STEP),
        {NIC: {"NumLock": False}},
        [DONE[1]],
    ),
    "a device that is not there": (
        settings("FC.Slot.1-1", Speed="16"),
        {},
        (State.FAILED, "ProfileImportFailed", COMPARE),
        {},
        [("Speed", "", "16", "ProfileNoSuchDevice")],
    ),
    "a device that is not there and that nobody wanted": (
        settings("FC.Slot.1-1", Speed="16"),
        {"targets": ("BIOS",)},
        (State.COMPLETED, "ProfileChangesNothing", COMPARE),
        {},
        [],
    ),
    "a value that was given twice": (
        settings(NumCores="8") + settings(NumCores="4"),
        {},
        (State.COMPLETED, "ProfileImported", UP + STEP),
        {BIOS: {"NumCores": 4}},
        [DONE[2]],
    ),
    "text that is no number": (
        settings(NumCores="four"),
        {},
        (State.FAILED, "ProfileImportFailed", COMPARE),
        {},
        [("NumCores", "0", "four", "PropertyValueTypeError")],
    ),
}


@pytest.mark.parametrize("what", ENDS)
@pytest.mark.parametrize("fetched", [False, True])
def test_what_becomes_of_an_import(machine: Machine, what: str, fetched: bool) -> None:
    profile, wanted, ending, changed, told = ENDS[what]
    if fetched:
        job = fetch_and_import(machine, Import("root", **wanted), URI)
        assert (machine.transfers[job.id].purpose, job.state) == ("profile", State.RUNNING)
        machine.transfer_done(job.id, 1, {"settings": [list(setting) for setting in profile]})
    else:
        job = start_import(machine, profile, **wanted)
    assert (job.kind, job.state, job.message) == (Kind.IMPORT, State.RUNNING, job.says("ProfileComparing"))
    until(machine, ending[2] - 0.001)
    assert job.state is State.RUNNING
    until(machine, ending[2])
    assert ends(job) == ending
    assert results(job) == told
    assert own(machine) == changed
    assert (machine.queue._open, machine.pending, machine.transfers) == ({}, {}, {})
    until(machine, 10_000)
    assert machine.host.phase is Phase.RUNNING
    assert (machine.host.last_reset_at is not None) is bool(changed)  # without a change nobody is disturbed


def test_an_import_tells_what_it_is_doing(machine: Machine) -> None:
    job = start_import(machine, CHANGES[:1])
    until(machine, 1000)
    told = [(moment.at - START, moment.message and moment.message.key) for moment in job.history]
    assert told == [
        (0, "ProfileComparing"),
        (COMPARE, None),
        (COMPARE, "ProfileWaitingForShutdown"),
        (UP, "ProfileApplying"),
        (UP + STEP, None),
        (UP + STEP, "ProfileImported"),
    ]


@pytest.mark.parametrize(
    ("rule", "state", "says"),
    [
        ("NumLock", State.COMPLETED_WITH_ERRORS, "ProfileImportedWithErrors"),
        ("[!c]*", State.FAILED, "ProfileImportFailed"),
    ],
)
def test_planned_faults_fail_the_attributes_of_an_import_like_those_of_a_job(
    machine: Machine, rule: str, state: State, says: str
) -> None:
    machine.add_fault(BIOS, rule, "BIOS014", None)
    job = start_import(machine, CHANGES)
    until(machine, 1000)
    assert ends(job) == (state, says, LATER)
    failed = [name for name, _, _, message in results(job) if message]
    assert failed == (["NumLock"] if rule == "NumLock" else list(MADE))
    assert own(machine).get(BIOS, {}) == {name: value for name, value in MADE.items() if name not in failed}


@pytest.mark.parametrize("arrives", [{"error": "It is no profile."}, None])
def test_a_profile_that_does_not_arrive_or_cannot_be_read_fails_the_job(machine: Machine, arrives: Any) -> None:
    job = fetch_and_import(machine, Import("root"), URI)
    if arrives:
        machine.transfer_done(job.id, 1, arrives)
    else:
        machine.transfer_failed(job.id, 1, "It is no profile.")
    assert (job.state, job.message) == (State.FAILED, Message("ProfileTransferFailed", (job.id, "It is no profile.")))
    assert (machine.queue._open, machine.transfers, own(machine)) == ({}, {}, {})


def test_no_password_is_told_whatever_becomes_of_it(machine: Machine) -> None:
    for text in (SECRET, SECRET + "2", "abc"):  # set, set anew, too short
        job = start_import(machine, settings(SetupPassword=text, NumLock="False"))
        machine.advance(1000)
        assert ("SetupPassword", "******") in [(name, new) for name, _, new, _ in results(job)]
        told = [old for name, old, _, _ in results(job) if name == "SetupPassword"]
        assert told in ([""], ["******"])
        assert text not in repr(job.details)
    job = start_import(machine, settings("FC.Slot.1-1", AdminPassword=SECRET))
    machine.advance(1000)
    assert SECRET not in repr([plain for _, plain in machine.take_changes()])


# -- devices with parts -----------------------------------------------------------------------------------------------

SHELF, BOOK = "Shelf.1", "Book.1:Shelf.1"


class Shelf(Device):
    """A device with a part, that knows by itself what brings it to a profile: whatever is good, each by a step."""

    def __init__(self) -> None:
        self.id, self.kind = SHELF, "raid"
        self.title = "Old"
        self.asked: Any = None

    def describe(self) -> Mapping[str, Attribute]:
        return {"Height": Attribute("Height", "Integer")}

    def read(self) -> Mapping[str, Value]:
        return {"Height": 7}

    def profile(self) -> Part:
        titles = {"Title": Attribute("Title", "String"), "Tags": Attribute("Tags", LIST, immutable=True)}
        return Part(
            self.id, self.describe(), self.read(), (Part(BOOK, titles, {"Title": self.title, "Tags": ["a", "b"]}),)
        )

    def plan_profile(self, wanted: Wanted) -> list[Planned]:
        self.asked = wanted
        return [
            Planned(
                (Told(part, name, "old", text),),
                Message("PropertyUnknown", (name,)) if text == "bad" else Step(self.id, "print", name, text, 7.0),
            )
            for part, texts in wanted.items()
            for name, text in texts.items()
        ]

    def plan(self, change: Mapping[str, Value]) -> tuple[Step, ...]:
        return ()

    def apply(self, step: Step, at: float) -> Outcome:
        self.title = str(step.value)
        return Outcome(step.value != "worse", at, {"was": "x"})

    def undo(self, step: Step, before: Mapping[str, Any]) -> None:
        self.title = "Old"

    def snapshot(self) -> dict[str, Any]:
        return {"own": {}}

    def restore(self, saved: Mapping[str, Any]) -> None:
        return


@pytest.fixture
def shelf(machine: Machine) -> Shelf:
    machine.devices[SHELF] = Shelf()
    return machine.devices[SHELF]


def test_an_export_shows_the_parts_of_a_device(machine: Machine, shelf: Shelf) -> None:
    job = export_profile(machine, "root", (SHELF,), "JSON")
    until(machine, COMPARE)
    assert job.details["content"] == [
        [SHELF, [["Height", "7", True]], [[BOOK, [["Title", "Old", True], ["Tags", ["a", "b"], False]], []]]]
    ]


SAID = [Setting(SHELF, "Height", "8"), Setting(SHELF, "Title", "bad", BOOK), Setting(SHELF, "Tags", ["c"], BOOK)]


def test_a_device_is_asked_for_what_brings_it_to_a_profile(machine: Machine, shelf: Shelf) -> None:
    job = start_import(machine, SAID)
    assert shelf.asked == {SHELF: {"Height": "8"}, BOOK: {"Title": "bad", "Tags": ["c"]}}
    assert machine.queue.open_job_on(SHELF) is job
    until(machine, 10_000)
    assert ends(job) == (State.COMPLETED_WITH_ERRORS, "ProfileImportedWithErrors", UP + 2 * 7)
    assert job.details["results"] == [
        [BOOK, "Title", "old", "bad", {"key": "PropertyUnknown", "args": ["Title"]}],
        [SHELF, "Height", "old", "8", None],
        [BOOK, "Tags", "old", ["c"], None],
    ]


def test_what_cannot_be_done_after_all_is_told_for_every_setting(machine: Machine, shelf: Shelf) -> None:
    job = start_import(machine, [Setting(SHELF, "Title", "worse", BOOK)])
    until(machine, 10_000)
    assert job.state is State.FAILED
    assert job.details["results"] == [[BOOK, "Title", "old", "worse", {"key": "StepFailed", "args": ["Title"]}]]


@pytest.mark.parametrize("how", [{"preview": True}, {"shutdown": "NoReboot"}])
def test_without_doing_it_the_same_is_told(machine: Machine, shelf: Shelf, how: dict[str, Any]) -> None:
    job = start_import(machine, SAID, **how)
    until(machine, 10_000)
    assert [result[:2] for result in job.details["results"]] == [[BOOK, "Title"], [SHELF, "Height"], [BOOK, "Tags"]]
    assert shelf.title == "Old"


@pytest.mark.parametrize("device", [BIOS, "Nope.1"])
def test_parts_of_what_has_none(machine: Machine, device: str) -> None:
    job = start_import(machine, [Setting(device, "Title", "x", "Part.1"), *settings(NumLock="False")])
    until(machine, 10_000)
    assert job.state is State.COMPLETED_WITH_ERRORS
    assert ("Title", "", "x", "ProfileNoSuchDevice") in results(job)


# -- import: the host -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "bring", "up"),
    [
        (Phase.RUNNING, [], UP),
        (Phase.OFF, [("ForceOff", 0)], COMPARE + POST),  # it is started
        (Phase.GAP, [("PowerCycle", 0)], UP),  # it is in POST when the comparison is over, and shuts down from there
        (Phase.BOOTING, [("ForceRestart", POST)], POST + UP),
        (Phase.STOPPING, [("GracefulShutdown", 0)], UP),  # the last word on coming up again counts
    ],
)
def test_an_import_brings_the_host_to_where_values_can_be_applied(
    machine: Machine, phase: Phase, bring: list[tuple[str, float]], up: float
) -> None:
    for reset_type, seconds in bring:
        machine.reset(reset_type)
        machine.advance(seconds)
    assert machine.host.phase is phase
    job = start_import(machine, CHANGES[:1])
    until(machine, 10_000)
    applied = next(at for at, _ in moments(job)[::-1] if at < (job.ended_at or 0) - START)
    assert (job.state, applied) == (State.COMPLETED, up)
    assert machine.host.phase is Phase.RUNNING


def test_a_host_that_comes_to_its_tasks_while_profiles_are_compared_waits_there_and_needs_no_restart() -> None:
    machine = new_machine(timings=Timings(profile_step_seconds=100))
    job = start_import(machine, CHANGES[:1])
    machine.reset("ForceRestart")
    until(machine, 99)
    assert (machine.host.phase, job.state) == (Phase.TASKS, State.RUNNING)
    until(machine, 100)
    assert job.message == job.says("ProfileApplying")
    until(machine, 100 + STEP)
    assert ends(job) == (State.COMPLETED, "ProfileImported", 100 + STEP)
    assert machine.host.last_reset_at == START


@pytest.mark.parametrize("reset_type", ["ForceRestart", "PowerCycle", "GracefulShutdown", "ForceOff"])
@pytest.mark.parametrize("fetched", [False, True])
def test_a_host_that_leaves_its_tasks_while_profiles_are_fetched_or_compared_does_not_disturb(
    reset_type: str, fetched: bool
) -> None:
    machine = new_machine(timings=Timings(profile_step_seconds=200))
    job = fetch_and_import(machine, Import("root"), URI) if fetched else start_import(machine, CHANGES)
    machine.reset("ForceRestart")
    until(machine, POST + 1)
    assert machine.host.phase is Phase.TASKS
    machine.reset(reset_type)
    assert job.state is State.RUNNING
    if fetched:
        until(machine, POST + 500)
        machine.transfer_done(job.id, 1, {"settings": [list(setting) for setting in CHANGES]})
    until(machine, 10_000)
    assert (job.state, job.message) == (State.COMPLETED, job.says("ProfileImported"))
    assert own(machine) == {BIOS: MADE}


def test_by_force_the_host_is_not_asked() -> None:
    machine = new_machine(host_ignores_shutdown=True)
    job = start_import(machine, CHANGES[:1], shutdown="Forced")
    until(machine, COMPARE)
    assert machine.host.phase is Phase.GAP
    until(machine, 10_000)
    assert ends(job) == (State.COMPLETED, "ProfileImported", COMPARE + OFF + POST + STEP)


@pytest.mark.parametrize("wait", [300, 1000])
@pytest.mark.parametrize("ignored", [True, False])
def test_a_host_that_does_not_shut_down_in_time_fails_the_import_and_nothing_is_applied(
    wait: int, ignored: bool
) -> None:
    timings = Timings() if ignored else Timings(shutdown_seconds=2000)
    machine = new_machine(timings=timings, host_ignores_shutdown=ignored)
    job = start_import(machine, CHANGES, wait_seconds=wait)
    until(machine, COMPARE + wait - 0.001)
    assert (job.state, job.message) == (State.RUNNING, job.says("ProfileWaitingForShutdown"))
    until(machine, COMPARE + wait)
    assert ends(job) == (State.FAILED, "ProfileShutdownTimedOut", COMPARE + wait)
    assert (own(machine), machine.queue._open) == ({}, {})
    until(machine, 10_000)
    assert machine.host.phase is (Phase.RUNNING if ignored else Phase.OFF)
    machine.stage(BIOS, {"NumLock": False})


def test_a_host_that_ignored_the_import_and_is_then_restarted_by_somebody_will_do() -> None:
    machine = new_machine(host_ignores_shutdown=True)
    job = start_import(machine, CHANGES[:1])
    until(machine, 100)
    machine.reset("ForceRestart")
    until(machine, 10_000)
    assert ends(job) == (State.COMPLETED, "ProfileImported", 100 + POST + STEP)


@pytest.mark.parametrize("reset_type", ["ForceOff", "GracefulShutdown"])
def test_a_host_that_somebody_turns_off_while_the_import_waits_for_it_is_started_again(
    machine: Machine, reset_type: str
) -> None:
    job = start_import(machine, CHANGES[:1])
    until(machine, COMPARE + 1)
    machine.reset(reset_type)
    off = COMPARE + 1 + (SHUTDOWN if reset_type == "GracefulShutdown" else 0)
    until(machine, off)
    assert machine.host.phase is Phase.POST
    until(machine, 10_000)
    assert ends(job) == (State.COMPLETED, "ProfileImported", off + POST + STEP)


@pytest.mark.parametrize(
    ("profile", "wanted", "off_at_first", "phase"),
    [
        (CHANGES, {}, False, Phase.RUNNING),
        (CHANGES, {"leave_on": False}, False, Phase.OFF),
        (CHANGES, {}, True, Phase.RUNNING),
        (CHANGES, {"leave_on": False}, True, Phase.OFF),
        (SAME, {"leave_on": False}, False, Phase.RUNNING),  # nothing was applied: the host is left alone
        (SAME, {}, True, Phase.OFF),
        (CHANGES, {"leave_on": False, "shutdown": "NoReboot"}, False, Phase.RUNNING),
    ],
)
def test_how_the_host_is_left(
    machine: Machine, profile: list[Setting], wanted: dict[str, Any], off_at_first: bool, phase: Phase
) -> None:
    if off_at_first:
        machine.reset("ForceOff")
    job = start_import(machine, profile, **wanted)
    until(machine, 10_000)
    assert (job.state, machine.host.phase) == (State.COMPLETED, phase)


@pytest.mark.parametrize("steps_done", [0, 1, 2])
@pytest.mark.parametrize("leave_on", [True, False])
def test_a_host_that_leaves_its_tasks_interrupts_an_import_at_work(
    machine: Machine, steps_done: int, leave_on: bool
) -> None:
    job = start_import(machine, CHANGES, leave_on=leave_on)
    until(machine, UP + steps_done * STEP + 1)
    machine.reset("ForceRestart")
    assert job.state is (State.COMPLETED_WITH_ERRORS if steps_done else State.FAILED)
    assert [message for *_, message in results(job)] == [None] * steps_done + ["StepInterrupted"] * (3 - steps_done)
    assert own(machine).get(BIOS, {}) == dict(list(MADE.items())[:steps_done])
    until(machine, 10_000)
    assert machine.host.phase is Phase.RUNNING  # who restarted it wants it on


# -- without a restart ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "ending", "told"),
    [
        (CHANGES, (State.COMPLETED, "ProfileNeedsRestart"), DONE),
        (SAME, (State.COMPLETED, "ProfileChangesNothing"), []),
        (BAD, (State.FAILED, "ProfileImportFailed"), REFUSED),
        (CHANGES[1:] + BAD, (State.FAILED, "ProfileImportFailed"), REFUSED + DONE[1:]),
    ],
)
def test_an_import_that_may_not_restart_the_host_tells_what_it_left_out(
    machine: Machine, profile: list[Setting], ending: tuple[State, str], told: list[Any]
) -> None:
    job = start_import(machine, profile, shutdown="NoReboot")
    until(machine, 10_000)
    assert ends(job) == (*ending, COMPARE)
    assert (results(job), own(machine), machine.host.last_reset_at) == (told, {}, None)


@pytest.mark.parametrize("fetched", [False, True])
def test_a_preview_tells_what_would_be_done_and_changes_nothing(machine: Machine, fetched: bool) -> None:
    profile = CHANGES[1:] + BAD
    before = picture(machine)
    if fetched:
        job = fetch_and_import(machine, Import("root", preview=True), URI)
        machine.transfer_done(job.id, 1, {"settings": [list(setting) for setting in profile]})
    else:
        job = start_import(machine, profile, preview=True)
    assert (job.kind, job.lane, job.message) == (Kind.PREVIEW, Lane.LIVE, job.says("ProfilePreviewing"))
    until(machine, COMPARE)
    assert ends(job) == (State.COMPLETED, "ProfilePreviewed", COMPARE)
    assert results(job) == REFUSED + DONE[1:]
    after = picture(machine)
    for part in ("host", "devices", "pending", "results", "open", "running", "transfers", "faults"):
        assert after[part] == before[part], part


@pytest.mark.parametrize("profile", [SAME, []])
def test_a_preview_of_what_is_so_already_says_that_nothing_would_change(
    machine: Machine, profile: list[Setting]
) -> None:
    job = start_import(machine, profile, preview=True)
    until(machine, COMPARE)
    assert ends(job) == (State.COMPLETED, "ProfileChangesNothing", COMPARE)


# -- one at a time ----------------------------------------------------------------------------------------------------


def an_export(machine: Machine) -> Job:
    return export_profile(machine, "root", ("BIOS",), "JSON")


def an_export_elsewhere(machine: Machine) -> Job:
    return export_profile(machine, "root", ("BIOS",), "JSON", uri=URI)


def an_import(machine: Machine) -> Job:
    return start_import(machine, CHANGES)


def an_import_from_elsewhere(machine: Machine) -> Job:
    return fetch_and_import(machine, Import("root"), URI)


def a_preview(machine: Machine) -> Job:
    return start_import(machine, CHANGES, preview=True)


CALLS: list[Callable[[Machine], Job]] = [an_export, an_export_elsewhere, an_import, an_import_from_elsewhere, a_preview]


@pytest.mark.parametrize("first", CALLS)
@pytest.mark.parametrize("second", CALLS)
def test_only_one_of_them_is_at_work(
    machine: Machine, first: Callable[[Machine], Job], second: Callable[[Machine], Job]
) -> None:
    job = first(machine)
    assert refused_whole(machine, lambda: second(machine)) == ["ProfileBusy"]
    machine.delete_job(job.id)
    assert second(machine).state is State.RUNNING


def a_running_configuration(machine: Machine) -> None:
    queued_job(machine)
    machine.reset("ForceRestart")
    machine.advance(POST)


def an_update(machine: Machine) -> None:
    update_from_package(machine, Request("root"), package(CARD, "22.0"))


def staged_values(machine: Machine) -> None:
    machine.stage(NIC, {"NumLock": False})


def staged_defaults(machine: Machine) -> None:
    machine.stage_reset(BIOS)


def a_new_configuration(machine: Machine) -> None:
    staged_job(machine, NIC)


def a_ready_configuration(machine: Machine) -> None:
    staged_job(machine, NIC)
    machine.advance(VALIDATE)


def a_running_restart(machine: Machine) -> None:
    queued_reboot(machine, GRACEFUL)


OBSTACLES: list[tuple[Callable[[Machine], None], str | None]] = [
    (a_running_configuration, "ProfileBusy"),
    (an_update, "ProfileBusy"),
    (staged_values, "PendingExists"),
    (staged_defaults, "PendingExists"),
    (a_new_configuration, "PendingExists"),
    (a_ready_configuration, "PendingExists"),
    (a_running_restart, None),
]


@pytest.mark.parametrize(("obstacle", "expected"), OBSTACLES)
@pytest.mark.parametrize("call", CALLS)
def test_what_stands_in_the_way(
    machine: Machine,
    obstacle: Callable[[Machine], None],
    expected: str | None,
    call: Callable[[Machine], Job],
) -> None:
    obstacle(machine)
    if expected is None:
        assert call(machine).state is State.RUNNING
    else:
        assert refused_whole(machine, lambda: call(machine)) == [expected]


@pytest.mark.parametrize("call", CALLS)
def test_a_full_store_refuses_them(call: Callable[[Machine], Job]) -> None:
    machine = new_machine(policy=Policy(max_jobs=1))
    machine.create_reboot_job(POWER_CYCLE, "root")
    assert refused_whole(machine, lambda: call(machine)) == ["JobStoreFull"]


@pytest.mark.parametrize("targets", [(), ("Nope",), ("Firmware-of-something",)])
def test_an_export_of_nothing_is_refused(machine: Machine, targets: tuple[str, ...]) -> None:
    call = lambda: export_profile(machine, "root", targets, "JSON")  # noqa: E731
    assert refused_whole(machine, call) == ["ProfileNothingChosen"]


@pytest.mark.parametrize("fetched", [False, True])
def test_what_an_import_will_change_is_held_until_it_has_ended(machine: Machine, fetched: bool) -> None:
    """While the file is on its way nobody knows what is in it: then all that it may change is held."""
    if fetched:
        job = fetch_and_import(machine, Import("root", targets=("BIOS", "NIC")), URI)
    else:
        job = start_import(machine, CHANGES)
    held = {BIOS, NIC} if fetched else {BIOS}
    for target in (BIOS, NIC, RAID):
        change = lambda target=target: machine.stage(target, {"NumLock": False})  # noqa: E731
        if target in held:
            assert refused_whole(machine, change) == ["PendingCommitted"]
            assert machine.queue.open_job_on(target) is job
        else:
            change()
            machine.clear_pending(target)
    if fetched:
        machine.transfer_done(job.id, 1, {"settings": [list(setting) for setting in CHANGES]})
    until(machine, 1000)
    assert job.state is State.COMPLETED
    machine.stage(BIOS, {"NumLock": True})


# -- taking back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "at", [0, COMPARE, COMPARE + SHUTDOWN + 1, COMPARE + SHUTDOWN + OFF + 1, UP, UP + STEP, UP + 2 * STEP]
)
def test_an_import_that_is_taken_back_undoes_what_it_has_applied(machine: Machine, at: float) -> None:
    job = start_import(machine, CHANGES)
    until(machine, at)
    assert bool(own(machine)) is (at > UP)
    machine.delete_job(job.id)
    assert (job.state, own(machine), machine.queue._open) == (State.CANCELLED, {}, {})
    assert [entry for entry in machine.timeline if entry.about == job.id] == []
    until(machine, at + SHUTDOWN + OFF + POST + BOOT)
    assert machine.host.phase is Phase.RUNNING
    assert own(machine) == {}


def test_while_an_import_is_at_work_other_jobs_of_the_host_wait_for_it(machine: Machine) -> None:
    job = start_import(machine, CHANGES[:1], targets=("BIOS",))
    other = queued_job(machine, RAID)
    until(machine, 1000)
    assert other.started_at == job.ended_at == START + UP + STEP
    assert other.state is State.COMPLETED
    assert SECOND not in machine.devices
