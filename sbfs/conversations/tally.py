"""Adding up what is counted of conversations, and what can be said of a sum.

Sums are made of the plain data that catalogs hold, whole numbers throughout, so that every split adds up.
A tally is of everything, of one model's part, or of one tool's part; what is not known of a part is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sbfs.conversations.prices import SORTS, UNIT, Prices
from sbfs.conversations.value import ModelCount, Tokens, ToolCount

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
        self._models: dict[str, list[int]] = {}
        self._tools: dict[str, list[int]] = {}
        self._subagents = [0] * (1 + len(SORTS))
        self._cost = 0
        self._priced = False
        self._unpriced: dict[str, str] = {}

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
                for tool, count in value.items():
                    self.add_tool(tool, count)
            elif name == "subagents":
                _add(self._subagents, value, _MODEL)
            elif name in numbers:
                numbers[name] += value
        if elapsed is not None:
            self._elapsed = (self._elapsed or 0) + elapsed

    def add_model(self, hour: str, model: str, count: Mapping[str, int]) -> None:
        """A model's responses in an hour, priced by that hour's day."""
        if self._part == "model":
            self._numbers["messages"] += count.get("messages", 0)
        _add(self._models.setdefault(model, [0] * len(_MODEL)), count, _MODEL)
        price = self._prices.at(model, hour[:10])
        if price is None:
            self._unpriced[model] = NO_PRICE
        else:
            self._cost += price.of([count.get(sort, 0) for sort in SORTS])
            self._priced = True

    def add_tool(self, tool: str, count: Mapping[str, int]) -> None:
        """A tool's calls in an hour."""
        _add(self._tools.setdefault(tool, [0] * len(_TOOL)), count, _TOOL)

    def stats(self) -> Stats:
        """What the sum says."""
        conversations = len(self._scores)
        messages = None if self._part == "tool" else self._numbers["messages"]
        whole = not self._part
        numbers = {name: number if whole else None for name, number in self._numbers.items()}
        timed = self._elapsed is not None or not conversations
        tools = {name: ToolCount(*counts) for name, counts in self._tools.items()}
        return Stats(
            **{
                **numbers,
                "messages": messages,
                "active_ms": numbers["active_ms"] if timed else None,
            },
            conversations=conversations,
            begun=self._begun if whole else None,
            tokens=self._tokens(messages),
            models=None if messages is None else {name: counts[0] for name, counts in _largest(self._models)},
            tools=None if self._part == "model" else {name: tools[name] for name, _ in _largest(self._tools)},
            tool_calls=None if self._part == "model" else sum(tools.values(), ToolCount()),
            subagents=ModelCount(self._subagents[0], Tokens(*self._subagents[1:])) if whole else None,
            average_messages=None if messages is None or not conversations else round(messages / conversations, 2),
            elapsed_ms=(self._elapsed or 0) if whole and timed else None,
            cost=self._money(messages),
            quality=self._quality(),
        )

    def _tokens(self, messages: int | None) -> Tokens | None:
        """All tokens; None where there were responses and not one of them recorded any."""
        if messages is None:
            return None
        sums = [sum(column) for column in zip(*(counts[1:] for counts in self._models.values()), strict=True)]
        return (Tokens(*sums) if any(sums) else None) if messages else Tokens(*sums)

    def _money(self, messages: int | None) -> Cost:
        if messages is None:
            return Cost(None, self._prices.currency)
        silent = {name: NO_TOKENS for name, counts in self._models.items() if counts[0] and not any(counts[1:])}
        unpriced = dict(sorted({**self._unpriced, **silent}.items()))
        spoke = self._priced and not self._models.keys() <= silent.keys()
        return Cost(self._cost / UNIT if spoke or not self._models else None, self._prices.currency, unpriced)

    def _quality(self) -> Quality:
        scores = [(order, score) for order, score in self._scores.values() if score is not None]
        if not scores:
            return Quality()
        dated = [score for order, score in sorted(scores) if not order.startswith(",")]
        half = len(dated) // 2
        trend = round(_average(dated[-half:]) - _average(dated[:half]), 2) if half else None
        return Quality(round(_average([score for _, score in scores]), 2), trend, len(scores))


_MODEL = ("messages", *SORTS)
_TOOL = ("calls", "results", "errors", "interrupted")


def _add(counts: list[int], plain: Mapping[str, int], names: tuple[str, ...]) -> None:
    for place, name in enumerate(names):
        counts[place] += plain.get(name, 0)


def _largest(counts: Mapping[str, list[int]]) -> list[tuple[str, list[int]]]:
    """By the first number, greatest first, then by name."""
    return sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))


def _average(scores: list[float]) -> float:
    return sum(scores) / len(scores)
