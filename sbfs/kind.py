"""What a domain declares about its records, once: where they lie, what they hold, how fields merge.

Also ids and names, since both end up in paths. Nothing here reads or writes.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from sbfs import times
from sbfs.errors import Invalid
from sbfs.fetching import pattern
from sbfs.record import Record

if TYPE_CHECKING:
    from sbfs.entry import Entry

T = TypeVar("T")

Rule = Literal["fixed", "later", "highest", "set", "text", "mapping", "derived", "entries"]
"""How a field merges: fixed (never changes), later (the later `updated` wins), highest (of an order),
set (removals count), text (by lines), mapping (key by key), derived (of the record with the later
`updated`, and nothing is kept of the other: it can be worked out again), entries (a list of mappings, one
by one, by their ids)."""

NAME = pattern(r"[a-z0-9][a-z0-9._-]{0,63}")
_ID = pattern(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
LINE_LIMIT = 1000
"""Characters of a subject or title."""

_RESERVED = pattern(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.I)
_PLACES = {
    "project": NAME.pattern,
    "group": NAME.pattern,
    "date": r"\d{4}/\d\d/\d\d",
    "month": r"\d{4}/\d\d",
    "id": _ID.pattern,
    "line": rf"messages|agent-{_ID.pattern}",
    "number": r"\d{4,9}",
    "file": r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.(?:yaml|json|toml|md)",
    "source": r"[^/]+(?:/[^/]+)*",
}
"""A place → what may stand there. `source` is a path of any depth, which `View.walk` does not go down."""


@dataclass(frozen=True)
class Field:
    """One field of a record.

    name: dotted where it is nested. type: of the plain value. choices: allowed words, in their
    order for the rule `highest`. default: filled in where the field is absent and not required.
    """

    name: str
    type: type | tuple[type, ...] = str
    rule: Rule = "later"
    required: bool = False
    choices: tuple[str, ...] = ()
    is_time: bool = False


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A domain's declaration.

    name: the noun. pattern: path below the store, with `{project}`, `{date}`
    (YYYY/MM/DD), `{id}` and the like. load and dump: between plain data and the domain's value.
    prefix: of its ids. header: what lists need of a record, as JSON values; `version` grows when
    that changes. entries: what search is to know of a record; None where it is not searched. head: name of
    the file beside it whose entry is not found for itself but lends what it knows, as a conversation's facts
    do to its turns. verbatim: whether a file is kept as it was written: a secret in it is refused, not taken out.
    whole: whether a merge takes the file of one side as it is, because it can be made again.
    """

    name: str
    pattern: str
    fields: tuple[Field, ...]
    load: Callable[[dict[str, Any]], T]
    dump: Callable[[T], dict[str, Any]]
    prefix: str = ""
    header: Callable[[dict[str, Any]], list[Any]] = lambda _: []
    version: int = 1
    entries: Callable[[Record], Iterable[Entry]] | None = None
    head: str = ""
    verbatim: bool = False
    whole: bool = False

    def path_of(self, **places: str) -> str:
        """The path of a record, from its places."""
        return self.pattern.format(**places)

    def places(self, path: str) -> dict[str, str] | None:
        """What a path says: `{project: …, id: …}`, or None if it is none of this kind's."""
        match = _regex(self.pattern).fullmatch(path)
        return match.groupdict() if match else None

    def check(self, record: Record) -> None:
        """Raise Invalid, with field, path and line, where a record breaks the declaration."""
        if record.removed:
            return
        try:
            self._check_fields(record.data)
            self._check_identity(record)
            self.load(record.data)
        except Invalid as error:
            raise error.at(record.path, record.line_of(error.field)) from None

    def _check_fields(self, data: dict[str, Any]) -> None:
        for field in self.fields:
            value = _dig(data, field.name)
            if value is None:
                if field.required:
                    raise Invalid("is missing", field=field.name)
                continue
            if not isinstance(value, field.type) or (isinstance(value, bool) and field.type is not bool):
                raise Invalid(f"must be {_type_name(field.type)}, is {value!r:.80}", field=field.name)
            if field.choices and value not in field.choices:
                raise Invalid(
                    f"{value!r} is none of {', '.join(field.choices)}",
                    field=field.name,
                )
            if field.is_time:
                times.load(str(value), field=field.name)

    def _check_identity(self, record: Record) -> None:
        for place, said in (self.places(record.path) or {}).items():
            if place in ("id", "group", "project") and self._names_itself(place):
                field = "id" if place == "id" else "name"
                if record.data.get(field, said) != said:
                    raise Invalid(f"{record.data[field]!r} does not fit the file's name", field=field)

    def _names_itself(self, place: str) -> bool:
        return place == "id" or "{id}" not in self.pattern

    def fixed_fields(self) -> Iterable[str]:
        """Names of the fields that never change once written."""
        return (field.name for field in self.fields if field.rule == "fixed")

    def as_written(self, old: Mapping[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        """New data with the fixed times spelt as a person wrote them: `2026-11-20` stays what it was."""
        fixed = [field.name for field in self.fields if field.is_time and field.rule == "fixed" and field.name in old]
        same = [name for name in fixed if name in new and times.load(str(old[name])) == times.load(str(new[name]))]
        return new | {name: old[name] for name in same}

    def check_change(self, old: Record, new: Record) -> None:
        """Raise Invalid if a change touches what is fixed."""
        if old.removed or new.removed:
            return
        for name in self.fixed_fields():
            if _dig(old.data, name) != _dig(new.data, name):
                raise Invalid(
                    "was sent and does not change" if self.name == "message" else "does not change",
                    field=name,
                    path=new.path,
                    line=new.line_of(name),
                    hint=f"put it back: it was {_dig(old.data, name)!r:.80}",
                )


def _dig(data: Mapping[str, Any], name: str) -> Any:
    if "." not in name:
        return data.get(name)
    value: Any = data
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _type_name(kind: type | tuple[type, ...]) -> str:
    names = {str: "text", dict: "a mapping", list: "a list", int: "a number", float: "a number", bool: "true or false"}
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(dict.fromkeys(names.get(one, one.__name__) for one in kinds))


@functools.cache
def _regex(said: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", said)
    text = "".join(f"(?P<{part}>{_PLACES[part]})" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    return re.compile(text)


def check_name(name: str, *, field: str = "name", what: str = "project") -> str:
    """A project's or group's name, or Invalid."""
    if not isinstance(name, str) or not NAME.fullmatch(name) or ".." in name or name.endswith("."):
        raise Invalid(
            f"{name!r} cannot name a {what}",
            field=field,
            hint="use up to 64 of a-z 0-9 . _ -, beginning with a letter or digit",
        )
    if _RESERVED.fullmatch(name):
        raise Invalid(f"{name!r} is reserved by file systems", field=field, hint="choose another name")
    return name


def check_id(id: str, *, field: str = "id") -> str:
    """A record's id, minted here or elsewhere, or Invalid if it cannot be a file's name."""
    if not isinstance(id, str) or not _ID.fullmatch(id) or ".." in id or _RESERVED.fullmatch(id) or id.endswith("."):
        raise Invalid(f"{id!r} cannot be an id", field=field, hint="use letters, digits and . _ -")
    return id


def check_line(text: str, *, field: str, hints: tuple[str, str] = ("", ""), limit: int = LINE_LIMIT) -> str:
    """A text of one line that says something, or Invalid. hints: where it is empty, where it has more lines."""
    if not isinstance(text, str) or not text.strip():
        raise Invalid("is empty", field=field, hint=hints[0])
    if "\n" in text or "\r" in text:
        raise Invalid("has more than one line", field=field, hint=hints[1])
    if len(text) > limit:
        raise Invalid(f"has more than {limit} characters", field=field)
    return text


def check_size(text: str, *, field: str, limit: int, hint: str) -> str:
    """A text of up to `limit` bytes, or Invalid."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Invalid("is not valid UTF-8", field=field, hint="save the text as UTF-8") from None
    if size > limit:
        raise Invalid(f"has {size} bytes, more than {limit}", field=field, hint=hint)
    return text


def check_word(word: str, words: tuple[str, ...], field: str) -> str:
    """One of a few words, or Invalid."""
    if word not in words:
        raise Invalid(f"{word!r} is none of {', '.join(filter(None, words))}", field=field)
    return word


def check_texts(values: Any, field: str) -> tuple[str, ...]:
    """A list of texts, or Invalid."""
    if not isinstance(values, tuple | list) or not all(isinstance(value, str) for value in values):
        raise Invalid("must be a list of texts", field=field)
    return tuple(values)


_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of Crockford's base 32: five bits each."""

_MOMENT = 10
"""How many of a ULID's digits are its time."""


def new_id(prefix: str, moment: datetime) -> str:
    """`<prefix>-<ULID>`: 48 bits of time and 80 random bits, https://github.com/ulid/spec."""
    number = int(moment.timestamp() * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return f"{prefix}-{''.join(_DIGITS[number >> place & 31] for place in range(125, -1, -5))}"


def moments_of(digits: str) -> tuple[int, int] | None:
    """The first and last millisecond since 1970 at which a ULID that begins so was minted; None for no ULID."""
    place = {digit: value for value, digit in enumerate(_DIGITS)}
    values = [place.get(digit, -1) for digit in digits.upper()[:_MOMENT]]
    if not values or -1 in values or values[0] > 7:
        return None
    known, open_bits = 0, 5 * (_MOMENT - len(values))
    for value in values:
        known = known << 5 | value
    return known << open_bits, (known + 1 << open_bits) - 1
