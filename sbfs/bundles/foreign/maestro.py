"""AI Maestro up to v0.19: `messages/{inbox,sent,archived}/<agent>/<id>.json`, with `agents/registry.json`.

Each message is there up to three times. Its status is that of the archived copy, else of the inbox's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sbfs.bundles.foreign.found import Found, Letter, deliver, load_json, moment, project_name, read_file
from sbfs.errors import Invalid

BOXES = ("archived", "inbox", "sent")
"""In the order in which they are believed."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def is_it(path: Path) -> bool:
    """Whether a folder is AI Maestro's, or its folder of messages."""
    return any((folder / box).is_dir() for folder in (path, path / "messages") for box in ("inbox", "sent"))


def read(path: Path) -> Found:
    """Read all message files of all agents."""
    found = Found("ai-maestro")
    base = path if (path / "messages").is_dir() else path.parent
    folder = path / "messages" if (path / "messages").is_dir() else path
    names = Names(found, _registry(found, base))
    letters: dict[str, Letter] = {}
    for box, name, raw in _files(found, folder):
        try:
            letter = letter_of(found, names, load_json(raw), box, name)
        except Invalid as error:
            found.leave(name, str(error))
            continue
        if letter is not None:
            letters.setdefault(letter.id, letter)
    deliver(found, letters.values())
    names.describe(found)
    return found


def _files(found: Found, folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """(box, name, bytes) of all message files, the most trusted copy first."""
    for box in BOXES:
        agents = [one for one in _sorted(folder / box) if one.is_dir() and not one.is_symlink()]
        for agent in sorted(agents, key=lambda one: (not _UUID.fullmatch(one.name), one.name)):
            for file in _sorted(agent):
                name = f"{box}/{agent.name}/{file.name}"
                if not file.name.endswith(".json"):
                    found.leave(name, "is no message")
                    continue
                try:
                    yield box, name, read_file(file)
                except Invalid as error:
                    found.leave(name, str(error))


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder / name for name in os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _registry(found: Found, base: Path) -> Mapping[str, Mapping[str, Any]]:
    file = base / "agents" / "registry.json"
    if not file.exists():
        return {}
    try:
        agents = load_json(read_file(file))
        return {str(one["id"]): one for one in agents if isinstance(one, dict) and "id" in one}
    except (Invalid, TypeError) as error:
        found.leave("agents/registry.json", str(error))
        return {}


class Names:
    """Which project an agent is: by its alias, its name in the registry, or what a message calls it."""

    def __init__(self, found: Found, registry: Mapping[str, Mapping[str, Any]]):
        self._found, self._registry = found, registry
        self._agents: dict[str, str] = {}
        self._told: set[str] = set()
        self._known: dict[str, Mapping[str, Any]] = {}

    def project(self, said: str, alias: str) -> str:
        """The project of a party; "" where that cannot be told, which is named."""
        agent = self._registry.get(said, {})
        text = alias or str(agent.get("name") or agent.get("alias") or "") or ("" if _UUID.fullmatch(said) else said)
        name = project_name(text)
        if not name:
            self._tell(said or "an agent", "is no agent that the registry knows, and no message gives it a name")
            return ""
        who = said if _UUID.fullmatch(said) else name
        if _UUID.fullmatch(self._agents.get(name, "")) and _UUID.fullmatch(who) and self._agents[name] != who:
            self._tell(said, f"has the name {name}, which is that of {self._agents[name]} too: its mail is left out")
            return ""
        if not _UUID.fullmatch(self._agents.get(name, "")):
            self._agents[name] = who
        if agent:
            self._known[name] = agent
        return name

    def _tell(self, name: str, why: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self._found.leave(name, why)

    def describe(self, found: Found) -> None:
        """What the registry knows of the projects."""
        for name, agent in self._known.items():
            if f"projects/{name}/project.yaml" in found.files:
                put_agent(found, name, agent)


def put_agent(found: Found, name: str, agent: Mapping[str, Any]) -> None:
    """A project from what the registry says of an agent."""
    from datetime import UTC, datetime

    tags = [one for one in agent.get("tags") or () if isinstance(one, str)]
    created = moment(agent.get("createdAt")) or datetime(1970, 1, 1, tzinfo=UTC)
    facts = {
        "agent_id": _text(agent, "id"),
        "alias": _text(agent, "label") or _text(agent, "alias"),
        "description": _text(agent, "taskDescription"),
        "host": _text(agent, "hostId"),
        "tags": tags,
    }
    found.project(name, created, **facts)


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


_FACTS = {
    "fromAlias": "from_alias",
    "fromHost": "from_host",
    "fromSession": "from_session",
    "toAlias": "to_alias",
    "toHost": "to_host",
    "toSession": "to_session",
}

_FORWARD = {
    "originalMessageId": "original_message_id",
    "originalFrom": "original_from",
    "originalTo": "original_to",
    "originalTimestamp": "original_timestamp",
    "forwardedBy": "forwarded_by",
    "forwardedAt": "forwarded_at",
    "forwardNote": "forward_note",
}

_OURS = {
    "id", "from", "to", "timestamp", "subject", "priority", "status", "content", "inReplyTo", "forwardedFrom", *_FACTS
}  # fmt: skip


def letter_of(found: Found, names: Any, data: Any, box: str, name: str) -> Letter | None:
    """One message file. box: the folder it lies in. Raises Invalid; None where a party cannot be told."""
    if not isinstance(data, dict) or not isinstance(data.get("id"), str):
        raise Invalid("is no message: it has no id")
    content = data.get("content")
    if isinstance(content, str):
        content = {"message": content}
    if not isinstance(content, dict) or not isinstance(content.get("message"), str):
        raise Invalid("is no message: it has no text")
    sender = names.project(_text(data, "from"), _text(data, "fromAlias"))
    recipient = names.project(_text(data, "to"), _text(data, "toAlias"))
    if not sender or not recipient:
        found.leave(name, f"whose {'sender' if not sender else 'recipient'} is unknown")
        return None
    attachments = [one for one in content.get("attachments") or () if isinstance(one, dict)]
    for one in attachments:
        found.leave(name, f"its attachment {one.get('name')} is on the sender's machine")
    rest = {key: value for key, value in content.items() if key not in ("type", "message", "context", "attachments")}
    context = content.get("context")
    return Letter(
        name=name,
        id=data["id"],
        sender=sender,
        recipient=recipient,
        timestamp=moment(data.get("timestamp")),
        subject=_text(data, "subject"),
        body=content["message"],
        priority=_text(data, "priority") or "normal",
        kind=_text(content, "type") or "notification",
        status="archived" if box == "archived" else "" if box == "sent" else _text(data, "status") or "unread",
        context=context if isinstance(context, dict) else {},
        in_reply_to=_text(data, "inReplyTo"),
        forwarded_from=_forwarded(data.get("forwardedFrom")),
        facts={ours: _text(data, theirs) for theirs, ours in _FACTS.items() if _text(data, theirs)},
        extra={key: value for key, value in data.items() if key not in _OURS},
        content_extra={**rest, **({"attached_elsewhere": attachments} if attachments else {})},
    )


def _forwarded(said: Any) -> dict[str, Any] | None:
    return {_FORWARD.get(str(key), str(key)): value for key, value in said.items()} if isinstance(said, dict) else None
