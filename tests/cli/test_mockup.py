"""`jobfish mockup check`: what a person reads, what a program reads, and the exit status."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import capture

from emulator.cli.findings import Report
from emulator.cli.main import main
from emulator.data import data_folder, mockup_names
from emulator.mockup.finding import KINDS

SENSORS = "/redfish/v1/Chassis/1/Sensors"


def documents(members: int = 2, dangling: int = 0) -> dict[str, object]:
    def link(uri: str) -> dict[str, str]:
        return {"@odata.id": uri}

    def collection(uri: str, schema: str, *uris: str) -> dict[str, object]:
        kind = f"#{schema}Collection.{schema}Collection"
        members = [link(uri) for uri in uris]
        return {
            **link(uri),
            "@odata.type": kind,
            "Name": "All",
            "Members": members,
            "Members@odata.count": len(members),
        }

    def resource(uri: str, schema: str, **more: object) -> dict[str, object]:
        own_id = uri.rpartition("/")[2]
        return {**link(uri), "@odata.type": f"#{schema}.v1_0_0.{schema}", "Id": own_id, "Name": own_id, **more}

    root, sensors = "/redfish/v1", [f"{SENSORS}/s{number}" for number in range(members)]
    gone = [f"{SENSORS}/gone{number}" for number in range(dangling)]
    return {
        "": resource(root, "ServiceRoot", Systems=link(f"{root}/Systems"), Chassis=link(f"{root}/Chassis")),
        "/Systems": collection(f"{root}/Systems", "ComputerSystem", f"{root}/Systems/1"),
        "/Systems/1": resource(f"{root}/Systems/1", "ComputerSystem", Bios=link(f"{root}/Systems/1/Bios")),
        "/Systems/1/Bios": resource(f"{root}/Systems/1/Bios", "Bios", Attributes={"A": "x", "B": 1}),
        "/Chassis": collection(f"{root}/Chassis", "Chassis", f"{root}/Chassis/1"),
        "/Chassis/1": resource(f"{root}/Chassis/1", "Chassis", Sensors=link(SENSORS)),
        "/Chassis/1/Sensors": collection(SENSORS, "Sensor", *sensors, *gone),
        **{f"/Chassis/1/Sensors/s{number}": resource(uri, "Sensor") for number, uri in enumerate(sensors)},
    }


def written(folder: Path, found: dict[str, object]) -> str:
    for uri, document in found.items():
        place = folder / uri.lstrip("/") / "index.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(document))
    return str(folder)


def check(*arguments: str, columns: int = 80) -> tuple[int, str]:
    got = CliRunner(env={"COLUMNS": str(columns)}).invoke(main, ["mockup", "check", *arguments])
    assert got.exception is None or isinstance(got.exception, SystemExit), got.exception
    return got.exit_code, got.output


@pytest.mark.parametrize("name", mockup_names())
def test_a_bundled_mockup_is_found_by_its_name_and_has_nothing_broken(name: str) -> None:
    for place in (name, str(data_folder("mockups") / name)):
        status, text = check(place, "--strict")
        assert (status, "Broken: nothing" in text) == (0, True)
        assert name in text.splitlines()[0]


def test_what_lives_what_is_passive_and_what_is_broken(tmp_path: Path) -> None:
    status, text = check(written(tmp_path / "lab", documents(12, dangling=2)))
    assert status == 0
    assert text.splitlines() == [
        "lab  dialect standard, 19 resources",
        "",
        "Lives",
        "  System",
        "    1  Systems/1",
        "  BIOS",
        "    Bios  2 attributes  Systems/1/Bios",
        "",
        "Passive: 16 documents are served as they are",
        "  12 Sensor, 1 Chassis, 3 collections",
        "",
        "Broken: 2 repaired when served",
        "    2  a collection lists what is not there",
        "         Chassis/1/Sensors",
        "           Members.12: .../gone0 -> left out",
        "         Chassis/1/Sensors",
        "           Members.13: .../gone1 -> left out",
    ]


def test_many_of_a_kind_are_counted_and_all_lists_each(tmp_path: Path) -> None:
    place = written(tmp_path, documents(1, dangling=40))
    short, whole = check(place)[1], check(place, "--all")[1]
    assert short.count("left out") == 3
    assert "and 37 more: --all lists them" in short
    assert whole.count("left out") == 40
    assert f"{SENSORS}/gone39" in whole
    assert "more" not in whole


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize(
    "name", ["poweredge-r750.tar.xz", "dmtf-public-rackmount1.tar.xz", "dmtf-public-smartnic.tar.xz"]
)
def test_a_big_tree_fits_the_terminal(name: str, columns: int) -> None:
    status, text = check(str(capture(name)), columns=columns)
    lines = text.splitlines()
    assert status == 0
    assert max(len(line) for line in lines) <= columns
    assert len(lines) < 150


def test_the_same_as_json(tmp_path: Path) -> None:
    place = written(tmp_path / "lab", documents(3, dangling=1))
    status, text = check(place, "--json")
    facts = json.loads(text)
    assert status == 0
    assert list(facts) == ["mockup", "source", "dialect", "resources", "lives", "passive", "findings"]
    assert facts["lives"]["BIOS"] == [{"id": "Bios", "uri": "/redfish/v1/Systems/1/Bios", "detail": "2 attributes"}]
    assert facts["passive"] == {
        "Sensor": 3,
        "Chassis": 1,
        "ChassisCollection": 1,
        "ComputerSystemCollection": 1,
        "SensorCollection": 1,
    }
    assert facts["findings"] == [
        {"kind": "dangling-member", "uri": SENSORS, "what": f"Members.3: {SENSORS}/gone0", "fix": "left out"}
    ]


LEFT = {"/Systems/1/Odd": {"@odata.id": "/redfish/v1/Systems/1/Odd", "Id": "Odd", "Name": "Odd"}}


@pytest.mark.parametrize(
    ("found", "options", "status"),
    [
        (documents(), (), 0),
        (documents(), ("--strict",), 0),
        (documents(dangling=1), (), 0),
        (documents(dangling=1), ("--strict",), 1),
        (documents(dangling=1), ("--strict", "--json"), 1),
        (documents() | LEFT, ("--strict",), 1),
        (documents() | {"/Systems": {}}, (), 2),
        ({"": {}}, (), 2),
    ],
    ids=["sound", "sound, strict", "broken", "broken, strict", "as JSON too", "not mended", "no system", "no root"],
)
def test_the_exit_status(found: dict[str, object], options: tuple[str, ...], status: int, tmp_path: Path) -> None:
    assert check(written(tmp_path, found), *options)[0] == status


def test_what_is_left_as_it_is_is_told(tmp_path: Path) -> None:
    text = check(written(tmp_path, documents() | LEFT))[1]
    assert "Broken: 0 repaired when served, 1 served as they are" in text
    assert "@odata.type -> served as it is" in text


REFUSALS = [
    ("nowhere", None, "nowhere: there is no such file or folder"),
    ("tree/x.json", b"{", "index.json"),
    ("tree/index.json", b'{"a": 1,\n "b": }', "index.json: line 2 column 7"),
    ("tree.tar.xz", b"no archive", "tree.tar.xz"),
]


@pytest.mark.parametrize(("name", "content", "says"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_what_cannot_be_read_is_refused_in_one_line(
    name: str, content: bytes | None, says: str, tmp_path: Path
) -> None:
    place = tmp_path / name
    if content is not None:
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
    asked = place if place.parent == tmp_path else place.parent
    got = subprocess.run(
        [sys.executable, "-m", "emulator", "mockup", "check", str(asked)], capture_output=True, text=True, timeout=60
    )
    assert (got.returncode, got.stdout) == (2, "")
    assert got.stderr.startswith("jobfish: ")
    assert says in got.stderr
    assert len(got.stderr.splitlines()) == 1


def test_an_archive_is_checked_too(tmp_path: Path) -> None:
    written(tmp_path / "lab", documents(dangling=1))
    with tarfile.open(tmp_path / "lab.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "lab", "lab")
    assert "a collection lists what is not there" in check(str(tmp_path / "lab.tar.xz"))[1]


def test_a_strangers_tree_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    found = documents()
    found["/Chassis/1"] = {**found["/Chassis/1"], "\x1b[2J": {"@odata.id": "\x1b]0;x\x07"}}  # type: ignore[dict-item]
    for options in ((), ("--all",)):
        text = check(written(tmp_path, found), *options)[1]
        assert "left out" in text
        assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_nothing_on_disk_is_changed(tmp_path: Path) -> None:
    place = written(tmp_path, documents(dangling=3))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}
    check(place)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_every_kind_of_finding_can_be_shown() -> None:
    findings = [{"kind": kind, "uri": f"{SENSORS}/x", "what": "something", "fix": None} for kind in KINDS]
    facts = {"mockup": "x", "dialect": "dell", "resources": 1, "lives": {}, "passive": {}, "findings": findings}
    text = Report(everything=False, width=80).of(facts)
    assert all(meaning in text for meaning in KINDS.values())


def test_serve_says_how_many_repairs_were_made_and_how_to_see_them(serve, tmp_path: Path) -> None:
    place = written(tmp_path / "lab", documents(dangling=3) | LEFT)
    process = serve("--state", "memory", "--http", "--mockup", place)
    assert f"  repairs   3, 1 left as it is: jobfish mockup check {place} lists them\n" in process.banner
    assert "repairs" not in serve("--state", "memory", "--http").banner
