"""Measure what agents wait for: `python benchmarks/agents.py`.

The server is asked by the SDK's own client over standard input and output; hooks are whole processes. Stores are
those of `mail.py`.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import stores
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from measure import SBFS, Row, Series, arguments, carry_out, interleave, run, tell, timed

from sbfs import messages, projects
from sbfs.store import Store

PARTIES = stores.PROJECTS[:2]
RUNS = 15
QUESTION = "why is the build red since this morning"

START = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}


def talk(root: Path, what: Callable[[ClientSession], Awaitable[Any]]) -> Any:
    """What a client that talks to a fresh server comes back with."""

    async def session() -> Any:
        parameters = StdioServerParameters(command=str(SBFS), args=["--store", str(root), "mcp"])
        async with AsyncExitStack() as stack:
            read, write = await stack.enter_async_context(stdio_client(parameters))
            client = await stack.enter_async_context(ClientSession(read, write))
            await client.initialize()
            return await what(client)

    return anyio.run(session)


async def _timed_call(client: ClientSession, name: str, given: dict[str, Any]) -> float:
    start = time.perf_counter()
    result = await client.call_tool(name, given)
    seconds = time.perf_counter() - start
    if result.is_error:
        raise RuntimeError(str(result.structured_content))
    return seconds


def _initialized(root: Path) -> None:
    """Start a server, ask it to begin, and wait for its answer."""
    server = subprocess.Popen([SBFS, "--store", root, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin and server.stdout
    server.stdin.write(json.dumps(START).encode() + b"\n")
    server.stdin.flush()
    if b'"result"' not in server.stdout.readline():
        raise RuntimeError("the server did not answer")
    server.stdin.close()
    server.stdout.close()
    server.wait(30)


def initialize(root: Path, size: int) -> Iterator[Row]:
    """The server's first answer, from the start of its process."""
    ours, peer = interleave(RUNS, lambda: _initialized(root), lambda: run(SBFS, "--help"))
    yield Row("`initialize`", size, ours, "`sbfs --help`:", peer, ours.median, "<= 1.5")


def send(root: Path, size: int) -> Iterator[Row]:
    """A warm call of a server, in turn with the library's send on an open store."""
    given = {"from_project": PARTIES[0], "to_project": PARTIES[1], "subject": "Bench", "message": "x " * 200}

    async def calls(client: ClientSession) -> tuple[list[float], list[float]]:
        tool, library = [], []
        with Store.open(root) as store:
            for turn in range(3 + 4 * RUNS):
                seconds = await _timed_call(client, "send_project_message", given)
                own = timed(lambda: messages.send(store, **given))  # type: ignore[arg-type]
                if turn >= 3:
                    tool.append(seconds)
                    library.append(own)
        return tool, library

    tool, library = map(Series, talk(root, calls))
    yield Row("`send_project_message`", size, tool, "`messages.send`:", library, tool.median / library.median, "<= 1.5")


def inbox(root: Path, size: int) -> Iterator[Row]:
    """A warm list of a project's mail."""
    yield _warm(root, size, "list_project_messages", {"project": PARTIES[1]}, "<= 0.05")


def context(root: Path, size: int) -> Iterator[Row]:
    """A warm answer to a question, with the index made."""
    given = {"agent_id": PARTIES[1], "query": QUESTION}
    yield _warm(root, size, "get_agent_context", given, "<= 0.3" if size <= 10_000 else "")


def _warm(root: Path, size: int, name: str, given: dict[str, Any], limit: str) -> Row:
    async def calls(client: ClientSession) -> list[float]:
        return [await _timed_call(client, name, given) for _ in range(3 + RUNS)][3:]

    found = Series(talk(root, calls))
    return Row(f"`{name}`", size, found, value=found.median, limit=limit)


def schemas(root: Path, size: int) -> Iterator[Row]:
    """Names, descriptions and input schemas of all tools, in KB (of 1,000)."""
    tools = talk(root, lambda client: client.list_tools()).tools
    kilobytes = sum(len(json.dumps([one.name, one.description, one.input_schema]).encode()) for one in tools) / 1000
    yield Row(f"{len(tools)} tools", size, Series([kilobytes], "KB"), value=kilobytes, limit="<= 24")


def prompt(root: Path, size: int) -> Iterator[Row]:
    """The hook at a prompt as a whole process: where nothing changed since the last one, and after a new message."""
    folder = root.parent / "source"
    folder.mkdir(exist_ok=True)
    with Store.open(root) as store:
        projects.set(store, project=PARTIES[1], source_path=str(folder))
    event = {"session_id": "bench", "cwd": str(folder), "hook_event_name": "UserPromptSubmit", "prompt": "go on"}

    def hook() -> None:
        command = [SBFS, "--store", root, "hook", "prompt"]
        subprocess.run(command, input=json.dumps(event).encode(), capture_output=True, check=True)

    same, least = interleave(RUNS, hook, lambda: run(SBFS, "--help"))
    yield Row("prompt hook, nothing new", size, same, "`sbfs --help`:", least, same.median, "<= 0.15")
    fresh = []
    with Store.open(root) as store:
        for _ in range(RUNS):
            messages.send(store, from_project=PARTIES[0], to_project=PARTIES[1], subject="New", message="x")
            fresh.append(timed(hook))
    yield Row("prompt hook, new mail", size, Series(fresh), value=Series(fresh).median, limit="<= 0.15")


ROWS = {
    "initialize": initialize,
    "send": send,
    "inbox": inbox,
    "schemas": schemas,
    "prompt": prompt,
    "context": context,
}


def main() -> None:
    """Build, measure, print."""
    parser = arguments("Measure what agents wait for.", ROWS, "agents.json", (10_000, 100_000))
    asked = parser.parse_args()
    names = asked.only or [*ROWS]

    def measured(folder: Path, _: Path) -> Iterator[Row]:
        for size in asked.sizes:
            tell(f"preparing {size:,} messages")
            root, _plain = stores.prepare(folder, size)
            for name in names:
                tell(f"measuring {name}")
                yield from ROWS[name](root, size)

    carry_out(asked, measured)


if __name__ == "__main__":
    main()
