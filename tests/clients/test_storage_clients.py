"""Storage by clients that know nothing of this program, over TLS: OpenStack's `sushy` and DMTF's `redfish`."""

from __future__ import annotations

import pytest
import redfish
import requests
import sushy
from storage_world import PLACES

SYSTEMS = {"lifecycle-server": "System.Embedded.1", "rack-server": "rack-1"}
GIB = 1 << 30


class Machine:
    """A controller and sushy's view of its storage."""

    def __init__(self, url, mockup):
        self.url, self.storage_uri = url, PLACES[mockup]
        self.auth = sushy.auth.BasicAuth("root", "calvin")
        self.root = sushy.Sushy(url, auth=self.auth, verify=False)
        self.system_uri = f"/redfish/v1/Systems/{SYSTEMS[mockup]}"

    @property
    def system(self):
        """Read anew: a collection that sushy has kept asks for members that are no more."""
        return self.root.get_system(self.system_uri)

    @property
    def storage(self):
        return next(one for one in self.system.storage.get_members() if one.path == self.storage_uri)

    def volumes(self):
        return self.storage.volumes

    def free(self):
        """A drive that no volume has."""
        return [{"@odata.id": self.storage.drives[6].path}]

    def advance(self, seconds):
        answer = requests.post(
            f"{self.url}/jobfish/v1/clock",
            json={"advance": seconds},
            auth=("root", "calvin"),
            verify=False,
            timeout=10,
        )
        answer.raise_for_status()


@pytest.fixture(params=SYSTEMS)
def frozen(request, served):
    """A controller whose clock stands still."""
    return Machine(served(request.param), request.param)


@pytest.fixture(params=SYSTEMS)
def fast(request, serve):
    """A controller whose clock runs 120 times as fast, and so can be waited for."""
    return Machine(serve("--mockup", request.param, "--state", "memory", "--rate", "120").url, request.param)


def new(drives, **more):
    return {"RAIDType": "RAID0", "Name": "scratch", "CapacityBytes": 10 * GIB, "Links": {"Drives": drives}, **more}


def test_sushy_makes_a_volume_waits_for_it_and_deletes_it(fast):
    collection = fast.volumes()
    assert set(collection.operation_apply_time_support.supported_values) == {"Immediate", "OnReset"}
    made = collection.create(new(fast.free()), apply_time=sushy.APPLY_TIME_IMMEDIATE, timeout=30)
    assert made.name == "scratch", "the answer of the task monitor is that of the operation: 201 with its place"
    made = next(volume for volume in fast.volumes().get_members() if volume.name == "scratch")
    assert (made.raid_type, made.capacity_bytes, made.encrypted) == (sushy.RAIDType.RAID0, 10 * GIB, False)
    assert made.identifiers[0].durable_name
    made.initialize(sushy.VOLUME_INIT_TYPE_FAST, apply_time=sushy.APPLY_TIME_IMMEDIATE, timeout=30)
    made.delete(apply_time=sushy.APPLY_TIME_IMMEDIATE, timeout=30)
    assert "scratch" not in [volume.name for volume in fast.volumes().get_members()]


def test_sushy_makes_a_volume_at_the_next_reset(frozen):
    monitor = frozen.volumes().create(new(frozen.free()), apply_time=sushy.APPLY_TIME_ON_RESET)
    assert monitor.check_is_processing
    frozen.system.reset_system(sushy.RESET_FORCE_RESTART)
    frozen.advance(500)
    assert not monitor.check_is_processing
    made = next(volume for volume in frozen.volumes().get_members() if volume.name == "scratch")
    assert made.capacity_bytes == 10 * GIB
    monitor = made.delete(apply_time=sushy.APPLY_TIME_ON_RESET)
    frozen.system.reset_system(sushy.RESET_FORCE_RESTART)
    frozen.advance(500)
    assert not monitor.check_is_processing
    assert "scratch" not in [volume.name for volume in frozen.volumes().get_members()]


