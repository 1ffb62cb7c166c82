"""Changes within a JSON text that leave every other byte as it was: settings belong to a person and their programs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sbfs.errors import Invalid

_SPACE = re.compile(r"[ \t\r\n]*")
_ATOM = re.compile(r"-?\d[0-9.eE+-]*|true|false|null")
_DEEPEST = 100
_DECODER = json.JSONDecoder()


@dataclass
class Node:
    """A value and its place. members: of an object, (key, place of the key, value). elements: of an array."""

    start: int
    end: int
    type: str
    members: list[tuple[str, int, Node]] = field(default_factory=list)
    elements: list[Node] = field(default_factory=list)

    def member(self, key: str) -> Node | None:
        """The value of a key."""
        return next((node for name, _, node in self.members if name == key), None)


def parse(text: str) -> Node:
    """The places of all values. Raises Invalid, naming the line."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise Invalid(f"is not JSON: {error.msg}", line=error.lineno) from None
    except RecursionError:
        raise Invalid("is nested too deeply") from None
    node, _ = _value(text, _skip(text, 0), 0)
    return node


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, depth: int) -> tuple[Node, int]:
    if depth > _DEEPEST:
        raise Invalid("is nested too deeply")
    if text[at] in "{[":
        return _container(text, at, depth)
    if text[at] == '"':
        _, end = _DECODER.raw_decode(text, at)
        return Node(at, end, "string"), end
    match = _ATOM.match(text, at)
    assert match is not None
    return Node(at, match.end(), "atom"), match.end()


def _container(text: str, start: int, depth: int) -> tuple[Node, int]:
    is_object = text[start] == "{"
    node = Node(start, start, "object" if is_object else "array")
    at = _skip(text, start + 1)
    while text[at] not in "}]":
        key, place = "", at
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        value, at = _value(text, at, depth + 1)
        if is_object:
            node.members.append((key, place, value))
        else:
            node.elements.append(value)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    node.end = at + 1
    return node, at + 1


def append(text: str, keys: Sequence[str], value: Any) -> str:
    """The text with a value at the end of the array at some keys; what is missing on the way is made.

    Raises Invalid where something else stands there.
    """
    node, place = parse(text), text
    for number, key in enumerate(keys):
        if node.type != "object":
            raise Invalid("is no object", field=".".join(keys[:number]))
        inner = node.member(key)
        if inner is None:
            made: Any = [value]
            for outer in reversed(keys[number + 1 :]):
                made = {outer: made}
            return _inserted(place, node, f"{json.dumps(key)}: ", made, number + 1)
        node = inner
    if node.type != "array":
        raise Invalid("is no list", field=".".join(keys))
    return _inserted(text, node, "", value, len(keys) + 1)


def _inserted(text: str, node: Node, label: str, value: Any, depth: int) -> str:
    unit = _indent(text)
    said = json.dumps(value, ensure_ascii=False, indent=unit).replace("\n", "\n" + unit * depth)
    piece = f"\n{unit * depth}{label}{said}"
    last = node.members[-1][2] if node.members else node.elements[-1] if node.elements else None
    if last is not None:
        return f"{text[: last.end]},{piece}{text[last.end :]}"
    inside = text[node.start + 1 : node.end - 1]
    closing = inside if "\n" in inside else "\n" + unit * (depth - 1)
    return f"{text[: node.start + 1]}{piece}{closing}{text[node.end - 1 :]}"


def _indent(text: str) -> str:
    found = re.search(r"^[{\[]\r?\n([ \t]+)", text)
    return found[1] if found else "  "


def remove(text: str, keys: Sequence[str], ours: Callable[[Any], bool], *, emptied: bool = True) -> str:
    """The text without the elements of the array at some keys that are ours.

    emptied: whether an array, and objects above it, that have nothing left go too.
    """
    node: Node | None = parse(text)
    above: list[tuple[Node, str]] = []
    for key in keys:
        if node is None or node.type != "object":
            return text
        above.append((node, key))
        node = node.member(key)
    if node is None or node.type != "array":
        return text
    for number in reversed(range(len(node.elements))):
        one = node.elements[number]
        if ours(json.loads(text[one.start : one.end])):
            text = _cut(text, node, [(each.start, each.end) for each in node.elements], number)
            return _then(text, keys, ours, emptied=emptied)
    return text


def _then(text: str, keys: Sequence[str], ours: Callable[[Any], bool], *, emptied: bool) -> str:
    """Go on with what is left, and take away what has nothing left."""
    text = remove(text, keys, ours, emptied=emptied)
    for length in range(len(keys), 0, -1):
        outer: Node | None = parse(text)
        for key in keys[: length - 1]:
            outer = outer.member(key) if outer else None
        inner = outer.member(keys[length - 1]) if outer else None
        if not emptied or outer is None or inner is None or inner.members or inner.elements:
            break
        spans = [(place, value.end) for _, place, value in outer.members]
        text = _cut(text, outer, spans, [name for name, _, _ in outer.members].index(keys[length - 1]))
    return text


def _cut(text: str, node: Node, spans: Sequence[tuple[int, int]], number: int) -> str:
    """Without one member or element, and the comma and space that part it from the one before it."""
    start, end = spans[number]
    if number > 0:
        return text[: spans[number - 1][1]] + text[end:]
    if len(spans) > 1:
        return text[:start] + text[spans[1][0] :]
    return text[: node.start + 1] + text[node.end - 1 :]
