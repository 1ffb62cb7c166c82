"""The page on which people see how the team does: true to the numbers, in a real browser, whatever names hold."""

from __future__ import annotations

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
from sbfs.dashboard import plots


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
    assert window.run("document.documentElement.scrollWidth <= innerWidth")


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
