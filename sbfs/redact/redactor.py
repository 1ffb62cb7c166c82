"""Secrets out of texts and values, each replaced by `[redacted:<type>:<number>]`.

Numbers count within a scope, a conversation or a record, in the order in which its secrets first
appear; equal secrets are one. Two machines that redact the same texts in the same order write the same.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sbfs.redact import shapes
from sbfs.redact.detect import MARK, SHORTEST
from sbfs.redact.rules import BUILT_IN, Rules

_REMEMBERED = 20_000
_SHORT = 200


class Redactor:
    """One scope. Secrets are held in memory only, as long as it lives.

    numbers: type → the highest number given so far; a scope that is taken up again begins with those it had. To give
    known secrets their old numbers, let it see the texts again in which they first appeared. found: how many places
    were replaced, by type. masked: placeholder → what may be shown of its secret.
    """

    def __init__(self, rules: Rules = BUILT_IN, *, numbers: Mapping[str, int] | None = None):
        self.rules = rules
        self.numbers: Counter[str] = Counter(numbers or {})
        self.found: Counter[str] = Counter()
        self.masked: dict[str, str] = {}
        self._marks: dict[str, str] = {}
        self._clean: set[str] = set()
        self._least = SHORTEST if rules.known and not rules.added else 1

    def text(self, value: str) -> str:
        """A text without its secrets. What is a placeholder already stays, and its number is not given again."""
        if len(value) < self._least or value in self._clean:
            return value
        self.reserve(value)
        found = self.rules.spans(value)
        if not found:
            if len(value) <= _SHORT and len(self._clean) < _REMEMBERED:
                self._clean.add(value)
            return value
        parts, at = [], 0
        for start, end, type in found:
            parts += [value[at:start], self.mark(value[start:end], type)]
            at = end
        return "".join((*parts, value[at:]))

    def reserve(self, value: str) -> None:
        """Keep the numbers of the placeholders in a text from being given to others."""
        if "[redacted:" in value:
            for type, number in MARK.findall(value):
                self.numbers[type] = max(self.numbers[type], int(number or 0))

    def mark(self, secret: str, type: str) -> str:
        """The placeholder of a secret, counted as found."""
        key = "".join(secret.replace("\\n", "").replace("\\r", "").split()) if type == "private-key" else secret
        known = self._marks.get(key)
        if known is None:
            self.numbers[type] += 1
            known = self._marks[key] = f"[redacted:{type}:{self.numbers[type]}]"
            self.masked[known] = masked(secret)
        self.found[known.split(":")[1]] += 1
        return known

    def plain(self, value: Any) -> Any:
        """The same for every string, keys included, in a plain value of any depth."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._mapping(value)
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        return value

    def _mapping(self, value: dict[Any, Any]) -> dict[Any, Any]:
        names = [value[name] for name in ("name", "key", "Name", "Key") if isinstance(value.get(name), str)]
        told = _telling(names[0]) if names and len(value) <= 6 and self.rules.known else None
        result = {}
        for key, item in value.items():
            clean = self.text(key) if isinstance(key, str) else key
            by = _telling(key) if isinstance(key, str) and self.rules.known else None
            if told and key in ("value", "Value"):
                by = by or told
            result[clean] = self._told(item, by) if by else self.plain(item)
        return result

    def _told(self, value: Any, by: shapes.Telling) -> Any:
        """A value whose key tells that it is a secret."""
        if isinstance(value, list):
            return [self._told(item, by) for item in value]
        clean = self.plain(value)
        if not isinstance(value, str) or clean != value:
            return clean
        raw = value.strip().encode("ascii", "replace")
        if not shapes.is_secret(raw, by, quoted=True, alone=True) or "[redacted:" in value:
            return value
        if self.rules.allows(value):
            return value
        return self.mark(value, by.type)


@functools.lru_cache(8192)
def _telling(name: str) -> shapes.Telling | None:
    return shapes.telling(name.lower().encode("ascii", "replace")) if 2 < len(name) <= 64 else None


def masked(secret: str) -> str:
    """What may be shown of a secret: how long it is, and how a long token begins, which names its issuer."""
    head = f"{secret[:4]}… " if len(secret) >= 24 and not any(char.isspace() for char in secret) else ""
    return f"{head}({len(secret)} characters)"


def text(value: str, found: Counter[str], rules: Rules = BUILT_IN) -> str:
    """A text as a scope of its own, without its secrets; `found` counts them by type."""
    redactor = Redactor(rules)
    clean = redactor.text(value)
    found.update(redactor.found)
    return clean


def plain(value: Any, found: Counter[str], rules: Rules = BUILT_IN) -> Any:
    """The same for every string, keys included, in a plain value of any depth: a record, as a scope of its own."""
    redactor = record(value, rules)
    clean = redactor.plain(value)
    found.update(redactor.found)
    return clean


def record(value: Any, rules: Rules = BUILT_IN) -> Redactor:
    """A scope that gives no number which a placeholder in the value has already."""
    redactor = Redactor(rules)
    for one in _strings(value):
        redactor.reserve(one)
    return redactor


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def find(value: str, rules: Rules = BUILT_IN) -> Iterator[tuple[str, int]]:
    """The secrets in a text, as (type, line)."""
    for start, _, type in rules.spans(value):
        yield type, value.count("\n", 0, start) + 1
