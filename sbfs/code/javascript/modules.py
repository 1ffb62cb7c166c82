"""Imports and exports, of modules and of CommonJS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Import
from sbfs.code.javascript.classes import read_class
from sbfs.code.javascript.exporting import export, export_common, leave, mark
from sbfs.code.javascript.functions import define
from sbfs.code.javascript.names import string_of, unwrapped
from sbfs.code.javascript.patterns import names_in
from sbfs.code.javascript.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node


def bind_import(reader: Reader, node: Node) -> None:
    """Bind the names of an `import`, which hold before any line runs."""
    spec = string_of(reader, node.child_by_field_name("source"))
    erased = any(child.type in ("type", "typeof") for child in node.children)
    names: list[tuple[str, str]] = []
    flags: list[bool] = []
    for part in node.named_children:
        if part.type == "import_clause":
            _clause(reader, part, names, flags)
        elif part.type == "import_require_clause":
            spec = string_of(reader, part.child_by_field_name("source"))
            names.append(("", reader.text(next(iter(part.named_children), None))))
            flags.append(False)
    if spec is None:
        return
    erased = erased or (bool(flags) and all(flags))
    reader.imports.append(Import(spec, reader.line(node), 0, tuple(names), erased, reader.frame.name))
    for (name, here), type_only in zip(names, flags, strict=True):
        binding = reader.frame.declare(here)
        value: Expression = ["module", spec, 0, name]
        if erased or type_only:
            value.append(True)
        reader.put(binding, value, node)


def _clause(reader: Reader, clause: Node, names: list[tuple[str, str]], flags: list[bool]) -> None:
    for part in clause.named_children:
        if part.type == "identifier":
            names.append(("*default", reader.text(part)))
            flags.append(False)
        elif part.type == "namespace_import":
            names.append(("", reader.text(next(iter(part.named_children), None))))
            flags.append(False)
        elif part.type == "named_imports":
            for one in part.named_children:
                if one.type == "import_specifier":
                    name = _export_name(reader, one.child_by_field_name("name"))
                    here = reader.text(one.child_by_field_name("alias")) or name
                    names.append(("*default" if name == "default" else name, here))
                    flags.append(any(child.type in ("type", "typeof") for child in one.children))


def _export_name(reader: Reader, node: Node | None) -> str:
    text = string_of(reader, node)
    return reader.text(node) if text is None else text


def import_statement(reader: Reader, node: Node) -> None:
    """Done when the module was entered."""


def name_required(reader: Reader, target: Node, value: Node) -> None:
    """Say in the import's record which names `const … = require(…)` takes, and under which names."""
    made = reader.imports[-1]
    member = ""
    while value.type in (
        "member_expression",
        "await_expression",
        "parenthesized_expression",
        "as_expression",
        "non_null_expression",
    ):
        if value.type == "member_expression":
            member = reader.text(value.child_by_field_name("property"))
        inner = value.child_by_field_name("object") or next(iter(value.named_children), None)
        if inner is None:
            return
        value = inner
    if value.type != "call_expression" or made.names != (("", ""),):
        return
    if target.type == "identifier":
        made.names = ((member, reader.text(target)),)
    elif target.type == "object_pattern" and not member:
        made.names = tuple(_taken(reader, target))


def _taken(reader: Reader, pattern: Node) -> list[tuple[str, str]]:
    taken = []
    for part in pattern.named_children:
        if part.type == "pair_pattern":
            key, inner = part.child_by_field_name("key"), part.child_by_field_name("value")
            if inner is not None and inner.type == "identifier" and key is not None:
                taken.append((reader.text(key), reader.text(inner)))
            elif key is not None:
                taken.append((reader.text(key), ""))
        elif part.type == "shorthand_property_identifier_pattern":
            taken.append((reader.text(part), reader.text(part)))
        elif part.type == "object_assignment_pattern":
            name = reader.text(part.child_by_field_name("left"))
            taken.append((name, name))
    return taken or [("", "")]


