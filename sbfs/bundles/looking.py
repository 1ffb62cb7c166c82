"""Which files of a repository may hold a secret: all of them are looked at, in the order in which they lie.

It is what a first export waits for, so a second process takes half of it. What is old and no more in the store's tree
is looked at, too: telling it apart would take longer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from sbfs import redact
from sbfs.git import inorder

SCANNED = 1 << 16
"""Bytes in which secrets are looked for at once."""

_SHARED = 20_000
"""Objects from which a second process takes a part."""

_BINARY = 8192

_STATUS = re.compile(rb"\nstatus: \w+\n")
"""What the two copies of a message differ in."""

_HALVES = ((0.0, 0.5), (0.5, 1.0))


def may_hold(texts: Sequence[bytes], rules: redact.Rules) -> bool:
    """Whether one of some texts may hold a secret: they are looked at as one."""
    return rules.may_hold(b"\n\n".join(texts).decode("utf-8", "replace"))


def is_binary(data: bytes) -> bool:
    """Whether a file is no text, in which no secret is looked for."""
    return b"\0" in data[:_BINARY]


def suspects(gitdir: Path, rules: redact.Rules) -> set[str] | None:
    """Ids of the files in which there may be a secret; None where they cannot be read in order.

    Of what was in the repository when this began, nothing is left out. Memory: see `inorder.Pack`.
    """
    objects = gitdir / "objects"
    if (objects / "info" / "alternates").exists():
        return None
    try:
        packs = sorted(objects.glob("pack/*.pack"))
        large = [pack for pack in packs if inorder.count(pack) >= _SHARED]
        found = set(_loose(objects, rules))
        with _Other(rules, large) as other:
            for pack in packs:
                found.update(_suspects_of(pack, rules, _HALVES[0] if pack in large and other.works else (0.0, 1.0)))
            found.update(other.said())
    except (OSError, inorder.Unfit, zlib.error):
        # A pack may have been joined with others meanwhile.
        return None
    return found


def _suspects_of(path: Path, rules: redact.Rules, share: tuple[float, float]) -> Iterator[str]:
    with inorder.Pack(path) as pack:
        begin, end = (int(pack.count * part) for part in share)
        numbers: set[int] = set()
        waiting: list[tuple[int, bytes]] = []
        size = 0
        for number, data in pack.files(begin, end, _STATUS):
            if is_binary(data):
                continue
            waiting.append((number, data))
            size += len(data)
            if size > SCANNED:
                numbers.update(_among(waiting, rules))
                waiting, size = [], 0
        numbers.update(_among(waiting, rules))
        yield from map(pack.id, (*numbers, *pack.passed_over(numbers)))


def _among(waiting: Iterable[tuple[int, bytes]], rules: redact.Rules) -> Iterator[int]:
    if may_hold([data for _, data in waiting], rules):
        yield from (number for number, data in waiting if may_hold([data], rules))


def _loose(objects: Path, rules: redact.Rules) -> Iterator[str]:
    for file in objects.glob("[0-9a-f][0-9a-f]/*"):
        head, _, data = zlib.decompress(file.read_bytes()).partition(b"\0")
        if head.startswith(b"blob ") and not is_binary(data) and may_hold([data], rules):
            yield file.parent.name + file.name


# -- the other process -----------------------------------------------------------------------------


class _Other:
    """A process that looks at the second half of some packs. It goes where this one does."""

    def __init__(self, rules: redact.Rules, packs: Sequence[Path]):
        said = json.dumps([rules.added, rules.allowed, rules.known])
        self._command = [sys.executable, "-P", "-m", __name__, said, *map(os.fspath, packs)]
        self._process: subprocess.Popen[str] | None = None
        self.works = False
        if packs and sys.executable:
            with suppress(OSError):
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
                self.works = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.kill()
            self._process.stdout.close()
            self._process.wait()

    def said(self) -> list[str]:
        """The ids that it found. Raises Unfit where it did not come to its end."""
        if self._process is None:
            return []
        out, _ = self._process.communicate()
        *ids, last = out.splitlines() or [""]
        if last != "end":
            raise inorder.Unfit("the other process did not come to its end")
        return ids


def main(said: str, *packs: str) -> None:
    """What the other process does: say the ids, then `end`."""
    added, allowed, known = json.loads(said)
    rules = redact.Rules(tuple((type, text) for type, text in added), tuple(allowed), known)
    for pack in packs:
        for id in _suspects_of(Path(pack), rules, _HALVES[1]):
            sys.stdout.write(f"{id}\n")
    sys.stdout.write("end\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
