"""Import: what a file holds, shown first, then merged in or put in place, as one commit."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sbfs import files, kinds, times, upkeep
from sbfs.bundles import checking, outgoing, planning
from sbfs.bundles.checking import LeftOut
from sbfs.bundles.planning import Folder, Item, Plan, Sides, Whole
from sbfs.bundles.reading import Incoming, take
from sbfs.bundles.selecting import FOLDERS, WORDS, Picker, Selection, read_map, renamed
from sbfs.errors import Invalid, Usage
from sbfs.git import bulk, trees
from sbfs.git.folders import Folders, lay_out, pays
from sbfs.git.repository import serialize_commit
from sbfs.kind import NAME
from sbfs.projects import KIND as PROJECT
from sbfs.store import Store, Transaction, View

STRATEGIES = ("preview", "merge", "replace")

_LOOK_BACK = 10_000

_STORE = re.compile(r"store-[0-9A-Z]{26}")

_REF = "refs/sbfs/imports/"
"""Below it lies, by the id of the store it is from, what was last imported: with its history, and as what the next
import of that store's is compared with."""


@dataclass(frozen=True)
class Imported:
    """What an import did, or with `preview` would do.

    file, format, store, commit: what it was read from. items: what happens to each record that differs, but for those
    in folders, which came as a whole; a preview tells of each. counts: how many by action. left_out: what could not
    be carried. redacted: secrets taken out on the way in, by type. revision: the commit that did it; "" where nothing
    was changed. projects: names, as they are here.
    """

    strategy: str
    file: str
    format: str
    store: str
    commit: str
    projects: tuple[str, ...]
    items: tuple[Item, ...]
    counts: Mapping[str, int]
    left_out: tuple[LeftOut, ...] = ()
    redacted: Mapping[str, int] = field(default_factory=dict)
    revision: str = ""
    holds: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()

    def count(self, kind: str) -> int:
        """How many records of a kind differ."""
        alone = sum(1 for one in self.items if one.kind == kind)
        return alone + sum(one.kinds.get(kind, 0) for one in self.folders)


def import_(
    store: Store,
    *,
    path: Path,
    strategy: str = "preview",
    map: Sequence[str] = (),
    on_conflict: Sequence[str] = (),
    only: Sequence[str] = (),
    choose: Callable[[Item], str] | None = None,
    actor: str = "",
) -> Imported:
    """Bring in what a file holds: a bundle or zip of a store, or what another system left.

    strategy: `preview` changes nothing; `merge` merges by meaning, with what the two stores have in common; `replace`
    makes the imported projects equal to the file. map: OLD=NEW names of projects. on_conflict: `both`, `ours`,
    `theirs`, `newer` or `ask`, also as KIND=CHOICE. only: words such as `mail`, or names of projects, after map.
    choose: asks a person about one conflict. It is one commit, which `undo` takes back, or none.

    Raises Invalid, naming the member, for what is not whole or not safe; then nothing is written.
    """
    if strategy not in STRATEGIES:
        raise Invalid(f"{strategy!r} is none of {', '.join(STRATEGIES)}", field="strategy")
    names = read_map(map)
    choice = planning.chooser(_choices(on_conflict), choose)
    own = store.repo.gitdir / "sbfs"
    try:
        with bulk.Scratch(own, store.repo) as scratch:
            incoming = take(path, scratch, store.repo)
            if strategy == "replace" and not incoming.is_ours:
                hint = "use merge"
                raise Usage(f"{incoming.name} is no store's export, so nothing can be made equal to it", hint=hint)
            return _Import(store, scratch, incoming, names, _only(only)).run(strategy, choice, actor)
    except OSError as error:
        raise files.failed(error, own) from error


