"""The store: a root, read at revisions, written by transactions.

Nothing here reads the environment, the working directory or the terminal; the clock, the actor and
the root come in as arguments.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sbfs import files, redact, times
from sbfs.errors import AlreadyExists, Ambiguous, Damaged, Invalid, NotAStore, NotFound, Stale, WrongFormat
from sbfs.git import trees
from sbfs.git.repository import BRANCH, Commit, Repository
from sbfs.kind import Kind, moments_of, new_id
from sbfs.record import Record, etag

# What writes is fetched by who writes: most commands only read.
if TYPE_CHECKING:
    from sbfs.git.folders import Folders
    from sbfs.operation import Absent, Change, Operation
    from sbfs.publish import Publisher

T = TypeVar("T")

FORMAT = 1
SETTINGS = "sbfs.yaml"
DEFAULT_LIMITS = {"body": 1024 * 1024, "attachment": 25 * 1024 * 1024}
"""Bytes; `limits` in sbfs.yaml changes them."""

_ATTEMPTS = 12
_PATIENCE = 3
"""Attempts after which a writer that lost to others builds its change while it holds the lock."""

_SEGMENTS = {"date": (r"\d{4}", r"\d\d", r"\d\d"), "month": (r"\d{4}", r"\d\d")}
_PERIODS = {"date": len("YYYY/MM/DD"), "month": len("YYYY/MM")}


class Store:
    """A store by its root. Open one with `Store.open` or make one with `Store.init`.

    clock: gives the present, UTC. lock_wait: seconds to wait for another writer. A Store is for one
    thread; several of them, and several processes, work on one root at once.
    """

    def __init__(self, repo: Repository, clock: Callable[[], datetime], lock_wait: float):
        self.repo = repo
        self.root = repo.root
        self.clock = clock
        self.lock_wait = lock_wait
        self._settings: tuple[str, dict[str, Any]] = ("", {})
        self._publisher: Publisher | None = None

    @classmethod
    def open(cls, root: str | Path, *, clock: Callable[[], datetime] = times.now, lock_wait: float = 30.0) -> Store:
        """Open a store. Raises NotAStore or WrongFormat. Mends what a killed writer left."""
        path = Path(root)
        if not path.is_dir():
            raise NotAStore(str(root), why="there is no such folder")
        store = cls(Repository(path), clock, lock_wait)
        if store.repo.is_half_written():
            store._mend(store.publisher())
        store._check_format()
        return store

    @classmethod
    def init(cls, root: str | Path, *, clock: Callable[[], datetime] = times.now, lock_wait: float = 30.0) -> Store:
        """Make a store in a new or empty folder; one that is there already is opened as it is.

        Raises Invalid for a folder, or a repository, that holds something else.
        """
        from sbfs import founding

        founding.found(Path(root), clock())
        return cls.open(root, clock=clock, lock_wait=lock_wait)

    def close(self) -> None:
        """Let go of open files."""
        self.repo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publisher(self) -> Publisher:
        """What publishes operations to this store's repository."""
        if self._publisher is None:
            from sbfs.publish import Publisher

            self._publisher = Publisher(self.repo, lock_wait=self.lock_wait)
        return self._publisher

    def _mend(self, publisher: Publisher) -> None:
        # A reader that may not write, or comes while a writer is busy, reads the branch as it is.
        if not os.access(self.repo.gitdir, os.W_OK):
            return
        if publisher.try_lock():
            try:
                publisher.recover()
            except OSError as error:
                raise files.failed(error, self.root) from error
            finally:
                publisher.release()

    def _check_format(self) -> None:
        raw = files.read(self.root / SETTINGS)
        if raw is None:
            found = self._settings_on_branch()
            if found is None:
                raise NotAStore(str(self.root), why="its repository holds no sbfs.yaml")
            raw = found
        check_format(raw)

    def _settings_on_branch(self) -> bytes | None:
        head = self.repo.ref(BRANCH)
        found = self.repo.entry(self.repo.commit(head).tree, SETTINGS) if head else None
        return self.repo.blob(found[1]) if found else None

    # -- reading

    def head(self) -> str:
        """The branch's revision."""
        head = self.repo.ref(BRANCH)
        if head is None:
            raise Damaged("the branch main has no commit", hint="run 'sbfs check'")
        return head

    def view(self, at: str | None = None) -> View:
        """The store as it is on the branch, or as it was at a revision (an id, `HEAD~3`, a date)."""
        revision = self.repo.resolve(at) if at else self.head()
        return View(self, self.repo.commit(revision), current=not at)

    def settings(self) -> dict[str, Any]:
        """What sbfs.yaml says."""
        view = self.view()
        id = view.find_id(SETTINGS) or ""
        if self._settings[0] != id:
            self._settings = id, view.record(SETTINGS).data
        return self._settings[1]

    def limit(self, name: str) -> int:
        """A limit in bytes: `body` or `attachment`."""
        limits = self.settings().get("limits") or {}
        value = limits.get(name, DEFAULT_LIMITS[name]) if isinstance(limits, dict) else None
        if not isinstance(value, int) or value < 0:
            raise Invalid("must be a number of bytes", field=f"limits.{name}", path=SETTINGS)
        return value

    def rules(self) -> redact.Rules:
        """What is taken out of texts here. Raises Invalid where sbfs.yaml adds a rule that cannot be used."""
        return rules_of(self.settings())

    # -- writing

    def write(self, verb: str, build: Callable[[Transaction], T], *, actor: str = "") -> T:
        """Build changes and publish them as one commit; returns what `build` returned.

        verb: the operation's name, `message.send`. build: called with a fresh transaction, and
        again if what it read has changed before it could be published. actor: a project's name, or
        `Name <mail>`. Raises Stale if that happens too often.
        """
        from sbfs.operation import Edited, Moved

        for attempt in range(_ATTEMPTS):
            publisher, edited = self.publisher(), ""
            with nullcontext() if attempt < _PATIENCE else publisher.locked():
                transaction = Transaction(self, self.view(), verb, actor)
                result = build(transaction)
                if not (transaction.changes or transaction.parents or transaction.onto or transaction.folders):
                    return result
                try:
                    transaction.revision = publisher.publish(transaction.operation())
                    return result
                except Edited as error:
                    edited = error.path
                except Moved:
                    continue
            self._save_edit(edited, transaction)
        raise Stale("what this command changes", hint="others write to the same records; try again")

    def _save_edit(self, path: str, transaction: Transaction) -> None:
        """Publish a person's unsaved edit of a file, as a commit of its own, before it is changed."""
        from sbfs.operation import Change, Moved, Operation

        kind = transaction.kinds.get(path)
        disk = files.read(files.join(self.root, path))
        before = self.view().find_record(path)
        after = checked_edit(
            kind,
            path,
            disk,
            before.raw if before else None,
            rules=redact.BUILT_IN if path == SETTINGS else transaction.rules,
        )
        was: str | Absent = before.etag if before else "absent"
        change = Change(path, after, was, disk=etag(disk) if disk is not None else "absent")
        message = commit_message(f"Save the edit of {path}", "save", {"Paths": path})
        operation = Operation(new_id("op", self.clock()), message, who(transaction.actor), self.clock(), (change,))
        with suppress(Moved):
            self.publisher().publish(operation)


