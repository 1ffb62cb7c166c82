"""What an agent should know for a question: mail, conversations, code, reflections, docs, quality, within a budget.

The budget is one of tokens, and of the whole document. How many tokens a text takes differs between models; `tokens`
counts more than they need: each character of punctuation, each digit and each capital as one, letters by threes,
everything that is not ASCII by its bytes. Prose takes about half of what is counted.

Each part is a list with the most useful first. The parts take turns, so that none of them fills the budget alone; what
does not fit is told without its passage, then left out, and its part says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sbfs import kinds, messages, projects, quality, reflections, search, times
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.kind import check_word
from sbfs.store import Store, View

TYPES = ("conversations", "code_graph", "quality", "all")

BUDGET = 4000
"""Tokens, unless told."""

_LONGEST = 99_999
"""Shorter numbers are counted as if they had five digits, too."""

_MOST = {"mail": 12, "conversations": 10, "code_graph": 8, "reflections": 8, "docs": 6}
"""Items of a part that are looked for."""

_TITLE, _PASSAGE = 200, 600
"""Characters of an item's title, and of a passage."""

_NAMES, _NEAR = 6, 5
"""Names in a question that are looked up in code; neighbours of a symbol or a file that are named."""

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """One sort of knowledge. items: the most useful first, each with the id to read on by. truncated: whether there
    is more than is told. read_on: the command that tells more, or that makes what there is nothing of."""

    items: tuple[Item, ...]
    truncated: bool
    read_on: str


@dataclass(frozen=True)
class Context:
    """An answer. agent_id: as it was asked for. project: whose it is. parts: name → Part, None for what was not asked
    for. tokens: what the document takes at most, as `tokens` counts. incomplete: why something may be missing."""

    agent_id: str
    project: str
    parts: Mapping[str, Part | None]
    budget: int
    tokens: int
    incomplete: str = ""


def context(
    store: Store,
    *,
    agent_id: str,
    query: str,
    context_type: str = "all",
    budget: int = BUDGET,
    at: str | None = None,
) -> Context:
    """Gather what an agent needs for a question, in no more than a budget of tokens.

    agent_id: a project's name or alias, or the id that an agent had in the system it was imported from. context_type:
    conversations, code_graph or quality for that alone; all for these with mail, reflections and docs. budget: in
    tokens, counted so that models need fewer; the whole JSON document counts.
    Raises NotFound for an agent that is not there, Invalid for an empty question or a budget in which nothing fits.
    """
    check_word(context_type, TYPES, "context_type")
    project = _project(store.view(at), agent_id)
    asked = _Asked(store, project.name, query, at)
    gathered = asked.gather(context_type)
    empty = {name: None if part is None else replace(part, items=(), truncated=True) for name, part in gathered.items()}
    frame = Context(agent_id, project.name, empty, budget, budget, asked.incomplete)
    # With numbers as long as any, so that it is the same for every budget.
    least = size(document(replace(frame, budget=max(budget, _LONGEST), tokens=max(budget, _LONGEST))))
    if budget < least:
        raise Invalid(f"{budget} tokens are too few for an answer", field="budget", hint=f"give at least {least}")
    parts, used = _filled(gathered, budget - least)
    return replace(frame, parts=parts, tokens=least + used)


def document(found: Context) -> dict[str, Any]:
    """As the command prints it and the tool returns it."""
    parts = {
        name: None if part is None else {"items": [*part.items], "truncated": part.truncated, "read_on": part.read_on}
        for name, part in found.parts.items()
    }
    facts: dict[str, Any] = {"success": True, "agent_id": found.agent_id, "project": found.project, "context": parts}
    facts |= {"budget": found.budget, "tokens": found.tokens}
    return facts | ({"incomplete": found.incomplete} if found.incomplete else {})


# -- the budget ----------------------------------------------------------------------------------------

_PIECES = re.compile(r"[a-z]+|[\x00-\x7f]|[^\x00-\x7f]+")


def tokens(text: str) -> int:
    """How many tokens a text takes, on the safe side; single spaces between words are free."""
    text = re.sub(r"\s{2,}|[\n\t\r]", "\n", text)
    return sum(_weight(piece) for piece in _PIECES.findall(text))


