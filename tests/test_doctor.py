"""Looking a store over: each finding is provoked, and mended or told how; then the check is green again."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from domain_helpers import mail, path_of, people, put, received, snapshot
from helpers import assert_sound, commits, git

from sbfs import doctor, history, messages, projects, search, worktree
from sbfs.store import Store

OLD = time.time() - 3600


@pytest.fixture
def post(store: Store, tmp_path: Path) -> Store:
    """A store with three projects, a message with an attachment, and an answer."""
    people(store, "web", "api", "docs")
    file = tmp_path / "report.txt"
    file.write_text("report")
    message = mail(store, attach=[file])
    messages.reply(store, message_id=message.id, message="thanks")
    return store


def codes(store: Store, *, fix: bool = False) -> list[tuple[str, bool]]:
    """(code, whether it was mended) of all findings; each says what it is and what to do."""
    checked = doctor.check(store, fix=fix)
    for finding in checked.findings:
        assert finding.what
        assert finding.remedy or finding.fixed, finding
        assert not (finding.fixed and finding in checked.left)
    return [(finding.code, finding.fixed) for finding in checked.findings]


def aged(file: Path) -> Path:
    """The file, as if it had lain there for an hour."""
    os.utime(file, (OLD, OLD))
    return file


def test_a_healthy_store_is_green_and_untouched(post):
    """A check that finds something in a store that is well (failure mode 49), or writes."""
    before = snapshot(post.root), post.head()
    checked = doctor.check(post)
    assert (checked.findings, checked.records) == ((), 8)
    assert doctor.check(post, fix=True).findings == ()
    assert before == (snapshot(post.root), post.head())


def test_every_verb_leaves_the_check_green(post, clock):
    """Ordinary use that the check takes for damage: renames, removals, projects made anew (failure mode 49, GP-8)."""
    message = messages.list(post, project="api").items[0].message
    for act in (
        lambda: messages.remove(post, message_id=message.id, box="inbox"),
        lambda: mail(post, to="docs", deliver_at="next friday"),
        lambda: mail(post, sender="web", to="web"),
        lambda: messages.forward(post, original_message_id=received(post, "web")[0], to_project=["api", "docs"]),
        lambda: projects.rename(post, project="web", name="site"),
        lambda: mail(post, sender="site"),
        lambda: projects.rename(post, project="site", name="web"),
        lambda: projects.remove(post, project="api"),
        lambda: projects.add(post, name="api"),
        lambda: mail(post, to="api"),
        lambda: mail(post, sender="api", to="docs"),
        lambda: history.undo(post),
        lambda: worktree.save(post),
    ):
        clock.forward(hours=1)
        act()
        assert codes(post) == []


@pytest.mark.parametrize(
    "name",
    ["index.lock", "HEAD.lock", "refs/heads/main.lock", "config.lock", "packed-refs.lock", "objects/pack/tmp_pack_x1",
     "sbfs/catalog/.x.json.1.0123456789ab~", "sbfs/queue/op-dead.json"],
)  # fmt: skip
def test_what_killed_programs_left_is_taken_away(post, name):
    """A stale lock of a killed git that blocks every writer for ever, or a young one that is stolen (GP-3)."""
    lock = post.root / ".git" / name
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_bytes(b"")
    assert codes(post) == [], "young: somebody may be at work"
    aged(lock)
    code = "stale-lock" if name.endswith(".lock") else "left-over"
    if Path("/proc/self/fd").exists():  # Only there does the system tell who has a file open.
        with open(lock):
            assert codes(post) == [], "old, but a process has it open"
    assert codes(post) == [(code, False)]
    assert lock.exists()
    assert codes(post, fix=True) == [(code, True)]
    assert not lock.exists()
    assert codes(post) == []
    mail(post)


def test_left_over_temporary_files_are_taken_away(post):
    """The rest of a write that was killed, kept for ever, or taken for a record (GP-4)."""
    file = aged(put(post, "projects/web/.project.yaml.4711.0123456789ab~", "half"))
    mine = aged(put(post, "projects/web/notes~", "a person's"))
    assert codes(post) == [("left-over", False)]
    assert codes(post, fix=True) == [("left-over", True)]
    assert (file.exists(), mine.exists()) == (False, True)


def test_the_folder_of_a_killed_founder_is_taken_away(post):
    """Breaks if a half-made repository that a killed `init` left stayed for ever."""
    left = post.root / ".git.new.4242.0123456789ab~"
    (left / "objects").mkdir(parents=True)
    (left / "HEAD").write_text("ref: refs/heads/main\n")
    os.utime(left, (1, 1))
    assert codes(post, fix=True) == [("left-over", True)]
    assert not left.exists()


def test_lost_settings_of_git_come_back(post):
    """A clone whose Git would change line ends or throw objects away."""
    git(post.root, "config", "core.autocrlf", "true")
    assert codes(post) == [("configuration", False)]
    assert codes(post, fix=True) == [("configuration", True)]
    assert git(post.root, "config", "core.autocrlf") == "false"
    assert codes(post) == []


@pytest.mark.parametrize("path", [".gitattributes", ".gitignore"])
def test_lost_lines_come_back_and_own_lines_stay(post, path):
    """Attributes that a person removed, so that a merge writes markers into records (GP-9)."""
    file = post.root / path
    lines = file.read_text().splitlines()
    file.write_text("# mine\n" + "\n".join(lines[3:]))
    worktree.save(post)
    git(post.root, "commit", "-qam", "mine", "--allow-empty")
    assert codes(post) == [("attributes", False)]
    assert codes(post, fix=True) == [("attributes", True)]
    assert file.read_text().startswith("# mine\n")
    assert {line for line in lines if not line.startswith("#")} <= {*file.read_text().splitlines()}
    assert codes(post) == []
    assert_sound(post.root)


def test_git_work_under_way_is_told(post):
    """A store in the middle of a person's merge, or on another branch, called well."""
    git(post.root, "checkout", "-qb", "side")
    assert codes(post) == [("other-branch", False)]
    git(post.root, "checkout", "-q", "--detach", "main")
    assert codes(post) == [("detached", False)]
    git(post.root, "checkout", "-q", "main")
    (post.root / ".git/MERGE_HEAD").write_text(post.head() + "\n")
    assert ("unfinished", False) in codes(post)
    (post.root / ".git/MERGE_HEAD").unlink()
    assert codes(post) == []


