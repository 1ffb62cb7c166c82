"""Flows → rules: one file's statements, made into variables, copies and rules of the solver."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any

from sbfs.linking.rules import (
    Await,
    Base,
    Call,
    Decorated,
    Element,
    Enter,
    Hint,
    Item,
    Load,
    Returned,
    SetItem,
    Slice,
    Spill,
    Store,
    element,
)
from sbfs.linking.tables import NOTHING_GIVEN, File, Function, Unit, is_body, plain
from sbfs.linking.values import KEYS, REST, TABLE

if TYPE_CHECKING:
    from sbfs.code.facts import Symbol
    from sbfs.linking.solver import Solver

FREE, IMPLIED = "<free>", "<implied>"
"""In the place of a symbol: what is said by a file as a whole."""
SHORT_LOOKUPS = frozenset({":getattr", ":setattr", ":hasattr", ":delattr"})


def functions(solver: Solver, file: File) -> None:
    """Make the variables of all functions of a file that has none yet."""
    for symbol in file.facts.symbols:
        if not is_body(symbol) and symbol.name != "" and symbol.name not in file.functions:
            solver.originate(file.path, symbol.name)
            index = solver.values.index("function", file.path, symbol.name)
            file.functions[symbol.name] = solver.functions[index] = make_function(solver, file, symbol, index)


def make_function(solver: Solver, file: File, symbol: Symbol, index: int) -> Function:
    """A function's record, its parameters made gates."""
    function = Function(file, symbol, index)
    prefix = symbol.name + ":"
    function.returns = solver.gate(solver.variable(file, prefix + "<returns>"))
    function.yields = solver.gate(solver.variable(file, prefix + "<yields>"))
    for parameter in symbol.parameters:
        variable = solver.gate(solver.variable(file, prefix + parameter.name))
        if parameter.kind == "block":
            function.block = variable
            continue
        if parameter.kind in ("rest", "keywords"):
            sort = "tuple" if parameter.kind == "rest" else "dict"
            value = solver.values.value("container", sort, (file.path, symbol.name, parameter.kind))
            solver.add(variable, value)
            setattr(function, parameter.kind, value >> 2)
            continue
        if parameter.kind != "keyword":
            function.positional.append(variable)
        if parameter.kind != "only":
            function.names[parameter.name] = variable
    written = {flow[1] for flow in symbol.flows if flow[0] == "=" and isinstance(flow[1], str)}
    names = [parameter.name for parameter in symbol.parameters if parameter.kind in ("positional", "only")]
    returned = {flow[1] for flow in symbol.flows if flow[0] == "return" and isinstance(flow[1], str)}
    function.passes = tuple(i for i, name in enumerate(names) if name in returned and name not in written)
    function.this = solver.gate(solver.variable(file, prefix + "this"))
    if function.block < 0:
        function.block = solver.variable(file, prefix + "&")
    return function


def compile_file(solver: Solver, file: File, but: Container[str] = ()) -> None:
    """Make the rules of all symbols of a file, but of those whose rules stand. `functions` of all files come before."""
    for symbol in file.facts.symbols:
        if symbol.flows and symbol.name not in but:
            solver.originate(file.path, symbol.name)
            mentioned: set[str] = set()
            compile_symbol(solver, file, symbol, mentioned)
            if mentioned:
                file.mentioned[symbol.name] = mentioned
    known = {name for names in file.mentioned.values() for name in names}
    solver.originate(file.path, IMPLIED)
    implied(solver, file, (name for name in file.functions if name not in known))


def free(solver: Solver, file: File) -> None:
    """Let what a file's names hold that it does not define flow into them."""
    solver.originate(file.path, FREE)
    names = [key for key in file.variables if key[0] == ":" and key not in file.defined and key[-1] != "!"]
    for key in names:
        file.policy.free(solver, file, key[1:], file.variables[key])


