"""Statistics of conversations: what adds up, what is left open, what a model costs, who answers what."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from domain_helpers import Shell, few, people, put
from helpers import git
from hypothesis import given, strategies
from test_mcp import call
from test_mcp import document as tool_document

from sbfs import conversations, times, verbs
from sbfs.conversations import hours, prices
from sbfs.conversations.facts import Facts, ModelCount, Tokens, ToolCount, add_facts
from sbfs.conversations.tally import Stats
from sbfs.conversations.value import KIND, Conversation, dump
from sbfs.documents import statistics
from sbfs.errors import Ambiguous, Error, Invalid, NotFound
from sbfs.store import Store

TRANSCRIPTS = Path(__file__).with_name("data") / "transcripts"

ADDS_UP = ("begun", "messages", "prompts", "turns", "thinking", "interruptions", "compactions", "commits")
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia")
MODELS = ("claude-opus-4-6", "claude-sonnet-5-5", "gpt-5.6-sol", "llama", "")
TOOLS = ("Bash", "Read", "mcp__x__y", "")


def facts(**given: Any) -> Facts:
    """Facts of one response of a model that has a price, unless told."""
    usual = {"claude-opus-4-6": ModelCount(1, Tokens(10, 20, 30, 40))}
    models = given.pop("models", usual)
    messages = sum(count.messages for count in models.values())
    return Facts(**{"prompts": 1, "turns": 2, "active_ms": 1000, **given}, models=models, messages=messages)


def made(id: str = "one", hour: str = "2026-02-11T20", minutes: int = 30, **given: Any) -> Conversation:
    """A conversation of one hour."""
    begin = times.load(hour + ":10Z")
    counted = given.pop("counted", facts())
    whole = {"started": begin, "ended": begin + timedelta(minutes=minutes), "agent": "claude-code"}
    whole |= {"hours": {hour: counted}, "models": tuple(counted.models), **given}
    return Conversation(id=id, facts=counted, **whole)


def keep(store: Store, *several: Conversation, project: str = "web") -> None:
    """Put conversations into a store, as an import does."""

    def build(tx: Any) -> None:
        for one in several:
            path = KIND.path_of(project=project, month=one.month, id=one.id)
            tx.create(KIND, path, dump(replace(one, updated=one.ended or datetime(2026, 1, 1, tzinfo=UTC))))

    store.write("conversation.import", build)


def count(store: Store, **given: Any) -> dict[str, Any]:
    """The `stats` of an answer."""
    found: dict[str, Any] = statistics.document(conversations.stats(store, **given))["stats"]
    json.dumps(found, allow_nan=False)
    return found


@pytest.fixture
def web(store: Store) -> Store:
    """A store with a project."""
    people(store, "web", "api")
    return store


# -- what adds up ----------------------------------------------------------------------------------

sizes = strategies.integers(0, 5000)
tokens = strategies.builds(Tokens, sizes, sizes, sizes, sizes, strategies.just(0))
model_counts = strategies.builds(ModelCount, strategies.integers(1, 9), tokens)
tool_counts = strategies.builds(
    lambda calls, results, errors, stopped: ToolCount(
        calls, min(calls, results), min(calls, results, errors), min(calls, results, errors, stopped)
    ),
    *(strategies.integers(0, 9) for _ in range(4)),
)


@strategies.composite
def counted(draw: Any) -> Facts:
    """Facts that an import could have made."""
    models = draw(strategies.dictionaries(strategies.sampled_from(MODELS), model_counts, max_size=3))
    tools = draw(strategies.dictionaries(strategies.sampled_from(TOOLS), tool_counts, max_size=3))
    numbers = {name: draw(strategies.integers(0, 5)) for name in (*ADDS_UP[2:], "active_ms")}
    messages = sum(count.messages for count in models.values())
    subagents = draw(model_counts) if messages else ModelCount()
    return Facts(messages=messages, models=models, tools=tools, subagents=subagents, **numbers)


@strategies.composite
def talks(draw: Any) -> Conversation:
    """Conversations over hours and months, on the days on which zones change their clocks, too."""
    first = draw(strategies.sampled_from(["2026-03-28T20", "2026-03-29T00", "2026-10-24T22", "2025-12-31T22"]))
    begin = times.load(first + ":17:03.123Z")
    offsets = draw(strategies.lists(strategies.integers(1, 60), max_size=4, unique=True))
    several = {f"{begin + timedelta(hours=offset):%Y-%m-%dT%H}": draw(counted()) for offset in (0, *sorted(offsets))}
    if draw(strategies.booleans()):
        several[""] = draw(counted())
    spent = timedelta(hours=max(offsets, default=0), seconds=draw(strategies.integers(0, 1500)))
    dated = draw(strategies.booleans()) or "" not in several
    return Conversation(
        id=f"c{draw(strategies.integers(0, 10**9))}",
        agent=draw(strategies.sampled_from(["claude-code", "codex"])),
        started=begin if dated else None,
        ended=begin + spent if dated else None,
        hours=several if dated else {"": several[""]},
        facts=add_facts(several.values() if dated else [several[""]]),
        quality=draw(strategies.none() | strategies.integers(0, 100)),
    )


several_talks = strategies.lists(talks(), max_size=6, unique_by=lambda one: one.id)


def stored(folder: Path, many: list[Conversation]) -> Store:
    """A fresh store that holds conversations in two projects."""
    store = Store.init(folder)
    people(store, "web", "api")
    for number, project in enumerate(("web", "api")):
        keep(store, *many[number::2], project=project)
    return store


def added(parts: list[dict[str, Any]], *path: str) -> float:
    """The sum of a number over parts, where it is known."""
    values = []
    for part in parts:
        value: Any = part
        for name in path:
            value = value and value.get(name)
        values.append(value or 0)
    return sum(values)


@few
@given(
    many=several_talks,
    zone=strategies.sampled_from(ZONES),
    by=strategies.sampled_from(["day", "week", "month", "project", "agent", "day,project", "month,agent", "week,day"]),
)
def test_the_parts_of_any_split_add_up_to_the_whole(tmp_path_factory, many, zone, by):
    """A day that is counted twice where clocks change, a pause that no day has, what has no time lost in a split."""
    with stored(tmp_path_factory.mktemp("s") / "store", many) as store:
        whole = count(store, zone=zone, by=by)
    parts = whole["by"]
    for name in ADDS_UP:
        assert added(parts, name) == whole[name], name
    for sort in ("input", "output", "cache_creation", "cache_read"):
        assert added(parts, "tokens", sort) == (whole["tokens"][sort] or 0)
    for name in ("calls", "results", "errors", "interrupted"):
        assert added(parts, "tool_calls", name) == whole["tool_calls"][name]
    for name in whole["tools"]:
        assert added(parts, "tools", name, "calls") == whole["tools"][name]["calls"]
    for name in ("elapsed_seconds", "active_seconds"):
        assert added(parts, name) == pytest.approx(whole[name] or 0), name
    assert added(parts, "cost", "total") == pytest.approx(whole["cost"]["total"] or 0)
    assert added(parts, "subagents", "messages") == whole["subagents"]["messages"]
    spoken = [one for one in many if not one.is_empty]
    assert whole["begun"] == whole["conversations"] == len(spoken)
    assert len({json.dumps([part.get(name) for name in by.split(",")]) for part in parts}) == len(parts)
    if by in ("project", "agent"):
        assert added(parts, "conversations") == len(spoken)


@few
@given(many=several_talks, zone=strategies.sampled_from(ZONES))
def test_models_and_tools_add_up_and_crosses_agree_with_single_splits(tmp_path_factory, many, zone):
    """A model's share that is in no group, or a cross whose lines are more than the day they are of."""
    with stored(tmp_path_factory.mktemp("s") / "store", many) as store:
        by = {name: count(store, by=name, zone=zone) for name in ("day", "model", "tool", "day,model", "tool,day")}
    whole = by["day"]
    models = by["model"]["by"]
    assert {one["model"]: one["messages"] for one in models} == whole["models"]
    assert added(models, "tokens", "output") == (whole["tokens"]["output"] or 0)
    assert added(models, "cost", "total") == pytest.approx(whole["cost"]["total"] or 0)
    assert {one["tool"]: one["tools"][one["tool"]] for one in by["tool"]["by"]} == whole["tools"]
    for day in whole["by"]:
        models = [one for one in by["day,model"]["by"] if one["day"] == day["day"]]
        tools = [one for one in by["tool,day"]["by"] if one["day"] == day["day"]]
        assert {one["model"]: one["messages"] for one in models} == day["models"]
        assert added(models, "cost", "total") == pytest.approx(day["cost"]["total"] or 0)
        assert {one["tool"]: one["tool_calls"]["calls"] for one in tools} == {
            name: tool["calls"] for name, tool in day["tools"].items()
        }


