"""Network adapters: attributes and DMTF's properties, two faces of one device, changed by jobs alone."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from conftest import Answer, Bmc, capture

from emulator.app import build_service
from emulator.settings import Settings

ADAPTERS = "/redfish/v1/Chassis/System.Embedded.1/NetworkAdapters"
SYSTEM = "/redfish/v1/Systems/System.Embedded.1"
RACK = "/redfish/v1/Chassis/rack-1/NetworkAdapters"
ONE, TWO, LOM = "NIC.Integrated.1-1-1", "NIC.Integrated.1-2-1", "NIC.Embedded.1-1-1"
APPLY_TIME = "@Redfish.SettingsApplyTime"
ON_RESET = {APPLY_TIME: {"ApplyTime": "OnReset"}}
MAC, OTHER_MAC = "02:4a:46:26:11:00", "02:4a:46:26:11:77"
STEP, POST = 10, 90
CHANGE = {"VLanMode": "Enabled", "VLanId": 100, "WakeOnLan": "Disabled"}


@dataclass
class Port:
    """One function, as a client sees it."""

    bmc: Bmc
    fqdd: str
    adapter: str = "NIC.Integrated.1"
    adapters: str = ADAPTERS

    @property
    def function(self) -> str:
        return f"{self.adapters}/{self.adapter}/NetworkDeviceFunctions/{self.fqdd}"

    @property
    def attributes(self) -> str:
        return f"{self.function}/Oem/Dell/DellNetworkAttributes/{self.fqdd}"

    @property
    def settings(self) -> str:
        """Of the attributes."""
        return f"{self.attributes}/Settings"

    @property
    def clear(self) -> str:
        return f"{self.settings}/Actions/DellManager.ClearPending"

    def patch(self, attributes: dict[str, Any], **more: Any) -> Answer:
        return self.bmc.patch(self.settings, {"Attributes": attributes, **more})

    def set(self, properties: dict[str, Any], **more: Any) -> Answer:
        """A PATCH in DMTF's shape."""
        return self.bmc.patch(f"{self.function}/Settings", {**properties, **more})

    def job(self, **more: Any) -> str:
        answer = self.bmc.post(self.bmc.jobs, {"TargetSettingsURI": self.settings, **more})
        assert answer.status == 200, answer.body
        return answer.headers["Location"].rpartition("/")[2]

    def values(self) -> dict[str, Any]:
        return dict(self.bmc.get(self.attributes).body["Attributes"])

    def pending(self) -> dict[str, Any]:
        return dict(self.bmc.get(self.settings).body["Attributes"])

    def document(self) -> dict[str, Any]:
        return dict(self.bmc.get(self.function).body)

    def future(self) -> dict[str, Any]:
        """What DMTF's settings resource says will be."""
        return dict(self.bmc.get(f"{self.function}/Settings").body)

    def interface(self) -> dict[str, Any]:
        return self.bmc.get(f"{self.bmc.system}/EthernetInterfaces/{self.fqdd}").untagged


@pytest.fixture
def one(bmc: Bmc) -> Port:
    return Port(bmc, ONE)


@pytest.fixture
def two(bmc: Bmc) -> Port:
    return Port(bmc, TWO)


@pytest.fixture
def ocp(rack: Bmc) -> Port:
    return Port(rack, "ocp-1-1", "ocp-1", RACK)


def restart(bmc: Bmc) -> None:
    assert bmc.reset().status == 204
    bmc.advance(600)


def id_of(answer: Answer) -> str:
    """The job that a 202 names."""
    assert answer.status == 202, answer.body
    return answer.headers["Location"].rpartition("/")[2]


# -- attributes -------------------------------------------------------------------------------------------------------


def test_a_change_moves_from_patch_to_completed_as_the_clock_does(bmc, one):
    before = one.values()
    assert one.patch(CHANGE).message_ids == ["Base.Success", "IDRAC.SYS413"]
    assert (one.pending(), one.values()) == (CHANGE, before)
    job = one.job()
    seen = bmc.job(job)
    assert (seen["Name"], seen["JobType"], seen["JobState"]) == (f"Configure: {ONE}", "NICConfiguration", "New")
    assert bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body["Name"] == f"ConfigNIC:{ONE}"
    bmc.advance(3)
    assert bmc.job(job)["JobState"] == "ReadyForExecution"
    bmc.reset()
    for seconds, state, percent in (
        (POST - 1, "Scheduled", 0),
        (1, "Running", 1),
        (STEP, "Running", 33),
        (STEP, "Running", 66),
    ):
        bmc.advance(seconds)
        assert (bmc.job(job)["JobState"], bmc.job(job)["PercentComplete"]) == (state, percent)
    bmc.advance(STEP)
    assert (bmc.job(job)["JobState"], bmc.job(job)["MessageId"]) == ("Completed", "PR19")
    assert (one.values(), one.pending()) == ({**before, **CHANGE}, {})


def test_the_resource_says_where_its_settings_are_and_when_they_can_be_applied(bmc, one):
    annotation = bmc.get(one.attributes).body["@Redfish.Settings"]
    assert annotation["SettingsObject"] == {"@odata.id": one.settings}
    assert annotation["SupportedApplyTimes"] == [
        *("Immediate", "OnReset", "AtMaintenanceWindowStart", "InMaintenanceWindowOnReset")
    ]
    assert bmc.get(one.settings).body["Actions"] == {"#DellManager.ClearPending": {"target": one.clear}}
    assert one.document()["Links"]["Oem"]["Dell"]["DellNetworkAttributes"] == {"@odata.id": one.attributes}


