"""Ruby's expressions and ways through a body, as flows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sbfs.code.facts import Expression
from sbfs.code.ruby_scopes import NOTHING, Handler, Reader, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

SHORT = 60
"""Characters of a text that may be looked up as a name."""


def literal(reader: Reader, node: Node | None) -> str | None:
    """The text of a symbol or a string without anything worked out in it."""
    if node is None:
        return None
    if node.type in ("simple_symbol", "hash_key_symbol"):
        return reader.source.text(node).removeprefix(":")
    if node.type in ("bare_string", "bare_symbol"):
        return reader.source.text(node)
    if node.type in ("string", "delimited_symbol"):
        children = node.named_children
        if all(child.type == "string_content" for child in children):
            return "".join(reader.source.text(child) for child in children)
    return None


def key_of(reader: Reader, node: Node | None) -> str | int | None:
    """An element's constant key: a symbol and a string of one text are one key."""
    if node is not None and node.type == "integer":
        try:
            return int(reader.source.text(node).replace("_", ""), 0)
        except ValueError:
            return None
    if node is not None and node.type == "unary" and reader.source.text(node) == "-1":
        return -1
    return literal(reader, node)


# Words


def _identifier(reader: Reader, scope: Scope, node: Node) -> Expression:
    name = reader.source.text(node)
    known = scope.read(name)
    if known is not None:
        return known
    if (implicit := _implicit_parameter(scope, name)) is not None:
        return implicit
    return reader.handlers["bare_call"](reader, scope, node)


def _implicit_parameter(scope: Scope, name: str) -> str | None:
    """`it` and `_1` in a block that names no parameters."""
    from sbfs.code.facts import Parameter

    if scope.kind not in ("block", "lambda") or name not in ("it", "_1", "_2", "_3"):
        return None
    if scope.symbol.parameters and not scope.symbol.parameters[0].name.startswith(("it", "_1")):
        return None
    names = (
        ["it"]
        if name == "it"
        else [f"_{number}" for number in range(1, max(int(name[1:]), len(scope.symbol.parameters)) + 1)]
    )
    scope.symbol.parameters = tuple(Parameter(one, "only") for one in names)
    for one in names:
        scope.env.setdefault(one, one)
        scope.counts.setdefault(one, 1)
    if len(names) > 1:
        scope.emit(["=", ["unpack", list(names), None], names[0]], scope.symbol.start - 1)
    return name


def _constant(reader: Reader, scope: Scope, node: Node) -> Expression:
    return ["const", reader.source.text(node), list(scope.nesting)]


def _scope_resolution(reader: Reader, scope: Scope, node: Node) -> Expression:
    name = reader.source.text(node.child_by_field_name("name"))
    outer = node.child_by_field_name("scope")
    return ["const", name, []] if outer is None else ["attr", reader.value(scope, outer), name]


def _self(_reader: Reader, scope: Scope, _node: Node) -> Expression:
    return scope.this()


def _instance_variable(reader: Reader, scope: Scope, node: Node) -> Expression:
    return ["attr", scope.this(), reader.source.text(node)]


def class_variable(reader: Reader, scope: Scope, node: Node) -> Expression:
    """`@@x`: of the class or module around, whoever the receiver is."""
    return ["attr", ["const", scope.nesting[0], []], reader.source.text(node)] if scope.nesting else NOTHING


def _global_variable(reader: Reader, _scope: Scope, node: Node) -> Expression:
    return ["const", reader.source.text(node), []]


# Literals


def _nothing(_reader: Reader, _scope: Scope, _node: Node) -> Expression:
    return NOTHING


def _number(_reader: Reader, _scope: Scope, node: Node) -> Expression:
    return ["lit", "Float" if node.type == "float" else "Integer"]


def _string(reader: Reader, scope: Scope, node: Node) -> Expression:
    text = literal(reader, node)
    kind = {"string": "String", "bare_string": "String", "regex": "Regexp"}.get(
        node.type, "Symbol" if "symbol" in node.type else "String"
    )
    if text is not None and kind != "Regexp":
        return ["lit", kind, text] if 0 < len(text) <= SHORT else ["lit", kind]
    _interpolations(reader, scope, node)
    return ["lit", kind]


