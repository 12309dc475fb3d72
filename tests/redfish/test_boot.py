"""Boot order by jobs of the BIOS, and the boot override that the next start of the host uses up.

Lifecycle dialect: a change of the order makes a configuration job. Plain: it is staged, and the next reset applies it.
"""

from __future__ import annotations

import pytest
from conftest import Bmc, capture

from emulator.app import build_service
from emulator.settings import Settings

ON_RESET = {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
A_START = 600
OLD, NEW = "BootSources", "Oem/Dell/DellBootSources"
CLEAR = "Actions/DellManager.ClearPending"


@pytest.fixture
def r750(make_bmc):
    return make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))


@pytest.fixture(params=["lifecycle-server", "rack-server", "poweredge-r750.tar.xz"])
def any_bmc(request, make_bmc):
    name = request.param
    return make_bmc(mockup=str(capture(name)) if name.endswith(".xz") else name)


@pytest.fixture(params=["lifecycle-server", "poweredge-r750.tar.xz"])
def vendor(request, make_bmc):
    """What has DellBootSources: one of the two tells of them itself, for the other they are derived."""
    name = request.param
    return make_bmc(mockup=str(capture(name)) if name.endswith(".xz") else name)


def boot(bmc):
    return bmc.get(bmc.system).body["Boot"]


def order(bmc):
    return boot(bmc)["BootOrder"]


def patch_boot(bmc, **boot):
    return bmc.patch(bmc.system, {"Boot": boot})


def override(bmc):
    shown = boot(bmc)
    return shown["BootSourceOverrideEnabled"], shown["BootSourceOverrideTarget"]


def options(bmc):
    """Reference -> whether it is enabled, in the collection's order."""
    members = bmc.get(f"{bmc.system}/BootOptions").body["Members"]
    found = [bmc.get(member["@odata.id"]).body for member in members]
    return {option["BootOptionReference"]: option["BootOptionEnabled"] for option in found}


def start(bmc):
    bmc.reset()
    bmc.advance(A_START)


def sources(bmc, place=NEW):
    return bmc.get(f"{bmc.system}/{place}").body["Attributes"]["UefiBootSeq"]


def pending_sources(bmc, place=NEW):
    return bmc.get(f"{bmc.system}/{place}/Settings").body["Attributes"]


def patch_sources(bmc, entries, place=NEW, **more):
    return bmc.patch(f"{bmc.system}/{place}/Settings", {"Attributes": {"UefiBootSeq": entries}, **more})


def job_of(answer):
    return answer.headers["Location"].rpartition("/")[2]


# -- the order --------------------------------------------------------------------------------------------------------


def test_the_order_as_delivered(any_bmc):
    assert list(options(any_bmc)) == order(any_bmc)
    assert all(options(any_bmc).values())
    assert boot(any_bmc) == any_bmc.service.site.tree.documents[any_bmc.system]["Boot"]


def test_a_new_order_is_in_force_after_the_next_start(any_bmc):
    before = order(any_bmc)
    wanted = before[::-1]
    assert patch_boot(any_bmc, BootOrder=wanted).status in (200, 204)
    assert order(any_bmc) == before
    any_bmc.advance(A_START)
    assert order(any_bmc) == before, "nobody has started the host"
    start(any_bmc)
    assert order(any_bmc) == list(options(any_bmc)) == wanted
    assert any_bmc.pending() == {}
    assert set(boot(any_bmc)) == set(any_bmc.service.site.tree.documents[any_bmc.system]["Boot"])


def test_a_lifecycle_controller_makes_a_job_of_it(bmc):
    answer = patch_boot(bmc, BootOrder=["Boot0002", "Boot0000", "Boot0001"])
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    job = bmc.job(job_of(answer))
    assert (job["JobType"], job["Name"], job["JobState"]) == ("BIOSConfiguration", "Configure: BIOS.Setup.1-1", "New")
    bmc.advance(30)
    assert bmc.job(job_of(answer))["Message"] == "Task successfully scheduled."
    start(bmc)
    assert bmc.job(job_of(answer))["JobState"] == "Completed"


