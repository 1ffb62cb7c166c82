"""What is fitted from an index: the spelling of its words, and the weights by which texts are alike.

A fit is a folder of its own, named by a number, and never changes; the last one counts, the one before stays for who
has it open. What came since is weighed beside it when it is asked for, as all of an index is that has no fit yet since
it holds little. When that becomes much, a new fit is due.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sbfs import files
from sbfs.search.similar import Similar
from sbfs.search.snapshot import Segment, Snapshot
from sbfs.search.spelling import Spelling, nearest

FOLDER = "fits"
"""Below the index's folder."""

LITTLE = 2_000
"""Entries that need no fit, and that may be added before a new one is due; of many, a tenth."""


class Fits:
    """The fits of an index, opened when they are first needed. due: whether an answer stood on too old a fit."""

    def __init__(self, index: Path):
        self._folder = index / FOLDER
        self._kept: dict[str, Any] = {}
        self._named = 0
        self.due = False

    def make(self, snapshot: Snapshot) -> None:
        """Fit both to what a snapshot holds."""
        number = self._last() + 1
        folder = self._folder / f"new-{secrets.token_hex(8)}"
        for part in ("spelling", "similar"):
            (folder / part).mkdir(parents=True)
        Spelling.fit(_vocabulary(snapshot.lexicon)).save(folder / "spelling")
        Similar.fit(snapshot).save(folder / "similar")
        covered = json.dumps([segment.id for segment in snapshot.segments])
        files.write(folder / "covered.json", covered.encode())
        os.rename(folder, self._folder / str(number))
        self.due = False
        for other in self._folder.iterdir():
            if other.name not in (str(number), str(number - 1)):
                _remove(other)

    def nearest(self, snapshot: Snapshot, word: str) -> list[tuple[str, float]]:
        """The words of an index that are nearest to one, with their cosines. Raises OSError or ValueError."""
        return nearest(self._spellings(snapshot), word)

    def _spellings(self, snapshot: Snapshot) -> Sequence[Spelling]:
        """The vocabulary as it was fitted, and what each segment adds that came since."""
        newer = self._newer(snapshot)
        fitted = self._opened("spelling", Spelling.open)
        if fitted is None:
            return [self._kept_for(snapshot, "spelling", lambda: Spelling.light(_vocabulary(snapshot.lexicon)))]
        return [fitted, *(one.kept(f" words {self._named}", partial(_beside, fitted, one)) for one in newer)]

    def similar(self, snapshot: Snapshot) -> Similar:
        """The weights of an index. Raises OSError or ValueError where they are not sound."""
        self._newer(snapshot)
        fitted: Similar | None = self._opened("similar", Similar.open)
        if fitted is not None:
            return fitted
        made: Similar = self._kept_for(snapshot, "similar", lambda: Similar.light(snapshot))
        return made

    def worn(self, snapshot: Snapshot) -> bool:
        """Whether too much came since the last fit."""
        self._newer(snapshot)
        return self.due

    # -- on the way

    def _newer(self, snapshot: Snapshot) -> list[Segment]:
        """The segments that came since the last fit."""
        if (last := self._last()) != self._named:
            self._kept, self._named = {}, last
        covered = self._opened("covered.json", _covered) or frozenset()
        newer = [segment for segment in snapshot.segments if segment.id not in covered]
        self.due = sum(one.count for one in newer) > max(LITTLE, snapshot.live // 10)
        return newer

    def _last(self) -> int:
        """The number of the last fit; 0 for none."""
        try:
            return max((int(name) for name in os.listdir(self._folder) if name.isdecimal()), default=0)
        except FileNotFoundError:
            return 0

    def _opened(self, name: str, open: Callable[[Path], Any]) -> Any:
        """A part of the last fit; None where there is none."""
        if self._named and name not in self._kept:
            self._kept[name] = open(self._folder / str(self._named) / name)
        return self._kept.get(name)

    def _kept_for(self, snapshot: Snapshot, name: str, make: Callable[[], Any]) -> Any:
        """What was made for a snapshot before, or is made now."""
        held = f"{name} of now"
        if held not in self._kept or self._kept[held][0] is not snapshot:
            self._kept[held] = snapshot, make()
        return self._kept[held][1]


def _covered(file: Path) -> frozenset[str]:
    return frozenset(json.loads(file.read_bytes()))


def _beside(fitted: Spelling, segment: Segment) -> Spelling:
    """The words of a segment that a fit does not know, weighed as those are that it does."""
    return fitted.beside(_vocabulary(segment.piece.lexicon))


def _vocabulary(lexicon: Callable[[str], Iterator[bytes]]) -> Iterator[str]:
    for field in ("words", "names"):
        for term in lexicon(field):
            # Paths are many, long, and asked for by their parts.
            if b"/" not in term:
                yield term.decode("utf-8", "surrogatepass")


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
