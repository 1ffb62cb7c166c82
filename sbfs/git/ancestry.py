"""What two commits have in common."""

from __future__ import annotations

import heapq
import math

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


def only_in(repo: Repository, new: str, old: str | None, *, limit: int) -> list[str]:
    """Commits that one has and the other has not, youngest first, of the first so many that are looked at.

    Commits carry whole seconds, so one can come up before its own child: the walk ends when all that
    is left is older than what was found.
    """
    flags = {new: _OURS}
    if old:
        flags[old] = flags.get(old, 0) | _THEIRS
    queue = [_entry(repo, id) for id in flags]
    heapq.heapify(queue)
    found: dict[str, float] = {}
    oldest = -math.inf
    while queue and len(found) < limit and (queue[0][0] <= oldest or any(flags[id] == _OURS for _, id in queue)):
        age, id = heapq.heappop(queue)
        if flags[id] == _OURS:
            found[id] = age
            oldest = max(oldest, age)
        _pass_on(repo, id, flags[id], flags, queue)
    return sorted((id for id in found if flags[id] == _OURS), key=lambda one: (found[one], one))


def _common(repo: Repository, ours: str, theirs: str) -> list[str]:
    flags = {ours: _OURS, theirs: _THEIRS}
    queue = [_entry(repo, id) for id in flags]
    heapq.heapify(queue)
    found: dict[str, None] = {}
    while any(not flags[id] & _STALE for _, id in queue):
        _, id = heapq.heappop(queue)
        passed = flags[id]
        if passed == _OURS | _THEIRS:
            found[id] = None
            passed |= _STALE
        _pass_on(repo, id, passed, flags, queue)
    return [id for id in found if not flags[id] & _STALE]


def _pass_on(repo: Repository, id: str, passed: int, flags: dict[str, int], queue: list[tuple[float, str]]) -> None:
    """Flag a commit's parents, and walk on from those that did not have it."""
    for parent in () if id in repo.shallow() else repo.commit(id).parents:
        had = flags.get(parent, 0)
        if had | passed != had:
            flags[parent] = had | passed
            heapq.heappush(queue, _entry(repo, parent))


def _entry(repo: Repository, id: str) -> tuple[float, str]:
    return -repo.commit(id).time.timestamp(), id
