"""`sbfs graph view`."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, pass_app, printable


@click.command("view", cls=Command)
@click.argument("project", default="", metavar="[PROJECT]")
@click.option("--focus", default="", metavar="SYMBOL", help="Begin with what is around a symbol or file.")
@click.option("--depth", type=int, default=1, show_default=True, help="Steps around it, both ways.")
@click.option("--diff", default="", metavar="REV", help="Mark what changed since a revision, as `graph diff` takes it.")
@click.option(
    "--format",
    type=options.Word(["html", "svg", "png"]),
    default="html",
    show_default=True,
    help="A page, or a still picture of what is around --focus.",
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=80_000,
    show_default=True,
    help="Symbols in it at most, and three times as many edges.",
)
@click.option("--output", "-o", metavar="FILE", help="Where to write it; else PROJECT-graph.html in this folder.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@options.at
@pass_app
def view_command(app: App, output: str | None, force: bool, **given: Any) -> None:
    r"""Write the code graph as one page to look at, with search, filters, paths and what is around a symbol.

    The page opens from disk, without a network, and loads nothing from anywhere.

    \b
    sbfs graph view web -o web.html
    sbfs graph view web --focus Cart.total --depth 2
    sbfs graph view web --diff HEAD~1
    sbfs graph view web --focus Cart.total --format svg -o cart.svg
    """
    from sbfs import verbs
    from sbfs.cli.graph import here

    given["project"] = given["project"] or here(app)
    document = verbs.run("graph.view", app.store, **given)
    content = document.pop("content")
    data = base64.b64decode(content) if document["encoding"] == "base64" else content.encode()
    name = output or f"{document['project']}-graph.{document['format']}"
    _write(Path(name).expanduser(), data, force)
    app.answer({**document, "path": name, "size": len(data)}, _written)


def _written(document: Document) -> None:
    output.say(f"wrote {printable(document['path'])} ({document['size']:,} bytes)")
    if document["shown"] < document["symbols"]:
        output.say(f"showing {document['shown']:,} of {document['symbols']:,} symbols, those with the most edges")
    if document["edges"] < document["all_edges"]:
        output.say(f"showing {document['edges']:,} of {document['all_edges']:,} edges, the surest")


def _write(path: Path, data: bytes, force: bool) -> None:
    from sbfs import files
    from sbfs.errors import AlreadyExists

    try:
        if force and path.is_file():
            files.write(path, data)
        else:
            files.write_new({str(path): data})
    except FileExistsError:
        hint = "name another one, or replace it with --force"
        raise AlreadyExists("file", printable(str(path)), hint=hint) from None
    except OSError as error:
        raise files.failed(error, path) from error
