"""Ruby's comments as documentation: RDoc and YARD above a definition, and the types that YARD says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Statement

if TYPE_CHECKING:
    from sbfs.code.treesitter import Source

_MAGIC = re.compile(
    r"^#\s*(-\*-.*|(frozen[_-]string[_-]literal|encoding|coding|warn[_-]indent|shareable_constant_value|typed)\s*:.*)$|^#!",
    re.I,
)
_DIRECTIVE = re.compile(r"^\s*:(nodoc|doc|yields|call-seq|startdoc|stopdoc|nocov)\b.*$|^\s*(rubocop|steep|reek):")
_TAG = re.compile(
    r"@(param|return|yieldparam)\s+(?:(?P<before>[\w*&]+)\s+)?\[(?P<type>[^\]]+)\](?:\s+(?P<after>[\w*&]+))?"
)
_CLASS = re.compile(r"^(::)?[A-Z]\w*(::[A-Z]\w*)*$")
_LIST = re.compile(r"^(Array|Set|Enumerable|Enumerator|ActiveRecord::Relation)<([^<>]+)>$")


def doc_of(source: Source, row: int) -> str:
    """The documentation that ends right above a line (from 0), without its marks."""
    comments = source.comments_above(row)
    if not comments:
        return ""
    lines: list[str] = []
    for comment in comments:
        if comment.startswith("=begin"):
            lines.extend(comment.splitlines()[1:-1])
        elif not _MAGIC.match(comment):
            lines.append(comment.rstrip("\r\n").lstrip("#"))
    return _cleaned(lines)


def _cleaned(lines: list[str]) -> str:
    kept = []
    hidden = False
    for line in lines:
        # RDoc leaves out what stands between `#--` and `#++`.
        if line.strip() in ("--", "++"):
            hidden = line.strip() == "--"
        elif not hidden and not _DIRECTIVE.match(line):
            kept.append(line.rstrip())
    filled = [line for line in kept if line]
    margin = min((len(line) - len(line.lstrip()) for line in filled), default=0)
    return "\n".join(line[margin:] for line in kept).strip("\n")


def hints(doc: str, nesting: tuple[str, ...]) -> list[Statement]:
    """What YARD's tags say of parameters and of the answer, as far as they name classes."""
    if "@" not in doc:
        return []
    found: list[Statement] = []
    for tag in _TAG.finditer(doc):
        said = _type(tag["type"], nesting)
        name = (tag["before"] or tag["after"] or "").lstrip("*&")
        if said is None:
            continue
        if tag[1] == "return":
            found.append(["hint-return", said])
        elif name and tag[1] == "param":
            found.append(["hint", name, said])
    return found


def _type(text: str, nesting: tuple[str, ...]) -> Expression:
    types = []
    for part in text.split(", ") if "<" in text else text.replace(" ", "").split(","):
        part = part.strip()
        several = _LIST.match(part)
        if several and _CLASS.match(several[2]):
            types.append(
                ["inst", ["const", several[1].partition("::")[0], []], [["inst", constant(several[2], nesting), []]]]
            )
        elif _CLASS.match(part):
            types.append(["inst", constant(part, nesting), []])
    return None if not types else types[0] if len(types) == 1 else ["any", types]


def constant(path: str, nesting: tuple[str, ...]) -> Expression:
    """`A::B` as an expression, looked up from within modules."""
    first, *rest = path.removeprefix("::").split("::")
    found: Expression = ["const", first, [] if path.startswith("::") else list(nesting)]
    for name in rest:
        found = ["attr", found, name]
    return found
