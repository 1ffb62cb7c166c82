"""Summaries of promises and generators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.javascript_at import At, Summary, nothing
from sbfs.linking.values import REST

if TYPE_CHECKING:
    from sbfs.linking.solver import Solver


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


PROMISES: dict[str, Summary] = {
    "Promise.then": _then,
    "Promise.catch": _catch,
    "Promise.finally": _finally,
    "Promise.resolve": _resolve,
    "Promise.all": _all,
    "Promise.allSettled": nothing,
    "Promise.race": _race,
    "Promise.any": _race,
    "Promise": _new_promise,
    "Generator.next": _next,
}
