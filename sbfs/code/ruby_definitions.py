"""Ruby's definitions: modules, classes and their sites, methods, and what else makes one (`attr_*`, `delegate`, …).

A reopened class is one symbol a site (`Cart`, `Cart#2`); its methods are named below the class, whatever the site.
Instance methods are variables `name` of the class's body, methods of the class itself `self.name`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Parameter, Symbol, SymbolType, Visibility
from sbfs.code.ruby_calls import NOT_SPECIAL, bind_parameters, closed
from sbfs.code.ruby_docs import constant, doc_of, hints
from sbfs.code.ruby_scopes import NOTHING, Handler, Home, Reader, Scope
from sbfs.code.ruby_values import literal

if TYPE_CHECKING:
    from tree_sitter import Node

HOOKS = frozenset({"included", "extended", "prepended", "inherited"})
MIXES = frozenset({"include", "extend", "prepend"})
EVALS = frozenset({"class_eval", "module_eval", "class_exec", "module_exec"})
MAKERS = {"Struct": "new", "Class": "new", "Module": "new", "Data": "define"}
CALLBACK = re.compile(r"^((prepend_|append_)?(before|after|around)_\w+|validate|set_callback|rescue_from)$")
CONDITIONS = frozenset({"if", "unless", "with"})


def given(node: Node) -> list[Node]:
    """A call's arguments."""
    arguments = node.child_by_field_name("arguments") if node.type == "call" else None
    return (
        []
        if arguments is None
        else [child for child in arguments.named_children if child.type not in ("comment", "heredoc_body")]
    )


def literals(reader: Reader, nodes: list[Node]) -> list[str]:
    """The names among arguments; a literal list counts as its elements."""
    found = []
    for node in nodes:
        name = literal(reader, node)
        if name is not None:
            found.append(name)
        elif node.type in ("array", "symbol_array", "string_array"):
            found.extend(literals(reader, node.named_children))
    return found


# Classes and modules


def site(
    reader: Reader, scope: Scope, node: Node, path: str, type: SymbolType, base: Node | None
) -> tuple[Scope, Expression]:
    """A new site of a class or module: the scope of its body, and its value. path: its name as written."""
    body = scope.home.scope
    names = path.removeprefix("::").split("::")
    prefix = "" if path.startswith("::") or not body.prefix else f"{body.prefix}."
    place = prefix + ".".join(names)
    doc = doc_of(reader.source, node.start_point[0])
    bases = (
        ()
        if base is None
        else (reader.source.squeezed(base.start_byte, base.end_byte).removeprefix("< ").removeprefix("<").strip(),)
    )
    symbol = reader.symbol(place, type, node, doc=doc, bases=bases)
    word = "module" if type == "namespace" else "class"
    symbol.signature = f"{word} {path}" + (f" < {bases[0]}" if bases else "")
    symbol.body_hash = reader.source.body_hash(node.start_byte, node.end_byte)
    outer = () if path.startswith("::") else scope.nesting
    full = "::".join(names) if not outer else f"{outer[0]}::{'::'.join(names)}"
    child = Scope("class", symbol, None, nesting=(full, *scope.nesting))
    child.prefix = place
    child.home = Home(child)
    return child, ["class", symbol.name, _bases(reader, scope, child, base)]


def _bases(reader: Reader, scope: Scope, child: Scope, base: Node | None) -> list[Expression]:
    if base is None:
        return []
    inner = base.named_children[0] if base.type == "superclass" and base.named_child_count else base
    if inner.type == "call" and (maker := _maker(reader, inner)) in ("Struct", "Data"):
        _members(reader, child, inner)
        return [["const", maker, []]]
    value = reader.value(scope, inner)
    return [] if value is NOTHING else [value]


def _settle(scope: Scope, path: str, value: Expression, row: int) -> None:
    """Give a class its name, in the body around or below the module that is named before it."""
    names = path.removeprefix("::").split("::")
    if len(names) > 1:
        holder = constant(path.rpartition("::")[0], scope.nesting)
        scope.home.scope.emit(["=", ["attr", holder, names[-1]], value], row)
    else:
        target = f":{names[0]}" if path.startswith("::") and scope.home.scope.symbol.name else names[0]
        scope.home.scope.emit(["=", target, value], row)


