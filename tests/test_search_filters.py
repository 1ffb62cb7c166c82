"""Every filter, alone and with others, admits what a scan of all records admits, and changes nobody's rank."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Clock
from domain_helpers import mail, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_helpers import found

from sbfs import messages, projects, search, times
from sbfs.entry import Entry
from sbfs.search import entries
from sbfs.search.engine import Engine
from sbfs.search.question import Filters, Question
from sbfs.search.scan import Scan
from sbfs.store import Store

# -- the index against the definition ------------------------------------------------------------------

WORDS = ("gnu", "zebra", "okapi", "getUserStats", "parser.py", "cache")
NAMES = ("web", "api", "docs")
TIMES = (
    "",
    "2025-12-31T23:59:59.999Z",
    "2026-01-01T00:00:00.000Z",
    "2026-01-31T12:00:00.000Z",
    "2026-02-01T00:00:00.000Z",
)
BOUNDS = (
    "",
    "2025-06-01T00:00:00.000Z",
    "2026-01-01T00:00:00.000Z",
    "2026-01-31T12:00:00.001Z",
    "2030-01-01T00:00:00.000Z",
)
PATHS = ("projects/web/inbox/a.yaml", "projects/web/outbox/b.yaml", "projects/web-2/inbox/c.yaml", "groups/team.yaml")
FACETS = {
    "role": ("user", "assistant"),
    "model": ("claude-x", "gpt-y", "Claude-x"),
    "tool": ("Bash", "Read", "Edit"),
    "tags": ("a", "b", "a,b", "ä b"),
    "status": ("unread", "read"),
}

facets = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.sampled_from(values), st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple))
        for name, values in FACETS.items()
    },
)
made = st.builds(
    Entry,
    id=st.sampled_from("abcdefgh"),
    kind=st.sampled_from(("message", "conversation", "reflection")),
    project=st.sampled_from(("", *NAMES)),
    path=st.sampled_from(PATHS),
    title=st.sampled_from(("", *WORDS)),
    timestamp=st.sampled_from(TIMES),
    group=st.sampled_from(("", "one", "two")),
    seq=st.integers(0, 9),
    text=st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join),
    identifiers=st.sampled_from(("", "getUserStats", "src/parser.py")),
    facets=facets,
    quality=st.one_of(st.none(), st.sampled_from((0.0, 39.5, 40.0, 100.0))),
    due=st.sampled_from(("", *TIMES[1:])),
)
filters = st.builds(
    Filters,
    words=st.dictionaries(
        st.sampled_from(("kind", "project", "group", "unheard", *FACETS)), st.just(frozenset()), max_size=3
    ).flatmap(
        lambda names: st.fixed_dictionaries(
            {name: st.frozensets(_values(name), min_size=1, max_size=2) for name in names}
        )
    ),
    since=st.sampled_from(BOUNDS),
    until=st.sampled_from(BOUNDS),
    path=st.sampled_from(
        ("", "projects/web", "projects/web/", "*/inbox/*", "groups/*", "projects/web*", "x", "[a-g]*")
    ),
    quality_from=st.sampled_from((None, 0.0, 40.0)),
    quality_to=st.sampled_from((None, 0.0, 40.0)),
    now=st.sampled_from(("", *TIMES[1:])),
)


def _values(name: str) -> st.SearchStrategy[str]:
    known = {
        "kind": ("message", "conversation", "reflection"),
        "project": NAMES,
        "group": ("one", "two"),
        "unheard": ("x",),
    }
    return st.sampled_from((known | FACETS)[name] + ("nothing",))


def records(found: list[Entry]) -> list[tuple[str, str, Entry]]:
    """Entries under keys of their own."""
    return [(f"key-{number:02}", f"{number:040}", entry) for number, entry in enumerate(found)]


class _Records(Scan):
    """The scan, over given records."""

    def __init__(self, found: list[entries.Keyed]):
        self.found = found

    def everything(self) -> Iterator[entries.Keyed]:
        return iter(self.found)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(made, max_size=14), st.lists(filters, min_size=1, max_size=6), st.data())
def test_every_filter_equals_a_scan_of_all_records(found, wanted, data):
    """A filter of the index that lets through, or keeps back, what its definition does not."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine.create(Path(folder) / "index")
        every = records(found)
        cut = data.draw(st.integers(0, len(every)))
        gone = data.draw(st.sets(st.sampled_from([key for key, _, _ in every]))) if every else set()
        engine.apply([], every[:cut])
        engine.apply([], every[cut:])
        engine.apply(gone, [])
        left = [one for one in every if one[0] not in gone]
        for one in wanted:
            admitted = {key for key, _, entry in left if one.admits(entry)}
            listed = engine.search(Question("", one, limit=100, neighbours=False))
            assert {hit.key for hit in listed.hits} == admitted
            assert listed.total == len(admitted)
            text = data.draw(st.sampled_from(("gnu", "zebra okapi", "getUserStats")))
            plain = engine.search(Question(text, limit=100, neighbours=False))
            filtered = engine.search(Question(text, one, limit=100, neighbours=False))
            ranked = {hit.key: hit.score for hit in plain.hits}
            assert [hit.key for hit in filtered.hits] == [hit.key for hit in plain.hits if hit.key in admitted]
            assert all(abs(ranked[hit.key] - hit.score) < 1e-6 for hit in filtered.hits)
            scanned = _Records(left).search(Question(text, one, limit=100))
            assert {hit.key for hit in scanned.hits} == {hit.key for hit in filtered.hits}
            assert scanned.total == len(scanned.hits)
        engine.close()


