r"""Where the secrets are in one text.

A text is looked at as ASCII bytes of its own length, in which what escapes would hide is made plain:
`\n` before a token, `\u003d` and `%3D` between key and value, the colours of a terminal. What is found
there stands at the same places of the text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from heapq import merge

from sbfs.fetching import pattern
from sbfs.redact import contexts, prefixes

Span = tuple[int, int, str]
"""start, end, type."""

SHORTEST = 6
"""Characters of the shortest text that is looked at."""

MARK = pattern(r"\[redacted:([a-z0-9-]+)(?::(\d{1,9}))?\]")
"""A placeholder."""

_HINTS = (b"pass", b"pw", b"secret", b"token", b"key", b"cred", b"auth", b"sig", b"session", b"jwt", b"_pat", b"dsn",
          b"salt", b"pepper", b"mnemonic", b"phrase", b"seed", b"sid", b"csrf", b"bearer", b"kennwort", b"appid", b"cookie",
          b"identified", b"-u", b"-b ", b"mysql", b"redis", b" login ", b"machine ", b"convertto", b"psk", b"-w ", b"-p ",
          b"sudo -s", b" set ")  # fmt: skip
_RAW_HINTS = tuple({rule.hint for rule in contexts.RULES if not rule.low})

_UNICODE = pattern(rb"\\u00([2-7][0-9a-fA-F])")
_PERCENT = pattern(rb"%(3[aAdD]|2[26])")
_WORD = pattern(rb"[A-Za-z0-9_-]{15,}")
_COLOUR = pattern(rb"(?:\x1b|\\x1[bB]|\\u001[bB]|\\033|\\e)\[[0-9;]{0,16}m")


def plain(text: str) -> bytes:
    """A text as ASCII bytes of its own length, with what escapes would hide made plain."""
    raw = text.encode("ascii", "replace")
    if b"\x1b" in raw or b"[0m" in raw:
        raw = _COLOUR.sub(lambda match: b" " * len(match[0]), raw)
    if b"\\" in raw:
        for escape in (b"\\n", b"\\r", b"\\t"):
            raw = raw.replace(escape, b"\n " if escape == b"\\n" else b"  ")
        if b"\\u00" in raw:
            raw = _UNICODE.sub(lambda match: b"\x01" * 5 + bytes([int(match[1], 16)]), raw)
    if b"%" in raw:
        raw = _PERCENT.sub(lambda match: b"\x01" * 2 + bytes([int(match[1], 16)]), raw)
    return raw


def spans(text: str) -> list[Span]:
    """The secrets in a text, in order and apart."""
    raw = plain(text)
    low = raw.lower()
    found: list[Span] = []
    if b"-----BEGIN " in raw:
        found += contexts.private_keys(raw)
    if len(raw) >= 15:
        found += _words(raw)
    if _holds(low, _HINTS) or _holds(raw, _RAW_HINTS):
        found += contexts.by_rules(raw, low)
        found += contexts.cookies(raw, low)
        found += contexts.assignments(raw, low)
    return apart(text, found) if found else found


def _holds(text: bytes, hints: Sequence[bytes]) -> bool:
    for hint in hints:  # noqa: SIM110 - a generator would take most of the time of a short text
        if hint in text:
            return True
    return False


def _words(raw: bytes) -> list[Span]:
    found = prefixes.find(raw)
    if not found:
        return []
    return [(*match.span(), found[match[0]]) for match in _WORD.finditer(raw) if match[0] in found]


def apart(text: str, found: Sequence[Span]) -> list[Span]:
    """What was found first wins; nothing is taken out of a placeholder, nor a value that holds one."""
    taken = [match.span() for match in MARK.finditer(text)] if "[redacted:" in text else []
    kept: list[Span] = []
    at = 0
    while at < len(found):
        # What one rule found stands in order: it is joined with the rest at once, not one by one.
        behind = at + 1
        while behind < len(found) and found[behind][:2] >= found[behind - 1][:2]:
            behind += 1
        fresh = [*_free(taken, found[at:behind])]
        kept += fresh
        taken = [*merge(taken, ((start, end) for start, end, _ in fresh))]
        at = behind
    return sorted(kept)


def _free(taken: Sequence[tuple[int, int]], run: Sequence[Span]) -> Iterator[Span]:
    """Those of a run that meet nothing which is taken, nor each other."""
    last = 0
    for start, end, type in run:
        at = bisect_left(taken, (start, end))
        is_free = not (at and taken[at - 1][1] > start) and not (at < len(taken) and taken[at][0] < end)
        if start < end and start >= last and is_free:
            last = end
            yield start, end, type