class View:
    """The store at one revision. Reads answer from Git, never from the work tree.

    memo: what was worked out from this revision, which does not change; the keys are the caller's.
    """

    def __init__(self, store: Store, commit: Commit, *, current: bool):
        self.store = store
        self.repo = store.repo
        self.commit = commit
        self.current = current
        self.memo: dict[tuple[str, str], Any] = {}

    @property
    def revision(self) -> str:
        """The commit's id."""
        return self.commit.id

    def find_id(self, path: str) -> str | None:
        """The id of the file at a path, or None."""
        folder, _, name = path.strip("/").rpartition("/")
        tree = self.memo.get(("folder", folder))
        if tree is None:
            tree = self.memo["folder", folder] = self.repo.folder(self.commit.tree, folder) or ""
        found = self.repo.tree(tree).get(name) if tree else None
        return found[1] if found and found[0] != trees.FOLDER else None

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None."""
        found = self.find_id(path)
        return self.repo.blob(found) if found else None

    def find_record(self, path: str) -> Record | None:
        """The record at a path, tombstones included, or None."""
        raw = self.read(path)
        return None if raw is None else _unchecked(path, raw)

    def record(self, path: str) -> Record:
        """The record at a path. Raises NotFound, or Invalid where it cannot be read."""
        raw = self.read(path)
        if raw is None:
            raise NotFound("record", path)
        return Record.parse(path, raw)

    def names(self, folder: str) -> list[str]:
        """The sorted names in a folder."""
        found = self.repo.folder(self.commit.tree, folder)
        return sorted(self.repo.tree(found)) if found else []

    def walk(self, kind: Kind[Any], *, newest: bool = True, **places: str) -> Iterator[tuple[str, str]]:
        """(path, id) of a kind's files, by path; places that are not given are wild.

        newest: whether paths run backwards, so that later days come first.
        """
        yield from self._walk(self.commit.tree, "", _segments(kind.pattern, places), newest)

    def _walk(self, tree: str, prefix: str, segments: list[str], newest: bool) -> Iterator[tuple[str, str]]:
        segment, *rest = segments
        entries = self.repo.tree(tree)
        for name in sorted(entries, reverse=newest):
            mode, id = entries[name]
            if (mode == trees.FOLDER) != bool(rest) or not re.fullmatch(segment, name):
                continue
            if rest:
                yield from self._walk(id, f"{prefix}{name}/", rest, newest)
            else:
                yield f"{prefix}{name}", id

    def find(self, kinds: tuple[Kind[Any], ...], prefix: str, *, what: str) -> list[str]:
        """The paths of the one record that an id, or a unique prefix of one, names (one path a kind).

        Raises NotFound or Ambiguous. Tombstones count as not found by the caller's choice.
        """
        found: dict[str, list[str]] = {}
        for kind in kinds if prefix else ():
            for path in self._candidates(kind, prefix):
                id = (kind.places(path) or {}).get("id", "")
                if id.startswith(prefix):
                    found.setdefault(id, []).append(path)
        if prefix in found:
            return found[prefix]
        if not found:
            raise NotFound(what, prefix, hint="give an id, or the beginning of one, as lists and searches show it")
        if len(found) > 1:
            raise Ambiguous(what, prefix, found)
        return next(iter(found.values()))

    def _candidates(self, kind: Kind[Any], prefix: str) -> Iterator[str]:
        """Paths that may carry the id; the day or month that a ULID names is tried before all others."""
        hit = False
        for place, length in _PERIODS.items():
            days = _days_of_prefix(prefix) if f"{{{place}}}" in kind.pattern else []
            for period in dict.fromkeys(day[:length] for day in days):
                for path, _ in self.walk(kind, newest=True, **{place: period}):
                    hit = hit or prefix in path
                    yield path
        if not hit:
            yield from (path for path, _ in self.walk(kind))


class Transaction:
    """Changes that appear together, held in memory. Made by `Store.write`.

    now: one moment for all its records. actor: who does it; `build` may name the project that turns
    out to act. redacted: what was taken out of texts, by type. parents: commits that are merged in;
    onto: one that the branch is moved to as it is. folders: new ones that come as a whole.
    """

    def __init__(self, store: Store, view: View, verb: str, actor: str = ""):
        self.store, self.view, self.verb, self.actor = store, view, verb, actor
        self.now = store.clock()
        self.changes: dict[str, Change] = {}
        self.kinds: dict[str, Kind[Any]] = {}
        self.redacted: Counter[str] = Counter()
        self.parents: tuple[str, ...] = ()
        self.onto = ""
        self.folders: Folders | None = None
        self.revision = ""
        self._rules: redact.Rules | None = None
        self._needs: dict[str, str] = {}
        self._subject = verb
        self._trailers: dict[str, str] = {}

    def describe(self, subject: str, **trailers: str) -> None:
        """The commit's subject, and trailers such as `Ids`."""
        self._subject, self._trailers = subject, trailers

    def need(self, path: str) -> None:
        """The file or folder must still be as it was read when this is published; else it is built anew."""
        folder = self.view.repo.folder(self.view.commit.tree, path)
        self._needs[path] = self.view.find_id(path) or folder or "absent"

    def find(self, path: str) -> Record | None:
        """The record as this transaction leaves it, or None; a tombstone counts as none."""
        if path in self.changes:
            data = self._bytes_of(self.changes[path])
            record = None if data is None else Record.parse(path, data)
        else:
            raw = self.view.read(path)
            record = None if raw is None else Record.parse(path, raw)
        return None if record is None or record.removed else record

    def get(self, path: str, what: str, name: str) -> Record:
        """The record at a path. Raises NotFound, saying what and name."""
        record = self.find(path)
        if record is None:
            raise NotFound(what, name)
        return record

    def create(self, kind: Kind[Any], path: str, data: dict[str, Any]) -> Record:
        """A new record. Raises AlreadyExists or Invalid. A tombstone gives way."""
        if self.find(path) is not None:
            raise AlreadyExists(kind.name, (kind.places(path) or {}).get("id") or path)
        record = Record.make(path, self._clean(data))
        kind.check(record)
        self._put(kind, record)
        return record

    def replace(self, kind: Kind[Any], old: Record, data: dict[str, Any]) -> Record:
        """Change a record; a person's comments in it stay. Raises Invalid where a fixed field would change."""
        record = old.changed(self._clean(kind.as_written(old.data, data)))
        kind.check(record)
        kind.check_change(old, record)
        self._put(kind, record)
        return record

    def rewrite(self, kind: Kind[Any], old: Record, data: dict[str, Any]) -> Record:
        """The same without asking which fields are fixed: for what has not been sent yet."""
        record = old.changed(self._clean(data))
        kind.check(record)
        self._put(kind, record)
        return record

    def remove(self, kind: Kind[Any], path: str, **facts: Any) -> None:
        """Leave a tombstone, so that no old clone brings the record back."""
        id = (kind.places(path) or {}).get("id")
        data = ({"id": id} if id else {}) | {"removed": times.dump(self.now)} | facts
        self._put(kind, Record.make(path, data))

    def put(self, kind: Kind[Any], path: str, data: bytes) -> None:
        """A record's bytes, out of whose texts secrets were taken already; an equal one is no change."""
        self.kinds[path] = kind
        self._change(path, data)

    def put_bytes(self, path: str, data: bytes) -> None:
        """A file that is no record, such as an attachment."""
        self._change(path, data)

    def drop(self, path: str, kind: Kind[Any] | None = None) -> None:
        """Take a file away without a tombstone, where something else tells that it is gone."""
        if kind is not None:
            self.kinds[path] = kind
        self._change(path, None)

    def bring(self, kind: Kind[Any] | None, path: str, data: bytes | None, *, id: str = "") -> None:
        """A file as another clone has it, or as it was merged. id: of its bytes, in place of data, where the
        repository has them."""
        from sbfs.operation import Change

        files.check_path(path)
        if kind is not None:
            self.kinds[path] = kind
        self.changes[path] = Change(path, data, self.view.find_id(path) or "absent", id=id)

    def _bytes_of(self, change: Change) -> bytes | None:
        return self.store.repo.blob(change.id) if change.id else change.data

    def adopt(self, kind: Kind[Any] | None, path: str, data: bytes | None, disk: str) -> None:
        """Take over a person's unsaved edit: what the file now holds (`disk`, its etag or "absent")
        becomes data, which is None where the file shall go."""
        from sbfs.operation import Change

        if kind is not None:
            self.kinds[path] = kind
        was = self.view.find_id(path)
        self.changes[path] = Change(path, data, was or "absent", disk)

    @property
    def rules(self) -> redact.Rules:
        """What is taken out of texts: read once. Raises Invalid where sbfs.yaml adds a rule that cannot be used."""
        if self._rules is None:
            self._rules = self.store.rules()
        return self._rules

    def _clean(self, data: dict[str, Any]) -> dict[str, Any]:
        cleaned: dict[str, Any] = redact.plain(data, self.redacted, self.rules)
        return cleaned

    def _put(self, kind: Kind[Any], record: Record) -> None:
        self.kinds[record.path] = kind
        self._change(record.path, record.raw)

    def _change(self, path: str, data: bytes | None) -> None:
        from sbfs.operation import Change

        files.check_path(path)
        was = self.view.find_id(path)
        if was is None and data is not None and (found := next(redact.find(path, self.rules), None)):
            raise Invalid(f"the name of a file holds what looks like a {found[0]}", hint="choose another name")
        if was is None and data is None:
            self.changes.pop(path, None)
        elif data is None or etag(data) != was:
            self.changes[path] = Change(path, data, was or "absent")

    def operation(self) -> Operation:
        """What is published."""
        from sbfs.operation import Operation

        redactor = redact.Redactor(self.rules if SETTINGS not in self.changes else redact.BUILT_IN)
        trailers = {key: redactor.text(value) for key, value in self._trailers.items()}
        message = commit_message(redactor.text(self._subject), self.verb, trailers)
        changes = tuple(self.changes.values())
        needs = tuple(sorted(self._needs.items()))
        place = (self.parents, self.onto, self.view.revision, self.folders)
        return Operation(
            new_id("op", self.now), message, who(redactor.text(self.actor)), self.now, changes, needs, *place
        )


