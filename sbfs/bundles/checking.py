"""What comes from elsewhere is looked at before anything is written: places, sizes, records, secrets.

Only what is new here is read, one file at a time.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sbfs import files, kinds, redact
from sbfs.bundles.looking import SCANNED, is_binary, may_hold
from sbfs.errors import Invalid
from sbfs.git import bulk, trees
from sbfs.git.repository import Repository
from sbfs.kind import Kind
from sbfs.messages import INBOX, OUTBOX
from sbfs.record import Record, etag
from sbfs.store import DEFAULT_LIMITS, SETTINGS, without_secrets

LARGEST = 64 * 1024 * 1024
"""Bytes of a record up to which it is read. None of sbfs's own comes near."""


@dataclass(frozen=True)
class LeftOut:
    """What could not be carried. name: of the member, file or path."""

    name: str
    why: str


@dataclass
class Checked:
    """tree: what is left of the one that came. fresh: the trees in it that are new, by id. left_out: what was
    dropped. redacted: secrets that were taken out, by type. counts: records by kind, of what was read."""

    tree: str
    fresh: dict[str, bytes] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    redacted: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)


def check(
    repo: Repository,
    known: str | None,
    tree: str,
    *,
    name: str,
    made: Mapping[str, trees.Entries] | None = None,
    rules: redact.Rules = redact.BUILT_IN,
    attachment: int = DEFAULT_LIMITS["attachment"],
    keep: Callable[[str, bytes], object] = lambda *_: None,
) -> Checked:
    """Check all that a tree has and another, known one has not. name: of what it came in, for errors.

    made: trees that are in memory only. keep: is given what a file with a secret became, its id first.
    Raises Invalid, naming the path, for what leads out of the store, is no plain file, is too large, or is a record
    that cannot be read or breaks its kind's rules.
    """

    def read(id: str) -> trees.Entries:
        return made[id] if made and id in made else repo.tree(id)

    executable = _check_places(read, known, tree, name)
    checked = Checked(tree)
    reader = _Reader(checked, name, rules, attachment, keep)
    try:
        for path, data in bulk.named_blobs(repo, _new(read, known, tree, checked), limit=max(LARGEST, attachment)):
            reader.take(path, data)
    except bulk.TooLarge as error:
        raise _too_large(error.name, error.size, attachment, name) from None
    reader.finish()
    editor, before = trees.TreeEditor(read, tree), trees.TreeEditor(read, known)
    for path, id in {**executable, **reader.cleaned}.items():
        editor.set(path, id)
    for one in checked.left_out:
        # What is not taken must not look as if it had been removed there.
        if here := before.get(one.name):
            editor.set(one.name, here[1])
        else:
            editor.remove(one.name)
    checked.tree, fresh = editor.write()
    checked.fresh = dict(fresh)
    return checked


def _new(
    read: Callable[[str], trees.Entries], known: str | None, tree: str, checked: Checked
) -> Iterator[tuple[str, str]]:
    """(path, id) of the files to be looked at; others are left out."""
    for folder, before, after in trees.changed_folders(read, (known,), tree):
        for name, (mode, id) in after.items():
            if mode == trees.FOLDER or any(name in one and one[name][1] == id for one in before):
                continue
            path = f"{folder}{name}"
            if kinds.kind_of(path) or kinds.is_plain(path):
                yield path, id
            else:
                checked.left_out.append(LeftOut(path, "is no place of a record"))


class _Reader:
    """Reads files one by one. Secrets are looked for in many at once, which is several times as fast, and in each
    where there is one. cleaned: path → id of what a file became."""

    def __init__(
        self,
        checked: Checked,
        name: str,
        rules: redact.Rules,
        attachment: int,
        keep: Callable[[str, bytes], object],
    ):
        self._checked, self._name, self._rules, self._attachment = checked, name, rules, attachment
        self._keep = keep
        self._waiting: list[tuple[str, bytes]] = []
        self._size = 0
        self.cleaned: dict[str, str] = {}

    def take(self, path: str, raw: bytes) -> None:
        """Check one file."""
        kind = kinds.kind_of(path)
        self._checked.counts[kind.name if kind else "file"] += 1
        if len(raw) > (LARGEST if kind or "/attachments/" not in path else self._attachment):
            raise bulk.TooLarge(len(raw), path)
        if kind is not None and not _is_plain_message(kind, path, raw):
            with self._named(path):
                kind.check(Record.parse(path, raw))
        if kind is None and is_binary(raw):
            return
        self._waiting.append((path, raw))
        self._size += len(raw)
        if self._size > SCANNED:
            self.finish()

    @contextmanager
    def _named(self, path: str) -> Iterator[None]:
        try:
            yield
        except Invalid as error:
            place = f"{self._name}: {path}" + (f":{error.line}" if error.line else "")
            raise Invalid(error.why, field=error.field, path=place, hint=error.hint) from None

    def finish(self) -> None:
        """Look for secrets in what waits."""
        if may_hold([raw for _, raw in self._waiting], self._rules):
            for path, raw in self._waiting:
                with self._named(path):
                    clean = self._clean(path, raw)
                if clean is not None:
                    self._keep(etag(clean), clean)
                    self.cleaned[path] = etag(clean)
        self._waiting, self._size = [], 0

    def _clean(self, path: str, raw: bytes) -> bytes | None:
        """The bytes without secrets, None where there are none. Raises Invalid for a file that must stay as it is."""
        kind = kinds.kind_of(path)
        if kind is None:
            text = raw.decode("utf-8", "replace")
            if secret := next(redact.find(text, self._rules), None):
                hint = "Git forgets nothing: ask for an export without it"
                raise Invalid(f"line {secret[1]} holds what looks like a {secret[0]}", hint=hint)
            return None
        if path == SETTINGS or not (secrets := self._rules.spans(raw.decode("utf-8", "replace"))):
            return None
        if kind.verbatim:
            # It is kept as it was written or not at all: half a settings file would be a broken one.
            line, type = raw.decode("utf-8", "replace").count("\n", 0, secrets[0][0]) + 1, secrets[0][2]
            self._checked.left_out.append(LeftOut(path, f"line {line} holds what looks like a {type}"))
            return None
        clean = without_secrets(Record.parse(path, raw), self._checked.redacted, self._rules)
        kind.check(clean)
        return clean.raw if clean.raw != raw else None


