"""Summaries: what functions of the language, of hosts and of React do with the functions and values they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sbfs.linking.rules import Call, Element, Load, Spill, each, element
from sbfs.linking.values import ANY, INFERRED, KEYS, REST, at_least

if TYPE_CHECKING:
    from sbfs.linking.javascript import JavaScript
    from sbfs.linking.solver import Solver

PARENT = "^"
LISTENERS = frozenset(
    (
        "on",
        "once",
        "addListener",
        "addEventListener",
        "prependListener",
        "prependOnceListener",
        "subscribe",
        "attachEvent",
        "off",
    )
)
WAITERS = frozenset(("then", "catch", "finally"))


class At:
    """A call of something that has a summary."""

    def __init__(self, policy: JavaScript, solver: Solver, call: Call, level: int, receiver: int):
        self.policy, self.solver, self.call, self.level, self.receiver = policy, solver, call, level, receiver

    def argument(self, place: int) -> int:
        """The variable of an argument, a new one where there is none."""
        plain = self.call.arguments[: place + 1]
        if len(plain) > place and plain[place][0] >= 0 and not any(spread for _, spread in plain):
            return plain[place][0]
        return self.solver.fresh()

    def given(self, place: int) -> bool:
        """Whether there is such an argument."""
        return len(self.call.arguments) > place

    def rest(self, start: int) -> list[int]:
        """The variables of all arguments from a place on."""
        return [variable for variable, spread in self.call.arguments[start:] if variable >= 0 and not spread]

    def result(self, variable: int, level: int = 0) -> None:
        """What a variable holds is the call's result."""
        if self.call.result >= 0:
            self.solver.copy(variable, self.call.result, max(level, self.level))

    def value(self, kind: str, *what: Any) -> int:
        """The call's result is a new value. Returns its index."""
        index = self.solver.values.index(kind, *what)
        if self.call.result >= 0:
            self.solver.add(self.call.result, index * 4 + self.level)
        return index

    def made(self, sort: str, word: str = "") -> int:
        """The call's result is a new container. Returns its index."""
        unit = self.call.unit
        return self.value("container", sort, (unit.file.path, unit.name, "made", self.call.site, word))

    def object(self, word: str = "") -> int:
        """The call's result is a new object. Returns its index."""
        unit = self.call.unit
        return self.value("object", (unit.file.path, unit.name, "made", self.call.site, word))

    def field(self, index: int, key: str | int | None = None) -> int:
        """The variable of an element."""
        return self.solver.field(index, element(key))

    def elements(self) -> int:
        """A variable of what the receiver holds."""
        variable = self.solver.fresh()
        if self.receiver >= 0:
            if self.solver.values.kind[self.receiver] == "container":
                each(self.solver, values=1, index=self.receiver, target=variable)
            else:
                self.policy.element(self.solver, self.receiver * 4, variable, self.call)
        return variable

    def itself(self) -> int:
        """A variable that holds the receiver."""
        variable = self.solver.fresh()
        if self.receiver >= 0:
            self.solver.add(variable, self.receiver * 4 + self.level)
        return variable

    def iterate(self, source: int, target: int) -> None:
        """Let what iterating over a variable gives flow into another."""
        if source >= 0 and target >= 0:
            self.solver.watch(source, Element(self.call.unit, self.call.site, target))

    def calls(self, function: int, arguments: list[int], result: int = -1, level: int = INFERRED) -> None:
        """The function that is called calls one that it is given."""
        self.policy.callback(self.solver, self.call, function, arguments, result, level=max(level, self.level))

    def loops(self, arguments: list[int], result: int = -1) -> None:
        """The first argument is called with elements; the second, if there is one, is its receiver."""
        if self.given(1):
            self.solver.watch(self.argument(0), Receiver(self.argument(1)))
        self.calls(self.argument(0), arguments, result)


class Receiver:
    """`forEach(function () {…}, receiver)`: functions get a receiver."""

    __slots__ = ("variable",)

    def __init__(self, variable: int):
        self.variable = variable

    def react(self, solver: Solver, value: int) -> None:
        """Each of them."""
        function = solver.functions.get(value >> 2)
        if function is not None:
            solver.copy(self.variable, function.this, INFERRED)