@dataclass(frozen=True)
class Page:
    """A part of a list. next: cursor for the following part, or None. unreadable: files that cannot
    be read, as (path, why)."""

    items: list[Any]
    total: int
    next: str | None = None
    unreadable: tuple[tuple[str, str], ...] = ()


def check_format(raw: bytes) -> None:
    """Raise WrongFormat where a store's settings are of a format that this program does not know."""
    match = re.search(rb"^format:[ \t]*(\d+)", raw, re.M)
    version = int(match[1]) if match else Record.parse(SETTINGS, raw).data.get("format")
    if version != FORMAT:
        raise WrongFormat(version, FORMAT)


def rules_of(settings: dict[str, Any]) -> redact.Rules:
    """The rules that settings say, with sbfs's own. Raises Invalid for one that cannot be used."""
    try:
        return redact.load(settings.get("redact"))
    except redact.Broken as error:
        raise Invalid(error.why, field=error.field, path=SETTINGS, hint=error.hint) from None


def refuse_secret(name: str, text: str, rules: redact.Rules, *, field: str = "", hint: str = "") -> None:
    """Raise Invalid, naming the line and the type, where a text that is to be kept as it is holds a secret.

    name: of the file, for the sentence. For files that must not change on their way in: attachments, configurations.
    """
    found = next(redact.find(text, rules), None)
    if found:
        type, line = found
        hint = hint or "Git forgets nothing: take it out of the file first"
        raise Invalid(f"{name}:{line} holds what looks like a {type}", field=field, hint=hint)


