"""The verb that makes the explorer's page, or a still picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs.errors import Invalid
from sbfs.graph import naming
from sbfs.graph.comparing import Difference
from sbfs.graph.comparing import diff as compared
from sbfs.graph.explorer import data, layout, page, still
from sbfs.graph.opened import Opened, Progress, asked, quiet
from sbfs.graph.standing import Standing
from sbfs.store import Store

FORMATS = ("html", "svg", "png")

DEEPEST = 6


@dataclass(frozen=True)
class View:
    """content: the page or picture. symbols: how many there are to show; shown: how many are in it. all_edges, edges:
    likewise."""

    format: str
    project: str
    content: bytes
    symbols: int
    shown: int
    edges: int
    all_edges: int
    standing: Standing


def view(
    store: Store,
    *,
    project: str = "",
    focus: str = "",
    depth: int = 1,
    at: str | None = None,
    diff: str = "",
    format: str = "html",
    most: int = data.SYMBOLS,
    progress: Progress = quiet,
) -> View:
    """The graph as one HTML page that opens from disk without a network, or a still picture of what is around a symbol.

    focus: the symbol or file that is shown first; a picture needs one. depth: steps around it, both ways. diff: a
    revision as `graph diff` takes it; what changed since is marked. most: symbols at most, those with the most edges
    first, and three times as many edges, the surest first.
    """
    if format not in FORMATS:
        raise Invalid(f"{format!r} is none of {', '.join(FORMATS)}", field="format")
    if not 1 <= depth <= DEEPEST:
        raise Invalid(f"must be from 1 to {DEEPEST}", field="depth")
    if format != "html" and not focus:
        raise Invalid("is missing", field="focus", hint="a picture shows what is around a symbol; --format html all")
    if most < 1:
        raise Invalid("must be at least 1", field="most")
    difference = _difference(store, project, at, diff, most, progress) if diff else None

    def question(found: Opened) -> View:
        middle = naming.find(found.graph, focus, files=True)[0].id.removesuffix("::") if focus else ""
        tree = data.tree_of(found.graph, found.graph.project, difference, most=most)
        if format == "html":
            text, shown = _page(found, tree, middle, depth, difference), len(_symbols(tree))
            return _view(found, tree, format, text.encode(), tree.symbols, shown)
        if middle not in tree.by_key:
            raise Invalid(f"{focus} has too few edges to be drawn in a graph of this size", field="focus")
        picture, shown, whole = still.svg(tree, tree.by_key[middle], depth)
        content = picture.encode() if format == "svg" else still.png(picture)
        return _view(found, tree, format, content, whole, shown)

    return asked(store, project, at, progress, question)


def _view(found: Opened, tree: data.Tree, format: str, content: bytes, symbols: int, shown: int) -> View:
    # A difference shows also edges that were removed.
    edges = len(tree.edges)
    there = max(edges, tree.all_edges)
    return View(format, found.graph.project, content, symbols, shown, edges, there, found.standing)


def _symbols(tree: data.Tree) -> list[data.Element]:
    return [one for one in tree.elements if one.type not in ("folder", "file", "external")]


def _difference(store: Store, project: str, at: str | None, before: str, most: int, progress: Progress) -> Difference:
    limit = data.EDGES_EACH * most
    return compared(store, before=before, after=at or "", project=project, limit=limit, progress=progress)


def _page(found: Opened, tree: data.Tree, middle: str, depth: int, difference: Difference | None) -> str:
    inside = [edge[:2] for edge in tree.edges if tree.elements[edge[1]].type != "external"]
    circles = layout.circles([one.parent for one in tree.elements], inside)
    project = found.graph.project
    said: Mapping[str, Any] = {
        "project": project,
        "source": found.standing.commit[:10],
        "root": _address(found.root),
        "focus": tree.by_key.get(middle, -1) if middle else -1,
        "depth": depth,
        "before": difference.before if difference else "",
        "after": difference.after if difference else "",
        **data.columns(tree, circles),
    }
    return page.render(f"{project}: code graph", said)


def _address(root: Path | None) -> str:
    return root.as_uri() + "/" if root else ""
