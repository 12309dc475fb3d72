"""Many controllers in one process: which one answers, and each with its own identity and state."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.core.message import Message, Rejected


@pytest.fixture
def fleet(make_bmc):
    return make_bmc(controllers=1000)


@pytest.mark.parametrize(
    ("host", "number"),
    [
        ("127.0.0.1", 1),
        ("127.0.0.1:8443", 1),
        ("localhost:8443", 1),
        ("127.0.0.2:8443", 2),
        ("127.0.3.232", 1000),
        ("bmc-17.lab:8443", 17),
        ("bmc-17", 17),
        ("127.0.3.233", None),
        ("127.0.0.0", None),
        ("bmc-1001.lab", None),
        ("192.0.2.1", None),
        ("elsewhere", None),
    ],
)
def test_the_host_header_chooses_the_controller(fleet, host, number):
    seat = fleet.service.fleet.seat_for(host)
    assert (seat.number if seat else None) == number
    fleet.host = host
    assert fleet.get(fleet.system).status == (200 if number else 404)


def test_however_many_names_strangers_think_of_few_are_remembered(make_bmc):
    for size in (1, 3):
        fleet = make_bmc(controllers=size).service.fleet
        for number in range(500):
            assert fleet.seat_for(f"bmc-1.lab{number}").number == 1
        assert len(fleet._by_host) < 100


def test_one_controller_answers_to_any_name(bmc):
    for host in ("elsewhere", "192.0.2.1:1", "127.0.0.9"):
        bmc.host = host
        assert bmc.get(bmc.system).status == 200


def identity(fleet, number):
    fleet.host = f"127.0.0.{number}"
    system = fleet.get(fleet.system).body
    root = fleet.get("/redfish/v1/").body
    nics = fleet.get(f"{fleet.system}/EthernetInterfaces?$expand=*").body["Members"]
    return [
        root["UUID"],
        system["UUID"],
        system["SerialNumber"],
        system["HostName"],
        *(nic["MACAddress"] for nic in nics),
    ]


def test_every_controller_has_its_own_identity(fleet):
    found = [identity(fleet, number) for number in (1, 2, 3)]
    texts = [text for one in found for text in one]
    assert len(set(texts)) == len(texts)
    assert identity(fleet, 2) == found[1], "and keeps it"
    for one in found:
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one[1])
        assert all(re.fullmatch(r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", mac) for mac in one[4:])


def test_what_happens_to_one_does_not_happen_to_another(fleet):
    fleet.host = "127.0.0.2"
    fleet.patch_bios(NumLock="Off")
    fleet.create_job()
    fleet.reset("PowerCycle")
    fleet.advance(30)
    fleet.host = "127.0.0.3"
    assert fleet.pending() == {}
    assert fleet.get(fleet.jobs).body["Members"] == []
    assert fleet.get(fleet.system).body["PowerState"] == "On"
    later = fleet.get("/jobfish/v1/clock").body["epoch"]
    fleet.host = "127.0.0.2"
    assert fleet.get("/jobfish/v1/clock").body["epoch"] > later, "clocks are the machines' own"


def test_many_at_once_on_one_machine_take_turns(bmc):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: bmc.create_reboot_job(), range(64)))
    assert len(set(ids)) == 64
    assert bmc.get(bmc.job_service).body["CurrentNumberOfJobs"] == 64


def test_only_one_of_many_gets_the_target(bmc):
    bmc.patch_bios(NumLock="Off")
    body = {"TargetSettingsURI": bmc.settings}
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: bmc.post(bmc.jobs, body).status, range(16)))
    assert sorted(statuses) == [200] + [400] * 15


def test_a_turn_that_breaks_leaves_the_machine_as_it_was_saved(bmc):
    bmc.patch_bios(NumLock="Off")
    before = bmc.state()
    seat = bmc.service.fleet.seat(1)
    with pytest.raises(ZeroDivisionError), seat.turn() as machine:
        machine.pending.clear()
        raise ZeroDivisionError
    assert bmc.state() == before


def test_a_refusal_in_a_turn_keeps_what_became_due_before_it(bmc):
    bmc.reset("ForceOff")
    bmc.reset("On")
    seat = bmc.service.fleet.seat(1)
    seat.machine.clock.advance(500)
    with pytest.raises(Rejected), seat.turn():
        raise Rejected(Message("NoOperation"))
    assert bmc.service.fleet.store.load("1")["host", "host"]["phase"] == "Running"
