"""The files of a source tree that belong into its graph, and which of them changed since they were read.

Nothing of the source is run, no link is followed, and nothing below is written. What is known of a file (its size,
its time and its number on the disk) is a hint only: what counts is its content, by Git's id of it.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from sbfs import files
from sbfs.code import languages, reading
from sbfs.code.prose import form_of
from sbfs.errors import Invalid
from sbfs.git.ignoring import Rules, patterns
from sbfs.git.source import Kept
from sbfs.graph.value import Skipped
from sbfs.record import etag

_FILE, _FOLDER, _LINK = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK

HEAD = 256
"""Bytes at the beginning of a file without a telling name by which its language is found."""

_INSTALLED = "installed packages"
_LEFT_OUT = {
    "node_modules": _INSTALLED,
    "bower_components": _INSTALLED,
    "site-packages": _INSTALLED,
    "__pycache__": "",
    ".git": "",
    ".hg": "",
    ".svn": "",
    ".tox": _INSTALLED,
    ".nox": _INSTALLED,
    ".mypy_cache": "",
    ".pytest_cache": "",
    ".ruff_cache": "",
}
"""Folders that no project wrote, and what is told of them; nothing of those that nobody looks for."""


class Stamp(NamedTuple):
    """What the system tells of a file: bytes, nanoseconds of its last change, its number."""

    size: int
    changed: int
    number: int


@dataclass(frozen=True)
class Known:
    """What was read of a file. blob: Git's id of it. why: it is left out, or "". shard: Git's id of its shard."""

    stamp: Stamp
    blob: str
    why: str = ""
    shard: str = ""


@dataclass
class Walked:
    """What a walk met. files: path → what the system tells of it. folders: path of a folder → key of the ignore rules
    that hold in it. prose: as files, of those without code, where they are looked for."""

    files: dict[str, Stamp] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    prose: dict[str, Stamp] = field(default_factory=dict)


class Below(Protocol):
    """A tree of files: on the disk, or of a commit."""

    def entries(self, folder: str) -> Sequence[tuple[str, int, object]]:
        """(name, mode, what `stamp` takes) of what is in a folder; "" is the top."""

    def stamp(self, entry: object) -> Stamp:
        """What is told of a file."""

    def read(self, path: str, limit: int = -1) -> bytes:
        """A file's bytes, or the first of them. Raises OSError."""


