"""A conversation as one HTML page that needs nothing else: no script, style, font or image from elsewhere.

The template escapes whatever it is given; what is HTML already was made by `markup`. The page's policy
names its style and its script by their hashes, so that a browser runs nothing else even if something got
through. The same conversation makes the same bytes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from sbfs import shared, times
from sbfs.conversations import outline
from sbfs.conversations.blocks import Block, Maker
from sbfs.conversations.markup import Painter, clean
from sbfs.conversations.outline import Lines, Section
from sbfs.conversations.plain import Image, without_thinking
from sbfs.conversations.value import MAIN, Conversation, Part, SubAgent, Turn

FOLDER = "templates/conversation"

SPEAKERS: Mapping[str, str] = {
    "queued": "queued while the agent worked",
    "task": "Task",
    "error": "Error",
    "compaction": "Compacted: this summary takes the place of what was before",
    "interruption": "Interrupted",
    "notification": "Background task",
    "command": "Command",
    "meta": "Put in by the program",
    "result": "Result",
    "delivery": "Delivered",
    "notice": "Note",
    "unknown": "Unknown entry",
}
"""A turn's origin → what stands above it, where it is neither a prompt nor an answer."""

_FOLDED = ("meta", "notification", "command", "notice", "unknown")


@dataclass(frozen=True)
class Tool:
    """A tool call with its result, and the sub-agents that it began. kind: for the template."""

    name: str
    about: str
    outcome: str
    wrong: bool
    is_code: bool
    blocks: Sequence[Block]
    agents: Sequence[Agent] = ()
    id: str = ""
    kind: str = "tool"


@dataclass(frozen=True)
class Agent:
    """A sub-agent, folded in at its call. id: its anchor; name: its own id."""

    id: str
    name: str
    about: str
    outcome: str
    facts: str
    turns: Sequence[Entry]


@dataclass(frozen=True)
class Entry:
    """A turn as the page shows it. look: classes of the style. delivers: the anchor of a queued turn."""

    id: str
    seq: int
    who: str
    look: str
    time: str
    model: str
    tokens: str
    items: Sequence[Block | Tool]
    commits: Sequence[Mapping[str, str]] = ()
    delivers: str = ""


@dataclass(frozen=True)
class Group:
    """A section as the page shows it."""

    kind: str
    name: str
    tally: str
    turns: Sequence[Entry]


def render(conversation: Conversation, lines: Lines, image: Image, *, thinking: str = "fold") -> str:
    """The page as text. thinking: `leave` it out, `fold` it, or `include` it unfolded."""
    kept = without_thinking(lines) if thinking == "leave" else lines
    return _Page(conversation, kept, image, thinking).render()


