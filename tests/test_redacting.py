"""Secrets on their way in, and what slipped through: `sbfs redact`, added rules, attachments, the pre-commit hook."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from domain_helpers import SECRET, Shell, mail, people, put
from helpers import assert_sound, commits, git, run_git

from sbfs import configs, driver, history, messages, projects, redacting, worktree
from sbfs.errors import Error, Invalid
from sbfs.store import Store, refuse_secret

WORD = "Xylophone-Rhubarb"
"""Slips through: no rule knows it."""


@pytest.fixture
def post(store: Store) -> Store:
    """A store with two projects."""
    people(store, "web", "api")
    return store


def everything(store: Store) -> str:
    """All that the current revision holds, names and bytes."""
    listed = git(store.root, "ls-tree", "-r", "--name-only", "main")
    return listed + git(store.root, "grep", "-a", "-h", "", "main")


# -- sbfs redact -----------------------------------------------------------------------------------


def test_it_goes_from_what_is_kept_as_it_was_written(post):
    """A configuration in TOML or Markdown that keeps all others from being cleaned, or that is broken by it."""
    texts = {"a.toml": f"k = '{WORD}'  # {WORD}\n", "b.md": f"# text\n\n{WORD}\n", "c.toml": "port = 48080\n"}
    for name, text in texts.items():
        configs.set(post, project="web", name=name, text=text)
    done = redacting.redact(post, pattern=WORD)
    assert {one.path.rpartition("/")[2]: one.count for one in done.files} == {"a.toml": 2, "b.md": 1}
    assert WORD not in everything(post)
    assert "# text\n" in (post.root / "projects/web/config/b.md").read_text()
    (one,) = redacting.redact(post, pattern="# te[x]t", regex=True).files
    assert (one.path, one.count) == ("projects/web/config/b.md", 1)
    broken = redacting.redact(post, pattern="48080")
    assert (broken.files, broken.left) == ((), ("projects/web/config/c.toml",))
    assert_sound(post.root)


def test_it_goes_from_every_current_record(post, tmp_path):
    """A field, a key, a comment, a copy or an attachment that still holds what was to go."""
    file = tmp_path / "log.txt"
    file.write_text(f"one\n{WORD}\n")
    projects.set(post, project="web", description=f"Is {WORD} here?", tags=[WORD])
    put(post, "projects/api/project.yaml", (post.root / "projects/api/project.yaml").read_text() + f"# {WORD}\n")
    worktree.save(post)
    mail(post, subject=f"About {WORD}", message=f"{WORD}\n{WORD}\n", context={WORD: [WORD]}, attach=[file])
    before = commits(post.root)
    done = redacting.redact(post, pattern=WORD, type="codename")
    assert WORD not in everything(post)
    assert commits(post.root) == before + 1
    assert done.kinds == {"attachment": 2, "message": 10, "project": 3}
    assert (done.left, done.dry_run) == ((), False)
    shown = messages.list(post, project="api").items[0].message
    assert (shown.subject, shown.body) == ("About [redacted:codename:1]", "[redacted:codename:1]\n" * 2)
    assert WORD not in git(post.root, "log", "-1", "--format=%B%an%ae", "main")
    assert_sound(post.root)


def test_an_attachment_moves_to_its_new_sum(post, tmp_path):
    """A message whose attachment is not what it says it is, or that is lost to its recipient."""
    file = tmp_path / "log.txt"
    file.write_text(f"one\n{WORD}\n")
    sent = mail(post, attach=[file])
    redacting.redact(post, pattern=WORD)
    for box, project in (("inbox", "api"), ("outbox", "web")):
        (shown,) = messages.list(post, project=project, box=box).items
        (attached,) = shown.message.attachments
        data = (post.root / f"projects/{project}" / attached.path).read_bytes()
        assert (data, attached.size) == (b"one\n[redacted:secret:1]\n", len(data))
    assert not messages.show(post, message_id=sent.id).trouble
    assert Shell(post.root).json("check")["count"] == 0


def test_a_dry_run_changes_nothing_and_says_the_same(post):
    """A dry run that writes, or that counts other places than the run."""
    mail(post, message=f"{WORD}\n")
    head = post.head()
    tried = redacting.redact(post, pattern=WORD, dry_run=True)
    assert (post.head(), tried.dry_run) == (head, True)
    assert redacting.redact(post, pattern=WORD).files == tried.files
    assert redacting.redact(post, pattern=WORD).files == ()


def test_equal_secrets_get_equal_numbers(post):
    """Two secrets that cannot be told apart afterwards, or one that becomes two; a number that is given twice."""
    mail(post, message="pear-11 plum-22 pear-11 [redacted:fruit:7]\n")
    redacting.redact(post, pattern="(pear|plum)-\\d+", regex=True, type="fruit")
    (shown,) = messages.list(post, project="api").items
    first, second = "[redacted:fruit:8]", "[redacted:fruit:9]"
    assert shown.message.body == f"{first} {second} {first} [redacted:fruit:7]\n"


@pytest.mark.parametrize(
    ("pattern", "given"),
    [
        ("", {}), ("abc", {}), ("   a   ", {}), ("msg-", {}), ("long enough", {"type": "No Word"}),
        ("(", {"regex": True}), ("a*", {"regex": True}), ("web|api", {"regex": True}), ("^", {"regex": True}),
        ("(?=x)y", {"regex": True}),
    ],
)  # fmt: skip
def test_a_pattern_that_would_harm_is_refused(post, pattern, given):
    """A name or an id replaced, which makes the record unreadable; a pattern that matches everywhere."""
    mail(post)
    head = post.head()
    with pytest.raises(Invalid):
        redacting.redact(post, pattern=pattern, **given)
    assert post.head() == head


def test_what_cannot_be_changed_is_named(post, tmp_path):
    """A file that still holds it in its name, or in bytes, and that nobody hears of."""
    for name, data in ((f"{WORD}.txt", b"x"), ("b.bin", b"\0" + WORD.encode())):
        (tmp_path / name).write_bytes(data)
    mail(post, attach=[tmp_path / "b.bin"])
    named = mail(post, attach=[tmp_path / f"{WORD}.txt"])
    with pytest.raises(Invalid) as caught:
        redacting.redact(post, pattern=WORD)
    assert caught.value.path.startswith("projects/")
    assert WORD not in caught.value.hint
    messages.remove(post, message_id=named.id)
    left = redacting.redact(post, pattern=WORD).left
    assert sorted(path.rpartition("/")[2] for path in left) == [f"{WORD}.txt"] * 2 + ["b.bin"] * 2


def test_a_hand_edit_is_saved_first_and_cleaned(post):
    """An unsaved edit that is lost, or that brings the secret back with the next save."""
    mail(post, message=f"{WORD}\n")
    projects.set(post, project="web", description=WORD)
    file = post.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + f"host: {WORD}.example\n")
    redacting.redact(post, pattern=WORD)
    assert projects.show(post, project="web").host == "[redacted:secret:1].example"
    assert WORD not in file.read_text()
    assert_sound(post.root)


def test_an_unreadable_record_is_cleaned_too(post):
    """A broken file that Git brought in, and that keeps the secret because it is no YAML."""
    put(post, "projects/web/outbox/2026/11/22/bad.yaml", f"a: [{WORD}\n")
    git(post.root, "add", "-A")
    git(post.root, "commit", "-qm", "broken")
    redacting.redact(post, pattern=WORD)
    assert WORD not in everything(post)


def test_the_command_reads_the_pattern_from_standard_input(post):
    """A secret that has to be typed into the shell's history, or that the answer repeats."""
    mail(post, message=f"{WORD}\n")
    shell = Shell(post.root)
    spoken = shell("redact", "-", "--dry-run", input=WORD + "\n")
    assert "would be taken out: 2 in 2 files" in spoken.out
    answer = shell("redact", "-", "--json", input=WORD + "\n")
    assert answer.document["count"] == 2
    assert WORD not in spoken.out + spoken.err + answer.out + answer.err


