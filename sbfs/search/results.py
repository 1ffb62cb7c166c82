"""From hits to results: what is said of each, read from the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from sbfs import messages, times
from sbfs.entry import Entry
from sbfs.messages.reading import path_in
from sbfs.store import View

# Fetched by the functions that need it: every command loads this module.
if TYPE_CHECKING:
    from sbfs.search.engine import Engine
    from sbfs.search.entries import Entries
    from sbfs.search.question import Hit

PASSAGE = 1000
"""Characters of a neighbour that are shown."""

LABELLED = 300
"""Turns of a conversation, from its beginning, of which its labels are made."""


@dataclass(frozen=True)
class Result:
    """One thing found.

    snippet: the passage that matched, matches between `**`. conversation_id, message_id: of a turn, the
    latter as its transcript gave it. matches: hits in the same conversation or thread, of which this is
    the best. around: what stands before and after it, and labels: the words that set its conversation, its thread or
    itself apart from everything else, where that was asked for. extra: what its kind adds: of a turn `model`, and of
    its conversation `duration_ms` and `tool_usage`.
    """

    id: str
    kind: str
    project: str
    title: str
    timestamp: str
    score: float
    snippet: str
    path: str
    conversation_id: str = ""
    message_id: str = ""
    speaker: str = ""
    facets: Mapping[str, Any] = field(default_factory=dict)
    quality_score: float | None = None
    matches: int = 1
    around: tuple[Passage, ...] = ()
    labels: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Passage:
    """What stands beside a result. offset: how many places behind it, negative where it stands before."""

    id: str
    offset: int
    timestamp: str
    speaker: str
    text: str
    path: str


@dataclass(frozen=True)
class Results:
    """An answer. total: how many there are, None where that was not counted. next: cursor, or None.
    spelled: word that is nowhere → words that were taken in its place. incomplete: why something may
    be missing, or "". notice: what should be known of the index, or ""."""

    query: str
    results: tuple[Result, ...]
    total: int | None
    next: str | None = None
    spelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    incomplete: str = ""
    notice: str = ""


class Reader:
    """Makes results of hits, from the store: what the index says of a record is never passed on unread."""

    def __init__(
        self, view: View, terms: Iterable[str], *, thinking: bool = False, around: int = 0, labels: Engine | None = None
    ):
        """terms: of the question, as they are indexed. labels: the index that tells them, where they are wanted."""
        from sbfs.search import entries

        self.view, self.terms, self.engine = view, frozenset(terms), labels
        self.thinking, self.around = thinking, around
        self.tree = entries.Entries(view.repo, view.commit.tree)

    def result(self, hits: Sequence[Hit]) -> Result | None:
        """The result of a group's hits; None where none of them is in the store any more."""
        # The best may have gone since it was indexed, where another process was quicker.
        for hit in hits:
            if entry := self._entry(hit):
                around = self._around(hit.key, entry) if self.around else ()
                labels = self._labels(entry, self.engine) if self.engine else ()
                return replace(self._made(hit, entry), matches=len(hits), around=around, labels=labels)
        return None

    def _entry(self, hit: Hit) -> Entry | None:
        """What the store says; of a record that changed since it was indexed, what it says now."""
        return next((entry for key, _, entry in self.tree.of(hit.path) if key == hit.key and entry.id == hit.id), None)

    def _made(self, hit: Hit, entry: Entry) -> Result:
        from sbfs.search import snippets

        return Result(
            id=entry.id,
            kind=entry.kind,
            project=entry.project,
            title=entry.title or self.tree.title(entry.path),
            timestamp=entry.timestamp,
            score=round(hit.score, 4),
            snippet=snippets.make(entry, self.terms | {*hit.matched}, thinking=self.thinking),
            path=entry.path,
            conversation_id=entry.parent,
            message_id=entry.local_id if entry.parent else "",
            speaker=entry.speaker,
            facets={name: value for name, value in entry.facets.items() if name != "projects"},
            quality_score=entry.quality,
            extra={**entry.extra, **self._beside(entry)},
        )

    def _beside(self, entry: Entry) -> Mapping[str, Any]:
        """Of a symbol of code who calls it and what it calls: why it may be what is looked for."""
        if entry.kind != "symbol":
            return {}
        from sbfs.graph import neighbours

        found = neighbours.of(self.view, entry.project, entry.id)
        return {"callers": [*found.callers], "callees": [*found.callees]}

    def _around(self, key: str, entry: Entry) -> tuple[Passage, ...]:
        """What stands beside an entry: in its own file, and in the files beside it in its folder."""
        from sbfs.search import snippets

        if not entry.group:
            return ()
        members = sorted(self._members(entry), key=lambda one: (one[1].seq, one[1].timestamp, one[1].id))
        at = next((place for place, (other, _) in enumerate(members) if other == key), 0)
        first = max(0, at - self.around)
        return tuple(
            Passage(one.id, place - at, one.timestamp, one.speaker, snippets.plain(one, PASSAGE), one.path)
            for place, (_, one) in enumerate(members[first : at + self.around + 1], first)
            if place != at
        )

    def _labels(self, entry: Entry, engine: Engine) -> tuple[str, ...]:
        """The words that set apart what an entry belongs to."""
        from sbfs.search import follower
        from sbfs.search.engine import Broken

        members = (one for _, one in self._members(entry)) if entry.group else iter((entry,))
        texts = [f"{one.title}\n{one.text}" for one in islice(members, LABELLED)]
        with suppress(Broken):
            return tuple(follower.guarded(engine.labels, texts))
        return ()

    def _members(self, entry: Entry) -> Iterator[tuple[str, Entry]]:
        """(key, entry) of the same group."""
        if entry.kind == "message":
            paths = _thread(self.view, entry)
        else:
            folder = entry.path.rpartition("/")[0]
            paths = sorted(f"{folder}/{name}" for name in self.view.names(folder))
        now = times.dump(self.view.store.clock())
        found = (one for path in paths for one in self.tree.of(path))
        return ((key, one) for key, _, one in found if one.group == entry.group and one.due <= now)


def _thread(view: View, entry: Entry) -> list[str]:
    """The paths of both copies of all messages of a thread."""
    found = messages.thread(view.store, message_id=entry.id, at=None if view.current else view.revision)
    parties = ((messages.INBOX, "to_project"), (messages.OUTBOX, "from_project"))
    paths = (path_in(view, kind, getattr(one, party), one) for one, _ in found for kind, party in parties)
    return [path for path in paths if path]


def turns(view: View, tree: Entries, path: str, group: str) -> Iterator[Entry]:
    """What lies beside a file and belongs to a group, from its beginning, as much of it as labels are made of."""
    folder = path.rpartition("/")[0]
    found = (one for name in sorted(view.names(folder)) for _, _, one in tree.of(f"{folder}/{name}"))
    return islice((one for one in found if one.group == group), LABELLED)
