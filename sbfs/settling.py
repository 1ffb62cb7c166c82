"""Settling conflicts: one value stands from then on, by a commit."""

from __future__ import annotations

import copy
from typing import Any

from sbfs import conflicts, kinds
from sbfs.conflicts import Conflict
from sbfs.errors import Invalid, NotFound, Stale
from sbfs.record import Record
from sbfs.store import Store, Transaction

TAKES = ("kept", "lost", "value")


def settle(store: Store, *, conflict_id: str, take: str = "", value: Any = None, actor: str = "") -> Conflict:
    """End a conflict. take: `kept` leaves what stands, `lost` puts back what lost, `value` puts a given value.

    Raises Stale where another value stands there by now, so that `lost` would undo what somebody did
    since; a given value always goes in. Raises Invalid where the record would not be valid with it.
    """
    if take not in TAKES:
        raise Invalid(f"{take!r} is none of {', '.join(TAKES)}", field="take")

    def build(tx: Transaction) -> Conflict:
        conflict = conflicts.find(tx.view, conflict_id)
        if take != "kept":
            _put(tx, conflict, conflict.lost if take == "lost" else value, only_if_kept=take == "lost")
        tx.remove(conflicts.KIND, conflicts.path_of(conflict))
        where = f"{conflict.path} {conflict.field}".strip()
        tx.describe(f"Settle the conflict in {where}: {take}", Ids=conflict.id)
        return conflict

    return store.write("conflicts.settle", build, actor=actor)


def _put(tx: Transaction, conflict: Conflict, value: Any, *, only_if_kept: bool) -> None:
    if conflict.field:
        _put_field(tx, conflict, value, only_if_kept)
    else:
        _put_file(tx, conflict, value, only_if_kept)


def _put_field(tx: Transaction, conflict: Conflict, value: Any, only_if_kept: bool) -> None:
    kind = kinds.kind_of(conflict.path)
    record = tx.find(conflict.path)
    if kind is None or record is None:
        raise NotFound("record", conflict.path, hint="it is gone; settle with --take kept")
    data = copy.deepcopy(record.data)
    *way, last = conflict.field.split(".")
    at = data
    for key in way:
        at = at.setdefault(key, {})
        if not isinstance(at, dict):
            raise Stale(conflict.path, hint=f"{key} is no mapping any more; settle with --take kept")
    if only_if_kept and at.get(last) != conflict.kept:
        raise _since(conflict)
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    if any(field.name == "updated" for field in kind.fields):
        data["updated"] = _later(tx, record)
    tx.rewrite(kind, record, data)


def _put_file(tx: Transaction, conflict: Conflict, text: Any, only_if_kept: bool) -> None:
    raw = tx.view.read(conflict.path)
    if only_if_kept and (raw.decode("utf-8", "replace") if raw is not None else None) != conflict.kept:
        raise _since(conflict)
    kind = kinds.kind_of(conflict.path)
    if text is None:
        if kind is None:
            tx.drop(conflict.path)
        else:
            tx.remove(kind, conflict.path)
        return
    if not isinstance(text, str):
        raise Invalid("must be the file's text", field="value")
    if kind is None:
        tx.put_bytes(conflict.path, text.encode())
        return
    record = Record.parse(conflict.path, text.encode())
    kind.check(record)
    tx.rewrite(kind, record, record.data)


def _later(tx: Transaction, record: Record) -> str:
    from sbfs import times

    return max(times.dump(tx.now), str(record.data.get("updated", "")))


def _since(conflict: Conflict) -> Stale:
    hint = "look at it, then settle with --take kept, or give the value: --take value --value …"
    return Stale(f"{conflict.path} {conflict.field}".strip(), hint=hint)
