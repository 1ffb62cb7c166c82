"""A project's documentation: what its code says of itself and its prose by section, read in one pass with its graph.

Shards hold texts whole (`sbfs.graph.documented`); they are parsed when somebody asks. docs/documentation.md says what
is known of which language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.documentation.asking import Found as Found
    from sbfs.documentation.asking import FoundDocs as FoundDocs
    from sbfs.documentation.asking import Listed as Listed
    from sbfs.documentation.asking import Shown as Shown
    from sbfs.documentation.asking import index as index
    from sbfs.documentation.asking import list as list
    from sbfs.documentation.asking import search as search
    from sbfs.documentation.asking import show as show
    from sbfs.documentation.covering import Coverage as Coverage
    from sbfs.documentation.covering import coverage as coverage
    from sbfs.documentation.exporting import Exported as Exported
    from sbfs.documentation.exporting import export as export
    from sbfs.documentation.parsing import Parsed as Parsed
    from sbfs.documentation.parsing import Told as Told

__all__ = [
    "Coverage",
    "Exported",
    "Found",
    "FoundDocs",
    "Listed",
    "Parsed",
    "Shown",
    "Told",
    "coverage",
    "export",
    "index",
    "list",
    "search",
    "show",
]

__getattr__ = names_of(
    __name__,
    {
        "asking": "Found FoundDocs Listed Shown index list search show",
        "covering": "Coverage coverage",
        "exporting": "Exported export",
        "parsing": "Parsed Told",
    },
)
