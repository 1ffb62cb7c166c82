"""The HTML page: whatever was said stays text, and a real browser finds it readable, searchable and quiet."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import browser as chromium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_helpers import ATTACKS, START, answer, call, hostile, nothing, prompt, talk, told

from sbfs.conversations import markup, page
from sbfs.conversations.value import Commit, Part, SubAgent, Turn

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "a", "div", "button", "form", "input", "output", "span"),
    *("nav", "h1", "h2", "ol", "li", "main", "header", "p", "ul", "b", "details", "summary", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "section", "article", "pre", "code", "time", "footer"),
    *("script", "figure", "figcaption", "img", "em", "strong", "s", "hr", "br", "blockquote", "h4", "h5", "h6"),
}
"""All that a page may hold."""


class Reader(HTMLParser):
    """Reads a page as a browser would, and complains of what should not be there."""

    VOID = ("meta", "input", "img", "br", "hr")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.text: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        self.tags[tag] += 1
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("style", "srcdoc", "srcset", "action"), (tag, name)
            if name == "id":
                self.ids.append(value or "")
            if name == "href":
                self.links.append(value or "")
                assert re.match(r"#|https?://|mailto:", value or "", re.I), value
            if name == "src":
                assert re.match(r"data:image/(png|jpeg|gif|webp);base64,", value or ""), value
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & {*self.open}:
            self.text.append(data)


def read(text: str) -> Reader:
    """A page, read whole."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    assert (reader.tags["script"], reader.tags["style"]) == (1, 1)
    assert [id for id, count in Counter(reader.ids).items() if count > 1] == []
    places = {link[1:] for link in reader.links if link.startswith("#")}
    assert places <= {*reader.ids}
    return reader


# -- what it holds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_whatever_was_said_stays_text(attack):
    """A tag, an attribute, a link or an image that a prompt, an answer, a tool, a name or a title brought in."""
    reader = read(page.render(*hostile(attack), nothing))
    shown = " ".join("".join(reader.text).split())
    wanted = " ".join(markup.clean(attack).split())
    assert shown.count(wanted) >= 10


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([*ATTACKS, "\n", "    ", "- ", "> ", "| a | b |\n|--|:-:|\n", "#" * 6, "*"]), max_size=6)
)
def test_pieces_of_attacks_put_together_stay_text(pieces):
    """Two harmless pieces of Markdown that make a tag when they meet."""
    read(page.render(*hostile("".join(pieces)), nothing))


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_any_text_is_shown_whole(text):
    """A character that is lost, or that breaks the page."""
    reader = read(page.render(*talk(prompt(f"begin{text}end")), nothing))
    shown = "".join(reader.text)
    for line in markup.clean(text).split("\n"):
        assert line.strip() in shown


def test_the_same_conversation_makes_the_same_page():
    """A page that differs from one export to the next, which nobody could compare."""
    talks = hostile("same")
    assert page.render(*talks, nothing) == page.render(*talks, nothing)


