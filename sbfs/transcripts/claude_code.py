"""Claude Code: `projects/<folder>/<session>.jsonl`, and its sub-agents' files below `<session>/subagents/`.

Written after the files of versions 2.1.38 and 2.1.39. What an entry's type means, and which entries a
person typed, is in docs/conversations.md; unknown types are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sbfs.transcripts import lines
from sbfs.transcripts.events import (
    Cursor,
    Event,
    Plain,
    Transcript,
    image_part,
    is_uuid,
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

NAME = "claude-code"

SYNTHETIC = "<synthetic>"
"""The "model" of an error text that the program itself wrote."""

_TYPES = frozenset(("user", "assistant", "system", "progress", "summary", "file-history-snapshot", "queue-operation"))

_SAID_ELSEWHERE = frozenset(
    (
        *("type", "uuid", "parentUuid", "logicalParentUuid", "timestamp", "sessionId", "cwd", "version", "gitBranch"),
        *("isSidechain", "userType", "slug", "agentId", "message", "toolUseResult", "isMeta", "isCompactSummary"),
        *("sourceToolAssistantUUID", "sourceToolUseID", "requestId", "subtype", "content", "thinkingMetadata", "level"),
    )
)
"""Keys of an entry that are kept under a name of their own, or that only order entries among themselves."""

_MESSAGE_KEYS = frozenset(("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"))

_TITLES = ("custom-title", "ai-title", "summary")

_INTERRUPTION = "[Request interrupted by user"
_REFUSAL = "The user doesn't want to proceed with this tool use"

_COMMANDS = ("<command-", "<local-command-", "<bash-")


def detect(path: Path, head: bytes) -> int:
    """By the envelope of the first entries."""
    if path.suffix != ".jsonl":
        return 0
    entries = lines.first_objects(head)
    ours = [
        one for one in entries if one.get("type") in _TYPES and (one.keys() & {"sessionId", "messageId", "leafUuid"})
    ]
    return 90 if ours else 0


def sessions(path: Path) -> Iterator[Transcript]:
    """The session that a file holds, or the sub-agent of one."""
    stem, folder = path.stem, path.parent
    if folder.name == "subagents":
        yield _part(path, folder.parent.name)
    elif stem.startswith("agent-"):
        yield _part(path, _session_inside(path) or folder.name)
    elif is_uuid(folder.name) and not is_uuid(stem):
        yield _part(path, folder.name)
    else:
        yield Transcript(path, NAME, stem if is_uuid(stem) else _session_inside(path) or stem, name=path.name)


def _part(path: Path, session: str) -> Transcript:
    agent = path.stem.removeprefix("agent-")
    return Transcript(path, NAME, session, agent, agent.startswith("acompact-"), f"subagents/{path.name}")


def _session_inside(path: Path) -> str:
    entries = lines.first_objects(lines.head(path))
    return next((one["sessionId"] for one in entries if text(one.get("sessionId"))), "")


def events(transcript: Transcript, cursor: Cursor) -> Iterator[tuple[Event, Cursor]]:
    """The entries behind the cursor; nothing has to be remembered between them."""
    for entry, trouble, behind in lines.read(transcript.path, cursor):
        yield Event(trouble=trouble) if trouble else _event(entry, side=bool(transcript.agent)), behind


def _event(entry: Plain, *, side: bool) -> Event:
    type = text(entry.get("type"))
    if type == "progress":
        kind = text(mapping(entry.get("data")).get("type"))
        return Event(left_out=f"progress/{kind}" if kind else type)
    if type == "file-history-snapshot":
        return Event(left_out=type)
    if type == "queue-operation":
        return _queued(entry)
    message = entry.get("message")
    if type in ("user", "assistant") and isinstance(message, dict):
        event = _enveloped(entry)
        return _answer(event, entry, message) if type == "assistant" else _said(event, entry, message, side)
    if type == "system":
        return _noted(_enveloped(entry), entry)
    if type in _TITLES:
        return _titled(_enveloped(entry), entry, type)
    event = _enveloped(entry)
    event.parts = [raw_part(entry)]
    event.name = type
    return event


def _enveloped(entry: Plain) -> Event:
    """What all entries say of themselves."""
    id = text(entry.get("uuid")) or own_id("entry", entry)
    return Event(
        id=id,
        turn=id,
        timestamp=moment(entry.get("timestamp")),
        sidechain=entry.get("isSidechain") is True,
        folder=text(entry.get("cwd")),
        branch=text(entry.get("gitBranch")),
        version=text(entry.get("version")),
        raw=entry,
    )


def _rest(entry: Plain) -> Plain:
    return without_empty({key: value for key, value in entry.items() if key not in _SAID_ELSEWHERE})


# -- what models say -------------------------------------------------------------------------------


def _answer(event: Event, entry: Plain, message: Plain) -> Event:
    event.role, event.origin = "assistant", "answer"
    event.turn = text(message.get("id")) or event.id
    event.request = text(entry.get("requestId"))
    event.model = text(message.get("model"))
    if event.model == SYNTHETIC or entry.get("isApiErrorMessage"):
        event.origin = "error"
    usage = mapping(message.get("usage"))
    event.usage = _tokens(usage)
    event.speed = text(usage.get("speed"))
    event.parts = [_part_of(block) for block in _blocks(message.get("content"))]
    others = {key: value for key, value in message.items() if key not in _MESSAGE_KEYS}
    used = {key: value for key, value in mapping(usage.get("server_tool_use")).items() if value}
    event.facts = {**_rest(entry), **without_empty(others), **({"server_tool_use": used} if used else {})}
    return event


def _tokens(usage: Plain) -> Plain:
    created = mapping(usage.get("cache_creation"))
    hour = number(created.get("ephemeral_1h_input_tokens"))
    short = number(created.get("ephemeral_5m_input_tokens"))
    return tokens(
        input=number(usage.get("input_tokens")),
        output=number(usage.get("output_tokens")),
        cache_creation=hour + short if created else number(usage.get("cache_creation_input_tokens")),
        cache_read=number(usage.get("cache_read_input_tokens")),
        hour=hour,
    )


def _blocks(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else []


def _part_of(block: Any) -> Plain:
    type = text(mapping(block).get("type"))
    if type == "text" and isinstance(block.get("text"), str):
        return text_part(block["text"])
    if type == "thinking":
        # The signature proves to the vendor where the thought came from; it says nothing to anyone else.
        return {"type": "thinking", "text": text(block.get("thinking"))}
    if type == "redacted_thinking":
        return {"type": "thinking", "text": ""}
    if type in ("tool_use", "server_tool_use", "mcp_tool_use"):
        call = {"type": "tool_call", "id": text(block.get("id")), "name": text(block.get("name"))}
        return {**call, "input": block.get("input")}
    if type in ("image", "document"):
        return _image(block)
    if type.endswith("tool_result"):
        return _result(block, None)
    return raw_part(block)


def _image(block: Plain) -> Plain:
    source = mapping(block.get("source"))
    if source.get("type") == "base64" and isinstance(source.get("data"), str):
        return image_part(text(source.get("media_type")), source["data"])
    return raw_part(block)


# -- what people and tools say ---------------------------------------------------------------------


def _said(event: Event, entry: Plain, message: Plain, side: bool) -> Event:
    event.role = "user"
    blocks = _blocks(message.get("content"))
    results = sum(mapping(block).get("type") == "tool_result" for block in blocks)
    # What the entry says of its result once more can only be told of one.
    structured = entry.get("toolUseResult") if results == 1 else None
    for block in blocks:
        is_result = mapping(block).get("type") == "tool_result"
        part = _result(block, structured) if is_result else _part_of(block)
        if is_result:
            part["timestamp"] = event.timestamp
        event.parts.append(part)
    event.origin = _origin(event, entry, side or event.sidechain)
    event.facts = _rest(entry)
    return event


def _origin(event: Event, entry: Plain, side: bool) -> str:
    texts = [part["text"] for part in event.parts if part["type"] == "text" and part["text"].strip()]
    if not texts and any(part["type"] == "tool_result" for part in event.parts):
        return "result"
    if entry.get("isCompactSummary"):
        return "compaction"
    if entry.get("isMeta"):
        return "meta"
    kinds = [kind_of_text(one) for one in texts]
    if "interruption" in kinds:
        return "interruption"
    if side:
        return "task"
    if "prompt" in kinds or (not texts and any(part["type"] == "image" for part in event.parts)):
        return "prompt"
    return kinds[0] if kinds else "meta"


def kind_of_text(said: str) -> str:
    """What a text in a user's place is: only some of them are typed by a person."""
    said = said.lstrip()
    if said.startswith(_INTERRUPTION):
        return "interruption"
    if said.startswith(_COMMANDS):
        return "command"
    if said.startswith("<task-notification"):
        return "notification"
    return "meta" if said.startswith("<") else "prompt"


