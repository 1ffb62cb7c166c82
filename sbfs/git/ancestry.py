"""What two commits have in common."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice

from sbfs.git.repository import Repository

_OURS, _THEIRS, _STALE = 1, 2, 4


def merge_bases(repo: Repository, ours: str, theirs: str) -> list[str]:
    """The best common ancestors of two commits, sorted by id; several after a criss-cross, none if
    nothing is shared.

    Git's own way (commit-reach.c, `paint_down_to_common`): walk back from both, youngest first, until
    all that is left was reached from both. Clocks that are off cost time, not correctness: what is an
    ancestor of another base is taken out in the end.
    """
    if ours == theirs:
        return [ours]
    found = _common(repo, ours, theirs)
    if len(found) < 2:
        return found
    return sorted(one for one in found if not any(one != other and is_ancestor(repo, one, other) for other in found))


def is_ancestor(repo: Repository, old: str, new: str) -> bool:
    """Whether a commit is contained in another, or is the same."""
    return old == new or old in _common(repo, old, new)


def only_in(repo: Repository, new: str, old: str | None, *, limit: int) -> Iterator[str]:
    """Commits that one has and the other has not, youngest first, at most so many."""
    return islice(_only_in(repo, new, old), limit)


def _only_in(repo: Repository, new: str, old: str | None) -> Iterator[str]:
    flags = {new: _OURS} | ({old: _THEIRS} if old and old != new else {})
    if old == new:
        return
    queue = [_entry(repo, id) for id in flags]
    heapq.heapify(queue)
    done: set[str] = set()
    while any(flags[id] == _OURS for _, id in queue):
        _, id = heapq.heappop(queue)
        if flags[id] == _OURS and id not in done:
            yield id
        done.add(id)
        for parent in () if id in repo.shallow() else repo.commit(id).parents:
            if flags.get(parent, 0) | flags[id] != flags.get(parent, 0):
                flags[parent] = flags.get(parent, 0) | flags[id]
                heapq.heappush(queue, _entry(repo, parent))


def _common(repo: Repository, ours: str, theirs: str) -> list[str]:
    flags = {ours: _OURS, theirs: _THEIRS}
    queue = [_entry(repo, id) for id in flags]
    heapq.heapify(queue)
    found: dict[str, None] = {}
    cut = repo.shallow()
    while any(not flags[id] & _STALE for _, id in queue):
        _, id = heapq.heappop(queue)
        passed = flags[id]
        if passed == _OURS | _THEIRS:
            found[id] = None
            passed |= _STALE
        for parent in () if id in cut else repo.commit(id).parents:
            if flags.get(parent, 0) | passed != flags.get(parent, 0):
                flags[parent] = flags.get(parent, 0) | passed
                heapq.heappush(queue, _entry(repo, parent))
    return [id for id in found if not flags[id] & _STALE]


def _entry(repo: Repository, id: str) -> tuple[float, str]:
    return -repo.commit(id).time.timestamp(), id
