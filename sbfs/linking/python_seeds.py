"""Where flow says nothing: the receivers that Python methods can have, what families hold, what annotations say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sbfs.linking.python_classes import Key, is_class
from sbfs.linking.python_names import BUILTINS
from sbfs.linking.python_rules import Family
from sbfs.linking.values import GUESSED

if TYPE_CHECKING:
    from sbfs.linking.python import Python
    from sbfs.linking.rules import Call, Load
    from sbfs.linking.seeds import Grounds, Seed
    from sbfs.linking.solver import Solver
    from sbfs.linking.tables import File, Function


def seeds(policy: Python, solver: Solver, grounds: Grounds) -> Iterator[Seed]:
    """Receivers of methods that nobody calls, what families and annotations say of attributes, names that a module
    shares with a builtin, what decorators give back of which nothing is known."""
    files = [file for file in grounds.files if file.policy is policy]
    for key in hidden(policy, solver, files) if grounds.whole else ():
        yield Hidden(policy, key)
    for file in files:
        for function in file.functions.values():
            if function.symbol.type == "method" and function.positional:
                yield Receiver(policy, file, function)
    if grounds.whole:
        policy.told = told_names(policy)
    told = policy.told
    for load in grounds.loads:
        if load.name in told and load.unit.file.policy is policy:
            yield OfFamily(policy, load)
    for file in files:
        for name in [text[1:] for text in file.defined if text[0] == ":" and text[1:] in BUILTINS]:
            yield Builtin(file, solver.variable(file, f":{name}"), name)
    for call in grounds.calls:
        if call.decorates and call.output >= 0 and call.unit.file.policy is policy:
            yield Undecorated(call)


def told_names(policy: Python) -> set[str]:
    """Names of attributes of which annotations tell, or that something stores."""
    hinted = (key for file in policy.modules.files.values() for key in file.variables if key[-1] == "!")
    return {key.rpartition(":")[2][:-1] for key in hinted} | policy.stored


def hidden(policy: Python, solver: Solver, files: Iterable[File]) -> list[Key]:
    """Classes that are handed on or kept as values while no instance of them is seen to be made: others may."""
    what, kinds = solver.values.what, solver.values.kind
    found = set(solver.kept_classes)
    for variable in class_attributes(files):
        if solver.sets[variable]:
            found.update(value >> 2 for value in solver.sets[variable] if kinds[value >> 2] == "class")
    keys: list[Key] = [(what[index][0], what[index][1]) for index in found]
    return sorted(key for key in keys if key not in policy.instantiated and key[0] in policy.modules.files)


def class_attributes(files: Iterable[File]) -> Iterator[int]:
    """The variables of what class bodies assign."""
    for file in files:
        for text in file.defined:
            owner, _, name = text.partition(":")
            variable = file.variables.get(text, -1) if owner else -1
            if variable >= 0 and is_class(file, owner) and f"{owner}.{name}" not in file.symbols:
                yield variable


class Hidden:
    """A class that is kept while nobody is seen to make an instance: an instance is the receiver of its methods."""

    __slots__ = ("key", "policy")
    place = ("", "")

    def __init__(self, policy: Python, key: Key):
        self.policy, self.key = policy, key

    def asks(self) -> Iterable[int]:
        """Where classes are kept."""
        return ()

    def about(self) -> Iterable[str]:
        """The files of the class and its ancestors: what methods they have."""
        return {path for path, _ in self.policy.classes.order(self.key) if path}

    def wanted(self, _solver: Solver) -> bool:
        """`hidden` found it."""
        return True

    def act(self, solver: Solver) -> None:
        """Let its methods, and those that it inherits, have it as their receiver."""
        policy, key = self.policy, self.key
        index = solver.values.index("class", *key)
        value = policy.instance(solver, key) * 4 + GUESSED
        order = policy.classes.order(key)
        for place, one in enumerate(order):
            file = policy.modules.files.get(one[0])
            if file is None or policy.classes.is_wide(one):
                continue
            for name, function in file.functions.items():
                owner, _, last = name.rpartition(".")
                if owner != one[1] or function.symbol.type != "method" or not function.positional:
                    continue
                if "static" in function.symbol.flags or last == "__new__":
                    continue
                if policy.classes.definer(order[:place], last) is None:
                    solver.add(
                        function.positional[0], index * 4 + GUESSED if "classmethod" in function.symbol.flags else value
                    )


class Receiver:
    """A method that nobody calls: an instance of its class, or of those below that inherit it."""

    __slots__ = ("file", "function", "policy")

    def __init__(self, policy: Python, file: File, function: Function):
        self.policy, self.file, self.function = policy, file, function

    @property
    def place(self) -> tuple[str, str]:
        """Where the method stands."""
        return self.file.path, self.function.symbol.name

    def asks(self) -> Iterable[int]:
        """Its first parameter."""
        return self.function.positional[:1]

    def about(self) -> Iterable[str]:
        """The method's name: who inherits it."""
        return (self.function.symbol.name.rpartition(".")[2].partition("#")[0],)

    def wanted(self, solver: Solver) -> bool:
        """Whether it has no receiver."""
        return solver.is_empty(self.function.positional[0])

    def act(self, solver: Solver) -> None:
        """Let it have those of which instances are made, else any."""
        policy, flags, name = self.policy, self.function.symbol.flags, self.function.symbol.name
        owner, _, last = name.rpartition(".")
        last = last.partition("#")[0]
        if "static" in flags or not is_class(self.file, owner):
            return
        key = (self.file.path, owner)
        heirs = [key]
        if not policy.classes.is_wide(key):
            heirs += [
                one
                for one in policy.classes.descendants(key)
                if policy.classes.definer(policy.classes.order(one), last) == key
            ]
        instantiated = policy.seen
        live = [one for one in heirs if one in instantiated]
        if not live:
            below = [one for one in heirs if not instantiated & policy.classes.descendants(one)]
            live = below or [key]
        for one in sorted(live):
            if "classmethod" in flags or last in ("__new__", "__init_subclass__", "__class_getitem__"):
                index = solver.values.index("class", *one)
            elif policy.classes.is_wide(one):
                index = policy.family(solver, one)
            else:
                index = policy.instance(solver, one)
            solver.add(self.function.positional[0], index * 4 + GUESSED)


