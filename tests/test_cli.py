"""The command line, from outside: what each command prints, answers in JSON, and leaves with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from domain_helpers import SECRET, Shell, mail, people, put, snapshot
from helpers import assert_sound, git

from sbfs import messages, worktree
from sbfs.cli.base import printable
from sbfs.record import Record
from sbfs.store import Store

LIST = {"success", "count", "total", "next"}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell on a fresh store with three projects, whose clock is the real one."""
    with Store.init(tmp_path / "store") as store:
        people(store, "web", "api", "docs")
    return Shell(tmp_path / "store")


def send(shell: Shell, *more: str, to: str = "api", body: str = "See the log.") -> str:
    """The id of a message sent."""
    return str(shell.json("send", "web", to, "-s", "Build is red", "-b", body, *more)["message_id"])


# -- the main job ----------------------------------------------------------------------------------


def test_a_new_user_gets_from_nothing_to_a_second_message(tmp_path, monkeypatch):
    """A first session that needs more than what each command says (init, add, send, inbox, read, reply)."""
    monkeypatch.chdir(tmp_path)
    shell = Shell(None)
    lost = shell("inbox", "api")
    assert (lost.status, lost.out) == (6, "")
    assert "sbfs init" in lost.err
    made = shell("init", "team")
    assert made.status == 0
    assert "sbfs project add" in made.out
    monkeypatch.chdir(tmp_path / "team" / ".git")
    assert shell("project", "add", "web").status == 0
    shell = Shell(tmp_path / "team")
    nobody = shell("send", "web", "api", "-s", "Hello", "-b", "x")
    assert nobody.status == 3
    assert shell("project", "add", "api").out == "added api\n"
    sent = shell("send", "web", "api", "-s", "Hello", input="How are you?\n")
    assert sent.out.startswith("sent msg-")
    inbox = shell("inbox", "api").out
    assert "Hello" in inbox
    id = inbox.splitlines()[1].split()[0]
    assert "How are you?" in shell("message", "read", id).out
    assert shell("message", "reply", id, "-b", "Well.").status == 0
    assert "Re: Hello" in shell("inbox", "web").out
    assert shell("status").out.endswith("No unsaved edits.\n")
    assert_sound(tmp_path / "team")


def test_the_store_is_found_as_promised(shell, tmp_path, monkeypatch, hermetic):
    """A store that is looked for in another order than option, variable, parents, data folder."""

    def where(*options: str) -> str:
        return Path(str(Shell(None).json(*options, "status")["store"])).name

    for name in ("default", "variable", "parent"):
        Store.init(tmp_path / name).close()
    inner = tmp_path / "parent" / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert Shell(None)("status").status == 6
    data = hermetic / ".data" if sys.platform != "darwin" else hermetic / "Library" / "Application Support"
    data.mkdir(parents=True, exist_ok=True)
    (data / "sbfs").symlink_to(tmp_path / "default")
    assert where() == "sbfs"
    monkeypatch.chdir(inner)
    assert where() == "parent"
    monkeypatch.setenv("SBFS_STORE", str(tmp_path / "variable"))
    assert where() == "variable"
    assert where("--store", str(shell.root)) == "store"


# -- the shapes of spec.md ---------------------------------------------------------------------------


def test_send_answers_in_the_shape_of_the_spec(shell):
    """`message_id`, `timestamp`, `priority` missing from what send, reply and forward answer."""
    sent = shell.json("message", "send", "web", "api", "docs", "--subject", "S", "--body", "B", "--priority", "high")
    assert sent.keys() == {"success", "message_id", "timestamp", "priority", "messages"}
    assert (sent["priority"], [one["to_project"] for one in sent["messages"]]) == ("high", ["api", "docs"])
    assert sent["message_id"] == sent["messages"][0]["message_id"]
    datetime.fromisoformat(sent["timestamp"])
    for again in (("reply", "-b", "x"), ("forward", "docs")):
        verb, *rest = again
        answer = shell.json("message", verb, sent["message_id"], *rest)
        assert answer.keys() == sent.keys()


