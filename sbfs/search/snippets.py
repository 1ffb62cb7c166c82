"""The passage of a record that a question matched, matches marked, as one line without control characters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sbfs.entry import Entry
from sbfs.search import analysis

WIDTH = 240
"""Characters of a snippet, about."""

MARK = "**"

_LOOKED_AT = 200_000
"""Characters of a text that are looked through."""

# All white space, what a terminal takes for commands, and what turns the direction of writing.
_UNSAFE = re.compile("[\\s\0-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]+")

_REST = re.compile(r"[\w']*")
"""The rest of a word, on either side of what was found in it."""

Span = tuple[int, int]


def make(entry: Entry, terms: Iterable[str], *, thinking: bool = False) -> str:
    """The best passage of an entry: where most different terms stand closest together.

    terms: as they are indexed. thinking: whether that is looked at, too. The beginning of the text
    where nothing matches, as in a turn that is found for what stands beside it.
    """
    wanted = frozenset(terms)
    best: tuple[float, str] = (0.0, "")
    for text in (entry.text, entry.identifiers, entry.tool_text, entry.thinking if thinking else "", entry.title):
        clean = _clean(text)
        marks = _marks(clean, wanted) if clean and wanted else []
        weight, first = _densest(clean, marks)
        if weight > best[0]:
            best = weight, _cut(clean, marks, marks[first][0])
    return best[1] or plain(entry)


def plain(entry: Entry, width: int = WIDTH) -> str:
    """The beginning of what an entry says."""
    clean = next(filter(None, map(_clean, (entry.text, entry.identifiers, entry.tool_text, entry.title))), "")
    return clean if len(clean) <= width else clean[: _word_end(clean, width)] + " …"


def _clean(text: str) -> str:
    return _UNSAFE.sub(" ", text[:_LOOKED_AT]).strip()


def _marks(text: str, terms: frozenset[str]) -> list[Span]:
    """Where terms stand. Only words that hold the beginning of one are looked at, which are few."""
    if not text.isascii():
        return [*analysis.marks(text, terms)]
    found: list[Span] = []
    at = 0
    for head in re.compile("|".join(sorted({re.escape(term[:3]) for term in terms if term})), re.I).finditer(text):
        if head.start() >= at:
            before = _REST.match(text[max(at, head.start() - 200) : head.start()][::-1])
            after = _REST.match(text, head.start())
            assert before and after
            begin, at = head.start() - before.end(), after.end()
            found += [(begin + a, begin + b) for a, b in analysis.marks(text[begin:at], terms)]
    return found


def _densest(text: str, marks: Sequence[Span]) -> tuple[float, int]:
    """(weight, which mark begins it) of the passage that holds most: different words first, then their number."""
    best, at, end = 0.0, 0, 0
    for first, (begin, _) in enumerate(marks):
        while end < len(marks) and marks[end][1] <= begin + WIDTH:
            end += 1
        inside = marks[first:end][:50]
        weight = len({text[a:b].lower() for a, b in inside}) + len(inside) / 100
        if weight > best:
            best, at = weight, first
    return best, at


def _cut(text: str, marks: Sequence[Span], begin: int) -> str:
    """The passage around a place, marked."""
    start = _word_begin(text, max(0, begin - WIDTH // 4))
    stop = _word_end(text, min(len(text), start + WIDTH))
    inside = [(a, b) for a, b in marks if start <= a and b <= stop]
    said, at = "", start
    for a, b in inside:
        said += f"{text[at:a]}{MARK}{text[a:b]}{MARK}"
        at = b
    said += text[at:stop]
    return ("… " if start else "") + said.strip() + (" …" if stop < len(text) else "")


def _word_begin(text: str, at: int) -> int:
    """The beginning of a word near a place: a passage is not cut within one, if it is not endless."""
    if at == 0 or text[at - 1] == " ":
        return at
    found = text.find(" ", at, at + 30)
    return at if found < 0 else found + 1


def _word_end(text: str, at: int) -> int:
    if at >= len(text) or text[at] == " ":
        return at
    found = text.rfind(" ", max(0, at - 30), at)
    return at if found <= 0 else found
