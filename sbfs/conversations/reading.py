"""The verbs that read conversations, and the one that removes them. Lists are newest first."""

from __future__ import annotations

import heapq
import json
from builtins import list as builtin_list
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sbfs import projects
from sbfs.catalog import Catalog
from sbfs.conversations.value import (
    AGENTS,
    KIND,
    MAIN,
    TURNS,
    Conversation,
    Header,
    SubAgent,
    Turn,
    dump,
    line_names,
    load,
    load_turn,
)
from sbfs.errors import Invalid, NotFound
from sbfs.kind import check_word
from sbfs.listing import gone, text_of, unsaved
from sbfs.merge import fuller
from sbfs.record import Record
from sbfs.store import Page, Store, Transaction, View

AROUND = 3
"""Turns before and after the one that is asked for."""


@dataclass(frozen=True)
class Listed:
    """A conversation as a list tells of it. subagents: only where they were asked for."""

    header: Header
    subagents: tuple[SubAgent, ...] | None = None


@dataclass(frozen=True)
class Shown:
    """A conversation as it is shown. path: of its `conversation.yaml`. edited: whether an unsaved edit of it
    is shown. turns: those that were asked for; total: how many there are. subagents: a sub-agent's id → its
    turns. next: the `seq` behind the last turn, where there are more."""

    conversation: Conversation
    project: str
    path: str
    turns: tuple[Turn, ...]
    total: int
    edited: bool = False
    subagents: dict[str, tuple[Turn, ...]] = field(default_factory=dict)
    next: str | None = None


@dataclass(frozen=True)
class _Filter:
    since: str
    until: str
    model: str
    agent: str
    tool: str
    branch: str
    min_quality: float | None
    empty: bool

    def matches(self, header: Header) -> bool:
        """Whether a conversation belongs into the list, as far as its header says."""
        return (
            (self.empty or not header.is_empty)
            and (not self.since or (header.ended or header.started) >= self.since)
            and (not self.until or bool(header.started) and header.started < self.until)
            and (not self.model or any(self.model in model for model in header.models))
            and self.agent in ("", header.agent)
            and (not self.tool or self.tool in (header.plain_facts.get("tools") or {}))
            and (not self.branch or self.branch in header.branches)
            and (self.min_quality is None or (header.quality is not None and header.quality >= self.min_quality))
        )


def list(
    store: Store,
    *,
    project: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    model: str = "",
    agent: str = "",
    tool: str = "",
    branch: str = "",
    min_quality: float | None = None,
    text: str = "",
    subagents: bool = False,
    empty: bool = False,
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
) -> Page:
    """Conversations, newest first. Items: Listed.

    since, until: held after, begun before. model: a part of its name. tool: that was called. min_quality: 0 to
    100. text: in the title or in what was said; without an index, so it takes its time. subagents: with those
    of each. empty: also those in which nobody said anything. cursor: a former answer's `next`. Raises Invalid for an
    agent that is none, and a quality that none can have.
    """
    check_word(agent, ("", *AGENTS), "agent")
    if min_quality is not None and not 0 <= min_quality <= 100:
        raise Invalid("must be 0 to 100", field="quality")
    view = store.view(at)
    name = projects.resolve(view, project).name if project else ""
    wanted = _Filter(text_of(since), text_of(until), model, agent, tool, branch, min_quality, empty)
    troubles: builtin_list[tuple[str, str]] = []
    found = [header for header in headers(view, name, troubles) if wanted.matches(header)]
    if text:
        found = [header for header in found if _says(view, header, text)]
    rest = found if cursor is None else [header for header in found if header.order < cursor]
    # The order of a whole list costs more than the part of it that is shown.
    shown = heapq.nlargest(limit, rest, key=lambda header: header.order)
    more = shown[-1].order if len(rest) > limit and shown else None
    items = [Listed(one, load(view.record(one.path).data).subagents if subagents else None) for one in shown]
    return Page(items, len(found), more, tuple(troubles))


def headers(view: View, project: str = "", troubles: builtin_list[tuple[str, str]] | None = None) -> Iterator[Header]:
    """What lists and statistics know of all conversations, or of one project's, without reading them.

    troubles: is given (path, why) of what cannot be read.
    """
    for name in [project] if project else view.names("projects"):
        months: Catalog[None] = Catalog(view, KIND, f"projects/{name}/conversations", lambda _: None)
        for month, tree in months.periods():
            for row in months.rows(month, tree):
                if row.header:
                    yield Header(row.path, *row.header)
                elif row.trouble and troubles is not None:
                    troubles.append((row.path, row.trouble))


def _says(view: View, header: Header, text: str) -> bool:
    wanted = text.casefold()
    if wanted in header.title.casefold():
        return True
    folder = header.path.rpartition("/")[0]
    escaped = json.dumps(text, ensure_ascii=False)[1:-1].casefold()
    return any(
        wanted in part.text.casefold()
        for name in line_names(view, folder)
        for raw in _files(view, folder, name)
        if escaped in raw.decode("utf-8", "replace").casefold()
        for turn in TURNS.load(Record.parse("turns.jsonl", raw).data)
        for part in turn.parts
    )


# -- one conversation ------------------------------------------------------------------------------