def _class(reader: Reader, scope: Scope, node: Node) -> Expression:
    path = reader.source.text(node.child_by_field_name("name")).replace(" ", "")
    type: SymbolType = "class" if node.type == "class" else "namespace"
    child, value = site(reader, scope, node, path, type, node.child_by_field_name("superclass"))
    _settle(scope, path, value, node.start_point[0])
    run_body(reader, child, node.child_by_field_name("body"))
    _extend_by_convention(child)
    return NOTHING


def run_body(reader: Reader, child: Scope, body: Node | None) -> None:
    """Read a class's body."""
    if body is None:
        return
    kept, reader.branching = reader.branching, 0
    value = reader.value(child, body) if body.type == "body_statement" else reader.each(child, body.named_children)
    reader.do(child, value, body.start_point[0])
    reader.branching = kept
    child.close()


def _extend_by_convention(child: Scope) -> None:
    """A concern extends whoever includes it by its module ClassMethods."""
    flows = child.symbol.flows
    concern = any(
        flow[:2] == ["include", "extend"]
        and flow[2] == ["attr", ["const", "ActiveSupport", list(child.nesting)], "Concern"]
        for flow in flows
    )
    if concern and any(flow[0] == "=" and flow[1] == "ClassMethods" for flow in flows):
        child.emit(["include", "hook-extend", ["const", "ClassMethods", list(child.nesting)]], child.symbol.start - 1)


def _singleton_class(reader: Reader, scope: Scope, node: Node) -> Expression:
    of = node.child_by_field_name("value")
    kept = scope.home
    if of is not None and of.type == "self":
        scope.home = Home(kept.scope, singleton=True)
    elif of is not None:
        scope.home = Home(kept.scope, singleton=True, holder=reader.value(scope, of))
    body = node.child_by_field_name("body")
    if body is not None:
        reader.do(scope, reader.value(scope, body), node.start_point[0])
    scope.home = kept
    return NOTHING


def _maker(reader: Reader, node: Node) -> str:
    """Which of Struct, Class, Module or Data a call makes a class with; "" for none."""
    if node.type != "call":
        return ""
    receiver = node.child_by_field_name("receiver")
    name = reader.source.text(receiver).removeprefix("::") if receiver is not None else ""
    return name if MAKERS.get(name) == reader.source.text(node.child_by_field_name("method")) else ""


def _members(reader: Reader, child: Scope, node: Node) -> None:
    names = literals(reader, given(node))
    initialize = add_method(reader, child.home, "initialize", node, signature=f"initialize({', '.join(names)})")
    keyed = (
        any(one.type == "pair" and "true" in reader.source.text(one) for one in given(node))
        or reader.source.text(node.child_by_field_name("receiver")) == "Data"
    )
    # It is the language's own: calls of it are no edges, as it is nowhere written.
    initialize.symbol.flags = ("block",)
    initialize.symbol.parameters = tuple(Parameter(name, "keyword" if keyed else "only", True) for name in names)
    for name in names:
        initialize.emit(["=", ["attr", ["this"], f"@{name}"], name], node.start_point[0])
        _accessor(reader, child.home, name, node, reads=True, writes=True)


def made(reader: Reader, scope: Scope, node: Node) -> Expression:
    """`Name = Struct.new(…)` and the like define a class; nothing for any other assignment."""
    right = node.child_by_field_name("right")
    maker = "" if right is None else _maker(reader, right)
    if right is None or not maker:
        return NOTHING
    path = reader.source.text(node.child_by_field_name("left"))
    value = _make(reader, scope, right, maker, path)
    _settle(scope, path, value, node.start_point[0])
    return constant(path, scope.nesting)


