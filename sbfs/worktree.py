"""People's edits of the files: what they changed, whether it is valid, and making it count."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sbfs import configs, files, kinds, projects, redact, times
from sbfs.configs.writing import check_by_schema
from sbfs.errors import Invalid
from sbfs.git import worktree
from sbfs.kind import Kind
from sbfs.messages import INBOX, OUTBOX, delivery
from sbfs.messages.writing import put_received
from sbfs.record import Record, etag
from sbfs.store import SETTINGS, Store, Transaction, View, checked_edit, refuse_secret, without_secrets


@dataclass(frozen=True)
class Edit:
    """One unsaved edit. state: added, changed or deleted. kind: of the record, "" for a plain file,
    "other" for a file that is none of the store's. error, line and hint: where it is invalid."""

    path: str
    state: str
    kind: str
    error: str = ""
    line: int | None = None
    hint: str = ""

    @property
    def valid(self) -> bool:
        """Whether `save` would keep it."""
        return not self.error


@dataclass(frozen=True)
class Status:
    """A store at a glance. doing: what a person has under way with Git, or ""."""

    root: str
    id: str
    format: int
    branch: str
    revision: str
    subject: str
    projects: int
    edits: tuple[Edit, ...]
    doing: str = ""


@dataclass(frozen=True)
class Saved:
    """What `save` did. delivered: ids of messages that were written by hand and are sent now."""

    saved: tuple[Edit, ...]
    invalid: tuple[Edit, ...]
    others: tuple[str, ...]
    delivered: tuple[str, ...] = ()
    redacted: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """A secret in a file that a person is about to commit. type: what it looks like."""

    path: str
    line: int
    type: str


def secrets(store: Store) -> Iterator[Held]:
    """Every secret in an unsaved edit. `save` takes it out; a plain commit would keep it for ever."""
    for path in worktree.differing(store.repo, store.view().commit.tree):
        yield from _held(store, path, files.read(store.root / path) if (store.root / path).is_file() else None)


def staged_secrets(store: Store, index: Path | None = None) -> Iterator[Held]:
    """Every secret in what the next plain commit would hold. index: the one that Git made for it."""
    for path, id in worktree.staged(store.repo, index):
        yield from _held(store, path, store.repo.blob(id))


def _held(store: Store, path: str, data: bytes | None) -> Iterator[Held]:
    if data is None or b"\0" in data[:8192] or path == SETTINGS:
        return
    for type, line in redact.find(data.decode("utf-8", "replace"), store.rules()):
        yield Held(path, line, type)


def status(store: Store) -> Status:
    """What the store is, and every unsaved edit with its validity."""
    view = store.view()
    settings = store.settings()
    branch = store.repo.head_ref() or ""
    return Status(
        root=os.fspath(store.root),
        id=str(settings.get("id", "")),
        format=int(settings.get("format", 0)),
        branch=branch.removeprefix("refs/heads/"),
        revision=view.revision,
        subject=view.commit.subject,
        projects=projects.list(store, limit=0).total,
        edits=tuple(edits(store)),
        doing=store.repo.unfinished(),
    )


def edits(store: Store) -> Iterable[Edit]:
    """Every unsaved edit."""
    view = store.view()
    probe = Transaction(store, view, "status")
    for path in worktree.differing(store.repo, view.commit.tree):
        edit = _edit(view, path)
        if edit is not None:
            yield _checked(probe, edit)


def _edit(view: View, path: str) -> Edit | None:
    before = view.find_id(path)
    disk = _disk(view, path)
    if before == disk or disk is None and before is None:
        return None
    state = "added" if before is None else "deleted" if disk is None else "changed"
    kind = kinds.kind_of(path)
    handwritten = delivery.is_outbox(path) and before is None
    file = kinds.is_plain(path) or kinds.is_misplaced(path)
    name = kind.name if kind else "message" if handwritten else "" if file else "other"
    return Edit(path, state, name)


def _disk(view: View, path: str) -> str | None:
    """The etag of the file at a path; None where there is none."""
    file = f"{view.store.root}/{path}"
    if os.path.islink(file):
        return "link"
    data = files.read(file)
    return None if data is None else etag(data)


def _checked(tx: Transaction, edit: Edit) -> Edit:
    try:
        _adopt(tx, edit)
    except Invalid as error:
        line = error.line
        return replace(edit, error=": ".join(filter(None, [error.field, error.why])), line=line, hint=error.hint)
    return edit


