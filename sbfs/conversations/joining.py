"""A conversation that two clones grew apart: after its files were merged one by one, it is made whole again.

Turns are united by their ids; where they lie, and what they come to, follows from them. So it is worked out
anew, and both clones come to the bytes that one import of everything would have left.

Nor does either clone know what the other one imported: of a session and its fork that were imported apart, the turns
that both tell belong to the one that ended first, as in one import of both (`apart`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from sbfs.conversations.growing import Growing
from sbfs.conversations.imports import Place, scope
from sbfs.conversations.line import entries_of
from sbfs.conversations.value import KIND, TURNS, line_names, load
from sbfs.errors import Invalid
from sbfs.record import Record, dump_line
from sbfs.transcripts import merging

Read = Callable[[str], bytes | None]


class _Files:
    """A folder of files, as far as growing asks of a store's view."""

    def __init__(self, read: Read, names: Iterable[str]):
        self.read, self._names = read, [*names]

    def names(self, _folder: str) -> list[str]:
        return self._names

    def record(self, path: str) -> Record:
        return Record.parse(path, self.read(path) or b"")


def folder_of(path: str) -> str | None:
    """The folder of the conversation that a path belongs to, or None."""
    if "/conversations/" not in path:
        return None
    return path.rpartition("/")[0] if KIND.places(path) or TURNS.places(path) else None


def whole(folder: str, read: Read, names: Iterable[str], sides: Iterable[bytes | None]) -> Mapping[str, bytes | None]:
    """What the files of a merged conversation have to be: path → bytes, None for one that goes.

    read, names: of the folder as it was merged. sides: its `conversation.yaml` in each clone. A removed one keeps its
    tombstone only. One that cannot be read stays as it is.
    """
    names, facts = sorted(names), f"{folder}/conversation.yaml"
    try:
        record = Record.parse(facts, read(facts) or b"")
        if record.removed:
            return {f"{folder}/{name}": None for name in names if name.endswith(".jsonl")}
        KIND.check(record)
        place = Place(load(record.data).id, folder, "", removed=False)
        growing = Growing(_Files(read, names), place.id, place.project, "", place, 0)
        for raw in sides:
            for source in load(Record.parse(facts, raw).data).sources if raw else ():
                growing.read(source)
        files = growing.files(folder)
        written = growing.written(folder)
    except Invalid:
        return {}
    surplus = {f"{folder}/{name}": None for name in names if _is_surplus(growing, f"{folder}/{name}")}
    return {**surplus, **files, facts: written}


def _is_surplus(growing: Growing, path: str) -> bool:
    places = TURNS.places(path)
    return places is not None and int(places["number"]) > growing.lines[places["line"]].last_file


# -- a session and its fork ------------------------------------------------------------------------


def apart(
    mine: Iterable[str], other: Iterable[str], read: Read, names: Callable[[str], Iterable[str]]
) -> Mapping[str, bytes | None]:
    """What has to change so that nothing is told by two conversations: path → bytes, None for what goes.

    mine, other: folders of the conversations that each clone changed. read, names: of files, and of a folder, as they
    were merged.
    """
    mine, other = {*mine}, {*other}
    if not mine or not other:
        return {}
    talks = [talk for folder in sorted(mine | other) if (talk := _Talk.of(folder, read, [*names(folder)]))]
    holders: dict[str, tuple[_Talk, set[str]]] = {}
    changes: dict[str, bytes | None] = {}
    for talk in sorted(talks, key=lambda one: one.order):
        with suppress(Invalid):
            changes |= talk.without(holders)
            talk.hold(holders)
    return changes


