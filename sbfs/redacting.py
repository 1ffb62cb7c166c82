"""Taking out of the current records what slipped through: `sbfs redact`. What history holds stays there."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sbfs import kinds
from sbfs.errors import Invalid
from sbfs.git import trees
from sbfs.kind import Kind
from sbfs.record import Record
from sbfs.redact import Redactor, Rules, compiled
from sbfs.store import Store, Transaction, without_secrets

_SHORTEST = 4
_TYPE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_ATTACHMENT = re.compile(r"(?P<folder>projects/[^/]+/)attachments/(?P<sha256>[0-9a-f]{64})/(?P<name>[^/]+)")


@dataclass(frozen=True)
class Cleaned:
    """One file. kind: of the record; "attachment" or "" for files that are none. count: places replaced in it."""

    path: str
    kind: str
    count: int


@dataclass(frozen=True)
class Redacted:
    """What was taken out, or would be. left: files that still hold it: in their name, or in bytes that are no text."""

    files: tuple[Cleaned, ...]
    left: tuple[str, ...]
    dry_run: bool

    @property
    def count(self) -> int:
        """Places replaced in all files."""
        return sum(file.count for file in self.files)

    @property
    def kinds(self) -> dict[str, int]:
        """Kind → places replaced."""
        found: Counter[str] = Counter()
        for file in self.files:
            found[file.kind or "file"] += file.count
        return dict(found)


def redact(
    store: Store, *, pattern: str, type: str = "secret", regex: bool = False, dry_run: bool = False, actor: str = ""
) -> Redacted:
    """Take what matches out of every current record and text attachment, as one commit; also where a kind says that
    a field does not change.

    pattern: the text itself, or with regex a pattern of RE2. type: for the placeholder. dry_run: only say where it
    is. Raises Invalid for a pattern that would match everywhere, or that a record needs as its name. History, other
    clones and remotes keep it: see docs/redaction.md.
    """
    rules = _rules(pattern, type, regex=regex)

    def build(tx: Transaction) -> Redacted:
        found = _Pass(tx, rules, None if regex else pattern.encode()).run()
        count, files = sum(one.count for one in found.files), len(found.files)
        tx.describe(f"Redact {count} place{'s' * (count != 1)} in {files} file{'s' * (files != 1)}")
        return found if not dry_run else Redacted(found.files, found.left, True)

    if dry_run:
        return build(Transaction(store, store.view(), "redact", actor))
    return store.write("redact", build, actor=actor)


def _rules(pattern: str, type: str, *, regex: bool) -> Rules:
    if not _TYPE.fullmatch(type):
        raise Invalid("must be a word of up to 40 of a-z 0-9 -, beginning with a letter", field="type")
    if not regex and len(pattern.strip()) < _SHORTEST:
        hint = "write more of it, so that nothing else goes along"
        raise Invalid(f"is shorter than {_SHORTEST} characters", field="pattern", hint=hint)
    said = pattern if regex else _literal(pattern)
    try:
        compiled(said)
    except ValueError as error:
        # Not what RE2 says of it: that quotes the pattern, which is near to the secret.
        raise Invalid(
            str(error).partition(":")[0], field="pattern", hint="without --regex the pattern is the text itself"
        ) from None
    return Rules(added=((type, said),), known=False)


def _literal(text: str) -> str:
    """A pattern for a text as it is, and as JSON within a text would write it."""
    forms = {text: None, json.dumps(text)[1:-1]: None, json.dumps(text, ensure_ascii=False)[1:-1]: None}
    return "|".join("".join(char if char.isalnum() else f"\\x{{{ord(char):x}}}" for char in form) for form in forms)


class _Pass:
    """One pass over the files of a revision. literal: what a text must hold to be looked at; None for any."""

    def __init__(self, tx: Transaction, rules: Rules, literal: bytes | None):
        self.tx, self.rules = tx, rules
        self.literal = literal if literal and not re.search(rb"[\s\\\"']", literal) else None
        self.files: list[Cleaned] = []
        self.left: list[str] = []
        self.moved: dict[str, tuple[str, int]] = {}

    def run(self) -> Redacted:
        """Change what holds it, in the transaction."""
        view = self.tx.view
        paths = sorted(
            (path, id) for path, mode, id in trees.walk(view.repo.tree, view.commit.tree) if mode != trees.FOLDER
        )
        for path, id in paths:
            if self._finds(path):
                self.left.append(path)
            if kinds.kind_of(path) is None:
                self._plain(path, view.repo.blob(id))
        for path, id in paths:
            if kinds.kind_of(path) is not None:
                self._record(path, view.repo.blob(id))
        return Redacted(tuple(sorted(self.files, key=lambda one: one.path)), tuple(dict.fromkeys(self.left)), False)

    def _finds(self, text: str) -> bool:
        return bool(self.rules.spans(text))

    def _plain(self, path: str, raw: bytes) -> None:
        """A file that is no record: its text, where it is one."""
        redactor = Redactor(self.rules)
        try:
            text = raw.decode() if b"\0" not in raw[:8192] else None
        except UnicodeDecodeError:
            text = None
        if text is None:
            if self._finds(raw.decode("latin-1")):
                self.left.append(path)
            return
        clean = "\n".join(self._lines(redactor, path, text)).encode()
        if clean != raw:
            self.files.append(
                Cleaned(path, "attachment" if _ATTACHMENT.fullmatch(path) else "", redactor.found.total())
            )
            self._put_plain(path, clean)

    def _lines(self, redactor: Redactor, path: str, text: str) -> Iterator[str]:
        """The lines of a text; those of JSON Lines by their values."""
        if not path.endswith(".jsonl"):
            yield redactor.text(text)
            return
        for line in text.split("\n"):
            try:
                data = json.loads(line)
            except ValueError:
                yield redactor.text(line)
                continue
            clean = redactor.plain(data)
            yield line if clean == data else _dumped(clean, like=line, data=data)

    def _put_plain(self, path: str, clean: bytes) -> None:
        place = _ATTACHMENT.fullmatch(path)
        if place is None:
            self.tx.bring(None, path, clean)
            return
        # An attachment lies under its own sum: it moves, and the messages that carry it follow.
        sha256 = hashlib.sha256(clean).hexdigest()
        self.moved[place["sha256"]] = (sha256, len(clean))
        self.tx.drop(path)
        self.tx.bring(None, f"{place['folder']}attachments/{sha256}/{place['name']}", clean)

    def _record(self, path: str, raw: bytes) -> None:
        kind = kinds.kind_of(path)
        if kind is not None and path.endswith((".toml", ".md")):
            self._text(kind, path, raw)
            return
        carries = any(sha256.encode() in raw for sha256 in self.moved)
        if not carries and self.literal and self.literal not in raw and b"\\" not in raw:
            return
        found: Counter[str] = Counter()
        try:
            record = Record.parse(path, raw)
        except Invalid:
            # What cannot be read as a record is a text all the same.
            self._plain(path, raw)
            return
        clean = without_secrets(record, found, self.rules)
        if _places(clean.data) != _places(record.data):
            hint = "remove it: the names of attached files are not changed"
            raise Invalid("carries a file that has the pattern in its name", path=path, hint=hint)
        if carries:
            clean = clean.changed(self._following(clean.data))
        if clean.raw == record.raw or (not found and not carries):
            return
        try:
            if kind is not None:
                kind.check(clean)
        except Invalid as error:
            hint = "the pattern also matches what the record needs: write more of it"
            raise Invalid(f"would break: {error.why}", field=error.field, path=path, hint=hint) from None
        self.tx.bring(kind, path, clean.raw)
        self.files.append(Cleaned(path, kind.name if kind else "", found.total()))

    def _text(self, kind: Kind[Any], path: str, raw: bytes) -> None:
        """A record that is kept as it was written: cleaned as a text, and left where that would break it."""
        redactor = Redactor(self.rules)
        clean = redactor.text(raw.decode("utf-8", "replace")).encode()
        if not redactor.found:
            return
        try:
            kind.check(Record.parse(path, clean))
        except Invalid:
            self.left.append(path)
            return
        self.tx.bring(kind, path, clean)
        self.files.append(Cleaned(path, kind.name, redactor.found.total()))

    def _following(self, data: dict[str, Any]) -> dict[str, Any]:
        """A message whose attachments moved, pointing where they are now."""
        attached = [self._moved(one) for one in _attached(data)]
        return {**data, "content": {**data["content"], "attachments": attached}} if attached else data

    def _moved(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
        if one.get("sha256") not in self.moved:
            return one
        sha256, size = self.moved[one["sha256"]]
        return {**one, "path": f"attachments/{sha256}/{one['name']}", "sha256": sha256, "size": size}


def _attached(data: Mapping[str, Any]) -> list[Any]:
    content = data.get("content")
    found = content.get("attachments") if isinstance(content, dict) else None
    return found if isinstance(found, list) and all(isinstance(one, dict) for one in found) else []


def _places(data: Mapping[str, Any]) -> list[Any]:
    """Where the attachments of a message lie, as far as their names say."""
    return [(one.get("name"), one.get("path")) for one in _attached(data)]


def _dumped(value: Any, *, like: str, data: Any) -> str:
    """A value as JSON in the manner of a line that said `data`."""
    for separators in ((",", ":"), (", ", ": ")):
        for ascii in (False, True):
            if json.dumps(data, ensure_ascii=ascii, separators=separators) == like:
                return json.dumps(value, ensure_ascii=ascii, separators=separators)
    return json.dumps(value, ensure_ascii=False)
