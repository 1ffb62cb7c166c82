"""What this machine knows of its imports: how far each transcript is read, and which entry is where.

A cache below .git/sbfs/imports/ that may be deleted at any time: then transcripts are read from their
beginning, and what is known of them is found in the store. It follows the branch, so that what a
colleague imported, or an undo took away, is known of.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

from sbfs.conversations.line import Line
from sbfs.conversations.value import MAIN, line_names
from sbfs.git import trees
from sbfs.store import View

_SCHEMA = """
CREATE TABLE conversations (place INTEGER PRIMARY KEY, id TEXT, path TEXT UNIQUE, tree TEXT, removed INTEGER);
CREATE INDEX by_id ON conversations (id);
CREATE TABLE entries (entry INTEGER PRIMARY KEY, place INTEGER);
CREATE INDEX by_place ON entries (place);
CREATE TABLE transcripts (path TEXT PRIMARY KEY, said TEXT);
PRAGMA user_version = 1;
"""

_GLOBAL = ("claude-code", "codex")
"""Agents whose entries have ids that are unique everywhere, so that a copy is known by them."""


def scope(agent: str, id: str) -> str:
    """Within which a conversation's ids are unique."""
    return "" if agent in _GLOBAL else id


@dataclass(frozen=True)
class Place:
    """Where a conversation lies. path: of its folder; tree: the folder's id. removed: only its tombstone is there."""

    id: str
    path: str
    tree: str
    removed: bool

    @property
    def project(self) -> str:
        """The project that holds it."""
        return self.path.split("/")[1]


@dataclass
class Progress:
    """How far a transcript is read, and what was met on the way.

    prefix: hash of the bytes before the offset. size and changed (nanoseconds): of the file when it was
    read. conversation, tree: where it went, and that folder's id afterwards. waiting: whether a half-written
    line stood at the end. secrets: (offset, line) of the entries with which the numbers of secrets begin. The rest is
    what `Source` tells.
    """

    offset: int = 0
    line: int = 0
    state: dict[str, Any] = field(default_factory=dict)
    prefix: str = ""
    size: int = -1
    changed: int = 0
    conversation: str = ""
    tree: str = ""
    waiting: bool = False
    secrets: list[list[int]] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0
    places: list[list[Any]] = field(default_factory=list)


