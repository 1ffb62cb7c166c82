"""A store in numbers, against what a look at every record says."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import median

import pytest
from domain_helpers import Shell, few, mail, people
from graph_helpers import lay
from helpers import git
from hypothesis import given
from hypothesis import strategies as st

from sbfs import graph, history, messages, projects, quality, stats, verbs
from sbfs.errors import Invalid, NotFound
from sbfs.store import Store

NAMES = ("api", "web", "qa")


def test_an_empty_store_has_no_numbers_that_were_not_measured(store):
    """A nought where nothing was measured, or an error where nothing is."""
    numbers = verbs.run("stats", store)["numbers"]
    assert (numbers["projects"], numbers["mail"]["messages"], numbers["mail"]["median_seconds"]) == (0, 0, None)
    assert numbers["quality"] == []
    people(store, "web")
    (score,) = verbs.run("stats", store)["numbers"]["quality"]
    assert (score["latest"], score["average"], score["change"]) == (None, None, None)
    assert "not measured" in Shell(store.root)("stats").out


@st.composite
def talks(draw):
    """(minutes since the one before, sender, recipient, which earlier one it answers or None)."""
    pairs = st.sampled_from([(a, b) for a in NAMES for b in NAMES if a != b])
    return draw(st.lists(st.tuples(st.integers(1, 3000), pairs, st.none() | st.integers(0, 5)), min_size=1, max_size=8))


def test_mail_is_counted_as_it_is(tmp_path_factory, clock):
    """A message that is counted twice, an answer of another thread, a day that is off."""

    @few
    @given(talks(), st.sampled_from(["", *NAMES]), st.integers(1, 20))
    def check(said, project, days):
        with Store.init(tmp_path_factory.mktemp("stats") / "store", clock=clock) as store:
            people(store, *NAMES)
            sent = []
            for minutes, (sender, recipient), answers in said:
                clock.forward(minutes=minutes)
                earlier = sent[answers] if answers is not None and answers < len(sent) else None
                whom = {"in_reply_to": earlier.id} if earlier else {}
                sent.append(mail(store, sender=sender, to=recipient, **whom))
            clock.forward(minutes=1)
            begin, end = clock.now - timedelta(days=days), clock.now
            found = stats.stats(store, project=project, since=begin, until=end).mail
            inside = [
                one for one in sent if begin <= one.timestamp and project in ("", one.from_project, one.to_project)
            ]
            assert found.messages == len(inside)
            assert {(one.from_project, one.to_project): one.messages for one in found.flows} == Counter(
                (one.from_project, one.to_project) for one in inside
            )
            assert found.by_day == Counter(f"{one.timestamp:%Y-%m-%d}" for one in inside)
            waits = []
            for one in inside:
                thread = [other for other in sent if other.thread == one.thread and other.timestamp > one.timestamp]
                back = [o for o in thread if (o.from_project, o.to_project) == (one.to_project, one.from_project)]
                waits += [(min(o.timestamp for o in back) - one.timestamp).total_seconds()] if back else []
            assert found.answered == len(waits)
            assert found.median_seconds == (median(waits) if waits else None)
            for box in found.boxes:
                assert box.unread == messages.count(store, project=box.project, unread=True)

    check()


def test_a_renamed_project_is_one(store):
    """Mail that counts for two projects, one of them gone."""
    people(store, "web", "api")
    mail(store, sender="web", to="api")
    projects.rename(store, project="api", name="core")
    mail(store, sender="web", to="core")
    (flow,) = stats.stats(
        store, since=store.clock() - timedelta(days=1), until=store.clock() + timedelta(days=1)
    ).mail.flows
    assert (flow.from_project, flow.to_project, flow.messages) == ("web", "core", 2)


def test_quality_and_what_was_done(store, clock, monkeypatch):
    """A score from before the span that is lost; a commit of another project, or of another day."""
    people(store, "web", "api")
    quality.add(store, project="web", score=50)
    clock.forward(days=40)
    first = len(history.log(store).items)
    quality.add(store, project="api", score=60)
    clock.forward(days=1)
    quality.add(store, project="api", score=None, components={"x": None})
    monkeypatch.setenv("GIT_COMMITTER_DATE", clock.now.isoformat())
    git(store.root, "commit", "-q", "--allow-empty", "-m", "by hand")
    clock.forward(minutes=1)
    found = stats.stats(store)
    scores = {one.project: (one.latest, one.average) for one in found.quality}
    assert scores == {"web": (50, None), "api": (60, 60)}
    assert found.activity.operations == {"quality.add": 2, "": 1}
    assert found.activity.commits == len(history.log(store).items) - first
    assert stats.stats(store, project="web").activity.commits == 0
    assert stats.stats(store, project="api").activity.by_day == {"2027-01-01": 1, "2027-01-02": 1}


def test_wrong_spans(store):
    """A span that ends before it begins, a project that is nowhere."""
    with pytest.raises(Invalid):
        stats.stats(store, since=store.clock(), until=store.clock())
    with pytest.raises(NotFound):
        stats.stats(store, project="nobody")


def test_code_is_counted_now_and_then(store, clock, tmp_path):
    """A project without a graph that counts nought; a state before the span that is today's."""
    people(store, "web", "api")
    clock.forward(days=1)
    graph.index(store, project="web", path=lay(tmp_path / "shop"))
    clock.forward(days=1)
    (code,) = stats.stats(store, since=clock.now - timedelta(hours=3)).code
    assert (code.project, code.counts["files"] > 3, code.before) == ("web", True, code.counts)
    (code,) = stats.stats(store, since=clock.now - timedelta(days=30)).code
    assert code.before is None
    assert "web " in Shell(store.root)("stats").out
