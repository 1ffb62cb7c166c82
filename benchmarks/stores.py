"""Stores to measure on: of a given size, with mail spread over time as real mail is, and plain copies for Git.

The records are sbfs's own, but they are written as files and committed at once, since sending 100,000
messages one by one would take longer than all the measurements together.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import run

from sbfs import messages, projects
from sbfs.kind import new_id
from sbfs.messages.value import INBOX, OUTBOX, PRIORITIES, TYPES, Message, dump
from sbfs.record import Record
from sbfs.store import Store

PROJECTS = tuple(f"project-{number:02}" for number in range(20))
PER_DAY = 500
"""Messages that one project sends or receives in a day, at most."""

_BEGIN = "refs/tags/begin"
"""Where a built store began: it is put back there before it is measured again."""

_TEXT = """
the build is red since this morning because of a missing header please look at it before we merge into main
tests pass on my side but not on yours so I suspect the cache has anyone changed the schema of the index we need
an answer by noon thanks see the log below and the two records that differ release review deploy parser latency
"""
_WORDS = _TEXT.split()


# -- messages --------------------------------------------------------------------------------------


def mail(count: int, seed: int = 1) -> Iterator[Message]:
    """Received messages, day by day backwards from yesterday.

    A project receives some 45 a day, on some days few and on some hundreds; a longer history, not
    a busier day, makes a store larger. What is old has been read.
    """
    dice = random.Random(seed)
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    left = count
    while left:
        day -= timedelta(days=1)
        sent: Counter[str] = Counter()
        for recipient in PROJECTS:
            today = min(int(dice.lognormvariate(3.4, 0.9)) + 1, PER_DAY, left)
            left -= today
            for _ in range(today):
                senders = [name for name in PROJECTS if name != recipient and sent[name] < PER_DAY]
                sender = dice.choice(senders)
                sent[sender] += 1
                yield _message(dice, sender, recipient, day + timedelta(seconds=dice.randrange(86_400)))


def _message(dice: random.Random, sender: str, recipient: str, moment: datetime) -> Message:
    age = (datetime.now(UTC) - moment).days
    weights = (1, 1, 0) if age < 3 else (1, 14, 5)
    id = new_id("msg", moment)
    return Message(
        id=id,
        from_project=sender,
        to_project=recipient,
        timestamp=moment,
        subject=prose(dice, 7),
        body=prose(dice, dice.randrange(20, 200)) + "\n",
        priority=dice.choices(PRIORITIES, (1, 6, 2, 1))[0],
        status=dice.choices(messages.STATUSES, weights)[0],
        type=dice.choice(TYPES),
        context={"branch": "main", "line": dice.randrange(1000)} if dice.random() < 0.3 else {},
        thread=id,
    )


def prose(dice: random.Random, words: int) -> str:
    """Some words, with a line end behind every twelfth."""
    chosen = dice.choices(_WORDS, k=words)
    return "\n".join(" ".join(chosen[at : at + 12]) for at in range(0, words, 12))


def files_of(message: Message) -> dict[str, bytes]:
    """Path → bytes of the two copies of a sent message, as `send` writes them."""
    received = INBOX.path_of(project=message.to_project, date=message.date, id=message.id)
    sent = OUTBOX.path_of(project=message.from_project, date=message.date, id=message.id)
    return {
        sent: Record.make(sent, dump(replace(message, status=""))).raw,
        received: Record.make(received, dump(message)).raw,
    }


def handwritten(message: Message, number: int) -> tuple[str, bytes]:
    """Path and bytes of the same message as a person writes it: without id, time and place."""
    data = dump(replace(message, status=""))
    written = {key: data[key] for key in ("to_project", "subject", "content")}
    path = f"projects/{message.from_project}/outbox/note-{number:05}.yaml"
    return path, Record.make(path, written).raw


def put(root: Path, files: dict[str, bytes]) -> None:
    """Write files below a root, as an editor would."""
    for path, data in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


# -- stores ----------------------------------------------------------------------------------------


def prepare(folder: Path, size: int) -> tuple[Path, Path]:
    """A store of `size` messages and its plain copy: built, or put back to their beginning where they are there."""
    root, plain = folder / f"store-{size}", folder / f"plain-{size}"
    if not (folder / f"complete-{size}").exists():
        for left in (root, plain):
            shutil.rmtree(left, ignore_errors=True)
        build(root, size)
        copy_plain(root, plain)
        (folder / f"complete-{size}").touch()
    else:
        _put_back(root)
        _put_back(plain)
    warm(root)
    settle(plain)
    return root, plain


def build(root: Path, size: int) -> None:
    """Make a store of `size` messages, packed by Git."""
    with Store.init(root) as store:
        for name in PROJECTS:
            projects.add(store, name=name, description=f"The part that {name} is")
    for message in mail(size):
        put(root, files_of(message))
    git(root, "-c", "core.fsync=none", "add", "-A")
    git(root, "-c", "core.fsync=none", "commit", "-q", "-m", f"{size} messages")
    git(root, "gc", "-q", "--prune=now")
    git(root, "update-ref", _BEGIN, "HEAD")


def copy_plain(root: Path, target: Path) -> None:
    """A copy that is an ordinary Git repository, with Git's default settings: one index file, nothing synced."""
    copy(root, target)
    git(target, "update-index", "--no-split-index")
    git(target, "config", "--unset", "core.fsync")
    shutil.rmtree(target / ".git" / "sbfs")
    settle(target)


