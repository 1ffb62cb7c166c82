"""Measure exports and imports beside Git's own commands: `python benchmarks/bundles.py`.

Rows as in benchmarks/mail.py, whose stores it uses; what each means is in benchmarks/README.md.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from measure import SBFS, Row, Series, arguments, carry_out, run, tell, timed
from stores import PROJECTS, copy, files_of, git, mail, prepare, put

ROUNDS = 3
NEW = 1_000


def export(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs export --all` against `git bundle create`, whole processes: with nothing known of the store, then again."""
    for name, again in (("sbfs export --all, bundle, first time", False), ("sbfs export --all, bundle, again", True)):
        ours, theirs = [], []
        for turn in range(ROUNDS + again):
            seconds = timed(lambda first=not again: _export(store, spare / "ours.bundle", forget=first))
            peer = timed(lambda: git(store, "bundle", "create", "-q", str(spare / "git.bundle"), "HEAD", "main"))
            if turn or not again:
                ours.append(seconds)
                theirs.append(peer)
        git(store, "bundle", "verify", "-q", str(spare / "ours.bundle"))
        mine, other = Series(ours), Series(theirs)
        yield Row(name, size, mine, "git bundle create:", other, mine.median / other.median, "<= 1.5")


def zipped(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs export --format zip` against `git archive --format=zip`, whole processes."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(timed(lambda: _export(store, spare / "ours.zip", "--format", "zip")))
        theirs.append(timed(lambda: git(store, "archive", "--format=zip", "-o", str(spare / "git.zip"), "HEAD")))
    mine, other = Series(ours), Series(theirs)
    yield Row("sbfs export --all, zip", size, mine, "git archive:", other, mine.median / other.median, "<= 3")


def snapshot(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs export --snapshot`, and the history of one project, for which no figure is set."""
    for name, words in (("bundle, snapshot", ("--all", "--snapshot")), ("bundle, one of 20 projects", (PROJECTS[0],))):
        ours = [timed(lambda words=words: _export(store, spare / "part.bundle", *words)) for _ in range(ROUNDS)]
        yield Row(f"sbfs export, {name}", size, Series(ours), "", None, None, "")


def _export(store: Path, target: Path, *words: str, forget: bool = False) -> None:
    if forget:
        (store / ".git" / "sbfs" / "exported.json").unlink(missing_ok=True)
    chosen = words if "--all" in words or (words and not words[0].startswith("-")) else ("--all", *words)
    run(SBFS, "--store", store, "export", *chosen, "-o", target, "--force")


def imports(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs import` by merge into an empty store against `git clone` of the same bundle, whole processes."""
    _export(store, spare / "x.bundle")
    ours, theirs, memory = [], [], []
    for turn in range(ROUNDS):
        root, clone = spare / f"empty-{turn}", spare / f"clone-{turn}"
        run(SBFS, "init", root)
        ours.append(timed(lambda root=root: memory.append(_import(root, spare / "x.bundle"))))
        theirs.append(timed(lambda clone=clone: run("git", "clone", "-q", spare / "x.bundle", clone)))
        _same(root, store)
        shutil.rmtree(root)
        shutil.rmtree(clone)
    mine, other = Series(ours), Series(theirs)
    name = f"sbfs import by merge into an empty store (peak {max(memory) / 1024:.0f} MB)"
    yield Row(name, size, mine, "git clone FILE:", other, mine.median / other.median, "<= 3")


def _import(root: Path, path: Path) -> int:
    """Returns the most memory that the process had, in KiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    said = json.loads(run(SBFS, "--store", root, "import", path, "--strategy", "merge", "--json"))
    if not said["revision"]:
        sys.exit(f"nothing was imported: {said['message']}")
    return max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def _same(one: Path, other: Path) -> None:
    trees = [git(root, "rev-parse", "HEAD:projects").strip() for root in (one, other)]
    if trees[0] != trees[1]:
        sys.exit("the trees differ after the import")


def new(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs import` of a bundle into a store that has all of it but a thousand messages, and all of it."""
    root = spare / "most"
    copy(store, root)
    head = git(root, "rev-parse", "main").strip()
    for message in mail(NEW, seed=21):
        put(root, files_of(message))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", f"{NEW} new messages")
    _export(root, spare / "new.bundle", "--all", "--since", head)
    _export(root, spare / "whole.bundle")
    for name, path in (("--since", "new.bundle"), ("whole", "whole.bundle")):
        ours = []
        for turn in range(ROUNDS):
            target = spare / f"target-{turn}"
            copy(store, target)
            ours.append(timed(lambda target=target, path=path: _import(target, spare / path)))
            shutil.rmtree(target)
        yield Row(f"sbfs import of {NEW:,} new messages, bundle {name}", size, Series(ours), "", None, None, "")


ROWS: dict[str, Callable[[Path, int, Path], Iterator[Row]]] = {
    "export": export, "zip": zipped, "snapshot": snapshot, "import": imports, "new": new
}  # fmt: skip


def main() -> None:
    """Prepare the stores, measure, print the table."""
    text = "Measure exports and imports beside Git's own commands."
    asked = arguments(text, ROWS, "bundles.json", (100_000,)).parse_args()
    carry_out(asked, lambda folder, spare: _measured(asked.only or ROWS, asked.sizes, folder, spare))


def _measured(names: Iterable[str], sizes: Iterable[int], folder: Path, spare: Path) -> Iterator[Row]:
    for size in sizes:
        tell(f"preparing {size:,} messages")
        store, _ = prepare(folder, size)
        for name in names:
            tell(f"measuring {name}")
            place = spare / f"{name}-{size}"
            place.mkdir()
            try:
                yield from ROWS[name](store, size, place)
            except subprocess.CalledProcessError as error:
                sys.exit(f"{name} failed: {error}")
            shutil.rmtree(place, ignore_errors=True)  # upkeep may still be at it


if __name__ == "__main__":
    main()
