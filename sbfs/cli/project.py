"""`sbfs project …`."""

from __future__ import annotations

import sys
from typing import Any

import click

from sbfs.cli import filling, options, output
from sbfs.cli.base import App, Command, Document, Group, pass_app


@click.group(cls=Group, name="project")
def project_command() -> None:
    """The parties that send and receive, and groups of them."""


def _facts_options(function: Any) -> Any:
    for decorate in (
        click.option("--alias", help="A name for people."),
        click.option("--description", help="What it is."),
        click.option("--host", help="Where it runs."),
        click.option("--source-path", metavar="DIR", help="Where its code lies."),
    ):
        function = decorate(function)
    return function


def _project(document: Document) -> None:
    project = document["project"]
    relations = "; ".join(f"{type} {', '.join(names)}" for type, names in project["relations"].items() if names)
    output.facts(
        [
            ("Name", project["name"]),
            ("Alias", project["alias"]),
            ("Description", project["description"]),
            ("Host", project["host"]),
            ("Source", project["source_path"]),
            ("Tags", ", ".join(project["tags"])),
            ("Relations", relations),
            ("Groups", ", ".join(project["groups"])),
            ("Formerly", ", ".join(project["formerly"])),
            ("Created", project["created"]),
            ("Updated", project["updated"]),
        ]
    )


@project_command.command("add", cls=Command)
@click.argument("name")
@_facts_options
@click.option("--tag", "tags", multiple=True, help="May be repeated.")
@filling.template
@pass_app
def add_command(
    app: App, template: str | None, values: tuple[str, ...], templates: str | None, tags: tuple[str, ...], **given: Any
) -> None:
    """Add a project: a-z 0-9 . _ -, up to 64."""
    given = {**{key: value or "" for key, value in given.items()}, "tags": tags}
    if template is None:
        filling.refuse_values(values, templates)
    else:
        given = _begun(app, template, values, templates, given)
    app.run("project.add", lambda one: output.say(f"added {one['project']['name']}"), actor=app.actor, **given)


def _begun(
    app: App, template: str, values: tuple[str, ...], templates: str | None, given: dict[str, Any]
) -> dict[str, Any]:
    """What is given of a project, with what its template says beside it."""
    from sbfs import furnishing

    known = {"project": given["name"], "date": app.store.clock().date().isoformat()}
    filled = filling.filled(app.store, template, values, templates, ("project",), known)
    facts = furnishing.facts(filled)
    begin = furnishing.beginning(app.store, project=given["name"], filled=filled)
    said = {"description": given["description"] or facts["description"], "tags": (*facts["tags"], *given["tags"])}
    return {**given, **said, "begin": begin}


@project_command.command("list", cls=Command)
@click.option("--tag", default="", help="Only projects with this tag.")
@click.option("--group", default="", help="Only the projects of a group.")
@options.at
@options.paging
@pass_app
def list_command(app: App, **given: Any) -> None:
    """List the projects."""

    def show(document: Document) -> None:
        rows = [(one["name"], one["alias"], ", ".join(one["tags"]), one["description"]) for one in document["projects"]]
        empty = "no projects yet; add one: sbfs project add NAME"
        output.listing(("name", "alias", "tags", "description"), rows, document, "projects", empty)

    app.run("project.list", show, **given)


@project_command.command("show", cls=Command)
@click.argument("project")
@options.at
@pass_app
def show_command(app: App, **given: Any) -> None:
    """Show a project."""
    app.run("project.show", _project, **given)


@project_command.command("set", cls=Command)
@click.argument("project")
@_facts_options
@click.option("--add-tag", "add_tags", multiple=True, help="May be repeated.")
@click.option("--remove-tag", "remove_tags", multiple=True, help="May be repeated.")
@pass_app
def set_command(app: App, **given: Any) -> None:
    """Change what is known of a project; an empty text empties a field."""
    app.run("project.set", _project, actor=app.actor, **given)