def _make(reader: Reader, scope: Scope, node: Node, maker: str, path: str) -> Expression:
    arguments = given(node)
    base = arguments[0] if maker == "Class" and arguments else None
    child, value = site(reader, scope, node, path, "namespace" if maker == "Module" else "class", base)
    if maker in ("Struct", "Data"):
        _members(reader, child, node)
        value[2].append(["const", maker, []])
        child.symbol.bases = (maker,)
    block = node.child_by_field_name("block")
    if block is not None:
        run_body(reader, child, block.child_by_field_name("body"))
    return value


# Methods


def add_method(
    reader: Reader,
    home: Home,
    name: str,
    node: Node,
    *,
    singleton: bool | None = None,
    signature: str = "",
    doc: str = "",
) -> Scope:
    """A new method: its scope, known to its class's body, with the visibility that stands there."""
    body = home.scope
    one = home if singleton is None or singleton == home.singleton else Home(body, singleton=singleton)
    symbol = reader.symbol(
        f"{body.prefix}.{name}" if body.prefix else name, "method" if body.prefix else "function", node, doc=doc
    )
    symbol.signature = signature or name
    symbol.visibility = home.visibility if one is home else "public"
    symbol.flags = ("static",) if one.singleton else ()
    symbol.complexity = 1
    _put(reader, one, name, ["func", symbol.name], symbol, node.start_point[0])
    if home.function and not one.singleton:
        _put(reader, Home(body, singleton=True), name, ["func", symbol.name], symbol, node.start_point[0])
    child = Scope("method", symbol, None, nesting=body.nesting)
    child.home, child.method_name = Home(body, singleton=False), name
    return child


def _put(reader: Reader, home: Home, name: str, value: Expression, symbol: Symbol | None, row: int) -> None:
    """Make a name of the class's body stand for a method; a later one replaces it, unless either is conditional."""
    body = home.scope
    if home.holder is not None:
        body.emit(["=", ["attr", home.holder, name], value], row)
        return
    key = home.key(name)
    before = body.methods.get(key)
    if before is not None and not reader.branching:
        body.symbol.flows[before[1]] = ["=", key, value]
    else:
        body.emit(["=", key, value], row)
    if not reader.branching:
        place = before[1] if before is not None else len(body.symbol.flows) - 1
        body.methods[key] = (symbol, place)


def _method(reader: Reader, scope: Scope, node: Node) -> Expression:
    name = "".join(reader.source.text(node.child_by_field_name("name")).split()).removeprefix(":")
    home, singleton = scope.home, None
    of = node.child_by_field_name("object")
    if of is not None:
        text = reader.source.text(of)
        own = text == "self" or (scope.nesting and text == scope.nesting[0].rpartition("::")[2])
        singleton = True
        if not own:
            home = Home(home.scope, singleton=True, holder=reader.value(scope, of))
    body = node.child_by_field_name("body")
    row = node.start_point[0]
    parameters = node.child_by_field_name("parameters")
    end = parameters.end_byte if parameters is not None else node.child_by_field_name("name").end_byte  # type: ignore[union-attr]
    doc = doc_of(reader.source, row)
    child = add_method(
        reader, home, name, node, singleton=singleton, signature=reader.source.squeezed(node.start_byte, end), doc=doc
    )
    if home is scope.home and home.scope.kind == "file" and scope.kind != "file":
        child.symbol.exported = False
    child.symbol.body_hash = reader.source.body_hash(end, node.end_byte)
    for hint in hints(doc, child.nesting):
        child.emit(hint, row)
    bind_parameters(reader, child, parameters)
    finish(reader, child, body)
    return ["lit", "Symbol", name]


def finish(reader: Reader, child: Scope, body: Node | None) -> None:
    """Read a method's body: its last value is what it returns."""
    child.arguments = [(one.name, one.kind) for one in child.symbol.parameters]
    if body is None:
        return
    kept, reader.branching = reader.branching, 0
    value = reader.value(child, body)
    reader.branching = kept
    if value is not NOTHING and child.method_name != "initialize":
        child.emit(["return", value], body.end_point[0])
    else:
        reader.do(child, value, body.end_point[0])
    child.close()


