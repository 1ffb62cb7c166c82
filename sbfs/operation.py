"""Operations: what becomes one commit, and what became of it; both can be handed to another process."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from sbfs import errors, times
from sbfs.errors import Busy, Error, Failed, Invalid, Stale
from sbfs.record import etag

if TYPE_CHECKING:
    from sbfs.git.folders import Folders

Absent = Literal["absent"]


class Edited(Error):
    """A file that is to change was edited by hand and not saved. For the store, which saves it first."""

    def __init__(self, path: str):
        super().__init__(f"{path} has an unsaved edit")
        self.path = path


class Moved(Error):
    """The branch or a touched record is no longer what the operation was built on. For the store, which builds anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file of an operation.

    data: new bytes, None removes. was: the etag it must have on the branch, "absent" where nothing
    may be there. disk: the etag of the unsaved edit that this change saves, if it saves one.
    id: in place of data, where the repository has the bytes already, as after a fetch: a great many
    files can then change without all being held in memory.
    """

    path: str
    data: bytes | None
    was: str | Absent
    disk: str = ""
    id: str = ""

    @property
    def becomes(self) -> str | Absent:
        """The etag that the file will have, "absent" where it goes."""
        return self.id or ("absent" if self.data is None else etag(self.data))


@dataclass(frozen=True)
class Operation:
    """What becomes one commit. message: subject and trailers. who: `Name <mail>`. needs: (path,
    id) of files and folders that it was built on besides, which must still be so. id: names it
    among the waiting ones. parents: of a merge, besides the branch. onto: a commit that is here and
    says just this on top of the branch's `before`: the branch goes there, and no commit is made. folders: new ones
    that come as a whole."""

    id: str
    message: str
    who: str
    when: datetime
    changes: tuple[Change, ...]
    needs: tuple[tuple[str, str], ...] = ()
    parents: tuple[str, ...] = ()
    onto: str = ""
    before: str = ""
    folders: Folders | None = None

    def dump(self) -> bytes:
        """As a file of the queue, where folders have no place."""
        return json.dumps(
            {
                "id": self.id,
                "message": self.message,
                "who": self.who,
                "when": times.dump(self.when),
                "changes": [
                    [
                        change.path,
                        None if change.data is None else base64.b64encode(change.data).decode(),
                        change.was,
                        change.disk,
                        change.id,
                    ]
                    for change in self.changes
                ],
                "needs": self.needs,
                "parents": self.parents,
                "onto": self.onto,
                "before": self.before,
            }
        ).encode()

    @classmethod
    def load(cls, raw: bytes) -> Operation:
        """From a file of the queue."""
        data = json.loads(raw)
        changes = tuple(
            Change(path, None if content is None else base64.b64decode(content), was, disk, id)
            for path, content, was, disk, id in data["changes"]
        )
        when = times.load(data["when"])
        needs = tuple((path, id) for path, id in data["needs"])
        told = (data["id"], data["message"], data["who"], when, changes, needs)
        return cls(*told, tuple(data["parents"]), data["onto"], data["before"])

    @property
    def size(self) -> int:
        """Bytes that it carries, about; no end of them with folders, which only who made them can put down."""
        return sys.maxsize if self.folders else sum(len(change.data or change.path) for change in self.changes)


Outcome = str | Error
"""The revision that an operation became (or, where it changed nothing, found), or why it did not."""


def dump_outcome(outcome: Outcome) -> bytes:
    """As a file of the queue."""
    if isinstance(outcome, str):
        return json.dumps({"revision": outcome}).encode()
    return json.dumps({"error": type(outcome).__name__, "sentence": str(outcome), "hint": outcome.hint}).encode()


def load_outcome(raw: bytes) -> Outcome:
    """From a file of the queue."""
    said = json.loads(raw)
    if "revision" in said:
        return str(said["revision"])
    if said["error"] in ("Moved", "Edited"):
        # The owner builds it anew and meets the same obstacle itself, with all it knows.
        return Moved(said["sentence"])
    kind: Callable[..., Error] = getattr(errors, said["error"], Failed)
    if kind in (Stale, Invalid, Busy, Failed):
        return kind(said["sentence"], hint=said["hint"])
    return Failed(said["sentence"], hint=said["hint"])
