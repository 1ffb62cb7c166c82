"""Linking: facts of all files in, links out."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sbfs.code.facts import Facts
from sbfs.linking.edges import NOTHING_FOUND, Found, Reader, merged
from sbfs.linking.flows import compile_file, free, functions
from sbfs.linking.links import Edge, Links, Unresolved
from sbfs.linking.policies import policies
from sbfs.linking.repair import GaveUp
from sbfs.linking.repairing import repaired, says_the_same
from sbfs.linking.seeds import Grounds, seeds
from sbfs.linking.solver import Solver
from sbfs.linking.tables import Project
from sbfs.linking.tracked import Tracked


def solved(facts: Iterable[Facts]) -> Solver:
    """A project whose sets are at the fixpoint."""
    solver = Solver(Project(facts, policies()))
    run(solver)
    solver.rest()
    return solver


def run(solver: Solver) -> None:
    """Make all rules and solve: flow alone, then with what is guessed where it says nothing."""
    files = solver.project.files.values()
    for make in (functions, compile_file, free):
        for file in files:
            make(solver, file)
    solver.solve()
    guess(solver)
    solver.solve()


def guess(solver: Solver) -> None:
    """Let annotations, defaults and the policies speak for what flow left empty. All is decided before anything is
    added."""
    grounds = Grounds([*solver.project.files.values()], solver.loads, solver.calls, solver.hints, whole=True)
    solver.sow([*seeds(solver, grounds)])


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
    in its own files. Any other is solved again from all facts, which are held in memory, the first time; from then on
    it is kept why things are as they are, and changes are repaired where `repair` can. gave_up: why it could not, the
    last time.
    """

    def __init__(self, facts: Iterable[Facts]):
        self._facts = {one.path: one for one in facts}
        self.gave_up = ""
        self._reader = self._solved(Solver)
        self._found = self._read_all()

    def _solved(self, kind: type[Solver]) -> Reader:
        with without_collection():
            solver = kind(Project(self._facts.values(), policies()))
            run(solver)
            solver.rest()
            if isinstance(solver, Tracked):
                solver.ready()
            return Reader(solver)

    def _read_all(self) -> dict[str, Found]:
        with without_collection():
            return {path: self._reader.file(path) for path in self._reader.project.files}

    @property
    def links(self) -> Links:
        """Of the project as it is now."""
        return merged(self._found.values())

    def update(self, changed: Mapping[str, Facts | None]) -> Change:
        """Take new facts of some files, None for one that is gone. Returns what that changes."""
        before, self._found = self._found, dict(self._found)
        kept = {path: one for path, one in changed.items() if not is_moved(self._facts.get(path), one)}
        for path, one in changed.items():
            if one is None:
                self._facts.pop(path, None)
            else:
                self._facts[path] = one
        again = set(changed) if not kept else self._repaired(kept)
        if again is None:
            self._reader.solver.release()  # two at once would take too much memory
            self._reader = self._solved(Tracked)
            self._found = self._read_all()
        else:
            files = self._reader.project.files
            for path, one in changed.items():
                if one is not None and path in files and path not in kept:
                    files[path].renew(one)
            for path in again | set(changed):
                if path in files:
                    self._found[path] = self._reader.file(path)
        return difference(before, self._found)

    def _repaired(self, changed: Mapping[str, Facts | None]) -> set[str] | None:
        """Repair what other facts change. Returns the files whose links to read again; None where all must be solved
        again."""
        solver = self._reader.solver
        whole = {path: one for path, one in changed.items() if one is not None and path in solver.project.files}
        if not isinstance(solver, Tracked):
            return None
        if len(whole) != len(changed):
            self.gave_up = "files that come or go"
            return None
        if solver.is_worn():
            self.gave_up = "many changes before"
            return None
        try:
            with without_collection():
                found = repaired(solver, whole)
        except GaveUp as why:
            self.gave_up = str(why)
            return None
        for path in whole:
            self._reader.names.renew(solver.project.files[path])
        return found


def is_moved(before: Facts | None, after: Facts | None) -> bool:
    """Whether two facts of a file differ at most in lines and in what no linking looks at."""
    if before is None or after is None or len(before.symbols) != len(after.symbols):
        return before is after
    whole = ("language", "parse", "mark", "exports", "config")
    if any(getattr(before, name) != getattr(after, name) for name in whole):
        return False
    if not all(map(says_the_same, before.symbols, after.symbols)):
        return False
    return [replace(one, line=0) for one in before.imports] == [replace(one, line=0) for one in after.imports]


def difference(before: Mapping[str, Found], after: Mapping[str, Found]) -> Change:
    """What differs between the links of all files then and now."""
    change = Change([], [], {})
    for path in sorted(path for path in before.keys() | after.keys() if before.get(path) is not after.get(path)):
        old, new = before.get(path, NOTHING_FOUND), after.get(path, NOTHING_FOUND)
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
