"""Scopes of Python source, and which value a name has at a place.

A scope holds, for each of its names, the variables that it may stand for just now. Assigning makes a new variable
(`x`, `x@2`, `x@3` …), branches are joined by taking what either leaves, and a loop's head may have what its end left
(a Phi). Each binding is logged, so that a function defined within can be told what it may see: what held when it could
first be called, and all that came later.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from sbfs.code.facts import Expression, Symbol
from sbfs.code.languages import words

BUILTINS = words(
    "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError "
    "BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError "
    "ConnectionResetError DeprecationWarning EOFError EncodingWarning EnvironmentError Exception ExceptionGroup "
    "FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError "
    "ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt "
    "LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError "
    "OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError "
    "ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning "
    "SystemError SystemExit TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError "
    "UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError "
    "__build_class__ __import__ abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr "
    "classmethod compile complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float "
    "format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len license list "
    "locals map max memoryview min next object oct open ord pow print property quit range repr reversed round set "
    "setattr slice sorted staticmethod str sum super tuple type vars zip"
)
"""What every Python from 3.11 gives without import: written down, so that facts do not depend on the running one."""


@dataclass(frozen=True, slots=True)
class Const:
    """A name that stands for a constant, which may be a key. begins: of a text, only the beginning is known."""

    value: str | int
    begins: bool = False

    @property
    def expression(self) -> Expression:
        """As a value: of numbers nothing is called."""
        return ["lit", "str"] if isinstance(self.value, str) else None


@dataclass(frozen=True, slots=True)
class Given:
    """A builtin that a branch did not overwrite."""

    name: str


class Phi:
    """What a name may be at the head of a loop: its value before, or what the loop's end left. Written only if read."""

    __slots__ = ("closed", "name", "operands", "scope", "used")

    def __init__(self, scope: Scope, name: str, before: Value) -> None:
        self.scope = scope
        self.name = name
        self.operands: list[Value] = [before]
        self.used = False
        self.closed = False

    def use(self) -> str:
        """Its variable."""
        if not self.used:
            self.used = True
            if self.closed:
                self._write()
        return self.name

    def close(self, ends: Iterable[Value]) -> None:
        """Tell what the loop's end leaves."""
        self.operands.extend(ends)
        self.closed = True
        if self.used:
            self._write()

    def after(self) -> Value:
        """The name's value when the loop is over."""
        atoms = tuple(atom for atom in merged(self.operands) if atom is not self)
        return atoms[0] if len(atoms) == 1 and isinstance(atoms[0], str) else atoms

    def _write(self) -> None:
        if (expression := self.scope.expression(self.after())) is not None:
            self.scope.write(["=", self.name, expression], self.scope.symbol.start)


Atom = str | Const | Given | Phi
Value = str | tuple[Atom, ...]
"""Variables that a name may stand for; the empty tuple: nothing of interest."""


def merged(values: Iterable[Value]) -> tuple[Atom, ...]:
    """All atoms, each once, in order."""
    atoms: dict[Atom, None] = {}
    for value in values:
        if value.__class__ is str:
            atoms[value] = None
        else:
            atoms.update(dict.fromkeys(value))
    return tuple(atoms)


Env = dict[str, Value]


