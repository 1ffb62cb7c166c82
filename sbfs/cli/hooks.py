"""`sbfs hooks …` and `sbfs hook …`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from sbfs.cli import output
from sbfs.cli.base import App, Command, Document, Group, pass_app

if TYPE_CHECKING:
    from pathlib import Path

_GIT = ("pre-commit", "post-merge", "post-checkout")
_AGENT = {"session-start": "SessionStart", "prompt": "UserPromptSubmit", "pre-compact": "", "session-end": ""}
"""Events of agents → the name under which Claude Code takes context for them; "" where it takes none."""

_SECONDS = 2.0
"""The longest that an agent waits for a hook."""


@click.group("hooks", cls=Group)
def hooks_command() -> None:
    """Tie the store to other programs: Git, Claude Code."""


def _where(function: Any) -> Any:
    for decorate in (
        click.argument("program", type=click.Choice(["git", "claude-code"])),
        click.option("--user", is_flag=True, help="Claude Code: the settings of all your projects."),
        click.option(
            "--project",
            "folder",
            metavar="DIR",
            help="Claude Code: the settings of the project in DIR; here, unless told.",
        ),
        click.option("--dry-run", is_flag=True, help="Only say what would change."),
    ):
        function = decorate(function)
    return function


@hooks_command.command("install", cls=Command)
@_where
@click.option("--as", "name", default="", metavar="PROJECT", help="Claude Code: who the agent is; else by its folder.")
@click.option(
    "--plugin", metavar="DIR", help="Claude Code: write a plugin folder instead, with commands and the server."
)
@pass_app
def hooks_install_command(
    app: App, program: str, user: bool, folder: str | None, dry_run: bool, name: str, plugin: str | None
) -> None:
    """Install hooks for Git into this clone, or for Claude Code into its settings. What is there already stays."""
    if program == "git":
        _only_claude_code(user, folder, name, plugin)
        _install_git(app, dry_run)
    elif plugin:
        _write_plugin(app, plugin, name, dry_run)
    else:
        from sbfs import projects
        from sbfs.hooks import claude_code

        known = projects.resolve(app.store.view(), name).name if name else ""
        change = claude_code.installed(_settings(user, folder), _program(app), project=known)
        _tell(app, change, dry_run, "installed")


@hooks_command.command("uninstall", cls=Command)
@_where
@pass_app
def hooks_uninstall_command(app: App, program: str, user: bool, folder: str | None, dry_run: bool) -> None:
    """Take out again what `install` put in, and nothing else."""
    if program == "git":
        _only_claude_code(user, folder, "", None)
        from sbfs import driver

        removed = driver.uninstall(app.store, dry_run=dry_run)
        document = {"success": True, "program": "git", "removed": removed, "dry_run": dry_run}
        did = "would remove" if dry_run else "removed"
        app.answer(document, lambda one: output.say("\n".join(f"{did} {name}" for name in one["removed"]) or _NONE))
    else:
        from sbfs.hooks import claude_code

        _tell(app, claude_code.uninstalled(_settings(user, folder)), dry_run, "removed")


_NONE = "there was nothing of sbfs's"


def _only_claude_code(user: bool, folder: str | None, name: str, plugin: str | None) -> None:
    if user or folder or name or plugin:
        raise click.UsageError("--user, --project, --as and --plugin are for claude-code")


def _install_git(app: App, dry_run: bool) -> None:
    from sbfs import driver

    installed, kept = driver.install(app.store, dry_run=dry_run)
    document = {"success": True, "program": "git", "installed": installed, "kept": kept, "dry_run": dry_run}

    def show(document: Document) -> None:
        for name in document["installed"]:
            output.say(f"{'would install' if dry_run else 'installed'} {name}")
        for name in document["kept"]:
            output.say(f"left {name} as it is: it is not one of sbfs's")

    app.answer(document, show)


def _settings(user: bool, folder: str | None) -> Path:
    from pathlib import Path

    if user and folder:
        raise click.UsageError("--user and --project do not go together")
    if user:
        base = os.environ.get("CLAUDE_CONFIG_DIR")
        return (Path(base) if base else Path.home() / ".claude") / "settings.json"
    place = Path(folder or ".").expanduser().absolute()
    if not place.is_dir():
        from sbfs.errors import Invalid

        raise Invalid(f"{place} is no folder", field="project", hint="name the folder in which the agent works")
    return place / ".claude" / "settings.json"


def _program(app: App) -> list[str]:
    """How another program calls this sbfs, wherever it stands."""
    import shutil
    from pathlib import Path

    beside = Path(sys.executable).parent / "sbfs"
    found = str(beside) if beside.is_file() else shutil.which("sbfs")
    start = [found] if found else [sys.executable, "-P", "-m", "sbfs"]
    return [*start, "--store", str(app.store.root.resolve())]


def _tell(app: App, change: Any, dry_run: bool, what: str) -> None:
    from sbfs.hooks import claude_code

    if not dry_run:
        claude_code.apply(change)
    document = {
        "success": True,
        "program": "claude-code",
        "settings": str(change.path),
        "changed": change.before != change.after,
        "events": list(change.events),
        "dry_run": dry_run,
    }

    def show(document: Document) -> None:
        if dry_run:
            _difference(change)
        elif not document["events"]:
            output.say(_NONE)
        else:
            output.say(f"{what} in {document['settings']}: {', '.join(document['events'])}")
            if what == "installed":
                output.say("they take effect when Claude Code starts anew; SBFS_HOOKS=off switches them off")

    app.answer(document, show)


def _difference(change: Any) -> None:
    import difflib

    old, new = ((text or "").splitlines(keepends=True) for text in (change.before, change.after))
    lines = [*difflib.unified_diff(old, new, str(change.path), str(change.path))]
    output.say(
        "".join(line if line.endswith("\n") else line + "\n" for line in lines).rstrip("\n") or "nothing would change"
    )


def _write_plugin(app: App, plugin: str, name: str, dry_run: bool) -> None:
    from pathlib import Path

    from sbfs.hooks import plugin as plugins

    made = plugins.make(app.store, _program(app), project=name)
    if not dry_run:
        plugins.write(Path(plugin).expanduser().absolute(), made)
    document = {"success": True, "program": "claude-code", "plugin": plugin, "files": sorted(made), "dry_run": dry_run}

    def show(document: Document) -> None:
        for file in document["files"]:
            output.say(f"{'would write' if dry_run else 'wrote'} {plugin}/{file}")
        if not dry_run:
            output.say(f"next: claude --plugin-dir {plugin}")

    app.answer(document, show)


# -- one event -----------------------------------------------------------------------------------------


@click.command("hook", cls=Command)
@click.argument("event", metavar="EVENT")
@click.argument("arguments", nargs=-1)
@click.option("--project", default="", metavar="NAME", help="Who the agent is; else by the folder it works in.")
@pass_app
def hook_command(app: App, event: str, arguments: tuple[str, ...], project: str) -> None:
    """Do what a hook is for. Git and agents call it, by what `hooks install` puts down.

    EVENT is of Git: pre-commit, post-merge, post-checkout; or of an agent: session-start, prompt, pre-compact,
    session-end.
    """
    del arguments
    if event in _GIT:
        _git_hook(app, event)
    elif event not in _AGENT:
        # No failure: settings may be newer than this program, and a hook that fails can stop an agent's prompt.
        click.echo(f"sbfs: there is no hook for {event!r}; there are {', '.join((*_GIT, *_AGENT))}", err=True)
    elif os.environ.get("SBFS_HOOKS", "on").lower() not in ("off", "0", "no", "false"):
        _agent_hook(app, event, project)


def _git_hook(app: App, event: str) -> None:
    from pathlib import Path

    from sbfs import driver

    index = os.environ.get("GIT_INDEX_FILE")
    trouble = driver.hook(app.store, event, index=Path(index).absolute() if index else None)
    for line in trouble:
        click.echo(f"sbfs: {line}", err=True)
    if trouble and event == "pre-commit":
        raise click.exceptions.Exit(4)


class _TooLateError(BaseException):
    """The agent has waited long enough. No Exception: nothing on the way may catch it."""


def _agent_hook(app: App, event: str, project: str) -> None:
    """Whatever goes wrong, the agent goes on: what went wrong is said on standard error, and the status is 0."""

    def end(*_: object) -> None:
        raise _TooLateError

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        text = _answered(app, event, project)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if text:
            click.echo(text)
    except _TooLateError:
        click.echo(f"sbfs: the {event} hook took longer than {_SECONDS:g} s, and was left", err=True)
    except Exception as error:  # noqa: BLE001 - an agent must not fail because its notes cannot be read
        click.echo(f"sbfs: {error}", err=True)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _answered(app: App, event: str, project: str) -> str:
    import json

    from sbfs.hooks import events

    raw = sys.stdin.buffer.read(1 << 20)
    try:
        given = json.loads(raw) if raw.strip() else {}
    except ValueError as error:
        return _no_event(event, error)
    said = events.answer(app.store, event, given if isinstance(given, dict) else {}, project=project)
    if said.later:
        _start(app, said.later)
    document: Document = {}
    if said.context and _AGENT[event]:
        document["hookSpecificOutput"] = {"hookEventName": _AGENT[event], "additionalContext": said.context}
    if said.notice:
        document["systemMessage"] = said.notice
    return json.dumps(document, ensure_ascii=False) if document else ""


def _no_event(event: str, error: ValueError) -> str:
    click.echo(f"sbfs: what came on standard input for {event} is no JSON: {error}", err=True)
    return ""


def _start(app: App, words: tuple[str, ...]) -> None:
    """Run a command of sbfs in a process of its own, which outlives this one."""
    import subprocess

    quiet = subprocess.DEVNULL
    command = [sys.executable, "-P", "-m", "sbfs", "--store", str(app.store.root.absolute()), "-q", *words]
    subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True, cwd="/")
