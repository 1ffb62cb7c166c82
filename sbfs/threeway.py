"""Two commits become one tree: a three-way merge of what differs, file by file.

What is equal on both sides is never read, so the cost follows the difference. The outcome is the
same whichever side merges: no rule knows which side is ours, and a conflict's id comes from its
content. It is told as changes to our side, which is what a publication needs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sbfs import conflicts, files, kinds, projects
from sbfs.conflicts import Conflict
from sbfs.conversations import TURNS, joining
from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.git.ancestry import merge_bases
from sbfs.git.repository import Repository
from sbfs.merge import merge_file
from sbfs.record import Record, etag


@dataclass(frozen=True, slots=True)
class Change:
    """What a path becomes. data: new bytes, None where it goes. id: of its bytes, in place of data, where the
    repository has them."""

    data: bytes | None = None
    id: str = ""

    @property
    def goes(self) -> bool:
        """Whether the file is there no more."""
        return self.data is None and not self.id


@dataclass
class Joined:
    """changes: to our tree, by path. conflicts: values that lost, which are among the changes too.
    added: paths that are new here. forward: whether the other side's tree is taken as it is. folders: path → tree of
    folders that are taken as a whole, whose files are not among the changes."""

    changes: dict[str, Change] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    added: tuple[str, ...] = ()
    forward: bool = False
    folders: dict[str, str] = field(default_factory=dict)


def join(repo: Repository, ours: str, theirs: str) -> Joined:
    """Merge another commit into ours. Raises Invalid for a tree that no store may hold."""
    objects = _Objects(repo)
    bases = merge_bases(repo, ours, theirs)
    base = _virtual_base(objects, [repo.commit(one).tree for one in bases])
    sides = (repo.commit(ours).tree, repo.commit(theirs).tree)
    return _Join(objects, base, *sides, commits=(ours, theirs)).run()


def join_trees(
    repo: Repository,
    base: str | None,
    ours: str,
    theirs: str,
    *,
    made: Mapping[str, trees.Entries] | None = None,
    commits: tuple[str, ...] = (),
    whole: Callable[[str], bool] | None = None,
) -> Joined:
    """Merge a tree into ours by what both began with, None where nothing is known of that.

    made: trees that are only in memory, by id. commits: what conflicts say of where they come from. whole: whether a
    new folder of a project may be taken as a whole, by its path; the caller has looked into theirs.
    """
    objects = _Objects(repo)
    objects.trees.update(made or {})
    return _Join(objects, base, ours, theirs, commits=commits).run(whole=whole)


def forward(repo: Repository, ours: str, theirs: str) -> Joined | None:
    """What a commit that contains ours changed; None where its tree cannot be taken as it is."""
    objects = _Objects(repo)
    before, after = repo.commit(ours).tree, repo.commit(theirs).tree
    delta = _delta(objects, before, after)
    _check_incoming(objects, after, delta)
    if any(id and objects.entry(after, path)[0] != trees.FILE for path, (_, id) in delta.items()):
        return None
    changes = {path: Change(id=id or "") for path, (_, id) in delta.items()}
    added = tuple(path for path, (old, _) in delta.items() if old is None)
    return Joined(changes, added=added, forward=True)


def check_incoming(repo: Repository, tree: str) -> None:
    """Raise Invalid for a tree that leads out of the store, or holds what is no file."""
    objects = _Objects(repo)
    _check_incoming(objects, tree, _delta(objects, None, tree))


class _Objects:
    """The repository's objects, and those of merged bases, which are nowhere else."""

    def __init__(self, repo: Repository):
        self.repo = repo
        self.trees: dict[str, trees.Entries] = {}
        self.blobs: dict[str, bytes] = {}
        self._last: dict[str, tuple[str, trees.Entries]] = {}

    def tree(self, id: str) -> trees.Entries:
        return self.trees[id] if id in self.trees else self.repo.tree(id)

    def blob(self, id: str) -> bytes:
        return self.blobs[id] if id in self.blobs else self.repo.blob(id)

    def entry(self, tree: str, path: str) -> tuple[int, str]:
        """(mode, id) at a path; (0, "") where nothing is."""
        folder, _, name = path.rpartition("/")
        # Paths mostly come folder by folder.
        last = self._last.get(tree)
        if last is None or last[0] != folder:
            last = self._last[tree] = folder, self._entries(tree, folder)
        return last[1].get(name, (0, ""))

    def _entries(self, tree: str, folder: str) -> trees.Entries:
        """The entries of a folder; none where there is no such folder."""
        at = (trees.FOLDER, tree)
        for part in folder.split("/") if folder else ():
            at = self.tree(at[1]).get(part, (0, "")) if at[0] == trees.FOLDER else (0, "")
        return self.tree(at[1]) if at[0] == trees.FOLDER else trees.Entries()

    def file(self, tree: str, path: str) -> str | None:
        """The id of the file at a path, or None."""
        mode, id = self.entry(tree, path)
        return id if mode and mode != trees.FOLDER else None

    def folder(self, tree: str, path: str) -> str | None:
        """The id of the folder at a path, or None."""
        mode, id = self.entry(tree, path)
        return id if mode == trees.FOLDER else None

    def id_of(self, change: Change) -> str | None:
        """The id that a file will have; None where it goes."""
        return change.id or (etag(change.data) if change.data is not None else None)

    def keep(self, tree: str | None, changes: Mapping[str, Change]) -> str:
        """The tree that changes make of another, kept here."""
        editor = trees.TreeEditor(self.tree, tree)
        for path, change in sorted(changes.items(), key=lambda item: not item[1].goes):
            if change.id:
                editor.set(path, change.id)
            elif change.data is None:
                editor.remove(path)
            else:
                self.blobs[etag(change.data)] = change.data
                editor.set(path, etag(change.data))
        id, fresh = editor.write()
        self.trees.update({one: trees.parse(data) for one, data in fresh})
        return id


