"""Conversations with agents: imported from their transcripts once, kept without secrets, counted.

What they are is in `value`; the import in `importing`, which stands on `growing`, `line` and `counting`;
verbs that read, and `remove`, in `reading`; counting over many of them in `statistics`; `exporting` makes
documents, each format in a module of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.conversations.exporting import Exported as Exported
    from sbfs.conversations.exporting import export as export
    from sbfs.conversations.importing import Grown as Grown
    from sbfs.conversations.importing import Imported as Imported
    from sbfs.conversations.importing import import_ as import_
    from sbfs.conversations.reading import Listed as Listed
    from sbfs.conversations.reading import Shown as Shown
    from sbfs.conversations.reading import headers as headers
    from sbfs.conversations.reading import list as list
    from sbfs.conversations.reading import remove as remove
    from sbfs.conversations.reading import show as show
    from sbfs.conversations.reading import turns as turns
    from sbfs.conversations.statistics import stats as stats
    from sbfs.conversations.value import KIND as KIND
    from sbfs.conversations.value import TURNS as TURNS
    from sbfs.conversations.value import Conversation as Conversation
    from sbfs.conversations.value import Facts as Facts
    from sbfs.conversations.value import Part as Part
    from sbfs.conversations.value import Tokens as Tokens
    from sbfs.conversations.value import Turn as Turn

__all__ = [
    "KIND",
    "TURNS",
    "Conversation",
    "Exported",
    "Facts",
    "Grown",
    "Imported",
    "Listed",
    "Part",
    "Shown",
    "Tokens",
    "Turn",
    "export",
    "headers",
    "import_",
    "list",
    "remove",
    "show",
    "stats",
    "turns",
]

__getattr__ = names_of(
    __name__,
    {
        "exporting": "Exported export",
        "importing": "Grown Imported import_",
        "reading": "Listed Shown headers list remove show turns",
        "statistics": "stats",
        "value": "KIND TURNS Conversation Facts Part Tokens Turn",
    },
)
