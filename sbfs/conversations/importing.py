"""The verb that brings transcripts into the store: once, whole, without secrets, as far as they are written.

Transcripts are read in pieces of bounded size, and each piece is published as one commit that is whole in
itself; so a transcript of any length needs little memory, and an import that is killed goes on where its
last commit ends.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sbfs import projects, redact
from sbfs.conversations.growing import PLACES, Growing, Secrets
from sbfs.conversations.imports import Imports, Place, Progress
from sbfs.conversations.value import Conversation, Source, load
from sbfs.errors import Failed, Invalid, NotFound
from sbfs.kind import check_id
from sbfs.store import Store, Transaction, View
from sbfs.transcripts import finding, lines
from sbfs.transcripts.events import Cursor, Event, Transcript

PIECE = 12 * 1024 * 1024
"""Bytes of transcripts that become one commit."""

_LOOK = 2000
"""Entries among which a transcript's working directory is looked for."""

Choose = Callable[[str, Sequence[str]], str | None]
"""Asked where no project fits: the working directory, and the names of all projects; None skips it."""


@dataclass(frozen=True)
class Grown:
    """What an import did to one conversation. state: `new`, `grown` or `known`. entries: that were news."""

    conversation: Conversation
    project: str
    state: str
    entries: int


@dataclass(frozen=True)
class Imported:
    """What an import came to.

    conversations: that it met, in order. skipped: (path, why) of transcripts that were left alone. unreadable:
    (path, line, why), the first of each file. waiting: paths whose last line is half-written. repeated: entries
    that another conversation has. redacted: what was taken out, by type. masked: of a dry run, (path, placeholder,
    what may be shown of the secret).
    """

    conversations: tuple[Grown, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[tuple[str, int, str], ...] = ()
    unreadable_count: int = 0
    waiting: tuple[str, ...] = ()
    repeated: int = 0
    redacted: dict[str, int] = field(default_factory=dict)
    masked: tuple[tuple[str, str, str], ...] = ()
    dry_run: bool = False


def _quiet(done: int, whole: int) -> None:
    """Tell nobody."""


def import_(
    store: Store,
    *,
    paths: Iterable[str | Path],
    project: str = "",
    format: str = "auto",
    dry_run: bool = False,
    again: bool = False,
    choose: Choose | None = None,
    progress: Callable[[int, int], None] = _quiet,
    actor: str = "",
) -> Imported:
    """Import transcripts: files, and all that lie below folders.

    project: where they belong; without it, what a rule in sbfs.yaml says of the recorded working directory
    (`imports.projects`, path → project), else the project whose source path holds it, else what `choose`
    answers. What is known stays where it is. again: also what was removed. dry_run: only tell. progress: is told
    how many bytes are read, of how many. Raises Invalid for a file of no known format.
    """
    with Imports(store.repo.gitdir) as imports:
        run = _Run(store, imports, project, again, choose, dry_run, actor)
        return run.run(_sessions(paths, format), progress)


def _sessions(paths: Iterable[str | Path], format: str) -> list[list[Transcript]]:
    """The transcripts of each session, its own before its sub-agents'; sessions by their time, so that what a later
    one repeats is known already."""
    found: dict[str, dict[Path, Transcript]] = {}
    for path in paths:
        for transcript in map(_named, finding.transcripts(Path(path), format)):
            found.setdefault(transcript.session, {})[transcript.path.absolute()] = transcript
    sessions = [
        sorted(one.values(), key=lambda file: (file.agent, file.name, str(file.path))) for one in found.values()
    ]
    return sorted(sessions, key=lambda files: (_last_time(files[0]), files[0].session))


def _named(transcript: Transcript) -> Transcript:
    """With names that can be those of records, and hold no secrets."""
    session, agent = (_safe(one) for one in (transcript.session, transcript.agent))
    return replace(transcript, session=session, agent=agent)


def _safe(name: str) -> str:
    clean = redact.text(name, Counter())
    try:
        return check_id(clean) if clean else ""
    except Invalid:
        bare = re.sub(r"[^A-Za-z0-9_@+-]+", "-", clean).strip("-")[:80] or "session"
        return f"{bare}-{hashlib.sha256(clean.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _last_time(transcript: Transcript) -> str:
    """The last time in a transcript's first entries' file, "" for none: from its end, which is quick to read."""
    size = os.path.getsize(transcript.path)
    start = Cursor(max(0, size - lines.HEAD))
    return max((event.timestamp for event, _ in finding.events(transcript, start)), default="")


@dataclass
class _Piece:
    """Some entries of one transcript. cursor: behind them."""

    session: str
    transcript: Transcript
    progress: Progress
    events: list[Event] = field(default_factory=list)


class _Run:
    """One import."""

    def __init__(
        self,
        store: Store,
        imports: Imports,
        project: str,
        again: bool,
        choose: Choose | None,
        dry_run: bool,
        actor: str,
    ):
        self.store, self.imports, self.again, self.choose = store, imports, again, choose
        self.dry_run, self.actor = dry_run, actor
        self.view = store.view()
        self.project = projects.resolve(self.view, project).name if project else ""
        self.finder = _Finder(self.view, store.settings())
        self.limit = store.limit("attachment")
        self.met: dict[str, Grown] = {}
        self.skipped: list[tuple[str, str]] = []
        self.unreadable: list[tuple[str, int, str]] = []
        self.unreadable_count = 0
        self.masked: list[tuple[str, str, str]] = []
        self.waiting: list[str] = []
        self.repeated = 0
        self.redacted: Counter[str] = Counter()
        self.refused: Invalid | None = None
        self.belongs: dict[str, str] = {}
        self.growing: dict[str, tuple[str, Growing]] = {}
        imports.follow(self.view)

    def run(self, sessions: list[list[Transcript]], progress: Callable[[int, int], None]) -> Imported:
        whole = sum(os.path.getsize(file.path) for files in sessions for file in files)
        batch: list[_Piece] = []
        size = done = 0
        for files in sessions:
            for piece, read in self._pieces(files):
                batch.append(piece)
                size, done = size + read, done + read
                if size >= PIECE:
                    self._publish(batch)
                    progress(done, whole)
                    batch, size = [], 0
        self._publish(batch)
        progress(whole, whole)
        if self.refused is not None and not self.met:
            raise self.refused
        order = [self.met[files[0].session] for files in sessions if files[0].session in self.met]
        return Imported(
            tuple(order),
            tuple(self.skipped),
            tuple(self.unreadable),
            self.unreadable_count,
            tuple(self.waiting),
            self.repeated,
            dict(self.redacted),
            tuple(self.masked),
            self.dry_run,
        )

    # -- reading

    def _pieces(self, files: list[Transcript]) -> Iterator[tuple[_Piece, int]]:
        """(piece, bytes) of a session's transcripts, as far as they are news."""
        refused = [file for file in files if file.refused]
        self.skipped += [(str(file.path), file.refused) for file in refused]
        files = [file for file in files if not file.refused]
        if not files:
            return
        session = files[0].session
        place = self.imports.place(session)
        if place is not None and place.removed and not self.again:
            self.skipped += [(str(file.path), "its conversation was removed; --again brings it back") for file in files]
            return
        for file in files:
            progress = self._progress(file, place)
            if progress is None:
                self._meet(session, place)
                continue
            if session not in self.belongs and (project := self._project(files, place)) is None:
                return
            elif session not in self.belongs:
                self.belongs[session] = project or ""
            yield from self._read(session, file, progress)

    def _progress(self, file: Transcript, place: Place | None) -> Progress | None:
        """Where to go on reading; None where nothing is new."""
        known = self.imports.progress(file.path.absolute())
        state = os.stat(file.path)
        if known is None or place is None or place.removed or known.conversation != file.session:
            return Progress()
        if known.tree != place.tree and not self._holds(place, file, known):
            return Progress()
        if (known.size, known.changed) == (state.st_size, state.st_mtime_ns):
            if known.waiting:
                self.waiting.append(str(file.path))
            return None
        if state.st_size < known.offset or _hash(file.path, known.offset) != known.prefix:
            # It was rewritten: all of it is read again, and what vanished is kept.
            return Progress()
        return known

    def _holds(self, place: Place, file: Transcript, known: Progress) -> bool:
        """Whether the store has as much of a transcript as was read of it here: it may have been taken back."""
        try:
            record = self.view.record(f"{place.path}/conversation.yaml")
        except (NotFound, Invalid):
            return False
        told = record.data.get("sources") or ()
        return any(one.get("name") == file.name and one.get("lines", 0) >= known.line for one in told)

    def _read(self, session: str, file: Transcript, progress: Progress) -> Iterator[tuple[_Piece, int]]:
        state = os.stat(file.path)
        cursor = Cursor(progress.offset, progress.line, progress.state)
        digest = _Digest(file.path, progress.offset)
        piece, begun = _Piece(session, file, _copied(progress)), progress.offset
        secrets = self._secrets(file, progress)
        for event, behind in finding.events(file, cursor):
            begun_at, cursor = cursor, behind
            if event.trouble:
                self._cannot_read(file, cursor.line, event.trouble, piece.progress)
            elif event.left_out:
                name = secrets.name(event.left_out)
                piece.progress.left_out[name] = piece.progress.left_out.get(name, 0) + 1
            else:
                secrets.clean(event, begun_at)
                piece.events.append(event)
            if cursor.offset - begun >= PIECE:
                self._mark(piece, cursor, digest, secrets)
                yield piece, cursor.offset - begun
                piece, begun = _Piece(session, file, _copied(piece.progress)), cursor.offset
        self._mark(piece, cursor, digest, secrets)
        if self.dry_run:
            self.masked += [(str(file.path), *one) for one in secrets.masked.items()]
        piece.progress.size, piece.progress.changed = state.st_size, state.st_mtime_ns
        piece.progress.waiting = lines.is_waiting(file.path, cursor.offset)
        if piece.progress.waiting:
            self.waiting.append(str(file.path))
        yield piece, cursor.offset - begun

    def _secrets(self, file: Transcript, progress: Progress) -> Secrets:
        """What takes secrets out of the rest of a transcript, with the numbers that those before have."""
        secrets = Secrets(self.store.rules())
        for offset, line in progress.secrets:
            start = Cursor(offset, line)
            for event, _ in finding.events(file, start):
                if not (event.trouble or event.left_out):
                    secrets.clean(event, start)
                    break
        return secrets

    def _mark(self, piece: _Piece, cursor: Cursor, digest: _Digest, secrets: Secrets) -> None:
        progress = piece.progress
        progress.offset, progress.line, progress.state = cursor.offset, cursor.line, secrets.state(cursor.state)
        progress.secrets = [[one.offset, one.line] for one in secrets.seen]
        progress.prefix = digest.upto(cursor.offset)
        progress.conversation = piece.session

    def _cannot_read(self, file: Transcript, line: int, why: str, progress: Progress) -> None:
        progress.unreadable += 1
        self.unreadable_count += 1
        if len(progress.places) < PLACES:
            progress.places.append([line, why])
            self.unreadable.append((str(file.path), line, why))

    # -- whose it is

    def _project(self, files: list[Transcript], place: Place | None) -> str | None:
        if place is not None and not place.removed:
            return place.project
        if self.project:
            return self.project
        folder, hashed = _folder(files)
        found = self.finder.find(folder, hashed)
        if found is None and self.choose is not None:
            found = self.choose(folder or str(files[0].path), self.finder.names)
            found = projects.resolve(self.view, found).name if found else None
        if found is None:
            why = f"no project fits {folder}" if folder else "it does not say where it was held"
            self.skipped += [(str(file.path), why) for file in files]
        return found

    # -- writing

    def _publish(self, batch: list[_Piece]) -> None:
        if not batch:
            return
        try:
            outcome = self._published(batch)
        except Invalid as error:
            self._publish_apart(batch, error)
            return
        self.repeated += outcome.repeated
        self.redacted.update(outcome.redacted)
        self._tell(outcome)
        if not self.dry_run:
            self._remember(batch, outcome)

    def _publish_apart(self, batch: list[_Piece], error: Invalid) -> None:
        """A record that cannot be read keeps its own conversation from growing, and no other."""
        sessions = {piece.session: [one for one in batch if one.session == piece.session] for piece in batch}
        if len(sessions) == 1:
            self.refused = self.refused or error
            self.skipped += [(str(path), str(error)) for path in dict.fromkeys(one.transcript.path for one in batch)]
            return
        for pieces in sessions.values():
            self._publish(pieces)

    def _published(self, batch: list[_Piece]) -> _Outcome:
        if self.dry_run:
            return self._build(Transaction(self.store, self.view, "conversation.import", self.actor), batch)
        return self.store.write("conversation.import", lambda tx: self._build(tx, batch), actor=self.actor)

    def _build(self, tx: Transaction, batch: list[_Piece]) -> _Outcome:
        self.imports.follow(tx.view)
        outcome = _Outcome()
        for piece in batch:
            growing = outcome.growing.get(piece.session) or self._open(tx.view, piece)
            outcome.growing[piece.session] = growing
            self._take(piece, growing, outcome)
        for id, growing in outcome.growing.items():
            if any(line.count for line in growing.lines.values()):
                outcome.redacted.update(growing.redacted)
                state = "new" if growing.record is None else "grown" if growing.grown else "known"
                conversation = growing.put(tx)
                outcome.conversations[id] = Grown(conversation, growing.project, state, growing.grown)
        self._describe(tx, outcome)
        return outcome

    def _open(self, view: View, piece: _Piece) -> Growing:
        place = self.imports.place(piece.session)
        tree, kept = self.growing.pop(piece.session, ("", None))
        if kept is not None and place is not None and tree == place.tree:
            kept.record = view.record(f"{kept.folder}/conversation.yaml")
            return kept
        return Growing(view, piece.session, self.belongs[piece.session], piece.transcript.format, place, self.limit)

    def _take(self, piece: _Piece, growing: Growing, outcome: _Outcome) -> None:
        file, progress = piece.transcript, piece.progress
        line = growing.line(file.agent, compaction=file.compaction)
        for event in piece.events:
            # A copied answer may come under entries of other ids.
            keys = line.keys(event)[:2]
            holder = next((outcome.holders[key] for key in keys if key in outcome.holders), growing.id)
            if holder == growing.id:
                outcome.holders |= dict.fromkeys(keys, growing.id)
                holder = self.imports.holder(keys, but=growing.id)
            if holder:
                growing.repeats(holder)
                outcome.repeated += 1
            else:
                # A piece may be built once more: what is taken is a copy.
                growing.take(line, _copy(event))
        places = tuple((at, why) for at, why in progress.places)
        growing.read(Source(file.name, file.format, progress.line, progress.left_out, progress.unreadable, places))

    def _describe(self, tx: Transaction, outcome: _Outcome) -> None:
        changed = [one for one in outcome.conversations.values() if one.state != "known"]
        names = sorted({one.project for one in changed})
        count = f"{len(changed)} conversations" if len(changed) != 1 else "a conversation"
        tx.describe(f"Import {count} of {', '.join(names)}", Ids=" ".join(one.conversation.id for one in changed[:20]))

    def _tell(self, outcome: _Outcome) -> None:
        for id, grown in outcome.conversations.items():
            if (old := self.met.get(id)) is not None:
                state = old.state if old.state != "known" else grown.state
                grown = replace(grown, state=state, entries=old.entries + grown.entries)
            self.met[id] = grown

    def _remember(self, batch: list[_Piece], outcome: _Outcome) -> None:
        self.view = self.store.view()
        grown = {growing.folder: growing.kept() for growing in outcome.growing.values() if growing.folder}
        self.imports.published(self.view, grown)
        for id, growing in outcome.growing.items():
            place = self.imports.place(id)
            if place is not None:
                self.growing = {id: (place.tree, growing)}
        for piece in batch:
            place = self.imports.place(piece.session)
            piece.progress.tree = place.tree if place else ""
        self.imports.keep({piece.transcript.path.absolute(): piece.progress for piece in batch})

    def _meet(self, session: str, place: Place | None) -> None:
        """A conversation of whose transcript nothing is new."""
        if place is None or session in self.met:
            return
        conversation = load(self.view.record(f"{place.path}/conversation.yaml").data)
        self.met[session] = Grown(conversation, place.project, "known", 0)


@dataclass
class _Outcome:
    """What building one commit came to. holders: keys of its entries → the conversation that had them first."""

    growing: dict[str, Growing] = field(default_factory=dict)
    conversations: dict[str, Grown] = field(default_factory=dict)
    holders: dict[int, str] = field(default_factory=dict)
    repeated: int = 0
    redacted: Counter[str] = field(default_factory=Counter)


def _copy(event: Event) -> Event:
    parts = [
        {**part, "images": [dict(one) for one in part["images"]]} if "images" in part else dict(part)
        for part in event.parts
    ]
    return replace(event, parts=parts)


def _copied(progress: Progress) -> Progress:
    left_out, places = dict(progress.left_out), [*progress.places]
    return replace(progress, left_out=left_out, places=places, size=-1, waiting=False)


def _folder(files: list[Transcript]) -> tuple[str, str]:
    """(the working directory that a session's transcripts record first, a hash of it where they have only that)."""
    for file in files:
        for (event, _), _ in zip(finding.events(file, Cursor()), range(_LOOK), strict=False):
            if event.folder or event.folder_hash:
                return event.folder, event.folder_hash
    return "", ""


# -- which project ---------------------------------------------------------------------------------


class _Finder:
    """Which project a working directory belongs to."""

    def __init__(self, view: View, settings: dict[str, Any]):
        rules = (settings.get("imports") or {}).get("projects") or {}
        self.rules = {_normal(path): projects.resolve(view, name).name for path, name in rules.items()}
        everyone = [*projects.everyone(view)]
        self.names = [project.name for project in everyone]
        self.sources = {_normal(project.source_path): project.name for project in everyone if project.source_path}

    def find(self, folder: str, hashed: str) -> str | None:
        """By a rule, else by source path; of several the longest. hashed: where only that is known."""
        for known in (self.rules, self.sources):
            fits = [path for path in known if (folder and _holds(path, folder)) or (hashed and _sha256(path) == hashed)]
            if fits:
                return known[max(fits, key=len)]
        return None


def _normal(path: str) -> str:
    return path.rstrip("/") or "/"


def _holds(path: str, folder: str) -> bool:
    return folder == path or folder.startswith(path.rstrip("/") + "/")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# -- files that grow -------------------------------------------------------------------------------


class _Digest:
    """The hash of a file's beginning, as far as it is read."""

    def __init__(self, path: Path, offset: int):
        self._path, self._offset, self._hash = path, 0, hashlib.sha256()
        self.upto(offset)

    def upto(self, offset: int) -> str:
        """The hash of all bytes before an offset, which only grows."""
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            while self._offset < offset and (data := file.read(min(1 << 20, offset - self._offset))):
                self._hash.update(data)
                self._offset += len(data)
        return self._hash.hexdigest()


def _hash(path: Path, offset: int) -> str:
    try:
        return _Digest(path, offset).upto(offset)
    except OSError as error:
        raise Failed(f"{path}: {(error.strerror or str(error)).lower()}", hint="check the path") from error
