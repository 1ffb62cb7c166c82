"""What becomes of a project's documentation in one index run: the shards to write, those to drop, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sbfs import redact
from sbfs.code.documented import SCHEMA
from sbfs.code.languages import MAX_BYTES
from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.graph.documented import DOCS, counted, fits, folder_of, load
from sbfs.graph.extracting import Extracted, prose_of
from sbfs.graph.source import Below, Known, Stamp
from sbfs.graph.value import Snapshot
from sbfs.record import Record, etag
from sbfs.store import View


class Documentation:
    """One run. trusted: whether what is kept is that of the graph's shards, so that only changed files are read."""

    def __init__(self, view: View, project: str, before: Snapshot | None, patterns: Sequence[str] | None):
        self.view, self.project, self.repo = view, project, view.repo
        said: Mapping[str, Any] = before.docs if before is not None else {}
        self.patterns = tuple(said.get("patterns", ()) if patterns is None else sorted({*patterns}))
        self.tree = self.repo.folder(view.commit.tree, folder_of(project))
        found = trees.walk(self.repo.tree, self.tree) if self.tree else ()
        self.kept = {path.removesuffix(".json"): id for path, _, id in found}
        facts = (said.get("schema"), said.get("tree", ""), tuple(said.get("patterns", ())))
        self.trusted = facts == (SCHEMA, self.tree or "", self.patterns)
        self.counts = Counter(said.get("counts", {})) if self.trusted else Counter()
        self.fresh: dict[str, bytes] = {}
        self.gone: list[str] = []
        self.redacted: Counter[str] = Counter()
        self.processed = 0
        self._here: set[str] = set()

    def distrust(self) -> None:
        """Read everything: what is kept is of another graph."""
        self.trusted, self.counts = False, Counter()

    def code(self, found: Mapping[str, Extracted]) -> None:
        """Take in what became of the source files."""
        self.processed += sum(fits(path, self.patterns) for path in found)
        for path, one in found.items():
            if one.docs is not None:
                self._take(path, one.docs if fits(path, self.patterns) else b"")
            else:
                self._keep(path)

    def prose(
        self, tree: Below, files: Mapping[str, Stamp], known: Mapping[str, Known], rules: redact.Rules
    ) -> dict[str, Known]:
        """Read the files of prose that changed. Returns what is known of each now."""
        learnt: dict[str, Known] = {}
        for path, stamp in files.items():
            if stamp.size > MAX_BYTES or not fits(path, self.patterns) or next(redact.find(path, rules), None):
                continue
            before = known.get(path) if self.trusted else None
            if before is not None and before.shard != self.kept.get(path, ""):
                before = None
            if before is not None and before.stamp == stamp:
                self._keep(path)
                learnt[path] = before
                continue
            try:
                raw = tree.read(path, MAX_BYTES + 1)
            except OSError:
                continue
            blob = etag(raw)
            if before is not None and before.blob == blob:
                self._keep(path)
                learnt[path] = Known(stamp, blob, "", before.shard)
                continue
            shard = b"" if b"\0" in raw else prose_of(path, raw, blob, rules, self.redacted)
            self._take(path, shard)
            learnt[path] = Known(stamp, blob, "", etag(shard) if shard else "")
        self.processed += len(learnt)
        return learnt

    def done(self) -> dict[str, Any]:
        """What the snapshot says, when all was taken in."""
        self.gone = sorted(self.kept.keys() - self._here)
        if self.trusted:
            for path in self.gone:
                self._count(self._old(path), -1)
        editor = trees.TreeEditor(self.repo.tree, self.tree)
        for path in self.gone:
            editor.remove(f"{path}.json")
        for path, raw in self.fresh.items():
            editor.set(f"{path}.json", etag(raw))
        here = len(self._here)
        tree = editor.write()[0] if here else ""
        own = {"processed": self.processed, "files": here}
        counts = {name: number for name, number in sorted(self.counts.items()) if number and name not in own}
        said = {"tree": tree, "schema": SCHEMA, "counts": {**own, **counts}}
        return said | ({"patterns": [*self.patterns]} if self.patterns else {})

    def _keep(self, path: str) -> None:
        if path in self.kept:
            self._here.add(path)

    def _take(self, path: str, raw: bytes) -> None:
        if not raw:
            return
        self._here.add(path)
        if not self.trusted:
            self._count(raw, 1)
        if self.kept.get(path) == etag(raw):
            return
        if self.trusted:
            self._count(raw, 1)
            if path in self.kept:
                self._count(self._old(path), -1)
        self.fresh[path] = raw

    def _old(self, path: str) -> bytes:
        return self.repo.blob(self.kept[path])

    def _count(self, raw: bytes, sign: int) -> None:
        try:
            found = load(Record.parse("docs.json", raw).data)
        except Invalid:
            return
        for name, number in counted(found.items).items():
            self.counts[name] += sign * number


def place_of(project: str, source: str) -> str:
    """Where a shard of documentation lies."""
    return DOCS.path_of(project=project, source=source)
