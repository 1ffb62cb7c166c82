"""Documentation of code and prose: what is read of it, kept of it, asked of it, and shown of it."""

from __future__ import annotations

import html
from pathlib import Path

import pytest
from domain_helpers import Shell
from graph_helpers import lay

from sbfs import documentation, graph
from sbfs.code import documented, prose, reading
from sbfs.documentation.parsing import Told, parse
from sbfs.errors import Invalid, NotFound
from sbfs.git import trees
from sbfs.store import Store


def shards(store: Store, project: str = "code") -> dict[str, bytes]:
    """Path → bytes of a project's documentation."""
    tree = store.repo.folder(store.view().commit.tree, f"projects/{project}/docs")
    found = trees.walk(store.repo.tree, tree) if tree else ()
    return {path: store.repo.blob(id) for path, _, id in found}


def items(path: str, text: str) -> list[tuple[str, str, int, str]]:
    """(type, name, line, text) of what a source file documents."""
    found = documented.of_facts(reading.read(path, text.encode()))
    return [(one.type, one.name, one.line, one.text) for one in found.items]


# -- code ------------------------------------------------------------------------------------------

PYTHON = '''"""The module."""

#: How many.
LIMIT = 3

NAMES: dict = {}
"""Known names.

Of all."""


class Outer:
    """Around."""

    size = 1
    """Of it."""

    class Inner:
\t\t"""With a tab,\tand ünïcode."""

    @property
    def value(self):
        """What it is."""


@decorated
def job():
    """Done."""


@overload
def f(x: int) -> int: ...
@overload
def f(x: str) -> str: ...
def f(x):
    """For both."""


def silent():
    "a" + "b"
'''


def test_python_tells_modules_classes_functions_and_attributes():
    """A docstring that is missed, of another's place, or of a text that is none."""
    assert items("m.py", PYTHON) == [
        ("module", "", 1, "The module."),
        ("attribute", "LIMIT", 4, "How many."),
        ("attribute", "NAMES", 6, "Known names.\n\nOf all."),
        ("class", "Outer", 12, "Around."),
        ("attribute", "Outer.size", 15, "Of it."),
        ("class", "Outer.Inner", 18, "With a tab,     and ünïcode."),
        ("method", "Outer.value", 21, "What it is."),
        ("function", "job", 26, "Done."),
        ("function", "f#3", 35, "For both."),
    ]


OTHERS = [
    ("a.ts", "/** Adds.\n * @param a one\n */\nexport function add(a: number): number { return a; }\n",
     [("function", "add", 4, "Adds.\n@param a one")]),
    ("a.js", "/**\n * A cart.\n */\nexport class Cart {\n  /** Its sum. */\n  total() { return 1; }\n}\n",
     [("class", "Cart", 4, "A cart."), ("method", "Cart.total", 6, "Its sum.")]),
    ("a.rb", "# A cart.\nclass Cart\n  # Its sum.\n  # @return [Integer] of all\n  def total\n    1\n  end\nend\n",
     [("class", "Cart", 2, "A cart."), ("method", "Cart.total", 5, "Its sum.\n@return [Integer] of all")]),
    ("a.go", "// Package a sells.\npackage a\n\n// Add adds.\nfunc Add(a int) int { return a }\n",
     [("module", "", 1, "Package a sells."), ("function", "Add", 5, "Add adds.")]),
    ("a.rs", "//! Sells.\n\n/// Adds.\n///\n/// # Errors\n/// Never.\npub fn add() {}\n",
     [("module", "", 1, "Sells."), ("function", "add", 7, "Adds.\n\n# Errors\nNever.")]),
    ("A.java", "/** A cart. */\npublic class A {\n  /**\n   * Adds.\n   * @return it */\n  public int add() {}\n}\n",
     [("class", "A", 2, "A cart."), ("method", "A.add", 6, "Adds.\n@return it")]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "expected"), OTHERS, ids=[one[0] for one in OTHERS])
def test_other_languages_tell_what_stands_above(path, text, expected):
    """A comment of documentation that is missed, or keeps its marks."""
    assert items(path, text) == expected


