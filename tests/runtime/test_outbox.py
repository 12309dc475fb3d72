"""Deliveries of events: over HTTP and HTTPS to a sink, in order, again until they arrive, and nowhere else."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest
from conftest import Bmc
from event_sink import Sink, listening

from emulator.app import build_service
from emulator.runtime.certificate import ensure_certificate
from emulator.settings import Settings

SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
TEST_EVENT = f"{SERVICE}/Actions/EventService.SubmitTestEvent"
RETRY_SECONDS = 30


@pytest.fixture
def sink():
    with listening() as server:
        yield server


def subscribe(bmc, destination, **more):
    body = {"Destination": destination, "Protocol": "Redfish", "RegistryPrefixes": ["ResourceEvent"], **more}
    answer = bmc.post(SUBSCRIPTIONS, body)
    assert answer.status == 201, answer.body
    return answer.headers["Location"]


def send(bmc, *texts):
    """Test events with these texts."""
    for text in texts:
        body = {"MessageId": "ResourceEvent.1.4.TestMessage", "Message": text}
        assert bmc.post(TEST_EVENT, body).status == 204


def texts(sink):
    return [record["Message"] for record in sink.records if record["MessageId"].endswith("TestMessage")]


def arrive(sink: Sink, *wanted: str) -> None:
    sink.wait(lambda: len(texts(sink)) >= len(wanted))
    assert texts(sink) == list(wanted)


def settled(bmc, place, **wanted):
    """The subscription, when its Status is so; that it is told takes a turn of the outbox."""
    from time import monotonic

    ends = monotonic() + 10
    while monotonic() < ends:
        status = bmc.get(place).body["Status"]
        if status == status | wanted:
            return status
    raise AssertionError(status)


def test_events_arrive_in_their_order_with_what_the_client_gave(bmc, sink):
    subscribe(bmc, sink.url, Context="rack 7", HttpHeaders=[{"X-Token": "s3cret"}])
    numbers = [str(number) for number in range(20)]
    send(bmc, *numbers)
    arrive(sink, *numbers)
    path, headers, event = sink.seen[0]
    assert path == "/events"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Token"] == "s3cret"
    assert event["@odata.type"] == "#Event.v1_13_0.Event"
    assert event["Context"] == "rack 7"
    assert [record["MemberId"] for record in event["Events"]] == ["0"]
    ids = [int(event["Id"]) for event in sink.taken]
    assert all(one < other for one, other in pairwise(ids))


def test_what_happens_to_a_job_is_told_in_every_vocabulary(bmc, sink):
    bmc.post(SUBSCRIPTIONS, {"Destination": sink.url, "Protocol": "Redfish"})
    bmc.patch_bios(ProcVirtualization="Disabled")
    job = bmc.create_job()
    bmc.reset()
    bmc.advance(600)
    sink.wait(lambda: "JobEvent.1.1.JobCompletedOK" in sink.message_ids)
    told = {record["MessageId"]: record for record in sink.records}
    for message_id, place in {
        "JobEvent.1.1.JobStarted": f"/redfish/v1/JobService/Jobs/{job}",
        "JobEvent.1.1.JobCompletedOK": f"/redfish/v1/JobService/Jobs/{job}",
        "TaskEvent.1.0.TaskStarted": f"/redfish/v1/TaskService/Tasks/{job}",
        "TaskEvent.1.0.TaskCompletedOK": f"/redfish/v1/TaskService/Tasks/{job}",
        "IDRAC.2.7.JCP037": f"/redfish/v1/JobService/Jobs/{job}",
    }.items():
        assert told[message_id]["OriginOfCondition"] == {"@odata.id": place}, message_id
    alert = told["IDRAC.2.7.JCP037"]
    assert alert["EventType"] == "Alert"
    entry = bmc.get(alert["LogEntry"]["@odata.id"]).body
    assert (entry["MessageId"], entry["Message"]) == (alert["MessageId"], alert["Message"])
    assert alert["EventGroupId"] == told["JobEvent.1.1.JobCompletedOK"]["EventGroupId"]
    assert len({record["EventId"] for record in sink.records}) == len(sink.records)
    # each has the moment at which it happened, not that of the delivery
    ended = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body["EndTime"]
    assert told["JobEvent.1.1.JobCompletedOK"]["EventTimestamp"] == ended


def test_a_test_event_is_what_the_client_said_and_an_older_clients_is_filled_in(bmc, sink):
    bmc.post(SUBSCRIPTIONS, {"Destination": sink.url, "Protocol": "Redfish"})
    given = {
        "MessageId": "Contoso.1.2.Anything",
        "MessageArgs": ["a"],
        "OriginOfCondition": "/redfish/v1/Chassis",
        "EventGroupId": 7,
        "EventTimestamp": "2020-01-01T00:00:00Z",
    }
    assert bmc.post(TEST_EVENT, given).status == 204
    assert bmc.post(TEST_EVENT, {"EventTypes": "Alert", "MessageId": "PR19", "Destination": "x"}).status == 204
    assert bmc.post(TEST_EVENT, {"EventTypes": "Alert", "MessageId": "TMP0118"}).status == 204
    sink.wait(lambda: len(sink.records) == 3)
    modern, older, unknown = sink.records
    assert modern == {
        **given,
        "OriginOfCondition": {"@odata.id": "/redfish/v1/Chassis"},
        "EventType": "Other",
        "EventId": modern["EventId"],
        "MemberId": "0",
    }
    assert (older["MessageId"], older["EventType"]) == ("IDRAC.2.7.PR19", "Alert")
    assert older["Message"] == "Job completed successfully."
    assert (unknown["MessageId"], unknown["MessageSeverity"]) == ("Unknown.1.0.TMP0118", "OK")


def test_each_controller_of_many_speaks_for_itself(make_bmc, sink):
    bmc = make_bmc(controllers=2)
    bmc.host = "127.0.0.2"
    bmc.post(SUBSCRIPTIONS, {"Destination": sink.url, "Protocol": "Redfish", "Context": "second"})
    bmc.host = "127.0.0.1"
    send(bmc, "from the first")
    bmc.host = "127.0.0.2"
    send(bmc, "from the second")
    arrive(sink, "from the second")


def test_who_wants_only_some_is_sent_only_those(bmc, sink):
    bmc.post(SUBSCRIPTIONS, {"Destination": sink.url, "Protocol": "Redfish", "MessageIds": ["JobEvent.JobCompletedOK"]})
    bmc.patch_bios(ProcVirtualization="Disabled")
    bmc.create_job()
    bmc.reset()
    bmc.advance(600)
    sink.wait(lambda: sink.message_ids)
    assert sink.message_ids == ["JobEvent.1.1.JobCompletedOK"]


def test_a_delivery_that_fails_is_made_again_after_the_interval_and_nothing_is_lost(bmc, sink):
    place = subscribe(bmc, sink.url)
    sink.status = 500
    send(bmc, "one", "two")
    status = settled(bmc, place, Health="Warning")
    assert status["State"] == "Enabled"
    assert "500" in status["Conditions"][0]["Message"]
    assert len(sink.seen) == 1
    sink.status = 200
    bmc.advance(RETRY_SECONDS - 1)
    assert len(sink.seen) == 1  # virtual time alone decides
    bmc.advance(1)
    arrive(sink, "one", "two")
    assert sink.seen[0][2] == sink.seen[1][2]  # the same Id, the same events
    assert settled(bmc, place, Health="OK") == {"State": "Enabled", "Health": "OK"}


def test_after_its_retries_a_subscription_is_suspended_until_it_is_resumed(bmc, sink):
    bmc.patch(SERVICE, {"DeliveryRetryAttempts": 2, "DeliveryRetryIntervalSeconds": 10})
    place = subscribe(bmc, sink.url)
    sink.status = 503
    send(bmc, "one")
    for attempts in (1, 2, 3):
        sink.wait(lambda: len(sink.seen) == attempts)  # noqa: B023 - called at once
        if attempts < 3:
            settled_after(bmc, place, attempts)
            assert bmc.get(place).body["Status"]["State"] == "Enabled"
        bmc.advance(10)
    assert settled(bmc, place, State="Disabled")["Health"] == "Warning"
    send(bmc, "two")
    bmc.advance(3600)
    assert len(sink.seen) == 3
    sink.status = 200
    assert bmc.post(f"{place}/Actions/EventDestination.ResumeSubscription").status == 200
    arrive(sink, "one", "two")
    assert bmc.get(place).body["Status"] == {"State": "Enabled", "Health": "OK"}


def test_after_its_retries_a_subscription_is_gone_where_that_was_asked_for(bmc, sink):
    bmc.patch(SERVICE, {"DeliveryRetryAttempts": 0})
    place = subscribe(bmc, sink.url, DeliveryRetryPolicy="TerminateAfterRetries")
    sink.status = 404
    send(bmc, "one")
    sink.wait(lambda: sink.seen)
    while bmc.get(place).status == 200:
        pass
    assert bmc.get(SUBSCRIPTIONS).body["Members"] == []


@pytest.mark.parametrize(
    ("policy", "waits"), [("RetryForever", (10, 10, 10)), ("RetryForeverWithBackoff", (10, 20, 40))]
)
def test_some_try_for_ever(bmc, sink, policy, waits):
    bmc.patch(SERVICE, {"DeliveryRetryAttempts": 1, "DeliveryRetryIntervalSeconds": 10})
    place = subscribe(bmc, sink.url, DeliveryRetryPolicy=policy)
    sink.status = 500
    send(bmc, "one")
    for attempt, seconds in enumerate(waits, 1):
        sink.wait(lambda: len(sink.seen) == attempt)  # noqa: B023 - called at once
        settled_after(bmc, place, attempt)
        bmc.advance(seconds - 0.1)
        assert len(sink.seen) == attempt
        if attempt == len(waits):
            sink.status = 200
        bmc.advance(0.1)
    arrive(sink, "one")


def settled_after(bmc, place, failures):
    """When the machine has been told of so many failures."""
    key = place.rpartition("/")[2]
    while True:
        with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
            if machine.subscriptions.get(key).failures == failures:
                return


def test_a_redirect_is_not_followed(bmc, sink):
    place = subscribe(bmc, sink.url)
    sink.status = 307
    send(bmc, "one")
    assert "307" in settled(bmc, place, Health="Warning")["Conditions"][0]["Message"]
    assert len(sink.seen) == 1


def test_a_suspended_subscription_is_told_afterwards_what_is_not_too_old(bmc, sink):
    place = subscribe(bmc, sink.url)
    assert bmc.post(f"{place}/Actions/EventDestination.SuspendSubscription").status == 200
    assert bmc.get(place).body["Status"] == {"State": "Disabled", "Health": "OK"}
    send(bmc, "old")
    bmc.advance(600)
    send(bmc, "new")
    assert sink.seen == []
    resume = f"{place}/Actions/EventDestination.ResumeSubscription"
    assert bmc.post(resume, {"DeliverBufferedEventDuration": "ten minutes"}).status == 400
    assert bmc.get(place).body["Status"]["State"] == "Disabled"
    assert bmc.post(resume, {"DeliverBufferedEventDuration": "PT5M"}).status == 200
    arrive(sink, "new")


def test_a_heartbeat_comes_at_its_due_times(bmc, sink):
    place = subscribe(bmc, sink.url, SendHeartbeat=True, HeartbeatIntervalMinutes=2)
    began = bmc.get("/jobfish/v1/clock").body
    bmc.advance(119)
    assert sink.seen == []
    bmc.advance(301)  # seven minutes in all

    def beats():
        return [one for one in sink.message_ids if one == "HeartbeatEvent.1.1.RedfishServiceFunctional"]

    sink.wait(lambda: len(beats()) == 3)
    assert began
    bmc.delete(place)
    bmc.advance(600)
    assert len(beats()) == 3


def test_https_to_a_self_signed_sink_unless_it_is_to_be_checked(bmc, tmp_path):
    with listening(ensure_certificate(tmp_path)) as secure:
        subscribe(bmc, secure.url)
        checked = subscribe(bmc, secure.url, VerifyCertificate=True)
        send(bmc, "one")
        arrive(secure, "one")
        assert "TLS" in settled(bmc, checked, Health="Warning")["Conditions"][0]["Message"]


def test_nothing_goes_where_nothing_may_go(bmc, sink, caplog):
    place = subscribe(bmc, "https://192.168.1.50/Destination1", HttpHeaders=[{"X-Token": "s3cret"}])
    other = subscribe(bmc, sink.url)
    with caplog.at_level(logging.WARNING):
        send(bmc, "one")
        arrive(sink, "one")
        status = settled(bmc, place, Health="Warning")
    assert status["State"] == "Enabled"
    assert status["Conditions"][0]["MessageId"] == "Jobfish.1.0.DeliveryWithheld"
    assert "192.168.1.50" in status["Conditions"][0]["Message"]
    assert "192.168.1.50" in caplog.text
    assert "s3cret" not in caplog.text
    assert bmc.get(other).body["Status"]["Health"] == "OK"


def test_a_restart_in_between_loses_nothing_and_keeps_the_order(make_bmc, tmp_path, sink):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    service.start()
    bmc = Bmc(service)
    place = subscribe(bmc, sink.url, DeliveryRetryPolicy="RetryForever", HttpHeaders=[{"X-Token": "s3cret"}])
    send(bmc, "one")
    arrive(sink, "one")
    sink.status = 500
    send(bmc, "two", "three")
    settled(bmc, place, Health="Warning")
    service.stop()
    again = make_bmc(state=tmp_path)
    send(again, "four")
    sink.status = 200
    again.advance(RETRY_SECONDS)
    arrive(sink, "one", "two", "three", "four")
    assert sink.seen[-1][1]["X-Token"] == "s3cret"
    numbers = [int(event["Id"]) for event in sink.taken]
    assert numbers == sorted(set(numbers))


def test_what_is_not_kept_any_more_is_said_to_be_lost(make_bmc, sink):
    bmc = make_bmc()
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        machine.events._room = 32
    place = subscribe(bmc, sink.url)
    bmc.post(f"{place}/Actions/EventDestination.SuspendSubscription")
    send(bmc, *(str(number) for number in range(100)))
    bmc.post(f"{place}/Actions/EventDestination.ResumeSubscription")
    sink.wait(lambda: texts(sink)[-1:] == ["99"])
    assert sink.message_ids[0] == "Base.1.22.EventBufferExceeded"
    assert sink.message_ids.count("Base.1.22.EventBufferExceeded") == 1


def test_while_the_service_is_off_nothing_is_published(bmc, sink):
    subscribe(bmc, sink.url)
    assert bmc.patch(SERVICE, {"ServiceEnabled": False}).body["Status"]["State"] == "Disabled"
    send(bmc, "one")
    bmc.patch(SERVICE, {"ServiceEnabled": True})
    send(bmc, "two")
    arrive(sink, "two")
