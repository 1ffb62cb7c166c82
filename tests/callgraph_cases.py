"""Cases of who calls what: a small program, the edges it must give, and how near an answer comes to them.

A case is `tests/callgraph/<language>/<feature>/<case>.txt`: lines with `#` that say what it shows, sections
`=== <path>` of sources, and a section `=== expected` with one edge a line, `caller -> callee`, in callgraph names. A
trailing `[inferred]` or `[name]` says how sure the edge must be, where that matters. `known: caller -> callee` admits
that an edge is missed, or reported too much: it counts as wrong in the table, and does not fail the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sbfs.code.facts import Facts
from sbfs.code.languages import language_of
from sbfs.code.reading import read, skipped
from sbfs.linking import CONFIDENCES, Links, link
from sbfs.linking.callgraph import of_facts

CASES = Path(__file__).parent / "callgraph"

Edge = tuple[str, str]

_EDGE = re.compile(r"(known: )?(\S+) -> (\S+?)(?: \[(exact|inferred|name)\])?\Z")


@dataclass
class Case:
    """A program and what it must give. known: edges that are admitted to differ. tags: how sure an edge must be."""

    language: str
    feature: str
    name: str
    files: dict[str, bytes]
    expected: set[Edge] = field(default_factory=set)
    known: set[Edge] = field(default_factory=set)
    tags: dict[Edge, str] = field(default_factory=dict)

    def expected_at(self, confidence: str) -> set[Edge]:
        """Without the edges that only a less sure answer has to have."""
        order = CONFIDENCES.index(confidence)
        return {edge for edge in self.expected if CONFIDENCES.index(self.tags.get(edge, "exact")) <= order}


@dataclass
class Score:
    """Edges found and expected, and how many are both."""

    cases: int = 0
    found: int = 0
    expected: int = 0
    both: int = 0
    exact: int = 0

    def add(self, found: set[Edge], expected: set[Edge]) -> None:
        """Count one more case."""
        self.cases += 1
        self.found += len(found)
        self.expected += len(expected)
        self.both += len(found & expected)
        self.exact += found == expected

    @property
    def precision(self) -> float:
        """Share of the edges found that are expected."""
        return self.both / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the edges expected that are found."""
        return self.both / self.expected if self.expected else 1.0


# -- reading -----------------------------------------------------------------------------------


def own_cases(language: str = "*", feature: str = "*") -> list[Case]:
    """The project's own cases, in order. Raises ValueError for one that is not written as it must be."""
    return [parse(path) for path in sorted(CASES.glob(f"{language}/{feature}/*.txt"))]


def parse(path: Path) -> Case:
    """One of the project's own cases."""
    case = Case(path.parent.parent.name, path.parent.name, path.stem, {})
    for title, body in _sections(path):
        if title != "expected":
            case.files[title] = body.encode()
            continue
        for line in body.splitlines():
            if line.strip() and not line.startswith("#"):
                _read_edge(case, line.strip(), path)
    return case


def _sections(path: Path) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^=== (.+)\n", path.read_text(encoding="utf-8"), flags=re.M)
    if "expected" not in parts[1::2]:
        raise ValueError(f"{path}: no section `=== expected`")
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _read_edge(case: Case, line: str, path: Path) -> None:
    found = _EDGE.match(line)
    if found is None:
        raise ValueError(f"{path}: no edge: {line}")
    edge = found[2], found[3]
    if found[1]:
        case.known.add(edge)
        return
    case.expected.add(edge)
    if found[4]:
        case.tags[edge] = found[4]


def outside_cases(folder: Path) -> Iterator[Case]:
    """Cases kept elsewhere: each a folder with sources and a `callgraph.json` beside them, caller → list of callees."""
    for answer in sorted(folder.rglob("callgraph.json")):
        top = answer.parent
        files = {
            path.relative_to(top).as_posix(): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file() and language_of(path.name, path.read_bytes()[:500])
        }
        languages = [language_of(name, raw[:500]) or "" for name, raw in files.items()]
        language = max(sorted(set(languages)), key=languages.count, default="")
        place = top.relative_to(folder).parts
        case = Case(language, "/".join(place[:-1]) or ".", place[-1] if place else top.name, files)
        for caller, callees in json.loads(answer.read_text(encoding="utf-8")).items():
            case.expected |= {(caller, callee) for callee in callees}
        yield case


# -- answering ---------------------------------------------------------------------------------


def linked(files: dict[str, bytes]) -> tuple[list[Facts], Links]:
    """Facts and links of a program."""
    facts = [read(path, raw) for path, raw in files.items() if not skipped(path, raw)]
    return facts, link(facts)


def edges_of(facts: Iterable[Facts], links: Links, confidence: str = "inferred") -> set[Edge]:
    """The edges of the exported call graph."""
    graph = of_facts(facts, links, confidence)
    return {(caller, callee) for caller, callees in graph.items() for callee in callees}


def differences(case: Case) -> list[str]:
    """What an answer has wrong, edge by edge, without what is admitted."""
    facts, links = linked(case.files)
    found = edges_of(facts, links)
    named = edges_of(facts, links, "name")
    exact = edges_of(facts, links, "exact")
    expected = case.expected_at("inferred")
    wrong = [f"missing: {' -> '.join(edge)}" for edge in sorted(expected - found - case.known)]
    wrong += [f"too much: {' -> '.join(edge)}" for edge in sorted(found - case.expected - case.known)]
    admitted = sorted(case.known - (found ^ expected))
    wrong += [f"admitted, but right: {' -> '.join(edge)}" for edge in admitted]
    for edge, tag in sorted(case.tags.items()):
        said = "exact" if edge in exact else "inferred" if edge in found else "name" if edge in named else "nothing"
        if edge not in case.known and said != tag:
            wrong.append(f"{said}, not {tag}: {' -> '.join(edge)}")
    return wrong
