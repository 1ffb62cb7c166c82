"""Two versions of one file and their ancestor → one file, by what its kind declares; and what lost.

Nothing here reads disk, clock or Git. Two machines that merge the same three texts get the same
bytes, whichever side each of them calls ours: the sides are put into an order of their own first.
Merging a result once more with either side gives it back, so that repeated merges come to rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from sbfs import times
from sbfs.errors import Invalid
from sbfs.kind import Kind
from sbfs.record import Record, dump

_ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "absent"})()
_OLDEST = datetime.min.replace(tzinfo=UTC)
_NEWEST = datetime.max.replace(tzinfo=UTC)

_LATEST = ("updated",)
_EARLIEST = ("created", "timestamp", "removed")
"""What decides between records has to come out of a merge as decided: it goes by time alone, on one side changed or on
both. Else a merge with either side once more could fall the other way."""

_LOST_SILENTLY = ("id", "created", "updated", "removed")


@dataclass(frozen=True)
class Lost:
    """A value that lost.

    field: dotted, "" for the whole file. kept, lost, base: plain values, None where absent; of a
    whole file its text.
    """

    field: str
    kept: Any
    lost: Any
    base: Any


@dataclass(frozen=True)
class Merged:
    """What a merge comes to. data: the file's bytes, None if it is gone."""

    data: bytes | None
    lost: tuple[Lost, ...] = ()


def merge_file(
    kind: Kind[Any] | None, path: str, base: bytes | None, ours: bytes | None, theirs: bytes | None
) -> Merged:
    """Merge one file. None is a file that is not there; kind None, one that is no record.

    A base that cannot be read counts as none. Raises nothing: what cannot be merged loses as a
    whole, and is told.
    """
    if ours in (theirs, base):
        return Merged(theirs)
    if theirs == base:
        return Merged(ours)
    if kind is not None and kind.whole:
        # Of two states the same one everywhere; what is gone on one side only stays until it is made again.
        return Merged(max(filter(None, (ours, theirs))))
    is_record = kind is not None and path.endswith((".yaml", ".json", ".jsonl"))
    old = _read(path, base) if is_record else None
    if ours is None or theirs is None:
        changed = theirs if ours is None else ours
        assert base is not None and changed is not None
        return _merge_gone(kind if is_record else None, path, base, old, changed)
    if kind is None or not is_record:
        return _merge_plain(base, ours, theirs)
    return _merge_records(kind, path, old, ours, theirs)


# -- whole files -----------------------------------------------------------------------------------


def _merge_gone(kind: Kind[Any] | None, path: str, base: bytes, old: Record | None, changed: bytes) -> Merged:
    """One side has no file any more, the other changed it."""
    if kind is None:
        return Merged(changed, (Lost("", _description(changed), None, _description(base)),))
    new = _read(path, changed)
    if old is None or (new and new.removed):
        # Without a base it was added; and a tombstone agrees that the record is gone.
        return Merged(changed)
    if new and _is_only_marked(kind, old, new):
        return Merged(None)
    return Merged(changed, (Lost("", _text(changed), None, _text(base)),))


def _merge_plain(base: bytes | None, ours: bytes, theirs: bytes) -> Merged:
    try:
        merged = _merge_lines((base or b"").decode(), ours.decode(), theirs.decode())
    except UnicodeDecodeError:
        merged = None
    if merged is not None:
        return Merged(merged.encode())
    lost, kept = sorted((ours, theirs))
    return Merged(kept, (Lost("", *map(_description, (kept, lost, base))),))


def _whole(kept: bytes, lost: bytes, base: Record | None) -> Merged:
    return Merged(kept, (Lost("", _text(kept), _text(lost), _text(base.raw) if base else None),))


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _description(raw: bytes | None) -> str | None:
    """A file's text, or what is told of one that has none; None for no file."""
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        from hashlib import sha256

        return f"{len(raw)} bytes, sha256 {sha256(raw).hexdigest()}"