def test_every_attribute_is_in_its_registry(bmc):
    for fqdd, adapter in ((ONE, "NIC.Integrated.1"), (LOM, "NIC.Embedded.1")):
        port = Port(bmc, fqdd, adapter)
        file = bmc.get(f"/redfish/v1/Registries/NetworkAttributesRegistry_{fqdd}").body
        registry = bmc.get(file["Location"][0]["Uri"]).body
        entries = {entry["AttributeName"]: entry for entry in registry["RegistryEntries"]["Attributes"]}
        assert set(port.values()) == set(entries)
        assert all(entry["HelpText"] for entry in entries.values())
    members = [member["@odata.id"] for member in bmc.get("/redfish/v1/Registries").body["Members"]]
    assert sum("/NetworkAttributesRegistry_" in uri for uri in members) == 4


@pytest.mark.parametrize("how", ["OnReset", "Immediate", "AtMaintenanceWindowStart", "InMaintenanceWindowOnReset"])
def test_an_apply_time_makes_the_job(bmc, one, how):
    when: dict[str, Any] = {"ApplyTime": how}
    if "Window" in how:
        start = datetime.fromisoformat(bmc.get(bmc.manager).body["DateTime"]) + timedelta(seconds=900)
        when |= {"MaintenanceWindowStartTime": start.isoformat(), "MaintenanceWindowDurationInSeconds": 3600}
    answer = one.patch(CHANGE, **{APPLY_TIME: when})
    assert answer.body == "", "clients take a body for an error"
    job = id_of(answer)
    if how == "OnReset":
        restart(bmc)
    elif "Window" in how:
        bmc.advance(800)
        assert bmc.job(job)["JobState"] == "New"
        bmc.advance(100)
        if how == "InMaintenanceWindowOnReset":
            bmc.reset()
        bmc.advance(600)
    else:
        kinds = [bmc.get(entry["@odata.id"]).body["JobType"] for entry in bmc.get(bmc.jobs).body["Members"]]
        assert kinds == ["NICConfiguration", "RebootForce"]
        bmc.advance(600)
    assert bmc.job(job)["JobState"] == "Completed"
    assert one.values()["VLanId"] == 100


@pytest.mark.parametrize("phase", ["off", "starting"])
def test_immediate_takes_the_host_as_it_is(bmc, one, phase):
    """What is off is powered on; what is just starting needs no other restart."""
    bmc.reset("ForceOff" if phase == "off" else "ForceRestart")
    bmc.advance(1)
    job = id_of(one.patch(CHANGE, **{APPLY_TIME: {"ApplyTime": "Immediate"}}))
    kinds = [bmc.get(entry["@odata.id"]).body["JobType"] for entry in bmc.get(bmc.jobs).body["Members"]]
    assert kinds == ["NICConfiguration", *(["RebootPowerCycle"] if phase == "off" else [])]
    bmc.advance(600)
    assert bmc.job(job)["JobState"] == "Completed"
    assert bmc.get(bmc.system).body["PowerState"] == "On"


def test_an_apply_time_alone_makes_the_job_of_what_is_staged(bmc, one):
    one.patch(CHANGE)
    job = id_of(bmc.patch(one.settings, ON_RESET))
    restart(bmc)
    assert bmc.job(job)["JobState"] == "Completed"


def test_the_resource_itself_takes_a_patch_too(bmc, one):
    assert bmc.patch(one.attributes, {"Attributes": CHANGE}).status == 200
    assert one.pending() == CHANGE


def test_several_ports_are_changed_in_one_restart(bmc, one, two):
    """As the LC2 guide does it: jobs that wait, the last with the reboot."""
    lom = Port(bmc, LOM, "NIC.Embedded.1")
    for port in (one, two, lom):
        assert port.patch({"WakeOnLan": "Disabled", "BannerMessageTimeout": 7}).status == 200
    jobs = [one.job(StartTime="TIME_NOW"), two.job(StartTime="TIME_NOW"), lom.job(RebootJobType="PowerCycle")]
    bmc.advance(5 + POST + 2 * STEP)
    assert [bmc.job(job)["JobState"] for job in jobs] == ["Completed", "Running", "Scheduled"]
    bmc.advance(600)
    assert [bmc.job(job)["JobState"] for job in jobs] == ["Completed"] * 3
    assert [port.values()["BannerMessageTimeout"] for port in (one, two, lom)] == [7] * 3
    ran = [(bmc.job(job)["ActualRunningStartTime"], bmc.job(job)["ActualRunningStopTime"]) for job in jobs]
    assert ran == sorted(ran)
    resets = [entry for entry in bmc.get(bmc.jobs).body["Members"] if "/RID_" in entry["@odata.id"]]
    assert len(resets) == 1


def test_bios_and_ports_are_changed_in_one_restart(bmc, one):
    bmc.patch_bios(NumLock="Off")
    one.patch(CHANGE)
    jobs = [bmc.create_job(), one.job()]
    restart(bmc)
    assert [bmc.job(job)["JobState"] for job in jobs] == ["Completed"] * 2


