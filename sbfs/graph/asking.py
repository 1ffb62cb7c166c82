"""The verbs that ask who calls what, what imports what, and which symbols there are."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from sbfs.code.facts import SymbolType
from sbfs.code.languages import LANGUAGES
from sbfs.errors import Invalid
from sbfs.graph import naming
from sbfs.graph.opened import (
    CALLS,
    CONFIDENCES,
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
from sbfs.kind import check_word
from sbfs.store import Store

DEEPEST = 50
"""Calls that are followed at most."""

FOCUS = 400
"""Symbols that a focus shows at most."""

_MAKERS = ("__init__", "__new__", "constructor", "initialize")
"""What is called where a class is."""


@dataclass(frozen=True)
class Call:
    """A symbol that calls, or is called. function: its dotted name. file, line: of a caller where it calls, of a callee
    where it stands. lines: of all calls. confidence: of the least sure call on the way. depth: calls on the way.
    via: id of the symbol that it calls, or that calls it."""

    function: str
    file: str
    line: int
    id: str
    type: str
    confidence: str
    depth: int
    via: str
    lines: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Imported:
    """An import. file: the other file, "" for what lies outside. module: its dotted name. line: of the first."""

    module: str
    file: str
    line: int
    lines: tuple[int, ...]
    external: bool
    confidence: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Focus:
    """What is around a symbol. symbols: it and its neighbours. omitted: symbols that are left out beyond the cap.
    unresolved: calls in it of which it is not known where they go: (text, line, reason)."""

    symbol: Symbol
    symbols: tuple[Symbol, ...]
    edges: tuple[Edge, ...]
    omitted: int
    unresolved: tuple[tuple[str, int, str], ...]
    standing: Standing


def symbols(
    store: Store,
    *,
    project: str = "",
    pattern: str = "",
    type: str = "",
    file: str = "",
    language: str = "",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """Symbols by pattern and type, by their place. Items: Symbol.

    pattern: of the name or its last part, with `*` and `?`; without them a part of the name, whatever its case.
    type: function, method, class, interface, type, enum, trait, component, module, external. file: one, or a pattern.
    """
    check_word(type, ("", *get_args(SymbolType), "external"), "type")
    check_word(language, ("", *LANGUAGES), "language")

    def question(found: Opened) -> Answer:
        given = ["type != 'file'", "name != ''"] if type != "module" else ["type = 'module'"]
        values: list[str] = []
        if type and type != "module":
            given.append("type = ?")
            values.append(type)
        elif not type:
            given.append("type != 'external'")
        if language:
            given.append("path IN (SELECT path FROM files WHERE language = ?)")
            values.append(language)
        nodes = [one for one in found.graph.nodes(" AND ".join(given), values) if _fits(one, pattern, file)]
        nodes.sort(key=lambda one: (one.path, one.first, one.id))
        return answer([one.symbol for one in nodes], found.standing, limit, cursor)

    return asked(store, project, at, progress, question)


def _fits(node: Node, pattern: str, file: str) -> bool:
    if file and not (node.path == file or fnmatch.fnmatchcase(node.path, file) or node.path.endswith("/" + file)):
        return False
    if not pattern:
        return True
    if "*" in pattern or "?" in pattern:
        return any(fnmatch.fnmatchcase(one, pattern) for one in (node.last, node.name, node.dotted))
    return pattern.lower() in node.dotted.lower()


def show(
    store: Store,
    *,
    symbol: str,
    project: str = "",
    depth: int = 1,
    confidence: str = "name",
    at: str | None = None,
    progress: Progress = quiet,
) -> Focus:
    """A symbol and what is around it, both ways: what it calls, extends and imports, and what does that with it.

    depth: edges that are followed, 0 to 50. Raises NotFound, or Ambiguous with the choices.
    """
    types = (*CALLS, "extends", "imports")
    sure = up_to(confidence)
    if not 0 <= depth <= DEEPEST:
        raise Invalid(f"must be between 0 and {DEEPEST}", field="depth")

    def question(found: Opened) -> Focus:
        graph = found.graph
        middle = naming.find(graph, symbol, files=True)
        near = {one.number for one in middle}
        border, omitted = {*near}, 0
        for _ in range(depth):
            met = {
                end
                for side, other in (("source", "target"), ("target", "source"))
                for row in graph.edges(side, sorted(border), types)
                if row.confidence in sure and (end := row.at(other)) not in near
            }
            nodes = graph.by_numbers(met)
            chosen = sorted(met, key=lambda one: nodes[one].id)[: FOCUS - len(near)]
            omitted += len(met) - len(chosen)
            border = {*chosen}
            near |= border
        nodes = graph.by_numbers(near)
        rows = [
            row for row in graph.edges("source", sorted(near), types) if row.target in near and row.confidence in sure
        ]
        edges = sorted((as_edge(row, nodes) for row in rows), key=lambda one: (one.source, one.target, one.type))
        open_calls = [
            (text, line, reason)
            for one in middle
            for text, line, reason in graph.rows(
                "SELECT text, line, reason FROM unresolved WHERE path = ? AND source = ? ORDER BY line, text",
                [one.path, one.id],
            )
        ]
        shown = tuple(node.symbol for node in sorted(nodes.values(), key=lambda one: one.id))
        return Focus(middle[0].symbol, shown, tuple(edges), omitted, tuple(open_calls), found.standing)

    return asked(store, project, at, progress, question)


def callers(
    store: Store,
    *,
    symbol: str,
    project: str = "",
    depth: int = 1,
    confidence: str = "name",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """What calls a symbol, the nearest first. Items: Call. Of a class: what makes one.

    depth: also what calls the callers, that far. confidence: the least sure edge that counts: exact, inferred, name or
    ambiguous. Raises NotFound, or Ambiguous with the choices.
    """
    sure = up_to(confidence)

    def question(found: Opened) -> Answer:
        targets = _with_makers(found.graph, naming.find(found.graph, symbol))
        calls, left_out = follow(found.graph, targets, "target", depth, sure)
        return answer(calls, found.standing, limit, cursor, about=[one.id for one in targets], left_out=left_out)

    return asked(store, project, at, progress, question)


def callees(
    store: Store,
    *,
    symbol: str,
    project: str = "",
    depth: int = 1,
    confidence: str = "name",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """What a symbol calls, the nearest first. Items: Call.

    depth: also what these call, that far. confidence: as for callers. Raises NotFound, or Ambiguous with the choices.
    """
    sure = up_to(confidence)

    def question(found: Opened) -> Answer:
        sources = naming.find(found.graph, symbol)
        calls, left_out = follow(found.graph, sources, "source", depth, sure)
        return answer(calls, found.standing, limit, cursor, about=[one.id for one in sources], left_out=left_out)

    return asked(store, project, at, progress, question)


def _with_makers(graph: Graph, nodes: Sequence[Node]) -> list[Node]:
    found = [*nodes]
    for one in nodes:
        if one.type in ("class", "component"):
            for maker in _MAKERS:
                found += graph.nodes("id = ?", [f"{one.id}.{maker}"])
    return found


def check_depth(depth: int) -> None:
    """Raise Invalid for edges that cannot be followed."""
    if not 1 <= depth <= DEEPEST:
        raise Invalid(f"must be between 1 and {DEEPEST}", field="depth", hint="leave it out for the usual depth")


def follow(graph: Graph, begin: Sequence[Node], side: str, depth: int, sure: Sequence[str]) -> tuple[list[Call], int]:
    """(calls from or to some symbols, edges that are left out as less sure). side: at which end of an edge they are."""
    check_depth(depth)
    other = "source" if side == "target" else "target"
    nodes = {one.number: one for one in begin}
    weakest = dict.fromkeys(nodes, 0)
    done: set[int] = set()
    calls: list[Call] = []
    left_out = 0
    border = [*nodes]
    for far in range(1, depth + 1):
        rows = graph.edges(side, border, CALLS)
        left_out += sum(row.confidence not in sure for row in rows) if far == 1 else 0
        rows = [row for row in rows if row.confidence in sure]
        nodes |= graph.by_numbers({row.at(other) for row in rows} - nodes.keys())
        done |= {*border}
        rows.sort(key=lambda row: (nodes[row.at(other)].id, nodes[row.at(side)].id, row.type))
        fresh: list[int] = []
        for row in rows:
            reached = row.at(other)
            if far > 1 and reached in done:
                continue
            doubt = max(weakest[row.at(side)], CONFIDENCES.index(row.confidence))
            if reached not in weakest:
                fresh.append(reached)
            weakest[reached] = min(weakest.get(reached, doubt), doubt) if reached not in done else weakest[reached]
            calls.append(_call(nodes[reached], nodes[row.at(side)], row, far, CONFIDENCES[doubt], side))
        border = [*dict.fromkeys(fresh)]
        if not border:
            break
    return calls, left_out


def _call(reached: Node, via: Node, row: Row, depth: int, confidence: str, side: str) -> Call:
    line = row.lines[0] if row.lines and side == "target" else reached.first
    return Call(
        reached.dotted, reached.path, line, reached.id, row.type, confidence, depth, via.id, row.lines, row.flags
    )


def imports(
    store: Store,
    *,
    file: str,
    project: str = "",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """What a file imports: files of the project, and what lies outside. Items: Imported.

    file: its path, or the end of it where that is unique.
    """
    project, path = naming.located(store, project, file, at)
    return asked(store, project, at, progress, lambda found: _imports(found, path, "source", limit, cursor))


def imported_by(
    store: Store,
    *,
    file: str,
    project: str = "",
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
    progress: Progress = quiet,
) -> Answer:
    """What imports a file, or a module outside the project by its dotted name. Items: Imported."""
    project, path = naming.located(store, project, file, at)
    return asked(store, project, at, progress, lambda found: _imports(found, path, "target", limit, cursor))


def _imports(found: Opened, file: str, side: str, limit: int, cursor: str | None) -> Answer:
    graph = found.graph
    outside = graph.nodes("id = ?", [f"ext::{file}"]) if side == "target" else []
    middle = outside[0] if outside else naming.file(graph, file)
    return answer(imported(graph, [middle], side), found.standing, limit, cursor, about=[middle.id])


def imported(graph: Graph, nodes: Iterable[Node], side: str) -> list[Imported]:
    """The imports that begin ("source") or end ("target") at some files."""
    other = "target" if side == "source" else "source"
    rows = graph.edges(side, [one.number for one in nodes], ("imports",))
    ends = graph.by_numbers({row.at(other) for row in rows})
    made = []
    for row in rows:
        end = ends[row.at(other)]
        first = row.lines[0] if row.lines else 0
        outside = end.type == "external"
        made.append(Imported(end.dotted, end.path, first, row.lines, outside, row.confidence, row.flags))
    return sorted(made, key=lambda one: (one.external, one.file, one.module, one.line))
