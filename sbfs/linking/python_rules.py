"""Rules of Python: what happens to values as attributes are seen, properties run, partials called, iterators step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.rules import Call, Load, Place, Store
from sbfs.linking.values import GUESSED, INFERRED, at_least

if TYPE_CHECKING:
    from sbfs.linking.python import Python
    from sbfs.linking.python_classes import Key
    from sbfs.linking.solver import Solver

NO_INSTANCES = frozenset(
    ("bound", "class", "container", "function", "generator", "literal", "module", "package", "super", "text")
)
"""Kinds of values that are no instances of classes of the project."""
PARTIAL = 4
"""Partials of partials that are followed."""


def without_result(call: Call) -> Call:
    """The same call, of which nobody wants the result."""
    if call.result < 0:
        return call
    same = Call(call.unit, call.site, call.callee, call.arguments, call.keywords, -1, call.expression)
    same.texts, same.level = call.texts, call.level
    return same


class Member:
    """An attribute as it is seen through a value."""

    __slots__ = ("index", "name", "policy")

    def __init__(self, policy: Python, index: int, name: str):
        self.policy, self.index, self.name = policy, index, name

    def react(self, solver: Solver, _value: int) -> None:
        """Look it up."""
        self.policy.look_up(solver, self.index, self.name, solver.shared((self.index, self.name), self))


class Bind:
    """A class attribute, as seen through a receiver: functions are bound to it, properties run, descriptors asked."""

    __slots__ = ("definer", "name", "policy", "receiver", "target")

    def __init__(self, policy: Python, receiver: int, definer: Key, name: str, target: int):
        self.policy, self.receiver, self.definer, self.name, self.target = policy, receiver, definer, name, target

    def react(self, solver: Solver, value: int) -> None:
        """By the kind of the attribute's value, and of the receiver."""
        index, level = value >> 2, value & 3
        kind, what = solver.values.kind[index], solver.values.what[index]
        of_instance = solver.values.kind[self.receiver] == "instance"
        if kind == "function" or (kind == "other" and what[0] == "manages"):
            if self.name != "__new__" if of_instance else self.name in ("__init_subclass__", "__class_getitem__"):
                self._bound(solver, index, level)
            else:
                self._from_metaclass(solver, index, value)
        elif kind == "other" and what[0] == "classmethod":
            if of_instance:
                receiver = solver.values.what[self.receiver][0]
                self._bound(solver, what[1], level, receiver)
            else:
                self._bound(solver, what[1], level)
        elif kind == "other" and what[0] == "staticmethod":
            solver.add(self.target, what[1] * 4 + level)
        elif kind == "other" and what[0] == "property":
            if of_instance and what[1] >= 0:
                self._get(solver, what[1], level)
        elif kind == "instance" and self.policy.has(solver, index, "__get__"):
            receiver = solver.fresh()
            solver.add(receiver, self.receiver * 4)
            self.policy.run(solver, self.policy.unit(self.definer[0]), index, "__get__", [receiver], self.target)
        else:
            solver.add(self.target, value)

    def _from_metaclass(self, solver: Solver, index: int, value: int) -> None:
        """A function of a metaclass is bound to the class; one of the class itself is not."""
        if solver.values.kind[self.receiver] == "class" and self.definer not in self.policy.classes.order(
            self.policy.key(solver, self.receiver)
        ):
            solver.add(self.target, solver.values.value("bound", index, self.receiver, level=value & 3))
        else:
            solver.add(self.target, value)

    def _bound(self, solver: Solver, function: int, level: int, receiver: int = -1) -> None:
        receiver, least = self.policy.widened(solver, self.receiver if receiver < 0 else receiver, self.definer)
        solver.add(self.target, solver.values.value("bound", function, receiver, level=max(level, least)))

    def _get(self, solver: Solver, function: int, level: int) -> None:
        receiver, least = self.policy.widened(solver, self.receiver, self.definer)
        call = Call(self.policy.unit(self.definer[0]), -1, -1, [], [], self.target)
        solver.invoke(function, call, max(level, least), first=receiver * 4)
        solver.add(solver.field(self.receiver, f"<get>{self.name}"), function * 4 + level)


class SetProperty:
    """Setting an attribute that is a property runs its setter."""

    __slots__ = ("index", "level", "policy", "store")

    def __init__(self, policy: Python, store: Store, index: int, level: int):
        self.policy, self.store, self.index, self.level = policy, store, index, level

    def react(self, solver: Solver, value: int) -> None:
        """Bind what is stored to the setter."""
        kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
        if kind == "other" and what[0] == "property" and what[2] >= 0:
            level = max(self.level, value & 3)
            call = Call(self.store.unit, self.store.site, -1, [(self.store.source, False)], [], -1)
            solver.invoke(what[2], call, level, first=self.index * 4)
            path, name = solver.values.what[what[2]]
            solver.imply(self.store, f"{path}::{name}", "implicit", level)


