"""A conversation as it grows: its lines of turns, and the facts that they come to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from sbfs import redact, times
from sbfs.conversations.counting import Tally, sum_hours
from sbfs.conversations.imports import Place, open_line, scope
from sbfs.conversations.line import Line
from sbfs.conversations.value import (
    KIND,
    MAIN,
    TURNS,
    Commit,
    Conversation,
    Source,
    SubAgent,
    add_facts,
    dump,
    line_names,
    load,
)
from sbfs.record import Record
from sbfs.store import Transaction
from sbfs.transcripts.events import Cursor, Event, Plain

PLACES = 20
"""How many of a source's unreadable lines are named."""

_ENDINGS = {"image/jpeg": ".jpg", "image/webp": ".webp"}


class Secrets:
    """Takes secrets out of all that a transcript says, numbered in the order in which it says them.

    seen: where the entries begin that hold a secret, or a placeholder, for the first time: who sees them again in this
    order, when reading goes on another day, gives the same numbers.
    """

    def __init__(self, rules: redact.Rules):
        self._redactor = redact.Redactor(rules)
        self._often: dict[str, str] = {}
        self.seen: list[Cursor] = []

    @property
    def masked(self) -> dict[str, str]:
        """Placeholder → what may be shown of its secret."""
        return self._redactor.masked

    def clean(self, event: Event, begun: Cursor) -> None:
        """Take the secrets out of an event that begins at a cursor, and tell it how many of each type there were."""
        before, numbers = Counter(self._redactor.found), self._redactor.numbers.total()
        for name in ("model", "folder", "branch", "version", "name", "speed"):
            setattr(event, name, self._again(getattr(event, name)))
        for name in ("id", "turn", "request"):
            setattr(event, name, self._redactor.text(getattr(event, name)))
        event.parts = [self._part(part) for part in event.parts]
        if event.facts:
            event.facts = self._redactor.plain(event.facts)
        event.redacted, event.raw = dict(self._redactor.found - before), None
        if self._redactor.numbers.total() != numbers:
            self.seen.append(Cursor(begun.offset, begun.line))

    def name(self, name: str) -> str:
        """The name of a type, which comes from the transcript too."""
        return self._again(name)

    def state(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """What a reader remembers, cleaned likewise: it is kept too."""
        found: dict[str, Any] = self._redactor.plain(dict(state))
        return found

    def _part(self, part: Plain) -> Plain:
        if part["type"] == "image":
            return {**part, "media_type": self._again(part["media_type"])}
        if "images" in part:
            rest = {key: value for key, value in part.items() if key != "images"}
            return {**self._redactor.plain(rest), "images": [self._part(image) for image in part["images"]]}
        found: Plain = self._redactor.plain(part)
        return found

    def _again(self, text: str) -> str:
        """The same for what is said with every entry."""
        if text not in self._often:
            self._often[text] = self._redactor.text(text)
        return self._often[text]


class Files(Protocol):
    """Of a store's view, what is asked of it here."""

    def read(self, path: str, /) -> bytes | None:
        """A file's bytes, or None."""

    def names(self, folder: str, /) -> list[str]:
        """The sorted names in a folder."""

    def record(self, path: str, /) -> Record:
        """The record at a path."""


class Growing:
    """One conversation of a transaction.

    place: where it lies so far, None where it is new. limit: bytes of the largest image that is kept.
    grown: how many entries were news. redacted: what was taken out of these, by type. images: path below the
    project → bytes, to be kept.
    """

    def __init__(self, view: Files, id: str, project: str, agent: str, place: Place | None, limit: int):
        self.id, self.project, self.limit = id, place.project if place else project, limit
        self.grown = 0
        self.redacted: Counter[str] = Counter()
        self.images: dict[str, bytes] = {}
        self.folder = place.path if place and not place.removed else ""
        self.record = view.record(f"{self.folder}/conversation.yaml") if self.folder else None
        self.old = load(self.record.data) if self.record else None
        self.agent = self.old.agent if self.old else agent
        names = line_names(view, self.folder) if self.folder else []
        self.lines = {name: open_line(view, self.folder, name, agent=self.agent) for name in names}
        self._sources = {source.name: source for source in self.old.sources} if self.old else {}
        self._continues = dict.fromkeys(self.old.continues if self.old else ())

    # -- growing

    def line(self, agent: str, *, compaction: bool = False) -> Line:
        """The line of turns of a sub-agent, or the main one."""
        name = f"agent-{agent}" if agent else MAIN
        if name not in self.lines:
            self.lines[name] = Line(agent, scope=scope(self.agent, self.id), compaction=compaction)
        return self.lines[name]

    def take(self, line: Line, event: Event) -> None:
        """One more entry of a line, cleaned of secrets."""
        entry, *message = line.keys(event)
        for other in self.lines.values():
            if other is line or not (entry in other.known or any(key in other.known for key in message)):
                continue
            if line.agent and not other.agent or entry in other.known and other.agent:
                # A side conversation replays its parent's messages: they are the parent's.
                return
            if not line.agent and message and message[-1] in other.known:
                other.drop(event.turn)
        self._keep_images(event)
        if line.apply(event):
            self.grown += 1
            self.redacted.update(event.redacted)

    def repeats(self, id: str) -> None:
        """An entry is another conversation's: its transcript goes on from there."""
        self._continues.setdefault(id)

    def read(self, source: Source) -> None:
        """What a transcript told besides; of two readings of it, the one that went further counts."""
        known = self._sources.get(source.name, source)
        self._sources[source.name] = max(known, source, key=lambda one: (one.lines, repr(one)))

    def _keep_images(self, event: Event) -> None:
        for part in event.parts:
            for image in (part, *part.get("images", ())):
                if image.get("type") == "image" and "data" in image:
                    self._keep_image(image)

    def _keep_image(self, image: Plain) -> None:
        data: bytes = image.pop("data")
        sha256 = hashlib.sha256(data).hexdigest()
        image |= {"sha256": sha256, "path": "", "size": len(data)}
        if len(data) <= self.limit:
            import mimetypes

            ending = _ENDINGS.get(image["media_type"]) or mimetypes.guess_extension(image["media_type"]) or ".bin"
            image["path"] = f"attachments/{sha256}/image{ending}"
            self.images[image["path"]] = data

    # -- keeping

    def files(self, folder: str) -> dict[str, bytes]:
        """Path → bytes of its turns' files, as far as they may have changed."""
        return {
            f"{folder}/{name}-{number:04}.jsonl": data
            for name, line in self.lines.items()
            for number, data in line.files()
        }

    def written(self, folder: str) -> bytes:
        """The bytes of its facts, worked out anew."""
        path, data = f"{folder}/conversation.yaml", dump(self.conversation())
        return (self.record.changed(data) if self.record else Record.make(path, data)).raw

    def place_of(self, conversation: Conversation) -> str:
        """The folder that it belongs into."""
        return f"projects/{self.project}/conversations/{conversation.month}/{self.id}"

    def put(self, tx: Transaction) -> Conversation:
        """Write what it has become."""
        conversation = self.conversation()
        folder = self.place_of(conversation)
        for path, data in self.files(folder).items():
            tx.put(TURNS, path, data)
        for name, line in self.lines.items():
            self._drop_surplus(tx, f"{folder}/{name}", line.last_file)
        for path, data in self.images.items():
            tx.put_bytes(f"projects/{self.project}/{path}", data)
        if self.folder and self.folder != folder:
            self._move(tx, folder)
        facts = dump(conversation)
        if self.record and self.folder == folder:
            tx.replace(KIND, self.record, facts)
        else:
            tx.create(KIND, f"{folder}/conversation.yaml", facts)
        self.folder = folder
        return conversation

    def _drop_surplus(self, tx: Transaction, stem: str, last: int) -> None:
        number = last + 1
        while tx.view.find_id(f"{stem}-{number:04}.jsonl"):
            tx.drop(f"{stem}-{number:04}.jsonl", TURNS)
            number += 1

    def _move(self, tx: Transaction, folder: str) -> None:
        """Its first time turned out to be in another month."""
        for name in tx.view.names(self.folder):
            path = f"{self.folder}/{name}"
            if name.endswith(".jsonl") and f"{folder}/{name}" not in tx.changes and (raw := tx.view.read(path)):
                tx.put(TURNS, f"{folder}/{name}", raw)
            tx.drop(path, KIND if name == "conversation.yaml" else TURNS)

    def kept(self) -> list[int]:
        """What is new was published. Returns its keys, and lets go of what is not needed for growing further."""
        keys = [key for line in self.lines.values() for key in line.added]
        for line in self.lines.values():
            line.rest()
        self.images.clear()
        self.redacted.clear()
        self.grown = 0
        return keys

    # -- what it comes to

    def conversation(self) -> Conversation:
        """The facts, worked out from all turns."""
        # The main line first, whichever was imported first.
        names = sorted(self.lines, key=lambda name: (name != MAIN, name))
        tallies = {name: self.lines[name].tally() for name in names}
        main = tallies.get(MAIN) or Tally()
        many = [*tallies.values()]
        commits = _commits(many)
        hours = sum_hours(many, commits)
        last = max((tally.last for tally in many), default="")
        first = min((tally.first for tally in many if tally.first), default="")
        return Conversation(
            id=self.id,
            agent=self.agent,
            title=self._title(main),
            started=_moment(first),
            ended=_moment(last),
            updated=_moment(last),
            models=_ordered(tally.models for tally in many),
            branches=_ordered(tally.branches for tally in many),
            folders=_ordered(tally.folders for tally in many),
            versions=_ordered(tally.versions for tally in many),
            facts=add_facts(hours.values()),
            hours=hours,
            subagents=tuple(self._subagents(tallies)),
            commits=commits,
            continues=tuple(sorted(self._continues)),
            sources=tuple(sorted(self._sources.values(), key=lambda source: source.name)),
            redacted=dict(sorted(sum((tally.redacted for tally in many), Counter()).items())),
            quality=self.old.quality if self.old else None,
            extra=self.old.extra if self.old else {},
        )

    def _title(self, main: Tally) -> str:
        line = self.lines.get(MAIN)
        return main.title(lambda entry: line is not None and line.has(entry))

    def _subagents(self, tallies: dict[str, Tally]) -> Iterable[SubAgent]:
        begun = {agent: task for tally in tallies.values() for agent, task in tally.tasks.items()}
        sides = {tally.agent: tally for tally in tallies.values() if tally.agent}
        for agent in sorted({*begun, *sides}):
            tally, task = sides.get(agent), begun.get(agent)
            one = SubAgent(agent, **(vars(task) if task else {}))
            if tally is not None:
                facts = add_facts(tally.facts().values())
                one = replace(one, compaction=tally.compaction, turns=tally.turns)
                one = replace(one, messages=facts.messages, tokens=facts.tokens)
            yield one


def _commits(tallies: Iterable[Tally]) -> tuple[Commit, ...]:
    """All commits once each: what a sub-agent made is told by its parent too."""
    found: dict[str, Commit] = {}
    for tally in tallies:
        for commit in tally.commits:
            found.setdefault(commit.hash, commit)
    return tuple(sorted(found.values(), key=lambda commit: (commit.timestamp, commit.agent, commit.hash)))


def _ordered(many: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in many for name in names if name))


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        return times.load(text) if text else None
    return None
