"""How much of what really runs the call graph of JavaScript has: npm under Node.js's sampling profiler.

    python benchmarks/callgraph_node.py                    npm as it is installed beside `node`
    python benchmarks/callgraph_node.py --missing 40       also names edges that are missing

npm's commands run in an empty package of a temporary folder, with `node --cpu-prof`. A sample's stack names callers and
callees; pairs of which both are functions of npm (found by file, line and name) are looked up in the graph. Samples see
a part of what runs, and functions that the engine merged into their callers make pairs that no source has. So this
is recall alone, and a little low.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sbfs.code.facts import Facts, Symbol
from sbfs.code.reading import language_of, read
from sbfs.linking import link

COMMANDS = (
    *("ls --all", "pack --dry-run", "help install", "query *", "config ls -l", "explain a", "pkg get name", "version"),
    *("install --dry-run --offline --no-audit", "completion", "root", "prefix", "fund", "run", "outdated --offline"),
)
LARGEST = 500_000
"""Bytes; the packages that npm brings along are read too, where sbfs would leave them out as vendored."""
FUNCTIONS = ("function", "method", "component")


def profiled(npm: Path, into: Path) -> Iterator[dict[str, object]]:
    """The profiles of npm's commands."""
    package = into / "package"
    package.mkdir()
    (package / "package.json").write_text('{"name": "a", "version": "1.0.0", "scripts": {"b": "c"}}')
    environment = {**os.environ, "HOME": str(into), "npm_config_update_notifier": "false"}
    for command in COMMANDS:
        words = ["node", "--cpu-prof", f"--cpu-prof-dir={into / 'profiles'}", "--cpu-prof-interval=100"]
        words += [str(npm / "bin" / "npm-cli.js"), *command.split()]
        subprocess.run(words, cwd=package, env=environment, capture_output=True, timeout=120)
    for path in sorted((into / "profiles").glob("*.cpuprofile")):
        yield json.loads(path.read_text())


def sources(root: Path) -> list[Facts]:
    """The facts of all of npm's files."""
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and path.suffix in (".js", ".mjs", ".cjs", ".json"):
            raw = path.read_bytes()
            if language_of(name, raw[:2000]) and len(raw) < LARGEST and ".min." not in name:
                found.append(read(name, raw))
    return found


class Finder:
    """Finds the symbol of a frame of a stack."""

    def __init__(self, root: Path, facts: list[Facts]):
        self.root = f"{root.as_posix()}/"
        self.symbols = {one.path: [symbol for symbol in one.symbols if symbol.type in FUNCTIONS] for one in facts}

    def find(self, frame: dict[str, object]) -> str | None:
        """The id of a frame's function, or of a file's body; None for what is not surely one of npm's."""
        path = str(frame["url"]).removeprefix("file://")
        if not path.startswith(self.root) or (path := path.removeprefix(self.root)) not in self.symbols:
            return None
        line, name = int(str(frame["lineNumber"])) + 1, str(frame["functionName"]).rpartition(".")[2]
        name = name.removeprefix("get ").removeprefix("set ")
        if not name and line == 1 and int(str(frame["columnNumber"])) <= 10:
            return path
        close = [one for one in self.symbols[path] if abs(one.start - line) <= 3 and _is_named(one, name)]
        if len(close) > 1:
            close = [one for one in close if one.start == line] or close
        return f"{path}::{close[0].name}" if len(close) == 1 else None


def _is_named(symbol: Symbol, name: str) -> bool:
    last = symbol.name.rpartition(".")[2]
    return last.partition("#2")[0] == name if name else last.startswith("<lambda")


def pairs(profile: dict[str, object], finder: Finder) -> Iterator[tuple[str, str]]:
    """Callers and callees of a profile, both known."""
    nodes = {node["id"]: node for node in profile["nodes"]}  # type: ignore[attr-defined]
    for node in nodes.values():
        caller = finder.find(node["callFrame"])
        for child in node.get("children", ()) if caller is not None else ():
            callee = finder.find(nodes[child]["callFrame"])
            if caller is not None and callee is not None and "::" in callee:
                yield caller, callee


def main() -> None:
    """Run, look up and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--npm", type=Path, help="npm's folder (default: beside node)")
    parser.add_argument("--missing", type=int, default=0, help="how many missing edges to name")
    given = parser.parse_args()
    node = shutil.which("node")
    if node is None:
        sys.exit("this needs node: install Node.js")
    npm = (given.npm or Path(node).resolve().parent.parent / "lib" / "node_modules" / "npm").resolve()
    began = time.process_time()
    facts = sources(npm)
    read_in = time.process_time() - began
    links = link(facts)
    linked_in = time.process_time() - began - read_in
    known = {(edge.source, edge.target): edge.confidence for edge in links.edges if "calls" in edge.type}
    finder = Finder(npm, facts)
    with tempfile.TemporaryDirectory() as folder:
        ran = {pair for profile in profiled(npm, Path(folder).resolve()) for pair in pairs(profile, finder)}
    counted = Counter(known.get(pair, "missing") for pair in ran)
    sites = sum(len(symbol.sites) for one in facts for symbol in one.symbols)
    print(f"{len(facts)} files, {sites} call sites; read in {read_in:.1f} s of CPU, linked in {linked_in:.1f} s")
    print(f"{len(ran)} pairs ran: {dict(sorted(counted.items()))}")
    print(f"recall, inferred and better: {(counted['exact'] + counted['inferred']) / max(len(ran), 1):.3f}")
    for caller, callee in sorted(pair for pair in ran if pair not in known)[: given.missing]:
        print(f"  {caller} -> {callee}")


if __name__ == "__main__":
    main()
