"""A graph as a tree of folders, files and symbols, with the edges between them, in columns of numbers and texts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sbfs.graph.comparing import Difference
from sbfs.graph.opened import CALLS, Graph, Node, up_to

SYMBOLS = 80_000
"""Symbols that a page holds at most unless told: those with the fewest edges are left out."""

EDGES_EACH = 3
"""A page holds so many times as many edges at most: the least sure are left out."""

EDGE_TYPES = ("calls", "component_calls", "extends", "imports")
CONFIDENCES = up_to("ambiguous")
CHANGES = ("", "added", "removed", "changed", "moved")
OUTSIDE = "(outside)"
"""The folder of what does not belong to the project."""

_DOC = 240


@dataclass
class Element:
    """A folder, file or symbol. name: within what holds it. key: path, or path::symbol. complexity: 0 where unknown."""

    key: str
    name: str
    type: str
    parent: int
    language: str = ""
    line: int = 0
    last: int = 0
    signature: str = ""
    doc: str = ""
    complexity: int = 0
    change: str = ""


@dataclass
class Tree:
    """Elements, each after what holds it. edges: (source, target, type, confidence, first line, change) by numbers
    of elements. symbols: how many the graph has; all_edges likewise, less those from a symbol to itself."""

    elements: list[Element] = field(default_factory=list)
    edges: list[tuple[int, int, str, str, int, str]] = field(default_factory=list)
    symbols: int = 0
    all_edges: int = 0
    by_key: dict[str, int] = field(default_factory=dict)

    def add(self, element: Element) -> int:
        """Take an element in; one of the same key is kept as it is."""
        known = self.by_key.get(element.key)
        if known is None:
            known = self.by_key[element.key] = len(self.elements)
            self.elements.append(element)
        return known


def tree_of(graph: Graph, project: str, difference: Difference | None = None, *, most: int = SYMBOLS) -> Tree:
    """The whole of a graph; of a difference, with what was removed. most: symbols, those with the most edges first."""
    tree = Tree()
    tree.add(Element("", project, "folder", -1))
    languages = dict(graph.pairs("SELECT path, language FROM files"))
    nodes = graph.nodes()
    numbered = {node.number: node for node in nodes}
    rows = [row for row in graph.all_edges(EDGE_TYPES, "ambiguous") if row.source != row.target]
    tree.symbols = sum(node.type not in ("file", "module", "external") for node in nodes)
    tree.all_edges = len(rows)
    kept = _kept(nodes, rows, most)
    places: dict[int, int] = {}
    for node in sorted(nodes, key=lambda one: (one.path == "", one.path, one.name.count("."), one.first, one.id)):
        if node.number in kept:
            places[node.number] = _place(tree, node, languages)
    _mark(tree, difference)
    changes = _edge_changes(difference)
    for row in _surest([row for row in rows if row.source in places and row.target in places], EDGES_EACH * most):
        source, target = places[row.source], places[row.target]
        if source == target:
            # Of a module's body to its file: they are one here.
            tree.all_edges -= 1
            continue
        line = int(row.said_lines.split()[0]) if row.said_lines else 0
        change = changes.get((numbered[row.source].id, numbered[row.target].id, row.type), "")
        tree.edges.append((source, target, row.type, row.confidence, line, change))
    _removed_edges(tree, difference)
    tree.edges.sort()
    return _nested(tree)


def _surest(rows: Sequence[Any], most: int) -> Sequence[Any]:
    """All edges, or those that are surest."""
    if len(rows) <= most:
        return rows
    return sorted(rows, key=lambda row: CONFIDENCES.index(row.confidence))[:most]


def _kept(nodes: Sequence[Node], rows: Sequence[Any], most: int) -> set[int]:
    """The symbols that a page can hold: all, or those with the most edges."""
    if len(nodes) <= most:
        return {node.number for node in nodes}
    degree: dict[int, int] = defaultdict(int)
    for row in rows:
        degree[row.source] += 1
        degree[row.target] += 1
    order = sorted(nodes, key=lambda node: (node.type != "file", -degree[node.number], node.id))
    return {node.number for node in order[:most]}


def _folder(tree: Tree, path: str) -> int:
    """The folder of a path, made with all above it where it is not there."""
    if not path:
        return 0
    if (known := tree.by_key.get(path + "/")) is not None:
        return known
    above, _, name = path.rpartition("/")
    return tree.add(Element(path + "/", name, "folder", _folder(tree, above)))


def _file(tree: Tree, path: str, language: str) -> int:
    if (known := tree.by_key.get(path)) is not None:
        return known
    above, _, name = path.rpartition("/")
    return tree.add(Element(path, name, "file", _folder(tree, above), language, 1))


def _place(tree: Tree, node: Node, languages: Mapping[str, str]) -> int:
    """Put a symbol where it belongs. What a module's body does is its file's."""
    if node.type == "external":
        package = re.split(r"[./]", node.name, maxsplit=1)[0] or node.name
        return tree.add(Element(node.id, node.name, "external", _folder(tree, f"{OUTSIDE}/{package}")))
    language = languages.get(node.path, "")
    file = _file(tree, node.path, language)
    if not node.name:
        tree.elements[file].last = max(tree.elements[file].last, node.final)
        return file
    facts = node.facts
    above = node.name.rpartition(".")[0]
    parent = tree.by_key.get(f"{node.path}::{above}", file) if above else file
    said, doc = facts.get("signature", ""), " ".join(str(facts.get("doc", "")).split())
    return tree.add(
        Element(
            key=node.id,
            name=node.name,
            type=node.type,
            parent=parent,
            language=language,
            line=node.first,
            last=node.final,
            signature=said,
            doc=doc if len(doc) <= _DOC else doc[: _DOC - 1].rstrip() + "…",
            complexity=facts.get("complexity", 0),
        )
    )


# -- what changed ----------------------------------------------------------------------------------


def _mark(tree: Tree, difference: Difference | None) -> None:
    for one in difference.symbols if difference else ():
        number = tree.by_key.get(one.id)
        if number is None and one.change == "removed":
            file = _file(tree, one.file, "")
            name = one.id.partition("::")[2]
            if not name:
                tree.elements[file].change = "removed"
                continue
            number = tree.add(Element(one.id, name, one.type, file, tree.elements[file].language, one.line, one.line))
        if number is not None:
            tree.elements[number].change = one.change


def _edge_changes(difference: Difference | None) -> dict[tuple[str, str, str], str]:
    found = difference.edges if difference else ()
    return {(one.source, one.target, one.type): one.change for one in found if one.change != "removed"}


def _removed_edges(tree: Tree, difference: Difference | None) -> None:
    for one in difference.edges if difference else ():
        ends = [tree.by_key.get(key.removesuffix("::")) for key in (one.source, one.target)]
        if one.change == "removed" and None not in ends and ends[0] != ends[1]:
            tree.edges.append((ends[0] or 0, ends[1] or 0, one.type, one.confidence, 0, "removed"))


# -- order -----------------------------------------------------------------------------------------


def _nested(tree: Tree) -> Tree:
    """The same with each element right behind what holds it; a folder that holds one folder only is joined with it."""
    children: dict[int, list[int]] = defaultdict(list)
    for number, one in enumerate(tree.elements[1:], 1):
        children[one.parent].append(number)
    place: dict[int, int] = {}
    found = Tree(symbols=tree.symbols, all_edges=tree.all_edges)
    pending = [(0, -1, "")]
    while pending:
        number, parent, prefix = pending.pop()
        one = tree.elements[number]
        inner = children[number]
        if number and one.type == "folder" and len(inner) == 1 and tree.elements[inner[0]].type == "folder":
            pending.append((inner[0], parent, f"{prefix}{one.name}/"))
            continue
        one.parent, one.name = parent, prefix + one.name
        place[number] = found.add(one)
        pending += [(child, place[number], "") for child in reversed(inner)]
    found.edges = [(place[source], place[target], *rest) for source, target, *rest in tree.edges]  # type: ignore[misc]
    return found


def columns(tree: Tree, circles: Sequence[tuple[float, float, float]]) -> dict[str, Any]:
    """As a page holds it: short keys, a list for each property, numbers as differences where that is shorter."""
    types = sorted({one.type for one in tree.elements})
    languages = sorted({one.language for one in tree.elements})
    elements = tree.elements
    # A few hundred thousand numbers: steps of a tenth are finer than what anyone sees.
    return {
        "types": types,
        "languages": languages,
        "edgeTypes": EDGE_TYPES,
        "confidences": CONFIDENCES,
        "changes": CHANGES,
        "calls": [EDGE_TYPES.index(one) for one in CALLS],
        "symbols": tree.symbols,
        "edgeCount": tree.all_edges,
        "n": [one.name for one in elements],
        "p": [number - one.parent for number, one in enumerate(elements)],
        "t": [types.index(one.type) for one in elements],
        "g": [languages.index(one.language) for one in elements],
        "x": [round(x * 10) for x, _, _ in circles],
        "y": [round(y * 10) for _, y, _ in circles],
        "r": [round(r * 10) for _, _, r in circles],
        "l": [one.line for one in elements],
        "h": [max(0, one.last - one.line + 1) if one.line else 0 for one in elements],
        "s": [one.signature if one.signature != one.name.rpartition(".")[2] else "" for one in elements],
        "d": [one.doc for one in elements],
        "c": [one.complexity for one in elements],
        "k": [CHANGES.index(one.change) for one in elements] if any(one.change for one in elements) else [],
        "es": _steps([edge[0] for edge in tree.edges]),
        "et": [edge[1] - edge[0] for edge in tree.edges],
        "ek": [EDGE_TYPES.index(edge[2]) * 4 + CONFIDENCES.index(edge[3]) for edge in tree.edges],
        "el": [edge[4] for edge in tree.edges],
        "ec": [CHANGES.index(edge[5]) for edge in tree.edges] if any(edge[5] for edge in tree.edges) else [],
    }


def _steps(numbers: Sequence[int]) -> list[int]:
    return [number - before for before, number in zip([0, *numbers], numbers, strict=False)]
