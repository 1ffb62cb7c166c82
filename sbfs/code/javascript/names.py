"""Names: of members by their keys, and of what is defined by where it is put."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sbfs.code.javascript.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_NAME = re.compile(r"[\w$#-]{1,80}")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
SHORT = 100


def string_of(reader: Reader, node: Node | None) -> str | None:
    """The text of a string literal, or of a template without parts; None for anything else."""
    if node is None or node.type not in ("string", "template_string"):
        return None
    if any(child.type == "template_substitution" for child in node.named_children):
        return None
    text = reader.text(node)[1:-1]
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def constant_key(reader: Reader, node: Node | None) -> str | int | None:
    """The key that an index surely is; None if it is worked out."""
    if node is None:
        return None
    text = string_of(reader, node)
    if text is not None:
        return text if len(text) <= SHORT else None
    if node.type == "number":
        digits = reader.text(node)
        return int(digits) if digits.isdecimal() and len(digits) < 8 else None
    if node.type == "identifier":
        return _named_key(reader, reader.text(node))
    if node.type == "member_expression" and reader.text(node.child_by_field_name("object")) == "Symbol":
        return f"[{reader.text(node)}]"
    return None


def _named_key(reader: Reader, name: str) -> str | None:
    """The key that a name stands for: a constant text, or a Symbol, also an imported one by custom (`kName`)."""
    binding = reader.find(name)
    if binding is None or binding.constant is not None:
        return None if binding is None else binding.constant
    return f"[{name}]" if name[:1] == "k" and name[1:2].isupper() and binding.frame.kind == "module" else None


def key_of(reader: Reader, node: Node | None) -> str | int | None:
    """The key of a member as it is written: a name, a text, a number, or `[…]`."""
    if node is None:
        return None
    if node.type == "computed_property_name":
        inner = next(iter(node.named_children), None)
        key = constant_key(reader, inner)
        if key is None:
            reader.effects(inner)
        return key
    if node.type == "number":
        return constant_key(reader, node)
    text = string_of(reader, node)
    return reader.text(node) if text is None else text


def shown(key: str | int | None) -> str:
    """A key as a part of a symbol's name."""
    text = "[computed]" if key is None else str(key)
    return (
        text
        if _NAME.fullmatch(text) or text.startswith("[")
        else f"[{_NAME.sub(lambda found: found[0], text)[:40]}]".replace(":", "_").replace(".", "_")
    )


def member_hint(reader: Reader, node: Node) -> str | None:
    """What `a.b = …` names: `a.b`; `A.b` for `A.prototype.b`; `b` for `exports.b`; for `this.b` the owner's member."""
    parts: list[str] = []
    while node.type in ("member_expression", "subscript_expression"):
        if node.type == "member_expression":
            parts.append(reader.text(node.child_by_field_name("property")))
        else:
            key = constant_key(reader, node.child_by_field_name("index"))
            if key is None:
                return None
            parts.append(shown(key))
        inner = node.child_by_field_name("object")
        if inner is None or len(parts) > 8:
            return None
        node = inner
    parts.reverse()
    if node.type == "this":
        owner = owner_of(reader)
        return None if owner is None else ".".join([owner, *parts]) if owner else ".".join(parts)
    if node.type != "identifier":
        return None
    name = reader.text(node)
    binding = reader.find(name)
    if binding is None:
        if name == "module" and parts[:1] == ["exports"]:
            return ".".join(parts[1:])
        if name in ("exports", "window", "globalThis", "global", "self"):
            return ".".join(parts)
        return ".".join([name, *_plain(parts)])
    base = binding.object_name or (f"{binding.frame.name}.{name}" if binding.frame.name else name)
    return ".".join([base, *_plain(parts)])


def owner_of(reader: Reader) -> str | None:
    """Name of the class or object whose `this` this is; None where there is none."""
    frame = reader.frame
    while frame.kind == "arrow" and frame.parent is not None:
        frame = frame.parent
    if frame.kind == "class":
        return frame.name
    if frame.kind != "function":
        return None
    if frame.owner:
        return frame.owner
    last = frame.name.rpartition(".")[2]
    return frame.name if last[:1].isupper() else None


def _plain(parts: list[str]) -> list[str]:
    return [part for place, part in enumerate(parts) if part != "prototype" or place == len(parts) and len(parts) == 1]


def unwrapped(node: Node) -> Node:
    """The declaration within `export`, `declare` and the like."""
    while node.type in ("export_statement", "ambient_declaration"):
        inner = node.child_by_field_name("declaration")
        if inner is None:
            parts = [part for part in node.named_children if part.type not in ("comment", "decorator")]
            inner = parts[0] if parts else None
        if inner is None:
            return node
        node = inner
    if node.type == "expression_statement" and node.named_children and node.named_children[0].type == "internal_module":
        return node.named_children[0]
    return node
