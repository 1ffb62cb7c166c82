"""What domains share when they read: lists by date, one record by its id, an edit that is not saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from sbfs import files, projects, times
from sbfs.catalog import Catalog, Row
from sbfs.errors import NotFound
from sbfs.kind import Kind
from sbfs.record import Record
from sbfs.store import Store, View

S = TypeVar("S")


class Header(Protocol):
    """What a list knows of a record without reading it. order: time and id, what lists sort by and cursors name."""

    @property
    def order(self) -> str:
        """`2026-11-22T14:03:07.123Z,<id>`."""


H = TypeVar("H", bound=Header)


@dataclass
class Found(Generic[H]):
    """A part of a list: the headers shown, how many match in all, whether more follow, and (path, why)
    of files that cannot be read."""

    shown: list[H] = field(default_factory=list)
    total: int = 0
    more: bool = False
    troubles: list[tuple[str, str]] = field(default_factory=list)

    @property
    def next(self) -> str | None:
        """The cursor for the following part."""
        return self.shown[-1].order if self.more and self.shown else None


@dataclass(frozen=True)
class Wanted(Generic[S, H]):
    """What is asked of a list. header: of a row that is a record. matches: whether it belongs in.
    since: text of a time, nothing older matches. count: how many of a period match, by its summary,
    where that is enough to know."""

    header: Callable[[Row], H]
    matches: Callable[[H], bool]
    since: str = ""
    count: Callable[[S], int] | None = None


def scan(catalogs: Sequence[Catalog[S]], wanted: Wanted[S, H], *, limit: int, cursor: str | None) -> Found[H]:
    """Walk folders together, newest first. Periods that nothing is shown of are counted by their summaries."""
    found: Found[H] = Found()
    summaries = [catalog.summaries() if wanted.count else {} for catalog in catalogs]
    for period, places in _by_period(catalogs):
        if wanted.since and period < _period(wanted.since, period):
            break
        behind = cursor is not None and period > _period(cursor, period)
        if wanted.count and (behind or len(found.shown) >= limit):
            counted = sum(wanted.count(summaries[place][period]) for place, _ in places)
            found.total += counted
            found.more = found.more or bool(counted and not behind)
        else:
            rows = [row for place, tree in places for row in catalogs[place].rows(period, tree)]
            _add(found, rows, wanted, limit, cursor)
    return found


def _by_period(catalogs: Sequence[Catalog[S]]) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """(period, [(which catalog, tree)]), newest first."""
    places: dict[str, list[tuple[int, str]]] = {}
    for place, catalog in enumerate(catalogs):
        for period, tree in catalog.periods():
            places.setdefault(period, []).append((place, tree))
    yield from sorted(places.items(), reverse=True)


def _period(moment: str, like: str) -> str:
    """The period of a time's text, as long as another one."""
    return moment[: len(like)].replace("-", "/")


def _add(found: Found[H], rows: Sequence[Row], wanted: Wanted[S, H], limit: int, cursor: str | None) -> None:
    found.troubles += [(row.path, row.trouble) for row in rows if row.trouble]
    headers = (wanted.header(row) for row in rows if row.header is not None)
    for header in sorted(headers, key=lambda one: one.order, reverse=True):
        if not wanted.matches(header):
            continue
        found.total += 1
        if cursor is not None and header.order >= cursor:
            continue
        if len(found.shown) >= limit:
            found.more = True
        else:
            found.shown.append(header)


def owners(view: View, project: str) -> list[str]:
    """The projects that a list is about: one, by any name it had, or, for "", all. Raises NotFound."""
    return [projects.resolve(view, project).name] if project else view.names("projects")


def living(view: View, kind: Kind[Any], id: str, *, what: str) -> Record:
    """The record that an id, or a unique beginning of one, names; not checked yet. Raises NotFound, also
    for a removed one, Ambiguous, or Invalid where the file cannot be read."""
    record = view.record(view.find((kind,), id, what=what)[0])
    if record.removed:
        raise gone(what, id)
    return record


def gone(what: str, id: str) -> NotFound:
    """The error for a record that was there."""
    return NotFound(what, id, hint="it was removed; 'sbfs log' shows when, 'sbfs undo' brings it back")


def unsaved(store: Store, record: Record) -> Record | None:
    """The record as a person's unsaved edit says it, or None where there is no such edit.

    Raises Invalid where the edit cannot be read.
    """
    disk = files.read(files.join(store.root, record.path))
    if disk is None or disk == record.raw:
        return None
    edited = Record.parse(record.path, disk)
    return None if edited.removed else edited


def text_of(moment: datetime | None) -> str:
    """A time as records write it, which sorts as times do; "" for None."""
    return times.dump(moment) if moment else ""
