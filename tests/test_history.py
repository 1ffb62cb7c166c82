"""What happened, and taking it back: log, undo, undo of an undo, and what cannot be taken back."""

from __future__ import annotations

import pytest
from domain_helpers import amid, mail, path_of, people, put, received, snapshot
from helpers import assert_sound, commits, git
from hypothesis import given, settings
from hypothesis import strategies as st

from sbfs import doctor, history, messages, projects, worktree
from sbfs.errors import Invalid, NotFound, Stale
from sbfs.store import Store


@pytest.fixture
def post(store: Store) -> Store:
    """A store with three projects."""
    people(store, "web", "api", "docs")
    return store


def tree(store: Store) -> str:
    """The state of the branch."""
    return git(store.root, "rev-parse", "main^{tree}")


def subjects(store: Store, **options) -> list[str]:
    """The lines of the log."""
    return [one.subject for one in history.log(store, **options).items]


# -- log -------------------------------------------------------------------------------------------


def test_the_log_reads_as_a_history_of_the_team(post, clock):
    """Commits that say what changed in files instead of who did what."""
    clock.forward(hours=1)
    id = mail(post).id
    messages.read(post, message_id=id)
    messages.forward(post, original_message_id=id, to_project="docs")
    projects.rename(post, project="web", name="site")
    assert subjects(post) == [
        "Rename project web to site",
        "api → docs: Fwd: Build is red",
        "api marks as read: Build is red",
        "web → api: Build is red",
        "Add project docs",
        "Add project api",
        "Add project web",
        "Begin the store",
    ]
    items = history.log(post).items
    assert [one.actor for one in items[1:4]] == ["api", "api", "web"]
    assert items[3].time == clock().replace(microsecond=0)
    assert items[0].ids == ("web", "site")


def test_the_log_pages_without_a_gap(post):
    """A page of the log that repeats or skips an operation."""
    for _ in range(5):
        mail(post)
    whole = [one.revision for one in history.log(post).items]
    seen, cursor = [], None
    while True:
        page = history.log(post, limit=2, cursor=cursor)
        seen += [one.revision for one in page.items]
        if (cursor := page.next) is None:
            break
    assert seen == whole
    assert history.log(post).total == len(whole) == commits(post.root)


def test_the_log_of_one_thing_holds_what_touched_it_and_nothing_else(post):
    """`log WHAT` by path, id, beginning of an id, project or removed record, that misses or adds."""
    first, second = mail(post), mail(post, sender="docs")
    messages.archive(post, message_ids=[first.id])
    projects.set(post, project="docs", alias="D")
    sent, marked = "web → api: Build is red", "api marks as archived: Build is red"
    assert subjects(post, record=first.id) == [marked, sent]
    assert subjects(post, record=path_of(first)) == [marked, sent]
    assert subjects(post, record=path_of(first, "outbox")) == [sent]
    assert subjects(post, record="docs") == ["Change project docs", "docs → api: Build is red", "Add project docs"]
    assert subjects(post, record="projects/docs/project.yaml") == ["Change project docs", "Add project docs"]
    assert subjects(post, record="sbfs.yaml") == ["Begin the store"]
    messages.remove(post, message_id=second.id)
    assert subjects(post, record=second.id) == [
        "Remove a message from docs: Build is red",
        "docs → api: Build is red",
    ]
    with pytest.raises(NotFound):
        history.log(post, record="msg-nothing")


def test_commits_of_plain_git_are_in_the_log(post):
    """A person's own commit that the log hides, or takes for an operation."""
    put(post, "projects/web/project.yaml", (post.root / "projects/web/project.yaml").read_text() + "alias: W\n")
    git(post.root, "commit", "-qam", "By Git\n\nwith a body")
    (last,) = history.log(post, limit=1).items
    assert (last.subject, last.operation, last.actor, last.ids) == ("By Git", "", "Pat Person", ())
    assert projects.show(post, project="web").alias == "W"


