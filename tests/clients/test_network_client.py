"""DMTF's `redfish` library, unmodified, over a TLS socket: a port's configuration from its adapter to what is in force."""

from __future__ import annotations

import re

import pytest
import redfish

SYSTEM = "/redfish/v1/Systems/System.Embedded.1"
MANAGER = "/redfish/v1/Managers/iDRAC.Embedded.1"
FQDD = "NIC.Integrated.1-1-1"
MAC = "02:4a:46:26:11:aa"


@pytest.fixture
def make_client(served):
    made = []

    def connect(mockup):
        client = redfish.redfish_client(base_url=served(mockup), username="root", password="calvin", max_retry=1)
        client.login(auth="session")
        made.append(client)
        return client

    yield connect
    for client in made:
        client.logout()


def follow(client, document, *names):
    """What the links of these names lead to, one after the other."""
    for name in names:
        document = client.get(document[name]["@odata.id"]).dict
    return document


def members(client, collection):
    return [client.get(member["@odata.id"]).dict for member in collection["Members"]]


def functions_of(client, system):
    """As ansible finds them: NetworkInterfaces, then NetworkDeviceFunctions."""
    for interface in members(client, follow(client, system, "NetworkInterfaces")):
        yield from members(client, follow(client, interface, "NetworkDeviceFunctions"))


def restart(client, system):
    assert client.post(f"{system}/Actions/ComputerSystem.Reset", body={"ResetType": "ForceRestart"}).status == 204
    states = []
    for _ in range(30):
        assert client.post("/jobfish/v1/clock", body={"advance": 10}).status == 200
        states.append(client.get(system).dict["PowerState"])
    return states


def test_the_attributes_of_a_port_from_their_registry_to_the_job(make_client):
    client = make_client("lifecycle-server")
    functions = {function["Id"]: function for function in functions_of(client, client.get(SYSTEM).dict)}
    assert len(functions) == 4
    place = functions[FQDD]["Links"]["Oem"]["Dell"]["DellNetworkAttributes"]["@odata.id"]
    resource = client.get(place).dict
    files = [file for file in members(client, client.get("/redfish/v1/Registries").dict) if FQDD in file["Id"]]
    registry = client.get(files[0]["Location"][0]["Uri"]).dict["RegistryEntries"]["Attributes"]
    entry = next(entry for entry in registry if entry["AttributeName"] == "BootRetryCnt")
    wanted = entry["Value"][-1]["ValueName"]
    settings = resource["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    assert "OnReset" in resource["@Redfish.Settings"]["SupportedApplyTimes"]

    # partly wrong: the library sees what was left out, and the job that was made all the same
    made = client.patch(
        settings,
        body={
            "Attributes": {"BootRetryCnt": wanted, "NoSuchAttribute": 1},
            "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"},
        },
    )
    assert (made.status, made.is_processing) == (202, True)
    assert [entry["MessageArgs"][0] for entry in made.dict["error"]["@Message.ExtendedInfo"]] == ["NoSuchAttribute"]
    job = re.search("JID_[0-9]{12}", made.getheader("Location"))[0]
    assert client.get(settings).dict["Attributes"] == {"BootRetryCnt": wanted}
    assert client.patch(settings, body={"Attributes": {"BlnkLeds": 1}}).status == 400

    restart(client, SYSTEM)
    ended = made.monitor(client)
    assert (ended.is_processing, ended.status) == (False, 200)
    seen = client.get(f"{MANAGER}/Oem/Dell/Jobs/{job}").dict
    assert (seen["JobState"], seen["JobType"], seen["Name"]) == ("Completed", "NICConfiguration", f"Configure: {FQDD}")
    assert client.get(place).dict["Attributes"] == {**resource["Attributes"], "BootRetryCnt": wanted}
    assert client.get(settings).dict["Attributes"] == {}


