"""New mail at the terminal, as it arrives."""

from __future__ import annotations

import sys
from typing import Any

import click

from sbfs.cli import output
from sbfs.cli.base import App


def run(app: App, *, notify: str | None = None, **given: Any) -> None:
    """Print each message that arrives, until interrupted. notify: how urgent mail is said; the rest is for `watch`."""
    import json

    from sbfs import notifying, projects, verbs, watch

    def trouble(error: Any) -> None:
        click.echo(f"{error.sentence} ({error.hint})" if error.hint else error.sentence, err=True)

    if notify:
        notifying.check(notify)
    if given.get("project"):
        given["project"] = projects.resolve(app.store.view(), given["project"]).name
    try:
        for message in watch.watch(app.store, trouble=trouble, **given):
            document = verbs.message_document(message, preview=True)
            if app.json:
                click.echo(json.dumps(document, ensure_ascii=False))
            else:
                when = output.moment(document["timestamp"])
                pressing = f"  {message.priority}" if message.priority in ("urgent", "high") else ""
                parties = f"{message.from_project} → {message.to_project}"
                output.say(f"{when}  {parties}{pressing}: {message.subject}  {message.id}")
            sys.stdout.flush()
            if notify and message.priority == "urgent":
                click.echo(notifying.say(notify, message), nl=False, err=True)
    except KeyboardInterrupt:
        return