@few
@given(
    many=several_talks,
    day=strategies.sampled_from(["2025-12-31", "2026-03-29", "2026-03-30", "2026-10-25"]),
    zone=strategies.sampled_from(ZONES),
)
def test_two_spans_that_meet_add_up_to_both_together(tmp_path_factory, many, day, zone):
    """An hour that belongs to both sides of a midnight, or to neither, or to another side than its day."""
    middle = times.load(day, zone=hours.zone_of(zone))
    with stored(tmp_path_factory.mktemp("s") / "store", many) as store:
        before = count(store, until=middle, zone=zone, by="day")
        after = count(store, since=middle, zone=zone, by="day")
        ever = datetime(2020, 1, 1, tzinfo=UTC)
        both = count(store, since=ever, zone=zone)
    for name in ADDS_UP:
        assert before[name] + after[name] == both[name], name
    assert added([before, after], "elapsed_seconds") == pytest.approx(both["elapsed_seconds"] or 0)
    assert all(one["day"] < day for one in before["by"])
    assert all(one["day"] >= day for one in after["by"])


@few
@given(
    first=several_talks,
    more=several_talks,
    zone=strategies.sampled_from(ZONES),
    asked=strategies.lists(
        strategies.sampled_from(["", "day", "month,agent", "day,model", "tool", "project"]), min_size=1, max_size=3
    ),
)
def test_what_is_kept_says_what_counting_anew_says(tmp_path_factory, first, more, zone, asked):
    """A cache that is behind the branch, or ahead of it, or holds another cut than is asked for."""
    with stored(tmp_path_factory.mktemp("s") / "store", first) as store:
        count(store, by=asked[0], zone=zone)
        keep(store, *(replace(one, id=f"m{one.id}") for one in more))
        if first:
            conversations.remove(store, conversation_id=first[0].id)
        kept = [count(store, by=by, zone=zone, session_id=where) for by in asked for where in ("*", "web")]
        past = count(store, by=asked[-1], zone=zone, at="HEAD~1")
        for folder in ("catalog", "statistics"):
            shutil.rmtree(store.root / ".git" / "sbfs" / folder, ignore_errors=True)
        assert kept == [count(store, by=by, zone=zone, session_id=where) for by in asked for where in ("*", "web")]
        assert past == count(store, by=asked[-1], zone=zone, at="HEAD~1")


