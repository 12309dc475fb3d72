"""`jobfish mockup`: look into resource trees before they are served."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from emulator.cli.refusal import refuse

if TYPE_CHECKING:
    from emulator.mockup.site import Site

FOUND_SOMETHING = 1
"""The exit status of `check --strict` for a tree in which something is broken."""


@click.group()
def mockup() -> None:
    """Look into mockups."""


@mockup.command()
@click.argument("place", metavar="PATH|NAME")
@click.option("--all", "everything", is_flag=True, help="List each device and each finding, however many there are.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, for programs.")
@click.option("--strict", is_flag=True, help="Exit with status 1 if anything is broken.")
def check(place: str, everything: bool, as_json: bool, strict: bool) -> None:
    """Say what of a mockup lives, what is served as it is, and what is broken and how it is mended.

    It is a bundled mockup, or a folder, .zip or .tar.*, as for `jobfish serve --mockup`. Nothing is changed on disk.
    The exit status is 0 when it can be served and 2 when it cannot.
    """
    from emulator.app import find_mockup, find_site  # noqa: PLC0415 - keeps --help quick
    from emulator.mockup.reader import MockupError, read_tree  # noqa: PLC0415

    try:
        manifest, site = find_site(read_tree(find_mockup(place)))
    except MockupError as error:
        refuse(str(error))
    facts = _facts(manifest.model, site)
    if as_json:
        import orjson  # noqa: PLC0415

        click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    else:
        from emulator.cli.findings import Report  # noqa: PLC0415

        click.echo(Report(everything=everything).of(facts))
    if strict and facts["findings"]:
        raise SystemExit(FOUND_SOMETHING)


def _facts(model: str, site: Site) -> dict[str, Any]:
    """What `--json` prints: the kinds in the order in which people are shown them, schemas by how many there are."""
    from emulator.app import passive_uris  # noqa: PLC0415
    from emulator.mockup.documents import schema_of  # noqa: PLC0415
    from emulator.mockup.finding import KINDS  # noqa: PLC0415
    from emulator.mockup.living import living  # noqa: PLC0415

    schemas: dict[str, int] = {}
    for uri in passive_uris(site):
        schema = schema_of(site.tree.documents[uri])
        schemas[schema] = schemas.get(schema, 0) + 1
    order = list(KINDS)
    findings = sorted(site.tree.findings, key=lambda finding: order.index(finding.kind))
    return {
        "mockup": model,
        "source": site.tree.source,
        "dialect": site.dialect,
        "resources": len(site.tree.documents),
        "lives": {kind: [asdict(entry) for entry in entries] for kind, entries in living(site).items()},
        "passive": dict(sorted(schemas.items(), key=lambda entry: (-entry[1], entry[0]))),
        "findings": [asdict(finding) for finding in findings],
    }
