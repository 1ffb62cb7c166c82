"""Quality history: what was measured, by which rule, of which commit, and how it moved."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from domain_helpers import SECRET, Shell, amid, few, people, put, snapshot
from helpers import commits, git
from hypothesis import given
from hypothesis import strategies as st
from transcript_helpers import write

from sbfs import conversations, projects, quality, worktree
from sbfs.catalog import keep_sealed, read_sealed
from sbfs.errors import Failed, Invalid, NotFound
from sbfs.git.source import look
from sbfs.quality.value import mean
from sbfs.store import Store


@pytest.fixture
def team(store: Store) -> Store:
    """A store with two projects."""
    people(store, "web", "api")
    return store


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository of source: 100 lines of Python in src/, 50 elsewhere, and what is no source."""
    root = tmp_path / "source"
    for name, lines in {"src/a.py": 60, "src/deep/b.pyi": 40, "other/c.py": 50, "src/data.json": 900}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n" * (lines - 1) + "x")
    (root / "src/link.py").symlink_to("a.py")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "Begin")
    return root


@pytest.fixture
def reports(tmp_path: Path) -> dict[str, Path]:
    """A report of each sort."""
    found = {name: tmp_path / name for name in ("coverage.json", "ruff.json", "junit.xml")}
    totals = {"covered_lines": 853, "num_statements": 1000}
    found["coverage.json"].write_text(json.dumps({"totals": totals}))
    finding = {"filename": "a.py", "message": "unused", "location": {}}
    found["ruff.json"].write_text(json.dumps([finding, finding]))
    found["junit.xml"].write_text(
        "<testsuite><testcase/><testcase/><testcase/><testcase><failure/></testcase></testsuite>"
    )
    return found


def add(store: Store, score: float | None = 50, project: str = "api", **given):
    """Keep one measurement."""
    return quality.add(store, project=project, score=score, **given).measurement


def path_of(one: quality.Measurement) -> str:
    """Where a measurement lies."""
    return quality.KIND.path_of(project=one.project, month=one.month, id=one.id)


# -- adding ----------------------------------------------------------------------------------------


def test_a_measurement_lies_where_the_format_says(team):
    """A file that other programs would look for elsewhere, or would read otherwise."""
    one = add(
        team, None, components={"coverage": 81.456, "types": None}, source="ci", commit="c" * 40,
        conversation="conv-1", note="By night.",
    )  # fmt: skip
    assert (team.root / f"projects/api/quality/2026/11/{one.id}.yaml").read_text() == (
        f"id: {one.id}\nscore: 81.46\ncomponents:\n  coverage: {{value: 81.46, source: ci}}\n  types: {{value: null}}\n"
        f"commit: {'c' * 40}\nconversation: conv-1\nnote: By night.\ncreated: 2026-11-22T14:03:07.123Z\n"
    )


def test_a_score_is_what_was_given_else_the_mean_of_what_was_measured():
    """An unmeasured part that counts as 0, or a given score that is worked out anew (SB-11)."""
    assert mean([80, None, 90]) == 85
    assert mean([None, None]) is mean([]) is None
    assert mean([0, None]) == 0
    assert mean([1, 1, 2]) == 1.33


@few
@given(st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=6))
def test_nothing_unmeasured_moves_a_mean(values):
    """A null that is counted anywhere, whatever stands beside it."""
    measured = [value for value in values if value is not None]
    assert mean(values) == mean(measured) == mean([*values, None])
    assert not measured or min(measured) <= mean(values) <= max(measured)


def test_scores_components_and_nothing(team):
    """A zero that is taken for nothing, or nothing that is taken for zero."""
    assert add(team, 0).score == 0
    assert add(team, 70, components={"a": 10}).score == 70
    assert add(team, None, components={"a": 10, "b": 20, "c": None}).score == 15
    assert add(team, None, components={"a": None}).score is None
    assert isinstance(add(team, 100.0).score, int)


