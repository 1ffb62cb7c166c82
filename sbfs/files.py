"""Files below a root: names that cannot leave it, writes that are whole or not there.

A write goes to a temporary file beside its target, is synced, and renamed over it. Temporary names
are `.<name>.<pid>.<random>~`, so that no two writers share one and no left-over is taken for a
record.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sbfs.errors import AlreadyExists, Failed, Invalid
from sbfs.fetching import pattern

TEMPORARY = pattern(r"\..+\.\d+\.[0-9a-f]{12}~")
"""Names of temporary files that a killed writer may have left."""

BULK = 8
"""From this many files on, one sync of the file system replaces a sync a file."""

_PLAIN = pattern(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}(?<!\.)(?:/(?!$)|$))+")
"""What nearly all paths look like: nothing to complain about."""

_BAD_PART = pattern(r"[\0-\x1f\\:*?\"<>|\ud800-\udc7f\udd00-\udfff]")
_IGNORED_BY_MACS = pattern("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


def check_path(path: str) -> str:
    """A posix path below the store that is safe on every system, or Invalid."""
    if _PLAIN.fullmatch(path):
        return path
    for part in path.split("/"):
        bare = _IGNORED_BY_MACS.sub("", part).lower()
        if bare in ("", ".", "..", ".git", "git~1") or part.endswith((" ", ".")):
            raise Invalid("leads out of its folder", path=path)
        if _BAD_PART.search(part):
            raise Invalid("holds a character that file systems refuse", path=path)
        if len(part.encode("utf-8", "surrogatepass")) > 250:
            raise Invalid("has a part of more than 250 bytes", path=path)
    return path


def join(root: Path, path: str) -> Path:
    """The file of a path below root. Raises Invalid where the path, or a link on its way, leads out."""
    return Path(locate(root, path))


def locate(root: Path, path: str) -> str:
    """The same as a text, where many files are looked at and making a Path of each would take most of the time."""
    check_path(path)
    at = os.fspath(root)
    whole = f"{at}/{path}"
    for part in path.split("/"):
        at = f"{at}/{part}"
        try:
            if stat.S_ISLNK(os.lstat(at).st_mode):
                raise Invalid("is reached through a link", path=path, hint="replace the link by a file or folder")
        except (FileNotFoundError, NotADirectoryError):
            break
    return whole


class Places:
    """Where many paths lie below a root. The way to a folder is looked at once as long as its paths follow each other:
    for each of them, it would take longer than the rest of what is done with a new file."""

    def __init__(self, root: Path):
        self._root = root
        self._folder: str | None = None
        self._is_there = False

    def find(self, path: str) -> tuple[str, os.stat_result | None]:
        """(file, its state or None where nothing is) of a path. Raises Invalid as `locate` does."""
        check_path(path)
        folder = path.rpartition("/")[0]
        if folder != self._folder:
            self._is_there = os.path.isdir(locate(self._root, folder) if folder else self._root)
            self._folder = folder
        file = f"{self._root}/{path}"
        state = _state(file) if self._is_there else None
        if state is not None and stat.S_ISLNK(state.st_mode):
            raise Invalid("is reached through a link", path=path, hint="replace the link by a file or folder")
        return file, state


def _state(file: str) -> os.stat_result | None:
    try:
        return os.lstat(file)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read(file: str | Path) -> bytes | None:
    """A file's bytes; None where there is none."""
    try:
        # Plain system calls, half as many as a stream's: this is the most called function of all.
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read_all(handle)
        finally:
            os.close(handle)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise failed(error, Path(file)) from error


