"""What Java's reader makes of one file; and that no input stops it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.code.facts import Import, Parameter
from sbfs.code.reading import read

SOURCE = b"""package com.shop;

import java.util.List;
import com.shop.tax.*;
import static com.shop.Util.round;
import static com.shop.More.*;

/**
 * A cart.
 *   Indented.
 */
@Service
public abstract class Cart extends Base implements Payer, Shown {
    private List<Item> items;

    /** Makes one. */
    public Cart(int size) {
        super(size);
    }

    protected int total(final int x, String... names) throws Oops {
        if (x > 0 && x < 9) {
            for (Item item : items) { }
        } else if (x == 1) {
            return x > 2 ? 1 : 2;
        }
        switch (x) { case 1: break; default: }
        try { } catch (Oops e) { }
        return 0;
    }

    abstract void later();

    int total() { return 1; }

    static class Line { }

    enum Kind { A, B }

    record Point(int x) { }

    @Test
    void checks() {
        Runnable job = () -> later();
        Object other = new Object() { void go() { } };
    }
}

interface Payer {
    void pay();
}
"""


def facts_of(source, path="src/com/shop/Cart.java"):
    return read(path, source if isinstance(source, bytes) else source.encode())


def symbols(source=SOURCE):
    return {symbol.name: symbol for symbol in facts_of(source).symbols}


def test_symbols():
    found = symbols()
    assert list(found) == [
        "", "Cart", "Cart.Cart", "Cart.total", "Cart.later", "Cart.total#2", "Cart.Line", "Cart.Kind", "Cart.Point",
        "Cart.Point.x", "Cart.checks", "Cart.checks.<lambda1>", "Cart.checks.<class1>", "Cart.checks.<class1>.go",
        "Payer", "Payer.pay",
    ]  # fmt: skip
    assert [found[name].type for name in ("Cart", "Cart.Cart", "Cart.Kind", "Payer", "Payer.pay")] == [
        "class", "method", "enum", "interface", "method",
    ]  # fmt: skip
    assert [found[name].visibility for name in ("Cart", "Cart.total", "Cart.later", "Payer.pay")] == [
        "public", "protected", "protected", "public",
    ]  # fmt: skip
    assert found["Cart"].bases == ("Base", "Payer", "Shown")
    assert (found["Cart"].flags, found["Cart"].decorators) == (("abstract",), ("Service",))
    assert (found["Cart.later"].flags, found["Cart.checks"].flags) == (("abstract",), ("test",))


def test_spans_signatures_docs_and_parameters():
    found = symbols()
    total = found["Cart.total"]
    assert (total.start, total.end) == (21, 30)
    assert total.signature == "protected int total(final int x, String... names) throws Oops"
    assert total.parameters == (Parameter("x", "only", type="int"), Parameter("names", "rest", type="String..."))
    assert (found["Cart"].doc, found["Cart.Cart"].doc) == ("A cart.\n  Indented.", "Makes one.")


def test_complexity():
    """One, if, &&, for, else if, conditional, two labels, catch."""
    assert symbols()["Cart.total"].complexity == 9


def test_imports_and_the_package():
    facts = facts_of(SOURCE)
    assert facts.imports == [
        Import("java.util.List", 3, names=(("List", "List"),)),
        Import("com.shop.tax", 4, names=(("*", ""),)),
        Import("com.shop.Util", 5, level=1, names=(("round", "round"),)),
        Import("com.shop.More", 6, level=1, names=(("*", ""),)),
    ]
    assert facts.config == {"package": "com.shop"}


def test_broken_source_yields_what_can_be_read():
    facts = facts_of("class A {\n void ok() { }\n void broken( {\n}\n")
    assert facts.parse == "partial"
    assert "A.ok" in [symbol.name for symbol in facts.symbols]


@pytest.mark.parametrize(
    ("raw", "notes"),
    [
        (b"\xef\xbb\xbfclass A { }\n", ()),
        (b"class A {\r\n}\r\n", ()),
        (b"// \xff\nclass A { }\n", ("not UTF-8: read as latin-1",)),
    ],
)
def test_odd_encodings(raw, notes):
    facts = facts_of(raw)
    assert ([symbol.name for symbol in facts.symbols], facts.notes) == (["", "A"], notes)


@pytest.mark.parametrize(
    "inner", ["(" * 1500 + "1" + ")" * 1500, "x" + ".y()" * 1500, "() -> " * 500 + "1", "new A(" * 500 + ")" * 500]
)
def test_deep_nesting_ends_in_a_note(inner):
    facts = facts_of(f"class A {{ void f() {{ x = {inner}; }} }}\n")
    assert facts.parse == "partial"
    assert any("nested too deep" in note for note in facts.notes)
    assert facts.symbols  # What is above the depth is read all the same.


TEXT = r"""
package import static class interface enum record extends implements public private abstract void int String var
if else for switch case default: -> try catch finally return new this super throw ( ) { } [ ] < > , ; = == && ||
+ . :: @A x y X 1 "s" 'c' () -> // /* */ instanceof A.b A<B> int... synchronized yield
"""
WORDS = [*TEXT.split(), "\n"]


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
@settings(max_examples=120, deadline=None)
def test_no_text_stops_the_reader(source):
    facts = facts_of(f"class A {{ void f() {{ {source}")
    json.dumps([symbol.flows for symbol in facts.symbols])
    names = [symbol.name for symbol in facts.symbols]
    assert len(names) == len(set(names))
    assert all(len(symbol.flows) == len(symbol.flow_lines) for symbol in facts.symbols)


@given(st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_no_bytes_stop_the_reader(raw):
    assert facts_of(raw).symbols[0].name == ""
