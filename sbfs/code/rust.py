"""Reads Rust: modules, types, traits, functions, methods, `use`, and calls through declared types.

A method is named below its type (`Cart.add`), wherever its `impl` stands; modules within a file add their names. What
is given to the well-known macros is read as arguments. Also reads Cargo.toml, for the crate's name. Not followed: what
other macros make, lifetimes, and what bounds of generics say beyond their first trait.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Facts, Import, SymbolType, Visibility
from sbfs.code.treesitter import Source
from sbfs.code.typed import NOTHING, Body, Grammar, Handler, Reader, begin, comment_text, finished, parameters

if TYPE_CHECKING:
    from tree_sitter import Node

TYPES: dict[str, SymbolType] = {
    "struct_item": "class",
    "union_item": "class",
    "enum_item": "enum",
    "trait_item": "trait",
    "type_item": "type",
}
TRANSPARENT = frozenset(
    {"Box", "Rc", "Arc", "RefCell", "Cell", "Mutex", "RwLock", "Cow", "Pin", "Weak", "Ref", "RefMut", "MutexGuard"}
)
"""Types that give what they hold by themselves."""
LAST = frozenset({"HashMap", "BTreeMap", "IndexMap"})
EXPRESSIONS = frozenset(
    {
        "println",
        "print",
        "eprintln",
        "eprint",
        "format",
        "write",
        "writeln",
        "panic",
        "assert",
        "assert_eq",
        "assert_ne",
    }
    | {
        "debug_assert",
        "debug_assert_eq",
        "debug_assert_ne",
        "vec",
        "todo",
        "unreachable",
        "unimplemented",
        "dbg",
        "matches",
    }
    | {"info", "warn", "error", "debug", "trace", "bail", "ensure", "anyhow", "format_args", "try_join", "join"}
)
"""Macros whose tokens are expressions between commas."""


def read(path: str, raw: bytes, language: str = "rust") -> Facts:
    """The facts of a Rust file, or of a Cargo.toml (language `config`). Never raises for its content."""
    if language == "config":
        return _manifest(path, raw)
    reader, body, notes = begin(raw, GRAMMAR)
    body.symbol.doc = _inner_doc(reader)
    body.nesting = ("",)
    reader.do(body, reader.each(body, reader.source.root.named_children), 0)
    return finished(path, language, reader, notes, {})


def _manifest(path: str, raw: bytes) -> Facts:
    try:
        said = tomllib.loads(raw.decode("utf-8", "replace"))
    except tomllib.TOMLDecodeError as error:
        return Facts(path=path, language="config", blob="", parse="partial", notes=(str(error),))
    package, library = said.get("package"), said.get("lib")
    name = package.get("name") if isinstance(package, dict) else None
    config: dict[str, str] = {}
    if isinstance(name, str):
        config["crate"] = name.replace("-", "_")
    for key in ("name", "path"):
        value = library.get(key) if isinstance(library, dict) else None
        if isinstance(value, str):
            config["crate" if key == "name" else "root"] = value
    return Facts(path=path, language="config", blob="", config=dict(config))


def _inner_doc(reader: Reader) -> str:
    found = []
    for node in reader.source.root.named_children:
        text = reader.text(node)
        if "comment" not in node.type or not text.startswith(("//!", "/*!")):
            break
        found.append(text)
    return comment_text(found)


# Items


def _doc(reader: Reader, node: Node) -> tuple[str, tuple[str, ...]]:
    """Documentation and attributes above an item, in any order."""
    row = int(node.start_point[0])
    attributes: list[str] = []
    comments: list[str] = []
    before = node.prev_named_sibling
    while before is not None and (before.type == "attribute_item" or "comment" in before.type):
        text = reader.text(before)
        ends = int(before.end_point[0]) - (1 if before.end_point[1] == 0 else 0)
        if ends < row - 1 or (ends == row and before.type != "attribute_item"):
            break
        if before.type == "attribute_item":
            attributes.append(text.removeprefix("#[").removesuffix("]"))
        elif text.startswith(("///", "/**")):
            comments.append(text.rstrip("\n"))
        row = int(before.start_point[0])
        before = before.prev_named_sibling
    return comment_text(reversed(comments)), tuple(reversed(attributes))


def _visibility(reader: Reader, node: Node) -> Visibility:
    word = next((reader.text(child) for child in node.named_children if child.type == "visibility_modifier"), "")
    return "public" if word == "pub" else "protected" if word else "private"


def _within(body: Body, name: str) -> str:
    return f"{body.symbol.name}.{name}" if body.symbol.name else name


def _type(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    inner = node.child_by_field_name("body") or node.child_by_field_name("type")
    doc, attributes = _doc(reader, node)
    head = inner.start_byte if inner is not None else node.end_byte
    full = _within(body, name)
    symbol = reader.symbol(full, TYPES[node.type], node, head, doc=doc, visibility=_visibility(reader, node))
    symbol.signature = symbol.signature.removesuffix(";").removesuffix("=").rstrip()
    symbol.decorators = attributes
    child = Body(symbol, None, owner=full, nesting=body.nesting)
    if node.type == "trait_item":
        bounds = node.child_by_field_name("bounds")
        for bound in [] if bounds is None else bounds.named_children:
            if (meant := type_of(reader, child, bound)) is not NOTHING:
                child.emit(["implements", _const(body, name), meant[1]], reader.row(node))
                symbol.bases += (reader.text(bound),)
        reader.each(child, [] if inner is None else inner.named_children)
    elif node.type == "type_item":
        if (meant := type_of(reader, child, inner)) is not NOTHING:
            child.emit(["typed", "[?", meant], reader.row(node))
    elif node.type == "enum_item":
        for variant in [] if inner is None else inner.named_children:
            if variant.type == "enum_variant":
                _fields(reader, child, variant.child_by_field_name("body"))
                name = reader.text(variant.child_by_field_name("name"))
                child.emit(
                    ["=", name, ["make", ["const", full.rpartition(".")[2], list(body.nesting)]]], reader.row(variant)
                )
    else:
        _fields(reader, child, inner)
    return NOTHING


def _const(body: Body, name: str) -> Expression:
    return ["const", name, list(body.nesting)]


def _fields(reader: Reader, body: Body, node: Node | None) -> None:
    place = 0
    for child in [] if node is None else node.named_children:
        if child.type == "field_declaration":
            type, name = child.child_by_field_name("type"), reader.text(child.child_by_field_name("name"))
        elif (
            node is not None
            and node.type == "ordered_field_declaration_list"
            and child.type not in ("visibility_modifier", "attribute_item")
        ):
            type, name = child, str(place)
            place += 1
        else:
            continue
        meant = type_of(reader, body, type)
        body.emit(["=", name, None] if meant is NOTHING else ["typed", name, meant], reader.row(child))


def _impl(reader: Reader, body: Body, node: Node) -> Expression:
    meant = type_of(reader, body, node.child_by_field_name("type"))
    if meant is NOTHING or meant[1][0] != "const":
        return reader.each(body, [])
    name = str(meant[1][1])
    trait = type_of(reader, body, node.child_by_field_name("trait"))
    if trait is not NOTHING:
        body.emit(["implements", meant[1], trait[1]], reader.row(node))
    inner = node.child_by_field_name("body")
    # Methods hang below their type, in the module where the block stands.
    child = Body(body.symbol, None, owner=name, nesting=body.nesting)
    for member in [] if inner is None else inner.named_children:
        if member.type == "function_item":
            _function(reader, child, member)
    return NOTHING


def _function(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    inner = node.child_by_field_name("body")
    formal = node.child_by_field_name("parameters")
    doc, attributes = _doc(reader, node)
    owner = body.owner.replace("::", ".")
    below = (
        owner
        if owner.startswith(f"{body.symbol.name}.") or owner == body.symbol.name
        else _within(body, owner.rpartition(".")[2])
    )
    full = f"{below}.{name}" if body.owner else _within(body, name)
    head = inner.start_byte if inner is not None else node.end_byte
    symbol = reader.symbol(
        full, "method" if body.owner else "function", node, head, doc=doc, visibility=_visibility(reader, node)
    )
    symbol.signature = symbol.signature.removesuffix(";").rstrip()
    symbol.decorators, symbol.complexity = attributes, 1
    receives = formal is not None and any(child.type == "self_parameter" for child in formal.named_children)
    flags = [] if receives or not body.owner else ["static"]
    flags += (
        ["async"]
        if any("async" in reader.text(child).split() for child in node.children if child.type == "function_modifiers")
        else []
    )
    flags += ["abstract"] if inner is None else []
    flags += ["test"] if any(attribute.endswith("test") for attribute in attributes) else []
    symbol.flags = tuple(flags)
    child = Body(symbol, None, owner=body.owner, nesting=body.nesting)
    row = reader.row(node)
    if receives:
        child.emit(["typed", child.declare("self"), ["inst", _const(body, body.owner), []]], row)
    _generics(reader, child, node)
    found = [
        (
            _name_of(reader, one),
            type_of(reader, child, one.child_by_field_name("type")),
            reader.text(one.child_by_field_name("type")),
        )
        for one in ([] if formal is None else formal.named_children)
        if one.type == "parameter"
    ]
    parameters(child, found, row)
    type = type_of(reader, child, node.child_by_field_name("return_type"))
    if type is not NOTHING:
        child.emit(["typed", "", type], row)
    value = reader.value(child, inner)
    if value is not NOTHING:
        child.emit(["return", value], row)
    return NOTHING


def _name_of(reader: Reader, node: Node) -> str:
    pattern = node.child_by_field_name("pattern")
    if pattern is not None and pattern.type == "mut_pattern" and pattern.named_child_count:
        pattern = pattern.named_children[-1]
    return reader.text(pattern) if pattern is not None and pattern.type == "identifier" else ""


def _generics(reader: Reader, body: Body, node: Node) -> None:
    """Type parameters stand for their first bound."""
    given = node.child_by_field_name("type_parameters")
    for one in [] if given is None else given.named_children:
        bounds = one.child_by_field_name("bounds")
        name = one.child_by_field_name("name")
        if bounds is not None and name is not None and bounds.named_child_count:
            body.scopes[0][f"<{reader.text(name)}>"] = reader.text(bounds.named_children[0])


def _module(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    inner = node.child_by_field_name("body")
    row = reader.row(node)
    if inner is None:
        reader.imports.append(Import(f"self::{name}", row + 1, names=(("", name),)))
        return NOTHING
    doc, attributes = _doc(reader, node)
    full = _within(body, name)
    symbol = reader.symbol(full, "namespace", node, inner.start_byte, doc=doc, visibility=_visibility(reader, node))
    symbol.decorators = attributes
    child = Body(symbol, None, nesting=(full,))
    reader.do(child, reader.each(child, inner.named_children), row)
    return NOTHING


def _use(reader: Reader, body: Body, node: Node) -> Expression:
    argument = node.child_by_field_name("argument")
    if argument is not None:
        _use_tree(reader, body, argument, "", reader.row(node) + 1)
    return NOTHING


def _use_tree(reader: Reader, body: Body, node: Node, prefix: str, line: int) -> None:
    owner = body.symbol.name
    if node.type == "use_list":
        for child in node.named_children:
            _use_tree(reader, body, child, prefix, line)
    elif node.type == "scoped_use_list":
        inner = _joined(prefix, reader.text(node.child_by_field_name("path")))
        _use_tree(reader, body, node.child_by_field_name("list") or node, inner, line)
    elif node.type == "use_wildcard":
        spec = _joined(prefix, reader.text(node.named_children[0])) if node.named_child_count else prefix
        reader.imports.append(Import(spec, line, names=(("*", ""),), owner=owner))
    elif node.type == "use_as_clause":
        path = _joined(prefix, reader.text(node.child_by_field_name("path")))
        _import(reader, path, reader.text(node.child_by_field_name("alias")), line, owner)
    elif "comment" not in node.type:
        path = _joined(prefix, reader.text(node))
        _import(reader, path, path.rpartition("::")[2], line, owner)


def _joined(prefix: str, path: str) -> str:
    path = "".join(path.split())
    return f"{prefix}::{path}" if prefix and path else prefix or path


def _import(reader: Reader, path: str, alias: str, line: int, owner: str) -> None:
    path = path.removesuffix("::self")
    alias = path.rpartition("::")[2] if alias == "self" else alias
    spec, _, name = path.rpartition("::")
    reader.imports.append(Import(spec or name, line, names=((name if spec else "", alias),), owner=owner))


def _macro_definition(reader: Reader, body: Body, node: Node) -> Expression:
    name = reader.text(node.child_by_field_name("name"))
    doc, attributes = _doc(reader, node)
    symbol = reader.symbol(_within(body, f"{name}!"), "function", node, node.start_byte, doc=doc)
    symbol.signature, symbol.decorators, symbol.complexity = f"macro_rules! {name}", attributes, 1
    return NOTHING


def _static(reader: Reader, body: Body, node: Node) -> Expression:
    """`const` and `static`."""
    name, row = reader.text(node.child_by_field_name("name")), reader.row(node)
    target = name if not body.symbol.complexity else body.declare(name)
    type = type_of(reader, body, node.child_by_field_name("type"))
    if type is not NOTHING:
        body.emit(["typed", target, type], row)
    reader.assign(body, target, reader.value(body, node.child_by_field_name("value")), row)
    return NOTHING


# Types


def type_of(reader: Reader, body: Body, node: Node | None) -> Expression:
    """A type; nothing for one without methods of the project."""
    if node is None or node.type in ("primitive_type", "unit_type", "never_type", "lifetime"):
        return NOTHING
    if node.type in ("type_identifier", "scoped_type_identifier", "identifier", "scoped_identifier"):
        return ["inst", _const(body, _meant(body, "".join(reader.text(node).split()))), []]
    if node.type == "reference_type":
        return type_of(reader, body, node.child_by_field_name("type"))
    if node.type == "generic_type":
        return _generic(reader, body, node)
    if node.type == "dynamic_type":
        return type_of(reader, body, node.child_by_field_name("trait"))
    if node.type == "abstract_type":
        return type_of(reader, body, node.child_by_field_name("trait"))
    if node.type in ("array_type", "slice_type"):
        element = type_of(reader, body, node.child_by_field_name("element"))
        return NOTHING if element is NOTHING else ["inst", ["const", "[]", []], [element]]
    if (
        node.type in ("bounded_type", "pointer_type", "removed_trait_bound", "higher_ranked_trait_bound")
        and node.named_child_count
    ):
        return type_of(reader, body, node.named_children[0])
    return NOTHING


def _meant(body: Body, name: str) -> str:
    if name == "Self" or name.startswith("Self::"):
        return (body.owner or "Self") + name[4:]
    bound = body.scopes[0].get(f"<{name}>")
    return bound if bound is not None else name


def _generic(reader: Reader, body: Body, node: Node) -> Expression:
    outer = node.child_by_field_name("type")
    given = node.child_by_field_name("type_arguments")
    parts = [
        type_of(reader, body, child)
        for child in ([] if given is None else given.named_children)
        if child.type != "lifetime"
    ]
    name = reader.text(outer).rpartition("::")[2]
    kept = [part for part in parts if part is not NOTHING]
    if name in TRANSPARENT:
        return kept[0] if kept else NOTHING
    meant = type_of(reader, body, outer)
    if meant is NOTHING:
        return NOTHING
    return ["inst", meant[1], kept[-1:] if name in LAST else parts[:1] if parts[:1] != [NOTHING] else []]


# Statements


def _let(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    value = reader.value(body, node.child_by_field_name("value"))
    type = type_of(reader, body, node.child_by_field_name("type"))
    alternative = node.child_by_field_name("alternative")
    if alternative is not None:
        reader.branch(body)
        reader.do(body, reader.value(body, alternative), row)
    _match(reader, body, node.child_by_field_name("pattern"), value, type)
    return NOTHING


def _match(reader: Reader, body: Body, node: Node | None, value: Expression, type: Expression = NOTHING) -> None:
    """Bind the names of a pattern to a value, and to what its type says."""
    if node is None:
        return
    row = reader.row(node)
    if node.type == "identifier":
        name = reader.text(node)
        if name[:1].isupper():
            reader.do(body, value, row)
            return
        target = body.declare(name)
        if type is not NOTHING:
            body.emit(["typed", target, type], row)
        if value is not NOTHING:
            body.emit(["=", target, value], row)
        return
    inner = [child for child in node.named_children if child.type not in ("mutable_specifier", "lifetime")]
    if node.type in ("mut_pattern", "ref_pattern", "reference_pattern", "match_pattern", "captured_pattern"):
        _match(
            reader,
            body,
            inner[-1] if node.type == "captured_pattern" and inner else inner[0] if inner else None,
            value,
            type,
        )
        if node.type == "match_pattern" and (condition := node.child_by_field_name("condition")) is not None:
            reader.branch(body)
            reader.do(body, reader.value(body, condition), row)
        return
    value = reader.hold(body, value, row)
    if node.type == "tuple_pattern":
        for place, child in enumerate(inner):
            _match(reader, body, child, NOTHING if value is NOTHING else ["item", value, place])
    elif node.type == "tuple_struct_pattern":
        named = reader.text(node.child_by_field_name("type")).rpartition("::")[2]
        for place, child in enumerate(inner[1:]):
            held = ["item", value, None] if named in ("Some", "Ok", "Err") else ["attr", value, str(place)]
            _match(reader, body, child, NOTHING if value is NOTHING else held)
    elif node.type == "struct_pattern":
        for child in inner[1:]:
            name = reader.text(child.child_by_field_name("name"))
            below = child.child_by_field_name("pattern")
            held = NOTHING if value is NOTHING else ["attr", value, name]
            if below is not None:
                _match(reader, body, below, held)
            elif name:
                body.emit(["=", body.declare(name), held], row)
    else:
        for child in inner:
            _match(reader, body, child, value)


def _let_condition(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.value(body, node.child_by_field_name("value"))
    _match(reader, body, node.child_by_field_name("pattern"), value)
    return NOTHING


def _for(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    source = reader.value(body, node.child_by_field_name("value"))
    body.scopes.append({})
    element = NOTHING if source is NOTHING else ["elem", source, body.site(row)]
    _match(reader, body, node.child_by_field_name("pattern"), element)
    reader.do(body, reader.value(body, node.child_by_field_name("body")), row)
    body.scopes.pop()
    return NOTHING


def _cases(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    subject = reader.hold(body, reader.value(body, node.child_by_field_name("value")), row)
    arms = node.child_by_field_name("body")
    values = []
    for arm in [] if arms is None else arms.named_children:
        if arm.type != "match_arm":
            continue
        reader.branch(body)
        body.scopes.append({})
        _match(reader, body, arm.child_by_field_name("pattern"), subject)
        values.append(reader.value(body, arm.child_by_field_name("value")))
        body.scopes.pop()
    values = [value for value in values if value is not NOTHING]
    return ["any", values] if values else NOTHING


def _assignment(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.value(body, node.child_by_field_name("right"))
    target = reader.value(body, node.child_by_field_name("left"))
    reader.assign(body, target, value, reader.row(node))
    return NOTHING


def _return(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.each(body, node.named_children)
    if value is not NOTHING:
        body.emit(["return", value], reader.row(node))
    return NOTHING


def _block(reader: Reader, body: Body, node: Node) -> Expression:
    """A block is worth its last expression, unless that ends in a semicolon."""
    body.scopes.append({})
    children = [child for child in node.named_children if "comment" not in child.type]
    value = reader.each(body, children)
    if children and children[-1].type.endswith(("_statement", "_declaration", "_item")) and not _is_value(children[-1]):
        reader.do(body, value, reader.row(node))
        value = NOTHING
    body.scopes.pop()
    return value


def _is_value(node: Node) -> bool:
    """`if` and `match` at a block's end are statements to the grammar, and values to the language."""
    return bool(node.type == "expression_statement" and node.child_count == 1)