def _read_all(handle: int) -> bytes:
    size = os.fstat(handle).st_size
    parts = []
    while part := os.read(handle, max(size, 1 << 12)):
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def write(file: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write one file whole, synced with its folder."""
    write_many({file: data}, mode=mode)


def write_many(files: Mapping[Path, bytes | None] | Mapping[str, bytes | None], *, mode: int = 0o644) -> None:
    """Write files (None removes one), each whole, all synced when this returns.

    Raises Failed, naming the file, where the system refuses.
    """
    bulk = len(files) >= BULK and _can_sync_at_once()
    mark = _Mark()
    staged: list[str] = []
    folders: set[str] = set()
    made: set[str] = set()
    gone: list[str] = []
    at = ""
    try:
        # Asked for once: what is written may be read from elsewhere only now, one by one.
        for at, data in ((os.fspath(file), data) for file, data in files.items()):
            folder = at.rpartition("/")[0]
            if data is not None:
                if folder not in made:
                    folders.update(map(str, make_folders(Path(folder))))
                    made.add(folder)
                _create(mark.aside(at, len(staged)), data, mode, sync=not bulk)
                staged.append(at)
            else:
                gone.append(at)
            folders.add(folder)
        if bulk and staged:
            _sync_at_once([mark.aside(staged[0], 0)])
        while staged:
            at = staged[-1]
            os.replace(mark.aside(at, len(staged) - 1), at)
            staged.pop()
        for at in gone:
            with suppress(FileNotFoundError):
                os.unlink(at)
        sync_folders(folders)
    except OSError as error:
        raise failed(error, Path(at)) from error
    finally:
        for number, left in enumerate(staged):
            with suppress(FileNotFoundError):
                os.unlink(mark.aside(left, number))


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """A file to be written at length, that appears whole or not at all, and that only its owner may read.

    Raises AlreadyExists unless forced, Failed where the system refuses.
    """
    if not force and path.exists():
        raise AlreadyExists("file", str(path), hint="name another one, or replace it with --force")
    aside = path.with_name(f".{path.name[:100]}.{os.getpid()}.{os.urandom(6).hex()}~")
    try:
        make_folders(path.parent)
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "w+b", buffering=1 << 18) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(aside, path)
        sync_folder(path.parent)
    except OSError as error:
        raise failed(error, path) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(aside)


def write_new(files: Mapping[str, bytes], *, mode: int = 0o644, bulk: bool = False) -> None:
    """Write files that are not there yet, under their own names, synced; their folders are not.

    bulk: whether much else waits to be synced too.
    """
    bulk = bulk and _can_sync_at_once()
    for name, data in files.items():
        _create(name, data, mode, sync=not bulk)
    if bulk:
        _sync_at_once(files)


def _stage(file: str, data: bytes, mode: int, *, sync: bool) -> str:
    temporary = _Mark().aside(file, 0)
    _create(temporary, data, mode, sync)
    return temporary


class _Mark:
    """What tells the temporary names of one write from all others: random, and counted on from there, so that of a
    great many files only the names need be kept."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._begin = int.from_bytes(os.urandom(6), "big")

    def aside(self, file: str, number: int) -> str:
        """The temporary name beside the file with a number in the write."""
        folder, _, name = file.rpartition("/")
        return f"{folder}/.{name[:200]}.{self._process}.{(self._begin + number) & 0xFFFFFFFFFFFF:012x}~"


def _create(file: str, data: bytes, mode: int, sync: bool) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if sync:
            os.fsync(handle)
    except BaseException:
        os.unlink(file)
        raise
    finally:
        os.close(handle)


def sync_many(written: Iterable[str]) -> None:
    """Bring files that others wrote to disk, with their folders. One that is gone is left out."""
    names = [*written]
    if len(names) >= BULK and _can_sync_at_once():
        _sync_at_once(names)
        return
    for name in names:
        with suppress(FileNotFoundError):
            _sync(name, os.O_RDONLY)
    sync_folders({os.path.dirname(name) for name in names})


def sync_all(root: Path) -> None:
    """Bring all that lies below a folder to disk."""
    if _can_sync_at_once():
        _sync_at_once([os.fspath(root)])
        return
    for folder, _, names in os.walk(root):
        sync_many([os.path.join(folder, name) for name in names])
        _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_folders(folders: Collection[str]) -> None:
    """Bring the entries of folders to disk."""
    if len(folders) >= BULK and _can_sync_at_once():
        _sync_at_once(folders)
        return
    for folder in folders:
        with suppress(FileNotFoundError):
            _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _can_sync_at_once() -> bool:
    return sys.platform == "linux"


def _sync_at_once(names: Iterable[str]) -> None:
    """Bring all that was written to the file system of these files or folders to disk: syncfs(2)."""
    import ctypes

    for name in names:
        with suppress(FileNotFoundError):
            handle = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
            break
    else:
        return
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)
    finally:
        os.close(handle)


def _sync(name: str, flags: int) -> None:
    handle = os.open(name, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to disk."""
    sync_folders({os.fspath(folder)})


def make_folders(folder: Path) -> set[Path]:
    """Make a folder and its parents. Returns the folders that got a new entry and want a sync."""
    touched = set()
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        touched.add(one.parent)
    return touched


def prune_folders(root: Path, folders: Iterable[Path]) -> None:
    """Remove folders that became empty, and their parents, up to root."""
    for folder in folders:
        while folder != root and root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                break
            folder = folder.parent


_HINTS = {
    errno.ENOSPC: "free some space and repeat",
    errno.EACCES: "check the permissions",
    errno.EROFS: "the file system is read-only",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def failed(error: OSError, file: Path) -> Failed:
    """What the system refused, as an error for people."""
    reason = error.strerror or str(error)
    return Failed(f"{error.filename or file}: {reason.lower()}", hint=_HINTS.get(error.errno or 0, ""))
