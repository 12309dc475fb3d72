"""Storage controllers: their settings, their defaults, and the jobs for what is pending on them."""

from __future__ import annotations

import pytest
from storage_world import APPLY, GIB, SETTINGS_APPLY, STEP, job_id, storage_of

RATES = {"RebuildRatePercent": 60, "ConsistencyCheckRatePercent": 10}


def rates(raid):
    return raid.bmc.get(raid.controller).body["ControllerRates"]


def vendor(**attributes):
    return {"Oem": {"Dell": {"DellStorageController": attributes}}}


# -- reading ----------------------------------------------------------------------------------------------------------


def test_what_was_delivered_is_told_as_it_was(raid):
    for uri in (raid.uri, raid.controller):
        delivered, document = raid.bmc.service.site.tree.documents[uri], raid.bmc.get(uri).body
        told = delivered.keys() - {"Actions", "Oem"}
        assert {name: document[name] for name in told} == {name: delivered[name] for name in told}


def test_the_controller_says_where_its_settings_are(raid):
    annotation = raid.bmc.get(raid.controller).body["@Redfish.Settings"]
    assert annotation["SettingsObject"]["@odata.id"] == f"{raid.controller}/Settings"
    assert annotation["SupportedApplyTimes"][0] == "Immediate"
    assert raid.bmc.get(f"{raid.controller}/Settings").body["ControllerRates"] == {}


# -- changing ---------------------------------------------------------------------------------------------------------

HOW = ["PATCH", "PATCH OnReset", "Immediate", "OnReset", "staged", "InMaintenanceWindowOnReset"]


@pytest.mark.parametrize("how", HOW)
def test_rates_are_set(raid, how):
    before, settings, body = rates(raid), f"{raid.controller}/Settings", {"ControllerRates": RATES}
    if how.startswith("PATCH"):
        answer = raid.bmc.patch(raid.controller, {**body, **({APPLY: "OnReset"} if "OnReset" in how else {})})
    elif how == "staged":
        assert raid.bmc.patch(settings, body).status == 200
        answer = raid.bmc.patch(settings, {SETTINGS_APPLY: {"ApplyTime": "OnReset"}})
    elif how == "InMaintenanceWindowOnReset":
        answer = raid.bmc.patch(settings, {**body, SETTINGS_APPLY: {"ApplyTime": how, **raid.window(100, 3600)}})
        raid.bmc.advance(200)
    else:
        answer = raid.bmc.patch(settings, {**body, SETTINGS_APPLY: {"ApplyTime": how}})
    assert answer.status == 202, answer.body
    assert rates(raid) == before
    if how in ("PATCH", "Immediate"):
        raid.bmc.advance(2 * STEP)
    else:
        assert raid.bmc.get(settings).body["ControllerRates"] == RATES
        raid.restart()
    assert raid.job(answer)["JobState"] == "Completed"
    assert rates(raid) == before | RATES
    assert raid.bmc.get(settings).body["ControllerRates"] == {}
    (inner,) = raid.bmc.get(raid.uri).body.get("StorageControllers") or [{"ControllerRates": before | RATES}]
    assert inner["ControllerRates"] == before | RATES


def test_a_rate_that_a_tree_did_not_tell_of_is_told_once_it_was_set(raid):
    assert "TransformationRatePercent" not in rates(raid)
    raid.finish(raid.bmc.patch(raid.controller, {"ControllerRates": {"TransformationRatePercent": 77}}))
    assert rates(raid)["TransformationRatePercent"] == 77


def test_a_rate_says_how_fast_the_controller_works(raid):
    raid.finish(raid.bmc.patch(raid.controller, {"ControllerRates": {"RebuildRatePercent": 100}}))
    raid.befall("DriveFailure", 2)
    raid.befall("DriveReplaced", 2)
    raid.bmc.advance(raid.usable / GIB / 2)
    assert raid.drive(2)["Operations"][0]["PercentageComplete"] == 50


def test_a_lifecycle_controllers_own_attributes_are_set(perc):
    settings = f"{perc.controller}/Settings"
    assert perc.bmc.patch(settings, vendor(PatrolReadMode="Manual", RebuildRatePercent=40)).status == 200
    pending = perc.bmc.get(settings).body
    assert pending["Oem"]["Dell"]["DellStorageController"] == {"PatrolReadMode": "Manual"}
    assert pending["ControllerRates"] == {"RebuildRatePercent": 40}
    perc.bmc.patch(settings, {SETTINGS_APPLY: {"ApplyTime": "OnReset"}})
    perc.restart()
    own = perc.bmc.get(perc.controller).body["Oem"]["Dell"]["DellStorageController"]
    assert own["PatrolReadMode"] == "Manual"
    assert rates(perc)["RebuildRatePercent"] == 40