def _merge_lines(base: str, one: str, other: str) -> str | None:
    """Both changes of a text, or None where they touch the same lines.

    None also where the result would not stand a merge with either side, as when a line was moved
    on one and repeated on the other.
    """
    merged = _merge3(base, one, other)
    if merged is None or merged == base:
        return None
    stands = all(merged == side or _merge3(base, merged, side) == merged for side in (one, other))
    return merged if stands else None


def _merge3(base: str, one: str, other: str) -> str | None:
    from merge3 import Merge3

    # Splitting at line ends, instead of behind them, lets a last line without one have a successor.
    old, first, second = (text.split("\n") for text in (base, *sorted((one, other))))
    merge = Merge3(old, first, second)
    lines: list[str] = []
    for region, start, end, *_ in merge.merge_regions():
        if region == "conflict":
            return None
        lines += {"unchanged": old, "b": second}.get(region, first)[start:end]
    return "\n".join(lines)


# -- records ---------------------------------------------------------------------------------------


def _read(path: str, raw: bytes | None) -> Record | None:
    """A record that can also be written, or None."""
    if raw is None:
        return None
    try:
        record = Record.parse(path, raw)
        dump(path, record.data)
    except (Invalid, RecursionError):
        # JSON may be read to a depth that cannot be written.
        return None
    return record


def _merge_records(kind: Kind[Any], path: str, old: Record | None, ours: bytes, theirs: bytes) -> Merged:
    one, other = _read(path, ours), _read(path, theirs)
    if one is None or other is None:
        lost, kept = sorted((ours, theirs), key=lambda raw: (_read(path, raw) is not None, raw))
        return _whole(kept, lost, old)
    winner, loser = sorted((one, other), key=_rank, reverse=True)
    if winner.removed != loser.removed:
        return _merge_tombstone(kind, old, *sorted((one, other), key=lambda side: not side.removed))
    return _merge_values(kind, old, winner, loser)


def _rank(record: Record) -> tuple[datetime, str, bytes]:
    """The greater record wins overall. Bytes come last: a merge may write the same values otherwise."""
    return _moment(record.data, "updated") or _OLDEST, _canonical(record.data), record.raw


def _merge_tombstone(kind: Kind[Any], old: Record | None, dead: Record, living: Record) -> Merged:
    if old and _same(old.data, dead.data):
        # The tombstone is no news, the record was written anew over it.
        return Merged(living.raw)
    if old and _is_only_marked(kind, old, living):
        return Merged(dead.raw)
    return _whole(dead.raw, living.raw, old)


def _is_only_marked(kind: Kind[Any], old: Record, new: Record) -> bool:
    """Whether nothing was done to a record that is worth telling: it was read, or worked out anew."""
    marks = {field.name for field in kind.fields if field.rule in ("highest", "derived")} | {"updated"}
    return marks.issuperset(name.split(".")[0] for name in _differences(old.data, new.data))


def _differences(old: dict[str, Any], new: dict[str, Any], above: str = "") -> Iterator[str]:
    for key in {**old, **new}:
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _differences(before, after, f"{above}{key}.")
        elif not _same(before, after):
            yield f"{above}{key}"


def _merge_values(kind: Kind[Any], old: Record | None, winner: Record, loser: Record) -> Merged:
    if old and _same(old.data, loser.data):
        return Merged(_written(winner.data, winner, loser))
    if old and _same(old.data, winner.data):
        return Merged(_written(loser.data, winner, loser))
    values = _Values(kind, winner, loser)
    data = values.mapping(old.data if old else {}, winner.data, loser.data)
    if old and _same(old.data, data):
        # Two changes of times that go by time alone, each to no effect: the result has to differ
        # from the base, or it would look unchanged in the next merge.
        data = winner.data
    return Merged(_written(data, winner, loser), tuple(values.lost))


