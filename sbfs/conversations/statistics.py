"""Statistics of conversations: totals, splits by one or two things, and a span against the one before it.

Everything comes from the facts that conversations were given when they were imported, as catalogs hold
them; no turn is read. `tally` adds up, `hours` cuts time, `prices` knows what models cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path

from sbfs import listing, projects
from sbfs.catalog import Catalog, Row
from sbfs.conversations import hours, prices
from sbfs.conversations.hours import Calendar, Piece, Span
from sbfs.conversations.tally import Part, Stats, Tally
from sbfs.conversations.value import KIND, Header
from sbfs.errors import Invalid, NotFound
from sbfs.store import Store, View

DIMENSIONS = (*hours.PERIODS, "project", "model", "agent", "tool")
"""What statistics can be split by."""

EVERYTHING = "*"

Value = str | None
"""Of a dimension: a day, a name; None for what has no time."""


@dataclass(frozen=True)
class Group:
    """What falls on one value of each dimension."""

    values: tuple[Value, ...]
    stats: Stats


@dataclass(frozen=True)
class Window:
    """The last days, and as many before them."""

    days: int
    span: Span
    stats: Stats
    before_span: Span
    before: Stats


@dataclass(frozen=True)
class Statistics:
    """An answer. groups: by `by`, times first to last, names by how much they stand for. zone: in which
    days are cut. prices: the tables that money was counted by. unreadable: (path, why) of files that
    are not in the sums."""

    total: Stats
    span: Span
    zone: str
    prices: prices.Prices
    by: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    windows: tuple[Window, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Talk:
    """A conversation, hour by hour."""

    header: Header
    pieces: Sequence[Piece]


def stats(
    store: Store,
    *,
    session_id: str = EVERYTHING,
    by: str | Sequence[str] = "",
    since: datetime | None = None,
    until: datetime | None = None,
    zone: str = "UTC",
    windows: Sequence[int] = (),
    project: str = "",
    agent: str = "",
    model: str = "",
    tool: str = "",
    prices_file: str | Path = "",
    at: str | None = None,
) -> Statistics:
    """Count conversations. Empty ones, in which nobody said anything, are left out.

    session_id: a project, a conversation (id or unique beginning), or `*`. by: `day`, `week`, `month`,
    `project`, `model`, `agent`, `tool`, or several (`day,model`). since, until: whole hours. zone: in
    which days are cut, `Europe/Berlin`. windows: days; each is compared with as many before it. project,
    agent, model (a part of its name), tool: only conversations of it, or in which it took part, each of
    them whole.
    prices_file: a price table to use before the others.
    """
    dimensions = _dimensions(by)
    place = hours.zone_of(zone)
    span = Span.around(since, until, place)
    _check_windows(windows, dimensions, since, until)
    view = store.view(at)
    money = prices.of(store, prices_file)
    calendar = Calendar(place)
    scope = _scope(view, session_id, project)
    wanted = _Wanted(agent, model, tool)
    troubles: list[tuple[str, str]] = []
    # Where nothing asks for a time, what is counted of the whole is enough.
    hourly = bool(windows or span != Span() or {*dimensions} & {*hours.PERIODS})
    headers = _headers(scope, span, wanted, troubles)
    talks = [_talk(one, calendar, hourly=hourly or not _is_steady(one, money)) for one in headers]
    total, groups = _count(talks, span, dimensions, calendar, money)
    return Statistics(
        total,
        span,
        zone,
        money,
        dimensions,
        groups,
        tuple(_window(talks, days, store.clock(), calendar, money) for days in windows),
        tuple(troubles),
    )


# -- what is asked ---------------------------------------------------------------------------------


def _dimensions(by: str | Sequence[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in (by.split(",") if isinstance(by, str) else by) if name.strip())
    for name in names:
        if name not in DIMENSIONS:
            raise Invalid(f"{name!r} is none of {', '.join(DIMENSIONS)}", field="by")
    if len(set(names)) < len(names):
        raise Invalid("names the same twice", field="by")
    if {"model", "tool"} <= {*names}:
        raise Invalid("model and tool do not cross: which model called a tool is not counted", field="by")
    return names


def _check_windows(
    windows: Sequence[int], dimensions: tuple[str, ...], since: datetime | None, until: datetime | None
) -> None:
    if any(not 0 < days <= 36_500 for days in windows):
        raise Invalid("must be numbers of days, such as 7", field="windows")
    if windows and (dimensions or since or until):
        hint = "ask for one after the other"
        raise Invalid("compares the last days as a whole: without by, since and until", field="windows", hint=hint)


@dataclass(frozen=True)
class _Wanted:
    """Which conversations are counted; "" for any."""

    agent: str
    model: str
    tool: str

    def matches(self, header: Header) -> bool:
        facts = header.plain_facts
        return (
            not header.is_empty
            and self.agent in ("", header.agent)
            and (not self.model or any(self.model in name for name in header.models))
            and (not self.tool or self.tool in facts.get("tools", ()))
        )


@dataclass(frozen=True)
class _Place:
    """Where conversations are looked for: a project's catalog; path: of the only one, or ""."""

    catalog: Catalog[None]
    path: str = ""

    def rows(self, last: str) -> Iterator[Row]:
        """Rows of conversations that began before an hour; "" for any."""
        if self.path:
            row = self.catalog.row(self.path)
            yield from [row] if row else []
            return
        for month, tree in self.catalog.periods():
            if not last or month <= last[:7].replace("-", "/"):
                yield from self.catalog.rows(month, tree)


