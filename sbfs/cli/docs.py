"""`sbfs docs …`: index what code and prose document, find in it, show it, and see what is missing."""

from __future__ import annotations

import os
from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app
from sbfs.cli.graph import _Progress as Progress
from sbfs.cli.graph import _stand as stand
from sbfs.cli.graph import here
from sbfs.cli.search import options_of_search, run_search

TYPE = options.Word(["module", "class", "function", "method", "attribute", "section", "readme", "changelog", "adr"])

project = click.option("--project", default="", metavar="PROJECT", help="Whose documentation is asked.")


@click.group(cls=Group, name="docs")
def docs_command() -> None:
    """What projects document: their code of itself, and their prose by section.

    Without --project, the project whose source holds the working directory, else the only one with a code graph.
    """


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


@docs_command.command("index", cls=Command)
@click.argument("project", default="", metavar="[PROJECT]")
@click.option("--path", default="", metavar="DIR", help="The folder of the source, where it is not the project's own.")
@click.option("--pattern", multiple=True, metavar="GLOB", help="Only files that fit, by path or name; may be repeated.")
@pass_app
def index_command(app: App, **given: Any) -> None:
    r"""Read what PROJECT's source and prose document, together with its code graph; only what changed is read.

    From then on 'sbfs graph index' keeps both up to date, of the same files.

    \b
    sbfs docs index web --path ~/src/web
    sbfs docs index web --pattern '*.py' --pattern 'docs/*'
    """
    if given["path"]:
        given["path"] = _absolute(given["path"])
    elif not given["project"]:
        given["path"] = os.getcwd()
    with Progress(app) as progress:
        app.run("docs.index", _indexed, progress=progress, actor=app.actor, **given)


def _indexed(document: Document) -> None:
    if document["created"]:
        output.say(f"added the project {document['project']}: {document['root']}")
    output.say(document["message"] + (" (unchanged)" if document["unchanged"] else ""))
    said = [
        f"{count} {name.removesuffix('_documented').replace('_', ' ')}"
        for name, count in document["stats"].items()
        if name.endswith("_documented") and name != "files_documented" and count
    ]
    if said:
        output.say(", ".join(said))


@docs_command.command("list", cls=Command)
@click.option("--type", type=TYPE, default="", help="Only of one type.")
@click.option("--file", default="", metavar="FILE", help="Only of a file, or of files by a pattern: 'api/*'.")
@project
@options.at
@options.paging
@pass_app
def list_command(app: App, **given: Any) -> None:
    """List what is documented, by file and line."""
    given["project"] = given["project"] or here(app)

    def show(document: Document) -> None:
        rows = [
            (one["type"], one["name"], f"{one['file']}:{one['line']}", one["summary"][:80])
            for one in document["documented"]
        ]
        output.listing(("type", "name", "place", "summary"), rows, document, "documented", "nothing is documented")

    app.run("docs.list", show, **given)


@docs_command.command("search", cls=Command)
@options_of_search(kind=False)
@pass_app
def search_command(app: App, **given: Any) -> None:
    """Find documentation by what it says. Takes what `sbfs search` takes; --type is module, class, section …"""
    run_search(app, "docs.search", **given)


@docs_command.command("show", cls=Command)
@click.argument("symbol")
@project
@options.at
@pass_app
def show_command(app: App, **given: Any) -> None:
    """Show what is said of SYMBOL, a file, or a section by its title: its parts, where it stands, who calls it."""
    given["project"] = given["project"] or here(app)
    with Progress(app) as progress:
        app.run("docs.show", _shown, progress=progress, **given)


def _shown(document: Document) -> None:
    output.say(f"{document['type']} {document['name']} ({document['file']}:{document['line']})")
    for signature in document["signatures"]:
        output.say(f"  {signature}")
    parsed = document["parsed"]
    if not document["documented"]:
        output.say("says nothing of itself")
    for text in (parsed.get("summary"), parsed.get("description")):
        if text:
            output.say("")
            output.say(text)
    for heading in ("parameters", "attributes", "returns", "raises"):
        if told := parsed.get(heading):
            output.say("")
            output.table((heading, "type", "says"), [(one["name"], one["type"], one["text"]) for one in told])
    for name, text in parsed.get("notes", ()):
        output.say("")
        output.say(f"{name}: {text}")
    if document["callers"]:
        output.say("")
        rows = [(one["function"], f"{one['file']}:{one['line']}") for one in document["callers"]]
        output.table(("caller", "place"), rows)
        if (more := document["callers_count"] - len(document["callers"])) > 0:
            output.say(f"{more} more: sbfs graph callers '{document['id']}'")
    stand(document)


@docs_command.command("coverage", cls=Command)
@click.option("--file", default="", metavar="FILE", help="Only of a file, or of files by a pattern: 'api/*'.")
@project
@options.at
@pass_app
def coverage_command(app: App, **given: Any) -> None:
    """Show what is public and undocumented, and parameters that no longer fit the signature."""
    given["project"] = given["project"] or here(app)
    app.run("docs.coverage", _covered, **given)


def _covered(document: Document) -> None:
    rows = [
        (f"{one['documented']} of {one['public']}", one["file"], ", ".join(each["name"] for each in one["missing"][:8]))
        for one in document["modules"]
        if one["missing"]
    ]
    if rows:
        output.table(("documented", "file", "missing"), rows)
    for one in document["mismatches"]:
        said = [f"tells of {', '.join(one['unknown'])}"] * bool(one["unknown"])
        said += [f"leaves out {', '.join(one['untold'])}"] * bool(one["untold"])
        output.say(f"{one['file']}:{one['line']}: {one['name']} {' and '.join(said)}")
    count = f"{document['documented']} of {document['public']} public names"
    output.say(f"{count} are documented ({document['percent']:g}%)")


@docs_command.command("export", cls=Command)
@click.option("--output", "-o", required=True, metavar="DIR", help="The folder to write.")
@click.option("--format", type=options.Word(["html", "md"]), default="html", show_default=True, help="Of the pages.")
@click.option("--force", is_flag=True, help="Write into a folder that holds something.")
@project
@options.at
@pass_app
def export_command(app: App, **given: Any) -> None:
    """Write documentation as a folder of pages that open from disk."""
    given["project"] = given["project"] or here(app)
    given["output"] = _absolute(given["output"])

    def show(document: Document) -> None:
        output.say(f"wrote {document['pages']} pages: {document['folder']}/{document['entry']}")

    app.run("docs.export", show, **given)
