"""Questions for who wants to say exactly what: `--syntax`.

    build red            both words                      build OR red        one of them
    "build is red"       the words in this order         -red, NOT red       not this one
    title:build          in one field only               (build OR make) red
    deploy*, wom?n       any letters, one letter         role:user           a facet's exact value

Fields are text, title, name, tool and thinking; every other word before a colon is a facet. Words are looked for by
their stems, in phrases too, where a word of the stop list stands for any word. What is written is parsed
here and asked of the index term by term: nothing in it is a regular expression, and there is a limit to everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sbfs.errors import Invalid
from sbfs.search import analysis

LONGEST = 4_000
"""Characters of a query."""

MOST = 64
"""Words, phrases and patterns of a query."""

DEEPEST = 20
"""Parentheses in parentheses."""

FIELDS = {"text": "body", "title": "title", "name": "names", "tool": "tool", "thinking": "thinking"}
"""What people call the fields of the index."""

PLAIN = ("body", "title", "names")
"""Where a word without a field is looked for."""

_TOKEN = re.compile(r'\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=\S))|(?P<phrase>"[^"]*")|(?P<word>[^\s()"]+))')


@dataclass(frozen=True)
class Word:
    """A word to look for in some fields. word: lower-case; stem: "" if it is on the stop list."""

    fields: tuple[str, ...]
    word: str
    stem: str
    at: int


@dataclass(frozen=True)
class Phrase:
    """Words in their order. stems: (distance from the first, stem)."""

    fields: tuple[str, ...]
    stems: tuple[tuple[int, str], ...]
    at: int


@dataclass(frozen=True)
class Pattern:
    """A word with `*` or `?` in it, lower-case."""

    fields: tuple[str, ...]
    pattern: str
    at: int


@dataclass(frozen=True)
class Facet:
    """A facet's value."""

    word: str
    value: str
    at: int


@dataclass(frozen=True)
class Not:
    """What does not match."""

    part: Node


