"""Which entries answer a question best.

BM25F: S. Robertson, H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
https://doi.org/10.1561/1500000019, with fields' scores added up, each with its weight. A turn is lent part
of the scores of the turns beside it, and part of that of its whole conversation, since an answer seldom
repeats the question's words. Scores depend on what is indexed alone: neither a filter nor how the index came about
changes them.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log
from operator import itemgetter

from sbfs.search.analysis import Term
from sbfs.search.snapshot import Postings, Snapshot, decoded

K1, B = 0.9, 0.4
"""Of an entry: how soon repetition stops to count, and how much a long text is held against it."""

SESSION_K1, SESSION_B = 1.2, 0.75
"""The same of a whole conversation or thread: the customary values, for texts of customary length."""

SHARES = (0.4, 0.4, 0.2, 0.2)
"""What a turn gets of the scores of the turns before and after it, and of the next two."""

SESSION = 0.6
"""What it gets of its conversation's; what stands alone is its own conversation."""

WEIGHTS = {"body": 1.0, "title": 2.0, "names": 1.0, "tool": 0.3}
"""The fields that are searched."""

THINKING = 0.5
"""The weight of thinking, where it is asked for."""

CANDIDATES = 200
"""Entries that are looked at closely, of those with the best scores of their own."""


@dataclass
class Scored:
    """What ranking found. best: (score, number), best first. total: how many have a word of their own.
    postings: term's name → its postings in all fields.
    """

    best: list[tuple[float, int]]
    total: int
    postings: Mapping[str, list[Postings]]


def fields(thinking: bool) -> dict[str, float]:
    """The fields to search, with their weights."""
    return WEIGHTS | {"thinking": THINKING} if thinking else WEIGHTS


def postings_of(snapshot: Snapshot, term: Term, thinking: bool) -> dict[str, Postings]:
    """Field → postings of a term in it."""
    found = {}
    for field in fields(thinking):
        text = term.word if field == "names" or not term.stem else term.stem
        if (postings := snapshot.postings(field, text.encode("utf-8", "surrogatepass"))) is not None:
            found[field] = postings
    return found


class Ranking:
    """Scores of one question."""

    def __init__(self, snapshot: Snapshot):
        self._snapshot = snapshot
        self._scores: dict[int, float] = {}
        self._sessions: list[tuple[float, Counter[int]]] = []
        self._norms: dict[str, list[float]] = {}
        self._lengths: dict[str, bytes] = {}

    def add(self, postings: Postings, field: str, weight: float) -> None:
        """Count a term's postings in a field."""
        snapshot, scores = self._snapshot, self._scores
        if field not in self._norms:
            average = snapshot.average(field)
            self._norms[field] = [K1 * (1 - B + B * length / average) for length in decoded()]
            self._lengths[field] = snapshot.lengths(field)
        norms, lengths = self._norms[field], self._lengths[field]
        idf = _idf(snapshot.live, len(postings.ids)) * weight * (K1 + 1)
        get = scores.get
        if postings.weights is None:
            once = [idf / (1 + norm) for norm in norms]
            for number in postings.ids:
                scores[number] = get(number, 0.0) + once[lengths[number]]
        else:
            for number, often in zip(postings.ids, postings.weights, strict=True):
                scores[number] = get(number, 0.0) + idf * often / (often + norms[lengths[number]])
        if field == "body":
            self._add_session(postings, weight)

    def _add_session(self, postings: Postings, weight: float) -> None:
        groups = self._snapshot.groups
        often = Counter(map(groups.__getitem__, postings.ids))
        alone = often.pop(0, 0)
        sizes = self._snapshot.sessions[0]
        everywhere = self._snapshot.live - sum(sizes.values()) + len(sizes)
        idf = _idf(everywhere, len(often) + alone) * weight * (SESSION_K1 + 1)
        if postings.weights is not None:
            for number, times in zip(postings.ids, postings.weights, strict=True):
                if times > 1 and groups[number]:
                    often[groups[number]] += int(times) - 1
        self._sessions.append((idf, often))

    def best(self, admitted: bytes | None, limit: int, *, neighbours: bool) -> list[tuple[float, int]]:
        """(score, number) of the best entries that are admitted."""
        final = {}
        for number in self._candidates(admitted, limit, neighbours):
            score = self._own(number)
            if neighbours:
                score += self._lent(number)
            final[number] = score
        return heapq.nlargest(limit, ((score, number) for number, score in final.items()))

    def total(self, admitted: bytes | None) -> int:
        """How many admitted entries have a score of their own."""
        return len(self._scores) if admitted is None else sum(map(admitted.__getitem__, self._scores))

    def _candidates(self, admitted: bytes | None, limit: int, neighbours: bool) -> set[int]:
        many = max(CANDIDATES, 2 * limit)
        best = [number for number, _ in heapq.nlargest(many, self._scores.items(), key=itemgetter(1))]
        found = set(best)
        if admitted is not None:
            inside = ((number, score) for number, score in self._scores.items() if admitted[number])
            found.update(number for number, _ in heapq.nlargest(many, inside, key=itemgetter(1)))
        if neighbours:
            found.update([beside for number in found for beside in self._snapshot.beside(number) if beside >= 0])
        return found if admitted is None else {number for number in found if admitted[number]}

    def _lent(self, number: int) -> float:
        get = self._scores.get
        return sum([share * get(beside, 0.0) for beside, share in zip(self._snapshot.beside(number), SHARES, strict=False)])

    def _own(self, number: int) -> float:
        own = self._scores.get(number, 0.0)
        sizes, sums = self._snapshot.sessions
        group = self._snapshot.groups[number]
        return own + SESSION * (self._session(group, sums[group]) if group in sizes else own)

    def _session(self, group: int, length: int) -> float:
        norm = SESSION_K1 * (1 - SESSION_B + SESSION_B * length / self._average_session)
        return sum(idf * often[group] / (often[group] + norm) for idf, often in self._sessions if group in often)

    @cached_property
    def _average_session(self) -> float:
        _, sums = self._snapshot.sessions
        return sum(sums.values()) / len(sums) if sums else 1.0


def _idf(count: int, having: int) -> float:
    return log(1 + (count - having + 0.5) / (having + 0.5))


Spell = Callable[[str], list[tuple[str, float]]]


def rank(snapshot: Snapshot, terms: Iterable[tuple[Term, Mapping[str, Postings]]], thinking: bool) -> Ranking:
    """A ranking by terms and their postings."""
    ranking = Ranking(snapshot)
    weights = fields(thinking)
    for term, found in terms:
        for field, postings in found.items():
            ranking.add(postings, field, weights[field] * term.weight)
    return ranking
