"""The store: reading at revisions, transactions, and people who edit and commit beside us."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers import (
    DAY,
    NOTE,
    add,
    assert_sound,
    assert_whole,
    change,
    commits,
    finish,
    git,
    hold_lock,
    ids,
    left_behind,
    note_path,
    run_git,
    spawn,
    stopped,
    wait_for,
    write_one,
)

from sbfs.errors import AlreadyExists, Ambiguous, Failed, Invalid, NotFound
from sbfs.kind import new_id
from sbfs.operation import Operation
from sbfs.store import Store, Transaction, checked_edit, commit_message, who

# -- reading ---------------------------------------------------------------------------------------


def test_the_store_as_it_was(store: Store, clock):
    """Breaks if an old revision showed what came later, or an unknown one were answered with the present."""
    add(store, "one")
    first = store.head()
    clock.forward(days=1)
    add(store, "two")
    assert [path for path, _ in store.view(first).walk(NOTE)] == [note_path("one")]
    for at in (first, first[:9], "HEAD~1", "main~1", "2026-11-22T20:00:00Z"):
        assert store.view(at).revision == first, at
    git(store.root, "tag", "-a", "-m", "a tag", "v1", first)
    assert store.view("v1").revision == first
    for at in ("HEAD~9", "nonsense", "f" * 40, "ffffff", "1999-01-01"):
        with pytest.raises(NotFound) as caught:
            store.view(at)
        assert caught.value.hint


def test_walk_is_newest_first_and_narrows(store: Store):
    """Breaks if days came out of order, a place that is given did not narrow, or other files were taken for records."""
    paths = [
        NOTE.path_of(date=day, id=id)
        for day, id in [("2026/01/31", "b"), ("2026/02/01", "a"), ("2025/12/31", "c"), ("2026/02/01", "d")]
    ]

    def build(change: Transaction) -> None:
        for path in paths:
            change.create(NOTE, path, {"id": NOTE.places(path)["id"], "text": "x"})
        for other in ("notes/2026/readme.yaml", "notes/2026/02/01/a.txt", "notes/2026/02/1/a.yaml", "other/a.yaml"):
            change.put_bytes(other, b"x: 1\n")

    store.write("note.add", build)
    view = store.view()
    assert [path for path, _ in view.walk(NOTE)] == sorted(paths, reverse=True)
    assert [path for path, _ in view.walk(NOTE, newest=False)] == sorted(paths)
    assert [path for path, _ in view.walk(NOTE, date="2026/02/01")] == [paths[3], paths[1]]
    assert [path for path, _ in view.walk(NOTE, id="c")] == [paths[2]]
    assert list(view.walk(NOTE, id=".")) == []
    assert all(view.find_id(path) == id for path, id in view.walk(NOTE))


def test_find_by_prefix(store: Store, clock):
    """Failure modes 27 and 37: a unique prefix finds, an ambiguous one lists, nothing is guessed.

    Breaks if the nearest record were taken where none, or several, fit.
    """
    made = []
    for _ in range(3):
        made.append(new_id("note", clock()))
        add(store, made[-1])
        clock.forward(days=40)
    add(store, "foreign")
    add(store, "foreign-2")
    view = store.view()
    for id in [*made, "foreign", "foreign-2"]:
        assert view.find((NOTE,), id, what="note") == [note_path(id)]
    assert view.find((NOTE,), made[0][:14], what="note") == [note_path(made[0])]
    assert view.find((NOTE,), "foreign-", what="note") == [note_path("foreign-2")]
    with pytest.raises(Ambiguous) as caught:
        view.find((NOTE,), "note-", what="note")
    assert caught.value.details["candidates"] == sorted(made)
    for nothing in ("note-ZZZ", "Foreign", "oreign", ".*", "foreign-3"):
        with pytest.raises(NotFound):
            view.find((NOTE,), nothing, what="note")


def test_an_unreadable_record_is_named(store: Store):
    """Breaks if one bad file, committed with plain Git, took the good ones with it."""
    path = add(store, "one")
    add(store, "two")
    (store.root / path).write_text("id: one\ntext: [unclosed\n")
    git(store.root, "commit", "-q", "-a", "-m", "by hand")
    with pytest.raises(Invalid) as caught:
        store.view().record(path)
    assert (caught.value.path, caught.value.line) == (path, 3)
    assert store.view().record(note_path("two")).data["text"] == "hello"
    add(store, "three")
    assert_sound(store.root)


# -- transactions ----------------------------------------------------------------------------------


def test_a_commit_reads_as_history(store: Store):
    """Subject, trailers, author and time. Breaks if a line end in a value could forge a trailer or an author."""

    def build(change: Transaction) -> None:
        change.put_bytes("a.txt", b"a")
        change.describe("A subject\n\nSbfs-Operation: forged " + "x" * 200, Ids="a\nSbfs-Ids: forged")

    store.write("note.add", build, actor="eve\n<eve@x>\ncommitter")
    raw = git(store.root, "cat-file", "commit", "main")
    assert raw.count("author ") == 1
    lines = git(store.root, "log", "-1", "--format=%B").splitlines()
    assert len(lines[0]) <= 100
    assert lines[1:4] == ["", "Sbfs-Operation: note.add", "Sbfs-Ids: a Sbfs-Ids: forged"]
    assert git(store.root, "log", "-1", "--format=%ad", "--date=iso-strict") == "2026-11-22T14:03:07+00:00"
    commit = store.view().commit
    assert commit.trailers["Sbfs-Operation"] == "note.add"
    assert_sound(store.root)


def test_actors(store: Store):
    """Breaks if a name could not be used as Git's author, or two forms of one name differed."""
    assert who("web") == "web <web@sbfs>"
    assert who("Pat Person <pat@example.org>") == "Pat Person <pat@example.org>"
    assert who("").startswith("sbfs <sbfs@")
    for actor in ("<>", "a <b> c", "ä ö", "x" * 300, "\0", "a\nb <c>"):
        assert who(actor).count("<") == who(actor).count(">") == 1
        assert "\n" not in who(actor)
        store.write("note", lambda change, actor=actor: change.put_bytes("a.txt", actor.encode() + b"."), actor=actor)
    assert_whole(store.root)


