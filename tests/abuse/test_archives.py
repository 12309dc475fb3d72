"""Archives and folders of strangers, given as mockups: they write nowhere, read nothing beside them, and stay bounded.

What is damaged rather than meant to harm, and plain links, devices and names that lead outside, are in
tests/mockup/test_reader.py.
"""

from __future__ import annotations

import gzip
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from emulator.app import find_site
from emulator.data import data_folder
from emulator.mockup import reader
from emulator.mockup.reader import MockupError, read_tree

MIB = 2**20
MEMORY_BYTES_MAX = 128 * MIB
ROOT = b'{"@odata.id": "/redfish/v1", "@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot", "Id": "RootService"}'
SECRET = b'{"secret": "Swordfish"}'


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, size: int | None = None, link: str = ""
) -> bytes:
    """One entry of a tar archive, byte by byte; `size` is what it says of itself."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content) if size is None else size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + content + b"\0" * (-len(content) % 512)


def packed(path: Path, pieces: Iterable[bytes]) -> Path:
    with gzip.open(path, "wb", 1) as archive:
        for piece in pieces:
            archive.write(piece)
    return path


def read_bounded(path: Path) -> reader.Tree | str:
    """The tree, or the sentence that refuses it; never more memory than the bound."""
    tracemalloc.start()
    found: reader.Tree | str
    try:
        found = read_tree(path)
    except MockupError as error:
        found = str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEMORY_BYTES_MAX, f"{peak // MIB} MiB"
    assert not isinstance(found, str) or "\n" not in found
    return found


def links_that_follow_each_other(kind: bytes, count: int) -> list[bytes]:
    """Headers each of which is about the next one."""
    return [entry("x", b"11 path=ab\n", kind)] * count


TARS: list[tuple[str, Callable[[], Iterable[bytes]], str | None]] = [
    # situation, what comes after the root, what is said; None: it is read without it
    ("a gigabyte that is said of one entry", lambda: [entry("x", kind=tarfile.XHDTYPE, size=2**30), *[b" " * MIB] * 8], "cannot|can be read"),
    ("a gigabyte that is said of all", lambda: [entry("x", kind=tarfile.XGLTYPE, size=2**30), *[b" " * MIB] * 8], "can be read"),
    ("a name of a gigabyte", lambda: [entry("x", kind=tarfile.GNUTYPE_LONGNAME, size=2**30), *[b"a" * MIB] * 8], "can be read"),
    ("a link's target of a gigabyte", lambda: [entry("x", kind=tarfile.GNUTYPE_LONGLINK, size=2**30), *[b"a" * MIB] * 8], "can be read"),
    ("names about names", lambda: links_that_follow_each_other(tarfile.GNUTYPE_LONGNAME, 3000), "can be read"),
    ("headers about headers", lambda: links_that_follow_each_other(tarfile.XHDTYPE, 3000), "can be read"),
    ("an entry of a kind that nobody knows, with a terabyte", lambda: [entry("x.json", kind=b"Z", size=2**40)], "can be read|larger"),
    ("ten gigabytes of zeros that are no part", lambda: [entry("disk.img", size=10 * 2**30), *[bytes(MIB)] * 2], "no part of a mockup"),
    ("ten gigabytes in one document", lambda: [entry("big.json", size=10 * 2**30), *[bytes(MIB)] * 2], "big.json: larger"),
    ("a document that is cut short", lambda: [entry("Systems/index.json", size=5000), b"{"], "can be read|Systems/index.json"),
    ("many tiny entries", lambda: [entry("x") * 1_000] * 3, "more than 2000 entries"),
    ("many tiny documents", lambda: [entry(f"{n}.json", b"{}") for n in range(1200)], "more than 1000 entries"),
    ("the same name again and again", lambda: [entry("a.json", b"{}")] * 1200, "more than 1000 entries"),
    ("a name that is no UTF-8", lambda: [entry("Systems/\udcff\udc80/index.json", b"{}")], None),
    ("a name with NUL and line breaks", lambda: [entry("Systems/a\r\nb/index.json", b"{}")], None),
    ("a name of dots", lambda: [entry("../../..//./../index.json", b"{}"), entry("..", b"{}"), entry("/..", b"{}")], None),
    ("a hard link to what is outside", lambda: [entry("Systems/x/index.json", kind=tarfile.LNKTYPE, link="/etc/passwd")], None),
    ("a link, and an entry behind it", lambda: [entry("Systems", kind=tarfile.SYMTYPE, link="/tmp"), entry("Systems/x.json", b"{}")], None),
    ("a device", lambda: [entry("Systems/x/index.json", kind=tarfile.CHRTYPE)], None),
]  # fmt: skip


@pytest.mark.parametrize("row", TARS, ids=[row[0] for row in TARS])
def test_a_tar_archive_that_means_harm(row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, pieces, said = row
    monkeypatch.setattr(reader, "LISTED_MAX", 2000)
    monkeypatch.setattr(reader, "ENTRIES_MAX", 1000)
    path = packed(tmp_path / "tree.tar.gz", [entry("index.json", ROOT), *pieces(), bytes(1024)])
    found = read_bounded(path)
    if said is None:
        assert not isinstance(found, str), found
        assert all(uri.startswith("/redfish/v1") for uri in found.documents)
        repr(found).encode()  # whatever is said of it can be written out
    else:
        assert isinstance(found, str)
        assert any(words in found for words in said.split("|")), found
    assert [file.name for file in tmp_path.iterdir()] == ["tree.tar.gz"]


def zip_of(path: Path, fill: Callable[[zipfile.ZipFile], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.json", ROOT)
        fill(archive)
    return path


def many(archive: zipfile.ZipFile) -> None:
    for number in range(1200):
        archive.writestr(f"{number}.json", b"{}")


def big(archive: zipfile.ZipFile) -> None:
    with archive.open("big.json", "w") as stream:
        for _ in range(40):
            stream.write(bytes(MIB))


def listed(archive: zipfile.ZipFile) -> None:
    for number in range(300):
        archive.writestr(f"{number}" + "x" * 1000, b"")


ZIPS = [
    ("many tiny documents", many, "more than 1000 entries"),
    ("a bomb", big, "big.json: larger"),
    ("a directory of nothing but names", listed, "MiB of names"),
]


@pytest.mark.parametrize("row", ZIPS, ids=[row[0] for row in ZIPS])
def test_a_zip_archive_that_means_harm(row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, fill, said = row
    monkeypatch.setattr(reader, "ENTRIES_MAX", 1000)
    monkeypatch.setattr(reader, "DIRECTORY_BYTES_MAX", 200_000)
    found = read_bounded(zip_of(tmp_path / "tree.zip", fill))
    assert isinstance(found, str)
    assert said in found


def test_a_zip_entry_that_lies_about_its_size(tmp_path: Path) -> None:
    """It says ten bytes and unpacks to forty million: no more than what it says is ever made."""
    path = zip_of(tmp_path / "tree.zip", big)
    content = bytearray(path.read_bytes())
    size = (40 * MIB).to_bytes(4, "little")
    assert size in content
    path.write_bytes(bytes(content).replace(size, (10).to_bytes(4, "little")))
    assert isinstance(read_bounded(path), str)


def test_a_zip_archive_with_the_same_name_twice_keeps_one(tmp_path: Path) -> None:
    def twice(archive: zipfile.ZipFile) -> None:
        archive.writestr("a.json", b'{"first": 1}')
        archive.writestr("a.json", b'{"second": 2}')

    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zip_of(tmp_path / "tree.zip", twice)
    found = read_bounded(path)
    assert not isinstance(found, str)
    assert found.get("/redfish/v1/a.json") == {"second": 2}


@pytest.mark.skipif(sys.platform == "win32", reason="links")
@pytest.mark.parametrize("target", ["outside.json", "../outside.json", "/etc/hostname"])
def test_a_link_in_a_folder_that_leads_outside_is_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_bytes(SECRET)
    folder = tmp_path / "tree"
    (folder / "Systems").mkdir(parents=True)
    (folder / "index.json").write_bytes(ROOT)
    where = Path(target) if target.startswith("/") else tmp_path / "outside.json"
    (folder / "Systems" / "index.json").symlink_to(where)
    assert "leads out of the folder" in str(read_bounded(folder))


def test_a_link_in_a_folder_that_stays_inside_is_read(tmp_path: Path) -> None:
    (tmp_path / "Systems").mkdir()
    (tmp_path / "index.json").write_bytes(ROOT)
    (tmp_path / "a.json").write_bytes(b'{"a": 1}')
    (tmp_path / "Systems" / "index.json").symlink_to("../a.json")
    found = read_bounded(tmp_path)
    assert not isinstance(found, str)
    assert found.get("/redfish/v1/Systems") == {"a": 1}


@pytest.mark.parametrize(
    "manifest",
    [b"a = " + b"[" * 50_000, b"a" + b".a" * 50_000 + b" = 1", b"#" * 300_000, b"\xff", b"x = 1e999999", b"policy = 1", b"[[accounts]]\nname = 1"],
    ids=["arrays", "dotted keys", "too large", "no UTF-8", "a number", "a wrong table", "a wrong account"],
)  # fmt: skip
def test_a_manifest_that_means_harm_is_refused_in_one_line(manifest: bytes, tmp_path: Path) -> None:
    original = data_folder("mockups") / "rack-server"
    files = {file.relative_to(original).as_posix(): file.read_bytes() for file in original.rglob("*") if file.is_file()}
    with zipfile.ZipFile(tmp_path / "tree.zip", "w") as archive:
        for name, content in {**files, "machine.toml": manifest}.items():
            archive.writestr(name, content)
    with pytest.raises(MockupError) as refused:
        find_site(read_tree(tmp_path / "tree.zip"))
    assert "machine.toml" in str(refused.value)
    assert "\n" not in str(refused.value)[:500]


def test_nothing_beside_the_tree_can_be_read_through_a_uri(tmp_path: Path, make_bmc) -> None:
    """The tree is read once, into memory: a URI never becomes a path of the file system."""
    original = data_folder("mockups") / "lifecycle-server"
    folder = tmp_path / "tree"
    for file in original.rglob("*"):
        if file.is_file():
            place = folder / file.relative_to(original)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    (tmp_path / "outside.json").write_bytes(SECRET)
    (folder / "notes.json").write_bytes(SECRET)
    bmc = make_bmc(mockup=str(folder))
    (folder / "redfish/v1/late.json").write_bytes(SECRET)
    tricks = ["../outside.json", "../../outside.json", "..%2foutside.json", "%2e%2e/outside.json", "....//outside.json", "..\\outside.json", "..%5coutside.json", "%252e%252e/outside.json", "../machine.toml", "../../machine.toml", "machine.toml", "late.json", "../../notes.json", "Systems/../../../notes.json", "/etc/passwd", f"{tmp_path}/outside.json", "file:///etc/passwd", "outside.json%00", "..;/outside.json", "%c0%ae%c0%ae/outside.json"]  # fmt: skip
    for trick in tricks:
        for start in ("/redfish/v1/", "/redfish/v1/Systems/", "/redfish/", "/"):
            answer = bmc.get(start + trick)
            assert answer.status in (400, 404), start + trick
            assert "Swordfish" not in str(answer.body)
            assert "calvin" not in str(answer.body)


def test_the_helpers_make_archives_that_are_right(tmp_path: Path) -> None:
    path = packed(tmp_path / "tree.tar.gz", [entry("index.json", ROOT), entry("a.json", b"{}"), bytes(1024)])
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["index.json", "a.json"]
    assert not isinstance(read_bounded(path), str)
