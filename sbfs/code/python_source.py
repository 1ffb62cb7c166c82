"""The text of a Python file: its encoding, what stands where, and what a definition says of itself."""

from __future__ import annotations

import ast
import codecs
import hashlib
import re
from collections.abc import Iterable, Sequence

from sbfs.code.facts import Parameter, Symbol, Visibility
from sbfs.code.languages import words

_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")

MAX_TEXT = 200
"""Longest signature, decorator or base that is kept."""

MAX_DOC = 20_000
"""Longest docstring that is kept."""


def decoded(raw: bytes) -> tuple[str, str]:
    r"""A file's text with `\\n` for every line end, and a note where its encoding is not what it says.

    The rules of PEP 263: a byte order mark, a coding line among the first two, else UTF-8.
    """
    note = ""
    encoding = "utf-8"
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[3:]
    elif named := _coding_line(raw):
        try:
            encoding = codecs.lookup(named).name
        except LookupError:
            note = f"unknown encoding {named}"
    try:
        text = raw.decode(encoding)
    except (UnicodeError, LookupError, ValueError, AssertionError):
        text, note = raw.decode("latin-1"), note or f"not {encoding}"
    if not isinstance(text, str):  # a codec that gives bytes, such as `hex`
        text, note = raw.decode("latin-1"), f"{encoding} is no encoding of text"
    return text.replace("\r\n", "\n").replace("\r", "\n"), note


def _coding_line(raw: bytes) -> str:
    for line in raw.split(b"\n", 2)[:2]:
        if found := _CODING.match(line):
            return found[1].decode("ascii", "replace")
        if not _BLANK.match(line.rstrip(b"\r")):
            break
    return ""


