"""The code graph: what is indexed, what is asked, and how an answer stands to the source."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from domain_helpers import SECRET, Shell, put
from graph_helpers import BASE, CART, FILES, ORDER, PAGE, PRICES, lay, links, names, shards
from helpers import assert_sound, commits, git

from sbfs import doctor, graph, history, projects, quality, search, worktree
from sbfs.errors import Ambiguous, Invalid, NotFound
from sbfs.graph import hints
from sbfs.graph.source import Disk, Walk
from sbfs.store import Store


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A project's folder."""
    return lay(tmp_path / "shop")


@pytest.fixture
def indexed(store: Store, source: Path) -> Path:
    """The same, indexed as project `shop`."""
    graph.index(store, path=source)
    return source


# -- indexing --------------------------------------------------------------------------------------


def test_a_folder_of_no_project_becomes_one(store: Store, source: Path):
    """An agent's folder that must be registered first; a path below it that becomes a project of its own."""
    before = commits(store.root)
    done = graph.index(store, path=source)
    assert (done.project, done.created, done.read, done.unchanged) == ("shop", True, len(FILES), False)
    assert commits(store.root) == before + 1
    assert projects.show(store, project="shop").source_path == str(source)
    assert {*shards(store, "shop")} == {f"{path}.json" for path in FILES}
    assert graph.index(store, path=source / "web").project == "shop"
    assert done.snapshot.counts["files"] == len(FILES)
    assert done.snapshot.languages == {"python": 5, "ruby": 1, "typescript": 2}
    assert doctor.check(store).findings == ()
    assert_sound(store.root)


def test_a_project_learns_its_folder_and_a_taken_name_gets_a_number(store: Store, source: Path, tmp_path: Path):
    """Two folders of one name whose graphs overwrite each other."""
    projects.add(store, name="shop")
    assert graph.index(store, path=source).created is False
    other = lay(tmp_path / "other" / "Shop", {"a.py": "x = 1\n"})
    assert graph.index(store, path=other).project == "shop-2"
    assert graph.index(store, project="shop").unchanged
    with pytest.raises(NotFound):
        graph.index(store, project="nobody", path=source)
    with pytest.raises(Invalid):
        graph.index(store, path=tmp_path / "nowhere")


def test_an_unchanged_tree_is_left_alone_and_a_change_reads_one_file(store: Store, indexed: Path):
    """Every index run that reads all files, or writes a commit that says nothing."""
    head = store.head()
    assert graph.index(store, project="shop").unchanged
    os.utime(indexed / "shop/cart.py", ns=(1, 1))
    assert graph.index(store, project="shop").unchanged
    assert store.head() == head
    (indexed / "shop/prices.py").write_text(PRICES + "\n\ndef more():\n    return price_of('b')\n")
    done = graph.index(store, project="shop")
    assert (done.read, done.gone) == (1, 0)
    changed = git(store.root, "show", "--name-only", "--format=", "HEAD").split()
    assert changed == ["projects/shop/graph/files/shop/prices.py.json", "projects/shop/graph/snapshot.yaml"]


def test_a_folder_that_was_listed_is_listed_again_when_its_entries_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Breaks if what a process keeps of folders hid a file that came, went or became a link, also where somebody set
    the folder's time back."""
    monkeypatch.setattr("sbfs.graph.source._SETTLED", -(10**18))
    folder = tmp_path / "pkg"
    folder.mkdir()
    for name in ("one.py", "two.py"):
        (folder / name).write_text("x = print\n")
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))
    assert sorted(Walk(Disk(tmp_path)).run().files) == ["pkg/one.py", "pkg/two.py"]
    (folder / "two.py").unlink()
    (folder / "three.py").write_text("x = len\n")
    os.utime(folder, (long_ago, long_ago))
    found = Walk(Disk(tmp_path)).run()
    assert sorted(found.files) == ["pkg/one.py", "pkg/three.py"]
    (folder / "one.py").write_text("x = print, len\n")
    assert Walk(Disk(tmp_path)).run().files["pkg/one.py"] != found.files["pkg/one.py"]
    (folder / "one.py").unlink()
    (folder / "one.py").symlink_to("three.py")
    assert sorted(Walk(Disk(tmp_path)).run().files) == ["pkg/three.py"]