def _statement(reader: Reader, body: Body, node: Node) -> Expression:
    return reader.each(body, node.named_children)


# Expressions


def _identifier(reader: Reader, body: Body, node: Node) -> Expression:
    name = "".join(reader.text(node).split())
    known = body.find(name)
    return known if known is not None else _const(body, _meant(body, name))


def _field(reader: Reader, body: Body, node: Node) -> Expression:
    return [
        "attr",
        reader.value(body, node.child_by_field_name("value")),
        reader.text(node.child_by_field_name("field")),
    ]


def _call(reader: Reader, body: Body, node: Node) -> Expression:
    callee = node.child_by_field_name("function")
    row = (
        reader.row(callee.child_by_field_name("field") or callee)
        if callee is not None and callee.type == "field_expression"
        else reader.row(node)
    )
    found = reader.value(body, callee)
    arguments = reader.arguments(body, node.child_by_field_name("arguments"))
    named = reader.text(callee).rpartition("::")[2] if callee is not None else ""
    if isinstance(found, list) and found[0] == "const" and named in ("Some", "Ok", "Err"):
        return ["list", arguments]
    if (
        isinstance(found, list)
        and found[0] == "const"
        and found[1].rpartition("::")[0] in TRANSPARENT
        and named == "new"
        and arguments
    ):
        reader.do(body, reader.call(body, row, found, []), row)
        return arguments[0]
    return reader.call(body, row, found, arguments)