def test_an_index_that_is_behind_is_brought_along(post):
    """An index that would delete records with the next `git commit` (GP-10, failure mode 51)."""
    message = received(post)[0]
    git(post.root, "rm", "-q", "--cached", path_of(messages.show(post, message_id=message).message))
    assert codes(post) == [("index", False)]
    assert codes(post, fix=True) == [("index", True)]
    assert codes(post) == []
    assert_sound(post.root)
    (post.root / ".git/index").write_bytes(b"DIRC garbage")
    assert {code for code, _ in codes(post)} & {"index", "objects"}
    codes(post, fix=True)
    assert codes(post) == []
    assert_sound(post.root)


def test_what_a_person_staged_is_theirs(post):
    """A fix that takes a person's staged change out of the index."""
    file = post.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + "alias: W\n")
    git(post.root, "add", "-A")
    assert codes(post, fix=True) == []
    assert git(post.root, "status", "--porcelain") == "M  projects/web/project.yaml"


def test_invalid_records_are_named_with_their_line(post):
    """A record that Git brought in and nobody can read, not named or named without its line."""
    put(post, "projects/docs/project.yaml", "name: docs\ncreated: soon\n")
    git(post.root, "commit", "-qam", "bad")
    (finding,) = doctor.check(post).findings
    assert (finding.code, finding.path, finding.line) == ("invalid", "projects/docs/project.yaml", 2)
    assert codes(post, fix=True) == [("invalid", False)]
    put(post, "projects/docs/project.yaml", "name: docs\ncreated: 2026-01-01\n")
    worktree.save(post)
    assert codes(post) == [], "the remedy works"
    put(post, "projects/docs/project.yaml", "name: [\n")
    git(post.root, "commit", "-qam", "worse")
    put(post, "projects/docs/project.yaml", "name: docs\ncreated: 2026-01-01\n")
    worktree.save(post)
    assert codes(post) == [], "the remedy works where nothing could be read, too"


def test_unreadable_mail_is_not_delivered_again(post):
    """A received copy that cannot be read, taken for one that is missing: the fix would fail or double it."""
    message = mail(post)
    put(post, path_of(message), "id: [\n")
    git(post.root, "commit", "-qam", "bad")
    assert codes(post, fix=True) == [("invalid", False)]


def test_invalid_edits_and_misplaced_files_are_named(post):
    """Unsaved trouble that check does not see, or calls saved."""
    put(post, "projects/docs/project.yaml", "name: [\n")
    put(post, "projects/docs/inbox/x.yaml", "x: 1\n")
    assert codes(post) == [("edit", False), ("edit", False)]
    remedies = {finding.path: finding.remedy for finding in doctor.check(post).findings}
    assert "git checkout" in remedies["projects/docs/project.yaml"]
    assert "remove the file" in remedies["projects/docs/inbox/x.yaml"], "Git does not know it"
    git(post.root, "checkout", "--", "projects/docs/project.yaml")
    (post.root / "projects/docs/inbox/x.yaml").unlink()
    assert codes(post) == []