def _written(data: dict[str, Any], winner: Record, loser: Record) -> bytes:
    """The bytes of merged values: a side's own where it says just that, else a person's text, changed.

    A text is preferred to the canonical form as long as it has something of its own; so a result is
    given back as it is by the next merge.
    """
    both = (winner, loser)
    saying = [side.raw for side in both if _same(side.data, data)]
    by_hand = [side for side in both if not _is_canonical(side)]
    if theirs := [side.raw for side in by_hand if side.raw in saying]:
        return max(theirs)
    for side in by_hand:
        raw = side.changed(data).raw
        if not _is_canonical(Record.parse(side.path, raw)):
            return raw
    return max(saying) if saying else Record.make(winner.path, data).raw


def _is_canonical(record: Record) -> bool:
    return record.raw == dump(record.path, record.data)


# -- values ----------------------------------------------------------------------------------------


class _Values:
    """Merges the values of two records, the overall winner first. lost: what lost so far."""

    def __init__(self, kind: Kind[Any], winner: Record, loser: Record):
        self.fields = {field.name: field for field in kind.fields}
        self.first_is_derived = _derived_rank(kind, winner) >= _derived_rank(kind, loser)
        self.updated = [_moment(side.data, "updated") or _OLDEST for side in (winner, loser)]
        self.origin = [_origin(side.data) for side in (winner, loser)]
        self.lost: list[Lost] = []

    def mapping(
        self, base: dict[str, Any], one: dict[str, Any], other: dict[str, Any], above: str = ""
    ) -> dict[Any, Any]:
        """Key by key; keys in the order of `one`, those of `other` alone behind."""
        found = {
            key: self._value(f"{above}{key}", *(side.get(key, _ABSENT) for side in (base, one, other)))
            for key in {**one, **other}
        }
        return {key: value for key, value in found.items() if value is not _ABSENT}

    def _value(self, name: str, base: Any, one: Any, other: Any) -> Any:
        if _same(one, other):
            return one
        if name in self.fields and self.fields[name].rule == "derived":
            # All of them of one side: together they say what was worked out from it.
            return one if self.first_is_derived else other
        mappings = isinstance(one, dict) and isinstance(other, dict)
        if name in _LATEST + _EARLIEST and not mappings:
            return self._by_time(name, base, one, other)
        if _same(base, other):
            return one
        if _same(base, one):
            return other
        if mappings:
            return self.mapping(base if isinstance(base, dict) else {}, one, other, f"{name}.")
        found = self._by_rule(name, base, one, other)
        return self._decide(name, base, one, other) if found is None else found

    def _by_rule(self, name: str, base: Any, one: Any, other: Any) -> Any:
        """What both changes come to without a loser, or None."""
        field = self.fields.get(name)
        if field and field.rule == "highest" and one in field.choices and other in field.choices:
            return max(one, other, key=field.choices.index)
        if field and field.rule == "set":
            return _merge_sets(base, one, other)
        if field and field.rule == "entries":
            return _merge_entries(base, one, other)
        if field and field.rule == "text" and isinstance(one, str) and isinstance(other, str):
            return _merge_lines(base if isinstance(base, str) else "", one, other)
        return None

    def _decide(self, name: str, base: Any, one: Any, other: Any) -> Any:
        """The value of one side; the other's is lost. Fixed: of the record that came first. Else: of the later."""
        order = self.updated
        if name in self.fields and self.fields[name].rule == "fixed":
            order = self.origin[::-1]
        if (order[0], _canonical(one)) < (order[1], _canonical(other)):
            one, other = other, one
        return self._keep(name, base, one, other)

    def _by_time(self, name: str, base: Any, one: Any, other: Any) -> Any:
        if other is _ABSENT or one is _ABSENT:
            return one if other is _ABSENT else other
        latest = name in _LATEST
        default = _OLDEST if latest else _NEWEST
        found = sorted((one, other), key=lambda value: (_time(value) or default, _canonical(value)), reverse=latest)
        return self._keep(name, base, *found)

    def _keep(self, name: str, base: Any, kept: Any, lost: Any) -> Any:
        if (name not in _LOST_SILENTLY or isinstance(lost, dict)) and not _same(base, lost):
            self.lost.append(Lost(name, *(None if value is _ABSENT else value for value in (kept, lost, base))))
        return kept