def test_the_mode_is_changed_alone_and_only_while_nothing_needs_raid(perc):
    settings, mode = f"{perc.controller}/Settings", vendor(ControllerMode="HBA")
    apply = {SETTINGS_APPLY: {"ApplyTime": "OnReset"}}
    before = perc.bmc.state()
    answer = perc.bmc.patch(settings, {**mode, **apply})
    assert (answer.status, answer.message_ids[0]) == (400, "IDRAC.STOR304")
    both = vendor(ControllerMode="HBA", PatrolReadMode="Manual")
    assert perc.bmc.patch(settings, {**both, **apply}).message_ids[0] == "IDRAC.STOR300"
    assert perc.bmc.state() == before
    perc.finish(perc.bmc.post(f"{perc.uri}/Actions/Storage.ResetToDefaults", {"ResetType": "ResetAll"}))
    assert perc.bmc.patch(settings, {**mode, **apply}).status == 202
    perc.restart()
    answer = perc.create("RAID1", 6, 7)
    assert (answer.status, answer.message_ids[0]) == (400, "IDRAC.STOR074")


# -- defaults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "volumes"), [("ResetAll", 0), ("PreserveVolumes", 2)])
@pytest.mark.parametrize("when", ["Immediate", "OnReset"])
def test_a_controller_is_reset_to_its_defaults(raid, kind, volumes, when):
    delivered = rates(raid)
    raid.finish(raid.bmc.patch(raid.controller, {"ControllerRates": RATES}), 2 * STEP)
    raid.finish(raid.bmc.patch(raid.drives[6], {"HotspareType": "Global"}))
    action = raid.bmc.get(raid.uri).body["Actions"]["#Storage.ResetToDefaults"]
    assert kind in action["ResetType@Redfish.AllowableValues"]
    assert when in action["@Redfish.OperationApplyTimeSupport"]["SupportedValues"]
    answer = raid.bmc.post(action["target"], {"ResetType": kind, APPLY: when})
    assert answer.status == 202, answer.body
    assert len(raid.members()) == 2
    raid.restart() if when == "OnReset" else raid.bmc.advance(3 * STEP)
    assert raid.job(answer)["JobState"] == "Completed"
    assert rates(raid) == delivered
    assert len(raid.members()) == volumes
    assert raid.drive(6)["HotspareType"] == ("Global" if volumes else "None")


def test_there_is_nothing_to_reset_where_everything_is_as_delivered(raid):
    answer = raid.bmc.post(f"{raid.uri}/Actions/Storage.ResetToDefaults", {"ResetType": "PreserveVolumes"})
    assert (answer.status, answer.message_ids[-1]) == (400, "Base.NoOperation")


# -- jobs for what is pending -----------------------------------------------------------------------------------------


def test_a_targeted_job_is_made_for_what_is_pending(perc):
    places = [f"{perc.controller}/Settings", f"{perc.at('data')}/Settings", f"{perc.drives[6]}/Settings"]
    for target in places:
        assert perc.bmc.patch(places[1], {"Name": "b"}).status == 200
        assert perc.bmc.patch(places[0], vendor(PatrolReadMode="Manual")).status == 200
        answer = perc.bmc.post(perc.bmc.jobs, {"TargetSettingsURI": target})
        assert answer.status == 200, answer.body
        job = perc.bmc.job(answer.headers["Location"].rpartition("/")[2])
        assert (job["JobType"], job["Name"]) == ("RAIDConfiguration", "Configure: RAID.Integrated.1-1")
        assert perc.bmc.delete(answer.headers["Location"]).status == 200
        assert perc.bmc.get(places[1]).body["Name"] == "data", "the job took its pending values with it"


@pytest.mark.parametrize(
    "target", ["Storage/RAID.Integrated.1-1/Settings", "Storage/Volumes/nobody/Settings", "Storage"]
)
def test_a_job_needs_a_settings_resource(perc, target):
    answer = perc.bmc.post(perc.bmc.jobs, {"TargetSettingsURI": f"{perc.bmc.system}/{target}"})
    assert (answer.status, answer.related) == (400, {"#/TargetSettingsURI"})


def test_jobs_at_once_and_at_a_restart_have_types_of_their_own(perc):
    live = job_id(perc.create("RAID1", 6, 7))
    assert perc.bmc.job(live)["JobType"] == "RealTimeNoRebootConfiguration"
    perc.bmc.advance(STEP)
    staged = job_id(perc.bmc.call("DELETE", perc.members()[-1]["@odata.id"], {APPLY: "OnReset"}))
    assert perc.bmc.job(staged)["JobType"] == "RAIDConfiguration"
    assert perc.bmc.job(live)["Message"] == "Job completed successfully."


