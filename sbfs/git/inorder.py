"""The files in a pack in the order in which they lie: for who looks at all of them, and needs no names.

Asking for them one by one takes several times as long. What cannot be read so (offsets beyond 2 GiB, deltas by name,
a damaged pack) is refused as a whole, and is for Git's own way of looking.
"""

from __future__ import annotations

import mmap
import re
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Self

from sbfs.git.packs import DELTAS, FAR, IDS, TYPES

_HELD = 8 << 20
"""Bytes of what was read last that are kept, since deltas are mostly built on what lies near."""

_DEEPEST = 4096
"""Deltas on deltas up to which a pack is believed."""

_BLOB = TYPES["blob"]


def count(pack: Path) -> int:
    """How many objects a pack says that it has."""
    with open(pack, "rb") as file:
        return int.from_bytes(file.read(12)[8:], "big")


class Unfit(Exception):
    """A pack that cannot be read in order."""


Copy = tuple[int, int]
"""A part of a delta's base: where it begins and ends."""


class Pack:
    """A pack with its index, open for the length of a block. count: of its objects, numbered as they lie.

    Memory: about 60 bytes an object, 8 MB, and a few times the largest object. Raises Unfit, here and from all that
    reads.
    """

    def __init__(self, pack: Path):
        listing = pack.with_suffix(".idx").read_bytes()
        self.count = int.from_bytes(listing[IDS - 4 : IDS], "big")
        near = IDS + 24 * self.count
        if listing[:8] != b"\xfftOc\0\0\0\2" or len(listing) < near + 4 * self.count + 40:
            raise Unfit(pack.name)
        self._listed = array("I", listing[near : near + 4 * self.count])
        if sys.byteorder == "little":
            self._listed.byteswap()
        self._ids = listing[IDS : IDS + 20 * self.count]
        self._starts = array("I", sorted(self._listed))
        if self.count and (self._starts[-1] >= FAR or self._starts[0] < 12):
            raise Unfit(pack.name)
        self._lines = array("I", bytes(8 * self.count))
        self._passed = array("I")
        self._recent: dict[int, bytes] = {}
        self._held = 0
        self._file = open(pack, "rb")  # noqa: SIM115 - closed by __exit__
        try:
            self._bytes = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            self._file.close()
            raise Unfit(pack.name) from None
        self._end = len(self._bytes) - 20

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._recent = {}
        self._bytes.close()
        self._file.close()

    def id(self, number: int) -> str:
        """The name of an object."""
        at = 20 * self._listed.index(self._starts[number])
        return self._ids[at : at + 20].hex()

    def files(self, begin: int, end: int, line: re.Pattern[bytes]) -> Iterator[tuple[int, bytes]]:
        """(number, bytes) of the files among some objects. One that is another of them without a line is passed over
        where that can be told from its delta alone. line: matches it, and the line end before it."""
        try:
            for number in range(begin, end):
                type, at = self._opened(number)
                if type == _BLOB:
                    data = self._inflated(number, at)
                elif type == DELTAS[0]:
                    base, at = self._base(number, at)
                    size, parts = _parts(self._inflated(number, at))
                    # Asked first, as it is what most deltas are: a base with such a line is a file.
                    if self._lacks_line(base, size, parts):
                        self._passed.extend((number, base))
                        continue
                    if self._type(base) != _BLOB:
                        continue
                    data = _joined(self._recent.get(base) or self._whole(base), size, parts)
                elif type == DELTAS[1]:
                    raise Unfit("a delta names what it is built on")
                else:
                    continue
                if match := line.search(data):
                    self._lines[2 * number], self._lines[2 * number + 1] = match.start() + 1, match.end()
                self._keep(number, data)
                yield number, data
        except (IndexError, ValueError, zlib.error) as error:
            raise Unfit(str(error)) from None

    def passed_over(self, numbers: Collection[int]) -> list[int]:
        """The files that were passed over since they are one of these without a line."""
        pairs = zip(self._passed[::2], self._passed[1::2], strict=True)
        return [number for number, base in pairs if base in numbers]

    def _opened(self, number: int) -> tuple[int, int]:
        """(type, where the rest begins) of an entry."""
        at = self._starts[number]
        byte = self._bytes[at]
        type = (byte >> 4) & 7
        at += 1
        while byte & 0x80:
            byte = self._bytes[at]
            at += 1
        return type, at

    def _base(self, number: int, at: int) -> tuple[int, int]:
        """(number of the object that a delta is built on, where the delta begins)."""
        byte = self._bytes[at]
        distance, at = byte & 0x7F, at + 1
        while byte & 0x80:
            byte = self._bytes[at]
            distance, at = ((distance + 1) << 7) | (byte & 0x7F), at + 1
        start = self._starts[number] - distance
        base = bisect_left(self._starts, start)
        if distance <= 0 or self._starts[base] != start:
            raise Unfit("a delta is built on no object")
        return base, at

    def _type(self, number: int) -> int:
        """What an object is once its deltas are resolved."""
        for _ in range(_DEEPEST):
            type, at = self._opened(number)
            if type != DELTAS[0]:
                return type
            number, _ = self._base(number, at)
        raise Unfit("deltas are built on deltas without end")

    def _whole(self, number: int) -> bytes:
        """The bytes of a file, its deltas resolved."""
        deltas = []
        for _ in range(_DEEPEST):
            type, at = self._opened(number)
            if type != DELTAS[0]:
                break
            base, at = self._base(number, at)
            deltas.append((number, at))
            number = base
        data = self._inflated(number, at)
        for one, at in reversed(deltas):
            data = _joined(data, *_parts(self._inflated(one, at)))
        return data

    def _inflated(self, number: int, at: int) -> bytes:
        end = self._starts[number + 1] if number + 1 < self.count else self._end
        return zlib.decompress(self._bytes[at:end])

    def _keep(self, number: int, data: bytes) -> None:
        if self._held > _HELD:
            self._recent.clear()
            self._held = 0
        if len(data) < _HELD // 8:
            self._recent[number] = data
            self._held += len(data)

    def _lacks_line(self, base: int, size: int, parts: list[Copy | bytes]) -> bool:
        """Whether a delta only takes the line out of its base that was found there."""
        if len(parts) != 2:
            return False
        first, second = parts
        if isinstance(first, bytes) or isinstance(second, bytes) or first[0] or second[1] != size:
            return False
        begin, end = self._lines[2 * base], self._lines[2 * base + 1]
        return first[1] == begin and second[0] == end and end > 0