def test_settled_folders_are_not_listed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Breaks if folders that nobody touched were listed at each walk, or those that are too new were not."""
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "one.py").write_text("x = print\n")
    listed: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scan(path))
    for _ in range(2):
        Walk(Disk(tmp_path)).run()
    assert len(listed) == 4
    monkeypatch.setattr("sbfs.graph.source._SETTLED", -(10**18))
    for _ in range(2):
        assert list(Walk(Disk(tmp_path)).run().files) == ["pkg/one.py"]
    assert len(listed) == 6


def test_a_change_of_one_function_changes_few_lines_of_its_shard(store: Store, indexed: Path):
    """Line numbers, or numbers of call sites, that rewrite all that stands below an edit."""
    text = CART.replace("self.items.append(name)\n", "self.items.append(name)\n        self.save()\n")
    (indexed / "shop/cart.py").write_text(text)
    graph.index(store, project="shop")
    said = git(store.root, "diff", "--numstat", "HEAD~1", "--", "projects/shop/graph/files")
    assert said.split() == ["3", "3", "projects/shop/graph/files/shop/cart.py.json"]


def test_renames_are_followed(store: Store, indexed: Path):
    """A moved file whose history ends, or whose old shard stays."""
    (indexed / "shop/prices.py").rename(indexed / "shop/costs.py")
    done = graph.index(store, project="shop")
    assert (done.read, done.moved, done.gone) == (1, 1, 1)
    assert "R100" in git(store.root, "show", "-M", "--name-status", "--format=", "HEAD")


def test_the_snapshot_names_commit_and_cleanliness(store: Store, source: Path):
    """A graph of which nobody knows what it was made of."""
    assert graph.index(store, path=source).snapshot.clean is None
    git(source, "init", "-q", "-b", "main")
    git(source, "add", ".")
    git(source, "commit", "-qm", "one")
    done = graph.index(store, path=source)
    assert (done.snapshot.commit, done.snapshot.clean) == (git(source, "rev-parse", "HEAD"), True)
    (source / "shop/base.py").write_text("def write(thing):\n    return 1\n")
    assert graph.index(store, path=source).snapshot.clean is False


def test_secrets_are_taken_out_before_they_reach_git(store: Store, tmp_path: Path):
    """A token in a docstring or a literal that Git never forgets."""
    text = f'"""Use {SECRET} here."""\n\n\ndef call():\n    """Or {SECRET}."""\n'
    text += f'    return send("{SECRET}", password="hunter2hunter2")\n'
    done = graph.index(store, path=lay(tmp_path / "app", {"a.py": text}))
    assert sum(done.redacted.values()) >= 2
    (raw,) = shards(store, "app").values()
    assert SECRET.encode() not in raw
    assert b"[redacted:github-token:1]" in raw
    assert b"hunter2" not in raw
    assert graph.index(store, project="app").unchanged


def test_bad_input_is_read_as_far_as_it_goes(store: Store, tmp_path: Path):
    """A file that stops an index run: broken, huge, minified, binary, not UTF-8, a link, a loop of imports or names."""
    source = lay(
        tmp_path / "odd",
        {
            "broken.py": "def good():\n    return 1\n\n\ndef bad(:\n",
            "huge.py": "x = 1\n" * 300_000,
            "min.js": "function a(){return 1}" * 2000,
            "bytes.py": b"\0\1\2" * 100,
            "latin.py": b"# -*- coding: latin-1 -*-\ndef caf\xe9():\n    return '\xe9'\n",
            "empty.py": "",
            "one.py": "import two\nfrom two import *\n\n\ndef f():\n    return two.g()\n",
            "two.py": "import one\nfrom one import *\n\n\ndef g():\n    return one.f()\n",
            "alias.py": "a = b = None\na = b\nb = a\nx = [x]\n\n\ndef f(g=f):\n    return f(f)(g)\n",
            "deep.py": "x = " + "(" * 90 + "1" + ")" * 90 + "\n",
            "script": "#!/usr/bin/env python3\ndef run():\n    pass\n",
            "notes.txt": "text\n",
        },
    )
    (source / "out.py").symlink_to("/etc/passwd")
    (source / "loop").symlink_to(source, target_is_directory=True)
    done = graph.index(store, path=source)
    assert {*shards(store, "odd")} == {
        f"{name}.json"
        for name in ("alias.py", "broken.py", "deep.py", "empty.py", "latin.py", "one.py", "script", "two.py")
    }
    assert {one.path for one in done.snapshot.skipped} == {"huge.py", "min.js", "bytes.py", "out.py"}
    assert json.loads(shards(store, "odd")["broken.py.json"])["parse"] == "partial"
    assert "good" in str(graph.symbols(store, file="broken.py").items)
    assert [one.size for one in graph.cycles(store).items] == [2]
    assert graph.index(store, path=source).unchanged


def test_ignored_files_and_folders_of_others_stay_out(store: Store, tmp_path: Path):
    """Installed packages and build output that drown a project's own code."""
    source = lay(
        tmp_path / "app",
        {
            ".gitignore": "build/\n*.gen.py\n!keep.gen.py\n/top.py\n",
            "sub/.gitignore": "local.py\n",
            "a.py": "x = 1\n",
            "build/b.py": "",
            "x.gen.py": "",
            "keep.gen.py": "x = 1\n",
            "top.py": "",
            "sub/top.py": "",
            "sub/local.py": "",
            "node_modules/c.js": "",
            "venv/pyvenv.cfg": "",
            "venv/d.py": "",
            "clone/.git/HEAD": "",
            "clone/e.py": "",
            "secret/f.py": "",
            "old/g.py": "",
        },
    )
    projects.add(store, name="app", source_path=str(source))
    put(store, "sbfs.yaml", (store.root / "sbfs.yaml").read_text() + "graph: {exclude: [old/]}\n")
    place = "projects/app/project.yaml"
    put(store, place, (store.root / place).read_text() + "graph: {exclude: [secret]}\n")
    assert not worktree.save(store).invalid
    done = graph.index(store, project="app")
    assert {*shards(store, "app")} == {"a.py.json", "keep.gen.py.json", "sub/top.py.json"}
    assert {one.path for one in done.snapshot.skipped} == {"node_modules/", "venv/", "clone/"}
    (source / ".gitignore").write_text("")
    assert graph.index(store, project="app").read == 3


