"""`sbfs tour`."""

from __future__ import annotations

import click

from sbfs.cli.base import App, Command, pass_app


@click.command("tour", cls=Command)
@click.argument("folder", metavar="[DIR]", required=False)
@pass_app
def tour_command(app: App, folder: str | None) -> None:
    """Build a store in a fresh folder and show what sbfs does. Without DIR: in a temporary one.

    Every command is printed before it runs, with its real output, so that you can go on by hand.
    """
    from sbfs import tour

    raise click.exceptions.Exit(tour.run(folder, quiet=app.quiet))