def _interpolations(reader: Reader, scope: Scope, node: Node) -> None:
    for child in node.named_children:
        if child.type == "interpolation":
            reader.do(scope, reader.each(scope, child.named_children), child.start_point[0])
        elif child.type == "string":
            _interpolations(reader, scope, child)


def _chained_string(reader: Reader, scope: Scope, node: Node) -> Expression:
    _interpolations(reader, scope, node)
    return ["lit", "String"]


def _heredoc(reader: Reader, scope: Scope, node: Node) -> Expression:
    body = reader.heredocs.get(node.start_byte)
    if body is not None:
        _interpolations(reader, scope, body)
    return ["lit", "String"]


def _array(reader: Reader, scope: Scope, node: Node) -> Expression:
    pairs = []
    items = []
    for child in node.named_children:
        if child.type == "pair":
            pairs.append(child)
        elif child.type not in ("comment", "heredoc_body"):
            items.append(_element(reader, scope, child))
    if pairs:
        items.append(pairs_of(reader, scope, pairs))
    return ["list", items]


def _element(reader: Reader, scope: Scope, node: Node) -> Expression:
    if node.type == "splat_argument":
        return ["*", reader.value(scope, node.named_children[0]) if node.named_child_count else scope.read("*")]
    return reader.value(scope, node)


def _hash(reader: Reader, scope: Scope, node: Node) -> Expression:
    return pairs_of(reader, scope, node.named_children)


def pairs_of(reader: Reader, scope: Scope, nodes: list[Node]) -> Expression:
    """A hash of pairs and double splats."""
    entries: list[Expression] = []
    for node in nodes:
        if node.type == "pair":
            key = node.child_by_field_name("key")
            constant = key_of(reader, key)
            entry = [constant, pair_value(reader, scope, node)]
            if constant is None and key is not None:
                entry.append(reader.value(scope, key))
            entries.append(entry)
        elif node.type == "hash_splat_argument":
            entries.append(
                [["**"], reader.value(scope, node.named_children[0]) if node.named_child_count else scope.read("**")]
            )
    return ["dict", entries]


def pair_value(reader: Reader, scope: Scope, node: Node) -> Expression:
    """The value of a pair; `x:` alone is the local or the method of that name."""
    value = node.child_by_field_name("value")
    if value is not None:
        return reader.value(scope, value)
    key = node.child_by_field_name("key")
    name = literal(reader, key) or ""
    known = scope.read(name)
    if known is not None or key is None:
        return known
    return ["call", scope.site(node.start_point[0]), ["attr", scope.this(), name], []]


def _range(reader: Reader, scope: Scope, node: Node) -> Expression:
    for part in ("begin", "end"):
        reader.do(scope, reader.value(scope, node.child_by_field_name(part)), node.start_point[0])
    return ["lit", "Range"]


# Ways through


def _if(reader: Reader, scope: Scope, node: Node) -> Expression:
    rest: list[Node] = []
    step: Node | None = node
    while step is not None and step.type in ("if", "unless", "elsif"):
        rest.append(step)
        step = step.child_by_field_name("alternative")
    # A chain of `elsif` may be long: each condition runs after those above it, and only the arms are apart.
    for one in rest:
        scope.branch()
        condition = one.child_by_field_name("condition")
        reader.do(scope, reader.value(scope, condition), one.start_point[0])
    arms: list[Callable[[], Expression]] = [
        partial(_body, reader, scope, one.child_by_field_name("consequence")) for one in rest
    ]
    arms.append(partial(_body, reader, scope, step))
    return reader.arms(scope, arms)


def _no_value() -> Expression:
    return NOTHING


def _body(reader: Reader, scope: Scope, node: Node | None) -> Expression:
    return NOTHING if node is None else reader.each(scope, node.named_children)


