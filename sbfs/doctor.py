"""Looking a store over: every finding has a fix, or says what to do."""

from __future__ import annotations

import functools
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sbfs import files, founding, kinds, projects, search, upkeep, worktree
from sbfs.errors import Damaged, Error, Invalid
from sbfs.git import config, index, trees
from sbfs.git.index import run_git
from sbfs.git.repository import BRANCH, INDEX_MARK
from sbfs.messages import INBOX, OUTBOX, Message, attachments, delivery
from sbfs.messages.value import load
from sbfs.messages.writing import put_received
from sbfs.record import Record, etag
from sbfs.store import Store, Transaction, View

LOCK_AGE = 60
"""Seconds after which a lock of Git that no process has open counts as left behind."""


@dataclass(frozen=True)
class Finding:
    """What is wrong. code: stable word. remedy: what to do where `fixable` is false. fixed: it is mended."""

    code: str
    what: str
    path: str = ""
    line: int | None = None
    remedy: str = ""
    fixable: bool = False
    fixed: bool = False


@dataclass(frozen=True)
class Checked:
    """The outcome. records: how many were read."""

    findings: tuple[Finding, ...]
    records: int

    @property
    def left(self) -> tuple[Finding, ...]:
        """What is not mended."""
        return tuple(finding for finding in self.findings if not finding.fixed)


def check(store: Store, *, fix: bool = False, progress: Callable[[int], None] = lambda _: None) -> Checked:
    """Look the store over; with `fix`, mend what can be mended without losing anything.

    progress: called with the number of records read so far.
    """
    found: list[Finding] = []
    found += _mended(_left_behind(store), fix)
    found += _under_way(store)
    reader = _Reader(store, progress)
    try:
        found += _mended(_configuration(store), fix)
        found += _mended(_upkeep(store), fix)
        found += _mended(reader.findings(), fix)
        found += _mended(_index_behind(store), fix)
        found += _mended(_search_index(store), fix)
        found += _invalid_edits(store)
    except Damaged as error:
        remedy = "take .git/objects from another clone, or clone it anew"
        found.append(Finding("damaged", error.sentence, remedy=remedy))
        return Checked(tuple(found), reader.records)
    found += _objects(store)
    return Checked(tuple(found), reader.records)


Fixable = Iterator[tuple[Finding, Callable[[], object] | None]]
"""Findings, each with what mends it."""


def _mended(found: Fixable, fix: bool) -> Iterator[Finding]:
    for finding, mend in found:
        if mend is None:
            yield finding
        elif not fix:
            yield replace(finding, fixable=True, remedy="sbfs check --fix")
        else:
            mend()
            yield replace(finding, fixable=True, fixed=True)


# -- left behind by killed programs ----------------------------------------------------------------


def _left_behind(store: Store) -> Fixable:
    gitdir = store.repo.gitdir
    for lock in _locks(gitdir):
        if files.read(lock) != INDEX_MARK and _is_left(lock, LOCK_AGE):
            name = lock.relative_to(store.root).as_posix()
            yield Finding("stale-lock", "a lock that a killed git left", name), _remover(lock)
    for file in [
        *(gitdir / "objects" / "pack").glob("tmp_*"),
        *gitdir.glob("sbfs/**/.*~"),
        *_queue(gitdir),
        *_temporaries(store.root),
    ]:
        if _is_left(file, LOCK_AGE):
            name = file.relative_to(store.root).as_posix()
            yield Finding("left-over", "a temporary file that a killed program left", name), _remover(file)


def _locks(gitdir: Path) -> Iterator[Path]:
    yield from (file for file in gitdir.glob("*.lock"))
    yield from (gitdir / "refs").rglob("*.lock")
    yield from (gitdir / "objects").glob("??/*.lock")
    yield from (gitdir / "objects" / "pack").glob("*.lock")


def _queue(gitdir: Path) -> Iterator[Path]:
    yield from (gitdir / "sbfs" / "queue").glob("*")


