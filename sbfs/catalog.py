"""What lists need of each record, kept by folder so that a list need not parse every file.

A catalog is a cache below .git/sbfs/catalog/: for each day's folder the headers of its records, for
each box one line a day with a summary. Each entry names the tree or blob it was made from, so it is
right or is made anew; deleting it costs seconds. Nothing is kept for past revisions.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.kind import Kind
from sbfs.record import Record
from sbfs.store import View

S = TypeVar("S")

_FORMAT = 1


@dataclass(frozen=True)
class Row:
    """One record of a folder. header: what the kind keeps for lists, None for a tombstone.
    trouble: why the file cannot be read, or ""."""

    path: str
    header: list[Any] | None
    trouble: str = ""


class Catalog(Generic[S]):
    """The days of one box of one kind, such as a project's inbox.

    summarize: a day's rows → a JSON value that is enough to count without them. leaf: where each record is a
    folder, the file in it that says what it is; then the days are months.
    """

    def __init__(
        self, view: View, kind: Kind[Any], folder: str, summarize: Callable[[list[Row]], S], *, leaf: str = ""
    ):
        self.view, self.kind, self.folder, self.leaf = view, kind, folder, leaf
        self._summarize = summarize
        self._cache = view.repo.gitdir / "sbfs" / "catalog"

    def days(self) -> Iterator[tuple[str, str]]:
        """(YYYY/MM/DD, tree) of the days that hold records, newest first."""
        repo = self.view.repo
        top = repo.folder(self.view.commit.tree, self.folder)
        for year, year_tree in self._folders(top):
            for month, month_tree in self._folders(year_tree):
                if self.leaf:
                    yield f"{year}/{month}", month_tree
                    continue
                for day, tree in self._folders(month_tree):
                    yield f"{year}/{month}/{day}", tree

    def _folders(self, tree: str | None) -> list[tuple[str, str]]:
        entries = self.view.repo.tree(tree) if tree else {}
        return sorted(((name, id) for name, (mode, id) in entries.items() if mode == trees.FOLDER), reverse=True)

    def summaries(self) -> dict[str, S]:
        """Day → summary, newest first; a day is read only if it changed since the last time."""
        name = f"{self.folder}.json"
        top = self.view.repo.folder(self.view.commit.tree, self.folder)
        if top is None:
            return {}
        known = self._load(name)
        if known.get("tree") == top:
            return {day: summary for day, (_, summary) in known["days"].items()}
        old = known.get("days", {})
        new: dict[str, tuple[str, S]] = {}
        for day, tree in self.days():
            fresh = day not in old or old[day][0] != tree
            new[day] = (tree, self._summarize(self.rows(day, tree)) if fresh else old[day][1])
        self._keep(name, {"tree": top, "days": new})
        return {day: summary for day, (_, summary) in new.items()}

    def rows(self, day: str, tree: str) -> list[Row]:
        """The records of a day, in the order of their names."""
        name = f"{self.folder}/{day}.json"
        known = self._load(name)
        old = known.get("rows", {})
        if known.get("tree") != tree:
            old = {
                file: old[file] if file in old and old[file][0] == id else self._read(day, file, id)
                for file, (mode, id) in self.view.repo.tree(tree).items()
                if (mode == trees.FOLDER) == bool(self.leaf)
            }
            self._keep(name, {"tree": tree, "rows": old})
        return [Row(self._path(day, file), header, trouble) for file, (_, header, trouble) in sorted(old.items())]

    def _path(self, day: str, file: str) -> str:
        return f"{self.folder}/{day}/{file}" + (f"/{self.leaf}" if self.leaf else "")

    def row(self, path: str) -> Row | None:
        """One record's row, by its path."""
        day = path.removeprefix(self.folder + "/").rpartition("/")[0]
        tree = self.view.repo.folder(self.view.commit.tree, f"{self.folder}/{day}")
        return next((row for row in self.rows(day, tree) if row.path == path), None) if tree else None

    def _read(self, day: str, file: str, id: str) -> list[Any]:
        path = self._path(day, file)
        if self.leaf:
            found = self.view.repo.tree(id).get(self.leaf)
            if found is None:
                return [id, None, f"{path}: is missing"]
            blob = found[1]
        else:
            blob = id
        try:
            record = Record.parse(path, self.view.repo.blob(blob))
            self.kind.check(record)
            return [id, None if record.removed else self.kind.header(record.data), ""]
        except Invalid as error:
            return [id, None, str(error)]

    def _load(self, name: str) -> dict[str, Any]:
        with suppress(OSError, ValueError, RecursionError):
            found: dict[str, Any] = json.loads((self._cache / name).read_bytes())
            if isinstance(found, dict) and found.get("version") == [_FORMAT, self.kind.version]:
                return found
        return {}

    def _keep(self, name: str, content: dict[str, Any]) -> None:
        if not self.view.current:
            return
        file = self._cache / name
        content["version"] = [_FORMAT, self.kind.version]
        temporary = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(6)}~")
        # A store that may be read only is still read; it is only slower.
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(content, separators=(",", ":")))
            os.replace(temporary, file)
