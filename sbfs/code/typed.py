"""What the readers of Go, Rust and Java share: languages that say the types of things.

They write flows as the other readers do, with forms that linking answers by declarations (`sbfs.linking.static`):

  ["const", name, [names of the types around, innermost first]]   what a name stands for where it is no local
  ["typed", T]     a thing that is said to be of type T: an instance, or for an interface whatever implements it
  ["typed", variable, T]   a statement: a variable is declared to be of type T; "" for what the function returns
  ["make", E]      a new instance of the class E, without a call
  ["own", name, [types around], this]     a function that may be a method of the types around
  ["field", name, [types around], this]   the same of a variable
  ["implements", E, E]   a statement: a type has what an interface, a trait or an embedded type gives it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sbfs.code.facts import Expression, Facts, Import, Parameter, Symbol, SymbolType, Visibility
from sbfs.code.treesitter import DEPTH, Source, utf8

if TYPE_CHECKING:
    from tree_sitter import Node

NOTHING: Expression = None
Handler = Callable[["Reader", "Body", "Node"], Expression]


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a language's grammar calls things.

    blocks: open a scope of locals. branches: count as ways through a function. passes: are worth what is in them.
    chains: nest to the right, as `else if` does.
    """

    name: str
    comments: str
    blocks: frozenset[str]
    branches: frozenset[str]
    passes: frozenset[str]
    binary: str
    chains: frozenset[str]
    handlers: dict[str, Handler] = field(default_factory=dict)


class Body:
    """A function's, a type's or a file's body.

    parent: whose locals are seen here too. owner: the type whose methods these are. nesting: types around, innermost
    first. method: it has a receiver of its own. uses_this: and something in it reads that.
    """

    __slots__ = ("counts", "method", "nesting", "owner", "parent", "scopes", "symbol", "temporary", "uses_this")

    def __init__(
        self,
        symbol: Symbol,
        parent: Body | None,
        *,
        owner: str = "",
        nesting: tuple[str, ...] = (),
        method: bool = False,
    ) -> None:
        self.symbol, self.parent, self.owner, self.nesting, self.method = symbol, parent, owner, nesting, method
        self.scopes: list[dict[str, str]] = [{}]
        self.counts: dict[str, int] = {}
        self.temporary = 0
        self.uses_this = False

    def declare(self, name: str) -> str:
        """A new local: its variable. One of the same name in another scope is another."""
        count = self.counts[name] = self.counts.get(name, 0) + 1
        found = self.scopes[-1][name] = name if count == 1 else f"{name}@{count}"
        return found

    def find(self, name: str) -> str | None:
        """The variable of a local that is visible here, also of the function around a closure."""
        body: Body | None = self
        while body is not None:
            for scope in reversed(body.scopes):
                if name in scope:
                    return scope[name] if body is self else f"{body.symbol.name}:{scope[name]}"
            body = body.parent
        return None

    def type_this(self, row: int) -> None:
        """Say of which type the receiver is, where it is read."""
        if self.uses_this:
            self.emit(["typed", "this", ["inst", ["const", self.owner, list(self.nesting)], []]], row)

    def emit(self, statement: list[Expression], row: int) -> None:
        """Add a flow. row: line from 0."""
        self.symbol.flows.append(statement)
        self.symbol.flow_lines.append(row + 1)

    def site(self, row: int) -> int:
        """The number of a new call site."""
        self.symbol.sites.append(row + 1)
        return len(self.symbol.sites) - 1

    def temp(self) -> str:
        """A variable for a value that is needed twice."""
        self.temporary += 1
        return f"%{self.temporary}"

    def this(self) -> str:
        """The receiver, of the method around where this is a closure."""
        body = self
        while body.parent is not None and not body.method:
            body = body.parent
        body.uses_this = True
        return "this" if body is self else f"{body.symbol.name}:this"


