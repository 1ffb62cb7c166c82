"""Joining packs and packing loose objects: upkeep's work, outside the store's lock.

`plan` says which packs, ours and Git's, should become one; `join` writes it beside them;
`packs.exchange` takes the old ones away. An object is therefore always in one pack at least,
whatever dies.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import struct
import sys
import time
import zlib
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

from sbfs.git.packs import DELTAS, FAR, IDS, NAMES, TINY, TYPES, Entry, entry_of, header, staged, stems, write_entries

_TINY_LIMIT = 27
"""Tiny packs up to which publishers keep up: more are not all ours."""

_LIMIT = 14
"""Packs that are not tiny, up to which upkeep leaves them alone."""

FULL = 2 << 30
_FULL_LISTING = 28 * 400_000
"""Bytes of a pack, and of its index, from which on it stays as it is: the bound of a join's time,
room and memory."""

LOOSE = 1000
"""Loose objects up to which they are left alone."""

_YOUNG = 5.0
"""Seconds: a younger loose object may belong to a command under way."""

_BATCH = (16 * 1024 * 1024, 5000)
"""Bytes and objects up to which loose objects become one pack."""

_HUGE = 32 * 1024 * 1024
"""Bytes of an object from which it stays loose."""

_DEEP = 50
"""Deltas on deltas, at most: Git's own bound."""

_CHUNK = 1 << 18

_UNSYNCED = 4 << 20
"""Bytes that a join has written and not synced, at most."""

HELD = (".keep", ".promisor", ".mtimes")
"""Files beside a pack by which Git says that it must stay."""


class Unfit(Exception):
    """A pack that cannot be joined, as it is damaged or of a form that we do not know."""

    def __init__(self, pack: Path):
        super().__init__(f"{pack.name} cannot be joined with others")
        self.pack = pack


def plan(folder: Path, but: Collection[Path] = ()) -> list[Path]:
    """The packs that should become one, the smallest first; none where there are few enough.

    Of the packs that are left, each is at least twice as large as all smaller ones together (the
    rule of `git repack --geometric`), so that a byte is copied only as often as a store doubles.
    but: packs to leave alone.
    """
    names = os.listdir(folder)
    if sum(name.endswith(".pack") for name in names) <= min(_TINY_LIMIT, _LIMIT):
        return []
    sizes = []
    for stem in stems(names, {"rev", "bitmap"}):
        pack = folder / f"{stem}.pack"
        with suppress(FileNotFoundError):
            size, listing = os.stat(pack).st_size, os.stat(folder / f"{stem}.idx").st_size
            if size < FULL and listing < _FULL_LISTING and pack not in but:
                sizes.append((size, pack))
    sizes.sort()
    larger = [one for one in sizes if one[0] >= TINY]
    if len(sizes) - len(larger) <= _TINY_LIMIT:
        if len(larger) <= _LIMIT:
            return []
        sizes = larger
    return [pack for _, pack in sizes[: _split([size for size, _ in sizes])]]


def _split(sizes: list[int]) -> int:
    """How many of the smallest must become one so that the sizes double from pack to pack."""
    at = len(sizes) - 1
    while at > 0 and sizes[at] >= 2 * sizes[at - 1]:
        at -= 1
    if at <= 0:
        return 0
    at += 1
    total = sum(sizes[:at])
    while at < len(sizes) and sizes[at] < 2 * total:
        total += sizes[at]
        at += 1
    return at


def join(folder: Path, packs: Sequence[Path]) -> Path:
    """Write what packs hold as one pack beside them, synced. Returns its path.

    Entries are copied as they are, deltas too where their base lies before them; other deltas are
    written whole. Memory: about 130 bytes an object, and the largest object that must be made whole.
    Raises Unfit, and FileNotFoundError where a pack is gone: another process joined it.
    """
    with staged(folder) as stage:
        with ExitStack() as stack:
            sources = [stack.enter_context(_Source(pack)) for pack in packs]
            joint = stack.enter_context(_Joint(stage.pack, sources))
            digest = joint.fill()
        with _created(stage.listing) as out:
            joint.list(out, digest)
            _sync(out)
        return stage.place(digest)


