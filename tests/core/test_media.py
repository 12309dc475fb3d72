"""Virtual media: what may be put into a drive, and what is in it then."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.message import Rejected
from emulator.core.virtual_media import EMPTY, Media, ejected, patched, with_image

ISO = "http://192.0.2.9/images/live.iso"
LOADED = Media(ISO, True, True, "HTTP", "Stream")

PLACES = [
    # where the image is, its protocol, its name
    (ISO, "HTTP", "live.iso"),
    ("HTTPS://boot.example:8443/a%20b.iso?version=2", "HTTPS", "a b.iso"),
    ("nfs://192.0.2.9/exports/live.iso", "NFS", "live.iso"),
    ("192.0.2.9:/exports/live.iso", "NFS", "live.iso"),
    ("cifs://192.0.2.9/share/live.img", "CIFS", "live.img"),
    ("smb://192.0.2.9/share/live.img", "CIFS", "live.img"),
    ("//192.0.2.9/share/live.iso", "CIFS", "live.iso"),
    ("http://[2001:db8::1]:8080/live.iso", "HTTP", "live.iso"),
]


@pytest.mark.parametrize(("place", "protocol", "name"), PLACES)
def test_an_image_is_put_in(place, protocol, name):
    media = with_image(EMPTY, {"Image": place, "UserName": "me", "Password": "secret"})
    assert media == Media(place, True, True, protocol, "Stream", "me")
    assert media.image_name == name
    assert "secret" not in repr(media)
    assert Media.from_plain(media.to_plain()) == media


REFUSED = [
    # what is in it, what is wanted, the message, its arguments
    (EMPTY, {}, "PropertyMissing", ("Image",)),
    (EMPTY, {"Image": None}, "PropertyMissing", ("Image",)),
    (LOADED, {"Image": ISO}, "MediaInUse", ()),
    (EMPTY, {"Image": "live.iso"}, "PropertyValueFormatError", ("live.iso", "Image")),
    (EMPTY, {"Image": "http:///live.iso"}, "PropertyValueFormatError", ("http:///live.iso", "Image")),
    (EMPTY, {"Image": "http://192.0.2.9/"}, "PropertyValueFormatError", ("http://192.0.2.9/", "Image")),
    (EMPTY, {"Image": "http://192.0.2.9:x/a.iso"}, "PropertyValueFormatError", ("", "Image")),
    (EMPTY, {"Image": "file:///etc/passwd"}, "PropertyValueFormatError", ("file:///etc/passwd", "Image")),
    (EMPTY, {"Image": "http://192.0.2.9/a b.iso"}, "PropertyValueFormatError", ("http://192.0.2.9/a b.iso", "Image")),
    (EMPTY, {"Image": "http://me:secret@192.0.2.9/a.iso"}, "PropertyValueFormatError", ("", "Image")),
    (EMPTY, {"Image": ISO, "TransferProtocolType": "NFS"}, "PropertyValueConflict", ("TransferProtocolType", "Image")),
    (EMPTY, {"Image": ISO, "Password": "secret"}, "PropertyMissing", ("UserName",)),
]


@pytest.mark.parametrize(("now", "wanted", "key", "args"), REFUSED, ids=str)
def test_what_is_not_put_in(now, wanted, key, args):
    with pytest.raises(Rejected) as refused:
        with_image(now, wanted)
    assert [(message.key, message.args) for message in refused.value.messages] == [(key, args)]


def test_an_empty_drive_has_nothing_to_eject():
    assert ejected(LOADED) == EMPTY
    with pytest.raises(Rejected, match="NoMediaInserted"):
        ejected(EMPTY)


PATCHES = [
    # what is in it, the body, what is in it then, or the message
    (EMPTY, {"Image": ISO}, LOADED),
    (EMPTY, {"Image": ISO, "Inserted": True, "WriteProtected": False}, Media(ISO, True, False, "HTTP", "Stream")),
    (EMPTY, {"Image": ISO, "Inserted": False}, Media(ISO, False, True, "HTTP", "Stream")),
    (Media(ISO, False), {"Inserted": True}, Media(ISO, True)),
    (LOADED, {"WriteProtected": False}, Media(ISO, True, False, "HTTP", "Stream")),
    (LOADED, {"Image": None, "Inserted": False}, EMPTY),
    (LOADED, {"Image": None}, EMPTY),
    (LOADED, {"Inserted": False}, EMPTY),
    (EMPTY, {"Image": None, "Inserted": False}, EMPTY),
    (LOADED, {"Image": ISO}, "MediaInUse"),
    (LOADED, {"TransferMethod": "Upload"}, "MediaInUse"),
    (LOADED, {"Image": None, "Inserted": True}, "PropertyValueConflict"),
    (EMPTY, {"Inserted": True}, "PropertyMissing"),
    (EMPTY, {"WriteProtected": False}, "PropertyMissing"),
    (EMPTY, {}, "NoOperation"),
]


@pytest.mark.parametrize(("now", "body", "after"), PATCHES, ids=str)
def test_a_patch(now, body, after):
    if isinstance(after, Media):
        assert patched(now, body) == after
    else:
        with pytest.raises(Rejected, match=after):
            patched(now, body)


@settings(max_examples=60)
@given(st.text(max_size=40) | st.builds("{}://{}/{}".format, *([st.text(max_size=10)] * 3)))
def test_whatever_text_is_a_place_or_refused(text):
    """And a refusal never says again what may hold a password."""
    said: tuple[str, ...] = ()
    try:
        media = with_image(EMPTY, {"Image": text})
    except Rejected as refused:
        said = tuple(arg for message in refused.messages for arg in message.args)
    else:
        assert media.image == text
    assert all("@" not in arg for arg in said)
