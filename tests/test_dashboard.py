"""The page on which people see how the team does: true to the numbers, in a real browser, whatever names hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import browser as chromium
import pytest
from domain_helpers import Shell, mail, people
from graph_helpers import lay
from page_helpers import ATTACKS
from transcript_helpers import write

from sbfs import conversations, dashboard, documentation, quality, times
from sbfs.cli import stats
from sbfs.dashboard import page, plots


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    """A real browser."""
    if not chromium.PROGRAM:
        pytest.skip("Chromium is not installed: what a browser makes of the page is NOT tested")
    with chromium.browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture
def team(store, clock, tmp_path):
    """A store with something of everything, and with names that would be markup."""
    people(store, "web", "api")
    first = mail(store, sender="web", to="api")
    clock.forward(hours=2)
    mail(store, sender="api", to="web", in_reply_to=first.id)
    quality.add(store, project="web", score=80)
    common = {"timestamp": times.dump(store.clock()), "sessionId": "s", "cwd": "/x"}
    calls = [
        {"type": "tool_use", "id": str(number), "name": name, "input": {}} for number, name in enumerate(ATTACKS[:9])
    ]
    answer = {"id": "m", "role": "assistant", "model": ATTACKS[0], "content": calls}
    entries = [
        {**common, "type": "user", "uuid": "1", "message": {"role": "user", "content": "go"}},
        {
            **common,
            "type": "assistant",
            "uuid": "2",
            "requestId": "r",
            "message": {**answer, "usage": {"input_tokens": 3, "output_tokens": 70}},
        },
    ]
    conversations.import_(store, paths=[str(write(tmp_path / "t.jsonl", *entries))], project="web")
    clock.forward(minutes=5)
    return store


def shown(window: chromium.Browser, folder: Path, text: str) -> chromium.Browser:
    """The browser with this page."""
    file = folder / "dashboard.html"
    file.write_text(text)
    window.size(1200, 900)
    window.prefer("light")
    window.open(file.as_uri())
    return window


def quiet(window: chromium.Browser) -> None:
    """Nothing was fetched but the page, nothing was refused, nothing failed."""
    asked = [event["request"]["url"] for event in window.events("Network.requestWillBeSent")]
    assert len(asked) == 1
    assert [event["entry"]["text"] for event in window.events("Log.entryAdded")] == []
    assert window.events("Runtime.exceptionThrown") == []


def test_a_store_is_shown(window, team, tmp_path):
    """A number that is not the store's, a picture that is missing, a name that is markup."""
    shown(window, tmp_path, dashboard.dashboard(team).text)
    tiles = window.run("[...document.querySelectorAll('#mail .tile b')].map(one => one.textContent)")
    assert tiles == ["2", "2 h", "2"]
    titles = window.run("[...document.querySelectorAll('h3')].map(one => one.textContent)")
    mails = ["Who writes to whom", "Messages over time", "Waiting to be read"]
    talks = ["Tokens over time, without those read from a cache", "Answers by model", "Calls by tool, and their errors"]
    assert titles == [*mails, *talks, "Scores over time", "By project", "Operations over time", "What was done"]
    assert window.run("document.querySelectorAll('figure svg').length") == 8
    assert window.run("window.taken") is None
    assert window.run("document.querySelectorAll('script, img, iframe, [onload], [onerror]').length") == 0
    assert "<script>window.taken" in window.run("document.querySelector('#tools svg').textContent")
    ids = window.run("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len({*ids})
    quiet(window)


def test_light_and_dark(window, team, tmp_path):
    """Pictures in black on black."""
    shown(window, tmp_path, dashboard.dashboard(team).text)
    colours = set()
    for scheme in ("light", "dark"):
        window.prefer(scheme)
        paper = window.run("getComputedStyle(document.querySelector('section')).backgroundColor")
        ink = window.run("getComputedStyle(document.querySelector('figure svg text')).fill")
        assert paper != ink
        colours |= {(paper, ink)}
    assert len(colours) == 2
    window.size(400, 800)
    # The width of the screen: a browser makes the window as wide as a page that is too wide.
    assert window.run("document.documentElement.scrollWidth") == 400


def test_an_empty_store_says_how_to_fill_it(window, store, tmp_path):
    """An empty picture, or an error."""
    shown(window, tmp_path, dashboard.dashboard(store).text)
    assert window.run("document.querySelectorAll('.empty code').length") == 6
    assert window.run("document.querySelectorAll('figure').length") == 2
    quiet(window)


def test_code_and_what_it_says_of_itself(window, team, tmp_path, clock):
    """A change between snapshots that is not told, or where nothing was before; undocumented code as documented."""
    team_source = lay(tmp_path / "shop")
    documentation.index(team, project="web", path=team_source)
    clock.forward(days=2)
    first = dashboard.dashboard(team, since=clock.now - timedelta(days=30)).text
    (team_source / "shop" / "more.py").write_text("def one():\n    pass\n\n\ndef two():\n    return one()\n")
    documentation.index(team, project="web", path=team_source)
    clock.forward(minutes=1)
    shown(window, tmp_path, dashboard.dashboard(team, since=clock.now - timedelta(days=1)).text)
    cells = "[...document.querySelectorAll('#{} td')].map(one => one.textContent)"
    code, said = window.run(cells.format("code")), window.run(cells.format("documentation"))
    assert (code[0], code[3].endswith("(+2)"), code[1].endswith("(+1)")) == ("web", True, True)
    assert "(+" not in first.partition('id="code"')[2].partition("</section>")[0]
    found = documentation.coverage(team, project="web")
    assert said == ["web", f"{found.percent:g} %", f"{found.documented} of {found.public}", str(len(found.mismatches))]
    assert found.documented < found.public


def _many(store, clock, count: int) -> None:
    """Projects that all write to the first, the later ones the more; each measured; of many kinds."""
    names = [f"p{number:02}" for number in range(count)]
    people(store, *names)
    for number, name in enumerate(names[1:], 1):
        for _ in range(1 + number // 8):
            mail(store, sender=name, to=names[0])
        for score in range(1 + number % 3):
            quality.add(store, project=name, score=70 + score)
    clock.forward(minutes=5)


def test_what_a_picture_leaves_out_is_told(window, store, clock, tmp_path):
    """A picture of twelve projects that looks as if there were no more; half the mail missing, unsaid."""
    count = 24
    _many(store, clock, count)
    shown(window, tmp_path, dashboard.dashboard(store).text)
    notes = window.run("[...document.querySelectorAll('.note')].map(one => one.textContent)")
    sent = {number: 1 + number // 8 for number in range(1, count)}
    inside = sum(sent[number] for number in sorted(sent, key=lambda one: (-sent[one], one))[: plots.MOST - 1])
    whole = sum(sent.values())
    between = f"{inside} of {whole} messages are between them"
    assert notes == [
        f"The 12 of {count} projects with mail that have the most. {between}; sbfs stats --json has all.",
        f"The 8 of {count - 1} projects that were measured most; the table has all.",
    ]
    drawn = window.run("document.querySelectorAll('#mail figure')[0].textContent")
    assert len({*re.findall(r"p\d\d", drawn)}) == plots.MOST
    assert window.run("document.querySelectorAll('#quality tbody tr').length") == count - 1
    lines = window.run("document.querySelector('#quality figure').textContent")
    measured = [f"p{number:02}" for number in range(1, count) if number % 3 == 2]
    assert {*measured} <= {*re.findall(r"p\d\d", lines)}
    told = Shell(store.root)("stats", "--since", "2026-11-01", "--until", "2026-12-01").out
    assert f"and {count - 1 - stats._FLOWS} messages of {count - 1 - stats._FLOWS} other pairs; --json has all" in told
    done = {"commits": 15, "whole": True, "operations": {name: 5 - place for place, name in enumerate("abcde")}}
    assert stats._done(done) == "15 operations: 5 a, 4 b, 3 c, 2 d, 1 of other sorts"


def test_long_spans_and_many_names_say_so(team, clock):
    """A bar of a week that is taken for a day's; thirteen tools of which one is missing."""
    short = dashboard.dashboard(team).text
    long = dashboard.dashboard(team, since=clock.now - timedelta(days=200)).text
    assert "A bar is a week" not in short
    assert long.count("A bar is a week, named by its Monday.") == 3
    figure = page._ranked("Tools", {f"t{number}": 20 - number for number in range(15)}, label="Calls", noun="tools")
    assert figure.note == "The 12 of 15 tools that have the most. The others have 21 calls; sbfs stats --json has all."
    assert page._ranked("Tools", {"t": 1}, label="Calls", noun="tools").note == ""


def test_every_part_says_its_source_and_its_span(window, team, tmp_path):
    """A number of which nobody knows whence it is, and of when."""
    shown(window, tmp_path, dashboard.dashboard(team).text)
    said = window.run("[...document.querySelectorAll('section')].map(one => one.querySelector('p').textContent)")
    assert len(said) == 7
    assert all(one.startswith("From ") and "Span: " in one for one in said)
    assert all("2026-10-23 16:08" in one or team.head()[:10] in one for one in said)


def test_the_same_numbers_make_the_same_page(team):
    """A page that differs by the hour in which it was drawn."""
    assert dashboard.dashboard(team).text == dashboard.dashboard(team).text


def test_names_are_no_formulas():
    """A tool called `$x$`, set as mathematics; a hundred names on one axis."""
    drawn = plots.ranked({"$x_1$": 3, **{f"name-{number}": 1 for number in range(100)}}, label="Calls")
    assert "$x_1$" in drawn
    assert drawn.count("name-") == plots.MOST - 1
    weeks = plots.bars_by_day({"2026-01-05": 1}, since="2025-06-01", until="2026-02-01", label="Messages")
    days = plots.bars_by_day({"2026-01-05": 1}, since="2025-12-01", until="2026-02-01", label="Messages")
    assert weeks.count("<path") < days.count("<path") + 10


def test_the_command(team, tmp_path, monkeypatch):
    """A file of a person's that is replaced; a page that others may read."""
    monkeypatch.chdir(tmp_path)
    shell = Shell(team.root)
    assert shell("dashboard").out.startswith("wrote dashboard.html (")
    assert (tmp_path / "dashboard.html").stat().st_mode & 0o777 == 0o600
    assert shell.json("dashboard", "--project", "web", "--since", "2d")["path"] == "dashboard.html"
    (tmp_path / "mine.html").write_text("mine")
    shell.fails(4, "exists", "dashboard", "-o", "mine.html")
    assert shell("dashboard", "-o", "mine.html", "--force").status == 0
    shell.fails(3, "not_found", "dashboard", "--project", "nobody")
