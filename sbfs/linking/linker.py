"""Linking: facts of all files in, links out."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterable, Iterator, Mapping

from sbfs.code.facts import Facts
from sbfs.linking.edges import Reader
from sbfs.linking.flows import compile_file, functions
from sbfs.linking.links import Links
from sbfs.linking.policies import policies
from sbfs.linking.solver import Solver
from sbfs.linking.tables import Project


def solved(facts: Iterable[Facts]) -> Solver:
    """A project whose sets are at the fixpoint."""
    solver = Solver(Project(facts, policies()))
    run(solver)
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
    solver.round += 1
    solver.guessed_from = solver.round
    guess(solver)
    solver.solve()


def guess(solver: Solver) -> None:
    """Let annotations, defaults and the policies speak for what flow left empty. All is decided before anything is
    added."""
    sets = solver.sets
    hints = [(variable, hint) for variable, told in solver.hints if solver.is_blank(variable) for hint in told]
    defaults = [
        (default, variable)
        for function in solver.functions.values()
        for default, variable in function.default_pairs()
        if not sets[variable]
    ]
    for policy in solver.project.in_use:
        policy.seed(solver)
    for variable, hint in hints:
        hint.tell(solver, variable)
    for default, variable in defaults:
        solver.copy(default, variable, 2)


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


class Linker:
    """Links that follow a project's files.

    facts: of all files. links: of the project as it is now.
    """

    def __init__(self, facts: Iterable[Facts]):
        self._facts = {one.path: one for one in facts}
        self.links = link(self._facts.values())

    def update(self, changed: Mapping[str, Facts | None]) -> Links:
        """Take new facts of some files, None for one that is gone. Returns all links, equal to what `link` would
        give."""
        for path, one in changed.items():
            if one is None:
                self._facts.pop(path, None)
            else:
                self._facts[path] = one
        self.links = link(self._facts.values())
        return self.links
