"""Reading the answer: from the sets of callees to edges, from what stayed empty to unresolved calls with their
reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sbfs.linking.links import CONFIDENCES, Edge, EdgeType, Links, Unresolved
from sbfs.linking.nametier import NameTier
from sbfs.linking.python import UNSHOWN
from sbfs.linking.python_builtins import SUMMARIES
from sbfs.linking.rules import Call
from sbfs.linking.solver import Solver
from sbfs.linking.tables import File

MOST = 64
"""A call of more values than this is unresolved: too many to say anything."""
LEVELS = ("exact", "inferred", "inferred")
OUTSIDE = frozenset({"external", "made"})
LONGEST_TEXT = 80


@dataclass(slots=True)
class _Found:
    """What is known of one edge so far: the surest level, its lines."""

    confidence: int
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What was read of one file: edges that begin in it, its unresolved calls. Both sorted."""

    edges: list[Edge]
    unresolved: list[Unresolved]


NOTHING_FOUND = Found([], [])


def merged(found: Iterable[Found]) -> Links:
    """The links of all files as one."""
    kept = list(found)
    edges = [edge for one in kept for edge in one.edges]
    unresolved = [call for one in kept for call in one.unresolved]
    return Links(sorted(edges, key=_edge_order), sorted(unresolved, key=_unresolved_order))


def _edge_order(edge: Edge) -> tuple[str, str, str, tuple[str, ...]]:
    return edge.source, edge.target, edge.type, edge.flags


def _unresolved_order(one: Unresolved) -> tuple[str, int, str, str]:
    return one.source, one.line, one.text, one.reason


