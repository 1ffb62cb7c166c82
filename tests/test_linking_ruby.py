"""What linking says of Ruby, Go, Rust and Java beyond calls: imports, what builds on what, what stays unresolved."""

from __future__ import annotations

import random
import textwrap

from sbfs.code.reading import read
from sbfs.linking import Linker, link


def linked(**files):
    """Links of files; `__` in a name stands for `/`, and its last `_` for the dot."""
    return link(facts_of(files))


def facts_of(files):
    facts = []
    for name, source in files.items():
        stem, _, ending = name.replace("__", "/").rpartition("_")
        facts.append(read(f"{stem}.{ending}", textwrap.dedent(source).encode()))
    return facts


def edges(links, type):
    return {(edge.source, edge.target, edge.flags) for edge in links.edges if edge.type == type}


# -- Ruby


def test_requires_find_load_paths():
    links = linked(
        shop_gemspec='Gem::Specification.new { |s| s.require_paths = ["ext/lib"] }\n',
        ext__lib__shop_rb="""
        require "shop/cart"
        require "json"
        require_relative "shop/tax"
        autoload :Late, "shop/late"
        """,
        ext__lib__shop__cart_rb="",
        ext__lib__shop__tax_rb='require File.expand_path("../../top", __FILE__)\n',
        ext__lib__shop__late_rb="",
        ext__lib__top_rb="",
    )
    assert {(source, target) for source, target, _ in edges(links, "imports")} == {
        ("ext/lib/shop.rb", "ext/lib/shop/cart.rb"),
        ("ext/lib/shop.rb", "ext::json"),
        ("ext/lib/shop.rb", "ext/lib/shop/tax.rb"),
        ("ext/lib/shop.rb", "ext/lib/shop/late.rb"),
        ("ext/lib/shop/tax.rb", "ext/lib/top.rb"),
    }


def test_a_constant_s_use_imports_its_file():
    links = linked(
        app__models__tax_rate_rb="class TaxRate\nend\n",
        app__models__concerns__priced_rb="module Priced\n  def price = TaxRate\nend\n",
        app__models__item_rb="class Item\n  include Priced\nend\nclass TaxRate\n  def more; end\nend\n",
    )
    assert {(source, target) for source, target, _ in edges(links, "imports")} == {
        ("app/models/concerns/priced.rb::Priced.price", "app/models/tax_rate.rb"),
        ("app/models/item.rb", "app/models/concerns/priced.rb"),
    }


def test_what_ruby_classes_build_on():
    links = linked(
        a_rb="""
        module M; end
        class A < Struct.new(:x); include M; include Comparable; end
        class B < A; extend M; end
        class C < Outside::Thing; end
        """
    )
    assert edges(links, "extends") == {
        ("a.rb::A", "ext::<builtin>.Struct", ()),
        ("a.rb::A", "a.rb::M", ("mixin",)),
        ("a.rb::A", "ext::<builtin>.Comparable", ("mixin",)),
        ("a.rb::B", "a.rb::A", ()),
        ("a.rb::B", "a.rb::M", ("mixin",)),
        ("a.rb::C", "ext::Outside.Thing", ()),
    }


def test_what_ruby_cannot_tell_stays_unresolved():
    links = linked(
        a_rb="""
        class A < Outside
          def run(thing)
            missing
            thing.unheard_of
            yield
          end
        end
        class B
          def run = nowhere
        end
        [1].each { |x| x }
        """
    )
    found = {(one.source, one.line, one.reason) for one in links.unresolved}
    assert ("a.rb::A.run", 4, "external-base") in found
    assert ("a.rb::B.run", 10, "unknown") in found
    assert any(one.line == 5 for one in links.unresolved)
    assert not any(one.line == 12 for one in links.unresolved)


def test_hooks_run_with_what_is_told():
    links = linked(
        a_rb="""
        class Base
          def self.inherited(child)
            known << child
          end
          def self.known = @@known ||= []
          def self.run_all = known.each { |one| one.go }
        end
        class Child < Base
          def self.go; end
        end
        Base.run_all
        """
    )
    calls = {(source, target) for source, target, _ in edges(links, "calls")}
    assert ("a.rb", "a.rb::Base.inherited") in calls
    assert ("a.rb::Base.run_all", "a.rb::Child.go") in calls


