"""Search: one question over everything the store knows.

`searching` asks, `follower` keeps the index level with the branch, `scan` answers without one. Only the
engine and what stands beside it know whoosh and scikit-learn, and load them when they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.search.indexing import Rebuilt as Rebuilt
    from sbfs.search.indexing import State as State
    from sbfs.search.indexing import Verified as Verified
    from sbfs.search.indexing import index_rebuild as index_rebuild
    from sbfs.search.indexing import index_status as index_status
    from sbfs.search.indexing import index_verify as index_verify
    from sbfs.search.results import Passage as Passage
    from sbfs.search.results import Result as Result
    from sbfs.search.results import Results as Results
    from sbfs.search.searching import in_conversations as in_conversations
    from sbfs.search.searching import in_messages as in_messages
    from sbfs.search.searching import in_reflections as in_reflections
    from sbfs.search.searching import search as search
    from sbfs.search.searching import within as within

__all__ = [
    "Passage",
    "Rebuilt",
    "Result",
    "Results",
    "State",
    "Verified",
    "in_conversations",
    "in_messages",
    "in_reflections",
    "index_rebuild",
    "index_status",
    "index_verify",
    "search",
    "within",
]

__getattr__ = names_of(
    __name__,
    {
        "indexing": "Rebuilt State Verified index_rebuild index_status index_verify",
        "results": "Passage Result Results",
        "searching": "in_conversations in_messages in_reflections search within",
    },
)
