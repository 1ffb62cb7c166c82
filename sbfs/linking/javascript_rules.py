"""Rules that only JavaScript needs: for each value that a look-up along prototypes, a promise or a decorator meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.rules import Call, Load, Place, Store
from sbfs.linking.values import ANY, INFERRED, at_least

if TYPE_CHECKING:
    from sbfs.linking.javascript import JavaScript
    from sbfs.linking.solver import Solver

PARENT = "^"
NESTED = 3
"""Promises of promises that are gone through."""


class Take:
    """A member as seen through a receiver: an accessor runs; a function that is called is bound to the receiver."""

    __slots__ = ("called", "index", "name", "policy", "target")

    def __init__(self, policy: JavaScript, index: int, name: str, target: int, called: bool):
        self.policy, self.index, self.name, self.target, self.called = policy, index, name, target, called

    def react(self, solver: Solver, value: int) -> None:
        """Functions of the project and methods outside are bound, anything else is what it is."""
        kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
        if kind == "other" and what[0] == "beyond":
            if not self.called:
                return
            value = solver.values.value("external", what[1], level=value & 3)
        function = solver.functions.get(value >> 2)
        if function is not None:
            flags = function.symbol.flags
            if "setter" in flags:
                return
            if "property" in flags:
                unit = self.policy.unit(function.file.path)
                self.policy.run(solver, value >> 2, Call(unit, -1, -1, [], [], self.target), value & 3, self.index * 4)
                solver.add(solver.field(self.index, f"<get>{self.name}"), value)
                return
        if self.called and (function is not None or solver.values.kind[value >> 2] == "external"):
            value = solver.values.value("bound", value >> 2, self.index, level=value & 3)
        solver.add(self.target, value)


class RunSetter:
    """Setting a member that is an accessor runs it."""

    __slots__ = ("index", "level", "name", "policy", "store")

    def __init__(self, policy: JavaScript, index: int, store: Store, level: int):
        self.policy, self.index, self.store, self.level, self.name = policy, index, store, level, store.name

    def react(self, solver: Solver, value: int) -> None:
        """Bind what is stored."""
        function = solver.functions.get(value >> 2)
        if function is None or "setter" not in function.symbol.flags:
            return
        level = max(self.level, value & 3)
        call = Call(self.store.unit, self.store.site, -1, [(self.store.source, False)], [], -1)
        self.policy.run(solver, value >> 2, call, level, self.index * 4)
        solver.imply(self.store, f"{function.file.path}::{function.symbol.name}", "implicit", level)


class Up:
    """The search goes on above: in what is extended, in a prototype. statics: of classes as objects."""

    __slots__ = ("name", "policy", "statics", "target")

    def __init__(self, policy: JavaScript, name: str, target: int, *, statics: bool = False):
        self.policy, self.name, self.target, self.statics = policy, name, target, statics

    def react(self, solver: Solver, value: int) -> None:
        """By what it is."""
        if not self.statics and solver.values.kind[value >> 2] in ("class", "function", "external"):
            found = self.policy.inherited(solver, value >> 2, self.name)
        else:
            found = self.policy.raw(solver, value >> 2, self.name)
        solver.copy(found, self.target, value & 3)


class View:
    """`super.name`: for each receiver of the method, the member above its class."""

    __slots__ = ("called", "index", "level", "name", "policy", "target")

    def __init__(self, policy: JavaScript, index: int, name: str, target: int, called: bool, level: int):
        self.policy, self.index, self.name, self.target, self.called = policy, index, name, target, called
        self.level = level

    def react(self, solver: Solver, value: int) -> None:
        """Look it up above the class."""
        found, target = solver.fresh(), solver.fresh()
        statics = solver.values.kind[value >> 2] == "class"
        solver.watch(solver.field(self.index, PARENT), Up(self.policy, self.name, found, statics=statics))
        solver.watch(found, Take(self.policy, value >> 2, self.name, target, self.called))
        solver.copy(target, self.target, max(value & 3, self.level))


class UpConstructor:
    """`super(…)`: for each receiver, the constructor above."""

    __slots__ = ("call", "index", "level", "policy")

    def __init__(self, policy: JavaScript, index: int, call: Call, level: int):
        self.policy, self.index, self.call, self.level = policy, index, call, level

    def react(self, solver: Solver, value: int) -> None:
        """Run it on the receiver."""
        found = solver.fresh()
        solver.watch(solver.field(self.index, PARENT), Extend(self.policy, found))
        solver.watch(found, RunMethod(self.policy, self.call, max(self.level, value & 3), value))


class Extend:
    """A class above: its constructor."""

    __slots__ = ("policy", "target")

    def __init__(self, policy: JavaScript, target: int):
        self.policy, self.target = policy, target

    def react(self, solver: Solver, value: int) -> None:
        """Take it."""
        solver.copy(self.policy.constructor(solver, value >> 2), self.target, value & 3)


class Implement:
    """A class says that it implements an interface."""

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index

    def react(self, solver: Solver, value: int) -> None:
        """Remember it at the interface and at the class."""
        if solver.values.kind[value >> 2] in ("class", "function", "external"):
            solver.add(solver.field(value >> 2, "<below>"), self.index * 4 + INFERRED)
            solver.add(solver.field(self.index, "<implements>"), value)


class RunMethod:
    """Each function that a variable holds runs with a receiver (or the one that it is bound to)."""

    __slots__ = ("call", "level", "policy", "receiver")

    def __init__(self, policy: JavaScript, call: Call, level: int, receiver: int = -1):
        self.policy, self.call, self.level, self.receiver = policy, call, level, receiver

    def react(self, solver: Solver, value: int) -> None:
        """Bind the call to it."""
        index, receiver = value >> 2, self.receiver
        if solver.values.kind[index] == "bound":
            index, receiver = solver.values.what[index][0], solver.values.what[index][1] * 4
        if index in solver.functions:
            solver.invoke(index, self.call, max(self.level, value & 3), this=receiver)


class Borrow:
    """A method outside is called with `call` or `apply`: by what its receiver is."""

    __slots__ = ("call", "dotted", "level", "policy")

    def __init__(self, policy: JavaScript, dotted: str, call: Call, level: int):
        self.policy, self.dotted, self.call, self.level = policy, dotted, call, level

    def react(self, solver: Solver, value: int) -> None:
        """Call it."""
        self.policy.outside(solver, self.dotted, self.call, max(self.level, value & 3), value >> 2)


class ItemOf:
    """An element, by a key, of what a module's `module.exports` is."""

    __slots__ = ("key", "place", "policy", "target")

    def __init__(self, policy: JavaScript, key: str | int | None, target: int, place: Place):
        self.policy, self.key, self.target, self.place = policy, key, target, place

    def react(self, solver: Solver, value: int) -> None:
        """Take it."""
        if solver.values.kind[value >> 2] == "object":
            solver.copy(solver.field(value >> 2, ANY), self.target, value & 3)