def _merge_sets(base: Any, one: Any, other: Any) -> list[Any] | None:
    """(A ∪ B) − what either removed, sorted; None for what is no list of plain scalars."""
    ours, theirs = _elements(one), _elements(other)
    if ours is None or theirs is None:
        return None
    old = _elements(base) or {}
    kept = {
        key: value for key, value in {**ours, **theirs}.items() if key not in old or (key in ours and key in theirs)
    }
    merged = [kept[key] for key in sorted(kept)]
    # The same elements thrice, in another order each: no side may seem to have kept the base.
    return max(one, other, key=_canonical) if _same(base, merged) else merged


def _merge_entries(base: Any, one: Any, other: Any) -> list[Any] | None:
    """Each entry by its id: what changed on one side only is taken, of two changes the fuller one. In the
    order of their places. None for what is no list of mappings with ids."""
    old, ours, theirs = (_by_id([] if side is _ABSENT else side) for side in (base, one, other))
    if ours is None or theirs is None:
        return None
    found = {
        id: _merge_entry(*(side.get(id, _ABSENT) for side in (old or {}, ours, theirs))) for id in {**ours, **theirs}
    }
    merged = sorted((entry for entry in found.values() if entry is not _ABSENT), key=_place)
    return max(one, other, key=_canonical) if _same(base, merged) else merged


def _merge_entry(base: Any, one: Any, other: Any) -> Any:
    if _same(base, one):
        return other
    if _same(base, other) or other is _ABSENT:
        return one
    return other if one is _ABSENT else fuller(one, other)


def fuller(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The version of an entry that says more; of two that say as much, the same one everywhere."""
    return max(one, other, key=lambda entry: (len(_canonical(entry)), _canonical(entry)))


def _by_id(value: Any) -> dict[str, dict[str, Any]] | None:
    if not isinstance(value, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), str) for one in value
    ):
        return None
    found: dict[str, dict[str, Any]] = {}
    for entry in value:
        found[entry["id"]] = fuller(found[entry["id"]], entry) if entry["id"] in found else entry
    return found


def _place(entry: dict[str, Any]) -> tuple[int, str, str]:
    place = entry.get("seq")
    return place if isinstance(place, int) else 0, str(entry.get("timestamp")), entry["id"]


def _elements(value: Any) -> dict[tuple[bool, str], Any] | None:
    """Sort key → element. As keys, 1, 1.0 and true are three."""
    if value is _ABSENT:
        return {}
    if not isinstance(value, list) or any(isinstance(one, dict | list) for one in value):
        return None
    return {(False, one) if isinstance(one, str) else (True, _canonical(one)): one for one in value}


def _derived_rank(kind: Kind[Any], record: Record) -> tuple[datetime, int, str]:
    """By what is derived alone, so that it comes out of the next merge as it did out of this one."""
    derived = {field.name: record.data.get(field.name) for field in kind.fields if field.rule == "derived"}
    said = _canonical(derived)
    return _moment(record.data, "updated") or _OLDEST, len(said), said


def _origin(data: dict[str, Any]) -> datetime:
    """When a record was first written, the end of time where it does not say."""
    return min(_moment(data, "created") or _NEWEST, _moment(data, "timestamp") or _NEWEST)


def _moment(data: dict[str, Any], key: str) -> datetime | None:
    return _time(data.get(key))


def _time(value: Any) -> datetime | None:
    try:
        return times.load(value)
    except Invalid:
        return None


def _same(one: Any, other: Any) -> bool:
    """Equal values of equal types, the order of keys aside."""
    return one is other or _canonical(one) == _canonical(other)


def _canonical(value: Any) -> str:
    """A text that is the same for the same value only; "" where there is none."""
    return "" if value is _ABSENT else json.dumps(_sorted(value))


def _sorted(value: Any) -> Any:
    # Not sort_keys: keys of YAML need not be text, and json.dumps makes 1 and "1" one key.
    if isinstance(value, dict):
        return {"": sorted(([json.dumps(key), _sorted(inner)] for key, inner in value.items()), key=itemgetter(0))}
    if isinstance(value, list):
        return [_sorted(inner) for inner in value]
    return value