@pytest.mark.parametrize("damage", ["empty", "torn", "letter", "bytes", "other version", "folder"])
def test_a_broken_cache_is_made_anew(web, damage):
    """A crash, or other figures, from a file below .git that may be deleted at any time."""
    keep(web, made("a"), made("b", "2026-03-01T10"))
    expected = count(web, by="day,model")
    (file,) = (web.root / ".git" / "sbfs" / "statistics").iterdir()
    raw = file.read_bytes()
    body = raw.partition(b"\n")[2].replace(b'"version": 1', b'"version": 0').replace(b"claude", b"clause")
    spoiled = {
        "empty": b"",
        "torn": raw[: len(raw) // 2],
        "letter": raw.replace(b"claude", b"clause", 1),
        "bytes": b"\xff\0\n\n\n",
        "other version": b"%08x\n" % zlib.crc32(body) + body,
    }
    file.unlink()
    file.mkdir() if damage == "folder" else file.write_bytes(spoiled[damage])
    assert count(web, by="day,model") == expected
    assert file.is_dir() or file.read_bytes() == raw


def test_half_an_hour_off_the_hour_around_midnight_belongs_to_one_day_and_one_span(web):
    """A zone of half hours, in which a span ends an hour before or after its last day."""
    keep(web, made(hour="2026-02-11T18"))
    midnight = datetime(2026, 2, 12, tzinfo=hours.zone_of("Asia/Kolkata"))
    (day,) = count(web, zone="Asia/Kolkata", since=midnight, by="day")["by"]
    assert day["day"] == "2026-02-12"
    assert count(web, zone="Asia/Kolkata", until=midnight)["conversations"] == 0
    assert count(web, until=midnight + timedelta(minutes=1))["conversations"] == 1


# -- days ------------------------------------------------------------------------------------------


def test_a_conversation_over_midnight_counts_to_both_days_in_the_zone_that_is_asked_for(web):
    """Days cut in UTC although another zone is asked for, or elapsed time that belongs to no day."""
    talk = made(hour="2026-02-11T22")
    more = facts(prompts=4)
    talk = replace(talk, hours={**talk.hours, "2026-02-12T00": more}, ended=times.load("2026-02-12T00:30:00Z"))
    keep(web, replace(talk, facts=add_facts(talk.hours.values())))
    by_day = {one["day"]: one for one in count(web, by="day")["by"]}
    assert [*by_day] == ["2026-02-11", "2026-02-12"]
    assert [one["prompts"] for one in by_day.values()] == [1, 4]
    assert [one["conversations"] for one in by_day.values()] == [1, 1]
    assert [one["begun"] for one in by_day.values()] == [1, 0]
    assert [one["elapsed_seconds"] for one in by_day.values()] == [110 * 60, 30 * 60]
    berlin = count(web, by="day", zone="Europe/Berlin")
    assert [one["day"] for one in berlin["by"]] == ["2026-02-11", "2026-02-12"]
    tokyo = count(web, by="day", zone="Asia/Tokyo")
    assert [one["day"] for one in tokyo["by"]] == ["2026-02-12"]
    assert tokyo["span"] == {"since": None, "until": None, "zone": "Asia/Tokyo"}


def test_weeks_are_those_of_iso(web):
    """A week that begins on Sunday, or the first days of January in a week of their own."""
    keep(web, made("a", "2026-01-01T12"), made("b", "2025-12-29T12"), made("c", "2026-01-04T23"))
    assert [(one["week"], one["messages"]) for one in count(web, by="week")["by"]] == [("2026-W01", 3)]


def test_what_has_no_time_has_a_group_of_its_own_and_is_in_no_span(web):
    """Turns without a time that are lost, or that count to every span."""
    counted = facts(active_ms=0)
    keep(web, Conversation(id="old", agent="jsonl", hours={"": counted}, facts=counted), made())
    assert [(one["day"], one["messages"]) for one in count(web, by="day")["by"]] == [("2026-02-11", 1), (None, 1)]
    assert count(web, since=datetime(2000, 1, 1, tzinfo=UTC))["messages"] == 1
    alone = count(web, session_id="old")
    assert alone["elapsed_seconds"] is None
    assert alone["active_seconds"] is None


@pytest.mark.parametrize("text", ["30d", "2026-02-11", "2026-02-01..2026-02-11", "2026-02-11..", "..2026-02-11"])
def test_a_range_holds_both_of_its_days(web, clock, text):
    """A last day that is left out of a range, so that a month is a day short."""
    clock.now = datetime(2026, 2, 13, 12, tzinfo=UTC)
    keep(web, made(hour="2026-02-11T23"))
    since, until = hours.read_range(text, clock(), "UTC")
    assert count(web, since=since, until=until)["conversations"] == 1


def test_a_range_that_cannot_be_read_is_refused():
    """A slip in a range that counts everything."""
    for text in ("yesterday", "2026-02-30", "..x"):
        with pytest.raises(Invalid, match="neither a date nor a span"):
            hours.read_range(text, datetime(2026, 2, 13, tzinfo=UTC), "UTC")


def test_windows_compare_the_last_days_with_those_before(web, clock):
    """The present hour left out, or one that is in both spans."""
    clock.now = datetime(2026, 2, 18, 20, 30, tzinfo=UTC)
    keep(web, made("now", "2026-02-18T20"), made("edge", "2026-02-11T21"), made("before", "2026-02-11T20"))
    keep(web, made("older", "2026-01-01T20", counted=facts(prompts=9)))
    (week,) = count(web, windows=[7])["windows"]
    assert week["span"] == {"since": "2026-02-11T21:00:00.000Z", "until": "2026-02-18T21:00:00.000Z"}
    assert week["before_span"]["until"] == week["span"]["since"]
    assert (week["stats"]["conversations"], week["before"]["conversations"]) == (2, 1)
    assert week["change"]["conversations"] == 1
    assert week["change"]["output_tokens"] == 20
    assert week["change"]["quality"] is None


# -- what is not measured --------------------------------------------------------------------------


def test_an_empty_store_is_counted_as_nothing_and_not_as_unknown(web):
    """Averages of nothing that are zero, or a division by it."""
    found = count(web, by="day,model")
    assert (found["conversations"], found["messages"], found["by"]) == (0, 0, [])
    assert found["average_messages"] is None
    assert found["cost"]["total"] == 0
    assert found["cost"]["unpriced"] == []
    assert found["quality"] == {"average": None, "trend": None, "measured": 0}
    assert found["tool_calls"]["error_rate"] is None
    assert Shell(web.root)("conversation", "stats", "--by", "day").out.startswith("0 conversations")


def test_what_is_not_known_of_a_tool_or_a_model_is_null(web):
    """Tokens by tool, which nobody measured, shown as zero."""
    keep(web, made(counted=facts(tools={"Bash": ToolCount(3, 3, 2, 1)})))
    (tool,) = count(web, by="tool")["by"]
    assert tool["tools"] == {
        "Bash": {"calls": 3, "results": 3, "errors": 2, "interrupted": 1, "error_rate": 0.5},
    }
    for name in ("messages", "prompts", "models", "average_messages", "elapsed_seconds", "active_seconds", "subagents"):
        assert tool[name] is None, name
    assert {*tool["tokens"].values()} == {None}
    assert tool["cost"]["total"] is None
    (model,) = count(web, by="model")["by"]
    for name in ("prompts", "tools", "tool_calls", "active_seconds", "commits", "begun"):
        assert model[name] is None, name
    assert model["tokens"]["output"] == 20


def test_responses_without_recorded_tokens_are_not_free(web):
    """A plain transcript, which records no tokens, counted as zero tokens and no cost."""
    keep(web, made(counted=facts(models={"claude-opus-4-6": ModelCount(3)})))
    found = count(web)
    assert {*found["tokens"].values()} == {None}
    assert found["cost"]["total"] is None
    assert found["cost"]["reasons"] == {"claude-opus-4-6": "no tokens recorded"}
    assert "unpriced" in Shell(web.root)("conversation", "stats").out


def test_empty_conversations_are_left_out(web):
    """A session in which nobody said anything, which lists hide, in the average."""
    keep(web, made(), Conversation(id="opened", agent="codex", hours={"2026-02-11T20": Facts(turns=1)}, facts=Facts()))
    assert count(web)["conversations"] == 1


def test_quality_is_of_the_conversations_that_have_one(web):
    """Conversations without a score counted as zero, or a trend that runs backwards."""
    several = [made(f"q{day}", f"2026-02-{day:02}T20", quality=score) for day, score in ((1, 40), (2, 50), (4, 80.5))]
    keep(web, *several, made("unscored", "2026-02-03T20"))
    assert count(web)["quality"] == {"average": 56.83, "trend": 40.5, "measured": 3}
    assert count(web, session_id="q1")["quality"] == {"average": 40, "trend": None, "measured": 1}
    days = {one["day"]: one["quality"]["average"] for one in count(web, by="day")["by"]}
    assert days == {"2026-02-01": 40, "2026-02-02": 50, "2026-02-03": None, "2026-02-04": 80.5}


# -- which are counted -----------------------------------------------------------------------------


def test_a_project_a_conversation_or_all(web):
    """A former name, a beginning of an id, or a filter that counts more than it names."""
    keep(web, made("abc-1"), made("abd-2", agent="codex"))
    keep(web, made("xyz", counted=facts(models={"gpt-5": ModelCount(2, Tokens(1))})), project="api")
    assert count(web)["messages"] == count(web, session_id="*")["messages"] == 4
    assert count(web, session_id="web")["messages"] == count(web, project="web")["messages"] == 2
    assert count(web, session_id="xy")["messages"] == 2
    assert count(web, agent="codex")["messages"] == 1
    assert count(web, model="gpt")["messages"] == 2
    assert count(web, tool="Bash")["messages"] == 0
    with pytest.raises(Ambiguous):
        count(web, session_id="ab")
    with pytest.raises(NotFound):
        count(web, session_id="nobody")
    with pytest.raises(Invalid, match="another one"):
        count(web, session_id="xyz", project="web")
    conversations.remove(web, conversation_id="xyz")
    assert count(web)["messages"] == 2
    with pytest.raises(NotFound):
        count(web, session_id="xyz")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"by": "hour"}, "by"),
        ({"by": "day,day"}, "by"),
        ({"by": "model,tool"}, "by"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"agent": "claude"}, "agent"),
        ({"zone": "../etc"}, "zone"),
        ({"windows": [0]}, "windows"),
        ({"windows": [7], "by": "day"}, "windows"),
        ({"since": datetime(2026, 2, 2, tzinfo=UTC), "until": datetime(2026, 2, 1, tzinfo=UTC)}, "until"),
    ],
)
def test_what_cannot_be_answered_is_refused(web, given, field):
    """A split or a zone with a slip in it that is answered with something else."""
    with pytest.raises(Invalid) as caught:
        count(web, **given)
    assert caught.value.field == field


