"""Ruby's calls: arguments, blocks, lambdas, `super`, `yield`, and what is written as a call but is none.

A block is a function of its own in the flows, flagged `block`: linking hangs its calls on the method around it, since
that is where a reader sees them. A lambda or a proc is a node of its own, as it runs when somebody calls it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Parameter
from sbfs.code.ruby_scopes import NOTHING, Handler, Kind, Reader, Scope
from sbfs.code.ruby_values import literal, pair_value, pairs_of

if TYPE_CHECKING:
    from tree_sitter import Node

Keywords = list[list[Expression]]
SENDS = frozenset({"send", "public_send", "__send__"})
TAKES = frozenset({"method", "public_method", "instance_method", "singleton_method"})
INSIDE = frozenset({"instance_eval", "instance_exec"})
"""Methods whose block runs with their receiver as `self`."""


def call(reader: Reader, scope: Scope, node: Node) -> Expression:
    """A call of any form."""
    method = node.child_by_field_name("method")
    receiver = node.child_by_field_name("receiver")
    name = "call" if method is None else reader.source.text(method)
    if method is not None and method.type == "super":
        return _super(reader, scope, node)
    if receiver is None:
        special = reader.handlers["word"](reader, scope, node)
        if special is not NOT_SPECIAL:
            return special
        if name in ("lambda", "proc") and (block := node.child_by_field_name("block")) is not None:
            return closure(reader, scope, block, "lambda")
        return plain(reader, scope, node, scope.this(), name)
    special = reader.handlers["sent"](reader, scope, node)
    if special is not NOT_SPECIAL:
        return special
    if (
        name == "new"
        and reader.source.text(receiver) == "Proc"
        and (block := node.child_by_field_name("block")) is not None
    ):
        return closure(reader, scope, block, "lambda")
    if method is not None and method.type == "constant" and node.child_by_field_name("arguments") is None:
        return ["attr", reader.value(scope, receiver), name]
    return plain(reader, scope, node, reader.value(scope, receiver), name)


NOT_SPECIAL: Expression = ["not special"]
"""What the handlers of words answer with where a call is just a call."""


def plain(reader: Reader, scope: Scope, node: Node, receiver: Expression, name: str) -> Expression:
    """A call of a method by its name, unless a literal says another one."""
    arguments = node.child_by_field_name("arguments")
    given = (
        []
        if arguments is None
        else [child for child in arguments.named_children if child.type not in ("comment", "heredoc_body")]
    )
    first = literal(reader, given[0]) if given else None
    beginning = beginning_of(reader, given[0]) if name in SENDS and given and first is None else ""
    if name in SENDS and first is not None:
        name, given = first, given[1:]
    elif name in TAKES and first is not None and len(given) == 1:
        return ["attr", receiver, first if name != "instance_method" else f"#{first}"]
    elif name == "instance_variable_get" and first is not None:
        return ["attr", receiver, first]
    elif name == "instance_variable_set" and first is not None and len(given) == 2:
        value = reader.hold(scope, reader.value(scope, given[1]), node.start_point[0])
        scope.emit(["=", ["attr", receiver, first], value], node.start_point[0])
        return value
    elif name in ("const_get", "const_source_location") and first is not None and first[:1].isupper():
        found = receiver
        for part in first.split("::"):
            found = ["attr", found, part]
        return found
    site = scope.site((node.child_by_field_name("method") or node).start_point[0])
    if beginning:
        reader.do(scope, reader.value(scope, given[0]), node.start_point[0])
        positional, keywords = passed(reader, scope, given[1:])
        return ["call", site, ["begins", receiver, beginning], positional, keywords]
    inside = name in INSIDE
    if inside:
        receiver = reader.hold(scope, receiver, node.start_point[0])
    positional, keywords = passed(reader, scope, given)
    block = node.child_by_field_name("block")
    if block is not None:
        keywords.append(["&", closure(reader, scope, block, "block", receiver if inside else None)])
    found = ["call", site, ["attr", receiver, name], positional]
    if keywords:
        found.append(keywords)
    return ["sends", found] if name in SENDS and given else found


def beginning_of(reader: Reader, node: Node) -> str:
    """What a name that is worked out begins with: of `"visit_#{kind}"` it is `visit_`."""
    if node.type not in ("string", "delimited_symbol") or not node.named_child_count:
        return ""
    first = node.named_children[0]
    return reader.source.text(first) if first.type == "string_content" else ""


def bare(reader: Reader, scope: Scope, node: Node) -> Expression:
    """An identifier that is no local: a call on self without arguments."""
    special = reader.handlers["word"](reader, scope, node)
    if special is not NOT_SPECIAL:
        return special
    return ["call", scope.site(node.start_point[0]), ["attr", scope.this(), reader.source.text(node)], []]


def passed(reader: Reader, scope: Scope, given: list[Node]) -> tuple[list[Expression], Keywords]:
    """Arguments by place, and those by name, with `**` for a spread and `&` for the block."""
    positional: list[Expression] = []
    keywords: Keywords = []
    strays = []
    for child in given:
        if child.type == "splat_argument":
            positional.append(
                ["*", reader.value(scope, child.named_children[0]) if child.named_child_count else scope.read("*")]
            )
        elif child.type == "hash_splat_argument":
            keywords.append(
                ["**", reader.value(scope, child.named_children[0]) if child.named_child_count else scope.read("**")]
            )
        elif child.type == "block_argument":
            keywords.append(["&", _block_argument(reader, scope, child)])
        elif child.type == "forward_argument":
            positional.append(["*", scope.read("*")])
            keywords.extend((["**", scope.read("**")], ["&", scope.given_block()]))
        elif child.type == "pair":
            key = child.child_by_field_name("key")
            name = (
                literal(reader, key) if key is not None and key.type in ("hash_key_symbol", "simple_symbol") else None
            )
            if name is None:
                strays.append(child)
            else:
                keywords.append([name, pair_value(reader, scope, child)])
        else:
            positional.append(reader.value(scope, child))
    if strays:
        positional.append(pairs_of(reader, scope, strays))
    return positional, keywords


def _block_argument(reader: Reader, scope: Scope, node: Node) -> Expression:
    if not node.named_child_count:
        return scope.given_block()
    inner = node.named_children[0]
    name = literal(reader, inner)
    if name is None:
        return reader.value(scope, inner)
    # `&:name` is the block { |it| it.name }.
    child = _function(reader, scope, node, "block")
    child.symbol.parameters = (Parameter("it", "only"), Parameter("more", "rest"))
    child.emit(
        ["return", ["call", child.site(node.start_point[0]), ["attr", "it", name], [["*", "more"]]]],
        node.start_point[0],
    )
    return ["func", child.symbol.name]


# Blocks and lambdas


def _function(reader: Reader, scope: Scope, node: Node, kind: Kind) -> Scope:
    word = "lambda" if kind == "lambda" else "block"
    count = scope.counts[f"<{word}>"] = scope.counts.get(f"<{word}>", 0) + 1
    around = f"{scope.symbol.name}." if scope.symbol.name else ""
    flags = ("block",) if kind == "block" else ()
    symbol = reader.symbol(f"{around}<{word}{count}>", "function", node, flags=flags, exported=False)
    if kind == "lambda":
        symbol.complexity = 1
        symbol.body_hash = reader.source.body_hash(node.start_byte, node.end_byte)
        symbol.signature = reader.source.squeezed(node.start_byte, node.end_byte)[:80]
    child = Scope(kind, symbol, scope, nesting=scope.nesting)
    child.method_name, child.arguments = scope.method_name, scope.arguments
    return child


def closure(reader: Reader, scope: Scope, node: Node, kind: Kind, receiver: Expression = None) -> Expression:
    """A block or lambda as a value. node: `{ … }` or `do … end`. receiver: what `self` is in it, where known."""
    child = _function(reader, scope, node, kind)
    if receiver is not None:
        child.receiver = scope.seen(scope.chain()[0], receiver) if isinstance(receiver, str) else receiver
        if isinstance(receiver, str) and ":" not in receiver:
            child.receiver = child.seen(scope, receiver)
        elif receiver in (["this"], ["own"], ["main"]):
            scope.share("self", receiver)
            child.receiver = child.seen(scope, scope.plain("self"))
    return closed(reader, child, node, node.child_by_field_name("parameters"))


def closed(reader: Reader, child: Scope, node: Node, parameters: Node | None) -> Expression:
    """Read a closure's parameters and body into its scope."""
    bind_parameters(reader, child, parameters)
    places = [one for one in child.symbol.parameters if one.kind == "only"]
    trailing = parameters is not None and parameters.child_count > 2 and parameters.children[-2].type == ","
    if len(places) > 1 or (places and (trailing or any(one.kind == "rest" for one in child.symbol.parameters))):
        # A block of several parameters that is given one list takes it apart.
        star = next(
            (
                place
                for place, one in enumerate(p for p in child.symbol.parameters if p.kind in ("only", "rest"))
                if one.kind == "rest"
            ),
            None,
        )
        names = [one.name for one in child.symbol.parameters if one.kind in ("only", "rest")]
        child.emit(["=", ["unpack", names, star], places[0].name], node.start_point[0])
    body = node.child_by_field_name("body")

    def run() -> Expression:
        return (
            NOTHING
            if body is None
            else reader.value(child, body)
            if body.type == "body_statement"
            else reader.each(child, body.named_children)
        )

    value = reader.repeat(child, node, run) if child.kind == "block" else run()
    if value is not NOTHING:
        child.emit(["return", value], node.end_point[0])
    child.close()
    return ["func", child.symbol.name]


