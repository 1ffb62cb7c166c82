"""Trees as mappings: read along a path, change along a path, write only what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sbfs.errors import Invalid

FILE, EXECUTABLE, LINK, FOLDER = 0o100644, 0o100755, 0o120000, 0o40000

Entries = dict[str, tuple[int, str]]
"""One tree: name → (mode, id as 40 hex digits)."""


@dataclass
class _Node:
    entries: Entries
    children: dict[str, _Node] = field(default_factory=dict)
    changed: bool = False


class TreeEditor:
    """A tree that changes in memory. `write` gives the objects that are new since the last write."""

    def __init__(self, read: Callable[[str], Entries], tree: str | None):
        """read: a tree's entries by id. tree: where to begin, None for the empty tree."""
        self._read = read
        self._root = self._load(tree)

    def _load(self, tree: str | None) -> _Node:
        return _Node(dict(self._read(tree)) if tree else {})

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
                node.children[folder] = child = _Node({})
            node = child
        if (there := self._child(node, name)) is not None:
            if not _is_empty(there):
                raise Invalid("is a folder, not a file", path=path)
            del node.children[name]
        node.entries[name] = (mode, id)
        node.changed = True

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
            del node.entries[name]
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
                node.entries[name] = (FOLDER, id)
            else:
                node.entries.pop(name, None)
                del node.children[name]
        data = serialize(node.entries)
        id = object_id("tree", data)
        if node.changed and (node.entries or node is self._root):
            fresh.append((id, data))
        node.changed = False
        return id


def _is_empty(node: _Node) -> bool:
    """Whether a folder holds no file any more, at any depth."""
    names = node.entries.keys() | node.children.keys()
    return all(name in node.children and _is_empty(node.children[name]) for name in names)


def serialize(entries: Entries) -> bytes:
    """A tree's bytes in Git's order (folders sort as if their names ended in a slash)."""
    rows = sorted(
        (name.encode("utf-8", "surrogateescape") + (b"/" if mode == FOLDER else b""), mode, id)
        for name, (mode, id) in entries.items()
    )
    return b"".join(
        b"%o %b\0%b" % (mode, key[:-1] if mode == FOLDER else key, bytes.fromhex(id)) for key, mode, id in rows
    )


def parse(data: bytes) -> Entries:
    """The entries of a tree's bytes."""
    entries: Entries = {}
    at = 0
    while at < len(data):
        end = data.index(b"\0", at)
        mode, _, name = data[at:end].partition(b" ")
        at = end + 21
        entries[name.decode("utf-8", "surrogateescape")] = (int(mode, 8), data[end + 1 : at].hex())
    return entries


def object_id(type: str, data: bytes) -> str:
    """Git's name for an object."""
    return hashlib.sha1(b"%b %d\0" % (type.encode(), len(data)) + data, usedforsecurity=False).hexdigest()


def walk(read: Callable[[str], Entries], tree: str, prefix: str = "") -> Iterator[tuple[str, int, str]]:
    """(path, mode, id) of every file below a tree, in no promised order."""
    for name, (mode, id) in read(tree).items():
        path = f"{prefix}{name}"
        if mode == FOLDER:
            yield from walk(read, id, path + "/")
        else:
            yield path, mode, id


def diff(
    read: Callable[[str], Entries], old: str | None, new: str | None, prefix: str = ""
) -> Iterator[tuple[str, str | None, str | None]]:
    """(path, id before, id after) of every file that differs; equal subtrees are not read."""
    if old == new:
        return
    before, after = (read(old) if old else {}), (read(new) if new else {})
    for name in sorted(before.keys() | after.keys()):
        a, b = before.get(name), after.get(name)
        if a == b:
            continue
        path = f"{prefix}{name}"
        a_folder, b_folder = a is not None and a[0] == FOLDER, b is not None and b[0] == FOLDER
        if a_folder or b_folder:
            yield from diff(read, a[1] if a and a_folder else None, b[1] if b and b_folder else None, path + "/")
        a_file, b_file = (a[1] if a and not a_folder else None), (b[1] if b and not b_folder else None)
        if (a_file or b_file) and a_file != b_file:
            yield path, a_file, b_file
