"""A walk through everything sbfs does, with real commands and their real output."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sbfs.errors import Failed, Invalid


class Guide:
    """Runs commands as a reader would type them, prints them and what they say.

    Stops at the first that does not do what the tour says of it.
    """

    def __init__(self, folder: Path, *, quiet: bool):
        self.folder = self.here = folder
        self.quiet = quiet

    def say(self, text: str = "") -> None:
        """A line of the guide's own."""
        if not self.quiet:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def station(self, title: str) -> None:
        """A heading."""
        self.say(f"\n# {title}")

    def cd(self, name: str) -> None:
        """Go to a folder of the tour's."""
        self.here = self.folder / name
        self.say(f"$ cd {os.path.relpath(self.here, self.folder / 'team')}" if name != "team" else "$ cd team")

    def write(self, path: str, text: str) -> None:
        """Write a file by hand."""
        self.say(f"$ cat > {path} <<END\n{text.rstrip()}\nEND")
        file = self.here / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def sbfs(self, *words: str, status: int = 0) -> str:
        """Run a command of sbfs."""
        return self._run("sbfs", [sys.executable, "-m", "sbfs"], words, status)

    def git(self, *words: str) -> str:
        """Run git."""
        return self._run("git", ["git"], words, 0)

    def python(self, script: str) -> str:
        """Run a script, by this very Python."""
        return self._run("python", [sys.executable], (script,), 0)

    def ask(self, *words: str) -> Mapping[str, object]:
        """Run a command of sbfs unseen, for what the next one needs to know."""
        said = self._call([sys.executable, "-m", "sbfs", "--json", *words]).stdout
        answer: Mapping[str, object] = json.loads(said)
        return answer

    def _run(self, name: str, program: list[str], words: tuple[str, ...], status: int) -> str:
        self.say("$ " + " ".join([name, *(_quote(word) for word in words)]))
        done = self._call([*program, *words])
        for said in (done.stdout, done.stderr):
            if said.strip():
                self.say(said.rstrip())
        if done.returncode != status:
            raise Failed(
                f"'{name} {' '.join(words)}' left with {done.returncode}, not {status}", hint=done.stderr.strip()
            )
        return done.stdout

    def _call(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        env = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "SBFS_"))}
        # A person without a Git identity takes the tour all the same.
        env |= {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in _IDENTITY.items()}
        return subprocess.run(command, cwd=self.here, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)


_LETTER = """\
# no id, no time: save fills them in
to_project: backend-api
subject: Found a bug
content: The numbers are one day old.
"""

_TALK = """\
{"role": "user", "name": "Pat", "content": "Why are the numbers one day old?", "timestamp": "2026-02-11T09:00:00Z"}
{"role": "assistant", "content": "The cache is filled at midnight. Shall I shorten it?", "timestamp": "2026-02-11T09:00:20Z"}
{"role": "user", "name": "Pat", "content": "To five minutes. The key is ghp_0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX", "timestamp": "2026-02-11T09:01:00Z"}
"""  # noqa: E501 - one message a line is the format

_IDENTITY = {"NAME": "A Reader", "EMAIL": "reader@example.com"}


def _quote(word: str) -> str:
    return f'"{word}"' if re.search(r"\s", word) and not re.search(r'["$`\\]', word) else shlex.quote(word)


def run(folder: str | None = None, *, quiet: bool = False) -> int:
    """Take the tour in a new folder. Returns the exit status."""
    if folder is None:
        root = Path(tempfile.mkdtemp(prefix="sbfs-tour-"))
    else:
        root = Path(folder).absolute()
        if root.exists() and any(root.iterdir()):
            raise Invalid(f"{root} is not empty", hint="name a new folder, or none at all")
        root.mkdir(parents=True, exist_ok=True)
    guide = Guide(root, quiet=quiet)
    guide.say(f"$ cd {root}")
    for station in (
        _begin,
        _mail,
        _by_hand,
        _conversations,
        _memory,
        _code,
        _search,
        _second_machine,
        _carry,
        _agents,
        _history,
    ):
        station(guide)
    guide.say(f"\nThe store is yours to go on with: {root / 'team'}")
    return 0


