"""The verb that reads a source tree into the store: only what changed, all of it as one commit."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sbfs import files, projects, redact
from sbfs.code import shards
from sbfs.code.facts import Facts
from sbfs.errors import Invalid, NotFound, Stale
from sbfs.git import source as commits
from sbfs.git import trees
from sbfs.graph import hints, live
from sbfs.graph.documented import DOCS
from sbfs.graph.documented import folder_of as docs_folder
from sbfs.graph.documenting import Documentation, place_of
from sbfs.graph.extracting import Extracted, extract
from sbfs.graph.garbage import no_collecting
from sbfs.graph.hints import Hints
from sbfs.graph.source import Disk, Known, Stamp, Walk, Walked, clashing
from sbfs.graph.value import SHARD, SKIPPED_SHOWN, SNAPSHOT, Skipped, Snapshot, dump, folder_of, load
from sbfs.projects import Project
from sbfs.store import Store, Transaction, View

_ATTEMPTS = 5

Progress = Callable[[str, int, int], None]
"""Told (what is done, how many, of how many)."""


def _quiet(what: str, done: int, whole: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Indexed:
    """What an index run came to.

    snapshot: as it is now. unchanged: whether nothing had to be written. created: whether the project is new. read,
    moved, gone: how many files were read, and, of those, have the content that another path had; how many went.
    documented: shards of documentation that are new or other than they were.
    redacted: secrets that were taken out, by type.
    """

    project: str
    root: str
    snapshot: Snapshot
    unchanged: bool
    created: bool = False
    read: int = 0
    moved: int = 0
    gone: int = 0
    documented: int = 0
    redacted: Mapping[str, int] = field(default_factory=dict)
    revision: str = ""


def index(
    store: Store, *, project: str = "", path: str | Path = "", progress: Progress = _quiet, actor: str = ""
) -> Indexed:
    """Read a project's source into its code graph; only what changed is read.

    path: the folder of the source, else the project's own. Without a project, the one whose source path holds the
    folder; a folder of no project becomes one, named after it. Raises NotFound, Invalid, or Failed for a folder that
    cannot be read.
    """
    return read(store, project, path, progress, actor)


def read(
    store: Store,
    project: str,
    path: str | Path,
    progress: Progress,
    actor: str,
    *,
    docs: bool = False,
    patterns: Sequence[str] | None = None,
) -> Indexed:
    """The same, and with `docs` also what the files document; a project that has documentation always reads both.

    patterns: of the files to document, () for all; None for those that were named last.
    """
    if not project and not path:
        raise Invalid("is missing", field="project", hint="name a project, or a folder with --path")
    for _ in range(_ATTEMPTS):
        view = store.view()
        target = _target(view, project, str(path))
        with live.held(store, target.name), no_collecting():
            try:
                return _Run(store, view, target, progress, actor, docs=docs, patterns=patterns).run()
            except _Changed:
                continue
    raise Stale("the graph that this command changes", hint="others index the same project; try again")


class _Changed(Exception):
    """The graph in the store is another than the one that was compared with."""


# -- which project, which folder -------------------------------------------------------------------


@dataclass(frozen=True)
class _Target:
    """name: of the project. root: the folder. create: whether it is new. adopt: whether it learns its folder."""

    name: str
    root: Path
    create: bool = False
    adopt: bool = False
    known: Project | None = None


def _target(view: View, project: str, path: str) -> _Target:
    if project:
        known = projects.resolve(view, project)
        return _of_project(view, known, path)
    root = _folder(path)
    if root == Path(os.path.abspath(view.repo.root)):
        raise Invalid(f"{root} is the store, and no project's source", field="path", hint="name a project, or a folder")
    everyone = [*projects.everyone(view)]
    holding = [one for one in everyone if one.source_path and _holds(one.source_path, root)]
    if holding:
        known = max(holding, key=lambda one: len(one.source_path))
        return _Target(known.name, _folder(known.source_path), known=known)
    name = _name_of(root, {one.name: one for one in everyone})
    same = next((one for one in everyone if one.name == name), None)
    return _Target(name, root, create=same is None, adopt=same is not None, known=same)


def _of_project(view: View, known: Project, path: str) -> _Target:
    if path:
        return _Target(known.name, _folder(path), adopt=not known.source_path, known=known)
    seen = hints.load_root(view.repo.gitdir, known.name)
    for place in (known.source_path, seen):
        if place and os.path.isabs(place) and os.path.isdir(place):
            return _Target(known.name, _folder(place), known=known)
    why = f"the source of {known.name} is not here" + (f": {known.source_path}" if known.source_path else "")
    raise NotFound("folder", known.source_path or known.name, hint=f"{why}; name it with --path DIR")


def _folder(path: str) -> Path:
    root = Path(path)
    if not root.is_dir():
        raise Invalid(f"{path} is no folder", field="path", hint="name the folder of the project's source")
    return Path(os.path.abspath(root))


def _holds(folder: str, root: Path) -> bool:
    return os.path.isabs(folder) and (root == Path(folder) or Path(folder) in root.parents)


def _name_of(root: Path, known: Mapping[str, Project]) -> str:
    """A project's name for a folder; of a project of that name that has no source path yet, its own."""
    name = re.sub(r"[^a-z0-9._-]+", "-", root.name.lower())
    name = re.sub(r"\.{2,}", ".", name).strip("-._")[:60].rstrip("-._") or "source"
    for number in range(1, 1000):
        one = name if number == 1 else f"{name}-{number}"
        if one not in known or not known[one].source_path:
            return one
    return name