def test_files_that_cannot_be_read_are_named_and_the_others_counted(web):
    """One bad file that keeps a year of statistics away, or counts as nothing without a word."""
    keep(web, made())
    bad = "projects/web/conversations/2026/02/bad/conversation.yaml"
    odd = "projects/web/conversations/2026/02/odd/conversation.yaml"
    put(web, bad, "id: bad\nagent: [\n")
    put(web, odd, "id: odd\nagent: codex\nhours:\n  2026-02-11T20: {messages: many}\n")
    git(web.root, "add", "-A")
    git(web.root, "commit", "-q", "-m", "By hand")
    found = statistics.document(conversations.stats(web))
    assert found["stats"]["conversations"] == 1
    assert [one["path"] for one in found["unreadable"]] == [bad, odd]
    assert "not counted" in Shell(web.root)("conversation", "stats").err


# -- prices ----------------------------------------------------------------------------------------


def test_the_shipped_prices_are_valid_dated_and_say_where_they_come_from():
    """A slip in the table, a price without a source, one sort that costs what another does."""
    table = prices._shipped()
    assert table.currency == "USD"
    assert table.date >= "2026"
    assert len(table.sources) >= 2
    for name, periods in table.models.items():
        for price in periods:
            if price.rates is None:
                continue
            given, output, creation, read, hour = price.rates
            assert read < given <= creation <= hour, name
            assert given < output <= 8 * given, name


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("claude-opus-4-6", True),
        ("claude-sonnet-4-5-20250929", True),
        ("claude-sonnet-4-5@20250929", True),
        ("gpt-5-2025-08-07", True),
        ("claude-opus-4-60", False),
        ("claude-opus-4-6-fast", False),
        ("gpt-5.9", False),
        ("", False),
    ],
)
def test_a_name_that_is_only_alike_has_no_price(web, model, known):
    """A model of tomorrow, or a faster and dearer one, at the price of another."""
    assert (prices.of(web).at(model, "2026-02-11") is not None) == known


