"""Words that a question means where it names none that is known: the nearest ones of the index's vocabulary.

Nearness is the cosine of TF-IDF over runs of two to four letters, the word's ends counted as letters; that holds
for letters that were swapped, left out or doubled, and for names that are half remembered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

from sbfs.search import matrix
from sbfs.search.matrix import Matrix

TAKEN = 3
"""Words taken for one: records hold other people's slips, which are often the nearest of all."""

NEAR = 0.3
"""The least cosine."""

SHORTEST = 3
"""Letters of a word that has neighbours."""


def grams(word: str) -> Counter[str]:
    """The runs of two to four letters of a word."""
    padded = f" {word} "
    return Counter(padded[at : at + size] for size in (2, 3, 4) for at in range(len(padded) - size + 1))


class Spelling:
    """A vocabulary and the runs of its letters."""

    def __init__(self, words: list[str], runs: Matrix):
        self._words, self._runs = words, runs

    @classmethod
    def fit(cls, words: Iterable[str]) -> Spelling:
        """Of words as they are written, lower-case."""
        kept = _kept(words)
        return cls(kept, Matrix.fit(*matrix.arrays_of(map(grams, kept))))

    @classmethod
    def light(cls, words: Iterable[str]) -> Spelling:
        """The same without scikit-learn, for few words."""
        kept = _kept(words)
        return cls(kept, Matrix.weigh(*matrix.arrays_of(map(grams, kept))))

    def beside(self, words: Iterable[str]) -> Spelling:
        """Those of some words that are not in this vocabulary, weighed as those are that it holds."""
        kept = _kept(word for word in words if word not in self._known)
        return Spelling(kept, self._runs.like(*matrix.arrays_of(map(grams, kept))))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._words)

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        (folder / "words.txt").write_bytes("\n".join(self._words).encode("utf-8", "surrogatepass"))
        self._runs.save(folder)

    @classmethod
    def open(cls, folder: Path) -> Spelling:
        """Read it again. Raises OSError or ValueError where it is not sound."""
        words = (folder / "words.txt").read_bytes().decode("utf-8", "surrogatepass").split("\n")
        words = words if words != [""] else []
        return cls(words, Matrix.open(folder, len(words)))

    def nearest(self, word: str) -> list[tuple[str, float]]:
        """(word, cosine) of the nearest words, best first."""
        if len(word) < SHORTEST or word.isdecimal() or not self._words:
            return []
        scores = self._runs.scores(grams(word))
        return [(self._words[row], score) for score, row in matrix.best(scores, TAKEN, least=NEAR)]


def _kept(words: Iterable[str]) -> list[str]:
    return sorted({word for word in words if len(word) >= SHORTEST and not word.isdecimal()})


def nearest(vocabularies: Sequence[Spelling], word: str) -> list[tuple[str, float]]:
    """(word, cosine) of the nearest words of several vocabularies, each once, best first."""
    found: dict[str, float] = {}
    for one in vocabularies:
        for near, score in one.nearest(word):
            found.setdefault(near, score)
    return sorted(found.items(), key=lambda one: (-one[1], one[0]))[:TAKEN]
