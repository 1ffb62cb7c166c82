"""The files that documentation is kept in: a shard for each source file and file of prose that documents something."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sbfs.code import documented
from sbfs.code.documented import PROSE, Documented, Item
from sbfs.entry import Entry
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind
from sbfs.record import Record


def folder_of(project: str) -> str:
    """The folder of a project's documentation."""
    return f"projects/{project}/docs"


def id_of(source: str, item: Item) -> str:
    """An item's id: of a symbol the one that it has in the code graph, of a section `path#anchor`."""
    return f"{source}#{item.name}" if item.type in PROSE else f"{source}::{item.name}"


def title_of(source: str, item: Item) -> str:
    """What a reader knows an item by: a section's title, a symbol's name, the file's where it has none."""
    return item.title or (item.name.partition("#")[0] if item.type not in PROSE else "") or source


def load(data: dict[str, Any]) -> Documented:
    """From a shard's data. Raises Invalid."""
    try:
        return documented.load(data)
    except (ValueError, KeyError, TypeError, AttributeError):
        hint = "index the project again: sbfs docs index PROJECT"
        raise Invalid("is no documentation that this version knows", hint=hint) from None


def _dump(found: Documented) -> dict[str, Any]:
    data: dict[str, Any] = Record.parse("docs.json", documented.dump(found)).data
    return data


def _entries(record: Record) -> Iterator[Entry]:
    places = DOCS.places(record.path) or {}
    source, project = places.get("source", ""), places.get("project", "")
    found = load(record.data)
    for one in found.items:
        yield Entry(
            id=f"doc:{id_of(source, one)}",
            kind="doc",
            project=project,
            path=record.path,
            title=f"{one.type} {title_of(source, one)} ({source}:{one.line})",
            text="\n".join(filter(None, (one.signature, one.text))),
            identifiers=f"{one.name.partition('#')[0]} {source}",
            facets={"type": one.type, "language": found.language},
        )


DOCS: Kind[Documented] = Kind(
    name="doc",
    pattern="projects/{project}/docs/{source}.json",
    fields=(
        Field("schema", int, required=True),
        Field("language", required=True),
        Field("blob", required=True),
        Field("items", list, required=True),
        Field("lines", list, required=True),
    ),
    load=load,
    dump=_dump,
    entries=_entries,
    whole=True,
)
"""A shard of documentation. It follows from one file, so a merge takes one side as it is."""


def fits(path: str, patterns: Sequence[str]) -> bool:
    """Whether a file is one of those that shall be documented: its path or its name fits one of the patterns."""
    name = path.rpartition("/")[2]
    return not patterns or any(fnmatch.fnmatchcase(path, one) or fnmatch.fnmatchcase(name, one) for one in patterns)


def counted(items: Iterable[Item]) -> Counter[str]:
    """How many there are of each type, and of all."""
    found = Counter(one.type for one in items)
    found["items"] = found.total()
    return found
