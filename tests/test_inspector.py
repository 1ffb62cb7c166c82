"""Every tool, address and prompt of the server, called by the MCP Inspector's command line.

The Inspector is a client that is not ours and not of the SDK that the server is made with. Each call is a process of
its own, as a person at a terminal makes it. What it needs: `mcp-inspector` on the PATH, with its Node (`.ci/run`
installs both); without it, these tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from domain_helpers import Shell, mail
from graph_helpers import lay
from helpers import git
from transcript_helpers import answered, said, write

from sbfs import Store, conversations, documentation, projects, quality, reflections, sync, verbs

PROGRAM = shutil.which("mcp-inspector")
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="mcp-inspector is not on the PATH: npm install --global @modelcontextprotocol/inspector"
)

FAILED = 5
"""The Inspector's exit status for a tool's result that is an error."""


@dataclass(frozen=True)
class Case:
    """A tool's calls. good: arguments. command: what prints the same at a shell. bad: arguments that fit the schema
    and are wrong, with the code they get. misfit: arguments that do not fit, with the names that are complained of; a
    list where a number or a switch is due, since the Inspector reads words as such itself."""

    good: dict[str, Any]
    command: list[str]
    bad: dict[str, Any]
    code: str
    misfit: dict[str, Any]
    names: tuple[str, ...]
    without: tuple[str, ...] = field(default=())
    """Parts of the answer that the command does not have, or has otherwise."""


LETTER = {"from_project": "web", "to_project": "api", "subject": "Deploy", "message": "At noon."}
CASES = {
    # The second of the two finds the remote filled.
    "sync_store": Case({}, ["sync"], {"remote": "nowhere"}, "not_found", {"remote": 1}, ("remote",), without=("sent",)),
    "send_project_message": Case(
        LETTER, ["send", "web", "api", "-s", "Deploy", "-b", "At noon."],
        {**LETTER, "to_project": "nobody"}, "not_found",
        {**LETTER, "subject": None, "priority": "soon"}, ("subject", "priority"),
    ),
    "list_project_messages": Case(
        {"project": "api", "status": "unread"}, ["inbox", "api", "--unread"],
        {"project": "nobody"}, "not_found", {"limit": "many"}, ("project", "limit"),
    ),
    "forward_project_message": Case(
        {"original_message_id": "{first}", "from_project": "api", "to_project": "web", "forward_note": "For you."},
        ["message", "forward", "{first}", "web", "--from", "api", "--note", "For you."],
        {"original_message_id": "msg-none", "from_project": "api", "to_project": "web"}, "not_found",
        {"original_message_id": ["{first}"], "to_project": "web"}, ("original_message_id", "from_project"),
    ),
    "read_message": Case(
        {"message_id": "{first}"}, ["message", "read", "{first}"],
        {"message_id": "msg-none"}, "not_found", {"mark_read": [1]}, ("message_id", "mark_read"),
    ),
    "reply_to_message": Case(
        {"message_id": "{first}", "message": "Thanks."}, ["message", "reply", "{first}", "-b", "Thanks."],
        {"message_id": "msg-none", "message": "x"}, "not_found",
        {"message_id": "{first}", "context": "x"}, ("message", "context"),
    ),
    "mark_messages": Case(
        {"message_ids": ["{first}"], "status": "archived"}, ["message", "mark", "{first}", "archived"],
        {"message_ids": ["{first}", "msg-none"], "status": "read"}, "not_found",
        {"message_ids": "{first}", "status": "lost"}, ("message_ids", "status"),
    ),
    "count_messages": Case(
        {"project": "api"}, ["message", "count", "api", "--unread"],
        {"project": "nobody"}, "not_found", {"unread": [1]}, ("project", "unread"),
    ),
    "add_reflection": Case(
        {"project": "web", "title": "Cache", "text": "Five minutes.", "type": "lesson", "tags": ["db"]},
        ["reflection", "add", "web", "--title", "Cache", "--text", "Five minutes.", "--type", "lesson", "--tag", "db"],
        {"project": "nobody", "title": "Cache"}, "not_found",
        {"project": "web", "type": "fact"}, ("title", "type"),
    ),
    "add_quality": Case(
        {"project": "web", "components": {"coverage": 81.5, "types": None}},
        ["quality", "add", "web", "--component", "coverage=81.5", "--component", "types=null"],
        {"project": "web", "score": 101}, "invalid", {"score": [1]}, ("project", "score"),
    ),
    "search_store": Case(
        {"query": "what did the log say", "filters": {"sender": ["web"]}, "limit": 3},
        ["search", "what did the log say", "--from", "web", "--limit", "3"],
        {"query": "log", "filters": {"colour": "red"}}, "invalid", {"kinds": "message"}, ("query", "kinds"),
    ),
    "search_conversations": Case(
        {"query": "slow build", "filters": {"project": "web"}},
        ["conversation", "search", "slow build", "--project", "web"],
        {"query": "log", "filters": {"min_quality": "high"}}, "invalid", {"filters": []}, ("query", "filters"),
    ),
    "get_conversation_stats": Case(
        {"session_id": "web", "by": "model"}, ["conversation", "stats", "web", "--by", "model"],
        {"session_id": "*", "time_range": "soon"}, "invalid", {"zone": 1}, ("session_id", "zone"),
    ),
    "import_conversations": Case(
        {"paths": ["{talk}"], "project": "api", "dry_run": True},
        ["conversation", "import", "{talk}", "--project", "api", "--dry-run"],
        {"paths": ["{talk}/none"]}, "failed", {"paths": "{talk}", "format": "word"}, ("paths", "format"),
    ),
    "get_agent_context": Case(
        {"agent_id": "web", "query": "why is the build of Cart slow", "budget": 2000},
        ["context", "web", "why is the build of Cart slow", "--budget", "2000"],
        {"agent_id": "web", "query": "x", "budget": 3}, "invalid",
        {"agent_id": "web", "context_type": "mail"}, ("query", "context_type"),
    ),
    "export_session_config": Case(
        {"session_id": "web"}, ["export", "web", "--format", "zip", "-o", "{folder}/web.zip"],
        {"session_id": "nobody"}, "not_found", {"format": "tar"}, ("session_id", "format"),
        without=("export_path",),
    ),
    "import_session_config": Case(
        {"zip_path": "{file}"}, ["import", "{file}"],
        {"zip_path": "{file}.none"}, "failed", {"map": "a=b"}, ("zip_path", "map"),
    ),
    "index_code_graph": Case(
        {"project_path": "{code}"}, ["graph", "index", "--path", "{code}"],
        {"project_path": "{code}/none"}, "invalid", {"project_path": 1}, ("project_path",),
    ),
    "query_code_graph": Case(
        {"question": "callers", "symbol": "price_of", "depth": 2}, ["graph", "callers", "price_of", "--depth", "2"],
        {"question": "callers", "symbol": "nothing_like_it"}, "not_found",
        {"question": "why", "depth": "deep"}, ("question", "depth"),
    ),
    "find_related_code": Case(
        {"file_path": "shop/cart.py", "relationship_type": "imports"},
        ["graph", "related", "shop/cart.py", "--type", "imports"],
        {"file_path": "shop/none.py"}, "not_found", {"relationship_type": "likes"}, ("file_path", "relationship_type"),
    ),
    "index_documentation": Case(
        {"project_path": "{code}", "file_patterns": ["shop/*"]},
        ["docs", "index", "--path", "{code}", "--pattern", "shop/*"],
        {"project_path": "{code}", "file_patterns": [" "]}, "invalid",
        {"file_patterns": "shop/*"}, ("project_path", "file_patterns"),
    ),
    "search_documentation": Case(
        {"query": "what people buy", "doc_types": ["module"]},
        ["docs", "search", "what people buy", "--type", "module"],
        {"query": "x", "project": "nobody"}, "not_found", {"limit": "few"}, ("query", "limit"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Prepared:
    """A store, and the words that cases name."""

    root: Path
    words: dict[str, str]

    def filled(self, value: Any) -> Any:
        """The value with the words in it."""
        if isinstance(value, dict):
            return {key: self.filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        return value.format(**self.words) if isinstance(value, str) else value


def _made(folder: Path) -> dict[str, str]:
    """Lay out a store with something of everything, and what is beside it. Returns the words that cases name."""
    code = lay(folder / "code")
    talk = write(
        folder / "talk.jsonl", said("u1", "Why is the build slow?"), answered("a1", "m1", "The log says: no cache.")
    )
    git(folder, "init", "-q", "--bare", "-b", "main", "hub.git")
    with Store.init(folder / "store") as store:
        for name in ("web", "api"):
            projects.add(store, name=name)
        documentation.index(store, path=code)
        first = mail(store)
        reflections.add(store, project="web", title="Builds want a cache", type="lesson")
        quality.add(store, project="web", score=70)
        conversations.import_(store, paths=[talk], project="web")
        (conversation,) = conversations.list(store).items
        verbs.run("export", store, projects=("api",), format="zip", output=folder / "api.zip")
        sync.remote_add(store, name="origin", url=str(folder / "hub.git"))
    beside = {"code": code, "talk": talk, "file": folder / "api.zip"}
    return {name: str(path) for name, path in beside.items()} | {
        "conversation": conversation.header.id,
        "first": first.id,
    }


@pytest.fixture
def prepared(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A copy of a store that is made once a worker."""
    once = tmp_path_factory.getbasetemp() / "inspected"
    if not (once / "words.json").exists():
        once.mkdir()
        (once / "words.json").write_text(json.dumps(_made(once)))
    words = json.loads((once / "words.json").read_text())
    shutil.copytree(once / "store", tmp_path / "store", symlinks=True)
    return Prepared(tmp_path / "store", {**words, "folder": str(tmp_path)})