def test_links_of_ruby_do_not_depend_on_the_order_of_files():
    files = {
        "a_rb": "class A\n  include M\n  def run = helper\nend\n",
        "b_rb": "module M\n  def helper = C.new.go\nend\n",
        "c_rb": "class C\n  def go; end\nend\nclass A\n  def more = run\nend\nA.new.more\n",
    }
    facts = facts_of(files)
    whole = link(facts)
    for seed in range(4):
        random.Random(seed).shuffle(facts)
        assert link(facts) == whole


def test_updates_of_ruby_equal_linking_all_again():
    files = {
        "a_rb": "class A\n  def run = B.new.go\nend\n",
        "b_rb": "class B\n  def go; end\nend\n",
        "c_rb": "class B\n  def more; end\nend\nA.new.run\n",
    }
    linker = Linker(facts_of(files))
    for name, source in (
        ("a_rb", "# a line more\n" + files["a_rb"]),
        ("b_rb", "class B\n  def go = more\nend\n"),
        ("c_rb", "# b\n\n" + files["c_rb"]),
    ):
        files[name] = source
        changed = facts_of({name: source})
        linker.update({one.path: one for one in changed})
        assert linker.links == link(facts_of(files))


# -- Go, Rust, Java


def test_imports_of_go_are_files_of_the_folder():
    links = linked(
        go_mod="module example.com/shop\n",
        main_go='package main\nimport (\n"fmt"\n"example.com/shop/tax"\n)\nfunc main() { fmt.Println(tax.Rate()) }\n',
        tax__a_go="package tax\nfunc Rate() int { return 1 }\n",
        tax__b_go="package tax\n",
        tax__a_test_go="package tax\n",
    )
    assert {(source, target) for source, target, _ in edges(links, "imports")} == {
        ("main.go", "ext::fmt"),
        ("main.go", "tax/a.go"),
        ("main.go", "tax/b.go"),
    }


def test_imports_of_rust_are_modules():
    links = linked(
        Cargo_toml='[package]\nname = "shop"\n',
        src__lib_rs="mod tax;\nuse std::fmt;\nuse crate::tax::Rate;\n",
        src__tax_rs="pub struct Rate;\n",
        tests__all_rs="use shop::tax::Rate;\nfn f(r: Rate) {}\n",
    )
    assert {(source, target) for source, target, _ in edges(links, "imports")} == {
        ("src/lib.rs", "src/tax.rs"),
        ("src/lib.rs", "ext::std.fmt"),
        ("tests/all.rs", "src/tax.rs"),
    }


def test_imports_and_bases_of_java():
    links = linked(
        a__Base_java="package a;\npublic class Base { }\n",
        a__Shown_java="package a;\npublic interface Shown { }\n",
        b__Cart_java="""
        package b;
        import a.*;
        import java.util.List;
        class Cart extends Base implements Shown, Runnable { }
        """,
    )
    assert {(source, target) for source, target, _ in edges(links, "imports")} == {
        ("b/Cart.java", "a/Base.java"),
        ("b/Cart.java", "a/Shown.java"),
        ("b/Cart.java", "ext::java.util.List"),
    }
    assert edges(links, "extends") == {
        ("b/Cart.java::Cart", "a/Base.java::Base", ()),
        ("b/Cart.java::Cart", "a/Shown.java::Shown", ("implements",)),
        ("b/Cart.java::Cart", "ext::java.lang.Runnable", ()),
    }


def test_languages_do_not_meet_by_name():
    links = linked(
        a_rb="class A\n  def run(x) = x.emboss\nend\n",
        b_go="package b\ntype T struct{}\nfunc (t *T) emboss() {}\n",
    )
    assert edges(links, "calls") == set()


def test_bases_in_a_circle_end():
    links = linked(
        a_rb="""
        class A < B
          def f = super
        end
        class B < A; end
        module M; include N; end
        module N; include M; end
        A.new.f
        """,
        B_java="class A extends B { void f() { g(); } }\nclass B extends A { void g() { f(); } }\n",
    )
    assert ("a.rb", "a.rb::A.f", ()) in edges(links, "calls")
