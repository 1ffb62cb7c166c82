"""Functions: their symbols, parameters and bodies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sbfs.code.facts import Expression, Parameter, Symbol
from sbfs.code.javascript import docs
from sbfs.code.javascript.frames import Frame
from sbfs.code.javascript.patterns import assign, declare
from sbfs.code.javascript.reader import Reader
from sbfs.code.javascript.types import BUILTIN, hint, parameters_of, type_of

if TYPE_CHECKING:
    from tree_sitter import Node

ACCESS = {"private": "private", "protected": "protected"}
LONG = 400
"""Characters of a signature that are kept."""


@dataclass(slots=True)
class Declared:
    """One parameter as written. access: it is a member too (`constructor(private x)`)."""

    name: str
    pattern: Node
    default: Node | None = None
    type: Node | None = None
    rest: bool = False
    optional: bool = False
    access: bool = False


def declared_parameters(reader: Reader, node: Node) -> list[Declared]:
    """The parameters of a function, `this: T` too."""
    single = node.child_by_field_name("parameter")
    listed = node.child_by_field_name("parameters")
    parts = [single] if single is not None else listed.named_children if listed is not None else []
    found: list[Declared] = []
    for part in parts:
        if part.type not in ("comment", "ERROR", "decorator"):
            found.append(_declared(reader, part, len(found)))
    return found


def _declared(reader: Reader, part: Node, place: int) -> Declared:
    made = Declared("", part)
    if part.type in ("required_parameter", "optional_parameter"):
        made.type = part.child_by_field_name("type")
        made.default = part.child_by_field_name("value")
        made.optional = part.type == "optional_parameter"
        made.access = any(
            child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in part.children
        )
        made.pattern = part.child_by_field_name("pattern") or part
    if made.pattern.type == "assignment_pattern":
        made.default = made.pattern.child_by_field_name("right")
        made.pattern = made.pattern.child_by_field_name("left") or made.pattern
    if made.pattern.type == "rest_pattern":
        made.rest = True
        made.pattern = next(iter(made.pattern.named_children), made.pattern)
    plain = made.pattern.type in ("identifier", "this")
    made.name = reader.text(made.pattern) if plain else f"{{{place + 1}}}"
    return made


def define(
    reader: Reader,
    node: Node,
    name: str,
    type: Any,
    *,
    kind: str = "function",
    owner: str = "",
    row: int | None = None,
    whole: Node | None = None,
    hoisted: bool = False,
    method: bool = False,
    own: str = "",
) -> list[Expression]:
    """Make a function's symbol, let its body be read later, and give the function as a value.

    owner: name of the class or object whose member it is, or "static" for an arrow in one. own: the name that only its
    body sees.
    """
    row = node.start_point[0] if row is None else row
    symbol = reader.symbol(name, type, node, whole or node, row=row)
    _describe(reader, node, symbol, row)
    value: list[Expression] = ["func", symbol.name]
    guard = _guard(node)
    if guard is not None:
        reader.guards[symbol.name] = guard
    frame = Frame(symbol, kind, reader.frame, reader.frame.block)
    frame.owner = owner
    frame.home = symbol.name if method else ""
    said = {} if symbol.doc == "" else docs.said(reader.source.source, node.start_point[0], row)

    def read() -> None:
        _body(reader, node, frame, value, own)
        _documented(reader, node, frame, said)

    reader.later(frame, read, hoisted=hoisted)
    return value


def _guard(node: Node) -> Node | None:
    """The type in `x is T`, which a function may be said to find out."""
    returns = node.child_by_field_name("return_type")
    if returns is None or returns.type != "type_predicate_annotation" or not returns.named_children:
        return None
    return returns.named_children[0].child_by_field_name("type")


def _documented(reader: Reader, node: Node, frame: Frame, said: dict[str, tuple[str, bool]]) -> None:
    """Hints from the doc block, for what has no annotation."""
    typed = {part.name for part in declared_parameters(reader, node) if part.type is not None} if said else set()
    for name, (type, many) in said.items():
        word = BUILTIN.get(type, type)
        first, *rest = word.split(".")
        expression: Expression = f":{word}" if type in BUILTIN else reader.variable(first)
        for part in rest:
            expression = ["attr", expression, part]
        hinted = ["inst", expression, []]
        hinted = ["inst", ":Array", [hinted]] if many else hinted
        if name == "":
            if node.child_by_field_name("return_type") is None:
                frame.emit(["hint-return", hinted], frame.symbol.start)
        elif name not in typed and any(one.name == name for one in frame.symbol.parameters):
            frame.emit(["hint", name, hinted], frame.symbol.start)


def _describe(reader: Reader, node: Node, symbol: Symbol, row: int) -> None:
    source = reader.source.source
    symbol.doc = docs.above(source, node.start_point[0], row)
    symbol.flags = _flags(node)
    if reader.source.renders(node):
        symbol.flags = (*symbol.flags, "renders")
        if symbol.type == "function" and symbol.name.rpartition(".")[2][:1].isupper():
            symbol.type = "component"
    body = node.child_by_field_name("body")
    parameters = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
    returns = node.child_by_field_name("return_type")
    start = parameters.start_byte if parameters is not None else node.start_byte
    end = (
        returns.end_byte if returns is not None else parameters.end_byte if parameters is not None else node.start_byte
    )
    words = "async " if "async" in symbol.flags else ""
    given = source.squeezed(start, end)
    shown = symbol.name.rpartition(".")[2].partition("#2")[0] or symbol.name
    symbol.signature = f"{words}{shown}{given if given.startswith(('(', '<')) else f'({given})'}"[:LONG]
    symbol.parameters = tuple(
        Parameter(
            part.name,
            "rest" if part.rest else "only",
            part.default is not None or part.optional,
            reader.text(part.type).lstrip("?: ").strip()[:LONG] if part.type is not None else "",
        )
        for part in declared_parameters(reader, node)
        if part.name != "this"
    )
    symbol.body_hash = source.body_hash(start, node.end_byte)
    if body is not None:
        branches = reader.source.branches(node)
        symbol.complexity = 1 + branches
        _uncount(reader.frame, branches)


def _uncount(frame: Frame | None, branches: int) -> None:
    while frame is not None and frame.kind in ("class", "namespace"):
        frame = frame.parent
    if frame is not None and frame.symbol.complexity:
        frame.symbol.complexity -= branches


def _flags(node: Node) -> tuple[str, ...]:
    flags = []
    for child in node.children:
        kind = child.type
        if kind in ("formal_parameters", "statement_block"):
            break
        if kind in ("async", "static"):
            flags.append(kind)
        elif kind == "*":
            flags.append("generator")
        elif kind == "get":
            flags.append("property")
        elif kind == "set":
            flags.append("setter")
    if node.type.startswith("generator_function"):
        flags.append("generator")
    return tuple(dict.fromkeys(flags))


def _body(reader: Reader, node: Node, frame: Frame, value: list[Expression], own: str) -> None:
    body = node.child_by_field_name("body")
    if own:
        binding = frame.declare(own)
        binding.versions.append(binding.text)
        frame.emit(["=", binding.text, ["func", frame.name]], reader.line(node))
    parameters_of(reader, node)
    _parameters(reader, node, frame, value)
    returns = type_of(reader, node.child_by_field_name("return_type"))
    if returns is not None:
        frame.emit(["hint-return", returns], reader.line(node))
    if body is None:
        return
    if body.type == "statement_block":
        statements = body.named_children
        type(reader).hoists(reader, statements)
        for statement in statements:
            reader.statement(statement)
    else:
        result = reader.value(body)
        if result is not None:
            frame.emit(["return", result], reader.line(body))


def _parameters(reader: Reader, node: Node, frame: Frame, value: list[Expression]) -> None:
    parameters = declared_parameters(reader, node)
    for part in parameters:
        if part.name == "this":
            hint(reader, "this", part.type)
            continue
        if part.name.startswith("{"):
            frame.fresh(part.name)
            declare(reader, part.pattern)
        else:
            binding = frame.declare(part.name)
            binding.versions.append(binding.text)
    defaults = []
    for part in parameters:
        if part.name == "this":
            continue
        if part.default is not None:
            given = reader.maybe(part.default, f"{frame.name}.{part.name}")
            if _elsewhere(given):
                defaults.append([part.name, given])
            elif given is not None:
                frame.emit(["=", part.name, given], reader.line(part.pattern))
        hint(reader, part.name, part.type)
        if part.name.startswith("{"):
            assign(reader, part.pattern, part.name, part.pattern)
            _hint_parts(reader, part)
        if part.access:
            frame.emit(["=", ["attr", ["this"], part.name], part.name], reader.line(part.pattern))
    if defaults:
        value.append(defaults)


def _elsewhere(default: Expression) -> bool:
    """Whether a default says the same where its function is defined."""
    if isinstance(default, str):
        return ":" in default
    return isinstance(default, list) and default[0] == "func"


def _hint_parts(reader: Reader, part: Declared) -> None:
    """`({a}: {a: T})`: what is said of the parts."""
    annotation = part.type
    inner = annotation.named_children[0] if annotation is not None and annotation.named_children else None
    if inner is None or inner.type != "object_type" or part.pattern.type != "object_pattern":
        return
    bound = dict(_bound_parts(reader, part.pattern))
    for said in inner.named_children:
        name = bound.get(reader.text(said.child_by_field_name("name")))
        if said.type == "property_signature" and name is not None:
            hint(reader, reader.variable(name), said.child_by_field_name("type"))


def _bound_parts(reader: Reader, pattern: Node) -> list[tuple[str, str]]:
    """The members that an object pattern takes, and the names that they get."""
    found = []
    for one in pattern.named_children:
        key, value = one.child_by_field_name("key"), one.child_by_field_name("value")
        if one.type == "shorthand_property_identifier_pattern":
            found.append((reader.text(one), reader.text(one)))
        elif one.type == "object_assignment_pattern":
            name = reader.text(one.child_by_field_name("left"))
            found.append((name, name))
        elif key is not None and value is not None and value.type == "identifier":
            found.append((reader.text(key), reader.text(value)))
    return found


def function_value(reader: Reader, node: Node) -> Expression:
    """A function, arrow function or generator as an expression."""
    own = reader.text(node.child_by_field_name("name"))
    given, anchored, owner = reader.hint, reader.hint is not None, reader.owner
    arrow = node.type == "arrow_function"
    if given is None or (own and not owner):
        name = reader.within(own) if own else reader.anonymous("lambda")
    else:
        name = given or reader.within("exports")
    row = min(reader.anchor, node.start_point[0]) if anchored else node.start_point[0]
    method = bool(owner) and not arrow
    if arrow:
        owner = reader.frame.owner if reader.frame.kind == "class" else ""
    return define(
        reader,
        node,
        name,
        "method" if method else "function",
        kind="arrow" if arrow else "function",
        owner=owner,
        row=row,
        own=own,
    )


def method_in_object(reader: Reader, node: Node, name: str, owner: str) -> Expression:
    """A method of an object literal."""
    return define(
        reader, node, name, "method", owner=owner or name.rpartition(".")[0], row=node.start_point[0], method=True
    )


def declaration(reader: Reader, node: Node, row: int) -> list[Expression] | None:
    """A function declaration's function; None where it has no name."""
    name = reader.text(node.child_by_field_name("name"))
    return define(reader, node, reader.within(name), "function", row=row, hoisted=True) if name else None


VALUES = {
    "arrow_function": function_value,
    "function_expression": function_value,
    "function": function_value,
    "generator_function": function_value,
}
