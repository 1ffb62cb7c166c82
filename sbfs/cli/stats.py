"""`sbfs stats`, `sbfs dashboard`."""

from __future__ import annotations

from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, pass_app


def _span(function: Any) -> Any:
    for decorate in (
        click.option("--project", default="", help="Only of one project; else of all."),
        click.option("--since", metavar="TIME", help="From a date on, or a span back; 30d unless told."),
        click.option("--until", metavar="TIME", help="Before a date."),
        options.at,
    ):
        function = decorate(function)
    return function


@click.command("stats", cls=Command)
@_span
@pass_app
def stats_command(app: App, since: str | None, until: str | None, **given: Any) -> None:
    """Count mail, conversations, quality and what was done, of a span. Nothing is estimated."""
    app.run("stats", _show, **options.moments(since, until, app.store.clock()), **given)


def _show(document: Document) -> None:
    numbers = document["numbers"]
    mail, talks, activity = numbers["mail"], numbers["conversations"], numbers["activity"]
    output.say(
        f"{output.moment(numbers['since'])} to {output.moment(numbers['until'])} UTC, at {numbers['revision'][:10]}"
    )
    output.facts(
        [
            ("Projects", numbers["projects"]),
            ("Mail", _mail_line(mail)),
            ("Answers", _answers(mail)),
            ("Unread", _unread(mail["boxes"])),
            ("Conversations", _talks(talks)),
            ("Cost", _cost(talks["cost"])),
            ("Quality", _quality(numbers["quality"])),
            ("Code", _code(numbers["code"])),
            ("Done", _done(activity)),
        ]
    )
    if mail["flows"]:
        output.say("")
        rows = [(flow["from_project"], flow["to_project"], flow["messages"]) for flow in mail["flows"]]
        output.table(("from", "to", "messages"), rows[:_FLOWS])
        if left := rows[_FLOWS:]:
            more = f"{output.count(sum(row[2] for row in left), 'message')} of {output.count(len(left), 'other pair')}"
            output.say(f"and {more}; --json has all")


_FLOWS = 20
"""Pairs of projects that are listed, those with the most mail."""

_SORTS = 4
"""Sorts of operations that are named, the most frequent."""


def _mail_line(mail: Document) -> str:
    return f"{output.count(mail['messages'], 'message')} on {output.count(len(mail['by_day']), 'day')}"


def _answers(mail: Document) -> str:
    if mail["median_seconds"] is None:
        return "none yet"
    from sbfs import times

    return f"{mail['answered']}, half of them within {times.duration(mail['median_seconds'])}"


def _unread(boxes: list[Document]) -> str:
    waiting = [box for box in boxes if box["unread"]]
    said = [f"{box['project']} {box['unread']} (oldest {output.moment(box['oldest'])})" for box in waiting]
    return ", ".join(said) or "none"


def _talks(talks: Document) -> str:
    parts = (output.count(talks["prompts"], "prompt"), output.count(talks["messages"], "message"))
    return ", ".join((str(talks["conversations"]), *parts))


def _cost(cost: Document) -> str:
    unpriced = f"; without a price: {', '.join(cost['unpriced'])}" if cost["unpriced"] else ""
    return ("not known" if cost["total"] is None else f"{cost['total']:.2f} {cost['currency']}") + unpriced


def _quality(scores: list[Document]) -> str:
    measured = [one for one in scores if one["latest"] is not None]
    return (
        ", ".join(f"{one['project']} {one['latest']:g}{_change(one['change'])}" for one in measured) or "not measured"
    )


def _code(found: list[Document]) -> str:
    said = []
    for one in found:
        functions, before = one["counts"].get("functions", 0), one["before"]
        moved = "" if before is None else f" ({functions - before.get('functions', 0):+,})"
        said.append(f"{one['project']} {functions:,} functions{moved}")
    return ", ".join(said) or "no code graph"


def _change(change: float | None) -> str:
    return "" if change is None else f" ({change:+g})"


def _done(activity: Document) -> str:
    sorts = [*activity["operations"].items()]
    most = [f"{count} {name or 'by plain Git'}" for name, count in sorts[:_SORTS]]
    if left := sum(count for _, count in sorts[_SORTS:]):
        most.append(f"{left} of other sorts")
    least = "" if activity["whole"] else "at least "
    return f"{least}{output.count(activity['commits'], 'operation')}" + (f": {', '.join(most)}" if most else "")


@click.command("dashboard", cls=Command)
@_span
@click.option(
    "--output", "-o", "file", default="dashboard.html", show_default=True, metavar="FILE", help="Where to write it."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there and is no dashboard.")
@pass_app
def dashboard_command(app: App, since: str | None, until: str | None, file: str, force: bool, **given: Any) -> None:
    """Write one page on which people see how the team does. It needs nothing else, and only you may read it."""
    from pathlib import Path

    from sbfs import verbs
    from sbfs.cli.export import write

    document = verbs.run("dashboard", app.store, **options.moments(since, until, app.store.clock()), **given)
    place = Path(file).expanduser()
    is_ours = place.is_file() and place.read_bytes()[:200].find(_OURS) >= 0
    size = write(file, document["text"], force or is_ours)
    told = {key: value for key, value in document.items() if key != "text"}
    app.answer(
        {**told, "path": file, "size": size}, lambda one: output.say(f"wrote {one['path']} ({one['size']:,} bytes)")
    )


_OURS = b"sbfs dashboard"
