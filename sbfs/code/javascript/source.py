"""A parsed file of JavaScript or TypeScript: its text, where it branches and where it has JSX."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from sbfs.code.treesitter import Source, utf8

if TYPE_CHECKING:
    from tree_sitter import Node

_GRAMMARS = {
    "javascript": ("javascript", "language"),
    "jsx": ("javascript", "language"),
    "typescript": ("typescript", "language_typescript"),
    "tsx": ("typescript", "language_tsx"),
}
# Single nodes alone: a pattern with an inside is slow without bound in deep trees.
_BRANCHES = """[
  (if_statement) (for_statement) (for_in_statement) (while_statement) (do_statement)
  (switch_case) (catch_clause) (ternary_expression)
  "&&" "||" "??" "&&=" "||=" "??="
] @b"""
_JSX = "[(jsx_element) (jsx_self_closing_element)] @j"


class Text:
    """The file's bytes and tree, with what is counted by place."""

    def __init__(self, raw: bytes, language: str) -> None:
        grammar, entry = _GRAMMARS[language]
        raw, self.notes = utf8(raw)
        if raw.startswith(b"#!"):
            end = raw.find(b"\n")
            raw = b"//" + raw[2:] if end > 0 else b"//"
        self.source = Source(grammar, raw, entry=entry)
        self.raw = raw
        self.root: Node = self.source.root
        self._branches = [node.start_byte for node in self.source.find(_BRANCHES)]
        has_jsx = language != "typescript" and (b"/>" in raw or b"</" in raw)
        self._jsx = [node.start_byte for node in self.source.find(_JSX)] if has_jsx else []

    def text(self, node: Node) -> str:
        """The node's text."""
        return self.raw[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def branches(self, node: Node) -> int:
        """How many branches lie within a node."""
        return bisect_left(self._branches, node.end_byte) - bisect_left(self._branches, node.start_byte)

    def renders(self, node: Node) -> bool:
        """Whether there is JSX within a node."""
        return bisect_left(self._jsx, node.end_byte) > bisect_left(self._jsx, node.start_byte)
