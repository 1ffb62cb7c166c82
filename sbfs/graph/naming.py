"""Which symbols a short name means."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sbfs import projects
from sbfs.errors import Ambiguous, NotFound
from sbfs.graph.cache import last_of
from sbfs.graph.opened import Graph, Node
from sbfs.store import Store

_LISTED = "list the symbols there are: sbfs graph symbols PATTERN"
_HINT = "write more of it: module.Class.method, or path/to/file.py::Class.method"


def find(graph: Graph, name: str, *, files: bool = False) -> list[Node]:
    """The symbol that a name means: its id, its dotted name, or the end of it where that is unique.

    Several definitions of one name in one file are one. files: whether the name of a file may be meant, too.
    Raises NotFound with near names, or Ambiguous with the choices.
    """
    exact = graph.nodes("id = ?", [name]) or (graph.nodes("id = ?", [f"{name}::"]) if not files else [])
    if exact:
        return _with_others(graph, exact[0])
    found = _by_end(graph, name) or (_files(graph, name) if files else [])
    if not found:
        raise NotFound("symbol", name, known=_near(graph, name), hint=_LISTED)
    groups = {(one.path, one.name.partition("#")[0]) for one in found}
    if len(groups) > 1:
        # What is called by its whole dotted name is meant by it, even where another ends like it.
        whole = [one for one in found if one.dotted == name]
        groups = {(one.path, one.name.partition("#")[0]) for one in whole}
        if len(groups) != 1:
            raise Ambiguous("symbol", name, [one.id for one in found], hint=_HINT)
        found = whole
    return found


def _with_others(graph: Graph, node: Node) -> list[Node]:
    """A symbol with further definitions of the same name in its file, unless one of them was named."""
    if "#" in node.name or not node.name:
        return [node]
    return [node, *graph.nodes("path = ? AND name LIKE ? ESCAPE '!'", [node.path, f"{_escaped(node.name)}#%"])]


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _by_end(graph: Graph, name: str) -> list[Node]:
    place, _, bare = name.rpartition("::")
    path, symbol = (place, bare) if place else ("", name)
    parts = symbol.split(".")
    found = graph.nodes("last = ? AND type != 'file'", [last_of(symbol)])
    if path:
        found = [one for one in found if one.path == path or one.path.endswith("/" + path)]
        return [one for one in found if one.name.partition("#")[0] == symbol or one.name == symbol]
    here = [one for one in found if _ends(one.dotted, parts) and one.type != "external"]
    return here or [one for one in found if _ends(one.dotted, parts)]


def _ends(dotted: str, parts: Sequence[str]) -> bool:
    """Whether a dotted name ends with some parts."""
    return dotted.partition("#")[0].split(".")[-len(parts) :] == [*parts]


def file(graph: Graph, name: str) -> Node:
    """The file that a path, or the end of one, means. Raises NotFound, or Ambiguous with the choices."""
    found = graph.nodes("id = ? AND type = 'file'", [name]) or _files(graph, name)
    if not found:
        known = [row[0] for row in graph.rows("SELECT path FROM files")]
        raise NotFound("file", name, known=known, hint="give its path below the source; only files with code are known")
    if len(found) > 1:
        raise Ambiguous("file", name, [one.id for one in found], hint="write more of its path")
    return found[0]


def _files(graph: Graph, name: str) -> list[Node]:
    bare = name.removeprefix("./")
    found = graph.nodes("type = 'file' AND last = ?", [bare.rpartition("/")[2]])
    return [one for one in found if one.path == bare or one.path.endswith("/" + bare)]


def _near(graph: Graph, name: str) -> list[str]:
    last = last_of(name.rpartition("::")[2])
    rows = graph.rows("SELECT DISTINCT last FROM symbols WHERE path != '' AND type != 'file' AND last != ''")
    return [row[0] for row in rows if row[0][:2].lower() == last[:2].lower()]


def located(store: Store, project: str, file: str, at: str | None) -> tuple[str, str]:
    """(project, path below its source) of a file; an absolute one belongs to the project whose source path holds it."""
    if not os.path.isabs(file):
        return project, file
    view = store.view(at)
    place = os.path.normpath(file)
    owner = projects.resolve(view, project).name if project else projects.holding(view, place)
    if not owner:
        raise NotFound("project that holds", file, hint="index its folder: sbfs graph index --path DIR")
    return owner, os.path.relpath(place, projects.resolve(view, owner).source_path).replace(os.sep, "/")