def compile_symbol(solver: Solver, file: File, symbol: Symbol, mentioned: set[str]) -> None:
    """Make the rules of one symbol's body. mentioned: gets the functions that it defines by a form."""
    unit = Unit(file, symbol)
    unit.function = file.functions.get(symbol.name)
    scope = Scope(solver, unit, mentioned)
    for number, flow in enumerate(symbol.flows):
        scope.number = number
        with contextlib.suppress(RecursionError):  # nested so deep that nobody wrote it: left out
            scope.statement(flow)
    everything = file.policy.everything
    if unit.function is not None and everything and unit.prefix + everything in file.variables:
        value = solver.values.value("container", "list", (file.path, symbol.name, everything))
        solver.add(file.variables[unit.prefix + everything], value)
        unit.function.everything = value >> 2


def implied(solver: Solver, file: File, names: Iterable[str]) -> None:
    """Assign functions that no flow mentions to their own names, where the language leaves that out."""
    if file.policy.implies_definitions:
        for name in names:
            function = file.functions[name]
            solver.add(solver.variable(file, f"{file.around(name)}:{plain(name)}"), function.index * 4)


class Scope:
    """A symbol's body while its rules are made. number: of the statement; places of literals are numbered by
    ordinal."""

    def __init__(self, solver: Solver, unit: Unit, mentioned: set[str]):
        self.mentioned = mentioned
        self.solver, self.unit, self.file, self.prefix = solver, unit, unit.file, unit.prefix
        self.number = 0
        self.ordinal = 0
        self._loads: dict[tuple[int, str, bool], int] = {}
        self._free = unit.file.variables

    # -- statements

    def statement(self, flow: list[Any]) -> None:
        """Make the rules of one statement."""
        kind = flow[0]
        if kind == "=":
            target, expression = flow[1], flow[2]
            if isinstance(target, str) and isinstance(expression, list) and expression and expression[0] in _GIVES:
                _GIVES[expression[0]](self, expression, self.variable(target))
            else:
                self.assign(target, self.value(expression))
        elif kind == "do":
            expression = flow[1]
            if isinstance(expression, list) and expression and expression[0] in ("call", "new"):
                self.call(expression, wanted=False)
            else:
                self.value(expression)
        elif kind == "return":
            self._return(flow[1])
        elif kind == "yield":
            if self.unit.function is not None:
                self.flow(self.value(flow[1]), self.unit.function.yields)
        elif kind == "yield*":
            source = self.value(flow[1])
            if self.unit.function is not None and source >= 0:
                self.solver.watch(source, Element(self.unit, self.place, self.unit.function.yields))
        elif kind == "raise":
            self._raise(flow[1])
        elif kind == "hint":
            self._hint(flow[1], flow[2])
        elif kind == "hint-return":
            if self.unit.function is not None:
                self.solver.hints.append((self.unit.function.returns, self.type(flow[1])))
        elif kind != "star":
            self.file.policy.statement(self, flow)

    @property
    def place(self) -> int:
        """Where a statement without a call site stands: its number, told apart from sites by being negative."""
        return -1 - self.number

    def _return(self, expression: Any) -> None:
        function = self.unit.function
        if function is None:
            return
        if isinstance(expression, str):
            variable = self.variable(expression)
            if any(function.positional[number] == variable for number in function.passes):
                return
        self.flow(self.value(expression), function.returns)

    def _raise(self, expression: Any) -> None:
        if isinstance(expression, list) and expression and expression[0] == "call":
            self.call(expression, wanted=False)
            return
        callee = self.value(expression)
        if callee >= 0:
            call = Call(self.unit, self.place, callee, [], [], -1, expression)
            call.implicit = "raise"
            self.solver.called(call)
            self.solver.watch(callee, call)

    def assign(self, target: Any, source: int) -> None:
        """Let a variable flow into a target."""
        if source < 0 or target is None:
            return
        if isinstance(target, str):
            self.flow(source, self.variable(target))
        elif target[0] == "attr":
            base = self.value(target[1])
            if base >= 0:
                self.solver.watch(base, Store(self.unit, self.place, target[2], source))
        elif target[0] == "item":
            base = self.value(target[1])
            if base >= 0:
                self.solver.watch(base, SetItem(self.unit, self.place, target[2], source))
        elif target[0] == "unpack":
            self._unpack(target[1], target[2], source)

    def _unpack(self, targets: list[Any], star: int | None, source: int) -> None:
        for number, target in enumerate(targets):
            if target is None:
                continue
            part = self.solver.fresh()
            if number == star:
                index = self.container("list", part)
                self.solver.watch(source, Spill(self.unit, self.place, index, -number))
            else:
                key = number if star is None or number < star else number - len(targets)
                self.solver.watch(source, Item(self.unit, self.place, key, part, unpacks=True))
            self.assign(target, part)

    def _hint(self, target: Any, hinted: Any) -> None:
        if isinstance(target, str):
            symbol = self.unit.symbol
            if is_body(symbol):
                self.solver.hints.append((self.variable(target + "!"), self.type(hinted)))
            else:
                self.solver.hints.append((self.variable(target), self.type(hinted)))
        elif target and target[0] == "attr":
            owner = self.file.class_around(self.unit.name)
            if owner is not None:
                variable = self.solver.variable(self.file, f"{owner}:{target[2]}!")
                self.solver.hints.append((variable, self.type(hinted)))

    def type(self, hinted: Any) -> list[Any]:
        """A type, its class expressions replaced by their variables: ("inst", variable, parts) or ("any", parts)."""
        if not isinstance(hinted, list) or not hinted:
            return []
        if hinted[0] == "inst":
            return [Hint(self.unit, self.value(hinted[1]), [self.type(one) for one in hinted[2]], self.next_place())]
        if hinted[0] == "call":
            return [Hint(self.unit, -1, [self.type(hinted[2])], self.next_place())]
        if hinted[0] == "any":
            return [hint for one in hinted[1] for hint in self.type(one)]
        return []

    # -- expressions

    def flow(self, source: int, target: int) -> None:
        """A copy, unless there is nothing to copy."""
        if source >= 0:
            self.solver.copy(source, target)

    def variable(self, name: str) -> int:
        """The variable of a name as flows write it."""
        key = name if ":" in name else self.prefix + name
        found = self._free.get(key)
        return self.solver.variable(self.file, key) if found is None else found

    def next_place(self) -> tuple[str, str, int]:
        """A place in the project that no other literal has."""
        self.ordinal += 1
        return (self.file.path, self.unit.name, self.ordinal)

    def value(self, expression: Any) -> int:
        """The variable that holds an expression's values; -1 where none can matter."""
        if isinstance(expression, str):
            return self.variable(expression)
        if not expression:
            return -1
        make = _EXPRESSIONS.get(expression[0])
        return self.file.policy.special(self, expression) if make is None else make(self, expression)

    def given(self, kind: str, *what: Any) -> int:
        """A new variable that holds one value."""
        variable = self.solver.fresh()
        self.solver.add(variable, self.solver.values.value(kind, *what))
        return variable

    def load(self, base: int, name: str, *, called: bool = False, site: int | None = None) -> int:
        """The variable of an attribute of what a variable holds."""
        if base < 0:
            return -1
        key = (base, name, called)
        found = self._loads.get(key)
        if found is None:
            found = self._loads[key] = self.solver.fresh()
            load = Load(self.unit, self.place if site is None else site, base, name, found, called)
            self.solver.loads.append(load)
            self.solver.watch(base, load)
        return found

    def _attr(self, expression: list[Any]) -> int:
        return self.load(self.value(expression[1]), expression[2])

    def _call(self, expression: list[Any]) -> int:
        return self.call(expression, wanted=True)

    def call(self, expression: list[Any], *, wanted: bool, decorates: bool | None = None) -> int:
        """A call. wanted: its result matters."""
        callee = expression[2]
        if isinstance(callee, list) and callee and callee[0] == "attr":
            base = self.value(callee[1])
            variable = self.load(base, callee[2], called=True, site=expression[1])
        else:
            base = -1
            variable = self.value(callee)
        arguments, texts = self._arguments(expression[3], callee)
        keywords = [(name, self.value(one)) for name, one in expression[4]] if len(expression) > 4 else []
        if variable < 0:
            variable = self.solver.fresh()
        result = self.solver.fresh() if wanted else -1
        call = Call(self.unit, expression[1], variable, arguments, keywords, result, callee)
        call.base = base
        if texts:
            call.texts = texts
        call.new = expression[0] == "new"
        call.decorates = decorates if decorates is not None else _decorates(expression)
        self.solver.called(call)
        self.solver.watch(variable, call)
        if call.decorates and result >= 0 and (defined := _defined(expression)) in self.file.symbols:
            call.output = self.solver.fresh()
            self.solver.watch(result, Decorated(self.file, defined, call.output))
            return call.output
        return result

    def _arguments(self, expressions: list[Any], callee: Any) -> tuple[list[tuple[int, bool]], dict[int, str]]:
        arguments: list[tuple[int, bool]] = []
        texts: dict[int, str] = {}
        for place, one in enumerate(expressions):
            if not isinstance(one, list) or not one:
                arguments.append((self.value(one), False))
            elif one[0] == "*":
                arguments.append((self.value(one[1]), True))
            elif one[0] == "lit" and len(one) > 3:
                arguments.append((self.value(one), False))
            elif one[0] == "lit" and len(one) > 2:
                texts[place] = one[2]
                arguments.append((self._literal(one[1]), False))
            elif one[0] in ("list", "tuple", "set", "dict") and one[1] and _plain(one):
                arguments.append((self._literal(one[0]), False))
            else:
                arguments.append((self.value(one), False))
        function = self.unit.function
        if (
            function is not None
            and len(expressions) > 1
            and isinstance(callee, str)
            and callee in SHORT_LOOKUPS
            and not texts
        ):
            function.looks_up = True
        return arguments, texts

    def _literal(self, type: str) -> int:
        return self._constant(self.solver.literals, "literal", type)

    def _constant(self, known: dict[str, int], kind: str, what: str) -> int:
        """The one variable of a constant; everyone who needs it lets it hold its value."""
        found = known.get(what)
        if found is None:
            found = known[what] = self.solver.fresh()
        self.solver.add(found, self.solver.values.value(kind, what))
        return found

    def _item(self, expression: list[Any]) -> int:
        base = self.value(expression[1])
        if base < 0:
            return -1
        target = self.solver.fresh()
        self.solver.watch(base, Item(self.unit, self.place, expression[2], target))
        return target

    def _slice(self, expression: list[Any]) -> int:
        base = self.value(expression[1])
        if base < 0:
            return -1
        target = self.solver.fresh()
        low = 0 if expression[2] is None else expression[2]
        index = self.solver.values.index("container", "list", self.next_place())
        self.solver.watch(base, Slice(self.unit, self.place, index, low, target))
        return target

    def _elem(self, expression: list[Any]) -> int:
        base = self.value(expression[1])
        if base < 0:
            return -1
        target = self.solver.fresh()
        awaits = len(expression) > 3 and bool(expression[3])
        self.solver.watch(base, Element(self.unit, expression[2], target, awaits))
        return target

    def _enter(self, expression: list[Any]) -> int:
        base = self.value(expression[1])
        if base < 0:
            return -1
        target = self.solver.fresh()
        awaits = len(expression) > 3 and bool(expression[3])
        self.solver.watch(base, Enter(self.unit, expression[2], target, awaits))
        return target

    def _await(self, expression: list[Any]) -> int:
        base = self.value(expression[1])
        if base < 0:
            return -1
        target = self.solver.fresh()
        self.solver.watch(base, Await(self.unit, self.place, target))
        return target

    def container(self, sort: str, variable: int) -> int:
        """Let a new container flow into a variable. Returns the container's index."""
        value = self.solver.values.value("container", sort, self.next_place())
        self.solver.add(variable, value)
        return value >> 2

    def _sequence(self, expression: list[Any]) -> int:
        variable = self.solver.fresh()
        index = self.container(expression[0], variable)
        self.solver.lengths.pop(index, None)  # of what stood here before
        elements = expression[1]
        if elements and _plain(expression):
            self._texts(elements, index)
            return variable
        known = len(elements) <= TABLE and expression[0] != "set"
        spread = False
        for place, one in enumerate(elements):
            if isinstance(one, list) and one and one[0] == "*":
                source = self.value(one[1])
                if source >= 0:
                    self.solver.watch(
                        source, Spill(self.unit, self.place, index, place if known and not spread else None)
                    )
                spread = True
                continue
            source = self.value(one)
            if source >= 0:
                self.flow(source, self.solver.field(index, element(place if known and not spread else None)))
        if known and not spread:
            self.solver.lengths[index] = len(elements)
        return variable

    def _texts(self, elements: list[Any], index: int) -> None:
        """Elements that cannot be called: only the texts among them matter, and not where they stand."""
        for one in elements:
            if one is not None and len(one) > 2:
                self.flow(self._text(one[2]), self.solver.field(index, REST))

    def _dict(self, expression: list[Any]) -> int:
        variable = self.solver.fresh()
        index = self.container("dict", variable)
        entries = expression[1]
        if entries and _plain(expression):
            self._texts([entry[1] for entry in entries], index)
            for entry in entries:
                if isinstance(entry[0], str):
                    self.flow(self._text(entry[0]), self.solver.field(index, KEYS))
            return variable
        known = len(entries) <= TABLE
        for entry in entries:
            key, source = entry[0], self.value(entry[1])
            if isinstance(key, list):
                if source >= 0:
                    self.solver.watch(source, Spill(self.unit, self.place, index, None, mapping=True))
                continue
            if source >= 0:
                self.flow(source, self.solver.field(index, element(key if known else None)))
            if len(entry) > 2:
                self.flow(self.value(entry[2]), self.solver.field(index, KEYS))
            elif isinstance(key, str):
                self.flow(self._text(key), self.solver.field(index, KEYS))
        return variable

    def _each(self, expression: list[Any]) -> int:
        variable = self.solver.fresh()
        index = self.container(expression[1], variable)
        self.flow(self.value(expression[2]), self.solver.field(index, REST))
        if len(expression) > 3:
            self.flow(self.value(expression[3]), self.solver.field(index, KEYS))
        return variable

    def _object(self, expression: list[Any]) -> int:
        variable = self.solver.fresh()
        value = self.solver.values.value("object", self.next_place())
        self.solver.add(variable, value)
        index = value >> 2
        for name, one in expression[1]:
            source = self.value(one)
            if source < 0:
                continue
            if isinstance(name, list):
                self.solver.watch(source, Spill(self.unit, self.place, index, None, mapping=True))
            else:
                self.flow(source, self.solver.field(index, element(name)))
        return variable

    def _func(self, expression: list[Any], into: int = -1) -> int:
        function = self.file.functions.get(expression[1])
        if function is None:
            return -1
        self.mentioned.add(expression[1])
        if len(expression) > 2 or function.given:
            function.give(self._defaults(function, expression[2]) if len(expression) > 2 else NOTHING_GIVEN)
        into = self.solver.fresh() if into < 0 else into
        self.solver.add(into, function.index * 4)
        return into

    def _defaults(self, function: Function, defaults: list[Any]) -> dict[str, int]:
        """Parameter → a variable that its default flows into."""
        given = {}
        for name, one in defaults:
            source = self.value(one)
            if source >= 0:
                given[name] = self.solver.variable(self.file, f"{function.symbol.name}:{name}=")
                self.flow(source, given[name])
        return given

    def _class(self, expression: list[Any], into: int = -1) -> int:
        variable = self.solver.fresh() if into < 0 else into
        index = self.solver.values.index("class", self.file.path, expression[1])
        self.solver.add(variable, index * 4)
        for place, base in enumerate(expression[2]):
            source = self.value(base)
            if source >= 0:
                self.solver.watch(source, Base(self.unit, index, place))
        for name, one in expression[3] if len(expression) > 3 else ():
            source = self.value(one)
            if source >= 0:
                self.solver.watch(source, Base(self.unit, index, name))
        return variable

    def _any(self, expression: list[Any]) -> int:
        variable = self.solver.fresh()
        for one in expression[1]:
            self.flow(self.value(one), variable)
        return variable

    def _lit(self, expression: list[Any]) -> int:
        if len(expression) > 3:
            return self.given("other", "begins", expression[2])
        if len(expression) > 2 and isinstance(expression[2], str):
            return self._text(expression[2])
        return self._literal(expression[1])

    def _text(self, text: str) -> int:
        return self._constant(self.solver.texts, "text", text)

    def _module(self, expression: list[Any], into: int = -1) -> int:
        variable = self.solver.fresh() if into < 0 else into
        self.file.policy.imported(self.solver, self, expression[1], expression[2], expression[3], variable)
        return variable

    @property
    def site(self) -> int:
        """With `unit`, makes a scope a place: the statement."""
        return self.place

    def _returned(self, expression: list[Any]) -> int:
        base = self.value(expression[1])
        if base < 0:
            return -1
        target = self.solver.fresh()
        self.solver.watch(base, Returned(target))
        return target

    def _this(self, _expression: list[Any]) -> int:
        return self.variable("this")

    def _block(self, _expression: list[Any]) -> int:
        function = self.unit.function
        return self.variable("&") if function is None else function.block

    def _cast(self, expression: list[Any]) -> int:
        variable = self.solver.fresh()
        source = self.value(expression[1])
        narrow = getattr(self.file.policy, "narrow", None)
        rule = narrow(self.unit, expression[2], variable) if narrow is not None and source >= 0 else None
        if rule is None:
            self.flow(source, variable)
        else:
            self.solver.watch(source, rule)
        self.solver.hints.append((variable, self.type(expression[2])))
        return variable


