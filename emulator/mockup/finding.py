"""What is broken in a tree: plain data, one finding for each thing that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BYTE_ORDER_MARK = "byte-order-mark"
DUPLICATE_KEY = "duplicate-key"
ERROR_DOCUMENT = "error-document"
PAGE = "page"
OWN_URI = "own-uri"
WRONG_TYPE = "wrong-type"
MISSING_PROPERTY = "missing-property"
MEMBER_ID = "member-id"
ACTION_TARGET = "action-target"
EMBEDDED = "embedded-resource"
UNLISTED = "unlisted-resource"
DANGLING_MEMBER = "dangling-member"
DANGLING_LINK = "dangling-link"
COUNT = "count"

KINDS: Mapping[str, str] = {
    BYTE_ORDER_MARK: "a file begins with a byte order mark",
    DUPLICATE_KEY: "a file gives a property twice",
    ERROR_DOCUMENT: "an error was captured in place of a resource",
    PAGE: "a page of a collection was captured by itself",
    OWN_URI: "@odata.id is not the place in the tree",
    WRONG_TYPE: "a property that holds an object holds something else",
    MISSING_PROPERTY: "a required property is missing",
    MEMBER_ID: "a member's Id is not the last part of its URI",
    ACTION_TARGET: "an action's target is not below its resource",
    EMBEDDED: "a resource is nowhere but inside another one",
    UNLISTED: "a collection does not list what lies below it",
    DANGLING_MEMBER: "a collection lists what is not there",
    DANGLING_LINK: "a link leads to what is not there",
    COUNT: "a count is not the number of entries",
}
"""Every kind of finding, and what it means, in the order in which people are shown them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in a tree."""

    kind: str
    """One of `KINDS`."""
    uri: str
    """The resource; the name of the file, for what is wrong with its text."""
    what: str
    """One line: where in the resource, and what is there."""
    fix: str | None = None
    """What was done about it, one line; None: nothing, it is served as it is."""
