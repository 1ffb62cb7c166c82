"""What stands beside a symbol that a search found: who calls it, and what it calls."""

from __future__ import annotations

from dataclasses import dataclass

from sbfs.graph import cache
from sbfs.graph.asking import follow
from sbfs.graph.opened import Graph, places_of, snapshot_of, up_to
from sbfs.graph.value import folder_of
from sbfs.store import View

MOST = 5
"""Callers and callees that are told."""


@dataclass(frozen=True)
class Neighbours:
    """Dotted names, the surest first."""

    callers: tuple[str, ...] = ()
    callees: tuple[str, ...] = ()


def of(view: View, project: str, id: str) -> Neighbours:
    """The neighbours of a symbol, as far as its graph is linked already: a search waits for nothing."""
    tree = view.repo.folder(view.commit.tree, folder_of(project))
    snapshot = snapshot_of(view, project)
    if tree is None or snapshot is None:
        return Neighbours()
    for file in places_of(view.store, project, tree):
        if data := cache.open_(file, cache.meta(tree)):
            try:
                graph = Graph(data, snapshot, project)
                nodes = graph.nodes("id = ?", [id])
                sides = (follow(graph, nodes, side, 1, up_to("name"))[0] for side in ("target", "source"))
                return Neighbours(*(tuple(dict.fromkeys(one.function for one in calls))[:MOST] for calls in sides))
            except cache.Broken:
                return Neighbours()
            finally:
                data.close()
    return Neighbours()