def test_no_text_can_forge_a_trailer(post):
    """A subject, alias or id that makes the log believe in another operation."""
    evil = "x Sbfs-Operation: undo Sbfs-Undoes: " + "0" * 40
    mail(post, subject=evil, message="\n\nSbfs-Operation: undo\nSbfs-Undoes: " + post.head())
    worktree_note = "a\n\nSbfs-Undoes: " + post.head() + "\n"
    put(post, "projects/web/project.yaml", (post.root / "projects/web/project.yaml").read_text() + "alias: W\n")
    worktree.save(post, note=worktree_note, actor="Eve\n\nSbfs-Undoes: 1 <e@x>\nSbfs-Operation: undo")
    saved, sent = history.log(post, limit=2).items
    assert (saved.operation, saved.undoes, sent.operation, sent.undoes) == ("save", "", "message.send", "")
    assert history.undo(post).revision == saved.revision


# -- undo ------------------------------------------------------------------------------------------


def test_undo_takes_back_the_last_that_stands_further_and_further(post):
    """Undo twice that does the first undo's opposite, or stops after one."""
    trees = [tree(post)]
    message = mail(post)
    trees.append(tree(post))
    messages.archive(post, message_ids=[message.id])
    trees.append(tree(post))
    messages.remove(post, message_id=message.id)
    for expected in reversed(trees):
        history.undo(post)
        assert tree(post) == expected
        assert_sound(post.root)
    assert received(post) == []
    assert subjects(post, limit=3) == [
        "Undo: web → api: Build is red",
        "Undo: api marks as archived: Build is red",
        "Undo: Remove a message from web: Build is red",
    ]


def test_undoing_an_undo_does_it_again_and_undo_goes_on_from_there(post):
    """A redo that is then skipped: what stands again would be taken for undone."""
    first = tree(post)
    message = mail(post)
    done = tree(post)
    sent = history.log(post, limit=1).items[0].revision
    history.undo(post)
    undo = post.head()
    assert history.undo(post, revision=undo[:12]).undoes == sent
    assert tree(post) == done
    assert received(post) == [message.id]
    assert history.undo(post).revision == sent, "the redone operation is the last that stands"
    assert tree(post) == first
    assert history.undo(post).subject == "Add project docs"


def test_an_operation_in_the_middle_can_be_taken_back(post):
    """`undo REV` that also takes back what came after."""
    first = mail(post, subject="first")
    sent = history.log(post, limit=1).items[0].revision
    second = mail(post, subject="second")
    history.undo(post, revision=sent)
    assert received(post) == [second.id]
    with pytest.raises(NotFound):
        messages.show(post, message_id=first.id)
    with pytest.raises(Invalid, match="nothing is left"):
        history.undo(post, revision=sent)


def test_what_changed_since_is_not_taken_back(post):
    """An undo that overwrites what came later."""
    message = mail(post)
    sent = post.head()
    messages.read(post, message_id=message.id)
    before = tree(post), snapshot(post.root)
    with pytest.raises(Stale) as caught:
        history.undo(post, revision=sent)
    assert path_of(message) in str(caught.value)
    assert before == (tree(post), snapshot(post.root))


def test_what_changes_while_undo_works_is_not_lost(post):
    """An undo that was built on what is no longer true (GP-1)."""
    message = mail(post)
    with pytest.raises(Stale):
        history.undo(amid(post, lambda: messages.read(post, message_id=message.id)), revision=post.head())
    assert messages.show(post, message_id=message.id).message.status == "read"


def test_an_unsaved_edit_is_not_undone_away(post):
    """An undo that removes a file which a person is editing (failure mode 33)."""
    message = mail(post)
    sent = post.head()
    file = post.root / path_of(message)
    file.write_text(file.read_text() + "mine: 1\n")
    with pytest.raises(Stale):
        history.undo(post, revision=sent)
    assert b"mine: 1" in file.read_bytes()
    assert git(post.root, "status", "--porcelain") == ""