@pytest.mark.parametrize(
    ("wrong", "error", "word"),
    [
        ({"project": "nobody"}, NotFound, "nobody"),
        ({"score": None}, Invalid, "nothing is given"),
        ({"score": 101}, Invalid, "101"),
        ({"score": -0.1}, Invalid, "-0.1"),
        ({"score": float("nan")}, Invalid, "nan"),
        ({"score": True}, Invalid, "True"),
        ({"score": "50"}, Invalid, "'50'"),
        ({"score": 10**400}, Invalid, "no score"),
        ({"components": {"a b": 5}}, Invalid, "a b"),
        ({"components": {"../x": 5}}, Invalid, "../x"),
        ({"components": {"a": 500}}, Invalid, "components.a"),
        ({"components": {"a": 5}, "source": "a\nb"}, Invalid, "source"),
        ({"commit": "HEAD"}, Invalid, "HEAD"),
        ({"commit": "ABCDEF0"}, Invalid, "commit"),
        ({"conversation": "../../etc"}, Invalid, "conversation"),
        ({"note": "x" * (1024 * 1024 + 1)}, Invalid, "note"),
    ],
)
def test_bad_input_changes_nothing_and_is_named(team, wrong, error, word):
    """A measurement that is half kept, or an error that does not say what was wrong (promise 6)."""
    before = team.head(), snapshot(team.root)
    with pytest.raises(error) as caught:
        add(team, **{"score": 50, **wrong})
    assert word in str(caught.value)
    assert before == (team.head(), snapshot(team.root))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("score: 50", "score: 500", "500"),
        ("score: 50", "score: high", "score"),
        ("value: 50", "value: .nan", "components.a.value"),
        ("{value: 50, source: person}", "50", "components.a"),
        ("conversation: c", "conversation: a/b", "conversation"),
        ("commit: abcdef0", "commit: main", "commit"),
    ],
)
def test_a_file_that_breaks_the_rules_is_named(team, old, new, word):
    """A record from elsewhere that lists and trends stumble over, or count as it is."""
    one = add(team, components={"a": 50}, conversation="c", commit="abcdef0")
    text = (team.root / path_of(one)).read_text()
    assert old in text
    put(team, path_of(one), text.replace(old, new))
    (edit,) = worktree.save(team).invalid
    assert word in edit.error
    git(team.root, "commit", "-qam", "all the same")
    good = add(team)
    page = quality.list(team)
    assert [item.id for item in page.items] == [good.id]
    assert [path for path, _ in page.unreadable] == [path_of(one)]
    assert len(quality.trend(team, project="api", until=team.clock() + timedelta(days=1)).points) == 1


def test_unknown_keys_of_a_component_are_kept(team):
    """What a later version measures, dropped by this one."""
    one = add(team, components={"a": 50})
    text = (team.root / path_of(one)).read_text()
    put(team, path_of(one), text.replace("{value: 50, source: person}", "{value: 50, source: person, weight: 2}"))
    put(team, path_of(one), (team.root / path_of(one)).read_text().replace("components", "note: x\ncomponents"))
    git(team.root, "commit", "-qam", "later")
    assert Shell(team.root).json("quality", "show", one.id)["measurement"]["components"]["a"]["weight"] == 2


def test_secrets_are_taken_out_and_reported(team):
    """A token that reaches Git by a note, or by the name of where a number came from (promise 7)."""
    kept = quality.add(team, project="api", components={"a": 1}, source=SECRET, note=f"see {SECRET}")
    assert kept.redacted == {"github-token": 2}
    assert SECRET not in git(team.root, "log", "-p", "--format=fuller", "main")


def test_a_measurement_while_its_project_is_renamed_goes_along(team):
    """A measurement in the folder of a name that is gone, in no list of the project."""
    other = amid(team, lambda: projects.rename(team, project="api", name="backend"))
    one = add(other)
    assert one.project == "backend"
    assert [item.id for item in quality.list(team, project="api").items] == [one.id]