def test_a_plain_service_stages_it(rack):
    assert patch_boot(rack, BootOrder=["Boot0003", "Boot0002", "Boot0001"]).status == 204
    assert rack.get("/redfish/v1/JobService/Jobs").body["Members"] == []
    assert patch_boot(rack, BootOrder=["Boot0002", "Boot0003", "Boot0001"]).status == 204, "the last one counts"
    start(rack)
    assert order(rack) == ["Boot0002", "Boot0003", "Boot0001"]


def test_a_lifecycle_controller_lets_the_rest_follow(bmc):
    patch_boot(bmc, BootOrder=["Boot0002"])
    start(bmc)
    assert order(bmc) == ["Boot0002", "Boot0000", "Boot0001"]


def test_an_option_is_disabled_and_enabled(any_bmc):
    last = order(any_bmc)[-1]
    for wanted in (False, True):
        answer = any_bmc.patch(f"{any_bmc.system}/BootOptions/{last}", {"BootOptionEnabled": wanted})
        assert answer.status in (200, 204)
        assert options(any_bmc)[last] is not wanted
        start(any_bmc)
        assert options(any_bmc)[last] is wanted
    assert list(options(any_bmc)) == order(any_bmc)


def test_the_order_is_no_attribute_of_the_bios(any_bmc):
    names = {"UefiBootSeq", "BootOrder"}
    patch_boot(any_bmc, BootOrder=order(any_bmc)[::-1])
    assert names.isdisjoint(any_bmc.attributes())
    assert names.isdisjoint(any_bmc.pending())


@pytest.mark.parametrize("value", [[["Boot0000", True]], "Boot0000", None])
def test_nor_can_it_be_set_as_one(bmc, value):
    before = bmc.state()
    answer = bmc.patch_bios(UefiBootSeq=value)
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.SYS429", "Base.PropertyUnknown"])
    assert answer.related == {"#/Attributes/UefiBootSeq"}
    assert bmc.state() == before


def test_one_job_sets_the_order_and_the_attributes(bmc):
    bmc.patch_bios(NumLock="Off")
    job = job_of(patch_boot(bmc, BootOrder=["Boot0001"]))
    start(bmc)
    assert bmc.job(job)["JobState"] == "Completed"
    assert (bmc.attributes()["NumLock"], order(bmc)[0]) == ("Off", "Boot0001")


def test_an_order_that_fails_on_purpose_leaves_the_old_one(bmc):
    bmc.fail("UefiBootSeq")
    before = order(bmc)
    job = job_of(patch_boot(bmc, BootOrder=["Boot0002"]))
    start(bmc)
    assert bmc.job(job)["JobState"] == "Failed"
    assert order(bmc) == before


def test_while_a_job_holds_the_bios_everything_of_it_is_refused(bmc):
    job = job_of(patch_boot(bmc, BootOrder=["Boot0002"]))
    before = bmc.state()
    for answer in (
        patch_boot(bmc, BootOrder=["Boot0001"]),
        patch_boot(bmc, BootOrder=["Boot0001"], BootSourceOverrideTarget="Pxe"),
        bmc.patch(f"{bmc.system}/BootOptions/Boot0000", {"BootOptionEnabled": False}),
        patch_sources(bmc, sources(bmc)),
        patch_sources(bmc, sources(bmc), OLD, **ON_RESET),
        bmc.patch_bios(NumLock="Off"),
    ):
        assert (answer.status, answer.message_ids) == (400, ["IDRAC.SYS011"])
    assert bmc.state() == before
    assert patch_boot(bmc, BootSourceOverrideTarget="Pxe").status == 200, "the override is not the BIOS's"
    bmc.delete(f"{bmc.jobs}/{job}")
    start(bmc)
    assert order(bmc) == ["Boot0000", "Boot0001", "Boot0002"]


def test_resetting_the_bios_restores_the_order(bmc):
    patch_boot(bmc, BootOrder=["Boot0002"])
    start(bmc)
    bmc.post(f"{bmc.bios}/Actions/Bios.ResetBios", {})
    start(bmc)
    assert order(bmc) == ["Boot0000", "Boot0001", "Boot0002"]


# -- the vendor's resources -------------------------------------------------------------------------------------------


