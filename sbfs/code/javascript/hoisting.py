"""What a body declares, before any of its lines runs: names are bound, functions defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.javascript import functions, modules
from sbfs.code.javascript.frames import Binding, Block
from sbfs.code.javascript.names import unwrapped
from sbfs.code.javascript.patterns import declare
from sbfs.code.javascript.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

FUNCTIONS = frozenset(("function_declaration", "generator_function_declaration"))
CLASSES = frozenset(("class_declaration", "abstract_class_declaration"))
TYPES = frozenset(("interface_declaration", "type_alias_declaration", "enum_declaration"))
_WITHIN = frozenset(
    (
        "statement_block",
        "if_statement",
        "else_clause",
        "for_statement",
        "for_in_statement",
        "while_statement",
        "do_statement",
        "try_statement",
        "catch_clause",
        "finally_clause",
        "switch_statement",
        "switch_body",
        "switch_case",
        "switch_default",
        "labeled_statement",
        "with_statement",
        "export_statement",
        "ERROR",
    )
)


def hoist(reader: Reader, nodes: list[Node]) -> None:
    """Bind what a body declares, and define its functions, before any of its lines runs."""
    _variables(reader, nodes)
    block(reader, nodes)


def _variables(reader: Reader, nodes: list[Node]) -> None:
    waiting = list(reversed(nodes))
    top = reader.frame.block
    while waiting:
        node = waiting.pop()
        if node.type == "variable_declaration":
            for declarator in node.named_children:
                name = declarator.child_by_field_name("name")
                if name is not None:
                    declare(reader, name, top)
        elif node.type in _WITHIN:
            if node.type == "for_in_statement" and any(child.type == "var" for child in node.children):
                left = node.child_by_field_name("left")
                if left is not None:
                    declare(reader, left, top)
            waiting.extend(reversed(node.named_children))


def block(reader: Reader, nodes: list[Node]) -> None:
    """Bind what belongs to one block, and define its functions."""
    found: list[tuple[Node, Node]] = []
    for whole in nodes:
        node = unwrapped(whole)
        kind = node.type
        if kind == "lexical_declaration":
            for declarator in node.named_children:
                name = declarator.child_by_field_name("name")
                if name is not None:
                    declare(reader, name)
        elif (
            kind in FUNCTIONS
            or kind in CLASSES
            or kind in TYPES
            or kind in ("function_signature", "internal_module", "module")
        ):
            _named(reader, node)
            if kind in FUNCTIONS or kind == "function_signature":
                found.append((node, whole))
        elif kind == "import_statement":
            modules.bind_import(reader, node)
        elif kind == "import_alias":
            for name in node.named_children[:1]:
                declare(reader, name)
    implemented = {reader.text(node.child_by_field_name("name")) for node, _ in found if node.type in FUNCTIONS}
    for node, whole in found:
        if node.type in FUNCTIONS or reader.text(node.child_by_field_name("name")) not in implemented:
            _define(reader, node, whole)


def _named(reader: Reader, node: Node) -> Binding | None:
    name_node = node.child_by_field_name("name")
    if name_node is None or name_node.type == "string":
        return None
    name = reader.text(name_node).partition(".")[0]
    here = reader.frame.block
    binding = reader.frame.declare(name)
    if node.type in FUNCTIONS and here.parent is not None and here.parent.frame is reader.frame:
        outer: Block = here
        while outer.parent is not None and outer.parent.frame is reader.frame:
            outer = outer.parent
        outer.names.setdefault(name, binding)
    return binding


def _define(reader: Reader, node: Node, whole: Node) -> None:
    value = functions.declaration(reader, node, whole.start_point[0])
    binding = reader.find(reader.text(node.child_by_field_name("name")))
    if value is not None and binding is not None:
        reader.put(binding, value, node)
