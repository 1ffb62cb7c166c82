"""Pictures of numbers, drawn by Matplotlib as SVG for a page: with the page's own colours, in light and in dark.

Every picture is a function of its numbers, byte for byte. What is drawn in black takes the colour of the text
around it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

SERIES = ("#4878d0", "#ee854a", "#6acc64", "#d65f5f", "#956cb4", "#8c613c", "#dc7ec0", "#797979")
"""Told apart also by most who do not see all colours: the muted palette that seaborn made known."""

_WIDTH = 7.2
"""Inches, of 72 points."""

MOST = 12
"""Names on an axis: beyond them a picture is not read."""

MOST_LINES = len(SERIES)
"""Lines in one picture: beyond them two have the same colour."""

MOST_DAYS = 92
"""Bars of days in one picture; longer spans are drawn by weeks."""


def bars_by_day(days: Mapping[str, float], *, since: str, until: str, label: str) -> str:
    """A bar a day, of all days of a span; a bar a week where there are many. since, until: UTC, both included."""
    span = _days(since, until)
    span, (days,) = _by_week(span, [days]) if len(span) > MOST_DAYS else (span, [days])

    def draw(axes: Any) -> None:
        axes.bar(range(len(span)), [days.get(day, 0) for day in span], color=SERIES[0], width=0.8)
        _day_axis(axes, span)
        axes.set_ylabel(label)
        axes.yaxis.get_major_locator().set_params(integer=True)

    return _drawn(draw, height=2.2, title=f"{label} over time")


def stacked_by_day(series: Mapping[str, Mapping[str, float]], *, since: str, until: str, label: str) -> str:
    """Several numbers a day, or a week, one upon the other."""
    span = _days(since, until)
    if len(span) > MOST_DAYS:
        span, weeks = _by_week(span, [*series.values()])
        series = dict(zip(series, weeks, strict=True))

    def draw(axes: Any) -> None:
        below = [0.0] * len(span)
        for number, (name, days) in enumerate(series.items()):
            values = [days.get(day, 0) for day in span]
            axes.bar(range(len(span)), values, bottom=below, color=SERIES[number % 8], width=0.8, label=name)
            below = [one + other for one, other in zip(below, values, strict=True)]
        _day_axis(axes, span)
        axes.set_ylabel(label)
        axes.legend(frameon=False, fontsize=10, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))

    return _drawn(draw, height=2.2, title=f"{label} by day")


def ranked(values: Mapping[str, float], *, label: str, notes: Mapping[str, str] | None = None) -> str:
    """A bar a name, the longest first. notes: name → what stands behind its bar."""
    shown = [(name, values[name]) for name in highest(values)]

    def draw(axes: Any) -> None:
        places = range(len(shown))
        axes.barh(places, [value for _, value in shown], color=SERIES[0], height=0.7)
        axes.set_yticks(places, [_short(name) for name, _ in shown])
        axes.invert_yaxis()
        for place, (name, value) in enumerate(shown):
            said = (notes or {}).get(name, f"{value:,.0f}")
            axes.annotate(said, (value, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=10)
        axes.set_xlim(0, max((value for _, value in shown), default=1) * 1.3 or 1)
        axes.set_xlabel(label)
        axes.xaxis.get_major_locator().set_params(integer=True)

    return _drawn(draw, height=0.7 + 0.3 * len(shown), title=label)


def highest(values: Mapping[str, float], most: int = MOST) -> list[str]:
    """The names with the highest values, the highest first: those that a picture shows."""
    return sorted(values, key=lambda name: (-values[name], name))[:most]


def written(pairs: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Name → messages that it sent and received."""
    totals: dict[str, int] = {}
    for parties, count in pairs.items():
        for name in {*parties}:
            totals[name] = totals.get(name, 0) + count
    return totals


def by_week(since: str, until: str) -> bool:
    """Whether a span is so long that it is drawn by weeks."""
    return len(_days(since, until)) > MOST_DAYS


