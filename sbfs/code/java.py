"""Reads Java: packages, types, methods, imports, and calls through declared types.

Names in a file are dotted (`Cart.Line.total`); a constructor is named like its class (`Cart.Cart`), an overload is
numbered (`add#2`), an anonymous class is `<class1>` in its scope. Not followed: reflection, and which of several
overloads of as many parameters is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Facts, Import, SymbolType, Visibility
from sbfs.code.typed import NOTHING, Body, Grammar, Handler, Reader, begin, comment_text, finished, parameters

if TYPE_CHECKING:
    from tree_sitter import Node

TYPES: dict[str, SymbolType] = {
    "class_declaration": "class",
    "record_declaration": "class",
    "interface_declaration": "interface",
    "annotation_type_declaration": "interface",
    "enum_declaration": "enum",
}
TESTS = frozenset({"Test", "ParameterizedTest", "RepeatedTest"})


def read(path: str, raw: bytes, language: str = "java") -> Facts:
    """The facts of a Java file. Never raises for its content: what could not be read is in the notes."""
    reader, body, notes = begin(raw, GRAMMAR)
    package = ""
    for node in reader.source.root.named_children:
        if node.type == "package_declaration":
            package = "".join(reader.text(node.named_children[-1]).split()) if node.named_child_count else ""
        reader.do(body, reader.value(body, node), reader.row(node))
    return finished(path, language, reader, notes, {"package": package})


def _import(reader: Reader, _body: Body, node: Node) -> Expression:
    star = any(child.type == "asterisk" for child in node.named_children)
    named = next((child for child in node.named_children if child.type in ("scoped_identifier", "identifier")), None)
    spec = "".join(reader.text(named).split())
    static = any(child.type == "static" for child in node.children)
    last = spec.rpartition(".")[2]
    if static and not star:
        spec, _, last = spec.rpartition(".")
    names = (("*", ""),) if star else ((last, last),)
    # A static import takes a member of a type, any other a type of a package: told by the level.
    reader.imports.append(Import(spec, reader.row(node) + 1, level=1 if static else 0, names=names))
    return NOTHING


def _modifiers(reader: Reader, node: Node) -> tuple[set[str], tuple[str, ...]]:
    """Words before a declaration, and its annotations as written."""
    found = next((child for child in node.named_children if child.type == "modifiers"), None)
    if found is None:
        return set(), ()
    annotations = tuple(
        reader.text(child).removeprefix("@") for child in found.named_children if "annotation" in child.type
    )
    return {child.type for child in found.children}, annotations


def _visibility(words: set[str], *, inside_interface: bool = False) -> Visibility:
    if "public" in words or inside_interface:
        return "public"
    # Without a word it is for the package, which is nearer to protected than to either other.
    return "private" if "private" in words else "protected"


# Types


def _type(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    inner = node.child_by_field_name("body")
    around = f"{body.symbol.name}." if body.symbol.name else ""
    words, annotations = _modifiers(reader, node)
    doc = comment_text(reader.source.comments_above(node.start_point[0]))
    symbol = reader.symbol(
        f"{around}{name}", TYPES[node.type], node, inner.start_byte if inner else node.end_byte, doc=doc
    )
    symbol.visibility = _visibility(words)
    symbol.exported = symbol.visibility == "public"
    symbol.decorators = annotations
    symbol.flags = ("abstract",) if "abstract" in words else ()
    child = _open(body, symbol.name, symbol)
    bases = _bases(node)
    symbol.bases = tuple(reader.text(base) for base in bases)
    for base in bases:
        _builds_on(reader, child, base)
    if node.type == "record_declaration":
        _components(reader, child, node)
    _members(reader, child, inner)
    child.type_this(reader.row(node))
    return NOTHING


def _open(body: Body, name: str, symbol: object) -> Body:
    return Body(symbol, None, owner=name, nesting=(name, *body.nesting), method=True)  # type: ignore[arg-type]


def _bases(node: Node) -> list[Node]:
    found = []
    for child in node.named_children:
        if child.type == "superclass":
            found.extend(child.named_children)
        elif child.type in ("super_interfaces", "extends_interfaces"):
            found.extend(one for list in child.named_children for one in list.named_children)
    return found


def _builds_on(reader: Reader, body: Body, base: Node) -> None:
    meant = type_of(reader, body, base)
    if meant is not NOTHING:
        row = reader.row(base)
        body.emit(["implements", ["const", body.owner, list(body.nesting)], meant[1]], row)


def _members(reader: Reader, body: Body, node: Node | None) -> None:
    for child in [] if node is None else node.named_children:
        if child.type == "enum_body_declarations":
            _members(reader, body, child)
        elif "comment" not in child.type:
            reader.do(body, reader.value(body, child), reader.row(child))


def _components(reader: Reader, body: Body, node: Node) -> None:
    """A record's components: fields, and methods that give them."""
    formal = node.child_by_field_name("parameters")
    for child in [] if formal is None else formal.named_children:
        if child.type != "formal_parameter":
            continue
        name, row = reader.text(child.child_by_field_name("name")), reader.row(child)
        type = type_of(reader, body, child.child_by_field_name("type"))
        body.emit(["=", name, None] if type is NOTHING else ["typed", name, type], row)
        symbol = reader.symbol(f"{body.symbol.name}.{name}", "method", child, child.end_byte)
        symbol.flags, symbol.complexity = ("property",), 1
        symbol.flows.append(["return", ["attr", "this", name]])
        symbol.flow_lines.append(row + 1)