def copy(root: Path, target: Path) -> None:
    """A copy of a store, with an index that knows the copied files."""
    run("cp", "-r", root, target)
    settle(target)


def _put_back(root: Path) -> None:
    git(root, "update-index", "--no-split-index")
    git(root, "clean", "-fdqx")
    git(root, "reset", "-q", "--hard", _BEGIN)


def settle(root: Path) -> None:
    """Let Git look at every file now, and once more when none is as young as its index."""
    git(root, "status", "--porcelain")
    time.sleep(1.1)
    git(root, "update-index", "-q", "--refresh", "--force-write-index")
    os.sync()


def warm(root: Path) -> None:
    """Use a store once, so that its index is in sbfs's form and its catalogs are there."""
    settle(root)
    with Store.open(root) as store:
        messages.send(store, from_project=PROJECTS[0], to_project=PROJECTS[1], subject="Warm", message="up")
        for name in PROJECTS:
            messages.count(store, project=name)
    os.sync()


# -- what is done to them --------------------------------------------------------------------------


def git(root: Path, *arguments: str) -> str:
    """Run Git in a folder."""
    return run("git", *arguments, cwd=root)


def git_commits(root: Path, paths: list[str]) -> None:
    """Git's two commands."""
    git(root, "add", *paths)
    git(root, "commit", "-q", "-m", "x")


class Mailbox:
    """A supply of new messages between changing projects, for a store or for its plain copy."""

    def __init__(self, seed: int):
        self._dice = random.Random(seed)

    def parties(self) -> tuple[str, str]:
        """A sender and a recipient."""
        sender, recipient = self._dice.sample(PROJECTS, 2)
        return sender, recipient

    def text(self) -> str:
        """A body of some 600 characters."""
        return prose(self._dice, 100) + "\n"

    def send(self, store: Store) -> None:
        """Send one message within this process."""
        sender, recipient = self.parties()
        messages.send(store, from_project=sender, to_project=recipient, subject="Is it red?", message=self.text())

    def write_two(self, root: Path) -> list[str]:
        """Write the two files of such a message, and return their paths."""
        sender, recipient = self.parties()
        now = datetime.now(UTC)
        id = new_id("msg", now)
        message = Message(id, sender, recipient, now, "Is it red?", self.text(), status="unread", thread=id)
        files = files_of(message)
        put(root, files)
        return list(files)
