"""`sbfs clone`, `sync`, `remote`, `conflicts`, `watch`, `merge-driver`, `hooks`, `hook`, `upkeep`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from sbfs.cli import options, output, watching
from sbfs.cli.base import App, Command, Document, Group, lock_wait, pass_app


@click.command("clone", cls=Command)
@click.argument("url")
@click.argument("folder", metavar="[DIR]", required=False)
@pass_app
def clone_command(app: App, url: str, folder: str | None) -> None:
    """Make a store from another one's repository. Without DIR: a folder here, named after it."""
    from sbfs import sync, verbs
    from sbfs.store import Store

    name = url.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git") or "store"
    root = Path(os.path.abspath(Path(folder or app.root or name).expanduser()))
    sync.clone(url, root)
    with Store.open(root, lock_wait=lock_wait()) as store:
        document = verbs.run("status", store)
    app.answer(document, lambda said: output.say(f"cloned into {said['store']}: {said['projects']} projects"))


@click.command("sync", cls=Command)
@click.argument("remote", required=False, default="")
@click.option("--deadline", type=float, default=120.0, metavar="SECONDS", help="End after so long; 120 unless told.")
@click.option("--watch", is_flag=True, help="Go on until interrupted, and print new mail as it arrives.")
@click.option("--every", type=float, default=30.0, metavar="SECONDS", help="With --watch: how often to fetch; 30.")
@pass_app
def sync_command(app: App, remote: str, deadline: float, watch: bool, every: float) -> None:
    """Meet a remote: save edits, fetch, merge by meaning, push.

    REMOTE: its name; without one, the only one there is, or origin. Where it cannot be reached or
    refuses, everything stays committed here, and the command leaves with status 7.
    """
    if watch:
        watching.run(app, remote=remote, every=every)
        return
    app.run("sync", _show_synced, remote=remote, deadline=deadline, actor=app.actor, progress=_progress(app))


def _show_synced(document: Document) -> None:
    if document["saved"]:
        output.say(f"saved {document['saved']} edits made by hand")
    name = document["remote"]
    if not document["received"] and not document["sent"]:
        output.say(f"nothing new here or at {name}")
    else:
        came, went = document["received"], document["sent"]
        said = [f"received {output.changes(came)} from {name}"] if came else []
        said += [f"sent {output.changes(went)}" + ("" if came else f" to {name}")] if went else []
        output.say(", ".join(said))
    if document["messages"]:
        output.say(f"new mail: {len(document['messages'])}")
    if document["conflicts"]:
        output.say(f"{output.count(document['conflicts'], 'value')} lost a merge and is kept: sbfs conflicts")
    if document["invalid"]:
        output.say(f"left as they are, invalid: {len(document['invalid'])}; see 'sbfs status'")


def _progress(app: App) -> Any:
    if not sys.stderr.isatty() or app.quiet or app.json:
        return lambda _: None
    return lambda text: click.echo(f"\r\x1b[K{text}", nl=False, err=True)


# -- remotes ---------------------------------------------------------------------------------------


@click.group("remote", cls=Group)
def remote_command() -> None:
    """The repositories that this store syncs with."""


@remote_command.command("add", cls=Command)
@click.argument("name")
@click.argument("url")
@pass_app
def remote_add_command(app: App, name: str, url: str) -> None:
    """Name a repository to sync with. URL: a folder, ssh, http(s) or git address."""
    given = {"name": name, "url": os.path.abspath(url) if Path(url).is_dir() else url}
    app.run("remote.add", lambda one: output.say(f"added {one['remote']['name']}; next: sbfs sync"), **given)


@remote_command.command("list", cls=Command)
@pass_app
def remote_list_command(app: App) -> None:
    """List the remotes."""

    def show(document: Document) -> None:
        if document["remotes"]:
            output.table(("name", "url"), [(one["name"], one["url"]) for one in document["remotes"]])
        else:
            output.say("no remote yet: sbfs remote add origin URL")

    app.run("remote.list", show)


@remote_command.command("remove", cls=Command)
@click.argument("name")
@pass_app
def remote_remove_command(app: App, **given: Any) -> None:
    """Forget a remote. Nothing there is touched."""
    app.run("remote.remove", lambda one: output.say(f"removed {one['remote']['name']}"), **given)


# -- conflicts -------------------------------------------------------------------------------------


@click.group("conflicts", cls=Group, invoke_without_command=True)
@click.pass_context
def conflicts_command(context: click.Context) -> None:
    """Values that lost a merge: list them, settle them."""
    if context.invoked_subcommand is None:
        context.invoke(conflicts_list_command)


