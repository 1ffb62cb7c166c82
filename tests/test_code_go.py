"""What Go's reader makes of one file; and that no input stops it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.code.facts import Import, Parameter
from sbfs.code.reading import read

SOURCE = b"""// Package shop sells.
package shop

import (
\t"fmt"
\ttax "example.com/shop/v2/rates"
\t. "example.com/dot"
\t_ "example.com/side"
\t"example.com/kit/v3"
)

// Cart holds items.
//
// For a while.
type Cart struct {
\tBase
\titems []*Item
}

type Payer interface {
\tfmt.Stringer
\t// Pay pays.
\tPay(x int) error
}

type Names []string

// Add adds.
func (c *Cart) Add(item *Item, more ...string) (n int, err error) {
\tif item != nil && n > 0 {
\t\tfor range more {
\t\t}
\t} else if n == 1 {
\t\treturn
\t}
\tswitch n {
\tcase 1:
\tdefault:
\t}
\treturn
}

func hidden() {
\tgo func() { hidden() }()
}
"""


def facts_of(source, path="shop/cart.go"):
    return read(path, source if isinstance(source, bytes) else source.encode())


def symbols(source=SOURCE, path="shop/cart.go"):
    return {symbol.name: symbol for symbol in facts_of(source, path).symbols}


def test_symbols():
    found = symbols()
    assert list(found) == [
        "", "Cart", "Payer", "Payer.Pay", "Names", "Cart.Add", "hidden", "hidden.<lambda1>",
    ]  # fmt: skip
    assert [found[name].type for name in ("Cart", "Payer", "Names", "Cart.Add", "hidden")] == [
        "class", "interface", "type", "method", "function",
    ]  # fmt: skip
    assert found["Cart"].bases == ("Base",)
    assert found["Payer"].bases == ("fmt.Stringer",)
    assert (found["Cart.Add"].visibility, found["hidden"].visibility) == ("public", "private")
    assert found["Payer.Pay"].flags == ("abstract",)


def test_spans_signatures_docs_and_parameters():
    found = symbols()
    add = found["Cart.Add"]
    assert (add.start, add.end) == (29, 41)
    assert add.signature == "func (c *Cart) Add(item *Item, more ...string) (n int, err error)"
    assert add.parameters == (
        Parameter("item", "only", type="*Item"),
        Parameter("more", "rest", type="...string"),
    )
    assert (add.doc, found["Cart"].doc, found["Payer.Pay"].doc) == (
        "Add adds.",
        "Cart holds items.\n\nFor a while.",
        "Pay pays.",
    )
    assert found[""].doc == "Package shop sells."
    assert found["Cart"].signature == "type Cart struct"


def test_complexity():
    """One, if, &&, for, else if, one case."""
    assert symbols()["Cart.Add"].complexity == 6


def test_imports_and_the_module():
    facts = facts_of(SOURCE)
    assert facts.imports == [
        Import("fmt", 5, names=(("", "fmt"),)),
        Import("example.com/shop/v2/rates", 6, names=(("", "tax"),)),
        Import("example.com/dot", 7, names=(("*", ""),)),
        Import("example.com/side", 8),
        Import("example.com/kit/v3", 9, names=(("", "kit"),)),
    ]
    assert facts.config == {"package": "shop"}
    module = facts_of("// x\nmodule example.com/shop\n\ngo 1.22\n", "go.mod")
    assert (module.language, module.config) == ("config", {"go": "example.com/shop"})
    assert facts_of(b"\xff\xfe", "go.mod").config == {}


def test_declared_types_are_flows():
    flows = symbols()["Cart.Add"].flows
    assert ["typed", "c", ["inst", ["const", "Cart", []], []]] in flows
    assert ["typed", "item", ["inst", ["const", "Item", []], []]] in flows
    fields = symbols()["Cart"].flows
    assert ["typed", "items", ["inst", ["const", "[]", []], [["inst", ["const", "Item", []], []]]]] in fields
    assert ["implements", ["const", "Cart", []], ["const", "Base", []]] in fields


def test_a_shadowed_name_is_another_variable():
    source = "package a\nfunc f() {\n\tx := one()\n\tif true {\n\t\tx := two()\n\t\tx.b()\n\t}\n\tx.a()\n}\n"
    flows = symbols(source)["f"].flows
    assert [flow[1] for flow in flows if flow[0] == "="] == ["x", "x@2"]
    assert flows[-2:] == [["do", ["call", 2, ["attr", "x@2", "b"], []]], ["do", ["call", 3, ["attr", "x", "a"], []]]]


def test_tests_are_marked():
    found = symbols("package a\nfunc TestX(t *testing.T) {}\nfunc help() {}\n", "a_test.go")
    assert (found["TestX"].flags, found["help"].flags) == (("test",), ())


def test_broken_source_yields_what_can_be_read():
    facts = facts_of("package a\nfunc ok() {}\nfunc broken( {\n}\nfunc later() {}\n")
    assert facts.parse == "partial"
    assert "ok" in [symbol.name for symbol in facts.symbols]


@pytest.mark.parametrize(
    ("raw", "notes"),
    [
        (b"\xef\xbb\xbfpackage a\nfunc f() {}\n", ()),
        (b"package a\r\nfunc f() {}\r\n", ()),
        (b"package a\n// \xff\nfunc f() {}\n", ("not UTF-8: read as latin-1",)),
    ],
)
def test_odd_encodings(raw, notes):
    facts = facts_of(raw)
    assert ([symbol.name for symbol in facts.symbols], facts.notes) == (["", "f"], notes)


@pytest.mark.parametrize(
    "inner",
    ["(" * 2000 + "1" + ")" * 2000, "x" + ".y()" * 2000, "[]int{" * 2000 + "}" * 2000, "func() { " * 1000 + "}" * 1000],
)
def test_deep_nesting_ends_in_a_note(inner):
    facts = facts_of(f"package a\nfunc f() {{\n_ = {inner}\n}}\n")
    assert facts.parse == "partial"
    assert any("nested too deep" in note for note in facts.notes)
    assert facts.symbols  # What is above the depth is read all the same.


def test_long_sums_and_chains_of_else_if_are_no_nesting():
    chain = "if a { b() }" + " else if c { d() }" * 300
    facts = facts_of(f"package a\nfunc f() {{\n_ = {' + '.join(['g(1)'] * 1500)}\n{chain}\n}}\n")
    assert facts.parse == "full"
    assert len(facts.symbols[1].sites) == 1500 + 301


TEXT = r"""
package import func type struct interface var const if else for range switch case select go defer return map
chan ( ) { } [ ] , ; := = == && || * & <- . ... x y X "s" `r` 1 fmt.P x.(T) func(){} a.b nil // /* */ _ T[int]
"""
WORDS = [*TEXT.split(), "\n"]


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
@settings(max_examples=120, deadline=None)
def test_no_text_stops_the_reader(source):
    facts = facts_of(f"package a\n{source}")
    json.dumps([symbol.flows for symbol in facts.symbols])
    names = [symbol.name for symbol in facts.symbols]
    assert len(names) == len(set(names))
    assert all(len(symbol.flows) == len(symbol.flow_lines) for symbol in facts.symbols)


@given(st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_no_bytes_stop_the_reader(raw):
    assert facts_of(raw).symbols[0].name == ""
