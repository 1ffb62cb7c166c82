"""The verbs that read a quality history."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sbfs import projects, times
from sbfs.catalog import Catalog, Row
from sbfs.errors import Invalid
from sbfs.listing import Wanted, living, owners, scan, text_of, unsaved
from sbfs.quality.value import KIND, Header, Measurement, Score, loaded, mean, rounded
from sbfs.store import Page, Store, View

SPAN = timedelta(days=30)
"""What a trend is about unless told."""


@dataclass(frozen=True)
class Shown:
    """A measurement as it is shown. path: of the file. edited: whether an unsaved edit is shown."""

    measurement: Measurement
    path: str
    edited: bool = False


@dataclass(frozen=True)
class Point:
    """One measurement in a trend. score: of the project, the conversation or the component asked for;
    None where it was not measured. conversation: whose it is, or ""."""

    id: str
    timestamp: datetime
    score: Score
    commit: str = ""
    conversation: str = ""


@dataclass(frozen=True)
class Trend:
    """How a score moved. points: oldest first. average: of those that were measured. before: the
    average of the span of the same length before `since`. change: from before to average. None where
    nothing was measured."""

    project: str
    component: str
    since: datetime
    until: datetime
    points: tuple[Point, ...]
    average: Score
    before: Score
    change: float | None


def list(
    store: Store,
    *,
    project: str = "",
    conversation: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
) -> Page:
    """Measurements of a project, or of all, newest first. Items: Measurement.

    conversation: only its scores. cursor: a former answer's `next`.
    """
    view = store.view(at)
    span = (text_of(since), text_of(until))

    def matches(header: Header) -> bool:
        return conversation in ("", header.conversation) and _within(header, span)

    whole = not (conversation or since or until)
    wanted: Wanted[int, Header] = Wanted(_row_header, matches, span[0], int if whole else None)
    catalogs = [_catalog(view, name) for name in owners(view, project)]
    found = scan(catalogs, wanted, limit=limit, cursor=cursor)
    items = [loaded(view.record(header.path)) for header in found.shown]
    return Page(items, found.total, found.next, tuple(found.troubles))


def show(store: Store, *, quality_id: str, at: str | None = None) -> Shown:
    """A measurement by its id or a unique prefix. An unsaved edit of the file is shown, and said."""
    record = living(store.view(at), KIND, quality_id, what="measurement")
    edited = None if at else unsaved(store, record)
    return Shown(loaded(edited or record), record.path, edited is not None)


def trend(
    store: Store,
    *,
    project: str,
    component: str = "",
    conversations: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    at: str | None = None,
) -> Trend:
    """How a project's score moved, and how its average compares with the span of the same length before.

    component: its value instead of the score. conversations: the scores of the project's conversations
    instead of its own. since, until: thirty days up to now unless told.
    """
    view = store.view(at)
    name = projects.resolve(view, project).name
    end = until or store.clock()
    begin = since or _earlier(end, SPAN)
    if begin >= end:
        raise Invalid(f"{times.dump(begin)} is not before {times.dump(end)}", field="since", hint="give an earlier one")
    first = _earlier(begin, end - begin)
    found = points(view, name, component=component, conversations=conversations, since=first, until=end)
    now = tuple(point for point in found if point.timestamp >= begin)
    average, before = mean(one.score for one in now), mean(one.score for one in found if one.timestamp < begin)
    change = None if average is None or before is None else rounded(round(average - before, 2))
    return Trend(name, component, begin, end, now, average, before, change)


def _earlier(moment: datetime, span: timedelta) -> datetime:
    """The moment a span before, as far as there are any."""
    return moment - min(span, moment - datetime.min.replace(tzinfo=UTC))


def points(
    view: View,
    project: str,
    *,
    component: str = "",
    conversations: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Point, ...]:
    """A project's measurements in a span, oldest first; with a component, those that have it."""
    span = (text_of(since), text_of(until))

    def matches(header: Header) -> bool:
        known = not component or component in header.values
        return known and bool(header.conversation) == conversations and _within(header, span)

    wanted: Wanted[int, Header] = Wanted(_row_header, matches, span[0])
    found = scan([_catalog(view, project)], wanted, limit=sys.maxsize, cursor=None).shown
    return tuple(_point(header, component) for header in reversed(found))


def _point(header: Header, component: str) -> Point:
    score = header.values[component] if component else header.score
    return Point(header.id, times.load(header.created), score, header.commit, header.conversation)


def _within(header: Header, span: tuple[str, str]) -> bool:
    return span[0] <= header.created and (not span[1] or header.created < span[1])


def _catalog(view: View, project: str) -> Catalog[int]:
    return Catalog(view, KIND, f"projects/{project}/quality", _count)


def _count(rows: Sequence[Row]) -> int:
    return sum(row.header is not None for row in rows)


def _row_header(row: Row) -> Header:
    assert row.header is not None
    return Header(row.path, *row.header)