def test_lists_answer_in_the_shape_of_the_spec(shell):
    """Lists without count, total or next, or under another noun."""
    ids = [send(shell) for _ in range(3)]
    shell.json("project", "group", "add", "team", "web", "api")
    for command, noun, total in (
        (("message", "list", "api"), "messages", 3),
        (("inbox", "api"), "messages", 3),
        (("outbox", "web"), "messages", 3),
        (("project", "list"), "projects", 3),
        (("project", "group", "list"), "groups", 1),
    ):
        found = shell.json(*command)
        assert found.keys() == LIST | {noun}, command
        assert (found["count"], found["total"], found["next"], len(found[noun])) == (total, total, None, total)
    part = shell.json("inbox", "api", "--limit", "2")
    assert (part["count"], part["total"]) == (2, 3)
    rest = shell.json("inbox", "api", "--limit", "2", "--cursor", part["next"])
    assert (rest["count"], rest["next"]) == (1, None)
    assert {one["id"] for one in part["messages"] + rest["messages"]} == {*ids}
    assert shell.json("project", "list", "--limit", "1")["next"] == "api"
    assert [one["name"] for one in shell.json("project", "list", "--cursor", "api")["projects"]] == ["docs", "web"]
    log = shell.json("log", "--limit", "2")
    assert log.keys() == LIST | {"operations"}
    assert shell.json("log", "--limit", "2", "--cursor", log["next"])["operations"][0] not in log["operations"]


def test_a_message_answers_in_the_shape_of_its_file(shell):
    """A JSON message whose keys differ from those of the record."""
    id = send(shell, "--context", '{"endpoint": "/api"}')
    shown = shell.json("message", "show", id)
    assert shown.keys() == {"success", "message", "box", "path", "edited", "delivery"}
    record = Record.parse("a.yaml", (shell.root / shown["path"]).read_bytes()).data
    assert shown["message"] == record
    assert shell.json("inbox", "api")["messages"] == [record]
    assert shell.json("message", "read", id)["message"] == {**record, "status": "read"}
    assert shell.json("message", "mark", id, "unread")["messages"] == [{"message_id": id, "status": "unread"}]
    assert shell.json("message", "archive", id)["messages"] == [{"message_id": id, "status": "archived"}]
    assert shell.json("message", "thread", id)["messages"] == [{**record, "status": "archived", "depth": 0}]
    assert shell.json("message", "count", "api") == {"success": True, "count": 1}
    assert shell.json("message", "count", "api", "--unread") == {"success": True, "count": 0}
    assert shell.json("outbox", "web")["messages"][0]["delivery"] == "read"
    assert shell.json("message", "remove", id) == {"success": True, "message_id": id}


def test_projects_and_groups_answer_whole(shell):
    """A project's facts that are set and not shown, or not emptied."""
    made = shell.json(
        "project", "add", "ops", "--alias", "Ops", "--description", "Runs it", "--host", "h1", "--source-path", "/src",
        "--tag", "b", "--tag", "a",
    )["project"]  # fmt: skip
    assert made.keys() == {
        "name", "created", "updated", "alias", "description", "host", "source_path", "tags", "relations", "formerly",
        "groups",
    }  # fmt: skip
    assert (made["alias"], made["tags"]) == ("Ops", ["b", "a"])
    shell.json("project", "set", "Ops", "--alias", "", "--add-tag", "c", "--remove-tag", "b", "--host", "h2")
    shell.json("project", "relate", "ops", "web")
    shell.json("project", "relate", "ops", "api", "--type", "extends")
    shell.json("project", "group", "add", "team", "ops", "--description", "All")
    found = shell.json("project", "show", "ops")["project"]
    assert (found["alias"], found["tags"], found["host"], found["groups"]) == ("", ["a", "c"], "h2", ["team"])
    assert found["relations"] == {"uses": ["web"], "extends": ["api"]}
    assert shell.json("project", "relate", "ops", "web", "--remove")["project"]["relations"] == {"extends": ["api"]}
    assert [one["name"] for one in shell.json("project", "list", "--tag", "c")["projects"]] == ["ops"]
    assert [one["name"] for one in shell.json("project", "list", "--group", "team")["projects"]] == ["ops"]
    assert shell.json("project", "rename", "ops", "run")["project"]["formerly"] == ["ops"]
    assert shell.json("project", "group", "show", "team")["group"]["projects"] == ["run"]
    shell.json("project", "group", "remove", "team", "run")
    assert shell.json("project", "group", "show", "team")["group"]["projects"] == []
    shell.json("project", "group", "remove", "team", "--yes")
    shell.json("project", "remove", "run", "-y")
    assert shell.json("project", "list")["count"] == 3


