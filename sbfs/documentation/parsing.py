"""Documentation of code → summary, description, parameters, returns, raises: by the language's own conventions.

Python's docstrings (Google, NumPy, Sphinx, plain) are parsed by docstring_parser; tags of JSDoc, TSDoc, Javadoc and
YARD, and the headings of Rust, here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    """What is told of a parameter, an answer or an error. name: of the parameter or error, "" for an answer."""

    name: str
    type: str = ""
    text: str = ""


@dataclass(frozen=True)
class Parsed:
    """summary: the first paragraph. description: what follows it. attributes: of a class. notes: (heading or tag, text)
    of the rest, as examples are."""

    summary: str
    description: str = ""
    parameters: tuple[Told, ...] = ()
    attributes: tuple[Told, ...] = ()
    returns: tuple[Told, ...] = ()
    raises: tuple[Told, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


_TAGGED = frozenset(("javascript", "jsx", "typescript", "tsx", "java", "ruby"))


def parse(text: str, language: str) -> Parsed:
    """What a documentation says. It never raises: what cannot be parsed is description."""
    if language == "python":
        return _python(text)
    if language in _TAGGED and re.search(r"(?m)^\s*@\w", text):
        return _tagged(text)
    if language == "rust" and re.search(r"(?m)^# \w", text):
        return _rust(text)
    return _plain(text)


def _plain(text: str) -> Parsed:
    first, _, rest = text.strip().partition("\n\n")
    return Parsed(_line(first), rest.strip("\n"))


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


# -- Python ----------------------------------------------------------------------------------------

_SECTION = re.compile(
    r"(?m)^\s*(?:(?:Args|Arguments|Parameters|Params|Attributes|Returns?|Yields?|Raises|Keyword Args)\s*:?\s*$"
    r"|Other Parameters\s*:?\s*$|@(?:param|return|raise)\b"
    r"|:(?:param|parameter|arg|argument|key|keyword|type|returns?|rtype|raises?|yields?|ivar|cvar|var)\b)"
)


def _python(text: str) -> Parsed:
    if not _SECTION.search(text):
        return _plain(text)
    import docstring_parser

    style = _style(text)
    try:
        found = docstring_parser.parse(text, style=docstring_parser.DocstringStyle[style])
    except (docstring_parser.ParseError, ValueError, IndexError, KeyError, TypeError, AttributeError):
        return _plain(text)
    told: dict[str, list[Told]] = {"param": [], "attribute": []}
    for one in found.params:
        kind = "attribute" if one.args and one.args[0].lower() in ("attribute", "ivar", "cvar", "var") else "param"
        for name in one.arg_name.split(","):
            told[kind].append(Told(name.strip().lstrip("*\\"), one.type_name or "", _line(one.description)))
    returns = found.many_returns or ([found.returns] if found.returns else [])
    notes = [*_examples(found)]
    return Parsed(
        _line(found.short_description),
        (found.long_description or "").strip("\n"),
        tuple(told["param"]),
        tuple(told["attribute"]),
        tuple(Told(one.return_name or "", one.type_name or "", _line(one.description)) for one in returns),
        tuple(Told(one.type_name or "", "", _line(one.description)) for one in found.raises),
        tuple(notes),
    )


def _style(text: str) -> str:
    if re.search(r"(?m)^\s*(?:Parameters|Returns|Raises|Attributes|Yields|Other Parameters)\s*\n\s*-{3,}\s*$", text):
        return "NUMPYDOC"
    if re.search(r"(?m)^\s*@(?:param|return|raise)\b", text):
        return "EPYDOC"
    if re.search(r"(?m)^\s*:\w+[^:\n]*:", text):
        return "REST"
    return "GOOGLE"


def _examples(found: object) -> Iterator[tuple[str, str]]:
    for one in getattr(found, "meta", ()):
        if one.__class__.__name__ in ("DocstringMeta", "DocstringExample") and one.description:
            yield one.args[0] if one.args else "note", one.description.strip("\n")


# -- tags ------------------------------------------------------------------------------------------

_TAG = re.compile(r"^\s*@(\w+)[ \t]*(.*)$")
_TYPE = re.compile(r"^(?:\{(?P<braces>[^}]*)\}|\[(?P<brackets>[^\]]*)\])\s*")
_NAME = re.compile(r"^(?P<name>\[[^\]\s]+\]|[*&]{0,2}[\w$.]+)\s*")

_PARAMETERS = ("param", "arg", "argument", "option", "yieldparam")
_RETURNS = ("return", "returns", "yields", "yieldreturn")
_RAISES = ("throws", "raise", "exception")
_ATTRIBUTES = ("property", "prop", "typeParam", "template")


def _tagged(text: str) -> Parsed:
    before: list[str] = []
    tags: list[tuple[str, list[str]]] = []
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        match = None if fenced else _TAG.match(line)
        if match:
            tags.append((match[1], [match[2]]))
        elif tags:
            tags[-1][1].append(line)
        else:
            before.append(line)
    said = _plain("\n".join(before))
    found: dict[str, list[Told]] = {"parameters": [], "attributes": [], "returns": [], "raises": []}
    notes: list[tuple[str, str]] = []
    for tag, lines in tags:
        body = "\n".join(lines).strip()
        if tag in _PARAMETERS:
            found["parameters"].append(_named(body))
        elif tag in _ATTRIBUTES and tag.startswith("prop"):
            found["attributes"].append(_named(body))
        elif tag in _RETURNS:
            type, rest = _typed(body)
            found["returns"].append(Told("", type, _line(_dashed(rest))))
        elif tag in _RAISES:
            type, rest = _typed(body)
            if not type:
                type, _, rest = rest.partition(" ")
            found["raises"].append(Told(type, "", _line(_dashed(rest))))
        else:
            notes.append((tag, body))
    told = {name: tuple(values) for name, values in found.items()}
    return Parsed(said.summary, said.description, notes=tuple(notes), **told)


def _typed(body: str) -> tuple[str, str]:
    match = _TYPE.match(body)
    return ((match["braces"] or match["brackets"] or "").strip(), body[match.end() :]) if match else ("", body)


def _named(body: str) -> Told:
    type, rest = _typed(body) if not re.match(r"\[[\w.]+(=[^\]]*)?\](\s*-|\s*$)", body) else ("", body)
    match = _NAME.match(rest)
    if match is None:
        return Told("", type, _line(rest))
    name = match["name"].strip("[]").partition("=")[0].lstrip("*&")
    rest = rest[match.end() :]
    if not type:
        type, rest = _typed(rest)
    return Told(name, type, _line(_dashed(rest)))


def _dashed(text: str) -> str:
    return re.sub(r"^\s*[-\u2013\u2014:]\s+", "", text)


# -- Rust ------------------------------------------------------------------------------------------

_ARGUMENT = re.compile(r"(?m)^\s*[*-]\s+`(\w+)`\s*[-:\u2013]?\s*(.*)$")


def _rust(text: str) -> Parsed:
    parts: list[tuple[str, list[str]]] = [("", [])]
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith("```")
        if line.startswith("# ") and not fenced:
            parts.append((line[2:].strip(), []))
        else:
            parts[-1][1].append(line)
    said = _plain("\n".join(parts[0][1]))
    parameters: list[Told] = []
    returns: list[Told] = []
    raises: list[Told] = []
    notes: list[tuple[str, str]] = []
    for heading, lines in parts[1:]:
        body = "\n".join(lines).strip("\n")
        match heading.lower():
            case "arguments" | "parameters":
                parameters += [Told(name, "", _line(said)) for name, said in _ARGUMENT.findall(body)]
            case "returns":
                returns.append(Told("", "", _line(body)))
            case "errors" | "panics":
                raises.append(Told(heading.lower(), "", _line(body)))
            case _:
                notes.append((heading, body))
    return Parsed(said.summary, said.description, tuple(parameters), (), tuple(returns), tuple(raises), tuple(notes))
