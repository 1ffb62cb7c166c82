"""The plain call graph that the field's tools exchange: caller → sorted callees, names as imports would write them.

A body that is no function of its own (a class's, a Ruby block's) belongs to the function or module around it. Imports
and declarations are no calls; of implicit calls only those of iteration count. Every known function and module is a
key, and so is every callee.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sbfs.code.facts import Facts
from sbfs.linking.links import CONFIDENCES, Edge, Links

BODIES = frozenset({"class", "interface", "type", "enum", "trait", "namespace"})
"""Symbols whose bodies run as part of what is around them."""

_UNSAID = {f"<builtin>.{name}" for name in ("property", "staticmethod", "classmethod")}

OUTSIDE = "ext::"


@dataclass(frozen=True)
class Named:
    """A symbol. name: dotted."""

    name: str
    type: str
    flags: tuple[str, ...] = ()

    @property
    def is_body(self) -> bool:
        """Whether its body belongs to what is around it."""
        return self.type in BODIES or "block" in self.flags or "class" in self.flags


def of(symbols: Mapping[str, Named], edges: Iterable[Edge], confidence: str = "inferred") -> dict[str, list[str]]:
    """The call graph of symbols, by id, and edges that are as sure as asked for."""
    sure = CONFIDENCES[: CONFIDENCES.index(confidence) + 1]
    found: dict[str, set[str]] = {one.name: set() for one in symbols.values() if not one.is_body and one.type != "file"}
    for edge in edges:
        if edge.confidence not in sure or edge.type not in ("calls", "component_calls") or "renders" in edge.flags:
            continue
        if "implicit" in edge.flags and "iteration" not in edge.flags:
            continue
        target = symbols.get(edge.target)
        if target is not None and target.is_body:
            continue
        name = target.name if target else edge.target.removeprefix(OUTSIDE)
        if name not in _UNSAID:
            found.setdefault(_caller(symbols, edge.source), set()).add(name)
            found.setdefault(name, set())
    return {name: sorted(found[name]) for name in sorted(found)}


def _caller(symbols: Mapping[str, Named], id: str) -> str:
    """The name of the function or module that a body belongs to."""
    path, _, name = id.partition("::")
    while name and (known := symbols.get(f"{path}::{name}")) is not None and known.is_body:
        name = name.rpartition(".")[0]
    known = symbols.get(f"{path}::{name}")
    return known.name if known else id


def of_facts(facts: Iterable[Facts], links: Links, confidence: str = "inferred") -> dict[str, list[str]]:
    """The same of facts and their links."""
    from sbfs.linking.names import dotted

    kept = [*facts]
    paths = frozenset(one.path for one in kept)
    symbols = {
        f"{one.path}::{symbol.name}": Named(
            dotted(one.path, one.language, symbol.name, paths), symbol.type, tuple(symbol.flags)
        )
        for one in kept
        for symbol in one.symbols
    }
    return of(symbols, links.edges, confidence)
