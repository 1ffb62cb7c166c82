"""The page: a store's numbers in words and pictures, each with what it was counted from.

What is empty says how to fill it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
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
class Figure:
    """A picture. note: what it leaves out, and where all of it is. wide: whether it needs the whole width."""

    title: str
    svg: str
    note: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page. tiles: (number, what it is). tables: (heading, headings, rows). source: what it was counted
    from. span: of which time. empty: how to fill it, where there is nothing."""

    title: str
    source: str
    span: str
    tiles: Sequence[tuple[str, str]] = ()
    figures: Sequence[Figure] = ()
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
    count = iter(range(1, 1000))
    sections = [make(said) for make in PARTS]
    drawn = [
        {**vars(one), "figures": [replace(each, svg=plots.numbered(each.svg, next(count))) for each in one.figures]}
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


def _noun(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def _span(said: Document) -> str:
    return f"{_cut(said['since'])} to {_cut(said['until'])} UTC"


def _now(said: Document) -> str:
    return f"as it is at {said['revision'][:10]}"


def _cut(moment: str) -> str:
    return moment[:16].replace("T", " ")


# -- pictures, and what they leave out -----------------------------------------------------------------------


def _ranked(title: str, values: Mapping[str, float], *, label: str, noun: str, **more: Any) -> Figure:
    """The highest bars. noun: of the names, in plural."""
    left = sum(values.values()) - sum(values[name] for name in plots.highest(values))
    note = f"{_left_out(len(values), plots.MOST, noun)} The others have {left:,} {label.lower()}; {_ALL}."
    return Figure(title, plots.ranked(values, label=label, **more), note if len(values) > plots.MOST else "")


def _flows(pairs: Mapping[tuple[str, str], int]) -> Figure:
    totals = plots.written(pairs)
    shown = {*plots.highest(totals)}
    inside = sum(count for parties, count in pairs.items() if shown.issuperset(parties))
    what = f"{inside:,} of {sum(pairs.values()):,} messages are between them"
    note = f"{_left_out(len(totals), plots.MOST, 'projects with mail')} {what}; {_ALL}."
    picture = plots.flows(pairs)
    return Figure("Who writes to whom", picture, note if len(totals) > plots.MOST else "", wide=len(totals) > _NARROW)


def _by_day(said: Document, title: str, draw: Callable[..., str], values: Any, label: str) -> Figure:
    weeks = "A bar is a week, named by its Monday." if plots.by_week(said["since"], said["until"]) else ""
    return Figure(title, draw(values, label=label, since=said["since"], until=said["until"]), weeks)


def _left_out(count: int, most: int, noun: str) -> str:
    return f"The {most} of {count:,} {noun} that have the most."


_NARROW = 5
"""Projects whose mail can be read in half of the width."""

_ALL = "sbfs stats --json has all"


# -- parts -----------------------------------------------------------------------------------------------


def _mail(said: Document) -> Section:
    mail = said["mail"]
    unread = [box for box in mail["boxes"] if box["unread"]]
    wait = "none yet" if mail["median_seconds"] is None else times.duration(mail["median_seconds"])
    tiles = [
        (f"{mail['messages']:,}", _noun(mail["messages"], "message")),
        (wait, _answered(mail["answered"])),
        (f"{sum(box['unread'] for box in unread):,}", "unread now"),
    ]
    source = "inboxes of all projects; an answer is the first message back in the same thread"
    span = f"{_span(said)}; what is unread, {_now(said)}"
    rows = [(box["project"], f"{box['unread']:,}", box["oldest"][:16].replace("T", " ")) for box in unread]
    headings = ("project", "unread", "oldest (UTC)")
    tables = [("Waiting to be read", headings, sorted(rows, key=lambda row: row[2]))] if rows else []
    if not mail["messages"]:
        return Section("Mail", source, span, tables=tables, empty='sbfs send FROM TO --subject "…" --body "…"')
    pairs = {(flow["from_project"], flow["to_project"]): flow["messages"] for flow in mail["flows"]}
    figures = [_flows(pairs), _by_day(said, "Messages over time", plots.bars_by_day, mail["by_day"], "Messages")]
    return Section("Mail", source, span, tiles, figures, tables)


def _answered(count: int) -> str:
    return "until the one answer came" if count == 1 else f"until half of the {count:,} answers came"


def _talks(said: Document) -> Section:
    talks = said["conversations"]
    source = "facts of imported conversations, by the hours in which they took place"
    if not talks["conversations"]:
        return Section("Conversations", source, _span(said), empty="sbfs conversation import")
    cost = talks["cost"]
    money = "not known" if cost["total"] is None else f"{cost['total']:,.2f} {cost['currency']}"
    without = f"; without a price: {', '.join(cost['unpriced'])}" if cost["unpriced"] else ""
    priced = f"cost by the price table{without}"
    counts = {"conversation": talks["conversations"], "prompt": talks["prompts"], "answer": talks["messages"]}
    tiles = [(f"{count:,}", _noun(count, name)) for name, count in counts.items()]
    tiles.append((money, priced))
    days = [one for one in talks["by_day"] if one["day"]]
    figures = []
    tokens = {
        sort: {one["day"]: (one["tokens"] or {}).get(sort) or 0 for one in days}
        for sort in ("input", "output", "cache_creation")
    }
    if any(any(values.values()) for values in tokens.values()):
        named = {name.replace("_", " "): values for name, values in tokens.items()}
        title = "Tokens over time, without those read from a cache"
        figures.append(_by_day(said, title, plots.stacked_by_day, named, "Tokens"))
    spent = {one["day"]: one["cost"]["total"] or 0 for one in days}
    if any(spent.values()):
        figures.append(_by_day(said, "Cost over time", plots.bars_by_day, spent, cost["currency"]))
    if talks["models"]:
        figures.append(_ranked("Answers by model", talks["models"], label="Answers", noun="models"))
    return Section("Conversations", source, _span(said), tiles, figures)


def _tools(said: Document) -> Section:
    tools = said["conversations"]["tools"] or {}
    source = "tool calls in imported conversations, and which of their results were errors"
    if not tools:
        return Section("Tools", source, _span(said), empty="sbfs conversation import")
    calls = {name: one["calls"] for name, one in tools.items()}
    notes = {name: _errors(one) for name, one in tools.items()}
    figure = _ranked("Calls by tool, and their errors", calls, label="Calls", noun="tools", notes=notes)
    total, errors = sum(calls.values()), sum(one["errors"] or 0 for one in tools.values())
    tiles = [(f"{total:,}", _noun(total, "call")), (f"{errors / total:.1%}" if total else "none", "of them failed")]
    return Section("Tools", source, _span(said), tiles, [figure])


def _errors(tool: Mapping[str, Any]) -> str:
    errors = tool["errors"]
    return f"{tool['calls']:,}" if not errors else f"{tool['calls']:,}, {errors / tool['calls']:.0%} failed"


def _quality(said: Document) -> Section:
    source = "quality records of projects, 0 to 100; a part that was not measured is in no average"
    span = f"{_span(said)}; the latest also from before"
    scores = [one for one in said["quality"] if one["latest"] is not None]
    if not scores:
        return Section(
            "Quality", source, span, empty="sbfs quality measure PROJECT --coverage FILE --lint FILE --tests FILE"
        )
    points = {
        one["project"]: [(point["timestamp"], point["score"]) for point in one["points"] if point["score"] is not None]
        for one in scores
    }
    drawn = {name: found for name, found in points.items() if found}
    figures = []
    if drawn:
        picture = plots.lines(drawn, label="Score", since=said["since"], until=said["until"])
        note = f"The {plots.MOST_LINES} of {len(drawn):,} projects that were measured most; the table has all."
        figures = [Figure("Scores over time", picture, note if len(drawn) > plots.MOST_LINES else "")]
    rows = [(one["project"], f"{one['latest']:g}", _or_dash(one["average"]), _change(one["change"])) for one in scores]
    headings = ("project", "latest", "average", "against the span before")
    return Section("Quality", source, span, figures=figures, tables=[("By project", headings, rows)])


def _or_dash(value: float | None) -> str:
    return "not measured" if value is None else f"{value:g}"


def _change(value: float | None) -> str:
    return "not measured" if value is None else f"{value:+g}"


_COUNTED = ("files", "lines", "functions", "classes", "calls", "unresolved")


def _code(said: Document) -> Section:
    source = "snapshots of code graphs, now and when the span began"
    span = f"{_now(said)}; changes since {_cut(said['since'])} UTC"
    if not said["code"]:
        return Section("Code", source, span, empty="sbfs graph index PROJECT --path DIR")
    rows = [(one["project"], *(_moved(one, name) for name in _COUNTED)) for one in said["code"]]
    headings = ("project", *_COUNTED[:-1], "calls not resolved")
    functions = {one["project"]: one["counts"].get("functions", 0) for one in said["code"]}
    figures = []
    if len(functions) > 1:
        figures = [_ranked("Functions by project", functions, label="Functions", noun="projects with a code graph")]
    tables = [("By project, and the change in the span", headings, rows)]
    return Section("Code", source, span, figures=figures, tables=tables)


def _moved(one: Mapping[str, Any], name: str) -> str:
    now, before = one["counts"].get(name), (one["before"] or {}).get(name)
    if now is None:
        return "not counted"
    return f"{now:,}" if before is None else f"{now:,} ({now - before:+,})"


def _documented(said: Document) -> Section:
    source = "documentation that was indexed with the code: public names that say something of themselves"
    covered = said["covered"]
    if not covered:
        return Section("Documentation", source, _now(said), empty="sbfs docs index PROJECT --path DIR")
    rows = [
        (one.project, f"{one.percent:g} %", f"{one.documented:,} of {one.public:,}", str(len(one.mismatches)))
        for one in covered
    ]
    headings = ("project", "documented", "public names", "parameters that no longer fit")
    return Section("Documentation", source, _now(said), tables=[("By project", headings, rows)])


def _activity(said: Document) -> Section:
    activity = said["activity"]
    least = "" if activity["whole"] else "at least "
    source = "commits of the store, by the times that they say"
    span = _span(said) if activity["whole"] else f"the last {activity['commits']:,} of {_span(said)}"
    if not activity["commits"]:
        return Section("Activity", source, span, empty="sbfs --help")
    figures = [_by_day(said, "Operations over time", plots.bars_by_day, activity["by_day"], "Operations")]
    named = {name or "plain Git": count for name, count in activity["operations"].items()}
    figures.append(_ranked("What was done", named, label="Operations", noun="sorts of operations"))
    return Section(
        "Activity",
        source,
        span,
        [(f"{least}{activity['commits']:,}", _noun(activity["commits"], "operation"))],
        figures,
    )


PARTS: tuple[Callable[[Document], Section], ...] = (
    _mail, _talks, _tools, _quality, _code, _documented, _activity,
)  # fmt: skip