# -- the verb against the records ------------------------------------------------------------------------

PEOPLE = ("web", "api", "docs", "qa")
TOPICS = ("herd", "herd of gnus", "herd of zebras")
START = datetime(2026, 1, 28, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def post(tmp_path_factory) -> Iterator[Store]:
    """A store with mail of twelve days between projects, one of which was renamed."""
    clock = Clock()
    clock.now = START
    with Store.init(tmp_path_factory.mktemp("filters") / "store", clock=clock) as store:
        people(store, *PEOPLE)
        projects.group_add(store, group="team", projects=["web", "qa"])
        for number in range(36):
            sender, to = PEOPLE[number % 4], PEOPLE[(number * 7 + 1) % 4]
            if sender == to:
                to = PEOPLE[(number + 1) % 4]
            facts = {"priority": ("low", "normal", "high", "urgent")[number % 4 - number % 3]}
            facts["message_type"] = messages.TYPES[number % 4]
            sent = mail(store, sender=sender, to=to, subject=f"n{number}", message=TOPICS[number % 3], **facts)
            if number % 5 == 0:
                messages.mark(store, message_ids=[sent.id], status=("read", "archived")[number % 2])
            clock.forward(hours=8)
        projects.rename(store, project="docs", name="pages")
        yield store


moments = st.one_of(st.none(), st.integers(-20, 320).map(lambda hours: START + timedelta(hours=hours)))
asked = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.lists(st.sampled_from(("message", "project", "group")), max_size=2),
        "project": st.lists(st.sampled_from(("web", "api", "docs", "pages", "@team")), max_size=2),
        "since": moments,
        "until": moments,
        "path": st.sampled_from(("", "projects/web/", "*/inbox/*", "projects/*/outbox/*", "groups")),
        "where": st.fixed_dictionaries(
            {},
            optional={
                "sender": st.sampled_from(("web", "api", "docs", "pages", "@team")),
                "recipient": st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True),
                "status": st.lists(st.sampled_from(messages.STATUSES), min_size=1, max_size=2, unique=True),
                "priority": st.sampled_from(messages.PRIORITIES),
                "type": st.sampled_from(messages.TYPES),
                "box": st.sampled_from(("inbox", "outbox")),
            },
        ),
    },
)


def names(given: list[str] | str) -> set[str]:
    """Every name that the projects of a filter have had."""
    found: set[str] = set()
    for name in [given] if isinstance(given, str) else given:
        found |= {"@team": {"web", "qa"}, "docs": {"docs", "pages"}, "pages": {"docs", "pages"}}.get(name, {name})
    return found


def passes(entry: Entry, given: dict) -> bool:
    """Whether an entry is what the filters of a search ask for, told without any code of search."""
    where, facets = given.get("where", {}), entry.facets
    belongs = {entry.project, facets.get("sender", ""), facets.get("recipient", "")} - {""}
    moment = times.load(entry.timestamp)
    pattern = given.get("path", "")
    fits = {
        "": True,
        "*/inbox/*": "/inbox/" in entry.path,
        "projects/*/outbox/*": "/outbox/" in entry.path,
    }.get(pattern, entry.path.startswith(pattern))
    words = (name for name in ("status", "priority", "type", "box") if name in where)
    return (
        fits
        and (not given.get("kind") or entry.kind in given["kind"])
        and (not given.get("project") or bool(belongs & names(given["project"])))
        and (not given.get("since") or moment >= given["since"])
        and (not given.get("until") or moment < given["until"])
        and all(facets.get(name) in ([where[name]] if isinstance(where[name], str) else where[name]) for name in words)
        and all(facets.get(name) in names(where[name]) for name in ("sender", "recipient") if name in where)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked)
def test_every_filter_of_the_verb_equals_a_scan(post, given):
    """A filter of the command that another record passes than the words say."""
    view = post.view()
    everything = [entry for _, _, entry in entries.Entries(view.repo, view.commit.tree).everything()]
    expected = sorted(entry.id for entry in everything if "herd" in entry.text and passes(entry, given))
    assert sorted(found(post, "herd", **given)) == expected
    assert sorted(found(post, "herd", at=post.head(), **given)) == expected


def test_the_sample_holds_what_the_filters_divide(post):
    """The test above that cannot fail, since its filters admit all or nothing."""
    for where in ({"status": "read"}, {"priority": "urgent"}, {"type": "update"}, {"sender": "docs"}):
        assert 0 < len(found(post, "herd", where=where)) < 36
    assert len(found(post, "herd")) == 36
    assert search.search(post, query="herd", group="none").total == 36