class Scope:
    """A module's, class's or function's names while its body is read.

    home: the nearest scope outwards whose names can be seen: never a class. clock: the scope whose log tells time, a
    class's home. seen: how much of home's log had been written when this could first run. counts: bindings of each
    name, where others see the last (module, class). cells: names that functions within assign, so that any of their
    values may hold at any time. mangler: what private names begin with. loops, depth: how many loops, and branches of
    any kind, are open.
    """

    __slots__ = (
        "cells", "clock", "counts", "defs", "depth", "env", "forwarded", "globals", "heap", "home", "index", "is_class",
        "is_module", "lambdas", "log", "loops", "mangler", "name", "names", "nonlocals", "origins", "pending", "reads",
        "seen", "shapes", "symbol", "versions",
    )  # fmt: skip

    def __init__(self, symbol: Symbol, home: Scope | None, mangler: str = "") -> None:
        self.symbol = symbol
        self.name = symbol.name
        self.home = home
        self.is_class = symbol.type in _CLASS_TYPES
        self.is_module = home is None
        self.mangler = mangler
        self.clock: Scope = home if self.is_class and home is not None else self
        self.seen: float = 0
        self.env: Env = {}
        self.log: list[tuple[str, Value]] = []
        self.index: dict[str, list[tuple[int, Value]]] | None = None
        self.versions: dict[str, int] = {}
        self.counts: dict[str, int] | None = None
        self.cells: frozenset[str] | set[str] = frozenset()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.names: dict[str, int] = {}
        self.lambdas = 0
        self.loops = 0
        self.depth = 0
        self.defs: dict[str, list[Later]] = {}
        self.pending: list[Later] = []
        self.heap: list[tuple[float, int, Later]] = []
        self.origins: dict[str, Value] = {}
        self.shapes: dict[str, Shape] = {}
        self.forwarded: dict[tuple[str, str | int], Any] = {}
        self.reads: set[str] = set()

    # -- writing ------------------------------------------------------------------------------

    def write(self, statement: list[Any], line: int) -> None:
        """Add a statement to the symbol's flows."""
        self.symbol.flows.append(statement)
        self.symbol.flow_lines.append(line)

    def variable(self, name: str) -> str:
        """The variable for the next value of a name."""
        if name in self.cells:
            return name
        number = self.versions.get(name, 0) + 1
        self.versions[name] = number
        if self.counts is not None:
            return f"{name}@{number}" if self.counts.get(name, 0) > 1 else name
        return name if number == 1 else f"{name}@{number}"

    def temporary(self, name: str) -> str:
        """A variable that stands for no single value of the name: a loop's head, a comprehension's own, a copy."""
        number = self.versions.get(name, 0) + 1
        if number == 1:
            number = 2  # the plain name stays for the name's own first value
        self.versions[name] = number
        return f"{name}@{number}"

    def bind(self, name: str, value: Value) -> None:
        """Let a name stand for a value from here on."""
        self.env[name] = value
        self.log.append((name, value))

    def unbind(self, name: str) -> None:
        """`del name`."""
        if self.env.pop(name, None) is not None:
            self.log.append((name, ()))

    # -- reading ------------------------------------------------------------------------------

    def expression(self, value: Value, prefix: str = "") -> Expression:
        """A value as an expression, for a scope that names this one's variables with a prefix."""
        if value.__class__ is str:
            return prefix + value
        parts: list[Expression] = []
        for atom in value:
            if atom.__class__ is str:
                part: Expression = prefix + atom
            elif atom.__class__ is Phi:
                part = prefix + atom.use()
            elif atom.__class__ is Given:
                part = ["module", "builtins", 0, atom.name]
            else:
                part = atom.expression  # type: ignore[union-attr]
            if part is not None and part not in parts:
                parts.append(part)
        if len(parts) > 1:
            return ["any", parts]
        return parts[0] if parts else None

    def touch(self, name: str, when: float) -> None:
        """A function or class of this scope is mentioned: from now on it may run."""
        for later in self.defs.get(name, ()):
            if when < later.seen:
                later.seen = when
                heappush(self.clock.heap, (when, later.number, later))

    def defer(self, later: Later) -> None:
        """Read a body after this scope's own."""
        later.number = len(self.pending)
        self.pending.append(later)
        if later.seen != NEVER:
            heappush(self.heap, (later.seen, later.number, later))

    def drain(self) -> None:
        """Read all bodies, those that may run first before the others, since they tell when others may."""
        for later in self.pending:
            while self.heap:
                heappop(self.heap)[2].run_once()
            later.run_once()
        while self.heap:
            heappop(self.heap)[2].run_once()
        self.pending.clear()  # what holds each other is let go here, not by the collector
        self.defs.clear()
        self.env.clear()
        self.log.clear()
        self.index = None
        del self.clock

    def visible(self, name: str, seen: float) -> Value | None:
        """What a function within may see of a name that this scope binds, or None where it does not.

        seen: how long the log was when that function could first run.
        """
        if self.index is None:
            self.index = {}
            for time, (bound, value) in enumerate(self.log):
                self.index.setdefault(bound, []).append((time, value))
        entries = self.index.get(name)
        if entries is None:
            return None
        if name in self.cells:
            return name
        if len(entries) == 1:
            return entries[0][1]
        at = 0
        for place, (time, _) in enumerate(entries):
            if time < seen:
                at = place
        if at == len(entries) - 1:
            return entries[at][1]
        return merged(value for _, value in entries[at:])

    # -- branches -----------------------------------------------------------------------------

    def changed_since(self, start: int) -> list[str]:
        """Names that were bound since the log had this length."""
        return list(dict.fromkeys(name for name, _ in self.log[start:]))

    def restore(self, before: Env, start: int) -> None:
        """Go back to how names stood before a branch."""
        for name in self.changed_since(start):
            if self.env.get(name) != before.get(name):
                self.log.append((name, before.get(name, ())))
        self.env = dict(before)
        self.forwarded.clear()

    def join(self, start: int, envs: Sequence[Env]) -> None:
        """Go on with what any of several branches left. start: length of the log before them."""
        self.forwarded.clear()
        if not envs:
            return
        if len(envs) == 1:
            if envs[0] is not self.env:
                self.restore(envs[0], start)
            return
        env = self.env = dict(envs[-1])
        for name in self.changed_since(start):
            values = [one.get(name) for one in envs]
            first = values[0]
            if all(value == first for value in values):
                continue
            env[name] = self._merge(name, values)
            self.log.append((name, env[name]))

    def _merge(self, name: str, values: Sequence[Value | None]) -> Value:
        """A name's value after branches; where one left it unbound, a builtin may show through."""
        found = [self._origin(value) for value in values if value is not None]
        if len(found) < len(values) and self.home is None and name in BUILTINS:
            found.append((Given(name),))
        atoms = merged(found)
        return atoms[0] if len(atoms) == 1 and isinstance(atoms[0], str) else atoms

    def _origin(self, value: Value) -> Value:
        """What a test for a type had narrowed, before."""
        while isinstance(value, str) and value in self.origins:
            value = self.origins[value]
        return value


