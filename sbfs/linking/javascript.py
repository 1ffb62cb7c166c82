"""What JavaScript and TypeScript say about values: members along prototypes, receivers, construction, modules.

An object's own members are fields of its value; what it inherits is found through the field PARENT of what made it: of
a class its bases, of a prototype object the objects behind it. Where the text tells that a class or constructor has a
member of its own, the search ends there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sbfs.linking.javascript_forms import special
from sbfs.linking.javascript_globals import COMMON, GLOBALS, OBJECT
from sbfs.linking.javascript_guesses import seed
from sbfs.linking.javascript_library import library
from sbfs.linking.javascript_modules import Modules, outside
from sbfs.linking.javascript_rules import (
    Borrow,
    Extend,
    Handlers,
    Implement,
    ItemOf,
    Iterated,
    Next,
    PassComponent,
    Resolve,
    RunMethod,
    RunSetter,
    Take,
    Up,
    UpConstructor,
    View,
)
from sbfs.linking.rules import Base, Call, Hint, Implied, Load, Place, Store, each, element
from sbfs.linking.seeds import Whole
from sbfs.linking.tables import File, Project, Unit, is_body
from sbfs.linking.values import ANY, EXACT, GUESSED, INFERRED, KEYS, REST, at_least

if TYPE_CHECKING:
    from sbfs.linking.flows import Scope
    from sbfs.linking.seeds import Grounds, Seed
    from sbfs.linking.solver import Solver

ALL = "[all"
"""Field of a module: what `module.exports = …` made of it."""
PARENT = "^"
BELOW = "<below>"
"""Field of a class or interface: the classes that extend or implement it."""
LONGEST = 6
"""Dots in a name outside after which it does not grow."""
BORROWED = ("call", "apply", "bind")

NESTED = 3
"""Calls by summaries within calls by summaries at one place."""
SORTS = {
    "list": "Array",
    "tuple": "Array",
    "set": "Set",
    "map": "Map",
    "promise": "Promise",
    "weak": "Map",
    "pairs": "Array",
    "dict": "Map",
}


class JavaScript:
    """The policy of JavaScript, TypeScript and their variants."""

    languages: tuple[str, ...] = ("javascript", "jsx", "typescript", "tsx", "config")
    everything = "arguments"
    common = COMMON
    implies_definitions = False

    def prepare(self, project: Project) -> None:
        """Make the tables of modules, classes and accessors."""
        self.files = {path: file for path, file in project.files.items() if file.policy is self}
        configs = {path: file.facts.config for path, file in self.files.items() if file.language == "config"}
        self.modules = Modules(project.files, configs)
        self.exports: dict[str, set[str]] = {}
        self.members: dict[tuple[str, str], set[str]] = {}
        self.statics: dict[tuple[str, str], set[str]] = {}
        self.accessors: set[str] = set()
        self.setters: set[tuple[str, str]] = set()
        self.prototyped: set[tuple[str, str, str]] = set()
        self.scripts: dict[str, list[File]] = {}
        self.stored = {name for file in self.files.values() for name in file.stored}
        self._members: dict[tuple[int, str, bool], int] = {}
        self._raw: dict[tuple[int, str], int] = {}
        self._inherited: dict[tuple[int, str], int] = {}
        self._constructors: dict[int, int] = {}
        self._units: dict[str, Unit] = {}
        self.said: dict[tuple[str, str, int], Hint] = {}
        self.held: dict[tuple[str, str, int], Call] = {}
        self.decorated: list[tuple[int, int]] = []
        self.solved: Solver | None = None
        for file in self.files.values():
            self._tables(file)

    def _tables(self, file: File) -> None:
        exports = self.exports[file.path] = set()
        for symbol in file.facts.symbols:
            for flow in symbol.flows:
                if flow[0] == "export":
                    exports.add(flow[1])
                elif flow[0] == "=" and _on_prototype(flow[1]):
                    self.prototyped.add((file.path, flow[1][1][1].rpartition(":")[2], flow[1][2]))
            if "property" in symbol.flags or "setter" in symbol.flags:
                word = symbol.name.rpartition(".")[2].partition("#2")[0]
                self.accessors.add(word)
                if "setter" in symbol.flags:
                    self.setters.add((file.path, word))
            if is_body(symbol):
                key = (file.path, symbol.name)
                own, static = self.members[key], self.statics[key] = set[str](), set[str]()
                for flow in symbol.flows:
                    if flow[0] == "=" and isinstance(flow[1], str) and flow[1][0] != "~":
                        own.add(flow[1])
                    elif flow[0] == "=" and flow[1][0] == "attr" and flow[1][1] == ["self"]:
                        static.add(flow[1][2])
        if file.language != "config" and not exports and not file.facts.imports:
            for name in file.defined:
                if name[0] == ":":
                    self.scripts.setdefault(name[1:], []).append(file)

    # -- names

    def imported(self, solver: Solver, place: Place, spec: str, level: int, name: str, target: int) -> None:
        """What an import gives: a module, or what one exports under a name."""
        path = self.modules.resolve(place.unit.file.path, spec, required=level == 1)
        if path is None:
            dotted = outside(spec)
            full = dotted if name in ("", "*default") else f"{dotted}.{name}"
            solver.add(target, solver.values.value("external", full))
        elif path in self.files:
            self.give(solver, path, name, target)
            if name not in ("", "*default"):
                all_of = solver.field(solver.values.index("module", path), ALL)
                solver.watch(all_of, Load(place.unit, -1, -1, name, target, called=False))

    def give(self, solver: Solver, path: str, name: str, target: int, level: int = EXACT) -> None:
        """Let what a module exports flow into a variable: "" is the module itself, "*default" its default."""
        index = solver.values.index("module", path)
        exports = self.exports.get(path, set())
        if name == "" or (name == "*default" and "default" not in exports):
            solver.add(target, index * 4 + level)
            solver.copy(solver.field(index, ALL), target, level)
            return
        self.exported(solver, path, name.removeprefix("*"), target, level)

    def exported(self, solver: Solver, path: str, name: str, target: int, level: int = EXACT) -> None:
        """Let an exported name flow into a variable: the module's own, or what it hands on from others."""
        index = solver.values.index("module", path)
        solver.copy(solver.field(index, element(name)), target, level)
        if name in self.exports.get(path, ()):
            return
        found, foreign = self.through_stars(path, name)
        for other in found:
            solver.copy(
                solver.field(solver.values.index("module", other), element(name)),
                target,
                level if len(found) == 1 else max(level, INFERRED),
            )
        if not found:
            for dotted in foreign:
                solver.add(target, solver.values.value("external", f"{dotted}.{name}", level=max(level, INFERRED)))

    def through_stars(self, path: str, name: str) -> tuple[list[str], list[str]]:
        """The files that give a name through `export *`, and the packages outside that might."""
        found: list[str] = []
        foreign: list[str] = []
        waiting, seen = [path], {path}
        while waiting and name != "default":
            one = waiting.pop()
            if one != path and name in self.exports.get(one, ()):
                found.append(one)
                continue
            for spec, level in self.files[one].stars if one in self.files else ():
                target = self.modules.resolve(one, spec, required=level == 1)
                if target is None:
                    foreign.append(outside(spec))
                elif target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return sorted(found), sorted(foreign)

    def free(self, solver: Solver, file: File, name: str, target: int) -> None:
        """A name that its module does not bind: another script's, the language's, or the host's."""
        for other in self.scripts.get(name, ()):
            if other is not file:
                solver.copy(solver.variable(other, f":{name}"), target, INFERRED)
        if name in self.scripts:
            return
        solver.add(target, solver.values.value("external", f"<builtin>.{name}" if name in GLOBALS else name))

    # -- members

    def load(self, solver: Solver, value: int, load: Load) -> None:
        """A member, by the kind of what it is of."""
        index, level, name, target = value >> 2, value & 3, load.name, load.target
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind in ("object", "instance", "class", "function"):
            solver.copy(self.member(solver, index, name, load.called), target, level)
            if name in self.accessors:
                solver.watch(solver.field(index, f"<get>{name}"), Implied(load, "implicit"))
        elif kind == "module":
            self.exported(solver, what[0], name, target, level)
            solver.watch(solver.field(index, ALL), load)
        elif kind == "external":
            self._of_external(solver, what[0], name, target, level)
        elif kind == "made":
            solver.add(target, solver.values.value("external", longer(what[0], name), level=max(level, INFERRED)))
        elif kind in ("container", "literal", "text", "generator"):
            self._of_builtin(solver, index, name, target, level)
        elif kind == "bound":
            self._of_bound(solver, index, name, target, level)
        elif kind == "other" and what[0] == "prototype":
            solver.copy(self.member(solver, index, name, load.called), target, level)
        elif kind == "other" and what[0] == "parent":
            solver.watch(what[2], View(self, what[1], name, target, load.called, level))

    def _of_external(self, solver: Solver, dotted: str, name: str, target: int, level: int) -> None:
        if name in BORROWED:
            index = solver.values.index("external", dotted)
            solver.add(target, solver.values.value("other", name, index, level=level))
        elif name == "prototype" and dotted.startswith("<builtin>."):
            solver.add(target, solver.values.value("external", dotted, level=level))
        else:
            solver.add(target, solver.values.value("external", longer(dotted, name), level=level))

    def _of_builtin(self, solver: Solver, index: int, name: str, target: int, level: int) -> None:
        kind, what = solver.values.kind[index], solver.values.what[index]
        sort = "String" if kind == "text" else "Generator" if kind == "generator" else SORTS.get(what[0], what[0])
        if kind == "container":
            solver.copy(solver.field(index, element(name)), target, level)
        method = solver.values.index("external", f"<builtin>.{sort}.{name}")
        solver.add(target, solver.values.value("bound", method, index, level=level))

    def _of_bound(self, solver: Solver, index: int, name: str, target: int, level: int) -> None:
        function = solver.values.what[index][0]
        if name in BORROWED:
            solver.add(target, solver.values.value("other", name, index, level=level))
        elif solver.values.kind[function] == "function":
            solver.copy(self.member(solver, function, name, called=False), target, level)

    def member(self, solver: Solver, index: int, name: str, called: bool) -> int:
        """The variable of a member as seen through a value: accessors run; where it is called, functions are bound."""
        key = (index, name, called)
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = solver.fresh()
            solver.watch(self.raw(solver, index, name), Take(self, index, name, found, called))
        return found

    def raw(self, solver: Solver, index: int, name: str) -> int:
        """The variable of a member as it is: what a value has of its own, and what it inherits."""
        key = (index, name)
        found = self._raw.get(key)
        if found is None:
            found = self._raw[key] = solver.fresh()
            self._look(solver, index, name, found)
        return found

    def _look(self, solver: Solver, index: int, name: str, target: int) -> None:
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "object":
            solver.copy(solver.field(index, element(name)), target)
            solver.copy(solver.field(index, REST), target)
            solver.watch(solver.field(index, PARENT), Up(self, name, target, statics=True))
            if name in OBJECT:
                solver.add(target, solver.values.value("external", f"<builtin>.Object.{name}"))
        elif kind == "instance":
            solver.copy(solver.field(index, f".{name}"), target)
            solver.copy(self.inherited(solver, what[0], name), target)
            if name == "constructor":
                solver.add(target, what[0] * 4)
            elif name in OBJECT:
                solver.add(target, solver.values.value("external", f"<builtin>.Object.{name}"))
        elif kind in ("class", "function"):
            self._static(solver, index, name, target)
        elif kind == "other" and what[0] == "prototype":
            solver.copy(self.inherited(solver, what[1], name), target)
        elif kind == "external":
            solver.add(target, solver.values.value("external", longer(what[0], name)))
        elif kind == "made":
            solver.add(target, solver.values.value("external", longer(what[0], name), level=INFERRED))

    def _static(self, solver: Solver, index: int, name: str, target: int) -> None:
        solver.copy(solver.field(index, f".{name}"), target)
        if name == "prototype":
            solver.add(target, solver.values.value("other", "prototype", index))
        elif name in BORROWED:
            solver.add(target, solver.values.value("other", name, index))
        elif solver.values.kind[index] == "class" and name not in self.statics.get(solver.values.what[index], ()):
            solver.watch(solver.field(index, PARENT), Up(self, name, target, statics=True))

    def inherited(self, solver: Solver, maker: int, name: str) -> int:
        """The variable of a member that the instances of a class or constructor inherit."""
        key = (maker, name)
        found = self._inherited.get(key)
        if found is None:
            found = self._inherited[key] = solver.fresh()
            self._inherit(solver, maker, name, found)
        return found

    def _inherit(self, solver: Solver, maker: int, name: str, target: int) -> None:
        kind, what = solver.values.kind[maker], solver.values.what[maker]
        if kind not in ("class", "function"):
            if name[0] != "#" and name not in self.stored:
                solver.add(target, solver.values.value("other", "beyond", longer(what[0], name)))
            return
        prototype = solver.values.index("other", "prototype", maker)
        solver.copy(solver.field(prototype, f".{name}"), target)
        file = self.files[what[0]]
        if kind == "class" and name in self.members.get(what, ()):
            solver.copy(solver.variable(file, f"{what[1]}:{name}"), target)
            return
        if kind == "function" and (what[0], what[1].rpartition(".")[2], name) in self.prototyped:
            return
        solver.watch(solver.field(prototype, PARENT), Up(self, name, target))
        if kind == "class":
            solver.watch(solver.field(maker, PARENT), Up(self, name, target))

    def store(self, solver: Solver, value: int, store: Store) -> None:
        """A member is set."""
        index, level, name = value >> 2, value & 3, store.name
        kind, what = solver.values.kind[index], solver.values.what[index]
        if name == "__proto__":
            solver.copy(store.source, solver.field(index, PARENT), level)
        elif kind == "module":
            solver.copy(store.source, solver.field(index, element(name)), level)
            solver.watch(solver.field(index, ALL), store)
        elif kind == "object" and what[0][2:3] == ("decorator",):
            solver.copy(store.source, solver.field(index, f"<set>{name}"), level)
        elif kind in ("object", "container"):
            if not self._sets(solver, index, what[0][0] if kind == "object" else "", store, level):
                solver.copy(store.source, solver.field(index, element(name)), level)
        elif kind == "instance":
            if not self._sets(solver, index, solver.values.what[what[0]][0], store, level):
                solver.copy(store.source, solver.field(index, f".{name}"), level)
        elif kind in ("class", "function"):
            if name == "prototype":
                solver.copy(store.source, solver.field(solver.values.index("other", "prototype", index), PARENT), level)
            elif not self._sets(solver, index, what[0], store, level):
                solver.copy(store.source, solver.field(index, f".{name}"), level)
        elif kind == "bound" and solver.values.kind[what[0]] == "function":
            solver.copy(store.source, solver.field(what[0], f".{name}"), level)
        elif kind == "other" and what[0] == "prototype":
            solver.copy(store.source, solver.field(index, f".{name}"), level)

    def _sets(self, solver: Solver, index: int, path: str, store: Store, level: int) -> bool:
        """Run setters, if any have the name. Returns whether the file of the value has one: then nothing is stored."""
        if store.name in self.accessors:
            solver.watch(self.raw(solver, index, store.name), RunSetter(self, index, store, level))
        return (path, store.name) in self.setters

    # -- calls

    def call(self, solver: Solver, value: int, call: Call) -> None:
        """Call a value, by its kind."""
        index, level = value >> 2, max(value & 3, call.level)
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "function":
            self.run(solver, index, call, level, -1)
        elif kind == "bound":
            if solver.values.kind[what[0]] == "function":
                self.run(solver, what[0], call, level, what[1] * 4)
            else:
                self.outside(solver, solver.values.what[what[0]][0], call, level, what[1])
        elif kind == "class":
            if call.new or call.implicit == "renders":
                self.construct(solver, index, call, level)
        elif kind == "external":
            self.outside(solver, what[0], call, level, -1)
        elif kind == "module":
            solver.watch(solver.field(index, ALL), call)
        elif kind == "literal" and what[0] == "Element" and call.arguments:
            solver.watch(call.arguments[0][0], Handlers(self, call))
        elif kind == "other":
            self._call_other(solver, what, call, level)

    def _call_other(self, solver: Solver, what: tuple[Any, ...], call: Call, level: int) -> None:
        if what[0] == "parent":
            solver.watch(what[2], UpConstructor(self, what[1], without_result(call), level))
        elif what[0] in BORROWED:
            library(self, solver, f"Function.{what[0]}", call, level, what[1])
        elif what[0] == "held":
            held, receiver = self.held[what[1]], what[3]
            again = Call(
                call.unit, call.site, call.callee, [*held.arguments[1:], *call.arguments], call.keywords, call.result
            )
            again.level, again.new, again.depth = level, call.new, call.depth
            again.texts = {place - 1: text for place, text in held.texts.items() if place}
            self.with_receiver(solver, what[2], again, level, receiver)
        elif what[0] == "said" and call.result >= 0:
            for one in self.said[what[1]].parts[-1]:
                one.tell(solver, call.result)
        elif what[0] == "resolver" and call.arguments:
            self.settle(solver, call.arguments[0][0], solver.field(what[1], REST), level)

    def run(self, solver: Solver, index: int, call: Call, level: int, this: int) -> None:
        """Call a function of the project. this: its receiver as a value, or -1."""
        function = solver.functions.get(index)
        if function is None:
            return
        if call.new and this < 0 or call.new and function.symbol.type != "method":
            this = solver.values.value("instance", index)
            if call.result >= 0:
                solver.add(call.result, this + level)
        if "async" in function.symbol.flags and not function.generator:
            path, name = solver.values.what[index]
            promise = solver.values.index("container", "promise", (path, name, "async"))
            self.settle(solver, function.returns, solver.field(promise, REST), EXACT)
            if call.result >= 0:
                solver.add(call.result, promise * 4 + level)
            call = without_result(call)
        solver.invoke(index, call, level, this=this)

    def with_receiver(self, solver: Solver, index: int, call: Call, level: int, receiver: int) -> None:
        """Call a value, every value of a variable being its receiver; -1 for none."""
        if solver.values.kind[index] == "bound":
            self.call(solver, index * 4 + level, call)
        elif solver.values.kind[index] == "function":
            function = solver.functions.get(index)
            if function is not None and receiver >= 0:
                solver.copy(receiver, function.this, level)
            self.run(solver, index, call, level, -1)
        elif solver.values.kind[index] == "external":
            dotted = solver.values.what[index][0]
            if receiver >= 0:
                solver.watch(receiver, Borrow(self, dotted, call, level))
            else:
                self.outside(solver, dotted, call, level, -1)
        elif solver.values.kind[index] == "class":
            self.call(solver, index * 4 + level, call)

    def construct(self, solver: Solver, index: int, call: Call, level: int) -> None:
        """Make an instance: its class's constructor runs, or the nearest above."""
        instance = solver.values.index("instance", index)
        if call.result >= 0:
            solver.add(call.result, instance * 4 + level)
        if call.implicit == "renders":
            if call.arguments:
                solver.copy(call.arguments[0][0], solver.field(instance, ".props"), level)
            inner = Call(call.unit, call.site, -1, [], [], -1)
            solver.watch(self.member(solver, instance, "render", called=True), RunMethod(self, inner, level))
        self.initialize(solver, index, instance * 4, without_result(call), level)

    def initialize(self, solver: Solver, maker: int, receiver: int, call: Call, level: int) -> None:
        """Run the constructor that a class has or inherits on a receiver; fields of the class see that receiver."""
        kind, what = solver.values.kind[maker], solver.values.what[maker]
        if kind == "class":
            solver.add(solver.variable(self.files[what[0]], f"{what[1]}:<this>"), at_least(receiver, level))
        solver.watch(self.constructor(solver, maker), RunMethod(self, call, level, receiver))

    def constructor(self, solver: Solver, maker: int) -> int:
        """The variable of the function that makes a class's instances: its own, or the nearest above."""
        found = self._constructors.get(maker)
        if found is None:
            found = self._constructors[maker] = solver.fresh()
            kind, what = solver.values.kind[maker], solver.values.what[maker]
            if kind in ("function", "external"):
                solver.add(found, maker * 4)
            elif kind == "class" and "constructor" in self.members.get(what, ()):
                solver.copy(solver.variable(self.files[what[0]], f"{what[1]}:constructor"), found)
            elif kind == "class":
                solver.watch(solver.field(maker, PARENT), Extend(self, found))
        return found

    def outside(self, solver: Solver, dotted: str, call: Call, level: int, receiver: int) -> None:
        """Call what lies outside. receiver: index of the value that it is a method of, or -1."""
        if library(self, solver, dotted.removeprefix("<builtin>."), call, level, receiver) or call.result < 0:
            return
        if len(call.arguments) == 1 and not dotted.startswith("<builtin>."):
            solver.watch(call.arguments[0][0], PassComponent(call.result))
        word = dotted
        if "()" in dotted or not (call.new or dotted.rpartition(".")[2][:1].isupper()):
            word = dotted.partition("()")[0] + "()"
        solver.add(call.result, solver.values.value("made", word, level=level))

    def callback(
        self,
        solver: Solver,
        call: Call,
        function: int,
        arguments: list[int],
        result: int = -1,
        *,
        level: int = INFERRED,
    ) -> None:
        """What is called is said to call a value of its own: a call at the same place."""
        if call.depth >= NESTED:
            # What calls what it is given may be given itself, without an end.
            return
        inner = Call(call.unit, call.site, function, [(one, False) for one in arguments], [], result)
        inner.level, inner.depth = max(level, INFERRED), call.depth + 1
        solver.called(inner)
        solver.watch(function, inner)

    def settle(self, solver: Solver, source: int, target: int, level: int) -> None:
        """Let values flow as a promise is settled with them: of promises, what they promise."""
        solver.watch(source, Resolve(target, level))

    def targets(self, solver: Solver, value: int, call: Call) -> Iterable[str]:
        """What calling a value calls."""
        index = value >> 2
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "bound":
            yield from self.targets(solver, what[0] * 4, call)
        elif kind == "function" or kind == "class" and call.implicit == "renders":
            yield f"{what[0]}::{what[1]}"
        elif kind == "class" and call.new:
            yield from self._made_by(solver, self._constructors.get(index))
        elif kind == "external" and "()" not in what[0]:
            yield f"ext::{what[0]}"
        elif kind == "module":
            for one in solver.sets[solver.field(index, ALL)]:
                yield from self.targets(solver, one, call)
        elif kind == "other" and what[0] == "parent":
            yield from self._above(solver, what[1])
        elif kind == "other" and what[0] in ("call", "apply"):
            yield from self.targets(solver, what[1] * 4, call)
        elif kind == "other" and what[0] == "held":
            yield from self.targets(solver, what[2] * 4, call)

    def _made_by(self, solver: Solver, variable: int | None) -> Iterator[str]:
        """Ids of the constructors that a variable holds."""
        for value in sorted(solver.sets[variable]) if variable is not None else ():
            kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
            if kind == "function":
                yield f"{what[0]}::{what[1]}"
            elif kind == "external":
                yield f"ext::{what[0]}"

    def _above(self, solver: Solver, index: int) -> Iterator[str]:
        """Ids of the constructors that `super(…)` in a class may run."""
        for value in sorted(solver.sets[solver.field(index, PARENT)]):
            yield from self._made_by(solver, self._constructors.get(value >> 2))

    # -- elements

    def item(self, solver: Solver, value: int, key: str | int | None, target: int, place: Place) -> None:
        """An element of what is no plain container."""
        index, level = value >> 2, value & 3
        kind = solver.values.kind[index]
        if kind == "module":
            solver.copy(solver.field(index, ANY if key is None else element(key)), target, level)
            solver.watch(solver.field(index, ALL), ItemOf(self, key, target, place))
        elif kind == "generator" and isinstance(key, int):
            self.element(solver, value, target, place)
        elif kind == "function" and key is None:
            solver.copy(solver.field(index, REST), target, level)

    def set_item(
        self,
        solver: Solver,
        value: int,
        key: str | int | None,  # noqa: ARG002
        source: int,
        place: Place,  # noqa: ARG002
    ) -> None:
        """An element of what is no plain container is set."""
        index, level = value >> 2, value & 3
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "module" or kind == "other" and what[0] == "prototype" or kind in ("instance", "class", "function"):
            solver.copy(source, solver.field(index, REST), level)

    def element(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """What iterating gives."""
        index, level = value >> 2, value & 3
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "container" and what[0] in ("map", "dict"):
            solver.add(target, self.pairs(solver, index) * 4 + level)
        elif kind == "container":
            each(solver, values=1, index=index, target=target, level=level)
        elif kind == "generator":
            function = solver.functions.get(what[0])
            if function is not None:
                solver.copy(function.yields, target, level)
        elif kind in ("instance", "object"):
            self._iterate(solver, index, target, place, level)

    def _iterate(self, solver: Solver, index: int, target: int, place: Place, level: int) -> None:
        for name in ("[Symbol.iterator]", "[Symbol.asyncIterator]"):
            made = solver.fresh()
            call = Call(place.unit, place.site, self.member(solver, index, name, called=True), [], [], made)
            call.level = level
            solver.watch(call.callee, call)
            solver.watch(call.callee, Iterated(place))
            solver.watch(made, Next(self, place, target))

    def pairs(self, solver: Solver, index: int) -> int:
        """The [key, value] lists of a map: one list for all."""
        pair = solver.values.index("container", "pairs", ("pairs", index))
        solver.copy(solver.field(index, KEYS), solver.field(pair, element(0)))
        solver.copy(solver.field(index, ANY), solver.field(pair, element(1)))
        return pair

    def enter(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """The language has no such contexts."""

    def awaited(self, solver: Solver, value: int, target: int, place: Place) -> None:  # noqa: ARG002
        """What a promise promises; anything else as it is."""
        Resolve(target).react(solver, value)

    # -- classes and types

    def base(self, solver: Solver, value: int, base: Base) -> None:
        """What a class extends."""
        if solver.values.kind[value >> 2] in ("class", "function", "external", "made"):
            solver.add(solver.field(base.index, PARENT), value)
            if solver.values.kind[value >> 2] == "class":
                own, above = solver.values.what[base.index], solver.values.what[value >> 2]
                below = solver.variable(self.files[own[0]], f"{own[1]}:<this>")
                solver.copy(below, solver.variable(self.files[above[0]], f"{above[1]}:<this>"))
            solver.add(solver.field(value >> 2, BELOW), base.index * 4 + INFERRED)

    def hinted(self, solver: Solver, value: int, hint: Hint, target: int) -> None:
        """An annotation: an instance of a class, or of what the language gives."""
        index = value >> 2
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind in ("class", "function"):
            solver.add(target, solver.values.value("instance", index, level=GUESSED))
        elif kind == "external":
            self._hinted_outside(solver, what[0], hint, target)

    def _hinted_outside(self, solver: Solver, dotted: str, hint: Hint, target: int) -> None:
        word = dotted.removeprefix("<builtin>.")
        sort = {
            "Array": "list",
            "ReadonlyArray": "list",
            "Set": "set",
            "Map": "map",
            "Promise": "promise",
            "Iterable": "list",
        }.get(word)
        if word == dotted:
            solver.add(target, solver.values.value("made", dotted, level=GUESSED))
        elif word == "Function" and hint.parts:
            self.said[hint.place] = hint
            solver.add(target, solver.values.value("other", "said", hint.place, level=GUESSED))
        elif word == "Record":
            made = solver.values.index("object", hint.place)
            solver.add(target, made * 4 + GUESSED)
            for one in hint.parts[-1] if hint.parts else ():
                one.tell(solver, solver.field(made, REST))
        elif sort is not None:
            made = solver.values.index("container", sort, hint.place)
            solver.add(target, made * 4 + GUESSED)
            for part in hint.parts[-1:]:
                for one in part:
                    one.tell(solver, solver.field(made, REST))
        elif word in ("String", "Number", "RegExp"):
            solver.add(target, solver.values.value("literal", word, level=GUESSED))
        elif word not in ("Function", "Object"):
            solver.add(target, solver.values.value("made", dotted, level=GUESSED))

    # -- forms of this language alone

    def statement(self, scope: Scope, statement: list[Any]) -> None:
        """`export`, `implements`."""
        solver, kind = scope.solver, statement[0]
        if kind == "export":
            index = solver.values.index("module", scope.file.path)
            source = scope.value(statement[2])
            if source >= 0:
                solver.copy(source, solver.field(index, ALL if statement[1] == "*" else element(statement[1])))
        elif kind == "include":
            source = scope.value(statement[2])
            if source >= 0:
                own = solver.values.index("class", scope.file.path, scope.unit.name)
                solver.watch(source, Implement(own))

    def special(self, scope: Scope, expression: list[Any]) -> int:
        """Forms that only this language writes."""
        return special(self, scope, expression)

    # -- what edges are made of

    def imports(self, file: File) -> Iterable[tuple[str, int, str, tuple[str, ...]]]:
        """Edges from a file to what it imports."""
        for one in file.facts.imports:
            path = self.modules.resolve(file.path, one.spec, required=one.level == 1)
            flags = ("type",) if one.types_only else ()
            yield path if path is not None else f"ext::{outside(one.spec)}", one.line, one.owner, flags

    def extends(self, file: File) -> Iterable[tuple[str, str, tuple[str, ...]]]:
        """Edges from classes to what they extend and implement."""
        solver = self.solved
        for symbol in file.facts.symbols if solver is not None else ():
            if not is_body(symbol) or solver is None:
                continue
            index = solver.values.index("class", file.path, symbol.name)
            for name, flags in ((PARENT, ()), ("<implements>", ("implements",))):
                for value in sorted(solver.sets[solver.field(index, name)]):
                    kind, what = solver.values.kind[value >> 2], solver.values.what[value >> 2]
                    target = f"{what[0]}::{what[1]}" if kind in ("class", "function") else f"ext::{what[0]}"
                    yield symbol.name, target, flags

    def seeds(self, _solver: Solver, _grounds: Grounds) -> Iterable[Seed]:
        """All as one."""
        return (Whole(self.seed),)

    def seed(self, solver: Solver) -> None:
        """Give methods that nobody calls their receivers; ask annotations and interfaces what flow left open."""
        seed(self, solver)

    def is_open(self, solver: Solver, index: int) -> bool:
        """Whether a member may come from what lies outside."""
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind in ("external", "made"):
            return True
        if kind != "instance":
            return False
        waiting, seen = [what[0]], set[int]()
        while waiting:
            maker = waiting.pop()
            if solver.values.kind[maker] in ("external", "made"):
                return True
            if maker not in seen:
                seen.add(maker)
                waiting.extend(value >> 2 for value in solver.sets[solver.field(maker, PARENT)])
        return False

    def unit(self, path: str) -> Unit:
        """The body of a file, as the place of calls that nobody writes."""
        found = self._units.get(path)
        if found is None:
            file = self.files[path]
            found = self._units[path] = Unit(file, file.symbols[""])
        return found


def _on_prototype(target: Any) -> bool:
    """Whether an assignment's target is `A.prototype.name`."""
    if not isinstance(target, list) or target[0] != "attr" or not isinstance(target[1], list):
        return False
    return target[1][0] == "attr" and target[1][2] == "prototype" and isinstance(target[1][1], str)


def longer(dotted: str, name: str) -> str:
    """A member of what lies outside. A long name stays as it is; of what a call gave, only the call is remembered."""
    before, called, _ = dotted.partition("()")
    if called:
        return f"{before}().{name}"
    return dotted if dotted.count(".") >= LONGEST else f"{dotted}.{name}"


def without_result(call: Call) -> Call:
    """The same call, of which nobody wants the result."""
    if call.result < 0:
        return call
    same = Call(call.unit, call.site, call.callee, call.arguments, call.keywords, -1, call.expression)
    same.texts, same.level, same.new, same.implicit = call.texts, call.level, call.new, call.implicit
    same.depth = call.depth
    same.depth = call.depth
    return same
