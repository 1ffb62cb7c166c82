"""Packs: new objects go to disk as one pack a publication, and small packs are joined.

Our packs hold whole objects, no deltas, so joining them is copying bytes; packs that Git made are
left to Git.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from sbfs import files

TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
NAMES = {number: name for name, number in TYPES.items()}
_DELTAS = (6, 7)
_FAR = 1 << 31
"""Offsets from here on do not fit into an index's plain table."""

TIERS = ((64 * 1024, 24), (1536 * 1024, 12), (24 * 1024 * 1024, 12))
"""(bytes, count): when so many packs are below a size, they become one. Bounds both the number of
packs a reader has to ask and the bytes a single command copies."""

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
    name = hashlib.sha1(b"".join([id for id, _, _ in index]), usedforsecurity=False).hexdigest()
    target = folder / f"pack-{name}.pack"
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
    """Join packs of ours where a tier has too many. Only under the store's lock."""
    names = os.listdir(folder)
    least = min(count for _, count in TIERS)
    if sum(name.endswith(".pack") for name in names) < least:
        return
    sizes = {folder / name: os.stat(f"{folder}/{name}").st_size for name in _ours(names)}
    lower = 0
    for size, count in TIERS:
        tier = [pack for pack, bytes in sizes.items() if lower <= bytes < size]
        lower = size
        if len(tier) >= count:
            _join(folder, tier)


def _ours(names: Iterable[str]) -> list[str]:
    """Packs without a companion of Git's (.keep, .promisor, .bitmap, .rev)."""
    found: dict[str, set[str]] = {}
    for name in names:
        if name.startswith("pack-"):
            stem, _, suffix = name.partition(".")
            found.setdefault(stem, set()).add(suffix)
    return [f"{stem}.pack" for stem, suffixes in found.items() if suffixes == {"pack", "idx"}]


def _join(folder: Path, packs: list[Path]) -> None:
    whole = [(pack, entries) for pack in packs if (entries := _read_whole(pack))]
    if len(whole) < 2:
        return
    unique = {entry[0]: entry for _, entries in whole for entry in entries}
    joined = _write(folder, unique.values())
    for pack, _ in whole:
        if pack != joined:
            pack.with_suffix(".idx").unlink(missing_ok=True)
            pack.unlink(missing_ok=True)


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
