"""Annotations of Python → types in the form of facts. What a type is, linking finds; here only its spelling is read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from sbfs.code.facts import Expression
from sbfs.code.languages import words

Type = Any
Load = Callable[[str], Expression]

_OPEN = frozenset(("Any", "object", "None", "NoReturn", "Never", "Literal", "LiteralString"))
"""Names that say nothing of what may be called."""

_WRAPPERS = words("ClassVar Final Annotated Required NotRequired ReadOnly InitVar TypeGuard TypeIs Unpack")
"""Names whose first argument is the type."""

_DEPTH = 8
"""Types nested deeper are cut there."""


def type_of(node: ast.expr | None, load: Load, depth: int = 0) -> Type:
    """The type that an annotation means, or None where it says nothing of use.

    load: what a name is where the annotation stands.
    """
    if node is None or depth > _DEPTH:
        return None
    match node:
        case ast.Name(id=name):
            return None if name in _OPEN else ["inst", load(name), []]
        case ast.Constant(value=str(text)):
            return _quoted(text, load, depth)
        case ast.Attribute():
            value = _dotted(node, load)
            return None if value is None or node.attr in _OPEN else ["inst", value, []]
        case ast.Subscript():
            return _subscripted(node, load, depth)
        case ast.BinOp(op=ast.BitOr()):
            return _any([type_of(node.left, load, depth + 1), type_of(node.right, load, depth + 1)])
        case ast.Tuple(elts=several):
            return _any([type_of(one, load, depth + 1) for one in several])
    return None


def _subscripted(node: ast.Subscript, load: Load, depth: int) -> Type:
    name = _last(node.value)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name in _OPEN:
        return None
    if name in _WRAPPERS:
        return type_of(arguments[0], load, depth + 1) if arguments else None
    if name in ("Optional", "Union"):
        return _any([type_of(one, load, depth + 1) for one in arguments])
    if name == "Callable":
        return _callable(arguments, load, depth)
    outer = type_of(node.value, load, depth + 1)
    if outer is None or outer[0] != "inst":
        return outer
    return ["inst", outer[1], [type_of(one, load, depth + 1) for one in arguments]]


def _callable(arguments: list[ast.expr], load: Load, depth: int) -> Type:
    if len(arguments) != 2:
        return None
    taken = arguments[0].elts if isinstance(arguments[0], ast.List) else []
    return ["call", [type_of(one, load, depth + 1) for one in taken], type_of(arguments[1], load, depth + 1)]


def _any(types: Iterable[Type]) -> Type:
    found: list[Type] = []
    for one in types:
        if one is not None and one not in found:
            found.append(one)
    if len(found) > 1:
        return ["any", found]
    return found[0] if found else None


def _quoted(text: str, load: Load, depth: int) -> Type:
    try:
        return type_of(ast.parse(text.strip(), mode="eval").body, load, depth + 1)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _dotted(node: ast.expr, load: Load) -> Expression:
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, load)
        return None if base is None else ["attr", base, node.attr]
    return load(node.id) if isinstance(node, ast.Name) else None


def _last(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
