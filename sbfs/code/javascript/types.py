"""Type annotations as evidence: what a value is said to be an instance of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression
from sbfs.code.javascript.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

DEEP = 12
"""Types nested deeper say nothing more about a receiver."""

_SAME = frozenset(("Partial", "Readonly", "Required", "NonNullable", "Awaited", "Pick", "Omit", "DeepPartial"))
BUILTIN = {"string": "String", "number": "Number", "boolean": "Boolean", "bigint": "BigInt", "symbol": "Symbol"}
_INNER = frozenset(
    (
        "type_annotation",
        "parenthesized_type",
        "readonly_type",
        "optional_type",
        "rest_type",
        "flow_maybe_type",
        "opting_type_annotation",
    )
)


def type_of(reader: Reader, node: Node | None, depth: int = 0) -> Expression:
    """What an annotation says, as a type of the flows; None where it says nothing about calls."""
    if node is None or depth > DEEP:
        return None
    kind = node.type
    parts = [part for part in node.named_children if part.type != "comment"]
    if kind in _INNER:
        return type_of(reader, parts[0], depth + 1) if parts else None
    if kind == "predefined_type":
        word = BUILTIN.get(reader.text(node))
        return ["inst", f":{word}", []] if word else None
    if kind in ("type_identifier", "identifier"):
        return _named(reader, reader.text(node), [])
    if kind in ("nested_type_identifier", "member_expression", "nested_identifier"):
        return ["inst", class_of(reader, node), []]
    if kind == "generic_type":
        return _generic(reader, parts, depth)
    if kind == "array_type":
        return ["inst", ":Array", [type_of(reader, parts[0], depth + 1)]] if parts else None
    if kind == "tuple_type":
        return ["inst", ":Array", [_any([type_of(reader, part, depth + 1) for part in parts])]]
    if kind in ("union_type", "intersection_type"):
        return _any([type_of(reader, part, depth + 1) for part in parts])
    if kind == "function_type":
        return _function(reader, node, depth)
    return None


def _named(reader: Reader, name: str, arguments: list[Expression]) -> Expression:
    frame = reader.frame
    while True:
        bound = frame.types.get(name, False)
        if bound is not False:
            return bound
        if frame.parent is None:
            break
        frame = frame.parent
    return ["inst", reader.variable(name), arguments]


def _generic(reader: Reader, parts: list[Node], depth: int) -> Expression:
    if not parts:
        return None
    given = [type_of(reader, part, depth + 1) for part in parts[1].named_children] if len(parts) > 1 else []
    name = reader.text(parts[0])
    if name in _SAME and given and reader.find(name) is None:
        return given[0]
    if parts[0].type == "type_identifier":
        return _named(reader, name, given)
    return ["inst", class_of(reader, parts[0]), given]


def _function(reader: Reader, node: Node, depth: int) -> Expression:
    return returning(type_of(reader, node.child_by_field_name("return_type"), depth + 1))


def returning(returned: Expression) -> Expression:
    """The type of a function, by what it returns."""
    return None if returned is None else ["inst", ":Function", [returned]]


def _any(ways: list[Expression]) -> Expression:
    kept = [way for way in ways if way is not None]
    return None if not kept else kept[0] if len(kept) == 1 else ["any", kept]


def class_of(reader: Reader, node: Node) -> Expression:
    """The class that a type's name means: `A` or `a.b.C`."""
    if node.type in ("nested_type_identifier", "nested_identifier", "member_expression"):
        parts = node.named_children
        if len(parts) == 2:
            return ["attr", class_of(reader, parts[0]), reader.text(parts[1])]
    if node.type == "generic_type" and node.named_children:
        return class_of(reader, node.named_children[0])
    return reader.variable(reader.text(node))


def parameters_of(reader: Reader, node: Node) -> None:
    """Bind type parameters in the present body: to their bound, or to nothing."""
    declared = node.child_by_field_name("type_parameters")
    for part in declared.named_children if declared is not None else []:
        name = part.child_by_field_name("name")
        if name is not None:
            bound = part.child_by_field_name("constraint")
            inner = bound.named_children[0] if bound is not None and bound.named_children else None
            reader.frame.types[reader.text(name)] = None
            reader.frame.types[reader.text(name)] = type_of(reader, inner)


def hint(reader: Reader, variable: Expression, annotation: Node | None) -> None:
    """Emit what an annotation says of a variable."""
    type = type_of(reader, annotation)
    if type is not None and annotation is not None:
        reader.frame.emit(["hint", variable, type], reader.line(annotation))
