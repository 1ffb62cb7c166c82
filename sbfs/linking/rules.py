"""Rules: what is done when a value reaches a variable that something is asked of.

What holds in every language is answered here (elements of containers, attributes of object literals); the rest by
the policy of the language in whose file the rule stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sbfs.linking.values import ANY, EXACT, GUESSED, KEYS, REST, place_name

if TYPE_CHECKING:
    from sbfs.linking.solver import Solver
    from sbfs.linking.tables import File, Unit


def element(key: str | int | None) -> str:
    """The name of the variable of an element, for `Solver.field`."""
    if key is None:
        return REST
    return place_name(key) if isinstance(key, int) else f"['{key}"


NO_TEXTS: dict[int, str] = {}
"""Of a call without constant texts. Never written to."""


class Place(Protocol):
    """Where code stands: the unit whose body it is in, the number of its call site there, or -1."""

    @property
    def unit(self) -> Unit:
        """Whose body it is in."""

    @property
    def site(self) -> int:
        """Its number there; negative for a statement without a site."""


class Rule(Protocol):
    """Answers each value of the variable that it watches, by adding alone."""

    def react(self, solver: Solver, value: int) -> None:
        """Answer a value."""


class Keyed(Protocol):
    """Answers each element variable of a container, as it comes to be known."""

    def field(self, solver: Solver, name: str) -> None:
        """Answer one, by its name."""


class Load:
    """target = value.name. called: the attribute is a callee."""

    __slots__ = ("base", "called", "name", "site", "target", "unit")

    def __init__(self, unit: Unit, site: int, base: int, name: str, target: int, called: bool):
        self.unit, self.site, self.base, self.name, self.target, self.called = unit, site, base, name, target, called

    def react(self, solver: Solver, value: int) -> None:
        """The language says what an attribute is."""
        self.unit.file.policy.load(solver, value, self)


class Store:
    """value.name = source."""

    __slots__ = ("name", "site", "source", "unit")

    def __init__(self, unit: Unit, site: int, name: str, source: int):
        self.unit, self.site, self.name, self.source = unit, site, name, source

    def react(self, solver: Solver, value: int) -> None:
        """The language says what storing does."""
        self.unit.file.policy.store(solver, value, self)


class Call:
    """result = value(arguments).

    arguments: (variable, whether it is spread); keywords: (name, variable), "**" for a spread. result: -1 where
    nobody wants it. new: the language's `new`. decorates: it is the application of a decorator to what is defined
    there. implicit: it is not written as a call: flag of the edge, or "" (`renders` is written as an element).
    expression: of the callee. base: the variable of what the callee is an attribute of, or -1. texts: place of an
    argument → the constant text that it is. level: of what it calls at best. depth: of
    partials within partials. output: what the result is in the end (see `Decorated`).
    """

    __slots__ = (
        "arguments", "base", "callee", "decorates", "depth", "expression", "implicit", "keywords", "level", "new",
        "output", "result", "site", "texts", "unit",
    )  # fmt: skip

    def __init__(
        self,
        unit: Unit,
        site: int,
        callee: int,
        arguments: list[tuple[int, bool]],
        keywords: list[tuple[str, int]],
        result: int,
        expression: Any = None,
    ):
        self.unit, self.site, self.callee, self.result, self.expression = unit, site, callee, result, expression
        self.arguments, self.keywords = arguments, keywords
        self.new = self.decorates = False
        self.implicit, self.level, self.base, self.depth, self.output = "", EXACT, -1, 0, result
        self.texts = NO_TEXTS

    def react(self, solver: Solver, value: int) -> None:
        """The language says what calling does."""
        self.unit.file.policy.call(solver, value, self)


class Decorated:
    """output = what a decorator gives back, without other definitions that it was applied to: where one function hands
    back whatever it is given, what it was given elsewhere does not come back here."""

    __slots__ = ("decorators", "file", "name", "output")

    def __init__(self, file: File, name: str, output: int):
        self.file, self.name, self.output = file, name, output
        self.decorators = _heads(file, name)

    def react(self, solver: Solver, value: int) -> None:
        """Hand on the definition itself, and all that no decorator of the same name was applied to."""
        kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
        if kind in ("function", "class") and (what[0], what[1]) != (self.file.path, self.name):
            other = solver.project.files.get(what[0])
            if other is not None and self.decorators & _heads(other, what[1]):
                return
            function = solver.function(value >> 2)
            if function is not None and 0 in function.passes:  # a decorator within, for when arguments are given
                return
        solver.add(self.output, value)


def _heads(file: File, name: str) -> frozenset[str]:
    """The last names of a symbol's decorators, without their arguments."""
    symbol = file.symbols.get(name)
    decorators = symbol.decorators if symbol is not None else ()
    return frozenset(one.partition("(")[0].lstrip("@").rpartition(".")[2].strip() for one in decorators)


