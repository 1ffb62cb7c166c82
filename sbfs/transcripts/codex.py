"""Codex CLI: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, and the same below `archived_sessions/`.

Written after the program's published source and what others recorded, without files of our own.
Entries have no ids; theirs are made from what they say. A response's entries follow each other, and what it used
comes behind. A session that another one began, or was forked from, begins with a copy of that one's history.
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

_STATE = frozenset(("turn_context", "world_state", "token_usage_record"))
"""Entries that say what is in force, or once more what was counted."""

_REPEATED = frozenset((
    "user_message", "agent_message", "agent_message_delta", "agent_reasoning", "agent_reasoning_delta",
    "agent_reasoning_raw_content", "agent_reasoning_section_break", "task_started", "turn_started",
    "thread_settings_applied", "item_started", "context_compacted", "exec_command_begin", "exec_command_end",
    "patch_apply_begin", "patch_apply_end", "mcp_tool_call_begin", "mcp_tool_call_end", "web_search_begin",
    "web_search_end", "view_image_tool_call", "image_generation_end",
))  # fmt: skip
"""What `event_msg` says again of a `response_item`, or of the screen."""

_DONE = ("task_complete", "turn_complete")

_UNSAID = frozenset(("compaction", "context_compaction", "compaction_trigger", "additional_tools"))
"""Items of a response that say nothing to be read: they are encrypted, or a list of tools."""

_FAILURES = 100
"""Calls that are known to have failed before their result comes, at most."""

_EXIT = pattern(r"(?:Process exited with code|Exit code:?) (-?\d+)")
"""How a result tells how its program ended, in the lines before what it printed."""

_PROGRAM = ("# AGENTS.md instructions",)
"""How texts begin that the program puts in a user's place, besides those in angle brackets."""

_ID = pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def detect(path: Path, head: bytes) -> int:
    """By the entries' types; the output of `codex exec --json` and compressed files are known too, and refused."""
    if path.name.endswith(".jsonl.zst"):
        return 80 if path.name.startswith("rollout-") else 0
    entries = lines.first_objects(head)
    if any(one.get("type") in _TYPES and isinstance(one.get("payload"), dict) for one in entries):
        return 90
    return 80 if _is_exec_output(entries) else 0


def _is_exec_output(entries: list[Plain]) -> bool:
    return any(one.get("type") == "thread.started" for one in entries[:3])