def _scope(view: View, session_id: str, project: str) -> list[_Place]:
    """Where to look. Raises NotFound where the id names neither a project nor a conversation, or Ambiguous."""
    if session_id in ("", EVERYTHING):
        return [_Place(_catalog(view, name)) for name in listing.owners(view, project)]
    try:
        named = projects.resolve(view, session_id).name
    except NotFound:
        path = view.find((KIND,), session_id, what="project or conversation")[0]
        if view.record(path).removed:
            raise listing.gone("conversation", session_id) from None
        named = path.split("/")[1]
        _refuse_other(view, named, project)
        return [_Place(_catalog(view, named), path)]
    _refuse_other(view, named, project)
    return [_Place(_catalog(view, named))]


def _refuse_other(view: View, found: str, project: str) -> None:
    if project and projects.resolve(view, project).name != found:
        raise Invalid(f"is another one than {found}", field="project", hint="leave one of them out")


def _catalog(view: View, project: str) -> Catalog[None]:
    return Catalog(view, KIND, f"projects/{project}/conversations", lambda _: None)


def _headers(
    places: Iterable[_Place], span: Span, wanted: _Wanted, troubles: list[tuple[str, str]]
) -> Iterator[Header]:
    _, last = span.keys()
    for row in (row for place in places for row in place.rows(last)):
        if row.trouble:
            troubles.append((row.path, row.trouble))
        elif row.header is not None:
            header = Header(row.path, *row.header)
            if wanted.matches(header):
                yield header


def _talk(header: Header, calendar: Calendar, *, hourly: bool) -> _Talk:
    by_hour = header.plain_hours if hourly else {}
    return _Talk(header, hours.pieces(by_hour, header.plain_facts, header.started, header.ended, calendar))


def _is_steady(header: Header, money: prices.Prices) -> bool:
    """Whether the prices of its models never changed."""
    return all(money.is_steady(model) for model in header.plain_facts.get("models", ()))


# -- counting --------------------------------------------------------------------------------------


def _count(
    talks: Iterable[_Talk], span: Span, by: tuple[str, ...], calendar: Calendar, money: prices.Prices
) -> tuple[Stats, tuple[Group, ...]]:
    """The sum of what falls into a span, and the same by the value of each dimension."""
    total = Tally(money)
    part: Part = "model" if "model" in by else "tool" if "tool" in by else ""
    tallies: dict[tuple[Value, ...], Tally] = {}
    for talk in talks:
        header = talk.header
        meeting = (header.path, header.started, header.quality)
        for number, piece in _within(talk.pieces, span):
            begins = number == 0
            if part or not by:
                total.meet(*meeting, begins=begins)
                total.add(*piece)
            for values in product(*(_values(name, header, piece, calendar) for name in by)) if by else ():
                tally = tallies.get(values) or tallies.setdefault(values, Tally(money, part))
                tally.meet(*meeting, begins=begins)
                _add_part(tally, part, values[by.index(part)] if part else None, piece)
    if not part:
        # Each piece is in one group, so the groups' sums make the whole.
        for tally in tallies.values():
            total.take(tally)
    groups = [Group(values, tally.stats()) for values, tally in tallies.items()]
    return total.stats(), tuple(sorted(groups, key=_order(by, groups)))


def _within(pieces: Sequence[Piece], span: Span) -> Iterator[tuple[int, Piece]]:
    """The pieces of a span, each with its number in the conversation. What has no time is in the open span only."""
    first, last = span.keys()
    open_span = not (first or last)
    for number, piece in enumerate(pieces):
        hour = piece[0]
        if open_span or (hour and hour >= first and (not last or hour < last)):
            yield number, piece


def _values(name: str, header: Header, piece: Piece, calendar: Calendar) -> Sequence[Value]:
    """The values of a dimension that a piece counts to: one, or each of its models or tools."""
    if name in hours.PERIODS:
        return (calendar.period(name, piece[0]),)
    if name == "project":
        return (header.project,)
    if name == "agent":
        return (header.agent,)
    return (*piece[1].get(f"{name}s", ()),)


def _add_part(tally: Tally, part: Part, value: Value, piece: Piece) -> None:
    hour, facts, elapsed = piece
    if part == "model":
        tally.add_model(hour, str(value), facts["models"][value])
    elif part == "tool":
        tally.add_tools({str(value): facts["tools"][value]})
    else:
        tally.add(hour, facts, elapsed)


def _order(by: tuple[str, ...], groups: Sequence[Group]) -> Callable[[Group], tuple[tuple[float, str], ...]]:
    """Times first to last, what has none at the end; names by what they stand for in all, most first."""
    weights: dict[tuple[int, Value], int] = {}
    for group in groups:
        for place, value in enumerate(group.values):
            weight = group.stats.tool_calls.calls if group.stats.tool_calls and "tool" in by else group.stats.messages
            weights[place, value] = weights.get((place, value), 0) + (weight or 0)

    def rank(name: str, place: int, value: Value) -> tuple[float, str]:
        first = float(value is None) if name in hours.PERIODS else -float(weights[place, value])
        return first, value or ""

    return lambda group: tuple(rank(by[place], place, value) for place, value in enumerate(group.values))


def _window(talks: Sequence[_Talk], days: int, now: datetime, calendar: Calendar, money: prices.Prices) -> Window:
    span = hours.last_days(days, now)
    before = span.before(days)
    sums = [_count(talks, one, (), calendar, money)[0] for one in (span, before)]
    return Window(days, span, sums[0], before, sums[1])
