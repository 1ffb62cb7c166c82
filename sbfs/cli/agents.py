"""`sbfs mcp`."""

from __future__ import annotations

import sys

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, exports_folder, find_store, lock_wait, pass_app


@click.command("mcp", cls=Command)
@click.option("--project", default="", metavar="NAME", help="Who the agent is: it can write as this project only.")
@click.option("--read-only", is_flag=True, help="Serve only the tools that change nothing.")
@click.option(
    "--tools", metavar="GROUPS", help="Only these: mail, memory, search, conversations, code, docs, store; by commas."
)
@click.option(
    "--print-config",
    "program",
    type=options.Word(["claude-code", "claude-desktop", "cursor", "vscode", "codex", "gemini"]),
    help="Print what to paste there, and end.",
)
@pass_app
def mcp_command(app: App, project: str, read_only: bool, tools: str | None, program: str | None) -> None:
    r"""Serve the store to an agent over MCP, on standard input and output.

    \b
    sbfs mcp --project api --print-config claude-code
    """
    groups = tuple(filter(None, (tools or "").split(",")))
    if program:
        _print_config(app, program, project, read_only, groups)
        return
    from sbfs import mcp

    mcp.serve(
        find_store(app.root),
        lock_wait=lock_wait(),
        project=project,
        read_only=read_only,
        groups=groups,
        exports=exports_folder(),
    )


def _print_config(app: App, program: str, project: str, read_only: bool, groups: tuple[str, ...]) -> None:
    import shutil

    from sbfs import projects
    from sbfs.errors import Invalid
    from sbfs.mcp import printing

    if program not in printing.PROGRAMS:
        hint = f"there are {', '.join(printing.PROGRAMS)}"
        raise Invalid(f"nothing is known of {program!r}", field="print-config", hint=hint)
    name = projects.resolve(app.store.view(), project).name if project else ""
    start = [shutil.which("sbfs") or sys.executable, *([] if shutil.which("sbfs") else ["-m", "sbfs"])]
    command = [*start, "--store", str(app.store.root.resolve()), "mcp", *(["--project", name] if name else [])]
    command += [*(["--read-only"] if read_only else []), *(["--tools", ",".join(groups)] if groups else [])]
    place, text = printing.entry(program, command)
    document: Document = {"success": True, "program": program, "place": place, "text": text, "command": command}

    def show(document: Document) -> None:
        output.warn(f"for {document['place']}:")
        click.echo(document["text"])

    app.answer(document, show)