Summary = Callable[[At], None]


def library(policy: JavaScript, solver: Solver, name: str, call: Call, level: int, receiver: int) -> bool:
    """Do what a summary says, if there is one.

    name: `Array.map`, `setTimeout`, `react.useState`. receiver: index of a value, or -1.
    """
    summary = SUMMARIES.get(name)
    if summary is None:
        last = name.rpartition(".")[2]
        if last in LISTENERS and len(call.arguments) > 1:
            summary = _listen
        elif last in WAITERS and "." in name:
            summary = _wait_outside
        elif last in _EACH and "." in name and receiver < 0:
            summary = _each_outside
    if summary is None:
        return False
    summary(At(policy, solver, call, level, receiver))
    return True


# -- arrays, sets, maps


def _each(at: At) -> None:
    at.loops([at.elements(), -1, at.itself()])


def _map(at: At) -> None:
    at.loops([at.elements(), -1, at.itself()], at.field(at.made("list")))


def _filter(at: At) -> None:
    elements = at.elements()
    at.loops([elements, -1, at.itself()])
    at.solver.copy(elements, at.field(at.made("list")))


def _find(at: At) -> None:
    elements = at.elements()
    at.loops([elements, -1, at.itself()])
    at.result(elements)


def _flat_map(at: At) -> None:
    result = at.solver.fresh()
    target = at.field(at.made("list"))
    at.loops([at.elements(), -1, at.itself()], result)
    at.solver.watch(result, Flat(at, target))


def _flat(at: At) -> None:
    at.solver.watch(at.elements(), Flat(at, at.field(at.made("list"))))


class Flat:
    """A list's elements, or the value itself."""

    __slots__ = ("at", "target")

    def __init__(self, at: At, target: int):
        self.at, self.target = at, target

    def react(self, solver: Solver, value: int) -> None:
        """One level deep."""
        index = value >> 2
        if solver.values.kind[index] == "container":
            each(solver, values=1, index=index, target=self.target, level=value & 3)
        else:
            solver.add(self.target, value)


def _reduce(at: At) -> None:
    elements, so_far = at.elements(), at.solver.fresh()
    at.solver.copy(at.argument(1) if at.given(1) else elements, so_far)
    at.calls(at.argument(0), [so_far, elements, -1, at.itself()], so_far)
    at.result(so_far)


def _sort(at: At) -> None:
    elements = at.elements()
    if at.given(0):
        at.calls(at.argument(0), [elements, elements])
    at.result(at.itself())


def _to_sorted(at: At) -> None:
    elements = at.elements()
    if at.given(0):
        at.calls(at.argument(0), [elements, elements])
    at.solver.copy(elements, at.field(at.made("list")))


def _push(at: At) -> None:
    for variable, spread in at.call.arguments:
        if at.receiver >= 0 and variable >= 0:
            target = at.field(at.receiver)
            if spread:
                at.iterate(variable, target)
            else:
                at.solver.copy(variable, target, at.level)


def _pop(at: At) -> None:
    at.result(at.elements())


def _same_elements(at: At) -> None:
    at.solver.copy(at.elements(), at.field(at.made("list")))


def _splice(at: At) -> None:
    for variable in at.rest(2):
        if at.receiver >= 0:
            at.solver.copy(variable, at.field(at.receiver), at.level)
    _same_elements(at)


def _concat(at: At) -> None:
    target = at.field(at.made("list"))
    at.solver.copy(at.elements(), target)
    for variable in at.rest(0):
        at.solver.watch(variable, Flat(at, target))


def _fill(at: At) -> None:
    if at.receiver >= 0:
        at.solver.copy(at.argument(0), at.field(at.receiver), at.level)
    at.result(at.itself())


def _itself(at: At) -> None:
    at.result(at.itself())


