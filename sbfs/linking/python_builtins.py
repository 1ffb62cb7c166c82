"""Summaries: what builtins and the standard library do with the functions and things given to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sbfs.linking.python_names import LIST_METHODS, LISTS_OF_TEXTS, TEXT_METHODS, TEXTS
from sbfs.linking.python_rules import MakeProperty
from sbfs.linking.rules import Call, Element, Enter, Load, Store, take
from sbfs.linking.values import ANY, INFERRED, KEYS, REST, at_least

if TYPE_CHECKING:
    from sbfs.linking.python import Python
    from sbfs.linking.solver import Solver


class At:
    """A call of something outside, as its summary sees it. receiver: index of what a method was taken from, or -1."""

    def __init__(self, policy: Python, solver: Solver, call: Call, level: int, receiver: int):
        self.policy, self.solver, self.call, self.level, self.receiver = policy, solver, call, level, receiver

    def argument(self, place: int, name: str = "") -> int:
        """The variable of an argument by place or name, -1 where it is not given."""
        for number, (variable, spread) in enumerate(self.call.arguments):
            if spread:
                break
            if number == place:
                return variable
        return next((variable for key, variable in self.call.keywords if key == name and name), -1)

    def rest(self, start: int) -> list[int]:
        """The variables of all arguments from a place on."""
        return [variable for variable, spread in self.call.arguments[start:] if not spread]

    def flow(self, source: int, level: int | None = None) -> None:
        """Let a variable flow into the result."""
        if source >= 0 and self.call.result >= 0:
            self.solver.copy(source, self.call.result, self.level if level is None else max(level, self.level))

    def give(self, kind: str, *what: Any) -> int:
        """Let the result be a value. Returns its index."""
        value = self.solver.values.value(kind, *what, level=self.level)
        if self.call.result >= 0:
            self.solver.add(self.call.result, value)
        return value >> 2

    def container(self, sort: str, word: str = "") -> int:
        """Let the result be a new container. Returns its index."""
        unit = self.call.unit
        return self.give("container", sort, (unit.file.path, unit.name, "call", self.call.site, word))

    def elements(self, source: int) -> int:
        """A variable that holds what iterating over a variable gives."""
        if source < 0:
            return -1
        target = self.solver.fresh()
        self.solver.watch(source, Element(self.call.unit, self.call.site, target))
        return target

    def copy(self, source: int, index: int, name: str) -> None:
        """Let a variable flow into an element of a container."""
        if source >= 0:
            self.solver.copy(source, self.solver.field(index, name), self.level)

    def run(
        self, function: int, arguments: list[int], result: int = -1, keywords: list[tuple[str, int]] | None = None
    ) -> None:
        """Call a function that was given, from where this call stands."""
        if function < 0:
            return
        call = Call(
            self.call.unit, self.call.site, function, [(one, False) for one in arguments], keywords or [], result
        )
        call.level = max(INFERRED, self.level)
        self.solver.called(call)
        self.solver.watch(function, call)


Summary = Callable[[At], None]


def _collect(sort: str) -> Summary:
    def summary(at: At) -> None:
        index = at.container(sort)
        at.copy(at.elements(at.argument(0)), index, REST)

    return summary


def _dict(at: At) -> None:
    index = at.container("dict")
    for name, variable in at.call.keywords:
        if name != "**":
            at.copy(variable, index, f"['{name}")
        elif variable >= 0:
            at.solver.watch(variable, Merge(index))
    if (source := at.argument(0)) >= 0:
        at.solver.watch(source, Merge(index))


class Merge:
    """A mapping, or pairs, put into a dict."""

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index

    def react(self, solver: Solver, value: int) -> None:
        """Keys stay keys."""
        index = value >> 2
        if solver.values.kind[index] != "container":
            return
        if solver.values.what[index][0] == "dict":
            solver.watch_elements(index, MergeKeys(index, self.index, value & 3))
        else:
            solver.watch(solver.field(index, ANY), Pair(self.index))


class MergeKeys:
    """The keys of one dict as they come to be known, put into another."""

    __slots__ = ("index", "into", "level")

    def __init__(self, index: int, into: int, level: int):
        self.index, self.into, self.level = index, into, level

    def field(self, solver: Solver, name: str) -> None:
        """Copy what a key holds."""
        if name != ANY:
            solver.copy(solver.field(self.index, name), solver.field(self.into, name), self.level)


class Pair:
    """A pair of key and value put into a dict."""

    __slots__ = ("index",)

    def __init__(self, index: int):
        self.index = index

    def react(self, solver: Solver, value: int) -> None:
        """First and second element."""
        if solver.values.kind[value >> 2] == "container":
            take(solver, value >> 2, 1, solver.field(self.index, REST), value & 3)
            take(solver, value >> 2, 0, solver.field(self.index, KEYS), value & 3)


def _sorted(at: At) -> None:
    source = at.elements(at.argument(0))
    at.run(at.argument(99, "key"), [source])
    at.copy(source, at.container("list"), REST)


def _best(at: At) -> None:
    many = len(at.call.arguments) > 1
    for source in at.rest(0) if many else [at.elements(at.argument(0))]:
        at.run(at.argument(99, "key"), [source])
        at.flow(source)
    at.flow(at.argument(99, "default"))


def _map(at: At) -> None:
    result = at.solver.fresh()
    at.run(at.argument(0), [at.elements(one) for one in at.rest(1)], result)
    at.copy(result, at.container("generator-like"), REST)


def _filter(at: At) -> None:
    source = at.elements(at.argument(1))
    at.run(at.argument(0), [source])
    at.copy(source, at.container("generator-like"), REST)


def _reduce(at: At) -> None:
    source, result = at.elements(at.argument(1)), at.solver.fresh()
    at.run(at.argument(0), [result, source], result)
    for one in (source, at.argument(2)):
        if one >= 0:
            at.solver.copy(one, result, at.level)
    at.flow(result)


def _zip(at: At) -> None:
    index = at.container("generator-like")
    pair = at.solver.values.value(
        "container", "tuple", (at.call.unit.file.path, at.call.unit.name, "pair", at.call.site)
    )
    at.solver.add(at.solver.field(index, REST), at_least(pair, at.level))
    for place, one in enumerate(at.rest(0)):
        at.copy(at.elements(one), pair >> 2, f"[{place}")


def _enumerate(at: At) -> None:
    index = at.container("generator-like")
    pair = at.solver.values.value(
        "container", "tuple", (at.call.unit.file.path, at.call.unit.name, "pair", at.call.site)
    )
    at.solver.add(at.solver.field(index, REST), at_least(pair, at.level))
    at.copy(at.elements(at.argument(0)), pair >> 2, "[1")


def _elements(at: At) -> None:
    """Another order, another wrapping: the same elements."""
    index = at.container("generator-like")
    for one in at.rest(0):
        at.copy(at.elements(one), index, REST)


def _flattened(at: At) -> None:
    at.copy(at.elements(at.elements(at.argument(0))), at.container("generator-like"), REST)


def _iter(at: At) -> None:
    source = at.argument(0)
    if len(at.call.arguments) > 1:
        result = at.solver.fresh()
        at.run(source, [], result)
        at.copy(result, at.container("generator-like"), REST)
    elif source >= 0:
        at.solver.watch(source, Special(at, "__iter__", "__aiter__"))


def _next(at: At) -> None:
    source = at.argument(0)
    if source >= 0:
        at.solver.watch(source, Special(at, "__next__", "__anext__"))
    at.flow(at.argument(1))


class Special:
    """A builtin that asks an instance for a special method: `len(x)`, `iter(x)`, `str(x)`."""

    __slots__ = ("at", "names")

    def __init__(self, at: At, *names: str):
        self.at, self.names = at, names

    def react(self, solver: Solver, value: int) -> None:
        """Call the first of the names that the class gives; for iterators of other things, their elements."""
        at, index = self.at, value >> 2
        if solver.values.kind[index] == "instance":
            for name in self.names:
                if at.policy.has(solver, index, name):
                    flag = "iteration" if name in ("__iter__", "__next__", "__aiter__", "__anext__") else "implicit"
                    at.policy.imply(solver, at.call, index, name, [], at.call.result, value & 3, flag=flag)
                    return
        if at.call.result < 0:
            return
        if self.names[0] == "__next__":
            at.policy.element(solver, value, at.call.result, at.call)
        elif self.names[0] == "__iter__":
            solver.add(at.call.result, value)


def _special(name: str, type: str = "") -> Summary:
    def summary(at: At) -> None:
        if (source := at.argument(0)) >= 0:
            names = (name, "__repr__") if name == "__str__" else (name,)
            call = Call(at.call.unit, at.call.site, at.call.callee, [], [], -1)
            at.solver.watch(source, Special(At(at.policy, at.solver, call, at.level, -1), *names))
        if type:
            at.give("literal", type)

    return summary


def _literal(type: str) -> Summary:
    def summary(at: At) -> None:
        at.give("literal", type)

    return summary


def _same(at: At) -> None:
    """The result is the first argument."""
    at.flow(at.argument(0))


def _second_step(name: str) -> Summary:
    """A call that gives a decorator: `wraps(f)`, `lru_cache(maxsize=1)`."""

    def summary(at: At) -> None:
        if at.call.decorates:
            at.flow(at.argument(0))
        else:
            at.give("other", "returned", name)

    return summary


def _runs(
    place: int, name: str, *, arguments: str = "", keywords: str = "", rest: int | None = None, made: str = ""
) -> Summary:
    """Something that will call a function that it is given, with arguments given beside it."""

    def summary(at: At) -> None:
        given: list[int] = []
        if rest is not None:
            given = at.rest(rest)
        function = at.argument(place, name)
        if arguments and (source := at.argument(99, arguments)) >= 0:
            call = Call(at.call.unit, at.call.site, function, [(source, True)], [], -1)
            if keywords and (more := at.argument(99, keywords)) >= 0:
                call.keywords = [("**", more)]
            call.level = max(INFERRED, at.level)
            if function >= 0:
                at.solver.called(call)
                at.solver.watch(function, call)
        else:
            result = at.solver.fresh()
            named = [(key, one) for key, one in at.call.keywords if rest is not None and key not in (name, "**")]
            at.run(function, given, result, named)
            if made == "result":
                at.flow(result)
            elif made == "future" and at.call.result >= 0:
                index = at.give("other", "future", at.call.unit.file.path, at.call.unit.name, at.call.site)
                at.copy(result, index, "result")
        if made and made not in ("result", "future"):
            at.give("made", made)

    return summary


def _property(at: At) -> None:
    getter = at.argument(0, "fget")
    if getter >= 0:
        setter = at.argument(1, "fset")
        if setter < 0:
            at.solver.watch(getter, MakeProperty(at.call.result, at.level))
        else:
            at.solver.watch(getter, WithSetter(at.call.result, setter))


class WithSetter:
    """`property(getter, setter)`."""

    __slots__ = ("getter", "result", "setter")

    def __init__(self, result: int, setter: int, getter: int = -1):
        self.result, self.setter, self.getter = result, setter, getter

    def react(self, solver: Solver, value: int) -> None:
        """The getter first, then the setter."""
        if solver.values.kind[value >> 2] != "function":
            return
        if self.getter < 0:
            solver.watch(self.setter, WithSetter(self.result, self.setter, value >> 2))
        elif self.result >= 0:
            solver.add(self.result, solver.values.value("other", "property", self.getter, value >> 2, level=value & 3))


class Wrapped:
    """A function put into a wrapper that is a value of its own: `staticmethod`, `classmethod`, `contextmanager`."""

    __slots__ = ("result", "word")

    def __init__(self, word: str, result: int):
        self.word, self.result = word, result

    def react(self, solver: Solver, value: int) -> None:
        """For each function."""
        kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
        if kind == "function":
            solver.add(self.result, solver.values.value("other", self.word, value >> 2, level=value & 3))
        elif kind == "other" and what[0] != self.word:
            solver.add(self.result, value)


def _wrapped(word: str) -> Summary:
    def summary(at: At) -> None:
        if (source := at.argument(0)) >= 0 and at.call.result >= 0:
            at.solver.watch(source, Wrapped(word, at.call.result))

    return summary


def _getattr(at: At) -> None:
    base, name = at.argument(0), at.call.texts.get(1)
    if base >= 0 and at.call.result >= 0:
        if name is not None:
            at.solver.watch(base, Load(at.call.unit, at.call.site, base, name, at.call.result, False))
        elif (names := at.argument(1)) >= 0:
            at.solver.watch(names, ByName(at, base))
    at.flow(at.argument(2))


class ByName:
    """`getattr(base, name)` for each constant text that the name may be."""

    __slots__ = ("at", "base")

    def __init__(self, at: At, base: int):
        self.at, self.base = at, base

    def react(self, solver: Solver, value: int) -> None:
        """An attribute by that name."""
        kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
        if kind == "other" and what[0] == "begins":
            solver.watch(self.base, Beginning(self.at, what[1]))
        elif kind == "text":
            name = what[0]
            solver.watch(
                self.base, Load(self.at.call.unit, self.at.call.site, self.base, name, self.at.call.result, False)
            )


class Beginning:
    """`getattr(base, "visit_" + name)`: every attribute that begins so may be meant."""

    __slots__ = ("at", "text")

    def __init__(self, at: At, text: str):
        self.at, self.text = at, text

    def react(self, solver: Solver, value: int) -> None:
        """Of the class of an instance, or of a module."""
        at, index = self.at, value >> 2
        plain = at.policy.methods_beginning(solver, index, self.text)
        if plain:
            level = max(INFERRED, value & 3)
            solver.add(at.call.result, solver.values.value("other", "named", index, self.text, level=level))
        for name in at.policy.names_beginning(solver, index, self.text):
            if name in plain:
                continue
            load = Load(at.call.unit, at.call.site, -1, name, solver.fresh(), False)
            at.policy.load(solver, value, load)
            solver.copy(load.target, at.call.result, INFERRED)


def _setattr(at: At) -> None:
    base, name, source = at.argument(0), at.call.texts.get(1), at.argument(2)
    if base < 0 or source < 0:
        return
    if name is not None:
        at.solver.watch(base, Store(at.call.unit, at.call.site, name, source))
    elif (names := at.argument(1)) >= 0:
        at.solver.watch(names, StoreByName(at, base, source))


class StoreByName:
    """`setattr(base, name, source)` for each constant text that the name may be."""

    __slots__ = ("at", "base", "source")

    def __init__(self, at: At, base: int, source: int):
        self.at, self.base, self.source = at, base, source

    def react(self, solver: Solver, value: int) -> None:
        """An attribute by that name."""
        if solver.values.kind[value >> 2] == "text":
            name = solver.values.what[value >> 2][0]
            solver.watch(self.base, Store(self.at.call.unit, self.at.call.site, name, self.source))


def _type(at: At) -> None:
    if (source := at.argument(0)) >= 0 and at.call.result >= 0 and len(at.call.arguments) == 1:
        at.solver.watch(source, TypeOf(at.call.result))


class TypeOf:
    """`type(x)`."""

    __slots__ = ("result",)

    def __init__(self, result: int):
        self.result = result

    def react(self, solver: Solver, value: int) -> None:
        """The class of an instance."""
        if solver.values.kind[value >> 2] == "instance":
            solver.add(self.result, solver.values.what[value >> 2][0] * 4 + (value & 3))


def _partial(at: At) -> None:
    unit = at.call.unit
    index = at.give("other", "partial", unit.file.path, unit.name, at.call.site)
    at.solver.held[index] = at.call
    at.copy(at.argument(0), index, "func")


def subclasses(policy: Python, solver: Solver, index: int, call: Call, level: int) -> None:
    """`C.__subclasses__()`: a list of the classes directly below C."""
    if call.result >= 0:
        made = solver.values.index("container", "list", ("subclasses", *policy.key(solver, index)))
        for key in policy.classes.children.get(policy.key(solver, index), ()):
            solver.add(solver.field(made, REST), solver.values.value("class", *key))
        solver.add(call.result, made * 4 + level)


def _new(at: At) -> None:
    """`object.__new__(cls)`, also through `super()`."""
    if (source := at.argument(0)) >= 0 and at.call.result >= 0:
        at.solver.watch(source, InstanceOf(at.call.result))


class InstanceOf:
    """An instance of each class."""

    __slots__ = ("result",)

    def __init__(self, result: int):
        self.result = result

    def react(self, solver: Solver, value: int) -> None:
        """Made without its constructor."""
        if solver.values.kind[value >> 2] == "class":
            solver.add(self.result, solver.values.value("instance", value >> 2, level=value & 3))


def _defaultdict(at: At) -> None:
    index, made = at.container("dict"), at.solver.fresh()
    at.run(at.argument(0), [], made)
    at.copy(made, index, REST)


def _import_module(at: At) -> None:
    name = at.call.texts.get(0)
    if at.call.result < 0:
        return
    if name is not None:
        _give_module(at, name, at.level)
    elif (names := at.argument(0, "name")) >= 0:
        at.solver.watch(names, ModuleByName(at))


def _give_module(at: At, name: str, level: int) -> None:
    """A relative name is taken to be relative to where it is written."""
    spec = name.lstrip(".")
    found = at.policy.modules.imported(at.call.unit.file.path, spec, len(name) - len(spec), "")
    at.policy.give(at.solver, found, at.call.result, level)


class ModuleByName:
    """`import_module(name)` for each constant text that the name may be, or that it may begin with."""

    __slots__ = ("at",)

    def __init__(self, at: At):
        self.at = at

    def react(self, solver: Solver, value: int) -> None:
        """The module of that name; of a beginning, all that there are below that package."""
        at, kind, what = self.at, solver.values.kind[value >> 2], solver.values.what[value >> 2]
        if kind == "text":
            _give_module(at, what[0], max(at.level, value & 3))
        elif kind == "other" and what[0] == "begins":
            for path in at.policy.modules.beginning(at.call.unit.file.path, what[1]):
                solver.add(at.call.result, solver.values.value("module", path, level=INFERRED))


def _entered(at: At) -> None:
    if (source := at.argument(0)) >= 0 and at.call.result >= 0:
        at.solver.watch(source, Enter(at.call.unit, at.call.site, at.call.result))


def _globals(at: At) -> None:
    at.give("module", at.call.unit.file.path)


# -- methods of containers and texts


def _held(at: At, *names: str) -> None:
    """Let elements of the receiver flow into the result."""
    if at.call.result >= 0 and at.receiver >= 0:
        for name in names:
            at.solver.copy(at.solver.field(at.receiver, name), at.call.result, at.level)


def _append(at: At) -> None:
    if at.receiver >= 0:
        for one in at.rest(0):
            at.copy(one, at.receiver, REST)


def _insert(at: At) -> None:
    if at.receiver >= 0:
        at.copy(at.argument(1), at.receiver, REST)


def _extend(at: At) -> None:
    if at.receiver >= 0:
        for one in at.rest(0):
            at.copy(at.elements(one), at.receiver, REST)


def _update(at: At) -> None:
    if at.receiver < 0:
        return
    if (source := at.argument(0)) >= 0:
        at.solver.watch(source, Merge(at.receiver))
    for name, variable in at.call.keywords:
        if name != "**":
            at.copy(variable, at.receiver, f"['{name}")
        elif variable >= 0:
            at.solver.watch(variable, Merge(at.receiver))


def _pop(at: At) -> None:
    _get(at)


def _get(at: At) -> None:
    if at.receiver >= 0 and at.call.result >= 0:
        key = at.call.texts.get(0)
        take(at.solver, at.receiver, key, at.call.result, at.level)
    at.flow(at.argument(1))


def _setdefault(at: At) -> None:
    key = at.call.texts.get(0)
    if at.receiver >= 0:
        at.copy(at.argument(1), at.receiver, REST if key is None else f"['{key}")
    _get(at)


def _pop_any(at: At) -> None:
    _held(at, ANY)


def _values(at: At) -> None:
    if at.receiver >= 0:
        at.copy(at.solver.field(at.receiver, ANY), at.container("generator-like"), REST)


def _keys(at: At) -> None:
    if at.receiver >= 0:
        at.copy(at.solver.field(at.receiver, KEYS), at.container("generator-like"), REST)


def _items(at: At) -> None:
    if at.receiver < 0:
        return
    index = at.container("generator-like")
    pair = at.solver.values.value(
        "container", "tuple", (at.call.unit.file.path, at.call.unit.name, "pair", at.call.site)
    )
    at.solver.add(at.solver.field(index, REST), at_least(pair, at.level))
    at.copy(at.solver.field(at.receiver, KEYS), pair >> 2, "[0")
    at.copy(at.solver.field(at.receiver, ANY), pair >> 2, "[1")


def _popitem(at: At) -> None:
    if at.receiver >= 0:
        index = at.container("tuple")
        at.copy(at.solver.field(at.receiver, KEYS), index, "[0")
        at.copy(at.solver.field(at.receiver, ANY), index, "[1")


def _copy(at: At) -> None:
    if at.receiver >= 0:
        at.give(at.solver.values.kind[at.receiver], *at.solver.values.what[at.receiver])


def _sort(at: At) -> None:
    if at.receiver >= 0:
        at.run(at.argument(99, "key"), [at.solver.field(at.receiver, ANY)])


def _send(at: At) -> None:
    if at.receiver >= 0 and at.solver.values.kind[at.receiver] == "generator":
        at.flow(at.solver.functions[at.solver.values.what[at.receiver][0]].yields)


SUMMARIES: dict[str, Summary] = {
    "<builtin>.list": _collect("list"),
    "<builtin>.tuple": _collect("tuple"),
    "<builtin>.set": _collect("set"),
    "<builtin>.frozenset": _collect("set"),
    "<builtin>.dict": _dict,
    "<builtin>.sorted": _sorted,
    "<builtin>.max": _best,
    "<builtin>.min": _best,
    "<builtin>.map": _map,
    "<builtin>.filter": _filter,
    "<builtin>.zip": _zip,
    "<builtin>.enumerate": _enumerate,
    "<builtin>.reversed": _elements,
    "<builtin>.iter": _iter,
    "<builtin>.aiter": _iter,
    "<builtin>.next": _next,
    "<builtin>.anext": _next,
    "<builtin>.len": _special("__len__", "int"),
    "<builtin>.str": _special("__str__", "str"),
    "<builtin>.repr": _special("__repr__", "str"),
    "<builtin>.format": _special("__format__", "str"),
    "<builtin>.bool": _special("__bool__", "bool"),
    "<builtin>.int": _special("__int__", "int"),
    "<builtin>.float": _special("__float__", "float"),
    "<builtin>.bytes": _special("__bytes__", "bytes"),
    "<builtin>.hash": _special("__hash__", "int"),
    "<builtin>.abs": _special("__abs__"),
    "<builtin>.chr": _literal("str"),
    "<builtin>.input": _literal("str"),
    "<builtin>.getattr": _getattr,
    "<builtin>.setattr": _setattr,
    "<builtin>.globals": _globals,
    "<builtin>.type": _type,
    "<builtin>.property": _property,
    "<builtin>.staticmethod": _wrapped("staticmethod"),
    "<builtin>.classmethod": _wrapped("classmethod"),
    "<builtin>.object.__new__": _new,
    "<builtin>.__import__": _import_module,
    "importlib.import_module": _import_module,
    "functools.cached_property": _property,
    "functools.wraps": _second_step("functools.wraps"),
    "functools.wraps()": _same,
    "functools.update_wrapper": _same,
    "functools.lru_cache": _second_step("functools.lru_cache"),
    "functools.lru_cache()": _same,
    "functools.cache": _same,
    "functools.singledispatch": _same,
    "functools.total_ordering": _same,
    "functools.partial": _partial,
    "functools.partialmethod": _partial,
    "functools.reduce": _reduce,
    "functools.cmp_to_key": _same,
    "contextlib.contextmanager": _wrapped("manages"),
    "contextlib.asynccontextmanager": _wrapped("manages"),
    "contextlib.ExitStack.enter_context": _entered,
    "contextlib.AsyncExitStack.enter_context": _entered,
    "contextlib.AsyncExitStack.enter_async_context": _entered,
    "contextlib.closing": _same,
    "contextlib.nullcontext": _same,
    "dataclasses.dataclass": _second_step("dataclasses.dataclass"),
    "dataclasses.dataclass()": _same,
    "dataclasses.replace": _same,
    "abc.abstractmethod": _same,
    "typing.overload": _same,
    "typing.final": _same,
    "typing.override": _same,
    "typing.runtime_checkable": _same,
    "typing.no_type_check": _same,
    "typing.cast": lambda at: at.flow(at.argument(1)),
    "enum.unique": _same,
    "copy.copy": _same,
    "copy.deepcopy": _same,
    "weakref.ref": _same,
    "weakref.proxy": _same,
    "collections.defaultdict": _defaultdict,
    "collections.OrderedDict": _dict,
    "collections.deque": _collect("list"),
    "collections.Counter": _dict,
    "itertools.chain": _elements,
    "itertools.chain.from_iterable": _flattened,
    "itertools.cycle": _elements,
    "itertools.islice": lambda at: at.copy(at.elements(at.argument(0)), at.container("generator-like"), REST),
    "itertools.repeat": lambda at: at.copy(at.argument(0), at.container("generator-like"), REST),
    "itertools.filterfalse": _filter,
    "itertools.takewhile": _filter,
    "itertools.dropwhile": _filter,
    "itertools.starmap": lambda at: at.run(at.argument(0), []),
    "itertools.zip_longest": _zip,
    "itertools.product": _zip,
    "threading.Thread": _runs(1, "target", arguments="args", keywords="kwargs", made="threading.Thread"),
    "threading.Timer": _runs(1, "function", arguments="args", keywords="kwargs", made="threading.Timer"),
    "multiprocessing.Process": _runs(1, "target", arguments="args", keywords="kwargs", made="multiprocessing.Process"),
    "concurrent.futures.ThreadPoolExecutor.submit": _runs(0, "fn", rest=1, made="future"),
    "concurrent.futures.ProcessPoolExecutor.submit": _runs(0, "fn", rest=1, made="future"),
    "concurrent.futures.ThreadPoolExecutor.map": _map,
    "concurrent.futures.ProcessPoolExecutor.map": _map,
    "multiprocessing.Pool.map": _map,
    "atexit.register": _runs(0, "func", rest=1, made="result"),
    "signal.signal": _runs(1, "handler"),
    "asyncio.run": _same,
    "asyncio.create_task": _same,
    "asyncio.ensure_future": _same,
    "asyncio.wait_for": _same,
    "asyncio.shield": _same,
    "asyncio.gather": lambda at: _gather(at),
    "asyncio.to_thread": _runs(0, "func", rest=1, made="result"),
    "<**PyStr**>.join": _literal("str"),
    "<**PyStr**>.encode": _literal("bytes"),
    "<**PyBytes**>.decode": _literal("str"),
    "<**PyList**>.append": _append,
    "<**PyList**>.appendleft": _append,
    "<**PyList**>.insert": _insert,
    "<**PyList**>.extend": _extend,
    "<**PyList**>.pop": _pop_any,
    "<**PyList**>.popleft": _pop_any,
    "<**PyList**>.copy": _copy,
    "<**PyList**>.sort": _sort,
    "<**PySet**>.add": _append,
    "<**PySet**>.update": _extend,
    "<**PySet**>.pop": _pop_any,
    "<**PySet**>.copy": _copy,
    "<**PySet**>.union": _copy,
    "<**PyDict**>.update": _update,
    "<**PyDict**>.get": _get,
    "<**PyDict**>.pop": _pop,
    "<**PyDict**>.setdefault": _setdefault,
    "<**PyDict**>.values": _values,
    "<**PyDict**>.keys": _keys,
    "<**PyDict**>.items": _items,
    "<**PyDict**>.popitem": _popitem,
    "<**PyDict**>.copy": _copy,
    "<**PyGenerator**>.send": _send,
    "<**PyGenerator**>.__next__": _send,
    **{f"<**PyStr**>.{name}": _literal("str") for name in TEXT_METHODS},
    **{f"<**PyStr**>.{name}": _literal("texts") for name in LIST_METHODS},
    **{name: _literal("str") for name in TEXTS},
    **{name: _literal("texts") for name in LISTS_OF_TEXTS},
}


def _gather(at: At) -> None:
    index = at.container("list")
    for place, one in enumerate(at.rest(0)):
        at.copy(one, index, f"[{place}")