# -- measuring -------------------------------------------------------------------------------------


def measured(store: Store, **given) -> quality.Measurement:
    """Measure one project."""
    return quality.measure(store, project="api", **given).measurement


def test_reports_become_components_by_the_stated_rules(team, source, reports):
    """A component that is worked out otherwise than docs/quality.md says, or does not say where it came from."""
    one = measured(
        team, path=source, coverage=reports["coverage.json"], lint=reports["ruff.json"], tests=reports["junit.xml"]
    )
    parts = {name: (part.value, part.source, part.detail) for name, part in one.components.items()}
    assert parts == {
        "coverage": (85.3, "coverage.json", "853 of 1000 lines"),
        # 2 findings in 150 lines: 13.3 in 1,000, so 100 / (1 + 1.33).
        "lint": (42.86, "ruff.json", "2 findings by ruff in 150 lines"),
        "tests": (75, "junit.xml", "3 of 4 passed, 0 skipped"),
    }
    assert one.score == round((85.3 + 42.86 + 75) / 3, 2)
    assert one.commit == git(source, "rev-parse", "HEAD")


def test_what_no_report_says_is_null(team, reports):
    """A part that nobody measured, given a number (SB-11, promise 10)."""
    one = measured(team, lint=reports["ruff.json"])
    assert {name: part.value for name, part in one.components.items()} == dict.fromkeys(("coverage", "lint", "tests"))
    assert (one.score, one.commit) == (None, "")
    assert "not known" in one.components["lint"].detail
    reports["ruff.json"].write_text("[]")
    assert measured(team, lint=reports["ruff.json"]).score == 100
    reports["junit.xml"].write_text("<testsuite><testcase><skipped/></testcase></testsuite>")
    reports["coverage.json"].write_text('{"totals": {"covered_lines": 0, "num_statements": 0}}')
    assert measured(team, tests=reports["junit.xml"], coverage=reports["coverage.json"]).score is None


def test_a_folder_of_the_source_counts_its_own_lines(team, source, reports):
    """Findings of one folder, spread over the lines of all."""
    one = measured(team, path=source / "src", lint=reports["ruff.json"])
    assert one.components["lint"].detail == "2 findings by ruff in 100 lines"
    assert one.commit == git(source, "rev-parse", "HEAD")


def test_the_projects_own_source_is_measured_unless_told(team, source, reports, tmp_path):
    """A commit of the wrong repository, or a relative path that means another folder on each machine."""
    projects.set(team, project="api", source_path=str(source))
    assert measured(team, lint=reports["ruff.json"]).commit == git(source, "rev-parse", "HEAD")
    projects.set(team, project="api", source_path=os.path.relpath(source))
    assert measured(team, lint=reports["ruff.json"]).commit == ""
    projects.set(team, project="api", source_path="/no/such/folder")
    assert measured(team, lint=reports["ruff.json"]).commit == ""
    (tmp_path / "plain").mkdir()
    assert measured(team, path=tmp_path / "plain", lint=reports["ruff.json"]).commit == ""


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({}, Invalid),
        ({"coverage": "no/such/file"}, Failed),
        ({"coverage": "."}, Failed),
        ({"tests": __file__}, Invalid),
        ({"lint": __file__, "path": "no/such/folder"}, Invalid),
    ],
)
def test_a_measure_that_fails_keeps_nothing(team, wrong, error):
    """A measurement of half the reports that were named."""
    before = team.head()
    with pytest.raises(error):
        measured(team, **wrong)
    assert team.head() == before


# -- the source ------------------------------------------------------------------------------------


