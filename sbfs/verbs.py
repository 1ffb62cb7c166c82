"""The one table of verbs: domain function ↔ command ↔ MCP tool, and the document that each answers with.

A document is what `--json` prints and what the tool of the verb returns. Skins call `run` and print;
they add nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import Any

from sbfs import (
    conflicts,
    conversations,
    doctor,
    history,
    messages,
    projects,
    redacting,
    settling,
    sync,
    times,
    worktree,
)
from sbfs.documents import conversations as talks
from sbfs.errors import Error
from sbfs.messages.reading import PREVIEW, Shown
from sbfs.messages.value import dump as dump_message
from sbfs.messages.writing import Sent
from sbfs.store import Page, Store

Document = dict[str, Any]


@dataclass(frozen=True)
class Verb:
    """name: of the command, `message.send`. function: of the domain. answer: its value → the document
    without `success`. tool: the MCP tool's name, or ""."""

    name: str
    function: Callable[..., Any]
    answer: Callable[[Any], Document]
    tool: str = ""


def run(verb: str, store: Store, **arguments: Any) -> Document:
    """Call a verb. Returns its document; errors are raised as they are."""
    entry = BY_NAME[verb]
    value = entry.function(store, **arguments)
    if isinstance(value, doctor.Checked) and value.left:
        return {"success": False, **entry.answer(value)}
    if isinstance(value, worktree.Saved) and value.invalid:
        return {**_invalid_edits(value.invalid), **entry.answer(value)}
    return {"success": True, **entry.answer(value)}


def _invalid_edits(invalid: tuple[worktree.Edit, ...]) -> Document:
    first, count = invalid[0], len(invalid)
    place = f"{first.path}:{first.line}" if first.line else first.path
    said = "an edit is invalid" if count == 1 else f"{count} edits are invalid; the first"
    hint = first.hint or "mend the file and save again"
    return {"success": False, "error": f"{said}: {place}: {first.error}", "code": "invalid", "hint": hint}


def error_document(error: Error) -> Document:
    """An error as a document."""
    said = {"success": False, "error": error.sentence, "code": error.code, "hint": error.hint}
    return {**said, **({"details": error.details} if error.details else {})}


