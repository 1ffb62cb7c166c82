"""Times: UTC to the millisecond in records, ISO dates and spans such as `7d` from people."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo

from sbfs.errors import Invalid
from sbfs.fetching import pattern

_SPAN = pattern(r"(\d+)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def now() -> datetime:
    """The clock of every store that was not given another one."""
    return datetime.now(UTC)


def dump(moment: datetime) -> str:
    """`2026-11-22T14:03:07.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def load(text: str, *, field: str = "timestamp", zone: tzinfo = UTC) -> datetime:
    """An ISO time; without a zone it is of the given one. Raises Invalid."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        # The first and the last hours there are have no UTC in every zone.
        return moment.astimezone(UTC) and moment
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f"{text!r} is no time", field=field, hint="write it as 2026-11-22T14:03:07Z") from None


def since(text: str, *, now: datetime, field: str = "since", zone: tzinfo = UTC) -> datetime:
    """What a person writes for "from when": an ISO date or time, or a span back from now (`30m`, `12h`, `7d`, `2w`).

    zone: of a date or time that names none.
    """
    if match := _SPAN.fullmatch(text.strip()):
        with suppress(OverflowError):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        return load(text.strip(), field=field, zone=zone)
    except Invalid:
        raise Invalid(
            f"{text!r} is neither a date nor a span", field=field, hint="write 2026-11-22, or 7d for seven days"
        ) from None


def later(text: str, *, now: datetime, field: str = "deliver_at") -> datetime:
    """What a person writes for a coming moment: ISO, or words such as "tomorrow at 9:30".

    Words are read by the library dateparser, in the zone of `now`. Raises Invalid for what is
    unknown or past.
    """
    try:
        moment = load(text.strip(), field=field)
    except Invalid:
        # A date with a slip in it is no words: dateparser would make another date of 2027-13-01.
        if re.match(r"\s*\d{4}-\d", text):
            raise
        moment = _spoken(text, now, field)
    if moment <= now:
        raise Invalid(f"{text!r} is {dump(moment)}, which is past", field=field, hint="name a coming moment")
    return moment


def _spoken(text: str, now: datetime, field: str) -> datetime:
    import dateparser

    settings = {
        "RELATIVE_BASE": now.replace(tzinfo=None),
        "PREFER_DATES_FROM": "future",
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    # dateparser knows "friday" but not "next friday": the future is preferred anyway.
    spoken = re.sub(r"\bnext\s+(?=\w+day\b)", "", text.strip(), flags=re.I)
    moment: datetime | None = dateparser.parse(spoken, languages=["en"], settings=settings)
    if moment is None:
        hint = 'write 2026-11-23T09:30, or words such as "tomorrow at 9:30"'
        raise Invalid(f"{text!r} is no moment that can be read", field=field, hint=hint)
    return moment.replace(tzinfo=now.tzinfo)


def duration(seconds: float) -> str:
    """A span for people, in its largest unit: `3 min`, `2.5 h`, `4 days`."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
