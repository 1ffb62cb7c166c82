"""Quality history: what was measured of a project, or given to a conversation, and how it moved.

A measurement is written once; only its note may change. What was not measured is None, and is
counted nowhere. `measuring` turns reports of other tools into components.
"""

from sbfs.quality.reading import Point, Shown, Trend, list, points, show, trend
from sbfs.quality.value import KIND, Component, Measurement
from sbfs.quality.writing import Written, add, measure, remove

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