def inspect(root: Path, *asked: str) -> tuple[int, Any, str]:
    """(exit status, what the server answered, what was said on standard error) of one call of the Inspector."""
    assert PROGRAM
    server = [sys.executable, "-m", "sbfs", "--store", str(root), "mcp"]
    # Its Node lies beside it.
    path = os.pathsep.join([str(Path(PROGRAM).parent), os.environ["PATH"]])
    done = subprocess.run(
        [PROGRAM, "--cli", *server, "--format", "json", "--connect-timeout", "60000", *asked],
        capture_output=True, text=True, env={**os.environ, "PATH": path}, stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)["result"] if done.stdout.strip() else None, done.stderr


def called(root: Path, tool: str, arguments: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """(exit status, document) of one call of a tool. The document is the same as text and as a structured result."""
    asked = ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)]
    status, result, noise = inspect(root, *asked)
    assert result, noise
    (text,) = result["content"]
    assert json.loads(text["text"]) == result["structuredContent"]
    assert result["isError"] is (status == FAILED)
    return status, result["structuredContent"]


def plain(document: dict[str, Any], prepared: Prepared, without: tuple[str, ...]) -> Any:
    """A document where ids that are new, moments and the place of the store are replaced by words."""
    text = json.dumps({key: one for key, one in document.items() if key not in without}, sort_keys=True)
    text = text.replace(str(prepared.root), "STORE")
    known = {*prepared.words.values()}
    text = re.sub(r"\b[a-z]+-[0-9A-Z]{26}\b", lambda one: one[0] if one[0] in known else "ID", text)
    text = re.sub(r"\b20\d\d-\d\d-\d\dT[\d:.]+Z", "MOMENT", re.sub(r"\b[0-9a-f]{40}\b", "REVISION", text))
    # As values: the Inspector writes 1.0 as 1.
    return json.loads(text)