def test_raid_nic_and_bios_jobs_run_in_one_restart_in_queue_order(perc):
    bmc, system = perc.bmc, perc.bmc.system
    nic = "NIC.Integrated.1-1-1"
    adapter = f"/redfish/v1/Chassis/System.Embedded.1/NetworkAdapters/NIC.Integrated.1/NetworkDeviceFunctions/{nic}"
    targets = {
        "raid": (f"{perc.at('data')}/Settings", {"Name": "b"}),
        "nic": (f"{adapter}/Oem/Dell/DellNetworkAttributes/{nic}/Settings", {"Attributes": {"WakeOnLan": "Disabled"}}),
        "bios": (f"{system}/Bios/Settings", {"Attributes": {"NumLock": "Off"}}),
    }
    jobs = {}
    for name, (settings, change) in targets.items():
        assert bmc.patch(settings, change).status == 200
        jobs[name] = bmc.post(bmc.jobs, {"TargetSettingsURI": settings}).headers["Location"].rpartition("/")[2]
    queue = [jobs["bios"], jobs["raid"], jobs["nic"]]
    bmc.advance(5)
    answer = bmc.act("SetupJobQueue", JobArray=[*queue, bmc.create_reboot_job()], StartTimeInterval="TIME_NOW")
    assert answer.status == 200, answer.body
    bmc.advance(600)
    ran = [bmc.job(job) for job in queue]
    assert [job["JobState"] for job in ran] == ["Completed"] * 3
    starts = [job["ActualRunningStartTime"] for job in ran]
    assert starts == sorted(starts)
    assert len(set(starts)) == 3, "one after the other"


# -- clearing ---------------------------------------------------------------------------------------------------------


def test_what_is_pending_is_cleared(perc):
    owners = [perc.controller, perc.at("data"), perc.at("data").replace(f"/{perc.device}/Volumes/", "/Volumes/")]
    for owner in owners:
        assert perc.bmc.patch(f"{perc.at('data')}/Settings", {"Name": "b"}).status == 200
        action = perc.bmc.get(f"{owner}/Settings").body["Actions"]["Oem"]["#DellManager.ClearPending"]["target"]
        assert action.endswith("/Settings/Actions/Oem/DellManager.ClearPending")
        assert perc.bmc.post(f"{owner}/Settings/Actions/Oem/DellManager.ClearPending", {}).status == 200
        assert perc.bmc.get(f"{perc.at('data')}/Settings").body["Name"] == "data"


def test_clearing_is_refused_where_nothing_is_pending_and_while_a_job_holds_it(perc):
    action = f"{perc.controller}/Settings/Actions/Oem/DellManager.ClearPending"
    answer = perc.bmc.post(action, {})
    assert (answer.status, answer.message_ids[0]) == (400, "IDRAC.STOR026")
    perc.create("RAID1", 6, 7, **{APPLY: "OnReset"})
    before = perc.bmc.state()
    answer = perc.bmc.post(action, {})
    assert (answer.status, answer.message_ids[0]) == (400, "IDRAC.STOR025")
    assert perc.bmc.state() == before
    assert perc.bmc.post(f"{perc.volumes}/nobody/Settings/Actions/Oem/DellManager.ClearPending", {}).status == 404


# -- conflicts --------------------------------------------------------------------------------------------------------

CONFLICTS = [
    # what there is already, what is asked then, message of a lifecycle controller
    ("a live job", "live", "IDRAC.STOR084"),
    ("a live job", "staged", "IDRAC.STOR023"),
    ("a live job", "targeted", "IDRAC.STOR024"),
    ("a staged job", "live", "IDRAC.STOR084"),
    ("a staged job", "staged", "IDRAC.STOR023"),
    ("a staged job", "targeted", "IDRAC.STOR024"),
    ("staged values", "live", "IDRAC.STOR078"),
    ("nothing", "targeted", "IDRAC.STOR026"),
]