def _result(block: Plain, structured: Any) -> Plain:
    said, images, others = _result_content(block.get("content"))
    part: Plain = {"type": "tool_result", "id": text(block.get("tool_use_id")), "text": said}
    if block.get("is_error") is True:
        part["error"] = True
    if said.startswith((_REFUSAL, _INTERRUPTION)) or mapping(structured).get("interrupted") is True:
        part["interrupted"] = True
    if agent := text(mapping(structured).get("agentId")):
        part["agent"] = agent
    if images:
        part["images"] = images
    details = _details(structured, said)
    if others:
        details["content"] = others
    return {**part, **({"details": details} if details else {})}


def _result_content(content: Any) -> tuple[str, list[Plain], list[Any]]:
    """(text, images, what is neither) of a result."""
    parts = [_part_of(block) for block in _blocks(content)]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    others = [part["entry"] for part in parts if part["type"] == "raw"]
    return "\n".join(texts), [part for part in parts if part["type"] == "image"], others


_SAID_IN_CALL = frozenset(("oldString", "newString", "originalFile", "prompt", "agentId"))
"""Of what a result says in structured form: repeated from the call, and whole files as they were before it."""


def _details(structured: Any, said: str) -> Plain:
    """What a result says in structured form and not in its text, or in the call's input."""
    if isinstance(structured, str):
        bare = structured.removeprefix("Error: ").strip()
        return {} if bare in said else {"text": structured}
    if not isinstance(structured, dict):
        return {"value": structured} if isinstance(structured, list) and structured else {}
    found = {}
    for key, value in structured.items():
        written = key == "content" and structured.get("type") in ("create", "update")
        if key in _SAID_IN_CALL or written or _is_said(value, said):
            continue
        if key == "file" and isinstance(value, dict):
            value = {name: one for name, one in value.items() if name not in ("content", "base64")}
        found[key] = value
    return without_empty(found)


