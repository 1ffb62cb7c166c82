"""The verb `search`: a question, filters, and the best results with what they say."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sbfs import kinds, messages, projects, times
from sbfs.entry import Entry
from sbfs.errors import Invalid, NotFound
from sbfs.messages.reading import path_in
from sbfs.store import Store, View

# The rest of search is fetched by the functions that need it: every command loads this module.
if TYPE_CHECKING:
    from sbfs.search.engine import Engine
    from sbfs.search.question import Filters, Found, Hit

GROUPS = ("auto", "none")

FETCHED = 100
"""Hits that are ranked for the first results; twice as many for later ones, and so on."""

QUERY_LIMIT = 100_000
"""Characters of a question."""

AROUND_LIMIT = 20
"""Neighbours on either side of a result."""

PASSAGE = 1000
"""Characters of a neighbour that are shown."""


@dataclass(frozen=True)
class Result:
    """One thing found.

    snippet: the passage that matched, matches between `**`. conversation_id, message_id: of a turn, the
    latter as its transcript gave it. matches: hits in the same conversation or thread, of which this is
    the best. around: what stands before and after it, where that was asked for. callers, callees: of a symbol of code,
    by their dotted names.
    """

    id: str
    kind: str
    project: str
    title: str
    timestamp: str
    score: float
    snippet: str
    path: str
    conversation_id: str = ""
    message_id: str = ""
    speaker: str = ""
    facets: Mapping[str, Any] = field(default_factory=dict)
    quality_score: float | None = None
    callers: tuple[str, ...] = ()
    callees: tuple[str, ...] = ()
    matches: int = 1
    around: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Passage:
    """What stands beside a result. offset: how many places behind it, negative where it stands before."""

    id: str
    offset: int
    timestamp: str
    speaker: str
    text: str
    path: str


@dataclass(frozen=True)
class Results:
    """An answer. total: how many there are, None where that was not counted. next: cursor, or None.
    spelled: word that is nowhere → words that were taken in its place. incomplete: why something may
    be missing, or "". notice: what should be known of the index, or ""."""

    query: str
    results: tuple[Result, ...]
    total: int | None
    next: str | None = None
    spelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    incomplete: str = ""
    notice: str = ""


def search(
    store: Store,
    *,
    query: str = "",
    kind: Sequence[str] = (),
    project: Sequence[str] = (),
    where: Mapping[str, str | Sequence[str]] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    min_quality: float | None = None,
    max_quality: float | None = None,
    path: str = "",
    like: str = "",
    syntax: bool = False,
    thinking: bool = False,
    group: str = "auto",
    around: int = 0,
    limit: int = 20,
    cursor: str | None = None,
    at: str | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Results:
    """Find what a question asks for, in everything the store knows. The best comes first.

    project: names, or `@group` for all of a group. where: facet → value or values, of which a record
    must have one: sender, recipient, role, model, agent, tool, status, priority, type, tags and the like.
    path: its beginning, or a pattern. like: the id of a record; instead of a question, what is like it.
    syntax: the question is a query with operators. thinking: look into models' thinking, too. group:
    `auto` gives one result a conversation or thread, `none` one a turn. around: how many neighbours of
    each result come with it. progress: called with the number of records read, where an index is made.

    Raises Invalid for a question or filter that makes no sense, NotFound for a project or record that
    is not there.
    """
    from sbfs.search.question import Filters

    asked = _Asked(query, like, syntax, thinking, group, around, limit, cursor)
    asked.check()
    view = store.view(at)
    wanted = Filters(
        words=_words(view, kind, project, where or {}),
        since=times.dump(since) if since else "",
        until=times.dump(until) if until else "",
        path=path,
        quality_from=min_quality,
        quality_to=max_quality,
        now=times.dump(store.clock()),
    )
    return _Search(store, view, asked, wanted, progress, past=bool(at)).run()


def within(kind: str) -> Callable[..., Results]:
    """`search` over one kind: a verb for that kind's noun."""

    @functools.wraps(search)
    def found(store: Store, **given: Any) -> Results:
        return search(store, kind=(kind,), **given)

    # How it is called from Python, in the reference.
    found.__name__ = f'within("{kind}")'
    signature = inspect.signature(search)
    kept = [parameter for name, parameter in signature.parameters.items() if name != "kind"]
    found.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
    return found


in_messages, in_conversations, in_reflections = (within(kind) for kind in ("message", "conversation", "reflection"))


