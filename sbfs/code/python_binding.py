"""What assigning does in Python: to names, attributes, elements, and to several at once."""

from __future__ import annotations

import ast
from typing import Any

from sbfs.code.facts import Expression
from sbfs.code.python_names import TEXT, key_of, path_of
from sbfs.code.python_scopes import BUILTINS, Const, Shape
from sbfs.code.python_types import Type
from sbfs.code.python_values import Values

_DISPLAYS = frozenset((ast.List, ast.Dict))

MAX_ENTRIES = 32
"""Containers with more entries are not followed entry by entry."""


class Binding(Values):
    """Reads targets."""

    def bind_name(self, name: str, value: Expression, line: int) -> None:
        """Assign to a name."""
        scope = self.scope
        if name in scope.globals:
            if value is not None:
                scope.write(["=", ":" + name, value], line)
            return
        if name in scope.nonlocals:
            holder = self._find(name)[0]
            if holder is not None and value is not None:
                scope.write(["=", f"{holder.name}:{name}", value], line)
            return
        variable = scope.variable(name)
        if scope.is_class and name.startswith("__"):
            variable = self.mangled(variable)
        if variable == name and scope.forwarded:
            scope.forwarded.clear()
        if value is not None:
            if not _is_implied(variable, value, scope.name):
                scope.write(["=", variable, value], line)
            scope.bind(name, variable)
        elif name in scope.cells:
            scope.bind(name, name)
        else:
            if scope.is_module and name in BUILTINS:
                scope.write(["=", variable, ["any", []]], line)
            scope.bind(name, ())

    def _bind_constant(self, name: str, key: str | int, line: int) -> None:
        scope = self.scope
        if name in scope.globals or name in scope.nonlocals or name in scope.cells:
            self.bind_name(name, TEXT if isinstance(key, str) else None, line)
            return
        if scope.counts is not None and isinstance(key, str) and scope.counts.get(name, 0) <= 1:
            scope.write(["=", self.mangled(name) if scope.is_class else name, TEXT], line)
        scope.bind(name, (Const(key),))

    def _bind_beginning(self, name: str, source: ast.expr) -> bool:
        """Let a function's own name stand for a text of which only the beginning is known. False where it is not."""
        scope = self.scope
        if scope.counts is not None or name in scope.globals or name in scope.nonlocals or name in scope.cells:
            return False
        beginning = self.beginning_of(source)
        if beginning:
            scope.bind(name, (Const(beginning, True),))
        return bool(beginning)

    def assign(self, target: ast.expr, value: Expression, line: int, source: ast.expr | None = None) -> None:
        """Assign a value to any target. source: the expression that it was read from."""
        kind = target.__class__
        if kind is ast.Name:
            name = target.id  # type: ignore[attr-defined]
            if source is not None and source.__class__ is ast.Constant and (key := key_of(source.value)) is not None:
                self._bind_constant(name, key, line)
                return
            if value == TEXT and source is not None and self._bind_beginning(name, source):
                return
            self.bind_name(name, value, line)
            if source.__class__ in _DISPLAYS and (
                value[0] == "dict" or (value[0] == "list" and len(value[1]) == len(source.elts))  # type: ignore[union-attr]
            ):
                self._keep_shape(name, value)
        elif kind is ast.Attribute:
            self._assign_attribute(target, value, line)  # type: ignore[arg-type]
        elif kind is ast.Subscript:
            self._assign_item(target, value, line)  # type: ignore[arg-type]
        elif kind is ast.Tuple or kind is ast.List:
            self._unpack(target, value, line)  # type: ignore[arg-type]
        elif kind is ast.Starred:
            self.assign(target.value, value, line)  # type: ignore[attr-defined]

    def _assign_attribute(self, target: ast.Attribute, value: Expression, line: int) -> None:
        base = self.value(target.value)
        name = self.mangled(target.attr)
        if base is None:
            self.drop(value, line)
            return
        statement = ["=", ["attr", base, name], value]
        path = path_of(base)
        if path is not None:
            self.forward(path, name, statement)
            if value is None:
                if f"={path}.{name}" in self.scope.reads:
                    return
                self.scope.reads.add(f"={path}.{name}")
        self.scope.write(statement, line)

    def _assign_item(self, target: ast.Subscript, value: Expression, line: int) -> None:
        keys = None if target.slice.__class__ is ast.Slice else self.keys_of(target.slice)
        key = keys[0] if keys and len(keys) == 1 else None
        if target.slice.__class__ is ast.Slice:
            value = self.element(value, line)
        elif keys is None:
            self.effect(target.slice)
        shape = self.shape(target.value)
        base = self.peek(target.value)
        if shape is not None and self._replace(target.value, shape, key, value, line):  # type: ignore[arg-type]
            return
        if base is None:
            self.drop(value, line)
            return
        if value is None:
            self.drop(base, line)
            return
        statement = ["=", ["item", base, key], value]
        self.scope.write(statement, line)
        path = path_of(base)
        if path is not None:
            self.forward(path + "[]", key if key is not None else "*", statement)

    def _replace(self, node: ast.Name, shape: Shape, key: str | int | None, value: Expression, line: int) -> bool:
        """Store an entry in a container that nobody else holds. True where an older entry was replaced by it."""
        scope = self.scope
        if key is None or shape.loops != scope.loops or (isinstance(key, int) and key < 0):
            scope.shapes.pop(scope.env[node.id], None)  # type: ignore[arg-type]
            return False
        if key not in shape.entries:
            if shape.depth == scope.depth and len(shape.entries) < MAX_ENTRIES and shape.type == "dict":
                shape.entries[key] = value
            else:
                scope.shapes.pop(scope.env[node.id], None)  # type: ignore[arg-type]
            return False
        entries = {**shape.entries, key: value}
        if shape.type == "dict":
            fresh: Expression = ["dict", [[name, one] for name, one in entries.items() if one is not None]]
        else:
            fresh = ["list", list(entries.values())]
        self.bind_name(node.id, fresh, line)
        self._keep_shape(node.id, fresh, entries)
        return True

    def _keep_shape(self, name: str, value: Expression, entries: dict[str | int, Expression] | None = None) -> None:
        """Remember what a fresh container holds, if all of it is known."""
        scope = self.scope
        variable = scope.env.get(name)
        if variable.__class__ is not str or name in scope.cells or len(value[1]) > MAX_ENTRIES:
            return
        if entries is None:
            entries = {}
            for place, one in enumerate(value[1]):
                if value[0] == "dict":
                    if len(one) > 2 or one[0].__class__ is list or one[0] is None:
                        return
                    entries[one[0]] = one[1]
                else:
                    if one.__class__ is list and one[0] == "*":
                        return
                    entries[place] = one
        scope.shapes[variable] = Shape(value[0], entries, scope)

    def _unpack(self, target: ast.Tuple | ast.List, value: Expression, line: int) -> None:
        """Assign to several targets at once: part by part where the value is written out."""
        targets = target.elts
        star = next((place for place, one in enumerate(targets) if one.__class__ is ast.Starred), None)
        if value.__class__ is list and value[0] in ("tuple", "list") and not _has_star(value[1]):
            parts = value[1]
            if star is None and len(parts) == len(targets):
                for one, part in zip(targets, parts, strict=True):
                    self.assign(one, part, line)
                return
            if star is not None and len(parts) >= len(targets) - 1:
                after = len(targets) - star - 1
                middle = parts[star : len(parts) - after]
                parts = [*parts[:star], ["list", middle], *parts[len(parts) - after :]]
                for one, part in zip(targets, parts, strict=True):
                    self.assign(one, part, line)
                return
        if value is None or (value.__class__ is list and value[0] == "lit"):
            for one in targets:
                self.assign(one, None, line)
            return
        written = ["unpack", [self._target(one, line) for one in targets], star]
        self.scope.write(["=", written, value], line)

    def _target(self, node: ast.expr, line: int) -> Any:
        """A target as it stands in an unpacking."""
        scope = self.scope
        match node:
            case ast.Starred():
                return self._target(node.value, line)
            case ast.Tuple(elts=several) | ast.List(elts=several):
                star = next((place for place, one in enumerate(several) if one.__class__ is ast.Starred), None)
                return ["unpack", [self._target(one, line) for one in several], star]
            case ast.Name(id=name):
                if name in scope.globals:
                    return ":" + name
                if name in scope.nonlocals:
                    holder = self._find(name)[0]
                    return f"{holder.name}:{name}" if holder else None
                variable = scope.variable(name)
                scope.bind(name, variable)
                return variable
            case ast.Attribute():
                base = self.value(node.value)
                scope.forwarded.clear()
                return None if base is None else ["attr", base, self.mangled(node.attr)]
            case ast.Subscript():
                keys = self.keys_of(node.slice) if node.slice.__class__ is not ast.Slice else None
                base = self.value(node.value)
                scope.forwarded.clear()
                return None if base is None else ["item", base, keys[0] if keys and len(keys) == 1 else None]
        return None

    def _hint(self, target: ast.expr, hint: Type, line: int) -> None:
        scope = self.scope
        if isinstance(target, ast.Name):
            variable = scope.env.get(target.id)
            if not isinstance(variable, str):
                if scope.counts is not None:
                    variable = self.mangled(target.id)
                elif not variable:
                    variable = scope.variable(target.id)
                else:
                    return  # a constant: its type is known
                scope.bind(target.id, variable)
            scope.write(["hint", variable, hint], line)
        elif isinstance(target, ast.Attribute) and (base := self.value(target.value)) is not None:
            scope.write(["hint", ["attr", base, self.mangled(target.attr)], hint], line)


def _is_implied(variable: str, value: Expression, outer: str) -> bool:
    """Whether a binding is what linking takes for granted: a function of this scope by its own name."""
    if value.__class__ is not list or value[0] != "func" or len(value) > 2:
        return False
    return bool(value[1] == (f"{outer}.{variable}" if outer else variable))


def _has_star(parts: list[Expression]) -> bool:
    return any(part.__class__ is list and part[0] == "*" for part in parts)