@project_command.command("relate", cls=Command)
@click.argument("project")
@click.argument("other")
@click.option("--type", "type", type=options.RELATION, default="uses", show_default=True)
@click.option("--remove", is_flag=True, help="Say that it is no longer so.")
@pass_app
def relate_command(app: App, **given: Any) -> None:
    """Say that PROJECT uses OTHER, or relates to it in another way."""

    def show(document: Document) -> None:
        output.say(
            f"{document['project']['name']} {'no longer ' if given['remove'] else ''}{given['type']} {given['other']}"
        )

    app.run("project.relate", show, actor=app.actor, **given)


@project_command.command("clone", cls=Command)
@click.argument("project")
@click.argument("name", metavar="NEW")
@pass_app
def clone_command(app: App, **given: Any) -> None:
    """Copy a project with all its records under another name. The copies have ids of their own."""

    def show(document: Document) -> None:
        output.say(f"cloned as {document['project']['name']}")

    app.run("project.clone", show, actor=app.actor, **given)


@project_command.command("rename", cls=Command)
@click.argument("project")
@click.argument("name")
@pass_app
def rename_command(app: App, **given: Any) -> None:
    """Rename a project. Its mail moves with it; the former name still works."""
    app.run("project.rename", lambda one: output.say(f"renamed to {one['project']['name']}"), actor=app.actor, **given)


@project_command.command("remove", cls=Command)
@click.argument("project")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_app
def remove_command(app: App, project: str, yes: bool) -> None:
    """Remove a project with all its records. `sbfs undo` brings it back."""
    _confirm(app, f"Remove project {project} with all its records?", yes)
    show = lambda one: output.say(f"removed {one['project']['name']}; 'sbfs undo' brings it back")  # noqa: E731
    app.run("project.remove", show, project=project, actor=app.actor)


def _confirm(app: App, question: str, yes: bool) -> None:
    if yes:
        return
    if app.json or not sys.stdin.isatty():
        from sbfs.errors import Usage

        raise Usage("this removes records and asks first", hint="add --yes where nobody can answer")
    click.confirm(question, abort=True)


@project_command.group("group", cls=Group)
def group_command() -> None:
    """Groups of projects; `@name` sends to all of one."""


def _group(document: Document) -> None:
    group = document["group"]
    output.facts(
        [
            ("Name", group["name"]),
            ("Description", group["description"]),
            ("Projects", ", ".join(group["projects"])),
            ("Updated", group["updated"]),
        ]
    )


@group_command.command("add", cls=Command)
@click.argument("group")
@click.argument("projects", nargs=-1)
@click.option("--description", help="What it is.")
@pass_app
def group_add_command(app: App, **given: Any) -> None:
    """Make a group, or add projects to one."""
    app.run("project.group.add", _group, actor=app.actor, **given)


@group_command.command("list", cls=Command)
@options.at
@options.paging
@pass_app
def group_list_command(app: App, **given: Any) -> None:
    """List the groups."""

    def show(document: Document) -> None:
        rows = [(one["name"], ", ".join(one["projects"]), one["description"]) for one in document["groups"]]
        output.listing(("name", "projects", "description"), rows, document, "groups", "no groups yet")

    app.run("project.group.list", show, **given)


@group_command.command("show", cls=Command)
@click.argument("group")
@options.at
@pass_app
def group_show_command(app: App, **given: Any) -> None:
    """Show a group."""
    app.run("project.group.show", _group, **given)


@group_command.command("remove", cls=Command)
@click.argument("group")
@click.argument("projects", nargs=-1)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@pass_app
def group_remove_command(app: App, group: str, projects: tuple[str, ...], yes: bool) -> None:
    """Take PROJECTS out of a group, or, where none is named, remove the group."""
    if not projects:
        _confirm(app, f"Remove group {group}?", yes)
    app.run("project.group.remove", _group, group=group, projects=projects, actor=app.actor)
