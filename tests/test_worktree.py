"""People's edits: what `status` says of them, what `save` makes of them, and mail written by hand."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from domain_helpers import SECRET, amid, few, mail, path_of, people, put, received, snapshot
from helpers import assert_sound, commits, git
from hypothesis import given
from hypothesis import strategies as st

from sbfs import doctor, history, messages, projects, worktree
from sbfs.git.worktree import differing
from sbfs.record import Record
from sbfs.store import Store

HAND = "to_project: api\nsubject: By hand\ncontent: {message: Hello}\n"
OUTBOX = "projects/web/outbox/note.yaml"


@pytest.fixture
def post(store: Store) -> Store:
    """A store with three projects."""
    people(store, "web", "api", "docs")
    return store


def without_git(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on there is no Git on this machine."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    monkeypatch.setenv("PATH", str(empty))
    assert shutil.which("git") is None


def states(store: Store) -> dict[str, str]:
    """path → state, of all unsaved edits."""
    return {edit.path: edit.state for edit in worktree.edits(store)}


# -- status ----------------------------------------------------------------------------------------


def test_status_tells_what_the_store_is_and_what_is_unsaved(post):
    """An edit that status hides, invents, or gives another state."""
    assert worktree.status(post).edits == ()
    message = mail(post)
    changed = post.root / path_of(message)
    changed.write_text(changed.read_text() + "mine: 1\n")
    (post.root / path_of(message, "outbox")).unlink()
    put(post, "groups/team.yaml", "name: team\nprojects: [web]\ncreated: 2026-01-01\n")
    put(post, "notes.txt", "mine")
    put(post, "projects/web/nonsense.txt", "x")
    found = {edit.path: (edit.state, edit.kind, edit.valid) for edit in worktree.status(post).edits}
    assert found == {
        path_of(message): ("changed", "message", True),
        path_of(message, "outbox"): ("deleted", "message", True),
        "groups/team.yaml": ("added", "group", True),
        "notes.txt": ("added", "other", True),
        "projects/web/nonsense.txt": ("added", "", False),
    }
    status = worktree.status(post)
    assert (status.projects, status.branch, status.subject) == (3, "main", "web → api: Build is red")


def test_status_writes_nothing(post):
    """A look at the store that changes it, or Git's index, or mints an id for mail that is not saved."""
    put(post, OUTBOX, HAND)
    before = snapshot(post.root), post.head()
    worktree.status(post)
    assert (snapshot(post.root), post.head()) == before


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["write", "delete", "touch", "same", "mode", "stage", "link", "rename", "litter", "ignored"]),
        st.sampled_from(["sbfs.yaml", "projects/web/project.yaml", "projects/api/project.yaml", "new.txt",
                         "projects/web/a b.txt", "deep/ünï/x.yaml", "projects/web/outbox/n.yaml", ".gitignore"]),
        st.binary(max_size=6),
    ),
    max_size=6,
)  # fmt: skip


@few
@given(edits=EDITS)
def test_with_and_without_git_the_answer_is_the_same(tmp_path_factory, edits):
    """A machine without Git, or where Git refuses the folder, that sees other edits (failure mode 48)."""
    folder = tmp_path_factory.mktemp("same")
    with Store.init(folder / "s") as store, pytest.MonkeyPatch.context() as patch:
        people(store, "web", "api")
        for act, path, data in edits:
            file = store.root / path
            if act in ("write", "stage", "litter", "ignored"):
                path = {"litter": f"{path}~", "ignored": f"{path}.tmp"}.get(act, path)
                if (store.root / path).is_symlink():
                    continue
                put(store, path, data)
                if act == "stage":
                    git(store.root, "add", "-A")
            elif file.is_symlink() or file.is_file():
                if act == "delete":
                    file.unlink()
                elif act == "touch":
                    os.utime(file, ns=(1, 1), follow_symlinks=False)
                elif act == "same" and not file.is_symlink():
                    file.write_bytes(file.read_bytes())
                elif act == "mode" and not file.is_symlink():
                    file.chmod(0o755)
                elif act == "link":
                    file.unlink()
                    file.symlink_to("nowhere")
                elif act == "rename":
                    file.rename(file.with_name("renamed.yaml"))
        tree = store.view().commit.tree
        with_git, listed = states(store), differing(store.repo, tree)
        assert {*with_git} <= {*listed}
        without_git(patch, folder)
        assert states(store) == with_git
        assert {*with_git} <= {*differing(store.repo, tree)} <= {*listed} | {*with_git}


