"""What the readers on tree-sitter share: grammars, text by node, comments, hashes of bodies, notes of broken places.

A grammar is loaded when the first file of its language is read. A parser is made for each file: it is cheap, and must
not be shared between threads.
"""

from __future__ import annotations

import codecs
import functools
import hashlib
import importlib
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query

DEPTH = 80
"""Expressions nested deeper than this are not followed: Python's stack is bounded, and so is what a person writes."""

NOTES = 5
"""Places of a file that are named where it could not be read; one such place usually brings others."""

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@functools.cache
def language(grammar: str, entry: str = "language") -> Language:
    """The grammar of the package `tree_sitter_<grammar>`. entry: its function, where one package holds several."""
    from tree_sitter import Language

    return Language(getattr(importlib.import_module(f"tree_sitter_{grammar}"), entry)())


@functools.cache
def query(grammar: str, pattern: str, entry: str = "language") -> Query:
    """A compiled query."""
    from tree_sitter import Query

    return Query(language(grammar, entry), pattern)


def utf8(raw: bytes, declared: str = "") -> tuple[bytes, tuple[str, ...]]:
    """The file as UTF-8 without a mark at its beginning, and a note where it was something else.

    declared: the encoding that the file says it has; Latin-1 is read where nothing else fits, since it always can be.
    """
    for mark, name in BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(name, "replace").encode(), (() if name == "utf-8" else (f"read as {name}",))
    try:
        raw.decode()
    except UnicodeDecodeError:
        return _other(raw, declared)
    return raw, ()


def _other(raw: bytes, declared: str) -> tuple[bytes, tuple[str, ...]]:
    for name in (declared, "latin-1"):
        try:
            return raw.decode(name).encode(), (f"not UTF-8: read as {name}",)
        except (LookupError, UnicodeError):
            continue
    raise AssertionError("Latin-1 reads every byte")


class Source:
    """A parsed file. raw: its bytes as UTF-8, which all positions count in."""

    __slots__ = ("_comment_ends", "_comments", "_entry", "_grammar", "_lines", "raw", "root")

    def __init__(self, grammar: str, raw: bytes, *, comments: str = "(comment) @c", entry: str = "language") -> None:
        from tree_sitter import Parser

        self.raw = raw
        self.root: Node = Parser(language(grammar, entry)).parse(raw).root_node
        self._grammar = grammar
        self._entry = entry
        found = sorted(
            {
                (node.start_byte, node.end_byte, node.start_point[0], node.end_point[0], node.end_point[1])
                for node in self.find(comments)
            }
        )
        self._comments = [(start, end) for start, end, *_ in found]
        self._comment_ends = [end for _, end in self._comments]
        # A comment that ends with its line's break (`=begin`, `///`) ends at column 0 of the next one.
        self._lines = {
            (last if column else last - 1): (start, end, first)
            for start, end, first, last, column in found
            if not raw[raw.rfind(b"\n", 0, start) + 1 : start].strip()
        }

    def find(self, pattern: str, node: Node | None = None) -> list[Node]:
        """All nodes below node (the whole file) that the pattern captures, whatever the capture's name, by place."""
        from tree_sitter import QueryCursor

        captures = QueryCursor(query(self._grammar, pattern, self._entry)).captures(self.root if node is None else node)
        return sorted(
            (node for nodes in captures.values() for node in nodes), key=lambda node: (node.start_byte, -node.end_byte)
        )

    def text(self, node: Node | None) -> str:
        """The node's text; "" for none."""
        return "" if node is None else self.raw[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def squeezed(self, start: int, end: int) -> str:
        """Text between two places, on one line, without comments."""
        return " ".join(self._without_comments(start, end).decode("utf-8", "replace").split())

    def body_hash(self, start: int, end: int) -> str:
        """8 hex digits of what stands there, whatever its comments and its layout."""
        words = self._without_comments(start, end).split()
        return hashlib.blake2b(b" ".join(words), digest_size=4).hexdigest()

    def comments_above(self, row: int) -> list[str]:
        """Comments that stand alone on the lines right above a line (from 0), from the top."""
        found = []
        while (comment := self._lines.get(row - 1)) is not None:
            start, end, row = comment
            found.append(self.raw[start:end].decode("utf-8", "replace"))
        return found[::-1]

    def first_row_above(self, row: int) -> int:
        """The line (from 0) where those comments begin; row itself where there are none."""
        while (comment := self._lines.get(row - 1)) is not None:
            row = comment[2]
        return row

    def comment_at(self, row: int) -> tuple[str, int] | None:
        """The comment that ends alone on a line (from 0), and the line where it begins."""
        comment = self._lines.get(row)
        return None if comment is None else (self.raw[comment[0] : comment[1]].decode("utf-8", "replace"), comment[2])

    def broken(self) -> tuple[str, ...]:
        """Notes of places that do not follow the grammar, by line; none where all does."""
        if not self.root.has_error:
            return ()
        lines: list[int] = []
        waiting = [self.root]
        while waiting and len(lines) < NOTES:
            node = waiting.pop()
            if node.is_error or node.is_missing:
                line = node.start_point[0] + 1
                if line not in lines:
                    lines.append(line)
            else:
                waiting.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)
        return tuple(f"line {line}: not understood" for line in lines) or ("not understood",)

    def _without_comments(self, start: int, end: int) -> bytes:
        at = bisect_left(self._comment_ends, start)
        pieces = []
        for first, last in self._comments[at:]:
            if first >= end:
                break
            if first >= start:
                pieces.append(self.raw[start:first])
                start = last
        pieces.append(self.raw[start:end])
        return b" ".join(pieces)
