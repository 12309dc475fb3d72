"""EventService and EventDestination: what can be subscribed to, what is refused, who may."""

from __future__ import annotations

import pytest
from conftest import Bmc

from emulator.app import build_service
from emulator.settings import Settings

SERVICE = "/redfish/v1/EventService"
SUBSCRIPTIONS = f"{SERVICE}/Subscriptions"
LEAST = {"Destination": "http://127.0.0.1:9/events", "Protocol": "Redfish"}
ACTIONS = f"{SERVICE}/Actions/EventService."
SECRET = "Bearer open-sesame"


@pytest.fixture(scope="module")
def shared() -> Bmc:
    """A plain service for what leaves it as it was."""
    return Bmc(build_service(Settings(mockup="rack-server", clock="manual")))  # not started: it delivers nothing


MEMBERS = {
    "what every client sends": ({}, {"Context": None, "SubscriptionType": "RedfishEvent", "EventFormatType": "Event"}),
    "a context": ({"Context": "rack 7"}, {"Context": "rack 7"}),
    "older clients' types": ({"EventTypes": ["Alert"]}, {"EventTypes": ["Alert"]}),
    "registries": ({"RegistryPrefixes": ["JobEvent", "TaskEvent"]}, {"RegistryPrefixes": ["JobEvent", "TaskEvent"]}),
    "all but a registry": ({"ExcludeRegistryPrefixes": ["JobEvent"]}, {"ExcludeRegistryPrefixes": ["JobEvent"]}),
    "messages": ({"MessageIds": ["JobEvent.JobStarted"]}, {"MessageIds": ["JobEvent.JobStarted"]}),
    "a message with its version": (
        {"MessageIds": ["JobEvent.1.1.JobStarted"]},
        {"MessageIds": ["JobEvent.1.1.JobStarted"]},
    ),
    "resource types": ({"ResourceTypes": ["Job"]}, {"ResourceTypes": ["Job"]}),
    "severities": ({"Severities": ["Critical"]}, {"Severities": ["Critical"]}),
    "origins": (
        {"OriginResources": [{"@odata.id": "/redfish/v1/JobService/"}], "SubordinateResources": True},
        {"OriginResources": [{"@odata.id": "/redfish/v1/JobService"}], "SubordinateResources": True},
    ),
    "a policy": ({"DeliveryRetryPolicy": "RetryForever"}, {"DeliveryRetryPolicy": "RetryForever"}),
    "no policy": ({}, {"DeliveryRetryPolicy": "SuspendRetries"}),
    "a heartbeat": (
        {"SendHeartbeat": True, "HeartbeatIntervalMinutes": 5},
        {"SendHeartbeat": True, "HeartbeatIntervalMinutes": 5},
    ),
    "headers, which are not shown": ({"HttpHeaders": [{"Authorization": SECRET}]}, {"HttpHeaders": []}),
    "headers as one object": ({"HttpHeaders": {"Authorization": SECRET}}, {"HttpHeaders": []}),
    "checked certificates": ({"VerifyCertificate": True}, {"VerifyCertificate": True}),
    "a place that it may not reach": (
        {"Destination": "https://192.168.1.50/Destination1"},
        {"Destination": "https://192.168.1.50/Destination1"},
    ),
}


@pytest.mark.parametrize("given", MEMBERS)
def test_a_subscription_is_as_it_was_asked_for(shared, given):
    asked, shown = MEMBERS[given]
    answer = shared.post(SUBSCRIPTIONS, {**LEAST, **asked})
    assert answer.status == 201, answer.body
    place = answer.headers["Location"]
    read = shared.get(place)
    assert (read.status, read.body) == (200, answer.body)
    assert read.body == read.body | shown
    assert read.body["Status"] == {"State": "Enabled", "Health": "OK"}
    assert SECRET not in str(read.body)
    members = shared.get(SUBSCRIPTIONS).body
    assert members["Members"] == [{"@odata.id": place}]
    assert shared.delete(place).status == 204
    assert shared.get(place).status == 404
    assert shared.get(SUBSCRIPTIONS).body["Members@odata.count"] == 0