def test_editor_litter_is_no_edit(post):
    """What editors and the system leave is taken for records, saved, or blocks a save (failure mode 35, GP-4)."""
    for name in (".project.yaml.swp", "project.yaml~", "project.tmp", ".DS_Store", "#project.yaml#", ".#project.yaml",
                 "project.yaml.orig", "Thumbs.db", ".project.yaml.4711.0123456789ab~"):  # fmt: skip
        put(post, f"projects/web/{name}", "litter")
    assert worktree.status(post).edits == ()
    assert worktree.save(post) == worktree.Saved((), (), ())
    put(post, OUTBOX, HAND)
    assert len(worktree.save(post).delivered) == 1
    assert received(post, "api")


# -- save ------------------------------------------------------------------------------------------


def test_a_save_is_one_commit_of_what_is_valid(post):
    """A save that is several commits, stops at an invalid file, or takes files that are none of the store's."""
    put(post, "projects/web/project.yaml", (post.root / "projects/web/project.yaml").read_text() + "alias: W # mine\n")
    put(post, "groups/team.yaml", "name: team\nprojects: [web, api]\ncreated: 2026-11-22\n")
    put(post, "projects/api/project.yaml", "name: [\n")
    put(post, "notes.txt", "mine")
    before = commits(post.root)
    saved = worktree.save(post, note="By hand", actor="Pat <pat@example.org>")
    assert {edit.path for edit in saved.saved} == {"projects/web/project.yaml", "groups/team.yaml"}
    assert [(edit.path, edit.line) for edit in saved.invalid] == [("projects/api/project.yaml", 2)]
    assert saved.others == ("notes.txt",)
    assert commits(post.root) == before + 1
    (last,) = history.log(post, limit=1).items
    assert (last.subject, last.actor, last.operation) == ("By hand", "Pat", "save")
    assert git(post.root, "status", "--porcelain").splitlines() == [" M projects/api/project.yaml", "?? notes.txt"]
    assert projects.show(post, project="web").alias == "W"
    assert "alias: W # mine" in (post.root / "projects/web/project.yaml").read_text()
    assert commits(post.root) == (worktree.save(post), commits(post.root))[1]


def test_an_edit_brings_updated_along(post, clock):
    """A hand edit that a merge would take for older than it is: `updated` stays what it was (GP-6)."""
    clock.forward(days=1)
    file = put(post, "projects/web/project.yaml", (post.root / "projects/web/project.yaml").read_text() + "alias: W\n")
    worktree.save(post)
    assert Record.parse("a.yaml", file.read_bytes()).data["updated"] == "2026-11-23T14:03:07.123Z"
    assert projects.show(post, project="web").updated == clock()
    file.write_text(file.read_text().replace("updated: 2026-11-23T14:03:07.123Z", "updated: 2026-11-30T00:00:00Z"))
    worktree.save(post)
    assert "updated: 2026-11-30T00:00:00Z" in file.read_text(), "what a person wrote is kept"


def test_a_deleted_file_is_saved_as_deleted(post):
    """A record that a person removed and `save` brings back, or that blocks what comes after."""
    message = mail(post)
    (post.root / path_of(message)).unlink()
    assert [edit.state for edit in worktree.save(post).saved] == ["deleted"]
    assert received(post) == []
    assert messages.show(post, message_id=message.id).box == "outbox"
    assert_sound(post.root)


def test_secrets_are_taken_out_on_save_and_reported(post):
    """A token in a hand-written file that reaches Git, in a value or in a comment (promise 7)."""
    file = put(
        post, "projects/web/project.yaml",
        (post.root / "projects/web/project.yaml").read_text() + f"description: my {SECRET} # {SECRET}\n",
    )  # fmt: skip
    put(post, OUTBOX, HAND.replace("Hello", SECRET))
    saved = worktree.save(post)
    assert saved.invalid == ()
    assert saved.redacted == {"github-token": 3}
    assert SECRET not in git(post.root, "log", "-p", "main")
    assert SECRET not in file.read_text()
    assert "description: my [redacted:github-token:1]  # [redacted:github-token:1]" in file.read_text()
    assert_sound(post.root)


