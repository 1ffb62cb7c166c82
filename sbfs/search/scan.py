"""Answers without an index: every record is read, analysed and weighed. Slower, and right.

The analysis and the filters are the index's own, and so is the formula (BM25: S. Robertson and H.
Zaragoza, The Probabilistic Relevance Framework, 2009); words are not spelled and neighbours not lent.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sbfs.errors import Invalid
from sbfs.search import analysis, entries
from sbfs.search.question import Filters, Found, Hit, Question
from sbfs.store import View

SOME = 5000
"""Files, the latest ones, that are read while another process makes the index."""

K1, B = 0.9, 0.4
"""Of BM25: how soon a word that is repeated counts no more, and how much long texts lose."""

_WEIGHTS = {"title": 2.0, "body": 1.0, "names": 1.0, "tool": 0.3, "thinking": 0.5}
_TERMS_OF_TEXT = 40
"""Rarest terms of a text that stand for it, where what is like it is looked for."""


@dataclass
class _Weighed:
    """An entry with what the question's terms weigh in it. length: of its text in terms."""

    keyed: entries.Keyed
    weights: dict[str, float]
    length: int


class Scan:
    """The records of one revision, asked as an index is. newest: how many files are read; None: all."""

    def __init__(self, view: View, newest: int | None = None, progress: Callable[[int], object] = lambda _: None):
        self.view, self.newest, self.progress = view, newest, progress

    def search(self, question: Question) -> Found:
        """The best hits, as `Engine.search`."""
        if question.syntax:
            raise Invalid("needs the index", field="syntax", hint="ask in plain words, or see 'sbfs index status'")
        terms = {term.stem or term.word: term.weight for term in analysis.ask(question.text)}
        words = {term.word for term in analysis.ask(question.text)}
        hits = self._ranked(terms, words, question.filters, thinking=question.thinking)
        total = sum(1 for hit in hits)
        return Found(hits[: question.limit], total, {}, tuple({*terms, *words}))

    def like(self, key: str | None, text: str, wanted: Filters, limit: int) -> list[Hit]:
        """What is most like a text, as `Engine.like`."""
        counted = Counter(term.stem or term.word for term in analysis.ask(text))
        hits = self._ranked(
            {term: float(count) for term, count in counted.items()}, set(), wanted, rarest=_TERMS_OF_TEXT
        )
        return [hit for hit in hits if hit.key != key][:limit]

    # -- on the way

    def everything(self) -> Iterator[entries.Keyed]:
        """The entries that are looked through."""
        source = entries.Entries(self.view.repo, self.view.commit.tree)
        files = source.files()
        some = None if self.newest is None else files[: self.newest]
        for done, keyed in enumerate(source.everything(some)):
            self.progress(done)
            yield keyed

    def _ranked(
        self,
        terms: Mapping[str, float],
        words: Iterable[str],
        wanted: Filters,
        *,
        thinking: bool = False,
        rarest: int | None = None,
    ) -> list[Hit]:
        found, number, spread, length = [], 0, Counter[str](), 0
        for keyed in self.everything():
            weighed = _weighed(keyed, {*terms, *words}, thinking)
            number, length = number + 1, length + weighed.length
            spread.update(weighed.weights.keys())
            if weighed.weights and wanted.admits(keyed[2]):
                found.append(weighed)
        idf = {term: math.log(1 + (number - n + 0.5) / (n + 0.5)) for term, n in spread.items()}
        if rarest is not None:
            kept = heapq.nlargest(rarest, idf, key=lambda term: (idf[term], term))
            idf = {term: idf[term] for term in kept}
        hits = [hit for one in found if (hit := _hit(one, idf, terms, length / (number or 1)))]
        return sorted(hits, key=lambda hit: (-hit.score, hit.key))


def _weighed(keyed: entries.Keyed, terms: set[str], thinking: bool) -> _Weighed:
    analysed = analysis.analyse(keyed[2])
    weights: dict[str, float] = {}
    for field, weight in _WEIGHTS.items():
        if field == "thinking" and not thinking:
            continue
        held = getattr(analysed, field)
        for term in terms:
            if times := held.get(term):
                weights[term] = weights.get(term, 0) + weight * (times if isinstance(times, int) else len(times))
    return _Weighed(keyed, weights, sum(map(len, analysed.body.values())))


def _hit(one: _Weighed, idf: Mapping[str, float], terms: Mapping[str, float], average: float) -> Hit | None:
    long = 1 - B + B * one.length / (average or 1)
    score = sum(
        idf[term] * terms.get(term, 1.0) * weight * (K1 + 1) / (weight + K1 * long)
        for term, weight in one.weights.items()
        if term in idf
    )
    return hit_of(one.keyed, score, tuple(sorted(one.weights))) if score > 0 else None


def hit_of(keyed: entries.Keyed, score: float, matched: tuple[str, ...] = ()) -> Hit:
    """An entry as a hit."""
    key, blob, entry = keyed
    facts: dict[str, str] = {
        name: getattr(entry, name)
        for name in ("id", "kind", "project", "path", "group", "timestamp", "due", "parent", "local_id", "title")
    }
    return Hit(key=key, seq=entry.seq, score=score, blob=blob, matched=matched, **facts)
