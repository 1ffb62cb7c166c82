"""`sbfs init`, `status`, `save`, `log`, `undo`, `check`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from sbfs.cli import filling, options, output
from sbfs.cli.base import App, Command, Document, lock_wait, pass_app


@click.command("init", cls=Command)
@click.argument("folder", metavar="[DIR]", required=False)
@filling.template
@pass_app
def init_command(
    app: App, folder: str | None, template: str | None, values: tuple[str, ...], templates: str | None
) -> None:
    """Make a store in a new or empty folder. Without DIR: --store, $SBFS_STORE, or here."""
    from sbfs import verbs
    from sbfs.store import Store

    root = Path(folder or app.root or os.environ.get("SBFS_STORE") or ".").expanduser().absolute()
    existed = (root / ".git").exists()
    filled = None
    if template is None:
        filling.refuse_values(values, templates)
    else:
        from sbfs import furnishing

        filled = filling.filled(None, template, values, templates, ("store",), {})
        furnishing.furniture(filled)  # Nothing is made of what cannot be made whole.
    with Store.init(root, lock_wait=lock_wait()) as store:
        if filled is not None:
            from sbfs.git.identity import user

            furnishing.furnish(store, filled=filled, actor=user(store.repo, os.environ))
        document = {**verbs.run("status", store), "created": not existed}

    def show(document: Document) -> None:
        what = "made a store in" if document["created"] else "there is a store already in"
        output.say(f"{what} {document['store']}")
        if not document["projects"]:
            output.say("next: sbfs project add NAME")

    app.answer(document, show)


def _first(things: list[Any]) -> Iterator[Any]:
    """What is shown of a long list, and a word on the rest."""
    yield from things[:_SHOWN]
    if len(things) > _SHOWN:
        output.say(f"  … and {len(things) - _SHOWN} more")


_MARKS = {"added": "+", "changed": "~", "deleted": "-"}


_SHOWN = 20
"""Edits of which people are shown a line each; `--json` names all."""


def _edit_lines(edits: list[Document]) -> None:
    for edit in _first(edits):
        kind = {"other": "(none of the store's; left alone)", "": "(file)"}.get(edit["kind"], edit["kind"])
        output.say(f"  {_MARKS[edit['state']]} {edit['path']}  {kind}")
        if not edit["valid"]:
            line = f"line {edit['line']}: " if edit["line"] else ""
            output.say(f"      invalid: {line}{edit['error']}" + (f" ({edit['hint']})" if edit["hint"] else ""))


@click.command("status", cls=Command)
@click.option("--check", is_flag=True, help="Leave with status 4 where an unsaved edit is invalid or holds a secret.")
@pass_app
def status_command(app: App, check: bool) -> None:
    """Show the store and people's unsaved edits. Of each: what changed, and whether it is valid."""
    from sbfs import verbs

    document = verbs.run("status", app.store)

    def show(document: Document) -> None:
        output.facts(
            [
                ("Store", document["store"]),
                ("Branch", document["branch"] or "none is checked out"),
                ("Last", f"{document['revision'][:10]} {document['subject']}"),
                ("Projects", str(document["projects"])),
                ("Under way", document["doing"]),
            ]
        )
        if document["edits"]:
            output.say(f"{output.count(document['edits'], 'unsaved edit')}; 'sbfs save' makes the valid ones count:")
            _edit_lines(document["edits"])
        else:
            output.say("No unsaved edits.")

    app.answer(document, show)
    if check and (_tell_secrets(app) or not all(edit["valid"] for edit in document["edits"])):
        raise click.exceptions.Exit(4)


def _tell_secrets(app: App) -> bool:
    """Name the secrets in unsaved edits; whether there are any."""
    from sbfs import worktree

    found = list(worktree.secrets(app.store))
    for one in found:
        click.echo(f"sbfs: {one.path}:{one.line}: holds what looks like a {one.type}", err=True)
    return bool(found)


@click.command("save", cls=Command)
@click.argument("paths", nargs=-1)
@click.option("--note", "-m", default="", help="The history's line for it.")
@pass_app
def save_command(app: App, **given: Any) -> None:
    """Check and commit edits made by hand; send mail written by hand.

    PATHS: only these files or folders. Invalid files stay as they are and are named; then the
    command leaves with status 4.
    """
    from sbfs import verbs

    given["paths"] = tuple(_below_root(app, path) for path in given["paths"])
    document = verbs.run("save", app.store, actor=app.actor, **given)

    def show(document: Document) -> None:
        _edit_lines(document["saved"])
        for id in _first(document["delivered"]):
            output.say(f"  sent {id}")
        output.say(f"saved {output.count(document['saved'], 'edit')}" if document["saved"] else "nothing to save")
        if document["invalid"]:
            output.say(f"left as they are, invalid: {len(document['invalid'])}")
            _edit_lines(document["invalid"])
        for path in _first(document["others"]):
            output.say(f"  ? {path}  (none of the store's; left alone)")

    try:
        app.answer(document, show)
    except click.exceptions.Exit:
        raise click.exceptions.Exit(4) from None


