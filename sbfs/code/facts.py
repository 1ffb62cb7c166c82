"""What one source file says: its symbols, what it imports, and how values flow in it.

Facts are a function of the file's bytes and its language: no other file, no clock, no absolute path. They are
what a shard holds, and all that linking needs, so a graph can be linked wherever its shards are.

**Names.** A symbol's name is its place within the file: `""` the module's body, `Class.method`, `outer.inner`,
`outer.<lambda1>` (from 1 in its scope, in source order), `name#2` for a second definition of the same name. A
symbol's id in a graph is `<path>::<name>`.

**Flows.** What a body does with values, as plain JSON lists, so that shards load fast. Only what can matter for who
calls what is kept. A *variable* is a text: `x` of the own scope, `outer:x` of the scope of another symbol,
`:x` of the module (linking looks there, then at star imports, then at what the language gives). The reader resolves
scopes and, in straight-line code, assignments that overwrite: it writes `x@2` for a later value of `x`, and copies
to `x` what others may see of it. A parameter is a variable of its function.

Expressions E:
  null                             a value that cannot matter: a number, None, a comparison
  "x"                              a variable
  ["attr", E, name]                an attribute, a member, a constant below another (`A::B`)
  ["call", site, E, [E…], [[name, E]…]]   a call; an argument may be ["*", E], a keyword's name "**"; the last list
                                   may be left out. site: its number in the symbol, from 0 (see `Symbol.sites`)
  ["new", site, E, [E…]]           `new E(…)`, where the language has it
  ["item", E, key]                 an element by a constant key (text or number), null for any other
  ["slice", E, low, high]          some of the elements, in the same type; numbers or null
  ["elem", E, site]                what iterating gives; a fourth element true for `async for`
  ["enter", E, site]               what entering a context gives; a fourth element true for `async with`
  ["await", E]
  ["returned", E]                  what a generator returns at its end: the value of Python's `yield from`
  ["list"|"tuple"|"set", [E…]]     an element may be ["*", E]
  ["dict", [[key, E]…]]            key: constant, null for any other, "**" in a list of one ([["**"], E]) for a
                                   spread; a third element is the key's own expression, where that may be called
  ["each", type, E]                a list, set, dict or generator of which every element (of a dict: every value) is E;
                                   for a dict a fourth element may say its keys
  ["object", [[name, E]…]]         an object literal: names are members
  ["func", name, [[parameter, E]…]]   the function or lambda that is defined here, as a value (a closure), and the
                                   defaults of its parameters, worked out here; the last list may be left out
  ["class", name, [E…], [[keyword, E]…]]   the class that is defined here, its bases in order, and keywords, if any
  ["any", [E…]]                    one of several: conditional, `or`, merged branches
  ["lit", type]                    a literal of a builtin type (`str`, `bytes`, …), ["lit", "str", value] where a short
                                   constant text may be looked up (getattr, dispatch);
                                   ["lit", "str", value, true]: a text that begins so
  ["module", spec, level, name]    an import: spec as written, level of relative dots (Python) or 0, name: what is
                                   taken from it, "" for the module itself, "*default" for a default import; a fifth
                                   element true for imports of types only. Spec `builtins`: what the language gives
  ["super", site]                  the next class's view of the receiver; ["super", site, E, E]: of this class, of this
                                   receiver; where the language writes `super(…)` as a call, the call's callee
  ["this"]                         the receiver, where it is no parameter
  ["block"]                        the block that was given to the function, where the language has it
  ["cast", E, T]                   E, said to be of type T; where E is null, an instance of it
  ["const", name, [outer…]]        Ruby: a constant, sought in the modules around, then by ancestors, then at the top

Statements:
  ["=", target, E]                 target: a variable, ["attr", E, name], ["item", E, key], or ["unpack", [target…],
                                   star] with star the place of the starred target, or null; a target in it may be null
  ["do", E]                        a bare attribute is a load, which may run a property
  ["return", E]  ["yield", E]  ["yield*", E]  ["raise", E]
  ["hint", variable, T]            an annotation: evidence where flow says nothing; also of ["attr", E, name]; in a
                                   class's body: of what its instances hold, null where only the field is told
  ["hint-return", T]
  ["star", spec, level]            everything that a module exports (also `export * from`)
  ["export", name, E]              where exports are said apart from variables
  ["include", kind, E]             a module mixed into the class whose body this is (`include`, `prepend`, `extend`)
Types T: ["inst", E, [T…]] an instance of the class E with its arguments; ["any", [T…]]; ["call", [T…], T] a callable;
null where nothing is said. A class's body has flows of its own, and its variables are the class's attributes;
decorators are calls in the enclosing scope: `["=", "f", ["call", 3, "cache", [["func", "f"]]]]`. Statements may stand
in any order: solving does not look at it. Python leaves out plain definitions: a function that no `func` mentions is
the value of its own name in the flows around it, `["=", "f", ["func", "A.f"]]` in those of `A`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = 2

SymbolType = Literal[
    "module", "function", "method", "class", "interface", "type", "enum", "trait", "component", "namespace"
]
Visibility = Literal["public", "protected", "private"]

Expression = Any
Statement = list[Any]


@dataclass(slots=True)
class Parameter:
    """kind: positional (also by name), only (positional only), keyword (only), rest (`*args`), keywords (`**kw`),
    block. type: the annotation's text."""

    name: str
    kind: Literal["positional", "only", "keyword", "rest", "keywords", "block"] = "positional"
    has_default: bool = False
    type: str = ""


