"""Classes, interfaces, enums, namespaces and type aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sbfs.code.facts import Expression, Symbol, Visibility
from sbfs.code.javascript import docs
from sbfs.code.javascript.frames import Frame
from sbfs.code.javascript.functions import LONG, declared_parameters, define
from sbfs.code.javascript.names import key_of, shown
from sbfs.code.javascript.reader import Reader
from sbfs.code.javascript.types import class_of, parameters_of, returning, type_of

if TYPE_CHECKING:
    from tree_sitter import Node


def open_class(
    reader: Reader, node: Node, name: str, type: Any, row: int, whole: Node | None = None
) -> tuple[Symbol, Frame]:
    """Make the symbol and the frame of what has members."""
    symbol = reader.symbol(name, type, node, whole or node, row=row)
    source = reader.source.source
    symbol.doc = docs.above(source, node.start_point[0], row)
    body = node.child_by_field_name("body") or node
    symbol.signature = source.squeezed(node.start_byte, body.start_byte)[:LONG] if body is not node else ""
    symbol.body_hash = source.body_hash(body.start_byte, node.end_byte)
    frame = Frame(symbol, "class", reader.frame, reader.frame.block)
    frame.seen = dict(reader.frame.env)
    frame.made = reader.versions.clock
    return symbol, frame


def class_value(reader: Reader, node: Node) -> Expression:
    """A class as an expression."""
    own = reader.text(node.child_by_field_name("name"))
    given = reader.hint
    if given is None or (own and not reader.owner):
        name = reader.within(own) if own else reader.anonymous("class")
    else:
        name = given or reader.within("exports")
    row = min(reader.anchor, node.start_point[0]) if given is not None else node.start_point[0]
    return read_class(reader, node, name, row, own=own)


def read_class(
    reader: Reader, node: Node, name: str, row: int, *, own: str = "", whole: Node | None = None
) -> Expression:
    """A class: its symbol, its members, and itself as a value, decorated."""
    symbol, frame = open_class(reader, node, name, "class", row, whole)
    if any(child.type == "abstract" for child in node.children):
        symbol.flags = ("abstract",)
    bases, implemented = _heritage(node)
    symbol.bases = tuple(reader.text(base) for base in [*bases, *implemented])
    value: Expression = ["class", symbol.name, [reader.value(base) for base in bases]]
    value = _decorated(reader, symbol, decorators_of(node, whole), value, ["lit", "String"])
    outer, reader.frame = reader.frame, frame
    if own:
        binding = frame.declare(own)
        binding.versions.append(binding.text)
        frame.emit(["=", binding.text, ["self"]], symbol.start)
    parameters_of(reader, node)
    for base in implemented:
        frame.emit(["include", "implements", class_of(reader, base)], reader.line(base))
    body = node.child_by_field_name("body")
    if body is not None:
        _members(reader, body, symbol)
    reader.frame = outer
    if symbol.name.rpartition(".")[2][:1].isupper() and f"{symbol.name}.render" in reader.symbols:
        render = reader.symbols[f"{symbol.name}.render"]
        if "renders" in render.flags:
            symbol.type = "component"
            symbol.flags = (*symbol.flags, "class", "renders")
    return value


def _heritage(node: Node) -> tuple[list[Node], list[Node]]:
    bases: list[Node] = []
    implemented: list[Node] = []
    for child in node.named_children:
        if child.type != "class_heritage":
            continue
        for part in child.named_children:
            if part.type == "extends_clause":
                bases.extend(part.children_by_field_name("value"))
            elif part.type == "implements_clause":
                implemented.extend(part.named_children)
            elif part.type != "comment":
                bases.append(part)
    return bases, implemented


def decorators_of(node: Node, whole: Node | None = None) -> list[Node]:
    """The decorators of a declaration, from the top; those before `export` too."""
    found = [child for child in node.named_children if child.type == "decorator"]
    if whole is not None and whole is not node and whole.type == "export_statement":
        found = [child for child in whole.named_children if child.type == "decorator"] + found
    return found


def _decorated(
    reader: Reader, symbol: Symbol, decorators: list[Node], value: Expression, key: Expression
) -> Expression:
    """Apply decorators from the bottom up; what they give back stands for the thing, if they give anything."""
    symbol.decorators = (*symbol.decorators, *(reader.text(node).removeprefix("@").strip() for node in decorators))
    for node in reversed(decorators):
        callee = reader.value(next(iter(node.named_children), None))
        value = ["decorate", reader.site(node), callee, value, key]
    return value


def _members(reader: Reader, body: Node, owner: Symbol) -> None:
    waiting: list[Node] = []
    for part in body.named_children:
        kind = part.type
        reader.anchor = (waiting[0] if waiting else part).start_point[0]
        if kind == "decorator":
            waiting.append(part)
            continue
        if kind == "method_definition":
            _method(reader, part, waiting, owner)
        elif kind in ("field_definition", "public_field_definition"):
            _field(reader, part, waiting, owner)
        elif kind == "class_static_block":
            _static_block(reader, part)
        elif kind in ("abstract_method_signature", "method_signature"):
            _signature(reader, part, owner)
        if kind != "comment":
            waiting = []


def _visibility(reader: Reader, node: Node, name: str) -> Visibility:
    if name.startswith("#"):
        return "private"
    for child in node.children:
        if child.type == "accessibility_modifier":
            word = reader.text(child)
            return "private" if word == "private" else "protected" if word == "protected" else "public"
    return "public"


def _put(reader: Reader, node: Node, key: str | int | None, static: bool, value: Expression) -> None:
    if key is None:
        target: Expression = ["item", ["self"] if static else ["instance"], None]
    elif static:
        target = ["attr", ["self"], str(key)]
    else:
        target = str(key)
    reader.frame.emit(["=", target, value], reader.line(node))


def _method(reader: Reader, node: Node, decorators: list[Node], owner: Symbol) -> None:
    key = key_of(reader, node.child_by_field_name("name"))
    name = shown(key)
    row = reader.anchor
    decorators = [*decorators, *decorators_of(node)]
    value: Expression = define(reader, node, f"{owner.name}.{name}", "method", owner=owner.name, row=row, method=True)
    symbol = reader.symbols[value[1]]
    symbol.visibility = _visibility(reader, node, name)
    static = "static" in symbol.flags
    value = _decorated(reader, symbol, decorators, value, ["lit", "String", name])
    _put(reader, node, key, static, value)
    if key == "constructor" and not static:
        for part in declared_parameters(reader, node):
            type = type_of(reader, part.type) if part.access else None
            if type is not None:
                reader.frame.emit(["hint", part.name, type], reader.line(part.pattern))


def _field(reader: Reader, node: Node, decorators: list[Node], owner: Symbol) -> None:
    name_node = node.child_by_field_name("property") or node.child_by_field_name("name")
    key = key_of(reader, name_node)
    static = any(child.type == "static" for child in node.children)
    type = type_of(reader, node.child_by_field_name("type"))
    if type is not None and key is not None:
        target: Expression = ["attr", ["self"], str(key)] if static else str(key)
        reader.frame.emit(["hint", target, type], reader.line(node))
    for decorator in [*decorators, *decorators_of(node)]:
        callee = reader.value(next(iter(decorator.named_children), None))
        reader.frame.emit(
            ["do", ["decorate", reader.site(decorator), callee, None, ["lit", "String", shown(key)]]],
            reader.line(decorator),
        )
    before = reader.frame.owner
    reader.frame.owner = "static" if static else ""
    value = reader.value(node.child_by_field_name("value"), f"{owner.name}.{shown(key)}")
    reader.frame.owner = before
    if isinstance(value, list) and value[0] == "func":
        symbol = reader.symbols[value[1]]
        symbol.type = "method"
        symbol.visibility = _visibility(reader, node, shown(key))
        symbol.flags = (*symbol.flags, "static") if static else symbol.flags
    if value is not None:
        _put(reader, node, key, static, value)


def _static_block(reader: Reader, node: Node) -> None:
    before = reader.frame.owner
    reader.frame.owner = "static"
    body = node.child_by_field_name("body") or node
    statements = body.named_children
    type(reader).hoists(reader, statements)
    for statement in statements:
        reader.statement(statement)
    reader.frame.owner = before


def _signature(reader: Reader, node: Node, owner: Symbol) -> None:
    """A method without a body: of an abstract class or an overload, whose types say what it gives."""
    name = reader.text(node.child_by_field_name("name"))
    returns = type_of(reader, node.child_by_field_name("return_type"))
    abstract = node.type == "abstract_method_signature"
    if returns is not None:
        reader.frame.emit(["hint", name, returning(returns)], reader.line(node))
    if abstract or owner.type != "class" or ".d." in reader.path:
        value = define(
            reader, node, f"{owner.name}.{name}", "method", owner=owner.name, row=node.start_point[0], method=True
        )
        symbol = reader.symbols[value[1]]
        symbol.flags = (*symbol.flags, "abstract")
        symbol.visibility = _visibility(reader, node, name)


def interface(reader: Reader, node: Node, row: int, whole: Node) -> Expression:
    """An interface: what its members are said to be."""
    name = reader.text(node.child_by_field_name("name"))
    symbol, frame = open_class(reader, node, reader.within(name), "interface", row, whole)
    bases = [
        part
        for child in node.named_children
        if child.type == "extends_type_clause"
        for part in child.children_by_field_name("type")
    ]
    symbol.bases = tuple(reader.text(base) for base in bases)
    value: Expression = ["class", symbol.name, [class_of(reader, base) for base in bases]]
    outer, reader.frame = reader.frame, frame
    parameters_of(reader, node)
    _said(reader, node.child_by_field_name("body"))
    reader.frame = outer
    return value


def _said(reader: Reader, body: Node | None) -> None:
    """Hints from the members of an interface or an object type."""
    for part in body.named_children if body is not None else []:
        name = reader.text(part.child_by_field_name("name"))
        if part.type == "property_signature":
            said = type_of(reader, part.child_by_field_name("type"))
        elif part.type == "method_signature":
            returns = type_of(reader, part.child_by_field_name("return_type"))
            said = returning(returns)
        else:
            continue
        if said is not None and name:
            reader.frame.emit(["hint", name, said], reader.line(part))


def alias(reader: Reader, node: Node, row: int, whole: Node) -> Expression:
    """`type X = …`: another name for a class, or a type with members."""
    name = reader.text(node.child_by_field_name("name"))
    value = node.child_by_field_name("value")
    symbol, frame = open_class(reader, node, reader.within(name), "type", row, whole)
    symbol.signature = reader.source.source.squeezed(node.start_byte, node.end_byte)[:LONG]
    if value is None:
        return None
    if value.type == "object_type":
        outer, reader.frame = reader.frame, frame
        parameters_of(reader, node)
        _said(reader, value)
        reader.frame = outer
        return ["class", symbol.name, []]
    said = type_of(reader, value)
    ways = said[1] if said is not None and said[0] == "any" else [said]
    classes = [way[1] for way in ways if way is not None and way[0] == "inst"]
    return None if not classes else classes[0] if len(classes) == 1 else ["any", classes]


def enum(reader: Reader, node: Node, row: int, whole: Node) -> Expression:
    """An enum: members are no functions."""
    name = reader.text(node.child_by_field_name("name"))
    symbol, frame = open_class(reader, node, reader.within(name), "enum", row, whole)
    outer, reader.frame = reader.frame, frame
    body = node.child_by_field_name("body")
    for part in body.named_children if body is not None else []:
        if part.type == "enum_assignment":
            reader.effects(part.child_by_field_name("value"))
    reader.frame = outer
    return ["class", symbol.name, []]


def namespace(reader: Reader, node: Node, name: str, row: int, whole: Node) -> Expression:
    """A namespace: a body that runs at once, of which a part is exported."""
    symbol, frame = open_class(reader, node, reader.within(name), "namespace", row, whole)
    frame.kind = "namespace"
    outer, reader.frame = reader.frame, frame
    body = node.child_by_field_name("body")
    statements = body.named_children if body is not None else []
    type(reader).hoists(reader, statements)
    for statement in statements:
        reader.statement(statement)
    reader.frame = outer
    return ["class", symbol.name, []]


VALUES = {"class": class_value}