def _decorates(expression: list[Any]) -> bool:
    """Whether a call is the application of a decorator: its only argument is what is defined right there."""
    if expression[0] != "call" or len(expression[3]) != 1 or (len(expression) > 4 and expression[4]):
        return False
    argument = expression[3][0]
    if not isinstance(argument, list) or not argument:
        return False
    if argument[0] == "func":
        return "<" not in argument[1].rpartition(".")[2]
    return argument[0] == "class" or _decorates(argument)


def _defined(expression: list[Any]) -> str:
    """The name of what a decorator, or a stack of them, is applied to."""
    while expression[0] == "call":
        expression = expression[3][0]
    return str(expression[1])


def _plain(expression: list[Any]) -> bool:
    """Whether a literal holds nothing that could be called."""
    for part in expression[1]:
        if expression[0] == "dict" and (len(part) > 2 or isinstance(part[0], list)):
            return False
        one = part[1] if expression[0] == "dict" else part
        if one is not None and not (isinstance(one, list) and one and one[0] == "lit"):
            return False
    return True


_GIVES = {"func": Scope._func, "class": Scope._class, "module": Scope._module}
_EXPRESSIONS = {
    "attr": Scope._attr,
    "call": Scope._call,
    "new": Scope._call,
    "item": Scope._item,
    "slice": Scope._slice,
    "elem": Scope._elem,
    "enter": Scope._enter,
    "await": Scope._await,
    "list": Scope._sequence,
    "tuple": Scope._sequence,
    "set": Scope._sequence,
    "dict": Scope._dict,
    "each": Scope._each,
    "object": Scope._object,
    "func": Scope._func,
    "class": Scope._class,
    "any": Scope._any,
    "lit": Scope._lit,
    "module": Scope._module,
    "returned": Scope._returned,
    "this": Scope._this,
    "block": Scope._block,
    "cast": Scope._cast,
}
