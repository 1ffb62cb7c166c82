"""`sbfs config …`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sbfs.cli import filling, options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app


@click.group(cls=Group, name="config")
def config_command() -> None:
    """Settings, instructions and skills of agents, kept as they were written.

    YAML, JSON, TOML or Markdown, with a mapping at the top of the first three.
    """


@config_command.command("set", cls=Command)
@click.argument("project")
@click.argument("name")
@click.option("--text", help="The whole text; without it, a file or standard input is read.")
@click.option(
    "--text-file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), help="A file with the text."
)
@click.option("--key", metavar="KEY", help="Change only what stands at this dotted key.")
@click.option("--value", metavar="VALUE", help="With --key: the value, as YAML writes it: true, 5, [a, b], or a text.")
@click.option(
    "--schema", type=click.Path(exists=True, dir_okay=False), help="A JSON Schema that it has to follow from now on."
)
@pass_app
def set_command(
    app: App,
    project: str,
    name: str,
    text: str | None,
    text_file: str | None,
    key: str | None,
    value: str | None,
    schema: str | None,
) -> None:
    r"""Keep the configuration NAME of PROJECT, or change one key of it. A secret in it is refused.

    \b
    sbfs config set api settings.yaml --text-file settings.yaml
    sbfs config set api settings --key server.port --value 8080
    sbfs config set api instructions.md < AGENTS.md
    """
    from sbfs.configs.editing import read_value
    from sbfs.errors import Usage

    given: dict[str, Any] = {}
    if key:
        if value is None or text is not None or text_file is not None:
            raise Usage("--key needs --value, and no text", hint="see 'sbfs config set --help'")
        given = {"key": key, "value": read_value(value)}
    elif value is not None:
        raise Usage("--value needs --key", hint="see 'sbfs config set --help'")
    else:
        given = {"text": options.read_body(text, text_file, name="text")}

    def show(document: Document) -> None:
        output.say(f"kept {document['config']['path']}")

    schema_given = {"schema": _schema(schema)} if schema else {}
    app.run("config.set", show, project=project, name=name, actor=app.actor, **given, **schema_given)


def _schema(path: str) -> dict[str, Any]:
    from sbfs.record import Record

    return Record.parse("schema.json", Path(path).read_bytes()).data


@config_command.command("get", cls=Command)
@click.argument("project")
@click.argument("name")
@click.option("--key", default="", metavar="KEY", help="Only what stands at this dotted key.")
@options.at
@pass_app
def get_command(app: App, **given: Any) -> None:
    """Print the configuration NAME of PROJECT as it is, or one value of it."""

    def show(document: Document) -> None:
        click.echo(document["text"], nl=not document["text"].endswith("\n"))
        if document["edited"]:
            output.warn("this is an unsaved edit; 'sbfs save' makes it count")

    app.run("config.get", show, **given)


@config_command.command("list", cls=Command)
@click.option("--project", default="", help="Only of one project; else of all.")
@click.option("--format", type=options.Word(["yaml", "json", "toml", "md"]), help="Only of this format.")
@options.at
@options.paging
@pass_app
def list_command(app: App, **given: Any) -> None:
    """List configurations, by project and name."""

    def show(document: Document) -> None:
        rows = [(one["project"], one["name"], one["format"], one["size"]) for one in document["configs"]]
        empty = "no configurations; keep one: sbfs config set PROJECT NAME --text-file FILE"
        output.listing(("project", "name", "format", "bytes"), rows, document, "configurations", empty)

    app.run("config.list", show, **given)


@config_command.command("remove", cls=Command)
@click.argument("project")
@click.argument("name")
@pass_app
def remove_command(app: App, **given: Any) -> None:
    """Remove a configuration. `sbfs undo` brings it back."""
    app.run("config.remove", lambda one: output.say(f"removed {one['config']['path']}"), actor=app.actor, **given)


@config_command.command("apply", cls=Command)
@click.argument("project")
@click.argument("template")
@filling.values
@click.option("--replace", is_flag=True, help="Also put it in the place of files that say something else.")
@pass_app
def apply_command(
    app: App, project: str, template: str, values: tuple[str, ...], templates: str | None, replace: bool
) -> None:
    r"""Keep the files of TEMPLATE, filled in, as configurations of PROJECT.

    \b
    sbfs config apply api claude-code --set model=default
    """
    from sbfs import projects

    name = projects.resolve(app.store.view(), project).name
    known = {"project": name, "date": app.store.clock().date().isoformat()}
    filled = filling.filled(app.store, template, values, templates, ("config", "project"), known)

    def show(document: Document) -> None:
        for one in document["configs"]:
            output.say(f"kept {one['path']}")

    app.run("config.apply", show, project=name, files=filled.files, replace=replace, actor=app.actor)


@config_command.command("templates", cls=Command)
@click.option("--kind", type=options.Word(["store", "project", "message", "config"]), help="Only for these.")
@click.option("--templates", metavar="DIR|FILE", help="Also those of this folder, or this export of a store.")
@pass_app
def templates_command(app: App, **given: Any) -> None:
    """List the templates at hand, and what they ask for."""

    def show(document: Document) -> None:
        width = max((len(one["name"]) for one in document["templates"]), default=0)
        for kind in dict.fromkeys(one["kind"] for one in document["templates"]):
            output.say(f"{kind}: {_USE[kind]}")
            for one in document["templates"]:
                if one["kind"] == kind:
                    output.say(f"  {one['name']:<{width}}  {one['description']}")
                    output.say(f"  {'':<{width}}  {_asked(one)}")

    app.run("config.templates", show, **given)


_USE = {
    "store": "sbfs init DIR --template NAME",
    "project": "sbfs project add PROJECT --template NAME",
    "message": "sbfs send FROM TO --template NAME",
    "config": "sbfs config apply PROJECT NAME",
}


def _asked(one: Document) -> str:
    fields = [f"{each['name']}" if each["default"] is None else f"[{each['name']}]" for each in one["fields"]]
    return f"asks for {' '.join(fields)}" if fields else "asks for nothing"