class MakeProperty:
    """`property(f)`: the result is a property with this getter."""

    __slots__ = ("level", "result")

    def __init__(self, result: int, level: int):
        self.result, self.level = result, level

    def react(self, solver: Solver, value: int) -> None:
        """For each function that is given."""
        if self.result >= 0 and solver.values.kind[value >> 2] == "function":
            solver.add(
                self.result, solver.values.value("other", "property", value >> 2, -1, level=max(self.level, value & 3))
            )


class ChangeProperty:
    """`@x.setter`: a property like x, with another function for one of its parts."""

    __slots__ = ("index", "level", "result", "word")

    def __init__(self, index: int, word: str, result: int, level: int):
        self.index, self.word, self.result, self.level = index, word, result, level

    def react(self, solver: Solver, value: int) -> None:
        """For each function that is given."""
        if solver.values.kind[value >> 2] != "function":
            return
        _, getter, setter = solver.values.what[self.index]
        if self.word == "property.getter":
            getter = value >> 2
        elif self.word == "property.setter":
            setter = value >> 2
        solver.add(
            self.result, solver.values.value("other", "property", getter, setter, level=max(self.level, value & 3))
        )


class CallPartial:
    """A `functools.partial` is called: its function, with the arguments that it holds before those that are given."""

    __slots__ = ("call", "index", "level", "policy")

    def __init__(self, policy: Python, index: int, call: Call, level: int):
        self.policy, self.index, self.call, self.level = policy, index, call, level

    def react(self, solver: Solver, value: int) -> None:
        """For each function that the partial holds."""
        held = solver.held[self.index]
        if self.call.depth >= PARTIAL:
            return
        call = Call(
            self.call.unit,
            self.call.site,
            solver.field(self.index, "func"),
            [*held.arguments[1:], *self.call.arguments],
            [*held.keywords, *self.call.keywords],
            self.call.result,
        )
        call.level, call.texts = (
            max(self.level, value & 3),
            {place - 1: text for place, text in held.texts.items() if place},
        )
        call.depth = self.call.depth + 1
        solver.called(call)
        self.policy.call(solver, value, call)


class Again:
    """What `__call__` of an instance is, called as the instance was."""

    __slots__ = ("call", "level", "policy")

    def __init__(self, policy: Python, call: Call, level: int):
        self.policy, self.call, self.level = policy, call, level

    def react(self, solver: Solver, value: int) -> None:
        """Call it."""
        self.policy.call(solver, at_least(value, self.level), self.call)


class RunFunction:
    """A special method found by look-up, run with a receiver. flag: of the edge, "" where another names the
    target."""

    __slots__ = ("call", "first", "flag", "level")

    def __init__(self, call: Call, first: int, level: int, flag: str):
        self.call, self.first, self.level, self.flag = call, first, level, flag

    def react(self, solver: Solver, value: int) -> None:
        """Bind the call to it."""
        index, level = value >> 2, max(self.level, value & 3)
        if solver.values.kind[index] == "other" and solver.values.what[index][0] in ("staticmethod", "classmethod"):
            index = solver.values.what[index][1]
        if solver.values.kind[index] == "function":
            solver.invoke(index, self.call, level, first=self.first)
            if self.flag:
                path, name = solver.values.what[index]
                solver.imply(self.call, f"{path}::{name}", self.flag, level)


class Step:
    """What an iterator gives next."""

    __slots__ = ("name", "place", "policy", "target")

    def __init__(self, policy: Python, place: Place, name: str, target: int):
        self.policy, self.place, self.name, self.target = policy, place, name, target

    def react(self, solver: Solver, value: int) -> None:
        """`__next__` of an instance; the elements of anything else."""
        index = value >> 2
        if solver.values.kind[index] == "instance" and self.policy.has(solver, index, self.name):
            self.policy.imply(solver, self.place, index, self.name, [], self.target, value & 3, flag="iteration")
        elif solver.values.kind[index] != "instance":
            self.policy.element(solver, value, self.target, self.place)


