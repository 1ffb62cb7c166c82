"""The verbs that agents need, served as MCP tools on standard input and output.

A tool returns the document that its command prints with `--json`; an error is a result marked as
one, in the same shape. Names and parameters are fixed by the systems that already describe them.
Nothing but the protocol reaches standard output: the SDK guards it, and logs go to standard error.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.context import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, InputRequiredResult, TextContent
from pydantic import ValidationError

from sbfs import __version__, times, verbs
from sbfs.errors import Error, Failed, Usage
from sbfs.store import Store
from sbfs.verbs import Document

Priority = Literal["low", "normal", "high", "urgent"]
Status = Literal["unread", "read", "archived"]
Type = Literal["request", "response", "notification", "update"]

INSTRUCTIONS = (
    "Mail between projects, kept as files in a Git repository. Send with send_project_message, "
    "look for mail with list_project_messages, pass it on with forward_project_message. "
    "sync_store exchanges it with other machines."
)


class Tools:
    """The tools of one store. Calls come in threads and are taken one after the other."""

    def __init__(self, root: Path, lock_wait: float):
        self._root, self._lock_wait = root, lock_wait
        self._store: Store | None = None
        self._one_at_a_time = threading.Lock()

    def _run(self, verb: str, **arguments: Any) -> Document:
        with self._one_at_a_time:
            if self._store is None:
                self._store = Store.open(self._root, lock_wait=self._lock_wait)
            return verbs.run(verb, self._store, **arguments)

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

    def sync_store(self, remote: str = "") -> Document:
        """Meet the team's other stores: save edits, fetch, merge by meaning, push. New mail is named.

        remote: its name; empty for the only one there is, or `origin`.
        """
        return self._run("sync", remote=remote)

    def import_conversations(
        self,
        paths: list[str],
        project: str = "",
        format: Literal["auto", "claude-code", "codex", "gemini", "jsonl"] = "auto",
        dry_run: bool = False,
    ) -> Document:
        """Import transcripts of coding agents: files, and all below folders. What is known is skipped.

        project: where they belong; empty where their working directories tell. dry_run: only say what would be
        imported and which secrets taken out.
        """
        return self._run("conversation.import", paths=paths, project=project, format=format, dry_run=dry_run)


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
    return Failed(str(error))


def _error_result(error: Error) -> CallToolResult:
    document = verbs.error_document(error)
    text = TextContent(type="text", text=json.dumps(document, ensure_ascii=False))
    return CallToolResult(content=[text], structured_content=document, is_error=True)


def server(root: Path, *, lock_wait: float = 30.0) -> MCPServer[Any]:
    """The server of a store, not yet running."""
    made = _Server("sbfs", version=__version__, instructions=INSTRUCTIONS, log_level="ERROR")
    # What the SDK logs of a failed call is what the client is told anyway.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    tools = Tools(root, lock_wait)
    for verb in verbs.VERBS:
        if verb.tool:
            function: Callable[..., Document] = getattr(tools, verb.tool)
            made.add_tool(function, name=verb.tool, description=_description(function))
    return made


def _description(function: Callable[..., Document]) -> str:
    lines = (function.__doc__ or "").strip().splitlines()
    return " ".join(line.strip() for line in lines if line.strip())


def serve(root: Path, *, lock_wait: float = 30.0) -> None:
    """Serve until standard input ends. Raises NotAStore at once where there is none."""
    Store.open(root, lock_wait=lock_wait).close()
    server(root, lock_wait=lock_wait).run("stdio")