def arrow(reader: Reader, scope: Scope, node: Node) -> Expression:
    """`->(x) { … }`."""
    child = _function(reader, scope, node, "lambda")
    body = node.child_by_field_name("body")
    return closed(reader, child, body if body is not None else node, node.child_by_field_name("parameters"))


def bind_parameters(reader: Reader, scope: Scope, node: Node | None) -> None:
    """Read formal parameters: they become locals, and defaults flow into them."""
    found: list[Parameter] = []
    for child in [] if node is None else node.named_children:
        if child.type == "comment":
            continue
        parameter = _parameter(reader, scope, child, len(found))
        if child.type == "forward_parameter":
            found.extend((Parameter("*", "rest"), Parameter("**", "keywords"), Parameter("&", "block")))
            _declare(scope, "*", "**")
        elif parameter is not None:
            found.append(parameter)
    scope.symbol.parameters = tuple(found)


def _declare(scope: Scope, *names: str) -> None:
    for name in names:
        scope.env[name] = name
        scope.counts[name] = 1


def _parameter(reader: Reader, scope: Scope, node: Node, place: int) -> Parameter | None:
    name = reader.source.text(node if node.type == "identifier" else node.child_by_field_name("name"))
    row = node.start_point[0]
    if node.type == "destructured_parameter":
        name = f"{{{place + 1}}}"
        scope.emit(["=", _taken_apart(reader, scope, node), name], row)
        return Parameter(name, "only")
    kinds = {
        "identifier": "only",
        "optional_parameter": "only",
        "splat_parameter": "rest",
        "hash_splat_parameter": "keywords",
        "block_parameter": "block",
        "keyword_parameter": "keyword",
    }
    kind = kinds.get(node.type)
    if kind is None:
        return None
    if node.parent is not None and node in node.parent.children_by_field_name("locals"):
        _declare(scope, name)
        return None
    name = name or {"rest": "*", "keywords": "**", "block": "&"}.get(kind, "")
    default = node.child_by_field_name("value")
    if default is not None:
        value = reader.value(scope, default)
        if value is not NOTHING:
            scope.emit(["=", name, value], row)
    _declare(scope, name)
    if kind == "block" and name != "&":
        scope.emit(["=", name, "&"], row)
    return Parameter(name, kind, default is not None)  # type: ignore[arg-type]


