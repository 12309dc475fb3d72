"""DMTF's `redfish` library, unmodified, over a TLS socket."""

from __future__ import annotations

import pytest
import redfish
from redfish.messages import get_messages_detail, search_message

SYSTEM = "/redfish/v1/Systems/System.Embedded.1"
MANAGER = "/redfish/v1/Managers/iDRAC.Embedded.1"
CHANGE = {"ProcVirtualization": "Disabled", "NumLock": "Off"}


@pytest.fixture
def client(served):
    made = redfish.redfish_client(base_url=served("lifecycle-server"), username="root", password="calvin", max_retry=1)
    made.login(auth="session")
    yield made
    made.logout()


def advance(client, seconds):
    assert client.post("/jobfish/v1/clock", body={"advance": seconds}).status == 200


def run_a_job(client, jobs):
    assert client.patch(f"{SYSTEM}/Bios/Settings", body={"Attributes": CHANGE}).status == 200
    made = client.post(jobs, body={"TargetSettingsURI": f"{SYSTEM}/Bios/Settings"})
    assert made.status == 200
    place = made.getheader("Location")
    assert client.post(f"{SYSTEM}/Actions/ComputerSystem.Reset", body={"ResetType": "ForceRestart"}).status == 204
    states = []
    for _ in range(20):
        state = client.get(place).dict["JobState"]
        if state not in states:
            states.append(state)
        advance(client, 10)
    return place.rpartition("/")[2], states


@pytest.mark.parametrize("jobs", [f"{MANAGER}/Jobs", f"{MANAGER}/Oem/Dell/Jobs"])
def test_a_bios_change_from_patch_to_completed(client, jobs):
    before = client.get(f"{SYSTEM}/Bios").dict["Attributes"]
    _, states = run_a_job(client, jobs)
    assert states == ["New", "Scheduled", "Running", "Completed"]
    assert client.get(f"{SYSTEM}/Bios").dict["Attributes"] == {**before, **CHANGE}


def test_a_run_that_ends_completed_with_errors(client):
    client.post("/jobfish/v1/faults", body={"target": "BIOS.Setup.1-1", "step": "NumLock"})
    job, states = run_a_job(client, f"{MANAGER}/Jobs")
    assert states[-1] == "CompletedWithErrors"
    assert client.get(f"{MANAGER}/Oem/Dell/Jobs/{job}").dict["JobState"] == "CompletedWithErrors"
    assert client.get(f"/redfish/v1/JobService/Jobs/{job}").dict["JobState"] == "Exception"
    assert client.get(f"/redfish/v1/TaskService/Tasks/{job}").dict["TaskState"] == "Exception"
    after = client.get(f"{SYSTEM}/Bios").dict["Attributes"]
    assert (after["ProcVirtualization"], after["NumLock"]) == ("Disabled", "On")


def test_the_librarys_own_monitor_follows_a_202(client):
    made = client.patch(
        f"{SYSTEM}/Bios/Settings",
        body={"Attributes": CHANGE, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}},
    )
    assert made.is_processing
    client.post(f"{SYSTEM}/Actions/ComputerSystem.Reset", body={"ResetType": "PowerCycle"})
    assert made.monitor(client).is_processing
    advance(client, 500)
    ended = made.monitor(client)
    assert (ended.is_processing, ended.status) == (False, 200)


def test_a_refusal_can_be_looked_up_in_the_registries(client):
    refused = client.patch(f"{SYSTEM}/Bios/Settings", body={"Attributes": {"NumLock": "Maybe"}, "Nonsense": 1})
    assert search_message(refused, "Base", "PropertyUnknown") is not None
    files = [client.get(member["@odata.id"]).dict for member in client.get("/redfish/v1/Registries").dict["Members"]]
    places = {file["Registry"]: file["Location"][0]["Uri"] for file in files}
    for said in get_messages_detail(refused)["@Message.ExtendedInfo"]:
        registry, _, key = said["MessageId"].rpartition(".")
        entry = client.get(places[registry]).dict["Messages"][key]
        text = entry["Message"]
        for number, argument in enumerate(said["MessageArgs"], 1):
            text = text.replace(f"%{number}", argument)
        assert (text, entry["MessageSeverity"]) == (said["Message"], said["MessageSeverity"])
