"""A conversation that two clones grew apart: after its files were merged one by one, it is made whole again.

Turns are united by their ids; where they lie, and what they come to, follows from them. So it is worked out
anew, and both clones come to the bytes that one import of everything would have left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sbfs.conversations.growing import Growing
from sbfs.conversations.imports import Place
from sbfs.conversations.value import KIND, TURNS, load
from sbfs.errors import Invalid
from sbfs.record import Record

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