def _virtual_base(objects: _Objects, bases: list[str]) -> str | None:
    """The tree that both sides began with. After a criss-cross there are several, which are merged by
    the same rules; what loses there lost long ago, and is not kept again."""
    if not bases:
        return None
    base = bases[0]
    for other in bases[1:]:
        base = objects.keep(base, _Join(objects, None, base, other, commits=()).run(quiet=True).changes)
    return base


Delta = dict[str, tuple[str | None, str | None]]
"""Path → (id before, id after) of what a side changed."""


class _Join:
    def __init__(self, objects: _Objects, base: str | None, ours: str, theirs: str, *, commits: tuple[str, ...]):
        self.objects, self.base, self.ours, self.theirs, self.commits = objects, base, ours, theirs, commits
        self.conflicts: dict[str, Conflict] = {}
        self.changes: dict[str, Change] = {}

    def run(self, *, quiet: bool = False, whole: Callable[[str], bool] | None = None) -> Joined:
        """quiet: whether what loses is forgotten. whole: as `join_trees` says."""
        mine = _delta(self.objects, self.base, self.ours)
        folders = self._new_folders(mine, whole) if whole else {}
        other = _delta(self.objects, self.base, self.theirs, folders)
        moves = _Moves(self.objects, (mine, other))
        if moves.names and folders:
            # What lies in them goes elsewhere, file by file.
            folders, other = {}, _delta(self.objects, self.base, self.theirs)
        _check_incoming(self.objects, self.theirs, other)
        mine, other = moves.moved(mine), moves.moved(other)
        for path, (before, after) in sorted(other.items()):
            self._join(path, before, mine.get(path, (before, before))[1], after)
        self._move_ours(moves)
        self._name_moved(moves)
        self._join_conversations(mine, other)
        if not quiet:
            self._keep_conflicts()
        changes = self._real_changes()
        added = tuple(path for path in changes if self.objects.file(self.ours, path) is None)
        return Joined(changes, tuple(self.conflicts.values()), added, folders=folders)

    def _new_folders(self, mine: Delta, whole: Callable[[str], bool]) -> dict[str, str]:
        """Folders in projects that only the other side ever had. Conversations are looked at one by one where there
        are some here, since two may tell the same."""
        has_talks = any(joining.folder_of(path) for path in mine)

        def wanted(path: str) -> bool:
            is_talk = path.split("/")[2:3] == ["conversations"]
            return is_in_project(path) and not (has_talks and is_talk) and whole(path)

        return dict(trees.new_folders(self.objects.tree, (self.base, self.ours), self.theirs, wanted))

    def _join(self, path: str, base: str | None, ours: str | None, theirs: str | None) -> None:
        if theirs in (ours, base):
            return
        if ours == base:
            self.changes[path] = Change(id=theirs or "")
            return
        merged = merge_file(kinds.kind_of(path), path, *map(self._bytes, (base, ours, theirs)))
        self.changes[path] = Change(merged.data)
        for lost in merged.lost:
            conflict = conflicts.new(path, lost.field, lost.kept, lost.lost, lost.base, self.commits)
            self.conflicts[conflicts.path_of(conflict)] = conflict

    def _bytes(self, id: str | None) -> bytes | None:
        return None if id is None else self.objects.blob(id)

    def _now(self, path: str) -> bytes | None:
        """What a path holds after all that was decided so far."""
        if path in self.changes:
            return self._bytes(self.changes[path].id) if self.changes[path].id else self.changes[path].data
        return self._bytes(self.objects.file(self.ours, path))

    def _move_ours(self, moves: _Moves) -> None:
        """What still lies under a former name here goes to where the project is now."""
        for path, id in moves.files_below(self.ours):
            target = moves.place(path)
            if target not in self.changes:
                there = self._now(target)
                kept = merge_file(kinds.kind_of(target), target, None, there, self._bytes(id)).data
                self.changes[target] = Change(kept) if there is not None else Change(id=id)
            self.changes[path] = Change(None)

    def _name_moved(self, moves: _Moves) -> None:
        """Records of moved projects say where they are, whichever of two renamings was the last."""
        for old, name in moves.names.items():
            there = _readable(_project(name), self._now(_project(name)))
            if there is None or there.removed:
                continue
            data = _renamed(there.data, old, name)
            if data != there.data:
                self.changes[_project(name)] = Change(there.changed(data).raw)
            former = _readable(_project(old), self._now(_project(old)))
            removed = (
                former.data["removed"] if former and former.removed else data.get("updated") or data.get("created")
            )
            gone = Record.make(_project(old), {"removed": removed, "renamed_to": name})
            if former is None or former.data != gone.data:
                self.changes[_project(old)] = Change(gone.raw)

    def _join_conversations(self, mine: Delta, other: Delta) -> None:
        """What both sides changed of a conversation becomes whole again; of a removed one no turn stays. What two
        conversations tell that were imported apart is told by one."""
        changed = [{joining.folder_of(path) for path in delta} - {None} for delta in (mine, other)]
        for folder in sorted(filter(None, changed[0] & changed[1])):
            facts = f"{folder}/conversation.yaml"
            sides = (self._bytes(self.objects.file(tree, facts)) for tree in (self.ours, self.theirs))
            for path, data in joining.whole(folder, self._now, self._names(folder), sides).items():
                self.changes[path] = Change(data)
            for path in [path for path, one in self.conflicts.items() if TURNS.places(one.path)]:
                if self._now(self.conflicts[path].path) is None:
                    del self.conflicts[path]
        ours, theirs = (sorted(filter(None, folders)) for folders in changed)
        for path, data in joining.apart(ours, theirs, self._now, self._names).items():
            self.changes[path] = Change(data)

    def _names(self, folder: str) -> list[str]:
        """The names in a folder after all that was decided so far."""
        tree = self.objects.folder(self.ours, folder)
        here = {f"{folder}/{name}" for name in self.objects.tree(tree)} if tree else set()
        both = here | {path for path in self.changes if path.rpartition("/")[0] == folder}
        gone = {path for path in both if path in self.changes and self.changes[path].goes}
        return [path.rpartition("/")[2] for path in sorted(both - gone)]

    def _keep_conflicts(self) -> None:
        for path, conflict in self.conflicts.items():
            raw = self._now(path)
            record = conflicts.record_of(conflict)
            if raw is not None:
                # Met before: settled it stays, open it names these commits too.
                raw = merge_file(conflicts.KIND, path, None, raw, record.raw).data
            self.changes[path] = Change(raw or record.raw)

    def _real_changes(self) -> dict[str, Change]:
        """Without those that only say what is there."""
        return {
            path: change
            for path, change in self.changes.items()
            if self.objects.id_of(change) != self.objects.file(self.ours, path)
        }


