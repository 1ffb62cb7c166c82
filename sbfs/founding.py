"""How a store begins: a repository of its own with its settings, or nothing."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from datetime import datetime
from pathlib import Path

from sbfs import files, shared, times
from sbfs.errors import Invalid
from sbfs.git import packs, trees
from sbfs.git.config import configure
from sbfs.git.repository import BRANCH, Repository, serialize_commit
from sbfs.kind import new_id
from sbfs.record import dump, etag

DOTFILES = (".gitattributes", ".gitignore")


def dotfile(path: str) -> str:
    """What a store's own .gitattributes or .gitignore begins with."""
    return shared.read(f"templates/store/{path[1:]}")


def found(root: Path, now: datetime) -> bool:
    """Make a store in root. Returns False if one was there. Raises Invalid where something else is.

    The repository is made aside, with its first commit and a journal, and appears by one rename: a
    founder that is killed leaves nothing, or a store that the next command completes.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.failed(error, root) from error
    if _is_store(root):
        configure(root / ".git")
        return False
    _refuse_foreign(root)
    aside = root / f".git.new.{os.getpid()}.{secrets.token_hex(6)}~"
    try:
        _build(aside, now)
        try:
            os.rename(aside, root / ".git")
        except OSError as error:
            if _is_store(root):
                return False
            raise files.failed(error, root) from error
    except OSError as error:
        raise files.failed(error, root) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    files.sync_folder(root)
    return True


def _is_store(root: Path) -> bool:
    if not (root / ".git").is_dir():
        return False
    repo = Repository(root)
    head = repo.ref(BRANCH)
    with repo:
        return bool(head and repo.entry(repo.commit(head).tree, "sbfs.yaml"))


def _refuse_foreign(root: Path) -> None:
    if (root / ".git").exists():
        raise Invalid(
            f"{root} is a Git repository that holds something else",
            hint="choose a folder of the store's own: sbfs init DIR",
        )
    left = [name for name in os.listdir(root) if not files.TEMPORARY.fullmatch(name)]
    if left:
        raise Invalid(
            f"{root} is not empty: it holds {min(left)!r}",
            hint="choose a new or empty folder: sbfs init DIR",
        )


def _build(gitdir: Path, now: datetime) -> None:
    for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "sbfs"):
        (gitdir / folder).mkdir(parents=True)
    (gitdir / "HEAD").write_text(f"ref: {BRANCH}\n")
    (gitdir / "description").write_text("A store of sbfs.\n")
    configure(gitdir)
    settings = {"format": 1, "id": new_id("store", now), "created": times.dump(now)}
    contents = {
        **{path: dotfile(path).encode() for path in DOTFILES},
        "sbfs.yaml": dump("sbfs.yaml", settings),
    }
    editor = trees.TreeEditor(lambda _: trees.Entries(), None)
    for path, data in contents.items():
        editor.set(path, etag(data))
    tree, fresh = editor.write()
    message = "Begin the store\n\nSbfs-Operation: init\n"
    commit, body = serialize_commit(tree, (), "sbfs <sbfs@localhost>", now, message)
    objects: list[packs.Object] = [("blob", etag(data), data) for data in contents.values()]
    objects += [("tree", id, data) for id, data in fresh]
    packs.write(gitdir / "objects" / "pack", [*objects, ("commit", commit, body)])
    files.write(gitdir / BRANCH, f"{commit}\n".encode())
    journal = {"old": None, "new": commit, "paths": list(contents)}
    files.write(gitdir / "sbfs" / "journal", json.dumps(journal).encode())
