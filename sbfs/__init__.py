"""sbfs: what a team of coding agents knows, as plain files in one Git repository.

`Store` opens or makes a store; every domain is a module of plain functions that take the store
first: `messages.send(store, from_project=…, to_project=…, subject=…, message=…)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbfs.errors import Error as Error
    from sbfs.store import Store as Store

__version__ = "0.1.0"

_HOMES = {"Store": "sbfs.store", "Error": "sbfs.errors"}
_MODULES = (
    "bundles",
    "configs",
    "documentation",
    "graph",
    "messages",
    "projects",
    "quality",
    "reflections",
    "history",
    "worktree",
    "doctor",
    "errors",
    "sync",
    "conflicts",
    "settling",
    "watch",
    "search",
)

__all__ = [
    "Error",
    "Store",
    "__version__",
    "configs",
    "doctor",
    "documentation",
    "errors",
    "graph",
    "history",
    "messages",
    "projects",
    "quality",
    "reflections",
    "search",
    "worktree",
]


def __getattr__(name: str) -> Any:
    # Names are fetched when they are used, so that `sbfs --help` need not load what it does not show.
    import importlib

    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"sbfs.{name}")
    raise AttributeError(f"module 'sbfs' has no attribute {name!r}")
