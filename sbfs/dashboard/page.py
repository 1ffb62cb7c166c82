"""The page: a store's numbers in words and pictures, each with what it was counted from.

What is empty says how to fill it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sbfs import documentation, shared, times
from sbfs.dashboard import plots
from sbfs.documents import numbers
from sbfs.errors import NotFound
from sbfs.stats import stats
from sbfs.store import Store

Document = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """The page as one HTML text that needs nothing else. revision: what it was made from."""

    revision: str
    since: datetime
    until: datetime
    text: str


@dataclass(frozen=True)
class Section:
    """A part of the page. tiles: (number, what it is). figures: (heading, SVG). tables: (heading, headings, rows).
    source: what it was counted from. empty: how to fill it, where there is nothing."""

    title: str
    source: str
    tiles: Sequence[tuple[str, str]] = ()
    figures: Sequence[tuple[str, str]] = ()
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = ()
    empty: str = ""


def dashboard(
    store: Store,
    *,
    project: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    at: str | None = None,
) -> Page:
    """Make the page of a store, or of one project: thirty days up to now unless told.

    The same numbers make the same page. Raises NotFound, Invalid.
    """
    found = stats(store, project=project, since=since, until=until, at=at)
    said = numbers.document(found)["numbers"]
    said["covered"] = [*_coverage(store, [one.project for one in found.code], at)]
    said["span"] = {"since": said["since"], "until": said["until"]}
    count = iter(range(1, 1000))
    sections = [make(said) for make in PARTS]
    drawn = [
        {**vars(one), "figures": [(title, plots.numbered(svg, next(count))) for title, svg in one.figures]}
        for one in sections
    ]
    name = project or "the team"
    head = {"title": name, "since": _moment(found.since), "until": _moment(found.until), "revision": found.revision}
    unreadable = [{"path": path, "why": why} for path, why in found.unreadable]
    text = _template().render(head=head, sections=drawn, unreadable=unreadable)
    return Page(found.revision, found.since, found.until, text)


def _coverage(store: Store, names: Sequence[str], at: str | None) -> Iterator[documentation.Coverage]:
    for name in names:
        with suppress(NotFound):
            yield documentation.coverage(store, project=name, at=at)


@functools.cache
def _template() -> Any:
    from jinja2 import DictLoader, Environment, StrictUndefined

    loader = DictLoader({"page.html": shared.read("templates/dashboard/page.html")})
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("page.html")


def _moment(moment: datetime) -> str:
    return times.dump(moment)[:16].replace("T", " ")


def _days(said: Document) -> dict[str, str]:
    return {"since": said["span"]["since"], "until": said["span"]["until"]}


# -- parts -----------------------------------------------------------------------------------------------


def _mail(said: Document) -> Section:
    mail = said["mail"]
    unread = [box for box in mail["boxes"] if box["unread"]]
    wait = "none yet" if mail["median_seconds"] is None else times.duration(mail["median_seconds"])
    tiles = [
        (f"{mail['messages']:,}", "messages"),
        (wait, f"until half of the {mail['answered']:,} answers came"),
        (f"{sum(box['unread'] for box in unread):,}", "unread now"),
    ]
    source = "inboxes of all projects; an answer is the first message back in the same thread"
    rows = [(box["project"], f"{box['unread']:,}", box["oldest"][:16].replace("T", " ")) for box in unread]
    headings = ("project", "unread", "oldest (UTC)")
    tables = [("Waiting to be read", headings, sorted(rows, key=lambda row: row[2]))] if rows else []
    if not mail["messages"]:
        return Section("Mail", source, tables=tables, empty='sbfs send FROM TO --subject "…" --body "…"')
    pairs = {(flow["from_project"], flow["to_project"]): flow["messages"] for flow in mail["flows"]}
    figures = [
        ("Who writes to whom", plots.flows(pairs)),
        ("Messages over time", plots.bars_by_day(mail["by_day"], label="Messages", **_days(said))),
    ]
    return Section("Mail", source, tiles, figures, tables)


def _talks(said: Document) -> Section:
    talks = said["conversations"]
    source = "facts of imported conversations, by the hours in which they took place"
    if not talks["conversations"]:
        return Section("Conversations", source, empty="sbfs conversation import")
    cost = talks["cost"]
    money = "not known" if cost["total"] is None else f"{cost['total']:,.2f} {cost['currency']}"
    without = f"; without a price: {', '.join(cost['unpriced'])}" if cost["unpriced"] else ""
    priced = f"cost by the price table{without}"
    tiles = [(f"{talks['conversations']:,}", "conversations"), (f"{talks['prompts']:,}", "prompts"),
             (f"{talks['messages']:,}", "answers of models"), (money, priced)]  # fmt: skip
    days = [one for one in talks["by_day"] if one["day"]]
    figures = []
    tokens = {
        sort: {one["day"]: (one["tokens"] or {}).get(sort) or 0 for one in days}
        for sort in ("input", "output", "cache_creation")
    }
    if any(any(values.values()) for values in tokens.values()):
        named = {name.replace("_", " "): values for name, values in tokens.items()}
        picture = plots.stacked_by_day(named, label="Tokens", **_days(said))
        figures.append(("Tokens over time, without those read from a cache", picture))
    spent = {one["day"]: one["cost"]["total"] or 0 for one in days}
    if any(spent.values()):
        figures.append(("Cost over time", plots.bars_by_day(spent, label=cost["currency"], **_days(said))))
    if talks["models"]:
        figures.append(("Answers by model", plots.ranked(talks["models"], label="Answers")))
    return Section("Conversations", source, tiles, figures)


def _tools(said: Document) -> Section:
    tools = said["conversations"]["tools"] or {}
    source = "tool calls in imported conversations, and which of their results were errors"
    if not tools:
        return Section("Tools", source, empty="sbfs conversation import")
    calls = {name: one["calls"] for name, one in tools.items()}
    notes = {name: _errors(one) for name, one in tools.items()}
    figure = ("Calls by tool, and their errors", plots.ranked(calls, label="Calls", notes=notes))
    total, errors = sum(calls.values()), sum(one["errors"] or 0 for one in tools.values())
    tiles = [(f"{total:,}", "calls"), (f"{errors / total:.1%}" if total else "none", "of them failed")]
    return Section("Tools", source, tiles, [figure])


def _errors(tool: Mapping[str, Any]) -> str:
    errors = tool["errors"]
    return f"{tool['calls']:,}" if not errors else f"{tool['calls']:,}, {errors / tool['calls']:.0%} failed"


def _quality(said: Document) -> Section:
    source = "quality records of projects, 0 to 100; a part that was not measured is in no average"
    scores = [one for one in said["quality"] if one["latest"] is not None]
    if not scores:
        return Section("Quality", source, empty="sbfs quality measure PROJECT --coverage FILE --lint FILE --tests FILE")
    points = {
        one["project"]: [(point["timestamp"], point["score"]) for point in one["points"] if point["score"] is not None]
        for one in scores
    }
    drawn = {name: found for name, found in points.items() if found}
    figures = [("Scores over time", plots.lines(drawn, label="Score", **_days(said)))] if drawn else []
    rows = [(one["project"], f"{one['latest']:g}", _or_dash(one["average"]), _change(one["change"])) for one in scores]
    headings = ("project", "latest", "average", "against the span before")
    return Section("Quality", source, figures=figures, tables=[("By project", headings, rows)])


def _or_dash(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g}"


def _change(value: float | None) -> str:
    return "not measured" if value is None else f"{value:+g}"


_COUNTED = ("files", "lines", "functions", "classes", "calls", "unresolved")


def _code(said: Document) -> Section:
    source = "snapshots of code graphs, now and when the span began"
    if not said["code"]:
        return Section("Code", source, empty="sbfs graph index PROJECT --path DIR")
    rows = [(one["project"], *(_moved(one, name) for name in _COUNTED)) for one in said["code"]]
    headings = ("project", *_COUNTED[:-1], "calls not resolved")
    functions = {one["project"]: one["counts"].get("functions", 0) for one in said["code"]}
    figures = [("Functions by project", plots.ranked(functions, label="Functions"))] if len(functions) > 1 else []
    return Section("Code", source, figures=figures, tables=[("By project, and the change in the span", headings, rows)])


def _moved(one: Mapping[str, Any], name: str) -> str:
    now, before = one["counts"].get(name), (one["before"] or {}).get(name)
    if now is None:
        return "not counted"
    return f"{now:,}" if before is None else f"{now:,} ({now - before:+,})"


def _documented(said: Document) -> Section:
    source = "documentation that was indexed with the code: public names that say something of themselves"
    covered = said["covered"]
    if not covered:
        return Section("Documentation", source, empty="sbfs docs index PROJECT --path DIR")
    rows = [
        (one.project, f"{one.percent:g} %", f"{one.documented:,} of {one.public:,}", str(len(one.mismatches)))
        for one in covered
    ]
    headings = ("project", "documented", "public names", "parameters that no longer fit")
    return Section("Documentation", source, tables=[("By project", headings, rows)])


def _activity(said: Document) -> Section:
    activity = said["activity"]
    least = "" if activity["whole"] else "at least "
    source = "commits of the store, by the times that they say"
    if not activity["commits"]:
        return Section("Activity", source, empty="sbfs --help")
    figures = [("Operations over time", plots.bars_by_day(activity["by_day"], label="Operations", **_days(said)))]
    named = {name or "plain Git": count for name, count in activity["operations"].items()}
    figures.append(("What was done", plots.ranked(named, label="Operations")))
    return Section("Activity", source, [(f"{least}{activity['commits']:,}", "operations")], figures)


PARTS: tuple[Callable[[Document], Section], ...] = (
    _mail, _talks, _tools, _quality, _code, _documented, _activity,
)  # fmt: skip
