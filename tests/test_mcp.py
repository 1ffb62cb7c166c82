"""The MCP server, driven by the SDK's own client over standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from helpers import assert_sound, git
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from sbfs import Store, messages, projects, sync, verbs
from sbfs.errors import Invalid
from sbfs.mcp import printing
from sbfs.mcp.filters import taken

SERVER = [sys.executable, "-m", "sbfs"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    with Store.init(folder) as store:
        for name in ("backend-api", "frontend"):
            projects.add(store, name=name)
    return folder


def ask(root: Path, talk: Callable[[ClientSession], Awaitable[Any]], *options: str) -> Any:
    """What a client that talks to a fresh server comes back with."""

    async def session() -> Any:
        start = [*SERVER[1:], "--store", str(root), "mcp", *options]
        parameters = StdioServerParameters(command=SERVER[0], args=start)
        async with stdio_client(parameters) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            return await talk(client)

    return anyio.run(session)


def call(root: Path, name: str, **arguments: Any) -> Any:
    return ask(root, lambda client: client.call_tool(name, arguments))


def document(result: Any) -> dict[str, Any]:
    """The structured result, which must be the text's too."""
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


def test_tools_have_the_fixed_names_and_parameters(root: Path) -> None:
    """Agents configured for the systems before sbfs call these tools by these names."""
    listed = ask(root, lambda client: client.list_tools())
    parameters = {tool.name: list(tool.input_schema["properties"]) for tool in listed.tools}
    assert parameters["send_project_message"][:7] == [
        "from_project", "to_project", "subject", "message", "priority", "message_type", "context",
    ]  # fmt: skip
    assert parameters["list_project_messages"][:3] == ["project", "status", "priority"]
    assert parameters["forward_project_message"] == [
        "original_message_id", "from_project", "to_project", "forward_note",
    ]  # fmt: skip
    assert {tool.name for tool in listed.tools} == {verb.tool for verb in verbs.VERBS if verb.tool}
    assert all(tool.description and len(tool.description) > 40 for tool in listed.tools)


def test_send_list_and_forward(root: Path) -> None:
    """The three tools do what their commands do, with the results that the spec fixes."""

    async def talk(client: ClientSession) -> list[dict[str, Any]]:
        sent = await client.call_tool(
            "send_project_message",
            {
                "from_project": "backend-api",
                "to_project": "frontend",
                "subject": "User stats API ready",
                "message": "GET /api/stats is there.",
                "priority": "high",
                "context": {"endpoint": "/api/stats"},
            },
        )
        first = document(sent)
        forward = {"original_message_id": first["message_id"], "from_project": "frontend", "to_project": "backend-api"}
        forwarded = await client.call_tool("forward_project_message", {**forward, "forward_note": "for you"})
        listed = await client.call_tool("list_project_messages", {"project": "backend-api"})
        unread = await client.call_tool(
            "list_project_messages", {"project": "frontend", "status": "unread", "priority": "high"}
        )
        return [first, document(forwarded), document(listed), document(unread)]

    sent, forwarded, listed, unread = ask(root, talk)
    assert sent["success"] is True
    assert sent["priority"] == "high"
    assert sent["message_id"].startswith("msg-")
    assert sent["timestamp"].endswith("Z")
    assert forwarded["success"] is True
    (mail,) = listed["messages"]
    assert (listed["count"], listed["total"], listed["next"]) == (1, 1, None)
    assert mail["subject"] == "Fwd: User stats API ready"
    assert mail["forwarded_from"]["original_message_id"] == sent["message_id"]
    assert mail["forwarded_from"]["forward_note"] == "for you"
    assert mail["content"]["context"] == {"endpoint": "/api/stats"}
    assert unread["messages"][0]["content"]["message"] == "GET /api/stats is there."


def test_a_tool_answers_what_its_command_prints(root: Path) -> None:
    """One set of verbs: tool, command and function give one document."""
    with Store.open(root) as store:
        messages.send(store, from_project="frontend", to_project="backend-api", subject="Hello", message="x" * 3000)
        told = document(call(root, "list_project_messages", project="backend-api"))
        assert told == verbs.run("message.list", store, project="backend-api")
    command = [*SERVER, "--store", str(root), "--json", "message", "list", "backend-api"]
    printed = subprocess.run(command, capture_output=True, check=True, text=True)
    assert json.loads(printed.stdout) == told
    assert told["messages"][0]["content"]["truncated"] is True


def test_sync_by_an_agent(root: Path, tmp_path: Path) -> None:
    """Breaks if an agent could not meet other machines, or a sync that fails were no error to it."""
    alone = call(root, "sync_store")
    assert (alone.is_error, document(alone)["code"]) == (True, "invalid")
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "hub.git")
    with Store.open(root) as store:
        sync.remote_add(store, name="origin", url=str(tmp_path / "hub.git"))
    said = document(call(root, "sync_store"))
    assert (said["success"], said["remote"], said["conflicts"]) == (True, "origin", [])
    assert said["sent"] > 0


