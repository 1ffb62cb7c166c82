"""The source of a project: which commit is checked out, how long it is, what a revision holds, what changed together.

Only objects and refs are read. No filter, hook or program of the source is run, and its work tree is
not looked at.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sbfs.errors import Failed, NotFound


@dataclass(frozen=True)
class Source:
    """commit: 40 (or 64) hex digits. lines: of the files that were asked for, in that commit."""

    commit: str
    lines: int


def look(folder: Path, endings: Collection[str]) -> Source | None:
    """The commit that is checked out in a folder, or above it, and the lines of its files below the
    folder whose names have one of the endings. None where no commit holds the folder."""
    try:
        with _opened(folder) as (repo, below):
            commit = repo.head()
            tree = _folder(repo, repo[commit].tree, below)
            if tree is None:
                return None
            return Source(commit.decode(), sum(_lines(repo, id) for id in _files(repo, tree, endings)))
    except _unknown():
        # No repository, no commit yet, or one that cannot be read: what is not known stays unknown.
        return None


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Any, str]]:
    """The repository that holds a folder, and the folder's place in it, "." for its top."""
    from dulwich.repo import Repo

    with Repo.discover(os.fspath(folder)) as repo:
        yield repo, os.path.relpath(os.path.realpath(folder), os.path.realpath(repo.path))


def _unknown() -> tuple[type[Exception], ...]:
    from dulwich.errors import ChecksumMismatch, FileFormatException, NotGitRepository
    from dulwich.repo import UnsupportedExtension, UnsupportedVersion

    unknown = (NotGitRepository, UnsupportedExtension, UnsupportedVersion, ChecksumMismatch, FileFormatException)
    return (*unknown, KeyError, OSError, ValueError)


@dataclass(frozen=True)
class Head:
    """The commit that is checked out, and the place of the folder in it, "" for its top."""

    commit: str
    folder: str


def head(folder: Path) -> Head | None:
    """Which commit is checked out in a folder, or above it; None where there is none that holds it."""
    try:
        with _opened(folder) as (repo, below):
            commit = repo.head()
            held = below == "." or _folder(repo, repo[commit].tree, below) is not None
            return Head(commit.decode(), "" if below == "." else below.replace(os.sep, "/")) if held else None
    except _unknown():
        return None


@dataclass(frozen=True)
class Kept:
    """A file of a commit. mode: as Git keeps it. id: of its bytes."""

    mode: int
    id: str


def kept(folder: Path, commit: str) -> dict[str, Kept]:
    """Every file that a commit has below a folder: path below the folder → file. Empty where it cannot be read."""
    try:
        with _opened(folder) as (repo, below):
            tree = _folder(repo, repo[commit.encode()].tree, below)
            return dict(_kept(repo, tree, "")) if tree else {}
    except _unknown():
        return {}


def _kept(repo: Any, tree: bytes, prefix: str) -> Iterator[tuple[str, Kept]]:
    for name, mode, id in repo[tree].items():
        path = prefix + name.decode("utf-8", "surrogateescape")
        if stat.S_ISDIR(mode):
            yield from _kept(repo, id, path + "/")
        else:
            yield path, Kept(mode, id.decode())


def revision(folder: Path, name: str) -> str:
    """The id of a commit of the source's repository by its id, a beginning of it, a branch, a tag, or `…~N`.

    Raises NotFound, or Failed where there is no repository.
    """
    from dulwich.objectspec import parse_commit

    try:
        with _opened(folder) as (repo, _):
            base, _, steps = name.partition("~")
            found = parse_commit(repo, base or "HEAD")
            for _ in range(int(steps or 1) if "~" in name else 0):
                found = repo[found.parents[0]]
            return bytes(found.id).decode()
    except (KeyError, ValueError, IndexError):
        raise NotFound("revision of the source", name, hint="see 'git log' there") from None
    except _unknown() as error:
        raise Failed(f"{folder} is in no Git repository that can be read: {error}") from None


@contextmanager
def blobs(folder: Path) -> Iterator[Any]:
    """Reads files of the source's repository by their ids: call it with one. Raises Failed where one is not there."""
    with _opened(folder) as (repo, _):

        def read(id: str) -> bytes:
            try:
                data: bytes = repo.object_store.get_raw(id.encode())[1]
            except _unknown() as error:
                raise Failed(f"object {id} of the source cannot be read: {error}") from None
            return data

        yield read


def together(folder: Path, path: str, most: int) -> tuple[Counter[str], int]:
    """(path → in how many commits it changed together with a file, commits that changed the file). Of the newest
    `most` commits; those that changed more than fifty files say nothing and are left out."""
    found: Counter[str] = Counter()
    count = 0
    try:
        with _opened(folder) as (repo, below):
            prefix = "" if below == "." else below.replace(os.sep, "/") + "/"
            name = (prefix + path).encode("utf-8", "surrogateescape")
            for entry in repo.get_walker(paths=[name], max_entries=most):
                if len(entry.commit.parents) > 1:
                    continue
                changed = {place for change in entry.changes() for place in _places(change)}
                if len(changed) > _BROAD:
                    continue
                count += 1
                below_it = (place.removeprefix(prefix) for place in changed if place.startswith(prefix))
                found.update(place for place in below_it if place != path)
    except _unknown():
        return Counter(), 0
    return found, count


_BROAD = 50


def _places(change: Any) -> Iterator[str]:
    for side in (change.old, change.new):
        if side is not None and side.path:
            yield side.path.decode("utf-8", "surrogateescape")


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