STYLES = {
    "google": "Sums.\n\nMore of it.\n\nArgs:\n    a (int): One.\n    b: Two\n        lines.\n"
    "\nReturns:\n    int: The sum.\n\n"
    "Raises:\n    ValueError: If not.\n",
    "numpy": "Sums.\n\nMore of it.\n\nParameters\n----------\na : int\n    One.\nb\n    Two\n    lines.\n"
    "\nReturns\n-------\n"
    "int\n    The sum.\n\nRaises\n------\nValueError\n    If not.\n",
    "sphinx": "Sums.\n\nMore of it.\n\n:param int a: One.\n:param b: Two\n    lines.\n:returns: The sum.\n:rtype: int\n"
    ":raises ValueError: If not.\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_styles_of_docstrings_say_the_same(style):
    """A style whose parts are not told apart."""
    found = parse(STYLES[style], "python")
    assert (found.summary, found.description) == ("Sums.", "More of it.")
    assert found.parameters == (Told("a", "int", "One."), Told("b", "", "Two lines."))
    assert found.returns == (Told("", "int", "The sum."),)
    assert found.raises == (Told("ValueError", "", "If not."),)


TAGS = [
    ("typescript", "Sums.\n\n@param a - One.\n@param b Two\n  lines.\n@returns The sum.\n@throws Error no"),
    ("java", "Sums.\n@param a One.\n@param b Two lines.\n@return The sum.\n@throws Error no"),
    ("ruby",
     "Sums.\n@param a [Integer] One.\n@param [Integer] b Two lines.\n@return [Integer] The sum.\n@raise [Error] no"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text"), TAGS, ids=[one[0] for one in TAGS])
def test_tags_are_told_apart(language, text):
    """A tag whose name, type or text is another's."""
    found, type = parse(text, language), "Integer" if language == "ruby" else ""
    assert found.summary == "Sums."
    assert found.parameters == (Told("a", type, "One."), Told("b", type, "Two lines."))
    assert found.returns == (Told("", type, "The sum."),)
    assert found.raises == (Told("Error", "", "no"),)


def test_plain_words_are_no_sections():
    """A colon in a text that is taken for a parameter, or an example's tag for one of the documentation."""
    text = "Sums.\n\nkind: of the sum.\nUse it as::\n\n    Args\n"
    assert parse(text, "python").parameters == ()
    assert parse(text, "python").description == "kind: of the sum.\nUse it as::\n\n    Args"
    assert parse("Sums.\n\n```\n@param a\n```\n@return it", "typescript").parameters == ()


# -- prose -----------------------------------------------------------------------------------------


def test_markdown_has_sections_and_fences_none():
    """A heading in a fence, a quote or a comment of code that is taken for one; two of the same anchor."""
    text = (
        "before\n\n# Üben `mit` [Link](x)\n\n```sh\n# no title\n```\n~~~\n## nor this\n~~~\n\nSetext\n------\n"
        "\n    # code\n"
        "> # quoted\n\n## Setext ##\nend"
    )
    found = [(one.title, one.anchor, one.level, one.start) for one in prose.sections("markdown", text)]
    assert found == [
        ("", "", 0, 1),
        ("Üben mit Link", "üben-mit-link", 1, 3),
        ("Setext", "setext", 2, 12),
        ("Setext", "setext-1", 2, 18),
    ]
    assert prose.sections("markdown", text)[1].text == "```sh\n# no title\n```\n~~~\n## nor this\n~~~"


def test_restructured_text_has_sections_and_blocks_none():
    """A title in a literal block or a directive, or a transition or a table that is taken for one."""
    text = (
        "=====\nTitle\n=====\n\nText::\n\n    Not this\n    --------\n\nPart ``one``\n------------\n\n.. note::\n"
        "\n   Nor this\n"
        "   ========\n\n----\n\n===  ===\na    b\n===  ===\n\nPart two\n--------\nSub\n~~~\n\nA\n~\nend"
    )
    found = [(one.title, one.level, one.start) for one in prose.sections("rst", text)]
    assert found == [("Title", 1, 1), ("Part one", 2, 10), ("Part two", 2, 24), ("Sub", 3, 26), ("A", 3, 29)]


@pytest.mark.parametrize(
    ("path", "text", "role"),
    [
        ("README.md", "", "readme"),
        ("web/readme.rst", "", "readme"),
        ("CHANGELOG.md", "", "changelog"),
        ("docs/adr/0001-use-git.md", "# Use Git", "adr"),
        ("notes/0001-use-git.md", "# Use Git\n## Status\nok\n## Context\n", "adr"),
        ("notes/0001-use-git.md", "# Use Git", "section"),
        ("docs/history.md", "", "changelog"),
        ("docs/guide.md", "", "section"),
    ],
)
def test_prose_is_known_by_place_and_form(path, text, role):
    """A README that is a section among others, or a numbered page that is taken for a decision."""
    assert prose.form_of(path)
    assert prose.role_of(path, text) == role


def test_only_prose_is_prose():
    """Source, data or any text file that is indexed as prose."""
    assert [prose.form_of(path) for path in ("a.py", "data.txt", "LICENSE", ".md", "docs/a.txt", "README")] == [
        "", "", "", "", "rst", "rst",
    ]  # fmt: skip


# -- index -----------------------------------------------------------------------------------------

FILES: dict[str, str | bytes] = {
    "m.py": PYTHON.replace("@decorated\n", "").replace("@overload\n", ""),
    "use.py": '"""Uses."""\nfrom m import job\n\n\ndef go(count, *, deep=False):\n    """Goes.\n\n    Args:\n'
    '        count: How often.\n        wide: Gone.\n    """\n    return job()\n\n\ndef bare(x):\n    return go(x)\n',
    "README.md": "# Shop\n\nIt <script>alert(1)</script> sells ![x](http://e.example/x.png).\n"
    "\n## Use\n\n[x](javascript:alert(2))\n",
    "docs/guide.rst": "Guide\n=====\n\nRead <b>it</b>.\n",
    "data.txt": "# none\n",
}


@pytest.fixture
def store(tmp_path):
    """A store with an indexed project `code`."""
    with Store.init(tmp_path / "store") as store:
        documentation.index(store, path=lay(tmp_path / "code", FILES))
        yield store


def test_one_commit_holds_graph_and_documentation(store):
    """Two commits, a file of neither that is kept, or a count that is another than what is there."""
    assert sorted(shards(store)) == ["README.md.json", "docs/guide.rst.json", "m.py.json", "use.py.json"]
    done = documentation.index(store, project="code")
    assert done.unchanged
    counts = done.snapshot.docs["counts"]
    assert counts == {
        "processed": 4, "files": 4, "attribute": 3, "class": 2, "function": 3, "items": 14, "method": 1, "module": 2,
        "readme": 2, "section": 1,
    }  # fmt: skip


def test_delta_equals_full(store, tmp_path):
    """A file that changed, moved, came or went, of which `graph index` leaves old documentation behind."""
    root = tmp_path / "code"
    (root / "m.py").write_text('"""Other."""\n')
    (root / "README.md").write_text("# Shop\n\n## Buy\n")
    (root / "use.py").rename(root / "used.py")
    (root / "docs/guide.rst").unlink()
    (root / "new.go").write_text("// Package new is.\npackage new\n")
    done = graph.index(store, project="code")
    with Store.init(tmp_path / "other") as other:
        full = documentation.index(other, project="", path=root)
        assert shards(store) == shards(other)
        assert done.snapshot.docs == full.snapshot.docs
    (root / "used.py").write_text("def undocumented(): pass\n")
    assert "used.py.json" in shards(store)
    graph.index(store, project="code")
    assert "used.py.json" not in shards(store)


def test_documentation_comes_to_a_graph_that_is_there(tmp_path):
    """Files whose graph is up to date, and which are left out of the documentation for that."""
    with Store.init(tmp_path / "store") as store, Store.init(tmp_path / "other") as other:
        root = lay(tmp_path / "code", FILES)
        graph.index(store, path=root)
        assert shards(store) == {}
        before = graph.index(store, project="code").snapshot
        done = documentation.index(store, project="code")
        documentation.index(other, path=root)
        assert shards(store) == shards(other)
        assert done.snapshot.tree == before.tree


def test_patterns_say_which_files_and_stay(store, tmp_path):
    """A file that does not fit and is documented, or one that `graph index` brings back."""
    documentation.index(store, project="code", pattern=["*.md", "use.*"])
    assert sorted(shards(store)) == ["README.md.json", "use.py.json"]
    (tmp_path / "code/m.py").write_text('"""Changed."""\n')
    graph.index(store, project="code")
    assert sorted(shards(store)) == ["README.md.json", "use.py.json"]
    documentation.index(store, project="code")
    assert len(shards(store)) == 4
    with pytest.raises(Invalid):
        documentation.index(store, project="code", pattern=[" "])


def test_secrets_do_not_reach_the_store(store, tmp_path):
    """A secret in a docstring's later paragraph, which the graph leaves out, or in prose."""
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"
    (tmp_path / "code/m.py").write_text(f'"""One.\n\nTwo {secret}.\n"""\n')
    (tmp_path / "code/README.md").write_text(f"# Shop\n\n{secret}\n")
    done = documentation.index(store, project="code")
    assert sum(done.redacted.values()) == 2
    assert not any(secret.encode() in raw for raw in shards(store).values())


# -- questions -------------------------------------------------------------------------------------


def test_show_tells_parts_place_and_callers(store):
    """Documentation without its symbol's signature, place or callers."""
    shown = documentation.show(store, symbol="go")
    assert (shown.name, shown.type, shown.file, shown.line) == ("use.go", "function", "use.py", 5)
    assert shown.signatures == ("go(count, *, deep=False)",)
    assert shown.parsed.parameters == (Told("count", "", "How often."), Told("wide", "", "Gone."))
    assert [one.function for one in shown.callers] == ["use.bare"]
    assert documentation.show(store, symbol="f").docstring == "For both."
    assert documentation.show(store, symbol="Outer.size").docstring == "Of it."
    assert documentation.show(store, symbol="use").docstring == "Uses."
    assert documentation.show(store, symbol="README.md#use").line == 5
    assert not documentation.show(store, symbol="bare").documented
    with pytest.raises(NotFound):
        documentation.show(store, symbol="nowhere")


def test_coverage_tells_what_is_missing_and_what_no_longer_fits(store):
    """A public name that is missed, an overload that counts thrice, or a parameter that is gone and still told."""
    found = documentation.coverage(store)
    missing = {one.file: [each.name for each in one.missing] for one in found.modules}
    assert missing == {"m.py": ["silent"], "use.py": ["bare"]}
    assert (found.documented, found.public) == (8, 10)
    assert [(one.name, one.unknown, one.untold) for one in found.mismatches] == [("go", ("wide",), ("deep",))]


def test_search_gives_the_documentation(store):
    """A result without its place, or one of another type than asked for."""
    found = documentation.search(store, query="sells", where={"type": "readme"}).found
    assert [(one.name, one.doc_type, one.file_path, one.line) for one in found] == [("Shop", "readme", "README.md", 1)]
    assert "<script>" in found[0].docstring
    assert documentation.search(store, query="known names").found[0].docstring == "Known names.\n\nOf all."
    with pytest.raises(Invalid):
        documentation.search(store, query="x", where={"type": ["page"]})


def test_pages_show_hostile_text_as_text(store, tmp_path):
    """Markup of a README or a docstring that a browser would run, or a picture from elsewhere."""
    (tmp_path / "code/m.py").write_text(
        '"""A <script>x()</script> & <img src=x onerror=y()>.\n\n:param a</p>: <b>\n"""\n'
    )
    documentation.index(store, project="code")
    done = documentation.export(store, output=str(tmp_path / "pages"))
    pages = {str(one.relative_to(done.folder)): one.read_text() for one in Path(done.folder).rglob("*.html")}
    assert len(pages) == done.pages == 5
    for text in pages.values():
        body = text.partition("<body>")[2]
        assert "default-src 'none'" in html.unescape(text)
        assert not any(bad in body for bad in ("<script", "<img", "<b>", 'href="javascript'))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages["files/README.md.html"]
    assert 'href="files/README.md.html"' in pages["index.html"]
    assert 'href="../../index.html"' in pages["files/docs/guide.rst.html"]
    with pytest.raises(Invalid):
        documentation.export(store, output=done.folder)
    said = documentation.export(store, output=str(tmp_path / "md"), format="md")
    assert "<script" not in (Path(said.folder) / "files/m.py.md").read_text()


def test_without_documentation_it_says_what_to_do(tmp_path):
    """A project with a graph only, which answers as if nothing were documented."""
    with Store.init(tmp_path / "store") as store:
        graph.index(store, path=lay(tmp_path / "code", FILES))
        for ask in (documentation.list, documentation.coverage):
            with pytest.raises(NotFound, match="documentation of") as caught:
                ask(store)
            assert "sbfs docs index code" in caught.value.hint


def test_the_shell_says_it(store, tmp_path):
    """A command whose words break on what the verb gives."""
    shell = Shell(store.root)
    assert "14 documented in 4 files" in shell("docs", "index", "code").out
    assert "go" in shell("docs", "list", "--type", "function").out
    assert "use.bare" in shell("docs", "show", "go").out
    assert "8 of 10 public names" in shell("docs", "coverage").out
    assert "pages" in shell("docs", "export", "-o", str(tmp_path / "out")).out
    assert "Shop" in shell("docs", "search", "sells").out