class Imports:
    """The cache of one store. Use `with`."""

    def __init__(self, gitdir: Path):
        self._file = gitdir / "sbfs" / "imports" / "imports.sqlite"
        self._data = self._open()
        self._revision = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._data.close()

    def _open(self) -> sqlite3.Connection:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return self._connect(str(self._file))
        except sqlite3.DatabaseError:
            for left in self._file.parent.glob(f"{self._file.name}*"):
                left.unlink(missing_ok=True)
            return self._connect(str(self._file))
        except OSError:
            # A store that may only be read: the import will say so when it writes.
            return self._connect(":memory:")

    def _connect(self, name: str) -> sqlite3.Connection:
        data = sqlite3.connect(name, timeout=60, isolation_level=None)
        data.execute("PRAGMA synchronous = OFF")
        version = data.execute("PRAGMA user_version").fetchone()[0]
        if version != 1:
            data.execute("BEGIN IMMEDIATE")
            if data.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in filter(None, map(str.strip, _SCHEMA.split(";"))):
                    data.execute(statement)
            data.execute("COMMIT")
        data.execute("SELECT count(*) FROM transcripts")
        return data

    # -- following the branch

    def follow(self, view: View) -> None:
        """Know what the branch holds."""
        if view.revision == self._revision:
            return
        now = dict(folders(view))
        known = dict(self._data.execute("SELECT path, tree FROM conversations"))
        changed = {path: tree for path, tree in now.items() if known.get(path) != tree}
        gone = known.keys() - now.keys()
        if changed or gone:
            self._data.execute("BEGIN IMMEDIATE")
            for path in gone:
                self._forget(path)
            for path, tree in changed.items():
                removed, keys = _read(view, path)
                self._keep(path, tree, removed, keys)
            self._data.execute("COMMIT")
        self._revision = view.revision

    def _forget(self, path: str) -> None:
        entries = "DELETE FROM entries WHERE place = (SELECT place FROM conversations WHERE path = ?)"
        self._data.execute(entries, (path,))
        self._data.execute("DELETE FROM conversations WHERE path = ?", (path,))

    def _keep(self, path: str, tree: str, removed: bool, keys: Iterable[int]) -> None:
        self._forget(path)
        said = (path.rpartition("/")[2], path, tree, removed)
        self._data.execute("INSERT INTO conversations (id, path, tree, removed) VALUES (?, ?, ?, ?)", said)
        self._add(path, keys)

    def _add(self, path: str, keys: Iterable[int]) -> None:
        place = self._data.execute("SELECT place FROM conversations WHERE path = ?", (path,)).fetchone()[0]
        rows = ((key, place) for key in keys)
        self._data.executemany("INSERT OR IGNORE INTO entries (entry, place) VALUES (?, ?)", rows)

    def published(self, view: View, grown: Mapping[str, Iterable[int]]) -> None:
        """After an import: path of a conversation's folder → keys that are new in it."""
        known = dict(self._data.execute("SELECT path, tree FROM conversations"))
        self._data.execute("BEGIN IMMEDIATE")
        for path, keys in grown.items():
            tree = view.repo.folder(view.commit.tree, path) or ""
            if path in known:
                self._data.execute("UPDATE conversations SET tree = ? WHERE path = ?", (tree, path))
                self._add(path, keys)
            else:
                self._keep(path, tree, False, keys)
        self._data.execute("COMMIT")

    # -- asking

    def place(self, id: str) -> Place | None:
        """Where a conversation lies, its tombstone where it was removed."""
        rows = self._data.execute(
            "SELECT id, path, tree, removed FROM conversations WHERE id = ? ORDER BY removed, path DESC", (id,)
        )
        row = rows.fetchone()
        return Place(row[0], row[1], row[2], bool(row[3])) if row else None

    def holder(self, keys: Iterable[int], but: str) -> str:
        """The id of another conversation that knows one of these keys, or ""."""
        for key in keys:
            row = self._data.execute(
                "SELECT id FROM entries JOIN conversations USING (place) WHERE entry = ? AND id != ?", (key, but)
            ).fetchone()
            if row:
                return str(row[0])
        return ""

    # -- transcripts

    def progress(self, path: Path) -> Progress | None:
        """How far a transcript is read."""
        row = self._data.execute("SELECT said FROM transcripts WHERE path = ?", (_hashed(path),)).fetchone()
        with suppress(ValueError, TypeError):
            return Progress(**json.loads(row[0])) if row else None
        return None

    def keep(self, progress: dict[Path, Progress]) -> None:
        """Remember how far transcripts are read."""
        rows = [(_hashed(path), json.dumps(vars(one))) for path, one in progress.items()]
        self._data.executemany("INSERT OR REPLACE INTO transcripts (path, said) VALUES (?, ?)", rows)


def _hashed(path: Path) -> str:
    """A path as it is kept: a name may hold what must not be copied anywhere."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()


def folders(view: View) -> Iterator[tuple[str, str]]:
    """(path, tree) of the folders of all conversations."""
    for project in view.names("projects"):
        top = f"projects/{project}/conversations"
        for year, year_tree in _folders(view, view.repo.folder(view.commit.tree, top)):
            for month, month_tree in _folders(view, year_tree):
                for id, tree in _folders(view, month_tree):
                    yield f"{top}/{year}/{month}/{id}", tree


def _folders(view: View, tree: str | None) -> list[tuple[str, str]]:
    entries = view.repo.tree(tree) if tree else {}
    return [(name, id) for name, (mode, id) in entries.items() if mode == trees.FOLDER]


def _read(view: View, path: str) -> tuple[bool, set[int]]:
    """(whether it was removed, keys of its turns)."""
    record = view.find_record(f"{path}/conversation.yaml")
    if record is not None and record.removed:
        return True, set()
    agent = record.data.get("agent", "") if record else ""
    keys: set[int] = set()
    for name in line_names(view, path):
        line = open_line(view, path, name, agent=agent)
        keys |= line.known
    return False, keys


class Readable(Protocol):
    """What gives files: a store's view, or the like."""

    def read(self, path: str, /) -> bytes | None:
        """A file's bytes, or None."""


def open_line(view: Readable, path: str, name: str, *, agent: str) -> Line:
    """A line of turns of a conversation. Raises Invalid where a file cannot be read."""
    side = "" if name == MAIN else name.removeprefix("agent-")
    return Line(
        side,
        scope=scope(agent, path.rpartition("/")[2]),
        compaction=side.startswith("acompact-"),
        read=lambda number: view.read(f"{path}/{name}-{number:04}.jsonl"),
    )
