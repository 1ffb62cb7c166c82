"""The plain format, which any program can write: one message a line.

    {"id": "7", "role": "user", "name": "Pat", "content": "Add the export", "timestamp": "2026-02-11T20:36:45Z"}

`content` is a text, or a list of texts and `{"type": "text", "text": …}`; everything else may be absent.
`role`: `user` (where it is absent), `assistant`, `system` or `tool`. `model` and `cwd`, the working
directory, are understood too. Other keys are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sbfs.transcripts import lines
from sbfs.transcripts.events import (
    Cursor,
    Event,
    Plain,
    Transcript,
    mapping,
    moment,
    own_id,
    raw_part,
    text,
    text_part,
    without_empty,
)

NAME = "jsonl"

_ROLES = {"user": "prompt", "assistant": "answer", "system": "notice", "tool": "result"}
_SAID = frozenset(("id", "role", "name", "content", "timestamp", "model", "cwd"))


def detect(path: Path, head: bytes) -> int:
    """Weakly: by lines that have content and say by whom it is."""
    if path.suffix != ".jsonl":
        return 0
    entries = lines.first_objects(head)
    said = [one for one in entries if "content" in one]
    return 30 if any(one.keys() & {"role", "name"} for one in said) else 10 if said else 0


def sessions(path: Path) -> Iterator[Transcript]:
    """A file is a session. Its id comes from its name and its first line, so that it is the same everywhere."""
    head = lines.head(path)
    first, end, _ = head.lstrip(b"\xef\xbb\xbf\0 \t\r\n").partition(b"\n")
    if end:
        id = f"{path.stem}-{hashlib.sha256(first.rstrip()).hexdigest()[:8]}"
        yield Transcript(path, NAME, id, name=path.name)


def events(transcript: Transcript, cursor: Cursor) -> Iterator[tuple[Event, Cursor]]:
    """The messages behind the cursor."""
    for entry, trouble, behind in lines.read(transcript.path, cursor):
        yield Event(trouble=trouble) if trouble else _event(entry), behind


def _event(entry: Plain) -> Event:
    id = own_id("entry", entry)
    role = text(entry.get("role")) or "user"
    event = Event(
        id=id,
        turn=_id(entry.get("id")) or id,
        role={"tool": "user"}.get(role, role) if role in _ROLES else "system",
        origin=_ROLES.get(role, "unknown"),
        timestamp=moment(entry.get("timestamp")),
        name=text(entry.get("name")) or (role if role not in _ROLES else ""),
        model=text(entry.get("model")),
        folder=text(entry.get("cwd")),
        parts=_content(entry.get("content")),
        raw=entry,
    )
    event.facts = without_empty({key: value for key, value in entry.items() if key not in _SAID})
    if entry.get("timestamp") and not event.timestamp:
        event.facts["timestamp"] = entry["timestamp"]
    return event


def _id(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _content(content: Any) -> list[Plain]:
    if isinstance(content, list):
        return [_part(block) for block in content]
    return [_part(content)] if content not in (None, "") else []


def _part(block: Any) -> Plain:
    if isinstance(block, str):
        return text_part(block)
    said = mapping(block)
    if said.get("type", "text") == "text" and isinstance(said.get("text"), str):
        return text_part(said["text"])
    return raw_part(block)
