"""Scopes: the bodies that have flows, the blocks in them, and which value of a variable a place sees.

In straight-line code an assignment overwrites, so that each one makes a *version* of its variable (`x`, `x@2`, …);
where ways join, versions join. Within a loop, a `try`, a `switch` or a part that may not run, an assignment adds to the
version that was there. Bodies of functions are read after the body that they stand in, when all versions of its
variables are known: a closure sees the version of the moment it was made, or all of them if the variable changes later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sbfs.code.facts import Statement, Symbol

MOST = 300
"""Variables of a body that are told apart over time; of further ones all values count everywhere."""


@dataclass(slots=True, eq=False)
class Binding:
    """A declared name.

    text: its variable. made: when its latest version was made. constant: its text, where it is a constant one.
    joined: some closure sees all versions; stored: some closure assigns. weak: parts around it that may not run.
    """

    frame: Frame
    text: str
    weak: int
    versions: list[str] = field(default_factory=list)
    made: int = 0
    joined: bool = False
    stored: bool = False
    constant: str | None = None
    object_name: str = ""


class Block:
    """A lexical scope: names and what they are bound to."""

    __slots__ = ("frame", "names", "parent")

    def __init__(self, frame: Frame, parent: Block | None) -> None:
        self.frame = frame
        self.parent = parent
        self.names: dict[str, Binding] = {}

    def find(self, name: str) -> Binding | None:
        """What a name is bound to, seen from here."""
        block: Block | None = self
        while block is not None:
            found = block.names.get(name)
            if found is not None:
                return found
            block = block.parent
        return None


class Frame:
    """A body that has flows: of the module, a function, a class or a namespace.

    kind: module, function, arrow, class, namespace. seen: versions at the moment it was made, None if it was hoisted.
    home: symbol of the method, whose class `super` is about. owner: name of the class or object whose member it is.
    """

    __slots__ = (
        "arguments",
        "block",
        "dead",
        "env",
        "home",
        "kind",
        "lambdas",
        "made",
        "name",
        "names",
        "owner",
        "parent",
        "receiver",
        "seen",
        "symbol",
        "types",
        "weak",
    )

    def __init__(self, symbol: Symbol, kind: str, parent: Frame | None, block: Block | None = None) -> None:
        self.symbol = symbol
        self.name = symbol.name
        self.kind = kind
        self.parent = parent
        self.block = Block(self, block)
        self.env: dict[Binding, str] = {}
        """Variables whose present version is not their first."""
        self.seen: dict[Binding, str] | None = None
        self.made = 0
        self.weak = 0
        self.dead = False
        self.names: dict[str, int] = {}
        self.lambdas: dict[str, int] = {}
        self.types: dict[str, Any] = {}
        self.home = ""
        self.owner = ""
        self.receiver = False
        self.arguments = False

    def emit(self, statement: Statement, line: int) -> None:
        """Add a flow."""
        self.symbol.flows.append(statement)
        self.symbol.flow_lines.append(line)

    def fresh(self, name: str) -> str:
        """Give a variable's text that is new here: `x`, then `x@2`, …; `~x` where plain names are members."""
        number = self.names.get(name, 0) + 1
        self.names[name] = number
        text = f"~{name}" if self.kind in ("class", "namespace") else name
        return text if number == 1 else f"{text}@{number}"

    def declare(self, name: str, block: Block | None = None) -> Binding:
        """Bind a name in a block of this frame, its innermost by default."""
        block = block or self.block
        binding = block.names.get(name)
        if binding is None:
            binding = block.names[name] = Binding(self, self.fresh(name), self.weak)
        return binding


class Versions:
    """Who sees which version of a variable."""

    def __init__(self) -> None:
        self.clock = 0
        self._joined: list[Binding] = []

    def read(self, frame: Frame, binding: Binding) -> str:
        """Name the variable that a place in a frame reads."""
        if binding.frame is frame:
            return frame.env.get(binding, binding.text)
        return f"{binding.frame.name}:{self._seen(frame, binding)}"

    def assign(self, frame: Frame, binding: Binding) -> str:
        """Name the variable that an assignment writes."""
        if binding.frame is not frame:
            if binding.frame is _around(frame):
                return f"{binding.frame.name}:{self._write(binding.frame, binding)}"
            binding.stored = True
            return f"{binding.frame.name}:{self._join(binding)}"
        return self._write(frame, binding)

    def _write(self, frame: Frame, binding: Binding) -> str:
        self.clock += 1
        if binding.versions and (frame.weak > binding.weak or len(frame.env) >= MOST):
            return frame.env.get(binding, binding.text)
        return self.version(frame, binding)

    def version(self, frame: Frame, binding: Binding) -> str:
        """Make a new version of a variable of this frame."""
        self.clock += 1
        text = binding.text
        if binding.versions:
            text = frame.fresh(text.partition("@")[0].removeprefix("~"))
        binding.versions.append(text)
        binding.made = self.clock
        if text != binding.text:
            frame.env[binding] = text
        return text

    def join(self, frame: Frame, ways: list[dict[Binding, str]], line: int) -> None:
        """Let ways meet: the frame goes on with what any of them left."""
        frame.env = merged = dict(ways[0])
        for binding in {binding: None for way in ways for binding in way}:
            texts = list(dict.fromkeys(way.get(binding, binding.text) for way in ways))
            if len(texts) > 1:
                frame.emit(["=", self.version(frame, binding), ["any", list(texts)]], line)
            else:
                merged[binding] = texts[0]

    def close(self, line: int) -> None:
        """Write the copies that closures need, when all bodies are read."""
        for binding in self._joined:
            if len(binding.versions) < 2:
                continue
            text = f"{binding.text}@*"
            binding.frame.emit(["=", text, ["any", list(binding.versions)]], line)
            if binding.stored:
                for version in binding.versions:
                    binding.frame.emit(["=", version, text], line)

    def _seen(self, frame: Frame, binding: Binding) -> str:
        inner: Frame = frame
        while inner.parent is not None and inner.parent is not binding.frame:
            inner = inner.parent
        if _around(frame) is binding.frame:
            return binding.frame.env.get(binding, binding.text)
        if len(binding.versions) < 2:
            return binding.text
        if inner.seen is None or binding.made > inner.made:
            return self._join(binding)
        return inner.seen.get(binding, binding.text)

    def _join(self, binding: Binding) -> str:
        if len(binding.versions) < 2:
            return binding.text
        if not binding.joined:
            binding.joined = True
            self._joined.append(binding)
        return f"{binding.text}@*"


def _around(frame: Frame) -> Frame:
    """The body within which a class's body runs."""
    while frame.kind in ("class", "namespace") and frame.parent is not None:
        frame = frame.parent
    return frame