def _entries(at: At) -> None:
    if at.receiver < 0:
        return
    made = at.made("list")
    at.solver.add(at.field(made), at.policy.pairs(at.solver, at.receiver) * 4)


def _array_from(at: At) -> None:
    target = at.field(at.made("list"))
    if at.given(1):
        elements = at.solver.fresh()
        at.iterate(at.argument(0), elements)
        at.calls(at.argument(1), [elements], target)
    else:
        at.iterate(at.argument(0), target)


def _array_of(at: At) -> None:
    made = at.made("list")
    for place, variable in enumerate(at.rest(0)):
        at.solver.copy(variable, at.field(made, place))


def _new_set(at: At) -> None:
    at.iterate(at.argument(0), at.field(at.made("set")))


def _set_add(at: At) -> None:
    _push(at)
    at.result(at.itself())


def _set_each(at: At) -> None:
    elements = at.elements()
    at.loops([elements, elements, at.itself()])


def _new_map(at: At) -> None:
    made = at.made("map")
    pairs = at.solver.fresh()
    at.iterate(at.argument(0), pairs)
    at.solver.watch(pairs, Pair(at, made))


class Pair:
    """A [key, value] list becomes an entry of a map."""

    __slots__ = ("at", "index")

    def __init__(self, at: At, index: int):
        self.at, self.index = at, index

    def react(self, solver: Solver, value: int) -> None:
        """Key and value by their places."""
        index = value >> 2
        if solver.values.kind[index] == "container":
            solver.copy(solver.field(index, element(0)), solver.field(self.index, KEYS), value & 3)
            solver.copy(solver.field(index, element(1)), solver.field(self.index, REST), value & 3)


def _map_set(at: At) -> None:
    if at.receiver >= 0:
        at.solver.copy(at.argument(0), at.solver.field(at.receiver, KEYS), at.level)
        at.solver.copy(at.argument(1), at.field(at.receiver, at.call.texts.get(0)), at.level)
    at.result(at.itself())


def _map_get(at: At) -> None:
    if at.receiver < 0:
        return
    key = at.call.texts.get(0)
    if key is None:
        at.result(at.solver.field(at.receiver, ANY))
    else:
        at.result(at.field(at.receiver, key))
        at.result(at.field(at.receiver))


def _map_each(at: At) -> None:
    if at.receiver >= 0:
        at.loops([at.solver.field(at.receiver, ANY), at.solver.field(at.receiver, KEYS), at.itself()])


def _map_values(at: At) -> None:
    if at.receiver >= 0:
        at.solver.copy(at.solver.field(at.receiver, ANY), at.field(at.made("list")))


def _map_keys(at: At) -> None:
    if at.receiver >= 0:
        at.solver.copy(at.solver.field(at.receiver, KEYS), at.field(at.made("list")))


# -- promises, generators


def _then(at: At) -> None:
    promised, made = at.solver.fresh(), at.made("promise")
    at.policy.awaited(at.solver, at.receiver * 4, promised, at.call)
    outcome = at.solver.fresh()
    at.policy.settle(at.solver, outcome, at.field(made), 0)
    if at.given(0):
        at.calls(at.argument(0), [promised], outcome)
    if at.given(1):
        at.calls(at.argument(1), [at.solver.fresh()], outcome)


def _catch(at: At) -> None:
    promised, made = at.solver.fresh(), at.made("promise")
    at.policy.awaited(at.solver, at.receiver * 4, promised, at.call)
    at.policy.settle(at.solver, promised, at.field(made), 0)
    outcome = at.solver.fresh()
    at.policy.settle(at.solver, outcome, at.field(made), 0)
    at.calls(at.argument(0), [at.solver.fresh()], outcome)


def _finally(at: At) -> None:
    at.calls(at.argument(0), [])
    at.result(at.itself())


def _resolve(at: At) -> None:
    at.policy.settle(at.solver, at.argument(0), at.field(at.made("promise")), 0)


def _all(at: At) -> None:
    made = at.made("promise")
    unit = at.call.unit
    inner = at.solver.values.index("container", "list", (unit.file.path, unit.name, "made", at.call.site, "all"))
    at.solver.add(at.field(made), inner * 4)
    at.solver.watch(at.argument(0), Each(at, inner))


