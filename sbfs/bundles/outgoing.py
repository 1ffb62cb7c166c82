"""Secrets are looked for once more on the way out: what plain Git brought in was never looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sbfs import redact, upkeep
from sbfs.bundles import looking
from sbfs.bundles.looked import Looked, Memory
from sbfs.bundles.looking import SCANNED, is_binary, may_hold
from sbfs.bundles.selecting import Picker, Selection
from sbfs.errors import Damaged
from sbfs.git import bulk, trees
from sbfs.git.repository import Repository
from sbfs.store import SETTINGS, Store

MANY = 20_000
"""New files from which on all of a store is looked at as it lies, though something is known of it."""

_STATUS = re.compile(rb"^status: \w+\n", re.M)


@dataclass(frozen=True)
class Held:
    """A secret in a file that went out. type: what it looks like."""

    path: str
    line: int
    type: str


def look(root: Path, tree: str, chosen: Selection, rules: redact.Rules) -> list[Held]:
    """What looks like a secret in a part of a store's tree.

    What was looked through is remembered, so that the next time only what is new since is read.
    """
    with Repository(root) as repo:
        memory = Memory(repo, rules.version)
        known = memory.all()
        # Of a store of which nothing is known yet, all is looked at as it lies, and only then asked where it is.
        suspects = looking.suspects(repo.gitdir, rules) if not known and chosen.projects is None else None
        if suspects is not None and not suspects:
            memory.keep(tree, chosen)
            return []
        try:
            unknown = list(_unknown(repo, tree, chosen, known))
        except Damaged:
            # Of a tree that was remembered, a part may have been collected; of the store's own, it is said here.
            unknown = list(_unknown(repo, tree, chosen, ()))
        if suspects is None and known and len(unknown) > MANY:
            suspects = looking.suspects(repo.gitdir, rules)
        changed = [one for one in unknown if suspects is None or one[1] in suspects]
        twins: dict[str, str] = {}
        found = list(_held(repo, changed, rules, twins))
        paths = {one.path for one in found}
        # A copy is named once, but the next export may hold the other one alone.
        memory.keep(tree, chosen, paths | {path for path, first in twins.items() if first in paths})
        return found


def look_ahead(store: Store) -> bool:
    """Look through a store before anybody asks. Returns False, having done nothing, where little of it is new since the
    last time."""
    rules, tree = store.rules(), store.view().commit.tree
    unknown = _unknown(store.repo, tree, Selection(), Memory(store.repo, rules.version).all())
    if sum(1 for _ in islice(unknown, upkeep.MUCH)) < upkeep.MUCH:
        return False
    look(store.root, tree, Selection(), rules)
    return True


def passed(repo: Repository, tree: str, chosen: Selection, rules: redact.Rules) -> None:
    """Remember a part of a tree whose files were all looked at as they came in, and are without secrets."""
    Memory(repo, rules.version).keep(tree, chosen)


def _unknown(repo: Repository, tree: str, chosen: Selection, known: Sequence[Looked]) -> Iterator[tuple[str, str]]:
    """(path, id) of files that no known tree has, or that held a secret there."""
    new = Picker(repo.tree, repo.blob, chosen, base=True).pick(tree)
    olds = [Picker(repo.tree, repo.blob, one.chosen, base=True).pick(one.tree) for one in known]
    made = {id: entries for one in (new, *olds) for id, entries in one.entries().items()}

    def read(id: str) -> trees.Entries:
        return made[id] if id in made else repo.tree(id)

    held = {path for one in known for path in one.held}
    for folder, befores, after in trees.changed_folders(read, [one.tree for one in olds], new.tree):
        for name, (mode, id) in after.items():
            path = f"{folder}{name}"
            if (
                mode != trees.FOLDER
                and path not in held
                and not any(one.get(name, ("", ""))[1] == id for one in befores)
            ):
                yield path, id
    editor = trees.TreeEditor(read, new.tree)
    yield from ((path, found[1]) for path in sorted(held) if (found := editor.get(path)))


def _held(
    repo: Repository, changed: list[tuple[str, str]], rules: redact.Rules, twins: dict[str, str]
) -> Iterator[Held]:
    """The secrets in some files. twins: is given each file that is passed over as a copy, and which it is one of."""
    waiting: list[tuple[str, bytes]] = []
    seen: dict[int, str] = {}
    size = 0
    for (path, _), data in zip(changed, bulk.blobs(repo, (id for _, id in changed)), strict=True):
        # Settings name patterns, which would find themselves; the two copies of a message differ in one line.
        said = hash(_STATUS.sub(b"", data, 1)) if "/inbox/" in path or "/outbox/" in path else None
        if path == SETTINGS or is_binary(data):
            continue
        if said is not None and (first := seen.setdefault(said, path)) != path:
            twins[path] = first
            continue
        waiting.append((path, data))
        size += len(data)
        if size > SCANNED:
            yield from _secrets(waiting, rules)
            waiting, size = [], 0
    yield from _secrets(waiting, rules)


def _secrets(waiting: list[tuple[str, bytes]], rules: redact.Rules) -> Iterator[Held]:
    if may_hold([data for _, data in waiting], rules):
        for path, data in waiting:
            for type, line in redact.find(data.decode("utf-8", "replace"), rules):
                yield Held(path, line, type)
