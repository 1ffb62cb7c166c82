"""The links of one state of a graph, worked out from its shards: an SQLite file below .git/sbfs/graph/.

It names the tree of shards that it was made of, and is right or is made anew. So a question reads some pages of it,
and loads neither a shard nor what links them.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbfs.code.facts import Facts, Symbol
    from sbfs.linking.links import Edge, Links, Unresolved

_FORMAT = 1

LINKS = 1
"""It grows when linking gives other links for the same facts, so that caches are made anew."""

OUTSIDE = "ext::"
"""How the id of what lies outside the project begins."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE files (path TEXT PRIMARY KEY, language TEXT, blob TEXT, lines INTEGER, parse TEXT, mark TEXT, notes TEXT)
  WITHOUT ROWID;
CREATE TABLE symbols (node INTEGER PRIMARY KEY, id TEXT, path TEXT, name TEXT, last TEXT, dotted TEXT, type TEXT,
  first INTEGER, final INTEGER, facts TEXT);
CREATE TABLE edges (source INTEGER, target INTEGER, type TEXT, confidence TEXT, lines TEXT, flags TEXT);
CREATE TABLE unresolved (path TEXT, source TEXT, text TEXT, line INTEGER, reason TEXT);
"""

_INDEXES = """
CREATE UNIQUE INDEX by_id ON symbols (id);
CREATE INDEX by_last ON symbols (last);
CREATE INDEX by_path ON symbols (path);
CREATE INDEX by_source ON edges (source);
CREATE INDEX by_target ON edges (target);
CREATE INDEX of_file ON unresolved (path);
"""

Row = tuple[Any, ...]


def meta(tree: str) -> dict[str, str]:
    """What the cache of a state says of itself. tree: Git's id of the folder of shards."""
    return {"tree": tree, "links": str(LINKS)}


def create(file: Path, meta: Mapping[str, str], facts: Sequence[Facts], links: Links, dotted: Dotted) -> None:
    """Write the cache of a state, whole or not at all. dotted: names of symbols."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(6)}~")
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as data:
            data.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192;")
            _fill(data, meta, facts, links, dotted)
        os.replace(temporary, file)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def in_memory(meta: Mapping[str, str], facts: Sequence[Facts], links: Links, dotted: Dotted) -> sqlite3.Connection:
    """The same where nothing can be written."""
    data = sqlite3.connect(":memory:", isolation_level=None)
    _fill(data, meta, facts, links, dotted)
    return data


def _fill(
    data: sqlite3.Connection, meta: Mapping[str, str], facts: Sequence[Facts], links: Links, dotted: Dotted
) -> None:
    data.execute("BEGIN")
    for statement in filter(None, map(str.strip, _TABLES.split(";"))):
        data.execute(statement)
    writer = Writer(data, dotted)
    writer.add_files(facts)
    writer.add_edges(links.edges)
    writer.add_unresolved(links.unresolved)
    data.executemany("INSERT INTO meta VALUES (?, ?)", {"format": str(_FORMAT), **meta}.items())
    for statement in filter(None, map(str.strip, _INDEXES.split(";"))):
        data.execute(statement)
    data.execute("COMMIT")


def change(
    file: Path,
    expected: Mapping[str, str],
    meta: Mapping[str, str],
    changed: Mapping[str, Facts | None],
    removed: Iterable[Edge],
    added: Iterable[Edge],
    unresolved: Mapping[str, Sequence[Unresolved]],
    dotted: Dotted,
) -> bool:
    """Bring the cache of one state to another. expected: what its meta must say; else nothing is done, and False said.

    changed: path → facts, None where the file is gone. unresolved: path → all of a file.
    """
    with suppress(sqlite3.DatabaseError, OSError), closing(_connect(file)) as data:
        data.execute("PRAGMA synchronous = OFF")
        data.execute("BEGIN IMMEDIATE")
        if not _says(data, expected):
            data.execute("ROLLBACK")
            return False
        writer = Writer(data, dotted)
        writer.drop_edges(removed)
        gone = [path for path, facts in changed.items() if facts is None]
        writer.change_files([facts for facts in changed.values() if facts is not None], gone)
        writer.add_edges(added)
        for path in {*unresolved, *gone}:
            data.execute("DELETE FROM unresolved WHERE path = ?", (path,))
        writer.add_unresolved(one for path in sorted(unresolved) for one in unresolved[path])
        writer.drop_forgotten()
        data.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
        data.execute("COMMIT")
        return True
    return False


Dotted = Callable[[str, str, str], str]
"""(path, language, name) → the name as the language's imports would write it."""


