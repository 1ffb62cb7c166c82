"""Projects: the named parties that send and receive, how they relate, and groups of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sbfs import times
from sbfs.errors import AlreadyExists, Invalid, NotFound
from sbfs.git import trees
from sbfs.kind import Field, Kind, check_name, check_texts
from sbfs.record import Record
from sbfs.store import Page, Store, Transaction, View

if TYPE_CHECKING:
    from sbfs.entry import Entry

T = TypeVar("T")

RELATIONS = ("uses", "extends", "references", "shares_code")


@dataclass(frozen=True)
class Project:
    """A party. host: where it runs. source_path: of its code. relations: type → names of projects.

    formerly: names it had before. groups: it belongs to (from the groups' own records).
    extra: keys that this version does not know.
    """

    name: str
    created: datetime
    updated: datetime
    alias: str = ""
    description: str = ""
    host: str = ""
    source_path: str = ""
    tags: tuple[str, ...] = ()
    relations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    formerly: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Projects that belong together."""

    name: str
    projects: tuple[str, ...]
    created: datetime
    updated: datetime
    description: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def _load_project(data: dict[str, Any]) -> Project:
    rest = dict(data)
    relations = rest.pop("relations", None) or {}
    for type, names in relations.items():
        if type not in RELATIONS:
            raise Invalid(f"{type!r} is none of {', '.join(RELATIONS)}", field="relations")
        _check_names(names, f"relations.{type}")
    created = times.load(rest.pop("created"), field="created")
    return Project(
        name=check_name(rest.pop("name")),
        created=created,
        updated=times.load(rest.pop("updated"), field="updated") if "updated" in rest else created,
        alias=rest.pop("alias", ""),
        description=rest.pop("description", ""),
        host=rest.pop("host", ""),
        source_path=rest.pop("source_path", ""),
        tags=check_texts(rest.pop("tags", ()), "tags"),
        relations={type: tuple(names) for type, names in relations.items()},
        formerly=_check_names(rest.pop("formerly", ()), "formerly"),
        extra=rest,
    )


def _dump_project(project: Project) -> dict[str, Any]:
    facts = {
        "alias": project.alias,
        "description": project.description,
        "host": project.host,
        "source_path": project.source_path,
        "tags": [*project.tags],
        "relations": {type: [*names] for type, names in project.relations.items() if names},
        "formerly": [*project.formerly],
    }
    return {
        "name": project.name,
        **{key: value for key, value in facts.items() if value},
        "created": times.dump(project.created),
        "updated": times.dump(project.updated),
        **project.extra,
    }


def _load_group(data: dict[str, Any]) -> Group:
    rest = dict(data)
    created = times.load(rest.pop("created"), field="created")
    return Group(
        name=check_name(rest.pop("name"), what="group"),
        projects=_check_names(rest.pop("projects", ()), "projects"),
        created=created,
        updated=times.load(rest.pop("updated"), field="updated") if "updated" in rest else created,
        description=rest.pop("description", ""),
        extra=rest,
    )


def _dump_group(group: Group) -> dict[str, Any]:
    described = {"description": group.description} if group.description else {}
    stamps = {"created": times.dump(group.created), "updated": times.dump(group.updated)}
    return {"name": group.name, **described, "projects": [*group.projects], **stamps, **group.extra}


def _check_names(names: Any, field: str) -> tuple[str, ...]:
    return tuple(check_name(name, field=field) for name in check_texts(names, field))


def _project_entries(record: Record) -> Iterator[Entry]:
    from sbfs.entry import Entry

    project = _load_project(record.data)
    yield Entry(
        id=project.name,
        kind="project",
        project=project.name,
        path=record.path,
        title=project.name,
        timestamp=times.dump(project.updated),
        text="\n".join(filter(None, (project.alias, project.description, *project.formerly))),
        identifiers=" ".join((project.name, project.source_path)),
        facets={"tags": project.tags} if project.tags else {},
    )


def _group_entries(record: Record) -> Iterator[Entry]:
    from sbfs.entry import Entry

    group = _load_group(record.data)
    yield Entry(
        id=group.name,
        kind="group",
        project="",
        path=record.path,
        title=group.name,
        timestamp=times.dump(group.updated),
        text=group.description,
        identifiers=" ".join((group.name, *group.projects)),
    )


KIND: Kind[Project] = Kind(
    name="project",
    pattern="projects/{project}/project.yaml",
    fields=(
        Field("name", rule="fixed", required=True),
        Field("alias"),
        Field("description", rule="text"),
        Field("host"),
        Field("source_path"),
        Field("tags", type([]), rule="set"),
        Field("relations", dict, rule="mapping"),
        Field("formerly", type([]), rule="set"),
        Field("graph", dict, rule="mapping"),
        Field("graph.exclude", type([]), rule="set"),
        Field("created", rule="fixed", required=True, is_time=True),
        Field("updated", is_time=True),
    ),
    load=_load_project,
    dump=_dump_project,
    entries=_project_entries,
)

GROUP: Kind[Group] = Kind(
    name="group",
    pattern="groups/{group}.yaml",
    fields=(
        Field("name", rule="fixed", required=True),
        Field("description", rule="text"),
        Field("projects", type([]), rule="set", required=True),
        Field("created", rule="fixed", required=True, is_time=True),
        Field("updated", is_time=True),
    ),
    load=_load_group,
    dump=_dump_group,
    entries=_group_entries,
)

# -- writing ---------------------------------------------------------------------------------------


def add(
    store: Store,
    *,
    name: str,
    alias: str = "",
    description: str = "",
    host: str = "",
    source_path: str = "",
    tags: Sequence[str] = (),
    begin: Callable[[Transaction], object] | None = None,
    actor: str = "",
) -> Project:
    """Add a project. Raises AlreadyExists, or Invalid for a name that cannot be one.

    begin: puts what the project begins with into the same commit.
    """
    facts = Given(name, alias, description, host, source_path, tuple(tags))

    def build(tx: Transaction) -> Project:
        project = create(tx, facts)
        if begin:
            begin(tx)
        tx.describe(f"Add project {name}", Ids=name)
        return project

    return store.write("project.add", build, actor=actor)


@dataclass(frozen=True)
class Given:
    """What is said of a project that is to be added."""

    name: str
    alias: str = ""
    description: str = ""
    host: str = ""
    source_path: str = ""
    tags: tuple[str, ...] = ()
    relations: dict[str, tuple[str, ...]] = field(default_factory=dict)


def create(tx: Transaction, given: Given) -> Project:
    """A new project, within a transaction that may do more. Raises AlreadyExists or Invalid."""
    refuse_taken(tx.view, check_name(given.name))
    facts = {**vars(given), "tags": tuple(dict.fromkeys(given.tags))}
    project = Project(created=tx.now, updated=tx.now, **facts)
    tx.create(KIND, KIND.path_of(project=given.name), _dump_project(project))
    return project


def create_group(tx: Transaction, group: str, names: Iterable[str], description: str = "") -> Group:
    """A new group, within a transaction that may do more. Raises AlreadyExists or Invalid."""
    made = Group(check_name(group, what="group"), tuple(sorted({*names})), tx.now, tx.now, description)
    tx.create(GROUP, GROUP.path_of(group=group), _dump_group(made))
    return made


def set(
    store: Store,
    *,
    project: str,
    alias: str | None = None,
    description: str | None = None,
    host: str | None = None,
    source_path: str | None = None,
    tags: Sequence[str] | None = None,
    add_tags: Sequence[str] = (),
    remove_tags: Sequence[str] = (),
    actor: str = "",
) -> Project:
    """Change what is known of a project; None leaves a field as it is, "" empties it."""
    given = {"alias": alias, "description": description, "host": host, "source_path": source_path}
    facts = {key: value for key, value in given.items() if value is not None}

    def build(tx: Transaction) -> Project:
        old = resolve(tx.view, project)
        kept = [tag for tag in (old.tags if tags is None else tags) if tag not in remove_tags]
        new = replace(old, **facts, tags=tuple(dict.fromkeys([*kept, *add_tags])))  # type: ignore[arg-type]
        return _replace(tx, old, new, f"Change project {old.name}")

    return store.write("project.set", build, actor=actor)


def put_source(tx: Transaction, name: str, source_path: str) -> None:
    """Let a project know its folder within another verb's transaction."""
    old = resolve(tx.view, name)
    stamped = replace(old, source_path=source_path, updated=tx.now)
    tx.replace(KIND, tx.view.record(KIND.path_of(project=old.name)), _dump_project(stamped))


def relate(
    store: Store, *, project: str, other: str, type: str = "uses", remove: bool = False, actor: str = ""
) -> Project:
    """Say that a project `uses`, `extends`, `references` another or `shares_code` with it, or no longer."""
    if type not in RELATIONS:
        raise Invalid(f"{type!r} is none of {', '.join(RELATIONS)}", field="type")

    def build(tx: Transaction) -> Project:
        old = resolve(tx.view, project)
        known = old.relations.get(type, ())
        # What a project relates to may be gone by now: that can be taken back by the name it had.
        target = other if remove and other in known else resolve(tx.view, other).name
        if old.name == target:
            raise Invalid("a project cannot relate to itself", field="other")
        names = {one for one in known if target not in (one, name_now(tx.view, one))}
        names |= frozenset() if remove else {target}
        relations = {**old.relations, type: tuple(sorted(names))}
        new = replace(old, relations={type: names for type, names in relations.items() if names})
        verb = "no longer " if remove else ""
        return _replace(tx, old, new, f"{old.name} {verb}{type} {target}")

    return store.write("project.relate", build, actor=actor)


def rename(store: Store, *, project: str, name: str, actor: str = "") -> Project:
    """Give a project another name. Its folder moves with its history; its former name still resolves."""
    check_name(name)

    def build(tx: Transaction) -> Project:
        old = resolve(tx.view, project)
        refuse_taken(tx.view, name, by=old.name)
        formerly = tuple(one for one in dict.fromkeys([*old.formerly, old.name]) if one != name)
        new = replace(old, name=name, formerly=formerly, updated=tx.now)
        before = KIND.path_of(project=old.name)
        tx.need(f"projects/{old.name}")
        for path in _paths_below(tx.view, f"projects/{old.name}"):
            if path != before:
                tx.put_bytes(path.replace(f"projects/{old.name}/", f"projects/{name}/", 1), tx.view.read(path) or b"")
                tx.drop(path, _UNSAVED)
        moved = replace(tx.view.record(before), path=KIND.path_of(project=name))
        tx.rewrite(KIND, moved, _dump_project(new))
        tx.remove(KIND, before, renamed_to=name)
        _change_groups(tx, lambda names: [name if one == old.name else one for one in names])
        tx.describe(f"Rename project {old.name} to {name}", Ids=f"{old.name} {name}")
        return new

    return store.write("project.rename", build, actor=actor)


def remove(store: Store, *, project: str, actor: str = "") -> Project:
    """Remove a project with all its records; `sbfs undo` brings them back."""

    def build(tx: Transaction) -> Project:
        old = resolve(tx.view, project)
        before = KIND.path_of(project=old.name)
        tx.need(f"projects/{old.name}")
        for path in _paths_below(tx.view, f"projects/{old.name}"):
            if path != before:
                tx.drop(path, _UNSAVED)
        tx.remove(KIND, before)
        _change_groups(tx, lambda names: [one for one in names if one != old.name])
        tx.describe(f"Remove project {old.name}", Ids=old.name)
        return old

    return store.write("project.remove", build, actor=actor)


def copied(tx: Transaction, old: Project, name: str, origin: dict[str, str]) -> Project:
    """Put down a copy of a project's own record under another name. origin: what it was copied from."""
    extra = {**old.extra, "origin": origin}
    new = replace(old, name=name, alias="", formerly=(), groups=(), created=tx.now, updated=tx.now, extra=extra)
    tx.create(KIND, KIND.path_of(project=name), _dump_project(new))
    return new


def group_add(
    store: Store, *, group: str, projects: Sequence[str] = (), description: str | None = None, actor: str = ""
) -> Group:
    """Make a group, or add projects to one."""
    check_name(group, what="group")

    def build(tx: Transaction) -> Group:
        names = [resolve(tx.view, project).name for project in projects]
        path = GROUP.path_of(group=group)
        record = tx.find(path)
        old = _load_group(record.data) if record else Group(group, (), tx.now, tx.now)
        new = replace(
            old,
            projects=tuple(sorted({*old.projects, *names})),
            description=old.description if description is None else description,
            updated=tx.now,
        )
        if record:
            tx.replace(GROUP, record, _dump_group(new))
        else:
            tx.create(GROUP, path, _dump_group(new))
        tx.describe(f"Group {group}: {', '.join(names) or 'begun'}", Ids=group)
        return new

    return store.write("group.add", build, actor=actor)


def group_remove(store: Store, *, group: str, projects: Sequence[str] = (), actor: str = "") -> Group:
    """Take projects out of a group, or, where none is named, remove the group."""

    def build(tx: Transaction) -> Group:
        record = tx.get(GROUP.path_of(group=group), "group", group)
        old = _load_group(record.data)
        if not projects:
            tx.remove(GROUP, record.path)
            tx.describe(f"Remove group {group}", Ids=group)
            return old
        names = {resolve(tx.view, project).name for project in projects}
        if missing := names - {*old.projects}:
            raise NotFound(f"project in group {group}", min(missing), known=old.projects)
        new = replace(old, projects=tuple(one for one in old.projects if one not in names), updated=tx.now)
        tx.replace(GROUP, record, _dump_group(new))
        tx.describe(f"Group {group}: without {', '.join(sorted(names))}", Ids=group)
        return new

    return store.write("group.remove", build, actor=actor)


def _refuse_unsaved(data: dict[str, Any]) -> None:  # noqa: ARG001
    raise Invalid("has an unsaved edit", hint="run 'sbfs save' first")


_UNSAVED: Kind[None] = Kind("unsaved edit", "", (), load=_refuse_unsaved, dump=lambda _: {})
"""Of records that go or move with their project. What a person changed in them is not checked here, so
it is not saved here either."""


def _replace(tx: Transaction, old: Project, new: Project, subject: str) -> Project:
    if new == old:
        return old
    stamped = replace(new, updated=tx.now)
    tx.replace(KIND, tx.view.record(KIND.path_of(project=old.name)), _dump_project(stamped))
    tx.describe(subject, Ids=old.name)
    return stamped


def _change_groups(tx: Transaction, change: Callable[[Iterable[str]], Iterable[str]]) -> None:
    for path, _ in tx.view.walk(GROUP):
        try:
            record = tx.find(path)
            if record is None:
                continue
            GROUP.check(record)
        except Invalid:
            # A group that cannot be read keeps nobody from working; 'sbfs check' names it.
            continue
        old = _load_group(record.data)
        names = tuple(sorted({*change(old.projects)}))
        if names != tuple(sorted(old.projects)):
            tx.replace(GROUP, record, _dump_group(replace(old, projects=names, updated=tx.now)))


def refuse_taken(view: View, name: str, by: str = "") -> None:
    """Raise AlreadyExists for a name that a project has, or had: mail still goes to it by that name."""
    record = view.find_record(KIND.path_of(project=name))
    if record and not record.removed:
        raise AlreadyExists("project", name, hint=f"see 'sbfs project show {name}'")
    heir = name_now(view, name) if record and "renamed_to" in record.data else name
    if heir not in (name, by):
        path = KIND.path_of(project=heir)
        hint = f"it is a former name of {heir}: take it out of `formerly` in {path} to use it anew"
        raise AlreadyExists("project", name, hint=hint)


def _paths_below(view: View, folder: str) -> Iterable[str]:
    found = view.repo.folder(view.commit.tree, folder)
    return [path for path, _, _ in trees.walk(view.repo.tree, found, folder + "/")] if found else []


# -- reading ---------------------------------------------------------------------------------------


def resolve(view: View, name: str) -> Project:
    """A project by its name, a former name, or its alias where that is one project's alone.

    Raises NotFound with names that are near.
    """
    found: Project | None = view.memo.get(("project", name))
    if found is None:
        found = view.memo["project", name] = _resolve(view, name)
    return found


def _resolve(view: View, name: str) -> Project:
    path = KIND.path_of(project=name)
    raw = view.read(path) if _may_be_path(name) else None
    if raw is not None and (project := _parsed(path, raw)):
        return project
    known_projects = [*everyone(view)]
    former = [project for project in known_projects if name in project.formerly]
    if len(former) == 1:
        return former[0]
    alias = [project for project in known_projects if project.alias and project.alias == name]
    if len(alias) == 1:
        return alias[0]
    known = [project.name for project in known_projects]
    raise NotFound("project", name, known=known, hint="" if known else f"add it: sbfs project add {name}")


def is_known(view: View, name: str) -> bool:
    """Whether a project has, or had, a name; or whether it names a group, as `@team`."""
    try:
        return name.startswith("@") or bool(resolve(view, name))
    except NotFound:
        return False


def name_now(view: View, name: str) -> str:
    """The name that a project has today, by any it had; the same where it is gone or cannot be read."""
    try:
        return resolve(view, name).name
    except (NotFound, Invalid):
        return name


def _may_be_path(name: str) -> bool:
    try:
        check_name(name)
    except Invalid:
        return False
    return True


@functools.lru_cache(maxsize=1024)
def _parsed(path: str, raw: bytes) -> Project | None:
    """The project that a file's bytes say; None for a tombstone. Kept, since every message asks for two."""
    record = Record.parse(path, raw)
    KIND.check(record)
    return None if record.removed else _load_project(record.data)


def excluded(view: View, name: str) -> Sequence[str]:
    """The patterns, as in .gitignore, of what is left out of a project's graph: those of sbfs.yaml, then its own."""
    known = next((one for one in everyone(view) if one.name == name), None)
    said = [view.store.settings().get("graph"), known.extra.get("graph") if known else None]
    return [str(one) for each in said if isinstance(each, dict) for one in each.get("exclude") or ()]


def holding(view: View, folder: str) -> str:
    """The name of the project whose source path holds a folder or a file, the nearest of several; "" for none."""
    found = [one for one in everyone(view) if one.source_path and _holds(one.source_path, folder)]
    return max(found, key=lambda one: len(one.source_path)).name if found else ""


def _holds(source: str, folder: str) -> bool:
    return source.startswith("/") and (folder == source or folder.startswith(source.rstrip("/") + "/"))


def everyone(view: View) -> Iterable[Project]:
    """All projects that can be read, by name."""
    return _readable(view)[0]


def show(store: Store, *, project: str, at: str | None = None) -> Project:
    """A project, with the groups it belongs to."""
    view = store.view(at)
    found = resolve(view, project)
    return replace(found, groups=tuple(group.name for group in _groups(view) if found.name in group.projects))


def list(
    store: Store, *, tag: str = "", group: str = "", limit: int = 50, cursor: str | None = None, at: str | None = None
) -> Page:
    """Projects by name, all or those with a tag or in a group. Items: Project."""
    view = store.view(at)
    members = {*_group(view, group).projects} if group else None
    found, unreadable = _readable(view)
    found = [one for one in found if (not tag or tag in one.tags) and (members is None or one.name in members)]
    return page(found, lambda project: project.name, limit, cursor, unreadable)


def _readable(view: View) -> tuple[Sequence[Project], tuple[tuple[str, str], ...]]:
    found, unreadable = [], []
    for name in view.names("projects"):
        path = KIND.path_of(project=name)
        raw = view.read(path)
        if raw is None:
            continue
        try:
            record = Record.parse(path, raw)
            if not record.removed:
                KIND.check(record)
                found.append(_load_project(record.data))
        except Invalid as error:
            unreadable.append((path, str(error)))
    return found, tuple(unreadable)


def page(
    found: Sequence[T],
    key: Callable[[T], str],
    limit: int,
    cursor: str | None,
    unreadable: tuple[tuple[str, str], ...] = (),
) -> Page:
    """The part of a list, sorted by key, that begins behind the cursor."""
    rest = [one for one in found if cursor is None or key(one) > cursor]
    shown = rest[:limit]
    return Page([*shown], len(found), key(shown[-1]) if len(rest) > limit and shown else None, unreadable)


def group_show(store: Store, *, group: str, at: str | None = None) -> Group:
    """A group."""
    return _group(store.view(at), group)


def group_list(store: Store, *, limit: int = 50, cursor: str | None = None, at: str | None = None) -> Page:
    """Groups by name. Items: Group."""
    found, unreadable = _readable_groups(store.view(at))
    return page(found, lambda group: group.name, limit, cursor, unreadable)


def members(view: View, group: str) -> tuple[str, ...]:
    """The names of a group's projects."""
    return _group(view, group).projects


def _group(view: View, name: str) -> Group:
    record = view.find_record(GROUP.path_of(group=name)) if _may_be_path(name) else None
    if record is None or record.removed:
        raise NotFound("group", name, known=[group.name for group in _groups(view)])
    GROUP.check(Record.parse(record.path, record.raw))
    return _load_group(record.data)


def _groups(view: View) -> Iterable[Group]:
    return _readable_groups(view)[0]


def _readable_groups(view: View) -> tuple[Sequence[Group], tuple[tuple[str, str], ...]]:
    return readable(view, GROUP)


def readable(view: View, kind: Kind[T]) -> tuple[Sequence[T], tuple[tuple[str, str], ...]]:
    """The values of a kind's records by path, tombstones left out; and (path, why) of what cannot be read."""
    found, unreadable = [], []
    for path, _ in view.walk(kind, newest=False):
        try:
            record = view.record(path)
            if not record.removed:
                kind.check(record)
                found.append(kind.load(record.data))
        except Invalid as error:
            unreadable.append((path, str(error)))
    return found, tuple(unreadable)
