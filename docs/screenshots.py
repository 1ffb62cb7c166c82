"""Make the pictures of docs/explorer.md: `python docs/screenshots.py`. Needs a Chromium.

The graph is that of sbfs itself, read into a store that is thrown away.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from browser import Browser, browser

from sbfs import Store, graph, projects

ROOT = Path(__file__).resolve().parent.parent

FOCUS = "sbfs/graph/naming.py::find"


def main() -> None:
    """Read, write the page, look at it."""
    with tempfile.TemporaryDirectory() as folder, Store.init(Path(folder) / "store") as store:
        projects.add(store, name="sbfs")
        graph.index(store, project="sbfs", path=ROOT)
        page = Path(folder) / "page.html"
        page.write_bytes(graph.view(store, project="sbfs").content)
        with browser(Path(folder)) as tab:
            tab.size(1280, 800)
            _take(tab, page.as_uri(), "explorer.png")
            tab.prefer("dark")
            _take(tab, f"{page.as_uri()}#focus={FOCUS}&chosen={FOCUS}&depth=1", "explorer-focus.png")


def _take(tab: Browser, address: str, name: str) -> None:
    tab.open("about:blank#other")
    tab.open(address)
    tab.until("document.getElementById('canvas')?.dataset.drawn > 0")
    # What the browser paints once more after the panel has taken its room.
    tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")
    tab.picture(ROOT / "docs" / name)


if __name__ == "__main__":
    main()
