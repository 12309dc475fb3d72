"""Reading resource trees, whatever they come in."""

from __future__ import annotations

import random
import tarfile
import zipfile
from pathlib import Path

import pytest
from mockup_examples import FILES, FORMS, ROOT_DOCUMENT, URIS, Files, below, folder, json, tarred, write, zipped

from emulator.data import data_folder, mockup_names
from emulator.mockup import reader
from emulator.mockup.reader import MockupError, normal, read_tree

PREFIXES = ["", "redfish/v1/", "redfish/", "my-server/redfish/v1/", "a/b/c/", "./", "./redfish/v1/", "./a/./b/"]


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def refusal(path: Path) -> str:
    with pytest.raises(MockupError) as refused:
        read_tree(path)
    text = str(refused.value)
    assert str(path) in text
    assert "\n" not in text
    return text


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_tree_is_read_with_and_without_redfish_v1_and_with_folders_around(
    form: str, prefix: str, tmp_path: Path
) -> None:
    tree = read_tree(write(form, tmp_path, below(prefix)))
    assert sorted(tree.documents) == URIS
    assert tree.documents["/redfish/v1"] == ROOT_DOCUMENT
    assert tree.files == {"/redfish/v1/$metadata": b"<Edmx/>", "/redfish/v1/openapi.yaml": b"openapi: 3.0.1"}
    assert tree.manifest is None
    assert tree.name == "tree"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("beside", [True, False])
def test_machine_toml_lies_with_the_service_root_or_in_a_folder_around_it(
    form: str, prefix: str, beside: bool, tmp_path: Path
) -> None:
    place = prefix if beside else ("./" if prefix.startswith("./") else "")
    files = {**below(prefix), f"{place}machine.toml": b'model = "mine"'}
    assert read_tree(write(form, tmp_path, files)).manifest == b'model = "mine"'


def test_the_nearest_machine_toml_counts(tmp_path: Path) -> None:
    files = {**below("a/b/"), "machine.toml": b"outer", "a/b/machine.toml": b"inner", "a/b/Systems/machine.toml": b"no"}
    assert read_tree(folder(tmp_path, files)).manifest == b"inner"


def test_the_outermost_service_root_counts(form: str, tmp_path: Path) -> None:
    files = {**FILES, "Aggregated/x/index.json": json({**ROOT_DOCUMENT, "Id": "another"})}
    tree = read_tree(write(form, tmp_path, files))
    assert tree.documents["/redfish/v1"]["Id"] == "RootService"
    assert tree.documents["/redfish/v1/Aggregated/x"]["Id"] == "another"


def test_what_lies_outside_the_service_root_is_left_out(tmp_path: Path) -> None:
    files = {**below("redfish/v1/"), "redfish/index.json": json({"v1": "/redfish/v1/"}), "other/x.json": b"{}"}
    assert sorted(read_tree(folder(tmp_path, files)).documents) == URIS


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("Systems/2/index.json", "/redfish/v1/Systems/2"),
        ("Registries/R/R.json", "/redfish/v1/Registries/R/R.json"),
        ("Systems/a b:c/index.json", "/redfish/v1/Systems/a b:c"),
        ("JsonSchemas/Job.v1_3_0.json", "/redfish/v1/JsonSchemas/Job.v1_3_0.json"),
    ],
)
def test_where_a_file_stands_in_the_tree(form: str, name: str, uri: str, tmp_path: Path) -> None:
    tree = read_tree(write(form, tmp_path, {**FILES, name: json({"x": 1})}))
    assert tree.get(uri) == {"x": 1}


def test_dmtfs_copyright_note_is_no_property(tmp_path: Path) -> None:
    files = {**FILES, "x/index.json": json({"@Redfish.Copyright": "DMTF", "Id": "x"})}
    assert read_tree(folder(tmp_path, files)).get("/redfish/v1/x") == {"Id": "x"}


