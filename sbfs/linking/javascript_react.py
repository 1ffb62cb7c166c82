"""Summaries of React."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.javascript_at import At, Summary, first_argument, listen, nothing, soon
from sbfs.linking.rules import Call, Load
from sbfs.linking.values import INFERRED

if TYPE_CHECKING:
    from sbfs.linking.solver import Solver


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
    at.solver.called(inner)
    at.solver.watch(inner.callee, inner)


_REACT: dict[str, Summary] = {
    "useEffect": _effect,
    "useLayoutEffect": _effect,
    "useInsertionEffect": _effect,
    "useMemo": _memo_value,
    "useCallback": first_argument,
    "useState": _state,
    "useReducer": _reducer,
    "useRef": _ref,
    "useContext": _use_context,
    "createContext": _context,
    "startTransition": soon,
    "useImperativeHandle": listen,
    "memo": first_argument,
    "forwardRef": first_argument,
    "lazy": _lazy,
    "createElement": _create_element,
    "cloneElement": nothing,
}
REACT = {f"{package}.{name}": summary for package in ("react", "preact") for name, summary in _REACT.items()}
