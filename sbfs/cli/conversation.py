"""`sbfs conversation …`: transcripts in, lists, and a talk as one reads it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app
from sbfs.cli.export import export_command
from sbfs.cli.search import options_of_search, run_search
from sbfs.cli.statistics import stats_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FORMAT = options.Word(["auto", "claude-code", "codex", "gemini", "jsonl"])
AGENT = options.Word(["claude-code", "codex", "gemini", "jsonl"])


@click.group(cls=Group, name="conversation")
def conversation_command() -> None:
    """Conversations with agents, imported from their transcripts. Lists are newest first; an id may be shortened."""


# -- import ----------------------------------------------------------------------------------------


@conversation_command.command("import", cls=Command)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--project", default="", help="Where they belong; else their working directory decides.")
@click.option("--format", type=FORMAT, default="auto", show_default=True, help="Whose transcripts they are.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be imported, and what taken out.")
@click.option("--again", is_flag=True, help="Also those that were removed from the store.")
@pass_app
def import_command(app: App, paths: tuple[str, ...], **given: Any) -> None:
    r"""Import transcripts: files, and all below folders; without a PATH, the agents' own folders.

    What is known is skipped, what grew is added, and a half-written line waits. A transcript goes to the project that a
    rule in sbfs.yaml names for its working directory (imports: {projects: {/home/pat/api: api}}), else to the one whose
    source path holds it, else you are asked.

    \b
    sbfs conversation import
    sbfs conversation import ~/.claude/projects --dry-run
    sbfs conversation import talk.jsonl --project api
    """
    from sbfs.errors import Invalid

    places = paths or tuple(str(path) for path in agents_folders())
    if not places:
        raise Invalid("no agent's folder is here", field="paths", hint="name files or folders to import")
    ask = _Asker() if sys.stdin.isatty() and sys.stdout.isatty() and not app.json else None
    with _Progress(app) as progress:
        app.run("conversation.import", _imported, paths=places, choose=ask, progress=progress, actor=app.actor, **given)


def agents_folders() -> Iterator[Path]:
    """Where Claude Code, Codex and Gemini keep their transcripts, as far as that is there."""
    from pathlib import Path

    home = Path.home()
    configured = [one for one in os.environ.get("CLAUDE_CONFIG_DIR", "").split(",") if one.strip()]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    roots = [Path(one.strip()).expanduser() for one in configured] or [config / "claude", home / ".claude"]
    claude = [root if root.name == "projects" else root / "projects" for root in roots]
    codex = Path(os.environ.get("CODEX_HOME") or home / ".codex")
    gemini = Path(os.environ.get("GEMINI_DATA_DIR") or home / ".gemini")
    named = {"CLAUDE_CONFIG_DIR": claude, "CODEX_HOME": [codex / "sessions"], "GEMINI_DATA_DIR": [gemini / "tmp"]}
    for variable, folders in named.items():
        if os.environ.get(variable) and not any(folder.is_dir() for folder in folders):
            click.echo(f"${variable} is set, but {folders[0]} is not there", err=True)
    wanted = (*claude, codex / "sessions", codex / "archived_sessions", gemini / "tmp")
    yield from (folder for folder in wanted if folder.is_dir())


class _Asker:
    """Asks a person once for each working directory that fits no project."""

    def __init__(self) -> None:
        self._answers: dict[str, str | None] = {}

    def __call__(self, folder: str, names: Sequence[str]) -> str | None:
        if folder not in self._answers:
            click.echo(f"no project fits {folder}; there are: {', '.join(names) or 'none'}", err=True)
            said = click.prompt("project (empty skips it)", default="", show_default=False, err=True)
            self._answers[folder] = said.strip() or None
        return self._answers[folder]


class _Progress:
    """Tells on standard error how far a long import is, on a terminal."""

    def __init__(self, app: App):
        self._shown = sys.stderr.isatty() and not app.quiet
        self._told = False

    def __enter__(self) -> Callable[[int, int], None]:
        return self._tell

    def _tell(self, done: int, whole: int) -> None:
        if self._shown and done < whole:
            self._told = True
            click.echo(f"\rread {done * 100 // whole} % of {whole >> 20} MB", nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        if self._told:
            click.echo("\r" + " " * 40 + "\r", nl=False, err=True)


def _imported(document: Document) -> None:
    rows = [
        (one["id"], one["project"], one["state"], one["prompts"], one["messages"], one["title"])
        for one in document["conversations"]
        if one["state"] != "known"
    ]
    if rows:
        output.table(("id", "project", "", "prompts", "messages", "title"), rows)
    would = "would be " if document["dry_run"] else ""
    counts = ", ".join(
        f"{document[word]} {said}" for word, said in (("new", "new"), ("grown", "grown"), ("known", "known"))
    )
    output.say(f"{counts}{' (nothing was imported)' if would else ''}")
    if document["repeated"]:
        entries = output.count(document["repeated"], "repeated line")
        output.say(f"{entries} left where the first conversation has them")
    if document["waiting"]:
        output.say(f"{output.count(document['waiting'], 'half-written line')} will be imported once complete")
    for one in document.get("secrets", ()):
        output.say(f"would take out {one['placeholder']}: {one['masked']}, in {one['path']}")
    _tell_left(document)


def _tell_left(document: Document) -> None:
    """What was left alone, and why; one line for each reason."""
    for one in document["unreadable"][:20]:
        output.warn(f"{one['path']}:{one['line']}: {one['error']}")
    if (more := document["unreadable_count"] - 20) > 0:
        output.warn(f"and {more} more lines that cannot be read")
    reasons: dict[str, list[str]] = {}
    for one in document["skipped"]:
        reasons.setdefault(one["why"], []).append(one["path"])
    for why, paths in reasons.items():
        output.warn(f"skipped {output.count(paths, 'transcript')}: {why}; such as {paths[0]}")
    if any(why.startswith(("no project fits", "it does not say")) for why in reasons):
        output.warn("  name one with --project, or give a project its --source-path, or write a rule into sbfs.yaml")


# -- list ------------------------------------------------------------------------------------------


@conversation_command.command("list", cls=Command)
@click.option("--project", default="", help="Only those of a project.")
@click.option("--since", metavar="TIME", help="Held after a date, or within a span back: 2026-11-22, 7d.")
@click.option("--until", metavar="TIME", help="Begun before a date.")
@click.option("--model", default="", help="Only with a model whose name holds this.")
@click.option("--agent", default="", type=AGENT, help="Only with this agent.")
@click.option("--tool", default="", help="Only where this tool was called.")
@click.option("--branch", default="", help="Only on this branch.")
@click.option("--quality", "min_quality", type=float, metavar="SCORE", help="Only of at least this quality, 0 to 100.")
@click.option("--text", default="", help="Only where this was said, without an index; 'search' is faster.")
@click.option("--subagents", is_flag=True, help="Also list the sub-agents of each.")
@click.option("--empty", is_flag=True, help="Also those in which nobody said anything.")
@options.at
@options.paging
@pass_app
def list_command(app: App, since: str | None, until: str | None, **given: Any) -> None:
    """List conversations, newest first."""
    now = app.store.clock()
    times = {"since": options.since(since, now), "until": options.since(until, now, "until")}
    app.run("conversation.list", _listed, **times, **given)


_HEADINGS = ("id", "began (UTC)", "project", "agent", "prompts", "messages", "tools", "quality", "title")


def _listed(document: Document) -> None:
    rows: list[Sequence[Any]] = []
    for one in document["conversations"]:
        score = "" if one["quality_score"] is None else f"{one['quality_score']:g}"
        calls = sum(one["tool_usage"].values())
        facts = (one["agent"], one["prompts"], one["messages"], calls, score, one["title"])
        rows.append((one["id"], output.moment(one["timestamp"] or ""), one["project"], *facts))
        for side in one.get("subagents", ()):
            said = side["description"] or ("summed it up" if side["compaction"] else "")
            rows.append((f"  {side['id']}", "", "", side["kind"], "", side["messages"], "", "", said))
    output.listing(_HEADINGS, rows, document, "conversations", "no conversations")


# -- show ------------------------------------------------------------------------------------------


@conversation_command.command("show", cls=Command)
@click.argument("conversation_id", metavar="ID")
@click.option("--turn", type=int, metavar="N", help="Only this turn, from 1, with everything in it.")
@click.option("--around", default="", metavar="ID", help="Only the turn of this id, and three before and after it.")
@click.option("--agent", default="", metavar="ID", help="A sub-agent's turns instead.")
@click.option("--full", is_flag=True, help="Unfold thinking, tool calls, results, and what the program added.")
@click.option("--limit", type=click.IntRange(1), help="How many turns; all without it.")
@click.option("--cursor", metavar="C", help="Go on behind a former answer's `next`.")
@options.at
@pass_app
def show_command(app: App, full: bool, **given: Any) -> None:
    """Show a conversation: prompts and answers, with thinking and tools folded to a line each."""
    from sbfs.cli.transcript import show_conversation

    app.run("conversation.show", lambda one: show_conversation(one, full=full or given["turn"] is not None), **given)


conversation_command.add_command(export_command)


@conversation_command.command("search", cls=Command)
@options_of_search(kind=False)
@pass_app
def search_command(app: App, **given: Any) -> None:
    """Find turns of conversations by what they say. Takes what `sbfs search` takes."""
    run_search(app, "conversation.search", **given)


@conversation_command.command("remove", cls=Command)
@click.argument("conversation_id", metavar="ID")
@pass_app
def remove_command(app: App, **given: Any) -> None:
    """Remove a conversation with its turns and images. An import does not bring it back; `sbfs undo` does."""
    app.run(
        "conversation.remove", lambda one: output.say(f"removed {one['conversation_id']}"), actor=app.actor, **given
    )


conversation_command.add_command(stats_command)
