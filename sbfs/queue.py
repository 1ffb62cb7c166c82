"""The queue of operations that wait for the store's lock, as files that any process can read.

A waiter leaves `<id>.json`, its operation, and holds a lock on it as its sign of life. Whoever has
the store's lock takes what is there (`<id>.taken`), publishes it with its own, and leaves
`<id>.done`, the outcome. Waiters sleep at a named pipe, `<id>.bell`, which is rung when there is an
outcome, and for one of them when the lock is free. A bell that is not heard costs a moment, no more:
they also look by themselves.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sbfs import files
from sbfs.operation import Operation, Outcome, dump_outcome, load_outcome

_LOOK = 0.05
"""Seconds after which a waiter looks by itself, where it has a bell."""

_POLL = 0.002
"""The same, where the file system knows no pipes."""


class Queue:
    """The waiting operations of one store."""

    def __init__(self, folder: Path):
        self.folder = folder

    @contextmanager
    def waiting(self, operation: Operation) -> Iterator[Place]:
        """Leave an operation to whoever holds the lock; what is left of it goes in the end."""
        import fcntl

        self.folder.mkdir(exist_ok=True)
        place = Place(self.folder, operation.id)
        hidden = self.folder / f".{operation.id}"
        with open(hidden, "wb") as file, place:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(operation.dump())
            file.flush()
            os.rename(hidden, place.intent)
            yield place

    def take(self, but: str) -> list[Operation]:
        """The operations of living processes that wait, oldest first. Only under the store's lock."""
        found: list[Operation] = []
        for id in self._ids():
            if id != but and not (self.folder / f"{id}.done").exists():
                found += self._take(id)
        return found

    def _ids(self) -> list[str]:
        try:
            return sorted(name[:-5] for name in os.listdir(self.folder) if name.endswith(".json"))
        except FileNotFoundError:
            return []

    def _take(self, id: str) -> list[Operation]:
        import fcntl

        intent = f"{self.folder}/{id}.json"
        with suppress(FileNotFoundError, ValueError, KeyError), open(intent, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.rename(intent, f"{self.folder}/{id}.taken")
                return [Operation.load(file.read())]
            # Its owner is dead: nobody was told that it would happen.
            for left in (f"{self.folder}/{id}.bell", intent):
                with suppress(FileNotFoundError):
                    os.unlink(left)
        return []

    def answer(self, id: str, outcome: Outcome) -> None:
        """Tell a waiter what became of its operation; one that has gone is not told."""
        if os.path.exists(f"{self.folder}/{id}.taken"):
            temporary = f"{self.folder}/.{id}.answer"
            with open(temporary, "wb") as file:
                file.write(dump_outcome(outcome))
            os.replace(temporary, f"{self.folder}/{id}.done")
            self._ring(id)

    def wake_next(self) -> None:
        """Tell the oldest waiter that the lock is free."""
        for id in self._ids()[:1]:
            self._ring(id)

    def _ring(self, id: str) -> None:
        with suppress(OSError):
            bell = os.open(f"{self.folder}/{id}.bell", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(bell, b"\a")
            finally:
                os.close(bell)


class Place:
    """One waiter's place in the queue."""

    def __init__(self, folder: Path, id: str):
        self.intent = folder / f"{id}.json"
        self._files = [self.intent, *(folder / f"{id}.{suffix}" for suffix in ("taken", "done", "bell"))]
        self._answer, self._bell_file = self._files[2:]
        self._bell: int | None = None

    def __enter__(self) -> Self:
        with suppress(OSError):
            os.mkfifo(self._bell_file, 0o600)
            # Open for both, so that it is not at its end while nobody rings.
            self._bell = os.open(self._bell_file, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bell is not None:
            os.close(self._bell)
        for file in self._files:
            file.unlink(missing_ok=True)

    def outcome(self) -> Outcome | None:
        """What became of the operation, once it is known."""
        said = files.read(self._answer)
        return None if said is None else load_outcome(said)

    def sleep(self) -> None:
        """Until the bell rings, or it is time to look."""
        if self._bell is None:
            time.sleep(_POLL)
        elif select.select([self._bell], [], [], _LOOK)[0]:
            os.read(self._bell, 64)

    def withdraw(self) -> bool:
        """Take the operation back; False if somebody has it in hand already."""
        try:
            self.intent.unlink()
        except FileNotFoundError:
            return False
        return True