class Item:
    """target = value[key]. unpacks: by place of what iterating gives."""

    __slots__ = ("key", "site", "target", "unit", "unpacks")

    def __init__(self, unit: Unit, site: int, key: str | int | None, target: int, *, unpacks: bool = False):
        self.unit, self.site, self.key, self.target, self.unpacks = unit, site, key, target, unpacks

    def react(self, solver: Solver, value: int) -> None:
        """By key in a container."""
        index = value >> 2
        kind = solver.values.kind[index]
        if kind == "container" or kind == "object":
            if self.unpacks and solver.values.what[index][0] == "dict":
                solver.copy(solver.field(index, KEYS), self.target, value & 3)
            else:
                take(solver, index, self.key, self.target, value & 3)
        elif self.unpacks:
            self.unit.file.policy.element(solver, value, self.target, self)
        else:
            self.unit.file.policy.item(solver, value, self.key, self.target, self)


class SetItem:
    """value[key] = source."""

    __slots__ = ("key", "site", "source", "unit")

    def __init__(self, unit: Unit, site: int, key: str | int | None, source: int):
        self.unit, self.site, self.key, self.source = unit, site, key, source

    def react(self, solver: Solver, value: int) -> None:
        """By key in a container."""
        index = value >> 2
        kind = solver.values.kind[index]
        if kind == "container" or kind == "object":
            solver.copy(self.source, solver.field(index, element(self.key)), value & 3)
        else:
            self.unit.file.policy.set_item(solver, value, self.key, self.source, self)


class Element:
    """target = what iterating over value gives. awaits: `async for`."""

    __slots__ = ("awaits", "site", "target", "unit")

    def __init__(self, unit: Unit, site: int, target: int, awaits: bool = False):
        self.unit, self.site, self.target, self.awaits = unit, site, target, awaits

    def react(self, solver: Solver, value: int) -> None:
        """Elements of a list, keys of a mapping, what a generator yields; the language knows of other things."""
        self.unit.file.policy.element(solver, value, self.target, self)


class Enter:
    """target = what entering value as a context gives. awaits: `async with`."""

    __slots__ = ("awaits", "site", "target", "unit")

    def __init__(self, unit: Unit, site: int, target: int, awaits: bool = False):
        self.unit, self.site, self.target, self.awaits = unit, site, target, awaits

    def react(self, solver: Solver, value: int) -> None:
        """The language says."""
        self.unit.file.policy.enter(solver, value, self.target, self)


class Await:
    """target = await value."""

    __slots__ = ("site", "target", "unit")

    def __init__(self, unit: Unit, site: int, target: int):
        self.unit, self.site, self.target = unit, site, target

    def react(self, solver: Solver, value: int) -> None:
        """The language says."""
        self.unit.file.policy.awaited(solver, value, self.target, self)


class Spill:
    """All elements of a value become elements of a container, from a place on: `[*value]`, `{**value}`. start:
    None where the places are not known. mapping: keys stay keys."""

    __slots__ = ("into", "mapping", "site", "start", "unit")

    def __init__(self, unit: Unit, site: int, into: int, start: int | None, mapping: bool = False):
        self.unit, self.site, self.into, self.start, self.mapping = unit, site, into, start, mapping

    def react(self, solver: Solver, value: int) -> None:
        """Known places of a list or tuple move on by `start`; a mapping's keys are kept."""
        index, level = value >> 2, value & 3
        if solver.values.kind[index] in ("container", "object") and (self.mapping or self.start is not None):
            solver.watch_elements(index, Moved(self, index, level))
        else:
            target = solver.field(self.into, REST)
            self.unit.file.policy.element(solver, value, target, self)


class Slice:
    """target = value[low:]: a new list of the elements from low on, or what the language says of other things."""

    __slots__ = ("into", "mapping", "site", "start", "target", "unit")

    def __init__(self, unit: Unit, site: int, into: int, low: int | None, target: int):
        self.unit, self.site, self.into, self.target = unit, site, into, target
        self.start = -low if low is not None and low >= 0 else None
        self.mapping = False

    def react(self, solver: Solver, value: int) -> None:
        """Elements move to the front; where low is not known, their places are lost."""
        index, level = value >> 2, value & 3
        if solver.values.kind[index] != "container":
            self.unit.file.policy.item(solver, value, None, self.target, self)
            return
        solver.add(self.target, self.into * 4 + level)
        if self.start is None:
            solver.copy(solver.field(index, ANY), solver.field(self.into, REST), level)
        else:
            solver.watch_elements(index, Moved(self, index, level))


