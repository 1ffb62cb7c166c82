"""Looking for secrets in all of a repository: as it lies in packs, by two processes, and nothing is passed over."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from domain_helpers import SECRET, Shell, mail, people
from helpers import git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sbfs import bundles, messages, redact
from sbfs.bundles import looking, outgoing
from sbfs.git import bulk, inorder
from sbfs.store import Store

STATUS = re.compile(rb"\nstatus: \w+\n")


def by_hand(store: Store, path: str, text: str) -> str:
    """Commit a file as plain Git does. Returns its id."""
    (store.root / path).write_text(text)
    git(store.root, "add", "-A")
    git(store.root, "commit", "-qm", "by hand")
    return git(store.root, "rev-parse", f"HEAD:{path}").strip()


def packed(store: Store) -> Path:
    """Let Git pack everything, with deltas. Returns the pack."""
    git(store.root, "gc", "-q", "--prune=now")
    (found,) = (store.repo.gitdir / "objects" / "pack").glob("*.pack")
    return found


def blobs_of(store: Store) -> dict[str, bytes]:
    """Id → bytes of all files that Git has."""
    listed = git(store.root, "cat-file", "--batch-all-objects", "--batch-check").splitlines()
    ids = [line.split()[0] for line in listed if line.split()[1] == "blob"]
    read = ["git", "cat-file", "blob"]
    return {id: subprocess.run([*read, id], cwd=store.root, capture_output=True, check=True).stdout for id in ids}


def filled(store: Store) -> None:
    people(store, "web", "api")
    for number in range(30):
        sent = mail(store, subject=f"Number {number}", message=f"line {number}\n" * 40)
        if number % 3:
            messages.mark(store, message_ids=[sent.id], status="read")


def grown(store: Store) -> None:
    """A long file that changed often: deltas on deltas, with long parts that stay."""
    (store.root / "templates").mkdir()
    lines = [f"{number * 7919 % 10007} is the number of line {number}" for number in range(6000)]
    for version in range(8):
        lines[version * 700] = f"changed in version {version}"
        by_hand(store, "templates/long.md", "\n".join(lines))


@pytest.fixture
def halves(monkeypatch) -> Iterator[None]:
    """Two processes, however small the pack."""
    monkeypatch.setattr(looking, "_SHARED", 1)
    return None


def test_a_pack_is_read_as_git_reads_it(store):
    """Deltas upon deltas come out as something else, or a file is passed over that is no copy of another."""
    filled(store)
    grown(store)
    path = packed(store)
    known = blobs_of(store)
    with inorder.Pack(path) as pack:
        read = {pack.id(number): data for number, data in pack.files(0, pack.count, STATUS)}
        passed = {pack.id(number) for number in pack.passed_over(range(pack.count))}
        bases = {pack.id(base): base for base in range(pack.count)}
        copies = {id: [pack.id(one) for one in pack.passed_over([base])] for id, base in bases.items()}
    assert passed, "no copy of a message is a delta of the other one"
    assert read == {id: data for id, data in known.items() if id not in passed}
    for base, ids in copies.items():
        for id in ids:
            assert known[id] == STATUS.sub(b"\n", known[base], count=1)


def test_a_part_of_a_pack_is_read_alone(store):
    """What a file is built on was not read before it: the second half of a pack is built on the first."""
    filled(store)
    grown(store)
    known = blobs_of(store)
    path = packed(store)
    seen: set[str] = set()
    with inorder.Pack(path) as pack:
        count = pack.count
    for at in range(count):
        with inorder.Pack(path) as pack:
            for number, data in pack.files(at, at + 1, STATUS):
                assert known[pack.id(number)] == data
                seen.add(pack.id(number))
    assert seen == {*known}


@pytest.mark.parametrize("where", ["loose", "packed"])
def test_what_may_hold_a_secret_is_named(store, halves, where):
    """A secret lies where nobody looks: in a loose object, in the other process's half."""
    filled(store)
    ids = {
        by_hand(store, f"projects/{name}/project.yaml", f"name: {name}\nhost: {SECRET}\n") for name in ("web", "api")
    }
    if where == "packed":
        packed(store)
    assert looking.suspects(store.repo.gitdir, redact.BUILT_IN) == ids


def test_a_stores_own_rules_reach_the_other_process(store, halves):
    """What sbfs.yaml adds is looked for in half of the files only."""
    filled(store)
    packed(store)
    rules = redact.Rules(added=(("number", "Number [0-9]+"),))
    found = looking.suspects(store.repo.gitdir, rules)
    said = {id for id, data in blobs_of(store).items() if b"Number " in data}
    assert found is not None and said <= found