def _choices(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in given:
        kind, sign, choice = text.partition("=")
        found[kind if sign else ""] = choice if sign else kind
    return found


def _only(given: Sequence[str]) -> Selection:
    words = tuple(word for word in WORDS if word in given)
    names = tuple(one for one in given if one not in WORDS)
    for one in names:
        if not NAME.fullmatch(one):
            raise Invalid(f"{one!r} is neither a project nor one of {', '.join(WORDS)}", field="only")
    # Templates are the store's: who asks for a project does not mean them.
    return Selection(names or None, words or tuple(word for word in WORDS if not names or word != "templates"))


class _Import:
    """One import, from what was read to the commit."""

    def __init__(
        self, store: Store, scratch: bulk.Scratch, incoming: Incoming, names: Mapping[str, str], only: Selection
    ):
        self.store, self.scratch, self.incoming, self.names, self.only = store, scratch, incoming, dict(names), only
        self.repo = scratch.repo
        self.fresh: dict[str, bytes] = {}
        self.made: dict[str, trees.Entries] = {}
        self.left_out = list(incoming.left_out)
        self.redacted: dict[str, int] = {}
        self.chosen = self._chosen()
        # Asked once: what was looked at by some rules must not be remembered by others.
        self.rules = store.rules()
        self.all_is_new = False
        self.theirs = self._prepared()

    # -- what came

    def _chosen(self) -> Selection:
        """What of this store the file is about: of its selection, what is wanted, under the names here."""
        said = self.incoming.chosen
        words = tuple(word for word in said.words if word in self.only.words)
        mapped = None if said.projects is None else tuple(sorted(self.names.get(one, one) for one in said.projects))
        if self.only.projects is None:
            return Selection(mapped, words, self._paths(said))
        known = {*self._projects_in(self.incoming.tree)}
        known = {self.names.get(one, one) for one in known}
        if missing := [one for one in self.only.projects if one not in known]:
            raise Invalid(
                f"there is no project {missing[0]!r} in it",
                field="only",
                hint=f"it holds {', '.join(sorted(known)) or 'none'}",
            )
        return Selection(self.only.projects, words, self._paths(said))

    def _paths(self, said: Selection) -> tuple[str, ...] | None:
        if said.paths is None:
            return None
        moved = (_moved(path, self.names) for path in said.paths)
        wanted = self.only.projects
        folders = {name for word in self.only.words for name in FOLDERS.get(word, ())} | {"project.yaml"}
        return tuple(
            path
            for path in moved
            if (parts := path.split("/"))[0] != "projects"
            or ((wanted is None or parts[1] in wanted) and parts[2] in folders)
        )

    def _projects_in(self, tree: str) -> list[str]:
        root = self._read(tree)
        return [*self._read(root["projects"][1])] if "projects" in root else []

    def _read(self, id: str) -> trees.Entries:
        return self.made[id] if id in self.made else self.repo.tree(id)

    def _keep(self, fresh: Mapping[str, bytes]) -> None:
        """Take in trees that were made on the way."""
        self.fresh |= fresh
        self.made |= {id: trees.parse(data) for id, data in fresh.items()}

    def _pick(self, tree: str, chosen: Selection) -> str:
        picked = Picker(self._read, self.repo.blob, chosen, base=False).pick(tree)
        self._keep(picked.fresh)
        return picked.tree

    def _prepared(self) -> str:
        """Their tree: names changed, picked, checked."""
        tree = self._mapped(self.incoming.tree)
        tree = self._pick(tree, self.chosen)
        if not self.incoming.is_ours:
            tree = self._without_known(tree)
        known = self._pick(self.store.view().commit.tree, self.chosen)
        self.all_is_new = not self._read(known)
        limit = self.store.limit("attachment")
        with self.scratch.pack() as writer:
            checked = checking.check(
                self.repo,
                known,
                tree,
                name=self.incoming.name,
                made=self.made,
                rules=self.rules,
                attachment=limit,
                keep=partial(writer.add, "blob"),
            )
        self._keep(checked.fresh)
        self.left_out += checked.left_out
        for type, count in checked.redacted.items():
            self.redacted[type] = self.redacted.get(type, 0) + count
        return checked.tree

    def _without_known(self, tree: str) -> str:
        """Without what another system says of projects that are here: it knows them by hearsay."""
        view = self.store.view()
        editor = trees.TreeEditor(self._read, tree)
        for name in self._projects_in(tree):
            if view.find_id(PROJECT.path_of(project=name)):
                editor.remove(PROJECT.path_of(project=name))
        id, fresh = editor.write()
        self._keep(dict(fresh))
        return id

    def _mapped(self, tree: str) -> str:
        if not self.names:
            return tree
        with self.scratch.pack() as writer:
            blobs = partial(bulk.named_blobs, self.repo)
            id, fresh = renamed(self._read, blobs, tree, self.names, partial(writer.add, "blob"))
        self._keep(fresh)
        return id

    # -- what both have in common

    def _base(self, view: View) -> str | None:
        """The tree that both sides began with: the nearest commit that both have, or what was imported last."""
        if not self.incoming.is_ours:
            return None
        mine: set[str] | None = None
        imports = self._imports(view)
        for source in self.incoming.sources():
            if source in imports and self.repo.has(imports[source][0]):
                return self._pick(imports[source][0], self.chosen)
            if len(source) == 40 and self.store.repo.holds(source):
                mine = {one.id for one in self.store.repo.history(view.revision)} if mine is None else mine
                if source in mine:
                    return self._without_mapped(self._pick(self.repo.commit(source).tree, self.chosen))
        last = next(iter(imports.values()), None)
        moment = self.incoming.moment
        if last and moment and times.dump(moment) >= last[1] and self.repo.has(last[0]):
            return self._pick(last[0], self.chosen)
        return None

    def _without_mapped(self, tree: str) -> str:
        """Without projects that come under another name: what they had there says nothing of them here, and the old
        name is missing in what came because it was changed, not because its project was removed."""
        given = {*self.names, *self.names.values()}
        root = self._read(tree)
        if not given or "projects" not in root:
            return tree
        kept = {name: one for name, one in self._read(root["projects"][1]).items() if name not in given}
        fresh: dict[str, bytes] = {}
        data = trees.serialize(kept)
        fresh[trees.object_id("tree", data)] = data
        top = trees.serialize({**root, "projects": (trees.FOLDER, trees.object_id("tree", data))})
        fresh[trees.object_id("tree", top)] = top
        self._keep(fresh)
        return trees.object_id("tree", top)

    def _imports(self, view: View) -> dict[str, tuple[str, str]]:
        """Source commit → (tree as it came, its time) of imports from that store that stand, the last first."""
        found: dict[str, tuple[str, str]] = {}
        undone: set[str] = set()
        for commit in islice(self.store.repo.history(view.revision), _LOOK_BACK):
            said = commit.trailers
            if commit.id in undone:
                continue
            if target := said.get("Sbfs-Undoes"):
                undone.add(target)
            elif said.get("Sbfs-From") == self.incoming.store and said.get("Sbfs-Map", "") == self._map_text():
                found.setdefault(said.get("Sbfs-Commit", ""), (said.get("Sbfs-Tree", ""), said.get("Sbfs-Time", "")))
        return found

    def _map_text(self) -> str:
        return " ".join(f"{old}={new}" for old, new in sorted(self.names.items()))

    # -- planning and doing

    def plan(self, view: View, strategy: str, choice: Callable[[Any], str], whole: Whole) -> Plan:
        """What would happen to the store at a revision. whole: as in `planning.merge`."""
        ours = self._pick(view.commit.tree, self.chosen)
        base = self._base(view) if strategy != "replace" else None
        commits = tuple(filter(None, (view.revision, self.incoming.commit)))
        sides = Sides(self.repo, base, ours, self.theirs, self.made, commits)
        if strategy == "replace":
            return planning.equal(sides, self.projects, whole)
        return planning.merge(sides, choice, whole)

    @property
    def projects(self) -> list[str]:
        """Names of the projects that came, as they are here."""
        return self._projects_in(self.theirs)

    def run(self, strategy: str, choice: Callable[[Any], str], actor: str) -> Imported:
        """Plan, and unless it is a preview, do it."""
        if strategy == "preview":
            plan = self.plan(self.store.view(), "merge", choice, lambda _: True)
            plan.spread(self._read)
            return self._told(strategy, plan, "")
        answered: dict[str, str] = {}

        def once(conflict: Any) -> str:
            # Built anew because others wrote meanwhile, a person is not asked the same again.
            if conflict.id not in answered:
                answered[conflict.id] = choice(conflict)
            return answered[conflict.id]

        with self.scratch.pack() as writer:
            bulk.write_trees(writer, self.fresh.items())
        tip = self._tip()
        laid = _Laid(self.scratch, self.store.root)

        def build(tx: Transaction) -> tuple[Plan, Transaction]:
            plan = self.plan(tx.view, strategy, once, laid.fits)
            tx.folders = laid.of(plan)
            if tx.folders is None:
                plan.spread(self._read)
            if plan.changes_something:
                self.scratch.move_into(self.store.repo)
            for path, change in plan.changes.items():
                tx.bring(kinds.kind_of(path), path, change.data, id=change.id)
            tx.describe(self._subject(strategy, plan), **self._trailers())
            return plan, tx

        plan, tx = self.store.write("import", build, actor=actor)
        if plan.changes_something and tip:
            self._remember(tip)
            self._spare_the_next_export(plan)
        return self._told(strategy, plan, tx.revision if plan.changes_something else "")

    def _subject(self, strategy: str, plan: Plan) -> str:
        count = sum(plan.counts[one] for one in ("add", "change", "remove", "conflict"))
        records = f"{count} record{'' if count == 1 else 's'}"
        what = f"Import {records}" if strategy == "merge" else f"Replace {', '.join(self.projects)}: {records}"
        return f"{what} from {self.incoming.name}"

    def _trailers(self) -> dict[str, str]:
        said = {"From": self.incoming.store, "Commit": self.incoming.commit, "Map": self._map_text()}
        said["Time"] = times.dump(self.incoming.moment) if self.incoming.moment else ""
        said["Tree"] = self.theirs if self.incoming.is_ours else ""
        return {key: value for key, value in said.items() if value}

    def _tip(self) -> str:
        """A commit that keeps what came: its tree as it was compared, and the history it came with."""
        if not self.incoming.is_ours or not _STORE.fullmatch(self.incoming.store):
            return ""
        moment = self.incoming.moment or self.store.clock()
        parents = (self.incoming.tip,) if self.incoming.tip else ()
        message = f"As it came in {self.incoming.name}\n"
        id, data = serialize_commit(self.theirs, parents, "sbfs <sbfs@localhost>", moment, message)
        with self.scratch.pack() as writer:
            writer.add("commit", id, data)
        return id

    def _remember(self, tip: str) -> None:
        folder = self.store.repo.gitdir / _REF
        files.make_folders(folder)
        files.write(folder / self.incoming.store, f"{tip}\n".encode())

    def _spare_the_next_export(self, plan: Plan) -> None:
        """All that came was looked at. Where it is all there is of that part, no export need do it once more."""
        if self.all_is_new:
            outgoing.passed(self.store.repo, self.theirs, self.chosen, self.rules)
        elif plan.counts.total() >= upkeep.MUCH:
            upkeep.start(self.store.root)

    def _told(self, strategy: str, plan: Plan, revision: str) -> Imported:
        items = tuple(planning.listed(plan))
        counts: dict[str, int] = {action: plan.counts[action] for action in planning.ACTIONS}
        who = (self.incoming.name, self.incoming.format, self.incoming.store, self.incoming.commit)
        projects = tuple(self.projects)
        left = tuple(self.left_out)
        words, folders = self.chosen.words, tuple(plan.folders)
        return Imported(strategy, *who, projects, items, counts, left, self.redacted, revision, words, folders)


class _Laid:
    """The folders of an import that come as a whole, written beside the store: once, however often it is planned."""

    def __init__(self, scratch: bulk.Scratch, root: Path):
        self._scratch, self._root = scratch, root
        self._done: Folders | None = None

    def fits(self, path: str) -> bool:
        """Whether a folder can be moved to its place: nothing is there, not saved or not, and it is the same disk."""
        with suppress(Invalid):
            place = Path(files.locate(self._root, path))
            above = next(folder for folder in place.parents if folder.exists())
            return not os.path.lexists(place) and os.stat(above).st_dev == os.stat(self._scratch.folder).st_dev
        return False

    def of(self, plan: Plan) -> Folders | None:
        """The folders of a plan, written. None where that does not pay, or cannot be, or was done for other ones."""
        ids = {one.path: one.tree for one in plan.folders}
        if self._done is None and pays(sum(one.count for one in plan.folders)):
            self._done = lay_out(self._scratch, ids)
        return self._done if self._done and ids == self._done.ids else None


def _moved(path: str, names: Mapping[str, str]) -> str:
    parts = path.split("/")
    if parts[0] == "projects" and len(parts) > 1:
        parts[1] = names.get(parts[1], parts[1])
    return "/".join(parts)