class OfFamily:
    """An attribute of which nothing is known."""

    __slots__ = ("load", "policy")

    def __init__(self, policy: Python, load: Load):
        self.policy, self.load = policy, load

    @property
    def place(self) -> tuple[str, str]:
        """Where it is read."""
        return self.load.unit.file.path, self.load.unit.name

    def asks(self) -> Iterable[int]:
        """What it gives."""
        return (self.load.target,)

    def about(self) -> Iterable[str]:
        """The attribute's name: who stores it, or says what it is."""
        return (self.load.name,)

    def wanted(self, solver: Solver) -> bool:
        """Whether nothing is known of that."""
        return solver.is_blank(self.load.target)

    def act(self, solver: Solver) -> None:
        """Ask the families of what it is read from."""
        solver.watch(self.load.base, Family(self.policy, self.load))


class Builtin:
    """A module's name that a builtin has, too, where the module is not seen to give it anything."""

    __slots__ = ("file", "name", "variable")

    def __init__(self, file: File, variable: int, name: str):
        self.file, self.variable, self.name = file, variable, name

    @property
    def place(self) -> tuple[str, str]:
        """Of the module."""
        return self.file.path, ""

    def asks(self) -> Iterable[int]:
        """The name's variable."""
        return (self.variable,)

    def about(self) -> Iterable[str]:
        """Nothing that it does not say."""
        return ()

    def wanted(self, solver: Solver) -> bool:
        """Whether it is empty."""
        return solver.is_empty(self.variable)

    def act(self, solver: Solver) -> None:
        """Let it be the builtin."""
        solver.add(self.variable, solver.values.value("external", f"<builtin>.{self.name}", level=GUESSED))


class Undecorated:
    """What a decorator gives back, where that is not known: what it was applied to."""

    __slots__ = ("call",)

    def __init__(self, call: Call):
        self.call = call

    @property
    def place(self) -> tuple[str, str]:
        """Where it is applied."""
        return self.call.unit.file.path, self.call.unit.name

    def asks(self) -> Iterable[int]:
        """What it gives."""
        return (self.call.output,)

    def about(self) -> Iterable[str]:
        """Nothing that it does not say."""
        return ()

    def wanted(self, solver: Solver) -> bool:
        """Whether that is empty."""
        return solver.is_empty(self.call.output)

    def act(self, solver: Solver) -> None:
        """Let the definition through."""
        solver.copy(self.call.arguments[0][0], self.call.output, GUESSED)
