"""Adding up what is counted of conversations, and what can be said of a sum.

Sums are made of the pieces that the ledger holds, whole numbers throughout, so that every split adds up.
A tally is of everything, of one model's part, or of one tool's part; what is not known of a part is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from sbfs.conversations.facts import ModelCount, Tokens, ToolCount
from sbfs.conversations.ledger import COUNTS, NUMBERS, Piece
from sbfs.conversations.prices import UNIT, Price, Prices

T = TypeVar("T")

Part = Literal["", "model", "tool"]
"""What a tally is of: everything, one model's responses, one tool's calls."""

_MESSAGES = NUMBERS.index("messages")

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
    """A sum that grows. Pieces are those of the ledger."""

    def __init__(self, prices: Prices, part: Part = ""):
        self._prices, self._part = prices, part
        self._scores: dict[str, tuple[str, float | None]] = {}
        self._begun = 0
        self._elapsed: int | None = None
        self._numbers = [0] * len(NUMBERS)
        self._models: dict[tuple[str, str | None], list[int]] = {}
        self._priced: dict[tuple[str, str | None], Price] = {}
        self._tools: dict[str, list[int]] = {}
        self._subagents = [0] * len(COUNTS)

    def meet(self, path: str, started: str, quality: float | None, *, begins: bool) -> None:
        """Something happened in a conversation. path: its own. begins: whether this is its first hour."""
        self._scores[path] = (started, quality)
        self._begun += begins

    def add(self, piece: Piece) -> None:
        """What is counted in a piece of a conversation."""
        hour, elapsed, numbers, models, tools, side = piece
        self._numbers = [*map(int.__add__, self._numbers, numbers)]
        for model, count in models.items():
            self.add_model(hour, model, count)
        self.add_tools(tools)
        if side:
            self._subagents = [*map(int.__add__, self._subagents, side)]
        if elapsed is not None:
            self._elapsed = (self._elapsed or 0) + elapsed

    def add_model(self, hour: str, model: str, count: Sequence[int]) -> None:
        """A model's responses in an hour, priced by that hour's day. count: as COUNTS."""
        price = self._prices.at(model, hour[:10])
        key = model, price.since if price else None
        if price:
            self._priced[key] = price
        self._add_model(key, count)
        if self._part == "model":
            self._numbers[_MESSAGES] += count[0]

    def _add_model(self, key: tuple[str, str | None], count: Sequence[int]) -> None:
        mine = self._models.get(key)
        self._models[key] = [*map(int.__add__, mine, count)] if mine else [*count]

    def add_tools(self, several: Mapping[str, Sequence[int]]) -> None:
        """The calls of tools in an hour. several: name → as CALLS."""
        # Most of the work: there are more tools than all else.
        known = self._tools
        for tool, count in several.items():
            mine = known.get(tool)
            known[tool] = [*map(int.__add__, mine, count)] if mine else [*count]

    def take(self, other: Tally) -> None:
        """Add another sum to this one."""
        self._scores |= other._scores
        self._begun += other._begun
        self._priced |= other._priced
        for key, count in other._models.items():
            self._add_model(key, count)
        self.add(["", other._elapsed, other._numbers, {}, other._tools, other._subagents])

    def stats(self) -> Stats:
        """What the sum says."""
        conversations = len(self._scores)
        messages = None if self._part == "tool" else self._numbers[_MESSAGES]
        whole = not self._part
        numbers = dict(zip(NUMBERS, self._numbers if whole else [None] * len(NUMBERS), strict=True))
        timed = self._elapsed is not None or not conversations
        models = self._by_model()
        tools = {name: ToolCount(*counts) for name, counts in self._tools.items()}
        calls = [*map(sum, zip(*self._tools.values(), strict=True))] or [0] * 4
        return Stats(
            **{
                **numbers,
                "messages": messages,
                "active_ms": numbers["active_ms"] if timed or numbers["active_ms"] else None,
            },
            conversations=conversations,
            begun=self._begun if whole else None,
            tokens=None if messages is None else _tokens(models, messages),
            models=None if messages is None else _largest({name: count[0] for name, count in models.items()}, int),
            tools=None if self._part == "model" else _largest(tools, lambda count: count.calls),
            tool_calls=None if self._part == "model" else ToolCount(*calls),
            subagents=ModelCount(self._subagents[0], Tokens(*self._subagents[1:])) if whole else None,
            average_messages=None if messages is None or not conversations else round(messages / conversations, 2),
            elapsed_ms=(self._elapsed or 0) if whole and timed else None,
            cost=self._cost(models) if messages is not None else Cost(None, self._prices.currency),
            quality=self._quality(),
        )

    def _by_model(self) -> dict[str, Sequence[int]]:
        found: dict[str, Sequence[int]] = {}
        for (name, _), counts in self._models.items():
            found[name] = [*map(int.__add__, found[name], counts)] if name in found else counts
        return found

    def _cost(self, models: Mapping[str, Sequence[int]]) -> Cost:
        silent = {name: NO_TOKENS for name, count in models.items() if count[0] and not any(count[1:5])}
        unpriced = {name: NO_PRICE for name, since in self._models if since is None} | silent
        priced = [
            self._priced[name, since].of(counts[1:])
            for (name, since), counts in self._models.items()
            if since is not None and name not in silent
        ]
        total = sum(priced) / UNIT if priced or not models else None
        return Cost(total, self._prices.currency, dict(sorted(unpriced.items())))

    def _quality(self) -> Quality:
        scores = [(began, path, score) for path, (began, score) in self._scores.items() if score is not None]
        if not scores:
            return Quality()
        dated = [score for began, _, score in sorted(scores) if began]
        half = len(dated) // 2
        trend = round(_average(dated[-half:]) - _average(dated[:half]), 2) if half else None
        return Quality(round(_average([score for _, _, score in scores]), 2), trend, len(scores))


def _tokens(models: Mapping[str, Sequence[int]], messages: int) -> Tokens | None:
    """All tokens; None where there were responses and not one of them recorded any."""
    tokens = Tokens(*[*map(sum, zip(*models.values(), strict=True))][1:])
    return tokens if tokens.total or not messages else None


def _largest(counts: Mapping[str, T], number: Callable[[T], int]) -> dict[str, T]:
    """Sorted by a number of each, greatest first, then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-number(item[1]), item[0])))


def _average(scores: list[float]) -> float:
    return sum(scores) / len(scores)