def test_a_copy_of_what_was_mended_is_still_named(store, tmp_path):
    """The inbox's copy was mended by hand; the outbox's, which Git keeps as a difference to the old one, was not."""
    filled(store)
    sent = mail(store, subject="Hello", message="text\n" * 50)
    paths = [path for path in git(store.root, "ls-files").split() if sent.id in path]
    for path in paths:
        file = store.root / path
        file.write_text(file.read_text().replace("text\n", f"text {SECRET}\n", 1))
    git(store.root, "commit", "-qam", "both")
    (inbox,) = (path for path in paths if "/inbox/" in path)
    by_hand(store, inbox, (store.root / inbox).read_text().replace(SECRET, "mended"))
    packed(store)
    made = bundles.export(store, all=True, output=tmp_path / "x.bundle")
    assert [one.path for one in made.secrets] == [path for path in paths if path != inbox]


def test_what_is_only_in_the_history_is_not_named(store, tmp_path):
    """A secret that was taken out is reported for ever."""
    filled(store)
    before = (store.root / "projects/web/project.yaml").read_text()
    by_hand(store, "projects/web/project.yaml", f"{before}host: {SECRET}\n")
    by_hand(store, "projects/web/project.yaml", before)
    packed(store)
    assert not bundles.export(store, all=True, output=tmp_path / "x.bundle").secrets


def test_what_cannot_be_read_in_order_is_left_to_git(store, tmp_path):
    """Half of the objects lie elsewhere, or a pack is of another form: nothing found is not nothing there."""
    filled(store)
    by_hand(store, "projects/web/project.yaml", f"name: web\nhost: {SECRET}\n")
    path = packed(store)
    listing = path.with_suffix(".idx")
    git(store.root, "-c", "pack.indexVersion=1", "index-pack", str(path))
    assert looking.suspects(store.repo.gitdir, redact.BUILT_IN) is None
    listing.unlink()
    git(store.root, "index-pack", str(path))
    assert looking.suspects(store.repo.gitdir, redact.BUILT_IN)
    (store.repo.gitdir / "objects/info/alternates").write_text(f"{tmp_path}\n")
    assert looking.suspects(store.repo.gitdir, redact.BUILT_IN) is None
    made = bundles.export(store, all=True, output=tmp_path / "x.bundle")
    assert [one.path for one in made.secrets] == ["projects/web/project.yaml"]


def test_a_damaged_pack_is_refused(store):
    """What cannot be inflated counts as clean."""
    filled(store)
    path = packed(store)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3 : len(raw) // 3 + 40] = b"\0" * 40
    path.chmod(0o644)
    path.write_bytes(raw)
    assert looking.suspects(store.repo.gitdir, redact.BUILT_IN) is None


# -- what is remembered ----------------------------------------------------------------------------


@pytest.fixture
def read_of(monkeypatch):
    """How many files an export of a store read to look for secrets, and what it found."""

    def export(store: Store, **keys) -> tuple[int, list[str]]:
        read: list[str] = []
        real = outgoing.bulk.blobs

        def blobs(repo, ids, **given):
            read.extend(wanted := [*ids])
            return real(repo, wanted, **given)

        def suspects(*given):
            read.append("everything")
            return

        with monkeypatch.context() as context:
            context.setattr(outgoing.bulk, "blobs", blobs)
            context.setattr(outgoing.looking, "suspects", suspects)
            keys.setdefault("all", "projects" not in keys)
            made = bundles.export(store, output=store.root.parent / "x", force=True, **keys)
        return len(read), [one.path for one in made.secrets]

    return export


def test_upkeep_looks_ahead(store, read_of, monkeypatch):
    """An export that waits for what could have been looked through before, or that overlooks what came since."""
    filled(store)
    assert not outgoing.look_ahead(store)
    monkeypatch.setattr("sbfs.upkeep.MUCH", 10)
    assert Shell(store.root)("upkeep").status == 0
    assert not outgoing.look_ahead(store)
    assert read_of(store) == (0, [])
    mail(store)
    assert read_of(store)[0] == 2
    path = "projects/web/project.yaml"
    by_hand(store, path, (store.root / path).read_text() + f"description: the key is {SECRET}\n")
    assert read_of(store) == (1, [path])


def test_a_secret_is_named_each_time_and_nothing_else_read_again(store, read_of):
    """A store with a secret is read whole for each export; or its secret named only once, or after it is gone."""
    filled(store)
    path = "projects/web/project.yaml"
    text = (store.root / path).read_text()
    by_hand(store, path, text + f"description: the key is {SECRET}\n")
    assert read_of(store)[1] == [path]
    assert read_of(store) == (1, [path])
    assert read_of(store, projects=["api"]) == (0, [])
    assert read_of(store, projects=["web"]) == (1, [path])
    by_hand(store, path, text + "description: none\n")
    assert read_of(store) == (1, [])
    by_hand(store, path, text + f"description: the key is {SECRET}\n")
    assert read_of(store)[1] == [path]


def test_a_part_that_was_looked_at_is_a_part_only(store, read_of):
    """What one export looked at is taken for all that the next one holds."""
    filled(store)
    path = "projects/api/project.yaml"
    by_hand(store, path, (store.root / path).read_text() + f"description: the key is {SECRET}\n")
    assert read_of(store, projects=["web"])[1] == []
    assert read_of(store)[1] == [path]


