"""How large the explorer's page is, and how soon it answers: `python benchmarks/view.py STORE PROJECT…`.

Drives a headless Chromium, as the tests do. First paint: from the start of navigation to the first frame with the
graph on it. Filter: from a click on a filter to the frame that shows it, the median and the longest of 15. Opening:
the same for opening all folders by a level.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from browser import Browser, browser

from sbfs import Store, graph

AFTER = """(async () => {{ const start = performance.now(); {does};
await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); return performance.now() - start; }})()"""

CLICK = "document.querySelector('{selector}').click()"

FILTERS = (
    "#types input[value=method]",
    "#edges input[value=imports]",
    "#sure input[value=ambiguous]",
    "#languages input",
    "#types input[value=external]",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("project", nargs="+")
    asked = parser.parse_args()
    print("project          symbols    edges   bytes        made (CPU)  first paint  filter median/most  open a level")
    with Store.open(Path(asked.store)) as store, tempfile.TemporaryDirectory() as folder:
        for project in asked.project:
            with browser(Path(folder)) as tab:
                measure(store, project, Path(folder) / f"{project}.html", tab)


def measure(store: Store, project: str, file: Path, tab: Browser) -> None:
    """One project's line."""
    begun = time.process_time()
    made = graph.view(store, project=project)
    took = time.process_time() - begun
    file.write_bytes(made.content)
    tab.size(1400, 900)
    tab.open(file.as_uri())
    tab.until("document.getElementById('canvas')?.dataset.painted")
    paint = int(tab.run("document.getElementById('canvas').dataset.painted"))
    filters = [
        float(tab.run(AFTER.format(does=CLICK.format(selector=selector))))
        for selector in FILTERS * 4
        if tab.run(f"Boolean(document.querySelector('{selector}'))")
    ][:15]
    opening = float(tab.run(AFTER.format(does=CLICK.format(selector="#more"))))
    print(
        f"{project:15} {made.symbols:8,} {made.edges:8,} {len(made.content):11,}  {took:8.2f} s  {paint:8} ms"
        f"  {statistics.median(filters):8.0f} / {max(filters):.0f} ms  {opening:8.0f} ms"
    )


if __name__ == "__main__":
    main()
