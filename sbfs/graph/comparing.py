"""The verb that compares two states of a graph: symbols and edges that were added, removed, changed or moved."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import projects
from sbfs.errors import Invalid, NotFound
from sbfs.git import source as commits
from sbfs.graph import cache, hints, live
from sbfs.graph.extracting import shard_of
from sbfs.graph.opened import CALLS, Graph, Node, Progress, forget_old, opened, quiet, root_of, snapshot_of, which
from sbfs.graph.source import Committed, Walk, looked_at
from sbfs.graph.standing import Standing
from sbfs.store import Store, View

SOURCE = "source:"
"""How a revision of the project's own repository begins; others are the store's."""


@dataclass(frozen=True)
class SymbolChange:
    """change: added, removed, changed (its body or signature), or moved (the same body by another name or place).
    was: the id it had, where it moved."""

    change: str
    id: str
    name: str
    type: str
    file: str
    line: int
    was: str = ""


@dataclass(frozen=True)
class EdgeChange:
    """change: added, removed, or changed (its confidence). was: the confidence it had."""

    change: str
    source: str
    target: str
    type: str
    confidence: str
    was: str = ""


@dataclass(frozen=True)
class Difference:
    """What leads from one state to another. before, after: what was compared, by revision and the source's commit.
    counts: of all changes, `symbols added` and the like; symbols and edges: as many as asked for. next: cursor."""

    before: str
    after: str
    symbols: tuple[SymbolChange, ...]
    edges: tuple[EdgeChange, ...]
    counts: Mapping[str, int]
    next: str | None
    standing: Standing | None


def diff(
    store: Store,
    *,
    before: str,
    after: str = "",
    project: str = "",
    limit: int = 50,
    cursor: str | None = None,
    progress: Progress = quiet,
) -> Difference:
    """Symbols and edges that were added, removed, changed or moved between two revisions of a graph.

    before, after: revisions of the store (an id, HEAD~3, a date), or `source:REV` of the project's own repository;
    without the second, the graph as it is. limit: of symbols and of edges. Edges are told of every confidence.
    """
    if limit < 1:
        raise Invalid("must be at least 1", field="limit")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9):
        raise Invalid(f"{cursor!r} is no cursor", field="cursor", hint="take a former answer's `next`")
    name = which(store.view(), project)
    with _state(store, name, before, progress) as old, _state(store, name, after, progress) as new:
        symbols, moved = _symbols(old.graph, new.graph)
        edges = _edges(old.graph, new.graph, moved)
        begin = int(cursor or 0)
        counts: dict[str, int] = {}
        for noun, changes in (("symbols", symbols), ("edges", edges)):
            for one in changes:
                key = f"{noun}_{one.change}"
                counts[key] = counts.get(key, 0) + 1
        more = max(len(symbols), len(edges)) > begin + limit
        return Difference(
            old.label,
            new.label,
            tuple(symbols[begin : begin + limit]),
            tuple(edges[begin : begin + limit]),
            dict(sorted(counts.items())),
            str(begin + limit) if more else None,
            new.standing,
        )


# -- two states ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _State:
    graph: Graph
    label: str
    standing: Standing | None


@contextmanager
def _state(store: Store, project: str, revision: str, progress: Progress) -> Iterator[_State]:
    if revision.startswith(SOURCE):
        with _of_source(store, project, revision.removeprefix(SOURCE), progress) as state:
            yield state
        return
    with opened(store, project, revision or None, progress, stale=not revision) as found:
        at = f" (source {found.standing.commit[:10]})" if found.standing.commit else ""
        yield _State(found.graph, f"{found.view.revision[:10]}{at}", found.standing)


@contextmanager
def _of_source(store: Store, project: str, name: str, progress: Progress) -> Iterator[_State]:
    """The graph of a commit of the source, as an index of it would make it; cached like past states."""
    view = store.view()
    root, snapshot = root_of(store, view, project), snapshot_of(view, project)
    if root is None or snapshot is None:
        raise NotFound("source of", project, hint="it is not on this machine; name a revision of the store")
    commit = commits.revision(root, name or "HEAD")
    exclude = projects.excluded(view, project)
    said = repr((commit, sorted(exclude), hints.versions(store.rules()).items(), str(root)))
    tree = hashlib.sha1(said.encode(), usedforsecurity=False).hexdigest()
    file = hints.folder(store.repo.gitdir) / "past" / f"{tree}.sqlite"
    data = cache.open_(file, cache.meta(tree))
    if data is None:
        facts = _read(store, view, project, root, commit, exclude, progress)
        made = live.linked_facts(facts, progress)
        live.write(file, tree, made.facts, made.links, made.naming)
        forget_old(file.parent, file)
        data = cache.open_(file, cache.meta(tree))
        if data is None:
            data = cache.in_memory(cache.meta(tree), [*made.facts.values()], made.links, made.naming)
    try:
        yield _State(Graph(data, snapshot, project), f"source {commit[:10]}", None)
    finally:
        data.close()


def _read(
    store: Store, view: View, project: str, root: Path, commit: str, exclude: Sequence[str], progress: Progress
) -> dict[str, Any]:
    """The facts of a commit's files; those that the store has a shard of are taken from there."""
    from sbfs.code.shards import load
    from sbfs.graph.value import folder_of

    known = {
        (path, facts.blob): facts
        for path, facts in live.read_all(view, store.repo.folder(view.commit.tree, folder_of(project))).items()
    }
    found: dict[str, Any] = {}
    rules = store.rules()
    with commits.blobs(root) as read:
        tree = Committed(commits.kept(root, commit), read)
        walked = Walk(tree, exclude).run()
        for count, (path, stamp) in enumerate(sorted(walked.files.items()), 1):
            blob = tree.kept[path].id
            if (path, blob) in known:
                found[path] = known[path, blob]
                continue
            now, raw = looked_at(tree, path, stamp, None)
            if raw is not None and not now.why:
                found[path] = load(path, shard_of(path, raw, rules, Counter()))
            progress("read", count, len(walked.files))
    return found


