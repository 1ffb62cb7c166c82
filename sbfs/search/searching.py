"""The verb `search`: a question, filters, and the best results with what they say."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from sbfs import kinds, projects, times
from sbfs.errors import Invalid, NotFound
from sbfs.fetching import pattern
from sbfs.search.results import Reader, Results, turns
from sbfs.store import Store, View

# The rest of search is fetched by the functions that need it: every command loads this module.
if TYPE_CHECKING:
    from sbfs.search.engine import Engine
    from sbfs.search.question import Filters, Found, Hit
    from sbfs.search.scan import Scan

GROUPS = ("auto", "none")

FETCHED = 100
"""Hits that are ranked for the first results; twice as many for later ones, and so on."""

MOST = 10_000
"""Hits that are ranked at most, where a few conversations hold nearly all."""

QUERY_LIMIT = 100_000
"""Characters of a question."""

CODE_KINDS = frozenset(("symbol", "doc"))
"""Made from source: there are thousands of them, and each has its words in names, which weigh much. Where no kind is
asked for, they take turns with what people and agents wrote, by their places, since their scores say another thing."""

NAME_OF_CODE = pattern(r"\w_\w|\w\.\w|::|\(\)|[a-z][A-Z]")
"""What only a question about code holds."""

AROUND_LIMIT = 20
"""Neighbours on either side of a result."""


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
    labels: bool = False,
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
    each result come with it. labels: whether the words come with it that set its conversation apart, which
    takes an index. progress: called with the number of records read, where an index is made.

    Raises Invalid for a question or filter that makes no sense, NotFound for a project or record that
    is not there.
    """
    from sbfs.search.question import Filters

    asked = _Asked(query, like, syntax, thinking, group, around, labels, limit, cursor)
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
    labels: bool
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
        self.fetched = asked.fetched
        self.engine: Engine | None = None

    def run(self) -> Results:
        """The answer."""
        found = self._find()
        grouped = _grouped(found.hits, self.asked.group)
        begin, end = self.asked.offset, self.asked.offset + self.asked.limit
        asked, labels = self.asked, self.engine if self.asked.labels else None
        reader = Reader(self.view, found.terms, thinking=asked.thinking, around=asked.around, labels=labels)
        results = [result for hits in grouped[begin:end] if (result := reader.result(hits))]
        all_there = len(found.hits) < self.fetched
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
        from sbfs.search import follower
        from sbfs.search.engine import Broken

        if self.past:
            return self._ask_records()
        follows = follower.of(self.store)
        served = follows.serve(self.store, self.progress)
        self.view, self.incomplete, self.notice = served.view, served.incomplete, served.notice
        if served.engine is not None:
            try:
                found, self.engine = self._ask_index(served.engine), served.engine
                follows.fit()
                return found
            except Broken as error:
                # It opened, and still cannot be read: the next search finds it gone and builds another.
                follows.put_aside()
                self.notice = f"the index was put aside, and records were read instead: {error}"
        return self._ask_records()

    def _ask_index(self, engine: Engine) -> Found:
        """Ask the index, for more hits than usual where those it gives are of too few conversations."""
        found, enough = self._ask(engine), self.asked.offset + self.asked.limit
        while len(found.hits) == self.fetched < MOST and len(_grouped(found.hits, self.asked.group)) <= enough:
            self.fetched = min(4 * self.fetched, MOST)
            found = self._ask(engine)
        return found

    def _ask_records(self) -> Found:
        """Ask the records: all of them, or the latest where others are making an index meanwhile."""
        from sbfs.search import scan

        self.fetched = MOST
        return self._ask(scan.Scan(self.view, scan.SOME if self.incomplete else None, self.progress))

    def _ask(self, source: Engine | Scan) -> Found:
        from sbfs.search import follower
        from sbfs.search.question import Found, Question

        asked = self.asked
        if asked.like:
            key, text, apart = _original(self.view, asked.like)
            return Found(follower.guarded(source.like, key, text, self.wanted, self.fetched, apart))
        question = Question(
            asked.query, self.wanted, self.fetched, asked.syntax, asked.thinking, neighbours=not asked.syntax
        )
        if not self._holds_code():
            answer: Found = follower.guarded(source.search, question)
            return answer
        said, code = (
            follower.guarded(source.search, replace(question, filters=self._of_kinds(of_code=of_code)))
            for of_code in (False, True)
        )
        first, second = (code.hits, said.hits) if NAME_OF_CODE.search(asked.query) else (said.hits, code.hits)
        taken = [hit for pair in zip_longest(first, second) for hit in pair if hit is not None]
        total = None if said.total is None or code.total is None else said.total + code.total
        both: Found = replace(said, hits=taken[: self.fetched], total=total)
        return both

    def _holds_code(self) -> bool:
        """Whether what code says of itself could drown what people said, in an answer about all kinds."""
        if self.asked.syntax or not self.asked.query.strip() or "kind" in self.wanted.words:
            return False
        folders = (f"projects/{name}/{part}" for name in self.view.names("projects") for part in ("graph", "docs"))
        return any(self.view.repo.folder(self.view.commit.tree, folder) for folder in folders)

    def _of_kinds(self, *, of_code: bool) -> Filters:
        names = {kind.name for kind in kinds.KINDS if kind.entries and not kind.head}
        kind = frozenset(names & CODE_KINDS if of_code else names - CODE_KINDS)
        return replace(self.wanted, words={**self.wanted.words, "kind": kind})


def _original(view: View, id: str) -> tuple[str, str, str]:
    """(key, text, group to leave out or "") of the record, or the turn, that an id or its beginning names.

    A conversation is what is said in it, and not like itself. Raises NotFound, Ambiguous.
    """
    from sbfs.search import entries

    whole, _, local = id.partition("#")
    tree = entries.Entries(view.repo, view.commit.tree)
    for path in _paths(view, whole):
        for key, _, entry in tree.of(path):
            if entry.id == id or (not local and entry.id.startswith(whole)):
                said = [entry, *turns(view, tree, path, entry.group)] if entries.is_head(path) else [entry]
                text = "\n".join(part for one in said for part in (one.title, one.text, one.identifiers) if part)
                return key, text, entry.group if entries.is_head(path) else ""
    raise NotFound("record", id, hint="an id is what search and lists show; a turn's is CONVERSATION#TURN")


def _paths(view: View, id: str) -> list[str]:
    """The files of what an id, or a unique beginning of one, names."""
    searched = tuple(kind for kind in kinds.KINDS if kind.entries)
    project, _, file = id.partition("/")
    wanted = {
        "{project}": {"project": id},
        "{group}": {"group": id},
        "{project}{file}": {"project": project, "file": file},
    }
    patterns = {kind: "".join(re.findall(r"\{\w+\}", kind.pattern)) for kind in searched}
    named = [kind.path_of(**wanted[places]) for kind, places in patterns.items() if places in wanted]
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
