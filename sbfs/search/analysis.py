"""Text into terms, for the index and for questions alike.

A word is a run of letters and digits with inner apostrophes; its possessive ending goes, it is made
lower-case, and cut to its stem by Porter's rules (M. Porter, An algorithm for suffix stripping, 1980,
https://tartarus.org/martin/PorterStemmer/), unless it is on the stop list. Names of code are split
where their case or their punctuation changes, and kept whole as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from sbfs.entry import Entry

LONGEST = 64
"""Characters of a word that count; what is longer is no word, and its beginning will do."""

_LEFT_OUT = """
a an and are as at be by can for from have if in is it may not of on or tbd that the this to us we when will with yet
you your
"""  # what search engines usually leave out

_ASKED_WITH = """
did does do was were has had what which who whom how why where i me my he she his her him they them their our am been
there than then so about into
"""  # what people put around the words that matter when they ask in sentences

STOP = frozenset(f"{_LEFT_OUT} {_ASKED_WITH}".split())
"""Words that say nothing about what a record is about."""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# Not tried again within a line of underscores, which would take the square of its length.
_NAME = re.compile(r"[^\W_]+(?:[_./:\\-]+[^\W_]+)+|(?<!_)_*[^\W_]+(?:_[^\W_]+)*_*")
_PATH = re.compile(r"[\w./:\\-]+")
# In prose only what looks like code: snake_case, dotted.names, paths/of/files, mixedCase.
_CODE = re.compile(r"[_./](?<=\w[_./])(?=\w)|:(?<=\w:)(?=:\w)|[A-Z](?<=[a-z0-9][A-Z])|_(?=_\w)")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d\d)(?:-(\d\d))?(?!\d)")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip


class _Stems(dict[str, str]):
    """word → stem, "" for the stop list; remembers, since text repeats itself."""

    def __missing__(self, word: str) -> str:
        if len(self) > 400_000:
            self.clear()
        stem = self[word] = "" if word in STOP else _porter()(word[:LONGEST])
        return stem


@cache
def _porter() -> Callable[[str], str]:
    from whoosh.lang.porter import stem

    return lambda word: stem(word) if word.isascii() else word


_STEMS = _Stems()


def stem(word: str) -> str:
    """A lower-case word's stem; "" where it is on the stop list."""
    return _STEMS[word]


def plain(text: str) -> str:
    """Text in which what looks the same is the same: composed characters, straight apostrophes."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).replace("\u2019", "'")


def words(text: str) -> list[str]:
    """The lower-case words of a text, without possessive endings."""
    found = _WORD.findall(plain(text).lower())
    return [word.removesuffix("'s") for word in found] if "'s" in text or "\u2019" in text else found


def names(text: str) -> Iterator[str]:
    """The terms of names of code, lower-case: each whole, and each of its parts."""
    return _split(_NAME.findall(plain(text)))


def names_in_prose(text: str) -> Iterator[str]:
    """The same for those words of a text that can only be names of code."""
    if not _CODE.search(text):
        return iter(())
    return _split(name.strip("./:\\-") for name in _PATH.findall(plain(text)) if _CODE.search(name))


def _split(found: Iterable[str]) -> Iterator[str]:
    for name in found:
        whole = name.lower()[:LONGEST]
        yield whole
        if (parts := _PARTS.findall(name)) != [name]:
            # `a.b_c` is also asked for as `b_c`.
            pieces = [piece.lower() for piece in re.split(r"[./:\\-]+", name) if piece]
            if len(pieces) > 1:
                yield from (piece[:LONGEST] for piece in pieces if len(_PARTS.findall(piece)) > 1)
            yield from (part.lower()[:LONGEST] for part in parts)


def date_words(timestamp: str) -> str:
    """A date as people say it: `22 november 2026`; "" for what is no date."""
    if not (match := _ISO_DATE.match(timestamp)) or not 1 <= int(match[2]) <= 12:
        return ""
    day = f"{int(match[3])} " if match[3] else ""
    return f"{day}{_MONTHS[int(match[2]) - 1]} {match[1]}"


@dataclass(frozen=True)
class Analysed:
    """An entry's terms. title, body: stem → places (counted in words, those of the stop list too). thinking: the same.
    names, tool: term → how often. words: as they are written, but for those of the stop list.
    """

    title: Mapping[str, list[int]]
    body: Mapping[str, list[int]]
    thinking: Mapping[str, list[int]]
    names: Mapping[str, int]
    tool: Mapping[str, int]
    words: Mapping[str, int]


def analyse(entry: Entry) -> Analysed:
    """The terms of an entry; the speaker and the date in words belong to its body."""
    written: dict[str, int] = {}
    title, body = (words(text) for text in (entry.title, f"{entry.speaker} {entry.text}"))
    dated = date_words(entry.timestamp).split()
    code = Counter(names(entry.identifiers))
    code.update(names_in_prose(f"{entry.title} {entry.text}"))
    tool = Counter(_STEMS[word] or word for word in words(entry.tool_text)) if entry.tool_text else Counter()
    tool.update(name for name in names_in_prose(entry.tool_text) if name not in tool)
    return Analysed(
        title=_places(title, written),
        # A gap keeps phrases from running over into the date.
        body=_places(dated, {}, len(body) + 8, _places(body, written)),
        thinking=_places(words(entry.thinking), {}),
        names=code,
        tool=tool,
        words={word: 1 for word in written if len(word) <= LONGEST},
    )


def _places(
    run: list[str], written: dict[str, int], start: int = 0, places: dict[str, list[int]] | None = None
) -> dict[str, list[int]]:
    """Stem → places of the words of a run, from a start, added to others. written: gets the words that have a stem."""
    places = {} if places is None else places
    for place, word in enumerate(run, start):
        if stem := _STEMS[word]:
            written[word] = 1
            if stem in places:
                places[stem].append(place)
            else:
                places[stem] = [place]
    return places


@dataclass(frozen=True)
class Term:
    """One word of a question. word: as it was written, lower-case. stem: "" where it is only looked for among names."""

    word: str
    stem: str
    weight: float = 1.0


def ask(text: str) -> list[Term]:
    """The distinct terms of a question in people's words, in their order."""
    text = plain(text)
    spoken = _ISO_DATE.sub(lambda match: f"{match[0]} {date_words(match[0])} ", text)
    terms: dict[str, Term] = {}
    for word in words(spoken):
        if (found := _STEMS[word]) and found not in terms:
            terms[found] = Term(word[:LONGEST], found)
    known = {term.word for term in terms.values()}
    for name in names_in_prose(text):
        if name not in known and _STEMS.get(name) != "":
            terms.setdefault(f"\0{name}", Term(name, ""))
    return list(terms.values())


def marks(text: str, terms: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where terms of a hit (stems, and names of code) stand in a text: (start, end) of each, in order."""
    wanted = frozenset(terms)
    for match in re.finditer(r"\w+(?:['\u2019][^\W_]+)*", text):
        found = match[0]
        if any(_STEMS[word] in wanted or word in wanted for word in words(found)) or wanted.intersection(names(found)):
            yield match.span()
