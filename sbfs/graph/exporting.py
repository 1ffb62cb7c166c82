"""The verb that gives a graph to other programs: json, callgraph, graphml, dot or mermaid."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sbfs.errors import Invalid
from sbfs.graph import naming
from sbfs.graph.opened import CALLS, Edge, Graph, Node, Opened, Progress, Row, as_edge, asked, quiet, up_to
from sbfs.graph.standing import Standing
from sbfs.store import Store

FORMATS = ("json", "callgraph", "graphml", "dot", "mermaid")

DRAWN = 500
"""Symbols that a drawing (dot, mermaid) holds at most: beyond that nobody sees anything."""

_TYPES = (*CALLS, "extends", "imports")


@dataclass(frozen=True)
class Exported:
    """text: in the format. content: what a program takes instead, of the formats that are JSON. symbols, edges: how
    many; shown: of the symbols."""

    format: str
    text: str
    content: Any
    symbols: int
    edges: int
    shown: int
    standing: Standing


def export(
    store: Store,
    *,
    project: str = "",
    format: str = "json",
    confidence: str = "",
    symbol: str = "",
    depth: int = 1,
    at: str | None = None,
    progress: Progress = quiet,
) -> Exported:
    """A graph in a format of other programs.

    confidence: the least sure edges that are in it; name unless told, of a callgraph inferred. symbol: only what is
    around it, depth edges far. json: symbols and edges with all that is known. callgraph: caller → sorted callees.
    """
    if format not in FORMATS:
        raise Invalid(f"{format!r} is none of {', '.join(FORMATS)}", field="format")
    sure = confidence or ("inferred" if format == "callgraph" else "name")
    up_to(sure)

    def question(found: Opened) -> Exported:
        graph = found.graph
        types = (*_TYPES, "declares") if format in ("json", "graphml") and not symbol else _TYPES
        rows = graph.all_edges(types, sure)
        if symbol:
            rows = _around(rows, {one.number for one in naming.find(graph, symbol, files=True)}, depth)
        nodes = _nodes(graph, rows, whole=not symbol)
        edges = sorted((as_edge(row, nodes) for row in rows), key=lambda one: (one.source, one.target, one.type))
        return _MAKERS[format](nodes, rows, edges, found.standing)

    return asked(store, project, at, progress, question)


def _around(rows: Sequence[Row], near: set[int], depth: int) -> list[Row]:
    """The edges among what is at most so many edges away."""
    for _ in range(depth):
        near = near | {end for row in rows if {row.source, row.target} & near for end in (row.source, row.target)}
    return [row for row in rows if row.source in near and row.target in near]


def _nodes(graph: Graph, rows: Iterable[Row], *, whole: bool) -> dict[int, Node]:
    if whole:
        return {one.number: one for one in graph.nodes()}
    return graph.by_numbers({end for row in rows for end in (row.source, row.target)})


def _json(nodes: Mapping[int, Node], _: Sequence[Row], edges: Sequence[Edge], standing: Standing) -> Exported:
    symbols = [_plain(asdict(one.symbol)) for one in sorted(nodes.values(), key=lambda one: one.id)]
    content = {"symbols": symbols, "edges": [_plain(asdict(one)) for one in edges]}
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    return Exported("json", text, content, len(nodes), len(edges), len(nodes), standing)


def _plain(said: Mapping[str, Any]) -> dict[str, Any]:
    return {key: [*value] if isinstance(value, tuple) else value for key, value in said.items()}


def _callgraph(nodes: Mapping[int, Node], _: Sequence[Row], edges: Sequence[Edge], standing: Standing) -> Exported:
    from sbfs.linking.callgraph import Named, of

    named = {
        one.id: Named(one.dotted, one.type, tuple(one.facts.get("flags", ())))
        for one in nodes.values()
        if one.type not in ("external", "file")
    }
    content = of(named, edges, "ambiguous")  # type: ignore[arg-type]
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    count = sum(map(len, content.values()))
    return Exported("callgraph", text, content, len(content), count, len(content), standing)


def _graphml(nodes: Mapping[int, Node], rows: Sequence[Row], edges: Sequence[Edge], standing: Standing) -> Exported:
    import rustworkx

    net = rustworkx.PyDiGraph(multigraph=True)
    places = {}
    for number, node in sorted(nodes.items(), key=lambda one: one[1].id):
        about = {"id": node.id, "name": node.dotted, "type": node.type, "file": node.path, "line": str(node.first)}
        places[number] = net.add_node({key: _clean(value) for key, value in about.items()})
    for row in sorted(rows, key=lambda row: (nodes[row.source].id, nodes[row.target].id, row.type)):
        about = {"type": row.type, "confidence": row.confidence, "lines": row.said_lines, "flags": row.said_flags}
        net.add_edge(places[row.source], places[row.target], about)
    # rustworkx writes files only.
    with tempfile.TemporaryDirectory(prefix="sbfs-graph-") as folder:
        file = Path(folder) / "graph.graphml"
        rustworkx.write_graphml(net, os.fspath(file))
        text = file.read_text(encoding="utf-8")
    return Exported("graphml", text, None, len(nodes), len(edges), len(nodes), standing)


def _clean(text: str) -> str:
    """Without what XML has no way to say."""
    return "".join(char if char >= " " and not "\ud800" <= char <= "\udfff" else "?" for char in text)


def _drawn(nodes: Mapping[int, Node], rows: Sequence[Row]) -> tuple[list[Node], list[Row]]:
    """The symbols that most edges touch, where there are more than can be drawn, and the edges between them."""
    degrees: dict[int, int] = {}
    for row in rows:
        for end in (row.source, row.target):
            degrees[end] = degrees.get(end, 0) + 1
    chosen = sorted(degrees, key=lambda number: (-degrees[number], nodes[number].id))[:DRAWN]
    kept = {*chosen}
    drawn = [row for row in rows if row.source in kept and row.target in kept]
    order = sorted(chosen, key=lambda number: nodes[number].id)
    drawn.sort(key=lambda row: (nodes[row.source].id, nodes[row.target].id, row.type))
    return [nodes[number] for number in order], drawn


def _shown(nodes: Mapping[int, Node], drawn: Sequence[Node]) -> int:
    """All, where only those without an edge are not drawn."""
    return len(drawn) if len(drawn) == DRAWN else len(nodes)


_STYLES = {"exact": "solid", "inferred": "solid", "name": "dashed", "ambiguous": "dotted"}
_ARROWS = {"calls": "vee", "component_calls": "vee", "extends": "empty", "imports": "open"}


def _dot(nodes: Mapping[int, Node], rows: Sequence[Row], edges: Sequence[Edge], standing: Standing) -> Exported:
    shown, drawn = _drawn(nodes, rows)
    lines = ["digraph code {", "  rankdir=LR; node [shape=box, fontsize=10];"]
    lines += [f"  {_quoted(one.id)} [label={_quoted(one.dotted or one.id)}];" for one in shown]
    lines += [
        f"  {_quoted(nodes[row.source].id)} -> {_quoted(nodes[row.target].id)}"
        f" [style={_STYLES[row.confidence]}, arrowhead={_ARROWS[row.type]}];"
        for row in drawn
    ]
    text = "\n".join([*lines, "}"]) + "\n"
    return Exported("dot", text, None, len(nodes), len(edges), _shown(nodes, shown), standing)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'


def _mermaid(nodes: Mapping[int, Node], rows: Sequence[Row], edges: Sequence[Edge], standing: Standing) -> Exported:
    shown, drawn = _drawn(nodes, rows)
    names = {one.number: f"n{place}" for place, one in enumerate(shown)}
    lines = ["flowchart LR"]
    lines += [f'  {names[one.number]}["{_entity(one.dotted or one.id)}"]' for one in shown]
    arrows = {"name": "-.->", "ambiguous": "-.->"}
    lines += [
        f"  {names[row.source]} {arrows.get(row.confidence, '-->')}"
        f"{'' if row.type in CALLS else f'|{row.type}|'} {names[row.target]}"
        for row in drawn
    ]
    return Exported("mermaid", "\n".join(lines) + "\n", None, len(nodes), len(edges), _shown(nodes, shown), standing)


def _entity(text: str) -> str:
    return text.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;").replace("\n", " ")


_MAKERS = {"json": _json, "callgraph": _callgraph, "graphml": _graphml, "dot": _dot, "mermaid": _mermaid}
