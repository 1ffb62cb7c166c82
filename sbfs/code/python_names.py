"""What the parts of Python's reader share: the scope that is read, what names stand for in it, what is written down."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from sbfs.code.facts import Expression, Facts, Symbol
from sbfs.code.python_scopes import Const, Scope, Shape, Value
from sbfs.code.python_source import Source

TEXT: Expression = ["lit", "str"]
BYTES: Expression = ["lit", "bytes"]

MAX_KEY = 100
"""Longest text that is kept as a key."""

Narrowed = list[tuple[str, Value, str]]
"""Of names whose type a test told: name, value before, variable since."""


class Names(ABC):
    """Reads names in the scope that is entered."""

    def __init__(self, facts: Facts, source: Source) -> None:
        self.facts = facts
        self.source = source
        self.scope: Scope = None  # type: ignore[assignment]
        self.symbol: Symbol = None  # type: ignore[assignment]
        self.module: Scope = None  # type: ignore[assignment]
        self.branches = 0
        self.fixed_line = 0
        self.reserved: dict[ast.Lambda, str] = {}
        self.has_lambda = b"lambda" in source.raw
        self.table: dict[type, Callable[[Any], Expression]] = {
            kind: getattr(self, f"_{kind.__name__.lower()}") for kind in _EXPRESSIONS
        }

    def value(self, node: ast.expr) -> Expression:
        """What an expression may be."""
        return self.table[node.__class__](node)

    def effect(self, node: ast.expr) -> None:
        """Read an expression of which the value is not needed."""
        kind = node.__class__
        if kind is not ast.Name and kind is not ast.Constant:
            self.drop(self.table[kind](node), node.lineno)

    def drop(self, value: Expression, line: int) -> None:
        """Write down what a value does that nobody takes: calls, and loads that may run a property."""
        if value.__class__ is not list:
            return
        head = value[0]
        if head in _ACTS:
            self.scope.write(["do", value], line)
        elif head == "attr":
            self._drop_load(value, line)
        elif head in ("any", "list", "tuple", "set"):
            for part in value[1]:
                self.drop(part, line)
        elif head == "dict":
            for entry in value[1]:
                for part in entry[1:]:
                    self.drop(part, line)
        elif head in ("item", "slice", "*", "cast", "returned"):
            self.drop(value[1], line)
        elif head == "each":
            for part in value[2:]:
                self.drop(part, line)
        elif head == "func" and len(value) > 2:
            for _, part in value[2]:
                self.drop(part, line)

    def _drop_load(self, value: Expression, line: int) -> None:
        path = path_of(value)
        if path is None:
            root = value[1]
            if root.__class__ is list and root[0] != "lit":
                self.scope.write(["do", value], line)
        elif path not in self.scope.reads:
            self.scope.reads.add(path)
            self.scope.write(["do", value], line)

    def site(self, line: int) -> int:
        """The number of a new call site."""
        sites = self.symbol.sites
        sites.append(self.fixed_line or line)
        return len(sites) - 1

    # -- names --------------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> Expression:
        return self.load(node.id)

    def load(self, name: str) -> Expression:
        """What a name may be here. Whoever holds it afterwards may change it."""
        scope = self.scope
        value = scope.env.get(name)
        if value.__class__ is str:
            if name in scope.defs:
                scope.touch(name, len(scope.clock.log))
            if value in scope.shapes:
                del scope.shapes[value]
            return value
        if value is not None:
            if name in scope.defs:
                scope.touch(name, len(scope.clock.log))
            return scope.expression(value)
        return self._load_outer(name)

    def _load_outer(self, name: str) -> Expression:
        holder, value, seen = self._find(name)
        if holder is None:
            return ":" + name
        holder.touch(name, seen)
        if holder.is_module:
            if value == holder.env.get(name, ()) or value is None:
                return ":" + name
            return holder.expression(value, ":")
        return holder.expression(value, holder.name + ":")  # type: ignore[arg-type]

    def _find(self, name: str) -> tuple[Scope | None, Value | None, float]:
        """The scope outwards that binds a name, what may be seen of it, and since when."""
        scope = self.scope
        if name in scope.globals:
            return self.module, None, 0
        running = scope.is_class
        seen = len(scope.home.log) if running and scope.home else scope.seen
        home = scope.home
        while home is not None:
            value = home.env.get(name) if running else home.visible(name, seen)
            if value is not None:
                return home, value, seen
            if home.is_module:
                return (home, None, seen) if name in home.defs else (None, None, 0)
            if name in home.globals:
                return self.module, None, 0
            running, seen, home = False, home.seen, home.home
        return None, None, 0

    def keys_of(self, node: ast.expr) -> list[str | int] | None:
        """The constants that an expression must be one of, or None."""
        kind = node.__class__
        if kind is ast.Constant:
            key = key_of(node.value)  # type: ignore[attr-defined]
            return None if key is None else [key]
        if kind is ast.UnaryOp and node.op.__class__ is ast.USub:  # type: ignore[attr-defined]
            keys = self.keys_of(node.operand)  # type: ignore[attr-defined]
            return [-key for key in keys if isinstance(key, int)] or None if keys else None
        if kind is ast.Name:
            value = self.scope.env.get(node.id)  # type: ignore[attr-defined]
            if value is None:
                value = self._find(node.id)[1]  # type: ignore[attr-defined]
            if (
                isinstance(value, tuple)
                and value
                and all(isinstance(atom, Const) and not atom.begins for atom in value)
            ):
                return [atom.value for atom in value]  # type: ignore[union-attr]
        return None

    def beginning_of(self, node: ast.expr) -> str:
        """What a text that is put together begins with, where that is enough of a name; else ""."""
        match node:
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                return _stem(text)
            case ast.BinOp(left=left, op=ast.Add()):
                keys = self.keys_of(left)
                return (
                    _stem(keys[0]) if keys and isinstance(keys[0], str) and len(keys) == 1 else self.beginning_of(left)
                )
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
                return _stem(text.partition("%")[0])
            case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
                return _stem(text.partition("{")[0])
            case ast.Name(id=name):
                value = self.scope.env.get(name)
                if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Const) and value[0].begins:
                    return str(value[0].value)
        return ""

    def shape(self, node: ast.expr) -> Shape | None:
        """What is known of the container that a name stands for."""
        if node.__class__ is ast.Name and self.scope.shapes:
            value = self.scope.env.get(node.id)
            return self.scope.shapes.get(value) if value.__class__ is str else None
        return None

    def peek(self, node: ast.expr) -> Expression:
        """A value, without giving away the container that it may be."""
        if node.__class__ is ast.Name:
            value = self.scope.env.get(node.id)
            if value.__class__ is str:
                return value
        return self.value(node)

    def mangled(self, name: str) -> str:
        """A private name as its class keeps it."""
        mangler = self.scope.mangler
        return f"_{mangler}{name}" if mangler and name.startswith("__") and not name.endswith("__") else name

    # -- what statements know -----------------------------------------------------------------

    @abstractmethod
    def bind_name(self, name: str, value: Expression, line: int) -> None:
        """Assign to a name; statements do it."""

    @abstractmethod
    def narrow(self, test: ast.expr, holds: bool) -> Narrowed:
        """Take a test's word for types; statements know how."""

    @abstractmethod
    def widen(self, narrowed: Narrowed) -> None:
        """Forget it again."""

    @abstractmethod
    def run_body(self, symbol: Symbol, node: Any, home: Scope, mangler: str, seen: float) -> None:
        """Read a function's body; statements do it."""


