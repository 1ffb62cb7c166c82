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
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO

from sbfs.files import sync_folder

TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
NAMES = {number: name for name, number in TYPES.items()}
_DELTAS = (6, 7)

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
    from dulwich.pack import write_pack_index_v2

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
            write_pack_index_v2(file, index, digest.digest())
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
    from dulwich.object_format import DEFAULT_OBJECT_FORMAT
    from dulwich.pack import load_pack_index

    index = load_pack_index(os.fspath(pack.with_suffix(".idx")), DEFAULT_OBJECT_FORMAT)
    try:
        offsets = sorted((offset, sha.hex()) for sha, offset, _ in index.iterentries())
    finally:
        index.close()
    data = pack.read_bytes()
    if any((data[offset] >> 4) & 7 in _DELTAS for offset, _ in offsets):
        return
    ends = [offset for offset, _ in offsets[1:]] + [len(data) - 20]
    for (offset, id), end in zip(offsets, ends, strict=True):
        yield id, data[offset:end]
