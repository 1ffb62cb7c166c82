"""What an import would do, record by record, before it does it.

A plan is worked out by the merge that `sync` uses, on the trees: what is equal on both sides is never read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sbfs import conflicts, kinds, threeway
from sbfs.conflicts import Conflict
from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.git.repository import Repository
from sbfs.record import Record
from sbfs.threeway import Change, Joined

Action = Literal["add", "change", "keep", "remove", "conflict"]
ACTIONS: tuple[Action, ...] = ("add", "change", "keep", "remove", "conflict")

CHOICES = ("both", "ours", "theirs", "newer", "ask")
"""What becomes of a conflict: the store's rule decides and the value that lost is kept in conflicts/ (both), or is
not (newer); our value stands, or theirs; or somebody is asked."""


@dataclass(frozen=True, slots=True)
class Item:
    """What happens to one record. id: of the record, or its file's name. detail: which fields, or what stands."""

    path: str
    kind: str
    id: str
    action: Action
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is added as a whole. tree: its id. kinds: how many of its files are of which."""

    path: str
    tree: str
    kinds: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many files are in it."""
        return sum(self.kinds.values())


@dataclass
class Plan:
    """items: of all records that differ, but for those in folders. counts: how many by action. changes: to the store,
    by path. folders: what is added as a whole."""

    items: list[Item] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    changes: dict[str, Change] = field(default_factory=dict)
    folders: list[Folder] = field(default_factory=list)

    @property
    def changes_something(self) -> bool:
        """Whether the store would not stay as it is."""
        return bool(self.changes or self.folders)

    def note(self, item: Item) -> None:
        """Take in what happens to a record."""
        self.items.append(item)
        self.counts[item.action] += 1

    def add(self, folders: Mapping[str, str], read: Callable[[str], trees.Entries]) -> None:
        """Take in folders that come as a whole: path → tree."""
        for path, id in sorted(folders.items()):
            kinds_of = Counter(_kind_name(file) for file, _, _ in trees.walk(read, id, f"{path}/"))
            self.folders.append(Folder(path, id, kinds_of))
            self.counts["add"] += kinds_of.total()

    def spread(self, read: Callable[[str], trees.Entries]) -> None:
        """Take in the files of the folders one by one, as where few are new, and in a preview, which tells of each."""
        for folder in self.folders:
            for path, _, id in trees.walk(read, folder.tree, f"{folder.path}/"):
                self.changes[path] = Change(id=id)
                self.items.append(_named(path, "add", ""))
        self.folders = []


@dataclass(frozen=True)
class Sides:
    """The trees to be planned with, and how to read them. base: what both began with, or None."""

    repo: Repository
    base: str | None
    ours: str
    theirs: str
    made: Mapping[str, trees.Entries]
    commits: tuple[str, ...] = ()
    _last: dict[str, tuple[str, trees.Entries]] = field(default_factory=dict)

    def read(self, id: str) -> trees.Entries:
        """A tree."""
        return self.made[id] if id in self.made else self.repo.tree(id)

    def find(self, tree: str, path: str) -> str | None:
        """The id of a file, or None."""
        folder, _, name = path.rpartition("/")
        # Paths come folder by folder.
        last = self._last.get(tree)
        if last is None or last[0] != folder:
            last = self._last[tree] = folder, self._entries(tree, folder)
        found = last[1].get(name)
        return found[1] if found and found[0] != trees.FOLDER else None

    def _entries(self, tree: str, folder: str) -> trees.Entries:
        at = tree
        for part in folder.split("/") if folder else ():
            found = self.read(at).get(part)
            if found is None or found[0] != trees.FOLDER:
                return trees.Entries()
            at = found[1]
        return self.read(at)

    def record(self, tree: str, path: str) -> Record | None:
        """A record, or None where it is not there or cannot be read."""
        id = self.find(tree, path)
        return None if id is None else _parsed(path, self.repo.blob(id))


def _parsed(path: str, raw: bytes | None) -> Record | None:
    try:
        return None if raw is None else Record.parse(path, raw)
    except Invalid:
        return None


