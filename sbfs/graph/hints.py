"""What this machine knows of a source tree: where it lies, and what was read of each file.

A cache below .git/sbfs/graph/, one file a project; deleting it costs one reading of all files.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sbfs import redact
from sbfs.code.facts import SCHEMA
from sbfs.code.shards import READERS
from sbfs.graph.source import Known, Stamp

_FORMAT = 1

_YOUNG = 2_000_000_000
"""Nanoseconds before a walk within which a file's time says nothing: it may be written again at the same time, as far
as file systems tell, whose clocks go by up to two seconds."""


@dataclass
class Hints:
    """root: of the source, "" where it was never seen here. files: path → what was read of it. folders: see `Walked`.
    tree: of the shards that belong to them, "" where that is not known. prose: as `files`, of those without code, whose
    shards are of documentation."""

    root: str = ""
    files: dict[str, Known] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    tree: str = ""
    prose: dict[str, Known] = field(default_factory=dict)


def folder(gitdir: Path) -> Path:
    """Where caches of graphs lie."""
    return gitdir / "sbfs" / "graph"


def versions(rules: redact.Rules) -> dict[str, Any]:
    """Of what a shard's bytes depend on besides the source."""
    return {"shards": SCHEMA, "readers": READERS, "rules": rules.version}


def load(gitdir: Path, project: str, rules: redact.Rules) -> Hints:
    """What is known; nothing where that is of other versions, or cannot be read."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        data = json.loads((folder(gitdir) / f"{project}.json").read_bytes())
        if data["format"] != _FORMAT:
            return Hints()
        if data["versions"] != versions(rules):
            return Hints(str(data["root"]))
        files, prose = _files(data["files"]), _files(data.get("prose", {}))
        return Hints(str(data["root"]), files, dict(data["folders"]), str(data["tree"]), prose)
    return Hints()


def _files(said: Mapping[str, Any]) -> dict[str, Known]:
    return {
        path: Known(Stamp(size, changed, number), blob, why, shard)
        for path, (size, changed, number, blob, why, shard) in said.items()
    }


def load_root(gitdir: Path, project: str) -> str:
    """Where a project's source was seen last on this machine, or ""."""
    file = folder(gitdir) / f"{project}.root"
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text()
    return ""


def keep(gitdir: Path, project: str, hints: Hints, rules: redact.Rules, begun: int) -> None:
    """Remember. begun: the time of the file system when the walk began, nanoseconds (`now`)."""
    files = {path: _said(known, begun) for path, known in hints.files.items()}
    data: Mapping[str, Any] = {
        "format": _FORMAT,
        "versions": versions(rules),
        "root": hints.root,
        "tree": hints.tree,
        "folders": hints.folders,
        "files": files,
        "prose": {path: _said(known, begun) for path, known in hints.prose.items()},
    }
    file = folder(gitdir) / f"{project}.json"
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(6)}~")
    # A store that may be read only is still read; it is only slower.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(data, separators=(",", ":")))
        os.replace(temporary, file)
        if load_root(gitdir, project) != hints.root:
            (folder(gitdir) / f"{project}.root").write_text(hints.root)


def _said(known: Known, begun: int) -> list[Any]:
    stamp = known.stamp
    changed = stamp.changed if stamp.changed < begun - _YOUNG else -1
    return [stamp.size, changed, stamp.number, known.blob, known.why, known.shard]


def now(gitdir: Path) -> int:
    """The time that the file system gives to what is written now, nanoseconds; 0, before which all is young, where
    nothing can be written."""
    probe = folder(gitdir) / f".now.{os.getpid()}.{secrets.token_hex(6)}~"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
        found = probe.stat().st_mtime_ns
        probe.unlink()
        return found
    except OSError:
        return 0