class _Page:
    def __init__(self, conversation: Conversation, lines: Lines, image: Image, thinking: str):
        self.conversation, self.lines, self.thinking = conversation, lines, thinking
        self.make = Maker(Painter(), image, conversation.folders)
        self.main = outline.shown(lines.get(MAIN, ()))
        self.by_call = outline.subagents_by_call(conversation, lines)
        self.commits = outline.commits_by_turn(conversation, self.main)
        self.queued = {turn.id: f"t{turn.seq}" for turn in self.main if turn.is_prompt}
        self.seen: set[str] = set()
        self.model = ""

    def render(self) -> str:
        """Fill the template."""
        one, groups = self.conversation, outline.sections(self.main)
        style, script = (shared.read(f"{FOLDER}/page.{ending}").rstrip("\n") for ending in ("css", "js"))
        text: str = _template().render(
            title=one.title or "Conversation without a title",
            policy=policy(style, script),
            style=Markup(style),  # noqa: S704 - shipped with sbfs
            script=Markup(script),  # noqa: S704 - shipped with sbfs
            byline=[*self._byline()],
            counts=[text.split(" ", 1) for text in outline.tallies(one)],
            facts=[*self._facts()],
            models=[*self._models()],
            tools=[*self._tools()],
            timeline=[*self._timeline(groups)],
            sections=[self._section(group) for group in groups],
            strays=[self._agent(agent) for agent in self.by_call.get("", ())],
            thinking=self.thinking,
        )
        return text

    # -- what stands above ---------------------------------------------------------------------------

    def _byline(self) -> Iterator[str]:
        one = self.conversation
        yield one.agent
        yield from one.models
        if one.started and one.ended:
            began, ended = times.dump(one.started), times.dump(one.ended)
            until = ended[11:16] if began[:10] == ended[:10] else ended[:16].replace("T", " ")
            yield f"{began[:16].replace('T', ' ')} to {until} UTC"
        if one.facts.active_ms:
            yield f"active {outline.span(one.facts.active_ms)}"
        yield from one.branches

    def _facts(self) -> Iterator[tuple[str, str]]:
        one = self.conversation
        facts = {
            "Id": one.id,
            "Agent's version": ", ".join(one.versions),
            "Folders": ", ".join(one.folders),
            "Branches": ", ".join(one.branches),
            "Elapsed": outline.span(one.elapsed_ms) if one.elapsed_ms else "",
            "Tokens": f"{one.facts.tokens.total:,}" if one.facts.tokens.total else "",
            "Goes on from": ", ".join(one.continues),
            "Taken out": ", ".join(f"{count} {type}" for type, count in sorted(one.redacted.items())),
            "Quality": f"{one.quality:g} of 100" if one.quality is not None else "",
            "Read from": ", ".join(source.name for source in one.sources),
        }
        return ((name, value) for name, value in facts.items() if value)

    def _models(self) -> Iterator[tuple[str, list[str]]]:
        for name, count in self.conversation.facts.models.items():
            tokens = count.tokens
            numbers = (count.messages, tokens.input, tokens.output, tokens.cache_creation, tokens.cache_read)
            yield name or "(not named)", [f"{number:,}" for number in numbers]

    def _tools(self) -> Iterator[tuple[str, list[str]]]:
        tools = self.conversation.facts.tools
        for name in sorted(tools, key=lambda name: (-tools[name].calls, name)):
            yield name, [f"{tools[name].calls:,}", f"{tools[name].errors:,}" if tools[name].errors else ""]

    def _timeline(self, groups: Sequence[Section]) -> Iterator[dict[str, str]]:
        day = ""
        for group in groups:
            first = group.turns[0]
            if outline.day(first.timestamp) not in ("", day):
                day = outline.day(first.timestamp)
                yield {"kind": "day", "day": day, "target": f"t{first.seq}", "label": "", "time": "", "about": ""}
            kind, label = self._heading(group)
            about = outline.tally(group.turns, most=3)
            yield self._point(kind, f"t{first.seq}", label, first.timestamp, about)
            for turn in group.turns:
                for number, commit in enumerate(self.commits.get(turn.id, ())):
                    when = commit.timestamp or turn.timestamp
                    yield self._point("commit", _commit_id(turn, number), commit.subject, when, commit.hash)

    def _point(self, kind: str, target: str, label: str, time: str, about: str) -> dict[str, str]:
        return {"kind": kind, "day": "", "target": target, "label": label, "time": time, "about": about}

    def _heading(self, group: Section) -> tuple[str, str]:
        opening = group.opening
        if opening is None:
            return "start", "Before the first prompt"
        if not group.number:
            return "compaction", "Compacted"
        return "prompt", outline.one_line(opening.text, 160) or "(image)"

    # -- the conversation ----------------------------------------------------------------------------

    def _section(self, group: Section) -> Group:
        kind, label = self._heading(group)
        entries = [self._entry(turn, group.number if turn is group.opening else 0) for turn in group.turns]
        return Group(kind, label, self._tally(group) if group.number else "", entries)

    def _tally(self, group: Section) -> str:
        moments = [turn.timestamp for turn in group.turns if turn.timestamp]
        moments += [part.timestamp for turn in group.turns for part in turn.parts if part.timestamp]
        took = times.load(max(moments)) - times.load(min(moments)) if moments else None
        failed = sum(bool(result and result.error) for turn in group.turns for _, result in turn.calls)
        words = [
            outline.tally(group.turns),
            f"{failed} failed" if failed else "",
            outline.span(round(took.total_seconds() * 1000)) if took else "",
        ]
        return " · ".join(word for word in words if word)

    def _entry(self, turn: Turn, number: int = 0, agent: str = "") -> Entry:
        items = [*self._items(turn)]
        quiet = turn.role == "assistant" and all(isinstance(item, Tool) for item in items)
        model = turn.model if turn.model != self.model else ""
        self.model = turn.model or self.model
        name = turn.name if turn.role != "system" else ""
        who = [name or (f"Prompt {number}" if number else ""), SPEAKERS.get(turn.origin, "")]
        prompt = "prompt" if turn.is_prompt or turn.origin == "task" else turn.origin
        looks = [prompt, "quiet" if quiet else "", "side" if turn.sidechain and not agent else ""]
        tokens = outline.counted(turn.tokens.output, "token") if turn.tokens and turn.tokens.output else ""
        return Entry(
            id=f"{agent}t{turn.seq}",
            seq=turn.seq,
            who=", ".join(word for word in who if word) or ("Agent" if turn.role == "assistant" else "Prompt"),
            look=" ".join(look for look in looks if look),
            time=turn.timestamp,
            model=model,
            tokens=tokens,
            items=items,
            commits=[] if agent else self._committed(turn),
            delivers=self.queued.get(turn.of, ""),
        )

    def _committed(self, turn: Turn) -> list[dict[str, str]]:
        return [
            {"id": _commit_id(turn, number), "hash": one.hash, "subject": one.subject, "branch": one.branch}
            for number, one in enumerate(self.commits.get(turn.id, ()))
        ]

    def _items(self, turn: Turn) -> Iterator[Block | Tool]:
        if turn.origin in _FOLDED:
            yield self._folded(turn)
            return
        results = {id(result) for _, result in turn.calls if result}
        answers = {id(call): result for call, result in turn.calls}
        for part in turn.parts:
            if part.type == "tool_call":
                yield self._tool(part, answers[id(part)])
            elif id(part) not in results:
                yield from self._part(part, turn)

    def _part(self, part: Part, turn: Turn) -> Iterator[Block | Tool]:
        match part.type:
            case "text" if part.text.strip():
                yield self._text(part.text, turn)
            case "thinking" if part.text.strip():
                yield self.make.thinking(part.text, self.thinking == "include")
            case "image":
                yield self.make.picture(part)
            case "tool_result":
                yield self._stray(part)
            case "raw":
                yield Block("folded", label="Kept as it was", blocks=self.make.raw(part.entry))

    def _text(self, text: str, turn: Turn) -> Block:
        if turn.origin == "compaction" and outline.opens(turn):
            words = outline.counted(len(text.split()), "word")
            return Block("folded", label=f"The summary, {words}", blocks=[self.make.prose("", text)])
        return self.make.prose("", text) if turn.role == "assistant" else self.make.said(text)

    def _folded(self, turn: Turn) -> Block:
        """An entry that few want to read: one line, which opens."""
        label = outline.one_line(turn.text, 160) or ", ".join(str(one) for one in turn.facts.values())[:160]
        inside = self.make.text(turn.text) if turn.text else []
        for part in turn.parts:
            inside += self.make.raw(part.entry) if part.type == "raw" else []
            inside += [self.make.picture(part)] if part.type == "image" else []
        return Block("folded", label=label or "Open", blocks=inside or [Block("note", label=label)])

    def _tool(self, call: Part, result: Part | None) -> Tool:
        agents = [self._agent(agent) for agent in self.by_call.get(call.id, ())] if call.id else []
        named = bool(outline.field(call, "description"))
        return Tool(
            name=call.name or "tool",
            about=outline.about(call, self.conversation.folders),
            outcome=outline.outcome(result),
            wrong=bool(result and result.error),
            is_code=outline.action(call) in ("read", "edit", "write", "search", "patch")
            or (outline.action(call) == "shell" and not named),
            blocks=[] if self._is_told(result, agents) else self.make.call(call, result),
            agents=agents,
        )

    def _is_told(self, result: Part | None, agents: Sequence[Agent]) -> bool:
        """Whether a sub-agent's own turns say what the call and its result say: shown once is enough."""
        turns = [turn for agent in agents for turn in self.lines.get(f"agent-{agent.name}", ())]
        beginning = result.text.strip()[:500] if result else ""
        return bool(turns) and (not beginning or any(beginning in turn.text for turn in turns))

    def _stray(self, result: Part) -> Tool:
        about = "result of a call that is not here"
        blocks = self.make.result(result)
        return Tool(result.name or "tool", about, outline.outcome(result), result.error, False, blocks)

    def _agent(self, agent: SubAgent) -> Agent:
        turns = outline.shown(self.lines.get(f"agent-{agent.id}", ()))
        prefix = f"a{[one.id for one in self.conversation.subagents].index(agent.id) + 1}-"
        if agent.id in self.seen:
            turns = ()
        self.seen.add(agent.id)
        reported = f"; {agent.reported_tokens:,} reported by its parent" if agent.reported_tokens is not None else ""
        tokens = f"{agent.tokens.total:,} tokens recorded{reported}" if agent.tokens.total or reported else ""
        # Its model is its own: the main line's goes on after it.
        model, self.model = self.model, ""
        entries = [self._entry(turn, agent=prefix) for turn in turns]
        self.model = model
        about = ": ".join(word for word in (agent.kind, agent.description) if word)
        return Agent(f"{prefix}top", agent.id, about or agent.id, outline.counted(len(turns), "turn"), tokens, entries)


def _commit_id(turn: Turn, number: int) -> str:
    return f"c{turn.seq}-{number + 1}"


def policy(style: str, script: str) -> str:
    """What a browser may load and run: this style, this script, images in the page."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _template() -> Any:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(lambda name: shared.read(f"{FOLDER}/{name}")),
        autoescape=True,
        finalize=_finished,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


def _finished(value: Any) -> Any:
    # HTML was cleaned when it was made.
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
