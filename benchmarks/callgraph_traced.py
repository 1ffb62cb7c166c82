"""How much of what really runs the call graph of Python has: programs under their own tests, with a profiler's hook.

    python benchmarks/callgraph_traced.py FOLDER…               unpacked source distributions, their tests by pytest
    python benchmarks/callgraph_traced.py FOLDER --run "tests/runtests.py forms_tests"      a script of their own
    python benchmarks/callgraph_traced.py FOLDER… --python VENV/bin/python      where what they need is installed
    python benchmarks/callgraph_traced.py FOLDER… --missing 40                  also names missing edges

A folder's packages are those at its top or in `src` (also single modules), without its tests; the graph is made of them
alone. Pairs of caller and callee that ran and are both in them are looked up in the graph. Left out, as by `graph
export --format callgraph`: properties, special methods other than constructors, `__call__` and iteration. A
generator counts where the one who steps it names it: the hook does not see who made it. What tests do not reach does
not count: this is recall alone, of what ran.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sbfs.code.facts import Facts, Symbol
from sbfs.code.reading import read
from sbfs.linking import CONFIDENCES, link
from sbfs.linking.links import Edge

ASIDE = frozenset(("tests", "test", "testing", "docs", "doc", "examples", "benchmarks", "setup.py", "conftest.py"))
COUNTED = frozenset(("__init__", "__call__", "__iter__", "__next__", "__aiter__", "__anext__"))
"""Special methods whose calls are edges of an exported call graph."""
FUNCTIONS = frozenset(("function", "method"))
UNSEEN = frozenset(("property", "cached", "setter"))
HEAD = ("package", "files", "ran", *CONFIDENCES, "missed", "recall", "with names")

Pair = tuple[str, str]


def sources(folder: Path) -> list[Facts]:
    """The facts of a folder's packages, by paths as imports see them."""
    top = folder / "src" if (folder / "src").is_dir() else folder
    found = []
    for place in sorted(top.iterdir()):
        if place.name in ASIDE or not (place.suffix == ".py" or (place / "__init__.py").is_file()):
            continue
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            name = path.relative_to(folder)
            if not ASIDE.intersection(name.parts):
                found.append(read(name.as_posix(), path.read_bytes()))
    return found


def traced(folder: Path, python: str, words: str) -> list[list[list[str | int]]]:
    """Pairs of callers and callees that ran, as `tracing` writes them."""
    here = Path(__file__).resolve().parent
    with tempfile.TemporaryDirectory() as scratch:
        into = Path(scratch) / "pairs.json"
        paths = os.pathsep.join(str(one) for one in (here, folder / "src", folder))
        environment = {**os.environ, "PYTHONPATH": paths, "TRACED_BELOW": str(folder), "TRACED_INTO": str(into)}
        command = [python, "-m", "pytest", "-q", "-p", "tracing", "-p", "no:cacheprovider", *shlex.split(words)]
        if words.partition(" ")[0].endswith(".py"):
            command = [python, str(here / "tracing.py"), *shlex.split(words)]
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        print(f"{folder.name}: {(ran.stdout or ran.stderr).strip().rpartition(chr(10))[2]}")
        if not into.exists():
            sys.exit(ran.stdout + ran.stderr)
        found: list[list[list[str | int]]] = json.loads(into.read_text(encoding="utf-8"))
        return found