@pytest.mark.parametrize(("there", "asked", "message"), CONFLICTS, ids=[f"{row[0]}, {row[1]}" for row in CONFLICTS])
def test_one_thing_at_a_time(perc, there, asked, message):
    settings = f"{perc.at('data')}/Settings"
    if there == "a live job":
        perc.act("data", "Initialize")
    elif there == "a staged job":
        perc.act("data", "Initialize", **{APPLY: "OnReset"})
    elif there == "staged values":
        perc.bmc.patch(settings, {"Name": "b"})
    before = perc.bmc.state()
    if asked == "targeted":
        answer = perc.bmc.post(perc.bmc.jobs, {"TargetSettingsURI": settings})
    elif asked == "staged":
        answer = perc.bmc.patch(settings, {"Name": "c"})
    else:
        answer = perc.create("RAID1", 6, 7)
    assert (answer.status, answer.message_ids[0]) == (400, message)
    assert perc.bmc.state() == before


@pytest.mark.parametrize("there", ["a live job", "a staged job", "staged values"])
def test_on_a_plain_service_the_controller_is_in_use(plain, there):
    settings = f"{plain.at('data')}/Settings"
    if there == "staged values":
        plain.bmc.patch(settings, {"Name": "b"})
    else:
        plain.act("data", "Initialize", **({APPLY: "OnReset"} if there == "a staged job" else {}))
    before = plain.bmc.state()
    answer = plain.create("RAID1", 6, 7)
    assert (answer.status, answer.message_ids[0]) == (409, "Base.ResourceInUse")
    assert plain.bmc.state() == before


def test_a_plain_service_applies_what_is_staged_at_the_next_reset(plain):
    assert plain.bmc.patch(f"{plain.at('data')}/Settings", {"Name": "b"}).status == 200
    plain.restart()
    assert plain.names()[1] == "b"


def test_who_may_only_read_configures_nothing(raid):
    uri, drive = raid.at("data"), raid.drives[6]
    before = raid.bmc.state()
    raid.bmc.user = ("readonly", "readonly")
    asked = [
        raid.bmc.post(raid.volumes, {"RAIDType": "RAID1"}),
        raid.bmc.delete(uri),
        raid.bmc.patch(uri, {"Name": "b"}),
        raid.bmc.patch(f"{uri}/Settings", {"Name": "b"}),
        raid.bmc.post(f"{uri}/Actions/Volume.Initialize", {}),
        raid.bmc.patch(drive, {"HotspareType": "Global"}),
        raid.bmc.post(f"{drive}/Actions/Drive.SecureErase", {}),
        raid.bmc.patch(raid.controller, {"ControllerRates": RATES}),
        raid.bmc.post(f"{raid.uri}/Actions/Storage.ResetToDefaults", {"ResetType": "ResetAll"}),
    ]
    assert {answer.status for answer in asked} == {403}
    assert raid.bmc.get(uri).status == 200
    raid.bmc.user = ("root", "calvin")
    assert raid.bmc.state() == before


# -- the key, and the enclosure ---------------------------------------------------------------------------------------

FIRST, SECOND = "First-Key-1", "Second-Key-2"


def set_key(raid, **parameters):
    return raid.bmc.post(f"{raid.uri}/Actions/Storage.SetEncryptionKey", parameters)


def test_a_key_is_set_and_changed_by_who_knows_it(bmc):
    raid = storage_of(bmc, "lifecycle-server")
    assert "#Storage.SetEncryptionKey" in bmc.get(raid.uri).body["Actions"]
    assert set_key(raid, EncryptionKey=FIRST, EncryptionKeyIdentifier="one").status == 202
    bmc.advance(2 * STEP)
    assert raid.made("RAID1", 6, 7, Encrypted=True)["Encrypted"]
    for parameters, message in (
        ({"EncryptionKey": SECOND}, "IDRAC.SYS428"),
        ({"EncryptionKey": SECOND, "CurrentEncryptionKey": "Wrong-Key-9"}, "IDRAC.STOR019"),
        ({"EncryptionKey": "weak", "CurrentEncryptionKey": FIRST}, "IDRAC.SYS409"),
    ):
        before = bmc.state()
        answer = set_key(raid, **parameters)
        assert (answer.status, answer.message_ids[0]) == (400, message)
        assert bmc.state() == before
    changed = set_key(raid, EncryptionKey=SECOND, CurrentEncryptionKey=FIRST)
    assert changed.status == 202
    bmc.advance(2 * STEP)
    assert bmc.job(job_id(changed))["JobState"] == "Completed"
    assert not any(key in str(bmc.state()) for key in (FIRST, SECOND)), "nobody keeps a key"


def test_a_controller_without_such_drives_has_no_key(rack):
    raid = storage_of(rack, "rack-server")
    assert "#Storage.SetEncryptionKey" not in rack.get(raid.uri).body["Actions"]
    assert set_key(raid, EncryptionKey=FIRST).status == 404


