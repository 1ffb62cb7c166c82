"""Statements of Python that branch: what names stand for within their arms and behind them."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterable, Sequence

from sbfs.code.facts import Facts
from sbfs.code.python_binding import Binding
from sbfs.code.python_names import TEXT, key_of
from sbfs.code.python_scopes import Const, Env, Phi, Value, bindings
from sbfs.code.python_source import Source
from sbfs.code.python_types import type_of


class Branches(Binding):
    """Reads compound statements. alive: whether what comes next can be reached. breaks, continues: for each loop that
    is open, names as they stood there."""

    def __init__(self, facts: Facts, source: Source) -> None:
        super().__init__(facts, source)
        self.alive = True
        self.types_only = False
        self.breaks: list[list[Env]] = []
        self.continues: list[list[Env]] = []
        self.has_walrus = b":=" in source.raw

    @abstractmethod
    def walk(self, body: Sequence[ast.stmt]) -> None:
        """Read statements in order."""

    def _if(self, node: ast.If) -> None:
        scope, entered = self.scope, self.alive
        start = len(scope.log)
        scope.depth += 1
        exits: list[Env] = []
        while True:
            self.branches += 1
            self.effect(node.test)
            before = dict(scope.env)
            types_only, self.types_only = self.types_only, self.types_only or _is_type_checking(node.test)
            self.narrow(node.test, True)
            self.walk(node.body)
            self.types_only = types_only
            if self.alive:
                exits.append(scope.env)
            scope.restore(before, start)
            self.alive = entered
            self.narrow(node.test, False)
            if len(node.orelse) == 1 and node.orelse[0].__class__ is ast.If:
                node = node.orelse[0]
                continue
            self.walk(node.orelse)
            if self.alive:
                exits.append(scope.env)
            break
        scope.depth -= 1
        scope.join(start, exits)
        self.alive = entered and bool(exits)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.branches += 1
        constants = _constants(node.iter) if node.target.__class__ is ast.Name else None
        items = self.value(node.iter)
        value = None if constants else self.element(items, node.iter.lineno, node.__class__ is ast.AsyncFor)
        start = len(self.scope.log)
        phis = self._open_loop([node.target, *node.body])
        if constants:
            self.scope.bind(node.target.id, tuple(Const(one) for one in constants))  # type: ignore[attr-defined]
            if self.scope.counts is not None:
                self.scope.write(["=", node.target.id, TEXT], node.lineno)  # type: ignore[attr-defined]
        else:
            self.assign(node.target, value, node.lineno)
        self.walk(node.body)
        self._close_loop(phis, start, node.orelse, endless=False)

    _asyncfor = _for

    def _while(self, node: ast.While) -> None:
        self.branches += 1
        start = len(self.scope.log)
        phis = self._open_loop([node.test, *node.body])
        self.effect(node.test)
        self.narrow(node.test, True)
        self.walk(node.body)
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._close_loop(phis, start, node.orelse, endless)

    def _open_loop(self, nodes: Iterable[ast.AST]) -> dict[str, Phi]:
        """Begin a loop: names that it binds may have at its head what its end left."""
        scope = self.scope
        phis: dict[str, Phi] = {}
        for name in sorted(bindings(nodes, self.has_walrus)):  # type: ignore[arg-type]
            if name in scope.cells or name in scope.globals or name in scope.nonlocals:
                continue
            phi = phis[name] = Phi(scope, scope.temporary(name), scope.env.get(name, ()))
            scope.bind(name, (phi,))
        scope.loops += 1
        scope.depth += 1
        scope.forwarded.clear()
        self.breaks.append([])
        self.continues.append([])
        return phis

    def _close_loop(self, phis: dict[str, Phi], start: int, orelse: list[ast.stmt], endless: bool) -> None:
        scope = self.scope
        breaks, ends = self.breaks.pop(), self.continues.pop()
        scope.loops -= 1
        scope.depth -= 1
        if self.alive:
            ends.append(scope.env)
        for name, phi in phis.items():
            phi.close(end.get(name, ()) for end in ends)
        after = dict(scope.env)
        for name, phi in phis.items():
            after[name] = phi.after()
        if endless:
            exits = breaks
        else:
            scope.restore(after, start)
            self.alive = True
            self.walk(orelse)
            exits = [*breaks, scope.env] if self.alive else breaks
        self.alive = bool(exits)
        scope.join(start, exits)

    def _try(self, node: ast.Try) -> None:
        scope, entered = self.scope, self.alive
        start = len(scope.log)
        before = dict(scope.env)
        scope.depth += 1
        self.walk(node.body)
        interrupted = _interrupted(before, scope.log[start:])
        exits: list[Env] = []
        self.walk(node.orelse)
        if self.alive:
            exits.append(scope.env)
        for handler in node.handlers:
            self.branches += 1
            scope.restore(interrupted, start)
            self.alive = entered
            self._handler(handler)
            if self.alive:
                exits.append(scope.env)
        if node.finalbody:
            self._finally(node.finalbody, before, start, exits)
        else:
            self.alive = bool(exits)
            scope.join(start, exits)
        scope.depth -= 1
        self.alive = self.alive and entered

    _trystar = _try

    def _handler(self, handler: ast.ExceptHandler) -> None:
        if handler.type is not None:
            self.effect(handler.type)
        if handler.name:
            hint = type_of(handler.type, self.load)
            self.bind_name(handler.name, None if hint is None else ["cast", None, hint], handler.lineno)
        self.walk(handler.body)
        if handler.name:
            self.scope.unbind(handler.name)

    def _finally(self, body: list[ast.stmt], before: Env, start: int, exits: list[Env]) -> None:
        """Read what runs in the end, whatever happened; then go on as the other ways out have left it."""
        scope = self.scope
        scope.join(start, exits)
        normal = dict(scope.env)
        scope.restore(_interrupted(before, scope.log[start:]), start)
        at = len(scope.log)
        self.alive = True
        self.walk(body)
        changed = {name: scope.env.get(name) for name in scope.changed_since(at)}
        normal.update({name: value for name, value in changed.items() if value is not None})
        scope.restore(normal, start)
        self.alive = self.alive and bool(exits)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        is_async = [True] if node.__class__ is ast.AsyncWith else []
        for item in node.items:
            value = self.value(item.context_expr)
            line = item.context_expr.lineno
            if value is not None:
                value = ["enter", value, self.site(line), *is_async]
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, line)
            else:
                self.drop(value, line)
        self.walk(node.body)

    _asyncwith = _with


def _interrupted(before: Env, log: list[tuple[str, Value]]) -> Env:
    """Names as any point of a piece of code may have left them."""
    env = dict(before)
    for name, value in log:
        held = env.get(name)
        if held is None:
            env[name] = value
        elif held != value:
            env[name] = merged_value(held, value)
    return env


def merged_value(first: Value, second: Value) -> Value:
    """Either of two values."""
    parts = [part for value in (first, second) for part in ([value] if isinstance(value, str) else value)]
    return tuple(dict.fromkeys(parts))


def _is_type_checking(test: ast.expr) -> bool:
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def _constants(node: ast.expr) -> list[str | int] | None:
    """Keys that a written-out sequence consists of, if few and nothing else."""
    if not isinstance(node, ast.Tuple | ast.List) or not 0 < len(node.elts) <= 8:
        return None
    keys = [key_of(one.value) if isinstance(one, ast.Constant) else None for one in node.elts]
    return None if None in keys else keys  # type: ignore[return-value]