class Reader:
    """Reads the links of a solved project, file by file."""

    def __init__(self, solver: Solver):
        self.solver, self.project = solver, solver.project
        self.names = NameTier(self.project)
        self._edges: dict[tuple[str, str, EdgeType, tuple[str, ...]], _Found] = {}
        self._unresolved: list[Unresolved] = []
        # Equal ids and lines of many edges are one: it saves a tenth of a kilobyte an edge.
        self._shared: dict[Any, Any] = {}

    def read(self) -> Links:
        """All edges and unresolved calls, sorted."""
        return merged(self.file(path) for path in self.project.files)

    def file(self, path: str) -> Found:
        """What begins in one file."""
        self._edges, self._unresolved = {}, []
        file = self.project.files[path]
        self._structure(file)
        for call in self.solver.calls_in(path):
            self._call(call)
        for (source, site, _, name, target, flag), level in self.solver.implied_calls(path):
            self._add(source, target, "calls", min(level, 1), line_of(file, name, site), (flag,) if flag else ())
        share = self._shared.setdefault
        edges = [
            Edge(
                share(source, source),
                share(target, target),
                type,
                CONFIDENCES[found.confidence],
                share(lines := tuple(sorted(found.lines)), lines),
                flags,
            )
            for (source, target, type, flags), found in self._edges.items()
        ]
        return Found(sorted(edges, key=_edge_order), sorted(self._unresolved, key=_unresolved_order))

    def _add(
        self, source: str, target: str, type: EdgeType, confidence: int, line: int, flags: tuple[str, ...] = ()
    ) -> None:
        key = (source, target, type, flags)
        found = self._edges.get(key)
        if found is None:
            found = self._edges[key] = _Found(confidence)
        elif confidence < found.confidence:
            found.confidence = confidence
        if line > 0 and line not in found.lines:
            found.lines = (*found.lines, line)

    def _structure(self, file: File) -> None:
        for symbol in file.facts.symbols:
            if symbol.name:
                around = file.around(symbol.name)
                source = f"{file.path}::{around}" if around else file.path
                self._add(source, f"{file.path}::{symbol.name}", "declares", 0, symbol.start)
        for target, line, owner, flags in file.policy.imports(file):
            self._add(file.source_of(owner) if owner else file.path, target, "imports", 0, line, flags)
        for name, target, flags in file.policy.extends(file):
            symbol = file.symbols[name]
            self._add(f"{file.path}::{name}", target, "extends", 0, symbol.start, flags)

    def _call(self, call: Call) -> None:
        targets: dict[str, int] = {}
        values = self.solver.sets[call.callee]
        if not values and call.expression is None:
            return
        policy = call.unit.file.policy
        called = 0
        for value in values:
            level = 1 if value & 3 or call.level else 0
            before = len(targets)
            for target in policy.targets(self.solver, value, call):
                targets[target] = min(level, targets.get(target, level))
            called += len(targets) > before
        if called > MOST:
            self._unknown(call, "too-many")
            return
        if not targets:
            if call.expression is not None and not call.implicit and not self._is_silent(values):
                self._unresolved_call(call)
            return
        line = line_of(call.unit.file, call.unit.name, call.site)
        type, flags = self._kind(call)
        for target, level in targets.items():
            self._add(call.unit.source, target, type, level, line, flags)

    def _kind(self, call: Call) -> tuple[EdgeType, tuple[str, ...]]:
        """Edge type and flags of a call."""
        if call.implicit == "renders":
            return "component_calls", ("renders",)
        file = call.unit.file
        source = call.unit.source.partition("::")[2]
        symbol = file.symbols.get(source)
        type: EdgeType = "component_calls" if symbol is not None and symbol.type == "component" else "calls"
        if call.implicit in ("", "raise", "operator"):
            return type, ()
        return type, ("implicit",) if call.implicit == "implicit" else ("implicit", call.implicit)

    def _is_silent(self, values: Iterable[int]) -> bool:
        """Whether something is called that has no target of its own: a class without a constructor, a wrapper."""
        kinds, what = self.solver.values.kind, self.solver.values.what
        for value in values:
            kind = kinds[value >> 2]
            if kind == "function" and "block" in self.solver.functions[value >> 2].symbol.flags:
                return True
            if kind == "class" or (kind == "other" and what[value >> 2][0] not in ("beyond", "returned", "callable")):
                return True
            if kind == "other" and what[value >> 2][0] == "returned" and f"{what[value >> 2][1]}()" in SUMMARIES:
                return True
            if kind == "external" and f"ext::{what[value >> 2][0]}" in UNSHOWN:
                return True
        return False

    def _unresolved_call(self, call: Call) -> None:
        reason = self._reason(call)
        expression = call.expression
        if reason != "external" and isinstance(expression, list) and expression and expression[0] == "attr":
            # `self.inner.close()` in a method `close`: a wrapper hands on to what it wraps. `child.close()` may recur.
            own = "" if isinstance(expression[1], str) else call.unit.name
            candidates = (
                self.names.candidates(call.unit.file, expression[2], text(expression[1]), own)
                if reason != "external-base"
                else []
            )
            line = line_of(call.unit.file, call.unit.name, call.site)
            for target in candidates:
                self._add(call.unit.source, target, "calls", 2 if len(candidates) == 1 else 3, line)
            if candidates:
                return
        self._unknown(call, reason)

    def _reason(self, call: Call) -> str:
        sets, kinds, what = self.solver.sets, self.solver.values.kind, self.solver.values.what
        for value in sets[call.callee]:
            if kinds[value >> 2] in OUTSIDE or kinds[value >> 2] == "other":
                return "external"
        lost = self.solver.lost_for_good
        if call.callee in lost or (call.base in lost and not sets[call.callee]):
            return "too-many"
        held = sets[call.base] if call.base >= 0 else {}
        if held:
            for value in held:
                index = value >> 2
                if kinds[index] in OUTSIDE or (kinds[index] == "other" and what[index][0] in ("beyond", "returned")):
                    return "external"
            if all(call.unit.file.policy.is_open(self.solver, value >> 2) for value in held):
                return "external-base"
            return "unknown"
        if isinstance(call.expression, str):
            function = call.unit.function
            if function is not None and call.expression in function.names:
                return "parameter"
        if call.unit.file.facts.parse == "partial":
            return "partial"
        return "unknown" if isinstance(call.expression, str) or call.base >= 0 else "dynamic"

    def _unknown(self, call: Call, reason: str) -> None:
        line = line_of(call.unit.file, call.unit.name, call.site)
        self._unresolved.append(Unresolved(call.unit.source, text(call.expression), line, reason))


def line_of(file: File, name: str, site: int) -> int:
    """The line of a site of a symbol, or of a statement (negative: -1 - its number). 0 where it is not known."""
    symbol = file.symbols.get(name)
    if symbol is None:
        return 0
    lines = symbol.sites if site >= 0 else symbol.flow_lines
    number = site if site >= 0 else -1 - site
    return lines[number] if number < len(lines) else 0


def text(expression: Any) -> str:
    """How a callee is written, shortened."""
    return "".join(_parts(expression))[:LONGEST_TEXT] or "?"


def _parts(expression: Any, depth: int = 12) -> Iterator[str]:
    if isinstance(expression, str):
        yield expression.rpartition(":")[2].partition("@")[0]
    elif isinstance(expression, list) and expression and depth:
        kind = expression[0]
        if kind == "attr":
            yield from _parts(expression[1], depth - 1)
            yield f".{expression[2]}"
        elif kind in ("call", "new", "op"):
            yield from _parts(expression[2], depth - 1)
            yield "()"
        elif kind in ("item", "slice"):
            yield from _parts(expression[1], depth - 1)
            yield "[]"
        elif kind in ("const", "func", "class"):
            yield str(expression[1])
        elif kind in ("await", "cast", "elem", "enter"):
            yield from _parts(expression[1], depth - 1)
        elif kind in ("this", "super", "block"):
            yield kind
        elif kind in ("own", "main"):
            yield "self" if len(expression) == 1 else str(expression[1])
        elif kind in ("typed", "field") or kind == "lit":
            yield str(expression[1])
