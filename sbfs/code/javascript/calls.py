"""Calls, `new`, imports that are written as calls, and JSX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Import
from sbfs.code.javascript.expressions import TEXT, arguments
from sbfs.code.javascript.names import member_hint, string_of
from sbfs.code.javascript.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

ELEMENT: Expression = ["lit", "Element"]
LINKS = 12
"""Calls of a chain that are read as one expression."""
WRAPPERS = frozenset(("memo", "forwardRef"))


def _call(reader: Reader, node: Node) -> Expression:
    """A call. A long chain (`a.b().c()…`) is read from its beginning, in parts, so that it does not nest."""
    if node.id in reader.links:
        return reader.links.pop(node.id)
    if not reader.in_chain:
        links = _chain(node)
        if len(links) > LINKS:
            for link in links[-1::-1][LINKS - 1 : -1 : LINKS]:
                reader.in_chain = True
                reader.links[link.id] = reader.named(_one_call(reader, link), link)
            reader.in_chain = True
    value = _one_call(reader, node)
    reader.in_chain = False
    return value


def _chain(node: Node) -> list[Node]:
    """A call and those before it whose results it goes on with, the last first."""
    links = [node]
    while True:
        function = links[-1].child_by_field_name("function")
        before = function.child_by_field_name("object") if function is not None else None
        if function is None or function.type != "member_expression" or before is None:
            return links
        if before.type != "call_expression":
            return links
        links.append(before)


def _one_call(reader: Reader, node: Node) -> Expression:
    function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None:
        return None
    if function.type == "import":
        return _dynamic_import(reader, node, given)
    if function.type == "identifier" and reader.text(function) == "require" and reader.find("require") is None:
        return _require(reader, node, given)
    if function.type == "super":
        site = reader.site(node)
        return ["call", site, ["parent", reader.home()], arguments(reader, given)]
    callee = reader.value(function)
    reader.in_chain = False
    site = reader.site(node)
    reader.ran()
    if given is not None and given.type == "template_string":
        return ["call", site, callee, _tagged(reader, given)]
    _star(reader, function, given)
    if _wraps(reader, function):
        return ["call", site, callee, _component(reader, given)]
    passed = _prototype_members(reader, function, given)
    return ["call", site, callee, passed if passed is not None else arguments(reader, given)]


def _star(reader: Reader, function: Node, given: Node | None) -> None:
    """`__exportStar(require("x"), exports)`: what TypeScript makes of `export * from "x"`."""
    first = _spec(given)
    if first is None or first.type != "call_expression" or not reader.text(function).endswith("__exportStar"):
        return
    spec = string_of(reader, _spec(first.child_by_field_name("arguments")))
    if spec is not None and reader.text(first.child_by_field_name("function")) == "require":
        reader.frame.emit(["star", spec, 1], reader.line(function))


def _tagged(reader: Reader, node: Node) -> list[Expression]:
    given: list[Expression] = [["list", [TEXT]]]
    parts = [part for part in node.named_children if part.type == "template_substitution"]
    given.extend(reader.value(next(iter(part.named_children), None)) for part in parts)
    return given


def _wraps(reader: Reader, function: Node) -> bool:
    """`memo(…)`, `React.forwardRef(…)`: what they wrap is the component."""
    hint = reader.hint
    if not hint or not hint.rpartition(".")[2][:1].isupper():
        return False
    name = function.child_by_field_name("property") if function.type == "member_expression" else function
    return reader.text(name) in WRAPPERS


def _component(reader: Reader, given: Node | None) -> list[Expression]:
    parts = [part for part in given.named_children if part.type != "comment"] if given is not None else []
    values = []
    for place, part in enumerate(parts):
        value = reader.value(part, reader.hint if place == 0 else None)
        if place == 0 and isinstance(value, list) and value[0] in ("func", "class"):
            symbol = reader.symbols[value[1]]
            if value[0] == "class" and symbol.type != "component":
                symbol.flags = (*symbol.flags, "class")
            symbol.type = "component"
        values.append(value)
    return values


def _prototype_members(reader: Reader, function: Node, given: Node | None) -> list[Expression] | None:
    """`Object.assign(A.prototype, {…})`: the literal's functions are members of A."""
    if given is None or reader.text(function) not in ("Object.assign", "$.extend", "_.extend", "extend"):
        return None
    parts = [part for part in given.named_children if part.type != "comment"]
    if not parts or parts[0].type != "member_expression":
        return None
    hint = member_hint(reader, parts[0])
    hint = hint.removesuffix(".prototype") if hint is not None else None
    return [reader.value(parts[0]), *(reader.value(part, hint) for part in parts[1:])]