def checked_edit(
    kind: Kind[Any] | None,
    path: str,
    disk: bytes | None,
    before: bytes | None,
    redacted: Counter[str] | None = None,
    *,
    rules: redact.Rules | None = None,
) -> bytes | None:
    """A person's edit as it goes to the branch: checked, line ends unified, secrets taken out.

    before: what the branch has. redacted: counts what is taken out. rules: the store's, else the ones built in.
    Raises Invalid, naming file and line, for what cannot be kept. A file of no kind stays as it is, unless it is a
    record's text.
    """
    found: Counter[str] = Counter() if redacted is None else redacted
    rules = rules or redact.BUILT_IN
    if kind is not None and kind.verbatim and disk is not None:
        return checked_text(kind, path, disk, rules)
    if disk is None or not path.endswith((".yaml", ".json", ".jsonl")):
        return disk
    text = disk.replace(b"\r\n", b"\n")
    if kind is None:
        try:
            return redact.text(text.decode("utf-8-sig"), found, rules).encode()
        except UnicodeDecodeError:
            raise Invalid("is not UTF-8", path=path, hint="save the file as UTF-8") from None
    record = Record.parse(path, text)
    kind.check(record)
    if before is not None and (old := _valid(kind, path, before)):
        kind.check_change(old, record)
    # The settings themselves name what is allowed, and patterns that would find themselves.
    clean = without_secrets(
        record, found, redact.Rules(allowed=rules_of(record.data).allowed) if path == SETTINGS else rules
    )
    if clean.raw != record.raw:
        kind.check(clean)
    return clean.raw


