"""Facts of all files → edges: who calls what, found by scope and value."""

from sbfs.linking.linker import Change, Linker, link
from sbfs.linking.links import CONFIDENCES, REASONS, Confidence, Edge, EdgeType, Links, Unresolved

__all__ = [
    "CONFIDENCES",
    "REASONS",
    "VERSION",
    "Change",
    "Confidence",
    "Edge",
    "EdgeType",
    "Linker",
    "Links",
    "Unresolved",
    "link",
]

VERSION = 1
"""Grows when the same facts give other links."""
