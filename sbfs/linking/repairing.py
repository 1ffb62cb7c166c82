"""One change of files, repaired: their tables, what they say, what seeds make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sbfs.linking.flows import FREE, IMPLIED, compile_file, free, functions
from sbfs.linking.python_seeds import class_attributes
from sbfs.linking.repair import Repair
from sbfs.linking.seeds import Grounds, Seed, seeds

if TYPE_CHECKING:
    from sbfs.code.facts import Facts, Symbol
    from sbfs.linking.python_following import Names
    from sbfs.linking.tables import File, Function
    from sbfs.linking.tracked import Tracked


def repaired(solver: Tracked, changed: Mapping[str, Facts]) -> set[str]:
    """Bring a solver along. Returns the files whose links may be others. Raises GaveUp."""
    solver.ready()
    solver.repair = repair = Repair(solver)
    edits = [_edit(repair, solver.project.files[path], changed[path], set(changed)) for path in sorted(changed)]
    for edit in edits:
        _withdraw(repair, edit)
    grounds = _compile(repair, edits)
    for edit in edits:
        _rebind(repair, edit)
    _look_up_again(repair, {name for edit in edits for name in edit.names.asked})
    repair.run(before=True)
    repair.settle()
    files = [edit.file for edit in edits]
    places = {(edit.file.path, name) for edit in edits for name in edit.withdrawn}
    fresh = [seed for seed in seeds(solver, grounds) if seed.place in places]
    solver.keep_seeds(fresh)
    repair.reseed([*fresh, *_concerned(repair, edits)])
    repair.run()
    solver.repair = None
    lost = solver.lose(repair.changed, repair.sources)
    return {file.path for file in files} | repair.files | solver.readers_of(repair.changed | lost)


@dataclass(frozen=True)
class Edit:
    """A file that says something else. kept: its symbols that say the same. withdrawn: all others, as they were and as
    they are. names: those that mean something else now. takes: function → what it took."""

    file: File
    kept: frozenset[str]
    withdrawn: frozenset[str]
    names: Names
    functions: dict[str, Function]
    takes: dict[str, tuple[object, ...]]


def _edit(repair: Repair, file: File, facts: Facts, changed: set[str]) -> Edit:
    """Let a file say something else, as far as tables go."""
    before, functions = file.symbols, dict(file.functions)
    takes = {name: function.takes() for name, function in functions.items()}
    follow = getattr(file.policy, "follow", None)
    if follow is None:
        repair.give_up("a language whose tables are made anew")
    names = follow(file, facts)
    if names is None:
        repair.give_up("more than names")
    for name in names.asked:
        if repair.solver.is_asked(file.policy, name, changed):
            repair.give_up(f"a name that others ask for: {name}")
    kept = frozenset(name for name, symbol in file.symbols.items() if says_the_same(before.get(name), symbol))
    file.functions = {name: function for name, function in functions.items() if name in kept}
    for name, function in file.functions.items():
        function.symbol = file.symbols[name]
    return Edit(file, kept, frozenset((before.keys() | file.symbols.keys()) - kept), names, functions, takes)


def says_the_same(before: Symbol | None, after: Symbol) -> bool:
    """Whether two facts of a symbol differ at most in lines and in what no linking looks at."""
    return before is not None and all(getattr(before, name) == getattr(after, name) for name in LOOKED_AT)


LOOKED_AT = ("name", "type", "visibility", "exported", "flags", "decorators", "bases", "parameters", "flows")
"""What linking looks at of a symbol."""


def _withdraw(repair: Repair, edit: Edit) -> None:
    """Take back what symbols said, and their seeds."""
    solver = repair.solver
    for name in (*edit.withdrawn, FREE, IMPLIED):
        for cause in solver.origins.pop((edit.file.path, name), ()):
            repair.kill(cause)
        edit.file.mentioned.pop(name, None)
        for seed in solver.seeds_of.pop((edit.file.path, name), ()):
            solver.drop_seed(seed)
            planted = solver.planted.pop(seed, None)
            if planted is not None:
                repair.kill(planted)


def _compile(repair: Repair, edits: list[Edit]) -> Grounds:
    """Let files say what they say now. Returns the grounds of their seeds."""
    solver = repair.solver
    loads, calls, hints = len(solver.loads), len(solver.calls), len(solver.hints)
    solver.now = 0
    for edit in edits:
        functions(solver, edit.file)
    for edit in edits:
        for name in edit.withdrawn & edit.file.functions.keys() & edit.functions.keys():
            edit.file.functions[name].give(edit.functions[name].given)  # what is around it may stand
    for edit in edits:
        compile_file(solver, edit.file, edit.kept)
    for edit in edits:
        free(solver, edit.file)
    repair.later()
    files = [edit.file for edit in edits]
    for file in files:
        solver.imports(file)
    solver.keeping.update(class_attributes(files))
    return Grounds(files, solver.loads[loads:], solver.calls[calls:], solver.hints[hints:], whole=False)


def _rebind(repair: Repair, edit: Edit) -> None:
    """Bind calls again to functions that take other things now."""
    for name, function in edit.file.functions.items():
        if name in edit.takes and edit.takes[name] != function.takes():
            repair.again(function.index)


def _look_up_again(repair: Repair, names: Iterable[str]) -> None:
    """Look attributes up again that may be found elsewhere now."""
    for name in names:
        for variable in repair.solver.members.get(name, ()):
            repair.renew(variable)


def _concerned(repair: Repair, edits: list[Edit]) -> list[Seed]:
    """The seeds that depend on what flow says otherwise now; those that name what changed are taken back first."""
    solver = repair.solver
    found: dict[Seed, None] = {}
    for variable in repair.flows:
        found.update(dict.fromkeys(solver.seeds_at.get(variable, ())))
    abouts = {about for edit in edits for about in edit.names.asked | edit.names.guessed}
    abouts |= {edit.file.path for edit in edits if edit.names.asked}
    for about in abouts:
        for seed in solver.seeds_about.get(about, ()):
            if (cause := solver.planted.get(seed)) is not None:
                repair.kill(cause)
                found[seed] = None
    return [*found]