def _modifier(reader: Reader, scope: Scope, node: Node) -> Expression:
    scope.branch()
    reader.do(scope, reader.value(scope, node.child_by_field_name("condition")), node.start_point[0])
    return reader.arms(scope, [partial(reader.value, scope, node.child_by_field_name("body")), _no_value])


def _conditional(reader: Reader, scope: Scope, node: Node) -> Expression:
    scope.branch()
    reader.do(scope, reader.value(scope, node.child_by_field_name("condition")), node.start_point[0])
    return reader.arms(
        scope,
        [partial(reader.value, scope, node.child_by_field_name(part)) for part in ("consequence", "alternative")],
    )


def _case(reader: Reader, scope: Scope, node: Node) -> Expression:
    subject = node.child_by_field_name("value")
    name = reader.source.text(subject) if subject is not None and subject.type == "identifier" else ""
    reader.do(scope, reader.value(scope, subject), node.start_point[0])
    ways = []
    complete = False
    for child in node.named_children:
        if child.type == "when":
            scope.branch()
            ways.append(partial(_when, reader, scope, child, name))
        elif child.type == "else":
            complete = True
            ways.append(partial(_body, reader, scope, child))
    return reader.arms(scope, [*ways, *([] if complete else [_no_value])])


def _when(reader: Reader, scope: Scope, node: Node, subject: str) -> Expression:
    """A `when`: naming classes, it says what the subject is."""
    said = []
    for pattern in node.children_by_field_name("pattern"):
        value = reader.value(scope, pattern.named_children[0] if pattern.named_child_count else None)
        reader.do(scope, value, node.start_point[0])
        said.append(value)
    classes = [value for value in said if isinstance(value, list) and value and value[0] in ("const", "attr")]
    if subject and classes and len(classes) == len(said) and (known := scope.read(subject)) is not None:
        scope.emit(["=", scope.write(subject), ["cast", known, _either(classes)]], node.start_point[0])
    return _body(reader, scope, node.child_by_field_name("body"))


def _either(classes: list[Expression]) -> Expression:
    types = [["inst", one, []] for one in classes]
    return types[0] if len(types) == 1 else ["any", types]


def _case_match(reader: Reader, scope: Scope, node: Node) -> Expression:
    row = node.start_point[0]
    subject = reader.hold(scope, reader.value(scope, node.child_by_field_name("value")), row)
    ways = [partial(_in, reader, scope, clause, subject) for clause in node.children_by_field_name("clauses")]
    for _ in ways:
        scope.branch()
    other = node.child_by_field_name("else")
    return reader.arms(scope, [*ways, partial(_body, reader, scope, other)])


def _in(reader: Reader, scope: Scope, node: Node, subject: Expression) -> Expression:
    match(reader, scope, node.child_by_field_name("pattern"), subject)
    guard = node.child_by_field_name("guard")
    if guard is not None:
        scope.branch()
        reader.do(scope, reader.value(scope, guard.child_by_field_name("condition")), guard.start_point[0])
    return _body(reader, scope, node.child_by_field_name("body"))


def match(reader: Reader, scope: Scope, node: Node | None, value: Expression) -> None:
    """Bind the names of a pattern."""
    if node is None:
        return
    row = node.start_point[0]
    if node.type == "identifier":
        scope.emit(["=", scope.write(reader.source.text(node)), value], row)
    elif node.type == "as_pattern":
        inner = node.child_by_field_name("value")
        match(reader, scope, inner, value)
        said = (
            reader.value(scope, inner) if inner is not None and inner.type in ("constant", "scope_resolution") else None
        )
        bound = value if said is None else ["cast", value, ["inst", said, []]]
        scope.emit(["=", scope.write(reader.source.text(node.child_by_field_name("name"))), bound], row)
    elif node.type in ("array_pattern", "find_pattern"):
        _match_array(reader, scope, node, value)
    elif node.type == "hash_pattern":
        _match_hash(reader, scope, node, value)
    elif node.type in ("alternative_pattern", "parenthesized_pattern"):
        for child in node.named_children:
            match(reader, scope, child, value)
    elif node.type in ("splat_parameter", "hash_splat_parameter"):
        name = node.child_by_field_name("name")
        if name is not None:
            scope.emit(["=", scope.write(reader.source.text(name)), ["list", [["*", value]]]], row)


