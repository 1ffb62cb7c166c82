"""How the index lies on disk: Whoosh's segments, with postings that are quick to write and to read.

Imported only by functions that write an index: it brings Whoosh with it; `reader` reads without. Whoosh pickles what
is defined here into the index, by name: a change of a name or of a layout here is a change of the index's format.
"""

from __future__ import annotations

import os
import secrets
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

from whoosh import columns, fields, formats, index, writing
from whoosh.codec import whoosh3
from whoosh.filedb import filestore
from whoosh.util.numeric import byte_to_length

from sbfs import files
from sbfs.search import reader
from sbfs.search.cards import MOMENT
from sbfs.search.reader import BLOCK, Described, Generation

WHOLE_TERM = 1 << 20
"""Postings in one block: nearly always all of a term's, since whole lists are read anyway."""


class Places(formats.Format):  # type: ignore[misc]
    """A posting's value: the term's places in the field, four bytes each; as many as its weight says."""

    posting_size = -1


class Terms(fields.FieldType):  # type: ignore[misc]
    """A field of terms that were analysed before."""

    def __init__(self, *, places: bool = False, scorable: bool = True):
        super().__init__(Places() if places else formats.Existence(), None, scorable=scorable)

    def to_bytes(self, value: str | bytes) -> bytes:
        """A term as it is written."""
        return as_bytes(value)

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
        **{name: fields.COLUMN(columns.NumericColumn(code, none)) for name, (code, none) in reader.NUMBERS.items()},
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

    def postings_reader(
        self, dbfile: Any, terminfo: Any, format_: Any, term: Any = None, scorer: Any = None
    ) -> Matcher:
        """Whoosh asks for it."""
        offset, length = terminfo.extent()
        return Matcher(dbfile, offset, length, format_, term=term, scorer=scorer)


class PostingsWriter(whoosh3.W3PostingsWriter):  # type: ignore[misc]
    """Blocks of record numbers, weights (none where all are 1) and places."""

    _ids: array[int]
    _weights: array[float]
    _values: list[bytes]

    def add_many(self, gathered: Gathered) -> None:
        """A whole term's postings."""
        self._ids, self._weights, self._values = gathered.ids, gathered.weights(), [gathered.places.tobytes()]
        self._maxweight = max(self._weights)
        self._uniform = not gathered.often

    def _write_block(self, last: bool = False) -> None:
        self._terminfo.add_block(self)
        ids = self._ids.tobytes()
        weights = b"" if self._uniform else self._weights.tobytes()
        places = b"".join(self._values)
        length = BLOCK.size + len(ids) + len(weights) + len(places)
        head = BLOCK.pack(
            -length if last else length, len(self._ids), self._ids[-1], self._maxweight, len(weights), len(places)
        )
        magic = b"" if self._blockcount else whoosh3.WHOOSH3_HEADER_MAGIC
        self._postfile.write(b"".join((magic, head, ids, weights, places)))
        self._blockcount += 1
        self._new_block()


class Matcher(whoosh3.W3LeafMatcher):  # type: ignore[misc]
    """Reads those blocks."""

    _ids: array[int] | None
    _weights: array[float] | None
    _values: list[bytes] | None

    def blocks(self) -> Iterator[tuple[array[int], array[float] | None, bytes]]:
        """(record numbers, weights or None where all are 1, places) of each block from where it stands."""
        while self.is_active():
            yield self._block()
            self._next_block()

    def _goto(self, position: int) -> None:
        head = BLOCK.unpack(self._postfile.get(position, BLOCK.size))
        length, self._blocklength, self._maxid, self._maxweight, *self._sizes = head
        if abs(length) < BLOCK.size:
            raise EOFError("a block of postings has no length")
        self._lastblock = length < 0
        self._nextoffset = position + abs(length)
        self._dataoffset = position + BLOCK.size
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