def test_memory_by_an_agent(root: Path) -> None:
    """Breaks if an agent could not keep what it learnt or measured, or a null came out as a number."""

    async def talk(client: ClientSession) -> list[Any]:
        lesson = {"project": "frontend", "title": "Cache", "type": "lesson", "tags": ["db"], "conversation": "c-1"}
        parts = {"project": "frontend", "components": {"coverage": 80, "types": None}, "conversation": "c-1"}
        return [
            await client.call_tool("add_reflection", lesson),
            await client.call_tool("add_quality", parts),
            await client.call_tool("add_quality", {"project": "frontend"}),
            await client.call_tool("add_reflection", {**lesson, "type": "fact"}),
        ]

    learnt, measured, nothing, fact = ask(root, talk)
    with Store.open(root) as store:
        (told,) = verbs.run("reflection.list", store, project="frontend")["reflections"]
        assert document(learnt)["reflection"] == told
        (kept,) = verbs.run("quality.list", store, project="frontend")["measurements"]
    assert document(measured)["measurement"] == kept
    assert (kept["score"], kept["components"]["types"]) == (80, {"value": None})
    assert [document(one)["code"] for one in (nothing, fact)] == ["invalid", "usage"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"from_project": "backend-api", "to_project": "nobody"}, "not_found"),
        ({"from_project": "backend-api", "to_project": "frontend", "subject": " "}, "invalid"),
        ({"from_project": "backend-api", "to_project": "frontend", "priority": "soon"}, "usage"),
        ({"from_project": "backend-api"}, "usage"),
        ({"from_project": "backend-api", "to_project": "../../etc"}, "not_found"),
        ({"from_project": "backend-api", "to_project": "frontend", "in_reply_to": ["a"]}, "usage"),
    ],
)
def test_errors_have_the_shape_of_the_command_line(root: Path, arguments: dict[str, Any], code: str) -> None:
    """AM-2: one validation for all ways in; an agent reads a sentence, a code and a hint, no traceback."""
    with Store.open(root) as store:
        before = store.head()
        result = call(root, "send_project_message", **{"subject": "S", "message": "M", **arguments})
        said = document(result)
        assert result.is_error
        assert said["success"] is False
        assert said["code"] == code
        assert said["error"]
        assert "Traceback" not in said["error"]
        assert store.head() == before


def test_what_breaks_is_told_as_a_fault(root: Path) -> None:
    """A crash of ours that says nothing but the tool's name; a tool that there is not."""
    unknown = document(call(root, "no_such_tool"))
    assert (unknown["code"], "no_such_tool" in unknown["error"]) == ("usage", True)
    zero = document(call(root, "import_session_config", zip_path="a\0b"))
    assert (zero["code"], zero["hint"]) == ("failed", "check the name of the file")


def test_nothing_but_protocol_reaches_standard_output(root: Path) -> None:
    """Failure mode 50: a stray line on standard output breaks every client; garbage in is survived."""
    start = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    lines = [
        "this is no JSON",
        json.dumps(start),
        '{"half": ',
        json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
    ]
    command = [*SERVER, "--store", str(root), "mcp"]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert "Traceback" not in done.stderr


