"""Which values are secrets: what a key's name says of its value, and whether the value looks like one.

Names and values come as ASCII bytes; names in lower case. Nothing here knows where they stood.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from dataclasses import dataclass

from sbfs.fetching import pattern


@dataclass(frozen=True)
class Telling:
    """What a key says of its value. type: for the placeholder. strict: how much the value itself has to show,
    from 0 (any text that is no placeholder) to 2 (long and random)."""

    type: str
    strict: int


_WORDS = pattern(
    rb"(?P<password>pass(?:word|wd|phrase|code)(?:s(?![a-z]))?|pass\Z|pwd|(?:\A|[_.-])pw\Z|passwort|kennwort)"
    rb"|(?P<phrase>mnemonic|seed_?(?:phrase|words)|recovery_?phrase)"
    rb"|(?P<key>(?:api|access|secret|private|encrypt(?:ion)?|signing|sign|auth|account|master|app|application|shared|"
    rb"storage|license|deploy|service|subscription|admin|webhook|jwt|client|crypt|cipher|aes|hmac|consumer|functions?|"
    rb"instrumentation|host|user|write|integration|ingest|server|restricted|live|prod(?:uction)?|sas|ssh|tls|ssl|"
    rb"rsa|gpg|pgp|wallet|node|root|session|cookie|token|data|bot|sdk|dsn|test|dev|staging)[_. -]?keys?)"
    rb"|(?P<secret>secret|credential)"
    rb"|(?P<token>tokens?(?![a-z])|token|(?<![a-z])pat(?![a-z])|jwt|session_?id|sessid|(?:\A|connect.|sess)sid\Z|bearer|"
    rb"csrf|otp_?seed|totp|\Aapp_?id\Z)"
    rb"|(?P<auth>authorization|_auth\Z|\Aauth\Z|auth_?header|x-auth)"
    rb"|(?P<signature>x-amz-signature|\Asig\Z)"
    rb"|(?P<cookie>cookies?\Z)"
    rb"|(?P<connection>connection_?string|conn_?str|dsn\Z|database_?url|webhook_?url)"
    rb"|(?P<salt>\Asalt\Z|_salt\Z|pepper\Z)"
    rb"|(?P<named>_key\Z|-key\Z)"
)

_TELLING = {
    "password": Telling("password", 0),
    "phrase": Telling("seed-phrase", 0),
    "secret": Telling("secret", 1),
    "key": Telling("api-key", 1),
    "token": Telling("token", 2),
    "auth": Telling("authorization", 2),
    "signature": Telling("signature", 2),
    "salt": Telling("secret", 2),
    "named": Telling("api-key", 2),
}
"""Names that hold a connection or cookies say nothing by themselves: other rules look into their value."""

_NO_SECRET_BEHIND = pattern(
    rb"(?:_|-|\.|\A|(?<=[a-z]))(?:ids?|names?|counts?|limits?|lengths?|len|sizes?|types?|urls?|uris?|paths?|files?|"
    rb"filenames?|dirs?|hash(?:es|ed)?|digests?|fields?|labels?|prompts?|hints?|polic(?:y|ies)|resets?|"
    rb"expir(?:y|es|ed|ation|es_?at|es_?in)|ttl|age|regex|patterns?|formats?|errors?|messages?|index|required|"
    rb"strength|min|max|budget|usage|used|enabled|disabled|provider|manager|store|backend|service|ref|arn|version|"
    rb"algorithm|alg|kind|status|state|placeholder|input|output|confirmation_text|help|text|title|description|"
    rb"icon|class|component|page|screen|form|view|route|rule|rules|schema|validator|encoder|hasher|generator|"
    rb"endpoint|created_?at|updated_?at|at|position|offset|start|end|per_?second|izer|ize|izers|ized|ization|"
    rb"fingerprint|thumbprint|checksum|sha(?:1|256|512)?|header|param|parameter|env|var|variable|source|rotation)\Z"
)
_NO_SECRET_BEFORE = pattern(
    rb"(?:\A|_|-|\.)(?:max|min|num|number|total|count|input|output|prompt|completion|cached?|reasoning|public|primary|"
    rb"foreign|sort|partition|object|row|lookup|next|page|pagination|cursor|continuation|stop|bos|eos|pad|unk|mask|"
    rb"sep|cls|special|added|end|start|first|last|no|has|is|use|show|hide|forgot|reset|change|wrong|bad|invalid|"
    rb"missing|by|sync|delta|idempotency|dedup(?:lication)?|routing|group|hash|s3|storage_object|publishable|"
    rb"anon|translation|i18n|message|metric|attribute|shortcut|hot|arrow|enter|tab|escape|query|config|dict|map|"
    rb"session_?(?:affinity|duration)|pub|site|index|tree|build|unique|composite|natural|surrogate)(?:_|-|\.|\Z)"
)


@functools.lru_cache(4096)
def telling(name: bytes) -> Telling | None:
    """What a key's name says of its value, None where it says nothing."""
    found = None
    for match in _WORDS.finditer(name):
        found = _TELLING.get(match.lastgroup or "")
        word, rest = match, name[match.end() :]
    if found is None or _NO_SECRET_BEHIND.search(rest):
        return None
    if found.type in ("token", "api-key", "signature") and _NO_SECRET_BEFORE.search(name[: word.start()] + b"_"):
        return None
    return found


