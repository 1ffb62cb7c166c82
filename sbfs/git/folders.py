"""Folders that come as a whole: written by Git beside their places, and put in place by one renaming each.

A file that is written aside and renamed costs two entries of a folder, one after the other and under the lock; of a
hundred thousand that is most of an import.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sbfs import files
from sbfs.errors import Failed
from sbfs.git import trees
from sbfs.git.bulk import Scratch, environment
from sbfs.git.repository import Repository

WHOLE_FROM = 256
"""Files from which on it pays to have Git write them: it has to be started, and what it wrote to be moved."""

_PLAIN = "* -text -eol -filter -ident -working-tree-encoding\n"
"""Attributes above all others: what lies in a folder that came from elsewhere decides nothing about its own bytes."""

_SETTINGS = {
    "core.bare": "false",
    "core.autocrlf": "false",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.splitIndex": "false",
    "core.sparseCheckout": "false",
    "index.version": "2",
    "index.skipHash": "false",
    "checkout.workers": "0",
}


@dataclass(frozen=True)
class Folders:
    """Folders that are written and synced, and in no place yet.

    ids: path → tree. root: below it they lie, under their own paths. index: an index of Git's of all their files.
    """

    ids: Mapping[str, str]
    root: Path
    index: Path

    def put_into(self, root: Path) -> None:
        """Move them to their places below a root, where nothing may be. Raises OSError."""
        touched: set[Path] = set()
        for path in self.ids:
            place = root / path
            touched |= files.make_folders(place.parent)
            os.rename(self.root / path, place)
            touched.add(place.parent)
        files.sync_folders({os.fspath(one) for one in touched})


def pays(count: int) -> bool:
    """Whether so many files are enough."""
    return count >= WHOLE_FROM


def lay_out(scratch: Scratch, ids: Mapping[str, str]) -> Folders | None:
    """Write folders below a scratch repository. ids: path → tree, none of them below another, all their files plain.

    Returns None where there is no git binary. Raises Failed where it cannot write them.
    """
    if not shutil.which("git"):
        return None
    # Git goes into the work tree, so that nothing it is told may depend on where it began.
    place = scratch.folder.absolute()
    laid = Folders(ids, place / "files", place / "files.index")
    try:
        _write(scratch.repo, laid)
        files.sync_all(laid.root)
    except OSError as error:
        raise files.failed(error, laid.root) from error
    return laid


def _write(repo: Repository, laid: Folders) -> None:
    gitdir = repo.gitdir.absolute()
    editor = trees.TreeEditor(repo.tree, None)
    for path, id in laid.ids.items():
        editor.set_folder(path, id)
    tree, fresh = editor.write()
    for id, data in fresh:
        _write_loose(gitdir, id, data)
    laid.root.mkdir()
    (gitdir / "info").mkdir(exist_ok=True)
    (gitdir / "info" / "attributes").write_text(_PLAIN)
    said = [word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")]
    env = {**environment(gitdir), "GIT_CONFIG_GLOBAL": os.devnull}
    env |= {"GIT_WORK_TREE": os.fspath(laid.root), "GIT_INDEX_FILE": os.fspath(laid.index)}
    command = ["git", *said, "read-tree", "--reset", "-u", tree]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["git read-tree failed"]
        raise Failed(f"files cannot be written: {why[-1]}", hint="repeat; if it fails again, 'sbfs check'")


def _write_loose(gitdir: Path, id: str, data: bytes) -> None:
    """A tree that only this needs: it does not go where the pack goes."""
    file = gitdir / "objects" / id[:2] / id[2:]
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(zlib.compress(b"tree %d\0" % len(data) + data))
