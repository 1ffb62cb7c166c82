"""YAML as sbfs writes and reads it.

Writing is ours, not PyYAML's, because the bytes must be the same on every machine: two clones that
merge the same values have to produce the same blob, and PyYAML's C and Python emitters differ.
Reading goes through PyYAML with the scalar rules of the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/,
section 10.3), so `no`, dates and `1:30` stay text; what YAML 1.1 readers would take for something
else is quoted when written. Aliases, tags, duplicate keys and several documents are refused.
`patch` changes values in a text that a person wrote and leaves their comments and layout alone.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from sbfs import quickyaml
from sbfs.errors import Invalid
from sbfs.fetching import pattern

FLOW_WIDTH = 60
"""Characters up to which a mapping or list of plain scalars is written on one line."""

_KEY_LIMIT = 900
"""Longer keys are written with `?`: YAML readers look for the colon in the first 1,024 characters only."""

_CORE = [
    ("tag:yaml.org,2002:bool", pattern(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("tag:yaml.org,2002:null", pattern(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    # Digits behind a leading zero stay text: 007 and a commit's 0123456 must not lose their zeros.
    ("tag:yaml.org,2002:int", pattern(r"^(?:[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+)$"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        pattern(
            r"^(?:[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        "-+.0123456789",
    ),
]  # fmt: skip

_OTHER_WORDS = frozenset(
    said for word in ("true", "false", "yes", "no", "on", "off", "null") for said in (word, word.title(), word.upper())
)
"""All that begins with a letter and is no text for every reader."""

_TIME = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_PLAIN_FIRST = pattern(r"[^\W]|[/(_$~.+\\^]")
_UNPRINTABLE = pattern(r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = pattern(r"[\ud800-\udfff]")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


# -- writing ---------------------------------------------------------------------------------------


def dump(data: dict[str, Any]) -> str:
    """Write a mapping in the canonical form: equal mappings give equal text, key order included.

    Raises Invalid for what YAML cannot carry (lone surrogates, other types).
    """
    if not data:
        return "{}\n"
    return "".join(_pairs(data, 0))


def _pairs(data: dict[str, Any], indent: int) -> Iterator[str]:
    for key, value in data.items():
        yield _pair(key, value, indent)


def _pair(key: Any, value: Any, indent: int) -> str:
    pad, name = " " * indent, _scalar(key, flow=True)
    if len(name) > _KEY_LIMIT:
        return f"{pad}? {name}\n{pad}:{_value(value, indent)}"
    return f"{pad}{name}:{_value(value, indent)}"


def _value(value: Any, indent: int) -> str:
    """What stands behind `key:`, up to and with the line's end."""
    if isinstance(value, dict):
        # What stands directly in a record is the first thing one looks for: one line a key.
        return _flow_or(value, "{}", lambda: "\n" + "".join(_pairs(value, indent + 2)), short=indent > 0)
    if isinstance(value, list):
        return _flow_or(value, "[]", lambda: "\n" + "".join(_items(value, indent)))
    if isinstance(value, str) and "\n" in value and (block := _block(value, indent + 2)):
        return " " + block
    return f" {_scalar(value)}\n"


def _items(values: list[Any], indent: int) -> Iterator[str]:
    pad = " " * indent
    for value in values:
        if isinstance(value, dict) and value and _flow(value) is None:
            inner = "".join(_pairs(value, indent + 2))
            yield f"{pad}- {inner[indent + 2 :]}"
        elif isinstance(value, list) and value and _flow(value) is None:
            yield f"{pad}-\n" + "".join(_items(value, indent + 2))
        else:
            yield f"{pad}-{_value(value, indent)}"


def _flow_or(value: dict[Any, Any] | list[Any], empty: str, block: Any, *, short: bool = True) -> str:
    if not value:
        return f" {empty}\n"
    line = _flow(value) if short else None
    return f" {line}\n" if line is not None else block()


def _flow(value: dict[Any, Any] | list[Any]) -> str | None:
    """One line for a short collection of scalars, else None."""
    items = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    if any(isinstance(item, dict | list) for item in items):
        return None
    if sum(len(item) if isinstance(item, str) else 4 for item in items) > FLOW_WIDTH:
        return None
    if isinstance(value, dict):
        line = "{" + ", ".join(f"{_scalar(k, flow=True)}: {_scalar(v, flow=True)}" for k, v in value.items()) + "}"
    else:
        line = "[" + ", ".join(_scalar(item, flow=True) for item in value) + "]"
    return line if len(line) <= FLOW_WIDTH else None