def _inside(reader: Reader, scope: Scope, node: Node, value: Expression) -> tuple[Expression, list[Node]]:
    said = node.child_by_field_name("class")
    parts = [child for child in node.named_children if child != said]
    return (value if said is None else ["cast", value, ["inst", reader.value(scope, said), []]]), parts


def _match_array(reader: Reader, scope: Scope, node: Node, value: Expression) -> None:
    value, parts = _inside(reader, scope, node, value)
    exact = node.type == "array_pattern"
    for place, part in enumerate(parts):
        exact = exact and part.type != "splat_parameter"
        match(
            reader, scope, part, value if part.type == "splat_parameter" else ["item", value, place if exact else None]
        )


def _match_hash(reader: Reader, scope: Scope, node: Node, value: Expression) -> None:
    value, parts = _inside(reader, scope, node, value)
    for part in parts:
        if part.type != "keyword_pattern":
            match(reader, scope, part, value)
            continue
        key = part.child_by_field_name("key")
        name = reader.source.text(key)
        inner = part.child_by_field_name("value")
        # An object answers a pattern of keys by `deconstruct_keys`, mostly with what its readers of these names give.
        item = ["item", value, name]
        if inner is None:
            scope.emit(["=", scope.write(name), item], part.start_point[0])
        else:
            match(reader, scope, inner, item)


def _match_statement(reader: Reader, scope: Scope, node: Node) -> Expression:
    value = reader.hold(scope, reader.value(scope, node.child_by_field_name("value")), node.start_point[0])
    match(reader, scope, node.child_by_field_name("pattern"), value)
    return NOTHING


def _while(reader: Reader, scope: Scope, node: Node) -> Expression:
    scope.branch()

    def body() -> Expression:
        reader.do(scope, reader.value(scope, node.child_by_field_name("condition")), node.start_point[0])
        inner = node.child_by_field_name("body")
        value = reader.value(scope, inner) if node.type.endswith("modifier") else _body(reader, scope, inner)
        reader.do(scope, value, node.start_point[0])
        return NOTHING

    return reader.repeat(scope, node, body)


def _for(reader: Reader, scope: Scope, node: Node) -> Expression:
    scope.branch()
    row = node.start_point[0]
    source = node.child_by_field_name("value")
    items = reader.hold(scope, _body(reader, scope, source), row)

    def body() -> Expression:
        pattern = node.child_by_field_name("pattern")
        if pattern is not None:
            assign(reader, scope, pattern, ["elem", items, scope.site(row)])
        reader.do(scope, _body(reader, scope, node.child_by_field_name("body")), row)
        return NOTHING

    return reader.repeat(scope, node, body)


def body_statement(reader: Reader, scope: Scope, node: Node) -> Expression:
    """Statements, then what rescues them, what else there is, and what always runs."""
    plain, rescues, otherwise, always = [], [], None, None
    for child in node.named_children:
        if child.type == "rescue":
            rescues.append(child)
        elif child.type == "else" and rescues:
            otherwise = child
        elif child.type == "ensure":
            always = child
        else:
            plain.append(child)
    if not rescues and always is None:
        return reader.each(scope, plain)
    value = _rescued(reader, scope, node, plain, rescues, otherwise)
    if always is not None:
        ended = "ended" in scope.lexical
        reader.do(scope, _body(reader, scope, always), always.start_point[0])
        if ended:
            scope.lexical.add("ended")
    return value


