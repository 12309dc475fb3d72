"""Updates from a repository: a catalogue is fetched and compared, and update jobs are made for what differs."""

from __future__ import annotations

from typing import Any

import pytest
from core_world import (
    BIOS,
    BOOT,
    CARD,
    FORCED,
    IDRAC,
    INSTALL,
    OFF,
    OTHER_CARD,
    OTHER_SUPPLY,
    POST,
    RAID,
    SHUTDOWN,
    SUPPLY,
    Shelf,
    ends,
    logged,
    new_machine,
    opaque,
    package,
    picture,
    refused_whole,
    states,
    until,
)

from emulator.core.host import Phase
from emulator.core.job import Job, Kind, State
from emulator.core.machine import Machine
from emulator.core.policy import Policy
from emulator.core.repository import CONTROLLER, HOST, NONE, Wanted, packages_found, update_from_repository
from emulator.core.update import Request, fetch_and_update, firmware_of

BASE = "http://server:8000/repo"
COMPARING = 10.0
"""How long the comparison takes, in virtual seconds."""
UP = SHUTDOWN + OFF + POST
"""From asking the host to restart until its tasks have their turn."""


def entry(component: str | tuple[str, ...], version: str, **more: Any) -> dict[str, Any]:
    """A package as a catalogue has it."""
    components = [component] if isinstance(component, str) else list(component)
    path = f"{components[0]}_{version}.img"
    facts: dict[str, Any] = {
        "path": path,
        "version": version,
        "components": components,
        "name": f"For {components[0]}",
        "type": "FRMW",
        "package_type": "LW64",
        "criticality": "1",
        "needs_reboot": None,
        "size": None,
        "digests": {},
        "systems": [],
        "uri": f"{BASE}/{path}",
    }
    return facts | more


NEW_BIOS, NEW_CARD, NEW_SUPPLY, NEW_IDRAC = (
    entry("159", "2.0"),
    entry("108255", "22.0"),
    entry("55555", "00.2B.00"),
    entry("25227", "7.00.00"),
)


@pytest.fixture
def machine() -> Machine:
    return new_machine(firmware=True)


def ask(machine: Machine, **wanted: Any) -> Job:
    return update_from_repository(machine, Wanted("root", f"{BASE}/Catalog.xml", **wanted))


def catalog(machine: Machine, job: Job, *packages: dict[str, Any]) -> None:
    """The catalogue is here, and has been compared."""
    machine.transfer_done(job.id, 1, {"packages": list(packages)})
    machine.advance(COMPARING)


def compared(machine: Machine, *packages: dict[str, Any], **wanted: Any) -> Job:
    job = ask(machine, **wanted)
    catalog(machine, job, *packages)
    return job


def updates(machine: Machine) -> list[Job]:
    """The update jobs, in the order of the queue."""
    return sorted((job for job in machine.queue.jobs.values() if job.kind is Kind.UPDATE), key=lambda job: job.order)


def reboots(machine: Machine) -> list[Job]:
    return [job for job in machine.queue.jobs.values() if job.kind is Kind.REBOOT]


def arrive(machine: Machine, job: Job, found: dict[str, Any] | None = None) -> None:
    """A job's package, which is as it was announced."""
    machine.transfer_done(job.id, 1, found or opaque())


def versions(machine: Machine) -> dict[str, str]:
    firmware = firmware_of(machine)
    assert firmware is not None
    return {name: firmware.installed(name) for name in (BIOS, CARD, SUPPLY, OTHER_SUPPLY, IDRAC)}


# -- the story --------------------------------------------------------------------------------------------------------


