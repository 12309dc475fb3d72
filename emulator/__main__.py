"""`python -m emulator` is `jobfish`."""

from emulator.cli.main import main

main(prog_name="jobfish")
