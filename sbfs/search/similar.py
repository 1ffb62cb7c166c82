"""What is like a text: TF-IDF over the stems of the index, and the words that set some texts apart.

The weights are fitted from the index's own postings. What is added later is weighed the same way when it is first
compared.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, partial
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

EMPTY = frozenset(
    """
    all also any because been before both but could does doing don each even every few get gets getting got good here
    how its just let like looks made make makes many more most much must need needs new nor not now off one only other
    our out over own please same see should some such sure than thank thanks these those through too two under until
    use used using very want way well were what when where which while who why will would yes yet
    """.split()  # noqa: SIM905 - easier to read than a list
)
"""Words that label nothing, though a question may ask for them."""


def terms_of(text: str) -> Counter[str]:
    """A text's stems, as the index has them."""
    return Counter(stem for word in analysis.words(text) if (stem := analysis.stem(word)))


class Similar:
    """Rows for the entries of the segments that were there when it was fitted. places: segment's id → its first row."""

    def __init__(self, rows: Matrix, places: Mapping[str, int]):
        self._rows, self._places = rows, places

    @classmethod
    def fit(cls, snapshot: Snapshot) -> Similar:
        """Of all that is in a snapshot."""
        return cls(Matrix.fit(*_cells(snapshot)), _first_rows(snapshot))

    @classmethod
    def light(cls, snapshot: Snapshot) -> Similar:
        """The same without scikit-learn, for few entries."""
        return cls(Matrix.weigh(*_cells(snapshot)), _first_rows(snapshot))

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        self._rows.save(folder)
        (folder / "places.json").write_text(json.dumps([self._rows.count, dict(self._places)]), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> Similar:
        """Read it again. Raises OSError or ValueError where it is not sound."""
        count, places = json.loads((folder / "places.json").read_text(encoding="utf-8"))
        return cls(Matrix.open(folder, int(count)), places)

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


def keep(scores: Any, admitted: bytes) -> Any:
    """Scores, 0 for what is not admitted."""
    import numpy

    return scores * numpy.frombuffer(admitted, numpy.uint8)


def _counted(segment: Segment) -> tuple[Any, Any, Any]:
    """(rows, columns, how often) of a segment, each column once a row."""
    import numpy

    rows, columns, often = array("I"), array("I"), array("f")
    for field in FIELDS:
        for term, (ids, weights, _) in segment.piece.all_postings(field):
            rows.extend(ids)
            columns.extend(array("I", [matrix.column(term)]) * len(ids))
            often.extend(weights or array("f", [1.0]) * len(ids))
    if not rows:
        return _none(), _none(), _none()
    cells, at = numpy.unique(
        numpy.asarray(rows, numpy.int64) * matrix.COLUMNS + numpy.asarray(columns), return_inverse=True
    )
    summed = numpy.bincount(at, numpy.asarray(often)).astype(numpy.float32)
    return (cells // matrix.COLUMNS).astype(numpy.int32), (cells % matrix.COLUMNS).astype(numpy.int32), summed


def _cells(snapshot: Snapshot) -> tuple[Any, Any, Any, int]:
    """(rows, columns, how often, count of rows) of what is in a snapshot, each column once a row."""
    import numpy

    parts = [_counted(segment) for segment in snapshot.segments]
    rows = numpy.concatenate(
        [part[0] + offset for part, offset in zip(parts, snapshot.offsets, strict=True)] or [_none()]
    )
    columns, often = (numpy.concatenate([part[at] for part in parts] or [_none()]) for at in (1, 2))
    if snapshot.removed:
        kept = ~numpy.isin(rows, list(snapshot.removed))
        rows, columns, often = rows[kept], columns[kept], often[kept]
    return rows, columns, often, snapshot.size


def _none() -> Any:
    import numpy

    return numpy.zeros(0, numpy.int32)


def _first_rows(snapshot: Snapshot) -> dict[str, int]:
    return {segment.id: first for segment, first in zip(snapshot.segments, snapshot.offsets, strict=True)}


def labels(snapshot: Snapshot, texts: Iterable[str], limit: int) -> list[str]:
    """The words that set texts apart from all the rest: the greatest weights of their centroid, as they are written."""
    written: dict[str, Counter[str]] = {}
    idf = cache(partial(_idf, snapshot))
    centroid: Counter[str] = Counter()
    for text in texts:
        words = [word for word in analysis.words(text) if word not in EMPTY and len(word) > 2 and not word.isdecimal()]
        for word in words:
            written.setdefault(analysis.stem(word), Counter())[word] += 1
        weights = {stem: (1 + log(often)) * idf(stem) for stem, often in terms_of(" ".join(words)).items()}
        length = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        centroid.update({stem: weight / length for stem, weight in weights.items()})
    best = sorted(centroid, key=lambda stem: (-centroid[stem], stem))[:limit]
    return [written[stem].most_common(1)[0][0] for stem in best]


def _idf(snapshot: Snapshot, stem: str) -> float:
    having = snapshot.spread("body", stem.encode("utf-8", "surrogatepass"))
    return 1 + log((1 + snapshot.live) / (1 + min(having, snapshot.live)))
