"""The index follows the branch, whatever happens to it: damage, strangers, kills, other processes, other versions."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import stat
import sys
from pathlib import Path

import pytest
from domain_helpers import Shell, mail, people, snapshot
from helpers import assert_sound, finish, git, spawn, stopped, trip, wait_for
from search_helpers import assert_follows, backend_files, expected, folder, forget, found, held

from sbfs import messages, projects, search, sync
from sbfs.search import building, entries, follower
from sbfs.search import fits as fitting
from sbfs.search.engine import Engine, Question
from sbfs.store import Store


@pytest.fixture
def post(store: Store) -> Store:
    """A store with an index of some mail, the last of which about a zebra."""
    people(store, "web", "api")
    for number in range(6):
        mail(store, subject=f"n{number}", message=f"Gnu number {number} of the herd.\n")
    mail(store, subject="Stripes", message="A zebra crosses.\n")
    assert len(found(store, "zebra")) == 1
    return store


def again(store: Store) -> Store:
    """The same store as another process would open it."""
    return Store.open(store.root, clock=store.clock)


# -- what it is --------------------------------------------------------------------------------------


def test_a_search_writes_only_its_index_which_is_its_owners_alone(post):
    """A search that changes the store, or an index that others can read or write."""
    before, head = snapshot(post.root), post.head()
    forget(post)
    other = {file for file in (post.root / ".git").rglob("*") if "sbfs" not in file.parts}
    found(post, "gnu")
    assert (snapshot(post.root), post.head()) == (before, head)
    assert {file for file in (post.root / ".git").rglob("*") if "sbfs" not in file.parts} == other
    place = folder(post)
    for one in (place.parent, place):
        assert stat.S_IMODE(one.stat().st_mode) == 0o700
    assert_sound(post.root)
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["tree"] == post.view().commit.tree
    assert manifest["entries"] == len(expected(post))
    assert {*manifest["files"]} == {
        file.relative_to(place / manifest["generation"]).as_posix() for file in backend_files(post)
    }


def test_every_module_that_only_asks_is_there():
    """A module that was renamed, so that a change of what it asks makes every index anew."""
    package = Path(follower.__file__).parent
    assert all((package / f"{name}.py").is_file() for name in follower._ASKING)
    assert {"analysis", "engine", "entries"}.isdisjoint(follower._ASKING)


def test_making_an_index_tells_how_far_it_is(post):
    """A rebuild of minutes that says nothing."""
    forget(post)
    told: list[int] = []
    search.search(post, query="gnu", progress=told.append)
    assert told == sorted(told)
    assert told
    told.clear()
    search.search(post, query="gnu", progress=told.append)
    assert told == []


def test_the_state_of_the_index_is_told_without_opening_it(post):
    """A status that says current of an index that is behind, damaged or gone."""
    assert search.index_status(post).state == "current"
    mail(post)
    state = search.index_status(post)
    assert (state.state, state.behind) == ("behind", 2)
    assert search.index_verify(post).sound
    assert search.index_status(post).state == "current"
    backend_files(post)[-1].write_bytes(b"")
    assert search.index_status(post).state == "damaged"
    os.chmod(folder(post), 0o777)
    assert search.index_status(post).state == "foreign"
    forget(post)
    assert search.index_status(post).state == "missing"


# -- damage (failure mode 47) --------------------------------------------------------------------------

DAMAGES = {
    "removed": lambda file: file.unlink(),
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "flipped": lambda file: file.write_bytes(bytes(byte ^ 0x55 for byte in file.read_bytes())),
    "flipped at one place": lambda file: file.write_bytes(_flipped(file.read_bytes())),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
}


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :] if data else b"x"


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_index_with_any_file_damaged_is_made_anew(post, damage, monkeypatch):
    """A wrong answer, or none, from a damaged index (failure mode 47)."""
    monkeypatch.setattr("sbfs.search.fits.LITTLE", 5)
    search.search(post, query="corsses")
    assert any("fits" in file.parts for file in backend_files(post))
    for number in range(len(backend_files(post)) + 1):
        mail(post, subject="more", message="Gnu.\n")
        wanted = sorted(found(post, "gnu"))
        files = [*backend_files(post), folder(post) / "manifest.json"]
        DAMAGES[damage](files[number])
        with again(post) as fresh:
            assert sorted(found(fresh, "gnu")) == wanted, files[number]
            assert search.search(fresh, query="corsses").spelled == {"corsses": ("crosses",)}
            assert_follows(fresh)
        assert sorted(found(post, "gnu")) == wanted


def test_damage_that_hides_is_found_by_verify(post):
    """Bits that fall over on the disk, which no time of change tells of."""
    file = max(backend_files(post), key=lambda one: one.stat().st_size)
    before = file.stat()
    file.write_bytes(_flipped(file.read_bytes()))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with again(post) as fresh:
        verified = search.index_verify(fresh)
        assert not verified.sound
        assert file.name in verified.why
        search.index_rebuild(fresh)
        assert search.index_verify(fresh).sound


# Whoosh leaves a file open where it cannot read it; that is all that is lost here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_an_index_that_fits_its_manifest_and_cannot_be_opened_is_made_anew(post):
    """A backend's own exception that reaches the user."""
    place = follower.Place(post.repo.gitdir)
    manifest = place.manifest()
    for file in backend_files(post):
        forget(post)
        search.search(post, query="gnu")
        manifest = place.manifest()
        file = next(one for one in backend_files(post) if one.suffix == file.suffix)
        file.write_bytes(file.read_bytes()[:-7])
        place.keep(manifest.generation, manifest.tree, manifest.entries)
        with again(post) as fresh:
            assert len(found(fresh, "zebra")) == 1
            assert_follows(fresh)


