"""The tier of names: where flow knows nothing of a receiver, the project's methods of that name. Its edges never
feed values."""

from __future__ import annotations

import posixpath

from sbfs.linking.python_names import COMMON
from sbfs.linking.tables import File, Project

MOST = 8
"""Candidates beyond this say nothing, and are left out."""


class NameTier:
    """Methods of a project by name, per family of languages."""

    def __init__(self, project: Project):
        self.project = project
        self._methods: dict[tuple[int, str], list[tuple[str, str]]] = {}
        for file in project.files.values():
            for symbol in file.facts.symbols:
                if symbol.type == "method":
                    name = symbol.name.rpartition(".")[2].partition("#")[0]
                    self._methods.setdefault((id(file.policy), name), []).append((file.path, symbol.name))
        self._near: dict[str, frozenset[str]] = {}

    def candidates(self, file: File, name: str, own: str = "") -> list[str]:
        """Ids of the plausible definitions: all of that name but one of the file itself (own); of several, those of the
        same file, else of imported files, else of the same package, where that leaves any."""
        if name in getattr(file.policy, "common", COMMON) or (name.startswith("__") and name.endswith("__")):
            return []
        found = [one for one in self._methods.get((id(file.policy), name), []) if one != (file.path, own)]
        if len(found) > 1:
            for near in (lambda path: path == file.path, self._imported(file).__contains__, self._beside(file)):
                closer = [one for one in found if near(one[0])]
                if closer:
                    found = closer
                    break
        return [f"{path}::{symbol}" for path, symbol in found] if len(found) <= MOST else []

    def _imported(self, file: File) -> frozenset[str]:
        near = self._near.get(file.path)
        if near is None:
            near = self._near[file.path] = frozenset(target for target, *_ in file.policy.imports(file))
        return near

    def _beside(self, file: File):  # type: ignore[no-untyped-def]
        folder = posixpath.dirname(file.path)
        return lambda path: posixpath.dirname(path) == folder