class Iterated:
    """A call that iteration makes without its being written."""

    __slots__ = ("place",)

    def __init__(self, place: Place):
        self.place = place

    def react(self, solver: Solver, value: int) -> None:
        """Note it."""
        index = value >> 2
        if solver.values.kind[index] == "bound":
            index = solver.values.what[index][0]
        function = solver.functions.get(index)
        if function is not None:
            solver.imply(self.place, f"{function.file.path}::{function.symbol.name}", "iteration", value & 3)


class Next:
    """What an iterator gives, step by step."""

    __slots__ = ("place", "policy", "target")

    def __init__(self, policy: JavaScript, place: Place, target: int):
        self.policy, self.place, self.target = policy, place, target

    def react(self, solver: Solver, value: int) -> None:
        """A generator's yields, a list's elements, the `value` of what `next` returns."""
        index = value >> 2
        if solver.values.kind[index] not in ("object", "instance"):
            self.policy.element(solver, value, self.target, self.place)
            return
        result = solver.fresh()
        step = Call(
            self.place.unit, self.place.site, self.policy.member(solver, index, "next", called=True), [], [], result
        )
        solver.watch(step.callee, step)
        solver.watch(step.callee, Iterated(self.place))
        solver.watch(result, Load(self.place.unit, self.place.site, result, "value", self.target, called=False))