class Each:
    """The elements of a list of promises, each as it is settled, at its place."""

    __slots__ = ("at", "into")

    def __init__(self, at: At, into: int):
        self.at, self.into = at, into

    def react(self, solver: Solver, value: int) -> None:
        """By place where that is known."""
        index = value >> 2
        if solver.values.kind[index] == "container":
            solver.watch_elements(index, EachField(self.at, index, self.into))
        else:
            elements = solver.fresh()
            self.at.policy.element(solver, value, elements, self.at.call)
            self.at.policy.settle(solver, elements, self.at.field(self.into), 0)


class EachField:
    """One element of a list of promises."""

    __slots__ = ("at", "index", "into")

    def __init__(self, at: At, index: int, into: int):
        self.at, self.index, self.into = at, index, into

    def field(self, solver: Solver, name: str) -> None:
        """As it is settled."""
        if name == REST or name[1:].isdigit():
            self.at.policy.settle(solver, solver.field(self.index, name), solver.field(self.into, name), 0)


def _race(at: At) -> None:
    elements = at.solver.fresh()
    at.iterate(at.argument(0), elements)
    at.policy.settle(at.solver, elements, at.field(at.made("promise")), 0)


def _new_promise(at: At) -> None:
    made = at.made("promise")
    resolve, reject = at.solver.fresh(), at.solver.fresh()
    at.solver.add(resolve, at.solver.values.value("other", "resolver", made))
    at.solver.add(reject, at.solver.values.value("other", "rejecter", made))
    at.calls(at.argument(0), [resolve, reject])


def _next(at: At) -> None:
    if at.receiver >= 0:
        at.policy.element(at.solver, at.receiver * 4, at.field(at.object(), "value"), at.call)


# -- objects and functions


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
            from sbfs.linking.rules import Store

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
        from sbfs.linking.rules import Store

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


def _first_argument(at: At) -> None:
    at.result(at.argument(0))


def _from_entries(at: At) -> None:
    made = at.object()
    pairs = at.solver.fresh()
    at.iterate(at.argument(0), pairs)
    at.solver.watch(pairs, Pair(at, made))


def _function_call(at: At) -> None:
    call = at.call
    inner = Call(call.unit, call.site, call.callee, call.arguments[1:], call.keywords, call.result)
    inner.texts = {place - 1: text for place, text in call.texts.items() if place}
    this = call.arguments[0][0] if call.arguments and not call.arguments[0][1] else -1
    at.policy.with_receiver(at.solver, at.receiver, inner, at.level, this)


def _function_apply(at: At) -> None:
    call = at.call
    spread = [(call.arguments[1][0], True)] if len(call.arguments) > 1 else []
    inner = Call(call.unit, call.site, call.callee, spread, [], call.result)
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
        solver.calls.append(inner)
        receiver = call.arguments[1][0] if len(call.arguments) > 1 else -1
        self.at.policy.with_receiver(solver, value >> 2, inner, max(value & 3, self.at.level), receiver)


def _reflect_construct(at: At) -> None:
    call = at.call
    spread = [(call.arguments[1][0], True)] if len(call.arguments) > 1 else []
    inner = Call(call.unit, call.site, at.argument(0), spread, [], call.result)
    inner.new, inner.level = True, INFERRED
    at.solver.calls.append(inner)
    at.solver.watch(inner.callee, inner)


# -- hosts


def _later(at: At) -> None:
    at.calls(at.argument(0), at.rest(2))


def _soon(at: At) -> None:
    at.calls(at.argument(0), at.rest(1))


def _listen(at: At) -> None:
    at.calls(at.argument(1), [at.solver.fresh()])
    at.result(at.itself())


def _wait_outside(at: At) -> None:
    for variable in at.rest(0):
        at.calls(variable, [at.solver.fresh()])
    if at.call.result >= 0:
        at.solver.add(at.call.result, at.solver.values.value("made", "awaited()", level=at.level))