# -- what is asked ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """How to search, beside the filters."""

    query: str
    like: str
    syntax: bool
    thinking: bool
    group: str
    around: int
    limit: int
    cursor: str | None

    def check(self) -> None:
        if not self.query.strip() and not self.like:
            raise Invalid("is empty", field="query", hint="say what to look for, or name a record: --like ID")
        if self.query.strip() and self.like:
            raise Invalid("goes with no question", field="like", hint="leave one of the two out")
        if len(self.query) > QUERY_LIMIT:
            raise Invalid(f"has more than {QUERY_LIMIT} characters", field="query")
        if self.group not in GROUPS:
            raise Invalid(f"{self.group!r} is none of {', '.join(GROUPS)}", field="group")
        if self.limit < 1:
            raise Invalid("must be at least 1", field="limit")
        if not 0 <= self.around <= AROUND_LIMIT:
            raise Invalid(f"must be between 0 and {AROUND_LIMIT}", field="around")
        if self.offset < 0:
            raise Invalid(f"{self.cursor!r} is no cursor", field="cursor", hint="take a former answer's `next`")

    @property
    def offset(self) -> int:
        """How many results came before; -1 for a cursor that is none."""
        if self.cursor is None:
            return 0
        return int(self.cursor) if self.cursor.isascii() and self.cursor.isdigit() and len(self.cursor) < 8 else -1

    @property
    def fetched(self) -> int:
        """How many hits are ranked, so that results enough come of them."""
        wanted = FETCHED
        while wanted < self.offset + self.limit * (1 if self.group == "none" else 2):
            wanted *= 2
        return wanted


def _words(
    view: View, kind: Sequence[str], project: Sequence[str], where: Mapping[str, str | Sequence[str]]
) -> dict[str, frozenset[str]]:
    """The filters by words. A project stands for all names it had."""
    words = {facet: frozenset([value] if isinstance(value, str) else value) for facet, value in where.items() if value}
    for facet in ("sender", "recipient"):
        if facet in words:
            words[facet] = _names(view, words[facet])
    if kind := _several(kind):
        known = sorted({one.name for one in kinds.KINDS if one.entries and not one.head})
        for one in kind:
            if one not in known:
                raise Invalid(f"{one!r} is none of {', '.join(known)}", field="kind")
        words["kind"] = frozenset(kind)
    if project := _several(project):
        words["projects"] = _names(view, project)
    return words


def _several(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) and value else tuple(value)


def _names(view: View, named: Iterable[str]) -> frozenset[str]:
    """Every name that projects have and had; `@group` names all of a group. Raises NotFound."""
    found: set[str] = set()
    for name in named:
        members = projects.members(view, name[1:]) if name.startswith("@") else ()
        for member in members:
            found |= _all_names(view, projects.name_now(view, member)) | {member}
        if not name.startswith("@"):
            found |= {projects.resolve(view, name).name, *projects.resolve(view, name).formerly}
    return frozenset(found)


def _all_names(view: View, name: str) -> set[str]:
    try:
        project = projects.resolve(view, name)
    except (NotFound, Invalid):
        return {name}
    return {project.name, *project.formerly}


# -- the search itself -----------------------------------------------------------------------------


class _Search:
    """One question on its way to its results."""

    def __init__(
        self, store: Store, view: View, asked: _Asked, wanted: Filters, progress: Callable[[int], object], *, past: bool
    ):
        self.store, self.view, self.asked, self.wanted, self.progress, self.past = (
            store, view, asked, wanted, progress, past,
        )  # fmt: skip
        self.incomplete = self.notice = ""

    def run(self) -> Results:
        """The answer."""
        found = self._find()
        grouped = _grouped(found.hits, self.asked.group)
        begin, end = self.asked.offset, self.asked.offset + self.asked.limit
        reader = _Reader(self.view, found.terms, self.asked)
        results = [result for hits in grouped[begin:end] if (result := reader.result(hits))]
        all_there = len(found.hits) < self.asked.fetched
        total = len(grouped) if all_there else found.total if self.asked.group == "none" else None
        more = len(grouped) > end or (not all_there and len(grouped) >= end)
        return Results(
            query=self.asked.query,
            results=tuple(results),
            total=total,
            next=str(end) if more else None,
            spelled=found.spelled,
            incomplete=self.incomplete,
            notice=self.notice,
        )

    def _find(self) -> Found:
        from sbfs.search import follower, scan
        from sbfs.search.engine import Broken

        if self.past:
            return self._ask(None)
        follows = follower.of(self.store)
        served = follows.serve(self.store, self.progress)
        self.view, self.incomplete, self.notice = served.view, served.incomplete, served.notice
        if served.engine is not None:
            try:
                return self._ask(served.engine)
            except Broken as error:
                # It opened, and still cannot be read: the next search finds it gone and builds another.
                follows.put_aside()
                self.notice = f"the index was put aside, and records were read instead: {error}"
        return self._ask(None, scan.SOME if served.incomplete else None)

    def _ask(self, engine: Engine | None, newest: int | None = None) -> Found:
        """Ask an index or, where there is none, the records; newest: how many files of them, None is all."""
        from sbfs.search import follower, scan
        from sbfs.search.question import Found, Question

        asked = self.asked
        source = engine or scan.Scan(self.view, newest, self.progress)
        if asked.like:
            key, text = _original(self.view, asked.like)
            return Found(follower.guarded(source.like, key, text, self.wanted, asked.fetched))
        question = Question(
            asked.query, self.wanted, asked.fetched, asked.syntax, asked.thinking, neighbours=not asked.syntax
        )
        answer: Found = follower.guarded(source.search, question)
        return answer