# -- values ----------------------------------------------------------------------------------------

_PLACEHOLDER = pattern(
    rb"[*.#?_=+x0-]+\Z|[<{\[$%(@&|!]|.{0,64}\$\{|.{0,64}\{\{|.{0,64}\(\)|.{0,64}<[a-z_ -]{1,40}>|.{0,64}\.\.\.|.{0,64}\*\*\*"
    rb"|.{0,64}\[redacted|.{0,64}xxxx|(?:your|my|the|some|any|new|old|insert|enter|put|add|paste|replace|todo|fixme)[-_ ]"
    rb"|.{0,64}(?<![a-z0-9])(?:change[-_ ]?(?:me|this|it)|example|sample|dummy|placeholder|redacted|replace[-_ ]?(?:me|with)"
    rb"|fake|not[-_]a|your|foobar|lorem|masked|hidden|removed|censored|omitted|truncated)(?![a-z0-9])"
    rb"|.{0,64}example(?:key)?\Z|.{0,64}[-_ ](?:here|goes[-_]here)\Z"
    rb"|(?:os\.environ|os\.getenv|getenv|process\.env|import\.meta|env\.|config\.|settings\.|self\.|this\.|secrets\.|"
    rb"vault:|arn:|op://|ref\+|file:|/run/|env:|ssm:|aws:|azure:|gcp:|sha(?:1|256|384|512)[-:]|enc\[|aes256|sops|var\.|"
    rb"local\.|data\.|module\.|args?\.|opts?\.|options\.|params\.|props\.|req\.|request\.|ctx\.|context\.|user\.|"
    rb"lambda\b|await\b|async\b|new\b|function\b|return\b|not\b|if\b|std::|string\.|str\.|input\()"
)
_NO_VALUE = frozenset(
    b"none null nil true false undefined empty string str text int integer number bool boolean any object bytes float "
    b"required optional default defaults missing invalid incorrect wrong valid expired hashed encrypted plain plaintext "
    b"plain-text cleartext password passwd passphrase passcode pwd pass secret secrets token tokens key keys apikey "
    b"credential credentials value values username user login test tests testing yes no on off auto never always "
    b"ask prompt stdin keyring keychain environment env vault file field fields form type input output hidden "
    b"literal constant varchar char column nullable nonnull unique index primary self this cls args kwargs "
    b"authentication authorization basic bearer digest oauth oauth2 oidc saml ldap jwt interactive manual unknown "
    b"unset not-set notset disabled enabled changed updated reset forgotten forgot confirm confirmation current "
    b"mismatch strength weak strong protected private public internal external random generated autogenerate "
    b"getpass passlib bcrypt argon2 scrypt secretstr securestring charfield textfield passwordfield".split()
)
_URL = pattern(rb"(?:[a-z][a-z0-9+.-]{1,20}:)?//")
_PATH = pattern(rb"(?:~|\.{1,2}|[a-z]:)?[/\\](?:[\w.@ -]+[/\\])*[\w.@ -]*\Z|(?:[\w.-]+/)+[\w-]+\.[a-z]{1,5}\Z")
_NAME = pattern(rb"[a-z_$][a-z0-9_$]*(?:(?:\.|->|::|\[)[a-z_$][a-z0-9_$\]\"']*)*(?:\(.*)?\Z", re.S)
_UUID = pattern(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_ULID = pattern(rb"(?:[a-z]{1,12}[-_])?[0-9abcdefghjkmnpqrstvwxyz]{26}\Z")
_HEX = pattern(rb"[0-9a-f]+\Z")
_WORDLIKE = pattern(rb"[a-z]+(?:[-_. ][a-z]+)*\Z")
_MOMENT = pattern(rb"\d{4}-\d\d-\d\d(?:[t ].*)?\Z")
_PIECE = pattern(rb"[a-z]{0,12}|v?\d{1,4}")
_VERSION = pattern(rb"v?\d+(?:\.\d+)+[\w.-]{0,12}\Z")


_HEAD = 256
"""Bytes of a value that are looked at: what is random is so from the beginning."""


def is_placeholder(value: bytes) -> bool:
    """Whether a value stands for a secret without being one: a mask, a variable, an example, a word of a type."""
    low = value.lower()
    return len({*low[:64]}) < 4 and len({*low}) < 4 or low in _NO_VALUE or _PLACEHOLDER.match(low) is not None


def entropy(value: bytes) -> float:
    """Bits a character, by Shannon, of the characters' own frequencies."""
    total = len(value)
    return -sum(count / total * math.log2(count / total) for count in Counter(value).values())


def is_random(value: bytes, least: int, bits: float) -> bool:
    """Whether a value of at least so many characters mixes them as a generated one does."""
    if len(value) < least or not has_digit(value):
        return False
    return len(value.translate(None, _NO_LETTERS)) >= 2 and entropy(value) >= bits


_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NO_LETTERS = bytes({*range(256)} - {*_LETTERS})
_NO_DIGITS = bytes({*range(256)} - {*b"0123456789"})


def has_digit(value: bytes) -> bool:
    """Whether a value holds a digit."""
    return value.translate(None, _NO_DIGITS) != b""


def is_secret(value: bytes, by: Telling, *, quoted: bool, alone: bool) -> bool:
    """Whether a value under a telling key is a secret.

    quoted: whether it stood in quotes, or is a whole text. alone: whether nothing but it stands
    behind the key, as in a file of settings.
    """
    value = value[:_HEAD]
    if len(value) < 4 or by.strict == 2 and len(value) < 16 or by.strict and not has_digit(value) and len(value) < 20:
        return False  # the cheapest first: whole texts are made of what fails here
    if is_placeholder(value):
        return False
    low = value.lower()
    if _MOMENT.match(low) or _PATH.match(low) or (_URL.match(low) and by.strict):
        return False
    if by.type == "seed-phrase":
        return len(value.split()) in (12, 15, 18, 21, 24)
    if by.strict == 0:
        return _is_password(value, low, quoted=quoted, alone=alone)
    if by.strict == 1:
        return _is_key(value, low, by, quoted=quoted, alone=alone)
    return _is_token(value, low, by)


def _is_password(value: bytes, low: bytes, *, quoted: bool, alone: bool) -> bool:
    if b" " in value and not _WORDLIKE.match(value):
        return False
    if _URL.match(low):
        return False
    if _WORDLIKE.match(low):
        # A word alone is a password where it is a whole value, and no sentence or name of code.
        return (
            (quoted or alone) and len(value) >= 6 and not _speaks(low) and (b" " not in value or value.count(b" ") == 3)
        )
    if _NAME.match(low) and not quoted and not alone:
        return not _speaks(low) and has_digit(value) and b"(" not in value and b"." not in value
    return quoted or alone or _mixed(value)


def _is_key(value: bytes, low: bytes, by: Telling, *, quoted: bool, alone: bool) -> bool:
    if b" " in value or _VERSION.match(low):
        return False
    if not quoted and not alone and _NAME.match(low) and _speaks(low):
        return False
    if _is_readable(low) and (by.type == "api-key" or not alone):
        return False
    if len(value) >= 16:
        return is_random(value, 16, 2.8) or (len(value) >= 20 and _mixed(value) and entropy(value) >= 3.8)
    return (quoted or alone) and is_random(value, 8, 2.5) and not _speaks(low)


def _is_token(value: bytes, low: bytes, by: Telling) -> bool:
    if b" " in value or _UUID.match(low) or _ULID.match(low) or _VERSION.match(low):
        return False
    if _HEX.match(low):
        return by.type in ("token", "authorization", "signature") and len(value) >= 32 and entropy(value) >= 2.8
    return is_random(value, 16, 3.3)


def _is_readable(low: bytes) -> bool:
    """Whether a value is made of words and short numbers, as a name in code or a path is."""
    pieces = re.split(rb"[-_.:/ ]", low)
    return len(pieces) > 1 and all(_PIECE.fullmatch(piece) for piece in pieces)


def _speaks(low: bytes) -> bool:
    """Whether a word names a secret rather than being one."""
    return any(word in low for word in (b"pass", b"pwd", b"secret", b"token", b"key", b"cred", b"login", b"auth"))


def _mixed(value: bytes) -> bool:
    """Whether a value holds characters of three sorts, or of two and a digit among letters."""
    sorts = (value.lower() != value, value.upper() != value, has_digit(value))
    return sum(sorts) + (not value.isalnum()) >= 2 and sorts[2] or sum(sorts) + (not value.isalnum()) >= 3