def test_status_save_log_undo_and_check_answer_whole(shell):
    """The store's own commands in another shape than programs were told."""
    id = send(shell)
    file = shell.root / shell.json("message", "show", id)["path"]
    file.write_text(file.read_text().replace("unread", "read"))
    status = shell.json("status")
    assert status.keys() == {
        "success", "store", "id", "format", "branch", "revision", "subject", "projects", "edits", "clean", "doing",
    }  # fmt: skip
    edit = {"path": file.relative_to(shell.root).as_posix(), "state": "changed", "kind": "message", "valid": True}
    assert (status["edits"], status["clean"], status["branch"]) == ([edit], False, "main")
    saved = shell.json("save", "-m", "I read it")
    assert saved == {"success": True, "saved": [edit], "invalid": [], "others": [], "delivered": []}
    (last,) = shell.json("log", "--limit", "1")["operations"]
    assert last.keys() == {"revision", "time", "actor", "subject", "operation", "ids"}
    assert (last["subject"], last["operation"]) == ("I read it", "save")
    assert shell.json("undo")["undone"] == last
    assert shell.json("log", "--limit", "1")["operations"][0]["undoes"] == last["revision"]
    assert shell.json("check") == {"success": True, "findings": [], "count": 0, "left": 0, "records": 6}