_CLASS_TYPES = frozenset(("class", "interface", "enum"))
NEVER = float("inf")


class Later:
    """A body that is read after the scope around it. seen: see Scope; never, until it is mentioned."""

    __slots__ = ("done", "number", "run", "seen")

    def __init__(self, run: Callable[[float], None], seen: float = NEVER) -> None:
        self.run = run
        self.seen = seen
        self.number = 0
        self.done = False

    def run_once(self) -> None:
        """Read it."""
        if not self.done:
            self.done = True
            self.run(self.seen)


class Shape:
    """What a container that nobody else holds is known to hold, entry by entry. loops, depth: where it was made."""

    __slots__ = ("depth", "entries", "loops", "type")

    def __init__(self, type: str, entries: dict[str | int, Expression], scope: Scope) -> None:
        self.type = type
        self.entries = entries
        self.loops = scope.loops
        self.depth = scope.depth


# -- what statements bind ----------------------------------------------------------------------


def bindings(body: Iterable[ast.stmt], walrus: bool) -> dict[str, int]:
    """How often a body binds each name, nested functions and classes left out. walrus: there is `:=` somewhere."""
    counts: dict[str, int] = {}
    todo: list[ast.AST] = list(body)
    while todo:
        node = todo.pop()
        kind = node.__class__
        if kind is ast.Name:
            if node.ctx.__class__ is not ast.Load:  # type: ignore[attr-defined]
                counts[node.id] = counts.get(node.id, 0) + 1  # type: ignore[attr-defined]
            continue
        if kind is ast.Subscript and node.value.__class__ is ast.Name:  # type: ignore[attr-defined]
            if node.ctx.__class__ is ast.Store:  # type: ignore[attr-defined]
                name = node.value.id  # type: ignore[attr-defined]
                counts[name] = counts.get(name, 0) + 1  # a container that may be written anew
            continue
        if kind in _DEFINITIONS:
            counts[node.name] = counts.get(node.name, 0) + 1  # type: ignore[attr-defined]
            continue
        if kind is ast.Import or kind is ast.ImportFrom:
            for alias in node.names:  # type: ignore[attr-defined]
                name = alias.asname or alias.name.partition(".")[0]
                counts[name] = counts.get(name, 0) + 1
            continue
        if kind in _BINDING_NAMES and (name := getattr(node, _BINDING_NAMES[kind])):
            counts[name] = counts.get(name, 0) + 1
        if kind in _TARGETS and not walrus:
            for field in _TARGETS[kind]:
                _push(todo, getattr(node, field))
        elif kind is not ast.Lambda and kind is not ast.Constant:
            for field in node._fields:
                _push(todo, getattr(node, field, None))
    return counts


def _push(todo: list[ast.AST], child: object) -> None:
    if child.__class__ is list:
        todo.extend(one for one in child if isinstance(one, ast.AST))
    elif isinstance(child, ast.AST):
        todo.append(child)


_DEFINITIONS = frozenset((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
_BINDING_NAMES: dict[type, str] = {
    ast.ExceptHandler: "name", ast.MatchAs: "name", ast.MatchStar: "name", ast.MatchMapping: "rest",
}  # fmt: skip
_TARGETS: dict[type, tuple[str, ...]] = {
    ast.Assign: ("targets",), ast.AugAssign: ("target",), ast.AnnAssign: ("target",), ast.Delete: ("targets",),
    ast.For: ("target", "body", "orelse"), ast.AsyncFor: ("target", "body", "orelse"), ast.While: ("body", "orelse"),
    ast.If: ("body", "orelse"), ast.With: ("items", "body"), ast.AsyncWith: ("items", "body"),
    ast.withitem: ("optional_vars",), ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.TryStar: ("body", "handlers", "orelse", "finalbody"), ast.ExceptHandler: ("body",), ast.Match: ("cases",),
    ast.match_case: ("pattern", "body"), ast.Expr: (), ast.Return: (), ast.Raise: (), ast.Assert: (), ast.Pass: (),
    ast.Global: (), ast.Nonlocal: (),
}  # fmt: skip
"""Where statements bind, so that expressions need no look."""
