"""A conversation, its turns, and their two kinds: what `conversation.yaml` and the turn files hold.

A conversation's facts are worked out when it is imported, so that statistics never read its turns. All
of them can be worked out again from the turns; only `quality` is given from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from sbfs import times
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind, check_id

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


# -- counts ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tokens:
    """Tokens as the transcript recorded them, a lower bound for output. input: without what came from
    the cache. cache_creation_hour: how much of `cache_creation` is kept for an hour, which costs more."""

    input: int = 0
    output: int = 0
    cache_creation: int = 0
    cache_read: int = 0
    cache_creation_hour: int = 0

    @property
    def total(self) -> int:
        """All four sorts."""
        return self.input + self.output + self.cache_creation + self.cache_read

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(*(one + two for one, two in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class ModelCount:
    """messages: responses of a model. tokens: of these."""

    messages: int = 0
    tokens: Tokens = Tokens()

    def __add__(self, other: ModelCount) -> ModelCount:
        return ModelCount(self.messages + other.messages, self.tokens + other.tokens)


@dataclass(frozen=True)
class ToolCount:
    """calls, and results that came; errors: results that are one; interrupted: how many of these errors
    are a person's own doing, who stopped or refused the call."""

    calls: int = 0
    results: int = 0
    errors: int = 0
    interrupted: int = 0

    def __add__(self, other: ToolCount) -> ToolCount:
        return ToolCount(*(one + two for one, two in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass(frozen=True)
class Facts:
    """What is counted of a conversation, or of one hour of it; sub-agents and compaction agents included.

    prompts: typed by a person. messages: responses of models, streaming chunks merged, each counted once
    over resumed and forked transcripts. turns: of the main line. thinking: responses that hold some.
    interruptions: by a person. commits: seen in tool results. active_ms: the recorded durations of turns,
    where there are none the gaps under five minutes; milliseconds. models: name → messages and tokens; ""
    is a response that names none. tools: name → counts. subagents: messages and tokens of sub-agents (the
    agents that compact are left out), which are part of `messages` and `models`.
    """

    prompts: int = 0
    messages: int = 0
    turns: int = 0
    thinking: int = 0
    interruptions: int = 0
    compactions: int = 0
    commits: int = 0
    active_ms: int = 0
    models: Mapping[str, ModelCount] = field(default_factory=dict)
    tools: Mapping[str, ToolCount] = field(default_factory=dict)
    subagents: ModelCount = ModelCount()

    @property
    def tokens(self) -> Tokens:
        """Of all models."""
        return reduce(Tokens.__add__, (count.tokens for count in self.models.values()), Tokens())

    @property
    def tool_calls(self) -> int:
        """Of all tools."""
        return sum(count.calls for count in self.tools.values())

    def __add__(self, other: Facts) -> Facts:
        numbers = {name: getattr(self, name) + getattr(other, name) for name in _NUMBERS}
        models = _add_counts(self.models, other.models)
        tools = _add_counts(self.tools, other.tools)
        return Facts(**numbers, models=models, tools=tools, subagents=self.subagents + other.subagents)


_NUMBERS = ("prompts", "messages", "turns", "thinking", "interruptions", "compactions", "commits", "active_ms")


def _add_counts(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: one[name] + other[name] for name in one if name in other}
    return {**one, **other, **both}


def add_facts(many: Iterable[Facts]) -> Facts:
    """The sum of facts."""
    return reduce(Facts.__add__, many, Facts())


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
    tokens: Tokens = Tokens()
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
    facts: Facts = Facts()
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
        "commits": [_without_empty(vars(commit)) for commit in one.commits],
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


def load_facts(data: Any, field: str = "facts") -> Facts:
    """Facts from plain data; what is absent is none."""
    data = _mapping(data, field)
    try:
        return Facts(
            **{name: int(data.get(name, 0)) for name in _NUMBERS},
            models={name: _model_count(one) for name, one in (data.get("models") or {}).items()},
            tools={name: ToolCount(**one) for name, one in (data.get("tools") or {}).items()},
            subagents=_model_count(data.get("subagents") or {}),
        )
    except (TypeError, ValueError, AttributeError):
        raise Invalid("does not hold what is counted", field=field) from None


def dump_facts(facts: Facts) -> dict[str, Any]:
    """Facts as plain data; what is none is left out."""
    found: dict[str, Any] = {name: getattr(facts, name) for name in _NUMBERS if getattr(facts, name)}
    if facts.models:
        found["models"] = {name: _dump_count(one) for name, one in facts.models.items()}
    if facts.tools:
        found["tools"] = {name: _without_empty(vars(one)) for name, one in facts.tools.items()}
    if facts.subagents.messages:
        found["subagents"] = _dump_count(facts.subagents)
    return found


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


_PART_FIELDS = frozenset(Part.__dataclass_fields__)


def _model_count(data: Mapping[str, Any]) -> ModelCount:
    return ModelCount(data.get("messages", 0), _tokens(data))


def _tokens(data: Mapping[str, Any]) -> Tokens:
    return Tokens(**{name: int(data.get(name, 0)) for name in Tokens.__dataclass_fields__})


def _dump_count(count: ModelCount) -> dict[str, int]:
    return {"messages": count.messages, **_dump_tokens(count.tokens)}


def _dump_tokens(tokens: Tokens) -> dict[str, int]:
    data: dict[str, int] = dict(vars(tokens))
    if not tokens.cache_creation_hour:
        del data["cache_creation_hour"]
    return data


def _subagent(data: Mapping[str, Any]) -> SubAgent:
    rest = {key: value for key, value in data.items() if key in SubAgent.__dataclass_fields__ and key != "tokens"}
    return SubAgent(**rest, tokens=_tokens(_mapping(data.get("tokens"), "subagents")))


def _dump_subagent(agent: SubAgent) -> dict[str, Any]:
    return _without_empty({**vars(agent), "tokens": _dump_tokens(agent.tokens)})


def _source(data: Mapping[str, Any]) -> Source:
    rest = {key: value for key, value in data.items() if key in Source.__dataclass_fields__ and key != "places"}
    places = tuple((one["line"], one["why"]) for one in _mappings(data.get("places"), "sources"))
    return Source(**rest, places=places)


def _dump_source(source: Source) -> dict[str, Any]:
    places = [{"line": line, "why": why} for line, why in source.places]
    return _without_empty({**vars(source), "left_out": dict(source.left_out), "places": places})


def _record(kind: type[Commit], data: Mapping[str, Any], field: str) -> Commit:
    try:
        return kind(**{key: value for key, value in data.items() if key in kind.__dataclass_fields__})
    except TypeError:
        raise Invalid("does not hold what it should", field=field) from None


def _without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in (None, "", 0, False, {}, [], ())}


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
)

TURNS: Kind[tuple[Turn, ...]] = Kind(
    name="turns",
    pattern="projects/{project}/conversations/{month}/{id}/{line}-{number}.jsonl",
    fields=(Field("turns", list, rule="entries", required=True),),
    load=_load_turns,
    dump=lambda turns: {"turns": [dict(turn.extra) for turn in turns]},
)

MAIN = "messages"
"""The line of turns that is the conversation itself; `agent-<id>` are those of its sub-agents."""
