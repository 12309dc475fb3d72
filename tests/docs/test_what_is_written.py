"""What the documents say is what the code does."""

from __future__ import annotations

import importlib.util
import re

from conftest import REPOSITORY


def _diagrams():
    spec = importlib.util.spec_from_file_location("diagrams", REPOSITORY / "docs" / "diagrams.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_diagrams_are_those_of_the_tables():
    diagrams = _diagrams()
    text = diagrams.DOCUMENT.read_text()
    assert diagrams.drawn(text) == text, "run python docs/diagrams.py"
    for diagram in diagrams.DIAGRAMS.values():
        assert diagram in text


def test_every_file_that_the_documents_name_exists():
    for name in ("README.md", "CONTRIBUTING.md", *(f"docs/{page.name}" for page in (REPOSITORY / "docs").glob("*.md"))):
        text = (REPOSITORY / name).read_text()
        for path in re.findall(r"\]\((?!http)([^)#]+)\)", text):
            assert ((REPOSITORY / name).parent / path).exists(), f"{name}: {path}"


def test_every_module_has_its_room_in_the_architecture():
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    for path in (REPOSITORY / "emulator").glob("*/*.py"):
        if path.stem != "__init__" and path.parent.name not in ("cli", "kinds", "views"):
            assert path.name in text, path


def test_every_make_target_that_the_readme_names_exists():
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"(?:`|\$ )make ([a-z-]+)", (REPOSITORY / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_version_is_in_the_changelog():
    from emulator import __version__

    assert f"## {__version__}" in (REPOSITORY / "CHANGELOG.md").read_text()


def test_every_kind_of_finding_in_a_mockup_is_explained():
    from emulator.mockup.finding import KINDS

    rows = re.findall(r"^\| `([a-z-]+)` \|", (REPOSITORY / "docs" / "mockups.md").read_text(), re.MULTILINE)
    assert rows == list(KINDS)
