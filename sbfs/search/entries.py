"""Which entries a tree holds, and which go and come where two trees differ.

Every file of a kind that declares `entries` gives some, under keys made from its path. Of a message's
two copies the received one counts; the sent copy only where no received one is in the same tree. What
cannot be read, or was removed, gives none. So the entries are a function of the tree alone, whichever
way the tree came about.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sbfs import kinds, messages
from sbfs.entry import Entry
from sbfs.errors import Damaged, Invalid
from sbfs.git import trees
from sbfs.git.repository import Repository
from sbfs.kind import Kind
from sbfs.record import Record

Keyed = tuple[str, str, Entry]
"""(key, id of the file it was read from, entry)."""

_FIRST_COPY: dict[str, Kind[Any]] = {messages.OUTBOX.pattern: messages.INBOX}
"""Pattern of the kind whose records are second copies → the kind of the first ones, at the same date and id."""

LENT = ("agent", "branch")
"""Facets that a head lends to the entries beside it, where they have none of their own; its quality and what
results say besides, too. Its title goes to the one that has the flag `first`, so that whoever asks for a title finds
the beginning."""

_DATE = re.compile(r"/(\d{4}/\d\d(?:/\d\d)?)/")


def key_of(path: str, number: int, count: int) -> str:
    """The key of one of the `count` entries of a file: its path, and which one it is."""
    return path if count == 1 else f"{path}:{number}"


def path_of_key(key: str) -> str:
    """The file that a key names. No path of a record holds a colon."""
    return key.partition(":")[0]


def declared() -> list[tuple[str, str, int]]:
    """(name, pattern, version) of the kinds that are searched: an index made for others is of no use."""
    return sorted((kind.name, kind.pattern, kind.version) for kind in kinds.KINDS if kind.entries)


_kind_of = lru_cache(1 << 16)(kinds.kind_of)
"""Asked several times of each path while all of a tree are read."""


def searched(path: str) -> Kind[Any] | None:
    """The kind of the record at a path, if it is searched."""
    kind = _kind_of(path)
    return kind if kind and kind.entries else None


def indexed(path: str) -> bool:
    """Whether the record at a path is found for itself."""
    return searched(path) is not None and not is_head(path)


def read(path: str, blob: str, raw: bytes) -> list[Keyed]:
    """The entries of one file, by its bytes; none for a tombstone and for what breaks its kind's rules."""
    kind = searched(path)
    if kind is None or kind.entries is None:
        return []
    try:
        record = Record.parse(path, raw)
        if record.removed:
            return []
        kind.check(record)
        found = [*kind.entries(record)]
    except Invalid:
        return []
    return [(key_of(path, number, len(found)), blob, _with_parties(one)) for number, one in enumerate(found)]


def _with_parties(entry: Entry) -> Entry:
    """The entry with the facet `projects`: all that it belongs to, by the names they had."""
    names = {entry.project}
    for facet in ("sender", "recipient"):
        value = entry.facets.get(facet, "")
        names |= {value} if isinstance(value, str) else {*value}
    return _changed(entry, facets={**entry.facets, "projects": tuple(sorted(names - {""}))})


def _changed(entry: Entry, **given: Any) -> Entry:
    """As `dataclasses.replace`, which takes ten times as long and is called for every entry."""
    changed = object.__new__(Entry)
    vars(changed).update(vars(entry), **given)
    return changed


@dataclass(frozen=True)
class Difference:
    """What leads from one tree to another. remove: keys. add: entries, read as they are asked for.
    paths: how many files are looked at."""

    remove: list[str]
    add: Iterator[Keyed]
    paths: int


