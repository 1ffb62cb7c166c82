"""Say urgent mail at once, at the terminal or on the desktop. Texts are given as arguments, never through a shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence

from sbfs.errors import Invalid
from sbfs.messages import Message

WAYS = ("bell", "tmux", "desktop")

_LONGEST = 200
_SECONDS = 5.0


def check(way: str) -> None:
    """Raise Invalid for a way that this machine does not have."""
    if way not in WAYS:
        raise Invalid(f"{way!r} is none of {', '.join(WAYS)}", field="notify")
    if way != "bell" and command(way, "", "") is None:
        needs = {"tmux": "tmux", "desktop": "notify-send (of libnotify)"}[way]
        raise Invalid(f"needs {needs}, which is not here", field="notify", hint="install it, or use --notify bell")


def command(way: str, title: str, text: str) -> Sequence[str] | None:
    """The program and its arguments; None where there is none, and for a bell, which needs none."""
    if way == "tmux" and (program := shutil.which("tmux")):
        # tmux expands `#(…)` in what it displays by running it, and `%` by the clock: both are doubled.
        said = f"{title}: {text}".replace("#", "##").replace("%", "%%")
        return (program, "display-message", "--", said)
    if way == "desktop" and sys.platform == "darwin" and (program := shutil.which("osascript")):
        script = "on run {title, said}\ndisplay notification said with title title\nend run"
        return (program, "-e", script, "--", title, text)
    if way == "desktop" and (program := shutil.which("notify-send")):
        return (program, "--app-name", "sbfs", "--urgency", "critical", "--", title, text)
    return None


def say(way: str, message: Message) -> str:
    """Tell of a message. Returns what is to be written to the terminal, a bell or nothing; never raises."""
    if way == "bell":
        return "\a"
    title = f"urgent mail for {message.to_project}"
    words = command(way, title, _plain(f"{message.from_project}: {message.subject}"))
    if words is not None:
        quiet = subprocess.DEVNULL
        try:
            subprocess.run(words, stdin=quiet, stdout=quiet, stderr=quiet, check=False, timeout=_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return ""
    return ""


def _plain(text: str) -> str:
    """In a line, without what a terminal would take for commands, and without markup."""
    flat = "".join(char for char in " ".join(text.split()) if char.isprintable())
    return flat.replace("<", "‹").replace("&", "＆")[:_LONGEST]