def plain(value: Any) -> Any:
    """A domain's value as JSON knows it: dataclasses as mappings, times as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, datetime):
        return times.dump(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def message_document(message: messages.Message, *, preview: bool = False) -> Document:
    """A message in the shape of its file. preview: cut a long body and say so."""
    data = dump_message(message)
    if preview and len(message.body) > PREVIEW:
        data["content"] = {**data["content"], "message": message.body[:PREVIEW], "truncated": True}
    return data


def _shown(shown: Shown) -> Document:
    extra = {"box": shown.box, "path": shown.path, "edited": shown.edited}
    document = {"message": message_document(shown.message), **extra, "delivery": shown.delivery}
    return {**document, **({"attachment_trouble": shown.trouble} if shown.trouble else {})}


def _listed(shown: Shown) -> Document:
    delivery = {"delivery": shown.delivery} if shown.box == "outbox" else {}
    return {**message_document(shown.message, preview=True), **delivery}


def _sent(sent: Sent) -> Document:
    first = sent.messages[0]
    document: Document = {"message_id": first.id, "timestamp": times.dump(first.timestamp), "priority": first.priority}
    copies = [{"message_id": one.id, "to_project": one.to_project} for one in sent.messages]
    document["messages"] = copies
    if first.deliver_at:
        document["deliver_at"] = times.dump(first.deliver_at)
    return {**document, **({"redacted": dict(sent.redacted)} if sent.redacted else {})}


def _page(noun: str, item: Callable[[Any], Any]) -> Callable[[Page], Document]:
    def answer(page: Page) -> Document:
        document: Document = {noun: [item(one) for one in page.items], "count": len(page.items)}
        document |= {"total": page.total if page.total >= 0 else None, "next": page.next}
        if page.unreadable:
            document["unreadable"] = [{"path": path, "error": why} for path, why in page.unreadable]
        return document

    return answer


def _project(project: projects.Project) -> Document:
    data = plain(project)
    return {**{key: value for key, value in data.items() if key != "extra"}, **project.extra}


def _group(group: projects.Group) -> Document:
    data = plain(group)
    return {**{key: value for key, value in data.items() if key != "extra"}, **group.extra}


def _thread(found: tuple[tuple[messages.Message, int], ...]) -> Document:
    return {"messages": [{**message_document(one), "depth": depth} for one, depth in found], "count": len(found)}


def _marked(found: tuple[messages.Message, ...]) -> Document:
    return {"messages": [{"message_id": one.id, "status": one.status} for one in found], "count": len(found)}


def _edit(edit: worktree.Edit) -> Document:
    document: Document = {"path": edit.path, "state": edit.state, "kind": edit.kind, "valid": edit.valid}
    return {**document, **({"error": edit.error, "line": edit.line, "hint": edit.hint} if edit.error else {})}


def _status(status: worktree.Status) -> Document:
    edits = [_edit(edit) for edit in status.edits]
    facts = {key: value for key, value in vars(status).items() if key not in ("edits", "root")}
    return {"store": status.root, **facts, "edits": edits, "clean": not edits and not status.doing}


def _saved(saved: worktree.Saved) -> Document:
    document: Document = {
        "saved": [_edit(edit) for edit in saved.saved],
        "invalid": [_edit(edit) for edit in saved.invalid],
        "others": [*saved.others],
        "delivered": [*saved.delivered],
    }
    return {**document, **({"redacted": saved.redacted} if saved.redacted else {})}


def _checked(checked: doctor.Checked) -> Document:
    findings = [plain(finding) for finding in checked.findings]
    return {"findings": findings, "count": len(findings), "left": len(checked.left), "records": checked.records}


def _operation(operation: history.Operation) -> Document:
    data: Document = plain(operation)
    return data if operation.undoes else {key: value for key, value in data.items() if key != "undoes"}


def _conflict(conflict: conflicts.Conflict) -> Document:
    return conflicts.record_of(conflict).data


def _synced(synced: sync.Synced) -> Document:
    facts = {name: value for name, value in vars(synced).items() if name not in ("messages", "conflicts", "invalid")}
    kept = [_conflict(one) for one in synced.conflicts]
    return {
        **facts,
        "messages": [*synced.messages],
        "conflicts": kept,
        "invalid": [_edit(one) for one in synced.invalid],
    }


def _remotes(remotes: tuple[sync.Remote, ...]) -> Document:
    return {"remotes": [plain(one) for one in remotes], "count": len(remotes), "total": len(remotes), "next": None}


def _redacted(found: redacting.Redacted) -> Document:
    files = [plain(file) for file in found.files]
    facts = {"kinds": found.kinds, "left": [*found.left], "dry_run": found.dry_run}
    return {"files": files, "count": found.count, **facts}


VERBS = (
    Verb("status", worktree.status, _status),
    Verb("save", worktree.save, _saved),
    Verb("log", history.log, _page("operations", _operation)),
    Verb("undo", history.undo, lambda undone: {"undone": _operation(undone)}),
    Verb("check", doctor.check, _checked),
    Verb("redact", redacting.redact, _redacted),
    Verb("sync", sync.sync, _synced, "sync_store"),
    Verb("remote.add", sync.remote_add, lambda remote: {"remote": plain(remote)}),
    Verb("remote.list", sync.remote_list, _remotes),
    Verb("remote.remove", sync.remote_remove, lambda remote: {"remote": plain(remote)}),
    Verb("conflicts.list", conflicts.list, _page("conflicts", _conflict)),
    Verb("conflicts.show", conflicts.show, lambda conflict: {"conflict": _conflict(conflict)}),
    Verb("conflicts.settle", settling.settle, lambda conflict: {"conflict": _conflict(conflict)}),
    Verb("project.add", projects.add, lambda project: {"project": _project(project)}),
    Verb("project.list", projects.list, _page("projects", _project)),
    Verb("project.show", projects.show, lambda project: {"project": _project(project)}),
    Verb("project.set", projects.set, lambda project: {"project": _project(project)}),
    Verb("project.relate", projects.relate, lambda project: {"project": _project(project)}),
    Verb("project.rename", projects.rename, lambda project: {"project": _project(project)}),
    Verb("project.remove", projects.remove, lambda project: {"project": _project(project)}),
    Verb("project.group.add", projects.group_add, lambda group: {"group": _group(group)}),
    Verb("project.group.list", projects.group_list, _page("groups", _group)),
    Verb("project.group.show", projects.group_show, lambda group: {"group": _group(group)}),
    Verb("project.group.remove", projects.group_remove, lambda group: {"group": _group(group)}),
    Verb("message.send", messages.send, _sent, "send_project_message"),
    Verb("message.list", messages.list, _page("messages", _listed), "list_project_messages"),
    Verb("message.show", messages.show, _shown),
    Verb("message.read", messages.read, _shown),
    Verb("message.edit", messages.edit, lambda message: {"message": message_document(message)}),
    Verb("message.remove", messages.remove, lambda message: {"message_id": message.id}),
    Verb("message.reply", messages.reply, _sent),
    Verb("message.forward", messages.forward, _sent, "forward_project_message"),
    Verb("message.archive", messages.archive, _marked),
    Verb("message.mark", messages.mark, _marked),
    Verb("message.thread", messages.thread, _thread),
    Verb("message.count", messages.count, lambda count: {"count": count}),
    Verb("conversation.import", conversations.import_, talks.imported, "import_conversations"),
    Verb("conversation.list", conversations.list, talks.page),
    Verb("conversation.show", conversations.show, talks.shown),
    Verb("conversation.export", conversations.export, lambda made: dict(vars(made))),
    Verb("conversation.remove", conversations.remove, lambda one: {"conversation_id": one.id}),
)

BY_NAME = {verb.name: verb for verb in VERBS}
