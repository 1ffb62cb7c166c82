"""Secrets out of text: the one step that every string passes on its way into a record.

`Redactor` numbers what it takes out within one scope; `text` and `plain` are a scope of their own.
`find` says where a text holds a secret. `Rules` are those of sbfs with what a store adds to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sbfs.fetching import names_of

if TYPE_CHECKING:
    from sbfs.redact.redactor import Redactor as Redactor
    from sbfs.redact.redactor import find as find
    from sbfs.redact.redactor import masked as masked
    from sbfs.redact.redactor import plain as plain
    from sbfs.redact.redactor import record as record
    from sbfs.redact.redactor import text as text
    from sbfs.redact.rules import BUILT_IN as BUILT_IN
    from sbfs.redact.rules import VERSION as VERSION
    from sbfs.redact.rules import Broken as Broken
    from sbfs.redact.rules import Rules as Rules
    from sbfs.redact.rules import compiled as compiled
    from sbfs.redact.rules import load as load

__all__ = [
    "BUILT_IN", "VERSION", "Broken", "Redactor", "Rules", "compiled", "find", "load", "masked", "plain", "record", "text",
]  # fmt: skip

__getattr__ = names_of(
    __name__,
    {"redactor": "Redactor find masked plain record text", "rules": "BUILT_IN VERSION Broken Rules compiled load"},
)