def test_boot_sources_are_served_in_both_places(vendor):
    for place in (OLD, NEW):
        document = vendor.get(f"{vendor.system}/{place}").body
        assert document["@odata.id"] == f"{vendor.system}/{place}"
        assert document["@Redfish.Settings"]["SettingsObject"] == {"@odata.id": f"{vendor.system}/{place}/Settings"}
        assert [entry["Index"] for entry in sources(vendor, place)] == list(range(len(order(vendor))))
        assert {frozenset(entry) for entry in sources(vendor, place)} == {frozenset(("Enabled", "Id", "Index", "Name"))}
        assert pending_sources(vendor, place) == {}
    assert len({entry["Id"] for entry in sources(vendor)}) == len(sources(vendor))


def test_what_the_r750_tells_of_is_what_is_served(r750):
    captured = r750.service.site.tree.documents[f"{r750.system}/{NEW}"]
    assert r750.get(f"{r750.system}/{NEW}").body["Attributes"] == captured["Attributes"]


@pytest.mark.parametrize("place", [OLD, NEW])
def test_an_order_is_staged_and_a_job_made_for_it(vendor, place):
    entries = sources(vendor, place)[::-1]
    moved = [{**entry, "Index": index} for index, entry in enumerate(entries)]
    moved[0]["Enabled"] = False
    wanted = order(vendor)[::-1]
    assert patch_sources(vendor, moved, place).status == 200
    assert vendor.get(f"{vendor.jobs}").body["Members"] == []
    assert pending_sources(vendor, OLD) == pending_sources(vendor, NEW) == {"UefiBootSeq": moved}
    answer = vendor.post(vendor.jobs, {"TargetSettingsURI": f"{vendor.system}/{place}/Settings"})
    assert answer.status == 200
    assert vendor.job(job_of(answer))["JobType"] == "BIOSConfiguration"
    start(vendor)
    assert vendor.job(job_of(answer))["JobState"] == "Completed"
    assert sources(vendor, place) == moved
    assert order(vendor) == wanted
    assert options(vendor) == {reference: reference != wanted[0] for reference in wanted}
    assert pending_sources(vendor, place) == {}


def test_an_apply_time_makes_the_job_at_once(vendor):
    answer = patch_sources(vendor, sources(vendor)[::-1], **ON_RESET)
    assert (answer.status, answer.body) == (202, "")
    assert vendor.job(job_of(answer))["JobType"] == "BIOSConfiguration"


def test_indices_decide_and_otherwise_the_place_in_the_list(bmc):
    before = sources(bmc)
    patch_sources(bmc, [{"Id": entry["Id"], "Index": 2 - entry["Index"]} for entry in before])
    assert [entry["Id"] for entry in pending_sources(bmc)["UefiBootSeq"]] == [entry["Id"] for entry in before[::-1]]
    patch_sources(bmc, [{"Id": entry["Id"]} for entry in before])
    assert pending_sources(bmc)["UefiBootSeq"] == before


@pytest.mark.parametrize("place", [OLD, NEW])
def test_clearing_discards_the_order_and_nothing_else(bmc, place):
    clear = f"{bmc.system}/{place}/Settings/{CLEAR}"
    bmc.patch_bios(NumLock="Off")
    assert bmc.post(clear, {}).message_ids == ["IDRAC.BIOS012"]
    patch_sources(bmc, sources(bmc)[::-1], NEW)
    assert bmc.post(clear, {}).status == 200
    assert (pending_sources(bmc), bmc.pending()) == ({}, {"NumLock": "Off"})
    patch_sources(bmc, sources(bmc)[::-1], NEW, **ON_RESET)
    assert bmc.post(clear, {}).message_ids == ["IDRAC.BIOS011"]


def entries(bmc, **changes):
    """The order as it is, with some of its entries changed: at0={"Id": "x"}."""
    return [{**entry, **changes.get(f"at{index}", {})} for index, entry in enumerate(sources(bmc))]