def checked_text(kind: Kind[Any], path: str, raw: bytes, rules: redact.Rules) -> bytes:
    """A file that is kept as it was written, but for its line ends and a byte order mark.

    Raises Invalid, naming file and line, for what breaks its format or holds a secret.
    """
    text = raw.replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf")
    kind.check(Record.parse(path, text))
    refuse_secret(path, text.decode(), rules)
    return text


def without_secrets(record: Record, found: Counter[str], rules: redact.Rules | None = None) -> Record:
    """What a person wrote, without its secrets and without a byte order mark: in values, then in comments.

    Raises Invalid where taking out a comment's secret would take values along.
    """
    redactor = redact.record(record.raw.decode(), rules or redact.BUILT_IN)
    data = redactor.plain(record.data)
    raw = record.raw if data == record.data else record.changed(data).raw
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    text = redactor.text(raw.decode()).encode()
    found.update(redactor.found)
    if text == raw:
        return Record(record.path, data, raw)
    with suppress(Invalid):
        clean = Record.parse(record.path, text)
        if _shape(clean.data) == _shape(data):
            return clean
    hint = "take it out by hand, and save again"
    raise Invalid("holds a secret that cannot be taken out alone", path=record.path, hint=hint)


def _valid(kind: Kind[Any], path: str, raw: bytes) -> Record | None:
    """The record of some bytes, or None: what was not valid may be put right in any field."""
    with suppress(Invalid):
        record = Record.parse(path, raw)
        kind.check(record)
        return record
    return None


