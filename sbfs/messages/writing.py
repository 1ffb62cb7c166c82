"""The verbs that change mail: each is one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sbfs import projects, times
from sbfs.errors import Invalid, NotFound
from sbfs.kind import Kind, check_id, check_size, check_word, new_id
from sbfs.messages import attachments, reading
from sbfs.messages.attachments import Content
from sbfs.messages.value import (
    INBOX,
    OUTBOX,
    PRIORITIES,
    STATUSES,
    TYPES,
    Attachment,
    Message,
    check_subject,
    dump,
    load,
)
from sbfs.projects import Project
from sbfs.record import Record
from sbfs.store import Store, Transaction, View


@dataclass(frozen=True)
class Sent:
    """What was sent: one message a recipient. redacted: secrets taken out, by type."""

    messages: tuple[Message, ...]
    redacted: Mapping[str, int] = field(default_factory=dict)


def send(
    store: Store,
    *,
    from_project: str,
    to_project: str | Sequence[str] = (),
    subject: str,
    message: str,
    priority: str = "normal",
    message_type: str = "notification",
    context: Mapping[str, Any] | None = None,
    attach: Sequence[str | Path] = (),
    in_reply_to: str = "",
    related: str = "",
    deliver_at: datetime | str | None = None,
    allow_secret: bool = False,
    from_session: str = "",
) -> Sent:
    """Send a message: into the sender's outbox and each recipient's inbox, as one commit.

    to_project: a project, several, or `@group`. related: a type of relation; all projects that the
    sender relates to in that way receive a copy. deliver_at: until then the message is in no list;
    a time, or words such as "tomorrow at 9:30". Raises NotFound for an unknown project, Invalid for
    anything that breaks a rule; then nothing is written.
    """
    recipients = (to_project,) if isinstance(to_project, str) else tuple(to_project)
    contents = attachments.load(store, attach, allow_secret=allow_secret)
    limit = store.limit("body")
    later = _delivery_time(store, deliver_at)

    def build(tx: Transaction) -> Sent:
        sender = projects.resolve(tx.view, from_project)
        draft = Message(
            id="",
            from_project=sender.name,
            to_project="",
            timestamp=tx.now,
            subject=check_subject(subject),
            body=_check_body(message, limit),
            priority=check_word(priority, PRIORITIES, "priority"),
            type=check_word(message_type, TYPES, "type"),
            context=_check_context(context),
            in_reply_to=check_id(in_reply_to, field="in_reply_to") if in_reply_to else "",
            thread=_thread_of(tx.view, in_reply_to) if in_reply_to else "",
            deliver_at=later,
            facts={"from_session": from_session} if from_session else {},
        )
        return _deliver(tx, draft, sender, _recipients(tx.view, sender, recipients, related), contents)

    return store.write("message.send", build)


def reply(
    store: Store,
    *,
    message_id: str,
    message: str,
    subject: str | None = None,
    priority: str = "normal",
    message_type: str = "response",
    context: Mapping[str, Any] | None = None,
    attach: Sequence[str | Path] = (),
    from_project: str | None = None,
    deliver_at: datetime | str | None = None,
    allow_secret: bool = False,
) -> Sent:
    """Answer a message: from the project that received it (or from_project) to the other party."""
    view = store.view()
    original = reading.find(view, message_id)
    sender = projects.name_now(view, from_project or original.to_project)
    author = projects.name_now(view, original.from_project)
    other = original.to_project if sender == author else author
    title = original.subject if original.subject.lower().startswith("re:") else f"Re: {original.subject}"
    return send(
        store,
        from_project=sender,
        to_project=other,
        subject=title if subject is None else subject,
        message=message,
        priority=priority,
        message_type=message_type,
        context=context,
        attach=attach,
        in_reply_to=original.id,
        deliver_at=deliver_at,
        allow_secret=allow_secret,
    )


def forward(
    store: Store,
    *,
    original_message_id: str,
    to_project: str | Sequence[str],
    from_project: str | None = None,
    forward_note: str | None = None,
    allow_secret: bool = False,
) -> Sent:
    """Pass a message on, with its priority, context, attachments and provenance, at any depth.

    from_project: who forwards; without one, the project that received the original. allow_secret: also attachments
    that hold a secret; else they are refused.
    """
    recipients = (to_project,) if isinstance(to_project, str) else tuple(to_project)
    limit = store.limit("body")

    def build(tx: Transaction) -> Sent:
        original = reading.find(tx.view, original_message_id)
        sender = projects.resolve(tx.view, from_project or original.to_project)
        holder = reading.holder(tx.view, original)
        draft = Message(
            id="",
            from_project=sender.name,
            to_project="",
            timestamp=tx.now,
            subject=_forward_subject(original.subject),
            body=_check_body(_forward_body(original, forward_note or ""), limit * 2),
            priority=original.priority,
            type="notification",
            context=original.context,
            forwarded_from=_provenance(original, sender.name, tx.now, forward_note or ""),
        )
        contents = attachments.contents_of(tx.view, holder, original, allow_secret=allow_secret)
        return _deliver(tx, draft, sender, _recipients(tx.view, sender, recipients, ""), contents)

    return store.write("message.forward", build)


def _forward_subject(subject: str) -> str:
    return subject if subject.startswith("Fwd: ") else f"Fwd: {subject}"


def _forward_body(original: Message, note: str) -> str:
    head = [f"From: {original.from_project}", f"To: {original.to_project}"]
    head += [f"Sent: {times.dump(original.timestamp)}", f"Subject: {original.subject}"]
    quoted = "\n".join(f"> {line}".rstrip() for line in (*head, "", *original.body.rstrip("\n").split("\n")))
    return f"{note.rstrip()}\n\n{quoted}\n" if note.strip() else f"{quoted}\n"


def _provenance(original: Message, forwarder: str, now: datetime, note: str) -> dict[str, Any]:
    chain = {"forwarded_from": dict(original.forwarded_from)} if original.forwarded_from else {}
    return {
        "original_message_id": original.id,
        "original_from": original.from_project,
        "original_to": original.to_project,
        "original_timestamp": times.dump(original.timestamp),
        "forwarded_by": forwarder,
        "forwarded_at": times.dump(now),
        **({"forward_note": note} if note else {}),
        **chain,
    }


def mark(store: Store, *, message_ids: Sequence[str], status: str, actor: str = "") -> tuple[Message, ...]:
    """Set the status of received messages, as one commit. Any status may follow any other."""
    check_word(status, STATUSES, "status")

    def build(tx: Transaction) -> tuple[Message, ...]:
        changed = []
        for id in message_ids:
            record = _received(tx, id)
            tx.replace(INBOX, record, {**record.data, "status": status})
            changed.append(replace(load(record.data), status=status))
        tx.actor = tx.actor or changed[0].to_project
        ids = [message.id for message in changed]
        what = changed[0].subject if len(changed) == 1 else f"{len(changed)} messages"
        tx.describe(f"{changed[0].to_project} marks as {status}: {what}", Ids=" ".join(ids))
        return tuple(changed)

    if not message_ids:
        raise Invalid("no message is named", field="message_ids", hint="give at least one id")
    return store.write("message.mark", build, actor=actor)


def archive(store: Store, *, message_ids: Sequence[str], actor: str = "") -> tuple[Message, ...]:
    """Put received messages away. They are still listed with `status="archived"`, shown and found."""
    return mark(store, message_ids=message_ids, status="archived", actor=actor)


def read(store: Store, *, message_id: str, actor: str = "") -> reading.Shown:
    """Show a message and, if it is unread, mark it as read."""
    shown = reading.show(store, message_id=message_id)
    if shown.message.status != "unread":
        return shown
    (message,) = mark(store, message_ids=[shown.message.id], status="read", actor=actor)
    return replace(shown, message=message)


def edit(
    store: Store,
    *,
    message_id: str,
    subject: str | None = None,
    message: str | None = None,
    priority: str | None = None,
    message_type: str | None = None,
    context: Mapping[str, Any] | None = None,
    deliver_at: datetime | str | None = None,
) -> Message:
    """Change a message that waits for its delivery; what was delivered does not change any more."""
    limit = store.limit("body")
    later = _delivery_time(store, deliver_at)
    given = {
        "subject": None if subject is None else check_subject(subject),
        "body": None if message is None else _check_body(message, limit),
        "priority": None if priority is None else check_word(priority, PRIORITIES, "priority"),
        "type": None if message_type is None else check_word(message_type, TYPES, "type"),
        "context": None if context is None else _check_context(context),
        "deliver_at": later,
    }
    facts = {key: value for key, value in given.items() if value is not None}

    def build(tx: Transaction) -> Message:
        old = reading.find(tx.view, message_id)
        if old.deliver_at is None or old.deliver_at <= tx.now:
            raise Invalid(
                f"{old.id} was delivered and does not change any more",
                field="message_id",
                hint=f"answer it instead: sbfs message reply {old.id}",
            )
        tx.actor = old.from_project
        new = replace(old, **facts)  # type: ignore[arg-type]
        for kind, project in ((OUTBOX, old.from_project), (INBOX, old.to_project)):
            _move(tx, kind, project, old, facts)
        tx.describe(f"{old.from_project} changes a message to {old.to_project}: {new.subject}", Ids=old.id)
        return new

    return store.write("message.edit", build)


def _move(tx: Transaction, kind: Kind[Message], project: str, old: Message, facts: Mapping[str, Any]) -> None:
    """Change one copy, which keeps what only it holds, and move it where its day's folder changes."""
    name = projects.name_now(tx.view, project)
    before = kind.path_of(project=name, date=old.date, id=old.id)
    record = tx.find(before)
    if record is None:
        return
    new = replace(load(record.data), **facts)
    after = kind.path_of(project=name, date=new.date, id=new.id)
    tx.rewrite(kind, replace(record, path=after), dump(new))
    if after != before:
        tx.drop(before, kind)


