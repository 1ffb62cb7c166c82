"""What plain Git calls: the merge driver and the hooks. Each sees only what Git hands it."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sbfs import conflicts, files, kinds, messages, projects, shared, worktree
from sbfs.errors import Error, Invalid
from sbfs.git.config import configure
from sbfs.merge import merge_file
from sbfs.record import Record
from sbfs.store import Store

HOOKS = ("pre-commit", "post-merge", "post-checkout")

_OURS = "sbfs hook"
"""What tells a hook of ours from a person's own."""


@dataclass
class Driven:
    """merged: whether Git may take the result. said: what a person should know."""

    merged: bool
    said: list[str] = field(default_factory=list)


def merge(base: Path, ours: Path, theirs: Path, path: str, tree: Path) -> Driven:
    """Merge three versions of a record into the file `ours`, as gitattributes(5) says of drivers.

    tree: the top of the work tree, where values that lose are kept as records for `save` to commit.
    What cannot be merged is left as it is, and Git reports a conflict. The base may be empty or
    garbage, as after a criss-cross.
    """
    mine, other = files.read(ours) or b"", files.read(theirs) or b""
    kind = kinds.kind_of(path)
    if kind is None:
        return Driven(False, [f"{path} is no record of sbfs; merge it by hand"])
    old = files.read(base) or None
    try:
        records = [Record.parse(path, raw) for raw in (mine, other)]
    except Invalid as error:
        return Driven(False, [error.sentence])
    before = _readable(path, old)
    wanted = (kind.places(path) or {}).get("id")
    ids = {record.data.get("id") for record in (*records, *([before] if before else [])) if "id" in record.data}
    if len(ids | ({wanted} if wanted else set())) > 1:
        # Git's search for renamed files takes small records for one another.
        return Driven(False, [f"{path}: these are versions of different records"])
    merged = merge_file(kind, path, old, mine, other)
    said = []
    for lost in merged.lost:
        conflict = conflicts.new(path, lost.field, lost.kept, lost.lost, lost.base)
        file = conflicts.path_of(conflict)
        if not (tree / "sbfs.yaml").is_file():
            return Driven(False, [f"{path}: both sides changed {lost.field or 'it'}"])
        if not (tree / file).exists():
            files.make_folders((tree / file).parent)
            files.write(tree / file, conflicts.record_of(conflict).raw)
        said.append(f"{path}: both sides changed {lost.field or 'it'}; the value that lost is in {file} ('sbfs save')")
    files.write(ours, merged.data or b"")
    return Driven(True, said)


def _readable(path: str, raw: bytes | None) -> Record | None:
    try:
        return Record.parse(path, raw) if raw else None
    except Invalid:
        return None


def install(store: Store, *, dry_run: bool = False) -> tuple[list[str], list[str]]:
    """Put Git's hooks and the merge driver into this clone. Returns (installed, left as they are).

    dry_run: only tell.
    """
    installed, kept = ["merge driver"], []
    folder = store.repo.gitdir / "hooks"
    if not dry_run:
        configure(store.repo.gitdir)
        folder.mkdir(exist_ok=True)
    for name in HOOKS:
        there = files.read(folder / name)
        if there is not None and _OURS.encode() not in there:
            kept.append(f".git/hooks/{name}")
            continue
        installed.append(f".git/hooks/{name}")
        if dry_run:
            continue
        # By this very Python: whoever commits need not have sbfs on the path.
        text = shared.read(f"hooks/{name}").replace("exec sbfs", f"exec {shlex.quote(sys.executable)} -P -m sbfs")
        files.write(folder / name, text.encode(), mode=0o755)
        os.chmod(folder / name, 0o755)  # noqa: S103 - Git runs what is executable only
    return installed, kept


def uninstall(store: Store, *, dry_run: bool = False) -> list[str]:
    """Take Git's hooks out of this clone again; the merge driver stays, without which merges would stop.

    dry_run: only tell. Returns what is taken out.
    """
    folder = store.repo.gitdir / "hooks"
    found = [name for name in HOOKS if _OURS.encode() in (files.read(folder / name) or b"")]
    for name in () if dry_run else found:
        (folder / name).unlink()
    return [f".git/hooks/{name}" for name in found]


def hook(store: Store, event: str, *, index: Path | None = None) -> list[str]:
    """Do what a hook is for. Returns what a person should know; for pre-commit, why not to commit.

    index: the one that Git made for the commit, where it is not the repository's.
    """
    if event == "pre-commit":
        invalid = [edit for edit in worktree.edits(store) if not edit.valid]
        said = [f"{edit.path}{f':{edit.line}' if edit.line else ''}: {edit.error}" for edit in invalid]
        return said + [f"{one.path}:{one.line}: holds what looks like a {one.type}; 'sbfs save' takes it out"
                       for one in worktree.staged_secrets(store, index)]  # fmt: skip
    # What lists need of each day is read now, not when somebody waits for a list.
    try:
        for project in projects.list(store, limit=sys.maxsize).items:
            messages.count(store, project=project.name)
    except Error as error:
        return [error.sentence]
    return []
