"""Reads Go: functions, methods, types, imports, and calls through declared types.

A method is named below its type (`Cart.Add`), wherever it stands. Names of the same package are found in any file of
its folder. Also reads go.mod, for the module's path. Not followed: reflection, and what generic constraints say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Facts, Import, Symbol
from sbfs.code.typed import NOTHING, Body, Grammar, Handler, Reader, begin, comment_text, finished, parameters

if TYPE_CHECKING:
    from tree_sitter import Node

MODULE = re.compile(r'^\s*module\s+"?([^\s"]+)"?', re.M)
PLAIN = frozenset(
    {"bool", "byte", "complex128", "complex64", "error", "float32", "float64", "int", "int16", "int32", "int64", "int8"}
    | {"rune", "string", "uint", "uint16", "uint32", "uint64", "uint8", "uintptr", "any", "comparable"}
)


def read(path: str, raw: bytes, language: str = "go") -> Facts:
    """The facts of a Go file, or of a go.mod (language `config`). Never raises for its content."""
    if language == "config":
        return _module(path, raw)
    reader, body, notes = begin(raw, GRAMMAR)
    package = ""
    for node in reader.source.root.named_children:
        if node.type == "package_clause" and node.named_child_count:
            package = reader.text(node.named_children[0])
            body.symbol.doc = comment_text(reader.source.comments_above(node.start_point[0]))
        reader.do(body, reader.value(body, node), reader.row(node))
    if path.endswith("_test.go"):
        _mark_tests(reader.symbols)
    return finished(path, language, reader, notes, {"package": package} if package else {})


def _module(path: str, raw: bytes) -> Facts:
    found = MODULE.search(raw.decode("utf-8", "replace"))
    return Facts(path=path, language="config", blob="", config={"go": found[1]} if found else {})


def _mark_tests(symbols: list[Symbol]) -> None:
    for symbol in symbols:
        if symbol.type == "function" and symbol.name.startswith(("Test", "Benchmark", "Fuzz", "Example")):
            symbol.flags += ("test",)


# Declarations


def _import(reader: Reader, _body: Body, node: Node) -> Expression:
    spec = reader.text(node.child_by_field_name("path")).strip('"`')
    alias = reader.text(node.child_by_field_name("name"))
    last = re.sub(r"/v\d+$", "", spec).rpartition("/")[2]
    names = (("*", ""),) if alias == "." else () if alias == "_" else (("", alias or last),)
    reader.imports.append(Import(spec, reader.row(node) + 1, names=names))
    return NOTHING


def _exported(name: str) -> bool:
    return name[:1].isupper()


def _function(reader: Reader, _body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    receiver = node.child_by_field_name("receiver")
    owner = ""
    if receiver is not None:
        found = _declared(reader, receiver)
        owner = _type_name(found[0][1]) if found else ""
    inner = node.child_by_field_name("body")
    doc = comment_text(reader.source.comments_above(node.start_point[0]))
    full = f"{owner}.{name}" if owner else name
    symbol = reader.symbol(
        full, "method" if owner else "function", node, inner.start_byte if inner else node.end_byte, doc=doc
    )
    symbol.exported = _exported(name)
    symbol.visibility = "public" if symbol.exported else "private"
    symbol.complexity = 1
    body = Body(symbol, None, owner=owner)
    if receiver is not None:
        for variable, type, _ in _declared(reader, receiver):
            if variable and variable != "_":
                body.emit(["typed", body.declare(variable), type], reader.row(node))
    _signature(reader, body, node)
    reader.do(body, reader.value(body, inner), reader.row(node))
    return NOTHING


def _type_name(type: Expression) -> str:
    if isinstance(type, list) and type and type[0] == "inst" and isinstance(type[1], list) and type[1][0] == "const":
        return str(type[1][1])
    return ""


def _signature(reader: Reader, body: Body, node: Node) -> None:
    """Parameters, and what the function gives: by declaration, whatever its body does."""
    row = reader.row(node)
    formal = node.child_by_field_name("parameters")
    rest = formal is not None and any(child.type == "variadic_parameter_declaration" for child in formal.named_children)
    parameters(body, _declared(reader, formal), row, rest=rest)
    result = node.child_by_field_name("result")
    if result is None:
        return
    if result.type != "parameter_list":
        type = type_of(reader, result)
        if type is not NOTHING:
            body.emit(["typed", "", type], row)
        return
    found = _declared(reader, result)
    for name, type, _ in found:
        variable = body.declare(name) if name and name != "_" else ""
        if variable and type is not NOTHING:
            body.emit(["typed", variable, type], row)
    values = [["typed", type] if type is not NOTHING else None for _, type, _ in found]
    if any(values):
        body.emit(["return", ["tuple", values] if len(values) > 1 else values[0]], row)


def _declared(reader: Reader, node: Node | None) -> list[tuple[str, Expression, str]]:
    """(name or "", type, its text) of each parameter."""
    found: list[tuple[str, Expression, str]] = []
    for child in [] if node is None else node.named_children:
        if child.type not in ("parameter_declaration", "variadic_parameter_declaration"):
            continue
        type = child.child_by_field_name("type")
        meant, text = type_of(reader, type), reader.text(type)
        if child.type.startswith("variadic"):
            meant, text = _list_of(meant), f"...{text}"
        names = child.children_by_field_name("name")
        found.extend((reader.text(name), meant, text) for name in names)
        if not names:
            found.append(("", meant, text))
    return found


def _list_of(type: Expression) -> Expression:
    return NOTHING if type is NOTHING else ["inst", ["const", "[]", []], [type]]


def type_of(reader: Reader, node: Node | None) -> Expression:
    """A type, as linking reads it; nothing for one that has no methods of the project."""
    if node is None:
        return NOTHING
    if node.type == "type_identifier":
        name = reader.text(node)
        return NOTHING if name in PLAIN else ["inst", ["const", name, []], []]
    if node.type == "qualified_type":
        return ["inst", ["const", reader.text(node), []], []]
    if node.type in ("pointer_type", "parenthesized_type"):
        return type_of(reader, node.named_children[0]) if node.named_child_count else NOTHING
    if node.type == "generic_type":
        return type_of(reader, node.child_by_field_name("type"))
    if node.type in ("slice_type", "array_type"):
        return _list_of(type_of(reader, node.child_by_field_name("element")))
    if node.type == "channel_type":
        return _list_of(type_of(reader, node.child_by_field_name("value")))
    if node.type == "map_type":
        return _list_of(type_of(reader, node.child_by_field_name("value")))
    return NOTHING


def _type_spec(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    type = node.child_by_field_name("type")
    if type is None:
        return NOTHING
    place = node.parent if node.parent is not None and node.parent.named_child_count == 1 else node
    doc = comment_text(reader.source.comments_above(place.start_point[0]))
    kind = {"struct_type": "class", "interface_type": "interface"}.get(type.type, "type")
    around = f"{body.symbol.name}." if body.symbol.name else ""
    symbol = reader.symbol(f"{around}{name}", kind, node, type.start_byte, doc=doc)  # type: ignore[arg-type]
    symbol.signature = (
        f"type {symbol.signature} {type.type.removesuffix('_type') if kind != 'type' else reader.text(type)[:80]}"
    )
    symbol.exported = _exported(name)
    symbol.visibility = "public" if symbol.exported else "private"
    inner = Body(symbol, None, owner=name)
    if kind == "class":
        _fields(reader, inner, type)
    elif kind == "interface":
        _interface(reader, inner, type, name)
    else:
        meant = type_of(reader, type)
        if meant is not NOTHING:
            inner.emit(["typed", "[?", meant[2][0] if meant[2] else meant], reader.row(node))
    return NOTHING


def _fields(reader: Reader, body: Body, node: Node) -> None:
    bases = []
    for child in reader.source.find("(field_declaration) @f", node):
        if child.parent is None or child.parent.parent != node:
            continue
        row = reader.row(child)
        type = child.child_by_field_name("type")
        meant = type_of(reader, type)
        names = [reader.text(name) for name in child.children_by_field_name("name")]
        if not names and meant is not NOTHING:
            bases.append(reader.text(type).lstrip("*"))
            body.emit(["implements", ["const", body.owner, []], meant[1]], row)
            names = [bases[-1].rpartition(".")[2]]
        for name in names:
            body.emit(["typed", name, meant] if meant is not NOTHING else ["=", name, None], row)
    body.symbol.bases = tuple(bases)


def _interface(reader: Reader, body: Body, node: Node, name: str) -> None:
    bases = []
    for child in node.named_children:
        if child.type == "method_elem":
            method = reader.text(child.child_by_field_name("name"))
            doc = comment_text(reader.source.comments_above(child.start_point[0]))
            symbol = reader.symbol(f"{name}.{method}", "method", child, child.end_byte, doc=doc)
            symbol.flags, symbol.exported = ("abstract",), _exported(method)
            symbol.complexity = 1
            _signature(reader, Body(symbol, None, owner=name), child)
        elif child.type == "type_elem" and child.named_child_count == 1:
            meant = type_of(reader, child.named_children[0])
            if meant is not NOTHING:
                bases.append(reader.text(child))
                body.emit(["implements", ["const", name, []], meant[1]], reader.row(child))
    body.symbol.bases = tuple(bases)


# Statements


def _variables(reader: Reader, body: Body, node: Node) -> Expression:
    """`var x T = …` and `const`."""
    row = reader.row(node)
    type = type_of(reader, node.child_by_field_name("type"))
    names = [reader.text(name) for name in node.children_by_field_name("name")]
    values = _list(reader, body, node.child_by_field_name("value"))
    targets = [body.declare(name) if body.symbol.name else name for name in names]
    if type is not NOTHING:
        for target in targets:
            body.emit(["typed", target, type], row)
    _give(reader, body, targets, values, row)
    return NOTHING


def _list(reader: Reader, body: Body, node: Node | None) -> list[Expression]:
    if node is None:
        return []
    return [reader.value(body, child) for child in (node.named_children if node.type == "expression_list" else [node])]


def _give(reader: Reader, body: Body, targets: list[Expression], values: list[Expression], row: int) -> None:
    if len(targets) == len(values):
        for target, value in zip(targets, values, strict=True):
            reader.assign(body, target, value, row)
    elif len(values) == 1 and values[0] is not NOTHING:
        # A call of several results gives a tuple; of `v, ok := m[k]` and `x.(T)` the first is the value.
        value = values[0]
        if isinstance(value, list) and value[0] == "call":
            body.emit(["=", ["unpack", targets, None], value], row)
        else:
            reader.assign(body, targets[0], value, row)
    else:
        for value in values:
            reader.do(body, value, row)


def _short(reader: Reader, body: Body, node: Node) -> Expression:
    values = _list(reader, body, node.child_by_field_name("right"))
    left = node.child_by_field_name("left")
    targets: list[Expression] = []
    for child in [] if left is None else left.named_children:
        name = reader.text(child)
        known = body.scopes[-1].get(name)
        targets.append(None if name == "_" else known if known is not None else body.declare(name))
    _give(reader, body, targets, values, reader.row(node))
    return NOTHING


def _assignment(reader: Reader, body: Body, node: Node) -> Expression:
    values = _list(reader, body, node.child_by_field_name("right"))
    left = node.child_by_field_name("left")
    targets = [] if left is None else [_target(reader, body, child) for child in left.named_children]
    _give(reader, body, targets, values, reader.row(node))
    return NOTHING


def _target(reader: Reader, body: Body, node: Node) -> Expression:
    if node.type == "identifier":
        name = reader.text(node)
        return None if name == "_" else body.find(name)
    if node.type in ("selector_expression", "index_expression"):
        return reader.value(body, node)
    return NOTHING


def _range(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    source = reader.value(body, node.child_by_field_name("right"))
    left = node.child_by_field_name("left")
    names = [] if left is None else [reader.text(child) for child in left.named_children]
    if source is not NOTHING and len(names) == 2 and names[1] != "_":
        body.emit(["=", body.declare(names[1]), ["elem", source, body.site(row)]], row)
    else:
        reader.do(body, source, row)
    return NOTHING


def _return(reader: Reader, body: Body, node: Node) -> Expression:
    values = _list(reader, body, node.named_children[0] if node.named_child_count else None)
    if any(value is not NOTHING for value in values):
        body.emit(["return", values[0] if len(values) == 1 else ["tuple", values]], reader.row(node))
    return NOTHING


# Expressions


def _identifier(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node)
    known = body.find(name)
    return known if known is not None else ["const", name, []]


def _selector(reader: Reader, body: Body, node: Node) -> Expression:
    operand = node.child_by_field_name("operand")
    name = reader.text(node.child_by_field_name("field"))
    text = reader.text(operand) if operand is not None and operand.type == "identifier" else ""
    if text and body.find(text) is None and any(alias == text for one in reader.imports for _, alias in one.names):
        return ["const", f"{text}.{name}", []]
    return ["attr", reader.value(body, operand), name]


def _call(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    callee = node.child_by_field_name("function")
    given = node.child_by_field_name("arguments")
    if callee is not None and reader.text(callee) in ("make", "new") and given is not None and given.named_child_count:
        type = type_of(reader, given.named_children[0])
        body.emit(["do", reader.call(body, row, ["const", reader.text(callee), []], [])], row)
        return NOTHING if type is NOTHING else ["typed", type]
    if (
        callee is not None
        and callee.type == "identifier"
        and (text := reader.text(callee)) in PLAIN
        and body.find(text) is None
    ):
        values = reader.arguments(body, given)  # A conversion.
        return values[0] if values else NOTHING
    # The callee is read first: in `f(g())` the site of f comes before that of g, in chains after.
    found = reader.value(body, callee)
    spread = given is not None and any(child.type == "..." for child in given.children)
    arguments = reader.arguments(body, given)
    if spread and arguments:
        arguments[-1] = ["*", arguments[-1]]
    return reader.call(body, row, found, arguments)


def _composite(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    type = node.child_by_field_name("type")
    meant = type_of(reader, type)
    inner = node.child_by_field_name("body")
    if type is not None and type.type in ("slice_type", "array_type", "map_type", "implicit_length_array_type"):
        element = meant[2][0] if meant is not NOTHING else NOTHING
        return ["list", _elements(reader, body, inner, element)]
    if meant is NOTHING:
        return NOTHING
    made = reader.hold(body, ["make", meant[1]], row)
    for child in [] if inner is None else inner.named_children:
        if child.type == "keyed_element":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            held = _literal(reader, body, value, NOTHING)
            reader.assign(body, ["attr", made, reader.text(key)], held, reader.row(child))
        else:
            reader.do(body, reader.value(body, child), reader.row(child))
    return made


def _literal(reader: Reader, body: Body, node: Node | None, element: Expression) -> Expression:
    """A literal's element; one in braces without a type is of the list's element type."""
    inner = (
        node.named_children[0]
        if node is not None and node.type == "literal_element" and node.named_child_count
        else node
    )
    if inner is not None and inner.type == "literal_value":
        reader.do(body, reader.each(body, inner.named_children), reader.row(inner))
        return NOTHING if element is NOTHING else ["make", element[1]]
    return reader.value(body, inner)


def _elements(reader: Reader, body: Body, node: Node | None, element: Expression) -> list[Expression]:
    found = []
    for child in [] if node is None else node.named_children:
        value = child.child_by_field_name("value") if child.type == "keyed_element" else child
        if "comment" not in child.type:
            found.append(_literal(reader, body, value, element))
    return found


def _closure(reader: Reader, body: Body, node: Node) -> Expression:
    return reader.closure(body, node, node.child_by_field_name("body"), lambda child: _signature(reader, child, node))


def _assertion(reader: Reader, body: Body, node: Node) -> Expression:
    reader.do(body, reader.value(body, node.child_by_field_name("operand")), reader.row(node))
    type = type_of(reader, node.child_by_field_name("type"))
    return NOTHING if type is NOTHING else ["typed", type]


def _type_switch(reader: Reader, body: Body, node: Node) -> Expression:
    alias = node.child_by_field_name("alias")
    name = reader.text(alias.named_children[0]) if alias is not None and alias.named_child_count else ""
    reader.do(body, reader.value(body, node.child_by_field_name("value")), reader.row(node))
    for case in node.named_children:
        if case.type not in ("type_case", "default_case"):
            continue
        reader.branch(body)
        body.scopes.append({})
        types = case.children_by_field_name("type")
        if name:
            variable = body.declare(name)
            for type in types:
                if (meant := type_of(reader, type)) is not NOTHING:
                    body.emit(["typed", variable, meant], reader.row(case))
        reader.each(body, [child for child in case.named_children if child not in types])
        body.scopes.pop()
    return NOTHING


def _index(reader: Reader, body: Body, node: Node) -> Expression:
    operand = reader.value(body, node.child_by_field_name("operand"))
    reader.do(body, reader.value(body, node.child_by_field_name("index")), reader.row(node))
    return ["item", operand, None] if operand is not NOTHING else NOTHING


def _unary(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.value(body, node.child_by_field_name("operand"))
    if reader.text(node.child_by_field_name("operator")) == "<-" and value is not NOTHING:
        return ["item", value, None]
    return value


def _skip(_reader: Reader, _body: Body, _node: Node) -> Expression:
    return NOTHING


HANDLERS: dict[str, Handler] = {
    "import_spec": _import,
    "function_declaration": _function,
    "method_declaration": _function,
    "type_spec": _type_spec,
    "type_alias": _type_spec,
    "var_spec": _variables,
    "const_spec": _variables,
    "short_var_declaration": _short,
    "assignment_statement": _assignment,
    "range_clause": _range,
    "return_statement": _return,
    "identifier": _identifier,
    "selector_expression": _selector,
    "call_expression": _call,
    "composite_literal": _composite,
    "func_literal": _closure,
    "type_assertion_expression": _assertion,
    "type_conversion_expression": _assertion,
    "type_switch_statement": _type_switch,
    "index_expression": _index,
    "unary_expression": _unary,
    **dict.fromkeys(
        ("package_clause", "type_identifier", "qualified_type", "pointer_type", "slice_type", "map_type"), _skip
    ),
    **dict.fromkeys(("label_name", "field_identifier", "int_literal", "interpreted_string_literal"), _skip),
}
GRAMMAR = Grammar(
    name="go",
    comments="(comment) @c",
    blocks=frozenset(
        {
            "block",
            "for_statement",
            "expression_switch_statement",
            "select_statement",
            "expression_case",
            "communication_case",
        }
    ),
    branches=frozenset({"if_statement", "for_statement", "expression_case", "communication_case"}),
    passes=frozenset({"parenthesized_expression", "expression_list", "slice_expression"}),
    binary="binary_expression",
    chains=frozenset({"if_statement"}),
    handlers=HANDLERS,
)