def test_an_index_of_another_time_is_made_anew(post):
    """An index of a tree that is gone, or whose manifest another version wrote."""
    file = folder(post) / "manifest.json"
    said = json.loads(file.read_text())
    for wrong in (
        {**said, "tree": "0" * 40},
        {**said, "tree": "nonsense"},
        {**said, "generation": "../../.."},
        {**said, "generation": ""},
        {**said, "files": []},
        {"files": {}},
        [],
    ):
        file.write_text(json.dumps(wrong))
        with again(post) as fresh:
            assert len(found(fresh, "zebra")) == 1
            assert_follows(fresh)


def test_other_versions_keep_their_indexes_beside_ours(post):
    """Two versions of sbfs on one store, each of which destroys the other's index at every search."""
    ours = folder(post)
    other = ours.with_name("0" * 16)
    shutil.copytree(ours, other)
    (ours / "manifest.json").unlink()
    with again(post) as fresh:
        assert len(found(fresh, "zebra")) == 1
    assert (other / "manifest.json").exists()


def test_deleting_everything_below_git_sbfs_costs_only_time(post):
    """A search that needs what may be deleted at any time (promise 1)."""
    wanted = found(post, "gnu")
    shutil.rmtree(post.root / ".git/sbfs")
    assert found(post, "gnu") == wanted


# -- strangers ---------------------------------------------------------------------------------------


class _Trap:
    """What runs when somebody unpickles it."""

    def __init__(self, file: Path):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def _plant(place: Path, sprung: Path) -> None:
    """Every file of an index becomes one that runs code when it is opened, and the manifest says so."""
    (generation,) = [one for one in place.iterdir() if one.is_dir()]
    for file in generation.rglob("*"):
        if file.is_file():
            file.write_bytes(pickle.dumps(_Trap(sprung)))


def _as_link(place: Path) -> None:
    moved = place.with_name("elsewhere")
    place.rename(moved)
    place.symlink_to(moved)


STRANGE = {
    "others may write": lambda place: place.chmod(0o777),
    "its group may write": lambda place: place.chmod(0o770),
    "a link": _as_link,
    "another user's": lambda place: os.chown(place, 65534, 65534),
}


@pytest.mark.parametrize("which", ["home", "schema", "generation"])
@pytest.mark.parametrize("how", STRANGE)
def test_an_index_that_somebody_else_could_have_written_is_never_opened(post, tmp_path, how, which):
    """Code of a stranger that runs because somebody searched: an index is code."""
    if how == "another user's" and os.geteuid():
        pytest.skip("only root can give a folder away")
    place, sprung = folder(post), tmp_path / "sprung"
    (generation,) = [one for one in place.iterdir() if one.is_dir()]
    _plant(place, sprung)
    manifest = follower.Place(post.repo.gitdir).manifest()
    follower.Place(post.repo.gitdir).keep(manifest.generation, manifest.tree, manifest.entries)
    STRANGE[how]({"home": place.parent, "schema": place, "generation": generation}[which])
    with again(post) as fresh:
        assert len(found(fresh, "zebra")) == 1
        assert not sprung.exists()
        assert_follows(fresh)
        assert stat.S_IMODE(folder(fresh).stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["manifest.json", "file"])