def test_subject_without_words():
    """Breaks if an empty subject made a commit without one."""
    assert commit_message(" \n ", "verb", {}) == "verb\n\nSbfs-Operation: verb\n"


def test_create_replace_remove(store: Store):
    """The life of a record.

    Breaks if a second one of its name were made, an unknown key lost or a removal forgotten.
    """
    add(store, "one", unknown={"deep": [1, 2]}, author="pat")
    with pytest.raises(AlreadyExists, match="note 'one'"):
        add(store, "one")
    change(store, "one", text="changed")
    record = store.view().record(note_path("one"))
    assert record.data == {"id": "one", "text": "changed", "unknown": {"deep": [1, 2]}, "author": "pat"}
    with pytest.raises(Invalid) as caught:
        change(store, "one", author="eve")
    assert (caught.value.field, caught.value.path) == ("author", note_path("one"))
    with pytest.raises(Invalid):
        change(store, "one", status="lost")
    head = store.head()
    store.write("note.remove", lambda change: change.remove(NOTE, note_path("one"), reason="old"))
    tombstone = store.view().record(note_path("one"))
    assert tombstone.removed
    assert tombstone.data == {"id": "one", "removed": "2026-11-22T14:03:07.123Z", "reason": "old"}
    with pytest.raises(NotFound):
        change(store, "one", text="again")
    add(store, "one", "reborn")
    assert store.view(head).record(note_path("one")).data["text"] == "changed"
    assert store.view().record(note_path("one")).data["text"] == "reborn"
    assert_sound(store.root)


def test_nothing_is_written_where_building_fails(store: Store):
    """Promise 6: bad input changes nothing. Breaks if the changes before the bad one were kept."""
    head = store.head()

    def build(change: Transaction) -> None:
        change.put_bytes("good.txt", b"good")
        change.create(NOTE, note_path("bad"), {"id": "bad"})

    with pytest.raises(Invalid) as caught:
        store.write("note.add", build)
    assert caught.value.field == "text"
    assert store.head() == head
    assert not (store.root / "good.txt").exists()


