"""What one file documents ⇄ the bytes of a shard: JSON, one record a line, the same bytes for the same file everywhere.

A record is `[name, type, text, {the rest}]`; line numbers are all in the last line, as distances, since an inserted
line changes all that come behind it. Texts are whole, as the source has them; they are parsed by those who ask
(`sbfs.documentation`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sbfs.code import prose
from sbfs.code.facts import Facts, Symbol

SCHEMA = 1
"""It grows when a file gives another shard than before."""

TYPES = {
    "interface": "class",
    "type": "class",
    "enum": "class",
    "trait": "class",
    "namespace": "module",
    "component": "function",
}
"""Type of a symbol → that of its documentation, where it is another."""

PROSE = ("section", "readme", "changelog", "adr")

LONGEST = 40_000
"""Characters of a section that are kept."""

Clean = Callable[[Any], Any]


@dataclass(frozen=True)
class Item:
    """One documented thing. name: of a symbol or attribute within its file, "" for the module itself; of a section its
    anchor. type: module, class, function, method, attribute, section, readme, changelog, adr. title, level: of a
    section. signature: of a symbol."""

    name: str
    type: str
    line: int
    text: str
    signature: str = ""
    title: str = ""
    level: int = 0


@dataclass(frozen=True)
class Documented:
    """What a file documents. blob: Git's id of its bytes."""

    language: str
    blob: str
    items: tuple[Item, ...]


def of_facts(facts: Facts) -> Documented:
    """The documented symbols and attributes of a source file, by their lines."""
    items = [_item(one) for one in facts.symbols if one.doc.strip()]
    items += [Item(name, "attribute", line, doc) for name, line, doc in facts.attributes]
    return Documented(facts.language, facts.blob, tuple(sorted(items, key=lambda one: (one.line, one.name))))


def _item(one: Symbol) -> Item:
    return Item(one.name, TYPES.get(one.type, one.type), one.start, one.doc, one.signature if one.name else "")


def of_prose(path: str, raw: bytes, blob: str) -> Documented:
    """The sections of a file of prose."""
    form = prose.form_of(path)
    text = raw.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    role = prose.role_of(path, text)
    items = (
        Item(one.anchor, role, one.start, one.text[:LONGEST], title=one.title, level=one.level)
        for one in prose.sections(form, text)
    )
    return Documented(form, blob, tuple(items))


def dump(found: Documented, clean: Clean | None = None) -> bytes:
    """The bytes of a shard; b"" where nothing is documented. clean: takes secrets out of a plain value."""
    if not found.items:
        return b""
    records = [_record(one) for one in found.items]
    if clean is not None:
        records = clean(records)
    lines = [
        f'{{"schema":{SCHEMA},"language":{_text(found.language)},"blob":{_text(found.blob)},"items":[',
        ",\n".join(map(_text, records)),
        f'],"lines":{_text([*_steps(one.line for one in found.items)])}}}\n',
    ]
    return "\n".join(lines).encode("utf-8", "replace")


_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _record(one: Item) -> list[Any]:
    said = {"signature": one.signature, "title": one.title, "level": one.level}
    rest = {name: value for name, value in said.items() if value}
    return [one.name, one.type, one.text, *([rest] if rest else [])]


def _steps(lines: Iterable[int]) -> Iterator[int]:
    before = 0
    for line in lines:
        yield line - before
        before = line


def load(data: Mapping[str, Any]) -> Documented:
    """From a shard's data. Raises ValueError, KeyError or TypeError for what is none."""
    if data["schema"] != SCHEMA:
        raise ValueError("of another schema")
    lines = [*accumulate(data["lines"])]
    items = (_loaded(record, line) for record, line in zip(data["items"], lines, strict=True))
    return Documented(str(data["language"]), str(data["blob"]), tuple(items))


def _loaded(record: list[Any], line: int) -> Item:
    name, type, text, *more = record
    rest = more[0] if more else {}
    signature, title, level = rest.get("signature", ""), rest.get("title", ""), rest.get("level", 0)
    if not all(isinstance(one, str) for one in (name, type, text, signature, title)):
        raise ValueError("must be texts")
    return Item(name, type, line, text, signature, title, int(level))
