"""What `pip install` gives: the wheel carries schemas and mockups, and the command serves from it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile

import pytest
import requests
from conftest import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True, timeout=300)
    return next(folder.glob("jobfish-*.whl"))


def test_the_wheel_holds_every_schema_and_mockup(wheel):
    packed = set(zipfile.ZipFile(wheel).namelist())
    for name in ("schemas", "mockups"):
        for file in (REPOSITORY / name).rglob("*"):
            if file.is_file():
                assert f"emulator/_data/{file.relative_to(REPOSITORY).as_posix()}" in packed


def test_an_installed_wheel_serves(wheel, tmp_path):
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/pip", "install", "--quiet", str(wheel)], check=True, timeout=500)
    command = [folder / "bin/jobfish", "serve", "--port", "0", "--state", str(tmp_path / "state")]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=clean)
    try:
        url = next(found[1] for line in process.stdout if (found := re.search(r"serving +(https://[^/]+)", line)))
        system = f"{url}/redfish/v1/Systems/System.Embedded.1"
        assert requests.get(system, auth=("root", "calvin"), verify=False, timeout=10).json()["PowerState"] == "On"
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_the_demo_runs_to_its_end():
    ended = subprocess.run(
        [sys.executable, REPOSITORY / "examples/bios_job.py"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=REPOSITORY,
    )
    assert ended.returncode == 0, ended.stderr
    assert "CompletedWithErrors" in ended.stdout
    assert "The change to SriovGlobalEnable was not applied." in ended.stdout
