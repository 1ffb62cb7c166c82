"""Measure sync and merge beside Git's own commands: `python benchmarks/sync.py`.

Rows as in benchmarks/mail.py, whose stores it uses; what each means is in benchmarks/README.md.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from measure import SBFS, Row, Series, arguments, carry_out, run, tell, timed
from stores import PER_DAY, PROJECTS, copy, files_of, git, mail, prepare, put, settle

from sbfs import messages, projects, sync
from sbfs.store import Store

CLONES, EACH = 5, 200
MERGED = 1_000
SENDERS = 4
DAY = PER_DAY * 4
"""Sends of one process before its clock goes on by a day: 400 a project and day, from all of them."""


def merge(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """A thousand messages here and a thousand there: our merge, published, against `git merge`."""
    ours, theirs = [], []
    for turn in range(3):
        base = spare / f"merge-{turn}"
        copy(store, base)
        heads = _two_sides(base)
        git(base, "reset", "-q", "--hard", heads[0])
        settle(base)
        with Store.open(base) as opened:
            ours.append(timed(lambda opened=opened, heads=heads: _merge(opened, heads[1])))
        _look(base, heads)
        git(base, "reset", "-q", "--hard", heads[0])
        git(base, "update-index", "--no-split-index")
        git(base, "config", "--unset", "core.fsync")
        settle(base)
        theirs.append(timed(lambda base=base, heads=heads: git(base, "merge", "-q", "--no-edit", heads[1])))
        _look(base, heads)
        shutil.rmtree(base)
    mine, peer = Series(ours), Series(theirs)
    yield Row("merge of 1,000 with 1,000 messages", size, mine, "git merge:", peer, mine.median / peer.median, "<= 2")


def _two_sides(root: Path) -> tuple[str, str]:
    """Two commits on the branch's, with a thousand messages each."""
    begin, heads = git(root, "rev-parse", "main").strip(), []
    for seed in (11, 12):
        git(root, "reset", "-q", "--hard", begin)
        for message in mail(MERGED, seed=seed):
            put(root, files_of(message))
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", f"side {seed}")
        heads.append(git(root, "rev-parse", "HEAD").strip())
    return heads[0], heads[1]


def _merge(store: Store, theirs: str) -> None:
    tally = sync._Tally()
    sync._merge(store, theirs, "there", "", tally)
    if tally.conflicts:
        sys.exit(f"{len(tally.conflicts)} conflicts")


def _look(root: Path, heads: tuple[str, str]) -> None:
    for head in heads:
        git(root, "merge-base", "--is-ancestor", head, "main")
    if left := git(root, "status", "--porcelain"):
        sys.exit(f"the merge left {left[:300]}")


