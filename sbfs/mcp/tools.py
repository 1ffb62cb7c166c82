"""The verbs that agents need, served as MCP tools on standard input and output.

A tool returns the document that its command prints with `--json`; an error is a result marked as
one, in the same shape. Names and parameters are fixed by the systems that already describe them.
Nothing but the protocol reaches standard output: the SDK guards it, and logs go to standard error.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import anyio.from_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, TextContent
from pydantic import ValidationError

from sbfs import __version__, messages, projects, times, verbs
from sbfs.conversations import hours
from sbfs.errors import Error, Failed, Invalid, Usage
from sbfs.mcp import pages
from sbfs.mcp.filters import taken
from sbfs.store import Store
from sbfs.verbs import Document

Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["unread", "read", "archived"]
Type = Literal["request", "response", "notification", "update"]

INSTRUCTIONS = (
    "Mail between projects, kept as files in a Git repository. Send with send_project_message, "
    "look for mail with list_project_messages, pass it on with forward_project_message. "
    "Keep what was learnt with add_reflection, and how good something is with add_quality. "
    "Before you begin, ask get_agent_context; search_store finds what is known. Before you change code, ask who uses "
    "it with query_code_graph; index_code_graph reads a folder. sync_store exchanges all of it with other machines."
)


class Tools:
    """The tools of one store. Calls come in threads and are taken one after the other."""

    def __init__(self, root: Path, lock_wait: float, exports: Path, own: str = ""):
        self._root, self._lock_wait, self._exports, self._own = root, lock_wait, exports, own
        self._store: Store | None = None
        self._one_at_a_time = threading.Lock()

    def _run(self, verb: str, **arguments: Any) -> Document:
        with self._one_at_a_time:
            if self._store is None:
                self._store = Store.open(self._root, lock_wait=self._lock_wait)
            self._check_who(self._store, verb, arguments)
            return verbs.run(verb, self._store, **arguments)

    def _check_who(self, store: Store, verb: str, arguments: Document) -> None:
        """Raise Invalid where an agent whose project is fixed would write as another, or mark another's mail."""
        if not self._own:
            return
        view = store.view()
        own = projects.name_now(view, self._own)
        if name := arguments.get(_WRITES_AS.get(verb, "")):
            self._refuse_other(own, projects.name_now(view, name), _WRITES_AS[verb])
        for id in arguments["message_ids"] if verb == "message.mark" else ():
            party = messages.show(store, message_id=id).message.to_project
            self._refuse_other(own, projects.name_now(view, party), "message_ids")

    def _refuse_other(self, own: str, name: str, field: str) -> None:
        if name != own:
            why = f"{name!r} is another project: this agent is {own}"
            raise Invalid(why, field=field, hint=f"use {own}")

    def send_project_message(
        self,
        from_project: str,
        to_project: str,
        subject: str,
        message: str,
        priority: Priority = "normal",
        message_type: Type = "notification",
        context: dict[str, Any] | None = None,
        in_reply_to: str = "",
        deliver_at: str | None = None,
    ) -> Document:
        """Send a message from one project to another, or to a group (`@name`).

        context: facts for programs. in_reply_to: the id of the message that this one answers.
        deliver_at: hold it back until then (ISO time, or words such as "tomorrow at 9:30").
        """
        return self._run(
            "message.send",
            from_project=from_project,
            to_project=to_project,
            subject=subject,
            message=message,
            priority=priority,
            message_type=message_type,
            context=context,
            in_reply_to=in_reply_to,
            # Words are meant in the zone of this machine.
            deliver_at=times.later(deliver_at, now=times.now().astimezone()) if deliver_at else None,
        )

    def list_project_messages(
        self,
        project: str,
        status: Status | None = None,
        priority: Priority | None = None,
        box: Literal["inbox", "outbox"] = "inbox",
        limit: int = 50,
        cursor: str | None = None,
    ) -> Document:
        """List a project's mail, newest first; long bodies are cut.

        box: `inbox` (received) or `outbox` (sent, with what became of it). cursor: a former
        answer's `next`, to go on.
        """
        return self._run(
            "message.list",
            project=project,
            status=status,
            priority=priority,
            box=box,
            limit=max(1, limit),
            cursor=cursor,
        )

    def forward_project_message(
        self, original_message_id: str, from_project: str, to_project: str, forward_note: str | None = None
    ) -> Document:
        """Pass a message on to another project, with its attachments, context and where it came from.

        forward_note: a word of your own, put above the quoted original.
        """
        return self._run(
            "message.forward",
            original_message_id=original_message_id,
            from_project=from_project,
            to_project=to_project,
            forward_note=forward_note,
        )

    def read_message(self, message_id: str, mark_read: bool = True) -> Document:
        """Read one message whole, and mark it as read.

        message_id: or a unique beginning of it. mark_read: false where it is another project's mail.
        """
        if not mark_read:
            return self._run("message.show", message_id=message_id)
        if self._own:
            self._run("message.mark", message_ids=[message_id], status="read")
        return self._run("message.read", message_id=message_id)

    def reply_to_message(
        self, message_id: str, message: str, priority: Priority = "normal", context: dict[str, Any] | None = None
    ) -> Document:
        """Answer a message: to the other party, in its thread.

        context: facts for programs.
        """
        given: dict[str, Any] = {"from_project": self._own} if self._own else {}
        return self._run(
            "message.reply", message_id=message_id, message=message, priority=priority, context=context, **given
        )

    def mark_messages(self, message_ids: list[str], status: Status) -> Document:
        """Set the status of received messages, by their ids: read, archived, or unread again."""
        return self._run("message.mark", message_ids=message_ids, status=status)

    def count_messages(self, project: str, unread: bool = True) -> Document:
        """Count a project's unread mail, or all that it received. It costs next to nothing."""
        return self._run("message.count", project=project, unread=unread)

    def sync_store(self, remote: str = "") -> Document:
        """Meet the team's other stores: save edits, fetch, merge by meaning, push. New mail is named.

        remote: its name; empty for the only one there is, or `origin`.
        """
        return self._run("sync", remote=remote)

    def add_reflection(
        self,
        project: str,
        title: str,
        text: str = "",
        type: Literal["insight", "decision", "lesson"] = "insight",
        tags: list[str] | None = None,
        conversation: str = "",
        turn: str = "",
        links: list[str] | None = None,
    ) -> Document:
        """Keep what a project learnt, so that later conversations find it.

        title: it in a line. conversation, turn: where it was learnt, by their ids. links: ids of
        records, or addresses.
        """
        return self._run(
            "reflection.add",
            project=project,
            title=title,
            text=text,
            type=type,
            tags=tags or (),
            conversation=conversation,
            turn=turn,
            links=links or (),
        )

    def add_quality(
        self,
        project: str,
        score: float | None = None,
        components: dict[str, float | None] | None = None,
        source: str = "person",
        commit: str = "",
        conversation: str = "",
        note: str = "",
    ) -> Document:
        """Keep how good a project, or one of its conversations, is: 0 to 100, null for what was not measured.

        components: parts by name, such as coverage; without a score, their mean is one. source: where
        the numbers came from. commit: of the project's source. conversation: whose score it is, by id.
        """
        return self._run(
            "quality.add",
            project=project,
            score=score,
            components=components,
            source=source,
            commit=commit,
            conversation=conversation,
            note=note,
        )

    def search_store(
        self,
        query: str,
        kinds: list[str] | None = None,
        project: str | None = None,
        filters: dict[str, Any] | None = None,
        limit: int = 20,
        group: Literal["auto", "none"] = "auto",
        around: int = 0,
        like: str = "",
        cursor: str | None = None,
    ) -> Document:
        """Find what a question asks for, in everything the store knows. Ask in your own words.

        filters: since, until (ISO date, or 7d), sender, recipient, role, model, agent, tool, status,
        priority, type, tags, flags (a word or several), min_quality, path, thinking, syntax. group: one
        result a conversation or thread, or `none`: one a turn. around: neighbours of each result. like:
        the id of a record, with an empty query: what is like it.
        """
        given = taken({**(filters or {}), **({"project": project} if project else {})})
        given |= {"group": group, "around": around, "like": like, "cursor": cursor, "limit": max(1, limit)}
        return self._run("search", query=query, kind=tuple(kinds or ()), **given)

    def get_agent_context(
        self,
        agent_id: str,
        query: str,
        context_type: Literal["conversations", "code_graph", "quality", "all"] = "all",
        budget: int = 4000,
    ) -> Document:
        """Gather what an agent should know before it begins: mail, conversations, code, reflections, docs, quality.

        agent_id: a project's name or alias. query: what it is about to do, or the failure it looks into; name files
        and symbols. budget: tokens that the answer may take at most. Each item has the id to read on by.
        """
        return self._run("context", agent_id=agent_id, query=query, context_type=context_type, budget=budget)

    def search_conversations(self, query: str, filters: dict[str, Any] | None = None, limit: int = 20) -> Document:
        """Find turns of conversations with models; the best of each conversation comes first.

        filters: project, since, until (ISO date, or 7d), model, agent, tool, role, min_quality,
        thinking (whether that is looked into).
        """
        return self._run("conversation.search", query=query, limit=max(1, limit), **taken(filters or {}))

    def get_conversation_stats(
        self, session_id: str, time_range: str | None = None, by: str = "", zone: str = "UTC"
    ) -> Document:
        """Count conversations: messages, prompts, tokens, tools with errors, time, cost, quality. Null is not measured.

        session_id: a project's name, `*` for all, or a conversation's id. time_range: `30d`, a day, or
        `2026-02-01..2026-02-28`, both included. by: also a list under each `day`, `week`, `month`,
        `project`, `model`, `agent`, `tool`, or two of them, `day,model`. zone: in which days are cut.
        """
        since, until = hours.read_range(time_range, times.now(), zone) if time_range else (None, None)
        asked = {"session_id": session_id, "since": since, "until": until, "by": by, "zone": zone}
        return self._run("conversation.stats", **asked)

    def import_conversations(
        self,
        paths: list[str],
        project: str = "",
        format: Literal["auto", "claude-code", "codex", "gemini", "jsonl"] = "auto",
        dry_run: bool = False,
        *,
        context: Context[Any, Any] | None = None,
    ) -> Document:
        """Import transcripts of coding agents: files, and all below folders. What is known is skipped.

        project: where they belong; empty where their working directories tell. dry_run: only say what would be
        imported and which secrets taken out.
        """
        given = {"paths": paths, "project": project, "format": format, "dry_run": dry_run}
        return self._run("conversation.import", progress=_Progress(context), **given)

    def export_session_config(
        self,
        session_id: str,
        include_reflections: bool = True,
        include_quality_history: bool = True,
        include_multi_project_config: bool = True,
        format: Literal["zip", "bundle"] = "zip",
    ) -> Document:
        """Write what is known of a project into one file that another store imports. Secrets in it are named.

        session_id: a project's name, `*` for the whole store, or a conversation's id. format: `zip`, or `bundle`
        for a Git bundle with the history.
        """
        wanted = (include_reflections, include_quality_history, include_multi_project_config)
        exclude = tuple(word for word, one in zip(("reflections", "quality", "groups"), wanted, strict=True) if not one)
        everything = session_id == "*"
        name = (
            "store" if everything else "".join(char if char.isalnum() or char in "._-" else "-" for char in session_id)
        )
        return self._run(
            "export",
            projects=() if everything else (session_id,),
            all=everything,
            exclude=exclude,
            format=format,
            output=self._exports / f"{name[:80]}.{format}",
            force=True,
        )

    def import_session_config(
        self,
        zip_path: str,
        merge_strategy: Literal["preview", "merge", "replace"] = "preview",
        map: list[str] | None = None,
        on_conflict: list[str] | None = None,
        only: list[str] | None = None,
    ) -> Document:
        """Bring in a file that another store exported, or what another system left. It begins with a preview.

        zip_path: a zip, a bundle, or a folder. merge_strategy: `preview` changes nothing, `merge` merges by meaning,
        `replace` makes the projects equal to the file. map: OLD=NEW names of projects. on_conflict: both, ours,
        theirs or newer, also KIND=CHOICE. only: words such as mail, or projects.
        """
        return self._run(
            "import",
            path=Path(zip_path).expanduser(),
            strategy=merge_strategy,
            map=map or (),
            on_conflict=on_conflict or (),
            only=only or (),
        )

    def index_code_graph(self, project_path: str, *, context: Context[Any, Any] | None = None) -> Document:
        """Read the source below a folder into its project's code graph; only what changed is read.

        project_path: absolute. It is of the project whose source path holds it; a folder of no project becomes one.
        """
        return self._run("graph.index", path=project_path, progress=_Progress(context))

    def index_documentation(
        self, project_path: str, file_patterns: list[str] | None = None, *, context: Context[Any, Any] | None = None
    ) -> Document:
        """Index what the source and the prose below a folder document, together with its code graph.

        project_path: absolute. file_patterns: only files that fit, such as `*.py` or `docs/*`; all without them.
        """
        given = {"path": project_path, "pattern": tuple(file_patterns or ())}
        return self._run("docs.index", progress=_Progress(context), **given)

    def search_documentation(
        self, query: str, doc_types: list[str] | None = None, project: str = "", limit: int = 20
    ) -> Document:
        """Find what code says of itself, and sections of prose. Each result has its whole docstring and its place.

        doc_types: module, class, function, method, attribute, section, readme, changelog, adr; all without them.
        """
        where = {"type": [*doc_types]} if doc_types else {}
        owners = (project,) if project else ()
        return self._run("docs.search", query=query, where=where, project=owners, limit=max(1, limit))

    def find_related_code(
        self,
        file_path: str,
        relationship_type: Literal["imports", "imported_by", "calls", "called_by", ""] = "",
        project: str = "",
        limit: int = 50,
    ) -> Document:
        """Find what a source file imports, calls, is imported or called by; without a type, files ranked by relation.

        file_path: absolute, or below the project's source. project: needed where several have a code graph.
        """
        asked = {"file": file_path, "type": relationship_type, "project": project, "limit": max(1, limit)}
        return self._run("graph.related", **asked)

    def query_code_graph(
        self,
        question: Literal[
            "callers",
            "callees",
            "show",
            "symbols",
            "path",
            "impact",
            "imports",
            "imported_by",
            "cycles",
            "unused",
            "metrics",
            "diff",
        ],
        symbol: str = "",
        to: str = "",
        project: str = "",
        depth: int = 1,
        confidence: Literal["exact", "inferred", "name", "ambiguous"] | None = None,
        type: str = "",
        at: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Document:
        """Ask before touching code: who calls it, what a change reaches (`impact`), how two symbols meet (`path`).

        symbol: a name (short where that is unique), a file, a pattern of `symbols`, or the older revision of `diff`
        (`source:REV` of the project's repository). to: the other end of `path`, the newer revision of `diff`. type: of
        symbols (function, class …), of cycles (imports, calls), of metrics. Every answer says whether it is stale.
        """  # fmt: skip
        given = _asked(question, symbol, to, type)
        if question in _DEEP:
            given["depth"] = depth if question != "impact" or depth > 1 else 20
        if confidence and question in _SURE:
            given["confidence"] = confidence
        if question in _PAGED:
            given |= {"limit": max(1, limit), "cursor": cursor}
        if question != "diff":
            given["at"] = at
        return self._run(f"graph.{question.replace('_', '-')}", project=project, **given)


_DEEP = ("callers", "callees", "show", "impact")
_SURE = ("callers", "callees", "show", "impact", "path", "cycles")
_PAGED = ("callers", "callees", "symbols", "imports", "imported_by", "cycles", "unused", "metrics", "diff")


def _asked(question: str, symbol: str, to: str, type: str) -> dict[str, Any]:
    """What a question is about, as its verb takes it."""
    given: dict[str, Any] = {
        "symbols": {"pattern": symbol, "type": type},
        "path": {"first": symbol, "second": to},
        "imports": {"file": symbol},
        "imported_by": {"file": symbol},
        "cycles": {"type": type or "imports"},
        "unused": {"type": type},
        "metrics": {"metric": type, "file": symbol},
        "diff": {"before": symbol or "HEAD~1", "after": to},
    }.get(question, {"symbol": symbol})
    return dict(given)


class _Progress:
    """Tells a client how far long work is, a few times a second, where it asked for that."""

    def __init__(self, context: Context[Any, Any] | None):
        self._context, self._last = context, 0.0

    def __call__(self, *said: str | int) -> None:
        """said: what is done, where the verb says it; how much is done, and of how much (0: not known)."""
        now = time.monotonic()
        if self._context is None or now - self._last < _OFTEN:
            return
        self._last = now
        *words, done, whole = said
        message = str(words[0]) if words else None
        anyio.from_thread.run(self._context.report_progress, float(done), float(whole) or None, message)


_OFTEN = 0.25
"""Seconds between two words on progress."""

_WRITES_AS = {
    "message.send": "from_project",
    "message.forward": "from_project",
    "reflection.add": "project",
    "quality.add": "project",
}
"""Verb → which of its arguments says who acts."""

GROUPS = {
    "message": "mail",
    "reflection": "memory",
    "quality": "memory",
    "context": "memory",
    "search": "search",
    "conversation": "conversations",
    "graph": "code",
    "docs": "docs",
}
"""Noun of a verb → the group of its tool; the others are of the group `store`."""

READING = frozenset(
    (
        "list_project_messages",
        "search_store",
        "search_conversations",
        "get_conversation_stats",
        "find_related_code",
        "query_code_graph",
        "search_documentation",
        "get_agent_context",
        "count_messages",
    )
)
"""Tools that change nothing. One that is not named here is left out of a server that only reads."""


def group_of(verb: str) -> str:
    """The group of a verb's tool."""
    return GROUPS.get(verb.partition(".")[0], "store")


class _Server(MCPServer[Any]):
    """The SDK's server, with errors in the shape that commands print."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; whatever goes wrong becomes an error document."""
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            return _error_result(_reason(error))


def _reason(error: ToolError) -> Error:
    cause = error.__cause__
    if isinstance(cause, Error):
        return cause
    if isinstance(cause, ValidationError):
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg'].lower()}" for one in cause.errors()]
        return Usage("; ".join(wrong), hint="see the tool's input schema")
    if isinstance(cause, OSError):
        return Failed(f"{cause.strerror or cause}".lower())
    if cause is None:
        return Usage(str(error).lower(), hint="ask for the list of tools")
    hint = "this is a fault of sbfs; the tool's command with -v shows where"
    return Failed(f"{type(cause).__name__}: {cause}", hint=hint)


def _error_result(error: Error) -> CallToolResult:
    document = verbs.error_document(error)
    text = TextContent(type="text", text=json.dumps(document, ensure_ascii=False))
    return CallToolResult(content=[text], structured_content=document, is_error=True)


def server(
    root: Path,
    *,
    lock_wait: float = 30.0,
    project: str = "",
    read_only: bool = False,
    groups: Sequence[str] = (),
    exports: Path | None = None,
) -> MCPServer[Any]:
    """The server of a store, not yet running. The rest: as `serve` has it."""
    made = _Server("sbfs", version=__version__, instructions=_instructions(project), log_level="ERROR")
    # What the SDK logs of a failed call is what the client is told anyway.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    tools = Tools(root, lock_wait, exports or root / ".git" / "sbfs" / "exports", project)
    for verb in verbs.VERBS:
        if verb.tool and not (read_only and verb.tool not in READING) and group_of(verb.name) in (groups or _EVERY):
            function: Callable[..., Document] = getattr(tools, verb.tool)
            made.add_tool(function, name=verb.tool, description=_description(function))
    pages.add_resources(made, tools._run)
    pages.add_prompts(made, project)
    return made


_EVERY = frozenset((*GROUPS.values(), "store"))


def _instructions(project: str) -> str:
    return f"You are the project {project}. {INSTRUCTIONS}" if project else INSTRUCTIONS


def _description(function: Callable[..., Document]) -> str:
    lines = (function.__doc__ or "").strip().splitlines()
    return " ".join(line.strip() for line in lines if line.strip())


def serve(
    root: Path,
    *,
    lock_wait: float = 30.0,
    project: str = "",
    read_only: bool = False,
    groups: Sequence[str] = (),
    exports: Path | None = None,
) -> None:
    """Serve until standard input ends. Raises NotAStore, NotFound or Invalid at once.

    project: who the agent is; it writes as no other. read_only: only the tools that change nothing.
    groups: only these groups of tools; all where there are none. exports: where the files go that it makes.
    """
    if unknown := {*groups} - _EVERY:
        raise Invalid(
            f"{min(unknown)!r} is no group of tools", field="tools", hint=f"there are {', '.join(sorted(_EVERY))}"
        )
    with Store.open(root, lock_wait=lock_wait) as store:
        name = projects.resolve(store.view(), project).name if project else ""
    server(root, lock_wait=lock_wait, project=name, read_only=read_only, groups=groups, exports=exports).run("stdio")
