"""Hooks of agents: what is said at their events, and how the settings come to call them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from domain_helpers import Shell, mail, people, put
from graph_helpers import lay
from transcript_helpers import write

from sbfs import conversations, graph, messages, projects, reflections
from sbfs.errors import Invalid
from sbfs.hooks import claude_code, events, plugin
from sbfs.store import Store

PROGRAM = ["/opt/with space/sbfs", "--store", "/data/team"]

OTHERS = """{
    "model": "opus",
    "hooks": {
        "SessionStart": [ {"hooks": [{"type": "command", "command": "echo hello"}]} ],
        "Stop": []
    },   "permissions": {"allow": ["Bash(ls)"]}
}"""


def event(name: str, folder: Path | str, **more: object) -> dict[str, object]:
    """What Claude Code writes at an event."""
    base = {"session_id": "s-1", "transcript_path": "/nowhere.jsonl", "cwd": str(folder), "hook_event_name": name}
    return {**base, "permission_mode": "default", **more}


@pytest.fixture
def work(store: Store, tmp_path: Path) -> Path:
    """A folder in which the project `web` is worked on; `api` writes to it."""
    people(store, "web", "api")
    folder = tmp_path / "work"
    folder.mkdir()
    projects.set(store, project="web", source_path=str(folder))
    return folder


def test_a_session_starts_with_what_is_new(store, work):
    """Mail that an agent is not told of, or told so that it cannot be read."""
    mail(store, sender="api", to="web", subject="Slow")
    urgent = mail(store, sender="api", to="web", subject="Down\x1b[31m", priority="urgent")
    learnt = reflections.add(store, project="web", title="Restart helps").reflection
    said = events.answer(store, "session-start", event("SessionStart", work / "deep", source="startup")).context
    assert f"{urgent.id} from api, urgent: Down" in said
    assert said.index(urgent.id) < said.index("Slow")
    assert learnt.id in said
    assert "compacted" not in said
    again = events.answer(store, "session-start", event("SessionStart", work, source="compact")).context
    assert "compacted" in again


def test_after_a_compaction_the_code_is_told(store, work):
    """Files torn from what belongs to them, or yesterday's before today's; a briefing where none is due."""
    lay(work)
    callers = [f"def user_{number}():\n    return helper()\n" for number in range(7)]
    (work / "shop" / "help.py").write_text("def helper():\n    return 1\n\n\n" + "\n\n".join(callers))
    graph.index(store, project="web", path=work)
    (work / "shop" / "prices.py").write_text("def price_of(name):\n    return 2\n")
    said = events.answer(store, "session-start", event("SessionStart", work, source="compact")).context
    code = said.partition("Code, what changed lately first:")[2]
    assert code.index("shop/prices.py") < code.index("shop/help.py: helper (called 7 times)")
    assert "; with shop/cart.py" in code
    assert "Code" not in events.answer(store, "session-start", event("SessionStart", work, source="startup")).context


def test_much_mail_is_told_shortly(store, work):
    """A start of a session that takes the agent's whole context."""
    for number in range(30):
        mail(store, sender="api", to="web", subject=f"{number} " + "long " * 150)
    said = events.answer(store, "session-start", event("SessionStart", work)).context
    assert "and 22 more" in said
    assert len(said) < 4000


def test_a_prompt_is_told_what_changed_and_no_more(store, work):
    """The same count at every prompt; new mail that is told late."""
    given = event("UserPromptSubmit", work, prompt="go on")
    assert events.answer(store, "prompt", given) == events.Said()
    mail(store, sender="api", to="web", subject="Hear this", priority="urgent")
    said = events.answer(store, "prompt", given).context
    assert "1 unread message for `web`" in said
    assert "Hear this" in said
    assert events.answer(store, "prompt", given) == events.Said()
    assert events.answer(store, "prompt", {**given, "session_id": "s-2"}).context
    messages.mark(store, message_ids=[messages.list(store, project="web").items[0].message.id], status="read")
    assert events.answer(store, "prompt", given) == events.Said()
    mail(store, sender="api", to="web")
    assert events.answer(store, "prompt", given).context


@pytest.mark.parametrize("name", events.EVENTS)
def test_who_is_told_nothing(store, work, tmp_path, name):
    """A sub-agent that is told of mail, or a folder that is nobody's."""
    mail(store, sender="api", to="web")
    assert events.answer(store, name, event("x", work, agent_id="a-1", agent_type="Explore")) == events.Said()
    assert events.answer(store, name, event("x", tmp_path)) == events.Said()
    assert events.answer(store, name, {}) == events.Said()
    assert events.answer(store, name, {"cwd": 5, "session_id": ["x"], "transcript_path": {}}) == events.Said()


