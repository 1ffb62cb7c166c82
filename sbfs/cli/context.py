"""`sbfs context`."""

from __future__ import annotations

from typing import Any

import click

from sbfs.cli import options, output
from sbfs.cli.base import App, Command, Document, pass_app


@click.command("context", cls=Command)
@click.argument("agent_id", metavar="AGENT")
@click.argument("query", metavar="QUERY...", nargs=-1, required=True)
@click.option(
    "--type",
    "context_type",
    type=options.Word(["conversations", "code_graph", "quality", "all"]),
    default="all",
    show_default=True,
    help="Only of this sort.",
)
@click.option("--budget", type=int, default=4000, show_default=True, metavar="TOKENS", help="The most it may take.")
@options.at
@pass_app
def context_command(app: App, query: tuple[str, ...], **given: Any) -> None:
    r"""Gather what an agent should know for a question, within a budget of tokens.

    That is unread and matching mail, conversations, code, reflections, documentation and quality. AGENT is a project's
    name or alias, or the id that an agent had where it was imported from. The answer never takes more than --budget
    tokens, counted on the safe side over the whole JSON document; what had to be left out is said.

    \b
    sbfs context frontend "a statistics endpoint for users" --budget 2000
    """
    app.run("context", _show, query=" ".join(query), **given)


_HEADINGS = {
    "mail": "Mail",
    "code_graph": "Code",
    "conversations": "Conversations",
    "reflections": "Reflections",
    "docs": "Documentation",
    "quality": "Quality",
}


def _show(document: Document) -> None:
    for name, part in document["context"].items():
        if part is None:
            continue
        output.say(f"{_HEADINGS[name]}{'' if part['items'] else ': nothing'} ({part['read_on']})")
        for item in part["items"]:
            _item(item)
        if part["truncated"]:
            output.say("  … and more")
    if said := document.get("incomplete"):
        output.warn(said)
    output.warn(f"(at most {document['tokens']} of {document['budget']} tokens)")


def _item(item: Document) -> None:
    what = item.get("title") or item.get("signature") or ""
    score = f"{item['score']}" if item.get("score") is not None else ""
    why = f"[{item['why']}]" if item.get("why") else ""
    output.say("  " + "  ".join(filter(None, (item["id"], what, score, why))))
    if passage := item.get("passage") or item.get("doc"):
        output.say("      " + " ".join(passage.split()))
