"""A conversation as Markdown that can be pasted into a pull request.

What was said cannot leave its place: a fence is longer than any that it holds, raw HTML is escaped, a
block that an answer left open is closed, and headings stand below the page's own.
"""

from __future__ import annotations

import difflib
import functools
import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sbfs import times
from sbfs.conversations import outline
from sbfs.conversations.outline import Lines, Section
from sbfs.conversations.plain import Image, without_thinking
from sbfs.conversations.value import MAIN, Conversation, Part, SubAgent, Turn

SHOWN = 60
"""Lines of an input or a result that are shown; what is left out is said."""

LIMIT = 8_000
"""Characters of an input or a result that are shown."""

PROSE_LIMIT = 40_000
"""Characters of one answer that are read as Markdown; a longer one is quoted."""

_SAID = {
    "interruption": "Interrupted.",
    "notification": "A background task told how it ended.",
    "error": "Error",
}
_LEFT_OUT = ("meta", "command", "notice", "unknown", "delivery", "notification")
"""Origins that tell a reader of a pull request nothing."""

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def render(conversation: Conversation, lines: Lines, _: Image, *, thinking: str = "fold") -> str:
    """The document as text. thinking: `leave` it out, `fold` it, or `include` it as a quotation.

    Images are named, not shown: nothing that a document of one file could link to holds them.
    """
    kept = without_thinking(lines) if thinking == "leave" else lines
    text = "\n\n".join(part.strip("\n") for part in _Document(conversation, kept, thinking).parts() if part.strip())
    return text.encode("utf-8", "replace").decode() + "\n"


class _Document:
    def __init__(self, conversation: Conversation, lines: Lines, thinking: str):
        self.conversation, self.lines, self.thinking = conversation, lines, thinking
        self.main = outline.shown(lines.get(MAIN, ()))
        self.by_call = outline.subagents_by_call(conversation, lines)
        self.commits = outline.commits_by_turn(conversation, self.main)

    def parts(self) -> Iterator[str]:
        """The blocks of the document, to be parted by empty lines."""
        yield f"# {literal(self.conversation.title or 'Conversation without a title')}"
        yield " · ".join(literal(word) for word in self._byline() if word)
        yield " · ".join(outline.tallies(self.conversation))
        for section in outline.sections(self.main):
            yield from self._section(section)
        for agent in self.by_call.get("", ()):
            yield from self._agent(agent)

    def _byline(self) -> Iterator[str]:
        one = self.conversation
        yield one.agent
        yield ", ".join(one.models)
        yield ", ".join(one.branches)
        if one.started and one.ended:
            began, ended = (times.dump(moment)[:16].replace("T", " ") for moment in (one.started, one.ended))
            yield f"{began} to {ended} UTC"

    def _section(self, section: Section) -> Iterator[str]:
        opening, turns = section.opening, section.turns
        if section.number and opening:
            queued = " (queued while the agent worked)" if opening.origin == "queued" else ""
            yield f"## {section.number}. {literal(outline.one_line(opening.text, 100) or 'Image')}{queued}"
            yield quoted(opening.text)
            yield from (self._picture(part) for part in opening.parts if part.type == "image")
            yield f"*{literal(tally)}*" if (tally := outline.tally(turns)) else ""
            turns = turns[1:]
        elif opening:
            yield "---"
            yield from details("Compacted: this summary takes the place of what was before", contained(opening.text))
            turns = turns[1:]
        for turn in turns:
            yield from self._turn(turn)

    def _turn(self, turn: Turn, *, is_agents: bool = False) -> Iterator[str]:
        if turn.origin in _LEFT_OUT:
            return
        results = {id(result) for _, result in turn.calls if result}
        answers = {id(call): result for call, result in turn.calls}
        if turn.origin in _SAID:
            yield f"**{_SAID[turn.origin]}**"
        for part in turn.parts if turn.origin != "interruption" else ():
            if part.type == "tool_call":
                yield from self._call(part, answers[id(part)])
            elif id(part) not in results:
                yield from self._part(part, turn)
        for commit in () if is_agents else self.commits.get(turn.id, ()):
            branch = f" on {literal(commit.branch)}" if commit.branch else ""
            yield f"**Commit** {code(commit.hash)} {literal(commit.subject)}{branch}"

    def _part(self, part: Part, turn: Turn) -> Iterator[str]:
        match part.type:
            case "text" if part.text.strip():
                yield contained(part.text) if turn.role == "assistant" else quoted(part.text)
            case "thinking" if part.text.strip():
                if self.thinking == "include":
                    yield quoted(part.text)
                else:
                    yield from details("Thinking", quoted(part.text))
            case "image":
                yield self._picture(part)
            case "tool_result":
                yield from details(f"Result of {part.name or 'a call that is not here'}", fenced(part.text))

    def _picture(self, part: Part) -> str:
        return f"*Image, {literal(part.media_type)}, {part.size:,} bytes*"

    def _call(self, call: Part, result: Part | None) -> Iterator[str]:
        about = outline.about(call, self.conversation.folders)
        head = ": ".join(word for word in (call.name, about) if word)
        end = outline.outcome(result)
        agents = self.by_call.get(call.id, ()) if call.id else ()
        inside = [block for agent in agents for block in self._agent(agent)]
        if not inside:
            inside = [_input(call), fenced(result.text) if result and result.text.strip() else ""]
        yield from details(head + (f" ({end})" if end else ""), *inside)

    def _agent(self, agent: SubAgent) -> Iterator[str]:
        turns = outline.shown(self.lines.get(f"agent-{agent.id}", ()))
        about = ": ".join(word for word in (agent.kind, agent.description) if word)
        inside = [block for turn in turns for block in self._turn(turn, is_agents=True)]
        yield from details(f"Sub-agent {about or agent.id} ({outline.counted(len(turns), 'turn')})", *inside)