class Finder:
    """Finds the symbol of a body of code."""

    def __init__(self, facts: list[Facts]):
        self.symbols = {one.path: {symbol.name: symbol for symbol in one.symbols} for one in facts}

    def find(self, path: str, qualified: str, line: int) -> str | None:
        """The id of a body, None where it is not told surely. Comprehensions are part of what is around them."""
        symbols = self.symbols.get(path)
        if symbols is None:
            return None
        parts = [part for part in qualified.split(".") if part != "<locals>"]
        while parts and parts[-1].startswith("<") and parts[-1] != "<lambda>":
            parts.pop()
        if not parts:
            return path
        around = [one for one in symbols.values() if one.start <= line <= one.end and _is_named(one, parts[-1])]
        nearest = [one for one in around if one.start == max(other.start for other in around)]
        return self.lifted(path, nearest[0].name) if len(nearest) == 1 else None

    def lifted(self, path: str, name: str) -> str:
        """A class's body runs as part of what is around it."""
        while name and self.symbols[path][name].type not in FUNCTIONS:
            name = name.rpartition(".")[0]
        return f"{path}::{name}" if name else path

    def symbol(self, id: str) -> Symbol | None:
        """The function of an id."""
        path, _, name = id.partition("::")
        return self.symbols.get(path, {}).get(name) if name else None


def _is_named(symbol: Symbol, name: str) -> bool:
    last = symbol.name.rpartition(".")[2].partition("#")[0]
    return last.startswith("<lambda") if name == "<lambda>" else last == name


def pairs(ran: list[list[list[str | int]]], finder: Finder) -> Iterator[Pair]:
    """Callers and callees as ids, those that an exported call graph has to have."""
    for caller, callee in ran:
        source, target = (finder.find(str(one[0]), str(one[1]), int(one[2])) for one in (caller, callee))
        symbol = finder.symbol(target) if target is not None and callee[1] != "<module>" else None
        if source is None or target is None or symbol is None or UNSEEN.intersection(symbol.flags):
            continue
        if str(callee[1]).rpartition(".")[2] != symbol.name.rpartition(".")[2].partition("#")[0] and (
            "<lambda" not in str(callee[1])
        ):
            continue  # the body of a class: no call
        last = symbol.name.rpartition(".")[2]
        if not last.startswith("__") or not last.endswith("__") or last in COUNTED:
            yield source, target


def known(edges: list[Edge], finder: Finder) -> dict[Pair, str]:
    """Confidence by caller and callee, the best there is; "implicit" for what is no written call."""
    found: dict[Pair, str] = {}
    order = (*CONFIDENCES, "implicit")
    for edge in edges:
        if edge.type != "calls":
            continue
        path, _, name = edge.source.partition("::")
        pair = (finder.lifted(path, name), edge.target)
        silent = "implicit" in edge.flags and "iteration" not in edge.flags
        said = "implicit" if silent else edge.confidence
        found[pair] = min(said, found.get(pair, said), key=order.index)
    return found


def line_of(label: str, files: int, counted: Counter[str]) -> tuple[str, ...]:
    """One line of the table."""
    ran = max(counted.total(), 1)
    sure = counted["exact"] + counted["inferred"]
    numbers = (files, counted.total(), *(counted[one] for one in (*CONFIDENCES, "missed")))
    return (label, *map(str, numbers), f"{sure / ran:.3f}", f"{(sure + counted['name']) / ran:.3f}")


def main() -> None:
    """Run, look up and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--python", default=sys.executable, help="interpreter that runs them")
    parser.add_argument("--run", default="", metavar="WORDS", help="a script and its words, or words for pytest")
    parser.add_argument("--missing", type=int, default=0, help="how many missing edges to name")
    given = parser.parse_args()
    lines, total, files = [HEAD], Counter[str](), 0
    for folder in given.folders:
        facts = sources(folder.resolve())
        finder = Finder(facts)
        edges = known(link(facts).edges, finder)
        ran = set(pairs(traced(folder.resolve(), given.python, given.run), finder))
        ran = {pair for pair in ran if edges.get(pair) != "implicit"}
        counted = Counter(edges.get(pair, "missed") for pair in ran)
        total, files = total + counted, files + len(facts)
        lines.append(line_of(folder.name, len(facts), counted))
        for caller, callee in sorted(pair for pair in ran if pair not in edges)[: given.missing]:
            print(f"  {caller} -> {callee}")
    lines.append(line_of("all", files, total))
    lines.insert(1, tuple("---" for _ in HEAD))
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))


if __name__ == "__main__":
    main()
