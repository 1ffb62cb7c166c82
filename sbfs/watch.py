"""New mail as it arrives: the branch is watched, and people's edits where that is asked for. No server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from sbfs import messages, sync, worktree
from sbfs.errors import Busy, Error, RemoteRefused
from sbfs.git import trees
from sbfs.messages import INBOX, Message
from sbfs.store import Store

_LOOK = 0.25
"""Seconds between two looks at the branch, which is one small file."""

_LOOK_AT_EDITS = 2.0
"""Seconds between two looks for edits, which take a look at every file."""


def watch(
    store: Store,
    *,
    project: str = "",
    save: bool = False,
    remote: str | None = None,
    every: float = 30.0,
    since: str = "",
    until: Callable[[], bool] = lambda: False,
    trouble: Callable[[Error], object] = lambda _: None,
) -> Iterator[Message]:
    """Yield each message that arrives from now on, until told to end.

    project: only mail to it. save: commit valid edits as they are made. remote: sync with it ("" for
    the only one), every so many seconds and after each change here. since: a revision, from which on mail is new;
    else the branch's. until: asked again and again.
    trouble: told what went wrong on the way, such as an unreachable remote; watching goes on.
    """
    seen = since or store.head()
    synced_at = saved_at = 0.0
    synced = ""
    while not until():
        now = time.monotonic()
        if save and now - saved_at >= _LOOK_AT_EDITS:
            saved_at = now
            with _told(trouble):
                worktree.save(store)
        if remote is not None and (now - synced_at >= every or store.head() != synced):
            synced_at = now
            with _told(trouble):
                sync.sync(store, remote=remote, deadline=every)
            synced = store.head()
        head = store.head()
        yield from _arrived(store, seen, head, project)
        seen = head
        time.sleep(_LOOK)


class _told(suppress):  # noqa: N801 - reads as a verb
    """Errors that pass are told, and watching goes on."""

    def __init__(self, trouble: Callable[[Error], object]):
        super().__init__(Error)
        self.trouble = trouble

    def __exit__(self, kind: object, error: object, at: object) -> bool:
        if isinstance(error, RemoteRefused | Busy):
            self.trouble(error)
            return True
        return False


def _arrived(store: Store, before: str, after: str, project: str) -> Iterator[Message]:
    if before == after:
        return
    old, new = store.repo.commit(before).tree, store.repo.commit(after).tree
    found = []
    for path, was, now in trees.diff(store.repo.tree, old, new):
        places = INBOX.places(path)
        if places and was is None and now and project in ("", places["project"]):
            with suppress(Error):
                found.append(messages.show(store, message_id=places["id"]).message)
    yield from sorted((one for one in found if not one.deliver_at), key=lambda one: (one.timestamp, one.id))
