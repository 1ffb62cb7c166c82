"""The tier of names: where flow knows nothing of a receiver, the project's methods of that name. Its edges never
feed values."""

from __future__ import annotations

import functools
import re

from sbfs.code.facts import Symbol
from sbfs.linking.python_names import COMMON
from sbfs.linking.tables import File, Project

_WORDS = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")

MOST = 8
"""Candidates beyond this say nothing, and are left out."""


class NameTier:
    """Methods of a project by name, per family of languages."""

    def __init__(self, project: Project):
        self.project = project
        self._methods: dict[tuple[int, str], list[tuple[str, str]]] = {}
        self._imports: dict[str, frozenset[str]] = {}
        self._names: dict[str, list[tuple[str, str]]] = {}
        self._called: dict[tuple[int, str, str], list[tuple[str, str]]] = {}
        for file in project.files.values():
            self._names[file.path] = names = _methods(file)
            self._add(file, names)

    def _add(self, file: File, names: list[tuple[str, str]]) -> None:
        for name, symbol in names:
            self._methods.setdefault((id(file.policy), name), []).append((file.path, symbol))

    def renew(self, file: File) -> None:
        """A file says something else."""
        self._imports.pop(file.path, None)
        before, after = self._names[file.path], _methods(file)
        if before != after:
            for name, symbol in before:
                self._methods[id(file.policy), name].remove((file.path, symbol))
            self._add(file, after)
            self._names[file.path] = after
            self._called.clear()

    def candidates(self, file: File, name: str, receiver: str, own: str = "") -> list[str]:
        """Ids of the plausible definitions: all of that name but one of the file itself (own). Of several, the only one
        whose class is called as the receiver is; else those of the same file, of imported files, of the same package,
        where that leaves some: one alone it would single out by chance as often as not."""
        if name in getattr(file.policy, "common", COMMON) or (name.startswith("__") and name.endswith("__")):
            return []
        found = [one for one in self._methods.get((id(file.policy), name), []) if one != (file.path, own)]
        if len(found) > 1:
            word = (_words(receiver) or [""])[-1]
            called = self._called_ones(id(file.policy), name, word)
            alone = len(called) == 1 and called[0] != (file.path, own)
            found = called if alone else self._near_ones(file, found)
        return [f"{path}::{symbol}" for path, symbol in found] if len(found) <= MOST else []

    def _called_ones(self, family: int, name: str, word: str) -> list[tuple[str, str]]:
        key = (family, name, word)
        called = self._called.get(key)
        if called is None:
            found = self._methods[family, name]
            called = [one for one in found if _is_called(one[1].rpartition(".")[0].rpartition(".")[2], word)]
            self._called[key] = called
        return called

    def _near_ones(self, file: File, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
        for near in (lambda path: path == file.path, self._imported(file).__contains__, self._beside(file)):
            closer = [one for one in found if near(one[0])]
            if closer:
                return closer if len(closer) > 1 else found
        return found

    def _imported(self, file: File) -> frozenset[str]:
        near = self._imports.get(file.path)
        if near is None:
            near = self._imports[file.path] = frozenset(target for target, *_ in file.policy.imports(file))
        return near

    def _beside(self, file: File):  # type: ignore[no-untyped-def]
        folder = file.path.rpartition("/")[0]
        return lambda path: path.rpartition("/")[0] == folder


def _is_protocol(owner: Symbol | None) -> bool:
    """Whether the methods of a class only say what others have."""
    return owner is not None and any(base.partition("[")[0].endswith("Protocol") for base in owner.bases)


def _is_called(owner: str, word: str) -> bool:
    """Whether a class's name has a word, also as its end: `Subprocess` is a process."""
    return word in _words(owner) or (len(word) > 2 and owner.lower().removesuffix("s").endswith(word))


@functools.lru_cache(maxsize=65536)
def _words(name: str) -> list[str]:
    """The words of a name, small, without the s of many: `HTTPHandlers` → http, handler."""
    return [word.lower().removesuffix("s") for word in _WORDS.findall(name)]


def _methods(file: File) -> list[tuple[str, str]]:
    """(name, symbol) of the methods of a file, but of protocols."""
    return [
        (symbol.name.rpartition(".")[2].partition("#")[0], symbol.name)
        for symbol in file.facts.symbols
        if symbol.type == "method" and not _is_protocol(file.symbols.get(file.around(symbol.name)))
    ]
