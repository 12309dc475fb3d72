"""`jobfish image catalog`: a folder of packages becomes a repository."""

from __future__ import annotations

import gzip
import hashlib
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from images import damaged, package

from emulator.cli.main import main
from emulator.formats.catalog import Catalog, Package, Reader

BIOS = package("BIOS.Setup.1-1", "2.9.0", name="BIOS of a lab")
SUPPLY = package("112450", "00.2D.7D", needs_reboot=False)


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch) -> Path:
    """A folder with two packages, one of them deeper, and a file that is none."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "repo"
    (folder / "power").mkdir(parents=True)
    (folder / "bios.img").write_bytes(BIOS)
    (folder / "power" / "supply.img").write_bytes(SUPPLY)
    (folder / "readme.txt").write_text("hello")
    (folder / ".hidden").write_bytes(BIOS)
    return folder


def jobfish(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["image", "catalog", *arguments])


def read(path: str = "repo/Catalog.xml") -> Catalog:
    reader = Reader()
    reader.feed(Path(path).read_bytes())
    return reader.finish()


def entry(path: str, content: bytes, component: str, version: str, **more: object) -> Package:
    facts = {
        "path": path,
        "version": version,
        "components": (component,),
        "name": component,
        "type": "FRMW",
        "package_type": "LW64",
        "criticality": "1",
        "needs_reboot": True,
        "size": len(content),
        "digests": {"sha256": hashlib.sha256(content).hexdigest(), "md5": hashlib.md5(content).hexdigest()},
    }
    return Package(**{**facts, **more})


def test_the_catalogue_says_of_each_package_what_the_package_says():
    result = jobfish("repo")
    assert (result.exit_code, result.stderr) == (0, "")
    assert read() == Catalog(
        (
            entry("bios.img", BIOS, "BIOS.Setup.1-1", "2.9.0", name="BIOS of a lab", type="BIOS"),
            entry("power/supply.img", SUPPLY, "112450", "00.2D.7D", needs_reboot=False),
        ),
        version="1",
    )


def test_what_is_printed_can_be_used_as_it_is():
    lines = jobfish("repo").stdout.splitlines()
    assert lines[0] == "repo/Catalog.xml  2 packages"
    assert "  repo/readme.txt  left out: not a jobfish package" in lines
    serve, install = shlex.split(lines[-2]), shlex.split(lines[-1])
    assert serve[1:] == ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "repo", "8000"]
    body = json.loads(install[install.index("-d") + 1])
    assert (body["IPAddress"], body["CatalogFile"], body["ShareType"]) == ("127.0.0.1:8000", "Catalog.xml", "HTTP")
    assert install[-1].endswith("/Actions/DellSoftwareInstallationService.InstallFromRepository")


def test_it_can_be_compressed_elsewhere_and_for_certain_systems():
    assert jobfish("repo", "--output", "C.xml.gz", "--base-location", "h/x", "--system", "0ab1").exit_code == 0
    assert Path("repo/C.xml.gz").read_bytes().startswith(b"\x1f\x8b")
    found = read("repo/C.xml.gz")
    assert (found.base_location, {package.systems for package in found.packages}) == ("h/x", {("0AB1",)})


@pytest.mark.parametrize("name", ["Catalog.xml", "Catalog.xml.gz"])
def test_the_same_folder_gives_the_same_bytes(name):
    jobfish("repo", "--output", name)
    first = Path("repo", name).read_bytes()
    assert jobfish("repo", "--output", name, "--force").exit_code == 0
    assert Path("repo", name).read_bytes() == first


def test_an_empty_folder_has_an_empty_catalogue():
    Path("empty").mkdir()
    assert jobfish("empty").stdout.startswith("empty/Catalog.xml  0 packages\n")
    assert read("empty/Catalog.xml").packages == ()


REFUSED = [
    # arguments, what is said, status
    (["nope"], "nope: not a folder", 2),
    (["repo/bios.img"], "repo/bios.img: not a folder", 2),
    (["repo", "--output", "readme.txt"], "repo/readme.txt: there already; --force replaces it", 2),
    (["repo", "--output", "power"], "repo/power: not a file that could be replaced", 2),
    (["repo", "--output", "nope/C.xml"], "No such file or directory", 2),
    (["bad"], "bad/b.img: ", 1),
]


@pytest.mark.parametrize(("arguments", "said", "status"), REFUSED)
def test_what_cannot_be_done_is_refused_and_writes_nothing(arguments, said, status):
    Path("bad").mkdir()
    Path("bad/b.img").write_bytes(damaged(BIOS))
    before = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    result = jobfish(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (status, "", 1)
    assert said in result.stderr
    assert {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")} == before


def test_a_compressed_catalogue_is_that_catalogue():
    jobfish("repo")
    jobfish("repo", "--output", "Catalog.xml.gz")
    assert gzip.decompress(Path("repo/Catalog.xml.gz").read_bytes()) == Path("repo/Catalog.xml").read_bytes()