@dataclass(frozen=True)
class All:
    """What matches every part."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """What matches one part at least."""

    parts: tuple[Node, ...]


Node = Word | Phrase | Pattern | Facet | Not | All | Either


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def complain(text: str, at: int, why: str, *, hint: str = "") -> Invalid:
    """An error that points at a character of a query."""
    start = max(0, at - 30)
    shown = text[start : at + 30].replace("\n", " ").replace("\t", " ")
    pointer = " " * (at - start) + "^"
    error = Invalid(f"{why}, at character {at + 1}\n  {shown}\n  {pointer}", field="query", hint=hint)
    error.details["position"] = at
    return error


def parse(text: str) -> Node:
    """A query. Raises Invalid, pointing at the character that is wrong."""
    if len(text) > LONGEST:
        raise complain(text, LONGEST, f"the query is longer than {LONGEST:,} characters", hint="ask for less at once")
    if (node := _without_ignored(_Parser(text).whole())) is None:
        raise Invalid("every word of the query is left out of the index", field="query", hint="name what it is about")
    return node


class _Parser:
    def __init__(self, text: str):
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._leaves = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._any()
        if (token := self._peek()).kind != "end":
            raise self._wrong(token, "this parenthesis closes none", hint="take it out, or write it in quotes")
        return node

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _wrong(self, token: _Token, why: str, *, hint: str = "") -> Invalid:
        return complain(self._text, token.at, why, hint=hint)

    def _any(self) -> Node:
        parts = [self._all()]
        while self._peek().kind == "or":
            self._take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _all(self) -> Node:
        parts = [self._one()]
        while (token := self._peek()).kind not in ("or", "close", "end"):
            if token.kind == "and":
                self._take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Node:
        nots = 0
        while self._peek().kind in ("not", "minus"):
            self._take()
            nots += 1
        node = self._atom()
        return Not(node) if nots % 2 else node

    def _atom(self, fields: tuple[str, ...] = PLAIN) -> Node:
        token = self._take()
        self._leaves += 1
        if self._leaves > MOST:
            raise self._wrong(token, f"more than {MOST} words", hint="ask without --syntax for long texts")
        if token.kind == "open":
            return self._inner(token)
        if token.kind == "phrase":
            return self._phrase(token, fields)
        if token.kind == "word":
            return self._word(token, fields)
        missing = {"end": "a word is missing here", "close": "a word is missing before this parenthesis"}
        why = missing.get(token.kind, f"{token.text} stands between two words")
        raise self._wrong(token, why, hint="write it in quotes to look for it" if token.kind in ("and", "or") else "")

    def _inner(self, token: _Token) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong(token, f"more than {DEEPEST} parentheses in each other")
        node = self._any()
        if self._peek().kind != "close":
            raise self._wrong(token, "this parenthesis is not closed", hint="close it, or write it in quotes")
        self._take()
        self._depth -= 1
        return node

    def _phrase(self, token: _Token, fields: tuple[str, ...]) -> Node:
        fields = tuple(field for field in fields if field in ("body", "title", "thinking"))
        if not fields:
            raise self._wrong(token, "phrases can be asked of text, title and thinking only")
        stems = [
            (place, stem) for place, word in enumerate(analysis.words(token.text)) if (stem := analysis.stem(word))
        ]
        if not stems:
            raise self._wrong(token, "no word in this phrase is looked for", hint="words such as 'the' are left out")
        first = stems[0][0]
        return Phrase(fields, tuple((place - first, stem) for place, stem in stems), token.at)

    def _word(self, token: _Token, fields: tuple[str, ...]) -> Node:
        name, colon, rest = token.text.partition(":")
        # `::` and `//` belong to names and addresses.
        if colon and name and not rest.startswith((":", "//")):
            return self._in_field(token, name, rest)
        if "*" in token.text or "?" in token.text:
            return self._pattern(token, fields)
        found = analysis.words(token.text)
        names = next(iter(analysis.names(token.text)), "")
        if not found and not names:
            raise self._wrong(token, f"{token.text!r} holds no letter and no digit")
        words = [Word(fields, word, analysis.stem(word), token.at) for word in found]
        if len(found) == 1 and found[0] == names:
            return words[0]
        whole = Word(tuple(field for field in fields if field in ("names", "tool")), names, names, token.at)
        return Either((whole, All(tuple(words)))) if whole.fields and words else All(tuple(words)) if words else whole

    def _in_field(self, token: _Token, name: str, rest: str) -> Node:
        at = token.at + len(name) + 1
        if name.lower() not in FIELDS:
            value = rest or self._quoted(token, at)
            return Facet(name, value, token.at)
        fields = (FIELDS[name.lower()],)
        if rest:
            return self._word(_Token("word", rest.replace(":", " "), at), fields)
        following = self._peek()
        if following.kind != "phrase" or following.at != at:
            raise complain(self._text, at, f"a word is missing after {name}:", hint="write it without a space")
        return self._phrase(self._take(), fields)

    def _quoted(self, token: _Token, at: int) -> str:
        following = self._peek()
        if following.kind != "phrase" or following.at != at:
            raise complain(self._text, at, f"a value is missing after {token.text}", hint="write it without a space")
        return self._take().text[1:-1]

    def _pattern(self, token: _Token, fields: tuple[str, ...]) -> Node:
        pattern = analysis.plain(token.text).lower()
        letters = sum(sign.isalnum() for sign in pattern)
        if letters < 2 or pattern.count("*") > 4 or len(pattern) > analysis.LONGEST:
            raise self._wrong(
                token,
                f"{token.text:.40} stands for too many words",
                hint="write two letters or more, and four * at most",
            )
        return Pattern(fields, pattern, token.at)


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            quote = text.index('"', at)
            raise complain(text, quote, "this quote is not closed", hint="close it, or take it out")
        kind = match.lastgroup or ""
        word = match[kind]
        if kind == "word" and word in ("AND", "OR", "NOT"):
            kind = word.lower()
        tokens.append(_Token(kind, word, match.end() - len(word)))
        at = match.end()
    return [*tokens, _Token("end", "", len(text.rstrip()))]


def _without_ignored(node: Node) -> Node | None:
    """A query without the words of the stop list, which nothing can be found by; None where nothing is left."""
    if isinstance(node, All | Either):
        kept = tuple(part for each in node.parts if (part := _without_ignored(each)) is not None)
        return None if not kept else kept[0] if len(kept) == 1 else type(node)(kept)
    if isinstance(node, Not):
        part = _without_ignored(node.part)
        return None if part is None else Not(part)
    return None if isinstance(node, Word) and not node.stem and "tool" not in node.fields else node