def _accessor(
    reader: Reader, home: Home, name: str, node: Node, *, reads: bool, writes: bool, variable: str = ""
) -> None:
    doc = doc_of(reader.source, node.start_point[0])
    row = node.start_point[0]
    held: Expression = ["attr", ["this"], variable or f"@{name}"]
    if variable.startswith("@@"):
        held = ["attr", ["const", home.scope.nesting[0], []], variable] if home.scope.nesting else NOTHING
    if reads:
        child = add_method(reader, home, name, node, signature=name, doc=doc)
        child.symbol.flags += ("property",)
        child.emit(["return", held], row)
    if writes:
        child = add_method(reader, home, f"{name}=", node, signature=f"{name}=(value)", doc=doc)
        child.symbol.flags += ("setter",)
        child.symbol.parameters = (Parameter("value", "only"),)
        child.emit(["=", held, "value"], row)


def _alias(reader: Reader, scope: Scope, node: Node) -> Expression:
    new, old = (reader.source.text(node.child_by_field_name(part)).removeprefix(":") for part in ("name", "alias"))
    rename(reader, scope, new, old, node.start_point[0])
    return NOTHING


def rename(reader: Reader, scope: Scope, new: str, old: str, row: int) -> None:
    """A second name for what a method is now."""
    if new.startswith("$"):
        return
    home = scope.home
    key = home.key(old)
    before = home.scope.methods.get(key)
    if before is not None:
        value = home.scope.symbol.flows[before[1]][2]
    else:
        value = ["attr", scope.this(), old if home.singleton else f"#{old}"]
    _put(reader, home, new, value, before[0] if before else None, row)


# Words: calls without a receiver that mean something

Word = Callable[[Reader, Scope, "Node", list["Node"]], Expression]


def word(reader: Reader, scope: Scope, node: Node) -> Expression:
    """What a call without a receiver does beyond being a call; NOT_SPECIAL for nothing."""
    name = reader.source.text(node.child_by_field_name("method") if node.type == "call" else node)
    handler = ANYWHERE.get(name)
    if handler is None and in_class(scope):
        handler = IN_CLASS.get(name)
        if handler is None and CALLBACK.match(name):
            handler = _callback
    return NOT_SPECIAL if handler is None else handler(reader, scope, node, given(node))


def in_class(scope: Scope) -> bool:
    """Whether this is a class's body, or a block in it."""
    return scope.owner.kind in ("class", "file")