def last_of(name: str) -> str:
    """The last part of a symbol's name, without the number of a second definition."""
    return name.rpartition(".")[2].partition("#")[0]


class Writer:
    """Writes into the tables. Nodes get numbers, which mean nothing outside the file."""

    def __init__(self, data: sqlite3.Connection, dotted: Dotted):
        self._data, self._dotted = data, dotted
        self._numbers: dict[str, int] = {}
        self._known: dict[str, int] = {}
        self._next = (data.execute("SELECT max(node) FROM symbols").fetchone()[0] or 0) + 1
        self._empty = self._next == 1
        self._forgotten: set[int] = set()

    def _number(self, id: str) -> int | None:
        number = self._numbers.get(id)
        if number is None and not self._empty:
            found = self._data.execute("SELECT node FROM symbols WHERE id = ?", (id,)).fetchone()
            if found:
                number = self._numbers[id] = found[0]
        return number

    def _give(self, id: str) -> int:
        number = self._numbers[id] = self._next
        self._next += 1
        return number

    # -- files and their symbols

    def add_files(self, facts: Iterable[Facts]) -> None:
        """Add files that are not there."""
        files: list[Row] = []
        symbols: list[Row] = []
        for one in facts:
            files.append(_file_row(one))
            symbols.append((self._give(one.path), *_file_symbol(one, self._dotted)))
            symbols += [
                (self._give(f"{one.path}::{symbol.name}"), *_symbol_row(one, symbol, self._dotted))
                for symbol in one.symbols
            ]
        self._insert(files, symbols)

    def _insert(self, files: list[Row], symbols: list[Row]) -> None:
        self._data.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", files)
        self._data.executemany("INSERT OR REPLACE INTO symbols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", symbols)

    def change_files(self, facts: Iterable[Facts], gone: Iterable[str]) -> None:
        """Put files in place of what they were; symbols that stay keep their numbers."""
        files: list[Row] = []
        symbols: list[Row] = []
        for one in facts:
            rows = {one.path: _file_symbol(one, self._dotted)}
            for symbol in one.symbols:
                rows[f"{one.path}::{symbol.name}"] = _symbol_row(one, symbol, self._dotted)
            self._drop_symbols(one.path, rows.keys())
            files.append(_file_row(one))
            symbols += [(self._number(id) or self._give(id), *row) for id, row in rows.items()]
        for path in gone:
            self._data.execute("DELETE FROM files WHERE path = ?", (path,))
            self._drop_symbols(path, ())
        self._insert(files, symbols)

    def _drop_symbols(self, path: str, kept: Iterable[str]) -> None:
        stays = {*kept}
        for node, id in self._data.execute("SELECT node, id FROM symbols WHERE path = ?", (path,)).fetchall():
            if id not in stays:
                self._data.execute("DELETE FROM symbols WHERE node = ?", (node,))
                self._numbers.pop(id, None)

    # -- edges

    def add_edges(self, edges: Iterable[Edge]) -> None:
        """Add edges; what lies outside gets a number when it is first met."""
        end = self._end
        rows = [
            (
                end(one.source),
                end(one.target),
                one.type,
                one.confidence,
                str(one.lines[0]) if len(one.lines) == 1 else " ".join(map(str, one.lines)),
                " ".join(one.flags) if one.flags else "",
            )
            for one in edges
        ]
        self._data.executemany("INSERT INTO edges VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _end(self, id: str) -> int:
        number = self._numbers.get(id) or self._number(id)
        if number is None:
            number = self._give(id)
            name = id.removeprefix(OUTSIDE)
            outside = (number, id, "", name, name.rpartition(".")[2], name, "external", 0, 0, "{}")
            self._data.execute("INSERT INTO symbols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", outside)
        self._forgotten.discard(number)
        return number

    def drop_edges(self, edges: Iterable[Edge]) -> None:
        """Take edges away."""
        for one in edges:
            source, target = self._number(one.source), self._number(one.target)
            self._data.execute(
                # By the source: a target may have thousands of edges, and the plus keeps its index out of it.
                "DELETE FROM edges WHERE source = ? AND +target = ? AND type = ? AND confidence = ?"
                " AND lines = ? AND flags = ?",
                (source, target, one.type, one.confidence, " ".join(map(str, one.lines)), " ".join(one.flags)),
            )
            if one.target.startswith(OUTSIDE) and target is not None:
                self._forgotten.add(target)

    def drop_forgotten(self) -> None:
        """Take away what lies outside and no edge leads to any more."""
        for node in self._forgotten:
            self._data.execute(
                "DELETE FROM symbols WHERE node = ? AND type = 'external'"
                " AND NOT EXISTS (SELECT 1 FROM edges WHERE target = ?)",
                (node, node),
            )

    def add_unresolved(self, calls: Iterable[Unresolved]) -> None:
        """Add calls that could not be resolved."""
        rows = [(one.source.partition("::")[0], one.source, one.text, one.line, one.reason) for one in calls]
        self._data.executemany("INSERT INTO unresolved VALUES (?, ?, ?, ?, ?)", rows)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _file_row(one: Facts) -> Row:
    notes = "\n".join(one.notes)
    return (one.path, one.language, one.blob, one.lines, one.parse, one.mark, notes)


def _file_symbol(one: Facts, dotted: Dotted) -> Row:
    name = one.path.rpartition("/")[2]
    return (one.path, one.path, "", name, dotted(one.path, one.language, ""), "file", 1, one.lines, "{}")


def _symbol_row(one: Facts, symbol: Symbol, dotted: Dotted) -> Row:
    facts: dict[str, Any] = {
        "signature": symbol.signature,
        "visibility": symbol.visibility,
        "exported": symbol.exported,
        "flags": symbol.flags,
        "decorators": symbol.decorators,
        "bases": symbol.bases,
        "doc": symbol.doc.partition("\n\n")[0],
        "complexity": symbol.complexity,
        "body_hash": symbol.body_hash,
        "parameters": [each.name for each in symbol.parameters],
    }
    kept = {key: value for key, value in facts.items() if value and value != "public"}
    said = _encode(kept)
    id = f"{one.path}::{symbol.name}"
    name = dotted(one.path, one.language, symbol.name)
    return (id, one.path, symbol.name, last_of(symbol.name), name, symbol.type, symbol.start, symbol.end, said)


# -- reading ---------------------------------------------------------------------------------------


def _connect(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=30, isolation_level=None)


def _says(data: sqlite3.Connection, expected: Mapping[str, str]) -> bool:
    found = dict(data.execute("SELECT key, value FROM meta"))
    return all(found.get(key) == value for key, value in {"format": str(_FORMAT), **expected}.items())


def open_(file: Path, expected: Mapping[str, str]) -> sqlite3.Connection | None:
    """The cache, held at one state until it is closed; None where it is of another, foreign or damaged."""
    try:
        data = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=30, isolation_level=None)
    except sqlite3.DatabaseError:
        return None
    try:
        data.execute("BEGIN")
        if _says(data, expected):
            return data
    except sqlite3.DatabaseError:
        pass
    data.close()
    return None


@contextmanager
def whole() -> Iterator[None]:
    """Raise Broken where a part of the cache that is read turns out to be damaged."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise Broken(str(error)) from None


class Broken(Exception):
    """The cache is damaged beyond its first pages. For `opened`, which makes it anew."""
