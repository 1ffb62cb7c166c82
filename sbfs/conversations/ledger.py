"""What statistics need of conversations, in few and plain numbers: one file a project, two lines a month.

A cache below .git/sbfs/statistics/, made from the catalog of conversations. Each month names the tree that it was
made from, so it is right or is made anew; only the months and the cuts that are asked for are decoded.

A piece, of a whole conversation or of one of its hours, is

    [hour, elapsed milliseconds or null, [as NUMBERS], {model: [as COUNTS]}, {tool: [as CALLS]}, [as COUNTS] or null]

the last of which is what its sub-agents did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sbfs.catalog import Catalog, Row, keep_sealed, read_sealed
from sbfs.conversations.hours import Calendar, pieces
from sbfs.store import View

if TYPE_CHECKING:
    from sbfs.conversations.value import Header

_VERSION = 1
"""Of the files. It grows when what they hold is worked out otherwise."""

NUMBERS = ("prompts", "messages", "turns", "thinking", "interruptions", "compactions", "commits", "active_ms")
COUNTS = ("messages", "input", "output", "cache_creation", "cache_read", "cache_creation_hour")
CALLS = ("calls", "results", "errors", "interrupted")

Piece = list[Any]

MODELS, TOOLS = 3, 4
"""Where they stand in a piece."""


class Talk(NamedTuple):
    """A conversation. started: as records write times, "" where unknown. whole: all of it as one piece."""

    id: str
    agent: str
    started: str
    quality: float | None
    models: list[str]
    whole: Piece


class Month:
    """The conversations that began in a month and in which somebody said something."""

    def __init__(self, lines: Sequence[bytes]):
        self._lines = lines

    @cached_property
    def _said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._lines[0])
        return found

    @cached_property
    def talks(self) -> list[Talk]:
        """By id."""
        return [Talk(*row) for row in self._said["talks"]]

    @cached_property
    def hours(self) -> list[list[Piece] | None]:
        """Of each of them, its hours in the order of time, what has no time last; None where it is one piece."""
        found: list[list[Piece] | None] = json.loads(self._lines[1])
        return found

    def pieces(self, number: int) -> list[Piece]:
        """The hours of a conversation, by its number among `talks`."""
        return self.hours[number] or [self.talks[number].whole]

    @property
    def troubles(self) -> list[tuple[str, str]]:
        """(path, why) of the files that cannot be read."""
        return [(path, why) for path, why in self._said["troubles"]]


def months(view: View, project: str, last: str = "") -> Iterator[Month]:
    """The months of a project, newest first; none that begins after `last`, a time as records write it."""
    folder = f"projects/{project}/conversations"
    top = view.repo.folder(view.commit.tree, folder)
    if top is None:
        return
    known = _known(view, project)
    if known.top != top:
        known = _brought_along(view, project, folder, top, known)
    for month, (_, lines) in known.months.items():
        if not last or month <= last[:7].replace("-", "/"):
            yield Month(lines)


class _Known(NamedTuple):
    """A file's content. top: the tree that it was made from; months: YYYY/MM → (tree, its two lines)."""

    top: str
    months: Mapping[str, tuple[str, Sequence[bytes]]]


def _known(view: View, project: str) -> _Known:
    raw = read_sealed(_file(view, project))
    if raw is None:
        return _Known("", {})
    first, *lines = raw.split(b"\n")
    head = json.loads(first)
    if head["version"] != _VERSION:
        return _Known("", {})
    places = enumerate(head["months"])
    return _Known(head["top"], {month: (tree, lines[2 * n : 2 * n + 2]) for n, (month, tree) in places})


def _brought_along(view: View, project: str, folder: str, top: str, known: _Known) -> _Known:
    """The same for another tree: months that changed are made anew."""
    # Loading what a conversation is takes a tenth of what all statistics take.
    from sbfs.conversations.value import KIND

    catalog: Catalog[None] = Catalog(view, KIND, folder, lambda _: None)
    found: dict[str, tuple[str, Sequence[bytes]]] = {}
    for month, tree in catalog.periods():
        old = known.months.get(month)
        found[month] = old if old and old[0] == tree else (tree, _lines(catalog.rows(month, tree)))
    head = {"version": _VERSION, "top": top, "months": [(month, found[month][0]) for month in found]}
    data = b"\n".join([json.dumps(head).encode(), *(line for _, lines in found.values() for line in lines)])
    if view.current:
        keep_sealed(_file(view, project), data)
    return _Known(top, found)


def _file(view: View, project: str) -> Any:
    return view.repo.gitdir / "sbfs" / "statistics" / f"{project}.jsonl"


def _lines(rows: Sequence[Row]) -> Sequence[bytes]:
    from sbfs.conversations.value import Header

    headers = [Header(row.path, *row.header) for row in rows if row.header is not None]
    headers = [header for header in headers if not header.is_empty]
    calendar = Calendar(UTC)
    talks = [
        Talk(one.id, one.agent, one.started, one.quality, one.models, _cut(one, {}, calendar)[0]) for one in headers
    ]
    hours = [_cut(one, one.plain_hours, calendar) for one in headers]
    told = {"talks": talks, "troubles": [(row.path, row.trouble) for row in rows if row.trouble]}
    by_hour = [None if one == [talk.whole] else one for one, talk in zip(hours, talks, strict=True)]
    return [json.dumps(one, separators=(",", ":")).encode() for one in (told, by_hour)]


def _cut(one: Header, by_hour: Mapping[str, Mapping[str, Any]], calendar: Calendar) -> list[Piece]:
    cut = pieces(by_hour, one.plain_facts, one.started, one.ended, calendar)
    return [[hour, elapsed, *_compact(facts)] for hour, facts, elapsed in cut]


def _compact(facts: Mapping[str, Any]) -> list[Any]:
    side = facts.get("subagents")
    return [
        _row(facts, NUMBERS),
        {name: _row(count, COUNTS) for name, count in (facts.get("models") or {}).items()},
        {name: _row(count, CALLS) for name, count in (facts.get("tools") or {}).items()},
        _row(side, COUNTS) if side else None,
    ]


def _row(counts: Mapping[str, int], names: Sequence[str]) -> list[int]:
    return [counts.get(name, 0) for name in names]
