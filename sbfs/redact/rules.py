"""A store's rules: those that sbfs knows, and what its sbfs.yaml adds and allows.

Added patterns are RE2's, which takes time in proportion to the text whatever the pattern says.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sbfs.redact import detect
from sbfs.redact.detect import Span

VERSION = 3
"""Of the rules that sbfs knows. It grows when what they find changes, and is kept with what they were run over."""

_TYPE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LONGEST = 1000
_MOST = 200


@dataclass
class Broken(Exception):
    """A rule that cannot be used. field: dotted, below `redact`."""

    field: str
    why: str
    hint: str = ""


@dataclass(frozen=True)
class Rules:
    """What is taken out of texts. added: (type, pattern) of RE2, taken besides; of a pattern with a
    group named `secret`, what that matches. allowed: patterns of RE2; a secret
    that one of them matches as a whole stays. known: whether sbfs's own rules count, too."""

    added: tuple[tuple[str, str], ...] = ()
    allowed: tuple[str, ...] = ()
    known: bool = True
    _compiled: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def version(self) -> str:
        """Names the rules: sbfs's own number, and for added ones `+` and eight digits of their sum."""
        if not (self.added or self.allowed):
            return str(VERSION)
        said = json.dumps([self.added, self.allowed])
        return f"{VERSION}+{hashlib.sha256(said.encode()).hexdigest()[:8]}"

    def spans(self, text: str) -> list[Span]:
        """The secrets in a text, in order and apart."""
        found = detect.spans(text) if self.known else []
        if self.added:
            found = detect.apart(text, [*self._added(text), *found])
        if self.allowed and found:
            found = [one for one in found if not self.allows(text[one[0] : one[1]])]
        return found

    def may_hold(self, text: str) -> bool:
        """Whether there are any: of a long text without, told many times as fast."""
        if self.known and not self.added:
            from sbfs.redact import gate

            return gate.may_hold(text) and bool(self.spans(text))
        return bool(self.spans(text))

    def _added(self, text: str) -> list[Span]:
        found = []
        for type, pattern in self.added:
            for match in self._pattern(pattern).finditer(text):
                group = match.re.groupindex.get("secret", 0)
                found.append((*match.span(group), type))
        return found

    def allows(self, secret: str) -> bool:
        """Whether a secret shall stay."""
        return any(self._pattern(pattern).fullmatch(secret) for pattern in self.allowed)

    def _pattern(self, pattern: str) -> Any:
        if pattern not in self._compiled:
            self._compiled[pattern] = compiled(pattern)
        return self._compiled[pattern]


BUILT_IN = Rules()
"""The rules of a store that adds none."""


def compiled(pattern: str) -> Any:
    """A pattern of RE2 that finds something in texts. Raises ValueError, saying why not."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise ValueError(f"is no pattern of RE2: {said.decode() if isinstance(said, bytes) else said}") from None
    if found.fullmatch(""):
        raise ValueError("matches the empty text")
    return found


def load(said: Any) -> Rules:
    """The rules that `redact` in sbfs.yaml says. Raises Broken, naming the field."""
    if said in (None, {}):
        return BUILT_IN
    if not isinstance(said, Mapping):
        raise Broken("redact", "must be a mapping of rules and allow")
    return _load(json.dumps(said, default=str))


@functools.lru_cache(16)
def _load(said: str) -> Rules:
    data = json.loads(said)
    for key in data:
        if key not in ("rules", "allow"):
            raise Broken(f"redact.{key}", "is neither rules nor allow")
    added = tuple(_rule(f"redact.rules.{n}", one) for n, one in enumerate(_list(data, "rules")))
    allowed = tuple(_pattern(f"redact.allow.{n}", one) for n, one in enumerate(_list(data, "allow")))
    return Rules(added, allowed)


def _list(data: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = data.get(name) or []
    if not isinstance(found, list) or len(found) > _MOST:
        raise Broken(f"redact.{name}", f"must be a list of up to {_MOST}")
    return found


def _rule(place: str, said: Any) -> tuple[str, str]:
    if not isinstance(said, Mapping) or set(said) != {"type", "pattern"}:
        raise Broken(place, "must be a mapping of type and pattern")
    if not isinstance(said["type"], str) or not _TYPE.fullmatch(said["type"]):
        raise Broken(f"{place}.type", "must be a word of up to 40 of a-z 0-9 -, beginning with a letter")
    return said["type"], _pattern(f"{place}.pattern", said["pattern"])


def _pattern(place: str, said: Any) -> str:
    if not isinstance(said, str):
        raise Broken(place, "must be a text")
    try:
        if len(said) > _LONGEST:
            raise ValueError(f"is longer than {_LONGEST} characters")
        compiled(said)
    except ValueError as error:
        hint = "patterns are those of RE2, without look-around and back-references: github.com/google/re2/wiki/Syntax"
        raise Broken(place, str(error), hint) from None
    return said