@pytest.mark.parametrize(
    "description",
    [
        "description: |\n  -----BEGIN PRIVATE KEY-----\n  xyzzy\n",
        'description: "-----BEGIN PRIVATE KEY-----\n  xyzzy"\n',
        "description: |\n  -----BEGIN PRIVATE KEY-----\n  xyzzy\n  -----END PRIVATE KEY-----\n  more\n",
        "# -----BEGIN PRIVATE KEY-----\n# xyzzy\ndescription: x\n",
    ],
)
def test_what_is_taken_out_never_breaks_the_record(post, description):
    """A key without its end, whose removal takes the following fields along, or leaves a file that is no YAML."""
    file = post.root / "projects/web/project.yaml"
    first, rest = file.read_text().split("\n", 1)
    put(post, "projects/web/project.yaml", f"{first}\n{description}{rest}")
    saved = worktree.save(post)
    assert len(saved.saved) + len(saved.invalid) == 1
    assert projects.show(post, project="web").created == post.clock()
    assert "xyzzy" not in git(post.root, "log", "-p", "main")
    if saved.saved:
        assert saved.redacted
        assert [one.name for one in projects.list(post).items] == ["api", "docs", "web"]
    else:
        assert file.read_text() == f"{first}\n{description}{rest}", "refused, and left as it is"


def test_a_key_in_a_comment_takes_no_field_along(post):
    """A key in comments, whose removal drops the optional fields in between without a word."""
    file = post.root / "projects/web/project.yaml"
    text = file.read_text() + "# -----BEGIN PRIVATE KEY-----\nalias: Keep\n# MIIEvQ\n# -----END PRIVATE KEY-----\n"
    put(post, "projects/web/project.yaml", text)
    (edit,) = worktree.save(post).invalid
    assert "secret" in edit.error
    assert file.read_text() == text
    assert projects.show(post, project="web").alias == ""


def test_a_save_amid_other_writers_takes_both(post):
    """A save that loses what another wrote meanwhile, or its own edit."""
    put(post, OUTBOX, HAND)
    saved = worktree.save(amid(post, lambda: mail(post, subject="Meanwhile")))
    assert len(saved.delivered) == 1
    assert sorted(one.message.subject for one in messages.list(post, project="api").items) == ["By hand", "Meanwhile"]
    assert_sound(post.root)


def test_misplaced_files_are_named_and_can_be_put_right(post):
    """A record in the wrong place that is saved, or, once Git has it, can never be got rid of (failure mode 49)."""
    put(post, "projects/web/inbox/msg.yaml", "id: msg\n")
    assert [(edit.path, edit.valid) for edit in worktree.status(post).edits] == [("projects/web/inbox/msg.yaml", False)]
    assert worktree.save(post).saved == ()
    git(post.root, "add", "-A")
    git(post.root, "commit", "-qm", "by Git")
    assert [finding.code for finding in doctor.check(post).findings] == ["misplaced"]
    (post.root / "projects/web/inbox/msg.yaml").unlink()
    worktree.save(post)
    assert doctor.check(post).findings == ()
    assert_sound(post.root)


# -- mail by hand ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        HAND,
        HAND.replace("{message: Hello}", "Hello"),
        HAND.replace("{message: Hello}", "|\n  Hello"),
        HAND.replace("\n", "\r\n"),
        "\ufeff" + HAND,
        HAND + "priority:\nstatus: unread\ntimestamp:\nid:\nthread:\nin_reply_to:\n",
        HAND + "priority: normal\nfrom_project: web\n",
        "# to my friends\n" + HAND,
    ],
)
def test_mail_written_by_hand_is_completed_and_delivered(post, text):
    """A message that a person left in an outbox: refused for what could be filled in, or not delivered."""
    put(post, OUTBOX, text)
    saved = worktree.save(post)
    assert (saved.invalid, len(saved.delivered)) == ((), 1)
    shown = messages.show(post, message_id=saved.delivered[0])
    message = shown.message
    assert (message.from_project, message.to_project, message.subject) == ("web", "api", "By hand")
    assert (message.body.strip(), message.status, message.priority) == ("Hello", "unread", "normal")
    assert (message.timestamp, message.thread) == (post.clock(), message.id)
    assert not (post.root / OUTBOX).exists()
    sent = (post.root / path_of(message, "outbox")).read_text()
    assert "\r" not in sent
    assert ("# to my friends" in sent) == ("# to my friends" in text)
    assert "status" not in sent
    assert received(post) == received(post, "web", box="outbox") == [message.id]
    assert history.log(post, limit=1).items[0].operation == "save"
    assert_sound(post.root)
    assert doctor.check(post).findings == ()


