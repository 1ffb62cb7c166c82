"""Secrets are taken out, and nothing else is. No text here looks like a secret: they are put together when run."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbfs import redact
from sbfs.kind import new_id
from sbfs.redact import prefixes

MIX = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY" * 4

SECRETS = {
    "private-key": "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\nabc\n-----END " + "RSA PRIVATE KEY-----",
    "private-key, cut": "-----BEGIN " + "OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA",
    "private-key, plain": "-----BEGIN " + "PRIVATE KEY-----\nMIIE\n-----END " + "PRIVATE KEY-----",
    "github-token": "gh" + "p_" + MIX[:36],
    "github-token, server": "gh" + "s_" + MIX[:40],
    "github-token, fine": "github" + "_pat_" + MIX[:82],
    "gitlab-token": "gl" + "pat-" + MIX[:20],
    "aws-access-key": "AK" + "IA" + "ABCDEFGH234567QR",
    "anthropic-key": "sk-" + "ant-api03-" + MIX[:60],
    "openai-key": "sk-" + MIX[:48],
    "openai-key, project": "sk-" + "proj-" + MIX[:60],
    "stripe-key": "sk_" + "live_" + MIX[:24],
    "slack-token": "xo" + "xb-1234567890-" + MIX[:24],
    "google-key": "AI" + "za" + MIX[:35],
    "npm-token": "np" + "m_" + MIX[:36],
    "pypi-token": "py" + "pi-" + MIX[:60],
    "huggingface-token": "h" + "f_" + MIX[:34],
    "sendgrid-key": "S" + "G." + MIX[:22] + "." + MIX[:43],
    "jwt": "ey" + "J" + MIX[:20] + ".ey" + "J" + MIX[:30] + "." + MIX[:43],
}
"""Type (before the comma) → a text that is a secret as a whole."""

AROUND = {
    "slack-webhook": ("https://hooks.slack.com/services/", "T0000/B0000/" + MIX[:24], ""),
    "bearer-token": ("Authorization: Bearer ", MIX[:40], "\n"),
    "bearer-token, lower": ("curl -H 'authorization: bearer ", MIX[:40], "'"),
    "basic-auth": ("Authorization: Basic ", MIX[:24] + "==", ""),
    "url-password": ("postgres://pat:", "hunter2", "@db.example.org/x"),
    "url-password, at": ("https://:", "t0ken", "@example.org"),
}
"""Type → what stands before the secret, the secret, what stands behind it."""

LOOKALIKES = [
    new_id("msg", datetime(2026, 11, 22, tzinfo=UTC)), str(uuid.UUID(int=2**127 + 12345)),
    hashlib.sha1(b"x").hexdigest(),
    hashlib.sha256(b"x").hexdigest(), "sha256:" + hashlib.sha256(b"x").hexdigest(), "https://example.org:8080/a@b",
    "https://user@example.org/", "git@github.com:a/b.git", "ssh://git@example.org:22/a", "sk-learn", "sk-proj",
    "task-" + "a" * 50,
    "the bearer of this letter", "Bearer tokens are short", "basic training", "ghp_short", "npm_config_cache", "AKIA",
    "hf_hub_download", "risk-" + "abc" * 20, "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----", "2026-11-22T14:03:07.123Z", "a:b@c", "eyJ.eyJ.x",
    "xoxo, Pat", "SG.1.2", "data:image/png;base64," + "iVBORw0KGgo" * 8, "mailto:pat@example.org", "pypi-publish",
    "AIza",
]  # fmt: skip


def _redacted(text: str) -> tuple[str, Counter[str]]:
    found: Counter[str] = Counter()
    return redact.text(text, found), found


FRAMES = ["{}", "x = '{}'", "a {} b", "({})", '{{"k": "{}"}}', "one\n{}\ntwo", "key={}", "`{}`", "{}."]
"""What stands around a secret."""


@pytest.mark.parametrize(
    ("name", "frame"),
    # A key without its end goes on to the end of the text, so nothing may stand behind it.
    [(name, frame) for name in SECRETS for frame in FRAMES if not name.endswith("cut") or frame.endswith("{}")],
)
def test_each_secret_is_taken_out(name: str, frame: str):
    """Failure mode 42: alone, in prose, in code, in JSON.

    Breaks if a rule missed its own format, or took what is around it.
    """
    type = name.partition(",")[0]
    text, found = _redacted(frame.format(SECRETS[name]))
    assert text == frame.format(f"[redacted:{type}:1]")
    assert found == {type: 1}


@pytest.mark.parametrize("name", AROUND)
def test_only_the_secret_part_is_taken_out(name: str):
    """Breaks if the address around a password, or the header's name, were lost."""
    before, secret, after = AROUND[name]
    type = name.partition(",")[0]
    text, found = _redacted(before + secret + after)
    assert text == f"{before}[redacted:{type}:1]{after}"
    assert found == {type: 1}


