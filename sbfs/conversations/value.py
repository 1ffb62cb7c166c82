"""A conversation, its turns, and their two kinds: what `conversation.yaml` and the turn files hold.

A conversation's facts are worked out when it is imported, so that statistics never read its turns. All
of them can be worked out again from the turns; only `quality` is given from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from sbfs import times
from sbfs.conversations.facts import (
    Facts,
    ModelCount,
    Tokens,
    ToolCount,
    add_facts,
    dump_facts,
    dump_tokens,
    load_facts,
    load_tokens,
    without_empty,
)
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind, check_id
from sbfs.record import Record

if TYPE_CHECKING:
    from sbfs.entry import Entry

__all__ = [
    "AGENTS",
    "KIND",
    "MAIN",
    "ORIGINS",
    "PART_TYPES",
    "PROMPTS",
    "ROLES",
    "TURNS",
    "UNDATED",
    "Commit",
    "Conversation",
    "Facts",
    "Header",
    "ModelCount",
    "Part",
    "Source",
    "SubAgent",
    "Tokens",
    "ToolCount",
    "Turn",
    "add_facts",
    "dump",
    "dump_facts",
    "dump_part",
    "dump_turn",
    "line_names",
    "load",
    "load_facts",
    "load_part",
    "load_turn",
]

AGENTS = ("claude-code", "codex", "gemini", "jsonl")
"""Whose transcripts are read; `jsonl` is the plain format that any program can write."""

ROLES = ("user", "assistant", "system")

ORIGINS = (
    "prompt",
    "queued",
    "answer",
    "delivery",
    "command",
    "interruption",
    "notification",
    "compaction",
    "task",
    "meta",
    "result",
    "error",
    "notice",
    "unknown",
)
"""What a turn is. prompt: typed by a person; queued: typed while the agent worked. answer: of a model.
delivery: where a queued text reached the model; it says nothing itself. command: a slash command, or
what it printed. interruption: a person stopped the agent. notification: a background task is done.
compaction: a summary takes the place of what was before. task: what a sub-agent was asked. meta: put in
by the program, not typed. result: a tool's result whose call is not here. error: of the program. notice:
what the program noted. unknown: an entry of a type that this version does not know, kept whole."""

PROMPTS = ("prompt", "queued")
"""Origins of what a person typed."""

UNDATED = "0000/00"
"""The month's folder of a conversation without any time."""

PART_TYPES = ("text", "thinking", "tool_call", "tool_result", "image", "raw")


# -- a conversation --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Commit:
    """A commit that the agent made, as a tool's result told of it. hash: abbreviated, as printed. turn: the
    id of the turn that holds the result; agent: "" for the main line, else the sub-agent's id."""

    hash: str
    subject: str
    branch: str = ""
    turn: str = ""
    agent: str = ""
    timestamp: str = ""


@dataclass(frozen=True)
class SubAgent:
    """An agent that worked for this conversation, with a line of turns of its own. compaction: whether it
    is the one that summed the conversation up, which is counted but not shown. call: the id of the tool
    call that began it, and the kind and description that stand there, where known. reported_tokens: what
    the parent's result says it used in all; never added to anything, since it counts otherwise."""

    id: str
    compaction: bool = False
    kind: str = ""
    description: str = ""
    call: str = ""
    turns: int = 0
    messages: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    reported_tokens: int | None = None


@dataclass(frozen=True)
class Source:
    """A file that the conversation was read from. lines: complete ones read so far. left_out: by rule,
    type → lines. unreadable: how many could not be read, and the first of them as (line, why)."""

    name: str
    format: str
    lines: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    unreadable: int = 0
    places: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Conversation:
    """A talk with an agent. id: the session's own.

    started, ended: first and last time in it, None where it says none. updated: the last time that any
    of its sources says, so that two machines write the same. branches, folders (working directories),
    versions (of the agent's program), models: each in order of first appearance. hours: UTC hour
    (`2026-02-11T20`, "" for turns without a time) → facts, which add up to `facts`. continues: ids of the
    conversations that its transcript repeats the beginning of. redacted: what was taken out, by type.
    quality: 0 to 100, None where not measured. extra: keys that this version does not know.
    """

    id: str
    agent: str
    title: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    updated: datetime | None = None
    models: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    hours: Mapping[str, Facts] = field(default_factory=dict)
    subagents: tuple[SubAgent, ...] = ()
    commits: tuple[Commit, ...] = ()
    continues: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    redacted: Mapping[str, int] = field(default_factory=dict)
    quality: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def month(self) -> str:
        """The folder that it lies in: YYYY/MM of `started`, UTC; `0000/00` where it says no time."""
        return self.started.astimezone(UTC).strftime("%Y/%m") if self.started else UNDATED

    @property
    def elapsed_ms(self) -> int:
        """From the first to the last time, milliseconds."""
        return round((self.ended - self.started).total_seconds() * 1000) if self.started and self.ended else 0

    @property
    def is_empty(self) -> bool:
        """Whether nobody said anything: no prompt and no response."""
        return not (self.facts.prompts or self.facts.messages)


