"""Measure the store and its mail beside Git's own commands: `python benchmarks/mail.py`.

Every row is timed together with its peer, in turn, on the same machine and the same content. What
each row means, and what is left out of its time, is in benchmarks/README.md.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import SBFS, Row, Series, arguments, carry_out, interleave, run, tell, timed
from stores import (
    PROJECTS,
    Mailbox,
    copy,
    copy_plain,
    files_of,
    git,
    git_commits,
    handwritten,
    mail,
    prepare,
    put,
    settle,
)

from sbfs import messages
from sbfs.messages.value import INBOX, OUTBOX
from sbfs.store import Store

SIZES = (1_000, 10_000, 100_000)
WRITERS, EACH = 8, 250
SAVED = 20_000
GIT = "git add + commit:"


@dataclass(frozen=True)
class Place:
    """Where it is measured. stores: size → (store, its plain copy). spare: folder for what is thrown away."""

    stores: dict[int, tuple[Path, Path]]
    spare: Path

    @property
    def small(self) -> int:
        """The smallest size."""
        return min(self.stores)

    @property
    def large(self) -> int:
        """The greatest size, which most figures are about."""
        return max(self.stores)


# -- the rows --------------------------------------------------------------------------------------


def send(place: Place) -> Iterator[Row]:
    """A durable send within a process, at each size, in turn with Git's two commands."""
    rounds, sends, box = 25, 4, Mailbox(2)
    with ExitStack() as stack:
        opened = {size: stack.enter_context(Store.open(root)) for size, (root, _) in place.stores.items()}
        ours: dict[int, list[float]] = {size: [] for size in opened}
        theirs: dict[int, list[float]] = {size: [] for size in opened}
        for turn in range(rounds + 1):
            for size, store in opened.items():
                times = [timed(lambda store=store: box.send(store)) for _ in range(sends)]
                plain = place.stores[size][1]
                paths = box.write_two(plain)
                seconds = timed(lambda plain=plain, paths=paths: git_commits(plain, paths))
                if turn:
                    ours[size] += times
                    theirs[size].append(seconds)
    series = {size: (Series(ours[size]), Series(theirs[size])) for size in ours}
    for size, (mine, peer) in series.items():
        limit = ">= 8" if size == place.large else ""
        yield Row("send in process: times faster", size, mine, GIT, peer, peer.median / mine.median, limit)
    small, large = series[place.small][0], series[place.large][0]
    name, peer_name = "send in process: growth", f"at {place.small:,}:"
    yield Row(name, place.large, large, peer_name, small, large.median / small.median, "<= 4")


def writers(place: Place) -> Iterator[Row]:
    """Processes that send to one store at once: sends a second from a common start to the last one's end."""
    for size in {place.small: 0, place.large: 0}:
        root = place.stores[size][0]
        runs = [_write_together(root) for _ in range(3)]
        problems = tuple(problem for _, found in runs for problem in found)
        rates = Series([rate for rate, _ in runs], "sends/s")
        yield Row(f"{WRITERS} writers, {EACH} sends each", size, rates, "", None, rates.median, ">= 200", problems)


def _write_together(root: Path) -> tuple[float, list[str]]:
    """(sends a second, what went wrong) of one run."""
    before = _copies(root)
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(WRITERS), context.Queue()
    processes = [context.Process(target=_writer, args=(root, seed, barrier, answers)) for seed in range(WRITERS)]
    for process in processes:
        process.start()
    said = [answers.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    seconds = max(one["end"] for one in said) - min(one["start"] for one in said)
    problems = [error for one in said for error in one["errors"]]
    fresh = _copies(root) - before
    sent = Counter(id for one in said for id in one["ids"] * 2)
    if fresh != sent or len(sent) != WRITERS * EACH:
        problems.append(f"{sent.total()} copies were acknowledged and {fresh.total()} are there")
    for check in (["fsck", "--strict", "--no-dangling", "--no-progress"], ["status", "--porcelain"]):
        done = subprocess.run(["git", *check], cwd=root, capture_output=True, text=True, check=False)
        if done.returncode or done.stdout:
            problems.append(f"git {check[0]}: {done.stdout or done.stderr}")
    return WRITERS * EACH / seconds, problems


def _writer(root: Path, seed: int, barrier: Any, answers: Any) -> None:
    """Process: send, once all the others are ready."""
    box, ids, errors = Mailbox(seed), [], []
    with Store.open(root) as store:
        barrier.wait(120)
        start = time.monotonic()
        for number in range(EACH):
            sender, recipient = box.parties()
            try:
                sent = messages.send(
                    store, from_project=sender, to_project=recipient, subject=f"Number {number}", message=box.text()
                )
                ids.append(sent.messages[0].id)
            except Exception as error:  # noqa: BLE001 - whatever is shown to a writer is counted
                errors.append(f"{type(error).__name__}: {error}")
        answers.put({"start": start, "end": time.monotonic(), "ids": ids, "errors": errors})


def _copies(root: Path) -> Counter[str]:
    """How many copies of each message the branch holds."""
    with Store.open(root) as store:
        view = store.view()
        return Counter(Path(path).stem for kind in (INBOX, OUTBOX) for path, _ in view.walk(kind))


def process(place: Place) -> Iterator[Row]:
    """`sbfs send` as a whole process against Git's two commands."""
    root, plain = place.stores[place.large]
    box = Mailbox(3)
    paths = [box.write_two(plain) for _ in range(16)]
    mine, peer = interleave(15, lambda: _send(root, box), lambda: git_commits(plain, paths.pop()))
    yield Row("sbfs send", place.large, mine, GIT, peer, mine.median / peer.median, "<= 1")


def lists(place: Place) -> Iterator[Row]:
    """`sbfs inbox` and `sbfs message count` as whole processes, large store against small."""
    roots = [place.stores[size][0] for size in (place.large, place.small)]
    box = Mailbox(4)
    commands = {
        "sbfs inbox P --limit 20": ("inbox", PROJECTS[1], "--limit", "20"),
        "sbfs message count P --unread": ("message", "count", PROJECTS[1], "--unread"),
    }
    for used in (False, True):
        for name, words in commands.items():
            times = _times_of_lists(roots, words, box if used else None)
            large, small = (Series(one) for one in times)
            full = f"{name}, after a send to P" if used else name
            peer_name = f"at {place.small:,}:"
            yield Row(full, place.large, large, peer_name, small, large.median / small.median, "<= 2")


def _times_of_lists(roots: list[Path], words: tuple[str, ...], box: Mailbox | None) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in roots]
    for turn in range(16):
        for kept, root in zip(times, roots, strict=True):
            if box:
                _send(root, box, recipient=PROJECTS[1])
            seconds = timed(lambda root=root: run(SBFS, "--store", root, *words))
            if turn:
                kept.append(seconds)
    return times