class Reader:
    """A file being read."""

    def __init__(self, source: Source, grammar: Grammar) -> None:
        self.source, self.grammar = source, grammar
        self.symbols: list[Symbol] = []
        self.imports: list[Import] = []
        self.notes: list[str] = []
        self.names: dict[str, int] = {}
        self.depth = self.shift = 0

    def row(self, node: Node) -> int:
        """The line of a node, from 0."""
        return int(node.start_point[0]) + self.shift

    def text(self, node: Node | None) -> str:
        """The text of a node."""
        return self.source.text(node)

    def symbol(
        self,
        name: str,
        type: SymbolType,
        node: Node,
        head_end: int,
        *,
        doc: str = "",
        visibility: Visibility = "public",
    ) -> Symbol:
        """A new symbol that spans a node; its signature ends at a byte. A second one of its name is numbered."""
        count = self.names[name] = self.names.get(name, 0) + 1
        found = Symbol(
            name=name if count == 1 else f"{name}#{count}",
            type=type,
            start=self.row(node) + 1,
            end=int(node.end_point[0]) + 1 + self.shift,
            signature=self.source.squeezed(node.start_byte, head_end),
            visibility=visibility,
            exported=visibility == "public",
            doc=doc,
            body_hash=self.source.body_hash(head_end, node.end_byte),
        )
        self.symbols.append(found)
        return found

    def value(self, body: Body, node: Node | None) -> Expression:
        """What a piece of syntax is worth; what it does goes to the body's flows."""
        if node is None:
            return NOTHING
        if self.depth >= DEPTH:
            note = f"line {self.row(node) + 1}: nested too deeply"
            if note not in self.notes and len(self.notes) < 5:
                self.notes.append(note)
            return NOTHING
        self.depth += 1
        try:
            return self._value(body, node)
        finally:
            self.depth -= 1

    def _value(self, body: Body, node: Node) -> Expression:
        grammar = self.grammar
        if node.type in grammar.branches:
            self.branch(body)
        handler = grammar.handlers.get(node.type)
        if handler is not None:
            return handler(self, body, node)
        if node.type == grammar.binary:
            return self._binary(body, node)
        if node.type in grammar.chains:
            return self._chain(body, node)
        if node.type in grammar.blocks:
            body.scopes.append({})
            last = self.each(body, node.named_children)
            body.scopes.pop()
            return last
        last = self.each(body, node.named_children) if node.named_child_count else NOTHING
        if node.type in grammar.passes:
            return last
        self.do(body, last, self.row(node))
        return NOTHING

    def _binary(self, body: Body, node: Node) -> Expression:
        """Operators: long sums lean to the left, and are walked without nesting."""
        rights = []
        step: Node | None = node
        while step is not None and step.type == self.grammar.binary:
            operator = step.child_by_field_name("operator")
            if operator is not None and operator.type in ("&&", "||"):
                self.branch(body)
            rights.append(step.child_by_field_name("right"))
            step = step.child_by_field_name("left")
        self.do(body, self.value(body, step), self.row(node))
        for right in reversed(rights):
            self.do(body, self.value(body, right), self.row(node))
        return NOTHING

    def _chain(self, body: Body, node: Node) -> Expression:
        """`if … else if … else`: each further condition is a branch of its own."""
        values = []
        step: Node | None = node
        opened = 0
        while step is not None:
            body.scopes.append({})
            opened += 1
            following = None
            for child in step.named_children:
                inner = (
                    child.named_children[0] if child.type == "else_clause" and child.named_child_count == 1 else child
                )
                if inner.type == step.type and child == step.named_children[-1]:
                    following = inner
                    self.branch(body)
                    break
                values.append(self.value(body, inner))
            step = following
        del body.scopes[-opened:]
        for value in values:
            self.do(body, value, self.row(node))
        arms = [value for value in values if isinstance(value, str)]
        return ["any", arms] if arms else NOTHING

    def branch(self, body: Body) -> None:
        """Count one more way through a function."""
        if body.symbol.complexity:
            body.symbol.complexity += 1

    def each(self, body: Body, nodes: Iterable[Node]) -> Expression:
        """Run statements; the value is the last one's."""
        last: Expression = NOTHING
        row = 0
        for node in nodes:
            if "comment" in node.type:
                continue
            self.do(body, last, row)
            last = self.value(body, node)
            row = self.row(node)
        return last

    def do(self, body: Body, value: Expression, row: int) -> None:
        """Keep a value that nothing uses, if a call is in it."""
        if has_call(value):
            body.emit(["do", value], row)

    def hold(self, body: Body, value: Expression, row: int) -> Expression:
        """The value as something that may be written twice."""
        if isinstance(value, str) or value is NOTHING:
            return value
        name = body.temp()
        body.emit(["=", name, value], row)
        return name

    def call(self, body: Body, row: int, callee: Expression, arguments: list[Expression]) -> Expression:
        """A call."""
        return ["call", body.site(row), callee, arguments]

    def arguments(self, body: Body, node: Node | None) -> list[Expression]:
        """The values of a list of arguments."""
        return (
            []
            if node is None
            else [self.value(body, child) for child in node.named_children if "comment" not in child.type]
        )

    def closure(self, body: Body, node: Node, inner: Node | None, bind: Callable[[Body], None]) -> Expression:
        """A function without a name, as a value."""
        count = body.counts["<lambda>"] = body.counts.get("<lambda>", 0) + 1
        around = f"{body.symbol.name}." if body.symbol.name else ""
        symbol = self.symbol(
            f"{around}<lambda{count}>", "function", node, inner.start_byte if inner is not None else node.end_byte
        )
        symbol.complexity, symbol.exported = 1, False
        child = Body(symbol, body, owner=body.owner, nesting=body.nesting)
        bind(child)
        value = self.value(child, inner)
        if value is not NOTHING:
            child.emit(["return", value], self.row(node))
        return ["func", symbol.name]

    def assign(self, body: Body, target: Expression, value: Expression, row: int) -> None:
        """Give a value to a variable or an attribute; nothing for a target that is neither."""
        if target is NOTHING or value is NOTHING:
            self.do(body, value, row)
        elif isinstance(target, str) or target[0] in ("attr", "item", "unpack"):
            body.emit(["=", target, value], row)
        else:
            self.do(body, value, row)