def _field(reader: Reader, body: Body, node: Node) -> Expression:
    type = type_of(reader, body, node.child_by_field_name("type"))
    for child in node.children_by_field_name("declarator"):
        name, row = reader.text(child.child_by_field_name("name")), reader.row(child)
        if type is not NOTHING:
            body.emit(["typed", name, type], row)
        value = reader.value(body, child.child_by_field_name("value"))
        if value is not NOTHING:
            body.emit(["=", name, value], row)
        elif type is NOTHING:
            body.emit(["=", name, None], row)
    return NOTHING


def _constant(reader: Reader, body: Body, node: Node) -> Expression:
    """A constant of an enum; its arguments go to the constructor."""
    row = reader.row(node)
    name = reader.text(node.child_by_field_name("name"))
    given = node.child_by_field_name("arguments")
    made = ["new", body.site(row), ["const", body.owner, list(body.nesting)], reader.arguments(body, given)]
    inner = node.child_by_field_name("body")
    if inner is not None:
        made = _anonymous(reader, body, node, inner, ["inst", ["const", body.owner, list(body.nesting)], []])
    body.emit(["=", name, made], row)
    return NOTHING


# Methods


def _method(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name")) or body.symbol.name.rpartition(".")[2]
    inner = node.child_by_field_name("body")
    words, annotations = _modifiers(reader, node)
    doc = comment_text(reader.source.comments_above(node.start_point[0]))
    head = inner.start_byte if inner is not None else node.end_byte
    symbol = reader.symbol(f"{body.symbol.name}.{name}" if body.symbol.name else name, "method", node, head, doc=doc)
    symbol.signature = symbol.signature.removesuffix(";").rstrip()
    symbol.visibility = _visibility(words, inside_interface=body.symbol.type == "interface")
    symbol.exported = symbol.visibility == "public"
    symbol.decorators = annotations
    symbol.complexity = 1
    flags = ["static"] if "static" in words else []
    flags += ["abstract"] if inner is None and "native" not in words else []
    flags += ["test"] if TESTS & {annotation.partition("(")[0] for annotation in annotations} else []
    symbol.flags = tuple(flags)
    outer = body if body.parent is not None else None
    child = Body(symbol, outer, owner=body.owner, nesting=body.nesting, method=True)
    _formal(reader, child, node.child_by_field_name("parameters"))
    if node.type == "compact_constructor_declaration":
        child.symbol.parameters = ()
    result = node.child_by_field_name("type")
    type = type_of(reader, child, result)
    if type is not NOTHING:
        child.emit(["typed", "", type], reader.row(node))
    if node.type == "constructor_declaration":
        symbol.flags += ("constructor",)
    reader.do(child, reader.value(child, inner), reader.row(node))
    child.type_this(reader.row(node))
    return NOTHING


def _formal(reader: Reader, body: Body, node: Node | None) -> None:
    found, rest = [], False
    for child in [] if node is None else node.named_children:
        if child.type == "formal_parameter":
            type = child.child_by_field_name("type")
            found.append(
                (reader.text(child.child_by_field_name("name")), type_of(reader, body, type), reader.text(type))
            )
        elif child.type == "spread_parameter" and child.named_child_count >= 2:
            rest = True
            type, name = child.named_children[-2], child.named_children[-1]
            meant = type_of(reader, body, type)
            listed = NOTHING if meant is NOTHING else ["inst", ["const", "[]", []], [meant]]
            found.append((reader.text(name.child_by_field_name("name")), listed, f"{reader.text(type)}..."))
        elif child.type == "identifier":
            found.append((reader.text(child), NOTHING, ""))
    parameters(body, found, reader.row(node) if node is not None else 0, rest=rest)


def _initializer(reader: Reader, body: Body, node: Node) -> Expression:
    """A block in a class's body, static or not."""
    body.scopes.append({})
    reader.do(body, reader.each(body, node.named_children), reader.row(node))
    body.scopes.pop()
    return NOTHING


# Types as linking reads them

PLAIN = frozenset({"var", "void"})


def type_of(reader: Reader, body: Body, node: Node | None) -> Expression:
    """A type; nothing for one that has no methods."""
    if node is None or node.type in ("integral_type", "floating_point_type", "boolean_type", "void_type", "wildcard"):
        return NOTHING
    if node.type in ("type_identifier", "scoped_type_identifier"):
        name = "".join(reader.text(node).split())
        return NOTHING if name in PLAIN else ["inst", ["const", name, list(body.nesting)], []]
    if node.type == "generic_type" and node.named_child_count:
        outer = type_of(reader, body, node.named_children[0])
        if outer is NOTHING:
            return NOTHING
        given = next((child for child in node.named_children if child.type == "type_arguments"), None)
        parts = [type_of(reader, body, child) for child in ([] if given is None else given.named_children)]
        return ["inst", outer[1], [part for part in parts if part is not NOTHING]]
    if node.type == "array_type":
        element = type_of(reader, body, node.child_by_field_name("element"))
        return NOTHING if element is NOTHING else ["inst", ["const", "[]", []], [element]]
    if node.type in ("annotated_type", "catch_type") and node.named_child_count:
        return type_of(reader, body, node.named_children[-1])
    return NOTHING


# Statements and expressions


def _local(reader: Reader, body: Body, node: Node) -> Expression:
    type = type_of(reader, body, node.child_by_field_name("type"))
    for child in node.children_by_field_name("declarator"):
        row = reader.row(child)
        value = reader.value(body, child.child_by_field_name("value"))
        variable = body.declare(reader.text(child.child_by_field_name("name")))
        if type is not NOTHING:
            body.emit(["typed", variable, type], row)
        if value is not NOTHING:
            body.emit(["=", variable, value], row)
    return NOTHING


def _each(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    source = reader.value(body, node.child_by_field_name("value"))
    body.scopes.append({})
    type = type_of(reader, body, node.child_by_field_name("type"))
    variable = body.declare(reader.text(node.child_by_field_name("name")))
    if type is not NOTHING:
        body.emit(["typed", variable, type], row)
    if source is not NOTHING:
        body.emit(["=", variable, ["elem", source, body.site(row)]], row)
    reader.do(body, reader.value(body, node.child_by_field_name("body")), row)
    body.scopes.pop()
    return NOTHING


def _catch(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    said = next((child for child in node.named_children if child.type == "catch_type"), None)
    variable = body.declare(name)
    for one in [] if said is None else said.named_children:
        if (type := type_of(reader, body, one)) is not NOTHING:
            body.emit(["typed", variable, type], reader.row(node))
    return NOTHING


def _resource(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.value(body, node.child_by_field_name("value"))
    name = node.child_by_field_name("name")
    if name is None:
        return value
    variable = body.declare(reader.text(name))
    type = type_of(reader, body, node.child_by_field_name("type"))
    if type is not NOTHING:
        body.emit(["typed", variable, type], reader.row(node))
    if value is not NOTHING:
        body.emit(["=", variable, value], reader.row(node))
    return NOTHING


def _assignment(reader: Reader, body: Body, node: Node) -> Expression:
    left = node.child_by_field_name("left")
    value = reader.value(body, node.child_by_field_name("right"))
    target = reader.value(body, left)
    if isinstance(target, list) and target[0] == "field":
        target = ["attr", target[3], target[1]]
    value = reader.hold(body, value, reader.row(node))
    reader.assign(body, target, value, reader.row(node))
    return value


def _return(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.each(body, node.named_children)
    if value is not NOTHING:
        body.emit(["return", value], reader.row(node))
    return NOTHING


def _identifier(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node)
    known = body.find(name)
    return known if known is not None else ["field", name, list(body.nesting), body.this()]


def _this(_reader: Reader, body: Body, _node: Node) -> Expression:
    return body.this()


def _super(_reader: Reader, body: Body, _node: Node) -> Expression:
    return ["super", -1, body.owner, body.this()]


def _access(reader: Reader, body: Body, node: Node) -> Expression:
    return [
        "attr",
        reader.value(body, node.child_by_field_name("object")),
        reader.text(node.child_by_field_name("field")),
    ]


def _call(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    owner = node.child_by_field_name("object")
    row = reader.row(node.child_by_field_name("name") or node)
    if owner is None:
        callee: Expression = ["own", name, list(body.nesting), body.this()]
    else:
        callee = ["attr", reader.value(body, owner), name]
    return reader.call(body, row, callee, reader.arguments(body, node.child_by_field_name("arguments")))


def _explicit(reader: Reader, body: Body, node: Node) -> Expression:
    """Another constructor, called at the beginning of one: `this(…)`, `super(…)`."""
    word = node.child_by_field_name("constructor")
    given = reader.arguments(body, node.child_by_field_name("arguments"))
    own = word is not None and word.type == "this"
    callee = ["construct", "this" if own else "super", body.owner, body.this()]
    return reader.call(body, reader.row(node), callee, given)


def _new(reader: Reader, body: Body, node: Node) -> Expression:
    type = type_of(reader, body, node.child_by_field_name("type"))
    given = reader.arguments(body, node.child_by_field_name("arguments"))
    inner = next((child for child in node.named_children if child.type == "class_body"), None)
    if inner is not None:
        for value in given:
            reader.do(body, value, reader.row(node))
        return _anonymous(reader, body, node, inner, type)
    if type is NOTHING:
        return NOTHING
    return ["new", body.site(reader.row(node)), type[1], given]


def _anonymous(reader: Reader, body: Body, node: Node, inner: Node, type: Expression) -> Expression:
    count = body.counts["<class>"] = body.counts.get("<class>", 0) + 1
    around = f"{body.symbol.name}." if body.symbol.name else ""
    symbol = reader.symbol(f"{around}<class{count}>", "class", node, inner.start_byte)
    symbol.exported = False
    # Its methods see the locals around.
    child = Body(symbol, body, owner=symbol.name, nesting=(symbol.name, *body.nesting), method=True)
    if type is not NOTHING:
        child.emit(["implements", ["const", symbol.name, list(child.nesting)], type[1]], reader.row(node))
        symbol.bases = (reader.text(node.child_by_field_name("type")),)
    for member in inner.named_children:
        if member.type == "method_declaration":
            _method(reader, child, member)
        elif "comment" not in member.type:
            reader.do(child, reader.value(child, member), reader.row(member))
    child.type_this(reader.row(node))
    return ["make", ["const", symbol.name, list(child.nesting)]]


def _lambda(reader: Reader, body: Body, node: Node) -> Expression:
    formal = node.child_by_field_name("parameters")
    inner = node.child_by_field_name("body")

    def bind(child: Body) -> None:
        if formal is not None and formal.type == "identifier":
            parameters(child, [(reader.text(formal), NOTHING, "")], reader.row(formal))
        else:
            _formal(reader, child, formal)

    return reader.closure(body, node, inner, bind)


def _reference(reader: Reader, body: Body, node: Node) -> Expression:
    """`Item::price`, `this::go`, `Item::new`: a function, as a value."""
    if node.named_child_count < 1:
        return NOTHING
    first = node.named_children[0]
    name = reader.text(node.named_children[1]) if node.named_child_count > 1 else "new"
    type = type_of(reader, body, first)
    outer = type[1] if type is not NOTHING else reader.value(body, first)
    return ["attr", outer, name] if name != "new" else ["construct", "new", outer, None]


def _cast(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.value(body, node.child_by_field_name("value"))
    type = type_of(reader, body, node.child_by_field_name("type"))
    if type is NOTHING:
        return value
    reader.do(body, value, reader.row(node))
    return ["typed", type]


def _instanceof(reader: Reader, body: Body, node: Node) -> Expression:
    reader.do(body, reader.value(body, node.child_by_field_name("left")), reader.row(node))
    name = node.child_by_field_name("name")
    type = type_of(reader, body, node.child_by_field_name("right"))
    if name is not None and type is not NOTHING:
        body.emit(["typed", body.declare(reader.text(name)), type], reader.row(node))
    return NOTHING


def _array(reader: Reader, body: Body, node: Node) -> Expression:
    array = reader.value(body, node.child_by_field_name("array"))
    reader.do(body, reader.value(body, node.child_by_field_name("index")), reader.row(node))
    return NOTHING if array is NOTHING else ["item", array, None]


def _ternary(reader: Reader, body: Body, node: Node) -> Expression:
    reader.branch(body)
    reader.do(body, reader.value(body, node.child_by_field_name("condition")), reader.row(node))
    return ["any", [reader.value(body, node.child_by_field_name(part)) for part in ("consequence", "alternative")]]


def _listed(reader: Reader, body: Body, node: Node) -> Expression:
    return ["list", [reader.value(body, child) for child in node.named_children if "comment" not in child.type]]


def _skip(_reader: Reader, _body: Body, _node: Node) -> Expression:
    return NOTHING


HANDLERS: dict[str, Handler] = {
    "import_declaration": _import,
    **dict.fromkeys(TYPES, _type),
    "field_declaration": _field,
    "constant_declaration": _field,
    "enum_constant": _constant,
    "method_declaration": _method,
    "constructor_declaration": _method,
    "compact_constructor_declaration": _method,
    "annotation_type_element_declaration": _method,
    "static_initializer": _initializer,
    "local_variable_declaration": _local,
    "enhanced_for_statement": _each,
    "catch_formal_parameter": _catch,
    "resource": _resource,
    "assignment_expression": _assignment,
    "return_statement": _return,
    "identifier": _identifier,
    "this": _this,
    "super": _super,
    "field_access": _access,
    "method_invocation": _call,
    "explicit_constructor_invocation": _explicit,
    "object_creation_expression": _new,
    "lambda_expression": _lambda,
    "method_reference": _reference,
    "cast_expression": _cast,
    "instanceof_expression": _instanceof,
    "array_access": _array,
    "ternary_expression": _ternary,
    "array_initializer": _listed,
    **dict.fromkeys(
        ("package_declaration", "modifiers", "type_identifier", "generic_type", "scoped_type_identifier"), _skip
    ),
    **dict.fromkeys(
        ("string_literal", "character_literal", "break_statement", "continue_statement", "type_arguments"), _skip
    ),
}
GRAMMAR = Grammar(
    name="java",
    comments="(line_comment) @c (block_comment) @c",
    blocks=frozenset(
        {"block", "for_statement", "switch_block", "catch_clause", "try_with_resources_statement", "lambda_body"}
    ),
    branches=frozenset(
        {
            "for_statement",
            "enhanced_for_statement",
            "while_statement",
            "do_statement",
            "switch_label",
            "catch_clause",
            "if_statement",
        }
    ),
    passes=frozenset(
        {
            "parenthesized_expression",
            "expression_statement",
            "array_creation_expression",
            "switch_expression",
            "yield_statement",
        }
    ),
    binary="binary_expression",
    chains=frozenset({"if_statement"}),
    handlers=HANDLERS,
)
