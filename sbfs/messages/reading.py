"""The verbs that read mail. Lists are newest first and never hold what is not delivered yet."""

from __future__ import annotations

from builtins import list as builtin_list
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sbfs import projects
from sbfs.catalog import Catalog, Row
from sbfs.errors import Error, Invalid
from sbfs.kind import Kind, check_word
from sbfs.listing import Wanted, gone, scan, text_of, unsaved
from sbfs.messages.value import BOXES, INBOX, OUTBOX, PRIORITIES, STATUSES, Header, Message, load
from sbfs.record import Record
from sbfs.store import Page, Store, View

Summary = dict[str, Any]
"""Of a day: counts by status, and when and in which status what is scheduled will come."""


@dataclass(frozen=True)
class Shown:
    """A message as it is shown. box: whose copy. path: of the file. edited: whether an unsaved edit is
    shown. trouble: attachment → what is wrong with it. delivery: `kept`, `pushed` or `read`."""

    message: Message
    box: str
    path: str
    edited: bool = False
    delivery: str = ""
    trouble: dict[str, str] = field(default_factory=dict)


def list(
    store: Store,
    *,
    project: str,
    box: str = "inbox",
    status: str | None = None,
    priority: str | None = None,
    sender: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
    at: str | None = None,
) -> Page:
    """A project's mail, newest first. Items: Shown; bodies are cut at 1,000 characters.

    sender: who wrote it (in an outbox: who received it). cursor: a former answer's `next`.
    """
    if box not in BOXES:
        raise Invalid(f"{box!r} is neither inbox nor outbox", field="box")
    for word, words, name in ((status, STATUSES, "status"), (priority, PRIORITIES, "priority")):
        if word is not None:
            check_word(word, words, name)
    view = store.view(at)
    name = projects.resolve(view, project).name
    other = _names(view, sender) if sender else None
    asked = _Filter(box, status, priority, other, text_of(since), text_of(until), text_of(store.clock()))
    wanted: Wanted[Summary, Header] = Wanted(
        header=_header,
        matches=lambda header: asked.matches(header, _status(view, asked, header)),
        since=asked.since,
        count=(lambda summary: _count(summary, status, asked.now)) if asked.by_status_only else None,
    )
    found = scan([box_catalog(view, box, name)], wanted, limit=limit, cursor=cursor)
    items = [_listed(view, header, box) for header in found.shown]
    return Page(items, found.total, found.next, tuple(found.troubles))


def _names(view: View, project: str) -> frozenset[str]:
    """The names that a project has and had: mail that was sent before a rename keeps the old one."""
    found = projects.resolve(view, project)
    return frozenset({found.name, *found.formerly})


@dataclass(frozen=True)
class _Filter:
    """What a list asks for. other: any of these names. Times as text, which sorts as they do."""

    box: str
    status: str | None
    priority: str | None
    other: frozenset[str] | None
    since: str
    until: str
    now: str

    @property
    def by_status_only(self) -> bool:
        """Whether a day's summary is enough to count."""
        outbox = self.box == "outbox" and self.status
        return not (self.priority or self.other or self.since or self.until or outbox)

    def matches(self, header: Header, status: str) -> bool:
        """Whether a message belongs into the list. status: of the copy that was received."""
        other = header.from_project if self.box == "inbox" else header.to_project
        return (
            not (header.scheduled and header.when > self.now)
            and self.status in (None, status)
            and self.priority in (None, header.priority)
            and (self.other is None or other in self.other)
            and (not self.since or header.when >= self.since)
            and (not self.until or header.when < self.until)
        )


def _status(view: View, asked: _Filter, header: Header) -> str:
    if asked.box == "inbox" or asked.status is None:
        return header.status
    return received_status(view, header.to_project, header.path)


def _listed(view: View, header: Header, box: str) -> Shown:
    record = view.record(header.path)
    message = load(record.data)
    delivery = _delivery(view, message, header.path) if box == "outbox" else ""
    return Shown(message, box, header.path, delivery=delivery)


def count(store: Store, *, project: str, unread: bool = False, at: str | None = None) -> int:
    """How many messages a project received, or how many of them are unread."""
    view = store.view(at)
    name = projects.resolve(view, project).name
    now = text_of(store.clock())
    status = "unread" if unread else None
    return sum(_count(summary, status, now) for summary in box_catalog(view, "inbox", name).summaries().values())


def show(store: Store, *, message_id: str, at: str | None = None) -> Shown:
    """A message by its id or a unique prefix: the received copy where there is one.

    An unsaved edit of the file is shown, and said. Attachments are checked against their sums.
    """
    from sbfs.messages import attachments

    view = store.view(at)
    path, box, project = _locate(view, message_id)
    record = view.record(path)
    edited = None if at else unsaved(store, record)
    message = loaded(edited or record)
    return Shown(
        message,
        box,
        path,
        edited=edited is not None,
        delivery=_delivery(view, message, path) if not at else "",
        trouble=dict(attachments.troubles(view, project, message)),
    )


