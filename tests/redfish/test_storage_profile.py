"""RAID in server configuration profiles over Redfish: controllers, volumes and drives, written down and brought about."""

from __future__ import annotations

import json
import re

import pytest
from web_share import let_it_transfer

EXPORT, IMPORT, PREVIEW = "ExportSystemConfiguration", "ImportSystemConfiguration", "ImportSystemConfigurationPreview"
TASKS = "/redfish/v1/TaskService/Tasks"
RAID = "RAID.Integrated.1-1"
STORAGE = f"/redfish/v1/Systems/System.Embedded.1/Storage/{RAID}"
ENCLOSURE = f"Enclosure.Internal.0-1:{RAID}"
TO_COMPARE, TO_TASKS, FOR_EACH = 5, 20 + 5 + 90, 30
"""Seconds: comparing, until the host is in its Automated Task stage, each operation."""


def vd(number):
    return f"Disk.Virtual.{number}:{RAID}"


def bay(number):
    return f"Disk.Bay.{number}:{ENCLOSURE}"


def act(bmc, action, **body):
    return bmc.post(
        f"{bmc.manager}/Actions/Oem/EID_674_Manager.{action}", {"ShareParameters": {"Target": "ALL"}, **body}
    )


def begun(bmc, action, **body):
    answer = act(bmc, action, **body)
    assert answer.status == 202, answer.body
    return answer.headers["Location"].rpartition("/")[2]


def exported(bmc, layout="JSON", target="RAID", **more):
    """The profile as its reader gets it: a document, or a text."""
    job = begun(bmc, EXPORT, ExportFormat=layout, ShareParameters={"Target": target}, **more)
    bmc.advance(600)
    return bmc.get(f"{TASKS}/{job}").body


def controller_in(profile):
    return next(found for found in profile["SystemConfiguration"]["Components"] if found["FQDD"] == RAID)


def told(component):
    return [(entry["Name"], entry["Value"], entry["Set On Import"]) for entry in component["Attributes"]]


