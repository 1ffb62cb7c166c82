"""What Ruby's reader makes of one file: symbols, comments, imports and flows; and that no input stops it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.code.facts import Import, Parameter
from sbfs.code.reading import read


def facts_of(source, path="lib/shop.rb"):
    return read(path, textwrap.dedent(source).encode() if isinstance(source, str) else source)


def symbol_of(source, name):
    return next(symbol for symbol in facts_of(source).symbols if symbol.name == name)


def names_of(source):
    return [symbol.name for symbol in facts_of(source).symbols]


# -- symbols


def test_symbols_are_named_by_their_place():
    source = """
    module Shop
      class Cart < Base
        def add(item) = item
        def self.build; end
        class << self
          def wipe; end
        end
        attr_accessor :owner
        Line = Struct.new(:price)
      end
    end
    class Shop::Tax; end
    def helper; end
    run { -> { 1 } }
    """
    assert names_of(source) == [
        "",
        "Shop",
        "Shop.Cart",
        "Shop.Cart.add",
        "Shop.Cart.build",
        "Shop.Cart.wipe",
        "Shop.Cart.owner",
        "Shop.Cart.owner=",
        "Shop.Cart.Line",
        "Shop.Cart.Line.initialize",
        "Shop.Cart.Line.price",
        "Shop.Cart.Line.price=",
        "Shop.Tax",
        "helper",
        "<block1>",
        "<block1>.<lambda1>",
    ]
    types = {symbol.name: symbol.type for symbol in facts_of(source).symbols}
    assert (types["Shop"], types["Shop.Cart"], types["Shop.Cart.add"], types["helper"]) == (
        "namespace",
        "class",
        "method",
        "function",
    )


def test_a_reopened_class_is_a_symbol_a_site_and_its_methods_keep_their_names():
    source = "class A; def x; end; end\nclass A; def y; end; def x; end; end\n"
    assert names_of(source) == ["", "A", "A.x", "A#2", "A.y", "A.x#2"]


def test_spans_signatures_and_bases():
    source = """
    # above
    class Cart < Shop::Base

      def add(item, count = 1, *rest, size:, color: 2, **more, &block)
        item
      end
    end
    """
    cart, add = symbol_of(source, "Cart"), symbol_of(source, "Cart.add")
    assert (cart.start, cart.end, cart.signature, cart.bases) == (
        3,
        8,
        "class Cart < Shop::Base",
        ("Shop::Base",),
    )
    assert (add.start, add.end) == (5, 7)
    assert add.signature == "def add(item, count = 1, *rest, size:, color: 2, **more, &block)"
    assert add.parameters == (
        Parameter("item", "only"),
        Parameter("count", "only", True),
        Parameter("rest", "rest"),
        Parameter("size", "keyword"),
        Parameter("color", "keyword", True),
        Parameter("more", "keywords"),
        Parameter("block", "block"),
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("private\ndef a; end", "private"),
        ("private\npublic\ndef a; end", "public"),
        ("protected\ndef a; end", "protected"),
        ("private def a; end", "private"),
        ("def a; end\nprivate :a", "private"),
        ("private\nattr_reader :a", "private"),
        ("def self.a; end\nprivate_class_method :a", "private"),
        ("private\ndef self.a; end", "public"),
        ("class << self\nprivate\ndef a; end\nend", "private"),
        ("private\ndef b; end\nclass Inner; end\ndef a; end", "private"),
    ],
)
def test_visibility(body, expected):
    assert symbol_of(f"class A\n{body}\nend\n", "A.a").visibility == expected


def test_a_private_constant_is_not_exported():
    source = "class A\nclass B; end\nprivate_constant :B\nend\n"
    assert (symbol_of(source, "A.B").visibility, symbol_of(source, "A.B").exported) == ("private", False)


def test_complexity_counts_branches_of_blocks_too():
    source = """
    def run(x)
      return if x && x.ok?
      x.each { |y| y.go unless y.done }
      case x
      when 1 then a
      when 2 then b
      end
    rescue Oops
      1
    end
    """
    assert symbol_of(source, "run").complexity == 1 + 2 + 1 + 2 + 1


def test_a_body_s_hash_holds_through_comments_layout_and_names():
    one = symbol_of("def a(x)\n  # why\n  x + 1\nend\n", "a")
    two = symbol_of("def b(x)\n x + 1\n\nend\n", "b")
    other = symbol_of("def a(x)\n  x + 2\nend\n", "a")
    assert one.body_hash == two.body_hash != other.body_hash
    assert len(one.body_hash) == 8


# -- comments


def test_comments_are_documentation():
    source = """
    # frozen_string_literal: true
    # Top of the file.

    ##
    # Adds up.
    #
    #   indented
    #--
    # not for readers
    #++
    # @return [Integer] cents
    def total; end

    # Not this one.

    def other; end

    =begin
    In a block.
    =end
    def third; end

    x = 1 # no documentation
    def fourth; end
    """
    assert symbol_of(source, "").doc == "Top of the file."
    assert symbol_of(source, "total").doc == "Adds up.\n\n  indented\n@return [Integer] cents"
    assert symbol_of(source, "other").doc == ""
    assert symbol_of(source, "third").doc == "In a block."
    assert symbol_of(source, "fourth").doc == ""


def test_yard_types_are_hints():
    source = "# @param cart [Shop::Cart, nil]\n# @return [Array<Item>]\ndef pay(cart); end\n"
    flows = symbol_of(source, "pay").flows
    assert ["hint", "cart", ["inst", ["attr", ["const", "Shop", []], "Cart"], []]] in flows
    listed = ["inst", ["const", "Array", []], [["inst", ["const", "Item", []], []]]]
    assert ["hint-return", listed] in flows


# -- imports and settings


def test_imports():
    source = """
    require "json"
    require_relative "shop/cart"
    require_relative "../x"
    load "tasks/build.rb"
    autoload :Tax, "shop/tax"
    require File.expand_path("../lib/y", __FILE__)
    require name
    """
    assert facts_of(source).imports == [
        Import("json", 2),
        Import("./shop/cart", 3),
        Import("../x", 4),
        Import("tasks/build.rb", 5),
        Import("shop/tax", 6, names=(("Tax", "Tax"),)),
        Import("./lib/y", 7),
    ]


def test_what_a_gemspec_and_settings_say():
    gem = 'Gem::Specification.new do |spec|\n  spec.name = "shop"\n  spec.require_paths = ["lib", "ext"]\nend\n'
    assert facts_of(gem, "shop.gemspec").config == {"name": ["shop"], "require_paths": ["ext", "lib"]}
    rails = 'config.autoload_paths += %W(#{config.root}/extras)\n$LOAD_PATH.unshift("vendor/lib")\n'
    assert facts_of(rails, "config/application.rb").config == {
        "autoload_paths": ["extras"],
        "load_paths": ["vendor/lib"],
    }
    inflections = 'ActiveSupport::Inflector.inflections { |inflect| inflect.acronym "API" }\n'
    assert facts_of(inflections, "config/initializers/inflections.rb").config == {"acronyms": ["API"]}


# -- flows


def test_a_word_is_a_local_once_it_is_assigned():
    flows = symbol_of("def f\n  x\n  x = 1\n  x\nend\n", "f").flows
    assert flows == [
        ["do", ["call", 0, ["attr", ["this"], "x"], []]],
        ["=", "x", ["lit", "Integer"]],
        ["return", "x"],
    ]


def test_versions_of_a_local_join_after_branches():
    source = "def f(c)\n  x = A.new\n  x = B.new if c\n  x.go\nend\n"
    flows = symbol_of(source, "f").flows
    merged = [flow[2] for flow in flows if flow[:2] == ["=", "x@3"]]
    assert sorted(merged) == ["x", "x@2"]
    assert flows[-1] == ["return", ["call", 2, ["attr", "x@3", "go"], []]]


def test_blocks_read_the_method_s_self_and_block():
    source = "def each\n  @all.map { |one| yield one, size }\nend\n"
    block = symbol_of(source, "each.<block1>")
    assert block.flags == ("block",)
    assert ["=", "self", "each:self"] in block.flows
    call = ["call", 0, "each:&", ["one", ["call", 1, ["attr", "self", "size"], []]]]
    assert ["return", call] in block.flows


def test_lines_of_sites_follow_chains():
    symbol = symbol_of("def f\n  a\n    .b\n    .c\nend\n", "f")
    assert sorted(symbol.sites) == [2, 3, 4]


# -- whatever the file holds


def test_broken_source_yields_what_can_be_read():
    facts = facts_of("class A\n  def ok; 1; end\n  def broken(\n  end\nend\ndef later; end\n")
    assert facts.parse == "partial"
    assert facts.notes
    assert any(symbol.name.endswith("ok") for symbol in facts.symbols)


@pytest.mark.parametrize(
    ("raw", "name", "note"),
    [
        ("# coding: iso-8859-1\ndef gr\xfcn; end\n".encode("latin-1"), "grün", "not UTF-8: read as iso-8859-1"),
        ("def gr\xfcn; end\n".encode("latin-1"), "grün", "not UTF-8: read as latin-1"),
        (b"\xef\xbb\xbfdef bom; end\n", "bom", None),
        (b"\xff\xfe" + "def wide; end\n".encode("utf-16-le"), "wide", "read as utf-16-le"),
        (b"def crlf\r\n  1\r\nend\r\n", "crlf", None),
        (b"# coding: nonsense\ndef odd; end # \xff\n", "odd", "not UTF-8: read as latin-1"),
    ],
)
def test_odd_encodings(raw, name, note):
    facts = facts_of(raw)
    assert [symbol.name for symbol in facts.symbols] == ["", name]
    assert facts.notes == ((note,) if note else ())


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 3000 + "1" + ")" * 3000,
        "x" + ".y" * 3000,
        "x = " + "[" * 3000 + "]" * 3000,
        "def f\n" * 1500 + "end\n" * 1500,
        "if a\n" * 1500 + "b\n" + "end\n" * 1500,
        "a { " * 1500 + "}" * 1500,
    ],
)
def test_deep_nesting_ends_in_a_note(source):
    facts = facts_of(source)
    assert facts.parse == "partial"
    assert any("nested too deep" in note for note in facts.notes)
    assert facts.symbols  # What is above the depth is read all the same.


def test_long_chains_are_no_nesting():
    facts = facts_of("x = " + " + ".join(["f(1)"] * 2000) + "\nif a\n1\n" + "elsif b\n2\n" * 500 + "end\n")
    assert facts.parse == "full"


def test_the_grammar_is_loaded_by_the_first_file():
    code = "import sys; import sbfs.code.ruby; print('tree_sitter' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


TEXT = r"""
class module def end if unless else elsif case when in while do { } ( ) [ ] | & * ** :: . &. ; = ||= += << <=>
=> -> ? : self super yield return break next begin rescue ensure => @x @@x $x X Y x y x? y! :s "#{ " ' <<~A A
%w[ %i[ /re/ 1 2.0 nil attr_reader private alias undef include extend define_method send delegate require lambda
proc raise not and or # =begin =end __END__ BEGIN END \ , ... .. _1 it then retry defined? Struct.new(
Class.new( class<<self
"""
WORDS = [*TEXT.split(), "\n"]


@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_no_text_stops_the_reader(source):
    facts = facts_of(source.encode("utf-8", "replace"))
    json.dumps([symbol.flows for symbol in facts.symbols])
    names = [symbol.name for symbol in facts.symbols]
    assert len(names) == len(set(names))
    for symbol in facts.symbols:
        assert len(symbol.flows) == len(symbol.flow_lines)
        assert 1 <= symbol.start <= symbol.end


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_no_bytes_stop_the_reader(raw):
    assert facts_of(raw).symbols[0].name == ""


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_or_changed_program_is_read(data):
    source = (Path(__file__).parent / "callgraph/ruby/flow/pattern_matching.txt").read_text()
    place = data.draw(st.integers(0, len(source)))
    length = data.draw(st.integers(0, 12))
    facts_of((source[:place] + data.draw(st.text(max_size=4)) + source[place + length :]).encode("utf-8", "replace"))


def test_reading_twice_gives_the_same():
    source = "class A\n  def f(x)\n    x.map { |y| y.z }\n  end\nend\n"
    assert facts_of(source) == facts_of(source)
