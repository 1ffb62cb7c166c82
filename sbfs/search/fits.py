"""What was fitted from an index: the spelling of its words, and the weights by which texts are alike.

Every fit is a folder of its own, so that who reads the last one is not disturbed; `current` names the one that counts.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from sbfs import files
from sbfs.search.similar import Similar
from sbfs.search.snapshot import Snapshot
from sbfs.search.spelling import Spelling

FOLDER = "fits"
"""Below the index's folder."""

_CURRENT = "current"


class Fits:
    """The fits of an index, opened when they are first needed."""

    def __init__(self, index: Path):
        self._folder = index / FOLDER
        self._named = ""
        self._spelling: Spelling | None = None
        self._similar: Similar | None = None

    def make(self, snapshot: Snapshot) -> None:
        """Fit both to what a snapshot holds."""
        name = secrets.token_hex(8)
        folder = self._folder / name
        for part in ("spelling", "similar"):
            (folder / part).mkdir(parents=True)
        Spelling.fit(_vocabulary(snapshot)).save(folder / "spelling")
        Similar.fit(snapshot).save(folder / "similar", snapshot)
        files.write(self._folder / _CURRENT, name.encode())
        for other in self._folder.iterdir():
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)

    def spelling(self) -> Spelling | None:
        """The vocabulary; None where nothing was fitted yet. Raises OSError or ValueError where it is not sound."""
        if (folder := self._current()) is not None and self._spelling is None:
            self._spelling = Spelling.open(folder / "spelling")
        return self._spelling

    def similar(self) -> Similar | None:
        """The weights; None where nothing was fitted yet. Raises OSError or ValueError where they are not sound."""
        if (folder := self._current()) is not None and self._similar is None:
            self._similar = Similar.open(folder / "similar")
        return self._similar

    def _current(self) -> Path | None:
        name = (files.read(self._folder / _CURRENT) or b"").decode("ascii")
        if name != self._named:
            self._named, self._spelling, self._similar = name, None, None
        return self._folder / name if name.isalnum() else None


def _vocabulary(snapshot: Snapshot) -> Iterator[str]:
    for field in ("words", "names"):
        for term in snapshot.lexicon(field):
            # Paths are many, long, and asked for by their parts.
            if b"/" not in term:
                yield term.decode("utf-8", "surrogatepass")