@pytest.mark.parametrize("text", LOOKALIKES, ids=range(len(LOOKALIKES)))
def test_lookalikes_are_left_alone(text: str):
    """Failure mode 42: ids, hashes, addresses and words that begin alike.

    Breaks if redaction spoiled what is no secret.
    """
    for whole in (text, f"see {text} there", f"commit {text}\n"):
        assert _redacted(whole) == (whole, Counter())


@settings(max_examples=200)
@given(st.text(max_size=60), st.sampled_from(sorted(SECRETS)))
def test_redaction_is_stable(text: str, name: str):
    """Breaks if a second pass, as a save of a redacted file is, changed anything or reported it anew."""
    once, _ = _redacted(f"{text} {SECRETS[name]} ")
    assert _redacted(once) == (once, Counter())
    assert SECRETS[name] not in once


@settings(max_examples=100)
@given(st.lists(st.integers(0, 2**80 - 1), max_size=20))
def test_random_ids_and_hashes(numbers: list[int]):
    """Breaks if some ULID or hash happened to fit a rule."""
    from ulid import ULID

    text = " ".join(
        f"msg-{ULID((0x19AB << 80 | n).to_bytes(16, 'big'))} {hashlib.sha1(b'%d' % n).hexdigest()}" for n in numbers
    )
    assert _redacted(text) == (text, Counter())


def _mixed(token: str) -> bool:
    """Whether a token is none of those that only stand for one, such as `ghp_xxxx`."""
    return len(set(token[-12:])) > 3 and "xxxx" not in token.lower() and not token.endswith("EXAMPLE")


@pytest.mark.parametrize(("type", "form"), prefixes.FORMS, ids=[type for type, _ in prefixes.FORMS])
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_each_form_of_an_issuer_is_taken_out(type: str, form: str, data: st.DataObject):
    """Breaks if a form stood in the table and its first characters, or its length, kept it from being tried."""
    token = data.draw(st.from_regex(re.compile(form, re.A), fullmatch=True).filter(_mixed))
    text, found = _redacted(f"it is {token} now")
    assert text == f"it is [redacted:{type}:1] now"
    assert found == {type: 1}


def test_values_of_any_depth():
    """Breaks if a list, a nested value or a key were passed by, or another type were changed."""
    secret = SECRETS["github-token"]
    found: Counter[str] = Counter()
    value = {"a": [secret, {"b": f"x {secret}"}], secret: 1, "n": 5, "none": None, "true": True, "short": "abc"}
    assert redact.plain(value, found) == {
        "a": ["[redacted:github-token:1]", {"b": "x [redacted:github-token:1]"}], "[redacted:github-token:1]": 1,
        "n": 5, "none": None, "true": True, "short": "abc",
    }  # fmt: skip
    assert found == {"github-token": 3}


def test_find_tells_the_line():
    """Breaks if a secret that is found in a file were reported at another line."""
    text = f"one\ntwo {SECRETS['github-token']}\n\n{SECRETS['aws-access-key']}"
    assert sorted(redact.find(text)) == [("aws-access-key", 4), ("github-token", 2)]


@pytest.mark.parametrize("text", ["://" * 50_000, "a" * 300_000 + "://", "-----BEGIN " * 20_000, "sk-" * 80_000,
    "bearer " * 40_000,
                                  "eyJ" + "a" * 200_000, "authorization: " * 20_000 + "basic"],
                                  ids=range(7))  # fmt: skip
@pytest.mark.timeout(60)
def test_long_texts_do_not_stall(text: str):
    """Breaks if a rule's pattern took quadratic time: a mail of a few hundred kilobytes would stop a send."""
    _redacted(text)
