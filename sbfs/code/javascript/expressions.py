"""Expressions: what each kind of node gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression
from sbfs.code.javascript.functions import method_in_object
from sbfs.code.javascript.names import constant_key, key_of, member_hint, shown, string_of
from sbfs.code.javascript.patterns import NAMES, assign, export_target
from sbfs.code.javascript.reader import Reader, matters
from sbfs.code.javascript.types import type_of

if TYPE_CHECKING:
    from tree_sitter import Node

TEXT: Expression = ["lit", "String"]


def _identifier(reader: Reader, node: Node) -> Expression:
    name = reader.text(node)
    if name == "undefined":
        return None
    if name == "arguments" and reader.find(name) is None:
        return _arguments(reader)
    if name in ("module", "exports") and reader.frame.block.find(name) is None:
        return ["module", "", 0, ""] if name == "exports" else None
    return reader.variable(name)


def _arguments(reader: Reader) -> Expression:
    frame = reader.frame
    while frame.kind == "arrow" and frame.parent is not None:
        frame = frame.parent
    if frame.kind != "function":
        return None
    if not frame.arguments:
        frame.arguments = True
        frame.symbol.flags = (*frame.symbol.flags, "arguments")
    return "arguments" if frame is reader.frame else f"{frame.name}:arguments"


def _this(reader: Reader, _node: Node) -> Expression:
    return reader.receiver()


def _member(reader: Reader, node: Node) -> Expression:
    exported = export_target(reader, node)
    if exported is not None:
        module = ["module", "", 0, ""]
        return module if exported == "*" else ["attr", module, exported]
    base = node.child_by_field_name("object")
    name = reader.text(node.child_by_field_name("property"))
    if base is not None and base.type == "super":
        return ["attr", ["parent", reader.home()], name]
    return ["attr", reader.value(base), name]


def _subscript(reader: Reader, node: Node) -> Expression:
    base_node = node.child_by_field_name("object")
    base = ["parent", reader.home()] if base_node is not None and base_node.type == "super" else reader.value(base_node)
    index = node.child_by_field_name("index")
    key = constant_key(reader, index)
    if key is None:
        reader.effects(index)
    return ["attr", base, key] if isinstance(key, str) else ["item", base, key]


def _text_literal(reader: Reader, node: Node) -> Expression:
    text = string_of(reader, node)
    return ["lit", "String", text] if text is not None and len(text) <= 60 else TEXT


def _template(reader: Reader, node: Node) -> Expression:
    for part in node.named_children:
        if part.type == "template_substitution":
            for inner in part.named_children:
                reader.effects(inner)
    return _text_literal(reader, node)


def _number(_reader: Reader, _node: Node) -> Expression:
    return ["lit", "Number"]


def _regex(_reader: Reader, _node: Node) -> Expression:
    return ["lit", "RegExp"]


def _inner(reader: Reader, node: Node) -> Expression:
    """What stands in parentheses and the like: its first part counts, under the same name."""
    parts = [part for part in node.named_children if part.type != "comment"]
    return reader.value(parts[0], reader.hint, reader.owner) if parts else None


def _cast(reader: Reader, node: Node) -> Expression:
    parts = [part for part in node.named_children if part.type != "comment"]
    if len(parts) < 2:
        return _inner(reader, node)
    expression, said = (parts[1], parts[0]) if node.type == "type_assertion" else parts[:2]
    value = reader.value(expression, reader.hint)
    if said.type == "type_arguments":
        said = next(iter(said.named_children), said)
    type = type_of(reader, said)
    return value if type is None or (isinstance(value, list) and value[0] == "func") else ["cast", value, type]


def _sequence(reader: Reader, node: Node) -> Expression:
    parts = [part for part in node.named_children if part.type != "comment"]
    for part in parts[:-1]:
        reader.effects(part)
    return reader.value(parts[-1]) if parts else None


def _ternary(reader: Reader, node: Node) -> Expression:
    reader.effects(node.child_by_field_name("condition"))
    ways = [reader.maybe(node.child_by_field_name(way), reader.hint) for way in ("consequence", "alternative")]
    return _any(ways)


def _any(ways: list[Expression]) -> Expression:
    kept = [way for way in ways if way is not None]
    return None if not kept else kept[0] if len(kept) == 1 else ["any", kept]


def _binary(reader: Reader, node: Node) -> Expression:
    """Two operands. Long chains of one operator lean to the left, and are gone through without nesting."""
    operands: list[Node] = []
    operators: list[str] = []
    current = node
    while current.type == "binary_expression":
        left, right, operator = (current.child_by_field_name(part) for part in ("left", "right", "operator"))
        if left is None or right is None or operator is None:
            break
        operands.append(right)
        operators.append(operator.type)
        current = left
    operands.append(current)
    operands.reverse()
    operators.reverse()
    value = reader.value(operands[0])
    for word, operand in zip(operators, operands[1:], strict=True):
        value = _operate(reader, value, word, operand)
    return value


def _operate(reader: Reader, left: Expression, operator: str, right: Node) -> Expression:
    if operator in ("||", "??"):
        return _any([left, reader.maybe(right, reader.hint)])
    if operator == "&&":
        reader.happen(left, right)
        return reader.maybe(right, reader.hint)
    reader.happen(left, right)
    other = reader.value(right)
    reader.happen(other, right)
    if operator == "+":
        texts = [side for side in (left, other) if isinstance(side, list) and side[:2] == ["lit", "String"]]
        return TEXT if texts else None
    return None


def _unary(reader: Reader, node: Node) -> Expression:
    reader.effects(node.child_by_field_name("argument"))
    operator = node.child_by_field_name("operator")
    return TEXT if operator is not None and operator.type == "typeof" else None


def _assignment(reader: Reader, node: Node) -> Expression:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None:
        return reader.value(right)
    if left.type in NAMES:
        assign(reader, left, reader.value(right, hint_of(reader, left)), node)
        return reader.variable(reader.text(left))
    value = reader.named(_assigned(reader, left, right), node)
    assign(reader, left, value, node)
    return value


def assignment_alone(reader: Reader, node: Node) -> None:
    """An assignment whose value nobody takes."""
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is not None:
        assign(reader, left, _assigned(reader, left, right), node)


def _assigned(reader: Reader, left: Node, right: Node | None) -> Expression:
    hint = hint_of(reader, left)
    member = hint is not None and left.type not in NAMES and right is not None
    return reader.value(right, hint, hint.rpartition(".")[0] if member and hint else "")


def hint_of(reader: Reader, left: Node) -> str | None:
    """The name that the left side of an assignment gives to what is defined at its right."""
    if left.type in NAMES:
        name = reader.text(left)
        binding = reader.find(name)
        return name if binding is None or not binding.frame.name else f"{binding.frame.name}.{name}"
    if left.type in ("member_expression", "subscript_expression"):
        return member_hint(reader, left)
    return None


def _augmented(reader: Reader, node: Node) -> Expression:
    left, right, operator = (node.child_by_field_name(part) for part in ("left", "right", "operator"))
    if left is None or operator is None:
        return None
    if operator.type not in ("||=", "&&=", "??="):
        reader.effects(right)
        if left.type not in NAMES:
            reader.effects(left)
        return None
    value = reader.maybe(right, hint_of(reader, left))
    before = reader.value(left)
    reader.frame.weak += 1
    value = reader.named(value, node)
    assign(reader, left, value, node)
    reader.frame.weak -= 1
    return _any([before, value])


def _awaited(reader: Reader, node: Node) -> Expression:
    parts = node.named_children
    return ["await", reader.value(parts[0])] if parts else None


def _yielded(reader: Reader, node: Node) -> Expression:
    parts = [part for part in node.named_children if part.type != "comment"]
    all_of = any(child.type == "*" for child in node.children)
    if parts:
        reader.frame.emit(["yield*" if all_of else "yield", reader.value(parts[0])], reader.line(node))
    return None


def _array(reader: Reader, node: Node) -> Expression:
    elements: list[Expression] = []
    filled = False
    for part in node.children:
        if part.type == ",":
            if not filled:
                elements.append(None)
            filled = False
        elif part.is_named and part.type != "comment":
            elements.append(_argument(reader, part))
            filled = True
    return ["list", elements]


def _argument(reader: Reader, node: Node) -> Expression:
    if node.type == "spread_element":
        value = reader.value(next(iter(node.named_children), None))
        return ["*", value]
    return reader.value(node)


def arguments(reader: Reader, node: Node | None) -> list[Expression]:
    """The arguments of a call."""
    if node is None:
        return []
    return [_argument(reader, part) for part in node.named_children if part.type != "comment"]


def _object_literal(reader: Reader, node: Node) -> Expression:
    base = reader.hint
    members: list[list[Expression]] = []
    for part in node.named_children:
        kind = part.type
        if kind in ("shorthand_property_identifier", "identifier"):
            name = reader.text(part)
            members.append([name, _identifier(reader, part)])
        elif kind == "pair":
            reader.anchor = part.start_point[0]
            key = key_of(reader, part.child_by_field_name("key"))
            members.append(
                [key, reader.value(part.child_by_field_name("value"), _under(reader, base, key), base or "")]
            )
        elif kind == "method_definition":
            key = key_of(reader, part.child_by_field_name("name"))
            members.append([key, method_in_object(reader, part, _under(reader, base, key), base or "")])
        elif kind == "spread_element" and part.named_children:
            members.append([["**"], reader.value(part.named_children[0])])
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            reader.effects(part.child_by_field_name("right"))
    return ["object", members]


def _under(reader: Reader, base: str | None, key: str | int | None) -> str:
    name = shown(key)
    if base is None:
        return reader.within(name)
    return f"{base}.{name}" if base else name


def _update(reader: Reader, node: Node) -> Expression:
    argument = node.child_by_field_name("argument")
    if argument is not None and argument.type not in NAMES:
        value = reader.value(argument)
        if matters(value):
            reader.happen(value, node)
    return None


VALUES = {
    "identifier": _identifier,
    "shorthand_property_identifier": _identifier,
    "this": _this,
    "member_expression": _member,
    "nested_identifier": _member,
    "subscript_expression": _subscript,
    "string": _text_literal,
    "template_string": _template,
    "number": _number,
    "regex": _regex,
    "parenthesized_expression": _inner,
    "non_null_expression": _inner,
    "satisfies_expression": _inner,
    "instantiation_expression": _inner,
    "as_expression": _cast,
    "type_assertion": _cast,
    "sequence_expression": _sequence,
    "ternary_expression": _ternary,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "update_expression": _update,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _augmented,
    "await_expression": _awaited,
    "yield_expression": _yielded,
    "array": _array,
    "object": _object_literal,
}
