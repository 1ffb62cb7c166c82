"""The search for garbage in cycles, kept away from what a large graph holds.

Facts and what links them are millions of objects, and nothing of them is garbage: each search would walk all of them,
which takes seconds.
"""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

_GROWTH = 1.25
"""How much more memory may be in use than when something was put aside before that is searched once more."""

_HOLDERS: weakref.WeakSet[object] = weakref.WeakSet()
"""What things were put aside for."""

_used = 0
"""Blocks of memory that were in use when something was put aside last."""


@contextmanager
def no_collecting() -> Iterator[None]:
    """Without looking for cycles while much is made that stays."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def put_aside(holder: object) -> None:
    """Let searches pass over everything that is alive now, until `holder` goes.

    Where memory grew since, what was put aside is searched first: a state that was replaced may be garbage in cycles.
    """
    global _used
    gc.unfreeze()
    used = sys.getallocatedblocks()
    if _HOLDERS and used > _used * _GROWTH:
        gc.collect()
        used = sys.getallocatedblocks()
    _used = used
    gc.freeze()
    if holder not in _HOLDERS:
        _HOLDERS.add(holder)
        weakref.finalize(holder, gc.unfreeze).atexit = False
