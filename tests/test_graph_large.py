"""What is done otherwise for many files: a second process reads half of them, and garbage is not looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from graph_helpers import lay

MANY = {f"part{number}.py": f"def f{number}():\n    pass\n" for number in range(210)}

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
