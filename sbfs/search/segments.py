"""How the index lies on disk: Whoosh's segments, with postings that are quick to write and to read.

Imported only by functions that open an index: it brings Whoosh with it. Whoosh pickles what is defined here
into the index, by name: a change of a name or of a layout here is a change of the index's format.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from whoosh import columns, fields, formats
from whoosh.codec import whoosh3

FORMAT = 1
"""Grows when what is written below changes."""

WHOLE_TERM = 1 << 20
"""Postings in one block: nearly always all of a term's, since whole lists are read anyway."""

NUMBER = 8
"""Bytes of a time's, a hash's and a number's column."""

MOMENT = 24
"""Bytes of `2026-11-22T14:03:07.123Z`."""


class Places(formats.Format):  # type: ignore[misc]
    """A posting's value: the term's places in the field, four bytes each; as many as its weight says."""

    posting_size = -1


class Terms(fields.FieldType):  # type: ignore[misc]
    """A field of terms that were analysed before."""

    def __init__(self, *, places: bool = False, scorable: bool = True):
        super().__init__(Places() if places else formats.Existence(), None, scorable=scorable)

    def to_bytes(self, value: str | bytes) -> bytes:
        """A term as it is written."""
        return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")

    def from_bytes(self, value: bytes) -> str:
        """A term as it was."""
        return value.decode("utf-8", "surrogatepass")


def schema() -> fields.Schema:
    """The fields. Those without a dash are searched, `facet` filters, and the columns hold what each entry is."""
    return fields.Schema(
        body=Terms(places=True),
        title=Terms(places=True),
        names=Terms(),
        tool=Terms(),
        thinking=Terms(places=True),
        words=Terms(scorable=False),
        facet=Terms(scorable=False),
        key=fields.COLUMN(columns.NumericColumn("Q")),
        id=fields.COLUMN(columns.NumericColumn("Q")),
        group=fields.COLUMN(columns.NumericColumn("Q")),
        seq=fields.COLUMN(columns.NumericColumn("q")),
        quality=fields.COLUMN(columns.NumericColumn("d", default=-1.0)),
        timestamp=fields.COLUMN(columns.FixedBytesColumn(MOMENT)),
        due=fields.COLUMN(columns.FixedBytesColumn(MOMENT)),
        card=fields.COLUMN(columns.VarBytesColumn()),
    )


class Codec(whoosh3.W3Codec):  # type: ignore[misc]
    """Whoosh's own layout but for the postings of a block: numbers as they lie in memory, places apart."""

    length_stats = False

    def __init__(self) -> None:
        super().__init__(blocklimit=WHOLE_TERM, compression=0, inlinelimit=0)

    def field_writer(self, storage: Any, segment: Any) -> FieldWriter:
        """Whoosh asks for it."""
        return FieldWriter(self, storage, segment)

    def postings_writer(self, dbfile: Any, byteids: bool = False) -> PostingsWriter:
        """Whoosh asks for it."""
        return PostingsWriter(dbfile, self._blocklimit, byteids, self._compression, self._inlinelimit)

    def postings_reader(self, dbfile: Any, terminfo: Any, format_: Any, term: Any = None, scorer: Any = None) -> Matcher:
        """Whoosh asks for it."""
        offset, length = terminfo.extent()
        return Matcher(dbfile, offset, length, format_, term=term, scorer=scorer)


_BLOCK = struct.Struct("=iIIfII")
"""Before a block: its length in bytes (negative: the last one), postings, last number, greatest weight,
and the bytes of the weights and of the places, which follow those of the numbers."""


class PostingsWriter(whoosh3.W3PostingsWriter):  # type: ignore[misc]
    """Blocks of record numbers, weights (none where all are 1) and places."""

    def add_many(self, ids: array[int], weights: array[float], places: bytes) -> None:
        """A whole term's postings."""
        self._ids, self._weights, self._values = ids, weights, [places]
        self._maxweight = max(weights)

    def _write_block(self, last: bool = False) -> None:
        self._terminfo.add_block(self)
        ids = self._ids.tobytes()
        uniform = self._maxweight == 1.0 and min(self._weights) == 1.0
        weights = b"" if uniform else self._weights.tobytes()
        places = b"".join(self._values)
        length = _BLOCK.size + len(ids) + len(weights) + len(places)
        head = _BLOCK.pack(
            -length if last else length, len(self._ids), self._ids[-1], self._maxweight, len(weights), len(places)
        )
        magic = b"" if self._blockcount else whoosh3.WHOOSH3_HEADER_MAGIC
        self._postfile.write(b"".join((magic, head, ids, weights, places)))
        self._blockcount += 1
        self._new_block()


