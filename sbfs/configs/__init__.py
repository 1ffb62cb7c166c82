"""Configurations: settings, instructions and skills of an agent, kept as they were written.

What one is stands in `value`; verbs that write in `writing`, those that read in `reading`. A key within a text is
changed by `editing`, and what a schema says is checked by `schemas`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.configs.reading import Shown as Shown
    from sbfs.configs.reading import get as get
    from sbfs.configs.reading import list as list
    from sbfs.configs.value import KIND as KIND
    from sbfs.configs.value import Config as Config
    from sbfs.configs.writing import apply as apply
    from sbfs.configs.writing import remove as remove
    from sbfs.configs.writing import set as set

__all__ = ["KIND", "Config", "Shown", "apply", "get", "list", "remove", "set"]

__getattr__ = names_of(
    __name__,
    {"reading": "Shown get list", "value": "KIND Config", "writing": "apply remove set"},
)
