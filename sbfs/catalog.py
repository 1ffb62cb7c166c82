"""What lists need of each record, kept by folder so that a list need not parse every file.

A catalog is a cache below .git/sbfs/catalog/: for each folder of a period (a day or a month, as the
kind's pattern says) the headers of its records, above them one line a period with a summary. Each
entry names the tree or blob it was made from, so it is right or is made anew; deleting it costs
seconds. Nothing is kept for past revisions.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.kind import Kind
from sbfs.record import Record
from sbfs.store import View

S = TypeVar("S")

_FORMAT = 3

_DEPTHS = {"date": 3, "month": 2}
"""Folders of a period: YYYY/MM/DD, YYYY/MM."""


@dataclass(frozen=True)
class Row:
    """One record of a folder. header: what the kind keeps for lists, None for a tombstone.
    trouble: why the file cannot be read, or ""."""

    path: str
    header: list[Any] | None
    trouble: str = ""


class Catalog(Generic[S]):
    """The periods of one folder of one kind, such as the days of a project's inbox.

    summarize: a period's rows → a JSON value that is enough to count without them.
    """

    def __init__(self, view: View, kind: Kind[Any], folder: str, summarize: Callable[[list[Row]], S]):
        self.view, self.kind, self.folder = view, kind, folder
        self._summarize = summarize
        self._cache = view.repo.gitdir / "sbfs" / "catalog"
        _, period, below = re.split(r"\{(date|month)\}/", kind.pattern)
        self._depth = _DEPTHS[period]
        # Of a record that is a folder, the file that holds its header: `conversation.yaml`.
        self._inside = below.partition("/")[2]

    def periods(self) -> Iterator[tuple[str, str]]:
        """(YYYY/MM/DD or YYYY/MM, tree) of the days or months that hold records, newest first."""
        yield from self._periods("", self.view.repo.folder(self.view.commit.tree, self.folder), self._depth)

    def _periods(self, above: str, tree: str | None, depth: int) -> Iterator[tuple[str, str]]:
        entries = self.view.repo.tree(tree) if tree else {}
        for name, (mode, id) in sorted(entries.items(), reverse=True):
            if mode == trees.FOLDER and depth == 1:
                yield f"{above}{name}", id
            elif mode == trees.FOLDER:
                yield from self._periods(f"{above}{name}/", id, depth - 1)

    def summaries(self) -> dict[str, S]:
        """Period → summary, newest first; one is read only if it changed since the last time."""
        name = f"{self.folder}.json"
        top = self.view.repo.folder(self.view.commit.tree, self.folder)
        if top is None:
            return {}
        known = self._load(name)
        if known.get("tree") == top:
            return {period: summary for period, (_, summary) in known["periods"].items()}
        old = known.get("periods", {})
        new: dict[str, tuple[str, S]] = {}
        for period, tree in self.periods():
            fresh = period not in old or old[period][0] != tree
            new[period] = (tree, self._summarize(self.rows(period, tree)) if fresh else old[period][1])
        self._keep(name, {"tree": top, "periods": new})
        return {period: summary for period, (_, summary) in new.items()}

    def rows(self, period: str, tree: str) -> list[Row]:
        """The records of a period, in the order of their names."""
        name = f"{self.folder}/{period}.json"
        known = self._load(name)
        old = known.get("rows", {})
        if known.get("tree") != tree:
            old = {
                one: old[one] if one in old and old[one][0] == id else self._read(period, one, id)
                for one, (mode, id) in self.view.repo.tree(tree).items()
                if (mode == trees.FOLDER) == bool(self._inside)
            }
            self._keep(name, {"tree": tree, "rows": old})
        return [Row(self._path(period, one), header, trouble) for one, (_, header, trouble) in sorted(old.items())]

    def row(self, path: str) -> Row | None:
        """One record's row, by its path."""
        period = "/".join(path.removeprefix(self.folder + "/").split("/")[: self._depth])
        tree = self.view.repo.folder(self.view.commit.tree, f"{self.folder}/{period}")
        return next((row for row in self.rows(period, tree) if row.path == path), None) if tree else None

    def _path(self, period: str, name: str) -> str:
        return "/".join(filter(None, (self.folder, period, name, self._inside)))

    def _read(self, period: str, name: str, id: str) -> list[Any]:
        """[id, header, trouble] of a record by the id of its file, or of its folder."""
        file: str | None = id
        if self._inside:
            file = self.view.repo.tree(id).get(self._inside, (0, None))[1]
        if file is None:
            return [id, None, ""]
        try:
            record = Record.parse(self._path(period, name), self.view.repo.blob(file))
            self.kind.check(record)
            return [id, None if record.removed else self.kind.header(record.data), ""]
        except Invalid as error:
            return [id, None, str(error)]

    def _load(self, name: str) -> dict[str, Any]:
        raw = read_sealed(self._cache / name)
        found: dict[str, Any] = json.loads(raw) if raw else {}
        return found if found.get("version") == [_FORMAT, self.kind.version] else {}

    def _keep(self, name: str, content: dict[str, Any]) -> None:
        if self.view.current:
            content["version"] = [_FORMAT, self.kind.version]
            keep_sealed(self._cache / name, json.dumps(content, separators=(",", ":")).encode())


def keep_sealed(file: Path, data: bytes) -> None:
    """Write a cache's file, with a sum by which damage is seen. One that cannot be written is left out."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(6).hex()}~")
    # A store that may be read only is still read; it is only slower.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(b"%08x\n" % zlib.crc32(data) + data)
        os.replace(temporary, file)


def read_sealed(file: Path) -> bytes | None:
    """What `keep_sealed` wrote; None where there is nothing, or it is not that."""
    with suppress(OSError):
        seal, _, data = file.read_bytes().partition(b"\n")
        return data if seal == b"%08x" % zlib.crc32(data) else None
    return None