def sessions(path: Path) -> Iterator[Transcript]:
    """The session of a file; a sub-agent's belongs to the one that began it."""
    if path.suffix == ".zst":
        why = "is compressed: unpack it with 'zstd -d', and import the .jsonl"
        yield Transcript(path, NAME, path.name.split(".")[0], name=path.name, refused=why)
        return
    entries = lines.first_objects(lines.head(path), most=5)
    if _is_exec_output(entries):
        why = "is the output of 'codex exec --json', which leaves half of a session out: import ~/.codex/sessions"
        yield Transcript(path, NAME, path.stem, name=path.name, refused=why)
        return
    said = next((mapping(one.get("payload")) for one in entries if one.get("type") == "session_meta"), {})
    named = _ID.findall(path.stem)
    id = text(said.get("id")) or text(said.get("session_id")) or (named[-1] if named else path.stem)
    parent = text(said.get("parent_thread_id")) or text(_spawned(said).get("parent_thread_id"))
    # A sub-agent of a sub-agent names the session that both work for.
    root = text(said.get("session_id"))
    session = root if parent and root and root != id else parent or id
    yield Transcript(path, NAME, session, id if parent else "", name=path.name)


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
    while it may go on; `used`: tokens in all; `begun`: the session's own head was read; `spawned`: its history begins
    with another's, `replayed`: the second whose counts are that one's, `own`: the ordinal of the first entry of its
    own; `failed`: calls whose failure is known before their result."""

    def __init__(self, transcript: Transcript, state: dict[str, Any]):
        self.transcript, self.state = transcript, state

    def event(self, entry: Plain, behind: Cursor) -> Event:
        """What one entry says."""
        type, said = text(entry.get("type")), mapping(entry.get("payload"))
        # A copy of an entry stands at another place.
        ordinal, entry = entry.get("ordinal"), {key: value for key, value in entry.items() if key != "ordinal"}
        if type == "session_meta" and not self.state.get("begun"):
            self._begin(said)
        elif type == "session_meta" or isinstance(ordinal, int) and ordinal < self.state.get("own", 0):
            return Event(left_out=f"{type} (copied)")
        elif type in _STATE:
            if type == "turn_context":
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
        self.state["begun"] = True
        if _spawned(said) or said.get("forked_from_id") or said.get("parent_thread_id"):
            self.state["spawned"] = True
            self.state["replayed"] = moment(said.get("timestamp"))[:19]
        own = said.get("subagent_history_start_ordinal") or mapping(said.get("history_base")).get(
            "end_ordinal_exclusive"
        )
        if isinstance(own, int):
            self.state["own"] = own

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
        if type in _UNSAID:
            return Event(left_out=f"response_item/{type}")
        if type == "agent_message":
            event.role, event.origin, event.name = "user", "meta", text(said.get("author"))
            event.parts = _content(said.get("content"))
            return event
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
        part = _result(said)
        if part["id"] in self.state.get("failed", ()):
            self.state["failed"] = [id for id in self.state["failed"] if id != part["id"]]
            part["error"] = True
        event.parts = [{**part, "timestamp": event.timestamp}]
        return event

    # -- what the program tells

    def _told(self, event: Event, said: Plain, behind: Cursor) -> Event:
        type = text(said.get("type"))
        if type == "token_count":
            return self._count(event, mapping(said.get("info")), behind)
        if type in _REPEATED or type == "item_completed" and mapping(said.get("item")).get("type") != "Plan":
            self._note_failure(type, said)
            return Event(left_out=f"event_msg/{type}")
        spent = {"durationMs": said["duration_ms"]} if isinstance(said.get("duration_ms"), int) else {}
        if type in _DONE:
            self.state["open"] = False
            if not spent:
                return Event(left_out=f"event_msg/{type}")
            event.origin, event.name, event.facts = "notice", "turn_duration", spent
        elif type == "turn_aborted":
            self.state["open"] = False
            event.role, event.origin, event.facts = "user", "interruption", spent
            event.parts = [text_part(text(said.get("reason")) or type)]
        elif type == "thread_name_updated" and text(said.get("thread_name")):
            event.origin, event.name, event.parts = "notice", "custom-title", [text_part(said["thread_name"])]
        elif type == "error" and text(said.get("message")):
            event.origin, event.name, event.parts = "error", type, [text_part(said["message"])]
            event.facts = without_empty({key: value for key, value in said.items() if key not in ("type", "message")})
        else:
            event.name, event.parts = type, [raw_part(said)]
        return event

    def _note_failure(self, type: str, said: Plain) -> None:
        """Remember a call that failed, where the program says so and the result only in words."""
        result = mapping(said.get("result"))
        failed = (
            type == "exec_command_end" and said.get("exit_code") not in (None, 0)
            or type == "patch_apply_end" and said.get("success") is False
            or type == "mcp_tool_call_end" and ("Err" in result or mapping(result.get("Ok")).get("isError") is True)
        )  # fmt: skip
        if failed and (id := text(said.get("call_id"))):
            self.state["failed"] = [*self.state.get("failed", ()), id][-_FAILURES:]

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
    id = text(said.get("call_id")) or text(said.get("id"))
    if type in ("function_call", "custom_tool_call"):
        given = said.get("arguments") if type == "function_call" else said.get("input")
        return [_call(id, _tool(said), _decoded(given))]
    if type in ("local_shell_call", "web_search_call", "tool_search_call"):
        return [_call(id, type.removesuffix("_call"), said.get("action", said.get("arguments")))]
    if type == "image_generation_call":
        image = image_part("image/png", said.get("result"))
        done: Plain = {"type": "tool_result", "id": id, "text": "", "images": [image]}
        return [_call(id, "image_generation", said.get("revised_prompt")), *([done] if "data" in image else [image])]
    return None


def _tool(said: Plain) -> str:
    """A tool's name, with the server's where it is one of a server's."""
    space, name = text(said.get("namespace")), text(said.get("name"))
    return name if not space or name.startswith(space) else f"{space.rstrip('_')}__{name}"


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
    if tools := said.get("tools"):
        details["tools"] = tools
    ended = _EXIT.search(text(output).partition("\nOutput:")[0][:500])
    failed = details.get("success") is False or mapping(details.get("metadata")).get("exit_code") not in (None, 0)
    failed = failed or (ended is not None and int(ended[1]) != 0)
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
    """Of Codex's counts: what the cache gave and took is part of its input, reasoning is part of its output."""
    read, output = number(usage.get("cached_input_tokens")), number(usage.get("output_tokens"))
    created = number(usage.get("cache_write_input_tokens"))
    whole = number(usage.get("input_tokens"))
    return tokens(input=max(0, whole - read - created), output=output, cache_creation=created, cache_read=read)
