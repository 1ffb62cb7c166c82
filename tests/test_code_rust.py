"""What Rust's reader makes of one file; and that no input stops it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.code.facts import Import, Parameter
from sbfs.code.reading import read

SOURCE = b"""//! A shop.
//! In two lines.

use std::fmt;
use crate::{cart::{self, Cart as Basket}, tax::*};
mod sub;

/// A line.
#[derive(Debug)]
pub struct Line {
    price: u32,
}

pub(crate) enum Kind {
    A,
    B(Line),
}

pub trait Sum: fmt::Debug {
    /// Sums up.
    fn sum(&self) -> u32;
}

impl Line {
    /// Makes one.
    pub fn new(price: u32, lines: &mut Vec<Line>) -> Self {
        if price > 0 && price < 9 {
            for line in lines.iter() {}
        }
        match price {
            1 => {}
            _ => {}
        }
        Self { price }
    }

    async fn wait(&self) {}
}

mod inner {
    pub fn deep() {
        let job = |x: u32| x;
        job(1);
    }
}

#[test]
fn checks() {}

macro_rules! twice {
    () => {};
}
"""


def facts_of(source, path="src/lib.rs"):
    return read(path, source if isinstance(source, bytes) else source.encode())


def symbols(source=SOURCE):
    return {symbol.name: symbol for symbol in facts_of(source).symbols}


def test_symbols():
    found = symbols()
    assert list(found) == [
        "", "Line", "Kind", "Sum", "Sum.sum", "Line.new", "Line.wait", "inner", "inner.deep", "inner.deep.<lambda1>",
        "checks", "twice!",
    ]  # fmt: skip
    assert [found[name].type for name in ("Line", "Kind", "Sum", "Line.new", "inner", "checks")] == [
        "class", "enum", "trait", "method", "namespace", "function",
    ]  # fmt: skip
    assert [found[name].visibility for name in ("Line", "Kind", "Line.new", "Line.wait")] == [
        "public", "protected", "public", "private",
    ]  # fmt: skip
    assert found["Sum.sum"].flags == ("abstract",)
    assert found["Line.new"].flags == ("static",)
    assert found["Line.wait"].flags == ("async",)
    assert found["checks"].flags == ("test",)
    assert found["Sum"].bases == ("fmt::Debug",)
    assert found["Line"].decorators == ("derive(Debug)",)


def test_spans_signatures_docs_and_parameters():
    found = symbols()
    new = found["Line.new"]
    assert (new.start, new.end) == (26, 35)
    assert new.signature == "pub fn new(price: u32, lines: &mut Vec<Line>) -> Self"
    assert new.parameters == (Parameter("price", "only", type="u32"), Parameter("lines", "only", type="&mut Vec<Line>"))
    assert (found[""].doc, found["Line"].doc, found["Sum.sum"].doc, new.doc) == (
        "A shop.\nIn two lines.", "A line.", "Sums up.", "Makes one.",
    )  # fmt: skip


def test_complexity():
    """One, if, &&, for, two arms."""
    assert symbols()["Line.new"].complexity == 6


def test_imports_and_the_crate():
    facts = facts_of(SOURCE)
    assert facts.imports == [
        Import("std", 4, names=(("fmt", "fmt"),)),
        Import("crate", 5, names=(("cart", "cart"),)),
        Import("crate::cart", 5, names=(("Cart", "Basket"),)),
        Import("crate::tax", 5, names=(("*", ""),)),
        Import("self::sub", 6, names=(("", "sub"),)),
    ]
    cargo = facts_of('[package]\nname = "my-shop"\n[lib]\npath = "src/shop.rs"\n', "Cargo.toml")
    assert (cargo.language, cargo.config) == ("config", {"crate": "my_shop", "root": "src/shop.rs"})
    broken = facts_of("[package\n", "Cargo.toml")
    assert (broken.parse, broken.config) == ("partial", {})


def test_what_macros_are_given_is_read_where_it_stands():
    symbol = symbols('fn f(a: u32) {\n    println!(\n        "{}",\n        g(a)\n    );\n}\n')["f"]
    assert symbol.sites == [4, 2]


def test_broken_source_yields_what_can_be_read():
    facts = facts_of("fn ok() {}\nfn broken( {\n}\nfn later() {}\n")
    assert facts.parse == "partial"
    assert "ok" in [symbol.name for symbol in facts.symbols]


@pytest.mark.parametrize(
    ("raw", "notes"),
    [
        (b"\xef\xbb\xbffn f() {}\n", ()),
        (b"fn f() {}\r\n", ()),
        (b"// \xff\nfn f() {}\n", ("not UTF-8: read as latin-1",)),
    ],
)
def test_odd_encodings(raw, notes):
    facts = facts_of(raw)
    assert ([symbol.name for symbol in facts.symbols], facts.notes) == (["", "f"], notes)


@pytest.mark.parametrize(
    "inner",
    [
        "(" * 1500 + "1" + ")" * 1500,
        "x" + ".y()" * 1500,
        "[" * 1500 + "]" * 1500,
        "{" * 1500 + "}" * 1500,
        "format!(" * 300 + ")" * 300,
    ],
)
def test_deep_nesting_ends_in_a_note(inner):
    facts = facts_of(f"fn f() {{ let a = {inner}; }}\n")
    assert facts.parse == "partial"
    assert any("nested too deep" in note for note in facts.notes)
    assert facts.symbols  # What is above the depth is read all the same.


TEXT = r"""
fn struct enum trait impl mod use pub let mut if else match for in while loop return self Self super crate :: .
=> -> ( ) { } [ ] < > , ; = == && || & * ? x y X 1 'a' "s" println!( vec![ |x| async move dyn Some( Ok( // /* */
#[test] unsafe _ 'a
"""
WORDS = [*TEXT.split(), "\n"]


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
@settings(max_examples=120, deadline=None)
def test_no_text_stops_the_reader(source):
    facts = facts_of(source)
    json.dumps([symbol.flows for symbol in facts.symbols])
    names = [symbol.name for symbol in facts.symbols]
    assert len(names) == len(set(names))
    assert all(len(symbol.flows) == len(symbol.flow_lines) for symbol in facts.symbols)


@given(st.binary(max_size=200))
@settings(max_examples=40, deadline=None)
def test_no_bytes_stop_the_reader(raw):
    assert facts_of(raw).symbols[0].name == ""
    assert facts_of(raw, "Cargo.toml").language == "config"
