"""`sbfs message …`, and its shortcuts `send`, `inbox`, `outbox`."""

from __future__ import annotations

from typing import Any

import click

from sbfs.cli import filling, options, output, watching
from sbfs.cli.base import App, Command, Document, Group, pass_app
from sbfs.cli.search import options_of_search, run_search


@click.group(cls=Group, name="message")
def message_command() -> None:
    """Mail between projects. Lists are newest first; an id may be shortened to a unique beginning."""


def _sent(document: Document) -> None:
    names = ", ".join(one["to_project"] for one in document["messages"])
    later = f", to be delivered {document['deliver_at']}" if "deliver_at" in document else ""
    output.say(f"sent {document['message_id']} to {names}{later}")
    for one in document["messages"][1:]:
        output.say(f"     {one['message_id']} to {one['to_project']}")


def _written(
    app: App,
    body: str | None,
    body_file: str | None,
    context: str | None,
    deliver_at: str | None,
    *,
    required: bool = True,
) -> Document:
    """What a person writes of a message, as the library takes it."""
    return {
        "message": options.read_body(body, body_file, required=required),
        "context": options.parse_context(context),
        "deliver_at": options.moment(deliver_at, app.store.clock()),
    }


@message_command.command("send", cls=Command)
@click.argument("from_project", metavar="FROM")
@click.argument("to_project", metavar="[TO]...", nargs=-1)
@click.option("--subject", "-s", help="What it is about, in a line.")
@options.body
@click.option("--priority", "-p", type=options.PRIORITY, help="normal, unless told.")
@click.option("--type", "-t", "message_type", type=options.TYPE, help="notification, unless told.")
@click.option("--context", metavar="JSON", help="Facts for programs, as a JSON object.")
@click.option("--attach", "-a", multiple=True, metavar="FILE", help="Attach a file; may be repeated.")
@click.option("--related", type=options.RELATION, help="Also to all projects that FROM relates to in this way.")
@click.option("--in-reply-to", default="", metavar="ID", help="The message that this one answers.")
@click.option("--deliver-at", metavar="TIME", help='Hold it back until then: ISO, or "tomorrow at 9:30".')
@click.option("--allow-secret", is_flag=True, help="Attach a text file although it seems to hold a secret.")
@filling.template
@pass_app
def send_command(
    app: App,
    body: str | None,
    body_file: str | None,
    context: str | None,
    deliver_at: str | None,
    template: str | None,
    values: tuple[str, ...],
    templates: str | None,
    **given: Any,
) -> None:
    r"""Send a message from project FROM to TO: a project, several, or @group.

    \b
    sbfs send web api --subject "Build is red" --body "See the log."
    git log -1 | sbfs send web @team --subject "New release" --priority high
    sbfs send api web --template api-ready --set endpoint=/api/stats --set summary="Users by day"
    """
    form: Document = {}
    if template is None:
        filling.refuse_values(values, templates)
    else:
        form = _form(app, template, values, templates, given)
    said = {key: value for key, value in given.items() if value is not None}
    if "subject" not in {**form, **said}:
        raise click.UsageError("Missing option '--subject' / '-s'")
    written = _written(app, body, body_file, context, deliver_at, required="message" not in form)
    app.run("message.send", _sent, **{**form, **{key: one for key, one in written.items() if one is not None}, **said})


def _form(app: App, template: str, values: tuple[str, ...], templates: str | None, given: Document) -> Document:
    """What a template says of a message that is not said otherwise."""
    from sbfs import furnishing

    parties = {"from_project": given["from_project"], "to_project": ", ".join(given["to_project"])}
    known = {**parties, "date": app.store.clock().date().isoformat()}
    filled = filling.filled(app.store, template, values, templates, ("message",), known)
    return {key: value for key, value in furnishing.form(filled).items() if given.get(key) is None}


_LIST_HEADINGS = {
    "inbox": ("id", "received (UTC)", "from", "priority", "status", "subject"),
    "outbox": ("id", "sent (UTC)", "to", "priority", "delivery", "subject"),
}


def _listed(box: str, project: str, document: Document) -> None:
    party, last = ("from_project", "status") if box == "inbox" else ("to_project", "delivery")
    rows = [
        (
            one["id"],
            output.moment(one.get("deliver_at", one["timestamp"])),
            one[party],
            one["priority"],
            one[last],
            one["subject"],
        )
        for one in document["messages"]
    ]
    empty = f"no mail in {project}'s {box}" if document["total"] == 0 else ""
    output.listing(_LIST_HEADINGS[box], rows, document, "messages", empty)


