"""What other systems leave, as files of a store: one module a format, the same shape each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sbfs.bundles.checking import LeftOut
from sbfs.errors import Invalid


@dataclass
class Found:
    """files: path below a store → bytes. left_out: what could not be carried. redacted: secrets taken out, by type."""

    format: str
    files: dict[str, bytes] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    redacted: Counter[str] = field(default_factory=Counter)


def read(path: Path, now: datetime) -> Found:  # noqa: ARG001
    """Read what another system left. Raises Invalid where it is none that is known."""
    raise Invalid("is nothing that can be imported", path=path.name, hint="see docs/bundles.md for what can")