def test_a_source_is_read_and_never_run(source, tmp_path):
    """A filter, hook or program that a repository of somebody else's names, run by measuring it (promise 8)."""
    touched = tmp_path / "touched"
    evil = f"touch {touched}; cat"
    git(source, "config", "filter.evil.clean", evil)
    git(source, "config", "filter.evil.smudge", evil)
    git(source, "config", "filter.evil.process", evil)
    git(source, "config", "core.fsmonitor", evil)
    git(source, "config", "core.hooksPath", str(source / "hooks"))
    (source / "hooks").mkdir()
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        (source / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {touched}\n")
        (source / "hooks" / hook).chmod(0o755)
    (source / ".gitattributes").write_text("*.py filter=evil\n")
    (source / "src/a.py").write_text("changed\n")
    found = look(source, {".py"})
    assert found is not None
    assert (found.commit, found.lines) == (git(source, "rev-parse", "--verify", "HEAD"), 110)
    assert not touched.exists()


def test_a_source_of_any_shape(source, tmp_path):
    """A linked work tree, packed refs, a detached HEAD or a shallow clone, whose commit is not found."""
    head = git(source, "rev-parse", "HEAD")
    git(source, "pack-refs", "--all")
    git(source, "gc", "-q")
    git(source, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{source}", "shallow")
    git(tmp_path / "shallow", "checkout", "-q", "--detach")
    git(tmp_path, "clone", "-q", "--bare", str(source), "bare.git")
    for folder in (
        source,
        tmp_path / "linked",
        tmp_path / "linked/src/deep",
        tmp_path / "shallow",
        tmp_path / "bare.git",
    ):
        found = look(folder, ())
        assert found is not None, folder
        assert found.commit == head
    link = tmp_path / "link"
    link.symlink_to(source / "src")
    found = look(link, {".pyi"})
    assert found is not None
    assert found.lines == 40


def test_what_no_commit_holds_is_unknown(source, tmp_path):
    """A folder beside the source's files, or a broken repository, with a commit that does not hold it."""
    (source / "untracked").mkdir()
    assert look(source / "untracked", ()) is None
    git(tmp_path, "init", "-q", "empty")
    assert look(tmp_path / "empty", ()) is None
    shutil.rmtree(source / ".git/objects")
    (source / ".git/objects").mkdir()
    assert look(source, {".py"}) is None
    (source / ".git/config").write_text("[core\n")
    assert look(source, ()) is None
    (source / ".git/HEAD").write_bytes(b"\xff\0")
    assert look(source, ()) is None


# -- reading ---------------------------------------------------------------------------------------


def test_lists_are_newest_first_and_filter(team, clock):
    """A list that skips or repeats where months meet, or a filter that is ignored."""
    made = []
    for number in range(6):
        of = "conv-1" if number == 2 else ""
        made.insert(0, add(team, number, ("api", "web")[number % 2], conversation=of).id)
        clock.forward(days=13)
    seen, cursor = [], None
    while True:
        page = quality.list(team, limit=2, cursor=cursor)
        assert page.total == 6
        seen += [one.id for one in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == made
    day = clock() - timedelta(days=40)
    for filters, expected in (
        ({"project": "web"}, made[::2]),
        ({"conversation": "conv-1"}, [made[3]]),
        ({"since": day}, made[:3]),
        ({"until": day}, made[3:]),
    ):
        page = quality.list(team, **filters)
        assert ([one.id for one in page.items], page.total) == (expected, len(expected)), filters


def test_a_trend_compares_with_the_span_before(team, clock):
    """An average over what was not measured, over conversations, or over the wrong days."""
    begin = clock()
    for day, score in ((0, 90), (10, 40), (20, 60), (40, 70), (45, None), (50, 80)):
        clock.now = begin + timedelta(days=day)
        add(team, score, components={"coverage": score, **({"lint": 10} if day == 50 else {})})
        add(team, 1, project="web")
        add(team, 5, conversation="conv-1")
    clock.now = begin + timedelta(days=60)
    trend = quality.trend(team, project="api")
    assert [point.score for point in trend.points] == [70, None, 80]
    assert (trend.average, trend.before, trend.change) == (75, 63.33, 11.67)
    assert (trend.since, trend.until) == (clock() - timedelta(days=30), clock())
    week = quality.trend(team, project="api", since=clock() - timedelta(days=12), until=clock() - timedelta(days=8))
    assert ([point.score for point in week.points], week.average, week.before) == ([80], 80, None)
    assert week.change is None
    lint = quality.trend(team, project="api", component="lint")
    assert ([point.score for point in lint.points], lint.before) == ([10], None)
    talks = quality.trend(team, project="api", conversations=True)
    assert ([point.score for point in talks.points], talks.change) == ([5, 5, 5], 0)
    assert {point.conversation for point in talks.points} == {"conv-1"}
    nothing = quality.trend(team, project="api", component="none")
    assert (nothing.points, nothing.average, nothing.before, nothing.change) == ((), None, None, None)
    ever = quality.trend(team, project="api", since=datetime.min.replace(tzinfo=UTC))
    assert (len(ever.points), ever.average, ever.before) == (6, 68, None)
    for wrong in ({"since": clock(), "until": clock()}, {"project": "nobody"}, {"project": ""}):
        with pytest.raises((Invalid, NotFound)):
            quality.trend(team, **{"project": "api", **wrong})


def test_a_trend_of_the_past_and_after_a_removal(team, clock):
    """A trend from a cache that is behind, or of now where the past was asked for."""
    first = add(team, 10)
    then = team.head()
    clock.forward(days=1)
    add(team, 20)
    clock.forward(days=1)
    assert [point.score for point in quality.trend(team, project="api").points] == [10, 20]
    quality.remove(team, quality_id=first.id)
    assert [point.score for point in quality.trend(team, project="api").points] == [20]
    assert [point.score for point in quality.trend(team, project="api", at=then).points] == [10]
    shutil.rmtree(team.root / ".git/sbfs/catalog")
    assert [point.score for point in quality.trend(team, project="api").points] == [20]


def test_a_trend_reads_no_record_that_it_knows(team, clock):
    """A year of history that is parsed again for each plot: the headers are enough."""
    for number in range(5):
        add(team, number)
        clock.forward(days=1)
    quality.trend(team, project="api")
    month = team.root / ".git/sbfs/catalog/projects/api/quality/2026/11.json"
    told = json.loads(read_sealed(month))
    told["rows"] = {name: [id, [header[0], 99, *header[2:]], why] for name, (id, header, why) in told["rows"].items()}
    keep_sealed(month, json.dumps(told).encode())
    assert {point.score for point in quality.trend(team, project="api").points} == {99}


def test_two_machines_that_measure_keep_both(team, tmp_path):
    """Two measurements at one moment, of which one is gone after a merge."""
    git(tmp_path, "clone", "-q", str(team.root), "other")
    with Store.open(tmp_path / "other", clock=team.clock) as other:
        ids = {add(team, 1).id, add(other, 2).id}
    before = commits(team.root)
    git(team.root, "pull", "-q", "--no-rebase", "--no-edit", str(tmp_path / "other"), "main")
    assert commits(team.root) == before + 2
    assert {one.id for one in quality.list(team, project="api").items} == ids


def test_search_is_told_everything_worth_finding(team):
    """A measurement that search cannot find by its note, its parts or its conversation."""
    one = add(team, components={"coverage": 80}, note="After the rewrite", conversation="conv-1", commit="abcdef0")
    (entry,) = quality.KIND.entries(team.view().record(path_of(one)))
    assert (entry.id, entry.kind, entry.project, entry.quality) == (one.id, "quality", "api", 50)
    assert entry.title == "quality 50 (coverage 80)"
    assert "After the rewrite" in entry.text
    assert entry.facets == {"conversation": "conv-1", "commit": "abcdef0", "component": ("coverage",)}
    assert add(team, None, components={"a": None}).score is None


def test_an_unsaved_edit_is_shown_and_said(team):
    """A show that hides what the file says, or gives it out as kept."""
    one = add(team, note="First word")
    put(team, path_of(one), (team.root / path_of(one)).read_text().replace("First", "Second"))
    shown = quality.show(team, quality_id=one.id)
    assert (shown.measurement.note, shown.edited) == ("Second word", True)
    said = Shell(team.root)("quality", "show", one.id)
    assert "Second word" in said.out
    assert "unsaved edit" in said.err


# -- the shell -------------------------------------------------------------------------------------


def test_the_shell_adds_measures_and_removes(team, source, reports):
    """A command line that loses a component, or says a number that was not kept."""
    sbfs = Shell(team.root)
    said = sbfs("quality", "add", "api", "--component", "coverage=81.5", "--component", "types=null", "--source", "ci")
    assert "81.5 (ci)" in said.out
    assert "types: not measured" in said.out
    words = ["--path", str(source), "--lint", str(reports["ruff.json"]), "--tests", str(reports["junit.xml"])]
    one = sbfs.json("quality", "measure", "api", *words)["measurement"]
    assert one["components"]["coverage"] == {"value": None}
    listed = sbfs("quality", "list", "--project", "api").out
    assert "lint 42.86" in listed
    assert "types not measured" in listed
    assert sbfs("quality", "remove", one["id"]).out == f"removed {one['id']}\n"
    for wrong in ("coverage", "coverage=", "coverage=x", "=5", "=null"):
        sbfs.fails(4, "invalid", "quality", "add", "api", "--component", wrong)


def test_a_trend_is_plotted_by_point_day_or_month(team):
    """A plot of a year that fills three screens, or a bar that is as long as another number's."""
    sbfs = Shell(team.root)
    now = datetime.now(UTC)
    for days, score in ((400, 100), (45, 80), (3, 50), (2, None), (1, 25)):
        with Store.open(team.root, clock=lambda days=days: now - timedelta(days=days)) as then:
            add(then, score, components={"a": score})
    out = sbfs("quality", "trend", "api").out.splitlines()
    bars = {line.split()[2]: line.count("█") for line in out[1:-1] if "not" not in line}
    assert bars == {"50.0": 25, "25.0": 12}
    assert "not measured" in out[2]
    assert out[-1] == "average: 37.5, -42.5 against 80 before"
    assert "3 points, 2 measured" in out[0]
    assert "nothing was measured" in sbfs("quality", "trend", "web").out
    for number in range(45):
        for when in (now - timedelta(days=5, minutes=number), now - timedelta(days=35 + 8 * number)):
            with Store.open(team.root, clock=lambda when=when: when) as then:
                add(then, 60)
    days = sbfs("quality", "trend", "api").out.splitlines()[1:-1]
    assert (len(days[0].split()[0]), days[0].split()[1]) == (10, "60.0")
    assert len(days) in (4, 5)
    months = sbfs("quality", "trend", "api", "--since", "401d").out.splitlines()
    assert "95 points" in months[0]
    assert {len(line.split()[0]) for line in months[1:-1]} == {len("2026-11")}
    assert 12 <= len(months) - 2 <= 14


def test_a_conversation_takes_on_its_score(store: Store, tmp_path: Path):
    """Breaks if lists, statistics and filters did not know the score that a conversation was given, or kept it
    when the measurement was removed."""
    people(store, "web")
    talk = write(tmp_path / "talk.jsonl", {"content": "Hello"})
    (made,) = conversations.import_(store, paths=[talk], project="web").conversations
    id = made.conversation.id

    def score() -> float | None:
        return conversations.show(store, conversation_id=id).conversation.quality

    first = quality.add(store, project="web", score=40, conversation=id[:6]).measurement
    assert (first.conversation, score()) == (id, 40)
    store.clock.now += timedelta(minutes=1)
    second = quality.add(store, project="web", score=90, conversation=id).measurement
    assert score() == 90
    quality.remove(store, quality_id=second.id)
    assert score() == 40
    quality.remove(store, quality_id=first.id)
    assert score() is None
    assert worktree.status(store).edits == ()