def test_redacting_can_be_undone(post):
    """A pattern that took too much, and no way back."""
    mail(post, message=f"{WORD}\n")
    redacting.redact(post, pattern=WORD)
    history.undo(post)
    assert messages.list(post, project="api").items[0].message.body == f"{WORD}\n"


# -- rules of a store's own ------------------------------------------------------------------------


def added(store: Store, **redact: object) -> worktree.Saved:
    """Write rules into sbfs.yaml by hand, and save."""
    file = store.root / "sbfs.yaml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("redact:")]
    file.write_text("\n".join([*kept, f"redact: {json.dumps(redact)}"]) + "\n")
    return worktree.save(store)


def test_a_store_adds_rules_and_exceptions(post, tmp_path):
    """A rule of sbfs.yaml that does not reach mail, projects, hand edits or attachments."""
    rules = [{"type": "acme-key", "pattern": "ACME-[0-9]{6}"}]
    assert not added(post, rules=rules, allow=["hunter2"]).invalid
    assert mail(post, message="ACME-123456 password=hunter2 password=hunter3\n").body == (
        "[redacted:acme-key:1] password=hunter2 password=[redacted:password:1]\n"
    )
    file = post.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + "host: ACME-654321\n")
    assert worktree.save(post).redacted == {"acme-key": 1}
    (tmp_path / "a.txt").write_text("ACME-123456")
    with pytest.raises(Invalid, match="acme-key"):
        mail(post, attach=[tmp_path / "a.txt"])
    assert "ACME-[0-9]{6}" in (post.root / "sbfs.yaml").read_text(), "settings are not cleaned by themselves"


