"""TF-IDF over hashed columns: scikit-learn fits, plain arrays keep it, numpy alone answers.

weight = (1 + ln often) · idf, idf = 1 + ln((1 + rows) / (1 + rows with it)), rows of length 1, as scikit-learn's
TfidfTransformer has them (https://scikit-learn.org/stable/modules/feature_extraction.html). A matrix is
kept column by column, so that a question reads only its own columns:

    idf.npy      float32, one a column
    starts.npy   int64, where each column begins in the next two, and where the last one ends
    rows.npy     int32, the rows of each column
    weights.npy  float16, their weights
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from math import log, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

COLUMNS = 1 << 17
"""Terms share a column by chance; with so many that seldom matters."""

_NAMES = ("idf", "starts", "rows", "weights")


def column(term: str | bytes) -> int:
    """A term's column: the same in every process, unlike Python's own hash."""
    return zlib.crc32(term if isinstance(term, bytes) else term.encode("utf-8", "surrogatepass")) % COLUMNS


class Matrix:
    """Rows that can be compared with a question's terms."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], count: int):
        self._idf, self._starts, self._rows, self._weights = (arrays[name] for name in _NAMES)
        self.count = count

    @classmethod
    def fit(cls, rows: Any, columns: Any, often: Any, count: int) -> Matrix:
        """Weigh counts, given as three arrays of one length: row, column, how often. count: of rows."""
        import numpy
        from scipy.sparse import coo_array
        from sklearn.feature_extraction.text import TfidfTransformer

        counts = coo_array((often, (rows, columns)), shape=(count, COLUMNS), dtype=numpy.float32).tocsr()
        transformer = TfidfTransformer(sublinear_tf=True)
        weighed = transformer.fit_transform(counts).tocsc() if count else counts.tocsc()
        idf = transformer.idf_ if count else numpy.ones(COLUMNS)
        return cls(
            {
                "idf": idf.astype(numpy.float32),
                "starts": weighed.indptr.astype(numpy.int64),
                "rows": weighed.indices.astype(numpy.int32),
                "weights": weighed.data.astype(numpy.float16),
            },
            count,
        )

    @classmethod
    def weigh(cls, rows: Any, columns: Any, often: Any, count: int, idf: Any = None) -> Matrix:
        """The same by numpy alone, sooner there than scikit-learn, for few rows. idf: of another matrix."""
        import numpy

        if idf is None:
            idf = (1 + numpy.log((1 + count) / (1 + numpy.bincount(columns, minlength=COLUMNS)))).astype(numpy.float32)
        order = numpy.lexsort((rows, columns))
        rows, columns, often = rows[order], columns[order], often[order]
        weights = (1 + numpy.log(often)) * idf[columns]
        norms = numpy.sqrt(numpy.bincount(rows, weights**2, minlength=count))
        starts = numpy.searchsorted(columns, numpy.arange(COLUMNS + 1))
        weights = (weights / norms[rows]).astype(numpy.float16)
        return cls({"idf": idf, "starts": starts, "rows": rows.astype(numpy.int32), "weights": weights}, count)

    def like(self, rows: Any, columns: Any, often: Any, count: int) -> Matrix:
        """Other rows, under the idf of this one."""
        return Matrix.weigh(rows, columns, often, count, self._idf)

    def save(self, folder: Path) -> None:
        """Write the arrays into a folder."""
        import numpy

        for name, array in zip(_NAMES, (self._idf, self._starts, self._rows, self._weights), strict=True):
            numpy.save(folder / f"{name}.npy", array, allow_pickle=False)

    @classmethod
    def open(cls, folder: Path, count: int) -> Matrix:
        """Map the arrays of a folder. Raises OSError or ValueError where they are not sound."""
        import numpy

        arrays = {name: numpy.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _NAMES}
        if arrays["idf"].shape != (COLUMNS,) or arrays["starts"].shape != (COLUMNS + 1,):
            raise ValueError(f"{folder}: arrays of another shape")
        if not len(arrays["rows"]) == len(arrays["weights"]) == arrays["starts"][-1]:
            raise ValueError(f"{folder}: arrays that do not fit together")
        return cls(arrays, count)

    def scores(self, terms: Mapping[str, float]) -> NDArray[numpy.float32]:
        """Cosine of each row with a question: term → how often."""
        import numpy

        weights: dict[int, float] = {}
        for term, often in terms.items():
            weights[column(term)] = weights.get(column(term), 0.0) + often
        scores = numpy.zeros(self.count, numpy.float32)
        total = 0.0
        for at, often in weights.items():
            weight = (1 + log(often)) * float(self._idf[at])
            total += weight * weight
            part = slice(int(self._starts[at]), int(self._starts[at + 1]))
            # A row is at most once in a column.
            scores[self._rows[part]] += numpy.float32(weight) * self._weights[part]
        return scores / numpy.float32(sqrt(total)) if total else scores


def best(scores: Any, limit: int, *, least: float) -> list[tuple[float, int]]:
    """(score, row) of the best rows of a score above `least`; of equal ones the first row comes first."""
    import numpy

    rows = numpy.flatnonzero(scores > least)
    if len(rows) > limit:
        bound = numpy.partition(scores[rows], len(rows) - limit)[len(rows) - limit]
        rows = rows[scores[rows] >= bound]
    return sorted(((float(scores[row]), int(row)) for row in rows), key=lambda one: (-one[0], one[1]))[:limit]


def arrays_of(counted: Iterable[Mapping[str, int]]) -> tuple[Any, Any, Any, int]:
    """(rows, columns, how often, count of rows), each column once a row, from rows of terms."""
    from array import array

    import numpy

    rows, columns, often = array("i"), array("i"), array("f")
    count = 0
    for terms in counted:
        merged: dict[int, int] = {}
        for term, times in terms.items():
            merged[column(term)] = merged.get(column(term), 0) + times
        rows.extend([count] * len(merged))
        columns.extend(merged.keys())
        often.extend(merged.values())
        count += 1
    return numpy.asarray(rows), numpy.asarray(columns), numpy.asarray(often), count
