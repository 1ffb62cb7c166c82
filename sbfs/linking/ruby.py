"""What Ruby says about values: constants, how a method is found, what calling does.

An attribute of a thing is always a method that is called, or a variable (`@x`, `@@x`) or a constant (a capital).
Methods are found by `Classes`; what a body holds under a name reaches the caller bound to its receiver. The receiver
`this` of a method is what it is called on; where nobody calls it, an instance of its class, and for a module of whoever
includes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sbfs.linking.ruby_builtins import CLASS_METHODS, COMMON, KERNEL, OBJECT, TYPES, Runs, call_given, summarize
from sbfs.linking.ruby_classes import CORE, Classes, Held, RubyClass, words
from sbfs.linking.ruby_methods import METHODS
from sbfs.linking.ruby_paths import Extended, Imported, Paths, extends, imports
from sbfs.linking.rules import Base, Call, Hint, Load, Place, Store, element
from sbfs.linking.seeds import Whole
from sbfs.linking.values import EXACT, GUESSED, INFERRED, REST, at_least

if TYPE_CHECKING:
    from sbfs.code.facts import Facts
    from sbfs.linking.flows import Scope
    from sbfs.linking.seeds import Grounds, Seed
    from sbfs.linking.solver import Solver
    from sbfs.linking.tables import File, Project, Unit

NEW, SILENT, MAIN = "new", "silent", "main"
"""Words of values that only Ruby has: a class's `new`, what is called without an edge, `self` outside of any class."""
FAMILY = 8
"""A method of a class with more heirs than this sees all of its receivers as one."""
WIDE = 16
"""Overrides beyond this number are not followed from a receiver that is only guessed."""


