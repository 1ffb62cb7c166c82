"""Measure exports and imports beside Git's own commands: `python benchmarks/bundles.py`.

Rows as in benchmarks/mail.py, whose stores it uses; what each means is in benchmarks/README.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from measure import SBFS, Row, Series, arguments, carry_out, peak, run, tell, timed
from stores import PROJECTS, copy, files_of, git, mail, prepare, put

ROUNDS = 3
NEW = 1_000
ATTACHMENT = 8_000_000


def export(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs export --all` against `git bundle create`, whole processes: where nobody ever looked for secrets, where
    upkeep has, and again."""
    for name in ("first, nothing known", "first, upkeep was there", "again"):
        ours, theirs, memory = [], [], []
        for turn in range(ROUNDS + 1):
            if name != "again":
                (store / ".git" / "sbfs" / "exported.json").unlink(missing_ok=True)
            if "upkeep" in name:
                run(SBFS, "--store", store, "upkeep")
            seconds, most = _export(store, spare / "ours.bundle", "--all")
            memory.append(most)
            peer = timed(lambda: git(store, "bundle", "create", "-q", str(spare / "git.bundle"), "HEAD", "main"))
            # The first turn brings both programs, and the packs, into memory.
            if turn:
                ours.append(seconds)
                theirs.append(peer)
        git(store, "bundle", "verify", "-q", str(spare / "ours.bundle"))
        mine, other = Series(ours), Series(theirs)
        title = f"sbfs export --all, bundle, {name} (peak {max(memory):.0f} MB)"
        yield Row(title, size, mine, "git bundle create:", other, mine.median / other.median, "<= 1.5")


