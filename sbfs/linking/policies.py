"""Which language has which policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.linking.javascript import JavaScript
from sbfs.linking.python import Python
from sbfs.linking.ruby import Ruby
from sbfs.linking.static import Static

if TYPE_CHECKING:
    from sbfs.linking.solver import Policy


def policies() -> dict[str, Policy]:
    """Language → its policy, all new: a policy holds the tables of one project."""
    made: list[Policy] = [Python(), JavaScript(), Ruby(), Static()]
    return {language: policy for policy in made for language in policy.languages}