PLACE = "#/Attributes/UefiBootSeq"
BAD_SOURCES = [
    # situation, the entries, messages, related properties
    ("no list", lambda bmc: {}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {PLACE}),
    ("no objects", lambda bmc: ["x"], ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {f"{PLACE}/0"}),
    ("no id", lambda bmc: [{"Index": 0}], ["IDRAC.SYS428", "Base.PropertyMissing"], {f"{PLACE}/0/Id"}),
    ("an index that is a text", lambda bmc: entries(bmc, at1={"Index": "1"}), ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {f"{PLACE}/1/Index"}),
    ("an index below zero", lambda bmc: entries(bmc, at1={"Index": -1}), ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], {f"{PLACE}/1/Index"}),
    ("enabled by a text", lambda bmc: entries(bmc, at1={"Enabled": "true"}), ["IDRAC.SYS409", "Base.PropertyValueTypeError"], {f"{PLACE}/1/Enabled"}),
    ("an unknown part", lambda bmc: entries(bmc, at1={"Colour": 1}), ["IDRAC.SYS429", "Base.PropertyUnknown"], {f"{PLACE}/1/Colour"}),
    ("another name", lambda bmc: entries(bmc, at1={"Name": "x"}), ["IDRAC.SYS427", "Base.PropertyNotWritable"], {f"{PLACE}/1/Name"}),
    ("an index twice", lambda bmc: entries(bmc, at1={"Index": 0}), ["Jobfish.SequenceRepeats"], {f"{PLACE}/1/Index"}),
    ("an index left out", lambda bmc: [{"Id": entry["Id"], **({"Index": 0} if number else {})} for number, entry in enumerate(sources(bmc)[:2])], ["IDRAC.SYS428", "Base.PropertyMissing"], {f"{PLACE}/0/Index"}),
    ("nothing in it", lambda bmc: [], ["Jobfish.SequenceIncomplete"], {PLACE}),
    ("a member left out", lambda bmc: sources(bmc)[1:], ["Jobfish.SequenceIncomplete"], {PLACE}),
    ("a member more", lambda bmc: [*sources(bmc), {"Id": "x", "Index": 9}], ["IDRAC.SYS426", "Base.PropertyValueNotInList"], {PLACE}),
    ("a member twice", lambda bmc: [*sources(bmc), {**sources(bmc)[0], "Index": 9}], ["Jobfish.SequenceRepeats"], {PLACE}),
]  # fmt: skip


@pytest.mark.parametrize("row", BAD_SOURCES, ids=[row[0] for row in BAD_SOURCES])
@pytest.mark.parametrize("more", [{}, ON_RESET], ids=["staged", "with a job"])
def test_an_order_that_cannot_be_is_refused(bmc, row, more):
    _, make, messages, related = row
    body, before = make(bmc), bmc.state()
    answer = patch_sources(bmc, body, **more)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, related)
    assert bmc.state() == before


@pytest.mark.parametrize("name", ["BootSeq", "NumLock", "Nope"])
def test_only_orders_are_set_among_the_boot_sources(bmc, name):
    before = bmc.state()
    answer = bmc.patch(f"{bmc.system}/{NEW}/Settings", {"Attributes": {name: []}})
    assert (answer.status, answer.message_ids[0], answer.related) == (400, "IDRAC.SYS429", {f"#/Attributes/{name}"})
    assert bmc.state() == before


# -- the override -----------------------------------------------------------------------------------------------------


def test_an_override_for_once_is_used_up_by_the_boot_it_served(any_bmc):
    answer = patch_boot(any_bmc, BootSourceOverrideEnabled="Once", BootSourceOverrideTarget="Pxe")
    assert answer.status in (200, 204)
    assert override(any_bmc) == ("Once", "Pxe")
    any_bmc.reset()
    assert override(any_bmc) == ("Once", "Pxe"), "POST is not over: it has not booted yet"
    any_bmc.advance(A_START)
    assert override(any_bmc) == ("Disabled", "None")
    assert any_bmc.get("/redfish/v1/JobService/Jobs").body["Members"] == []


def test_a_host_that_is_turned_off_before_it_boots_has_not_used_it_up(any_bmc):
    patch_boot(any_bmc, BootSourceOverrideEnabled="Once", BootSourceOverrideTarget="Pxe")
    any_bmc.reset()
    any_bmc.reset("ForceOff")
    any_bmc.advance(A_START)
    assert override(any_bmc) == ("Once", "Pxe")
    any_bmc.reset("On")
    any_bmc.advance(A_START)
    assert override(any_bmc) == ("Disabled", "None")


