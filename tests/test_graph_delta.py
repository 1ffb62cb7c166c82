"""Only what changed is read and linked again, and the graph is the same as if all of it had been."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from domain_helpers import few
from graph_helpers import FILES, lay, links, shards
from helpers import git
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs import graph
from sbfs.code import reading
from sbfs.code.shards import dump, head, load
from sbfs.errors import Invalid
from sbfs.store import Store

ROOT = Path(__file__).resolve().parent.parent

PIECES = {
    ".py": [
        "def {a}():\n    return {b}()\n",
        "class {A}:\n    def {a}(self):\n        return self.{b}()\n",
        "from shop.{m} import {a}\n",
        "from .{m} import *\n",
        "import shop.{m} as {b}\n",
        "class {B}({A}):\n    def {b}(self):\n        return super().{a}()\n",
        "{a} = {b}\n",
        "TABLE = {{'x': {a}}}\nTABLE['x']()\n",
        "def {a}(call):\n    return call()\n\n\n{a}({b})\n",
        "broken(:\n",
    ],
    ".ts": [
        "export function {a}() {{ return {b}(); }}\n",
        "import {{ {a} }} from './{m}';\n",
        "export class {A} {{ {a}() {{ return this.{b}(); }} }}\n",
        "export * from './{m}';\n",
    ],
    ".rb": [
        "def {a}\n  {b}\nend\n",
        "class {A}\n  def {a}\n    {b}\n  end\nend\n",
        "require_relative '{m}'\n",
        "class {B} < {A}\nend\n",
    ],
}
WORDS = ["alpha", "beta", "gamma"]
PLACES = ["shop/one.py", "shop/two.py", "shop/sub/__init__.py", "web/one.ts", "web/two.ts", "lib/one.rb", "lib/two.rb"]

edits = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "write", "add", "move", "remove", "restore"]),
        st.sampled_from(PLACES),
        st.integers(0, 10_000),
    ),
    min_size=1,
    max_size=5,
)


def written(path: str, seed: int) -> str:
    """A file's text, made of a few pieces."""
    chance = random.Random(seed)
    pieces = PIECES[Path(path).suffix]
    names = {"m": chance.choice(["one", "two", "sub"])}
    text = ""
    for _ in range(chance.randint(0, 4)):
        a, b = chance.choice(WORDS), chance.choice(WORDS)
        text += chance.choice(pieces).format(a=a, b=b, A=a.title(), B=b.title() + "B", **names) + "\n"
    return text


def edit(source: Path, change: tuple[str, str, int]) -> None:
    """One change of a tree."""
    kind, path, seed = change
    file = source / path
    if kind == "move" and file.exists():
        others = [one for one in PLACES if Path(one).suffix == file.suffix]
        target = source / others[seed % len(others)]
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    elif kind == "remove":
        file.unlink(missing_ok=True)
    elif kind == "restore":
        lay(source, {one: FILES[one] for one in [*FILES][seed % len(FILES) :][:1]})
    else:
        old = file.read_text() if file.exists() and kind == "add" else ""
        lay(source, {path: old + written(path, seed)})


@settings(few, max_examples=12)
@given(rounds=st.lists(edits, min_size=1, max_size=3))
def test_delta_equals_full(tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[str, str, int]]]):
    """A graph that drifts from the source, edit by edit (AM's and CGC's delta, reference section 4)."""
    folder = tmp_path_factory.mktemp("delta")
    source = lay(folder / "shop")
    with Store.init(folder / "store") as store:
        graph.index(store, path=source)
        for number, changes in enumerate(rounds):
            for change in changes:
                edit(source, change)
            done = graph.index(store, project="shop")
            with Store.init(folder / f"fresh-{number}") as fresh:
                assert graph.index(fresh, path=source).snapshot.counts == done.snapshot.counts
                assert shards(store, "shop") == shards(fresh, "shop")
                assert links(store, "shop") == links(fresh, "shop")
    shutil.rmtree(folder)


