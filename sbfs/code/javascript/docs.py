"""JSDoc and TSDoc: the block right above a declaration, as plain text."""

from __future__ import annotations

import re

from sbfs.code.treesitter import Source

_EDGE = re.compile(r"^[ \t]*\*?[ \t]?")
_SAID = re.compile(r"@(param|returns?)\s+\{[!?]?([\w.$]+)(\[\])?=?\}(?:\s+\[?([\w$]+))?")
_TYPED = re.compile(r"^@(param|returns?|throws|type)\s+\{([^}]*)\}\s*", re.MULTILINE)


def said(source: Source, *rows: int) -> dict[str, tuple[str, bool]]:
    """The types that the doc block above one of these lines says: parameter ("" for what is returned) → name, and
    whether a list of it is meant. Names alone are read; other types say too little of a receiver."""
    for row in dict.fromkeys(rows):
        found = source.comment_at(row - 1)
        if found is not None and found[0].startswith("/**"):
            return {
                "" if tag != "param" else name: (type, bool(many))
                for tag, type, many, name in _SAID.findall(found[0])
                if tag != "param" or name
            }
    return {}


def above(source: Source, *rows: int) -> str:
    """The doc block that ends right above one of these lines (from 0), cleaned; "" for none."""
    for row in dict.fromkeys(rows):
        found = source.comment_at(row - 1)
        if found is not None and found[0].startswith("/**") and found[0] != "/**/":
            return clean(found[0])
    return ""


def clean(comment: str) -> str:
    """A block comment's text without its stars, blank ends and types in braces."""
    inner = comment[3:].removesuffix("*/")
    lines = [_EDGE.sub("", line).rstrip() for line in inner.splitlines()]
    lines[:1] = [lines[0].strip()] if lines else []
    text = "\n".join(lines).strip()
    return _TYPED.sub(r"@\1 ", text)
