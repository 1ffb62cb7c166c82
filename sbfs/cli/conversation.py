"""`sbfs conversation …`."""

from __future__ import annotations

import click

from sbfs.cli.base import Group
from sbfs.cli.statistics import stats_command


@click.group(cls=Group, name="conversation")
def conversation_command() -> None:
    """Talks with agents, as their transcripts kept them."""


conversation_command.add_command(stats_command)