def has_call(value: Expression) -> bool:
    """Whether a call is somewhere in a value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list) and one:
            if one[0] in ("call", "new"):
                return True
            waiting.extend(one[1:] if isinstance(one[0], str) else one)
    return False


def parameters(body: Body, found: Iterable[tuple[str, Expression, str]], row: int, *, rest: bool = False) -> None:
    """Declare a function's parameters. found: (name, type, its text), in order. rest: the last takes what is left."""
    made = []
    for place, (name, type, text) in enumerate(found):
        variable = body.declare(name) if name and name != "_" else f"{{{place + 1}}}"
        made.append(Parameter(variable, "only", type=text))
        if type is not NOTHING:
            body.emit(["typed", variable, type], row)
    if rest and made:
        made[-1].kind = "rest"
    body.symbol.parameters = tuple(made)


def finished(path: str, language: str, reader: Reader, notes: tuple[str, ...], config: dict[str, Expression]) -> Facts:
    """The facts of a file that was read."""
    broken = (*reader.source.broken(), *reader.notes)
    return Facts(
        path=path,
        language=language,
        blob="",
        parse="partial" if broken else "full",
        notes=(*notes, *broken),
        symbols=reader.symbols,
        imports=reader.imports,
        config=config,
    )


def begin(raw: bytes, grammar: Grammar) -> tuple[Reader, Body, tuple[str, ...]]:
    """A reader of a file, the file's own body, and notes of its encoding."""
    text, notes = utf8(raw)
    reader = Reader(Source(grammar.name, text, comments=grammar.comments), grammar)
    program = reader.symbol("", "module", reader.source.root, 0)
    program.start, program.end = 1, max(text.count(b"\n") + (not text.endswith(b"\n")), 1)
    program.signature = program.body_hash = ""
    return reader, Body(program, None), notes


def comment_text(comments: Iterable[str]) -> str:
    """Comments as text: without their marks, and without the margin that all lines share."""
    lines: list[str] = []
    for comment in comments:
        if comment.startswith("/*"):
            inner = comment.removeprefix("/**").removeprefix("/*!").removeprefix("/*").removesuffix("*/")
            lines.extend(line.strip().removeprefix("*").removeprefix(" ") for line in inner.splitlines())
        else:
            lines.extend(line.lstrip().lstrip("/").removeprefix("!").removeprefix(" ") for line in comment.splitlines())
    return "\n".join(line.rstrip() for line in lines).strip("\n")
