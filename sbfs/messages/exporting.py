"""Mail out of the store, in forms that other programs read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sbfs import files, projects
from sbfs.errors import Invalid
from sbfs.kind import check_word
from sbfs.messages.attachments import Content, contents_of
from sbfs.messages.value import BOXES, Message, dump, load
from sbfs.record import Record
from sbfs.store import Store, View

FORMATS = ("mbox", "json")


@dataclass(frozen=True)
class Exported:
    """The file that was made. size: bytes. count: of messages. unreadable: (path, why) of those that are not in it."""

    path: str
    format: str
    size: int
    count: int
    unreadable: tuple[tuple[str, str], ...] = ()


def export(
    store: Store, *, project: str, box: str = "inbox", format: str = "mbox", output: Path, force: bool = False
) -> Exported:
    """Write a project's mail into one file: mbox, with attached files, or JSON.

    box: `inbox` or `outbox`. output: the file; only you may read it. An mbox comes back whole by `import`.
    """
    check_word(box, tuple(BOXES), "box")
    check_word(format, FORMATS, "format")
    view = store.view()
    name = projects.resolve(view, project).name
    unreadable: list[tuple[str, str]] = []
    with files.new_file(output, force=force) as out:
        found = _messages(view, name, box, unreadable)
        count = _mbox(out, view, name, found, unreadable) if format == "mbox" else _json(out, found)
    return Exported(str(output), format, output.stat().st_size, count, tuple(unreadable))


def _messages(view: View, project: str, box: str, unreadable: list[tuple[str, str]]) -> Iterator[tuple[str, Message]]:
    kind = BOXES[box]
    for path, id in view.walk(kind, newest=False, project=project):
        try:
            record = Record.parse(path, view.repo.blob(id))
            if not record.removed:
                kind.check(record)
                yield path, load(record.data)
        except Invalid as error:
            unreadable.append((path, str(error)))


def _mbox(
    out: IO[bytes],
    view: View,
    project: str,
    found: Iterator[tuple[str, Message]],
    unreadable: list[tuple[str, str]],
) -> int:
    # The library's mail is fetched by those who write some.
    from sbfs.messages.letters import as_mail

    count = 0
    for path, message in found:
        contents: tuple[Content, ...] = ()
        try:
            contents = contents_of(view, project, message, allow_secret=True)
        except Invalid as error:
            unreadable.append((path, str(error)))
            continue
        when = message.timestamp.strftime("%a %b %e %H:%M:%S %Y")
        out.write(f"From {message.from_project} {when}\n".encode())
        out.write(as_mail(message, contents) + b"\n")
        count += 1
    return count


def _json(out: IO[bytes], found: Iterator[tuple[str, Message]]) -> int:
    count = 0
    out.write(b'{"messages": [')
    for _, message in found:
        out.write((b",\n" if count else b"\n") + json.dumps(dump(message), ensure_ascii=False).encode())
        count += 1
    out.write(b"\n]}\n")
    return count