def save(store: Store, *, paths: Sequence[str] = (), note: str = "", actor: str = "") -> Saved:
    """Check people's edits and commit the valid ones, as one commit; a message in an outbox is sent.

    paths: only these files or folders. note: the commit's subject. Invalid files stay as they are
    and are named; files that are none of the store's are left alone.
    """

    def build(tx: Transaction) -> Saved:
        found = [edit for path in _differing(store, tx) if (edit := _edit(tx.view, path))]
        wanted = [edit for edit in found if not paths or any(_below(edit.path, path) for path in paths)]
        ours = [_checked(tx, edit) for edit in wanted if edit.kind != "other"]
        saved = tuple(edit for edit in ours if edit.valid)
        delivered = tuple(_delivered(tx))
        tx.describe(note or _subject(tx, saved, delivered), **({"Ids": " ".join(delivered[:20])} if delivered else {}))
        invalid = tuple(edit for edit in ours if not edit.valid)
        others = tuple(edit.path for edit in wanted if edit.kind == "other")
        return Saved(saved, invalid, others, delivered, redacted=dict(tx.redacted))

    return store.write("save", build, actor=actor)


def _differing(store: Store, tx: Transaction) -> list[str]:
    return worktree.differing(store.repo, tx.view.commit.tree)


def _below(path: str, folder: str) -> bool:
    folder = folder.strip("/")
    return path == folder or path.startswith(folder + "/") or folder in ("", ".")


def _subject(tx: Transaction, saved: Sequence[Edit], delivered: Sequence[str]) -> str:
    if len(saved) == len(delivered) == 1:
        record = next(
            Record.parse(path, one.data) for path, one in tx.changes.items() if INBOX.places(path) and one.data
        )
        return f"{record.data['from_project']} → {record.data['to_project']}: {record.data['subject']}"
    if len(saved) == 1:
        verb = {"added": "Add", "changed": "Edit", "deleted": "Delete"}[saved[0].state]
        return f"{verb} {saved[0].path} by hand"
    return f"Save {len(saved)} edits made by hand"


def _delivered(tx: Transaction) -> Iterable[str]:
    """The ids of messages whose received copy this transaction makes, not takes over."""
    for path, change in tx.changes.items():
        if not change.disk and change.data and (places := INBOX.places(path)):
            yield places["id"]


def _adopt(tx: Transaction, edit: Edit) -> None:
    """Bring one edit into a transaction. Raises Invalid where it cannot be kept."""
    disk = files.read(files.locate(tx.store.root, edit.path))
    if delivery.is_outbox(edit.path) and edit.state == "added" and disk is not None:
        _adopt_handwritten(tx, edit.path, disk)
        return
    if kinds.is_misplaced(edit.path) and edit.state != "deleted":
        raise Invalid("is no place of a record", path=edit.path, hint="see docs/format.md for where records lie")
    kind = kinds.kind_of(edit.path)
    if kinds.is_plain(edit.path):
        if kinds.is_template(edit.path) and disk is not None:
            refuse_secret(edit.path, disk.decode("utf-8", "replace"), tx.rules)
        tx.adopt(None, edit.path, disk, etag(disk) if disk is not None else "absent")
        return
    before = tx.view.read(edit.path)
    after = _completed(tx, kind, edit.path, _clean(tx, kind, edit.path, disk, before), before)
    if kind is configs.KIND and after is not None:
        check_by_schema(tx, Record.parse(edit.path, after))
    tx.adopt(kind, edit.path, after, etag(disk) if disk is not None else "absent")


def _clean(
    tx: Transaction, kind: Kind[Any] | None, path: str, disk: bytes | None, before: bytes | None
) -> bytes | None:
    # Settings whose rules cannot be used are mended by saving better ones.
    rules = redact.BUILT_IN if path == SETTINGS else tx.rules
    return checked_edit(kind, path, disk, before, tx.redacted, rules=rules)


def _completed(
    tx: Transaction, kind: Kind[Any] | None, path: str, after: bytes | None, before: bytes | None
) -> bytes | None:
    """An edit with its `updated` brought along, so that a merge knows which side is later."""
    if after is None or kind is None or not any(one.name == "updated" for one in kind.fields):
        return after
    record = Record.parse(path, after)
    known: dict[str, Any] = {}
    with suppress(Invalid):  # What Git brought in may be unreadable; here it is put right.
        known = Record.parse(path, before).data if before else {}
    if record.removed or record.data.get("updated") != known.get("updated"):
        return after
    return record.changed({**record.data, "updated": times.dump(tx.now)}).raw


def _adopt_handwritten(tx: Transaction, path: str, disk: bytes) -> None:
    record = without_secrets(Record.parse(path, disk.replace(b"\r\n", b"\n")), tx.redacted, tx.rules)
    try:
        written = delivery.complete(tx, record)
    except Invalid as error:
        raise error.at(path, record.line_of(error.field)) from None
    target = written.record.path
    if target != path:
        if tx.find(target):
            raise Invalid(f"the message {written.message.id} was sent already", path=path, hint="remove this file")
        tx.adopt(None, path, None, etag(disk))
        tx.adopt(OUTBOX, target, written.record.raw, "absent")
    else:
        tx.adopt(OUTBOX, path, written.record.raw, etag(disk))
    inbox = delivery.inbox_path(tx.view, written.message)
    on_disk = files.read(tx.store.root / inbox) if inbox else None
    if inbox and on_disk is None and tx.find(inbox) is None:
        put_received(tx, replace(written.message, to_project=inbox.split("/")[1]))
