"""The file that `git bundle` writes and reads: a head of lines, then a pack (gitformat-bundle(5))."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from sbfs.errors import Invalid
from sbfs.git.repository import BRANCH

SIGNATURE = b"# v2 git bundle\n"
_NEWER = b"# v3 git bundle\n"

_LINES = 100_000
_LONGEST = 10_000

_HINT = "get the file again, or make it anew with 'sbfs export'"


@dataclass(frozen=True)
class Head:
    """refs: name → commit. needs: commits that must be there already. at: where the pack begins, in bytes."""

    refs: Mapping[str, str]
    needs: tuple[str, ...]
    at: int

    @property
    def tip(self) -> str:
        """The commit that the bundle is about; "" where it does not say."""
        named = self.refs.get(BRANCH) or self.refs.get("HEAD")
        heads = {id for name, id in self.refs.items() if name.startswith("refs/heads/")}
        return named or (heads.pop() if len(heads) == 1 else "")


def is_bundle(beginning: bytes) -> bool:
    """Whether a file that begins so says that it is a bundle of Git, of any version."""
    return bool(re.match(rb"# v\d+ git bundle\n", beginning))


def read_head(file: IO[bytes], name: str) -> Head:
    """Read the head; the file then stands at the pack. name: for errors. Raises Invalid."""
    first = file.readline(_LONGEST)
    if first not in (SIGNATURE, _NEWER):
        said = first.decode("ascii", "replace").strip()
        hint = "make it anew with 'sbfs export', or 'git bundle create --version=2'"
        raise Invalid(f"is a bundle of a version that this sbfs does not know: {said:.60}", path=name, hint=hint)
    refs: dict[str, str] = {}
    needs: list[str] = []
    for _ in range(_LINES):
        line = file.readline(_LONGEST)
        if line == b"\n":
            return Head(refs, tuple(needs), file.tell())
        _take(line, name, first == _NEWER, refs, needs)
    raise Invalid("its head does not end", path=name, hint=_HINT)


def _take(line: bytes, name: str, capable: bool, refs: dict[str, str], needs: list[str]) -> None:
    if not line.endswith(b"\n"):
        raise Invalid("its head is cut off", path=name, hint=_HINT)
    if capable and line.startswith(b"@"):
        said = line[1:].decode("ascii", "replace").strip()
        if said != "object-format=sha1":
            raise Invalid(f"needs what sbfs does not know: {said:.60}", path=name, hint="stores are SHA-1 repositories")
        return
    match = re.fullmatch(rb"(-?)([0-9a-f]{40})(?: ([^\n]*))?\n", line)
    if match is None:
        hint = "a repository of SHA-256 cannot be read" if re.match(rb"-?[0-9a-f]{64}[ \n]", line) else _HINT
        raise Invalid("its head is damaged", path=name, hint=hint)
    if match[1]:
        needs.append(match[2].decode())
    else:
        refs[(match[3] or b"").decode("utf-8", "surrogateescape")] = match[2].decode()


def write_head(out: IO[bytes], tip: str, needs: Sequence[str]) -> None:
    """Write the head of a bundle whose one branch is main."""
    lines = [*(f"-{id} " for id in needs), f"{tip} HEAD", f"{tip} {BRANCH}"]
    out.write(SIGNATURE + "".join(f"{line}\n" for line in lines).encode() + b"\n")