def test_mail_that_was_held_back_is_told_when_it_is_due(store, work, clock):
    """Mail that is not told of because nothing was written since the last prompt."""
    given = event("UserPromptSubmit", work, prompt="go on")
    mail(store, sender="api", to="web", subject="Later", deliver_at=clock.now + timedelta(hours=1))
    assert events.answer(store, "prompt", given) == events.Said()
    clock.forward(minutes=59)
    assert events.answer(store, "prompt", given) == events.Said()
    clock.forward(minutes=1)
    assert "1 unread message" in events.answer(store, "prompt", given).context
    assert events.answer(store, "prompt", given) == events.Said()


def test_a_prompt_where_nothing_was_written_loads_no_domain(store, work):
    """An agent that waits at every prompt for what is known already."""
    mail(store, sender="api", to="web")
    given = json.dumps(event("UserPromptSubmit", work, prompt="go on"))
    program = """if True:
        import sys
        from sbfs.cli import cli
        from sbfs.cli.base import guarded
        guarded(cli, sys.argv[1:])
        print("loaded", *sys.modules, file=sys.stderr)
    """
    command = [sys.executable, "-c", program, "--store", str(store.root), "hook", "prompt"]
    first, again = (subprocess.run(command, input=given, capture_output=True, text=True) for _ in range(2))
    assert ("1 unread" in first.stdout, again.stdout) == (True, "")
    found = {*again.stderr.split()}
    assert "sbfs.hooks.events" in found
    assert not found & {"sbfs.messages", "sbfs.projects", "sbfs.catalog", "dulwich", "yaml", "hashlib", "subprocess"}


@pytest.mark.parametrize("session", ["../../../x", "a/b", "", "x" * 500, "..", None])
def test_a_session_cannot_name_a_file_outside(store, work, session):
    """A name from outside that becomes a path."""
    mail(store, sender="api", to="web")
    assert events.answer(store, "prompt", event("x", work, session_id=session)).context
    folder = store.repo.gitdir / "sbfs" / "told"
    assert not folder.exists() or not [*folder.iterdir()]


def test_the_transcript_is_kept_in_the_background(store, work, tmp_path):
    """A conversation that is compacted, or ends, and is gone after thirty days."""
    shell_env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    lines = [{"role": "user", "content": "Why?", "timestamp": "2026-02-11T09:00:00Z"}]
    transcript = write(tmp_path / "talk.jsonl", *lines)
    given = json.dumps(event("SessionEnd", work, transcript_path=str(transcript), reason="exit"))
    command = [sys.executable, "-m", "sbfs", "--store", str(store.root), "hook", "session-end"]
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=True,
        env=shell_env,
        cwd=Path(__file__).parent.parent,
    )
    assert "hand-over" in json.loads(done.stdout)["systemMessage"]
    for _ in range(300):
        if conversations.list(store, project="web").total:
            break
        time.sleep(0.1)
    assert conversations.list(store, project="web").total == 1
    said = events.answer(store, "pre-compact", event("PreCompact", work, transcript_path=str(transcript)))
    assert said == events.Said(later=("conversation", "import", str(transcript), "--project", "web"))


@pytest.mark.parametrize(
    "given", ["", "garbage", "[1]", "{", '{"cwd": "/"}', "\0" * 100, '{"cwd": "' + "x" * 100_000 + '"}']
)
def test_an_agent_never_fails_for_its_hook(store, work, given):
    """A status that stops the agent, or words on standard output that are no answer."""
    for name in events.EVENTS:
        answer = Shell(store.root)("hook", name, input=given)
        assert (answer.status, answer.out) == (0, "")
    put(store, "projects/web/project.yaml", b"name: [\n")
    assert Shell(Path("/nowhere"))("hook", "prompt", input="{}").status == 0


def test_hooks_can_be_switched_off(store, work, monkeypatch):
    """A switch that does not switch."""
    mail(store, sender="api", to="web")
    given = json.dumps(event("UserPromptSubmit", work))
    monkeypatch.setenv("SBFS_HOOKS", "off")
    assert Shell(store.root)("hook", "prompt", input=given).out == ""
    monkeypatch.setenv("SBFS_HOOKS", "on")
    assert "unread" in Shell(store.root)("hook", "prompt", input=given).out
    assert "unread" in Shell(store.root)("hook", "prompt", "--project", "web", input='{"session_id": "s-9"}').out


# -- settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [OTHERS, OTHERS.replace("\n", "\r\n"), '{"hooks":{"Stop":[1]},"a":1}', '{\n\t"a": 1\n}\n']
)
def test_others_settings_stay_byte_for_byte(tmp_path, text):
    """A settings file that is written anew in another form (the peers' installers)."""
    path = tmp_path / "settings.json"
    path.write_bytes(text.encode())
    change = claude_code.installed(path, PROGRAM, project="web")
    claude_code.apply(change)
    data = json.loads(path.read_text())
    for name in claude_code.EVENTS:
        (ours,) = [one for one in data["hooks"][name] if claude_code.is_ours(one)]
        assert ours["hooks"][0]["command"].startswith("'/opt/with space/sbfs' --store /data/team hook ")
    claude_code.apply(claude_code.installed(path, PROGRAM, project="web"))
    assert path.read_bytes().decode() == change.after
    claude_code.apply(claude_code.uninstalled(path))
    assert path.read_bytes().decode() == text


