"""The explorer: it opens in a real browser, answers there, and lets nothing out and no markup in."""

from __future__ import annotations

import math
import re

import browser as chromium
import pytest
from domain_helpers import Shell
from graph_helpers import FILES, lay
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs import graph
from sbfs.errors import Invalid
from sbfs.graph.explorer import data, layout, page, still
from sbfs.graph.opened import asked, quiet
from sbfs.store import Store

ATTACK = "</script><img src=x onerror=alert(1)>"
HOSTILE = f"/** {ATTACK} <b>bold</b> & more */\nexport function odd(a = '{ATTACK}') {{ return odd(a); }}\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with a small graph that changed once."""
    root = tmp_path_factory.mktemp("view")
    with Store.init(root / "store") as found:
        code = lay(root / "code", {**FILES, "web/odd & co.ts": HOSTILE})
        graph.index(found, path=code)
        (code / "shop/prices.py").write_text(
            "def price_of(name):\n    return fresh(name)\n\n\ndef fresh(name):\n    return 2\n"
        )
        graph.index(found, path=code)
        yield found


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    """A browser, large."""
    with chromium.browser(tmp_path_factory.mktemp("profile")) as found:
        found.size(1280, 800)
        yield found


@pytest.fixture
def opened(store, tab, tmp_path):
    """Opens a page of the graph."""

    def open_(fragment: str = "", **asked: str | int):
        file = tmp_path / "page.html"
        file.write_bytes(graph.view(store, **asked).content)
        tab.open("about:blank#x")
        tab.open(file.as_uri() + fragment)
        tab.until("document.getElementById('canvas').dataset.drawn > 0")
        return tab

    return open_


def shown(tab) -> list[str]:
    """Keys of what stands in the view."""
    return tab.run("explorer.scene().items.map((it) => explorer.key(it.i))")


def click(tab, key: str, count: int = 1) -> None:
    """Click what a key names where it stands."""
    x, y = tab.run(
        f"(() => {{ const [x, y] = explorer.at(explorer.find({key!r})), box = canvas.getBoundingClientRect();"
        "return [x + box.left, y + box.top]; })()"
    )
    for number in range(1, count + 1):
        for type in ("mousePressed", "mouseReleased"):
            tab.call("Input.dispatchMouseEvent", type=type, x=x, y=y, button="left", clickCount=number)


def text(tab, selector: str) -> str:
    """What stands in an element."""
    return tab.run(f"document.querySelector({selector!r}).textContent")


def search(tab, words: str) -> None:
    """Look for something and take the first that is found."""
    tab.press("/")
    tab.type(words)
    tab.press("Enter")


# -- who calls this, and what does it say ------------------------------------------------------------


def test_search_suggests_and_leads_to_callers_and_callees(opened):
    """Who calls this, and what does it say about itself, cannot be found in the page."""
    tab = opened()
    tab.press("/")
    tab.type("price")
    assert "price_of" in text(tab, "#found li")
    tab.press("Enter")
    assert {"shop/cart.py::Cart.total", "shop/prices.py::price_of", "shop/prices.py::fresh"} == {*shown(tab)}
    assert text(tab, "#panel h2") == "price_of"
    assert "shop/prices.py:1" in text(tab, "#place")
    assert "total" in text(tab, "#panel ul[data-name=Callers]")
    assert "fresh" in text(tab, "#panel ul[data-name=Callees]")


def test_focus_goes_deeper(opened):
    """Steps around a symbol that the view does not follow."""
    tab = opened(focus="price_of", depth=1)
    assert "shop/cart.py::Cart.add" not in shown(tab)
    tab.press("]")
    assert "shop/cart.py::Cart.add" in shown(tab)
    tab.press("[")
    assert "shop/cart.py::Cart.add" not in shown(tab)
    click(tab, "shop/cart.py::Cart.total", 2)
    assert "shop/cart.py::Cart.add" in shown(tab)


def test_panel_tells_signature_and_documentation(opened):
    """A panel without what a symbol says of itself."""
    tab = opened(focus="Cart.add")
    assert "add(self, name, count=1)" in text(tab, "#signature")
    tab.run("[...document.querySelectorAll('#panel button')].find((b) => b.textContent === 'On the map').click()")
    click(tab, "shop/cart.py::Cart.add")
    search(tab, "Cart")
    assert text(tab, "#says") == "A cart."