def test_names_that_no_store_may_hold_are_left_out(store: Store, tmp_path: Path):
    """A file's name that cannot be a shard's, or that is a secret, and stops the whole run."""
    source = lay(tmp_path / "app", {"a.py": "x = 1\n", "what?.py": "x = 1\n", f"{SECRET}.py": "x = 1\n"})
    lay(source, {"a.py.json/b.py": "x = 1\n"})
    done = graph.index(store, path=source)
    assert {*shards(store, "app")} == {"a.py.json"}
    assert len(done.snapshot.skipped) == 3
    assert SECRET not in str(done.snapshot)


# -- questions -------------------------------------------------------------------------------------


def test_callers_and_callees_near_and_far(store: Store, indexed: Path):
    """A caller in another file that is missing, or a chain that ends after one step."""
    assert names(graph.callers(store, symbol="price_of")) == ["shop.cart.Cart.total"]
    far = graph.callers(store, symbol="price_of", depth=3)
    assert [(one.function, one.depth) for one in far.items] == [
        ("shop.cart.Cart.total", 1),
        ("shop.cart.Cart.add", 2),
        ("tests.test_cart.test_add", 3),
    ]
    (first,) = graph.callers(store, symbol="shop.prices.price_of").items
    assert (first.file, first.line, first.confidence) == ("shop/cart.py", 20, "exact")
    assert names(graph.callees(store, symbol="test_add"))[:3] == [
        "shop.base.Base.save",
        "shop.cart.Cart.__init__",
        "shop.cart.Cart.add",
    ]
    assert names(graph.callers(store, symbol="Cart")) == ["tests.test_cart.test_add"]
    assert names(graph.callers(store, symbol="wrap")) == ["web.page.render"]
    assert (
        names(graph.callees(store, symbol="Order.ship")) == ["lib.order.Order.pack"]
        or graph.callees(store, symbol="Order.ship").items
    )


def test_short_names_are_enough_where_they_are_unique(store: Store, indexed: Path):
    """A query that picks one of several namesakes without a word."""
    lay(indexed, {"shop/more.py": "class Cart:\n    def total(self):\n        return 0\n"})
    graph.index(store, project="shop")
    with pytest.raises(Ambiguous) as caught:
        graph.callers(store, symbol="total")
    assert caught.value.details["candidates"] == ["shop/cart.py::Cart.total", "shop/more.py::Cart.total"]
    for name in ("cart.Cart.total", "shop/cart.py::Cart.total", "cart.py::Cart.total", "shop.cart.Cart.total"):
        assert names(graph.callers(store, symbol=name)) == ["shop.cart.Cart.add"], name
    with pytest.raises(NotFound) as missing:
        graph.callers(store, symbol="price_off")
    assert "price_of" in missing.value.hint


