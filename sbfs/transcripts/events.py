"""What every transcript is read into: one event an entry. A format is a module with three functions.

    NAME: str                                            what `--format` calls it
    detect(path, head) -> int                            0 to 100: how sure it is that it reads this file
    sessions(path) -> Iterator[Transcript]               what a file of its holds
    events(transcript, cursor) -> Iterator[(Event, Cursor)]   the entries behind the cursor

`detect` gets the file's first bytes. `events` yields whole entries only, never raises for what a file
holds, and gives with each event the cursor behind it, from which reading goes on another day: all that a
reader has to remember is in it. Everything else (which entries make one turn, what is known already,
secrets, where it is kept) is done above, for all formats alike.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sbfs.fetching import pattern

Plain = dict[str, Any]
"""A turn's part, or a turn, as JSON knows it: the shapes of docs/format.md, "Conversations"."""

_COMMON_TIME = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True)
class Transcript:
    """A file that holds a session, or a part of one.

    session: its id. agent: of a sub-agent's file, that agent's id. compaction: whether that agent only
    summed the session up. name: the file's, as it is told of: below the session where it is a part.
    refused: why it is not read, although its format is known.
    """

    path: Path
    format: str
    session: str
    agent: str = ""
    compaction: bool = False
    name: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Cursor:
    """How far a file is read. offset: bytes. line: complete lines before it. state: what the format's
    reader has to remember, as JSON knows it."""

    offset: int = 0
    line: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Event:
    """One entry of a transcript.

    id: its own, never empty but of what is left out or unreadable. turn: the id of the turn that it
    belongs to; several entries may make one. usage: of a response, tokens by sort (see `tokens`).
    request: the id of the request that was answered. parts: as in docs/format.md; an image holds its
    bytes as `data`. folder: the working directory;
    folder_hash: its SHA-256, where that is all it says. facts: what else it says. left_out: the entry's type,
    where it is left out by rule. trouble: why it cannot be read. whole: it says all of its turn, in place of
    what an earlier entry of the same turn said. redacted: what was
    taken out of it later on, by type. raw: the entry as it was read.
    """

    id: str = ""
    turn: str = ""
    role: str = "system"
    origin: str = "unknown"
    timestamp: str = ""
    name: str = ""
    model: str = ""
    request: str = ""
    usage: Plain | None = None
    speed: str = ""
    sidechain: bool = False
    parts: list[Plain] = field(default_factory=list)
    folder: str = ""
    folder_hash: str = ""
    branch: str = ""
    version: str = ""
    facts: Plain = field(default_factory=dict)
    left_out: str = ""
    trouble: str = ""
    whole: bool = False
    redacted: Mapping[str, int] = field(default_factory=dict)
    raw: Any = None


# -- helpers that readers share --------------------------------------------------------------------


def moment(value: Any) -> str:
    """A time as records write it: UTC to the millisecond; "" for what is none."""
    if not isinstance(value, str):
        return ""
    try:
        found = datetime.fromisoformat(value)
        if _COMMON_TIME.fullmatch(value):
            return value
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return ""


def text(value: Any) -> str:
    """A text, or "" for what is none."""
    return value if isinstance(value, str) else ""


def mapping(value: Any) -> Plain:
    """A mapping, or an empty one."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> int:
    """A count: 0 for what is none."""
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**53 else 0


def tokens(*, input: int, output: int, cache_creation: int = 0, cache_read: int = 0, hour: int = 0) -> Plain:
    """Tokens by sort. input: without what came from the cache. hour: of cache_creation, kept for an hour."""
    counts = {"input": input, "output": output, "cache_creation": cache_creation, "cache_read": cache_read}
    return {**counts, **({"cache_creation_hour": hour} if hour else {})}


def text_part(value: str) -> Plain:
    """A part that says something."""
    return {"type": "text", "text": value}


def raw_part(entry: Any) -> Plain:
    """A part that keeps an entry as it is."""
    return {"type": "raw", "entry": entry}


def image_part(media_type: str, encoded: Any) -> Plain:
    """An image from base64; one that cannot be decoded is kept as it is."""
    import base64
    import binascii

    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return raw_part({"media_type": media_type, "data": encoded})
    return {"type": "image", "media_type": media_type or "application/octet-stream", "data": data}


def own_id(prefix: str, entry: Any) -> str:
    """An id for an entry that has none, made from what it says."""
    said = json.dumps(entry, sort_keys=True, default=str).encode()
    return f"{prefix}-{hashlib.sha256(said).hexdigest()[:16]}"


def without_empty(data: Mapping[str, Any]) -> Plain:
    """The keys that say something."""
    return {key: value for key, value in data.items() if value not in (None, "", False) and value != [] and value != {}}


def is_uuid(value: str) -> bool:
    """Whether a text has the form of a UUID."""
    return bool(re.fullmatch(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value))
