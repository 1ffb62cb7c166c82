"""Segments as a search reads them, without Whoosh: loading that takes longer than the search.

`segments` writes Whoosh's files, and beside them, as JSON, which segments belong to each generation and where the
parts of each lie in its file, so that nothing is unpickled here. What the parts hold is Whoosh's layout (2.7.5 of
whoosh-reloaded: filedb/filetables.py, an ordered hash of terms; columns.py) and our own postings. With a file that is
damaged functions here raise ValueError, struct.error, IndexError or OSError, or answer wrongly; checksums are the
follower's.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import struct
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

NUMBERS: dict[str, tuple[str, float]] = {
    "key": ("Q", 0), "id": ("Q", 0), "group": ("Q", 0), "seq": ("q", 0), "quality": ("d", -1.0)
}  # fmt: skip
"""Column → the type of its numbers, and what is there where nothing was written."""

POSTED = b"W3Bl"
"""Before the postings of a term."""

BLOCK = struct.Struct("=iIIfII")
"""Before a block of them: its length in bytes (negative: the last one), postings, last number, greatest weight,
and the bytes of the weights and of the places, which follow those of the numbers."""

Posted = tuple["array[int]", "array[float] | None", bytes]
"""Numbers of entries, how often the term is in each (None: always once), and its places one after the other."""

_LENGTHS = struct.Struct("!ii")
_SLOT = struct.Struct("!Iq")
_TABLE = struct.Struct("!qi")
_INFO = struct.Struct("!BfIBBfIIqi")
"""What is said of a term: its spread is the third, where its postings begin the last but one."""


@dataclass(frozen=True)
class Described:
    """A segment. name: of its file, without the ending. count: entries, removed ones too. removed: their numbers.
    parts: name → (offset, length) in the file. fields: name → number. keys: (type, offset, count) of the places
    of all terms in their order. tables: where the 256 hash tables are listed."""

    name: str
    count: int
    removed: tuple[int, ...] = ()
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    fields: Mapping[str, int] = field(default_factory=dict)
    keys: tuple[str, int, int] = ("H", 0, 0)
    tables: int = 0


@dataclass(frozen=True)
class Generation:
    """What an index is at one commit. decoded: byte → the length that it stands for."""

    number: int
    segments: tuple[Described, ...]
    decoded: tuple[int, ...]

    def dump(self) -> bytes:
        """As it is written."""
        return json.dumps([self.number, [list(vars(one).values()) for one in self.segments], self.decoded]).encode()

    @classmethod
    def load(cls, data: bytes) -> Generation:
        """Read it again."""
        number, segments, decoded = json.loads(data)
        return cls(number, tuple(Described(*one) for one in segments), tuple(decoded))


_TOC = re.compile(r"_MAIN_([0-9]+)\.toc")


def described(folder: Path, number: int) -> Path:
    """The file that tells of a generation."""
    return folder / f"_MAIN_{number}.json"


def latest(folder: Path) -> int:
    """The number of the last generation. Raises ValueError where there is none, OSError."""
    return max(int(match[1]) for name in os.listdir(folder) if (match := _TOC.fullmatch(name)))


def generation(folder: Path) -> Generation:
    """The last generation. Raises OSError, also where a writer has just replaced it; ValueError."""
    return Generation.load(described(folder, latest(folder)).read_bytes())


class Piece:
    """One segment's file, mapped."""

    def __init__(self, folder: Path, told: Described):
        self.told = told
        with open(folder / f"{told.name}.seg", "rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._terms, self._posted = (self._place(name)[0] for name in ("trm", "pst"))
        self._end = sum(self._place("pst"))

    def close(self) -> None:
        """Let go of the file."""
        self._data.close()

    def _place(self, name: str) -> tuple[int, int]:
        start, length = self.told.parts.get(name, (0, 0))
        if not 0 <= start <= start + length <= len(self._data):
            raise ValueError(f"{self.told.name}: {name} lies outside of the file")
        return start, length

    # -- columns

    def has(self, column: str) -> bool:
        """Whether anything was written into a column."""
        return f"{column}.col" in self.told.parts

    def raw(self, column: str) -> bytes:
        """A column's bytes."""
        start, length = self._place(f"{column}.col")
        return self._data[start : start + length]

    def numbers(self, column: str) -> array[Any]:
        """A column of numbers, one for each entry."""
        code, default = NUMBERS[column]
        found = _numbers(code, self.raw(column))
        found.extend([default] * (self.told.count - len(found)))
        return found

    @cached_property
    def _cards(self) -> tuple[int, Sequence[int], Sequence[int]]:
        """Where the column of cards begins; offset and length of each."""
        start, length = self._place("card.col")
        data, count = self._data, self.told.count
        end, codes = start + length - 1, data[start + length - 1 : start + length].decode("ascii")
        offsets: Sequence[int] | None = None
        if codes == "X":
            codes = data[end - 2 : end].decode("ascii")
            end -= 2 + count * struct.calcsize(codes[1])
            offsets = _numbers(codes[1], data[end : end + count * struct.calcsize(codes[1])])
        lengths = _numbers(codes[0], data[end - count * struct.calcsize(codes[0]) : end])
        return start, offsets or array("Q", accumulate(lengths, initial=0)), lengths

    def card(self, number: int) -> bytes:
        """An entry's card."""
        start, offsets, lengths = self._cards
        at = start + offsets[number]
        return self._data[at : at + lengths[number]]

    # -- terms

    def lexicon(self, field: str, start: bytes = b"") -> Iterator[bytes]:
        """The terms of a field, in order, from one on."""
        return (term for term, _ in self._from(field, start))

    def spread(self, field: str, term: bytes) -> int:
        """How many entries have a term, removed ones too."""
        info = self._info(field, term)
        return info[2] if info else 0

    def postings(self, field: str, term: bytes) -> Posted | None:
        """A term's postings; None where there are none."""
        info = self._info(field, term)
        return self._read(info[8]) if info else None

    def all_postings(self, field: str) -> Iterator[tuple[bytes, Posted]]:
        """Each term of a field with its postings."""
        for term, at in self._from(field, b""):
            yield term, self._read(_INFO.unpack_from(self._data, at)[8])

    def _from(self, field: str, start: bytes) -> Iterator[tuple[bytes, int]]:
        """(term, where it is described) from one term of a field on."""
        if (number := self.told.fields.get(field)) is None:
            return
        head, data = struct.pack("!H", number), self._data
        at = self._first_from(head + start)
        for _ in range(at, self.told.keys[2]):
            place = self._key_place(at)
            length, _ = _LENGTHS.unpack_from(data, place)
            key = data[place + 8 : place + 8 + length]
            if key[:2] != head:
                return
            yield key[2:], place + 8 + length
            at += 1

    def _first_from(self, key: bytes) -> int:
        low, high = 0, self.told.keys[2]
        while low < high:
            middle = (low + high) // 2
            place = self._key_place(middle)
            length, _ = _LENGTHS.unpack_from(self._data, place)
            if self._data[place + 8 : place + 8 + length] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _key_place(self, number: int) -> int:
        code, start, _ = self.told.keys
        size = struct.calcsize(f"!{code}")
        place: int = struct.unpack_from(f"!{code}", self._data, self._terms + start + number * size)[0]
        return self._terms + place

    def _info(self, field: str, term: bytes) -> tuple[Any, ...] | None:
        """What is said of a term, by its hash."""
        if (number := self.told.fields.get(field)) is None:
            return None
        key, data = struct.pack("!H", number) + term, self._data
        wanted = int.from_bytes(hashlib.md5(key, usedforsecurity=False).digest()[-4:], "big")
        start, slots = _TABLE.unpack_from(data, self._terms + self.told.tables + (wanted & 255) * _TABLE.size)
        for probe in range(slots):
            slot = self._terms + start + ((wanted >> 8) + probe) % slots * _SLOT.size
            hash, place = _SLOT.unpack_from(data, slot)
            if not place:
                return None
            if hash == wanted:
                length, _ = _LENGTHS.unpack_from(data, self._terms + place)
                at = self._terms + place + 8
                if data[at : at + length] == key:
                    return _INFO.unpack_from(data, at + length)
        return None

    # -- postings

    def _read(self, at: int) -> Posted:
        at += self._posted
        if self._data[at : at + 4] != POSTED:
            raise ValueError(f"{self.told.name}: no postings where they should be")
        at += 4
        found = []
        last = False
        while not last:
            block, at, last = self._block(at)
            found.append(block)
        if len(found) == 1:
            return found[0]
        ids, weights, places = array("I"), array("f"), b""
        for more, often, where in found:
            ids.extend(more)
            weights.extend(often or array("f", [1.0]) * len(more))
            places += where
        return ids, weights, places

    def _block(self, at: int) -> tuple[Posted, int, bool]:
        """(postings, where the next block begins, whether there is none)."""
        length, count, _, _, weights, places = BLOCK.unpack_from(self._data, at)
        start, end = at + BLOCK.size, at + abs(length)
        if end > self._end or end - start != 4 * count + weights + places:
            raise ValueError(f"{self.told.name}: a block of postings is damaged")
        middle = start + 4 * count
        ids = array("I")
        ids.frombytes(self._data[start:middle])
        often: array[float] | None = None
        if weights:
            often = array("f")
            often.frombytes(self._data[middle : middle + weights])
        return (ids, often, self._data[middle + weights : end]), end, length < 0


def _numbers(code: str, data: bytes) -> array[Any]:
    """Numbers as Whoosh writes them: the highest byte first."""
    found = array(code)
    found.frombytes(data)
    if sys.byteorder == "little":
        found.byteswap()
    return found