@conflicts_command.command("list", cls=Command)
@click.option("--path", default="", metavar="PATH", help="Only those of one file or folder of the store.")
@options.at
@options.paging
@pass_app
def conflicts_list_command(app: App, **given: Any) -> None:
    """List the values that lost a merge and are not settled."""

    def show(document: Document) -> None:
        if not document["conflicts"]:
            output.say("no conflicts")
            return
        rows = [
            (one["id"][:15], one["path"], one.get("field", ""), _short(one["kept"]), _short(one["lost"]))
            for one in document["conflicts"]
        ]
        output.table(("id", "file", "field", "stands", "lost"), rows)
        output.say("settle one: sbfs conflicts settle ID --take kept|lost, or --value VALUE")
        if document["next"]:
            output.say(f"more: --cursor {document['next']}")

    app.run("conflicts.list", show, **given)


@conflicts_command.command("show", cls=Command)
@click.argument("conflict_id", metavar="ID")
@options.at
@pass_app
def conflicts_show_command(app: App, **given: Any) -> None:
    """Show one conflict whole: what stands, what lost, what both began with."""

    def show(document: Document) -> None:
        conflict = document["conflict"]
        facts = [("Conflict", conflict["id"]), ("File", conflict["path"]), ("Field", conflict.get("field", ""))]
        output.facts([*facts, ("Commits", " ".join(one[:10] for one in conflict.get("commits", ())))])
        for title, key in (("Stands", "kept"), ("Lost", "lost"), ("Both began with", "base")):
            output.say(f"\n{title}:\n{_whole(conflict[key])}")

    app.run("conflicts.show", show, **given)


def _whole(value: Any) -> str:
    text = "(nothing)" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "\n".join(f"  {line}" for line in text.rstrip("\n").split("\n"))


def _short(value: Any) -> str:
    text = "(removed)" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"


@conflicts_command.command("settle", cls=Command)
@click.argument("conflict_id", metavar="ID")
@click.option("--take", type=click.Choice(["kept", "lost"]), help="Which of the two values stands from now on.")
@click.option("--value", default=None, help="A value of your own instead: JSON, or plain text.")
@pass_app
def conflicts_settle_command(app: App, conflict_id: str, take: str | None, value: str | None) -> None:
    """End a conflict with one of its values, or one of your own. It is a commit like any other."""
    if (take is None) == (value is None):
        raise click.UsageError("say --take kept, --take lost, or --value VALUE")
    given: Document = {"take": take} if take else {"take": "value", "value": _parsed(value or "")}
    app.run(
        "conflicts.settle",
        lambda one: output.say(f"settled {one['conflict']['path']} {one['conflict'].get('field', '')}".rstrip()),
        conflict_id=conflict_id,
        actor=app.actor,
        **given,
    )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# -- watching --------------------------------------------------------------------------------------


@click.command("watch", cls=Command)
@click.argument("project", required=False, default="")
@click.option("--save", is_flag=True, help="Commit valid edits as they are made.")
@click.option("--notify", type=options.Word(["bell", "tmux", "desktop"]), help="Say urgent mail at once.")
@pass_app
def watch_command(app: App, project: str, save: bool, notify: str | None) -> None:
    """Print new mail as it arrives, until interrupted. PROJECT: only mail to it."""
    watching.run(app, notify=notify, project=project, save=save)


# -- plain Git -------------------------------------------------------------------------------------


@click.command("merge-driver", cls=Command)
@click.argument("base")
@click.argument("ours")
@click.argument("theirs")
@click.argument("path")
def merge_driver_command(base: str, ours: str, theirs: str, path: str) -> None:
    """Merge one record for Git. Git calls it, with %O %A %B %P."""
    from sbfs import driver

    trouble = driver.merge(Path(base), Path(ours), Path(theirs), path, Path.cwd())
    for line in trouble.said:
        click.echo(f"sbfs: {line}", err=True)
    raise click.exceptions.Exit(0 if trouble.merged else 1)


@click.command("upkeep", cls=Command)
@click.option("--background", is_flag=True, help="Yield to other programs; so does the run that sbfs starts by itself.")
@pass_app
def upkeep_command(app: App, background: bool) -> None:
    """Do now what sbfs else does by itself in the background.

    Packs are joined, loose objects packed, and what is new looked through for secrets, for which the next export
    need not wait then.
    """
    from sbfs import upkeep
    from sbfs.bundles.outgoing import look_ahead

    done = upkeep.run(app.store.repo, app.store.publisher().locked, background=background)
    if done:
        look_ahead(app.store)
    said = "packs and loose objects are in bounds" if done else "another process is at it"
    app.answer({"success": True, "done": done}, lambda _: output.say(said))
