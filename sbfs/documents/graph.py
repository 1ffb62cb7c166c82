"""What the verbs of the code graph answer with."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from sbfs import times
from sbfs.graph.asking import Focus
from sbfs.graph.comparing import Difference
from sbfs.graph.explorer.making import View
from sbfs.graph.exporting import Exported
from sbfs.graph.indexing import Indexed
from sbfs.graph.opened import Answer
from sbfs.graph.relating import Impact, Ways
from sbfs.graph.standing import Standing
from sbfs.graph.value import Snapshot
from sbfs.graph.value import dump as dump_snapshot

Document = dict[str, Any]

_ALWAYS = frozenset(
    (
        "id",
        "name",
        "type",
        "file",
        "line",
        "start_line",
        "end_line",
        "function",
        "is_export",
        "confidence",
        "depth",
        "path",
    )
)
"""What an item says, whether it is empty or not."""


def indexed(done: Indexed) -> Document:
    """What an index run came to."""
    counts = done.snapshot.counts
    stats = {
        "files_indexed": counts.get("files", 0),
        "functions_indexed": counts.get("functions", 0),
        "classes_indexed": counts.get("classes", 0),
        "calls_indexed": counts.get("calls", 0),
        "files_read": done.read,
        "files_moved": done.moved,
        "files_gone": done.gone,
    }
    document: Document = {
        "project": done.project,
        "stats": stats,
        "message": _said(done),
        "unchanged": done.unchanged,
        "created": done.created,
        "root": done.root,
        "snapshot": _snapshot(done.snapshot),
    }
    return document | ({"redacted": dict(done.redacted)} if done.redacted else {})


def _said(done: Indexed) -> str:
    counts = done.snapshot.counts
    have = f"{counts.get('files', 0)} files, {counts.get('functions', 0)} functions, {counts.get('calls', 0)} calls"
    if done.unchanged:
        return f"{done.project} is unchanged: {have}"
    went = f", {done.gone} gone" if done.gone else ""
    moved = f", {done.moved} moved" if done.moved else ""
    return f"read {done.read} {'file' if done.read == 1 else 'files'} of {done.project}{moved}{went}: {have}"


def _snapshot(one: Snapshot) -> Document:
    return dump_snapshot(one)


def standing(one: Standing) -> Document:
    """What every answer says of the graph that it was told of."""
    document: Document = {
        "project": one.project,
        "graph_commit": one.commit or None,
        "clean": one.clean,
        "updated": times.dump(one.updated),
        "stale": one.stale,
        "stale_files": [*one.stale_files],
    }
    if one.stale_count > len(one.stale_files):
        document["stale_count"] = one.stale_count
    return document | ({"merged": True} if one.merged else {})


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _item(asdict(value))
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _item(said: Mapping[str, Any]) -> Document:
    """Without what is empty, but for what is always said."""
    return {key: _plain(value) for key, value in said.items() if key in _ALWAYS or value not in ("", (), [], {}, None)}


def _listed(noun: str) -> Callable[[Answer], Document]:
    def document(found: Answer) -> Document:
        facts: Document = {noun: [_plain(one) for one in found.items], "count": len(found.items)}
        facts |= {"total": found.total, "next": found.next}
        if found.about:
            facts["about"] = [*found.about]
        if found.left_out:
            facts["left_out"] = found.left_out
        return facts | standing(found.standing)

    return document


symbols, callers, callees = _listed("symbols"), _listed("callers"), _listed("callees")
imports, imported_by, related = _listed("imports"), _listed("imported_by"), _listed("related")
cycles, unused, metrics = _listed("cycles"), _listed("unused"), _listed("metrics")


def shown(found: Focus) -> Document:
    """A symbol and what is around it."""
    open_calls = [{"text": text, "line": line, "reason": reason} for text, line, reason in found.unresolved]
    return {
        "symbol": _plain(found.symbol),
        "symbols": [_plain(one) for one in found.symbols],
        "edges": [_plain(one) for one in found.edges],
        "count": len(found.symbols),
        "omitted": found.omitted,
        "unresolved": open_calls,
        **standing(found.standing),
    }


def path(found: Ways) -> Document:
    """Ways between two symbols."""
    ways = [
        {"symbols": _plain(one.symbols), "edges": _plain(one.edges), "length": len(one.edges)} for one in found.ways
    ]
    document: Document = {"paths": ways, "count": len(ways), "reversed": found.reversed}
    if found.nearest is not None:
        document["nearest"] = _plain(found.nearest)
    return document | standing(found.standing)


def impact(found: Impact) -> Document:
    """What changing something may reach."""
    return {
        "target": [*found.target],
        "direct_dependents": [_plain(one) for one in found.direct_dependents],
        "affected_files": [{"path": one.path, "depth": one.depth} for one in found.affected_files],
        "risk_level": found.risk_level,
        "risk_reasons": [*found.risk_reasons],
        "blast_radius": dict(found.blast_radius),
        "truncated": found.truncated,
        **standing(found.standing),
    }


def difference(found: Difference) -> Document:
    """What leads from one state to another."""
    document: Document = {
        "before": found.before,
        "after": found.after,
        "symbols": [_plain(one) for one in found.symbols],
        "edges": [_plain(one) for one in found.edges],
        "counts": dict(found.counts),
        "count": len(found.symbols) + len(found.edges),
        "total": sum(found.counts.values()),
        "next": found.next,
    }
    return document | (standing(found.standing) if found.standing else {})


def exported(found: Exported) -> Document:
    """A graph in another format. content: plain values of the formats that are JSON, else text."""
    return {
        "format": found.format,
        "content": found.text if found.content is None else found.content,
        "symbols": found.symbols,
        "edges": found.edges,
        "shown": found.shown,
        **standing(found.standing),
    }


def viewed(found: View) -> Document:
    """A page or picture. content: text, or base64 of a PNG, as encoding says."""
    is_text = found.format != "png"
    return {
        "format": found.format,
        "project": found.project,
        "encoding": "utf-8" if is_text else "base64",
        "content": found.content.decode() if is_text else base64.b64encode(found.content).decode(),
        "symbols": found.symbols,
        "shown": found.shown,
        "edges": found.edges,
        "all_edges": found.all_edges,
        **standing(found.standing),
    }
