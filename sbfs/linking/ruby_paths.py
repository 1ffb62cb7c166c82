"""Which file a Ruby file requires, which it needs by a constant's name, and what its classes build on."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sbfs.code.ruby_names import underscored
from sbfs.linking.ruby_classes import CORE, Classes, RubyClass

if TYPE_CHECKING:
    from sbfs.linking.tables import File

Imported = tuple[str, int, str, tuple[str, ...]]
Extended = tuple[str, str, tuple[str, ...]]
ALWAYS = ("lib", "", "spec", "test", "ext")
"""Load paths that a project of any form has, in order."""


class Paths:
    """The project's load paths: `lib`, what gemspecs and settings say, and Rails' `app/*` with their `concerns`."""

    def __init__(self, files: dict[str, File]) -> None:
        self.files = files
        self.acronyms = sorted({one for file in files.values() for one in file.facts.config.get("acronyms", ())})
        roots: dict[str, None] = {}
        for path, file in files.items():
            folder = posixpath.dirname(path)
            said = file.facts.config
            if path.endswith(".gemspec"):
                for one in said.get("require_paths") or ["lib"]:
                    roots[_join(folder, one)] = None
            for one in [*said.get("load_paths", ()), *said.get("autoload_paths", ())]:
                roots[_join(folder, one)] = None
                roots[_join("", one)] = None
            parts = path.split("/")
            for place in [number for number, part in enumerate(parts[:-2]) if part == "app"]:
                root = "/".join(parts[: place + 2])
                roots[root] = None
                if parts[place + 2 : place + 3] == ["concerns"]:
                    roots[f"{root}/concerns"] = None
        self.roots = [*ALWAYS, *sorted(root for root in roots if root not in ALWAYS)]

    def required(self, path: str, spec: str) -> str | None:
        """The file that a spec names from a file, None for what lies outside."""
        if spec.startswith(("./", "../")):
            return self._file(_join(posixpath.dirname(path), spec))
        for root in self.roots:
            if (found := self._file(_join(root, spec))) is not None:
                return found
        # `load "tasks/x.rake"` is from where the program runs, mostly the project; a gem of many may lie deeper.
        return None

    def _file(self, path: str) -> str | None:
        for found in (f"{path}.rb", path):
            if found in self.files:
                return found
        return None


def _join(folder: str, path: str) -> str:
    found = posixpath.normpath(posixpath.join(folder, path))
    return "" if found == "." else found


def imports(paths: Paths, classes: Classes, file: File) -> list[Imported]:
    """(path or `ext::name`, line, symbol, flags) of all that a file requires, or needs by a constant's name."""
    found: dict[Imported, None] = {}
    required = set()
    for one in file.facts.imports:
        target = paths.required(file.path, one.spec)
        required.add(target)
        found[target if target is not None else f"ext::{one.spec}", one.line, one.owner, ()] = None
    for name, line, owner in _constants(classes, file):
        target = _home(paths, name)
        if target != file.path and target not in required:
            found[target, line, owner, ()] = None
    return list(found)


def _constants(classes: Classes, file: File) -> Iterator[tuple[RubyClass, int, str]]:
    for symbol in file.facts.symbols:
        for flow, line in zip(symbol.flows, symbol.flow_lines, strict=True):
            for expression in _parts(flow):
                found = classes.static(expression)
                if isinstance(found, RubyClass) and not any(site[0].path == file.path for site in found.sites):
                    yield found, line, symbol.name


def _parts(flow: list[Any]) -> Iterator[Any]:
    """Constants in a statement, whole paths rather than their beginnings."""
    waiting: list[Any] = list(flow)
    while waiting:
        one = waiting.pop()
        if not isinstance(one, list) or not one:
            continue
        if _is_constant(one):
            yield one
        waiting.extend(part for part in one if isinstance(part, list))


def _is_constant(one: list[Any]) -> bool:
    """Whether a list is a form, not a pair of a keyword and its value."""
    if len(one) < 3:
        return False
    return (one[0] == "const" and isinstance(one[1], str)) or (
        one[0] == "attr" and isinstance(one[2], str) and one[2][:1].isupper()
    )


def _home(paths: Paths, one: RubyClass) -> str:
    """The file that defines a class: by Rails' convention the one named after it, else the first."""
    name = underscored(one.full, paths.acronyms)
    for file, _ in one.sites:
        if file.path.removesuffix(".rb").endswith(name):
            return file.path
    return one.sites[0][0].path


def extends(classes: Classes, file: File) -> list[Extended]:
    """(symbol, id of what it builds on, flags) of all classes and modules of a file."""
    found: dict[Extended, None] = {}
    for symbol in file.facts.symbols:
        for flow in symbol.flows:
            if flow[0] == "=" and isinstance(flow[2], list) and flow[2] and flow[2][0] == "class":
                for base in flow[2][2]:
                    _note(found, flow[2][1], classes.static(base), ())
            elif flow[0] == "include" and symbol.name and flow[1] in ("include", "prepend", "extend"):
                _note(found, symbol.name, classes.static(flow[2]), ("mixin",))
    return [one for one in found if one[0] in file.symbols]


def _note(found: dict[Extended, None], name: str, base: Any, flags: tuple[str, ...]) -> None:
    if isinstance(base, RubyClass):
        file, symbol = base.sites[0]
        found[name, f"{file.path}::{symbol}", flags] = None
    elif isinstance(base, str):
        dotted = base.replace("::", ".")
        found[name, f"ext::<builtin>.{dotted}" if base in CORE else f"ext::{dotted}", flags] = None