def flows(pairs: Mapping[tuple[str, str], int]) -> str:
    """Who writes to whom: a field a pair, the darker the more; senders are rows."""
    names = sorted(highest(written(pairs)))
    most = max(pairs.values(), default=1)

    def draw(axes: Any) -> None:
        for row, sender in enumerate(names):
            for column, recipient in enumerate(names):
                count = pairs.get((sender, recipient), 0)
                if count:
                    strength = min(1.0, 0.2 + 0.8 * count / most)
                    axes.scatter(column, row, s=500 * strength, marker="s", color=SERIES[0], alpha=strength)
                    axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=10)
        axes.set_xticks(range(len(names)), [_short(name) for name in names], rotation=30, ha="left")
        axes.set_yticks(range(len(names)), [_short(name) for name in names])
        axes.xaxis.tick_top()
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_ylabel("from")
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)

    return _drawn(draw, height=1.3 + 0.45 * len(names), title="Mail between projects", width=2.0 + 0.7 * len(names))


def lines(series: Mapping[str, Sequence[tuple[str, float]]], *, since: str, until: str, label: str) -> str:
    """A line a name, of (UTC time, 0 to 100); of the MOST_LINES names with the most points."""
    shown = sorted(highest({name: len(points) for name, points in series.items()}, MOST_LINES))
    span = _days(since, until)
    first = date.fromisoformat(span[0])

    def draw(axes: Any) -> None:
        for number, name in enumerate(shown):
            places = [_place(when, first) for when, _ in series[name]]
            values = [value for _, value in series[name]]
            axes.plot(places, values, color=SERIES[number], marker="o", ms=3, lw=1.5, label=_short(name))
        _day_axis(axes, span)
        axes.set_ylim(0, 102)
        axes.set_ylabel(label)
        axes.legend(frameon=False, fontsize=10, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))

    # Four names stand in a line above the picture.
    return _drawn(draw, height=2.0 + 0.25 * -(-len(shown) // 4), title=f"{label} over time")


def _place(when: str, first: date) -> float:
    day = (date.fromisoformat(when[:10]) - first).days
    return day + (int(when[11:13]) + int(when[14:16]) / 60) / 24 - 0.5


def _days(since: str, until: str) -> list[str]:
    begin, end = date.fromisoformat(since[:10]), date.fromisoformat(until[:10])
    return [(begin + timedelta(days=number)).isoformat() for number in range((end - begin).days + 1)]


def _by_week(
    span: Sequence[str], series: Sequence[Mapping[str, float]]
) -> tuple[list[str], Sequence[Mapping[str, float]]]:
    """The same by weeks, each named by its Monday."""
    monday = {day: _monday(date.fromisoformat(day)) for day in span}
    weeks: list[dict[str, float]] = [{} for _ in series]
    for sums, days in zip(weeks, series, strict=True):
        for day, value in days.items():
            if day in monday:
                sums[monday[day]] = sums.get(monday[day], 0) + value
    return list(dict.fromkeys(monday.values())), weeks


def _monday(day: date) -> str:
    return (day - timedelta(day.weekday())).isoformat()


def _day_axis(axes: Any, span: Sequence[str]) -> None:
    step = max(1, -(-len(span) // 8))
    places = range(0, len(span), step)
    axes.set_xticks(places, [span[place][5:] for place in places])
    axes.set_xlim(-0.7, len(span) - 0.3)


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:31]}…"


def _drawn(draw: Callable[[Any], None], *, height: float, title: str, width: float = _WIDTH) -> str:
    """The SVG element of one picture. title: for those who do not see it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "sbfs",
        "font.size": 11,
        "font.family": "sans-serif",
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.6,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return _for_a_page(out.getvalue(), title)


def numbered(svg: str, number: int) -> str:
    """The picture with ids of its own, so that several can stand on one page."""
    return re.sub(r'(id="|xlink:href="#|url\(#)', rf"\g<1>p{number}-", svg)


def _for_a_page(svg: str, title: str) -> str:
    """The element alone, in the colour and the font of the text around it."""
    from markupsafe import escape

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="([\d.]+)pt"', r'\1 style="max-width:\2pt"', svg, count=1)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    svg = svg.replace("#000000", "currentColor")
    svg = re.sub(
        r"<style[^>]*>.*?</style>", "<style>*{stroke-linejoin:round;stroke-linecap:butt}</style>", svg, flags=re.S
    )
    # Without a fill of its own, a text is black; the page's own colour is meant.
    svg = re.sub(r'<text style="', '<text fill="currentColor" style="', svg)
    return re.sub(r"font: ?([\d.]+)px [^;\"]*", r"font-size:\1px;font-family:inherit", svg)
