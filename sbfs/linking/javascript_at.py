"""A call of what lies outside and has a summary: its arguments, its receiver, its result; the plainest summaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sbfs.linking.rules import Call, Element, each, element
from sbfs.linking.values import INFERRED

if TYPE_CHECKING:
    from sbfs.linking.javascript import JavaScript
    from sbfs.linking.solver import Solver


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


def itself(at: At) -> None:
    """The receiver is what it gives."""
    at.result(at.itself())


def first_argument(at: At) -> None:
    """The first argument is what it gives."""
    at.result(at.argument(0))


def text(at: At) -> None:
    """It gives a text."""
    at.value("literal", "String")


def texts(at: At) -> None:
    """It gives a list of texts."""
    target = at.field(at.made("list"))
    at.solver.add(target, at.solver.values.value("literal", "String"))


def soon(at: At) -> None:
    """The first argument is called, with those after it."""
    at.calls(at.argument(0), at.rest(1))


def listen(at: At) -> None:
    """The second argument is called, with what nobody knows."""
    at.calls(at.argument(1), [at.solver.fresh()])
    at.result(at.itself())


def nothing(at: At) -> None:
    """Known to do nothing with functions."""