def _check_places(read: Callable[[str], trees.Entries], known: str | None, tree: str, name: str) -> dict[str, str]:
    """Refuse links, devices, names that lead out, and names that are one on some systems.

    Returns the files that are programs, path → id: in a store, nothing is.
    """
    executable = {}
    for folder, before, after in trees.changed_folders(read, (known,), tree):
        for last, (mode, id) in after.items():
            if any(one.get(last) == (mode, id) for one in before):
                continue
            path = f"{folder}{last}"
            try:
                files.check_path(path)
            except Invalid as error:
                raise Invalid(error.why, path=f"{name}: {path}") from None
            if mode == trees.EXECUTABLE:
                executable[path] = id
            elif mode not in (trees.FILE, trees.FOLDER):
                raise Invalid(f"is {'a link' if mode == trees.LINK else 'no file'}", path=f"{name}: {path}")
        here = [last for last in after if any(last in one for one in before)]
        came = (f"{folder}{last}" for last in after if not any(last in one for one in before))
        check_same(came, name, (f"{folder}{last}" for last in here))
    return executable


def check_same(paths: Iterable[str], name: str, known: Iterable[str] = ()) -> None:
    """Raise Invalid for a path that some file system takes for another one, or for one that was known before."""
    seen = {_folded(path): path for path in known}
    for path in paths:
        key = _folded(path)
        if seen.setdefault(key, path) != path:
            raise Invalid(f"differs only in case from {seen[key]}", path=f"{name}: {path}")


def _folded(path: str) -> str:
    return path if path.isascii() and path.islower() else unicodedata.normalize("NFC", path).casefold()


def _too_large(path: str, size: int, attachment: int, name: str) -> Invalid:
    limit = attachment if "/attachments/" in path else LARGEST
    hint = "raise limits.attachment in sbfs.yaml" if "/attachments/" in path else ""
    return Invalid(f"has {size} bytes, more than {limit}", path=f"{name}: {path}", hint=hint)


# -- the common message ----------------------------------------------------------------------------

_NAME = rb"([a-z][a-z0-9_-]*+)"
_ID = rb"msg-[0-9A-Z]{26}"
_TIME = rb"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z"
_PAIR = rb"[a-z_]{1,30}: [a-z0-9_/-]{1,40}"
_HEAD = re.compile(
    rb"id: (%b)\nfrom_project: %b\nto_project: %b\ntimestamp: %b\n"
    rb"subject: ([A-Za-z][A-Za-z0-9 ,'()/?!.+-]{0,300}[A-Za-z0-9?!.)])\npriority: (?:low|normal|high|urgent)\n"
    rb"(status: (?:unread|read|archived)\n)?content:\n  type: (?:request|response|notification|update)\n"
    rb"  message: \|-?\n    [^\s][^\n]*+\n" % (_ID, _NAME, _NAME, _TIME)
)
_REST = re.compile(
    rb"(?:    [^\n]*+\n|\n)*+(?:  context: \{%b(?:, %b){0,9}\}\n)?(?:in_reply_to: %b\n)?thread: %b\n"
    % (_PAIR, _PAIR, _ID, _ID)
)
"""What `sbfs send` writes of nearly every message, as a whole: what matches is a valid record, and reading it as YAML
would take many times as long. Words and shapes are narrower than the format's; what does not match is parsed."""

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\n"
_WORDS = frozenset((b"true", b"false", b"null"))


def _is_plain_message(kind: Kind[Any], path: str, raw: bytes) -> bool:
    if kind is not INBOX and kind is not OUTBOX or raw.translate(None, _PRINTABLE):
        return False
    head = _HEAD.match(raw)
    if head is None or bool(head[5]) != (kind is INBOX) or not path.endswith(f"/{head[1].decode()}.yaml"):
        return False
    return not {head[2], head[3], head[4].lower()} & _WORDS and bool(_REST.fullmatch(raw, head.end()))