def _turbofish(reader: Reader, body: Body, node: Node) -> Expression:
    return reader.value(body, node.child_by_field_name("function"))


def _struct(reader: Reader, body: Body, node: Node) -> Expression:
    row = reader.row(node)
    meant = type_of(reader, body, node.child_by_field_name("name"))
    made = NOTHING if meant is NOTHING else reader.hold(body, ["make", meant[1]], row)
    inner = node.child_by_field_name("body")
    for child in [] if inner is None else inner.named_children:
        if child.type == "field_initializer":
            name = reader.text(child.child_by_field_name("field"))
            value = reader.value(body, child.child_by_field_name("value"))
        elif child.type == "shorthand_field_initializer" and child.named_child_count:
            name = reader.text(child.named_children[-1])
            value = reader.value(body, child.named_children[-1])
        else:
            reader.do(body, reader.value(body, child), row)
            continue
        reader.assign(body, NOTHING if made is NOTHING else ["attr", made, name], value, reader.row(child))
    return made


def _closure(reader: Reader, body: Body, node: Node) -> Expression:
    formal = node.child_by_field_name("parameters")

    def bind(child: Body) -> None:
        found = [
            (_name_of(reader, one) if one.type == "parameter" else reader.text(one) if one.type == "identifier" else "",
             type_of(reader, child, one.child_by_field_name("type")) if one.type == "parameter" else NOTHING, "")
            for one in ([] if formal is None else formal.named_children)
        ]  # fmt: skip
        parameters(child, found, reader.row(node))
        for place, one in enumerate([] if formal is None else formal.named_children):
            if one.type not in ("parameter", "identifier"):
                _match(reader, child, one, f"{{{place + 1}}}")

    return reader.closure(body, node, node.child_by_field_name("body"), bind)