def _weight(piece: str) -> int:
    if piece == " ":
        return 0
    if piece[0] > "\x7f":
        return len(piece.encode("utf-8", "surrogatepass"))
    return (len(piece) + 2) // 3


def size(data: Any) -> int:
    """What plain values take as JSON, in the longest form in which they are given out: a line a value."""
    return tokens(json.dumps(data, ensure_ascii=False, indent=2))


def _filled(gathered: Mapping[str, Part | None], left: int) -> tuple[dict[str, Part | None], int]:
    """The parts with as many of their items as fit, taken in turns; and the tokens that they take."""
    kept: dict[str, list[Item]] = {name: [] for name in gathered}
    waiting = {name: [*part.items] for name, part in gathered.items() if part and part.items}
    cut = {name for name, part in gathered.items() if part and part.truncated}
    used = 0
    while waiting:
        for name in [*waiting]:
            item = waiting[name].pop(0)
            # A comma and a line's end go with each.
            fits = next((one for one in (item, _short(item)) if used + size(one) + 2 <= left), None)
            if fits is None:
                cut.add(name)
                del waiting[name]
                continue
            kept[name].append(fits)
            used += size(fits) + 2
            if not waiting[name]:
                del waiting[name]
    parts = {
        name: None if part is None else replace(part, items=tuple(kept[name]), truncated=name in cut)
        for name, part in gathered.items()
    }
    return parts, used


_LONG = ("passage", "doc", "signature", "called_by", "calls", "related", "components")


def _short(item: Item) -> Item:
    """An item without what makes it long."""
    return {**{key: value for key, value in item.items() if key not in _LONG}, "shortened": True}


# -- who asks ------------------------------------------------------------------------------------------


def _project(view: View, agent_id: str) -> projects.Project:
    """The project that an agent is. Raises NotFound with names that are near."""
    try:
        return projects.resolve(view, agent_id)
    except NotFound:
        known = [one for one in projects.everyone(view) if agent_id and one.extra.get("agent_id") == agent_id]
        if len(known) != 1:
            raise
        return known[0]


# -- what there is -------------------------------------------------------------------------------------


