"""Events by real clients: DMTF's library subscribes, and a process that is killed has lost nothing."""

from __future__ import annotations

import redfish
import requests
from event_sink import listening

SUBSCRIPTIONS = "/redfish/v1/EventService/Subscriptions"
TEST_EVENT = "/redfish/v1/EventService/Actions/EventService.SubmitTestEvent"


def test_the_redfish_library_subscribes_and_is_told(served):
    client = redfish.redfish_client(base_url=served("rack-server"), username="root", password="calvin", max_retry=1)
    client.login(auth="session")
    try:
        service = client.get("/redfish/v1/EventService").dict
        with listening() as sink:
            body = {"Destination": sink.url, "Protocol": "Redfish", "RegistryPrefixes": ["ResourceEvent"]}
            made = client.post(service["Subscriptions"]["@odata.id"], body=body)
            assert made.status == 201
            place = made.getheader("Location")
            action = service["Actions"]["#EventService.SubmitTestEvent"]["target"]
            assert client.post(action, body={"MessageId": "ResourceEvent.1.4.TestMessage"}).status == 204
            sink.wait(lambda: sink.message_ids)
            assert sink.message_ids == ["ResourceEvent.1.4.TestMessage"]
            assert client.delete(place).status == 204
    finally:
        client.logout()


def test_a_process_that_is_killed_has_lost_no_event(serve, tmp_path):
    arguments = ("--state", str(tmp_path), "--http", "--clock", "manual")
    killed = serve(*arguments)
    session = requests.Session()
    session.auth = ("root", "calvin")

    def post(process, uri, body):
        answer = session.post(f"{process.url}{uri}", json=body, timeout=20)
        assert answer.status_code in (200, 201, 204), answer.text

    with listening() as sink:
        sink.status = 500
        body = {"Destination": sink.url, "Protocol": "Redfish", "DeliveryRetryPolicy": "RetryForever"}
        post(killed, SUBSCRIPTIONS, {**body, "MessageIds": ["ResourceEvent.TestMessage"]})
        for number in range(3):
            post(killed, TEST_EVENT, {"MessageId": "ResourceEvent.1.4.TestMessage", "Message": str(number)})
        sink.wait(lambda: sink.seen)
        killed.kill()
        sink.status = 200
        again = serve(*arguments)
        post(again, "/jobfish/v1/clock", {"advance": 60})
        sink.wait(lambda: len(sink.records) == 3)
    assert [record["Message"] for record in sink.records] == ["0", "1", "2"]
    assert sink.taken[0] == sink.seen[0][2]  # what had not been acknowledged, under the same Id
