"""The story of docs/agents.md: three projects, through servers, a real client and the hooks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from sbfs import messages, projects, reflections
from sbfs.store import Store

SBFS = [sys.executable, "-m", "sbfs", "--store"]


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A store with three projects, two of which have a folder that an agent works in."""
    with Store.init(tmp_path / "team") as store:
        for name in ("backend", "frontend", "qa"):
            (tmp_path / name).mkdir()
            projects.add(store, name=name, source_path=str(tmp_path / name))
    return tmp_path / "team"


def act(team: Path, project: str, *calls: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """What the agent of a project is answered by its own server."""

    async def session() -> list[dict[str, Any]]:
        command = [*SBFS[1:], str(team), "mcp", "--project", project]
        parameters = StdioServerParameters(command=SBFS[0], args=command)
        async with stdio_client(parameters) as (read, write), ClientSession(read, write) as client:
            await client.initialize()
            found = [await client.call_tool(name, arguments) for name, arguments in calls]
            assert not any(one.is_error for one in found), found
            return [one.structured_content for one in found]

    return anyio.run(session)


def hook(team: Path, event: str, project: str, session: str = "s-1") -> str:
    """What an agent in the folder of a project is told at an event."""
    given = {"session_id": session, "cwd": str(team.parent / project), "source": "startup", "prompt": "go on"}
    done = subprocess.run(
        [*SBFS, str(team), "hook", event], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"] if done.stdout else ""


def asked(project: str, query: str) -> tuple[str, dict[str, Any]]:
    return "get_agent_context", {"agent_id": project, "query": query, "budget": 1500}


def ids(document: dict[str, Any], part: str) -> list[str]:
    return [item["id"] for item in document["context"][part]["items"]]


def test_backend_announces_and_frontend_is_given_the_similar_one(team: Path) -> None:
    """An agent that builds again what was built before, or is not told of what is new."""
    lesson = {
        "project": "frontend",
        "type": "lesson",
        "title": "Statistics endpoints are cached: show their age",
        "text": "GET /api/orders/stats was built in March: UserStats reuses OrderStats' chart.",
    }
    other = {"project": "frontend", "title": "Icons lie in one file", "text": "Add them with the script."}
    kept, _ = act(team, "frontend", ("add_reflection", lesson), ("add_reflection", other))
    announced = {
        "from_project": "backend",
        "to_project": "frontend",
        "subject": "User stats API ready",
        "message": "GET /api/users/stats is there: statistics of users, cached for 5 minutes.",
        "priority": "high",
    }
    (sent,) = act(team, "backend", ("send_project_message", announced))
    assert f"{sent['message_id']} from backend, high" in hook(team, "session-start", "frontend")
    told, read = act(
        team,
        "frontend",
        asked("frontend", "a chart for the user statistics endpoint"),
        ("read_message", {"message_id": sent["message_id"]}),
    )
    assert ids(told, "mail") == [sent["message_id"]]
    assert ids(told, "reflections")[0] == kept["reflection"]["id"]
    assert read["message"]["content"]["message"] == announced["message"]
    assert "No unread mail." in hook(team, "session-start", "frontend", "s-2")


def test_qa_reports_and_backend_is_given_the_earlier_fix(team: Path) -> None:
    """A failure that is looked into again from the beginning; an urgent report that nobody hears of."""
    fixed: dict[str, Any] = {
        "project": "backend",
        "type": "lesson",
        "title": "A full connection pool makes login time out",
        "text": "A failed transaction did not give its connection back. Fixed in db/pool.py by closing in finally.",
        "tags": ["login"],
    }
    with Store.open(team) as store:
        kept = reflections.add(store, **fixed).reflection
    assert hook(team, "prompt", "backend") == ""
    report = {
        "from_project": "qa",
        "to_project": "backend",
        "subject": "Login times out",
        "message": "Login fails with a timeout under load since this morning.",
        "priority": "urgent",
    }
    (sent,) = act(team, "qa", ("send_project_message", report))
    said = hook(team, "prompt", "backend")
    assert f"urgent: {sent['message_id']} from qa: Login times out" in said
    assert hook(team, "prompt", "backend") == ""
    told, _ = act(
        team,
        "backend",
        asked("backend", "login times out under load"),
        ("reply_to_message", {"message_id": sent["message_id"], "message": "Seen before: the pool. On it."}),
    )
    assert ids(told, "mail")[0] == sent["message_id"]
    assert ids(told, "reflections") == [kept.id]
    assert "db/pool.py" in json.dumps(told)
    with Store.open(team) as store:
        assert [one.message.subject for one in messages.list(store, project="qa").items] == ["Re: Login times out"]
