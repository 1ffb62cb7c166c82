"""Quality history: what was measured of a project, or given to a conversation, and how it moved.

A measurement is written once; only its note may change. What was not measured is None, and is
counted nowhere. `measuring` turns reports of other tools into components.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.quality.reading import Point as Point
    from sbfs.quality.reading import Shown as Shown
    from sbfs.quality.reading import Trend as Trend
    from sbfs.quality.reading import list as list
    from sbfs.quality.reading import points as points
    from sbfs.quality.reading import show as show
    from sbfs.quality.reading import trend as trend
    from sbfs.quality.value import KIND as KIND
    from sbfs.quality.value import Component as Component
    from sbfs.quality.value import Measurement as Measurement
    from sbfs.quality.writing import Written as Written
    from sbfs.quality.writing import add as add
    from sbfs.quality.writing import measure as measure
    from sbfs.quality.writing import remove as remove

__all__ = [
    "KIND",
    "Component",
    "Measurement",
    "Point",
    "Shown",
    "Trend",
    "Written",
    "add",
    "list",
    "measure",
    "points",
    "remove",
    "show",
    "trend",
]

__getattr__ = names_of(
    __name__,
    {
        "reading": "Point Shown Trend list points show trend",
        "value": "KIND Component Measurement",
        "writing": "Written add measure remove",
    },
)