@pytest.mark.parametrize(
    ("redact", "field"),
    [
        ({"rules": [{"type": "x", "pattern": "("}]}, "redact.rules.0.pattern"),
        ({"rules": [{"type": "x", "pattern": "(a)\\1"}]}, "redact.rules.0.pattern"),
        ({"rules": [{"type": "x", "pattern": "(?<!b)a"}]}, "redact.rules.0.pattern"),
        ({"rules": [{"type": "x", "pattern": ".*"}]}, "redact.rules.0.pattern"),
        ({"rules": [{"type": "X Y", "pattern": "abc"}]}, "redact.rules.0.type"),
        ({"rules": [{"pattern": "abc"}]}, "redact.rules.0"),
        ({"rules": ["abc"]}, "redact.rules.0"),
        ({"rules": "abc"}, "redact.rules"),
        ({"allow": ["ok", "["]}, "redact.allow.1"),
        ({"allow": [3]}, "redact.allow.0"),
        ({"rule": []}, "redact.rule"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_used_is_refused_with_its_place(post, redact, field):
    """A pattern that never ends or never compiles, found out only when a secret has passed it."""
    (edit,) = added(post, **redact).invalid
    assert (edit.path, edit.error.split(":")[0]) == ("sbfs.yaml", field)
    assert mail(post).subject


def test_a_broken_rule_that_git_brought_stops_writing_until_it_is_mended(post):
    """Mail kept with its secrets because nobody could read the rules; or settings that cannot be mended any more."""
    assert added(post, rules=[{"type": "x", "pattern": "("}]).invalid
    git(post.root, "commit", "-qam", "broken")
    with pytest.raises(Invalid, match=r"redact\.rules\.0\.pattern"):
        mail(post)
    assert not added(post, rules=[{"type": "x", "pattern": "abcd"}]).invalid
    assert mail(post, message="abcd\n").body == "[redacted:x:1]\n"


def test_nested_repetitions_take_no_time(post):
    """A pattern at which a backtracking engine would sit for ever."""
    assert not added(post, rules=[{"type": "x", "pattern": "(a+)+b"}]).invalid
    assert mail(post, message="a" * 200_000 + "\n").body


# -- what must not change on its way ---------------------------------------------------------------


def test_text_attachments_are_refused_unless_allowed(post, tmp_path):
    """A secret in a file, sent or passed on without a word (Git forgets nothing)."""
    file = tmp_path / "env.txt"
    file.write_text(f"A=1\nTOKEN={SECRET}\n")
    shell = Shell(post.root)
    said = shell.fails(4, "invalid", "send", "web", "api", "-s", "x", "-b", "x", "-a", str(file))
    assert "env.txt:2 holds what looks like a github-token" in said["error"]
    assert "--allow-secret" in said["hint"]
    id = shell.json("send", "web", "api", "-s", "x", "-b", "x", "-a", str(file), "--allow-secret")["message_id"]
    assert "github-token" in shell.fails(4, "invalid", "message", "forward", id, "web")["error"]
    assert shell.json("message", "forward", id, "web", "--allow-secret")["message_id"]
    shell.fails(4, "invalid", "message", "reply", id, "-b", "x", "-a", str(file))


def test_a_file_that_must_not_change_is_refused():
    """A configuration that is kept with a secret in it, or an error that repeats the secret."""
    from sbfs.redact import BUILT_IN

    with pytest.raises(Invalid) as caught:
        refuse_secret("app.yaml", f"a: 1\nb: {SECRET}\n", BUILT_IN)
    assert "app.yaml:2" in str(caught.value)
    assert SECRET not in str(caught.value)
    refuse_secret("app.yaml", "token: ${TOKEN}\n", BUILT_IN)


def test_a_name_that_is_a_secret_is_refused(post, tmp_path):
    """A secret that goes into Git as the name of a file, where nothing takes it out."""
    file = tmp_path / f"{SECRET}.txt"
    file.write_text("x")
    with pytest.raises(Invalid) as caught:
        mail(post, attach=[file])
    assert SECRET not in str(caught.value) + caught.value.hint


# -- a person's own commit -------------------------------------------------------------------------


def _committing(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return run_git(root, "commit", "-q", "-m", "by hand", *arguments)


def test_the_hook_refuses_a_secret_in_a_persons_own_commit(post):
    """A plain `git commit` that puts a secret into history: staged, with -a, by path, in a file of nobody's."""
    driver.install(post)
    file = post.root / "projects/web/project.yaml"
    text = file.read_text()
    file.write_text(text + f"host: h\ndescription: {SECRET}\n")
    for arguments in (("-a",), ("projects/web/project.yaml",)):
        done = _committing(post.root, *arguments)
        assert done.returncode != 0
        line = text.count("\n") + 2
        assert f"projects/web/project.yaml:{line}: holds what looks like a github-token".encode() in done.stderr
        assert SECRET.encode() not in done.stdout + done.stderr
    git(post.root, "add", "-A")
    file.write_text(text)
    assert _committing(post.root).returncode != 0, "it was staged, and only the file is clean"
    git(post.root, "reset", "-q")
    put(post, "notes.txt", f"key {SECRET}\n")
    git(post.root, "add", "-A")
    done = _committing(post.root)
    assert done.returncode != 0
    assert b"notes.txt:1" in done.stderr
    put(post, "notes.txt", "nothing\n")
    git(post.root, "add", "-A")
    assert _committing(post.root).returncode == 0


def test_status_check_names_secrets(post):
    """A check that passes what the hook would refuse."""
    shell = Shell(post.root)
    assert shell("status", "--check").status == 0
    put(post, "notes.txt", f"one\nkey {SECRET}\n")
    answer = shell("status", "--check")
    assert (answer.status, answer.err) == (4, "sbfs: notes.txt:2: holds what looks like a github-token\n")


# -- a secret in every field -----------------------------------------------------------------------


def _tried(call) -> str:
    """What an error of a call says, everywhere it says something."""
    try:
        call()
    except Error as error:
        return f"{error} {error.sentence} {error.hint} {error.details} {vars(error)}"
    return ""


def test_a_secret_in_any_field_reaches_nothing(post, tmp_path):
    """The marker test: in a blob, a path, a commit, the index, a cache, a log or an error's words."""
    (tmp_path / "a.txt").write_text("x")
    said = []
    fields = ("name", "alias", "description", "host", "source_path")
    for n, field in enumerate(fields):
        said.append(_tried(lambda f=field, n=n: projects.add(post, **{"name": f"p{n}", f: SECRET})))
    said.append(_tried(lambda: projects.add(post, name="p9", tags=[SECRET], actor=SECRET)))
    said.append(_tried(lambda: projects.group_add(post, group=SECRET, projects=["web"])))
    said.append(_tried(lambda: projects.group_add(post, group="g", projects=[SECRET], description=SECRET)))
    said.append(_tried(lambda: projects.group_add(post, group="g", projects=["web"], description=SECRET)))
    texts = ("subject", "message", "priority", "message_type", "in_reply_to", "related", "deliver_at", "from_session",
             "sender", "to")  # fmt: skip
    said += [_tried(lambda f=field: mail(post, **{f: SECRET})) for field in texts]
    said.append(_tried(lambda: mail(post, context={SECRET: {"a": [SECRET, {"password": SECRET}]}})))
    id = messages.list(post, project="api").items[0].message.id
    said.append(_tried(lambda: messages.forward(post, original_message_id=id, to_project="web", forward_note=SECRET)))
    said.append(_tried(lambda: messages.reply(post, message_id=id, message=SECRET, subject=SECRET)))
    said.append(_tried(lambda: messages.mark(post, message_ids=[SECRET], status=SECRET)))
    said.append(_tried(lambda: messages.mark(post, message_ids=[id], status="read", actor=SECRET)))
    file = post.root / "projects/web/project.yaml"
    file.write_text(file.read_text() + f"extra: {{{SECRET}: {SECRET}}}\nalias: {SECRET}  # {SECRET}\n")
    worktree.save(post, note=SECRET, actor=SECRET)
    put(post, "projects/web/outbox/x.yaml", f"to_project: api\nsubject: {SECRET}\ncontent: {SECRET}\nodd: {SECRET}\n")
    worktree.save(post)
    messages.list(post, project="api")
    messages.list(post, project="web", box="outbox")
    assert [text for text in said if SECRET in text] == []
    everywhere = [git(post.root, "cat-file", "--batch-all-objects", "--batch", "--buffer")]
    everywhere += [file.read_bytes().decode("latin-1") for file in post.root.rglob("*") if file.is_file()]
    everywhere += [str(file) for file in post.root.rglob("*")]
    assert [text[:200] for text in everywhere if SECRET in text] == []
