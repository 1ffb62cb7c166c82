"""Reflections: what was learnt and is kept on purpose, with where it came from."""

from __future__ import annotations

from builtins import list as builtin_list
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sbfs import projects, times
from sbfs.catalog import Catalog, Row
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind, check_id, check_line, check_size, check_texts, check_word, new_id
from sbfs.listing import Wanted, gone, living, owners, scan, text_of, unsaved
from sbfs.record import Record
from sbfs.store import Page, Store, Transaction, View

if TYPE_CHECKING:
    from sbfs.entry import Entry

TYPES = ("insight", "decision", "lesson")

_TITLE_HINTS = ("say in a line what was learnt", "put the rest into the text")
_TURN_LIMIT = 200

Counts = dict[str, int]
"""Of a month: type → how many."""


@dataclass(frozen=True)
class Reflection:
    """Something learnt. project: whose folder it lies in. conversation, turn: where it was learnt, by
    their ids, which need not be held here. links: ids of records, or addresses. author: who learnt it,
    where known. extra, provenance_extra: keys that this version does not know."""

    id: str
    title: str
    created: datetime
    updated: datetime
    project: str = ""
    type: str = "insight"
    text: str = ""
    tags: tuple[str, ...] = ()
    conversation: str = ""
    turn: str = ""
    links: tuple[str, ...] = ()
    author: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    provenance_extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def month(self) -> str:
        """The month's folder that it lies in: YYYY/MM of `created`, UTC."""
        return self.created.astimezone(UTC).strftime("%Y/%m")


@dataclass(frozen=True)
class Written:
    """A reflection as it was kept. redacted: secrets taken out, by type."""

    reflection: Reflection
    redacted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A reflection as it is shown. path: of the file. edited: whether an unsaved edit is shown."""

    reflection: Reflection
    path: str
    edited: bool = False


def load(data: Mapping[str, Any]) -> Reflection:
    """From a record's data; the project is not in it. Raises Invalid, naming the field."""
    rest = dict(data)
    provenance = dict(rest.pop("provenance", None) or {})
    created = times.load(rest.pop("created"), field="created")
    updated = rest.pop("updated", None)
    conversation, turn = _check_provenance(provenance.pop("conversation", ""), provenance.pop("turn", ""))
    return Reflection(
        id=check_id(rest.pop("id")),
        title=check_line(rest.pop("title"), field="title", hints=_TITLE_HINTS),
        created=created,
        updated=times.load(updated, field="updated") if updated else created,
        type=rest.pop("type", None) or TYPES[0],
        text=rest.pop("text", None) or "",
        tags=check_texts(rest.pop("tags", None) or (), "tags"),
        conversation=conversation,
        turn=turn,
        links=check_texts(rest.pop("links", None) or (), "links"),
        author=rest.pop("author", None) or "",
        extra=rest,
        provenance_extra=provenance,
    )


def _check_provenance(conversation: Any, turn: Any) -> tuple[str, str]:
    """Only the form: a conversation may be held in another store, or be gone."""
    if conversation:
        check_id(conversation, field="provenance.conversation")
    if turn:
        check_line(turn, field="provenance.turn", limit=_TURN_LIMIT)
    if turn and not conversation:
        raise Invalid("names a turn of no conversation", field="provenance", hint="name the conversation too")
    return conversation or "", turn or ""


def dump(reflection: Reflection) -> dict[str, Any]:
    """As a record's data, keys in the order that people like to read."""
    provenance = {"conversation": reflection.conversation, "turn": reflection.turn}
    facts = {
        "text": reflection.text,
        "tags": [*reflection.tags],
        "provenance": {key: value for key, value in provenance.items() if value} | dict(reflection.provenance_extra),
        "links": [*reflection.links],
        "author": reflection.author,
    }
    return {
        "id": reflection.id,
        "type": reflection.type,
        "title": reflection.title,
        **{key: value for key, value in facts.items() if value},
        "created": times.dump(reflection.created),
        "updated": times.dump(reflection.updated),
        **reflection.extra,
    }


def _header(data: dict[str, Any]) -> builtin_list[Any]:
    one = load(data)
    return [times.dump(one.created), one.type, [*one.tags], one.conversation]


