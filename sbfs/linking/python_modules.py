"""Python's modules: dotted names to files, and what a name in a module is."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Literal

from sbfs.linking.tables import File, Project

Found = tuple[Literal["variable"], File, str] | tuple[Literal["module", "package", "external"], str]
"""What a name is: a variable of a file (file, key), a file (path), a folder (its path), or what lies outside
(dotted)."""


class Modules:
    """All modules of a project, found from the folders that Python would look in: the root, `src`, and those
    around a file that are no packages."""

    def __init__(self, project: Project, languages: tuple[str, ...]):
        self.files = {path: file for path, file in project.files.items() if file.language in languages}
        self._folders: set[str] = set()
        for path in self.files:
            folder = posixpath.dirname(path)
            while folder and folder not in self._folders:
                self._folders.add(folder)
                folder = posixpath.dirname(folder)
        self._roots: dict[str, list[str]] = {}
        self._found: dict[tuple[str, str], tuple[str, str] | None] = {}
        self._names_below: dict[str, set[str]] = {}

    def roots(self, folder: str) -> list[str]:
        """The folders in which absolute imports of files in a folder look, as prefixes."""
        found = self._roots.get(folder)
        if found is None:
            found = self._roots[folder] = ["", "src/"]
            while folder:
                if f"{folder}/__init__.py" not in self.files and f"{folder}/" not in found:
                    found.append(f"{folder}/")
                folder = posixpath.dirname(folder)
        return found

    def resolve(self, path: str, spec: str, level: int) -> tuple[str, str] | None:
        """("module", path of the file), ("package", folder), or None for what lies outside."""
        folder = posixpath.dirname(path)
        key = (folder, "." * level + spec)
        if key not in self._found:
            self._found[key] = self._relative(folder, spec, level) if level else self._absolute(folder, spec)
        return self._found[key]

    def _relative(self, folder: str, spec: str, level: int) -> tuple[str, str] | None:
        for _ in range(level - 1):
            folder = posixpath.dirname(folder)
        return self.at(posixpath.join(folder, spec.replace(".", "/")) if spec else folder)

    def _absolute(self, folder: str, spec: str) -> tuple[str, str] | None:
        package = None
        for root in self.roots(folder):
            found = self.at(root + spec.replace(".", "/"))
            if found is not None and found[0] == "module":
                return found
            package = package or found
        return package

    def at(self, place: str) -> tuple[str, str] | None:
        """What stands at a path without its ending: a package before a module, a plain folder last."""
        for path in (f"{place}/__init__.py" if place else "__init__.py", f"{place}.py", f"{place}.pyi"):
            if path in self.files:
                return ("module", path)
        return ("package", place) if place in self._folders else None

    def below(self, path: str, name: str) -> tuple[str, str] | None:
        """The module of a name below a package, given by its `__init__` or its folder."""
        if path.endswith("/__init__.py") or path == "__init__.py":
            return self.at(posixpath.join(posixpath.dirname(path), name))
        return None if path.endswith((".py", ".pyi")) else self.at(f"{path}/{name}")

    def beginning(self, path: str, text: str) -> list[str]:
        """The modules (paths) that a file can import by a name of which only the beginning is known, up to the last dot
        at least: those directly below that package."""
        level = len(text) - len(text.lstrip("."))
        head, dot, start = text[level:].rpartition(".")
        if not level and not dot:
            return []
        package = self.resolve(path, head, level)
        if package is None:
            return []
        folder = package[1].removesuffix("/__init__.py") if package[0] == "module" else package[1]
        found = (self.at(f"{folder}/{name}") for name in self._below(folder) if name.startswith(start))
        return [one[1] for one in found if one is not None and one[0] == "module"]

    def _below(self, folder: str) -> list[str]:
        if not self._names_below:
            for path in self.files:
                place = (
                    path.removesuffix("/__init__.py") if path.endswith("/__init__.py") else posixpath.splitext(path)[0]
                )
                self._names_below.setdefault(posixpath.dirname(place), set()).add(posixpath.basename(place))
        return sorted(self._names_below.get(folder, ()))

    def dotted(self, path: str, spec: str, level: int) -> str:
        """An import's full name, also where no file has it."""
        if not level:
            return spec
        folder = posixpath.dirname(path)
        for _ in range(level - 1):
            folder = posixpath.dirname(folder)
        parts = [part for part in folder.removeprefix("src/").split("/") if part]
        return ".".join([*parts, *([spec] if spec else [])])

    def imported(self, path: str, spec: str, level: int, name: str) -> Found:
        """What an import takes: a module, or a name of one."""
        found = self.resolve(path, spec, level)
        if found is None:
            dotted = self.dotted(path, spec, level)
            if dotted == "builtins":
                dotted = "<builtin>"
            return ("external", f"{dotted}.{name}" if name else dotted)
        if not name:
            return found  # type: ignore[return-value]
        if found[1] == path and (below := self.below(path, name)) is not None:
            return below  # type: ignore[return-value]
        return self.member(found[1], name) or ("external", f"{self.dotted(path, spec, level)}.{name}")

    def member(self, path: str, name: str) -> Found | None:
        """What a name is in a module or a folder: its variable, then what stars bring, then the module below."""
        file = self.files.get(path)
        if file is not None:
            found = list(self._names(file, name, set()))
            for one in found:
                if one[0] != "variable" or one[1] is file or one[2] not in one[1].brought:
                    return one
            if found:
                return self.below(path, name) or found[0]  # type: ignore[return-value]
        below = self.below(path, name)
        if below is not None:
            return below  # type: ignore[return-value]
        return self._outside(file, name) if file is not None else None

    def _names(self, file: File, name: str, seen: set[str]) -> Iterator[Found]:
        if f":{name}" in file.defined:
            yield ("variable", file, f":{name}")
            return
        if file.path in seen:
            return
        seen.add(file.path)
        for spec, level in reversed(file.stars):
            found = self.resolve(file.path, spec, level)
            other = self.files.get(found[1]) if found is not None else None
            if found is None or other is None:
                continue
            exports = other.facts.exports
            if (name in exports) if exports is not None else not name.startswith("_"):
                yield from self._names(other, name, set(seen))
                if exports is not None:
                    below = self.below(other.path, name)
                    if below is not None:
                        yield below  # type: ignore[misc]

    def _outside(self, file: File, name: str) -> Found | None:
        """A name that can only come from the one star import of something outside."""
        outside = [(spec, level) for spec, level in file.stars if self.resolve(file.path, spec, level) is None]
        if len(outside) != 1 or name.startswith("_"):
            return None
        return ("external", f"{self.dotted(file.path, *outside[0])}.{name}")