def test_everything_that_is_newer_is_installed_in_one_queue_with_one_restart(machine: Machine) -> None:
    job = ask(machine, restart=True)
    assert (job.kind, job.id[:4], job.created_by) == (Kind.REPOSITORY, "JID_", "root")
    assert ends(job) == (State.DOWNLOADING, "CatalogDownloading", None)
    (transfer,) = machine.transfers.values()
    assert (transfer.uri, transfer.purpose) == (f"{BASE}/Catalog.xml", "catalog")
    machine.transfer_moves(job.id, 1, 500, 1000)
    assert job.percent == 50
    machine.transfer_done(job.id, 1, {"packages": [NEW_IDRAC, NEW_BIOS, NEW_CARD, NEW_SUPPLY]})
    assert (job.state, updates(machine)) == (State.RUNNING, [])
    until(machine, COMPARING)
    assert ends(job) == (State.COMPLETED, "RepositoryRestarts", COMPARING)
    assert states(job) == ["Downloading", "Downloaded", "Scheduled", "Running", "Completed"]

    card, supply, bios, idrac = updates(machine)
    (reboot,) = reboots(machine)
    assert [job.state for job in (card, supply, bios, idrac, reboot)] == [State.DOWNLOADING] * 4 + [State.SCHEDULED]
    assert [one.details["names"] for one in (card, bios)] == [[f"The {CARD}"], [f"The {BIOS}"]]
    assert {transfer.uri for transfer in machine.transfers.values()} == {
        one["uri"] for one in (NEW_IDRAC, NEW_BIOS, NEW_CARD, NEW_SUPPLY)
    }
    for one in (idrac, bios, supply, card):  # the slowest first: the order is the queue's
        arrive(machine, one)
    assert card.state is State.RUNNING
    until(machine, COMPARING + 2 * INSTALL)
    assert (card.state, supply.state, supply.percent) == (State.COMPLETED, State.RUNNING, 50)  # one of two supplies
    begin = COMPARING + 3 * INSTALL
    until(machine, begin)
    assert (card.state, supply.state, reboot.state) == (State.COMPLETED, State.COMPLETED, State.RUNNING)
    until(machine, begin + UP)
    assert (reboot.state, bios.state, idrac.state) == (State.COMPLETED, State.RUNNING, State.SCHEDULED)
    until(machine, begin + UP + INSTALL)
    assert (bios.state, idrac.state) == (State.COMPLETED, State.RUNNING)
    until(machine, begin + UP + 2 * INSTALL)
    assert (idrac.state, machine.controller.is_away) == (State.COMPLETED, True)
    assert versions(machine) == {
        BIOS: "2.0",
        CARD: "22.0",
        SUPPLY: "00.2B.00",
        OTHER_SUPPLY: "00.2B.00",
        IDRAC: "7.00.00",
    }
    assert [key for _, key in logged(machine, job.id)] == [
        *("JobCreated", "CatalogDownloading", "CatalogDownloaded", "JobScheduledFrom", "JobRunning", "StepDone"),
        "RepositoryRestarts",
    ]


def test_without_a_restart_the_updates_wait_for_somebody_elses(machine: Machine) -> None:
    job = compared(machine, NEW_IDRAC, NEW_BIOS, NEW_CARD)
    assert ends(job) == (State.COMPLETED, "RepositoryStaged", COMPARING)
    card, bios, idrac = updates(machine)
    assert reboots(machine) == []
    for one in (card, bios, idrac):
        arrive(machine, one)
    until(machine, 1000)
    assert [one.state for one in (card, bios, idrac)] == [State.COMPLETED, State.SCHEDULED, State.SCHEDULED]
    machine.reset("ForceRestart")
    machine.advance(OFF + POST + 2 * INSTALL + BOOT)
    assert [one.state for one in (bios, idrac)] == [State.COMPLETED, State.COMPLETED]


def test_what_needs_no_restart_brings_none(machine: Machine) -> None:
    job = compared(machine, NEW_CARD, NEW_IDRAC, restart=True)
    assert ends(job) == (State.COMPLETED, "RepositoryApplied", COMPARING)
    assert reboots(machine) == []
    for one in updates(machine):
        arrive(machine, one)
    until(machine, COMPARING + 2 * INSTALL)
    assert [one.state for one in updates(machine)] == [State.COMPLETED] * 2
    assert machine.host.phase is Phase.RUNNING


def test_only_a_list_where_nothing_is_to_be_applied(machine: Machine) -> None:
    job = compared(machine, NEW_BIOS, NEW_SUPPLY, apply=False, restart=True)
    assert ends(job) == (State.COMPLETED, "RepositoryCompared", COMPARING)
    assert (updates(machine), reboots(machine), machine.transfers) == ([], [], {})
    supplies, bios = packages_found(machine)
    assert supplies == {
        "path": "55555_00.2B.00.img",
        "version": "00.2B.00",
        "name": "For 55555",
        "type": "FRMW",
        "criticality": "1",
        "component": "55555",
        "restarts": NONE,
        "job": "",
        "parts": [[SUPPLY, "00.1B.53"], [OTHER_SUPPLY, "00.1B.53"]],
    }
    assert (bios["component"], bios["restarts"], bios["parts"]) == ("159", HOST, [[BIOS, "1.8.2"]])


def test_the_list_names_the_jobs(machine: Machine) -> None:
    compared(machine, NEW_IDRAC, NEW_BIOS, restart=True)
    assert [(one["restarts"], one["job"]) for one in packages_found(machine)] == [
        (restarts, job.id) for restarts, job in zip((HOST, CONTROLLER), updates(machine), strict=True)
    ]


# -- what is applied --------------------------------------------------------------------------------------------------