def component(fqdd, *components, **attributes):
    """A component of a profile; a list is an attribute for each of its entries."""
    entries = [
        {"Name": name, "Value": one}
        for name, value in attributes.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return {"FQDD": fqdd, "Attributes": entries, "Components": list(components)}


def profile(*components, **own):
    """A profile of the controller."""
    return json.dumps({"SystemConfiguration": {"Components": [component(RAID, *components, **own)]}})


def finished(bmc, text, action=IMPORT, **more):
    """The finished job: its id and its task."""
    job = begun(bmc, action, ImportBuffer=text if isinstance(text, str) else json.dumps(text), **more)
    bmc.advance(7200)
    return job, bmc.get(f"{TASKS}/{job}").body


def ended(task):
    return task["Oem"]["Dell"]["JobState"], task["Messages"][0]["MessageId"].rpartition(".")[2]


def results(task):
    """(what, its old and its new value, how it went) for each setting."""
    entries = [entry["Oem"]["Dell"] for entry in task["Messages"] if "Oem" in entry]
    return [(one["DisplayValue"], one["OldValue"], one["NewValue"], one["ErrCode"]) for one in entries]


def storage(bmc):
    """What anybody can see of the volumes and drives."""
    volumes = bmc.get(f"{STORAGE}/Volumes?$expand=.").body["Members"]
    names = ("Id", "Name", "RAIDType", "CapacityBytes", "StripSizeBytes", "ReadCachePolicy", "WriteCachePolicy")
    drives = bmc.get(f"{STORAGE}").body["Drives"]
    return (
        [
            ({name: volume[name] for name in names}, [link["@odata.id"] for link in volume["Links"]["Drives"]])
            for volume in volumes
        ],
        [bmc.get(drive["@odata.id"]).body["HotspareType"] for drive in drives],
    )


A_MIRROR = {"RAIDaction": "Create", "RAIDTypes": "RAID 1", "IncludedPhysicalDiskID": [bay(6), bay(7)]}


# -- export -----------------------------------------------------------------------------------------------------------


def test_an_export_shows_the_controller_with_its_volumes_and_drives(bmc):
    found = controller_in(exported(bmc, target="ALL"))
    own = told(found)
    assert own[:3] == [
        ("RAIDresetConfig", "False", "True"),
        ("RAIDforeignConfig", "Ignore", "True"),
        ("CurrentControllerMode", "RAID", "True"),
    ]
    assert {
        ("RAIDrebuildRate", "30", "True"),
        ("RAIDccMode", "Normal", "True"),
        ("EncryptionMode", "None", "True"),
    } <= {*own}
    assert [below["FQDD"] for below in found["Components"]] == [vd(0), vd(1), ENCLOSURE]
    assert told(found["Components"][1]) == [
        ("RAIDaction", "Update", "True"),
        ("LockStatus", "Unlocked", "True"),
        ("BootVD", "False", "True"),
        ("RAIDinitOperation", "None", "True"),
        ("DiskCachePolicy", "Default", "True"),
        ("RAIDdefaultWritePolicy", "WriteBack", "True"),
        ("RAIDdefaultReadPolicy", "ReadAhead", "True"),
        ("Name", "data", "True"),
        ("Size", str(bmc.get(f"{STORAGE}/Volumes/{vd(1)}").body["CapacityBytes"]), "False"),
        ("StripeSize", "128", "False"),
        ("SpanDepth", "1", "False"),
        ("SpanLength", "4", "False"),
        ("RAIDTypes", "RAID 5", "False"),
        *(("IncludedPhysicalDiskID", bay(number), "False") for number in (2, 3, 4, 5)),
    ]
    drives = found["Components"][2]["Components"]
    assert [drive["FQDD"] for drive in drives] == [bay(number) for number in range(8)]
    assert [told(drives[number]) for number in (0, 7)] == [
        [("RAIDHotSpareStatus", "No", "True"), ("RAIDPDState", state, "True")] for state in ("Online", "Ready")
    ]


def test_in_xml_components_are_nested_and_what_is_fixed_is_a_comment(bmc):
    text = exported(bmc, "XML")
    assert f'    <Component FQDD="{vd(0)}">\n      <Attribute Name="RAIDaction">Update</Attribute>\n' in text
    assert '      <!-- <Attribute Name="RAIDTypes">RAID 1</Attribute> -->\n' in text
    assert f'    <Component FQDD="{ENCLOSURE}">\n      <Component FQDD="{bay(0)}">\n' in text


@pytest.mark.parametrize("use", ["Clone", "Replace"])
def test_a_clone_says_that_all_is_to_be_made_anew(bmc, use):
    found = controller_in(exported(bmc, ExportUse=use))
    assert {("RAIDresetConfig", "True", "True"), ("RAIDforeignConfig", "Clear", "True")} <= {*told(found)}
    for volume in found["Components"][:2]:
        assert told(volume)[0] == ("RAIDaction", "Create", "True")
        assert {settable for _, _, settable in told(volume)} == {"True"}


# -- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["JSON", "XML"])
@pytest.mark.parametrize("target", ["ALL", "RAID"])
@pytest.mark.parametrize("action", [IMPORT, PREVIEW])
def test_an_unchanged_export_changes_nothing(bmc, layout, target, action):
    before = storage(bmc)
    _, task = finished(bmc, exported(bmc, layout, target), action)
    assert (ended(task), results(task), storage(bmc)) == (("Completed", "SYS069"), [], before)


@pytest.mark.parametrize("layout", ["JSON", "XML"])
def test_a_clone_brings_back_what_was_reset(bmc, layout):
    spares = component(ENCLOSURE, component(bay(7), RAIDHotSpareStatus="Global"))
    finished(bmc, profile(component(vd(0), RAIDdedicatedSpare=[bay(6)]), spares))
    before, kept = storage(bmc), exported(bmc, layout, ExportUse="Clone")
    _, task = finished(bmc, profile(RAIDresetConfig="True"))
    assert ended(task) == ("Completed", "SYS053")
    assert storage(bmc) == ([], ["None"] * 8)
    _, task = finished(bmc, kept)
    assert ended(task) == ("Completed", "SYS053")
    assert storage(bmc) == before
    assert before[1] == ["None"] * 6 + ["Dedicated", "Global"]


def test_an_export_edited_to_create_brings_back_what_was_reset(bmc):
    """As people do it: Update becomes Create, and the comments around what is fixed go."""
    before, text = storage(bmc), exported(bmc, "XML")
    finished(bmc, profile(RAIDresetConfig="True"))
    edited = re.sub(r"<!-- (<Attribute.*</Attribute>) -->", r"\1", text.replace(">Update<", ">Create<"))
    _, task = finished(bmc, edited)
    assert (ended(task), storage(bmc)) == (("Completed", "SYS053"), before)


def test_a_clone_makes_another_controller_the_same(make_bmc):
    bmc = make_bmc(controllers=2)
    finished(bmc, profile(component(vd(0), RAIDaction="Delete"), component(vd(1), Name="bulk"), RAIDrebuildRate="60"))
    wanted, clone = storage(bmc), exported(bmc, ExportUse="Clone")
    bmc.host = "127.0.0.2"
    assert storage(bmc) != wanted
    _, task = finished(bmc, clone, ShareParameters={"Target": "RAID"})
    assert (ended(task), storage(bmc)) == (("Completed", "SYS053"), wanted)
    assert ("RAIDrebuildRate", "60", "True") in told(controller_in(exported(bmc)))


# -- import -----------------------------------------------------------------------------------------------------------

OK, BAD = ("Completed", "SYS053"), ("CompletedWithErrors", "SYS055")
NAMES = {"os": vd(0), "data": vd(1)}
MIRROR_RESULTS = [
    (f"{vd(2)}: RAIDaction", "", "Create", "0"),
    (f"{vd(2)}: RAIDTypes", "", "RAID 1", "0"),
    (f"{vd(2)}: IncludedPhysicalDiskID", "", bay(6), "0"),
    (f"{vd(2)}: IncludedPhysicalDiskID", "", bay(7), "0"),
]
ROWS = {
    # the profile, how it ends, the results, the volumes' names afterwards
    "a volume is made": (profile(component(vd(2), **A_MIRROR)), OK, MIRROR_RESULTS, ["os", "data", "Virtual Disk 2"]),
    "one is renamed and cached otherwise": (
        profile(component(vd(1), RAIDaction="Update", Name="bulk", RAIDdefaultWritePolicy="WriteThrough")),
        OK,
        [
            (f"{vd(1)}: Name", "data", "bulk", "0"),
            (f"{vd(1)}: RAIDdefaultWritePolicy", "WriteBack", "WriteThrough", "0"),
        ],
        ["os", "bulk"],
    ),
    "one is deleted": (
        profile(component(vd(1), RAIDaction="delete")),
        OK,
        [(f"{vd(1)}: RAIDaction", "Update", "Delete", "0")],
        ["os"],
    ),
    "some of it cannot be done": (
        profile(
            component(vd(0), RAIDaction="Update", RAIDTypes="RAID 0"),
            component(vd(1), RAIDaction="Update", Name="bulk"),
            component(vd(2), RAIDaction="Create", RAIDTypes="RAID 7", IncludedPhysicalDiskID=[bay(6)]),
            component(vd(7), RAIDaction="Delete"),
            component(ENCLOSURE, component(bay(0), RAIDHotSpareStatus="Global")),
            RAIDrebuildRate="200",
            RAIDccRate="40",
        ),
        BAD,
        [
            (f"{RAID}: RAIDrebuildRate", "30", "200", "SYS409"),
            (f"{vd(0)}: RAIDTypes", "RAID 1", "RAID 0", "SYS427"),
            (f"{vd(7)}: RAIDaction", "", "Delete", "STOR028"),
            (f"{vd(2)}: RAIDaction", "", "Create", "STOR010"),
            (f"{vd(2)}: RAIDTypes", "", "RAID 7", "STOR010"),
            (f"{vd(2)}: IncludedPhysicalDiskID", "", bay(6), "STOR010"),
            (f"{bay(0)}: RAIDHotSpareStatus", "No", "Global", "STOR009"),
            (f"{vd(1)}: Name", "data", "bulk", "0"),
            (f"{RAID}: RAIDccRate", "30", "40", "0"),
        ],
        ["os", "bulk"],
    ),
    "nothing of it can be done": (
        profile(component(vd(7), RAIDaction="Delete")),
        ("Failed", "SYS067"),
        [(f"{vd(7)}: RAIDaction", "", "Delete", "STOR028")],
        ["os", "data"],
    ),
}


@pytest.mark.parametrize("what", ROWS)
def test_how_an_import_ends(bmc, what):
    text, end, expected, names = ROWS[what]
    _, preview = finished(bmc, text, PREVIEW)
    assert (ended(preview), [name for name, *_ in results(preview)]) == (
        ("Completed", "SYS081"),
        [row[0] for row in expected],
    )
    assert [volume["Name"] for volume, _ in storage(bmc)[0]] == ["os", "data"], "a preview changes nothing"
    _, task = finished(bmc, text)
    assert ended(task) == end
    assert results(task) == expected
    assert [row[3] for row in results(preview)] == [row[3] for row in results(task)]
    assert [volume["Name"] for volume, _ in storage(bmc)[0]] == names


@pytest.mark.parametrize(
    ("text", "args"),
    [
        (profile(component(vd(0), RAIDTypes="RAID 0")), ["RAIDTypes"]),
        (profile(component(vd(2), RAIDaction="Create", RAIDTypes="RAID 1")), ["IncludedPhysicalDiskID"]),
        (profile(KeyID="mine"), ["KeyID", "EncryptionMode, RAIDrekey"]),
    ],
)
def test_a_refusal_names_what_the_profile_names(bmc, text, args):
    _, task = finished(bmc, text)
    why = next(entry for entry in task["Messages"] if "Oem" in entry)
    assert why["MessageArgs"] == args[: len(why["MessageArgs"])]
    assert why["MessageArgs"][0] in why["Message"]


def test_operations_are_steps_of_the_job_in_the_hosts_automated_task_stage(bmc):
    text = profile(component(vd(0), RAIDaction="Delete"), component(vd(2), **A_MIRROR), RAIDccRate="40")
    job = begun(bmc, IMPORT, ImportBuffer=text)
    bmc.advance(TO_COMPARE)
    assert bmc.get(f"{TASKS}/{job}").body["Messages"][0]["MessageId"].endswith("SYS056")
    seen = []
    bmc.advance(TO_TASKS - 1)
    for seconds in (1, FOR_EACH, FOR_EACH, FOR_EACH):
        bmc.advance(seconds)
        seen.append((len(storage(bmc)[0]), bmc.get(f"{TASKS}/{job}").body["TaskState"]))
    assert seen == [(2, "Running"), (1, "Running"), (2, "Running"), (2, "Completed")]
    steps = bmc.get(f"/redfish/v1/JobService/Jobs/{job}/Steps?$expand=*").body["Members"]
    assert [(step["Name"], step["JobState"]) for step in steps] == [
        ("compare", "Completed"),
        (vd(0), "Completed"),
        (vd(2), "Completed"),
        ("ConsistencyCheckRatePercent", "Completed"),
    ]


def test_an_operation_that_fails_on_purpose_is_a_bad_result_for_all_it_was_to_do(bmc):
    fault = {"target": "*", "step": "CreateVolume", "message_id": "STOR036"}
    assert bmc.post("/jobfish/v1/faults", fault).status == 201
    _, task = finished(bmc, profile(component(vd(2), **A_MIRROR), component(vd(1), Name="bulk")))
    assert ended(task) == BAD
    bad = [row[0] for row in results(task) if row[3] != "0"]
    assert bad == [row[0] for row in MIRROR_RESULTS]
    assert [volume["Name"] for volume, _ in storage(bmc)[0]] == ["os", "bulk"]


def test_what_was_done_is_undone_when_the_job_is_deleted(bmc):
    before = storage(bmc)
    text = profile(component(vd(2), **A_MIRROR), component(vd(0), RAIDaction="Delete"), RAIDccRate="40")
    job = begun(bmc, IMPORT, ImportBuffer=text)
    bmc.advance(TO_COMPARE + TO_TASKS + 2 * FOR_EACH)
    assert storage(bmc) != before
    assert bmc.delete(f"{bmc.jobs}/{job}").status in (200, 204)
    assert storage(bmc) == before


def test_the_controller_is_held_until_the_import_has_ended(bmc):
    begun(bmc, IMPORT, ImportBuffer=profile(component(vd(2), **A_MIRROR)))
    before = bmc.state()
    answer = bmc.delete(f"{STORAGE}/Volumes/{vd(0)}")
    assert answer.status >= 400
    assert bmc.state() == before
    bmc.advance(7200)
    assert bmc.delete(f"{STORAGE}/Volumes/{vd(0)}").status == 202


@pytest.mark.parametrize("action", [EXPORT, IMPORT, PREVIEW])
def test_none_while_the_controller_is_at_work_on_a_job(bmc, action):
    assert bmc.delete(f"{STORAGE}/Volumes/{vd(0)}").status == 202
    before = bmc.state()
    body = {} if action == EXPORT else {"ImportBuffer": profile(RAIDccRate="40")}
    answer = act(bmc, action, **body)
    assert (answer.status, bmc.state()) == (400, before)
    assert answer.message_ids in (["IDRAC.RAC0679"], ["IDRAC.LC068"])


def test_without_a_restart_it_is_left_out(bmc):
    _, task = finished(bmc, profile(component(vd(0), RAIDaction="Delete")), ShutdownType="NoReboot")
    assert ended(task) == ("Completed", "SYS068")
    assert results(task) == [(f"{vd(0)}: RAIDaction", "Update", "Delete", "SYS068")]
    assert len(storage(bmc)[0]) == 2


def test_bios_and_raid_go_in_one_job(bmc):
    text = json.loads(profile(component(vd(1), RAIDaction="Delete")))
    text["SystemConfiguration"]["Components"].append(component("BIOS.Setup.1-1", NumLock="Off", Nope="1"))
    _, task = finished(bmc, text)
    assert ended(task) == BAD
    assert (bmc.attributes()["NumLock"], len(storage(bmc)[0])) == ("Off", 1)


@pytest.mark.parametrize("fqdd", ["RAID.Slot.9-1", "FC.Slot.1-1"])
def test_keys_of_controllers_that_are_not_there_are_not_told_either(bmc, fqdd):
    stranger = component(fqdd, OldControllerKey="Very-Secret-1", NewControllerKey="Very-Secret-2", KeyID="mine")
    job, task = finished(bmc, {"SystemConfiguration": {"Components": [stranger]}})
    assert ended(task) == ("Failed", "SYS067")
    assert b"Very-Secret" not in b"".join(bmc.state().values()) + json.dumps([task, bmc.job(job)]).encode()


def test_keys_are_never_told(bmc):
    key = {"EncryptionMode": "Local Key Management", "KeyID": "mine", "NewControllerKey": "Very-Secret-1"}
    _, task = finished(bmc, profile(**key))
    assert (f"{RAID}: NewControllerKey", "", "******") in [row[:3] for row in results(task)]
    state = b"".join(value for value in bmc.state().values())
    assert "Very-Secret-1" not in json.dumps(task) + str(exported(bmc, "XML", IncludeInExport="IncludeReadOnly"))
    assert b"Very-Secret-1" not in state


def test_a_profile_comes_from_a_share_too(bmc, web):
    web.files["/raid.xml"] = exported(bmc, "XML", ExportUse="Clone").replace(">data<", ">bulk<").encode()
    share = {"ShareType": "HTTP", "IPAddress": "127.0.0.1", "PortNumber": str(web.server_port), "FileName": "raid.xml"}
    job = begun(bmc, IMPORT, ShareParameters={"Target": "RAID", **share})
    let_it_transfer(bmc)
    bmc.advance(7200)
    assert ended(bmc.get(f"{TASKS}/{job}").body) == OK
    assert [volume["Name"] for volume, _ in storage(bmc)[0]] == ["os", "bulk"]
