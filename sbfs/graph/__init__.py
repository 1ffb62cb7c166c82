"""A project's code graph: files, symbols and their relations, read from its source, kept as shards that diff and merge.

Shards hold what each file says (`sbfs.code`); links follow from all of them (`sbfs.linking`) and are cached only.
`indexing` writes; `opened` opens a state for the questions in `asking`, `relating`, `measuring`, `comparing` and
`exporting`. docs/code-graph.md says what an edge's confidence means, and what the graph does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.graph.asking import Call as Call
    from sbfs.graph.asking import Focus as Focus
    from sbfs.graph.asking import Imported as Imported
    from sbfs.graph.asking import callees as callees
    from sbfs.graph.asking import callers as callers
    from sbfs.graph.asking import imported_by as imported_by
    from sbfs.graph.asking import imports as imports
    from sbfs.graph.asking import show as show
    from sbfs.graph.asking import symbols as symbols
    from sbfs.graph.comparing import Difference as Difference
    from sbfs.graph.comparing import diff as diff
    from sbfs.graph.explorer.making import View as View
    from sbfs.graph.explorer.making import view as view
    from sbfs.graph.exporting import Exported as Exported
    from sbfs.graph.exporting import export as export
    from sbfs.graph.indexing import Indexed as Indexed
    from sbfs.graph.indexing import index as index
    from sbfs.graph.measuring import Cycle as Cycle
    from sbfs.graph.measuring import Metric as Metric
    from sbfs.graph.measuring import Unused as Unused
    from sbfs.graph.measuring import cycles as cycles
    from sbfs.graph.measuring import metrics as metrics
    from sbfs.graph.measuring import unused as unused
    from sbfs.graph.opened import Answer as Answer
    from sbfs.graph.opened import Edge as Edge
    from sbfs.graph.opened import Symbol as Symbol
    from sbfs.graph.relating import Impact as Impact
    from sbfs.graph.relating import Related as Related
    from sbfs.graph.relating import Ways as Ways
    from sbfs.graph.relating import impact as impact
    from sbfs.graph.relating import path as path
    from sbfs.graph.relating import related as related
    from sbfs.graph.standing import Standing as Standing
    from sbfs.graph.value import SHARD as SHARD
    from sbfs.graph.value import SNAPSHOT as SNAPSHOT
    from sbfs.graph.value import Snapshot as Snapshot

__all__ = [
    "SHARD",
    "SNAPSHOT",
    "Answer",
    "Call",
    "Cycle",
    "Difference",
    "Edge",
    "Exported",
    "Focus",
    "Impact",
    "Imported",
    "Indexed",
    "Metric",
    "Related",
    "Snapshot",
    "Standing",
    "Symbol",
    "Unused",
    "View",
    "Ways",
    "callees",
    "callers",
    "cycles",
    "diff",
    "export",
    "impact",
    "imported_by",
    "imports",
    "index",
    "metrics",
    "path",
    "related",
    "show",
    "symbols",
    "unused",
    "view",
]

__getattr__ = names_of(
    __name__,
    {
        "asking": "Call Focus Imported callees callers imported_by imports show symbols",
        "comparing": "Difference diff",
        "explorer.making": "View view",
        "exporting": "Exported export",
        "indexing": "Indexed index",
        "measuring": "Cycle Metric Unused cycles metrics unused",
        "opened": "Answer Edge Symbol",
        "relating": "Impact Related Ways impact path related",
        "standing": "Standing",
        "value": "SHARD SNAPSHOT Snapshot",
    },
)
