"""`sbfs quality …`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app

_LINES = 40
"""Of a plot: beyond them, the points of a day, or of a month, are one line."""


@click.group(cls=Group, name="quality")
def quality_command() -> None:
    """What was measured of projects and conversations, and how it moved. Scores are 0 to 100."""


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g}"


def _parts(measurement: Document) -> list[tuple[str, Document]]:
    return list(measurement.get("components", {}).items())


def _written(document: Document) -> None:
    one = document["measurement"]
    of = f" of {one['conversation']}" if "conversation" in one else ""
    at = f" at {one['commit'][:10]}" if "commit" in one else ""
    output.say(f"kept {one['id']}: {_number(one['score'])}{of}{at}")
    for name, part in _parts(one):
        output.say(f"     {name}: {_part(part)}")


def _part(part: Document) -> str:
    why = ", ".join(part[key] for key in ("detail", "source") if key in part)
    return _number(part["value"]) + (f" ({why})" if why else "")


@quality_command.command("add", cls=Command)
@click.argument("project")
@click.option("--score", type=float, help="0 to 100; without it, the mean of the components.")
@click.option(
    "--component", "components", multiple=True, metavar="NAME=VALUE", help="A part, 0 to 100 or null; may be repeated."
)
@click.option("--source", default="person", show_default=True, help="Where the components come from.")
@click.option("--commit", default="", metavar="ID", help="The commit of the source that was measured.")
@click.option("--conversation", default="", metavar="ID", help="Of this conversation, not of the project.")
@click.option("--note", default="", help="A word on it.")
@pass_app
def add_command(app: App, components: Sequence[str], **given: Any) -> None:
    r"""Keep a score of PROJECT, or of one of its conversations.

    \b
    sbfs quality add api --component coverage=81.5 --component review=90 --source person
    sbfs quality add api --score 70 --conversation 0d2f6a
    """
    app.run("quality.add", _written, components=dict(map(_component, components)), actor=app.actor, **given)


def _component(text: str) -> tuple[str, float | None]:
    from sbfs.errors import Invalid

    name, _, value = text.partition("=")
    try:
        return name, None if value == "null" else float(value)
    except ValueError:
        hint = "write it as coverage=81.5, or coverage=null"
        raise Invalid(f"{text!r} is no component and its value", field="component", hint=hint) from None


@quality_command.command("measure", cls=Command)
@click.argument("project")
@click.option("--path", metavar="DIR", help="The source's folder; without it, the project's source path.")
@click.option("--coverage", metavar="FILE", help="Of coverage.py (JSON), Cobertura (XML) or lcov.")
@click.option("--lint", metavar="FILE", help="Of ruff, ESLint or pylint (JSON), or SARIF.")
@click.option("--tests", metavar="FILE", help="JUnit's XML.")
@click.option("--note", default="", help="A word on it.")
@pass_app
def measure_command(app: App, **given: Any) -> None:
    """Keep what reports say of PROJECT, and of which commit. What they do not say is null.

    Nothing of the source is run; let your tools write the reports first.
    """
    app.run("quality.measure", _written, actor=app.actor, **given)


@quality_command.command("list", cls=Command)
@click.option("--project", default="", help="Only of one project; else of all.")
@click.option("--conversation", default="", metavar="ID", help="Only its scores.")
@options.span
@options.at
@options.paging
@pass_app
def list_command(app: App, since: str | None, until: str | None, **given: Any) -> None:
    """List measurements, newest first."""

    def show(document: Document) -> None:
        rows = [
            (
                one["id"],
                output.moment(one["created"]),
                one["project"],
                _number(one["score"]),
                one.get("commit", "")[:10],
                one.get("conversation") or ", ".join(f"{name} {_number(part['value'])}" for name, part in _parts(one)),
            )
            for one in document["measurements"]
        ]
        headings = ("id", "created (UTC)", "project", "score", "commit", "of")
        empty = "no measurements; keep one: sbfs quality add PROJECT --score N"
        output.listing(headings, rows, document, "measurements", empty)

    app.run("quality.list", show, **options.moments(since, until, app.store.clock()), **given)


def _shown(document: Document) -> None:
    one = document["measurement"]
    output.facts(
        [
            ("Project", one["project"]),
            ("Score", _number(one["score"])),
            *((f"  {name}", _part(part)) for name, part in _parts(one)),
            ("Commit", one.get("commit")),
            ("Conversation", one.get("conversation")),
            ("Created", one["created"]),
            ("Id", one["id"]),
            ("File", document["path"]),
        ]
    )
    output.tell_edited(document)
    if note := one.get("note", "").rstrip("\n"):
        output.say(f"\n{note}")


@quality_command.command("show", cls=Command)
@click.argument("quality_id", metavar="ID")
@options.at
@pass_app
def show_command(app: App, **given: Any) -> None:
    """Show a measurement."""
    app.run("quality.show", _shown, **given)


@quality_command.command("trend", cls=Command)
@click.argument("project")
@click.option("--component", default="", metavar="NAME", help="One component instead of the score.")
@click.option("--conversations", is_flag=True, help="The scores of its conversations instead of its own.")
@click.option("--since", metavar="TIME", help="From a date on, or a span back; 30d unless told.")
@click.option("--until", metavar="TIME", help="Before a date.")
@options.at
@pass_app
def trend_command(app: App, since: str | None, until: str | None, **given: Any) -> None:
    """Show how the score of PROJECT moved, and how it compares with the span before."""
    app.run("quality.trend", _trend, **options.moments(since, until, app.store.clock()), **given)


def _trend(document: Document) -> None:
    trend = document["trend"]
    points = trend["points"]
    what = f"{trend['component'] or 'quality'} of {trend['project']}"
    span = f"{output.moment(trend['since'])} to {output.moment(trend['until'])}"
    if not points:
        output.say(f"{what}: nothing was measured from {span}")
        return
    measured = sum(point["score"] is not None for point in points)
    output.say(f"{what}, {span}: {output.count(points, 'point')}, {measured} measured")
    if measured:
        output.bars(_lines(points))
    change = "" if trend["change"] is None else f", {trend['change']:+g} against {_number(trend['before'])} before"
    output.say(f"average: {_number(trend['average'])}{change}")


def _lines(points: Sequence[Document]) -> list[tuple[str, float | None]]:
    """(when, score) of each point; where there are many, of each day or month, and the mean."""
    if len(points) <= _LINES:
        return [(output.moment(point["timestamp"]), point["score"]) for point in points]
    days = _means(points, len("2026-11-22"))
    return days if len(days) <= _LINES else _means(points, len("2026-11"))


def _means(points: Sequence[Document], length: int) -> list[tuple[str, float | None]]:
    groups: dict[str, list[float]] = {}
    for point in points:
        scores = groups.setdefault(point["timestamp"][:length], [])
        scores += [] if point["score"] is None else [point["score"]]
    return [(when, sum(scores) / len(scores) if scores else None) for when, scores in groups.items()]


@quality_command.command("remove", cls=Command)
@click.argument("quality_id", metavar="ID")
@pass_app
def remove_command(app: App, **given: Any) -> None:
    """Remove a measurement. `sbfs undo` brings it back."""
    app.run("quality.remove", lambda one: output.say(f"removed {one['quality_id']}"), actor=app.actor, **given)
