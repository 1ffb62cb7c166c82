"""What leaves a file: under which name, and which symbols with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.code.facts import Expression
from sbfs.code.javascript.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node


def export(reader: Reader, name: str, value: Expression, node: Node) -> None:
    """Export a value under a name; in a namespace, make it a member."""
    if reader.frame.kind == "namespace":
        reader.frame.emit(["=", ["attr", ["self"], name], value], reader.line(node))
        return
    reader.exports[name] = None
    reader.frame.emit(["export", name, value], reader.line(node))


def mark(reader: Reader, name: str) -> None:
    """Remember that what a local name is bound to leaves the file."""
    reader.exported[reader.within(name)] = None


def export_common(reader: Reader, name: str, value: Expression, node: Node) -> None:
    """`exports.x = …`, `module.exports = …`."""
    if isinstance(value, list) and value[0] == "module" and value[1] == "":
        return
    if (
        name == "*"
        and isinstance(value, list)
        and value[0] == "object"
        and all(isinstance(key, str) for key, _ in value[1])
    ):
        for key, part in value[1]:
            leave(reader, part)
            reader.exports[key] = None
        reader.frame.emit(["export", "*", value], reader.line(node))
        return
    leave(reader, value)
    reader.exports["default" if name == "*" else name] = None
    reader.frame.emit(["export", name, value], reader.line(node))


def leave(reader: Reader, value: Expression) -> None:
    """Remember which symbols leave the file with a value."""
    if isinstance(value, str):
        reader.exported[value.lstrip(":").partition("@")[0]] = None
    elif isinstance(value, list) and value[0] in ("func", "class"):
        reader.exported[value[1]] = None
    elif isinstance(value, list) and value[0] in ("new", "call"):
        leave(reader, value[2])
