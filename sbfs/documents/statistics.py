"""Statistics as plain data: what `--json` prints and what the tool answers."""

from __future__ import annotations

from typing import Any

from sbfs import times
from sbfs.conversations.facts import ModelCount, Tokens, ToolCount
from sbfs.conversations.hours import Span
from sbfs.conversations.prices import Prices
from sbfs.conversations.statistics import Statistics, Window
from sbfs.conversations.tally import Stats, error_rate, share

Document = dict[str, Any]

_SORTS = ("input", "output", "cache_creation", "cache_read", "cache_creation_hour")


def document(found: Statistics) -> Document:
    """`{stats}`: the total, with the list of splits under `by` and the comparisons under `windows`, where asked."""
    stats = _stats(found.total)
    stats["cost"]["prices"] = _prices(found.prices)
    stats["span"] = {**_span(found.span), "zone": found.zone}
    if found.by:
        named = (dict(zip(found.by, group.values, strict=True)) | _stats(group.stats) for group in found.groups)
        stats["by"] = list(named)
    if found.windows:
        stats["windows"] = [_window(one) for one in found.windows]
    answer: Document = {"stats": stats}
    if found.unreadable:
        answer["unreadable"] = [{"path": path, "error": why} for path, why in found.unreadable]
    return answer


def _stats(one: Stats) -> Document:
    counts = ("begun", "turns", "thinking", "interruptions", "compactions", "commits")
    return {
        "conversations": one.conversations,
        "messages": one.messages,
        "prompts": one.prompts,
        "tokens": _tokens(one.tokens),
        "models": None if one.models is None else dict(one.models),
        "tools": None if one.tools is None else {name: _tool(count) for name, count in one.tools.items()},
        "average_messages": one.average_messages,
        "elapsed_seconds": _seconds(one.elapsed_ms),
        "active_seconds": _seconds(one.active_ms),
        "cost": {
            "total": one.cost.total,
            "currency": one.cost.currency,
            "unpriced": [*one.cost.unpriced],
            "reasons": dict(one.cost.unpriced),
        },
        "quality": {"average": one.quality.average, "trend": one.quality.trend, "measured": one.quality.measured},
        "tool_calls": None if one.tool_calls is None else _tool(one.tool_calls),
        "subagents": _subagents(one),
        **{name: getattr(one, name) for name in counts},
    }


def _tokens(tokens: Tokens | None) -> Document:
    return {sort: None if tokens is None else getattr(tokens, sort) for sort in _SORTS}


def _tool(count: ToolCount) -> Document:
    return {**vars(count), "error_rate": error_rate(count)}


def _subagents(one: Stats) -> Document | None:
    part: ModelCount | None = one.subagents
    if part is None:
        return None
    whole = one.tokens.total if one.tokens else 0
    shares = {"share": share(part.messages, one.messages or 0), "token_share": share(part.tokens.total, whole)}
    return {"messages": part.messages, **shares, "tokens": _tokens(part.tokens)}


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _span(span: Span) -> Document:
    return {name: times.dump(moment) if moment else None for name, moment in vars(span).items()}


def _prices(prices: Prices) -> list[Document]:
    return [{"from": one.origin, "date": one.date or None, "sources": [*one.sources]} for one in prices.tables]


def _window(window: Window) -> Document:
    now, before = _stats(window.stats), _stats(window.before)
    return {
        "days": window.days,
        "span": _span(window.span),
        "stats": now,
        "before_span": _span(window.before_span),
        "before": before,
        "change": _change(now, before),
    }


def _change(now: Document, before: Document) -> Document:
    """What is more (or, below zero, less) than before; None where either side is not known."""
    paths = {
        **{name: (name,) for name in ("conversations", "messages", "prompts", "average_messages")},
        **{f"{sort}_tokens": ("tokens", sort) for sort in _SORTS[:4]},
        "tool_calls": ("tool_calls", "calls"),
        "error_rate": ("tool_calls", "error_rate"),
        **{name: (name,) for name in ("elapsed_seconds", "active_seconds", "compactions", "commits")},
        "cost": ("cost", "total"),
        "quality": ("quality", "average"),
    }
    return {name: _less(_dig(now, path), _dig(before, path)) for name, path in paths.items()}


def _dig(stats: Document, path: tuple[str, ...]) -> float | None:
    found: Any = stats
    for name in path:
        found = found[name]
    number: float | None = found
    return number


def _less(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return None
    return round(one - other, 6) if isinstance(one, float) or isinstance(other, float) else one - other
