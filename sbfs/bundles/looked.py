"""Which trees of a store were looked through for secrets: a cache that may be deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from sbfs import files
from sbfs.bundles.selecting import Selection
from sbfs.errors import Damaged, Invalid
from sbfs.git.repository import Repository

_MOST = 8
"""Trees that are remembered."""

_MOST_HELD = 1000
"""Files with secrets up to which a tree is remembered."""


@dataclass(frozen=True)
class Looked:
    """What was looked through. tree: of a whole store, of which it was a part. held: paths with secrets."""

    tree: str
    chosen: Selection
    held: tuple[str, ...] = ()


class Memory:
    """What is remembered of one repository, by rules of one version."""

    def __init__(self, repo: Repository, rules: str):
        self._repo, self._rules = repo, rules
        self._file = repo.gitdir / "sbfs" / "exported.json"

    def all(self) -> list[Looked]:
        """What was looked through and is still there, the last first."""
        with suppress(ValueError, AttributeError, TypeError, KeyError, Invalid, Damaged):
            said = json.loads(files.read(self._file) or b"{}")
            if said["rules"] == self._rules:
                found = [
                    Looked(one["tree"], Selection.load(one["chosen"], ""), tuple(map(files.check_path, one["held"])))
                    for one in said["trees"]
                ]
                return [one for one in found if self._repo.has(one.tree) and self._repo.tree(one.tree)]
        return []

    def keep(self, tree: str, chosen: Selection, held: Iterable[str] = ()) -> None:
        """Remember one."""
        new = Looked(tree, chosen, tuple(sorted({*held})))
        if len(new.held) > _MOST_HELD:
            return
        # What was known of the same part before is what was not looked at again now.
        known = [new, *(one for one in self.all() if one.chosen != chosen)][:_MOST]
        trees = [{"tree": one.tree, "chosen": one.chosen.dump(), "held": [*one.held]} for one in known]
        with suppress(OSError):
            files.write(self._file, json.dumps({"rules": self._rules, "trees": trees}).encode())
