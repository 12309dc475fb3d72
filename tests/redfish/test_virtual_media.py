"""VirtualMedia: images in virtual drives, by actions and by PATCH, on bundled and captured controllers."""

from __future__ import annotations

import pytest
from conftest import Bmc

from emulator.app import build_service
from emulator.settings import Settings

ISO = "http://192.0.2.9/images/live.iso"
EMPTY = {
    "Image": None,
    "ImageName": None,
    "ConnectedVia": "NotConnected",
    "Inserted": False,
    "WriteProtected": True,
    "TransferProtocolType": None,
    "TransferMethod": None,
    "UserName": None,
    "Password": None,
}
LOADED = {
    **EMPTY,
    "Image": ISO,
    "ImageName": "live.iso",
    "ConnectedVia": "URI",
    "Inserted": True,
    "TransferProtocolType": "HTTP",
    "TransferMethod": "Stream",
}
DRIVES = {
    "lifecycle-server": [
        "/redfish/v1/Systems/System.Embedded.1/VirtualMedia/1",
        "/redfish/v1/Systems/System.Embedded.1/VirtualMedia/2",
        "/redfish/v1/Managers/iDRAC.Embedded.1/VirtualMedia/CD",
        "/redfish/v1/Managers/iDRAC.Embedded.1/VirtualMedia/RemovableDisk",
    ],
    "rack-server": [
        "/redfish/v1/Systems/rack-1/VirtualMedia/cd",
        "/redfish/v1/Systems/rack-1/VirtualMedia/usb",
    ],
}


class Drive:
    """A virtual drive of a controller."""

    def __init__(self, bmc: Bmc, number: int = 0) -> None:
        self.bmc = bmc
        self.uri = bmc.service.site.media[number].uri

    def insert(self, **parameters):
        return self.bmc.post(f"{self.uri}/Actions/VirtualMedia.InsertMedia", parameters)

    def eject(self, body=None):
        return self.bmc.post(f"{self.uri}/Actions/VirtualMedia.EjectMedia", body)

    def patch(self, body):
        return self.bmc.patch(self.uri, body)

    def shown(self):
        found = self.bmc.get(self.uri).body
        return {name: found[name] for name in EMPTY}


@pytest.fixture(params=list(DRIVES))
def drive(request, fresh_bmc):
    return Drive(fresh_bmc(request.param))


@pytest.fixture
def rack_drive(fresh_bmc):
    return Drive(fresh_bmc("rack-server"))


@pytest.mark.parametrize("mockup", DRIVES)
def test_the_drives_of_the_bundled_mockups(fresh_bmc, mockup):
    bmc = fresh_bmc(mockup)
    assert [place.uri for place in bmc.service.site.media] == DRIVES[mockup]
    assert all(Drive(bmc, number).shown() == EMPTY for number in range(len(DRIVES[mockup])))
    assert bmc.get(DRIVES[mockup][0]).headers["Allow"] == "GET, HEAD, PATCH"
    for holder in (bmc.system, bmc.manager):
        members = bmc.get(bmc.get(holder).body["VirtualMedia"]["@odata.id"]).body["Members"]
        assert {member["@odata.id"] for member in members} <= set(DRIVES[mockup])


def test_an_image_goes_in_and_out(drive):
    assert drive.insert(Image=ISO).status == 204
    assert drive.shown() == LOADED
    other = Drive(drive.bmc, 1)
    assert other.shown() == EMPTY, "each drive has its own"
    assert drive.eject({}).status == 204
    assert drive.shown() == EMPTY
    assert drive.insert(Image=ISO).status == 204
    assert drive.eject().status == 204, "without a body"


WITH = [
    # parameters, what is shown then
    ({"Inserted": False}, {"Inserted": False, "ConnectedVia": "URI"}),
    ({"WriteProtected": False}, {"WriteProtected": False}),
    ({"TransferMethod": "Upload", "TransferProtocolType": "HTTP"}, {"TransferMethod": "Upload"}),
    ({"UserName": "me", "Password": "secret"}, {"UserName": "me", "Password": None}),
    ({"UserName": None, "Password": None, "TransferMethod": None}, {}),
]


