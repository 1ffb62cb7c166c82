"""`sbfs conversation stats`: figures as people read them.

Tables are made here and not by rich: loading it takes longer than all the counting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, pass_app, printable

_BAR = 20
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}


def _days(_: click.Context, __: click.Parameter, text: str | None) -> list[int]:
    try:
        return [int(part.strip().removesuffix("d")) for part in text.split(",")] if text else []
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of days, such as 7,30,90") from None


@click.command("stats", cls=Command)
@click.argument("session_id", metavar="[WHAT]", default="*")
@click.option("--by", default="", help="Also by day, week, month, project, model, agent or tool; or by two: day,model.")
@options.span
@click.option("--zone", default="UTC", show_default=True, help="The time zone in which days are cut: Europe/Berlin.")
@click.option(
    "--window", "windows", metavar="DAYS", callback=_days, help="Compare the last days with those before: 7,30,90."
)
@click.option("--project", default="", help="Only of one project.")
@click.option("--agent", default="", help="Only with this agent: claude-code, codex, gemini, jsonl.")
@click.option("--model", default="", help="Only conversations in which this model answered; a part of its name.")
@click.option("--tool", default="", help="Only conversations in which this tool was called.")
@click.option(
    "--prices", "prices_file", default="", metavar="FILE", help="A price table that counts before the one that ships."
)
@options.at
@pass_app
def stats_command(app: App, since: str | None, until: str | None, zone: str, **given: Any) -> None:
    r"""Count conversations: of all, of a project, or of one (WHAT: its name or id).

    Prompts, messages, tokens, cost, tools and their errors, time, commits, quality; as a whole and by what
    you ask for.

    \b
    sbfs conversation stats --by day,model --since 30d
    """
    from sbfs.conversations import hours

    moments = options.moments(since, until, app.store.clock(), hours.zone_of(zone))
    app.run("conversation.stats", _show, zone=zone, **moments, **given)


def _show(document: Document) -> None:
    stats = document["stats"]
    if "windows" in stats:
        for window in stats["windows"]:
            _window(window, stats["cost"]["currency"])
    else:
        _total(stats)
        if "by" in stats:
            output.say("")
            _split(stats)
        else:
            _models(stats)
            _tools(stats)
    for one in document.get("unreadable", ()):
        click.echo(f"cannot be read, and not counted: {printable(one['error'])}", err=True)


# -- the whole -------------------------------------------------------------------------------------


def _total(stats: Document) -> None:
    average = stats["average_messages"]
    said = [output.count(stats["conversations"], "conversation"), output.count(stats["prompts"], "prompt")]
    said += [output.count(stats["messages"], "message") + (f" ({average:,.4g} on average)" if average else "")]
    output.say(", ".join(said))
    output.say(_when(stats["span"]))
    if not stats["conversations"]:
        return
    output.say("")
    output.facts(
        [
            ("Tokens", _tokens(stats["tokens"])),
            ("Cost", _cost(stats["cost"])),
            ("Time", f"{_time(stats['active_seconds'])} active, {_time(stats['elapsed_seconds'])} elapsed"),
            ("Tools", _calls(stats["tool_calls"])),
            ("Sub-agents", _subagents(stats["subagents"])),
            ("Also", _others(stats)),
            ("Quality", _quality(stats["quality"])),
        ]
    )


def _when(span: Document) -> str:
    ends = [
        f"{word} {output.moment(span[name])}" for name, word in (("since", "from"), ("until", "until")) if span[name]
    ]
    return f"{' '.join(ends) + ' (UTC)' if ends else 'all time'}; days are cut in {span['zone']}"


def _tokens(tokens: Document) -> str:
    if tokens["input"] is None:
        return "not recorded"
    sorts = (("input", "in"), ("output", "out"), ("cache_creation", "cache written"), ("cache_read", "cache read"))
    said = ", ".join(f"{_large(tokens[sort])} {word}" for sort, word in sorts)
    return f"{said} (as recorded: output is a lower bound)"


def _cost(cost: Document) -> str:
    dates = [one["date"] for one in cost["prices"] if one["date"]]
    of = f" by list prices of {dates[-1]}" if dates else ""
    missing = "; ".join(f"{name or 'a model without a name'}: {why}" for name, why in cost["reasons"].items())
    total = "unpriced" if cost["total"] is None else _money(cost["total"], cost["currency"]) + of
    return total + (f" (not in it: {missing})" if missing else "")


def _calls(calls: Document) -> str:
    rate, stopped = calls["error_rate"], calls["interrupted"]
    failed = f", {_percent(rate)} failed" if rate is not None else ""
    return output.count(calls["calls"], "call") + failed + (f", {stopped} stopped by a person" if stopped else "")


def _subagents(part: Document) -> str:
    if not part["messages"]:
        return ""
    shares = [f"{_percent(part['share'])} of all"]
    shares += [f"{_percent(part['token_share'])} of the tokens"] if part["token_share"] is not None else []
    return f"{output.count(part['messages'], 'message')} ({', '.join(shares)})"


def _others(stats: Document) -> str:
    names = ("commit", "compaction", "interruption")
    return ", ".join(output.count(stats[f"{name}s"], name) for name in names if stats[f"{name}s"])


def _quality(quality: Document) -> str:
    if quality["average"] is None:
        return ""
    trend = "" if quality["trend"] is None else f", {_signed(quality['trend'])} from the earlier half to the later"
    return f"{quality['average']:.4g} of 100 on average of {quality['measured']} scored{trend}"


def _models(stats: Document) -> None:
    most = max(stats["models"].values(), default=0)
    rows = [(name or "(not named)", f"{count:,}", _bar(count, most)) for name, count in stats["models"].items()]
    _grid(("model", "messages", ""), rows, ("<", ">", "<"))


def _tools(stats: Document) -> None:
    most = max((tool["calls"] for tool in stats["tools"].values()), default=0)
    rows = [
        (name, f"{one['calls']:,}", str(one["errors"] or ""), _percent(one["error_rate"]), _bar(one["calls"], most))
        for name, one in stats["tools"].items()
    ]
    _grid(("tool", "calls", "errors", "failed", ""), rows, ("<", ">", ">", ">", "<"))


# -- splits and comparisons ------------------------------------------------------------------------

_COLUMNS: tuple[tuple[str, Callable[[Document], str]], ...] = (
    ("conv.", lambda one: _whole(one["conversations"])),
    ("prompts", lambda one: _whole(one["prompts"])),
    ("messages", lambda one: _whole(one["messages"])),
    ("input", lambda one: _large(one["tokens"]["input"])),
    ("output", lambda one: _large(one["tokens"]["output"])),
    ("cache written", lambda one: _large(one["tokens"]["cache_creation"])),
    ("cache read", lambda one: _large(one["tokens"]["cache_read"])),
    ("calls", lambda one: _whole(one["tool_calls"] and one["tool_calls"]["calls"])),
    ("failed", lambda one: _percent(one["tool_calls"] and one["tool_calls"]["error_rate"])),
    ("active", lambda one: _time(one["active_seconds"])),
    ("cost", lambda one: _money(one["cost"]["total"], one["cost"]["currency"])),
    ("quality", lambda one: "" if one["quality"]["average"] is None else f"{one['quality']['average']:.4g}"),
)


def _split(stats: Document) -> None:
    """One line a value; columns in which nothing stands are left out, and days on which nothing happened."""
    groups = stats["by"]
    if not groups:
        return
    names = [name for name in groups[0] if name in ("day", "week", "month", "project", "model", "agent", "tool")]
    columns = [(head, text) for head, text in _COLUMNS if any(text(one) for one in groups)]
    weigh = _weight(groups)
    most = max(map(weigh, groups))
    rows = [
        (
            *(_named(name, one[name]) for name in names),
            *(text(one) for _, text in columns),
            _bar(weigh(one), most),
        )
        for one in groups
    ]
    headings = (*names, *(head for head, _ in columns), "")
    _grid(headings, rows, ("<",) * len(names) + (">",) * len(columns) + ("<",), gap=False)
    if len({one["cost"]["currency"] for one in groups}) == 1 and stats["cost"]["unpriced"]:
        output.say(f"unpriced: {', '.join(name or '(not named)' for name in stats['cost']['unpriced'])}")


def _weight(groups: Sequence[Document]) -> Callable[[Document], float]:
    """What the bars show: calls of tools, else messages."""
    if groups[0]["messages"] is None:
        return lambda one: one["tool_calls"]["calls"] or 0
    return lambda one: one["messages"] or 0


def _named(dimension: str, value: str | None) -> str:
    return "(no time)" if value is None else value or f"({dimension} not named)"


_CHANGES: tuple[tuple[str, str, Callable[[Document], str]], ...] = (
    ("conversations", "conversations", lambda one: _whole(one["conversations"])),
    ("prompts", "prompts", lambda one: _whole(one["prompts"])),
    ("messages", "messages", lambda one: _whole(one["messages"])),
    ("output_tokens", "output tokens", lambda one: _large(one["tokens"]["output"])),
    ("cache_read_tokens", "cache read", lambda one: _large(one["tokens"]["cache_read"])),
    ("tool_calls", "tool calls", lambda one: _whole(one["tool_calls"]["calls"])),
    ("error_rate", "failed", lambda one: _percent(one["tool_calls"]["error_rate"])),
    ("active_seconds", "active", lambda one: _time(one["active_seconds"])),
    ("commits", "commits", lambda one: _whole(one["commits"])),
    ("cost", "cost", lambda one: _money(one["cost"]["total"], one["cost"]["currency"])),
    ("quality", "quality", lambda one: _whole(one["quality"]["average"])),
)


def _window(window: Document, currency: str) -> None:
    rows = [
        (name, text(window["stats"]), text(window["before"]), _changed(key, window["change"][key], currency))
        for key, name, text in _CHANGES
    ]
    heads = (f"last {window['days']} days", f"{window['days']} before", "change")
    _grid(("", *heads), rows, ("<", ">", ">", ">"))


def _changed(key: str, change: float | None, currency: str) -> str:
    if change is None:
        return ""
    sign, size = "+" if change > 0 else "−" if change < 0 else "", abs(change)
    if key == "cost":
        return sign + _money(size, currency)
    return sign + {"error_rate": _percent, "active_seconds": _time}.get(key, _large)(size)


# -- words -----------------------------------------------------------------------------------------


def _grid(headings: Sequence[str], rows: Sequence[Sequence[str]], sides: Sequence[str], *, gap: bool = True) -> None:
    """Lines of aligned columns; `<` to the left, `>` to the right."""
    if not rows:
        return
    if gap:
        output.say("")
    output.grid([[printable(cell) for cell in row] for row in (headings, *rows)], "".join(sides), dim_first=True)


def _bar(value: float, most: float) -> str:
    return output.bar(value, most, _BAR)


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"


def _large(value: float | None) -> str:
    """1,234 · 39.1 k · 15.1 M."""
    if value is None:
        return ""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if value >= size:
            return f"{value / (1000 if unit == 'k' else size):,.1f} {unit}"
    return _whole(value)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value * 100:.1f} %"


def _signed(value: float) -> str:
    return f"+{value:.3g}" if value > 0 else f"−{-value:.3g}" if value < 0 else "±0"


def _time(seconds: float | None) -> str:
    """The two largest parts: 1 h 15 min."""
    if seconds is None:
        return ""
    left = round(seconds)
    said: list[str] = []
    for size, unit in _SPANS:
        if left >= size and len(said) < 2:
            said.append(f"{left // size} {unit}")
            left %= size
        elif said:
            break
    return " ".join(said) or "0 s"


def _money(value: float | None, currency: str) -> str:
    if value is None:
        return ""
    text = f"{value:,.4f}" if 0 < value < 0.1 else f"{value:,.2f}"
    return f"{_SIGNS[currency]}{text}" if currency in _SIGNS else f"{text} {currency}"
