"""A graph opened for questions: its cache at one state, and how that stands to the source as it is now."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sbfs import projects
from sbfs.errors import Invalid, NotFound
from sbfs.graph import cache, hints
from sbfs.graph.cache import meta
from sbfs.graph.standing import Standing, standing_of
from sbfs.graph.value import SNAPSHOT, Snapshot, folder_of, load
from sbfs.store import Store, View

T = TypeVar("T")

CONFIDENCES = ("exact", "inferred", "name", "ambiguous")
"""From the surest on; a question is answered with those up to the one that is asked for."""

CALLS = ("calls", "component_calls")


class Row(NamedTuple):
    """An edge as it lies in the cache: the ends by their numbers, lists parted by spaces."""

    source: int
    target: int
    type: str
    confidence: str
    said_lines: str
    said_flags: str

    def at(self, side: str) -> int:
        """The end at a side, `source` or `target`."""
        return self.source if side == "source" else self.target

    @property
    def lines(self) -> tuple[int, ...]:
        """Where it stands in the source's file."""
        return tuple(map(int, self.said_lines.split()))

    @property
    def flags(self) -> tuple[str, ...]:
        """implicit, renders and the like."""
        return tuple(self.said_flags.split())


_KEPT = 4
"""Caches of past states that are kept beside the current ones."""

Progress = Callable[[str, int, int], None]


