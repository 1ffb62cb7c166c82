"""Where flow says nothing: receivers of methods that nobody calls, what annotations say, what unknown lists do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sbfs.linking.javascript_library import CALLERS
from sbfs.linking.rules import Call, Load
from sbfs.linking.tables import File, Function, is_body
from sbfs.linking.values import ANY, GUESSED, REST, at_least

if TYPE_CHECKING:
    from sbfs.linking.javascript import JavaScript
    from sbfs.linking.solver import Solver

PARENT, BELOW = "^", "<below>"


def seed(policy: JavaScript, solver: Solver) -> None:
    """Give methods that nobody calls their receivers; ask annotations and interfaces what flow left open."""
    policy.solved = solver
    given = [*_class_receivers(policy, solver), *_receivers(policy, solver), *_holders(policy, solver)]
    undecorated = [(source, out) for source, out in policy.decorated if source >= 0 and not solver.sets[out]]
    loads = [load for load in solver.loads if not solver.sets[load.target] and load.unit.file.policy is policy]
    callers = [call for call in solver.calls if _may_call_back(policy, solver, call)]
    for variable, value in given:
        solver.add(variable, at_least(value, GUESSED))
    for call in callers:
        _call_back(policy, solver, call)
    for source, out in undecorated:
        solver.copy(source, out, GUESSED)
    for load in loads:
        solver.watch(load.base, Family(policy, load))


def _may_call_back(policy: JavaScript, solver: Solver, call: Call) -> bool:
    """Whether nothing is known of a call's receiver, but its name is that of what calls functions."""
    expression = call.expression
    if solver.sets[call.callee] or call.unit.file.policy is not policy or not isinstance(expression, list):
        return False
    return len(expression) == 3 and expression[0] == "attr" and expression[2] in CALLERS


def _call_back(policy: JavaScript, solver: Solver, call: Call) -> None:
    """`list.map(f)` of an unknown list calls f; what it gives is a list of what f gives."""
    result = -1
    if call.expression[2] == "map" and call.result >= 0:
        place = (call.unit.file.path, call.unit.name, "guessed", call.site)
        made = solver.values.index("container", "list", place)
        solver.add(call.result, made * 4 + GUESSED)
        result = solver.field(made, REST)
    for variable, spread in call.arguments:
        if variable >= 0 and not spread:
            policy.callback(solver, call, variable, [], result, level=GUESSED)


def _class_receivers(policy: JavaScript, solver: Solver) -> Iterator[tuple[int, int]]:
    """For what stands in bodies of classes of which nobody makes an instance."""
    for file in policy.files.values():
        for symbol in file.facts.symbols:
            variable = file.variables.get(f"{symbol.name}:<this>")
            if variable is not None and not solver.sets[variable]:
                index = solver.values.index("class", file.path, symbol.name)
                yield variable, solver.values.value("instance", index)


def _receivers(policy: JavaScript, solver: Solver) -> Iterator[tuple[int, int]]:
    """For methods and constructors that nobody calls."""
    for file in policy.files.values():
        for function in list(file.functions.values()):
            if not solver.sets[function.this]:
                value = _receiver(solver, file, function)
                if value >= 0:
                    yield function.this, value


def _receiver(solver: Solver, file: File, function: Function) -> int:
    name = function.symbol.name
    owner_name = name.rpartition(".")[0]
    owner = file.symbols.get(owner_name)
    if owner is not None and function.symbol.type == "method":
        if is_body(owner):
            index = solver.values.index("class", file.path, owner_name)
            return index * 4 if "static" in function.symbol.flags else solver.values.value("instance", index)
        if owner.type in ("function", "component"):
            return solver.values.value("instance", solver.values.index("function", file.path, owner_name))
    elif function.symbol.type == "function" and name.rpartition(".")[2][:1].isupper():
        return solver.values.value("instance", function.index)
    return -1


def _holders(policy: JavaScript, solver: Solver) -> Iterator[tuple[int, int]]:
    """For functions that stand in an object: the object."""
    for (index, name), variable in solver.fields.items():
        if solver.values.kind[index] == "object" and name != ANY:
            for value in solver.sets[variable]:
                function = solver.functions.get(value >> 2)
                if function is not None and function.file.policy is policy and not solver.sets[function.this]:
                    yield function.this, index * 4


def family(policy: JavaScript, solver: Solver, value: int, load: Load) -> None:
    """A member of which flow says nothing: what annotations say; the classes that implement or extend its class."""
    index = value >> 2
    if solver.values.kind[index] != "instance":
        return
    seen: set[int] = set()
    waiting = [solver.values.what[index][0]]
    while waiting:
        maker = waiting.pop()
        if maker in seen or solver.values.kind[maker] not in ("class", "function"):
            continue
        seen.add(maker)
        path, name = solver.values.what[maker]
        told = policy.files[path].variables.get(f"{name}:{load.name}!")
        if told is not None:
            solver.copy(told, load.target, GUESSED)
        waiting.extend(one >> 2 for one in sorted(solver.sets[solver.field(maker, PARENT)]))
    for below in sorted(solver.sets[solver.field(solver.values.what[index][0], BELOW)]):
        instance = solver.values.index("instance", below >> 2)
        solver.copy(policy.member(solver, instance, load.name, load.called), load.target, GUESSED)


class Family:
    """A member of which flow says nothing."""

    __slots__ = ("load", "policy")

    def __init__(self, policy: JavaScript, load: Load):
        self.policy, self.load = policy, load

    def react(self, solver: Solver, value: int) -> None:
        """Ask annotations, and classes below."""
        family(self.policy, solver, value, self.load)
