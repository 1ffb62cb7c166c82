"""Adding up what is counted of conversations, and what can be said of a sum.

Sums are made of the plain data that catalogs hold, whole numbers throughout, so that every split adds up.
A tally is of everything, of one model's part, or of one tool's part; what is not known of a part is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from sbfs.conversations.facts import ModelCount, Tokens, ToolCount
from sbfs.conversations.prices import SORTS, UNIT, Price, Prices

T = TypeVar("T")

Part = Literal["", "model", "tool"]
"""What a tally is of: everything, one model's responses, one tool's calls."""

NUMBERS = ("prompts", "messages", "turns", "thinking", "interruptions", "compactions", "commits", "active_ms")

NO_PRICE = "no price"
NO_TOKENS = "no tokens recorded"


@dataclass(frozen=True)
class Cost:
    """Money by list prices. total: None where nothing could be priced. unpriced: model → why it is not,
    or not wholly, in the total."""

    total: float | None
    currency: str
    unpriced: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quality:
    """Of the conversations that have a score, 0 to 100. average: None where there are none. trend: the
    average of the later half less that of the earlier half, by when they began; None for fewer than two.
    measured: how many have one."""

    average: float | None = None
    trend: float | None = None
    measured: int = 0


@dataclass(frozen=True)
class Stats:
    """What is counted of some conversations, or of a part of them. None: not measured, or not known of a part.

    conversations: in which something happened. begun: that began in it; these add up over days.
    messages: responses of models. tokens: as recorded, a lower bound. models: name → messages, "" for a
    response that names none. tools: name → counts; tool_calls: of all. subagents: their share of messages
    and tokens. average_messages: a conversation. elapsed_ms, active_ms: milliseconds.
    """

    conversations: int
    begun: int | None
    messages: int | None
    prompts: int | None
    turns: int | None
    thinking: int | None
    interruptions: int | None
    compactions: int | None
    commits: int | None
    tokens: Tokens | None
    models: Mapping[str, int] | None
    tools: Mapping[str, ToolCount] | None
    tool_calls: ToolCount | None
    subagents: ModelCount | None
    average_messages: float | None
    elapsed_ms: int | None
    active_ms: int | None
    cost: Cost
    quality: Quality


def error_rate(count: ToolCount) -> float | None:
    """The share of errors in the results that tools gave, calls that a person stopped left out; None without any."""
    given = count.results - count.interrupted
    return round((count.errors - count.interrupted) / given, 4) if given > 0 else None


def share(part: int, whole: int) -> float | None:
    """A part of a whole, 0 to 1; None of nothing."""
    return round(part / whole, 4) if whole else None


class Tally:
    """A sum that grows."""

    def __init__(self, prices: Prices, part: Part = ""):
        self._prices, self._part = prices, part
        self._scores: dict[str, tuple[str, float | None]] = {}
        self._begun = 0
        self._elapsed: int | None = None
        self._numbers = dict.fromkeys(NUMBERS, 0)
        self._models: dict[tuple[str, Price | None], dict[str, int]] = {}
        self._tools: dict[str, dict[str, int]] = {}
        self._subagents: dict[str, int] = {}

    def meet(self, path: str, started: str, quality: float | None, *, begins: bool) -> None:
        """Something happened in a conversation. path: of its file. begins: whether this is its first hour."""
        self._scores[path] = (f"{started},{path}", quality)
        self._begun += begins

    def add(self, hour: str, facts: Mapping[str, Any], elapsed: int | None) -> None:
        """What is counted in an hour of a conversation, as plain data. elapsed: milliseconds."""
        numbers = self._numbers
        for name, value in facts.items():
            if name == "models":
                for model, count in value.items():
                    self.add_model(hour, model, count)
            elif name == "tools":
                self.add_tools(value)
            elif name == "subagents":
                _add(self._subagents, value)
            elif name in numbers:
                numbers[name] += value
        if elapsed is not None:
            self._elapsed = (self._elapsed or 0) + elapsed

    def add_model(self, hour: str, model: str, count: Mapping[str, int]) -> None:
        """A model's responses in an hour, priced by that hour's day."""
        if self._part == "model":
            self._numbers["messages"] += count.get("messages", 0)
        key = model, self._prices.at(model, hour[:10])
        _add(self._models.get(key) or self._models.setdefault(key, {}), count)

    def add_tools(self, several: Mapping[str, Mapping[str, int]]) -> None:
        """The calls of tools in an hour."""
        # Most of the work: there are more tools than all else, so nothing is called for each.
        known = self._tools
        for tool, count in several.items():
            if tool in known:
                mine = known[tool]
                for name, number in count.items():
                    mine[name] = mine.get(name, 0) + number
            else:
                known[tool] = dict(count)

    def take(self, other: Tally) -> None:
        """Add another sum to this one."""
        self._scores |= other._scores
        self._begun += other._begun
        if other._elapsed is not None:
            self._elapsed = (self._elapsed or 0) + other._elapsed
        for name, number in other._numbers.items():
            self._numbers[name] += number
        for key, counts in other._models.items():
            _add(self._models.setdefault(key, {}), counts)
        self.add_tools(other._tools)
        _add(self._subagents, other._subagents)

    def stats(self) -> Stats:
        """What the sum says."""
        conversations = len(self._scores)
        messages = None if self._part == "tool" else self._numbers["messages"]
        whole = not self._part
        numbers = {name: number if whole else None for name, number in self._numbers.items()}
        timed = self._elapsed is not None or not conversations
        models = self._by_model()
        tools = {name: ToolCount(**counts) for name, counts in self._tools.items()}
        return Stats(
            **{
                **numbers,
                "messages": messages,
                "active_ms": numbers["active_ms"] if timed or numbers["active_ms"] else None,
            },
            conversations=conversations,
            begun=self._begun if whole else None,
            tokens=None if messages is None else _tokens(models, messages),
            models=None if messages is None else _largest(_messages(models), int),
            tools=None if self._part == "model" else _largest(tools, lambda count: count.calls),
            tool_calls=None if self._part == "model" else sum(tools.values(), ToolCount()),
            subagents=_model_count(self._subagents) if whole else None,
            average_messages=None if messages is None or not conversations else round(messages / conversations, 2),
            elapsed_ms=(self._elapsed or 0) if whole and timed else None,
            cost=self._cost(models) if messages is not None else Cost(None, self._prices.currency),
            quality=self._quality(),
        )

    def _by_model(self) -> dict[str, ModelCount]:
        found: dict[str, ModelCount] = {}
        for (name, _), counts in self._models.items():
            found[name] = found.get(name, ModelCount()) + _model_count(counts)
        return found

    def _cost(self, models: Mapping[str, ModelCount]) -> Cost:
        silent = {name: NO_TOKENS for name, count in models.items() if count.messages and not count.tokens.total}
        unpriced = {name: NO_PRICE for name, price in self._models if price is None} | silent
        priced = [price.of(counts) for (name, price), counts in self._models.items() if price and name not in silent]
        total = sum(priced) / UNIT if priced or not models else None
        return Cost(total, self._prices.currency, dict(sorted(unpriced.items())))

    def _quality(self) -> Quality:
        scores = [(order, score) for order, score in self._scores.values() if score is not None]
        if not scores:
            return Quality()
        dated = [score for order, score in sorted(scores) if not order.startswith(",")]
        half = len(dated) // 2
        trend = round(_average(dated[-half:]) - _average(dated[:half]), 2) if half else None
        return Quality(round(_average([score for _, score in scores]), 2), trend, len(scores))


def _add(counts: dict[str, int], plain: Mapping[str, int]) -> None:
    for name, value in plain.items():
        if name in _KNOWN:
            counts[name] = counts.get(name, 0) + value


_KNOWN = frozenset(("messages", *SORTS))


def _model_count(counts: Mapping[str, int]) -> ModelCount:
    return ModelCount(counts.get("messages", 0), Tokens(**{sort: counts.get(sort, 0) for sort in SORTS}))


def _messages(models: Mapping[str, ModelCount]) -> dict[str, int]:
    return {name: count.messages for name, count in models.items()}


def _tokens(models: Mapping[str, ModelCount], messages: int) -> Tokens | None:
    """All tokens; None where there were responses and not one of them recorded any."""
    tokens = sum((count.tokens for count in models.values()), Tokens())
    return tokens if tokens.total or not messages else None


def _largest(counts: Mapping[str, T], number: Callable[[T], int]) -> dict[str, T]:
    """Sorted by a number of each, greatest first, then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-number(item[1]), item[0])))


def _average(scores: list[float]) -> float:
    return sum(scores) / len(scores)