def _scalar(value: Any, *, flow: bool = False) -> str:
    if isinstance(value, str):
        return value if _is_plain(value, flow) else _quoted(value)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _real(value)
    raise Invalid(f"a {type(value).__name__} cannot be written to a record")


def _integer(value: int) -> str:
    try:
        return str(value)
    except ValueError:
        raise Invalid("an integer of more than 4,300 digits cannot be written") from None


def _real(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _is_plain(text: str, flow: bool) -> bool:
    if not text or len(text) > 4000 and flow:
        return False
    if text.isascii() and text.replace("-", "").replace("_", "").isalnum() and text[0].isalpha():
        return not _reads_as_other(text)
    if _TIME.fullmatch(text):
        return True
    if not _PLAIN_FIRST.match(text) or text[-1] in " :" or not text.isprintable() or _UNPRINTABLE.search(text):
        return False
    if ": " in text or " #" in text or text.startswith("..."):
        return False
    if flow and (":" in text or any(char in text for char in ",?[]{}")):
        return False
    return not _reads_as_other(text)


def _reads_as_other(text: str) -> bool:
    """Whether a reader of YAML 1.1 or 1.2 would take the plain text for something that is no text."""
    if text[0].isalpha():
        return text in _OTHER_WORDS
    return any(pattern.match(text) for pattern in _resolvers().get(text[0], ()))


@functools.cache
def _resolvers() -> dict[str, list[re.Pattern[str]]]:
    """First character → the patterns of all implicit types, of YAML 1.1 (PyYAML's table) and of 1.2."""
    import yaml

    table: dict[str, list[re.Pattern[str]]] = {}
    for first, rules in yaml.resolver.Resolver.yaml_implicit_resolvers.items():
        table.setdefault(first, []).extend(pattern for _, pattern in rules)
    for _, rule, firsts in _CORE:
        for first in firsts:
            table.setdefault(first, []).append(rule)
    return table


def _quoted(text: str) -> str:
    if _SURROGATE.search(text):
        raise Invalid("the text holds a lone surrogate, which is no Unicode character")
    return '"' + re.sub(r'[\\"\n\t]|' + _UNPRINTABLE.pattern, _escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _block(text: str, indent: int) -> str | None:
    """A literal block (`|`), or None where only quotes keep the text."""
    if _UNPRINTABLE.search(text) or not text.strip("\n \t"):
        return None
    indicator = "2" if text[0] in " \t\n" else ""
    chomp = "-" if not text.endswith("\n") else "+" if text.endswith("\n\n") else ""
    pad = " " * indent
    lines = text[:-1].split("\n") if text.endswith("\n") else text.split("\n")
    return f"|{indicator}{chomp}\n" + "".join(f"{pad}{line}\n" if line else "\n" for line in lines)


# -- reading ---------------------------------------------------------------------------------------


def load(raw: bytes) -> Any:
    """Read one document. Raises Invalid with the line for anything that is not strict YAML."""
    text = _decode(raw)
    found = quickyaml.read(text)
    return _load(text) if found is None else found


def _load(text: str) -> Any:
    import yaml

    if "<<<<<<<" in text and (found := re.search(r"^<{7} ", text, re.M)):
        line = text.count("\n", 0, found.start()) + 1
        raise Invalid("holds conflict markers of a merge", line=line, hint="choose one side and remove the markers")
    try:
        if "&" in text or "*" in text or "!" in text:
            _refuse_aliases_and_tags(text)
        return _construct(_compose(text), None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Invalid(_problem(error), line=mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        raise Invalid(f"holds the character {error.character!r}", line=before.count("\n") + 1) from None
    except RecursionError:
        raise Invalid("is nested too deeply") from None
    except (ValueError, OverflowError):
        # PyYAML without libyaml hands an escape such as "\UFFFFFFFF" to chr() unasked.
        raise Invalid("is not YAML: found invalid Unicode character escape code", line=_bad_escape(text)) from None


def _bad_escape(text: str) -> int | None:
    found = next((one for one in re.finditer(r"\\U([0-9a-fA-F]{8})", text) if int(one[1], 16) > 0x10FFFF), None)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Invalid("is not UTF-8", line=line, hint="save the file as UTF-8") from None


def _problem(error: Any) -> str:
    return "is not YAML: " + (error.problem or error.context or "cannot be read")


def _refuse_aliases_and_tags(text: str) -> None:
    import yaml

    event: Any
    for event in yaml.parse(text, Loader=_loader()):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Invalid("uses a YAML anchor or alias", line=line, hint="write the value out")
        if getattr(event, "tag", None):
            raise Invalid(f"uses the YAML tag {event.tag!r}", line=line, hint="write plain values")


_DEPTH_LIMIT = 100
"""Levels of nesting: what can be read can also be merged and written, in every Python's room for recursion."""


def _compose(text: str, *, pure: bool = False) -> Any:
    # The C composer recurses without a guard of its own, so depth is bounded before it is asked.
    if text.count("[") + text.count("{") > _DEPTH_LIMIT or text.count("- ") > _DEPTH_LIMIT:
        _refuse_depth(text)
    loader = _loader(pure)(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _refuse_depth(text: str) -> None:
    import yaml

    depth = 0
    event: Any
    for event in yaml.parse(text, Loader=_loader()):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_LIMIT:
            raise Invalid(f"is nested deeper than {_DEPTH_LIMIT} levels", line=event.start_mark.line + 1)


@functools.cache
def _loader(pure: bool = False) -> Any:
    import yaml

    base = yaml.SafeLoader if pure or not yaml.__with_libyaml__ else yaml.CSafeLoader
    methods = {"resolve": _resolve, "descend_resolver": _nothing, "ascend_resolver": _nothing}
    loader: Any = type("CoreLoader", (base,), {"yaml_implicit_resolvers": {}, **methods})
    for tag, rule, firsts in _CORE:
        loader.add_implicit_resolver(tag, rule, list(firsts))
    return loader


def _resolve(loader: Any, kind: Any, value: Any, implicit: Any) -> str:
    """PyYAML's own, without its resolvers by path and its wildcards, which the core schema has none of."""
    if kind.id != "scalar":
        return f"tag:yaml.org,2002:{'seq' if kind.id == 'sequence' else 'map'}"
    if implicit[0]:
        for tag, pattern in loader.yaml_implicit_resolvers.get(value[:1], ()):
            if pattern.match(value):
                return str(tag)
    return "tag:yaml.org,2002:str"


def _nothing(*_: Any) -> None:
    """What PyYAML's bookkeeping for resolvers by path comes to."""


def _construct(node: Any, lines: dict[tuple[Any, ...], int] | None, path: tuple[Any, ...] = ()) -> Any:
    """Node → plain value. lines: filled with path → line where it is given, for complaints about a field."""
    if node is None:
        return None
    if lines is not None:
        lines[path] = node.start_mark.line + 1
    if node.id == "scalar":
        return _construct_scalar(node)
    if node.id == "sequence":
        return [_construct(item, lines, (*path, i)) for i, item in enumerate(node.value)]
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if key_node.id != "scalar":
            raise Invalid("a key must be one plain value", line=key_node.start_mark.line + 1)
        key = _construct_scalar(key_node)
        if key in result:
            raise Invalid(f"has the key {key!r} twice", line=key_node.start_mark.line + 1)
        result[key] = _construct(value_node, lines, (*path, key))
        if lines is not None:
            lines[(*path, key)] = key_node.start_mark.line + 1
    return result


def _construct_scalar(node: Any) -> Any:
    tag, text = node.tag, node.value
    if tag == "tag:yaml.org,2002:str":
        if not text.isascii() and _SURROGATE.search(text):
            raise Invalid("holds a lone surrogate, which is no Unicode character", line=node.start_mark.line + 1)
        return text
    if tag == "tag:yaml.org,2002:int":
        return _construct_integer(text, node)
    if tag == "tag:yaml.org,2002:float":
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if tag == "tag:yaml.org,2002:bool":
        return text.lower() == "true"
    return None


def _construct_integer(text: str, node: Any) -> int:
    try:
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    except ValueError:
        raise Invalid("an integer of more than 4,300 digits cannot be read", line=node.start_mark.line + 1) from None


def locate(raw: bytes, field: str) -> int | None:
    """The line of a dotted field in a text, or of the nearest parent that is there."""
    lines: dict[tuple[Any, ...], int] = {}
    _construct(_compose(_decode(raw)), lines)
    path: tuple[Any, ...] = tuple(int(part) if part.isdigit() else part for part in field.split(".")) if field else ()
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


# -- changing what a person wrote ------------------------------------------------------------------


def patch(raw: bytes, new: dict[str, Any]) -> str:
    """Make a person's text say `new`, leaving comments, order and layout of the rest as they are.

    Where a value cannot be changed in place (the whole file on one line, say), the text is written
    anew and the comments are kept above it.
    """
    import yaml

    text = _decode(raw).replace("\r\n", "\n")
    if not text.endswith("\n"):
        text += "\n"
    try:
        node = _compose(text, pure=True)
    except yaml.YAMLError:
        # The pure reader, which alone tells positions, is stricter about tabs than libyaml.
        node = None
    if node is not None and node.id == "mapping" and not node.flow_style:
        patched = _patch_mapping(text, node, _construct(node, {}), new)
        if _says(patched, new):
            return patched
    return "".join(f"{comment}\n" for comment in _comments(text, 0, len(text))) + dump(new)


def _says(text: str, data: dict[str, Any]) -> bool:
    try:
        return _same(_load(text), data)
    except Invalid:
        return False


def _same(one: Any, other: Any) -> bool:
    """Equal values of equal types: 1, 1.0 and true are three things in a record."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _patch_mapping(text: str, node: Any, old: dict[str, Any], new: dict[str, Any]) -> str:
    edits: list[tuple[int, int, str]] = []
    _collect_edits(text, node, old, new, edits)
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _collect_edits(
    text: str, node: Any, old: dict[str, Any], new: dict[str, Any], edits: list[tuple[int, int, str]]
) -> None:
    indent: int = node.start_mark.column
    last = 0
    for key_node, value_node in node.value:
        key = _construct_scalar(key_node)
        # A key behind `?` stands deeper than its mapping: begin where its line does.
        start, end = key_node.start_mark.index - key_node.start_mark.column, _content_end(text, value_node)
        last = end
        if key not in new:
            line_end = _line_end(text, end)
            edits.append((start, line_end, _kept_comments(text, start, line_end, indent)))
        elif not _same(old[key], new[key]):
            nested = value_node.id == "mapping" and not value_node.flow_style and isinstance(new[key], dict)
            if nested and new[key]:
                _collect_edits(text, value_node, old[key], new[key], edits)
            else:
                edits.append(_replace(text, key, new[key], start, end, indent))
    added = "".join(_pair(key, value, indent) for key, value in new.items() if key not in old)
    if added:
        end = _line_end(text, last)
        edits.append((end, end, added))


def _replace(text: str, key: Any, value: Any, start: int, end: int, indent: int) -> tuple[int, int, str]:
    pair = _pair(key, value, indent)
    line_end = _line_end(text, end)
    trailing = text[end:line_end].strip()
    comments = _kept_comments(text, start, end, indent)
    if trailing and pair.count("\n") == 1:
        pair = f"{pair[:-1]}  {trailing}\n"
    elif trailing:
        comments += f"{' ' * indent}{trailing}\n"
    return start, line_end, comments + pair


def _line_end(text: str, position: int) -> int:
    """Where the next line begins."""
    if position and text[position - 1] == "\n":
        return position
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def _content_end(text: str, node: Any) -> int:
    """The end of a node without the blank lines and comments that PyYAML counts to it."""
    start: int = node.start_mark.index
    end: int = node.end_mark.index
    if node.id == "scalar" or node.flow_style or not node.value:
        return end
    last = node.value[-1]
    return max(start, _content_end(text, last[1] if isinstance(last, tuple) else last))


def _kept_comments(text: str, start: int, end: int, indent: int) -> str:
    return "".join(f"{' ' * indent}{comment}\n" for comment in _comments(text, start, end))


def _comments(text: str, start: int, end: int) -> list[str]:
    """The comments that begin between two positions, without their line ends."""
    import yaml

    spans: list[tuple[int, int]] = []
    with suppress(yaml.YAMLError):
        spans += (
            (token.start_mark.index, token.end_mark.index)
            for token in yaml.scan(text, Loader=yaml.SafeLoader)
            if isinstance(token, yaml.ScalarToken)
        )
    found = []
    for match in re.finditer(r"(?:^|(?<=[ \t\n]))#[^\n]*", text):
        inside = any(a <= match.start() < b and not _block_header(text, a, match.start()) for a, b in spans)
        if start <= match.start() < end and not inside:
            found.append(match.group())
    return found


def _block_header(text: str, scalar_start: int, position: int) -> bool:
    """Whether the position is on the `key: |` line of a block scalar, where a comment may stand."""
    return text[scalar_start] in "|>" and "\n" not in text[scalar_start:position]
