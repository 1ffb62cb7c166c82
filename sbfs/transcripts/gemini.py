"""Gemini CLI: `tmp/<hash of the project's folder>/chats/session-<date>-<id>.json`, newer also `.jsonl`.

Written after descriptions of the format and readers of others, not after real files. The file is written
anew while the session runs, so it is read whole each time; of a message that comes again the last counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sbfs.errors import Failed
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

NAME = "gemini"

LONGEST = 64 * 1024 * 1024
"""Bytes of a session that is one JSON document: it has to be read at once."""

_TYPES = {"user": "user", "gemini": "assistant"}

_SAID = frozenset(("id", "timestamp", "type", "content", "thoughts", "tokens", "model", "toolCalls"))


def detect(_path: Path, head: bytes) -> int:
    """By the keys that every session begins with."""
    return 80 if b'"sessionId"' in head and b'"projectHash"' in head else 0


def sessions(path: Path) -> Iterator[Transcript]:
    """The session of a file."""
    session, _, trouble = _load(path)
    if session is not None or not trouble:
        yield Transcript(path, NAME, text(mapping(session).get("sessionId")) or path.stem, name=path.name)


def events(transcript: Transcript, cursor: Cursor) -> Iterator[tuple[Event, Cursor]]:
    """All messages; the cursor is where the file ends, and goes with the last of them."""
    session, messages, trouble = _load(transcript.path)
    size = transcript.path.stat().st_size
    end = Cursor(size, len(messages), {})
    if session is None:
        if trouble:
            yield Event(trouble=trouble), cursor
        return
    hashed = text(session.get("projectHash"))
    if said := text(session.get("summary")):
        yield _summary(said, text(session.get("sessionId")), hashed), end
    for message in messages:
        if isinstance(message, dict):
            yield _message(message, hashed), end
        else:
            yield Event(trouble="holds a message that is no mapping"), end


def _load(path: Path) -> tuple[Plain | None, list[Any], str]:
    """(the session, its messages, why it cannot be read). Half a document is one that is being written."""
    if path.suffix == ".jsonl":
        return _load_lines(path)
    try:
        if path.stat().st_size > LONGEST:
            return None, [], f"is longer than {LONGEST} bytes"
        raw = path.read_bytes()
    except OSError as error:
        raise Failed(f"{path}: {(error.strerror or str(error)).lower()}", hint="check the path") from error
    found, trouble = lines.parse(raw.removeprefix(b"\xef\xbb\xbf"))
    if trouble or not isinstance(found, dict):
        return None, [], trouble or "is no mapping of keys to values"
    if lines.is_deep(raw, found):
        return None, [], "is nested too deeply"
    found = lines.sound(raw, found)
    messages = found.get("messages")
    return found, messages if isinstance(messages, list) else [], ""


def _load_lines(path: Path) -> tuple[Plain | None, list[Any], str]:
    head: Plain | None = None
    messages: dict[str, Any] = {}
    for entry, trouble, _ in lines.read(path, Cursor()):
        if trouble:
            continue
        if "sessionId" in entry:
            head = {**(head or {}), **entry}
        else:
            messages[text(entry.get("id")) or own_id("message", entry)] = entry
    return head, [*messages.values()], ""


def _summary(said: str, session: str, hashed: str) -> Event:
    id = f"summary-{session}"
    return Event(id, id, "system", "notice", name="ai-title", parts=[text_part(said)], folder_hash=hashed, whole=True)


def _message(message: Plain, hashed: str) -> Event:
    type = text(message.get("type"))
    id = text(message.get("id")) or own_id("message", message)
    event = Event(own_id("entry", message), id, _TYPES.get(type, "system"), timestamp=moment(message.get("timestamp")))
    event.folder_hash, event.raw, event.whole = hashed, message, True
    event.facts = without_empty({key: value for key, value in message.items() if key not in _SAID})
    event.parts = _content(message.get("content"))
    if event.role == "assistant":
        return _answer(event, message)
    if event.role == "user":
        texts = [part["text"] for part in event.parts if part["type"] == "text"]
        event.origin = "meta" if texts and all(one.lstrip().startswith("<") for one in texts) else "prompt"
        if texts and texts[0].startswith("/"):
            event.origin = "command"
        return event
    event.name = type
    event.origin = {"error": "error", "info": "notice", "warning": "notice"}.get(type, "unknown")
    if event.origin == "unknown":
        event.parts = [raw_part(message)]
    return event


def _answer(event: Event, message: Plain) -> Event:
    event.origin, event.model = "answer", text(message.get("model"))
    event.parts = [*_thoughts(message.get("thoughts")), *event.parts, *_calls(message, event.timestamp)]
    if isinstance(used := message.get("tokens"), dict):
        cached, whole = number(used.get("cached")), number(used.get("input"))
        event.usage = tokens(
            input=max(0, whole - cached) + number(used.get("tool")),
            # Thoughts are told apart, and paid for like what is said.
            output=number(used.get("output")) + number(used.get("thoughts")),
            cache_read=cached,
        )
    return event


def _thoughts(thoughts: Any) -> list[Plain]:
    found = []
    for one in thoughts if isinstance(thoughts, list) else ():
        said = [text(mapping(one).get(key)) for key in ("subject", "description")]
        found.append({"type": "thinking", "text": "\n".join(filter(None, said))})
    return found


def _calls(message: Plain, when: str) -> list[Plain]:
    found: list[Plain] = []
    calls = message.get("toolCalls")
    for call in calls if isinstance(calls, list) else ():
        said = mapping(call)
        id, name = text(said.get("id")), text(said.get("name"))
        found.append({"type": "tool_call", "id": id, "name": name, "input": said.get("args")})
        status, result = text(said.get("status")), said.get("result")
        if result is not None or status in ("success", "error", "cancelled"):
            found.append(_result(id, name, status, result, moment(said.get("timestamp")) or when))
    return found


def _result(id: str, name: str, status: str, result: Any, when: str) -> Plain:
    part: Plain = {"type": "tool_result", "id": id, "name": name, "text": _result_text(result), "timestamp": when}
    if status in ("error", "cancelled"):
        part["error"] = True
    if status == "cancelled":
        part["interrupted"] = True
    return part


def _result_text(result: Any) -> str:
    """What a tool answered: the texts of its function responses, else all of it."""
    if isinstance(result, str):
        return result
    texts = []
    for one in result if isinstance(result, list) else [result]:
        said = mapping(mapping(one).get("functionResponse")).get("response")
        inner = mapping(said).get("output", mapping(said).get("error", said))
        found = inner if isinstance(inner, str) else text(mapping(one).get("text"))
        texts.append(found or ("" if one is None else lines.dump(one)))
    return "\n".join(texts)


def _content(content: Any) -> list[Plain]:
    if isinstance(content, str):
        return [text_part(content)] if content else []
    parts = []
    for block in content if isinstance(content, list) else ():
        inline = mapping(mapping(block).get("inlineData"))
        if isinstance(block, str):
            parts.append(text_part(block))
        elif isinstance(mapping(block).get("text"), str):
            parts.append(text_part(block["text"]))
        elif inline:
            parts.append(image_part(text(inline.get("mimeType")), inline.get("data")))
        else:
            parts.append(raw_part(block))
    return parts