# -- one run ---------------------------------------------------------------------------------------


class _Run:
    """One index run of one project, against one revision."""

    def __init__(
        self,
        store: Store,
        view: View,
        target: _Target,
        progress: Progress,
        actor: str,
        *,
        docs: bool,
        patterns: Sequence[str] | None,
    ):
        self.store, self.view, self.target, self.progress, self.actor = store, view, target, progress, actor
        self.rules = store.rules()
        self.gitdir = store.repo.gitdir
        self.disk = Disk(target.root)
        self.hints = hints.load(self.gitdir, target.name, self.rules)
        if self.hints.root != os.fspath(target.root):
            self.hints = Hints(os.fspath(target.root))
        self.folder = folder_of(target.name)
        self.tree = store.repo.folder(view.commit.tree, self.folder)
        self.shards = self._shards()
        self.before = _snapshot(view, target.name)
        self.redacted: Counter[str] = Counter()
        self.facts: dict[str, Facts] = {}
        self.linked: live.Ahead | None = None
        self.verb = "docs.index" if docs else "graph.index"
        self.docs: Documentation | None = None
        if docs or (self.before is not None and self.before.docs):
            self.docs = Documentation(view, target.name, self.before, patterns)
            if self.before is None or self.before.tree != self.tree:
                self.docs.distrust()

    def _shards(self) -> dict[str, str]:
        """Path of a source file → Git's id of its shard in the store."""
        if self.tree and self.hints.tree == self.tree:
            return {path: known.shard for path, known in self.hints.files.items() if known.shard}
        found = trees.walk(self.store.repo.tree, self.tree) if self.tree else ()
        return {path.removesuffix(".json"): id for path, _, id in found}

    def run(self) -> Indexed:
        """All of it."""
        begun = hints.now(self.gitdir)
        walked = self._walk()
        found = self._look(walked)
        skipped = sorted(
            [
                *walked.skipped,
                *(Skipped(path, one.known.why or one.trouble) for path, one in found.items() if _out(one)),
            ],
            key=lambda one: one.path,
        )
        kept = {path: one for path, one in found.items() if not _out(one)}
        fresh = {path: one.shard for path, one in kept.items() if one.shard is not None and self._is_new(path, one)}
        gone = sorted(self.shards.keys() - kept.keys())
        prose = self._document(kept, walked)
        snapshot = self._snapshot(kept, fresh, gone, skipped)
        done = self._write(snapshot, fresh, gone)
        known = {path: one.known for path, one in found.items() if one.known.blob}
        learnt = Hints(os.fspath(self.target.root), known, walked.folders, snapshot.tree, prose)
        if learnt != self.hints:
            hints.keep(self.gitdir, self.target.name, learnt, self.rules, begun)
        return done

    def _is_new(self, path: str, one: Extracted) -> bool:
        """Whether a shard that was made is another than the store's: documentation may have had all files read."""
        return self.docs is None or self.docs.trusted or one.known.shard != self.shards.get(path)

    def _document(self, kept: Mapping[str, Extracted], walked: Walked) -> dict[str, Known]:
        """Take documentation in. Returns what is known of the files of prose."""
        if self.docs is None:
            return {}
        self.docs.code(kept)
        prose = self.docs.prose(self.disk, _placed(walked), self.hints.prose, self.rules)
        self.redacted.update(self.docs.redacted)
        return prose

    def _walk(self) -> Walked:
        try:
            known, exclude = self.hints.files, projects.excluded(self.view, self.target.name)
            return Walk(self.disk, exclude, known, self.hints.folders, with_prose=self.docs is not None).run()
        except OSError as error:
            raise files.failed(error, self.target.root) from error

    def _look(self, walked: Walked) -> dict[str, Extracted]:
        """What became of each file; only those are read that may have changed."""
        found: dict[str, Extracted] = {}
        wanted: dict[str, tuple[Stamp, Known | None]] = {}
        anew = self.docs is not None and not self.docs.trusted
        clashes = {*clashing(walked)}
        for path, stamp in walked.files.items():
            known = self.hints.files.get(path)
            if path in clashes:
                walked.skipped.append(Skipped(path, "another file's shard has the name of its folder"))
            elif path not in self.shards and next(redact.find(path, self.rules), None):
                walked.skipped.append(Skipped(redact.text(path, Counter(), self.rules), "its name holds a secret"))
            elif known is not None and (known.why or known.shard == self.shards.get(path)):
                if anew and not known.why:
                    wanted[path] = (stamp, None)
                elif known.stamp == stamp:
                    found[path] = Extracted(known)
                else:
                    wanted[path] = (stamp, known)
            else:
                wanted[path] = (stamp, None if anew else self._from_shard(path))
        settings = self.store.settings().get("redact")
        whole = len(wanted)

        def tell(done: int) -> None:
            self.progress("read", done, whole)

        ahead = None if self.shards else self._link_ahead
        docs = self.docs is not None
        for path, one in extract(self.disk, wanted, self.rules, settings, tell, docs=docs, meanwhile=ahead):
            self.redacted.update(one.redacted)
            found[path] = one
            if one.facts is not None:
                self.facts[path] = one.facts
        return found

    def _link_ahead(self, facts: dict[str, Facts]) -> None:
        """Link what is read for the first time while its shards are made."""
        self.linked = live.ahead(facts, self.progress)

    def _from_shard(self, path: str) -> Known | None:
        """What the store's own shard tells of a file that was never read here, as after a clone."""
        id = self.shards.get(path)
        if id is None or self.before is None or dict(self.before.versions) != hints.versions(self.rules):
            return None
        said = shards.head(self.store.repo.blob(id))
        if said.get("schema") != hints.versions(self.rules)["shards"] or said.get("reader") != shards.READERS:
            return None
        return Known(Stamp(-1, 0, 0), said["blob"], "", id)

    # -- the snapshot

    def _snapshot(
        self,
        kept: Mapping[str, Extracted],
        fresh: Mapping[str, bytes],
        gone: Iterable[str],
        skipped: list[Skipped],
    ) -> Snapshot:
        head = commits.head(self.target.root)
        commit, folder = (head.commit, head.folder) if head else ("", "")
        new = {path: kept[path].known.shard for path in fresh}
        tree = _tree_of(self.view, self.tree, new, gone)
        before = self.before
        versions = hints.versions(self.rules)
        if before is not None and before.tree == tree and (before.commit, before.folder) == (commit, folder):
            clean, counts, languages = before.clean, before.counts, before.languages
        else:
            clean = self._is_clean(head, kept)
            counts, languages = (
                (before.counts, before.languages) if before is not None and before.tree == tree else ({}, {})
            )
        return Snapshot(
            updated=self.store.clock(),
            tree=tree,
            commit=commit,
            clean=clean,
            folder=folder,
            counts=counts,
            languages=languages,
            versions=versions,
            skipped=tuple(skipped[:SKIPPED_SHOWN]),
            skipped_count=len(skipped),
            docs=self.docs.done() if self.docs is not None else {},
            extra=before.extra if before is not None else {},
        )

    def _is_clean(self, head: commits.Head | None, kept: Mapping[str, Extracted]) -> bool | None:
        """Whether the files that were read are those of the commit, and none of the commit's is missing."""
        if head is None:
            return None
        committed = commits.kept(self.target.root, head.commit)
        read = {path: one.known.blob for path, one in kept.items()}
        if any(path not in committed or committed[path].id != blob for path, blob in read.items()):
            return False
        return not any(path in self.shards and path not in read for path in committed)

    # -- writing

    def _write(self, snapshot: Snapshot, fresh: dict[str, bytes], gone: list[str]) -> Indexed:
        target, before = self.target, self.before
        same = before is not None and replace(snapshot, updated=before.updated) == before
        if same and not (target.create or target.adopt) and before is not None:
            return Indexed(target.name, os.fspath(target.root), before, unchanged=True, revision=self.view.revision)
        change = None
        if fresh or gone or not snapshot.counts:
            known = (self.facts, self.progress, self.linked)
            change = live.prepare(self.store, self.view, target.name, self.tree, fresh, gone, *known)
            self.linked = None
            if not snapshot.counts:
                snapshot = replace(snapshot, counts=change.counts(), languages=change.languages())

        def build(tx: Transaction) -> None:
            self._build(tx, snapshot, fresh, gone)

        self.progress("write", 0, len(fresh))
        self.store.write(self.verb, build, actor=self.actor)
        if change is not None:
            change.keep(snapshot.tree)
        went = {str(shards.head(self.store.repo.blob(self.shards[path])).get("blob")) for path in gone}
        return Indexed(
            project=target.name,
            root=os.fspath(target.root),
            snapshot=snapshot,
            unchanged=False,
            created=target.create,
            read=len(fresh),
            moved=sum(str(shards.head(raw).get("blob")) in went for raw in fresh.values()),
            gone=len(gone),
            documented=len(self.docs.fresh) if self.docs is not None else 0,
            redacted=dict(self.redacted),
            revision=self.store.head(),
        )

    def _build(self, tx: Transaction, snapshot: Snapshot, fresh: Mapping[str, bytes], gone: Iterable[str]) -> None:
        name = self.target.name
        if self.store.repo.folder(tx.view.commit.tree, self.folder) != self.tree:
            raise _Changed
        if self.docs is not None and self.store.repo.folder(tx.view.commit.tree, docs_folder(name)) != self.docs.tree:
            raise _Changed
        record = projects.KIND.path_of(project=name)
        self._write_project(tx)
        if not self.target.create:
            tx.need(record)
        if self.tree is not None:
            tx.need(self.folder)
        for path, raw in fresh.items():
            tx.put(SHARD, SHARD.path_of(project=name, source=path), raw)
        for path in gone:
            tx.drop(SHARD.path_of(project=name, source=path), SHARD)
        if self.docs is not None:
            if self.docs.tree is not None:
                tx.need(docs_folder(name))
            for path, raw in self.docs.fresh.items():
                tx.put(DOCS, place_of(name, path), raw)
            for path in self.docs.gone:
                tx.drop(place_of(name, path), DOCS)
        place = SNAPSHOT.path_of(project=name)
        old, data = tx.find(place), dump(snapshot)
        if old is None:
            tx.create(SNAPSHOT, place, data)
        else:
            tx.replace(SNAPSHOT, old, data)
        tx.actor = tx.actor or name
        at = f" at {snapshot.commit[:10]}" if snapshot.commit else ""
        said = f"{len(fresh)} {'file' if len(fresh) == 1 else 'files'} read"
        went = f", {len([*gone])} gone" if gone else ""
        what = "code graph" if self.docs is None else "code graph and documentation"
        tx.describe(f"{name}: {what}{at}: {said}{went}", Ids=name)

    def _write_project(self, tx: Transaction) -> None:
        target = self.target
        if target.create:
            projects.create(tx, projects.Given(target.name, source_path=os.fspath(target.root)))
        elif target.adopt:
            projects.put_source(tx, target.name, os.fspath(target.root))


def _placed(walked: Walked) -> dict[str, Stamp]:
    """The files of prose whose shards do not stand where a folder of shards does."""
    folders = walked.folders
    bad = tuple(one for one in folders if one.endswith(".json/") and one[:-6] in {*walked.files, *walked.prose})
    return {
        path: stamp
        for path, stamp in walked.prose.items()
        if f"{path}.json/" not in folders and not path.startswith(bad)
    }


def _out(one: Extracted) -> bool:
    return bool(one.known.why or one.trouble)


def _tree_of(view: View, tree: str | None, fresh: Mapping[str, str], gone: Iterable[str]) -> str:
    """Git's id of the folder of shards as it will be."""
    editor = trees.TreeEditor(view.repo.tree, tree)
    for path in gone:
        editor.remove(f"{path}.json")
    for path, id in fresh.items():
        editor.set(f"{path}.json", id)
    return editor.write()[0]


def _snapshot(view: View, project: str) -> Snapshot | None:
    """The snapshot of a project; None where there is none, or none that can be read."""
    record = view.find_record(SNAPSHOT.path_of(project=project))
    if record is None or record.removed:
        return None
    try:
        SNAPSHOT.check(record)
        return load(record.data)
    except Invalid:
        return None
