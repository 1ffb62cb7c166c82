"""A line of turns as it grows: a conversation's own, or a sub-agent's.

It is cut into files by a rule that looks at nothing but the turns, so any number of imports leaves the
same bytes. What is far back is not held in memory: only what its turns came to, and where each lies. An
entry that belongs to one of them brings the files from there on back.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from sbfs import merge
from sbfs.conversations.counting import Tally
from sbfs.errors import Invalid
from sbfs.record import dump_line, etag
from sbfs.transcripts import merging
from sbfs.transcripts.events import Event, Plain

CLOSED = 32 * 1024
"""Bytes with which a file of turns is closed: what one more turn rewrites at most, and what a person
can look through."""

HELD = 8 * 1024 * 1024
"""Bytes of turns at the end of a line that are held in memory while it grows."""

LARGEST = 4 * 1024 * 1024
"""Bytes of a turn from which on what comes is a turn of its own: with the longest line of a transcript, no file of
turns becomes one that Git hosts refuse."""

_ADDRESSED = ("prompt", "notification", "meta", "command", "task")
"""What a queued text may come back as."""


def key(*words: str) -> int:
    """A number that stands for an id: 64 bits, so that a million of them hardly ever meet."""
    data = "\0".join(words).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)


class _Slot:
    """A turn in memory, and its line as it is kept, once it is asked for."""

    __slots__ = ("raw", "turn")

    def __init__(self, turn: Plain, raw: bytes | None = None):
        self.turn, self.raw = turn, raw

    def line(self) -> bytes:
        if self.raw is None:
            self.raw = dump_line(self.turn)
        return self.raw


class Line:
    """One line of turns.

    scope: within which its ids are unique, "" for those that are so everywhere. read: a file's number → its
    bytes, None where there is none. known: keys of all its entries and answers; added: those that are new.
    held: bytes to keep in memory.
    """

    def __init__(
        self,
        agent: str,
        *,
        scope: str = "",
        compaction: bool = False,
        read: Callable[[int], bytes | None] = lambda _: None,
        held: int | None = None,
    ):
        self.agent, self.scope, self.compaction = agent, scope, compaction
        self._read, self._held = read, HELD if held is None else held
        self._load()

    def _load(self, keep_from: int | None = None) -> None:
        """Read all files. Those before `keep_from` are only counted; without it, as memory allows."""
        self.known: set[int] = set()
        self.added: set[int] = set()
        self._closed = Tally(self.agent, self.compaction)
        self._first = 1
        self._kept: dict[int, str] = {}
        self._slots: dict[str, _Slot] = {}
        self._where: dict[int, int] = {}
        self._calls: dict[str, tuple[str, str]] = {}
        self._queued: dict[str, list[str]] = {}
        self._place = {"folder": "", "branch": "", "version": ""}
        number = 1
        while (raw := self._read(number)) is not None:
            self._kept[number] = etag(raw)
            for line in filter(None, raw.split(b"\n")):
                self._take(line)
            if keep_from is None:
                self._close(self._held)
            elif number < keep_from:
                self._close(0, also_last=True)
            number += 1

    def _take(self, line: bytes) -> None:
        turn = _checked(line)
        if (slot := self._slots.get(turn["id"])) is not None:
            # The same turn twice, as two clones leave it that had cut their lines in different places.
            fuller = merge.fuller(slot.turn, turn)
            self._slots[turn["id"]] = _Slot({**fuller, "seq": slot.turn["seq"]})
        elif key("turn", turn["id"]) not in self._where:
            place = self.count + 1
            is_right = turn.get("seq") == place
            self._slots[turn["id"]] = _Slot(turn, line + b"\n") if is_right else _Slot({**turn, "seq": place})
        self._follow(turn)
        self.known.update(self.keys_of(turn))

    @property
    def count(self) -> int:
        """How many turns it has."""
        return self._closed.turns + len(self._slots)

    def _follow(self, turn: Plain) -> None:
        """Remember of a turn what later entries may refer to."""
        for name in self._place:
            self._place[name] = turn.get(name) or self._place[name]
        self._follow_calls(turn)
        if turn.get("of"):
            for ids in self._queued.values():
                if turn["of"] in ids:
                    ids.remove(turn["of"])
        elif turn.get("facts", {}).get("queued"):
            self._queued.setdefault(_said(turn["content"]), []).append(turn["id"])

    def _follow_calls(self, turn: Plain) -> None:
        for part in turn["content"]:
            if part.get("type") == "tool_call" and part.get("id"):
                self._calls[part["id"]] = part.get("name", ""), turn["id"]
            elif part.get("type") == "tool_result":
                self._calls.pop(part.get("id", ""), None)

    # -- what it knows

    def keys_of(self, turn: Plain) -> Iterator[int]:
        """What a turn is known by: the entries that make it up, and the answers in it."""
        if turn.get("role") == "assistant" and turn.get("entries"):
            for one in merging.requests(turn) or [{"request": ""}]:
                yield from self._answer_keys(turn["id"], one["request"])
        for entry in entries_of(turn):
            yield self._key("entry", entry)

    def has(self, entry: str) -> bool:
        """Whether an entry is part of it."""
        return self._key("entry", entry) in self.known

    def keys(self, event: Event) -> list[int]:
        """What an event is known by: as an entry; as part of an answer; as part of a message."""
        found = [self._key("entry", event.id)]
        if event.role == "assistant" and event.turn != event.id:
            found += self._answer_keys(event.turn, event.request)
        return found

    def _answer_keys(self, message: str, request: str) -> tuple[int, int]:
        return self._key("answer", message, request), self._key("message", message)

    def _key(self, *words: str) -> int:
        return key(self.scope, *words)

    # -- growing

    def apply(self, event: Event) -> bool:
        """Take one more entry, cleaned of secrets. Returns whether it is news."""
        keys = self.keys(event)
        if keys[0] in self.known and not event.whole:
            return False
        self.known.update(keys)
        self.added.update(keys)
        if event.whole and (slot := self._slot(event.turn)) is not None:
            return self._replace(slot, event)
        slot = self._slot(event.turn) if event.role == "assistant" else None
        if slot is not None and slot.turn["role"] == "assistant":
            self._add(slot, event)
            return True
        self._join_results(event)
        if event.parts or event.origin != "result":
            self._begin(event)
        return True

    def _add(self, slot: _Slot, event: Event) -> None:
        """One more chunk of an answer; what makes it too large follows in a turn of its own, which counts nothing."""
        if len(slot.line()) <= LARGEST:
            merging.add(slot.turn, event)
        else:
            merging.add(slot.turn, replace(event, parts=[]))
            more = replace(event, id=event.id, turn=f"{event.turn}~{self.count + 1}", usage=None, request="")
            self._begin(more, of=event.turn)
        slot.raw = None
        self._follow_calls(slot.turn)

    def _replace(self, slot: _Slot, event: Event) -> bool:
        before = slot.line()
        slot.turn, slot.raw = merging.replace(slot.turn, event), None
        return slot.line() != before

    def _join_results(self, event: Event) -> None:
        left = []
        for part in event.parts:
            if part.get("type") != "tool_result" or (call := self._calls.get(part["id"])) is None:
                left.append(part)
                continue
            name, turn = call
            slot = self._slot(turn)
            if slot is None or len(slot.line()) > LARGEST:
                left.append(part)
                continue
            merging.attach(slot.turn, {"type": part["type"], "id": part["id"], "name": name} | part, event)
            slot.raw = None
            self._calls.pop(part["id"], None)
        event.parts = left

    def _begin(self, event: Event, of: str = "") -> None:
        if event.turn in self._slots or key("turn", event.turn) in self._where:
            # Two entries that are no answers and say the same id: the second is another one.
            event.turn = f"{event.turn}-{self.count + 1}"
        turn = {"seq": self.count + 1, **merging.begin(event)}
        waiting = self._queued.get(_said(turn["content"])) if event.role == "user" else None
        if waiting and event.origin in _ADDRESSED and not event.id.startswith("queued-"):
            turn["origin"], turn["of"] = "delivery", waiting[0]
            turn["content"] = [part for part in turn["content"] if part.get("type") != "text"]
        content = turn.pop("content")
        if of:
            turn["of"] = of
        for name in self._place:
            if (said := getattr(event, name)) and said != self._place[name]:
                turn[name] = said
        turn["content"] = content
        self._slots[turn["id"]] = _Slot(turn)
        self._follow(turn)

    def _slot(self, id: str) -> _Slot | None:
        """A turn in memory; one that lies further back is fetched."""
        if id not in self._slots and (number := self._where.get(key("turn", id))) is not None:
            self._reopen(number)
        return self._slots.get(id)

    def _reopen(self, number: int) -> None:
        """Bring everything from a file on back into memory, and what is new behind it."""
        kept = (self.known, self.added, self._slots, self._calls, self._queued, self._place)
        self._load(keep_from=number)
        self.known, self.added, slots, self._calls, self._queued, self._place = kept
        self._slots.update(slots)

    def drop(self, id: str) -> None:
        """Take a turn out: it turned out to be another line's."""
        if self._slot(id) is not None:
            del self._slots[id]

    # -- the outcome

    def files(self) -> Iterator[tuple[int, bytes]]:
        """(number, bytes) of the files that are held in memory."""
        for number, slots in self._cut():
            data = b"".join(slot.line() for slot in slots)
            self._kept[number] = etag(data)
            yield number, data

    @property
    def last_file(self) -> int:
        """The number of the last file, 0 where there is none."""
        return max((number for number, _ in self._cut()), default=self._first - 1)

    def _cut(self) -> Iterator[tuple[int, list[_Slot]]]:
        number, held, size = self._first, list[_Slot](), 0
        for slot in self._slots.values():
            if size >= CLOSED:
                yield number, held
                number, held, size = number + 1, [], 0
            held.append(slot)
            size += len(slot.line())
        if held:
            yield number, held

    def tally(self) -> Tally:
        """What all its turns come to."""
        whole = copy.deepcopy(self._closed)
        for slot in self._slots.values():
            whole.add(slot.turn, slot.line())
        return whole

    def rest(self) -> None:
        """All of it is kept: let go of what is far back."""
        self.added = set()
        self._close(self._held)

    def _close(self, held: int, *, also_last: bool = False) -> None:
        """Hold no more than some bytes. What is not kept just as it is now, in its file, stays."""
        size = sum(len(slot.line()) for slot in self._slots.values())
        cut = [*self._cut()] if size > held else []
        for number, slots in cut if also_last else cut[:-1]:
            data = b"".join(slot.line() for slot in slots)
            if size <= held or self._kept.get(number) != etag(data):
                break
            for slot in slots:
                self._closed.add(slot.turn, slot.line())
                self._where[key("turn", slot.turn["id"])] = number
                del self._slots[slot.turn["id"]]
            size -= len(data)
            self._first = number + 1


def entries_of(turn: Plain) -> list[str]:
    """The entries that make a turn up."""
    entries = [*turn.get("entries", ())]
    return entries if turn.get("role") == "assistant" and entries else [turn["id"], *entries]


def _checked(line: bytes) -> Plain:
    try:
        turn: Plain = json.loads(line)
        if isinstance(turn["id"], str) and isinstance(turn.get("content"), list):
            return turn
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise Invalid("holds a line that is no turn", hint="run 'sbfs check'")


def _said(parts: Iterable[Plain]) -> str:
    return "\n".join(part["text"] for part in parts if part.get("type") == "text")
