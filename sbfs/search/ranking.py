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
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import compress
from math import log

from sbfs.search.analysis import Term
from sbfs.search.snapshot import Postings, Snapshot

K1, B = 0.9, 0.4
"""Of an entry: how soon repetition stops to count, and how much a long text is held against it."""

SESSION_K1, SESSION_B = 1.2, 0.75
"""The same of a whole conversation or thread: the customary values, for texts of customary length."""

NEAR, FAR = 0.4, 0.25
"""What a turn gets of the scores of the turns before and after it, and of the next two."""

SESSION = 0.6
"""What it gets of its conversation's; what stands alone is its own conversation."""

WEIGHTS = {"body": 1.0, "title": 2.0, "names": 1.0, "tool": 0.3}
"""The fields that are searched."""

THINKING = 0.5
"""The weight of thinking, where it is asked for."""

CANDIDATES = 200
"""Entries that are looked at closely, of those with the best scores of their own."""

FEW = 0.2
"""Share of the entries from which on a filter is applied to the best of all instead of to all."""


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
        self._scores = [0.0] * (snapshot.size + 1)
        self._sessions: list[tuple[float, Mapping[int, int]]] = []
        self._norms: dict[str, tuple[list[float], bytes]] = {}
        self._asked: tuple[bytes, bytes] | None = None

    def add(self, postings: Postings, field: str, weight: float) -> None:
        """Count a term's postings in a field."""
        scores, (norms, lengths) = self._scores, self._normed(field)
        factor = _idf(self._snapshot.live, len(postings.ids)) * weight * (K1 + 1)
        tables = _Tables(factor, norms)
        if postings.weights is None:
            once = tables[1.0]
            for number in postings.ids:
                scores[number] += once[lengths[number]]
        else:
            for number, often in zip(postings.ids, postings.weights, strict=True):
                scores[number] += tables[often][lengths[number]]
        if field == "body":
            self._add_session(postings, weight)

    def _normed(self, field: str) -> tuple[list[float], bytes]:
        if field not in self._norms:
            average = self._snapshot.average(field)
            norms = [K1 * (1 - B + B * length / average) for length in self._snapshot.decoded]
            self._norms[field] = norms, self._snapshot.lengths(field)
        return self._norms[field]

    def _add_session(self, postings: Postings, weight: float) -> None:
        sizes = self._snapshot.sessions[0]
        held = [*map(self._snapshot.talks.__getitem__, postings.ids)]
        often = Counter(held)
        alone = often.pop(0, 0)
        everywhere = self._snapshot.live - sum(sizes.values()) + len(sizes)
        factor = _idf(everywhere, len(often) + alone) * weight * (SESSION_K1 + 1)
        if often and postings.weights is not None:
            for talk, times in zip(held, postings.weights, strict=True):
                if talk and times > 1:
                    often[talk] += int(times) - 1
        self._sessions.append((factor, often))

    def best(self, admitted: bytes | None, limit: int, *, neighbours: bool) -> list[tuple[float, int]]:
        """(score, number) of the best entries that are admitted."""
        own, beside = self._scores.__getitem__, self._snapshot.beside
        groups, sizes = self._snapshot.groups, self._snapshot.sessions[0]
        sessions: dict[int, float] = {}
        final = []
        for number in self._candidates(admitted, limit, neighbours):
            score = own(number)
            group = groups[number]
            if group not in sizes:
                final.append((score + SESSION * score, number))
                continue
            if group not in sessions:
                sessions[group] = SESSION * self._session(group)
            if neighbours:
                before, after, far_before, far_after = beside(number)
                # What is not there is number -1, the place at the end, whose score stays 0.
                score += NEAR * (own(before) + own(after)) + FAR * (own(far_before) + own(far_after))
            final.append((score + sessions[group], number))
        return heapq.nlargest(limit, final, key=lambda one: (one[0], self._snapshot.order(one[1])))

    def total(self, admitted: bytes | None) -> int:
        """How many admitted entries have a score of their own."""
        return len(self._scored) if admitted is None else self._inside(admitted).count(1)

    @cached_property
    def _scored(self) -> list[int]:
        """The numbers of the entries that have one, once all postings are counted. No posting weighs nothing."""
        return list(compress(range(self._snapshot.size), self._scores))

    def _candidates(self, admitted: bytes | None, limit: int, neighbours: bool) -> set[int]:
        many = max(CANDIDATES, 2 * limit)
        found = self._first_of_all(many) if admitted is None else self._first_admitted(many, admitted)
        if neighbours:
            found.update([near for number in found for near in self._snapshot.beside(number)])
            found.discard(-1)
        return found if admitted is None else {number for number in found if admitted[number]}

    def _first_of_all(self, many: int) -> set[int]:
        return set(self._first(many, self._scored))

    def _first_admitted(self, many: int, admitted: bytes) -> set[int]:
        """The best of all, which lend to those beside them whether they are admitted or not, and the best admitted."""
        share = admitted.count(1) / (len(admitted) or 1)
        if share >= FEW:
            # One look at all scores: far enough down there are enough that are admitted, as a rule.
            best = self._leading(int(many / share * 1.25), self._scored)
            chosen = [number for number in best if admitted[number]]
            if len(best) == len(self._scored) or min(len(best), len(chosen)) >= many:
                return {*self._cut(best, many, best), *self._cut(chosen, many, chosen)}
        of_them = list(compress(self._scored, self._inside(admitted)))
        return {*self._first(many, self._scored), *self._first(many, of_them)}

    def _inside(self, admitted: bytes) -> bytes:
        """A byte for each of those that have a score: 1 where it is admitted."""
        if self._asked is None or self._asked[0] is not admitted:
            self._asked = admitted, bytes(compress(admitted, self._scores))
        return self._asked[1]

    def _first(self, many: int, numbers: Sequence[int]) -> list[int]:
        """The numbers with the best scores. Who shares the last place must not depend on when it was added."""
        best = self._leading(2 * many, numbers)
        if len(best) >= many or len(best) == len(numbers):
            return self._cut(best, many, best)
        return self._cut(heapq.nlargest(many + 1, numbers, key=self._scores.__getitem__), many, numbers)

    def _leading(self, many: int, numbers: Sequence[int]) -> list[int]:
        """Some `many` numbers with the best scores, best first: none that is left out has the score of one of them."""
        best = heapq.nlargest(many, numbers, key=self._scores.__getitem__)
        if len(best) == len(numbers):
            return best
        bound = self._scores[best[-1]]
        return [number for number in best if self._scores[number] > bound]

    def _cut(self, best: list[int], many: int, numbers: Iterable[int]) -> list[int]:
        """The first of the best of some numbers; of those who share the last place the newest."""
        score = self._scores.__getitem__
        if len(best) <= many or score(best[many]) < score(best[many - 1]):
            return best[:many]
        bound = score(best[many])
        shared = [number for number in numbers if score(number) == bound]
        better = [number for number in best if score(number) > bound]
        return better + heapq.nlargest(many - len(better), shared, key=self._snapshot.order)

    def _session(self, group: int) -> float:
        length = self._snapshot.sessions[1][group]
        norm = SESSION_K1 * (1 - SESSION_B + SESSION_B * length / self._average_session)
        return sum(
            [factor * often[group] / (often[group] + norm) for factor, often in self._sessions if group in often]
        )

    @cached_property
    def _average_session(self) -> float:
        _, sums = self._snapshot.sessions
        return sum(sums.values()) / len(sums) or 1.0 if sums else 1.0


class _Tables(dict[float, list[float]]):
    """How often a term occurs → byte of the length → score."""

    def __init__(self, factor: float, norms: list[float]):
        self._factor, self._norms = factor, norms

    def __missing__(self, often: float) -> list[float]:
        table = self[often] = [self._factor * often / (often + norm) for norm in self._norms]
        return table


def _idf(count: int, having: int) -> float:
    return log(1 + (count - having + 0.5) / (having + 0.5))


def rank(snapshot: Snapshot, terms: Iterable[tuple[Term, Mapping[str, Postings]]], thinking: bool) -> Ranking:
    """A ranking by terms and their postings."""
    ranking = Ranking(snapshot)
    weights = fields(thinking)
    for term, found in terms:
        for field, postings in found.items():
            ranking.add(postings, field, weights[field] * term.weight)
    return ranking
