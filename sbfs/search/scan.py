"""Answers without an index: every record is read, analysed and weighed. Slower, and right.

The analysis and the filters are the index's own, and so is the formula (BM25: S. Robertson and H.
Zaragoza, The Probabilistic Relevance Framework, 2009); words are not spelled and neighbours not lent.
"""

from __future__ import annotations

import fnmatch
import heapq
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sbfs.entry import Entry
from sbfs.search import analysis, entries, syntax
from sbfs.search.analysis import Analysed
from sbfs.search.question import OWN, Filters, Found, Hit, Question, facet
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
            return self._matching(question)
        terms = {term.stem or term.word: term.weight for term in analysis.ask(question.text)}
        words = {term.word for term in analysis.ask(question.text)}
        hits = self._ranked(terms, words, question.filters, thinking=question.thinking)
        total = sum(1 for hit in hits)
        return Found(hits[: question.limit], total, {}, tuple({*terms, *words}))

    def like(self, key: str | None, text: str, wanted: Filters, limit: int, apart: str = "") -> list[Hit]:
        """What is most like a text, as `Engine.like`."""
        counted = Counter(term.stem or term.word for term in analysis.ask(text))
        hits = self._ranked(
            {term: float(count) for term, count in counted.items()}, set(), wanted, rarest=_TERMS_OF_TEXT
        )
        return [hit for hit in hits if hit.key != key and (not apart or hit.group != apart)][:limit]

    # -- on the way

    def everything(self) -> Iterator[entries.Keyed]:
        """The entries that are looked through."""
        source = entries.Entries(self.view.repo, self.view.commit.tree)
        files = source.files()
        some = None if self.newest is None else files[: self.newest]
        for done, keyed in enumerate(source.everything(some)):
            self.progress(done)
            yield keyed

    def _matching(self, question: Question) -> Found:
        """What matches a query of `--syntax`, the latest first."""
        node, found = syntax.parse(question.text), []
        terms = dict.fromkeys(_terms(node))
        unknown = {one.word: one for one in _leaves(node) if isinstance(one, syntax.Facet)}
        for keyed in self.everything():
            entry, analysed = keyed[2], analysis.analyse(keyed[2])
            unknown = {word: one for word, one in unknown.items() if word not in OWN and word not in entry.facets}
            if question.filters.admits(entry) and _matches(node, entry, analysed):
                found.append(keyed)
        for word, one in unknown.items():
            raise syntax.complain(question.text, one.at, f"nothing has a field {word!r}")
        found.sort(key=lambda keyed: (keyed[2].timestamp, keyed[0]), reverse=True)
        hits = [hit_of(keyed, 0.0, tuple(terms)) for keyed in found[: question.limit]]
        return Found(hits, len(found), {}, tuple(terms))

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


def _leaves(node: syntax.Node) -> Iterator[syntax.Node]:
    if isinstance(node, syntax.All | syntax.Either):
        for part in node.parts:
            yield from _leaves(part)
    elif isinstance(node, syntax.Not):
        yield from _leaves(node.part)
    else:
        yield node


def _terms(node: syntax.Node) -> Iterator[str]:
    for leaf in _leaves(node):
        if isinstance(leaf, syntax.Word):
            yield leaf.stem or leaf.word
        elif isinstance(leaf, syntax.Phrase):
            yield from (stem for _, stem in leaf.stems)


def _matches(node: syntax.Node, entry: Entry, analysed: Analysed) -> bool:
    """Whether a query holds of an entry."""
    match node:
        case syntax.All(parts):
            return all(_matches(part, entry, analysed) for part in parts)
        case syntax.Either(parts):
            return any(_matches(part, entry, analysed) for part in parts)
        case syntax.Not(part):
            return not _matches(part, entry, analysed)
        case syntax.Facet(word, value):
            return value in facet(entry, word)
        case syntax.Phrase(fields, stems):
            return any(_in_a_row(getattr(analysed, field), stems) for field in fields)
        case syntax.Word(fields, word, stem):
            return any((word if field == "names" or not stem else stem) in getattr(analysed, field) for field in fields)
        case syntax.Pattern(fields, pattern):
            # As in the index: what is written in text and title is kept beside its stems, of the rest the stems do.
            like = re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match
            return any(like(word) for field in fields for word in _written(analysed, field))
    raise AssertionError(node)


def _written(analysed: Analysed, field: str) -> Iterator[str]:
    held = getattr(analysed, field)
    if field not in ("body", "title"):
        return iter(held)
    return (word for word in analysed.words if analysis.stem(word) in held)


def _in_a_row(places: Mapping[str, list[int]], stems: tuple[tuple[int, str], ...]) -> bool:
    starts = [{place - distance for place in places.get(stem, ())} for distance, stem in stems]
    return bool(set.intersection(*starts))


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