def test_files_and_what_belongs_to_them(store: Store, indexed: Path):
    """Imports of one direction only, or a related file without a reason."""
    imported = [one.file for one in graph.imports(store, file="cart.py").items]
    assert {"shop/base.py", "shop/prices.py"} <= {*imported}
    assert "shop/__init__.py" in [one.file for one in graph.imported_by(store, file="shop/cart.py").items]
    found = graph.related(store, file=str(indexed / "shop/cart.py"))
    assert {one.file for one in found.items} >= {"shop/base.py", "shop/prices.py", "tests/test_cart.py"}
    assert found.items[0].score == 1
    assert all(one.why for one in found.items)
    called = graph.related(store, file="shop/prices.py", type="called_by")
    assert [(one.function, one.file, one.line) for one in called.items] == [
        ("shop.cart.Cart.total", "shop/cart.py", 20)
    ]
    with pytest.raises(Invalid):
        graph.related(store, file="shop/prices.py", type="likes")
    with pytest.raises(NotFound):
        graph.related(store, file="/nowhere/x.py")


def test_what_changed_together_is_related(store: Store, source: Path):
    """Files without an edge between them that nobody changes apart."""
    git(source, "init", "-q", "-b", "main")
    for number in range(3):
        (source / "web/page.ts").write_text(PAGE + f"// {number}\n")
        (source / "lib/order.rb").write_text(ORDER + f"# {number}\n")
        git(source, "add", "web/page.ts", "lib/order.rb")
        git(source, "commit", "-qm", str(number))
    graph.index(store, path=source)
    found = {one.file: one.why for one in graph.related(store, file="lib/order.rb").items}
    assert found == {"web/page.ts": ("changed together in 3 of 3 commits",)}


def test_ways_and_their_reverse(store: Store, indexed: Path):
    """A path that is found one way only, or told without its edges."""
    found = graph.path(store, first="test_add", second="unknown")
    assert [one.name for one in found.ways[0].symbols][-3:] == [
        "shop.cart.Cart.total",
        "shop.prices.price_of",
        "shop.prices.unknown",
    ]
    assert [one.type for one in found.ways[0].edges] == ["calls"] * len(found.ways[0].edges)
    assert graph.path(store, first="unknown", second="test_add").reversed
    none = graph.path(store, first="test_add", second="wrap")
    assert (none.ways, none.nearest is not None) == ((), True)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["impact", "price_of", "--depth", "-1"], "depth"),
        (["impact", "price_of", "--depth", "0"], "depth"),
        (["unused", "--type", "foo"], "type"),
        (["symbols", "--type", "foo"], "type"),
        (["symbols", "--language", "foo"], "language"),
    ],
)
def test_a_question_that_makes_no_sense_is_no_all_clear(store: Store, indexed: Path, words: list[str], field: str):
    """A wrong word that is answered with `low risk`, or with `nothing is unused`."""
    said = Shell(store.root).fails(4, "invalid", "graph", *words)
    assert said["error"].startswith(f"{field}: ")


def test_an_export_replaces_nothing_by_itself(store: Store, indexed: Path, tmp_path: Path):
    """A file that is overwritten without a word."""
    shell, file = Shell(store.root), tmp_path / "g.json"
    file.write_text("mine\n")
    assert shell("graph", "export", "-o", str(file)).status != 0
    assert file.read_text() == "mine\n"
    assert shell("graph", "export", "-o", str(file), "--force").out == f"wrote {file}\n"
    assert json.loads(file.read_text())["symbols"]


def test_the_store_is_no_source(store: Store):
    """A question asked in the store's folder makes the store a project of its own."""
    said = Shell(store.root).fails(4, "invalid", "graph", "index", "--path", str(store.root))
    assert "is the store" in said["error"]
    assert projects.list(store).total in (0, None) or "store" not in {one.name for one in projects.list(store).items}


