"""Expressions of Python → what values they may have, in the forms of facts."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from sbfs.code.facts import Expression
from sbfs.code.languages import words
from sbfs.code.python_names import BYTES, TEXT, Names, one_of, path_of
from sbfs.code.python_scopes import Later, Shape, Value

_KEYED_FUNCTIONS = words(
    "getattr setattr hasattr delattr import_module __import__ attrgetter methodcaller itemgetter import_string "
    "partialmethod"
)
_KEYED_METHODS = words(
    "get pop setdefault import_module attrgetter methodcaller itemgetter __getitem__ __getattr__ __getattribute__"
)
"""Callees to which a constant text or number says what is looked up."""

_READING_METHODS = words("get items keys values copy index count")
"""Methods of containers that neither change them nor keep them."""

_HARMLESS = words(
    ":print :len :isinstance :issubclass :hasattr :str :int :repr :bool :float :id :type :callable :range :ord :chr"
)
"""Builtins that change nothing of what is known about attributes."""

_MANY = 4
"""A literal of more elements than this, all alike, is written as one of any number of them."""

_FOLLOWED = 64
"""Of a longer literal, elements are not kept apart."""


class Values(Names):
    """Reads expressions. Every value that is returned has to be written down or dropped."""

    # -- parts of values ----------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute) -> Expression:
        base = self.table[node.value.__class__](node.value)
        if base is None:
            return None
        return self._attribute_of(base, node.attr)

    def _attribute_of(self, base: Expression, name: str) -> Expression:
        if name.startswith("__"):
            name = self.mangled(name)
        load = ["attr", base, name]
        if self.scope.forwarded and (path := path_of(base)) is not None:
            found = self.scope.forwarded.get((path, name))
            if found is not None and found[2] is not None:
                return self._forwarded(found)
        return load

    def _forwarded(self, stored: list[Any]) -> Expression:
        """What a statement has just stored, kept in a variable from now on."""
        value = stored[2]
        if value.__class__ is list and value[0] not in ("lit", "func", "class"):
            value = self.scope.temporary(".")
            self.scope.write(["=", value, stored[2]], self.symbol.flow_lines[-1])
            stored[2] = value
        return value

    def forward(self, path: str, name: str | int, statement: list[Any]) -> None:
        """Remember what was stored in an attribute or element, until a call may change it."""
        forwarded = self.scope.forwarded
        for key in [key for key in forwarded if key[1] == name or name == "*"]:
            del forwarded[key]
        forwarded[path, name] = statement

    def _subscript(self, node: ast.Subscript) -> Expression:
        base = self.peek(node.value)
        index = node.slice
        if index.__class__ is ast.Slice:
            return self._part(base, index)
        keys = self.keys_of(index)
        if keys is None:
            self.effect(index)
            return None if base is None else ["item", base, None]
        if base is None:
            return None
        return one_of(self._item(base, key) for key in keys)

    def _item(self, base: Expression, key: str | int) -> Expression:
        if self.scope.forwarded and (path := path_of(base)) is not None:
            found = self.scope.forwarded.get((path + "[]", key))
            if found is not None and found[2] is not None:
                return self._forwarded(found)
        return ["item", base, key]

    def _part(self, base: Expression, index: ast.Slice) -> Expression:
        bounds: list[int | None] = []
        for bound in (index.lower, index.upper):
            keys = self.keys_of(bound) if bound is not None else None
            if bound is not None and keys is None:
                self.effect(bound)
            bounds.append(keys[0] if keys and len(keys) == 1 and isinstance(keys[0], int) else None)
        if index.step is not None:
            self.effect(index.step)
        unknown = (index.lower and bounds[0] is None) or (index.upper and bounds[1] is None) or index.step
        if base is None:
            return None
        if unknown:
            return base if base == TEXT else ["each", "list", ["item", base, None]]
        return ["slice", base, *bounds]

    def _slice(self, node: ast.Slice) -> Expression:
        for bound in (node.lower, node.upper, node.step):
            if bound is not None:
                self.effect(bound)
        return None

    # -- calls --------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Expression:
        func = node.func
        kind = func.__class__
        keyed = False
        site = self.site(func.end_lineno or node.lineno)  # numbered outside in: as the flows are written
        if kind is ast.Name:
            name = func.id  # type: ignore[attr-defined]
            callee = self.load(name)
            if callee == ":super":
                return self._super(node, site)
            keyed = name in _KEYED_FUNCTIONS
        elif kind is ast.Attribute:
            shape = self.shape(func.value)  # type: ignore[attr-defined]
            name = func.attr  # type: ignore[attr-defined]
            if shape is not None and name == "append" and self._appends(node, shape):
                return self._append(node, shape, site)
            base = self.peek(func.value) if shape and name in _READING_METHODS else self.value(func.value)  # type: ignore[attr-defined]
            callee = self._attribute_of(base, name)
            keyed = name in _KEYED_METHODS
        else:
            callee = self.value(func)
        arguments, keywords = self.arguments(node, keyed)
        if self.scope.forwarded and (callee.__class__ is not str or callee not in _HARMLESS):
            self.scope.forwarded.clear()
        call = ["call", site, callee, arguments]
        if keywords:
            call.append(keywords)
        return call

    def arguments(self, node: ast.Call, keyed: bool = False) -> tuple[list[Expression], list[list[Any]]]:
        """Values of positional and keyword arguments. keyed: constants say what is looked up."""
        arguments: list[Expression] = []
        table = self.table
        for argument in node.args:
            if argument.__class__ is ast.Starred:
                arguments.append(["*", self.value(argument.value)])
            elif keyed:
                arguments.append(self._key_argument(argument))
            else:
                arguments.append(table[argument.__class__](argument))
        keywords: list[list[Any]] = []
        for keyword in node.keywords:
            value = table[keyword.value.__class__](keyword.value)
            if value is not None:
                keywords.append([keyword.arg or "**", value])
        return arguments, keywords

    def _key_argument(self, node: ast.expr) -> Expression:
        keys = self.keys_of(node)
        if keys is None:
            value = self.value(node)
            beginning = self.beginning_of(node) if value == TEXT else ""
            return ["lit", "str", beginning, True] if beginning else value
        return one_of(["lit", "str" if isinstance(key, str) else "int", key] for key in keys)

    def _super(self, node: ast.Call, site: int) -> Expression:
        arguments = [self.value(argument) for argument in node.args]
        self.scope.forwarded.clear()
        return ["super", site, *arguments[:2]]

    def _appends(self, node: ast.Call, shape: Shape) -> bool:
        """Whether an append's place in the list is known."""
        return (
            shape.type == "list"
            and shape.depth == self.scope.depth
            and len(node.args) == 1
            and not node.keywords
            and node.args[0].__class__ is not ast.Starred
        )

    def _append(self, node: ast.Call, shape: Shape, site: int) -> Expression:
        base = self.peek(node.func.value)  # type: ignore[attr-defined]
        value = self.value(node.args[0])
        place = len(shape.entries)
        shape.entries[place] = value
        if value is not None:
            self.scope.write(["=", ["item", base, place], value], node.lineno)
        return ["call", site, ["attr", base, "append"], []]

    # -- literals -----------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> Expression:
        kind = node.value.__class__
        return TEXT if kind is str else BYTES if kind is bytes else None

    def _joinedstr(self, node: ast.JoinedStr) -> Expression:
        line, self.fixed_line = self.fixed_line, self.fixed_line or node.lineno
        todo: list[ast.expr] = list(node.values)
        for part in todo:
            if part.__class__ is ast.FormattedValue:
                self.effect(part.value)
                if part.format_spec is not None:
                    self.effect(part.format_spec)
        self.fixed_line = line
        return TEXT

    def _elements(self, nodes: Iterable[ast.expr]) -> list[Expression]:
        table = self.table
        return [
            ["*", self.value(node.value)] if node.__class__ is ast.Starred else table[node.__class__](node)
            for node in nodes
        ]

    def _sequence(self, type: str, nodes: list[ast.expr]) -> Expression:
        elements = self._elements(nodes)
        if not any(elements):
            return [type, []]
        if len(elements) > _MANY:
            kinds = _distinct(["item", one[1], None] if _is_star(one) else one for one in elements)
            if len(kinds) == 1 or len(elements) > _FOLLOWED:
                each = ["each", type if type != "tuple" else "list", one_of(kinds)]
                return each if type != "tuple" else ["tuple", [["*", each]]]
        return [type, elements]

    def _list(self, node: ast.List) -> Expression:
        return self._sequence("list", node.elts)

    def _tuple(self, node: ast.Tuple) -> Expression:
        return self._sequence("tuple", node.elts)

    def _set(self, node: ast.Set) -> Expression:
        return self._sequence("set", node.elts)

    def _dict(self, node: ast.Dict) -> Expression:
        entries: list[list[Any]] = []
        for key, item in zip(node.keys, node.values, strict=True):
            if key is None:
                entry: list[Any] = [["**"], self.value(item)]
            elif (keys := self.keys_of(key)) is not None:
                entry = [keys[0] if len(keys) == 1 else None, self.value(item)]
            else:
                name = self.value(key)
                entry = [None, self.value(item), *([] if name is None or name == TEXT else [name])]
            if entry[1] is not None or len(entry) > 2:
                entries.append(entry)
        if len(entries) > _MANY and all(len(entry) == 2 and entry[0].__class__ is not list for entry in entries):
            kinds = _distinct(entry[1] for entry in entries)
            if len(kinds) == 1 or (len(entries) > _FOLLOWED and len(kinds) < _MANY):
                return ["each", "dict", one_of(kinds)]
        return ["dict", entries]

    # -- operators ----------------------------------------------------------------------------

    def _binop(self, node: ast.BinOp) -> Expression:
        chain: list[ast.BinOp] = [node]
        while chain[-1].left.__class__ is ast.BinOp:  # long sums are nested deep to the left
            chain.append(chain[-1].left)
        left = self.value(chain[-1].left)
        for one in reversed(chain):
            left = self.combined(one.op, left, self.value(one.right), one.lineno)
        return left

    def combined(self, op: ast.operator, left: Expression, right: Expression, line: int) -> Expression:
        """What an operator makes of two values."""
        kind = op.__class__
        if left is None and right is None:
            return None
        if left in (TEXT, BYTES):
            self.drop(right, line)
            return left
        if kind is ast.Add and right == TEXT:
            self.drop(left, line)
            return TEXT
        if left is None or right is None:  # one is a number: so is the other
            self.drop(left, line)
            self.drop(right, line)
            return None
        if kind is ast.Add:
            for type in ("list", "tuple"):
                if type in (_literal(left), _literal(right)):
                    return [type, [["*", left], ["*", right]]]
            return one_of((left, right))
        if kind is ast.BitOr:
            if "dict" in (_literal(left), _literal(right)):
                return ["dict", [[["**"], left], [["**"], right]]]
            return one_of((left, right))
        if kind is ast.Mult and _literal(left) in ("list", "tuple"):
            self.drop(right, line)
            return left
        self.drop(left, line)
        self.drop(right, line)
        return None

    def _boolop(self, node: ast.BoolOp) -> Expression:
        self.branches += len(node.values) - 1
        last = node.values[-1]
        if node.op.__class__ is ast.Or:
            return one_of([self.value(one) for one in node.values])
        undo = []
        for one in node.values[:-1]:
            self.effect(one)
            undo.append(self.narrow(one, True))
        value = self.value(last)
        for narrowed in reversed(undo):
            self.widen(narrowed)
        return value

    def _unaryop(self, node: ast.UnaryOp) -> Expression:
        self.effect(node.operand)
        return None

    def _compare(self, node: ast.Compare) -> Expression:
        self.effect(node.left)
        for one in node.comparators:
            self.effect(one)
        return None

    def _ifexp(self, node: ast.IfExp) -> Expression:
        self.branches += 1
        if self.has_lambda:
            self._reserve((node.body, node.test, node.orelse))
        self.effect(node.test)
        undo = self.narrow(node.test, True)
        body = self.value(node.body)
        self.widen(undo)
        undo = self.narrow(node.test, False)
        orelse = self.value(node.orelse)
        self.widen(undo)
        return one_of((body, orelse))

    def _namedexpr(self, node: ast.NamedExpr) -> Expression:
        self.bind_name(node.target.id, self.value(node.value), node.lineno)
        return self.load(node.target.id)

    def _starred(self, node: ast.Starred) -> Expression:
        return ["*", self.value(node.value)]

    def _await(self, node: ast.Await) -> Expression:
        value = self.value(node.value)
        return None if value is None else ["await", value]

    def _yield(self, node: ast.Yield) -> Expression:
        self._generates()
        if node.value is not None:
            value = self.value(node.value)
            if value is not None:
                self.scope.write(["yield", value], node.lineno)
        return None

    def _yieldfrom(self, node: ast.YieldFrom) -> Expression:
        self._generates()
        value = self.value(node.value)
        if value is None:
            return None
        if value.__class__ is list:
            held = self.scope.temporary(".")
            self.scope.write(["=", held, value], node.lineno)
            value = held
        self.scope.write(["yield*", value], node.lineno)
        return ["returned", value]

    def _generates(self) -> None:
        if "generator" not in self.symbol.flags:
            self.symbol.flags = tuple(sorted((*self.symbol.flags, "generator")))

    # -- comprehensions and lambdas -----------------------------------------------------------

    def _listcomp(self, node: ast.ListComp) -> Expression:
        return self._comprehension("list", node.generators, node.elt)

    def _setcomp(self, node: ast.SetComp) -> Expression:
        return self._comprehension("set", node.generators, node.elt)

    def _generatorexp(self, node: ast.GeneratorExp) -> Expression:
        return self._comprehension("generator", node.generators, node.elt)

    def _dictcomp(self, node: ast.DictComp) -> Expression:
        return self._comprehension("dict", node.generators, node.value, node.key)

    def _comprehension(
        self, type: str, generators: list[ast.comprehension], element: ast.expr, key: ast.expr | None = None
    ) -> Expression:
        scope = self.scope
        logged = self.has_lambda and self._reserve((element, key, *generators))
        before: dict[str, Value | None] = {}
        undo = []
        for generator in generators:
            self.branches += 1 + len(generator.ifs)
            items = self.value(generator.iter)
            element_of = self.element(items, generator.iter.lineno, bool(generator.is_async))
            self._bind_own(generator.target, element_of, before, bool(logged))
            for test in generator.ifs:
                self.effect(test)
                undo.append(self.narrow(test, True))
        parts = [self.value(element)]
        if key is not None:
            parts.append(self.value(key))
        for one in reversed(undo):
            self.widen(one)
        for name, value in before.items():
            if logged:
                scope.log.append((name, value if value is not None else ()))
            if value is None:
                scope.env.pop(name, None)
            else:
                scope.env[name] = value
        if key is not None and (parts[1] is None or parts[1] == TEXT):
            parts.pop()
        return ["each", type, *parts]

    def element(self, items: Expression, line: int, is_async: bool = False) -> Expression:
        """What iterating over a value gives."""
        if items in (None, TEXT, BYTES):
            return items
        if (
            items.__class__ is list
            and len(items) == 2
            and not items[1]
            and items[0] in ("list", "tuple", "set", "dict")
        ):
            return None
        return ["elem", items, self.site(line), *([True] if is_async else ())]

    def _bind_own(self, target: ast.expr, value: Expression, before: dict[str, Value | None], logged: bool) -> None:
        """Bind a comprehension's own names; before: what they hide, put back at its end."""
        written = self._own(target, before, logged)
        if value is not None and written is not None:
            self.scope.write(["=", written, value], target.lineno)
        else:
            self.drop(value, target.lineno)

    def _own(self, node: ast.expr, before: dict[str, Value | None], logged: bool) -> Any:
        """A target of a comprehension with variables of its own."""
        scope = self.scope
        if isinstance(node, ast.Name):
            variable = scope.temporary(node.id)
            before.setdefault(node.id, scope.env.get(node.id))
            scope.env[node.id] = variable
            if logged:
                scope.log.append((node.id, variable))
            return variable
        if isinstance(node, ast.Starred):
            return self._own(node.value, before, logged)
        if isinstance(node, ast.Tuple | ast.List):
            star = next((place for place, one in enumerate(node.elts) if isinstance(one, ast.Starred)), None)
            return ["unpack", [self._own(one, before, logged) for one in node.elts], star]
        return None

    def _reserve(self, nodes: Iterable[ast.AST | None]) -> bool:
        """Number lambdas in the order of the source, before they are met in the order of evaluation."""
        found: list[ast.Lambda] = []
        todo = [node for node in nodes if node is not None]
        for node in todo:
            if isinstance(node, ast.Lambda):
                found.append(node)
            else:
                todo.extend(ast.iter_child_nodes(node))
        for one in sorted(found, key=lambda one: (one.lineno, one.col_offset)):
            if one not in self.reserved:
                self.reserved[one] = self._lambda_name()
        return bool(found)

    def _lambda_name(self) -> str:
        self.scope.lambdas += 1
        name = f"<lambda{self.scope.lambdas}>"
        return f"{self.scope.name}.{name}" if self.scope.name else name

    def _lambda(self, node: ast.Lambda) -> Expression:
        name = self.reserved.pop(node, None) or self._lambda_name()
        clock = self.scope.clock
        symbol = self.source.lambda_symbol(name, node)
        if self.fixed_line:
            symbol.start = symbol.end = self.fixed_line  # places within formatted texts differ between Pythons
            symbol.signature = f"lambda {', '.join(one.name for one in symbol.parameters)}".rstrip()
            symbol.body_hash = ""
        self.facts.symbols.append(symbol)
        defaults = self.defaults(node.args)
        mangler = self.scope.mangler
        clock.defer(Later(lambda seen: self.run_body(symbol, node, clock, mangler, seen), len(clock.log)))
        return ["func", name, defaults] if defaults else ["func", name]

    def defaults(self, arguments: ast.arguments) -> list[list[Any]]:
        """Values of a function's defaults, by parameter."""
        if not arguments.defaults and not arguments.kw_defaults:
            return []
        positional = (arguments.posonlyargs + arguments.args)[-len(arguments.defaults) or 10**6 :]
        pairs = [*zip(positional, arguments.defaults, strict=False)]
        pairs += [(name, one) for name, one in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if one]
        found = [[name.arg, self.value(default)] for name, default in pairs]
        return [pair for pair in found if pair[1] is not None]


def _is_star(value: Expression) -> bool:
    return value.__class__ is list and value[0] == "*"


def _distinct(values: Iterable[Expression]) -> list[Expression]:
    """Values that differ, without what cannot matter."""
    return list({str(value): value for value in values if value is not None}.values())


def _literal(value: Expression) -> str:
    """The type of a container that is written out, or ""."""
    if value.__class__ is not list:
        return ""
    return value[1] if value[0] == "each" else value[0] if value[0] in ("list", "tuple", "dict") else ""
