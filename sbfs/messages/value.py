"""A message and its two kinds: what the files of inbox and outbox hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sbfs import times
from sbfs.errors import Invalid
from sbfs.kind import Field, Kind, check_id, check_line, check_name
from sbfs.record import Record

if TYPE_CHECKING:
    from sbfs.entry import Entry

PRIORITIES = ("low", "normal", "high", "urgent")
STATUSES = ("unread", "read", "archived")
TYPES = ("request", "response", "notification", "update")

_SUBJECT_HINTS = ("say in a line what the message is about", "put the rest into the body")

_OPTIONAL_TEXTS = ("from_alias", "from_host", "from_session", "to_alias", "to_host", "to_session")


@dataclass(frozen=True)
class Attachment:
    """What mail carries. path: below the project that holds the message. sha256: of the content. size: bytes."""

    name: str
    path: str
    type: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Message:
    """One mail. status: "" in an outbox. facts: optional texts such as `from_alias`, where known.

    timestamp: when it was sent; deliver_at: until when it is in no list. thread: the first message of
    the thread. forwarded_from: of a forward, the original's id, parties and time, and its own
    `forwarded_from` if it was one. extra: keys that this version does not know.
    """

    id: str
    from_project: str
    to_project: str
    timestamp: datetime
    subject: str
    body: str
    priority: str = "normal"
    status: str = ""
    type: str = "notification"
    context: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str = ""
    thread: str = ""
    forwarded_from: Mapping[str, Any] | None = None
    deliver_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    content_extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def when(self) -> datetime:
        """When it is, or was, delivered: what lists sort by."""
        return self.deliver_at or self.timestamp

    @property
    def date(self) -> str:
        """The day's folder that it lies in: YYYY/MM/DD of `when`, UTC."""
        return self.when.astimezone(UTC).strftime("%Y/%m/%d")


def load(data: Mapping[str, Any]) -> Message:
    """From a record's data. Raises Invalid, naming the field."""
    rest = dict(data)
    content = dict(rest.pop("content"))
    facts = {key: rest.pop(key) for key in _OPTIONAL_TEXTS if key in rest}
    deliver_at = rest.pop("deliver_at", None)
    return Message(
        id=check_id(rest.pop("id")),
        from_project=check_name(rest.pop("from_project"), field="from_project"),
        to_project=check_name(rest.pop("to_project"), field="to_project"),
        timestamp=times.load(rest.pop("timestamp")),
        subject=check_subject(rest.pop("subject")),
        priority=rest.pop("priority", "normal"),
        status=rest.pop("status", ""),
        type=content.pop("type", "notification"),
        body=content.pop("message"),
        context=content.pop("context", None) or {},
        attachments=tuple(map(_load_attachment, content.pop("attachments", None) or ())),
        in_reply_to=rest.pop("in_reply_to", ""),
        thread=rest.pop("thread", "") or data["id"],
        forwarded_from=rest.pop("forwarded_from", None),
        deliver_at=times.load(deliver_at, field="deliver_at") if deliver_at else None,
        facts=facts,
        extra=rest,
        content_extra=content,
    )


def _load_attachment(data: Any) -> Attachment:
    try:
        return Attachment(data["name"], data["path"], data.get("type", ""), data["sha256"], data["size"])
    except (KeyError, TypeError, AttributeError):
        raise Invalid("must hold name, path, type, sha256 and size", field="content.attachments") from None


def dump(message: Message) -> dict[str, Any]:
    """As a record's data, keys in the order that people like to read."""
    content: dict[str, Any] = {"type": message.type, "message": message.body}
    if message.context:
        content["context"] = dict(message.context)
    if message.attachments:
        content["attachments"] = [vars(one).copy() for one in message.attachments]
    content.update(message.content_extra)
    optional = {
        "in_reply_to": message.in_reply_to,
        "thread": message.thread,
        "forwarded_from": dict(message.forwarded_from) if message.forwarded_from else None,
    }
    parties = {"from_project": message.from_project, "to_project": message.to_project}
    return {
        "id": message.id,
        **parties,
        **message.facts,
        "timestamp": times.dump(message.timestamp),
        **({"deliver_at": times.dump(message.deliver_at)} if message.deliver_at else {}),
        "subject": message.subject,
        "priority": message.priority,
        **({"status": message.status} if message.status else {}),
        "content": content,
        **{key: value for key, value in optional.items() if value},
        **message.extra,
    }


