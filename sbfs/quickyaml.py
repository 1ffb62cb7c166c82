"""The YAML that sbfs writes, read without a YAML library: loading one takes longer than most commands.

It reads what `yamlform.dump` writes, and what a person writes in the same way: one key a line, indented by two,
plain or quoted words, literal blocks, short lists and mappings on a line. Whatever it is not sure of, and
everything that is wrong, it leaves to the library: `read` then answers None. The tests compare the two.
"""

from __future__ import annotations

from typing import Any

from sbfs.fetching import pattern

_INTEGER = pattern(r"-?(?:0|[1-9][0-9]{0,17})")
_REAL = pattern(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_NUMBER = pattern(r"[-+]?[0-9]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?|0[xo][0-9A-Fa-f]*")
"""What may be a number, to some reader."""

_CODE = pattern(r"[0-9][0-9A-Za-z._-]*")
_SURE = pattern(r"[A-Za-z_/][A-Za-z0-9_./ @+=-]*")
"""Words in short lists and mappings, and keys, that no rule of YAML takes for something else."""

_WORDS: dict[str, Any] = {
    said: value
    for word, value in (("true", True), ("false", False), ("null", None))
    for said in (word, word.title(), word.upper())
}
_DEEPEST = 20


class _UnsureError(Exception):
    """The library has to look."""


def read(text: str) -> dict[str, Any] | None:
    """The mapping that a document says; None where the library has to read it."""
    if text[-1:] != "\n" or text[:1] in ("\n", " ", "-", "%", "\ufeff"):
        return None
    lines = text.split("\n")
    lines.pop()
    try:
        found, end = _mapping(lines, 0, "")
    except _UnsureError:
        return None
    return found if end == len(lines) else None


def _mapping(lines: list[str], at: int, pad: str) -> tuple[dict[str, Any], int]:
    """The mapping whose keys stand at an indentation, and the line behind it."""
    found: dict[str, Any] = {}
    width, deeper = len(pad), pad + " "
    while at < len(lines):
        line = lines[at]
        if not line.startswith(pad):
            break
        if line.startswith(deeper) or not line:
            raise _UnsureError
        if pad and line.startswith("- ", width):
            raise _UnsureError
        key, value = _pair(line[width:])
        if key in found:
            raise _UnsureError
        found[key], at = _value(lines, at + 1, pad, value)
    if not found:
        raise _UnsureError
    return found, at


def _pair(said: str) -> tuple[str, str]:
    """(key, what stands behind its colon)."""
    key, colon, value = said.partition(":")
    if not colon or (value and value[0] != " ") or len(key) > 200 or not _is_sure(key):
        raise _UnsureError
    return key, value[1:]


def _is_sure(word: str) -> bool:
    if word[:1].isdigit():
        return _CODE.fullmatch(word) is not None and _NUMBER.fullmatch(word) is None
    return word not in _WORDS and _SURE.fullmatch(word) is not None and word[-1] != " "


def _value(lines: list[str], at: int, pad: str, value: str) -> tuple[Any, int]:
    """What a key says, and the line behind it. at: the line behind the key's. pad: the key's indentation."""
    if not value:
        return _nested(lines, at, pad)
    if value[0] == "|":
        return _block(lines, at, pad + "  ", value)
    return _scalar(value), at


def _nested(lines: list[str], at: int, pad: str) -> tuple[Any, int]:
    if len(pad) > 2 * _DEEPEST or at == len(lines):
        raise _UnsureError
    if lines[at].startswith(f"{pad}- "):
        return _list(lines, at, pad)
    if lines[at].startswith(f"{pad}  "):
        return _mapping(lines, at, pad + "  ")
    raise _UnsureError


def _list(lines: list[str], at: int, pad: str) -> tuple[list[Any], int]:
    found: list[Any] = []
    mark, inner = f"{pad}- ", f"{pad}  "
    while at < len(lines) and lines[at].startswith(mark):
        said = lines[at][len(mark) :]
        if said[:1] in ("", " ", "-", "|"):
            raise _UnsureError
        if said[0] not in '"[{' and (": " in said or said[-1] == ":"):
            # A mapping begins on the line of its dash: read it as if it stood alone.
            lines[at] = inner + said
            value, at = _mapping(lines, at, inner)
        else:
            value, at = _scalar(said), at + 1
        found.append(value)
    return found, at


def _block(lines: list[str], at: int, pad: str, head: str) -> tuple[str, int]:
    """A literal block; its first line is never empty or indented further."""
    if head not in ("|", "|-", "|+"):
        raise _UnsureError
    width, said = len(pad), list[str]()
    while at < len(lines):
        line = lines[at]
        if not line:
            said.append("")
        elif not line.startswith(pad):
            break
        else:
            said.append(line[width:])
        at += 1
    if not said or said[0][:1] in ("", " ", "\t") or not "".join(said).replace("\t", "").isprintable():
        raise _UnsureError
    text = "\n".join(said) + "\n"
    if head == "|+":
        return text, at
    text = text.rstrip("\n")
    return text if head == "|-" else text + "\n", at


def _scalar(said: str) -> Any:
    first = said[0]
    if first == '"':
        return _quoted(said)
    if first in "[{":
        return _flow(said)
    if first.isascii() and not first.isalpha():
        return _odd(said, first)
    if ": " in said or " #" in said or said[-1] in ": " or not said.isprintable() or not first.isalpha():
        raise _UnsureError
    return _WORDS.get(said, said)


def _odd(said: str, first: str) -> Any:
    """What begins with a digit, a sign or the like."""
    if first in "-0123456789":
        if _INTEGER.fullmatch(said):
            return int(said)
        if _REAL.fullmatch(said):
            return float(said)
    if first.isdigit() and not _NUMBER.fullmatch(said) or first in "/_":
        if ": " in said or " #" in said or said[-1] in ": " or not said.isprintable():
            raise _UnsureError
        return said
    raise _UnsureError


def _quoted(said: str) -> str:
    inner = said[1:-1]
    if len(said) < 2 or said[-1] != '"' or not inner.isprintable() or "\\u" in inner:
        raise _UnsureError
    if "\\" not in inner:
        if '"' in inner:
            raise _UnsureError
        return inner
    from json import loads

    try:
        # The escapes of JSON mean the same in YAML, but for halves of characters.
        found: str = loads(said)
    except ValueError:
        raise _UnsureError from None
    return found


def _flow(said: str) -> Any:
    if said in ("[]", "{}"):
        return [] if said == "[]" else {}
    is_list = said[0] == "["
    if said[-1] != ("]" if is_list else "}"):
        raise _UnsureError
    items = said[1:-1].split(", ")
    if is_list:
        return [_word(item) for item in items]
    pairs = [item.partition(": ") for item in items]
    found = {key: _word(value) for key, _, value in pairs if _is_sure(key)}
    if len(found) < len(items):
        raise _UnsureError
    return found


def _word(said: str) -> Any:
    if said in _WORDS:
        return _WORDS[said]
    if _INTEGER.fullmatch(said):
        return int(said)
    if _REAL.fullmatch(said):
        return float(said)
    if not _is_sure(said):
        raise _UnsureError
    return said