REFUSED = {
    "no destination": ({"Destination": ...}, "Base.PropertyMissing", "/Destination"),
    "no protocol": ({"Protocol": ...}, "Base.PropertyMissing", "/Protocol"),
    "another protocol": ({"Protocol": "FTP"}, "Base.PropertyValueNotInList", "/Protocol"),
    "a mail address": ({"Destination": "mailto:root@localhost"}, "Base.PropertyValueFormatError", "/Destination"),
    "no host": ({"Destination": "http:///events"}, "Base.PropertyValueFormatError", "/Destination"),
    "a user in it": ({"Destination": "http://a:b@127.0.0.1/"}, "Base.PropertyValueFormatError", "/Destination"),
    "a line break in it": ({"Destination": "http://127.0.0.1/\r\nX: y"}, "Base.PropertyValueFormatError", None),
    "no text": ({"Destination": 7}, "Base.PropertyValueTypeError", "/Destination"),
    "another type": ({"SubscriptionType": "SNMPTrap"}, "Base.PropertyValueNotInList", "/SubscriptionType"),
    "a stream by POST": ({"SubscriptionType": "SSE"}, "Base.PropertyValueNotInList", "/SubscriptionType"),
    "metric reports": ({"EventFormatType": "MetricReport"}, "Base.PropertyValueNotInList", "/EventFormatType"),
    "no such registry": ({"RegistryPrefixes": ["Job"]}, "Base.PropertyValueNotInList", "/RegistryPrefixes/0"),
    "no such message": ({"MessageIds": ["JobEvent.Done"]}, "Base.PropertyValueNotInList", "/MessageIds/0"),
    "no such resource type": ({"ResourceTypes": ["Jobs"]}, "Base.PropertyValueNotInList", "/ResourceTypes/0"),
    "a versioned type": ({"ResourceTypes": ["Job.v1_3_0.Job"]}, "Base.PropertyValueNotInList", "/ResourceTypes/0"),
    "no such severity": ({"Severities": ["Fatal"]}, "Base.PropertyValueNotInList", "/Severities/0"),
    "registries and messages": (
        {"RegistryPrefixes": ["JobEvent"], "MessageIds": ["Update.UpdateInProgress"]},
        "Base.PropertyValueConflict",
        "/MessageIds",
    ),
    "an origin that is not there": (
        {"OriginResources": [{"@odata.id": "/redfish/v1/Nowhere"}]},
        "Base.PropertyValueError",
        "/OriginResources/0/@odata.id",
    ),
    "no such policy": ({"DeliveryRetryPolicy": "Never"}, "Base.PropertyValueNotInList", "/DeliveryRetryPolicy"),
    "an interval without a heartbeat": ({"HeartbeatIntervalMinutes": 5}, "Base.PropertyMissing", "/SendHeartbeat"),
    "an interval of nothing": (
        {"SendHeartbeat": True, "HeartbeatIntervalMinutes": 0},
        "Base.PropertyValueOutOfRange",
        "/HeartbeatIntervalMinutes",
    ),
    "a header with a line break": (
        {"HttpHeaders": [{"X-A": f"{SECRET}\r\nHost: elsewhere"}]},
        "Base.PropertyValueFormatError",
        "/HttpHeaders",
    ),
    "a header name with a line break": ({"HttpHeaders": [{"X\r\nY": "1"}]}, "Base.PropertyValueFormatError", None),
    "a header of the connection": ({"HttpHeaders": [{"Host": "a"}]}, "Base.PropertyValueFormatError", "/HttpHeaders"),
    "a header that is no text": ({"HttpHeaders": [{"X-A": 7}]}, "Base.PropertyValueTypeError", "/HttpHeaders/0/X-A"),
    "something unknown": ({"Mood": "good"}, "Base.PropertyUnknown", "/Mood"),
}


