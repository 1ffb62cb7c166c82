"""Mail of the world: mbox files and Maildir folders (RFC 4155, https://cr.yp.to/proto/maildir.html).

Parties become projects by what stands before the @. What `sbfs message export` wrote comes back as it was.
"""

from __future__ import annotations

import email
import email.policy
import html
import json
import mailbox
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path
from typing import Any

from sbfs.bundles.checking import LARGEST
from sbfs.bundles.foreign.found import Found, Letter, deliver, file_name, own_id, project_name
from sbfs.errors import Invalid
from sbfs.kind import check_id
from sbfs.messages.letters import DOMAIN, MARK


def is_it(path: Path) -> bool:
    """Whether a folder is a Maildir."""
    return (path / "cur").is_dir() and (path / "new").is_dir()


def read(path: Path) -> Found:
    """Read all messages."""
    found = Found("maildir" if path.is_dir() else "mbox")
    letters: list[Letter] = []
    for name, raw, seen in _messages(path):
        try:
            if len(raw) > LARGEST:
                raise Invalid(f"has {len(raw)} bytes, more than {LARGEST}")
            letters += _letters(found, name, email.message_from_bytes(raw, policy=email.policy.default), seen)
        except Invalid as error:
            found.leave(name, str(error))
        except (ValueError, LookupError, TypeError, AttributeError, IndexError) as error:
            # The library's parsers fail in many ways on headers that are none.
            found.leave(name, f"cannot be read: {error}")
    deliver(found, letters)
    return found


def _messages(path: Path) -> Iterator[tuple[str, bytes, bool]]:
    """(name, bytes, whether it was read) of each message."""
    if path.is_dir():
        for folder in ("new", "cur"):
            for file in sorted((path / folder).iterdir()):
                if file.is_file() and not file.is_symlink() and not file.name.startswith("."):
                    yield f"{folder}/{file.name}", file.read_bytes(), "S" in file.name.rpartition(":2,")[2]
        return
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.keys(), 1):
            raw = box.get_bytes(key)
            head = raw.partition(b"\n\n")[0]
            yield f"message {number}", raw, bool(re.search(rb"^Status:.*R", head, re.M | re.I))
    finally:
        box.close()


def _letters(found: Found, name: str, message: Any, seen: bool) -> Iterable[Letter]:
    """A letter for each recipient."""
    if message.get(MARK):
        yield from _own(message, name)
        return
    senders = _parties(message, "from") or _parties(message, "sender")
    recipients = list(dict.fromkeys([*_parties(message, "to"), *_parties(message, "cc")]))
    if not senders or not recipients:
        raise Invalid("has no sender, or no recipient")
    body, contents = _parts(found, name, message)
    said = str(message.get("message-id") or "").strip()
    id = _id(said) if said else own_id("mail", message.get("date"), senders[0], message.get("subject"), body)
    when = message.get("date")
    stamp = getattr(when, "datetime", None)
    answered = str(message.get("in-reply-to") or "").strip()
    for recipient in recipients:
        yield Letter(
            name=name,
            id=id if len(recipients) == 1 else f"{id}.{recipient}"[:128],
            sender=senders[0],
            recipient=recipient,
            timestamp=_utc(stamp),
            subject=str(message.get("subject") or ""),
            body=body,
            priority=_priority(message),
            status="read" if seen else "unread",
            context={"message_id": said} if said else {},
            in_reply_to=_id(answered) if answered else "",
            contents=contents,
        )


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _id(message_id: str) -> str:
    """The id of a message by its Message-ID: one of ours is told by it."""
    inner = message_id.strip("<>")
    local, _, domain = inner.rpartition("@")
    if domain == DOMAIN:
        try:
            return check_id(local)
        except Invalid:
            pass
    return own_id("mail", inner)


def _parties(message: EmailMessage, header: str) -> list[str]:
    texts = [str(one) for one in message.get_all(header) or ()]
    return [name for _, address in getaddresses(texts) if (name := project_name(address.partition("@")[0]))]


def _priority(message: EmailMessage) -> str:
    said = str(message.get("x-priority") or "")[:1]
    word = str(message.get("importance") or "").strip().lower()
    if said in ("1", "2") or word == "high":
        return "urgent" if said == "1" else "high"
    return "low" if said in ("4", "5") or word == "low" else "normal"


def _parts(found: Found, name: str, message: EmailMessage) -> tuple[str, tuple[tuple[str, str, bytes], ...]]:
    """(text, attached files)."""
    body = message.get_body(("plain", "html"))
    text = _text(body) if body is not None else ""
    if body is not None and body.get_content_type() == "text/html":
        found.leave(name, "is HTML only: its text was kept, without the form")
        text = html.unescape(re.sub(r"(?s)<(script|style)\b.*?</\1>|<[^>]*>", "", text)).strip() + "\n"
    parts = enumerate(message.iter_attachments(), 1)
    return text, tuple(_attached(part, f"part-{number}") for number, part in parts)


def _attached(part: Any, fallback: str) -> tuple[str, str, bytes]:
    data = part.get_payload(decode=True)
    # A message within a message has no bytes of its own.
    raw = data if isinstance(data, bytes) else bytes(part)
    return file_name(part.get_filename() or "", fallback), part.get_content_type(), raw


def _text(part: Any) -> str:
    raw = part.get_payload(decode=True) or b""
    try:
        return str(raw.decode(part.get_content_charset() or "utf-8", "replace")).replace("\r\n", "\n")
    except LookupError:
        return str(raw.decode("utf-8", "replace"))


def _own(message: EmailMessage, name: str) -> Iterable[Letter]:
    """A message that `sbfs message export` wrote, as it was."""
    facts = json.loads(str(message.get(MARK)).replace("\n", "").replace("\r", ""))
    from sbfs.messages.value import load

    body = message.get_body(("plain",))
    raw = body.get_payload(decode=True) if body is not None else b""
    text = raw.decode("utf-8") if isinstance(raw, bytes) else ""
    facts["content"] = {**facts["content"], "message": text}
    one = load(facts)
    contents = tuple(_attached(part, "attachment") for part in message.iter_attachments())
    yield Letter(
        name=name,
        id=one.id,
        sender=one.from_project,
        recipient=one.to_project,
        timestamp=one.timestamp,
        subject=one.subject,
        body=one.body,
        priority=one.priority,
        kind=one.type,
        status=one.status,
        context=one.context,
        in_reply_to=one.in_reply_to,
        thread=one.thread,
        forwarded_from=one.forwarded_from,
        facts=one.facts,
        extra=one.extra,
        content_extra=one.content_extra,
        contents=contents,
        received=bool(one.status),
        deliver_at=one.deliver_at,
    )
