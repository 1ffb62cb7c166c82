"""Markdown and reStructuredText → sections: a title, where it stands, and the text below it.

Headings within fenced code, literal blocks and the bodies of directives are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SUFFIXES = {".md": "markdown", ".markdown": "markdown", ".mkd": "markdown", ".rst": "rst", ".rest": "rst"}

_PLACES = ("readme", "changelog", "adr", "section")

_README = re.compile(r"readme(?:[-_.].*)?", re.I)
_CHANGELOG = re.compile(r"(?:change(?:s|log)|history|news|release[-_ ]?notes|releases)(?:[-_.].*)?", re.I)
_ADR_FOLDER = re.compile(r"(?:adrs?|decisions?|decision[-_]records?|architecture[-_]decisions?)", re.I)
_ADR_NAME = re.compile(r"(?:adr[-_ ]?)?\d{3,5}[-_ ].+", re.I)
_ADR_FORM = re.compile(r"(?m)^(?:#{1,3} +|\* *)?(?:status|context|decision|consequences)\b[ :]*$|^status: ", re.I)

_DOCS = frozenset(("doc", "docs", "documentation"))

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*\Z")


@dataclass(frozen=True)
class Section:
    """title: as plain text, "" for what stands before the first. anchor: for links, no two alike in a file. level: from
    1, 0 before the first. start: line of the title, from 1. text: all below the title, up to the next one."""

    title: str
    anchor: str
    level: int
    start: int
    text: str


def form_of(path: str) -> str:
    """`markdown`, `rst`, or "" for what is no prose: by name, and within folders of documentation also `.txt`."""
    *folders, name = path.split("/")
    stem, dot, suffix = name.rpartition(".")
    form = _SUFFIXES.get(f"{dot}{suffix}".lower(), "") if stem else ""
    if form or (dot and suffix.lower() != "txt"):
        return form
    known = _README.fullmatch(name) or _CHANGELOG.fullmatch(name)
    if dot:
        return "rst" if known or any(one.lower() in _DOCS for one in folders) else ""
    return "rst" if known else ""


def role_of(path: str, text: str) -> str:
    """readme, changelog, adr, or section: by place and form."""
    *folders, name = path.split("/")
    if _README.fullmatch(name):
        return "readme"
    if _CHANGELOG.fullmatch(name):
        return "changelog"
    placed = any(_ADR_FOLDER.fullmatch(one) for one in folders)
    if (placed or _ADR_NAME.fullmatch(name)) and len({*map(str.lower, _ADR_FORM.findall(text))}) >= 2:
        return "adr"
    return "adr" if placed and _ADR_NAME.fullmatch(name) else "section"


def sections(form: str, text: str) -> list[Section]:
    """The sections of a text, in their order; what stands before the first title is one without a title."""
    lines = text.split("\n")
    titles = [*(_markdown(text) if form == "markdown" else _rst(lines))]
    found: list[Section] = []
    used: set[str] = set()
    before = _between(lines, 0, titles[0][0] if titles else len(lines))
    if before:
        first = next(number for number, line in enumerate(lines, 1) if line.strip())
        found.append(Section("", "", 0, first, before))
    for number, (start, end, level, title) in enumerate(titles):
        final = titles[number + 1][0] if number + 1 < len(titles) else len(lines)
        found.append(Section(title, _anchor(title, used), level, start + 1, _between(lines, end, final)))
    return found


def _between(lines: list[str], start: int, end: int) -> str:
    return "\n".join(line.rstrip() for line in lines[start:end]).strip("\n")


def _anchor(title: str, used: set[str]) -> str:
    """As forges make them: small letters, no punctuation, a number where it was used."""
    plain = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") or "section"
    anchor, number = plain, 1
    while anchor in used:
        anchor, number = f"{plain}-{number}", number + 1
    used.add(anchor)
    return anchor


# -- Markdown --------------------------------------------------------------------------------------


def _markdown(text: str) -> Iterator[tuple[int, int, int, str]]:
    """(line of the title, line behind it, level, title), lines from 0."""
    from markdown_it import MarkdownIt

    body, skipped = _without_front_matter(text)
    tokens = MarkdownIt("commonmark").parse(body)
    for number, token in enumerate(tokens):
        # A heading within a quote or a list is that's.
        if token.type == "heading_open" and token.map and token.level == 0:
            title = _plain(tokens[number + 1].children or [])
            yield token.map[0] + skipped, token.map[1] + skipped, int(token.tag[1:]), title


def _without_front_matter(text: str) -> tuple[str, int]:
    """The text behind `---` … `---` at the top, and how many lines that took."""
    if not text.startswith("---\n"):
        return text, 0
    end = text.find("\n---\n", 3)
    if end < 0:
        return text, 0
    return text[end + 5 :], text.count("\n", 0, end + 5)


def _plain(children: list[Any]) -> str:
    return " ".join("".join(_words(children)).split())


def _words(children: list[Any]) -> Iterator[str]:
    for one in children:
        if one.type in ("text", "code_inline", "image"):
            yield one.content
        elif one.type in ("softbreak", "hardbreak"):
            yield " "


# -- reStructuredText ------------------------------------------------------------------------------


def _rst(lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Titles are at the left edge, with a line of one mark below, or above and below; levels as the marks come."""
    styles: list[str] = []
    number = 0
    while number < len(lines):
        found = _title(lines, number)
        if found is None:
            number += 1
            continue
        end, style, title = found
        if style not in styles:
            styles.append(style)
        yield number, end, styles.index(style) + 1, title
        number = end


def _title(lines: list[str], at: int) -> tuple[int, str, str] | None:
    """(line behind it, style, title) of a title that begins here. What is indented is the body of a directive, a
    literal block or a quote, and never one."""
    if at > 0 and lines[at - 1].strip() and not _ADORNMENT.match(lines[at - 1]):
        return None
    over = _mark(lines, at)
    if over and at + 2 < len(lines) and lines[at + 1].strip() and _mark(lines, at + 2) == over:
        wide = _width(lines[at])
        if lines[at].rstrip() == lines[at + 2].rstrip() and wide >= min(_width(lines[at + 1].strip()), 4):
            return at + 3, over * 2, _inline(lines[at + 1])
    below = _mark(lines, at + 1)
    line = lines[at]
    if below and line.strip() and not line[0].isspace() and not over and not line.startswith(".. "):
        wide = _width(lines[at + 1])
        if wide >= min(_width(line.rstrip()), 4):
            return at + 2, below, _inline(line)
    return None


def _mark(lines: list[str], at: int) -> str:
    """The mark that a whole line is made of, or ""."""
    if at >= len(lines):
        return ""
    found = _ADORNMENT.match(lines[at])
    return found[1] if found and found[0].rstrip() != "::" else ""


def _width(line: str) -> int:
    return len(line.rstrip())


def _inline(title: str) -> str:
    """Without roles and marks."""
    plain = re.sub(r":[\w:+.-]+:`([^`<]*?)(?:\s*<[^`>]*>)?`", r"\1", title.strip())
    return " ".join(re.sub(r"``?([^`]+)`?`_{0,2}|\*\*?([^*]+)\*?\*", r"\1\2", plain).split())
