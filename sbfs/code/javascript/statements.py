"""Statements: what each kind does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression
from sbfs.code.javascript import classes, modules
from sbfs.code.javascript.expressions import assignment_alone, hint_of
from sbfs.code.javascript.frames import Binding, Block
from sbfs.code.javascript.hoisting import CLASSES, block
from sbfs.code.javascript.names import constant_key, unwrapped
from sbfs.code.javascript.patterns import NAMES, assign, declare
from sbfs.code.javascript.reader import Reader
from sbfs.code.javascript.types import hint, type_of

if TYPE_CHECKING:
    from tree_sitter import Node

TYPES = {
    "interface_declaration": classes.interface,
    "type_alias_declaration": classes.alias,
    "enum_declaration": classes.enum,
}


def _expression_statement(reader: Reader, node: Node) -> None:
    reader.anchor = node.start_point[0]
    for part in node.named_children:
        if part.type == "internal_module":
            _module(reader, part)
        elif part.type != "comment":
            reader.effects(part)


def _declaration(reader: Reader, node: Node) -> None:
    constant = any(child.type == "const" for child in node.children)
    for declarator in node.named_children:
        if declarator.type == "variable_declarator":
            outer = node.parent
            whole = outer if outer is not None and outer.type in ("export_statement", "ambient_declaration") else node
            first = declarator.start_point[0] == node.start_point[0]
            reader.anchor = whole.start_point[0] if first else declarator.start_point[0]
            _declarator(reader, declarator, constant)


def _declarator(reader: Reader, node: Node, constant: bool) -> None:
    target, value_node = node.child_by_field_name("name"), node.child_by_field_name("value")
    if target is None:
        return
    imported = len(reader.imports)
    value = reader.value(value_node, hint_of(reader, target))
    if len(reader.imports) == imported + 1 and value_node is not None:
        modules.name_required(reader, target, value_node)
    if target.type in NAMES:
        binding = reader.find(reader.text(target))
        if binding is not None:
            if constant:
                binding.constant = _constant(reader, value_node, reader.text(target))
            annotation = node.child_by_field_name("type")
            if annotation is not None:
                hint(reader, binding.text if value is None else reader.put(binding, value, node), annotation)
                return
    if value is not None or target.type not in NAMES:
        assign(reader, target, value, node)
        if target.type in NAMES and value_node is not None:
            _made(reader, target, value)


def _made(reader: Reader, target: Node, value: Expression) -> None:
    """A variable is given a literal, whose members nothing has read yet."""
    binding = reader.find(reader.text(target))
    if binding is None or not isinstance(value, list) or value[0] not in ("object", "list"):
        return
    for place, part in enumerate(value[1]):
        if value[0] == "object" and isinstance(part[0], (str, int)) and not _accessor(reader, part[1]):
            reader.stored(binding, part[0], lambda part=part: part.__setitem__(1, None))  # type: ignore[misc]
        elif value[0] == "list" and not (isinstance(part, list) and part[:1] == ["*"]):
            reader.stored(binding, place, lambda place=place: value[1].__setitem__(place, None))  # type: ignore[misc]


def _accessor(reader: Reader, value: Expression) -> bool:
    if not isinstance(value, list) or value[0] != "func":
        return False
    return not {"property", "setter"}.isdisjoint(reader.symbols[value[1]].flags)


def _constant(reader: Reader, node: Node | None, name: str) -> str | None:
    """The key that a constant stands for: its text, or `[name]` for a Symbol of its own."""
    if node is None:
        return None
    if node.type == "string":
        key = constant_key(reader, node)
        return key if isinstance(key, str) else None
    if node.type == "call_expression":
        callee = reader.text(node.child_by_field_name("function"))
        return f"[{name}]" if callee in ("Symbol", "Symbol.for") else None
    return None


def _assignment_alone(reader: Reader, node: Node) -> None:
    assignment_alone(reader, node)


def _function_declaration(reader: Reader, node: Node) -> None:
    """Done when the block was entered."""


def _class_declaration(reader: Reader, node: Node, whole: Node | None = None) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    whole = whole or node
    if not name:
        return None
    binding = reader.find(name)
    value = classes.read_class(reader, node, reader.within(name), whole.start_point[0], whole=whole)
    if binding is not None:
        reader.put(binding, value, node)
    return value


def _type_declaration(reader: Reader, node: Node, whole: Node | None = None) -> None:
    whole = whole or node
    value = TYPES[node.type](reader, node, whole.start_point[0], whole)
    binding = reader.find(reader.text(node.child_by_field_name("name")))
    if binding is not None and value is not None:
        reader.put(binding, value, node)


def _module(reader: Reader, node: Node, whole: Node | None = None) -> None:
    """`namespace A.B { … }`, `module "x" { … }`."""
    whole = whole or node
    name_node = node.child_by_field_name("name")
    if name_node is None:
        return
    if name_node.type == "string":
        body = node.child_by_field_name("body")
        if body is not None:
            _statement_block(reader, body)
        return
    name = reader.text(name_node)
    binding = reader.find(name.partition(".")[0])
    value = classes.namespace(reader, node, name, whole.start_point[0], whole)
    if binding is None:
        return
    parts = name.split(".")
    for part in reversed(parts[1:]):
        value = ["object", [[part, value]]]
    before = binding.versions[-1] if binding.versions else None
    reader.put(binding, ["any", [before, value]] if before else value, node)


def _ambient(reader: Reader, node: Node) -> None:
    inner = unwrapped(node)
    if inner is not node:
        declared(reader, inner, node)


def declared(reader: Reader, node: Node, whole: Node) -> None:
    """A declaration within `export` or `declare`."""
    if node.type in CLASSES:
        _class_declaration(reader, node, whole)
    elif node.type in TYPES:
        _type_declaration(reader, node, whole)
    elif node.type in ("internal_module", "module"):
        _module(reader, node, whole)
    else:
        reader.statement(node)


def _import_alias(reader: Reader, node: Node) -> None:
    parts = node.named_children
    if len(parts) == 2:
        assign(reader, parts[0], reader.value(parts[1]), node)


def _statement_block(reader: Reader, node: Node) -> None:
    frame = reader.frame
    frame.block = Block(frame, frame.block)
    nodes = node.named_children
    block(reader, nodes)
    for inner in nodes:
        reader.statement(inner)
    assert frame.block.parent is not None
    frame.block = frame.block.parent


def _if_statement(reader: Reader, node: Node) -> None:
    """Two ways that meet again. `else if` chains are gone through without nesting."""
    frame = reader.frame
    ways: list[dict[Binding, str]] = []
    current: Node | None = node
    while current is not None and current.type == "if_statement":
        condition = current.child_by_field_name("condition")
        reader.effects(condition)
        before = dict(frame.env)
        _narrow(reader, condition)
        narrowed = {binding: text for binding, text in frame.env.items() if before.get(binding) != text}
        _way(reader, current.child_by_field_name("consequence"), ways)
        _widen(frame.env, narrowed, before)
        frame.env = before
        other = current.child_by_field_name("alternative")
        current = (
            next((part for part in other.named_children if part.type != "comment"), None) if other is not None else None
        )
    _way(reader, current, ways)
    frame.dead = not ways
    if ways:
        reader.versions.join(frame, ways, reader.line(node))


def _narrow(reader: Reader, condition: Node | None) -> None:
    """`if (x instanceof C)`: where that holds, x is one."""
    waiting = [condition]
    while waiting:
        node = waiting.pop()
        if node is None:
            continue
        if node.type == "parenthesized_expression":
            waiting.extend(node.named_children[:1])
        elif node.type == "binary_expression":
            left, right, operator = (node.child_by_field_name(part) for part in ("left", "right", "operator"))
            if operator is None or left is None or right is None:
                continue
            if operator.type == "&&":
                waiting.extend((left, right))
            elif operator.type == "instanceof" and left.type == "identifier":
                kind = reader.value(right)
                if isinstance(kind, str) or (isinstance(kind, list) and kind[0] == "attr"):
                    _said(reader, left, ["inst", kind, []])
        elif node.type == "call_expression":
            _guarded(reader, node)


def _widen(env: dict[Binding, str], narrowed: dict[Binding, str], before: dict[Binding, str]) -> None:
    """What was said of variables holds no longer, where they were not assigned."""
    for binding, text in narrowed.items():
        if env.get(binding) == text:
            if binding in before:
                env[binding] = before[binding]
            else:
                del env[binding]


def _guarded(reader: Reader, call: Node) -> None:
    """`if (isCat(x))`, where `isCat` is said to find that out."""
    function, given = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    guard = reader.guards.get(reader.text(function))
    first = next(iter(given.named_children), None) if given is not None else None
    if guard is not None and first is not None and first.type == "identifier":
        _said(reader, first, type_of(reader, guard))


def _said(reader: Reader, name: Node, type: Expression) -> None:
    """From here on a variable is said to be of a type."""
    binding = reader.find(reader.text(name))
    if type is not None and binding is not None and binding.frame is reader.frame:
        before = reader.variable(reader.text(name))
        text = reader.versions.version(reader.frame, binding)
        reader.frame.emit(["=", text, ["cast", before, type]], reader.line(name))


def _way(reader: Reader, node: Node | None, ways: list[dict[Binding, str]]) -> None:
    frame = reader.frame
    before = frame.dead
    frame.dead = False
    reader.ran()
    if node is not None:
        reader.statement(node)
    if not frame.dead:
        ways.append(frame.env)
    frame.dead = before


def _weakly(reader: Reader, *nodes: Node | None) -> None:
    frame = reader.frame
    frame.weak += 1
    reader.ran()
    before = frame.dead
    for node in nodes:
        if node is not None:
            reader.statement(node)
    frame.dead = before
    frame.weak -= 1
    reader.ran()


def _for_statement(reader: Reader, node: Node) -> None:
    frame = reader.frame
    frame.block = Block(frame, frame.block)
    initial = node.child_by_field_name("initializer")
    if initial is not None:
        block(reader, [initial])
        reader.statement(initial)
    frame.weak += 1
    condition = node.child_by_field_name("condition")
    if condition is not None:
        reader.statement(condition)
    reader.effects(node.child_by_field_name("increment"))
    frame.weak -= 1
    _weakly(reader, node.child_by_field_name("body"))
    assert frame.block.parent is not None
    frame.block = frame.block.parent


def _for_in(reader: Reader, node: Node) -> None:
    frame = reader.frame
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    operator = node.child_by_field_name("operator")
    value = reader.value(right)
    words = {child.type for child in node.children}
    frame.block = Block(frame, frame.block)
    if left is not None and words & {"let", "const"}:
        declare(reader, left)
    if operator is not None and operator.type == "in":
        reader.happen(value, node)
        element: Expression = ["lit", "String"]
    else:
        element = ["elem", value, reader.site(node), *([True] if "await" in words else [])]
    frame.weak += 1
    if left is not None:
        assign(reader, left, element, node)
    frame.weak -= 1
    _weakly(reader, node.child_by_field_name("body"))
    assert frame.block.parent is not None
    frame.block = frame.block.parent


def _while_statement(reader: Reader, node: Node) -> None:
    frame = reader.frame
    frame.weak += 1
    if node.type == "while_statement":
        reader.effects(node.child_by_field_name("condition"))
    frame.weak -= 1
    _weakly(reader, node.child_by_field_name("body"))
    if node.type != "while_statement":
        reader.effects(node.child_by_field_name("condition"))


def _try_statement(reader: Reader, node: Node) -> None:
    _weakly(reader, node.child_by_field_name("body"))
    handler = node.child_by_field_name("handler")
    frame = reader.frame
    if handler is not None:
        frame.block = Block(frame, frame.block)
        parameter = handler.child_by_field_name("parameter")
        if parameter is not None:
            declare(reader, parameter)
        _weakly(reader, handler.child_by_field_name("body"))
        assert frame.block.parent is not None
        frame.block = frame.block.parent
    final = node.child_by_field_name("finalizer")
    if final is not None:
        body = final.child_by_field_name("body")
        if body is not None:
            reader.statement(body)


def _switch_statement(reader: Reader, node: Node) -> None:
    reader.effects(node.child_by_field_name("value"))
    body = node.child_by_field_name("body")
    frame = reader.frame
    frame.block = Block(frame, frame.block)
    cases = body.named_children if body is not None else []
    statements = [list(case.children_by_field_name("body")) for case in cases]
    block(reader, [statement for case in statements for statement in case])
    for case, inner in zip(cases, statements, strict=True):
        reader.effects(case.child_by_field_name("value"))
        _weakly(reader, *inner)
    assert frame.block.parent is not None
    frame.block = frame.block.parent


def _return_statement(reader: Reader, node: Node) -> None:
    for part in node.named_children:
        if part.type != "comment":
            value = reader.value(part)
            if value is not None:
                reader.frame.emit(["return", value], reader.line(node))
    reader.frame.dead = True


def _throw_statement(reader: Reader, node: Node) -> None:
    for part in node.named_children:
        if part.type != "comment":
            value = reader.value(part)
            if value is not None:
                reader.happen(value, node)
    reader.frame.dead = True


def _jump(reader: Reader, _node: Node) -> None:
    reader.frame.dead = True


def _labeled(reader: Reader, node: Node) -> None:
    body = node.child_by_field_name("body")
    _weakly(reader, body)


def _with_statement(reader: Reader, node: Node) -> None:
    reader.effects(node.child_by_field_name("object"))
    _weakly(reader, node.child_by_field_name("body"))


def _error(reader: Reader, node: Node) -> None:
    """What could not be understood: whatever in it still is a statement or an expression."""
    nodes = node.named_children
    block(reader, nodes)
    for inner in nodes:
        reader.statement(inner)


STATEMENTS = {
    "assignment_expression": _assignment_alone,
    "expression_statement": _expression_statement,
    "lexical_declaration": _declaration,
    "variable_declaration": _declaration,
    "function_declaration": _function_declaration,
    "generator_function_declaration": _function_declaration,
    "function_signature": _function_declaration,
    "class_declaration": _class_declaration,
    "abstract_class_declaration": _class_declaration,
    "interface_declaration": _type_declaration,
    "type_alias_declaration": _type_declaration,
    "enum_declaration": _type_declaration,
    "internal_module": _module,
    "module": _module,
    "ambient_declaration": _ambient,
    "import_alias": _import_alias,
    "statement_block": _statement_block,
    "if_statement": _if_statement,
    "for_statement": _for_statement,
    "for_in_statement": _for_in,
    "while_statement": _while_statement,
    "do_statement": _while_statement,
    "try_statement": _try_statement,
    "switch_statement": _switch_statement,
    "return_statement": _return_statement,
    "throw_statement": _throw_statement,
    "break_statement": _jump,
    "continue_statement": _jump,
    "labeled_statement": _labeled,
    "with_statement": _with_statement,
    "import_statement": modules.import_statement,
    "export_statement": modules.export_statement,
    "ERROR": _error,
}
