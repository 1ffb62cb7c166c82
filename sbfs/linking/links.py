"""What linking finds: edges between symbols, each with its places and its confidence, and what it could not
resolve."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

EdgeType = Literal["declares", "calls", "component_calls", "extends", "imports"]
Confidence = Literal["exact", "inferred", "name", "ambiguous"]

CONFIDENCES: tuple[Confidence, ...] = ("exact", "inferred", "name", "ambiguous")
"""From the surest on. exact: scope, imports, method resolution order or value flow, without approximation.
inferred: an override in a known subclass, an annotation, a summary of a library, an unknown decorator taken as
identity. name: no evidence but that it is the only plausible definition of that name. ambiguous: one of several
such."""


@dataclass(slots=True)
class Edge:
    """source, target: ids, `<path>::<name>`; a file's own id is `<path>`; what lies outside is `ext::<dotted name>`,
    `ext::<builtin>.map`. lines: where, in the source's file. flags: implicit (a property, an iteration), renders
    (JSX), implements, type (an import of types only), override."""

    source: str
    target: str
    type: EdgeType
    confidence: Confidence = "exact"
    lines: tuple[int, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class Unresolved:
    """A call that could not be resolved. source: id of the symbol whose body it is in. text: of the callee.
    reason: one of REASONS."""

    source: str
    text: str
    line: int
    reason: str


REASONS = {
    "parameter": "the callee is a parameter of which no value is known",
    "dynamic": "the name is worked out while the program runs",
    "external-base": "the class has a base outside the project",
    "external": "what lies outside returned it",
    "unknown": "nothing is known of its value",
    "too-many": "more values than the cap",
    "partial": "its file could not be read whole",
}


@dataclass(slots=True)
class Links:
    """All of a project. Both lists sorted: by source, target, type; by source, line, text."""

    edges: list[Edge] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