def test_cost_is_tokens_by_price_exactly(web):
    """A sum that differs by the order of adding, or tokens kept for an hour at the price of minutes."""
    keep(web, made(counted=facts(models={"claude-opus-4-6": ModelCount(2, Tokens(1, 2, 30, 4, 10))})))
    assert count(web)["cost"]["total"] == (1 * 5 + 2 * 25 + 20 * 6.25 + 10 * 10 + 4 * 0.5) / 1e6
    assert count(web)["cost"]["prices"][0]["date"]


def test_a_price_that_changed_counts_from_its_day_on(web):
    """Last year's use at this year's price."""
    tokens = {"claude-sonnet-5-5": ModelCount(1, Tokens(0, 0, 0, 1_000_000))}
    keep(web, made("a", "2026-10-06T20", counted=facts(models=tokens)))
    keep(web, made("b", "2026-10-07T20", counted=facts(models=tokens)))
    assert [one["cost"]["total"] for one in count(web, by="day")["by"]] == [0.2, 0.1]
    assert count(web)["cost"]["total"] == pytest.approx(0.3)
    both = {hour: facts(models=tokens) for hour in ("2026-10-06T23", "2026-10-07T00")}
    keep(web, made("over", hours=both, counted=add_facts(both.values()), hour="2026-10-06T23", minutes=90))
    assert count(web, session_id="over")["cost"]["total"] == pytest.approx(0.3)
    keep(web, made("c", "2026-11-22T20", counted=facts(models={"gpt-5.6-sol": ModelCount(1, Tokens(1))})))
    assert count(web)["cost"]["unpriced"] == ["gpt-5.6-sol"]


