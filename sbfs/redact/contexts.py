"""Secrets that are told by what stands around them: headers, addresses, assignments, command lines.

All patterns work on ASCII bytes of the text's own length and take time in proportion to it: every
repetition is bounded, or ends where its next character cannot follow.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sbfs.fetching import pattern
from sbfs.redact import shapes
from sbfs.redact.shapes import Telling

Found = Iterator[tuple[int, int, str]]
"""(start, end, type) of secrets in a text."""


@dataclass(frozen=True)
class Rule:
    """type: what the placeholder says. hint: without it in the text the pattern is not tried; in lower case where the
    pattern is meant for the lowered text. check: whether what the group `secret` holds is one."""

    type: str
    hint: bytes
    text: str
    check: Callable[[bytes], bool] = lambda _: True
    low: bool = False

    @functools.cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """Compiled when a text first holds the hint."""
        return re.compile(self.text.encode(), re.S)


def _no_placeholder(value: bytes) -> bool:
    return not shapes.is_placeholder(value)


def _credential(value: bytes) -> bool:
    return not shapes.is_placeholder(value) and shapes.is_random(value, 16, 3.0)


def _spoken_password(value: bytes) -> bool:
    """Of an option that means something else to some programs, such as a port."""
    return not shapes.is_placeholder(value) and not value.isdigit() and not value.startswith((b"/", b"."))


def _longer(value: bytes) -> bool:
    if shapes.is_placeholder(value):
        return False
    return shapes.is_random(value, 16, 3.0) or (len(value) >= 24 and shapes.entropy(value) >= 4)


def _pair_in_base64(value: bytes) -> bool:
    """Whether a value is `user:password`, as headers and configurations of registries carry it."""
    import base64
    import binascii

    try:
        said = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    user, colon, secret = said.partition(b":")
    return bool(user and colon and secret) and said.isascii() and said.decode().isprintable()


def _base64(value: bytes) -> bool:
    return not shapes.is_placeholder(value) and len(value) >= 8 and (value.lower() != value or value.endswith(b"="))


_B = r"(?<![A-Za-z0-9_-])"
_E = r"(?![A-Za-z0-9_-])"
_JOIN = r"[\\\"'` \t]{0,8}[:=,][\\\"'` \t]{0,8}"

RULES = (
    Rule("slack-webhook", b"hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>T[A-Za-z0-9_]{4,20}/[A-Za-z0-9_]{4,24}/[A-Za-z0-9_/]{16,64})"),
    Rule("discord-webhook", b"/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d{10,24}/(?P<secret>[A-Za-z0-9_-]{40,90})"),
    Rule("teams-webhook", b".webhook.office.com", r"\.webhook\.office\.com/webhookb2/(?P<secret>[A-Za-z0-9@/-]{80,260})"),
    Rule("jwt", b"eyJ", _B + r"(?P<secret>eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]{8,}){0,2})"),
    Rule("sendgrid-key", b"SG.", _B + r"(?P<secret>SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50})" + _E),
    Rule("vault-token", b"hv", _B + r"(?P<secret>hv[sbr]\.[A-Za-z0-9_-]{24,300})"),
    Rule("doppler-token", b"dp.", _B + r"(?P<secret>dp\.(?:pt|st|ct|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44})" + _E),
    Rule("google-token", b"ya29.", _B + r"(?P<secret>ya29\.[A-Za-z0-9_-]{20,1000})"),
    Rule("google-token", b"1//0", _B + r"(?P<secret>1//0[A-Za-z0-9_-]{40,200})"),
    Rule("terraform-token", b".atlasv1.", _B + r"(?P<secret>[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,80})"),
    Rule("airtable-token", b"pat", _B + r"(?P<secret>pat[A-Za-z0-9]{14}\.[a-f0-9]{64})" + _E),
    Rule("mailchimp-key", b"-us", _B + r"(?P<secret>[a-f0-9]{32}-us\d{1,2})" + _E),
    Rule("dynatrace-token", b"dt0", _B + r"(?P<secret>dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64})" + _E),
    Rule("telegram-token", b":AA", r"(?<!\d)(?P<secret>\d{8,10}:AA[A-Za-z0-9_-]{33})" + _E),
    Rule("discord-token", b".G", _B + r"(?P<secret>[MNO][A-Za-z0-9_-]{23,27}\.G[A-Za-z0-9_-]{5}\.[A-Za-z0-9_-]{27,40})" + _E),
    Rule("azure-secret", b"Q~", r"(?<![A-Za-z0-9_~.-])(?P<secret>[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34})(?![A-Za-z0-9_~.-])"),
    Rule("dropbox-token", b"sl.", _B + r"(?P<secret>sl\.(?:u\.)?[A-Za-z0-9_-]{120,})"),
    Rule("mapbox-token", b"sk.eyJ", _B + r"(?P<secret>sk\.eyJ[A-Za-z0-9_-]{30,}\.[A-Za-z0-9_-]{16,})"),
    Rule("bearer-token", b"bearer", r"(?<![a-z0-9_-])bearer[ \t+]{1,4}(?P<secret>[a-z0-9._~+/:|-]{16,4096}={0,2})", _longer, low=True),
    Rule("basic-auth", b"basic", r"authorization" + _JOIN + r"basic[ \t]{1,4}(?P<secret>[a-z0-9+/_-]{8,1024}={0,2})", _base64, low=True),
    Rule("authorization", b"authorization", r"authorization" + _JOIN + r"(?:token|api-?key|key|bot|splunk|ssws|genie-?key|gogs|negotiate|ntlm|digest|pve[a-z]*|aws)[ \t=]{1,4}(?P<secret>[a-z0-9._~+/:!=-]{8,4096})", _longer, low=True),
    Rule("url-password", b"://", r"://[^\s/:@\"'<>\[\]\\]{0,128}:(?P<secret>[^\s/\"'<>\\]{1,256})@(?=[\w\[.$-])"),
    Rule("url-token", b"://", r"://(?P<secret>[A-Za-z0-9_-]{20,256})@(?=[\w\[.-])", _credential),
    Rule("password", b"-u", r"(?:\bcurl\b|\bwget\b|\bhttp\b)[^\n|;]{0,400}?[ \t](?:-u|--user)[ \t=]{0,4}\\{0,4}[\"']?[^\s:\"'\\]{1,64}:(?P<secret>[^\s\"'\\]{3,128})", _no_placeholder, low=True),
    Rule("password", b"sshpass", r"sshpass[ \t]{1,4}-p[ \t]{0,4}(?P<q>\\{0,4}[\"']?)(?P<secret>[^\s\"'\\]{3,128})", _no_placeholder, low=True),
    Rule("password", b"mysql", r"\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]{0,200}?[ \t]-p(?P<secret>[^\s\"'\\-][^\s\"'\\]{3,127})", _no_placeholder, low=True),
    Rule("password", b"redis-cli", r"\bredis-cli\b[^\n|;]{0,200}?[ \t]-a[ \t]{1,4}(?P<q>\\{0,4}[\"']?)(?P<secret>[^\s\"'\\]{4,128})", _no_placeholder, low=True),
    Rule("password", b" login ", r"\b(?:docker|podman|helm|oras|az|nerdctl)\b[^\n|;]{0,80}? login [^\n|;]{0,200}?-p[ \t]{1,4}(?P<q>\\{0,4}[\"']?)(?P<secret>[^\s\"'\\]{4,256})", _no_placeholder, low=True),
    Rule("password", b"--password-stdin", r"\becho[ \t]{1,4}(?:-n[ \t]{1,4})?\\{0,4}[\"']?(?P<secret>[^\s\"'\\|]{6,512})\\{0,4}[\"']?[ \t]{0,4}\|[^\n]{0,120}--password-stdin", _no_placeholder, low=True),
    Rule("password", b"machine ", r"\bmachine[ \t]{1,4}[\w.-]{1,80}\s{1,8}login[ \t]{1,4}\S{1,80}\s{1,8}password[ \t]{1,4}(?P<secret>\S{3,256})", _no_placeholder, low=True),
    Rule("password", b"identified", r"\bidentified[ \t]{1,4}(?:with[ \t]{1,4}\S{1,40}[ \t]{1,4})?by[ \t]{1,4}(?:password[ \t]{1,4})?\\{0,4}[\"'](?P<secret>[^\"'\\\n]{3,128})", _no_placeholder, low=True),
    Rule("password", b"password '", r"\bpassword[ \t]{1,4}\\{0,4}'(?P<secret>[^'\\\n]{4,128})'", _no_placeholder, low=True),
    Rule("password", b"requirepass", r"\brequirepass[ \t]{1,4}\\{0,4}[\"']?(?P<secret>[^\s\"'\\]{4,256})", _no_placeholder, low=True),
    Rule("password", b"pass:", r"(?<![a-z])-pass(?:in|out)?[ \t]{1,4}\\{0,4}[\"']?pass:(?P<secret>[^\s\"'\\]{3,128})", _no_placeholder, low=True),
    Rule("password", b"psk", r"(?<![a-z0-9])(?:wpa_?)?psk[ \t]{0,4}[:=][ \t]{0,4}(?:(?P<q>\\{0,4}[\"'])(?P<secret>[^\"'\\\n]{8,63})(?P=q))", _no_placeholder, low=True),
    Rule("password", b"pass ", r"(?<![a-z0-9-])-(?:store|key|srcstore|deststore)pass[ \t]{1,4}\\{0,4}[\"']?(?P<secret>[^\s\"'\\]{4,128})", _no_placeholder, low=True),
    Rule("password", b"-w ", r"\bldap(?:search|modify|add|delete|passwd|whoami)\b[^\n|;]{0,200}?[ \t]-w[ \t]{1,4}\\{0,4}[\"']?(?P<secret>[^\s\"'\\-][^\s\"'\\]{2,127})", _no_placeholder, low=True),
    Rule("password", b"-p ", r"\b(?:mongo(?:sh|dump|restore|export|import)?|sqlcmd|bcp|mosquitto_(?:pub|sub)|snowsql)\b[^\n|;]{0,200}?[ \t]-p[ \t]{1,4}\\{0,4}[\"']?(?P<secret>[^\s\"'\\-][^\s\"'\\]{3,127})", _spoken_password, low=True),
    Rule("password", b"smbclient", r"\bsmbclient\b[^\n|;]{0,120}?[ \t]-u[ \t]{0,4}\\{0,4}[\"']?[^\s%\"'\\]{1,64}%(?P<secret>[^\s\"'\\]{3,128})", _no_placeholder, low=True),
    Rule("password", b"sudo -s", r"\becho[ \t]{1,4}(?:-n[ \t]{1,4})?\\{0,4}[\"']?(?P<secret>[^\s\"'\\|]{4,128})\\{0,4}[\"']?[ \t]{0,4}\|[ \t]{0,4}sudo -s\b", _no_placeholder, low=True),
    Rule("password", b"--with-token", r"\becho[ \t]{1,4}(?:-n[ \t]{1,4})?\\{0,4}[\"']?(?P<secret>[^\s\"'\\|]{12,512})\\{0,4}[\"']?[ \t]{0,4}\|[^\n]{0,80}--with-token", _no_placeholder, low=True),
    Rule("password", b"htpasswd", r"\bhtpasswd[ \t]{1,4}-[a-z]{0,4}b[a-z]{0,4}[ \t]{1,4}\S{1,120}[ \t]{1,4}\S{1,64}[ \t]{1,4}(?P<secret>[^\s\"'\\]{4,128})", _no_placeholder, low=True),
    Rule("api-key", b" set ", r"\b(?:aws|npm|pnpm|yarn)[ \t]{1,4}(?:configure|config)[ \t]{1,4}set[ \t]{1,4}\S{0,120}?(?:key|token|password|secret|_auth)[ \t]{1,4}\\{0,4}[\"']?(?P<secret>[^\s\"'\\]{8,512})", _longer, low=True),
    Rule("password", b"auth", r"(?:\bauth[ \t]{0,4}=[ \t]{0,4}\(|\bhttp(?:basic|digest)auth\(|\bbasic_?auth\()[ \t]{0,4}(?P<p>\\{0,4}[\"'])[^\"'\\\n]{1,64}(?P=p),[ \t]{0,4}(?P<q>\\{0,4}[\"'])(?P<secret>[^\"'\\\n]{3,128})(?P=q)", _no_placeholder, low=True),
    Rule("password", b":5432:", r"(?<![^\s\"'])[\w.*-]{1,80}:5432:[\w*-]{1,63}:[\w*.-]{1,63}:(?P<secret>[^\s\"':\\]{3,128})(?![^\s\"'\\])", _no_placeholder),
    Rule("otp-seed", b"otpauth://", r"otpauth://[^\s\"'<>]{0,200}?[?&]secret=(?P<secret>[A-Za-z2-7]{16,256})", _no_placeholder),
    Rule("authorization", b"auth\"", r"\"_?auth\\{0,4}\"[ \t]{0,4}:[ \t]{0,4}\\{0,4}\"(?P<secret>[A-Za-z0-9+/]{8,1024}={0,2})\\{0,4}\"", _pair_in_base64),
    Rule("authorization", b"_auth=", r"(?<![A-Za-z0-9])_auth=\"?(?P<secret>[A-Za-z0-9+/]{8,1024}={0,2})", _pair_in_base64),
    Rule("firebase-key", b":APA91b", _B + r"(?P<secret>[A-Za-z0-9_-]{11}:APA91b[A-Za-z0-9_-]{100,200})" + _E),
    Rule("private-key", b"Private-Lines:", r"Private-Lines:[ \t]{0,4}\d{1,3}(?:\r?\n|\\r?\\n)(?P<secret>(?:[A-Za-z0-9+/=]{4,80}(?:\r?\n|\\r?\\n|\Z)){1,200})"),
    Rule("password", b"convertto-securestring", r"convertto-securestring[ \t]{1,4}(?:-string[ \t]{1,4})?\\{0,4}[\"'](?P<secret>[^\"'\n]{3,128})", _no_placeholder, low=True),
)  # fmt: skip


def by_rules(raw: bytes, low: bytes) -> Found:
    """What the rules find. low: the same in lower case."""
    for rule in RULES:
        if rule.hint not in (low if rule.low else raw):
            continue
        for match in rule.pattern.finditer(low if rule.low else raw):
            start, end = match.span("secret")
            value = raw[start:end]
            if rule.type == "url-password":
                user = raw[match.start() + 3 : start - 1]
                if user == value or _is_no_url_password(value):
                    continue
            if rule.check(value):
                yield start, end, rule.type


def _is_no_url_password(value: bytes) -> bool:
    return len(value) < 3 or shapes.is_placeholder(value) or value.isdigit() and len(value) < 6


# -- private keys ----------------------------------------------------------------------------------

_BEGIN = pattern(rb"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_END = pattern(rb"-----END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_BETWEEN = rb"(?:[\s\"'`+,\\|>#*]|\\n|\\r){1,16}(?:\d{1,6}[\t ?|:>-]{1,4})?"
_BODY = pattern(
    rb"[ \t]{0,8}" + _BETWEEN + rb"[A-Za-z0-9+/=]{4,}(?=[\s\"'`\\,]|\Z)(?:" + _BETWEEN + rb"[A-Za-z0-9+/=]{16,})*"
)
_INSIDE = pattern(
    rb"[A-Za-z0-9+/=]{40}|(?:\n|\\n)[\s\"'`+,\\|>#*]{0,16}(?:\d{1,6}[\t ?|:>-]{1,4})?[A-Za-z0-9+/=]{4,}[\s\"'`+,\\]{0,8}(?:\n|\\n|\Z)"
)
_ROOM = 20_000
"""Bytes in which the end of a key is looked for: an RSA key of 16,384 bits has 12,700."""


def private_keys(raw: bytes) -> Found:
    """Keys in PEM, whole or cut off; line ends may be escaped, lines numbered, quoted or joined."""
    at, end = 0, _END.search(raw)
    while begin := _BEGIN.search(raw, at):
        at = begin.end()
        if end and end.start() < at:
            end = _END.search(raw, at)
        whole = end and end.end() <= at + _ROOM and not _BEGIN.search(raw, at, end.start())
        if end and whole and _INSIDE.search(raw, at, end.start()):
            at = end.end()
            yield begin.start(), at, "private-key"
        elif body := _BODY.match(raw, at, at + _ROOM):
            at = body.end()
            yield begin.start(), at, "private-key"


# -- cookies ---------------------------------------------------------------------------------------

_COOKIE = pattern(
    rb"(?<![a-z0-9_])(?:(set-)?cookie\d?[\\\"' \t]{0,6}[:=,][\\\"' \t\[]{0,6}|--cookie[ \t=]{1,4}[\\\"']{0,4}|"
    rb"(?<=[ \t])-b[ \t]{1,4}[\\\"']{1,4})(?=[a-z0-9_.$%-]{1,80}=)"
)
_PAIR = pattern(rb"[ \t]{0,4}(?P<name>[A-Za-z0-9_.$%-]{1,80})=(?P<value>[^\s;,\"'\\<>]{0,4096})(?:;|\Z|(?=[\s\"'\\,]))")
_SESSION = pattern(
    rb"sess|sid|auth|token|jwt|csrf|xsrf|remember|login|identity|secret|ticket|\A_?_?(?:secure|host)-|cookie|access|refresh|clearance"
)


def cookies(raw: bytes, low: bytes) -> Found:
    """The values in cookie headers that open a session."""
    if b"cookie" not in low and b"-b " not in low:
        return
    at = 0
    for header in _COOKIE.finditer(low):
        if header.start() < at:
            continue  # its pairs were among those of the header before
        at = header.end()
        while pair := _PAIR.match(raw, at):
            at = pair.end()
            if _opens(pair["name"].lower(), pair["value"]):
                yield *pair.span("value"), "cookie"
            if header[1] or pair.end() == pair.start():
                break  # what follows the cookie that is set are its attributes


def _opens(name: bytes, value: bytes) -> bool:
    if shapes.is_placeholder(value):
        return False
    if _SESSION.search(name):
        return len(value) >= 8 and (shapes.is_random(value, 8, 2.5) or len(value) >= 20)
    return shapes.is_random(value, 20, 3.5)


# -- assignments -----------------------------------------------------------------------------------

WORDS = (b"pass", b"pw", b"secret", b"token", b"key", b"cred", b"auth", b"sig", b"session", b"jwt", b"_pat", b"dsn",
          b"salt", b"pepper", b"mnemonic", b"phrase", b"seed", b"sid", b"csrf", b"bearer", b"kennwort", b"appid")  # fmt: skip
"""One of them is in each telling name."""

_NAME = b"abcdefghijklmnopqrstuvwxyz0123456789_.-"
_REACH = 64
_LONGEST = 4096
"""Bytes of a bare value that are looked at."""

_REST = pattern(rb"[a-z0-9_.-]{0,64}")
_AFTER = pattern(
    rb"(?P<close>[\\\x01]{0,8}[\"'`]?\\{0,8}[\])]?)(?P<type>\?|![ \t]?|[ \t]?\[[^\]\n]{0,24}\])?"
    rb"(?:"
    rb"(?P<op>[ \t\\\x01]{0,16}(?:(?::[ \t]{0,2}(?:&'static )?(?:[a-z]{0,8}\.)?(?:str|string|&str|optional\[str\]|final|char\*)[ \t]{0,4})?(?:=>|:=|===?|!==?|\+=|=)|::?|\?\?=?|\|\|=?)[ \t]{0,16})"
    rb"|(?P<comma>[ \t]{0,4},[ \t]{0,4}(?=\\{0,8}[\"'`]))"
    rb"|(?P<tag>>)|(?P<value>\\{0,8}[\"']?[ \t,]{0,4}\s{0,40}\\{0,8}[\"']?(?:value|default)\\{0,8}[\"']?[ \t]{0,4}[:=][ \t]{0,4})"
    rb"|(?P<space>[ \t]{1,4}(?=\S))"
    rb")"
    rb"(?:[fbru@]{1,2}(?=\\{0,8}[\"'`]))?"
    rb"(?:(?P<q>\\{0,8}[\"'`])(?P<quoted>(?:(?!(?P=q))[^\n\r]){1,4096})(?P=q)|(?P<bare>[^\s\"'`\\<>,;&|()\[\]{}$]))"
)
_RUN = pattern(rb"[^\s\"'`\\<>]*")
_IS = pattern(rb"[ \t]{1,3}(?:is|was|will be|ist)(?: now)?[ \t:]{1,3}[\"'`]?(?P<bare>[^\s\"'`\\<>,;&|()]{4,128})")
_LINE_START = pattern(
    # Possessive: the same blank could belong to two of these, and trying all ways would never end.
    rb"(?:(?:export|set|env|-e|arg)[ \t]++|\d{1,6}[\t ?:|-]{1,6}+|[+>$-][ \t]?+|[ \t])*+"
)
_STOP = pattern(rb"[,;&|()\[\]{}]")


def assignments(raw: bytes, low: bytes) -> Found:
    """Values that stand under a telling name: `KEY=…`, `"password": "…"`, `--token …`, `<secret>…</secret>`."""
    runs = _Runs(raw, low)
    for word in [word for word in WORDS if word in low]:
        at = low.find(word)
        while at >= 0:
            rest = _REST.match(low, at)
            assert rest is not None
            end = rest.end()
            found = _assigned(runs, at, end)
            if found:
                yield found
                end = max(end, found[1])
            at = low.find(word, end)


class _Runs:
    """A text, and how far its bare values reach. Where one begins within another, it ends with it: a text that is
    nothing but names and signs is looked at once, not once a name."""

    def __init__(self, raw: bytes, low: bytes):
        self.raw, self.low = raw, low
        self._begin = self._end = self._from = self._stop = -1

    def end(self, at: int) -> int:
        """Where a bare value that begins at a place ends, at most 4,096 bytes on."""
        if not self._begin <= at < self._end:
            found = _RUN.match(self.low, at)
            self._begin, self._end = at, found.end() if found else at
            self._from = -1
        return min(self._end, at + _LONGEST)

    def stop(self, at: int, last: int) -> int | None:
        """The first of the signs that end a value among other text, None where there is none before `last`."""
        if not 0 <= self._from <= at <= self._stop:
            found = _STOP.search(self.raw, at, max(self._end, last))
            self._from, self._stop = at, found.start() if found else max(self._end, last)
        return self._stop if self._stop < last else None


def _assigned(runs: _Runs, at: int, end: int) -> tuple[int, int, str] | None:
    low = runs.low
    while low[end - 1] in b".-":
        end -= 1
    after = _AFTER.match(low, end)
    if after is None and low[end : end + 1] != b" ":
        return None
    left = low[max(0, at - _REACH) : at]
    start = at - len(left) + len(left.rstrip(_NAME))
    name = low[start:end].lstrip(b".-")
    by = _KEY if name == b"key" else shapes.telling(name)
    if by is None:
        return None
    if after is None or after["space"] is not None:
        return _spoken(runs, start, end, after, by)
    return _valued(runs, start, after, by) if by is not _KEY else None


_KEY = Telling("api-key", 2)
"""Of a key that is only called so: that tells in a sentence only."""


def _spoken(
    runs: _Runs, start: int, end: int, after: re.Match[bytes] | None, by: Telling
) -> tuple[int, int, str] | None:
    """A value behind an option (`--password x`) or in a sentence (`the password is x`)."""
    raw, low = runs.raw, runs.low
    if after is not None and low[start : start + 2] == b"--" and not after["close"]:
        return _value(runs, after, by, alone=False)
    said = _IS.match(low, end)
    if said is None:
        return None
    first, last = said.span("bare")
    last = first + len(raw[first:last].rstrip(b".!?:"))
    value = raw[first:last]
    if shapes.is_secret(value, by, quoted=False, alone=False) and shapes.has_digit(value):
        return first, last, by.type
    return None


def _valued(runs: _Runs, start: int, after: re.Match[bytes], by: Telling) -> tuple[int, int, str] | None:
    """A value behind a sign."""
    if after["comma"] is not None and after["quoted"] is None:
        return None
    return _value(runs, after, by, alone=_is_alone(runs, start, after))


def _value(runs: _Runs, after: re.Match[bytes], by: Telling, *, alone: bool) -> tuple[int, int, str] | None:
    raw, quoted = runs.raw, after["quoted"] is not None
    first, last = after.span("quoted" if quoted else "bare")
    if not quoted:
        last = _ended(runs, first, runs.end(first), whole=alone)
    whole = raw[first:last]
    first, last = last - len(whole.lstrip(b" \x01")), first + len(whole.rstrip(b" \x01"))
    if not (quoted or alone) and last - first > 64 and b"=" in raw[first : first + 64]:
        return None  # assignments without anything between them
    sure = quoted and after["comma"] is None  # a list of names has commas, too
    if shapes.is_secret(raw[first:last], by, quoted=sure, alone=alone):
        return first, last, by.type
    return None


def _ended(runs: _Runs, first: int, last: int, *, whole: bool) -> int:
    """Where a bare value ends among other text."""
    raw = runs.raw
    if whole and raw[last : last + 1] not in (b"(", b"["):
        return last - 1 if raw[last - 1] in b",;" else last
    end = runs.stop(first, last)
    end = last if end is None else end
    if raw[end : end + 1] in (b"(", b"["):
        return first  # a call, or an item: code
    while end > first and raw[end - 1] in b".:!?":
        end -= 1
    return end


def _is_alone(runs: _Runs, start: int, after: re.Match[bytes]) -> bool:
    """Whether name and value fill their line, as in a file of settings; in code, only where the name is in capitals."""
    raw, low = runs.raw, runs.low
    line = max(raw.rfind(b"\n", max(0, start - 80), start) + 1, start - 80, 0)
    if not _LINE_START.fullmatch(low, line, start):
        return False
    first, last = after.span("op") if after["op"] is not None else (0, 0)
    name, sign = raw[start:first], raw[first:last]
    if sign == b"=" and name.upper() == name:
        return True
    value = after.start("bare")
    end = runs.end(value) if value >= 0 else after.end()
    if value >= 0 and b"&" in raw[value:end]:
        return False  # a query
    behind = raw[end : end + 80].partition(b"\n")[0].strip()
    if behind and not behind.startswith((b"#", b"//", b";")):
        return False
    return sign.strip() == b":" or sign == b"=" or (sign.strip() == b"=" and name.upper() == name)