def _rescued(
    reader: Reader, scope: Scope, node: Node, plain: list[Node], rescues: list[Node], otherwise: Node | None
) -> Expression:
    held: list[Expression] = []

    def main() -> Expression:
        value = reader.each(scope, plain)
        if otherwise is not None:
            reader.do(scope, value, node.start_point[0])
            value = _body(reader, scope, otherwise)
        held.append(value)
        return value

    if not rescues:
        return main()
    ended = False

    def guarded() -> Expression:
        nonlocal ended
        value = main()
        ended = "ended" in scope.lexical
        return value

    value = reader.interrupted(scope, node, guarded)
    ways = [partial(_rescue, reader, scope, one) for one in rescues]
    for _ in ways:
        scope.branch()

    def straight() -> Expression:
        if ended:
            scope.lexical.add("ended")
        return value

    return reader.arms(scope, [straight, *ways])


def _rescue(reader: Reader, scope: Scope, node: Node) -> Expression:
    named = node.child_by_field_name("exceptions")
    classes = (
        []
        if named is None
        else [reader.value(scope, child) for child in named.named_children if child.type != "splat_argument"]
    )
    variable = node.child_by_field_name("variable")
    if variable is not None and variable.named_child_count:
        target = variable.named_children[0]
        known = [one for one in classes if isinstance(one, list)]
        if target.type == "identifier" and known:
            name = scope.write(reader.source.text(target))
            scope.emit(["hint", name, _either(known)], node.start_point[0])
        elif target.type == "identifier":
            scope.write(reader.source.text(target))
    return _body(reader, scope, node.child_by_field_name("body"))


def _rescue_modifier(reader: Reader, scope: Scope, node: Node) -> Expression:
    scope.branch()
    return reader.arms(
        scope, [partial(reader.value, scope, node.child_by_field_name(part)) for part in ("body", "handler")]
    )


def _return(reader: Reader, scope: Scope, node: Node) -> Expression:
    value = _jump_value(reader, scope, node)
    row = node.start_point[0]
    if node.type == "return" and scope.owner is not scope:
        if value is not NOTHING:
            name = scope.temp()
            scope.emit(["=", name, value], row)
            scope.owner.emit(["return", f"{scope.symbol.name}:{name}"], row)
    elif node.type == "break":
        reader.do(scope, value, row)
        return NOTHING
    elif value is not NOTHING:
        scope.emit(["return", value], row)
    if node.type == "return":
        scope.lexical.add("ended")
    return NOTHING


def _jump_value(reader: Reader, scope: Scope, node: Node) -> Expression:
    if not node.named_child_count:
        return NOTHING
    values = [
        _element(reader, scope, child) for child in node.named_children[0].named_children if child.type != "comment"
    ]
    return values[0] if len(values) == 1 else ["list", values] if values else NOTHING


# Operators


def _binary(reader: Reader, scope: Scope, node: Node) -> Expression:
    if node.type == "binary" and reader.source.text(node.child_by_field_name("operator")) in ("&&", "and", "||", "or"):
        return _either_way(reader, scope, node)
    spine = []
    step: Node | None = node
    while step is not None and step.type == "binary" and _operator(reader, step) not in ("&&", "and", "||", "or"):
        spine.append(step)
        step = step.child_by_field_name("left")
    value = reader.value(scope, step)
    for one in reversed(spine):
        right = reader.value(scope, one.child_by_field_name("right"))
        operator = _operator(reader, one)
        if operator in ("!=", "!~"):
            operator = {"!=": "==", "!~": "=~"}[operator]
        value = operate(reader, scope, value, operator, [right], one.start_point[0])
    return value


def _operator(reader: Reader, node: Node) -> str:
    return reader.source.text(node.child_by_field_name("operator"))


def operate(
    reader: Reader, scope: Scope, left: Expression, operator: str, arguments: list[Expression], row: int
) -> Expression:
    """An operator is a method of its left side. On literals it is the language's own, and is left out."""
    if left is NOTHING or (isinstance(left, list) and left[0] in ("lit", "dict")):
        for argument in arguments:
            reader.do(scope, argument, row)
        return left if operator in ("+", "*", "%", "-") else NOTHING
    return ["op", scope.site(row), left, operator, arguments]


