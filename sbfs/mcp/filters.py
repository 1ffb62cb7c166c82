"""An agent's filters of a search, checked and as the verbs take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sbfs import times
from sbfs.errors import Invalid

WORDS = (
    "agent", "author", "box", "branch", "commit", "component", "conversation", "flags", "language", "model", "priority",
    "recipient", "role", "sender", "status", "tags", "tool", "type",
)  # fmt: skip
"""Facets of records: a word, or several of which one is enough."""

_NUMBERS = ("min_quality", "max_quality")
_SWITCHES = ("thinking", "syntax")
_TIMES = ("since", "until")
_OWN = ("project", "path", *_NUMBERS, *_SWITCHES, *_TIMES)
"""Filters that the verbs take as parameters of their own."""


def taken(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Filters as parameters of a verb; those that are empty say nothing.

    Raises Invalid for one that there is not, which would find nothing without a word, and for a value of a wrong type.
    """
    given = {name: value for name, value in filters.items() if value not in (None, "", [])}
    for name, value in given.items():
        _check(name, value)
    found: dict[str, Any] = {name: given.pop(name) for name in _OWN if name in given}
    for name in {*_TIMES} & found.keys():
        found[name] = times.since(found[name], now=times.now(), field=name)
    if isinstance(found.get("project"), str):
        found["project"] = (found["project"],)
    return {**found, "where": given}


def _check(name: str, value: Any) -> None:
    if name not in WORDS and name not in _OWN:
        raise Invalid("is no filter", field=f"filters.{name}", hint=f"there are {', '.join(sorted((*WORDS, *_OWN)))}")
    if name in _NUMBERS:
        fits, wanted = isinstance(value, int | float) and not isinstance(value, bool), "a number, 0 to 100"
    elif name in _SWITCHES:
        fits, wanted = isinstance(value, bool), "true or false"
    elif name in _TIMES:
        fits, wanted = isinstance(value, str), "a text such as 2026-11-22, or 7d"
    elif name == "path":
        fits, wanted = isinstance(value, str), "a text"
    else:
        several = value if isinstance(value, list) else [value]
        fits, wanted = all(isinstance(one, str) for one in several), "a text, or a list of texts"
    if not fits:
        raise Invalid(f"{value!r} is of a wrong type", field=f"filters.{name}", hint=f"give {wanted}")