# -- pieces ----------------------------------------------------------------------------------------


def details(summary: str, *blocks: str) -> Iterator[str]:
    """What folds: a line, and what it hides."""
    yield f"<details><summary>{html.escape(' '.join(_printable(summary).split()))}</summary>"
    yield from (block for block in blocks if block)
    yield "</details>"


def literal(text: str) -> str:
    """A text in one line that Markdown shows as it is."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(_printable(text).split()))


def quoted(text: str) -> str:
    """What a person typed: as it is, line by line, as a quotation."""
    lines = _printable(text).strip("\n").split("\n")
    return "\n".join(f"> {_PUNCTUATION.sub(_escaped, line)}{_break(lines, at)}" for at, line in enumerate(lines))


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _break(lines: Sequence[str], at: int) -> str:
    """A backslash keeps a line's end, where text follows."""
    return "\\" if lines[at].strip() and "".join(lines[at + 1 : at + 2]).strip() else ""


def code(text: str) -> str:
    """Code within a line."""
    text = " ".join(_printable(text).split())
    ticks = "`" * (_longest(text, "`") + 1)
    return f"{ticks} {text} {ticks}" if "`" in text else f"`{text}`"


def fenced(text: str, language: str = "") -> str:
    """Code in lines, in a fence that is longer than any in it. Much is cut, and that is said."""
    text = _printable(text).strip("\n")
    shown = "\n".join(text[:LIMIT].split("\n")[:SHOWN])
    fence = "`" * max(3, _longest(shown, "`") + 1)
    more = len(text) - len(shown)
    note = f"\n\n*{more:,} more characters are left out.*" if more else ""
    return f"{fence}{language}\n{shown}\n{fence}{note}"


def _longest(text: str, char: str) -> int:
    return max((len(run) for run in re.findall(f"{re.escape(char)}+", text)), default=0)


def _printable(text: str) -> str:
    from sbfs.conversations.markup import clean

    return clean(text)


def _input(call: Part) -> str:
    match outline.action(call):
        case "shell":
            return fenced(outline.command_of(call), "sh")
        case "edit" if edits := [*_edits(call.input)]:
            return fenced("\n".join(line for old, new in edits for line in _difference(old, new)), "diff")
        case "patch":
            return fenced(outline.patch_of(call), "diff")
        case "todo" if tasks := outline.tasks_of(call):
            return "\n".join(f"- [{'x' if status == 'completed' else ' '}] {literal(text)}" for text, status in tasks)
        case "write" if content := outline.field(call, "content", "file_text"):
            return fenced(content)
        case "read" | "search":
            return ""
    if isinstance(call.input, str):
        return fenced(call.input)
    return fenced(json.dumps(call.input, ensure_ascii=False, indent=2, default=str), "json") if call.input else ""


