"""Conversations with agents: imported from their transcripts once, kept without secrets, counted."""

from sbfs.conversations.statistics import stats
from sbfs.conversations.value import KIND, TURNS, Conversation, Facts, Part, Tokens, Turn

__all__ = ["KIND", "TURNS", "Conversation", "Facts", "Part", "Tokens", "Turn", "stats"]