def test_each_copy_of_a_message_is_remembered(store, read_of):
    """A message with a secret that one export names at the sender, and the next, of the recipient alone, not at all."""
    people(store, "web", "api")
    sent = mail(store, message="the key is NOTHING\n")
    for path in sorted(file.relative_to(store.root).as_posix() for file in store.root.rglob(f"{sent.id}.yaml")):
        by_hand(store, path, (store.root / path).read_text().replace("NOTHING", SECRET))
    assert len(read_of(store)[1]) == 1
    for name in ("web", "api"):
        (found,) = read_of(store, projects=[name])[1]
        assert found.startswith(f"projects/{name}/")


def test_what_an_import_looked_at(store, tmp_path, read_of):
    """All of an imported store is read once more; or what lay there before passes for looked at."""
    filled(store)
    bundles.export(store, all=True, output=tmp_path / "y")
    with Store.init(tmp_path / "empty") as empty:
        bundles.import_(empty, path=tmp_path / "y", strategy="merge")
        assert read_of(empty) == (3, [])  # Settings and Git's own two.
    path = "projects/api/project.yaml"
    with Store.init(tmp_path / "other") as other:
        people(other, "api")
        by_hand(other, path, (other.root / path).read_text() + f"description: the key is {SECRET}\n")
        bundles.import_(other, path=tmp_path / "y", strategy="merge")
        assert read_of(other)[1] == [path]


@given(st.lists(st.tuples(st.sampled_from(["web", "api"]), st.booleans(), st.booleans()), min_size=2, max_size=6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_remembered_changes_nothing(tmp_path_factory, read_of, steps):
    """Any order of edits and exports: each names just the secrets that are in what it holds."""
    with Store.init(tmp_path_factory.mktemp("looked") / "store") as store:
        people(store, "web", "api")
        texts = {name: (store.root / f"projects/{name}/project.yaml").read_text() for name in ("web", "api")}
        held: set[str] = set()
        for number, (name, is_secret, is_whole) in enumerate(steps):
            path = f"projects/{name}/project.yaml"
            by_hand(store, path, f"{texts[name]}description: {SECRET if is_secret else 'none'} {number}\n")
            held = held | {path} if is_secret else held - {path}
            chosen = {} if is_whole else {"projects": [name]}
            expected = {one for one in held if is_whole or one == path}
            assert {*read_of(store, **chosen)[1]} == expected


WHOLE = {"projects": None, "words": ["mail"]}


@pytest.mark.parametrize(
    "trees",
    [
        {"a": 1},
        [5],
        [{"tree": "TREE", "chosen": WHOLE, "held": [5, None]}],
        [{"tree": "TREE", "chosen": WHOLE, "held": 5}],
        [{"tree": "TREE", "chosen": 5, "held": []}],
        [{"tree": "BLOB", "chosen": WHOLE, "held": []}],
        [{"tree": "zz", "chosen": WHOLE, "held": []}],
        [{"tree": "z" * 40, "chosen": WHOLE, "held": []}],
        [{"tree": 7, "chosen": WHOLE, "held": []}],
    ],
    ids=str,
)
def test_a_memory_that_is_damaged(store, read_of, trees):
    """A cache that may be deleted keeps exports from working."""
    filled(store)
    path = "projects/web/project.yaml"
    by_hand(store, path, (store.root / path).read_text() + f"description: the key is {SECRET}\n")
    raw = json.dumps({"rules": store.rules().version, "trees": trees})
    for name, revision in (("TREE", "HEAD^{tree}"), ("BLOB", f"HEAD:{path}")):
        raw = raw.replace(name, git(store.root, "rev-parse", revision).strip())
    for text in (raw, raw[:-9], "", "null"):
        (store.repo.gitdir / "sbfs" / "exported.json").write_text(text)
        assert read_of(store)[1] == [path]


def test_a_part_that_came_replaces_nothing(store, tmp_path, read_of):
    """All of a store is read once more since a project was imported into it."""
    people(store, "mine")
    assert read_of(store)[1] == []
    with Store.init(tmp_path / "other") as other:
        filled(other)
        bundles.export(other, all=True, output=tmp_path / "y")
    bundles.import_(store, path=tmp_path / "y", strategy="merge", only=["web"])
    assert read_of(store) == (0, [])


@pytest.mark.parametrize("error", [ValueError("bad"), KeyError("gone")])
def test_what_goes_wrong_ahead_is_not_the_end(store, error):
    """Names that end too early in the thread that asks for files: the rest passes unread, or the reader hangs."""
    filled(store)
    ids = [*blobs_of(store)]

    def named():
        for number in range(2000):
            if number == 1500:
                raise error
            yield str(number), ids[number % len(ids)]

    with pytest.raises(type(error)):
        sum(1 for _ in bulk.named_blobs(store.repo, named()))
