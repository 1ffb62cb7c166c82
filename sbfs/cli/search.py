"""`sbfs search`, the same search within one noun (`sbfs message search`), and `sbfs index …`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, Self

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app

_WORDS = {
    "sender": ("--sender", "--from", "Only what this project sent (@group: one of a group)."),
    "recipient": ("--recipient", "--to", "Only what was sent to this project."),
    "role": ("--role", "", "Only turns of a role: user, assistant."),
    "model": ("--model", "", "Only turns of a model."),
    "agent": ("--agent", "", "Only what an agent said or did."),
    "tool": ("--tool", "", "Only turns that used a tool."),
    "status": ("--status", "", "Only what has this status."),
    "priority": ("--priority", "", "Only what has this priority."),
    "type": ("--type", "", "Only what is of this type."),
    "tags": ("--tag", "", "Only what has this tag."),
    "flags": ("--with", "", "Only turns with thinking, error, subagent or compaction."),
}
"""Facet → options, and what they are for. Each may be repeated: one of the values must be there."""

_SHOWN = 240
"""Characters of a neighbour that people are shown."""


def options_of_search(*, kind: bool = True) -> Callable[[Any], Any]:
    """The argument and the options of a search. kind: whether kinds can be chosen."""

    def decorate(function: Any) -> Any:
        for one in reversed([*_arguments(kind), *_words(), *_rest()]):
            function = one(function)
        return function

    return decorate


def _arguments(kind: bool) -> Iterable[Any]:
    yield click.argument("query", metavar="[QUERY]...", nargs=-1)
    if kind:
        yield click.option("--kind", multiple=True, metavar="KIND", help="Only this kind of record; may be repeated.")
    yield click.option(
        "--project", multiple=True, metavar="PROJECT", help="Only what belongs to a project, or to one of @group."
    )


def _words() -> Iterable[Any]:
    for facet, (name, short, help) in _WORDS.items():
        names = [name, *([short] if short else []), facet]
        yield click.option(*names, multiple=True, metavar="WORD", help=help)
    yield click.option("--where", multiple=True, metavar="NAME=WORD", help="Only what has another facet, by its name.")


def _rest() -> Iterable[Any]:
    yield click.option("--since", metavar="TIME", help="From a date on, or a span back: 2026-11-22, 7d.")
    yield click.option("--until", metavar="TIME", help="Before a date, or a span back.")
    yield click.option("--min-quality", type=float, metavar="N", help="Only what scored at least N of 100.")
    yield click.option("--max-quality", type=float, metavar="N", help="Only what scored at most N of 100.")
    yield click.option("--path", default="", metavar="PATH", help="Only files below PATH, or a pattern: '*/inbox/*'.")
    yield click.option("--like", default="", metavar="ID", help="Instead of a question: what is like this record.")
    yield click.option("--syntax", is_flag=True, help='QUERY has operators: "a phrase", title:word, NOT, word*.')
    yield click.option("--thinking", is_flag=True, help="Look into models' thinking, too.")
    yield click.option(
        "--group",
        type=options.Word(["auto", "none"]),
        default="auto",
        show_default=True,
        help="One result a conversation or thread, or one a turn.",
    )
    yield click.option("--around", type=int, default=0, metavar="N", help="Show N neighbours of each result.")
    yield click.option("--labels", is_flag=True, help="Show which words set each result's conversation apart.")
    yield click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
    yield click.option("--cursor", metavar="C", help="Go on behind a former answer's `next`.")
    yield options.at


def run_search(app: App, verb: str, query: tuple[str, ...], **given: Any) -> None:
    """Call the verb of a search command with what its options say, and print the results."""
    now = app.store.clock()
    where = {facet: [*given.pop(facet)] for facet in _WORDS}
    for text in given.pop("where"):
        name, _, word = text.partition("=")
        where.setdefault(_facet(name, word, text), []).append(word)
    given["since"] = options.since(given["since"], now)
    given["until"] = options.since(given["until"], now, "until")
    words = {facet: values for facet, values in where.items() if values}
    with _Progress(app) as progress:
        app.run(verb, progress.then(_results), query=" ".join(query), where=words, progress=progress, **given)


def _facet(name: str, word: str, text: str) -> str:
    if not name or not word:
        raise click.UsageError(f"--where takes NAME=WORD, not {text!r}")
    return name


class _Progress:
    """Says on a terminal how many entries were read, where that takes a while."""

    def __init__(self, app: App):
        self._silent = not sys.stderr.isatty() or app.quiet or app.json
        self._said = 0

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int) -> None:
        if not self._silent and done >= self._said + 500:
            self._said = done
            click.echo(f"\rbuilding the index: {done} entries", nl=False, err=True)

    def __exit__(self, *_: object) -> None:
        if self._said:
            self._said = 0
            click.echo("\r\x1b[K", nl=False, err=True)

    def then(self, show: Callable[[Document], None]) -> Callable[[Document], None]:
        """Show an answer where the progress stood."""

        def shown(document: Document) -> None:
            self.__exit__()
            show(document)

        return shown


# -- results -----------------------------------------------------------------------------------------


_NAMED = 3
"""Callers and callees of a symbol that are shown."""


def _results(document: Document) -> None:
    for word, taken in document.get("spelled", {}).items():
        output.say(f"{word} is nowhere; looked for {', '.join(taken)}")
    for result in document["results"]:
        _result(result)
    if not document["results"]:
        output.say("nothing found")
    if document.get("incomplete"):
        click.echo(f"this may lack something: {document['incomplete']}", err=True)
    if document.get("notice"):
        click.echo(document["notice"], err=True)
    output.footer(document, "results")


def _result(result: Document) -> None:
    facts = [result["kind"], result["project"], output.moment(result["timestamp"]), result["id"]]
    output.say(f"{_bold(result['title'] or result['id'])}  ({' · '.join(fact for fact in facts if fact)})")
    before = [one for one in result.get("around", ()) if one["offset"] < 0]
    after = [one for one in result.get("around", ()) if one["offset"] > 0]
    for one in before:
        _beside(one)
    _passage(result)
    for one in after:
        _beside(one)
    for said, name in (("called by", "callers"), ("calls", "callees")):
        if names := result.get(name):
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            output.say(f"    {said} {', '.join(names[:_NAMED])}{more}")
    if result.get("labels"):
        output.say(f"    about: {', '.join(result['labels'])}")
    if (more := result.get("matches", 1) - 1) > 0:
        output.say(f"    and {more} more in the same {'conversation' if 'conversation_id' in result else 'thread'}")


def _passage(result: Document) -> None:
    said = f"{result['speaker']}: " if result.get("conversation_id") and result.get("speaker") else ""
    output.say(f"    {said}{_marked(result['snippet'])}")


def _beside(one: Document) -> None:
    text = one["text"] if len(one["text"]) <= _SHOWN else f"{one['text'][:_SHOWN]} …"
    output.say(f"    {one['offset']:+}  {one['speaker']}: {text}")


def _bold(text: str) -> str:
    return click.style(text, bold=True) if sys.stdout.isatty() else text


def _marked(text: str) -> str:
    if not sys.stdout.isatty():
        return text
    return re.sub(r"\*\*(.+?)\*\*", lambda match: click.style(match[1], bold=True, fg="yellow"), text)


@click.command("search", cls=Command)
@options_of_search()
@pass_app
def search_command(app: App, **given: Any) -> None:
    r"""Find what a question asks for, in everything the store knows.

    Ask in your own words; a word of which nothing has the spelling is taken for those that are near.

    \b
    sbfs search why is the build red
    sbfs search getUserStats --kind message --project @team --since 30d
    sbfs search --like msg-01M5
    sbfs search --syntax 'title:stats AND "cached for" NOT draft*'
    """
    run_search(app, "search", **given)


# -- the index ---------------------------------------------------------------------------------------


@click.group("index", cls=Group)
def index_command() -> None:
    """The search index: a cache below .git/sbfs that follows the branch by itself."""


@index_command.command("status", cls=Command)
@pass_app
def index_status_command(app: App) -> None:
    """Show how the index stands, without opening it."""

    def show(document: Document) -> None:
        index = document["index"]
        behind = "" if index["behind"] is None else output.changes(index["behind"])
        output.facts(
            [
                ("Index", f"{index['state']}{': ' + index['why'] if index['why'] else ''}"),
                ("Entries", index["entries"] or ""),
                ("Behind by", behind if index["behind"] else ""),
                ("Size", f"{index['bytes']:,} bytes" if index["bytes"] else ""),
                ("Folder", index["path"]),
            ]
        )

    app.run("index.status", show)


@index_command.command("rebuild", cls=Command)
@pass_app
def index_rebuild_command(app: App) -> None:
    """Build the index anew. Searches go on with the old one meanwhile."""

    def show(document: Document) -> None:
        output.say(f"built an index of {output.count(document['entries'], 'entry').replace('entrys', 'entries')}")

    with _Progress(app) as progress:
        app.run("index.rebuild", progress.then(show), progress=progress)


@index_command.command("verify", cls=Command)
@pass_app
def index_verify_command(app: App) -> None:
    """Prove that the index names what the store holds. Leaves with status 1, and shows the difference, if not."""

    def show(document: Document) -> None:
        if document["why"]:
            output.say(f"the index is of no use: {document['why']}")
        for title in ("missing", "surplus", "changed"):
            for key in document[title][:20]:
                output.say(f"{title}: {key}")
            if len(document[title]) > 20:
                output.say(f"{title}: {len(document[title]) - 20} more")
        if document["success"]:
            output.say(f"index and store name the same {document['entries']:,} entries")
        else:
            output.say("build it anew: sbfs index rebuild")

    app.run("index.verify", show)