@pytest.mark.parametrize("count", [5, pytest.param(20, marks=pytest.mark.soak)])
def test_delta_equals_full_on_a_real_history(tmp_path: Path, count: int):
    """The same commit by commit on sbfs's own first commits that touch code; none where it is not here."""
    known = (ROOT / ".git").exists()
    picked = git(ROOT, "rev-list", "--reverse", "HEAD", "--", "sbfs").split()[:count] if known else []
    source = tmp_path / "sbfs"
    source.mkdir()
    with Store.init(tmp_path / "store") as store:
        for number, commit in enumerate(picked):
            for child in source.iterdir():
                shutil.rmtree(child) if child.is_dir() else child.unlink()
            archive = subprocess.run(["git", "archive", commit, "sbfs"], cwd=ROOT, capture_output=True, check=True)
            subprocess.run(["tar", "-x", "-C", source], input=archive.stdout, check=True)
            graph.index(store, path=source)
            if number % 5 == 4:
                with Store.init(tmp_path / f"fresh-{number}") as fresh:
                    graph.index(fresh, path=source)
                    assert shards(store, "sbfs") == shards(fresh, "sbfs"), commit
                    assert links(store, "sbfs") == links(fresh, "sbfs"), commit


PROGRAM = """
import json, random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from graph_helpers import FILES
from sbfs.code import reading
from sbfs.code.shards import dump, head, load
from sbfs.linking import link
files = [*FILES.items()]
random.Random(int(sys.argv[2])).shuffle(files)
raw = {path: dump(reading.read(path, text.encode())) for path, text in files}
links = link([load(path, one) for path, one in raw.items()])
said = {path: one.decode() for path, one in sorted(raw.items())}
print(json.dumps([said, [str(one) for one in links.edges], [str(one) for one in links.unresolved]]))
"""


def test_the_same_whatever_the_order_and_the_hash_seed():
    """A shard or link that depends on the order of files, or of a set."""
    found = set()
    for seed in ("0", "1", "77"):
        command = [sys.executable, "-c", PROGRAM, str(ROOT / "tests"), seed]
        env = {"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        found.add(subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout)
    (said,) = found
    assert len(json.loads(said)[1]) > 10


# -- shards ----------------------------------------------------------------------------------------


@settings(few, max_examples=60)
@given(
    path=st.sampled_from(PLACES),
    seeds=st.lists(st.integers(0, 10_000), max_size=4),
    rest=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
def test_facts_come_back_from_their_shard(path: str, seeds: list[int], rest: str):
    """Facts that linking sees otherwise when they come from the store."""
    text = "".join(written(path, seed) for seed in seeds) + rest
    raw = dump(reading.read(path, text.encode()))
    facts = load(path, raw)
    assert dump(facts) == raw
    assert head(raw)["blob"] == facts.blob == reading.blob_of(text.encode())
    assert raw.count(b"\n") >= len(facts.symbols) + len(facts.imports)
    assert path.encode() not in raw.split(b"\n")[0]


def test_facts_of_every_module_come_back_whole():
    """The same for real code, with all that readers say but long docstrings and the ends of hashes."""
    for file in sorted((ROOT / "sbfs").rglob("*.py"))[::4]:
        path = file.relative_to(ROOT).as_posix()
        facts = reading.read(path, file.read_bytes())
        back = load(path, dump(facts))
        for one, other in zip(facts.symbols, back.symbols, strict=True):
            assert one.body_hash.startswith(other.body_hash)
            one.body_hash, one.doc = other.body_hash, other.doc
        assert back == facts


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"schema":1}', b'{"head":[2,1,"python",""],"symbols":[[1]],"numbers":[]}', b"\xff"]
)
def test_what_is_no_shard_is_refused(raw: bytes):
    """A damaged shard that ends in a traceback."""
    with pytest.raises(Invalid):
        load("a.py", raw)