def test_mail_by_hand_keeps_what_it_says_itself(post):
    """An id, a time or unknown keys that a person gave, overwritten by what would be filled in."""
    put(
        post, "projects/web/outbox/x/y.yaml",
        HAND + "id: mine-1\ntimestamp: 2026-01-02T03:04:05Z\npriority: urgent\nx_ticket: 17\nin_reply_to: other\n",
    )  # fmt: skip
    assert worktree.save(post).delivered == ("mine-1",)
    shown = messages.show(post, message_id="mine-1")
    assert shown.path == "projects/api/inbox/2026/01/02/mine-1.yaml"
    message = shown.message
    assert (message.priority, message.extra, message.in_reply_to) == ("urgent", {"x_ticket": 17}, "other")


def test_mail_by_hand_can_be_held_back(post, clock):
    """`deliver_at` by hand that delivers at once."""
    put(post, OUTBOX, HAND + "deliver_at: 2026-11-25T00:00:00Z\n")
    assert len(worktree.save(post).delivered) == 1
    assert received(post) == []
    clock.forward(days=3)
    assert len(received(post)) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HAND.replace("to_project: api\n", ""), "to_project"),
        (HAND.replace("api", "nobody"), "nobody"),
        (HAND.replace("api", "[api, docs]"), "to_project"),
        (HAND.replace("api", "5"), "to_project"),
        (HAND.replace("subject: By hand\n", ""), "subject"),
        (HAND.replace("By hand", '" "'), "subject"),
        (HAND.replace("By hand", "5"), "subject"),
        (HAND.replace("{message: Hello}", "{}"), "content"),
        (HAND.replace("{message: Hello}", "{text: Hello}"), "content.message"),
        (HAND.replace("{message: Hello}", "[Hello]"), "content"),
        (HAND.replace("{message: Hello}", "5"), "content"),
        (HAND.replace("{message: Hello}", "{message: 5}"), "content.message"),
        (HAND.replace("{message: Hello}", "{message: x, type: alert}"), "content.type"),
        (HAND.replace("{message: Hello}", "{message: x, attachments: [1]}"), "content.attachments"),
        (HAND.replace("{message: Hello}", "{message: x, context: [1]}"), "content.context"),
        (HAND + "from_project: docs\n", "whose outbox"),
        (HAND + "priority: asap\n", "priority"),
        (HAND + "id: ../../x\n", "id"),
        (HAND + "id: 5\n", "id"),
        (HAND + "timestamp: soon\n", "timestamp"),
        (HAND + "timestamp: 5\n", "timestamp"),
        (HAND + "timestamp: 0001-01-01T00:00:00+14:00\n", "timestamp"),
        (HAND + "deliver_at: soon\n", "deliver_at"),
        (HAND + "thread: 5\n", "thread"),
        (HAND + "forwarded_from: me\n", "forwarded_from"),
        (HAND + "subject: twice\n", "subject"),
        (HAND + "a: [\n", ""),
        ("", ""),
        ("just text", ""),
        ("\t- x", ""),
    ],
)
def test_mail_by_hand_that_cannot_be_sent_is_named_and_left(post, text, says):
    """A slip in a hand-written message that ends in a crash, is sent all the same, or keeps others from working."""
    file = put(post, OUTBOX, text)
    good = put(post, "projects/docs/outbox/good.yaml", HAND)
    (bad,) = [edit for edit in worktree.status(post).edits if not edit.valid]
    assert bad.path == OUTBOX
    saved = worktree.save(post)
    assert (len(saved.delivered), [edit.path for edit in saved.invalid]) == (1, [OUTBOX])
    assert says in saved.invalid[0].error + saved.invalid[0].hint
    assert file.read_text() == text
    assert not good.exists()
    assert len(received(post)) == 1


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["api", "x", "", "web", "2026-01-01", "../x"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["message", "type", "a"]), inner, max_size=2)
    ),
    max_leaves=4,
)
FIELDS = ["id", "to_project", "from_project", "subject", "content", "timestamp", "deliver_at", "priority", "status",
          "thread", "in_reply_to", "forwarded_from", "from_alias", "removed", "context"]  # fmt: skip


