"""`sbfs reflection …`."""

from __future__ import annotations

from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app
from sbfs.cli.search import options_of_search, run_search

TYPE = options.Word(["insight", "decision", "lesson"])


@click.group(cls=Group, name="reflection")
def reflection_command() -> None:
    """What was learnt, with where it came from. Lists are newest first; an id may be shortened."""


def _told(verb: str) -> Any:
    return lambda document: output.say(f"{verb} {document['reflection']['id']}")


@reflection_command.command("add", cls=Command)
@click.argument("project")
@click.option("--title", required=True, help="What was learnt, in a line.")
@options.text
@click.option("--type", type=TYPE, default="insight", show_default=True)
@click.option("--tag", "tags", multiple=True, help="May be repeated.")
@click.option("--conversation", default="", metavar="ID", help="Where it was learnt.")
@click.option("--turn", default="", metavar="ID", help="The turn of the conversation.")
@click.option("--link", "links", multiple=True, metavar="ID|URL", help="What it is about; may be repeated.")
@click.option("--author", default="", help="Who learnt it.")
@pass_app
def add_command(app: App, text: str | None, text_file: str | None, **given: Any) -> None:
    r"""Keep what PROJECT learnt: an insight, a decision or a lesson.

    \b
    sbfs reflection add api --type lesson --title "Migrations lock the table" --text "Run them at night."
    """
    told = options.read_body(text, text_file, name="text")
    app.run("reflection.add", _told("kept"), text=told, actor=app.actor, **given)


@reflection_command.command("list", cls=Command)
@click.option("--project", default="", help="Only of one project; else of all.")
@click.option("--type", type=TYPE, help="Only of this type.")
@click.option("--tag", default="", help="Only with this tag.")
@click.option("--conversation", default="", metavar="ID", help="Only what was learnt in it.")
@options.span
@options.at
@options.paging
@pass_app
def list_command(app: App, since: str | None, until: str | None, **given: Any) -> None:
    """List reflections, newest first."""

    def show(document: Document) -> None:
        rows = [
            (
                one["id"],
                output.moment(one["created"]),
                one["project"],
                one["type"],
                ", ".join(one.get("tags", ())),
                one["title"],
            )
            for one in document["reflections"]
        ]
        headings = ("id", "created (UTC)", "project", "type", "tags", "title")
        empty = "no reflections; keep one: sbfs reflection add PROJECT --title T"
        output.listing(headings, rows, document, "reflections", empty)

    app.run("reflection.list", show, **options.moments(since, until, app.store.clock()), **given)


def _shown(document: Document) -> None:
    one = document["reflection"]
    origin = one.get("provenance", {})
    turn = f", turn {origin['turn']}" if "turn" in origin else ""
    output.facts(
        [
            ("Project", one["project"]),
            ("Type", one["type"]),
            ("Title", one["title"]),
            ("Tags", ", ".join(one.get("tags", ()))),
            ("From", origin["conversation"] + turn if "conversation" in origin else ""),
            ("Links", ", ".join(one.get("links", ()))),
            ("Author", one.get("author")),
            ("Created", one["created"]),
            ("Updated", one["updated"]),
            ("Id", one["id"]),
            ("File", document["path"]),
        ]
    )
    output.tell_edited(document)
    if text := one.get("text", "").rstrip("\n"):
        output.say(f"\n{text}")


@reflection_command.command("show", cls=Command)
@click.argument("reflection_id", metavar="ID")
@options.at
@pass_app
def show_command(app: App, **given: Any) -> None:
    """Show a reflection."""
    app.run("reflection.show", _shown, **given)


@reflection_command.command("edit", cls=Command)
@click.argument("reflection_id", metavar="ID")
@click.option("--title", help="What was learnt, in a line.")
@options.text
@click.option("--type", type=TYPE)
@click.option("--add-tag", "add_tags", multiple=True, help="May be repeated.")
@click.option("--remove-tag", "remove_tags", multiple=True, help="May be repeated.")
@click.option("--conversation", metavar="ID", help="Where it was learnt.")
@click.option("--turn", metavar="ID", help="The turn of the conversation.")
@click.option("--add-link", "add_links", multiple=True, metavar="ID|URL", help="May be repeated.")
@click.option("--remove-link", "remove_links", multiple=True, metavar="ID|URL", help="May be repeated.")
@click.option("--author", help="Who learnt it.")
@pass_app
def edit_command(app: App, text: str | None, text_file: str | None, **given: Any) -> None:
    """Change a reflection; an empty text empties a field."""
    told = options.read_body(text, text_file, required=False, name="text")
    app.run("reflection.edit", _told("changed"), text=told, actor=app.actor, **given)


@reflection_command.command("remove", cls=Command)
@click.argument("reflection_id", metavar="ID")
@pass_app
def remove_command(app: App, **given: Any) -> None:
    """Remove a reflection. `sbfs undo` brings it back."""
    app.run("reflection.remove", lambda one: output.say(f"removed {one['reflection_id']}"), actor=app.actor, **given)


@reflection_command.command("search", cls=Command)
@options_of_search(kind=False)
@pass_app
def search_command(app: App, **given: Any) -> None:
    """Find what was learnt by what it says. Takes what `sbfs search` takes."""
    run_search(app, "reflection.search", **given)