def quiet(what: str, done: int, whole: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Symbol:
    """A named thing in code. name: dotted, as imports would write it. type: as facts say, or `file`, or `external`.

    class_type: class, interface, type, enum or trait of what is one. doc: its first paragraph.
    """

    id: str
    name: str
    type: str
    file: str
    start_line: int
    end_line: int
    signature: str = ""
    is_export: bool = False
    class_type: str = ""
    visibility: str = "public"
    flags: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    complexity: int = 0
    doc: str = ""


@dataclass(frozen=True)
class Edge:
    """A relation between two symbols, by their ids. lines: in the source's file."""

    source: str
    target: str
    type: str
    confidence: str
    lines: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A part of a list, and what it was told of. about: ids of what was asked for. left_out: edges that were not
    followed because they are less sure than what was asked for."""

    items: tuple[Any, ...]
    total: int
    next: str | None
    standing: Standing
    about: tuple[str, ...] = ()
    left_out: int = 0


def answer(
    found: Sequence[Any],
    standing: Standing,
    limit: int,
    cursor: str | None,
    *,
    about: Iterable[str] = (),
    left_out: int = 0,
) -> Answer:
    """The part of a list behind the cursor, which says how many came before. Raises Invalid."""
    if limit < 1:
        raise Invalid("must be at least 1", field="limit")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9):
        raise Invalid(f"{cursor!r} is no cursor", field="cursor", hint="take a former answer's `next`")
    begin = int(cursor or 0)
    end = begin + limit
    following = str(end) if end < len(found) else None
    return Answer(tuple(found[begin:end]), len(found), following, standing, tuple(about), left_out)


_CLASSES = {"class", "interface", "type", "enum", "trait", "namespace"}

_COLUMNS = "node, id, path, name, last, dotted, type, first, final, facts"


@dataclass(frozen=True)
class Node:
    """A symbol, a file, or what lies outside. number: within this cache. facts: what else is known."""

    number: int
    id: str
    path: str
    name: str
    last: str
    dotted: str
    type: str
    first: int
    final: int
    said: str = field(repr=False, default="{}")

    @property
    def facts(self) -> Mapping[str, Any]:
        """Signature, flags and the like."""
        found: Mapping[str, Any] = json.loads(self.said)
        return found

    @property
    def symbol(self) -> Symbol:
        """As answers say it."""
        get = self.facts.get
        return Symbol(
            id=self.id,
            name=self.dotted,
            type=self.type,
            file=self.path,
            start_line=self.first,
            end_line=self.final,
            signature=get("signature", ""),
            is_export=bool(get("exported", False)),
            class_type=self.type if self.type in _CLASSES else "",
            visibility=get("visibility", "public"),
            flags=tuple(get("flags", ())),
            decorators=tuple(get("decorators", ())),
            bases=tuple(get("bases", ())),
            complexity=get("complexity", 0),
            doc=get("doc", ""),
        )


class Graph:
    """The links of one state. Numbers of nodes are those of its cache."""

    def __init__(self, data: sqlite3.Connection, snapshot: Snapshot, project: str):
        self.data, self.snapshot, self.project = data, snapshot, project

    def rows(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement gives."""
        with cache.whole():
            return self.data.execute(statement, tuple(values)).fetchall()

    def pairs(self, statement: str) -> Iterator[tuple[Any, str]]:
        """What a statement gives that asks for two things."""
        return ((row[0], row[1]) for row in self.rows(statement))

    def nodes(self, condition: str = "1", values: Iterable[Any] = ()) -> list[Node]:
        """Nodes by a condition of SQL, by their ids."""
        return [
            Node(*row) for row in self.rows(f"SELECT {_COLUMNS} FROM symbols WHERE {condition} ORDER BY id", values)
        ]

    def by_numbers(self, numbers: Iterable[int]) -> dict[int, Node]:
        """Nodes by their numbers."""
        return {row[0]: Node(*row) for row in self._of_many(f"SELECT {_COLUMNS} FROM symbols WHERE node", numbers)}

    def edges(self, side: str, numbers: Iterable[int], types: Sequence[str]) -> list[Row]:
        """(source, target, type, confidence, lines, flags) of the edges that begin ("source") or end ("target") at
        some nodes."""
        kinds = ", ".join(f"'{one}'" for one in types if one.isidentifier())
        columns = "source, target, type, confidence, lines, flags"
        found = self._of_many(f"SELECT {columns} FROM edges WHERE type IN ({kinds}) AND {side}", numbers)
        return [Row(*row) for row in found]

    def _of_many(self, statement: str, numbers: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        wanted = [*numbers]
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            yield from self.rows(f"{statement} IN ({','.join('?' * len(part))})", part)

    def all_edges(self, types: Sequence[str], confidence: str = "name") -> list[Row]:
        """Every edge of some types that is as sure as asked for."""
        kinds = ", ".join(f"'{one}'" for one in types)
        sure = ", ".join(f"'{one}'" for one in up_to(confidence))
        columns = "source, target, type, confidence, lines, flags"
        statement = f"SELECT {columns} FROM edges WHERE type IN ({kinds}) AND confidence IN ({sure})"
        return [Row(*row) for row in self.rows(statement)]

    def blobs(self) -> dict[str, str]:
        """Path → Git's id of the source file that was read."""
        return dict(self.pairs("SELECT path, blob FROM files"))


def up_to(confidence: str) -> tuple[str, ...]:
    """The confidences that are as sure as one. Raises Invalid."""
    if confidence not in CONFIDENCES:
        raise Invalid(f"{confidence!r} is none of {', '.join(CONFIDENCES)}", field="confidence")
    return CONFIDENCES[: CONFIDENCES.index(confidence) + 1]


def as_edge(row: Row, nodes: Mapping[int, Node]) -> Edge:
    """An edge as answers say it."""
    return Edge(nodes[row.source].id, nodes[row.target].id, row.type, row.confidence, row.lines, row.flags)


# -- opening ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """A graph and how it stands."""

    graph: Graph
    standing: Standing
    view: View
    root: Path | None


@contextmanager
def opened(
    store: Store, project: str, at: str | None = None, progress: Progress = quiet, *, stale: bool = True
) -> Iterator[Opened]:
    """The graph of a project, or of the only one that has one, as it is or was. stale: whether the source is looked at.

    Raises NotFound where there is none.
    """
    view = store.view(at)
    name = which(view, project)
    tree = store.repo.folder(view.commit.tree, folder_of(name))
    snapshot = snapshot_of(view, name)
    if tree is None or snapshot is None:
        raise NotFound("code graph of", name, hint=f"read its source: sbfs graph index {name}")
    data = _cache(store, view, name, tree, progress)
    try:
        graph = Graph(data, snapshot, name)
        root = root_of(store, view, name)
        standing = standing_of(
            view, project=name, snapshot=snapshot, tree=tree, blobs=graph.blobs, root=root if stale else None
        )
        yield Opened(graph, standing, view, root)
    except cache.Broken:
        for file in places_of(store, name, tree):
            file.unlink(missing_ok=True)
        raise
    finally:
        data.close()


def asked(store: Store, project: str, at: str | None, progress: Progress, question: Callable[[Opened], T]) -> T:
    """Ask a graph something; a cache that turns out to be damaged is made anew, once."""
    try:
        with opened(store, project, at, progress) as found:
            return question(found)
    except cache.Broken:
        with opened(store, project, at, progress) as found:
            return question(found)


def which(view: View, project: str) -> str:
    """The project that is asked about: by any name it had, or the only one with a graph. Raises NotFound, Invalid."""
    if project:
        return projects.resolve(view, project).name
    having = [name for name in view.names("projects") if view.find_id(SNAPSHOT.path_of(project=name))]
    if len(having) == 1:
        return having[0]
    if not having:
        raise NotFound("code graph of", "any project", hint="read a project's source: sbfs graph index PROJECT")
    shown = ", ".join(having[:8]) + (" …" if len(having) > 8 else "")
    raise Invalid("is missing", field="project", hint=f"these have a code graph: {shown}")


def snapshot_of(view: View, project: str) -> Snapshot | None:
    """The snapshot of a project; None where there is none. Raises Invalid where it cannot be read."""
    record = view.find_record(SNAPSHOT.path_of(project=project))
    if record is None or record.removed:
        return None
    SNAPSHOT.check(record)
    return load(record.data)


def root_of(store: Store, view: View, project: str) -> Path | None:
    """Where a project's source lies on this machine, or None."""
    seen = hints.load_root(store.repo.gitdir, project)
    said = projects.resolve(view, project).source_path
    for place in (seen, said):
        if place and os.path.isabs(place) and os.path.isdir(place):
            return Path(place)
    return None


def places_of(store: Store, project: str, tree: str) -> tuple[Path, Path]:
    """Where the cache of a state may lie: as the project's current one, or as that of a past state."""
    folder = hints.folder(store.repo.gitdir)
    return folder / f"{project}.sqlite", folder / "past" / f"{tree}.sqlite"


def _cache(store: Store, view: View, project: str, tree: str, progress: Progress) -> sqlite3.Connection:
    files = places_of(store, project, tree)
    for file in files:
        if found := cache.open_(file, meta(tree)):
            return found
    from sbfs.graph import live

    with live.held(store, project):
        # Another process may have made it meanwhile.
        for file in files:
            if found := cache.open_(file, meta(tree)):
                return found
        current = files[0] if view.current else files[1]
        made = live.linked(view, tree, progress)
        data = _written(live, current, tree, made)
        forget_old(files[1].parent, current)
    return data


def _written(live: Any, file: Path, tree: str, made: Any) -> sqlite3.Connection:
    with suppress(OSError, sqlite3.OperationalError):
        live.write(file, tree, made.facts, made.links, made.naming)
        if found := cache.open_(file, meta(tree)):
            return found
    # A store that may only be read: the links are kept in memory for this question.
    return cache.in_memory(meta(tree), [*made.facts.values()], made.links, made.naming)


def forget_old(folder: Path, but: Path) -> None:
    """Remove the caches of past states that were made first, as far as there are too many."""
    found = sorted(folder.glob("*.sqlite"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in found[_KEPT:]:
        if file != but:
            file.unlink(missing_ok=True)
