"""Ruby's classes and modules over all files: their sites as one, constants, and the order of looking methods up.

All of it follows from the flows of files' and classes' bodies alone, before any value flows: a class's head and what it
mixes in are nearly always constants. What is not (a superclass that a method answers with) leaves the class open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbfs.linking.tables import File

ROOT = "Object"


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


CORE = words(
    "Array Hash String Symbol Integer Float Numeric Rational Complex Range Regexp MatchData Proc Method "
    "UnboundMethod NilClass TrueClass FalseClass Object BasicObject Kernel Module Class Struct Data Comparable "
    "Enumerable Enumerator Time Process Math File Dir IO FileTest Marshal ObjectSpace GC Signal Thread Mutex "
    "Queue SizedQueue Monitor ConditionVariable Fiber Random Encoding Binding TracePoint Ractor Exception "
    "StandardError RuntimeError ArgumentError TypeError NameError NoMethodError ZeroDivisionError IndexError "
    "KeyError RangeError StopIteration IOError EOFError SystemExit ScriptError LoadError NotImplementedError "
    "SyntaxError SecurityError Interrupt SignalException FrozenError FiberError ThreadError RegexpError "
    "FloatDomainError SystemCallError Errno LocalJumpError UncaughtThrowError NoMatchingPatternError "
    "NoMatchingPatternKeyError ENV ARGV ARGF STDIN STDOUT STDERR RUBY_VERSION Warning Refinement"
)
"""Constants that are there without any `require`."""


Held = tuple["File", str, str]


class RubyClass:
    """A class or module of the project, whatever the number of its sites.

    sites: (file, symbol) by path. methods: name → where bodies hold it, as (file, variable's key, function or "");
    those of the class itself are under `self.name`. mixes: (kind, other class) in source order. base: the superclass.
    outside: names of what lies outside the project among what it inherits from. open: its superclass is unknown.
    """

    __slots__ = (
        "_ancestors", "_below", "base", "children", "full", "includers", "is_module", "methods", "mixes", "open",
        "outside", "sites",
    )  # fmt: skip

    def __init__(self, full: str, is_module: bool) -> None:
        self.full, self.is_module = full, is_module
        self.sites: list[tuple[File, str]] = []
        self.methods: dict[str, list[Held]] = {}
        self.mixes: list[tuple[str, RubyClass]] = []
        self.base: RubyClass | None = None
        self.children: list[RubyClass] = []
        self.includers: list[RubyClass] = []
        self.outside: list[str] = []
        self.open = False
        self._ancestors: list[RubyClass] | None = None
        self._below: list[RubyClass] | None = None

    def settle(self) -> None:
        """Forget the order of look-up: not all of what it follows from was known."""
        self._ancestors = self._below = None

    def of(self, kind: str) -> list[RubyClass]:
        """What is mixed in one way, the last one first."""
        return [other for one, other in reversed(self.mixes) if one == kind]

    def ancestors(self) -> list[RubyClass]:
        """The order of look-up: prepended, itself, included with the last one first, then the superclass's."""
        if self._ancestors is None:
            self._ancestors = [self]  # A circle of modules ends here.
            above = self.base.ancestors() if self.base is not None else []
            first = [one for other in self.of("prepend") for one in other.ancestors()]
            mixed = [one for other in self.of("include") for one in other.ancestors() if one not in above]
            self._ancestors = list(dict.fromkeys([*first, self, *mixed, *above]))
        return self._ancestors

    def singletons(self) -> list[tuple[RubyClass, bool]]:
        """The order of look-up on the class itself: (class, whether its own methods count, or, of a module that extends
        it, its instance methods)."""
        found: dict[tuple[RubyClass, bool], None] = {}
        step: RubyClass | None = self
        seen: set[int] = set()
        while step is not None and id(step) not in seen:
            seen.add(id(step))
            found[step, True] = None
            for other in step.of("extend"):
                found.update(dict.fromkeys((one, False) for one in other.ancestors()))
            step = step.base
        return list(found)

    def below(self) -> list[RubyClass]:
        """Classes that inherit from it, or include it, at any depth, by name."""
        if self._below is None:
            found: dict[int, RubyClass] = {}
            waiting = [self]
            while waiting:
                for child in (step := waiting.pop()).children + step.includers:
                    if id(child) not in found:
                        found[id(child)] = child
                        waiting.append(child)
            self._below = sorted(found.values(), key=lambda one: one.full)
        return self._below

    def is_open(self) -> bool:
        """Whether something outside the project may define more methods."""
        return any(one.open or one.outside for one in self.ancestors())


class Classes:
    """All classes and constants of the project's Ruby.

    by_name: full name (`Shop::Cart`) → class. by_site: (path, symbol) → class. values: full name of another constant or
    of a global → the variables that hold it, with what is said there. top: methods that files define outside of any.
    """

    def __init__(self, files: Iterable[File]) -> None:
        self.by_name: dict[str, RubyClass] = {}
        self.by_site: dict[tuple[str, str], RubyClass] = {}
        self.values: dict[str, list[tuple[File, str, Any]]] = {}
        self.top: dict[str, list[Held]] = {}
        self._said: dict[str, str] = {}
        self._bodies = [(file, symbol) for file in files for symbol in file.facts.symbols if _is_body(symbol)]
        self._find_classes()
        self._find_members()
        self._inherit()

    # -- classes

    def _find_classes(self) -> None:
        later = [
            (file, symbol.name, flow[1], flow[2])
            for file, symbol in self._bodies
            for flow in symbol.flows
            if flow[0] == "=" and _is_class(flow[2])
        ]
        # A compact name (`class A::B`) hangs below a class that another file may define: simple names come first.
        later.sort(key=lambda one: isinstance(one[2], list) or len(one[3]) > 3)
        for _ in range(2):
            for file, owner, target, value in later:
                if (file.path, value[1]) not in self.by_site:
                    self._add(file, owner, target, value)

    def _add(self, file: File, owner: str, target: Any, value: list[Any]) -> None:
        outer = self.full_of(file, owner)
        if len(value) > 3 and value[3] and value[3][0][0] == "reopens":
            full = self._path(value[3][0][1])
        elif isinstance(target, list):
            full = self._path(target)
        elif target.startswith((":", "%")):
            full = target.lstrip(":") if target.startswith(":") else f"{file.path}::{value[1]}"
        elif ":" in target:
            full = "::".join(filter(None, (self.full_of(file, target.partition(":")[0]), target.partition(":")[2])))
        else:
            full = f"{outer}::{target}" if outer else target
        said = f"{outer}::{value[1].rpartition('.')[2]}" if isinstance(target, str) else self._as_said(outer, target)
        if said != full:
            self._said.setdefault(said, full)
        self._site(file, value[1], full)

    def _as_said(self, outer: str, target: list[Any]) -> str:
        """The name that the reader took a compact definition for, which does not know what lies in other files."""
        names: list[str] = []
        step: Any = target
        while isinstance(step, list) and step and step[0] in ("attr", "const"):
            names.append(step[2] if step[0] == "attr" else step[1])
            step = step[1] if step[0] == "attr" else None
        return "::".join([*([outer] if outer else []), *reversed(names)])

    def _site(self, file: File, symbol: str, full: str) -> RubyClass:
        found = self.by_name.get(full)
        if found is None:
            found = self.by_name[full] = RubyClass(full, file.symbols[symbol].type == "namespace")
        found.sites.append((file, symbol))
        self.by_site[file.path, symbol] = found
        return found

    def full_of(self, file: File, owner: str) -> str:
        """The full name of the class whose body a symbol is, "" for the file."""
        found = self.by_site.get((file.path, owner))
        if found is not None:
            return found.full
        return "" if owner == "" else owner.partition("#")[0].replace(".", "::")

    def _path(self, expression: Any) -> str:
        """The full name that `A::B` stands for, in the place where it is written."""
        found = self.static(expression)
        if isinstance(found, RubyClass):
            return found.full
        if expression[0] == "attr":
            return f"{self._path(expression[1])}::{expression[2]}"
        return str(expression[1]) if expression[0] == "const" else "?"

    def of_site(self, file: File, symbol: str) -> RubyClass:
        """The class of a site; one that has no name (`Class.new`) is known by its place."""
        found = self.by_site.get((file.path, symbol))
        return found if found is not None else self._site(file, symbol, f"{file.path}::{symbol}")

    # -- what is in them

    def _find_members(self) -> None:
        for file, symbol in self._bodies:
            if symbol.type == "function":
                self._constants_of_blocks(file, symbol)
                continue
            one = self.of_site(file, symbol.name) if symbol.name else None
            outer = self.full_of(file, symbol.name)
            for flow in symbol.flows:
                if flow[0] != "=" or not isinstance(flow[1], str) or flow[1].startswith("%"):
                    continue
                name, value = flow[1], flow[2]
                held = (file, f"{symbol.name}:{name}", value[1] if _is_function(value) else "")
                if ":" in name:
                    self._constant(file, name, value)
                elif (name[:1].isupper() or name.startswith("$")) and not _is_function(value):
                    if not _is_class(value):
                        full = f"{outer}::{name}" if outer and not name.startswith("$") else name
                        self.values.setdefault(full, []).append((file, held[1], value))
                else:
                    table = self.top if one is None else one.methods
                    table.setdefault(name, []).append(held)

    def _constants_of_blocks(self, file: File, symbol: Any) -> None:
        for flow in symbol.flows:
            if flow[0] == "=" and isinstance(flow[1], str) and ":" in flow[1]:
                self._constant(file, flow[1], flow[2])

    def _constant(self, file: File, target: str, value: Any) -> None:
        owner, _, name = target.rpartition(":")
        if not (name[:1].isupper() or name.startswith("$")) or _is_class(value):
            return
        outer = self.full_of(file, owner)
        full = f"{outer}::{name}" if outer and not name.startswith("$") else name
        self.values.setdefault(full, []).append((file, target, value))

    def _inherit(self) -> None:
        for file, symbol in self._bodies:
            for flow in symbol.flows:
                if flow[0] == "=" and isinstance(flow[2], list) and flow[2] and flow[2][0] == "class":
                    self._base(self.of_site(file, flow[2][1]), flow[2][2])
                elif flow[0] == "include" and symbol.name:
                    self._mix(self.of_site(file, symbol.name), flow[1], flow[2])
                elif flow[0] == "include":
                    self._mix(self.by_name.get(ROOT), flow[1], flow[2])
                elif flow[0] == "do" and isinstance(flow[1], list) and flow[1] and flow[1][0] == "mix":
                    found = self.static(flow[1][2])
                    self._mix(found if isinstance(found, RubyClass) else None, flow[1][1], flow[1][3])
        self._hooks()
        for one in self.by_name.values():
            for kind, other in one.mixes:
                if kind in ("include", "prepend"):
                    other.includers.append(one)
        for one in self.by_name.values():
            one.settle()

    def _base(self, one: RubyClass, bases: list[Any]) -> None:
        for base in bases:
            found = self.static(base)
            if isinstance(found, RubyClass):
                if one.base is None and one not in found.ancestors():
                    one.base = found
                    found.children.append(one)
            elif isinstance(found, str):
                if found not in one.outside:
                    one.outside.append(found)
            else:
                one.open = True

    def _mix(self, one: RubyClass | None, kind: str, value: Any) -> None:
        if one is None:
            return
        found = one if value == ["own"] else self.static(value)
        if isinstance(found, RubyClass):
            if (kind, found) not in one.mixes and (found is not one or kind == "extend"):
                one.mixes.append((kind, found))
        elif isinstance(found, str) and found not in one.outside and kind != "extend":
            one.outside.append(found)

    def _hooks(self) -> None:
        """A module's hook mixes more into whoever includes it."""
        for _ in range(3):
            for name in sorted(self.by_name):
                one = self.by_name[name]
                for kind, other in list(one.mixes):
                    if kind in ("include", "prepend"):
                        self._pass_on(one, other)

    def _pass_on(self, one: RubyClass, other: RubyClass) -> None:
        for kind, mixed in other.mixes:
            passed = (kind.removeprefix("hook-"), mixed)
            if kind.startswith("hook-") and passed not in one.mixes and mixed is not one:
                one.mixes.append(passed)

    # -- constants

    def resolve(self, name: str, nesting: list[str]) -> RubyClass | list[tuple[File, str, Any]] | None:
        """A constant by its name: in the modules around, then in what the innermost inherits, then at the top."""
        nesting = [self._said.get(outer, outer) for outer in nesting]
        for outer in nesting:
            if (found := self.at(f"{outer}::{name}")) is not None:
                return found
        inner = self.by_name.get(nesting[0]) if nesting else None
        if inner is not None:
            for one in inner.ancestors()[1:]:
                if (found := self.at(f"{one.full}::{name}")) is not None:
                    return found
        return self.at(name)

    def at(self, full: str) -> RubyClass | list[tuple[File, str, Any]] | None:
        """What a full name stands for."""
        return self.by_name.get(full) or self.values.get(full)

    def below(self, one: RubyClass, name: str) -> RubyClass | list[tuple[File, str, Any]] | None:
        """`One::name`."""
        for holder in one.ancestors():
            if (found := self.at(f"{holder.full}::{name}")) is not None:
                return found
        return None

    def static(self, expression: Any, depth: int = 0) -> RubyClass | str | None:
        """The class that an expression of constants stands for, the name of one outside the project, or None."""
        if not isinstance(expression, list) or not expression or depth > 8:
            return None
        if expression[0] == "const":
            return self._stands(self.resolve(expression[1], expression[2]), expression[1], depth)
        if expression[0] == "attr" and expression[2][:1].isupper():
            outer = self.static(expression[1], depth + 1)
            if isinstance(outer, RubyClass):
                return self._stands(self.below(outer, expression[2]), f"{outer.full}::{expression[2]}", depth)
            return f"{outer}::{expression[2]}" if outer else None
        return None

    def _stands(
        self, found: RubyClass | list[tuple[File, str, Any]] | None, name: str, depth: int
    ) -> RubyClass | str | None:
        if found is None or isinstance(found, RubyClass):
            return found if found is not None else name
        return self.static(found[0][2], depth + 1)


def _is_body(symbol: Any) -> bool:
    return (
        symbol.name == ""
        or symbol.type in ("class", "namespace")
        or (symbol.type == "function" and "block" in symbol.flags)
    )


def _is_class(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value[0] == "class"


def _is_function(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value[0] == "func" and "<" not in value[1].rpartition(".")[2][:1]