class Handlers:
    """The host's own element is given handlers: it will call them."""

    __slots__ = ("call", "policy")

    def __init__(self, policy: JavaScript, call: Call):
        self.policy, self.call = policy, call

    def react(self, solver: Solver, value: int) -> None:
        """All members of the object are handlers."""
        if solver.values.kind[value >> 2] == "object":
            solver.watch(solver.field(value >> 2, ANY), Handler(self.policy, self.call))


class Handler:
    """A handler of the host's own element."""

    __slots__ = ("call", "policy")

    def __init__(self, policy: JavaScript, call: Call):
        self.policy, self.call = policy, call

    def react(self, solver: Solver, value: int) -> None:
        """It is called, though nobody writes that."""
        index = value >> 2
        receiver = -1
        if solver.values.kind[index] == "bound":
            index, receiver = solver.values.what[index][0], solver.values.what[index][1] * 4
        elif solver.values.kind[index] == "other" and solver.values.what[index][0] == "held":
            index = solver.values.what[index][2]
        function = solver.functions.get(index)
        if function is None:
            return
        self.policy.run(solver, index, Call(self.call.unit, self.call.site, -1, [], [], -1), INFERRED, receiver)
        solver.imply(self.call, f"{function.file.path}::{function.symbol.name}", "implicit", INFERRED)


class Resolve:
    """Values on their way out of a promise."""

    __slots__ = ("depth", "level", "target")

    def __init__(self, target: int, level: int = 0, depth: int = 0):
        self.target, self.level, self.depth = target, level, depth

    def react(self, solver: Solver, value: int) -> None:
        """A promise gives what it promises, anything else itself."""
        index = value >> 2
        if solver.values.kind[index] == "container" and solver.values.what[index][0] == "promise":
            if self.depth < NESTED:
                inner = Resolve(self.target, max(self.level, value & 3), self.depth + 1)
                solver.watch(solver.field(index, ANY), inner)
            return
        solver.add(self.target, at_least(value, self.level))


class PassComponent:
    """An unknown wrapper is given a component: it passes it on."""

    __slots__ = ("result",)

    def __init__(self, result: int):
        self.result = result

    def react(self, solver: Solver, value: int) -> None:
        """Components only."""
        kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
        if kind in ("class", "function"):
            symbol = solver.project.files[what[0]].symbols.get(what[1])
            if symbol is not None and symbol.type == "component":
                solver.add(self.result, at_least(value, INFERRED))


class Replaced:
    """What a decorator makes of a thing: what it returns, what it puts into the descriptor, or the thing itself."""

    __slots__ = ("descriptor", "given", "out", "policy", "result", "same")

    def __init__(self, policy: JavaScript, given: int, same: int, descriptor: int, result: int, out: int):
        self.policy, self.given, self.same, self.descriptor, self.result, self.out = (
            policy,
            given,
            same,
            descriptor,
            result,
            out,
        )

    def react(self, solver: Solver, value: int) -> None:
        """As far as the decorator's own text tells."""
        index = value >> 2
        if solver.values.kind[index] == "bound":
            index = solver.values.what[index][0]
        function = solver.functions.get(index)
        if function is None:
            if self.given >= 0:
                solver.copy(self.given, self.out, INFERRED)
            return
        flows = function.symbol.flows
        returns = any(flow[0] == "return" for flow in flows)
        sets = any(
            flow[0] == "=" and isinstance(flow[1], list) and flow[1][0] == "attr" and flow[1][2] == "value"
            for flow in flows
        )
        if returns:
            solver.copy(self.result, self.out)
            solver.watch(self.result, Described(self.out, self.same))
        if sets:
            solver.watch(self.descriptor, Other(self.out, self.same))
        if not returns and not sets and self.given >= 0:
            solver.copy(self.given, self.out)


class Other:
    """All values but one."""

    __slots__ = ("index", "target")

    def __init__(self, target: int, index: int):
        self.target, self.index = target, index

    def react(self, solver: Solver, value: int) -> None:
        """Pass it on."""
        if value >> 2 != self.index:
            solver.add(self.target, value)


class Described:
    """A descriptor that a decorator returns: its `value`."""

    __slots__ = ("index", "target")

    def __init__(self, target: int, index: int):
        self.target, self.index = target, index

    def react(self, solver: Solver, value: int) -> None:
        """Take it."""
        if solver.values.kind[value >> 2] == "object":
            solver.watch(solver.field(value >> 2, "['value"), Other(self.target, self.index))