def test_a_path_between_two_is_shown(opened):
    """Two symbols whose way the page does not find."""
    tab = opened()
    search(tab, "test_add")
    tab.press("p")
    search(tab, "fresh")
    assert shown(tab)[0] == "tests/test_cart.py::test_add"
    assert shown(tab)[-1] == "shop/prices.py::fresh"
    assert "Path of 4 steps" in text(tab, "#crumb")


# -- filters, folders, state --------------------------------------------------------------------------


def test_filters_leave_out_types_folders_languages_and_confidence(opened):
    """A filter that filters nothing, or the wrong things."""
    tab = opened()
    assert "shop/cart.py::Cart.add" in shown(tab)
    tab.run("document.querySelector('#types input[value=method]').click()")
    assert "shop/cart.py::Cart.add" not in shown(tab)
    assert "shop/prices.py::fresh" in shown(tab)
    tab.run("document.querySelector('#languages input[value=typescript]').click()")
    assert not any("web/" in key for key in shown(tab))
    tab.run("(() => { folder.value = 'shop'; folder.dispatchEvent(new Event('change')); })()")
    assert all(key.startswith("shop") for key in shown(tab))
    lines = tab.run("explorer.scene().allLinks")
    tab.run("document.querySelector('#sure input[value=exact]').click()")
    assert tab.run("explorer.scene().allLinks") < lines


def test_folders_open_and_close(opened):
    """A folder that does not open, or stays open."""
    tab = opened()
    tab.run("for (let n = 0; n < 6; n++) document.getElementById('less').click()")
    assert "shop/cart.py" not in shown(tab)
    click(tab, "shop")
    tab.press("Enter")
    assert "shop/cart.py" in shown(tab)
    click(tab, "shop/cart.py", 2)
    assert "shop/cart.py::Cart" in shown(tab)


def test_the_fragment_holds_the_view(opened):
    """A view that cannot be passed on by its address."""
    tab = opened()
    search(tab, "price_of")
    tab.press("]")
    tab.run("document.querySelector('#types input[value=class]').click()")
    fragment, before = tab.run("location.hash"), shown(tab)
    again = opened(fragment)
    assert shown(again) == before
    assert text(again, "#panel h2") == "price_of"
    assert not again.run("document.querySelector('#types input[value=class]').checked")


def test_keys_move_zoom_and_go_back(opened):
    """A page that only a mouse can use."""
    tab = opened()
    before = tab.run("({...explorer.state.cam})")
    tab.press("i")
    tab.press("ArrowRight")
    after = tab.run("({...explorer.state.cam})")
    assert after["k"] > before["k"]
    assert after["x"] > before["x"]
    tab.press("n")
    assert tab.run("explorer.state.chosen") > 0
    tab.press("Escape")
    assert tab.run("explorer.state.chosen") == -1


