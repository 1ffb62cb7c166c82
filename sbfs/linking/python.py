"""What Python says about values: attributes, calls, iteration, contexts, and where to begin when flow says
nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sbfs.linking.python_builtins import SUMMARIES, At, subclasses
from sbfs.linking.python_classes import Classes, Key
from sbfs.linking.python_following import Names, follow
from sbfs.linking.python_hints import hinted
from sbfs.linking.python_modules import Found, Modules
from sbfs.linking.python_names import BUILTINS, COMMON, LIBRARY, METHODS, TYPES
from sbfs.linking.python_rules import (
    Again,
    Below,
    Bind,
    CallPartial,
    ChangeProperty,
    Loose,
    LooseInit,
    MakeProperty,
    Member,
    Narrow,
    RunFunction,
    SetProperty,
    Step,
    SuperOf,
    SuperView,
    without_result,
)
from sbfs.linking.python_seeds import seeds
from sbfs.linking.rules import Base, Call, Hint, Implied, Item, Load, Place, Store, element, take
from sbfs.linking.seeds import Grounds, Seed
from sbfs.linking.solver import Solver
from sbfs.linking.tables import File, Function, Project, Unit
from sbfs.linking.values import ANY, EXACT, GUESSED, INFERRED, KEYS

if TYPE_CHECKING:
    from sbfs.code.facts import Facts

BEYOND = ("other", "beyond")
"""What comes from outside, of which nothing is known."""
MOST_OVERRIDES = 40
"""Classes of a large family that give one attribute, beyond which only that of the class itself is seen."""
LONGEST = 6
"""Dots in a name outside after which nothing more is known."""
EMPTY_BASES = frozenset(
    ("<builtin>.object", "abc.ABC", "typing.Generic", "typing.Protocol", "typing.NamedTuple", "enum.Enum")
)
"""Bases outside that give no methods of note."""
SPECIAL = {
    "__dict__": "dict",
    "__doc__": "str",
    "__file__": "str",
    "__module__": "str",
    "__name__": "str",
    "__qualname__": "str",
}
"""Attributes that everything has, and their types."""
UNSHOWN = frozenset({"ext::<builtin>.property", "ext::<builtin>.staticmethod", "ext::<builtin>.classmethod"})
"""Decorators that only say how a function is bound."""


class Python:
    """The policy of Python."""

    languages: tuple[str, ...] = ("python",)
    everything = ""
    common = LIBRARY
    implies_definitions = True

    def prepare(self, project: Project) -> None:
        """Make the tables of modules and classes."""
        self.modules = Modules(project, self.languages)
        self.classes = Classes(self.modules)
        self.stored: set[str] = set()
        self.properties: set[str] = set()
        for file in self.modules.files.values():
            self.stored |= file.stored
            for symbol in file.facts.symbols:
                if "property" in symbol.flags or "cached" in symbol.flags or "setter" in symbol.flags:
                    self.properties.add(symbol.name.rpartition(".")[2].partition("#")[0])
        self.instantiated: set[Key] = set()
        self.seen: frozenset[Key] = frozenset()
        self.told: set[str] = set()
        self._instances: dict[Key, int] = {}
        self.beginnings: set[str] = set()
        self._units: dict[str, Unit] = {}
        self._loose: dict[Key, int] = {}

    def follow(self, file: File, facts: Facts) -> Names | None:
        """Let a file say something else, and bring the tables along. Returns the names whose meaning may be another
        now; None where the tables have to be made anew."""
        return follow(self, file, facts)

    def forget(self, file: File) -> None:
        """A file says something else: what was kept of it alone."""
        self.classes.forget(file)
        self._units.pop(file.path, None)

    # -- names

    def imported(self, solver: Solver, place: Place, spec: str, level: int, name: str, target: int) -> None:
        """An import gives a module, or a name of one."""
        self.give(solver, self.modules.imported(place.unit.file.path, spec, level, name), target)

    def give(self, solver: Solver, found: Found, target: int, level: int = EXACT) -> None:
        """Let what a name is flow into a variable."""
        if found[0] == "variable":
            solver.copy(solver.variable(found[1], found[2]), target, level)
        else:
            solver.add(target, solver.values.value(found[0], found[1], level=level))

    def free(self, solver: Solver, file: File, name: str, target: int) -> None:
        """A name that its module does not assign: from a star import, or a builtin."""
        found = self.modules.member(file.path, name)
        if found is not None and found[0] == "external" and name in BUILTINS:
            found = None
        if found is not None and found[0] in ("variable", "external"):
            self.give(solver, found, target, EXACT if found[0] == "variable" else INFERRED)
        elif name in BUILTINS:
            solver.add(target, solver.values.value("external", f"<builtin>.{name}"))

    # -- attributes

    def load(self, solver: Solver, value: int, load: Load) -> None:
        """An attribute, by the kind of what it is of."""
        index, level, name, target = value >> 2, value & 3, load.name, load.target
        kind, what = solver.values.kind[index], solver.values.what[index]
        if name in SPECIAL and kind in ("instance", "class", "function", "bound", "module"):
            solver.add(target, solver.values.value("literal", SPECIAL[name], level=level))
        elif name == "__subclasses__" and kind == "class":
            solver.add(target, solver.values.value("other", "subclasses", index, level=level))
        elif kind in ("instance", "class", "super"):
            solver.copy(self.member(solver, index, name), target, level)
            if name in self.properties:
                solver.watch(solver.field(index, f"<get>{name}"), Implied(load, "implicit"))
        elif kind in ("module", "package"):
            self._of_module(solver, what[0], name, target, level)
        elif kind == "external":
            self._of_external(solver, what[0], name, target, level)
        elif kind == "made":
            solver.add(target, solver.values.value("external", f"{what[0]}.{name}", level=max(level, INFERRED)))
        elif kind == "function":
            solver.copy(solver.field(index, name), target, level)
        elif kind == "bound":
            self._of_bound(solver, what, name, target, level)
        elif kind in ("container", "literal", "text", "generator"):
            sort = "str" if kind == "text" else "generator" if kind == "generator" else what[0]
            if sort in TYPES and (name in METHODS.get(sort, COMMON) or name.startswith("__")):
                method = solver.values.index("external", f"{TYPES[sort]}.{name}")
                solver.add(target, solver.values.value("bound", method, index, level=level))
        elif kind == "other":
            self._of_other(solver, index, what, name, target, level)

    def _of_module(self, solver: Solver, path: str, name: str, target: int, level: int) -> None:
        found = self.modules.member(path, name)
        if found is not None:
            self.give(solver, found, target, level)
        elif path in self.modules.files and name in self.stored:
            solver.copy(solver.variable(self.modules.files[path], f":{name}"), target, level)

    def _of_external(self, solver: Solver, dotted: str, name: str, target: int, level: int) -> None:
        if dotted.count(".") >= LONGEST:
            solver.add(target, solver.values.value(*BEYOND, level=level))
            return
        builtin = dotted.removeprefix("<builtin>.")
        full = (
            f"{TYPES[builtin]}.{name}"
            if builtin != dotted and builtin in TYPES and name != "fromkeys"
            else f"{dotted}.{name}"
        )
        solver.add(target, solver.values.value("external", full, level=level))

    def _of_bound(self, solver: Solver, what: tuple[Any, ...], name: str, target: int, level: int) -> None:
        if name == "__func__":
            solver.add(target, what[0] * 4 + level)
        elif name == "__self__":
            solver.add(target, what[1] * 4 + level)
        else:
            solver.copy(solver.field(what[0], name), target, level)

    def _of_other(self, solver: Solver, index: int, what: tuple[Any, ...], name: str, target: int, level: int) -> None:
        if what[0] in ("beyond", "returned"):
            solver.add(target, solver.values.value(*BEYOND, level=level))
        elif what[0] == "property" and name in ("getter", "setter", "deleter"):
            solver.add(target, solver.values.value("other", f"property.{name}", index, level=level))
        elif what[0] == "partial" and name == "func":
            solver.copy(solver.field(index, "func"), target, level)
        elif what[0] == "manages":
            solver.copy(solver.field(what[1], name), target, level)

    def store(self, solver: Solver, value: int, store: Store) -> None:
        """An attribute is set: of an instance, a class, a module, a function."""
        index, level, name = value >> 2, value & 3, store.name
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "instance":
            key = self.key(solver, index)
            if name in self.properties and self.classes.definer(self.classes.order(key), name):
                solver.watch(self._raw(solver, key, name), SetProperty(self, store, index, level))
            solver.copy(store.source, solver.field(index, name), level)
        elif kind == "class" and what[0] in self.modules.files:
            solver.copy(store.source, solver.variable(self.modules.files[what[0]], f"{what[1]}:{name}"), level)
        elif kind == "module":
            solver.copy(store.source, solver.variable(self.modules.files[what[0]], f":{name}"), level)
        elif kind in ("function", "bound"):
            solver.copy(store.source, solver.field(index if kind == "function" else what[0], name), level)

    def key(self, solver: Solver, index: int) -> Key:
        """The class of an instance, or a class itself, as the tables know it."""
        if solver.values.kind[index] == "instance":
            index = solver.values.what[index][0]
        key: Key = solver.values.what[index]
        return key

    def _raw(self, solver: Solver, key: Key, name: str) -> int:
        """The variable of a class attribute, unbound, where the order of look-up finds it."""
        definer = self.classes.definer(self.classes.order(key), name)
        if definer is None:
            return solver.fresh()
        return solver.variable(self.modules.files[definer[0]], f"{definer[1]}:{name}")

    def member(self, solver: Solver, index: int, name: str) -> int:
        """The variable of an attribute as it is seen through an instance, a class or `super()`: functions bound,
        properties run."""
        return solver.shared((index, name), Member(self, index, name))

    def look_up(self, solver: Solver, index: int, name: str, target: int) -> None:
        """Let an attribute, as `member` sees it, flow into a variable."""
        kind, what = solver.values.kind[index], solver.values.what[index]
        receiver, order = index, []
        if kind == "super":
            receiver = what[1]
            order = self._after(solver, what[0], receiver)
        else:
            order = self.classes.order(self.key(solver, index))
        if kind == "instance":
            if name == "__class__":
                solver.add(target, what[0] * 4)
            self._fields(solver, index, order, name, target)
            if self._overwritten(order, name):
                return
        self.class_attribute(solver, order, receiver, name, target)
        if kind == "instance" and len(what) > 1:
            self._overrides(solver, order[0], name, target)

    def _overrides(self, solver: Solver, key: Key, name: str, target: int) -> None:
        """Of a large family an attribute may be that of any class below, unless they are too many to say anything."""
        heirs = self.classes.overrides(key).get(name, ())
        if len(heirs) > MOST_OVERRIDES or name.startswith("__"):
            return
        for heir in heirs:
            receiver = self.family(solver, heir) if self.classes.is_wide(heir) else self.instance(solver, heir)
            below = solver.fresh()
            variable = solver.variable(self.modules.files[heir[0]], f"{heir[1]}:{name}")
            solver.watch(variable, Bind(self, receiver, heir, name, below))
            solver.watch(below, Below(target))

    def _after(self, solver: Solver, after: int, receiver: int) -> list[Key]:
        """The order of look-up of a receiver's class, beyond a class."""
        key = self.key(solver, after)
        order = self.classes.order(self.key(solver, receiver))
        return order[order.index(key) + 1 :] if key in order else self.classes.order(key)[1:]

    def _fields(self, solver: Solver, index: int, order: list[Key], name: str, target: int) -> None:
        solver.copy(solver.field(index, name), target)
        for key in order:
            if key[0] and self.classes.is_wide(key) and (family := self.family(solver, key)) != index:
                solver.copy(solver.field(family, name), target, INFERRED)

    def _overwritten(self, order: list[Key], name: str) -> bool:
        """Whether the constructor sets an attribute, so that the class's own is never seen."""
        maker = self.classes.definer(order, "__init__")
        if maker is None or name not in self.classes.initial(maker):
            return False
        definer = self.classes.definer(order, name)
        return definer is None or (name not in self.properties and order.index(maker) <= order.index(definer))

    def class_attribute(self, solver: Solver, order: list[Key], receiver: int, name: str, target: int) -> None:
        """Let the first class of an order that has an attribute give it to target, bound to the receiver."""
        files = self.modules.files
        definer = self.classes.definer(order, name)
        if solver.values.kind[receiver] == "class" and self._is_member(order, definer, name):
            solver.add(target, solver.values.value("instance", receiver))
        givers = [definer] if definer is not None else []
        if name in self.stored and definer is None:
            givers = [one for one in order if one[0]]
        for key in givers:
            variable = solver.variable(files[key[0]], f"{key[1]}:{name}")
            solver.watch(variable, Bind(self, receiver, key, name, target))
        for key in order:
            if key == definer:
                return
            if key in self.classes.loose:
                solver.watch(self.loose(solver, key), Loose(self, receiver, name, target))
        if solver.values.kind[receiver] == "class":
            for key in order:
                meta = self.classes.metaclass.get(key)
                if meta is not None and meta[0]:
                    self.class_attribute(solver, self.classes.order(meta), receiver, name, target)
                    break
        self._fallbacks(solver, order, receiver, name, target)

    def _is_member(self, order: list[Key], definer: Key | None, name: str) -> bool:
        """Whether an attribute of a class is one of an enum's members."""
        if name.startswith("_") or not order or not self.is_enum(order[0]):
            return False
        return definer is None or f"{definer[1]}.{name}" not in self.modules.files[definer[0]].symbols

    def _fallbacks(self, solver: Solver, order: list[Key], receiver: int, name: str, target: int) -> None:
        """Methods of a builtin type that the class builds on; `__getattr__`; the one base outside."""
        for key in order:
            builtin = key[1].removeprefix("<builtin>.")
            if not key[0] and builtin != key[1] and builtin in TYPES:
                method = solver.values.index("external", f"{TYPES[builtin]}.{name}")
                solver.add(target, solver.values.value("bound", method, receiver, level=INFERRED))
                return
        if name in self.stored:
            return
        definer = self.classes.definer(order, "__getattr__")
        if definer is not None and solver.values.kind[receiver] == "instance" and not name.startswith("__"):
            self.run(solver, self.unit(definer[0]), receiver, "__getattr__", [], target)
            return
        outside = [key[1] for key in order if not key[0] and key[1] not in EMPTY_BASES]
        if len(outside) == 1 and not any(key in self.classes.loose for key in order):
            solver.add(target, solver.values.value("external", f"{outside[0]}.{name}", level=INFERRED))

    def run(self, solver: Solver, unit: Unit, receiver: int, name: str, arguments: list[int], result: int) -> None:
        """Call a method of an instance without an edge for it."""
        call = Call(unit, -1, self.member(solver, receiver, name), [(one, False) for one in arguments], [], result)
        solver.watch(call.callee, call)

    def unit(self, path: str) -> Unit:
        """The body of a file, as the place of calls that nobody writes."""
        found = self._units.get(path)
        if found is None:
            file = self.modules.files[path]
            found = self._units[path] = Unit(file, file.symbols.get("") or file.facts.symbols[0])
        return found

    def loose(self, solver: Solver, key: Key) -> int:
        """The variable of the bases of a class that only flow can tell."""
        if key not in self._loose:
            self._loose[key] = solver.fresh()
        return self._loose[key]

    def instance(self, solver: Solver, key: Key) -> int:
        """The index of all instances of a class."""
        found = self._instances.get(key)
        if found is None:
            found = self._instances[key] = solver.values.index("instance", solver.values.index("class", *key))
        return found

    def family(self, solver: Solver, key: Key) -> int:
        """The index of all instances of a class and of those below it, not told apart."""
        return solver.values.index("instance", solver.values.index("class", *key), "family")

    def widened(self, solver: Solver, receiver: int, definer: Key) -> tuple[int, int]:
        """The receiver of a method as its body sees it, and its level: in a large family, all are one."""
        if not self.classes.is_wide(definer) or self.key(solver, receiver) == definer:
            return receiver, EXACT
        if solver.values.kind[receiver] == "instance":
            return self.family(solver, definer), INFERRED
        return solver.values.index("class", *definer), INFERRED

    # -- calls

    def call(self, solver: Solver, value: int, call: Call) -> None:
        """Call a value, by its kind."""
        index, level = value >> 2, max(value & 3, call.level)
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "class":
            self.construct(solver, index, call, level)
        elif call.implicit == "raise":
            return
        elif kind == "function":
            solver.invoke(index, call, level)
        elif kind == "bound":
            self._call_bound(solver, what, call, level)
        elif kind == "external":
            self.outside(solver, what[0], call, level, -1)
        elif kind == "instance":
            solver.watch(self.member(solver, index, "__call__"), Again(self, call, level))
        elif kind == "made":
            self.unknown(solver, call, level)
        elif kind == "other":
            self._call_other(solver, index, what, call, level)

    def _call_bound(self, solver: Solver, what: tuple[Any, ...], call: Call, level: int) -> None:
        kind = solver.values.kind[what[0]]
        if kind == "function":
            solver.invoke(what[0], without_result(call) if len(what) > 2 else call, level, first=what[1] * 4)
        elif kind == "external":
            self.outside(solver, solver.values.what[what[0]][0], call, level, what[1])
        else:
            managed = solver.values.what[what[0]][1]
            solver.invoke(managed, without_result(call), level, first=what[1] * 4)
            self.result(solver, call, ("other", "manager", managed), level)

    def _call_other(self, solver: Solver, index: int, what: tuple[Any, ...], call: Call, level: int) -> None:
        word = what[0]
        if word == "manages":
            solver.invoke(what[1], without_result(call), level)
            self.result(solver, call, ("other", "manager", what[1]), level)
        elif word in ("property.getter", "property.setter", "property.deleter"):
            if call.arguments and call.result >= 0:
                solver.watch(call.arguments[0][0], ChangeProperty(what[1], word, call.result, level))
        elif word in ("staticmethod", "classmethod"):
            solver.invoke(what[1], call, level)
        elif word == "named":
            for name in sorted(self.methods_beginning(solver, what[1], what[2])):
                solver.watch(self.member(solver, what[1], name), Again(self, call, max(level, INFERRED)))
        elif word == "subclasses":
            subclasses(self, solver, what[1], call, level)
        elif word == "callable" and call.result >= 0:
            solver.copy(solver.field(index, "result"), call.result, level)
        elif word == "partial":
            solver.watch(solver.field(index, "func"), CallPartial(self, index, call, level))
        elif word == "returned" and (summary := SUMMARIES.get(f"{what[1]}()")) is not None:
            summary(At(self, solver, call, level, -1))
        elif word == "manager" or word in ("beyond", "returned"):
            self.unknown(solver, call, level)

    def outside(self, solver: Solver, dotted: str, call: Call, level: int, receiver: int) -> None:
        """Call what lies outside: by its summary, or as what is not known."""
        summary = SUMMARIES.get(dotted)
        if summary is not None:
            summary(At(self, solver, call, level, receiver))
            return
        if call.decorates:
            self.unknown(solver, call, level)
        elif call.result >= 0:
            last = dotted.rpartition(".")[2]
            if last[:1].isupper():
                solver.add(call.result, solver.values.value("made", dotted, level=level))
            else:
                solver.add(call.result, solver.values.value("other", "returned", dotted, level=level))

    def unknown(self, solver: Solver, call: Call, level: int) -> None:
        """A call of which nothing is known: a decorator gives back what it decorates, anything else something from
        outside."""
        if call.result < 0:
            return
        if call.decorates and call.arguments:
            solver.copy(call.arguments[0][0], call.result, max(level, INFERRED))
        else:
            solver.add(call.result, solver.values.value(*BEYOND, level=level))

    def result(self, solver: Solver, call: Call, value: tuple[Any, ...], level: int) -> None:
        """Let a call give a value, where somebody wants it."""
        if call.result >= 0:
            solver.add(call.result, solver.values.value(*value, level=level))

    def construct(self, solver: Solver, index: int, call: Call, level: int) -> None:
        """Call a class: its metaclass, `__new__`, `__init__`; without one, what is given by name becomes
        attributes."""
        key = self.key(solver, index)
        solver.note(self.instantiated, key)
        order = self.classes.order(key)
        instance = self.instance(solver, key)
        if call.decorates and key[1].lower().endswith(("property", "reify")):
            solver.watch(call.arguments[0][0], MakeProperty(call.result, max(level, INFERRED)))
        elif call.result >= 0:
            solver.add(call.result, instance * 4 + level)
        for one in order:
            meta = self.classes.metaclass.get(one)
            definer = self.classes.definer(self.classes.order(meta), "__call__") if meta is not None else None
            if definer is not None:
                method = solver.variable(self.modules.files[definer[0]], f"{definer[1]}:__call__")
                solver.watch(method, RunFunction(call, index * 4, level, "implicit"))
                break
        if (maker := self.classes.definer(order, "__new__")) is not None:
            method = solver.variable(self.modules.files[maker[0]], f"{maker[1]}:__new__")
            solver.watch(method, RunFunction(call, index * 4, level, "implicit"))
        maker = self.classes.definer(order, "__init__")
        if maker is not None:
            method = solver.variable(self.modules.files[maker[0]], f"{maker[1]}:__init__")
            receiver, least = self.widened(solver, instance, maker)
            solver.watch(method, RunFunction(without_result(call), receiver * 4 + least, level, ""))
        else:
            self._fill(solver, order, instance, call, level)
        for one in order:
            if one in self.classes.loose:
                solver.watch(self.loose(solver, one), LooseInit(self, instance, without_result(call), level))

    def _fill(self, solver: Solver, order: list[Key], instance: int, call: Call, level: int) -> None:
        """The constructor that a dataclass is given: fields in their order, those of bases first."""
        names: dict[str, None] = {}
        if call.arguments:
            for key in reversed(order):
                symbol = self.modules.files[key[0]].symbols.get(key[1]) if key[0] else None
                for flow in symbol.flows if symbol is not None else ():
                    if flow[0] == "hint" and isinstance(flow[1], str):
                        names[flow[1]] = None
        places = any(key[1] == "typing.NamedTuple" for key in order if not key[0])
        for place, ((variable, spread), name) in enumerate(zip(call.arguments, names, strict=False)):
            if variable >= 0 and not spread:
                solver.copy(variable, solver.field(instance, name), level)
                if places:
                    solver.copy(variable, solver.field(instance, element(place)), level)
        for name, variable in call.keywords:
            if variable >= 0 and name != "**":
                solver.copy(variable, solver.field(instance, name), level)

    def imports(self, file: File) -> Iterator[tuple[str, int, str, tuple[str, ...]]]:
        """Files that a file's imports take, and names outside."""
        for one in file.facts.imports:
            flags = ("type",) if one.types_only else ()
            for name, _ in one.names or (("", ""),):
                found = self.modules.imported(file.path, one.spec, one.level, "" if name == "*" else name)
                if found[0] == "variable" or (
                    found[0] == "external" and self.modules.resolve(file.path, one.spec, one.level)
                ):
                    found = self.modules.resolve(file.path, one.spec, one.level) or found  # type: ignore[assignment]
                if found[0] == "module":
                    yield found[1], one.line, one.owner, flags
                elif found[0] == "external":
                    yield f"ext::{found[1]}", one.line, one.owner, flags

    def extends(self, file: File) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """The bases of a file's classes."""
        for symbol in file.facts.symbols:
            for path, name in self.classes.bases.get((file.path, symbol.name), ()):
                yield symbol.name, f"{path}::{name}" if path else f"ext::{name}", ()

    def is_open(self, solver: Solver, index: int) -> bool:
        """Whether the class of an instance has a base that is not known."""
        kind = solver.values.kind[index]
        if kind == "super":
            index, kind = solver.values.what[index][1], "instance"
            if solver.values.kind[index] == "class":
                kind = "class"
        return kind in ("instance", "class") and self.classes.is_open(self.key(solver, index))

    def targets(self, solver: Solver, value: int, call: Call) -> Iterable[str]:
        """The ids that calling a value calls."""
        index = value >> 2
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "class":
            return self._method_id(self.key(solver, index), "__init__")
        if call.implicit == "raise":
            return ()
        if kind == "bound":
            index = what[0]
            kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "other" and what[0] in ("manages", "staticmethod", "classmethod"):
            index = what[1]
            kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "other" and what[0] == "named":
            key, names = self.key(solver, what[1]), self.methods_beginning(solver, what[1], what[2])
            return [one for name in names for one in self._method_id(key, name)]
        if kind == "function":
            return (f"{what[0]}::{what[1]}",)
        if kind == "external":
            found = f"ext::{what[0]}"
            return () if call.decorates and found in UNSHOWN else (found,)
        if kind == "instance":
            return self._method_id(self.key(solver, index), "__call__")
        return ()

    def _method_id(self, key: Key, name: str) -> tuple[str, ...]:
        definer = self.classes.definer(self.classes.order(key), name)
        if definer is None:
            return ()
        method = f"{definer[1]}.{name}"
        return (f"{definer[0]}::{method}",) if method in self.modules.files[definer[0]].symbols else ()

    # -- elements, contexts

    def item(self, solver: Solver, value: int, key: str | int | None, target: int, place: Place) -> None:
        """`value[key]` of what is no plain container."""
        index, level = value >> 2, value & 3
        kind = solver.values.kind[index]
        if kind == "instance":
            if self.has(solver, index, "__getitem__"):
                self.imply(solver, place, index, "__getitem__", [-1], target, level)
            else:
                take(solver, index, key, target, level)
        elif kind == "module":
            if isinstance(key, str):
                self._of_module(solver, solver.values.what[index][0], key, target, level)
        elif kind in ("class", "literal", "text", "external"):
            texts = kind == "text" or solver.values.what[index] == ("texts",)
            solver.add(target, solver.values.value("literal", "str", level=level) if texts else value)
        elif kind in ("made", "other"):
            solver.add(target, solver.values.value(*BEYOND, level=level))

    def set_item(self, solver: Solver, value: int, key: str | int | None, source: int, place: Place) -> None:
        """`value[key] = source` of what is no plain container."""
        index, level = value >> 2, value & 3
        if solver.values.kind[index] == "instance":
            if self.has(solver, index, "__setitem__"):
                self.imply(solver, place, index, "__setitem__", [-1, source], -1, level)
            else:
                solver.copy(source, solver.field(index, element(key)), level)

    def element(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """What iterating gives."""
        index, level = value >> 2, value & 3
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "container":
            solver.copy(solver.field(index, KEYS if what[0] == "dict" else ANY), target, level)
        elif kind == "generator":
            solver.copy(solver.functions[what[0]].yields, target, level)
        elif kind == "instance":
            self._iterate(solver, index, target, place, level)
        elif kind == "class":
            if self.is_enum((what[0], what[1])):
                solver.add(target, solver.values.value("instance", index, level=level))
        elif kind == "text" or (kind == "literal" and what[0] in ("str", "texts")):
            solver.add(target, solver.values.value("literal", "str", level=level))
        elif kind in ("external", "made", "other"):
            solver.add(target, solver.values.value(*BEYOND, level=level))

    def _iterate(self, solver: Solver, index: int, target: int, place: Place, level: int) -> None:
        awaits = bool(getattr(place, "awaits", False))
        begin, step = ("__aiter__", "__anext__") if awaits else ("__iter__", "__next__")
        if self.has(solver, index, begin):
            iterator = solver.fresh()
            self.imply(solver, place, index, begin, [], iterator, level, flag="iteration")
            solver.watch(iterator, Step(self, place, step, target))
        elif self.has(solver, index, "__getitem__"):
            self.imply(solver, place, index, "__getitem__", [-1], target, level)
        elif self.has(solver, index, step):
            self.imply(solver, place, index, step, [], target, level, flag="iteration")
        elif isinstance(place, Item) and place.unpacks:
            take(solver, index, place.key, target, level)
        else:
            solver.copy(solver.field(index, ANY), target, level)
            solver.copy(solver.field(index, KEYS), target, level)

    def enter(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """What `with` gives: the answer of `__enter__`, the yield of a context manager's generator."""
        index, level = value >> 2, value & 3
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "instance":
            letter = "a" if getattr(place, "awaits", False) else ""
            enter, leave = f"__{letter}enter__", f"__{letter}exit__"
            if not self.has(solver, index, enter):
                solver.add(target, value)
                return
            self.imply(solver, place, index, enter, [], target, level)
            self.imply(solver, place, index, leave, [], -1, level)
        elif kind == "other" and what[0] == "manager":
            solver.copy(solver.functions[what[1]].yields, target, level)
        elif kind in ("made", "other"):
            solver.add(target, value)

    def awaited(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """Waiting for a call of an async function gives what it returns; the call itself is not told apart from
        that."""
        index = value >> 2
        if solver.values.kind[index] == "instance" and self.has(solver, index, "__await__"):
            self.imply(solver, place, index, "__await__", [], -1, value & 3)
        solver.add(target, value)

    def names_beginning(self, solver: Solver, index: int, text: str) -> list[str]:
        """Attributes of a value whose names begin with a text: what classes and modules assign."""
        kind, what = solver.values.kind[index], solver.values.what[index]
        places: list[tuple[File, str]] = []
        if kind == "module":
            places = [(self.modules.files[what[0]], ":")]
        elif kind in ("instance", "class"):
            order = self.classes.order(self.key(solver, index))
            places = [(self.modules.files[key[0]], f"{key[1]}:") for key in order if key[0]]
        self.beginnings.add(text)
        found = {
            key.removeprefix(prefix) for file, prefix in places for key in file.defined if key.startswith(prefix + text)
        }
        return sorted(found) if text else []

    def methods_beginning(self, solver: Solver, index: int, text: str) -> frozenset[str]:
        """Of those, the methods of an instance that are no more than they are written: one value can stand for all."""
        if solver.values.kind[index] != "instance":
            return frozenset()
        order = self.classes.order(self.key(solver, index))
        found = set()
        for name in self.names_beginning(solver, index, text):
            path, owner = self.classes.definer(order, name) or ("", "")
            symbol = self.modules.files[path].symbols.get(f"{owner}.{name}") if path else None
            if symbol is not None and symbol.type == "method" and not symbol.decorators and name not in self.stored:
                found.add(name)
        return frozenset(found)

    def has(self, solver: Solver, index: int, name: str) -> bool:
        """Whether the class of an instance gives a method."""
        return self.classes.definer(self.classes.order(self.key(solver, index)), name) is not None

    def imply(
        self,
        solver: Solver,
        place: Place,
        index: int,
        name: str,
        arguments: list[int],
        result: int,
        level: int,
        flag: str = "implicit",
    ) -> None:
        """Call a special method of an instance, which is not written as a call."""
        callee = self.member(solver, index, name)
        call = Call(place.unit, place.site, callee, [(one, False) for one in arguments], [], result)
        call.implicit, call.level = flag, level
        solver.called(call)
        solver.watch(callee, call)

    # -- classes that flow tells, annotations, super

    def base(self, solver: Solver, value: int, base: Base) -> None:
        """A base that the text did not tell; the hooks that defining a subclass runs."""
        index, level = value >> 2, value & 3
        if solver.values.kind[index] != "class" or not isinstance(base.place, int):
            return
        key, found = self.key(solver, base.index), self.key(solver, index)
        if key in self.classes.loose and found not in self.classes.order(key):
            solver.add(self.loose(solver, key), value)
        definer = self.classes.definer(self.classes.order(found), "__init_subclass__")
        if definer is not None:
            method = solver.variable(self.modules.files[definer[0]], f"{definer[1]}:__init_subclass__")
            call = Call(base.unit, base.site, method, [], [], -1)
            solver.watch(method, RunFunction(call, base.index * 4, level, "implicit"))

    def narrow(self, unit: Unit, hinted: Any, target: int) -> Narrow | None:
        """The rule of a test for classes (`isinstance`, a pattern), None where the text does not tell all of them."""
        parts = hinted[1] if hinted and hinted[0] == "any" else [hinted]
        keys: set[Key] = set()
        for part in parts:
            found = self.classes.named(unit.file, unit.name, part[1]) if part and part[0] == "inst" else []
            if not found or any(self.classes.is_virtual(key) for key in found):
                return None
            keys.update(found)
        return Narrow(self, frozenset(keys), target)

    def hinted(self, solver: Solver, value: int, hint: Hint, target: int) -> None:
        """An instance of what an annotation names, or of a class below it that does something in another way."""
        index = value >> 2
        if solver.values.kind[index] == "external" and solver.values.what[index][0].endswith(".Self"):
            owner = hint.unit.file.class_around(hint.unit.name)
            if owner is not None:
                own = self.instance(solver, (hint.unit.file.path, owner))
                solver.add(target, own * 4 + GUESSED)
            return
        named = self.key(solver, index) if solver.values.kind[index] == "class" else ("", "")
        protocol = any("Protocol" in base for path, base in self.classes.bases.get(named, ()) if not path)
        hinted(solver, value, hint, target, is_protocol=protocol)
        if named[0]:
            if self.classes.is_wide(named):
                solver.add(target, self.family(solver, named) * 4 + GUESSED)
                return
            for key in sorted(self.classes.descendants(named)):
                solver.add(target, self.instance(solver, key) * 4 + GUESSED)

    def statement(self, scope: Any, statement: list[Any]) -> None:
        """Python writes no statements of its own."""

    def special(self, scope: Any, expression: list[Any]) -> int:
        """`super()`: a view of the receiver, and a call of the builtin."""
        if expression[0] != "super":
            return -1
        solver, unit = scope.solver, scope.unit
        result: int = solver.fresh()
        callee = scope.given("external", "<builtin>.super")
        solver.called(Call(unit, expression[1], callee, [], [], -1, expression))
        if len(expression) > 3:
            if (owner_variable := scope.value(expression[2])) >= 0:
                solver.watch(owner_variable, SuperOf(scope.value(expression[3]), result))
            return result
        owner = unit.file.class_around(unit.name)
        method = self._method_around(unit)
        if owner is not None and method is not None and method.positional:
            index = solver.values.index("class", unit.file.path, owner)
            solver.watch(method.positional[0], SuperView(index, result))
        return result

    def _method_around(self, unit: Unit) -> Function | None:
        """The function whose first parameter `super()` means: the nearest with one."""
        name = unit.name
        while name:
            function = unit.file.functions.get(name)
            in_class = unit.file.around(name) == unit.file.class_around(name)
            if function is not None and function.positional and in_class:
                return function
            name = unit.file.around(name)
        return None

    def is_enum(self, key: Key) -> bool:
        """Whether a class's attributes are its instances."""
        return any(
            name.startswith("enum.") or name.endswith((".TextChoices", ".IntegerChoices"))
            for name in self.classes.outside(key)
        )

    def seeds(self, solver: Solver, grounds: Grounds) -> Iterable[Seed]:
        """Where flow says nothing: see `python_seeds`."""
        if grounds.whole:
            self.seen = frozenset(self.instantiated)
        return seeds(self, solver, grounds)