def _macro(reader: Reader, body: Body, node: Node) -> Expression:
    """A macro is called; what the well-known ones are given are expressions, which their tokens spell."""
    name = reader.text(node.child_by_field_name("macro"))
    tokens = next((child for child in node.named_children if child.type == "token_tree"), None)
    row = reader.row(node)
    callee = _const(body, f"{name}!")
    values: list[Expression] = []
    if tokens is not None and name.rpartition("::")[2] in EXPRESSIONS:
        values = _spelled(reader, body, tokens)
    if name == "vec":
        return ["list", values]
    return reader.call(body, row, callee, values)


def _spelled(reader: Reader, body: Body, tokens: Node) -> list[Expression]:
    """The values of a macro's tokens, read again as the arguments of a call."""
    inner = reader.source.raw[tokens.start_byte + 1 : tokens.end_byte - 1].replace(b";", b",")
    before, shift = reader.source, reader.shift
    reader.shift = reader.row(tokens)
    reader.source = Source("rust", b"fn f() { f(" + inner + b") }", comments=GRAMMAR.comments)
    try:
        calls = reader.source.find("(call_expression arguments: (arguments) @a)")
        return reader.arguments(body, calls[0]) if calls and not reader.source.root.has_error else []
    finally:
        reader.source, reader.shift = before, shift


