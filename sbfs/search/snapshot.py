"""The index as it stood at one commit: terms, numbers and what each entry is, read once and kept.

Entries have numbers, those of a later segment follow those of the one before. What was removed keeps its
number until segments are merged; every answer here leaves it out, and counts without it, so that what is
computed from it is what a fresh index would give.
"""

from __future__ import annotations

import itertools
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from sbfs.search.cards import HASHED, MOMENT, Card, facet_term, hashed, moment, read_card
from sbfs.search.question import Filters
from sbfs.search.reader import Generation, Piece

T = TypeVar("T")

MOST_BESIDE = 100_000
"""Entries whose neighbours are remembered."""


class Segment:
    """One segment's columns; they never change, so that later snapshots share them."""

    def __init__(self, piece: Piece):
        self.count, self.id = piece.told.count, piece.told.name
        self.piece = piece
        self._kept: dict[str, Any] = {}

    def numbers(self, name: str) -> array[Any]:
        """A column of numbers."""
        return self.kept(name, lambda: self.piece.numbers(name))

    def moments(self, name: str) -> list[bytes]:
        """A column of times."""
        return self.kept(name, lambda: self._moments(name))

    def lengths(self, field: str) -> bytes:
        """Words of each entry's field, as Whoosh rounds them to a byte."""
        name = f"_{field}_len"
        return self.kept(name, lambda: self.piece.raw(name).ljust(self.count, b"\0"))

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What was made of the segment before, or is made now."""
        if name not in self._kept:
            self._kept[name] = make()
        made: T = self._kept[name]
        return made

    def _moments(self, name: str) -> list[bytes]:
        data = self.piece.raw(name).ljust(MOMENT * self.count, b"\0")
        return [data[at : at + MOMENT] for at in range(0, len(data), MOMENT)]

    def groups(self, known: dict[int, int]) -> list[int]:
        """The groups as small numbers, those that are new counted on."""
        return self.kept(" groups", lambda: [known.setdefault(one, len(known)) for one in self.numbers("group")])

    def sessions(self, known: dict[int, int], table: Sequence[int]) -> tuple[dict[int, int], dict[int, int]]:
        """(group → its entries here, group → their words). table: byte → the length that it stands for."""
        return self.kept(" sessions", lambda: self._read_sessions(self.groups(known), table))

    def _read_sessions(self, groups: list[int], table: Sequence[int]) -> tuple[dict[int, int], dict[int, int]]:
        sums = dict.fromkeys(groups, 0)
        for group, length in zip(groups, self.lengths("body"), strict=True):
            sums[group] += table[length]
        return dict(Counter(groups)), sums

    def places(self, known: dict[int, int]) -> dict[int, int]:
        """Place in a group → number."""
        return self.kept(" places", lambda: self._read_places(self.groups(known)))

    def _read_places(self, groups: list[int]) -> dict[int, int]:
        pairs = zip(groups, self.numbers("seq"), strict=True)
        return {_place(group, seq): number for number, (group, seq) in enumerate(pairs) if group}


def _add_up(totals: dict[int, int], more: dict[int, int]) -> None:
    if not totals:
        totals.update(more)
        return
    for key, value in more.items():
        totals[key] = totals.get(key, 0) + value


def _place(group: int, seq: int) -> int:
    return (group << 64) + seq


class Postings:
    """A term's live postings. ids: ascending numbers. weights: how often; None where always once."""

    __slots__ = ("ids", "weights")

    def __init__(self, ids: array[int], weights: array[float] | None):
        self.ids, self.weights = ids, weights

    def __contains__(self, number: int) -> bool:
        at = bisect_left(self.ids, number)
        return at < len(self.ids) and self.ids[at] == number


