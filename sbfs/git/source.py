"""The source that a project's quality is measured of: which commit is checked out, and how long it is.

Only objects and refs are read. No filter, hook or program of the source is run, and its work tree is
not looked at.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any


@dataclass(frozen=True)
class Source:
    """commit: 40 (or 64) hex digits. lines: of the files that were asked for, in that commit."""

    commit: str
    lines: int


def look(folder: Path, endings: Collection[str]) -> Source | None:
    """The commit that is checked out in a folder, or above it, and the lines of its files below the
    folder whose names have one of the endings. None where no commit holds the folder."""
    from dulwich.errors import ChecksumMismatch, FileFormatException, NotGitRepository
    from dulwich.repo import Repo, UnsupportedExtension, UnsupportedVersion

    unknown = (NotGitRepository, UnsupportedExtension, UnsupportedVersion, ChecksumMismatch, FileFormatException)
    try:
        with Repo.discover(folder) as found:
            repo: Any = found
            commit = repo.head()
            below = os.path.relpath(os.path.realpath(folder), os.path.realpath(repo.path))
            tree = _folder(repo, repo[commit].tree, below)
            if tree is None:
                return None
            return Source(commit.decode(), sum(_lines(repo, id) for id in _files(repo, tree, endings)))
    except (*unknown, KeyError, OSError, ValueError):
        # No repository, no commit yet, or one that cannot be read: what is not known stays unknown.
        return None


def _folder(repo: Any, tree: bytes, below: str) -> bytes | None:
    """The tree at a path below another one; None where it is not there, or outside: no tree holds `..`."""
    for part in () if below == "." else below.split(os.sep):
        entries = repo[tree]
        if os.fsencode(part) not in entries or not stat.S_ISDIR(entries[os.fsencode(part)][0]):
            return None
        tree = entries[os.fsencode(part)][1]
    return tree


def _files(repo: Any, tree: bytes, endings: Collection[str]) -> Iterator[bytes]:
    waiting = [tree] if endings else []
    while waiting:
        for name, mode, id in repo[waiting.pop()].items():
            if mode == stat.S_IFDIR:
                waiting.append(id)
            elif stat.S_ISREG(mode) and PurePosixPath(os.fsdecode(name)).suffix in endings:
                yield id


def _lines(repo: Any, id: bytes) -> int:
    data: bytes = repo.object_store.get_raw(id)[1]
    return data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
