"""Conversations made by hand, for what is made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sbfs import times
from sbfs.conversations.outline import Lines
from sbfs.conversations.value import (
    Commit,
    Conversation,
    Facts,
    ModelCount,
    Part,
    SubAgent,
    Tokens,
    ToolCount,
    Turn,
)

START = "2026-02-11T20:36:45.618Z"

ATTACKS = (
    "<script>window.taken = 1</script>",
    "</script><script>window.taken = 1</script>",
    "</title></style></textarea><img src=x onerror='window.taken = 1'>",
    '" onmouseover="window.taken = 1" x=\'',
    "' autofocus onfocus=window.taken=1 x=\"",
    "</details></article></main><h1 onclick=alert(1)>out</h1>",
    "<!-- <svg/onload=window.taken=1>",
    "]]><![CDATA[ <iframe srcdoc='<script>parent.taken=1</script>'>",
    "[click](javascript:window.taken=1) ![x](https://tracker.invalid/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zy8+) <javascript:window.taken=1>",
    "[a]: javascript:window.taken=1\n\n[a] and <https://tracker.invalid/x?<b>>",
    "{{ 7 * 7 }} {% raw %} {# no #} ${7*7}",
    "&lt;b&gt; &amp; &#60;script&#62;",
    "`` ` ``` ~~~ \n```html\n<script>window.taken = 1</script>\n",
    "\x1b[31mred\x1b[0m \x1b]8;;http://tracker.invalid\x07link\x00\x08\x7f",
    "\u202egnp.exe \u2066 \ud800 \ufffe 𝔘𝔫𝔦 שלום 👩‍👩‍👧 é",
)
"""What a page must show and not do."""


def told(text: str, **given: Any) -> Part:
    """A text part."""
    return Part("text", text, **given)


def prompt(text: str, seq: int = 1, **given: Any) -> Turn:
    """What a person typed."""
    return Turn(f"prompt-{seq}", "user", given.pop("origin", "prompt"), seq, START, parts=(told(text),), **given)


def answer(*parts: Part, seq: int = 2, **given: Any) -> Turn:
    """What a model answered."""
    facts = {"model": "claude-opus-4-6", "tokens": Tokens(3, 7), **given}
    return Turn(f"answer-{seq}", "assistant", "answer", seq, START, parts=parts, **facts)


def call(name: str, result: str | None = "", id: str = "", **input: Any) -> tuple[Part, ...]:
    """A tool call, with its result."""
    id = id or f"call-{name}"
    made = Part("tool_call", id=id, name=name, input=input)
    return (made, Part("tool_result", result, id=id, name=name)) if result is not None else (made,)


def talk(*turns: Turn, agents: Lines | None = None, **given: Any) -> tuple[Conversation, Lines]:
    """A conversation and its lines. The turns are numbered as they come."""
    main = [replace(turn, seq=seq) for seq, turn in enumerate(turns, 1)]
    facts = {
        "title": "Add the export",
        "started": times.load(START),
        "ended": times.load("2026-02-11T21:46:25.932Z"),
        "models": ("claude-opus-4-6",),
        "branches": ("main",),
        "folders": ("/home/pat/api",),
        **given,
    }
    return Conversation("258c7280", "claude-code", **facts), {"messages": main, **(agents or {})}


def hostile(attack: str) -> tuple[Conversation, Lines]:
    """A conversation with one text in all places that hold text."""
    tools = ("Bash", "Edit", "Write", "Read", "Grep", "TodoWrite", "Task", "WebFetch", "apply_patch", attack)
    fields = (
        *("command", "description", "file_path", "old_string", "new_string", "content", "pattern", "path", "glob"),
        *("prompt", "url", "input", attack),
    )
    todo = {"todos": [{"content": attack, "status": attack}], "edits": None}
    image = Part("image", media_type=attack, sha256=attack, path=attack, size=3)
    calls: list[Part] = []
    for at, name in enumerate(tools):
        made, result = call(name, attack, f"c{at}{attack}", **dict.fromkeys(fields, attack), **todo)
        calls += [made, replace(result, error=at % 2 == 0, agent="side" if name == "Task" else "", images=(image,))]
    turns = [
        prompt(attack, name=attack),
        answer(told(attack), Part("thinking", attack), *calls, image, model=attack, name=attack),
        *(
            Turn(
                f"{origin}{attack}",
                role,
                origin,
                0,
                START,
                attack,
                parts=(told(attack), Part("raw", entry={attack: attack})),
            )
            for role, origin in (
                *(("user", "queued"), ("user", "command"), ("user", "interruption"), ("user", "notification")),
                *(("user", "compaction"), ("user", "meta"), ("assistant", "error"), ("system", "notice")),
                *(("system", "unknown"), ("user", "result"), ("user", "delivery")),
            )
        ),
    ]
    side = [prompt(attack, origin="task"), answer(told(attack), *call("Bash", attack, command=attack))]
    return talk(
        *turns,
        agents={"agent-side": side, f"agent-{attack}": side},
        title=attack,
        models=(attack,),
        branches=(attack,),
        folders=(attack,),
        versions=(attack,),
        facts=Facts(1, 2, 3, models={attack: ModelCount(1, Tokens(1, 2))}, tools={attack: ToolCount(1, 1, 1)}),
        subagents=(SubAgent("side", kind=attack, description=attack), SubAgent(attack, description=attack)),
        commits=(Commit(attack, attack, attack, "answer-2"),),
        continues=(attack,),
        redacted={attack: 1},
    )


def nothing(_: Part) -> None:
    """No image is kept."""
