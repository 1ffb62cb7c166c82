"""What Go, Rust and Java say about values: types are declared, and a method is found by the type of its receiver.

A thing that is declared to be of a type that nothing builds on is an instance of it, without doubt. One that is
declared by an interface, a trait or a class with subclasses is what flow says it is; where flow says nothing, it may be
any that implements it, and calls on it are inferred.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sbfs.linking.ruby_classes import words
from sbfs.linking.rules import Base, Call, Hint, Load, Place, Store
from sbfs.linking.seeds import Whole
from sbfs.linking.static_names import JAVA_OBJECT, RUST_ANY, Found, JavaNames, Names, Type, all_names, defined
from sbfs.linking.values import ANY, EXACT, GUESSED, INFERRED, REST, at_least

if TYPE_CHECKING:
    from sbfs.linking.flows import Scope
    from sbfs.linking.seeds import Grounds, Seed
    from sbfs.linking.solver import Solver
    from sbfs.linking.tables import File, Project

MOST = 16
"""Implementors beyond this number are not told one by one."""
GIVES_ELEMENT = words(
    "get unwrap expect unwrap_or unwrap_or_default unwrap_or_else next first last pop peek poll remove take "
    "as_ref as_mut getFirst getLast orElse orElseThrow orElseGet find findFirst findAny getOrDefault element "
    "iter_next nth max min pop_front pop_back front back get_mut first_mut last_mut ok join await removeFirst "
    "removeLast min_by_key max_by_key"
)
GIVES_SELF = words(
    "iter iter_mut into_iter stream iterator filter sorted distinct limit skip rev clone cloned copied collect "
    "toList values ok_or ok_or_else map_err lock read write borrow borrow_mut to_vec drain peekable take_while "
    "skip_while chain as_slice parallelStream subList toArray as_deref to_owned enumerate entrySet keySet asList "
    "of inspect and_then or_else"
)
ADDS = words("add push put push_back push_front insert offer addFirst addLast set append")
SAME = words("clone to_owned borrow borrow_mut as_ref as_mut")
LITERALS = frozenset({"list", "tuple"})


class Static:
    """The policy of Go, Rust and Java."""

    languages: tuple[str, ...] = ("go", "rust", "java")
    everything = ""
    implies_definitions = False
    common = (
        GIVES_ELEMENT
        | GIVES_SELF
        | ADDS
        | RUST_ANY
        | JAVA_OBJECT
        | words("len size isEmpty is_empty contains map close new")
    )

    def prepare(self, project: Project) -> None:
        """Make the tables of names and types."""
        self.files = {path: file for path, file in project.files.items() if file.language in self.languages}
        configs = {path: file.facts.config for path, file in project.files.items() if file.language == "config"}
        self.names = all_names(self.files, configs)
        self._implementors: dict[Type, list[Type]] = {}
        for file in self.files.values():
            self._methods(file)
        for file in self.files.values():
            self._bases(file)

    def _methods(self, file: File) -> None:
        names = self.names[file.language]
        for symbol in file.facts.symbols:
            if symbol.type == "method" and (owner := names.owner(file, symbol.name)) is not None:
                name = symbol.name.rpartition(".")[2].partition("#")[0]
                held = owner.methods.setdefault(name, [])
                held.append((file, symbol.name))
                if "abstract" in symbol.flags:
                    owner.abstract.add(name)
        for key in defined(file):
            owner_name, _, field = key.rpartition(":")
            one = names.types.get((file.path, owner_name))
            if one is not None:
                one.fields.add(field)

    def _bases(self, file: File) -> None:
        for symbol in file.facts.symbols:
            for flow in symbol.flows:
                if flow[0] == "implements":
                    one, other = self.type_of(file, flow[1]), self.resolve(file, flow[2])
                    if one is None or one is (other[1] if other else None):
                        continue
                    if other is not None and other[0] == "type":
                        if other[1] not in one.above:
                            one.above.append(other[1])
                            other[1].below.append(one)
                    elif other is None or other[0] == "outside":
                        one.outside.append(str(other[1] if other is not None else flow[2][1]))

    # -- names

    def resolve(self, file: File, expression: Any) -> Found | None:
        """What a form `const` stands for."""
        if not isinstance(expression, list) or not expression or expression[0] != "const":
            return None
        return self.names[file.language].resolve(file, expression[1], expression[2])

    def type_of(self, file: File, expression: Any) -> Type | None:
        """The type that it stands for, if it is one of the project."""
        found = self.resolve(file, expression)
        return found[1] if found is not None and found[0] == "type" else None

    def imported(self, solver: Solver, place: Place, spec: str, level: int, name: str, target: int) -> None:
        """Nothing: imports are looked up by name."""

    def free(self, solver: Solver, file: File, name: str, target: int) -> None:
        """Nothing: a name that is no local has its own form."""

    def statement(self, scope: Scope, statement: list[Any]) -> None:
        """A declared variable. What builds on what is in the tables."""
        if statement[0] != "typed":
            return
        function = scope.unit.function
        if statement[1]:
            self._typed(scope, statement[2], scope.variable(statement[1]))
        elif function is not None:
            self._typed(scope, statement[2], function.returns)

    def special(self, scope: Scope, expression: list[Any]) -> int:
        """The forms of `sbfs.code.typed`."""
        kind = expression[0]
        variable = scope.solver.fresh()
        if kind == "const":
            self.give(scope.solver, self.resolve(scope.file, expression), variable)
        elif kind == "typed":
            self._typed(scope, expression[1], variable)
        elif kind == "make":
            one = self.type_of(scope.file, expression[1])
            if one is not None:
                scope.solver.add(variable, self.instance(scope.solver, one) * 4)
        elif kind == "own":
            self._own(scope, expression[1], expression[2], expression[3], variable)
        elif kind == "field":
            self._field(scope, expression[1], expression[2], variable)
        elif kind == "super":
            one = self.names[scope.file.language].types.get((scope.file.path, expression[2]))
            if one is not None:
                scope.solver.watch(
                    scope.variable(expression[3]),
                    Above(scope.solver.values.index("class", one.file.path, one.symbol), variable),
                )
        elif kind == "construct":
            self._constructor(scope, expression, variable)
        return variable

    def give(self, solver: Solver, found: Found | None, target: int, level: int = EXACT) -> None:
        """Let what a name stands for flow into a variable."""
        if found is None:
            return
        kind, what, name = found[0], found[1], found[2]
        if kind == "type":
            solver.add(target, solver.values.value("class", what.file.path, what.symbol, level=level))
        elif kind == "function":
            solver.add(target, solver.values.value("function", what.path, name, level=level))
        elif kind == "variable":
            solver.copy(solver.variable(what, name), target, level)
        elif kind == "outside":
            solver.add(target, solver.values.value("external", what, level=level))

    def _typed(self, scope: Scope, type: Any, target: int) -> None:
        """A thing of a declared type; of a generic from outside, a container of its arguments."""
        if not isinstance(type, list) or not type or type[0] != "inst":
            return
        solver, name = scope.solver, type[1][1]
        found: Found | None = ("outside", "[]", "")
        if name != "[]":
            found = self.resolve(scope.file, type[1])
        if found is None:
            return
        if found[0] == "type":
            self._instance_of(scope, found[1], type, target)
        elif found[0] == "outside" and (type[2] or name == "[]"):
            index = solver.values.index("container", "list" if name == "[]" else found[1], scope.next_place())
            solver.add(target, index * 4)
            for part in type[2]:
                self._typed(scope, part, solver.field(index, REST))
        elif found[0] == "outside":
            solver.add(target, solver.values.value("made", found[1]))

    def _instance_of(self, scope: Scope, one: Type, type: Any, target: int) -> None:
        if "[?" in one.fields:
            # A name for another type: of a list, it is a list.
            scope.solver.copy(scope.solver.variable(one.file, f"{one.symbol}:[?"), target)
        if one.interface or one.below:
            scope.solver.hints.append((target, scope.type(["inst", type[1], []])))
        else:
            scope.solver.add(target, self.instance(scope.solver, one) * 4)

    def _own(self, scope: Scope, name: str, nesting: list[str], this: str, target: int) -> None:
        """A method called without a receiver: of the innermost type around that has it, or by a static import."""
        names = self.names[scope.file.language]
        for place, outer in enumerate(nesting):
            one = names.types.get((scope.file.path, outer))
            if one is None or not any(name in step.methods for step in one.order()):
                continue
            if place == 0 and not self._is_static(scope):
                load = scope.load(scope.variable(this), name, called=True)
                scope.solver.copy(load, target)
            else:
                self._bind_all(scope.solver, self.find(one, name), self.instance(scope.solver, one), target, EXACT)
            return
        if name in JAVA_OBJECT and nesting:
            scope.solver.add(target, scope.solver.values.value("external", f"java.lang.Object.{name}"))
            return
        self._by_static_import(scope, name, target)

    def _is_static(self, scope: Scope) -> bool:
        symbol = scope.file.symbols.get(scope.unit.name)
        while symbol is not None and "<lambda" in symbol.name.rpartition(".")[2]:
            symbol = scope.file.symbols.get(symbol.name.rpartition(".")[0])
        return symbol is not None and "static" in symbol.flags

    def _by_static_import(self, scope: Scope, name: str, target: int) -> None:
        names = self.names[scope.file.language]
        if not isinstance(names, JavaNames):
            return
        for one in names.statics(scope.file, name):
            if isinstance(one, str):
                scope.solver.add(target, scope.solver.values.value("external", f"{one}.{name}"))
            elif held := self.find(one, name):
                self._bind_all(scope.solver, held, self.instance(scope.solver, one), target, EXACT)
                return
            elif any(name in step.fields for step in one.order()):
                self._of_field(scope.solver, one, name, target, EXACT)
                return

    def _field(self, scope: Scope, name: str, nesting: list[str], target: int) -> None:
        """A bare name that is no local: a field of a type around, else a type."""
        names = self.names[scope.file.language]
        for outer in nesting:
            one = names.types.get((scope.file.path, outer))
            if one is not None and any(name in step.fields for step in one.order()):
                self._of_field(scope.solver, one, name, target, EXACT)
                return
        found = names.resolve(scope.file, name, nesting)
        if found is not None:
            self.give(scope.solver, found, target)
        elif name[:1].islower():
            if isinstance(names, JavaNames) and not any(True for _ in names.statics(scope.file, name)):
                # The beginning of a full name: `java.util.List.of()`.
                scope.solver.add(target, scope.solver.values.value("external", name))
            self._by_static_import(scope, name, target)

    def _constructor(self, scope: Scope, expression: list[Any], target: int) -> None:
        """Constructors: another one by `this(…)` and `super(…)`, one as a value by `Item::new`."""
        _, word, owner, _ = expression
        if word == "new":
            source = scope.value(owner)
            if source >= 0:
                scope.solver.watch(source, Maker(target))
            return
        one = self.names[scope.file.language].types.get((scope.file.path, owner))
        if one is None:
            return
        for step in (
            [one] if word == "this" else [above for above in one.above if not above.interface or above.methods][:1]
        ):
            self._bind_all(scope.solver, _constructors(step), self.instance(scope.solver, one), target, EXACT)

    # -- types

    def type(self, solver: Solver, index: int) -> Type | None:
        """The type of an instance, or a type itself."""
        if solver.values.kind[index] == "instance":
            index = solver.values.what[index][0]
        path, symbol = solver.values.what[index]
        file = self.files.get(path)
        return None if file is None else self.names[file.language].types.get((path, symbol))

    def instance(self, solver: Solver, one: Type) -> int:
        """The index of all instances of a type."""
        return solver.values.index("instance", solver.values.index("class", one.file.path, one.symbol))

    def find(self, one: Type, name: str) -> list[tuple[File, str]]:
        """The methods of a name that a type has, nearest first: its own, else those of what it builds on."""
        order = one.order()
        for step in order:
            if name in step.methods and name not in step.abstract:
                return step.methods[name]
        return next((step.methods[name] for step in order if name in step.methods), [])

    def implementors(self, one: Type) -> list[Type]:
        """What has what an interface asks for: said so (Java, Rust), or having all its methods (Go)."""
        found = self._implementors.get(one)
        if found is None:
            found = self._implementors[one] = self._alike(one) if one.structural else one.heirs()
        return found

    def _alike(self, one: Type) -> list[Type]:
        wanted = {name for step in one.order() for name in step.methods}
        if not wanted:
            return []
        return [
            other
            for _, other in sorted(self.names["go"].types.items())
            if not other.interface and all(any(name in step.methods for step in other.order()) for name in wanted)
        ]

    # -- attributes

    def load(self, solver: Solver, value: int, load: Load) -> None:
        """A method, a field, a member of a type or of a package."""
        index, level = value >> 2, value & 3
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "instance":
            self._of_instance(solver, index, level, load)
        elif kind == "class":
            self._of_type(solver, index, level, load)
        elif kind == "super":
            self._of_super(solver, what, level, load)
        elif kind == "external":
            self._of_outside(solver, f"{what[0]}.{load.name}", level, load.target)
        elif kind == "made":
            solver.add(load.target, solver.values.value("external", f"{what[0]}.{load.name}", level=level))
        elif kind == "container":
            self._of_container(solver, index, what[0], level, load)
        elif kind in ("function", "bound") and not (kind == "bound" and solver.values.kind[what[0]] == "external"):
            # An object of a functional interface: its only method is the function.
            solver.add(load.target, value)

    def _of_instance(self, solver: Solver, index: int, level: int, load: Load) -> None:
        one, name = self.type(solver, index), load.name
        if one is None:
            return
        held = self.find(one, name)
        abstract = not held or all("abstract" in file.symbols[symbol].flags for file, symbol in held)
        if held and not (abstract and self.implementors(one)):
            self._bind_all(solver, held, index, load.target, level)
        if level == GUESSED or abstract:
            self._overrides(solver, one, name, load.target)
        if not held and any(name in step.fields for step in one.order()):
            self._of_field(solver, one, name, load.target, level)
        elif not held and load.called:
            if load.name in JAVA_OBJECT and one.file.language == "java":
                dotted = f"java.lang.Object.{load.name}"
                solver.add(load.target, solver.values.value("external", dotted, level=level))
            elif load.name in RUST_ANY and one.file.language == "rust":
                external = solver.values.index("external", f"<builtin>.{load.name}")
                solver.add(load.target, solver.values.value("bound", external, index, level=level))
            else:
                self._of_bases_outside(solver, one, load, level)

    def _overrides(self, solver: Solver, one: Type, name: str, target: int) -> None:
        for other in self.implementors(one)[:MOST]:
            own = other.methods.get(name) or (
                self.find(other, name) if one.structural or name not in self._all(one) else None
            )
            if own and any("abstract" not in file.symbols[symbol].flags for file, symbol in own):
                self._bind_all(solver, own, self.instance(solver, other), target, INFERRED)

    def _all(self, one: Type) -> set[str]:
        return {name for step in one.order() for name in step.methods if name not in step.abstract}

    def _of_bases_outside(self, solver: Solver, one: Type, load: Load, level: int) -> None:
        outside = [name for step in one.order() for name in step.outside]
        if len(outside) == 1:
            dotted = f"{outside[0].replace('::', '.')}.{load.name}"
            solver.add(load.target, solver.values.value("external", dotted, level=max(level, INFERRED)))

    def _of_field(self, solver: Solver, one: Type, name: str, target: int, level: int) -> None:
        for step in one.order():
            if name in step.fields:
                solver.copy(solver.variable(step.file, f"{step.symbol}:{name}"), target, level)
                return

    def _of_type(self, solver: Solver, index: int, level: int, load: Load) -> None:
        one, name = self.type(solver, index), load.name
        if one is None:
            return
        if name == "this":
            solver.add(load.target, self.instance(solver, one) * 4 + level)
        elif held := self.find(one, name):
            self._bind_all(solver, held, self.instance(solver, one), load.target, level)
        elif any(name in step.fields for step in one.order()):
            self._of_field(solver, one, name, load.target, level)
        else:
            inner = self.names[one.file.language].types.get((one.file.path, f"{one.symbol}.{name}"))
            if inner is not None:
                self.give(solver, ("type", inner, ""), load.target, level)
            elif load.called and name in ("values", "valueOf", "ordinal", "name"):
                solver.add(load.target, solver.values.value("external", f"<builtin>.Enum.{name}", level=level))

    def _of_super(self, solver: Solver, what: tuple[Any, ...], level: int, load: Load) -> None:
        home = self.type(solver, what[0])
        if home is None:
            return
        for above in home.above:
            held = self.find(above, load.name)
            if held and not all("abstract" in file.symbols[symbol].flags for file, symbol in held):
                self._bind_all(solver, held, what[1], load.target, level)
                return
            if any(load.name in step.fields for step in above.order()):
                self._of_field(solver, above, load.name, load.target, level)
                return
        self._of_bases_outside(solver, home, load, level)

    def _of_outside(self, solver: Solver, dotted: str, level: int, target: int) -> None:
        java = self.names.get("java")
        one = java.full.get(dotted) if isinstance(java, JavaNames) else None
        if one is not None:
            self.give(solver, ("type", one, ""), target, level)
        elif dotted.count(".") < 10:
            solver.add(target, solver.values.value("external", dotted, level=level))

    def _of_container(self, solver: Solver, index: int, sort: str, level: int, load: Load) -> None:
        if sort in LITERALS:
            sort = {"rust": "<builtin>.Vec", "java": "<builtin>.array", "go": "<builtin>.slice"}[
                load.unit.file.language
            ]
        external = solver.values.index("external", f"{sort}.{load.name}")
        solver.add(load.target, solver.values.value("bound", external, index, level=level))

    def _bind_all(
        self, solver: Solver, held: Iterable[tuple[File, str]], receiver: int, target: int, level: int
    ) -> None:
        for file, symbol in held:
            function = solver.values.index("function", file.path, symbol)
            solver.add(target, solver.values.value("bound", function, receiver, level=level))

    def store(self, solver: Solver, value: int, store: Store) -> None:
        """A field: one variable for all instances of the type that declares it."""
        index = value >> 2
        if solver.values.kind[index] not in ("instance", "class"):
            return
        one = self.type(solver, index)
        for step in one.order() if one is not None else ():
            if store.name in step.fields:
                solver.copy(store.source, solver.variable(step.file, f"{step.symbol}:{store.name}"), value & 3)
                return

    # -- calls

    def call(self, solver: Solver, value: int, call: Call) -> None:
        """Call a value, by its kind."""
        index, level = value >> 2, max(value & 3, call.level)
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "function":
            solver.invoke(index, call, level)
        elif kind == "bound":
            if solver.values.kind[what[0]] == "function":
                if self._fits(solver, what[0], call):
                    solver.invoke(what[0], call, level, this=what[1] * 4 + level)
            else:
                self._builtin(solver, solver.values.what[what[0]][0], what[1], call, level)
        elif kind == "class":
            self._construct(solver, index, call, level)
        elif kind == "external" and call.new and call.result >= 0:
            solver.add(call.result, solver.values.value("made", what[0], level=level))
        elif kind == "other" and what[0] == "maker":
            self._construct(solver, what[1], call, level)

    def _construct(self, solver: Solver, index: int, call: Call, level: int) -> None:
        """`new X(…)`; in Go a conversion, in Rust a tuple struct."""
        one = self.type(solver, index)
        if one is None:
            return
        instance = self.instance(solver, one)
        if call.result >= 0:
            solver.add(call.result, instance * 4 + level)
        silent = Call(call.unit, call.site, call.callee, call.arguments, call.keywords, -1)
        for file, symbol in _constructors(one):
            function = solver.values.index("function", file.path, symbol)
            if self._fits(solver, function, call):
                solver.invoke(function, silent, level, this=instance * 4 + level)
        if one.file.language == "rust":
            for place, (variable, _) in enumerate(call.arguments):
                if variable >= 0 and str(place) in one.fields:
                    solver.copy(variable, solver.variable(one.file, f"{one.symbol}:{place}"), level)

    def _fits(self, solver: Solver, function: int, call: Call) -> bool:
        """Whether a call gives as many arguments as a function takes: overloads are told apart by that."""
        known = solver.functions.get(function)
        if known is None or known.file.language != "java" or any(spread for _, spread in call.arguments):
            return known is not None
        kinds = [one.kind for one in known.symbol.parameters]
        return len(call.arguments) >= len(kinds) - 1 if "rest" in kinds else len(call.arguments) == len(kinds)

    def _builtin(self, solver: Solver, dotted: str, receiver: int, call: Call, level: int) -> None:
        """What methods of containers do: with what they call a function that is given, and what they give back."""
        name = dotted.rpartition(".")[2]
        if solver.values.kind[receiver] != "container":
            if call.result >= 0 and name in SAME:
                solver.add(call.result, receiver * 4 + level)
            return
        every = solver.field(receiver, ANY)
        for variable, _ in call.arguments:
            if variable >= 0:
                solver.watch(variable, Callback(self, call, every, level))
                if name in ADDS:
                    solver.copy(variable, solver.field(receiver, REST), level)
        if call.result < 0:
            return
        if name in GIVES_ELEMENT:
            solver.copy(every, call.result, level)
        elif name in GIVES_SELF:
            solver.add(call.result, receiver * 4 + level)

    def targets(self, solver: Solver, value: int, call: Call) -> Iterable[str]:
        """Functions and constructors of the project, and what lies outside."""
        index = value >> 2
        kind, what = solver.values.kind[index], solver.values.what[index]
        if kind == "bound":
            index, kind, what = what[0], solver.values.kind[what[0]], solver.values.what[what[0]]
            if kind == "function" and not self._fits(solver, index, call):
                return ()
        if kind == "function":
            return (f"{what[0]}::{what[1]}",)
        if kind == "class" or (kind == "other" and what[0] == "maker"):
            one = self.type(solver, index if kind == "class" else what[1])
            held = _constructors(one) if one is not None else []
            return [
                f"{file.path}::{symbol}"
                for file, symbol in held
                if self._fits(solver, solver.values.index("function", file.path, symbol), call)
            ]
        if kind == "external":
            return (f"ext::{what[0]}",)
        return ()

    # -- other things that can be done

    def item(self, solver: Solver, value: int, _key: str | int | None, target: int, place: Place) -> None:
        """What `?` gives of a thing that is no container is the thing; an index into what lies outside says nothing."""
        if place.unit.file.language == "rust":
            solver.add(target, value)

    def set_item(self, solver: Solver, value: int, key: str | int | None, source: int, place: Place) -> None:
        """Nothing: only containers have elements."""

    def element(self, solver: Solver, value: int, target: int, _place: Place) -> None:
        """Elements of a container."""
        if solver.values.kind[value >> 2] == "container":
            solver.copy(solver.field(value >> 2, ANY), target, value & 3)

    def enter(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """Nothing: these languages have no such form."""

    def awaited(self, solver: Solver, value: int, target: int, place: Place) -> None:
        """Nothing: a declared result is told as it is."""

    def base(self, solver: Solver, value: int, base: Base) -> None:
        """Nothing: what builds on what is in the tables."""

    def hinted(self, solver: Solver, value: int, _hint: Hint, target: int) -> None:
        """An instance of a declared type, where flow says nothing."""
        if solver.values.kind[value >> 2] == "class":
            solver.add(target, solver.values.value("instance", value >> 2, level=GUESSED))

    # -- what is no call

    def imports(self, file: File) -> list[tuple[str, int, str, tuple[str, ...]]]:
        """The files that imports name, and what lies outside."""
        names: Names = self.names[file.language]
        found: dict[tuple[str, int, str, tuple[str, ...]], None] = {}
        for one in file.facts.imports:
            name = one.names[0][0] if one.names else ""
            targets = [path for path in names.targets(file, one.spec, name, one.level) if path != file.path]
            outside = "::".join(filter(None, (one.spec, name if file.language == "rust" and name != "*" else "")))
            if not targets and not outside.startswith(("crate", "self", "super")):
                targets = [f"ext::{outside.replace('::', '.')}"]
            for target in targets:
                found[target, one.line, one.owner, ()] = None
        return list(found)

    def extends(self, file: File) -> list[tuple[str, str, tuple[str, ...]]]:
        """What the types of a file build on; an interface or a trait is implemented."""
        found: dict[tuple[str, str, tuple[str, ...]], None] = {}
        for (path, symbol), one in self.names[file.language].types.items():
            if path != file.path:
                continue
            for other in one.above:
                implements = other.file.symbols[other.symbol].type in ("interface", "trait") and not one.interface
                found[symbol, f"{other.file.path}::{other.symbol}", ("implements",) if implements else ()] = None
            for outside in one.outside:
                found[symbol, f"ext::{outside.replace('::', '.')}", ()] = None
        return list(found)

    def is_open(self, solver: Solver, index: int) -> bool:
        """Whether something outside the project may define a value's methods."""
        one = self.type(solver, index) if solver.values.kind[index] in ("instance", "class") else None
        return one is not None and any(step.outside for step in one.order())

    def seeds(self, _solver: Solver, _grounds: Grounds) -> Iterable[Seed]:
        """All as one."""
        return (Whole(self.seed),)

    def seed(self, solver: Solver) -> None:
        """Nothing: what is declared is told as hints."""