@dataclass(frozen=True)
class Header:
    """What lists know of a reflection without reading it; the twin of `_header`."""

    path: str
    created: str
    type: str
    tags: Sequence[str]
    conversation: str

    @property
    def order(self) -> str:
        """What lists sort by, and cursors name."""
        return f"{self.created},{self.path.rpartition('/')[2].removesuffix('.yaml')}"


def _entries(record: Record) -> Iterator[Entry]:
    from sbfs.entry import Entry

    one = _loaded(record)
    facets: dict[str, str | tuple[str, ...]]
    facets = {"type": one.type, "tags": one.tags, "author": one.author, "conversation": one.conversation}
    yield Entry(
        id=one.id,
        kind="reflection",
        project=one.project,
        path=record.path,
        title=one.title,
        timestamp=times.dump(one.created),
        speaker=one.author,
        text=one.text,
        identifiers=" ".join((*one.tags, *one.links)),
        facets={key: value for key, value in facets.items() if value},
    )


KIND: Kind[Reflection] = Kind(
    name="reflection",
    prefix="refl",
    pattern="projects/{project}/reflections/{month}/{id}.yaml",
    fields=(
        Field("id", rule="fixed", required=True),
        Field("type", choices=TYPES),
        Field("title", required=True),
        Field("text", rule="text"),
        Field("tags", builtin_list, rule="set"),
        Field("provenance", dict, rule="mapping"),
        Field("provenance.conversation"),
        Field("provenance.turn"),
        Field("links", builtin_list, rule="set"),
        Field("author"),
        Field("created", rule="fixed", required=True, is_time=True),
        Field("updated", is_time=True),
    ),
    load=load,
    dump=dump,
    header=_header,
    entries=_entries,
)

# -- writing ---------------------------------------------------------------------------------------


def add(
    store: Store,
    *,
    project: str,
    title: str,
    text: str = "",
    type: str = "insight",
    tags: Sequence[str] = (),
    conversation: str = "",
    turn: str = "",
    links: Sequence[str] = (),
    author: str = "",
    actor: str = "",
) -> Written:
    """Keep something learnt: an insight, a decision or a lesson.

    conversation, turn: where it was learnt, by their ids. links: ids of records, or addresses.
    Raises NotFound for an unknown project, Invalid for anything that breaks a rule.
    """
    check_word(type, TYPES, "type")
    limit = store.limit("body")

    def build(tx: Transaction) -> Written:
        name = projects.resolve(tx.view, project).name
        made = Reflection(
            new_id("refl", tx.now), title, tx.now, tx.now, name, type, _check_text(text, limit), _each_once(tags),
            *_check_provenance(conversation, turn), _each_once(links), author,
        )  # fmt: skip
        tx.actor = tx.actor or name
        # A project that is renamed or removed meanwhile must not be left a folder of its former name.
        tx.need(projects.KIND.path_of(project=name))
        record = tx.create(KIND, KIND.path_of(project=name, month=made.month, id=made.id), dump(made))
        kept = _loaded(record)
        # What was taken out of the title is taken out of the history too.
        tx.describe(f"{name} keeps: {kept.title}", Ids=kept.id)
        return Written(kept, dict(tx.redacted))

    return store.write("reflection.add", build, actor=actor)


def edit(
    store: Store,
    *,
    reflection_id: str,
    title: str | None = None,
    text: str | None = None,
    type: str | None = None,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    conversation: str | None = None,
    turn: str | None = None,
    add_links: Sequence[str] = (),
    remove_links: Sequence[str] = (),
    author: str | None = None,
    actor: str = "",
) -> Written:
    """Change a reflection; None leaves a field as it is, "" empties it."""
    limit = store.limit("body")
    given = {
        "title": title,
        "text": None if text is None else _check_text(text, limit),
        "type": None if type is None else check_word(type, TYPES, "type"),
        "conversation": conversation,
        "turn": turn,
        "author": author,
    }
    facts = {key: value for key, value in given.items() if value is not None}

    def build(tx: Transaction) -> Written:
        record = _stored(tx, reflection_id)
        old = _loaded(record)
        tags, links = _changed(old.tags, add_tags, remove_tags), _changed(old.links, add_links, remove_links)
        new = replace(old, **facts, tags=tags, links=links)  # type: ignore[arg-type]
        if new == old:
            return Written(old)
        _check_provenance(new.conversation, new.turn)
        # A person may have written the time of its making in another form, which is fixed too.
        data = dump(replace(new, updated=tx.now)) | {"created": record.data["created"]}
        kept = _loaded(tx.replace(KIND, record, data))
        tx.actor = tx.actor or kept.project
        tx.describe(f"{kept.project} changes: {kept.title}", Ids=kept.id)
        return Written(kept, dict(tx.redacted))

    return store.write("reflection.edit", build, actor=actor)


