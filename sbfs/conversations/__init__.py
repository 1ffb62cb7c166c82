"""Conversations with agents: imported from their transcripts once, kept without secrets, counted.

What they are is in `value`; the import in `importing`, which stands on `growing`, `line` and `counting`;
verbs that read, and `remove`, in `reading`.
"""

from sbfs.conversations.importing import Grown, Imported, import_
from sbfs.conversations.reading import Listed, Shown, headers, list, remove, show, turns
from sbfs.conversations.value import KIND, TURNS, Conversation, Facts, Part, Tokens, Turn

__all__ = [
    "KIND",
    "TURNS",
    "Conversation",
    "Facts",
    "Grown",
    "Imported",
    "Listed",
    "Part",
    "Shown",
    "Tokens",
    "Turn",
    "headers",
    "import_",
    "list",
    "remove",
    "show",
    "turns",
]
