"""What a store holds, in numbers: mail and answers, conversations, quality, what was done. Counted, never guessed.

Mail is counted from catalogs, conversations from their facts: no body and no turn is read. What was not measured
is None.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from sbfs import conversations, history, projects, quality, times
from sbfs.conversations.statistics import Statistics
from sbfs.errors import Invalid, NotFound
from sbfs.graph.value import SNAPSHOT
from sbfs.graph.value import load as load_snapshot
from sbfs.listing import text_of
from sbfs.messages.reading import box_catalog
from sbfs.messages.value import Header
from sbfs.store import Store, View

SPAN = timedelta(days=30)
"""What is counted unless told."""

MOST = 20_000
"""Commits that are looked at: each is an object to be read."""


@dataclass(frozen=True)
class Flow:
    """Mail from one project to another."""

    from_project: str
    to_project: str
    messages: int


@dataclass(frozen=True)
class Box:
    """A project's unread mail, now. oldest: when the oldest of it came."""

    project: str
    unread: int
    oldest: str | None


@dataclass(frozen=True)
class Mail:
    """Mail that was delivered in the span. by_day: UTC day → messages. boxes: of all projects, as they are now.
    answered: messages that whoever received them answered, in the same thread. median_seconds: from a message to
    the first answer; None where there was none."""

    messages: int
    by_day: Mapping[str, int]
    flows: tuple[Flow, ...]
    boxes: tuple[Box, ...]
    answered: int
    median_seconds: float | None


@dataclass(frozen=True)
class Score:
    """A project's quality. latest: its last score, in the span or before. average, change: of the span, and against
    the span before. points: (time, score) in the span, oldest first."""

    project: str
    latest: float | None
    average: float | None
    change: float | None
    points: tuple[tuple[str, float | None], ...]


@dataclass(frozen=True)
class Activity:
    """What was done in the span. by_day: UTC day → operations. operations: name → how many, "" for plain Git's.
    whole: whether all of the span was looked at; else only its last MOST commits."""

    commits: int
    by_day: Mapping[str, int]
    operations: Mapping[str, int]
    whole: bool = True


@dataclass(frozen=True)
class Code:
    """What a project's code graph counts. counts: files, lines, functions, classes, calls and others, now. before: the
    same when the span began; None where there was no graph yet."""

    project: str
    counts: Mapping[str, int]
    before: Mapping[str, int] | None


