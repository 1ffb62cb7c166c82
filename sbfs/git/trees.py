"""Trees as mappings: read along a path, change along a path, write only what changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sbfs.errors import Invalid

FILE, EXECUTABLE, LINK, FOLDER = 0o100644, 0o100755, 0o120000, 0o40000

_ROW = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.S)
_ROWS = re.compile(rb"(?:[0-7]+ [^\0]+\0.{20})*", re.S)
_HEADS = {mode: b"%o " % mode for mode in (FILE, EXECUTABLE, LINK, FOLDER)}
_MODES = {b"%o" % mode: mode for mode in (FILE, EXECUTABLE, LINK, FOLDER)}


class Entries(dict[str, tuple[int, str]]):
    """One tree: name → (mode, id as 40 hex digits). raw: the bytes that say so in the same order, where known."""

    raw: bytes | None = None


@dataclass
class _Node:
    entries: Entries
    children: dict[str, _Node] = field(default_factory=dict)
    changed: bool = False
    before: dict[str, tuple[int, str] | None] = field(default_factory=dict)

    def copy(self) -> Entries:
        copied = Entries(self.entries)
        copied.raw = self.entries.raw
        return copied

    def put(self, name: str, entry: tuple[int, str]) -> None:
        self.before.setdefault(name, self.entries.get(name))
        self.entries[name] = entry

    def drop(self, name: str) -> None:
        del self.entries[name]
        self.entries.raw = None

    def serialize(self) -> bytes:
        """The tree's bytes; those known before are patched where that is enough, as it mostly is."""
        raw = self.entries.raw
        data = None if raw is None else _patched(raw, self.entries, self.before)
        if data is None:
            data = serialize(self.entries)
            self.entries = parse(data)
        self.entries.raw, self.before = data, {}
        return data


def _patched(raw: bytes, entries: Entries, before: dict[str, tuple[int, str] | None]) -> bytes | None:
    """The bytes with some entries replaced, and others added behind all; None where that cannot be done."""
    added = []
    for name, old in before.items():
        new = entries[name]
        if old is None:
            added.append(name)
        elif new != old:
            if new[0] != old[0] or raw.count(row := _row(name, *old)) != 1:
                return None
            raw = raw.replace(row, _row(name, *new))
    if added:
        new_ones = {*added}
        last = [name for name in islice(reversed(entries), len(added) + 1) if name not in new_ones]
        keys = [_key(name, entries[name][0]) for name in (*last[:1], *added)]
        if keys != sorted(keys):
            return None
        raw += b"".join([_row(name, *entries[name]) for name in added])
    return raw


