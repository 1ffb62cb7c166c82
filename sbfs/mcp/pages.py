"""What an agent can read by its address, and what a person can ask it by name. Both are served beside the tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from sbfs.errors import Error, NotFound
from sbfs.verbs import Document

Run = Callable[..., Document]
"""A verb's name and arguments → its document."""


def add_resources(server: MCPServer[Any], run: Run) -> None:
    """Inboxes, messages, conversations and symbols, each as the document of its verb."""

    @server.resource("sbfs://projects/{project}/inbox", mime_type="application/json")
    def inbox(project: str) -> str:
        """A project's mail, newest first."""
        return _text(run, "message.list", project=project)

    @server.resource("sbfs://messages/{message_id}", mime_type="application/json")
    def message(message_id: str) -> str:
        """One message, whole. It is not marked as read."""
        return _text(run, "message.show", message_id=message_id)

    @server.resource("sbfs://conversations/{conversation_id}", mime_type="application/json")
    def conversation(conversation_id: str) -> str:
        """One conversation: what is known of it, and its turns."""
        return _text(run, "conversation.show", conversation_id=conversation_id)

    @server.resource("sbfs://projects/{project}/symbols/{symbol}", mime_type="application/json")
    def symbol(project: str, symbol: str) -> str:
        """One symbol of code, by its dotted name, and what is around it."""
        return _text(run, "graph.show", project=project, symbol=symbol)


def _text(run: Run, verb: str, **arguments: str) -> str:
    """A verb's document as text. What is wrong with an address is told to the client, with what to do."""
    try:
        return json.dumps(run(verb, **arguments), ensure_ascii=False, default=str)
    except NotFound as error:
        raise ResourceNotFoundError(_said(error)) from error
    except Error as error:
        raise ResourceError(_said(error)) from error


def _said(error: Error) -> str:
    return f"{error.sentence} ({error.hint})" if error.hint else error.sentence


def add_prompts(server: MCPServer[Any], own: str) -> None:
    """What people ask again and again. own: the agent's project, where it is fixed."""
    me = own or "your project"
    name = own or "NAME"

    @server.prompt(name="catch-up")
    def catch_up(about: str = "") -> str:
        """Find out what is new before you begin."""
        topic = f" Look also for what is known about: {about}." if about else ""
        return (
            f"Find out what is new for {me} in the team's store, and say it in a few lines. Look at unread mail "
            f"(list_project_messages with project {name} and status unread) and read what is urgent or asks for "
            f"something. Look for what was learnt lately (search_store with kinds reflection).{topic} "
            "End with what to do first, and why. Mark nothing as read that you have not read."
        )

    @server.prompt(name="hand-over")
    def hand_over(to: str = "") -> str:
        """Leave a note for whoever goes on with this work."""
        whom = to or f"{name} itself, for the next session"
        return (
            f"Write a hand-over from {name} to {whom} with send_project_message, type request: what was being done and "
            "what is done; what comes next, in order; what to look out for, and what was tried without success; where "
            "the work lies (branch, commit, files). Then keep what holds beyond this task with add_reflection."
        )

    @server.prompt(name="review-my-mail")
    def review_my_mail() -> str:
        """Go through the unread mail and propose answers."""
        return (
            f"List the unread mail of {name} with list_project_messages, the most urgent first. Sum up each message "
            "in a line and propose an answer where one is expected. Send nothing before you were told to."
        )
