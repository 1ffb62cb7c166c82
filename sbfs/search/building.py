"""An index of a whole tree, made by two processes: each reads one half of the files and writes what it finds.

`python -m sbfs.search.building ROOT TREE FOLDER` makes the index of the second half in a new folder. It says on
standard output how many entries it has read, now and then, and `end` when it has written all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

from sbfs.git.repository import Repository
from sbfs.search.engine import Broken, Engine
from sbfs.search.entries import Entries, Keyed
from sbfs.search.fits import LITTLE

LEAST = 2000
"""Files that are worth a second process."""

STEP = 200
"""Entries after which the second process says how many it has read."""

# -P: what lies in the working directory, such as a store's own files, is no module of ours.
_PROGRAM = (sys.executable, "-P", "-m", "sbfs.search.building")
_FOLDER = "half"


def fill(
    engine: Engine,
    repo: Repository,
    tree: str,
    progress: Callable[[int], object],
    *,
    least: int = LEAST,
    program: Sequence[str] = _PROGRAM,
) -> None:
    """Put every entry of a tree into an empty index. What the other process does not deliver is read here."""
    source = Entries(repo, tree)
    mine, theirs = source.halves()
    folder = engine.folder / _FOLDER
    if len(mine) + len(theirs) < least:
        engine.apply((), source.everything([*mine, *theirs], apart=True), rebuild=True, progress=progress)
        engine.fit(due=True)
        return
    with _Other([*program, str(repo.root), tree, str(folder)]) as other:
        engine.apply(
            (), source.everything(mine, apart=True), rebuild=True, progress=lambda done: progress(done + other.done())
        )
        if 2 * engine.count() > LITTLE:
            # Takes about as long as the other process still needs.
            engine.load()
        delivered = other.wait() and _adopted(engine, folder)
    if not delivered:
        done = engine.count()
        engine.apply(
            (), source.everything(theirs, apart=True), rebuild=True, progress=lambda more: progress(done + more)
        )
    shutil.rmtree(folder, ignore_errors=True)
    engine.fit(due=True)


def _adopted(engine: Engine, folder: Path) -> bool:
    try:
        engine.adopt(folder)
    except Broken:
        return False
    return True


class _Other:
    """The other process. It goes where this one does."""

    def __init__(self, command: list[str]):
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._said: list[bytes] = [b""]

    def __enter__(self) -> Self:
        quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with suppress(OSError):
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, **quiet)  # type: ignore[call-overload]
            os.set_blocking(self._out.fileno(), False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._out.close()

    @property
    def _out(self) -> IO[bytes]:
        assert self._process and self._process.stdout
        return self._process.stdout

    def done(self) -> int:
        """How many entries it has read, as far as it said so."""
        self._listen()
        return max((int(line) for line in self._said[:-1] if line.isdigit()), default=0)

    def wait(self) -> bool:
        """Whether it came to its end."""
        if self._process is None:
            return False
        os.set_blocking(self._out.fileno(), True)
        self._listen()
        return self._process.wait() == 0 and self._said == [b"end", b""]

    def _listen(self) -> None:
        """Take in what it says: the last whole line, and one that is still being said."""
        if self._process and (more := self._out.read()):
            self._said = [*self._said[:-1], *(self._said[-1] + more).split(b"\n")][-2:]


def _counted(found: Iterator[Keyed]) -> Iterator[Keyed]:
    for number, keyed in enumerate(found, 1):
        yield keyed
        if number % STEP == 0:
            # Also how it learns that nobody listens any more.
            _say(str(number))


def main(root: str, tree: str, folder: str) -> None:
    """Make the index of the second half."""
    with Repository(Path(root)) as repo:
        source = Entries(repo, tree)
        engine = Engine.create(Path(folder))
        engine.apply((), _counted(source.everything(source.halves()[1], apart=True)), rebuild=True)
        engine.close()
    _say("end")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