def show(
    store: Store,
    *,
    conversation_id: str,
    turn: int | None = None,
    around: str = "",
    agent: str = "",
    limit: int | None = None,
    cursor: str | None = None,
    at: str | None = None,
) -> Shown:
    """A conversation by its id or a unique prefix, with its turns and those of its sub-agents.

    turn: only the one of this place, from 1. around: the turn of this id (or a prefix), and three before and
    after it. agent: a sub-agent's turns instead of its own. limit: turns at most; cursor: a former answer's `next`.
    """
    if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
        raise Invalid("is none that a former answer gave", field="cursor", hint="leave it out to begin again")
    view = store.view(at)
    path = find(view, conversation_id)
    record = view.record(path)
    edited = None if at else unsaved(store, record)
    KIND.check(edited or record)
    conversation = load((edited or record).data)
    folder = path.rpartition("/")[0]
    all_turns = tuple(turns(view, folder, f"agent-{agent}" if agent else MAIN))
    if agent and not all_turns:
        raise NotFound("sub-agent", agent, known=[one.id for one in conversation.subagents])
    asked = _asked(all_turns, turn, around)
    asked = tuple(one for one in asked if cursor is None or one.seq > int(cursor))
    shown = asked if limit is None else asked[:limit]
    called = {part.agent for one in shown for part in one.parts if part.agent} if not agent else set()
    sides = {name: tuple(turns(view, folder, f"agent-{name}")) for name in sorted(called)}
    more = str(shown[-1].seq) if len(shown) < len(asked) and shown else None
    return Shown(
        conversation,
        path.split("/")[1],
        path,
        shown,
        len(all_turns),
        edited=edited is not None,
        subagents={name: those for name, those in sides.items() if those},
        next=more,
    )


def _asked(found: tuple[Turn, ...], turn: int | None, around: str) -> tuple[Turn, ...]:
    if turn is not None:
        if not 1 <= turn <= len(found):
            raise NotFound("turn", str(turn), hint=f"there are {len(found)}, from 1 on")
        return found[turn - 1 : turn]
    if around:
        places = [place for place, one in enumerate(found) if one.id.startswith(around)]
        exact = [place for place, one in enumerate(found) if one.id == around]
        if len(places) != 1 and not exact:
            raise NotFound("turn", around, known=[one.id for one in found])
        place = (exact or places)[0]
        return found[max(0, place - AROUND) : place + AROUND + 1]
    return found


def find(view: View, id: str) -> str:
    """The path of a conversation's `conversation.yaml`, by its id or a unique prefix. Raises NotFound, Ambiguous."""
    for path in view.find((KIND,), id, what="conversation"):
        if (record := view.find_record(path)) and not record.removed:
            return path
    raise gone("conversation", id)


def give_quality(tx: Transaction, id: str, score: float | None) -> str:
    """Write a score into a conversation, or take it out. Returns its whole id; the same where it is not held here."""
    try:
        path = find(tx.view, id)
    except NotFound:
        return id
    record = tx.get(path, "conversation", id)
    conversation = load(record.data)
    tx.replace(KIND, record, dump(replace(conversation, quality=score)))
    return conversation.id


def turns(view: View, folder: str, line: str = MAIN) -> Iterator[Turn]:
    """The turns of a line (`messages`, `agent-<id>`) of the conversation whose folder this is, in their order.

    A turn that a merge left in two files comes once, in the fuller version. Raises Invalid.
    """
    found: dict[str, dict[str, object]] = {}
    for number, raw in enumerate(_files(view, folder, line), 1):
        record = Record.parse(f"{folder}/{line}-{number:04}.jsonl", raw)
        TURNS.check(record)
        for data in record.data["turns"]:
            id = data["id"]
            found[id] = fuller(found[id], data) if id in found else data
    for place, data in enumerate(found.values(), 1):
        yield load_turn({**data, "seq": place})


def _files(view: View, folder: str, line: str) -> Iterator[bytes]:
    number = 1
    while (raw := view.read(f"{folder}/{line}-{number:04}.jsonl")) is not None:
        yield raw
        number += 1


# -- removing --------------------------------------------------------------------------------------


def remove(store: Store, *, conversation_id: str, actor: str = "") -> Conversation:
    """Remove a conversation with its turns and images; an import does not bring it back unless asked to."""

    def build(tx: Transaction) -> Conversation:
        path = find(tx.view, conversation_id)
        folder = path.rpartition("/")[0]
        record = tx.view.record(path)
        conversation = load(record.data)
        for name in tx.view.names(folder):
            if name.endswith(".jsonl"):
                tx.drop(f"{folder}/{name}", TURNS)
        for image in _own_images(tx.view, folder):
            tx.drop(image)
        tx.remove(KIND, path)
        tx.describe(f"Remove conversation {conversation.title or conversation.id}", Ids=conversation.id)
        return conversation

    return store.write("conversation.remove", build, actor=actor)


def _own_images(view: View, folder: str) -> Iterator[str]:
    """Paths of images that no other conversation of the project shows."""
    mine = _images(view, folder)
    if not mine:
        return
    project = folder.split("/")[1]
    others = (header.path.rpartition("/")[0] for header in headers(view, project))
    shared = {path for other in others if other != folder for path in _images(view, other)}
    yield from (f"projects/{project}/{path}" for path in sorted(mine - shared))


def _images(view: View, folder: str) -> set[str]:
    lines = (raw for name in line_names(view, folder) for raw in _files(view, folder, name))
    return {
        part["path"]
        for raw in lines
        if b'"sha256"' in raw
        for turn in Record.parse("turns.jsonl", raw).data["turns"]
        for part in _parts(turn)
        if part.get("type") == "image" and part.get("path")
    }


def _parts(turn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in turn.get("content", ()):
        yield part
        yield from part.get("images", ())