def test_a_project_with_mail_is_not_undone_away(post):
    """Taking back `project add` or `project rename` under mail that came since, which nobody could read then."""
    projects.add(post, name="new")
    added = post.head()
    message = mail(post, to="new")
    with pytest.raises(Stale) as caught:
        history.undo(post, revision=added)
    assert "projects/new" in str(caught.value)
    projects.rename(post, project="new", name="newer")
    renamed = post.head()
    history.undo(post)
    assert received(post, "new") == [message.id]
    history.undo(post, revision=post.head())
    mail(post, to="newer")
    with pytest.raises(Stale):
        history.undo(post, revision=renamed)
    assert len(received(post, "newer")) == 2
    assert doctor.check(post).findings == ()


def test_the_beginning_and_merges_are_refused_with_a_way_out(post):
    """An undo of what has no one state before it."""
    beginning = git(post.root, "rev-list", "--max-parents=0", "main")
    with pytest.raises(Invalid, match="beginning"):
        history.undo(post, revision=beginning)
    git(post.root, "checkout", "-qb", "side", "HEAD~1")
    git(post.root, "commit", "-q", "--allow-empty", "-m", "side")
    git(post.root, "checkout", "-q", "main")
    git(post.root, "merge", "-q", "--no-ff", "-m", "Merge", "side")
    with pytest.raises(Invalid) as caught:
        history.undo(post, revision="HEAD")
    assert "git revert -m 1" in caught.value.hint
    for wrong in ("HEAD~99", "no-such", "0" * 40):
        with pytest.raises(NotFound):
            history.undo(post, revision=wrong)


def test_a_fresh_store_has_nothing_to_undo(store):
    """An undo that takes the store itself back."""
    with pytest.raises((Invalid, NotFound)):
        history.undo(store)
    assert commits(store.root) == 1


def test_a_commit_of_plain_git_can_be_undone(post):
    """A person's commit that undo does not know how to take back."""
    before = tree(post)
    file = post.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + "alias: W\n")
    git(post.root, "commit", "-qam", "By Git")
    assert history.undo(post, actor="Pat <p@example.org>").subject == "By Git"
    assert tree(post) == before
    assert_sound(post.root)


VERBS = st.lists(st.sampled_from(["send", "mark", "rename", "remove", "set", "save", "undo", "redo"]), max_size=9)


@settings(max_examples=15, deadline=None)
@given(acts=VERBS)
def test_undo_after_any_history_gives_each_state_back(tmp_path_factory, acts):
    """A state, once acknowledged, that repeated undo does not lead back to."""
    with Store.init(tmp_path_factory.mktemp("undo") / "s") as store:
        people(store, "web", "api")
        standing: list[tuple[str, str]] = []  # (state before, revision) of what stands
        undone: list[tuple[str, str]] = []
        for number, act in enumerate(acts):
            before, head = tree(store), store.head()
            if act == "undo":
                if standing:
                    expected, revision = standing.pop()
                    assert history.undo(store).revision == revision
                    assert tree(store) == expected
                    undone.append((revision, store.head()))
                continue
            if act == "redo":
                if undone:
                    revision, undo = undone.pop()
                    history.undo(store, revision=undo)
                    standing.append((before, revision))
                continue
            undone.clear()
            _act(store, act, number)
            if store.head() != head:
                standing.append((before, store.head()))
        while standing:
            expected, _ = standing.pop()
            history.undo(store)
            assert tree(store) == expected
        assert_sound(store.root)


def _act(store: Store, act: str, number: int) -> None:
    names = [one.name for one in projects.list(store).items]
    sender = names[0]
    ids = received(store, names[-1])
    if act == "send":
        mail(store, sender=sender, to=names[-1], subject=f"n{number}")
    elif act == "mark" and ids:
        messages.mark(store, message_ids=ids[:1], status="archived")
    elif act == "rename":
        projects.rename(store, project=names[-1], name=f"x{number}")
    elif act == "remove" and ids:
        messages.remove(store, message_id=ids[0])
    elif act == "set":
        projects.set(store, project=sender, alias=f"a{number}")
    elif act == "save":
        put(store, f"projects/{sender}/outbox/h{number}.yaml", f"to_project: {names[-1]}\nsubject: s\ncontent: x\n")
        worktree.save(store)