def sweep(folder: Path) -> None:
    """Remove what killed processes left: our temporary files, and indexes without a pack.

    Only under the store's lock, while no other upkeep is under way.
    """
    names = set(os.listdir(folder))
    for name in names:
        stem, _, suffix = name.partition(".")
        lonely = suffix in ("idx", "rev", "bitmap") and stem.startswith("pack-") and f"{stem}.pack" not in names
        with suppress(FileNotFoundError):
            # Git may fetch an index before its pack: only an old one is nobody's.
            if name.startswith("tmp_sbfs_") or (lonely and time.time() - os.stat(folder / name).st_mtime > 3600):
                os.unlink(folder / name)


def _created(name: str) -> Any:
    return open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444), "wb", buffering=_CHUNK)


def _sync(out: Any) -> None:
    out.flush()
    os.fsync(out.fileno())


class _Source:
    """A pack to be joined: its objects' ids, offsets and CRCs by their position in the index."""

    def __init__(self, pack: Path):
        self.pack = pack
        listing = pack.with_suffix(".idx").read_bytes()
        self._file = open(pack, "rb", buffering=_CHUNK)  # noqa: SIM115 - it is one itself
        try:
            self._take(listing)
        except BaseException as error:
            self._file.close()
            if isinstance(error, (struct.error, ValueError, IndexError)):
                raise Unfit(pack) from error
            raise
        self._dulwich: Any = None
        self.ranks = array("I")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._dulwich is not None:
            self._dulwich.close()

    def _take(self, listing: bytes) -> None:
        count = int.from_bytes(listing[IDS - 4 : IDS], "big")
        crcs, near, far = (IDS + width * count for width in (20, 24, 28))
        self.end = os.fstat(self._file.fileno()).st_size - 20
        self._file.seek(max(self.end, 0))
        trailer = self._file.read()
        self._file.seek(0)
        head = self._file.read(12)
        sound = listing[:8] == b"\xfftOc" + struct.pack(">I", 2) and len(listing) >= far + 40
        sound = sound and listing[-40:-20] == trailer
        if not sound or head != b"PACK" + struct.pack(">II", 2, count):
            raise ValueError
        self.ids = listing[IDS:crcs]
        self.crcs = _swapped(array("I", listing[crcs:near]))
        offsets = _swapped(array("I", listing[near:far]))
        distant = _swapped(array("Q", listing[far:-40]))
        self.offsets = array("Q", [distant[one - FAR] if one >= FAR else one for one in offsets])
        self.order = sorted(range(count), key=self.offsets.__getitem__)
        if count and not (self.offsets[self.order[0]] >= 12 and self.offsets[self.order[-1]] < self.end):
            raise ValueError

    def each_id(self, number: int) -> Iterator[tuple[bytes, int]]:
        """(id, number) of all objects, sorted."""
        return ((self.ids[at : at + 20], number) for at in range(0, len(self.ids), 20))

    def entries(self) -> Iterator[tuple[int, int, int]]:
        """(position, start, end) of all entries as they follow each other in the pack."""
        for at, position in enumerate(self.order):
            last = at + 1 == len(self.order)
            yield position, self.offsets[position], self.end if last else self.offsets[self.order[at + 1]]

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """A part of the pack, in pieces."""
        self._file.seek(start)
        while start < end:
            piece = self._file.read(min(_CHUNK, end - start))
            if not piece:
                raise Unfit(self.pack)
            start += len(piece)
            yield piece

    def at(self, offset: int) -> int:
        """The position of the object that begins at an offset."""
        found = bisect_left(self.order, offset, key=self.offsets.__getitem__)
        if found == len(self.order) or self.offsets[self.order[found]] != offset:
            raise Unfit(self.pack)
        return self.order[found]

    def whole(self, position: int) -> tuple[int, bytes]:
        """(type, bytes) of an object, its deltas resolved, checked by its id."""
        from dulwich.object_format import DEFAULT_OBJECT_FORMAT
        from dulwich.pack import Pack

        id = self.ids[20 * position : 20 * position + 20]
        try:
            if self._dulwich is None:
                self._dulwich = Pack(os.fspath(self.pack)[:-5], object_format=DEFAULT_OBJECT_FORMAT)
            type, data = self._dulwich.get_raw(id)
            if (
                hashlib.sha1(b"%s %d\0" % (NAMES[type].encode(), len(data)) + data, usedforsecurity=False).digest()
                == id
            ):
                return type, data
        except FileNotFoundError:
            raise
        except Exception as error:
            # dulwich says of a broken pack whatever happens to it on the way.
            raise Unfit(self.pack) from error
        raise Unfit(self.pack)