# -- what differs ----------------------------------------------------------------------------------


def _named(graph: Graph) -> dict[str, Node]:
    return {one.id: one for one in graph.nodes("type != 'file' AND type != 'external'")}


def _symbols(old: Graph, new: Graph) -> tuple[list[SymbolChange], dict[str, str]]:
    """(what changed, new id → the id it had before) of symbols."""
    before, after = _named(old), _named(new)
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    moved = _moved([before[id] for id in gone], [after[id] for id in come])
    changes = [
        _change("changed", after[id])
        for id in before.keys() & after.keys()
        if _content(before[id]) != _content(after[id])
    ]
    changes += [_change("moved", after[id], was) for id, was in moved.items()]
    changes += [_change("added", after[id]) for id in come - moved.keys()]
    changes += [_change("removed", before[id]) for id in gone - {*moved.values()}]
    changes.sort(key=lambda one: (one.file, one.line, one.id, one.change))
    return changes, moved


def _change(change: str, node: Node, was: str = "") -> SymbolChange:
    return SymbolChange(change, node.id, node.dotted, node.type, node.path, node.first, was)


def _content(node: Node) -> tuple[Any, ...]:
    facts = node.facts
    return node.type, facts.get("body_hash"), facts.get("signature"), tuple(facts.get("decorators", ()))


def _moved(gone: Sequence[Node], come: Sequence[Node]) -> dict[str, str]:
    """New id → old id: by an equal body, with the same last name where several have it."""
    by_body: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for node in gone:
        if body := node.facts.get("body_hash"):
            by_body[node.type, body].append(node)
    found: dict[str, str] = {}
    for node in sorted(come, key=lambda one: one.id):
        options = by_body.get((node.type, node.facts.get("body_hash", "")), [])
        same = [one for one in options if one.last == node.last] or (options if len(options) == 1 else [])
        if same:
            found[node.id] = same[0].id
            options.remove(same[0])
    return found


def _edges(old: Graph, new: Graph, moved: Mapping[str, str]) -> list[EdgeChange]:
    """What changed of the edges; one whose ends only moved did not. Declarations go with their symbols."""
    types = (*CALLS, "extends", "imports")
    before, after = _by_ends(old, types, {}), _by_ends(new, types, moved)
    changes = [EdgeChange("added", *after[key]) for key in after.keys() - before.keys()]
    changes += [EdgeChange("removed", *before[key]) for key in before.keys() - after.keys()]
    changes += [
        EdgeChange("changed", *after[key], before[key][3])
        for key in before.keys() & after.keys()
        if before[key][3] != after[key][3]
    ]
    changes.sort(key=lambda one: (one.source, one.target, one.type, one.change))
    return changes


def _by_ends(
    graph: Graph, types: Sequence[str], moved: Mapping[str, str]
) -> dict[tuple[str, str, str], tuple[str, str, str, str]]:
    """(source, target, type) by the ids of before → the edge by its own; the surest of several."""
    ids: dict[int, str] = dict(graph.pairs("SELECT node, id FROM symbols"))
    order = ("exact", "inferred", "name", "ambiguous")
    found: dict[tuple[str, str, str], tuple[str, str, str, str]] = {}
    for row in graph.all_edges(types, "ambiguous"):
        source, target = ids[row.source], ids[row.target]
        key = (moved.get(source, source), moved.get(target, target), row.type)
        if key not in found or order.index(row.confidence) < order.index(found[key][3]):
            found[key] = (source, target, row.type, row.confidence)
    return found
