"""The index: what is in it, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from sbfs.entry import Entry
from sbfs.search.question import Filters, Found, Hit, Question

__all__ = ["Broken", "Engine", "Filters", "Found", "Hit", "Question"]


class Broken(Exception):
    """The index cannot be read or written: put it aside and build another."""


class Engine:
    """An index in a folder of its own. Whoever opens one vouches for the folder: its files are code."""

    @classmethod
    def create(cls, folder: Path) -> Engine:
        """An empty index in a new folder. Raises Broken."""

    @classmethod
    def open(cls, folder: Path) -> Engine:
        """The index in a folder. Raises Broken."""

    def apply(
        self,
        remove: Iterable[str],
        add: Iterable[tuple[str, str, Entry]],
        *,
        rebuild: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Take keys out and put (key, blob id, entry) in, as one commit; what is added replaces its key.

        rebuild: merge everything at the end, and fit what spelling and "more like this" stand on.
        progress: told how many were added so far. Raises Broken.
        """

    def keys(self) -> dict[str, str]:
        """key → blob id of all that is indexed."""

    def count(self) -> int:
        """How many entries are indexed."""

    def search(self, question: Question) -> Found:
        """The best hits. Raises Invalid for a question that cannot be answered, Broken."""

    def like(self, key: str | None, text: str, wanted: Filters, limit: int) -> list[Hit]:
        """What is most like a text, without `key` itself. Raises Broken."""

    def close(self) -> None:
        """Let go of the files."""
