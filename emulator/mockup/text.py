"""JSON as it lies in files: with a byte order mark, with a property given twice."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

import orjson

from emulator.mockup.finding import BYTE_ORDER_MARK, DUPLICATE_KEY, Finding

_MARKS = (  # the longer first: UTF-32's little-endian mark begins like that of UTF-16
    (codecs.BOM_UTF8, "UTF-8", "utf-8"),
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16-be"),
)
_TOKEN = re.compile(rb'("(?:[^"\\]|\\.)*")(\s*:)?|[{}\n]')
NAME_CHARS_MAX = 80


def parse_json(name: str, content: bytes) -> tuple[Any, list[Finding]]:
    """What the file of this name holds, and what is wrong with its text. Of a property given twice the last one counts.

    Raises:
        orjson.JSONDecodeError: it is not JSON.
        orjson.JSONEncodeError: it is nested deeper than what can be written again.
    """
    content, findings = _without_mark(name, content)
    found = orjson.loads(content)
    if _may_repeat(found, content):
        findings += [
            Finding(DUPLICATE_KEY, name, f"line {line}: {key} for the second time", "the last one counts")
            for line, key in _repeated(content)
        ]
    return found, findings


def _without_mark(name: str, content: bytes) -> tuple[bytes, list[Finding]]:
    """The text as UTF-8; JSON begins without a mark (RFC 8259, 8.1)."""
    mark, title, codec = next((entry for entry in _MARKS if content.startswith(entry[0])), (b"", "", ""))
    if not mark:
        return content, []
    text = content[len(mark) :].decode(codec, "replace").encode()
    return text, [Finding(BYTE_ORDER_MARK, name, f"line 1: a byte order mark of {title}", "read without it")]


def _may_repeat(found: Any, content: bytes) -> bool:
    """Whether something was given twice: then the text has more quotation marks than what was read from it needs.

    One that is written as an escape counts on one side only, so its file is looked at in full.
    """
    return orjson.dumps(found).count(b'"') != content.count(b'"') or b"\\u0022" in content


def _repeated(content: bytes) -> Iterator[tuple[int, str]]:
    """(line, name) of each property that its object has already."""
    line = 1
    objects: list[set[str]] = []
    for token in _TOKEN.finditer(content):
        text = token[0]
        if text == b"\n":
            line += 1
        elif text == b"{":
            objects.append(set())
        elif text == b"}":
            objects.pop()
        elif token[2] is not None:
            key = str(orjson.loads(token[1]))
            if key in objects[-1]:
                yield line, key[:NAME_CHARS_MAX]
            objects[-1].add(key)
            line += token[2].count(b"\n")
