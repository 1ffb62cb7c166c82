"""The corpus in tests/data/secrets: true secrets in context, and what only looks like one.

Its files hold neither: `{A36}` stands for 36 characters that are made here, the same ones each time.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sbfs import redact

FOLDER = Path(__file__).parent / "data" / "secrets"

_ALPHABETS = {
    "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "H": "0123456789abcdef",
    "U": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "D": "0123456789",
    "B": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "W": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-",
    "L": "abcdefghijklmnopqrstuvwxyz0123456789",
}
_HOLE = re.compile(r"\{([AHUDBWL])(\d{1,3})\}")


@dataclass(frozen=True)
class Case:
    """One text. type: what is in it, "" for nothing. secrets: what must go. held: whether it belongs to the third
    that the rules were not tuned on."""

    number: int
    type: str
    value: Any
    secrets: tuple[str, ...]
    expected: Any
    held: bool

    def redacted(self) -> Any:
        """The value as it comes out of a redaction of its own."""
        return redact.Redactor().plain(self.value)

    @property
    def missed(self) -> bool:
        """Whether a secret, or a third of it, is still there."""
        said = json.dumps(self.redacted(), ensure_ascii=False)
        return any(json.dumps(part, ensure_ascii=False)[1:-1] in said for one in self.secrets for part in _parts(one))

    @property
    def spoiled(self) -> bool:
        """Whether anything else went: what stood around the secrets is not as it was."""
        said = re.sub(r"\[redacted:[a-z0-9-]+:\d+\]", "", json.dumps(self.redacted(), ensure_ascii=False))
        kept = json.dumps(self.expected, ensure_ascii=False)
        return not self.missed and said != re.sub(r"\[redacted:[a-z0-9-]+:\d+\]", "", kept)


def _parts(secret: str) -> list[str]:
    long = max(6, len(secret) // 3)
    return [secret[at : at + long] for at in range(0, max(1, len(secret) - long + 1), max(1, long // 2))]


def _filled(line: str) -> str:
    count = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        letters, out, seed = _ALPHABETS[match[1]], "", 0
        while len(out) < int(match[2]):
            digest = hashlib.sha256(f"{line} {count} {seed}".encode()).digest()
            out += "".join(letters[byte % len(letters)] for byte in digest)
            seed += 1
        return out[: int(match[2])]

    return _HOLE.sub(fill, line).replace("⏎", "\n")


def _case(number: int, type: str, line: str) -> Case:
    text = _filled(line)
    secrets = tuple(re.findall(r"⟦(.*?)⟧", text, re.S))
    whole, gone = re.sub(r"[⟦⟧]", "", text), re.sub(r"⟦.*?⟧", "", text, flags=re.S)
    if text.startswith("json:"):
        value, expected = (json.loads(one[5:].replace("\n", "\\n")) for one in (whole, gone))
    else:
        value, expected = whole, gone
    return Case(number, type, value, secrets, expected, number % 3 == 2)


def true_secrets() -> list[Case]:
    """Secrets in context."""
    rows = [row.partition(" ") for row in _rows("secrets.txt")]
    return [_case(number, type, line) for number, (type, _, line) in enumerate(rows)]


def lookalikes() -> list[Case]:
    """What is to be left as it is."""
    return [_case(number, "", line) for number, line in enumerate(_rows("lookalikes.txt"))]


def _rows(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line and not line.startswith("# ")]
