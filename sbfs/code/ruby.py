"""Reads Ruby: what a file defines, requires and does.

Names in a file are dotted (`Shop.Cart.add`), singleton methods too; blocks are `<block1>`, lambdas and procs
`<lambda1>`, classes without a name `<class1>`, from 1 in their scope. What each part of the language becomes is in
`ruby_values`, `ruby_calls` and `ruby_definitions`. Not followed: names that are worked out while the program runs,
`method_missing`, and source given as text (`eval`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sbfs.code import ruby_calls, ruby_definitions, ruby_values
from sbfs.code.facts import Expression, Facts, Import, Symbol
from sbfs.code.ruby_calls import NOT_SPECIAL
from sbfs.code.ruby_definitions import ANYWHERE, given, literals
from sbfs.code.ruby_docs import doc_of
from sbfs.code.ruby_names import underscored
from sbfs.code.ruby_scopes import NOTHING, Handler, Reader, Scope
from sbfs.code.treesitter import Source, utf8

if TYPE_CHECKING:
    from tree_sitter import Node

ENCODING = re.compile(rb"^(?:#!.*\n)?#.*?coding[:=]\s*([\w.-]+)")
TESTS = re.compile(r"(^|/)(spec|test|tests|features)/|_(spec|test)\.rb$|(^|/)test_\w+\.rb$")
HEREDOCS = "(heredoc_beginning) @beginning (heredoc_body) @body"
SETTINGS = """
(assignment left: (call method: (identifier) @name)) @set
(operator_assignment left: (call method: (identifier) @name)) @set
(call method: (identifier) @name) @call
"""


def read(path: str, raw: bytes, language: str = "ruby") -> Facts:
    """The facts of a Ruby file. Never raises for its content: what could not be read is in the notes."""
    declared = ENCODING.match(raw[:200])
    text, notes = utf8(raw, declared[1].decode() if declared else "")
    source = Source("ruby", text)
    reader = Reader(source, TABLE)
    reader.heredocs = _heredocs(source)
    program = reader.symbol("", "module", source.root)
    program.start, program.end = 1, max(text.count(b"\n") + (not text.endswith(b"\n")), 1)
    program.doc = _file_doc(source)
    scope = Scope("file", program, None)
    reader.do(scope, reader.each(scope, source.root.named_children), 0)
    scope.close()
    if TESTS.search(path):
        _mark_tests(reader.symbols)
    broken = (*source.broken(), *reader.notes)
    return Facts(
        path=path,
        language=language,
        blob="",
        parse="partial" if broken else "full",
        notes=(*notes, *broken),
        symbols=reader.symbols,
        imports=reader.imports,
        config=_config(path, source, reader),
    )


def _mark_tests(symbols: list[Symbol]) -> None:
    for symbol in symbols:
        if symbol.type in ("method", "function") and symbol.name.rpartition(".")[2].startswith("test_"):
            symbol.flags += ("test",)


def _heredocs(source: Source) -> dict[int, Node]:
    """Where a here document begins → its body; they follow each other in the same order."""
    if b"<<" not in source.raw:
        return {}
    found = source.find(HEREDOCS)
    beginnings = [node for node in found if node.type == "heredoc_beginning"]
    return {
        beginning.start_byte: body
        for beginning, body in zip(beginnings, (n for n in found if n.type == "heredoc_body"), strict=False)
    }


def _file_doc(source: Source) -> str:
    """A comment at the top that belongs to no definition, ended by an empty line."""
    row = 0
    lines = source.raw.splitlines()
    while row < len(lines) and (not lines[row].strip() or source.comment_at(row) is not None):
        if not lines[row].strip() and (doc := doc_of(source, row)):
            return doc
        row += 1
    return ""


# Other files


def _require(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    """A file by its load path, or from where this file is: then the spec begins with a dot."""
    name = reader.source.text(node.child_by_field_name("method"))
    specs = literals(reader, arguments[:1]) or _joined_path(reader, arguments)
    if name == "load" and not all(spec.endswith((".rb", ".rake", ".ru")) for spec in specs):
        return NOT_SPECIAL
    for spec in specs:
        if name == "require_relative" and not spec.startswith("."):
            spec = f"./{spec}"
        reader.imports.append(Import(spec, node.start_point[0] + 1, owner=scope.owner.symbol.name))
    if not specs:
        for one in arguments:
            reader.do(scope, reader.value(scope, one), node.start_point[0])
    return NOTHING


def _joined_path(reader: Reader, arguments: list[Node]) -> list[str]:
    """`File.expand_path("../x", __FILE__)`, `File.join(__dir__, "x")` and `"#{__dir__}/x"` are paths from this file."""
    text = reader.source.text(arguments[0]) if arguments else ""
    if match := re.fullmatch(r"""File\.expand_path\(\s*['"]([\w./-]+)['"]\s*,\s*(__FILE__|__dir__)\s*\)""", text):
        # From a file, the first `..` leaves the file itself.
        return ["./" + (match[1] if match[2] == "__dir__" else match[1].removeprefix("../"))]
    if match := re.fullmatch(
        r"""File\.join\(\s*(?:__dir__|File\.dirname\(__FILE__\))\s*,\s*['"]([\w./-]+)['"]\s*\)""", text
    ):
        return [f"./{match[1]}"]
    if match := re.fullmatch(r'"#\{(?:__dir__|File\.dirname\(__FILE__\))\}/([\w./-]+)"', text):
        return [f"./{match[1]}"]
    return []


def _autoload(reader: Reader, scope: Scope, node: Node, arguments: list[Node]) -> Expression:
    names = literals(reader, arguments)
    if len(names) == 1:
        # ActiveSupport's: the path follows from the name.
        names.append("::".join((*reversed(scope.nesting[:1]), names[0])))
        names[1] = underscored(names[1])
    if len(names) == 2:
        reader.imports.append(
            Import(names[1], node.start_point[0] + 1, names=((names[0], names[0]),), owner=scope.owner.symbol.name)
        )
        return NOTHING
    return NOT_SPECIAL


# What a file says of a project


def _config(path: str, source: Source, reader: Reader) -> dict[str, Any]:
    """Load paths, roots of autoloading, acronyms, and what a gemspec says."""
    raw = source.raw
    gem = path.endswith(".gemspec")
    if not gem and not any(
        word in raw
        for word in (b"$LOAD_PATH", b"$:", b"autoload_paths", b"eager_load_paths", b"autoload_lib", b"acronym")
    ):
        return {}
    found: dict[str, list[str]] = {}
    for node in source.find(SETTINGS):
        if node.type == "identifier":
            continue
        for key, values in _setting(reader, node, gem):
            found.setdefault(key, []).extend(value for value in values if value not in found.get(key, []))
    return {key: sorted(values) for key, values in sorted(found.items()) if values}


def _setting(reader: Reader, node: Node, gem: bool) -> list[tuple[str, list[str]]]:
    text = reader.source.text
    if node.type == "call":
        name = text(node.child_by_field_name("method"))
        receiver = text(node.child_by_field_name("receiver"))
        if name == "acronym":
            return [("acronyms", literals(reader, given(node)))]
        if receiver in ("$LOAD_PATH", "$:") and name in ("unshift", "push", "append", "prepend"):
            return [("load_paths", [path for one in given(node) for path in _paths(text(one))])]
        if name == "autoload_lib":
            return [("autoload_paths", ["lib"])]
        if name in ("push", "concat", "unshift") and receiver.endswith(("autoload_paths", "eager_load_paths")):
            return [("autoload_paths", [path for one in given(node) for path in _paths(text(one))])]
        return []
    name = text(node.child_by_field_name("left")).rpartition(".")[2]
    right = node.child_by_field_name("right")
    if right is None:
        return []
    if gem and name in ("require_paths", "require_path"):
        return [("require_paths", literals(reader, [right]))]
    if gem and name == "name":
        return [("name", literals(reader, [right]))]
    if name in ("autoload_paths", "eager_load_paths"):
        return [("autoload_paths", _paths(text(right)))]
    return []


def _paths(text: str) -> list[str]:
    """Folders in an expression, from the project's root or this file: what is quoted, without what is worked out."""
    quoted = re.findall(r"""["']([^"']+)["']""", text)
    if text.startswith(("%W", "%w")):
        quoted = text[3:-1].split()
    found = []
    for path in quoted:
        plain = re.sub(r"#\{[^}]*\}/?", "", path)
        if plain and not plain.startswith("/"):
            found.append(plain)
    return found


WORDS = {"require": _require, "require_relative": _require, "load": _require, "autoload": _autoload}
ANYWHERE.update(WORDS)
TABLE: dict[str, Handler] = {**ruby_values.HANDLERS, **ruby_calls.HANDLERS, **ruby_definitions.HANDLERS}
