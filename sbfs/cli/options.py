"""Options that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class Word(click.Choice[str]):
    """One of a few words. Help lists them and the shell completes them; the library checks them, so
    that a wrong one is the same error everywhere."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word as it was given."""
        return value


PRIORITY = Word(["low", "normal", "high", "urgent"])
STATUS = Word(["unread", "read", "archived"])
TYPE = Word(["request", "response", "notification", "update"])
RELATION = Word(["uses", "extends", "references", "shares_code"])
BOX = Word(["inbox", "outbox"])

at = click.option("--at", metavar="REV", help="The store as it was: a revision, HEAD~3, or a date.")


def paging(function: F) -> F:
    """`--limit` and `--cursor`."""
    function = click.option("--cursor", metavar="C", help="Go on behind a former answer's `next`.")(function)
    return click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")(
        function
    )


def body(function: F) -> F:
    """`--body`, `--body-file`; without both, standard input."""
    return _long_text("body", "-b")(function)


def text(function: F) -> F:
    """`--text`, `--text-file`; without both, standard input."""
    return _long_text("text")(function)


def _long_text(name: str, *short: str) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        path = click.Path(exists=True, dir_okay=False, allow_dash=True)
        function = click.option(f"--{name}-file", type=path, help="A file with the text.")(function)
        help = "The text; without it, a file or standard input is read."
        return click.option(f"--{name}", *short, help=help)(function)

    return decorate


def read_body(body: str | None, body_file: str | None, *, required: bool = True, name: str = "body") -> str | None:
    """The text that the options name. Raises Invalid for bytes that are no UTF-8."""
    from sbfs.errors import Invalid, Usage

    if body is not None and body_file is not None:
        raise Usage(f"--{name} and --{name}-file do not go together", hint="use one of them")
    if body is not None:
        return body
    if body_file in (None, "-"):
        if not required and body_file is None:
            return None
        if sys.stdin.isatty():
            click.echo("type the text; end it with Ctrl-D", err=True)
        raw = sys.stdin.buffer.read()
    else:
        with open(body_file, "rb") as file:
            raw = file.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Invalid(f"is not valid UTF-8 (line {line})", field=name, hint="save the text as UTF-8") from None


def parse_context(text: str | None) -> dict[str, Any] | None:
    """`--context`: a JSON object. Raises Invalid."""
    from sbfs.errors import Invalid

    if text is None:
        return None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"is not JSON: {error}", field="context", hint='write it as \'{"key": "value"}\'') from None
    if not isinstance(value, dict):
        raise Invalid("is not a JSON object", field="context", hint='write it as \'{"key": "value"}\'')
    return value


def moment(text: str | None, now: datetime) -> datetime | None:
    """`--deliver-at`: a coming moment; words are meant in the zone of this machine."""
    from sbfs import times

    return times.later(text, now=now.astimezone()) if text else None


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no value of JSON")


def span(function: F) -> F:
    """`--since` and `--until`."""
    function = click.option("--until", metavar="TIME", help="Before a date.")(function)
    return click.option("--since", metavar="TIME", help="From a date on, or a span back: 2026-11-22, 7d.")(function)


def since(text: str | None, now: datetime, field: str = "since", zone: tzinfo = UTC) -> datetime | None:
    """`--since`: a date or a span. zone: of a date that names none."""
    from sbfs import times

    return times.since(text, now=now, field=field, zone=zone) if text else None


def moments(
    since_text: str | None, until_text: str | None, now: datetime, zone: tzinfo = UTC
) -> dict[str, datetime | None]:
    """`--since` and `--until` as the library takes them."""
    return {"since": since(since_text, now, zone=zone), "until": since(until_text, now, "until", zone)}