class _Asked:
    """One question of one project on its way to its parts."""

    def __init__(self, store: Store, project: str, query: str, at: str | None):
        self.store, self.project, self.query, self.at = store, project, query, at
        self.incomplete = ""

    def gather(self, context_type: str) -> dict[str, Part | None]:
        """The parts, not yet cut to a budget. An empty question is refused by the search."""
        if not self.query.strip():
            raise Invalid("is empty", field="query", hint="say what the agent is about to do")
        ways = {
            "mail": self._mail,
            "code_graph": self._code,
            "conversations": self._conversations,
            "reflections": self._reflections,
            "docs": self._docs,
            "quality": self._quality,
        }
        if context_type == "all":
            return {name: way() for name, way in ways.items()}
        return {name: ways[name]() if name == context_type else None for name in TYPES[:-1]}

    def _search(self, kind: str, most: int, **given: Any) -> tuple[list[Any], bool]:
        """(results, whether there are more)."""
        if kind not in {one.name for one in kinds.KINDS if one.entries}:
            return [], False
        found = search.search(self.store, query=self.query, kind=(kind,), limit=most, at=self.at, **given)
        self.incomplete = self.incomplete or _cut(found.incomplete, _TITLE)
        return [*found.results], found.next is not None

    def _mail(self) -> Part:
        """What presses, then unread mail that matches, other mail that matches, the rest of the unread."""
        most = _MOST["mail"]
        page = messages.list(self.store, project=self.project, status="unread", limit=most, at=self.at)
        pressing = [
            one for priority in ("urgent", "high") for one in self._unread(priority, most)
        ]  # fmt: skip
        matching, more = self._search("message", most, project=(self.project,))
        unread = {one.message.id: one.message for one in [*pressing, *page.items]}
        ranked: dict[str, tuple[int, Item]] = {}
        for one in pressing:
            ranked[one.message.id] = (0, _letter(one.message, f"unread, {one.message.priority}"))
        for result in matching:
            letter = unread.get(result.id)
            is_unread = result.facets.get("status") == "unread" and self.project in _texts(
                result.facets.get("recipient")
            )
            why = "unread, matches" if letter or is_unread else "matches"
            ranked.setdefault(result.id, (1 if letter or is_unread else 2, _hit(result, why=why)))
        for one in page.items:
            ranked.setdefault(one.message.id, (3, _letter(one.message, "unread")))
        items = [item for _, item in sorted(ranked.values(), key=lambda pair: pair[0])]
        left_out = more or page.next is not None or len(items) > most
        return Part(tuple(items[:most]), left_out, f"sbfs inbox {self.project} --unread; sbfs message show ID")

    def _unread(self, priority: str, most: int) -> list[Any]:
        page = messages.list(
            self.store, project=self.project, status="unread", priority=priority, limit=most, at=self.at
        )
        return [*page.items]

    def _conversations(self) -> Part:
        found, more = self._search("conversation", _MOST["conversations"])
        return Part(tuple(map(_hit, found)), more, "sbfs conversation show ID --turn TURN")

    def _reflections(self) -> Part:
        found, more = self._search("reflection", _MOST["reflections"])
        return Part(tuple(map(self._lesson, found)), more, "sbfs reflection show ID")

    def _lesson(self, result: Any) -> Item:
        """A reflection with its text, which says more than the passage that matched; of a long one the passage."""
        text = " ".join(reflections.show(self.store, reflection_id=result.id, at=self.at).reflection.text.split())
        told = result.snippet.replace("**", "")
        best = result.snippet if len(text) > _PASSAGE and told not in result.title else _cut(text, _PASSAGE)
        return _hit(replace(result, snippet=best))

    def _docs(self) -> Part:
        found, more = self._search("doc", _MOST["docs"])
        return Part(tuple(map(_hit, found)), more, "sbfs search QUESTION")

    def _quality(self) -> Part:
        """The last measurement, and how the score moved in thirty days."""
        page = quality.list(self.store, project=self.project, limit=2, at=self.at)
        if not page.items:
            return Part((), False, f"sbfs quality add {self.project} --score N")
        trend = quality.trend(self.store, project=self.project, at=self.at)
        moved = {"average": trend.average, "before": trend.before, "change": trend.change}
        items = [_measured(one) for one in page.items]
        items[0] = {**items[0], "trend": {"days": (trend.until - trend.since).days, **moved}}
        return Part(tuple(items), page.next is not None, f"sbfs quality trend {self.project}; sbfs quality show ID")

    def _code(self) -> Part:
        hint = f"sbfs graph index {self.project} --path DIR"
        # The graph is a part of sbfs that a store may do without.
        from sbfs import graph

        found, more = self._search("symbol", _MOST["code_graph"], project=(self.project,))
        try:
            items = code(graph, self.store, self.project, self.query, [one.id for one in found], at=self.at)
        except NotFound:
            return Part((), False, hint)
        most = _MOST["code_graph"]
        return Part(tuple(items[:most]), more or len(items) > most, f"sbfs graph show ID --project {self.project}")