def _shape(value: Any) -> Any:
    """The keys and places of plain data, without the values."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value] if isinstance(value, list) else None


def who(actor: str) -> str:
    """`Name <mail>` of an actor: a project's name, or already in that form; without one, `sbfs@host`."""
    if not actor:
        import socket

        return f"sbfs <sbfs@{socket.gethostname()}>"
    clean = re.sub(r"[\0-\x1f]", " ", actor).strip()
    if re.fullmatch(r"[^<>]+ <[^<> ]*>", clean):
        return clean
    name = re.sub(r"[<>]", "", clean) or "sbfs"
    return f"{name} <{re.sub(r'[^A-Za-z0-9._-]', '-', name)}@sbfs>"


def commit_message(subject: str, verb: str, trailers: dict[str, str]) -> str:
    """One line of at most 100 characters, then trailers: the operation, and what else is known of it."""
    line = " ".join(subject.split()) or verb
    line = line if len(line) <= 100 else line[:99] + "…"
    rows = [f"Sbfs-Operation: {verb}", *(f"Sbfs-{key}: {' '.join(value.split())}" for key, value in trailers.items())]
    return line + "\n\n" + "\n".join(rows) + "\n"


def _unchecked(path: str, raw: bytes) -> Record:
    try:
        return Record.parse(path, raw)
    except Invalid:
        return Record(path, {}, raw)


def _segments(pattern: str, places: dict[str, str]) -> list[str]:
    """The pattern as one regular expression a path segment."""
    segments: list[str] = []
    for part in pattern.split("/"):
        match = re.fullmatch(r"\{(date|month)\}", part)
        if match and match[1] in places:
            segments += map(re.escape, places[match[1]].split("/"))
        elif match:
            segments += _SEGMENTS[match[1]]
        else:
            segments.append(_segment(part, places))
    return segments


def _segment(part: str, places: dict[str, str]) -> str:
    pieces = re.split(r"\{(\w+)\}", part)
    return "".join(
        (re.escape(places[piece]) if piece in places else "[^/]+") if i % 2 else re.escape(piece)
        for i, piece in enumerate(pieces)
    )


def _days_of_prefix(prefix: str) -> list[str]:
    """The days (YYYY/MM/DD) in which a ULID with this beginning was minted, if they are few."""
    digits = prefix.partition("-")[2]
    bounds = moments_of(digits) if len(digits) >= 6 else None
    if bounds is None or bounds[1] - bounds[0] > 3 * 86_400_000:
        return []
    try:
        first, last = (datetime.fromtimestamp(moment / 1000, UTC).toordinal() for moment in bounds)
    except (OverflowError, ValueError):
        return []
    return [datetime.fromordinal(day).replace(tzinfo=UTC).strftime("%Y/%m/%d") for day in range(first, last + 1)]