def test_two_steps_in_dmtfs_shape_and_a_job_for_a_settings_uri(make_client):
    client = make_client("lifecycle-server")
    function = next(each for each in functions_of(client, client.get(SYSTEM).dict) if each["Id"] == FQDD)
    settings = function["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    assert client.patch(settings, body={"Ethernet": {"MACAddress": MAC}}).status == 200
    made = client.post(f"{MANAGER}/Jobs", body={"TargetSettingsURI": settings, "RebootJobType": "PowerCycle"})
    assert made.status == 200
    client.post("/jobfish/v1/clock", body={"advance": 400})
    assert client.get(made.getheader("Location")).dict["JobState"] == "Completed"
    assert client.get(function["@odata.id"]).dict["Ethernet"]["MACAddress"] == MAC
    assert client.get(f"{SYSTEM}/EthernetInterfaces/{FQDD}").dict["MACAddress"] == MAC


def test_a_plain_service_does_the_same_without_a_vendor(make_client):
    client = make_client("rack-server")
    system = client.get(client.get("/redfish/v1/Systems").dict["Members"][0]["@odata.id"]).dict
    function = next(functions_of(client, system))
    settings = function["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    pending = client.patch(settings, body={"Ethernet": {"MTUSize": 9000, "VLAN": {"VLANEnable": True, "VLANId": 7}}})
    assert (pending.status, pending.dict["Ethernet"]["MTUSize"]) == (200, 9000)
    made = client.patch(settings, body={"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}})
    assert made.is_processing
    restart(client, system["@odata.id"])
    assert made.monitor(client).status == 200
    now = client.get(function["@odata.id"]).dict["Ethernet"]
    assert (now["MTUSize"], now["VLAN"]) == (9000, {"VLANEnable": True, "VLANId": 7})


def test_a_speed_is_set_by_a_job_and_read_from_the_port_and_its_interface(make_client):
    client = make_client("lifecycle-server")
    function = next(each for each in functions_of(client, client.get(SYSTEM).dict) if each["Id"] == FQDD)
    port = function["Links"]["PhysicalNetworkPortAssignment"]["@odata.id"]
    (interface,) = function["Links"]["EthernetInterfaces"]
    resource = client.get(function["Links"]["Oem"]["Dell"]["DellNetworkAttributes"]["@odata.id"]).dict
    settings = resource["@Redfish.Settings"]["SettingsObject"]["@odata.id"]

    def speeds():
        return client.get(port).dict["CurrentSpeedGbps"], client.get(interface["@odata.id"]).dict["SpeedMbps"]

    assert speeds() == (25, 25_000)
    made = client.patch(
        settings,
        body={"Attributes": {"LnkSpeed": "10Gbps"}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}},
    )
    assert (made.is_processing, speeds()) == (True, (25, 25_000))
    restart(client, SYSTEM)
    assert (made.monitor(client).status, speeds()) == (200, (10, 10_000))

    lost = client.post("/jobfish/v1/devices/NIC.Integrated.1/events", body={"event": "CableRemoved", "part": FQDD[:-2]})
    assert (lost.status, speeds()) == (200, (None, None))
    assert client.get(port).dict["LinkStatus"] == "NoLink"
    log = client.get(f"{MANAGER}/LogServices/Lclog/Entries?$top=2").dict["Members"]
    assert [entry["MessageId"].rpartition(".")[2] for entry in log] == ["NIC100", "CableRemoved"]


def test_the_managers_interface_is_set_as_ansible_does_it(make_client):
    """SetManagerNic: find the interface by its address, compare what it has, PATCH what differs."""
    client = make_client("rack-server")
    (manager,) = members(client, client.get("/redfish/v1/Managers").dict)
    (nic,) = members(client, follow(client, manager, "EthernetInterfaces"))
    wanted = {
        "HostName": "rack-7",
        "DHCPv4": {"DHCPEnabled": False},
        "IPv4StaticAddresses": [{"Address": "192.0.2.99", "SubnetMask": "255.255.255.0", "Gateway": "192.0.2.1"}],
    }
    assert wanted.keys() <= nic.keys()
    assert client.patch(nic["@odata.id"], body=wanted, headers={"If-Match": "*"}).status == 200
    now = client.get(nic["@odata.id"]).dict
    assert (now["HostName"], now["IPv4Addresses"][0]["Address"]) == ("rack-7", "192.0.2.99")
    assert follow(client, manager, "NetworkProtocol")["HostName"] == "rack-7"
