"""The one table of verbs: domain function ↔ command ↔ MCP tool, and the document that each answers with.

A document is what `--json` prints and what the tool of the verb returns. Skins call `run` and print;
they add nothing.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sbfs import times
from sbfs.errors import Error
from sbfs.store import Page, Store

# A domain is fetched when one of its verbs is called: every command loads this module.
if TYPE_CHECKING:
    from sbfs import (
        configs,
        conflicts,
        doctor,
        documentation,
        history,
        messages,
        projects,
        quality,
        redacting,
        reflections,
        search,
        sync,
        templating,
        worktree,
    )
    from sbfs.messages.reading import Shown
    from sbfs.messages.writing import Sent

Document = dict[str, Any]

PREVIEW = 1000
"""Characters of a long text that a list shows."""


@dataclass(frozen=True)
class Verb:
    """name: of the command, `message.send`. call: the domain's function, by its place below `sbfs`. answer:
    its value → the document without `success`; a function, or its place. tool: the MCP tool's name, or "".
    outcome: its value → whether that is a success."""

    name: str
    call: str
    answer: Callable[[Any], Document] | str
    tool: str = ""
    outcome: Callable[[Any], Document] = lambda _: {"success": True}

    @property
    def function(self) -> Callable[..., Any]:
        """The domain's function."""
        return _fetched(self.call)

    def document(self, value: Any) -> Document:
        """What the verb answers with."""
        answer = _fetched(self.answer) if isinstance(self.answer, str) else self.answer
        return {**self.outcome(value), **answer(value)}


def _fetched(place: str) -> Callable[..., Any]:
    module, _, name = place.rpartition(".")
    function: Callable[..., Any] = getattr(importlib.import_module(f"sbfs.{module}"), name)
    return function


def run(verb: str, store: Store, **arguments: Any) -> Document:
    """Call a verb. Returns its document; errors are raised as they are."""
    entry = BY_NAME[verb]
    return entry.document(entry.function(store, **arguments))


def _all_valid(saved: worktree.Saved) -> Document:
    """Edits that could not be saved are an error, beside what was saved."""
    if not saved.invalid:
        return {"success": True}
    first, count = saved.invalid[0], len(saved.invalid)
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
    from sbfs.messages.value import dump

    data = dump(message)
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
    return document | _redacted(sent.redacted)


def _mail_file(made: Any) -> Document:
    unreadable = [{"path": path, "error": why} for path, why in made.unreadable]
    facts = {"format": made.format, "count": made.count, "unreadable": unreadable}
    return {"export_path": made.path, "size_bytes": made.size, **facts}


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


def _reflection(one: reflections.Reflection, *, preview: bool = False) -> Document:
    """A reflection in the shape of its file, and its project. preview: cut a long text and say so."""
    from sbfs.reflections import dump

    place = {"id": one.id, "project": one.project}
    data = place | dump(one) | place
    if preview and len(one.text) > PREVIEW:
        data |= {"text": one.text[:PREVIEW], "truncated": True}
    return data


def _shown_reflection(shown: reflections.Shown) -> Document:
    return {"reflection": _reflection(shown.reflection), "path": shown.path, "edited": shown.edited}


def _written_reflection(written: reflections.Written) -> Document:
    return {"reflection": _reflection(written.reflection)} | _redacted(written.redacted)


def _measurement(one: quality.Measurement) -> Document:
    from sbfs.quality.value import dump

    place = {"id": one.id, "project": one.project}
    return place | dump(one) | place


def _shown_measurement(shown: quality.Shown) -> Document:
    return {"measurement": _measurement(shown.measurement), "path": shown.path, "edited": shown.edited}


def _written_measurement(written: quality.Written) -> Document:
    return {"measurement": _measurement(written.measurement)} | _redacted(written.redacted)


def _config(config: configs.Config) -> Document:
    facts = {"project": config.project, "name": config.name, "format": config.format, "path": config.path}
    return {**facts, "size": len(config.text.encode())}


def _configs(found: tuple[configs.Config, ...]) -> Document:
    return {"configs": [_config(one) for one in found], "count": len(found)}


def _got(shown: configs.Shown) -> Document:
    return {"config": _config(shown.config), "value": shown.value, "text": shown.text, "edited": shown.edited}


def _templates(found: tuple[templating.Template, ...]) -> Document:
    items = [
        {
            "name": one.name,
            "kind": one.kind,
            "description": one.description,
            "fields": [plain(each) for each in one.fields],
            "files": [*one.files],
            "origin": one.origin,
        }
        for one in found
    ]
    return {"templates": items, "count": len(items), "total": len(items), "next": None}


def _redacted(found: Mapping[str, int]) -> Document:
    return {"redacted": dict(found)} if found else {}


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
    return document | _redacted(saved.redacted)