_AGENT = """\
import sys

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

SERVER = StdioServerParameters(
    command=sys.executable, args=["-m", "sbfs", "--store", ".", "mcp", "--project", "frontend"]
)
CALLS = (
    ("count_messages", {"project": "frontend"}),
    ("search_store", {"query": "How long are the stats cached?", "limit": 1}),
    ("send_project_message", {"from_project": "frontend", "to_project": "backend-api",
                              "subject": "Five minutes are enough", "message": "Thank you."}),
)


async def main():
    async with stdio_client(SERVER) as (read, write), ClientSession(read, write) as agent:
        await agent.initialize()
        for name, arguments in CALLS:
            said = (await agent.call_tool(name, arguments)).structured_content
            print(name, {key: said[key] for key in ("success", "count", "priority") if key in said})


anyio.run(main)
"""


def _begin(guide: Guide) -> None:
    guide.station("A store is a folder and a Git repository. Projects are who writes to whom.")
    guide.sbfs("init", "team")
    guide.cd("team")
    guide.sbfs("project", "add", "backend-api", "--description", "The API and its database")
    guide.sbfs("project", "add", "frontend", "--description", "The dashboard")
    guide.sbfs("project", "add", "qa")
    guide.sbfs("project", "relate", "frontend", "backend-api", "--type", "uses")


def _mail(guide: Guide) -> None:
    guide.station("Mail: one file in the sender's outbox, one in the recipient's inbox, one commit.")
    guide.write("../schema.json", '{"users": "number", "active": "number"}\n')
    guide.sbfs(
        "send", "backend-api", "frontend", "--subject", "User stats API ready", "--priority", "high",
        "--context", '{"endpoint": "/api/stats"}', "--attach", "../schema.json",
        "--body", "GET /api/stats is there. Cached for 5 minutes.",
    )  # fmt: skip
    guide.sbfs("inbox", "frontend")
    id = _latest(guide, "frontend")
    guide.sbfs("message", "read", id)
    guide.sbfs("message", "reply", id, "--body", "Thanks! Is there a limit on calls?")
    answer = _latest(guide, "backend-api")
    guide.sbfs("message", "reply", answer, "--body", "A hundred a minute.")
    guide.sbfs("message", "thread", id)
    guide.sbfs("message", "forward", id, "qa", "--note", "Please test the new endpoint.")
    guide.sbfs("message", "count", "qa", "--unread")


def _by_hand(guide: Guide) -> None:
    guide.station("Files are the truth: write one by hand, and save makes it count.")
    guide.write("projects/qa/outbox/bug.yaml", _LETTER)
    guide.sbfs("status")
    guide.sbfs("save")
    path = _latest_path(guide, "backend-api")
    guide.say(f"$ cat {path}")
    guide.say((guide.here / path).read_text().rstrip())


def _memory(guide: Guide) -> None:
    guide.station("What was learnt, and how good it is: reports of your own tools become a history.")
    guide.sbfs(
        "reflection", "add", "backend-api", "--type", "lesson", "--tag", "cache",
        "--title", "A cached answer needs the version in its key", "--text", "Else a release serves the old numbers.",
    )  # fmt: skip
    guide.sbfs("reflection", "list", "--tag", "cache")
    guide.write("../coverage.info", "SF:stats.py\nDA:1,4\nDA:2,4\nDA:3,0\nDA:4,1\nend_of_record\n")
    guide.sbfs("quality", "measure", "backend-api", "--coverage", "../coverage.info")
    guide.sbfs("quality", "trend", "backend-api")


def _code(guide: Guide) -> None:
    guide.station("The code graph: sbfs reads its own source, and is asked before anybody touches it.")
    source = Path(__file__).resolve().parent
    shutil.copytree(source, guide.folder / "code" / "sbfs", ignore=shutil.ignore_patterns("__pycache__"))
    guide.sbfs("graph", "index", "--path", "../code")
    guide.sbfs("graph", "callers", "merge_file")
    guide.sbfs("graph", "path", "sync.sync", "merge_file")
    guide.sbfs("graph", "impact", "check_incoming")
    guide.sbfs("docs", "index", "code")
    guide.sbfs("docs", "show", "merge_file")
    guide.sbfs("docs", "coverage", "--project", "code", "--file", "sbfs/merge.py")
    guide.sbfs("graph", "view", "code", "-o", "../code.html")


def _search(guide: Guide) -> None:
    guide.station(
        "Search: one question over everything, in your own words; misspelt words and names of code are found."
    )
    guide.sbfs("search", "how old are the numbers in the cache?")
    guide.sbfs("search", "is there a limit on calls?", "--around", "1")
    guide.sbfs("search", "dashbord", "--kind", "project")
    guide.sbfs("message", "search", "/api/stats", "--to", "qa")
    guide.sbfs("index", "verify")


