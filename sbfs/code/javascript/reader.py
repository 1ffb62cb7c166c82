"""The state of reading one file, and the way down its tree.

What a node means is said by functions `(reader, node) -> …` in the other modules of this package, which are found by
the node's type.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from sbfs.code.facts import Expression, Facts, Import, Symbol
from sbfs.code.javascript.frames import Binding, Frame, Versions
from sbfs.code.javascript.source import Text
from sbfs.code.treesitter import DEPTH

if TYPE_CHECKING:
    from tree_sitter import Node

QUIET = frozenset(("func", "class", "lit", "this", "instance", "self", "module", "block"))
"""Forms that do nothing by being looked at."""


class Reader:
    """One file's state.

    hint: the name that a function, class or object would get that is found now; owner: what it would be a member of.
    """

    values: ClassVar[dict[str, Callable[[Reader, Node], Expression]]] = {}
    statements: ClassVar[dict[str, Callable[[Reader, Node], None]]] = {}
    hoists: ClassVar[Callable[[Reader, list[Node]], None]]
    declares: ClassVar[Callable[[Reader, Node, Node], None]]

    def __init__(self, text: Text, path: str) -> None:
        self.source = text
        self.path = path
        self.symbols: dict[str, Symbol] = {}
        self.imports: list[Import] = []
        self.exports: dict[str, None] = {}
        self.exported: dict[str, None] = {}
        self.at_end: list[Callable[[], None]] = []
        self.notes: list[str] = list(text.notes)
        self.partial = False
        self.versions = Versions()
        self.waiting: deque[Callable[[], None]] = deque()
        self.hint: str | None = None
        self.owner = ""
        self.anchor = 0
        self.depth = 0
        self.starts: dict[str, int] = {}
        self.given: dict[str, int] = {}
        self.links: dict[int, Expression] = {}
        self.in_chain = False
        self.guards: dict[str, Node] = {}
        self.unread: dict[Binding, dict[str | int, Callable[[], None]]] = {}
        root = text.root
        self.module = self.symbol("", "module", root, root, row=0)
        self.frame = Frame(self.module, "module", None)

    # Text and places

    def text(self, node: Node | None) -> str:
        """The node's text; "" for none."""
        return "" if node is None else self.source.text(node)

    def line(self, node: Node) -> int:
        """The node's first line, from 1."""
        return node.start_point[0] + 1

    def site(self, node: Node) -> int:
        """Number a call site of the present body."""
        sites = self.frame.symbol.sites
        sites.append(self.line(node))
        return len(sites) - 1

    # Symbols

    def symbol(self, name: str, type: Any, node: Node, whole: Node, *, row: int) -> Symbol:
        """Make a symbol, under a name of its own. whole: the node with its decorators; row: its first line, from 0."""
        number = self.given.get(name, 0) + 1
        self.given[name] = number
        name = name if number == 1 else f"{name}#{number}"
        while name in self.symbols:
            name = f"{name}#2"
        start = min(row, whole.start_point[0]) + 1
        end_row, column = whole.end_point[0], whole.end_point[1]
        end = end_row + 1 if column or end_row < start else end_row
        symbol = Symbol(name, type, start, max(end, start), exported=False)
        self.symbols[name] = symbol
        self.starts[name] = node.start_byte
        return symbol

    def within(self, name: str) -> str:
        """A name in the present body."""
        return f"{self.frame.name}.{name}" if self.frame.name else name

    def anonymous(self, word: str) -> str:
        """The next name of what has none here: `<lambda1>`."""
        number = self.frame.lambdas.get(word, 0) + 1
        self.frame.lambdas[word] = number
        return self.within(f"<{word}{number}>")

    # Down the tree

    def value(self, node: Node | None, hint: str | None = None, owner: str = "") -> Expression:
        """What an expression gives. hint: full name for what it defines; owner: what that is a member of."""
        if node is None:
            return None
        handle = self.values.get(node.type)
        if handle is None:
            return None
        if self.depth >= DEPTH:
            self.too_deep(node)
            return None
        before, self.hint, self.owner = (self.hint, self.owner), hint, owner
        self.depth += 1
        try:
            return handle(self, node)
        finally:
            self.depth -= 1
            self.hint, self.owner = before

    def effects(self, node: Node | None) -> None:
        """Let an expression happen whose value nobody takes."""
        if node is None:
            return
        if node.type == "assignment_expression":
            self.statement(node)
        else:
            self.happen(self.value(node), node)

    def happen(self, expression: Expression, node: Node) -> None:
        """Emit an expression if anything happens in it."""
        if matters(expression):
            self.frame.emit(["do", expression], self.line(node))

    def maybe(self, node: Node | None, hint: str | None = None) -> Expression:
        """What an expression gives that may not be worked out at all."""
        self.frame.weak += 1
        self.ran()
        try:
            return self.value(node, hint)
        finally:
            self.ran()
            self.frame.weak -= 1

    def statement(self, node: Node) -> None:
        """Read a statement; an expression where one stands in its place."""
        handle = self.statements.get(node.type)
        if handle is None:
            if node.type in self.values:
                self.effects(node)
            return
        if self.depth >= DEPTH:
            self.too_deep(node)
            return
        self.depth += 1
        try:
            handle(self, node)
        finally:
            self.depth -= 1

    def too_deep(self, node: Node) -> None:
        """Note that a part is left out."""
        self.partial = True
        note = f"line {self.line(node)}: nested more than {DEPTH} deep, left out"
        if note not in self.notes and len(self.notes) < 10:
            self.notes.append(note)

    def later(self, frame: Frame, read: Callable[[], None], *, hoisted: bool = False) -> None:
        """Read a body when the one around it is done. hoisted: it could be called before any line of that one."""
        frame.seen = None if hoisted else dict(self.frame.env)
        frame.made = self.versions.clock

        def run() -> None:
            self.frame, self.depth, self.in_chain = frame, 0, False
            self.ran()
            read()

        self.waiting.append(run)

    # Variables

    def variable(self, name: str) -> str:
        """The variable that a name reads here."""
        binding = self.frame.block.find(name)
        if binding is None:
            return f":{name}"
        self.unread.pop(binding, None)
        return self.versions.read(self.frame, binding)

    def ran(self) -> None:
        """Something ran that may have read any member: what was stored last counts from here on."""
        self.unread.clear()

    def stored(self, binding: Binding, key: str | int, undo: Callable[[], None]) -> None:
        """A member is set that nothing has read yet: if that key was set before, it is as if it had not been."""
        if binding.frame is not self.frame or self.frame.weak > binding.weak:
            return
        members = self.unread.setdefault(binding, {})
        before = members.get(key)
        if before is not None:
            before()
        members[key] = undo

    def find(self, name: str) -> Binding | None:
        """What a name is bound to here."""
        return self.frame.block.find(name)

    def put(self, binding: Binding, expression: Expression, node: Node) -> str:
        """Assign to a variable; gives the variable's text."""
        text = self.versions.assign(self.frame, binding)
        self.frame.emit(["=", text, expression], self.line(node))
        return text

    def named(self, expression: Expression, node: Node) -> Expression:
        """An expression that may stand in several places, as one that may be read again."""
        if not isinstance(expression, list) or expression[0] in ("this", "self", "instance", "module", "lit"):
            return expression
        text = self.frame.fresh("=")
        self.frame.emit(["=", text, expression], self.line(node))
        return text

    def receiver(self) -> Expression:
        """What `this` is here."""
        frame = self.frame
        static = frame.kind == "class" and frame.owner == "static"
        if frame.kind == "function":
            return ["this"]
        if frame.kind == "class":
            return ["self"] if static else ["instance"]
        while frame.kind == "arrow" and frame.parent is not None:
            static = frame.owner == "static"
            frame = frame.parent
        if frame.kind == "function":
            if not frame.receiver:
                frame.receiver = True
                frame.emit(["=", "this", ["this"]], frame.symbol.start)
            return f"{frame.name}:this"
        if frame.kind == "class":
            word = "~self" if static else "~this"
            if word not in frame.names:
                frame.names[word] = 1
                frame.emit(["=", word, ["self"] if static else ["instance"]], frame.symbol.start)
            return f"{frame.name}:{word}"
        return ["module", "", 0, ""] if frame.kind == "module" and not self.exports else None

    def home(self) -> str:
        """The method whose class `super` is about: arrows look around them."""
        frame: Frame | None = self.frame
        while frame is not None:
            if frame.home:
                return frame.home
            if frame.kind in ("class", "function"):
                return frame.name
            frame = frame.parent
        return ""

    # The whole

    def run(self) -> None:
        """Read the whole file."""
        nodes = self.source.root.named_children
        type(self).hoists(self, nodes)
        for node in nodes:
            self.statement(node)
        module = self.frame
        for end in self.at_end:
            end()
        while self.waiting:
            self.waiting.popleft()()
        self.frame = module
        self.versions.close(1)
        for symbol in self.symbols.values():
            _drop_undone(symbol)

    def facts(self, language: str) -> Facts:
        """What was read, in the order of the source."""
        symbols = sorted(self.symbols.values(), key=lambda symbol: (symbol.name != "", self.starts[symbol.name]))
        broken = self.source.source.broken()
        return Facts(
            self.path,
            language,
            "",
            "partial" if broken or self.partial else "full",
            (*self.notes, *broken),
            symbols=symbols,
            imports=self.imports,
            exports=tuple(self.exports) if self.exports else None,
        )


def _drop_undone(symbol: Symbol) -> None:
    """Leave out statements that were undone."""
    if [] in symbol.flows:
        kept = [place for place, flow in enumerate(symbol.flows) if flow]
        symbol.flow_lines = [symbol.flow_lines[place] for place in kept]
        symbol.flows = [symbol.flows[place] for place in kept]


def matters(expression: Expression) -> bool:
    """Whether working an expression out can do anything."""
    if not isinstance(expression, list):
        return False
    head = expression[0]
    if head in QUIET:
        return False
    if head in ("any", "list"):
        return any(matters(part) for part in expression[1])
    if head == "object":
        return any(matters(part) for _, part in expression[1])
    if head in ("*", "cast", "slice", "promise"):
        return matters(expression[1])
    return True
