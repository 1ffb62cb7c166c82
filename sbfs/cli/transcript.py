"""A conversation in the terminal: prompts, answers, and a line for each tool call and each thought."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from sbfs import times
from sbfs.cli import output
from sbfs.cli.base import Document, printable
from sbfs.conversations import outline
from sbfs.conversations.value import Part, Turn, load, load_turn

SPEAKERS = {
    "prompt": "Prompt",
    "queued": "Prompt, queued while the agent worked",
    "answer": "Agent",
    "task": "Task",
    "error": "Error",
    "compaction": "Summary of what was before",
    "interruption": "Interrupted",
    "notification": "Background task",
    "command": "Command",
    "meta": "Put in by the program",
    "result": "Result",
    "notice": "Note",
    "unknown": "Unknown entry",
}
"""A turn's origin → who speaks."""

_FOLDED = ("meta", "notification", "command", "compaction", "notice", "unknown")
"""Origins of which one line is shown, unless all is asked for."""


def show_conversation(document: Document, *, full: bool = False) -> None:
    """Print the document of `conversation.show`.

    Its keys: `conversation`, as in `conversation.yaml`; `turns`, as in the turn files; `subagents`: id →
    turns; where known, `project`, `path`, `edited`, `total`, `next`. full: also what thinking and tools say,
    and the sub-agents at their calls.
    """
    View(document, full).show()
    if document.get("edited"):
        output.warn("(this shows an unsaved edit of the file; 'sbfs save' makes it count)")
    if document.get("next"):
        output.say(f"\n{document['count']} of {document['total']} turns; more: --cursor '{document['next']}'")