# -- renamed projects ------------------------------------------------------------------------------


class _Moves:
    """Projects that a side renamed: their files are merged where they are now.

    names: former name → name. Renamed on both sides to different names, the name given last stays,
    and the other becomes a former one.
    """

    def __init__(self, objects: _Objects, deltas: Iterable[Delta]):
        self.objects = objects
        found: dict[str, dict[str, str]] = {}
        for delta in deltas:
            for old, name, when in self._renamings(delta):
                found.setdefault(old, {})[name] = when
        names: dict[str, str] = {}
        for old, given in sorted(found.items()):
            last, *others = sorted(given, key=lambda name: (given[name], name), reverse=True)
            names |= {old: last, **dict.fromkeys(others, last)}
        ends = {old: _end(names, old) for old in names}
        self.names = {old: name for old, name in ends.items() if name != old and projects.KIND.places(_project(name))}

    def _renamings(self, delta: Delta) -> Iterator[tuple[str, str, str]]:
        """(former name, name, when) of what a side renamed, and of renamings that it took back."""
        for path, (before, after) in delta.items():
            if not path.endswith("/project.yaml") or (places := projects.KIND.places(path)) is None:
                continue
            was, now = self._renamed_to(path, before), self._renamed_to(path, after)
            if now:
                yield places["project"], *now
            elif was and after and delta.get(_project(was[0]), ("", ""))[1] is None:
                yield was[0], places["project"], ""

    def _renamed_to(self, path: str, id: str | None) -> tuple[str, str] | None:
        """(name, when) that a project's tombstone gives."""
        record = _readable(path, self.objects.blob(id)) if id else None
        name = record.data.get("renamed_to") if record and record.removed else None
        return (name, str(record.data["removed"])) if record and isinstance(name, str) else None

    def place(self, path: str) -> str:
        """Where a path is now."""
        parts = path.split("/", 2)
        if len(parts) == 3 and parts[0] == "projects" and parts[1] in self.names:
            return f"projects/{self.names[parts[1]]}/{parts[2]}"
        return path

    def moved(self, delta: Delta) -> Delta:
        """A side's changes by where the files are now; what only moved is none."""
        if not self.names:
            return delta
        result: Delta = {}
        for path, (before, after) in delta.items():
            place = self.place(path)
            # A tombstone under a former name is a file of its own, before and after.
            stays = (self._tombstone(path, before), self._tombstone(path, after))
            moves = (None if stays[0] else before, None if stays[1] else after)
            for at, pair in ((path, stays), (place, moves)):
                known = result.get(at, (None, None))
                if pair != (None, None):
                    result[at] = (pair[0] or known[0], pair[1] or known[1])
        return {path: pair for path, pair in result.items() if pair[0] != pair[1]}

    def _tombstone(self, path: str, id: str | None) -> str | None:
        """The id, where it is the tombstone of a project that moved."""
        places = projects.KIND.places(path)
        record = _readable(path, self.objects.blob(id)) if id and places and places["project"] in self.names else None
        return id if record and record.removed else None

    def files_below(self, tree: str) -> Iterable[tuple[str, str]]:
        """(path, id) of what a tree still has under former names, the projects' own records apart."""
        for old in self.names:
            folder = self.objects.folder(tree, f"projects/{old}")
            for path, _, id in trees.walk(self.objects.tree, folder, f"projects/{old}/") if folder else ():
                if path != _project(old):
                    yield path, id


