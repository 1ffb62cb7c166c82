"""What happened, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sbfs import projects
from sbfs.errors import Invalid, NotFound, Stale
from sbfs.git import trees
from sbfs.git.repository import Commit, Repository
from sbfs.store import Page, Store, Transaction, View

_LOOK_BACK = 10_000


@dataclass(frozen=True)
class Operation:
    """One commit of the store. operation: `message.send`, or "" for one made with plain Git.

    ids: of the records it names. undoes: the revision that it took back.
    """

    revision: str
    time: datetime
    actor: str
    subject: str
    operation: str
    ids: tuple[str, ...]
    undoes: str = ""


def log(store: Store, *, record: str = "", limit: int = 50, cursor: str | None = None, at: str | None = None) -> Page:
    """What happened, newest first. Items: Operation.

    record: only what touched this path, record or project. The total is counted only as far as the
    list goes: it is -1 where more may follow.
    """
    view = store.view(at)
    path = _path_of(view, record) if record else ""
    start = store.repo.resolve(cursor) if cursor else view.revision
    found = (commit for commit in store.repo.history(start) if not path or touches(store.repo, commit, path))
    shown = list(islice(found, limit + 1))
    more = len(shown) > limit
    items = [_operation(commit) for commit in shown[:limit]]
    total = -1 if more or cursor else len(items)
    return Page(items, total, shown[limit].id if more else None)


def _path_of(view: View, name: str) -> str:
    if "/" in name or view.find_id(name):
        return name.strip("/")
    if view.repo.folder(view.commit.tree, f"projects/{name}"):
        return f"projects/{name}"
    from sbfs.kinds import KINDS

    kinds = tuple(kind for kind in KINDS if "{id}" in kind.pattern)
    return view.find(kinds, name, what="record")[0]


def touches(repo: Repository, commit: Commit, path: str) -> bool:
    """Whether a commit changed a file, or something below a folder."""
    parent = repo.commit(commit.parents[0]).tree if commit.parents else None
    before = repo.entry(parent, path) if parent else None
    return repo.entry(commit.tree, path) != before


def _operation(commit: Commit) -> Operation:
    said = commit.trailers
    return Operation(
        revision=commit.id,
        time=commit.time,
        actor=commit.author,
        subject=commit.subject,
        operation=said.get("Sbfs-Operation", ""),
        ids=tuple(said.get("Sbfs-Ids", "").split()),
        undoes=said.get("Sbfs-Undoes", ""),
    )


def undo(store: Store, *, revision: str | None = None, actor: str = "") -> Operation:
    """Take an operation back by a new commit: the last one that stands, or a given one.

    Undoing an undo does it again. Raises Stale where a file was changed since, Invalid for what
    cannot be taken back (a merge, the store's beginning).
    """

    def build(tx: Transaction) -> Operation:
        commit = store.repo.commit(store.repo.resolve(revision)) if revision else _last_standing(tx.view)
        _refuse(commit)
        parent = store.repo.commit(commit.parents[0])
        touched = []
        for path, before, after in trees.diff(store.repo.tree, parent.tree, commit.tree):
            now = tx.view.find_id(path)
            if now == before:
                continue
            if now != after:
                hint = f"it was written again after {commit.id[:10]}: see 'sbfs log {path}', and undo that first"
                raise Stale(path, hint=hint)
            touched.append(path)
            if before is None:
                tx.drop(path)
            else:
                tx.put_bytes(path, store.repo.blob(before))
        if not touched:
            raise Invalid(f"nothing is left to take back of {commit.id[:10]}", field="revision")
        _refuse_orphans(tx, commit)
        ids = _operation(commit).ids
        tx.describe(f"Undo: {commit.subject}", Undoes=commit.id, **({"Ids": " ".join(ids)} if ids else {}))
        return _operation(commit)

    return store.write("undo", build, actor=actor)


def _refuse_orphans(tx: Transaction, commit: Commit) -> None:
    """Raise Stale where a project would go and leave behind what came to it since."""
    for path in [path for path in tx.changes if projects.KIND.places(path) and tx.find(path) is None]:
        folder = path.rpartition("/")[0]
        tx.need(folder)
        found = tx.view.repo.folder(tx.view.commit.tree, folder)
        below = trees.walk(tx.view.repo.tree, found, folder + "/") if found else ()
        left = [one for one, _, _ in below if one not in tx.changes]
        if left:
            hint = f"{left[0]} came after {commit.id[:10]}: see 'sbfs log {folder}', and undo that first"
            raise Stale(folder, hint=hint)


def _last_standing(view: View) -> Commit:
    undone: set[str] = set()
    for commit in islice(view.repo.history(view.revision), _LOOK_BACK):
        # An undo that was itself undone counts for nothing: what it took back stands again.
        if commit.id in undone:
            continue
        if target := commit.trailers.get("Sbfs-Undoes"):
            undone.add(target)
        else:
            return commit
    raise NotFound("operation to undo", "last")


def _refuse(commit: Commit) -> None:
    if not commit.parents:
        raise Invalid("is the store's beginning and cannot be taken back", field="revision")
    if len(commit.parents) > 1:
        hint = f"with git: git revert -m 1 {commit.id[:10]}"
        raise Invalid(f"{commit.id[:10]} is a merge", field="revision", hint=hint)
