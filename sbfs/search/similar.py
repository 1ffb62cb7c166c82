"""What is like a text: TF-IDF over the stems of the index, and what it is good for besides.

The weights are fitted from the index's own postings when it is rebuilt. What is added later is weighed the same
way when it is first compared. Records without an index are ranked by the same matrix, as long as it is there.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from math import log, sqrt
from pathlib import Path
from typing import Any

from sbfs.search import analysis, matrix
from sbfs.search.matrix import Matrix
from sbfs.search.snapshot import Segment, Snapshot

FIELDS = ("title", "body")
"""The fields that are compared."""

LEAST = 0.05
"""A cosine below this is chance."""


def terms_of(text: str) -> Counter[str]:
    """A text's stems, as the index has them."""
    return Counter(stem for word in analysis.words(text) if (stem := analysis.stem(word)))


class Similar:
    """Rows for the entries of the segments that were there when it was fitted. places: segment's id → its first row."""

    def __init__(self, rows: Matrix, places: Mapping[str, int], folder: Path | None = None):
        self._rows, self._places, self._folder = rows, places, folder

    @classmethod
    def fit(cls, snapshot: Snapshot) -> Similar:
        """Of all that is in a snapshot."""
        import numpy

        parts = [_counted(segment) for segment in snapshot.segments]
        rows = numpy.concatenate(
            [part[0] + offset for part, offset in zip(parts, snapshot.offsets, strict=True)] or [[]]
        )
        columns, often = (numpy.concatenate([part[at] for part in parts] or [[]]) for at in (1, 2))
        if snapshot.removed:
            kept = ~numpy.isin(rows, list(snapshot.removed))
            rows, columns, often = rows[kept], columns[kept], often[kept]
        places = {segment.id: first for segment, first in zip(snapshot.segments, snapshot.offsets, strict=True)}
        return cls(Matrix.fit(rows, columns, often, snapshot.size), places)

    def save(self, folder: Path, snapshot: Snapshot) -> None:
        """Write it into a folder, with the keys of its rows."""
        self._rows.save(folder)
        lines = [json.dumps([card.key, card.blob] if card else None) for card in _every_card(snapshot)]
        (folder / "keys.jsonl").write_text("\n".join(lines), encoding="ascii")
        (folder / "places.json").write_text(json.dumps([self._rows.count, dict(self._places)]), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> Similar:
        """Read it again. Raises OSError or ValueError where it is not sound."""
        count, places = json.loads((folder / "places.json").read_text(encoding="utf-8"))
        return cls(Matrix.open(folder, int(count)), places, folder)

    def scores(self, snapshot: Snapshot, terms: Mapping[str, float]) -> Any:
        """Cosine of each entry of a snapshot with a text's stems."""
        import numpy

        fitted = self._rows.scores(terms)
        scores = numpy.zeros(snapshot.size, numpy.float32)
        for segment, offset in zip(snapshot.segments, snapshot.offsets, strict=True):
            if (first := self._places.get(segment.id)) is not None:
                part = fitted[first : first + segment.count]
            else:
                part = segment.kept(" rows", partial(self._weighed, segment)).scores(terms)
            scores[offset : offset + segment.count] = part
        scores[list(snapshot.removed)] = 0
        return scores

    def _weighed(self, segment: Segment) -> Matrix:
        return self._rows.like(*_counted(segment), segment.count)

    def uncovered(self, snapshot: Snapshot) -> int:
        """How many entries of a snapshot were added since."""
        return sum(segment.count for segment in snapshot.segments if segment.id not in self._places)

    def keys(self, text: str, limit: int) -> list[tuple[str, str, float]]:
        """(key, blob, cosine) of the best rows, without an index: what was there when this was fitted."""
        lines = (self._folder / "keys.jsonl").read_text(encoding="ascii").split("\n") if self._folder else []
        found = matrix.best(self._rows.scores(terms_of(text)), limit, least=0.0)
        return [(*json.loads(lines[row]), score) for score, row in found]


def keep(scores: Any, admitted: bytes) -> Any:
    """Scores, 0 for what is not admitted."""
    import numpy

    return scores * numpy.frombuffer(admitted, numpy.uint8)


def _counted(segment: Segment) -> tuple[Any, Any, Any]:
    """(rows, columns, how often) of a segment, each column once a row."""
    import numpy

    rows, columns, often = array("I"), array("I"), array("f")
    for field in FIELDS:
        for term, (ids, weights, _) in segment.all_postings(field):
            rows.extend(ids)
            columns.extend(array("I", [matrix.column(term)]) * len(ids))
            often.extend(weights or array("f", [1.0]) * len(ids))
    if not rows:
        return numpy.zeros(0, numpy.int32), numpy.zeros(0, numpy.int32), numpy.zeros(0, numpy.float32)
    cells, at = numpy.unique(
        numpy.asarray(rows, numpy.int64) * matrix.COLUMNS + numpy.asarray(columns), return_inverse=True
    )
    summed = numpy.bincount(at, numpy.asarray(often)).astype(numpy.float32)
    return (cells // matrix.COLUMNS).astype(numpy.int32), (cells % matrix.COLUMNS).astype(numpy.int32), summed


def _every_card(snapshot: Snapshot) -> Iterable[Any]:
    return (None if number in snapshot.removed else snapshot.card(number) for number in range(snapshot.size))


def labels(snapshot: Snapshot, texts: Iterable[str], limit: int) -> list[str]:
    """The words that set texts apart from all the rest: the greatest weights of their centroid, as they are written."""
    written: dict[str, Counter[str]] = {}
    centroid: Counter[str] = Counter()
    for text in texts:
        words = [word for word in analysis.words(text) if not word.isdecimal() and len(word) > 2]
        for word in words:
            written.setdefault(analysis.stem(word), Counter())[word] += 1
        weights = {stem: (1 + log(often)) * _idf(snapshot, stem) for stem, often in terms_of(" ".join(words)).items()}
        length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        centroid.update({stem: weight / length for stem, weight in weights.items()})
    best = sorted(centroid, key=lambda stem: (-centroid[stem], stem))[:limit]
    return [written[stem].most_common(1)[0][0] for stem in best]


def _idf(snapshot: Snapshot, stem: str) -> float:
    found = snapshot.postings("body", stem.encode("utf-8", "surrogatepass"))
    return 1 + log((1 + snapshot.live) / (1 + (len(found.ids) if found else 0)))