def test_a_file_of_the_index_that_is_a_link_is_not_read(post, tmp_path, name):
    """A link out of the index, which a checksum of what it leads to would let pass."""
    file = backend_files(post)[-1] if name == "file" else folder(post) / name
    shutil.move(file, tmp_path / "outside")
    file.symlink_to(tmp_path / "outside")
    with again(post) as fresh:
        assert len(found(fresh, "zebra")) == 1
        assert_follows(fresh)


def test_an_index_in_the_work_tree_or_in_a_clones_origin_is_never_opened(post, tmp_path):
    """An index that travels: committed, cloned, or unpacked beside the records."""
    sprung = tmp_path / "sprung"
    shutil.copytree(post.root / ".git/sbfs", post.root / "sbfs")
    shutil.copytree(post.root / ".git/sbfs", post.root / "projects/web/.git-sbfs")
    _plant(post.root / "sbfs" / "index" / folder(post).name, sprung)
    git(post.root, "add", "-A", "-f")
    git(post.root, "commit", "-qm", "planted")
    _plant(folder(post), sprung)
    sync.clone(str(post.root), tmp_path / "clone")
    with Store.open(tmp_path / "clone", clock=post.clock) as clone:
        assert not (clone.root / ".git/sbfs/index").exists()
        assert len(found(clone, "zebra")) == 1
        assert_follows(clone)
    assert not sprung.exists()


# -- other processes -----------------------------------------------------------------------------------


def hold_index(root: Path, ready: Path, release: Path) -> None:
    """Process: hold the index's lock until told otherwise."""
    with Store.open(root) as store, follower.of(store).locked(10) as held:
        assert held
        ready.touch()
        wait_for(release.exists, 120)


def test_while_another_process_is_at_it_answers_come_and_say_so(post, tmp_path):
    """A search that waits for a rebuild of minutes, or that hides what it lacks."""
    ready, release = tmp_path / "ready", tmp_path / "release"
    with stopped(spawn(hold_index, post.root, ready, release)) as _:
        wait_for(ready.exists)
        assert not search.search(post, query="zebra").incomplete
        mail(post, subject="New", message="An ibex.\n")
        with again(post) as fresh:
            answer = search.search(fresh, query="zebra")
            assert len(answer.results) == 1
            assert "another process" in answer.incomplete
            document = Shell(post.root).json("search", "ibex")
            assert (document["count"], "another process" in document["incomplete"]) == (0, True)
        forget(post)
        answer = search.search(post, query="ibex")
        assert len(answer.results) == 1
        assert answer.incomplete
        release.touch()
    assert not search.search(post, query="ibex").incomplete
    assert_follows(post)


def test_a_store_that_cannot_be_written_is_searched(post):
    """A search that fails for want of an index that it may not write."""
    forget(post)
    lock = post.root / ".git/sbfs/index-lock"
    lock.unlink()
    lock.mkdir()
    answer = search.search(post, query="zebra")
    assert len(answer.results) == 1
    assert not answer.incomplete
    assert "cannot be written" in answer.notice
    lock.rmdir()
    assert search.search(post, query="zebra").notice == ""
    lock.unlink()
    lock.mkdir()
    mail(post, message="An ibex.\n")
    answer = search.search(post, query="zebra")
    assert len(answer.results) == 1
    assert "behind" in answer.incomplete


def write_and_search(root: Path, name: str, count: int) -> None:
    """Process: send mail, and find each as soon as it is sent, by its own word."""
    with Store.open(root, lock_wait=60) as store:
        for number in range(count):
            id = mail(store, message=f"The herd, and {name}{number}.\n").id
            for _ in range(100):
                answer = search.search(store, query=f"{name}{number}", group="none")
                if not answer.incomplete:
                    break
            assert [one.id for one in answer.results] == [id], answer