def test_no_store_is_said_at_once(tmp_path: Path) -> None:
    """A server that starts without a store would fail at every call instead of once."""
    done = subprocess.run(
        [*SERVER, "--store", str(tmp_path), "mcp"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 6
    assert "is not a store" in done.stderr


def test_an_agent_searches_and_filters(root: Path) -> None:
    """The tool answers what the command prints; a wrong filter is an error, not an empty list."""
    with Store.open(root) as store:
        messages.send(
            store, from_project="frontend", to_project="backend-api", subject="Zoo", message="A zebra crosses."
        )
        messages.send(store, from_project="backend-api", to_project="frontend", subject="Zoo", message="A zebra sits.")

    async def talk(client: ClientSession) -> list[Any]:
        calls: list[dict[str, Any]] = [
            {"query": "zebras"},
            {"query": "zebras", "filters": {"sender": "frontend", "since": "7d", "project": "backend-api"}, "limit": 1},
            {"query": "zebras", "kinds": ["message"], "filters": {"until": "7d"}},
            {"query": "zebra", "filters": {"since": "nonsense"}},
            {"query": ""},
        ]
        return [await client.call_tool("search_store", one) for one in calls]

    every, some, none, *wrong = ask(root, talk)
    assert [document(one).get("error") for one in (every, some, none)] == [None] * 3
    assert (document(every)["count"], document(some)["count"], document(none)["count"]) == (2, 1, 0)
    with Store.open(root) as store:
        assert verbs.run("search", store, query="zebras") == document(every)
    (result,) = document(some)["results"]
    assert result["snippet"] == "A **zebra** crosses."
    assert {"id", "kind", "project", "title", "timestamp", "score", "snippet", "path"} <= result.keys()
    assert [(one.is_error, document(one)["code"]) for one in wrong] == [(True, "invalid")] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("colour", "red"), ("sender", 5), ("project", {"web": 1}), ("min_quality", "high"), ("min_quality", True),
     ("thinking", "no"), ("path", ["a"]), ("since", 5), ("tags", [1])],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_named(name: str, value: Any) -> None:
    """A slip in a filter's name that finds nothing, as if there were nothing; a value of a wrong type that crashes."""
    with pytest.raises(Invalid) as caught:
        taken({"until": "7d", name: value})
    assert caught.value.field == f"filters.{name}"
    assert caught.value.hint
    assert taken({"min_quality": 7, "sender": "web", "tool": ["a", "b"], "tags": [], "path": None}) == {
        "min_quality": 7,
        "where": {"sender": "web", "tool": ["a", "b"]},
    }


def test_an_agent_whose_project_is_fixed_is_no_other(root: Path) -> None:
    """An agent that sends, keeps or marks in another's name."""
    with Store.open(root) as store:
        mine = messages.send(store, from_project="backend-api", to_project="frontend", subject="Mine", message="x")
        other = messages.send(store, from_project="frontend", to_project="backend-api", subject="Other", message="x")
    ids = [sent.messages[0].id for sent in (mine, other)]
    letter = {"to_project": "backend-api", "subject": "S", "message": "M"}

    async def talk(client: ClientSession) -> list[Any]:
        calls: list[tuple[str, dict[str, Any]]] = [
            ("send_project_message", {**letter, "from_project": "frontend"}),
            ("read_message", {"message_id": ids[0]}),
            ("reply_to_message", {"message_id": ids[0], "message": "Thanks"}),
            ("mark_messages", {"message_ids": [ids[0]], "status": "archived"}),
            ("count_messages", {"project": "backend-api"}),
            ("read_message", {"message_id": ids[1], "mark_read": False}),
            ("send_project_message", {**letter, "from_project": "backend-api"}),
            ("add_reflection", {"project": "backend-api", "title": "x"}),
            ("mark_messages", {"message_ids": ids, "status": "read"}),
            ("read_message", {"message_id": ids[1]}),
        ]
        return [await client.call_tool(name, given) for name, given in calls]

    said = [document(one) for one in ask(root, talk, "--project", "frontend")]
    assert [one["success"] for one in said] == [True] * 6 + [False] * 4
    assert {one["code"] for one in said[6:]} == {"invalid"}
    assert said[1]["message"]["status"] == "read"
    with Store.open(root) as store:
        assert messages.show(store, message_id=ids[0]).message.status == "archived"
        assert messages.show(store, message_id=ids[1]).message.status == "unread"


def test_a_server_may_have_fewer_tools(root: Path) -> None:
    """A server that only reads, and has a tool that writes; a tool that is in no group."""

    def names(*options: str) -> set[str]:
        return {tool.name for tool in ask(root, lambda client: client.list_tools(), *options).tools}

    everything = names()
    reading = names("--read-only")
    assert reading < everything
    writing = ("send", "add", "import", "export", "sync", "mark", "reply", "forward", "index", "read_message")
    assert not [name for name in reading if name.startswith(writing)]
    assert names("--tools", "mail") | names("--tools", "memory,search,conversations,code,docs,store") == everything
    assert "search_store" not in names("--tools", "mail")
    for wrong in (["--tools", "letters"], ["--project", "nobody"]):
        done = subprocess.run(
            [*SERVER, "--store", str(root), "mcp", *wrong], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert (done.returncode in (3, 4), done.stdout) == (True, "")


def test_descriptions_stay_short(root: Path) -> None:
    """Every tool costs every agent its description."""
    tools = ask(root, lambda client: client.list_tools()).tools
    size = sum(len(json.dumps([tool.name, tool.description, tool.input_schema])) for tool in tools)
    assert size < 24_000


def test_resources_and_prompts(root: Path) -> None:
    """An address that leads nowhere, or out; a prompt that names another project."""
    with Store.open(root) as store:
        sent = messages.send(store, from_project="backend-api", to_project="frontend", subject="Hello", message="World")
        id = sent.messages[0].id

    async def talk(client: ClientSession) -> list[Any]:
        found = [
            await client.read_resource(f"sbfs://{place}") for place in ("projects/frontend/inbox", f"messages/{id}")
        ]
        texts = [json.loads(one.contents[0].text) for one in found]
        listed = await client.list_resource_templates()
        prompts = await client.list_prompts()
        asked = await client.get_prompt("catch-up", {"about": "caches"})
        missing = []
        for place in ("messages/msg-none", "projects/nobody/inbox", "messages/..%2F..%2Fetc", "nothing/x"):
            try:
                missing.append(str(await client.read_resource(f"sbfs://{place}")))
            except Exception as error:
                missing.append(f"refused: {error}")
        return [texts, listed, prompts, asked, missing]

    (inbox, message), listed, prompts, asked, missing = ask(root, talk, "--project", "frontend")
    assert (inbox["count"], message["message"]["content"]["message"]) == (1, "World")
    assert {one.uri_template for one in listed.resource_templates} >= {"sbfs://conversations/{conversation_id}"}
    assert {one.name for one in prompts.prompts} == {"catch-up", "hand-over", "review-my-mail"}
    assert "frontend" in asked.messages[0].content.text
    assert "caches" in asked.messages[0].content.text
    assert all(one.startswith("refused: ") and "Traceback" not in one for one in missing)
    assert "no project 'nobody' in this store (there are backend-api, frontend)" in missing[1]


def test_a_client_that_dies_and_one_that_floods(root: Path) -> None:
    """A server that outlives its client, holds the lock, or dies of a line of 50 MB."""
    command = [*SERVER, "--store", str(root), "mcp"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert server.stdin
    with suppress(BrokenPipeError):
        server.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "' + b"x" * 50_000_000)
        server.stdin.close()
    assert server.wait(60) is not None
    server.stdout.close()
    assert b"Traceback" not in server.stderr.read()
    server.stderr.close()
    with Store.open(root, lock_wait=1) as store:
        assert messages.send(store, from_project="backend-api", to_project="frontend", subject="S", message="M")


def test_servers_and_commands_write_at_once(root: Path) -> None:
    """A message that is lost, or an agent that is told `busy`, where many write."""

    async def talk(client: ClientSession) -> int:
        given = {"from_project": "backend-api", "to_project": "frontend", "subject": "S", "message": "M"}
        return sum([not (await client.call_tool("send_project_message", given)).is_error for _ in range(5)])

    def by_command(_: int) -> int:
        sent = [*SERVER, "--store", str(root), "send", "frontend", "backend-api", "-s", "S", "-b", "M"]
        return sum(subprocess.run(sent, capture_output=True).returncode == 0 for _ in range(3))

    with ThreadPoolExecutor(8) as pool:
        servers = [pool.submit(ask, root, talk) for _ in range(4)]
        commands = [pool.submit(by_command, number) for number in range(4)]
        assert (sum(one.result() for one in servers), sum(one.result() for one in commands)) == (20, 12)
    with Store.open(root) as store:
        assert messages.count(store, project="frontend") == 20
        assert messages.count(store, project="backend-api") == 12
    assert_sound(root)


def test_what_is_to_be_pasted_starts_a_server(root: Path) -> None:
    """A configuration whose command does not run."""
    for program in printing.PROGRAMS:
        asked = [*SERVER, "--store", str(root), "--json", "mcp", "--project", "frontend", "--print-config", program]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        said = json.loads(done.stdout)
        assert said["command"][-2:] == ["--project", "frontend"]
        assert "sbfs" in said["text"]
        if program not in ("claude-code", "codex"):
            ((_, servers),) = json.loads(said["text"]).items()
            assert [servers["sbfs"]["command"], *servers["sbfs"]["args"]] == said["command"]
    assert tomllib.loads(printing.entry("codex", ["a b", "x"])[1])["mcp_servers"]["sbfs"]["args"] == ["x"]
    assert printing.entry("claude-code", ["a b", "x"])[1] == "claude mcp add sbfs -- 'a b' x"


def test_long_work_says_how_far_it_is(root: Path, tmp_path: Path) -> None:
    """A client that waits for minutes without a word; a parameter of ours in a tool's schema."""
    (tmp_path / "code").mkdir()
    for number in range(30):
        (tmp_path / "code" / f"m{number}.py").write_text(f"def f{number}():\n    return f{number}()\n")
    told: list[tuple[float, float | None]] = []

    async def hear(done: float, whole: float | None, message: str | None) -> None:
        told.append((done, whole))

    async def talk(client: ClientSession) -> Any:
        tools = await client.list_tools()
        given = {"project_path": str(tmp_path / "code")}
        return tools, await client.call_tool("index_code_graph", given, progress_callback=hear)

    tools, indexed = ask(root, talk)
    assert document(indexed)["stats"]["files_indexed"] == 30
    assert told
    assert all(whole is None or done <= whole for done, whole in told)
    assert not [
        tool.name
        for tool in tools.tools
        if "context" in tool.input_schema["properties"] and tool.name.startswith("index")
    ]