def _texts(value: Any) -> Sequence[str]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _letter(message: messages.Message, why: str) -> Item:
    facts = {"id": message.id, "from_project": message.from_project, "title": _cut(message.subject, _TITLE)}
    said = {"timestamp": times.dump(message.timestamp), "why": why}
    return {**facts, **said, "passage": _cut(" ".join(message.body.split()), _PASSAGE // 2)}


def _hit(result: Any, *, why: str = "") -> Item:
    """What search found, with as much as is needed to read on."""
    facts = {"id": result.id, "project": result.project, "title": _cut(result.title, _TITLE)}
    more = {"timestamp": result.timestamp, "speaker": _cut(result.speaker, _TITLE), "why": why}
    more["passage"] = _cut(result.snippet, _PASSAGE)
    return {**facts, **{key: value for key, value in more.items() if value}}


def _measured(one: quality.Measurement) -> Item:
    facts: dict[str, Any] = {"id": one.id, "timestamp": times.dump(one.created), "score": one.score}
    if one.conversation:
        facts["conversation"] = one.conversation
    return {**facts, "components": {name: part.value for name, part in one.components.items()}}


# -- code ----------------------------------------------------------------------------------------------

_CODE = re.compile(r"`([^`\s]{2,200})`|([\w./-]*\w\.[A-Za-z]{1,4}(?:::[\w.]+)?)\b|\b([A-Za-z_][\w.]*\w)")


def names(query: str) -> list[str]:
    """The symbols and files that a question seems to name: in backticks, with a path, a dot, an underscore, a capital
    within, or called."""
    found: dict[str, None] = {}
    for match in _CODE.finditer(query):
        word = match[1] or match[2] or match[3]
        called = query[match.end() : match.end() + 1] == "("
        if match[1] or called or re.search(r"[_/.:]|[a-z][A-Z]", word):
            found.setdefault(word.removesuffix("()").strip("."))
    return [*found][:_NAMES]


def code(
    graph: Any, store: Store, project: str, query: str, matching: Iterable[str], *, at: str | None = None
) -> list[Item]:
    """Symbols and files of a project that a question is about, each with why it is there.

    graph: the module of the graph's verbs. matching: ids of symbols that search found. What is named comes first, then
    what changed since the graph was made, then what is called most; what is of one file stays together.
    Raises NotFound where the project has no graph.
    """
    graph.symbols(store, project=project, limit=1, at=at)
    about: dict[str, tuple[bool, Any]] = {}
    for name in names(query):
        for focus in _meant(graph, store, project, name, at):
            about.setdefault(focus.symbol.id, (True, focus))
    for id in [*matching][:_NAMES]:
        if id not in about:
            for focus in _meant(graph, store, project, id, at):
                about.setdefault(focus.symbol.id, (False, focus))
    ranked = [_told(graph, store, project, focus, is_named, at) for is_named, focus in about.values()]
    best: dict[str, tuple[int, ...]] = {}
    for rank, item in ranked:
        best[item["file"]] = min(rank, best.get(item["file"], rank))
    ranked.sort(key=lambda one: (best[one[1]["file"]], one[1]["file"], one[0], one[1]["id"]))
    return [item for _, item in ranked]


def _meant(graph: Any, store: Store, project: str, name: str, at: str | None) -> Iterator[Any]:
    """What is around the symbols that a name may mean."""
    try:
        yield graph.show(store, symbol=name, project=project, at=at)
    except Ambiguous as error:
        for id in [*error.details.get("candidates", ())][:3]:
            with suppress(NotFound, Ambiguous):
                yield graph.show(store, symbol=id, project=project, at=at)
    except NotFound:
        return


def _told(
    graph: Any, store: Store, project: str, focus: Any, is_named: bool, at: str | None
) -> tuple[tuple[int, ...], Item]:
    """(rank, item) of a symbol, or a file."""
    one = focus.symbol
    calls = [edge for edge in focus.edges if edge.type in ("calls", "component_calls")]
    into = [edge for edge in calls if edge.target == one.id]
    count = sum(len(edge.lines) or 1 for edge in into)
    changed = one.file in focus.standing.stale_files
    reasons = ["named in the question" if is_named else "matches the question"]
    reasons += ["its file changed since it was indexed"] if changed else []
    reasons += [f"called in {count} {'place' if count == 1 else 'places'}"] if count else []
    item = {"id": one.id, "file": one.file, "line": one.start_line, "type": one.type, "why": "; ".join(reasons)}
    more = {
        "signature": _cut(one.signature, _TITLE),
        "doc": _cut(one.doc, _PASSAGE),
        "called_by": [edge.source for edge in into][:_NEAR],
        "calls": [edge.target for edge in calls if edge.source == one.id][:_NEAR],
    }
    if one.type == "file":
        found = graph.related(store, file=one.file, project=project, limit=_NEAR, at=at).items
        more["related"] = [{"file": near.file, "why": "; ".join(near.why)} for near in found]
    return (not is_named, not changed, -count), {**item, **{key: value for key, value in more.items() if value}}