class TreeEditor:
    """A tree that changes in memory. `write` gives the objects that are new since the last write."""

    def __init__(
        self,
        read: Callable[[str], Entries],
        tree: str | None,
        remember: Callable[[str, Entries], object] | None = None,
    ):
        """read: a tree's entries by id. tree: where to begin, None for the empty tree. remember: told
        the entries of each new tree, which the next write is likely to read."""
        self._read = read
        self._remember = remember
        self._root = self._load(tree)

    def _load(self, tree: str | None) -> _Node:
        entries = Entries()
        if tree:
            known = self._read(tree)
            entries.update(known)
            entries.raw = known.raw
        return _Node(entries)

    def _child(self, node: _Node, name: str) -> _Node | None:
        if name in node.children:
            return node.children[name]
        mode, id = node.entries.get(name, (0, ""))
        if mode != FOLDER:
            return None
        node.children[name] = child = self._load(id)
        return child

    def get(self, path: str) -> tuple[int, str] | None:
        """(mode, id) of a file, or None where there is none."""
        *folders, name = path.split("/")
        node = self._root
        for folder in folders:
            child = self._child(node, folder)
            if child is None:
                return None
            node = child
        found = node.entries.get(name)
        return None if found and found[0] == FOLDER or name in node.children and not found else found

    def set(self, path: str, id: str, mode: int = FILE) -> None:
        """Put a file. Raises Invalid where a file lies on the way or a folder at its place."""
        *folders, name = path.split("/")
        node = self._root
        for folder in folders:
            node.changed = True
            child = self._child(node, folder)
            if child is None:
                if folder in node.entries:
                    raise Invalid(f"{folder!r} is a file, not a folder", path=path)
                node.children[folder] = child = _Node(Entries())
            node = child
        if (there := self._child(node, name)) is not None:
            if not _is_empty(there):
                raise Invalid("is a folder, not a file", path=path)
            del node.children[name]
        node.put(name, (mode, id))
        node.changed = True

    def set_folder(self, path: str, id: str) -> bool:
        """Put a whole folder where nothing is. Returns False, having done nothing, where something is there."""
        *folders, name = path.split("/")
        node, trail = self._root, []
        for folder in folders:
            trail.append(node)
            child = self._child(node, folder)
            if child is None:
                if folder in node.entries:
                    return False
                node.children[folder] = child = _Node(Entries())
            node = child
        if name in node.entries or name in node.children:
            return False
        node.put(name, (FOLDER, id))
        for one in (*trail, node):
            one.changed = True
        return True

    def remove(self, path: str) -> None:
        """Take a file away; folders left empty go with it."""
        *folders, name = path.split("/")
        node = self._root
        trail = [node]
        for folder in folders:
            child = self._child(node, folder)
            if child is None:
                return
            trail.append(node := child)
        if name in node.entries and node.entries[name][0] != FOLDER:
            node.drop(name)
            for one in trail:
                one.changed = True

    def write(self) -> tuple[str, list[tuple[str, bytes]]]:
        """The root's id, and (id, bytes) of each new tree."""
        fresh: list[tuple[str, bytes]] = []
        return self._write(self._root, fresh), fresh

    def _write(self, node: _Node, fresh: list[tuple[str, bytes]]) -> str:
        for name, child in list(node.children.items()):
            if not child.changed:
                continue
            id = self._write(child, fresh)
            if child.entries:
                node.put(name, (FOLDER, id))
            else:
                if name in node.entries:
                    node.drop(name)
                del node.children[name]
        data = node.serialize()
        id = object_id("tree", data)
        if node.changed and (node.entries or node is self._root):
            fresh.append((id, data))
            if self._remember is not None:
                self._remember(id, node.copy())
        node.changed = False
        return id


def _is_empty(node: _Node) -> bool:
    """Whether a folder holds no file any more, at any depth."""
    names = node.entries.keys() | node.children.keys()
    return all(name in node.children and _is_empty(node.children[name]) for name in names)


def serialize(entries: Mapping[str, tuple[int, str]]) -> bytes:
    """A tree's bytes in Git's order (folders sort as if their names ended in a slash)."""
    rows = sorted([(_key(name, mode), _row(name, mode, id)) for name, (mode, id) in entries.items()])
    return b"".join([row for _, row in rows])


def _key(name: str, mode: int) -> bytes:
    raw = name.encode("utf-8", "surrogateescape")
    return raw + b"/" if mode == FOLDER else raw


def _row(name: str, mode: int, id: str) -> bytes:
    head = _HEADS.get(mode) or b"%o " % mode
    return head + name.encode("utf-8", "surrogateescape") + b"\0" + bytes.fromhex(id)


def parse(data: bytes) -> Entries:
    """The entries of a tree's bytes. Raises ValueError where they are none."""
    if not _ROWS.fullmatch(data):
        raise ValueError("these bytes are no tree")
    rows = _ROW.findall(data)
    try:
        entries = Entries({name.decode(): (_MODES[mode], id.hex()) for mode, name, id in rows})
    except (UnicodeDecodeError, KeyError):
        entries = Entries(
            {name.decode("utf-8", "surrogateescape"): (int(mode, 8), id.hex()) for mode, name, id in rows}
        )
    entries.raw = data
    return entries


