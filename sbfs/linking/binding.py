"""Binding: which argument reaches which parameter, and what a call gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.values import ANY, INFERRED, KEYS, REST, at_least, place_name

if TYPE_CHECKING:
    from sbfs.linking.rules import Call
    from sbfs.linking.solver import Solver
    from sbfs.linking.tables import Function, Unit


def bind(solver: Solver, function: Function, call: Call, level: int, first: int, this: int) -> None:
    """Bind one call to one function: by place, by name, by default, with lists and mappings spread where the call
    does so."""
    if this >= 0 and function.this >= 0:
        solver.add(function.this, at_least(this, level))
    if first >= 0:
        _value_at(solver, function, 0, at_least(first, level))
    place, spread = (1 if first >= 0 else 0), False
    sources: dict[int, int] = {}
    texts = {number + place: text for number, text in call.texts.items()} if function.looks_up else {}
    for variable, spreads in call.arguments:
        if spreads:
            solver.watch(variable, Spread(function, call.unit, place, level))
            spread = True
        elif spread:
            for later in range(place, len(function.positional)):
                solver.copy(variable, function.positional[later], max(INFERRED, level))
            _surplus(solver, function, None, variable, level)
        else:
            if variable >= 0:
                sources[place] = variable
                _variable_at(solver, function, place, variable, level)
            if place in texts and place < len(function.positional):
                solver.add(function.positional[place], solver.values.value("text", texts[place], level=level))
            place += 1
    given = _by_name(solver, function, call, level)
    if function.defaults or function.keyword_defaults:
        for number, default in function.defaults.items():
            if number >= place and function.positional[number] not in given:
                solver.copy(default, function.positional[number], level)
        for name, default in function.keyword_defaults.items():
            if function.names[name] not in given:
                solver.copy(default, function.names[name], level)
    if call.result >= 0:
        _result(solver, function, call, level, first, place, sources, given)


def _variable_at(solver: Solver, function: Function, place: int, variable: int, level: int) -> None:
    if place < len(function.positional):
        solver.copy(variable, function.positional[place], level)
    elif function.rest >= 0:
        solver.copy(variable, solver.field(function.rest, place_name(place - len(function.positional))), level)
    if function.everything >= 0:
        solver.copy(variable, solver.field(function.everything, place_name(place)), level)


def _value_at(solver: Solver, function: Function, place: int, value: int) -> None:
    if place < len(function.positional):
        solver.add(function.positional[place], value)
    elif function.rest >= 0:
        solver.add(solver.field(function.rest, place_name(place - len(function.positional))), value)


def _surplus(solver: Solver, function: Function, place: int | None, variable: int, level: int) -> None:
    """What may be beyond the last parameter."""
    if function.rest >= 0:
        solver.copy(variable, solver.field(function.rest, REST if place is None else place_name(place)), level)
    if function.everything >= 0:
        solver.copy(variable, solver.field(function.everything, REST), level)


def _by_name(solver: Solver, function: Function, call: Call, level: int) -> dict[int, int]:
    """Bind what is given by name. Returns variable of the parameter → variable of the argument."""
    given: dict[int, int] = {}
    for name, variable in call.keywords:
        if name == "&":
            if function.block >= 0:
                solver.copy(variable, function.block, level)
        elif name == "**":
            solver.watch(variable, SpreadNames(function, level))
        elif variable < 0:
            given[function.names.get(name, -1)] = -1
        elif name in function.names:
            given[function.names[name]] = variable
            solver.copy(variable, function.names[name], level)
        elif function.keywords >= 0:
            solver.copy(variable, solver.field(function.keywords, f"['{name}"), level)
    return given


def _result(
    solver: Solver,
    function: Function,
    call: Call,
    level: int,
    first: int,
    place: int,
    sources: dict[int, int],
    given: dict[int, int],
) -> None:
    """What the call gives: what the function returns; of parameters that it hands back, this call's own arguments."""
    if function.generator:
        solver.add(call.result, solver.values.value("generator", function.index, level=level))
        return
    solver.copy(function.returns, call.result, level)
    for number in function.passes:
        parameter = function.positional[number]
        if number == 0 and first >= 0:
            solver.add(call.result, at_least(first, level))
        elif number in sources:
            solver.copy(sources[number], call.result, level)
        elif parameter in given:
            if given[parameter] >= 0:
                solver.copy(given[parameter], call.result, level)
        elif number >= place:
            solver.copy(parameter, call.result, level)


class Spread:
    """A list given as arguments, `f(*values)`: its elements reach the parameters from a place on."""

    __slots__ = ("function", "level", "place", "site", "unit")

    def __init__(self, function: Function, unit: Unit, place: int, level: int):
        self.function, self.unit, self.place, self.level, self.site = function, unit, place, level, -1

    def react(self, solver: Solver, value: int) -> None:
        """By known places; all others to all parameters from the place on."""
        index, level = value >> 2, max(value & 3, self.level)
        if solver.values.kind[index] in ("container", "object") and solver.values.what[index][0] != "dict":
            solver.watch_elements(index, SpreadPlaces(self.function, index, self.place, level))
        else:
            target = solver.fresh()
            self.unit.file.policy.element(solver, value, target, self)
            for place in range(self.place, len(self.function.positional)):
                solver.copy(target, self.function.positional[place], max(INFERRED, level))
            _surplus(solver, self.function, None, target, level)


class SpreadPlaces:
    """The elements of one list that is spread, as they come to be known."""

    __slots__ = ("function", "index", "level", "place")

    def __init__(self, function: Function, index: int, place: int, level: int):
        self.function, self.index, self.place, self.level = function, index, place, level

    def field(self, solver: Solver, name: str) -> None:
        """An element is known: bind it."""
        if name in (ANY, KEYS):
            return
        source = solver.field(self.index, name)
        if name[1:].isdigit():
            _variable_at(solver, self.function, self.place + int(name[1:]), source, self.level)
            return
        for place in range(self.place, len(self.function.positional)):
            solver.copy(source, self.function.positional[place], max(INFERRED, self.level))
        _surplus(solver, self.function, None, source, self.level)


class SpreadNames:
    """A mapping given as arguments, `f(**values)`."""

    __slots__ = ("function", "level")

    def __init__(self, function: Function, level: int):
        self.function, self.level = function, level

    def react(self, solver: Solver, value: int) -> None:
        """By known keys."""
        index = value >> 2
        if solver.values.kind[index] in ("container", "object"):
            solver.watch_elements(index, SpreadKeys(self.function, index, max(value & 3, self.level)))


class SpreadKeys:
    """The values of one mapping that is spread, as they come to be known."""

    __slots__ = ("function", "index", "level")

    def __init__(self, function: Function, index: int, level: int):
        self.function, self.index, self.level = function, index, level

    def field(self, solver: Solver, name: str) -> None:
        """A key is known: bind what it holds."""
        if name in (ANY, KEYS):
            return
        function, source = self.function, solver.field(self.index, name)
        if name == REST:
            for parameter in function.names.values():
                solver.copy(source, parameter, max(INFERRED, self.level))
            if function.keywords >= 0:
                solver.copy(source, solver.field(function.keywords, REST), self.level)
        elif name[2:] in function.names:
            solver.copy(source, function.names[name[2:]], self.level)
        elif function.keywords >= 0:
            solver.copy(source, solver.field(function.keywords, name), self.level)