def _checked(checked: doctor.Checked) -> Document:
    findings = [plain(finding) for finding in checked.findings]
    return {"findings": findings, "count": len(findings), "left": len(checked.left), "records": checked.records}


def _operation(operation: history.Operation) -> Document:
    data: Document = plain(operation)
    return data if operation.undoes else {key: value for key, value in data.items() if key != "undoes"}


def _conflict(conflict: conflicts.Conflict) -> Document:
    from sbfs.conflicts import record_of

    return record_of(conflict).data


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


def _found(found: search.Results) -> Document:
    results = [_result(plain(one)) for one in found.results]
    document: Document = {"query": found.query, "results": results, "count": len(results)}
    document |= {"total": found.total, "next": found.next}
    facts = {"spelled": plain(found.spelled), "incomplete": found.incomplete, "notice": found.notice}
    return {**document, **{name: fact for name, fact in facts.items() if fact}}


def _found_docs(answer: documentation.FoundDocs) -> Document:
    document = _found(answer.results)
    for said, one in zip(document["results"], answer.found, strict=True):
        said |= {"name": one.name, "doc_type": one.doc_type, "docstring": one.docstring}
        said |= {"file_path": one.file_path, "line": one.line}
    return document


_ALWAYS = ("id", "kind", "project", "title", "timestamp", "score", "snippet", "path")
"""What every result says, whether it is empty or not."""


def _result(data: Document) -> Document:
    # What a kind adds is said even where it is not known; of a turn, so is its quality.
    extra = data.pop("extra")
    said = {key: value for key, value in data.items() if key in _ALWAYS or value not in ("", None, [], {})}
    said |= extra | ({"quality_score": data["quality_score"]} if data["conversation_id"] else {})
    if said["matches"] == 1:
        del said["matches"]
    return said


def _taken_out(found: redacting.Redacted) -> Document:
    files = [plain(file) for file in found.files]
    facts = {"kinds": found.kinds, "left": [*found.left], "dry_run": found.dry_run}
    return {"files": files, "count": found.count, **facts}


