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
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import IO

from sbfs.files import sync_folder

TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
NAMES = {number: name for name, number in TYPES.items()}
_DELTAS = (6, 7)
_FAR = 1 << 31
"""Offsets from here on do not fit into an index's plain table."""

TIERS = ((64 * 1024, 24), (1536 * 1024, 12), (24 * 1024 * 1024, 12))
"""(bytes, count): when so many packs are below a size, they become one. Bounds both the number of
packs a reader has to ask and the bytes a single command copies."""

Object = tuple[str, str, bytes]
"""(type, id, bytes)."""


def write(folder: Path, objects: Iterable[Object]) -> Path:
    """Write objects as one pack with its index into objects/pack, synced. Returns the pack's path."""
    return _write(folder, [(id, _entry(type, data)) for type, id, data in objects])


def _entry(type: str, data: bytes) -> bytes:
    # Trees are mostly hashes, which do not compress: spend no time on them.
    return _header(TYPES[type], len(data)) + zlib.compress(data, 1 if type == "tree" else -1)


def _header(type: int, size: int) -> bytes:
    first, size = (type << 4) | (size & 15), size >> 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    out.append(first)
    return bytes(out)


def _write(folder: Path, entries: Collection[tuple[str, bytes]]) -> Path:
    temporary = folder / f"tmp_sbfs_{os.getpid()}_{secrets.token_hex(6)}"
    listing = Path(f"{temporary}.idx")
    index: list[tuple[bytes, int, int]] = []
    try:
        with open(temporary, "xb") as file:
            header = b"PACK" + struct.pack(">II", 2, len(entries))
            digest, at = hashlib.sha1(header, usedforsecurity=False), len(header)
            file.write(header)
            for id, entry in entries:
                index.append((bytes.fromhex(id), at, zlib.crc32(entry)))
                file.write(entry)
                digest.update(entry)
                at += len(entry)
            file.write(digest.digest())
            _sync(file)
        index.sort()
        with open(listing, "xb") as file:
            file.write(_listing(index, digest.digest()))
            _sync(file)
        name = hashlib.sha1(b"".join(id for id, _, _ in index), usedforsecurity=False).hexdigest()
        target = folder / f"pack-{name}.pack"
        os.replace(temporary, target)
        os.replace(listing, target.with_suffix(".idx"))
        sync_folder(folder)
        return target
    finally:
        temporary.unlink(missing_ok=True)
        listing.unlink(missing_ok=True)


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
            *(id for id, _, _ in index),
            struct.pack(f">{len(index)}I", *(crc for _, _, crc in index)),
            struct.pack(f">{len(index)}I", *(places.get(offset, offset) for _, offset, _ in index)),
            struct.pack(f">{len(far)}Q", *far),
            pack,
        )
    )
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def _sync(file: IO[bytes]) -> None:
    os.fchmod(file.fileno(), 0o444)
    file.flush()
    os.fsync(file.fileno())


def join_small(folder: Path) -> None:
    """Join packs of ours where a tier has too many. Only under the store's lock."""
    ours = _ours(folder)
    if len(ours) < min(count for _, count in TIERS):
        return
    sizes = {pack: pack.stat().st_size for pack in ours}
    lower = 0
    for size, count in TIERS:
        tier = [pack for pack, bytes in sizes.items() if lower <= bytes < size]
        lower = size
        if len(tier) >= count:
            _join(folder, tier)


def _ours(folder: Path) -> list[Path]:
    """Packs without a companion of Git's (.keep, .promisor, .bitmap, .rev)."""
    names: dict[str, set[str]] = {}
    for name in os.listdir(folder):
        if name.startswith("pack-"):
            stem, _, suffix = name.partition(".")
            names.setdefault(stem, set()).add(suffix)
    return [folder / f"{stem}.pack" for stem, suffixes in names.items() if suffixes == {"pack", "idx"}]


def _join(folder: Path, packs: list[Path]) -> None:
    whole = [(pack, entries) for pack in packs if (entries := list(_read_whole(pack)))]
    if len(whole) < 2:
        return
    unique = {id: entry for _, entries in whole for id, entry in entries}
    joined = _write(folder, unique.items())
    for pack, _ in whole:
        if pack != joined:
            pack.with_suffix(".idx").unlink(missing_ok=True)
            pack.unlink(missing_ok=True)


def _read_whole(pack: Path) -> Iterator[tuple[str, bytes]]:
    """(id, entry bytes) of a pack without deltas; nothing for any other."""
    offsets = _offsets(pack.with_suffix(".idx").read_bytes())
    data = pack.read_bytes()
    if any(offset >= len(data) or (data[offset] >> 4) & 7 in _DELTAS for offset, _ in offsets):
        return
    ends = [offset for offset, _ in offsets[1:]] + [len(data) - 20]
    for (offset, id), end in zip(offsets, ends, strict=True):
        yield id, data[offset:end]


def _offsets(listing: bytes) -> list[tuple[int, str]]:
    """(offset, id) of a pack's objects by its index, sorted; nothing for an index that we would not write."""
    if len(listing) < 1072 or listing[:8] != b"\xfftOc" + struct.pack(">I", 2):
        return []
    (count,) = struct.unpack_from(">I", listing, 1028)
    if len(listing) != 1072 + 28 * count:
        return []
    ids = (listing[at : at + 20].hex() for at in range(1032, 1032 + 20 * count, 20))
    return sorted(zip(struct.unpack_from(f">{count}I", listing, 1032 + 24 * count), ids, strict=True))