def _end(names: Mapping[str, str], name: str) -> str:
    """Where a chain of renamings ends; where it began, if it is a circle."""
    at, seen = name, {name}
    while at in names:
        at = names[at]
        if at in seen:
            return name
        seen.add(at)
    return at


def _project(name: str) -> str:
    return f"projects/{name}/project.yaml"


def _renamed(data: dict[str, Any], old: str, name: str) -> dict[str, Any]:
    known = data.get("formerly") or []
    if data.get("name") == name and old in known:
        return data
    return {**data, "name": name, "formerly": sorted({*known, old} - {name})}


# -- trees -----------------------------------------------------------------------------------------


def is_in_project(path: str) -> bool:
    """Whether a folder lies below a project's."""
    return path.startswith("projects/") and path.count("/") > 1


def _delta(objects: _Objects, before: str | None, after: str, but: Collection[str] = ()) -> Delta:
    return {path: (a, b) for path, a, b in trees.diff(objects.tree, before, after, but=but)}


def _check_incoming(objects: _Objects, tree: str, delta: Delta) -> None:
    """Refuse what would lead out of the store, or is no file: a tree may come from anywhere."""
    for path, (_, after) in delta.items():
        if after is None:
            continue
        files.check_path(path)
        mode = objects.entry(tree, path)[0]
        if mode not in (trees.FILE, trees.EXECUTABLE):
            what = "a link" if mode == trees.LINK else "no file"
            raise Invalid(f"is {what} in what the other side has", path=path, hint="replace it there by a file")


def _readable(path: str, raw: bytes | None) -> Record | None:
    try:
        return Record.parse(path, raw) if raw is not None else None
    except Invalid:
        return None
