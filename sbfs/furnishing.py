"""What a new store or project begins with, by a template: projects, how they relate, groups, configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import projects, templating
from sbfs.configs.writing import put_all
from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.kind import check_name, check_texts, check_word
from sbfs.projects import RELATIONS, Given
from sbfs.store import Store, Transaction
from sbfs.templating import Filled, Template

FOLDER = "templates"
"""Below a store: its own templates."""

_MOST = 1000
"""Files of a folder of templates."""


def templates(store: Store, *, kind: str | None = None, templates: str | Path | None = None) -> tuple[Template, ...]:
    """All templates at hand, by kind and name: those of a folder first, then the store's own, then sbfs's.

    templates: the folder, or a store's export that holds some. Raises Invalid for one that is not there, and
    for a template that cannot be read.
    """
    if kind is not None:
        check_word(kind, templating.KINDS, "kind")
    return at_hand(store, templates, kind, scratch=store.repo.gitdir / "sbfs")


def at_hand(
    store: Store | None, source: str | Path | None, kind: str | None = None, *, scratch: Path
) -> tuple[Template, ...]:
    """The same also where no store is there yet. scratch: a folder for what is unpacked on the way."""
    first = in_source(Path(source), scratch) if source is not None else ()
    found = [*first, *(in_store(store) if store else ()), *templating.own()]
    seen: dict[tuple[str, str], Template] = {}
    for one in found:
        if kind in (None, one.kind):
            seen.setdefault((one.kind, one.name), one)
    return tuple(seen[key] for key in sorted(seen))


def in_store(store: Store) -> tuple[Template, ...]:
    """The templates that a store holds in its folder `templates/`."""
    view = store.view()
    found = view.repo.folder(view.commit.tree, FOLDER)
    walked = trees.walk(view.repo.tree, found) if found else ()
    texts = {path: view.repo.blob(id).decode("utf-8", "replace") for path, mode, id in walked if mode != trees.LINK}
    return templating.read(texts, origin=f"the store's {FOLDER}")


def in_source(source: Path, scratch: Path) -> tuple[Template, ...]:
    """The templates of a folder, or of a bundle or zip that a store was exported to."""
    if not source.is_file():
        return in_folder(source)
    from sbfs.bundles.templates import texts

    return templating.read(texts(source, scratch=scratch, most=_MOST), origin=str(source))


def in_folder(folder: Path) -> tuple[Template, ...]:
    """The templates of a folder anywhere. Links in it are not followed."""
    if not folder.is_dir():
        hint = "name a folder with templates in it, or an export"
        raise Invalid(f"{folder} is neither a folder nor a file", field="templates", hint=hint)
    texts: dict[str, str] = {}
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            texts[file.relative_to(folder).as_posix()] = file.read_text(encoding="utf-8", errors="replace")
        if len(texts) > _MOST:
            raise Invalid(f"{folder} holds more than {_MOST} files", field="templates", hint="name the right folder")
    return templating.read(texts, origin=str(folder))


@dataclass(frozen=True)
class Furniture:
    """What a store's template comes to. projects: each with its configurations. groups: name → projects."""

    projects: tuple[tuple[Given, Mapping[str, str]], ...]
    groups: Mapping[str, tuple[str, ...]]


def furniture(filled: Filled) -> Furniture:
    """What a store's template says. Raises Invalid, naming its file and field, where it cannot be made."""
    wanted = tuple(_projects(filled))
    names = {given.name for given, _ in wanted}
    groups = {
        check_name(group, what="group"): check_texts(members, f"groups.{group}")
        for group, members in _mapping(filled, "groups").items()
    }
    for group, members in groups.items():
        if strangers := {*members} - names:
            raise _wrong(filled, f"groups.{group}", f"names {min(strangers)!r}, which is none of its projects")
    return Furniture(wanted, groups)


