"""Patterns of Python's `match`, and tests for types."""

from __future__ import annotations

import ast

from sbfs.code.facts import Expression
from sbfs.code.python_branches import Branches
from sbfs.code.python_names import Narrowed, path_of
from sbfs.code.python_scopes import Env
from sbfs.code.python_types import type_of


class Matching(Branches):
    """Reads `match`, and takes tests at their word."""

    def _match(self, node: ast.Match) -> None:
        scope, entered = self.scope, self.alive
        subject = self.value(node.subject)
        if subject.__class__ is list and subject[0] != "attr":
            held = scope.temporary(".")
            scope.write(["=", held, subject], node.lineno)
            subject = held
        start = len(scope.log)
        scope.depth += 1
        exits: list[Env] = []
        complete = False
        for case in node.cases:
            before = dict(scope.env)
            pattern = case.pattern
            complete = isinstance(pattern, ast.MatchAs) and pattern.pattern is None and case.guard is None
            self.branches += not complete
            undo = self._narrow_subject(node.subject, pattern)
            self._pattern(pattern, subject, case.pattern.lineno)
            if case.guard is not None:
                self.effect(case.guard)
            self.walk(case.body)
            self.widen(undo)
            if self.alive:
                exits.append(scope.env)
            scope.restore(before, start)
            self.alive = entered
        if not complete:
            exits.append(scope.env)
        scope.depth -= 1
        scope.join(start, exits)
        self.alive = entered and bool(exits)

    def _narrow_subject(self, subject: ast.expr, pattern: ast.pattern) -> Narrowed:
        if isinstance(subject, ast.Name) and isinstance(pattern, ast.MatchClass):
            return self._narrow_name(subject.id, pattern.cls)
        return []

    def _pattern(self, pattern: ast.pattern, value: Expression, line: int) -> None:
        """Bind what a pattern captures of a value."""
        match pattern:
            case ast.MatchAs():
                if pattern.pattern is not None:
                    if isinstance(pattern.pattern, ast.MatchClass) and (
                        hint := type_of(pattern.pattern.cls, self.load)
                    ):
                        value = ["cast", value, hint]
                    self._pattern(pattern.pattern, value, line)
                if pattern.name is not None:
                    self.bind_name(pattern.name, value, line)
            case ast.MatchOr():
                self._alternatives(pattern.patterns, value, line)
            case ast.MatchClass():
                hint = type_of(pattern.cls, self.load)
                cast = ["cast", value, hint] if hint is not None else value
                for place, one in enumerate(pattern.patterns):
                    self._pattern(one, None if cast is None else ["attr", cast, f"__match_args__[{place}]"], line)
                for name, one in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
                    self._pattern(one, None if cast is None else ["attr", cast, self.mangled(name)], line)
            case ast.MatchSequence():
                star = next(
                    (place for place, one in enumerate(pattern.patterns) if isinstance(one, ast.MatchStar)), None
                )
                for place, one in enumerate(pattern.patterns):
                    if isinstance(one, ast.MatchStar):
                        after = len(pattern.patterns) - place - 1
                        if one.name is not None:
                            rest = None if value is None else ["slice", value, place or None, -after or None]
                            self.bind_name(one.name, rest, line)
                    else:
                        index = place if star is None or place < star else place - len(pattern.patterns)
                        self._pattern(one, None if value is None else ["item", value, index], line)
            case ast.MatchMapping():
                for key, one in zip(pattern.keys, pattern.patterns, strict=True):
                    keys = self.keys_of(key)
                    at = keys[0] if keys and len(keys) == 1 else None
                    self._pattern(one, None if value is None else ["item", value, at], line)
                if pattern.rest is not None:
                    self.bind_name(pattern.rest, None if value is None else ["dict", [[["**"], value]]], line)
            case ast.MatchValue():
                self.effect(pattern.value)

    def _alternatives(self, patterns: list[ast.pattern], value: Expression, line: int) -> None:
        scope = self.scope
        start = len(scope.log)
        exits: list[Env] = []
        for one in patterns:
            before = dict(scope.env)
            self._pattern(one, value, line)
            exits.append(scope.env)
            scope.restore(before, start)
        scope.join(start, exits)

    # -- tests for types ----------------------------------------------------------------------

    def narrow(self, test: ast.expr, holds: bool) -> Narrowed:
        """Take a test's word for the types of names, if it holds (or does not). Returns what to `widen` again."""
        kind = test.__class__
        if kind is ast.Call:
            if holds and test.func.__class__ is ast.Name and test.func.id == "isinstance" and len(test.args) == 2:  # type: ignore[attr-defined]
                subject, types = test.args  # type: ignore[attr-defined]
                if subject.__class__ is ast.Name:
                    return self._narrow_name(subject.id, types)
                if subject.__class__ is ast.Attribute:
                    self._narrow_attribute(subject, types)
        elif kind is ast.BoolOp:
            if (test.op.__class__ is ast.And) == holds:  # type: ignore[attr-defined]
                return [pair for one in test.values for pair in self.narrow(one, holds)]  # type: ignore[attr-defined]
        elif kind is ast.UnaryOp and test.op.__class__ is ast.Not:  # type: ignore[attr-defined]
            return self.narrow(test.operand, not holds)  # type: ignore[attr-defined]
        return []

    def _narrow_name(self, name: str, types: ast.expr) -> Narrowed:
        scope = self.scope
        value = scope.env.get(name)
        if value is None or name in scope.cells or (hint := type_of(types, self.load)) is None:
            return []
        narrowed = scope.temporary(name)
        scope.write(["=", narrowed, ["cast", scope.expression(value), hint]], types.lineno)
        scope.origins[narrowed] = value
        scope.bind(name, narrowed)
        return [(name, value, narrowed)]

    def _narrow_attribute(self, node: ast.Attribute, types: ast.expr) -> None:
        """Until the next call, an attribute is what a test said of it."""
        load = self.value(node)
        path = path_of(load[1]) if load.__class__ is list and load[0] == "attr" else None
        if path is not None and (hint := type_of(types, self.load)) is not None:
            narrowed = self.scope.temporary(".")
            self.scope.write(["=", narrowed, ["cast", load, hint]], node.lineno)
            self.scope.forwarded[path, load[2]] = ["=", None, narrowed]

    def widen(self, narrowed: Narrowed) -> None:
        """Forget what a test said."""
        scope = self.scope
        for name, value, variable in narrowed:
            if scope.env.get(name) == variable:
                scope.bind(name, value)