def _taken_apart(reader: Reader, scope: Scope, node: Node) -> Expression:
    places: list[Expression] = []
    star = None
    for child in node.named_children:
        if child.type == "destructured_parameter":
            places.append(_taken_apart(reader, scope, child))
            continue
        if child.type == "splat_parameter":
            star = len(places)
        name = reader.source.text(child if child.type == "identifier" else child.child_by_field_name("name"))
        if name:
            _declare(scope, name)
        places.append(name or None)
    return ["unpack", places, star]


# super, yield


def _super(reader: Reader, scope: Scope, node: Node) -> Expression:
    arguments = node.child_by_field_name("arguments")
    block = node.child_by_field_name("block")
    site = scope.site(node.start_point[0])
    callee = ["attr", _super_of(scope, site), scope.method_name]
    given = [] if arguments is None else [child for child in arguments.named_children if child.type != "comment"]
    positional, keywords = passed(reader, scope, given) if arguments is not None else _same_arguments(scope)
    if block is not None:
        keywords = [one for one in keywords if one[0] != "&"] + [["&", closure(reader, scope, block, "block")]]
    elif not any(name == "&" for name, _ in keywords):
        keywords.append(["&", scope.given_block()])
    return ["call", site, callee, positional, keywords] if scope.method_name else NOTHING


def _super_of(scope: Scope, site: int) -> Expression:
    """The method around, whose next one is meant, told by its name."""
    while scope.kind in ("block", "lambda") and scope.parent is not None and scope.receiver != ["this"]:
        scope = scope.parent
    return ["above", site, scope.symbol.name]


def _same_arguments(scope: Scope) -> tuple[list[Expression], Keywords]:
    """`super` alone passes on what the method's parameters hold now."""
    positional: list[Expression] = []
    keywords: Keywords = []
    for name, kind in scope.arguments:
        value = scope.read(name)
        if kind == "only":
            positional.append(value)
        elif kind == "rest":
            positional.append(["*", value])
        elif kind == "keyword":
            keywords.append([name, value])
        elif kind == "keywords":
            keywords.append(["**", value])
    return positional, keywords


def _yield(reader: Reader, scope: Scope, node: Node) -> Expression:
    arguments = node.named_children[0] if node.named_child_count else None
    given = [] if arguments is None else [child for child in arguments.named_children if child.type != "comment"]
    site = scope.site(node.start_point[0])
    positional, keywords = passed(reader, scope, given)
    found = ["call", site, scope.given_block(), positional]
    if keywords:
        found.append(keywords)
    return found


HANDLERS: dict[str, Handler] = {
    "call": call,
    "bare_call": bare,
    "lambda": arrow,
    "super": _super,
    "yield": _yield,
}