class Base:
    """A base of a class, or what a keyword of its head says. place: of the base, or the keyword."""

    __slots__ = ("index", "place", "site", "unit")

    def __init__(self, unit: Unit, index: int, place: int | str):
        self.unit, self.index, self.place, self.site = unit, index, place, -1

    def react(self, solver: Solver, value: int) -> None:
        """The language says."""
        self.unit.file.policy.base(solver, value, self)


class Returned:
    """target = what the generator function returns whose generator a value is."""

    __slots__ = ("target",)

    def __init__(self, target: int):
        self.target = target

    def react(self, solver: Solver, value: int) -> None:
        """Of generators alone."""
        index = value >> 2
        if solver.values.kind[index] == "generator":
            solver.copy(solver.functions[solver.values.what[index][0]].returns, self.target, value & 3)


class Hint:
    """An annotation: an instance of what `variable` holds, with parts; for -1, a callable that gives the
    first part. It speaks only once `tell` is called."""

    __slots__ = ("parts", "place", "site", "unit", "variable")

    def __init__(self, unit: Unit, variable: int, parts: list[list[Hint]], place: tuple[str, str, int]):
        self.unit, self.variable, self.parts, self.place, self.site = unit, variable, parts, place, -1

    def tell(self, solver: Solver, target: int) -> None:
        """Let target hold what the annotation says, at level GUESSED."""
        if self.variable >= 0:
            solver.watch(self.variable, Told(self, target))
            return
        result = solver.field(solver.values.index("other", "callable", self.place), "result")
        solver.add(target, solver.values.value("other", "callable", self.place, level=GUESSED))
        for one in self.parts[0]:
            one.tell(solver, result)


class Told:
    """An annotation that speaks: of what, to whom."""

    __slots__ = ("hint", "target")

    def __init__(self, hint: Hint, target: int):
        self.hint, self.target = hint, target

    def react(self, solver: Solver, value: int) -> None:
        """The language says what an instance of a value is."""
        self.hint.unit.file.policy.hinted(solver, value, self.hint, self.target)


class Implied:
    """A load that runs each function that reaches a variable: a property."""

    __slots__ = ("flag", "place")

    def __init__(self, place: Place, flag: str):
        self.place, self.flag = place, flag

    def react(self, solver: Solver, value: int) -> None:
        """Note the call."""
        path, name = solver.values.what[value >> 2]
        solver.imply(self.place, f"{path}::{name}", self.flag, value & 3)


class Moved:
    """The elements of one container as they come to be known, copied into another."""

    __slots__ = ("index", "level", "spill")

    def __init__(self, spill: Spill | Slice, index: int, level: int):
        self.spill, self.index, self.level = spill, index, level

    def field(self, solver: Solver, name: str) -> None:
        """A key is known: copy what it holds."""
        spill = self.spill
        if name == ANY or (name == KEYS and not spill.mapping):
            return
        source = solver.field(self.index, name)
        if not spill.mapping and name[1:].isdigit():
            moved = int(name[1:]) + (spill.start or 0)
            if moved < 0:
                return
            name = place_name(moved)
        elif not spill.mapping and name != REST:
            return
        solver.copy(source, solver.field(spill.into, name), self.level)


def take(solver: Solver, index: int, key: str | int | None, target: int, level: int) -> None:
    """Let an element of a container flow into target: that of the key, and those whose key is not known."""
    if key is None:
        solver.copy(solver.field(index, ANY), target, level)
        return
    if isinstance(key, int) and key < 0:
        length = solver.lengths.get(index)
        if length is None or length + key < 0:
            solver.copy(solver.field(index, ANY), target, level)
            return
        key += length
    solver.copy(solver.field(index, element(key)), target, level)
    solver.copy(solver.field(index, REST), target, level)


def each(solver: Solver, values: int, index: int, target: int, level: int = EXACT) -> None:
    """Let all elements of a container flow into target; of a mapping its keys, unless values is true."""
    mapping = solver.values.what[index][0] == "dict" and not values
    solver.copy(solver.field(index, KEYS if mapping else ANY), target, level)