def test_sushy_reads_sizes_and_drives(frozen):
    storage = frozen.storage
    assert len(storage.drives) == 8
    assert storage.drives_max_size_bytes == max(drive.capacity_bytes for drive in storage.drives)
    assert storage.volumes.max_volume_size_bytes == max(storage.volumes.volumes_sizes_bytes)
    drive = storage.drives[3]
    drive.set_indicator_led(sushy.INDICATOR_LED_LIT)
    assert len(drive.volumes) == 1


def test_a_refusal_arrives_as_a_refusal(frozen):
    with pytest.raises(sushy.exceptions.BadRequestError):
        frozen.volumes().create(new(frozen.free(), RAIDType="RAID5"))
    assert len(frozen.volumes().get_members()) == 2


def test_raid_nic_and_bios_in_one_restart_by_dmtfs_library(served):
    url = served("lifecycle-server")
    client = redfish.redfish_client(base_url=url, username="root", password="calvin")
    client.login(auth="session")
    system, manager = "/redfish/v1/Systems/System.Embedded.1", "/redfish/v1/Managers/iDRAC.Embedded.1"
    nic = "NIC.Integrated.1-1-1"
    adapter = f"/redfish/v1/Chassis/System.Embedded.1/NetworkAdapters/NIC.Integrated.1/NetworkDeviceFunctions/{nic}"
    storage = PLACES["lifecycle-server"]
    controller = f"{storage}/Controllers/RAID.Integrated.1-1"
    places = {
        f"{controller}/Settings": {"ControllerRates": {"RebuildRatePercent": 50}},
        f"{adapter}/Oem/Dell/DellNetworkAttributes/{nic}/Settings": {"Attributes": {"WakeOnLan": "Disabled"}},
        f"{system}/Bios/Settings": {"Attributes": {"NumLock": "Off"}},
    }
    jobs = []
    for place, change in places.items():
        assert client.patch(place, body=change).status == 200
        made = client.post(f"{manager}/Jobs", body={"TargetSettingsURI": place})
        assert made.status == 200, made.text
        jobs.append(made.getheader("Location").rpartition("/")[2])
    client.post("/jobfish/v1/clock", body={"advance": 10})
    service = f"{manager}/Oem/Dell/DellJobService/Actions/DellJobService"
    reboot = client.post(f"{service}.CreateRebootJob", body={"RebootJobType": "PowerCycle"})
    array = [*jobs, reboot.getheader("Location").rpartition("/")[2]]
    queued = client.post(f"{service}.SetupJobQueue", body={"JobArray": array, "StartTimeInterval": "TIME_NOW"})
    assert queued.status == 200, queued.text
    client.post("/jobfish/v1/clock", body={"advance": 900})
    ended = [client.get(f"{manager}/Oem/Dell/Jobs/{job}").dict for job in jobs]
    assert [job["JobType"] for job in ended] == ["RAIDConfiguration", "NICConfiguration", "BIOSConfiguration"]
    assert {job["JobState"] for job in ended} == {"Completed"}
    starts = [job["ActualRunningStartTime"] for job in ended]
    assert starts == sorted(set(starts)), "one after the other, in queue order"
    assert client.get(controller).dict["ControllerRates"]["RebuildRatePercent"] == 50
    assert client.get(f"{system}/Bios").dict["Attributes"]["NumLock"] == "Off"
    client.logout()


def test_dmtfs_library_waits_for_a_volume_on_a_plain_service(serve):
    url = serve("--mockup", "rack-server", "--state", "memory", "--rate", "120").url
    client = redfish.redfish_client(base_url=url, username="root", password="calvin")
    client.login(auth="session")
    answer = client.post(f"{PLACES['rack-server']}/Volumes", body={"RAIDType": "RAID0", "Name": "scratch"})
    assert (answer.status, answer.is_processing) == (202, True)
    monitor = answer.monitor(client)
    while monitor.is_processing:
        monitor = answer.monitor(client)
    assert monitor.status == 201
    assert client.get(monitor.getheader("Location")).dict["Name"] == "scratch"
    client.logout()