@dataclass(slots=True)
class Symbol:
    """A named thing in code.

    start, end: lines, from 1, both included, decorators too. flags: async, generator, property, setter, cached, static,
    classmethod, abstract, overload, dataclass, renders (returns JSX), test. decorators, bases: as written. doc: whole,
    cleaned. complexity: McCabe's number for functions and methods, 0 else: 1, and 1 more for each if, elif, loop,
    except, conditional expression, further operand of and/or, case that may not match, and comprehension's for and if.
    body_hash: of the normalised body, 8 hex digits, equal for a symbol that only moved or was renamed. flows: of
    its body. flow_lines: line of each flow. sites: line of each call site of the body. exported: visible to other files
    by the language's own rule.
    """

    name: str
    type: SymbolType
    start: int
    end: int
    signature: str = ""
    visibility: Visibility = "public"
    exported: bool = True
    flags: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    doc: str = ""
    complexity: int = 0
    body_hash: str = ""
    flows: list[Statement] = field(default_factory=list)
    flow_lines: list[int] = field(default_factory=list)
    sites: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Import:
    """An import as written. spec: the module's name or path; level: leading dots (Python). names: (name, name here);
    ("*", "") for a star, ("", name here) for the module itself. types_only: erased before it runs. owner: symbol in
    whose body it stands."""

    spec: str
    line: int
    level: int = 0
    names: tuple[tuple[str, str], ...] = ()
    types_only: bool = False
    owner: str = ""


@dataclass(slots=True)
class Facts:
    """What one file says. path: posix, below the source's folder. blob: Git's id of its bytes. parse: full, or partial
    where not all could be read, and notes say what. mark: generated, vendored, or "". exports: names of `__all__` and
    the like, None where the file does not say. config: what a configuration file (tsconfig.json, package.json, a
    gemspec) says to linking. attributes: (name, line, text) of what is documented of names that are no symbols; they
    belong to documentation only, and no shard of a graph holds them."""

    path: str
    language: str
    blob: str
    parse: Literal["full", "partial"] = "full"
    notes: tuple[str, ...] = ()
    mark: str = ""
    lines: int = 0
    symbols: list[Symbol] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    exports: tuple[str, ...] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    attributes: list[tuple[str, int, str]] = field(default_factory=list, compare=False)


def plain_signature(symbol: Symbol) -> str:
    """The signature that a symbol's name and parameters alone say: `f(self, a, *rest, key, **more)`."""
    name = symbol.name.rpartition(".")[2].partition("#")[0]
    if symbol.type not in ("function", "method"):
        return name
    parts: list[str] = []
    last = ""
    for one in symbol.parameters:
        if last == "only" and one.kind != "only":
            parts.append("/")
        if one.kind == "keyword" and last not in ("rest", "keyword"):
            parts.append("*")
        parts.append({"rest": "*", "keywords": "**", "block": "&"}.get(one.kind, "") + one.name)
        last = one.kind
    if last == "only":
        parts.append("/")
    return f"{name}({', '.join(parts)})"