def _edits(given: Any) -> Iterator[tuple[str, str]]:
    steps = given.get("edits") if isinstance(given, dict) else None
    for step in steps if isinstance(steps, list) else [given]:
        if isinstance(step, dict):
            yield (
                str(step.get("old_string", step.get("old_str", ""))),
                str(step.get("new_string", step.get("new_str", ""))),
            )


def _difference(old: str, new: str) -> list[str]:
    before, after = old.split("\n"), new.split("\n")
    if max(len(before), len(after)) > 2_000:
        return [*(f"-{line}" for line in before), *(f"+{line}" for line in after)]
    return [line.rstrip("\n") for line in difflib.unified_diff(before, after, lineterm="", n=3)][2:]


# -- an answer's own Markdown ----------------------------------------------------------------------


def contained(text: str) -> str:
    """An answer's Markdown, which can neither end what is around it nor go on behind it."""
    text = _printable(text).strip("\n")
    if len(text) > PROSE_LIMIT:
        return quoted(text)
    if "<" in text or "[" in text:
        text = _harmless(text)
    text = _lowered(text) if "#" in text else text
    return _closed(text) if "```" in text or "~~~" in text else text


def _harmless(text: str) -> str:
    """Without raw HTML, and without links and images that do more than lead somewhere."""
    lines = text.split("\n")
    for is_strict in (False, True):
        places = _places("\n".join(lines))
        if not places:
            return "\n".join(lines)
        lines = [_without_html(line, is_strict) if at in places else line for at, line in enumerate(lines)]
    return fenced(text) if _places("\n".join(lines)) else "\n".join(lines)


def _places(text: str) -> set[int]:
    """The lines that hold what must not be. What defines a link holds for the whole document, so it goes, too."""
    env: dict[str, Any] = {}
    tokens = _parser().parse(text, env)
    defined = [one for one in env.get("references", {}).values() if not _is_plain_link(one["href"])]
    links = {line for one in defined for line in range(*one["map"])}
    return links | {line for token in tokens for line in _unsafe(token)}


def _tokens(text: str) -> list[Any]:
    tokens: list[Any] = _parser().parse(text)
    return tokens


@functools.cache
def _parser() -> Any:
    """Reads as the readers of the document will: with HTML, and with any link."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.validateLink = bool  # type: ignore[method-assign,assignment]
    return parser


def _unsafe(token: Any) -> Iterator[int]:
    """The lines of what is raw HTML, a link that runs something, or an image that loads something."""
    is_html = token.type == "html_block"
    if is_html or (token.type == "inline" and any(_is_unsafe(child) for child in token.children or ())):
        yield from range(*token.map)


def _is_unsafe(token: Any) -> bool:
    if token.type == "html_inline" or token.type == "image":
        return True
    return token.type == "link_open" and not _is_plain_link(str(token.attrs["href"]))


def _is_plain_link(url: str) -> bool:
    """Whether a link leads to the web, to mail, or to a place beside the document."""
    return bool(re.match(r"(?:https?|mailto):|[^:]*(?:[/?#]|$)", url, re.I))


def _without_html(line: str, is_strict: bool) -> str:
    """A line that starts nothing. Code within it is spared, unless that was not enough."""
    pieces = [line] if is_strict else re.split(r"(`[^`]+`)", line)
    return "".join(piece if at % 2 else re.sub(r"[<\[]", r"\\\g<0>", piece) for at, piece in enumerate(pieces))


def _lowered(text: str) -> str:
    """Headings, two levels down: the first two are the document's own."""
    found = text.split("\n")
    for token in _tokens(text):
        if token.type == "heading_open" and token.level == 0 and token.markup.startswith("#"):
            at = token.map[0]
            found[at] = re.sub(r"^ {0,3}#+", "#" * min(6, len(token.markup) + 2), found[at])
    return "\n".join(found)


def _closed(text: str) -> str:
    """With a last line for a fence that was left open."""
    last = _tokens(f"{text}\n\nend")
    if last and last[-1].type == "fence":
        return f"{text}\n{last[-1].markup}"
    return text