def test_the_policy_allows_this_page_and_nothing_else():
    """A policy that names another script than the one that is there, or lets something be fetched."""
    text = page.render(*talk(prompt("hello")), nothing)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    style, script = (re.search(rf"<{tag}>(.*?)</{tag}>", text, re.S)[1] for tag in ("style", "script"))
    assert policy == page.policy(style, script)
    assert "'unsafe" not in policy
    assert policy.startswith("default-src 'none';")
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp|innerHTML|eval\(", style + script)


def test_thinking_is_left_out_folded_or_included():
    """Thinking in a page that was to hold none, or standing open where it was to be folded."""
    conversation, lines = talk(prompt("go"), answer(Part("thinking", "secret plan"), told("done")))
    left, folded, included = (
        page.render(conversation, lines, nothing, thinking=word) for word in ("leave", "fold", "include")
    )
    assert "secret plan" not in left
    assert "Thinking was left out" in left
    assert '<details class="thinking"><summary>' in folded
    assert '<details class="thinking" open><summary>' in included


def test_images_are_in_the_page_where_they_are_safe():
    """An image from elsewhere, one of a type that can hold a program, or one that was not kept shown as broken."""
    images = [Part("image", media_type=type, sha256="x", path="p", size=70) for type in ("image/png", "image/svg+xml")]
    text = page.render(*talk(prompt("look"), answer(*images)), lambda part: PNG)
    reader = read(text)
    assert reader.tags["img"] == 1
    assert "image/svg+xml, 70 bytes: is of a type that is not shown" in text
    assert "image/png, 70 bytes: was not kept" in page.render(*talk(answer(*images)), nothing)


def test_tools_are_shown_as_what_they_do():
    """A command, an edit, a file, a to-do list or a search that is shown as bare JSON."""
    numbered = "     7→def old():\n     8→    return 1"
    turns = [
        prompt("go"),
        answer(
            *call("Bash", "3 passed", command="pytest -q", description="Run the tests"),
            *call("Edit", "ok", file_path="/home/pat/api/app.py", old_string="a\nx = 1\nb", new_string="a\nx = 2\nb"),
            *call("Write", "ok", file_path="new.py", content="import os\n"),
            *call("Read", numbered, file_path="/home/pat/api/app.py", offset=7, limit=2),
            *call("Grep", "app.py:7", pattern="def old", path="/home/pat/api/src"),
            *call("TodoWrite", "ok", todos=[{"content": "Ship it", "status": "in_progress"}]),
            *call("Unheard-of", "fine", what={"deep": [1]}),
            *call("Bash", None, id="none", command="sleep 9"),
        ),
    ]
    text = page.render(*talk(*turns), nothing)
    shown = "".join(read(text).text)
    assert "Run the tests" in shown
    assert '<span class="d-del">x = <span class="m">1</span></span>' in text
    assert '<span class="d-add">x = <span class="m">2</span></span>' in text
    assert '<span class="k">import</span> <span class="f">os</span>' in text
    assert '<span data-n="7"><span class="k">def</span> <span class="f">old</span>():</span>' in text
    assert "app.py:7–8" in shown
    assert "def old in src" in shown
    assert "0 of 1 done" in shown
    assert "◐" in shown
    assert "&#34;deep&#34;" in text
    assert "no result" in shown
    assert "2 Bash · 1 Edit · 1 Write" in shown


def test_a_sub_agent_is_folded_in_at_its_call_and_its_answer_shown_once():
    """A sub-agent that is lost, stands elsewhere, or says everything twice."""
    made, result = call(
        "Task", "All 12 pass.\nagentId: s1", "c1", prompt="Test it", description="Try", subagent_type="qa"
    )
    side = [prompt("Test it", origin="task"), answer(told("All 12 pass.\nagentId: s1"))]
    agents = (SubAgent("s1", kind="qa", description="Try", call="c1"), SubAgent("acompact-1", compaction=True))
    talks = talk(
        prompt("go"), answer(made, result), agents={"agent-s1": side, "agent-acompact-1": side}, subagents=agents
    )
    text = page.render(*talks, nothing)
    assert text.index('class="tool"') < text.index('class="subagent"') < text.index("</main>")
    shown = "".join(read(text).text)
    assert shown.count("All 12 pass.") == 1
    assert "acompact" not in shown


def test_commits_prompts_and_compactions_are_in_the_timeline():
    """A timeline that misses one, or leads nowhere."""
    summary = Turn("s", "user", "compaction", 0, START, parts=(told("We did much."),))
    boundary = Turn("b", "system", "compaction", 0, START, parts=(told("Conversation compacted"),))
    turns = [prompt("Fix <it>"), answer(told("done")), boundary, summary, prompt("more", seq=5, origin="queued")]
    commits = (Commit("abc1234", "fix: it & more", "main", "answer-2"),)
    text = page.render(*talk(*turns, commits=commits), nothing)
    nav = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'<li class="(\w+)"', nav) == ["day", "prompt", "commit", "compaction", "prompt"]
    assert "Fix &lt;it&gt;" in nav
    assert "fix: it &amp; more" in nav
    read(text)


def test_long_output_is_folded_and_whole():
    """Ten thousand lines that must be scrolled past, or that are cut."""
    lines = "\n".join(f"line {number}" for number in range(10_000))
    text = page.render(*talk(prompt("go"), answer(*call("Bash", lines, command="seq"))), nothing)
    shown = "".join(read(text).text)
    assert "9,976 more lines" in shown
    assert re.findall(r"line \d+$", shown.replace("9,976 more lines", "\n"), re.M) == lines.split("\n")


def test_what_a_page_does_not_hold_it_says():
    """A text of many megabytes that makes a page unusable, or one that is cut without a word."""
    text = page.render(*talk(prompt("go"), answer(*call("Bash", "x" * 5_000_000, command="cat"))), nothing)
    assert len(text) < 600_000
    assert "4,600,000 more characters are left out here" in text


# -- in a browser --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    """A real browser."""
    if not chromium.PROGRAM:
        pytest.skip("Chromium is not installed: what a browser makes of the page is NOT tested")
    with chromium.browser(tmp_path_factory.mktemp("chromium")) as found:
        yield found


def opened(window: chromium.Browser, folder: Path, text: str, *, width: int = 1200) -> chromium.Browser:
    """The browser with this page."""
    file = folder / "page.html"
    file.write_text(text)
    window.size(width, 800)
    window.prefer("light")
    window.open(file.as_uri())
    return window