def test_a_continuous_override_stays_until_it_is_disabled(any_bmc):
    patch_boot(any_bmc, BootSourceOverrideEnabled="Continuous", BootSourceOverrideTarget="Hdd")
    start(any_bmc)
    start(any_bmc)
    assert override(any_bmc) == ("Continuous", "Hdd")
    patch_boot(any_bmc, BootSourceOverrideEnabled="Disabled")
    assert override(any_bmc) == ("Disabled", "None")


def test_the_log_tells_of_the_boot_that_an_override_decided(bmc):
    patch_boot(bmc, BootSourceOverrideEnabled="Once", BootSourceOverrideTarget="Cd")
    start(bmc)
    start(bmc)
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        said = [entry.message.args for entry in machine.log if entry.message.key == "HostBootsFrom"]
    assert said == [("Cd",)]


LONE = [
    # what is given, (enabled, target) of a lifecycle controller, of a plain service
    ({"BootSourceOverrideTarget": "Pxe"}, ("Once", "Pxe"), ("Disabled", "Pxe")),
    ({"BootSourceOverrideTarget": "None"}, ("Disabled", "None"), ("Disabled", "None")),
    ({"BootSourceOverrideEnabled": "Once"}, ("Once", "None"), ("Once", "None")),
    ({"BootSourceOverrideMode": "UEFI"}, ("Disabled", "None"), ("Disabled", "None")),
]


@pytest.mark.parametrize("row", LONE, ids=[str(row[0]) for row in LONE])
def test_one_half_of_an_override(bmc, rack, row):
    given, vendors, plain = row
    patch_boot(bmc, **given)
    patch_boot(rack, **given)
    assert (override(bmc), override(rack)) == (vendors, plain)


def test_a_uefi_target_needs_a_path_and_is_for_once(any_bmc):
    path = "HD(1,GPT,7C1B0A52)/x.efi"
    patch_boot(any_bmc, BootSourceOverrideTarget="UefiTarget", UefiTargetBootSourceOverride=path)
    patch_boot(any_bmc, BootSourceOverrideEnabled="Once")
    assert (override(any_bmc), boot(any_bmc)["UefiTargetBootSourceOverride"]) == (("Once", "UefiTarget"), path)
    before = any_bmc.state()
    assert patch_boot(any_bmc, BootSourceOverrideEnabled="Continuous").status == 400
    assert patch_boot(any_bmc, UefiTargetBootSourceOverride=None).status == 400
    assert any_bmc.state() == before


# -- other properties -------------------------------------------------------------------------------------------------


def test_what_a_system_is_called_can_be_changed(any_bmc):
    wanted = {"AssetTag": "shelf 7", "HostName": "web-7", "IndicatorLED": "Blinking", "LocationIndicatorActive": True}
    given = {name: value for name, value in wanted.items() if name in any_bmc.get(any_bmc.system).body}
    assert {"AssetTag", "HostName"} < set(given)
    before = any_bmc.get(any_bmc.system).headers["ETag"]
    assert any_bmc.patch(any_bmc.system, given).status in (200, 204)
    shown = any_bmc.get(any_bmc.system)
    assert {name: shown.body[name] for name in given} == given
    assert shown.headers["ETag"] != before


def test_one_request_may_set_everything(bmc):
    body = {"AssetTag": "x", "Boot": {"BootSourceOverrideTarget": "Pxe", "BootOrder": ["Boot0001"]}}
    answer = bmc.patch(bmc.system, body)
    assert (answer.status, override(bmc)) == (200, ("Once", "Pxe"))
    assert bmc.job(job_of(answer))["JobType"] == "BIOSConfiguration"
    start(bmc)
    assert (order(bmc)[0], override(bmc)) == ("Boot0001", ("Disabled", "None"))