class Entries:
    """The entries of one tree."""

    def __init__(self, repo: Repository, tree: str):
        self.repo, self.tree = repo, tree
        self._days: dict[tuple[str, str], list[tuple[str, trees.Entries]]] = {}
        self._read = lru_cache(256)(self._read_blob)
        self.head = lru_cache(256)(self._head)

    # -- all of them

    def files(self) -> list[tuple[str, str]]:
        """(path, id) of every file that may give entries, those of the latest days first."""
        found = [(path, id) for path, _, id in trees.walk(self.repo.tree, self.tree) if indexed(path)]
        return sorted(found, key=lambda one: (_day(one[0]), one[0]), reverse=True)

    def halves(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """All `files` in two halves, neither of which needs one of the other's to be read."""
        halves: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
        for file in self.files():
            halves[_half(file[0])].append(file)
        return halves

    def everything(self, files: Sequence[tuple[str, str]] | None = None, *, apart: bool = False) -> Iterator[Keyed]:
        """Every entry, or those of some of the `files`. apart: whether none of these has its other copy elsewhere."""
        apart = apart or files is None
        found = self.files() if files is None else files
        second = [(path, id) for path, id in found if _first_copy(path)]
        here = set()
        for path, id in found:
            if not _first_copy(path):
                entries = self._read_blob(path, id)
                if entries and _is_first_copy(path):
                    here.add(_place(path))
                yield from entries
        for path, id in second:
            if _place(path) not in here and (apart or not self._is_received(path)):
                yield from self._read_blob(path, id)

    # -- those of a path

    def of(self, path: str) -> list[Keyed]:
        """The entries that a path gives in this tree."""
        found = self.repo.entry(self.tree, path)
        if found is None or found[0] == trees.FOLDER or (_first_copy(path) and self._is_received(path)):
            return []
        return self._read(path, found[1])

    def _read_blob(self, path: str, id: str) -> list[Keyed]:
        try:
            found = read(path, id, self.repo.blob(id))
        except Damaged:
            # 'sbfs check' names it; the others are found all the same.
            return []
        head = self.head(path.rpartition("/")[0], _head_of(path)) if found and _head_of(path) else None
        return [(key, blob, _lent(head, entry)) for key, blob, entry in found] if head else found

    def title(self, path: str) -> str:
        """The title of what a file belongs to: a turn's conversation."""
        head = self.head(path.rpartition("/")[0], _head_of(path)) if _head_of(path) else None
        return head.title if head else ""

    def _head(self, folder: str, name: str) -> Entry | None:
        """The entry of the file that lends to those beside it in a folder."""
        found = self.of(f"{folder}/{name}")
        return found[0][2] if found else None

    def _is_received(self, path: str) -> bool:
        """Whether the tree holds the first copy of what lies at the path of a second one."""
        kind = _first_copy(path)
        return kind is not None and any(self._read(one, id) for one, id in self._copies(kind, path))

    def _copies(self, kind: Kind[Any], path: str) -> Iterator[tuple[str, str]]:
        """(path, id) of the files of a kind, in any project, that have the date and the name of the given one."""
        day, name = _day(path), path.rpartition("/")[2]
        for folder, entries in self._folders(kind, day):
            if name in entries and entries[name][0] != trees.FOLDER:
                yield f"{folder}/{name}", entries[name][1]

    def _folders(self, kind: Kind[Any], day: str) -> list[tuple[str, trees.Entries]]:
        known = self._days.get((kind.pattern, day))
        if known is None:
            top = self.repo.folder(self.tree, "projects")
            known = []
            for project in self.repo.tree(top) if top else ():
                folder = kind.path_of(project=project, date=day, id="").rpartition("/")[0]
                if tree := self.repo.folder(self.tree, folder):
                    known.append((folder, self.repo.tree(tree)))
            self._days[kind.pattern, day] = known
        return known

    # -- what differs

    def since(self, *before: str) -> Difference:
        """What leads to this tree from an index of another, or of any of several.

        Several: of a writer that was killed one does not know whether it came to an end. Raises
        Damaged where a former tree, or a file of it, is not in the repository any more.
        """
        was: dict[str, set[str]] = {}
        heads: set[str] = set()
        for tree in before:
            for path, old, _ in trees.diff(self.repo.tree, tree, self.tree):
                if is_head(path):
                    heads.add(path)
                elif indexed(path):
                    was.setdefault(path, set()).update({old} if old else ())
        for tree in before:
            self._add_lent(was, heads, tree)
        remove: list[str] = []
        asked = dict.fromkeys(was)
        for path, olds in was.items():
            found = [read(path, old, self.repo.blob(old)) for old in olds]
            remove += {key for entries in found for key, _, _ in entries}
            now = self.of(path)
            flipped = any(bool(entries) != bool(now) for entries in found or [[]])
            for other in self._second_copies(path) if flipped else ():
                asked[other] = None
                remove.append(other)
        return Difference(remove, (keyed for path in asked for keyed in self.of(path)), len(asked))

    def _add_lent(self, was: dict[str, set[str]], heads: set[str], tree: str) -> None:
        """Add the files whose own text is as it was, while what their head lends them is not."""
        former = Entries(self.repo, tree)
        for path in heads:
            folder, _, name = path.rpartition("/")
            if _loan(former.head(folder, name)) == _loan(self.head(folder, name)):
                continue
            there = self.repo.folder(tree, folder)
            for other, (mode, id) in (self.repo.tree(there) if there else {}).items():
                if mode != trees.FOLDER and _head_of(f"{folder}/{other}") == name:
                    was.setdefault(f"{folder}/{other}", set()).add(id)

    def _second_copies(self, path: str) -> list[str]:
        """The second copies of what lies at the path of a first one."""
        kind = _kind_of(path)
        patterns = [pattern for pattern, first in _FIRST_COPY.items() if first is kind]
        seconds = [one for one in kinds.KINDS if one.pattern in patterns]
        return [other for second in seconds for other, _ in self._copies(second, path)]


_HEADS = frozenset(kind.head for kind in kinds.KINDS if kind.head)


def is_head(path: str) -> bool:
    """Whether a file only lends to those beside it."""
    return path.rpartition("/")[2] in _HEADS and searched(path) is not None


def _head_of(path: str) -> str:
    """The name of the file that lends to the entries of a path, or ""."""
    kind = _kind_of(path)
    return kind.head if kind else ""


def _loan(head: Entry | None) -> tuple[Any, ...]:
    return (head.title, head.quality, *(head.facets.get(facet) for facet in LENT)) if head else ()


def _lent(head: Entry, entry: Entry) -> Entry:
    facets = {facet: head.facets[facet] for facet in LENT if facet in head.facets}
    quality = head.quality if entry.quality is None else entry.quality
    title = head.title if "first" in entry.facets.get("flags", ()) else entry.title
    extra = {**head.extra, **entry.extra}
    return _changed(entry, title=title, facets={**facets, **entry.facets}, quality=quality, extra=extra)


def _first_copy(path: str) -> Kind[Any] | None:
    kind = _kind_of(path)
    return _FIRST_COPY.get(kind.pattern) if kind else None


def _is_first_copy(path: str) -> bool:
    kind = _kind_of(path)
    return kind is not None and any(kind is first for first in _FIRST_COPY.values())


def _day(path: str) -> str:
    """The day or month that a path names, or ""."""
    found = _DATE.search(path)
    return found[1] if found else ""


def _half(path: str) -> int:
    """0 or 1: the same of both copies of a message, and of all that lies beside each other otherwise."""
    place = "/".join(_place(path)) if _first_copy(path) or _is_first_copy(path) else path.rpartition("/")[0]
    return zlib.crc32(place.encode("utf-8", "surrogatepass")) & 1


def _place(path: str) -> tuple[str, str]:
    return _day(path), path.rpartition("/")[2]