@pytest.mark.parametrize("given", REFUSED)
def test_what_cannot_be_subscribed_to_is_refused_and_nothing_changes(shared, given):
    asked, message, related = REFUSED[given]
    before = shared.state()
    body = {name: value for name, value in {**LEAST, **asked}.items() if value is not ...}
    answer = shared.post(SUBSCRIPTIONS, body)
    assert (answer.status, answer.message_ids[0]) == (400, message), answer.body
    assert related is None or related in answer.related
    assert SECRET not in str(answer.body)
    assert shared.get(SUBSCRIPTIONS).body["Members"] == []
    assert shared.state() == before


def test_the_collection_takes_no_more_than_the_policy_allows(make_bmc):
    bmc = make_bmc()
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        most = machine.policy.max_subscriptions
    for _ in range(most):
        assert bmc.post(f"{SUBSCRIPTIONS}/Members", LEAST).status == 201
    answer = bmc.post(SUBSCRIPTIONS, LEAST)
    assert (answer.status, answer.message_ids) == (503, ["Base.CreateLimitReachedForResource"])
    assert bmc.get(SUBSCRIPTIONS).body["Members@odata.count"] == most
    last = bmc.get(SUBSCRIPTIONS).body["Members"][-1]["@odata.id"]
    assert bmc.delete(last).status == 200  # lifecycle controllers' clients want that
    assert bmc.post(SUBSCRIPTIONS, LEAST).headers["Location"] > last  # a number is not used again


PATCHED = {
    "context": ({"Context": "new"}, 200, None),
    "policy": ({"DeliveryRetryPolicy": "TerminateAfterRetries"}, 200, None),
    "certificates": ({"VerifyCertificate": True}, 200, None),
    "nothing": ({}, 400, "Base.NoOperation"),
    "only annotations": ({"@odata.id": "x"}, 400, "Base.NoOperation"),
    "no such policy": ({"DeliveryRetryPolicy": "Never"}, 400, "Base.PropertyValueNotInList"),
    "a header with a line break": ({"HttpHeaders": [{"X": "a\nb"}]}, 400, "Base.PropertyValueFormatError"),
}


@pytest.mark.parametrize("given", PATCHED)
def test_patch_of_a_subscription(shared, given):
    body, status, message = PATCHED[given]
    place = shared.post(SUBSCRIPTIONS, LEAST).headers["Location"]
    before = shared.get(place).body
    answer = shared.patch(place, body)
    assert (answer.status, answer.message_ids[:1]) == (status, [message] if message else [])
    after = shared.get(place).body
    same = {**before, "@odata.etag": after.get("@odata.etag")} if "@odata.etag" in before else before
    assert after == (same | body if status == 200 else before)
    shared.delete(place)


SETTINGS = {
    "attempts": ({"DeliveryRetryAttempts": 5}, 200, None),
    "interval": ({"DeliveryRetryIntervalSeconds": 60}, 200, None),
    "off": ({"ServiceEnabled": False}, 200, None),
    "nothing": ({}, 400, "Base.NoOperation"),
    "negative": ({"DeliveryRetryAttempts": -1}, 400, "Base.PropertyValueOutOfRange"),
    "too long": ({"DeliveryRetryIntervalSeconds": 10**9}, 400, "Base.PropertyValueOutOfRange"),
    "no number": ({"DeliveryRetryAttempts": "3"}, 400, "Base.PropertyValueTypeError"),
}


@pytest.mark.parametrize("given", SETTINGS)
def test_patch_of_the_service(shared, given):
    body, status, message = SETTINGS[given]
    before = shared.get(SERVICE).body
    answer = shared.patch(SERVICE, body)
    assert (answer.status, answer.message_ids[:1]) == (status, [message] if message else [])
    after = shared.get(SERVICE).body
    assert after == after | (body if status == 200 else before)
    shared.patch(SERVICE, {name: before[name] for name in body if name in before})


