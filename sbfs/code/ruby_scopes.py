"""What the reader of Ruby keeps while it walks a file: scopes with their locals, and the symbols found so far.

Locals are versioned: an assignment makes a later version, branches join theirs, a loop or a block joins with what was
before it. A lambda runs at an unknown time, so what it captures is one variable with all the versions in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sbfs.code.facts import Expression, Import, Symbol, SymbolType, Visibility
from sbfs.code.treesitter import DEPTH, Source

if TYPE_CHECKING:
    from tree_sitter import Node

NOTHING: Expression = None
"""A value that cannot matter: a number, nil, what could not be read."""
Kind = Literal["file", "class", "method", "block", "lambda"]
Handler = Callable[["Reader", "Scope", "Node"], Expression]

ASSIGNED = """
(assignment left: (identifier) @n)
(operator_assignment left: (identifier) @n)
(left_assignment_list (identifier) @n)
(rest_assignment (identifier) @n)
(for pattern: (identifier) @n)
(exception_variable (identifier) @n)
(destructured_left_assignment (identifier) @n)
"""


@dataclass(slots=True)
class Home:
    """Where `def` puts a method: into scope's class, module or file, or its singleton.

    holder: another thing whose singleton it is. visibility: of the definitions that follow. function: after
    `module_function`.
    """

    scope: Scope
    singleton: bool = False
    visibility: Visibility = "public"
    function: bool = False
    holder: Expression = None

    def key(self, name: str) -> str:
        """The variable of the class's body that holds the method."""
        return f"self.{name}" if self.singleton else name


class Scope:
    """One body. env: local → its current version. nesting: full names of the modules around, innermost first."""

    __slots__ = (
        "arguments", "captured", "counts", "env", "home", "kind", "lexical", "merged", "method_name", "methods",
        "nesting", "owner", "parent", "prefix", "receiver", "symbol", "temporary",
    )  # fmt: skip

    def __init__(self, kind: Kind, symbol: Symbol, parent: Scope | None, *, nesting: tuple[str, ...] = ()) -> None:
        self.kind = kind
        self.symbol = symbol
        self.parent = parent
        self.nesting = nesting
        self.env: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        self.captured: set[str] = set()
        self.merged: set[str] = set()
        self.temporary = 0
        self.receiver: Expression = None
        self.method_name = ""
        self.arguments: list[tuple[str, str]] = []
        # Of a class's or file's body: the path of its name; its methods: variable → (symbol, place of its statement).
        self.prefix = ""
        self.methods: dict[str, tuple[Symbol | None, int]] = {}
        self.home: Home = parent.home if parent is not None else Home(self)
        self.lexical: set[str] = set()
        # What a block belongs to: the method, lambda, class or file around it.
        self.owner: Scope = parent.owner if kind == "block" and parent is not None else self

    def chain(self) -> list[Scope]:
        """Itself and, from a block, the scopes whose locals change as it runs."""
        found: list[Scope] = [self]
        while found[-1].kind == "block" and found[-1].parent is not None:
            found.append(found[-1].parent)
        return found

    def holder(self, name: str) -> tuple[Scope | None, bool]:
        """The scope of a local that is visible here, and whether a lambda lies between."""
        scope: Scope | None = self
        later = False
        while scope is not None:
            if name in scope.env:
                return scope, later
            if scope.kind not in ("block", "lambda"):
                break
            later = later or scope.kind == "lambda"
            scope = scope.parent
        return None, False

    def plain(self, name: str) -> str:
        """The local as a variable: names of classes' and files' bodies are attributes, so their locals are marked."""
        return f"%{name}" if self.kind in ("file", "class") else name

    def seen(self, scope: Scope, variable: str) -> str:
        """A variable of another scope, as it is written here."""
        return variable if scope is self else f"{scope.symbol.name}:{variable}"

    def read(self, name: str) -> str | None:
        """The variable that a local stands for here; none where there is no such local."""
        scope, later = self.holder(name)
        if scope is None:
            return None
        if later:
            scope.captured.add(name)
            return self.seen(scope, scope.plain(name))
        return self.seen(scope, scope.env[name])

    def write(self, name: str) -> str:
        """The variable that an assignment to a local goes to."""
        scope, later = self.holder(name)
        if scope is None:
            scope = self
        if later:
            scope.merge(name)
        if name in scope.merged:
            return self.seen(scope, scope.plain(name))
        scope.env[name] = scope.version(name)
        return self.seen(scope, scope.env[name])

    def version(self, name: str) -> str:
        """A version of a local that nothing has used."""
        count = self.counts[name] = self.counts.get(name, 0) + 1
        return self.plain(name) if count == 1 else f"{self.plain(name)}@{count}"

    def merge(self, name: str) -> None:
        """From here on all values of a local are one variable."""
        if name not in self.merged:
            self.merged.add(name)
            self.captured.add(name)
            self.env[name] = self.plain(name)

    def temp(self) -> str:
        """A variable for a value that is needed twice."""
        self.temporary += 1
        return f"%{self.temporary}"

    def emit(self, statement: list[Expression], row: int) -> None:
        """Add a flow. row: line from 0."""
        self.symbol.flows.append(statement)
        self.symbol.flow_lines.append(row + 1)

    def site(self, row: int) -> int:
        """The number of a new call site."""
        self.symbol.sites.append(row + 1)
        return len(self.symbol.sites) - 1

    def this(self) -> Expression:
        """`self`. A block reads its own variable, fed by what is around it, and by whoever calls it with another."""
        if self.receiver is not None:
            return self.receiver
        if self.kind not in ("block", "lambda") or self.parent is None:
            return {"class": ["own"], "file": ["main"]}.get(self.kind, ["this"])
        if "self" not in self.lexical:
            self.lexical.add("self")
            around = self.parent.this()
            if around in (["this"], ["own"], ["main"]):
                self.parent.share("self", around)
                around = self.seen(self.parent, self.parent.plain("self"))
            elif isinstance(around, str) and ":" not in around:
                around = self.seen(self.parent, around)
            row = self.symbol.start - 1
            self.emit(["=", "self", around], row)
            self.emit(["=", "self", ["this"]], row)
        return "self"

    def share(self, name: str, value: Expression) -> None:
        """Put something of a method where its blocks can read it, once."""
        if name not in self.lexical:
            self.lexical.add(name)
            self.emit(["=", self.plain(name), value], self.symbol.start - 1)

    def given_block(self) -> Expression:
        """The block that the method around was given: its variable `&`."""
        scope = self
        while scope.kind in ("block", "lambda") and scope.parent is not None:
            scope = scope.parent
        return self.seen(scope, "&")

    def branch(self) -> None:
        """Count one more way through the function around."""
        if self.owner.symbol.complexity:
            self.owner.symbol.complexity += 1

    def close(self) -> None:
        """Give what captured a local all of its values."""
        for name in sorted(self.captured):
            for count in range(2, self.counts.get(name, 0) + 1):
                self.emit(["=", self.plain(name), f"{self.plain(name)}@{count}"], self.symbol.start - 1)


