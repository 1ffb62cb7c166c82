"""Copies of a whole store, kept safe in a folder: a full one, then what is new; each checked, old ones thinned.

Each is a bundle of Git, so that Git alone can bring a store back: `git clone` of a full one, then `git pull` of
the others. A full one and what follows it are a chain; a chain goes as a whole.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sbfs import files, threeway, times
from sbfs.errors import Damaged, Failed, Invalid, NotFound
from sbfs.git import bulk, bundlefile, trees
from sbfs.git.config import configure
from sbfs.git.repository import BRANCH, Repository
from sbfs.store import SETTINGS, Store, check_format

KEEP = "7,5,12"
"""Days, weeks and months of which the last backup is kept."""

_LONGEST = 40
_OLDEST_DAYS = 7
"""Backups in a chain, and its age, from which on a full one begins the next."""

_NAME = re.compile(r"(store-[0-9A-Z]{26})-(\d{8}T\d{6}Z)-(full|more)\.bundle")


@dataclass(frozen=True)
class Kept:
    """One backup. full: whether it needs no other. made: when. tip: the commit that it holds. needs: the one it
    builds on, or ""."""

    path: str
    store: str
    made: datetime
    full: bool
    size: int
    tip: str
    needs: str = ""


@dataclass(frozen=True)
class BackedUp:
    """What a backup did. made: the new one, None where nothing was new. kept: how many there are. thinned: names of
    those that went."""

    folder: str
    made: Kept | None
    kept: int
    thinned: tuple[str, ...] = ()


@dataclass(frozen=True)
class Restored:
    """What a store was brought back from."""

    root: str
    store: str
    commit: str
    made: datetime
    used: tuple[str, ...]


def backup(store: Store, *, folder: Path, full: bool = False, keep: str = KEEP) -> BackedUp:
    """Put what is new in the store since the last time into a folder, as a bundle that is read again and checked.

    folder: made where it is not there. full: begin anew, with everything. keep: DAYS,WEEKS,MONTHS of which the
    last backup stays; older ones go, once the new one is there. Unsaved edits are not in it.
    """
    rule = _rule(keep)
    head, now, id = store.head(), store.clock(), str(store.settings().get("id", ""))
    known = [one for one in _listed(folder) if one.store == id]
    chains = _chains(known)
    last = chains[-1] if chains else []
    made = None
    if full or not last or last[-1].tip != head:
        made = _make(store, folder, id, now, last[-1].tip if _goes_on(store, last, now, full) else "")
        chains = _chains([*known, made])
    thinned = tuple(_thin(chains, rule, now))
    return BackedUp(str(folder), made, sum(map(len, chains)) - len(thinned), thinned)


def _goes_on(store: Store, last: Sequence[Kept], now: datetime, full: bool) -> bool:
    """Whether a chain is gone on with, instead of beginning another."""
    if full or not last or len(last) >= _LONGEST or (now - last[0].made).days >= _OLDEST_DAYS:
        return False
    return store.repo.has(last[-1].tip)


def _make(store: Store, folder: Path, id: str, now: datetime, since: str) -> Kept:
    head = store.head()
    moment = now.astimezone(UTC).replace(microsecond=0)
    while True:
        kind = "more" if since else "full"
        path = folder / f"{id}-{moment.strftime('%Y%m%dT%H%M%SZ')}-{kind}.bundle"
        if not any(path.with_name(path.name.replace(kind, one)).exists() for one in ("full", "more")):
            break
        moment = datetime.fromtimestamp(moment.timestamp() + 1, UTC)
    needs = [since] if since else []
    with files.new_file(path, force=False) as out:
        bundlefile.write_head(out, head, needs)
        bulk.pack_reachable(store.repo, [head], needs, out)
        out.flush()
        out.seek(0)
        _check(store, out, path, full=not since)
    return replace(_kept(path), made=moment)


def _check(store: Store, stream: bulk.Stream, path: Path, *, full: bool) -> None:
    """Read a backup again before it gets its name."""
    head = bundlefile.read_head(stream, path.name)
    if not full:
        bulk.check_sum(stream, path.name)
        return
    with bulk.Scratch(store.repo.gitdir / "sbfs") as scratch:
        scratch.take(stream, path.name)
        if not scratch.repo.has(head.tip):
            raise Failed(f"{path.name} does not hold what it should", hint="look at the disk, and repeat")


# -- what is there ---------------------------------------------------------------------------------


def _listed(folder: Path) -> list[Kept]:
    """The backups in a folder, the oldest first; what is none, or cannot be read, is passed over."""
    try:
        names = os.listdir(folder) if folder.exists() else []
    except OSError as error:
        raise files.failed(error, folder) from error
    found = []
    for name in sorted(names):
        if _NAME.fullmatch(name):
            with suppress(Invalid):
                found.append(_kept(folder / name))
    return sorted(found, key=lambda one: (one.made, one.path))


def _kept(path: Path) -> Kept:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    with open(path, "rb") as file:
        head = bundlefile.read_head(file, path.name)
    made = datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    needs = head.needs[0] if head.needs else ""
    return Kept(str(path), match[1], made, not needs, path.stat().st_size, head.tip, needs)


def _chains(known: Sequence[Kept]) -> list[list[Kept]]:
    """Backups by the full one that they begin with; each builds on the one before it."""
    chains: list[list[Kept]] = []
    for one in known:
        if one.full:
            chains.append([one])
        elif chain := next((chain for chain in reversed(chains) if chain[-1].tip == one.needs), None):
            chain.append(one)
    return chains


# -- thinning --------------------------------------------------------------------------------------


def _rule(keep: str) -> tuple[int, int, int]:
    match = re.fullmatch(r"(\d{1,4}),(\d{1,4}),(\d{1,4})", keep.replace(" ", ""))
    if match is None:
        raise Invalid(f"{keep!r} is not DAYS,WEEKS,MONTHS", field="keep", hint=f"such as {KEEP}")
    return int(match[1]), int(match[2]), int(match[3])


def _thin(chains: Sequence[Sequence[Kept]], rule: tuple[int, int, int], now: datetime) -> Iterator[str]:
    """Remove chains of which no backup is the last of a day, week or month to be kept.

    The last two always stay: what the newest is without, as after a force-push, is in the one before it.
    """
    wanted: set[str] = set()
    every = sorted((one for chain in chains for one in chain), key=lambda one: one.made, reverse=True)
    for count, slot in zip(rule, (_day, _week, _month), strict=True):
        newest: dict[str, Kept] = {}
        for one in every:
            newest.setdefault(slot(one.made), one)
        wanted |= {one.path for one in list(newest.values())[:count]}
    for chain in chains[:-2]:
        if not any(one.path in wanted for one in chain) and chain[-1].made <= now:
            # What others build on goes last: a kill leaves a chain that is only shorter.
            for one in reversed(chain):
                with suppress(FileNotFoundError):
                    os.unlink(one.path)
                yield Path(one.path).name


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _week(moment: datetime) -> str:
    return "{}-{}".format(*moment.isocalendar())


def _month(moment: datetime) -> str:
    return moment.strftime("%Y-%m")


# -- bringing back ---------------------------------------------------------------------------------


def restore(source: Path, root: Path, *, at: datetime | None = None) -> Restored:
    """Make a store in a new or empty folder from backups. source: their folder, or one of them. at: as it was then.

    Each file is checked. Raises NotFound where there is none that old, Invalid for one that is damaged or
    whose chain is broken, and for a folder that holds something; then nothing is made.
    """
    chain = _chosen(source, at)
    _refuse_full(root)
    made = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        aside = root / f".git.new.{os.getpid()}.{secrets.token_hex(6)}~"
        try:
            _build(aside, chain)
            os.rename(aside / ".git", root / ".git")
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            if made and not (root / ".git").exists():
                with suppress(OSError):
                    root.rmdir()
        files.sync_folder(root)
    except OSError as error:
        raise files.failed(error, root) from error
    last = chain[-1]
    return Restored(str(root), last.store, last.tip, last.made, tuple(Path(one.path).name for one in chain))


def _chosen(source: Path, at: datetime | None) -> list[Kept]:
    folder = source if source.is_dir() else source.parent
    known = _listed(folder)
    if source.is_file():
        wanted = next((one for one in known if Path(one.path).name == source.name), None)
        if wanted is None:
            raise Invalid("is no backup", path=source.name, hint="for any other bundle: sbfs clone FILE DIR")
        known = [one for one in known if one.store == wanted.store and one.made <= wanted.made]
    stores = {one.store for one in known}
    if len(stores) > 1:
        raise Invalid(f"holds backups of {len(stores)} stores", path=folder.name, hint="name the file to restore")
    chains = _chains([one for one in known if at is None or one.made <= at])
    if not chains:
        what = f"backup in {folder}" + (f" from before {times.dump(at)}" if at else "")
        raise NotFound(what, str(source), hint="make one: sbfs backup")
    return max(chains, key=lambda chain: chain[-1].made)


def _refuse_full(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise Invalid(f"{root} is not a folder", hint="choose a new or empty folder")
    names = os.listdir(root) if root.exists() else []
    if left := [name for name in names if not files.TEMPORARY.fullmatch(name)]:
        raise Invalid(f"{root} is not empty: it holds {min(left)!r}", hint="choose a new or empty folder")


def _build(aside: Path, chain: Sequence[Kept]) -> None:
    gitdir = aside / ".git"
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "sbfs"):
        (gitdir / name).mkdir(parents=True)
    (gitdir / "HEAD").write_text(f"ref: {BRANCH}\n")
    (gitdir / "description").write_text("A store of sbfs.\n")
    configure(gitdir)
    tip = chain[-1].tip
    with Repository(aside) as repo:
        for one in chain:
            with open(one.path, "rb") as file:
                bundlefile.read_head(file, Path(one.path).name)
                bulk.take_pack(repo, file, Path(one.path).name)
        try:
            tree = repo.commit(tip).tree
            settings = repo.entry(tree, SETTINGS)
            if settings is None:
                raise Invalid("holds no sbfs.yaml, so it is no store", path=Path(chain[-1].path).name)
            check_format(repo.blob(settings[1]))
            threeway.check_incoming(repo, tree)
            paths = [path for path, _, _ in trees.walk(repo.tree, tree)]
        except (Damaged, NotFound) as error:
            raise Invalid(f"is not complete: {error}", path=Path(chain[-1].path).name) from None
    files.sync_many(str(file) for file in (gitdir / "objects/pack").iterdir())
    files.write(gitdir / BRANCH, f"{tip}\n".encode())
    # The first command puts the files down, as after a clone.
    files.write(gitdir / "sbfs" / "journal", json.dumps({"old": None, "new": tip, "paths": paths}).encode())
