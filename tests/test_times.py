"""Times: UTC in records, ISO and spans and words from people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sbfs import times
from sbfs.errors import Invalid

NOW = datetime(2026, 11, 22, 14, 3, 7, 123000, tzinfo=UTC)  # a Sunday


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-11))]),
        min_value=datetime(1971, 1, 1),  # noqa: DTZ001
        max_value=datetime(9000, 1, 1),  # noqa: DTZ001
    )
)
def test_round_trip_to_the_millisecond(moment: datetime):
    """Breaks if a zone were lost or a millisecond rounded up, so that an answer seemed to come before its question."""
    back = times.load(times.dump(moment))
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)
    assert back.tzinfo == UTC
    assert times.dump(back) == times.dump(moment)


def test_texts_sort_as_moments():
    """Breaks if a time were written in two shapes: lists are sorted by text."""
    assert times.dump(NOW) == "2026-11-22T14:03:07.123Z"
    assert times.dump(NOW.replace(microsecond=0)) == "2026-11-22T14:03:07.000Z"
    assert times.dump(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-11-22T14:03:07.123Z"


@pytest.mark.parametrize(("text", "moment"), [
    ("2026-11-22T14:03:07.123Z", NOW), ("2026-11-22T15:03:07.123+01:00", NOW), ("2026-11-22 14:03:07.123", NOW),
    ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
])  # fmt: skip
def test_load(text: str, moment: datetime):
    """Breaks if a time without a zone were local."""
    assert times.load(text) == moment


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-11-22T25:00", "7d", None, 5])
def test_load_refuses(text):
    """Breaks if nonsense, or a number from YAML, ended in a traceback."""
    with pytest.raises(Invalid) as caught:
        times.load(text, field="created")
    assert caught.value.field == "created"
    assert caught.value.hint


@pytest.mark.parametrize(("text", "back"), [
    ("30m", timedelta(minutes=30)), ("12h", timedelta(hours=12)), (" 7d ", timedelta(days=7)), ("2 w",
    timedelta(weeks=2)),
    ("0d", timedelta(0)),
])  # fmt: skip
def test_since_takes_spans(text: str, back: timedelta):
    """Breaks if a span were read as a date, or with another unit."""
    assert times.since(text, now=NOW) == NOW - back


@pytest.mark.parametrize("text", ["7", "d", "-7d", "7y", "7d3h", "99999999999d", "last week", ""])
def test_since_refuses(text: str):
    """Breaks if a span that cannot be were guessed at, or overflowed."""
    with pytest.raises(Invalid) as caught:
        times.since(text, now=NOW)
    assert caught.value.hint
    assert times.since("2026-11-01", now=NOW) == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(("text", "moment"), [
    ("2026-11-23T09:30", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
    ("tomorrow at 9:30", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
    ("in 2 hours", NOW + timedelta(hours=2)),
    ("next friday", datetime(2026, 11, 27, tzinfo=UTC)),
])  # fmt: skip
def test_later(text: str, moment: datetime):
    """What the documentation shows. Breaks if a new dateparser read it otherwise."""
    found = times.later(text, now=NOW)
    assert abs(found - moment) < timedelta(seconds=1) or text == "next friday" and found.date() == moment.date()


@pytest.mark.parametrize("text", ["yesterday", "2020-01-01", "qwertz", "", "an hour ago"])
def test_later_refuses(text: str):
    """Breaks if a message were sent at once since its time is past, or was not understood."""
    with pytest.raises(Invalid) as caught:
        times.later(text, now=NOW)
    assert caught.value.field == "deliver_at"
    assert caught.value.hint