BAD = [
    # situation, body, lifecycle messages, plain messages, related properties
    ("nothing in it", {}, ["Base.NoOperation"], ["Base.NoOperation"], set()),
    ("nothing in Boot", {"Boot": {}}, ["Base.NoOperation"], ["Base.NoOperation"], set()),
    ("only annotations", {"@odata.etag": "x", "Boot": {"@odata.type": "x"}}, ["Base.NoOperation"], ["Base.NoOperation"], set()),
    ("Boot is a list", {"Boot": []}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], ["Base.PropertyValueTypeError"], {"/Boot"}),
    ("an order that is a text", {"Boot": {"BootOrder": "Boot0001"}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], ["Base.PropertyValueTypeError"], {"/Boot/BootOrder"}),
    ("an order of numbers", {"Boot": {"BootOrder": [1]}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], ["Base.PropertyValueTypeError"], {"/Boot/BootOrder/0"}),
    ("an empty order", {"Boot": {"BootOrder": []}}, ["IDRAC.SYS409", "Base.PropertyValueFormatError"], ["Base.PropertyValueFormatError"], {"/Boot/BootOrder"}),
    ("an order without an order", {"Boot": {"BootOrder": None}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], ["Base.PropertyValueTypeError"], {"/Boot/BootOrder"}),
    ("an option that is not there", {"Boot": {"BootOrder": ["Boot0001", "Boot0002", "Boot0000", "Boot0003", "Boot0099"]}}, None, None, {"/Boot/BootOrder"}),
    ("an option twice", {"Boot": {"BootOrder": ["Boot0001", "Boot0002", "Boot0002"]}}, ["Jobfish.SequenceRepeats"], ["Jobfish.SequenceRepeats", "Jobfish.SequenceIncomplete"], {"/Boot/BootOrder"}),
    ("another selection", {"Boot": {"BootOrderPropertySelection": "AliasBootOrder"}}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], ["Base.PropertyNotWritable"], {"/Boot/BootOrderPropertySelection"}),
    ("an unknown part of Boot", {"Boot": {"Bot": 1}}, ["IDRAC.SYS429", "Base.PropertyUnknown"], ["Base.PropertyUnknown"], {"/Boot/Bot"}),
    ("a target that is not offered", {"Boot": {"BootSourceOverrideTarget": "Floppy"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], ["Base.PropertyValueNotInList"], {"/Boot/BootSourceOverrideTarget"}),
    ("an override for ever", {"Boot": {"BootSourceOverrideEnabled": "Always"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], ["Base.PropertyValueNotInList"], {"/Boot/BootSourceOverrideEnabled"}),
    ("a mode that is not offered", {"Boot": {"BootSourceOverrideMode": "BIOS"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], ["Base.PropertyValueNotInList"], {"/Boot/BootSourceOverrideMode"}),
    ("null for a target", {"Boot": {"BootSourceOverrideTarget": None}}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], ["Base.PropertyValueTypeError"], {"/Boot/BootSourceOverrideTarget"}),
    ("a UEFI target without a path", {"Boot": {"BootSourceOverrideTarget": "UefiTarget"}}, ["IDRAC.SYS428", "Base.PropertyMissing"], ["Base.PropertyMissing"], {"/Boot/UefiTargetBootSourceOverride"}),
    ("a UEFI target for every boot", {"Boot": {"BootSourceOverrideEnabled": "Continuous", "BootSourceOverrideTarget": "UefiTarget", "UefiTargetBootSourceOverride": "x"}}, ["Base.PropertyValueConflict"], ["Base.PropertyValueConflict"], {"/Boot/BootSourceOverrideEnabled", "/Boot/BootSourceOverrideTarget"}),
    ("a tag that is a number", {"AssetTag": 7}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], ["Base.PropertyValueTypeError"], {"/AssetTag"}),
    ("too long a name", {"HostName": "x" * 300}, ["IDRAC.SYS409", "Base.PropertyValueFormatError"], ["Base.PropertyValueFormatError"], {"/HostName"}),
    ("a light that is text", {"LocationIndicatorActive": "On"}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], ["Base.PropertyValueTypeError"], {"/LocationIndicatorActive"}),
    ("a light that is not there", {"IndicatorLED": "Lit"}, ["IDRAC.SYS429", "Base.PropertyUnknown"], ["Base.PropertyUnknown"], {"/IndicatorLED"}),
    ("what cannot be changed", {"PowerState": "Off"}, ["IDRAC.SYS427", "Base.PropertyNotWritable"], ["Base.PropertyNotWritable"], {"/PowerState"}),
    ("what nobody knows", {"Colour": "red"}, ["IDRAC.SYS429", "Base.PropertyUnknown"], ["Base.PropertyUnknown"], {"/Colour"}),
    ("an apply time", {**ON_RESET, "AssetTag": "x"}, ["IDRAC.SYS429", "Base.PropertyUnknown"], ["Base.PropertyUnknown"], {"/@Redfish.SettingsApplyTime"}),
    ("one good and one bad: refused whole", {"AssetTag": "x", "Boot": {"BootSourceOverrideTarget": "Nope"}}, ["IDRAC.SYS426", "Base.PropertyValueNotInList"], ["Base.PropertyValueNotInList"], {"/Boot/BootSourceOverrideTarget"}),
    ("a bad order and a good override", {"Boot": {"BootSourceOverrideTarget": "Pxe", "BootOrder": ["x"]}}, None, None, {"/Boot/BootOrder"}),
]  # fmt: skip


