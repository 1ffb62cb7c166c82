"""Linking: facts of all files in, links out."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sbfs.code.facts import Facts
from sbfs.linking.edges import NOTHING_FOUND, Found, Reader, merged
from sbfs.linking.flows import compile_file, functions
from sbfs.linking.links import Edge, Links, Unresolved
from sbfs.linking.policies import policies
from sbfs.linking.seeds import Grounds, seeds
from sbfs.linking.solver import Solver
from sbfs.linking.tables import Project


def solved(facts: Iterable[Facts]) -> Solver:
    """A project whose sets are at the fixpoint."""
    solver = Solver(Project(facts, policies()))
    run(solver)
    solver.rest()
    return solver


def run(solver: Solver) -> None:
    """Make all rules and solve: flow alone, then with what is guessed where it says nothing."""
    files = solver.project.files.values()
    for file in files:
        functions(solver, file)
    for file in files:
        compile_file(solver, file)
    for file in files:
        for key in [key for key in file.variables if key[0] == ":" and key not in file.defined and key[-1] != "!"]:
            file.policy.free(solver, file, key[1:], file.variables[key])
    solver.solve()
    guess(solver)
    solver.solve()


def guess(solver: Solver) -> None:
    """Let annotations, defaults and the policies speak for what flow left empty. All is decided before anything is
    added."""
    grounds = Grounds([*solver.project.files.values()], solver.loads, solver.calls, solver.hints)
    wanted = [seed for seed in seeds(solver, grounds) if seed.wanted(solver)]
    solver.guessing()
    for seed in wanted:
        solver.plant(seed)


def link(facts: Iterable[Facts]) -> Links:
    """The links of a project, from the facts of all its files. The order of the facts does not matter."""
    with without_collection():
        return Reader(solved(facts)).read()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Hold the search for garbage in cycles: it would walk millions of rules again and again, and find none."""
    held = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if held:
            gc.enable()


@dataclass(frozen=True, slots=True)
class Change:
    """What an update does to links. removed, added: edges; one whose lines or confidence change is in both. unresolved:
    file → its unresolved calls now, for each file whose have changed."""

    removed: list[Edge]
    added: list[Edge]
    unresolved: dict[str, list[Unresolved]]


class Linker:
    """Links that follow a project's files: equal, after any updates, to what `link` says of the facts as they are then.

    A change that moves lines, or touches what no value flows through (comments, documentation, constants), is read anew
    in its own files; any other is solved again from all facts, which are held in memory.
    """

    def __init__(self, facts: Iterable[Facts]):
        self._facts = {one.path: one for one in facts}
        self._solve()

    def _solve(self) -> None:
        with without_collection():
            self._solver = solved(self._facts.values())
            self._reader = Reader(self._solver)
            self._found = {path: self._reader.file(path) for path in self._solver.project.files}

    @property
    def links(self) -> Links:
        """Of the project as it is now."""
        return merged(self._found.values())

    def update(self, changed: Mapping[str, Facts | None]) -> Change:
        """Take new facts of some files, None for one that is gone. Returns what that changes."""
        before, self._found = self._found, dict(self._found)
        still = all(is_moved(self._facts.get(path), one) for path, one in changed.items())
        for path, one in changed.items():
            if one is None:
                self._facts.pop(path, None)
            else:
                self._facts[path] = one
        if still:
            for path, one in changed.items():
                file = self._solver.project.files.get(path)
                if one is not None and file is not None:
                    file.renew(one)
                    self._found[path] = self._reader.file(path)
        else:
            self._solve()
        return difference(before, self._found)


def is_moved(before: Facts | None, after: Facts | None) -> bool:
    """Whether two facts of a file differ at most in lines and in what no linking looks at."""
    if before is None or after is None or len(before.symbols) != len(after.symbols):
        return before is after
    whole = ("language", "parse", "mark", "exports", "config")
    if any(getattr(before, name) != getattr(after, name) for name in whole):
        return False
    parts = ("name", "type", "visibility", "exported", "flags", "decorators", "bases", "parameters", "flows")
    for old, new in zip(before.symbols, after.symbols, strict=True):
        if any(getattr(old, name) != getattr(new, name) for name in parts):
            return False
    return [replace(one, line=0) for one in before.imports] == [replace(one, line=0) for one in after.imports]


def difference(before: Mapping[str, Found], after: Mapping[str, Found]) -> Change:
    """What differs between the links of all files then and now."""
    change = Change([], [], {})
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path, NOTHING_FOUND), after.get(path, NOTHING_FOUND)
        if old is new:
            continue
        old_edges, new_edges = (
            {identity(edge): edge for edge in old.edges},
            {identity(edge): edge for edge in new.edges},
        )
        change.removed.extend(edge for key, edge in old_edges.items() if new_edges.get(key) != edge)
        change.added.extend(edge for key, edge in new_edges.items() if old_edges.get(key) != edge)
        if old.unresolved != new.unresolved:
            change.unresolved[path] = new.unresolved
    return change


def identity(edge: Edge) -> tuple[str, str, str, tuple[str, ...]]:
    """What makes an edge the same edge."""
    return edge.source, edge.target, edge.type, edge.flags