def _constructors(one: Type) -> list[tuple[File, str]]:
    """In Java a method named like its class."""
    return one.methods.get(one.symbol.rpartition(".")[2], []) if one.file.language == "java" else []


class Above:
    """`super`: of each receiver, the view beyond a class."""

    __slots__ = ("home", "target")

    def __init__(self, home: int, target: int) -> None:
        self.home, self.target = home, target

    def react(self, solver: Solver, value: int) -> None:
        """Instances have one."""
        if solver.values.kind[value >> 2] == "instance":
            solver.add(self.target, solver.values.value("super", self.home, value >> 2, level=value & 3))


class Maker:
    """`X::new` as a value."""

    __slots__ = ("target",)

    def __init__(self, target: int) -> None:
        self.target = target

    def react(self, solver: Solver, value: int) -> None:
        """Calling it makes an instance."""
        if solver.values.kind[value >> 2] == "class":
            solver.add(self.target, solver.values.value("other", "maker", value >> 2, level=value & 3))


class Callback:
    """A function that a container's method calls with the elements."""

    __slots__ = ("call", "every", "level", "policy")

    def __init__(self, policy: Static, call: Call, every: int, level: int) -> None:
        self.policy, self.call, self.every, self.level = policy, call, every, level

    def react(self, solver: Solver, value: int) -> None:
        """Bind the elements, and note the call."""
        index, level = value >> 2, max(value & 3, self.level, INFERRED)
        kind = solver.values.kind[index]
        if kind not in ("function", "bound") or (
            kind == "bound" and solver.values.kind[solver.values.what[index][0]] != "function"
        ):
            return
        given = [(self.every, False)] if kind == "function" else []
        call = Call(self.call.unit, self.call.site, self.call.callee, given, [], -1)
        this = solver.values.what[index][1] * 4 + level if kind == "bound" else -1
        function = index if kind == "function" else solver.values.what[index][0]
        solver.invoke(function, call, at_least(value, level) & 3, this=this)
        path, name = solver.values.what[function]
        solver.imply(self.call, f"{path}::{name}", "", level)