def _visibility(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    said = reader.source.text(node.child_by_field_name("method") if node.type == "call" else node)
    home = scope.home
    if not arguments:
        home.function = said == "module_function"
        home.visibility = said if said in ("private", "protected", "public") else home.visibility  # type: ignore[assignment]
        return NOTHING
    names = []
    for one in arguments:
        before = len(reader.symbols)
        names += literals(reader, [one])
        if literal(reader, one) is None and one.type not in ("array", "symbol_array", "string_array"):
            value = reader.value(scope, one)
            reader.do(scope, value, node.start_point[0])
            names += [
                made.name.rpartition(".")[2].partition("#")[0]
                for made in reader.symbols[before:]
                if made.type in ("method", "function")
            ]
    _set_visibility(reader, home, said, names, node)
    return NOTHING


def _set_visibility(reader: Reader, home: Home, said: str, names: list[str], node: Node) -> None:
    body = home.scope
    level: Visibility = "private" if said.startswith("private") else "protected" if said == "protected" else "public"
    for name in names:
        key = f"self.{name}" if said.endswith("class_method") else home.key(name)
        known = body.methods.get(key)
        if said == "module_function":
            if known is not None:
                _put(
                    reader,
                    Home(body, singleton=True),
                    name,
                    body.symbol.flows[known[1]][2],
                    known[0],
                    node.start_point[0],
                )
        elif known is not None and known[0] is not None:
            known[0].visibility = level
        elif said == "private_constant":
            for symbol in reader.symbols:
                if symbol.name == f"{body.prefix}.{name}":
                    symbol.visibility, symbol.exported = "private", False


def _attributes(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    said = reader.source.text(node.child_by_field_name("method"))
    for name in literals(reader, arguments):
        _accessor(
            reader,
            scope.home,
            name,
            node,
            reads=not said.endswith("writer"),
            writes=not said.endswith(("reader", "attr")),
        )
    return NOTHING


def _class_attributes(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    said = reader.source.text(node.child_by_field_name("method"))
    singleton = Home(scope.home.scope, singleton=True)
    for name in literals(reader, arguments):
        _accessor(
            reader,
            singleton,
            name,
            node,
            reads=not said.endswith("writer"),
            writes=not said.endswith("reader"),
            variable=f"@@{name}",
        )
    return NOTHING


def _mix(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    kind = reader.source.text(node.child_by_field_name("method"))
    for one in reversed(arguments):
        value = reader.value(scope, one)
        if scope.home.singleton and kind == "include":
            scope.home.scope.emit(["include", "extend", value], node.start_point[0])
        else:
            scope.home.scope.emit(["include", kind, value], node.start_point[0])
    return NOTHING


def _alias_method(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    names = literals(reader, arguments)
    if len(names) == 2:
        rename(reader, scope, names[0], names[1], node.start_point[0])
    return NOTHING


def _define_method(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    names = literals(reader, arguments[:1])
    if not names or (arguments and literal(reader, arguments[0]) is None):
        return NOT_SPECIAL
    said = reader.source.text(node.child_by_field_name("method"))
    singleton = True if said == "define_singleton_method" else None
    return define(reader, scope, node, names[0], arguments[1:], singleton)


def define(reader: Reader, scope: Scope, node: Node, name: str, rest: list[Node], singleton: bool | None) -> Expression:
    """A method from a block, or from a function that is given."""
    home = (
        scope.home
        if singleton is None or singleton == scope.home.singleton
        else Home(scope.home.scope, singleton=singleton)
    )
    block = node.child_by_field_name("block")
    if block is None:
        if rest:
            inner = (
                rest[0].named_children[0] if rest[0].type == "block_argument" and rest[0].named_child_count else rest[0]
            )
            _put(reader, home, name, reader.value(scope, inner), None, node.start_point[0])
        return ["lit", "Symbol", name]
    child = add_method(
        reader, home, name, node, signature=f"define_method(:{name})", doc=doc_of(reader.source, node.start_point[0])
    )
    child.symbol.body_hash = reader.source.body_hash(block.start_byte, block.end_byte)
    # Its block sees the locals around, but runs with another self and at another time.
    child.kind, child.parent, child.receiver = "lambda", scope, ["this"]
    closed(reader, child, block, block.child_by_field_name("parameters"))
    return ["lit", "Symbol", name]


def _delegate(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    options = {
        reader.source.text(one.child_by_field_name("key")).strip(":"): one.child_by_field_name("value")
        for one in arguments
        if one.type == "pair"
    }
    to = literal(reader, options.get("to"))
    prefix = options.get("prefix")
    if to is None:
        return NOT_SPECIAL
    before = (
        ""
        if prefix is None or prefix.type == "false"
        else f"{to if prefix.type == 'true' else literal(reader, prefix)}_"
    )
    for name in literals(reader, [one for one in arguments if one.type != "pair"]):
        _forward(reader, scope, node, f"{before}{name}", to, name)
    return NOTHING


def _delegators(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    names = literals(reader, arguments)
    said = reader.source.text(node.child_by_field_name("method"))
    if len(names) < 2:
        return NOT_SPECIAL
    if said.endswith("s"):
        for name in names[1:]:
            _forward(reader, scope, node, name, names[0], name)
    else:
        _forward(reader, scope, node, names[2] if len(names) > 2 else names[1], names[0], names[1])
    return NOTHING


def _forward(reader: Reader, scope: Scope, node: Node, name: str, to: str, method: str) -> None:
    row = node.start_point[0]
    child = add_method(reader, scope.home, name, node, signature=f"{name}(...)")
    child.symbol.parameters = (Parameter("*", "rest"), Parameter("**", "keywords"), Parameter("&", "block"))
    holder: Expression
    if to.startswith("@"):
        holder = ["attr", ["this"], to]
    elif to == "class":
        holder = ["call", child.site(row), ["attr", ["this"], "class"], []]
    elif to[:1].isupper():
        holder = constant(to, child.nesting)
    else:
        holder = ["call", child.site(row), ["attr", ["this"], to], []]
    child.emit(
        ["return", ["call", child.site(row), ["attr", holder, method], [["*", "*"]], [["**", "**"], ["&", "&"]]]], row
    )


def _concern_block(reader: Reader, scope: Scope, node: Node, _arguments: list[Node]) -> Expression:
    """`included do … end`: its definitions are as good as the module's own, since whoever includes it gets both."""
    block = node.child_by_field_name("block")
    if block is None or scope.kind != "class":
        return NOT_SPECIAL
    body = block.child_by_field_name("body")
    return (
        NOTHING
        if body is None
        else reader.value(scope, body)
        if body.type == "body_statement"
        else reader.each(scope, body.named_children)
    )


def _class_methods(reader: Reader, scope: Scope, node: Node, _arguments: list[Node]) -> Expression:
    block = node.child_by_field_name("block")
    if block is None or scope.kind != "class":
        return NOT_SPECIAL
    child, value = site(reader, scope, node, "ClassMethods", "namespace", None)
    _settle(scope, "ClassMethods", value, node.start_point[0])
    run_body(reader, child, block.child_by_field_name("body"))
    return NOTHING


def _callback(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    """A method that is named to a macro is called by what is behind it, at a time of its own."""
    row = node.start_point[0]
    for one in arguments:
        if one.type == "pair":
            key = reader.source.text(one.child_by_field_name("key")).strip(":")
            named = one.child_by_field_name("value") if key in CONDITIONS else None
            names = literals(reader, [named]) if named is not None and named.type != "string" else []
        else:
            names = literals(reader, [one]) if one.type in ("simple_symbol", "symbol_array", "array") else []
        for name in names:
            called = ["call", scope.site(row), ["inferred", ["attr", scope.this(), f"#{name}"]], []]
            scope.emit(["do", called], row)
    return NOT_SPECIAL


def _scope_macro(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    """Rails' `scope :name, -> { … }` is a method of the class."""
    name = literal(reader, arguments[0]) if len(arguments) == 2 else None
    if name is None or arguments[1].type not in ("lambda", "call"):
        return NOT_SPECIAL
    _put(
        reader,
        Home(scope.home.scope, singleton=True),
        name,
        reader.value(scope, arguments[1]),
        None,
        node.start_point[0],
    )
    return NOTHING


def _raise(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    row = node.start_point[0]
    if arguments:
        error = reader.value(scope, arguments[0])
        others = [reader.value(scope, one) for one in arguments[1:2] if one.type != "pair"]
        if isinstance(error, list) and error[0] in ("const", "attr"):
            scope.emit(["raise", ["call", scope.site(row), ["attr", error, "new"], others]], row)
        elif error is not NOTHING:
            scope.emit(["raise", error], row)
            for other in others:
                reader.do(scope, other, row)
    scope.lexical.add("ended")
    return NOTHING


# Calls with a receiver that mean something


def sent(reader: Reader, scope: Scope, node: Node) -> Expression:
    """What a call with a receiver does beyond being a call; NOT_SPECIAL for nothing."""
    method = node.child_by_field_name("method")
    receiver = node.child_by_field_name("receiver")
    name = "" if method is None else reader.source.text(method)
    arguments = given(node)
    if name in ("send", "public_send", "__send__") and arguments and literal(reader, arguments[0]) in MIXES:
        name, arguments = literal(reader, arguments[0]) or "", arguments[1:]
    if receiver is None:
        return NOT_SPECIAL
    if name in MIXES and arguments:
        return _mixed_from_outside(reader, scope, node, receiver, name, arguments)
    block = node.child_by_field_name("block")
    if name in EVALS and block is not None:
        return _reopened(reader, scope, node, receiver, block)
    maker = _maker(reader, node)
    if maker:
        count = scope.counts["<class>"] = scope.counts.get("<class>", 0) + 1
        return _make(reader, scope, node, maker, f"<class{count}>")
    if name in ("define_method", "define_singleton_method") and receiver.type == "self":
        return _define_method(reader, scope, node, arguments)
    if name in ("private_constant", "private_class_method") and receiver.type == "self":
        return _visibility(reader, scope, node, arguments)
    return NOT_SPECIAL


def _hooked(reader: Reader, scope: Scope, receiver: Node) -> bool:
    """Whether this is the class that a hook (`self.included(base)`) is told of."""
    owner = scope.owner
    first = owner.symbol.parameters[0].name if owner.symbol.parameters else ""
    return owner.method_name in HOOKS and "static" in owner.symbol.flags and reader.source.text(receiver) == first


def _mixed_from_outside(
    reader: Reader, scope: Scope, node: Node, receiver: Node, kind: str, arguments: list[Node]
) -> Expression:
    row = node.start_point[0]
    if _hooked(reader, scope, receiver):
        for one in arguments:
            scope.home.scope.emit(["include", f"hook-{kind}", reader.value(scope, one)], row)
        return NOTHING
    if receiver.type == "self" and in_class(scope):
        return _mix(reader, scope, node, arguments)
    if receiver.type in ("constant", "scope_resolution"):
        for one in arguments:
            scope.emit(["do", ["mix", kind, reader.value(scope, receiver), reader.value(scope, one)]], row)
        return NOTHING
    return NOT_SPECIAL


def _reopened(reader: Reader, scope: Scope, node: Node, receiver: Node, block: Node) -> Expression:
    body = block.child_by_field_name("body")
    if _hooked(reader, scope, receiver) or (receiver.type == "self" and scope.kind == "class"):
        # What a hook does to the class that includes the module is as good as done in the module.
        run_body(reader, scope.home.scope, body)
        return NOTHING
    if receiver.type not in ("constant", "scope_resolution"):
        return NOT_SPECIAL
    path = reader.source.text(receiver)
    child, value = site(reader, scope, node, path, "class", None)
    child.symbol.signature = reader.source.squeezed(node.start_byte, block.start_byte)
    scope.home.scope.emit(
        ["=", f"%{child.symbol.name}", [*value, [["reopens", constant(path, scope.nesting)]]]], node.start_point[0]
    )
    run_body(reader, child, body)
    return NOTHING


def _refine(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    """A refinement is taken as a reopened class: where it is active is not followed."""
    block = node.child_by_field_name("block")
    if block is None or len(arguments) != 1 or arguments[0].type not in ("constant", "scope_resolution"):
        return NOT_SPECIAL
    return _reopened(reader, scope, node, arguments[0], block)


IN_CLASS: dict[str, Word] = {
    **dict.fromkeys(
        (
            "private",
            "public",
            "protected",
            "module_function",
            "private_class_method",
            "public_class_method",
            "private_constant",
        ),
        _visibility,
    ),
    **dict.fromkeys(("attr_reader", "attr_writer", "attr_accessor", "attr"), _attributes),
    **dict.fromkeys(
        (
            "mattr_accessor",
            "mattr_reader",
            "mattr_writer",
            "cattr_accessor",
            "cattr_reader",
            "cattr_writer",
            "class_attribute",
        ),
        _class_attributes,
    ),
    **dict.fromkeys(MIXES, _mix),
    "alias_method": _alias_method,
    "delegate": _delegate,
    **dict.fromkeys(
        ("def_delegators", "def_instance_delegators", "def_delegator", "def_instance_delegator"), _delegators
    ),
    **dict.fromkeys(("included", "prepended"), _concern_block),
    "class_methods": _class_methods,
    "scope": _scope_macro,
    "refine": _refine,
    "define_method": _define_method,
}
ANYWHERE: dict[str, Word] = {"raise": _raise, "fail": _raise, "define_singleton_method": _define_method}

HANDLERS: dict[str, Handler] = {
    "class": _class,
    "module": _class,
    "singleton_class": _singleton_class,
    "method": _method,
    "singleton_method": _method,
    "alias": _alias,
    "word": word,
    "sent": sent,
    "made": made,
}