def test_members_are_those_that_are_in_the_tree(tmp_path: Path) -> None:
    members = [{"@odata.id": "/redfish/v1/Systems/1/"}, {"@odata.id": "/redfish/v1/Systems/9"}, {}]
    tree = read_tree(folder(tmp_path, {**FILES, "Systems/index.json": json({"Members": members})}))
    assert tree.members("/redfish/v1/Systems") == ["/redfish/v1/Systems/1"]
    assert tree.members("/redfish/v1/Nowhere") == []


@pytest.mark.parametrize(("uri", "key"), [("/a/", "/a"), ("/a", "/a"), ("/a//", "/a"), ("/", "/"), ("", "/")])
def test_a_uri_as_a_key(uri: str, key: str) -> None:
    assert normal(uri) == key


@pytest.mark.parametrize("name", mockup_names())
def test_bundled_mockups_are_the_same_as_archives(name: str, form: str, tmp_path: Path) -> None:
    original = data_folder("mockups") / name
    files = {file.relative_to(original).as_posix(): file.read_bytes() for file in original.rglob("*") if file.is_file()}
    tree, expected = read_tree(write(form, tmp_path, files)), read_tree(original)
    assert (tree.documents, tree.files, tree.manifest) == (expected.documents, expected.files, expected.manifest)


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nowhere", "nowhere.zip", "nowhere/tree.tar.gz"])
def test_what_is_not_there(name: str, tmp_path: Path) -> None:
    assert "no such file or folder" in refusal(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [(b'{"a": 1,\n "b": }', 2, 7), (b"", 1, 1), (b'{"a": "\xff"}', 1, 1), (b"{'a': 1}", 1, 2)],
    ids=["a missing value", "an empty file", "not UTF-8", "single quotes"],
)
def test_broken_json_names_the_file_and_the_line(
    form: str, content: bytes, line: int, column: int, tmp_path: Path
) -> None:
    text = refusal(write(form, tmp_path, {**FILES, "Systems/1/Bios/index.json": content}))
    assert "Systems/1/Bios/index.json" in text
    assert f"line {line} column " in text
    if content and b"\xff" not in content:
        assert f"line {line} column {column}" in text


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"1", b"null"])
@pytest.mark.parametrize("name", ["index.json", "Systems/1/index.json"])
def test_a_resource_is_an_object(content: bytes, name: str, tmp_path: Path) -> None:
    text = refusal(folder(tmp_path, {**FILES, name: content}))
    assert name in text
    assert "not a JSON object" in text


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"README.txt": b"hello"},
        {"index.json": json({"@odata.type": "#Chassis.v1_0_0.Chassis"})},
        {"index.json": json({"@odata.type": 5})},
        {"index.json": b"{}"},
        {"root.json": json(ROOT_DOCUMENT)},
    ],
)
def test_a_tree_without_a_service_root(form: str, files: Files, tmp_path: Path) -> None:
    path = write(form, tmp_path, files)
    path.mkdir(exist_ok=True) if form == "folder" else None
    assert "service root" in refusal(path)


@pytest.mark.parametrize("name", ["tree.zip", "tree.tar.gz", "tree.tar.xz", "tree", "tree.json"])
@pytest.mark.parametrize(
    "content", [b"", b"no archive at all", b"PK\x03\x04 and then nothing", b"\x1f\x8b\x08\x00", b"\xfd7zXZ\x00"]
)
def test_a_file_that_is_no_archive(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path)