def zipped(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs export --format zip` against `git archive --format=zip`, whole processes."""
    ours, theirs, memory = [], [], []
    for _ in range(ROUNDS):
        seconds, most = _export(store, spare / "ours.zip", "--all", "--format", "zip")
        ours.append(seconds)
        memory.append(most)
        theirs.append(timed(lambda: git(store, "archive", "--format=zip", "-o", str(spare / "git.zip"), "HEAD")))
    mine, other = Series(ours), Series(theirs)
    title = f"sbfs export --all, zip (peak {max(memory):.0f} MB)"
    yield Row(title, size, mine, "git archive:", other, mine.median / other.median, "<= 3")


def part(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """Exports without history, of one project with its history, and of what is new, for which no figure is set."""
    before = git(store, "rev-parse", "main~1").strip()
    chosen = {"snapshot": ("--all", "--snapshot"), "one of 20 projects": (PROJECTS[0],)}
    for name, words in {**chosen, "--since, one commit": ("--all", "--since", before)}.items():
        ours, memory = zip(*(_export(store, spare / "part.bundle", *words) for _ in range(ROUNDS)), strict=True)
        yield Row(f"sbfs export, bundle, {name} (peak {max(memory):.0f} MB)", size, Series(ours))


def _export(store: Path, target: Path, *words: str) -> tuple[float, float]:
    """Returns seconds, and the most memory that the process or Git under it had, in MiB."""
    _, seconds, memory = peak(SBFS, "--store", store, "export", *words, "-o", target, "--force")
    return seconds, memory


def imports(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs import` by merge into an empty store against `git clone` of the same bundle, whole processes."""
    _export(store, spare / "x.bundle", "--all")
    ours, theirs, memory = [], [], []
    for turn in range(ROUNDS):
        root, clone = spare / f"empty-{turn}", spare / f"clone-{turn}"
        run(SBFS, "init", root)
        seconds, most = _import(root, spare / "x.bundle")
        ours.append(seconds)
        memory.append(most)
        os.sync()
        theirs.append(timed(lambda clone=clone: run("git", "clone", "-q", spare / "x.bundle", clone)))
        os.sync()
        _same(root, store)
    mine, other = Series(ours), Series(theirs)
    name = f"sbfs import by merge into an empty store (peak {max(memory):.0f} MB)"
    yield Row(name, size, mine, "git clone FILE:", other, mine.median / other.median, "<= 3")


def clones(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs clone` of a bundle against `git clone` of it, whole processes."""
    _export(store, spare / "x.bundle", "--all")
    ours, theirs, memory = [], [], []
    for turn in range(ROUNDS):
        root, clone = spare / f"store-{turn}", spare / f"clone-{turn}"
        _, seconds, most = peak(SBFS, "clone", spare / "x.bundle", root)
        ours.append(seconds)
        memory.append(most)
        os.sync()
        theirs.append(timed(lambda clone=clone: run("git", "clone", "-q", spare / "x.bundle", clone)))
        os.sync()
        _same(root, store)
    mine, other = Series(ours), Series(theirs)
    name = f"sbfs clone of a bundle (peak {max(memory):.0f} MB)"
    yield Row(name, size, mine, "git clone FILE:", other, mine.median / other.median)


def _import(root: Path, path: Path) -> tuple[float, float]:
    """Returns seconds, and the most memory that the process or Git under it had, in MiB."""
    said, seconds, memory = peak(SBFS, "--store", root, "import", path, "--strategy", "merge", "--json")
    document = json.loads(said)
    if not document["revision"]:
        sys.exit(f"nothing was imported: {document['message']}")
    return seconds, memory


def _same(one: Path, other: Path) -> None:
    trees = [git(root, "rev-parse", "HEAD:projects").strip() for root in (one, other)]
    if trees[0] != trees[1]:
        sys.exit("the trees differ after the import")


def new(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """`sbfs import` into a store that has most of it: a tenth of the new messages, all of them, and of the whole."""
    root = spare / "most"
    copy(store, root)
    head = git(root, "rev-parse", "main").strip()
    for count, seed in ((NEW // 10, 21), (NEW - NEW // 10, 22)):
        for message in mail(count, seed=seed):
            put(root, files_of(message))
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", f"{count} new messages")
        _export(root, spare / f"{count}.bundle", "--all", "--since", head)
    _export(root, spare / "whole.bundle", "--all")
    files = {f"{NEW // 10:,} new messages, bundle --since": f"{NEW // 10}.bundle"}
    files |= {f"{NEW:,} new messages, bundle --since": f"{NEW - NEW // 10}.bundle"}
    for name, file in {**files, f"{NEW:,} new messages, bundle of all": "whole.bundle"}.items():
        ours, memory = [], []
        for turn in range(ROUNDS):
            target = spare / f"target-{file}-{turn}"
            copy(store, target)
            seconds, most = _import(target, spare / file)
            ours.append(seconds)
            memory.append(most)
        yield Row(f"sbfs import of {name} (peak {max(memory):.0f} MB)", size, Series(ours))


def large(_store: Path, _size: int, spare: Path) -> Iterator[Row]:
    """Memory, with attachments of 8 MB that do not compress: 4 of them and 32, by way of a bundle and of a zip."""
    for count in (4, 32):
        root = spare / f"large-{count}"
        run(SBFS, "init", root)
        run(SBFS, "--store", root, "project", "add", "web")
        for _ in range(count):
            data = os.urandom(ATTACHMENT)
            put(root, {f"projects/web/attachments/{hashlib.sha256(data).hexdigest()}/data.bin": data})
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "attachments")
        for form in ("bundle", "zip"):
            target, file = spare / f"taken-{count}-{form}", spare / f"{count}.{form}"
            seconds, most = _export(root, file, "--all", "--format", form)
            yield Row(f"sbfs export, {form}, {count} attachments of 8 MB (peak {most:.0f} MB)", None, Series([seconds]))
            run(SBFS, "init", target)
            seconds, most = _import(target, file)
            yield Row(f"sbfs import of that {form} (peak {most:.0f} MB)", None, Series([seconds]))


ROWS: dict[str, Callable[[Path, int, Path], Iterator[Row]]] = {
    "export": export, "zip": zipped, "part": part, "import": imports, "clone": clones, "new": new, "large": large
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
            # What was written stays until the end: for minutes, an ext4 without a journal passes over the places of
            # deleted files one by one for each new file, and a row would pay for what went after the last one.


if __name__ == "__main__":
    main()
