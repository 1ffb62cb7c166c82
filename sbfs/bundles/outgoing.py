"""Secrets are looked for once more on the way out: what plain Git brought in was never looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import files, redact
from sbfs.bundles import looking
from sbfs.bundles.looking import SCANNED, is_binary, may_hold
from sbfs.bundles.selecting import Picker, Selection
from sbfs.git import bulk, trees
from sbfs.git.repository import Repository
from sbfs.store import SETTINGS

_STATUS = re.compile(rb"^status: \w+\n", re.M)


@dataclass(frozen=True)
class Held:
    """A secret in a file that went out. type: what it looks like."""

    path: str
    line: int
    type: str


def look(root: Path, tree: str, chosen: Selection, rules: redact.Rules) -> list[Held]:
    """What looks like a secret in a part of a store's tree.

    A tree that was found clean is remembered, so that the next export looks at what is new since.
    """
    with Repository(root) as repo:
        picker = Picker(repo.tree, repo.blob, chosen, base=True)
        memory = _Memory(repo, chosen, rules.version)
        known = memory.tree()
        # Of a store of which nothing is known yet, all is looked at as it lies, and only then asked where it is.
        suspects = looking.suspects(repo.gitdir, rules) if known is None and chosen.projects is None else None
        if suspects is not None and not suspects:
            memory.keep(tree)
            return []
        new, old = picker.pick(tree), picker.pick(known) if known else None
        made = new.entries() | (old.entries() if old else {})

        def read(id: str) -> trees.Entries:
            return made[id] if id in made else repo.tree(id)

        changed = [
            (path, id)
            for path, _, id in trees.diff(read, old.tree if old else None, new.tree)
            if id and (suspects is None or id in suspects)
        ]
        found = list(_held(repo, changed, rules))
        if not found:
            memory.keep(tree)
        return found


def _held(repo: Repository, changed: list[tuple[str, str]], rules: redact.Rules) -> Iterator[Held]:
    waiting: list[tuple[str, bytes]] = []
    seen: set[int] = set()
    size = 0
    for (path, _), data in zip(changed, bulk.blobs(repo, (id for _, id in changed)), strict=True):
        # Settings name patterns, which would find themselves; the two copies of a message differ in one line.
        said = hash(_STATUS.sub(b"", data, 1)) if "/inbox/" in path or "/outbox/" in path else None
        if path == SETTINGS or is_binary(data) or said in seen:
            continue
        if said is not None:
            seen.add(said)
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


class _Memory:
    """Which tree was last found clean, for a selection and by some rules: a cache that may be deleted."""

    def __init__(self, repo: Repository, chosen: Selection, rules: str):
        self._repo, self._rules = repo, rules
        self._key = _key(chosen)
        self._file = repo.gitdir / "sbfs" / "exported.json"

    def tree(self) -> str | None:
        """The tree, where it is known and still there: what all of a store was clean of, each part is."""
        known = self._read()
        id = known.get(self._key) or known.get(_key(Selection()))
        return id if isinstance(id, str) and len(id) == 40 and self._repo.has(id) else None

    def _read(self) -> dict[str, Any]:
        with suppress(ValueError, AttributeError):
            said = json.loads(files.read(self._file) or b"{}")
            if said.get("rules") == self._rules:
                return dict(said["trees"])
        return {}

    def keep(self, tree: str) -> None:
        """Remember one."""
        known = {**self._read(), self._key: tree}
        said = {"rules": self._rules, "trees": dict(list(known.items())[-32:])}
        with suppress(OSError):
            files.write(self._file, json.dumps(said).encode())


def _key(chosen: Selection) -> str:
    return json.dumps(chosen.dump(), sort_keys=True)