def search_often(root: Path, count: int) -> None:
    """Process: search again and again; what is there stays there."""
    with Store.open(root) as store:
        seen = 0
        for _ in range(count):
            answer = search.search(store, query="herd", group="none", limit=1000)
            assert answer.incomplete or len(answer.results) >= seen
            seen = max(seen, len(answer.results))


def test_two_searches_and_two_writers_at_once(post):
    """An answer that fails, or lacks what was there before, because another process writes."""
    jobs = [spawn(write_and_search, post.root, name, 12) for name in ("okapi", "tapir")]
    jobs += [spawn(search_often, post.root, 40) for _ in range(2)]
    with stopped(*jobs):
        assert finish(*jobs) == [0, 0, 0, 0]
    assert len(found(post, "herd")) == 6 + 24
    assert_follows(post)


def die_searching(root: Path, at: int) -> None:
    """Process: bring the index along, and be killed at a step that reaches the disk."""
    with Store.open(root) as store:
        trip("kill", "before", at)
        search.search(store, query="gnu")


@pytest.mark.parametrize("built", [True, False], ids=["bringing along", "building"])
def test_a_search_that_is_killed_at_any_step_leaves_a_right_index(post, built):
    """An index that names what is gone, or lacks what is there, after a kill between any two steps."""
    at, ended = 0, [1]
    while ended != [0]:
        at += 1
        ghost = mail(post, subject="ghost", message="A gnu that goes.\n").id
        if not built:
            forget(post)
        ended = finish(spawn(die_searching, post.root, at))
        # What it may have written into the index goes again before anybody has looked.
        messages.remove(post, message_id=ghost)
        mail(post, message="A gnu that stays.\n")
        with again(post) as fresh:
            assert len(found(fresh, "gnu")) == 6 + at
            assert_follows(fresh)
    assert at > (3 if built else 5)
    assert not list((post.root / ".git/sbfs").glob("aside-*"))


def test_a_process_that_stays_sees_what_others_brought_along(post):
    """A server that goes on answering from an index that another process has replaced."""
    with again(post) as server:
        assert len(found(server, "zebra")) == 1
        mail(post, message="Another zebra.\n")
        assert len(found(post, "zebra")) == 2
        assert len(found(server, "zebra")) == 2
        search.index_rebuild(post)
        assert len(found(server, "zebra")) == 2
        messages.remove(post, message_id=found(post, "another")[0])
        assert len(found(server, "zebra")) == 1


# -- spelling that follows -----------------------------------------------------------------------------


def fits(store: Store) -> list[str]:
    """The fits that an index has."""
    return sorted(one.name for one in folder(store).glob("g*/fits/*"))


def test_a_store_that_grows_learns_its_words_without_a_rebuild(post, tmp_path, monkeypatch):
    """Spelling that knows what was there when the index was built; a fit that makes the index look damaged."""
    monkeypatch.setattr("sbfs.search.fits.LITTLE", 5)
    mail(post, message="A hippopotamus bathes.\n")
    answer = search.search(post, query="hippopotmaus")
    assert answer.spelled == {"hippopotmaus": ("hippopotamus",)}
    assert len(answer.results) == 1
    assert fits(post) == ["1"]
    assert_follows(post)
    mail(post, message="A rhinoceros charges.\n")
    assert search.search(post, query="rhinocerso").spelled == {"rhinocerso": ("rhinoceros",)}
    assert fits(post) == ["1"]
    for number in range(6):
        mail(post, message=f"A crocodile waits, number {number}.\n")
    ready, release = tmp_path / "ready", tmp_path / "release"
    assert len(found(post, "crocodile")) == 6
    with stopped(spawn(hold_index, post.root, ready, release)):
        wait_for(ready.exists)
        assert search.search(post, query="crocodiel").spelled == {"crocodiel": ("crocodile",)}
        assert fits(post) == ["1"]
        release.touch()
    with again(post) as fresh:
        assert search.search(fresh, query="crocodiel").spelled == {"crocodiel": ("crocodile",)}
    assert fits(post) == ["1", "2"]
    assert search.search(post, query="crocodiel").spelled == {"crocodiel": ("crocodile",)}
    assert_follows(post)


def die_fitting(root: Path, at: int) -> None:
    """Process: ask for a word that is nowhere, so that a fit is due, and be killed at a step that reaches the disk."""
    fitting.LITTLE = 5
    with Store.open(root) as store:
        trip("kill", "before", at)
        search.search(store, query="corsses")