def test_where_nothing_was_nothing_stays(tmp_path):
    """A file that is left behind, or one of another's that is taken away."""
    path = tmp_path / ".claude" / "settings.json"
    assert claude_code.uninstalled(path).events == ()
    claude_code.apply(claude_code.installed(path, PROGRAM))
    claude_code.apply(claude_code.uninstalled(path))
    assert not path.exists()
    path.write_text("{}")
    claude_code.apply(claude_code.uninstalled(path))
    assert path.read_text() == "{}"


@pytest.mark.parametrize("text", ["{", '{"hooks": []}', '{"hooks": {"SessionStart": {}}}', "[]", "\xff"])
def test_settings_that_cannot_be_changed_are_named(tmp_path, text):
    """A broken file that is replaced, or half changed."""
    path = tmp_path / "settings.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Invalid) as caught:
        claude_code.installed(path, PROGRAM)
    assert str(path) in str(caught.value)


def test_a_persons_own_entry_is_no_one_elses():
    """A hook that runs sbfs beside something else, taken out with ours."""
    mixed = {"hooks": [{"command": "sbfs hook prompt"}, {"command": "make lint"}]}
    assert not claude_code.is_ours(mixed)
    assert not claude_code.is_ours({"hooks": [{"command": "sbfs sync"}]})
    assert claude_code.is_ours(claude_code.entry("PreCompact", PROGRAM))


def test_the_command_line(store, work, tmp_path, monkeypatch):
    """What a person types."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    shell = Shell(store.root)
    assert "+++" in shell("hooks", "install", "claude-code", "--user", "--dry-run").out
    assert not (tmp_path / "claude").exists()
    assert "SessionStart" in shell("hooks", "install", "claude-code", "--user", "--as", "web").out
    assert "--project web" in (tmp_path / "claude/settings.json").read_text()
    assert shell.json("hooks", "install", "claude-code", "--project", str(work))["changed"]
    assert (work / ".claude/settings.json").is_file()
    assert shell("hooks", "uninstall", "claude-code", "--user").out.startswith("removed in")
    assert shell("hooks", "uninstall", "claude-code", "--user").out == "there was nothing of sbfs's\n"
    shell.fails(2, "usage", "hooks", "install", "claude-code", "--user", "--project", str(work))
    shell.fails(2, "usage", "hooks", "install", "git", "--user")
    shell.fails(4, "invalid", "hooks", "install", "claude-code", "--project", str(tmp_path / "no"))
    shell.fails(3, "not_found", "hooks", "install", "claude-code", "--as", "nobody")
    ours = store.repo.gitdir / "hooks/pre-commit"
    assert "would install .git/hooks/pre-commit" in shell("hooks", "install", "git", "--dry-run").out
    assert not ours.exists()
    assert "installed .git/hooks/pre-commit" in shell("hooks", "install", "git").out
    assert "would remove .git/hooks/pre-commit" in shell("hooks", "uninstall", "git", "--dry-run").out
    assert ours.exists()
    assert "removed .git/hooks/pre-commit" in shell("hooks", "uninstall", "git").out
    assert not ours.exists()


def test_an_agent_goes_on_whatever_a_hook_is_called_with(store):
    """A status that is not 0: Claude Code holds a prompt back for 2. Trouble that is not said, or said as a fault."""
    shell = Shell(store.root)
    later = shell("hook", "before-the-moon", input="{}")
    assert (later.status, later.out, "no hook for 'before-the-moon'; there are" in later.err) == (0, "", True)
    for raw in (b"garbage", b"\xff\xfe", b'{"half": '):
        said = shell("hook", "prompt", input=raw)
        assert (said.status, said.out, "for prompt is no JSON" in said.err) == (0, "", True)


def test_a_plugin_folder(store, work, tmp_path):
    """A plugin that lacks a part, calls another project, or takes the place of something else."""
    made = plugin.make(store, PROGRAM, project="web")
    assert {*made} >= {".claude-plugin/plugin.json", ".mcp.json", "hooks/hooks.json", "commands/hand-over.md"}
    assert json.loads(made[".mcp.json"])["mcpServers"]["sbfs"]["args"][-3:] == ["mcp", "--project", "web"]
    assert not any("%" in text for path, text in made.items() if path.startswith("commands/"))
    plugin.write(tmp_path / "plugin", made)
    plugin.write(tmp_path / "plugin", made)
    assert json.loads((tmp_path / "plugin/hooks/hooks.json").read_text())["hooks"].keys() == claude_code.EVENTS.keys()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("x")
    with pytest.raises(Invalid):
        plugin.write(tmp_path / "mine", made)
    assert [one.name for one in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