# -- what can go wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "arguments", "says"),
    [
        (2, "usage", ("send", "web", "api"), "--subject"),
        (2, "usage", ("frobnicate",), "frobnicate"),
        (2, "usage", ("message", "sned"), "send"),
        (2, "usage", ("inbox", "api", "--limit", "0"), "0"),
        (2, "usage", ("inbox", "api", "--limit", "many"), "many"),
        (2, "usage", ("inbox", "api", "--wat"), "--wat"),
        (2, "usage", ("inbox",), "PROJECT"),
        (2, "usage", ("message", "mark", "unread"), ""),
        (2, "usage", ("send", "web", "api", "-s", "x", "-b", "x", "--body-file", "-"), "--body-file"),
        (2, "usage", ("send", "web", "api", "-s", "x", "--body-file", "no-such-file"), "no-such-file"),
        (2, "usage", ("project", "remove", "web"), "asks"),
        (3, "not_found", ("inbox", "nobody"), "nobody"),
        (3, "not_found", ("send", "web", "apii", "-s", "x", "-b", "x"), "apii"),
        (3, "not_found", ("send", "nobody", "nobody", "-s", "x", "-b", "x"), "nobody"),
        (3, "not_found", ("send", "web", "@team", "-s", "x", "-b", "x"), "team"),
        (3, "not_found", ("message", "show", "msg-none"), "msg-none"),
        (3, "not_found", ("message", "show", ""), ""),
        (3, "not_found", ("undo", "beef1234"), "beef1234"),
        (3, "not_found", ("inbox", "api", "--at", "beef1234"), "beef1234"),
        (3, "not_found", ("inbox", "api", "--at", "HEAD~99"), "HEAD~99"),
        (3, "not_found", ("inbox", "api", "--at", "HEAD~x"), "HEAD~x"),
        (3, "not_found", ("log", "no-such-thing"), "no-such-thing"),
        (4, "invalid", ("send", "web", "api", "-s", " ", "-b", "x"), "subject"),
        (4, "invalid", ("send", "web", "api", "-s", "a\nb", "-b", "x"), "subject"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "-p", "asap"), "priority"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "-t", "message"), "type"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "--related", "likes"), "related"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "--context", "{"), "context"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "--context", "[1]"), "context"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "--context", '{"a": NaN}'), "context"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "--context", "[" * 100_000), "context"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "--deliver-at", "whenever"), "deliver_at"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x", "--deliver-at", "yesterday"), "past"),
        (4, "invalid", ("send", "web", "api", "-s", "x", "-b", "x\udcff"), "UTF-8"),
        (4, "invalid", ("send", "web", "-s", "x", "-b", "x"), "nobody would receive"),
        (4, "invalid", ("inbox", "api", "--status", "new"), "status"),
        (4, "invalid", ("inbox", "api", "--priority", "asap"), "priority"),
        (4, "invalid", ("inbox", "api", "--since", "last year-ish"), "since"),
        (4, "invalid", ("message", "list", "api", "--box", "sent"), "box"),
        (4, "invalid", ("project", "relate", "web", "api", "--type", "likes"), "likes"),
        (4, "invalid", ("project", "relate", "web", "web"), "itself"),
        (4, "invalid", ("project", "add", "No Good"), "No Good"),
        (4, "exists", ("project", "add", "web"), "web"),
        (4, "invalid", ("project", "rename", "web", "../x"), "../x"),
        (1, "failed", ("send", "web", "api", "-s", "x", "-b", "x", "--attach", "no-such-file"), "no-such-file"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(shell, status, code, arguments, says):
    """A wrong call that is taken, ends in a traceback, or has another code than the library's (AM-2, promise 6)."""
    before = git(shell.root, "rev-parse", "main"), snapshot(shell.root)
    said = shell.fails(status, code, *arguments)
    assert says in said["error"] + said["hint"]
    assert "fault of sbfs" not in said["hint"]
    assert before == (git(shell.root, "rev-parse", "main"), snapshot(shell.root))


@pytest.mark.parametrize("arguments", [["log"], ["inbox", "api", "--json"]])
def test_a_list_whose_reader_went_away_is_no_failure(shell, arguments):
    """`sbfs log | head -1` that fails, or prints a traceback."""
    command = [sys.executable, "-m", "sbfs", "--store", str(shell.root), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("words", [["inbox", "api"], ["inbox", "api", "--json"], ["inbox", "nobody", "--json"]])
def test_an_answer_that_cannot_be_written_is_said(shell, words):
    """A traceback; or an operation that passes for one that was not done."""
    command = [sys.executable, "-m", "sbfs", "--store", str(shell.root), *words]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode in (1, 3)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.returncode == 3 or "what was asked for is done" in done.stderr


def test_near_names_are_offered(shell):
    """A slip in a name or a verb that only gets "not found"."""
    assert shell.fails(3, "not_found", "inbox", "ap1")["hint"] == "did you mean api?"
    assert shell.fails(3, "not_found", "inbox", "zzz")["hint"].startswith("there are api, ")
    assert "inbox" in shell.fails(2, "usage", "inbux", "api")["error"]
    assert shell.fails(3, "not_found", "project", "group", "show", "team")["hint"] == ""


def test_an_ambiguous_id_lists_what_it_could_mean(shell):
    """An id that is too short and picks one (AM-11)."""
    ids = sorted(send(shell) for _ in range(2))
    said = shell.fails(4, "ambiguous", "message", "show", "msg-")
    assert sorted(said["details"]["candidates"]) == ids


def test_bodies_come_from_option_file_or_standard_input(shell, tmp_path):
    """A body that is cut, re-coded, or read from the wrong place."""
    text = "Zeile 1\r\n\tümlaut ✓ \x85\n\n  end "
    file = tmp_path / "body.txt"
    file.write_bytes(b"\xef\xbb\xbf" + text.encode())
    for options, input in ((["-b", text], b""), (["--body-file", str(file)], b""), ([], text.encode()),
                           (["--body-file", "-"], text.encode())):  # fmt: skip
        id = shell.json("send", "web", "api", "-s", "x", *options, input=input)["message_id"]
        assert shell.json("message", "show", id)["message"]["content"]["message"] == text


def test_bytes_that_are_no_utf_8_are_refused_with_their_line(shell, tmp_path):
    """Invalid UTF-8 that is replaced in silence, or ends in a traceback."""
    file = tmp_path / "latin.txt"
    file.write_bytes(b"one\ntwo \xe4\n")
    said = shell.fails(4, "invalid", "send", "web", "api", "-s", "x", input=file.read_bytes())
    assert "line 2" in said["error"]
    shell.fails(4, "invalid", "send", "web", "api", "-s", "x", "--body-file", str(file))
    assert shell.json("message", "count", "api")["count"] == 0


def test_a_body_over_the_limit_is_refused(shell):
    """A body of more than 1 MiB that is taken, or one of 1 MiB that is not."""
    said = shell.fails(4, "invalid", "send", "web", "api", "-s", "x", input=b"x" * (1024 * 1024 + 1))
    assert "1048576" in said["error"]
    assert "attach" in said["hint"]
    shell.json("send", "web", "api", "-s", "x", input=b"x" * (1024 * 1024))


def test_attachments_too_large_or_secret_are_refused(shell, tmp_path):
    """An attachment of more than 25 MiB that is taken, or a key that goes into Git unasked."""
    large = tmp_path / "large.bin"
    with open(large, "wb") as file:
        file.truncate(25 * 1024 * 1024 + 1)
    said = shell.fails(4, "invalid", "send", "web", "api", "-s", "x", "-b", "x", "-a", str(large))
    assert "26214400" in said["error"]
    key = tmp_path / "key.txt"
    key.write_text(SECRET)
    said = shell.fails(4, "invalid", "send", "web", "api", "-s", "x", "-b", "x", "-a", str(key))
    assert SECRET not in json.dumps(said)
    assert "--allow-secret" in said["hint"]
    sent = shell.json("send", "web", "api", "-s", "x", "-b", "x", "-a", str(key), "--allow-secret")
    shown = shell("message", "show", sent["message_id"]).out
    assert f"key.txt ({len(SECRET)} bytes)" in shown


def test_secrets_in_a_body_are_taken_out_and_said(shell):
    """A redaction that nobody hears of (promise 7)."""
    answer = shell("send", "web", "api", "-s", "x", "-b", f"token {SECRET}")
    assert answer.status == 0
    assert "1 github-token" in answer.err
    assert shell.json("send", "web", "api", "-s", "x", "-b", SECRET)["redacted"] == {"github-token": 1}
    assert shell.json("message", "count", "api")["count"] == 2
    assert SECRET not in shell("message", "show", shell.json("inbox", "api")["messages"][0]["id"]).out


def test_held_back_mail_says_when(shell):
    """`--deliver-at` that delivers at once, or does not say what it understood."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    answer = shell("send", "web", "api", "-s", "x", "-b", "x", "--deliver-at", f"{tomorrow}T09:30Z")
    assert f"to be delivered {tomorrow}T09:30:00.000Z" in answer.out
    sent = shell.json("send", "web", "api", "-s", "x", "-b", "x", "--deliver-at", "in 3 days")
    assert sent["deliver_at"] > tomorrow
    assert shell.json("inbox", "api")["total"] == shell.json("message", "count", "api")["count"] == 0
    assert shell.json("outbox", "web")["total"] == 0
    changed = shell.json("message", "edit", sent["message_id"], "-s", "y", "-b", "new", "-p", "low")["message"]
    assert (changed["subject"], changed["content"]["message"], changed["priority"]) == ("y", "new", "low")
    assert shell.fails(4, "invalid", "message", "edit", send(shell), "-s", "y")["hint"].startswith("answer it")


# -- exit statuses of the store ----------------------------------------------------------------------


def test_invalid_edits_leave_with_4_and_are_named(shell):
    """`save` with an invalid edit that says success, or keeps the valid ones from being saved."""
    good, bad = (shell.root / f"projects/{name}/project.yaml" for name in ("api", "web"))
    good.write_text(good.read_text() + "alias: A\n")
    bad.write_text(bad.read_text() + "tags: {a: 1}\n")
    assert shell("status").status == 0
    assert shell("status", "--check").status == 4
    answer = shell("save", "--json")
    assert answer.status == 4
    said = answer.document
    assert (said["success"], said["code"], len(said["saved"]), len(said["invalid"])) == (False, "invalid", 1, 1)
    assert "projects/web/project.yaml:4" in said["error"]
    assert said["invalid"][0]["line"] == 4
    spoken = shell("save")
    assert spoken.status == 4
    assert "projects/web/project.yaml" in spoken.out + spoken.err
    assert shell.json("project", "show", "api")["project"]["alias"] == "A"


def test_saving_only_what_is_named(shell, monkeypatch):
    """`save PATH` that saves more, or does not know a path as it is seen from here."""
    for name in ("api", "web", "docs"):
        file = shell.root / f"projects/{name}/project.yaml"
        file.write_text(file.read_text() + "alias: A\n")
    monkeypatch.chdir(shell.root / "projects")
    assert [one["path"] for one in shell.json("save", "api")["saved"]] == ["projects/api/project.yaml"]
    saved = shell.json("save", "projects/web/project.yaml")["saved"]
    assert [one["path"] for one in saved] == ["projects/web/project.yaml"]
    assert [one["path"] for one in shell.json("status")["edits"]] == ["projects/docs/project.yaml"]


def test_undoing_what_was_changed_since_leaves_with_5(shell):
    """An undo that overwrites what came later."""
    id = send(shell)
    shell.json("message", "archive", id)
    sent = shell.json("log")["operations"][1]
    said = shell.fails(5, "changed", "undo", sent["revision"])
    assert said["error"].count("changed") == 1, "a sentence that says it twice"
    assert "sbfs log" in said["hint"]


def test_what_is_no_store_leaves_with_6(tmp_path, shell):
    """A folder that is taken for a store, or a store of a newer format that is read all the same."""
    for root in (tmp_path / "none", tmp_path):
        assert "sbfs init" in Shell(root).fails(6, "not_a_store", "status")["hint"]
    file = shell.root / "sbfs.yaml"
    file.write_text(file.read_text().replace("format: 1", "format: 2"))
    assert "install" in shell.fails(6, "format", "status")["hint"]


def test_init_refuses_what_is_not_its_own(tmp_path, shell):
    """`init` in a folder with other things, or over somebody's repository; and twice is once."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("x")
    shell.fails(4, "invalid", "init", str(other))
    git(other, "init", "-q")
    shell.fails(4, "invalid", "init", str(other))
    again = shell.json("init", str(shell.root))
    assert (again["created"], again["projects"]) == (False, 3)
    assert sorted(file.name for file in other.iterdir()) == [".git", "thesis.tex"]


def test_a_busy_store_leaves_with_8(shell, monkeypatch):
    """A lock that another program holds: stolen, or waited for without end."""
    monkeypatch.setenv("SBFS_LOCK_WAIT", "0.2")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with Store.open(shell.root) as store, store.publisher().locked():
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(60)
        shell.fails(8, "busy", "send", "web", "api", "-s", "x", "-b", "x")
        assert shell.json("inbox", "api")["count"] == 0, "readers need no lock"
    finally:
        done.set()
        thread.join()
    shell.json("send", "web", "api", "-s", "x", "-b", "x")


def test_check_leaves_with_1_while_findings_are_left(shell):
    """`check` that says all is well, or an exit status that does not tell."""
    assert shell("check").out == "4 records read; all is well\n"
    file = shell.root / "projects/web/project.yaml"
    file.write_text("name: [\n")
    answer = shell("check")
    assert answer.status == 1
    assert "edit: projects/web/project.yaml:" in answer.out
    said = shell("check", "--json")
    assert (said.status, said.document["success"], said.document["left"]) == (1, False, 1)


# -- people and pipes --------------------------------------------------------------------------------


def test_removing_a_project_asks_and_can_be_undone(shell):
    """A removal without a question, or one that undo does not bring back."""
    id = send(shell)
    shell.fails(2, "usage", "project", "remove", "api")
    assert shell.json("project", "remove", "api", "--yes")["project"]["name"] == "api"
    shell.fails(3, "not_found", "inbox", "api")
    shell.json("undo")
    assert shell.json("inbox", "api")["messages"][0]["id"] == id


def test_quiet_is_quiet_and_errors_are_not(shell):
    """`-q` that prints, or that hides what went wrong."""
    assert shell("-q", "send", "web", "api", "-s", "x", "-b", "x") == shell("inbox", "api", "-q")
    assert shell("inbox", "api", "-q").out == ""
    assert shell("-q", "inbox", "nobody").err.startswith("error:")


def test_common_options_stand_before_or_behind(shell):
    """`--json` that works only in one place."""
    assert shell("--json", "inbox", "api").document == shell("inbox", "api", "--json").document
    assert shell("message", "--json", "list", "api").document == shell("inbox", "api", "--json").document
    assert Shell(None)("inbox", "api", "--store", str(shell.root), "--json").document["success"] is True
    assert Shell(None)("--json", "frobnicate").document["code"] == "usage"


def test_without_a_command_the_help_is_shown(shell):
    """A bare `sbfs`, or a bare noun, that reads like a failure."""
    for arguments in ((), ("message",), ("project", "group")):
        answer = Shell(None)(*arguments)
        assert answer.status == 2
        assert answer.err.startswith("Usage: sbfs")
        assert "error:" not in answer.err
        assert Shell(None)("--json", *arguments).document["code"] == "usage"


CONTROLS = "\x1b[2J\x1b]0;owned\x07 \x9b31m \x08\x08 \u202eevil"


def test_terminal_control_characters_are_not_printed(shell):
    """Mail that clears the screen, retitles the window or turns text around when it is listed."""
    with Store.open(shell.root) as store:
        store_id = mail(store, subject=f"hi {CONTROLS}", message=CONTROLS, context={CONTROLS: CONTROLS}).id
        messages.forward(store, original_message_id=store_id, to_project="docs", forward_note=CONTROLS)
    shell.json("project", "set", "web", "--alias", CONTROLS, "--description", CONTROLS, "--add-tag", CONTROLS)
    put_file = shell.root / "projects/api/inbox/x\x1b[2Jy.yaml"
    put_file.write_text("x")
    calls = [
        ("inbox", "api"), ("outbox", "web"), ("message", "show", store_id), ("message", "read", store_id),
        ("message", "thread", store_id), ("project", "show", "web"), ("project", "list"), ("log",), ("undo",),
        ("status",), ("save",), ("check",), ("inbox", CONTROLS), ("project", "add", CONTROLS), (CONTROLS,),
        ("inbox", "api", "--since", CONTROLS), ("project", "set", "web", "--alias", CONTROLS),
    ]  # fmt: skip
    for call in calls:
        answer = shell(*call)
        wild = {char for char in answer.out + answer.err if not char.isprintable() and char not in "\n\t"}
        assert wild == set(), call


def test_plain_text_of_any_language_is_printed_as_it_is():
    """Spaces of other scripts, or joined emoji, that turn into escapes."""
    for text in ("10 €", "日本語　です", "👩‍💻", "می‌خواهم", "tab\tand\nline"):
        assert printable(text) == text


def test_every_help_is_there_and_fits(shell):
    """A command whose help fails, or is empty."""
    import click

    from sbfs.cli import cli

    def walk(command: click.Command, path: tuple[str, ...]) -> int:
        answer = Shell(None)(*path, "--help")
        assert (answer.status, answer.err) == (0, ""), path
        assert answer.out.startswith("Usage: sbfs " + " ".join(path))
        assert Shell(None)(*path, "-h") == answer
        if not isinstance(command, click.Group):
            assert "--json" in answer.out, path
            return 1
        context = click.Context(command)
        return sum(walk(command.get_command(context, name), (*path, name)) for name in command.list_commands(context))

    assert walk(cli, ()) > 30


# -- real processes ----------------------------------------------------------------------------------


def run(shell: Shell, *arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """The program itself."""
    command = [sys.executable, "-m", "sbfs", "--store", str(shell.root), *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_the_program_itself_sends_and_lists(shell):
    """What works in this process and not as a program: entry point, encodings, standard streams."""
    text = "ümlaut ✓\n".encode()
    sent = run(shell, "send", "web", "api", "-s", "grüße", input=text, env={**os.environ, "LC_ALL": "C"})
    assert (sent.returncode, sent.stderr) == (0, b"")
    listed = run(shell, "inbox", "api", "--json")
    assert json.loads(listed.stdout)["messages"][0]["content"]["message"].encode() == text
    shown = run(shell, "inbox", "api", env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert shown.returncode == 0, shown.stderr
    wrong = run(shell, "send", "web", "api", "-s", "x", input=b"\xff")
    assert (wrong.returncode, wrong.stdout) == (4, b"")


def test_a_reader_that_goes_away_is_no_error(shell):
    """`sbfs log | head -1` that ends with a traceback."""
    text = "to_project: api\nsubject: " + "x" * 900 + "\ncontent: x\n"
    with Store.open(shell.root) as store:
        for number in range(300):
            put(store, f"projects/web/outbox/{number}.yaml", text)
        assert len(worktree.save(store).delivered) == 300
    command = [sys.executable, "-m", "sbfs", "--store", str(shell.root), "inbox", "api", "--limit", "300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"id")
        process.stdout.close()
        said = process.stderr.read()
        assert (process.wait(60), said) == (0, b"")


PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test runner may have told us to ignore it
from sbfs.cli import main
main()
"""


def test_an_interrupt_is_one_word(shell):
    """Ctrl-C while a body is typed: a traceback, or half a message."""
    command = [sys.executable, "-c", PROGRAM, "--store", str(shell.root), "-v", "send", "web", "api", "-s", "x"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            process.stdin.write(b"x" * 300_000)
            process.stdin.flush()  # A pipe holds less than that: the program reads.
            for _ in range(20):  # Python looks at a signal only when a read comes back: one may be too early.
                process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(2)
                    break
            assert process.wait(1) == 130
        finally:
            process.kill()
        assert process.stdout.read() == b""
        assert process.stderr.read().strip() == b"error: interrupted"
    assert shell.json("message", "count", "api")["count"] == 0
