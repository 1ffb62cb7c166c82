"""Conversations with agents: imported from their transcripts once, kept without secrets, counted.

What they are is in `value`; the import in `importing`, which stands on `growing`, `line` and `counting`;
verbs that read, and `remove`, in `reading`; counting over many of them in `statistics`; `exporting` makes
documents, each format in a module of its own.
"""

from sbfs.conversations.exporting import Exported, export
from sbfs.conversations.importing import Grown, Imported, import_
from sbfs.conversations.reading import Listed, Shown, headers, list, remove, show, turns
from sbfs.conversations.statistics import stats
from sbfs.conversations.value import KIND, TURNS, Conversation, Facts, Part, Tokens, Turn

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