def test_a_transaction_sees_itself(store: Store):
    """Breaks if a record made in this transaction could be made twice, or not be changed before it is published."""
    seen = []

    def build(change: Transaction) -> None:
        record = change.create(NOTE, note_path("one"), {"id": "one", "text": "first"})
        with pytest.raises(AlreadyExists):
            change.create(NOTE, note_path("one"), {"id": "one", "text": "second"})
        change.replace(NOTE, record, record.data | {"text": "third"})
        seen.append(change.find(note_path("one")).data["text"])
        change.put_bytes("gone.txt", b"x")
        change.drop("gone.txt")

    store.write("note.add", build)
    assert seen == ["third"]
    assert store.view().record(note_path("one")).data["text"] == "third"
    assert not (store.root / "gone.txt").exists()
    assert commits(store.root) == 2


def test_secrets_do_not_reach_git(store: Store):
    """Promise 7. Breaks if a record's text, key or nested value went round the redaction."""
    secret = "gh" + "p_" + "a1B2" * 10
    add(store, "one", f"take {secret}", context={"list": [secret], secret: "as a key"})
    found = run_git(store.root, "grep", "-l", secret, "main")
    assert found.stdout == b""
    assert secret not in (store.root / note_path("one")).read_text()
    assert store.view().record(note_path("one")).data["text"] == "take [redacted:github-token:1]"


def test_limits(store: Store):
    """Breaks if a limit in sbfs.yaml were not heeded, or nonsense in it were."""
    assert store.limit("body") == 1024 * 1024
    settings = store.root / "sbfs.yaml"
    text = settings.read_text()
    settings.write_text(text + "limits: {body: 10}\n")
    git(store.root, "commit", "-q", "-a", "-m", "limits")
    assert (store.limit("body"), store.limit("attachment")) == (10, 25 * 1024 * 1024)
    settings.write_text(text + "limits: {body: many}\n")
    git(store.root, "commit", "-q", "-a", "-m", "limits")
    with pytest.raises(Invalid, match=r"limits\.body"):
        store.limit("body")


# -- hand edits ------------------------------------------------------------------------------------

BY_HAND = "# a note to self\nid: one\ntext: by hand # really\n\n# the end\n"


def test_hand_edit_is_saved_first(store: Store):
    """Failure mode 33: a valid edit of a file that a command is about to change becomes a commit of its own; the
    comments survive the command's own change.

    Breaks if either side's change were lost.
    """
    path = add(store, "one")
    (store.root / path).write_text(BY_HAND)
    change(store, "one", status="read")
    subjects = git(store.root, "log", "-3", "--format=%s").splitlines()
    assert subjects == ["Change one", f"Save the edit of {path}", "Note one"]
    assert git(store.root, "show", f"main~1:{path}") == BY_HAND.removesuffix("\n")
    now = (store.root / path).read_text()
    assert "# a note to self\n" in now
    assert "text: by hand # really\n" in now
    assert "status: read\n" in now
    assert "# the end" in now
    assert git(store.root, "show", f"main:{path}") + "\n" == now
    assert_sound(store.root)


@pytest.mark.parametrize(("text", "line"), [
    ("id: one\ntext: [unclosed\n", 3),
    ("id: one\ntext: a\ntext: b\n", 3),
    ("id: one\n<<<<<<< HEAD\ntext: a\n=======\ntext: b\n>>>>>>> other\n", 2),
    ("id: two\ntext: renamed\n", 1),
    ("id: one\n", None),
    ("id: one\ntext: a\nstatus: lost\n", 3),
    ("id: one\ntext: a\nauthor: somebody else\n", 3),
    ("- a list\n", 1),
])  # fmt: skip
def test_invalid_hand_edit_is_left_alone(store: Store, text: str, line: int | None):
    """Failure modes 26, 33, 34 and 35: an edit that cannot be kept is named with its line and left as it is; nobody
    else is kept from working.

    Breaks if it were overwritten, committed, or stopped other records' writers.
    """
    path = add(store, "one", author="pat")
    (store.root / path).write_text(text)
    with pytest.raises(Invalid) as caught:
        change(store, "one", status="read")
    assert caught.value.path == path
    if line:
        assert caught.value.line == line
        assert f"{path}:{line}" in caught.value.sentence
    assert (store.root / path).read_text() == text
    add(store, "two")
    assert git(store.root, "status", "--porcelain") == f" M {path}"
    assert left_behind(store.root) == []
    git(store.root, "checkout", "--", path)
    change(store, "one", status="read")
    assert_sound(store.root)