def test_every_tool_has_its_calls(prepared: Prepared) -> None:
    """A tool that nobody called; a schema that other programs cannot read."""
    status, said, noise = inspect(prepared.root, "--method", "tools/list", "--strict")
    assert (status, noise) == (0, "")
    assert {tool["name"] for tool in said["tools"]} == {*CASES}
    for tool in said["tools"]:
        known, case = tool["inputSchema"]["properties"], CASES[tool["name"]]
        assert {*case.good, *case.bad, *case.misfit} <= {*known}
        assert {*tool["inputSchema"].get("required", ())} <= {*case.good}
        assert tool["outputSchema"]["type"] == "object"


@pytest.mark.parametrize("tool", CASES)
def test_a_tool_answers_what_its_command_prints(tool: str, prepared: Prepared, tmp_path: Path) -> None:
    """A tool that does another thing than its command, or answers in another shape."""
    case = CASES[tool]
    other = Prepared(tmp_path / "other", prepared.words)
    shutil.copytree(prepared.root, other.root, symlinks=True)
    status, document = called(prepared.root, tool, prepared.filled(case.good))
    assert (status, document["success"]) == (0, True), document
    printed = Shell(other.root).json(*prepared.filled(case.command))
    assert document.keys() == printed.keys()
    assert plain(document, prepared, case.without) == plain(printed, other, case.without)


