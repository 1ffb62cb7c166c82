"""The verbs that measure a graph: cycles of imports and calls, what nothing uses, and what is beyond a threshold."""

from __future__ import annotations

import functools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sbfs.code import shards
from sbfs.errors import Invalid
from sbfs.graph.opened import CALLS, Answer, Graph, Node, Opened, Progress, answer, asked, quiet
from sbfs.graph.relating import Net, is_test
from sbfs.graph.value import SHARD
from sbfs.kind import check_word
from sbfs.store import Store

THRESHOLDS: Mapping[str, float] = {
    "complexity": 10,
    "fan_in": 20,
    "fan_out": 20,
    "coupling": 20,
    "lines": 60,
    "parameters": 7,
    "depth": 5,
    "methods": 30,
}
"""What is worth a look from beyond here on: McCabe's complexity of a function; symbols that call it, and that it calls;
other files that a file imports or calls; lines of a function; its parameters; classes above a class; its methods."""

_CYCLES = 200
"""Cycles that are told at most: each strongly connected part gives one, its shortest."""

_PLAIN = ("property", "static", "class", "cache", "dataclass", "abstract")
"""How the decorators begin that register nothing."""

_ENTRY = {"main", "cli", "setup", "teardown", "run", "handle", "default"}
"""Names that programs outside call."""


@dataclass(frozen=True)
class Cycle:
    """Files that import each other, or symbols that call each other, in a circle. members: ids of a shortest circle.
    size: of the whole part in which each reaches each. places: file:line of each step."""

    kind: str
    members: tuple[str, ...]
    size: int
    places: tuple[str, ...]


@dataclass(frozen=True)
class Unused:
    """A symbol that no edge leads to. confidence: `likely`, or `possible` where something speaks against it. why: in
    words."""

    id: str
    name: str
    type: str
    file: str
    line: int
    confidence: str
    why: str


@dataclass(frozen=True)
class Metric:
    """A measure of a symbol, a class or a file. threshold: beyond which it is told. file, line: where."""

    metric: str
    value: float
    threshold: float
    id: str
    name: str
    file: str
    line: int


# -- cycles ----------------------------------------------------------------------------------------


