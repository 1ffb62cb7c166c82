"""What the files of a code graph hold: a snapshot, and a shard for each source file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sbfs import times
from sbfs.code import shards
from sbfs.code.facts import Facts, Symbol
from sbfs.entry import Entry
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind, check_texts
from sbfs.record import Record

SKIPPED_SHOWN = 500
"""Files and folders that a snapshot names as left out; more are only counted."""

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class Skipped:
    """What was left out. path: below the source's folder; of a folder with `/` behind it."""

    path: str
    why: str


@dataclass(frozen=True)
class Snapshot:
    """What a graph says about one source tree.

    commit: of the source, "" where it is in no Git repository. clean: whether the files that were read are those of
    that commit; None where there is none. folder: of the source within its repository. tree: Git's id of the folder of
    shards, so that it can be told whether they are all of this snapshot. counts: files, lines, symbols, functions,
    classes, imports, calls. languages: name → files. versions: of the shards, the readers and the rules of redaction.
    docs: of the documentation that was read with it: `tree` of its shards, `patterns`, `counts`, `schema`; empty where
    it is not wanted. extra: keys that this version does not know.
    """

    updated: datetime
    tree: str
    commit: str = ""
    clean: bool | None = None
    folder: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, Any] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    skipped_count: int = 0
    docs: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def load(data: Mapping[str, Any]) -> Snapshot:
    """From a record's data. Raises Invalid, naming the field."""
    rest = dict(data)
    source = rest.pop("source", None) or {}
    skipped = tuple(_load_skipped(one) for one in rest.pop("skipped", None) or ())
    clean = source.get("clean")
    if clean is not None and not isinstance(clean, bool):
        raise Invalid("must be true, false or null", field="source.clean")
    return Snapshot(
        updated=times.load(rest.pop("updated"), field="updated"),
        tree=_check_id(rest.pop("tree"), "tree"),
        commit=_check_id(source.get("commit") or "", "source.commit"),
        clean=clean,
        folder=str(source.get("folder") or ""),
        counts=_numbers(rest.pop("counts", None), "counts"),
        languages=_numbers(rest.pop("languages", None), "languages"),
        versions=rest.pop("versions", None) or {},
        skipped=skipped,
        skipped_count=rest.pop("skipped_count", len(skipped)),
        docs=rest.pop("docs", None) or {},
        extra=rest,
    )


def _check_id(id: Any, field: str) -> str:
    if id and not (isinstance(id, str) and _ID.fullmatch(id)):
        raise Invalid(f"{id!r:.80} is no id of Git's", field=field)
    return id or ""


def _numbers(said: Any, field: str) -> dict[str, int]:
    found = said or {}
    for name, number in found.items():
        if isinstance(number, bool) or not isinstance(number, int):
            raise Invalid("must be a number", field=f"{field}.{name}")
    return dict(found)


def _load_skipped(said: Any) -> Skipped:
    if not isinstance(said, Mapping):
        raise Invalid("must be a list of path and why", field="skipped")
    path, why = check_texts([said.get("path"), said.get("why")], "skipped")
    return Skipped(path, why)


def dump(snapshot: Snapshot) -> dict[str, Any]:
    """As a record's data, keys in the order that people like to read."""
    source: dict[str, Any] = {"commit": snapshot.commit or None, "clean": snapshot.clean}
    if snapshot.folder:
        source["folder"] = snapshot.folder
    data: dict[str, Any] = {
        "source": source,
        "counts": dict(snapshot.counts),
        "languages": dict(snapshot.languages),
        "versions": dict(snapshot.versions),
        "tree": snapshot.tree,
    }
    if snapshot.skipped:
        data["skipped"] = [{"path": one.path, "why": one.why} for one in snapshot.skipped]
        data["skipped_count"] = snapshot.skipped_count
    if snapshot.docs:
        data["docs"] = dict(snapshot.docs)
    return {**data, "updated": times.dump(snapshot.updated), **snapshot.extra}


def _derived(name: str, type: type = str, *, required: bool = False) -> Field:
    return Field(name, type, rule="derived", required=required)


SNAPSHOT: Kind[Snapshot] = Kind(
    name="snapshot",
    pattern="projects/{project}/graph/snapshot.yaml",
    fields=(
        _derived("source", dict, required=True),
        *(_derived(name, dict) for name in ("counts", "languages", "versions", "docs")),
        _derived("tree", required=True),
        _derived("skipped", list),
        _derived("skipped_count", int),
        Field("updated", required=True, is_time=True),
    ),
    load=load,
    dump=dump,
)


# -- shards ----------------------------------------------------------------------------------------


def _facts(data: dict[str, Any]) -> Facts:
    try:
        return shards.facts_of("", data)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        hint = "index the project again: sbfs graph index PROJECT"
        raise Invalid("is no shard of a code graph that this version knows", hint=hint) from None


def _dump_facts(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = Record.parse("shard.json", shards.dump(facts)).data
    return found


def _entries(record: Record) -> Iterator[Entry]:
    """Each named symbol; what is within a function is found by it."""
    places = SHARD.places(record.path) or {}
    source, project = places.get("source", ""), places.get("project", "")
    facts = _facts(record.data)
    functions = {one.name for one in facts.symbols if one.type in ("function", "method")}
    for one in facts.symbols:
        if one.name and "<" not in one.name and one.name.rpartition(".")[0] not in functions:
            yield _entry(one, facts, source, project, record.path)


def _entry(one: Symbol, facts: Facts, source: str, project: str, path: str) -> Entry:
    flags = ("exported",) * one.exported + ("documented",) * bool(one.doc) + ("test",) * ("test" in one.flags)
    return Entry(
        id=f"{source}::{one.name}",
        kind="symbol",
        project=project,
        path=path,
        title=f"{one.type} {one.name.replace('#', ' #')} ({source}:{one.start})",
        text="\n".join(filter(None, (one.signature, one.doc))),
        identifiers=f"{one.name.partition('#')[0]} {source}",
        facets={"type": one.type, "language": facts.language, **({"flags": flags} if flags else {})},
    )


SHARD: Kind[Facts] = Kind(
    name="symbol",
    pattern="projects/{project}/graph/files/{source}.json",
    fields=(
        Field("head", list, required=True),
        Field("symbols", list, required=True),
        Field("imports", list, required=True),
        Field("numbers", list, required=True),
    ),
    load=_facts,
    dump=_dump_facts,
    entries=_entries,
    whole=True,
)
"""A shard, called by what search finds in it. It follows from one source file, so a merge takes one side as it is."""


def folder_of(project: str) -> str:
    """The folder of a project's shards."""
    return f"projects/{project}/graph/files"