class _Talk:
    """A conversation whose entries have ids that are unique everywhere. told: line of turns → its turns by file."""

    def __init__(self, folder: str, read: Read, names: list[str], record: Record):
        self.folder, self.read, self.names, self.record = folder, read, names, record
        self.id = folder.rpartition("/")[2]
        self.order = (str(record.data.get("ended") or ""), self.id)
        self.repeats: set[str] = set()

    @classmethod
    def of(cls, folder: str, read: Read, names: list[str]) -> _Talk | None:
        path = f"{folder}/conversation.yaml"
        try:
            record = Record.parse(path, read(path) or b"")
            KIND.check(record)
        except Invalid:
            return None
        is_global = not record.removed and not scope(str(record.data["agent"]), "x")
        return cls(folder, read, names, record) if is_global else None

    def _turns(self, raw: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
        for line in filter(None, raw.split(b"\n")):
            with suppress(ValueError):
                turn = json.loads(line)
                if isinstance(turn, dict) and isinstance(turn.get("id"), str):
                    yield line, turn

    def hold(self, holders: dict[str, tuple[_Talk, set[str]]]) -> None:
        """Note what this one tells. holders: key → (who tells it, ids of the calls whose results it has)."""
        for name in self.names:
            for _, turn in self._turns(self.read(f"{self.folder}/{name}") or b"") if name.endswith(".jsonl") else ():
                results = {part.get("id", "") for part in turn.get("content", ()) if part.get("type") == "tool_result"}
                for key in _keys(turn):
                    holders.setdefault(key, (self, results))

    def without(self, holders: Mapping[str, tuple[_Talk, set[str]]]) -> Mapping[str, bytes | None]:
        """The files as they are without what others tell; nothing where they tell nothing of it."""
        rest = {path: data for paths in self._lines() for path, data in self._rest(paths, holders)}
        if not self.repeats:
            return {}
        if not any(rest.values()):
            return {f"{self.folder}/{name}": None for name in self.names}
        place = Place(self.id, self.folder, "", removed=False)
        files = _Files(lambda path: rest[path] if path in rest else self.read(path), self.names)
        growing = Growing(files, self.id, place.project, "", place, 0)
        for holder in self.repeats:
            growing.repeats(holder)
        surplus = dict.fromkeys(path for path in rest if _is_surplus(growing, path))
        left = {**rest, **surplus, **growing.files(self.folder), self.record.path: growing.written(self.folder)}
        # What it begins with now may have been said in another month.
        folder = growing.place_of(growing.conversation())
        gone = dict.fromkeys(left) if folder != self.folder else {}
        return {**gone, **{folder + path.removeprefix(self.folder): data for path, data in left.items()}}

    def _lines(self) -> list[list[str]]:
        """The files of each line of turns, in order."""
        lines = line_names(_Files(self.read, self.names), self.folder)
        return [[f"{self.folder}/{name}" for name in self.names if name.startswith(f"{line}-")] for line in lines]

    def _rest(self, paths: list[str], holders: Mapping[str, tuple[_Talk, set[str]]]) -> Iterator[tuple[str, bytes]]:
        """(path, what stays of it) of the files of a line."""
        place: dict[str, str] = {}
        told: dict[str, str] = {}
        for path in paths:
            kept = []
            for line, turn in self._turns(self.read(path) or b""):
                place |= {name: turn[name] for name in _PLACE if name in turn}
                left = self._left(turn, holders)
                # Where something was said stands with the first turn of many, which may be gone.
                if left and (missing := {name: place[name] for name in place if place[name] != told.get(name)}):
                    told |= missing
                    if missing.keys() - left.keys():
                        content = left.pop("content")
                        left = {**left, **missing, "content": content}
                if left:
                    kept.append(line + b"\n" if left == turn else dump_line(left))
            yield path, b"".join(kept)

    def _left(self, turn: dict[str, Any], holders: Mapping[str, tuple[_Talk, set[str]]]) -> dict[str, Any]:
        """What stays of a turn; nothing where another conversation tells all of it."""
        held = [holders[key] for key in _keys(turn) if key in holders]
        if not held:
            return dict(turn)
        self.repeats.add(held[0][0].id)
        new = [entry for entry in entries_of(turn) if _entry(entry) not in holders]
        known = set().union(*(results for _, results in held))
        results = [
            part
            for part in turn.get("content", ())
            if part.get("type") == "tool_result" and part.get("id", "") not in known
        ]
        return _results(turn, new, results) if new and results else {}


_PLACE = ("folder", "branch", "version")


def _keys(turn: dict[str, Any]) -> Iterator[str]:
    """What a copy of a turn is known by: its entries, and the answers in it."""
    yield from map(_entry, entries_of(turn))
    if turn.get("role") == "assistant" and turn.get("entries"):
        for one in merging.requests(turn) or [{"request": ""}]:
            yield f"answer\0{turn['id']}\0{one['request']}"


def _entry(id: str) -> str:
    return f"entry\0{id}"


def _results(turn: dict[str, Any], new: list[str], results: list[Any]) -> dict[str, Any]:
    """The results that only this conversation has of an answer that another one has."""
    when = results[0].get("timestamp") or turn.get("timestamp", "")
    more = {"entries": new[1:]} if new[1:] else {}
    place = {name: turn[name] for name in _PLACE if name in turn}
    said: dict[str, Any] = {
        "seq": turn.get("seq", 0),
        "id": new[0],
        "role": "user",
        "origin": "result",
        "timestamp": when,
    }
    return {**said, **more, **place, "content": results}