def _conversations(guide: Guide) -> None:
    guide.station("Conversations with agents: imported once, without secrets, before their program deletes them.")
    guide.write("../talk.jsonl", _TALK)
    guide.sbfs("conversation", "import", "../talk.jsonl", "--project", "backend-api")
    guide.sbfs("conversation", "import", "../talk.jsonl", "--project", "backend-api")
    guide.sbfs("conversation", "list")
    guide.sbfs("conversation", "show", "talk-")
    guide.sbfs("conversation", "stats")


def _second_machine(guide: Guide) -> None:
    guide.station("Another machine: any Git repository that both can reach is the network.")
    _make_hub(guide)
    guide.sbfs("remote", "add", "origin", "../hub.git")
    guide.sbfs("sync")
    guide.sbfs("clone", "../hub.git", "../second")
    guide.cd("second")
    guide.sbfs("inbox", "backend-api", "--unread")
    guide.sbfs("message", "read", _latest(guide, "backend-api"))
    guide.station("Both change the same: what can be merged is, and a value that loses is kept.")
    guide.sbfs("project", "set", "qa", "--description", "Tests, and the test data")
    guide.sbfs("sync")
    guide.here = guide.folder / "team"
    guide.say("$ cd ../team")
    guide.sbfs("project", "set", "qa", "--description", "Tests on every push", "--add-tag", "nightly")
    guide.sbfs("sync")
    guide.sbfs("outbox", "qa")
    guide.sbfs("conflicts")
    id = str(guide.ask("conflicts", "list")["conflicts"][0]["id"])  # type: ignore[index]
    guide.sbfs("conflicts", "settle", id[:15], "--value", "Tests on every push, and the test data")
    guide.sbfs("sync")


def _make_hub(guide: Guide) -> None:
    if shutil.which("git"):
        guide.git("init", "--quiet", "--bare", "--initial-branch=main", "../hub.git")
        return
    from sbfs.git.transport import make_bare

    guide.say("(There is no git here, so this bare repository is made by sbfs.)")
    make_bare(guide.folder / "hub.git")


def _carry(guide: Guide) -> None:
    guide.station("Carry a project anywhere as one file: checked, previewed, merged under another name, undone.")
    guide.sbfs("export", "backend-api", "-o", "../backend.bundle")
    if shutil.which("git"):
        guide.git("bundle", "verify", "--quiet", "../backend.bundle")
    guide.sbfs("bundle", "verify", "../backend.bundle")
    guide.sbfs("init", "../elsewhere")
    guide.cd("elsewhere")
    guide.sbfs("import", "../backend.bundle", "--map", "backend-api=api")
    guide.sbfs("import", "../backend.bundle", "--map", "backend-api=api", "--strategy", "merge")
    guide.sbfs("import", "../backend.bundle", "--map", "backend-api=api")
    guide.sbfs("inbox", "api")
    guide.sbfs("undo")
    guide.sbfs("project", "list")
    guide.here = guide.folder / "team"
    guide.say("$ cd ../team")


def _agents(guide: Guide) -> None:
    guide.station("In an agent's hands: configurations and forms, hooks, and a server that a real client calls.")
    guide.sbfs("config", "apply", "frontend", "code-review")
    guide.sbfs("config", "list")
    guide.sbfs(
        "send", "qa", "frontend", "--template", "question",
        "--set", "question=Which numbers shall the test expect?", "--set", "tried=the schema",
    )  # fmt: skip
    guide.write("../.claude/settings.json", '{"model": "opus"}\n')
    guide.sbfs("hooks", "install", "claude-code", "--project", "..", "--as", "frontend")
    guide.sbfs("hooks", "uninstall", "claude-code", "--project", "..")
    guide.write("../agent.py", _AGENT)
    guide.python("../agent.py")
    guide.station("And on one page, how the team does.")
    guide.sbfs("stats")
    guide.sbfs("dashboard", "-o", "../dashboard.html")


def _history(guide: Guide) -> None:
    guide.station("Git is the history: what happened, taken back, and looked over.")
    guide.sbfs("message", "remove", _latest(guide, "qa"))
    guide.sbfs("undo")
    guide.sbfs("log", "--limit", "20")
    guide.sbfs("check")
    if shutil.which("git"):
        guide.git("status", "--short")


def _latest(guide: Guide, project: str) -> str:
    found = guide.ask("inbox", project, "--limit", "1")["messages"]
    assert isinstance(found, list)
    return str(found[0]["id"])


def _latest_path(guide: Guide, project: str) -> str:
    return str(guide.ask("message", "show", _latest(guide, project))["path"])
