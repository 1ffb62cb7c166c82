"""Git's index file, changed in place of running `git add`.

The index lists every file of the work tree; rewriting it is the one cost of a write that grows with
the store. So a large index is kept split (gitformat-index(5), "Split index"): a shared file with
everything, which stays, and a small `index` with the entries written since, which is all that a
write touches. Small indexes stay whole, and so do all with `core.splitIndex=false`. What this
module cannot change safely (version 4, sparse or half-merged indexes) is given to
`git update-index`.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from heapq import merge
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from sbfs.errors import Failed

K = TypeVar("K")

SPLIT_FROM = 1024
"""Entries from which the index is split. Below, a whole one is as cheap and every tool reads it."""

_FOLD_FROM = 256
_FOLD_PART = 128
"""A write reads all entries outside the shared part, and folding them into it reads everything: one
entry in so many outside keeps both small, at 4,096 entries as at 400,000."""

_AT_ONCE = 4096
"""Entries that are written at once."""

_EMPTY_BITMAP = struct.pack(">IIQI", 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index shall say of a path. id: None takes it out. stat: of the file, None if unknown."""

    id: str | None
    mode: int = 0o100644
    stat: os.stat_result | None = None


class _Unreadable(Exception):
    """Only Git itself can change the index as it is."""


def prepare(
    gitdir: Path, target: Path, edits: Mapping[str, Entry], *, split: bool = True, more: Path | None = None
) -> None:
    """Write to `target` the index that follows from gitdir's current one and the edits.

    more: an index of Git's with files that come in besides; the edits go before it. Files that the new
    index shares are in place when this returns; the caller renames `target` over `index`.
    """
    changes = {os.fsencode(path): entry for path, entry in edits.items()}
    with _Others.read(more, changes) if more else nullcontext() as others:
        try:
            current = _Current.read(gitdir)
            current.write(gitdir, target, changes, split, others)
        except _Unreadable as error:
            came = {path: Entry(row[40:60].hex()) for path, row in others.rows()} if others else {}
            _change_by_git(gitdir, target, came | changes, str(error))