def test_a_model_without_a_price_is_unpriced_and_never_free(web):
    """Zero for what nobody knows."""
    keep(web, made("a", counted=facts(models={"llama": ModelCount(1, Tokens(5))})))
    assert count(web)["cost"] | {"prices": 0} == {
        "total": None, "currency": "USD", "unpriced": ["llama"], "reasons": {"llama": "no price"}, "prices": 0,
    }  # fmt: skip
    keep(web, made("b"))
    assert count(web)["cost"]["total"] > 0
    assert count(web)["cost"]["unpriced"] == ["llama"]


def settle(store: Store, text: str) -> None:
    """Write the store's settings by hand, and save them."""
    file = store.root / "sbfs.yaml"
    file.write_text(file.read_text() + text)
    verbs.run("save", store)


def test_users_put_prices_over_the_shipped_ones(web, tmp_path):
    """A price of one's own that is not taken, or that takes the others away."""
    keep(web, made(counted=facts(models={"llama-70b": ModelCount(1, Tokens(1_000_000, 0, 0, 1_000_000))})), made("b"))
    shipped = count(web, session_id="b")["cost"]["total"]
    settle(web, "prices:\n  models:\n    llama*: {input: 3, output: 4}\n")
    assert count(web, session_id="one")["cost"]["total"] == 6
    assert count(web, session_id="b")["cost"]["total"] == shipped
    own = tmp_path / "prices.yaml"
    own.write_text("models:\n  llama-70b: {input: 1, output: 2, cache_read: 0.5}\n")
    assert count(web, session_id="one", prices_file=own)["cost"]["total"] == 1.5