def check_subject(subject: str) -> str:
    """A subject: one line that says something, or Invalid."""
    return check_line(subject, field="subject", hints=_SUBJECT_HINTS)


def _header(data: dict[str, Any]) -> list[Any]:
    later = data.get("deliver_at") or ""
    when = times.dump(times.load(later or data["timestamp"]))
    thread = data.get("thread") or data["id"]
    parties = (data["from_project"], data["to_project"])
    return [when, *parties, data.get("priority", "normal"), data.get("status", ""), thread, bool(later)]


@dataclass(frozen=True)
class Header:
    """What lists know of a message without reading it; the twin of `_header`."""

    path: str
    when: str
    from_project: str
    to_project: str
    priority: str
    status: str
    thread: str
    scheduled: bool

    @property
    def id(self) -> str:
        """The message's id."""
        return self.path.rpartition("/")[2].removesuffix(".yaml")

    @property
    def order(self) -> str:
        """What lists sort by, and cursors name."""
        return f"{self.when},{self.id}"


def _entries(record: Record) -> Iterator[Entry]:
    """The same entry from both copies, so that a message is found once."""
    from sbfs.entry import Entry

    message = load(record.data)
    box = record.path.split("/")[2]
    facets = {
        "sender": message.from_project,
        "recipient": message.to_project,
        "box": box,
        "priority": message.priority,
        "type": message.type,
        **({"status": message.status} if message.status else {}),
    }
    yield Entry(
        id=message.id,
        kind="message",
        project=record.path.split("/")[1],
        path=record.path,
        title=message.subject,
        timestamp=times.dump(message.when),
        group=message.thread,
        speaker=message.from_project,
        text=message.body,
        identifiers=_words(message.context),
        facets=facets,
        due=times.dump(message.deliver_at) if message.deliver_at else "",
    )


def _words(value: Any) -> str:
    """The texts of a plain value: what a message's context says."""
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_words(item)}" for key, item in value.items())
    return " ".join(map(_words, value)) if isinstance(value, list) else str(value)


_FIELDS = (
    Field("id", rule="fixed", required=True),
    Field("from_project", rule="fixed", required=True),
    Field("to_project", rule="fixed", required=True),
    *(Field(name, rule="fixed") for name in _OPTIONAL_TEXTS),
    Field("timestamp", rule="fixed", required=True, is_time=True),
    Field("deliver_at", rule="fixed", is_time=True),
    Field("subject", rule="fixed", required=True),
    Field("content", dict, rule="fixed", required=True),
    Field("content.type", choices=TYPES, rule="fixed"),
    Field("content.message", rule="fixed", required=True),
    Field("content.context", dict, rule="fixed"),
    Field("content.attachments", list, rule="fixed"),
    Field("in_reply_to", rule="fixed"),
    Field("thread", rule="fixed"),
    Field("forwarded_from", dict, rule="fixed"),
)

OUTBOX: Kind[Message] = Kind(
    name="message",
    prefix="msg",
    pattern="projects/{project}/outbox/{date}/{id}.yaml",
    fields=(*_FIELDS, Field("priority", choices=PRIORITIES, rule="fixed")),
    load=load,
    dump=dump,
    header=_header,
    entries=_entries,
)

INBOX: Kind[Message] = Kind(
    name="message",
    prefix="msg",
    pattern="projects/{project}/inbox/{date}/{id}.yaml",
    fields=(
        *_FIELDS,
        Field("priority", choices=PRIORITIES, rule="highest"),
        Field("status", choices=STATUSES, rule="highest", required=True),
    ),
    load=load,
    dump=dump,
    header=_header,
    entries=_entries,
)

BOXES = {"inbox": INBOX, "outbox": OUTBOX}
