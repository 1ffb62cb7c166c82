"""How a graph stands to the source as it is now, on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sbfs import projects
from sbfs.errors import Error
from sbfs.graph import hints
from sbfs.graph.source import Disk, Known, Walk, looked_at
from sbfs.graph.value import Snapshot
from sbfs.store import View

_NAMED = 20
"""Files that an answer names as changed since; all are counted."""


@dataclass(frozen=True)
class Standing:
    """Of what an answer is told. commit: of the source. clean: whether the files read were those of the commit.

    stale: whether the source is another now; None where the source is not here. stale_files: the first files that
    differ, of stale_count. merged: whether two machines' graphs were merged and none has been made of the result yet.
    """

    project: str
    commit: str
    clean: bool | None
    updated: datetime
    stale: bool | None
    stale_files: tuple[str, ...] = ()
    stale_count: int = 0
    merged: bool = False


def standing_of(
    view: View,
    *,
    project: str,
    snapshot: Snapshot,
    tree: str,
    blobs: Callable[[], Mapping[str, str]],
    root: Path | None,
) -> Standing:
    """tree: of the shards that are asked. blobs: path → Git's id of the source file that was read. root: of the source,
    None where it is not here, or shall not be looked at."""
    merged = snapshot.tree != tree
    facts = (project, snapshot.commit, snapshot.clean, snapshot.updated)
    differing = None
    if root is not None:
        try:
            differing = _differing(view, project, blobs(), root)
        except (OSError, Error):
            differing = None
    if differing is None:
        return Standing(*facts, True if merged else None, merged=merged)
    stale = bool(differing) or merged
    return Standing(*facts, stale, tuple(differing[:_NAMED]), len(differing), merged)


def _differing(view: View, project: str, blobs: Mapping[str, str], root: Path) -> list[str]:
    """The files whose content is another now, that are new, or gone. By hints; what they do not tell is read."""
    rules, gitdir = view.store.rules(), view.repo.gitdir
    known = hints.load(gitdir, project, rules)
    if known.root != os.fspath(root):
        known = hints.Hints(os.fspath(root))
    disk = Disk(root)
    begun = hints.now(gitdir) if not known.files else 0
    walked = Walk(disk, projects.excluded(view, project), known.files, known.folders).run()
    differing = [path for path in blobs if path not in walked.files]
    learnt: dict[str, Known] = {}
    for path, stamp in walked.files.items():
        found = known.files.get(path)
        if found is None or found.stamp != stamp:
            try:
                found = looked_at(disk, path, stamp, found)[0]
            except OSError:
                continue
        learnt[path] = found
        if not found.why and blobs.get(path) != found.blob:
            differing.append(path)
    if not known.files:
        # Nothing was read here before: the next question need not read all files again.
        hints.keep(gitdir, project, hints.Hints(os.fspath(root), learnt, walked.folders), rules, begun)
    return sorted(differing)