class Gathered:
    """A term's postings while they are gathered. often: index in `ids` → weight, where it is not 1."""

    __slots__ = ("ids", "often", "places")

    def __init__(self) -> None:
        self.ids = array("I")
        self.often: dict[int, float] = {}
        self.places = array("I")

    def weights(self) -> array[float]:
        """The weight of each posting."""
        weights = array("f", [1.0]) * len(self.ids)
        for at, often in self.often.items():
            weights[at] = often
        return weights


class Pool:
    """Postings of a segment that is being written, by term; takes the place of Whoosh's sorted list of single ones.

    fields: field → term → its postings. count: postings so far.
    """

    def __init__(self) -> None:
        self.fields: dict[str, dict[str | bytes, Gathered]] = {}
        self.count = 0

    def add_places(self, field: str, number: int, terms: Mapping[str, list[int]]) -> int:
        """Post an entry's terms, term → its places in the field. Returns how many words that are."""
        posted = self.fields.setdefault(field, {})
        length = 0
        for term, places in terms.items():
            if (gathered := posted.get(term)) is None:
                gathered = posted[term] = Gathered()
            if (often := len(places)) > 1:
                gathered.often[len(gathered.ids)] = float(often)
            gathered.ids.append(number)
            gathered.places.extend(places)
            length += often
        self.count += len(terms)
        return length

    def add_counts(self, field: str, number: int, terms: Mapping[Any, int]) -> int:
        """Post an entry's terms, term → how often. Returns how many words that are."""
        posted = self.fields.setdefault(field, {})
        for term, often in terms.items():
            if (gathered := posted.get(term)) is None:
                gathered = posted[term] = Gathered()
            if often > 1:
                gathered.often[len(gathered.ids)] = float(often)
            gathered.ids.append(number)
        self.count += len(terms)
        return sum(terms.values())

    def add_terms(self, field: str, number: int, terms: Iterable[str | bytes]) -> None:
        """Post an entry's terms, each once, in a field whose words nobody counts."""
        posted = self.fields.setdefault(field, {})
        for term in terms:
            if (gathered := posted.get(term)) is None:
                gathered = posted[term] = Gathered()
            gathered.ids.append(number)
            self.count += 1

    def add(self, item: tuple[str, bytes, int, float, bytes]) -> None:
        """Whoosh's way to post, when it merges segments."""
        field, term, number, weight, places = item
        name = term if field == "facet" else term.decode("utf-8", "surrogatepass")
        gathered = self.fields.setdefault(field, {}).setdefault(name, Gathered())
        if weight != 1.0:
            gathered.often[len(gathered.ids)] = weight
        gathered.ids.append(number)
        gathered.places.frombytes(places or b"")

    def iter_postings(self) -> Iterator[tuple[str, list[tuple[bytes, Gathered]]]]:
        """Fields in their order, each with its terms in theirs."""
        for field in sorted(self.fields):
            terms = ((as_bytes(term), gathered) for term, gathered in self.fields[field].items())
            yield field, sorted(terms, key=itemgetter(0))

    def cleanup(self) -> None:
        """Whoosh asks for it; nothing was written anywhere."""


def as_bytes(term: str | bytes) -> bytes:
    """A term as it is written."""
    return term if isinstance(term, bytes) else term.encode("utf-8", "surrogatepass")


class FieldWriter(whoosh3.W3FieldWriter):  # type: ignore[misc]
    """Writes a pool."""

    def add_postings(
        self, schema: fields.Schema, _: Any, items: Iterable[tuple[str, list[tuple[bytes, Gathered]]]]
    ) -> None:
        """Write each term's postings as they were gathered."""
        for field, terms in items:
            self.start_field(field, schema[field])
            for term, gathered in terms:
                self.start_term(term)
                self._postwriter.add_many(gathered)
                self.finish_term()
            self.finish_field()