def thread(store: Store, *, message_id: str, at: str | None = None) -> tuple[tuple[Message, int], ...]:
    """The whole tree of answers that a message belongs to, as (message, depth), oldest first.

    It follows the parties: whoever wrote in a thread has what they wrote in their outbox.
    """
    view = store.view(at)
    start = find(view, message_id)
    now = store.clock()
    since = _begun(view, start)
    found: dict[str, Message] = {start.id: start}
    waiting, seen = {projects.name_now(view, one) for one in (start.from_project, start.to_project)}, set[str]()
    while waiting:
        project = waiting.pop()
        seen.add(project)
        for box in BOXES:
            for message in _in_thread(view, box, project, start.thread, since):
                found.setdefault(message.id, message)
                waiting |= {projects.name_now(view, one) for one in (message.from_project, message.to_project)} - seen
    delivered = [one for one in found.values() if one.when <= now or one.id == start.id]
    return tuple(_as_tree(delivered))


def _begun(view: View, message: Message) -> str:
    """The day before which nothing of a message's thread lies: one before its first message was written,
    for clocks that differ; "" where that is not known."""
    try:
        first = find(view, message.thread)
    except Error:
        return ""
    return (first.timestamp - timedelta(days=1)).strftime("%Y/%m/%d")


def _in_thread(view: View, box: str, project: str, thread: str, since: str) -> Iterator[Message]:
    catalog = box_catalog(view, box, project)
    for day, tree in catalog.periods():
        if day < since:
            break
        for header in _headers(catalog.rows(day, tree)):
            if header.thread == thread:
                yield load(view.record(header.path).data)


def _as_tree(messages: Sequence[Message]) -> Iterator[tuple[Message, int]]:
    known = {message.id for message in messages}
    children: dict[str, builtin_list[Message]] = {}
    for message in sorted(messages, key=lambda one: (one.when, one.id)):
        parent = message.in_reply_to if message.in_reply_to in known else ""
        children.setdefault(parent, []).append(message)
    shown = set[str]()
    # What answers itself in a circle has no top; it follows at the end.
    for top in [*children.get("", []), *messages]:
        stack = [(top, 0)]
        while stack:
            message, depth = stack.pop()
            if message.id not in shown:
                shown.add(message.id)
                yield message, depth
                stack += [(child, depth + 1) for child in reversed(children.get(message.id, []))]


# -- on the way ------------------------------------------------------------------------------------


def box_catalog(view: View, box: str, project: str) -> Catalog[Summary]:
    """The catalog of a project's inbox or outbox."""
    return Catalog(view, BOXES[box], f"projects/{project}/{box}", _summarize)


def _summarize(rows: Sequence[Row]) -> Summary:
    counts: dict[str, int] = {}
    scheduled = []
    for header in _headers(rows):
        if header.scheduled:
            scheduled.append([header.when, header.status])
        else:
            counts[header.status] = counts.get(header.status, 0) + 1
    return {"counts": counts, "scheduled": scheduled}


def _count(summary: Summary, status: str | None, now: str) -> int:
    counts = summary["counts"]
    here: int = sum(counts.values()) if status is None else counts.get(status, 0)
    due = [said for when, said in summary["scheduled"] if when <= now]
    return here + sum(status in (None, said) for said in due)


def next_due(view: View, project: str, now: str) -> str:
    """When the next message that is held back will reach a project, after now; "" where none is. Times as text."""
    summaries = box_catalog(view, "inbox", project).summaries().values()
    return min((when for one in summaries for when, _ in one["scheduled"] if when > now), default="")


def _headers(rows: Sequence[Row]) -> Iterator[Header]:
    return map(_header, (row for row in rows if row.header))


def _header(row: Row) -> Header:
    assert row.header is not None
    return Header(row.path, *row.header)


def find(view: View, id: str) -> Message:
    """A message by its id or a unique prefix."""
    return loaded(view.record(_locate(view, id)[0]))


def loaded(record: Record) -> Message:
    """A copy's message. Raises Invalid, with path and line, where plain Git brought in what breaks the rules."""
    (INBOX if INBOX.places(record.path) else OUTBOX).check(record)
    return load(record.data)


def _locate(view: View, id: str) -> tuple[str, str, str]:
    """(path, box, project) of a message's copy, the received one first. Raises NotFound, Ambiguous."""
    paths = view.find((INBOX, OUTBOX), id, what="message")
    for path in sorted(paths, key=lambda one: "/inbox/" not in one):
        record = view.record(path)
        if not record.removed:
            return path, "inbox" if INBOX.places(path) else "outbox", path.split("/")[1]
    raise gone("message", id)


def holder(view: View, message: Message) -> str:
    """A project that holds a copy of the message."""
    return _locate(view, message.id)[2]


def path_in(view: View, kind: Kind[Message], project: str, message: Message) -> str | None:
    """The path of a party's copy, whatever the party was renamed to since."""
    path = kind.path_of(project=projects.name_now(view, project), date=message.date, id=message.id)
    return path if view.find_id(path) else None


def received_status(view: View, recipient: str, path: str) -> str:
    """The status of the received copy of a message, by the path of either copy; "" where there is none."""
    name = projects.name_now(view, recipient)
    places = OUTBOX.places(path) or INBOX.places(path) or {}
    inbox = INBOX.path_of(**{**places, "project": name}) if places else ""
    row = box_catalog(view, "inbox", name).row(inbox) if inbox else None
    return _header(row).status if row and row.header else ""


def _delivery(view: View, message: Message, path: str) -> str:
    """What became of a message, by the path of a copy: `kept` here, `pushed` to a remote, `read`."""
    if received_status(view, message.to_project, path) in ("read", "archived"):
        return "read"
    remotes = view.repo.refs("refs/remotes/").values()
    pushed = any(view.repo.entry(view.repo.commit(id).tree, path) for id in remotes if view.repo.has(id))
    return "pushed" if pushed else "kept"
