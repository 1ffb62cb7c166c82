"""What the reader of JavaScript and TypeScript makes of one file, and that no input stops it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs.code.facts import Import
from sbfs.code.javascript import read
from sbfs.code.javascript.config import plain
from sbfs.linking import link
from sbfs.linking.javascript_modules import Modules, outside

LANGUAGES = ("javascript", "jsx", "typescript", "tsx")


def facts_of(source, language="javascript", path="lib/shop.js"):
    raw = source if isinstance(source, bytes) else textwrap.dedent(source).encode()
    return read(path, raw, language)


def symbols_of(source, language="javascript"):
    return {symbol.name: symbol for symbol in facts_of(source, language).symbols}


def links_of(**files):
    """Edges of files given by name, `.` written as `__`."""
    paths = {name.replace("__", "."): textwrap.dedent(text) for name, text in files.items()}
    languages = {"js": "javascript", "jsx": "jsx", "ts": "typescript", "tsx": "tsx", "json": "config"}
    return link(read(path, text.encode(), languages[path.rpartition(".")[2]]) for path, text in paths.items())


# -- symbols


def test_symbols_are_named_by_what_they_are_put_into():
    names = list(
        symbols_of(
            """
            export default class {}
            const a = () => {};
            const named = function own() {};
            class C { static s() {} #p() {} get x() { return 1 } set x(v) {} f = () => {};
              ["k"]() {} [Symbol.iterator]() {} }
            function F() { this.m = function () {}; }
            F.prototype.n = function () {};
            const o = { p() {}, q: () => {}, deep: { r() {} } };
            o.s = function () {};
            exports.t = function () {};
            run(() => {}, function () {});
            """
        )
    )
    assert names == [
        "",
        "default",
        "a",
        "own",
        *("C", "C.s", "C.#p", "C.x", "C.x#2", "C.f", "C.k", "C.[Symbol.iterator]"),
        *("F", "F.m", "F.n", "o.p", "o.q", "o.deep.r", "o.s", "t", "<lambda1>", "<lambda2>"),
    ]


def test_types_and_flags():
    symbols = symbols_of(
        """
        async function* flow() {}
        abstract class A {
          static async s() {} get g() { return 1 } set g(v) {}
          private q() {} protected r() {} abstract t(): void
        }
        interface I { x: number }
        type T = { y: string };
        enum E { One }
        namespace N { export function inner() {} function hidden() {} }
        declare function outside(): void;
        """,
        "typescript",
    )
    assert {name: symbol.type for name, symbol in symbols.items() if "." not in name} == {
        "": "module",
        "flow": "function",
        "A": "class",
        "I": "interface",
        "T": "type",
        "E": "enum",
        "N": "namespace",
        "outside": "function",
    }
    assert symbols["flow"].flags == ("async", "generator")
    assert symbols["A.s"].flags == ("static", "async")
    assert symbols["A.g"].flags == ("property",) and symbols["A.g#2"].flags == ("setter",)
    assert [symbols[f"A.{name}"].visibility for name in "qrt"] == ["private", "protected", "public"]
    assert symbols["A.t"].flags == ("abstract",) and symbols["A"].flags == ("abstract",)
    assert symbols["N.inner"].exported and not symbols["N.hidden"].exported


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("export function Card() { return <b/>; }", "Card"),
        ("const Card = () => <b>{1}</b>;", "Card"),
        ("const Card = memo(() => null);", "Card"),
        ("const Card = React.forwardRef(function Inner(p, ref) { return null; });", "Inner"),
        ("class Card extends Component { render() { return <b/>; } }", "Card"),
    ],
)
def test_components(source, name):
    assert symbols_of(source, "tsx")[name].type == "component"


@pytest.mark.parametrize(
    "source", ["const useIt = () => <b/>;", "function Plain() { return 1; }", "class Box { m() { return <b/>; } }"]
)
def test_no_components(source):
    assert "component" not in {symbol.type for symbol in symbols_of(source, "jsx").values()}


def test_spans_cover_export_and_decorators():
    symbols = symbols_of(
        "@dec\n@other(1)\nexport class A {\n  @m\n  run() {\n  }\n}\nexport const f =\n  () => 1;\n", "typescript"
    )
    assert [(symbols[name].start, symbols[name].end) for name in ("A", "A.run", "f")] == [(1, 7), (4, 6), (8, 9)]
    assert symbols["A"].decorators == ("dec", "other(1)") and symbols["A.run"].decorators == ("m",)


def test_docs_are_blocks_right_above():
    symbols = symbols_of(
        """
        /**
         * Adds two numbers.
         *
         * @param {number} x one
         */
        export function add(x) {}

        /** Far away. */

        function far() {}
        // no doc
        function none() {}
        /** Of an arrow. */
        export const arrow = () => 1;
        class C {
          /** Of a method. */
          @dec
          m() {}
        }
        const o = {
          /** Of a member. */
          k() {},
        };
        """
    )
    assert symbols["add"].doc == "Adds two numbers.\n\n@param x one"
    assert [symbols[name].doc for name in ("arrow", "C.m", "o.k")] == ["Of an arrow.", "Of a method.", "Of a member."]
    assert symbols["far"].doc == symbols["none"].doc == ""


def test_signature_and_parameters():
    symbol = symbols_of(
        "export async function f<T>(a: T, { b }: P = {}, c?: number, ...d: T[]): Promise<T> {}", "typescript"
    )["f"]
    assert (
        symbol.signature == "async f<T>(a: T, { b }: P = {}, c?: number, ...d: T[]): Promise<T>"
        or "(a: T" in symbol.signature
    )
    assert [(one.name, one.kind, one.has_default, one.type) for one in symbol.parameters] == [
        ("a", "only", False, "T"),
        ("{2}", "only", True, "P"),
        ("c", "only", True, "number"),
        ("d", "rest", False, "T[]"),
    ]


def test_complexity_counts_branches_of_the_function_alone():
    symbols = symbols_of(
        """
        function f(a, b) {
          if (a && b || a) return 1;
          for (const x of a) { while (x) {} }
          switch (a) { case 1: case 2: break; default: }
          try { a?.b; } catch (e) {}
          const g = () => (a ? 1 : b ?? 2);
          return a ||= b;
        }
        """
    )
    assert symbols["f"].complexity == 1 + 1 + 2 + 1 + 1 + 2 + 1 + 1
    assert symbols["f.g"].complexity == 1 + 1 + 1


def test_body_hash_outlives_a_move_and_a_new_name():
    one = symbols_of("function f(a) { return a + 1; }")["f"].body_hash
    moved = symbols_of("const o = 1;\n\n// x\nfunction g(a) {\n  // why\n  return a + 1;\n}")["g"].body_hash
    assert one == moved != symbols_of("function f(a) { return a + 2; }")["f"].body_hash


def test_exported_by_the_modules_own_rule():
    exported = {
        name
        for name, symbol in symbols_of(
            "export class A { m() {} #p() {} }\nfunction b() {}\nexport { b as c };\nfunction d() {}"
        ).items()
        if symbol.exported
    }
    assert exported == {"", "A", "A.m", "b"}
    common = {
        name
        for name, symbol in symbols_of("function a() {}\nfunction b() {}\nmodule.exports = { a, c() {} };").items()
        if symbol.exported
    }
    assert common == {"", "a", "c"}
    assert symbols_of("function script() {}")["script"].exported


# -- imports


def test_imports_of_all_forms():
    facts = facts_of(
        """
        import d, { a, b as c } from "./m";
        import * as ns from "n";
        import "side";
        import type { T } from "./t";
        import { type U, v } from "./u";
        import e = require("e");
        export { x as y, default as z } from "./x";
        export * from "./s";
        export * as all from "./all";
        const r = require("r");
        const { k, l: m } = require("s");
        const n = require("t").deep;
        async function f() { const { q } = await import("./q"); }
        """,
        "typescript",
    )
    assert facts.imports == [
        Import("./m", 2, 0, (("*default", "d"), ("a", "a"), ("b", "c"))),
        Import("n", 3, 0, (("", "ns"),)),
        Import("side", 4),
        Import("./t", 5, 0, (("T", "T"),), types_only=True),
        Import("./u", 6, 0, (("U", "U"), ("v", "v"))),
        Import("e", 7, 0, (("", "e"),)),
        Import("./x", 8, 0, (("x", "y"), ("*default", "z"))),
        Import("./s", 9, 0, (("*", ""),)),
        Import("./all", 10, 0, (("", "all"),)),
        Import("r", 11, 1, (("", "r"),)),
        Import("s", 12, 1, (("k", "k"), ("l", "m"))),
        Import("t", 13, 1, (("deep", "n"),)),
        Import("./q", 14, 0, (("q", "q"),), owner="f"),
    ]
    assert facts.exports == ("y", "z", "all")


def test_a_require_of_ones_own_is_no_import():
    assert facts_of("function require(x) {}\nrequire('a');").imports == []


# -- what is broken, large or odd


def test_what_can_be_read_of_a_broken_file():
    facts = facts_of("function good() { leaf(); }\nclass { {{{ \nfunction after() {}\nconst x = ;\n")
    assert facts.parse == "partial" and facts.notes
    assert "good" in {symbol.name for symbol in facts.symbols}


def test_deep_nesting_is_cut_off_with_a_note():
    deep = "(" * 400 + "x" + ")" * 400
    for source in (
        f"const a = {deep}; function after() {{}}",
        "[" * 3000 + "]" * 3000,
        "if (a) " * 500 + "b();",
        "{" * 2000 + "}" * 2000,
    ):
        facts = facts_of(source)
        assert facts.parse in ("full", "partial")
    assert "after" in {symbol.name for symbol in facts_of(f"const a = {deep}; function after() {{}}").symbols}
    assert "deep" in " ".join(facts_of(f"const a = {deep};").notes)


def test_long_chains_are_not_deep():
    texts = " + ".join(["f()"] * 2000)
    elses = " else ".join(["if (a) { f(); }"] * 800)
    facts = facts_of(f"function f() {{}}\nconst t = {texts};\n{elses}\n")
    assert facts.parse == "full"
    assert len(facts.symbols[0].sites) == 2800


def test_minified_code_is_read():
    facts = facts_of(
        "!function(e,t){var n=function(){return t()};e.x=n,e.y=function(a){return a?n():e.x()}}"
        "(this,function(){return 1});" * 50
    )
    assert facts.parse == "full" and len(facts.symbols) == 201


@pytest.mark.parametrize(
    "raw",
    [
        "\ufefffunction f() {}".encode(),
        "function f() {}".encode("utf-16"),
        b"// \xe9\r\nfunction f() {\r\n}\r\n",
        b"#!/usr/bin/env node\nfunction f() {}",
    ],
)
def test_encodings_and_line_ends(raw):
    symbols = {symbol.name: symbol for symbol in facts_of(raw).symbols}
    assert symbols["f"].type == "function"
    if b"\r\n" in raw:
        assert (symbols["f"].start, symbols["f"].end) == (2, 3)


def test_names_in_other_scripts():
    assert "größe" in symbols_of("function größe() {}\nconst ключ = () => größe();")


@pytest.mark.parametrize(
    "source", ["", "\n", "//", "#!", "#!x", "export {}", "import", "class", "const {a} ", "<", "`${", "'", "/*"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_fragments(source, language):
    assert facts_of(source, language).symbols[0].name == ""


WORDS = """
function class const let var if else for of in while return yield await async export default import from new this super
. ?. , ; : = => ... ( ) { } [ ] < /> </ ` ${ a b C "x" 1 // /* */ static get set extends type interface enum namespace
@ # ! as é case switch try catch
"""
_WORDS = st.sampled_from([*WORDS.split(), "\n", "\u2028"])


@settings(max_examples=60, deadline=None)
@given(st.lists(_WORDS, max_size=40).map(" ".join), st.sampled_from(LANGUAGES))
def test_reading_never_raises(source, language):
    facts = facts_of(source, language)
    json.dumps([symbol.flows for symbol in facts.symbols])
    names = [symbol.name for symbol in facts.symbols]
    assert len(set(names)) == len(names)
    for symbol in facts.symbols:
        assert 1 <= symbol.start <= symbol.end
        assert len(symbol.flows) == len(symbol.flow_lines)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.sampled_from((*LANGUAGES, "config")))
def test_bytes_never_raise(raw, language):
    read("a/package.json" if language == "config" else "a.js", raw, language)


ENDLESS = [
    "import {f} from './b';",
    "export * from './a';",
    "export const f = () => f();",
    "class A extends A {}",
    "A.prototype = A;",
    "f = f.bind(f);",
    "const a = {...a, a}; a.a();",
    "Object.setPrototypeOf(A, A);",
    "module.exports = module.exports;",
    "async function g() { return g(); }",
    "let q = w(); for (;;) q = q.next(q).call()(q);",
    "let y = w(); for (;;) y = y.a.b;",
    "let x = new W(); for (;;) x = x.a.b();",
    "let p = new Promise(r => r(p)); p = p.then(() => p);",
    "let z = new Z(); z = z.a.b; z.a = z;",
    "const l = []; const s = l.sort, m = l.map; l.push(s, m, l); s.call(l, s); m.call(l, m); l.forEach(m, l); l[0](s);",
    "const fs = [[].forEach, [].map, [].sort]; fs.forEach((f) => f.call(fs, f)); fs[0].apply(fs, fs);",
]


@pytest.mark.parametrize("line", ENDLESS)
def test_linking_ends_whatever_refers_to_itself(line):
    links_of(a__js=line, b__js=line)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(ENDLESS), max_size=8).map("\n".join))
def test_linking_ends_whatever_refers_to_what(text):
    links_of(a__js=text, b__js=text)


def test_reading_is_the_same_under_every_hash_seed(tmp_path):
    source = (
        "import {a, b} from './x'; export class C { m() { return a(b, {c: 1, ...d}) } }\n"
        "for (const x of y) { if (x) f = 1; else f = 2 }"
    )
    program = (
        f"import sys; from sbfs.code.javascript import read; print(read('a.js', {source.encode()!r}, 'javascript'))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": str(seed)}, capture_output=True, check=True
        ).stdout
        for seed in (0, 1)
    }
    assert len(runs) == 1


def test_grammars_are_loaded_when_needed():
    program = "import sys, sbfs.code.javascript, sbfs.linking; print('tree_sitter' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


# -- components


def test_renders_and_calls_of_components():
    links = links_of(
        app__tsx="""
        import { Card } from "./card";
        import Router from "router";
        import * as ui from "./card";
        export function App() {
          const pick = () => 1;
          help();
          return <Router><Card onPick={pick}/><ui.Small/><div onClick={pick}/></Router>;
        }
        function help() {}
        """,
        card__tsx="""
        export class Card extends React.Component {
          render() { return <b>{this.props.onPick()}</b>; }
        }
        export const Small = () => <i/>;
        """,
    )
    edges = [edge for edge in links.edges if edge.source == "app.tsx::App" and edge.type != "declares"]
    assert {(edge.target, edge.type) for edge in edges if edge.flags == ("renders",)} == {
        ("ext::router", "component_calls"),
        ("card.tsx::Card", "component_calls"),
        ("card.tsx::Small", "component_calls"),
    }
    assert [(edge.target, edge.type) for edge in edges if edge.flags == ()] == [("app.tsx::help", "component_calls")]
    assert [edge.target for edge in edges if edge.flags == ("implicit",)] == ["app.tsx::App.pick"]
    assert ("card.tsx::Card.render", "app.tsx::App.pick") in {(edge.source, edge.target) for edge in links.edges}


def test_lazy_components_are_their_modules_default():
    links = links_of(
        app__jsx="""
        import { lazy } from "react";
        const Page = lazy(() => import("./page"));
        export function App() { return <Page/>; }
        """,
        page__jsx="export default function Page() { return <b/>; }",
    )
    assert ("app.jsx::App", "page.jsx::Page", ("renders",)) in {
        (edge.source, edge.target, edge.flags) for edge in links.edges
    }


def test_imports_and_extends_edges():
    links = links_of(
        a__ts="""
        import type { I } from "./b";
        import { B } from "./b";
        import fs from "fs";
        class A extends B implements I {}
        """,
        b__ts="export class B {}\nexport interface I {}",
    )
    found = {
        (edge.source, edge.target, edge.type, edge.flags) for edge in links.edges if edge.type in ("imports", "extends")
    }
    assert found == {
        ("a.ts", "b.ts", "imports", ("type",)),
        ("a.ts", "b.ts", "imports", ()),
        ("a.ts", "ext::fs", "imports", ()),
        ("a.ts::A", "b.ts::B", "extends", ()),
        ("a.ts::A", "b.ts::I", "extends", ("implements",)),
    }


# -- configurations and modules


def test_configurations():
    tsconfig = b"""\xef\xbb\xbf{ // c
      "extends": "./b.json", /* x */ "compilerOptions": { "paths": {"a/*": ["b/*",],}, "strict": true },
      "references": [{"path": "c"}] }"""
    assert read("tsconfig.json", tsconfig, "config").config == {
        "tsconfig": {"paths": {"a/*": ["b/*"]}, "extends": ["./b.json"], "references": ["c"]}
    }
    package = b'{"name": "n", "version": "1", "workspaces": {"packages": ["p/*"]}, "scripts": {"a": "b"}}'
    assert read("p/package.json", package, "config").config == {"package": {"name": "n", "workspaces": ["p/*"]}}
    broken = read("package.json", b"{", "config")
    assert broken.parse == "partial" and broken.notes and broken.config == {}


def test_comments_within_texts_stay():
    assert json.loads(plain('{"a": "// no", "b": "/* no */", "c": ",}", /* yes */ "d": 1, } // end')) == {
        "a": "// no",
        "b": "/* no */",
        "c": ",}",
        "d": 1,
    }


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("./a", "src/a.ts"),
        ("./a.js", "src/a.ts"),
        ("./b", "src/b/index.tsx"),
        ("./b/", "src/b/index.tsx"),
        (".", "src/index.js"),
        ("..", None),
        ("./A", None),
        ("../../outside", None),
        ("core", "packages/core/src/index.ts"),
        ("core/deep/x", "packages/core/src/deep/x.ts"),
        ("core/hidden", None),
        ("core/blocked", None),
        ("~/a", "src/a.ts"),
        ("react", None),
    ],
)
def test_resolving(spec, found):
    paths = [
        "src/a.ts",
        "src/b/index.tsx",
        "src/index.js",
        "packages/core/src/index.ts",
        "packages/core/src/deep/x.ts",
        "packages/core/src/hidden.ts",
    ]
    exports = {
        ".": {"types": "./dist/index.d.ts", "import": "./dist/index.js"},
        "./deep/*": "./dist/deep/*.js",
        "./hidden": None,
        "./blocked": {"import": None, "default": "./dist/hidden.js"},
    }
    configs = {
        "tsconfig.json": {"tsconfig": {"paths": {"~/*": ["src/*"]}}},
        "packages/core/package.json": {"package": {"name": "core", "exports": exports}},
    }
    assert Modules(paths, configs).resolve("src/main.ts", spec) == found


def test_names_outside():
    assert [outside(spec) for spec in ("node:fs", "lodash/map", "@a/b", "@a/b/c/d", "react")] == [
        "fs",
        "lodash.map",
        "@a/b",
        "@a/b.c.d",
        "react",
    ]


def test_configurations_that_extend_each_other():
    configs = {
        "tsconfig.json": {"tsconfig": {"extends": ["./b.json"]}},
        "b.json": {"tsconfig": {"extends": ["./tsconfig.json"], "baseUrl": "lib"}},
    }
    assert Modules(["lib/x.ts"], configs).resolve("main.ts", "x") == "lib/x.ts"


def test_a_long_chain_of_calls_is_read_whole():
    facts = facts_of(
        "function f(x) { return x }\nbase" + "".join(f".m{n}(() => f({n}))" for n in range(500)) + ".end();"
    )
    assert facts.parse == "full"
    assert len(facts.symbols) == 502 and len(facts.symbols[0].sites) == 501
    assert all(len(json.dumps(flow)) < 2000 for flow in facts.symbols[0].flows)


def test_what_takes_long_elsewhere_is_read_quickly():
    """Deep and wide input that a pattern over the tree, a snapshot a closure, or a join a branch would be slow on."""
    wide = "".join(f"let v{n}=1;v{n}=2;if(a){{v{n}=()=>v{n}}}" for n in range(500))
    for source in ("x=" + "'a'+" * 8000 + "b", wide, "x({render(){}});" * 1500, "if(a){}" + "else if(b){f()}" * 2000):
        assert facts_of(source).parse == "full"
