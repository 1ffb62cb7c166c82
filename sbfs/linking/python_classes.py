"""Python's classes: their bases as far as the text alone tells, their order of look-up (C3), their families."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sbfs.linking.python_modules import Modules
from sbfs.linking.tables import CLASSES, File

Key = tuple[str, str]
"""A class: (path, symbol). One outside: ("", dotted name)."""

DEPTH = 40
"""Steps after which a name is given up: names that mean each other."""
STRICT = frozenset(("abc.ABCMeta", "enum.EnumMeta", "enum.EnumType", "<builtin>.type"))
"""Metaclasses outside by which only instances count as such (classes that are registered with an ABC are not seen)."""
WIDE = 16
"""A class with more descendants than this is one for all its methods: receivers of the family are not told apart
in them."""


class Head(NamedTuple):
    """What the head of a class says. loose: a base can only be told by flow."""

    bases: list[Key]
    loose: bool
    metaclass: Key | None


def _class_in(expression: Any) -> list[Any] | None:
    """The class that an expression defines: alone, or below decorators."""
    while isinstance(expression, list) and expression:
        if expression[0] == "class":
            return expression
        if expression[0] != "call" or len(expression[3]) != 1:
            return None
        expression = expression[3][0]
    return None


class Classes:
    """All classes of a project.

    order: the classes in which to look an attribute up, first to last, those outside too. open: it has a base that
    is not known whole. loose: it has a base that only flow can tell.
    """

    def __init__(self, modules: Modules):
        self.modules = modules
        self.bases: dict[Key, list[Key]] = {}
        self.loose: set[Key] = set()
        self.metaclass: dict[Key, Key] = {}
        self.children: dict[Key, list[Key]] = {}
        self._orders: dict[Key, list[Key]] = {}
        self._descendants: dict[Key, frozenset[Key]] = {}
        self._assigned: dict[str, dict[str, list[Any]]] = {}
        self._initial: dict[Key, frozenset[str]] = {}
        self.consulted: set[tuple[str, str]] = set()
        self._overrides: dict[Key, dict[str, list[Key]]] = {}
        self._given: dict[Key, list[str]] = {}
        for file in modules.files.values():
            for key, head in self.heads(file):
                self._define(key, head)

    def heads(self, file: File) -> Iterator[tuple[Key, Head]]:
        """The classes that a file defines, each time that it does."""
        for symbol in file.facts.symbols:
            for flow in symbol.flows:
                if flow[0] in ("=", "do", "return"):
                    expression = _class_in(flow[-1])
                    if expression is not None:
                        yield (file.path, expression[1]), self._head(file, symbol.name, expression)

    def _head(self, file: File, owner: str, expression: list[Any]) -> Head:
        bases: list[Key] = []
        loose = False
        for base in expression[2]:
            found = self.named(file, owner, base)
            if len(found) != 1 and len([one for one in found if one[0]]) != 1:
                loose = True
            if found:
                bases.append(found[0])
        meta = None
        for name, value in expression[3] if len(expression) > 3 else ():
            if name == "metaclass":
                meta = self._class(file, owner, value) or meta
        return Head(bases, loose, meta)

    def _define(self, key: Key, head: Head) -> None:
        self.bases[key] = head.bases
        for base in head.bases:
            self.children.setdefault(base, []).append(key)
        if head.loose:
            self.loose.add(key)
        if head.metaclass is not None:
            self.metaclass[key] = head.metaclass

    def forget(self, file: File) -> None:
        """A file says something else: what was kept of it alone."""
        self._assigned.pop(file.path, None)
        for key in [key for key in self._initial if key[0] == file.path]:
            del self._initial[key]

    def renew(self, file: File) -> None:
        """Classes of a file give other attributes than before."""
        if not self._given:
            return
        owners = [symbol.name for symbol in file.facts.symbols if is_class(file, symbol.name)]
        for owner in owners:
            self._given.pop((file.path, owner), None)
            for one in self.order((file.path, owner)):
                self._overrides.pop(one, None)
        self._gather(file)

    def _class(self, file: File, owner: str, expression: Any) -> Key | None:
        """The class that an expression is, if the text tells."""
        found = self.named(file, owner, expression)
        return found[0] if found else None

    def named(self, file: File, owner: str, expression: Any) -> list[Key]:
        """The classes that an expression may be, those of the project first."""
        inside: dict[Key, None] = {}
        outside: dict[Key, None] = {}
        for found in self._things(file, owner, expression, DEPTH):
            if found[0] == "class":
                inside[found[1], found[2]] = None
            elif found[0] == "external":
                outside["", found[1]] = None
        return [*inside, *outside]

    def _things(self, file: File, owner: str, expression: Any, depth: int) -> Iterator[tuple[str, ...]]:
        """("class", path, name), ("module" | "package", path), ("external", dotted): what an expression may be."""
        if depth == 0 or not expression:
            return
        if isinstance(expression, str):
            key = expression if ":" in expression else f"{owner}:{expression}"
            yield from self._named(file, key, depth - 1)
        elif expression[0] == "class":
            yield ("class", file.path, expression[1])
        elif expression[0] == "module":
            found = self.modules.imported(file.path, expression[1], expression[2], expression[3])
            yield from self._found(found, depth - 1)
        elif expression[0] == "attr":
            for base in self._things(file, owner, expression[1], depth - 1):
                yield from self._attribute(base, expression[2], depth - 1)
        elif expression[0] == "item":
            yield from self._things(file, owner, expression[1], depth - 1)
        elif expression[0] == "any":
            for one in expression[1]:
                yield from self._things(file, owner, one, depth - 1)
        elif expression[0] == "call":
            if len(expression[3]) == 1:
                argument = expression[3][0]
                if isinstance(argument, list) and argument and argument[0] in ("class", "call"):
                    yield from self._things(file, owner, argument, depth - 1)
                    return
            for callee in self._things(file, owner, expression[2], depth - 1):
                if callee[0] == "external":
                    yield ("external", callee[1])

    def _found(self, found: tuple[Any, ...], depth: int) -> Iterator[tuple[str, ...]]:
        if found[0] == "variable":
            yield from self._named(found[1], found[2], depth)
        else:
            yield found

    def _attribute(self, base: tuple[str, ...], name: str, depth: int) -> Iterator[tuple[str, ...]]:
        if base[0] == "external":
            yield ("external", f"{base[1]}.{name}")
        elif base[0] == "class":
            yield from self._named(self.modules.files[base[1]], f"{base[2]}:{name}", depth)
        else:
            found = self.modules.member(base[1], name)
            if found is not None:
                yield from self._found(found, depth)

    def _named(self, file: File, key: str, depth: int) -> Iterator[tuple[str, ...]]:
        self.consulted.add((file.path, key))
        values = self.assignments(file).get(key)
        owner, _, name = key.rpartition(":")
        if values is not None:
            for value in values:
                yield from self._things(file, owner, value, depth)
        elif owner == "":
            found = self.modules.member(file.path, name)
            if found is not None and found != ("variable", file, key):
                yield from self._found(found, depth)
            elif found is None:
                yield ("external", f"<builtin>.{name}")

    def assignments(self, file: File) -> dict[str, list[Any]]:
        """Key of a variable → the expressions assigned to it. Made once a file, when first asked."""
        found = self._assigned.get(file.path)
        if found is None:
            found = self._assigned[file.path] = {}
            for symbol in file.facts.symbols:
                for flow in symbol.flows:
                    if flow[0] == "=" and isinstance(flow[1], str):
                        key = flow[1] if ":" in flow[1] else f"{symbol.name}:{flow[1]}"
                        found.setdefault(key, []).append(flow[2])
        return found

    # -- answers

    def order(self, key: Key) -> list[Key]:
        """The order of look-up, C3 (Barrett et al., A Monotonic Superclass Linearization for Dylan, 1996)."""
        found = self._orders.get(key)
        if found is None:
            found = self._orders[key] = [key, *self._merge(key)]
        return found

    def _merge(self, key: Key) -> list[Key]:
        bases = [base for base in dict.fromkeys(self.bases.get(key, ())) if not self._leads_to(base, key)]
        waiting = [list(self.order(base)) for base in bases] + [bases]
        merged: list[Key] = []
        while waiting := [one for one in waiting if one]:
            for one in waiting:
                head = one[0]
                if not any(head in other[1:] for other in waiting):
                    break
            else:
                head = waiting[0][0]  # no consistent order exists: Python would refuse the class
            merged.append(head)
            waiting = [[other for other in one if other != head] for one in waiting]
        return [one for one in merged if one != key]

    def _leads_to(self, base: Key, key: Key) -> bool:
        """Whether a class is a base of its own base, which Python would refuse."""
        seen: set[Key] = set()
        waiting = [base]
        while waiting:
            one = waiting.pop()
            if one == key:
                return True
            if one not in seen:
                seen.add(one)
                waiting.extend(self.bases.get(one, ()))
        return False

    def descendants(self, key: Key) -> frozenset[Key]:
        """All classes below a class."""
        found = self._descendants.get(key)
        if found is None:
            seen: set[Key] = set()
            waiting = list(self.children.get(key, ()))
            while waiting:
                one = waiting.pop()
                if one not in seen:
                    seen.add(one)
                    waiting.extend(self.children.get(one, ()))
            found = self._descendants[key] = frozenset(seen)
        return found

    def is_wide(self, key: Key) -> bool:
        """Whether a class has so many descendants that they are one in its methods."""
        return len(self.descendants(key)) > WIDE

    def overrides(self, key: Key) -> dict[str, list[Key]]:
        """Attribute → the classes below a class that give it in their own bodies. Made when first asked."""
        found = self._overrides.get(key)
        if found is None:
            found = self._overrides[key] = {}
            for heir in sorted(self.descendants(key)):
                for name in self._attributes().get(heir, ()):
                    found.setdefault(name, []).append(heir)
        return found

    def _attributes(self) -> dict[Key, list[str]]:
        if not self._given:
            for file in self.modules.files.values():
                self._gather(file)
        return self._given

    def _gather(self, file: File) -> None:
        for text in file.defined:
            owner, _, name = text.partition(":")
            if owner:
                self._given.setdefault((file.path, owner), []).append(name)

    def definer(self, order: list[Key], name: str) -> Key | None:
        """The first class of an order that gives an attribute."""
        files = self.modules.files
        for key in order:
            file = files.get(key[0])
            if file is not None and f"{key[1]}:{name}" in file.defined:
                return key
        return None

    def is_open(self, key: Key) -> bool:
        """Whether an attribute may come from a base that is not known."""
        return any(not one[0] and one[1] != "<builtin>.object" or one in self.loose for one in self.order(key))

    def initial(self, key: Key) -> frozenset[str]:
        """Attributes that the class's own `__init__` sets on its receiver."""
        found = self._initial.get(key)
        if found is None:
            file = self.modules.files[key[0]]
            symbol = file.symbols.get(f"{key[1]}.__init__")
            names = set()
            if symbol is not None and symbol.parameters:
                receiver = symbol.parameters[0].name
                names = {
                    flow[1][2]
                    for flow in symbol.flows
                    if flow[0] == "=" and flow[1] and flow[1][0] == "attr" and flow[1][1] == receiver
                }
            found = self._initial[key] = frozenset(names)
        return found

    def is_virtual(self, key: Key) -> bool:
        """Whether things may count as instances of a class that does not stand among their classes."""
        if not key[0]:
            return not key[1].startswith("<builtin>.") or key[1] == "<builtin>.object"
        order = self.order(key)
        metaclasses = [self.metaclass[one] for one in order if one in self.metaclass]
        checks = any(self.definer(self.order(one), "__instancecheck__") for one in metaclasses)
        hooked = self.definer(order, "__subclasshook__") is not None or any("Protocol" in one[1] for one in order)
        return checks or hooked or key in self.loose or any(not one[0] and one[1] not in STRICT for one in metaclasses)

    def outside(self, key: Key) -> list[str]:
        """Names of all ancestors outside."""
        return [one[1] for one in self.order(key) if not one[0]]


def is_class(file: File, name: str) -> bool:
    """Whether a symbol of a file is a class."""
    symbol = file.symbols.get(name)
    return symbol is not None and symbol.type in CLASSES