def _original(view: View, id: str) -> tuple[str, str]:
    """(key, text) of the record, or the turn, that an id or its beginning names. Raises NotFound, Ambiguous."""
    from sbfs.search import entries

    whole, _, local = id.partition("#")
    tree = entries.Entries(view.repo, view.commit.tree)
    for path in _paths(view, whole):
        for key, _, entry in tree.of(path):
            if entry.id == id or (not local and entry.id.startswith(whole)):
                return key, "\n".join((entry.title, entry.text, entry.identifiers))
    raise NotFound("record", id, hint="an id is what search and lists show; a turn's is CONVERSATION#TURN")


def _paths(view: View, id: str) -> list[str]:
    """The files of what an id, or a unique beginning of one, names."""
    searched = tuple(kind for kind in kinds.KINDS if kind.entries)
    named = [kind.path_of(project=id, group=id) for kind in searched if not re.search("{(id|source)}", kind.pattern)]
    if here := [path for path in named if view.find_id(path)]:
        return here
    by_id = tuple(kind for kind in searched if "{id}" in kind.pattern)
    return view.find(by_id, id, what="record")


def _grouped(hits: Sequence[Hit], group: str) -> list[list[Hit]]:
    """Hits by conversation or thread, in the order of their best."""
    if group == "none":
        return [[hit] for hit in hits]
    found: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        found.setdefault((hit.kind, hit.group or f"\0{hit.key}"), []).append(hit)
    return [*found.values()]


# -- from hits to results --------------------------------------------------------------------------


class _Reader:
    """Makes results of hits, from the store: what the index says of a record is never passed on unread."""

    def __init__(self, view: View, terms: Sequence[str], asked: _Asked):
        from sbfs.search import entries

        self.view, self.terms, self.asked = view, frozenset(terms), asked
        self.tree = entries.Entries(view.repo, view.commit.tree)

    def result(self, hits: Sequence[Hit]) -> Result | None:
        """The result of a group's hits; None where none of them is in the store any more."""
        # The best may have gone since it was indexed, where another process was quicker.
        for hit in hits:
            if entry := self._entry(hit):
                around = self._around(hit.key, entry) if self.asked.around else ()
                return replace(self._made(hit, entry), matches=len(hits), around=around)
        return None

    def _entry(self, hit: Hit) -> Entry | None:
        """What the store says; of a record that changed since it was indexed, what it says now."""
        return next((entry for key, _, entry in self.tree.of(hit.path) if key == hit.key and entry.id == hit.id), None)

    def _made(self, hit: Hit, entry: Entry) -> Result:
        from sbfs.search import snippets

        callers, callees = self._beside(entry)
        return Result(
            id=entry.id,
            kind=entry.kind,
            project=entry.project,
            title=entry.title or self.tree.title(entry.path),
            timestamp=entry.timestamp,
            score=round(hit.score, 4),
            snippet=snippets.make(entry, self.terms | {*hit.matched}, thinking=self.asked.thinking),
            path=entry.path,
            conversation_id=entry.parent,
            message_id=entry.local_id if entry.parent else "",
            speaker=entry.speaker,
            facets={name: value for name, value in entry.facets.items() if name != "projects"},
            quality_score=entry.quality,
            callers=callers,
            callees=callees,
        )

    def _beside(self, entry: Entry) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Of a symbol of code who calls it and what it calls: why it may be what is looked for."""
        if entry.kind != "symbol":
            return (), ()
        from sbfs.graph import neighbours

        found = neighbours.of(self.view, entry.project, entry.id)
        return found.callers, found.callees

    def _around(self, key: str, entry: Entry) -> tuple[Passage, ...]:
        """What stands beside an entry: in its own file, and in the files beside it in its folder."""
        from sbfs.search import snippets

        if not entry.group:
            return ()
        members = sorted(self._members(entry), key=lambda one: (one[1].seq, one[1].timestamp, one[1].id))
        at = next((place for place, (other, _) in enumerate(members) if other == key), 0)
        first = max(0, at - self.asked.around)
        return tuple(
            Passage(one.id, place - at, one.timestamp, one.speaker, snippets.plain(one, PASSAGE), one.path)
            for place, (_, one) in enumerate(members[first : at + self.asked.around + 1], first)
            if place != at
        )

    def _members(self, entry: Entry) -> list[tuple[str, Entry]]:
        """(key, entry) of the same group."""
        if entry.kind == "message":
            paths = _thread(self.view, entry)
        else:
            folder = entry.path.rpartition("/")[0]
            paths = [f"{folder}/{name}" for name in self.view.names(folder)]
        found = [one for path in paths for one in self.tree.of(path)]
        now = times.dump(self.view.store.clock())
        return [(key, one) for key, _, one in found if one.group == entry.group and one.due <= now]


def _thread(view: View, entry: Entry) -> list[str]:
    """The paths of both copies of all messages of a thread."""
    found = messages.thread(view.store, message_id=entry.id, at=None if view.current else view.revision)
    parties = ((messages.INBOX, "to_project"), (messages.OUTBOX, "from_project"))
    paths = (path_in(view, kind, getattr(one, party), one) for one, _ in found for kind, party in parties)
    return [path for path in paths if path]