# -- merge -----------------------------------------------------------------------------------------


Whole = Callable[[str], bool]
"""Whether a new folder of a project may come as a whole, by its path."""


def merge(sides: Sides, choice: Callable[[Conflict], str], whole: Whole) -> Plan:
    """Plan a merge. choice: a conflict → one of CHOICES but `ask`."""
    joined = threeway.join_trees(
        sides.repo, sides.base, sides.ours, sides.theirs, made=sides.made, commits=sides.commits, whole=whole
    )
    plan = Plan()
    plan.add(joined.folders, sides.read)
    contested = _settle(sides, joined, choice)
    for path, change in sorted(joined.changes.items()):
        plan.changes[path] = change
        if path in contested or (path.startswith("conflicts/") and conflicts.KIND.places(path)):
            continue
        plan.note(_item(sides, path, change))
    for path, detail in sorted(contested.items()):
        plan.note(_named(path, "conflict", detail))
    for path, _, theirs in trees.diff(sides.read, sides.ours, sides.theirs, but=joined.folders):
        if theirs and path not in joined.changes and path not in contested:
            plan.note(_named(path, "keep", _kept(sides, path)))
    return plan


def _item(sides: Sides, path: str, change: Change) -> Item:
    if sides.find(sides.ours, path) is None:
        return _named(path, "add", "")
    if change.goes:
        return _named(path, "remove", "it was removed there")
    return _named(path, "change", _differences(sides, path, change))


def _named(path: str, action: Action, detail: str) -> Item:
    kind = kinds.kind_of(path)
    places = (kind.places(path) if kind else None) or {}
    names = (places[key] for key in ("id", "file", "group", "project") if key in places)
    id = next(names, path if kinds.is_template(path) else path.rpartition("/")[2])
    return Item(path, kind.name if kind else "file", id, action, detail)


def _kind_name(path: str) -> str:
    kind = kinds.kind_of(path)
    return kind.name if kind else "file"


def _differences(sides: Sides, path: str, change: Change) -> str:
    raw = sides.repo.blob(change.id) if change.id else change.data
    before, after = sides.record(sides.ours, path), _parsed(path, raw)
    if before is None or after is None:
        return "its content"
    if after.removed:
        return "it was removed there"
    if path.endswith(".jsonl"):
        more = len(after.data["turns"]) - len(before.data["turns"])
        return f"{more} turns more" if more > 0 else "its turns"
    names = [key for key in {**before.data, **after.data} if before.data.get(key) != after.data.get(key)]
    return (
        ", ".join(_told(key, before.data.get(key), after.data.get(key)) for key in names if key != "updated")
        or "updated"
    )


def _told(key: str, before: Any, after: Any) -> str:
    short = all(
        isinstance(one, str | int | float) and len(str(one)) <= 30 and "\n" not in str(one) for one in (before, after)
    )
    return f"{key}: {before} → {after}" if short else key


def _kept(sides: Sides, path: str) -> str:
    ours, theirs = sides.find(sides.ours, path), sides.find(sides.theirs, path)
    base = sides.find(sides.base, path) if sides.base else None
    if ours is None:
        return "it was removed here"
    return "changed here since" if base == theirs else "ours says all of it"


# -- conflicts -------------------------------------------------------------------------------------


def _settle(sides: Sides, joined: Joined, choice: Callable[[Conflict], str]) -> dict[str, str]:
    """Let each conflict come out as it was chosen. Returns path → what stands, of all that were met."""
    told: dict[str, list[str]] = {}
    for conflict in joined.conflicts:
        picked = choice(conflict)
        if picked not in CHOICES or picked == "ask":
            raise Invalid(f"{picked!r} is none of {', '.join(CHOICES[:-1])}", field="on_conflict")
        if picked != "both":
            joined.changes.pop(conflicts.path_of(conflict), None)
        if picked in ("ours", "theirs"):
            _pick(sides, joined, conflict, sides.ours if picked == "ours" else sides.theirs)
        told.setdefault(conflict.path, []).append(_outcome(conflict, picked))
    return {path: "; ".join(texts) for path, texts in told.items()}


