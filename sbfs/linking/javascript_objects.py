"""Summaries of objects and functions: what makes, copies and calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.javascript_at import At, Summary, first_argument
from sbfs.linking.javascript_lists import Pair
from sbfs.linking.rules import Call, Spill, Store, element
from sbfs.linking.values import ANY, INFERRED, at_least

if TYPE_CHECKING:
    from sbfs.linking.solver import Solver


PARENT = "^"


def _object_values(at: At) -> None:
    at.solver.watch(at.argument(0), Values(at, at.made("list"), pairs=False))


def _object_entries(at: At) -> None:
    at.solver.watch(at.argument(0), Values(at, at.made("list"), pairs=True))


class Values:
    """All members of an object, into a list; as [key, value] pairs."""

    __slots__ = ("at", "into", "pairs")

    def __init__(self, at: At, into: int, *, pairs: bool):
        self.at, self.into, self.pairs = at, into, pairs

    def react(self, solver: Solver, value: int) -> None:
        """Of literals, lists and modules."""
        index = value >> 2
        if solver.values.kind[index] not in ("object", "container", "module"):
            return
        if self.pairs:
            solver.add(self.at.field(self.into), self.at.policy.pairs(solver, index) * 4 + (value & 3))
        else:
            solver.copy(solver.field(index, ANY), self.at.field(self.into), value & 3)


def _object_keys(at: At) -> None:
    target = at.field(at.made("list"))
    at.solver.add(target, at.solver.values.value("literal", "String"))


def _assign(at: At) -> None:
    at.result(at.argument(0))
    for source in at.rest(1):
        at.solver.watch(at.argument(0), Assigned(at, source))


class Assigned:
    """`Object.assign(target, source)`: the target gets the members of the source."""

    __slots__ = ("at", "source")

    def __init__(self, at: At, source: int):
        self.at, self.source = at, source

    def react(self, solver: Solver, value: int) -> None:
        """For each target: objects take members by their keys, others one by one."""
        if solver.values.kind[value >> 2] == "object":
            solver.watch(self.source, Spill(self.at.call.unit, self.at.call.site, value >> 2, None, mapping=True))
        else:
            solver.watch(self.source, Mixed(self.at, value))


class Mixed:
    """Members of an object become members of a prototype, a class, an instance."""

    __slots__ = ("at", "index", "target")

    def __init__(self, at: At, target: int, index: int = -1):
        self.at, self.target, self.index = at, target, index

    def react(self, solver: Solver, value: int) -> None:
        """Of an object literal."""
        if solver.values.kind[value >> 2] == "object":
            solver.watch_elements(value >> 2, Mixed(self.at, self.target, value >> 2))

    def field(self, solver: Solver, name: str) -> None:
        """A member is known: store it."""
        if name.startswith("['"):
            call = self.at.call
            self.at.policy.store(
                solver, self.target, Store(call.unit, call.site, name[2:], solver.field(self.index, name))
            )


def _create(at: At) -> None:
    made = at.object("create")
    at.solver.copy(at.argument(0), at.solver.field(made, PARENT))
    if at.given(1):
        at.solver.watch(at.argument(1), Descriptors(at, made))


class Descriptors:
    """`Object.create(p, {name: {value: …}})`."""

    __slots__ = ("at", "index", "into")

    def __init__(self, at: At, into: int, index: int = -1):
        self.at, self.into, self.index = at, into, index

    def react(self, solver: Solver, value: int) -> None:
        """Of an object literal."""
        if solver.values.kind[value >> 2] == "object":
            solver.watch_elements(value >> 2, Descriptors(self.at, self.into, value >> 2))

    def field(self, solver: Solver, name: str) -> None:
        """Each member's descriptor."""
        if name.startswith("['"):
            solver.watch(solver.field(self.index, name), Descriptor(self.at, self.into * 4, name[2:]))


class Descriptor:
    """A descriptor: its `value` becomes a member; its `get` gives one."""

    __slots__ = ("at", "name", "target")

    def __init__(self, at: At, target: int, name: str):
        self.at, self.target, self.name = at, target, name

    def react(self, solver: Solver, value: int) -> None:
        """Store what it describes."""
        if solver.values.kind[value >> 2] != "object":
            return
        call = self.at.call
        held = solver.fresh()
        solver.copy(solver.field(value >> 2, element("value")), held, value & 3)
        getter = Call(call.unit, call.site, solver.field(value >> 2, element("get")), [], [], held)
        solver.watch(getter.callee, getter)
        self.at.policy.store(solver, self.target, Store(call.unit, call.site, self.name, held))


def _define_property(at: At) -> None:
    name = at.call.texts.get(1)
    if name is not None:
        at.solver.watch(at.argument(0), Defined(at, name))
    at.result(at.argument(0))


class Defined:
    """`Object.defineProperty(target, name, descriptor)`, for each target."""

    __slots__ = ("at", "name")

    def __init__(self, at: At, name: str):
        self.at, self.name = at, name

    def react(self, solver: Solver, value: int) -> None:
        """By its descriptors."""
        solver.watch(self.at.argument(2), Descriptor(self.at, value, self.name))


