"""The code graph of a large project: full and delta index beside `ast.parse`, a question as a whole process, sizes.

    python benchmarks/graph.py DJANGO [--rounds 5] [--cpu]

DJANGO: an unpacked source distribution (pip download --no-deps --no-binary :all: Django==5.2.4). It is copied first,
since files of it are changed. --cpu: also show processor time, which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import ast
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measure import SBFS, clean_environment, run

from sbfs import graph
from sbfs.store import Store


@dataclass(frozen=True)
class Took:
    """Seconds: by the wall, and of this process."""

    wall: float
    cpu: float


def took(action: Callable[[], object]) -> Took:
    """What an action takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def middle(times: list[Took]) -> Took:
    """The medians."""
    return Took(statistics.median(one.wall for one in times), statistics.median(one.cpu for one in times))


def parse_all(files: list[bytes]) -> None:
    """`ast.parse` of every file, in this process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for raw in files:
            try:
                ast.parse(raw)
            except (SyntaxError, ValueError):
                continue


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sbfs-graph-") as folder:
        clean_environment(Path(folder))
        source = Path(folder) / "source"
        shutil.copytree(given.source, source)
        Bench(Path(folder), source, given.rounds, cpu=given.cpu).run()


class Bench:
    """One run of everything, in one process."""

    def __init__(self, folder: Path, source: Path, rounds: int, *, cpu: bool):
        self.folder, self.source, self.rounds, self.cpu = folder, source, rounds, cpu
        self.python = sorted(source.rglob("*.py"))
        self.changed = [
            file for file in self.python if 4_000 < file.stat().st_size < 60_000 and "tests" not in file.parts
        ]

    def say(self, what: str, time: Took, note: str = "") -> None:
        """A row."""
        cpu = f" {time.cpu:9.3f}" if self.cpu else ""
        print(f"{what:44} {time.wall:9.3f}{cpu}  {note}", flush=True)

    def run(self) -> None:
        """Everything."""
        raw = [file.read_bytes() for file in self.python]
        print(f"{len(raw):,} Python files, {sum(map(len, raw)) / 1e6:.2f} MB; seconds")
        parse = min((took(lambda: parse_all(raw)) for _ in range(3)), key=lambda one: one.wall)
        self.say("ast.parse of all, best of three", parse)
        raw.clear()
        with Store.init(self.folder / "store") as store:
            self.index(store, parse)
            self.delta(store)
        self.process()
        self.sizes()

    def index(self, store: Store, parse: Took) -> None:
        """The full index, written to the store."""
        full = took(lambda: graph.index(store, path=self.source))
        self.say("full index", full, f"{full.wall / parse.wall:.1f} times ast.parse")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        other = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory {peak:,.0f} MB, of the second process {other:,.0f} MB")
        times = [took(lambda: graph.index(store, path=self.source)) for _ in range(self.rounds)]
        self.say("unchanged tree", middle(times))

    def delta(self, store: Store) -> None:
        """Files changed, indexed and answered from."""
        self.change(1, 0)
        self.say("first change in this process", took(lambda: self.ask(store)))
        for count in (1, 10):
            times = []
            for turn in range(1, self.rounds + 1):
                self.change(count, turn)
                times.append(took(lambda: self.ask(store)))
            self.say(f"{count} changed, indexed and answered, median", middle(times))
        said = run("git", "show", "--numstat", "--format=", "HEAD", cwd=self.folder / "store").split("\n")
        lines = [int(row.split("\t")[0]) for row in said if row.endswith(".json")]
        print(f"lines of a shard that a change of one function changes: {max(lines)} at most")

    def change(self, count: int, turn: int) -> None:
        """Let one function of some files say something else."""
        for file in self.changed[turn * 7 : turn * 7 + count]:
            text = file.read_text()
            file.write_text(f"{text}\n\ndef changed_here():\n    return len([{turn}])\n")

    def ask(self, store: Store) -> None:
        """Index, and ask a question that needs the result."""
        graph.index(store, path=self.source)
        assert graph.callers(store, symbol="django.utils.encoding.force_str").items

    def process(self) -> None:
        """`sbfs graph callers` as a whole process."""
        command = [str(SBFS), "--store", str(self.folder / "store"), "graph", "callers", "force_str", "--json"]
        times = []
        for _ in range(self.rounds + 1):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            times.append(Took(wall, cpu))
        self.say("sbfs graph callers, whole process, median", middle(times[1:]))

    def sizes(self) -> None:
        """What the shards take in Git."""
        packed = self.folder / "packed"
        shutil.copytree(self.folder / "store" / "projects" / "source" / "graph" / "files", packed)
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "shards"), ("gc", "-q")):
            run("git", *words, cwd=packed)
        size = sum(file.stat().st_size for file in packed.glob(".git/objects/pack/*.pack"))
        plain = sum(file.stat().st_size for file in packed.rglob("*.json"))
        print(f"shards: {plain / 1e6:.1f} MB, packed {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