def test_what_holds_drives_is_as_well_as_the_worst_of_them(raid):
    chassis = raid.drive(0)["Links"]["Chassis"]["@odata.id"]
    told = []
    for event in ("DrivePredictiveFailure", "DriveFailure", "DriveReplaced"):
        raid.befall(event, 6)
        told.append(raid.bmc.get(chassis).body["Status"]["HealthRollup"])
    assert told == ["Warning", "Critical", "OK"]


ENCLOSURE = "/redfish/v1/Chassis/Enclosure.Internal.0-1"


def enclosure(**values):
    return {"Oem": {"Dell": {"DellChassisEnclosure": values}}}


def told(bmc, uri=ENCLOSURE):
    return bmc.get(uri).body["Oem"]["Dell"]["DellChassisEnclosure"]


def test_an_enclosure_is_set_by_the_jobs_of_its_controller(bmc):
    raid, wanted = (
        storage_of(bmc, "lifecycle-server"),
        {"AssetName": "rack 7", "RAIDEnclosureConfigMode": "Split-Mode-4:20"},
    )
    delivered = {"AssetName": "", "RAIDEnclosureConfigMode": "Unified-Mode"}
    settings = bmc.get(ENCLOSURE).body["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    assert bmc.patch(settings, enclosure(**wanted)).status == 200
    assert (told(bmc), told(bmc, settings)) == (delivered, wanted)
    assert bmc.post(f"{bmc.manager}/Jobs", {"TargetSettingsURI": settings}).status == 200
    bmc.advance(10)
    raid.restart()
    assert (told(bmc), told(bmc, settings)) == (wanted, {})
    at_once = {SETTINGS_APPLY: {"ApplyTime": "Immediate"}}
    raid.finish(bmc.patch(settings, {**enclosure(AssetName=""), **at_once}), 2 * STEP)
    assert told(bmc) == {**wanted, "AssetName": ""}
    assert "DellStorageController" in bmc.get(raid.controller).body["Oem"]["Dell"]
    assert not any("/" in name for name in bmc.get(raid.controller).body["Oem"]["Dell"]["DellStorageController"])


@pytest.mark.parametrize(
    ("values", "message", "about"),
    [
        (
            {"RAIDEnclosureConfigMode": "Sideways"},
            "IDRAC.SYS426",
            "#/Oem/Dell/DellChassisEnclosure/RAIDEnclosureConfigMode",
        ),
        ({"AssetName": 7}, "IDRAC.SYS409", "#/Oem/Dell/DellChassisEnclosure/AssetName"),
        ({"SlotCount": 7}, "IDRAC.SYS429", "#/Oem/Dell/DellChassisEnclosure/SlotCount"),
    ],
)
def test_what_an_enclosure_cannot_be_is_refused_and_nothing_changes(bmc, values, message, about):
    before = bmc.state()
    answer = bmc.patch(f"{ENCLOSURE}/Settings", enclosure(**values))
    assert (answer.status, answer.message_ids[0]) == (400, message)
    assert answer.body["error"]["@Message.ExtendedInfo"][0]["RelatedProperties"] == [about]
    assert bmc.state() == before


# -- staged and at once -----------------------------------------------------------------------------------------------


def test_what_is_staged_says_that_it_waits(raid):
    answer = raid.bmc.patch(f"{raid.controller}/Settings", {"ControllerRates": RATES})
    assert answer.status == 200
    if raid.is_dell:
        assert answer.message_ids == ["Base.Success", "IDRAC.SYS413", "IDRAC.STOR094"]


@pytest.mark.parametrize(
    ("staged", "body", "dell", "plain"),
    [
        (True, {}, ["IDRAC.STOR081"], (409, ["Base.ResourceInUse", "Jobfish.PendingNeedsRestart"])),
        (
            *(True, {"ControllerRates": {"RebuildRatePercent": 7}}, ["IDRAC.STOR078"]),
            (409, ["Base.ResourceInUse", "Jobfish.PendingExistsOnTarget"]),
        ),
        (False, {}, ["Base.NoOperation"], (400, ["Base.NoOperation"])),
    ],
)
def test_what_waits_for_a_restart_is_not_done_at_once(raid, staged, body, dell, plain):
    settings = f"{raid.controller}/Settings"
    if staged:
        assert raid.bmc.patch(settings, {"ControllerRates": RATES}).status == 200
    before = raid.bmc.state()
    answer = raid.bmc.patch(settings, {**body, SETTINGS_APPLY: {"ApplyTime": "Immediate"}})
    assert (answer.status, answer.message_ids) == ((400, dell) if raid.is_dell else plain)
    assert raid.bmc.state() == before