def test_no_file_in_an_outbox_can_stop_a_save(post):
    """Whatever a person, or a broken program, leaves in an outbox: a traceback instead of a name and a reason."""
    numbers = iter(range(1, 10_000))

    @few
    @given(st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=6), st.booleans())
    def check(data: dict, placed: bool) -> None:
        good = {"to_project": "api", "subject": "s", "content": {"message": "m"}}
        folder = "2026/11/22/" if placed else ""
        file = put(post, f"projects/web/outbox/{folder}n{next(numbers)}.yaml", Record.make("a.yaml", good | data).raw)
        before = post.head()
        status = worktree.status(post)
        saved = worktree.save(post)
        assert [edit.valid for edit in status.edits] == [bool(saved.saved)]
        assert (post.head() != before) == bool(saved.saved)
        assert file.exists() or saved.saved
        if not saved.saved:
            file.unlink()
        messages.list(post, project="api")
        messages.list(post, project="web", box="outbox")

    check()
    assert doctor.check(post).findings == ()
    assert_sound(post.root)


def test_a_copied_file_is_no_second_message(post):
    """Two files with one id: sent twice, or the second takes the place of the first (failure mode 35)."""
    message = mail(post)
    text = (post.root / path_of(message, "outbox")).read_bytes()
    before = post.head()
    copies = [
        "projects/web/outbox/copy.yaml",
        path_of(message, "outbox").replace(".yaml", " (copy).yaml"),
        "projects/docs/outbox/copy.yaml",
        path_of(message, "outbox", "docs"),
        path_of(message, "inbox", "docs").replace(".yaml", " 2.yaml"),
    ]
    for path in copies:
        put(post, path, text)
    saved = worktree.save(post)
    assert (saved.saved, saved.delivered, post.head()) == ((), (), before)
    left = {edit.path for edit in worktree.status(post).edits if not edit.valid}
    assert left == {*copies}
    assert received(post) == [message.id]


def test_a_file_renamed_by_hand_is_named(post):
    """A record whose file has another name than its id, taken as it is (failure mode 35)."""
    message = mail(post)
    file = post.root / path_of(message)
    file.rename(file.with_name("msg-renamed.yaml"))
    moved = post.root / "projects/other/project.yaml"
    moved.parent.mkdir()
    (post.root / "projects/docs/project.yaml").rename(moved)
    found = {edit.path: (edit.state, edit.valid) for edit in worktree.status(post).edits}
    assert found == {
        path_of(message): ("deleted", True),
        path_of(message).replace(message.id, "msg-renamed"): ("added", False),
        "projects/docs/project.yaml": ("deleted", True),
        "projects/other/project.yaml": ("added", False),
    }


def test_links_are_refused(post, tmp_path):
    """A link that a person puts for a record: followed out of the store, or kept."""
    outside = tmp_path / "outside.yaml"
    outside.write_text(HAND)
    (post.root / "projects/web/outbox").mkdir(parents=True)
    (post.root / OUTBOX).symlink_to(outside)
    (edit,) = worktree.status(post).edits
    assert (edit.path, edit.valid) == (OUTBOX, False)
    assert worktree.save(post).saved == ()
    assert outside.read_text() == HAND
    assert (post.root / OUTBOX).is_symlink()


def test_a_thousand_by_hand_are_one_commit(post):
    """Many files written by a program: a commit each, or some forgotten."""
    for number in range(1000):
        put(post, f"projects/web/outbox/{number}.yaml", HAND.replace("By hand", f"n{number}"))
    before = commits(post.root)
    assert len({*worktree.save(post).delivered}) == 1000
    assert commits(post.root) == before + 1
    assert messages.count(post, project="api", unread=True) == messages.list(post, project="api", limit=1).total == 1000
    assert_sound(post.root)
