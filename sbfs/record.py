"""One file as a mapping of plain values: YAML, JSON, JSON Lines, TOML or Markdown, by its ending.

JSON Lines (`.jsonl`) hold turns, one JSON object a line, and are read as `{"turns": [...]}`. Markdown (`.md`) is
read as `{"text": ...}`. TOML is read only, its times as text: nothing of ours is written in it.

A record keeps the bytes it was read from, so that a change can leave a person's comments alone, and
its etag: Git's own id of those bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from sbfs import yamlform
from sbfs.errors import Invalid


@dataclass(frozen=True)
class Record:
    """path: posix, below the store. data: plain values, order and unknown keys kept. raw: the file's bytes."""

    path: str
    data: dict[str, Any]
    raw: bytes

    @classmethod
    def parse(cls, path: str, raw: bytes) -> Record:
        """Read a file's bytes. Raises Invalid with path and line."""
        try:
            data = _LOADERS[_ending(path)](raw)
        except Invalid as error:
            raise error.at(path) from None
        if not isinstance(data, dict):
            raise Invalid("is no mapping of keys to values", path=path, line=1)
        return cls(path, data, raw)

    @classmethod
    def make(cls, path: str, data: dict[str, Any]) -> Record:
        """A new record in the canonical form."""
        return cls(path, data, dump(path, data))

    def changed(self, data: dict[str, Any]) -> Record:
        """The same file saying something else; a person's layout and comments stay."""
        canonical = self.raw == dump(self.path, self.data)
        if canonical or _ending(self.path) != ".yaml":
            return Record.make(self.path, data)
        return Record(self.path, data, yamlform.patch(self.raw, data).encode())

    @property
    def etag(self) -> str:
        """Git's id of the bytes: 40 hex digits."""
        return etag(self.raw)

    @property
    def removed(self) -> bool:
        """Whether this is a tombstone: it says only that something was here."""
        return "removed" in self.data

    def line_of(self, field: str) -> int | None:
        """The line where a dotted field stands, where the format tells."""
        return yamlform.locate(self.raw, field) if _ending(self.path) == ".yaml" else None


def etag(raw: bytes) -> str:
    """Git's id of a file with these bytes."""
    # Loading it takes longer than most commands that only read.
    from hashlib import sha1

    return sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def dump(path: str, data: dict[str, Any]) -> bytes:
    """The canonical bytes of a mapping, in the format that the path's ending names."""
    ending = _ending(path)
    if ending == ".jsonl":
        if data.keys() != {"turns"} or not isinstance(data["turns"], list):
            raise Invalid("holds turns, and nothing else")
        return b"".join(map(dump_line, data["turns"]))
    if ending == ".md":
        return _dump_text(data)
    if ending == ".toml":
        raise Invalid("is TOML, which is kept as it was written")
    return _dump_json(data, indent=1) if ending == ".json" else yamlform.dump(data).encode()


def _dump_text(data: dict[str, Any]) -> bytes:
    if data.keys() != {"text"} or not isinstance(data["text"], str):
        raise Invalid("holds a text, and nothing else")
    return data["text"].encode()


def dump_line(value: dict[str, Any]) -> bytes:
    """One line of JSON Lines."""
    return _dump_json(value)


def _dump_json(data: Any, indent: int | None = None) -> bytes:
    try:
        return (json.dumps(data, ensure_ascii=False, allow_nan=False, indent=indent) + "\n").encode()
    except UnicodeEncodeError:
        raise Invalid("the text holds a lone surrogate, which is no Unicode character") from None
    except ValueError as error:
        raise Invalid(f"cannot be written as JSON: {error}") from None


def _ending(path: str) -> str:
    return next((ending for ending in (".json", ".jsonl", ".toml", ".md") if path.endswith(ending)), ".yaml")


def _load_lines(raw: bytes) -> Any:
    turns = []
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            turn = _load_json(line)
        except Invalid as error:
            raise error.at("", number) from None
        if not isinstance(turn, dict):
            raise Invalid("is no mapping of keys to values", line=number)
        turns.append(turn)
    return {"turns": turns}


def _load_json(raw: bytes) -> Any:
    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant)
        if b"\\u" in raw:
            json.dumps(data, ensure_ascii=False).encode()
        return data
    except UnicodeEncodeError:
        raise Invalid("holds a lone surrogate, which is no Unicode character") from None
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8", hint="save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"is not JSON: {error.msg}", line=error.lineno) from None
    except ValueError:
        raise Invalid("holds an integer of more than 4,300 digits") from None
    except RecursionError:
        raise Invalid("is nested too deeply") from None


def _no_constant(name: str) -> None:
    raise Invalid(f"holds {name}, which is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise Invalid(f"has the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return result


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8", hint="save the file as UTF-8") from None


def _load_toml(raw: bytes) -> Any:
    import tomllib

    try:
        return _plain_times(tomllib.loads(_text(raw).replace("\r\n", "\n")))
    except tomllib.TOMLDecodeError as error:
        why, _, place = str(error).partition(" (at line ")
        line = int(place.split(",")[0]) if place else None
        raise Invalid(f"is not TOML: {why[0].lower()}{why[1:]}", line=line) from None
    except RecursionError:
        raise Invalid("is nested too deeply") from None


def _plain_times(value: Any) -> Any:
    """TOML's dates and times as text; all else as it is."""
    if isinstance(value, dict):
        return {key: _plain_times(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_times(item) for item in value]
    return value.isoformat() if isinstance(value, date | time) else value


_LOADERS: dict[str, Callable[[bytes], Any]] = {
    ".yaml": yamlform.load,
    ".json": _load_json,
    ".jsonl": _load_lines,
    ".toml": _load_toml,
    ".md": lambda raw: {"text": _text(raw)},
}
