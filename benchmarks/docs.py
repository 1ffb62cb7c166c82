"""What documentation adds to the code graph of a large project: both indexed in one pass beside the graph alone.

    python benchmarks/docs.py DJANGO [--rounds 3]

DJANGO: an unpacked source distribution (pip download --no-deps --no-binary :all: Django==5.2.4). Each round makes two
fresh stores, each in a process of its own; times are of the processor, of all processes, which a busy machine changes
less than the wall's.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import clean_environment

from sbfs import documentation, graph
from sbfs.store import Store


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", choices=["graph", "docs"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        once(given.source, given.once)
        return
    took: dict[str, list[dict[str, float]]] = {"graph": [], "docs": []}
    for turn in range(given.rounds):
        # Which comes first changes, so that neither always meets the warmer machine.
        for what in ("graph", "docs") if turn % 2 == 0 else ("docs", "graph"):
            command = [sys.executable, __file__, str(given.source), "--once", what]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            took[what].append(json.loads(said))
            print(what, said.strip(), flush=True)
    for measure in ("cpu", "wall"):
        alone, both = (statistics.median(one[measure] for one in took[what]) for what in ("graph", "docs"))
        print(f"{measure}: graph alone {alone:.2f} s, with documentation {both:.2f} s: {both / alone:.2f} times")


def once(source: Path, what: str) -> None:
    """One index of a fresh store, told as JSON."""
    with tempfile.TemporaryDirectory(prefix="sbfs-docs-") as folder:
        clean_environment(Path(folder))
        with Store.init(Path(folder) / "store") as store:
            start, before = time.perf_counter(), cpu()
            index = graph.index if what == "graph" else documentation.index
            done = index(store, path=source)
            wall, used = time.perf_counter() - start, cpu() - before
            started = time.process_time()
            if what == "docs":
                documentation.index(store, path=source)
            again = time.process_time() - started
    print(json.dumps({"cpu": used, "wall": wall, "unchanged": again, "docs": done.snapshot.docs.get("counts", {})}))


def cpu() -> float:
    """Seconds of the processor, of this process and those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
