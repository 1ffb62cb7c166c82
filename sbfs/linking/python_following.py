"""Python's tables brought along when one file says something else, and what that may mean for other files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sbfs.linking.tables import is_body

if TYPE_CHECKING:
    from sbfs.code.facts import Facts
    from sbfs.linking.python import Python
    from sbfs.linking.tables import File

PROPERTIES = frozenset({"property", "cached", "setter"})


@dataclass(frozen=True)
class Shape:
    """What other files see of a file without asking for a name of it (fixed), and the names that it has."""

    fixed: tuple[Any, ...]
    names: frozenset[str]
    told: frozenset[str]
    decorators: dict[str, Any]
    assignments: dict[str, list[Any]]


@dataclass(frozen=True)
class Names:
    """Names that mean something else now. asked: wherever they are asked for. guessed: for what seeds make of them
    alone."""

    asked: frozenset[str]
    guessed: frozenset[str]


def follow(policy: Python, file: File, facts: Facts) -> Names | None:
    """Let a file say something else. Returns the names that it has now and had not, or the other way round; None where
    more changed than names, and all tables have to be made anew."""
    before = _shape(policy, file)
    file.take(facts)
    policy.forget(file)
    after = _shape(policy, file)
    if before.fixed != after.fixed or _redecorated(before, after):
        return None
    consulted = policy.classes.consulted
    for key in before.assignments.keys() | after.assignments.keys():
        if (file.path, key) in consulted and before.assignments.get(key) != after.assignments.get(key):
            return None
    if before.names != after.names:
        policy.classes.renew(file)
    asked = {key.rpartition(":")[2] for key in before.names ^ after.names}
    told = before.told ^ after.told
    for name in told:
        stored = any(name in other.stored for other in policy.modules.files.values())
        if stored != (name in policy.stored) or name not in policy.told:
            asked.add(name)
        (policy.stored.add if stored else policy.stored.discard)(name)
        policy.told.add(name)
    return Names(frozenset(asked), frozenset(told))


def _redecorated(before: Shape, after: Shape) -> bool:
    return any(after.decorators.get(name, said) != said for name, said in before.decorators.items())


def _shape(policy: Python, file: File) -> Shape:
    symbols = file.facts.symbols
    heads = list(policy.classes.heads(file))
    classes = [key for key, _ in heads]
    fields = [
        (symbol.name, [flow[1] for flow in symbol.flows if flow[0] == "hint" and isinstance(flow[1], str)])
        for symbol in symbols
        if is_body(symbol)
    ]
    properties = sorted(symbol.name for symbol in symbols if PROPERTIES & set(symbol.flags))
    set_first = [(key, sorted(policy.classes.initial(key))) for key in classes]
    fixed = (file.stars, file.facts.exports, heads, fields, properties, set_first)
    names = {*file.defined}
    names |= {f"brought {key}" for key in file.brought}
    return Shape(
        fixed,
        frozenset(names),
        frozenset(told_by(file)),
        {symbol.name: symbol.decorators for symbol in symbols},
        dict(policy.classes.assignments(file)),
    )


def told_by(file: File) -> set[str]:
    """Names of attributes that annotations tell of, or that are stored."""
    found = set(file.stored)
    for symbol in file.facts.symbols:
        for flow in symbol.flows:
            if flow[0] == "hint":
                target = flow[1]
                if isinstance(target, str):
                    if is_body(symbol):
                        found.add(target)
                elif target and target[0] == "attr":
                    found.add(target[2])
    return found
