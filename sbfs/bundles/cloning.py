"""A copy of a project beside it: everything anew under ids of its own, and each record says what it was copied from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sbfs import kinds, projects, quality, reflections, times
from sbfs.bundles.selecting import renamed_in
from sbfs.conversations import KIND as CONVERSATION
from sbfs.conversations import TURNS
from sbfs.errors import Invalid
from sbfs.git import bulk, trees
from sbfs.kind import Kind, check_name, new_id
from sbfs.messages import INBOX, OUTBOX
from sbfs.projects import Project
from sbfs.record import Record, etag
from sbfs.store import Store, Transaction

COPIED = "copied_from"
"""Key of a copied record: the id that it was copied from."""

_PREFIXES: dict[str, str] = {
    "message": "msg",
    "conversation": "conv",
    "reflection": "refl",
    "quality": "qual",
}


@dataclass
class _Copy:
    """One copy under way. ids: of the original → of the copy."""

    tx: Transaction
    old: str
    new: str
    writer: bulk.PackWriter
    ids: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Copy all that lies below the project."""
        view = self.tx.view
        tree = view.repo.folder(view.commit.tree, f"projects/{self.old}")
        found = sorted((path, id) for path, _, id in trees.walk(view.repo.tree, tree or "", f"projects/{self.old}/"))
        for path, _ in found:
            self._name(path)
        contents = bulk.blobs(view.repo, (id for _, id in found))
        for (path, id), raw in zip(found, contents, strict=True):
            if projects.KIND.places(path) is None:
                self._copy(path, id, raw)

    def _name(self, path: str) -> None:
        kind = kinds.kind_of(path)
        if kind is None or kind.name not in _PREFIXES:
            return
        id = (kind.places(path) or {})["id"]
        if id not in self.ids:
            self.ids[id] = new_id(_PREFIXES[kind.name], _moment_of(path) or self.tx.now)

    def _copy(self, path: str, id: str, raw: bytes) -> None:
        kind = kinds.kind_of(path)
        target = path.replace(f"projects/{self.old}/", f"projects/{self.new}/", 1)
        places = (kind.places(path) if kind else None) or {}
        if places.get("id") in self.ids:
            target = target.replace(f"/{places['id']}", f"/{self.ids[places['id']]}")
        if kind is None or kind is TURNS or kind.name not in _PREFIXES:
            self.tx.bring(kind, target, None, id=id)
            return
        record = Record.parse(path, raw)
        if record.removed:
            return
        kind.check(record)
        changed = Record(target, record.data, record.raw).changed(self._data(kind, record.data))
        self.writer.add("blob", etag(changed.raw), changed.raw)
        self.tx.bring(kind, target, None, id=changed.etag)

    def _data(self, kind: Kind[Any], data: Mapping[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {**data, "id": self.ids[data["id"]], COPIED: data["id"]}
        if kind in (INBOX, OUTBOX):
            said = renamed_in("message", said, {self.old: self.new})
            return {**said, **{key: self._id(data[key]) for key in ("thread", "in_reply_to") if key in data}}
        if kind is CONVERSATION and "continues" in data:
            said["continues"] = [self._id(one) for one in data["continues"]]
        if kind is quality.KIND and "conversation" in data:
            said["conversation"] = self._id(data["conversation"])
        if kind is reflections.KIND:
            said |= self._reflection(data)
        return said

    def _reflection(self, data: Mapping[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if isinstance(data.get("provenance"), dict) and "conversation" in data["provenance"]:
            said["provenance"] = {**data["provenance"], "conversation": self._id(data["provenance"]["conversation"])}
        if isinstance(data.get("links"), list):
            said["links"] = [self._id(one) for one in data["links"]]
        return said

    def _id(self, id: Any) -> Any:
        return self.ids.get(id, id) if isinstance(id, str) else id


def _moment_of(path: str) -> datetime | None:
    """The day or month that a record lies in, so that the copies' ids sort as the originals' do."""
    parts = [part for part in path.split("/") if part.isdigit()]
    if len(parts) < 2 or parts[0] == "0000":
        return None
    try:
        return times.load("-".join((*parts[:3], "01")[:3]))
    except Invalid:
        return None


def clone_project(store: Store, *, project: str, name: str, actor: str = "") -> Project:
    """Copy a project with all its records under another name. The copies have ids of their own, and say what they
    were copied from; what links one to another links the copies. Groups and former names stay the original's."""
    check_name(name)
    with bulk.Scratch(store.repo.gitdir / "sbfs", store.repo) as scratch:

        def build(tx: Transaction) -> Project:
            old = projects.resolve(tx.view, project)
            projects.refuse_taken(tx.view, name)
            tx.need(f"projects/{old.name}")
            with scratch.pack() as writer:
                _Copy(tx, old.name, name, writer).run()
            scratch.move_into(store.repo)
            made = projects.copied(tx, old, name, {"project": old.name, "commit": tx.view.revision})
            tx.describe(f"Clone project {old.name} as {name}", Ids=f"{old.name} {name}")
            return made

        return store.write("project.clone", build, actor=actor)