@pytest.mark.parametrize("tool", CASES)
def test_a_wrong_value_is_told_with_what_to_do(tool: str, prepared: Prepared) -> None:
    """A wrong value that is let pass, changes the store, or is answered by a crash, or by no word on what to do."""
    case = CASES[tool]
    with Store.open(prepared.root) as store:
        before = store.head()
        status, document = called(prepared.root, tool, prepared.filled(case.bad))
        assert (status, document["success"], document["code"]) == (FAILED, False, case.code), document
        assert document.keys() - {"details"} == {"success", "error", "code", "hint"}
        assert document["error"]
        assert document["hint"]
        assert store.head() == before


@pytest.mark.parametrize("tool", CASES)
def test_what_does_not_fit_the_schema_is_named(tool: str, prepared: Prepared) -> None:
    """A parameter that is missing or of a wrong type, and an answer that does not name it."""
    case = CASES[tool]
    status, document = called(prepared.root, tool, prepared.filled(case.misfit))
    assert (status, document["success"], document["code"]) == (FAILED, False, "usage"), document
    complained = [part.partition(":")[0] for part in document["error"].split("; ")]
    assert {one.partition(".")[0] for one in complained} == {*case.names}
    assert document["hint"]


def test_addresses(prepared: Prepared) -> None:
    """An address that the Inspector cannot list or read; one that leads nowhere, and does not say so."""
    root, words = prepared.root, prepared.words
    _, listed, _ = inspect(root, "--method", "resources/templates/list")
    reached = {
        "sbfs://projects/{project}/inbox": ("projects/api/inbox", ["inbox", "api"]),
        "sbfs://messages/{message_id}": (f"messages/{words['first']}", ["message", "show", words["first"]]),
        "sbfs://conversations/{conversation_id}": (
            f"conversations/{words['conversation']}", ["conversation", "show", words["conversation"]],
        ),
        "sbfs://projects/{project}/symbols/{symbol}": ("projects/code/symbols/price_of", ["graph", "show", "price_of"]),
    }  # fmt: skip
    assert {one["uriTemplate"] for one in listed["resourceTemplates"]} == {*reached}
    for address, command in reached.values():
        status, said, _ = inspect(root, "--method", "resources/read", "--uri", f"sbfs://{address}")
        (content,) = said["contents"]
        assert (status, json.loads(content["text"])) == (0, Shell(root).json(*command))
    assert inspect(root, "--method", "resources/list")[:2] == (0, {"resources": []})
    status, _, noise = inspect(root, "--method", "resources/read", "--uri", "sbfs://projects/ap/inbox")
    assert status != 0
    assert "no project 'ap' in this store (did you mean api?)" in noise


def test_prompts(prepared: Prepared) -> None:
    """A prompt that cannot be asked for, or forgets what it was told."""
    _, listed, _ = inspect(prepared.root, "--method", "prompts/list")
    given = {"catch-up": "about=caches", "hand-over": "to=api", "review-my-mail": ""}
    assert {one["name"] for one in listed["prompts"]} == {*given}
    for name, argument in given.items():
        more = ["--prompt-args", argument] if argument else []
        status, said, _ = inspect(prepared.root, "--method", "prompts/get", "--prompt-name", name, *more)
        (message,) = said["messages"]
        assert (status, message["role"]) == (0, "user")
        assert argument.partition("=")[2] in message["content"]["text"]
    status, _, noise = inspect(prepared.root, "--method", "prompts/get", "--prompt-name", "nothing")
    assert (status != 0, "nothing" in noise) == (True, True)
