"""What a foreign format yields, and how its mail, under names of its own, becomes mail of a store."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sbfs import files, projects, times
from sbfs.bundles.checking import LARGEST, LeftOut
from sbfs.errors import Invalid
from sbfs.kind import LINE_LIMIT, check_id, check_name
from sbfs.messages import INBOX, OUTBOX, PRIORITIES, STATUSES, TYPES, Attachment, Message
from sbfs.messages.value import check_subject, dump
from sbfs.record import Record

_OLD = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Found:
    """files: path below a store → bytes. left_out: what could not be carried."""

    format: str
    files: dict[str, bytes] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave(self, name: str, why: str) -> None:
        """Name what could not be carried."""
        self.left_out.append(LeftOut(name, why))

    def put(self, path: str, data: dict[str, Any], name: str) -> bool:
        """A record. name: of what it was made from. Returns False, and names it, where it cannot be written."""
        try:
            record = Record.make(files.check_path(path), data)
        except (Invalid, RecursionError) as error:
            self.leave(name, str(error))
            return False
        self.files[path] = record.raw
        return True

    def project(self, name: str, created: datetime, **facts: Any) -> None:
        """A project that something is for."""
        path = projects.KIND.path_of(project=name)
        known = Record.parse(path, self.files[path]).data if path in self.files else {"name": name}
        stamp = times.dump(created)
        first = min(stamp, str(known.get("created", stamp)))
        data = {"name": name, **{key: value for key, value in facts.items() if value}}
        data = {**{key: value for key, value in known.items() if key not in data}, **data}
        self.put(path, {**data, "created": first, "updated": first}, name)


def project_name(text: str) -> str:
    """The project's name that a foreign name comes nearest to; "" where none does."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.strip().lower()).strip("-._")[:64].rstrip("-._")
    with suppress(Invalid):
        return check_name(name)
    return ""


def own_id(prefix: str, *parts: object) -> str:
    """An id made from what it names, so that the same comes in once."""
    said = json.dumps([str(part) for part in parts]).encode("utf-8", "replace")
    return f"{prefix}-{hashlib.sha256(said).hexdigest()[:26]}"


def moment(value: Any) -> datetime | None:
    """A time as others write them: ISO text, or seconds or milliseconds since 1970. None where it is none."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        return times.load(str(value)) if value else None
    except (Invalid, ValueError, OverflowError, OSError):
        return None


def load_json(raw: bytes) -> Any:
    """A JSON value, or Invalid."""
    try:
        return json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"is not JSON: {error}") from None


def read_file(file: Path) -> bytes:
    """The bytes of a file that came from elsewhere. Raises Invalid for one that is too large or cannot be read."""
    try:
        if file.is_symlink() or not file.is_file():
            raise Invalid("is no file")
        if file.stat().st_size > LARGEST:
            raise Invalid(f"has {file.stat().st_size} bytes, more than {LARGEST}")
        return file.read_bytes()
    except OSError as error:
        raise Invalid((error.strerror or str(error)).lower()) from None


# -- mail ------------------------------------------------------------------------------------------


@dataclass
class Letter:
    """A message as a foreign format says it. name: of the file, for people. sender, recipient: projects' names.
    status: "" where it is not known. kind: the type, maybe none of ours. contents: attached files, as (name, type,
    bytes). received: whether the recipient's copy is written too."""

    name: str
    id: str
    sender: str
    recipient: str
    timestamp: datetime | None
    subject: str
    body: str
    priority: str = "normal"
    kind: str = "notification"
    status: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    in_reply_to: str = ""
    thread: str = ""
    forwarded_from: Mapping[str, Any] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    content_extra: Mapping[str, Any] = field(default_factory=dict)
    contents: tuple[tuple[str, str, bytes], ...] = ()
    received: bool = True
    deliver_at: datetime | None = None


def deliver(found: Found, letters: Iterable[Letter]) -> None:
    """Put letters down as both parties' copies; of one that cannot be carried, its name and why."""
    kept = {one.id: one for one in letters if _is_sound(found, one)}
    for one in kept.values():
        message = _message(found, one, _thread(kept, one))
        for project in dict.fromkeys((one.sender, one.recipient)):
            found.project(project, message.timestamp)
            for attached, (_, _, data) in zip(message.attachments, one.contents, strict=True):
                found.files[f"projects/{project}/{attached.path}"] = data
        sent = dataclasses.replace(message, status="")
        received = dataclasses.replace(message, status=one.status or "read")
        out = OUTBOX.path_of(project=one.sender, date=message.date, id=message.id)
        into = INBOX.path_of(project=one.recipient, date=message.date, id=message.id)
        if found.put(out, dump(sent), one.name) and one.received:
            found.put(into, dump(received), one.name)


def _is_sound(found: Found, one: Letter) -> bool:
    try:
        check_id(one.id)
        for name in (one.sender, one.recipient):
            check_name(name)
    except Invalid as error:
        found.leave(one.name, str(error))
        return False
    return True


def _thread(kept: Mapping[str, Letter], one: Letter) -> str:
    """The first message of the thread, also where it is not here."""
    at, seen = one, {one.id}
    while at.in_reply_to and at.in_reply_to not in seen:
        seen.add(at.in_reply_to)
        if at.in_reply_to not in kept:
            return at.in_reply_to
        at = kept[at.in_reply_to]
    return at.thread or at.id


def _message(found: Found, one: Letter, thread: str) -> Message:
    context = dict(one.context)
    priority, kind = one.priority.lower(), one.kind.lower()
    if priority not in PRIORITIES:
        context["original_priority"] = one.priority
        found.leave(one.name, f"the priority {one.priority!r} became normal")
        priority = "normal"
    if kind not in TYPES:
        context["original_type"] = one.kind
        found.leave(one.name, f"the type {one.kind!r} became notification")
        kind = "notification"
    subject = one.subject
    try:
        check_subject(subject)
    except Invalid:
        subject = " ".join(subject.split())[:LINE_LIMIT] or "(no subject)"
    attached = tuple(_attachment(name, type, data) for name, type, data in one.contents)
    if one.timestamp is None:
        found.leave(one.name, "it has no time, and is kept as of 1970")
    return Message(
        id=one.id,
        from_project=one.sender,
        to_project=one.recipient,
        timestamp=one.timestamp or _OLD,
        subject=subject,
        body=one.body,
        priority=priority,
        status=one.status if one.status in STATUSES else "read",
        type=kind,
        context=context,
        attachments=attached,
        in_reply_to=one.in_reply_to,
        thread=thread,
        forwarded_from=one.forwarded_from,
        facts=one.facts,
        extra=one.extra,
        content_extra=one.content_extra,
        deliver_at=one.deliver_at,
    )


def _attachment(name: str, type: str, data: bytes) -> Attachment:
    sha256 = hashlib.sha256(data).hexdigest()
    return Attachment(name, f"attachments/{sha256}/{name}", type, sha256, len(data))


def file_name(text: str, fallback: str) -> str:
    """A safe name for an attached file."""
    name = re.sub(r"[\0-\x1f\x7f\\/:*?\"<>|]+", "-", text.strip()).strip(" .")[:200] or fallback
    with suppress(Invalid):
        return files.check_path(name)
    return fallback