def test_impact_says_how_far_and_how_risky(store: Store, indexed: Path):
    """A risk without a reason, or a reach that stops at the first file."""
    found = graph.impact(store, symbol="price_of")
    assert [one.name for one in found.direct_dependents] == ["shop.cart.Cart.total"]
    assert {one.path for one in found.affected_files} >= {"shop/cart.py", "tests/test_cart.py"}
    assert found.blast_radius["symbols"] >= 3
    assert "a test reaches it" in found.risk_reasons
    assert found.risk_level in ("low", "medium")
    assert {one.path for one in graph.impact(store, symbol="shop/base.py").affected_files} >= {"shop/cart.py"}


def test_measures_name_places_and_thresholds(store: Store, tmp_path: Path):
    """A metric without its threshold, or something used that is called unused."""
    branches = "".join(f"    if x == {number}:\n        return {number}\n" for number in range(15))
    source = lay(
        tmp_path / "app",
        {
            "a.py": f"def tangled(x):\n{branches}    return x\n\n\ndef used():\n    return tangled(1)\n\n\n"
            "def lonely():\n    pass\n",
            "b.py": "from a import used\n\n\ndef main():\n    used()\n",
        },
    )
    graph.index(store, path=source)
    (metric,) = graph.metrics(store, metric="complexity").items
    assert (metric.value, metric.threshold, metric.file, metric.line) == (16, 10, "a.py", 1)
    assert graph.metrics(store, metric="complexity", threshold=1.5).total == 1
    with pytest.raises(Invalid):
        graph.metrics(store, threshold=3)
    assert [one.id for one in graph.unused(store, possible=True).items] == ["a.py::lonely"]
    assert graph.cycles(store).total == 0
    lay(source, {"a.py": "import b\n\n\ndef used():\n    return b.main()\n"})
    graph.index(store, project="app")
    (circle,) = graph.cycles(store).items
    assert (circle.members, len(circle.places)) == (("a.py", "b.py"), 2)
    assert graph.cycles(store, type="calls").total == 1
    measured = quality.measure(store, project="app").measurement
    assert measured.components["documented"].value == 0
    assert measured.components["complexity"].value == 100


def test_symbols_by_pattern_type_and_page(store: Store, indexed: Path):
    """A list that cannot be narrowed or gone on with."""
    assert {one.id for one in graph.symbols(store, type="class").items} == {
        "lib/order.rb::Order",
        "shop/base.py::Base",
        "shop/cart.py::Cart",
    }
    assert {one.id for one in graph.symbols(store, pattern="*of").items} == {"shop/prices.py::price_of"}
    assert {one.file for one in graph.symbols(store, language="typescript").items} == {"web/api.ts", "web/page.ts"}
    (one,) = graph.symbols(store, pattern="Cart", type="class").items
    assert (one.is_export, one.class_type, one.start_line, one.end_line) == (True, "class", 6, 20)
    assert one.doc == "A cart."
    first = graph.symbols(store, limit=3)
    rest = graph.symbols(store, limit=100, cursor=first.next)
    assert len(first.items) + len(rest.items) == first.total == graph.symbols(store, limit=1000).total
    with pytest.raises(Invalid):
        graph.symbols(store, cursor="x")


def test_show_gives_both_ways(store: Store, indexed: Path):
    """A focus that knows one direction."""
    found = graph.show(store, symbol="Cart.total")
    ids = {one.id for one in found.symbols}
    assert {"shop/cart.py::Cart.add", "shop/prices.py::price_of"} <= ids
    assert "tests/test_cart.py::test_add" not in ids
    assert "tests/test_cart.py::test_add" in {one.id for one in graph.show(store, symbol="Cart.total", depth=2).symbols}


# -- how an answer stands --------------------------------------------------------------------------


def test_every_answer_says_whether_it_is_stale(store: Store, indexed: Path):
    """An answer from yesterday's code that looks like today's; a touched file that counts as changed."""
    assert graph.callers(store, symbol="price_of").standing.stale is False
    os.utime(indexed / "shop/cart.py", ns=(1, 1))
    assert graph.callers(store, symbol="price_of").standing.stale is False
    (indexed / "shop/base.py").write_text("x = 1\n")
    (indexed / "new.py").write_text("x = 1\n")
    (indexed / "web/api.ts").unlink()
    standing = graph.show(store, symbol="price_of").standing
    assert (standing.stale, standing.stale_files) == (True, ("new.py", "shop/base.py", "web/api.ts"))
    shutil.rmtree(indexed)
    assert graph.callers(store, symbol="price_of").standing.stale is None


