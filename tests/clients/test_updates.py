"""Updates with unmodified clients over a TLS socket: OpenStack's `sushy`, and DMTF's `redfish` library."""

from __future__ import annotations

import json

import pytest
import redfish
import requests
import sushy
from images import BLOCK, damaged, eventually, package, serving

SERVICE = "/redfish/v1/UpdateService"
INVENTORY = f"{SERVICE}/FirmwareInventory"
PLACES = {
    # mockup -> a component that needs no restart, one that does, the resource of the second
    "lifecycle-server": ("PSU.Slot.1", "BIOS.Setup.1-1", "/redfish/v1/Systems/System.Embedded.1/Bios"),
    "rack-server": ("psu-1", "bios", "/redfish/v1/Systems/rack-1/Bios"),
}


@pytest.fixture
def images():
    with serving() as server:
        yield server


class Controller:
    """A controller, and what the clients below have in common."""

    def __init__(self, url, mockup):
        self.url = url
        self.direct, self.staged, self.bios = PLACES[mockup]

    def ask(self, method, path, **options):
        answer = requests.request(method, self.url + path, auth=("root", "calvin"), verify=False, timeout=10, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def advance(self, seconds):
        self.ask("POST", "/jobfish/v1/clock", json={"advance": seconds})

    def versions(self):
        members = self.ask("GET", f"{INVENTORY}?$expand=*($levels=1)")["Members"]
        return {member["Version"] for member in members}

    def wait(self, is_processing, seconds=2000):
        """Let time go on until the client says that it is over."""
        for _ in range(0, seconds, 20):
            if not is_processing():
                return
            self.advance(20)
        raise AssertionError("it is still going on")


@pytest.fixture(params=PLACES)
def controller(request, served):
    return Controller(served(request.param), request.param)


@pytest.fixture
def service(controller):
    auth = sushy.auth.SessionOrBasicAuth("root", "calvin")
    yield sushy.Sushy(controller.url, auth=auth, verify=False).get_update_service()
    auth.close()  # or sushy tries to when it is collected, long after the service is gone


# -- sushy ------------------------------------------------------------------------------------------------------------


def test_sushy_updates_what_needs_no_restart_and_follows_the_monitor(controller, service, images):
    uri, tap = images.tap("fw_9.8.7.bin", bytes(4 * BLOCK))
    entry = next(one for one in service.firmware_inventory.get_members() if controller.direct in one.identity)
    monitor = service.simple_update(uri, targets=[entry.path])
    tap.wait_for_someone()
    assert monitor.check_is_processing
    tap.send()
    controller.wait(lambda: monitor.check_is_processing)
    assert monitor.response.status_code == 200
    assert "9.8.7" in controller.versions()


def test_sushy_updates_the_bios_with_a_restart(controller, service, images):
    monitor = service.simple_update(images.add("fw_9.8.7.bin", b"opaque"), targets=[controller.bios])
    job = f"/redfish/v1/JobService/Jobs/{monitor.task_monitor_uri.rpartition('/')[2]}"
    eventually(lambda: controller.ask("GET", job)["JobState"], lambda state: state == "Pending")
    assert monitor.check_is_processing
    reset = f"{controller.bios.rpartition('/')[0]}/Actions/ComputerSystem.Reset"
    controller.ask("POST", reset, json={"ResetType": "ForceRestart"})
    controller.wait(lambda: monitor.check_is_processing)
    assert "9.8.7" in controller.versions()


def test_sushy_is_told_of_a_download_that_fails(controller, service, images):
    monitor = service.simple_update(f"{images.url}/nope.img", transfer_protocol=sushy.UPDATE_PROTOCOL_HTTP)
    job = monitor.task_monitor_uri.rpartition("/")[2]
    place = f"/redfish/v1/TaskService/Tasks/{job}"
    task = eventually(lambda: controller.ask("GET", place), lambda task: task["TaskState"] == "Exception")
    assert task["TaskStatus"] == "Critical"
    assert "404" in task["Messages"][0]["Message"]
    if "Oem" in task:  # a lifecycle controller's clients find the task where they have waited, Ironic for one
        assert monitor.check_is_processing is False
        assert monitor.get_task().task_state == sushy.TASK_STATE_EXCEPTION
    else:
        with pytest.raises(sushy.exceptions.BadRequestError, match="404"):
            monitor.refresh()


def test_sushy_is_refused_a_target_that_is_none(controller, service):
    with pytest.raises(sushy.exceptions.BadRequestError):
        service.simple_update("http://127.0.0.1:1/x", targets=["/redfish/v1/Nope"])


def test_sushy_knows_what_the_service_offers(controller, service):
    assert service.service_enabled
    assert service.http_push_uri in (INVENTORY, f"{SERVICE}/HttpPush")
    for entry in service.firmware_inventory.get_members():
        assert entry.updateable
        assert entry.status.health == sushy.HEALTH_OK


# -- the redfish library ----------------------------------------------------------------------------------------------


@pytest.fixture
def client(controller):
    made = redfish.redfish_client(base_url=controller.url, username="root", password="calvin", max_retry=1)
    made.login(auth="session")
    yield made
    made.logout()


def push(client, content, **parameters):
    """A multipart push, as redfish_utilities does it."""
    body = {
        "UpdateParameters": (None, json.dumps(parameters), "application/json"),
        "UpdateFile": ("new.img", content, "application/octet-stream"),
    }
    uri = client.get(SERVICE).dict["MultipartHttpPushUri"]
    return client.post(uri, body=body, headers={"Content-Type": "multipart/form-data"})


def test_the_library_pushes_a_form_and_follows_its_own_monitor(controller, client):
    made = push(client, package(controller.staged, "9.8.7"), **{"@Redfish.OperationApplyTime": "Immediate"})
    assert (made.status, made.is_processing) == (202, True)
    ended = made.monitor(client)
    assert ended.is_processing
    controller.advance(1000)
    ended = made.monitor(client)
    assert (ended.status, ended.is_processing) == (200, False)
    assert "9.8.7" in controller.versions()


def test_the_library_is_told_why_a_push_has_failed(controller, client):
    made = push(client, damaged(package(controller.staged, "9.8.7")))
    assert made.status == 202
    job = made.task_location.rpartition("/")[2]
    task = client.get(f"/redfish/v1/TaskService/Tasks/{job}").dict
    assert task["TaskState"] == "Exception"
    assert "damaged" in task["Messages"][0]["Message"]


def test_the_library_is_refused_a_bad_form(controller, client):
    made = push(client, b"x", Target="x")
    assert made.status == 400
    assert made.dict["error"]["@Message.ExtendedInfo"]


def test_the_library_updates_rolls_back_and_starts_what_waits(controller, client, images):
    actions = {
        name: client.get(SERVICE).dict["Actions"][f"#UpdateService.{name}"]["target"]
        for name in ("SimpleUpdate", "StartUpdate")
    }
    body = {"ImageURI": images.add("new.img", package(controller.direct, "9.8.7", needs_reboot=False))}
    made = client.post(actions["SimpleUpdate"], body={**body, "@Redfish.OperationApplyTime": "OnStartUpdateRequest"})
    job = f"/redfish/v1/JobService/Jobs/{made.task_location.rpartition('/')[2]}"
    eventually(lambda: client.get(job).dict["JobState"], lambda state: state == "Pending")
    started = client.post(actions["StartUpdate"], body={})
    assert started.task_location == made.task_location
    controller.advance(120)
    assert client.get(job).dict["JobState"] == "Completed"
    members = client.get(INVENTORY).dict["Members"]
    (previous,) = [member["@odata.id"] for member in members if "/Previous-" in member["@odata.id"]]
    made = client.post(actions["SimpleUpdate"], body={"ImageURI": previous})
    controller.advance(120)
    assert made.monitor(client).status == 200
    assert client.get(INVENTORY).dict["Members@odata.count"] == len(members), "it can be rolled back again"