class Snapshot:
    """All segments of a generation together. before: an older snapshot, to share with; what is not shared is closed."""

    def __init__(self, folder: Path, generation: Generation, before: Snapshot | None = None):
        known = {segment.id: segment for segment in before.segments} if before else {}
        told = generation.segments
        self.segments: list[Segment] = [
            known.pop(one.name) if one.name in known else Segment(Piece(folder, one)) for one in told
        ]
        for segment in known.values():
            segment.piece.close()
        self.generation, self.decoded = generation.number, generation.decoded
        self.offsets = []
        self.size = 0
        self.removed: set[int] = set()
        for one in told:
            self.offsets.append(self.size)
            self.removed.update(self.size + number for number in one.removed)
            self.size += one.count
        self.live = self.size - len(self.removed)
        self.masks: dict[Any, bytes | None] = {}
        self._averages: dict[str, float] = {}
        # Hash of a group → its small number, the same in all snapshots that share segments.
        self._known: dict[int, int] = before._known if before else {0: 0}
        self._beside: dict[int, tuple[int, ...]] = {}

    def close(self) -> None:
        """Let go of the files."""
        for segment in self.segments:
            segment.piece.close()

    # -- columns -----------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> list[int]:
        """Each entry's group as a small number; 0 for one that stands alone."""
        return self._join([segment.groups(self._known) for segment in self.segments])

    @staticmethod
    def _join(lists: list[list[int]]) -> list[int]:
        return lists[0] if len(lists) == 1 else [*itertools.chain.from_iterable(lists)]

    @cached_property
    def seqs(self) -> array[int]:
        """Each entry's place in its group."""
        return self._joined("seq")

    def _joined(self, name: str) -> array[Any]:
        if len(self.segments) == 1:
            return self.segments[0].numbers(name)
        joined = array("d" if name == "quality" else "q" if name == "seq" else "Q")
        for segment in self.segments:
            joined.extend(segment.numbers(name))
        return joined

    def lengths(self, field: str) -> bytes:
        """Each entry's words in a field, as bytes that `decoded` turns into numbers."""
        return b"".join(segment.lengths(field) for segment in self.segments)

    def average(self, field: str) -> float:
        """Words in a field, on average of the entries that have it."""
        if field not in self._averages:
            counts = Counter(lengths := self.lengths(field))
            counts.subtract(lengths[number] for number in self.removed)
            having = sum(count for length, count in counts.items() if length)
            total = sum(self.decoded[length] * count for length, count in counts.items() if length)
            self._averages[field] = total / having if having else 1.0
        return self._averages[field]

    @cached_property
    def sessions(self) -> tuple[Mapping[int, int], Mapping[int, int]]:
        """(group → its entries, group → their words), of the groups of more than one entry."""
        sizes: dict[int, int] = {}
        sums: dict[int, int] = {}
        for segment in sorted(self.segments, key=lambda one: -one.count):
            _add_up(sizes, (counted := segment.sessions(self._known, self.decoded))[0])
            _add_up(sums, counted[1])
        lengths, table = self.lengths("body"), self.decoded
        for number in self.removed:
            group = self.groups[number]
            sizes[group] -= 1
            sums[group] -= table[lengths[number]]
        sizes = {group: size for group, size in sizes.items() if size > 1 and group}
        return sizes, {group: sums[group] for group in sizes}

    @cached_property
    def talks(self) -> list[int]:
        """Each entry's group as in `groups`; 0 also where it is the only one in it."""
        sizes = self.sessions[0]
        return [group if group in sizes else 0 for group in self.groups] if sizes else [0] * self.size

    def beside(self, number: int) -> tuple[int, ...]:
        """The numbers of the turns before and after one in its group, and of the next two; -1 where there is none."""
        if (found := self._beside.get(number)) is None:
            group, seq = self.groups[number], self.seqs[number]
            if group in self.sessions[0]:
                found = tuple(self._number_at(number, group, seq, distance) for distance in (-1, 1, -2, 2))
            else:
                found = ()
            if len(self._beside) > MOST_BESIDE:
                self._beside.clear()
            self._beside[number] = found
        return found

    def _number_at(self, number: int, group: int, seq: int, distance: int) -> int:
        # Turns that were added together follow each other; the rest is looked up.
        near = number + distance
        adjacent = 0 <= near < self.size and self.groups[near] == group and self.seqs[near] == seq + distance
        if adjacent and near not in self.removed:
            return near
        wanted = _place(group, seq + distance)
        for offset, segment in zip(self.offsets, self.segments, strict=True):
            at = segment.places(self._known).get(wanted)
            if at is not None and offset + at not in self.removed:
                return offset + at
        return -1

    def card(self, number: int) -> Card:
        """What an entry is."""
        segment = bisect_right(self.offsets, number) - 1
        return read_card(self.segments[segment].piece.card(number - self.offsets[segment]))

    def cards(self) -> Iterator[Card]:
        """What all entries are."""
        for offset, segment in zip(self.offsets, self.segments, strict=True):
            for number in range(segment.count):
                if offset + number not in self.removed:
                    yield read_card(segment.piece.card(number))

    def order(self, number: int) -> tuple[bytes, int]:
        """What equal scores are ordered by: the newer one first, then by their keys' hashes, the same in any index."""
        at = bisect_right(self.offsets, number) - 1
        segment, number = self.segments[at], number - self.offsets[at]
        return segment.moments("timestamp")[number], segment.numbers("key")[number]

    def hashes(self, name: str) -> array[int]:
        """Hash of each entry's key, id or group."""
        return self._joined(name)

    def find(self, name: str, value: str) -> list[int]:
        """The numbers of the entries with a key, id or group."""
        wanted, column = hashed(value), self._joined(name)
        if wanted not in column:
            return []
        return [number for number, one in enumerate(column) if one == wanted and number not in self.removed]

    # -- terms -------------------------------------------------------------------------------------

    def postings(self, field: str, term: bytes) -> Postings | None:
        """A term's postings; None where there is none."""
        ids: array[int] = array("I")
        weights: array[float] | None = None
        for offset, segment in zip(self.offsets, self.segments, strict=True):
            if (found := segment.piece.postings(field, term)) is None:
                continue
            if found[1] and weights is None:
                weights = array("f", [1.0]) * len(ids)
            if weights is not None:
                weights.extend(found[1] or array("f", [1.0]) * len(found[0]))
            ids.extend(_shifted(found[0], offset) if offset else found[0])
        if not self.removed.isdisjoint(ids):
            kept = [at for at, one in enumerate(ids) if one not in self.removed]
            weights = array("f", [weights[at] for at in kept]) if weights else None
            ids = array("I", [ids[at] for at in kept])
        return Postings(ids, weights) if ids else None

    def spread(self, field: str, term: bytes) -> int:
        """How many entries have a term; those that are removed count until they are merged away."""
        return sum(segment.piece.spread(field, term) for segment in self.segments)

    def lexicon(self, field: str, start: bytes = b"") -> Iterator[bytes]:
        """The distinct terms of a field, in no order when there are several segments."""
        if len(self.segments) == 1:
            yield from self.segments[0].piece.lexicon(field, start)
            return
        seen: set[bytes] = set()
        for segment in self.segments:
            for term in segment.piece.lexicon(field, start):
                if term not in seen:
                    seen.add(term)
                    yield term

    # -- filters -----------------------------------------------------------------------------------

    def admitted(self, wanted: Filters) -> bytes | None:
        """A byte for each number: 1 where the entry passes; None where all that is live does."""
        parts = [self._masked(("word", word, values), self._having) for word, values in wanted.words.items()]
        if wanted.since or wanted.until:
            parts.append(self._masked(("time", wanted.since, wanted.until), self._within))
        if wanted.path:
            parts.append(self._masked(("path", wanted.path), self._below))
        if wanted.quality_from is not None or wanted.quality_to is not None:
            parts.append(self._masked(("quality", wanted.quality_from, wanted.quality_to), self._of_quality))
        if wanted.now:
            parts.append(self._masked(("due", wanted.now), self._not_due_later))
        given = [part for part in parts if part is not None]
        return _all_of(given) if given else None

    def _masked(self, name: tuple[Any, ...], make: Callable[..., bytes | None]) -> bytes | None:
        if name not in self.masks:
            if len(self.masks) > 64:
                self.masks.clear()
            self.masks[name] = make(*name[1:])
        return self.masks[name]

    def _having(self, word: str, values: frozenset[str]) -> bytes:
        mask = bytearray(self.size)
        for value in values:
            if word in HASHED:
                for number in self.find(word, value):
                    mask[number] = 1
            if found := self.postings("facet", facet_term(word, value)):
                for number in found.ids:
                    mask[number] = 1
        return bytes(mask)

    def _within(self, since: str, until: str) -> bytes:
        first, last = moment(since), moment(until) if until else b"\xff" * MOMENT
        first = max(first, b"\0" * (MOMENT - 1) + b"\1")
        columns = [segment.moments("timestamp") for segment in self.segments]
        after = b"".join(bytes(map(first.__le__, column)) for column in columns)
        before = b"".join(bytes(map(last.__gt__, column)) for column in columns)
        return _all_of([after, before])

    def _below(self, path: str) -> bytes:
        admits = Filters(path=path).admits_path
        cards = (segment.piece.card(number) for segment in self.segments for number in range(segment.count))
        return bytes(admits(card.partition(b"\0")[0].decode("utf-8", "surrogatepass")) for card in cards)

    def _of_quality(self, least: float | None, most: float | None) -> bytes:
        low, high = max(least or 0.0, 0.0), float("inf") if most is None else most
        return bytes(low <= one <= high for one in self._joined("quality"))

    def _not_due_later(self, now: str) -> bytes | None:
        if not any(segment.piece.has("due") for segment in self.segments):
            return None
        until = moment(now)
        return b"".join(bytes(map(until.__ge__, segment.moments("due"))) for segment in self.segments)


def _shifted(ids: array[int], offset: int) -> array[int]:
    """Numbers with an offset added to each: as one number of many digits, none of which carries."""
    total = int.from_bytes(ids.tobytes(), sys.byteorder)
    total += int.from_bytes((array("I", [offset]) * len(ids)).tobytes(), sys.byteorder)
    shifted = array("I")
    shifted.frombytes(total.to_bytes(len(ids) * ids.itemsize, sys.byteorder))
    return shifted


def _all_of(masks: list[bytes]) -> bytes:
    if len(masks) == 1:
        return masks[0]
    whole = int.from_bytes(masks[0], "little")
    for mask in masks[1:]:
        whole &= int.from_bytes(mask, "little")
    return whole.to_bytes(len(masks[0]), "little")
