"""The verbs that ask how files and symbols belong together: related files, ways between two, what a change reaches."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sbfs.errors import Invalid
from sbfs.git import source as commits
from sbfs.graph import asking, naming
from sbfs.graph.opened import (
    CALLS,
    Answer,
    Edge,
    Graph,
    Node,
    Opened,
    Progress,
    Row,
    Symbol,
    answer,
    as_edge,
    asked,
    quiet,
    up_to,
)
from sbfs.graph.standing import Standing
from sbfs.store import Store

RELATIONS = ("imports", "imported_by", "calls", "called_by")

COMMITS = 300
"""Commits of a file's history that are looked at for what changed together with it."""

WAYS = 5
"""Ways between two symbols that are told at most."""

_MANY = 100
"""Shortest ways beyond which only one is told."""

_LONGEST = 30
"""Edges of a way at most."""

_REACHED = 20_000
"""Symbols beyond which the reach of a change is only counted as far."""

THRESHOLDS = {"medium": 5, "high": 20, "critical": 100}
"""Symbols that a change can reach, from which on its risk is called so."""

_DEPENDS = (*CALLS, "extends", "imports")


@dataclass(frozen=True)
class Related:
    """A file that belongs to another. score: 0 to 1, of the most related one 1. why: in words, the weightiest first.
    relation, function, line: where one relation was asked for."""

    file: str
    score: float
    why: tuple[str, ...]
    relation: str = ""
    function: str = ""
    line: int = 0
    module: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class Way:
    """How one symbol leads to another: the symbols in order, and the edges between them."""

    symbols: tuple[Symbol, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Ways:
    """The shortest ways from one symbol to another. reversed: whether they lead from the second to the first.
    nearest: where there is none, what the first one reaches that is nearest to the second by its file."""

    ways: tuple[Way, ...]
    reversed: bool
    nearest: Symbol | None
    standing: Standing


@dataclass(frozen=True)
class Dependent:
    """What depends on a symbol directly. edge: how. lines: where, in its file."""

    id: str
    name: str
    file: str
    edge: str
    confidence: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Affected:
    """A file that a change may reach. depth: edges on the way, at least."""

    path: str
    depth: int


@dataclass(frozen=True)
class Impact:
    """What changing something may reach. target: ids. risk_level: low, medium, high or critical, and why.

    blast_radius: symbols, files, by_depth (depth → symbols), by_confidence (of the least sure edge → symbols).
    truncated: whether more is reached than was followed.
    """

    target: tuple[str, ...]
    direct_dependents: tuple[Dependent, ...]
    affected_files: tuple[Affected, ...]
    risk_level: str
    risk_reasons: tuple[str, ...]
    blast_radius: Mapping[str, Any]
    truncated: bool
    standing: Standing


# -- related files ---------------------------------------------------------------------------------


def related(
    store: Store,
    *,
    file: str,
    type: str = "",
    project: str = "",
    confidence: str = "name",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """Files that belong to a file. Items: Related.

    file: its path below the source's folder, the end of it, or an absolute path. type: imports, imported_by, calls or
    called_by: what stands in that relation; without one, files ranked by edges both ways, by what changed together in
    the project's own Git log, and by names.
    """
    if type and type not in RELATIONS:
        raise Invalid(f"{type!r} is none of {', '.join(RELATIONS)}", field="type")
    project, path = naming.located(store, project, file, at)
    sure = up_to(confidence)

    def question(found: Opened) -> Answer:
        middle = naming.file(found.graph, path)
        ask: Callable[[], list[Related]] = {
            "imports": lambda: _by_imports(found.graph, middle, "source", "imports"),
            "imported_by": lambda: _by_imports(found.graph, middle, "target", "imported_by"),
            "calls": lambda: _by_calls(found.graph, middle, "source", "calls", sure),
            "called_by": lambda: _by_calls(found.graph, middle, "target", "called_by", sure),
            "": lambda: _ranked(found, middle, sure),
        }[type]
        return answer(ask(), found.standing, limit, cursor, about=[middle.id])

    return asked(store, project, at, progress, question)


def _by_imports(graph: Graph, middle: Node, side: str, relation: str) -> list[Related]:
    return [
        Related(one.file, 1.0, (), relation, line=one.line, module=one.module, confidence=one.confidence)
        for one in asking.imported(graph, [middle], side)
    ]


def _by_calls(graph: Graph, middle: Node, side: str, relation: str, sure: Sequence[str]) -> list[Related]:
    """Calls that leave a file, or come into it from another."""
    own = graph.nodes("path = ? AND type != 'file'", [middle.path])
    calls, _ = asking.follow(graph, own, side, 1, sure)
    own_ids = {one.id for one in own}
    return [
        Related(one.file, 1.0, (), relation, one.function, one.line, one.function, one.confidence)
        for one in calls
        if one.id not in own_ids
    ]


def _ranked(found: Opened, middle: Node, sure: Sequence[str]) -> list[Related]:
    """By the sum of what each sort of evidence says, each at most as much as its weight."""
    graph = found.graph
    ties = _ties(graph, middle, sure)
    files = {row[0] for row in graph.rows("SELECT path FROM files")}
    together, count = commits.together(found.root, middle.path, COMMITS) if found.root else (Counter(), 0)
    names = _named_alike(middle.path, files)
    most = max((sum(kinds.values()) for kinds in ties.values()), default=1)
    result = []
    for path in files & {*ties, *together, *names} - {middle.path}:
        parts = []
        if kinds := ties.get(path):
            said = ", ".join(f"{_SAID[kind]} ({number})" for kind, number in sorted(kinds.items()))
            parts.append((0.5 + 0.5 * sum(kinds.values()) / most, said))
        if number := together.get(path, 0):
            parts.append((0.8 * number / max(count, 3), f"changed together in {number} of {count} commits"))
        if path in names:
            parts.append((names[path], "named alike"))
        parts.sort(reverse=True)
        result.append((sum(weight for weight, _ in parts), path, tuple(said for _, said in parts)))
    best = max((weight for weight, _, _ in result), default=1.0)
    result.sort(key=lambda one: (-one[0], one[1]))
    return [Related(path, round(weight / best, 3), why) for weight, path, why in result]


_SAID = {
    "imports": "imported by it",
    "imported_by": "imports it",
    "calls": "called by it",
    "called_by": "calls it",
    "extends": "has a base of it",
    "extended_by": "has a class that extends one of it",
}


def _ties(graph: Graph, middle: Node, sure: Sequence[str]) -> dict[str, Counter[str]]:
    """Path → sort of relation → edges."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    own = [middle, *graph.nodes("path = ? AND type != 'file'", [middle.path])]
    for side, other, names in (
        ("source", "target", ("imports", "calls", "extends")),
        ("target", "source", ("imported_by", "called_by", "extended_by")),
    ):
        rows = [row for row in graph.edges(side, [one.number for one in own], _DEPENDS) if row.confidence in sure]
        ends = graph.by_numbers({row.at(other) for row in rows})
        for row in rows:
            path = ends[row.at(other)].path
            kind = names[0] if row.type == "imports" else names[2] if row.type == "extends" else names[1]
            if path and path != middle.path:
                found[path][kind] += 1
    return found


def _named_alike(path: str, files: Iterable[str]) -> dict[str, float]:
    """Files whose names share words with a file's, as a module and its tests do."""
    own = _words(path)
    found = {}
    for other in files:
        words = _words(other)
        if own and (common := own & words) and other != path:
            found[other] = 0.4 * len(common) / len(own | words)
    return {other: weight for other, weight in found.items() if weight >= 0.2}


_PLAIN = {"test", "tests", "spec", "init", "index", "main", "mod", "lib"}


def _words(path: str) -> set[str]:
    stem = path.rpartition("/")[2].partition(".")[0]
    found = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", stem)}
    return found - _PLAIN


# -- ways ------------------------------------------------------------------------------------------


def path(
    store: Store,
    *,
    first: str,
    second: str,
    project: str = "",
    confidence: str = "name",
    at: str | None = None,
    progress: Progress = quiet,
) -> Ways:
    """The shortest ways from one symbol, or file, to another over calls, inheritance and imports; where there is none,
    those back."""

    def question(found: Opened) -> Ways:
        graph = found.graph
        begin, end = (naming.find(graph, name, files=True) for name in (first, second))
        net = Net(graph, confidence)
        for turned, sides in ((False, (begin, end)), (True, (end, begin))):
            ways = [way for one in sides[0] for other in sides[1] for way in net.ways(one.number, other.number)]
            if ways:
                shortest = min(map(len, ways))
                chosen = sorted(way for way in ways if len(way) == shortest)[:WAYS]
                return Ways(tuple(_way(graph, net, one) for one in chosen), turned, None, found.standing)
        return Ways((), False, _nearest(graph, net, begin[0], end[0]), found.standing)

    return asked(store, project, at, progress, question)


class Net:
    """Symbols and edges as a graph of rustworkx. Declarations count: who reaches a class reaches its methods."""

    def __init__(self, graph: Graph, confidence: str = "name", types: Sequence[str] = (*_DEPENDS, "declares")):
        import rustworkx

        self.rx = rustworkx
        self.rows = graph.all_edges(types, confidence)
        numbers = sorted({end for row in self.rows for end in (row.source, row.target)})
        self.places = {number: place for place, number in enumerate(numbers)}
        self.numbers = numbers
        self.net = rustworkx.PyDiGraph(multigraph=True)
        self.net.add_nodes_from(numbers)
        self.net.add_edges_from(
            [(self.places[row.source], self.places[row.target], place) for place, row in enumerate(self.rows)]
        )

    def ways(self, begin: int, end: int) -> list[tuple[int, ...]]:
        """The shortest ways between two nodes, by numbers; some of them where there are very many."""
        if begin == end or begin not in self.places or end not in self.places:
            return []
        a, b = self.places[begin], self.places[end]
        # Asked first, since listing all of a large net's shortest ways may be endless work.
        one = self.rx.dijkstra_shortest_paths(self.net, a, target=b, default_weight=1.0)
        if b not in one or len(one[b]) > _LONGEST:
            return []
        counts = self.rx.num_shortest_paths_unweighted(self.net, a)
        if b in counts and counts[b] > _MANY:
            return [tuple(self.numbers[place] for place in one[b])]
        found = self.rx.all_shortest_paths(self.net, a, b)
        return sorted({tuple(self.numbers[place] for place in way) for way in found})

    def between(self, source: int, target: int) -> list[Row]:
        """The edges from one node to another."""
        pairs = self.net.get_all_edge_data(self.places[source], self.places[target])
        return [self.rows[place] for place in pairs]


def _way(graph: Graph, net: Net, numbers: Sequence[int]) -> Way:
    nodes = graph.by_numbers(numbers)
    edges = []
    for source, target in pairwise(numbers):
        rows = sorted(net.between(source, target), key=lambda row: (_ORDER.index(row.type), row.said_lines))
        edges.append(as_edge(rows[0], nodes))
    return Way(tuple(nodes[number].symbol for number in numbers), tuple(edges))


_ORDER = ("calls", "component_calls", "extends", "imports", "declares")


def _nearest(graph: Graph, net: Net, begin: Node, end: Node) -> Symbol | None:
    """Of all that one symbol reaches, what lies nearest to another by its path; None where it reaches nothing."""
    if begin.number not in net.places:
        return None
    reached = {net.numbers[place] for place in net.rx.descendants(net.net, net.places[begin.number])}
    nodes = [one for one in graph.by_numbers(reached).values() if one.path]
    best = max(nodes, key=lambda one: (_common(one.path, end.path), [-ord(char) for char in one.id]), default=None)
    return best.symbol if best else None


def _common(one: str, other: str) -> int:
    return len(os.path.commonpath([f"/{one}", f"/{other}"]).split("/")) + (one == other)


# -- impact ----------------------------------------------------------------------------------------


def impact(
    store: Store,
    *,
    symbol: str,
    project: str = "",
    confidence: str = "name",
    depth: int = 20,
    at: str | None = None,
    progress: Progress = quiet,
) -> Impact:
    """What changing a symbol, or a file, may reach: all that calls, extends or imports it, and so on.

    depth: edges that are followed. The risk comes from how much is reached (medium from 5 symbols, high from 20,
    critical from 100), whether it is exported and whether a test reaches it; the reasons are told.
    """
    sure = up_to(confidence)
    asking.check_depth(depth)
    project, name = naming.located(store, project, symbol, at)

    def question(found: Opened) -> Impact:
        graph = found.graph
        targets = naming.find(graph, name, files=True)
        begin = _all_of(graph, targets)
        reach = _Reach(graph, begin, sure, depth)
        level, reasons = _risk(targets, reach)
        return Impact(
            target=tuple(one.id for one in targets),
            direct_dependents=tuple(reach.direct()),
            affected_files=tuple(reach.files({one.path for one in targets})),
            risk_level=level,
            risk_reasons=tuple(reasons),
            blast_radius=reach.radius(),
            truncated=reach.truncated,
            standing=found.standing,
        )

    return asked(store, project, at, progress, question)


def _all_of(graph: Graph, targets: Sequence[Node]) -> list[Node]:
    """Of a file all that is in it, of a class its methods too."""
    found = {one.id: one for one in targets}
    for one in targets:
        if one.type == "file":
            found |= {each.id: each for each in graph.nodes("path = ?", [one.path])}
        else:
            inner = (f"{one.id}.", f"{one.id}/")
            found |= {each.id: each for each in graph.nodes("id >= ? AND id < ?", inner)}
    return [*found.values()]


class _Reach:
    """What depends on some symbols, level by level."""

    def __init__(self, graph: Graph, begin: Sequence[Node], sure: Sequence[str], depth: int):
        self.nodes = {one.number: one for one in begin}
        self.begin = {*self.nodes}
        self.depths = dict.fromkeys(self.nodes, 0)
        self.surest: dict[int, int] = dict.fromkeys(self.nodes, 0)
        self.first: list[Row] = []
        self.truncated = False
        order = {one: place for place, one in enumerate(("exact", "inferred", "name", "ambiguous"))}
        border = [*self.nodes]
        for far in range(1, depth + 1):
            rows = [row for row in graph.edges("target", border, _DEPENDS) if row.confidence in sure]
            if far == 1:
                self.first = [row for row in rows if row.source not in self.begin]
            best: dict[int, int] = {}
            for row in rows:
                if row.source not in self.depths:
                    doubt = max(self.surest[row.target], order[row.confidence])
                    best[row.source] = min(best.get(row.source, doubt), doubt)
            self.nodes |= graph.by_numbers(best)
            self.depths |= dict.fromkeys(best, far)
            self.surest |= best
            border = [*best]
            if not border:
                return
            if len(self.depths) > _REACHED:
                break
        self.truncated = bool(border)

    @property
    def reached(self) -> list[Node]:
        """All that is reached, without where it began."""
        return [self.nodes[one] for one in self.depths if one not in self.begin]

    def direct(self) -> list[Dependent]:
        """Those one edge away."""
        made = [
            Dependent(one.id, one.dotted, one.path, row.type, row.confidence, row.lines)
            for row in self.first
            for one in [self.nodes[row.source]]
        ]
        return sorted(made, key=lambda one: (one.id, one.edge))

    def files(self, own: set[str]) -> list[Affected]:
        """The files of what is reached."""
        depths: dict[str, int] = {}
        for number, depth in self.depths.items():
            path = self.nodes[number].path
            if path not in own:
                depths[path] = min(depths.get(path, depth), depth)
        return sorted((Affected(path, depth) for path, depth in depths.items()), key=lambda one: (one.depth, one.path))

    def radius(self) -> dict[str, Any]:
        """The size of it."""
        numbers = [one for one in self.depths if one not in self.begin]
        depths = Counter(self.depths[one] for one in numbers)
        order = ("exact", "inferred", "name", "ambiguous")
        sure = Counter(order[self.surest[one]] for one in numbers)
        return {
            "symbols": len(numbers),
            "files": len({self.nodes[one].path for one in numbers}),
            "by_depth": {str(depth): count for depth, count in sorted(depths.items())},
            "by_confidence": {one: sure[one] for one in order if sure[one]},
        }


_LEVELS = ("low", "medium", "high", "critical")


def _risk(targets: Sequence[Node], reach: _Reach) -> tuple[str, list[str]]:
    """(level, reasons): by reach; one more where no test reaches what others can use."""
    count = len(reach.reached)
    level = sum(count >= least for least in THRESHOLDS.values())
    reasons = [f"{count} {'symbol depends' if count == 1 else 'symbols depend'} on it"]
    files = {one.path for one in reach.reached} - {one.path for one in targets}
    if files:
        reasons.append(f"in {len(files)} other {'file' if len(files) == 1 else 'files'}")
    exported = any(one.facts.get("exported") for one in targets)
    tested = any(is_test(one.path) or "test" in one.facts.get("flags", ()) for one in reach.reached)
    if exported:
        reasons.append("exported")
    if tested:
        reasons.append("a test reaches it")
    elif count:
        reasons.append("no test reaches it")
        level = min(level + 1, 3) if exported else level
    return _LEVELS[level], reasons


_TESTS = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__)/|(?:^|/)(?:test_[^/]*|conftest)\.py$|[._](?:test|spec)\.\w+$|_test\.\w+$|_spec\.rb$"
)


def is_test(path: str) -> bool:
    """Whether a file holds tests, by its name or folder."""
    return bool(_TESTS.search(path))