def one(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """A message here and one there: `sbfs sync` against `git pull --no-rebase && git push`, whole processes."""
    hub, root, plain = spare / "hub.git", spare / "here", spare / "plain"
    run("git", "clone", "-q", "--bare", store, hub)
    copy(store, root)
    copy(store, plain)
    git(plain, "update-index", "--no-split-index")
    git(plain, "config", "--unset", "core.fsync")
    for clone in (root, plain):
        git(clone, "remote", "add", "origin", str(hub))
        git(clone, "fetch", "-q", "origin")
        git(clone, "branch", "-q", "--set-upstream-to=origin/main", "main")
        settle(clone)
    ours, theirs = [], []
    for turn in range(8):
        for clone, command, kept in (
            (root, lambda: run(SBFS, "--store", root, "sync"), ours),
            (plain, lambda: _pull_and_push(plain), theirs),
        ):
            _send_there(hub, spare, f"{turn}")
            with Store.open(clone) as opened:
                messages.send(opened, from_project=PROJECTS[0], to_project=PROJECTS[1], subject="here", message="x")
            seconds = timed(command)
            if turn:
                kept.append(seconds)
    mine, peer = Series(ours), Series(theirs)
    name = "sync of one message each way"
    yield Row(name, size, mine, "git pull + push:", peer, mine.median / peer.median, "<= 1.5")


def _pull_and_push(root: Path) -> None:
    git(root, "pull", "-q", "--no-rebase", "--no-edit")
    git(root, "push", "-q")


def _send_there(hub: Path, spare: Path, subject: str) -> None:
    """One message by a third clone, pushed."""
    other = spare / "other"
    if not other.exists():
        run("git", "clone", "-q", hub, other)
    git(other, "pull", "-q", "--ff-only")
    with Store.open(other) as opened:
        messages.send(opened, from_project=PROJECTS[2], to_project=PROJECTS[3], subject=subject, message="x")
    git(other, "push", "-q", "origin", "main")


def storm(store: Path, size: int, spare: Path) -> Iterator[Row]:
    """Five clones that each send 200 and mark 200 as read while they sync into one bare repository."""
    hub = spare / "storm.git"
    run("git", "clone", "-q", "--bare", store, hub)
    roots = [spare / f"storm-{number}" for number in range(CLONES)]
    for root in roots:
        sync.clone(str(hub), root)
        Store.open(root).close()
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[tuple[int, int]] = context.Queue()
    workers = [context.Process(target=_work, args=(root, number, answers)) for number, root in enumerate(roots)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    said = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    last = 0
    for root in (*roots, *roots):
        with Store.open(root) as opened:
            last = max(last, sync.sync(opened).rounds)
    seconds = time.perf_counter() - start
    problems = tuple(_storm_problems(roots, hub))
    rounds = Series([float(rounds) for rounds, _ in said], "rounds")
    syncs = sum(syncs for _, syncs in said)
    name = f"5 clones x 200 sends, 200 marks: most rounds of a sync ({syncs} syncs, {seconds:.0f} s)"
    yield Row(name, size, rounds, "", None, max(rounds.values), "", problems)


def _work(root: Path, number: int, answers: multiprocessing.Queue[tuple[int, int]]) -> None:
    most = syncs = 0
    mine, other = PROJECTS[number], PROJECTS[(number + 1) % CLONES]
    with Store.open(root) as store:
        for turn in range(EACH):
            messages.send(store, from_project=mine, to_project=other, subject=f"storm {number}-{turn}", message="x")
            unread = messages.list(store, project=mine, status="unread", limit=1).items
            if unread:
                messages.mark(store, message_ids=[unread[0].message.id], status="read")
            if turn % 20 == 19:
                most, syncs = max(most, sync.sync(store).rounds), syncs + 1
    answers.put((most, syncs))


def _storm_problems(roots: list[Path], hub: Path) -> Iterator[str]:
    heads = {git(root, "rev-parse", "main") for root in roots}
    if len(heads) != 1:
        yield f"{len(heads)} different heads"
    for root in roots:
        with Store.open(root) as store:
            found = {
                one.message.subject
                for name in PROJECTS[:CLONES]
                for one in messages.list(store, project=name, limit=100_000).items
                if one.message.subject.startswith("storm ")
            }
        if len(found) != CLONES * EACH:
            yield f"{root.name} has {len(found)} of {CLONES * EACH} messages"
    run("git", "fsck", "--strict", "--no-dangling", cwd=hub)


def sends(_store: Path, size: int, spare: Path) -> Iterator[Row]:
    """Many sends by a few processes, with upkeep at work: objects and packs all the while, and the longest send."""
    count = int(os.environ.get("SENDS", "100000"))
    root = spare / "sends"
    with Store.init(root) as made:
        for name in PROJECTS:
            projects.add(made, name=name)
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[list[float]] = context.Queue()
    workers = [
        context.Process(target=_send_many, args=(root, number, count // SENDERS, answers)) for number in range(SENDERS)
    ]
    for worker in workers:
        worker.start()
    times: list[float] = []
    most_loose = most_packs = ended = 0
    while ended < SENDERS:
        loose, packs = _objects(root)
        most_loose, most_packs = max(most_loose, loose), max(most_packs, packs)
        with suppress(queue.Empty):
            times += answers.get(timeout=1)
            ended += 1
    for worker in workers:
        worker.join()
    problems = []
    if most_loose > 2000 or most_packs > 50:
        problems.append(f"{most_loose} loose objects, {most_packs} packs at the most")
    if len(times) != count:
        problems.append(f"{len(times)} of {count} sends")
    times.sort()
    name = f"{count:,} sends by {SENDERS} processes: longest ({most_loose} loose, {most_packs} packs at most)"
    tell(f"slowest: {[round(one, 2) for one in times[-12:]]}")
    yield Row(name, size, Series(times), "", None, times[-1], "<= 1", tuple(problems))


def _send_many(root: Path, number: int, count: int, answers: multiprocessing.Queue[list[float]]) -> None:
    times = []
    begin, turn = datetime.now(UTC) - timedelta(days=30), 0
    with Store.open(root, clock=lambda: begin + timedelta(days=turn // DAY)) as store:
        for turn in range(count):
            sender, other = PROJECTS[(number * 5 + turn) % 20], PROJECTS[(turn + 7) % 20]
            if sender == other:
                other = PROJECTS[(turn + 8) % 20]
            send = partial(messages.send, store, from_project=sender, to_project=other)
            times.append(timed(partial(send, subject=f"Message {number}-{turn}", message="text\n" * 20)))
    answers.put(times)


def _objects(root: Path) -> tuple[int, int]:
    folder = root / ".git" / "objects"
    loose = sum(len(os.listdir(one)) for one in folder.iterdir() if len(one.name) == 2)
    return loose, sum(name.endswith(".pack") for name in os.listdir(folder / "pack"))


ROWS: dict[str, Callable[[Path, int, Path], Iterator[Row]]] = {
    "merge": merge, "one": one, "storm": storm, "sends": sends
}  # fmt: skip


def main() -> None:
    """Prepare the stores, measure, print the table."""
    asked = arguments("Measure sync and merge beside Git's own commands.", ROWS, "sync.json", (100_000,)).parse_args()
    carry_out(asked, lambda folder, spare: _measured(asked.only or ROWS, asked.sizes, folder, spare))


def _measured(names: Iterable[str], sizes: Iterable[int], folder: Path, spare: Path) -> Iterator[Row]:
    for size in sizes:
        tell(f"preparing {size:,} messages")
        store, _ = prepare(folder, size)
        for name in names:
            tell(f"measuring {name}")
            place = spare / f"{name}-{size}"
            place.mkdir()
            yield from ROWS[name](store, size, place)
            shutil.rmtree(place, ignore_errors=True)  # upkeep may still be at it


if __name__ == "__main__":
    main()