def remove(store: Store, *, message_id: str, box: str | None = None, actor: str = "") -> Message:
    """Remove a message from its inbox and its outbox, or from one of them. `sbfs undo` brings it back."""

    def build(tx: Transaction) -> Message:
        message = reading.find(tx.view, message_id)
        removed = 0
        for kind, name, project in ((INBOX, "inbox", message.to_project), (OUTBOX, "outbox", message.from_project)):
            path = reading.path_in(tx.view, kind, project, message)
            if box in (None, name) and path and tx.find(path):
                tx.remove(kind, path)
                removed += 1
        if not removed:
            raise NotFound("message", message_id, hint=f"it is not in the {box}")
        tx.describe(f"Remove a message from {message.from_project}: {message.subject}", Ids=message.id)
        return message

    if box not in (None, "inbox", "outbox"):
        raise Invalid(f"{box!r} is neither inbox nor outbox", field="box")
    return store.write("message.remove", build, actor=actor)


# -- on the way ------------------------------------------------------------------------------------


def _deliver(
    tx: Transaction, draft: Message, sender: Project, recipients: Sequence[Project], contents: Sequence[Content]
) -> Sent:
    """Put a draft into the outbox and every inbox."""
    tx.actor = sender.name
    tx.need(projects.KIND.path_of(project=sender.name))
    sent = []
    for recipient in recipients:
        tx.need(projects.KIND.path_of(project=recipient.name))
        attached = attachments.put(tx, (sender.name, recipient.name), contents)
        sent.append(put_both(tx, _addressed(draft, sender, recipient, attached)))
    names = ", ".join(recipient.name for recipient in recipients)
    # What was taken out of the subject is taken out of the history too.
    subject = sent[0].subject
    tx.describe(f"{sender.name} → {names}: {subject}", Ids=" ".join(message.id for message in sent))
    return Sent(tuple(sent), dict(tx.redacted))