def _list_options(function: Any) -> Any:
    for decorate in (
        click.argument("project"),
        click.option("--status", type=options.STATUS, help="Only mail of this status."),
        click.option("--unread", is_flag=True, help="Short for --status unread."),
        click.option("--priority", type=options.PRIORITY, help="Only mail of this priority."),
        click.option(
            "--from", "--to", "sender", metavar="PROJECT", help="Only mail from (in an outbox: to) a project."
        ),
        options.span,
        options.at,
        options.paging,
    ):
        function = decorate(function)
    return function


def _list(app: App, box: str, project: str, unread: bool, since: str | None, until: str | None, **given: Any) -> None:
    if unread:
        given["status"] = "unread"
    times = options.moments(since, until, app.store.clock())
    app.run("message.list", lambda one: _listed(box, project, one), project=project, box=box, **times, **given)


@message_command.command("list", cls=Command)
@click.option("--box", type=options.BOX, default="inbox", show_default=True)
@_list_options
@pass_app
def list_command(app: App, box: str, **given: Any) -> None:
    """List a project's mail, newest first."""
    _list(app, box, **given)


@click.command("inbox", cls=Command)
@_list_options
@click.option("--watch", is_flag=True, help="Then print new mail as it arrives, until interrupted.")
@click.option("--notify", type=options.Word(["bell", "tmux", "desktop"]), help="With --watch: say urgent mail at once.")
@pass_app
def inbox_command(app: App, watch: bool, notify: str | None, **given: Any) -> None:
    """List the mail a project received, newest first."""
    if notify and not watch:
        raise click.UsageError("--notify goes with --watch")
    since = app.store.head()  # What comes while the list is printed is new.
    _list(app, "inbox", **given)
    if watch:
        watching.run(app, notify=notify, project=given["project"], since=since)


@click.command("outbox", cls=Command)
@_list_options
@pass_app
def outbox_command(app: App, **given: Any) -> None:
    """List the mail a project sent, and what became of it.

    Delivery is kept (in this store), pushed (to a remote) or read (by its recipient).
    """
    _list(app, "outbox", **given)


@message_command.command("show", cls=Command)
@click.argument("message_id", metavar="ID")
@options.at
@pass_app
def show_command(app: App, **given: Any) -> None:
    """Show a message without marking it as read."""
    app.run("message.show", output.message, **given)


@message_command.command("read", cls=Command)
@click.argument("message_id", metavar="ID")
@pass_app
def read_command(app: App, **given: Any) -> None:
    """Show a message and mark it as read."""
    app.run("message.read", output.message, **given)


@message_command.command("edit", cls=Command)
@click.argument("message_id", metavar="ID")
@click.option("--subject", "-s")
@options.body
@click.option("--priority", "-p", type=options.PRIORITY)
@click.option("--type", "-t", "message_type", type=options.TYPE)
@click.option("--context", metavar="JSON", help="Facts for programs, as a JSON object.")
@click.option("--deliver-at", metavar="TIME", help='ISO, or "tomorrow at 9:30".')
@pass_app
def edit_command(
    app: App, body: str | None, body_file: str | None, context: str | None, deliver_at: str | None, **given: Any
) -> None:
    """Change a message that waits for its delivery. What was delivered does not change any more."""

    def show(document: Document) -> None:
        output.say(f"changed {document['message']['id']}")

    written = _written(app, body, body_file, context, deliver_at, required=False)
    app.run("message.edit", show, **written, **given)


@message_command.command("remove", cls=Command)
@click.argument("message_id", metavar="ID")
@click.option("--box", type=options.BOX, help="Only this copy; else both.")
@pass_app
def remove_command(app: App, **given: Any) -> None:
    """Remove a message. `sbfs undo` brings it back."""
    app.run("message.remove", lambda one: output.say(f"removed {one['message_id']}"), actor=app.actor, **given)


