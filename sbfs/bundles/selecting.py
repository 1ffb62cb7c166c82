"""Which part of a store a bundle holds: projects and words, and the tree that has just that.

Trees are picked by their folders, whose ids stay, so that it costs the same for any number of records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sbfs import kinds, projects
from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.git.trees import FOLDER, Entries
from sbfs.record import Record
from sbfs.store import SETTINGS, View

FOLDERS = {
    "mail": ("inbox", "outbox", "attachments"),
    "conversations": ("conversations",),
    "reflections": ("reflections",),
    "quality": ("quality",),
    "graph": ("graph",),
    "docs": ("docs",),
    "config": ("config",),
}
"""Word → the folders of a project that it names."""

WORDS = (*FOLDERS, "groups", "templates")

BASE = (SETTINGS, ".gitattributes", ".gitignore")
"""What every bundle holds, so that a clone of it is a store. An import leaves it: settings are a store's own."""

TOP = ("projects", "groups", "conflicts", "templates")
"""Folders of a store: its records, and its own templates."""

Read = Callable[[str], Entries]


@dataclass(frozen=True)
class Selection:
    """projects: names, None for all. words: of WORDS. paths: in place of both, just these files."""

    projects: tuple[str, ...] | None = None
    words: tuple[str, ...] = WORDS
    paths: tuple[str, ...] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it leaves nothing out."""
        return self.projects is None and self.words == WORDS and self.paths is None

    @property
    def folders(self) -> frozenset[str]:
        """Names of the folders of a project that are in."""
        return frozenset(name for word in self.words if word in FOLDERS for name in FOLDERS[word])

    def dump(self) -> dict[str, Any]:
        """As JSON values."""
        said: dict[str, Any] = {"projects": None if self.projects is None else [*self.projects], "words": [*self.words]}
        return said | ({"paths": [*self.paths]} if self.paths is not None else {})

    @classmethod
    def load(cls, said: Any, name: str) -> Selection:
        """From JSON values. name: of the file, for errors. Raises Invalid."""
        try:
            given = [said["projects"], said["words"], said.get("paths")]
            if not all(one is None or all(isinstance(text, str) for text in one) for one in given):
                raise TypeError
            names, words, paths = (None if one is None else tuple(one) for one in given)
        except (KeyError, TypeError, AttributeError):
            raise Invalid("does not say what it holds", path=name, hint="make it anew with 'sbfs export'") from None
        return cls(names, tuple(word for word in WORDS if word in (words or ())), paths)


def choose(
    view: View, names: Sequence[str], everything: bool, include: Sequence[str], exclude: Sequence[str]
) -> Selection:
    """The selection that a person means. names: of projects, or `@group`. Raises Invalid, NotFound."""
    for field, given in (("include", include), ("exclude", exclude)):
        for word in given:
            if word not in WORDS:
                raise Invalid(f"{word!r} is none of {', '.join(WORDS)}", field=field)
    if bool(names) == everything:
        why = "projects and --all do not go together" if names else "nothing is chosen"
        raise Invalid(why, field="projects", hint="name projects, or use --all")
    words = tuple(word for word in WORDS if (not include or word in include) and word not in exclude)
    if everything:
        return Selection(None, words)
    if "templates" not in include:
        # They are the store's, not a project's.
        words = tuple(word for word in words if word != "templates")
    found: list[str] = []
    for name in names:
        found += projects.members(view, name[1:]) if name.startswith("@") else [projects.resolve(view, name).name]
    return Selection(tuple(sorted({*found})), words)


def template_selection(view: View, names: Sequence[str]) -> Selection:
    """What others can begin with: configurations and the store's templates. names: of projects, or `@group`; without
    them, all projects that have configurations. Raises Invalid, NotFound."""
    words = ("config", "templates")
    if names:
        return choose(view, names, False, words, ())
    owners = (one.name for one in projects.everyone(view) if view.names(f"projects/{one.name}/config"))
    found = tuple(sorted(owners))
    if not found and not view.names("templates"):
        hint = "keep some with 'sbfs config set', or save a folder templates/"
        raise Invalid("no project has configurations, and the store has no templates", field="as_template", hint=hint)
    return Selection(found, words)


@dataclass(frozen=True)
class Picked:
    """tree: what was picked, or mapped. fresh: trees that are in no repository yet, by id."""

    tree: str
    fresh: Mapping[str, bytes] = dataclasses.field(default_factory=dict)

    def entries(self) -> dict[str, Entries]:
        """The new trees, parsed."""
        return {id: trees.parse(data) for id, data in self.fresh.items()}


class Picker:
    """Picks a selection out of trees, many of one history too. read: a tree's entries; blob: a file's bytes.

    base: whether settings and dotfiles come along.
    """

    def __init__(self, read: Read, blob: Callable[[str], bytes], chosen: Selection, *, base: bool):
        self._read, self._blob, self._chosen, self._base = read, blob, chosen, base
        self._projects: dict[str, str] = {}
        self._groups: dict[str, bool] = {}
        self._fresh: dict[str, bytes] = {}

    def pick(self, tree: str) -> Picked:
        """The part of a tree."""
        self._fresh = {}
        if self._chosen.paths is not None:
            return self._just(tree, self._chosen.paths)
        root = self._read(tree)
        if self._chosen.is_whole:
            return self._whole(tree, root)
        found = {name: root[name] for name in BASE if self._base and name in root}
        if "templates" in root and "templates" in self._chosen.words:
            found["templates"] = root["templates"]
        alone = self._chosen.words == ("templates",)
        if "projects" in root and not alone and (id := self._all_projects(root["projects"][1])):
            found["projects"] = (FOLDER, id)
        if "groups" in root and "groups" in self._chosen.words and (id := self._all_groups(root["groups"][1])):
            found["groups"] = (FOLDER, id)
        return Picked(self._keep(found), self._fresh)

    def _whole(self, tree: str, root: Entries) -> Picked:
        if self._base:
            return Picked(tree)
        return Picked(self._keep({name: one for name, one in root.items() if name in TOP}), self._fresh)

    def _just(self, tree: str, paths: Iterable[str]) -> Picked:
        editor = trees.TreeEditor(self._read, None)
        source = trees.TreeEditor(self._read, tree)
        for path in (*paths, *(BASE if self._base else ())):
            if found := source.get(path):
                editor.set(path, found[1])
        id, fresh = editor.write()
        # An editor that was given nothing does not tell of the empty tree, which need not be anywhere.
        return Picked(id, dict(fresh) or {id: trees.serialize({})})

    def _keep(self, entries: Mapping[str, tuple[int, str]]) -> str:
        data = trees.serialize(entries)
        id = trees.object_id("tree", data)
        self._fresh[id] = data
        return id

    def _all_projects(self, tree: str) -> str:
        wanted = self._chosen.projects
        found = {}
        for name, (mode, id) in self._read(tree).items():
            if mode == FOLDER and (wanted is None or name in wanted) and (part := self._project(id)):
                found[name] = (FOLDER, part)
        return self._keep(found) if found else ""

    def _project(self, tree: str) -> str:
        folders = self._chosen.folders
        entries = self._read(tree)
        found = {name: one for name, one in entries.items() if name == "project.yaml" or name in folders}
        if len(found) == len(entries):
            return tree
        return self._keep(found) if found else ""

    def _all_groups(self, tree: str) -> str:
        entries = self._read(tree)
        if self._chosen.projects is None:
            return tree
        found = {name: one for name, one in entries.items() if one[0] != FOLDER and self._concerns(name, one[1])}
        return self._keep(found) if found else ""

    def _concerns(self, name: str, id: str) -> bool:
        """Whether a group has one of the projects."""
        if id not in self._groups:
            try:
                members = Record.parse(f"groups/{name}", self._blob(id)).data.get("projects")
            except Invalid:
                members = None
            wanted = self._chosen.projects or ()
            self._groups[id] = isinstance(members, list) and any(one in wanted for one in members)
        return self._groups[id]


# -- other names -----------------------------------------------------------------------------------


def read_map(given: Iterable[str]) -> dict[str, str]:
    """OLD=NEW texts as a mapping. Raises Invalid."""
    from sbfs.kind import check_name

    found: dict[str, str] = {}
    for text in given:
        old, sign, new = text.partition("=")
        if not sign:
            raise Invalid(f"{text!r} is not OLD=NEW", field="map")
        if check_name(old, field="map") in found:
            raise Invalid(f"{old} is given two names", field="map")
        if check_name(new, field="map") in found.values():
            raise Invalid(f"two projects are to be {new}", field="map")
        found[old] = new
    return found


def renamed(
    read: Read,
    blobs: Callable[[Iterator[tuple[str, str]]], Iterator[tuple[str, bytes]]],
    tree: str,
    names: Mapping[str, str],
    keep: Callable[[str, bytes], object],
) -> tuple[str, dict[str, bytes]]:
    """A tree with projects under other names, in paths and in what records say of them.

    blobs: (path, bytes) of each (path, id). keep: is given each new file, its id first. Returns the tree's id,
    and the trees that are new, by id. Raises Invalid where a name is taken, or is none of a project's in the tree.
    """
    root = read(tree)
    entries = dict(read(root["projects"][1])) if "projects" in root else {}
    if missing := [old for old in names if old not in entries]:
        raise Invalid(
            f"there is no project {missing[0]!r} in it", field="map", hint=f"it holds {', '.join(entries) or 'none'}"
        )
    if taken := [new for new in names.values() if new in entries and new not in names]:
        raise Invalid(
            f"it holds a project {taken[0]!r} already", field="map", hint="choose another name, or map that one too"
        )
    moved = Entries({names.get(name, name): one for name, one in entries.items()})
    id = trees.serialize(moved)
    fresh = {trees.object_id("tree", id): id}
    top = trees.serialize({**root, "projects": (FOLDER, trees.object_id("tree", id))})
    fresh[trees.object_id("tree", top)] = top
    made = {one: trees.parse(data) for one, data in fresh.items()}

    def both(one: str) -> Entries:
        return made[one] if one in made else read(one)

    walked = ((path, id) for path, _, id in trees.walk(both, trees.object_id("tree", top)) if _says_names(path))
    marks = [old.encode() for old in names]
    changed: dict[str, str] = {}
    for path, raw in blobs(walked):
        kind = kinds.kind_of(path)
        if kind is None or not any(mark in raw for mark in marks):
            continue
        record = Record.parse(path, raw)
        data = renamed_in(kind.name, record.data, names)
        if data != record.data:
            new = record.changed(data)
            keep(new.etag, new.raw)
            changed[path] = new.etag
    # Only now, since an editor reads too.
    editor = trees.TreeEditor(both, trees.object_id("tree", top))
    for path, new_id in changed.items():
        editor.set(path, new_id)
    last, written = editor.write()
    return last, {**fresh, **dict(written)}


def _says_names(path: str) -> bool:
    kind = kinds.kind_of(path)
    return kind is not None and kind.name in ("project", "group", "message")


_PARTIES = ("from_project", "to_project", "original_from", "original_to", "forwarded_by")


def renamed_in(kind: str, data: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What a record says of projects, by their new names."""
    if kind == "message":
        result = {
            key: names.get(value, value) if key in _PARTIES and isinstance(value, str) else value
            for key, value in data.items()
        }
        if isinstance(data.get("forwarded_from"), dict):
            result["forwarded_from"] = renamed_in("message", data["forwarded_from"], names)
        return result
    if kind == "group":
        return {**data, "projects": _names(data.get("projects"), names)} if "projects" in data else data
    result = (
        {**data, "name": names.get(data["name"], data["name"])} if isinstance(data.get("name"), str) else dict(data)
    )
    if isinstance(data.get("relations"), dict):
        result["relations"] = {type: _names(found, names) for type, found in data["relations"].items()}
    return result


def _names(found: Any, names: Mapping[str, str]) -> Any:
    return (
        sorted({names.get(one, one) for one in found})
        if isinstance(found, list) and all(isinstance(one, str) for one in found)
        else found
    )
