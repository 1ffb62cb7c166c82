"""Whether a text can hold a secret at all, told in one pass: for texts by the hundred thousand, nearly all of them clean.

One pattern of RE2 matches whatever one of the rules could match, and more: each rule is widened (what has to stand
around it may be anything, long repetitions have no end), so that no text with a secret is ever passed over.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from sbfs.redact import contexts, detect, prefixes

_AROUND = re.compile(r"\(\?<?[=!](?:\[(?:\\.|[^\]\\])*\]|\\.|[^()\[\\])*\)")
_COUNT = re.compile(r"(?<!\\)\{(\d+)(?:(,)\d*)?\}")
_SHORT = 12
"""Repetitions up to which a pattern counts."""

_AFTER = (
    r"[\\\x01]*[\"'`]?\\*[\])]?(?:\?|![ \t]?|[ \t]?\[[^\]\n]*\])?"
    r"(?:[ \t\\\x01]*(?:[:=]|!=|\+=|\?\?|\|\|)[:=>!&'a-z*\[\] \t]*[^\s\v<>,;&|()\[\]{}$]"
    r"|[ \t]*,[ \t]*\\*[\"'`]|>|\\*[\"']?[ \t,]*[\s\v]*\\*[\"']?(?:value|default))"
)
"""What stands between a telling name and its value: that of contexts, widened."""

_SPOKEN = r"[ \t]+(?:is|was|will be|ist)(?: now)?[ \t:]+[\"'`]?[^\s\v\"'`\\<>,;&|()]*[0-9]"
"""The same in a sentence, where a value has a digit."""


def may_hold(text: str) -> bool:
    """False only where `detect.spans` finds nothing."""
    return bool(_pattern().search(detect.plain(text)))


@functools.cache
def _pattern() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile("|".join(f"(?:{one})" for one in _parts()).encode(), options)


def _parts() -> list[str]:
    words = "|".join(word.decode() for word in contexts.WORDS)
    heads = "|".join(sorted(re.escape(head.decode()) for head in prefixes.HEADS))
    name = rf"(?:{words})[a-z0-9_.-]*"
    return [
        "-----BEGIN ",
        rf"(?:\A|[^A-Za-z0-9_-])(?:{heads})[A-Za-z0-9_-]{{12}}",
        *(f"(?{'is' if rule.low else 's'}:{widened(rule.text)})" for rule in contexts.RULES),
        r"(?i:cookie\d?[\\\"' \t]*[:=,]|--cookie|[ \t]-b[ \t]+[\\\"'])",
        rf"(?i:{name}(?:{_AFTER}|{_SPOKEN})|--[a-z0-9_.-]*(?:{words}))",
    ]


def widened(text: str) -> str:
    """A pattern of `re` as one of RE2 that matches at least as much."""
    text = _AROUND.sub("", text)
    text = text.replace("(?P=q)", r"[\\\"'`]*").replace("(?P=p)", r"[\\\"'`]*")
    text = re.sub(r"\(\?P<\w+>", "(?:", text).replace(r"\Z", r"\z")
    return _blanks(_COUNT.sub(_counted, text))


def _counted(match: re.Match[str]) -> str:
    least = min(int(match[1]), _SHORT)
    return "*" if least == 0 else f"{{{least},}}"


def _blanks(text: str) -> str:
    """RE2 does not count a vertical tab among the blanks."""
    made, inside = [], False
    for part in re.findall(r"\\.|.", text, re.S):
        if part in ("[", "]"):
            inside = part == "["
        if part == r"\s":
            part = r"\s\v" if inside else r"[\s\v]"
        elif part == r"\S":
            part = r"[^\s\v]"
        made.append(part)
    return "".join(made)
