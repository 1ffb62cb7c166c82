"""Packs: new objects go to disk as one pack a publication, and packs are joined.

Who publishes joins no more than the smallest packs of ours, which hold whole objects: copying bytes.
All else is for upkeep, outside the store's lock: `plan` says which packs, ours and Git's, should
become one; `join` writes it beside them; `exchange` takes the old ones away. An object is therefore
always in one pack at least, whatever dies. Packs with .keep, .promisor or .mtimes are never touched.
"""

from __future__ import annotations

import hashlib
import heapq
import os
import secrets
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

from sbfs import files

TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
NAMES = {number: name for name, number in TYPES.items()}
_DELTAS = (6, 7)
_FAR = 1 << 31
"""Offsets from here on do not fit into an index's plain table."""

TINY = 64 * 1024
"""Bytes below which a pack is joined by whoever publishes, once there are 24 of them."""

_TINY_COUNT = 24
_TINY_LIMIT = 27
"""So many tiny packs are not all ours: upkeep joins them."""

_LIMIT = 14
"""Packs that are not tiny, up to which upkeep leaves them alone."""

_CROWD = 44
"""Packs from which a publisher joins more than the tiny ones, as upkeep does not keep up."""

_INLINE = (2 * 1024 * 1024, 8 * 1024 * 1024)
"""Bytes that one publication copies at most: of tiny packs, and in a crowd."""

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

HELD = (".keep", ".promisor", ".mtimes")
"""Files beside a pack by which Git says that it must stay."""

_SMALL = 1536 * 1024
"""Bytes of a pack up to which it is kept in memory as a whole."""

_IDS = 1032
"""Where the ids begin in a pack's index."""

_MANY = 40
"""Objects from which a pack is the work of several writers: a single message brings a dozen."""

Object = tuple[str, str, bytes]
"""(type, id, bytes)."""


def write(folder: Path, objects: Iterable[Object]) -> Path:
    """Write objects as one pack with its index into objects/pack, synced. Returns the pack's path."""
    return _write(folder, [_entry(type, id, data) for type, id, data in objects])


_Entry = tuple[bytes, int, bytes]
"""(id, CRC, bytes) of an object as it lies in a pack."""


def _entry(type: str, id: str, data: bytes) -> _Entry:
    # Trees are mostly hashes, which do not compress: spend little time on them.
    entry = _header(TYPES[type], len(data)) + _deflated(data, 1 if type == "tree" else -1)
    return bytes.fromhex(id), zlib.crc32(entry), entry


def _deflated(data: bytes, level: int) -> bytes:
    # Most objects are small, and clearing the memory of a full window takes ten times as long as
    # compressing them: the window need not be larger than they are.
    window, memory = (13, 5) if len(data) <= 1 << 13 else (15, 8)
    compressor = zlib.compressobj(level, zlib.DEFLATED, window, memory)
    return compressor.compress(data) + compressor.flush()