def test_edit_that_is_not_utf8(store: Store):
    """Failure mode 34. Breaks if it were a traceback."""
    path = add(store, "one")
    (store.root / path).write_bytes(b"id: one\ntext: caf\xe9\n")
    with pytest.raises(Invalid, match="UTF-8") as caught:
        change(store, "one", status="read")
    assert caught.value.line == 2


def test_edit_with_windows_line_ends_and_mark(store: Store):
    """Failure mode 34: CRLF and a byte order mark, as Windows editors write them, are unified.

    Breaks if `git status` then showed the file for ever.
    """
    path = add(store, "one")
    (store.root / path).write_bytes(b"\xef\xbb\xbfid: one\r\ntext: by hand\r\n")
    change(store, "one", status="read")
    assert (store.root / path).read_bytes() == b"id: one\ntext: by hand\nstatus: read\n"
    assert_sound(store.root)


def test_edit_with_a_secret(store: Store):
    """Promise 7: a person's edit passes the redaction too. Breaks if Git kept the secret for ever."""
    path, secret = add(store, "one"), "gh" + "p_" + "a1B2" * 10
    (store.root / path).write_text(f"id: one\ntext: token {secret}\n")
    change(store, "one", status="read")
    assert store.view().record(path).data["text"] == "token [redacted:github-token:1]"
    for commit in git(store.root, "rev-list", "main").split():
        assert run_git(store.root, "grep", secret, commit).stdout == b""
    assert_sound(store.root)


def test_edit_of_a_record_that_waits_in_the_queue(store: Store, tmp_path: Path):
    """Failure mode 33: the edit is found while another process holds the lock; the writer waits, and both are kept."""
    path = note_path("one")
    holder = spawn(hold_lock, store.root, tmp_path / "ready", tmp_path / "release")
    with stopped(holder):
        wait_for((tmp_path / "ready").exists)
        (store.root / path).parent.mkdir(parents=True)
        (store.root / path).write_bytes(b"id: one\r\ntext: by hand\r\n")
        writer = spawn(write_one, store.root, "one", tmp_path / "report")
        with stopped(writer):
            wait_for(lambda: list((store.root / ".git" / "sbfs" / "queue").glob("*.json")))
            (tmp_path / "release").touch()
            assert finish(holder, writer) == [0, 0]
    assert (tmp_path / "report").read_text() == "AlreadyExists: note 'one' already exists"
    assert store.view().record(path).data["text"] == "by hand"
    assert_sound(store.root)


def test_file_removed_by_hand(store: Store):
    """A deletion is an edit too: saved first, and then the command finds nothing. Breaks if the file came back."""
    path = add(store, "one")
    (store.root / path).unlink()
    with pytest.raises(NotFound):
        change(store, "one", status="read")
    assert ids(store) == []
    assert not (store.root / path).exists()
    assert git(store.root, "log", "-1", "--format=%s") == f"Save the edit of {path}"
    assert_sound(store.root)


def test_edits_of_other_files_are_left_alone(store: Store):
    """A command looks at the files it touches only. Breaks if it committed, or checked, the whole tree."""
    path = add(store, "one")
    (store.root / path).write_text(BY_HAND)
    (store.root / "draft.txt").write_text("a draft\n")
    add(store, "two")
    assert git(store.root, "status", "--porcelain").splitlines() == [f" M {path}", "?? draft.txt"]
    assert (store.root / path).read_text() == BY_HAND


def test_edit_that_says_what_the_command_says(store: Store):
    """Breaks if an edit equal to the command's own change were taken for a conflict."""
    path = add(store, "one")
    change(store, "one", text="same")
    git(store.root, "reset", "-q", "--soft", "HEAD~1")
    change(store, "one", text="same")
    assert store.view().record(path).data["text"] == "same"
    assert_sound(store.root)