def test_prices_of_another_currency_stand_alone(web, tmp_path):
    """Euros added to dollars."""
    keep(web, made(), made("b", counted=facts(models={"llama": ModelCount(1, Tokens(1_000_000))})))
    own = tmp_path / "prices.json"
    own.write_text('{"currency": "EUR", "models": {"llama": {"input": 2, "output": 2}}}')
    cost = count(web, prices_file=own)["cost"]
    assert (cost["total"], cost["currency"], cost["unpriced"]) == (2, "EUR", ["claude-opus-4-6"])


@pytest.mark.parametrize(
    "text",
    [
        "prices: {models: {x: 3}}\n",
        "prices: {models: {x: {input: 1}}}\n",
        "prices: {models: {x: {input: 1, output: free}}}\n",
        "prices: {models: {x: {input: 1, output: -1}}}\n",
        "prices: {models: {x: {input: 1, output: 1, outptu: 1}}}\n",
        "prices: {models: {x: [{from: soon, input: 1, output: 1}]}}\n",
        "prices: {models: {x: []}}\n",
        "prices: {}\n",
        "prices: {models: {}, date: tomorrow}\n",
    ],
)
def test_wrong_prices_are_refused_with_their_place(web, tmp_path, text):
    """A slip in a price that is kept, and then counted as no price at all."""
    file = web.root / "sbfs.yaml"
    before = file.read_text()
    file.write_text(before + text)
    said = verbs.run("save", web)
    assert not said["success"]
    assert said["code"] == "invalid"
    assert said["error"].startswith("an edit is invalid: sbfs.yaml"), said
    assert "prices" in said["error"]
    file.write_text(before)
    own = tmp_path / "own.yaml"
    own.write_text(text.removeprefix("prices: ").replace("}\n", "}\n"))
    with pytest.raises(Invalid) as caught:
        count(web, prices_file=own)
    assert caught.value.path == str(own)


def test_a_price_file_that_is_not_there_is_said(web):
    """A name with a slip in it that falls back to other prices."""
    with pytest.raises(NotFound):
        count(web, prices_file=web.root / "nowhere.yaml")


# -- who answers -----------------------------------------------------------------------------------


def sample(store: Store) -> None:
    """Two projects, two agents, three days."""
    bash = {"Bash": ToolCount(3, 3, 1, 0), "Read": ToolCount(1, 1)}
    keep(store, made("abc", counted=facts(tools=bash), quality=70), made("def", "2026-02-12T03", agent="codex"))
    keep(
        store, made("ghi", "2026-03-01T12", counted=facts(models={"llama": ModelCount(2, Tokens(9, 9))})), project="api"
    )


ASKED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"by": "day"}, ["--by", "day"]),
    ({"by": "day,model", "zone": "Asia/Tokyo"}, ["--by", "day,model", "--zone", "Asia/Tokyo"]),
    ({"session_id": "web", "by": "tool"}, ["web", "--by", "tool"]),
    ({"session_id": "ab"}, ["ab"]),
    ({"since": datetime(2026, 2, 12, tzinfo=UTC)}, ["--since", "2026-02-12"]),
    ({"windows": [7, 30, 90]}, ["--window", "7,30,90"]),
    ({"project": "web", "agent": "codex"}, ["--project", "web", "--agent", "codex"]),
    ({"model": "opus", "tool": "Bash"}, ["--model", "opus", "--tool", "Bash"]),
]  # fmt: skip


@pytest.mark.parametrize(("keywords", "arguments"), ASKED, ids=lambda value: str(value)[:40])
def test_python_and_the_shell_count_alike(tmp_path, keywords, arguments):
    """A figure that differs between the library and the command line; people who get a traceback instead."""
    # The command's clock is the machine's; no window of either reaches back to what is kept here.
    with Store.init(tmp_path / "store", clock=lambda: times.now().replace(minute=30)) as store:
        people(store, "web", "api")
        sample(store)
        expected = verbs.run("conversation.stats", store, **keywords)
        assert Shell(store.root).json("conversation", "stats", *arguments) == expected
        spoken = Shell(store.root)("conversation", "stats", *arguments)
    assert spoken.status == 0
    assert spoken.err == ""
    assert spoken.out