class Source:
    """A file's text, by lines."""

    def __init__(self, path: str, raw: bytes, text: str) -> None:
        self.raw = raw
        self.lines = text.split("\n")
        self.ascii = text.isascii()
        self._bare: list[str] | None = None  # "" for a line that does not count for a hash
        name = path.rpartition("/")[2]
        self.is_test = name.startswith("test") or name.endswith("_test.py") or "/tests/" in f"/{path}"

    def text(self, node: ast.expr | ast.arg) -> str:
        """An expression as written, on one line."""
        first, last, start, end = node.lineno, node.end_lineno or node.lineno, node.col_offset, node.end_col_offset or 0
        if first == last:
            return self._cut(first, start, end)[:MAX_TEXT]
        parts = [self._cut(first, start, None), *self.lines[first : last - 1], self._cut(last, 0, end)]
        return _on_one_line(parts)[:MAX_TEXT]

    def _cut(self, line: int, start: int, end: int | None) -> str:
        """Part of a line; columns count bytes of UTF-8."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        if self.ascii or text.isascii():
            return text[start:end]
        return text.encode("utf-8", "surrogatepass")[start:end].decode("utf-8", "replace")

    def hash(self, body: Sequence[ast.stmt], doc: bool) -> str:
        """Of a body without docstring, comments, blank lines and own indentation. doc: whether there is a docstring."""
        statements = body[1:] if doc else body
        if not statements:
            return _hash("")
        first = statements[0]
        start = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", ()))])
        end = max(statements[-1].end_lineno or start, start)
        if self._bare is None:
            stripped = map(str.rstrip, self.lines)
            self._bare = ["" if "#" in line and line.lstrip()[0] == "#" else line for line in stripped]
        lines = self._bare[start - 1 : end]
        width = first.col_offset
        if lines and lines[0][:width].strip():  # on the line of the header
            lines = [self._cut(start, width, None).rstrip(), *lines[1:]]
            width = 0
        return _hash("\n".join([line[width:] for line in lines if line]))

    # -- what a definition says ---------------------------------------------------------------

    def module_symbol(self, doc: str | None) -> Symbol:
        """The module itself."""
        return Symbol(name="", type="module", start=1, end=max(len(self.lines), 1), doc=cleaned(doc) if doc else "")

    def function_symbol(self, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, in_class: bool) -> Symbol:
        """A function or method, without what its body does."""
        decorators = tuple(self.text(one) for one in node.decorator_list)
        flags = _function_flags(decorators)
        if isinstance(node, ast.AsyncFunctionDef):
            flags.add("async")
        if self.is_test and node.name.startswith("test"):
            flags.add("test")
        doc = docstring(node.body)
        returns = f" -> {self.text(node.returns)}" if node.returns else ""
        return Symbol(
            name=name,
            type="method" if in_class else "function",
            start=min([node.lineno, *(one.lineno for one in node.decorator_list)]),
            end=node.end_lineno or node.lineno,
            signature=f"{node.name}({self._arguments(node.args)}){returns}",
            visibility=visibility(node.name),
            flags=tuple(sorted(flags)),
            decorators=decorators,
            parameters=self.parameters(node.args),
            doc=cleaned(doc) if doc else "",
            body_hash=self.hash(node.body, doc is not None),
        )

    def lambda_symbol(self, name: str, node: ast.Lambda) -> Symbol:
        """A lambda."""
        return Symbol(
            name=name,
            type="function",
            start=node.lineno,
            end=node.end_lineno or node.lineno,
            signature=f"lambda {self._arguments(node.args)}".rstrip(),
            exported=False,
            parameters=self.parameters(node.args),
            body_hash=_hash(self.text(node.body)),
        )

    def class_symbol(self, name: str, node: ast.ClassDef) -> Symbol:
        """A class, without what its body does."""
        decorators = tuple(self.text(one) for one in node.decorator_list)
        bases = tuple(self.text(one) for one in node.bases)
        last = {base.partition("[")[0].rpartition(".")[2] for base in bases}
        flags = {"dataclass"} if any(_last(one) in _DATACLASSES for one in decorators) else set()
        if "ABC" in last or any(
            keyword.arg == "metaclass" and "ABCMeta" in self.text(keyword.value) for keyword in node.keywords
        ):
            flags.add("abstract")
        if self.is_test and (node.name.startswith("Test") or any(base.endswith("TestCase") for base in last)):
            flags.add("test")
        doc = docstring(node.body)
        written = [*bases, *(f"{one.arg or '**'}={self.text(one.value)}" for one in node.keywords)]
        return Symbol(
            name=name,
            type="enum" if last & _ENUMS else "interface" if "Protocol" in last else "class",
            start=min([node.lineno, *(one.lineno for one in node.decorator_list)]),
            end=node.end_lineno or node.lineno,
            signature=f"{node.name}({', '.join(written)})" if written else node.name,
            visibility=visibility(node.name),
            flags=tuple(sorted(flags)),
            decorators=decorators,
            bases=bases,
            doc=cleaned(doc) if doc else "",
            body_hash=self.hash(node.body, doc is not None),
        )

    def parameters(self, arguments: ast.arguments) -> tuple[Parameter, ...]:
        """Of a function, in order."""
        found: list[Parameter] = []
        positional = [*arguments.posonlyargs, *arguments.args]
        required = len(positional) - len(arguments.defaults)
        for place, one in enumerate(positional):
            kind = "only" if place < len(arguments.posonlyargs) else "positional"
            found.append(Parameter(one.arg, kind, place >= required, self._annotation(one)))  # type: ignore[arg-type]
        if arguments.vararg:
            found.append(Parameter(arguments.vararg.arg, "rest", False, self._annotation(arguments.vararg)))
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            found.append(Parameter(one.arg, "keyword", default is not None, self._annotation(one)))
        if arguments.kwarg:
            found.append(Parameter(arguments.kwarg.arg, "keywords", False, self._annotation(arguments.kwarg)))
        return tuple(found)

    def _annotation(self, argument: ast.arg) -> str:
        return self.text(argument.annotation) if argument.annotation else ""

    def _arguments(self, arguments: ast.arguments) -> str:
        """Parameters as written."""
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
        parts = [self._argument(one, default) for one, default in zip(positional, defaults, strict=True)]
        if arguments.posonlyargs:
            parts.insert(len(arguments.posonlyargs), "/")
        if arguments.vararg:
            parts.append("*" + self._argument(arguments.vararg, None))
        elif arguments.kwonlyargs:
            parts.append("*")
        parts += [
            self._argument(one, default)
            for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ]
        if arguments.kwarg:
            parts.append("**" + self._argument(arguments.kwarg, None))
        return ", ".join(parts)

    def _argument(self, argument: ast.arg, default: ast.expr | None) -> str:
        if argument.annotation:
            text = f"{argument.arg}: {self.text(argument.annotation)}"
            return f"{text} = {self.text(default)}" if default else text
        return f"{argument.arg}={self.text(default)}" if default else argument.arg


def _hash(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[:8]


def _on_one_line(parts: Iterable[str]) -> str:
    text = " ".join(stripped for part in parts if (stripped := part.strip()))
    return (
        text.replace("( ", "(")
        .replace("[ ", "[")
        .replace(" )", ")")
        .replace(" ]", "]")
        .replace(",)", ")")
        .replace(",]", "]")
    )


# -- names and docs ----------------------------------------------------------------------------


def visibility(name: str) -> Visibility:
    """By its underscores."""
    if not name.startswith("_") or (name.startswith("__") and name.endswith("__")):
        return "public"
    return "private" if name.startswith("__") else "protected"


def docstring(body: Sequence[ast.stmt]) -> str | None:
    """The text that a body begins with, as written, or None."""
    if body and body[0].__class__ is ast.Expr:
        value = body[0].value
        if value.__class__ is ast.Constant and value.value.__class__ is str:
            return value.value
    return None


def cleaned(doc: str) -> str:
    """A docstring without the indentation of its code (PEP 257)."""
    doc = doc[:MAX_DOC]
    if "\n" not in doc and "\t" not in doc:
        return _encodable(doc.strip())
    first, *rest = doc.expandtabs().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in rest if line.strip()), default=0)
    lines = [first.strip(), *(line[margin:].rstrip() for line in rest)]
    return _encodable("\n".join(lines).strip("\n"))


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


_DATACLASSES = frozenset(("dataclass", "define", "frozen", "mutable", "attrs", "s", "dataclasses"))
_ENUMS = words("Enum IntEnum StrEnum Flag IntFlag ReprEnum TextChoices IntegerChoices Choices")
_FLAGS = {
    "property": ("property",), "abstractproperty": ("abstract", "property"), "cached_property": ("cached", "property"),
    "setter": ("setter",), "deleter": ("setter",), "getter": ("property",), "staticmethod": ("static",),
    "classmethod": ("classmethod",), "abstractmethod": ("abstract",), "overload": ("overload",), "cache": ("cached",),
    "lru_cache": ("cached",), "singledispatch": (),
}  # fmt: skip


def _last(decorator: str) -> str:
    """The bare name of a decorator as written."""
    return decorator.partition("(")[0].rpartition(".")[2].strip()


def _function_flags(decorators: Iterable[str]) -> set[str]:
    return {flag for one in decorators for flag in _FLAGS.get(_last(one), ())}