def _folder_stamp(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino


_Listing = tuple[tuple[int, int, int], Sequence[tuple[str, int, str]]]

_LISTED: dict[str, dict[str, _Listing]] = {}
"""Root → folder → its entries and what the system told of it then. A folder's times change with its entries, so this
process need not list it again; not with what is in its files, which are looked at each time."""
_ROOTS = 4
_SETTLED = 10_000_000_000
"""Nanoseconds for which a folder must have been as it is: times are coarse, and a network's clock may be another."""


class Disk:
    """A folder and what is below it."""

    def __init__(self, root: Path):
        self.root = os.fspath(root)
        self._listed = _LISTED.pop(self.root, {})
        _LISTED[self.root] = self._listed
        while len(_LISTED) > _ROOTS:
            _LISTED.pop(next(iter(_LISTED)), None)

    def entries(self, folder: str) -> Sequence[tuple[str, int, os.DirEntry[str] | str]]:
        """(name, mode, entry or path). Raises OSError where the folder cannot be read."""
        path = f"{self.root}/{folder}"
        now = time.time_ns()
        stamp = _folder_stamp(os.stat(path))
        known = self._listed.get(folder)
        if known is not None and known[0] == stamp:
            return known[1]
        result: list[tuple[str, int, os.DirEntry[str]]] = []
        with os.scandir(path) as found:
            for entry in found:
                if entry.is_file(follow_symlinks=False):
                    result.append((entry.name, _FILE, entry))
                elif entry.is_dir(follow_symlinks=False):
                    result.append((entry.name, _FOLDER, entry))
                elif entry.is_symlink():
                    result.append((entry.name, _LINK, entry))
        if max(stamp[:2]) < now - _SETTLED:
            self._listed[folder] = (stamp, [(name, mode, path + name) for name, mode, _ in result])
        return result

    def stamp(self, entry: object) -> Stamp:
        """What the system tells of a file."""
        if isinstance(entry, str):
            found = os.stat(entry, follow_symlinks=False)
        else:
            assert isinstance(entry, os.DirEntry)
            found = entry.stat(follow_symlinks=False)
        return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)

    def read(self, path: str, limit: int = -1) -> bytes:
        """A file's bytes. Raises OSError, also where it became a link meanwhile."""
        handle = os.open(f"{self.root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OSError(f"{path} is no file any more")
            return stream.read(limit)


class Committed:
    """The files of a commit. kept: path → mode and id. read: a file's bytes by its id."""

    def __init__(self, kept: Mapping[str, Kept], read: Callable[[str], bytes]):
        self.kept = kept
        self._read = read
        self._folders: dict[str, dict[str, tuple[int, object]]] = {"": {}}
        for path, file in kept.items():
            folder, _, name = path.rpartition("/")
            self._add(f"{folder}/" if folder else "", name, stat.S_IFMT(file.mode), path)

    def _add(self, folder: str, name: str, mode: int, entry: object) -> None:
        self._folders.setdefault(folder, {})[name] = (mode, entry)
        if folder:
            above, _, own = folder[:-1].rpartition("/")
            if own not in self._folders.get(f"{above}/" if above else "", {}):
                self._add(f"{above}/" if above else "", own, stat.S_IFDIR, folder)

    def entries(self, folder: str) -> Sequence[tuple[str, int, object]]:
        """(name, mode, path)."""
        return [(name, mode, entry) for name, (mode, entry) in self._folders.get(folder, {}).items()]

    def stamp(self, entry: object) -> Stamp:  # noqa: ARG002 - the twin of `Disk.stamp`
        """What is not known of a commit's file: it is always read."""
        return Stamp(0, 0, 0)

    def read(self, path: str, limit: int = -1) -> bytes:
        """A file's bytes."""
        raw = self._read(self.kept[path].id)
        return raw if limit < 0 else raw[:limit]


class Walk:
    """One walk down a tree. exclude: patterns like those of .gitignore, besides those of the tree. known: files and
    folders of a former walk, which need not be judged again where the same rules hold. with_prose:
    whether files of prose are looked for."""

    def __init__(
        self,
        tree: Below,
        exclude: Iterable[str] = (),
        known: Mapping[str, object] | None = None,
        folders: Mapping[str, str] | None = None,
        *,
        with_prose: bool = False,
    ):
        self.tree, self.with_prose = tree, with_prose
        self.known, self.folders = known or {}, folders or {}
        self.found = Walked()
        self._exclude = Rules().below("", patterns(exclude)) if (exclude := [*exclude]) else Rules()

    def run(self) -> Walked:
        """All of it. Raises OSError where the top cannot be read."""
        self._folder("", self._exclude)
        return self.found

    def _folder(self, folder: str, rules: Rules) -> None:
        entries = self.tree.entries(folder)
        names = {name for name, _, _ in entries}
        if folder and ".git" in names:
            self._skip(folder, "a repository of its own")
            return
        if "pyvenv.cfg" in names:
            self._skip(folder, _INSTALLED)
            return
        if ".gitignore" in names:
            with suppress(OSError):
                rules = rules.below(folder, self.tree.read(f"{folder}.gitignore", 1 << 20))
        same = self.folders.get(folder) == rules.key
        self.found.folders[folder] = rules.key
        known = self.known if same else {}
        files, stamp = self.found.files, self.tree.stamp
        for name, mode, entry in entries:
            path = folder + name
            if mode == _FILE:
                if path in known or self._is_wanted(path, rules):
                    try:
                        files[path] = stamp(entry)
                    except FileNotFoundError:
                        continue
                elif self.with_prose and form_of(path) and not rules.ignores(path, folder=False) and not _unfit(path):
                    with suppress(FileNotFoundError):
                        self.found.prose[path] = self.tree.stamp(entry)
            elif mode == _FOLDER:
                self._down(path + "/", name, rules, judged=same and path + "/" in self.folders)
            elif languages.language_of(path, b"") and not rules.ignores(path, folder=False):
                self._skip(path, "a link")

    def _down(self, folder: str, name: str, rules: Rules, *, judged: bool) -> None:
        if name in _LEFT_OUT:
            if _LEFT_OUT[name] and not rules.ignores(folder[:-1], folder=True):
                self._skip(folder, _LEFT_OUT[name])
            return
        if not judged and rules.ignores(folder[:-1], folder=True):
            return
        try:
            self._folder(folder, rules)
        except OSError as error:
            self._skip(folder, f"cannot be read: {(error.strerror or str(error)).lower()}")

    def _is_wanted(self, path: str, rules: Rules) -> bool:
        """Whether a file is of a language that is read here, and no rule leaves it out."""
        name = path.rpartition("/")[2]
        if languages.language_of(path, b"") is None:
            if "." in name.lstrip("."):
                return False
            try:
                head = self.tree.read(path, HEAD)
            except OSError:
                return False
            if not head.startswith(b"#!") or languages.language_of(path, head) is None:
                return False
        if rules.ignores(path, folder=False):
            return False
        if why := _unfit(path):
            self._skip(path, why)
            return False
        return True

    def _skip(self, path: str, why: str) -> None:
        self.found.skipped.append(Skipped(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), why))


def _unfit(path: str) -> str:
    """Why a file's name cannot be that of a shard, or ""."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    try:
        files.check_path(f"{path}.json")
        files.check_path(path)
    except Invalid:
        return "its name cannot be kept on every system"
    return ""


def clashing(walked: Walked) -> Iterator[str]:
    """The paths that cannot have a shard beside the others: `a.py.json/b.py` where `a.py` is, too."""
    folders = [folder for folder in walked.folders if folder.endswith(".json/")]
    for folder in folders:
        if folder.removesuffix(".json/") in walked.files:
            yield from (path for path in walked.files if path.startswith(folder))


def looked_at(tree: Below, path: str, stamp: Stamp, known: Known | None) -> tuple[Known, bytes | None]:
    """What is known of a file now, and its bytes where it had to be read and is of use.

    Raises OSError where it cannot be read.
    """
    if known is not None and known.stamp == stamp and known.blob:
        return known, None
    if stamp.size > languages.MAX_BYTES:
        return Known(stamp, "", f"has {stamp.size:,} bytes, more than {languages.MAX_BYTES:,}"), None
    raw = tree.read(path, languages.MAX_BYTES + 1)
    blob = etag(raw)
    if known is not None and known.blob == blob:
        return Known(stamp, blob, known.why, known.shard), raw
    known_language = languages.language_of(path, raw[: reading.HEAD])
    why = languages.skipped(path, raw) if known_language else "is of no language that is read here"
    return Known(stamp, blob, why), None if why else raw