def test_caches_may_be_lost_damaged_or_of_another_state(store: Store, indexed: Path):
    """An answer from a cache that belongs to something else (promise 1)."""
    before = links(store, "shop")
    folder = hints.folder(store.repo.gitdir)
    shutil.rmtree(folder)
    assert links(store, "shop") == before
    cache = folder / "shop.sqlite"
    for damage in (b"", b"no database", cache.read_bytes()[:9000], cache.read_bytes()[:4096] + b"\0" * 60_000):
        cache.write_bytes(damage)
        assert names(graph.callers(store, symbol="price_of")) == ["shop.cart.Cart.total"]
        (folder / "shop.json").write_bytes(damage[:50])
        assert graph.index(store, project="shop").unchanged
    (indexed / "shop/cart.py").unlink()
    graph.index(store, project="shop")
    history.undo(store)
    assert names(graph.callers(store, symbol="price_of")) == ["shop.cart.Cart.total"]
    assert graph.index(store, project="shop").gone == 1


def test_the_past_can_be_asked_and_compared(store: Store, indexed: Path):
    """`--at` that answers with the present; a moved function that counts as another."""
    then = store.head()
    text = PRICES.replace("unknown", "missing")
    (indexed / "shop/prices.py").write_text(text + "\n\ndef extra():\n    return price_of('x')\n")
    graph.index(store, project="shop")
    assert names(graph.callers(store, symbol="price_of", at=then)) == ["shop.cart.Cart.total"]
    assert names(graph.callers(store, symbol="price_of")) == ["shop.cart.Cart.total", "shop.prices.extra"]
    found = graph.diff(store, before=then)
    said = {(one.change, one.id, one.was) for one in found.symbols}
    assert ("added", "shop/prices.py::extra", "") in said
    assert ("moved", "shop/prices.py::missing", "shop/prices.py::unknown") in said
    assert ("changed", "shop/prices.py::price_of", "") in said
    assert ("added", "shop/prices.py::extra", "shop/prices.py::price_of") in {
        (one.change, one.source, one.target) for one in found.edges
    }
    assert not [one for one in found.edges if "missing" in one.target]
    assert graph.diff(store, before="HEAD", after="HEAD").counts == {}


def test_revisions_of_the_source_can_be_compared(store: Store, source: Path):
    """Code that was committed before anybody indexed it."""
    git(source, "init", "-q", "-b", "main")
    git(source, "add", ".")
    git(source, "commit", "-qm", "one")
    (source / "shop/base.py").write_text(BASE + "\n\ndef fresh():\n    return write(1)\n")
    git(source, "commit", "-qam", "two")
    graph.index(store, path=source)
    found = graph.diff(store, before="source:HEAD~1", after="source:HEAD")
    assert ("added", "shop/base.py::fresh") in [(one.change, one.id) for one in found.symbols]
    assert graph.diff(store, before="source:HEAD").counts == {}
    with pytest.raises(NotFound):
        graph.diff(store, before="source:no-such-tag")


# -- exports, search, skins --------------------------------------------------------------------------


def test_exports_are_what_other_programs_read(store: Store, indexed: Path):
    """A file that the program it is for cannot read."""
    import rustworkx

    content = graph.export(store, format="callgraph").content
    assert content["shop.cart.Cart.total"] == sorted(content["shop.cart.Cart.total"])
    assert "shop.prices.price_of" in content["shop.cart.Cart.total"]
    assert content["shop.prices"] == []
    assert [*content] == sorted(content)
    data = graph.export(store, format="json").content
    assert {"id", "name", "type"} <= data["symbols"][0].keys()
    text = graph.export(store, format="graphml").text
    file = indexed.parent / "graph.graphml"
    file.write_text(text)
    (net,) = rustworkx.read_graphml(str(file))
    assert net.num_nodes() == len(data["symbols"])
    assert graph.export(store, format="dot", symbol="price_of").text.startswith("digraph")
    assert "-->" in graph.export(store, format="mermaid").text
    with pytest.raises(Invalid):
        graph.export(store, format="svg")


