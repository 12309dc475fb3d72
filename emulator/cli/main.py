"""`jobfish`: the commands. Each is a file of its own; this one lists them."""

from __future__ import annotations

import click

from emulator import __version__
from emulator.cli.catalog import catalog
from emulator.cli.image import image
from emulator.cli.mockup import mockup
from emulator.cli.serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jobfish")
def main() -> None:
    """A management controller you can run on a laptop, whose jobs really move."""


main.add_command(serve)
main.add_command(image)
main.add_command(mockup)
image.add_command(catalog)
