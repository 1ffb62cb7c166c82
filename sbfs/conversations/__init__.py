"""Conversations with agents: imported from their transcripts once, kept without secrets, counted."""

from sbfs.conversations.importing import Grown, Imported, import_
from sbfs.conversations.value import KIND, TURNS, Conversation, Facts, Part, Tokens, Turn

__all__ = ["KIND", "TURNS", "Conversation", "Facts", "Grown", "Imported", "Part", "Tokens", "Turn", "import_"]