class Reader:
    """A file being read. handlers: type of syntax → what gives its value."""

    def __init__(self, source: Source, handlers: dict[str, Handler]) -> None:
        self.source = source
        self.handlers = handlers
        self.symbols: list[Symbol] = []
        self.imports: list[Import] = []
        self.notes: list[str] = []
        self.names: dict[str, int] = {}
        self.depth = 0
        self.branching = 0
        self.heredocs: dict[int, Node] = {}

    def symbol(self, name: str, type: SymbolType, node: Node, *, doc: str = "", **fields: object) -> Symbol:
        """A new symbol that spans a node; a second one of its name is numbered."""
        count = self.names[name] = self.names.get(name, 0) + 1
        found = Symbol(
            name=name if count == 1 else f"{name}#{count}",
            type=type,
            start=node.start_point[0] + 1,
            end=node.end_point[0] + 1,
            doc=doc,
            **fields,  # type: ignore[arg-type]
        )
        self.symbols.append(found)
        return found

    def value(self, scope: Scope, node: Node | None) -> Expression:
        """What a piece of syntax is worth; what it does goes to the scope's flows."""
        if node is None:
            return NOTHING
        if self.depth >= DEPTH:
            note = f"line {node.start_point[0] + 1}: nested too deeply"
            if note not in self.notes and len(self.notes) < 5:
                self.notes.append(note)
            return NOTHING
        self.depth += 1
        try:
            handler = self.handlers.get(node.type)
            if handler is not None:
                return handler(self, scope, node)
            return self.each(scope, node.named_children) if node.named_child_count else NOTHING
        finally:
            self.depth -= 1

    def each(self, scope: Scope, nodes: Iterable[Node]) -> Expression:
        """Run statements; the value is the last one's."""
        last: Expression = NOTHING
        row = 0
        for node in nodes:
            if node.type in ("comment", "heredoc_body", "heredoc_end", "empty_statement"):
                continue
            self.do(scope, last, row)
            last = self.value(scope, node)
            row = node.start_point[0]
        return last

    def do(self, scope: Scope, value: Expression, row: int) -> None:
        """Keep a value that nothing uses, if a call is in it."""
        if calls_something(value):
            scope.emit(["do", value], row)

    def hold(self, scope: Scope, value: Expression, row: int) -> Expression:
        """The value as something that may be written twice."""
        if isinstance(value, str) or not calls_something(value):
            return value
        name = scope.temp()
        scope.emit(["=", name, value], row)
        return name

    # Ways through a body

    def arms(self, scope: Scope, ways: list[Callable[[], Expression]]) -> Expression:
        """One of several ways is gone; the value is one of theirs."""
        before = _snapshot(scope)
        ends = []
        values = []
        for way in ways:
            _restore(scope, before)
            scope.lexical.discard("ended")
            self.branching += 1
            value = way()
            self.branching -= 1
            if "ended" not in scope.lexical:
                ends.append(_snapshot(scope))
                values.append(value)
        scope.lexical.discard("ended")
        if not ends:
            _restore(scope, before)
            scope.lexical.add("ended")
            return NOTHING
        _join(scope, ends)
        values = [value for value in values if value is not NOTHING]
        return values[0] if len(values) == 1 else ["any", values] if values else NOTHING

    def repeat(self, scope: Scope, node: Node, body: Callable[[], Expression]) -> Expression:
        """A body that runs any number of times: what it assigns is seen at its beginning."""
        heads = []
        for name in dict.fromkeys(self.source.text(found) for found in self.source.find(ASSIGNED, node)):
            holder, later = scope.holder(name)
            if holder is None or later or name in holder.merged:
                continue
            before = holder.env[name]
            head = holder.env[name] = holder.version(name)
            scope.emit(["=", scope.seen(holder, head), scope.seen(holder, before)], node.start_point[0])
            heads.append((holder, name, head))
        value = body()
        scope.lexical.discard("ended")
        for holder, name, head in heads:
            if holder.env[name] != head:
                scope.emit(["=", scope.seen(holder, head), scope.seen(holder, holder.env[name])], node.start_point[0])
            holder.env[name] = head
        return value

    def interrupted(self, scope: Scope, node: Node, body: Callable[[], Expression]) -> Expression:
        """A body that may be left anywhere: afterwards a local has any value that it was given."""
        names = dict.fromkeys(self.source.text(found) for found in self.source.find(ASSIGNED, node))
        before = {
            name: (holder, holder.env[name], holder.counts.get(name, 0))
            for name in names
            if (holder := scope.holder(name)[0])
        }
        value = body()
        for name, (holder, version, count) in before.items():
            if name in holder.merged or holder.counts.get(name, 0) == count:
                continue
            versions = [version] + [
                f"{holder.plain(name)}@{number}" for number in range(max(count, 1) + 1, holder.counts[name] + 1)
            ]
            head = holder.env[name] = holder.version(name)
            for one in versions:
                scope.emit(["=", scope.seen(holder, head), scope.seen(holder, one)], node.start_point[0])
        return value


Ends = list[dict[str, str]]


def _snapshot(scope: Scope) -> Ends:
    return [dict(one.env) for one in scope.chain()]


def _restore(scope: Scope, ends: Ends) -> None:
    for one, env in zip(scope.chain(), ends, strict=True):
        one.env = {name: one.plain(name) if name in one.merged else version for name, version in env.items()}


def _join(scope: Scope, ends: list[Ends]) -> None:
    for place, one in enumerate(scope.chain()):
        env: dict[str, str] = {}
        for name in dict.fromkeys(name for end in ends for name in end[place]):
            versions = list(dict.fromkeys(end[place][name] for end in ends if name in end[place]))
            if name in one.merged:
                env[name] = one.plain(name)
            elif len(versions) == 1:
                env[name] = versions[0]
            else:
                env[name] = one.version(name)
                for version in versions:
                    scope.emit(["=", scope.seen(one, env[name]), scope.seen(one, version)], scope.symbol.start - 1)
        one.env = env


def calls_something(value: Expression) -> bool:
    """Whether a call is somewhere in a value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list) and one:
            if one[0] in ("call", "op", "raise"):
                return True
            waiting.extend(one[1:] if isinstance(one[0], str) else one)
    return False