def _either_way(reader: Reader, scope: Scope, node: Node) -> Expression:
    scope.branch()
    row = node.start_point[0]
    left = reader.value(scope, node.child_by_field_name("left"))
    kept = _operator(reader, node) in ("||", "or")
    if kept:
        left = reader.hold(scope, left, row)
    else:
        reader.do(scope, left, row)
    right = reader.arms(scope, [partial(reader.value, scope, node.child_by_field_name("right")), _no_value])
    return ["any", [left, right]] if kept and left is not NOTHING else right


def _unary(reader: Reader, scope: Scope, node: Node) -> Expression:
    operator = _operator(reader, node)
    if operator == "defined?":
        return NOTHING
    value = reader.value(scope, node.child_by_field_name("operand"))
    if operator in ("!", "not"):
        reader.do(scope, value, node.start_point[0])
        return NOTHING
    return operate(reader, scope, value, operator if operator == "~" else f"{operator}@", [], node.start_point[0])


# Assignment


def _assignment(reader: Reader, scope: Scope, node: Node) -> Expression:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return NOTHING
    if (
        left.type in ("constant", "scope_resolution")
        and (made := reader.handlers["made"](reader, scope, node)) is not NOTHING
    ):
        return made
    row = node.start_point[0]
    if right.type in ("right_assignment_list", "splat_argument"):
        parts = right.named_children if right.type == "right_assignment_list" else [right]
        value: Expression = ["list", [_element(reader, scope, child) for child in parts]]
    else:
        value = reader.value(scope, right)
    if left.type not in ("identifier", "left_assignment_list"):
        value = reader.hold(scope, value, row)
    return assign(reader, scope, left, value)


def assign(reader: Reader, scope: Scope, target: Node, value: Expression) -> Expression:
    """Give a value to what stands on the left; answers with the value, for whoever uses it further."""
    row = target.start_point[0]
    if target.type in ("left_assignment_list", "destructured_left_assignment"):
        return _unpack(reader, scope, target, value)
    if target.type == "call":
        return _setter(reader, scope, target, value)
    if target.type == "element_reference":
        return _set_item(reader, scope, target, value)
    place = _place(reader, scope, target)
    if place is NOTHING:
        reader.do(scope, value, row)
        return value
    scope.emit(["=", place, value], row)
    return place if isinstance(place, str) else value


def _place(reader: Reader, scope: Scope, target: Node) -> Expression:
    if target.type == "identifier":
        return scope.write(reader.source.text(target))
    if target.type == "constant":
        body = scope.home.scope
        return body.symbol.name + ":" + reader.source.text(target) if body is not scope else reader.source.text(target)
    if target.type == "scope_resolution":
        return _scope_resolution(reader, scope, target)
    if target.type == "instance_variable":
        return ["attr", scope.this(), reader.source.text(target)]
    if target.type == "class_variable":
        return class_variable(reader, scope, target)
    if target.type == "global_variable":
        return f":{reader.source.text(target)}" if scope.symbol.name else reader.source.text(target)
    return NOTHING


def _unpack(reader: Reader, scope: Scope, target: Node, value: Expression) -> Expression:
    row = target.start_point[0]
    value = reader.hold(scope, value, row)
    places: list[Expression] = []
    star = None
    later: list[tuple[Node, str]] = []
    for child in target.named_children:
        if child.type == "rest_assignment":
            star = len(places)
            child = child.named_children[0] if child.named_child_count else child
        place = (
            NOTHING
            if child.type in ("call", "element_reference", "destructured_left_assignment", "rest_assignment")
            else _place(reader, scope, child)
        )
        if place is NOTHING and child.type != "rest_assignment":
            place = scope.temp()
            later.append((child, place))
        places.append(place)
    scope.emit(["=", ["unpack", places, star], value], row)
    for child, name in later:
        assign(reader, scope, child, name)
    return value


def _setter(reader: Reader, scope: Scope, target: Node, value: Expression) -> Expression:
    receiver = reader.value(scope, target.child_by_field_name("receiver"))
    name = reader.source.text(target.child_by_field_name("method"))
    row = target.start_point[0]
    scope.emit(["do", ["call", scope.site(row), ["attr", receiver, f"{name}="], [value]]], row)
    return value