def _pick(sides: Sides, joined: Joined, conflict: Conflict, side: str) -> None:
    """Put a side's value where a merge had to choose."""
    path = conflict.path
    if not conflict.field:
        id = sides.find(side, path)
        joined.changes[path] = Change(id=id or "")
        return
    change = joined.changes.get(path)
    raw = None if change is None else sides.repo.blob(change.id) if change.id else change.data
    now = _parsed(path, raw) or sides.record(sides.ours, path)
    picked = sides.record(side, path)
    if now is None or picked is None:
        return
    data = _put(now.data, conflict.field.split("."), picked.data)
    joined.changes[path] = Change(now.changed(data).raw)


def _put(data: dict[str, Any], way: Sequence[str], source: Any) -> dict[str, Any]:
    """The same data with the value that lies at a place of another."""
    key, *rest = way
    there = source.get(key) if isinstance(source, dict) else None
    if rest and isinstance(data.get(key), dict):
        return {**data, key: _put(data[key], rest, there)}
    if isinstance(source, dict) and key in source:
        return {**data, key: there}
    return {name: value for name, value in data.items() if name != key}


def _outcome(conflict: Conflict, picked: str) -> str:
    where = conflict.field or "the file"
    if picked in ("ours", "theirs"):
        return f"{where}: {picked} stands"
    kept, lost = _short(conflict.kept), _short(conflict.lost)
    end = "lost" if picked == "newer" else "kept in conflicts"
    return f"{where}: {kept} stands, {lost} is {end}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


def chooser(given: Mapping[str, str], ask: Callable[[Item], str] | None) -> Callable[[Conflict], str]:
    """What --on-conflict says: kind → choice, "" for all others. Raises Invalid."""
    for kind, choice in given.items():
        if choice not in CHOICES:
            raise Invalid(f"{choice!r} is none of {', '.join(CHOICES)}", field="on_conflict")
        if kind and kind not in {one.name for one in kinds.KINDS} | {"file"}:
            names = sorted({one.name for one in kinds.KINDS} | {"file"})
            raise Invalid(f"{kind!r} is no kind", field="on_conflict", hint=f"there are {', '.join(names)}")

    def choose(conflict: Conflict) -> str:
        kind = kinds.kind_of(conflict.path)
        choice = given.get(kind.name if kind else "file") or given.get("") or "both"
        if choice != "ask":
            return choice
        if ask is None:
            raise Invalid("nobody is there to be asked", field="on_conflict", hint="choose ours, theirs, newer or both")
        where = conflict.field or "the file"
        detail = f"{where}: {_short(conflict.kept)} or {_short(conflict.lost)}"
        return ask(_named(conflict.path, "conflict", detail))

    return choose


# -- replace ---------------------------------------------------------------------------------------


def equal(sides: Sides, projects: Sequence[str], whole: Whole) -> Plan:
    """Plan that the projects of a bundle become just what it says; groups and conflicts in it come along."""
    plan = Plan()
    wanted = {f"projects/{name}/" for name in projects}

    def fits(path: str) -> bool:
        return threeway.is_in_project(path) and whole(path)

    folders = dict(trees.new_folders(sides.read, (sides.ours,), sides.theirs, fits))
    plan.add(folders, sides.read)
    for path, ours, theirs in trees.diff(sides.read, sides.ours, sides.theirs, but=folders):
        inside = any(path.startswith(folder) for folder in wanted)
        if theirs is None and not inside:
            continue
        plan.changes[path] = Change(id=theirs or "")
        action: Action = "add" if ours is None else "change" if theirs else "remove"
        detail = _differences(sides, path, plan.changes[path]) if action == "change" else ""
        plan.note(replace(_named(path, action, ""), detail=detail if action != "remove" else "the bundle has none"))
    return plan


def listed(plan: Plan, actions: Sequence[str] = ACTIONS) -> Iterator[Item]:
    """The items with one of some actions, by path."""
    return iter(sorted((one for one in plan.items if one.action in actions), key=lambda one: one.path))