def cycles(
    store: Store,
    *,
    type: str = "imports",
    project: str = "",
    confidence: str = "inferred",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """Circles of imports between files, or of calls between symbols; each with a shortest one. Items: Cycle.

    type: imports or calls. Imports of types only, which are gone when a program runs, do not count.
    """
    if type not in ("imports", "calls"):
        raise Invalid(f"{type!r} is neither imports nor calls", field="type")

    def question(found: Opened) -> Answer:
        net = Net(found.graph, confidence, ("imports",) if type == "imports" else CALLS)
        drop = [place for place, row in zip(net.net.edge_indices(), net.rows, strict=True) if "type" in row.flags]
        for place in drop:
            net.net.remove_edge_from_index(place)
        parts = [part for part in net.rx.strongly_connected_components(net.net) if len(part) > 1]
        made = [_cycle(found.graph, net, part, type) for part in sorted(parts, key=len)[:_CYCLES]]
        made.sort(key=lambda one: (one.size, one.members))
        return answer(made, found.standing, limit, cursor)

    return asked(store, project, at, progress, question)


def _cycle(graph: Graph, net: Net, part: Iterable[int], kind: str) -> Cycle:
    inside = [*part]
    own = net.net.subgraph(inside)
    numbers = [own[place] for place in own.node_indices()]
    nodes = graph.by_numbers(numbers)
    places = {number: place for place, number in zip(own.node_indices(), numbers, strict=True)}
    best: list[int] = []
    for begin in sorted(numbers, key=lambda number: nodes[number].id)[:50]:
        ways = net.rx.dijkstra_shortest_paths(own, places[begin], default_weight=1.0)
        for end in own.predecessor_indices(places[begin]):
            way = [places[begin]] if end == places[begin] else [*ways[end]] if end in ways else []
            if way and (not best or len(way) < len(best)):
                best = [own[place] for place in way]
    steps = zip(best, [*best[1:], best[0]], strict=True)
    said = []
    for source, target in steps:
        rows = [row for row in net.between(source, target) if "type" not in row.flags]
        line = rows[0].lines[0] if rows and rows[0].lines else nodes[source].first
        said.append(f"{nodes[source].path}:{line}")
    return Cycle(kind, tuple(nodes[one].id for one in best), len(inside), tuple(said))


# -- unused ----------------------------------------------------------------------------------------


_USED = ("function", "method", "class", "component")
"""Types of symbols of which it is asked whether something uses them."""


def unused(
    store: Store,
    *,
    project: str = "",
    type: str = "",
    possible: bool = False,
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """Functions, methods and classes that nothing in the project uses, as far as the graph knows. Items: Unused.

    Tests, entry points, special methods, what a decorator registers, overrides and what is exported by name are used
    from elsewhere and left out. possible: also what a call that could not be resolved may mean, and what may be handed
    on as a value: it is defined within a function, or its file mentions it. type: only of these.
    """
    check_word(type, ("", *_USED), "type")

    def question(found: Opened) -> Answer:
        graph = found.graph
        used = _used(graph)
        open_names = Counter(row[0].rpartition(".")[2] for row in graph.rows("SELECT text FROM unresolved"))
        shown = []
        wanted = (type,) if type else _USED
        marks = {path for (path,) in graph.rows("SELECT path FROM files WHERE mark != ''")}
        shard = functools.cache(lambda path: _text_of_shard(found, path))
        functions = {one.id for one in graph.nodes("type IN ('function', 'method', 'component')")}
        for node in graph.nodes("type != 'file' AND type != 'external' AND name != ''"):
            if node.type not in wanted or node.number in used or node.path in marks or _is_entry(node):
                continue
            met = open_names[node.last]
            handed_on = node.id.rpartition(".")[0] in functions or _is_mentioned(shard(node.path), node)
            if (met or handed_on) and not possible:
                continue
            many = f"{met} calls of that name that could not be resolved" if met > 1 else "a call of that name, too"
            but = (
                many if met else "what is defined within a function is mostly handed on as a value" if handed_on else ""
            )
            why = f"no edge leads to it; but {but}" if but else "no edge leads to it"
            sure = "possible" if but or node.facts.get("exported") else "likely"
            shown.append(Unused(node.id, node.dotted, node.type, node.path, node.first, sure, why))
        shown.sort(key=lambda one: (one.confidence, one.file, one.line))
        return answer(shown, found.standing, limit, cursor)

    return asked(store, project, at, progress, question)


def _text_of_shard(found: Opened, path: str) -> str:
    raw = found.view.read(SHARD.path_of(project=found.graph.project, source=path))
    return shards.written_out(raw.decode()) if raw else ""


def _is_mentioned(shard: str, node: Node) -> bool:
    """Whether a file names one of its symbols besides defining it: as an argument, in a table, under another name."""
    inside = node.id.partition("::")[2]
    # A definition is written out only where it is decorated, or changes: then its name stands as the target as well,
    # and of what is in no class as the value. There it is the symbol's own name, too.
    written = f'["func","{inside}"' in shard or f'["class","{inside}"' in shard
    alone = inside == node.last
    defining = alone + written * (1 + alone)
    return f':{node.last}"' in shard or len(re.findall(rf'"{re.escape(node.last)}(?:@\d+)?"', shard)) > defining


def _used(graph: Graph) -> set[int]:
    """Numbers of what an edge of any confidence leads to; with a method its class, too."""
    found = {row.target for row in graph.all_edges((*CALLS, "extends"), "ambiguous") if row.source != row.target}
    used = graph.by_numbers(found)
    above = {one.id.rpartition(".")[0] for one in used.values() if one.type == "method"}
    return found | {one.number for one in graph.nodes("type IN ('class', 'component')") if one.id in above}


def _is_entry(node: Node) -> bool:
    """Whether something outside the graph may use it."""
    if is_test(node.path) or "<" in node.name or "#" in node.name:
        return True
    if (node.last.startswith("__") and node.last.endswith("__")) or node.last in _ENTRY:
        return True
    facts = node.facts
    flags = facts.get("flags", ())
    if {"test", "override", "overload", "abstract", "block"} & {*flags}:
        return True
    if any(
        not one.rpartition(".")[2].startswith(("property", "static", "class", "cache"))
        for one in facts.get("decorators", ())
    ):
        return True
    return node.last in ("constructor", "initialize", "render") or (node.type == "method" and "property" in flags)


# -- metrics ---------------------------------------------------------------------------------------


def metrics(
    store: Store,
    *,
    project: str = "",
    metric: str = "",
    threshold: float | None = None,
    file: str = "",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """What is beyond a threshold, the furthest first. Items: Metric.

    metric: complexity (McCabe's, boolean operators counted), fan_in, fan_out, coupling (files that one depends on, or
    that depend on it), lines (of a function), parameters, depth (of inheritance), methods (of a class); else all.
    threshold: instead of the usual one. file: only of it.
    """
    if metric and metric not in THRESHOLDS:
        raise Invalid(f"{metric!r} is none of {', '.join(THRESHOLDS)}", field="metric")
    if threshold is not None and not metric:
        raise Invalid("goes with one metric", field="threshold", hint="name it with --metric")

    def question(found: Opened) -> Answer:
        graph = found.graph
        made = []
        for name in [metric] if metric else THRESHOLDS:
            limit_of = THRESHOLDS[name] if threshold is None else threshold
            made += [
                Metric(name, value, limit_of, node.id, node.dotted, node.path, node.first)
                for node, value in _MEASURES[name](graph)
                if value > limit_of and (not file or node.path == file)
            ]
        made.sort(key=lambda one: (-one.value / (one.threshold or 1), one.metric, one.id))
        return answer(made, found.standing, limit, cursor)

    return asked(store, project, at, progress, question)


Measured = list[tuple[Node, float]]

_FUNCTIONS = "type IN ('function', 'method')"


def _complexity(graph: Graph) -> Measured:
    return [(one, one.facts.get("complexity", 0)) for one in graph.nodes(_FUNCTIONS)]


def _lines(graph: Graph) -> Measured:
    return [(one, one.final - one.first + 1) for one in graph.nodes(_FUNCTIONS)]


def _parameters(graph: Graph) -> Measured:
    return [(one, len([*filter(_counts, one.facts.get("parameters", ()))])) for one in graph.nodes(_FUNCTIONS)]


def _counts(name: str) -> bool:
    return name not in ("self", "cls")


def _fan(side: str, other: str) -> Callable[[Graph], Measured]:
    def measure(graph: Graph) -> Measured:
        ends: dict[int, set[int]] = defaultdict(set)
        for row in graph.all_edges(CALLS):
            ends[row.at(side)].add(row.at(other))
        nodes = graph.by_numbers(ends)
        return [(nodes[one], len(found)) for one, found in ends.items() if nodes[one].path]

    return measure


def _coupling(graph: Graph) -> Measured:
    """Other files that a file depends on, and that depend on it."""
    paths = dict(graph.pairs("SELECT node, path FROM symbols"))
    found: dict[str, set[str]] = defaultdict(set)
    for row in graph.all_edges((*CALLS, "extends", "imports")):
        one, other = paths[row.source], paths[row.target]
        if one and other and one != other:
            found[one].add(other)
            found[other].add(one)
    return [(one, len(found[one.path])) for one in graph.nodes("type = 'file'") if one.path in found]


def _depth(graph: Graph) -> Measured:
    """Classes above a class, on the longest way."""
    above: dict[int, set[int]] = defaultdict(set)
    for row in graph.all_edges(("extends",)):
        above[row.source].add(row.target)
    depths: dict[int, int] = {}
    for one in above:
        _measure_depth(one, above, depths)
    nodes = graph.by_numbers(depths)
    return [(nodes[one], depth) for one, depth in depths.items() if depth]


def _measure_depth(begin: int, above: Mapping[int, set[int]], depths: dict[int, int]) -> None:
    waiting, under_way = [begin], {begin}
    while waiting:
        one = waiting[-1]
        missing = [base for base in above.get(one, ()) if base not in depths and base not in under_way]
        if missing:
            under_way.add(missing[0])
            waiting.append(missing[0])
            continue
        depths[one] = max((depths.get(base, 0) + 1 for base in above.get(one, ())), default=0)
        waiting.pop()


def _methods(graph: Graph) -> Measured:
    found = Counter(one.id.rpartition(".")[0] for one in graph.nodes("type = 'method'"))
    return [(one, found[one.id]) for one in graph.nodes("type IN ('class', 'component')") if found[one.id]]


_MEASURES: Mapping[str, Callable[[Graph], Measured]] = {
    "complexity": _complexity,
    "fan_in": _fan("target", "source"),
    "fan_out": _fan("source", "target"),
    "coupling": _coupling,
    "lines": _lines,
    "parameters": _parameters,
    "depth": _depth,
    "methods": _methods,
}


# -- what quality is measured by -------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """Counts of a graph. simple: functions of at most the usual complexity. documented, public: of functions, methods
    and classes that others can use. commit: of the source. stale: as `Standing` says."""

    functions: int
    simple: int
    public: int
    documented: int
    commit: str
    stale: bool | None


def summary(store: Store, project: str) -> Summary:
    """What of a project can be counted in its graph; tests and generated code do not count. Raises NotFound."""

    def question(found: Opened) -> Summary:
        graph = found.graph
        marked: set[Any] = {path for (path,) in graph.rows("SELECT path FROM files WHERE mark != ''")}
        nodes = [
            one
            for one in graph.nodes("type IN ('function', 'method', 'class', 'component')")
            if one.path not in marked and not is_test(one.path) and "<" not in one.name
        ]
        functions = [one for one in nodes if one.type in ("function", "method")]
        public = [one for one in nodes if _is_public(one)]
        return Summary(
            functions=len(functions),
            simple=sum(one.facts.get("complexity", 0) <= THRESHOLDS["complexity"] for one in functions),
            public=len(public),
            documented=sum(bool(one.facts.get("doc")) for one in public),
            commit=graph.snapshot.commit,
            stale=found.standing.stale,
        )

    return asked(store, project, None, quiet, question)


def _is_public(node: Node) -> bool:
    facts = node.facts
    return (
        bool(facts.get("exported")) and facts.get("visibility", "public") == "public" and not node.last.startswith("_")
    )