def _spec(given: Node | None) -> Node | None:
    parts = [part for part in given.named_children if part.type != "comment"] if given is not None else []
    return parts[0] if parts else None


def _require(reader: Reader, node: Node, given: Node | None) -> Expression:
    """`require("x")`. Level 1 tells it from `import`: a package may give another file to each."""
    spec = string_of(reader, _spec(given))
    if spec is None:
        reader.effects(_spec(given))
        return None
    reader.imports.append(Import(spec, reader.line(node), 1, (("", ""),), owner=reader.frame.name))
    return ["module", spec, 1, ""]


def _dynamic_import(reader: Reader, node: Node, given: Node | None) -> Expression:
    spec = string_of(reader, _spec(given))
    if spec is None:
        reader.effects(_spec(given))
        return None
    reader.imports.append(Import(spec, reader.line(node), 0, (("", ""),), owner=reader.frame.name))
    return ["promise", ["module", spec, 0, ""]]


def _new(reader: Reader, node: Node) -> Expression:
    callee = reader.value(node.child_by_field_name("constructor"))
    site = reader.site(node)
    reader.ran()
    return ["new", site, callee, arguments(reader, node.child_by_field_name("arguments"))]


def _element(reader: Reader, node: Node) -> Expression:
    """`<Child a={x}>…</Child>`: a use of the component, with its props; a tag in lower case is the host's own."""
    tag = node.child_by_field_name("open_tag") if node.type == "jsx_element" else node
    if tag is None:
        return None
    name = tag.child_by_field_name("name")
    props = _props(reader, tag)
    children = _children(reader, node) if node.type == "jsx_element" else []
    if children:
        props.append(["children", children[0] if len(children) == 1 else ["list", children]])
    known = name is not None and (
        name.type in ("member_expression", "nested_identifier") or reader.text(name)[:1].isupper()
    )
    if not known or name is None:
        return _intrinsic(reader, node, props)
    component = reader.value(name) if name.type != "jsx_namespace_name" else None
    return ["render", reader.site(tag), component, [["object", props]]]


def _intrinsic(reader: Reader, node: Node, props: list[list[Expression]]) -> Expression:
    """The host's own element: it will call the handlers that it is given."""
    handlers = []
    for name, value in props:
        if isinstance(name, str) and (name.startswith("on") or name == "ref") and value is not None and value != TEXT:
            handlers.append([name, value])
        else:
            reader.happen(value, node)
    if handlers:
        reader.frame.emit(["do", ["render", reader.site(node), ELEMENT, [["object", handlers]]]], reader.line(node))
    return ELEMENT


def _props(reader: Reader, tag: Node) -> list[list[Expression]]:
    props: list[list[Expression]] = []
    for part in tag.children_by_field_name("attribute"):
        if part.type == "jsx_expression":
            inner = next(iter(part.named_children), None)
            if inner is not None and inner.type == "spread_element":
                props.append([["**"], reader.value(next(iter(inner.named_children), None))])
            continue
        parts = part.named_children
        if len(parts) > 1:
            props.append([reader.text(parts[0]), _content(reader, parts[1])])
    return props


def _content(reader: Reader, node: Node) -> Expression:
    if node.type == "jsx_expression":
        inner = next((part for part in node.named_children if part.type != "comment"), None)
        if inner is not None and inner.type == "spread_element":
            inner = next(iter(inner.named_children), None)
        return reader.value(inner)
    return reader.value(node)


def _children(reader: Reader, node: Node) -> list[Expression]:
    values = []
    for part in node.named_children:
        if part.type in ("jsx_expression", "jsx_element", "jsx_self_closing_element", "jsx_fragment"):
            value = _content(reader, part)
            if value is not None and value != ELEMENT:
                values.append(value)
    return values


def _fragment(reader: Reader, node: Node) -> Expression:
    for value in _children(reader, node):
        reader.happen(value, node)
    return ELEMENT


VALUES = {
    "call_expression": _call,
    "new_expression": _new,
    "jsx_element": _element,
    "jsx_self_closing_element": _element,
    "jsx_fragment": _fragment,
}
