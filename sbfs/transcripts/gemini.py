"""Gemini CLI: `tmp/<project>/chats/session-<date>-<id>.json`, newer `.jsonl`, sub-agents in a folder below `chats`.

Written after the program's published source and what others recorded, without files of our own. The file is written
anew while the session runs, or messages come again, so it is read whole each time: of a message the last version
counts. What was taken back by a rewind was said, and stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
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

_HEAD = frozenset(("sessionId", "projectHash", "startTime", "lastUpdated", "summary", "kind"))


def detect(_path: Path, head: bytes) -> int:
    """By the keys that every session begins with."""
    return 80 if b'"sessionId"' in head and b'"projectHash"' in head else 0


def sessions(path: Path) -> Iterator[Transcript]:
    """The session of a file; a sub-agent's belongs to the one whose id its folder has."""
    found = _load(path)
    if found.head is None and found.troubles:
        return
    id = text(mapping(found.head).get("sessionId")) or path.stem
    parent = path.parent.name if mapping(found.head).get("kind") == "subagent" else ""
    if parent in ("", "chats"):
        yield Transcript(path, NAME, id, name=path.name)
    else:
        yield Transcript(path, NAME, parent, id, name=f"{parent}/{path.name}")


def events(transcript: Transcript, cursor: Cursor) -> Iterator[tuple[Event, Cursor]]:
    """All messages; the cursor is where the file ends, and goes with the last of them."""
    found = _load(transcript.path)
    size = transcript.path.stat().st_size
    end = Cursor(size, len(found.messages), {})
    if found.head is None:
        for line, trouble in found.troubles:
            yield Event(trouble=trouble), Cursor(cursor.offset, line, cursor.state)
        return
    for line, trouble in found.troubles:
        yield Event(trouble=trouble), Cursor(size, line, {})
    place = _Place(_root(transcript.path), text(found.head.get("projectHash")))
    for event in (*_told(found.head), *_said(found.messages, transcript)):
        event.folder, event.folder_hash = place.folder, "" if place.folder else place.hashed
        yield event, end


@dataclass(frozen=True)
class _Found:
    """What a file holds. head: what is said of the session, None where the file is none. messages: in order, and
    rewinds among them. troubles: (line, why) of what cannot be read."""

    head: Plain | None
    messages: list[Any]
    troubles: list[tuple[int, str]]


@dataclass(frozen=True)
class _Place:
    """Where a session was held: the folder, or a hash of it."""

    folder: str
    hashed: str


def _root(path: Path) -> str:
    """The project's folder, which newer versions write down beside `chats`."""
    for above in path.parents[1:3]:
        with suppress(OSError, UnicodeDecodeError):
            return (above / ".project_root").read_text(encoding="utf-8").strip()
    return ""


def _load(path: Path) -> _Found:
    """Half a document is one that is being written."""
    if path.suffix == ".jsonl":
        return _load_lines(path)
    try:
        if path.stat().st_size > LONGEST:
            return _Found(None, [], [(1, f"is longer than {LONGEST} bytes")])
        raw = path.read_bytes()
    except OSError as error:
        raise Failed(f"{path}: {(error.strerror or str(error)).lower()}", hint="check the path") from error
    found, trouble = lines.parse(raw.removeprefix(b"\xef\xbb\xbf"))
    if trouble or not isinstance(found, dict):
        return _Found(None, [], [(1, trouble or "is no mapping of keys to values")])
    if lines.is_deep(raw, found):
        return _Found(None, [], [(1, "is nested too deeply")])
    found = lines.sound(raw, found)
    messages = found.pop("messages", None)
    return _Found(found, messages if isinstance(messages, list) else [], [])


def _load_lines(path: Path) -> _Found:
    """A head, messages, changes of the head (`$set`), and where the person went back to (`$rewindTo`)."""
    head: Plain | None = None
    messages: dict[str, Any] = {}
    troubles: list[tuple[int, str]] = []
    for entry, trouble, behind in lines.read(path, Cursor()):
        if trouble:
            troubles.append((behind.line, trouble))
        elif isinstance(changed := entry.get("$set"), dict):
            head = {**(head or {}), **changed}
            # A history that was shortened for the model: only what is new in it was not said before.
            for one in head.pop("messages", None) or ():
                messages.setdefault(_id(mapping(one)), one)
        elif "$rewindTo" not in entry and "sessionId" in entry:
            head = {**(head or {}), **entry}
        else:
            messages[_id(entry)] = entry
    return _Found(head, [*messages.values()], troubles)


def _id(message: Plain) -> str:
    return text(message.get("id")) or own_id("message", message)


def _told(head: Plain) -> Iterator[Event]:
    """What is said of the session as a whole."""
    session = text(head.get("sessionId"))
    if said := text(head.get("summary")):
        yield _summary(said, session)
    if facts := without_empty({key: value for key, value in head.items() if key not in _HEAD}):
        id = f"session-{session}"
        yield Event(id, id, "system", "notice", name="session", facts=facts, whole=True)


def _said(messages: list[Any], transcript: Transcript) -> Iterator[Event]:
    for message in messages:
        if not isinstance(message, dict):
            yield Event(trouble="holds a message that is no mapping")
        elif "$rewindTo" in message:
            id = own_id("rewind", message)
            yield Event(id, id, "system", "notice", name="rewind", facts={"to": message["$rewindTo"]}, whole=True)
        else:
            yield _message(message, is_task=bool(transcript.agent))


def _summary(said: str, session: str) -> Event:
    id = f"summary-{session}"
    return Event(id, id, "system", "notice", name="ai-title", parts=[text_part(said)], whole=True)


def _message(message: Plain, *, is_task: bool) -> Event:
    type, id = text(message.get("type")), _id(message)
    event = Event(own_id("entry", message), id, _TYPES.get(type, "system"), timestamp=moment(message.get("timestamp")))
    event.raw, event.whole = message, True
    event.facts = without_empty({key: value for key, value in message.items() if key not in _SAID})
    event.parts = _content(message.get("content"))
    if event.role == "assistant":
        return _answer(event, message)
    if event.role == "user":
        texts = [part["text"] for part in event.parts if part["type"] == "text"]
        event.origin = "meta" if texts and all(one.lstrip().startswith("<") for one in texts) else "prompt"
        if texts and texts[0].startswith("/"):
            event.origin = "command"
        if is_task and event.origin == "prompt":
            event.origin = "task"
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
            found.append(_result(id, name, said, moment(said.get("timestamp")) or when))
    return found


def _result(id: str, name: str, said: Plain, when: str) -> Plain:
    status, answer = text(said.get("status")), _result_text(said.get("result"))
    part: Plain = {"type": "tool_result", "id": id, "name": name, "text": answer, "timestamp": when}
    if agent := text(said.get("agentId")):
        part["agent"] = agent
    shown = {key: said.get(key) for key in ("description", "resultDisplay") if said.get(key) != answer}
    if details := without_empty(shown):
        part["details"] = details
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
