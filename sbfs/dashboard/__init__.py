"""One page on which people see how the team does, made from a store's numbers: `plots` draws, `page` lays out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.dashboard.page import Page as Page
    from sbfs.dashboard.page import dashboard as dashboard

__all__ = ["Page", "dashboard"]

__getattr__ = names_of(__name__, {"page": "Page dashboard"})