def test_a_committed_link_is_named_and_can_be_removed(post):
    """A link in the store that nobody follows and nobody can get rid of (failure mode 49)."""
    (post.root / "projects/docs/link.yaml").symlink_to("/etc/hostname")
    (post.root / "groups").mkdir()
    (post.root / "groups/team.yaml").symlink_to("../sbfs.yaml")
    git(post.root, "add", "-A")
    git(post.root, "commit", "-qm", "links")
    assert codes(post) == [("link", False), ("link", False)]
    (post.root / "projects/docs/link.yaml").unlink()
    (post.root / "groups/team.yaml").unlink()
    worktree.save(post)
    assert codes(post) == [], "the remedy works"


def test_mail_without_its_received_copy_is_delivered(post):
    """A sent message that its recipient never gets (AM-7, AM-14)."""
    message = mail(post)
    git(post.root, "rm", "-q", path_of(message))
    git(post.root, "commit", "-qm", "lose")
    assert codes(post) == [("undelivered", False)]
    before = commits(post.root)
    assert codes(post, fix=True) == [("undelivered", True)]
    assert commits(post.root) == before + 1
    assert message.id in received(post, status="unread")
    assert codes(post) == []
    assert_sound(post.root)


def test_mail_to_a_renamed_project_is_delivered_where_it_is_now(post):
    """The fix of a lost copy that delivers to a name that is no more."""
    message = mail(post)
    git(post.root, "rm", "-q", path_of(message))
    git(post.root, "commit", "-qm", "lose")
    projects.rename(post, project="api", name="server")
    assert codes(post, fix=True) == [("undelivered", True)]
    assert message.id in received(post, "server")
    assert codes(post) == []


def test_attachments_that_are_not_what_was_sent_are_named(post):
    """A damaged attachment that check calls well, or that stays red once it is put back."""
    message = messages.list(post, project="api").items[0].message
    path = f"projects/api/{message.attachments[0].path}"
    put(post, path, "other")
    git(post.root, "commit", "-qam", "tamper")
    assert codes(post) == [("attachment", False)]
    put(post, path, "report")
    worktree.save(post)
    assert codes(post) == [], "the remedy works"
    git(post.root, "rm", "-q", path)
    git(post.root, "commit", "-qm", "lose")
    assert codes(post) == [("attachment", False)]
    history.undo(post)
    assert codes(post) == []


def test_one_id_in_two_places_is_named(post):
    """A copied record, committed with Git, that is counted as two messages (failure mode 35)."""
    message = mail(post)
    other = path_of(message, "inbox").replace("2026/11/22", "2026/11/23")
    put(post, other, (post.root / path_of(message)).read_bytes())
    git(post.root, "add", "-A")
    git(post.root, "commit", "-qm", "copy")
    assert codes(post, fix=True) == [("duplicate", False)]
    (post.root / other).unlink()
    worktree.save(post)
    assert codes(post) == [], "the remedy works"


def damage(store: Store, path: str) -> None:
    """Flip a byte of the file's object, in its pack."""
    id = git(store.root, "rev-parse", f"main:{path}")
    for file in (store.root / ".git/objects/pack").glob("*.pack"):
        for row in git(store.root, "verify-pack", "-v", str(file)).splitlines():
            if row.startswith(id):
                offset, length = int(row.split()[4]), int(row.split()[3])
                data = bytearray(file.read_bytes())
                data[offset + length // 2] ^= 0xFF
                file.chmod(0o644)
                file.write_bytes(data)
                return
    raise AssertionError("no pack holds it")


@pytest.mark.parametrize("with_git", [True, False])
@pytest.mark.parametrize("path", [".gitattributes", "projects/docs/project.yaml", "attachment"])
def test_damaged_objects_are_named(post, monkeypatch, tmp_path, with_git, path):
    """An object that cannot be read called well, or a traceback for a finding (GP-3)."""
    if path == "attachment":
        message = messages.list(post, project="api").items[0].message
        path = f"projects/api/{message.attachments[0].path}"
    damage(post, path)
    if not with_git:
        (tmp_path / "empty").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    for fix in (False, True):
        with Store.open(post.root) as again:
            assert {code for code, _ in codes(again, fix=fix)} & {"objects", "damaged"}


def test_progress_counts_every_record(post):
    """A progress that stands still."""
    seen: list[int] = []
    checked = doctor.check(post, progress=seen.append)
    assert seen == [*range(1, checked.records + 1)]


def test_a_damaged_search_index_is_named_and_made_anew(post):
    """Searches that are slow, or an index that a stranger can write, and a check that is green."""
    search.search(post, query="thanks")
    assert codes(post) == []
    folder = post.root / search.index_status(post).path
    (folder / "manifest.json").write_text("{")
    assert codes(post) == [("search-index", False)]
    assert codes(post, fix=True) == [("search-index", True)]
    assert codes(post) == []
    assert search.index_verify(post).sound
    folder.chmod(0o777)
    assert codes(post, fix=True) == [("search-index", True)]
    assert codes(post) == []
    shutil.rmtree(folder.parent)
    assert codes(post) == []
