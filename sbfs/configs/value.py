"""What a configuration is: a text in a format that is checked, under a name of its project's."""

from __future__ import annotations

from builtins import list as builtin_list
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sbfs.entry import Entry
from sbfs.errors import Invalid
from sbfs.kind import Kind
from sbfs.record import Record

FORMATS = ("yaml", "json", "toml", "md")

SCHEMA = ".schema.json"
"""What the file's name of a schema ends with: `settings.schema.json` says how `settings.yaml` has to look."""


@dataclass(frozen=True)
class Config:
    """A configuration. name: of its file, `settings.yaml`. path: below the store. data: what the text says, as plain
    values; a Markdown's is its text."""

    project: str
    name: str
    path: str
    text: str
    data: Any

    @property
    def format(self) -> str:
        """One of FORMATS."""
        return self.name.rpartition(".")[2]


def _entries(record: Record) -> Iterator[Entry]:
    one = loaded(record)
    yield Entry(
        id=f"{one.project}/{one.name}",
        kind="config",
        project=one.project,
        path=record.path,
        title=one.name,
        text=one.text,
        identifiers=" ".join((one.name, *_keys(one.data))),
        facets={"type": one.format},
    )


def _keys(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from _keys(value)


KIND: Kind[dict[str, Any]] = Kind(
    name="config",
    pattern="projects/{project}/config/{file}",
    fields=(),
    load=lambda data: data,
    dump=lambda data: data,
    entries=_entries,
    verbatim=True,
)


def loaded(record: Record) -> Config:
    """The configuration of a record. Raises Invalid, with path and line, where it breaks the rules."""
    KIND.check(record)
    places = KIND.places(record.path) or {}
    data = record.data["text"] if record.path.endswith(".md") else record.data
    return Config(places["project"], places["file"], record.path, record.raw.decode("utf-8-sig"), data)


def check_file(name: str) -> str:
    """The name of a configuration's file, or Invalid."""
    path = KIND.path_of(project="x", file=name)
    if ".." in name or KIND.places(path) is None:
        endings = ", ".join(f".{one}" for one in FORMATS)
        hint = f"use letters, digits and . _ -, and one of the endings {endings}"
        raise Invalid(f"{name!r} cannot name a configuration", field="name", hint=hint)
    return name


def names_of(names: builtin_list[str], name: str) -> builtin_list[str]:
    """Of the files' names, those that a name means: itself, or without its ending."""
    return [name] if name in names else [one for one in names if one.rpartition(".")[0] == name]