def test_search_finds_symbols(store: Store, indexed: Path):
    """Code that only `graph` knows of."""
    found = search.search(store, query="price_of", kind=["symbol"])
    assert found.results[0].id == "shop/prices.py::price_of"
    assert (found.results[0].project, found.results[0].extra["callers"]) == ("shop", ["shop.cart.Cart.total"])
    assert "shop.prices.unknown" in found.results[0].extra["callees"]


def test_what_is_handed_on_is_not_called_unused(store: Store, tmp_path: Path):
    """A callback, an entry of a table, a closure that is told to be deleted."""
    defined = ("_callback", "_entry", "_lonely")
    functions = "".join(f"def {name}():\n    pass\n\n\n" for name in defined)
    methods = "".join(f"    def {name}(self):\n        pass\n\n" for name in ("_step", "_never"))
    (tmp_path / "a.py").write_text(
        f"from b import run\n\n\n{functions}class _Tool:\n    def go(self):\n        run(self._step)\n\n{methods}\n"
        "TABLE = {'x': _entry}\n\n\ndef main():\n    def inner():\n        pass\n\n"
        "    run(_callback, inner)\n    _Tool().go()\n\n\nmain()\n"
    )
    (tmp_path / "b.py").write_text("import other\n\n\ndef run(*what):\n    other.take(what)\n")
    graph.index(store, path=tmp_path)
    likely = {one.id for one in graph.unused(store).items}
    assert {"a.py::_lonely", "a.py::_Tool._never"} <= likely
    assert likely.isdisjoint({"a.py::_callback", "a.py::_entry", "a.py::_Tool._step", "a.py::main.inner"})


def test_the_shell_asks_and_exports(store: Store, indexed: Path, monkeypatch: pytest.MonkeyPatch):
    """Words at the shell that are not those of the library; a callgraph that is not one mapping."""
    shell = Shell(store.root)
    assert shell("graph", "index", "shop").out.startswith("shop is unchanged")
    said = shell.json("graph", "callers", "price_of")
    assert [one["function"] for one in said["callers"]] == ["shop.cart.Cart.total"]
    assert (said["stale"], said["count"], said["total"], said["next"]) == (False, 1, 1, None)
    assert json.loads(shell("graph", "export", "--format", "callgraph").out)["shop.prices"] == []
    for words in (
        ("show", "Cart"),
        ("symbols", "a*"),
        ("callees", "test_add", "--depth", "4"),
        ("imports", "cart.py"),
        ("imported-by", "cart.py"),
        ("related", "shop/cart.py"),
        ("related", "shop/cart.py", "--type", "imports"),
        ("path", "test_add", "unknown"),
        ("path", "test_add", "wrap"),
        ("impact", "price_of"),
        ("cycles",),
        ("unused", "--possible"),
        ("metrics",),
        ("diff", "HEAD"),
        ("export", "--format", "dot"),
    ):
        answer = shell("graph", *words)
        assert (answer.status, answer.err) == (0, ""), (words, answer)
        assert answer.out.strip()
    (indexed / "new.py").write_text("x = 1\n")
    assert "stale: new.py" in shell("graph", "callers", "price_of").err
    monkeypatch.chdir(indexed)
    lay(indexed.parent / "second", {"a.py": "def price_of():\n    pass\n"})
    graph.index(store, path=indexed.parent / "second")
    assert shell.json("graph", "callers", "price_of")["project"] == "shop"
    monkeypatch.chdir(indexed.parent)
    shell.fails(4, "invalid", "graph", "callers", "price_of")
    shell.fails(3, "not_found", "graph", "callers", "nothing_like_it", "--project", "shop")


def test_a_graph_that_is_not_there_says_what_to_do(store: Store):
    """A question about nothing that ends in a traceback."""
    with pytest.raises(NotFound) as caught:
        graph.callers(store, symbol="x")
    assert "sbfs graph index" in caught.value.hint
    projects.add(store, name="web")
    with pytest.raises(NotFound):
        graph.callers(store, symbol="x", project="web")
    with pytest.raises(NotFound):
        graph.index(store, project="web")


def test_a_project_that_is_renamed_keeps_its_graph(store: Store, indexed: Path):
    """A graph that is lost with its project's name."""
    projects.rename(store, project="shop", name="store-front")
    assert names(graph.callers(store, symbol="price_of", project="store-front")) == ["shop.cart.Cart.total"]
    assert graph.index(store, project="shop").unchanged