def object_id(type: str, data: bytes) -> str:
    """Git's name for an object."""
    from hashlib import sha1

    return sha1(b"%b %d\0" % (type.encode(), len(data)) + data, usedforsecurity=False).hexdigest()


def walk(read: Callable[[str], Entries], tree: str, prefix: str = "") -> Iterator[tuple[str, int, str]]:
    """(path, mode, id) of every file below a tree, in no promised order."""
    for name, (mode, id) in read(tree).items():
        path = f"{prefix}{name}"
        if mode == FOLDER:
            yield from walk(read, id, path + "/")
        else:
            yield path, mode, id


def diff(
    read: Callable[[str], Entries], old: str | None, new: str | None, prefix: str = "", but: Container[str] = ()
) -> Iterator[tuple[str, str | None, str | None]]:
    """(path, id before, id after) of every file that differs; equal subtrees are not read. What is new or changed comes
    in the order of the paths.

    but: folders that are passed over.
    """
    # A stack of folders under way, not generators within generators: each file would pass through as many of them
    # as its path has parts.
    under_way = [_differences(read, old, new, prefix)]
    while under_way:
        for path, before, after in under_way[-1]:
            a, b = _file(before), _file(after)
            if a != b:
                yield path, a, b
            if (a is b is None or before and after and before[0] != after[0]) and path not in but:
                under_way.append(_differences(read, _folder(before), _folder(after), path + "/"))
                break
        else:
            under_way.pop()


def changed_folders(
    read: Callable[[str], Entries], olds: Sequence[str | None], new: str
) -> Iterator[tuple[str, list[Entries], Entries]]:
    """(path, entries in the old trees, entries in the new one) of every folder that is not the same in an old one, from
    the top down. path: with a slash behind, "" for the top."""
    waiting = [("", olds, new)]
    while waiting:
        prefix, olds, new = waiting.pop()
        if new in olds:
            continue
        befores, after = [read(old) for old in olds if old], read(new)
        yield prefix, befores, after
        for name, (mode, id) in reversed(after.items()):
            if mode == FOLDER:
                waiting.append((f"{prefix}{name}/", [_folder(one.get(name)) for one in befores], id))


def new_folders(
    read: Callable[[str], Entries],
    olds: Sequence[str | None],
    new: str,
    wanted: Callable[[str], bool],
    prefix: str = "",
) -> Iterator[tuple[str, str]]:
    """(path, id) of the folders that a tree has and others have nothing in place of; not of those below them, nor those
    without a file, which no work tree can have.

    wanted: whether a folder counts by its path; below one that does not, each is asked for.
    """
    if new in olds:
        return
    known = [read(old) for old in olds if old]
    for name, (mode, id) in read(new).items():
        path = f"{prefix}{name}"
        if mode != FOLDER:
            continue
        there = [entries.get(name) for entries in known]
        if not any(there) and wanted(path):
            if next(walk(read, id), None):
                yield path, id
        else:
            yield from new_folders(read, [_folder(one) for one in there], id, wanted, path + "/")


Row = tuple[int, str]


def _differences(
    read: Callable[[str], Entries], old: str | None, new: str | None, prefix: str
) -> Iterator[tuple[str, Row | None, Row | None]]:
    """(path, entry before, entry after) of what differs in one folder."""
    if old == new:
        return
    before, after = (read(old) if old else {}), (read(new) if new else {})

    def place(name: str) -> str:
        # As Git sorts, so that all below a folder stands where its own name with the slash would.
        return f"{name}/" if after.get(name, before.get(name, (0, "")))[0] == FOLDER else name

    for name in sorted(before.keys() | after.keys() if before and after else before or after, key=place):
        a, b = before.get(name), after.get(name)
        if a != b:
            yield f"{prefix}{name}", a, b


def _file(entry: Row | None) -> str | None:
    return entry[1] if entry and entry[0] != FOLDER else None


def _folder(entry: Row | None) -> str | None:
    return entry[1] if entry and entry[0] == FOLDER else None