def test_dark_follows_the_system_and_the_switch(opened):
    """Black on black, or a switch that does nothing."""
    tab = opened()
    tab.prefer("dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = tab.until(f"{paper} === 'rgb(23, 24, 26)' && {paper}")
    tab.press("t")
    assert tab.run(paper) != dark
    tab.prefer("light")


def test_a_picture_can_be_saved(opened):
    """A picture of the view that is no SVG, or holds markup of names."""
    tab = opened()
    said = tab.run("new DOMParser().parseFromString(explorer.svg(), 'image/svg+xml').documentElement.tagName")
    assert said == "svg"


# -- differences -----------------------------------------------------------------------------------------


def test_a_difference_is_marked(opened):
    """What was added, removed and changed looks like the rest."""
    tab = opened(diff="HEAD~1")
    said = tab.run(
        "Object.fromEntries(['price_of', 'fresh', 'unknown'].map((n) => [n, (() => {"
        "const D = JSON.parse(document.getElementById('data').textContent);"
        "return D.changes[D.k[explorer.find('shop/prices.py::' + n)]]; })()]))"
    )
    assert said == {"price_of": "changed", "fresh": "added", "unknown": "removed"}
    tab.run("document.getElementById('changed').click()")
    kept = {key for key in shown(tab) if "::" in key}
    assert kept == {f"shop/prices.py::{name}" for name in said}


# -- quiet -------------------------------------------------------------------------------------------------


def test_nothing_leaves_the_page_and_markup_is_text(opened):
    """A page that asks for something elsewhere, or runs what a name says."""
    tab = opened()
    search(tab, "odd")
    assert ATTACK in text(tab, "#panel")
    asked = [event["request"]["url"] for event in tab.events("Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1
    assert tab.events("Runtime.exceptionThrown") == []
    assert tab.run("document.querySelectorAll('img, b:not(#crumb b)').length") == 0


def test_data_cannot_end_its_element():
    """`</script>` in a name ends the data."""
    said = page.render("</title><script>", {"n": [ATTACK, "\ud800"]})
    assert said.count("</script>") == 2
    assert "</title><script>" not in said


# -- layout --------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(1, 300), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_circles_do_not_overlap(radii):
    """Two circles on one place."""
    places = layout.pack(radii)
    for one, (x, y) in enumerate(places):
        for other, (to_x, to_y) in enumerate(places[:one]):
            assert math.hypot(x - to_x, y - to_y) >= (radii[one] + radii[other]) * (1 - 1e-4)


def test_what_is_within_stays_within():
    """A symbol outside of its file."""
    parents = [-1, 0, 0, *[1] * 30, *[2] * 5, *[3] * 9]
    found = layout.circles(parents, [(5, 40), (6, 7), (6, 30)])
    for (x, y, radius), parent in zip(found[1:], parents[1:], strict=True):
        around = found[parent]
        assert math.hypot(x - around[0], y - around[1]) + radius <= around[2] + 1e-6
    assert found == layout.circles(parents, [(5, 40), (6, 7), (6, 30)])


# -- files and pictures ----------------------------------------------------------------------------------------


def test_still_pictures(store):
    """A picture that is none, or one of everything."""
    svg = graph.view(store, focus="price_of", format="svg", depth=2).content.decode()
    assert "price_of" in svg
    assert "Cart.total" in svg
    png = graph.view(store, focus="price_of", format="png").content
    assert png.startswith(b"\x89PNG")
    # The same boxes without a word in them take less than half.
    assert len(still.png(re.sub(r"<text.*?</text>", "", svg))) < len(still.png(svg)) / 2
    with pytest.raises(Invalid, match="focus"):
        graph.view(store, format="svg")
    with pytest.raises(Invalid, match="depth"):
        graph.view(store, depth=0)


def test_the_command_writes_one_file(store, tmp_path):
    """A page that is lost, or one that was there replaced unasked."""
    file = tmp_path / "out.html"
    answer = Shell(store.root)("graph", "view", "code", "-o", str(file))
    assert answer.status == 0
    assert file.read_bytes() == graph.view(store).content
    assert Shell(store.root)("graph", "view", "code", "-o", str(file)).status != 0
    assert Shell(store.root)("graph", "view", "code", "-o", str(file), "--force").status == 0


def test_what_is_left_out_is_told(store, opened, tmp_path):
    """A graph that is cut, and looks whole; sure edges left out for guessed ones."""
    whole = graph.view(store)
    assert (whole.shown, whole.edges) == (whole.symbols, whole.all_edges)
    tab = opened()
    assert "the page holds" not in text(tab, "#told")
    few = graph.view(store, most=20)
    assert (few.shown < few.symbols, few.edges < few.all_edges, few.all_edges) == (True, True, whole.all_edges)
    tab = opened(most=20)
    told = text(tab, "#told")
    assert f"the page holds {few.shown} of {few.symbols} symbols" in told
    assert f"the page holds {few.edges} of {few.all_edges} edges" in told
    said = Shell(store.root)("graph", "view", "code", "--most", "20", "-o", str(tmp_path / "few.html")).out
    assert f"showing {few.shown} of {few.symbols} symbols" in said
    assert f"showing {few.edges} of {few.all_edges} edges" in said
    with pytest.raises(Invalid, match="at least 1"):
        graph.view(store, most=0)


def test_the_surest_edges_stay(tmp_path):
    """Guesses that push out what is known."""
    everyone = "".join(f"    f{number}()\n" for number in range(12))
    functions = "".join(f"def f{number}(thing):\n    thing.go()\n{everyone}" for number in range(12))
    classes = "".join(f"class {name}:\n    def go(self):\n        pass\n" for name in ("Car", "Bus"))
    with Store.init(tmp_path / "store") as dense:
        graph.index(dense, path=lay(tmp_path / "dense", {"a.py": classes + functions}))

        def sure(most: int) -> list[str]:
            return asked(
                dense,
                "",
                None,
                quiet,
                lambda found: [edge[3] for edge in data.tree_of(found.graph, "", most=most).edges],
            )

        assert {*sure(data.SYMBOLS)} > {"exact"}
        assert sure(20) == ["exact"] * 20 * data.EDGES_EACH
        cut = graph.view(dense, most=20)
        assert (cut.shown, cut.edges) == (cut.symbols, 20 * data.EDGES_EACH)
