"""`sbfs conversation export`."""

from __future__ import annotations

from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, pass_app, printable


@click.command("export", cls=Command)
@click.argument("conversation_id", metavar="ID")
@click.option(
    "--format",
    "-f",
    type=options.Word(["md", "html", "json"]),
    default="md",
    show_default=True,
    help="Of the document.",
)
@click.option(
    "--thinking",
    type=options.Word(["leave", "fold", "include"]),
    default="fold",
    show_default=True,
    help="Leave out what the models thought, fold it, or include it.",
)
@click.option("--output", "-o", metavar="FILE", help="Write it there, for your eyes only; without it, it is printed.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@options.at
@pass_app
def export_command(app: App, output: str | None, force: bool, **given: Any) -> None:
    """Make a document of a conversation: Markdown, an HTML page that needs nothing else, or JSON.

    ID may be shortened to a unique beginning. The same conversation makes the same document.
    """
    from sbfs import verbs

    document = verbs.run("conversation.export", app.store, **given)
    if output in (None, "-"):
        app.answer(document, _print)
        return
    size = write(str(output), document["text"], force)
    told = {key: value for key, value in document.items() if key not in ("text", "name")}
    app.answer({**told, "path": str(output), "size": size}, _written)


def _print(document: Document) -> None:
    click.echo(document["text"], nl=False)


def _written(document: Document) -> None:
    output.say(f"wrote {document['path']} ({document['size']:,} bytes; only you may read it)")


def write(name: str, text: str, force: bool) -> int:
    """Write a file that nobody else may read. Returns its size in bytes."""
    from pathlib import Path

    from sbfs import files
    from sbfs.errors import AlreadyExists

    data, path = text.encode(), Path(name).expanduser()
    try:
        if force and path.is_file():
            files.write(path, data, mode=0o600)
        else:
            files.write_new({str(path): data}, mode=0o600)
    except FileExistsError:
        raise AlreadyExists("file", printable(name), hint="name another one, or replace it with --force") from None
    except OSError as error:
        raise files.failed(error, path) from error
    return len(data)