def test_checked_edit_of_files_without_a_kind():
    """Breaks if a file that is no record were refused or changed."""
    raw = b"\x00\xff binary \r\n"
    assert checked_edit(None, "a.bin", raw, None) == raw
    assert checked_edit(None, "a.yaml", None, b"x") is None


# -- plain Git beside us ---------------------------------------------------------------------------


def test_git_add_and_commit_keep_every_record(store: Store):
    """Failure modes 31 and 51, the worst trap of the design: `git add other && git commit` right after our write.

    Breaks if Git's index lagged behind the branch: the person's commit would delete the record.
    """
    for number in range(4):
        add(store, f"n{number}")
        (store.root / "other.txt").write_text(f"{number}\n")
        git(store.root, "add", "other.txt")
        git(store.root, "commit", "-q", "-m", "a person's")
    assert ids(store) == ["n0", "n1", "n2", "n3"]
    assert commits(store.root) == 9
    assert git(store.root, "log", "--diff-filter=D", "--format=%H") == ""
    assert_sound(store.root)


def test_what_was_staged_stays_staged(store: Store):
    """Breaks if our commit swallowed what a person had staged, or unstaged it."""
    (store.root / "staged.txt").write_text("staged\n")
    git(store.root, "add", "staged.txt")
    add(store, "one")
    assert git(store.root, "status", "--porcelain") == "A  staged.txt"
    assert git(store.root, "ls-tree", "--name-only", "main", "staged.txt") == ""
    git(store.root, "commit", "-q", "-m", "a person's")
    assert ids(store) == ["one"]
    assert_sound(store.root)


def _other_branch(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "other")


def _detached(root: Path) -> None:
    git(root, "checkout", "-q", "--detach")


