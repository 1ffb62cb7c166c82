"""A conversation as one JSON document: everything that is kept of it, for programs.

`{"format": "sbfs-conversation", "version": 1, "conversation": {…}, "turns": […], "subagents": {id: […]},
"images": {sha256: {"media_type", "data"}}}`. `conversation` is as in `conversation.yaml`, a turn as a line
of the turn files (docs/format.md says what their keys mean); `data` is in base64, and an image that was
too large to be kept is not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from sbfs.conversations.outline import Lines
from sbfs.conversations.value import MAIN, Conversation, Part, Turn, dump

FORMAT, VERSION = "sbfs-conversation", 1

Image = Callable[[Part], bytes | None]
"""An image part → its bytes, None where they are not kept."""


def render(conversation: Conversation, lines: Lines, image: Image, *, thinking: str = "fold") -> str:
    """The document as text. thinking: `leave` takes it out."""
    import json

    kept = without_thinking(lines) if thinking == "leave" else lines
    text = json.dumps(document(conversation, kept, image), ensure_ascii=False, indent=2, default=str) + "\n"
    # Half a surrogate pair is no text that a file can hold.
    return text.encode("utf-8", "replace").decode()


def document(conversation: Conversation, lines: Lines, image: Image) -> dict[str, Any]:
    """The document as plain values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "conversation": dump(conversation),
        "turns": [dump_turn(turn) for turn in lines.get(MAIN, ())],
        "subagents": {
            name.removeprefix("agent-"): [dump_turn(turn) for turn in turns]
            for name, turns in sorted(lines.items())
            if name != MAIN
        },
        "images": dict(_images(lines, image)),
    }


def without_thinking(lines: Lines) -> Lines:
    """The same turns, without what the models thought."""
    return {
        name: [replace(turn, parts=tuple(part for part in turn.parts if part.type != "thinking")) for turn in turns]
        for name, turns in lines.items()
    }


def images(turns: Iterable[Turn]) -> Iterator[Part]:
    """The images of turns, those of results too."""
    for turn in turns:
        for part in turn.parts:
            yield from ((part,) if part.type == "image" else part.images)


def _images(lines: Lines, image: Image) -> Iterator[tuple[str, dict[str, str]]]:
    import base64

    for name in sorted(lines):
        for part in images(lines[name]):
            if (data := image(part)) is not None:
                yield part.sha256, {"media_type": part.media_type, "data": base64.b64encode(data).decode()}


def dump_turn(turn: Turn) -> dict[str, Any]:
    """A turn as a line of a turn file holds it; what is empty is left out."""
    facts = {name: value for name, value in vars(turn).items() if name not in ("parts", "tokens", "extra")}
    tokens = {name: count for name, count in vars(turn.tokens).items() if count} if turn.tokens else None
    return {
        **{name: value for name, value in facts.items() if value or name in ("id", "role", "origin")},
        **({"content": [dump_part(part) for part in turn.parts]} if turn.parts else {}),
        **({"tokens": tokens} if tokens is not None else {}),
        **turn.extra,
    }


def dump_part(part: Part) -> dict[str, Any]:
    """A part as a turn file holds it."""
    data = {name: value for name, value in vars(part).items() if name == "type" or _says(name, value, part)}
    if part.images:
        data["images"] = [dump_part(one) for one in part.images]
    return data


def _says(name: str, value: Any, part: Part) -> bool:
    if name in ("input", "entry"):
        return value is not None
    if name == "text":
        return bool(value) or part.type in ("text", "thinking", "tool_result")
    return bool(value)