def _addressed(draft: Message, sender: Project, recipient: Project, attached: tuple[Attachment, ...]) -> Message:
    id = new_id("msg", draft.when)
    known = {
        "from_alias": sender.alias,
        "from_host": sender.host,
        "to_alias": recipient.alias,
        "to_host": recipient.host,
    }
    facts = {**{key: value for key, value in known.items() if value}, **draft.facts}
    return replace(
        draft, id=id, to_project=recipient.name, attachments=attached, thread=draft.thread or id, facts=facts
    )


def put_both(tx: Transaction, message: Message) -> Message:
    """Write both copies of a message; returns it as it was kept, secrets taken out."""
    data = dump(replace(message, status=""))
    places = {"date": message.date, "id": message.id}
    kept = tx.create(OUTBOX, OUTBOX.path_of(project=message.from_project, **places), data)
    put_received(tx, load(kept.data))
    return load(kept.data)


def put_received(tx: Transaction, message: Message) -> None:
    """Write the copy of the one who receives it, unread."""
    path = INBOX.path_of(project=message.to_project, date=message.date, id=message.id)
    tx.create(INBOX, path, dump(replace(message, status="unread")))


def _recipients(view: View, sender: Project, names: Sequence[str], related: str) -> tuple[Project, ...]:
    """The projects that names, groups and relations stand for, each once."""
    wanted: list[str] = []
    for name in names:
        wanted += projects.members(view, name[1:]) if name.startswith("@") else [name]
    if related:
        if related not in projects.RELATIONS:
            raise Invalid(f"{related!r} is none of {', '.join(projects.RELATIONS)}", field="related")
        wanted += sender.relations.get(related, ())
    found = {project.name: project for project in (projects.resolve(view, name) for name in wanted)}
    if any(name.startswith("@") for name in names) and len(found) > 1:
        found.pop(sender.name, None)
    if not found:
        raise Invalid(
            "nobody would receive this", field="to_project", hint="name a project, a @group, or --related uses"
        )
    return tuple(found.values())


def _thread_of(view: View, id: str) -> str:
    """The thread that an answer to a message belongs to; a message that is not here begins it."""
    try:
        return reading.find(view, id).thread
    except NotFound:
        return id


def _received(tx: Transaction, id: str) -> Record:
    paths = tx.view.find((INBOX,), id, what="message")
    record = tx.find(paths[0])
    if record is None:
        raise NotFound("message", id, hint="it was removed; 'sbfs log' shows when")
    return record


def _delivery_time(store: Store, moment: datetime | str | None) -> datetime | None:
    if moment is None or isinstance(moment, datetime):
        return moment
    return times.later(moment, now=store.clock())


def _check_body(body: str, limit: int) -> str:
    return check_size(body, field="message", limit=limit, hint="attach it as a file, or raise limits.body in sbfs.yaml")


def _check_context(context: Mapping[str, Any] | None) -> dict[str, Any]:
    if context is not None and not isinstance(context, Mapping):
        raise Invalid("must be a mapping", field="context", hint='write it as {"key": "value"}')
    return dict(context or {})