def _send(root: Path, box: Mailbox, recipient: str = "") -> None:
    sender, other = ("project-00", recipient) if recipient else box.parties()
    run(SBFS, "--store", root, "send", sender, other, "--subject", "Is it red?", "--body", box.text())


def save(place: Place) -> Iterator[Row]:
    """`sbfs save` of many files at once against `git add -A` and `git commit` of the same files."""
    pairs = [files_of(message) for message in mail(SAVED // 2, seed=5)]
    complete = {path: data for pair in pairs for path, data in pair.items()}
    yield _saved(place, "sbfs save, 10,000 sent messages", complete, "<= 3")
    notes = dict(handwritten(message, number) for number, message in enumerate(mail(SAVED, seed=6)))
    yield _saved(place, "sbfs save, 20,000 to be sent", notes, "")


def _saved(place: Place, name: str, files: dict[str, bytes], limit: str) -> Row:
    source = place.stores[place.small][0]
    ours, theirs = [], []
    for _ in range(3):
        with _copied(source, place.spare / "saved", copy) as root:
            put(root, files)
            os.sync()
            ours.append(timed(lambda root=root: run(SBFS, "--store", root, "save")))
            if left := git(root, "status", "--porcelain"):
                sys.exit(f"{name} left {left[:500]}")
        with _copied(source, place.spare / "added", copy_plain) as root:
            put(root, files)
            os.sync()
            theirs.append(timed(lambda root=root: git_commits(root, ["-A"])))
    mine, peer = Series(ours), Series(theirs)
    return Row(name, place.small, mine, "git add -A + commit:", peer, mine.median / peer.median, limit)


class _copied:  # noqa: N801 - reads as a verb
    """A copy that lives as long as the block."""

    def __init__(self, source: Path, target: Path, make: Callable[[Path, Path], None]):
        self.source, self.target, self.make = source, target, make

    def __enter__(self) -> Path:
        self.make(self.source, self.target)
        return self.target

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.target)
        os.sync()


def status(place: Place) -> Iterator[Row]:
    """`sbfs status` against `git status`, in the same store."""
    root = place.stores[place.large][0]
    settle(root)
    mine, peer = interleave(11, lambda: run(SBFS, "--store", root, "status"), lambda: git(root, "status"))
    yield Row("sbfs status", place.large, mine, "git status:", peer, mine.median / peer.median, "<= 4")


def help(place: Place) -> Iterator[Row]:
    """`sbfs --help` against an interpreter that imports click."""
    assert place.stores
    click = (Path(sys.executable), "-c", "import click")
    mine, peer = interleave(31, lambda: run(SBFS, "--help"), lambda: run(*click), warm=3)
    yield Row("sbfs --help", None, mine, 'python -c "import click":', peer, mine.median / peer.median, "<= 1.5")


ROWS = {one.__name__: one for one in (help, send, process, lists, status, writers, save)}
"""In the order in which they are measured: the many writers, who change a store most, come late."""


# -- running ---------------------------------------------------------------------------------------


def main() -> None:
    """Prepare the stores, measure, print the table."""
    asked = arguments(
        "Measure the store and its mail beside Git's own commands.", ROWS, "mail.json", SIZES
    ).parse_args()
    wanted = [ROWS[name] for name in asked.only or ROWS]
    carry_out(asked, lambda folder, spare: _measured(wanted, asked.sizes, folder, spare))


def _measured(
    wanted: Iterable[Callable[[Place], Iterator[Row]]], sizes: Iterable[int], folder: Path, spare: Path
) -> Iterator[Row]:
    stores = {}
    for size in sizes:
        tell(f"preparing {size:,} messages")
        stores[size] = prepare(folder, size)
    place = Place(stores, spare)
    for measure in wanted:
        tell(f"measuring {measure.__name__}")
        yield from measure(place)


if __name__ == "__main__":
    main()