def test_the_tool_counts_as_the_library_does(tmp_path):
    """An agent that is told other figures than a person."""
    with Store.init(tmp_path / "store") as store:
        people(store, "web", "api")
        sample(store)
        of_all = verbs.run("conversation.stats", store, by="day,model")
        in_february = verbs.run(
            "conversation.stats",
            store,
            session_id="web",
            since=datetime(2026, 2, 12, tzinfo=UTC),
            until=datetime(2026, 3, 1, tzinfo=UTC),
        )
    answer = tool_document(call(store.root, "get_conversation_stats", session_id="*", by="day,model"))
    assert answer == of_all
    asked = {"session_id": "web", "time_range": "2026-02-12..2026-02-28"}
    assert tool_document(call(store.root, "get_conversation_stats", **asked)) == in_february
    wrong = call(store.root, "get_conversation_stats", session_id="nobody")
    assert wrong.is_error
    assert tool_document(wrong)["code"] == "not_found"


def test_people_see_the_figures(web):
    """A table that leaves out what it is asked for: values, money, what is unpriced."""
    sample(web)
    shell = Shell(web.root)
    whole = shell("conversation", "stats").out
    assert "3 conversations, 3 prompts, 4 messages" in whole
    assert "llama: no price" in whole
    assert "█" in whole
    by_day = shell("conversation", "stats", "--by", "day,project").out.splitlines()
    assert [line.split()[:2] for line in by_day[-4:-1]] == [
        ["2026-02-11", "web"], ["2026-02-12", "web"], ["2026-03-01", "api"],
    ]  # fmt: skip
    assert "unpriced: llama" in by_day[-1]
    shell.fails(2, "usage", "conversation", "stats", "--window", "week")
    shell.fails(4, "invalid", "conversation", "stats", "--by", "hour")


# -- the given transcripts -------------------------------------------------------------------------


@pytest.fixture
def imported(tmp_path: Path) -> Iterator[Store]:
    """A store with the real transcripts."""
    with Store.init(tmp_path / "store") as store:
        people(store, "web")
        conversations.import_(store, paths=[TRANSCRIPTS], project="web")
        yield store


def test_real_transcripts_yield_the_known_totals(imported):
    """A response counted twice, a sub-agent left out, the first chunk's tokens taken for the last's."""
    found = count(imported, by="model")
    assert (found["conversations"], found["messages"], found["prompts"]) == (2, 160, 6)
    assert (found["average_messages"], found["compactions"]) == (80, 1)
    assert {sort: found["tokens"][sort] for sort in ("input", "output", "cache_creation", "cache_read")} == {
        "input": 252, "output": 39_120, "cache_creation": 411_833, "cache_read": 15_060_765,
    }  # fmt: skip
    assert found["models"] == {"claude-opus-4-6": 157, "claude-sonnet-4-5-20250929": 3}
    assert {name: tool["calls"] for name, tool in found["tools"].items()} == {
        "Bash": 81, "Read": 43, "Edit": 35, "Write": 13, "Glob": 9, "Grep": 5, "TaskOutput": 3, "WebFetch": 3,
        "Task": 1, "WebSearch": 1,
    }  # fmt: skip
    assert (found["tool_calls"]["results"], found["tool_calls"]["errors"]) == (194, 7)
    assert [one["tokens"]["output"] for one in found["by"]] == [39_117, 3]
    assert found["subagents"]["messages"] == 3
    assert found["cost"]["unpriced"] == []
    days = count(imported, by="day")["by"]
    assert [(one["day"], one["messages"], one["prompts"]) for one in days] == [
        ("2026-02-10", 4, 2),
        ("2026-02-11", 156, 4),
    ]


def test_statistics_read_no_turn(imported):
    """Counting that grows with what was said, instead of with how many conversations there are."""
    expected = count(imported)
    for path in sorted((imported.root / "projects/web/conversations").rglob("*.jsonl")):
        path.unlink()
    git(imported.root, "commit", "-q", "-a", "-m", "Without a word")
    assert count(imported) == expected


def test_every_figure_is_documented():
    """A key of the answer that the page on statistics does not explain."""
    page = (Path(__file__).parent.parent / "docs" / "statistics.md").read_text()
    missing = [name for name in Stats.__dataclass_fields__ if f"`{name.replace('_ms', '_seconds')}`" not in page]
    assert missing == []
    assert issubclass(Invalid, Error)
