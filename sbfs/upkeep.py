"""Upkeep: the object folder is kept in bounds, outside the lock and never in a command's way.

A publication asks `due`, which costs two dozen system calls, and starts a process of low priority
where there is work. That one writes joined packs beside the old ones and takes the store's lock
only to remove what has become superfluous. Only one works at a time; one that is killed leaves
every object where it was, and the next one sweeps up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sbfs import files
from sbfs.errors import Error
from sbfs.git import joining, packs
from sbfs.git.repository import Repository

_INTERVAL = 3.0
"""Seconds between two processes that are started."""

MUCH = 1000
"""Files that came at once, from which on a run is started: it looks through what an export would have to wait for."""

_PAUSE = 600.0
"""Seconds after which work that could not be done is tried again."""

_SAMPLE = range(0, 256, 32)
"""Folders that stand for all 256: ids are spread evenly."""

_ROUNDS = 50
"""Joins of one run; writers that never pause must not keep it for ever."""

_SPARE = 64 * 1024 * 1024
"""Bytes of a disk that stay free."""

Locked = Callable[[], AbstractContextManager[None]]
"""Takes the store's lock, as `Publisher.locked` does."""


@dataclass(frozen=True)
class State:
    """loose: objects that are files of their own. packs: of which `kept` are never touched, by a .keep or such.

    bytes: of all packs. due: whether there is work. problem: why the last run could not do it, or "".
    """

    loose: int
    packs: int
    kept: int
    bytes: int
    due: bool
    problem: str


def due(repo: Repository) -> bool:
    """Whether there are more packs or loose objects than there should be: an estimate, cheap enough for every command.

    May be wrong by a few objects; False where the folder cannot be read.
    """
    objects = repo.gitdir / "objects"
    try:
        if joining.plan(objects / "pack"):
            return True
        return sum(1 for _ in joining.loose(objects, _SAMPLE)) * 256 > joining.LOOSE * len(_SAMPLE)
    except OSError:
        return False


def after_publication(repo: Repository) -> bool:
    """Start upkeep in the background where it is due and none was started just now. Never fails, never waits."""
    try:
        if _resting(repo) or not due(repo):
            return False
        _stamp(repo, 0, "")
        return start(repo.root)
    except OSError:
        return False


def start(root: Path) -> bool:
    """Start `sbfs upkeep` as a process of its own, which outlives this one. Returns whether that worked."""
    if not sys.executable:
        return False
    # -P: nothing that lies in the working directory is taken for a module.
    command = [sys.executable, "-P", "-m", "sbfs", "--store", os.fspath(root.absolute()), "upkeep", "--background"]
    quiet = subprocess.DEVNULL
    try:
        child = subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, close_fds=True, start_new_session=True, cwd="/"
        )
    except OSError:
        return False
    # Somebody must ask how it ended, or a parent that lives long collects dead children.
    threading.Thread(target=child.wait, name="sbfs-upkeep", daemon=True).start()
    return True


def run(repo: Repository, locked: Locked, *, background: bool = False) -> bool:
    """Do what is due. Returns False, having done nothing, where another process is at it.

    background: lower this process's priority for good. Raises Busy where the lock stays taken, and
    Failed where the machine refuses; nothing is lost then, and the next try waits some minutes.
    """
    try:
        with _alone(repo) as alone:
            if not alone:
                return False
            if background:
                with suppress(OSError):
                    os.nice(10)
            problem = _work(repo.gitdir / "objects", locked)
            _stamp(repo, _PAUSE if problem else 0, problem)
    except OSError as error:
        failed = files.failed(error, repo.gitdir / "objects")
        _stamp_quietly(repo, str(failed))
        raise failed from error
    except Error as error:
        _stamp_quietly(repo, str(error))
        raise
    return True


def state(repo: Repository) -> State:
    """What `sbfs check` says of the object folder: counted, not estimated."""
    objects = repo.gitdir / "objects"
    names = [name for name in os.listdir(objects / "pack") if name.endswith(".pack")]
    held = sum(any((objects / "pack" / name).with_suffix(mark).exists() for mark in joining.HELD) for name in names)
    size = 0
    for name in names:
        with suppress(FileNotFoundError):
            size += os.stat(objects / "pack" / name).st_size
    count = _count(objects)
    problem = (files.read(_own(repo) / "upkeep.stamp") or b"").decode(errors="replace")
    wanted = count > joining.LOOSE or bool(joining.plan(objects / "pack"))
    return State(count, len(names), held, size, wanted, problem)


def _work(objects: Path, locked: Locked) -> str:
    """Pack and join until nothing is due. Returns what stood in the way, or ""."""
    with locked():
        joining.sweep(objects / "pack")
    problem = ""
    if _count(objects) > joining.LOOSE:
        for packed in joining.pack_loose(objects):
            _remove(packed, locked)
        if (left := _count(objects)) > joining.LOOSE:
            problem = f"{left} loose objects are too young, too large or broken"
    folder = objects / "pack"
    unfit: set[Path] = set()
    for _ in range(_ROUNDS):
        chosen = joining.plan(folder, unfit)
        if not chosen:
            break
        try:
            if sum(os.stat(pack).st_size for pack in chosen) + _SPARE > shutil.disk_usage(folder).free:
                return "there is no room for joining packs"
            joined = joining.join(folder, chosen)
        except FileNotFoundError:
            # A writer joined one of them meanwhile: look again.
            continue
        except joining.Unfit as error:
            unfit.add(error.pack)
            problem = str(error)
            continue
        with locked():
            packs.exchange(folder, joined, chosen)
    return problem


def _count(objects: Path) -> int:
    return sum(1 for _ in joining.loose(objects))


def _remove(packed: list[Path], locked: Locked) -> None:
    for first in range(0, len(packed), 500):
        with locked():
            for file in packed[first : first + 500]:
                file.unlink(missing_ok=True)


# -- only one, and not too often -------------------------------------------------------------------


def _own(repo: Repository) -> Path:
    return repo.gitdir / "sbfs"


@contextmanager
def _alone(repo: Repository) -> Iterator[bool]:
    """Whether no other process does upkeep, which stays so in the block."""
    import fcntl

    _own(repo).mkdir(exist_ok=True)
    with open(_own(repo) / "upkeep", "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _resting(repo: Repository) -> bool:
    """Whether upkeep was started just now, or could not do its work a short while ago."""
    try:
        since = time.time() - os.stat(_own(repo) / "upkeep.stamp").st_mtime
    except FileNotFoundError:
        return False
    # A clock that was set back must not stop it for ever.
    return -_PAUSE - 60 < since < _INTERVAL


def _stamp(repo: Repository, rest: float, problem: str) -> None:
    """Note that upkeep was just started, or that it rests for so many seconds."""
    _own(repo).mkdir(exist_ok=True)
    file = _own(repo) / "upkeep.stamp"
    file.write_text(problem)
    if rest:
        until = time.time() + rest
        os.utime(file, (until, until))


def _stamp_quietly(repo: Repository, problem: str) -> None:
    with suppress(OSError):
        _stamp(repo, _PAUSE, problem)
