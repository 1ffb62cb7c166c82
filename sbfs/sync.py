"""Stores meet: fetch, merge by meaning, push, and again while others push too."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sbfs import files, kinds, threeway, upkeep, worktree
from sbfs.conflicts import Conflict
from sbfs.errors import Invalid, NotFound, RemoteRefused
from sbfs.git import ancestry, trees
from sbfs.git import transport as network
from sbfs.git.repository import BRANCH, Repository
from sbfs.messages import INBOX
from sbfs.store import SETTINGS, Store, Transaction, check_format

DEADLINE = 120.0
"""Seconds within which a sync ends, one way or the other."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0


@dataclass(frozen=True)
class Remote:
    """Another repository that this one meets. url: without a password in it."""

    name: str
    url: str


@dataclass(frozen=True)
class Synced:
    """What a sync did.

    received, sent: commits that came and went. messages: ids of mail that came. conflicts: values
    that lost, kept in `conflicts/`. saved, invalid: edits that were committed before, and ones that
    could not be. rounds: how often it fetched, more than one where others pushed at the same time.
    """

    remote: str
    revision: str
    received: int
    sent: int
    rounds: int
    messages: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    saved: int = 0
    invalid: tuple[worktree.Edit, ...] = ()


# -- remotes ---------------------------------------------------------------------------------------


def remote_add(store: Store, *, name: str, url: str) -> Remote:
    """Name a repository to sync with. It is looked for when it is used, not now."""
    network.add_remote(store.repo, name, url)
    return Remote(name, network.shown(url))


def remote_list(store: Store) -> tuple[Remote, ...]:
    """The repositories that this store syncs with, by name."""
    return tuple(Remote(name, network.shown(url)) for name, url in sorted(network.configured(store.repo).items()))


def remote_remove(store: Store, *, name: str) -> Remote:
    """Forget a repository; nothing there is touched."""
    found = next((remote for remote in remote_list(store) if remote.name == name), None)
    if found is None:
        raise NotFound("remote", name, known=network.configured(store.repo))
    network.remove_remote(store.repo, name)
    return found


# -- syncing ---------------------------------------------------------------------------------------


def sync(
    store: Store,
    *,
    remote: str = "",
    deadline: float = DEADLINE,
    actor: str = "",
    progress: Callable[[str], None] = lambda _: None,
) -> Synced:
    """Make this store and a remote hold the same: save edits, fetch, merge, push.

    remote: its name; without one, the only one there is, or `origin`. deadline: in seconds. Raises
    RemoteRefused; what was committed here stays, and the next sync carries it.
    """
    name, url = _chosen(store, remote)
    ends = time.monotonic() + deadline
    saved = worktree.save(store, actor=actor)
    carrier = network.transport(store.repo, timeout=deadline)
    tally = _Tally()
    pauses = _pauses()
    while True:
        tally.rounds += 1
        progress(f"fetching from {name}")
        theirs = carrier.fetch(url, name)
        if theirs:
            _merge(store, theirs, name, actor, tally)
        head = store.head()
        if head == theirs:
            break
        progress(f"pushing to {name}")
        if carrier.push(url, name, head, theirs):
            tally.sent = _count(store, head, theirs)
            break
        pause = next(pauses)
        if time.monotonic() + pause > ends:
            raise RemoteRefused(
                f"others pushed to {name} first, {tally.rounds} times within {deadline:g} s",
                hint="everything is committed here; sync again",
            )
        time.sleep(pause)
    return Synced(
        name,
        store.head(),
        tally.received,
        tally.sent,
        tally.rounds,
        tuple(dict.fromkeys(tally.messages)),
        tuple(tally.conflicts.values()),
        len(saved.saved),
        saved.invalid,
    )


class _Tally:
    def __init__(self) -> None:
        self.rounds = self.received = self.sent = 0
        self.messages: list[str] = []
        self.conflicts: dict[str, Conflict] = {}


def _chosen(store: Store, name: str) -> tuple[str, str]:
    remotes = network.configured(store.repo)
    if not remotes:
        raise Invalid("there is no remote to sync with", hint="name one: sbfs remote add origin URL")
    chosen = name or (next(iter(remotes)) if len(remotes) == 1 else "origin")
    if chosen not in remotes:
        hint = "" if name else f"there are {', '.join(sorted(remotes))}: say which"
        raise NotFound("remote", chosen, known=remotes, hint=hint)
    return chosen, remotes[chosen]


