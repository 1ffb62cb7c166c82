"""What a person wrote into an outbox by hand: completed, and delivered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sbfs import projects, times
from sbfs.errors import Invalid, NotFound
from sbfs.kind import new_id
from sbfs.messages.value import INBOX, OUTBOX, Message, dump, load
from sbfs.record import Record
from sbfs.store import Transaction, View


@dataclass(frozen=True)
class Handwritten:
    """A message by hand, and its record as it will lie in the outbox."""

    message: Message
    record: Record


def is_outbox(path: str) -> bool:
    """Whether a file lies somewhere in an outbox."""
    parts = path.split("/")
    return len(parts) > 3 and parts[0] == "projects" and parts[2] == "outbox" and path.endswith(".yaml")


def complete(tx: Transaction, record: Record) -> Handwritten:
    """Fill in what a person left out (id, time, sender, priority) and find its place.

    Raises Invalid for what cannot be guessed: to whom, about what, and the text.
    """
    project = record.path.split("/")[1]
    written = {key: value for key, value in record.data.items() if value is not None}
    if written.get("from_project", project) != project:
        raise Invalid(f"must be {project!r}, whose outbox this is", field="from_project")
    _check_needed(written)
    data = _filled(tx, written, project)
    OUTBOX.check(Record("", data, record.raw))
    try:
        recipient = projects.resolve(tx.view, data["to_project"]).name
    except NotFound as error:
        raise Invalid(error.sentence, field="to_project", hint=error.hint) from None
    data["to_project"] = recipient
    message = load(data)
    path = OUTBOX.path_of(project=project, date=message.date, id=message.id)
    if path == record.path and data == record.data:
        return Handwritten(message, record)
    # Written anew in the usual order, unless there are comments to keep.
    filled = record.changed(data) if b"#" in record.raw else Record.make(path, _ordered(data, message))
    return Handwritten(message, replace(filled, path=path))


def _filled(tx: Transaction, written: dict[str, Any], project: str) -> dict[str, Any]:
    data = dict(written)
    if isinstance(data.get("content"), str):
        data["content"] = {"type": "notification", "message": data["content"]}
    when = times.dump(tx.now)
    data.setdefault("timestamp", when)
    if "id" not in data:
        field = "deliver_at" if "deliver_at" in data else "timestamp"
        data["id"] = new_id("msg", times.load(data[field], field=field))
    data.setdefault("from_project", project)
    data.setdefault("priority", "normal")
    data.pop("status", None)
    data.setdefault("thread", data["id"])
    return data


def _check_needed(data: dict[str, Any]) -> None:
    if "removed" in data:
        raise Invalid("is no message but what is left of one", field="removed", hint="remove this file")
    for field in ("to_project", "subject", "content"):
        if not data.get(field):
            raise Invalid("is missing", field=field, hint="a message needs to_project, subject and content.message")
    if not isinstance(data["to_project"], str):
        raise Invalid("must be the name of one project", field="to_project", hint="write a file for each")


def _ordered(data: dict[str, Any], message: Message) -> dict[str, Any]:
    order = dump(message)
    return {**{key: data[key] for key in order if key in data}, **data}


def inbox_path(view: View, message: Message) -> str | None:
    """Where the received copy of a sent message belongs; None if its recipient is gone."""
    try:
        recipient = projects.resolve(view, message.to_project).name
    except NotFound:
        return None
    return INBOX.path_of(project=recipient, date=message.date, id=message.id)