def _each_outside(at: At) -> None:
    for variable in at.rest(0):
        at.calls(variable, [at.solver.fresh()])


def _replace(at: At) -> None:
    at.calls(at.argument(1), [at.solver.fresh()])
    _text(at)


def _text(at: At) -> None:
    at.value("literal", "String")


def _texts(at: At) -> None:
    target = at.field(at.made("list"))
    at.solver.add(target, at.solver.values.value("literal", "String"))


# -- React


def _effect(at: At) -> None:
    cleanup = at.solver.fresh()
    at.calls(at.argument(0), [], cleanup)
    at.calls(cleanup, [])


def _memo_value(at: At) -> None:
    result = at.solver.fresh()
    at.calls(at.argument(0), [], result)
    at.result(result)


def _state(at: At) -> None:
    made = at.made("list")
    state = at.field(made, 0)
    at.solver.copy(at.argument(0), state)
    at.solver.watch(at.argument(0), Lazy(at, state))


class Lazy:
    """A function given as first state is called for it."""

    __slots__ = ("at", "state")

    def __init__(self, at: At, state: int):
        self.at, self.state = at, state

    def react(self, solver: Solver, value: int) -> None:
        """Call it."""
        if solver.values.kind[value >> 2] in ("function", "bound"):
            function = solver.fresh()
            solver.add(function, value)
            self.at.calls(function, [], self.state)


def _reducer(at: At) -> None:
    made = at.made("list")
    state = at.field(made, 0)
    at.solver.copy(at.argument(1), state)
    at.calls(at.argument(0), [state, at.solver.fresh()], state)


def _ref(at: At) -> None:
    at.solver.copy(at.argument(0), at.field(at.object(), "current"))


def _context(at: At) -> None:
    at.solver.copy(at.argument(0), at.field(at.object(), "<context>"))


def _use_context(at: At) -> None:
    at.solver.watch(at.argument(0), Contextual(at))


class Contextual:
    """`useContext(c)`: what the context holds."""

    __slots__ = ("at",)

    def __init__(self, at: At):
        self.at = at

    def react(self, solver: Solver, value: int) -> None:
        """Of a context made here."""
        if solver.values.kind[value >> 2] == "object":
            self.at.result(self.at.field(value >> 2, "<context>"), INFERRED)


def _lazy(at: At) -> None:
    loaded, module = at.solver.fresh(), at.solver.fresh()
    at.calls(at.argument(0), [], loaded)
    at.policy.settle(at.solver, loaded, module, 0)
    if at.call.result >= 0:
        load = Load(at.call.unit, at.call.site, module, "default", at.call.result, called=False)
        at.solver.watch(module, load)


def _create_element(at: At) -> None:
    call = at.call
    inner = Call(call.unit, call.site, at.argument(0), [(variable, False) for variable in at.rest(1)[:1]], [], -1)
    inner.implicit, inner.level = "renders", at.level
    at.solver.calls.append(inner)
    at.solver.watch(inner.callee, inner)


def _nothing(at: At) -> None:
    """Known to do nothing with functions."""


