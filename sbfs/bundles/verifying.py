"""Look a file over that came from elsewhere: sums, format, safety, and what is inside. It needs no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sbfs import times
from sbfs.bundles import checking
from sbfs.bundles.checking import LeftOut
from sbfs.bundles.reading import Incoming, needs_of, take, words_of
from sbfs.bundles.selecting import BASE, Picker, Selection
from sbfs.git import bulk, trees


@dataclass(frozen=True)
class Verified:
    """What a file is. needs: commits that must be there before it is imported; what is in it is known only then,
    and `whole` is false. counts: records by kind. words, projects: what it holds. files: how many. left_out: what
    an import would leave."""

    file: str
    format: str
    size: int
    whole: bool
    store: str = ""
    commit: str = ""
    moment: str = ""
    needs: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


def verify(path: Path, *, scratch: Path) -> Verified:
    """Check a bundle, a zip, or what another system left. scratch: a folder for what is unpacked on the way.

    Raises Invalid, naming the member, for the first thing that is not as it should be.
    """
    size = path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.rglob("*"))
    with bulk.Scratch(scratch) as room:
        if needs := needs_of(path):
            return Verified(path.name, "bundle", size, whole=False, needs=needs)
        incoming = take(path, room, None)
        return _looked_over(room, incoming, size)


def _looked_over(room: bulk.Scratch, incoming: Incoming, size: int) -> Verified:
    repo = room.repo
    picked = Picker(repo.tree, repo.blob, Selection(), base=False).pick(incoming.tree)
    made = picked.entries()

    def read(id: str) -> trees.Entries:
        return made[id] if id in made else repo.tree(id)

    checked = checking.check(repo, None, picked.tree, name=incoming.name, made=made)
    others = [name for name in repo.tree(incoming.tree) if name not in (*BASE, *read(picked.tree))]
    left = [*incoming.left_out, *checked.left_out, *(LeftOut(name, "is none of a store's") for name in others)]
    root = read(picked.tree)
    return Verified(
        incoming.name,
        incoming.format,
        size,
        whole=True,
        store=incoming.store,
        commit=incoming.commit,
        moment=times.dump(incoming.moment) if incoming.moment else "",
        words=tuple(words_of(read, picked.tree)),
        projects=tuple(read(root["projects"][1])) if "projects" in root else (),
        counts=dict(sorted(checked.counts.items())),
        left_out=tuple(left),
    )