@dataclass
class _Current:
    """The index as it is: its own entries by path (nameless ones apart), and what it shares.

    written: the second in which it was.
    """

    nameless: list[bytes]
    entries: dict[bytes, bytes]
    shared: str
    bitmaps: bytes
    written: int

    @classmethod
    def read(cls, gitdir: Path) -> _Current:
        try:
            with open(gitdir / "index", "rb") as file:
                state = os.fstat(file.fileno())
                raw = file.read()
        except FileNotFoundError:
            return cls([], {}, "", b"", 0)
        rows, extensions = _parse(raw)
        link = extensions.get(b"link", b"")
        named = {path: row for path, row in rows if path}
        nameless = [row for path, row in rows if not path]
        return cls(nameless, named, link[:20].hex(), link[20:], int(state.st_mtime))

    def write(
        self, gitdir: Path, target: Path, changes: dict[bytes, Entry], split: bool, others: _Others | None
    ) -> None:
        if not self.shared:
            self._write_whole(gitdir, target, self._applied(self.entries, changes), split, others)
            return
        base = gitdir / f"sharedindex.{self.shared}"
        removed = [path for path, entry in changes.items() if entry.id is None]
        number = len(self.entries) + len(changes)
        if split and not removed and not others and number < max(_FOLD_FROM, _count(base) // _FOLD_PART):
            with suppress(OSError):
                os.utime(base)  # Git throws away shared files that nobody touched for two weeks
            body = self._applied(self.entries, changes)
            nameless = [*_unsure(dict(enumerate(self.nameless)), self.written).values()]
            _write(target, nameless, body, bytes.fromhex(self.shared) + (self.bitmaps or _EMPTY_BITMAP * 2))
            return
        self._write_whole(gitdir, target, self._applied(self._everything(gitdir, target), changes), split, others)

    def _everything(self, gitdir: Path, target: Path) -> dict[bytes, bytes]:
        """All entries, the shared ones included. target: a file that may be overwritten."""
        if self.nameless or self.bitmaps not in (b"", _EMPTY_BITMAP * 2):
            # Git has replaced entries of the shared part, as its `status` does, and says so in
            # bitmaps: let it put them together, once, so that later writes need not ask again.
            _ask_git(gitdir, target, ["--no-split-index"], b"", "its shared part was changed by Git")
            rows, _ = _parse(target.read_bytes())
            return dict(rows)
        rows, _ = _parse(_read_shared(gitdir / f"sharedindex.{self.shared}"))
        return {path: row for path, row in rows if path} | self.entries

    def _applied(self, entries: dict[bytes, bytes], changes: dict[bytes, Entry]) -> dict[bytes, bytes]:
        result = _unsure(entries, self.written)
        for path, entry in changes.items():
            if entry.id is None:
                result.pop(path, None)
            else:
                result[path] = _row(path, entry)
        return result

    def _write_whole(
        self, gitdir: Path, target: Path, entries: dict[bytes, bytes], split: bool, others: _Others | None
    ) -> None:
        for path, _ in others.rows() if others else ():
            entries.pop(path, None)
        if not split or len(entries) + (others.count if others else 0) < SPLIT_FROM:
            _write(target, [], entries, None, others)
            return
        # What the shared file says is not looked at again, so nothing in it may be of this moment.
        since = int(time.time()) - 1
        entries = _unsure(entries, since)
        shared = _write(gitdir / "sbfs" / "sharedindex.next", [], entries, None, others, since)
        os.replace(gitdir / "sbfs" / "sharedindex.next", gitdir / f"sharedindex.{shared}")
        _write(target, [], {}, bytes.fromhex(shared) + _EMPTY_BITMAP * 2)
        _forget_shared(gitdir, keep={shared, self.shared})


class _Others:
    """The entries of an index as Git writes it, read one by one: as objects, a great many would fill the memory.

    count: of those that are not among the changes. Raises Failed for one of another form.
    """

    def __init__(self, raw: mmap.mmap, changes: Mapping[bytes, Entry]):
        if raw[:8] != b"DIRC\0\0\0\2":
            raise Failed("git wrote an index of another form", hint="see 'git config index.version'")
        self._raw, self._changes = raw, changes
        self._number = int.from_bytes(raw[8:12], "big")
        self.count = sum(1 for _ in self.rows()) if changes else self._number

    @classmethod
    @contextmanager
    def read(cls, file: Path, changes: Mapping[bytes, Entry]) -> Iterator[_Others]:
        """Those of a file, for the length of a block."""
        with open(file, "rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            yield cls(raw, changes)

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """(path, row) in the order of the index."""
        return (one for one in _each_row(self._raw, self._number) if one[0] not in self._changes)


def _unsure(rows: dict[K, bytes], since: int) -> dict[K, bytes]:
    """An entry as young as the index that held it may hide an edit of the same instant: a size of 0
    makes Git look at the file again (its own remedy, see racy-git.txt). since: seconds, since Git as
    it is commonly built compares no finer."""
    mark = struct.pack(">I", since & 0xFFFFFFFF)
    return {key: row if row[8:12] < mark else row[:36] + b"\0\0\0\0" + row[40:] for key, row in rows.items()}


def _parse(raw: bytes) -> tuple[list[tuple[bytes, bytes]], dict[bytes, bytes]]:
    if len(raw) < 32 or raw[:4] != b"DIRC":
        raise _Unreadable("it is damaged")
    version, count = struct.unpack_from(">II", raw, 4)
    if version not in (2, 3):
        raise _Unreadable(f"it has version {version}")
    try:
        rows, at = _rows(raw, count)
    except (IndexError, ValueError):
        raise _Unreadable("it is damaged") from None
    extensions = dict(_extensions(raw, at))
    unknown = [name for name in extensions if name != b"link" and not name[:1].isupper()]
    if unknown:
        raise _Unreadable(f"it has the extension {unknown[0].decode('ascii', 'replace')}")
    return rows, extensions


def _rows(raw: bytes, count: int) -> tuple[list[tuple[bytes, bytes]], int]:
    """(path, row) of each entry, and where the last one ends."""
    rows = [*_each_row(raw, count)]
    return rows, 12 + sum(len(row) for _, row in rows)


def _each_row(raw: bytes | mmap.mmap, count: int) -> Iterator[tuple[bytes, bytes]]:
    """One tight loop, since every write of a store runs through it for thousands of entries."""
    at = 12
    for _ in range(count):
        flags = raw[at + 60] << 8 | raw[at + 61]
        head, length = 62, flags & 0xFFF
        if flags & 0x7000 or length == 0xFFF:
            head, length = _unusual(raw, at, flags)
        end = at + ((head + length + 8) & ~7)
        yield raw[at + head : at + head + length], raw[at:end]
        at = end


def _unusual(raw: bytes | mmap.mmap, at: int, flags: int) -> tuple[int, int]:
    """Where the path of an entry with more flags, or with a long path, begins in it, and its length."""
    if flags & 0x3000:
        raise _Unreadable("it holds an unfinished merge")
    head = 64 if flags & 0x4000 else 62
    length = flags & 0xFFF
    if length == 0xFFF:
        length = raw.find(b"\0", at + head) - at - head
    if length < 0:
        raise ValueError("a path has no end")
    return head, length


def _extensions(raw: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(raw) - 20:
        name, (size,) = raw[at : at + 4], struct.unpack_from(">I", raw, at + 4)
        yield name, raw[at + 8 : at + 8 + size]
        at += 8 + size


def _row(path: bytes, entry: Entry) -> bytes:
    state = entry.stat
    numbers: tuple[int, ...]
    if state is None:
        numbers = (0, 0, 0, 0, 0, 0, entry.mode, 0, 0, 0)
    else:
        changed, modified = divmod(state.st_ctime_ns, 10**9), divmod(state.st_mtime_ns, 10**9)
        rest = (state.st_dev, state.st_ino, entry.mode, state.st_uid, state.st_gid, state.st_size)
        numbers = tuple(number & 0xFFFFFFFF for number in (*changed, *modified, *rest))
    head = struct.pack(">10I", *numbers) + bytes.fromhex(entry.id or "")
    row = head + struct.pack(">H", min(len(path), 0xFFF)) + path
    return row + b"\0" * (8 - len(row) % 8)


def _write(
    target: Path,
    nameless: list[bytes],
    entries: dict[bytes, bytes],
    link: bytes | None,
    others: _Others | None = None,
    since: int | None = None,
) -> str:
    """Write an index, and return its sum. since: what is younger among the others is made unsure."""
    rows = list(map(entries.__getitem__, sorted(entries)))
    flagged = max(map(itemgetter(60), (*nameless, *rows)), default=0) >= 0x40
    version = 3 if flagged and any(row[60] & 0x40 for row in (*nameless, *rows)) else 2
    count = len(nameless) + len(rows) + (others.count if others else 0)
    last = () if link is None else (b"link" + struct.pack(">I", len(link)) + link,)
    body = _merged(entries, others, since) if others else rows
    parts = chain((b"DIRC", struct.pack(">II", version, count)), nameless, body, last)
    checksum = hashlib.sha1(usedforsecurity=False)
    target.unlink(missing_ok=True)
    with open(target, "xb") as file:
        while piece := b"".join(islice(parts, _AT_ONCE)):
            checksum.update(piece)
            file.write(piece)
        file.write(checksum.digest())
        file.flush()
        os.fsync(file.fileno())
    return checksum.hexdigest()


def _merged(entries: dict[bytes, bytes], others: _Others, since: int | None) -> Iterator[bytes]:
    """The rows of both by path."""
    mark = struct.pack(">I", (since or 0xFFFFFFFF) & 0xFFFFFFFF)
    came = ((path, row if row[8:12] < mark else row[:36] + b"\0\0\0\0" + row[40:]) for path, row in others.rows())
    return (row for _, row in merge(((path, entries[path]) for path in sorted(entries)), came, key=itemgetter(0)))


def _count(shared: Path) -> int:
    try:
        with open(shared, "rb") as file:
            return int.from_bytes(file.read(12)[8:], "big")
    except FileNotFoundError:
        raise _Unreadable("its shared part is gone") from None


def _read_shared(shared: Path) -> bytes:
    try:
        return shared.read_bytes()
    except FileNotFoundError:
        raise _Unreadable("its shared part is gone") from None


def _forget_shared(gitdir: Path, keep: set[str], age: float = 300) -> None:
    """Remove shared files that no index names. A Git that runs now may still read a young one."""
    for file in gitdir.glob("sharedindex.*"):
        with suppress(FileNotFoundError):
            if file.name.partition(".")[2] not in keep and time.time() - file.stat().st_mtime > age:
                file.unlink()


def _change_by_git(gitdir: Path, target: Path, changes: Mapping[bytes, Entry], why: str) -> None:
    lines = [
        (b"0 " + b"0" * 40 if entry.id is None else b"%o %b" % (entry.mode, entry.id.encode())) + b"\t" + path
        for path, entry in changes.items()
    ]
    _ask_git(gitdir, target, ["-z", "--index-info"], b"\0".join(lines) + b"\0", why)


def _ask_git(gitdir: Path, target: Path, arguments: list[str], input: bytes, why: str) -> None:
    """Let `git update-index` work on a copy of the index."""
    target.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        target.write_bytes((gitdir / "index").read_bytes())
    run_git(gitdir, ["update-index", *arguments], input, why, index=target)


def run_git(gitdir: Path, arguments: list[str], input: bytes, why: str, *, index: Path | None = None) -> bytes:
    """Run a git binary on the repository, blind to the caller's GIT_* variables."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    env.update(GIT_DIR=os.fspath(gitdir), GIT_WORK_TREE=os.fspath(gitdir.parent), LC_ALL="C")
    env["GIT_OPTIONAL_LOCKS"] = "0"
    if index is not None:
        env["GIT_INDEX_FILE"] = os.fspath(index)
    try:
        done = subprocess.run(["git", *arguments], env=env, input=input, capture_output=True, check=True)  # noqa: S607
    except FileNotFoundError:
        raise Failed(f"Git's index cannot be changed: {why}", hint="install git, or run 'sbfs check --fix'") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode("utf-8", "replace").strip()
        raise Failed(f"git {arguments[0]} failed: {said}", hint="run 'sbfs check --fix'") from None
    return done.stdout


def listing(gitdir: Path) -> dict[str, str] | None:
    """Path → id of what the index says; None where only Git can tell."""
    try:
        current = _Current.read(gitdir)
        entries = dict(current.entries)
        if current.shared:
            if current.nameless or current.bitmaps not in (b"", _EMPTY_BITMAP * 2):
                return None
            rows, _ = _parse(_read_shared(gitdir / f"sharedindex.{current.shared}"))
            entries = {path: row for path, row in rows if path} | entries
    except _Unreadable:
        return None
    return {os.fsdecode(path): row[40:60].hex() for path, row in entries.items()}