class Ruby:
    """The policy of Ruby."""

    languages: tuple[str, ...] = ("ruby",)
    everything = ""
    implies_definitions = False
    common = COMMON

    def prepare(self, project: Project) -> None:
        """Make the tables of classes and constants."""
        self.files = {path: file for path, file in project.files.items() if file.language in self.languages}
        self.classes = Classes(self.files.values())
        self.paths = Paths(self.files)
        self._imports: dict[str, tuple[Facts, list[Imported]]] = {}
        self._found: dict[tuple[RubyClass, str, bool], list[Held]] = {}

    # -- names

    def imported(self, solver: Solver, place: Place, spec: str, level: int, name: str, target: int) -> None:
        """Nothing: `require` gives no value."""

    def free(self, solver: Solver, file: File, name: str, target: int) -> None:
        """Nothing: a name that is no local is a call."""

    def statement(self, scope: Scope, statement: list[Any]) -> None:
        """What is mixed in is in the tables; here its hook runs (`included` and the like)."""
        hook = {"include": "included", "prepend": "prepended", "extend": "extended"}.get(statement[1])
        owner = self.classes.by_site.get((scope.file.path, scope.unit.name))
        if statement[0] != "include" or hook is None or owner is None:
            return
        module = self.classes.static(statement[2])
        if isinstance(module, RubyClass):
            self._run_hook(scope.solver, scope, module, hook, owner)

    def _run_hook(self, solver: Solver, place: Place, one: RubyClass, hook: str, told: RubyClass) -> None:
        """A class's own method that Ruby calls when something is built on it, with what that is."""
        held = self.find(one, hook, own=True)
        if not held:
            return
        argument = solver.fresh()
        solver.add(argument, solver.values.value("class", *self.site(told)))
        receiver = solver.values.index("class", *self.site(one))
        for file, key, _ in held:
            call = Call(place.unit, place.site, -1, [(argument, False)], [], -1)
            solver.watch(solver.variable(file, key), Runs(receiver, call, EXACT, "implicit"))

    def special(self, scope: Scope, expression: list[Any]) -> int:
        """Constants, `self` outside of methods, operators, `super`, and what is only inferred."""
        kind = expression[0]
        if kind == "const":
            return self._constant(scope, expression[1], expression[2])
        if kind == "own":
            one = self.classes.of_site(scope.file, scope.unit.name)
            return scope.given("class", *self.site(one))
        if kind == "main":
            return scope.given("other", MAIN)
        if kind == "op":
            return self._operator(scope, expression)
        if kind == "above":
            return self._above(scope, expression[2])
        if kind == "sends":
            self._looks_up(scope)
            return int(scope.call(expression[1], wanted=True))
        if kind == "begins":
            variable = scope.solver.fresh()
            source = scope.value(expression[1])
            if source >= 0:
                scope.solver.watch(source, Begins(self, scope.unit, expression[2], variable))
            return variable
        if kind == "inferred":
            variable = scope.solver.fresh()
            source = scope.value(expression[1])
            if source >= 0:
                scope.solver.copy(source, variable, INFERRED)
            return variable
        if kind == "mix":
            return -1
        return -1

    def _looks_up(self, scope: Scope) -> None:
        """Names that are given to the functions around matter: they are sent."""
        name = scope.unit.name
        while name:
            function = scope.file.functions.get(name)
            if function is not None:
                function.looks_up = True
            name = scope.file.around(name)

    def _constant(self, scope: Scope, name: str, nesting: list[str]) -> int:
        variable = scope.solver.fresh()
        self.give(scope.solver, self.classes.resolve(name, nesting), name, variable, EXACT)
        return variable

    def give(self, solver: Solver, found: Any, name: str, target: int, level: int) -> None:
        """Let a constant flow into a variable; name: full, where it lies outside."""
        if isinstance(found, RubyClass):
            solver.add(target, solver.values.value("class", *self.site(found), level=level))
        elif found:
            for file, key, _ in found:
                solver.copy(solver.variable(file, key), target, level)
        elif name[:1].isupper():
            dotted = f"<builtin>.{name}" if name in CORE else name
            solver.add(target, solver.values.value("external", dotted, level=level))

    def _operator(self, scope: Scope, expression: list[Any]) -> int:
        _, site, left, name, arguments = expression
        base = scope.value(left)
        if base < 0:
            return -1
        call = Call(
            scope.unit,
            site,
            scope.load(base, name, called=True, site=site),
            [(scope.value(one[1] if one and one[0] == "*" else one), bool(one) and one[0] == "*") for one in arguments],
            [],
            scope.solver.fresh(),
            ["attr", left, name],
        )
        call.base, call.implicit = base, "operator"
        scope.solver.called(call)
        scope.solver.watch(call.callee, call)
        return call.result

    def _above(self, scope: Scope, method: str) -> int:
        variable = scope.solver.fresh()
        function = scope.file.functions.get(method)
        owner = self.classes.by_site.get((scope.file.path, method.rpartition(".")[0]))
        if function is not None and owner is not None:
            scope.solver.watch(function.this, Above(scope.solver.values.index("class", *self.site(owner)), variable))
        return variable

    # -- classes

    def site(self, one: RubyClass) -> tuple[str, str]:
        """The site that stands for a class: the first by path."""
        file, symbol = one.sites[0]
        return file.path, symbol

    def of(self, solver: Solver, index: int) -> RubyClass:
        """The class of an instance, or a class itself."""
        if solver.values.kind[index] == "instance":
            index = solver.values.what[index][0]
        path, symbol = solver.values.what[index]
        return self.classes.of_site(self.files[path], symbol)

    def find(self, one: RubyClass, name: str, *, own: bool) -> list[Held]:
        """Where a method is held: by an instance of a class, or (own) by the class itself."""
        key = (one, name, own)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._look_up(one, name, own)
        return found

    def _look_up(self, one: RubyClass, name: str, own: bool) -> list[Held]:
        steps = one.singletons() if own else [(other, False) for other in one.ancestors()]
        return _first(steps, name)

    # -- attributes

    def load(self, solver: Solver, value: int, load: Load) -> None:
        """A method, a variable or a constant, by the kind of what it is of."""
        index, level = value >> 2, value & 3
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "instance":
            self._of_instance(solver, index, level, load)
        elif kind == "class":
            self._of_class(solver, index, level, load)
        elif kind == "super":
            self._of_super(solver, what[0], what[1], level, load)
        elif kind in ("function", "bound"):
            self._of_function(solver, index, level, load)
        elif kind == "external":
            self._of_external(solver, what[0], level, load)
        elif kind == "made":
            solver.add(load.target, solver.values.value("external", f"{what[0]}.{load.name}", level=level))
        elif kind in ("container", "literal", "text"):
            self._of_literal(solver, index, "String" if kind == "text" else what[0], level, load)
        elif kind == "other" and what[0] == MAIN:
            self._of_main(solver, index, level, load)

    def _of_instance(self, solver: Solver, index: int, level: int, load: Load) -> None:
        name = load.name
        one = self.of(solver, index)
        if name.startswith("@"):
            solver.copy(solver.field(index, name), load.target, level)
            self._of_family(solver, one, name, load.target)
            return
        held = self.find(one, name, own=False)
        if held:
            self._bind(solver, held, index, load.target, level)
        below = one.below() if not held or level == GUESSED or one.is_module else []
        overrides = [sub for sub in below if name in sub.methods][:WIDE]
        for sub in overrides:
            self._bind(solver, sub.methods[name], self.instance(solver, sub), load.target, max(level, INFERRED))
        if not held and one.is_module:
            self._of_includers(solver, one, level, load)
        if not held and not overrides:
            self._of_any(solver, one, index, level, load)

    def _of_family(self, solver: Solver, one: RubyClass, name: str, target: int) -> None:
        """In a large family methods see all receivers as one: what they store is found there, and from there in all."""
        for step in one.ancestors()[1:]:
            if len(step.below()) > FAMILY:
                solver.copy(solver.field(self.instance(solver, step), name), target, INFERRED)
        if len(one.below()) > FAMILY:
            for step in one.below()[:WIDE]:
                solver.copy(solver.field(self.instance(solver, step), name), target, INFERRED)

    def _of_includers(self, solver: Solver, one: RubyClass, level: int, load: Load) -> None:
        """A module's method may count on what whoever includes it inherits."""
        for includer in one.below()[:WIDE]:
            held = self.find(includer, load.name, own=False)
            if held and load.name not in includer.methods:
                self._bind(solver, held, self.instance(solver, includer), load.target, max(level, INFERRED))

    def _of_any(self, solver: Solver, one: RubyClass, index: int, level: int, load: Load) -> None:
        """What everything has: methods of Object and Kernel, those outside of any class, and the language's own."""
        if not self._of_object(solver, index, level, load):
            outside = {name for step in one.ancestors() for name in step.outside}
            for word, names in (("Enumerable", ENUMERABLE), ("Comparable", COMPARABLE)):
                if word in outside and load.name in names:
                    self._builtin(solver, word, index, level, load)
                    return
            self._of_kernel(solver, index, level, load)

    def _of_object(self, solver: Solver, index: int, level: int, load: Load) -> bool:
        for name in ("Object", "Kernel", "BasicObject"):
            reopened = self.classes.by_name.get(name)
            if reopened is not None and (held := self.find(reopened, load.name, own=False)):
                self._bind(solver, held, index, load.target, level)
                return True
        held = self.classes.top.get(load.name, [])
        mine = [one for one in held if one[0].path == load.unit.file.path]
        if held:
            self._bind(
                solver,
                mine or held[:WIDE],
                index,
                load.target,
                level if mine or len(held) == 1 else max(level, INFERRED),
            )
        return bool(held)

    def _of_kernel(self, solver: Solver, index: int, level: int, load: Load) -> None:
        if load.name in KERNEL:
            external = solver.values.index("external", f"<builtin>.{load.name}")
            solver.add(load.target, solver.values.value("bound", external, index, level=level))
        elif load.name in OBJECT:
            self._builtin(solver, "Object", index, level, load)

    def _builtin(self, solver: Solver, type: str, index: int, level: int, load: Load) -> None:
        external = solver.values.index("external", f"<builtin>.{type}.{load.name}")
        solver.add(load.target, solver.values.value("bound", external, index, level=level))

    def _of_main(self, solver: Solver, index: int, level: int, load: Load) -> None:
        if load.name.startswith("@"):
            solver.copy(solver.variable(load.unit.file, f":{load.name}"), load.target, level)
        elif not self._of_object(solver, index, level, load):
            self._of_kernel(solver, index, level, load)

    def _of_class(self, solver: Solver, index: int, level: int, load: Load) -> None:
        name, one = load.name, self.of(solver, index)
        if name.startswith("@@"):
            solver.copy(solver.field(self._root(solver, one), name), load.target, level)
            return
        if name.startswith("@"):
            solver.copy(solver.field(index, name), load.target, level)
            return
        if name.startswith("#"):
            self._bind(solver, self._by_instances(one, name[1:]), self.instance(solver, one), load.target, level)
            return
        held = self.find(one, name, own=True)
        if held:
            self._bind(solver, held, index, load.target, level)
            if level == GUESSED:
                self._class_overrides(solver, one, name, load.target)
            return
        if name[:1].isupper() and not load.called:
            self.give(
                solver, self.classes.below(one, name), f"{one.full}::{name}".replace("::", "."), load.target, level
            )
            return
        if name == "new":
            solver.add(load.target, solver.values.value("other", NEW, index, level=level))
            return
        if not self._class_overrides(solver, one, name, load.target) and not self._of_module(
            solver, one, index, level, load
        ):
            self._of_any_class(solver, index, level, load)

    def _class_overrides(self, solver: Solver, one: RubyClass, name: str, target: int) -> bool:
        """What subclasses have of their own under the name of a method of the class; whether any has."""
        overrides = [sub for sub in one.below() if f"self.{name}" in sub.methods][:WIDE]
        for sub in overrides:
            index = solver.values.index("class", *self.site(sub))
            self._bind(solver, sub.methods[f"self.{name}"], index, target, INFERRED)
        return bool(overrides)

    def _by_instances(self, one: RubyClass, name: str) -> list[Held]:
        return self.find(one, name, own=False) or [
            held for sub in one.below()[:WIDE] for held in self.find(sub, name, own=False)
        ]

    def _of_module(self, solver: Solver, one: RubyClass, index: int, level: int, load: Load) -> bool:
        """Methods that every class has, where the project adds some."""
        for name in ("Module",) if one.is_module else ("Class", "Module"):
            reopened = self.classes.by_name.get(name)
            if reopened is not None and (held := self.find(reopened, load.name, own=False)):
                self._bind(solver, held, index, load.target, level)
                return True
        return False

    def _of_any_class(self, solver: Solver, index: int, level: int, load: Load) -> None:
        if self._of_object(solver, index, level, load):
            return
        if load.name in CLASS_METHODS:
            self._builtin(solver, "Class", index, level, load)
        else:
            self._of_kernel(solver, index, level, load)

    def _root(self, solver: Solver, one: RubyClass) -> int:
        """Where a family keeps its `@@x`: the topmost class of the project."""
        while one.base is not None:
            one = one.base
        return solver.values.index("class", *self.site(one))

    def _of_super(self, solver: Solver, after: int, receiver: int, level: int, load: Load) -> None:
        home = self.of(solver, after)
        kind = solver.values.kind[receiver]
        if kind not in ("instance", "class"):
            return
        own = kind == "class"
        one = self.of(solver, receiver)
        held = _first(_beyond(one, home, own), load.name)
        if held:
            self._bind(solver, held, receiver, load.target, level)
            return
        if home.is_module and one is home:
            for includer in home.below()[:WIDE]:
                if held := _first(_beyond(includer, home, own), load.name):
                    self._bind(solver, held, self.instance(solver, includer), load.target, INFERRED)
            return
        if own and load.name == "new":
            solver.add(load.target, solver.values.value("other", NEW, receiver, level=level))
        elif load.name in OBJECT:
            self._builtin(solver, "Object", receiver, level, load)
        elif not one.is_open() or load.name in QUIET:
            solver.add(load.target, solver.values.value("other", SILENT, level=level))

    def _of_function(self, solver: Solver, index: int, level: int, load: Load) -> None:
        """A proc, lambda or method as a thing."""
        if load.name in ("call", "()", "yield", "===", "[]", "to_proc", "curry", "unbind", "bind", "lambda?"):
            value = (
                solver.values.value("other", "self", index, level=level)
                if load.name in GIVES_SELF
                else index * 4 + level
            )
            solver.add(load.target, value)
        elif load.name in OBJECT:
            self._builtin(solver, "Object", index, level, load)

    def _of_external(self, solver: Solver, dotted: str, level: int, load: Load) -> None:
        solver.add(load.target, solver.values.value("external", f"{dotted}.{load.name}", level=level))

    def _of_literal(self, solver: Solver, index: int, sort: str, level: int, load: Load) -> None:
        type = TYPES.get(sort, sort)
        for name in (type, *MIXED_INTO.get(type, ()), "Object", "Kernel"):
            reopened = self.classes.by_name.get(name)
            if reopened is not None and (held := self.find(reopened, load.name, own=False)):
                self._bind(solver, held, index, load.target, level)
                return
        known = METHODS.get(type)
        if known is None or load.name in known or load.name in OBJECT:
            self._builtin(solver, type, index, level, load)

    def instance(self, solver: Solver, one: RubyClass) -> int:
        """The index of all instances of a class."""
        return solver.values.index("instance", solver.values.index("class", *self.site(one)))

    def _bind(self, solver: Solver, held: Iterable[Held], receiver: int, target: int, level: int) -> None:
        for file, key, _ in held:
            seen, least = self._widened(solver, receiver, file, key)
            solver.watch(solver.variable(file, key), Bind(seen, target, max(level, least)))

    def _widened(self, solver: Solver, receiver: int, file: File, key: str) -> tuple[int, int]:
        """The receiver as a method's body sees it, and at what level: in a large family, all are one."""
        kind = solver.values.kind[receiver]
        owner = self.classes.by_site.get((file.path, key.rpartition(":")[0]))
        if owner is None:
            return solver.values.index("other", MAIN) if kind == "instance" else receiver, EXACT
        if kind not in ("instance", "class") or self.of(solver, receiver) is owner or len(owner.below()) <= FAMILY:
            return receiver, EXACT
        index = solver.values.index("class", *self.site(owner))
        return solver.values.index("instance", index) if kind == "instance" else index, GUESSED

    def store(self, solver: Solver, value: int, store: Store) -> None:
        """`@x` of an instance or a class, `@@x` of a family, a constant below a class."""
        index, level, name = value >> 2, value & 3, store.name
        kind = solver.values.kind[index]
        if kind == "class" and name.startswith("@@"):
            solver.copy(store.source, solver.field(self._root(solver, self.of(solver, index)), name), level)
        elif kind in ("instance", "class") and name.startswith("@"):
            solver.copy(store.source, solver.field(index, name), level)
        elif kind == "other" and name.startswith("@"):
            solver.copy(store.source, solver.variable(store.unit.file, f":{name}"), level)

    # -- calls

    def call(self, solver: Solver, value: int, call: Call) -> None:
        """Call a value, by its kind."""
        index, level = value >> 2, max(value & 3, call.level)
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "function":
            solver.invoke(index, with_options(solver, index, call), level)
        elif kind == "bound":
            if solver.values.kind[what[0]] == "function":
                solver.invoke(what[0], with_options(solver, what[0], call), level, this=what[1] * 4 + level)
            else:
                summarize(self, solver, solver.values.what[what[0]][0], what[1], call, level)
        elif kind == "other" and what[0] == NEW:
            self._construct(solver, what[1], call, level)
        elif kind == "other" and what[0] == "self" and call.result >= 0:
            solver.add(call.result, what[1] * 4 + level)
        elif kind == "external":
            summarize(self, solver, what[0], -1, call, level)

    def _construct(self, solver: Solver, index: int, call: Call, level: int) -> None:
        instance = solver.values.index("instance", index)
        if call.result >= 0:
            solver.add(call.result, instance * 4 + level)
        for file, key, _ in self.find(self.of(solver, index), "initialize", own=False):
            solver.watch(solver.variable(file, key), Construct(instance, call, level))

    def targets(self, solver: Solver, value: int, call: Call) -> Iterable[str]:
        """Functions of the project but blocks, constructors, and what lies outside."""
        index = value >> 2
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "bound":
            index, kind, what = what[0], solver.values.kind[what[0]], solver.values.what[what[0]]
        if kind == "function":
            return self._shown([(self.files[what[0]], "", what[1])])
        if kind == "other" and what[0] == NEW:
            return self._shown(self.find(self.of(solver, what[1]), "initialize", own=False))
        if kind == "external" and not (call.implicit == "operator" and what[0].startswith("<builtin>")):
            return (f"ext::{what[0].replace('::', '.')}",)
        return ()

    def _shown(self, held: Iterable[Held]) -> list[str]:
        return [
            f"{file.path}::{name}"
            for file, _, name in held
            if name in file.symbols and "block" not in file.symbols[name].flags
        ]

    # -- other things that can be done

    def item(self, solver: Solver, value: int, key: str | int | None, target: int, _place: Place) -> None:
        """A pattern's key of an instance: what its variable of that name holds."""
        index = value >> 2
        if solver.values.kind[index] == "instance" and isinstance(key, str):
            solver.copy(solver.field(index, f"@{key}"), target, max(value & 3, INFERRED))

    def set_item(self, solver: Solver, value: int, key: str | int | None, source: int, place: Place) -> None:
        """Nothing: the call of `[]=` says it."""

    def element(self, solver: Solver, value: int, target: int, _place: Place) -> None:
        """Elements of a container."""
        index = value >> 2
        if solver.values.kind[index] == "container":
            solver.copy(solver.field(index, "[?"), target, value & 3)

    def enter(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """Nothing: Ruby has blocks for this."""

    def awaited(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """Nothing: Ruby has no such thing."""

    def base(self, solver: Solver, value: int, base: Base) -> None:
        """Superclasses are in the tables; here the hook `inherited` runs."""
        path = solver.values.what[base.index][0]
        if solver.values.kind[value >> 2] == "class" and path in self.files:
            self._run_hook(solver, base, self.of(solver, value >> 2), "inherited", self.of(solver, base.index))

    def hinted(self, solver: Solver, value: int, hint: Hint, target: int) -> None:
        """An instance of a class that documentation names."""
        index = value >> 2
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "class":
            solver.add(target, solver.values.value("instance", index, level=GUESSED))
        elif kind == "external" and what[0] in ("<builtin>.Array", "Set", "<builtin>.Enumerable") and hint.parts:
            container = solver.values.index("container", "list", hint.place)
            solver.add(target, container * 4 + GUESSED)
            for part in hint.parts[0]:
                part.tell(solver, solver.field(container, REST))
        elif kind == "external":
            name = what[0].removeprefix("<builtin>.")
            literal = name in ("String", "Symbol", "Integer", "Float", "Array", "Hash")
            found = (
                solver.values.value("literal", name, level=GUESSED)
                if literal
                else solver.values.value("made", what[0], level=GUESSED)
            )
            solver.add(target, found)

    # -- what is no call

    def imports(self, file: File) -> list[Imported]:
        """What a file requires, and what it needs by a constant's name."""
        known = self._imports.get(file.path)
        if known is None or known[0] is not file.facts:
            known = self._imports[file.path] = (file.facts, imports(self.paths, self.classes, file))
        return known[1]

    def extends(self, file: File) -> list[Extended]:
        """What the classes of a file build on."""
        return extends(self.classes, file)

    def is_open(self, solver: Solver, index: int) -> bool:
        """Whether something outside the project may define a value's methods."""
        kind = solver.values.kind[index]
        if kind == "super":
            index, kind = solver.values.what[index][1], "instance"
        return kind in ("instance", "class") and self.of(solver, index).is_open()

    def seeds(self, _solver: Solver, _grounds: Grounds) -> Iterable[Seed]:
        """All as one."""
        return (Whole(self.seed),)

    def seed(self, solver: Solver) -> None:
        """Give methods that nobody calls a receiver: an instance of their class, or the class itself."""
        empty = [
            (file, function)
            for file in self.files.values()
            for function in file.functions.values()
            if function.symbol.type in ("method", "function") and function.this >= 0 and not solver.sets[function.this]
        ]
        unknown = [
            call
            for call in solver.calls
            if call.unit.file.policy is self and call.keywords and not solver.sets[call.callee]
        ]
        for file, function in empty:
            self._seed(solver, file, function)
        for call in unknown:
            # Whatever is called there, it was given a function to call.
            call_given(solver, call)

    def _seed(self, solver: Solver, file: File, function: Any) -> None:
        name = function.symbol.name
        if "<" in name.rpartition(".")[2][:1] and not name.endswith(("<", "<=", "<<", "<=>")):
            return
        owner = self.classes.by_site.get((file.path, name.rpartition(".")[0]))
        if owner is None:
            solver.add(function.this, solver.values.value("other", MAIN, level=GUESSED))
        elif "static" in function.symbol.flags:
            solver.add(function.this, solver.values.value("class", *self.site(owner), level=GUESSED))
        else:
            solver.add(function.this, self.instance(solver, owner) * 4 + GUESSED)


QUIET = frozenset(
    {
        "initialize",
        "inherited",
        "included",
        "extended",
        "prepended",
        "method_added",
        "method_missing",
        "respond_to_missing?",
    }
)
"""Methods that everything has, and that do nothing worth telling."""
GIVES_SELF = frozenset({"to_proc", "curry", "unbind", "bind"})
ENUMERABLE = words(
    "map collect flat_map collect_concat select filter filter_map reject find detect find_all find_index first "
    "each_with_index each_with_object inject reduce sum count min max min_by max_by minmax sort sort_by group_by "
    "partition zip to_a entries to_set include? member? any? all? none? one? each_slice each_cons each_entry take "
    "take_while drop drop_while tally uniq chunk_while slice_when lazy cycle reverse_each to_h"
)
COMPARABLE = frozenset({"<", "<=", "==", ">", ">=", "between?", "clamp"})
MIXED_INTO = {
    "Array": ("Enumerable",),
    "Hash": ("Enumerable",),
    "Range": ("Enumerable",),
    "Integer": ("Numeric", "Comparable"),
    "Float": ("Numeric", "Comparable"),
    "String": ("Comparable",),
}


def with_options(solver: Solver, index: int, call: Call) -> Call:
    """A call as a function sees it: where that takes nothing by name, what is given so is a hash after the rest."""
    function = solver.functions.get(index)
    if (
        function is None
        or not call.keywords
        or function.keywords >= 0
        or len(function.positional) <= len(call.arguments)
    ):
        return call
    if any(parameter.kind == "keyword" for parameter in function.symbol.parameters):
        return call
    given = [(name, variable) for name, variable in call.keywords if name not in ("&", "**") and variable >= 0]
    if not given:
        return call
    place = (call.unit.file.path, call.unit.name, f"site {call.site}", "options")
    options = solver.values.index("container", "dict", place)
    for name, variable in given:
        solver.copy(variable, solver.field(options, element(name)))
    last = solver.fresh()
    solver.add(last, options * 4)
    block = [one for one in call.keywords if one[0] == "&"]
    seen = Call(
        call.unit, call.site, call.callee, [*call.arguments, (last, False)], block, call.result, call.expression
    )
    seen.texts, seen.level = call.texts, call.level
    return seen


def _first(steps: Iterable[tuple[RubyClass, bool]], name: str) -> list[Held]:
    for other, itself in steps:
        held = other.methods.get(f"self.{name}" if itself else name)
        if held:
            return held
    return []


def _beyond(one: RubyClass, home: RubyClass, own: bool) -> list[tuple[RubyClass, bool]]:
    """The steps of look-up that follow a class."""
    steps = one.singletons() if own else [(other, False) for other in one.ancestors()]
    places = [place for place, (other, _) in enumerate(steps) if other is home]
    if not places and own:
        return []
    return steps[places[0] + 1 :] if places else [(other, False) for other in home.ancestors()[1:]]


class Bind:
    """What a body holds under a method's name, bound to a receiver."""

    __slots__ = ("level", "receiver", "target")

    def __init__(self, receiver: int, target: int, level: int) -> None:
        self.receiver, self.target, self.level = receiver, target, level

    def react(self, solver: Solver, value: int) -> None:
        """A method that was taken from another receiver gets this one."""
        index, level = value >> 2, max(value & 3, self.level)
        kind = solver.values.kind[index]
        if kind == "bound":
            index, kind = solver.values.what[index][0], "function"
        if kind == "function":
            solver.add(self.target, solver.values.value("bound", index, self.receiver, level=level))
        else:
            solver.add(self.target, at_least(value, level))


class Begins:
    """A method whose name is worked out, of which the beginning is known: any of the receiver's that begins so."""

    __slots__ = ("beginning", "policy", "target", "unit")

    def __init__(self, policy: Ruby, unit: Unit, beginning: str, target: int) -> None:
        self.policy, self.unit, self.beginning, self.target = policy, unit, beginning, target

    def react(self, solver: Solver, value: int) -> None:
        """By the names of an instance's class and of what it inherits, or of a class's own methods."""
        index = value >> 2
        kind = solver.values.kind[index]
        if kind not in ("instance", "class"):
            return
        one = self.policy.of(solver, index)
        prefix = "self." if kind == "class" else ""
        steps = [step for step, _ in one.singletons()] if kind == "class" else one.ancestors()
        start = prefix + self.beginning
        names = sorted({name.removeprefix(prefix) for step in steps for name in step.methods if name.startswith(start)})
        for name in names[:WIDE]:
            load = Load(self.unit, -1, -1, name, self.target, True)
            self.policy.load(solver, at_least(value, INFERRED), load)


class Construct:
    """A new instance's `initialize`."""

    __slots__ = ("call", "instance", "level")

    def __init__(self, instance: int, call: Call, level: int) -> None:
        self.instance, self.call, self.level = instance, call, level

    def react(self, solver: Solver, value: int) -> None:
        """Bind the arguments; what it returns is nobody's."""
        index, level = value >> 2, max(value & 3, self.level)
        if solver.values.kind[index] == "function":
            call = Call(self.call.unit, self.call.site, self.call.callee, self.call.arguments, self.call.keywords, -1)
            call.texts = self.call.texts
            solver.invoke(index, with_options(solver, index, call), level, this=self.instance * 4 + level)


class Above:
    """`super`: of each receiver that the method has, the view beyond the method's class."""

    __slots__ = ("home", "target")

    def __init__(self, home: int, target: int) -> None:
        self.home, self.target = home, target

    def react(self, solver: Solver, value: int) -> None:
        """Instances and classes have one."""
        if solver.values.kind[value >> 2] in ("instance", "class"):
            solver.add(self.target, solver.values.value("super", self.home, value >> 2, level=value & 3))