def _below_root(app: App, path: str) -> str:
    """A path as people name it (from here, or below the store) as one below the store."""
    here = Path(path).absolute()
    try:
        return here.relative_to(app.store.root.absolute()).as_posix() if here.exists() else path
    except ValueError:
        return path


@click.command("log", cls=Command)
@click.argument("record", metavar="[WHAT]", default="")
@options.at
@options.paging
@pass_app
def log_command(app: App, **given: Any) -> None:
    """Show what happened, newest first. WHAT: only what touched a path, a record's id or a project."""

    def show(document: Document) -> None:
        rows = [
            (one["revision"][:10], output.moment(one["time"]), one["actor"], one["subject"])
            for one in document["operations"]
        ]
        if rows:
            output.table(("revision", "when (UTC)", "who", "what"), rows)
        if document["next"]:
            output.say(f"more: --cursor {document['next']}")

    app.run("log", show, **given)


@click.command("undo", cls=Command)
@click.argument("revision", required=False)
@pass_app
def undo_command(app: App, **given: Any) -> None:
    """Take back the last operation, or a given one. It is done by a new commit.

    Repeated, it goes further back. Undoing an undo by its revision does the operation again.
    """
    app.run("undo", lambda one: output.say(f"took back: {one['undone']['subject']}"), actor=app.actor, **given)


@click.command("check", cls=Command)
@click.option("--fix", is_flag=True, help="Mend what can be mended without losing anything.")
@pass_app
def check_command(app: App, fix: bool) -> None:
    """Look the store over; with --fix, mend it.

    It looks at records, copies, attachments, locks, Git's index and objects.

    Leaves with status 1 where findings are left.
    """

    def show(document: Document) -> None:
        for one in document["findings"]:
            place = f"{one['path']}:{one['line']}" if one["line"] else one["path"]
            output.say(f"{'mended' if one['fixed'] else one['code']}: {place + ': ' if place else ''}{one['what']}")
            if one["remedy"] and not one["fixed"]:
                output.say(f"    {one['remedy']}")
        left = document["left"]
        output.say(
            f"{output.count(document['records'], 'record')} read; "
            + (f"{output.count(left, 'finding')} left" if left else "all is well")
        )

    app.run("check", show, fix=fix, progress=_progress(app))


def _progress(app: App) -> Any:
    if not sys.stderr.isatty() or app.quiet or app.json:
        return lambda _: None

    def tell(records: int) -> None:
        if records % 500 == 0:
            click.echo(f"\r{records} records read", nl=False, err=True)

    return tell


@click.command("redact", cls=Command)
@click.argument("pattern")
@click.option("--regex", is_flag=True, help="PATTERN is a regular expression (RE2), not the text itself.")
@click.option("--type", metavar="WORD", default="secret", show_default=True, help="What the placeholder says.")
@click.option("--dry-run", is_flag=True, help="Only say where it is.")
@pass_app
def redact_command(app: App, pattern: str, dry_run: bool, **given: Any) -> None:
    """Take a secret that slipped through out of every current record. Text attachments are cleaned too, and sent mail.

    PATTERN is the secret itself; - reads it from standard input, so that it stays out of the shell's
    history. What Git's history, other clones and remotes hold is not changed: docs/redaction.md says
    how to rewrite it. A secret that was shared must be replaced by a new one in any case.
    """
    if pattern == "-":
        pattern = sys.stdin.buffer.read().decode("utf-8", "replace").removesuffix("\n")

    def show(document: Document) -> None:
        for file in _first(document["files"]):
            output.say(f"  {file['count']:4}  {file['path']}  ({file['kind'] or 'file'})")
        for path in document["left"]:
            output.say(f"  left: {path}  (in its name, or no text)")
        what = "would be taken out" if dry_run else "taken out"
        if not document["files"]:
            output.say("nothing matches" if not document["left"] else "nothing that can be changed matches")
            return
        output.say(f"{what}: {document['count']} in {output.count(document['files'], 'file')}")
        if not dry_run:
            output.say("Git's history and other clones still hold it: docs/redaction.md says what to do")

    app.run("redact", show, pattern=pattern, dry_run=dry_run, actor=app.actor, **given)
