"""Virtual media: an image somewhere else that the host sees as a disc or a stick. Names are those of VirtualMedia.

Nothing is fetched: the image is what the host would read from, and whether it can is between the two. Who may read it
is told with it; the password is checked for its form and then forgotten, because nobody here needs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from emulator.core.message import Message, Rejected

IMAGE, INSERTED, WRITE_PROTECTED = "Image", "Inserted", "WriteProtected"
TRANSFER_PROTOCOL, TRANSFER_METHOD, USER, PASSWORD = "TransferProtocolType", "TransferMethod", "UserName", "Password"
PROTOCOLS: Mapping[str, str] = {
    "http": "HTTP",
    "https": "HTTPS",
    "nfs": "NFS",
    "cifs": "CIFS",
    "smb": "CIFS",
    "ftp": "FTP",
    "sftp": "SFTP",
    "scp": "SCP",
    "tftp": "TFTP",
}
"""The scheme of an image's URI -> TransferProtocolType."""
STREAM = "Stream"
_SHARE = re.compile(r"//[^/@\s]+/\S+")
"""A file of a Windows share, without a scheme."""
_EXPORT = re.compile(r"[A-Za-z0-9.-]+:/(?!/)\S+")
"""A file of an NFS server, without a scheme."""


@dataclass(frozen=True, slots=True)
class Media:
    """What is in a virtual drive."""

    image: str | None = None
    """Where the image is; None while nothing is attached."""
    inserted: bool = False
    """Whether the host sees it."""
    write_protected: bool = True
    transfer_protocol: str | None = None
    transfer_method: str | None = None
    user: str | None = None

    @property
    def image_name(self) -> str | None:
        """The last part of the image's path."""
        if self.image is None:
            return None
        path = self.image if "://" not in self.image else urlsplit(self.image).path
        return unquote(path.rstrip("/").rpartition("/")[2]) or None

    def to_plain(self) -> dict[str, Any]:
        """JSON types only, for a store."""
        return {
            "image": self.image,
            "inserted": self.inserted,
            "write_protected": self.write_protected,
            "transfer_protocol": self.transfer_protocol,
            "transfer_method": self.transfer_method,
            "user": self.user,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Media:
        """The reverse of `to_plain`."""
        return cls(**plain)


EMPTY = Media()


def with_image(now: Media, wanted: Mapping[str, Any]) -> Media:
    """The drive once an image is in it; `wanted` are properties of VirtualMedia, of the right types.

    Raises:
        Rejected: MediaInUse while there is another image in it; PropertyMissing without one, or for a password that
            belongs to nobody; PropertyValueFormatError for what is no place of an image, or names a user in it;
            PropertyValueConflict for a protocol that is not that of the place.
    """
    image = wanted.get(IMAGE)
    if not image:
        raise Rejected(Message("PropertyMissing", (IMAGE,), (IMAGE,)))
    if now.image is not None:
        raise Rejected(Message("MediaInUse", (), (IMAGE,)))
    protocol = _protocol_of(image)
    told = wanted.get(TRANSFER_PROTOCOL)
    if told not in (None, protocol):
        paths = TRANSFER_PROTOCOL, IMAGE
        raise Rejected(Message("PropertyValueConflict", paths, paths))
    if wanted.get(PASSWORD) and not wanted.get(USER):
        raise Rejected(Message("PropertyMissing", (USER,), (USER,)))
    protected, inserted = wanted.get(WRITE_PROTECTED), wanted.get(INSERTED)
    return Media(
        image,
        inserted is not False,
        now.write_protected if protected is None else protected,
        protocol,
        wanted.get(TRANSFER_METHOD) or STREAM,
        wanted.get(USER) or None,
    )


def ejected(now: Media) -> Media:
    """The drive once it is empty.

    Raises:
        Rejected: NoMediaInserted where it is already.
    """
    if now.image is None:
        raise Rejected(Message("NoMediaInserted"))
    return EMPTY


def patched(now: Media, wanted: Mapping[str, Any]) -> Media:
    """The drive as a PATCH of the resource leaves it.

    An Image puts one in; null, or Inserted false without an Image, takes it out. An empty drive may be told so again.

    Raises:
        Rejected: as `with_image`; NoOperation where nothing is said; PropertyMissing for what needs an image in it.
    """
    if not wanted:
        raise Rejected(Message("NoOperation"))
    if wanted.get(IMAGE):
        return with_image(now, wanted)
    if IMAGE in wanted or wanted.get(INSERTED) is False:
        if wanted.get(INSERTED):
            raise Rejected(Message("PropertyValueConflict", (INSERTED, IMAGE), (INSERTED, IMAGE)))
        return EMPTY
    if now.image is None:
        raise Rejected(Message("PropertyMissing", (IMAGE,), (IMAGE,)))
    fixed = [name for name in (TRANSFER_PROTOCOL, TRANSFER_METHOD, USER, PASSWORD) if name in wanted]
    if fixed:
        raise Rejected(*(Message("MediaInUse", (), (name,)) for name in fixed[:1]))
    protected = wanted.get(WRITE_PROTECTED)
    return replace(
        now,
        inserted=now.inserted or bool(wanted.get(INSERTED)),
        write_protected=now.write_protected if protected is None else protected,
    )


def _protocol_of(image: str) -> str:
    """How an image at this place is read.

    Raises:
        Rejected: PropertyValueFormatError, which does not repeat what may hold a password.
    """
    parts, clean = _split(image), _is_clean(image)
    if clean and _SHARE.fullmatch(image):
        return "CIFS"
    if clean and _EXPORT.fullmatch(image):
        return "NFS"
    protocol = PROTOCOLS.get(parts.scheme.lower()) if parts is not None else None
    if (
        clean
        and parts is not None
        and protocol
        and parts.hostname
        and parts.path.strip("/")
        and "@" not in parts.netloc
    ):
        return protocol
    raise Rejected(Message("PropertyValueFormatError", (_harmless(image, parts), IMAGE), (IMAGE,)))


def _split(image: str) -> SplitResult | None:
    try:
        parts = urlsplit(image)
        _ = parts.port  # that one is checked only when it is asked for
    except ValueError:
        return None
    return parts


def _is_clean(image: str) -> bool:
    return image.isprintable() and not any(character.isspace() for character in image)


def _harmless(image: str, parts: SplitResult | None) -> str:
    """What may be repeated of a place that was refused: nothing where a user or password may stand in it."""
    return "" if parts is None or "@" in image else image[:200]
