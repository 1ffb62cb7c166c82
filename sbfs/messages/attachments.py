"""Files that mail carries, kept by content beside the messages of both parties."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sbfs import files, redact
from sbfs.errors import Failed, Invalid
from sbfs.messages.value import Attachment, Message
from sbfs.store import Store, Transaction, View, refuse_secret


@dataclass(frozen=True)
class Content:
    """A file that is to be attached: its name, and its bytes."""

    name: str
    data: bytes


def load(store: Store, paths: Sequence[str | Path], *, allow_secret: bool = False) -> tuple[Content, ...]:
    """Read files to attach. Raises Invalid for one that is too large, badly named, or holds a secret."""
    if not paths:
        return ()
    limit = store.limit("attachment")
    found = tuple(_load(Path(path), limit) for path in paths)
    if not allow_secret:
        for path, content in zip(paths, found, strict=True):
            refuse_secrets(str(path), content.data, store.rules())
    return found


def _load(path: Path, limit: int) -> Content:
    try:
        if path.stat().st_size > limit:
            raise Invalid(
                f"{path} is larger than {limit} bytes", field="attach", hint="raise limits.attachment in sbfs.yaml"
            )
        data = path.read_bytes()
    except OSError as error:
        raise Failed(f"{path}: {(error.strerror or str(error)).lower()}", hint="check the path of --attach") from error
    files.check_path(path.name)
    return Content(path.name, data)


def refuse_secrets(name: str, data: bytes, rules: redact.Rules) -> None:
    """Raise Invalid where a file that shall be attached is text and holds a secret."""
    if b"\0" not in data[:8192]:
        refuse_secret(
            name,
            data.decode("utf-8", "replace"),
            rules,
            field="attach",
            hint="Git forgets nothing: take it out, or attach it all the same with --allow-secret",
        )


def describe(content: Content) -> Attachment:
    """The attachment's entry in a message."""
    sha256 = hashlib.sha256(content.data).hexdigest()
    import mimetypes

    type = mimetypes.guess_type(content.name)[0] or "application/octet-stream"
    return Attachment(content.name, f"attachments/{sha256}/{content.name}", type, sha256, len(content.data))


def put(tx: Transaction, projects: Sequence[str], contents: Sequence[Content]) -> tuple[Attachment, ...]:
    """Keep contents for the projects that hold the message."""
    described = tuple(map(describe, contents))
    for project in dict.fromkeys(projects):
        for content, attachment in zip(contents, described, strict=True):
            tx.put_bytes(f"projects/{project}/{attachment.path}", content.data)
    return described


def contents_of(view: View, project: str, message: Message, *, allow_secret: bool = False) -> tuple[Content, ...]:
    """The attached files of a message that a project holds. Raises Invalid where one is not what was sent, or holds
    a secret."""
    found = tuple(Content(one.name, _checked(view, project, one)) for one in message.attachments)
    for content in found if not allow_secret else ():
        refuse_secrets(content.name, content.data, view.store.rules())
    return found


def _checked(view: View, project: str, attachment: Attachment) -> bytes:
    path = f"projects/{project}/{attachment.path}"
    data = view.read(path)
    if data is None:
        raise Invalid("the attached file is missing", path=path, hint="run 'sbfs check'")
    if hashlib.sha256(data).hexdigest() != attachment.sha256:
        raise Invalid("is not the file that was attached: its sum differs", path=path, hint="run 'sbfs check'")
    return data


def troubles(view: View, project: str, message: Message) -> Mapping[str, str]:
    """Name → what is wrong with it, for attachments that are not what was sent."""
    found = {}
    for attachment in message.attachments:
        try:
            _checked(view, project, attachment)
        except Invalid as error:
            found[attachment.name] = error.why
    return found
