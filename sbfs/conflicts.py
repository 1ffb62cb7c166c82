"""Values that lost a merge: kept as records until somebody settles them.

A conflict's id is made from its content, so that every clone that meets it writes the same record.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sbfs.errors import Invalid, NotFound
from sbfs.kind import Field, Kind, check_id
from sbfs.projects import page, readable
from sbfs.record import Record
from sbfs.store import Page, Store, View


@dataclass(frozen=True)
class Conflict:
    """path, field: where it happened; without a field, the file as a whole (its text; None where it
    was removed). kept: what stands there now. lost: what does not. base: what both began with.
    commits: what was merged, where known."""

    id: str
    path: str
    kept: Any
    lost: Any
    base: Any = None
    field: str = ""
    commits: tuple[str, ...] = ()
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)


def new(path: str, field: str, kept: Any, lost: Any, base: Any, commits: Iterable[str] = ()) -> Conflict:
    """A conflict with the id that its content gives it."""
    said = json.dumps([path, field, kept, lost, base], sort_keys=True, default=str).encode("utf-8", "replace")
    id = f"conflict-{hashlib.sha256(said).hexdigest()[:20]}"
    return Conflict(id, path, kept, lost, base, field, tuple(sorted(commits)))


def _load(data: dict[str, Any]) -> Conflict:
    rest = dict(data)
    commits = rest.pop("commits", None) or ()
    if not all(isinstance(one, str) for one in commits):
        raise Invalid("must be a list of commits", field="commits")
    return Conflict(
        id=check_id(rest.pop("id")),
        path=rest.pop("path"),
        field=rest.pop("field", ""),
        kept=rest.pop("kept", None),
        lost=rest.pop("lost", None),
        base=rest.pop("base", None),
        commits=tuple(commits),
        extra=rest,
    )


def _dump(conflict: Conflict) -> dict[str, Any]:
    return {
        "id": conflict.id,
        "path": conflict.path,
        **({"field": conflict.field} if conflict.field else {}),
        "kept": conflict.kept,
        "lost": conflict.lost,
        "base": conflict.base,
        **({"commits": [*conflict.commits]} if conflict.commits else {}),
        **conflict.extra,
    }


KIND: Kind[Conflict] = Kind(
    name="conflict",
    prefix="conflict",
    pattern="conflicts/{id}.yaml",
    fields=(
        Field("id", rule="fixed", required=True),
        Field("path", rule="fixed", required=True),
        Field("field", rule="fixed"),
        Field("commits", type([]), rule="set"),
    ),
    load=_load,
    dump=_dump,
)


def path_of(conflict: Conflict) -> str:
    """Where a conflict lies."""
    return KIND.path_of(id=conflict.id)


def record_of(conflict: Conflict) -> Record:
    """The record of a conflict."""
    return Record.make(path_of(conflict), _dump(conflict))


# -- reading ---------------------------------------------------------------------------------------


def list(store: Store, *, path: str = "", limit: int = 50, cursor: str | None = None, at: str | None = None) -> Page:
    """The conflicts that are not settled, by the file they are about. path: of one file or folder only."""
    everything, unreadable = readable(store.view(at), KIND)
    found = [one for one in everything if not path or one.path == path or one.path.startswith(path.rstrip("/") + "/")]
    found.sort(key=lambda one: (one.path, one.field, one.id))
    return page(found, lambda one: f"{one.path},{one.field},{one.id}", limit, cursor, unreadable)


def show(store: Store, *, conflict_id: str, at: str | None = None) -> Conflict:
    """A conflict, by its id or a unique beginning of it. Raises NotFound, also for a settled one, or Ambiguous."""
    return find(store.view(at), conflict_id)


def find(view: View, id: str) -> Conflict:
    """The same at one revision."""
    record = view.record(view.find((KIND,), id, what="conflict")[0])
    if record.removed:
        raise NotFound("conflict", id, hint="it was settled; 'sbfs log' shows when")
    KIND.check(record)
    return _load(record.data)
