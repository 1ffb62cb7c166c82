"""Packs: new objects go to disk as one pack a publication, and what was written last is read from memory.

Who publishes joins no more than the smallest packs of ours, which hold whole objects: copying bytes.
All else is for upkeep (`joining`), outside the store's lock. Packs with .keep, .promisor or .mtimes
are never touched.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import Self

from sbfs import files

TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
NAMES = {number: name for name, number in TYPES.items()}
DELTAS = (6, 7)
FAR = 1 << 31
"""Offsets from here on do not fit into an index's plain table."""

TINY = 64 * 1024
"""Bytes below which a pack is joined by whoever publishes, once there are 24 of them."""

_TINY_COUNT = 24
_CROWD = 44
"""Packs from which a publisher joins more than the tiny ones, as upkeep does not keep up."""

_INLINE = (2 * 1024 * 1024, 8 * 1024 * 1024)
"""Bytes that one publication copies at most: of tiny packs, and in a crowd."""

_SMALL = 1536 * 1024
"""Bytes of a pack up to which it is kept in memory as a whole."""

IDS = 1032
"""Where the ids begin in a pack's index."""

_MANY = 40
"""Objects from which a pack is the work of several writers: a single message brings a dozen."""

Object = tuple[str, str, bytes]
"""(type, id, bytes)."""

Entry = tuple[bytes, int, bytes]
"""(id, CRC, bytes) of an object as it lies in a pack."""


def write(folder: Path, objects: Iterable[Object]) -> Path:
    """Write objects as one pack with its index into objects/pack, synced. Returns the pack's path."""
    return write_entries(folder, [entry_of(type, id, data) for type, id, data in objects])


def entry_of(type: str, id: str, data: bytes) -> Entry:
    """An object as it is to lie in a pack: whole and compressed."""
    # Trees are mostly hashes, which do not compress: spend little time on them.
    entry = header(TYPES[type], len(data)) + _deflated(data, 1 if type == "tree" else -1)
    return bytes.fromhex(id), zlib.crc32(entry), entry


def _deflated(data: bytes, level: int) -> bytes:
    # Most objects are small, and clearing the memory of a full window takes ten times as long as
    # compressing them: the window need not be larger than they are.
    window, memory = (13, 5) if len(data) <= 1 << 13 else (15, 8)
    compressor = zlib.compressobj(level, zlib.DEFLATED, window, memory)
    return compressor.compress(data) + compressor.flush()


def header(type: int, size: int) -> bytes:
    """The head of an entry: its type, and its size before compression (gitformat-pack(5))."""
    first, size = (type << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    out.append(first)
    return bytes(out)


def write_entries(folder: Path, entries: Collection[Entry]) -> Path:
    """Write a pack with its index, synced. Returns the pack's path."""
    head = b"PACK" + struct.pack(">II", 2, len(entries))
    offsets = accumulate((len(entry) for _, _, entry in entries), initial=len(head))
    index = sorted((id, offset, crc) for (id, crc, _), offset in zip(entries, offsets, strict=False))
    body = b"".join([head, *(entry for _, _, entry in entries)])
    digest = _sha1(body)
    with staged(folder) as stage:
        contents = {stage.pack: body + digest, stage.listing: listing_of(index, digest)}
        files.write_new(contents, mode=0o444, bulk=len(entries) > _MANY)
        return stage.place(digest)


def _sha1(data: bytes) -> bytes:
    # Loading it takes longer than most commands that only read.
    from hashlib import sha1

    return sha1(data, usedforsecurity=False).digest()


class staged:  # noqa: N801 - reads as a verb
    """A pack and its index under temporary names, which `place` ends; otherwise they go again."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.pack = f"{folder / 'tmp_sbfs'}_{os.getpid()}_{os.urandom(6).hex()}"
        self.listing = f"{self.pack}.idx"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for left in (self.pack, self.listing):
            with suppress(FileNotFoundError):
                os.unlink(left)

    def place(self, digest: bytes) -> Path:
        """Give them their names, synced. Returns the pack's path.

        Named by its bytes, as Git does: another order of the same objects never replaces a pack in use.
        """
        target = self._folder / f"pack-{digest.hex()}.pack"
        os.replace(self.pack, target)
        os.replace(self.listing, target.with_suffix(".idx"))
        files.sync_folder(self._folder)
        return target


def listing_of(index: Sequence[tuple[bytes, int, int]], pack: bytes) -> bytes:
    """The bytes of a pack's index, version 2 (gitformat-pack(5)).

    index: (id, offset, crc), sorted. pack: its checksum.
    """
    firsts = Counter(id[0] for id, _, _ in index)
    far = [offset for _, offset, _ in index if offset >= FAR]
    places = {offset: FAR + number for number, offset in enumerate(far)}
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
    return body + _sha1(body)


def join_small(folder: Path) -> None:
    """Join the smallest packs of ours where there are too many. Only under the store's lock.

    A publication pays for it, so no more is copied than that takes some hundredths of a second.
    """
    names = os.listdir(folder)
    if sum(name.endswith(".pack") for name in names) < _TINY_COUNT:
        return
    ours = [folder / f"{stem}.pack" for stem in stems(names, set()) if stem.startswith("pack-")]
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


def stems(names: Iterable[str], companions: set[str]) -> list[str]:
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
    joined = write_entries(folder, unique.values())
    exchange(folder, joined, [pack for pack, _ in whole])


def _read_whole(pack: Path) -> list[Entry]:
    """The objects of a pack without deltas; nothing for any other."""
    listed = _listed(pack.with_suffix(".idx").read_bytes())
    data = pack.read_bytes()
    if any(offset >= len(data) or (data[offset] >> 4) & 7 in DELTAS for offset, _, _ in listed):
        return []
    ends = [offset for offset, _, _ in listed[1:]] + [len(data) - 20]
    return [(id, crc, data[offset:end]) for (offset, id, crc), end in zip(listed, ends, strict=True)]


def _listed(listing: bytes) -> list[tuple[int, bytes, int]]:
    """(offset, id, CRC) of a pack's objects by its index, sorted; nothing for an index that we would not write."""
    if not _is_ours(listing):
        return []
    (count,) = struct.unpack_from(">I", listing, IDS - 4)
    ids = [listing[at : at + 20] for at in range(IDS, IDS + 20 * count, 20)]
    crcs = struct.unpack_from(f">{count}I", listing, IDS + 20 * count)
    return sorted(zip(struct.unpack_from(f">{count}I", listing, IDS + 24 * count), ids, crcs, strict=True))


def _is_ours(listing: bytes) -> bool:
    """Whether a pack's index is as we write them: version 2, whole, no pack beyond 2 GiB."""
    count = int.from_bytes(listing[IDS - 4 : IDS], "big")
    return listing[:8] == b"\xfftOc" + struct.pack(">I", 2) and len(listing) == IDS + 28 * count + 40


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
            at = listing.find(key, IDS)
            while at >= 0 and (at - IDS) % 20:
                at = listing.find(key, at + 1)
            count = int.from_bytes(listing[IDS - 4 : IDS], "big")
            if 0 <= at < IDS + 20 * count:
                (offset,) = struct.unpack_from(">I", listing, IDS + 24 * count + (at - IDS) // 5)
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