SAME_BIOS, OLD_BIOS = entry("159", "1.8.2"), entry("159", "1.0")
APPLIED = [
    # situation, packages, what is wanted, (component id, version) of each update
    ("a newer one", [NEW_BIOS], {}, [(BIOS, "2.0")]),
    ("the same", [SAME_BIOS], {}, []),
    ("the same, wanted", [SAME_BIOS], {"same": True}, [(BIOS, "1.8.2")]),
    ("the same, where older ones are wanted", [SAME_BIOS], {"older": True}, []),
    ("an older one", [OLD_BIOS], {}, []),
    ("an older one, wanted", [OLD_BIOS], {"older": True}, [(BIOS, "1.0")]),
    ("an older one, where the same is wanted", [OLD_BIOS], {"same": True}, []),
    ("the newest of several counts", [OLD_BIOS, NEW_BIOS, SAME_BIOS], {"same": True, "older": True}, [(BIOS, "2.0")]),
    ("by FQDD", [entry(BIOS, "2.0")], {}, [(BIOS, "2.0")]),
    ("one for several components", [entry(("108255", "108256"), "22.0")], {}, [(CARD, "22.0"), (OTHER_CARD, "22.0")]),
    ("one of two for the same components", [entry("55555", "1"), entry(SUPPLY, "2")], {}, [(SUPPLY, "2"), (OTHER_SUPPLY, "1")]),
    ("a component that cannot be updated", [entry("109673", "9.9"), NEW_BIOS], {}, [(BIOS, "2.0")]),
    ("for this system", [NEW_BIOS | {"systems": ["0AB1"]}], {"system_id": "0AB1"}, [(BIOS, "2.0")]),
    ("for another system too", [NEW_BIOS | {"systems": ["0001"]}, entry("159", "1.9")], {"system_id": "0AB1"}, [(BIOS, "1.9")]),
    ("for a system that nobody knows", [NEW_BIOS | {"systems": ["0001"]}], {}, [(BIOS, "2.0")]),
    ("for an operating system", [NEW_BIOS | {"package_type": "LLXP"}, NEW_CARD], {}, [(CARD, "22.0")]),
    ("a driver", [NEW_BIOS | {"type": "DRVR"}, NEW_CARD], {}, [(CARD, "22.0")]),
]  # fmt: skip


@pytest.mark.parametrize("row", APPLIED, ids=[row[0] for row in APPLIED])
def test_what_is_applied(machine: Machine, row: Any) -> None:
    _, packages, wanted, found = row
    job = compared(machine, *packages, **wanted)
    assert job.state is State.COMPLETED
    assert [
        (part_id, one.details["announced"]["version"]) for one in updates(machine) for part_id in one.details["targets"]
    ] == found
    if found:
        for one in updates(machine):
            arrive(machine, one)
        machine.reset("ForceRestart")
        machine.advance(OFF + POST + 4 * INSTALL)
        firmware = firmware_of(machine)
        assert firmware is not None
        assert [(part_id, firmware.installed(part_id)) for part_id, _ in found] == found
    else:
        assert job.message == job.says("RepositoryAllCurrent")
        assert refused_whole(machine, lambda: packages_found(machine)) == ["RepositoryCurrent"]


@pytest.mark.parametrize(
    ("said", "component", "restarts"),
    [(None, "159", HOST), (None, "108255", NONE), (True, "108255", HOST), (False, "159", NONE), (True, "25227", CONTROLLER)],
)  # fmt: skip
def test_what_has_to_restart_is_what_the_catalogue_says_or_what_is_usual(
    machine: Machine, said: bool | None, component: str, restarts: str
) -> None:
    compared(machine, entry(component, "99.0", needs_reboot=said), apply=False)
    assert [one["restarts"] for one in packages_found(machine)] == [restarts]


# -- packages that are not what was announced -------------------------------------------------------------------------

DIGEST = "0123456789abcdef"
BAD = [
    # what the catalogue says besides, the package, what its job says
    ({}, package(CARD, "23.0"), "ImageInvalid"),
    ({}, package(RAID, "22.0"), "ImageForOtherComponent"),
    ({}, package("Nope", "22.0"), "ImageForUnknownComponent"),
    ({}, {"header": None, "error": "It is damaged."}, "ImageInvalid"),
    ({"size": 999}, opaque(), "ImageInvalid"),
    ({"digests": {"md5": DIGEST}}, opaque() | {"digest": DIGEST[::-1]}, "ImageInvalid"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "found", "key"), BAD)
