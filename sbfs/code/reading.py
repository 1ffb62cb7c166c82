"""Read one source file into facts, whatever its language."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from sbfs.code.facts import Facts
from sbfs.code.languages import language_of, mark_of, skipped

__all__ = ["language_of", "read", "skipped"]

HEAD = 2000
"""Bytes that tell a file's language."""

Reader = Callable[[str, bytes, str], Facts]


def read(path: str, raw: bytes) -> Facts:
    """What one file says. path: posix, below the source's folder.

    Bad input raises nothing: what could not be read is left out, `parse` is partial, and notes say why. A file of no
    known language gives facts without symbols.
    """
    language = language_of(path, raw[:HEAD]) or ""
    try:
        facts = _reader(path, language)(path, raw, language)
    except ImportError as error:
        facts = _unread(path, language, f"no grammar for {language}: {error.name or error}")
    except RecursionError:
        facts = _unread(path, language, "nested too deep to be read")
    facts.blob = blob_of(raw)
    facts.mark = mark_of(path, raw[:HEAD])
    facts.lines = raw.count(b"\n") + (not raw.endswith(b"\n") and raw != b"")
    return facts


def blob_of(raw: bytes) -> str:
    """Git's id of these bytes."""
    return hashlib.sha1(b"blob %d\0%b" % (len(raw), raw), usedforsecurity=False).hexdigest()


def _unread(path: str, language: str, note: str) -> Facts:
    return Facts(path=path, language=language, blob="", parse="partial", notes=(note,))


def _reader(path: str, language: str) -> Reader:
    """The reader of a language; grammars are loaded by the first file that needs them."""
    match language:
        case "python":
            from sbfs.code import python

            return python.read
        case "javascript" | "jsx" | "typescript" | "tsx":
            from sbfs.code import javascript

            return javascript.read
        case "ruby":
            from sbfs.code import ruby

            return ruby.read
        case "go":
            from sbfs.code import go

            return go.read
        case "rust":
            from sbfs.code import rust

            return rust.read
        case "java":
            from sbfs.code import java

            return java.read
        case "config":
            return _config_reader(path)
    return _nothing


def _config_reader(path: str) -> Reader:
    if path.endswith("go.mod"):
        from sbfs.code import go

        return go.read
    if path.endswith("Cargo.toml"):
        from sbfs.code import rust

        return rust.read
    from sbfs.code import javascript

    return javascript.read


def _nothing(path: str, _raw: bytes, language: str) -> Facts:
    return _unread(path, language, "no reader knows this language")