@pytest.mark.parametrize(("more", "shown"), WITH, ids=str)
def test_what_is_told_with_an_image(rack_drive, more, shown):
    assert rack_drive.insert(Image=ISO, **more).status == 204
    assert rack_drive.shown() == {**LOADED, **shown}
    assert b"secret" not in b"".join(rack_drive.bmc.state().values()), "kept nowhere"


PATCHES = [
    # the bodies, one after the other, what is shown then
    ([{"Image": ISO, "Inserted": True, "WriteProtected": True}], LOADED),
    ([{"Image": ISO}, {"Image": None, "Inserted": False}], EMPTY),
    ([{"Image": ISO}, {"Inserted": False}], EMPTY),
    ([{"Image": ISO}, {"WriteProtected": False}], {**LOADED, "WriteProtected": False}),
    ([{"Image": None, "Inserted": False}], EMPTY),
]


@pytest.mark.parametrize(("bodies", "shown"), PATCHES, ids=str)
def test_a_patch_does_the_same(drive, bodies, shown):
    for body in bodies:
        assert drive.patch(body).status == 200
    assert drive.shown() == shown


INSERTIONS_REFUSED = [
    # the body, status, the messages of a plain service
    ({}, 400, ["Base.ActionParameterMissing"]),
    ({"Image": 5}, 400, ["Base.ActionParameterValueTypeError"]),
    ({"Image": "live.iso"}, 400, ["Base.ActionParameterValueFormatError"]),
    ({"Image": "http://me:secret@192.0.2.9/live.iso"}, 400, ["Base.ActionParameterValueFormatError"]),
    ({"Image": ISO, "Inserted": "yes"}, 400, ["Base.ActionParameterValueTypeError"]),
    ({"Image": ISO, "TransferProtocolType": "OEM"}, 400, ["Base.ActionParameterValueNotInList"]),
    ({"Image": ISO, "TransferProtocolType": "NFS"}, 409, ["Base.ActionParameterValueConflict"]),
    ({"Image": ISO, "TransferMethod": "Carry"}, 400, ["Base.ActionParameterValueNotInList"]),
    ({"Image": ISO, "Password": ["secret"]}, 400, ["Base.ActionParameterValueTypeError"]),
    ({"Image": ISO, "Password": "secret"}, 400, ["Base.ActionParameterMissing"]),
    ({"Image": ISO, "Speed": 5}, 400, ["Base.ActionParameterUnknown"]),
]
PATCHES_REFUSED = [
    ({}, ["Base.NoOperation"]),
    ({"ImageName": "live.iso"}, ["Base.PropertyNotWritable"]),
    ({"MediaTypes": ["CD"]}, ["Base.PropertyNotWritable"]),
    ({"Speed": 5}, ["Base.PropertyUnknown"]),
    ({"Image": "live.iso"}, ["Base.PropertyValueFormatError"]),
    ({"Inserted": True}, ["Base.PropertyMissing"]),
    ({"Image": ISO, "Password": 5}, ["Base.PropertyValueTypeError"]),
    ({"Image": ISO, "Speed": 5}, ["Base.PropertyUnknown"]),
]


@pytest.fixture(scope="module")
def empty(fresh_bmc):
    """A drive that no test changes."""
    return Drive(fresh_bmc("rack-server"))


@pytest.mark.parametrize(("body", "status", "messages"), INSERTIONS_REFUSED, ids=str)
def test_a_refused_insertion_changes_nothing(empty, body, status, messages):
    before = empty.bmc.state()
    answer = empty.insert(**body)
    assert (answer.status, answer.message_ids) == (status, messages)
    assert "secret" not in str(answer.body)
    assert empty.bmc.state() == before


