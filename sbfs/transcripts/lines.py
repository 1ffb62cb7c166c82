"""JSON Lines as agents leave them: half-written, cut, with runs of NUL, of any length.

Reads whole lines only, by bytes, and never more than one into memory. What cannot be read is told with
its reason, and reading goes on behind it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sbfs.errors import Failed
from sbfs.transcripts.events import Cursor

LONGEST = 40_000_000
"""Bytes of a line. What is longer would make a file that Git hosts refuse (many at 50 MB, all at 100 MB)."""

DEEPEST = 100
"""Mappings and lists within each other."""

HEAD = 64 * 1024
"""Bytes of a file by which its format is found."""


def head(path: Path) -> bytes:
    """A file's first bytes. Raises Failed."""
    with _open(path) as file:
        return file.read(HEAD)


def first_objects(head: bytes, most: int = 50) -> list[dict[str, Any]]:
    """The objects on the first lines of a file, for finding its format."""
    found = []
    for raw in head.split(b"\n")[:most]:
        entry, trouble = parse(raw)
        if not trouble and isinstance(entry, dict):
            found.append(entry)
    return found


def read(path: Path, cursor: Cursor) -> Iterator[tuple[Any, str, Cursor]]:
    """(entry, trouble, cursor behind it) of each complete line behind a cursor.

    entry is a mapping where trouble is "". Blank lines are passed over. A last line without its end is
    not there yet. The cursors keep the given one's state. Raises Failed where the system refuses.
    """
    offset, line = cursor.offset, cursor.line
    with _open(path) as file:
        file.seek(offset)
        while raw := file.readline(LONGEST + 1):
            if not raw.endswith(b"\n"):
                size = _skip(file)
                if len(raw) <= LONGEST or size < 0:
                    return
                raw, offset = b"", offset + len(raw) + size
                line += 1
                yield None, f"is longer than {LONGEST} bytes", Cursor(offset, line, cursor.state)
                continue
            offset, line = offset + len(raw), line + 1
            bare = raw.removeprefix(b"\xef\xbb\xbf").strip(b"\0 \t\r\n")
            if bare:
                yield *_entry(bare), Cursor(offset, line, cursor.state)


def is_waiting(path: Path, offset: int) -> bool:
    """Whether something stands behind the last complete line."""
    with _open(path) as file:
        file.seek(offset)
        return bool(file.read(4096).strip(b"\0 \t\r\n"))


def parse(raw: bytes) -> tuple[Any, str]:
    """(value, trouble) of one line."""
    try:
        return json.loads(raw.decode("utf-8", "replace")), ""
    except json.JSONDecodeError as error:
        return None, f"is not JSON: {error.msg.lower()}"
    except ValueError:
        return None, "holds a number that is too long"
    except RecursionError:
        return None, "is nested too deeply"


def dump(value: Any) -> str:
    """A value as JSON, for where it has to be told as a text."""
    return json.dumps(value, ensure_ascii=False)


def _entry(raw: bytes) -> tuple[Any, str]:
    entry, trouble = parse(raw)
    if not trouble and not isinstance(entry, dict):
        trouble = "is no mapping of keys to values"
    if not trouble and is_deep(raw, entry):
        trouble = "is nested too deeply"
    return (None, trouble) if trouble else (sound(raw, entry), "")


def is_deep(raw: bytes, entry: Any) -> bool:
    """Whether a value is nested deeper than anything that people write."""
    # Cheap first: it takes as many brackets as levels.
    if raw.count(b"{") + raw.count(b"[") <= DEEPEST:
        return False
    level: list[Any] = [entry]
    for _ in range(DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def sound(raw: bytes, value: Any) -> Any:
    """The value as records can hold it: no halves of characters, no numbers that are none."""
    if b"\\u" in raw and _has_surrogate(value) or b"NaN" in raw or b"Infinity" in raw:
        return _sound(value)
    return value


def _has_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
        return False
    except UnicodeEncodeError:
        return True


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        # A whole pair is one character; a half of one becomes the replacement character.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_sound(key): _sound(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sound(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value


def _skip(file: IO[bytes]) -> int:
    """Go behind the end of the line. Returns how many bytes that was, -1 where it has no end yet."""
    size = 0
    while raw := file.readline(1 << 20):
        size += len(raw)
        if raw.endswith(b"\n"):
            return size
    return -1


def _open(path: Path) -> IO[bytes]:
    try:
        return open(path, "rb")
    except OSError as error:
        raise Failed(f"{path}: {(error.strerror or str(error)).lower()}", hint="check the path") from error
