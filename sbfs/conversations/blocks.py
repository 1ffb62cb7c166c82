"""What a page shows of a turn's parts: blocks, as the page's template knows them.

One function for each thing that tools do, so that a command looks like a command and an edit like a
difference; what is unknown is shown as its input and its result.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from sbfs.conversations import markup, outline
from sbfs.conversations.markup import Painter
from sbfs.conversations.plain import Image
from sbfs.conversations.value import Part

SHOWN = 24
"""Lines of a long output that are shown; the others are folded."""

LONG = 6_000
"""Characters above which an output of few lines counts as long."""

LIMIT = 400_000
"""Characters of one text that a page holds; what is left out is said."""

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""Types that a page shows; another, such as SVG, can hold a program."""

_NUMBERED = re.compile(r" *(\d+)(?:→|\t)(.*)")
_REMINDER = re.compile(r"\n*<system-reminder>.*?</system-reminder>\s*", re.S)


NOTHING = Markup()


@dataclass(frozen=True)
class Block:
    """A piece of the page.

    kind: of the template's macros: `code`, `prose`, `said`, `thinking`, `tasks`, `image`, `note`,
    `folded`, `tool`. head: what is shown at once; rest: what is folded, `hidden` says how much. look: a
    class of the style. tasks: (text, status). source: of an image. blocks: inside a `folded` one.
    """

    kind: str
    label: str = ""
    head: Markup = NOTHING
    rest: Markup = NOTHING
    hidden: str = ""
    look: str = ""
    tasks: Sequence[tuple[str, str]] = ()
    source: str = ""
    is_open: bool = False
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Maker:
    """Makes blocks. folders: of the conversation, left out before paths."""

    painter: Painter
    image: Image
    folders: Sequence[str] = ()

    def call(self, call: Part, result: Part | None) -> list[Block]:
        """What a tool was asked, and what came of it."""
        text = _REMINDER.sub("\n", result.text) if result else ""
        match outline.action(call):
            case "shell":
                made = [*self._code(outline.command_of(call), language="bash"), *self._output(result, text)]
            case "edit":
                made = [*self._edits(call, result), *self._failure(result, text)]
            case "write":
                content = outline.field(call, "content", "file_text")
                made = [*self._code(content, file=outline.path_of(call)), *self._failure(result, text)]
            case "read":
                made = self._read(call, result, text)
            case "patch":
                made = [*fold(markup.patch(outline.patch_of(call)), look="diff"), *self._output(result, text)]
            case "todo":
                made = [Block("tasks", tasks=outline.tasks_of(call)), *self._failure(result, text)]
            case "agent":
                prompt = self.prose("Asked", outline.field(call, "prompt") or _json(call.input))
                made = [prompt, *([self.prose("Answered", text)] if text.strip() else [])]
            case "web":
                made = [*self._input(call), *([self.prose("Result", text)] if text.strip() else [])]
            case _:
                made = [*self._input(call), *self._output(result, text)]
        made += [self.picture(image) for image in result.images] if result else []
        return made or [Block("note", label="No result came.")]

    def result(self, result: Part) -> list[Block]:
        """A result whose call is not here."""
        return [*self._output(result, result.text), *(self.picture(image) for image in result.images)]

    def prose(self, label: str, text: str) -> Block:
        """Markdown."""
        return Block("prose", label=label, head=self.painter.prose(text[:LIMIT]))

    def said(self, text: str) -> Block:
        """What a person typed, as it was typed; a long text is folded after its beginning."""
        (block,) = fold(markup.lines_of(text.strip("\n")[:LIMIT]), shown=40) or [Block("code")]
        return Block("said", head=block.head, rest=block.rest, hidden=block.hidden)

    def thinking(self, text: str, is_open: bool) -> Block:
        """What a model thought."""
        words = outline.counted(len(text.split()), "word")
        return Block("thinking", label=words, head=self.painter.prose(text[:LIMIT]), is_open=is_open)

    def picture(self, image: Part) -> Block:
        """An image, in the page itself where it is of a safe type and was kept."""
        what = f"{image.media_type or 'image'}, {image.size:,} bytes"
        data = self.image(image) if image.media_type in IMAGES else None
        if data is None:
            why = "was not kept" if image.media_type in IMAGES else "is of a type that is not shown"
            return Block("image", label=f"{what}: {why}")
        return Block("image", label=what, source=f"data:{image.media_type};base64,{base64.b64encode(data).decode()}")

    def raw(self, value: Any) -> list[Block]:
        """Any plain value."""
        return self._code(_json(value), language="json")

    def text(self, text: str) -> list[Block]:
        """A text as it is."""
        return fold(markup.lines_of(text.strip("\n")[:LIMIT]), look="output")

    def _code(self, text: str, **what: str) -> list[Block]:
        kept = text[:LIMIT]
        return [*fold(self.painter.lines(kept, **what) if kept else []), *_left_out(text)]

    def _output(self, result: Part | None, text: str) -> list[Block]:
        if result is None:
            return [Block("note", label="No result came.")]
        look = "output error" if result.error else "output"
        lines = markup.lines_of(text.strip("\n")[:LIMIT]) if text.strip() else []
        return [*fold(lines, look=look), *_left_out(text)]

    def _failure(self, result: Part | None, text: str) -> list[Block]:
        """Of a tool whose success says nothing new, only what went wrong."""
        return self._output(result, text) if result is None or result.error else []

    def _input(self, call: Part) -> list[Block]:
        if call.input in (None, {}, ""):
            return []
        if isinstance(call.input, str):
            return self._code(call.input)
        return self._code(_json(call.input), language="json")

    def _edits(self, call: Part, result: Part | None) -> list[Block]:
        path = outline.path_of(call)
        if told := _hunks(result):
            return fold(markup.hunks(self.painter, told, path), look="diff")
        steps = call.input.get("edits") if isinstance(call.input, dict) else None
        pairs = [_pair(step) for step in steps] if isinstance(steps, list) else [_pair(call.input)]
        return [
            block
            for old, new in pairs
            for block in fold(markup.diff(self.painter, old[:LIMIT], new[:LIMIT], path), look="diff")
        ]

    def _read(self, call: Part, result: Part | None, text: str) -> list[Block]:
        """A file's content, coloured by its name; the tool's line numbers are put aside."""
        numbered = [_NUMBERED.fullmatch(line) for line in text.strip("\n")[:LIMIT].split("\n")]
        if result is None or result.error or not all(numbered):
            return self._output(result, text)
        lines = self.painter.lines("\n".join(one[2] for one in numbered if one), file=outline.path_of(call))
        if len(lines) != len(numbered):
            return self._output(result, text)
        marked = [
            Markup('<span data-n="{}">{}</span>').format(one[1], line)
            for one, line in zip(numbered, lines, strict=True)
            if one
        ]
        return [*fold(marked, look="numbered"), *_left_out(text)]