VERBS = (
    Verb("status", "worktree.status", _status),
    Verb("save", "worktree.save", _saved, outcome=_all_valid),
    Verb("log", "history.log", _page("operations", _operation)),
    Verb("undo", "history.undo", lambda undone: {"undone": _operation(undone)}),
    Verb("check", "doctor.check", _checked, outcome=lambda checked: {"success": not checked.left}),
    Verb("redact", "redacting.redact", _taken_out),
    Verb("sync", "sync.sync", _synced, "sync_store"),
    Verb("remote.add", "sync.remote_add", lambda remote: {"remote": plain(remote)}),
    Verb("remote.list", "sync.remote_list", _remotes),
    Verb("remote.remove", "sync.remote_remove", lambda remote: {"remote": plain(remote)}),
    Verb("conflicts.list", "conflicts.list", _page("conflicts", _conflict)),
    Verb("conflicts.show", "conflicts.show", lambda conflict: {"conflict": _conflict(conflict)}),
    Verb("conflicts.settle", "settling.settle", lambda conflict: {"conflict": _conflict(conflict)}),
    Verb("project.add", "projects.add", lambda project: {"project": _project(project)}),
    Verb("project.list", "projects.list", _page("projects", _project)),
    Verb("project.show", "projects.show", lambda project: {"project": _project(project)}),
    Verb("project.set", "projects.set", lambda project: {"project": _project(project)}),
    Verb("project.relate", "projects.relate", lambda project: {"project": _project(project)}),
    Verb("project.clone", "bundles.clone_project", lambda project: {"project": _project(project)}),
    Verb("project.rename", "projects.rename", lambda project: {"project": _project(project)}),
    Verb("project.remove", "projects.remove", lambda project: {"project": _project(project)}),
    Verb("project.group.add", "projects.group_add", lambda group: {"group": _group(group)}),
    Verb("project.group.list", "projects.group_list", _page("groups", _group)),
    Verb("project.group.show", "projects.group_show", lambda group: {"group": _group(group)}),
    Verb("project.group.remove", "projects.group_remove", lambda group: {"group": _group(group)}),
    Verb("message.send", "messages.send", _sent, "send_project_message"),
    Verb("message.list", "messages.list", _page("messages", _listed), "list_project_messages"),
    Verb("message.show", "messages.show", _shown),
    Verb("message.read", "messages.read", _shown, "read_message"),
    Verb("message.edit", "messages.edit", lambda message: {"message": message_document(message)}),
    Verb("message.remove", "messages.remove", lambda message: {"message_id": message.id}),
    Verb("message.reply", "messages.reply", _sent, "reply_to_message"),
    Verb("message.forward", "messages.forward", _sent, "forward_project_message"),
    Verb("message.archive", "messages.archive", _marked),
    Verb("message.mark", "messages.mark", _marked, "mark_messages"),
    Verb("message.thread", "messages.thread", _thread),
    Verb("message.export", "messages.export", _mail_file),
    Verb("message.count", "messages.count", lambda count: {"count": count}, "count_messages"),
    Verb("reflection.add", "reflections.add", _written_reflection, "add_reflection"),
    Verb("reflection.list", "reflections.list", _page("reflections", lambda one: _reflection(one, preview=True))),
    Verb("reflection.show", "reflections.show", _shown_reflection),
    Verb("reflection.edit", "reflections.edit", _written_reflection),
    Verb("reflection.remove", "reflections.remove", lambda one: {"reflection_id": one.id}),
    Verb("quality.add", "quality.add", _written_measurement, "add_quality"),
    Verb("quality.measure", "quality.measure", _written_measurement),
    Verb("quality.list", "quality.list", _page("measurements", _measurement)),
    Verb("quality.show", "quality.show", _shown_measurement),
    Verb("quality.trend", "quality.trend", lambda trend: {"trend": plain(trend)}),
    Verb("quality.remove", "quality.remove", lambda one: {"quality_id": one.id}),
    Verb("stats", "stats.stats", "documents.numbers.document"),
    Verb("dashboard", "dashboard.dashboard", lambda page: plain(vars(page))),
    Verb("config.set", "configs.set", lambda one: {"config": _config(one)}),
    Verb("config.get", "configs.get", _got),
    Verb("config.list", "configs.list", _page("configs", _config)),
    Verb("config.remove", "configs.remove", lambda one: {"config": _config(one)}),
    Verb("config.apply", "configs.apply", _configs),
    Verb("config.templates", "furnishing.templates", _templates),
    Verb("message.search", "search.in_messages", _found),
    Verb("conversation.search", "search.in_conversations", _found, "search_conversations"),
    Verb("reflection.search", "search.in_reflections", _found),
    Verb("search", "search.search", _found, "search_store"),
    Verb("context", "context.context", "context.document", "get_agent_context"),
    Verb("index.status", "search.index_status", lambda state: {"index": plain(state)}),
    Verb("index.rebuild", "search.index_rebuild", plain),
    Verb("index.verify", "search.index_verify", plain, outcome=lambda verified: {"success": verified.sound}),
    Verb("conversation.import", "conversations.import_", "documents.conversations.imported", "import_conversations"),
    Verb("conversation.list", "conversations.list", "documents.conversations.page"),
    Verb("conversation.show", "conversations.show", "documents.conversations.shown"),
    Verb("conversation.export", "conversations.export", lambda made: dict(vars(made))),
    Verb("conversation.remove", "conversations.remove", lambda one: {"conversation_id": one.id}),
    Verb("export", "bundles.export", "documents.bundles.exported", "export_session_config"),
    Verb("backup", "bundles.backup", "documents.bundles.backed_up"),
    Verb("import", "bundles.import_", "documents.bundles.imported", "import_session_config"),
    Verb("graph.index", "graph.index", "documents.graph.indexed", "index_code_graph"),
    Verb("graph.show", "graph.show", "documents.graph.shown"),
    Verb("graph.symbols", "graph.symbols", "documents.graph.symbols"),
    Verb("graph.callers", "graph.callers", "documents.graph.callers", "query_code_graph"),
    Verb("graph.callees", "graph.callees", "documents.graph.callees"),
    Verb("graph.imports", "graph.imports", "documents.graph.imports"),
    Verb("graph.imported-by", "graph.imported_by", "documents.graph.imported_by"),
    Verb("graph.related", "graph.related", "documents.graph.related", "find_related_code"),
    Verb("graph.path", "graph.path", "documents.graph.path"),
    Verb("graph.impact", "graph.impact", "documents.graph.impact"),
    Verb("graph.cycles", "graph.cycles", "documents.graph.cycles"),
    Verb("graph.unused", "graph.unused", "documents.graph.unused"),
    Verb("graph.metrics", "graph.metrics", "documents.graph.metrics"),
    Verb("graph.diff", "graph.diff", "documents.graph.difference"),
    Verb("graph.export", "graph.export", "documents.graph.exported"),
    Verb("docs.index", "documentation.index", "documents.documentation.indexed", "index_documentation"),
    Verb("docs.search", "documentation.search", _found_docs, "search_documentation"),
    Verb("docs.list", "documentation.list", "documents.documentation.listed"),
    Verb("docs.show", "documentation.show", "documents.documentation.shown"),
    Verb("docs.coverage", "documentation.coverage", "documents.documentation.covered"),
    Verb("docs.export", "documentation.export", "documents.documentation.exported"),
    Verb("graph.view", "graph.view", "documents.graph.viewed"),
    Verb("conversation.stats", "conversations.stats", "documents.statistics.document", "get_conversation_stats"),
)

BY_NAME = {verb.name: verb for verb in VERBS}