def test_a_fit_that_is_killed_leaves_a_right_index(post, monkeypatch):
    """Half a fit that counts, or an index that is built anew for its sake."""
    monkeypatch.setattr("sbfs.search.fits.LITTLE", 5)
    at, ended = 0, [1]
    while ended != [0]:
        at += 1
        ended = finish(spawn(die_fitting, post.root, at))
        generation = follower.Place(post.repo.gitdir).manifest().generation
        with again(post) as fresh:
            assert search.index_status(fresh).state == "current"
            assert search.search(fresh, query="corsses").spelled == {"corsses": ("crosses",)}
            assert_follows(fresh)
        assert follower.Place(post.repo.gitdir).manifest().generation == generation
        shutil.rmtree(backend_files(post)[0].parent / "fits", ignore_errors=True)
        place, manifest = follower.Place(post.repo.gitdir), follower.Place(post.repo.gitdir).manifest()
        place.keep(manifest.generation, manifest.tree, manifest.entries)
    assert at > 2


PROGRAMS = {
    "as it is": None,
    "not there": ["/nowhere/python"],
    "failing": [sys.executable, "-c", "raise SystemExit(3)"],
    "saying nothing": [sys.executable, "-c", ""],
    "lying": [sys.executable, "-c", "print('end')"],
    "killed": [sys.executable, "-c", "import os; print(200, flush=True); os.kill(os.getpid(), 9)"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_index_made_by_two_processes_is_that_of_one(post, tmp_path, program):
    """A build that lacks what a second process did not deliver, holds it twice, or ranks otherwise."""
    projects.rename(post, project="web", name="site")
    messages.remove(post, message_id=found(post, "zebra")[0], box="inbox")
    given = {"program": PROGRAMS[program]} if PROGRAMS[program] else {}
    told: list[int] = []
    engine = Engine.create(tmp_path / "index")
    building.fill(engine, post.repo, post.view().commit.tree, told.append, least=0, **given)
    assert engine.keys() == expected(post)
    assert told == sorted(told)
    alone = follower.of(post).serve(post).engine
    for text in ("gnu herd", "zebra", "site"):
        hits, others = (one.search(Question(text)).hits for one in (engine, alone))
        assert [(hit.key, pytest.approx(hit.score)) for hit in hits] == [(hit.key, hit.score) for hit in others]
    assert not (tmp_path / "index" / "half").exists()
    engine.close()


def test_what_lies_in_the_working_directory_is_not_run(post, tmp_path, monkeypatch):
    """Files of a store that are named like modules, and run when somebody builds an index there."""
    for name in ("sbfs.py", "json.py", "whoosh.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    engine = Engine.create(tmp_path / "index")
    building.fill(engine, post.repo, post.view().commit.tree, lambda _: None, least=0)
    engine.close()
    assert not (tmp_path / "sprung").exists()


# -- verify --------------------------------------------------------------------------------------------


def test_verify_names_what_differs(post):
    """A proof that says yes to an index that lacks something, or holds too much."""
    shell = Shell(post.root)
    assert shell("index", "verify").out.startswith("index and store name the same")
    served = follower.of(post).serve(post)
    keys = sorted(held(post))
    blob = held(post)[keys[1]]
    (entry,) = [one for one in entries.Entries(post.repo, post.view().commit.tree).everything() if one[0] == keys[1]]
    served.engine.apply([keys[0]], [("projects/none.yaml", blob, entry[2]), (keys[1], "0" * 40, entry[2])])
    place = follower.Place(post.repo.gitdir)
    manifest = place.manifest()
    place.keep(manifest.generation, manifest.tree, manifest.entries)
    verified = search.index_verify(post)
    assert (verified.missing, verified.surplus, verified.changed) == ((keys[0],), ("projects/none.yaml",), (keys[1],))
    answer = shell("index", "verify")
    assert answer.status == 1
    assert f"missing: {keys[0]}" in answer.out
    assert "sbfs index rebuild" in answer.out
    assert shell("index", "verify", "--json").document["success"] is False
    assert shell("index", "rebuild").out == f"built an index of {len(keys)} entries\n"
    assert shell("index", "verify").status == 0