def export_statement(reader: Reader, node: Node) -> None:
    """All forms of `export`."""
    words = {child.type for child in node.children}
    source = string_of(reader, node.child_by_field_name("source"))
    declaration = node.child_by_field_name("declaration")
    if source is not None:
        _from(reader, node, source, words)
    elif declaration is not None and "default" not in words:
        _declared(reader, node, declaration)
    elif "default" in words:
        _default(reader, node, declaration)
    elif "=" in words:
        for part in node.named_children:
            if part.type not in ("comment", "decorator"):
                reader.anchor = node.start_point[0]
                export_common(reader, "*", reader.value(part, ""), node)
    else:
        for clause in node.named_children:
            if clause.type == "export_clause":
                reader.at_end.append(lambda clause=clause: _clause_out(reader, clause))  # type: ignore[misc]


def _declared(reader: Reader, node: Node, declaration: Node) -> None:
    inner = unwrapped(declaration)
    type(reader).declares(reader, inner, node)
    names: list[str] = []
    if inner.type in ("lexical_declaration", "variable_declaration"):
        for declarator in inner.named_children:
            target = declarator.child_by_field_name("name")
            names.extend(names_in(reader, target) if target is not None else [])
    else:
        name = inner.child_by_field_name("name")
        names = [reader.text(name).partition(".")[0]] if name is not None else []
    for name_here in names:
        mark(reader, name_here)
        if reader.frame.kind == "namespace":
            export(reader, name_here, reader.variable(name_here), node)
        else:
            reader.at_end.append(lambda name=name_here: export(reader, name, reader.variable(name), node))  # type: ignore[misc]


def _default(reader: Reader, node: Node, declaration: Node | None) -> None:
    reader.anchor = node.start_point[0]
    if declaration is not None and declaration.child_by_field_name("name") is not None:
        type(reader).declares(reader, declaration, node)
        name = reader.text(declaration.child_by_field_name("name"))
        mark(reader, name)
        export(reader, "default", reader.variable(name), node)
        return
    inner = declaration or node.child_by_field_name("value")
    if inner is None:
        return
    hint = "" if inner.type == "object" else "default"
    value = _unnamed(reader, inner, node) if declaration is not None else reader.value(inner, hint)
    leave(reader, value)
    export(reader, "default", value, node)


def _unnamed(reader: Reader, node: Node, whole: Node) -> Expression:
    if node.type in ("class_declaration", "abstract_class_declaration", "class"):
        return read_class(reader, node, "default", whole.start_point[0], whole=whole)
    return define(reader, node, "default", "function", row=whole.start_point[0], hoisted=True)


def _clause_out(reader: Reader, clause: Node) -> None:
    for one in clause.named_children:
        if one.type == "export_specifier":
            local = _export_name(reader, one.child_by_field_name("name"))
            name = _export_name(reader, one.child_by_field_name("alias")) or local
            mark(reader, local)
            export(reader, name, reader.variable(local), one)


def _from(reader: Reader, node: Node, spec: str, words: set[str]) -> None:
    erased = "type" in words
    names: list[tuple[str, str]] = []
    for part in node.named_children:
        if part.type == "export_clause":
            for one in part.named_children:
                if one.type == "export_specifier":
                    name = _export_name(reader, one.child_by_field_name("name"))
                    as_name = _export_name(reader, one.child_by_field_name("alias")) or name
                    taken = "*default" if name == "default" else name
                    names.append((taken, as_name))
                    export(reader, as_name, ["module", spec, 0, taken, *([True] if erased else [])], node)
        elif part.type == "namespace_export":
            as_name = _export_name(reader, next(iter(part.named_children), None))
            names.append(("", as_name))
            export(reader, as_name, ["module", spec, 0, ""], node)
    if "*" in words:
        names.append(("*", ""))
        reader.frame.emit(["star", spec, 0], reader.line(node))
    reader.imports.append(Import(spec, reader.line(node), 0, tuple(names), erased, reader.frame.name))
