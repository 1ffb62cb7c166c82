"""A message as mail of the world (RFC 5322), which says beside it what only a store knows: it comes back whole."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC
from email.message import EmailMessage
from email.utils import format_datetime

from sbfs.messages.attachments import Content
from sbfs.messages.value import Message, dump

MARK = "X-Sbfs-Message"
DOMAIN = "sbfs.invalid"
"""A domain that cannot be (RFC 2606): nobody's address is made up."""

_PRIORITIES = {"urgent": "1", "high": "2", "normal": "3", "low": "5"}


def as_mail(message: Message, contents: Sequence[Content]) -> bytes:
    """The bytes of a message with its attached files, line ends as LF."""
    mail = EmailMessage()
    mail["From"] = _address(message.from_project)
    mail["To"] = _address(message.to_project)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.timestamp.astimezone(UTC))
    mail["Message-ID"] = f"<{message.id}@{DOMAIN}>"
    if message.in_reply_to:
        mail["In-Reply-To"] = f"<{message.in_reply_to}@{DOMAIN}>"
    if message.thread != message.id:
        mail["References"] = f"<{message.thread}@{DOMAIN}>"
    mail["X-Priority"] = _PRIORITIES.get(message.priority, "3")
    if message.status in ("read", "archived"):
        mail["Status"] = "RO"
    data = dump(message)
    data["content"] = {key: value for key, value in data["content"].items() if key != "message"}
    mail[MARK] = json.dumps(data)
    # Not by set_content, which changes line ends: the text is to come back as it was.
    mail.set_content("")
    mail.replace_header("Content-Transfer-Encoding", "base64")
    mail.set_payload(base64.encodebytes(message.body.encode()).decode())
    for content, attached in zip(contents, message.attachments, strict=True):
        main, _, sub = (attached.type or "application/octet-stream").partition("/")
        mail.add_attachment(content.data, maintype=main, subtype=sub or "octet-stream", filename=content.name)
    return mail.as_bytes().replace(b"\r\n", b"\n")


def _address(project: str) -> str:
    return f"{project}@{DOMAIN}"
