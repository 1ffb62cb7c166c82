"""Hours, and the days, weeks and months that they belong to in a time zone.

What is counted of a conversation is kept by the hour, UTC, so an hour is the smallest thing that a span
can take in or leave out. It belongs to the day in which it ends: where a zone is off by half an hour,
the hour around midnight counts to the day after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from sbfs import times
from sbfs.errors import Invalid

UNDATED = ""
"""The hour of what has no time."""

PERIODS = ("day", "week", "month")


def zone_of(name: str) -> tzinfo:
    """A time zone by its name, `Europe/Berlin`. Raises Invalid."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "write it as Europe/Berlin, or UTC; systems without time zones need the package tzdata"
        raise Invalid(f"{name!r} is no time zone", field="zone", hint=hint) from None


@dataclass(frozen=True)
class Span:
    """Whole hours from `since` to before `until`, either of which may be open."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def around(cls, since: datetime | None, until: datetime | None, zone: tzinfo) -> Span:
        """The whole hours that hold a span; at midnight in the zone they are cut as days are.

        Raises Invalid where it is empty.
        """
        if since and until and until <= since:
            raise Invalid(f"{times.dump(until)} is not after {times.dump(since)}", field="until")
        begin = since and _floor(since)
        end = until and _floor(until)
        if until and end and end < until and until.astimezone(zone).time() != time.min:
            end += timedelta(hours=1)
        return cls(begin, end)

    def before(self, days: int) -> Span:
        """The span of as many days that ends where this one begins."""
        assert self.since
        return Span(self.since - timedelta(days=days), self.since)

    def keys(self) -> tuple[str, str]:
        """(first, last) as hours are written, which sort as times do; last is left out. "" stands for open."""
        first, last = (one.astimezone(UTC).strftime("%Y-%m-%dT%H") if one else "" for one in (self.since, self.until))
        return first, last


def last_days(days: int, now: datetime) -> Span:
    """The whole hours of the last days, the present one included."""
    end = _floor(now) + timedelta(hours=1)
    return Span(end - timedelta(days=days), end)


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def read_range(text: str, now: datetime, zone: str) -> tuple[datetime | None, datetime | None]:
    """What a person writes for a span: `30d` until now, `2026-02-11`, or FROM..TO, both days included and
    either end open. Days are cut in the zone. Raises Invalid."""
    place = zone_of(zone)
    begin, dots, end = (part.strip() for part in text.partition(".."))
    if not dots:
        since = times.since(begin, now=now, field="time_range", zone=place)
        return since, _day_after(begin, since)
    first = times.since(begin, now=now, field="time_range", zone=place) if begin else None
    last = times.since(end, now=now, field="time_range", zone=place) if end else None
    return first, (_day_after(end, last) or last if last else None)


def _day_after(text: str, moment: datetime) -> datetime | None:
    """The end of the day that a text without a time of day names, else None."""
    return moment + timedelta(days=1) if len(text) == len("2026-02-11") and text.count("-") == 2 else None


class Calendar:
    """What hours are in a zone; each is worked out once."""

    def __init__(self, zone: tzinfo):
        self._zone = zone
        self._known: dict[tuple[str, str], str | None] = {}
        self._moments: dict[str, int | None] = {}

    def period(self, name: str, hour: str) -> str | None:
        """The day (`2026-02-11`), week (`2026-W07`, ISO) or month (`2026-02`) of an hour; None without a time."""
        if (name, hour) not in self._known:
            self._known[name, hour] = self._period(name, hour)
        return self._known[name, hour]

    def _period(self, name: str, hour: str) -> str | None:
        begins = self.begins(hour)
        if begins is None:
            return None
        ends = begins + (_HOUR - 1 if len(hour) == len("2026-02-11T20") else 0)
        moment = (_EPOCH + timedelta(milliseconds=ends)).astimezone(self._zone)
        if name == "week":
            year, week, _ = moment.isocalendar()
            return f"{year:04}-W{week:02}"
        return moment.date().isoformat()[: {"day": 10, "month": 7}[name]]

    def begins(self, hour: str) -> int | None:
        """When an hour begins, milliseconds since 1970; None for what is no hour."""
        if hour not in self._moments:
            self._moments[hour] = _milliseconds(hour)
        return self._moments[hour]


def _milliseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round((moment - _EPOCH) / timedelta(milliseconds=1))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = 3_600_000

Piece = tuple[str, Mapping[str, Any], int | None]
"""(hour, what is counted in it as plain data, elapsed milliseconds or None where not known)."""


def pieces(
    hours: Mapping[str, Mapping[str, Any]], facts: Mapping[str, Any], started: str, ended: str, calendar: Calendar
) -> list[Piece]:
    """A conversation hour by hour, first things first, what has no time last.

    Elapsed time, from `started` to `ended`, is cut at the hours in which something happened: a pause
    belongs to the hour in which it began. So it adds up, however the hours are grouped.
    """
    if not hours:
        hours = {started[:13]: facts}
    dated = sorted(hour for hour in hours if calendar.begins(hour) is not None)
    others: Iterator[Piece] = ((UNDATED, one, None) for hour, one in hours.items() if calendar.begins(hour) is None)
    begin, end = _milliseconds(started), _milliseconds(ended)
    if begin is None or end is None or not dated:
        return [*((hour, hours[hour], None) for hour in dated), *others]
    inner = (min(max(calendar.begins(hour) or begin, begin), end) for hour in dated[1:])
    cuts = [begin, *inner, max(end, begin)]
    elapsed = (after - before for before, after in pairwise(cuts))
    return [*((hour, hours[hour], spent) for hour, spent in zip(dated, elapsed, strict=True)), *others]
