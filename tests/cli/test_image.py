"""`jobfish image`: what is built, what is said about it, and what is refused."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulator.cli.main import main
from emulator.formats.image import Header, ImageError, Inspector

NEEDED = ("--component", "BIOS.Setup.1-1", "--version", "2.3.0")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jobfish(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["image", *arguments])


def build(*arguments: str) -> Result:
    return jobfish("build", "bios.img", *NEEDED, *arguments)


def inspected(path: str = "bios.img") -> tuple[Header | None, int]:
    """The header, and how many bytes of payload there are."""
    inspector = Inspector()
    inspector.feed(Path(path).read_bytes())
    return inspector.finish(), inspector.payload.size


def assert_refused(result: Result, said: str, status: int = 2) -> None:
    """With one line on stderr, and nothing on stdout."""
    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr.startswith("jobfish: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


# build


def test_the_least_call_makes_a_package_with_64_kib_of_filler():
    result = build()
    assert (result.exit_code, result.stderr) == (0, "")
    assert inspected() == (Header("BIOS.Setup.1-1", "2.3.0", True), 65536)
    assert result.stdout.splitlines()[0] == "bios.img  BIOS.Setup.1-1, version 2.3.0, payload 64 KiB, needs a reboot"


def test_every_field_can_be_given():
    assert build("--no-reboot", "--name", "BIOS of a lab", "--release-date", "2024-02-29").exit_code == 0
    assert inspected()[0] == Header("BIOS.Setup.1-1", "2.3.0", False, "BIOS of a lab", "2024-02-29")


@pytest.mark.parametrize(
    ("size", "payload", "said"),
    [
        ("0", 0, "payload 0 bytes"),
        ("1", 1, "payload 1 byte,"),
        ("1000", 1000, "payload 1,000 bytes"),
        ("1024", 1024, "payload 1 KiB"),
        ("3k", 3072, "payload 3 KiB"),
        ("65K", 66560, "payload 65 KiB"),
        ("2M", 2 * 2**20, "payload 2 MiB"),
        ("1025K", 1025 * 1024, "payload 1,025 KiB"),
    ],
)
def test_size_is_in_bytes_or_units(size, payload, said):
    assert said in build("--size", size).stdout
    assert inspected()[1] == payload


def test_the_same_call_makes_the_same_bytes():
    build()
    first = Path("bios.img").read_bytes()
    build("--force")
    assert Path("bios.img").read_bytes() == first


def test_a_file_is_packed():
    Path("payload").write_bytes(b"hello\n")
    assert build("--payload", "payload").exit_code == 0
    assert inspected()[1] == 6
    assert Path("bios.img").read_bytes().endswith(b"}\nhello\n")


def test_damage_is_announced_and_noticed():
    assert "damaged on purpose" in build("--damage").stdout
    with pytest.raises(ImageError, match="damaged"):
        inspected()


def test_damage_is_one_bit():
    build()
    whole = int.from_bytes(Path("bios.img").read_bytes())
    build("--damage", "--force")
    assert (int.from_bytes(Path("bios.img").read_bytes()) ^ whole).bit_count() == 1


def test_what_is_made_can_be_pushed_with_the_line_that_is_shown():
    shown = build().stdout.splitlines()[-1]
    title, *command = shlex.split(shown)
    assert (title, command[0]) == ("push", "curl")
    assert command[-1] == "https://127.0.0.1:8443/redfish/v1/UpdateService/MultipartUpload"
    assert [after for before, after in pairwise(command) if before == "-F"] == [
        "UpdateParameters={};type=application/json",
        "UpdateFile=@bios.img;type=application/octet-stream",
    ]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("my bios.img", "UpdateFile=@my bios.img;type=application/octet-stream"),
        ("it's.img", "UpdateFile=@it's.img;type=application/octet-stream"),
        ("a;b,c.img", 'UpdateFile=@"a;b,c.img";type=application/octet-stream'),
        ('a"b.img', 'UpdateFile=@"a\\"b.img";type=application/octet-stream'),
    ],
)
def test_awkward_names_survive_shell_and_curl(name, part):
    assert part in shlex.split(jobfish("build", name, *NEEDED).stdout.splitlines()[-1])


def test_a_file_that_is_there_is_left_alone():
    Path("bios.img").write_text("mine")
    assert_refused(build(), "bios.img: there already; --force replaces it")
    assert Path("bios.img").read_text() == "mine"


def test_force_replaces_it():
    Path("bios.img").write_text("mine")
    assert build("--force").exit_code == 0
    assert inspected()[1] == 65536


def test_a_payload_can_be_replaced_by_its_package():
    Path("bios.img").write_text("mine")
    assert build("--force", "--payload", "bios.img").exit_code == 0
    assert inspected()[1] == 4


@pytest.mark.parametrize("file_there", [True, False], ids=["a file there", "no file there"])
def test_a_package_that_cannot_be_finished_leaves_things_as_they_were(here, monkeypatch, file_there):
    if file_there:
        Path("bios.img").write_text("mine")

    def full(target, *_):
        target.write(b"a beginning")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("emulator.cli.image.write_image", full)
    assert_refused(build("--force"), "bios.img: No space left on device")
    assert [path.read_text() for path in here.iterdir()] == (["mine"] if file_there else [])


REFUSED = {
    "a component that says nothing": (("--component", ""), "component is empty"),
    "a version on two lines": (("--version", "1\n2"), "leave out what cannot be printed"),
    "a day that never was": (("--release-date", "2024-02-30"), "write a date as YYYY-MM-DD"),
    "a size in words": (("--size", "big"), "--size big: a number of bytes"),
    "a size below nothing": (("--size", "-1"), "--size -1: a number of bytes"),
    "a size in unknown units": (("--size", "1T"), "--size 1T"),
    "a size that is a fraction": (("--size", "1.5K"), "--size 1.5K"),
    "a size that is empty": (("--size", ""), "--size ''"),
    "a size and a file": (("--size", "1", "--payload", "payload"), "--payload and --size: give one of them"),
    "a payload that is not there": (("--payload", "payload"), "payload: No such file"),
    "a payload that is a folder": (("--payload", "."), ".: not a regular file"),
    "a payload without end": (("--payload", "/dev/zero"), "/dev/zero: not a regular file"),
    "damage to nothing": (("--size", "0", "--damage"), "--damage: there is no payload to damage"),
    "a name too long for a header": (("--name", "x" * 65536), "shorten its texts"),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_call_is_refused_and_leaves_no_file(here, arguments, said):
    assert_refused(build(*arguments), said)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("nowhere/bios.img", "nowhere/bios.img: No such file or directory"),
        ("file/bios.img", "file/bios.img: Not a directory"),
        (".", ".: not a file that could be replaced"),
        ("/dev/null", "/dev/null: not a file that could be replaced"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_place_where_nothing_can_be_put_is_refused(output, said):
    Path("file").touch()
    assert_refused(jobfish("build", output, *NEEDED, "--force"), said)


@pytest.mark.parametrize("missing", ["--component", "--version"])
def test_what_an_image_is_for_has_to_be_said(missing):
    given = [
        text
        for option, value in zip(NEEDED[::2], NEEDED[1::2], strict=True)
        if option != missing
        for text in (option, value)
    ]
    result = jobfish("build", "bios.img", *given)
    assert result.exit_code == 2
    assert f"Missing option '{missing}'" in result.stderr


# show


def test_show_prints_the_header():
    build("--name", "BIOS of a lab", "--release-date", "2024-02-29", "--size", "1000")
    result = jobfish("show", "bios.img")
    assert (result.exit_code, result.stderr) == (0, "")
    first, empty, *rows = result.stdout.splitlines()
    assert (first, empty) == ("bios.img  a jobfish package, whole", "")
    shown = dict(row.strip().split(maxsplit=1) for row in rows)
    digest = shown.pop("SHA-256")
    assert shown == {
        "component": "BIOS.Setup.1-1",
        "version": "2.3.0",
        "reboot": "needed",
        "name": "BIOS of a lab",
        "released": "2024-02-29",
        "payload": "1,000 bytes",
    }
    assert digest.encode() in Path("bios.img").read_bytes()


def test_show_leaves_out_what_the_header_does_not_say():
    build("--no-reboot")
    shown = jobfish("show", "bios.img").stdout
    assert "not needed" in shown
    assert "name" not in shown
    assert "released" not in shown


def test_show_says_that_a_file_is_opaque():
    Path("other.exe").write_bytes(b"MZ\x90" * 1000)
    result = jobfish("show", "other.exe")
    assert (result.exit_code, result.stdout) == (0, "other.exe  3,000 bytes, opaque: not a jobfish package\n")


def test_show_refuses_what_the_emulator_would():
    build("--damage")
    assert_refused(jobfish("show", "bios.img"), "bios.img: the payload is damaged", status=1)
    Path("bios.img").write_bytes(Path("bios.img").read_bytes()[:-1])
    assert_refused(jobfish("show", "bios.img"), "bios.img: the package is cut short", status=1)
    Path("bios.img").write_bytes(b"")
    assert_refused(jobfish("show", "bios.img"), "bios.img: the image is empty", status=1)


@pytest.mark.parametrize(("file", "said"), [("nothing", "No such file or directory"), (".", "Is a directory")])
def test_show_refuses_what_cannot_be_read(file, said):
    assert_refused(jobfish("show", file), f"{file}: {said}")


def test_help_shows_the_commands():
    shown = CliRunner().invoke(main, ["image", "-h"]).stdout
    assert "build" in shown
    assert "show" in shown
