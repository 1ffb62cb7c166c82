"""What is known of files before values flow: their symbols, their names, their functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sbfs.code.facts import Facts, Symbol

if TYPE_CHECKING:
    from sbfs.linking.solver import Policy

CLASSES = frozenset({"class", "interface", "trait", "enum", "namespace", "type"})
"""Symbol types whose variables are attributes."""


NOTHING_GIVEN: Mapping[str, int] = {}
"""The defaults of a function that has none. Never written to."""


def is_body(symbol: Symbol) -> bool:
    """Whether a symbol is a class, so that its variables are attributes and calls in its body belong around it."""
    return symbol.type in CLASSES or "class" in symbol.flags


def plain(name: str) -> str:
    """The last part of a symbol's name, without the number of a later definition."""
    return re.sub(r"#\d+$", "", name.rpartition(".")[2])


class Unit:
    """A symbol's body, as the rules made from it know it.

    source: the id on which its calls hang: its own for a function, that of the nearest function or file around it
    for a class's body.
    """

    __slots__ = ("file", "function", "name", "prefix", "source", "symbol")

    def __init__(self, file: File, symbol: Symbol):
        self.file, self.symbol, self.name = file, symbol, symbol.name
        self.prefix = symbol.name + ":"
        self.source = file.source_of(symbol.name)
        self.function: Function | None = None


class Function:
    """A function's variables. positional: of its parameters in order; given:
    parameter → the variable of its default; names: parameter → its variable, for those
    that may be given by name; defaults: place of a parameter → variable of its default; rest, keywords,
    everything: the values (containers) that take what is left, and all positional arguments; -1 where there is
    none. passes: places of parameters that it returns as they are. looks_up: it gets attributes by names that it
    does not say."""

    __slots__ = (
        "block", "defaults", "everything", "file", "generator", "given", "index", "keyword_defaults", "keywords",
        "looks_up", "names", "passes", "positional", "rest", "returns", "symbol", "this", "yields",
    )  # fmt: skip

    def __init__(self, file: File, symbol: Symbol, index: int):
        self.file, self.symbol, self.index = file, symbol, index
        self.positional: list[int] = []
        self.given: Mapping[str, int] = NOTHING_GIVEN
        self.names: dict[str, int] = {}
        self.defaults: dict[int, int] = {}
        self.keyword_defaults: dict[str, int] = {}
        self.passes: tuple[int, ...] = ()
        self.rest = self.keywords = self.everything = self.block = self.this = self.returns = self.yields = -1
        self.generator = "generator" in symbol.flags
        self.looks_up = False

    def give(self, given: Mapping[str, int]) -> None:
        """Let parameters have defaults: name → variable."""
        self.given = given
        by_place = [
            one.name for one in self.symbol.parameters if one.kind not in ("block", "rest", "keywords", "keyword")
        ]
        places = {name: place for place, name in enumerate(by_place) if name in given}
        self.defaults = {places[name]: source for name, source in given.items() if name in places}
        self.keyword_defaults = {
            name: source for name, source in given.items() if name in self.names and name not in places
        }

    def takes(self) -> tuple[object, ...]:
        """All that binding a call to it depends on."""
        return (
            self.positional, self.names, self.defaults, self.keyword_defaults, self.passes, self.rest, self.keywords,
            self.everything, self.block, self.this, self.generator, self.looks_up,
            [parameter.kind for parameter in self.symbol.parameters],
        )  # fmt: skip

    def default_pairs(self) -> list[tuple[int, int]]:
        """(variable of the default, of the parameter)."""
        pairs = [(default, self.positional[place]) for place, default in self.defaults.items()]
        return pairs + [(default, self.names[name]) for name, default in self.keyword_defaults.items()]


class File:
    """A file's facts, and its names.

    symbols: by name. mentioned: symbol → the functions that its flows define. brought: variables of the module that
    imports assign. defined: variables that something in the file assigns, as `symbol:name`. variables: those
    that have a number.
    """

    def __init__(self, facts: Facts, policy: Policy):
        self.path, self.language, self.policy = facts.path, facts.language, policy
        self.variables: dict[str, int] = {}
        self.functions: dict[str, Function] = {}
        self.mentioned: dict[str, set[str]] = {}
        self.take(facts)

    def take(self, facts: Facts) -> None:
        """Be a file that says this. Variables stay what they are."""
        self.facts = facts
        self.symbols = {symbol.name: symbol for symbol in facts.symbols}
        self.defined: set[str] = set()
        self.brought: set[str] = set()
        self.stars: list[tuple[str, int]] = []
        self.stored: set[str] = set()
        self._sources: dict[str, str] = {}
        self._scan()

    def _scan(self) -> None:
        for symbol in self.facts.symbols:
            if self.policy.implies_definitions and symbol.name and "<" not in symbol.name and not is_body(symbol):
                around = self.around(symbol.name)
                if around == "" or is_body(self.symbols[around]):
                    self.defined.add(f"{around}:{plain(symbol.name)}")
            attributes = symbol.name == "" or is_body(symbol)
            prefix = symbol.name + ":"
            for flow in symbol.flows:
                if flow[0] == "=":
                    if symbol.name == "" and isinstance(flow[2], list) and flow[2] and flow[2][0] == "module":
                        self.brought.add(f":{flow[1]}")
                    self._target(flow[1], prefix, attributes)
                elif flow[0] == "star":
                    self.stars.append((flow[1], flow[2]))

    def _target(self, target: Any, prefix: str, attributes: bool) -> None:
        if isinstance(target, str):
            if ":" in target:
                self.defined.add(target)
            elif attributes:
                self.defined.add(prefix + target)
        elif target and target[0] == "attr":
            self.stored.add(target[2])
        elif target and target[0] == "unpack":
            for part in target[1]:
                self._target(part, prefix, attributes)

    def renew(self, facts: Facts) -> None:
        """Take facts that differ from those before in lines alone."""
        self.facts = facts
        self.symbols = {symbol.name: symbol for symbol in facts.symbols}

    def source_of(self, name: str) -> str:
        """The id of the symbol on which calls in the body of a symbol hang."""
        found = self._sources.get(name)
        if found is None:
            symbol = self.symbols.get(name)
            if name == "":
                found = self.path
            elif symbol is None or is_body(symbol) or "block" in symbol.flags:
                found = self.source_of(self.around(name))
            else:
                found = f"{self.path}::{name}"
            self._sources[name] = found
        return found

    def around(self, name: str) -> str:
        """The name of the symbol around a symbol, "" for the module."""
        while "." in name:
            name = name.rpartition(".")[0]
            if name in self.symbols:
                return name
        return ""

    def class_around(self, name: str) -> str | None:
        """The name of the class whose body is nearest around a symbol."""
        while name:
            name = self.around(name)
            symbol = self.symbols.get(name)
            if symbol is not None and is_body(symbol):
                return name
        return None


class Project:
    """All files, by path, each with the policy of its language. Files of languages without a policy are left out."""

    def __init__(self, facts: Iterable[Facts], policies: Mapping[str, Policy]):
        self.policies = policies
        self.files: dict[str, File] = {}
        for one in facts:
            policy = policies.get(one.language)
            if policy is not None:
                self.files[one.path] = File(one, policy)
        self.in_use = list(dict.fromkeys(policies.values()))
        for policy in self.in_use:
            policy.prepare(self)
