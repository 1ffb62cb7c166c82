"""Which transcripts there are below a path, and which format each is of."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from sbfs.errors import Failed, Invalid
from sbfs.transcripts import claude_code, codex, gemini, jsonl, lines
from sbfs.transcripts.events import Cursor, Event, Transcript

FORMATS: dict[str, ModuleType] = {module.NAME: module for module in (claude_code, codex, gemini, jsonl)}

_ENDINGS = (".jsonl", ".json", ".jsonl.zst")


def transcripts(path: Path, format: str = "auto") -> Iterator[Transcript]:
    """The transcripts in a file, or in all files below a folder.

    format: `auto` looks into each file. A file that is named and is none of them raises Invalid; below a folder
    it is passed over.
    """
    if format not in ("auto", *FORMATS):
        raise Invalid(f"{format!r} is none of auto, {', '.join(FORMATS)}", field="format")
    if path.is_dir():
        for file in _files(path):
            if module := _format(file, lines.head(file), format):
                yield from module.sessions(file)
        return
    if not path.exists():
        raise Failed(f"{path}: no such file or folder", hint="check the path")
    head = lines.head(path)
    module = _format(path, head, format)
    if module is None and format != "auto":
        module = FORMATS[format]
    if module is None:
        if not head.strip(b"\0 \t\r\n"):
            return
        hint = f"say which it is with --format {'|'.join(FORMATS)}"
        raise Invalid("is of no format that is known here", path=str(path), hint=hint)
    yield from module.sessions(path)


def events(transcript: Transcript, cursor: Cursor) -> Iterator[tuple[Event, Cursor]]:
    """The entries of a transcript behind a cursor, each with the cursor behind it."""
    found: Iterator[tuple[Event, Cursor]] = FORMATS[transcript.format].events(transcript, cursor)
    return found


def _format(path: Path, head: bytes, format: str) -> ModuleType | None:
    modules = FORMATS.values() if format == "auto" else (FORMATS[format],)
    scores = [(module.detect(path, head), module.NAME) for module in modules]
    score, name = max(scores)
    return FORMATS[name] if score else None


def _files(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        if "sbfs.yaml" in names:
            # A store: its turns are JSON Lines too.
            folders.clear()
            continue
        folders.sort()
        yield from (Path(at, name) for name in sorted(names) if name.endswith(_ENDINGS))
