"""Which files of the work tree differ from the branch: by Git where there is one, else by looking."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sbfs.errors import Failed
from sbfs.git import trees
from sbfs.git.index import run_git
from sbfs.git.repository import Repository
from sbfs.record import etag


def differing(repo: Repository, tree: str) -> list[str]:
    """Sorted paths of files that may differ from a tree: changed, added (unless ignored) or deleted."""
    if shutil.which("git"):
        try:
            return sorted(_by_git(repo))
        except Failed:
            # Git refuses, for one, a folder of another owner (safe.directory). Reading needs no Git.
            pass
    return sorted(_by_looking(repo, tree))


def staged(repo: Repository, index: Path | None = None) -> list[tuple[str, str]]:
    """(path, id) of the files that the next commit would add or change. index: the one that Git made for it."""
    arguments = ["diff-index", "--cached", "-z", "--no-renames", "--diff-filter=AM", "HEAD"]
    said = run_git(repo.gitdir, arguments, b"", "what is staged cannot be read", index=index).split(b"\0")
    return [(os.fsdecode(path), row.split()[3].decode()) for row, path in zip(said[::2], said[1::2], strict=False)]


def _by_git(repo: Repository) -> Iterator[str]:
    arguments = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]
    said = run_git(repo.gitdir, arguments, b"", "its state cannot be read")
    for row in said.split(b"\0"):
        if row:
            yield os.fsdecode(row[3:])


def _by_looking(repo: Repository, tree: str) -> Iterator[str]:
    from dulwich.ignore import IgnoreFilter

    ignored = IgnoreFilter.from_path(os.fspath(repo.root / ".gitignore")) if _has_ignore(repo) else None
    known = {path: id for path, _, id in trees.walk(repo.tree, tree)}
    for path in _files(repo.root, ""):
        id = known.pop(path, None)
        if id is None:
            if not (ignored and ignored.is_ignored(os.fsencode(path))):
                yield path
        elif _etag_of(repo.root / path) != id:
            yield path
    yield from known


def _has_ignore(repo: Repository) -> bool:
    return (repo.root / ".gitignore").is_file()


def _files(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git":
                    yield from _files(folder / entry.name, f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}"


def _etag_of(file: Path) -> str:
    return etag(os.fsencode(os.readlink(file)) if file.is_symlink() else file.read_bytes())