class View:
    """One conversation on one terminal."""

    def __init__(self, document: Document, full: bool):
        self.document = document
        self.conversation = load(document["conversation"])
        self.full = full
        self.turns = [load_turn(turn) for turn in document["turns"]]
        agents = {id: [load_turn(turn) for turn in turns] for id, turns in (document.get("subagents") or {}).items()}
        self.agents = agents
        lines = {"messages": self.turns, **{f"agent-{id}": turns for id, turns in agents.items()}}
        self.by_call = outline.subagents_by_call(self.conversation, lines)
        self.commits = outline.commits_by_turn(self.conversation, self.turns)
        self.width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 200
        self.model = ""

    def show(self) -> None:
        """Print all."""
        self._facts()
        for section in outline.sections(self.turns):
            self._turns(section.turns, "")
        for agent in (one for one in self.by_call.get("", ()) if one.id in self.agents):
            self._agent(agent.id, agent.description or agent.kind, "")

    def _facts(self) -> None:
        one = self.conversation
        click.echo(_style(printable(one.title or "(no title)"), bold=True))
        began, ended = (times.dump(moment) if moment else "" for moment in (one.started, one.ended))
        active = f", active {outline.span(one.facts.active_ms)}" if one.facts.active_ms else ""
        output.facts(
            [
                ("Project", self.document.get("project")),
                ("Agent", " · ".join([" ".join([one.agent, *one.versions[-1:]]), *one.models])),
                ("Branch", ", ".join(one.branches)),
                ("Folder", ", ".join(one.folders)),
                ("When", f"{output.moment(began)} to {output.moment(ended)} UTC{active}" if began else ""),
                ("Holds", " · ".join(outline.tallies(one))),
                ("Goes on from", ", ".join(one.continues)),
                ("Taken out", ", ".join(f"{count} {type}" for type, count in sorted(one.redacted.items()))),
                ("Quality", one.quality),
                ("Id", one.id),
                ("File", self.document.get("path")),
            ]
        )

    def _turns(self, turns: Iterable[Turn], indent: str) -> None:
        for turn in outline.shown(turns):
            if turn.origin != "delivery":
                self._turn(turn, indent)

    def _turn(self, turn: Turn, indent: str) -> None:
        self._head(turn, indent)
        if turn.origin in _FOLDED and not self.full:
            text = outline.one_line(turn.text) or _raw_line(turn.parts)
            rest = turn.text.strip().count("\n")
            more = f"  (and {outline.counted(rest, 'line')} more)" if rest else ""
            self._quiet(text + more, indent)
        else:
            results = {id(result): call for call, result in turn.calls if result}
            for part in turn.parts:
                if id(part) not in results:
                    self._part(part, turn, indent)
        for commit in self.commits.get(turn.id, ()):
            branch = f" on {commit.branch}" if commit.branch else ""
            self._line(f"● commit {commit.hash}{branch}: {commit.subject}", indent, fg="green")

    def _head(self, turn: Turn, indent: str) -> None:
        who = turn.name if turn.name and turn.role == "user" else SPEAKERS.get(turn.origin, turn.role)
        # The model is said where it changes.
        if turn.model and turn.model != self.model:
            self.model = turn.model
            who += f" · {turn.model}"
        mine = turn.is_prompt
        head = f"#{turn.seq}  {outline.clock(turn.timestamp)}  {who}".replace("    ", "  ")
        click.echo("")
        click.echo(indent + _style(printable(head), fg="cyan" if mine else None, bold=mine, dim=not mine))

    def _part(self, part: Part, turn: Turn, indent: str) -> None:
        match part.type:
            case "text" if part.text.strip():
                self._text(part.text, indent)
            case "thinking" if part.text.strip():
                self._quiet(f"▸ thinking, {outline.counted(len(part.text.split()), 'word')}", indent)
                if self.full:
                    self._text(part.text, indent + "  │ ", dim=True)
            case "tool_call":
                self._call(part, next((result for call, result in turn.calls if call is part), None), indent)
            case "tool_result":
                self._quiet(f"▸ result of {part.name or 'a call that is not here'}  {outline.outcome(part)}", indent)
                if self.full:
                    self._text(part.text, indent + "  │ ", dim=True)
            case "image":
                self._quiet(f"▸ image, {part.media_type}, {part.size:,} bytes  {part.path}", indent)
            case "raw" if self.full:
                self._text(_json(part.entry), indent + "  │ ", dim=True)

    def _call(self, call: Part, result: Part | None, indent: str) -> None:
        end = outline.outcome(result)
        wrong = bool(result and result.error)
        why = f": {_reason(result.text)}" if wrong and result and not result.interrupted else ""
        tail = f"  → {end}{why}" if end else ""
        line = f"{'✗' if wrong else '▸'} {call.name}  {outline.about(call, self.conversation.folders)}"
        room = max(20, self.width - len(indent) - len(tail) - 3)
        line = line if len(line) <= room else line[: room - 1] + "…"
        self._line(line + tail, indent, fg="red" if wrong else None, dim=not wrong)
        if self.full:
            self._text(_input_text(call), indent + "  │ ")
            self._text(result.text if result else "", indent + "  │   ", dim=True)
            for image in result.images if result else ():
                self._quiet(f"  │   image, {image.media_type}, {image.size:,} bytes  {image.path}", indent)
        for agent in self.by_call.get(call.id, ()) if call.id else ():
            self._agent(agent.id, agent.kind or agent.description, indent)

    def _agent(self, id: str, what: str, indent: str) -> None:
        turns = self.agents.get(id, [])
        hint = "" if self.full or not turns else "; --full shows it"
        self._quiet(
            f"  ▸ sub-agent {id} ({what or 'of unknown kind'}): {outline.counted(len(turns), 'turn')}{hint}", indent
        )
        if self.full:
            self._turns(turns, indent + "    ")

    def _text(self, text: str, indent: str, *, dim: bool = False) -> None:
        for line in text.strip("\n").splitlines():
            self._line(line.rstrip(), indent, dim=dim)

    def _quiet(self, text: str, indent: str) -> None:
        self._line(text, indent, dim=True)

    def _line(self, text: str, indent: str, *, fg: str | None = None, dim: bool = False) -> None:
        click.echo(f"{indent}  {_style(printable(text), fg=fg, dim=dim)}".rstrip())


def _style(text: str, **looks: Any) -> str:
    return click.style(text, **looks) if sys.stdout.isatty() else text


def _reason(text: str) -> str:
    """Of an error's text the beginning: `Exit code 1` alone says little."""
    return outline.one_line(" ".join(text[:1000].split()), 80)


def _raw_line(parts: Sequence[Part]) -> str:
    entry = next((part.entry for part in parts if part.type == "raw"), None)
    return outline.one_line(_json(entry).replace("\n", " ")) if entry is not None else ""


def _input_text(call: Part) -> str:
    if outline.action(call) == "shell":
        return outline.command_of(call)
    return call.input if isinstance(call.input, str) else _json(call.input)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