@message_command.command("reply", cls=Command)
@click.argument("message_id", metavar="ID")
@click.option("--subject", "-s", help="Without it: Re: and the original's.")
@options.body
@click.option("--priority", "-p", type=options.PRIORITY, default="normal", show_default=True)
@click.option("--type", "-t", "message_type", type=options.TYPE, default="response", show_default=True)
@click.option("--context", metavar="JSON", help="Facts for programs, as a JSON object.")
@click.option("--attach", "-a", multiple=True, metavar="FILE", help="Attach a file; may be repeated.")
@click.option("--from", "from_project", metavar="PROJECT", help="Who answers; without it, who received the message.")
@click.option("--deliver-at", metavar="TIME", help='Hold it back until then: ISO, or "tomorrow at 9:30".')
@click.option("--allow-secret", is_flag=True, help="Attach a text file although it seems to hold a secret.")
@pass_app
def reply_command(
    app: App, body: str | None, body_file: str | None, context: str | None, deliver_at: str | None, **given: Any
) -> None:
    """Answer a message; the answer joins its thread."""
    app.run("message.reply", _sent, **_written(app, body, body_file, context, deliver_at), **given)


@message_command.command("forward", cls=Command)
@click.argument("original_message_id", metavar="ID")
@click.argument("to_project", metavar="TO...", nargs=-1, required=True)
@click.option("--from", "from_project", metavar="PROJECT", help="Who forwards; without it, who received the message.")
@click.option("--note", "forward_note", help="A word of your own, above the quoted original.")
@click.option("--allow-secret", is_flag=True, help="Pass a text file on although it seems to hold a secret.")
@pass_app
def forward_command(app: App, **given: Any) -> None:
    """Pass a message on, with its attachments and where it came from."""
    app.run("message.forward", _sent, **given)


def _marked(document: Document) -> None:
    for one in document["messages"]:
        output.say(f"{one['message_id']} is {one['status']}")


@message_command.command("archive", cls=Command)
@click.argument("message_ids", metavar="ID...", nargs=-1, required=True)
@pass_app
def archive_command(app: App, **given: Any) -> None:
    """Put received messages away; `--status archived` lists them."""
    app.run("message.archive", _marked, **given)


@message_command.command("mark", cls=Command)
@click.argument("message_ids", metavar="ID...", nargs=-1, required=True)
@click.argument("status", type=options.STATUS)
@pass_app
def mark_command(app: App, **given: Any) -> None:
    """Set the status of received messages."""
    app.run("message.mark", _marked, **given)


def _thread(document: Document) -> None:
    for one in document["messages"]:
        pad = "  " * one["depth"]
        output.say(
            f"{pad}{output.moment(one['timestamp'])}  {one['from_project']} → {one['to_project']}: {one['subject']}"
        )
        output.say(f"{pad}{one['id']}")


@message_command.command("thread", cls=Command)
@click.argument("message_id", metavar="ID")
@options.at
@pass_app
def thread_command(app: App, **given: Any) -> None:
    """Show the whole thread of a message, from any message in it."""
    app.run("message.thread", _thread, **given)


@message_command.command("count", cls=Command)
@click.argument("project")
@click.option("--unread", is_flag=True, help="Only unread mail.")
@options.at
@pass_app
def count_command(app: App, **given: Any) -> None:
    """Count the mail that PROJECT received."""
    app.run("message.count", lambda one: output.say(str(one["count"])), **given)


@message_command.command("export", cls=Command)
@click.argument("project")
@click.option("--box", type=options.BOX, default="inbox", show_default=True)
@click.option("--format", type=options.Word(["mbox", "json"]), default="mbox", show_default=True, help="Of the file.")
@click.option("--output", "-o", metavar="FILE", help="Write it there; without it, into your data folder.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@pass_app
def export_command(app: App, output: str | None, force: bool, **given: Any) -> None:
    """Write a project's mail into one file that other programs read. `sbfs import` reads an mbox again, whole."""
    from pathlib import Path

    from sbfs.cli.base import exports_folder

    named = Path(output).expanduser() if output else exports_folder() / f"{given['project']}.{given['format']}"
    app.run("message.export", _exported, output=named, force=force or not output, **given)


def _exported(document: Document) -> None:
    told = output.count(document["count"], "message")
    output.say(f"wrote {document['export_path']}: {told} ({document['size_bytes']:,} bytes)")
    for one in document["unreadable"]:
        output.warn(f"left out: {one['error']}")


@message_command.command("search", cls=Command)
@options_of_search(kind=False)
@pass_app
def search_command(app: App, **given: Any) -> None:
    """Find mail by what it says. Takes what `sbfs search` takes."""
    run_search(app, "message.search", **given)
