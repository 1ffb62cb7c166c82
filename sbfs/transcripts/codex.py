"""Codex CLI: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, and the same below `archived_sessions/`.

Written after descriptions of the format and readers of others, not after real files. Entries have no ids;
theirs are made from what they say. A response's entries follow each other, and what it used comes behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sbfs.fetching import pattern
from sbfs.transcripts import lines
from sbfs.transcripts.events import (
    Cursor,
    Event,
    Plain,
    Transcript,
    image_part,
    mapping,
    moment,
    number,
    own_id,
    raw_part,
    text,
    text_part,
    tokens,
    without_empty,
)

NAME = "codex"

_TYPES = frozenset(("session_meta", "turn_context", "response_item", "event_msg", "compacted"))

_REPEATED = frozenset(
    ("user_message", "agent_message", "agent_message_delta", "agent_reasoning", "agent_reasoning_delta")
) | frozenset(("agent_reasoning_raw_content", "agent_reasoning_section_break", "task_started", "task_complete"))
"""What `event_msg` says again of a `response_item`, or of the screen."""

_PROGRAM = ("# AGENTS.md instructions",)
"""How texts begin that the program puts in a user's place, besides those in angle brackets."""

_ID = pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def detect(_path: Path, head: bytes) -> int:
    """By the entries' types; the output of `codex exec --json` is recognised too, and refused."""
    entries = lines.first_objects(head)
    if any(one.get("type") in _TYPES and isinstance(one.get("payload"), dict) for one in entries):
        return 90
    return 80 if _is_exec_output(entries) else 0


def _is_exec_output(entries: list[Plain]) -> bool:
    return any(one.get("type") == "thread.started" for one in entries[:3])


def sessions(path: Path) -> Iterator[Transcript]:
    """The session of a file; a sub-agent's belongs to the one that began it."""
    entries = lines.first_objects(lines.head(path), most=5)
    if _is_exec_output(entries):
        why = "is the output of 'codex exec --json', which leaves half of a session out: import ~/.codex/sessions"
        yield Transcript(path, NAME, path.stem, name=path.name, refused=why)
        return
    said = next((mapping(one.get("payload")) for one in entries if one.get("type") == "session_meta"), {})
    named = _ID.findall(path.stem)
    id = text(said.get("id")) or (named[-1] if named else path.stem)
    parent = text(_spawned(said).get("parent_thread_id"))
    yield Transcript(path, NAME, parent or id, id if parent else "", name=path.name)


def _spawned(said: Plain) -> Plain:
    """What a session that another one began says of that."""
    return mapping(mapping(mapping(said.get("source")).get("subagent")).get("thread_spawn"))


def events(transcript: Transcript, cursor: Cursor) -> Iterator[tuple[Event, Cursor]]:
    """The entries behind the cursor. Remembered: place and model, the response under way, what was used so far."""
    reader = _Reader(transcript, dict(cursor.state))
    for entry, trouble, behind in lines.read(transcript.path, cursor):
        event = Event(trouble=trouble) if trouble else reader.event(entry, behind)
        yield event, Cursor(behind.offset, behind.line, dict(reader.state))


