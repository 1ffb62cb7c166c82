"""One change of files, repaired: their tables, what they say, what seeds make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sbfs.linking.flows import compile_file, free, functions
from sbfs.linking.python_seeds import Hidden, Receiver, class_attributes
from sbfs.linking.repair import Repair
from sbfs.linking.seeds import Grounds, Seed, seeds

if TYPE_CHECKING:
    from sbfs.code.facts import Facts
    from sbfs.linking.tables import File, Function
    from sbfs.linking.tracked import Tracked


def repaired(solver: Tracked, changed: Mapping[str, Facts]) -> set[str]:
    """Bring a solver along. Returns the files whose links may be others. Raises GaveUp."""
    solver.ready()
    solver.repair = repair = Repair(solver)
    files = [solver.project.files[path] for path in sorted(changed)]
    takes = {file.path: {function.index: function for function in file.functions.values()} for file in files}
    names: set[str] = set()
    for file in files:
        names |= _followed(repair, file, changed[file.path], set(changed))
    for file in files:
        _withdraw(repair, file)
    grounds = _compile(repair, files)
    for file in files:
        _rebind(repair, takes[file.path], file)
    _look_up_again(repair, names)
    repair.run(before=True)
    repair.settle()
    fresh = [seed for seed in seeds(solver, grounds) if seed.path]
    solver.keep_seeds(fresh)
    repair.reseed([*fresh, *_concerned(repair, files, names)])
    repair.run()
    solver.repair = None
    return {file.path for file in files} | repair.files | solver.readers_of(repair.changed)


def _followed(repair: Repair, file: File, facts: Facts, changed: set[str]) -> set[str]:
    """Bring the tables of the file's language along. Returns the names that mean something else now."""
    follow = getattr(file.policy, "follow", None)
    if follow is None:
        repair.give_up("a language whose tables are made anew")
    names = follow(file, facts)
    if names is None:
        repair.give_up("more than names")
    for name in names:
        if repair.solver.is_asked(file.policy, name, changed):
            repair.give_up(f"a name that others ask for: {name}")
    found: set[str] = names
    return found


def _withdraw(repair: Repair, file: File) -> None:
    """Take back what a file says, and its seeds."""
    solver = repair.solver
    for cause in solver.origins.pop(file.path, ()):
        repair.kill(cause)
    for seed in solver.seeds_of.pop(file.path, ()):
        for variable in seed.asks():
            solver.seeds_at[variable].remove(seed)
        cause = solver.planted.pop(seed, None)
        if cause is not None:
            repair.kill(cause)


def _compile(repair: Repair, files: list[File]) -> Grounds:
    """Let files say what they say now. Returns the grounds of their seeds."""
    solver = repair.solver
    loads, calls, hints = len(solver.loads), len(solver.calls), len(solver.hints)
    solver.now = 0
    for make in (functions, compile_file, free):
        for file in files:
            solver.originate(file.path)
            make(solver, file)
            repair.later()
    solver.keeping.update(class_attributes(files))
    return Grounds(files, solver.loads[loads:], solver.calls[calls:], solver.hints[hints:])


def _rebind(repair: Repair, before: Mapping[int, Function], file: File) -> None:
    """Bind calls again to functions that take other things now."""
    for function in file.functions.values():
        old = before.get(function.index)
        if old is not None and old.takes() != function.takes():
            repair.again(function.index)


def _look_up_again(repair: Repair, names: Iterable[str]) -> None:
    """Look attributes up again that may be found elsewhere now."""
    for name in names:
        for variable in repair.solver.members.get(name, ()):
            repair.renew(variable)


def _concerned(repair: Repair, files: list[File], names: set[str]) -> list[Seed]:
    """The seeds that depend on what flow says otherwise now; those that name what changed are taken back first."""
    solver = repair.solver
    found: dict[Seed, None] = {}
    for variable in repair.flows:
        found.update(dict.fromkeys(solver.seeds_at.get(variable, ())))
    if not names:
        return [*found]
    paths = {file.path for file in files}
    for seed, cause in [*solver.planted.items()]:
        if isinstance(seed, Hidden) and any(key[0] in paths for key in seed.policy.classes.order(seed.key)):
            repair.kill(cause)
            found[seed] = None
        elif isinstance(seed, Receiver) and seed.function.symbol.name.rpartition(".")[2] in names:
            repair.kill(cause)
            found[seed] = None
    return [*found]