@dataclass(frozen=True)
class Numbers:
    """An answer. revision: what was counted. conversations: the total of the span; conversations_by_day: by day."""

    revision: str
    since: datetime
    until: datetime
    projects: int
    mail: Mail
    conversations: Statistics
    conversations_by_day: Statistics
    quality: tuple[Score, ...]
    activity: Activity
    code: tuple[Code, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = field(default=())


def stats(
    store: Store,
    *,
    project: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    at: str | None = None,
) -> Numbers:
    """Count what a store, or one project of it, holds of a span: thirty days up to now unless told.

    Raises NotFound for an unknown project, Invalid for a span that is empty.
    """
    end = until or store.clock()
    begin = since or end - SPAN
    if begin >= end:
        raise Invalid(f"{times.dump(begin)} is not before {times.dump(end)}", field="since", hint="give an earlier one")
    view = store.view(at)
    everyone = [one.name for one in projects.everyone(view)]
    names = [projects.resolve(view, project).name] if project else everyone
    headers = [header for name in everyone for header in _received(view, name)]
    talks = {"project": names[0] if project else "", "since": begin, "until": end, "at": at}
    total = conversations.stats(store, **talks)  # type: ignore[arg-type]
    return Numbers(
        revision=view.revision,
        since=begin,
        until=end,
        projects=len(names),
        mail=_mail(view, headers, names, (text_of(begin), text_of(end)), text_of(store.clock())),
        conversations=total,
        conversations_by_day=conversations.stats(store, by="day", **talks),  # type: ignore[arg-type]
        quality=tuple(_score(store, name, begin, end, at) for name in names),
        activity=_activity(store, view, begin, end, f"projects/{names[0]}" if project else ""),
        code=tuple(_code(store, view, names, begin)),
        unreadable=total.unreadable,
    )


# -- mail ----------------------------------------------------------------------------------------------


def _received(view: View, project: str) -> Iterator[Header]:
    catalog = box_catalog(view, "inbox", project)
    for period, tree in catalog.periods():
        for row in catalog.rows(period, tree):
            if row.header is not None:
                yield Header(row.path, *row.header)


def _mail(view: View, headers: Sequence[Header], names: Sequence[str], span: tuple[str, str], now: str) -> Mail:
    """headers: of all received mail; an answer may come after the span, and from another project than is asked for."""
    here = [one for one in headers if not (one.scheduled and one.when > now)]
    wanted = {*names}
    parties = {one: projects.name_now(view, one) for header in here for one in (header.from_project, header.to_project)}
    inside = [
        one
        for one in here
        if span[0] <= one.when < span[1] and not wanted.isdisjoint((parties[one.from_project], parties[one.to_project]))
    ]
    flows = Counter((parties[one.from_project], parties[one.to_project]) for one in inside)
    waits = [*_waits(inside, here, parties)]
    return Mail(
        messages=len(inside),
        by_day=_by_day(one.when for one in inside),
        flows=tuple(Flow(*pair, count) for pair, count in sorted(flows.items(), key=lambda one: (-one[1], one[0]))),
        boxes=tuple(_box(name, [one for one in here if one.path.split("/")[1] == name]) for name in names),
        answered=len(waits),
        median_seconds=round(median(waits), 3) if waits else None,
    )


def _waits(asked: Iterable[Header], known: Iterable[Header], parties: Mapping[str, str]) -> Iterator[float]:
    """Seconds from a message to the first later one of its thread that goes the other way."""
    threads: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in known:
        threads[one.thread, parties[one.from_project], parties[one.to_project]].append(one.when)
    for whens in threads.values():
        whens.sort()
    for one in asked:
        back = threads.get((one.thread, parties[one.to_project], parties[one.from_project]), ())
        place = bisect_right(back, one.when)
        if place < len(back) and parties[one.from_project] != parties[one.to_project]:
            yield (times.load(back[place]) - times.load(one.when)).total_seconds()


def _box(project: str, headers: Sequence[Header]) -> Box:
    unread = [one.when for one in headers if one.status == "unread"]
    return Box(project, len(unread), min(unread, default=None))


def _by_day(whens: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(when[: len("2026-11-22")] for when in whens).items()))


# -- code ----------------------------------------------------------------------------------------------


def _code(store: Store, view: View, names: Sequence[str], since: datetime) -> Iterator[Code]:
    now = {name: counts for name in names if (counts := _counts(view, name)) is not None}
    then: View | None = None
    if now:
        with suppress(NotFound):
            then = store.view(times.dump(since))
    for name, counts in now.items():
        yield Code(name, counts, _counts(then, name) if then else None)


def _counts(view: View, project: str) -> Mapping[str, int] | None:
    record = view.find_record(SNAPSHOT.path_of(project=project))
    with suppress(Invalid):
        return load_snapshot(record.data).counts if record and not record.removed else None
    return None


# -- quality, activity -----------------------------------------------------------------------------------


def _score(store: Store, project: str, since: datetime, until: datetime, at: str | None) -> Score:
    trend = quality.trend(store, project=project, since=since, until=until, at=at)
    points = tuple((times.dump(point.timestamp), point.score) for point in trend.points)
    measured = [score for _, score in points if score is not None]
    latest = measured[-1] if measured else _last_before(store, project, since, at)
    return Score(project, latest, trend.average, trend.change, points)


def _last_before(store: Store, project: str, since: datetime, at: str | None) -> float | None:
    found = quality.points(store.view(at), project, until=since)
    return next((point.score for point in reversed(found) if point.score is not None), None)


def _activity(store: Store, view: View, since: datetime, until: datetime, below: str) -> Activity:
    """By the times that commits say; the walk ends two days before the span, as far as a clock may be wrong."""
    days: Counter[str] = Counter()
    operations: Counter[str] = Counter()
    whole = True
    for number, commit in enumerate(store.repo.history(view.revision)):
        if commit.time < since - timedelta(days=2):
            break
        if number == MOST:
            whole = False
            break
        if since <= commit.time < until and (not below or history.touches(store.repo, commit, below)):
            days[times.dump(commit.time)[: len("2026-11-22")]] += 1
            operations[commit.trailers.get("Sbfs-Operation", "")] += 1
    by_name = sorted(operations.items(), key=lambda one: (-one[1], one[0]))
    return Activity(days.total(), dict(sorted(days.items())), dict(by_name), whole)