class Below:
    """An attribute that a class below gives, seen through a family. What such a method returns stays in it: it would
    reach the callers of the whole family, of which most never meet that class."""

    __slots__ = ("target",)

    def __init__(self, target: int):
        self.target = target

    def react(self, solver: Solver, value: int) -> None:
        """Mark bound functions as such."""
        index, level = value >> 2, max(value & 3, INFERRED)
        if solver.values.kind[index] == "bound":
            function, receiver = solver.values.what[index][:2]
            solver.add(self.target, solver.values.value("bound", function, receiver, "below", level=level))
        else:
            solver.add(self.target, at_least(value, level))


class Loose:
    """A base that only flow tells: look the attribute up there."""

    __slots__ = ("name", "policy", "receiver", "target")

    def __init__(self, policy: Python, receiver: int, name: str, target: int):
        self.policy, self.receiver, self.name, self.target = policy, receiver, name, target

    def react(self, solver: Solver, value: int) -> None:
        """In the order of that base."""
        order = self.policy.classes.order(self.policy.key(solver, value >> 2))
        self.policy.class_attribute(solver, order, self.receiver, self.name, self.target)


class LooseInit:
    """A base that only flow tells: its constructor."""

    __slots__ = ("call", "instance", "level", "policy")

    def __init__(self, policy: Python, instance: int, call: Call, level: int):
        self.policy, self.instance, self.call, self.level = policy, instance, call, level

    def react(self, solver: Solver, value: int) -> None:
        """Run it on the instance."""
        key = self.policy.key(solver, value >> 2)
        definer = self.policy.classes.definer(self.policy.classes.order(key), "__init__")
        if definer is not None:
            method = solver.variable(self.policy.modules.files[definer[0]], f"{definer[1]}:__init__")
            solver.watch(method, RunFunction(self.call, self.instance * 4, max(self.level, value & 3), "constructor"))


class Narrow:
    """A test for classes: of instances of the project's classes those that can pass it, of a family its part that can;
    of the rest, what is no instance of such a class does not pass a test for the project's classes alone."""

    __slots__ = ("inside", "keys", "policy", "target")

    def __init__(self, policy: Python, keys: frozenset[Key], target: int):
        self.policy, self.keys, self.target = policy, keys, target
        self.inside = all(key[0] for key in keys)

    def react(self, solver: Solver, value: int) -> None:
        """Let pass what can."""
        index = value >> 2
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind != "instance":
            if not self.inside or kind not in NO_INSTANCES:
                solver.add(self.target, value)
            return
        classes, key = self.policy.classes, self.policy.key(solver, index)
        order = classes.order(key)
        if not self.keys.isdisjoint(order) or any(one in classes.loose for one in order):
            solver.add(self.target, value)
        elif len(what) > 1:
            for below in sorted(self.keys & classes.descendants(key)):
                part = (
                    self.policy.family(solver, below) if classes.is_wide(below) else self.policy.instance(solver, below)
                )
                solver.add(self.target, part * 4 + max(value & 3, INFERRED))


class SuperOf:
    """`super(class, receiver)`."""

    __slots__ = ("receiver", "result")

    def __init__(self, receiver: int, result: int):
        self.receiver, self.result = receiver, result

    def react(self, solver: Solver, value: int) -> None:
        """For each class, each receiver."""
        if solver.values.kind[value >> 2] == "class" and self.receiver >= 0:
            solver.watch(self.receiver, SuperView(value >> 2, self.result))


class SuperView:
    """The view of a receiver beyond a class."""

    __slots__ = ("index", "result")

    def __init__(self, index: int, result: int):
        self.index, self.result = index, result

    def react(self, solver: Solver, value: int) -> None:
        """Instances and classes have one."""
        if solver.values.kind[value >> 2] in ("instance", "class"):
            solver.add(self.result, solver.values.value("super", self.index, value >> 2, level=value & 3))


class Family:
    """An attribute of which flow says nothing: what ancestors' instances hold, what annotations in class bodies
    say."""

    __slots__ = ("load", "policy")

    def __init__(self, policy: Python, load: Load):
        self.policy, self.load = policy, load

    def react(self, solver: Solver, value: int) -> None:
        """For instances, along the order of look-up."""
        index = value >> 2
        if solver.values.kind[index] != "instance":
            return
        policy, name = self.policy, self.load.name
        for key in policy.classes.order(policy.key(solver, index)):
            if not key[0]:
                continue
            if name in policy.modules.files[key[0]].stored:
                solver.copy(solver.field(policy.instance(solver, key), name), self.load.target, GUESSED)
                if policy.classes.is_wide(key):
                    solver.copy(solver.field(policy.family(solver, key), name), self.load.target, GUESSED)
            told = policy.modules.files[key[0]].variables.get(f"{key[1]}:{name}!")
            if told is not None:
                solver.copy(told, self.load.target, GUESSED)
