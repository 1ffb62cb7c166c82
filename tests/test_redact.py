"""Secrets are taken out, and nothing else is. No text here looks like a secret: they are put together when run."""

from __future__ import annotations

import hashlib
import itertools
import re
import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest
from domain_helpers import few
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
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    ids = ["".join(digits[(0x19AB << 80 | n) >> at & 31] for at in range(125, -1, -5)) for n in numbers]
    hashes = [hashlib.sha1(b"%d" % n).hexdigest() for n in numbers]
    text = " ".join(f"msg-{id} {hash}" for id, hash in zip(ids, hashes, strict=True))
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


@pytest.mark.parametrize(
    "unit",
    ["://", "://a:b", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nMIIE\n", "sk-",
     "bearer ", "eyJ", "eyJaaaaaaaa.", "authorization: basic ", "password", "password=", "password: \"", "password is ",
     "token=a", "api_key_", "cookie: a=b; ", "--password ", "<password>", "curl -u a:", "mysql ", "docker login ",
     "\\", "\\n\\\"", "\\u003d", "[redacted:a:1]", "machine a login b password "],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_long_texts_do_not_stall(unit: str):
    """Breaks if a rule's pattern took quadratic time: a mail of a few hundred kilobytes would stop a send."""
    _redacted(unit * (200_000 // len(unit)))
    _redacted(f"a{unit}" + "a" * 300_000)


# -- one scope -------------------------------------------------------------------------------------

TOKENS = [f"gh{kind}_{MIX[n : n + 36]}" for n, kind in enumerate("pousr")]


@few
@given(
    texts=st.lists(st.lists(st.sampled_from([*TOKENS, "password=hunter2", "nothing"]), max_size=4), max_size=8),
    data=st.data(),
)
def test_a_scope_goes_on_wherever_it_was_cut(texts: list[list[str]], data: st.DataObject):
    """Breaks if a conversation that is imported in steps got other numbers than one that is imported at once."""
    lines = [" ".join(text) for text in texts]
    whole = redact.Redactor()
    expected = [whole.text(line) for line in lines]
    cut = data.draw(st.integers(0, len(lines)))
    first = redact.Redactor()
    begun = [first.text(line) for line in lines[:cut]]
    # Later: the source is there, the secrets are not kept.
    again = redact.Redactor()
    for line in lines[:cut]:
        again.text(line)
    assert [*begun, *(again.text(line) for line in lines[cut:])] == expected
    assert again.numbers == whole.numbers


def test_a_scope_without_its_source_gives_no_number_twice():
    """Breaks if another secret got the number of one that is gone from the source."""
    first = redact.Redactor()
    assert first.text(TOKENS[0]) == "[redacted:github-token:1]"
    later = redact.Redactor(numbers=first.numbers)
    assert later.text(f"{TOKENS[1]} {TOKENS[0]}") == "[redacted:github-token:2] [redacted:github-token:3]"


def test_one_secret_has_one_placeholder():
    """Breaks if the same secret, told by its form here and by its key there, became two."""
    redactor = redact.Redactor()
    said = redactor.plain({"url": "https://pat:hunter2@example.org/", "password": "hunter2", "text": "pwd='hunter2'"})
    placeholder = "[redacted:url-password:1]"
    assert said == {
        "url": f"https://pat:{placeholder}@example.org/",
        "password": placeholder,
        "text": f"pwd='{placeholder}'",
    }
    assert redactor.found == {"url-password": 3}
    assert redactor.masked == {placeholder: "(7 characters)"}


def test_numbers_follow_the_places():
    """Breaks if numbers went by the order of the rules, which a later version may change."""
    text, _ = _redacted(f"password='zebra-99' {TOKENS[2]} password='apple-11' {TOKENS[1]} password='zebra-99'")
    marks = re.findall(r"\[redacted:(.*?)\]", text)
    assert marks == ["password:1", "github-token:1", "password:2", "github-token:2", "password:1"]


def test_placeholders_are_left_alone():
    """Breaks if text that was redacted elsewhere were redacted again, or its numbers were given to others."""
    text = "password: [redacted:password:3] token=[redacted:token] 'secret': '[redacted:secret:1]'"
    assert _redacted(text) == (text, Counter())
    assert _redacted(f"{text} password='zebra-99'")[0] == f"{text} password='[redacted:password:4]'"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"password": "letmein"}, {"password": "[redacted:password:1]"}),
        ({"Passwords": ["letmein", "letmein", "swordfish"]},
         {"Passwords": ["[redacted:password:1]", "[redacted:password:1]", "[redacted:password:2]"]}),
        ({"env": [{"name": "DB_PASSWORD", "value": "letmein"}]},
         {"env": [{"name": "DB_PASSWORD", "value": "[redacted:password:1]"}]}),
        ({"max_tokens": "4096", "password": None, "passwordPolicy": "strict-one", "secret": True},
         {"max_tokens": "4096", "password": None, "passwordPolicy": "strict-one", "secret": True}),
        ({"password": {"min": 8, "hint": "letmein"}}, {"password": {"min": 8, "hint": "letmein"}}),
        ('{"a": "{\\"password\\": \\"let-me-1n\\"}"}', '{"a": "{\\"password\\": \\"[redacted:password:1]\\"}"}'),
        ("password\\u003dlet-me-1n\\u0026x", "password\\u003d[redacted:password:1]\\u0026x"),
        ("?password%3Dlet-me-1n%26x=1", "?password%3D[redacted:password:1]%26x=1"),
        ("\\nTOKEN=" + TOKENS[0] + "\\n", "\\nTOKEN=[redacted:github-token:1]\\n"),
        ("\x1b[31m" + TOKENS[0] + "\x1b[0m", "\x1b[31m[redacted:github-token:1]\x1b[0m"),
        ("Grüße 😀 " + TOKENS[0] + " ß", "Grüße 😀 [redacted:github-token:1] ß"),
    ],
)  # fmt: skip
def test_keys_tell_and_escapes_do_not_hide(value: object, expected: object):
    """Breaks if a value passed because its key stood apart, or behind JSON in JSON, or an escape were cut in two."""
    redactor = redact.Redactor()
    assert redactor.plain(value) == expected


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from("pasword=:\"'\\ \nkeytoken{}[],;&%3D-_/@.é1")))
def test_any_text_keeps_what_stands_around(text: str):
    """Breaks if the places of a find were off: what is taken out must be the same text that is gone."""
    spans = redact.BUILT_IN.spans(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    starts, ends = [start for start, _, _ in spans], [end for _, end, _ in spans]
    kept = [text[end:start] for end, start in zip([0, *ends], [*starts, len(text)], strict=True)]
    assert re.split(r"\[redacted:[a-z-]+:\d+\]", redact.Redactor().text(text)) == kept


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('network={ssid="home" psk="myhouse99"}', "myhouse99"),
        ("keytool -list -storepass s3cr3tpw -alias x", "s3cr3tpw"),
        ("ldapsearch -x -D cn=admin -w hunter22 -b dc=x", "hunter22"),
        ("mongosh --host db -u admin -p Adm1nPw", "Adm1nPw"),
        ("smbclient //host/share -U bob%hunter22", "hunter22"),
        ("echo hunter22 | sudo -S systemctl restart x", "hunter22"),
        ("htpasswd -cb .htpasswd bob hunter22", "hunter22"),
        ("npm config set //registry.npmjs.org/:_authToken 1f2e3d4c5b6a79881f2e3d4c", "1f2e3d4c5b6a79881f2e3d4c"),
        ('requests.get(url, auth=("bob", "hunter22"))', "hunter22"),
        ("HTTPBasicAuth('bob', 'hunter22')", "hunter22"),
        ("db.internal:5432:app:bob:hunter22", "hunter22"),
        ("otpauth://totp/x:bob?secret=JBSWY3DPEHPKABCD&issuer=x", "JBSWY3DPEHPKABCD"),
        ('{"auths": {"ghcr.io": {"auth": "Ym9iOmh1bnRlcjI="}}}', "Ym9iOmh1bnRlcjI="),
        ("//registry.example.com/:_auth=Ym9iOmh1bnRlcjI=", "Ym9iOmh1bnRlcjI="),
        ("Private-Lines: 2\nAAAAIQDuQm9pnt\nbXkgcHJpdmF0ZQ==\nPrivate-MAC: 0", "bXkgcHJpdmF0ZQ=="),
    ],
)
def test_more_places_where_secrets_stand(text: str, secret: str):
    """Options, calls and files of programs that take a password in a way of their own."""
    said, found = _redacted(text)
    assert secret not in said
    assert found.total() == 1
    assert said.count("[redacted:") == 1


@pytest.mark.parametrize(
    "text",
    [
        "mosquitto_sub -h localhost -p 1883 -t topic",
        "mongosh -p $MONGO_PASSWORD",
        "requests.get(url, auth=(user, password))",
        "auth=HTTPBasicAuth(user, password)",
        "sbfs/store.py:5432:def open(root):",
        'psk="<your passphrase>"',
        '{"auth": "none"}',
        "npm config set registry https://registry.npmjs.org/",
        "aws configure set region eu-central-1",
        "ldapsearch -x -W -b dc=x",
    ],
)
def test_places_where_no_secret_stands(text: str):
    """The same programs told something else."""
    said, found = _redacted(text)
    assert (said, found.total()) == (text, 0)
