"""Targets: names, members, and patterns that take a value apart, with their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression
from sbfs.code.javascript.exporting import export_common
from sbfs.code.javascript.frames import Block
from sbfs.code.javascript.names import constant_key, key_of
from sbfs.code.javascript.reader import Reader, matters

if TYPE_CHECKING:
    from tree_sitter import Node

NAMES = frozenset(
    ("identifier", "shorthand_property_identifier_pattern", "shorthand_property_identifier", "type_identifier")
)
_PARTS = frozenset(
    (
        "object_pattern",
        "array_pattern",
        "pair_pattern",
        "assignment_pattern",
        "object_assignment_pattern",
        "rest_pattern",
        "required_parameter",
        "optional_parameter",
    )
)


def names_in(reader: Reader, pattern: Node) -> list[str]:
    """The names that a pattern binds."""
    found: list[str] = []
    waiting = [pattern]
    while waiting:
        node = waiting.pop()
        if node.type in NAMES:
            found.append(reader.text(node))
        elif node.type in ("assignment_pattern", "object_assignment_pattern"):
            left = node.child_by_field_name("left")
            waiting.extend([left] if left is not None else [])
        elif node.type == "pair_pattern":
            value = node.child_by_field_name("value")
            waiting.extend([value] if value is not None else [])
        elif node.type in _PARTS:
            waiting.extend(reversed(node.named_children))
    return found


def declare(reader: Reader, pattern: Node, block: Block | None = None) -> None:
    """Bind all names of a pattern."""
    for name in names_in(reader, pattern):
        (block or reader.frame.block).frame.declare(name, block)


def assign(reader: Reader, target: Node, value: Expression, at: Node) -> None:
    """Let a value go where an assignment's left side says."""
    kind = target.type
    if kind in NAMES:
        binding = reader.find(reader.text(target))
        if binding is not None:
            reader.put(binding, value, at)
        else:
            reader.frame.emit(["=", f":{reader.text(target)}", value], reader.line(at))
    elif kind == "member_expression":
        _member(reader, target, value, at)
    elif kind == "subscript_expression":
        _item(reader, target, value, at)
    elif kind in ("assignment_pattern", "object_assignment_pattern"):
        left = target.child_by_field_name("left")
        if left is not None:
            hint = reader.within(reader.text(left)) if left.type in NAMES else None
            default = reader.maybe(target.child_by_field_name("right"), hint)
            assign(reader, left, ["any", [value, default]] if default is not None else value, at)
    elif kind == "object_pattern":
        _object(reader, target, reader.named(value, at), at)
    elif kind == "array_pattern":
        _array(reader, target, reader.named(value, at), at)
    elif kind in (
        "parenthesized_expression",
        "non_null_expression",
        "as_expression",
        "satisfies_expression",
        "rest_pattern",
        "undefined",
    ):
        for inner in target.named_children[:1]:
            assign(reader, inner, value, at)
    elif matters(value):
        reader.happen(value, at)


def _member(reader: Reader, target: Node, value: Expression, at: Node) -> None:
    name = reader.text(target.child_by_field_name("property"))
    exported = export_target(reader, target)
    if exported is not None:
        export_common(reader, exported, value, at)
        return
    _store(reader, target, name, value, at)


def _item(reader: Reader, target: Node, value: Expression, at: Node) -> None:
    index = target.child_by_field_name("index")
    key = constant_key(reader, index)
    if key is None:
        reader.effects(index)
    _store(reader, target, key, value, at)


def _store(reader: Reader, target: Node, key: str | int | None, value: Expression, at: Node) -> None:
    """Set a member. What a variable's member was set to before, and nothing has read since, is undone."""
    base_node = target.child_by_field_name("object")
    binding = reader.find(reader.text(base_node)) if base_node is not None and base_node.type == "identifier" else None
    kept = reader.unread.get(binding, {}) if binding is not None else {}
    base = reader.value(base_node)
    statement = ["=", ["attr", base, key] if isinstance(key, str) else ["item", base, key], value]
    reader.frame.emit(statement, reader.line(at))
    if binding is not None and key is not None:
        reader.unread[binding] = kept
        reader.stored(binding, key, statement.clear)
    elif key is None:
        reader.ran()


def _object(reader: Reader, pattern: Node, value: Expression, at: Node) -> None:
    for part in pattern.named_children:
        kind = part.type
        if kind in NAMES:
            assign(reader, part, ["attr", value, reader.text(part)], at)
        elif kind in ("pair_pattern", "pair"):
            key_node = part.child_by_field_name("key")
            key = key_of(reader, key_node)
            element = ["attr", value, key] if isinstance(key, str) else ["item", value, key]
            inner = part.child_by_field_name("value")
            if inner is not None:
                assign(reader, inner, element, at)
        elif kind in ("object_assignment_pattern", "assignment_pattern", "assignment_expression"):
            left = part.child_by_field_name("left")
            if left is not None:
                assign(reader, part, ["attr", value, reader.text(left)], at)
        elif kind in ("rest_pattern", "spread_element") and part.named_children:
            assign(reader, part.named_children[0], value, at)


def _array(reader: Reader, pattern: Node, value: Expression, at: Node) -> None:
    place = 0
    for part in pattern.children:
        kind = part.type
        if kind == ",":
            place += 1
        elif kind in ("rest_pattern", "spread_element") and part.named_children:
            assign(reader, part.named_children[0], ["slice", value, place, None], at)
        elif part.is_named and kind != "comment":
            assign(reader, part, ["item", value, place], at)


def export_target(reader: Reader, node: Node) -> str | None:
    """What `exports.x`, `module.exports.x`, `module.exports` export: the name, "*" for all; None for anything else."""
    if node.type != "member_expression":
        return None
    base, name = node.child_by_field_name("object"), reader.text(node.child_by_field_name("property"))
    if base is None:
        return None
    if base.type == "identifier":
        word = reader.text(base)
        if word == "exports" and reader.find("exports") is None:
            return name
        if word == "module" and name == "exports" and reader.find("module") is None:
            return "*"
    elif base.type == "member_expression" and export_target(reader, base) == "*":
        return name
    return None