def _header(type: int, size: int) -> bytes:
    first, size = (type << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    out.append(first)
    return bytes(out)


def _write(folder: Path, entries: Collection[_Entry]) -> Path:
    temporary = f"{folder / 'tmp_sbfs'}_{os.getpid()}_{secrets.token_hex(6)}"
    listing = f"{temporary}.idx"
    head = b"PACK" + struct.pack(">II", 2, len(entries))
    offsets = accumulate((len(entry) for _, _, entry in entries), initial=len(head))
    index = sorted((id, offset, crc) for (id, crc, _), offset in zip(entries, offsets, strict=False))
    body = b"".join([head, *(entry for _, _, entry in entries)])
    digest = hashlib.sha1(body, usedforsecurity=False).digest()
    # Named by its bytes, as Git does: another order of the same objects never replaces a pack in use.
    target = folder / f"pack-{digest.hex()}.pack"
    try:
        contents = {temporary: body + digest, listing: _listing(index, digest)}
        files.write_new(contents, mode=0o444, bulk=len(entries) > _MANY)
        os.replace(temporary, target)
        os.replace(listing, target.with_suffix(".idx"))
        files.sync_folder(folder)
        return target
    finally:
        for left in (temporary, listing):
            with suppress(FileNotFoundError):
                os.unlink(left)


def _listing(index: Sequence[tuple[bytes, int, int]], pack: bytes) -> bytes:
    """The bytes of a pack's index, version 2 (gitformat-pack(5)).

    index: (id, offset, crc), sorted. pack: its checksum.
    """
    firsts = Counter(id[0] for id, _, _ in index)
    far = [offset for _, offset, _ in index if offset >= _FAR]
    places = {offset: _FAR + number for number, offset in enumerate(far)}
    body = b"".join(
        (
            b"\xfftOc" + struct.pack(">I", 2),
            struct.pack(">256I", *accumulate(firsts[byte] for byte in range(256))),
            *[id for id, _, _ in index],
            struct.pack(f">{len(index)}I", *[crc for _, _, crc in index]),
            struct.pack(f">{len(index)}I", *[places.get(offset, offset) for _, offset, _ in index]),
            struct.pack(f">{len(far)}Q", *far),
            pack,
        )
    )
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def join_small(folder: Path) -> None:
    """Join the smallest packs of ours where there are too many. Only under the store's lock.

    A publication pays for it, so no more is copied than that takes some hundredths of a second.
    """
    names = os.listdir(folder)
    if sum(name.endswith(".pack") for name in names) < _TINY_COUNT:
        return
    ours = [folder / f"{stem}.pack" for stem in _stems(names, set()) if stem.startswith("pack-")]
    sizes = sorted((os.stat(pack).st_size, pack) for pack in ours)
    tiny = [one for one in sizes if one[0] < TINY]
    if len(tiny) >= _TINY_COUNT:
        _join(folder, _within(tiny, _INLINE[0]))
    elif len(sizes) >= _CROWD:
        _join(folder, _within(sizes, _INLINE[1]))


def _within(sizes: list[tuple[int, Path]], limit: int) -> list[Path]:
    """The first packs that hold no more than so many bytes together."""
    sums = accumulate(size for size, _ in sizes)
    return [pack for (_, pack), total in zip(sizes, sums, strict=True) if total <= limit]


def _stems(names: Iterable[str], companions: set[str]) -> list[str]:
    """Packs with an index that have no other files beside them than these."""
    found: dict[str, set[str]] = {}
    for name in names:
        stem, _, suffix = name.partition(".")
        found.setdefault(stem, set()).add(suffix)
    return [stem for stem, suffixes in found.items() if {"pack", "idx"} <= suffixes <= {"pack", "idx"} | companions]


def _join(folder: Path, packs: list[Path]) -> None:
    whole = [(pack, entries) for pack in packs if (entries := _read_whole(pack))]
    if len(whole) < 2:
        return
    unique = {entry[0]: entry for _, entries in whole for entry in entries}
    joined = _write(folder, unique.values())
    exchange(folder, joined, [pack for pack, _ in whole])


def _read_whole(pack: Path) -> list[_Entry]:
    """The objects of a pack without deltas; nothing for any other."""
    listed = _listed(pack.with_suffix(".idx").read_bytes())
    data = pack.read_bytes()
    if any(offset >= len(data) or (data[offset] >> 4) & 7 in _DELTAS for offset, _, _ in listed):
        return []
    ends = [offset for offset, _, _ in listed[1:]] + [len(data) - 20]
    return [(id, crc, data[offset:end]) for (offset, id, crc), end in zip(listed, ends, strict=True)]


def _listed(listing: bytes) -> list[tuple[int, bytes, int]]:
    """(offset, id, CRC) of a pack's objects by its index, sorted; nothing for an index that we would not write."""
    if not _is_ours(listing):
        return []
    (count,) = struct.unpack_from(">I", listing, _IDS - 4)
    ids = [listing[at : at + 20] for at in range(_IDS, _IDS + 20 * count, 20)]
    crcs = struct.unpack_from(f">{count}I", listing, _IDS + 20 * count)
    return sorted(zip(struct.unpack_from(f">{count}I", listing, _IDS + 24 * count), ids, crcs, strict=True))


def _is_ours(listing: bytes) -> bool:
    """Whether a pack's index is as we write them: version 2, whole, no pack beyond 2 GiB."""
    count = int.from_bytes(listing[_IDS - 4 : _IDS], "big")
    return listing[:8] == b"\xfftOc" + struct.pack(">I", 2) and len(listing) == _IDS + 28 * count + 40


# -- upkeep: joining outside the lock --------------------------------------------------------------


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
    for stem in _stems(names, {"rev", "bitmap"}):
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
    temporary = f"{folder / 'tmp_sbfs'}_{os.getpid()}_{secrets.token_hex(6)}"
    listing = f"{temporary}.idx"
    try:
        with ExitStack() as stack:
            sources = [stack.enter_context(_Source(pack)) for pack in packs]
            joint = stack.enter_context(_Joint(temporary, sources))
            digest = joint.fill()
        with _created(listing) as out:
            joint.list(out, digest)
            _sync(out)
        target = folder / f"pack-{digest.hex()}.pack"
        os.replace(temporary, target)
        os.replace(listing, target.with_suffix(".idx"))
        files.sync_folder(folder)
        return target
    finally:
        for left in (temporary, listing):
            with suppress(FileNotFoundError):
                os.unlink(left)


def exchange(folder: Path, joined: Path, old: Iterable[Path]) -> None:
    """Take packs away whose objects are all in the joined one. Only under the store's lock.

    The pack goes before its index: what a kill leaves then holds nothing, and `sweep` may remove it.
    """
    if not joined.exists() or not joined.with_suffix(".idx").exists():
        return
    # Git's index over several packs would name packs that are gone.
    for name in os.listdir(folder):
        if name == "multi-pack-index" or name.startswith("multi-pack-index-"):
            (folder / name).unlink(missing_ok=True)
    for pack in old:
        if pack != joined and not pack.with_suffix(".keep").exists():
            for suffix in (".pack", ".idx", ".rev", ".bitmap"):
                pack.with_suffix(suffix).unlink(missing_ok=True)


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
        count = int.from_bytes(listing[_IDS - 4 : _IDS], "big")
        crcs, near, far = (_IDS + width * count for width in (20, 24, 28))
        self.end = os.fstat(self._file.fileno()).st_size - 20
        self._file.seek(max(self.end, 0))
        trailer = self._file.read()
        self._file.seek(0)
        head = self._file.read(12)
        sound = listing[:8] == b"\xfftOc" + struct.pack(">I", 2) and len(listing) >= far + 40
        sound = sound and listing[-40:-20] == trailer
        if not sound or head != b"PACK" + struct.pack(">II", 2, count):
            raise ValueError
        self.ids = listing[_IDS:crcs]
        self.crcs = _swapped(array("I", listing[crcs:near]))
        offsets = _swapped(array("I", listing[near:far]))
        distant = _swapped(array("Q", listing[far:-40]))
        self.offsets = array("Q", [distant[one - _FAR] if one >= _FAR else one for one in offsets])
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
        self._here = 0
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
            first = _header(_DELTAS[0], size) + _distance(place - self._places[on])
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
        _, crc, entry = _entry(NAMES[type], "", data)
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

    def list(self, out: Any, pack: bytes) -> None:
        """Write the pack's index (gitformat-pack(5), version 2)."""
        firsts = Counter(self._ids[::20])
        far = array("Q", [place for place in self._places if place >= _FAR])
        near = array("I", bytes(4 * self._count))
        distant = 0
        for rank, place in enumerate(self._places):
            near[rank] = place if place < _FAR else _FAR + distant
            distant += place >= _FAR
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
    if type == _DELTAS[1]:
        return data[at : at + 20], at + 20
    if type != _DELTAS[0]:
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
    entries: dict[bytes, _Entry] = {}
    packed: list[Path] = []
    total = 0
    for file in loose(objects):
        found = _read_loose(file)
        if found is None:
            continue
        entry = _entry(found[0], file.parent.name + file.name, found[1])
        entries[entry[0]] = entry
        packed.append(file)
        total += len(entry[2])
        if total >= _BATCH[0] or len(packed) >= _BATCH[1]:
            _write(objects / "pack", entries.values())
            yield packed
            entries, packed, total = {}, [], 0
    if packed:
        _write(objects / "pack", entries.values())
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


# -- reading what was written last -----------------------------------------------------------------


class Recent:
    """The objects of small packs, found by one look instead of asking pack after pack.

    A store that is written to has dozens of small packs, and what was written last is read most.
    What is not here, not whole or damaged is for Git's own way of looking.
    """

    def __init__(self, folder: Path):
        """folder: objects/pack."""
        self._folder = folder
        self._changed = -1
        self._listings: dict[str, bytes] = {}
        self._bytes: dict[str, bytes] = {}

    def read(self, id: str) -> tuple[str, bytes] | None:
        """(type, bytes) of an object, or None."""
        key = bytes.fromhex(id)
        try:
            place = self._find(key) or (self._look() and self._find(key))
            if not place:
                return None
            pack, offset = place
            if pack not in self._bytes:
                self._bytes[pack] = (self._folder / f"{pack}.pack").read_bytes()
            return _object_at(self._bytes[pack], offset)
        except (OSError, IndexError, struct.error, zlib.error):
            return None

    def _find(self, key: bytes) -> tuple[str, int] | None:
        """The pack that holds an object, the youngest first, and where in it."""
        for pack, listing in reversed(self._listings.items()):
            # Looking through the bytes is faster than taking them apart, which every process would
            # have to do for every pack that another one wrote.
            at = listing.find(key, _IDS)
            while at >= 0 and (at - _IDS) % 20:
                at = listing.find(key, at + 1)
            count = int.from_bytes(listing[_IDS - 4 : _IDS], "big")
            if 0 <= at < _IDS + 20 * count:
                (offset,) = struct.unpack_from(">I", listing, _IDS + 24 * count + (at - _IDS) // 5)
                return pack, offset
        return None

    def _look(self) -> bool:
        """Take in packs that came, forget those that went. Returns whether there may be news."""
        changed = os.stat(self._folder).st_mtime_ns
        if changed == self._changed:
            return False
        names = {name[:-4] for name in os.listdir(self._folder) if name.endswith(".idx")}
        for pack in self._listings.keys() - names:
            del self._listings[pack]
            self._bytes.pop(pack, None)
        for pack in names - self._listings.keys():
            self._listings[pack] = self._read_listing(pack)
        self._changed = changed
        return True

    def _read_listing(self, pack: str) -> bytes:
        try:
            if os.stat(f"{self._folder}/{pack}.pack").st_size < _SMALL:
                listing = (self._folder / f"{pack}.idx").read_bytes()
                return listing if _is_ours(listing) else b""
        except FileNotFoundError:
            pass
        return b""


def _object_at(data: bytes, at: int) -> tuple[str, bytes] | None:
    """(type, bytes) of the object at an offset of a pack; None for a delta or a broken one."""
    byte = data[at]
    type, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80:
        at += 1
        byte = data[at]
        size |= (byte & 0x7F) << shift
        shift += 7
    if type not in NAMES:
        return None
    inflate = zlib.decompressobj()
    content = inflate.decompress(memoryview(data)[at + 1 :], size + 1)
    return (NAMES[type], content) if inflate.eof and len(content) == size else None