def _set_item(reader: Reader, scope: Scope, target: Node, value: Expression) -> Expression:
    row = target.start_point[0]
    holder, keys, key = indexed(reader, scope, target)
    scope.emit(["=", ["item", holder, key], value], row)
    scope.emit(["do", ["op", scope.site(row), holder, "[]=", [*keys, value]]], row)
    return value


def indexed(reader: Reader, scope: Scope, node: Node) -> tuple[Expression, list[Expression], str | int | None]:
    """Of `a[k]`: a as something that may be written twice, the keys, and the constant key if there is one."""
    parts = node.named_children
    holder = reader.hold(scope, reader.value(scope, parts[0]), node.start_point[0])
    keys = [
        _element(reader, scope, child) for child in parts[1:] if child.type not in ("comment", "block_argument", "pair")
    ]
    return holder, keys, key_of(reader, parts[1]) if len(parts) == 2 else None


def _element_reference(reader: Reader, scope: Scope, node: Node) -> Expression:
    if not node.named_child_count:
        return NOTHING
    holder, keys, key = indexed(reader, scope, node)
    return ["any", [["item", holder, key], ["op", scope.site(node.start_point[0]), holder, "[]", keys]]]


def _operator_assignment(reader: Reader, scope: Scope, node: Node) -> Expression:
    left, row = node.child_by_field_name("left"), node.start_point[0]
    if left is None:
        return NOTHING
    operator = _operator(reader, node).removesuffix("=")
    known = left.type != "identifier" or scope.read(reader.source.text(left)) is not None
    # The left side is read for its value and written to: what is worked out in it runs once in truth, and twice here.
    before = (reader.value(scope, left) if known else NOTHING) if left.type != "constant" else NOTHING
    right = reader.value(scope, node.child_by_field_name("right"))
    if operator == "||":
        scope.branch()
        before = reader.hold(scope, before, row)
        value: Expression = ["any", [before, right]] if before is not NOTHING else right
    elif operator == "&&":
        scope.branch()
        value = right
    else:
        value = operate(reader, scope, before, operator, [right], row)
    if left.type != "identifier":
        value = reader.hold(scope, value, row)
    return assign(reader, scope, left, value)


HANDLERS: dict[str, Handler] = {
    "identifier": _identifier,
    "constant": _constant,
    "scope_resolution": _scope_resolution,
    "self": _self,
    "instance_variable": _instance_variable,
    "class_variable": class_variable,
    "global_variable": _global_variable,
    "integer": _number,
    "float": _number,
    "string": _string,
    "bare_string": _string,
    "bare_symbol": _string,
    "simple_symbol": _string,
    "delimited_symbol": _string,
    "regex": _string,
    "subshell": _string,
    "chained_string": _chained_string,
    "heredoc_beginning": _heredoc,
    "array": _array,
    "string_array": _array,
    "symbol_array": _array,
    "hash": _hash,
    "range": _range,
    "if": _if,
    "unless": _if,
    "if_modifier": _modifier,
    "unless_modifier": _modifier,
    "conditional": _conditional,
    "case": _case,
    "case_match": _case_match,
    "match_pattern": _match_statement,
    "test_pattern": _match_statement,
    "while": _while,
    "until": _while,
    "while_modifier": _while,
    "until_modifier": _while,
    "for": _for,
    "body_statement": body_statement,
    "begin": body_statement,
    "rescue_modifier": _rescue_modifier,
    "return": _return,
    "next": _return,
    "break": _return,
    "binary": _binary,
    "unary": _unary,
    "assignment": _assignment,
    "operator_assignment": _operator_assignment,
    "element_reference": _element_reference,
    **dict.fromkeys(
        (
            "nil",
            "true",
            "false",
            "character",
            "complex",
            "rational",
            "line",
            "file",
            "encoding",
            "redo",
            "retry",
            "undef",
        ),
        _nothing,
    ),
}