def remove(store: Store, *, reflection_id: str, actor: str = "") -> Reflection:
    """Remove a reflection; `sbfs undo` brings it back."""

    def build(tx: Transaction) -> Reflection:
        record = _stored(tx, reflection_id)
        old = _loaded(record)
        tx.remove(KIND, record.path)
        tx.actor = tx.actor or old.project
        tx.describe(f"Remove a reflection of {old.project}: {old.title}", Ids=old.id)
        return old

    return store.write("reflection.remove", build, actor=actor)


def _stored(tx: Transaction, id: str) -> Record:
    record = tx.find(tx.view.find((KIND,), id, what="reflection")[0])
    if record is None:
        raise gone("reflection", id)
    return record


def _changed(old: Sequence[str], added: Sequence[str], removed: Sequence[str]) -> tuple[str, ...]:
    return _each_once([*(one for one in old if one not in removed), *added])


def _each_once(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _check_text(text: str, limit: int) -> str:
    return check_size(text, field="text", limit=limit, hint="shorten it, or raise limits.body in sbfs.yaml")


# -- reading ---------------------------------------------------------------------------------------


def show(store: Store, *, reflection_id: str, at: str | None = None) -> Shown:
    """A reflection by its id or a unique prefix. An unsaved edit of the file is shown, and said."""
    record = living(store.view(at), KIND, reflection_id, what="reflection")
    edited = None if at else unsaved(store, record)
    return Shown(_loaded(edited or record), record.path, edited is not None)


def list(
    store: Store,
    *,
    project: str = "",
    type: str | None = None,
    tag: str = "",
    conversation: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
) -> Page:
    """Reflections of a project, or of all, newest first. Items: Reflection.

    conversation: only what was learnt in it. cursor: a former answer's `next`.
    """
    if type is not None:
        check_word(type, TYPES, "type")
    view = store.view(at)
    span = (text_of(since), text_of(until))

    def matches(header: Header) -> bool:
        return (
            type in (None, header.type)
            and (not tag or tag in header.tags)
            and conversation in ("", header.conversation)
            and span[0] <= header.created
            and (not span[1] or header.created < span[1])
        )

    by_type_only = not (tag or conversation or since or until)
    wanted: Wanted[Counts, Header]
    wanted = Wanted(_row_header, matches, span[0], _counter(type) if by_type_only else None)
    catalogs = [_catalog(view, name) for name in owners(view, project)]
    found = scan(catalogs, wanted, limit=limit, cursor=cursor)
    items = [_loaded(view.record(header.path)) for header in found.shown]
    return Page(items, found.total, found.next, tuple(found.troubles))


def _catalog(view: View, project: str) -> Catalog[Counts]:
    return Catalog(view, KIND, f"projects/{project}/reflections", _count_by_type)


def _count_by_type(rows: Sequence[Row]) -> Counts:
    return dict(Counter(_row_header(row).type for row in rows if row.header))


def _counter(type: str | None) -> Callable[[Counts], int]:
    return lambda counts: sum(counts.values()) if type is None else counts.get(type, 0)


def _row_header(row: Row) -> Header:
    assert row.header is not None
    return Header(row.path, *row.header)


def _loaded(record: Record) -> Reflection:
    """With the project that its place names. Raises Invalid, with path and line, where it breaks the rules."""
    KIND.check(record)
    return replace(load(record.data), project=record.path.split("/")[1])
