"""Measure the import of transcripts beside `json.loads` of the same lines: `python benchmarks/conversations.py`.

The transcripts are those named, else those of the tests. `--large MB` also imports one transcript of that size,
made of the largest given one again and again with other ids, and tells the memory that took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import clean_environment, interleave, timed

from sbfs import conversations, projects
from sbfs.store import Store

GIVEN = Path(__file__).parent.parent / "tests" / "data" / "transcripts"
ROUNDS = 5
LIMIT = 60
"""How many times as long as json.loads the import may take."""


def parse(files: list[Path]) -> None:
    """What an import cannot do without: every line as JSON."""
    for file in files:
        with open(file, "rb") as lines:
            for line in lines:
                json.loads(line)


def bring(folder: Path, files: list[Path]) -> conversations.Imported:
    """Import into a new store: redaction, records and the synced commit included."""
    with Store.open(folder) as store:
        return conversations.import_(store, paths=files, project="measured")


def prepare(folder: Path) -> Path:
    """A new store with a project."""
    with Store.init(folder) as store:
        projects.add(store, name="measured")
    return folder


def ratio(files: list[Path], spare: Path) -> None:
    """Import and json.loads in turn."""
    numbers = iter(range(1000))
    stores = [prepare(spare / f"store-{number}") for number in range(ROUNDS + 1)]
    ours, theirs = interleave(ROUNDS, lambda: bring(stores[next(numbers)], files), lambda: parse(files))
    size = sum(file.stat().st_size for file in files)
    told = f"{size / 1e6:.1f} MB: import {ours.median * 1000:.0f} ms, json.loads {theirs.median * 1000:.0f} ms"
    sys.stdout.write(f"{told}, {ours.median / theirs.median:.1f} times (limit {LIMIT})\n")


def large(source: Path, megabytes: int, spare: Path) -> None:
    """One long transcript, in a process of its own whose memory is looked at."""
    file = spare / "11111111-2222-4333-8444-555555555555.jsonl"
    text, number = source.read_text(), 0
    with open(file, "w") as target:
        while target.tell() < megabytes * 1_000_000:
            for name in ('"uuid":"', '"id":"msg_', '"requestId":"req_', "toolu_"):
                text = text.replace(name, f"{name}{number:05}")
            target.write(text)
            text, number = source.read_text(), number + 1
    folder = prepare(spare / "large")
    command = [sys.executable, __file__, "--child", str(folder), str(file)]
    seconds = timed(lambda: subprocess.run(command, check=True))
    sys.stdout.write(f"{file.stat().st_size / 1e6:.0f} MB in {seconds:.0f} s\n")


def _child(folder: Path, file: Path) -> None:
    (one,) = bring(folder, [file]).conversations
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{one.entries} entries, {memory:.0f} MB of memory at most (limit 300)\n")


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[GIVEN])
    parser.add_argument("--large", type=int, metavar="MB")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _child(*given.paths)
        return
    files = [file for path in given.paths for file in (sorted(path.rglob("*.jsonl")) if path.is_dir() else [path])]
    with tempfile.TemporaryDirectory() as spare:
        home = Path(spare, "home")
        os.mkdir(home)
        clean_environment(home)
        ratio(files, Path(spare))
        if given.large:
            large(max(files, key=lambda file: file.stat().st_size), given.large, Path(spare))


if __name__ == "__main__":
    main()