class _Reader:
    """Reads entries. state: `model`, `folder`, `branch`, `version`; `answer`: id of the response under way, `open`
    while it may go on; `used`: tokens in all; `spawned`; `replayed`: the second whose counts are the parent's."""

    def __init__(self, transcript: Transcript, state: dict[str, Any]):
        self.transcript, self.state = transcript, state

    def event(self, entry: Plain, behind: Cursor) -> Event:
        """What one entry says."""
        type, said = text(entry.get("type")), mapping(entry.get("payload"))
        if type == "session_meta":
            self._begin(said)
        elif type == "turn_context":
            self._place(folder=said.get("cwd"), model=said.get("model"))
            return Event(left_out=type)
        event = self._placed(entry)
        if type == "session_meta":
            return _noted(event, type, said, text(mapping(said.get("base_instructions")).get("text")))
        if type == "response_item":
            return self._item(event, said)
        if type == "event_msg":
            return self._told(event, said, behind)
        if type == "compacted":
            event.role, event.origin = "user", "compaction"
            event.parts = [text_part(text(said.get("message")))]
            self.state["open"] = False
            return event
        event.name, event.parts = type, [raw_part(entry)]
        return event

    def _begin(self, said: Plain) -> None:
        git = mapping(said.get("git"))
        self._place(folder=said.get("cwd"), branch=git.get("branch"), version=said.get("cli_version"))
        if _spawned(said):
            self.state["spawned"] = True
            self.state["replayed"] = moment(said.get("timestamp"))[:19]

    def _place(self, **said: Any) -> None:
        self.state |= {name: value for name, value in said.items() if isinstance(value, str) and value}

    def _placed(self, entry: Plain) -> Event:
        id = own_id("entry", entry)
        return Event(
            id=id,
            turn=id,
            timestamp=moment(entry.get("timestamp")),
            folder=self.state.get("folder", ""),
            branch=self.state.get("branch", ""),
            version=self.state.get("version", ""),
            raw=entry,
        )

    # -- what is said

    def _item(self, event: Event, said: Plain) -> Event:
        type = text(said.get("type"))
        if type == "message" and said.get("role") != "assistant":
            return self._message(event, said)
        if type.endswith("_output"):
            return self._result(event, said)
        part = _part_of_answer(type, said)
        if part is None:
            event.name, event.parts = type, [raw_part(said)]
            return event
        event.parts = part
        return self._answer(event)

    def _message(self, event: Event, said: Plain) -> Event:
        self.state["open"] = False
        event.role = "user" if said.get("role") == "user" else "system"
        event.parts = _content(said.get("content"))
        texts = [part["text"] for part in event.parts if part["type"] == "text"]
        typed = [one for one in texts if not one.lstrip().startswith(("<", *_PROGRAM))]
        pasted = any(part["type"] == "image" for part in event.parts) and not texts
        event.origin = "prompt" if event.role == "user" and (typed or pasted) else "meta"
        if event.origin == "prompt" and self.transcript.agent:
            event.origin = "task"
        return event

    def _answer(self, event: Event) -> Event:
        if not self.state.get("open"):
            self.state |= {"answer": own_id("answer", event.raw), "open": True}
        event.role, event.origin = "assistant", "answer"
        event.turn, event.model = self.state["answer"], self.state.get("model", "")
        return event

    def _result(self, event: Event, said: Plain) -> Event:
        self.state["open"] = False
        event.role, event.origin = "user", "result"
        event.parts = [{**_result(said), "timestamp": event.timestamp}]
        return event

    # -- what the program tells

    def _told(self, event: Event, said: Plain, behind: Cursor) -> Event:
        type = text(said.get("type"))
        if type == "token_count":
            return self._count(event, mapping(said.get("info")), behind)
        if type in _REPEATED:
            return Event(left_out=f"event_msg/{type}")
        if type == "turn_aborted":
            self.state["open"] = False
            event.role, event.origin = "user", "interruption"
            event.parts = [text_part(text(said.get("reason")) or type)]
            return event
        event.name, event.parts = type, [raw_part(said)]
        event.origin = "error" if type == "error" else "unknown"
        return event

    def _count(self, event: Event, info: Plain, behind: Cursor) -> Event:
        """What a response used, once it is there."""
        before, total = self.state.get("used", {}), mapping(info.get("total_token_usage"))
        last = mapping(info.get("last_token_usage"))
        if not last and total:
            last = {name: number(count) - number(before.get(name)) for name, count in total.items()}
        used = _tokens(last)
        if total:
            self.state["used"] = total
        if not any(used.values()) or (total and total == before):
            return Event(left_out="event_msg/token_count")
        if self.state.get("spawned") and self._is_replayed(event.timestamp[:19], behind):
            return Event(left_out="event_msg/token_count (of the parent)")
        event.request, event.usage = event.id, used
        self.state.setdefault("answer", own_id("answer", event.raw))
        event.role, event.origin, event.turn = "assistant", "answer", self.state["answer"]
        event.model = self.state.get("model", "")
        self.state["open"] = False
        return event

    def _is_replayed(self, second: str, behind: Cursor) -> bool:
        """Whether a count was copied from the parent: those stand at the beginning, all of one second."""
        if "copied" not in self.state:
            following = _next_count(self.transcript.path, behind)
            self.state["copied"] = second if second in (following, self.state["replayed"]) else ""
        return bool(second == self.state["copied"])