def key_of(value: object) -> str | int | None:
    """A constant as a key, or None for what is none."""
    if value.__class__ is str:
        return value if len(value) <= MAX_KEY and value.isprintable() else None
    if value.__class__ is int and -(2**31) < value < 2**31:
        return value
    return None


def _stem(text: str) -> str:
    """A text where it can be the beginning of a name, also of a dotted one (`package.`, `.`)."""
    return text if text == "." or (len(text) > 1 and text.replace(".", "_").isidentifier()) else ""


def path_of(value: Expression) -> str | None:
    """`a.b.c` for attributes of attributes of a variable, else None."""
    names = []
    while value.__class__ is list and value[0] == "attr":
        names.append(value[2])
        value = value[1]
    if value.__class__ is not str:
        return None
    return ".".join([value, *reversed(names)]) if names else value


def one_of(values: Iterable[Expression]) -> Expression:
    """One of several values; those that cannot matter are left out."""
    found: list[Expression] = []
    for value in values:
        if value is not None and value not in found:
            found.append(value)
    if len(found) > 1:
        return ["any", found]
    return found[0] if found else None


_ACTS = frozenset(("call", "super", "enter", "elem", "await"))

_EXPRESSIONS = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant, ast.JoinedStr, ast.List, ast.Tuple, ast.Set,
    ast.Dict, ast.BinOp, ast.BoolOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.NamedExpr, ast.Starred, ast.Await,
    ast.Yield,
    ast.YieldFrom, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp, ast.Lambda, ast.Slice,
)  # fmt: skip