def _index(reader: Reader, body: Body, node: Node) -> Expression:
    parts = node.named_children
    holder = reader.value(body, parts[0] if parts else None)
    for part in parts[1:]:
        reader.do(body, reader.value(body, part), reader.row(node))
    return NOTHING if holder is NOTHING else ["item", holder, None]


def _try(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.each(body, node.named_children)
    return NOTHING if value is NOTHING else ["item", value, None]


def _tuple(reader: Reader, body: Body, node: Node) -> Expression:
    return ["tuple", [reader.value(body, child) for child in node.named_children if "comment" not in child.type]]


def _array(reader: Reader, body: Body, node: Node) -> Expression:
    return ["list", [reader.value(body, child) for child in node.named_children if "comment" not in child.type]]


def _cast(reader: Reader, body: Body, node: Node) -> Expression:
    value = reader.value(body, node.child_by_field_name("value"))
    type = type_of(reader, body, node.child_by_field_name("type"))
    if type is NOTHING:
        return value
    reader.do(body, value, reader.row(node))
    return ["typed", type]


def _skip(_reader: Reader, _body: Body, _node: Node) -> Expression:
    return NOTHING


HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(TYPES, _type),
    "impl_item": _impl,
    "function_item": _function,
    "function_signature_item": _function,
    "mod_item": _module,
    "use_declaration": _use,
    "macro_definition": _macro_definition,
    "const_item": _static,
    "static_item": _static,
    "let_declaration": _let,
    "let_condition": _let_condition,
    "for_expression": _for,
    "match_expression": _cases,
    "assignment_expression": _assignment,
    "return_expression": _return,
    "block": _block,
    "expression_statement": _statement,
    "identifier": _identifier,
    "scoped_identifier": _identifier,
    "self": _identifier,
    "field_expression": _field,
    "call_expression": _call,
    "generic_function": _turbofish,
    "struct_expression": _struct,
    "closure_expression": _closure,
    "macro_invocation": _macro,
    "index_expression": _index,
    "try_expression": _try,
    "tuple_expression": _tuple,
    "array_expression": _array,
    "type_cast_expression": _cast,
    **dict.fromkeys(
        ("attribute_item", "inner_attribute_item", "visibility_modifier", "label", "lifetime", "type_arguments"), _skip
    ),
    **dict.fromkeys(
        ("string_literal", "raw_string_literal", "char_literal", "integer_literal", "type_identifier"), _skip
    ),
}
GRAMMAR = Grammar(
    name="rust",
    comments="(line_comment) @c (block_comment) @c",
    blocks=frozenset({"while_expression", "loop_expression", "unsafe_block", "async_block"}),
    branches=frozenset({"if_expression", "while_expression", "for_expression", "try_expression"}),
    passes=frozenset(
        {"parenthesized_expression", "reference_expression", "unary_expression", "await_expression", "else_clause"}
    ),
    binary="binary_expression",
    chains=frozenset({"if_expression"}),
    handlers=HANDLERS,
)
