"""`sbfs export`, `sbfs import`, `sbfs bundle verify`."""

from __future__ import annotations

import re
from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, Group, exports_folder, pass_app, printable

WORDS = ["mail", "conversations", "reflections", "quality", "graph", "docs", "config", "groups", "templates"]
_SHOWN = 40


def _words(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Words that may be joined by commas."""
    return tuple(word for text in given for word in text.split(",") if word)


@click.command("export", cls=Command)
@click.argument("projects", metavar="[PROJECT]...", nargs=-1)
@click.option("--all", is_flag=True, help="All of the store.")
@click.option("--include", multiple=True, callback=_words, metavar="WORD,…", help=f"Only this: {', '.join(WORDS)}.")
@click.option("--exclude", multiple=True, callback=_words, metavar="WORD,…", help="All but this.")
@click.option(
    "--since", metavar="REV|FILE", default="", help="Only what is new since a revision, or an earlier export."
)
@click.option("--format", type=options.Word(["bundle", "zip"]), default="bundle", show_default=True,
              help="A Git bundle, or a zip for people.")  # fmt: skip
@click.option("--snapshot", is_flag=True, help="A bundle without the history: the same store gives the same bytes.")
@click.option("--as-template", is_flag=True,
              help="Only configurations and the store's templates, without history, to begin with.")  # fmt: skip
@click.option("--output", "-o", metavar="FILE", help="Write it there; without it, into your data folder.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@pass_app
def export_command(app: App, output: str | None, force: bool, **given: Any) -> None:
    """Write projects, or all of the store, into one file that other stores import.

    PROJECT: names, @group, or the id of one conversation. A bundle is one of Git: `git clone FILE` makes the files
    of it. Unsaved edits stay here. What looks like a secret is named; take it out with `sbfs redact`.
    """
    from pathlib import Path

    named = Path(output).expanduser() if output else exports_folder() / _name(given["projects"], given["format"])
    app.run("export", _exported, output=named, force=force or not output, **given)


def _name(projects: tuple[str, ...], format: str) -> str:
    text = "-".join(re.sub(r"[^A-Za-z0-9._-]+", "", name) for name in projects)[:80] or "store"
    return f"{text}.{format}"


def _exported(document: Document) -> None:
    what = "all of the store" if document["projects"] is None else ", ".join(document["projects"]) or "templates"
    since = f", new since {document['since'][:10]}" if document["since"] else ""
    output.say(f"wrote {document['export_path']} ({document['size_bytes']:,} bytes)")
    count = f", {output.count(document['files'], 'file')}" if document["files"] is not None else ""
    output.say(f"  {what}{since}{count}, as of {output.moment(document['exported_at'])}")
    for one in document["secrets"][:_SHOWN]:
        output.warn(f"sbfs: {one['path']}:{one['line']}: holds what looks like a {one['type']}")
    if document["secrets"]:
        output.warn("the file holds all of that: take it out with 'sbfs redact', and export again")


@click.command("import", cls=Command)
@click.argument("path", metavar="FILE")
@click.option("--strategy", type=options.Word(["preview", "merge", "replace"]), default="preview", show_default=True,
              help="Show only; merge by meaning; or make the imported projects equal to the file.")  # fmt: skip
@click.option("--map", multiple=True, metavar="OLD=NEW", help="Give a project another name. May be repeated.")
@click.option("--on-conflict", multiple=True, metavar="[KIND=]CHOICE",
              help="What stands: both (the loser is kept), ours, theirs, newer, ask. May be repeated.")  # fmt: skip
@click.option("--only", multiple=True, callback=_words, metavar="WORD|PROJECT,…", help="Only this of it.")
@pass_app
def import_command(app: App, path: str, **given: Any) -> None:
    """Bring in a bundle or zip of a store, or what another system left.

    Without --strategy it shows what would happen, record by record, and changes nothing. Done, it is one commit, and
    `sbfs undo` takes it back. Also read: message folders and agent zips of AI Maestro, exports of Session Buddy,
    mbox files and Maildir folders.
    """
    from pathlib import Path

    choose = None if app.json else _ask
    app.run("import", _imported, path=Path(path).expanduser(), choose=choose, actor=app.actor, **given)


def _ask(item: Any) -> str:
    choices = click.Choice(["both", "ours", "theirs", "newer"])
    said: str = click.prompt(
        f"{item.path}: {printable(item.detail)}: what stands?", type=choices, default="both", err=True
    )
    return said


def _imported(document: Document) -> None:
    plan = document["import_plan"]
    rows = [
        (one["action"], one["kind"], one["id"], _place(one["path"]), one["detail"])
        for one in [*plan["conflicts"], *(plan["changes"] if document["merge_strategy"] == "preview" else ())]
    ]
    if rows:
        output.table(("action", "kind", "id", "in", "what"), rows[:_SHOWN])
        if len(rows) > _SHOWN:
            output.say(f"… and {len(rows) - _SHOWN} more: --json names all")
    for one in document["left_out"][:_SHOWN]:
        output.say(f"left out: {one['name']}: {one['why']}")
    if len(document["left_out"]) > _SHOWN:
        output.say(f"… and {len(document['left_out']) - _SHOWN} more left out")
    output.say(document["message"])
    if document["merge_strategy"] == "preview" and any(document["counts"].values()):
        output.say("do it with --strategy merge")


def _place(path: str) -> str:
    """Which project, or group, a path lies in."""
    top, _, rest = path.partition("/")
    return rest.partition("/")[0] if top in ("projects", "groups", "conflicts") else ""


@click.command("backup", cls=Command)
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--full", is_flag=True, help="Begin anew, with everything.")
@click.option("--keep", metavar="DAYS,WEEKS,MONTHS", default="7,5,12", show_default=True,
              help="Of how many the last backup stays; older ones go.")  # fmt: skip
@pass_app
def backup_command(app: App, folder: str | None, **given: Any) -> None:
    """Put what is new in the store since the last time into a folder, checked.

    DIR: of the backups; without it, one in your data folder. The first is a full one. Unsaved edits are not in it.
    """
    from pathlib import Path

    place = Path(folder).expanduser() if folder else exports_folder().with_name("sbfs-backups")
    app.run("backup", _backed_up, folder=place, **given)


def _backed_up(document: Document) -> None:
    made = document["made"]
    if made is None:
        output.say("nothing is new since the last backup")
    else:
        output.say(f"{'everything' if made['full'] else 'what is new'} is in {made['path']} ({made['size']:,} bytes)")
    for name in document["thinned"]:
        output.say(f"thinned: {name}")
    output.say(f"{output.count(document['kept'], 'backup')} in {document['folder']}")


@click.command("restore", cls=Command)
@click.argument("source", metavar="BACKUP")
@click.argument("folder", metavar="DIR")
@click.option("--at", metavar="TIME", help="As it was then: a date, or a span back, 7d.")
@pass_app
def restore_command(app: App, source: str, folder: str, at: str | None) -> None:
    """Make a store from backups, in a new or empty folder. BACKUP: their folder, or one of them. Each is checked."""
    from pathlib import Path

    from sbfs import bundles, times
    from sbfs.cli.base import lock_wait
    from sbfs.documents.bundles import restored
    from sbfs.store import Store

    root = Path(folder).expanduser().absolute()
    done = bundles.restore(Path(source).expanduser(), root, at=options.since(at, times.now(), "at"))
    Store.open(root, lock_wait=lock_wait()).close()
    app.answer({"success": True, **restored(done)}, _restored)


def _restored(document: Document) -> None:
    output.say(f"restored {document['store']} as of {output.moment(document['made'])} to {document['root']}")
    for name in document["used"]:
        output.say(f"  {name}")


@click.group(cls=Group, name="bundle")
def bundle_command() -> None:
    """Files that carry a part of a store."""


@bundle_command.command("verify", cls=Command)
@click.argument("path", metavar="FILE")
@pass_app
def verify_command(app: App, path: str) -> None:
    """Check a file's sums, format and safety, and say what is inside. It needs no store."""
    import tempfile
    from pathlib import Path

    from sbfs import bundles
    from sbfs.documents.bundles import verified

    with tempfile.TemporaryDirectory(prefix="sbfs-") as scratch:
        found = bundles.verify(Path(path).expanduser(), scratch=Path(scratch))
    app.answer({"success": True, **verified(found)}, _verified)


def _verified(document: Document) -> None:
    counts = ", ".join(f"{count} {kind}" for kind, count in document["counts"].items())
    output.facts(
        [
            ("File", f"{document['file']} ({document['format']}, {document['size']:,} bytes)"),
            ("Store", document["store"]),
            ("Commit", document["commit"]),
            ("Time", document["time"]),
            ("Projects", ", ".join(document["projects"])),
            ("Holds", counts),
            ("Builds on", ", ".join(document["needs"])),
        ]
    )
    for one in document["left_out"][:_SHOWN]:
        output.say(f"left out by an import: {one['name']}: {one['why']}")
    output.say(
        "all is well" if document["whole"] else "its sum is right; what is in it is checked where it is imported"
    )
