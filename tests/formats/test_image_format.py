"""Firmware packages: what is written is read again, and whatever is not right is noticed, however it comes."""

from __future__ import annotations

import hashlib
import io
import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import orjson
import pytest
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st

from emulator.formats.image import (
    FILLER_BLOCK,
    HEADER_MAX,
    MAGIC,
    Facts,
    Filler,
    Header,
    ImageError,
    Inspector,
    Payload,
    write_image,
)

BIOS = Header("BIOS.Setup.1-1", "2.3.0", True)
PAYLOAD = b"any bytes\n\x00\xff"
MEBIBYTE = 1024 * 1024


def package(header: Header = BIOS, payload: Payload = PAYLOAD) -> bytes:
    target = io.BytesIO()
    write_image(target, header, payload)
    return target.getvalue()


def fields(**changes: Any) -> dict[str, Any]:
    """The header of the package above with some fields changed, or left out where the change is `...`."""
    plain = {**orjson.loads(package().split(b"\n")[1]), **changes}
    return {name: value for name, value in plain.items() if value is not ...}


def with_line(line: bytes, payload: bytes = PAYLOAD) -> bytes:
    return MAGIC + line + b"\n" + payload


def read(*chunks: bytes) -> Header | None:
    inspector = Inspector()
    for chunk in chunks:
        inspector.feed(chunk)
    return inspector.finish()


def verdict(*chunks: bytes) -> Header | str | None:
    """What an inspector says, a refusal by its words."""
    try:
        return read(*chunks)
    except ImageError as error:
        return str(error)


def refusal(*chunks: bytes) -> str:
    said = verdict(*chunks)
    assert isinstance(said, str), f"taken for {said}"
    assert said.isprintable(), "not one line"
    return said


# what is written is read