def test_values_are_there_after_the_emulator_was_restarted(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    service.start()
    one = Port(Bmc(service), ONE)
    one.patch(CHANGE)
    one.job()
    restart(one.bmc)
    one.patch({"BlnkLeds": 5})
    service.stop()
    again = Port(make_bmc(state=tmp_path), ONE)
    assert (again.values()["VLanId"], again.pending()) == (100, {"BlnkLeds": 5})


# -- partly wrong -----------------------------------------------------------------------------------------------------

BAD = [
    # attribute, value, message, whether the value is told
    ("Nope", 1, "IDRAC.NIC013"),
    ("WakeOnLan", "Maybe", "IDRAC.NIC014"),
    ("WakeOnLan", True, "IDRAC.NIC014"),
    ("VLanId", "100", "IDRAC.NIC014"),
    ("BannerMessageTimeout", 15, "IDRAC.NIC014"),
    ("BannerMessageTimeout", None, "IDRAC.NIC014"),
    ("NumberVFAdvertised", 9, "IDRAC.NIC014"),
    ("VirtMacAddr", "02:00:00:00:00", "IDRAC.NIC014"),
    ("VirtMacAddr", "02:00:00:00:00:0g", "IDRAC.NIC014"),
    ("IscsiInitiatorName", "x" * 224, "IDRAC.NIC014"),
    ("IscsiInitiatorChapPwd", "tiny", "IDRAC.NIC014"),
    ("MacAddr", OTHER_MAC, "IDRAC.NIC015"),
    ("ChipMdl", "x", "IDRAC.NIC015"),
    ("VLanId", 100, "IDRAC.NIC016"),
    ("NParEP", "Enabled", "IDRAC.NIC016"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=[f"{row[0]} {row[1]}"[:40] for row in BAD])
def test_what_is_right_is_taken_and_what_is_wrong_is_named(bmc, one, name, value, message):
    good = {"BlnkLeds": 5, "BootRetryCnt": "3Retries"}
    answer = one.patch({name: value, **good})
    assert (answer.status, answer.message_ids, answer.related) == (200, [message], {f"#/Attributes/{name}"})
    assert answer.info[0]["MessageArgs"][0] == name
    assert "tiny" not in str(answer.body)
    assert one.pending() == good
    job = id_of(bmc.patch(one.settings, ON_RESET))
    restart(bmc)
    assert bmc.job(job)["JobState"] == "Completed", "what was left out at the request is no error of the job"


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=[f"{row[0]} {row[1]}"[:40] for row in BAD])
@pytest.mark.parametrize("apply", [{}, ON_RESET], ids=["staged", "with apply time"])
def test_where_nothing_is_right_nothing_changes(bmc, one, name, value, message, apply):
    before = bmc.state()
    answer = one.patch({name: value}, **apply)
    assert (answer.status, answer.message_ids[0], answer.related) == (400, message, {f"#/Attributes/{name}"})
    assert answer.info[0]["MessageArgs"][0] == name
    assert bmc.state() == before


def test_with_an_apply_time_the_job_is_made_for_what_is_right(bmc, one):
    answer = one.patch({"Nope": 1, "BlnkLeds": 5, "WakeOnLan": "Maybe", "MacAddr": "x"}, **ON_RESET)
    job = id_of(answer)
    assert answer.message_ids == ["IDRAC.NIC013", "IDRAC.NIC014", "IDRAC.NIC015"], "one entry for each"
    assert [entry["MessageArgs"][0] for entry in answer.info] == ["Nope", "WakeOnLan", "MacAddr"]
    assert (one.pending(), len(bmc.get(bmc.jobs).body["Members"])) == ({"BlnkLeds": 5}, 1)
    restart(bmc)
    assert bmc.job(job)["JobState"] == "Completed"


TOGETHER = [
    # what is pending, the change, what is left out, what is pending then
    ({}, {"VLanMode": "Enabled", "VLanId": 7}, [], {"VLanMode": "Enabled", "VLanId": 7}),
    ({}, {"VLanId": 7, "VLanMode": "Enabled"}, [], {"VLanMode": "Enabled", "VLanId": 7}),
    ({}, {"VLanId": 7, "BlnkLeds": 1}, ["VLanId"], {"BlnkLeds": 1}),
    ({"VLanMode": "Enabled"}, {"VLanId": 7}, [], {"VLanMode": "Enabled", "VLanId": 7}),
    ({}, {"VirtualizationMode": "NPAR", "NumberVFAdvertised": 16}, ["NumberVFAdvertised"], {"VirtualizationMode": "NPAR"}),
    ({}, {"NumberVFAdvertised": 16, "VirtualizationMode": "NPAR"}, ["NumberVFAdvertised"], {"VirtualizationMode": "NPAR"}),
    (
        {"NumberVFAdvertised": 16},
        {"VirtualizationMode": "NPAR", "BlnkLeds": 1},
        ["VirtualizationMode"],
        {"NumberVFAdvertised": 16, "BlnkLeds": 1},
    ),
    (
        {"VLanMode": "Enabled", "VLanId": 7},
        {"BlnkLeds": 1, "VLanMode": "Disabled"},
        ["VLanMode"],
        {"VLanMode": "Enabled", "VLanId": 7, "BlnkLeds": 1},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("pending", "change", "left_out", "then"), TOGETHER)
def test_what_values_do_to_each_other_counts(bmc, one, pending, change, left_out, then):
    if pending:
        assert one.patch(pending).status == 200
    answer = one.patch(change)
    assert answer.status == 200
    assert [entry["MessageArgs"][0] for entry in answer.info if "NIC016" in entry["MessageId"]] == left_out
    assert one.pending() == then


def test_the_bios_takes_all_or_nothing(bmc):
    before = bmc.state()
    assert bmc.patch_bios(NumLock="Off", Nope=1).status == 400
    assert bmc.state() == before


# -- a job that fails in part -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failing", "state", "dmtf", "health"),
    [
        ((), "Completed", "Completed", "OK"),
        (("WakeOnLan",), "CompletedWithErrors", "Exception", "Warning"),
        (("*",), "Failed", "Exception", "Critical"),
    ],
)
def test_the_verdict_is_spelled_in_each_view(bmc, one, failing, state, dmtf, health):
    before = one.values()
    one.patch(CHANGE)
    for step in failing:
        bmc.post("/jobfish/v1/faults", {"target": ONE, "step": step, "message_id": "NIC014"})
    job = one.job()
    restart(bmc)
    assert bmc.job(job)["JobState"] == state
    seen = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body
    assert (seen["JobState"], seen["JobStatus"]) == (dmtf, health)
    applied = {name: value for name, value in CHANGE.items() if name not in failing and "*" not in failing}
    assert one.values() == {**before, **applied}
    assert one.pending() == {}


def test_both_faces_tell_how_it_went(bmc, one):
    one.patch({"VLanMode": "Enabled", "VLanId": 7, "BlnkLeds": 1})
    for step in ("VLanId", "BlnkLeds"):
        bmc.post("/jobfish/v1/faults", {"target": ONE, "step": step})
    one.job()
    restart(bmc)
    told = bmc.get(one.attributes).body["@Redfish.Settings"]
    assert [entry["RelatedProperties"] for entry in told["Messages"]] == [
        ["#/Attributes/VLanId"],
        ["#/Attributes/BlnkLeds"],
    ]
    properties = one.document()["@Redfish.Settings"]
    assert properties["Time"] == told["Time"]
    assert properties["Messages"][0]["RelatedProperties"] == ["#/Ethernet/VLAN/VLANId"]
    assert properties["Messages"][0]["MessageArgs"] == ["Ethernet/VLAN/VLANId"]
    assert "RelatedProperties" not in properties["Messages"][1], "it has no property for that one"


def test_deleting_a_running_job_takes_back_what_it_did(bmc, one):
    before = one.values()
    one.patch(CHANGE)
    job = one.job()
    bmc.reset()
    bmc.advance(POST + STEP)
    assert one.values()["VLanMode"] == "Enabled"
    assert bmc.delete(f"{bmc.jobs}/{job}").status == 200
    assert (one.values(), one.pending()) == (before, {})


# -- what is refused --------------------------------------------------------------------------------------------------


def nothing(_: Port) -> None:
    pass


def staged(port: Port) -> None:
    assert port.patch(CHANGE).status == 200


def with_job(port: Port) -> None:
    staged(port)
    port.job()


def with_running_job(port: Port) -> None:
    with_job(port)
    port.bmc.reset()
    port.bmc.advance(POST + STEP)


HELD = ["IDRAC.SYS011", "IDRAC.NIC006"]
REFUSED = [
    # situation, set up by, call, messages
    ("nothing in it", nothing, lambda port: port.bmc.patch(port.settings, {}), ["Base.NoOperation"]),
    ("no attributes in it", nothing, lambda port: port.patch({}), ["Base.NoOperation"]),
    ("an unknown property", nothing, lambda port: port.bmc.patch(port.settings, {"Attribute": {}}), ["IDRAC.SYS429", "Base.PropertyUnknown"]),
    ("attributes of the wrong type", nothing, lambda port: port.bmc.patch(port.settings, {"Attributes": []}), ["IDRAC.SYS409", "Base.PropertyValueTypeError"]),
    ("an unknown apply time", staged, lambda port: port.patch({}, **{APPLY_TIME: {"ApplyTime": "Never"}}), ["IDRAC.SYS426", "Base.PropertyValueNotInList"]),
    ("a window without a start", staged, lambda port: port.patch({}, **{APPLY_TIME: {"ApplyTime": "AtMaintenanceWindowStart"}}), ["IDRAC.SYS428", "Base.PropertyMissing"] * 2),
    ("an apply time and nothing staged", nothing, lambda port: port.bmc.patch(port.settings, ON_RESET), ["IDRAC.NIC008"]),
    ("at once, and nothing staged", nothing, lambda port: port.patch({}, **{APPLY_TIME: {"ApplyTime": "Immediate"}}), ["IDRAC.NIC008"]),
    ("a job and nothing staged", nothing, lambda port: port.bmc.post(port.bmc.jobs, {"TargetSettingsURI": port.settings}), ["IDRAC.NIC008"]),
    ("the same by the other face", nothing, lambda port: port.bmc.post(port.bmc.jobs, {"TargetSettingsURI": f"{port.function}/Settings"}), ["IDRAC.NIC008"]),
    ("clearing nothing", nothing, lambda port: port.bmc.post(port.clear, {}), ["IDRAC.NIC012"]),
    ("a target that is no settings resource", staged, lambda port: port.bmc.post(port.bmc.jobs, {"TargetSettingsURI": port.attributes}), ["IDRAC.SYS426", "Base.PropertyValueNotInList"]),
    ("more values, with a job", with_job, lambda port: port.patch({"BlnkLeds": 1}), HELD),
    ("wrong values, with a job", with_job, lambda port: port.patch({"Nope": 1}), HELD),
    ("more values by the other face, with a job", with_job, lambda port: port.set({"Ethernet": {"MACAddress": OTHER_MAC}}), HELD),
    ("an apply time, with a job", with_job, lambda port: port.patch({"BlnkLeds": 1}, **ON_RESET), HELD),
    ("at once, with a job", with_job, lambda port: port.patch({}, **{APPLY_TIME: {"ApplyTime": "Immediate"}}), HELD),
    ("another job", with_job, lambda port: port.bmc.post(port.bmc.jobs, {"TargetSettingsURI": port.settings}), ["IDRAC.SYS011", "IDRAC.NIC007"]),
    ("another job by the other face", with_job, lambda port: port.bmc.post(port.bmc.jobs, {"TargetSettingsURI": f"{port.function}/Settings"}), ["IDRAC.SYS011", "IDRAC.NIC007"]),
    ("another job beside a running one", with_running_job, lambda port: port.bmc.post(port.bmc.jobs, {"TargetSettingsURI": port.settings}), ["IDRAC.SYS011", "IDRAC.NIC007"]),
    ("more values beside a running job", with_running_job, lambda port: port.patch({"BlnkLeds": 1}), HELD),
    ("clearing what a job holds", with_job, lambda port: port.bmc.post(port.clear, {}), ["IDRAC.NIC011"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("situation", "call", "messages"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_is_refused_changes_nothing(bmc, one, situation, call, messages):
    situation(one)
    before = bmc.state()
    answer = call(one)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bmc.state() == before


def test_clients_know_two_refusals_by_their_words(bmc, one):
    assert "No pending data to delete" in bmc.post(one.clear, {}).info[0]["Message"]
    answer = bmc.post(bmc.jobs, {"TargetSettingsURI": one.settings})
    assert answer.info[0]["Message"] == "No pending data present to create a Configuration job"


def test_one_ports_job_does_not_hold_another(bmc, one, two):
    with_job(one)
    assert two.patch(CHANGE).status == 200
    assert bmc.patch_bios(NumLock="Off").status == 200
    assert bmc.post(two.clear, {}).status == 200
    assert two.pending() == {}


def test_a_full_store_refuses_a_job_and_its_restart_together(make_bmc, tmp_path):
    import shutil

    from emulator.data import data_folder

    tree = tmp_path / "small"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", tree)
    manifest = tree / "machine.toml"
    manifest.write_text(manifest.read_text().replace("max_jobs = 256", "max_jobs = 1"))
    bmc = make_bmc(mockup=str(tree))
    one = Port(bmc, ONE)
    before = bmc.state()
    answer = one.patch(CHANGE, **{APPLY_TIME: {"ApplyTime": "Immediate"}})
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.JCP017"])
    assert bmc.state() == before


@pytest.mark.parametrize(
    ("user", "status"), [(("readonly", "readonly"), 403), (("operator", "operator"), 200), (("nobody", "x"), 401)]
)
def test_who_may_change_a_port(bmc, one, user, status):
    bmc.user = user
    assert one.patch({"BlnkLeds": 1}).status == status
    assert one.set({"Ethernet": {"MACAddress": OTHER_MAC}}).status == status


# -- DMTF's shape -----------------------------------------------------------------------------------------------------


def test_the_two_faces_are_one_device(bmc, one):
    """Staged in one shape, shown as pending in the other, run by one job, in force in both."""
    assert one.patch({"VLanMode": "Enabled", "VLanId": 100}).status == 200
    assert one.future()["Ethernet"]["VLAN"] == {"VLANEnable": True, "VLANId": 100}
    assert one.document()["Ethernet"]["VLAN"] == {"VLANEnable": False, "VLANId": 1}
    assert one.set({"Ethernet": {"MACAddress": OTHER_MAC}, "BootMode": "Disabled"}).status == 200
    assert one.pending() == {"VLanMode": "Enabled", "VLanId": 100, "VirtMacAddr": OTHER_MAC, "LegacyBootProto": "NONE"}
    job = id_of(one.set(ON_RESET))
    assert (bmc.job(job)["Name"], len(bmc.get(bmc.jobs).body["Members"])) == (f"Configure: {ONE}", 1)
    restart(bmc)
    assert bmc.job(job)["JobState"] == "Completed"
    document = one.document()
    assert document["Ethernet"] == {
        "MACAddress": OTHER_MAC,
        "PermanentMACAddress": MAC,
        "MTUSize": 1500,
        "VLAN": {"VLANEnable": True, "VLANId": 100},
    }
    assert document["BootMode"] == "Disabled"
    values = one.values()
    assert (values["VirtMacAddr"], values["MacAddr"], values["VLanId"]) == (OTHER_MAC, MAC, 100)
    assert (values["LegacyBootProto"], one.pending()) == ("NONE", {})


def test_the_hosts_interface_follows(bmc, one):
    before = one.interface()
    one.set({"Ethernet": {"MACAddress": OTHER_MAC, "VLAN": {"VLANEnable": True}}})
    assert one.interface() == before, "not before it is applied"
    one.job()
    restart(bmc)
    assert one.interface() == {**before, "MACAddress": OTHER_MAC, "VLAN": {"VLANEnable": True, "VLANId": 1}}
    assert Port(bmc, TWO).interface()["MACAddress"] != OTHER_MAC


def test_an_override_is_taken_back(bmc, one):
    for address, then in ((OTHER_MAC, OTHER_MAC), (MAC, MAC), (OTHER_MAC, OTHER_MAC), (None, MAC)):
        assert id_of(one.set({"Ethernet": {"MACAddress": address}}, **ON_RESET))
        restart(bmc)
        assert one.document()["Ethernet"]["MACAddress"] == one.interface()["MACAddress"] == then


@pytest.mark.parametrize(
    ("method", "attributes"),
    [
        ("CHAP", {"ChapAuthEnable": "Enabled", "ChapMutualAuth": "Disabled"}),
        ("MutualCHAP", {"ChapAuthEnable": "Enabled", "ChapMutualAuth": "Enabled"}),
    ],
)
def test_one_property_may_be_two_attributes(bmc, one, method, attributes):
    secrets = {"CHAPSecret": "correct-horse", "MutualCHAPSecret": "battery-staple"}
    answer = one.set({"iSCSIBoot": {"AuthenticationMethod": method, **secrets, "CHAPUsername": "fish"}}, **ON_RESET)
    assert {name: one.pending()[name] for name in attributes} == attributes
    job = id_of(answer)
    restart(bmc)
    assert bmc.job(job)["JobState"] == "Completed"
    boot = one.document()["iSCSIBoot"]
    assert (boot["AuthenticationMethod"], boot["CHAPUsername"]) == (method, "fish")
    assert (boot["CHAPSecret"], boot["MutualCHAPSecret"]) == (None, None)
    assert not any(b"correct-horse" in kept or b"battery-staple" in kept for kept in bmc.state().values())


def test_its_settings_are_also_where_scripts_look(bmc, one):
    """Dell's scripts know them below the system, and so did the captured NetworkDeviceFunction."""
    place = f"{SYSTEM}/NetworkAdapters/NIC.Integrated.1/NetworkDeviceFunctions/{ONE}"
    assert bmc.patch(f"{place}/Settings", {"iSCSIBoot": {"InitiatorIPAddress": "192.168.0.120"}}).status == 200
    assert one.pending() == {"IscsiInitiatorIpAddr": "192.168.0.120"}
    answer = bmc.post(bmc.jobs, {"TargetSettingsURI": f"{place}/Settings"})
    assert answer.status == 200
    restart(bmc)
    assert bmc.get(place).body == bmc.get(one.function).body
    assert bmc.get(place).body["iSCSIBoot"]["InitiatorIPAddress"] == "192.168.0.120"


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("", "Network Adapters"),
        ("/NIC.Integrated.1", "Integrated NIC 1"),
        ("/NIC.Integrated.1/NetworkDeviceFunctions", "Network Device Functions"),
        ("/NIC.Integrated.1/Ports/NIC.Integrated.1-1", "Integrated NIC 1 Port 1"),
        ("/NIC.Integrated.1/NetworkPorts/NIC.Integrated.1-1", "Integrated NIC 1 Port 1"),
    ],
)
def test_adapters_stand_below_the_system_too(bmc, rack, place, name):
    answer = bmc.get(f"{SYSTEM}/NetworkAdapters{place}")
    assert answer.status == 200
    assert bmc.get(answer.body["@odata.id"]).body == answer.body, "the chassis' own, and it says so"
    assert answer.body["Name"] == name
    assert rack.get(f"/redfish/v1/Systems/rack-1/NetworkAdapters{place}").status == 404


FUNCTION_REFUSALS = [
    # situation, body, messages, related properties
    ("nothing in it", {}, ["Base.NoOperation"], set()),
    ("empty objects", {"Ethernet": {}, "iSCSIBoot": {}}, ["Base.NoOperation"], set()),
    ("only annotations", {"@odata.id": "/x", "Ethernet": {"@odata.type": "#x"}}, ["Base.NoOperation"], set()),
    ("an unknown property", {"Ethernett": {"MACAddress": OTHER_MAC}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Ethernett"}),
    ("a path for a name", {"Ethernet/MACAddress": OTHER_MAC}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Ethernet~1MACAddress"}),
    ("an unknown property inside", {"Ethernet": {"Mac": OTHER_MAC}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Ethernet/Mac"}),
    ("one that other adapters have", {"FibreChannel": {"WWNN": "x"}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/FibreChannel"}),
    ("a read-only property", {"Name": "x"}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], {"#/Name"}),
    ("a read-only property inside", {"Ethernet": {"PermanentMACAddress": OTHER_MAC}}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], {"#/Ethernet/PermanentMACAddress"}),
    ("one without an attribute behind it", {"Ethernet": {"MTUSize": 9000}}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], {"#/Ethernet/MTUSize"}),
    ("a value for an object", {"Ethernet": 5}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Ethernet"}),
    ("null for an object", {"Ethernet": {"VLAN": None}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Ethernet/VLAN"}),
    ("an object for a value", {"BootMode": {"PXE": True}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/BootMode"}),
    ("a list for an object", {"iSCSIBoot": []}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/iSCSIBoot"}),
    ("text for a boolean", {"Ethernet": {"VLAN": {"VLANEnable": "Enabled"}}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Ethernet/VLAN/VLANEnable"}),
    ("text for an integer", {"Ethernet": {"VLAN": {"VLANId": "7"}}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/Ethernet/VLAN/VLANId"}),
    ("null for an integer", {"iSCSIBoot": {"PrimaryLUN": None}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {"#/iSCSIBoot/PrimaryLUN"}),
    ("a line break behind it", {"Ethernet": {"MACAddress": f"{OTHER_MAC}\n"}}, ["IDRAC.SYS409", "Base.PropertyValueFormatError"], {"#/Ethernet/MACAddress"}),
    ("no address", {"Ethernet": {"MACAddress": "02:00"}}, ["IDRAC.SYS409", "Base.PropertyValueFormatError"], {"#/Ethernet/MACAddress"}),
    ("an address that only DMTF takes", {"Ethernet": {"MACAddress": "02-4a-46-26-11-77"}}, ["IDRAC.SYS409", "Base.PropertyValueFormatError"], {"#/Ethernet/MACAddress"}),
    ("a tag out of DMTF's bounds", {"Ethernet": {"VLAN": {"VLANEnable": True, "VLANId": 4095}}}, ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], {"#/Ethernet/VLAN/VLANId"}),
    ("a tag out of the registry's bounds", {"Ethernet": {"VLAN": {"VLANEnable": True, "VLANId": 0}}}, ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], {"#/Ethernet/VLAN/VLANId"}),
    ("a tag without its mode", {"Ethernet": {"VLAN": {"VLANId": 7}}}, ["IDRAC.SYS410", "Base.PropertyNotWritable"], {"#/Ethernet/VLAN/VLANId"}),
    ("a mode that nobody has", {"BootMode": "Floppy"}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/BootMode"}),
    ("a mode that the function lacks", {"BootMode": "FibreChannel"}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/BootMode"}),
    ("a mode that no attribute means", {"BootMode": "HTTP"}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {"#/BootMode"}),
    ("too short a secret", {"iSCSIBoot": {"CHAPSecret": "tiny"}}, ["Base.StringValueTooShort"], {"#/iSCSIBoot/CHAPSecret"}),
    ("an apply time that only attributes have", {APPLY_TIME: {"ApplyTime": "Immediate"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {f"#/{APPLY_TIME}/ApplyTime"}),
    ("an apply time and nothing staged", ON_RESET, ["IDRAC.NIC008"], set()),
    ("one good and one bad: refused whole", {"BootMode": "Disabled", "Name": "x"}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], {"#/Name"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "messages", "related"), [row[1:] for row in FUNCTION_REFUSALS], ids=[row[0] for row in FUNCTION_REFUSALS]
)
def test_a_property_that_cannot_be_set_is_refused_whole(bmc, one, body, messages, related):
    before = bmc.state()
    answer = one.set(body)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert "tiny" not in str(answer.body)
    assert bmc.state() == before


def test_all_that_is_wrong_is_named_as_the_client_named_it(bmc, one):
    answer = one.set({"Ethernet": {"VLAN": {"VLANEnable": 1}, "X": 1}, "BootMode": "Floppy", "Status": {"State": "x"}})
    assert answer.related == {"#/Ethernet/VLAN/VLANEnable", "#/Ethernet/X", "#/BootMode", "#/Status/State"}
    lom = Port(bmc, LOM, "NIC.Embedded.1")
    refused = lom.set({"BootMode": "iSCSI"})
    assert refused.info[0]["MessageArgs"] == ["iSCSI", "BootMode"]


def test_no_name_of_an_attribute_is_told_to_who_speaks_of_properties(bmc, one):
    for body in ({"Ethernet": {"VLAN": {"VLANId": 7}}}, {"Ethernet": {"MACAddress": "02-4a-46-26-11-77"}}):
        told = str(one.set(body).body)
        assert not any(name in told for name in one.values())


# -- a function without a vendor's attributes -------------------------------------------------------------------------


def test_a_plain_functions_properties_are_staged_and_applied(rack, ocp):
    annotation = ocp.document()["@Redfish.Settings"]
    assert annotation["SettingsObject"] == {"@odata.id": f"{ocp.function}/Settings"}
    assert annotation["SupportedApplyTimes"] == ["OnReset", "AtMaintenanceWindowStart", "InMaintenanceWindowOnReset"]
    before = ocp.document()
    change = {
        "Ethernet": {"MTUSize": 9000, "VLAN": {"VLANEnable": True, "VLANId": 0}},
        "BootMode": "iSCSI",
        "DeviceEnabled": False,
        "iSCSIBoot": {"InitiatorName": "iqn.2026-01.example:a", "PrimaryLUN": 3, "PrimaryVLANId": 0},
    }
    answer = ocp.set(change)
    assert (answer.status, answer.body["Ethernet"]["MTUSize"]) == (200, 9000)
    assert ocp.document() == before
    restart(rack)
    document = ocp.document()
    for name, value in change.items():
        assert document[name] == (value if not isinstance(value, dict) else {**before[name], **value})
    assert ocp.interface()["MTUSize"] == 9000
    assert ocp.interface()["VLAN"] == {"VLANEnable": True, "VLANId": 0}
    (job,) = rack.get("/redfish/v1/JobService/Jobs?$expand=*").body["Members"]
    assert (job["Name"], job["JobState"]) == ("Configure ocp-1-1", "Completed")


def test_a_plain_function_takes_an_apply_time_with_its_values_or_afterwards(rack, ocp):
    monitor = ocp.set({"Ethernet": {"MTUSize": 9000}}, **ON_RESET).headers["Location"]
    assert rack.get(monitor).status == 202
    restart(rack)
    assert (rack.get(monitor).status, ocp.document()["Ethernet"]["MTUSize"]) == (200, 9000)
    ocp.set({"Ethernet": {"MTUSize": 1500}})
    assert ocp.set(ON_RESET).status == 202
    restart(rack)
    assert ocp.document()["Ethernet"]["MTUSize"] == 1500


def test_a_plain_function_tells_how_it_went(rack, ocp):
    """In its own resource, in the job, and through the monitor: each names the property."""
    rack.post("/jobfish/v1/faults", {"target": "ocp-1-1", "step": "Ethernet.MTUSize"})
    monitor = ocp.set({"Ethernet": {"MTUSize": 9000}, "BootMode": "Disabled"}, **ON_RESET).headers["Location"]
    restart(rack)
    document = ocp.document()
    assert (document["Ethernet"]["MTUSize"], document["BootMode"]) == (1500, "Disabled")
    answer = rack.get(monitor)
    (job,) = rack.get("/redfish/v1/JobService/Jobs?$expand=*").body["Members"]
    steps = rack.get(f"{job['Steps']['@odata.id']}?$expand=*").body["Members"]
    (step,) = [step for step in steps if step["JobState"] == "Exception"]
    assert (answer.status, job["JobState"]) == (400, "Exception")
    for told in (document["@Redfish.Settings"]["Messages"][0], answer.info[0], job["Messages"][1], step["Messages"][0]):
        assert (told["MessageArgs"], told["RelatedProperties"]) == (["Ethernet/MTUSize"], ["/Ethernet/MTUSize"])


PLAIN = [
    ("an unknown property", {"Ethernet": {"Mac": "x"}}, 400, ["Base.PropertyUnknown"], {"/Ethernet/Mac"}),
    ("a read-only property", {"MaxVirtualFunctions": 1}, 400, ["Base.PropertyNotWritable"], {"/MaxVirtualFunctions"}),
    ("text for an integer", {"Ethernet": {"MTUSize": "9000"}}, 400, ["Base.PropertyValueTypeError"], {"/Ethernet/MTUSize"}),
    ("too large a frame", {"Ethernet": {"MTUSize": 9217}}, 400, ["Base.PropertyValueOutOfRange"], {"/Ethernet/MTUSize"}),
    ("a type that it cannot be", {"NetDevFuncType": "InfiniBand"}, 400, ["Base.PropertyValueNotInList"], {"/NetDevFuncType"}),
    ("nothing", {}, 400, ["Base.NoOperation"], set()),
    ("one good and one bad", {"BootMode": "Disabled", "X": 1}, 400, ["Base.PropertyUnknown"], {"/X"}),
    ("an apply time that is not offered", {APPLY_TIME: {"ApplyTime": "Immediate"}}, 400, ["Base.PropertyValueNotInList"], {f"/{APPLY_TIME}/ApplyTime"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "messages", "related"), [row[1:] for row in PLAIN], ids=[row[0] for row in PLAIN]
)
def test_a_plain_service_refuses_in_dmtfs_words(rack, ocp, body, status, messages, related):
    before = rack.state()
    answer = ocp.set(body)
    assert (answer.status, answer.message_ids, answer.related) == (status, messages, related)
    assert rack.state() == before


def test_a_plain_function_with_a_job_is_in_use(rack, ocp):
    assert ocp.set({"Ethernet": {"MTUSize": 9000}}, **ON_RESET).status == 202
    before = rack.state()
    answer = ocp.set({"Ethernet": {"MTUSize": 1500}})
    assert (answer.status, answer.message_ids) == (409, ["Base.ResourceInUse"])
    assert rack.state() == before


def test_a_plain_service_has_no_attributes_of_a_vendor(rack, ocp):
    assert rack.get(ocp.attributes).status == 404
    assert rack.patch(ocp.settings, {"Attributes": {}}).status == 404


# -- beside other jobs ------------------------------------------------------------------------------------------------


def test_firmware_and_configuration_of_one_port_may_both_be_open(bmc, one):
    """Values are not firmware: neither job holds what the other needs, and one restart runs both."""
    with_job(one)
    inventory = "/redfish/v1/UpdateService/FirmwareInventory"
    (target,) = [
        entry["@odata.id"] for entry in bmc.get(inventory).body["Members"] if entry["@odata.id"].endswith(f"__{ONE}")
    ]
    parameters = orjson.dumps({"Targets": [target], "@Redfish.OperationApplyTime": "OnReset"})
    parts = {
        "UpdateParameters": (io.BytesIO(parameters), "parameters.json", "application/json"),
        "UpdateFile": (io.BytesIO(b"an opaque image"), "Network_99.1.3.bin", "application/octet-stream"),
    }
    update = id_of(bmc.post("/redfish/v1/UpdateService/MultipartUpload", data=parts))
    (configuration,) = [
        name for entry in bmc.get(bmc.jobs).body["Members"] if (name := entry["@odata.id"].rpartition("/")[2]) != update
    ]
    assert [bmc.job(job)["JobType"] for job in (configuration, update)] == ["NICConfiguration", "FirmwareUpdate"]
    restart(bmc)
    assert [bmc.job(job)["JobState"] for job in (configuration, update)] == ["Completed"] * 2
    assert one.values()["VLanId"] == 100


def test_every_controller_has_its_own_addresses_and_values(make_bmc):
    first = make_bmc(controllers=3)
    second = Bmc(first.service, host="127.0.0.2")
    mine, other = Port(first, ONE), Port(second, ONE)
    assert mine.values()["MacAddr"] == MAC
    derived = other.values()["MacAddr"]
    assert derived != MAC
    assert other.document()["Ethernet"]["PermanentMACAddress"] == other.interface()["MACAddress"] == derived
    other.set({"Ethernet": {"MACAddress": OTHER_MAC}}, **ON_RESET)
    restart(second)
    assert other.document()["Ethernet"]["MACAddress"] == OTHER_MAC
    assert mine.document()["Ethernet"]["MACAddress"] == MAC


# -- a captured server ------------------------------------------------------------------------------------------------


@pytest.fixture
def r750(make_bmc):
    return make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))


def test_the_r750s_ports_run_the_main_job(r750):
    port = Port(r750, ONE)
    before = port.values()
    assert len(before) == 58
    change = {"VirtualizationMode": "NPAR", "LegacyBootProto": "PXE", "BannerMessageTimeout": 9}
    assert port.patch(change).status == 200
    job = port.job()
    restart(r750)
    assert r750.job(job)["JobState"] == "Completed"
    after = port.values()
    assert {name: after[name] for name in change} == change
    assert "RDMANICModeOnPort" not in after, "hidden while the port is partitioned"
    answer = port.patch({"NumberVFAdvertised": 16})
    assert (answer.status, answer.message_ids[0]) == (400, "IDRAC.NIC016")


def test_the_r750s_functions_are_changed_where_they_say(r750):
    port = Port(r750, "NIC.Slot.5-1", "NIC.Slot.5")
    place = port.document()["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    assert place.startswith(f"{SYSTEM}/NetworkAdapters/NIC.Slot.5/")
    answer = r750.patch(place, {"iSCSIBoot": {"InitiatorIPAddress": "10.0.0.7", "PrimaryLUN": 2}, **ON_RESET})
    assert answer.status == 202
    assert port.pending() == {"IscsiInitiatorIpAddr": "10.0.0.7", "FirstTgtBootLun": 2}
    restart(r750)
    boot = port.document()["iSCSIBoot"]
    assert (boot["InitiatorIPAddress"], boot["PrimaryLUN"], boot["PrimaryTargetTCPPort"]) == ("10.0.0.7", 2, 3260)


def test_what_was_pending_when_the_r750_was_captured_is_not(r750):
    for place in r750.service.site.nics:
        assert r750.get(place.attributes_settings_uri).body["Attributes"] == {}