def fold(lines: Sequence[Markup], *, look: str = "", shown: int = SHOWN) -> list[Block]:
    """Lines as one block: its beginning, and the rest folded where there is much."""
    if not lines:
        return []
    # Lines that are elements stand by themselves.
    glue = NOTHING if look in ("diff", "numbered") else Markup("\n")
    few = _fitting(lines, shown)
    if few >= len(lines):
        return [Block("code", head=glue.join(lines), look=look)]
    hidden = outline.counted(len(lines) - few, "more line")
    return [Block("code", head=glue.join(lines[:few]), rest=glue.join(lines[few:]), hidden=hidden, look=look)]


def _fitting(lines: Sequence[Markup], shown: int) -> int:
    """How many lines to show at once; a fold that hides a few lines is not worth a click."""
    few = len(lines) if len(lines) <= shown + 6 else shown
    size = 0
    for number, line in enumerate(lines[:few]):
        size += len(line)
        if number and size > LONG:
            return number
    return few


def _left_out(text: str) -> list[Block]:
    more = len(text) - LIMIT
    return [Block("note", label=f"{more:,} more characters are left out here; the store has them.")] if more > 0 else []


def _hunks(result: Part | None) -> list[tuple[int, list[str]]]:
    """The difference as the tool told it, with lines around it that the call does not have."""
    told = result.details.get("structuredPatch") if result else None
    found = []
    for one in told if isinstance(told, list) else ():
        lines = one.get("lines") if isinstance(one, dict) else None
        if not isinstance(lines, list) or not all(
            isinstance(line, str) and line[:1] in ("+", "-", " ") for line in lines
        ):
            return []
        found.append((one.get("newStart", 1), [*lines]))
    return found if sum(len(line) for _, lines in found for line in lines) < LIMIT else []


def _pair(step: Any) -> tuple[str, str]:
    if not isinstance(step, dict):
        return "", ""
    old, new = step.get("old_string", step.get("old_str", "")), step.get("new_string", step.get("new_str", ""))
    return old if isinstance(old, str) else _json(old), new if isinstance(new, str) else _json(new)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