def test_a_package_that_is_not_what_the_catalogue_says_is_refused(
    machine: Machine, said: dict[str, Any], found: dict[str, Any], key: str
) -> None:
    compared(machine, NEW_CARD | said)
    (job,) = updates(machine)
    before = versions(machine)
    arrive(machine, job, found)
    assert ends(job) == (State.FAILED, key, COMPARING)
    assert versions(machine) == before


@pytest.mark.parametrize(
    "found", [opaque("fw_99.9.bin") | {"digest": DIGEST}, package(CARD, "22.0") | {"digest": DIGEST}]
)
def test_one_that_is_as_announced_is_installed(machine: Machine, found: dict[str, Any]) -> None:
    compared(machine, NEW_CARD | {"size": 1000, "digests": {"sha256": DIGEST, "md5": "1"}})
    (job,) = updates(machine)
    assert machine.transfers[job.id].digest == "sha256"
    arrive(machine, job, found)
    until(machine, COMPARING + INSTALL)
    assert (job.state, versions(machine)[CARD]) == (State.COMPLETED, "22.0")


# -- a restart that nothing needs any more ----------------------------------------------------------------------------


def _fails(machine: Machine, job: Job) -> None:
    machine.transfer_failed(job.id, 1, "404")


def _is_deleted(machine: Machine, job: Job) -> None:
    machine.delete_job(job.id)


@pytest.mark.parametrize("go", [_fails, _is_deleted])
def test_a_restart_goes_with_the_last_update_that_needs_it(machine: Machine, go: Any) -> None:
    compared(machine, NEW_BIOS, entry("108900", "99.0"), NEW_IDRAC, restart=True)
    bios, raid, idrac = updates(machine)
    go(machine, bios)
    assert len(reboots(machine)) == 1
    arrive(machine, idrac)
    go(machine, raid)
    until(machine, COMPARING + INSTALL)
    assert (reboots(machine), idrac.state) == ([], State.COMPLETED)
    until(machine, 5000)
    assert machine.host.last_reset_at is None


def test_a_host_that_is_off_is_powered_on(machine: Machine) -> None:
    machine.reset("ForceOff")
    compared(machine, NEW_BIOS, restart=True)
    (bios,) = updates(machine)
    arrive(machine, bios)
    until(machine, COMPARING + POST + INSTALL)
    assert bios.state is State.COMPLETED


def test_a_host_that_is_starting_is_restarted_again_if_it_has_to_be(machine: Machine) -> None:
    machine.reset("ForceRestart")
    compared(machine, NEW_BIOS, restart=True)
    (bios,), (reboot,) = updates(machine), reboots(machine)
    assert reboot.steps[0].name == FORCED
    machine.advance(POST + BOOT)
    arrive(machine, bios)
    machine.advance(UP + INSTALL)
    assert (reboot.state, bios.state) == (State.COMPLETED, State.COMPLETED)


# -- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason", "then"),
    [
        (None, "the server is gone", "RepositoryUnknown"),
        ({"error": "line 1, column 1: no element found"}, "line 1, column 1: no element found", "RepositoryUnknown"),
        ({"packages": []}, "none of its 0 packages is for this system", "RepositoryCurrent"),
        ({"packages": [entry("777", "1")]}, "none of its 1 packages is for this system", "RepositoryCurrent"),
        ({"packages": [entry("109673", "9.9")]}, "none of its 1 packages is for this system", "RepositoryCurrent"),
    ],
)
def test_a_catalogue_that_is_of_no_use(machine: Machine, content: Any, reason: str, then: str) -> None:
    job = ask(machine)
    if content is None:
        machine.transfer_failed(job.id, 1, reason)
    else:
        machine.transfer_done(job.id, 1, content)
    assert ends(job) == (State.FAILED, "RepositoryFailed", 0)
    assert job.message is not None
    assert job.message.args == (job.id, reason)
    assert logged(machine, job.id)[-1][1] == "RepositoryFailed"
    assert refused_whole(machine, lambda: packages_found(machine)) == [then]
    assert (list(machine.queue.jobs), machine.transfers) == ([job.id], {})


@pytest.mark.parametrize(
    ("room", "restart", "fits"), [(2, False, True), (2, True, False), (3, True, True), (1, False, False)]
)
def test_the_updates_are_made_all_or_none(room: int, restart: bool, fits: bool) -> None:
    machine = new_machine(firmware=True, policy=Policy(max_jobs=10, full_store="refuse"))
    for number in range(9 - room):
        fetch_and_update(machine, Request("root"), f"{BASE}/{number}")
    job = compared(machine, NEW_BIOS, NEW_CARD, restart=restart)
    made = len(machine.queue.jobs) - (9 - room) - 1
    if fits:
        assert (job.state, made) == (State.COMPLETED, 2 + restart)
    else:
        assert ends(job)[:2] == (State.FAILED, "RepositoryFailed")
        assert (made, [one["job"] for one in packages_found(machine)]) == (0, ["", ""])


