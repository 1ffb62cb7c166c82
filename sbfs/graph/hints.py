"""What this machine knows of a source tree: where it lies, and what was read of each file.

A cache below .git/sbfs/graph/, one file a project; deleting it costs one reading of all files.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
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


@dataclass(frozen=True)
class _Last:
    """The hints that this process read or wrote last, and how their file stood then."""

    file: Path
    stamp: Stamp
    versions: Mapping[str, Any]
    hints: Hints


_last: _Last | None = None


def _stamp(file: Path) -> Stamp:
    found = file.stat()
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


def load(gitdir: Path, project: str, rules: redact.Rules) -> Hints:
    """What is known; nothing where that is of other versions, or cannot be read. Nobody changes what it returns."""
    global _last
    file, said = folder(gitdir) / f"{project}.json", versions(rules)
    with suppress(OSError):
        stamp = _stamp(file)
        if _last is not None and (_last.file, _last.stamp, _last.versions) == (file, stamp, said):
            return _last.hints
        found = _read(file, rules)
        _last = _Last(file, stamp, said, found)
        return found
    return Hints()


def _read(file: Path, rules: redact.Rules) -> Hints:
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        data = json.loads(file.read_bytes())
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
    global _last
    kept = replace(hints, files=_aged(hints.files, begun), prose=_aged(hints.prose, begun))
    said = versions(rules)
    data: Mapping[str, Any] = {
        "format": _FORMAT,
        "versions": said,
        "root": kept.root,
        "tree": kept.tree,
        "folders": kept.folders,
        "files": {path: _said(known) for path, known in kept.files.items()},
        "prose": {path: _said(known) for path, known in kept.prose.items()},
    }
    file = folder(gitdir) / f"{project}.json"
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(6)}~")
    # A store that may be read only is still read; it is only slower.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(data, separators=(",", ":")))
        stamp = _stamp(temporary)
        os.replace(temporary, file)
        _last = _Last(file, stamp, said, kept)
        if load_root(gitdir, project) != hints.root:
            (folder(gitdir) / f"{project}.root").write_text(hints.root)


def _aged(files: Mapping[str, Known], begun: int) -> dict[str, Known]:
    """Files, without the time of those that are young."""
    return {
        path: known if known.stamp.changed < begun - _YOUNG else replace(known, stamp=known.stamp._replace(changed=-1))
        for path, known in files.items()
    }


def _said(known: Known) -> list[Any]:
    stamp = known.stamp
    return [stamp.size, stamp.changed, stamp.number, known.blob, known.why, known.shard]


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
