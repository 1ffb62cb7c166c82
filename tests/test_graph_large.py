"""What is done otherwise for many files: a second process reads half of them, and garbage is not looked for."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from domain_helpers import SECRET
from graph_helpers import FILES, lay, links, shards

from sbfs import graph
from sbfs.code.reading import read
from sbfs.code.shards import load
from sbfs.graph import live
from sbfs.graph.extracting import shard_of
from sbfs.store import Store

MANY = {f"part{number}.py": f"def f{number}():\n    pass\n" for number in range(210)}

ODD = {
    "secret.py": f"def f(token='{SECRET}'):\n    return g('{SECRET}')\n",
    "nested.py": "x = " + "f(" * 400 + ")" * 400 + "\n",
    "broken.py": "def f(:\n    return g()\n",
    "said.py": 'def f():\n    """' + "word " * 300 + '\n\n    More.\n    """\n',
}

ASIDE = """
import gc, sys
from pathlib import Path
from sbfs import graph
from sbfs.store import Store

source = Path(sys.argv[2])
store = Store.init(Path(sys.argv[1]))
said = [gc.get_freeze_count()]
for text in ("def f():\\n    return g()\\n", "def f():\\n    return 1\\n"):
    (source / "part0.py").write_text(text)
    graph.index(store, path=source)
    said += [gc.get_freeze_count() > 0, gc.isenabled()]
store.close()
del store
print(*said, gc.get_freeze_count())
"""


def test_what_is_held_of_a_large_project_is_put_aside_until_its_store_goes(tmp_path: Path):
    source = lay(tmp_path / "source", MANY)
    said = subprocess.run(
        [sys.executable, "-c", ASIDE, str(tmp_path / "store"), str(source)], check=True, capture_output=True, text=True
    )
    assert said.stdout.split() == ["0", "True", "True", "True", "True", "0"]


def test_what_two_processes_read_is_linked_as_their_shards_are(store: Store, tmp_path: Path):
    files = {
        **MANY,
        **ODD,
        **FILES,
        **{f"copy{number}/{path}": text for number in range(3) for path, text in ODD.items()},
    }
    source = lay(tmp_path / "source", files)
    graph.index(store, path=source)
    made = links(store, "source")
    live.cache_of(store, "source").unlink()
    assert links(store, "source") == made
    rules = store.rules()
    assert {path.removesuffix(".json"): raw for path, raw in shards(store, "source").items()} == {
        path: shard_of(path, (source / path).read_bytes(), rules, Counter()) for path in files
    }


def test_what_was_linked_ahead_is_brought_to_what_is_written(store: Store, tmp_path: Path):
    graph.index(store, path=lay(tmp_path / "shop"))
    view = store.view()
    fresh = {path.removesuffix(".json"): raw for path, raw in shards(store, "shop").items()}
    facts = {path: load(path, raw) for path, raw in fresh.items()}
    gone, other = sorted(facts)[:2]
    wrong = {**facts, other: read(other, b"def f():\n    return f()\n"), "more.py": read("more.py", b"print()\n")}
    del wrong[gone]

    def change(ahead: live.Ahead | None) -> live.Change:
        return live.prepare(store, view, "again", None, fresh, (), facts, lambda *_: None, ahead)

    made = change(live.ahead(wrong, lambda *_: None))
    assert made.counts() == change(None).counts() == {**graph.index(store, project="shop").snapshot.counts}
    assert made.languages() == change(None).languages()
