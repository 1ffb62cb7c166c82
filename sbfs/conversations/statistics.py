"""Statistics of conversations: totals, splits by one or two things, and a span against the one before it.

Everything comes from the facts that conversations were given when they were imported; no turn is read. `ledger`
holds them by month and hour, `tally` adds up, `hours` cuts time, `prices` knows what models cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import NamedTuple

from sbfs import listing, projects
from sbfs.conversations import hours, ledger, prices
from sbfs.conversations.hours import Calendar, Span
from sbfs.conversations.ledger import Piece, Talk
from sbfs.conversations.tally import Part, Stats, Tally
from sbfs.errors import Invalid, NotFound
from sbfs.kind import check_word
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


class _Cut(NamedTuple):
    """A conversation, as a whole or hour by hour."""

    project: str
    talk: Talk
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
    _check_agent(agent)
    view = store.view(at)
    money = prices.of(store, prices_file)
    calendar = Calendar(place)
    scope = _scope(view, session_id, project)
    wanted = _Wanted(agent, model, tool)
    troubles: list[tuple[str, str]] = []
    # Where nothing asks for a time, what is counted of the whole is enough.
    hourly = bool(windows or span != Span() or {*dimensions} & {*hours.PERIODS})
    talks = [*_talks(scope, view, span, wanted, money, troubles, hourly=hourly)]
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


def _check_agent(agent: str) -> None:
    if agent:
        from sbfs.conversations.value import AGENTS

        check_word(agent, AGENTS, "agent")


@dataclass(frozen=True)
class _Wanted:
    """Which conversations are counted; "" for any."""

    agent: str
    model: str
    tool: str

    def matches(self, talk: Talk) -> bool:
        return (
            self.agent in ("", talk.agent)
            and (not self.model or any(self.model in name for name in talk.models))
            and (not self.tool or self.tool in talk.whole[ledger.TOOLS])
        )


class _Place(NamedTuple):
    """Where conversations are looked for: a project; id: of the only one, or ""."""

    project: str
    id: str = ""


def _scope(view: View, session_id: str, project: str) -> list[_Place]:
    """Where to look. Raises NotFound where the id names neither a project nor a conversation, or Ambiguous."""
    if session_id in ("", EVERYTHING):
        return [_Place(name) for name in listing.owners(view, project)]
    try:
        named = projects.resolve(view, session_id).name
    except NotFound:
        from sbfs.conversations.value import KIND

        path = view.find((KIND,), session_id, what="project or conversation")[0]
        if view.record(path).removed:
            raise listing.gone("conversation", session_id) from None
        named = path.split("/")[1]
        _refuse_other(view, named, project)
        return [_Place(named, path.split("/")[-2])]
    _refuse_other(view, named, project)
    return [_Place(named)]


def _refuse_other(view: View, found: str, project: str) -> None:
    if project and projects.resolve(view, project).name != found:
        raise Invalid(f"is another one than {found}", field="project", hint="leave one of them out")


def _talks(
    places: Iterable[_Place],
    view: View,
    span: Span,
    wanted: _Wanted,
    money: prices.Prices,
    troubles: list[tuple[str, str]],
    *,
    hourly: bool,
) -> Iterator[_Cut]:
    """The conversations that may have something in a span. hourly: cut into hours, which those are anyway whose models'
    prices changed."""
    _, last = span.keys()
    for place in places:
        for month in ledger.months(view, place.project, last):
            troubles += [one for one in month.troubles if not place.id or one[0].split("/")[-2] == place.id]
            for number, talk in enumerate(month.talks):
                if place.id not in ("", talk.id) or not wanted.matches(talk):
                    continue
                cut = hourly or not all(map(money.is_steady, talk.whole[ledger.MODELS]))
                yield _Cut(place.project, talk, month.pieces(number) if cut else [talk.whole])


# -- counting --------------------------------------------------------------------------------------


def _count(
    talks: Iterable[_Cut], span: Span, by: tuple[str, ...], calendar: Calendar, money: prices.Prices
) -> tuple[Stats, tuple[Group, ...]]:
    """The sum of what falls into a span, and the same by the value of each dimension."""
    total = Tally(money)
    part: Part = "model" if "model" in by else "tool" if "tool" in by else ""
    place = by.index(part) if part else -1
    tallies: dict[tuple[Value, ...], Tally] = {}
    for one in talks:
        path, talk = f"{one.project}/{one.talk.id}", one.talk
        for number, piece in _within(one.pieces, span):
            begins = number == 0
            if part or not by:
                total.meet(path, talk.started, talk.quality, begins=begins)
                total.add(piece)
            for values in product(*(_values(name, one, piece, calendar) for name in by)) if by else ():
                tally = tallies.get(values) or tallies.setdefault(values, Tally(money, part))
                tally.meet(path, talk.started, talk.quality, begins=begins)
                _add_part(tally, part, str(values[place]), piece)
    if not part:
        # Each piece is in one group, so the groups' sums make the whole.
        for tally in tallies.values():
            total.take(tally)
    groups = [Group(values, tally.stats()) for values, tally in tallies.items()]
    return total.stats(), tuple(sorted(groups, key=_order(by, groups)))


def _within(pieces: Sequence[Piece], span: Span) -> Iterator[tuple[int, Piece]]:
    """The pieces of a span, each with its number in the conversation. What has no time is in the open span only."""
    first, last = span.keys()
    if not (first or last):
        yield from enumerate(pieces)
        return
    for number, piece in enumerate(pieces):
        hour = piece[0]
        if hour and hour >= first and (not last or hour < last):
            yield number, piece


def _values(name: str, one: _Cut, piece: Piece, calendar: Calendar) -> Sequence[Value]:
    """The values of a dimension that a piece counts to: one, or each of its models or tools."""
    if name in hours.PERIODS:
        return (calendar.period(name, piece[0]),)
    if name == "project":
        return (one.project,)
    if name == "agent":
        return (one.talk.agent,)
    return (*piece[ledger.MODELS if name == "model" else ledger.TOOLS],)


def _add_part(tally: Tally, part: Part, value: str, piece: Piece) -> None:
    if part == "model":
        tally.add_model(piece[0], value, piece[ledger.MODELS][value])
    elif part == "tool":
        tally.add_tools({value: piece[ledger.TOOLS][value]})
    else:
        tally.add(piece)


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


def _window(talks: Sequence[_Cut], days: int, now: datetime, calendar: Calendar, money: prices.Prices) -> Window:
    span = hours.last_days(days, now)
    before = span.before(days)
    sums = [_count(talks, one, (), calendar, money)[0] for one in (span, before)]
    return Window(days, span, sums[0], before, sums[1])