def _merge(root: Path) -> None:
    git(root, "checkout", "-q", "-b", "side", "HEAD~1")
    (root / note_path("one")).parent.mkdir(parents=True, exist_ok=True)
    (root / note_path("one")).write_text("id: one\ntext: on the side\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "side")
    git(root, "checkout", "-q", "main")
    assert run_git(root, "merge", "side").returncode == 1


def _cherry_pick(root: Path) -> None:
    _merge(root)
    git(root, "merge", "--abort")
    assert run_git(root, "cherry-pick", "side").returncode == 1


def _rebase(root: Path) -> None:
    _merge(root)
    git(root, "merge", "--abort")
    git(root, "checkout", "-q", "main")
    assert run_git(root, "rebase", "side").returncode == 1


def _revert(root: Path) -> None:
    (root / note_path("one")).write_text("id: one\ntext: later\n")
    git(root, "commit", "-q", "-a", "-m", "later")
    assert run_git(root, "revert", "--no-edit", "HEAD~1").returncode == 1


@pytest.mark.parametrize(("begin", "back"), [
    (_other_branch, ["checkout", "-q", "main"]),
    (_detached, ["checkout", "-q", "main"]),
    (_merge, ["merge", "--abort"]),
    (_cherry_pick, ["cherry-pick", "--abort"]),
    (_rebase, ["rebase", "--abort"]),
    (_revert, ["revert", "--abort"]),
], ids=lambda one: getattr(one, "__name__", "").strip("_"))  # fmt: skip
def test_writing_waits_for_what_a_person_has_under_way(store: Store, begin, back: list[str]):
    """Failure mode 31: another branch, a detached HEAD, a merge, rebase, cherry-pick or revert under way: reading goes
    on, writing says what is in the way and what to do, and works afterwards.

    Breaks if we committed into a half-done merge, or moved a branch under the person's feet.
    """
    add(store, "one")
    begin(store.root)
    status, head = git(store.root, "status", "--porcelain"), git(store.root, "rev-parse", "HEAD", "main")
    assert ids(store) == ["one"]
    with pytest.raises(Failed) as caught:
        add(store, "two")
    assert caught.value.hint
    assert git(store.root, "status", "--porcelain") == status
    assert git(store.root, "rev-parse", "HEAD", "main") == head
    git(store.root, *back)
    add(store, "two")
    assert ids(store) == ["one", "two"]
    assert_sound(store.root)


@pytest.mark.parametrize("deed", [
    ["revert", "--no-edit", "HEAD"],
    ["reset", "-q", "--hard", "HEAD~1"],
    ["commit", "-q", "--amend", "-m", "amended"],
    ["gc", "-q", "--prune=now"],
    ["repack", "-q", "-a", "-d"],
    ["pack-refs", "--all"],
    ["stash"],
    ["read-tree", "HEAD"],
    ["rm", "-q", "-r", "--cached", "notes"],
    ["prune"],
    ["reflog", "expire", "--expire=now", "--all"],
    ["branch", "-m", "main", "main"],
    ["switch", "-q", "-C", "main", "HEAD~1"],
], ids=lambda deed: " ".join(deed))  # fmt: skip
def test_whatever_git_did_we_take_it_from_there(store: Store, deed: list[str]):
    """Failure mode 31, promise 3: a person reverts, resets, amends, collects garbage … and the next write stands on it.

    Breaks if a Store that is open believed what it read before.
    """
    add(store, "one")
    path = add(store, "two")
    expected_gone = deed[0] in ("revert", "reset", "switch")
    git(store.root, *deed)
    if deed[0] == "rm":
        git(store.root, "reset", "-q")
    assert ids(store) == (["one"] if expected_gone else ["one", "two"])
    for number in range(3):
        add(store, f"later-{number}")
        change(store, "one", text=f"{number}")
    assert (store.root / path).exists() != expected_gone
    assert len(ids(store)) == 4 + (not expected_gone)
    with Store.open(store.root) as fresh:
        assert ids(fresh) == ids(store)
    assert_sound(store.root)


def test_a_clone_is_a_store(store: Store, tmp_path: Path):
    """Breaks if a store lived on what does not travel: configuration, or anything under `.git/sbfs`."""
    add(store, "one")
    git(tmp_path, "clone", "-q", str(store.root), "clone")
    with Store.open(tmp_path / "clone") as clone:
        assert ids(clone) == ["one"]
        add(clone, "two")
    assert_sound(tmp_path / "clone")


def test_everything_under_git_sbfs_may_be_deleted(store: Store):
    """Promise 1. Breaks if a lock or cache held anything that is not in the files."""
    import shutil

    add(store, "one")
    shutil.rmtree(store.root / ".git" / "sbfs")
    assert ids(store) == ["one"]
    add(store, "two")
    with Store.open(store.root) as fresh:
        assert ids(fresh) == ["one", "two"]
    assert_sound(store.root)


def test_many_writes_keep_packs_few(store: Store):
    """Failure mode 45: a pack a write, joined as they grow in number, while another reader keeps its packs open.

    Breaks if packs piled up, or a joined pack were still needed by somebody.
    """
    with Store.open(store.root) as reader:
        for number in range(60):
            add(store, f"n{number:02}")
            assert len(ids(reader)) == number + 1
            assert reader.view().record(note_path(f"n{number:02}")).data["text"] == "hello"
        reader.view("HEAD~50")
    assert len(list((store.root / ".git" / "objects" / "pack").glob("*.pack"))) < 40
    assert not list((store.root / ".git" / "objects" / "pack").glob("tmp_*"))
    assert_sound(store.root)


def test_the_library_reads_no_environment(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Breaks if Git's or our variables, or the working directory, changed what a Store does."""
    other = tmp_path / "other"
    with Store.init(other) as second:
        add(second, "theirs")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("SBFS_STORE", str(other))
    monkeypatch.chdir(other)
    add(store, "ours")
    assert ids(store) == ["ours"]
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name)
    assert_sound(store.root)
    assert_sound(other)
    assert os.listdir(other / "notes" / DAY) == ["theirs.yaml"]


def test_operations_are_named_by_time(store: Store):
    """Breaks if an operation's id did not sort by time, or its moment were not the clock's."""
    change = Transaction(store, store.view(), "verb")
    change.put_bytes("a.txt", b"a")
    operation = change.operation()
    assert isinstance(operation, Operation)
    assert operation.id.startswith("op-")
    assert operation.when == store.clock()
