"""What is asked of the index and what it answers: plain values, known to all of search."""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sbfs.entry import Entry


@dataclass(frozen=True)
class Filters:
    """What a record must be to be found; all that is given must hold.

    words: facet → the values of which it must have one. `kind`, `project`, `group`, `id` and `parent`
    are an entry's own; every other word is looked up in its facets. since, until: UTC text,
    since <= timestamp < until; an entry without a time has neither. path: the path's beginning, or a
    pattern for the whole path where it holds `*`, `?` or `[`. quality_from, quality_to: both included; what is not
    measured has neither. now: entries that are due later are left out.
    """

    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    since: str = ""
    until: str = ""
    path: str = ""
    quality_from: float | None = None
    quality_to: float | None = None
    now: str = ""

    def admits(self, entry: Entry) -> bool:
        """Whether an entry passes: what the index's answer must equal."""
        if any(not values.intersection(facet(entry, word)) for word, values in self.words.items()):
            return False
        return self._in_time(entry) and self._in_quality(entry.quality) and self.admits_path(entry.path)

    def admits_path(self, path: str) -> bool:
        """Whether a path passes."""
        if not self.path:
            return True
        return bool(_pattern(self.path).match(path)) if _is_pattern(self.path) else path.startswith(self.path)

    def _in_time(self, entry: Entry) -> bool:
        if self.now and entry.due > self.now:
            return False
        if not (self.since or self.until):
            return True
        return (
            bool(entry.timestamp) and self.since <= entry.timestamp and (not self.until or entry.timestamp < self.until)
        )

    def _in_quality(self, quality: float | None) -> bool:
        if self.quality_from is None and self.quality_to is None:
            return True
        if quality is None:
            return False
        return (self.quality_from is None or quality >= self.quality_from) and (
            self.quality_to is None or quality <= self.quality_to
        )


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[")


@functools.lru_cache(maxsize=64)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(path))


def facet(entry: Entry, word: str) -> tuple[str, ...]:
    """An entry's values for one word that can be filtered by."""
    return (*given(entry, word), getattr(entry, word)) if word in OWN else given(entry, word)


def given(entry: Entry, word: str) -> tuple[str, ...]:
    """Those values that stand in its facets."""
    values = entry.facets.get(word, ())
    return (values,) if isinstance(values, str) else tuple(values)


OWN = ("kind", "project", "group", "id", "parent")
"""Words that are fields of every entry."""


@dataclass(frozen=True)
class Question:
    """What is asked. text: words, or a query where `syntax`. limit: hits wanted, before any grouping.
    thinking: whether thinking is searched too. neighbours: whether a turn's score is lent to those beside it.
    """

    text: str
    filters: Filters = field(default_factory=Filters)
    limit: int = 20
    syntax: bool = False
    thinking: bool = False
    neighbours: bool = True


@dataclass(frozen=True)
class Hit:
    """One thing found. key: as it was added; blob: that it was indexed from. score: greater is better.
    matched: the question's words that are in it, as they are indexed (stems): for marking. Others: as in Entry.
    """

    key: str
    id: str
    kind: str
    project: str
    path: str
    group: str
    seq: int
    timestamp: str
    score: float
    blob: str
    due: str
    parent: str
    local_id: str
    title: str
    matched: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """An answer. hits: best first. total: how many match by a word of their own; None: not counted.
    spelled: unknown word → words taken in its place. terms: of the question, as they are indexed.
    """

    hits: list[Hit]
    total: int | None = None
    spelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    terms: tuple[str, ...] = ()
