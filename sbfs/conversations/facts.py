"""What is counted of conversations: tokens, models, tools, and all of it for an hour or the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from sbfs.errors import Invalid


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


# -- between facts and plain data ------------------------------------------------------------------


def load_facts(data: Any, field: str = "facts") -> Facts:
    """Facts from plain data; what is absent is none."""
    if not isinstance(data, Mapping):
        raise Invalid("must be a mapping", field=field)
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
        found["tools"] = {name: without_empty(vars(one)) for name, one in facts.tools.items()}
    if facts.subagents.messages:
        found["subagents"] = _dump_count(facts.subagents)
    return found


def _model_count(data: Mapping[str, Any]) -> ModelCount:
    return ModelCount(data.get("messages", 0), load_tokens(data))


def load_tokens(data: Mapping[str, Any]) -> Tokens:
    """Tokens from plain data; what is absent is none."""
    return Tokens(**{name: int(data.get(name, 0)) for name in Tokens.__dataclass_fields__})


def _dump_count(count: ModelCount) -> dict[str, int]:
    return {"messages": count.messages, **dump_tokens(count.tokens)}


def dump_tokens(tokens: Tokens) -> dict[str, int]:
    """Tokens as plain data."""
    data: dict[str, int] = dict(vars(tokens))
    if not tokens.cache_creation_hour:
        del data["cache_creation_hour"]
    return data


def without_empty(data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that say something."""
    return {key: value for key, value in data.items() if value not in (None, "", 0, False, {}, [], ())}