def furnish(store: Store, *, filled: Filled, actor: str = "") -> tuple[str, ...]:
    """Make what a store's template says, as one commit. Returns the names of the projects."""
    wanted = furniture(filled)
    names = tuple(given.name for given, _ in wanted.projects)

    def build(tx: Transaction) -> tuple[str, ...]:
        for given, files in wanted.projects:
            projects.create(tx, given)
            put_all(store, tx, given.name, files)
        for group, members in wanted.groups.items():
            projects.create_group(tx, group, members)
        tx.describe(f"Begin with {filled.template.name}: {', '.join(names)}", Ids=" ".join(names))
        return names

    return store.write("init.template", build, actor=actor)


def beginning(store: Store, *, project: str, filled: Filled) -> Callable[[Transaction], object]:
    """What puts a project's template into the commit that adds the project."""
    return lambda tx: put_all(store, tx, project, filled.files)


def facts(filled: Filled) -> dict[str, Any]:
    """What a project's template says of the project: its description and tags."""
    said = _mapping(filled, "project")
    if unknown := said.keys() - {"description", "tags"}:
        raise _wrong(filled, f"project.{min(unknown)}", "is no word of it; it has description and tags")
    tags = check_texts(said.get("tags", ()), "project.tags")
    return {"description": str(said.get("description", "")), "tags": tags}


def form(filled: Filled) -> dict[str, Any]:
    """What a message's template says of the message, as `messages.send` takes it."""
    said = _mapping(filled, "message")
    words = {
        "subject": "subject",
        "body": "message",
        "type": "message_type",
        "priority": "priority",
        "context": "context",
    }
    if unknown := said.keys() - words.keys():
        raise _wrong(filled, f"message.{min(unknown)}", f"is no word of it; it has {', '.join(words)}")
    return {words[key]: value for key, value in said.items()}


def _projects(filled: Filled) -> list[tuple[Given, Mapping[str, str]]]:
    said = filled.body.get("projects") or []
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise _wrong(filled, "projects", "must be a list of mappings")
    found = [_project(filled, number, dict(one)) for number, one in enumerate(said)]
    names = {given.name for given, _ in found}
    for given, _ in found:
        for type, others in given.relations.items():
            if strangers := {*others} - names:
                why = f"names {min(strangers)!r}, which is none of its projects"
                raise _wrong(filled, f"{given.name}.relations.{type}", why)
    return found


def _project(filled: Filled, number: int, said: dict[str, Any]) -> tuple[Given, Mapping[str, str]]:
    place = f"projects.{number}"
    words = ("name", "alias", "description", "tags", "relations", "files")
    if unknown := said.keys() - {*words}:
        raise _wrong(filled, f"{place}.{min(unknown)}", f"is no word of it; it has {', '.join(words)}")
    relations = said.get("relations") or {}
    if not isinstance(relations, dict) or relations.keys() - {*RELATIONS}:
        raise _wrong(filled, f"{place}.relations", f"must be a mapping with {', '.join(RELATIONS)}")
    given = Given(
        name=check_name(said.get("name", ""), field=f"{place}.name"),
        alias=str(said.get("alias", "")),
        description=str(said.get("description", "")),
        tags=check_texts(said.get("tags", ()), f"{place}.tags"),
        relations={type: check_texts(names, f"{place}.relations") for type, names in relations.items()},
    )
    files = check_texts(said.get("files", ()), f"{place}.files")
    if lacking := {*files} - filled.files.keys():
        raise _wrong(filled, f"{place}.files", f"names {min(lacking)!r}, which is not in files/")
    return given, {name: filled.files[name] for name in files}


def _mapping(filled: Filled, name: str) -> dict[str, Any]:
    said = filled.body.get(name) or {}
    if not isinstance(said, dict):
        raise _wrong(filled, name, "must be a mapping")
    return said


def _wrong(filled: Filled, field: str, why: str) -> Invalid:
    one = filled.template
    return Invalid(why, field=field, path=f"{one.origin}: {one.kind}s/{one.name}/template.yaml")
