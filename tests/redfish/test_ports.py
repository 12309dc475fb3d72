"""Ports of network adapters: what befalls them, what configuration makes of it, and that all views say the same."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from conftest import REPOSITORY, Answer, Bmc, capture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.app import build_service
from emulator.settings import Settings

R750, SMARTNIC = "poweredge-r750.tar.xz", "dmtf-public-smartnic.tar.xz"
ON_RESET = {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
LOST, FOUND, OUT, IN = "ConnectionDropped", "ConnectionEstablished", "CableRemoved", "CableInserted"


@dataclass
class Port:
    """A port as a client and as a test author see it."""

    bmc: Bmc
    adapter: str
    id: str

    @property
    def place(self) -> Any:
        return next(
            port for port in self.bmc.service.site.ports if (port.adapter_id, port.id) == (self.adapter, self.id)
        )

    @property
    def function(self) -> str:
        return str(self.place.functions[0])

    @property
    def attributes(self) -> str:
        return f"{self.function}/Oem/Dell/DellNetworkAttributes/{self.function.rpartition('/')[2]}"

    def befall(self, event: str) -> Answer:
        return self.bmc.post(f"/jobfish/v1/devices/{self.adapter}/events", {"event": event, "part": self.id})

    def document(self) -> dict[str, Any]:
        return dict(self.bmc.get(self.place.uris[0]).body)

    def interface(self) -> dict[str, Any]:
        return dict(self.bmc.get(self.place.interfaces[0]).body)

    def stage(self, **attributes: Any) -> Answer:
        return self.bmc.patch(f"{self.attributes}/Settings", {"Attributes": attributes, **ON_RESET})

    def links(self) -> set[bool]:
        """Whether it has a link, as every resource that tells of it says."""
        told = [self.document().get("LinkStatus") in ("LinkUp", "Up")]
        told += [self.bmc.get(uri).body["LinkStatus"] == "LinkUp" for uri in self.place.interfaces]
        for function in self.place.functions:
            name = function.rpartition("/")[2]
            attributes = self.bmc.get(f"{function}/Oem/Dell/DellNetworkAttributes/{name}")
            if attributes.status == 200 and "LinkStatus" in attributes.body["Attributes"]:
                told.append(attributes.body["Attributes"]["LinkStatus"] == "Connected")
            metrics = self.bmc.get(f"{function}/Oem/Dell/DellNICPortMetrics/{name}")
            if metrics.status == 200 and metrics.body["PartitionLinkStatus"] is not None:
                told.append(metrics.body["PartitionLinkStatus"] == "Up")
        return set(told)

    def speeds(self) -> set[int]:
        """The same of its speed, in Mb/s; 0 for none."""
        document = self.document()
        gigabits = document.get("CurrentSpeedGbps")
        told = [gigabits * 1000 if gigabits else document.get("CurrentLinkSpeedMbps")]
        told += [self.bmc.get(uri).body["SpeedMbps"] for uri in self.place.interfaces]
        return {int(speed or 0) for speed in told}


MACHINES = {
    "lifecycle-server": ("lifecycle-server", "NIC.Integrated.1", "NIC.Integrated.1-1", 25_000),
    "rack-server": ("rack-server", "ocp-1", "1", 25_000),
    "r750": (R750, "NIC.Embedded.1", "NIC.Embedded.1-1", 1000),
    "smartnic": (SMARTNIC, "Slot2", "SC2KP1", 25_000),
}


@pytest.fixture(params=MACHINES)
def port(request, make_bmc):
    """A port of each machine; delivered without a link only on the R750."""
    mockup, adapter, name, _ = MACHINES[request.param]
    found = Port(make_bmc(mockup=str(capture(mockup)) if "." in mockup else mockup), adapter, name)
    if request.param == "r750":
        assert (found.links(), found.speeds()) == ({False}, {0})
        assert found.befall(FOUND).status == 200
    return found


def speed_of(port: Port) -> int:
    return next(speed for _, adapter, name, speed in MACHINES.values() if (adapter, name) == (port.adapter, port.id))


@pytest.fixture
def one(bmc):
    return Port(bmc, "NIC.Integrated.1", "NIC.Integrated.1-1")


def restart(bmc: Bmc) -> None:
    bmc.reset()
    bmc.advance(600)


# -- what befalls a port ----------------------------------------------------------------------------------------------


def test_every_view_tells_of_a_link_that_is_lost_and_found(port):
    before, speed = port.document(), speed_of(port)
    assert (port.links(), port.speeds()) == ({True}, {speed})
    for event, is_up in ((LOST, False), (FOUND, True), (OUT, False), (IN, True)):
        assert port.befall(event).status == 200
        assert (port.links(), port.speeds()) == ({is_up}, {speed if is_up else 0})
        assert port.document().get("Status") == before.get("Status"), "an idle port is not broken"
    assert port.document() == before


def test_a_pulled_cable_is_told_from_a_silent_partner(one):
    one.befall(LOST)
    assert (one.document()["LinkStatus"], one.interface()["LinkStatus"]) == ("LinkDown", "LinkDown")
    assert (one.document()["CurrentSpeedGbps"], one.document()["ActiveWidth"]) == (None, 0)
    one.befall(OUT)
    assert (one.document()["LinkStatus"], one.interface()["LinkStatus"]) == ("NoLink", "NoLink")


def test_older_places_and_names_show_the_same(one):
    one.befall(LOST)
    uri = f"{one.bmc.system}/NetworkAdapters/NIC.Integrated.1/NetworkPorts/NIC.Integrated.1-1"
    assert one.bmc.get(uri).body["LinkStatus"] == "LinkDown"
    member = one.bmc.get(f"{one.place.uris[0].rpartition('/')[0]}?$expand=*").body["Members"][0]
    assert member["LinkStatus"] == "LinkDown"


LOGGED = [
    ("lifecycle-server", OUT, ["IDRAC.NIC100", "Jobfish.CableRemoved"], "NIC.Integrated.1"),
    ("lifecycle-server", LOST, ["IDRAC.NIC100"], "NIC.Integrated.1"),
    ("rack-server", OUT, ["NetworkDevice.ConnectionDropped", "NetworkDevice.CableRemoved"], "ocp-1"),
]


@pytest.mark.parametrize(("mockup", "event", "ids", "adapter"), LOGGED)
def test_the_log_tells_of_it(make_bmc, mockup, event, ids, adapter):
    _, _, name, _ = MACHINES[mockup]
    bmc = make_bmc(mockup=mockup)
    uri = f"{bmc.service.site.lifecycle_log.uri}/Entries"
    before = {entry["@odata.id"] for entry in bmc.get(f"{uri}?$expand=*").body["Members"]}
    Port(bmc, adapter, name).befall(event)
    entries = [entry for entry in bmc.get(f"{uri}?$expand=*").body["Members"] if entry["@odata.id"] not in before]
    assert [f"{parts[0]}.{parts[-1]}" for entry in entries if (parts := entry["MessageId"].split("."))] == ids
    assert all(entry["MessageArgs"][0] == adapter for entry in entries)
    assert entries[0]["Severity"] == ("Warning" if mockup == "lifecycle-server" else "OK")


REFUSED = [
    ("no such event", {"event": "Smoke", "part": "NIC.Integrated.1-1"}),
    ("no such port", {"event": LOST, "part": "NIC.Integrated.1-9"}),
    ("a function is no port", {"event": LOST, "part": "NIC.Integrated.1-1-1"}),
    ("it has its link", {"event": FOUND, "part": "NIC.Integrated.1-1"}),
    ("its cable is in", {"event": IN, "part": "NIC.Integrated.1-1"}),
]


@pytest.mark.parametrize("body", [row[1] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_befall_it_changes_nothing(bmc, body):
    before = bmc.state()
    assert bmc.post("/jobfish/v1/devices/NIC.Integrated.1/events", body).status == 400
    assert bmc.state() == before


def test_what_befell_it_outlives_the_emulator(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    service.start()
    Port(Bmc(service), "NIC.Integrated.1", "NIC.Integrated.1-1").befall(OUT)
    service.stop()
    again = Port(make_bmc(state=tmp_path), "NIC.Integrated.1", "NIC.Integrated.1-1")
    assert again.document()["LinkStatus"] == "NoLink"
    again.befall(IN)
    assert again.links() == {True}


def test_every_controller_has_its_own_links(make_bmc):
    first = make_bmc(controllers=2)
    second = Bmc(first.service, host="127.0.0.2")
    mine, other = (Port(each, "NIC.Integrated.1", "NIC.Integrated.1-1") for each in (first, second))
    other.befall(LOST)
    assert (mine.links(), other.links()) == ({True}, {False})


def test_a_host_that_is_off_takes_no_link_away(one):
    one.bmc.reset("ForceOff")
    one.bmc.advance(60)
    assert one.links() == {True}


# -- what configuration makes of it -----------------------------------------------------------------------------------


def test_a_speed_is_run_at_once_the_job_has_set_it(one):
    assert one.stage(LnkSpeed="10Gbps").status == 202
    assert one.speeds() == {25_000}
    restart(one.bmc)
    assert one.speeds() == {10_000}
    one.befall(LOST)
    one.befall(FOUND)
    assert one.speeds() == {10_000}
    one.stage(LnkSpeed="AutoNeg")
    restart(one.bmc)
    assert one.speeds() == {25_000}


@pytest.mark.parametrize(
    ("adapter", "name", "attribute", "word", "speed"),
    [
        ("NIC.Embedded.1", "NIC.Embedded.1-1", "LnkSpeed", "100MbpsFull", 100),
        ("NIC.Integrated.1", "NIC.Integrated.1-2", "Broadcom_OperationalLnkSpeed", "10Gbps", 10_000),
    ],
)
def test_the_r750s_ports_run_at_the_speed_that_its_registries_offer(make_bmc, adapter, name, attribute, word, speed):
    port = Port(make_bmc(mockup=str(capture(R750))), adapter, name)
    assert port.stage(**{attribute: word}).status == 202
    restart(port.bmc)
    assert (port.links(), port.speeds()) == ({False}, {0}), "a speed makes no link"
    port.befall(FOUND)
    assert (port.links(), port.speeds()) == ({True}, {speed})


@pytest.mark.parametrize("machine", ["lifecycle-server", "r750"])
def test_a_port_shows_whether_it_wakes_the_host_after_the_job(make_bmc, machine):
    mockup, adapter, name, _ = MACHINES[machine]
    port = Port(make_bmc(mockup=str(capture(mockup)) if "." in mockup else mockup), adapter, name)

    def wakes():
        document = port.document()
        return document.get("Ethernet", document)["WakeOnLANEnabled"]

    before = wakes()
    port.stage(WakeOnLan="Disabled" if before else "Enabled")
    assert wakes() is before
    restart(port.bmc)
    assert wakes() is not before


def test_a_port_is_down_while_every_function_behind_it_is_disabled(rack):
    port = Port(rack, "ocp-1", "1")
    rack.patch(f"{port.function}/Settings", {"DeviceEnabled": False})
    assert port.links() == {True}
    restart(rack)
    assert (port.links(), port.speeds()) == ({False}, {0})
    states = [rack.get(uri).body["Status"]["State"] for uri in (port.function, port.place.interfaces[0])]
    assert (states, port.interface()["InterfaceEnabled"]) == (["Disabled"] * 2, False)
    rack.patch(f"{port.function}/Settings", {"DeviceEnabled": True})
    restart(rack)
    assert (port.links(), port.speeds(), port.interface()["InterfaceEnabled"]) == ({True}, {25_000}, True)


SWITCHED = [
    # the body, LinkState then
    ({"InterfaceEnabled": False}, "Disabled"),
    ({"LinkState": "Disabled"}, "Disabled"),
    ({"LinkState": "Disabled", "InterfaceEnabled": False}, "Disabled"),
    ({"LinkState": "Enabled"}, "Enabled"),
]


@pytest.mark.parametrize(("body", "state"), SWITCHED)
@pytest.mark.parametrize("machine", ["lifecycle-server", "rack-server"])
def test_a_port_is_switched_at_once(make_bmc, machine, body, state):
    mockup, adapter, name, _ = MACHINES[machine]
    port = Port(make_bmc(mockup=mockup), adapter, name)
    uri, is_on = port.place.uris[0], state == "Enabled"
    before = port.document()
    assert port.bmc.patch(uri, body).status == 200
    seen = port.document()
    assert (seen["LinkState"], seen["InterfaceEnabled"], seen["Status"]["State"]) == (state, is_on, state)
    assert port.links() == {is_on}
    assert port.bmc.get("/redfish/v1/JobService/Jobs").body["Members"] == [], "without a job"
    port.bmc.patch(uri, {"InterfaceEnabled": True})
    assert port.document() == before


@pytest.fixture
def altered(make_bmc, tmp_path):
    """rack-server with a port that tells of a speed without a link, and one whose function was disabled."""
    folder = tmp_path / "server"
    shutil.copytree(REPOSITORY / "mockups" / "rack-server", folder)
    adapters = folder / "redfish/v1/Chassis/rack-1/NetworkAdapters"
    for name, value in (
        ("slot-2/Ports/2", {"CurrentSpeedGbps": 2.5}),
        ("ocp-1/Ports/1", {"LinkStatus": "LinkDown", "CurrentSpeedGbps": 0}),
        ("ocp-1/NetworkDeviceFunctions/ocp-1-1", {"DeviceEnabled": False}),
    ):
        file = adapters / name / "index.json"
        file.write_bytes(orjson.dumps({**orjson.loads(file.read_bytes()), **value}))
    return make_bmc(mockup=str(folder))


def test_a_port_without_a_link_shows_the_speed_that_it_showed_then(altered):
    port = Port(altered, "slot-2", "2")
    shown = []
    for event in (None, FOUND, LOST, OUT):
        if event:
            port.befall(event)
        shown.append(port.document()["CurrentSpeedGbps"])
    assert shown == [2.5, 10, 2.5, 2.5]


def test_a_switch_shows_also_where_it_does_not_decide(altered):
    port = Port(altered, "ocp-1", "1")
    before = port.document()
    altered.patch(port.place.uris[0], {"LinkState": "Disabled"})
    shown = port.document()
    assert (shown["LinkState"], shown["InterfaceEnabled"], shown["Status"]["State"]) == ("Disabled", False, "Disabled")
    altered.patch(port.place.uris[0], {"LinkState": "Enabled"})
    assert port.document() == before


NOT_SWITCHED = [
    ("nothing", {}, "Base.NoOperation"),
    ("what it cannot set", {"LinkStatus": "LinkDown"}, "Base.PropertyNotWritable"),
    ("what it has not", {"X": 1}, "Base.PropertyUnknown"),
    ("one good and one bad", {"InterfaceEnabled": False, "X": 1}, "Base.PropertyUnknown"),
    ("no Boolean", {"InterfaceEnabled": "no"}, "Base.PropertyValueTypeError"),
    ("no such word", {"LinkState": "Off"}, "Base.PropertyValueNotInList"),
    ("a contradiction", {"LinkState": "Disabled", "InterfaceEnabled": True}, "Base.PropertyValueConflict"),
]


@pytest.mark.parametrize(("body", "message"), [row[1:] for row in NOT_SWITCHED], ids=[row[0] for row in NOT_SWITCHED])
def test_a_port_refuses_the_rest(rack, body, message):
    before = rack.state()
    answer = rack.patch(Port(rack, "ocp-1", "1").place.uris[0], body)
    assert (answer.status, answer.message_ids[0]) == (400, message)
    assert rack.state() == before


def test_a_network_port_of_an_older_service_has_no_switch(make_bmc):
    port = Port(make_bmc(mockup=str(capture(R750))), "NIC.Integrated.1", "NIC.Integrated.1-1")
    assert port.bmc.patch(port.place.uris[0], {"InterfaceEnabled": False}).status == 405


# -- partitioning -----------------------------------------------------------------------------------------------------


def npar(bmc: Bmc, adapter: str = "NIC.Integrated.1") -> bool:
    (place,) = [place for place in bmc.service.site.adapters if place.device_id == adapter]
    (controller,) = bmc.get(place.uri).body["Controllers"]
    return bool(controller["ControllerCapabilities"]["NPAR"]["NparEnabled"])


@pytest.mark.parametrize("mockup", ["lifecycle-server", R750])
def test_partitioning_a_port_takes_its_dependents_with_it_after_the_job(make_bmc, mockup):
    bmc = make_bmc(mockup=str(capture(mockup)) if "." in mockup else mockup)
    port = Port(bmc, "NIC.Integrated.1", "NIC.Integrated.1-1")
    of_ports, of_partitions = {"NumberVFAdvertised": 16}, {"NParEP": "Enabled"}
    assert refusal(port, of_partitions) == "IDRAC.NIC016"
    assert port.stage(VirtualizationMode="NPAR").status == 202
    assert not npar(bmc)
    restart(bmc)
    assert npar(bmc)
    assert refusal(port, of_ports) == "IDRAC.NIC016"
    assert port.stage(**of_partitions).status == 202
    restart(bmc)
    assert port.stage(VirtualizationMode="NONE").status == 202
    restart(bmc)
    assert not npar(bmc)
    assert refusal(port, of_partitions) == "IDRAC.NIC016"
    assert port.stage(**of_ports).status == 202


def refusal(port: Port, attributes: dict[str, Any]) -> str:
    """The message with which attributes are refused."""
    answer = port.stage(**attributes)
    assert answer.status == 400, answer.body
    return answer.message_ids[0]


# -- smartnic ---------------------------------------------------------------------------------------------------------


def test_a_smartnics_ports_are_read_and_its_functions_are_set_through_a_job(make_bmc):
    bmc = make_bmc(mockup=str(capture(SMARTNIC)))
    for card, slot in (("Card1", "Slot1"), ("Card2", "Slot2")):
        adapter = f"/redfish/v1/Chassis/{card}/NetworkAdapters/{slot}"
        ports = {name: bmc.get(f"{adapter}/Ports/{name}").body for name in ("SC2KP1", "SC2KP2")}
        assert {port["LinkStatus"] for port in ports.values()} == {"LinkUp"}
        function = f"{adapter}/NetworkDeviceFunctions/SC2KP1F0"
        answer = bmc.patch(f"{function}/Settings", {"Ethernet": {"MTUSize": 8000}, "DeviceEnabled": False, **ON_RESET})
        assert answer.status == 202
        restart(bmc)
        assert bmc.get(answer.headers["Location"]).status == 200
        seen = bmc.get(function).body
        assert (seen["Ethernet"]["MTUSize"], seen["DeviceEnabled"]) == (8000, False)
        assert bmc.get(f"{adapter}/Ports/SC2KP1").body["LinkStatus"] == "LinkDown"
        assert bmc.get(f"{adapter}/Ports/SC2KP2").body == ports["SC2KP2"]


# -- in any order -----------------------------------------------------------------------------------------------------

DONE = st.one_of(
    st.sampled_from([LOST, FOUND, OUT, IN]).map(lambda event: ("event", event)),
    st.sampled_from(["AutoNeg", "10Gbps", "25Gbps"]).map(lambda speed: ("speed", speed)),
    st.booleans().map(lambda is_on: ("switch", is_on)),
    st.just(("restart", None)),
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DONE, min_size=1, max_size=8))
def test_events_and_jobs_in_any_order_leave_all_views_agreeing(make_bmc, done):
    port = Port(make_bmc(), "NIC.Integrated.1", "NIC.Integrated.1-1")
    for what, value in done:
        if what == "event":
            port.befall(value)
        elif what == "speed":
            port.stage(LnkSpeed=value)
        elif what == "switch":
            port.bmc.patch(port.place.uris[0], {"InterfaceEnabled": value})
        else:
            restart(port.bmc)
        links, speeds = port.links(), port.speeds()
        assert len(links) == len(speeds) == 1
        assert (speeds == {0}) == (links == {False})


# -- another adapter --------------------------------------------------------------------------------------------------

FUNCTION, FIRMWARE = "NIC.Integrated.1-1-1", "/redfish/v1/UpdateService/FirmwareInventory"


def versions(bmc):
    members = bmc.get(FIRMWARE).body["Members"]
    documents = [bmc.get(member["@odata.id"]).body for member in members if FUNCTION in member["@odata.id"]]
    return {one["Version"] for one in documents if "Installed" in one["Id"]}


def test_another_adapter_comes_with_its_own_firmware_and_settings(bmc):
    port = next(
        Port(bmc, place.adapter_id, place.id)
        for place in bmc.service.site.ports
        if any(FUNCTION in uri for uri in place.functions)
    )
    delivered, before = bmc.get(port.attributes).body["Attributes"], versions(bmc)
    with bmc.service.fleet.seat_for("127.0.0.1").turn() as machine:
        firmware, function = machine.devices["Firmware"], machine.devices[FUNCTION]
        for device, name, value in ((firmware, FUNCTION, "99.1"), (function, "VLanMode", "Enabled")):
            for step in device.plan({name: value}):
                assert device.apply(step, machine.moment).ok
            machine.device_changed(device.id)
    assert versions(bmc) == {"99.1"}
    assert bmc.get(port.attributes).body["Attributes"] != delivered
    replaced = {"event": "AdapterReplaced", "part": port.adapter}
    assert bmc.post(f"/jobfish/v1/devices/{port.adapter}/events", replaced).status == 200
    assert (versions(bmc), bmc.get(port.attributes).body["Attributes"]) == (before, delivered)