class _Joint:
    """The pack that others become. Places: by rank, which is an id's number in their sorted union."""

    def __init__(self, name: str, sources: list[_Source]):
        self._sources = sources
        self._ids = bytearray()
        last = b""
        for id, number in heapq.merge(*(source.each_id(number) for number, source in enumerate(sources))):
            if id != last:
                self._ids += id
                last = id
            sources[number].ranks.append(len(self._ids) // 20 - 1)
        self._count = len(self._ids) // 20
        self._places = array("Q", bytes(8 * self._count))
        self._crcs = array("I", bytes(4 * self._count))
        self._depths = bytearray(self._count)
        self._digest = hashlib.sha1(usedforsecurity=False)
        self._here = self._synced = 0
        self._out = _created(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._out.close()

    def fill(self) -> bytes:
        """Write the pack, synced. Returns its checksum."""
        self._put(b"PACK" + struct.pack(">II", 2, self._count))
        for source in self._sources:
            for position, start, end in source.entries():
                if not self._places[source.ranks[position]]:
                    self._copy(source, position, start, end)
        digest = self._digest.digest()
        self._out.write(digest)
        _sync(self._out)
        return digest

    def _copy(self, source: _Source, position: int, start: int, end: int) -> None:
        rank, place = source.ranks[position], self._here
        head = b"".join(source.read(start, min(start + 64, end)))
        try:
            type, size, at = _opened(head)
            base, at = _base(type, head, at)
        except IndexError as error:
            raise Unfit(source.pack) from error
        first = head[:at]
        if base is not None:
            on = source.ranks[source.at(start - base)] if isinstance(base, int) else self._rank(source, base)
            # A base that lies before cannot lead back here, wherever the packs had it.
            if not self._places[on] or self._depths[on] >= _DEEP:
                self._put_whole(source, position, rank)
                return
            first = header(DELTAS[0], size) + _distance(place - self._places[on])
            self._depths[rank] = self._depths[on] + 1
        was, now = zlib.crc32(head[:at]), zlib.crc32(first)
        self._put(first)
        for piece in source.read(start + at, end):
            was, now = zlib.crc32(piece, was), zlib.crc32(piece, now)
            self._put(piece)
        if was != source.crcs[position]:
            raise Unfit(source.pack)
        self._places[rank], self._crcs[rank] = place, now

    def _put_whole(self, source: _Source, position: int, rank: int) -> None:
        type, data = source.whole(position)
        _, crc, entry = entry_of(NAMES[type], "", data)
        self._places[rank], self._crcs[rank] = self._here, crc
        self._put(entry)

    def _rank(self, source: _Source, id: bytes) -> int:
        found = bisect_left(range(self._count), id, key=lambda rank: bytes(self._ids[20 * rank : 20 * rank + 20]))
        if self._ids[20 * found : 20 * found + 20] != id:
            raise Unfit(source.pack)
        return found

    def _put(self, data: bytes) -> None:
        self._out.write(data)
        self._digest.update(data)
        self._here += len(data)
        if self._here - self._synced >= _UNSYNCED:
            # A writer that syncs the file system meanwhile must not wait for all of this.
            _sync(self._out)
            self._synced = self._here

    def list(self, out: Any, pack: bytes) -> None:
        """Write the pack's index (gitformat-pack(5), version 2)."""
        firsts = Counter(self._ids[::20])
        far = array("Q", [place for place in self._places if place >= FAR])
        near = array("I", bytes(4 * self._count))
        distant = 0
        for rank, place in enumerate(self._places):
            near[rank] = place if place < FAR else FAR + distant
            distant += place >= FAR
        digest = hashlib.sha1(usedforsecurity=False)
        for part in (
            b"\xfftOc" + struct.pack(">I", 2),
            struct.pack(">256I", *accumulate(firsts[byte] for byte in range(256))),
            self._ids,
            _swapped(self._crcs),
            _swapped(near),
            _swapped(far),
            pack,
        ):
            out.write(part)
            digest.update(part)
        out.write(digest.digest())


def _swapped(numbers: array[int]) -> array[int]:
    """Between the machine's order of bytes and the files'."""
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _opened(data: bytes) -> tuple[int, int, int]:
    """(type, size, where the rest begins) of an entry."""
    byte, at = data[0], 1
    type, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80:
        byte = data[at]
        size |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return type, size, at


def _base(type: int, data: bytes, at: int) -> tuple[int | bytes | None, int]:
    """What a delta is built on, a distance or an id, and where the rest begins."""
    if type == DELTAS[1]:
        return data[at : at + 20], at + 20
    if type != DELTAS[0]:
        return None, at
    byte = data[at]
    distance, at = byte & 0x7F, at + 1
    while byte & 0x80:
        byte = data[at]
        distance, at = ((distance + 1) << 7) | (byte & 0x7F), at + 1
    return distance, at


def _distance(number: int) -> bytes:
    out = [number & 0x7F]
    while number := number >> 7:
        number -= 1
        out.append(0x80 | (number & 0x7F))
    return bytes(reversed(out))


# -- upkeep: loose objects -------------------------------------------------------------------------


def loose(objects: Path, folders: Iterable[int] = range(256)) -> Iterator[Path]:
    """Files that are named like loose objects, of some or all of the 256 folders."""
    for number in folders:
        folder = objects / f"{number:02x}"
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in os.listdir(folder):
                if len(name) == 38 and not name.strip("0123456789abcdef"):
                    yield folder / name


def pack_loose(objects: Path) -> Iterator[list[Path]]:
    """Write loose objects as packs, synced. Yields files that are in a pack now and may go.

    One that cannot be read, is not what its name says, is huge or just came is left alone.
    """
    entries: dict[bytes, Entry] = {}
    packed: list[Path] = []
    total = 0
    for file in loose(objects):
        found = _read_loose(file)
        if found is None:
            continue
        entry = entry_of(found[0], file.parent.name + file.name, found[1])
        entries[entry[0]] = entry
        packed.append(file)
        total += len(entry[2])
        if total >= _BATCH[0] or len(packed) >= _BATCH[1]:
            write_entries(objects / "pack", entries.values())
            yield packed
            entries, packed, total = {}, [], 0
    if packed:
        write_entries(objects / "pack", entries.values())
        yield packed


def _read_loose(file: Path) -> tuple[str, bytes] | None:
    """(type, bytes) of a loose object, checked by its id; None for one to be left alone."""
    try:
        state = os.lstat(file)
        if state.st_size > _HUGE or abs(time.time() - state.st_mtime) < _YOUNG:
            return None
        inflate = zlib.decompressobj()
        whole = inflate.decompress(file.read_bytes(), _HUGE + 1)
    except (OSError, zlib.error):
        return None
    if not inflate.eof or hashlib.sha1(whole, usedforsecurity=False).hexdigest() != file.parent.name + file.name:
        return None
    head, _, data = whole.partition(b"\0")
    type, _, size = head.decode("ascii", "replace").partition(" ")
    return (type, data) if type in TYPES and size == str(len(data)) else None
