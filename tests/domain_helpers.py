"""What the tests of domains and command line share: a call of `sbfs`, mail, another writer in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from hypothesis import HealthCheck, settings

from sbfs import messages, projects
from sbfs.cli import cli
from sbfs.cli.base import guarded
from sbfs.store import Store

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
"""Looks like a token of GitHub, and is none."""

few = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""For properties that write to one store."""


@dataclass(frozen=True)
class Answer:
    """How a call of the command line ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as the one JSON document that it must be."""
        found: dict[str, Any] = json.loads(self.out)
        assert self.out.count("\n") == 1, "more than one document"
        return found


class Shell:
    """Calls `sbfs` in this process, on one store."""

    def __init__(self, root: Path | None):
        self.root = root

    def __call__(self, *arguments: str, input: bytes | str = b"") -> Answer:
        """Run a command; standard input holds `input`."""
        store = ["--store", str(self.root)] if self.root else []
        with CliRunner().isolation(input=input) as streams:
            status = guarded(cli, [*store, *arguments])
            return Answer(status, streams[0].getvalue().decode(), streams[1].getvalue().decode())

    def json(self, *arguments: str, input: bytes | str = b"") -> dict[str, Any]:
        """The document of a command that must succeed."""
        answer = self(*arguments, "--json", input=input)
        assert (answer.status, answer.err) == (0, ""), answer
        assert answer.document["success"] is True
        return answer.document

    def fails(self, status: int, code: str, *arguments: str, input: bytes | str = b"") -> dict[str, Any]:
        """The document of a command that must fail thus, in words as well as in JSON."""
        spoken = self(*arguments, input=input)
        assert spoken.status == status, spoken
        assert spoken.err.startswith("error: "), spoken
        answer = self(*arguments, "--json", input=input)
        assert (answer.status, answer.err) == (status, ""), answer
        said = answer.document
        assert said.keys() - {"details"} == {"success", "error", "code", "hint"}
        assert (said["success"], said["code"]) == (False, code), said
        assert said["error"]
        return said


def people(store: Store, *names: str) -> None:
    """Add projects."""
    for name in names:
        projects.add(store, name=name)


def mail(store: Store, sender: str = "web", to: str = "api", **given: Any) -> messages.Message:
    """Send one message and return it."""
    facts = {"subject": "Build is red", "message": "See the log.\n", **given}
    (message,) = messages.send(store, from_project=sender, to_project=to, **facts).messages
    return message


def path_of(message: messages.Message, box: str = "inbox", project: str = "") -> str:
    """Where a copy of a message lies."""
    kind = messages.INBOX if box == "inbox" else messages.OUTBOX
    owner = project or (message.to_project if box == "inbox" else message.from_project)
    return kind.path_of(project=owner, date=message.date, id=message.id)


def received(store: Store, project: str = "api", **given: Any) -> list[str]:
    """The ids of a list."""
    return [one.message.id for one in messages.list(store, project=project, **given).items]


def put(store: Store, path: str, text: str | bytes) -> Path:
    """Write a file by hand."""
    file = store.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def amid(store: Store, act: Callable[[], object]) -> Store:
    """The same store, where another writer acts once, after this one has read and before it publishes.

    A transaction asks the clock for its moment when it has taken its view of the branch: there the
    other one comes in. Nothing of the store is replaced.
    """
    pending = [act]

    def clock() -> datetime:
        if pending:
            pending.pop()()
        return store.clock()

    return Store.open(store.root, clock=clock, lock_wait=store.lock_wait)


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file of the work tree."""
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file() and ".git" not in file.relative_to(root).parts
    }