def quiet(window: chromium.Browser) -> None:
    """Nothing was fetched but the page itself, nothing was refused, nothing failed."""
    asked = [event["request"]["url"] for event in window.events("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:image/")] == asked[:1]
    assert asked[0].startswith("file://")
    assert [event["entry"]["text"] for event in window.events("Log.entryAdded")] == []
    assert window.events("Runtime.exceptionThrown") == []


def test_attacks_do_nothing_in_a_browser(window, tmp_path):
    """What a parser of ours lets through and a browser runs; an image or a link that is fetched."""
    everything = "\n\n".join(ATTACKS)
    opened(window, tmp_path, page.render(*hostile(everything), nothing))
    window.run("document.getElementById('folds').click()")
    assert window.run("window.taken") is None
    assert window.run("document.body.textContent").count("<script>window.taken = 1</script>") > 10
    assert window.run("document.querySelectorAll('script, iframe, object, embed, svg, link, base').length") == 1
    quiet(window)


def test_the_policy_stops_what_the_page_did_not_bring(window, tmp_path):
    """A policy that is written down and not in force: a script that got in would run."""
    text = page.render(*talk(prompt("hello")), nothing)
    forced = text.replace(
        "<footer>", "<script>window.taken = 1</script><img src='https://tracker.invalid/x.png'><footer>"
    )
    opened(window, tmp_path, forced)
    assert window.run("window.taken") is None
    assert len(window.events("Log.entryAdded")) == 2


def search(window: chromium.Browser, text: str) -> str:
    """Type a search as a person does; what the page says of it."""
    window.run("document.getElementById('count').textContent = ''")
    window.press("/")
    window.type(text)
    found: str = window.until("document.getElementById('count').textContent")
    return found


SEEN = """
(() => {
  const range = [...CSS.highlights.get("here")][0], box = range.getBoundingClientRect();
  return {text: range.toString(), seen: box.height > 0 && box.top >= 0 && box.bottom <= innerHeight};
})()
"""


def test_search_finds_what_is_folded_and_goes_from_match_to_match(window, tmp_path):
    """A search that misses what colours split or folds hide, counts wrongly, or does not show where it is."""
    output = "\n".join(["noise"] * 300 + ["def find_me(): pass"] + ["noise"] * 300)
    turns = [prompt("Where is find_me?"), answer(told("```python\ndef find_me(): pass\n```"), *call("Read", output))]
    turns += [answer(told(f"Paragraph {number}"), seq=number) for number in range(3, 200)]
    opened(window, tmp_path, page.render(*talk(*turns), nothing))
    assert search(window, "DEF find_me()") == "1 of 2"
    assert window.run(SEEN) == {"text": "def find_me()", "seen": True}
    window.press("Enter")
    assert window.run("document.getElementById('count').textContent") == "2 of 2"
    assert window.run(SEEN) == {"text": "def find_me()", "seen": True}
    assert window.run("document.querySelector('.tool').open && document.querySelector('.tool .more').open")
    window.press("Enter", shift=True)
    assert window.run("document.getElementById('count').textContent") == "1 of 2"
    assert not window.run("document.querySelector('.tool').open"), "what the search unfolded is folded again"
    window.press("Escape")
    assert window.run("[document.activeElement.id, document.getElementById('query').value, CSS.highlights.size]") == [
        "",
        "",
        0,
    ]
    assert search(window, "nowhere at all") == "no match"
    quiet(window)


def test_the_keyboard_is_enough(window, tmp_path):
    """Keys that do nothing, or that act while one types."""
    turns = [prompt("note nine"), answer(told("nine notes on nine nights"))]
    opened(window, tmp_path, page.render(*talk(*turns), nothing))
    window.press("n")
    assert window.run("document.getElementById('count').textContent") == ""
    assert search(window, "nine") == "1 of 3"  # the prompt; the timeline is not searched
    window.press("n")
    assert window.run("document.getElementById('query').value") in ("nine", "ninen")
    window.run("document.getElementById('query').blur()")
    before = window.run("document.getElementById('count').textContent")
    window.press("n")
    window.press("n")
    window.press("N", shift=True)
    assert window.run("document.getElementById('count').textContent") != before
    window.run("document.getElementById('query').blur()")
    for _ in range(3):
        window.press("Tab")
    assert window.run("document.activeElement !== document.body")


