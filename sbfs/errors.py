"""What can go wrong, told to the reader.

Every error of sbfs is an `Error`: a class states its sentence once, carries a stable `code` and
`exit_code`, and a `hint` that says what to do. Skins print them; nothing else does. Codes and
numbers are never reused. What a sentence quotes passes the redaction first, so that no secret is
printed or logged with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Error(Exception):
    """Base of all errors.

    code: stable word for programs. exit_code: of the command line. hint: what to do, or "".
    details: further plain values that programs may want, merged into the JSON answer.
    """

    code = "failed"
    exit_code = 1

    def __init__(self, sentence: str, *, hint: str = "", details: Mapping[str, Any] | None = None):
        from sbfs.redact import Redactor

        redactor = Redactor()
        self.sentence = redactor.text(sentence)
        self.hint = redactor.text(hint)
        self.details: dict[str, Any] = redactor.plain(dict(details or {}))
        super().__init__(self.sentence)


class Failed(Error):
    """The machine said no: a full disk, a folder that may not be written, a broken tool."""


class Usage(Error):
    """The call itself is wrong: arguments that do not go together."""

    code = "usage"
    exit_code = 2


class NotFound(Error):
    """A named thing is not in the store. known: the names there are. hint: for where none of them is near."""

    code = "not_found"
    exit_code = 3

    def __init__(self, what: str, name: str, *, known: Iterable[str] = (), hint: str = ""):
        import difflib

        names = list(known)
        near = difflib.get_close_matches(name, names, n=3)
        near = near or [one for one in names if len(name) > 1 and name in one][:3]
        if near:
            hint = "did you mean " + ", ".join(near) + "?"
        elif names and not hint:
            hint = _there_are(names)
        super().__init__(f"no {what} {name!r} in this store", hint=hint)


def _there_are(names: list[str]) -> str:
    shown = sorted({*names})
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    return f"there {'is' if len(shown) == 1 else 'are'} {', '.join(shown[:8])}{more}"


class Invalid(Error):
    """A value breaks its rules. field: dotted name; path and line: where it was read, if from a file."""

    code = "invalid"
    exit_code = 4

    def __init__(self, why: str, *, field: str = "", path: str = "", line: int | None = None, hint: str = ""):
        from sbfs.redact import Redactor

        self.why, self.field, self.path, self.line = Redactor().text(why), field, path, line
        place = f"{path}:{line}" if path and line else path
        parts = [part for part in (place, field, why) if part]
        details = {"field": field, "path": path, "line": line}
        super().__init__(
            ": ".join(parts),
            hint=hint,
            details={key: value for key, value in details.items() if value},
        )

    def at(self, path: str, line: int | None = None) -> Invalid:
        """The same complaint, placed in a file."""
        return Invalid(self.why, field=self.field, path=path, line=line or self.line, hint=self.hint)


class AlreadyExists(Error):
    """A thing of that name is already there."""

    code = "exists"
    exit_code = 4

    def __init__(self, what: str, name: str, *, hint: str = ""):
        super().__init__(f"{what} {name!r} already exists", hint=hint)


class Ambiguous(Error):
    """A prefix names more than one record, or a short name more than one symbol."""

    code = "ambiguous"
    exit_code = 4

    def __init__(self, what: str, prefix: str, candidates: Iterable[str], *, hint: str = "write more of the id"):
        shown = sorted(candidates)
        more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
        super().__init__(
            f"{what} {prefix!r} could be {', '.join(shown[:8])}{more}",
            hint=hint,
            details={"candidates": shown[:50]},
        )


class Stale(Error):
    """What was read has changed meanwhile."""

    code = "changed"
    exit_code = 5

    def __init__(self, what: str, *, hint: str = "read it again and repeat"):
        super().__init__(f"{what} changed meanwhile", hint=hint)


class Damaged(Error):
    """The store, or an object in it, cannot be read as it should."""

    code = "damaged"
    exit_code = 6


class NotAStore(Error):
    """The folder is not a store."""

    code = "not_a_store"
    exit_code = 6

    def __init__(self, root: str, *, why: str = "", hint: str = ""):
        super().__init__(
            f"{root} is not a store" + (f": {why}" if why else ""),
            hint=hint or "make one with 'sbfs init', or name one with --store",
        )


class WrongFormat(Error):
    """The store is of a format that this program does not know."""

    code = "format"
    exit_code = 6

    def __init__(self, found: object, known: int):
        super().__init__(
            f"the store has format {found}, this sbfs knows format {known}",
            hint="install a newer sbfs: pip install --upgrade sbfs",
        )


class Busy(Error):
    """Another program holds the store."""

    code = "busy"
    exit_code = 8


class RemoteRefused(Error):
    """Another machine cannot be reached, or does not take what it is offered. What is here stays as it is."""

    code = "remote"
    exit_code = 7
