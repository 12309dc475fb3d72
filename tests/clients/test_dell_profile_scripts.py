"""Dell's own scripts for server configuration profiles, unmodified, each in a process of its own.

They belong to the distribution IdracRedfishSupport, which is not installed with the tests: whoever has them on the PATH
runs these too.
"""

from __future__ import annotations

import shutil

import pytest
from dell_script import DellScripts

NAMES = {
    "export": "ExportSystemConfigurationLocalREDFISH.py",
    "preview": "ImportSystemConfigurationPreviewLocalFilenameREDFISH.py",
    "import": "ImportSystemConfigurationLocalFilenameREDFISH.py",
}
SCRIPTS = {what: shutil.which(name) for what, name in NAMES.items()}
pytestmark = pytest.mark.skipif(None in SCRIPTS.values(), reason=f"{', '.join(NAMES.values())} are not on the PATH")


@pytest.fixture
def scripts(serve, tmp_path):
    """For a controller whose clock runs thirty times as fast."""
    return DellScripts(serve("--state", "memory", "--rate", "30"), tmp_path)


def exported(scripts, *arguments):
    """The file that the script writes."""
    said = scripts.run(SCRIPTS["export"], "--target", "RAID", *arguments)
    assert "saved" in said, said
    (written,) = scripts.folder.glob("*_export.*")
    return written


def test_a_controller_is_cloned_and_its_volumes_are_made_anew(scripts):
    profile = exported(scripts, "--export-use", "Clone", "--format-type", "XML")
    profile.write_text(profile.read_text().replace(">data<", ">bulk<"))
    said = scripts.run(SCRIPTS["preview"], "--filename", profile.name)
    assert "'DisplayValue': 'RAID.Integrated.1-1: RAIDresetConfig'" in said
    assert "'Status': 'Failure'" not in said
    how = ("--target", "ALL", "--shutdown-type", "Forced")
    said = scripts.run(SCRIPTS["import"], *how, "--filename", profile.name)
    assert "'Status': 'Failure'" not in said
    assert said.count("'Name': 'IncludedPhysicalDiskID'") == 6
    profile.unlink()
    assert '"bulk"' in exported(scripts, "--format-type", "JSON").read_text()
