"""What the index keeps of an entry beside its words: what is said of it in a list, and what it is filtered by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sbfs.entry import Entry
from sbfs.search.question import OWN, Hit, facet, given

HASHED = {"id", "group"}
"""Words to filter by that nearly every entry has another value of: they have a column instead of terms."""

MOMENT = 24
"""Bytes of `2026-11-22T14:03:07.123Z`: times are compared by that many."""


@lru_cache(maxsize=1024)
def hashed(text: str) -> int:
    """64 bits of a text; 0 for none."""
    if not text:
        return 0
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1


def moment(text: str) -> bytes:
    """A time as it is compared."""
    return text.encode("utf-8", "surrogatepass")[:MOMENT].ljust(MOMENT, b"\0")


@lru_cache(maxsize=4096)
def facet_term(word: str, value: str) -> bytes:
    """A facet's value as a term."""
    term = f"{word}\0{value}".encode("utf-8", "surrogatepass")
    return term if len(term) <= 200 else b"\1" + hashlib.blake2b(term).digest()


def card_of(key: str, blob: str, entry: Entry) -> bytes:
    """What is said of an entry without reading its record: its path, then the rest."""
    rest = (
        key, blob, entry.id, entry.kind, entry.project, entry.group, entry.seq, entry.timestamp, entry.due,
        entry.parent, entry.local_id, entry.title[:200],
    )  # fmt: skip
    return entry.path.encode("utf-8", "surrogatepass") + b"\0" + json.dumps(rest, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Card:
    """What is said of an entry."""

    path: str
    key: str
    blob: str
    id: str
    kind: str
    project: str
    group: str
    seq: int
    timestamp: str
    due: str
    parent: str
    local_id: str
    title: str

    def hit(self, score: float, matched: Iterable[str]) -> Hit:
        """As a hit."""
        return Hit(**vars(self), score=score, matched=tuple(matched))


def read_card(data: bytes) -> Card:
    """A card from its bytes."""
    path, _, rest = data.partition(b"\0")
    return Card(path.decode("utf-8", "surrogatepass"), *json.loads(rest))


def facets_of(entry: Entry) -> set[bytes]:
    """An entry's facets as terms."""
    values = ((word, given(entry, word) if word in HASHED else facet(entry, word)) for word in {*entry.facets, *OWN})
    return {facet_term(word, value) for word, found in values for value in found}
