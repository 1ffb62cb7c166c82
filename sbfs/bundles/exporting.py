"""Export: a part of a store, or all of it, as one file."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from sbfs import __version__, files, quality, reflections, times
from sbfs import projects as parties
from sbfs.bundles import history, outgoing, zips
from sbfs.bundles.outgoing import Held
from sbfs.bundles.selecting import Picker, Selection, choose, template_selection
from sbfs.conversations import KIND as CONVERSATION
from sbfs.errors import Invalid, NotFound
from sbfs.git import bulk, bundlefile, trees
from sbfs.git.repository import Commit
from sbfs.store import Store, View

FORMATS = ("bundle", "zip")


@dataclass(frozen=True)
class Exported:
    """The file that was made.

    size: bytes. commit: of the store, whose state it holds. exported_at: when that was. chosen: what
    it holds. since: the commit that it builds on, or "". files: how many a zip holds. secrets: what looks like
    one in them.
    """

    path: str
    size: int
    format: str
    store: str
    commit: str
    exported_at: str
    chosen: Selection
    files: int | None
    since: str = ""
    snapshot: bool = False
    secrets: tuple[Held, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)


def export(
    store: Store,
    *,
    projects: Sequence[str] = (),
    all: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    since: str = "",
    format: str = "bundle",
    snapshot: bool = False,
    as_template: bool = False,
    output: Path,
    force: bool = False,
) -> Exported:
    """Write projects, or all of the store, into one file that other stores import.

    projects: names, `@group`, or the id of one conversation. include, exclude: words such as `mail` or
    `conversations`. since: a revision, or the file of an earlier export: only what is new since then.
    format: `bundle` (Git's own, with the history of what it holds, or without: snapshot) or `zip` (for
    people). as_template: only what others can begin with, configurations and the store's templates, without
    history; of all projects where none is named. output: the file. Unsaved edits are not in it. Raises NotFound,
    Invalid, or AlreadyExists unless forced.
    """
    view = store.view()
    if as_template:
        if include or exclude or since:
            why = "goes with no other choice of what is in it"
            raise Invalid(why, field="as_template", hint="leave out --include, --exclude and --since")
        chosen = template_selection(view, () if all else projects)
        return make(store, chosen, format=format, snapshot=format == "bundle", output=output, force=force)
    chosen = _conversation(view, projects, include, exclude) or choose(view, projects, all, include, exclude)
    session = projects[0] if chosen.paths is not None else ""
    return make(
        store, chosen, since=since, format=format, snapshot=snapshot, output=output, force=force, session=session
    )


def _conversation(view: View, names: Sequence[str], include: Sequence[str], exclude: Sequence[str]) -> Selection | None:
    """The selection of one conversation, by its id: its files, and what was learnt and measured of it."""
    if len(names) != 1 or parties.is_known(view, names[0]):
        return None
    try:
        facts = view.find((CONVERSATION,), names[0], what="project or conversation")[0]
    except NotFound:
        return None
    folder, project = facts.rpartition("/")[0], facts.split("/")[1]
    id = folder.rpartition("/")[2]
    chosen = choose(view, [project], False, include, exclude)
    found = [f"projects/{project}/project.yaml", *(f"{folder}/{name}" for name in view.names(folder))]
    for word, kind in (("reflections", reflections.KIND), ("quality", quality.KIND)):
        for path, _ in view.walk(kind, project=project) if word in chosen.words else ():
            record = view.find_record(path)
            data = record.data if record else {}
            if id in (data.get("conversation"), (data.get("provenance") or {}).get("conversation")):
                found.append(path)
    return Selection((project,), tuple(word for word in chosen.words if word != "mail"), tuple(sorted(found)))


def make(
    store: Store,
    chosen: Selection,
    *,
    output: Path,
    since: str = "",
    format: str = "bundle",
    snapshot: bool = False,
    force: bool = False,
    session: str = "",
) -> Exported:
    """The same for a selection. session: the name that `config.json` gives it."""
    if format not in FORMATS:
        raise Invalid(f"{format!r} is none of {', '.join(FORMATS)}", field="format")
    if snapshot and (since or format == "zip"):
        raise Invalid("a snapshot is a bundle, and holds everything", field="snapshot", hint="leave out --snapshot")
    view = store.view()
    begin = _since(store, since) if since else ""
    config = _config(view, chosen, session)
    facts = _Facts(store, view, chosen, begin, str(store.settings().get("id", "")))
    with files.new_file(output, force=force) as out, ThreadPoolExecutor(1) as pool:
        # Looking for secrets is our own work, and packing is Git's: they go on side by side.
        looking = pool.submit(outgoing.look, store.root, view.commit.tree, chosen, store.rules())
        count = None
        if format == "zip":
            count = _write_zip(facts, out, config)
        else:
            _write_bundle(facts, out, snapshot)
        found = looking.result()
    moment = times.dump(view.commit.time)
    size = output.stat().st_size
    named = (str(output), size, format, facts.store_id, view.revision, moment, chosen, count)
    return Exported(*named, begin, snapshot, tuple(found), config)


def _config(view: View, chosen: Selection, session: str) -> dict[str, Any]:
    words = chosen.words
    name = session or ("*" if chosen.projects is None else ",".join(chosen.projects))
    includes = {"reflections": "reflections" in words, "quality_history": "quality" in words}
    includes["multi_project"] = "groups" in words
    facts = {"exported_at": times.dump(view.commit.time), "session_id": name, "version": __version__}
    return {**facts, "includes": includes}


@dataclass
class _Facts:
    """What is exported. before: the commit that it builds on, or ""."""

    store: Store
    view: View
    chosen: Selection
    begin: str
    store_id: str

    def __post_init__(self) -> None:
        repo = self.store.repo
        self._scratch_trees: dict[str, trees.Entries] = {}
        picker = Picker(self.read, repo.blob, self.chosen, base=True)
        self.picked = self._pick(picker, self.view.commit)
        self.before = self._pick(picker, repo.commit(self.begin)) if self.begin else None

    def read(self, id: str) -> trees.Entries:
        """A tree, or one that was picked."""
        return self._scratch_trees[id] if id in self._scratch_trees else self.store.repo.tree(id)

    def _pick(self, picker: Picker, commit: Commit) -> str:
        picked = picker.pick(commit.tree)
        self._scratch_trees |= picked.entries()
        return picked.tree


def _since(store: Store, since: str) -> str:
    """The commit that a revision, or an earlier export's file, names."""
    path = Path(since)
    if not path.is_file():
        return store.repo.resolve(since)
    from sbfs.bundles.reading import source_of

    commit = source_of(path, store.repo.gitdir / "sbfs")
    if not commit or not store.repo.has(commit):
        hint = "name a revision, or export without --since"
        raise Invalid(f"{since} is of a state that is not here", field="since", hint=hint)
    return commit


