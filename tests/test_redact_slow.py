"""Texts that are made to be slow: redaction takes time in proportion to them, whatever they say."""

from __future__ import annotations

import random
import time

import pytest

from sbfs.redact import detect

ONE, MANY = 6_000, 8
"""Characters of the shorter text, and how many times as long the other one is."""

_DICE = random.Random(1)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _word(length: int) -> str:
    return "".join(_DICE.choice(_LETTERS) for _ in range(length))


REPEATED = [
    "token=a", "token:", "token=", "key=", "token=a/b/", "authorization:", "secret=1;", "password=x,", "a=b&token=c&",
    "token" + "\\" * 40, "token" + " " * 44, "token" + "\n" * 41, 'token="', "token='a", 'token=\\"',
    "token: value: ", "cookie=a=b;", "set-cookie=a=b;", "cookie: a=b; ", "--cookie a=b;", "[redacted:token:1]",
    "token=[redacted:token:1]", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n" + "+" * 100,
    "-----BEGIN RSA PRIVATE KEY-----\nabcd", "curl -u ", "curl ", "wget --user=", "docker login ",
    "docker" + " login" * 13, "mysql ", "redis-cli -a ", "echo a|", "machine a login ", "-pass pass:", "://a:b",
    "://" + "a" * 100 + ":", "eyJaaaaaaaaa.", "bearer+", "authorization: token ", "- " * 38 + "#token=abc1\n",
    "export  " * 10 + "#token=abc1\n", "1 " * 38 + "#token=abc1\n", "> - " * 19 + "#pw=abc1\n", "\\", "\\u003d",
    "%3D", "\x1b[0m", " ", "\n", "a", "ghp_", "eyJ", "sk-ant-", "hf_" + "a1" * 15 + " ",
]  # fmt: skip

TEXTS = {text[:24]: text * (ONE * MANY // len(text) + 1) for text in REPEATED} | {
    "distinct tokens": " ".join(f"ghp_{_word(36)}" for _ in range(ONE * MANY // 41 + 1)),
    "distinct passwords": "".join(f"pw={_word(6)}1x;" for _ in range(ONE * MANY // 12 + 1)),
    "two rules that take turns": "".join(f"ghp_{_word(36)} pw={_word(6)}1x; " for _ in range(ONE * MANY // 54 + 1)),
}


def _spent(text: str) -> float:
    """Seconds of processor time; the least of several."""
    taken = []
    for _ in range(3):
        begin = time.process_time()
        detect.spans(text)
        taken.append(time.process_time() - begin)
    return min(taken)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_longer_takes_longer_in_proportion(name):
    """A rule that tries each place against all others, or all ways to read a line: an import that never ends."""
    text = TEXTS[name]
    long = _spent(text[: ONE * MANY])
    # Eight times as long a text takes eight times as long; where it were the square, sixty-four times.
    assert long < 3 * MANY * _spent(text[:ONE]) + 0.05