def _temporaries(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        # A founder that was killed leaves a whole folder; what lies in it is not looked at.
        yield from (Path(folder) / name for name in (*folders, *names) if files.TEMPORARY.fullmatch(name))
        folders[:] = [name for name in folders if name != ".git" and not files.TEMPORARY.fullmatch(name)]


def _is_left(file: Path, age: float) -> bool:
    try:
        old = time.time() - file.stat().st_mtime > age
    except FileNotFoundError:
        return False
    return old and not _is_open(file)


def _is_open(file: Path) -> bool:
    """Whether a process has the file open, where the system tells (Linux)."""
    target = os.path.realpath(file)
    for process in filter(str.isdigit, _names(Path("/proc"))):
        for handle in _names(Path("/proc", process, "fd")):
            with suppress(OSError):
                if os.readlink(f"/proc/{process}/fd/{handle}") == target:
                    return True
    return False


def _names(folder: Path) -> list[str]:
    """What a folder holds; nothing where it is not there, or gone as a process is that ended just now."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _remover(file: Path) -> Callable[[], object]:
    return lambda: shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)


# -- Git's state and settings ----------------------------------------------------------------------


def _under_way(store: Store) -> Iterator[Finding]:
    branch = store.repo.head_ref()
    if branch is None:
        yield Finding("detached", "no branch is checked out, so nothing can be written", remedy="git switch main")
    elif branch != BRANCH:
        name = branch.removeprefix("refs/heads/")
        yield Finding("other-branch", f"{name} is checked out; sbfs writes to main", remedy="git switch main")
    if doing := store.repo.unfinished():
        yield Finding("unfinished", f"{doing} is under way", remedy="finish or abort it with git")


def _configuration(store: Store) -> Fixable:
    gitdir = store.repo.gitdir
    if missing := config.missing(gitdir):
        what = f"Git's configuration of this clone lacks {', '.join(missing)}"
        yield Finding("configuration", what, ".git/config"), lambda: config.configure(gitdir)
    view = store.view()
    for path in founding.DOTFILES:
        have = (view.read(path) or b"").decode("utf-8", "replace").splitlines()
        lines = [
            line
            for line in founding.dotfile(path).splitlines()
            if line and not line.startswith("#") and line not in have
        ]
        if lines:
            what = f"lacks {len(lines)} of the lines that a store needs"
            yield Finding("attributes", what, path), _line_adder(store, path, lines)


def _upkeep(store: Store) -> Fixable:
    state = upkeep.state(store.repo)
    if state.problem:
        yield Finding("upkeep", f"the last upkeep of packs did not end well: {state.problem}"), _keeper(store)
    elif state.due:
        what = f"{state.packs} packs and {state.loose} loose objects wait to be joined"
        yield Finding("upkeep", what, ".git/objects"), _keeper(store)


def _keeper(store: Store) -> Callable[[], object]:
    return lambda: upkeep.run(store.repo, store.publisher().locked)


def _line_adder(store: Store, path: str, lines: list[str]) -> Callable[[], object]:
    def build(tx: Transaction) -> None:
        text = (tx.view.read(path) or b"").decode("utf-8", "replace")
        text += "" if not text or text.endswith("\n") else "\n"
        tx.put_bytes(path, (text + "\n".join(lines) + "\n").encode())
        tx.describe(f"Mend {path}")

    return lambda: store.write("check.fix", build)


def _index_behind(store: Store) -> Fixable:
    """Paths where Git's index differs from the branch although nobody staged anything."""
    repo = store.repo
    if repo.head_ref() != BRANCH or repo.unfinished():
        return
    said = index.listing(repo.gitdir)
    tree = store.view().commit.tree
    if said is None:
        if not shutil.which("git"):
            yield (
                Finding("index", "Git's index cannot be read", ".git/index", remedy="install git and run this again"),
                None,
            )
            return
        said = _listing_by_git(store)
    branch = {path: id for path, _, id in trees.walk(repo.tree, tree)}
    if said is None:
        yield Finding("index", "Git's index cannot be read", ".git/index"), lambda: _renew_index(store, branch)
        return
    behind = [
        path
        for path in branch.keys() | said.keys()
        if branch.get(path) != said.get(path) and _disk(store.root / path) == branch.get(path)
    ]
    if behind:
        what = f"is behind the branch in {len(behind)} paths, the first is {min(behind)}"
        yield Finding("index", what, ".git/index"), lambda: _mend_index(store, behind, branch)


def _search_index(store: Store) -> Fixable:
    """An index of search that cannot be used. A search makes another by itself; this says why it is slow."""
    index = search.index_status(store)
    if index.state in ("damaged", "foreign"):
        what = f"the search index is {index.state}: {index.why}"
        yield Finding("search-index", what, index.path), lambda: search.index_rebuild(store)


def _listing_by_git(store: Store) -> dict[str, str] | None:
    try:
        said = run_git(store.repo.gitdir, ["ls-files", "-s", "-z"], b"", "it cannot be listed")
    except Error:
        return None
    rows = (os.fsdecode(row).partition("\t") for row in said.split(b"\0") if row)
    return {path: head.split()[1] for head, _, path in rows}


def _disk(file: Path) -> str | None:
    data = files.read(file)
    return None if data is None else etag(data)


def _renew_index(store: Store, branch: dict[str, str]) -> None:
    """Make the index anew from the branch; what a person had staged cannot be read from it any more."""
    publisher = store.publisher()
    with publisher.locked():
        (store.repo.gitdir / "index").unlink()
        publisher.refresh_index(dict(branch))


def _mend_index(store: Store, behind: list[str], branch: dict[str, str]) -> None:
    publisher = store.publisher()
    with publisher.locked():
        publisher.refresh_index({path: branch.get(path) for path in behind})


# -- records ---------------------------------------------------------------------------------------


class _Reader:
    """One pass over all records of the branch."""

    def __init__(self, store: Store, progress: Callable[[int], None]):
        self.store, self.progress = store, progress
        self.view: View = store.view()
        self.records = 0
        self.places: dict[str, list[str]] = defaultdict(list)
        self.sent: dict[str, Message] = {}
        self.received: set[str] = set()
        self.owners: dict[str, int] = defaultdict(int)

    def findings(self) -> Fixable:
        for path, mode, id in trees.walk(self.store.repo.tree, self.view.commit.tree):
            if mode == trees.LINK:
                remedy = "remove it, then 'sbfs save'"
                yield Finding("link", "is a link; a store holds plain files", path, remedy=remedy), None
            elif kinds.is_misplaced(path):
                remedy = "move it to where docs/format.md says, or remove it; then 'sbfs save'"
                yield Finding("misplaced", "is no place of a record", path, remedy=remedy), None
            elif kinds.kind_of(path):
                yield from self._read(path, id)
        yield from self._duplicates()
        yield from self._undelivered()
        yield from self._orphans()

    def _orphans(self) -> Fixable:
        """Mail that came for a project while somebody removed it: kept, but in no list."""
        for name, count in sorted(self.owners.items()):
            record = self.view.find_record(projects.KIND.path_of(project=name))
            if record is None or record.removed:
                what = f"{count} {'message lies' if count == 1 else 'messages lie'} in a project that is gone"
                remedy = f"sbfs project add {name}, to have it back; or delete the folder, then 'sbfs save'"
                yield Finding("orphan", what, f"projects/{name}", remedy=remedy), None

    def _read(self, path: str, id: str) -> Fixable:
        kind = kinds.kind_of(path)
        assert kind is not None
        self.records += 1
        self.progress(self.records)
        places = kind.places(path) or {}
        if kind is INBOX:
            self.received.add(places["id"])
        try:
            record = Record.parse(path, self.store.repo.blob(id))
            kind.check(record)
        except Invalid as error:
            remedy = f"edit it and run 'sbfs save'; 'sbfs log {path}' shows its history"
            yield Finding("invalid", error.why, path, error.line, remedy), None
            return
        if kind not in (INBOX, OUTBOX):
            return
        if record.removed:
            return
        self.places[places["id"]].append(path)
        self.owners[places["project"]] += 1
        message = load(record.data)
        if kind is OUTBOX:
            self.sent[path] = message
        yield from self._attached(places["project"], path, message)

    def _attached(self, project: str, path: str, message: Message) -> Fixable:
        for name, why in attachments.troubles(self.view, project, message).items():
            remedy = f"put the file back: 'sbfs log {path}' shows when it was right"
            yield Finding("attachment", f"{name}: {why}", path, remedy=remedy), None

    def _duplicates(self) -> Fixable:
        for id, paths in self.places.items():
            by_box = {("inbox" if INBOX.places(path) else "outbox") for path in paths}
            if len(paths) > len(by_box):
                remedy = f"keep one of {', '.join(sorted(paths))} and remove the others; then 'sbfs save'"
                yield (
                    Finding("duplicate", f"{id} stands in {len(paths)} places", max(paths), remedy=remedy),
                    None,
                )

    def _undelivered(self) -> Fixable:
        for path, message in self.sent.items():
            # A copied project sent nothing: its messages say what they were copied from.
            if message.id in self.received or "copied_from" in message.extra:
                continue
            inbox = delivery.inbox_path(self.view, message)
            if inbox is None or self._made_since(message) or path in self._brought:
                continue
            what = f"was sent, but {message.to_project} has no copy"
            yield Finding("undelivered", what, path), _deliverer(self.store, path)

    @functools.cached_property
    def _brought(self) -> frozenset[str]:
        """Sent mail that an import brought: it was sent elsewhere, to that store's project of the name, not to ours."""
        repo = self.store.repo
        found: set[str] = set()
        for commit in repo.history(self.view.revision):
            if commit.trailers.get("Sbfs-Operation") != "import" or not commit.parents:
                continue
            before = repo.commit(commit.parents[0]).tree
            found.update(path for path, old, new in trees.diff(repo.tree, before, commit.tree) if new and not old)
        return frozenset(path for path in found if OUTBOX.places(path))

    def _made_since(self, message: Message) -> bool:
        """Whether the recipient is another project than was written to: that one was removed."""
        return projects.resolve(self.view, message.to_project).created > message.timestamp


def _deliverer(store: Store, path: str) -> Callable[[], object]:
    def build(tx: Transaction) -> None:
        message = load(tx.view.record(path).data)
        inbox = delivery.inbox_path(tx.view, message)
        if inbox and tx.find(inbox) is None:
            put_received(tx, replace(message, to_project=inbox.split("/")[1]))
            tx.describe(f"Deliver to {message.to_project}: {message.subject}", Ids=message.id)

    return lambda: store.write("check.fix", build)


def _invalid_edits(store: Store) -> Iterator[Finding]:
    for edit in worktree.edits(store):
        if not edit.valid:
            drop = "remove the file" if edit.state == "added" else f"'git checkout -- {edit.path}' to drop the edit"
            remedy = f"{edit.hint or 'mend the file'}; then 'sbfs save', or {drop}"
            yield Finding("edit", f"an unsaved edit is invalid: {edit.error}", edit.path, edit.line, remedy)


def _objects(store: Store) -> Iterator[Finding]:
    if shutil.which("git"):
        try:
            run_git(store.repo.gitdir, ["fsck", "--strict", "--no-dangling", "--no-progress"], b"", "fsck")
        except Error as error:
            remedy = "fetch the missing objects from another clone: git fetch"
            yield Finding("objects", error.sentence, ".git/objects", remedy=remedy)
        return
    yield from _objects_by_reading(store)


def _objects_by_reading(store: Store) -> Iterator[Finding]:
    repo = store.repo
    for path, _, id in trees.walk(repo.tree, store.view().commit.tree):
        try:
            type, data = repo.read(id)
        except Damaged as error:
            yield Finding("objects", error.sentence, path, remedy=error.hint)
            continue
        if trees.object_id(type, data) != id:
            yield Finding("objects", f"object {id} holds something else", path, remedy="fetch it from another clone")