def _pauses() -> Iterator[float]:
    """Growing random pauses, so that many who push at once do not meet again and again."""
    longest = _FIRST_PAUSE
    while True:
        yield random.uniform(0, longest)  # noqa: S311 - no secret depends on it
        longest = min(longest * 2, _LONGEST_PAUSE)


def _merge(store: Store, theirs: str, name: str, actor: str, tally: _Tally) -> None:
    """Merge a fetched commit into the branch, or move the branch to it where nothing was done here."""
    _check_format(store.repo, theirs)

    def build(tx: Transaction) -> tuple[int, threeway.Joined | None]:
        ours = tx.view.revision
        if ancestry.is_ancestor(store.repo, theirs, ours):
            return 0, None
        forward = ancestry.is_ancestor(store.repo, ours, theirs)
        joined = (threeway.forward(store.repo, ours, theirs) if forward else None) or threeway.join(
            store.repo, ours, theirs
        )
        for path, change in joined.changes.items():
            tx.bring(kinds.kind_of(path), path, change.data, id=change.id)
        came = _count(store, theirs, ours)
        if joined.forward:
            tx.onto = theirs
        else:
            tx.parents = (theirs,)
            tx.describe(_subject(came, name, joined))
        return came, joined

    came, joined = store.write("sync", build, actor=actor)
    if joined:
        tally.received += came
        tally.conflicts |= {one.id: one for one in joined.conflicts}
        tally.messages += _new_mail(joined)
        if len(joined.changes) >= upkeep.MUCH:
            upkeep.start(store.root)


def _subject(came: int, name: str, joined: threeway.Joined) -> str:
    what = f"Merge {came} {'change' if came == 1 else 'changes'} from {name}"
    count = len(joined.conflicts)
    return f"{what}, {count} {'value' if count == 1 else 'values'} kept in conflicts" if count else what


def _check_format(repo: Repository, theirs: str) -> None:
    found = repo.entry(repo.commit(theirs).tree, SETTINGS)
    if found is None or found[0] != trees.FILE:
        hint = "look at its address: sbfs remote list"
        raise Invalid("the other repository holds no sbfs.yaml, so it is no store", hint=hint)
    check_format(repo.blob(found[1]))


def _count(store: Store, head: str, but: str | None) -> int:
    """How many commits head has and the other has not, up to 10,000."""
    return len(ancestry.only_in(store.repo, head, but, limit=10_000))


def _new_mail(joined: threeway.Joined) -> list[str]:
    return [places["id"] for path in joined.added if (places := INBOX.places(path))]


# -- cloning ---------------------------------------------------------------------------------------


def clone(url: str, root: Path, *, timeout: float = DEADLINE) -> None:
    """Make a store of a remote's, in a new or empty folder, with the remote named `origin`.

    Raises RemoteRefused, or Invalid for a repository that is no store, and for a folder that
    holds something. A clone that is killed leaves nothing, or a store that the next command completes.
    """
    try:
        network.clone(_absolute(url), root, timeout=timeout, prepare=_prepare)
    except RemoteRefused as error:
        raise RemoteRefused(error.sentence, hint="look at the address, and at who may read there") from None


def _absolute(url: str) -> str:
    """A folder's or a bundle's address for good: the clone lies elsewhere."""
    path = Path(url).expanduser()
    return os.path.abspath(path) if path.exists() else url


def _prepare(root: Path) -> None:
    """Refuse what is no store, and leave a journal by which the first command puts the files down."""
    with Repository(root) as repo:
        head = repo.ref(BRANCH)
        assert head is not None
        _check_format(repo, head)
        tree = repo.commit(head).tree
        threeway.check_incoming(repo, tree)
        top = repo.tree(tree).items()
        folders = {name: id for name, (mode, id) in top if mode == trees.FOLDER}
        paths = [name for name, (mode, _) in top if mode != trees.FOLDER]
        journal = {"old": None, "new": head, "paths": paths, "folders": folders}
    files.write(repo.gitdir / "sbfs" / "journal", json.dumps(journal).encode())
