"""A conversation as people read it in a terminal: who said what, thinking and tools folded to a line each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from sbfs.cli import output
from sbfs.cli.base import Document, printable

_WIDTH = 100
"""Characters of what is told of a folded part."""

_SPEAKERS = {"user": "you", "assistant": "agent", "system": "program"}

_FOLDED = ("meta", "command", "notification", "notice", "unknown", "delivery", "compaction")
"""Origins of turns that are shown as a line, unless they are asked for."""

_STYLES = {"user": {"fg": "green", "bold": True}, "assistant": {"fg": "blue", "bold": True}, "system": {"dim": True}}


def show(document: Document, *, full: bool) -> None:
    """Print the document of `conversation.show`."""
    _head(document)
    sides = document.get("subagents", {})
    for turn in document["turns"]:
        for line in _turn(turn, sides, full):
            click.echo(line)
    if document["next"]:
        output.say(f"\n{document['count']} of {document['total']} turns; more: --cursor {document['next']}")


def _head(document: Document) -> None:
    one = document["conversation"]
    facts = one.get("facts", {})
    tokens = [count for model in facts.get("models", {}).values() for count in (model["input"] + model["output"],)]
    output.facts(
        [
            ("Title", one.get("title")),
            ("Project", document["project"]),
            ("Agent", " ".join((one["agent"], *one.get("versions", ())[-1:]))),
            ("Models", ", ".join(one.get("models", ()))),
            ("Branches", ", ".join(one.get("branches", ()))),
            ("Folder", ", ".join(one.get("folders", ()))),
            ("Held", " – ".join(output.moment(one[name]) for name in ("started", "ended") if name in one)),
            ("Said", _counts(facts, tokens)),
            ("Commits", "; ".join(f"{commit['hash']} {commit['subject']}" for commit in one.get("commits", ()))),
            ("Continues", ", ".join(one.get("continues", ()))),
            ("Taken out", ", ".join(f"{count} {type}" for type, count in one.get("redacted", {}).items())),
            ("Quality", one.get("quality")),
            ("Id", one["id"]),
            ("File", document["path"]),
        ]
    )
    if document["edited"]:
        click.echo("(this shows an unsaved edit of the file; 'sbfs save' makes it count)", err=True)


def _counts(facts: Document, tokens: list[int]) -> str:
    calls = sum(tool.get("calls", 0) for tool in facts.get("tools", {}).values())
    said = [(facts.get("prompts", 0), "prompt"), (facts.get("messages", 0), "message"), (calls, "tool call")]
    said += [(facts.get("commits", 0), "commit"), (sum(tokens), "token")]
    return " · ".join(output.count(number, noun) for number, noun in said if number)


# -- turns -----------------------------------------------------------------------------------------


def _turn(turn: Document, sides: Document, full: bool, pad: str = "") -> Iterator[str]:
    origin = turn.get("origin", "")
    if origin in _FOLDED and not full:
        yield from _folded(turn, pad)
        return
    body = [*_body(turn, sides, full, pad)]
    if body or full:
        yield ""
        yield pad + _heading(turn)
        yield from body


def _heading(turn: Document) -> str:
    speaker = turn.get("name") or _SPEAKERS.get(turn["role"], turn["role"])
    origin = turn.get("origin", "")
    told = "" if origin in ("prompt", "answer") else f" ({origin})"
    place = f"#{turn.get('seq', '')}  {output.moment(turn.get('timestamp', ''))}"
    return f"{_style(f'{speaker}{told}', **_STYLES.get(turn['role'], {}))}  {_style(place, dim=True)}"


def _folded(turn: Document, pad: str) -> Iterator[str]:
    if turn["origin"] == "delivery":
        return
    if turn["origin"] == "compaction":
        if turn["role"] == "user":
            yield f"\n{pad}{_style('── the conversation was summed up here ──', dim=True)}"
        return
    if said := _line(" ".join(part.get("text", "") for part in turn["content"])):
        yield f"\n{pad}{_style(f'· {turn['origin']}: {said}', dim=True)}"


def _body(turn: Document, sides: Document, full: bool, pad: str) -> Iterator[str]:
    results = {part["id"]: part for part in turn["content"] if part["type"] == "tool_result" and part.get("id")}
    called = {part.get("id") for part in turn["content"] if part["type"] == "tool_call"}
    for part in turn["content"]:
        type = part["type"]
        if type == "text" and part["text"].strip():
            yield from _indented(part["text"].strip("\n"), pad)
        elif type == "thinking":
            yield from _thinking(part, full, pad)
        elif type == "tool_call":
            yield from _call(part, results.get(part.get("id")), sides, full, pad)
        elif type == "tool_result" and part.get("id") not in called:
            yield from _call({"name": part.get("name", "")}, part, sides, full, pad)
        elif type == "image":
            yield pad + _style(
                f"▸ {part.get('media_type', 'image')}, {part.get('size', 0)} bytes: {part.get('path', '')}", dim=True
            )
        elif type == "raw" and full:
            yield from _indented(output.inline(part.get("entry")), pad + "  ")


def _thinking(part: Document, full: bool, pad: str) -> Iterator[str]:
    said = part["text"].strip()
    if full and said:
        yield pad + _style("▾ thinking", dim=True)
        yield from _indented(said, pad + "  ")
    else:
        yield pad + _style(f"▸ thinking: {_line(said) or '(not recorded)'}", dim=True)


def _call(call: Document, result: Document | None, sides: Document, full: bool, pad: str) -> Iterator[str]:
    given = call.get("input")
    outcome = "no result" if result is None else _outcome(result)
    mark = "▾" if full else "▸"
    told = _line(_gist(given))
    yield (
        pad
        + f"{_style(f'{mark} {call.get('name') or 'tool'}', fg='cyan')} {printable(told)} {_style(outcome, dim=True)}"
    )
    if full:
        if given not in (None, {}, ""):
            yield from _indented(_input(given), pad + "    ")
        if result is not None and result["text"].strip():
            yield pad + _style("  →", dim=True)
            yield from _indented(result["text"].strip("\n"), pad + "    ")
    agent = (result or {}).get("agent")
    if agent and agent in sides:
        if full:
            for turn in sides[agent]:
                yield from _turn(turn, {}, full, pad + "  │ ")
        else:
            yield pad + _style(
                f"  sub-agent {agent}: {output.count(sides[agent], 'turn')}; --agent {agent} shows them", dim=True
            )


def _outcome(result: Document) -> str:
    if result.get("interrupted"):
        return "→ stopped by a person"
    size = output.count(result["text"].count("\n") + 1 if result["text"] else 0, "line")
    return f"→ error, {size}" if result.get("error") else f"→ {size}"


def _gist(given: Any) -> str:
    """What a call is about: its most telling argument."""
    if not isinstance(given, dict):
        return "" if given is None else str(given)
    names = ("command", "file_path", "path", "pattern", "query", "url", "description", "prompt", "cmd")
    named = next((given[name] for name in names if isinstance(given.get(name), str)), None)
    return named if named is not None else output.inline(given)


def _input(given: Any) -> str:
    if not isinstance(given, dict):
        return str(given)
    shown = ((key, value if isinstance(value, str) else output.inline(value)) for key, value in given.items())
    return "\n".join(f"{key}: {value}" if "\n" not in value else f"{key}:\n{value}" for key, value in shown)


def _line(text: str) -> str:
    line = " ".join(text[: 4 * _WIDTH].split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def _indented(text: str, pad: str) -> Iterator[str]:
    yield from (pad + line for line in printable(text).split("\n"))


def _style(text: str, **style: Any) -> str:
    text = printable(text)
    return click.style(text, **style) if sys.stdout.isatty() else text
