"""`sbfs mcp`."""

from __future__ import annotations

import click

from sbfs.cli.base import App, Command, exports_folder, find_store, lock_wait, pass_app


@click.command("mcp", cls=Command)
@pass_app
def mcp_command(app: App) -> None:
    r"""Serve the store to an agent over MCP, on standard input and output.

    \b
    In the agent's configuration: {"command": "sbfs", "args": ["--store", "DIR", "mcp"]}
    """
    from sbfs import mcp

    mcp.serve(find_store(app.root), lock_wait=lock_wait(), exports=exports_folder())