@pytest.mark.parametrize("row", BAD, ids=[row[0] for row in BAD])
def test_what_a_system_cannot_be_told(bmc, rack, row):
    _, body, vendors, plain, related = row
    for machine, messages, prefix in ((bmc, vendors, "#"), (rack, plain, "")):
        before = machine.state()
        answer = machine.patch(machine.system, body)
        assert answer.status == 400
        assert messages is None or answer.message_ids == messages
        assert answer.related == {prefix + path for path in related}
        assert machine.state() == before


BAD_OPTIONS = [
    ("nothing in it", {}, ["Base.NoOperation"]),
    ("not a boolean", {"BootOptionEnabled": "no"}, ["Base.PropertyValueTypeError"]),
    ("its name", {"DisplayName": "x"}, ["Base.PropertyNotWritable"]),
    ("what nobody knows", {"Colour": "x"}, ["Base.PropertyUnknown"]),
]


@pytest.mark.parametrize("row", BAD_OPTIONS, ids=[row[0] for row in BAD_OPTIONS])
def test_what_a_boot_option_cannot_be_told(rack, row):
    _, body, messages = row
    before = rack.state()
    answer = rack.patch(f"{rack.system}/BootOptions/Boot0001", body)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert rack.state() == before


# -- elsewhere --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_all_of_it_survives_a_restart(make_bmc, tmp_path, mockup):
    first = Bmc(build_service(Settings(clock="manual", mockup=mockup), state_folder=tmp_path))
    first.service.start()
    wanted = order(first)[::-1]
    patch_boot(first, BootOrder=wanted)
    start(first)
    patch_boot(first, BootSourceOverrideEnabled="Once", BootSourceOverrideTarget="Pxe")
    first.patch(first.system, {"AssetTag": "kept"})
    patch_boot(first, BootOrder=wanted[::-1])
    before = first.state()
    first.service.stop()
    again = make_bmc(mockup=mockup, state=tmp_path)
    assert again.state() == before
    assert (order(again), override(again)) == (wanted, ("Once", "Pxe"))
    assert again.get(again.system).body["AssetTag"] == "kept"
    start(again)
    assert (order(again), override(again)) == (wanted[::-1], ("Disabled", "None"))


def test_a_tree_without_boot_options_has_an_order_that_is_only_shown(make_bmc):
    bmc = make_bmc(mockup=str(capture("dmtf-public-rackmount1.tar.xz")))
    before = bmc.state()
    answer = patch_boot(bmc, BootOrder=["x"])
    assert (answer.status, answer.message_ids) == (400, ["Base.PropertyUnknown"])
    assert bmc.state() == before
    assert patch_boot(bmc, BootSourceOverrideTarget="Pxe", BootSourceOverrideEnabled="Once").status == 204
    start(bmc)
    assert override(bmc) == ("Disabled", "None")


def test_a_profile_does_not_tell_of_the_order(bmc):
    uri = f"{bmc.manager}/Actions/Oem/OemManager.ExportSystemConfiguration"
    body = {"ExportFormat": "JSON", "ShareParameters": {"Target": ["BIOS"]}}
    answer = bmc.post(uri, body)
    bmc.advance(3600)
    assert "'UefiBootSeq'" not in str(bmc.get(answer.headers["Location"]).body)


def test_nobody_without_the_privilege_changes_it(bmc):
    bmc.user = None
    assert patch_boot(bmc, BootOrder=["Boot0001"]).status == 401
