"""Urgent mail, said at once: by programs that are really started, and that nothing in a subject can steer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from domain_helpers import Shell, mail, people

from sbfs import notifying
from sbfs.errors import Invalid

RECORDER = """#!{python}
import json, sys
with open({file!r}, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""

HOSTILE = "$(touch hit) `touch hit` #(touch hit) %H ' \" ; touch hit\x1b]0;x\x07 <b>&amp;</b>"


@pytest.fixture
def programs(tmp_path, monkeypatch) -> Path:
    """tmux and notify-send that write down what they were called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("tmux", "notify-send"):
        (folder / name).write_text(RECORDER.format(python=sys.executable, file=str(tmp_path / name)))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return tmp_path


def test_what_a_subject_holds_is_only_text(store, programs, monkeypatch):
    """A subject that is run by the shell or by tmux (AM-1), or that speaks to the terminal."""
    people(store, "web", "api")
    monkeypatch.chdir(programs)
    message = mail(store, subject=HOSTILE, priority="urgent")
    assert (notifying.say("tmux", message), notifying.say("desktop", message)) == ("", "")
    said = (programs / "tmux").read_text() + (programs / "notify-send").read_text()
    assert not (programs / "hit").exists()
    assert "##(touch hit)" in said
    assert "%%H" in said
    assert "\\u001b" not in said
    assert "<b>" not in said
    assert notifying.say("bell", message) == "\a"


def test_a_way_that_is_not_here_is_said_at_once(monkeypatch, tmp_path):
    """A watch that notifies nobody."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for way in ("tmux", "desktop", "pigeon"):
        with pytest.raises(Invalid):
            notifying.check(way)
    notifying.check("bell")


def test_an_inbox_is_watched(store):
    """Mail that is not printed as it arrives; a bell for what is not urgent, or none for what is."""
    people(store, "web", "api")
    mail(store, subject="Before", sender="web", to="api")
    command = [sys.executable, "-m", "sbfs", "--store", str(store.root), "inbox", "api", "--watch", "--notify", "bell"]
    watcher = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert "Before" in "".join(watcher.stdout.readline() for _ in range(2))
        mail(store, subject="Other", sender="api", to="web", priority="urgent")
        mail(store, subject="Now", sender="web", to="api")
        assert "Now" in watcher.stdout.readline()
        mail(store, subject="Fire", sender="web", to="api", priority="urgent")
        assert "urgent: Fire" in watcher.stdout.readline()
        assert watcher.stderr.read(1) == "\a"
    finally:
        watcher.kill()
        watcher.communicate()


def test_wrong_words(store):
    """A way that is unknown, or that watches nothing."""
    people(store, "web")
    shell = Shell(store.root)
    shell.fails(2, "usage", "inbox", "web", "--notify", "bell")
    shell.fails(4, "invalid", "watch", "--notify", "pigeon")
    shell.fails(3, "not_found", "watch", "nobody")
