"""How a command refuses: what every command of `jobfish` has in common there."""

from __future__ import annotations

from typing import NoReturn

import click

WRONG_CALL = 2


def refuse(text: str, status: int = WRONG_CALL) -> NoReturn:
    """One line on stderr, and this exit status."""
    click.echo(f"jobfish: {text}", err=True)
    raise SystemExit(status)
