"""AI Maestro since 0.20: mail in envelopes, `agents/<uuid>/messages/{inbox,sent}/<address>/<id>.json`.

Addresses are `agent@tenant.provider`. Files of the older shape occur among them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sbfs.bundles.foreign import maestro
from sbfs.bundles.foreign.found import (
    Found,
    Letter,
    deliver,
    file_name,
    load_json,
    moment,
    project_name,
    read_file,
)
from sbfs.errors import Invalid


def is_it(path: Path) -> bool:
    """Whether a folder is the one of agent messaging."""
    return (path / "agents").is_dir() and any(path.glob("agents/*/messages"))


def read(path: Path) -> Found:
    """Read all agents' mail."""
    found = Found("amp")
    names = maestro.Names(found, {})
    letters: dict[str, Letter] = {}
    for agent in sorted(path.glob("agents/*")):
        if not agent.is_dir() or agent.is_symlink():
            continue
        for place in ("keys", "registrations"):
            if (agent / place).exists():
                found.leave(f"agents/{agent.name}/{place}", "does not travel")
        for box, name, raw in _files(found, path, agent):
            try:
                letter = _letter(found, names, agent, load_json(raw), box, name)
            except Invalid as error:
                found.leave(name, str(error))
                continue
            if letter is None:
                continue
            known = letters.get(letter.id)
            if known is None or (not known.status and letter.status):
                letters[letter.id] = letter
    if (path / "relay").exists():
        found.leave("relay", "holds mail that was not delivered yet")
    deliver(found, letters.values())
    return found


def _files(found: Found, root: Path, agent: Path) -> Iterator[tuple[str, str, bytes]]:
    for box in ("inbox", "sent"):
        for folder, below, names in os.walk(agent / "messages" / box):
            below[:] = sorted(one for one in below if not (Path(folder) / one).is_symlink())
            for file in sorted(names):
                place = Path(folder) / file
                name = place.relative_to(root).as_posix()
                if not file.endswith(".json"):
                    found.leave(name, "is no message")
                    continue
                try:
                    yield box, name, read_file(place)
                except Invalid as error:
                    found.leave(name, str(error))


def _id(value: Any) -> str:
    """Both spellings of an id are one."""
    text = value if isinstance(value, str) else ""
    return "msg-" + text[4:].replace("_", "-") if text.startswith(("msg_", "msg-")) else text


def _letter(found: Found, names: Any, agent: Path, data: Any, box: str, name: str) -> Letter | None:
    if isinstance(data, dict) and "envelope" not in data and "subject" in data:
        return maestro.letter_of(found, names, {**data, "id": _id(data.get("id"))}, box, name)
    envelope, payload = (data.get("envelope"), data.get("payload")) if isinstance(data, dict) else (None, None)
    if not isinstance(envelope, dict) or not isinstance(payload, dict):
        raise Invalid("is no message: it has no envelope")
    text = payload.get("message")
    if not isinstance(text, str) or not _id(envelope.get("id")):
        raise Invalid("is no message: it has no id, or no text")
    known = ("id", "from", "to", "subject", "priority", "timestamp", "thread_id", "in_reply_to")
    rest = {key: value for key, value in envelope.items() if key not in known and value is not None}
    context = payload.get("context")
    contents, missing = _attached(found, agent, payload.get("attachments"), name)
    return Letter(
        name=name,
        id=_id(envelope["id"]),
        sender=_party(envelope.get("from")),
        recipient=_party(envelope.get("to")),
        timestamp=moment(envelope.get("timestamp")),
        subject=str(envelope.get("subject") or ""),
        body=text,
        priority=str(envelope.get("priority") or "normal"),
        kind=str(payload.get("type") or "notification"),
        status=_status(data) if box == "inbox" else "",
        context=context if isinstance(context, dict) else {},
        in_reply_to=_id(envelope.get("in_reply_to")),
        thread=_id(envelope.get("thread_id")),
        extra={"envelope": rest} if rest else {},
        content_extra={"attached_elsewhere": missing} if missing else {},
        contents=contents,
    )


def _party(address: Any) -> str:
    return project_name(str(address or "").partition("@")[0])


def _status(data: dict[str, Any]) -> str:
    for part in ("metadata", "local"):
        said = data.get(part)
        if isinstance(said, dict) and said.get("status") in ("unread", "read", "archived"):
            return str(said["status"])
    return "unread"


def _attached(found: Found, agent: Path, said: Any, name: str) -> tuple[tuple[tuple[str, str, bytes], ...], list[Any]]:
    contents, missing = [], []
    for one in said if isinstance(said, list) else ():
        if not isinstance(one, dict):
            continue
        label = file_name(str(one.get("filename") or ""), "attachment")
        folder = project_name(str(one.get("id") or ""))
        place = agent / "attachments" / str(one.get("id") or "") / label
        try:
            if not folder or place.parent.parent != agent / "attachments" or place.parent.is_symlink():
                raise Invalid("has an id that leads out")
            data = read_file(place)
            digest = str(one.get("digest") or "").removeprefix("sha256:").lower()
            if digest and digest != hashlib.sha256(data).hexdigest():
                raise Invalid("is not what was sent: its sum differs")
        except Invalid as error:
            found.leave(name, f"its attachment {label}: {error}")
            missing.append(one)
            continue
        contents.append((label, str(one.get("content_type") or ""), data))
    return tuple(contents), missing