def _set_prototype(at: At) -> None:
    at.solver.watch(at.argument(0), Parented(at.argument(1)))
    at.result(at.argument(0))


class Parented:
    """Each value of a variable gets parents."""

    __slots__ = ("parents", "prototype")

    def __init__(self, parents: int, *, prototype: bool = False):
        self.parents, self.prototype = parents, prototype

    def react(self, solver: Solver, value: int) -> None:
        """Of a constructor: those of its prototype, for `inherits`."""
        index = value >> 2
        if self.prototype:
            index = solver.values.index("other", "prototype", index)
        solver.copy(self.parents, solver.field(index, PARENT), value & 3)


def _inherits(at: At) -> None:
    at.solver.watch(at.argument(0), Parented(at.argument(1), prototype=True))


def _get_prototype(at: At) -> None:
    at.solver.watch(at.argument(0), Above(at))


class Above:
    """`Object.getPrototypeOf`."""

    __slots__ = ("at",)

    def __init__(self, at: At):
        self.at = at

    def react(self, solver: Solver, value: int) -> None:
        """Of an instance, the prototype of what made it."""
        index = value >> 2
        if self.at.call.result < 0:
            return
        if solver.values.kind[index] == "instance":
            above = solver.values.value("other", "prototype", solver.values.what[index][0], level=value & 3)
            solver.add(self.at.call.result, above)
        else:
            solver.copy(solver.field(index, PARENT), self.at.call.result, value & 3)


def _from_entries(at: At) -> None:
    made = at.object()
    pairs = at.solver.fresh()
    at.iterate(at.argument(0), pairs)
    at.solver.watch(pairs, Pair(at, made))


def _function_call(at: At) -> None:
    call = at.call
    inner = Call(call.unit, call.site, call.callee, call.arguments[1:], call.keywords, call.result)
    inner.texts = {place - 1: text for place, text in call.texts.items() if place}
    inner.depth = call.depth
    this = call.arguments[0][0] if call.arguments and not call.arguments[0][1] else -1
    at.policy.with_receiver(at.solver, at.receiver, inner, at.level, this)


def _function_apply(at: At) -> None:
    call = at.call
    spread = [(call.arguments[1][0], True)] if len(call.arguments) > 1 else []
    inner = Call(call.unit, call.site, call.callee, spread, [], call.result)
    inner.depth = call.depth
    this = call.arguments[0][0] if call.arguments else -1
    at.policy.with_receiver(at.solver, at.receiver, inner, at.level, this)


def _function_bind(at: At) -> None:
    call = at.call
    key = (call.unit.file.path, call.unit.name, call.site)
    at.policy.held[key] = call
    this = call.arguments[0][0] if call.arguments and not call.arguments[0][1] else -1
    at.value("other", "held", key, at.receiver, this)


def _reflect_apply(at: At) -> None:
    call = at.call
    at.solver.watch(at.argument(0), Reflected(at, call))


class Reflected:
    """`Reflect.apply(f, receiver, arguments)`, for each f."""

    __slots__ = ("at", "call")

    def __init__(self, at: At, call: Call):
        self.at, self.call = at, call

    def react(self, solver: Solver, value: int) -> None:
        """Call it."""
        call = self.call
        spread = [(call.arguments[2][0], True)] if len(call.arguments) > 2 else []
        target = solver.fresh()
        solver.add(target, at_least(value, INFERRED))
        inner = Call(call.unit, call.site, target, spread, [], call.result)
        inner.depth = call.depth
        solver.called(inner)
        receiver = call.arguments[1][0] if len(call.arguments) > 1 else -1
        self.at.policy.with_receiver(solver, value >> 2, inner, max(value & 3, self.at.level), receiver)


def _reflect_construct(at: At) -> None:
    call = at.call
    spread = [(call.arguments[1][0], True)] if len(call.arguments) > 1 else []
    inner = Call(call.unit, call.site, at.argument(0), spread, [], call.result)
    inner.new, inner.level, inner.depth = True, INFERRED, call.depth
    at.solver.called(inner)
    at.solver.watch(inner.callee, inner)


OBJECTS: dict[str, Summary] = {
    "Object.keys": _object_keys,
    "Object.values": _object_values,
    "Object.entries": _object_entries,
    "Object.assign": _assign,
    "Object.create": _create,
    "Object.defineProperty": _define_property,
    "Object.setPrototypeOf": _set_prototype,
    "Object.getPrototypeOf": _get_prototype,
    "Object.fromEntries": _from_entries,
    "Object.freeze": first_argument,
    "Object.seal": first_argument,
    "Object.preventExtensions": first_argument,
    "Function.call": _function_call,
    "Function.apply": _function_apply,
    "Function.bind": _function_bind,
    "Reflect.apply": _reflect_apply,
    "Reflect.construct": _reflect_construct,
    "Reflect.getPrototypeOf": _get_prototype,
    "Reflect.setPrototypeOf": _set_prototype,
    "util.inherits": _inherits,
    "inherits": _inherits,
}
