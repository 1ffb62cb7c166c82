"""One Git repository with a work tree: reading objects, reading and moving the branch."""

from __future__ import annotations

import errno
import functools
import os
import re
import struct
import time
import weakref
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sbfs import files
from sbfs.errors import Busy, Damaged, NotAStore, NotFound
from sbfs.git import packs, trees

BRANCH = "refs/heads/main"

INDEX_MARK = b"index held by sbfs\n"
"""What our `index.lock` holds, so that a dead writer's is told from Git's own."""

_CACHED_TREES = 600
_CACHED_COMMITS = 2000
_LOOKS = 5
"""How often an object is looked for: busy writers may join packs between one look and the next."""
_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}


@dataclass(frozen=True)
class Commit:
    """id and tree: 40 hex digits. author: name. time: when committed, UTC. message: whole."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: str
    time: datetime
    message: str

    @property
    def subject(self) -> str:
        """The message's first line."""
        return self.message.partition("\n")[0]

    @property
    def trailers(self) -> dict[str, str]:
        """`Key: value` lines of the last paragraph."""
        last = self.message.rstrip().rpartition("\n\n")[2]
        return dict(re.findall(r"^([A-Z][A-Za-z-]+): (.*)$", last, re.M))


class Repository:
    """A repository by its root. Opened objects stay open until `close`; use it as a context."""

    def __init__(self, root: Path):
        """Raises NotAStore where root is no repository with a work tree of its own."""
        self.root = root
        self.gitdir = root / ".git"
        if not self.gitdir.is_dir():
            if self.gitdir.exists():
                raise NotAStore(str(root), why="it is a linked work tree", hint="use the main work tree")
            raise NotAStore(str(root))
        self._objects: Any = None
        self._recent = packs.Recent(self.gitdir / "objects" / "pack")
        self._trees: OrderedDict[str, trees.Entries] = OrderedDict()
        self._commits: dict[str, Commit] = {}
        self._config: tuple[int, Any] = (0, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of open packs."""
        if self._objects is not None:
            self._objects.close()
            self._objects = None
        self._recent = packs.Recent(self.gitdir / "objects" / "pack")

    # -- objects

    def _store(self) -> Any:
        if self._objects is None:
            from dulwich.object_store import DiskObjectStore

            self._objects = DiskObjectStore(os.fspath(self.gitdir / "objects"))
            # dulwich complains on standard error about packs that are still open at exit.
            weakref.finalize(self, self._objects.close)
        return self._objects

    def read(self, id: str) -> tuple[str, bytes]:
        """(type, bytes) of an object. Raises Damaged where it is missing or broken."""
        if (found := self._recent.read(id)) is not None:
            return found
        for attempt in range(_LOOKS):
            last = attempt == _LOOKS - 1
            try:
                number, data = self._store().get_raw(id.encode())
                return packs.NAMES[number], data
            except _broken() as error:
                # The frames of its traceback hold the pack's memory, which cannot be let go then.
                broken = error.with_traceback(None)
                broken.__context__ = None
            # Packs may have been joined since they were opened: look again from the start.
            self.close()
            if last and isinstance(broken, OSError) and broken.errno not in (None, errno.ENOENT):
                raise files.failed(broken, self.gitdir / "objects") from broken
            if last:
                raise Damaged(
                    f"object {id} cannot be read", hint="run 'sbfs check'; fetch it from another clone"
                ) from broken
        raise AssertionError

    def blob(self, id: str) -> bytes:
        """A file's bytes."""
        return self.read(id)[1]

    def has(self, id: str) -> bool:
        """Whether an object is here."""
        try:
            if id.encode() in self._store():
                return True
            # Packs may have been joined since they were opened.
            self.close()
            return id.encode() in self._store()
        except _broken() as error:
            raise Damaged(f"object {id} cannot be looked up", hint="run 'sbfs check'") from error

    def holds(self, id: str) -> bool:
        """The same by one look, for many that are mostly not here: packs that were joined just now are not found."""
        try:
            return id.encode() in self._store()
        except _broken():
            return False

    def tree(self, id: str) -> trees.Entries:
        """A tree's entries; not to be changed by the caller."""
        if (found := self._trees.get(id)) is not None:
            self._trees.move_to_end(id)
            return found
        self._trees[id] = entries = trees.parse(self.read(id)[1])
        if len(self._trees) > _CACHED_TREES:
            self._trees.popitem(last=False)
        return entries

    def remember_tree(self, id: str, entries: trees.Entries) -> None:
        """Keep a tree that was just written, so that the next write need not read it."""
        self._trees[id] = entries

    def commit(self, id: str) -> Commit:
        """A commit, parsed."""
        if id in self._commits:
            return self._commits[id]
        type, data = self.read(id)
        if type != "commit":
            raise NotFound("revision", id)
        return self.remember_commit(id, data)

    def remember_commit(self, id: str, data: bytes) -> Commit:
        """Keep a commit that was just read or written."""
        if len(self._commits) > _CACHED_COMMITS:
            self._commits.clear()
        self._commits[id] = commit = _parse_commit(id, data)
        return commit

    def entry(self, tree: str, path: str) -> tuple[int, str] | None:
        """(mode, id) at a path below a tree, folders included."""
        parts = [part for part in path.split("/") if part]
        at: tuple[int, str] = (trees.FOLDER, tree)
        for part in parts:
            if at[0] != trees.FOLDER:
                return None
            found = self.tree(at[1]).get(part)
            if found is None:
                return None
            at = found
        return at

    def folder(self, tree: str, path: str) -> str | None:
        """The id of the tree at a path, or None."""
        found = self.entry(tree, path)
        return found[1] if found and found[0] == trees.FOLDER else None

    # -- refs

    def head_ref(self) -> str | None:
        """The branch that is checked out; None for a detached HEAD."""
        try:
            text = (self.gitdir / "HEAD").read_text().strip()
        except FileNotFoundError:
            raise Damaged(".git/HEAD is missing", hint=f"write 'ref: {BRANCH}' into it") from None
        return text[5:] if text.startswith("ref: ") else None

    def ref(self, name: str) -> str | None:
        """What a ref points to, or None."""
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            text = (self.gitdir / name).read_text().strip()
            if re.fullmatch(r"[0-9a-f]{40}", text):
                return text
            if text.startswith("ref: "):
                return self.ref(text[5:])
            raise Damaged(f".git/{name} holds no commit's id", hint="see 'git reflog', or run 'sbfs check --fix'")
        with suppress(FileNotFoundError):
            for line in (self.gitdir / "packed-refs").read_text().splitlines():
                if line[41:] == name:
                    return line[:40]
        return None

    def refs(self, prefix: str) -> dict[str, str]:
        """Name → id of all refs below a prefix."""
        found: dict[str, str] = {}
        with suppress(FileNotFoundError):
            for line in (self.gitdir / "packed-refs").read_text().splitlines():
                if line[41:].startswith(prefix) and line[:1] not in "#^":
                    found[line[41:]] = line[:40]
        for file in (self.gitdir / prefix).rglob("*"):
            if file.is_file() and not file.name.endswith(".lock"):
                name = file.relative_to(self.gitdir).as_posix()
                if id := self.ref(name):
                    found[name] = id
        return found

    def move_ref(self, name: str, old: str | None, new: str, who: str, message: str, wait: float = 10) -> bool:
        """Move a ref from old to new, durably; False if it does not stand at old.

        Raises Busy if another program keeps the ref locked for `wait` seconds.
        """
        file = self.gitdir / name
        lock = file.with_name(f"{file.name}.lock")
        for folder in (file.parent, self.gitdir / "sbfs"):
            files.make_folders(folder)
        # The lock is linked from a file that is written already: one that a killed writer leaves
        # behind holds what it was about to say, and so is told from Git's own.
        ready = files._stage(f"{self.gitdir}/sbfs/ref", f"{new}\n".encode(), 0o644, sync=True)
        held = moved = False
        try:
            self._take_ref_lock(ready, lock, wait)
            held = True
            if self.ref(name) == old:
                os.replace(lock, file)
                moved = True
        finally:
            if held and not moved and files.read(lock) == f"{new}\n".encode():
                lock.unlink()
            os.unlink(ready)
        if moved:
            self._log_ref(name, old or "0" * 40, new, who, message)
        return moved

    def _take_ref_lock(self, ready: str, lock: Path, wait: float) -> None:
        deadline = time.monotonic() + wait
        while True:
            try:
                os.link(ready, lock)
                return
            except FileExistsError:
                if time.monotonic() > deadline:
                    raise Busy(
                        f"{lock} is held by another program",
                        hint="if no git command runs, 'sbfs check --fix' removes it",
                    ) from None
                time.sleep(0.02)

    def drop_ref_lock(self, name: str, new: str) -> None:
        """Remove the lock that a dead `move_ref` to `new` left. Only where that writer is known to be dead."""
        lock = self.gitdir / f"{name}.lock"
        if files.read(lock) == f"{new}\n".encode():
            lock.unlink()

    def _log_ref(self, name: str, old: str, new: str, who: str, message: str) -> None:
        line = f"{old} {new} {who} {int(time.time())} +0000\tsbfs: {message}\n"
        for log in (name, "HEAD"):
            file = self.gitdir / "logs" / log
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(file, "a", encoding="utf-8", errors="replace") as stream:
                stream.write(line)

    def is_half_written(self) -> bool:
        """Whether a writer of ours died half-way, or is at work."""
        return (self.gitdir / "sbfs" / "journal").exists() or files.read(self.gitdir / "index.lock") == INDEX_MARK

    def unfinished(self) -> str:
        """What a person has under way in the work tree ("a merge", "a rebase"), or ""."""
        return next((what for name, what in _UNFINISHED.items() if (self.gitdir / name).exists()), "")

    def resolve(self, revision: str) -> str:
        """A commit's id from an id's prefix, a branch, a tag, `HEAD`, `…~N` or an ISO date. Raises NotFound."""
        base, _, steps = revision.partition("~")
        if steps and not re.fullmatch(r"[0-9]{1,9}", steps):
            raise NotFound("revision", revision, hint="write it as HEAD~3")
        id = self._resolve_name(base or "HEAD")
        for _ in range(int(steps or 1) if "~" in revision and (steps or "1").isdigit() else 0):
            parents = self.commit(id).parents
            if not parents:
                raise NotFound("revision", revision, hint="the history is not that long")
            id = parents[0]
        return id

    def _resolve_name(self, name: str) -> str:
        if name == "HEAD":
            id = self.ref("HEAD")
        elif re.fullmatch(r"[0-9a-f]{40}", name):
            id = name if self.has(name) else None
        else:
            places = (f"refs/heads/{name}", f"refs/tags/{name}", f"refs/remotes/{name}")
            id = next((found for place in places if (found := self.ref(place))), None)
        if id is None and re.fullmatch(r"[0-9a-f]{4,39}", name):
            id = self._by_prefix(name)
        if id is None and re.match(r"\d{4}-\d\d-\d\d", name):
            id = self._by_date(name)
        if id is None:
            raise NotFound("revision", name, hint="see 'sbfs log' for the revisions there are")
        return self._peel(id)

    def _peel(self, id: str) -> str:
        type, data = self.read(id)
        return self._peel(data[7:47].decode()) if type == "tag" else id

    def _by_prefix(self, prefix: str) -> str | None:
        found = [commit.id for commit in self.history() if commit.id.startswith(prefix)]
        return found[0] if len(found) == 1 else None

    def _by_date(self, date: str) -> str | None:
        from sbfs import times

        until = times.load(date, field="at")
        return next((commit.id for commit in self.history() if commit.time <= until), None)

    def shallow(self) -> frozenset[str]:
        """Commits whose parents a shallow clone leaves out."""
        return frozenset((files.read(self.gitdir / "shallow") or b"").decode("ascii", "replace").split())

    def history(self, start: str | None = None) -> Iterator[Commit]:
        """Commits reachable from the branch (or start), newest first."""
        first = start or self.ref(BRANCH)
        if first is None:
            return
        import heapq

        seen, cut = {first}, self.shallow()
        commit = self.commit(first)
        queue = [(-commit.time.timestamp(), 0, commit)]
        order = 0
        while queue:
            _, _, commit = heapq.heappop(queue)
            yield commit
            for parent in commit.parents:
                if parent not in seen and commit.id not in cut:
                    seen.add(parent)
                    order += 1
                    next_one = self.commit(parent)
                    heapq.heappush(queue, (-next_one.time.timestamp(), order, next_one))

    # -- configuration

    def config(self, section: str, name: str) -> str | None:
        """A value from the repository's own .git/config."""
        file = self.gitdir / "config"
        try:
            # Most files say nothing of it, and loading what reads them takes longer than reading them.
            if name.lower().encode() not in file.read_bytes().lower():
                return None
            from dulwich.config import ConfigFile

            written = file.stat().st_mtime_ns
            if self._config[0] != written:
                self._config = written, ConfigFile.from_path(os.fspath(file))
            value: bytes = self._config[1].get((section.encode(),), name.encode())
        except (KeyError, FileNotFoundError):
            return None
        return value.decode()


@functools.cache
def _broken() -> tuple[type[Exception], ...]:
    """What dulwich raises for objects that are missing, cut or overwritten."""
    from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException

    plain = (KeyError, IndexError, OSError, ValueError, AssertionError, EOFError, struct.error, zlib.error)
    return (*plain, ApplyDeltaError, ChecksumMismatch, FileFormatException)


def serialize_commit(
    tree: str, parents: tuple[str, ...], who: str, moment: datetime, message: str
) -> tuple[str, bytes]:
    """(id, bytes) of a commit. who: `Name <mail>`."""
    stamp = f"{who} {int(moment.timestamp())} +0000"
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {stamp}", f"committer {stamp}"]
    data = ("\n".join(lines) + "\n\n" + message).encode("utf-8", "replace")
    return trees.object_id("commit", data), data


def _parse_commit(id: str, data: bytes) -> Commit:
    head, _, message = data.partition(b"\n\n")
    tree, parents, author, seconds = "", [], "", 0
    for line in head.decode("utf-8", "replace").split("\n"):
        key, _, value = line.partition(" ")
        if key == "tree":
            tree = value
        elif key == "parent":
            parents.append(value)
        elif key == "author":
            author = value.rpartition(" <")[0]
        elif key == "committer":
            seconds = int(value.rsplit(" ", 2)[1])
    return Commit(
        id, tree, tuple(parents), author, datetime.fromtimestamp(seconds, UTC), message.decode("utf-8", "replace")
    )