class Folder(filestore.FileStorage):  # type: ignore[misc]
    """Whoosh's folder of files, which can be closed where Whoosh forgot to: it does when one is damaged."""

    def __init__(self, path: str):
        super().__init__(path)
        self._opened: list[Any] = []

    def open_file(self, name: str, **given: Any) -> Any:
        """Whoosh asks for it."""
        return self._kept(super().open_file(name, **given))

    def create_file(self, name: str, **given: Any) -> Any:
        """Whoosh asks for it."""
        return self._kept(super().create_file(name, **given))

    def temp_storage(self, name: str | None = None) -> Folder:
        """Whoosh asks for it."""
        made = Folder(os.path.join(self.folder, name or f"{secrets.token_hex(8)}.tmp"))
        made._opened = self._opened
        made.create()
        return made

    def _kept(self, file: Any) -> Any:
        self._opened[:] = [one for one in self._opened if not one.file.closed]
        self._opened.append(file)
        return file

    def release(self) -> None:
        """Close whatever is still open."""
        for file in self._opened:
            file.file.close()
        self._opened.clear()


class Writer(writing.SegmentWriter):  # type: ignore[misc]
    """Whoosh's writer; it also tells `reader` of a generation, before Whoosh makes it the last one."""

    def _commit_toc(self, segments: list[Any]) -> None:
        _describe(self.storage, self.generation, segments)
        super()._commit_toc(segments)
        reader.described(Path(self.storage.folder), self.generation - 1).unlink(missing_ok=True)


def _describe(storage: Folder, number: int, segments: Iterable[Any]) -> None:
    before = files.read(reader.described(Path(storage.folder), number - 1))
    known = {one.name: one for one in Generation.load(before).segments} if before else {}
    # Of a segment that was there before nothing changes but what is removed from it.
    told = tuple(
        replace(known[name], removed=tuple(sorted(segment.deleted_docs())))
        if (name := segment.segment_id()) in known
        else _described(storage, segment)
        for segment in segments
    )
    generation = Generation(number, told, tuple(map(byte_to_length, range(256))))
    files.write(reader.described(Path(storage.folder), number), generation.dump())


def _described(storage: Folder, segment: Any) -> Described:
    name = segment.segment_id()
    with closing(segment.open_compound_file(storage)) as parts:
        # Names begin with the segment's own.
        places = {one[len(name) + 1 :]: parts.range(one) for one in parts.list()}
        with closing(segment.codec().terms_reader(parts, segment)) as terms:
            keys = terms._tindex
            size = places["trm"][1]
            return Described(
                name,
                segment.doc_count_all(),
                tuple(sorted(segment.deleted_docs())),
                places,
                dict(terms._fieldmap),
                (keys.extras["indextype"], keys.indexbase, keys.indexlen),
                size - _behind_tables(keys, size),
            )


def _behind_tables(keys: Any, size: int) -> int:
    """Bytes from the list of a term file's hash tables to its end: the list, what is said behind it, and its length."""
    said: int = keys.dbfile.get_int(size - 4)
    return 256 * 12 + said + 4


def create(path: str) -> Any:
    """An empty index in a folder."""
    storage = Folder(path)
    made = index.FileIndex.create(storage, schema())
    _describe(storage, made.latest_generation(), ())
    return made


def opened(path: str) -> Any:
    """The index in a folder. Raises whatever Whoosh raises."""
    storage = Folder(path)
    try:
        return index.FileIndex(storage, schema=schema())
    except Exception:
        storage.release()
        raise


def writer(written: Any, *, wait: float) -> Any:
    """A writer on an index, waiting seconds for another one. Raises Whoosh's LockError."""
    made = Writer(written, codec=Codec(), timeout=wait)
    made.pool = Pool()
    return made


def adopt(written: Any, path: str, *, wait: float) -> None:
    """Move the segments of the index in a folder into another index. Raises whatever Whoosh raises, OSError."""
    theirs = opened(path)._segments()
    for segment in theirs:
        name = segment.make_filename(segment.COMPOUND_EXT)
        os.rename(os.path.join(path, name), os.path.join(written.storage.folder, name))
    made = writer(written, wait=wait)
    made.segments.extend(theirs)
    made.commit(merge=False)
