"""The verb that makes a document of a conversation: Markdown, an HTML page, or JSON."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass

from sbfs.conversations.plain import Image
from sbfs.conversations.reading import find, turns
from sbfs.conversations.value import KIND, Part, line_names, load
from sbfs.errors import Invalid
from sbfs.store import Store, View

_MODULES = {"md": "markdown", "html": "page", "json": "plain"}

FORMATS = (*_MODULES,)

THINKING = ("leave", "fold", "include")
"""What becomes of the models' thinking: it is left out, there but folded, or there like the rest."""


@dataclass(frozen=True)
class Exported:
    """A conversation as a document. name: a file name that suits it."""

    conversation_id: str
    format: str
    thinking: str
    name: str
    text: str


def export(
    store: Store, *, conversation_id: str, format: str = "md", thinking: str = "fold", at: str | None = None
) -> Exported:
    """Make a document of a conversation, which is named by its id or a unique prefix.

    format: `md`, for a pull request; `html`, one page that needs nothing else; `json`, everything that is kept.
    thinking: `leave` it out, `fold` it, or `include` it. at: the store as it was. The same conversation
    makes the same text. Raises NotFound, Ambiguous, Invalid.
    """
    for word, words, name in ((format, FORMATS, "format"), (thinking, THINKING, "thinking")):
        if word not in words:
            raise Invalid(f"{word!r} is none of {', '.join(words)}", field=name)
    view = store.view(at)
    path = find(view, conversation_id)
    record = view.record(path)
    KIND.check(record)
    conversation = load(record.data)
    folder = path.rpartition("/")[0]
    lines = {line: tuple(turns(view, folder, line)) for line in line_names(view, folder)}
    text = _render(format)(conversation, lines, _images(view, path.split("/")[1]), thinking=thinking)
    return Exported(conversation.id, format, thinking, f"{conversation.id}.{format}", text)


def _render(format: str) -> Callable[..., str]:
    # A template, a lexer and a Markdown parser are only paid for by who wants a page.
    render: Callable[..., str] = importlib.import_module(f"sbfs.conversations.{_MODULES[format]}").render
    return render


def _images(view: View, project: str) -> Image:
    def image(part: Part) -> bytes | None:
        data = view.read(f"projects/{project}/{part.path}") if part.path.startswith("attachments/") else None
        return data if data is not None and hashlib.sha256(data).hexdigest() == part.sha256 else None

    return image