# -- a turn ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A piece of a turn's content.

    text: `text` (of type text, thinking, tool_result), may be empty. id: of the tool call, in the call and
    in its result. name: of the tool, in both where known. input: of a call, any plain value. error: of a
    result; interrupted: it is an error because a person stopped the call. timestamp: when a result came.
    agent: of a result, the sub-agent whose work it is. details: what else a result says, structured.
    images: of a result. media_type, sha256, path (below the project), size (bytes): of an image; path is
    "" where it was too large to be kept. entry: of type raw, the entry whole.
    """

    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: Any = None
    error: bool = False
    interrupted: bool = False
    timestamp: str = ""
    agent: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[Part, ...] = ()
    media_type: str = ""
    sha256: str = ""
    path: str = ""
    size: int = 0
    entry: Any = None


@dataclass(frozen=True)
class Turn:
    """One entry of a conversation: a prompt, a whole answer with its tool calls and their results, a notice.

    seq: its place, from 1, within its line (the main one, or a sub-agent's). timestamp: when it began, as
    records write times, "" where unknown. origin: one of ORIGINS. name: who speaks, where the transcript
    says so. folder, branch, version: only where they differ from the turn before. sidechain: whether it
    belongs to a side conversation that the agent kept in the same file. of: of a delivery, the id of the
    queued turn. facts: what else the entry says.
    """

    id: str
    role: str
    origin: str
    seq: int = 0
    timestamp: str = ""
    name: str = ""
    model: str = ""
    parts: tuple[Part, ...] = ()
    tokens: Tokens | None = None
    sidechain: bool = False
    of: str = ""
    folder: str = ""
    branch: str = ""
    version: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What was said, without thinking and tools."""
        return "\n\n".join(part.text.strip() for part in self.parts if part.type == "text" and part.text.strip())

    @property
    def is_prompt(self) -> bool:
        """Whether a person typed it."""
        return self.origin in PROMPTS and not self.sidechain

    @property
    def calls(self) -> tuple[tuple[Part, Part | None], ...]:
        """The tool calls, each with its result, None where none came."""
        results = {part.id: part for part in self.parts if part.type == "tool_result"}
        return tuple((part, results.get(part.id)) for part in self.parts if part.type == "tool_call")


# -- between values and plain data -----------------------------------------------------------------


def load(data: Mapping[str, Any]) -> Conversation:
    """A conversation from `conversation.yaml`. Raises Invalid, naming the field."""
    rest = dict(data)
    hours = {hour: load_facts(one, f"hours.{hour}") for hour, one in _mapping(rest.pop("hours", None), "hours").items()}
    facts = _mapping(rest.pop("facts", None), "facts")
    quality = rest.pop("quality", None)
    if quality is not None and not 0 <= quality <= 100:
        raise Invalid("must be 0 to 100", field="quality")
    return Conversation(
        id=check_id(rest.pop("id")),
        agent=rest.pop("agent", ""),
        title=rest.pop("title", ""),
        started=_moment(rest.pop("started", None), "started"),
        ended=_moment(rest.pop("ended", None), "ended"),
        updated=_moment(rest.pop("updated", None), "updated"),
        models=_texts(rest.pop("models", None), "models"),
        branches=_texts(rest.pop("branches", None), "branches"),
        folders=_texts(rest.pop("folders", None), "folders"),
        versions=_texts(rest.pop("versions", None), "versions"),
        continues=_texts(rest.pop("continues", None), "continues"),
        facts=load_facts(facts, "facts"),
        hours=hours,
        subagents=tuple(_subagent(one) for one in _mappings(rest.pop("subagents", None), "subagents")),
        commits=tuple(_record(Commit, one, "commits") for one in _mappings(rest.pop("commits", None), "commits")),
        sources=tuple(_source(one) for one in _mappings(rest.pop("sources", None), "sources")),
        redacted=_mapping(rest.pop("redacted", None), "redacted"),
        quality=quality,
        extra=rest,
    )


def dump(conversation: Conversation) -> dict[str, Any]:
    """The data of `conversation.yaml`, keys in the order that people like to read; what is empty is left out."""
    one = conversation
    moments = {"started": one.started, "ended": one.ended, "updated": one.updated}
    optional: dict[str, Any] = {
        "models": [*one.models],
        "branches": [*one.branches],
        "folders": [*one.folders],
        "versions": [*one.versions],
        "continues": [*one.continues],
        "facts": dump_facts(one.facts),
        "subagents": [_dump_subagent(agent) for agent in one.subagents],
        "commits": [without_empty(vars(commit)) for commit in one.commits],
        "hours": {hour: dump_facts(facts) for hour, facts in one.hours.items()},
        "redacted": dict(one.redacted),
        "sources": [_dump_source(source) for source in one.sources],
    }
    return {
        "id": one.id,
        **({"title": one.title} if one.title else {}),
        "agent": one.agent,
        **{name: times.dump(moment) for name, moment in moments.items() if moment},
        **({"quality": one.quality} if one.quality is not None else {}),
        **{name: value for name, value in optional.items() if value},
        **one.extra,
    }


def load_turn(data: Mapping[str, Any]) -> Turn:
    """A turn from a line of a turn file. Raises Invalid, naming the field."""
    rest = dict(data)
    parts = rest.pop("content", None) or ()
    tokens = rest.pop("tokens", None)
    named = {name: rest.pop(name) for name in _TURN_FIELDS if name in rest}
    if not isinstance(named.get("id"), str) or not isinstance(parts, list | tuple):
        raise Invalid("must be a turn: id, role, content", field="turns")
    named.setdefault("role", "user")
    named.setdefault("origin", "answer" if named["role"] == "assistant" else "unknown")
    return Turn(
        **named,
        parts=tuple(map(load_part, parts)),
        tokens=Tokens(**tokens) if tokens is not None else None,
        extra=rest,
    )


def dump_turn(turn: Turn) -> dict[str, Any]:
    """A turn as a line of a turn file."""
    said = {name: value for name, value in vars(turn).items() if name not in ("parts", "tokens", "extra", "facts")}
    tokens = {"tokens": dump_tokens(turn.tokens)} if turn.tokens is not None else {}
    facts = {"facts": dict(turn.facts)} if turn.facts else {}
    content = [dump_part(part) for part in turn.parts]
    return {**without_empty(said), **tokens, **facts, **turn.extra, "content": content}


_TURN_FIELDS = (
    *("id", "role", "origin", "seq", "timestamp", "name", "model", "sidechain", "of"),
    *("folder", "branch", "version", "facts"),
)


def load_part(data: Any) -> Part:
    """A part from plain data; keys that this version does not know are left out."""
    if not isinstance(data, Mapping) or not isinstance(data.get("type"), str):
        raise Invalid("must hold parts with a type", field="content")
    known = {key: value for key, value in data.items() if key in _PART_FIELDS}
    if "images" in known:
        known["images"] = tuple(map(load_part, known["images"]))
    return Part(**known)


def dump_part(part: Part) -> dict[str, Any]:
    """A part in the shape of its file."""
    said = without_empty(vars(part))
    said |= {name: getattr(part, name) for name in _PART_NEEDS.get(part.type, ())}
    if part.images:
        said["images"] = [dump_part(image) for image in part.images]
    return said


_PART_NEEDS = {
    "text": ("text",),
    "thinking": ("text",),
    "tool_call": ("id", "name", "input"),
    "tool_result": ("id", "text"),
    "raw": ("entry",),
}

_PART_FIELDS = frozenset(Part.__dataclass_fields__)


def _subagent(data: Mapping[str, Any]) -> SubAgent:
    rest = {key: value for key, value in data.items() if key in SubAgent.__dataclass_fields__ and key != "tokens"}
    return SubAgent(**rest, tokens=load_tokens(_mapping(data.get("tokens"), "subagents")))


def _dump_subagent(agent: SubAgent) -> dict[str, Any]:
    return without_empty({**vars(agent), "tokens": dump_tokens(agent.tokens)})


def _source(data: Mapping[str, Any]) -> Source:
    rest = {key: value for key, value in data.items() if key in Source.__dataclass_fields__ and key != "places"}
    places = tuple((one["line"], one["why"]) for one in _mappings(data.get("places"), "sources"))
    return Source(**rest, places=places)


def _dump_source(source: Source) -> dict[str, Any]:
    places = [{"line": line, "why": why} for line, why in source.places]
    return without_empty({**vars(source), "left_out": dict(source.left_out), "places": places})


def _record(kind: type[Commit], data: Mapping[str, Any], field: str) -> Commit:
    try:
        return kind(**{key: value for key, value in data.items() if key in kind.__dataclass_fields__})
    except TypeError:
        raise Invalid("does not hold what it should", field=field) from None


def _moment(value: Any, field: str) -> datetime | None:
    return times.load(value, field=field) if value else None


def _mapping(value: Any, field: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise Invalid("must be a mapping", field=field)
    return value or {}


def _mappings(value: Any, field: str) -> Iterator[Mapping[str, Any]]:
    if value is not None and not isinstance(value, list | tuple):
        raise Invalid("must be a list of mappings", field=field)
    yield from (_mapping(one, field) for one in value or ())


def _texts(value: Any, field: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Invalid("must be a list of texts", field=field)
    return tuple(value)


# -- lists, and the two kinds ----------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    """What lists and statistics know of a conversation without reading its file; the twin of `_header`.

    path: of its `conversation.yaml`. Times as records write them, "" where unknown. plain_facts and
    plain_hours: as `dump_facts` makes them, since most lists need few of them.
    """

    path: str
    title: str
    agent: str
    started: str
    ended: str
    updated: str
    models: list[str]
    branches: list[str]
    plain_facts: dict[str, Any]
    plain_hours: dict[str, dict[str, Any]]
    quality: float | None

    @property
    def id(self) -> str:
        """The conversation's id."""
        return self.path.split("/")[-2]

    @property
    def project(self) -> str:
        """The project that holds it."""
        return self.path.split("/")[1]

    @property
    def facts(self) -> Facts:
        """What is counted of it."""
        return load_facts(self.plain_facts)

    @property
    def hours(self) -> dict[str, Facts]:
        """UTC hour → what is counted of it."""
        return {hour: load_facts(one) for hour, one in self.plain_hours.items()}

    @property
    def is_empty(self) -> bool:
        """Whether nobody said anything: no prompt and no response."""
        return not (self.plain_facts.get("prompts") or self.plain_facts.get("messages"))

    @property
    def order(self) -> str:
        """What lists sort by, newest first, and cursors name."""
        return f"{self.started},{self.id}"


def _header(data: dict[str, Any]) -> list[Any]:
    moments = [str(data.get(name) or "") for name in ("started", "ended", "updated")]
    lists = [data.get(name) or [] for name in ("models", "branches")]
    facts = [data.get(name) or {} for name in ("facts", "hours")]
    return [data.get("title", ""), data.get("agent", ""), *moments, *lists, *facts, data.get("quality")]


def _load_turns(data: dict[str, Any]) -> tuple[Turn, ...]:
    turns = data.get("turns")
    if not isinstance(turns, list):
        raise Invalid("must be a list of turns", field="turns")
    return tuple(map(load_turn, turns))


# -- what search knows of them ---------------------------------------------------------------------

RESULT = 2000
"""Characters of a tool's result that can be found."""

_SIDE = 1_000_000
"""Turns of a line, at most: those of sub-agents come behind it, so that no neighbours are of two lines."""


def _entries(record: Record) -> Iterator[Entry]:
    """The conversation itself, which is not found for itself but lends what is known of it to its turns."""
    from sbfs.entry import Entry

    one = load(record.data)
    facets = {"agent": (one.agent,), "model": one.models, "branch": one.branches, "tool": tuple(one.facts.tools)}
    yield Entry(
        id=one.id,
        kind="conversation",
        project=record.path.split("/")[1],
        path=record.path,
        title=one.title,
        timestamp=times.dump(one.started) if one.started else "",
        group=one.id,
        text="\n".join((one.title, *(commit.subject for commit in one.commits))),
        identifiers=" ".join((*one.branches, *one.folders)),
        facets={name: values for name, values in facets.items() if values},
        quality=one.quality,
        extra={
            "model": next(iter(one.models), None),
            "duration_ms": _elapsed(one),
            "tool_usage": tool_usage(one.facts),
        },
    )


def _elapsed(one: Conversation) -> int | None:
    """Milliseconds from the first turn to the last."""
    return round((one.ended - one.started).total_seconds() * 1000) if one.started and one.ended else None


def tool_usage(facts: Facts) -> dict[str, int]:
    """Tool → calls, the most called first."""
    calls = {name: count.calls for name, count in facts.tools.items() if count.calls}
    return dict(sorted(calls.items(), key=lambda item: (-item[1], item[0])))


def _turn_entries(record: Record) -> Iterator[Entry]:
    """Each turn that says something; a tool's result belongs to the turn that called it."""
    from sbfs.entry import Entry

    places = TURNS.places(record.path) or {}
    line, conversation = places.get("line", MAIN), places.get("id", "")
    behind = 0 if line == MAIN else _SIDE * (1 + sum(line.encode()))
    first = line == MAIN and places.get("number") == "0001"
    for turn in _load_turns(record.data):
        said = {type: [part.text for part in turn.parts if part.type == type] for type in ("text", "thinking")}
        tools = "\n".join(_tool_text(part) for part in turn.parts if part.type in ("tool_call", "tool_result"))
        if not (tools or any(map(str.strip, (*said["text"], *said["thinking"])))):
            continue
        yield Entry(
            id=f"{conversation}#{turn.id}",
            kind="conversation",
            project=places.get("project", ""),
            path=record.path,
            timestamp=turn.timestamp,
            group=conversation,
            seq=behind + turn.seq,
            speaker=turn.name or turn.role,
            text="\n".join(said["text"]),
            tool_text=tools,
            thinking="\n".join(said["thinking"]),
            facets=_facets(turn, line, first=first),
            parent=conversation,
            local_id=turn.id,
            extra={"model": turn.model} if turn.model else {},
        )
        first = False


def _facets(turn: Turn, line: str, *, first: bool) -> dict[str, str | tuple[str, ...]]:
    flags = {
        "thinking": any(part.type == "thinking" for part in turn.parts),
        "error": turn.origin == "error" or any(part.error for part in turn.parts),
        "subagent": line != MAIN or turn.sidechain,
        "compaction": turn.origin == "compaction",
        "prompt": turn.is_prompt,
        "first": first,
    }
    tools = tuple(dict.fromkeys(part.name for part in turn.parts if part.name))
    set_flags = tuple(name for name in flags if flags[name])
    facets: dict[str, str | tuple[str, ...]] = {
        "role": turn.role,
        "model": turn.model,
        "tool": tools,
        "flags": set_flags,
    }
    return {name: value for name, value in facets.items() if value}


def _tool_text(part: Part) -> str:
    return f"{part.name} {_words(part.input)}" if part.type == "tool_call" else part.text[:RESULT]


def _words(value: Any) -> str:
    """The texts of a plain value, without its punctuation."""
    if isinstance(value, Mapping):
        return " ".join(map(_words, value.values()))
    return " ".join(map(_words, value)) if isinstance(value, list) else "" if value is None else str(value)


def _derived(name: str, type: type | tuple[type, ...] = str, **more: Any) -> Field:
    return Field(name, type, rule="derived", **more)


KIND: Kind[Conversation] = Kind(
    name="conversation",
    prefix="conv",
    pattern="projects/{project}/conversations/{month}/{id}/conversation.yaml",
    fields=(
        Field("id", rule="fixed", required=True),
        Field("agent", rule="fixed", required=True),
        _derived("title"),
        *(_derived(name, is_time=True) for name in ("started", "ended")),
        Field("updated", is_time=True),
        Field("quality", (int, float)),
        *(_derived(name, list) for name in ("models", "branches", "folders", "versions", "continues")),
        *(_derived(name, dict) for name in ("facts", "hours", "redacted")),
        *(_derived(name, list) for name in ("subagents", "commits", "sources")),
    ),
    load=load,
    dump=dump,
    header=_header,
    entries=_entries,
)

TURNS: Kind[tuple[Turn, ...]] = Kind(
    name="turns",
    pattern="projects/{project}/conversations/{month}/{id}/{line}-{number}.jsonl",
    fields=(Field("turns", list, rule="entries", required=True),),
    load=_load_turns,
    dump=lambda turns: {"turns": [dump_turn(turn) for turn in turns]},
    entries=_turn_entries,
    head="conversation.yaml",
)

MAIN = "messages"
"""The line of turns that is the conversation itself; `agent-<id>` are those of its sub-agents."""


class Named(Protocol):
    """What tells the names in a folder: a store's view, or the like."""

    def names(self, folder: str, /) -> list[str]:
        """The sorted names in a folder."""


def line_names(view: Named, path: str) -> list[str]:
    """The lines of turns that a conversation's folder holds, `messages` and `agent-<id>`."""
    places = (TURNS.places(f"{path}/{name}") for name in view.names(path))
    return sorted({place["line"] for place in places if place}, key=lambda name: (name != MAIN, name))
