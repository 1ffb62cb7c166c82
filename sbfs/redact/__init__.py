"""Secrets out of text: the one step that every string passes on its way into a record.

`Redactor` numbers what it takes out within one scope; `text` and `plain` are a scope of their own.
`find` says where a text holds a secret. `Rules` are those of sbfs with what a store adds to them.
"""

from sbfs.redact.redactor import Redactor, find, masked, plain, record, text
from sbfs.redact.rules import BUILT_IN, VERSION, Broken, Rules, compiled, load

__all__ = [
    "BUILT_IN", "VERSION", "Broken", "Redactor", "Rules", "compiled", "find", "load", "masked", "plain", "record", "text",
]  # fmt: skip