def _parts(delta: bytes) -> tuple[int, list[Copy | bytes]]:
    """(size of the base, what the result is made of) of a delta: gitformat-pack(5)."""
    size, shift, at = delta[0] & 0x7F, 7, 1
    while delta[at - 1] & 0x80:
        size |= (delta[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    while delta[at] & 0x80:
        at += 1
    at += 1
    parts: list[Copy | bytes] = []
    end = len(delta)
    while at < end:
        code = delta[at]
        at += 1
        if code & 0x80:
            begin = length = 0
            # Written out, since this is most of what a pack of copies costs.
            if code & 0x01:
                begin, at = delta[at], at + 1
            if code & 0x02:
                begin, at = begin | delta[at] << 8, at + 1
            if code & 0x04:
                begin, at = begin | delta[at] << 16, at + 1
            if code & 0x08:
                begin, at = begin | delta[at] << 24, at + 1
            if code & 0x10:
                length, at = delta[at], at + 1
            if code & 0x20:
                length, at = length | delta[at] << 8, at + 1
            if code & 0x40:
                length, at = length | delta[at] << 16, at + 1
            parts.append((begin, begin + (length or 0x10000)))
        else:
            parts.append(delta[at : at + code])
            at += code
    return size, parts


def _joined(base: bytes, size: int, parts: list[Copy | bytes]) -> bytes:
    if len(base) != size:
        raise Unfit("a delta does not fit what it is built on")
    return b"".join([one if isinstance(one, bytes) else base[one[0] : one[1]] for one in parts])
