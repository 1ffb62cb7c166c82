"""Forms of the flows that only JavaScript and TypeScript write: `super`, promises, elements of JSX, decorators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sbfs.linking.javascript_rules import Replaced
from sbfs.linking.rules import Call, element
from sbfs.linking.tables import is_body
from sbfs.linking.values import REST

if TYPE_CHECKING:
    from sbfs.linking.flows import Scope
    from sbfs.linking.javascript import JavaScript


def special(policy: JavaScript, scope: Scope, expression: list[Any]) -> int:
    """Forms that only this language writes."""
    solver, kind = scope.solver, expression[0]
    if kind == "self":
        return scope.given("class", scope.file.path, scope.unit.name)
    if kind == "instance":
        return solver.variable(scope.file, f"{scope.unit.name}:<this>")
    if kind == "parent":
        return _parent(scope, expression[1])
    if kind == "promise":
        variable = solver.fresh()
        index = scope.container("promise", variable)
        source = scope.value(expression[1])
        if source >= 0:
            solver.copy(source, solver.field(index, REST))
        return variable
    if kind == "render":
        return _render(scope, expression)
    if kind == "decorate":
        return _decorate(policy, scope, expression)
    return -1


def _parent(scope: Scope, home: str) -> int:
    """`super`: of the class that a method belongs to, seen by the method's receivers."""
    file, solver = scope.file, scope.solver
    symbol = file.symbols.get(home)
    name = home if symbol is not None and is_body(symbol) else home.rpartition(".")[0]
    owner = file.symbols.get(name)
    if owner is None or not is_body(owner):
        return -1
    this = solver.variable(file, f"{name}:<this>" if name == home else f"{home}:this")
    return scope.given("other", "parent", solver.values.index("class", file.path, name), this)


def _render(scope: Scope, expression: list[Any]) -> int:
    solver = scope.solver
    callee = scope.value(expression[2])
    arguments = [(scope.value(one), False) for one in expression[3]]
    call = Call(scope.unit, expression[1], callee if callee >= 0 else solver.fresh(), arguments, [], -1, expression[2])
    call.implicit = "renders"
    solver.called(call)
    solver.watch(call.callee, call)
    return -1


def _decorate(policy: JavaScript, scope: Scope, expression: list[Any]) -> int:
    """A decorator is given a thing, its name, and a descriptor that holds it; what it gives takes the place."""
    solver = scope.solver
    given, key, callee = scope.value(expression[3]), scope.value(expression[4]), scope.value(expression[2])
    descriptor, out = solver.fresh(), solver.fresh()
    index = solver.values.index("object", (scope.file.path, scope.unit.name, "decorator", expression[1]))
    solver.add(descriptor, index * 4)
    if given >= 0:
        solver.copy(given, solver.field(index, element("value")))
        policy.decorated.append((given, out))
    callee = callee if callee >= 0 else solver.fresh()
    result = solver.fresh()
    call = Call(
        scope.unit,
        expression[1],
        callee,
        [(given, False), (key, False), (descriptor, False)],
        [],
        result,
        expression[2],
    )
    solver.called(call)
    solver.watch(callee, call)
    same = -1
    if isinstance(expression[3], list) and expression[3][0] == "func":
        same = solver.values.index("function", scope.file.path, expression[3][1])
    solver.watch(callee, Replaced(policy, given, same, solver.field(index, "<set>value"), result, out))
    return out
