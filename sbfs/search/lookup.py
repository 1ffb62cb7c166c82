"""What a query of `--syntax` matches: the numbers of entries, part by part, and the postings that rank them."""

from __future__ import annotations

import fnmatch
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from sbfs.search import analysis
from sbfs.search.question import OWN, Filters
from sbfs.search.snapshot import Postings, Segment, Snapshot
from sbfs.search.syntax import FIELDS, All, Either, Facet, Node, Not, Pattern, Phrase, Word, complain

MOST_WORDS = 1_000
"""Words that one pattern may stand for."""


class Lookup:
    """Answers the parts of one query.

    scored: (field, postings) of what was looked for, for ranking. terms: (name, its postings), for marking.
    """

    def __init__(self, snapshot: Snapshot, text: str):
        self._snapshot, self._text = snapshot, text
        self.scored: list[tuple[str, Postings]] = []
        self.terms: list[tuple[str, list[Postings]]] = []

    def matching(self, node: Node, *, wanted: bool = True) -> set[int]:
        """The numbers of the entries that a query matches. wanted: whether it stands under an even number of NOTs."""
        if isinstance(node, All):
            return set.intersection(*(self.matching(part, wanted=wanted) for part in node.parts))
        if isinstance(node, Either):
            return set().union(*(self.matching(part, wanted=wanted) for part in node.parts))
        if isinstance(node, Not):
            return self._everything() - self.matching(node.part, wanted=not wanted)
        if isinstance(node, Facet):
            return self._facet(node)
        found = {Word: self._word, Phrase: self._phrase, Pattern: self._pattern}[type(node)](node)  # type: ignore[operator]
        if wanted:
            self.scored += found
        return {number for _, postings in found for number in postings.ids}

    def _everything(self) -> set[int]:
        return set(range(self._snapshot.size)) - self._snapshot.removed

    def _facet(self, node: Facet) -> set[int]:
        known = {*OWN, *facets(self._snapshot)}
        if node.word not in known:
            hint = "fields are " + ", ".join([*FIELDS, *sorted(known)])
            raise complain(self._text, node.at, f"nothing has a field {node.word!r}", hint=hint)
        mask = self._snapshot.admitted(Filters(words={node.word: frozenset([node.value])})) or b""
        return {number for number, inside in enumerate(mask) if inside}

    def _word(self, node: Word) -> list[tuple[str, Postings]]:
        found = []
        for field in node.fields:
            term = node.word if field == "names" or not node.stem else node.stem
            if (postings := self._snapshot.postings(field, term.encode("utf-8", "surrogatepass"))) is not None:
                found.append((field, postings))
        self.terms.append((node.stem or node.word, [postings for _, postings in found]))
        return found

    def _phrase(self, node: Phrase) -> list[tuple[str, Postings]]:
        found = []
        for field in node.fields:
            ids: array[int] = array("I")
            for segment, offset in zip(self._snapshot.segments, self._snapshot.offsets, strict=True):
                ids.extend(offset + number for number in _in_a_row(segment, field, node.stems))
            ids = array("I", [number for number in ids if number not in self._snapshot.removed])
            if ids:
                found.append((field, Postings(ids, None)))
        self.terms += [(stem, [postings for _, postings in found]) for _, stem in node.stems]
        return found

    def _pattern(self, node: Pattern) -> list[tuple[str, Postings]]:
        found = []
        count = 0
        for field in node.fields:
            ids: set[int] = set()
            for word, postings in self._expanded(node, field):
                count += 1
                if count > MOST_WORDS:
                    why = f"{node.pattern:.40} stands for more than {MOST_WORDS:,} words"
                    raise complain(self._text, node.at, why, hint="write more letters of it")
                self.terms.append((analysis.stem(word) or word, [postings]))
                ids.update(postings.ids)
            if ids:
                found.append((field, Postings(array("I", sorted(ids)), None)))
        return found

    def _expanded(self, node: Pattern, field: str) -> Iterator[tuple[str, Postings]]:
        snapshot = self._snapshot
        # What is written in text and title is kept beside its stems; of the rest the stems must do.
        lexicon = "words" if field in ("body", "title") else field
        for word in _words_like(snapshot, lexicon, node.pattern):
            if (postings := snapshot.postings(lexicon, word.encode("utf-8", "surrogatepass"))) is None:
                continue
            if lexicon == "words":
                stems = snapshot.postings(field, analysis.stem(word).encode("utf-8", "surrogatepass"))
                inside = sorted(set(postings.ids).intersection(stems.ids)) if stems else []
                postings = Postings(array("I", inside), None)
            if postings.ids:
                yield word, postings


def facets(snapshot: Snapshot) -> Iterator[str]:
    """The names of the facets that anything has."""
    for segment in snapshot.segments:
        start = b"\2"
        while (term := next(segment.piece.lexicon("facet", start), None)) is not None:
            name = term.partition(b"\0")[0]
            yield name.decode("utf-8", "surrogatepass")
            start = name + b"\1"


def _words_like(snapshot: Snapshot, field: str, pattern: str) -> Iterator[str]:
    # fnmatch's regular expressions take time linear in the word; `[` is no sign of ours.
    matches = re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match
    beginning = re.split(r"[*?]", pattern, maxsplit=1)[0].encode("utf-8", "surrogatepass")
    seen: set[bytes] = set()
    for segment in snapshot.segments:
        for term in segment.piece.lexicon(field, beginning):
            if not term.startswith(beginning):
                break
            if term not in seen and matches(word := term.decode("utf-8", "surrogatepass")):
                seen.add(term)
                yield word


def _in_a_row(segment: Segment, field: str, stems: Iterable[tuple[int, str]]) -> Iterator[int]:
    """The numbers of a segment's entries that hold stems at these distances from each other."""
    found = []
    for distance, stem in stems:
        if (postings := segment.piece.postings(field, stem.encode("utf-8", "surrogatepass"))) is None:
            return
        found.append((distance, postings))
    common = set(found[0][1][0]).intersection(*(postings[0] for _, postings in found[1:]))
    places = [(distance, _places(postings, common)) for distance, postings in found]
    for number in sorted(common):
        starts = set(places[0][1][number])
        for distance, each in places[1:]:
            starts.intersection_update(place - distance for place in each[number])
        if starts:
            yield number


def _places(postings: tuple[array[int], array[float] | None, bytes], wanted: set[int]) -> dict[int, array[int]]:
    ids, weights, data = postings
    places = array("I")
    places.frombytes(data)
    if weights is None:
        return {number: places[at : at + 1] for number in wanted for at in [bisect_left(ids, number)]}
    found, start = {}, 0
    for number, often in zip(ids, weights, strict=True):
        end = start + int(often)
        if number in wanted:
            found[number] = places[start:end]
        start = end
    return found
