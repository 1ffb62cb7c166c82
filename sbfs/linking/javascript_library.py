"""Summaries: what functions of the language, of hosts and of React do with the functions and values they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.javascript_at import At, Summary, first_argument, listen, soon, text, texts
from sbfs.linking.javascript_lists import LISTS
from sbfs.linking.javascript_objects import OBJECTS
from sbfs.linking.javascript_promises import PROMISES
from sbfs.linking.javascript_react import REACT
from sbfs.linking.rules import Call

if TYPE_CHECKING:
    from sbfs.linking.javascript import JavaScript
    from sbfs.linking.solver import Solver


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


def library(policy: JavaScript, solver: Solver, name: str, call: Call, level: int, receiver: int) -> bool:
    """Do what a summary says, if there is one.

    name: `Array.map`, `setTimeout`, `react.useState`. receiver: index of a value, or -1.
    """
    summary = SUMMARIES.get(name)
    if summary is None:
        last = name.rpartition(".")[2]
        if last in LISTENERS and len(call.arguments) > 1:
            summary = listen
        elif last in WAITERS and "." in name:
            summary = _wait_outside
        elif last in _EACH and "." in name and receiver < 0:
            summary = _each_outside
    if summary is None:
        return False
    summary(At(policy, solver, call, level, receiver))
    return True


def _later(at: At) -> None:
    at.calls(at.argument(0), at.rest(2))


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
    text(at)


_EACH = frozenset(
    ("forEach", "map", "filter", "find", "some", "every", "reduce", "flatMap", "sortBy", "groupBy", "each")
)
CALLERS = _EACH | LISTENERS | WAITERS | {"findIndex", "findLast", "sort", "toSorted", "reduceRight", "replace"}
"""Names of methods that call what they are given, whatever they are methods of."""
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
    **LISTS,
    **PROMISES,
    **OBJECTS,
    **REACT,
    **{f"String.{name}": text for name in (*_STRING, "concat", "at", "charAt", "toString", "normalize")},
    "String.replace": _replace,
    "String.replaceAll": _replace,
    "String.split": texts,
    "String": text,
    "setTimeout": _later,
    "setInterval": _later,
    "setImmediate": soon,
    "queueMicrotask": soon,
    "requestAnimationFrame": soon,
    "requestIdleCallback": soon,
    "process.nextTick": soon,
    "structuredClone": first_argument,
    "util.promisify": first_argument,
}