def test_a_planned_fault_lets_the_comparison_fail(machine: Machine) -> None:
    machine.add_fault("repository", "compare", None, 1)
    job = compared(machine, NEW_BIOS)
    assert ends(job) == (State.FAILED, "RepositoryFailed", COMPARING)
    assert updates(machine) == []


def test_only_one_at_a_time(machine: Machine) -> None:
    job = ask(machine)
    assert refused_whole(machine, lambda: ask(machine)) == ["RepositoryBusy"]
    machine.transfer_failed(job.id, 1, "gone")
    assert ask(machine).state is State.DOWNLOADING


def test_there_is_no_list_before_a_comparison_and_while_one_is_made(machine: Machine) -> None:
    assert refused_whole(machine, lambda: packages_found(machine)) == ["RepositoryUnknown"]
    compared(machine, NEW_BIOS, apply=False)
    assert len(packages_found(machine)) == 1
    ask(machine)
    assert refused_whole(machine, lambda: packages_found(machine)) == ["RepositoryUnknown"]


def test_one_that_is_deleted_on_the_way_leaves_nothing(machine: Machine) -> None:
    job = ask(machine, credentials=("user", "secret"))
    machine.delete_job(job.id)
    assert (machine.queue.jobs, machine.transfers, machine.secrets) == ({}, {}, {})
    assert machine.transfer_moves(job.id, 1, 1, 2) is False


# -- credentials ------------------------------------------------------------------------------------------------------


def test_credentials_go_to_the_catalogues_own_server_and_nowhere_else(machine: Machine) -> None:
    secret = "Sword" + "fish"
    elsewhere = NEW_CARD | {"uri": "http://server:8001/card.img"}
    job = ask(machine, credentials=("user", secret))
    assert machine.transfers[job.id].credentials == ("user", secret)
    catalog(machine, job, NEW_BIOS, elsewhere, NEW_IDRAC)
    card, bios, idrac = updates(machine)
    told = [machine.transfers[one.id].credentials for one in (card, bios, idrac)]
    assert told == [None, ("user", secret), ("user", secret)]
    assert machine.secrets == {}
    assert secret not in repr([plain for _, plain in machine.take_changes()])
    assert secret not in repr(picture(machine))


# -- keeping ----------------------------------------------------------------------------------------------------------


def test_it_goes_on_after_a_restart_of_the_process_at_any_point(machine: Machine) -> None:
    """The same course, whether or not the process is started anew after each event."""
    results = []
    for restarts in (False, True):
        shelf = Shelf(lambda clock: new_machine(clock, firmware=True))
        found = new_machine(firmware=True)

        def again(machine: Machine, shelf: Shelf = shelf, restarts: bool = restarts) -> Machine:
            return shelf.restart(machine) if restarts else machine

        job = ask(found, restart=True)
        found = again(found)
        found.transfer_moves(job.id, 1, 500, 1000)
        found = again(found)
        found.transfer_done(job.id, 1, {"packages": [NEW_BIOS, NEW_CARD, NEW_IDRAC]})
        found.advance(COMPARING / 2)
        found = again(found)
        found.advance(COMPARING / 2)
        found = again(found)
        for number in range(3):
            arrive(found, updates(found)[number])
            found = again(found)
        for _ in range(8):
            found.advance(INSTALL / 2)
            found = again(found)
        found.advance(1000)
        assert [one.state for one in updates(found)] == [State.COMPLETED] * 3
        results.append(picture(found, numbered=False))
    assert results[0] == results[1]


def test_a_restart_of_the_controller_begins_the_catalogue_again(machine: Machine) -> None:
    job = ask(machine)
    machine.transfer_moves(job.id, 1, 500, 1000)
    machine.restart_controller()
    machine.transfer_done(job.id, 1, {"packages": [NEW_BIOS]})
    assert job.state is State.DOWNLOADING
    machine.advance(200)
    assert (job.percent, machine.transfers[job.id].attempt) == (0, 2)
    machine.transfer_done(job.id, 2, {"packages": [NEW_BIOS]})
    machine.advance(COMPARING)
    assert job.state is State.COMPLETED


def test_a_machine_without_room_for_the_job_itself_refuses(machine: Machine) -> None:
    full = new_machine(firmware=True, policy=Policy(max_jobs=1, full_store="refuse"))
    fetch_and_update(full, Request("root"), BASE)
    assert refused_whole(full, lambda: ask(full)) == ["JobStoreFull"]
