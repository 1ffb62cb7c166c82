"""Entries read by a process of their own, while this one indexes them: two processors build sooner than one.

`python -m sbfs.search.reading ROOT TREE` writes a line of JSON for each entry, and `end` when it has written all.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sbfs.entry import Entry
from sbfs.git.repository import Repository
from sbfs.search.entries import Entries, Keyed

LEAST = 2000
"""Files that are worth a process."""

_END = b"end\n"
_NAME = "sbfs.search.reading"


def everything(
    repo: Repository, tree: str, *, least: int = LEAST, program: Sequence[str] = (sys.executable, "-m", _NAME)
) -> Iterator[Keyed]:
    """Every entry of a tree, in no promised order. What another process does not deliver is read here."""
    source = Entries(repo, tree)
    files = source.files()
    seen: set[str] = set()
    if len(files) >= least:
        with suppress(OSError, ValueError, KeyError, TypeError):
            for keyed in _from_process([*program, str(repo.root), tree]):
                seen.add(keyed[0])
                yield keyed
            return
    yield from (keyed for keyed in source.everything(files) if keyed[0] not in seen)


def _from_process(command: list[str]) -> Iterator[Keyed]:
    """What a process reads. Raises OSError or ValueError where it does not come to its end."""
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, stdout=subprocess.PIPE, **quiet) as process:  # type: ignore[call-overload]
        try:
            for line in process.stdout:
                if line == _END:
                    return
                yield _load(line)
        finally:
            process.kill()
    raise ValueError("the process that reads has ended too early")


def _load(line: bytes) -> Keyed:
    key, blob, facts = json.loads(line)
    facets = facts.pop("facets")
    facts["facets"] = {name: tuple(value) if isinstance(value, list) else value for name, value in facets.items()}
    return key, blob, Entry(**facts)


def main(root: str, tree: str) -> None:
    """Write every entry of a tree to standard output."""
    out = sys.stdout.buffer
    with Repository(Path(root)) as repo, suppress(BrokenPipeError):
        for key, blob, entry in Entries(repo, tree).everything():
            out.write(json.dumps([key, blob, vars(entry)]).encode() + b"\n")
        out.write(_END)
        out.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
