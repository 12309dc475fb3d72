"""Subscriptions and the event log: what is noted, who wants it, what is next, and what is kept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from core_world import BIOS, START, new_machine
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.event import About
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.core.policy import Policy
from emulator.core.subscription import BATCH_MAX, HEARTBEATS_MAX, Candidate, Retrying, Subscription, Wanted
from emulator.core.teller import LINGER_SECONDS

SAID = Message("EventTest")


def subscribed(machine: Machine, **more: Any) -> Subscription:
    return machine.subscriptions.create(Subscription("", 0, machine.moment, **more))


def keys(machine: Machine) -> list[str]:
    """The keys of all events, the oldest first."""
    return [event.message.key for event in reversed(list(machine.events))]


def stored(machine: Machine) -> dict[Any, Any]:
    """What a store would have of it."""
    return {entity: orjson.loads(orjson.dumps(plain)) for entity, plain in machine.take_changes() if plain is not None}


# -- what is noted ----------------------------------------------------------------------------------------------------


def test_while_nobody_listens_nothing_is_noted() -> None:
    machine = new_machine()
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.create_configuration_job(BIOS, "root")
    machine.reset("ForceRestart")
    machine.advance(600)
    assert list(machine.events) == []
    assert not any(kind in ("event", "subscription") for kind, _ in stored(machine))


def test_a_job_is_told_from_its_beginning_to_its_end() -> None:
    machine = new_machine()
    subscribed(machine)
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root")
    machine.reset("ForceRestart")
    machine.advance(600)
    machine.delete_job(job.id)
    about = [event.message.key for event in reversed(list(machine.events)) if event.about == About("job", job.id)]
    assert about == [
        "ResourceAppeared",
        "ResourceWasChanged",
        "JobBegan",
        "JobProgressed",
        "JobEndedWell",
        "JobWasRemoved",
        "ResourceWentAway",
    ]


POWER = {
    "off": (["ForceOff"], ["HostIsOff"]),
    "gracefully off": (["GracefulShutdown"], ["HostGoesOff", "HostIsOff"]),
    "off and on": (["ForceOff", "On"], ["HostIsOff", "HostIsOn"]),
    "a power cycle": (["PowerCycle"], ["HostIsOff", "HostIsOn"]),
    "a warm reset keeps the power": (["ForceRestart"], []),
    "a graceful restart": (["GracefulRestart"], ["HostGoesOff", "HostIsOff", "HostIsOn"]),
}


@pytest.mark.parametrize("what", POWER)
def test_power_is_told(what: str) -> None:
    resets, said = POWER[what]
    machine = new_machine()
    subscribed(machine)
    for reset in resets:
        machine.reset(reset)
        machine.advance(600)
    host = [event.message.key for event in reversed(list(machine.events)) if event.about.kind == "host"]
    assert host == said


def test_events_of_one_cause_have_one_group_and_others_another() -> None:
    machine = new_machine()
    subscribed(machine)
    machine.settle()
    machine.reset("ForceOff")
    first = {event.group for event in machine.events if event.about.kind == "host"}
    machine.settle()
    machine.reset("On")
    second = {event.group for event in machine.events if event.about.kind == "host"} - first
    assert len(first) == len(second) == 1


def test_events_are_kept_for_a_while_when_the_last_subscriber_has_gone() -> None:
    machine = new_machine()
    one = subscribed(machine)
    machine.subscriptions.remove(one.id)
    machine.advance(LINGER_SECONDS - 1)
    machine.reset("ForceOff")
    machine.settle()
    assert "HostIsOff" in keys(machine)
    machine.advance(2)
    assert not machine.teller.is_listening
    machine.reset("On")
    assert "HostIsOn" not in keys(machine)


# -- what is next -----------------------------------------------------------------------------------------------------


def test_batches_are_causes_in_pieces_and_the_same_for_everybody() -> None:
    machine = new_machine()
    one, other = subscribed(machine), subscribed(machine)
    machine.settle()
    one.cursor = other.cursor = machine.events.last_number
    for _ in range(BATCH_MAX + 10):
        machine.teller.tell(SAID)
    machine.settle()
    machine.teller.tell(SAID)
    lengths = []
    while (batch := machine.subscriptions.next_batch(one)) is not None:
        assert machine.subscriptions.next_batch(one) == batch  # asking changes nothing
        assert machine.subscriptions.next_batch(other) == batch
        lengths.append(len(batch.events))
        machine.subscriptions.delivered(one, batch.last)
        machine.subscriptions.passed(other, batch.last)
    assert lengths == [BATCH_MAX, 10, 1]


def test_only_the_newest_are_kept_and_it_is_known_what_is_lost() -> None:
    machine = new_machine(policy=Policy(max_events=32))
    one = subscribed(machine)
    machine.settle()
    for _ in range(33):
        machine.teller.tell(SAID)
    assert len(machine.events) <= 32
    assert machine.subscriptions.has_lost(one)
    machine.subscriptions.passed(one, machine.events.last_number)
    assert not machine.subscriptions.has_lost(one)


def test_no_more_subscriptions_than_the_policy_allows_besides_streams() -> None:
    machine = new_machine(policy=Policy(max_subscriptions=1))
    subscribed(machine, is_stream=True)
    subscribed(machine)
    with pytest.raises(Rejected, match="CreateLimitReachedForResource"):
        subscribed(machine)
    subscribed(machine, is_stream=True)
    assert len(machine.subscriptions) == 3


@pytest.mark.parametrize("retrying", Retrying)
def test_what_a_policy_does_when_its_retries_have_failed(retrying: Retrying) -> None:
    machine = new_machine(policy=Policy(delivery_retry_attempts=1, delivery_retry_seconds=7))
    one = subscribed(machine, retrying=retrying)
    machine.settle()
    machine.teller.tell(SAID)
    machine.subscriptions.failed(one, "broken")
    assert machine.subscriptions.next_batch(one) is None
    machine.advance(6.9)
    assert machine.subscriptions.next_batch(one) is None
    machine.advance(0.1)
    assert machine.subscriptions.next_batch(one) is not None
    machine.subscriptions.failed(one, "broken")
    still_there, enabled = machine.subscriptions.get(one.id) is not None, one.is_enabled
    assert (still_there, enabled) == {
        Retrying.TERMINATE: (False, True),
        Retrying.SUSPEND: (True, False),
    }.get(retrying, (True, True))
    machine.advance(3600)
    assert (machine.subscriptions.next_batch(one) is not None) == (
        retrying in (Retrying.FOREVER, Retrying.BACKOFF)
    ) or (retrying is Retrying.TERMINATE)


def test_nothing_is_sent_while_the_controller_is_away_and_streams_end() -> None:
    machine = new_machine()
    one, stream = subscribed(machine), subscribed(machine, is_stream=True)
    machine.restart_controller()
    assert machine.subscriptions.get(stream.id) is None
    assert machine.subscriptions.next_batch(one) is None
    machine.advance(600)
    assert machine.subscriptions.next_batch(one) is not None


def test_a_long_jump_of_the_clock_brings_no_more_heartbeats_than_anybody_can_want() -> None:
    machine = new_machine()
    one = subscribed(machine, heartbeat_minutes=1)
    machine.advance(366 * 86_400.0)
    beats = [event for event in machine.events if event.message.key == "ServiceIsFunctional"]
    assert HEARTBEATS_MAX <= len(beats) <= HEARTBEATS_MAX + 2  # the first is due before the jump
    assert all(event.only == one.id and (event.at - START) % 60 == 0 for event in beats)
    assert machine.moment - beats[0].at < 60


# -- who wants it -----------------------------------------------------------------------------------------------------

JOB = "/redfish/v1/JobService/Jobs/JID_1"
STARTED = Candidate("JobEvent", "JobStarted", "OK", "StatusChange", JOB, "Job")
ALERT = Candidate("IDRAC", "PR19", "Critical", "Alert", "", "")
WANTS: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "anything": ({}, True, True),
    "a registry": ({"registry_prefixes": ("JobEvent", "Base")}, True, False),
    "all but a registry": ({"exclude_registry_prefixes": ("JobEvent",)}, False, True),
    "a message": ({"message_ids": ("JobEvent.JobStarted",)}, True, False),
    "a message of any version": ({"message_ids": ("JobEvent.9.9.JobStarted",)}, True, False),
    "a vendor's bare key": ({"message_ids": ("PR19",)}, False, True),
    "another registry's message of that name": ({"message_ids": ("TaskEvent.JobStarted",)}, False, False),
    "all but a message": ({"exclude_message_ids": ("JobEvent.JobStarted",)}, False, True),
    "a resource type": ({"resource_types": ("Job",)}, True, False),
    "a severity": ({"severities": ("Critical",)}, False, True),
    "an origin": ({"origin_resources": (JOB,)}, True, False),
    "what is above the origin": ({"origin_resources": ("/redfish/v1/JobService",)}, False, False),
    "all below": (
        {"origin_resources": ("/redfish/v1/JobService",), "subordinate_resources": True},
        True,
        False,
    ),
    "a name that begins alike": ({"origin_resources": (JOB[:-1],), "subordinate_resources": True}, False, False),
    "an older type": ({"event_types": ("Alert",)}, False, True),
    "older types with Other": ({"event_types": ("ResourceAdded", "Other")}, True, True),
    "both of two": ({"registry_prefixes": ("JobEvent",), "severities": ("Critical",)}, False, False),
}


@pytest.mark.parametrize("what", WANTS)
def test_who_wants_what(what: str) -> None:
    conditions, started, alert = WANTS[what]
    wanted = Wanted(**conditions)
    assert (wanted.takes(STARTED), wanted.takes(ALERT)) == (started, alert)
    assert Wanted.from_plain(orjson.loads(orjson.dumps(wanted.to_plain()))) == wanted


# -- what is kept -----------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(["tell", "settle", "deliver", "fail", "advance", "suspend", "resume"]), max_size=30))
def test_a_restart_at_any_moment_changes_nothing(commands: list[str]) -> None:
    machine = new_machine()
    one = subscribed(machine, headers=(("X-A", "b"),), heartbeat_minutes=1)
    kept: dict[Any, Any] = stored(machine)
    for command in commands:
        batch = machine.subscriptions.next_batch(one)
        if command == "tell":
            machine.teller.tell(SAID)
        elif command == "settle":
            machine.settle()
        elif command == "advance":
            machine.advance(20)
        elif command == "suspend":
            machine.subscriptions.suspend(one)
        elif command == "resume":
            machine.subscriptions.resume(one)
        elif batch is not None and command == "deliver":
            machine.subscriptions.delivered(one, batch.last)
        elif batch is not None:
            machine.subscriptions.failed(one, "broken")
        for entity, plain in machine.take_changes():
            if plain is None:
                kept.pop(entity, None)
            else:
                kept[entity] = orjson.loads(orjson.dumps(plain))
    again = new_machine()
    again.restore(kept)
    assert list(again.events) == list(machine.events)
    assert again.subscriptions.get(one.id) == one
    assert list(again.timeline) == list(machine.timeline)
    found = again.subscriptions.get(one.id)
    assert found is not None
    assert again.subscriptions.next_batch(found) == machine.subscriptions.next_batch(one)
    number = again.events.last_number
    again.teller.tell(SAID)
    assert again.events.last_number == number + 1
    assert again.events.get(number + 1) is not None


def test_the_streams_of_a_process_that_has_ended_are_gone() -> None:
    machine = new_machine()
    stream, other = subscribed(machine, is_stream=True), subscribed(machine)
    kept = stored(machine)
    again = new_machine()
    again.restore(kept)
    assert [found.id for found in again.subscriptions] == [other.id]
    assert subscribed(again).id not in (stream.id, other.id)
    assert again.moment >= START
