"""Summaries of lists, sets and maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.javascript_at import At, Summary, itself, text
from sbfs.linking.rules import each, element
from sbfs.linking.values import ANY, KEYS, REST

if TYPE_CHECKING:
    from sbfs.linking.solver import Solver


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


LISTS: dict[str, Summary] = {
    "Array.forEach": _each,
    "Array.some": _each,
    "Array.every": _each,
    "Array.findIndex": _each,
    "Array.findLastIndex": _each,
    "Array.map": _map,
    "Array.filter": _filter,
    "Array.find": _find,
    "Array.findLast": _find,
    "Array.flatMap": _flat_map,
    "Array.flat": _flat,
    "Array.reduce": _reduce,
    "Array.reduceRight": _reduce,
    "Array.sort": _sort,
    "Array.toSorted": _to_sorted,
    "Array.push": _push,
    "Array.unshift": _push,
    "Array.pop": _pop,
    "Array.shift": _pop,
    "Array.at": _pop,
    "Array.slice": _same_elements,
    "Array.values": _same_elements,
    "Array.toReversed": _same_elements,
    "Array.with": _same_elements,
    "Array.splice": _splice,
    "Array.concat": _concat,
    "Array.fill": _fill,
    "Array.reverse": itself,
    "Array.copyWithin": itself,
    "Array.entries": _entries,
    "Array.from": _array_from,
    "Array.fromAsync": _array_from,
    "Array.of": _array_of,
    "Array.join": text,
    "Set.add": _set_add,
    "Set.forEach": _set_each,
    "Set.values": _same_elements,
    "Set.keys": _same_elements,
    "Set.entries": _entries,
    "Map.set": _map_set,
    "Map.get": _map_get,
    "Map.forEach": _map_each,
    "Map.values": _map_values,
    "Map.keys": _map_keys,
    "Map.entries": _entries,
    "Array": _array_of,
    "Set": _new_set,
    "WeakSet": _new_set,
    "Map": _new_map,
    "WeakMap": _new_map,
}
