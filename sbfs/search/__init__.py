"""Search: one question over everything the store knows.

`searching` asks, `follower` keeps the index level with the branch, `scan` answers without one. Only the
engine and what stands beside it know whoosh and scikit-learn, and load them when they are needed.
"""

from sbfs.search.indexing import Rebuilt, State, Verified, index_rebuild, index_status, index_verify
from sbfs.search.searching import Passage, Result, Results, search, within

__all__ = [
    "Passage",
    "Rebuilt",
    "Result",
    "Results",
    "State",
    "Verified",
    "index_rebuild",
    "index_status",
    "index_verify",
    "search",
    "within",
]