def _next_count(path: Path, cursor: Cursor) -> str:
    """The second of the next count behind a cursor, "" where none is there yet."""
    for entry, trouble, _ in lines.read(path, cursor):
        if not trouble and mapping(entry.get("payload")).get("type") == "token_count":
            return moment(entry.get("timestamp"))[:19]
    return ""


def _noted(event: Event, type: str, said: Plain, instructions: str) -> Event:
    """The head of a session, without what every entry repeats."""
    event.origin, event.name = "notice", type
    instructions = instructions or text(said.get("instructions"))
    left = ("id", "timestamp", "cwd", "cli_version", "instructions", "base_instructions")
    event.facts = without_empty({key: value for key, value in said.items() if key not in left})
    event.parts = [text_part(instructions)] if instructions else []
    return event


def _part_of_answer(type: str, said: Plain) -> list[Plain] | None:
    if type == "message":
        return _content(said.get("content"))
    if type == "reasoning":
        texts = [text(mapping(one).get("text")) for key in ("summary", "content") for one in said.get(key) or ()]
        return [{"type": "thinking", "text": one} for one in texts] or [{"type": "thinking", "text": ""}]
    if type in ("function_call", "custom_tool_call"):
        given = said.get("arguments") if type == "function_call" else said.get("input")
        return [_call(said.get("call_id"), text(said.get("name")), _decoded(given))]
    if type in ("local_shell_call", "web_search_call", "tool_search_call"):
        id = text(said.get("call_id")) or text(said.get("id"))
        return [_call(id, type.removesuffix("_call"), said.get("action"))]
    return None


def _call(id: Any, name: str, given: Any) -> Plain:
    return {"type": "tool_call", "id": text(id), "name": name, "input": given}


def _decoded(value: Any) -> Any:
    """JSON within JSON, as it is meant; a text that is none stays."""
    if not isinstance(value, str):
        return value
    found, trouble = lines.parse(value.encode("utf-8", "replace"))
    return value if trouble or not isinstance(found, dict | list) else found


def _result(said: Plain) -> Plain:
    output, details = said.get("output"), {}
    found = _decoded(output)
    if isinstance(found, dict):
        output = next((found[key] for key in ("output", "content") if isinstance(found.get(key), str)), None)
        details = {key: value for key, value in found.items() if value is not output}
        output = json.dumps(found, ensure_ascii=False) if output is None else output
    elif isinstance(output, list):
        parts = _content(output)
        output = "\n".join(part["text"] for part in parts if part["type"] == "text")
        details = without_empty({"content": [part["entry"] for part in parts if part["type"] == "raw"]})
    failed = details.get("success") is False or mapping(details.get("metadata")).get("exit_code") not in (None, 0)
    part: Plain = {"type": "tool_result", "id": text(said.get("call_id")), "text": text(output)}
    return {**part, **({"error": True} if failed else {}), **({"details": details} if details else {})}


def _content(content: Any) -> list[Plain]:
    if isinstance(content, str):
        return [text_part(content)]
    return [_part(block) for block in content] if isinstance(content, list) else []


def _part(block: Any) -> Plain:
    said = mapping(block)
    if said.get("type") in ("input_text", "output_text", "text") and isinstance(said.get("text"), str):
        return text_part(said["text"])
    if said.get("type") == "input_image" and text(said.get("image_url")).startswith("data:"):
        head, _, data = said["image_url"].partition(",")
        return image_part(head.removeprefix("data:").split(";")[0], data)
    return raw_part(block)


def _tokens(usage: Plain) -> Plain:
    """Of Codex's counts: what came from the cache is part of its input, reasoning is part of its output."""
    cached = number(usage.get("cached_input_tokens"))
    whole = number(usage.get("input_tokens"))
    return tokens(input=max(0, whole - cached), output=number(usage.get("output_tokens")), cache_read=cached)