_EACH = frozenset(
    ("forEach", "map", "filter", "find", "some", "every", "reduce", "flatMap", "sortBy", "groupBy", "each")
)
CALLERS = _EACH | LISTENERS | WAITERS | {"findIndex", "findLast", "sort", "toSorted", "reduceRight", "replace"}
"""Names of methods that call what they are given, whatever they are methods of."""
_ARRAY: dict[str, Summary] = {
    "forEach": _each,
    "some": _each,
    "every": _each,
    "findIndex": _each,
    "findLastIndex": _each,
    "map": _map,
    "filter": _filter,
    "find": _find,
    "findLast": _find,
    "flatMap": _flat_map,
    "flat": _flat,
    "reduce": _reduce,
    "reduceRight": _reduce,
    "sort": _sort,
    "toSorted": _to_sorted,
    "push": _push,
    "unshift": _push,
    "pop": _pop,
    "shift": _pop,
    "at": _pop,
    "slice": _same_elements,
    "values": _same_elements,
    "toReversed": _same_elements,
    "with": _same_elements,
    "splice": _splice,
    "concat": _concat,
    "fill": _fill,
    "reverse": _itself,
    "copyWithin": _itself,
    "entries": _entries,
    "from": _array_from,
    "fromAsync": _array_from,
    "of": _array_of,
    "join": _text,
}
_SET: dict[str, Summary] = {
    "add": _set_add,
    "forEach": _set_each,
    "values": _same_elements,
    "keys": _same_elements,
    "entries": _entries,
}
_MAP: dict[str, Summary] = {
    "set": _map_set,
    "get": _map_get,
    "forEach": _map_each,
    "values": _map_values,
    "keys": _map_keys,
    "entries": _entries,
}
_PROMISE: dict[str, Summary] = {
    "then": _then,
    "catch": _catch,
    "finally": _finally,
    "resolve": _resolve,
    "all": _all,
    "allSettled": _nothing,
    "race": _race,
    "any": _race,
}
_OBJECT: dict[str, Summary] = {
    "keys": _object_keys,
    "values": _object_values,
    "entries": _object_entries,
    "assign": _assign,
    "create": _create,
    "defineProperty": _define_property,
    "setPrototypeOf": _set_prototype,
    "getPrototypeOf": _get_prototype,
    "fromEntries": _from_entries,
    "freeze": _first_argument,
    "seal": _first_argument,
    "preventExtensions": _first_argument,
}
_REACT: dict[str, Summary] = {
    "useEffect": _effect,
    "useLayoutEffect": _effect,
    "useInsertionEffect": _effect,
    "useMemo": _memo_value,
    "useCallback": _first_argument,
    "useState": _state,
    "useReducer": _reducer,
    "useRef": _ref,
    "useContext": _use_context,
    "createContext": _context,
    "startTransition": _soon,
    "useImperativeHandle": _listen,
    "memo": _first_argument,
    "forwardRef": _first_argument,
    "lazy": _lazy,
    "createElement": _create_element,
    "cloneElement": _nothing,
}
_STRING = (
    "trim",
    "trimStart",
    "trimEnd",
    "toUpperCase",
    "toLowerCase",
    "slice",
    "substring",
    "substr",
    "padStart",
    "padEnd",
    "repeat",
)
SUMMARIES: dict[str, Summary] = {
    **{f"Array.{name}": summary for name, summary in _ARRAY.items()},
    **{f"Set.{name}": summary for name, summary in _SET.items()},
    **{f"Map.{name}": summary for name, summary in _MAP.items()},
    **{f"Promise.{name}": summary for name, summary in _PROMISE.items()},
    **{f"Object.{name}": summary for name, summary in _OBJECT.items()},
    **{f"react.{name}": summary for name, summary in _REACT.items()},
    **{f"preact.{name}": summary for name, summary in _REACT.items()},
    **{f"String.{name}": _text for name in (*_STRING, "concat", "at", "charAt", "toString", "normalize")},
    "String.replace": _replace,
    "String.replaceAll": _replace,
    "String.split": _texts,
    "String": _text,
    "Array": _array_of,
    "Set": _new_set,
    "WeakSet": _new_set,
    "Map": _new_map,
    "WeakMap": _new_map,
    "Promise": _new_promise,
    "Generator.next": _next,
    "Function.call": _function_call,
    "Function.apply": _function_apply,
    "Function.bind": _function_bind,
    "Reflect.apply": _reflect_apply,
    "Reflect.construct": _reflect_construct,
    "Reflect.getPrototypeOf": _get_prototype,
    "Reflect.setPrototypeOf": _set_prototype,
    "setTimeout": _later,
    "setInterval": _later,
    "setImmediate": _soon,
    "queueMicrotask": _soon,
    "requestAnimationFrame": _soon,
    "requestIdleCallback": _soon,
    "process.nextTick": _soon,
    "structuredClone": _first_argument,
    "util.inherits": _inherits,
    "inherits": _inherits,
    "util.promisify": _first_argument,
}