WHO = {
    "anybody reads": ("GET", SUBSCRIPTIONS, None, {"readonly": 200, "operator": 200, "root": 200}),
    "operators subscribe": ("POST", SUBSCRIPTIONS, LEAST, {"readonly": 403, "operator": 201, "root": 201}),
    "managers change it": ("PATCH", "{place}", {"Context": "x"}, {"readonly": 403, "operator": 403, "root": 200}),
    "managers suspend it": ("POST", "{place}/Actions/EventDestination.SuspendSubscription", {}, {"operator": 403}),
    "managers resume it": ("POST", "{place}/Actions/EventDestination.ResumeSubscription", {}, {"operator": 403}),
    "managers delete it": ("DELETE", "{place}", None, {"readonly": 403, "operator": 403, "root": 204}),
    "managers set the service up": ("PATCH", SERVICE, {"DeliveryRetryAttempts": 1}, {"operator": 403, "root": 200}),
    "managers test it": ("POST", f"{ACTIONS}TestEventSubscription", {}, {"operator": 403, "root": 204}),
}
USERS = {"root": ("root", "calvin"), "operator": ("operator", "operator"), "readonly": ("readonly", "readonly")}


@pytest.mark.parametrize("what", WHO)
def test_who_may(shared, what):
    method, uri, body, statuses = WHO[what]
    place = shared.post(SUBSCRIPTIONS, LEAST).headers["Location"]
    for user, status in statuses.items():
        shared.user = USERS[user]
        assert shared.call(method, uri.format(place=place), body).status == status, user
    shared.user = None
    assert shared.call(method, uri.format(place=place), body).status == 401
    shared.user = USERS["root"]
    for member in shared.get(SUBSCRIPTIONS).body["Members"]:
        shared.delete(member["@odata.id"])


def test_who_has_subscribed_may_unsubscribe(rack):
    rack.user = USERS["operator"]
    place = rack.post(SUBSCRIPTIONS, LEAST).headers["Location"]
    assert rack.patch(place, {"Context": "mine"}).status == 200
    assert rack.delete(place).status == 204


TESTS = {
    "a message": ({"MessageId": "ResourceEvent.1.4.TestMessage"}, 204, None),
    "an older client's": ({"EventType": "Alert"}, 204, None),
    "a lifecycle controller's client's": (
        {
            "Destination": "https://x",
            "EventTypes": "Alert",
            "Context": "root",
            "Protocol": "Redfish",
            "MessageId": "TMP0118",
        },
        204,
        None,
    ),
    "types as a list": ({"EventTypes": ["Alert"]}, 204, None),
    "a time that is none": (
        {"MessageId": "A.1.0.B", "EventTimestamp": "noon"},
        400,
        "Base.ActionParameterValueFormatError",
    ),
    "neither": ({}, 400, "Base.ActionParameterMissing"),
    "no such type": ({"EventType": "Party"}, 400, "Base.ActionParameterValueNotInList"),
    "something unknown": ({"MessageId": "A.1.0.B", "Mood": 1}, 400, "Base.ActionParameterUnknown"),
}


@pytest.mark.parametrize("given", TESTS)
def test_submit_test_event(shared, given):
    body, status, message = TESTS[given]
    answer = shared.post(f"{ACTIONS}SubmitTestEvent", body)
    assert (answer.status, answer.message_ids[:1]) == (status, [message] if message else [])


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_the_service_is_there_whatever_the_tree_has(make_bmc, mockup):
    bmc = make_bmc(mockup=mockup)
    root = bmc.get("/redfish/v1").body
    assert root["EventService"] == {"@odata.id": SERVICE}
    service = bmc.get(SERVICE).body
    assert service["Subscriptions"] == {"@odata.id": SUBSCRIPTIONS}
    assert {"JobEvent", "TaskEvent", "ResourceEvent", "Update", "HeartbeatEvent"} <= set(service["RegistryPrefixes"])
    assert {"Job", "Task", "Volume", "ComputerSystem"} <= set(service["ResourceTypes"])