def _is_said(value: Any, said: str) -> bool:
    """Whether a text, or every text of a list, stands in the result's text."""
    if isinstance(value, str):
        return value.strip() in said
    if isinstance(value, list) and value:
        return all(
            text(one if isinstance(one, str) else mapping(one).get("text")).strip() in said for one in value
        ) and all(isinstance(one, str) or mapping(one).keys() <= {"type", "text"} for one in value)
    return False


# -- what the program says -------------------------------------------------------------------------


def _queued(entry: Plain) -> Event:
    """What was typed while the agent worked; that it left the queue again says nothing."""
    said = entry.get("content")
    operation = text(entry.get("operation"))
    if operation != "enqueue" or not said:
        return Event(left_out=f"queue-operation/{operation}" if operation else "queue-operation")
    event = _enveloped(entry)
    event.id = event.turn = own_id("queued", entry)
    event.role = "user"
    event.facts = {"queued": True}
    event.parts = [_part_of(block) for block in _blocks(said)]
    texts = [part["text"] for part in event.parts if part["type"] == "text"]
    kind = kind_of_text(texts[0]) if texts else "prompt"
    if kind == "prompt":
        kind = "command" if texts and _is_slash_command(texts[0]) else "queued"
    event.origin = kind
    return event


def _is_slash_command(said: str) -> bool:
    word = said.split(maxsplit=1)[0] if said.strip() else ""
    return word.startswith("/") and len(word) > 1 and "/" not in word[1:]


def _noted(event: Event, entry: Plain) -> Event:
    event.name = text(entry.get("subtype"))
    event.origin = {"compact_boundary": "compaction", "local_command": "command", "api_error": "error"}.get(
        event.name, "notice"
    )
    event.parts = [_part_of(block) for block in _blocks(entry.get("content"))]
    event.facts = _rest(entry)
    return event


def _titled(event: Event, entry: Plain, type: str) -> Event:
    event.origin, event.name = "notice", type
    said = next((entry[key] for key in ("customTitle", "aiTitle", "title", "summary") if text(entry.get(key))), "")
    event.parts = [text_part(said)] if said else [raw_part(entry)]
    others = {key: value for key, value in _rest(entry).items() if value != said}
    event.facts = others
    return event