def contrast(window: chromium.Browser, selector: str) -> float:
    """How much an element's text stands out from the page, by WCAG 2.1 (https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""
    script = f"""(() => {{
        const parse = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
        const element = document.querySelector({selector!r});
        let back = element;
        while (getComputedStyle(back).backgroundColor === "rgba(0, 0, 0, 0)") back = back.parentElement;
        return [parse(getComputedStyle(element).color), parse(getComputedStyle(back).backgroundColor)];
    }})()"""

    def light(colour: list[float]) -> float:
        parts = [one / 255 for one in colour]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(colour) for colour in window.run(script)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_light_and_dark_can_both_be_read(window, tmp_path):
    """A scheme that the system's wish, or the switch, does not bring; text that does not stand out."""
    code = "```python\n# why\ndef f():\n    return 'x' + 1\n```"
    wrong = Part("tool_result", "bad", id="call-Bash", name="Bash", error=True)
    turns = [prompt("go"), answer(Part("thinking", "hm"), told(code), *call("Bash", None, command="x"), wrong)]
    talks = talk(*turns, commits=(Commit("abc1234", "fix", "main", "answer-2"),))
    opened(window, tmp_path, page.render(*talks, nothing))
    looks = ("body", ".byline", ".prompt .who", "time", ".thinking summary", ".k", ".s", ".c", ".m", ".f", ".commit")
    looks += (".wrong .outcome", ".tally", "#timeline .about")
    papers = []
    for scheme in ("light", "dark"):
        window.prefer(scheme)
        papers.append(window.run("getComputedStyle(document.body).backgroundColor"))
        assert {look: ratio for look in looks if (ratio := contrast(window, look)) < 4.5} == {}
    assert papers[0] != papers[1]
    for theme, paper in (("light", papers[0]), ("dark", papers[1]), ("auto", papers[1])):
        window.run("document.getElementById('theme').click()")
        assert window.run("document.getElementById('theme').textContent") == f"Theme: {theme}"
        assert window.run("getComputedStyle(document.body).backgroundColor") == paper


def test_a_link_to_a_turn_opens_what_hides_it(window, tmp_path):
    """A link that was copied, and that leads to the top of the page or into a fold."""
    made, result = call("Task", "ok", "c1", prompt="Test it")
    side = [prompt("Test it", origin="task"), answer(told("deep down"))]
    talks = talk(
        prompt("go"),
        answer(made, result),
        *(answer(told(f"Paragraph {number}"), seq=number) for number in range(3, 200)),
        agents={"agent-s1": side},
        subagents=(SubAgent("s1", call="c1"),),
    )
    opened(window, tmp_path, page.render(*talks, nothing))
    window.run("location.hash = '#a1-t2'")
    box = "document.getElementById('a1-t2').getBoundingClientRect()"
    window.until(f"{box}.height > 0 && {box}.top >= 0 && {box}.top < innerHeight")
    window.run("location.hash = '#t150'")
    box = "document.getElementById('t150').getBoundingClientRect()"
    window.until(f"{box}.height > 0 && {box}.top >= 0 && {box}.top < innerHeight")
    assert window.run("document.querySelector('#t150 a.anchor').href.endsWith('#t150')")
    quiet(window)


def test_a_narrow_window_is_enough(window, tmp_path):
    """A page that scrolls sideways on a telephone, or hides its timeline for good."""
    wide = "x" * 400
    turns = [
        prompt(wide),
        answer(
            told(f"{wide}\n\n| a | b |\n|---|---|\n| {wide} | {wide} |\n\n```\n{wide}\n```"),
            *call("Bash", wide, command=wide),
        ),
    ]
    opened(window, tmp_path, page.render(*talk(*turns, title=wide, branches=(wide,)), nothing), width=400)
    window.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert window.run("document.documentElement.scrollWidth") <= 400
    assert not window.run("document.getElementById('timeline').checkVisibility()")
    window.run("document.getElementById('timeline-button').click()")
    assert window.run("document.getElementById('timeline').checkVisibility()")
    window.run("document.querySelector('#timeline a').click()")
    assert not window.run("document.getElementById('timeline').checkVisibility()")


def test_a_large_conversation_can_be_searched(window, tmp_path):
    """2,000 turns and 10 MB at which a browser gives up."""
    output = "\n".join(f"line {number} of an output that goes on and on" for number in range(120))
    turns = [
        turn
        for number in range(1000)
        for turn in (
            prompt(f"Question {number}", seq=number),
            answer(told("An answer. " * 60), *call("Bash", output * 2, id=f"c{number}", command="run")),
        )
    ]
    text = page.render(*talk(*turns), nothing)
    assert len(text) > 10_000_000
    opened(window, tmp_path, text)
    assert search(window, "question 999") == "1 of 1"
    assert window.run(SEEN) == {"text": "Question 999", "seen": True}
    quiet(window)