@pytest.mark.parametrize(("body", "messages"), PATCHES_REFUSED, ids=str)
def test_a_refused_patch_changes_nothing(empty, body, messages):
    before = empty.bmc.state()
    answer = empty.patch(body)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert empty.bmc.state() == before


@pytest.mark.parametrize(
    ("mockup", "status", "in_use", "nothing"),
    [
        ("rack-server", 409, ["Base.ResourceInUse", "Jobfish.MediaInUse"], ["Jobfish.NoMediaInserted"]),
        ("lifecycle-server", 400, ["IDRAC.VRM0021", "Jobfish.MediaInUse"], ["Jobfish.NoMediaInserted"]),
    ],
)
def test_a_drive_that_is_taken_and_one_that_is_empty(fresh_bmc, mockup, status, in_use, nothing):
    drive = Drive(fresh_bmc(mockup))
    answer = drive.eject()
    assert (answer.status, answer.message_ids) == (400, nothing)
    drive.insert(Image=ISO)
    before = drive.bmc.state()
    for answer in (drive.insert(Image=ISO), drive.patch({"Image": ISO})):
        assert (answer.status, answer.message_ids) == (status, in_use)
    assert drive.bmc.state() == before


@pytest.mark.parametrize(("user", "status"), [("readonly", 403), ("operator", 403), ("root", 204)])
def test_only_who_may_configure_the_manager_puts_an_image_in(fresh_bmc, user, status):
    drive = Drive(fresh_bmc("rack-server"))
    drive.bmc.user = (user, "calvin" if user == "root" else user)
    assert drive.insert(Image=ISO).status == status
    assert drive.patch({"Inserted": False}).status == (200 if user == "root" else 403)
    assert drive.eject().status == (400 if user == "root" else 403)


def test_the_log_tells_of_an_image_by_its_name_alone(drive):
    site = drive.bmc.service.site
    drive.insert(Image=f"{ISO}?token=secret")
    drive.eject()
    entries = drive.bmc.get(f"{site.lifecycle_log.entries_uri}?$top=50").body["Members"]
    told = [entry for entry in entries if "Media" in (entry.get("MessageId") or "")]
    assert {entry["MessageArgs"][0] for entry in told} == {"live.iso"}
    assert "secret" not in str(entries)
    assert len(told) == 2


def test_the_boot_override_still_says_what_the_host_boots_from(drive):
    drive.insert(Image=ISO)
    body = {"Boot": {"BootSourceOverrideTarget": "Cd", "BootSourceOverrideEnabled": "Once"}}
    assert drive.bmc.patch(drive.bmc.system, body).status in (200, 204)
    drive.bmc.reset()
    drive.bmc.advance(600)
    assert drive.bmc.get(drive.bmc.system).body["Boot"]["BootSourceOverrideEnabled"] == "Disabled", "used up"
    assert drive.shown() == LOADED, "it stays in"


def test_what_is_in_a_drive_outlives_the_emulator(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual", mockup="rack-server"), state_folder=tmp_path)
    service.start()
    Drive(Bmc(service)).insert(Image=ISO, UserName="me", WriteProtected=False)
    service.stop()
    again = Drive(make_bmc(state=tmp_path, mockup="rack-server"))
    assert again.shown() == {**LOADED, "UserName": "me", "WriteProtected": False}
    assert again.eject().status == 204


def test_the_drives_of_a_captured_controller_live(fresh_bmc):
    bmc = fresh_bmc("poweredge-r750.tar.xz")
    drives = [Drive(bmc, number) for number in range(len(bmc.service.site.media))]
    assert [drive.uri.rpartition("/")[2] for drive in drives] == ["1", "2", "RemovableDisk", "CD"]
    for drive in drives:
        assert drive.insert(Image=ISO).status == 204
        assert drive.shown() == LOADED
    assert [drive.eject().status for drive in drives] == [204] * 4