HEADERS = {
    "the least": BIOS,
    "all of it": Header("159", "2.3.0", False, "BIOS of a lab server", "2024-02-29"),
    "beyond ASCII": Header("Größe", "二", True, "№ 1"),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("payload", [b"", b"\n", PAYLOAD, MAGIC, Filler(0), Filler(100_000)], ids=repr)
def test_what_is_written_is_read(header: Header, payload: Payload) -> None:
    assert read(package(header, payload)) == header


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_survives_as_plain_data(header: Header) -> None:
    assert Header.from_plain(orjson.loads(orjson.dumps(header.to_plain()))) == header


def test_optional_fields_that_are_empty_are_not_written() -> None:
    assert set(BIOS.to_plain()) == {"component", "version", "needs_reboot"}


def test_the_layout_is_as_documented() -> None:
    first, second, payload = package().split(b"\n", 2)
    assert first + b"\n" == MAGIC == b"JOBFISH-IMAGE 1\n"
    assert orjson.loads(second) == {
        "component": "BIOS.Setup.1-1",
        "version": "2.3.0",
        "needs_reboot": True,
        "payload_size": len(PAYLOAD),
        "payload_sha256": hashlib.sha256(PAYLOAD).hexdigest(),
    }
    assert payload == PAYLOAD


def test_the_example_of_the_document_is_true() -> None:
    text = (REPOSITORY / "docs" / "firmware-images.md").read_text()
    example = package(Header("BIOS.Setup.1-1", "2.3.0", True, release_date="2024-05-01"), b"hello\n")
    assert f"these {len(example)} bytes:\n\n```\n{example.decode()}```" in text
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (.*) \|$", text, re.MULTILINE)
    assert [int(first) for first, _, _ in rows] == [0, *(int(last) + 1 for _, last, _ in rows[:-1])]
    assert int(rows[-1][1]) == len(example) - 1
    for first, last, what in rows:
        part = example[int(first) : int(last) + 1]
        assert f"`{part.hex(' ')}`" in what or (f"{len(part)} bytes" in what and part[:1] + part[-1:] == b"{}")


def test_the_document_names_every_field_and_the_limit() -> None:
    text = (REPOSITORY / "docs" / "firmware-images.md").read_text()
    assert f"{HEADER_MAX:,}" in text
    for name in (*HEADERS["all of it"].to_plain(), "payload_size", "payload_sha256"):
        assert re.search(rf"^\| `{name}` \|", text, re.MULTILINE), name


# where a payload comes from


@pytest.mark.parametrize("size", [0, 1, 7, 8, FILLER_BLOCK - 1, FILLER_BLOCK, FILLER_BLOCK + 1, 3 * MEBIBYTE])
def test_filler_has_its_size_and_is_always_the_same(size: int) -> None:
    filler = b"".join(Filler(size).chunks())
    assert len(filler) == size
    assert filler == b"".join(Filler(size).chunks())


def test_no_block_of_filler_is_like_another() -> None:
    filler = b"".join(Filler(20 * FILLER_BLOCK).chunks())
    assert len({filler[at : at + FILLER_BLOCK] for at in range(0, len(filler), FILLER_BLOCK)}) == 20


def test_filler_of_less_than_nothing_is_refused() -> None:
    with pytest.raises(ImageError, match="0 or more"):
        Filler(-1)


def test_a_files_content_is_packed(tmp_path: Path) -> None:
    file = tmp_path / "payload"
    file.write_bytes(PAYLOAD)
    assert package(payload=file) == package(payload=PAYLOAD)


def test_writing_tells_size_and_digest() -> None:
    assert write_image(io.BytesIO(), BIOS, PAYLOAD) == Facts(len(PAYLOAD), hashlib.sha256(PAYLOAD).hexdigest())


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        package(payload=tmp_path / "nothing")


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "payload"
    file.write_bytes(b"before")

    class Target(io.BytesIO):
        def write(self, data: Any) -> int:
            file.write_bytes(b"after!")
            return super().write(data)

    with pytest.raises(ImageError, match="changed"):
        write_image(Target(), BIOS, file)


def test_a_header_that_is_too_long_is_not_written() -> None:
    target = io.BytesIO()
    with pytest.raises(ImageError, match="shorten"):
        write_image(target, Header("BIOS", "1", True, name="x" * HEADER_MAX), b"")
    assert target.getvalue() == b""


# what is opaque

OPAQUE = {
    "another kind of file": b"MZ\x90\x00 and so on",
    "one byte": b"J",
    "a newline": b"\n",
    "less than the first line": MAGIC[:-1],
    "another version of the format": MAGIC.replace(b"1", b"2") + b"{}\n",
    "the first line in lower case": MAGIC.lower() + b"{}\n",
    "a first line that ends as on Windows": MAGIC.replace(b"\n", b"\r\n") + b"{}\r\n",
    "something in front of a package": b"\n" + package(),
    "a megabyte without newline": b"x" * MEBIBYTE,
}


@pytest.mark.parametrize("content", OPAQUE.values(), ids=OPAQUE)
def test_whatever_begins_otherwise_is_opaque(content: bytes) -> None:
    assert read(content) is None


# what is refused

BROKEN = {
    "nothing": (b"", "the image is empty"),
    "the first line alone": (MAGIC, "cut short: it ends inside its header"),
    "half a header": (package()[:40], "cut short: it ends inside its header"),
    "no newline after the header": (with_line(orjson.dumps(fields()))[: -len(PAYLOAD) - 1], "inside its header"),
    "no payload": (package()[: -len(PAYLOAD)], "cut short: 0 of 12 payload bytes"),
    "a byte too few": (package()[:-1], "cut short: 11 of 12 payload bytes"),
    "a byte too many": (package() + b"\n", "1 bytes after its payload"),
    "another payload": (package()[: -len(PAYLOAD)] + b"x" * len(PAYLOAD), "damaged"),
    "a header without end": (MAGIC + b" " * MEBIBYTE, "more than 65,536 bytes"),
    "an empty header": (with_line(b""), "not JSON"),
    "a header of something else": (with_line(b"component: BIOS"), "not JSON"),
    "a header in Latin-1": (with_line('{"component": "Größe"}'.encode("latin-1")), "not JSON in UTF-8"),
    "a header on several lines": (with_line(b'{\n"component": "BIOS"}'), "not JSON"),
    "a list": (with_line(b"[]"), "not a JSON object"),
    "no object at all": (with_line(b"null"), "not a JSON object"),
}


@pytest.mark.parametrize(("content", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_package_is_refused_with_a_sentence(content: bytes, said: str) -> None:
    assert said in refusal(content)


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"colour": "red"}, 'field "colour" is unknown'),
    ({"Component": "BIOS"}, 'field "Component" is unknown'),
    ({"x\n" * 100: 1}, "is unknown"),
    ({"component": ...}, "has no component"),
    ({"version": ...}, "has no version"),
    ({"needs_reboot": ...}, "has no needs_reboot"),
    ({"payload_size": ...}, "has no payload_size"),
    ({"payload_sha256": ...}, "has no payload_sha256"),
    ({"component": ""}, "component is empty"),
    ({"component": " "}, "component is empty"),
    ({"component": 159}, "component is 159: write it as a string"),
    ({"component": None}, "component is null"),
    ({"component": ["BIOS"]}, "component is a list"),
    ({"component": {"id": "BIOS"}}, "component is an object"),
    ({"component": "BIOS\nNIC"}, "cannot be printed"),
    ({"component": "BIOS\u2028"}, "cannot be printed"),
    ({"version": ""}, "version is empty"),
    ({"version": 2.3}, "version is 2.3: write it as a string"),
    ({"needs_reboot": "yes"}, 'needs_reboot is "yes": write true or false'),
    ({"needs_reboot": 1}, "needs_reboot is 1: write true or false"),
    ({"name": 7}, "name is 7"),
    ({"name": " "}, "name is empty: say what it is, or leave it out"),
    ({"name": "\x1b[31m" * 100}, "cannot be printed"),
    ({"release_date": "yesterday"}, "YYYY-MM-DD"),
    ({"release_date": "2024-02-30"}, "YYYY-MM-DD"),
    ({"release_date": "2023-02-29"}, "YYYY-MM-DD"),
    ({"release_date": "20240229"}, "YYYY-MM-DD"),
    ({"release_date": "2024-W09-4"}, "YYYY-MM-DD"),
    ({"release_date": "2024-2-29"}, "YYYY-MM-DD"),
    ({"release_date": 20240229}, "write it as a string"),
    ({"payload_size": -1}, "payload_size is -1"),
    ({"payload_size": 12.0}, "payload_size is 12.0"),
    ({"payload_size": "12"}, 'payload_size is "12"'),
    ({"payload_size": True}, "payload_size is true"),
    ({"payload_sha256": ""}, "64 hexadecimal digits"),
    ({"payload_sha256": "0" * 63}, "64 hexadecimal digits"),
    ({"payload_sha256": "g" * 64}, "64 hexadecimal digits"),
    ({"payload_sha256": 0}, "payload_sha256 is 0"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG_FIELDS, ids=[str(changes)[:40] for changes, _ in WRONG_FIELDS])
def test_a_wrong_field_is_refused_by_name(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(with_line(orjson.dumps(fields(**changes))))


def test_a_number_beyond_64_bits_is_no_size() -> None:
    line = orjson.dumps(fields()).replace(b'"payload_size":12', b'"payload_size":1' + b"0" * 30)
    assert "payload_size is 1e+30" in refusal(with_line(line))


def test_a_header_nested_deeply_is_refused() -> None:
    line = orjson.dumps(fields(name=7)).replace(b'"name":7', b'"name":' + b"[" * 900 + b"]" * 900)
    assert "name is a list" in refusal(with_line(line))
    assert "not JSON" in refusal(with_line(b"[" * HEADER_MAX))


@pytest.mark.parametrize("name", ["component", "version", "needs_reboot", "name", "release_date"])
def test_a_wrong_header_cannot_be_made(name: str) -> None:
    with pytest.raises(ImageError, match=name):
        Header(**{**BIOS.to_plain(), name: 7})


@pytest.mark.parametrize("changes", [{"payload_size": 1}, {"colour": "red"}])
def test_plain_data_of_a_header_has_no_other_fields(changes: dict[str, Any]) -> None:
    with pytest.raises(ImageError, match=f'"{next(iter(changes))}" is unknown'):
        Header.from_plain({**BIOS.to_plain(), **changes})


ACCEPTED: list[tuple[str, bytes]] = [
    ("fields in another order", orjson.dumps(dict(reversed(fields().items())))),
    ("spaces around", b"  " + orjson.dumps(fields()) + b" \t\r"),
    ("a digest in upper case", orjson.dumps(fields(payload_sha256=fields()["payload_sha256"].upper()))),
    ("optional fields that are empty", orjson.dumps(fields(name="", release_date=""))),
    ("as long as it may be", orjson.dumps(fields()).ljust(HEADER_MAX)),
]


@pytest.mark.parametrize("line", [line for _, line in ACCEPTED], ids=[what for what, _ in ACCEPTED])
def test_a_header_written_by_others_is_read(line: bytes) -> None:
    assert read(with_line(line)) == BIOS


def test_a_header_may_not_be_a_byte_longer() -> None:
    assert "more than 65,536 bytes" in refusal(with_line(orjson.dumps(fields()).ljust(HEADER_MAX + 1)))


# how it comes


def cut(content: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(content)]
    return [content[first:last] for first, last in pairwise(edges)]


texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(
    lambda text: text.isprintable() and text.strip()
)
headers = st.builds(
    Header,
    component=texts,
    version=texts,
    needs_reboot=st.booleans(),
    name=st.just("") | texts,
    release_date=st.just("") | st.dates().map(str),
)
packages = st.builds(package, headers, st.binary(max_size=300))


@st.composite
def images(draw: st.DrawFn) -> bytes:
    """Packages; packages cut short, with more behind them or with a byte replaced; headers of anything; anything."""
    content = draw(packages)
    at = draw(st.integers(0, len(content) - 1))
    return draw(
        st.sampled_from(
            (
                content,
                content[:at],
                content + draw(st.binary(max_size=5)),
                content[:at] + draw(st.binary(min_size=1, max_size=1)) + content[at + 1 :],
                with_line(draw(st.binary(max_size=50))),
                draw(st.binary(max_size=50)),
            )
        )
    )


@given(images(), st.data())
def test_the_result_does_not_depend_on_the_pieces(content: bytes, data: st.DataObject) -> None:
    pieces = cut(content, data.draw(st.lists(st.integers(0, len(content)), max_size=12)))
    assert verdict(*pieces) == verdict(content)


@pytest.mark.parametrize(
    "content",
    [package(), package()[:-1], *OPAQUE.values(), *(content for content, _ in BROKEN.values())],
)
@pytest.mark.parametrize("size", [1, 15, 16, 17, 4096, HEADER_MAX])
def test_pieces_of_one_size_give_the_result_of_the_whole(content: bytes, size: int) -> None:
    content = content[: 2 * HEADER_MAX]
    assert verdict(*(content[at : at + size] for at in range(0, len(content), size))) == verdict(content)


@given(st.binary(min_size=1, max_size=300), st.data())
def test_any_flipped_bit_of_a_payload_is_noticed(payload: bytes, data: st.DataObject) -> None:
    content = bytearray(package(payload=payload))
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    content[len(content) - 1 - bit // 8] ^= 1 << bit % 8
    assert "damaged" in refusal(bytes(content))


@given(packages, st.data())
def test_any_missing_end_is_noticed(content: bytes, data: st.DataObject) -> None:
    kept = data.draw(st.integers(len(MAGIC), len(content) - 1))
    assert "cut short" in refusal(content[:kept])


@given(images())
def test_every_refusal_is_one_line(content: bytes) -> None:
    said = verdict(content)
    assert not isinstance(said, str) or said.isprintable()


def test_an_inspector_tells_how_far_it_is() -> None:
    content = package()
    inspector = Inspector()
    assert inspector.received == 0
    for count, byte in enumerate(content, start=1):
        inspector.feed(bytes([byte]))
        assert inspector.received == count
        assert inspector.payload.size == max(0, count - (len(content) - len(PAYLOAD)))
    assert inspector.payload == Facts(len(PAYLOAD), hashlib.sha256(PAYLOAD).hexdigest())


def test_what_is_refused_is_counted_to_its_end() -> None:
    inspector = Inspector()
    for chunk in (with_line(b"{}"), b"more", b""):
        inspector.feed(chunk)
    assert inspector.received == len(with_line(b"{}")) + 4
    assert inspector.payload == Facts(0, hashlib.sha256().hexdigest())


def test_finishing_again_says_the_same() -> None:
    for content in (package(), package()[:-1], b"opaque"):
        inspector = Inspector()
        inspector.feed(content)
        said: list[Header | str | None] = []
        for _ in range(2):
            try:
                said.append(inspector.finish())
            except ImageError as error:
                said.append(str(error))
        assert said[0] == said[1]


# how much memory it takes


@dataclass
class Sink(io.RawIOBase):
    """Hands what is written straight to an inspector."""

    inspector: Inspector = field(default_factory=Inspector)

    def write(self, data: Any) -> int:
        self.inspector.feed(data)
        return len(data)


@pytest.fixture
def peak() -> Iterator[Any]:
    """Bytes of Python's memory at the most so far."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


@pytest.mark.parametrize("source", ["filler", "file"])
def test_no_payload_is_ever_held(source: str, tmp_path: Path, peak: Any) -> None:
    payload: Payload = Filler(40 * MEBIBYTE)
    if source == "file":
        payload = tmp_path / "payload"
        with payload.open("wb") as file:
            file.truncate(40 * MEBIBYTE)
    sink = Sink()
    target: BinaryIO = sink  # type: ignore[assignment]
    write_image(target, BIOS, payload)
    assert sink.inspector.finish() == BIOS
    assert peak() < 4 * MEBIBYTE


def test_one_big_piece_is_not_copied(peak: Any) -> None:
    for content in (package(payload=bytes(20 * MEBIBYTE)), bytes(20 * MEBIBYTE), MAGIC + bytes(20 * MEBIBYTE)):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        verdict(content)
        assert peak() - before < MEBIBYTE