@pytest.mark.parametrize("form", ["zip", "tar.gz", "tar.xz"])
def test_a_part_of_an_archive_is_never_taken_for_the_whole(form: str, tmp_path: Path) -> None:
    """A download that broke off: refused, or all of it is there and only padding is missing."""
    random_text = random.Random(1).randbytes(4000).hex()  # does not compress away
    path = write(form, tmp_path, below("redfish/v1/", {**FILES, "x/index.json": json({"x": random_text})}))
    content = path.read_bytes()
    whole = read_tree(path).documents
    for percent in range(1, 100):
        path.write_bytes(content[: len(content) * percent // 100])
        try:
            assert read_tree(path).documents == whole, f"{percent} %"
        except MockupError:
            continue
    path.write_bytes(content[: len(content) // 2])
    assert refusal(path)


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tar.xz"])
def test_a_damaged_archive_is_refused_or_read_and_never_anything_else(form: str, tmp_path: Path) -> None:
    """Two hundred ways of damage; an exception other than MockupError would be a traceback for the user."""
    path = write(form, tmp_path, below("redfish/v1/"))
    good = path.read_bytes()
    dice = random.Random(7)  # always the same two hundred
    refusals = 0
    for _ in range(200):
        bad = bytearray(good)
        for _ in range(dice.choice([1, 2, 8])):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        path.write_bytes(bytes(bad))
        try:
            read_tree(path)
        except MockupError:
            refusals += 1
    assert refusals > 0


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "tree.zip", FILES)
    content = bytearray(path.read_bytes())
    for head, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(head)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(head, at + 4)
    path.write_bytes(bytes(content))
    assert "encrypted" in refusal(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder(tmp_path / "tree", FILES)

    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert "denied" in refusal(path)


# -- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bound", "fits"),
    [
        ("ENTRIES_MAX", 6, True),  # the README is not counted: it is not read
        ("ENTRIES_MAX", 5, False),
        ("ENTRY_BYTES_MAX", 1000, True),
        ("ENTRY_BYTES_MAX", 999, False),
        ("TOTAL_BYTES_MAX", sum(len(FILES[name]) for name in FILES if name != "README.txt") + 1000, True),
        ("TOTAL_BYTES_MAX", sum(len(FILES[name]) for name in FILES if name != "README.txt") + 999, False),
    ],
)
def test_bounds(form: str, name: str, bound: int, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = json({"x": "y" * (1000 - len(json({"x": ""})))})
    assert len(big) == 1000
    files = {key: content for key, content in FILES.items() if name != "ENTRIES_MAX"} | {"big.json": big}
    if name == "ENTRIES_MAX":
        files = dict(FILES)
    path = write(form, tmp_path, files)
    monkeypatch.setattr(reader, name, bound)
    if fits:
        assert read_tree(path).documents
    else:
        text = refusal(path)
        assert "larger" in text or "more than" in text


@pytest.mark.parametrize("form", ["zip", "tar.gz", "tar.xz"])
def test_a_bomb_is_refused_before_it_is_unpacked(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "ENTRY_BYTES_MAX", 10_000)
    path = write(form, tmp_path, {**FILES, "bomb.json": b"0" * 5_000_000})
    assert path.stat().st_size < 50_000
    assert "bomb.json: larger" in refusal(path)


def test_what_is_not_read_may_be_as_large_as_it_likes(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "ENTRY_BYTES_MAX", 10_000)
    path = write(form, tmp_path, {**FILES, "disk.img": b"0" * 100_000})
    assert sorted(read_tree(path).documents) == URIS


# -- entries that mean harm -------------------------------------------------------------------------------------------


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.linkname = target
    return entry


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_links_and_devices_in_an_archive_are_passed_over(kind: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_bytes(b'{"password": "Swordfish"}')
    path = tarred(tmp_path / "tree.tar.gz", FILES, link("Systems/x/index.json", str(secret), kind))
    assert sorted(read_tree(path).documents) == URIS


def test_a_link_in_a_zip_archive_is_text_and_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_bytes(b'{"password": "Swordfish"}')
    path = zipped(tmp_path / "tree.zip", FILES)
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("Systems/x/index.json")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, str(secret))
    assert "Systems/x/index.json" in refusal(path)  # a path is not JSON


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tar.xz"])
@pytest.mark.parametrize(
    "name", ["../outside.json", "../../../../tmp/outside.json", "/tmp/outside.json", "Systems/../../outside.json"]
)
def test_a_name_that_leads_outside_is_harmless(form: str, name: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    path = write(form, tmp_path, below("redfish/v1/") | {name: b"{}"})
    tree = read_tree(path)
    assert set(URIS) <= set(tree.documents)
    assert all(uri.startswith("/redfish/v1") for uri in tree.documents)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, path])  # nothing is unpacked
    assert not Path("/tmp/outside.json").exists()
