"""Python's modules, functions, classes and simple statements → symbols, imports and flows, in one walk."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

from sbfs.code.facts import Expression, Facts, Import, Symbol
from sbfs.code.languages import words
from sbfs.code.python_attributes import attributes
from sbfs.code.python_matching import Matching
from sbfs.code.python_names import TEXT
from sbfs.code.python_scopes import NEVER, Later, Scope, bindings
from sbfs.code.python_source import Source, docstring
from sbfs.code.python_types import type_of

_HIDDEN_DECORATORS = words("property staticmethod classmethod abstractmethod overload wraps override final")
"""Decorators that run nothing of the class's own."""

# Where a statement may begin: words of comments and docstrings would have the whole tree searched.
_NONLOCAL = re.compile(rb"(?:\A|[\r\n;:])[ \t\f]*nonlocal[ \t\f\\]")
_GLOBAL = re.compile(rb"(?:\A|[\r\n;:])[ \t\f]*global[ \t\f\\]")


class Body(Matching):
    """Reads a whole file: `read_module`, once."""

    def __init__(self, facts: Facts, source: Source) -> None:
        super().__init__(facts, source)
        self.exports: list[str] | None = None
        self.too_deep: set[int] = set()
        self.statements: dict[type, Callable[[Any], None]] = {
            kind: getattr(self, f"_{kind.__name__.lower()}") for kind in _STATEMENTS
        }
        raw = source.raw
        self.has_nonlocal = b"nonlocal" in raw and _NONLOCAL.search(raw) is not None
        self.has_global = b"global" in raw and _GLOBAL.search(raw) is not None
        self.marked = source.lines if b"#:" in raw else []

    def read_module(self, tree: ast.Module) -> None:
        """Read a module's body and all within it."""
        doc = docstring(tree.body)
        symbol = self.source.module_symbol(doc)
        self.facts.symbols.append(symbol)
        scope = self.module = Scope(symbol, None)
        scope.counts = bindings(tree.body, self.has_walrus)
        if self.has_global:
            scope.cells = _declared(tree, ast.Global)
        self.enter(scope)
        self.walk(tree.body)
        self.facts.attributes.extend(attributes(tree.body, "", self.marked))
        self._leave_names(scope)
        scope.drain()
        self.table.clear()
        self.statements.clear()
        if self.exports is not None:
            self.facts.exports = tuple(self.exports)
        if self.too_deep:
            self.facts.parse = "partial"
            lines = ", ".join(str(line) for line in sorted(self.too_deep)[:10])
            self.facts.notes = (*self.facts.notes, f"nested too deep to be read: line {lines}")

    def enter(self, scope: Scope) -> tuple[Any, ...]:
        """Read in another scope; returns how to come back."""
        before = (self.scope, self.symbol, self.branches, self.alive, self.breaks, self.continues)
        self.scope, self.symbol, self.branches, self.alive = scope, scope.symbol, 0, True
        self.breaks, self.continues = [], []
        return before

    def leave(self, before: tuple[Any, ...]) -> None:
        """Come back."""
        self.scope, self.symbol, self.branches, self.alive, self.breaks, self.continues = before

    def _leave_names(self, scope: Scope) -> None:
        """At the end of a module's or class's body: what others see of names that were bound more than once."""
        assert scope.counts is not None
        for name, count in scope.counts.items():
            if count > 1 and name in scope.env and name not in scope.cells:
                expression = scope.expression(scope.env[name])
                own = self.mangled(name)
                if expression is not None and expression != own:
                    scope.write(["=", own, expression], scope.symbol.start)

    def walk(self, body: Sequence[ast.stmt]) -> None:
        """Read statements in order."""
        table = self.statements
        for node in body:
            try:
                table.get(node.__class__, self._unknown)(node)
            except RecursionError:
                self.too_deep.add(node.lineno)

    # -- functions and classes ----------------------------------------------------------------

    def run_body(self, symbol: Symbol, node: Any, home: Scope, mangler: str, seen: float) -> None:
        """Read a function's body, when the scope around it has been read."""
        scope = Scope(symbol, home, mangler)
        scope.seen = seen
        is_lambda = node.__class__ is ast.Lambda
        if self.has_nonlocal and not is_lambda:
            scope.cells = _declared(node, ast.Nonlocal, inner=True)
        before = self.enter(scope)
        try:
            self._bind_parameters(node.args, scope)
            if is_lambda:
                value = self.value(node.body)
                if value is not None:
                    scope.write(["return", value], node.body.lineno)
            else:
                if node.returns is not None and (hint := type_of(node.returns, self.load)) is not None:
                    scope.write(["hint-return", hint], node.lineno)
                self.walk(node.body[1:] if docstring(node.body) is not None else node.body)
            symbol.complexity = 1 + self.branches
            scope.drain()
        except RecursionError:
            self.too_deep.add(node.lineno)
        finally:
            self.leave(before)

    def _bind_parameters(self, arguments: ast.arguments, scope: Scope) -> None:
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        given += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        for one in given:
            scope.versions[one.arg] = 1
            scope.bind(one.arg, one.arg)
        for one in given:
            if one.annotation is not None and (hint := type_of(one.annotation, self.load)) is not None:
                if one is arguments.vararg:
                    hint = ["inst", ["module", "builtins", 0, "tuple"], [hint]]
                elif one is arguments.kwarg:
                    hint = ["inst", ["module", "builtins", 0, "dict"], [None, hint]]
                scope.write(["hint", one.arg, hint], one.lineno)

    def _functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        scope = self.scope
        decorators = [self.value(one) for one in node.decorator_list]
        symbol = self.source.function_symbol(self._symbol_name(node.name), node, scope.is_class)
        self.facts.symbols.append(symbol)
        defaults = self.defaults(node.args)
        self._run_annotations(node)
        value: Expression = ["func", symbol.name, defaults] if defaults else ["func", symbol.name]
        hidden = all(one.rpartition(".")[2] in _HIDDEN_DECORATORS for one in symbol.decorators)
        for decorator, written in zip(reversed(decorators), reversed(node.decorator_list), strict=True):
            value = ["call", self.site(written.lineno), decorator, [value]]
        mangler, clock = scope.mangler, scope.clock
        later = Later(
            lambda seen: self.run_body(symbol, node, clock, mangler, seen), NEVER if hidden else len(clock.log)
        )
        clock.defer(later)
        self._mention(scope, node.name, later)
        self.bind_name(node.name, value, node.lineno)

    _asyncfunctiondef = _functiondef

    def _mention(self, scope: Scope, name: str, later: Later) -> None:
        """Note by which names a body may be reached: its own, and those of the classes around it."""
        scope.defs.setdefault(name, []).append(later)
        for around in self._classes:
            if around[0] is not scope:
                around[0].defs.setdefault(around[1], []).append(later)

    _classes: tuple[tuple[Scope, str], ...] = ()

    def _run_annotations(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """What stands beside a type in `Annotated[T, …]` may be calls."""
        arguments = node.args
        for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            written = one.annotation
            if isinstance(written, ast.Subscript) and isinstance(written.slice, ast.Tuple):
                for part in written.slice.elts[1:]:
                    if isinstance(part, ast.Call):
                        self.effect(part)

    def _classdef(self, node: ast.ClassDef) -> None:
        outer = self.scope
        decorators = [self.value(one) for one in node.decorator_list]
        bases = [self.value(one) for one in node.bases]
        keywords = [[one.arg or "**", self.value(one.value)] for one in node.keywords]
        symbol = self.source.class_symbol(self._symbol_name(node.name), node)
        self.facts.symbols.append(symbol)
        self.facts.attributes.extend(attributes(node.body, symbol.name, self.marked))
        scope = Scope(symbol, outer.clock, node.name.lstrip("_"))
        scope.counts = bindings(node.body, self.has_walrus)
        classes = self._classes
        self._classes = (*classes, (outer, node.name))
        before = self.enter(scope)
        try:
            self.walk(node.body[1:] if docstring(node.body) is not None else node.body)
            self._leave_names(scope)
        finally:
            self.leave(before)
            self._classes = classes
        value: Expression = ["class", symbol.name, bases]
        if any(one[1] is not None for one in keywords):
            value.append([one for one in keywords if one[1] is not None])
        for decorator, written in zip(reversed(decorators), reversed(node.decorator_list), strict=True):
            value = ["call", self.site(written.lineno), decorator, [value]]
            outer.touch(node.name, len(outer.clock.log))
        self.bind_name(node.name, value, node.lineno)

    def _symbol_name(self, name: str) -> str:
        """The place of a definition in the file; `#2` for a second of the same name."""
        scope = self.scope
        number = scope.names[name] = scope.names.get(name, 0) + 1
        name = f"{name}#{number}" if number > 1 else name
        return f"{scope.name}.{name}" if scope.name else name

    # -- simple statements --------------------------------------------------------------------

    def _expr(self, node: ast.Expr) -> None:
        value = node.value
        if value.__class__ is ast.Constant:
            return
        if value.__class__ is ast.Call and self.scope.is_module and value.func.__class__ is ast.Attribute:
            self._extend_exports(value)
        self.drop(self.value(value), node.lineno)

    def _assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        targets = node.targets
        first = targets[0]
        if self.scope.is_module and first.__class__ is ast.Name and first.id == "__all__":
            self.exports = _texts(node.value)
        if len(targets) == 1:
            self.assign(first, value, node.lineno, node.value)
            return
        if value.__class__ is list and value[0] not in ("lit", "func"):
            shared = self.scope.temporary(".")
            self.scope.write(["=", shared, value], node.lineno)
            value = shared
        for target in targets:
            self.assign(target, value, node.lineno, node.value if value is None or value == TEXT else None)

    def _augassign(self, node: ast.AugAssign) -> None:
        target = node.target
        if self.scope.is_module and target.__class__ is ast.Name and target.id == "__all__":
            self.exports = (self.exports or []) + (_texts(node.value) or [])
        right = self.value(node.value)
        if target.__class__ is ast.Name:
            left = self.load(target.id)
            if (
                node.op.__class__ is ast.Add
                and right.__class__ is list
                and right[0] == "list"
                and left.__class__ is str
            ):
                for one in right[1]:  # the list itself grows, whoever holds it
                    if one is not None:
                        one = self.element(one[1], node.lineno) if one.__class__ is list and one[0] == "*" else one
                        self.scope.write(["=", ["item", left, None], one], node.lineno)
                return
            value = self.combined(node.op, left, right, node.lineno)
            if value is None and node.op.__class__ is not ast.Add:
                value = left
            if value == left:
                return
            self.bind_name(target.id, value, node.lineno)
            return
        if right.__class__ is list and right[0] == "list":
            base = self.value(target)
            if base is not None:
                for one in right[1]:
                    if one is not None:
                        self.scope.write(["=", ["item", base, None], one], node.lineno)
            return
        self.effect(target)
        if right is not None and right != TEXT and node.op.__class__ in (ast.Add, ast.BitOr):
            self.assign(target, right, node.lineno)
        else:
            self.drop(right, node.lineno)

    def _annassign(self, node: ast.AnnAssign) -> None:
        hint = type_of(node.annotation, self.load)
        value = self.value(node.value) if node.value is not None else None
        target = node.target
        if node.value is not None:
            self.assign(target, value, node.lineno, node.value)
        if self.scope.is_class and target.__class__ is ast.Name:
            if not _is_of_the_class(node.annotation):
                self._hint(target, hint, node.lineno)  # a field, even if nothing is told of it
        elif hint is not None:
            self._hint(target, hint, node.lineno)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            value = self.value(node.value)
            if value is not None:
                self.scope.write(["return", value], node.lineno)
        self.alive = False

    def _raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            value = self.value(node.exc)
            if value is not None:
                self.scope.write(["raise", value], node.lineno)
        if node.cause is not None:
            self.effect(node.cause)
        self.alive = False

    def _assert(self, node: ast.Assert) -> None:
        self.effect(node.test)
        if node.msg is not None:
            self.effect(node.msg)
        self.narrow(node.test, True)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scope.unbind(target.id)
            elif isinstance(target, ast.Tuple | ast.List):
                for one in target.elts:
                    if isinstance(one, ast.Name):
                        self.scope.unbind(one.id)
            elif isinstance(target, ast.Attribute | ast.Subscript):
                if isinstance(target, ast.Subscript):
                    self.effect(target.slice)
                self.effect(target.value)
                self.scope.forwarded.clear()

    def _unknown(self, node: ast.stmt) -> None:
        """`pass`, and `type X = …` of later Pythons: a name of which nothing is called."""
        if isinstance(name := getattr(node, "name", None), ast.Name):
            self.bind_name(name.id, None, node.lineno)

    def _break(self, _node: ast.Break) -> None:
        if self.breaks and self.alive:
            self.breaks[-1].append(dict(self.scope.env))
        self.alive = False

    def _continue(self, _node: ast.Continue) -> None:
        if self.continues and self.alive:
            self.continues[-1].append(dict(self.scope.env))
        self.alive = False

    def _global(self, node: ast.Global) -> None:
        if not self.scope.is_module:
            self.scope.globals.update(node.names)

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.nonlocals.update(node.names)

    # -- imports ------------------------------------------------------------------------------

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            module: Expression = ["module", alias.name, 0, ""]
            here = alias.asname or alias.name.partition(".")[0]
            self._note_import(alias.name, 0, (("", here),), node.lineno)
            if alias.asname is None and "." in alias.name:
                self.scope.write(["do", self._typed(module)], node.lineno)
                module = ["module", here, 0, ""]
            self.bind_name(here, self._typed(module), node.lineno)

    def _importfrom(self, node: ast.ImportFrom) -> None:
        spec, level = node.module or "", node.level
        names = tuple((alias.name, "" if alias.name == "*" else alias.asname or alias.name) for alias in node.names)
        self._note_import(spec, level, names, node.lineno)
        for name, here in names:
            if name == "*":
                self.scope.write(["star", spec, level], node.lineno)
            else:
                self.bind_name(here, self._typed(["module", spec, level, name]), node.lineno)

    def _typed(self, module: Expression) -> Expression:
        return [*module, True] if self.types_only else module

    def _note_import(self, spec: str, level: int, names: tuple[tuple[str, str], ...], line: int) -> None:
        self.facts.imports.append(Import(spec, line, level, names, self.types_only, self.symbol.name))

    def _extend_exports(self, call: ast.Call) -> None:
        """`__all__.extend([…])`, `__all__.append("…")`."""
        func = call.func
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id == "__all__"
            and call.args
        ):
            node = call.args[0]
            found = _texts(ast.List([node], ast.Load()) if func.attr == "append" else node)
            self.exports = (self.exports or []) + (found or [])