class Matcher(whoosh3.W3LeafMatcher):  # type: ignore[misc]
    """Reads those blocks."""

    def blocks(self) -> Iterator[tuple[array[int], array[float] | None, bytes]]:
        """(record numbers, weights or None where all are 1, places) of each block from where it stands."""
        while self.is_active():
            yield self._block()
            self._next_block()

    def _goto(self, position: int) -> None:
        head = _BLOCK.unpack(self._postfile.get(position, _BLOCK.size))
        length, self._blocklength, self._maxid, self._maxweight, *self._sizes = head
        self._lastblock = length < 0
        self._nextoffset = position + abs(length)
        self._dataoffset = position + _BLOCK.size
        self._minlength = self._maxlength = 0
        self._ids = self._weights = self._values = None
        self._i = 0

    def _block(self) -> tuple[array[int], array[float] | None, bytes]:
        weights, places = self._sizes
        data = self._postfile.get(self._dataoffset, self._nextoffset - self._dataoffset)
        first = 4 * self._blocklength
        if len(data) != first + weights + places:
            raise EOFError("a block of postings is cut off")
        return (
            _numbers("I", data[:first]),
            _numbers("f", data[first : first + weights]) if weights else None,
            data[first + weights :],
        )

    def _read_ids(self) -> None:
        self._ids = self._block()[0]

    def _read_weights(self) -> None:
        self._weights = self._block()[1] or array("f", [1.0]) * self._blocklength

    def _read_values(self) -> None:
        _, weights, places = self._block()
        self._values = list(split_places(weights, places, self._blocklength))


def split_places(weights: array[float] | None, values: bytes, count: int) -> Iterator[bytes]:
    """The places of each posting, of those of a block."""
    start = 0
    for number in range(count):
        end = start + 4 * (int(weights[number]) if weights else 1) if values else 0
        yield values[start:end]
        start = end


def _numbers(typecode: str, data: bytes) -> array[Any]:
    numbers = array(typecode)
    numbers.frombytes(data)
    return numbers


class Pool:
    """Postings of a segment that is being written, by term; takes the place of Whoosh's sorted list of single ones."""

    def __init__(self) -> None:
        self.fields: dict[str, dict[bytes, tuple[array[int], array[float], bytearray]]] = {}
        self.count = 0

    def add_all(self, field: str, number: int, terms: Mapping[str, Any], encode: Any) -> int:
        """Post an entry's terms: term → how often, or its places. Returns how many words that are."""
        posted = self.fields.setdefault(field, {})
        length = 0
        for term, value in terms.items():
            places = b""
            if value.__class__ is list:
                places, value = array("I", value).tobytes(), len(value)
            length += value
            key = encode(term)
            if (lists := posted.get(key)) is None:
                lists = posted[key] = (array("I"), array("f"), bytearray())
            lists[0].append(number)
            lists[1].append(value)
            if places:
                lists[2].extend(places)
        self.count += len(terms)
        return length

    def add(self, item: tuple[str, bytes, int, float, bytes]) -> None:
        """Whoosh's way to post, when it merges segments."""
        field, term, number, weight, places = item
        lists = self.fields.setdefault(field, {}).setdefault(term, (array("I"), array("f"), bytearray()))
        lists[0].append(number)
        lists[1].append(weight)
        lists[2].extend(places or b"")

    def iter_postings(self) -> Iterator[tuple[str, list[tuple[bytes, Any]]]]:
        """Fields in their order, each with its terms in theirs."""
        for field in sorted(self.fields):
            yield field, sorted(self.fields[field].items())

    def cleanup(self) -> None:
        """Whoosh asks for it; nothing was written anywhere."""


class FieldWriter(whoosh3.W3FieldWriter):  # type: ignore[misc]
    """Writes a pool."""

    def add_postings(self, schema: fields.Schema, lengths: Any, items: Iterable[tuple[str, list[Any]]]) -> None:
        """Write each term's postings as they were gathered."""
        for field, terms in items:
            self.start_field(field, schema[field])
            for term, (ids, weights, places) in terms:
                self.start_term(term)
                self._postwriter.add_many(ids, weights, bytes(places))
                self.finish_term()
            self.finish_field()


def writer(index: Any, *, wait: float) -> Any:
    """A writer on an index, waiting seconds for another one. Raises Whoosh's LockError."""
    made = index.writer(codec=Codec(), timeout=wait)
    made.pool = Pool()
    return made


__all__ = ["FORMAT", "MOMENT", "Codec", "Matcher", "Pool", "Terms", "schema", "split_places", "writer"]
