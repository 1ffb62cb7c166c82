"""Git's ignore rules for a walk down a tree: of several files of patterns the deepest that says something decides."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rules:
    """The patterns that hold in a folder. layers: (the folder whose paths they are relative to, patterns), the deepest
    last. key: the same for the same rules, whatever else changes."""

    layers: tuple[tuple[str, Any], ...] = ()
    key: str = ""

    def below(self, folder: str, text: bytes) -> Rules:
        """With the patterns of a .gitignore in a folder (posix, with `/` behind it; "" is the top)."""
        if not text.strip():
            return self
        key = hashlib.sha1(f"{self.key}\0{folder}\0".encode("utf-8", "replace") + text, usedforsecurity=False)
        return Rules((*self.layers, (folder, _Patterns(text))), key.hexdigest())

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Whether a path is left out. What lies in a folder that is left out is not to be asked about."""
        for place, patterns in reversed(self.layers):
            said = patterns.says(path.removeprefix(place), folder=folder)
            if said is not None:
                return bool(said)
        return False


class _Patterns:
    """The patterns of one file, compiled when they are first asked: a walk whose files are known never asks."""

    def __init__(self, text: bytes):
        self._text = text
        self._compiled: list[Any] | None = None

    def says(self, path: str, *, folder: bool) -> bool | None:
        name = path.encode("utf-8", "surrogateescape")
        for pattern in self._patterns():
            if pattern.matches(name, folder):
                return bool(pattern.is_exclude)
        return None

    def _patterns(self) -> list[Any]:
        if self._compiled is None:
            from dulwich.ignore import IgnoreFilter, read_ignore_patterns

            found = IgnoreFilter(read_ignore_patterns(io.BytesIO(self._text))).patterns
            self._compiled = found[::-1]
        return self._compiled


def patterns(lines: Iterable[str]) -> bytes:
    """Patterns as a file of them would hold them."""
    return "\n".join(lines).encode("utf-8", "replace") + b"\n"