def _is_of_the_class(annotation: ast.expr) -> bool:
    """Whether a name in a class's body is said to be no field of its instances."""
    outer = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return getattr(outer, "id", getattr(outer, "attr", "")) == "ClassVar"


def _declared(tree: ast.AST, kind: type, inner: bool = False) -> set[str]:
    """Names in `global` or `nonlocal` statements. inner: only those of functions within."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if node.__class__ is kind:
            found.update(node.names)  # type: ignore[attr-defined]
    if inner:
        own: list[Any] = [one for one in tree.body if one.__class__ is kind]  # type: ignore[attr-defined]
        found -= {name for one in own for name in one.names}
    return found


def _texts(node: ast.expr) -> list[str] | None:
    """Texts of a written-out sequence; of a sum, those that are written out."""
    if isinstance(node, ast.BinOp):
        left, right = _texts(node.left), _texts(node.right)
        return None if left is None and right is None else (left or []) + (right or [])
    if not isinstance(node, ast.Tuple | ast.List | ast.Set):
        return None
    return [one.value for one in node.elts if isinstance(one, ast.Constant) and isinstance(one.value, str)]


_STATEMENTS = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Return, ast.Delete, ast.Assign, ast.AugAssign,
    ast.AnnAssign, ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Match, ast.Raise, ast.Try,
    ast.TryStar, ast.Assert,
    ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Expr, ast.Break, ast.Continue,
)  # fmt: skip
