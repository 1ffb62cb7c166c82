"""Secrets out of text: the one step that every string passes on its way into a record.

A rule is a pattern whose group `secret` is replaced by `[redacted:<type>]`; what was taken out is
counted by type and reported. Rules name formats that their issuers document, so that ids, hashes
and ULIDs are left alone; there is no guessing by entropy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """type: what the placeholder says. hints: lower-case texts of which one must occur before the pattern is tried."""

    type: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


def _rule(type: str, hints: str, pattern: str, flags: int = 0) -> Rule:
    return Rule(type, tuple(hints.split("|")), re.compile(pattern, flags))


_B = r"(?<![A-Za-z0-9_-])"
_E = r"(?![A-Za-z0-9_-])"

RULES = (
    _rule(
        "private-key",
        "-----begin",
        r"(?P<secret>-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z))",
        re.S,
    ),
    _rule("github-token", "ghp_|gho_|ghu_|ghs_|ghr_", _B + r"(?P<secret>gh[pousr]_[A-Za-z0-9]{36,251})" + _E),
    _rule("github-token", "github_pat_", _B + r"(?P<secret>github_pat_[A-Za-z0-9_]{60,255})" + _E),
    _rule("gitlab-token", "glpat-", _B + r"(?P<secret>glpat-[A-Za-z0-9_-]{20,})"),
    _rule("aws-access-key", "akia|asia", _B + r"(?P<secret>(?:AKIA|ASIA)[A-Z2-7]{16})" + _E),
    _rule("anthropic-key", "sk-ant-", _B + r"(?P<secret>sk-ant-[A-Za-z0-9_-]{24,})"),
    _rule("openai-key", "sk-", _B + r"(?P<secret>sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{24,})"),
    _rule("openai-key", "sk-", _B + r"(?P<secret>sk-[A-Za-z0-9]{40,64})" + _E),
    _rule("stripe-key", "sk_live_|rk_live_|sk_test_|rk_test_", _B + r"(?P<secret>[sr]k_(?:live|test)_[A-Za-z0-9]{16,})" + _E),
    _rule("slack-token", "xox", _B + r"(?P<secret>xox[abeoprs]-[A-Za-z0-9-]{10,})"),
    _rule("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/services/(?P<secret>T[A-Za-z0-9_]+/B[A-Za-z0-9_]+/[A-Za-z0-9_]{16,})"),
    _rule("google-key", "aiza", _B + r"(?P<secret>AIza[A-Za-z0-9_-]{35})" + _E),
    _rule("npm-token", "npm_", _B + r"(?P<secret>npm_[A-Za-z0-9]{36})" + _E),
    _rule("pypi-token", "pypi-", _B + r"(?P<secret>pypi-[A-Za-z0-9_-]{50,})"),
    _rule("huggingface-token", "hf_", _B + r"(?P<secret>hf_[A-Za-z0-9]{30,})" + _E),
    _rule("sendgrid-key", "sg.", _B + r"(?P<secret>SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50})" + _E),
    _rule("jwt", "eyj", _B + r"(?P<secret>eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,})"),
    _rule(
        "bearer-token",
        "bearer|authorization",
        r"\bbearer[ \t]+(?!\[redacted:)(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)",
        re.I,
    ),
    _rule(
        "basic-auth",
        "basic",
        r"\bauthorization[\"']?\s*[:=]\s*[\"']?basic[ \t]+(?P<secret>[A-Za-z0-9+/]{8,}=*)",
        re.I,
    ),
    _rule("url-password", "://", r"[a-z][a-z0-9+.-]{0,31}://[^\s/:@\"'<>\[\]]{0,128}:(?!\[redacted:)(?P<secret>[^\s/@\"'<>]{1,256})@", re.I),
)  # fmt: skip


_HINTS = tuple({hint for rule in RULES for hint in rule.hints})


def _rules_for(value: str) -> list[Rule]:
    """The rules that may find something in a text: most texts hold no hint at all."""
    lower = value.lower()
    here = {hint for hint in _HINTS if hint in lower}
    return [rule for rule in RULES if not here.isdisjoint(rule.hints)] if here else []


def text(value: str, found: Counter[str]) -> str:
    """The text with its secrets replaced; `found` counts them by type."""
    for rule in _rules_for(value):
        value = rule.pattern.sub(lambda match, rule=rule: _replace(match, rule, found), value)  # type: ignore[misc]
    return value


def _replace(match: re.Match[str], rule: Rule, found: Counter[str]) -> str:
    found[rule.type] += 1
    whole, start = match.group(), match.start()
    a, b = match.span("secret")
    return f"{whole[: a - start]}[redacted:{rule.type}]{whole[b - start :]}"


def plain(value: Any, found: Counter[str]) -> Any:
    """The same for every string, keys included, in a plain value of any depth."""
    if isinstance(value, str):
        return text(value, found) if len(value) > 8 else value
    if isinstance(value, dict):
        return {plain(key, found): plain(item, found) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, found) for item in value]
    return value


def may_hold(value: str) -> bool:
    """Whether a text could hold a secret: it holds a hint of one."""
    lower = value.lower()
    return any(hint in lower for hint in _HINTS)


def find(value: str) -> Iterator[tuple[str, int]]:
    """The secrets in a text, as (type, line)."""
    for rule in _rules_for(value):
        for match in rule.pattern.finditer(value):
            yield rule.type, value.count("\n", 0, match.start("secret")) + 1