# -- bundles ---------------------------------------------------------------------------------------


def _write_bundle(facts: _Facts, out: IO[bytes], snapshot: bool) -> None:
    repo, head = facts.store.repo, facts.view.revision
    if facts.chosen.is_whole and not snapshot:
        if facts.begin == head:
            raise _nothing_new(facts)
        needs = [facts.begin] if facts.begin else []
        bundlefile.write_head(out, head, needs)
        bulk.pack_reachable(repo, [head], needs, out)
        return
    with bulk.Scratch(repo.gitdir / "sbfs", repo) as scratch:
        with scratch.pack() as writer:
            if snapshot:
                tip, needs = history.snapshot(repo, facts.view.commit, facts.chosen, facts.store_id, writer), []
            else:
                rewriter = history.Rewriter(repo, facts.chosen, facts.store_id, writer)
                needs = [rewriter.tip(facts.begin)] if facts.begin else []
                tip = rewriter.tip(head)
        if tip in needs:
            raise _nothing_new(facts)
        bundlefile.write_head(out, tip, needs)
        if snapshot:
            bulk.pack_whole(scratch.repo, [tip], set(), out)
        else:
            bulk.pack_reachable(scratch.repo, [tip], needs, out)


def _nothing_new(facts: _Facts) -> Invalid:
    return Invalid(f"nothing is new since {facts.begin[:10]}", field="since")


# -- zips ------------------------------------------------------------------------------------------


def _write_zip(facts: _Facts, out: IO[bytes], config: dict[str, Any]) -> int:
    """Returns how many files it holds."""
    repo = facts.store.repo
    gone = sorted(path for path, old, new in trees.diff(facts.read, facts.before, facts.picked) if old and not new)
    if facts.begin and not gone and not any(id for _, _, id in trees.diff(facts.read, facts.before, facts.picked)):
        raise _nothing_new(facts)
    head: dict[str, Any] = {"format": zips.FORMAT, "store": facts.store_id, "commit": facts.view.revision}
    head |= {"time": times.dump(facts.view.commit.time), "ancestors": history.ancestors(repo, facts.view.revision)}
    head |= {"holds": facts.chosen.dump(), "since": facts.begin or None, "removed": gone}
    found = ((path, id) for path, _, id in trees.diff(facts.read, facts.before, facts.picked) if id)
    return zips.write(out, head, config, bulk.named_blobs(repo, found))
